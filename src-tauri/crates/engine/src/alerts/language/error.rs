use std::ops::Range;

use crate::alerts::Position;

/// A rule, group or schedule that cannot be used. The others stay active.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}: {sentence}")]
pub struct RuleError {
    /// Name of the rule, group or schedule.
    pub rule: String,
    /// Where it stands in the file, as the application said.
    pub position: Position,
    /// Key of the file: `when`, `critical`, `scope.queue`, `override.1.when` …
    pub field: String,
    /// Place in the field's text, in bytes.
    pub span: Range<usize>,
    /// What is wrong and what to do.
    pub sentence: String,
    /// The text, clipped, and a second line with carets under the place. Empty for fields without text.
    pub caret: String,
}

impl RuleError {
    /// An error about the whole of one of a rule's texts, for what only the application can check.
    pub fn about(
        rule: &str,
        position: Position,
        field: &str,
        text: &str,
        sentence: impl Into<String>,
    ) -> Self {
        Fault::whole(text, sentence).into_error(rule, position, field, text)
    }
}

/// What is wrong with one text, before it is known which rule it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub span: Range<usize>,
    pub sentence: String,
}

impl Fault {
    pub fn new(span: Range<usize>, sentence: impl Into<String>) -> Self {
        Self { span, sentence: sentence.into() }
    }
    /// About the whole text.
    pub fn whole(text: &str, sentence: impl Into<String>) -> Self {
        Self::new(0..text.len(), sentence)
    }
    pub fn into_error(self, rule: &str, position: Position, field: &str, text: &str) -> RuleError {
        let span = clamp(self.span, text);
        RuleError {
            rule: clip(rule, 80).chars().map(one_line).collect(),
            position,
            field: field.to_string(),
            caret: caret(text, &span),
            span,
            sentence: self.sentence,
        }
    }
}

/// A span that lies inside the text and on character boundaries.
fn clamp(span: Range<usize>, text: &str) -> Range<usize> {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.start);
    start..floor(span.end).max(start)
}

/// At most `max` characters.
fn clip(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        text.to_string()
    } else {
        text.chars().take(max).chain(['…']).collect()
    }
}

/// The text around the place and carets under it, on two lines.
fn caret(text: &str, span: &Range<usize>) -> String {
    const BEFORE: usize = 48;
    const AFTER: usize = 32;
    if text.is_empty() {
        return String::new();
    }
    // Only what is shown is walked: a text of a million characters costs no more than a short one.
    let head: Vec<char> = text[..span.start].chars().rev().take(BEFORE + 1).collect();
    let cut_head = head.len() > BEFORE;
    let mut line = String::new();
    if cut_head {
        line.push('…');
    }
    line.extend(head.into_iter().take(BEFORE).rev().map(one_line));
    let column = line.chars().count();
    let width = text[span.clone()].chars().take(AFTER).count().max(1);
    let tail: Vec<char> = text[span.start..].chars().take(width + AFTER + 1).collect();
    let cut_tail = tail.len() > width + AFTER;
    line.extend(tail.into_iter().take(width + AFTER).map(one_line));
    if cut_tail {
        line.push('…');
    }
    format!("{line}\n{}{}", " ".repeat(column), "^".repeat(width))
}

fn one_line(c: char) -> char {
    if is_unseen(c) { ' ' } else { c }
}

/// Characters that show nothing themselves and change how others are shown: controls, line separators and
/// those that turn the direction of writing. Joiners, which some scripts need, are none.
pub(crate) fn is_unseen(c: char) -> bool {
    let turns =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || c.is_control() || matches!(c, '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{2060}' | '\u{feff}')
}

/// The candidate that was probably meant, if any is close enough.
pub(crate) fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: String = word.chars().take(64).collect::<String>().to_lowercase();
    let allowed = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|c| (distance(&word, c), c))
        .filter(|(d, c)| *d <= allowed || (word.len() >= 4 && (c.starts_with(&word) || word.starts_with(*c))))
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// Edits (insert, delete, replace, swap of neighbours) from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(rows[i - 2][j - 2] + 1);
            }
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
