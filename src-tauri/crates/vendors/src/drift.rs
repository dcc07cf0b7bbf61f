//! Vendor drift: what a vendor sends that is not as its page says, or not as it was.
//!
//! A connector never stumbles over such a thing (the value is unknown, the row stays); here it is counted,
//! so that a person can be told "format changed" with the place. A note holds names of fields and
//! single short words of closed lists, never a value that could be somebody's name.
//!
//! For a connector it is two calls: [`Notes::read`] in place of [`loose::read`] for a whole answer,
//! [`Notes::hear`] beside the parsing of a message, and, where a word is understood only later,
//! [`Notes::unknown_word`].

mod look;
mod memory;
pub mod shape;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};

use link::{Clock, SystemClock};
use model::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeSeed as _};
pub use shape::{Expected, Field, Shape, Shaped};

/// How much a body tells of what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// A whole answer: what is in no row of it is gone.
    All,
    /// Rows one by one, each of them whole: what is in none of many is gone.
    Rows,
    /// Only what has changed: what is not in it says nothing.
    Parts,
}

use crate::loose::{self, Unreadable};

/// Notes kept of one source; what comes after them is only counted.
const MOST: usize = 64;
/// Words kept of one field.
const WORDS: usize = 8;
/// A word longer than this is text, and text may be personal.
const WORD: usize = 40;
/// Bytes looked at in a second. Looking costs as much as parsing, and what has changed is still so in
/// the next message.
const BYTES: usize = 1024 * 1024;

/// What is odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum Drift {
    /// A value of a type that is not expected there, or of another than before.
    Type,
    /// Spans hundreds of times larger or smaller than before, all of them; percentages in place of
    /// fractions; instants of no year that people live in: the unit has changed.
    Unit,
    /// A field that every earlier row had and no row has now.
    Vanished,
    /// A word that is on no list.
    Word,
    /// A body or message that cannot be read at all.
    Unreadable,
}

/// One thing that is odd.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct Note {
    /// Which part of the vendor's interface: an endpoint, a table, a topic.
    pub part: String,
    /// Path of the field, in the vendor's own names in lower case; empty for the part as a whole.
    pub field: String,
    /// What is odd.
    pub drift: Drift,
    /// The types, or the words that are not known.
    pub detail: Option<String>,
    /// In how many values it was seen.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub count: u64,
    /// When it was seen first.
    pub first: Timestamp,
    /// When it was seen last.
    pub last: Timestamp,
}

/// The notes of one source. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Notes(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    memory: BTreeMap<&'static str, memory::Memory>,
    notes: BTreeMap<(String, String, Drift), Note>,
    /// What did not fit.
    others: u64,
    /// The second that is running, and the bytes looked at in it.
    second: i64,
    bytes: usize,
}

impl Default for Notes {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock))
    }
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.list()).finish()
    }
}

impl Notes {
    /// No notes yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner { clock, book: Mutex::default() }))
    }

    /// Parses a whole answer as [`loose::read`] does, and looks at it. What is in no row of it is gone.
    pub fn read<T: Shaped + for<'a> Deserialize<'a>>(
        &self,
        part: &'static str,
        body: &[u8],
    ) -> Result<T, Unreadable> {
        let read = loose::read(body);
        match &read {
            Ok(_) => self.look(part, body, &T::SHAPE, Telling::All),
            Err(_) => self.unreadable(part),
        }
        read
    }

    /// Looks at a message with a few rows.
    pub fn hear(&self, part: &'static str, message: &[u8], shape: &Shape) {
        self.look(part, message, shape, Telling::Rows);
    }

    /// Looks at an answer that was parsed by other means.
    pub fn look(&self, part: &'static str, body: &[u8], shape: &Shape, telling: Telling) {
        let now = self.0.clock.now();
        let mut book = self.book();
        let second = now.as_ms().div_euclid(1000);
        if book.second != second {
            (book.second, book.bytes) = (second, 0);
        }
        // The first body of a second is looked at however long it is.
        if book.bytes > 0 && book.bytes + body.len() > BYTES {
            return;
        }
        book.bytes += body.len();
        let mut seen = look::Seen::default();
        let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        let mut json = serde_json::Deserializer::from_slice(body);
        if (look::Look { shape, words: &[], seen: &mut seen }).deserialize(&mut json).is_err() {
            // What the tolerant reader had to mend is not looked into.
            return;
        }
        let odd = memory::compare(shape, &seen, book.memory.entry(part).or_default(), telling);
        for odd in odd {
            let detail = match odd.drift {
                Drift::Word => odd.detail.as_deref().and_then(plain),
                _ => odd.detail,
            };
            book.note((part, odd.path, odd.drift), detail, odd.count.into(), now);
        }
    }

    /// A word that no list of the connector has. Only a short plain one is shown; it must not be text
    /// that a person wrote.
    pub fn unknown_word(&self, part: &str, field: &str, word: &str) {
        let now = self.0.clock.now();
        self.book().note((part, field.to_owned(), Drift::Word), plain(word), 1, now);
    }

    /// A body or message that cannot be read at all.
    pub fn unreadable(&self, part: &str) {
        let now = self.0.clock.now();
        self.book().note((part, String::new(), Drift::Unreadable), None, 1, now);
    }

    /// All notes, by part and field.
    pub fn list(&self) -> Vec<Note> {
        self.book().notes.values().cloned().collect()
    }

    /// How often something was odd that is in no note, because there were too many.
    pub fn others(&self) -> u64 {
        self.book().others
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // A poisoned lock means that a look panicked: the notes are whole all the same.
        self.0.book.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Book {
    fn note(
        &mut self,
        (part, field, drift): (&str, String, Drift),
        detail: Option<String>,
        count: u64,
        now: Timestamp,
    ) {
        let key = (part.to_owned(), field, drift);
        if !self.notes.contains_key(&key) && self.notes.len() >= MOST {
            self.others = self.others.saturating_add(count);
            return;
        }
        let note = self.notes.entry(key).or_insert_with_key(|(part, field, drift)| Note {
            part: part.clone(),
            field: field.clone(),
            drift: *drift,
            detail: None,
            count: 0,
            first: now,
            last: now,
        });
        note.count = note.count.saturating_add(count);
        note.last = now;
        if drift == Drift::Word {
            note.detail = match (note.detail.take(), detail) {
                (Some(words), Some(word)) => Some(with_word(words, &word)),
                (words, word) => words.or(word),
            };
        } else {
            note.detail = detail.or(note.detail.take());
        }
    }
}

fn with_word(words: String, word: &str) -> String {
    let known: Vec<&str> = words.split(", ").collect();
    if known.contains(&word) || known.len() >= WORDS { words } else { format!("{words}, {word}") }
}

/// A word that may be shown: short, of letters, digits and signs of enums.
fn plain(word: &str) -> Option<String> {
    let word = word.trim();
    let is_plain = !word.is_empty()
        && word.len() <= WORD
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    is_plain.then(|| word.to_owned())
}

#[cfg(test)]
mod tests;
