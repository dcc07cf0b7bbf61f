//! N12: proxies that refuse, vanish or talk nonsense.

use std::sync::{Arc, Mutex};

use libtest_mimic::Trial;
use model::Vendor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    cases,
    stand::{SECRET, Stand, listen},
    tls::{Authority, Front, write},
};

pub fn trials() -> Vec<Trial> {
    cases![n12_proxies_that_fail_are_named_and_never_told_a_token]
}

async fn n12_proxies_that_fail_are_named_and_never_told_a_token() {
    let stand = Stand::quiet(&Vendor::ALL).await;
    let authority = Authority::new();
    let root = write(&stand, "root.pem", &authority.pem);
    let heard = Arc::new(Mutex::new(String::new()));
    // What the proxy answers to CONNECT, what it is called in the source's id, what the person is told.
    let kinds = [
        ("sign-in", "HTTP/1.1 407 Sign in\r\ncontent-length: 0\r\n\r\n", "asks for a sign-in"),
        // Some say that it is no TLS, some that the proxy did not connect: both is true.
        ("garbage", "HTTP/1.1 200 OK\r\n\r\n\x00\x01 this is no TLS at all, whatever it is", "localhost"),
        ("forbids", "HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n", "The proxy"),
        ("hangs-up", "", "The proxy"),
    ];
    let mut text = String::new();
    for (kind, answer, _) in kinds {
        let heard = heard.clone();
        let proxy = listen(move |mut stream| {
            let heard = heard.clone();
            async move {
                let mut bytes = [0; 4096];
                let n = stream.read(&mut bytes).await.unwrap_or(0);
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..n]));
                if answer.is_empty() {
                    return;
                }
                let _ = stream.write_all(answer.as_bytes()).await;
                let n = stream.read(&mut bytes).await.unwrap_or(0);
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..n]));
            }
        })
        .await;
        for vendor in Vendor::ALL {
            let to = stand.centre.address(vendor).unwrap();
            let front = Front::open(authority.acceptor("localhost", |_| {}), to).await;
            let source = stand.centre.source_toml(vendor, &format!("{kind}-{}", vendor.as_str()));
            text += &front.before(&source, to);
            text += &format!("ca_file = {root:?}\nproxy = \"http://{proxy}\"\n");
        }
    }
    stand.configure(&text);
    let mut watch = stand.watch_in_vain();
    for (kind, _, says) in kinds {
        for vendor in Vendor::ALL {
            watch.refused(&format!("{kind}-{}", vendor.as_str()), says).await;
        }
    }
    watch.end();
    let heard = heard.lock().unwrap().clone();
    assert!(heard.contains("CONNECT localhost:"), "{heard}");
    for word in [SECRET, "Authorization", "GET ", "POST "] {
        assert!(!heard.contains(word), "a proxy was told {word}: {heard}");
    }
}
