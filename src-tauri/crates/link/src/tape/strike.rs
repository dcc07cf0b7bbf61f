//! Taking out of a conversation what must not be kept: credentials always, personal text by default.
//!
//! Of text only what is known to be harmless stays: numbers, instants and spans, ids, addresses, and single
//! words under keys of the protocol. Everything else is replaced, whatever its key: nobody can list the
//! keys under which a vendor will put a name one day. Keys themselves stay, and so do bare numbers.
//!
//! Two nets for credentials: keys that hold them (`token`, `password`, `csrf` …), and every value that was
//! ever seen under such a key or was used as a credential, wherever it stands later. What is taken out is
//! replaced by `struck-N`, the same N for the same value, so that a conversation can be played back.

use std::{collections::BTreeMap, hash::BuildHasher, hash::RandomState};

use model::Timestamp;
use serde_json::Value;
use url::Url;

/// What becomes of text that people wrote or that names people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Text {
    /// It is replaced, the same text by the same word within a tape.
    #[default]
    Masked,
    /// It stays: for tapes of simulated floors, or with the consent of everybody on it.
    Kept,
}

/// A credential shorter than this is only taken out under its key: it may be a word of its own.
const SHORT: usize = 6;
/// Credentials remembered; a conversation has a few.
const MOST: usize = 256;

/// Parts of keys (letters only, lower case) whose values are credentials.
const SECRET_KEYS: [&str; 13] = [
    "password",
    "passwd",
    "secret",
    "token",
    "bearer",
    "csrf",
    "jwt",
    "apikey",
    "authorization",
    "credential",
    "sessionid",
    "cookie",
    "signature",
];
/// Parts of keys that contain one of the above and are none.
const OPEN_KEYS: [&str; 3] = ["tokentype", "expires", "requesttoken"];
/// Parts of keys whose text is personal or written by people.
const PERSONAL_KEYS: [&str; 26] = [
    "name",
    "nick",
    "alias",
    "mail",
    "phone",
    "mobile",
    "subject",
    "description",
    "text",
    "comment",
    "note",
    "title",
    "address",
    "visitorinfo",
    "customer",
    "referrer",
    "useragent",
    "firstname",
    "lastname",
    "fullname",
    "company",
    "bio",
    "signatur",
    "avatar",
    "photo",
    "hostname",
];
/// Parts of keys whose digits are personal, too.
const CALL_KEYS: [&str; 3] = ["phone", "mobile", "fax"];
/// How keys end whose single words are the protocol's own: without them a tape cannot be understood.
const WORD_KEYS: [&str; 28] = [
    "type", "kind", "status", "state", "method", "action", "topic", "role", "presence", "event", "code",
    "priority", "channel", "source", "rel", "scheme", "language", "zone", "scope", "service", "version",
    "format", "outcome", "uri", "url", "cursor", "next", "previous",
];

/// Remembers what to take out.
pub struct Strike {
    text: Text,
    /// Every form of every credential, with what stands in its place.
    known: Vec<(String, String)>,
    places: BTreeMap<String, String>,
    hasher: RandomState,
}

impl Strike {
    /// Nothing is known yet.
    pub fn new(text: Text) -> Self {
        Self { text, known: Vec::new(), places: BTreeMap::new(), hasher: RandomState::new() }
    }

    /// A credential: from now on it is taken out wherever it stands. Gives what stands in its place.
    pub fn learn(&mut self, secret: &str) -> String {
        let secret = secret.trim();
        if let Some(place) = self.places.get(secret) {
            return place.clone();
        }
        let place = format!("struck-{}", self.places.len() + 1);
        if self.places.len() >= MOST {
            return "struck".to_owned();
        }
        if secret.len() >= SHORT {
            self.known.extend(super::forms(secret).into_iter().map(|form| (form, place.clone())));
            // Longer ones first: a credential may be part of another.
            self.known.sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
        }
        self.places.insert(secret.to_owned(), place.clone());
        place
    }

    /// Walks a JSON value.
    pub fn value(&mut self, value: &mut Value) {
        // Twice: what is learnt at the end may stand at the beginning.
        self.walk(value, "", false);
        self.walk(value, "", true);
    }

    fn walk(&mut self, value: &mut Value, key: &str, last: bool) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields.iter_mut() {
                    self.walk(value, key, last);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item, key, last)),
            Value::String(text) if !text.trim().is_empty() => {
                if is_among(key, &SECRET_KEYS) && !is_among(key, &OPEN_KEYS) {
                    if !text.starts_with("struck-") {
                        *text = self.learn(text);
                    }
                } else if last {
                    *text = self.kept(key, text);
                }
            }
            Value::Number(_) if is_among(key, &["password", "secret", "csrf"]) => {
                *value = self.learn(&value.to_string()).into();
            }
            _ => {}
        }
    }

    fn kept(&self, key: &str, text: &str) -> String {
        let personal = self.text == Text::Masked && (is_named(key, text) || !is_harmless(key, text));
        let is_done = text.starts_with("text-") || text.starts_with("struck-");
        if personal && !is_done {
            return format!("text-{:016x}", self.hasher.hash_one(text));
        }
        match Url::parse(text) {
            Ok(url) if url.has_host() && (url.query().is_some() || !url.username().is_empty()) => {
                self.url(&url)
            }
            _ => self.text(text),
        }
    }

    /// Whether text outside of any data may stay, its credentials apart.
    pub fn keeps(&self, text: &str) -> bool {
        self.text == Text::Kept || is_harmless("", text) || is_status_line(text)
    }

    /// Text without known credentials.
    pub fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (form, place) in &self.known {
            if text.contains(form.as_str()) {
                text = text.replace(form.as_str(), place);
            }
        }
        text
    }

    /// An address without credentials in its query or before its host.
    pub fn url(&self, url: &Url) -> String {
        let mut clean = url.clone();
        let _ = clean.set_username("");
        let _ = clean.set_password(None);
        clean.set_fragment(None);
        if url.query().is_some() {
            let pairs: Vec<(String, String)> = url
                .query_pairs()
                .map(|(key, value)| {
                    let is_secret = is_among(&key, &SECRET_KEYS) && !is_among(&key, &OPEN_KEYS);
                    let value =
                        if is_secret { "struck".to_owned() } else { self.kept_in_query(&key, &value) };
                    (key.into_owned(), value)
                })
                .collect();
            clean.query_pairs_mut().clear().extend_pairs(pairs);
        }
        self.text(clean.as_str())
    }

    fn kept_in_query(&self, key: &str, value: &str) -> String {
        if self.text == Text::Masked && (is_named(key, value) || value.contains('@')) {
            return format!("text-{:016x}", self.hasher.hash_one(value));
        }
        self.text(value)
    }

    /// A form's fields without credentials.
    pub fn form(&mut self, body: &[u8]) -> String {
        let mut clean = url::form_urlencoded::Serializer::new(String::new());
        for (key, value) in url::form_urlencoded::parse(body) {
            let is_secret = is_among(&key, &SECRET_KEYS) && !is_among(&key, &OPEN_KEYS);
            let value = if is_secret { self.learn(&value) } else { self.kept_in_query(&key, &value) };
            clean.append_pair(&key, &value);
        }
        clean.finish()
    }
}

fn is_among(key: &str, parts: &[&str]) -> bool {
    let letters = letters(key);
    parts.iter().any(|part| letters.contains(part))
}

fn is_of_the_protocol(key: &str) -> bool {
    let key = letters(key);
    WORD_KEYS.iter().any(|end| key.ends_with(end))
}

fn letters(key: &str) -> String {
    key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Text under a key of personal things; numbers, spans and times are none, unless one can be called by them.
fn is_named(key: &str, text: &str) -> bool {
    is_among(key, &PERSONAL_KEYS) && (text.chars().any(char::is_alphabetic) || is_among(key, &CALL_KEYS))
}

/// Text that nobody has written and that names nobody.
fn is_harmless(key: &str, text: &str) -> bool {
    let text = text.trim();
    if is_measure(text) {
        return true;
    }
    if text.contains('@') && !text.contains("://") || text.contains(char::is_whitespace) {
        return false;
    }
    let is_place = text.starts_with(['/', '?']) || text.contains("://");
    let is_yes_or_no = ["true", "false", "null"].iter().any(|word| text.eq_ignore_ascii_case(word));
    is_place || is_yes_or_no || is_id(text) || is_of_the_protocol(key)
}

/// A number and a few words: how some servers answer before they speak in data.
fn is_status_line(text: &str) -> bool {
    let (number, words) = text.split_once(' ').unwrap_or((text, ""));
    number.len() <= 3 && number.parse::<u16>().is_ok() && words.len() <= 40
}

/// A number, a span or an instant; not what begins as a telephone number does.
fn is_measure(text: &str) -> bool {
    let is_call = text.starts_with('+') && text.bytes().filter(u8::is_ascii_digit).count() > 5;
    let is_bare = !is_call && !text.chars().any(char::is_alphabetic);
    // `T`, `Z`, a zone of an instant; the zero date that some write is none that can be read.
    is_bare || text.parse::<Timestamp>().is_ok() || (text.ends_with('Z') && text.starts_with("0001-01-01T"))
}

/// An id as machines make them: hexadecimal with a digit, a long hexadecimal part, or mostly digits.
fn is_id(text: &str) -> bool {
    let is_token = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'));
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if !is_token || digits == 0 {
        return false;
    }
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    let is_hex = text.bytes().filter(u8::is_ascii_alphanumeric).all(|b| b.is_ascii_hexdigit());
    let mut parts = text.split(|c: char| !c.is_ascii_hexdigit());
    is_hex || digits > letters || parts.any(|part| part.len() >= LONG_HEX && has_digit(part))
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_digit())
}

/// No word is this long in letters from a to f and digits.
const LONG_HEX: usize = 12;
