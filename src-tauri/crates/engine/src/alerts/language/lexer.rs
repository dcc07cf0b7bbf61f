use std::ops::Range;

use super::{Fault, parse_duration};

/// A comparison as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Gt,
    Ge,
    Lt,
    Le,
    Eq,
    Ne,
}

impl Op {
    pub fn as_str(self) -> &'static str {
        match self {
            Op::Gt => ">",
            Op::Ge => ">=",
            Op::Lt => "<",
            Op::Le => "<=",
            Op::Eq => "==",
            Op::Ne => "!=",
        }
    }
    /// `>` or `>=`.
    pub fn is_rising(self) -> bool {
        matches!(self, Op::Gt | Op::Ge)
    }
    /// `<` or `<=`.
    pub fn is_falling(self) -> bool {
        matches!(self, Op::Lt | Op::Le)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Open,
    Close,
    And,
    Or,
    Op(Op),
    Number(f64),
    /// Share 0–1, from `80%`.
    Percent(f64),
    /// Milliseconds.
    Duration(i64),
    Quoted(String),
    Word(String),
    /// `queue.abandoned@30m`: subject, metric, window.
    Metric {
        subject: String,
        name: String,
        window: Option<String>,
    },
}

pub(crate) type Spanned = (Token, Range<usize>);

/// No sensible condition is longer.
pub(crate) const MAX_CHARS: usize = 4096;

/// Cuts a text into tokens.
pub(crate) fn tokens(text: &str) -> Result<Vec<Spanned>, Fault> {
    if text.len() > MAX_CHARS {
        return Err(Fault::new(
            0..1,
            format!("the condition is too long: {} bytes, at most {MAX_CHARS} are read", text.len()),
        ));
    }
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (token, len) =
            next(&text[at..]).map_err(|f| Fault::new(at + f.span.start..at + f.span.end, f.sentence))?;
        out.push((token, at..at + len));
        at += len;
    }
    Ok(out)
}

fn next(rest: &str) -> Result<(Token, usize), Fault> {
    let two = rest.get(..2).unwrap_or("");
    let fixed = match two {
        ">=" => Some((Token::Op(Op::Ge), 2)),
        "<=" => Some((Token::Op(Op::Le), 2)),
        "==" => Some((Token::Op(Op::Eq), 2)),
        "!=" => Some((Token::Op(Op::Ne), 2)),
        "&&" => return Err(Fault::new(0..2, "write `and` instead of `&&`")),
        "||" => return Err(Fault::new(0..2, "write `or` instead of `||`")),
        "<>" => return Err(Fault::new(0..2, "write `!=` instead of `<>`")),
        "=>" => return Err(Fault::new(0..2, "write `>=` instead of `=>`")),
        "=<" => return Err(Fault::new(0..2, "write `<=` instead of `=<`")),
        _ => None,
    };
    if let Some(found) = fixed {
        return Ok(found);
    }
    let Some(c) = rest.chars().next() else {
        return Err(Fault::new(0..0, "the condition ends here"));
    };
    match c {
        '(' => Ok((Token::Open, 1)),
        ')' => Ok((Token::Close, 1)),
        '>' => Ok((Token::Op(Op::Gt), 1)),
        '<' => Ok((Token::Op(Op::Lt), 1)),
        '=' => Err(Fault::new(0..1, "write `==` to compare")),
        '!' => Err(Fault::new(0..1, "there is no `!`; use `!=` or the opposite comparison")),
        '"' | '\'' => quoted(rest, c),
        '+' | '*' | '/' => Err(Fault::new(0..1, "rules do not calculate; compare one metric with one value")),
        '-' | '0'..='9' | '.' => number(rest),
        c if c.is_alphabetic() || c == '_' => word(rest),
        c => Err(Fault::new(0..c.len_utf8(), format!("“{}” has no meaning here", c.escape_debug()))),
    }
}

fn quoted(rest: &str, quote: char) -> Result<(Token, usize), Fault> {
    match rest[1..].find(quote) {
        Some(end) => Ok((Token::Quoted(rest[1..1 + end].to_string()), end + 2)),
        None => Err(Fault::new(0..1, "this quotation mark is never closed")),
    }
}

fn number(rest: &str) -> Result<(Token, usize), Fault> {
    let body = rest.strip_prefix('-').unwrap_or(rest);
    let sign = rest.len() - body.len();
    let len = sign + body.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(body.len());
    let text = &rest[..len];
    let wrong = || Fault::new(0..len.max(1), format!("“{text}” is not a number, duration or percentage"));
    let finite = |text: &str| text.parse::<f64>().ok().filter(|n| n.is_finite() && n.abs() < 1e12);
    if text.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '-') {
        let n = finite(text).ok_or_else(wrong)?;
        if rest[len..].starts_with('%') {
            return Ok((Token::Percent(n / 100.0), len + 1));
        }
        return Ok((Token::Number(n), len));
    }
    parse_duration(text).map(|ms| (Token::Duration(ms), len)).map_err(|sentence| Fault::new(0..len, sentence))
}

fn word(rest: &str) -> Result<(Token, usize), Fault> {
    let part = |text: &str| {
        text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(text.len())
    };
    let first = part(rest);
    let subject = &rest[..first];
    let Some(tail) = rest[first..].strip_prefix('.') else {
        let token = match subject.to_ascii_lowercase().as_str() {
            "and" => Token::And,
            "or" => Token::Or,
            "not" => {
                return Err(Fault::new(0..first, "there is no `not`; use `!=` or the opposite comparison"));
            }
            _ => Token::Word(subject.to_string()),
        };
        return Ok((token, first));
    };
    let second = part(tail);
    if second == 0 {
        return Err(Fault::new(0..first + 1, format!("a metric is missing after “{subject}.”")));
    }
    let mut len = first + 1 + second;
    let name = tail[..second].to_string();
    let mut window = None;
    if let Some(after) = tail[second..].strip_prefix('@') {
        let third = part(after);
        if third == 0 {
            return Err(Fault::new(
                len..len + 1,
                "a window is missing after “@”: now, 15m, 30m, 60m or today",
            ));
        }
        window = Some(after[..third].to_string());
        len += 1 + third;
    }
    Ok((Token::Metric { subject: subject.to_string(), name, window }, len))
}
