//! For the tests of polled connectors: runs one against a server on loopback and keeps what it says.

use std::{sync::Arc, time::Duration};

use link::{Secret, SystemClock, poll::Rows};
use model::{Batch, Change, Health, HealthReport, Kind};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{Connector, SourceLink};

/// A floor as somebody sees it who only reads batches.
pub struct Watched {
    /// Rows as reported.
    pub rows: Rows,
    /// The last word about the link.
    pub report: HealthReport,
    /// Every health in the order of its coming, none twice in a row.
    pub healths: Vec<Health>,
    /// Rows that were reported, counted.
    pub row_changes: usize,
    /// Whether a first state is complete.
    pub complete: bool,
    batches: mpsc::Receiver<Batch>,
    stop: CancellationToken,
}

/// Starts a connector under the source id `test`.
pub fn watch(connector: Box<dyn Connector>, secret: &str) -> Watched {
    let (out, batches) = mpsc::channel(16);
    let stop = CancellationToken::new();
    let link = SourceLink {
        source: "test".into(),
        out,
        clock: Arc::new(SystemClock),
        secret: Secret::new(secret),
        stop: stop.clone(),
        taps: Default::default(),
        notes: Default::default(),
        seed: 1,
        budgets: Default::default(),
    };
    tokio::spawn(connector.run(link));
    let report = HealthReport::of(Health::Connecting);
    Watched {
        rows: Rows::default(),
        report,
        healths: Vec::new(),
        row_changes: 0,
        complete: false,
        batches,
        stop,
    }
}

impl Watched {
    /// Reads on until this holds; fails after 45 s.
    pub async fn until(&mut self, what: &str, holds: impl Fn(&Watched) -> bool) {
        let reading = async {
            while !holds(self) {
                let batch = self.batches.recv().await.expect("the connector goes on");
                self.apply(batch);
            }
        };
        if tokio::time::timeout(Duration::from_secs(45), reading).await.is_err() {
            panic!("never saw: {what}; last: {:?}, saw {:?}", self.report, self.healths);
        }
    }

    /// Reads on until it is live.
    pub async fn live(&mut self) {
        self.until("live", |seen| seen.report.health == Health::Live && seen.complete).await;
    }

    /// Reads whatever comes for a while.
    pub async fn for_a_while(&mut self, time: Duration) {
        let end = tokio::time::Instant::now() + time;
        while let Ok(Some(batch)) = tokio::time::timeout_at(end, self.batches.recv()).await {
            self.apply(batch);
        }
    }

    fn apply(&mut self, batch: Batch) {
        assert_eq!(&*batch.source, "test");
        for change in batch.changes {
            self.row_changes += usize::from(!matches!(change, Change::Health(_)));
            match change {
                Change::Queue(row) => drop(self.rows.queues.insert(row.id.clone(), row)),
                Change::Agent(row) => drop(self.rows.agents.insert(row.id.clone(), row)),
                Change::Conversation(row) => drop(self.rows.conversations.insert(row.id.clone(), row)),
                Change::Totals(row) => self.rows.totals = Some(row),
                Change::Remove(Kind::Queue, id) => assert!(self.rows.queues.remove(&id).is_some()),
                Change::Remove(Kind::Agent, id) => assert!(self.rows.agents.remove(&id).is_some()),
                Change::Remove(Kind::Conversation, id) => {
                    assert!(self.rows.conversations.remove(&id).is_some());
                }
                Change::Remove(Kind::Totals, _) => self.rows.totals = None,
                Change::Reset => assert!(!self.complete, "a polled floor is reset once"),
                Change::Complete => self.complete = true,
                Change::Health(report) => {
                    if self.healths.last() != Some(&report.health) {
                        self.healths.push(report.health);
                    }
                    self.report = report;
                }
            }
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A server on loopback that answers every request by a script: path and query in, status and body out.
/// Ends with the test's runtime.
pub async fn serve(script: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> url::Url {
    serve_raw(move |path| {
        let (status, body) = script(path);
        answer(status, "", body.as_bytes())
    })
    .await
}

/// An answer over HTTP as it goes over the wire; `headers` end with a line break each.
pub fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// As [`serve`], with answers that the script has written to the last byte.
pub async fn serve_raw(script: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> url::Url {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let script = Arc::new(script);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let script = script.clone();
            tokio::spawn(async move {
                let (mut head, mut byte) = (Vec::new(), [0]);
                while !head.ends_with(b"\r\n\r\n") && socket.read(&mut byte).await.is_ok_and(|n| n == 1) {
                    head.push(byte[0]);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let answer = script(head.split(' ').nth(1).unwrap_or_default());
                // The client may be gone already; then there is nobody to tell.
                let _ = socket.write_all(&answer).await;
            });
        }
    });
    url::Url::parse(&format!("http://{address}/")).expect("an address")
}
