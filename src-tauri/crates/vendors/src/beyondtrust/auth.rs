//! OAuth client credentials. One token an hour: more than thirty would push out those of others.

use std::{sync::Arc, time::Duration};

use link::{
    Answer, Auth as Proof, Http, Request, Secret,
    origin::place,
    single_flight::{Issued, Token},
    skew::Skew,
};

use super::{config::Config, run::End};
use crate::{
    loose::{self, Number, Text, loose_struct},
    tokens::{Account, NoToken as AuthError},
};

impl From<AuthError> for End {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Refused(sentence) => End::Denied(sentence),
            AuthError::Throttled(sentence, wait) => End::Throttled(sentence, wait),
            AuthError::Failed(sentence) => End::Lost(sentence, None),
            AuthError::Unusable(sentence) => End::Misconfigured(sentence),
        }
    }
}

/// The source's way to a token.
pub(super) struct Auth {
    account: Arc<Account>,
    secret: Secret,
}

/// A token, and whether it was bought just now.
pub(super) struct Pass {
    pub token: Token,
    pub fresh: bool,
}

loose_struct! {
    struct Granted {
        token: Text = "access_token",
        lives: Number = "expires_in",
        error: Text = "error",
        message: Text = "message",
    }
}

impl Auth {
    pub fn new(account: Arc<Account>, secret: Secret) -> Self {
        Self { account, secret }
    }

    /// The token in use, fetched when there is none.
    pub async fn token(&self, config: &Config, http: &Http) -> Result<Pass, AuthError> {
        let mut fresh = false;
        let fetch = async || {
            let proof = Proof::Basic { user: config.client_id.clone(), password: self.secret.clone() };
            let request = Request::post(config.token_url.clone())
                .auth(proof)
                .form(&[("grant_type", "client_credentials")]);
            let answer = http.send(request).await.map_err(|e| match e.is_configuration() {
                true => AuthError::Unusable(e.sentence()),
                false => AuthError::Failed(e.sentence()),
            })?;
            self.account.hear(&answer);
            let issued = read(config, &answer)?;
            fresh = true;
            Ok(issued)
        };
        let token = self.account.cache.get(fetch).await?;
        Ok(Pass { token, fresh })
    }

    /// Teaches a skew what the answer that brought the token said of the clock. Returns whether it did.
    pub fn teach(&self, skew: &mut Skew) -> bool {
        self.account.teach(skew)
    }

    /// The appliance refused this token.
    pub async fn refused(&self, token: &Token) {
        self.account.cache.refused(token.turn).await;
    }
}

fn read(config: &Config, answer: &Answer) -> Result<Issued, AuthError> {
    let host = place(&config.token_url);
    let granted: Granted = loose::read(&answer.body).unwrap_or_default();
    let throttled = |sentence: String| AuthError::Throttled(sentence, answer.retry_after());
    match answer.status {
        200..300 => {
            if let Some(token) = granted.token.0 {
                let lives = granted.lives.0.filter(|s| *s >= 1.0).map(Duration::from_secs_f64);
                return Ok(Issued { token: Secret::new(token), lives });
            }
            if granted.error.0.is_some() || granted.message.0.is_some() {
                return Err(AuthError::Refused(refusal(&host)));
            }
            Err(AuthError::Failed(format!(
                "{host} answered the sign-in without a token: check `url`, or sign in to the network first."
            )))
        }
        400 | 401 | 403 => Err(AuthError::Refused(refusal(&host))),
        429 => Err(throttled(format!("{host} allows no more requests for now; it is tried again later."))),
        503 if answer.retry_after().is_some() => {
            Err(throttled(format!("{host} is busy; it is tried again later.")))
        }
        404 | 405 => Err(AuthError::Failed(format!(
            "{host} has no sign-in for programs at this address: check `url`, it must be the support site."
        ))),
        300..400 => Err(AuthError::Failed(format!(
            "{host} redirects the sign-in: put the final address into `url`, or sign in to the network first."
        ))),
        status => Err(AuthError::Failed(format!(
            "{host} answered the sign-in with status {status}; it is tried again."
        ))),
    }
}

fn refusal(host: &str) -> String {
    format!(
        "{host} refused the client id or its secret: check `client_id`, enter the secret again, and see that the API account is enabled."
    )
}
