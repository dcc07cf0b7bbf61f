//! Addresses and cookies: what is sent where, and what an answer may say about it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use link::{Answer, Secret, origin::same_origin};
use url::Url;

/// More cookies than this are nobody's sign-in.
const COOKIES: usize = 32;

/// An address below a base. Lists of ids keep their commas.
pub fn with(base: &Url, path: &[&str], query: &[(&str, &str)]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    if !query.is_empty() {
        // Lists of ids keep their commas; nothing else in them needs care.
        let text: Vec<String> = query
            .iter()
            .map(|(key, value)| {
                let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
                format!("{key}={}", value.replace("%2C", ","))
            })
            .collect();
        url.set_query(Some(&text.join("&")));
    }
    url
}

/// Whether an address that the server gave is still the vendor's: the same host, or another of its own
/// behind TLS.
pub fn stays(url: &Url, known: &Url) -> bool {
    let vendors =
        |url: &Url| url.scheme() == "https" && url.host_str().is_some_and(|h| h.ends_with(".liveperson.net"));
    same_origin(url, known) || (vendors(url) && vendors(known) && url.port().is_none())
}

/// The cookies of one login or of one agent session. They go back to where they came from and nowhere else.
#[derive(Default)]
pub struct Jar(Mutex<BTreeMap<String, Secret>>);

impl Jar {
    /// Keeps what an answer sets, and forgets what it takes away.
    pub fn keep(&self, answer: &Answer) {
        for cookie in answer.headers("set-cookie") {
            self.set(cookie);
        }
    }

    /// Whether nothing was set.
    pub fn is_empty(&self) -> bool {
        self.pairs().is_empty()
    }

    /// Takes one `Set-Cookie`.
    pub fn set(&self, cookie: &str) {
        let mut parts = cookie.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { return };
        let (name, value) = (name.trim(), value.trim());
        let is_plain = |text: &str| text.bytes().all(|b| (0x20..0x7f).contains(&b));
        if name.is_empty() || !is_plain(name) || !is_plain(value) {
            return;
        }
        let gone = parts.any(|part| {
            part.split_once('=').is_some_and(|(key, age)| {
                key.eq_ignore_ascii_case("max-age") && age.trim().parse::<i64>().is_ok_and(|age| age <= 0)
            })
        });
        let mut pairs = self.pairs();
        if gone {
            pairs.remove(name);
        } else if pairs.len() < COOKIES || pairs.contains_key(name) {
            pairs.insert(name.to_owned(), Secret::new(value));
        }
    }

    /// What goes back as `Cookie`; nothing of it but names and values.
    pub fn header(&self) -> Option<Secret> {
        let pairs = self.pairs();
        let text: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{name}={}", value.expose())).collect();
        (!text.is_empty()).then(|| Secret::new(text.join("; ")))
    }

    fn pairs(&self) -> MutexGuard<'_, BTreeMap<String, Secret>> {
        // A panic elsewhere leaves whole cookies behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn lists_keep_their_commas_and_nothing_else_gets_through() {
        let made = with(
            &url("https://h/"),
            &["chat", "a/b"],
            &[("chatSessionKeys", "H1-2K3,H4-5K6"), ("x", "a&b=c d")],
        );
        assert_eq!(made.as_str(), "https://h/chat/a%2Fb?chatSessionKeys=H1-2K3,H4-5K6&x=a%26b%3Dc+d");
    }

    #[test]
    fn credentials_stay_with_the_vendor() {
        let known = url("https://va.agentvep.liveperson.net/");
        assert!(stays(&url("https://va-a.agentvep.liveperson.net/api"), &known));
        for other in [
            "https://evil.example/api",
            "http://va.agentvep.liveperson.net/api",
            "https://liveperson.net.evil.example/",
            "https://va.agentvep.liveperson.net:444/",
        ] {
            assert!(!stays(&url(other), &known), "{other}");
        }
        let local = url("http://127.0.0.1:4711/");
        assert!(stays(&url("http://127.0.0.1:4711/api"), &local));
        assert!(!stays(&url("http://127.0.0.1:4712/api"), &local));
        assert!(!stays(&url("https://a.liveperson.net/api"), &local));
    }

    #[test]
    fn cookies_go_back_as_names_and_values_and_go_when_told() {
        let jar = Jar::default();
        assert!(jar.is_empty() && jar.header().is_none());
        for cookie in ["Session_id=a=b; Path=/; HttpOnly", "lpas1=x;Secure", "odd", "=y", "lpas1=z; Path=/"] {
            jar.set(cookie);
        }
        assert_eq!(jar.header().unwrap().expose(), "Session_id=a=b; lpas1=z");
        jar.set("Session_id=; Max-Age=0");
        assert_eq!(jar.header().unwrap().expose(), "lpas1=z");
        for n in 0..100 {
            jar.set(&format!("c{n}=1"));
        }
        assert!(jar.header().unwrap().expose().len() < 400);
    }
}
