//! Why an endpoint gave no data, as far as it decides what is asked next.

use std::time::Duration;

/// Why an endpoint gave no data. Every text is one plain sentence without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No complete answer: the link is dead.
    Link(String),
    /// An answer that is no data: a server's fault, a web page, a body that cannot be read.
    Broken {
        /// What, where, what to do.
        sentence: String,
        /// Whether asking again soon may help (a server's fault) or not (our request is refused as such).
        soon: bool,
    },
    /// The vendor does not let us see this.
    Refused {
        /// What, where, what to do.
        sentence: String,
        /// It is who we are that was refused (401), not what we asked for (403).
        credentials: bool,
    },
    /// Signing in was refused for good: trying again could lock the account.
    SignIn(String),
    /// Signing in was refused, and one more try in five minutes harms nobody.
    SignInLater(String),
    /// The vendor told us to slow down.
    Throttled {
        /// What, where, what to do.
        sentence: String,
        /// When to come back, where the vendor said so.
        after: Option<Duration>,
    },
    /// Cannot work until somebody changes the configuration or the secret.
    Misconfigured(String),
}

impl Trouble {
    /// Whether it is the whole source that cannot go on, whichever endpoint met it.
    pub(super) fn is_of_the_source(&self) -> bool {
        matches!(self, Self::SignIn(_) | Self::SignInLater(_) | Self::Misconfigured(_))
    }
}
