//! What can go wrong between us and a vendor before an answer is there, by phase, each with one plain
//! sentence for a person. No sentence holds a path, a query, a header or a body.

use std::{error::Error as StdError, time::Duration};

/// Why a TLS handshake was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsProblem {
    /// The certificate's time is over.
    Expired,
    /// The certificate's time has not come.
    NotYetValid,
    /// Nobody we trust has signed it.
    UnknownIssuer,
    /// It belongs to another host.
    WrongHost,
    /// Its signature is of a kind no longer trusted (SHA-1).
    WeakSignature,
    /// It was revoked.
    Revoked,
    /// The server speaks no TLS version that is still safe.
    OldVersion,
    /// The server does not speak TLS there at all.
    NotTls,
    /// Anything else.
    Other,
}

/// In which phase it went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The address may not be used: plain text to another computer, or no host.
    Address,
    /// The request cannot be put on the wire, e.g. a secret with a line break in it.
    Request,
    /// The name could not be resolved.
    Dns,
    /// Nobody answers there; `refused` when the host said so itself.
    Connect {
        /// The host is there and refused.
        refused: bool,
    },
    /// The proxy (host given) did not let us through; its status, where it gave one.
    Proxy {
        /// The proxy's host.
        proxy: String,
        /// Its answer.
        status: Option<u16>,
    },
    /// TLS.
    Tls(TlsProblem),
    /// No complete answer within this time.
    Timeout(Duration),
    /// More bytes than this (decompressed).
    TooLarge(usize),
    /// The server points to another origin, where no credential goes; its host.
    Redirect(String),
    /// The server points round in circles.
    RedirectLoop,
    /// The connection broke before the answer was complete.
    Broken,
    /// The other side does not keep to HTTP or WebSocket.
    Protocol,
}

/// A failure before an answer was there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct NetError {
    /// Host (and port) that was asked.
    pub host: String,
    /// Where it went wrong.
    pub phase: Phase,
}

impl NetError {
    pub(crate) fn new(host: impl Into<String>, phase: Phase) -> Self {
        Self { host: host.into(), phase }
    }

    /// Whether no retry can help before somebody changes the configuration or the secret.
    pub fn is_configuration(&self) -> bool {
        matches!(self.phase, Phase::Address | Phase::Request)
    }

    /// One plain sentence: what, where, what to do.
    pub fn sentence(&self) -> String {
        let host = &self.host;
        match &self.phase {
            Phase::Address => {
                format!(
                    "{host} is not on this computer, so plain text is not used: write https:// or wss:// in the address."
                )
            }
            Phase::Request => format!(
                "The request to {host} could not be written: enter the secret again, without line breaks or special characters around it."
            ),
            Phase::Dns => format!("{host} was not found: check the address and this computer's network."),
            Phase::Connect { refused: true } => {
                format!(
                    "{host} refused the connection: check the address and port, or whether the server is up."
                )
            }
            Phase::Connect { refused: false } => {
                format!("{host} could not be reached: check the address, the network and the firewall.")
            }
            Phase::Proxy { proxy, status: Some(407) } => format!(
                "The proxy {proxy} asks for a sign-in before it lets us to {host}: ask IT for a proxy without one, or for its name and password."
            ),
            Phase::Proxy { proxy, status: Some(status) } => {
                format!(
                    "The proxy {proxy} answered {status} instead of connecting to {host}: ask IT to allow that host."
                )
            }
            Phase::Proxy { proxy, status: None } => {
                format!(
                    "The proxy {proxy} did not connect us to {host}: check `proxy`, or ask IT whether it is up."
                )
            }
            Phase::Tls(problem) => tls_sentence(host, problem),
            Phase::Timeout(limit) => format!(
                "{host} did not answer within {} s: the server or the network is slow; it is tried again.",
                limit.as_secs()
            ),
            Phase::TooLarge(limit) => format!(
                "{host} sent more than {} MiB in one message, which is refused: check that the address is the vendor's.",
                limit.div_ceil(1024 * 1024)
            ),
            Phase::Redirect(to) => format!(
                "{host} redirects to {to}, where no credential is sent: put the final address into the source, or sign in to the network first."
            ),
            Phase::RedirectLoop => {
                format!(
                    "{host} redirects round in circles: check the address, or sign in to the network first."
                )
            }
            Phase::Broken => {
                format!("The connection to {host} broke before the answer was complete; it is tried again.")
            }
            Phase::Protocol => {
                format!(
                    "What answers at {host} does not speak the expected protocol: check the address and port."
                )
            }
        }
    }
}

fn tls_sentence(host: &str, problem: &TlsProblem) -> String {
    match problem {
        TlsProblem::Expired => format!(
            "The certificate of {host} has expired: its owner must renew it (check this computer's date, too)."
        ),
        TlsProblem::NotYetValid => {
            format!("The certificate of {host} is not valid yet: check this computer's date and time.")
        }
        TlsProblem::UnknownIssuer => format!(
            "The certificate of {host} comes from an unknown issuer: if your company inspects traffic or runs its own authority, give its root as `ca_file`."
        ),
        TlsProblem::WrongHost => {
            format!(
                "The certificate shown at {host} belongs to a wrong host: check the address of the source."
            )
        }
        TlsProblem::WeakSignature => {
            format!(
                "The certificate of {host} has a signature of a kind that is no longer trusted: its owner must replace it."
            )
        }
        TlsProblem::Revoked => format!("The certificate of {host} was revoked: its owner must replace it."),
        TlsProblem::OldVersion => {
            format!(
                "{host} offers only TLS versions that are no longer safe: it must speak TLS 1.2 or later."
            )
        }
        TlsProblem::NotTls => {
            format!(
                "What answers at {host} does not speak TLS: check the scheme and the port of the address."
            )
        }
        TlsProblem::Other => format!(
            "No trusted TLS connection to {host} came about: ask its owner to check the server's certificate."
        ),
    }
}

/// Finds the TLS reason in an error's chain of causes.
pub(crate) fn tls_problem(error: &(dyn StdError + 'static)) -> Option<TlsProblem> {
    causes(error).find_map(|e| e.downcast_ref::<rustls::Error>().map(classify_tls))
}

/// Whether a cause is an operating-system error of this kind.
pub(crate) fn has_io(error: &(dyn StdError + 'static), kind: std::io::ErrorKind) -> bool {
    causes(error).any(|e| e.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == kind))
}

/// The error and everything below it, looking into wrapped I/O errors as well.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let now = next?;
        // An I/O error's `source` skips the error that it wraps, which is the one that says why.
        next = match now.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref()) {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => now.source(),
        };
        Some(now)
    })
}

pub(crate) fn classify_tls(error: &rustls::Error) -> TlsProblem {
    use rustls::{AlertDescription as Alert, CertificateError as C, Error as E};
    match error {
        E::InvalidCertificate(certificate) => match certificate {
            C::Expired | C::ExpiredContext { .. } => TlsProblem::Expired,
            C::NotValidYet | C::NotValidYetContext { .. } => TlsProblem::NotYetValid,
            // Also an issuer that bears a trusted one's name and is not it: an inspection proxy with a copied
            // authority, or an authority that has new keys.
            C::UnknownIssuer | C::BadSignature => TlsProblem::UnknownIssuer,
            C::NotValidForName | C::NotValidForNameContext { .. } => TlsProblem::WrongHost,
            C::Revoked => TlsProblem::Revoked,
            C::UnsupportedSignatureAlgorithmContext { .. }
            | C::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => TlsProblem::WeakSignature,
            // A self-signed authority shown as a server's own certificate: unknown to us all the same.
            C::Other(_) => TlsProblem::UnknownIssuer,
            _ => TlsProblem::Other,
        },
        E::PeerIncompatible(rustls::PeerIncompatible::NoSignatureSchemesInCommon) => {
            TlsProblem::WeakSignature
        }
        E::PeerIncompatible(_)
        | E::AlertReceived(Alert::ProtocolVersion | Alert::HandshakeFailure | Alert::InsufficientSecurity) => {
            TlsProblem::OldVersion
        }
        E::InvalidMessage(_) => TlsProblem::NotTls,
        _ => TlsProblem::Other,
    }
}
