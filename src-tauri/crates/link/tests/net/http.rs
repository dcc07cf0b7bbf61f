use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use link::{Auth, Http, NetOptions, Phase, Request, Secret, SystemClock, TlsProblem};
use tokio::io::AsyncWriteExt as _;
use url::Url;

use crate::support::{Authority, answer, by_itself, head, listen, proxy, response, tls_server};

fn client(options: &NetOptions) -> Http {
    Http::new(options, Arc::new(SystemClock)).unwrap()
}
fn plain() -> Http {
    client(&NetOptions::default())
}
fn url(address: std::net::SocketAddr, path: &str) -> Url {
    format!("http://{address}{path}").parse().unwrap()
}

#[tokio::test]
async fn an_answer_is_whole_with_its_headers() {
    let seen = Arc::new(Mutex::new(String::new()));
    let log = seen.clone();
    let at = listen(move |mut s| {
        let log = log.clone();
        async move {
            let headers = "retry-after: 7\r\ndate: Sat, 31 Jan 2026 09:30:00 GMT\r\nset-cookie: a=b\r\n";
            *log.lock().unwrap() = answer(&mut s, &response("429 Slow", headers, "{\"a\":1}")).await;
        }
    })
    .await;
    let token = Secret::new("fake-token");
    let request =
        Request::get(url(at, "/x?q=1")).auth(Auth::Token { scheme: "JWT", token }).header("x-a", "b");
    let got = plain().send(request).await.unwrap();
    assert_eq!((got.status, got.text().as_ref()), (429, "{\"a\":1}"));
    assert_eq!(got.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(got.date().unwrap().to_string(), "2026-01-31T09:30:00.000Z");
    assert!(got.received_at >= got.sent_at);
    let asked = seen.lock().unwrap().clone();
    assert!(asked.contains("authorization: JWT fake-token") && asked.contains("x-a: b"), "{asked}");
    assert!(!format!("{got:?}").contains("a=b"));
}

/// Whichever way the server's clock is wrong, and however far.
#[tokio::test]
async fn l2_a_date_to_wait_for_is_of_the_servers_clock() {
    for date in ["Sat, 31 Jan 2026 09:30:00 GMT", "Sun, 31 Jan 2094 09:30:00 GMT"] {
        let at = listen(move |mut s| async move {
            let until = date.replace(":00 GMT", ":18 GMT");
            let headers = format!("date: {date}\r\nretry-after: {until}\r\n");
            answer(&mut s, &response("429 Slow", &headers, "{}")).await;
        })
        .await;
        let got = plain().send(Request::get(url(at, "/"))).await.unwrap();
        assert_eq!(got.retry_after(), Some(Duration::from_secs(18)), "{date}");
    }
}

#[tokio::test]
async fn forms_and_basic_are_written_as_they_should() {
    let seen = Arc::new(Mutex::new(String::new()));
    let log = seen.clone();
    let at = listen(move |mut s| {
        let log = log.clone();
        async move {
            let mut asked = head(&mut s).await;
            let mut body = [0; 31];
            use tokio::io::AsyncReadExt as _;
            s.read_exact(&mut body).await.unwrap();
            asked.push_str(&String::from_utf8_lossy(&body));
            *log.lock().unwrap() = asked;
            s.write_all(&response("200 OK", "", "{}")).await.unwrap();
        }
    })
    .await;
    let auth = Auth::Basic { user: "me@example.com".into(), password: Secret::new("fake-key") };
    plain()
        .send(Request::post(url(at, "/")).auth(auth).form(&[("a", "1 2"), ("password", "fake/secret&")]))
        .await
        .unwrap();
    let asked = seen.lock().unwrap().clone();
    assert!(asked.contains("Basic bWVAZXhhbXBsZS5jb206ZmFrZS1rZXk="), "{asked}");
    assert!(asked.ends_with("a=1+2&password=fake%2Fsecret%26"), "{asked}");
}

#[tokio::test]
async fn redirects_stay_at_home_and_end() {
    // 302 to another origin: nothing is sent there.
    let visits = Arc::new(Mutex::new(0));
    let count = visits.clone();
    let other = listen(move |mut s| {
        *count.lock().unwrap() += 1;
        async move {
            answer(&mut s, &response("200 OK", "", "{}")).await;
        }
    })
    .await;
    let away = listen(move |mut s| async move {
        answer(
            &mut s,
            &response("302 Found", &format!("location: http://{other}/portal?x=fake-secret\r\n"), ""),
        )
        .await;
    })
    .await;
    let token = || Auth::Token { scheme: "Bearer", token: Secret::new("fake-token") };
    let error = plain().send(Request::get(url(away, "/")).auth(token())).await.unwrap_err();
    assert_eq!(error.phase, Phase::Redirect(other.to_string()));
    assert!(!error.sentence().contains("fake-secret"));
    assert_eq!(*visits.lock().unwrap(), 0);

    // Within the origin: followed, with the credential, three times.
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let home = listen(move |mut s| {
        let log = log.clone();
        async move {
            let asked = head(&mut s).await;
            let answer = if asked.starts_with("GET /end") {
                response("200 OK", "", "{}")
            } else if asked.starts_with("GET /loop") {
                response("301 Moved", "location: /loop\r\n", "")
            } else {
                response("307 Moved", "location: /end\r\n", "")
            };
            log.lock().unwrap().push(asked);
            s.write_all(&answer).await.unwrap();
        }
    })
    .await;
    let got = plain().send(Request::get(url(home, "/start")).auth(token())).await.unwrap();
    assert_eq!((got.status, got.url.path()), (200, "/end"));
    assert!(seen.lock().unwrap().iter().all(|a| a.contains("Bearer fake-token")));
    let error = plain().send(Request::get(url(home, "/loop"))).await.unwrap_err();
    assert_eq!(error.phase, Phase::RedirectLoop);
    // What changes something is never repeated elsewhere.
    let got = plain().send(Request::post(url(home, "/loop")).json("{}")).await.unwrap();
    assert_eq!(got.status, 307);
}

#[tokio::test]
async fn p2_p3_bodies_end_at_the_limit_also_when_unpacked() {
    use std::io::Write as _;
    let at = listen(|mut s| async move {
        let asked = head(&mut s).await;
        if asked.starts_with("GET /declared") {
            let _ = s.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n").await;
        } else if asked.starts_with("GET /zip") {
            let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            zip.write_all(&vec![b'a'; 4 << 20]).unwrap();
            let bomb = zip.finish().unwrap();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
                bomb.len()
            );
            let _ = s.write_all(head.as_bytes()).await;
            let _ = s.write_all(&bomb).await;
        } else {
            let _ = s.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            while s.write_all(&[b'x'; 4096]).await.is_ok() {}
        }
    })
    .await;
    for path in ["/declared", "/zip", "/endless"] {
        let error = plain().send(Request::get(url(at, path)).body_limit(1 << 20)).await.unwrap_err();
        assert_eq!(error.phase, Phase::TooLarge(1 << 20), "{path}");
    }
}

#[tokio::test]
async fn n5_n18_silence_and_trickle_end_at_the_deadline() {
    let at = listen(|mut s| async move {
        let asked = head(&mut s).await;
        if asked.starts_with("GET /trickle") {
            let _ = s.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n").await;
            loop {
                tokio::time::sleep(Duration::from_millis(50)).await;
                if s.write_all(b"x").await.is_err() {
                    return;
                }
            }
        }
        std::future::pending::<()>().await;
    })
    .await;
    let limit = Duration::from_millis(300);
    for path in ["/silence", "/trickle"] {
        let error = plain().send(Request::get(url(at, path)).deadline(limit)).await.unwrap_err();
        assert_eq!(error.phase, Phase::Timeout(limit), "{path}");
    }
}

#[tokio::test]
async fn n3_a_broken_answer_is_no_answer() {
    let at = listen(|mut s| async move {
        head(&mut s).await;
        let _ = s.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"half\":").await;
    })
    .await;
    assert_eq!(plain().send(Request::get(url(at, "/"))).await.unwrap_err().phase, Phase::Broken);
}

#[tokio::test]
async fn who_is_not_there_is_told_apart() {
    let gone = listen(|_| async {}).await;
    // Taken, so that no other test gets it, and nobody listens.
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind((std::net::Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let free = taken.local_addr().unwrap();
    let refused = plain().send(Request::get(url(free, "/"))).await.unwrap_err();
    assert_eq!(refused.phase, Phase::Connect { refused: true });
    assert!(refused.sentence().contains(&free.to_string()));
    let broken = plain().send(Request::get(url(gone, "/"))).await.unwrap_err();
    assert_eq!(broken.phase, Phase::Broken);
    let proxies = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    if proxies.iter().any(|name| std::env::var_os(name).is_some()) {
        println!("skipped: a name that does not resolve: here a proxy is asked for it");
    } else {
        let nowhere = Request::get("https://no-such-host.invalid/".parse().unwrap());
        let nowhere = plain().send(nowhere).await.unwrap_err();
        assert_eq!(nowhere.phase, Phase::Dns, "{nowhere:?}");
    }
    let open = plain().send(Request::get("http://a.example/".parse().unwrap())).await.unwrap_err();
    assert_eq!(open.phase, Phase::Address);
    let bad = Auth::Token { scheme: "Bearer", token: Secret::new("fake\r\nInjected: yes") };
    let bad = plain().send(Request::get(url(gone, "/")).auth(bad)).await.unwrap_err();
    assert_eq!(bad.phase, Phase::Request);
    assert!(bad.is_configuration() && !bad.sentence().contains("Injected"));
}

#[tokio::test]
async fn n8_every_bad_certificate_says_why() {
    let authority = Authority::new();
    let trusting = client(&NetOptions { ca_file: Some(authority.root.clone()), proxy: None });
    let ask = |http: Http, at: std::net::SocketAddr| async move {
        let url = format!("https://localhost:{}/", at.port()).parse().unwrap();
        http.send(Request::get(url)).await.map_err(|e| e.phase)
    };
    let good = tls_server(authority.acceptor("localhost", |_| {})).await;
    assert_eq!(ask(trusting.clone(), good).await.unwrap().status, 200);
    assert_eq!(ask(plain(), good).await.unwrap_err(), Phase::Tls(TlsProblem::UnknownIssuer));
    let year = |y| rcgen::date_time_ymd(y, 1, 1);
    let expired = tls_server(authority.acceptor("localhost", |p| p.not_after = year(2020))).await;
    assert_eq!(ask(trusting.clone(), expired).await.unwrap_err(), Phase::Tls(TlsProblem::Expired));
    let early = tls_server(authority.acceptor("localhost", |p| p.not_before = year(2200))).await;
    assert_eq!(ask(trusting.clone(), early).await.unwrap_err(), Phase::Tls(TlsProblem::NotYetValid));
    let other = tls_server(authority.acceptor("other.example", |_| {})).await;
    assert_eq!(ask(trusting.clone(), other).await.unwrap_err(), Phase::Tls(TlsProblem::WrongHost));
    let none = listen(|mut s| async move {
        let _ = s.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    assert_eq!(ask(trusting, none).await.unwrap_err(), Phase::Tls(TlsProblem::NotTls));
}

#[tokio::test]
async fn n8_a_certificate_that_is_configured_itself_is_trusted_in_its_time_for_its_name() {
    use rcgen::{BasicConstraints, CertificateParams, IsCa};
    let folder = tempfile::tempdir().unwrap();
    let ask = |ca_file: std::path::PathBuf, at: std::net::SocketAddr| async move {
        let http = client(&NetOptions { ca_file: Some(ca_file), proxy: None });
        let url = format!("https://localhost:{}/", at.port()).parse().unwrap();
        http.send(Request::get(url)).await.map(|answer| answer.status).map_err(|e| e.phase)
    };
    // As the usual tool makes it: marked as an authority.
    let authority = |p: &mut CertificateParams| p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let (side, file) = by_itself(folder.path(), "localhost", authority);
    let (at, key) = (tls_server(side).await, std::fs::read(&file).unwrap());
    assert_eq!(ask(file.clone(), at).await, Ok(200));
    let (side, file) = by_itself(folder.path(), "localhost", |_| {});
    assert_eq!(ask(file.clone(), tls_server(side).await).await, Ok(200));
    // A server's own certificate, from an authority that is not known.
    let ours = Authority::new();
    let (side, leaf) = ours.acceptor_and_leaf(folder.path(), "localhost");
    assert_eq!(ask(leaf, tls_server(side).await).await, Ok(200));
    // Time and name count all the same, and so does which certificate it is.
    let late = |p: &mut CertificateParams| {
        authority(p);
        p.not_after = rcgen::date_time_ymd(2020, 1, 1);
    };
    let (side, file) = by_itself(folder.path(), "localhost", late);
    assert_eq!(ask(file, tls_server(side).await).await, Err(Phase::Tls(TlsProblem::Expired)));
    let (side, file) = by_itself(folder.path(), "other.example", authority);
    assert_eq!(ask(file, tls_server(side).await).await, Err(Phase::Tls(TlsProblem::WrongHost)));
    let another = folder.path().join("another.pem");
    std::fs::write(&another, key).unwrap();
    let (side, _) = by_itself(folder.path(), "localhost", authority);
    assert!(ask(another, tls_server(side).await).await.is_err());
}

#[tokio::test]
async fn n10_a_server_of_old_tls_only_is_refused() {
    // What such a server says to a client that starts at TLS 1.2: alert "protocol version".
    let old = listen(|mut s| async move {
        use tokio::io::AsyncReadExt as _;
        let _ = s.read(&mut [0; 4096]).await;
        let _ = s.write_all(&[0x15, 3, 1, 0, 2, 2, 70]).await;
    })
    .await;
    let error = plain().send(Request::get(format!("https://{old}/").parse().unwrap())).await.unwrap_err();
    assert_eq!(error.phase, Phase::Tls(TlsProblem::OldVersion));
    assert!(error.sentence().contains("TLS 1.2"));
}

#[tokio::test]
async fn n12_the_proxy_is_named_and_never_gets_the_token() {
    let authority = Authority::new();
    let far = tls_server(authority.acceptor("localhost", |_| {})).await;
    for (status, expected) in
        [("200 OK", None), ("407 Proxy Authentication Required", Some(Some(407))), ("503 No", Some(None))]
    {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let at = proxy(status, seen.clone()).await;
        let options = NetOptions {
            ca_file: Some(authority.root.clone()),
            proxy: Some(format!("http://u:fake-password@{at}")),
        };
        let target = format!("https://localhost:{}/", far.port()).parse().unwrap();
        let auth = Auth::Token { scheme: "Bearer", token: Secret::new("fake-token") };
        let outcome = client(&options).send(Request::get(target).auth(auth)).await;
        match expected {
            None => assert_eq!(outcome.unwrap().status, 200),
            Some(status) => {
                let error = outcome.unwrap_err();
                assert_eq!(error.phase, Phase::Proxy { proxy: at.to_string(), status });
                assert!(!error.sentence().contains("fake-password"));
            }
        }
        let seen = seen.lock().unwrap();
        assert!(
            !seen.is_empty() && seen.iter().all(|s| s.starts_with("CONNECT ") && !s.contains("fake-token"))
        );
    }
}

#[tokio::test]
async fn n12_a_proxy_that_asks_for_a_sign_in_says_so_for_plain_text_too() {
    let at = proxy("407 Proxy Authentication Required", Arc::default()).await;
    let options = NetOptions { ca_file: None, proxy: Some(format!("http://{at}")) };
    let error =
        client(&options).send(Request::get("http://127.0.0.1:9/".parse().unwrap())).await.unwrap_err();
    assert_eq!(error.phase, Phase::Proxy { proxy: at.to_string(), status: Some(407) });
}

#[test]
fn a_bad_ca_file_is_said_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root.pem");
    for content in [
        None,
        Some(""),
        Some("no pem"),
        Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    ] {
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let options = NetOptions { ca_file: Some(path.clone()), proxy: None };
        let error = Http::new(&options, Arc::new(SystemClock)).err().unwrap().to_string();
        assert!(error.contains("`ca_file`") && error.contains("root.pem"), "{error}");
    }
}
