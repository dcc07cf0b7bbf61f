//! A server that shows the very certificate of `ca_file` as its own.
//!
//! Boxes that stand in one's own cellar often have one self-signed certificate, and the tool that makes it
//! marks it as an authority's. The standard path check refuses an authority as a server, and knows no path to
//! a certificate that is trusted as itself. Whoever wrote exactly this certificate into the configuration
//! meant this server: dates, name and the server's proof that it owns the key are checked all the same.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};

/// The usual check, and after it the one against the configured certificates themselves.
#[derive(Debug)]
pub struct Pinned<V> {
    pub usual: V,
    pub certificates: Vec<CertificateDer<'static>>,
    pub provider: Arc<CryptoProvider>,
}

impl<V: ServerCertVerifier> Pinned<V> {
    /// Whether this is one of ours, in its time, for this name.
    fn is_meant(
        &self,
        shown: &CertificateDer<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<bool, Error> {
        let Some(ours) = self.certificates.iter().find(|ours| ours.as_ref() == shown.as_ref()) else {
            return Ok(false);
        };
        let mut root = RootCertStore::empty();
        root.add(ours.clone())?;
        let alone = WebPkiServerVerifier::builder_with_provider(root.into(), self.provider.clone())
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        match alone.verify_server_cert(shown, &[], name, &[], now) {
            Ok(_) => Ok(true),
            // Both are only found out once the dates are right.
            Err(Error::InvalidCertificate(why)) if is_only_the_path(&why) => {
                verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }
}

fn is_only_the_path(why: &CertificateError) -> bool {
    match why {
        CertificateError::UnknownIssuer => true,
        CertificateError::Other(other) => {
            matches!(other.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
        }
        _ => false,
    }
}

impl<V: ServerCertVerifier> ServerCertVerifier for Pinned<V> {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let usual = self.usual.verify_server_cert(shown, intermediates, name, ocsp, now);
        match usual {
            Ok(verified) => Ok(verified),
            Err(refused) => match self.is_meant(shown, name, now) {
                Ok(true) => Ok(ServerCertVerified::assertion()),
                Ok(false) => Err(refused),
                Err(better) => Err(better),
            },
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}
