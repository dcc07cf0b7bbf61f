//! N8 to N10: certificates and TLS versions that must be refused before anything is said.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use libtest_mimic::Trial;
use model::Vendor;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, split},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::{TlsAcceptor, rustls};

use crate::{
    cases,
    stand::{PATIENCE, SECRET, Stand},
};

pub fn trials() -> Vec<Trial> {
    cases![
        n8_every_bad_certificate_is_refused_for_every_vendor_and_nothing_is_said,
        n8_a_certificate_signed_with_sha1_is_refused,
        n9_a_certificate_that_changes_in_mid_life_is_refused_until_it_is_right_again,
        n10_a_server_of_tls_1_0_or_1_1_is_refused,
    ]
}

/// An authority made for one case.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "Root of a test");
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }
    /// A server's side with a certificate for `name`; `shape` bends it.
    pub fn acceptor(&self, name: &str, shape: impl FnOnce(&mut CertificateParams)) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        shape(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        acceptor(certificate.der().clone(), &key)
    }
}

fn acceptor(certificate: rustls::pki_types::CertificateDer<'static>, key: &KeyPair) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate],
            rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// TLS in front of a server that speaks none. Counts what it hears once TLS stands.
pub struct Front {
    pub address: SocketAddr,
    acceptor: Arc<Mutex<TlsAcceptor>>,
    pub heard: Arc<AtomicU64>,
    cut: watch::Sender<u64>,
}

impl Front {
    pub async fn open(acceptor: TlsAcceptor, to: SocketAddr) -> Self {
        Self::open_at("127.0.0.1:0", acceptor, to).await
    }
    pub async fn open_at(at: &str, acceptor: TlsAcceptor, to: SocketAddr) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = Arc::new(Mutex::new(acceptor));
        let heard = Arc::new(AtomicU64::new(0));
        let cut = watch::Sender::new(0);
        let (choose, count, cuts) = (acceptor.clone(), heard.clone(), cut.subscribe());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (count, mut cuts) = (count.clone(), cuts.clone());
                // In this order: one that still gets the old certificate is cut with it.
                cuts.mark_unchanged();
                let acceptor = choose.lock().unwrap().clone();
                tokio::spawn(async move {
                    tokio::select! {
                        _ = cuts.changed() => {}
                        () = pass(acceptor, stream, to, &count) => {}
                    }
                });
            }
        });
        Self { address, acceptor, heard, cut }
    }
    pub fn show(&self, acceptor: TlsAcceptor) {
        *self.acceptor.lock().unwrap() = acceptor;
        self.cut.send_modify(|n| *n += 1);
    }
    /// A source's lines with this front for the server, by name.
    pub fn before(&self, source: &str, to: SocketAddr) -> String {
        self.named("localhost", source, to)
    }
    pub fn named(&self, host: &str, source: &str, to: SocketAddr) -> String {
        let place = format!("{host}:{}", self.address.port());
        source
            .replace(&format!("http://{to}"), &format!("https://{place}"))
            .replace(&format!("ws://{to}"), &format!("wss://{place}"))
    }
}

async fn pass(acceptor: TlsAcceptor, stream: TcpStream, to: SocketAddr, heard: &AtomicU64) {
    let Ok(mut client) = acceptor.accept(stream).await else { return };
    let Ok(mut server) = TcpStream::connect(to).await else { return };
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (split(&mut client), server.split());
    let up = async {
        let mut bytes = [0; 4096];
        while let Ok(n @ 1..) = from_client.read(&mut bytes).await {
            heard.fetch_add(n as u64, SeqCst);
            if to_server.write_all(&bytes[..n]).await.is_err() {
                return;
            }
        }
    };
    let down = async {
        let mut bytes = [0; 4096];
        while let Ok(n @ 1..) = from_server.read(&mut bytes).await {
            if to_client.write_all(&bytes[..n]).await.is_err() || to_client.flush().await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
    }
}

pub fn write(stand: &Stand, name: &str, text: &str) -> PathBuf {
    let path = stand.folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

const A_DAY: Duration = Duration::from_secs(24 * 3600);

async fn n8_every_bad_certificate_is_refused_for_every_vendor_and_nothing_is_said() {
    let stand = Stand::quiet(&Vendor::ALL).await;
    let (known, unknown) = (Authority::new(), Authority::new());
    let root = write(&stand, "root.pem", &known.pem);
    let now = std::time::SystemTime::now();
    let own = {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key);
        acceptor(certificate.unwrap().der().clone(), &key)
    };
    let kinds: Vec<(&str, &str, TlsAcceptor)> = vec![
        ("expired", "has expired", known.acceptor("localhost", |p| p.not_after = (now - A_DAY).into())),
        ("early", "not valid yet", known.acceptor("localhost", |p| p.not_before = (now + A_DAY).into())),
        ("own", "unknown issuer", own),
        ("host", "wrong host", known.acceptor("other.example", |_| {})),
        ("unknown", "unknown issuer", unknown.acceptor("localhost", |_| {})),
    ];
    let (mut text, mut fronts) = (String::new(), Vec::new());
    for (kind, says, acceptor) in kinds {
        let front = Front::open(acceptor, stand.centre.address(Vendor::Giosg).unwrap()).await;
        for vendor in Vendor::ALL {
            let id = format!("{kind}-{}", vendor.as_str());
            let source = stand.centre.source_toml(vendor, &id);
            let source = front.before(&source, stand.centre.address(vendor).unwrap());
            text += &format!("{source}ca_file = {root:?}\n");
        }
        fronts.push((kind, says, front));
    }
    stand.configure(&text);
    let mut watch = stand.watch_in_vain();
    for (kind, says, front) in &fronts {
        for vendor in Vendor::ALL {
            let error = watch.refused(&format!("{kind}-{}", vendor.as_str()), says).await;
            assert!(error.contains(&format!("localhost:{}", front.address.port())), "{error}");
        }
        assert_eq!(front.heard.load(SeqCst), 0, "{kind}: something was said to a server that is not trusted");
    }
    watch.end();
}

/// Those that notice within a few seconds; Comm100 is asked too rarely, by the same HTTP client.
const SWIFT: [Vendor; 4] = [Vendor::Beyondtrust, Vendor::Pingstreams, Vendor::Giosg, Vendor::Liveperson];

async fn n9_a_certificate_that_changes_in_mid_life_is_refused_until_it_is_right_again() {
    let stand = Stand::quiet(&SWIFT).await;
    let (known, inspection) = (Authority::new(), Authority::new());
    let root = write(&stand, "root.pem", &known.pem);
    let (mut text, mut fronts) = (String::new(), Vec::new());
    for vendor in SWIFT {
        let to = stand.centre.address(vendor).unwrap();
        let front = Front::open(known.acceptor("localhost", |_| {}), to).await;
        let source = front.before(&stand.centre.source_toml(vendor, vendor.as_str()), to);
        text += &format!("{source}ca_file = {root:?}\npoll = \"2s\"\n");
        fronts.push(front);
    }
    stand.configure(&text);
    let mut watch = stand.watch();
    for vendor in SWIFT {
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    let other = inspection.acceptor("localhost", |_| {});
    fronts.iter().for_each(|front| front.show(other.clone()));
    let right = known.acceptor("localhost", |_| {});
    for (vendor, front) in SWIFT.iter().zip(&fronts) {
        let heard = front.heard.load(SeqCst);
        watch
            .until(PATIENCE, "the reason", |w| {
                let source = w.source(vendor.as_str());
                source["health"] != "live"
                    && source["last_error"].as_str().is_some_and(|e| e.contains("unknown issuer"))
            })
            .await;
        let error = watch.source(vendor.as_str())["last_error"].as_str().unwrap().to_owned();
        assert!(error.contains("ca_file"), "{error}");
        // What was under way when the certificate changed may still have been heard; nothing since.
        let later = front.heard.load(SeqCst);
        assert!(later.saturating_sub(heard) < 4096, "{vendor:?}: {heard} then {later}");
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(front.heard.load(SeqCst), later, "{vendor:?} went on talking");
        front.show(right.clone());
    }
    for vendor in SWIFT {
        stand.arrivals(vendor, 1);
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    watch.nothing_ended();
    watch.end();
}

/// `openssl`, when it is there.
fn openssl(folder: &Path, words: &[&str]) -> Option<Command> {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args(words).stdin(Stdio::null()).stderr(Stdio::null()).stdout(Stdio::null());
    // Its own configuration, lest the system's forbid what is old.
    command.env("OPENSSL_CONF", "/dev/null");
    Some(command)
}

fn done(folder: &Path, words: &[&str]) -> bool {
    openssl(folder, words).is_some_and(|mut c| c.status().is_ok_and(|s| s.success()))
}

/// A server of `openssl` that prints what it is told; ends with this value.
struct Server {
    child: Child,
    port: u16,
    printed: Arc<Mutex<String>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(folder: &Path, words: &[&str]) -> Option<Server> {
    use std::io::BufRead;
    let mut all = vec!["s_server", "-accept", "127.0.0.1:0", "-cert", "leaf.pem", "-key", "leaf.key"];
    all.extend_from_slice(words);
    // It ends when its input does.
    let mut child = openssl(folder, &all)?.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let mut out = std::io::BufReader::new(child.stdout.take()?);
    let mut line = String::new();
    let port = loop {
        line.clear();
        if out.read_line(&mut line).ok()? == 0 {
            let _ = child.wait();
            return None;
        }
        if let Some(place) = line.strip_prefix("ACCEPT ") {
            break place.trim().rsplit(':').next()?.parse().ok()?;
        }
    };
    let printed = Arc::new(Mutex::new(String::new()));
    let into = printed.clone();
    std::thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            into.lock().unwrap().push_str(&line);
        }
    });
    Some(Server { child, port, printed })
}

/// A root and a leaf for localhost, signed with this digest.
fn certificates(folder: &Path, digest: &str) -> bool {
    std::fs::write(folder.join("san"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n").unwrap();
    std::fs::write(
        folder.join("req.cnf"),
        "[req]\ndistinguished_name=dn\nx509_extensions=ca\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\n",
    )
    .unwrap();
    let root =
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "2", "-config", "req.cnf"];
    let leaf = ["req", "-newkey", "rsa:2048", "-nodes", "-config", "req.cnf", "-subj", "/CN=localhost"];
    let signed =
        ["x509", "-req", "-in", "leaf.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial"];
    done(
        folder,
        &[&root[..], &["-subj", "/CN=Root of a test", "-keyout", "root.key", "-out", "root.pem"]].concat(),
    ) && done(folder, &[&leaf[..], &["-keyout", "leaf.key", "-out", "leaf.csr"]].concat())
        && done(
            folder,
            &[&signed[..], &["-days", "2", digest, "-extfile", "san", "-out", "leaf.pem"]].concat(),
        )
}

/// All vendors against one such server: not live, the reason and the host said, nothing else told.
async fn refused(stand: &Stand, server: &Server, says: &str) {
    let mut text = String::new();
    for vendor in Vendor::ALL {
        let (to, place) = (stand.centre.address(vendor).unwrap(), format!("localhost:{}", server.port));
        text += &stand
            .centre
            .source_toml(vendor, vendor.as_str())
            .replace(&format!("http://{to}"), &format!("https://{place}"))
            .replace(&format!("ws://{to}"), &format!("wss://{place}"));
        text += "ca_file = \"root.pem\"\n";
    }
    stand.configure(&text);
    let mut watch = stand.watch_in_vain();
    for vendor in Vendor::ALL {
        let error = watch.refused(vendor.as_str(), says).await;
        assert!(error.contains(&format!("localhost:{}", server.port)), "{error}");
    }
    watch.end();
    let printed = server.printed.lock().unwrap().clone();
    for word in [SECRET, "GET ", "POST ", "Authorization"] {
        assert!(!printed.contains(word), "{word} was told to a server that is not trusted");
    }
}

async fn n8_a_certificate_signed_with_sha1_is_refused() {
    let stand = Stand::quiet(&Vendor::ALL).await;
    let folder = stand.folder.path();
    let server =
        certificates(folder, "-sha1").then(|| serve(folder, &["-cipher", "DEFAULT@SECLEVEL=0"])).flatten();
    let Some(server) = server else {
        println!("skipped: n8 SHA-1: no openssl here that signs with SHA-1");
        return;
    };
    refused(&stand, &server, "no longer trusted").await;
}

async fn n10_a_server_of_tls_1_0_or_1_1_is_refused() {
    for version in ["-tls1", "-tls1_1"] {
        let stand = Stand::quiet(&Vendor::ALL).await;
        let folder = stand.folder.path();
        let old = [version, "-cipher", "DEFAULT@SECLEVEL=0"];
        let server = certificates(folder, "-sha256").then(|| serve(folder, &old)).flatten();
        // Whether it truly speaks it, an old client tells.
        let speaks = server.as_ref().is_some_and(|server| {
            let place = format!("127.0.0.1:{}", server.port);
            done(folder, &[&["s_client", "-connect", &place][..], &old].concat())
        });
        let (Some(server), true) = (server, speaks) else {
            println!("skipped: n10 {version}: no openssl here that still speaks it");
            continue;
        };
        refused(&stand, &server, "no longer safe").await;
    }
}
