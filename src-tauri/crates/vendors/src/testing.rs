//! For the tests of polled connectors: runs one against a server on loopback and keeps what it says.

use std::{sync::Arc, time::Duration};

use link::{
    Secret, SystemClock,
    poll::{Budgets, Rows},
};
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
    watch_with(connector, secret, Budgets::default())
}

/// As [`watch`], on budgets that other sources live on, too.
pub fn watch_with(connector: Box<dyn Connector>, secret: &str, budgets: Budgets) -> Watched {
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
        paces: Default::default(),
        seed: 1,
        budgets,
        tokens: Default::default(),
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
    /// Reads on until this holds; fails after two minutes.
    pub async fn until(&mut self, what: &str, holds: impl Fn(&Watched) -> bool) {
        let reading = async {
            while !holds(self) {
                let batch = self.batches.recv().await.expect("the connector goes on");
                self.apply(batch);
            }
        };
        if tokio::time::timeout(Duration::from_secs(120), reading).await.is_err() {
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

/// Values that do not belong where they stand.
const ODD: [&str; 9] =
    ["null", "true", "\"\"", "\"x\"", "-1", "\"3.5e2x\"", "1e400", "[1,[2]]", "{\"a\":{}}"];

/// Every way to spoil one field of a body: the path of the field, its key, and the body as written.
pub fn spoiled(body: &serde_json::Value) -> Vec<(String, String, Vec<u8>)> {
    let mut paths = Vec::new();
    leaves(body, String::new(), &mut paths);
    let mut all = Vec::new();
    for path in paths {
        for odd in ODD {
            let mut copy = body.clone();
            *copy.pointer_mut(&path).expect("it was there") = serde_json::Value::String("@odd@".to_owned());
            let text = copy.to_string().replace("\"@odd@\"", odd);
            let key = path.rsplit('/').next().unwrap_or_default().to_owned();
            all.push((format!("{path} = {odd}"), key, text.into_bytes()));
        }
    }
    all
}

fn leaves(value: &serde_json::Value, path: String, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                leaves(value, format!("{path}/{key}"), found);
            }
        }
        serde_json::Value::Array(rows) => {
            for (at, row) in rows.iter().enumerate() {
                leaves(row, format!("{path}/{at}"), found);
            }
        }
        _ => found.push(path),
    }
}

/// Asserts that no number became nought, and none that was unknown became known: what cannot be read is
/// unknown. Heads counted by presence are left out: they depend on other rows.
pub fn nothing_invented(right: &serde_json::Value, spoiled: &serde_json::Value, what: &str) {
    use serde_json::Value;
    match (right, spoiled) {
        (Value::Number(right), Value::Number(now)) => {
            let nought = now.as_f64() == Some(0.0) && right.as_f64() != Some(0.0);
            assert!(!nought, "{what}: {right} became 0");
        }
        (Value::Null, Value::Number(now)) => panic!("{what}: unknown became {now}"),
        (Value::Object(right), Value::Object(now)) => {
            let heads = |name: &str| name.starts_with("agents_") || name == "free_agents";
            if right.get("metric").and_then(Value::as_str).is_some_and(heads) {
                return;
            }
            for (key, right) in right.iter().filter(|(key, _)| !heads(key)) {
                nothing_invented(right, now.get(key).unwrap_or(&Value::Null), &format!("{what} {key}"));
            }
        }
        (Value::Array(right), Value::Array(now)) => {
            for row in right {
                let same = |other: &&Value| other["id"] == row["id"] && other["metric"] == row["metric"];
                if let Some(now) = now.iter().find(|other| same(other) && other["window"] == row["window"]) {
                    nothing_invented(row, now, what);
                }
            }
        }
        _ => {}
    }
}

/// Every field that stands in rows must be named in what the vendor says that it provides.
pub fn all_is_promised(rows: &Rows, spec: &crate::VendorSpec) {
    let promised = |name: String| {
        assert!(spec.provides.iter().any(|(known, _)| *known == name), "{name} is given and not promised");
    };
    let fields = |kind: &str, row: serde_json::Value| {
        // What every row has, and what goes with another field.
        let given = ["source", "id", "name", "kind", "state", "windows", "presence_since_kind"];
        for (key, value) in row.as_object().expect("a row is an object") {
            if !value.is_null() && !given.contains(&key.as_str()) {
                promised(format!("{kind}.{key}"));
            }
        }
        for figure in row["windows"].as_array().into_iter().flatten().filter(|f| !f["value"].is_null()) {
            let text = |key: &str| figure[key].as_str().unwrap_or_default().to_owned();
            promised(format!("{kind}.{}@{}", text("metric"), text("window")));
        }
    };
    let json = |row: serde_json::Result<serde_json::Value>| row.expect("a row is JSON");
    rows.queues.values().for_each(|row| fields("queue", json(serde_json::to_value(row))));
    rows.agents.values().for_each(|row| fields("agent", json(serde_json::to_value(row))));
    rows.conversations.values().for_each(|row| fields("conversation", json(serde_json::to_value(row))));
    rows.totals.iter().for_each(|row| fields("total", json(serde_json::to_value(row))));
}
