//! Which hosts may be spoken to in the clear, and what counts as the same place.

use url::{Host, Url};

/// Whether the address names this very computer. Only such hosts may be reached without TLS.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Whether the address may be used at all: TLS anywhere, plain text on loopback only.
pub fn is_allowed(url: &Url) -> bool {
    match url.scheme() {
        "https" | "wss" => url.has_host(),
        "http" | "ws" => is_loopback(url),
        _ => false,
    }
}

/// Same scheme, host and port: the only case in which a credential may travel along.
pub fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme()
        && a.host_str().map(str::to_ascii_lowercase) == b.host_str().map(str::to_ascii_lowercase)
        && a.port_or_known_default() == b.port_or_known_default()
}

/// Host, with the port where it is not the scheme's own. All that errors and logs ever say of an
/// address: paths may hold account names, queries hold tokens.
pub fn place(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => "the address".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn plain_text_is_for_loopback_only() {
        for good in
            ["http://127.0.0.1:1/", "ws://[::1]:9/x", "http://LOCALHOST", "wss://a.example", "https://b"]
        {
            assert!(is_allowed(&url(good)), "{good}");
        }
        for bad in ["http://a.example", "ws://10.0.0.1", "ftp://127.0.0.1", "http://localhost.example"] {
            assert!(!is_allowed(&url(bad)), "{bad}");
        }
    }

    #[test]
    fn origin_is_scheme_host_and_port() {
        let a = url("https://a.example/x");
        assert!(same_origin(&a, &url("https://A.example:443/y?z")));
        for other in ["http://a.example/x", "https://b.example/x", "https://a.example:444/x"] {
            assert!(!same_origin(&a, &url(other)), "{other}");
        }
    }

    #[test]
    fn a_place_never_holds_path_query_or_user() {
        assert_eq!(place(&url("wss://u:pw@a.example:9/api?token=fake")), "a.example:9");
        assert_eq!(place(&url("https://a.example/secret")), "a.example");
    }
}
