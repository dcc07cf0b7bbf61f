//! Tiny servers on loopback that say exactly what a test tells them to.

use std::{future::Future, net::SocketAddr, path::PathBuf, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, rustls};

/// Listens and hands each connection to `serve`, until the test ends.
pub async fn listen<F, Fut>(serve: F) -> SocketAddr
where
    F: Fn(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// Reads a request's head.
pub async fn head<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => bytes.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Answers one request and closes.
pub async fn answer<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, response: &[u8]) -> String {
    let asked = head(stream).await;
    let _ = stream.write_all(response).await;
    let _ = stream.shutdown().await;
    asked
}

/// A response with a body.
pub fn response(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len()).into_bytes()
}

/// An authority made for one test, its root as a file.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub root: PathBuf,
    _folder: tempfile::TempDir,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "Test root");
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.pem");
        std::fs::write(&path, root.pem()).unwrap();
        Self { issuer: Issuer::new(params, key), root: path, _folder: folder }
    }

    /// The same, and its own certificate as a file.
    pub fn acceptor_and_leaf(&self, folder: &std::path::Path, name: &str) -> (TlsAcceptor, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let file = folder.join("leaf.pem");
        std::fs::write(&file, certificate.pem()).unwrap();
        (acceptor_of(&certificate, &key), file)
    }

    /// A server's side with a certificate for `name`; `shape` bends it.
    pub fn acceptor(&self, name: &str, shape: impl FnOnce(&mut CertificateParams)) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        shape(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        acceptor_of(&certificate, &key)
    }
}

/// A server's side with a certificate that vouches for itself, and the file that holds it.
pub fn by_itself(
    folder: &std::path::Path,
    name: &str,
    shape: impl FnOnce(&mut CertificateParams),
) -> (TlsAcceptor, PathBuf) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    shape(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let file = folder.join("own.pem");
    std::fs::write(&file, certificate.pem()).unwrap();
    (acceptor_of(&certificate, &key), file)
}

fn acceptor_of(certificate: &rcgen::Certificate, key: &KeyPair) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// A TLS server that answers everything with one JSON body.
pub async fn tls_server(acceptor: TlsAcceptor) -> SocketAddr {
    listen(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                answer(
                    &mut stream,
                    &response("200 OK", "content-type: application/json\r\n", "{\"ok\":true}"),
                )
                .await;
            }
        }
    })
    .await
}

/// An HTTP proxy that answers CONNECT with `status`, and joins both sides on 200.
pub async fn proxy(status: &'static str, seen: Arc<std::sync::Mutex<Vec<String>>>) -> SocketAddr {
    listen(move |mut stream| {
        let seen = seen.clone();
        async move {
            let asked = head(&mut stream).await;
            seen.lock().unwrap().push(asked.clone());
            let _ = stream.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).await;
            if status.starts_with("200") {
                let target = asked.split(' ').nth(1).unwrap_or_default().replace("localhost", "127.0.0.1");
                if let Ok(mut far) = TcpStream::connect(target).await {
                    let _ = tokio::io::copy_bidirectional(&mut stream, &mut far).await;
                }
            }
        }
    })
    .await
}
