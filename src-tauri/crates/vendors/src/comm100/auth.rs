//! Proving who asks: an API key over Basic, or OAuth with the password grant.

use std::{sync::Mutex, time::Duration};

use base64::Engine as _;
use link::{
    Answer, Auth, Clock, Http, Request, Secret,
    poll::{Budget, Trouble},
    single_flight::{Issued, Token, TokenCache},
};
use url::Url;

use super::WORDS;
use crate::{
    loose::{self, Number, Reference, Text, loose_struct},
    rest,
};

loose_struct! {
    /// What the token endpoint says, good or bad.
    struct TokenAnswer {
        access_token: Text = "access_token",
        refresh_token: Text = "refresh_token",
        expires_in: Number = "expires_in",
        error: Text = "error",
    }
}

loose_struct! {
    /// What is read of a token that is a JWT.
    struct Claims {
        expires_at: Number = "exp",
        site: Reference = "siteid",
    }
}

/// Who asks.
pub enum Identity {
    /// An agent's e-mail address and API key; every request then names the site.
    Key {
        /// The agent's e-mail address.
        email: String,
    },
    /// An agent who signs in.
    Password(Box<PasswordGrant>),
}

/// OAuth with the password grant.
pub struct PasswordGrant {
    /// The agent's e-mail address.
    pub username: String,
    /// The OAuth client's id, where the site has one.
    pub client_id: Option<String>,
    /// Where tokens are issued.
    pub token_url: Url,
    /// The configured site; a token for another one is refused.
    pub site_id: i64,
    tokens: TokenCache<Trouble>,
    /// Kept before the access token that came with it is used: the one before is void from then on.
    refresh: Mutex<Option<Secret>>,
}

impl PasswordGrant {
    /// Not signed in yet.
    pub fn new(username: String, client_id: Option<String>, token_url: Url, site_id: i64) -> Self {
        let (tokens, refresh) = (TokenCache::new(), Mutex::new(None));
        Self { username, client_id, token_url, site_id, tokens, refresh }
    }

    /// The token, fetched or renewed if need be; many callers, one request.
    pub async fn token(
        &self,
        http: &Http,
        budget: &Budget,
        clock: &dyn Clock,
        password: &Secret,
    ) -> Result<Token, Trouble> {
        self.tokens.get(|| self.issue(http, budget, clock, password)).await
    }

    /// The vendor refused this token.
    pub async fn refused(&self, token: &Token) {
        self.tokens.refused(token.turn).await;
    }

    async fn issue(
        &self,
        http: &Http,
        budget: &Budget,
        clock: &dyn Clock,
        password: &Secret,
    ) -> Result<Issued, Trouble> {
        let refresh = self.lock().clone();
        if let Some(refresh) = refresh {
            let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
            match self.ask(http, budget, clock, &fields).await {
                // The refresh token is spent or revoked; the password may still do.
                Err(Trouble::SignIn(_)) => *self.lock() = None,
                outcome => return outcome,
            }
        }
        let fields =
            [("grant_type", "password"), ("email", self.username.as_str()), ("password", password.expose())];
        self.ask(http, budget, clock, &fields).await
    }

    async fn ask(
        &self,
        http: &Http,
        budget: &Budget,
        clock: &dyn Clock,
        fields: &[(&str, &str)],
    ) -> Result<Issued, Trouble> {
        let mut fields = fields.to_vec();
        if let Some(client) = &self.client_id {
            fields.push(("client_id", client));
        }
        budget.spend().await;
        let answer = http
            .send(Request::post(self.token_url.clone()).form(&fields))
            .await
            .map_err(|error| rest::no_answer(&error))?;
        let said = token_answer(&answer)?;
        if let Some(refresh) = said.refresh_token.0 {
            *self.lock() = Some(Secret::new(refresh));
        }
        let token = said.access_token.0.filter(|t| t.bytes().all(|b| b.is_ascii_graphic()));
        let Some(token) = token.map(Secret::new) else {
            return Err(rest::unreadable(&answer, "the sign-in", &WORDS));
        };
        let claims = claims(&token).unwrap_or_default();
        if claims.site.0.is_some_and(|site| site != self.site_id.to_string()) {
            return Err(Trouble::Misconfigured(
                "This Comm100 account belongs to another site than `site_id` says: correct the one or the other."
                    .to_owned(),
            ));
        }
        let told = said.expires_in.0.filter(|seconds| *seconds < 1e9).map(Duration::from_secs_f64);
        let own = claims
            .expires_at
            .0
            .filter(|at| *at < 1e11)
            .map(|at| Duration::from_secs_f64((at - clock.now().as_ms() as f64 / 1000.0).max(0.0)))
            // A token that is over at birth means that the clocks differ, not that it is over.
            .filter(|left| !left.is_zero());
        Ok(Issued { token, lives: told.into_iter().chain(own).min() })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Secret>> {
        self.refresh.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// How the API is told who asks, for a token.
pub fn bearer(token: &Token) -> Auth {
    Auth::Token { scheme: "Bearer", token: token.secret.clone() }
}

/// Sorts what the token endpoint says. A refusal of the account or of the client is final: trying again
/// could lock the account.
fn token_answer(answer: &Answer) -> Result<TokenAnswer, Trouble> {
    let stop = |why: &str| Err(Trouble::SignIn(format!("Comm100 refused the sign-in: {why}.")));
    if matches!(answer.status, 400 | 401 | 403) && !answer.is_html() {
        let said = loose::read::<TokenAnswer>(&answer.body).unwrap_or_default();
        return match said.error.0.as_deref() {
            Some("invalid_client" | "unauthorized_client") => {
                stop("check `client_id` under Global Settings, Security, OAuth Client")
            }
            Some("unsupported_grant_type") => stop(
                "this site does not allow signing in with a password; use an API key with `email` instead",
            ),
            Some(_) => stop(
                "check `username` and the password, whether the account is locked, and whether it needs single sign-on or a second factor (then use an API key with `email`)",
            ),
            None => match rest::body(answer, "the sign-in", &WORDS) {
                Err(throttled @ Trouble::Throttled { .. }) => Err(throttled),
                _ if answer.status == 403 => Err(Trouble::Refused {
                    sentence:
                        "Comm100 refused the sign-in (403): check whether this computer's address is allowed."
                            .to_owned(),
                    credentials: true,
                }),
                _ => stop("check `username`, the password and `client_id`"),
            },
        };
    }
    if let Some(trouble) = rest::redirected(answer) {
        return Err(trouble);
    }
    let body = rest::body(answer, "the sign-in", &WORDS)?;
    loose::read(body).map_err(|_| rest::unreadable(answer, "the sign-in", &WORDS))
}

/// The claims of a token that is a JWT. They are not verified: they only say when to renew and catch a
/// mix-up of accounts.
fn claims(token: &Secret) -> Option<Claims> {
    let mut parts = token.expose().split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let payload =
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    loose::read(&payload).ok()
}
