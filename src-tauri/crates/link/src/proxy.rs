//! Which proxy, if any, stands between us and an address. One answer for HTTP and WebSocket.

use std::sync::Arc;

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use crate::{origin, tls::SetupError};

/// The configured proxy, or the system's (environment, or the desktop's settings) with its exceptions.
#[derive(Clone)]
pub(crate) enum ProxyChoice {
    Fixed(Url),
    System(Arc<Matcher>),
}

impl ProxyChoice {
    pub fn new(configured: Option<&str>) -> Result<Self, SetupError> {
        let Some(text) = configured else {
            return Ok(Self::System(Arc::new(Matcher::from_system())));
        };
        match Url::parse(text) {
            Ok(url) if url.scheme() == "http" && url.has_host() => Ok(Self::Fixed(url)),
            _ => Err(SetupError(
                "`proxy` must be an address like http://proxy.example:3128; other kinds of proxy are not supported."
                    .to_owned(),
            )),
        }
    }

    /// The proxy for an address, with its own name and password if it has any. The system's proxy is
    /// never asked to reach this very computer.
    pub fn pick(&self, target: &Url) -> Option<Url> {
        match self {
            // Plain text stays on this computer, where no proxy elsewhere could bring it anyway.
            Self::Fixed(proxy) if is_plain(target) && !origin::is_loopback(proxy) => None,
            Self::Fixed(proxy) => Some(proxy.clone()),
            Self::System(_) if origin::is_loopback(target) => None,
            Self::System(matcher) => {
                let scheme = if matches!(target.scheme(), "https" | "wss") { "https" } else { "http" };
                let host = target.host_str()?;
                let port = target.port_or_known_default().unwrap_or(443);
                let uri = format!("{scheme}://{host}:{port}/").parse().ok()?;
                let hit = matcher.intercept(&uri)?;
                let mut proxy = Url::parse(&hit.uri().to_string()).ok()?;
                if let Some((user, password)) = hit.raw_auth() {
                    proxy.set_username(user).ok()?;
                    proxy.set_password(Some(password)).ok()?;
                } else if let Some(header) = hit.basic_auth() {
                    let (user, password) = read_basic(header)?;
                    proxy.set_username(&user).ok()?;
                    proxy.set_password(Some(&password)).ok()?;
                }
                Some(proxy)
            }
        }
    }
}

fn is_plain(target: &Url) -> bool {
    matches!(target.scheme(), "http" | "ws")
}

fn read_basic(header: &::http::HeaderValue) -> Option<(String, String)> {
    use base64::Engine as _;
    let encoded = header.to_str().ok()?.strip_prefix("Basic ")?;
    let text = String::from_utf8(base64::engine::general_purpose::STANDARD.decode(encoded).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configured_proxy_stands_before_everything() {
        let choice = ProxyChoice::new(Some("http://proxy.example:3128")).unwrap();
        let proxy = choice.pick(&Url::parse("wss://a.example/x").unwrap()).unwrap();
        assert_eq!(proxy.as_str(), "http://proxy.example:3128/");
        // A token in plain text leaves this computer for nobody.
        assert!(choice.pick(&Url::parse("http://127.0.0.1:9/").unwrap()).is_none());
        let here = ProxyChoice::new(Some("http://127.0.0.1:3128")).unwrap();
        assert!(here.pick(&Url::parse("http://127.0.0.1:9/").unwrap()).is_some());
    }

    #[test]
    fn the_system_has_exceptions_and_loopback_is_always_one() {
        let matcher = Matcher::builder().all("http://u:p@p.example:1").no("b.example").build();
        let choice = ProxyChoice::System(Arc::new(matcher));
        let proxy = choice.pick(&Url::parse("wss://a.example/x").unwrap()).unwrap();
        assert_eq!((proxy.username(), proxy.password(), proxy.port()), ("u", Some("p"), Some(1)));
        assert!(choice.pick(&Url::parse("wss://b.example/x").unwrap()).is_none());
        assert!(choice.pick(&Url::parse("ws://127.0.0.1:9/").unwrap()).is_none());
    }

    #[test]
    fn an_unusable_proxy_is_said_without_its_password() {
        for bad in ["proxy", "socks5://u:fake-password@h:1", "https://h:1", ""] {
            let error = ProxyChoice::new(Some(bad)).err().unwrap().to_string();
            assert!(error.contains("`proxy`") && !error.contains("fake-password"), "{error}");
        }
    }
}
