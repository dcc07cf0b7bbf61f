use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use link::{
    Dialer, NetOptions, Phase, Secret, TlsProblem,
    ws::{Frame, Target, WsError},
};
use model::Timestamp;
use tokio::{io::AsyncWriteExt as _, time::Instant};
use tokio_tungstenite::{accept_async, tungstenite::Message};

use crate::support::{Authority, head, listen, proxy};

fn dialer() -> Dialer {
    Dialer::new(&NetOptions::default()).unwrap()
}
fn target(at: std::net::SocketAddr, path: &str) -> Target {
    Target::new(format!("ws://{at}{path}").parse().unwrap())
}
fn phase(error: WsError) -> Phase {
    match error {
        WsError::Net(error) => error.phase,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn text_bytes_and_life_come_through() {
    let at = listen(|s| async move {
        let mut ws = accept_async(s).await.unwrap();
        while let Some(Ok(message)) = ws.next().await {
            match message {
                Message::Text(t) if t.as_str() == "bytes" => {
                    ws.send(Message::Binary(vec![1, 2].into())).await.unwrap()
                }
                Message::Text(t) if t.as_str() == "bye" => ws.close(None).await.unwrap(),
                Message::Text(t) => ws.send(Message::Text(t)).await.unwrap(),
                _ => {}
            }
        }
    })
    .await;
    let mut socket = dialer().connect(&target(at, "/")).await.unwrap();
    socket.send_text("hello").await.unwrap();
    assert_eq!(socket.next().await.unwrap(), Frame::Text("hello".into()));
    socket.send_text("bytes").await.unwrap();
    assert_eq!(socket.next().await.unwrap(), Frame::Binary(vec![1, 2].into()));
    socket.ping().await.unwrap();
    assert_eq!(socket.next().await.unwrap(), Frame::Life);
    let soon = Instant::now() + Duration::from_millis(50);
    assert_eq!(socket.next_before(soon).await.unwrap(), None);
    socket.send_text("bye").await.unwrap();
    assert!(matches!(socket.next().await.unwrap_err(), WsError::Closed { code: 1005, .. }));
}

#[tokio::test]
async fn n4_close_codes_and_a_mere_end_are_told_apart() {
    let at = listen(|s| async move {
        let mut ws = accept_async(s).await.unwrap();
        if let Some(Ok(Message::Text(t))) = ws.next().await
            && let Ok(code) = t.parse::<u16>()
        {
            use tokio_tungstenite::tungstenite::protocol::CloseFrame;
            ws.close(Some(CloseFrame { code: code.into(), reason: "".into() })).await.unwrap();
        }
    })
    .await;
    for (said, code) in [("1000", 1000), ("1001", 1001), ("1012", 1012), ("4001", 4001), ("drop", 1006)] {
        let mut socket = dialer().connect(&target(at, "/")).await.unwrap();
        socket.send_text(said).await.unwrap();
        let error = socket.next().await.unwrap_err();
        assert!(matches!(error, WsError::Closed { code: c, .. } if c == code), "{said}: {error:?}");
    }
}

#[tokio::test]
async fn a_refused_upgrade_tells_status_wait_and_beginning_of_the_body() {
    let at = listen(|mut s| async move {
        head(&mut s).await;
        let body = "rate limit".repeat(200);
        let head =
            format!("HTTP/1.1 429 Too Many\r\nretry-after: 120\r\ncontent-length: {}\r\n\r\n", body.len());
        let _ = s.write_all(format!("{head}{body}").as_bytes()).await;
    })
    .await;
    let outcome = dialer().connect(&target(at, "/?token=fake-token")).await.err().unwrap();
    let said = outcome.to_string();
    let WsError::Refused(refusal) = outcome else { panic!("{outcome:?}") };
    assert_eq!(refusal.status, 429);
    assert_eq!(refusal.retry_after(Timestamp::from_ms(0)), Some(Duration::from_secs(120)));
    assert!(refusal.excerpt.len() <= 512);
    assert!(!said.contains("fake-token") && !said.contains("rate limit"), "{said}");
}

#[tokio::test]
async fn n5_a_handshake_that_never_ends_is_left() {
    let at = listen(|mut s| async move {
        head(&mut s).await;
        std::future::pending::<()>().await;
    })
    .await;
    let limit = Duration::from_millis(200);
    let error = dialer().connect(&target(at, "/").handshake(limit)).await.err().unwrap();
    assert_eq!(phase(error), Phase::Timeout(limit));
}

#[tokio::test]
async fn n14_a_wrong_handshake_is_refused() {
    for extra in ["", "sec-websocket-extensions: permessage-deflate\r\n", "sec-websocket-protocol: other\r\n"]
    {
        let at = listen(move |mut s| async move {
            let asked = head(&mut s).await;
            let key = asked
                .lines()
                .find_map(|l| l.to_ascii_lowercase().starts_with("sec-websocket-key:").then(|| l[18..].trim().to_owned()))
                .unwrap();
            let accept = if extra.is_empty() {
                "wrong".to_owned()
            } else {
                tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes())
            };
            let answer = format!(
                "HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: {accept}\r\n{extra}\r\n"
            );
            let _ = s.write_all(answer.as_bytes()).await;
            std::future::pending::<()>().await;
        })
        .await;
        let error = dialer().connect(&target(at, "/")).await.err().unwrap();
        assert_eq!(phase(error), Phase::Protocol, "{extra:?}");
    }
}

#[tokio::test]
async fn p2_a_message_beyond_the_limit_is_refused() {
    let at = listen(|s| async move {
        let mut ws = accept_async(s).await.unwrap();
        let _ = ws.send(Message::text("x".repeat(1000))).await;
        let _ = ws.send(Message::text("x".repeat(2000))).await;
        let _ = ws.next().await;
    })
    .await;
    let mut socket = dialer().connect(&target(at, "/").message_limit(1500)).await.unwrap();
    assert!(matches!(socket.next().await.unwrap(), Frame::Text(t) if t.len() == 1000));
    assert_eq!(phase(socket.next().await.unwrap_err()), Phase::TooLarge(1500));
}

#[tokio::test]
async fn headers_and_sub_protocol_are_asked_for() {
    let seen = Arc::new(Mutex::new(String::new()));
    let log = seen.clone();
    let at = listen(move |mut s| {
        let log = log.clone();
        async move {
            *log.lock().unwrap() = head(&mut s).await;
            let _ = s.write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n").await;
        }
    })
    .await;
    let target =
        target(at, "/x").protocol("ingest.v1").header("authorization", Secret::new("Bearer fake-token"));
    let error = dialer().connect(&target).await.err().unwrap();
    assert!(matches!(error, WsError::Refused(ref r) if r.status == 401));
    assert!(!format!("{error:?}").contains("fake-token"));
    let asked = seen.lock().unwrap().to_ascii_lowercase();
    assert!(
        asked.contains("authorization: bearer fake-token")
            && asked.contains("sec-websocket-protocol: ingest.v1")
    );
}

#[tokio::test]
async fn tls_and_proxy_are_those_of_http() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("localhost", |_| {});
    let far = listen(move |s| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(s) = acceptor.accept(s).await else { return };
            let mut ws = accept_async(s).await.unwrap();
            let _ = ws.send(Message::text("safe")).await;
            let _ = ws.next().await;
        }
    })
    .await;
    let target = || Target::new(format!("wss://localhost:{}/", far.port()).parse().unwrap());
    assert_eq!(
        phase(dialer().connect(&target()).await.err().unwrap()),
        Phase::Tls(TlsProblem::UnknownIssuer)
    );
    let seen = Arc::new(Mutex::new(Vec::new()));
    let via = proxy("200 OK", seen.clone()).await;
    let options = NetOptions {
        ca_file: Some(authority.root.clone()),
        proxy: Some(format!("http://u%40x:p%3Aw@{via}")),
    };
    let mut socket = Dialer::new(&options).unwrap().connect(&target()).await.unwrap();
    assert_eq!(socket.next().await.unwrap(), Frame::Text("safe".into()));
    assert!(seen.lock().unwrap()[0].contains("Proxy-Authorization: Basic dUB4OnA6dw=="), "{seen:?}");
    let closed = proxy("407 Who", Arc::default()).await;
    let options = NetOptions { ca_file: None, proxy: Some(format!("http://{closed}")) };
    let error = Dialer::new(&options).unwrap().connect(&target()).await.err().unwrap();
    assert_eq!(phase(error), Phase::Proxy { proxy: closed.to_string(), status: Some(407) });
}

#[tokio::test]
async fn plain_text_to_another_computer_is_refused_before_anything_is_sent() {
    let target = Target::new("ws://a.example/?token=fake-token".parse().unwrap());
    let error = dialer().connect(&target).await.err().unwrap();
    assert!(!error.to_string().contains("fake-token"));
    assert_eq!(phase(error), Phase::Address);
}

/// A reverse proxy says `Connection: upgrade, keep-alive`; the head may come in pieces, and the first
/// message right behind it.
#[tokio::test]
async fn n14_what_a_proxy_adds_to_the_connection_header_does_no_harm() {
    for (connection, piece) in [
        ("Connection: upgrade, keep-alive", 1),
        ("connection: Keep-Alive, Upgrade", 7),
        ("Connection: keep-alive\r\nConnection: upgrade", 4096),
    ] {
        let at = listen(move |mut s| async move {
            let asked = head(&mut s).await;
            let key = asked
                .lines()
                .find_map(|l| l.to_ascii_lowercase().starts_with("sec-websocket-key:").then(|| l[18..].trim().to_owned()))
                .unwrap();
            let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes());
            let mut answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n{connection}\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
            )
            .into_bytes();
            answer.extend_from_slice(b"\x82\x03abc");
            for part in answer.chunks(piece) {
                s.write_all(part).await.unwrap();
                tokio::task::yield_now().await;
            }
            std::future::pending::<()>().await;
        })
        .await;
        let mut socket = dialer().connect(&target(at, "/")).await.unwrap();
        assert_eq!(socket.next().await.unwrap(), Frame::Binary(b"abc".to_vec().into()), "{connection}");
    }
}
