//! Taking out of a conversation what must not be kept: credentials always, personal text by default.
//!
//! Two nets for credentials: keys that hold them (`token`, `password`, `csrf` …), and every value that was
//! ever seen under such a key or was used as a credential, wherever it stands later. What is taken out is
//! replaced by `struck-N`, the same N for the same value, so that a conversation can be played back.

use std::{collections::BTreeMap, hash::BuildHasher, hash::RandomState};

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
        let personal = self.text == Text::Masked && (is_named(key, text) || is_written(text));
        if personal && !text.starts_with("text-") {
            return format!("text-{:016x}", self.hasher.hash_one(text));
        }
        match Url::parse(text) {
            Ok(url) if url.has_host() && (url.query().is_some() || !url.username().is_empty()) => {
                self.url(&url)
            }
            _ => self.text(text),
        }
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
    let letters: String =
        key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    parts.iter().any(|part| letters.contains(part))
}

/// Text under a key of personal things; numbers, spans and times are none.
fn is_named(key: &str, text: &str) -> bool {
    is_among(key, &PERSONAL_KEYS) && text.chars().any(char::is_alphabetic)
}

/// Text that a person may have written, whatever its key: an address, or several words.
fn is_written(text: &str) -> bool {
    if text.contains('@') && !text.contains("://") {
        return true;
    }
    let words = text.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).count();
    words >= 2
}
