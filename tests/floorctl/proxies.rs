//! Sources behind a company's proxy, whose certificate is the company's own: the whole program, over TLS
//! through a tunnel, for a polled vendor and for a push one.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use model::Vendor;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::Value;
use simulator::Options;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, rustls};

use crate::support::{Desk, SECRET, row, run};

/// A company's authority and a certificate of it for this computer.
fn authority() -> (String, TlsAcceptor) {
    let root_key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::default();
    root.distinguished_name.push(DnType::CommonName, "Example Corp test root");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_pem = root.self_signed(&root_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &Issuer::new(root, root_key)).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key.into())
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    (root_pem, TlsAcceptor::from(Arc::new(config)))
}

/// TLS in front of a server of the contact centre.
async fn in_front_of(server: SocketAddr, acceptor: TlsAcceptor) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((outer, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut outer) = acceptor.accept(outer).await else { return };
                let mut inner = TcpStream::connect(server).await.unwrap();
                let _ = copy_bidirectional(&mut outer, &mut inner).await;
            });
        }
    });
    address
}

/// A company's proxy: tunnels, and writes down everything it can read.
async fn proxy(status: &'static str) -> (SocketAddr, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen: Arc<Mutex<Vec<u8>>> = Arc::default();
    let all = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let seen = all.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = client.read_u8().await else { return };
                    head.push(byte);
                }
                seen.lock().unwrap().extend_from_slice(&head);
                let text = String::from_utf8_lossy(&head).into_owned();
                let target = text.split(' ').nth(1).unwrap_or_default().to_owned();
                if client.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).await.is_err()
                    || !status.starts_with("200")
                {
                    return;
                }
                let port = target.rsplit(':').next().unwrap_or_default();
                let Ok(server) = TcpStream::connect(format!("127.0.0.1:{port}")).await else { return };
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                let copying = tokio::spawn(async move {
                    let mut buffer = vec![0; 16 * 1024];
                    while let Ok(n @ 1..) = from_client.read(&mut buffer).await {
                        seen.lock().unwrap().extend_from_slice(&buffer[..n]);
                        if to_server.write_all(&buffer[..n]).await.is_err() {
                            return;
                        }
                    }
                });
                let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
                copying.abort();
            });
        }
    });
    (address, seen)
}

/// The configuration with each address replaced by a TLS one.
async fn behind_tls(desk: &Desk, vendors: &[Vendor], acceptor: &TlsAcceptor, more: &str) -> String {
    let mut config = String::new();
    for vendor in vendors {
        let plain = desk.centre.address(*vendor).unwrap();
        let port = in_front_of(plain, acceptor.clone()).await.port();
        let source = desk.centre.source_toml(*vendor, vendor.as_str());
        let source = source
            .replace(&format!("http://{plain}"), &format!("https://localhost:{port}"))
            .replace(&format!("ws://{plain}"), &format!("wss://localhost:{port}"));
        config.push_str(&format!("{source}{more}\n"));
    }
    config
}

async fn snapshot(desk: &Desk, config: &str) -> (i32, Value, String) {
    std::fs::write(desk.config(), config).unwrap();
    let output = run(desk.floorctl(&["snapshot", "--json", "--timeout", "120s"])).await;
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e} {error}"));
    (output.status.code().unwrap(), document, error)
}

#[tokio::test(flavor = "multi_thread")]
async fn n12_every_vendor_through_a_proxy_with_the_companys_own_root() {
    let vendors = [Vendor::Beyondtrust, Vendor::Comm100, Vendor::Giosg, Vendor::Pingstreams];
    let desk = Desk::open(Options { vendors: vendors.to_vec(), ..Options::default() }).await;
    desk.centre.control().pause();
    let (root, acceptor) = authority();
    std::fs::write(desk.folder.path().join("corp-root.pem"), root).unwrap();
    let (proxy, seen) = proxy("200 OK").await;
    let more = format!("ca_file = \"corp-root.pem\"\nproxy = \"http://clerk:fake-proxy-word@{proxy}\"\n");
    let (code, document, error) = snapshot(&desk, &behind_tls(&desk, &vendors, &acceptor, &more).await).await;
    assert_eq!(code, 0, "{:#} {error}", document["sources"]);
    for vendor in vendors {
        assert_eq!(row(&document, "sources", vendor.as_str())["health"], "live");
    }
    let seen = String::from_utf8_lossy(&seen.lock().unwrap()).into_owned();
    assert!(seen.matches("CONNECT localhost:").count() >= vendors.len(), "not everything went by the proxy");
    assert!(seen.contains("Proxy-Authorization: Basic ") || seen.contains("proxy-authorization: Basic "));
    let basic = "Authorization: Basic Y2xlcms6ZmFrZS1wcm94eS13b3Jk";
    let others =
        seen.replace(&format!("Proxy-{basic}"), "").replace(&format!("proxy-{}", basic.to_lowercase()), "");
    for secret in [SECRET, "Bearer ", "token=", "JWT", "grant_type"] {
        assert!(!others.contains(secret), "the proxy read {secret}");
    }
    for text in [error.as_str(), &document.to_string()] {
        assert!(!text.contains("fake-proxy-word") && !text.contains(SECRET), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n12_a_proxy_that_refuses_and_a_root_that_is_missing_are_named() {
    let vendors = [Vendor::Giosg, Vendor::Pingstreams];
    let desk = Desk::open(Options { vendors: vendors.to_vec(), ..Options::default() }).await;
    desk.centre.control().pause();
    let (root, acceptor) = authority();
    std::fs::write(desk.folder.path().join("corp-root.pem"), root).unwrap();
    let (closed, _) = proxy("407 Proxy Authentication Required").await;
    let (open, _) = proxy("200 OK").await;
    let more = format!("ca_file = \"corp-root.pem\"\nproxy = \"http://{closed}\"\n");
    let refused = behind_tls(&desk, &vendors, &acceptor, &more).await;
    let more = format!("proxy = \"http://{open}\"\n");
    let mistrusted = behind_tls(&desk, &vendors, &acceptor, &more).await;
    for (config, words) in [(refused, "proxy"), (mistrusted, "certificate")] {
        std::fs::write(desk.config(), &config).unwrap();
        let mut text = String::new();
        // A machine with much else to do may need the longer time for a first word.
        for patience in ["8s", "60s"] {
            let output = run(desk.floorctl(&["check", "--timeout", patience])).await;
            text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(output.status.code(), Some(3), "{text}");
            if !text.contains("no complete answer yet") {
                break;
            }
        }
        for line in text.lines() {
            assert!(line.contains(words) && !line.contains(SECRET), "{words}: {text}");
        }
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}
