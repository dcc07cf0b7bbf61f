//! JSON Web Tokens, HS256, as the open-source server issues and checks them.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Dialect, account::Account};
use crate::{
    ids::{IdKind, guid},
    wire::Wire,
};

/// The open-source server's default, which is why nobody should keep it.
const KEY: &[u8] = b"nodeauthsecret";

#[derive(Default)]
pub(super) struct TokenDesk(AtomicU64);

/// What a token on a handshake or a request turns out to be.
#[derive(Debug, PartialEq)]
pub(super) enum Claim {
    /// A user's.
    User(String),
    /// A visitor's, or one without a user: REST knows it, the WebSocket never answers it.
    Guest,
    /// Not good.
    Bad,
}

fn sign(text: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY).ok()?;
    mac.update(text.as_bytes());
    Some(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn encode(claims: &Value) -> String {
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let text = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = sign(&text).unwrap_or_default();
    format!("{text}.{signature}")
}

impl TokenDesk {
    fn jti(&self, wire: &Wire) -> String {
        let n = self.0.fetch_add(1, Ordering::Relaxed);
        // The age of issue goes along, so that a revocation voids what was issued before it.
        format!("{}.{}", guid(IdKind::Status, Some(wire.now()), n), wire.token_age())
    }
    /// A token without its `JWT ` word.
    pub fn issue(&self, wire: &Wire, dialect: &Dialect, account: &Account) -> String {
        let iat = wire.now().as_ms() / 1000;
        let mut claims = json!({
            "_id": account.user, "email": account.email, "firstname": account.first, "lastname": account.last,
            "emailverified": false, "iat": iat, "aud": "https://tiledesk.com", "iss": "https://tiledesk.com",
            "sub": "user", "jti": self.jti(wire),
        });
        if let (Some(life), Some(claims)) = (dialect.token_life, claims.as_object_mut()) {
            claims.insert("exp".to_owned(), json!(iat + life.as_secs() as i64));
        }
        wire.token_issued();
        encode(&claims)
    }
    /// A visitor's token.
    pub fn issue_guest(&self, wire: &Wire) -> (String, String) {
        let n = self.0.fetch_add(1, Ordering::Relaxed);
        let id = guid(IdKind::Customer, Some(wire.now()), n);
        let claims = json!({"_id": id, "firstname": "Guest", "sub": "guest", "jti": self.jti(wire)});
        (encode(&claims), id)
    }
}

/// Reads a token without its `JWT ` word.
pub(super) fn read(wire: &Wire, token: &str) -> Claim {
    let claims = || {
        let (text, signature) = token.rsplit_once('.')?;
        let (head, body) = text.split_once('.')?;
        let decode = |part: &str| -> Option<Value> {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
        };
        let is_hs256 = decode(head)?.get("alg")?.as_str()? == "HS256";
        (is_hs256 && sign(text)? == signature).then(|| decode(body)).flatten()
    };
    let Some(claims) = claims() else { return Claim::Bad };
    let expired =
        claims.get("exp").and_then(Value::as_i64).is_some_and(|exp| exp <= wire.now().as_ms() / 1000);
    let jti = claims.get("jti").and_then(Value::as_str).unwrap_or_default();
    let revoked = match jti.rsplit_once('.') {
        Some((_, age)) => age.parse() != Ok(wire.token_age()),
        None => wire.token_age() > 0,
    };
    if expired || revoked {
        return Claim::Bad;
    }
    match claims.get("_id").and_then(Value::as_str) {
        Some(id) if id.len() == 24 && id.bytes().all(|b| b.is_ascii_hexdigit()) => Claim::User(id.to_owned()),
        _ => Claim::Guest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Vendor;

    #[test]
    fn only_a_whole_token_is_good() {
        let wire = Wire::new(Vendor::Pingstreams, None);
        let good = encode(&json!({"_id": "6b02501c82e6e6072633143d", "sub": "user"}));
        assert_eq!(read(&wire, &good), Claim::User("6b02501c82e6e6072633143d".to_owned()));
        assert_eq!(read(&wire, &format!("{good}x")), Claim::Bad);
        assert_eq!(read(&wire, "garbage"), Claim::Bad);
        assert_eq!(read(&wire, &encode(&json!({"_id": "a-uuid", "sub": "guest"}))), Claim::Guest);
        assert_eq!(read(&wire, &encode(&json!({"_id": "6b02501c82e6e6072633143d", "exp": 1}))), Claim::Bad);
        wire.revoke_tokens();
        assert_eq!(read(&wire, &good), Claim::Bad);
    }
}
