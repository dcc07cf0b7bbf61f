//! What is told when a sign-in with a password goes wrong.

use model::Health;

use crate::{
    comm100::{
        Comm100,
        auth::{Identity, PasswordGrant},
        config,
    },
    testing::{Watched, answer, serve_raw, watch},
};

async fn start(script: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Watched {
    let place = serve_raw(script).await;
    let token_url = place.join("oauth/token").unwrap();
    let grant = PasswordGrant::new("ana@example.com".into(), None, token_url, 10_000);
    let identity = Identity::Password(Box::new(grant));
    let config = config::Config { base: place.join("v4").unwrap(), site_id: 10_000, identity };
    let plans = config::plans(None);
    watch(Box::new(Comm100 { config, plans, calls: 10_000, ca_file: None, proxy: None }), "fake-password")
}

#[tokio::test]
async fn a_token_that_is_refused_at_once_is_no_wrong_api_key() {
    let mut seen = start(|path| match path.starts_with("/oauth") {
        true => answer(200, "", br#"{"access_token":"fake-token","expires_in":3600}"#),
        false => answer(401, "", b"{}"),
    })
    .await;
    seen.until("denied", |seen| seen.report.health == Health::Denied).await;
    let error = seen.report.error.clone().unwrap();
    assert!(error.contains("its own token") && !error.contains("API key"), "{error}");
}

#[tokio::test]
async fn s11_a_sign_in_that_is_redirected_says_where_to() {
    for status in [302, 307, 308] {
        let moved = "location: https://elsewhere.example/token\r\n";
        let mut seen = start(move |_| answer(status, moved, b"")).await;
        seen.until("the sentence", |seen| seen.report.error.is_some()).await;
        let error = seen.report.error.clone().unwrap();
        assert!(error.contains("redirects to elsewhere.example, where no credential is sent"), "{error}");
    }
}
