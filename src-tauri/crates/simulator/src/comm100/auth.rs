//! Basic with e-mail and API key, bearer tokens, and the token endpoint.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use model::{Timestamp, Vendor};
use serde_json::json;

use super::{Call, Comm100Server, Dialect, LOGIN, SITE_ID, json_answer, problem};
use crate::{
    ids::{IdKind, guid},
    wire::{Wire, lock},
};

/// Hands out tokens and knows them again.
pub(super) struct TokenDesk {
    life: Duration,
    next: AtomicU64,
    /// Access token: until when, and the age in which it was issued.
    access: Mutex<HashMap<String, (Timestamp, u64)>>,
    /// Refresh token: the age in which it was issued.
    refresh: Mutex<HashMap<String, u64>>,
}

impl TokenDesk {
    pub fn new(life: Duration) -> Self {
        Self { life, next: AtomicU64::new(1), access: Mutex::default(), refresh: Mutex::default() }
    }

    fn knows(&self, wire: &Wire, token: &str) -> bool {
        lock(&self.access)
            .get(token)
            .is_some_and(|(until, age)| wire.now() < *until && *age == wire.token_age())
    }

    /// `POST /oauth/token`.
    pub fn answer(&self, wire: &Wire, dialect: &Dialect, body: &[u8]) -> Response {
        let form: Vec<(String, String)> = url::form_urlencoded::parse(body).into_owned().collect();
        let field = |name: &str| {
            form.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map_or("", |(_, v)| v.as_str())
        };
        match field("grant_type") {
            "password" => {
                let known = field("email").eq_ignore_ascii_case(LOGIN);
                if known && wire.is_secret(field("password")) {
                    self.issue(wire)
                } else {
                    refuse("invalid_grant", "invalid_username_or_password")
                }
            }
            "refresh_token" => {
                // Rotation: a refresh token is good once.
                let age = lock(&self.refresh).remove(field("refresh_token"));
                if !dialect.refresh_revoked && age == Some(wire.token_age()) {
                    self.issue(wire)
                } else {
                    refuse("invalid_grant", "the refresh token is not valid")
                }
            }
            _ => refuse("unsupported_grant_type", "use password, authorization_code or refresh_token"),
        }
    }

    fn issue(&self, wire: &Wire) -> Response {
        let n = self.next.fetch_add(2, Ordering::Relaxed);
        let access = format!("fake-access-{}", guid(IdKind::Status, Some(wire.now()), n));
        let refresh = guid(IdKind::Status, Some(wire.now()), n + 1).replace('-', "");
        lock(&self.access).insert(access.clone(), (wire.now().plus(self.life), wire.token_age()));
        lock(&self.refresh).insert(refresh.clone(), wire.token_age());
        wire.token_issued();
        json_answer(
            StatusCode::OK,
            &json!({
                "access_token": access,
                "token_type": "bearer",
                "expires_in": self.life.as_secs(),
                "refresh_token": refresh,
            }),
        )
    }
}

fn refuse(error: &str, description: &str) -> Response {
    json_answer(StatusCode::BAD_REQUEST, &json!({"error": error, "error_description": description}))
}

impl Comm100Server {
    /// Lets a call in, or says why not.
    pub(super) fn admit(&self, call: &Call) -> Result<(), Response> {
        let offered =
            call.headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let (scheme, rest) = offered.split_once(' ').unwrap_or((offered, ""));
        let site = call.param("siteId");
        if scheme.eq_ignore_ascii_case("basic") {
            let pair = STANDARD.decode(rest.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let known = pair.as_deref().and_then(|p| p.split_once(':')).is_some_and(|(login, key)| {
                let login_known = login.eq_ignore_ascii_case(LOGIN)
                    || self.stage.look(|floor| floor.seats_of(Vendor::Comm100).any(|s| s.email == login));
                login_known && self.wire.is_secret(key)
            });
            if !known {
                return Err(self.unknown_caller());
            }
            if site.is_none() {
                return Err(problem(400, 400_000, "Parameter 'siteId' is required."));
            }
        } else if !scheme.eq_ignore_ascii_case("bearer") || !self.desk.knows(&self.wire, rest.trim()) {
            return Err(self.unknown_caller());
        }
        match site {
            Some(site) if site.parse() != Ok(SITE_ID) => {
                Err(problem(403, 403_000, "You have no permission for this site."))
            }
            _ => Ok(()),
        }
    }

    fn unknown_caller(&self) -> Response {
        if self.dialect.bare_401 {
            let mut answer = Response::new(Body::empty());
            *answer.status_mut() = StatusCode::UNAUTHORIZED;
            return answer;
        }
        let mut answer = problem(401, 401_000, "The user name or API key is invalid.");
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        answer
    }
}
