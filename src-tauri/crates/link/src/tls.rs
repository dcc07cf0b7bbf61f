//! One TLS set-up for HTTP and WebSocket: the system's roots plus the source's own, nothing weaker than
//! TLS 1.2, and no switch that ignores a certificate.

mod pinned;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::Verifier;

use crate::proxy::ProxyChoice;
use pinned::Pinned;

/// How a source reaches the network.
#[derive(Clone, Debug, Default)]
pub struct NetOptions {
    /// Extra trusted root(s), PEM.
    pub ca_file: Option<PathBuf>,
    /// Proxy address; `None`: the system's.
    pub proxy: Option<String>,
}

/// The options cannot work until somebody changes them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SetupError(pub(crate) String);

/// What HTTP and WebSocket share.
pub(crate) struct Transport {
    pub config: ClientConfig,
    pub proxy: ProxyChoice,
}

impl Transport {
    pub fn new(options: &NetOptions, alpn: &[&[u8]]) -> Result<Self, SetupError> {
        let mut config = client_config(options.ca_file.as_deref())?;
        config.alpn_protocols = alpn.iter().map(|p| p.to_vec()).collect();
        Ok(Self { config, proxy: ProxyChoice::new(options.proxy.as_deref())? })
    }
}

fn client_config(ca_file: Option<&Path>) -> Result<ClientConfig, SetupError> {
    let roots = match ca_file {
        Some(path) => read_roots(path)?,
        None => Vec::new(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|_| SetupError("This build has no usable TLS: reinstall the program.".to_owned()))?;
    Ok(match Verifier::new_with_extra_roots(roots.iter().cloned(), provider.clone()) {
        Ok(usual) => {
            let verifier = Pinned { usual, certificates: roots, provider };
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
        }
        // A computer without any root certificate can still talk to itself; everything else is then
        // refused with "unknown issuer", which is the truth.
        Err(_) => builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth(),
    })
}

fn read_roots(path: &Path) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let name = path.display();
    let text = std::fs::read(path).map_err(|error| {
        SetupError(format!(
            "`ca_file` {name} could not be read ({}): check the path and its rights.",
            error.kind()
        ))
    })?;
    let bad =
        || SetupError(format!("`ca_file` {name} holds no certificate in PEM form: give the root as PEM."));
    let mut roots = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        roots.push(certificate.map_err(|_| bad())?);
    }
    let mut probe = RootCertStore::empty();
    if roots.is_empty() || roots.iter().any(|root| probe.add(root.clone()).is_err()) {
        return Err(bad());
    }
    Ok(roots)
}
