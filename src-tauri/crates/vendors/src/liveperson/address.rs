//! Addresses and cookies: what is sent where, and what an answer may say about it.

use link::{Answer, Secret, origin::same_origin};
use url::Url;

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

/// What goes back as `Cookie`; nothing of it but names and values.
pub fn cookies(answer: &Answer) -> Option<Secret> {
    let pairs: Vec<&str> = answer
        .headers("set-cookie")
        .filter_map(|cookie| cookie.split(';').next())
        .map(str::trim)
        .filter(|pair| pair.contains('=') && pair.bytes().all(|b| (0x20..0x7f).contains(&b)))
        .collect();
    (!pairs.is_empty()).then(|| Secret::new(pairs.join("; ")))
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
}
