//! OAuth client credentials with the account's cap on valid tokens.

use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use model::Timestamp;
use serde_json::{Value, json};

use crate::{
    ids::{IdKind, oid},
    wire::{Wire, lock},
};

/// The API account that is known.
pub const CLIENT_ID: &str = "facade00facade00facade00facade00facade00";

struct Issued {
    token: String,
    until: Timestamp,
    age: u64,
}

pub(super) struct TokenDesk {
    life: Duration,
    cap: usize,
    next: AtomicU64,
    valid: Mutex<VecDeque<Issued>>,
}

fn answer(status: StatusCode, value: &Value) -> Response {
    let mut answer = Response::new(Body::from(value.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

impl TokenDesk {
    pub fn new(life: Duration, cap: usize) -> Self {
        Self { life, cap, next: AtomicU64::new(1), valid: Mutex::default() }
    }

    pub fn knows(&self, wire: &Wire, token: &str) -> bool {
        let (now, age) = (wire.now(), wire.token_age());
        lock(&self.valid).iter().any(|i| i.token == token && now < i.until && i.age == age)
    }

    pub fn answer(&self, wire: &Wire, headers: &HeaderMap, query: Option<&str>, body: &[u8]) -> Response {
        let offered = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let pair = offered.strip_prefix("Basic ").and_then(|p| STANDARD.decode(p.trim()).ok());
        let pair = pair.and_then(|p| String::from_utf8(p).ok()).unwrap_or_default();
        let known =
            pair.split_once(':').is_some_and(|(id, secret)| id == CLIENT_ID && wire.is_secret(secret));
        if !known {
            let refusal = json!({"error": "invalid_client", "message": "Client authentication failed."});
            return answer(StatusCode::UNAUTHORIZED, &refusal);
        }
        // The grant may stand in the query, with an empty body.
        let mut fields = url::form_urlencoded::parse(body)
            .chain(url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()));
        if !fields.any(|(k, v)| k == "grant_type" && v == "client_credentials") {
            let refusal = json!({"error": "unsupported_grant_type", "message": "Unsupported grant type."});
            return answer(StatusCode::BAD_REQUEST, &refusal);
        }
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let token = format!("fake{}{:012x}", oid(IdKind::Status, Some(wire.now()), n), n);
        let mut valid = lock(&self.valid);
        valid.push_back(Issued {
            token: token.clone(),
            until: wire.now().plus(self.life),
            age: wire.token_age(),
        });
        while valid.len() > self.cap {
            valid.pop_front();
        }
        wire.token_issued();
        answer(
            StatusCode::OK,
            &json!({"access_token": token, "token_type": "Bearer", "expires_in": self.life.as_secs()}),
        )
    }
}
