//! A TOML table that knows its file and lines, so that every complaint can say where.

use std::{ops::Range, path::Path};

use toml_edit::{Item, TableLike, Value};

use super::SettingsError;

/// The file being read.
#[derive(Clone, Copy)]
pub(super) struct Page<'a> {
    pub file: &'a Path,
    pub text: &'a str,
}

impl Page<'_> {
    /// Line of a place, from 1.
    pub fn line(&self, span: &Range<usize>) -> usize {
        1 + self.text.as_bytes()[..span.start.min(self.text.len())].iter().filter(|b| **b == b'\n').count()
    }
    pub fn error(
        &self,
        span: Option<Range<usize>>,
        key: Option<&str>,
        what: impl Into<String>,
    ) -> SettingsError {
        let line = span.map(|s| self.line(&s));
        SettingsError { file: self.file.to_owned(), line, key: key.map(str::to_owned), what: what.into() }
    }
}

/// One table, with typed access to its keys.
pub(super) struct Table<'a> {
    pub page: Page<'a>,
    pub table: &'a dyn TableLike,
    pub span: Option<Range<usize>>,
}

impl<'a> Table<'a> {
    /// Where a key stands; the table itself when it does not.
    pub fn place(&self, key: &str) -> Option<Range<usize>> {
        self.table.key(key).and_then(toml_edit::Key::span).or_else(|| self.span.clone())
    }
    pub fn error(&self, key: &str, what: impl Into<String>) -> SettingsError {
        self.page.error(self.place(key), Some(key), what)
    }
    pub fn value(&self, key: &str) -> Result<Option<&'a Value>, SettingsError> {
        match self.table.get(key) {
            None | Some(Item::None) => Ok(None),
            Some(Item::Value(value)) => Ok(Some(value)),
            Some(_) => Err(self.error(key, "is a table; write a value")),
        }
    }
    pub fn text(&self, key: &str) -> Result<Option<String>, SettingsError> {
        match self.value(key)? {
            None => Ok(None),
            Some(Value::String(s)) => Ok(Some(s.value().clone())),
            Some(_) => Err(self.error(key, format!("must be text in quotes, like `{key} = \"…\"`"))),
        }
    }
    pub fn required_text(&self, key: &str) -> Result<String, SettingsError> {
        match self.text(key)? {
            Some(text) if !text.trim().is_empty() => Ok(text),
            Some(_) => Err(self.error(key, "is empty; fill it in")),
            None => Err(self.error(key, format!("is missing; add `{key} = \"…\"`"))),
        }
    }
    pub fn flag(&self, key: &str) -> Result<Option<bool>, SettingsError> {
        match self.value(key)? {
            None => Ok(None),
            Some(Value::Boolean(b)) => Ok(Some(*b.value())),
            Some(_) => Err(self.error(key, "must be true or false, without quotes")),
        }
    }
    pub fn number(&self, key: &str) -> Result<Option<f64>, SettingsError> {
        match self.value(key)? {
            None => Ok(None),
            Some(Value::Integer(n)) => Ok(Some(*n.value() as f64)),
            Some(Value::Float(n)) => Ok(Some(*n.value())),
            Some(_) => Err(self.error(key, "must be a number, without quotes")),
        }
    }
    pub fn texts(&self, key: &str) -> Result<Option<Vec<String>>, SettingsError> {
        match self.value(key)? {
            None => Ok(None),
            Some(Value::Array(list)) => list
                .iter()
                .map(|v| v.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
                .map(Some)
                .ok_or_else(|| self.error(key, "must be a list of texts, like [\"a\", \"b\"]")),
            Some(_) => Err(self.error(key, "must be a list of texts, like [\"a\", \"b\"]")),
        }
    }
    pub fn keys(&self) -> Vec<String> {
        self.table.iter().map(|(key, _)| key.to_owned()).collect()
    }
    /// Refuses every key that is not in the list, naming the nearest one that is.
    pub fn only(&self, known: &[&str]) -> Result<(), SettingsError> {
        match self.keys().into_iter().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(self.error(&key, unknown(&key, known))),
        }
    }
}

/// The sentence for a key that nobody knows.
pub(super) fn unknown(key: &str, known: &[&str]) -> String {
    match nearest(key, known) {
        Some(near) => format!("is not known; did you mean `{near}`?"),
        None => format!("is not known; known here are {}", known.join(", ")),
    }
}

fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|k| (distance(key, k), *k))
        .min()
        .filter(|(d, _)| *d <= 2.max(key.len() / 3))
        .map(|(_, k)| k)
}

/// Edit distance, for keys of a few letters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let next = (diagonal + usize::from(ca != *cb)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = row[j + 1];
            row[j + 1] = next;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_nearest_key() {
        assert_eq!(nearest("cleint_id", &["client_id", "company"]), Some("client_id"));
        assert_eq!(nearest("zzz", &["client_id", "company"]), None);
    }
}
