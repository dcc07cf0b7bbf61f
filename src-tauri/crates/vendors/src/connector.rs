//! The contract between a vendor's folder and the runtime.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use link::{Clock, Dialer, Http, NetOptions, Secret, SetupError, Taps, poll::Budgets};
use model::{Batch, Id};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{drift::Notes, paces::Paces, tokens::Tokens};

/// Everything outside that a connector may touch.
pub struct SourceLink {
    /// Id of the configured source; goes into every entity.
    pub source: Id,
    /// Where batches go. Bounded: when the loop is busy the reader waits, and TCP does the rest.
    pub out: mpsc::Sender<Batch>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// The source's secret.
    pub secret: Secret,
    /// Cancelled when the source is taken away or the program ends: leave politely and return.
    pub stop: CancellationToken,
    /// Who listens in on the wire.
    pub taps: Taps,
    /// Where the connector notes what of the vendor's format is not as it should be.
    pub notes: Notes,
    /// Where a polled connector says how often it asks.
    pub paces: Paces,
    /// Seed of this connector's jitter, so that tests repeat.
    pub seed: u64,
    /// How many requests an address or an account may cost, shared by all sources there.
    pub budgets: Budgets,
    /// Tokens of accounts, shared by all sources of an account.
    pub tokens: Tokens,
}

impl SourceLink {
    /// An HTTP client of this source.
    pub fn http(&self, net: &NetOptions) -> Result<Http, SetupError> {
        Http::new(net, self.clock.clone()).map(|http| http.tapped(&self.taps))
    }
    /// What opens WebSockets for this source.
    pub fn dialer(&self, net: &NetOptions) -> Result<Dialer, SetupError> {
        Dialer::new(net).map(|dialer| dialer.tapped(&self.taps, self.clock.clone()))
    }
}

/// One endpoint of a polled vendor as it will be asked; `floorctl check` prints the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Lower-case name, as it stands in `gaps`.
    pub name: &'static str,
    /// How often it is asked, after the vendor's floors were applied.
    pub every: Duration,
}

/// One vendor's way of keeping one source's floor up to date.
///
/// A connector is built from validated settings without touching the network. `run` lives as long as
/// the source: it connects, signs in, reports a complete first state between `Reset` and `Complete`,
/// keeps it fresh, and on any trouble reports [`model::Health`] with a sentence and tries again as the
/// contract's part 6 says. It returns only when `stop` is cancelled or the receiver is gone. Dropping
/// the future at any await point must be safe.
#[async_trait]
pub trait Connector: Send {
    /// What is polled and how often; empty for pure push.
    fn endpoints(&self) -> Vec<Endpoint>;
    /// What a person should know about where this source goes, one phrase each; `floorctl check` prints
    /// it. For addresses that result from more than one key.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }
    /// Runs until stopped.
    async fn run(self: Box<Self>, link: SourceLink);
}
