//! Getting a token: the secret is one, or a password buys one.

use std::time::Duration;

use base64::Engine as _;
use link::{
    Answer, Http, NetError, Request, Secret,
    single_flight::{Issued, Token, TokenCache},
};
use model::Timestamp;

use super::{config::Config, lax::Obj, wire::SignedIn};

/// Why there is no token.
#[derive(Clone, Debug)]
pub(super) enum AuthError {
    /// The vendor said no; trying again soon cannot help.
    Refused(String),
    /// Too many tries; the vendor's wait, where it gave one.
    Throttled(String, Option<Duration>),
    /// The network or the server failed.
    Failed(String),
    /// The configuration or the secret cannot work.
    Unusable(String),
}

/// The source's way to a token.
pub(super) struct Auth {
    cache: TokenCache<AuthError>,
    secret: Secret,
}

impl Auth {
    pub fn new(secret: Secret) -> Self {
        Self { cache: TokenCache::new(), secret }
    }

    /// The token in use; signs in when there is none and an e-mail is configured. `heard` gets every
    /// answer, for the server's clock.
    pub async fn token(
        &self,
        config: &Config,
        http: &Http,
        now: Timestamp,
        heard: impl FnMut(&Answer),
    ) -> Result<Token, AuthError> {
        self.cache.get(|| self.fetch(config, http, now, heard)).await
    }

    /// The vendor refused this token. Returns whether another one can be had.
    pub async fn refused(&self, config: &Config, token: &Token) -> bool {
        self.cache.refused(token.turn).await;
        config.email.is_some()
    }

    async fn fetch(
        &self,
        config: &Config,
        http: &Http,
        now: Timestamp,
        mut heard: impl FnMut(&Answer),
    ) -> Result<Issued, AuthError> {
        let Some(email) = &config.email else {
            let jwt = bare(self.secret.expose());
            if jwt.is_empty() || jwt.contains(|c: char| c.is_whitespace() || c.is_control()) {
                return Err(AuthError::Unusable(
                    "The secret is not a JWT: paste the token alone, or give `email` and use the password."
                        .to_owned(),
                ));
            }
            return Ok(Issued { token: Secret::new(jwt), lives: None });
        };
        let body =
            Secret::new(serde_json::json!({"email": email, "password": self.secret.expose()}).to_string());
        let request = Request::post(config.rest(&["auth", "signin"])).json(body.expose());
        let answer = http.send(request).await.map_err(|e: NetError| match e.is_configuration() {
            true => AuthError::Unusable(e.sentence()),
            false => AuthError::Failed(e.sentence()),
        })?;
        heard(&answer);
        read_answer(config, &answer, now)
    }
}

fn read_answer(config: &Config, answer: &Answer, now: Timestamp) -> Result<Issued, AuthError> {
    let host = link::origin::place(&config.api);
    match answer.status {
        200..300 => {
            let token = answer.json::<Obj<SignedIn>>().ok().and_then(|a| match a {
                Obj::Is(signed) => signed.token.text().map(|t| Secret::new(bare(t))),
                _ => None,
            });
            let Some(token) = token else {
                return Err(AuthError::Failed(format!(
                    "{host} answered the sign-in without a token: check `api_url`, or sign in to the network first."
                )));
            };
            let lives = claims(token.expose()).exp.map(|end| end.since(now));
            Ok(Issued { token, lives })
        }
        400 | 401 | 403 | 422 => Err(AuthError::Refused(format!(
            "{host} refused the sign-in of {}: check `email` and enter the password again.",
            config.email.as_deref().unwrap_or("this user")
        ))),
        429 => Err(AuthError::Throttled(
            format!("{host} allows no more sign-ins for now; it is tried again later."),
            answer.retry_after(),
        )),
        503 if answer.retry_after().is_some() => Err(AuthError::Throttled(
            format!("{host} is busy; it is tried again later."),
            answer.retry_after(),
        )),
        404 | 405 => {
            Err(AuthError::Failed(format!("{host} has no sign-in at this address: check `api_url`.")))
        }
        status => Err(AuthError::Failed(format!(
            "{host} answered the sign-in with status {status}; it is tried again."
        ))),
    }
}

/// The token without the word that the sign-in puts before it.
fn bare(text: &str) -> &str {
    let text = text.trim();
    for word in ["JWT ", "Bearer "] {
        if text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)) {
            return text[word.len()..].trim_start();
        }
    }
    text
}

/// What we read from a token. It is not checked: that is the server's business.
#[derive(Default)]
pub(super) struct Claims {
    /// Our own user.
    pub user: Option<String>,
    /// That user's address.
    pub email: Option<String>,
    /// End of its life.
    pub exp: Option<Timestamp>,
}

pub(super) fn claims(token: &str) -> Claims {
    #[derive(serde::Deserialize)]
    struct Body {
        #[serde(default, rename = "_id")]
        id: super::lax::Val,
        #[serde(default)]
        email: super::lax::Val,
        #[serde(default)]
        exp: super::lax::Val,
    }
    let read = || -> Option<Claims> {
        let part = token.split('.').nth(1)?.trim_end_matches('=');
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).ok()?;
        let body: Body = serde_json::from_slice(&bytes).ok()?;
        let exp = body.exp.int().map(|s| Timestamp::from_ms(s.saturating_mul(1000)));
        let text = |value: super::lax::Val| value.text().map(str::to_owned);
        Some(Claims { user: text(body.id), email: text(body.email), exp })
    };
    read().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_before_the_token_does_not_matter() {
        for text in ["eyJ.a.b", "JWT eyJ.a.b", " jwt  eyJ.a.b\n", "Bearer eyJ.a.b"] {
            assert_eq!(bare(text), "eyJ.a.b", "{text:?}");
        }
    }

    #[test]
    fn claims_tell_who_we_are_and_until_when() {
        let body =
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(br#"{"_id":"u1","exp":1700000000}"#);
        let read = claims(&format!("h.{body}.s"));
        assert_eq!(
            (read.user.as_deref(), read.exp),
            (Some("u1"), Some(Timestamp::from_ms(1_700_000_000_000)))
        );
        assert!(claims("garbage").user.is_none());
    }
}
