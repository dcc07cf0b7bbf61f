//! The BeyondTrust server, asked over real sockets, point by point of its protocol.
#![allow(clippy::unwrap_used)] // A test may stop where it stands.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use model::{ConversationState, Vendor};
use serde_json::{Value, json};
use simulator::{
    Control, Options, Restart, Running,
    beyondtrust::{
        APPLICATION, Answers, CLIENT_ID, Dialect, Expiry, Framing, Mode, OverLimit, Snapshot, UnknownTable,
    },
    start,
};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

/// How long anything may take on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

const V: Vendor = Vendor::Beyondtrust;

struct Scene {
    running: Running,
    control: Control,
    address: String,
    http: reqwest::Client,
}

fn http_client() -> reqwest::Client {
    // The second call finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn scene(dialect: Dialect) -> Scene {
    let dialect = Dialect { batch: Duration::from_millis(10), ..dialect };
    let running = start(Options { beyondtrust: dialect, ..Options::quiet(&[V]) }).await.unwrap();
    Scene {
        control: running.control(),
        address: running.address(V).unwrap().to_string(),
        http: http_client(),
        running,
    }
}

/// A reader of lines on a socket.
struct Wire {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    bytes: Vec<u8>,
}

impl Wire {
    async fn say(&mut self, line: &str) {
        self.socket.send(Message::text(format!("{line}\n"))).await.unwrap();
    }
    /// The next line that is not empty; `None` when the other side has gone, or nothing comes for very long.
    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.bytes.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.bytes.drain(..=end).collect();
                let line = String::from_utf8(line).unwrap().trim().to_owned();
                if line.is_empty() {
                    continue;
                }
                return Some(line);
            }
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.ok()??.ok()?;
            match message {
                Message::Binary(bytes) => self.bytes.extend_from_slice(&bytes),
                Message::Text(_) => panic!("the appliance sends binary messages"),
                _ => {}
            }
        }
    }
    async fn json(&mut self) -> Option<Value> {
        self.line().await.map(|line| serde_json::from_str(&line).unwrap())
    }
}

impl Scene {
    async fn token(&self) -> (u16, Value) {
        let request = self.http.post(format!("http://{}/oauth2/token", self.address));
        let request = request.basic_auth(CLIENT_ID, Some("fake-secret"));
        let answer = request.form(&[("grant_type", "client_credentials")]).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
    async fn connect(&self, by_protocol: bool) -> Wire {
        let mut request = format!("ws://{}/nw", self.address).into_client_request().unwrap();
        if by_protocol {
            request.headers_mut().insert("sec-websocket-protocol", APPLICATION.parse().unwrap());
        }
        let (socket, answer) = connect_async(request).await.unwrap();
        let echoed = answer.headers().get("sec-websocket-protocol").map(|v| v.to_str().unwrap());
        assert_eq!(echoed, by_protocol.then_some(APPLICATION));
        Wire { socket, bytes: Vec::new() }
    }
    async fn signed_in(&self) -> Wire {
        let token = self.token().await.1["access_token"].as_str().unwrap().to_owned();
        let mut wire = self.connect(true).await;
        wire.say(&json!({"type": "authenticate", "credentials": {"bearer_token": token}}).to_string()).await;
        assert_eq!(wire.json().await.unwrap()["success"], true);
        wire
    }
    async fn streaming(&self) -> (Wire, Value) {
        let mut wire = self.signed_in().await;
        wire.say("{\"type\":\"subscribe\",\"tables\":\"all\"}").await;
        assert_eq!(wire.json().await.unwrap()["success"], true);
        let copy = wire.json().await.unwrap();
        (wire, copy)
    }
}

#[tokio::test]
async fn tokens_are_capped_and_the_oldest_goes() {
    let s = scene(Dialect { token_cap: 2, ..Dialect::default() }).await;
    let (status, first) = s.token().await;
    assert_eq!((status, &first["token_type"], &first["expires_in"]), (200, &json!("Bearer"), &json!(3600)));
    s.token().await;
    s.token().await;
    let mut wire = s.connect(true).await;
    let old = json!({"type": "authenticate", "credentials": {"bearer_token": first["access_token"]}});
    wire.say(&old.to_string()).await;
    let refused = wire.json().await.unwrap();
    assert_eq!((&refused["success"], refused["error_message"].is_string()), (&json!(false), true));
    let request = s.http.post(format!("http://{}/oauth2/token", s.address)).basic_auth("other", Some("x"));
    let answer = request.form(&[("grant_type", "client_credentials")]).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.json::<Value>().await.unwrap()["error"], "invalid_client");
}

#[tokio::test]
async fn the_application_is_chosen_in_two_ways() {
    let s = scene(Dialect::default()).await;
    let mut wire = s.connect(false).await;
    wire.say(&format!("NS01acme\n{APPLICATION}")).await;
    assert_eq!(wire.line().await.as_deref(), Some("0 Application chosen"));
    let mut wire = s.connect(false).await;
    wire.say(&format!("NS01other\n{APPLICATION}")).await;
    assert!(wire.line().await.unwrap().starts_with("1 "));

    let s = scene(Dialect { mode: Mode::InBand, ..Dialect::default() }).await;
    let mut request = format!("ws://{}/nw", s.address).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", APPLICATION.parse().unwrap());
    assert!(connect_async(request).await.is_err(), "no echo, which strict libraries refuse");
}

#[tokio::test]
async fn the_copy_is_whole_and_changes_follow() {
    let s = scene(Dialect::default()).await;
    let name = s.control.queues(V).unwrap()[0].1.clone();
    let agent = s.control.agents(V).unwrap()[0].0.clone();
    let first = s.control.customer_arrives(V, &name).unwrap();
    let (mut wire, copy) = s.streaming().await;
    assert_eq!(copy["type"], "update_model");
    let tables = copy["insert"].as_object().unwrap();
    assert_eq!(tables["representative"].as_object().unwrap().len(), 5, "who is signed in");
    assert_eq!(tables["queue"].as_object().unwrap().len(), 1 + 3 + 5);
    let session = tables["support_session"].as_object().unwrap().values().next().unwrap();
    assert_eq!(session["lsid"], first.as_str());

    s.control.agent_takes(V, &first, &agent).unwrap();
    let change = wire.json().await.unwrap();
    let moved = change["update"]["support_session"].as_object().unwrap().values().next().unwrap();
    assert!(moved["queue_id"].is_u64() && moved.get("lsid").is_none(), "only what changed: {moved}");
    assert_eq!(change["insert"]["representative_support_session"].as_object().unwrap().len(), 1);
    s.control.leaves(V, &first).unwrap();
    let change = wire.json().await.unwrap();
    assert_eq!(change["delete"]["support_session"].as_array().unwrap().len(), 1);

    s.control.restart(V, Restart::Truncate).unwrap();
    assert_eq!(wire.json().await.unwrap(), json!({"type": "truncate_model"}));
    let again = wire.json().await.unwrap();
    assert_eq!(again["insert"]["queue"].as_object().unwrap().len(), 9);
    assert_ne!(again["insert"]["queue"], tables["queue"], "numbers are given anew");
    s.control.restart(V, Restart::Close).unwrap();
    assert_eq!(wire.json().await, None);
}

#[tokio::test]
async fn lines_can_be_torn_and_copies_chunked() {
    for seed in 0..4 {
        let dialect = Dialect { mode: Mode::Both, refuses_all: false, ..Dialect::chaos(seed) };
        let s = scene(Dialect {
            framing: Framing::Torn,
            snapshot: Snapshot::Chunked,
            chooser_line: false,
            answers: Answers::Typed,
            require_company: false,
            ..dialect
        })
        .await;
        let (mut wire, mut part) = s.streaming().await;
        let mut queues = 0;
        loop {
            queues += part["insert"]["queue"].as_object().map_or(0, serde_json::Map::len);
            if queues >= 9 {
                break;
            }
            part = wire.json().await.expect("every queue comes");
        }
    }
}

#[tokio::test]
async fn phases_and_limits_are_enforced() {
    let s = scene(Dialect::default()).await;
    let mut wire = s.connect(true).await;
    wire.say("{\"type\":\"subscribe\",\"tables\":\"all\"}").await;
    assert_eq!(wire.json().await.unwrap()["success"], false);
    let mut wire = s.signed_in().await;
    wire.say("{\"type\":\"subscribe\",\"tables\":[\"nonsense\"]}").await;
    assert_eq!(wire.json().await.unwrap()["success"], false);

    for over in [OverLimit::Close, OverLimit::Error, OverLimit::Unavailable] {
        let s = scene(Dialect { most: 1, over_limit: over, ..Dialect::default() }).await;
        let (_first, _) = s.streaming().await;
        if over == OverLimit::Unavailable {
            let mut request = format!("ws://{}/nw", s.address).into_client_request().unwrap();
            request.headers_mut().insert("sec-websocket-protocol", APPLICATION.parse().unwrap());
            assert!(connect_async(request).await.is_err());
            continue;
        }
        let mut second = s.signed_in().await;
        second.say("{\"type\":\"subscribe\",\"tables\":\"all\"}").await;
        let answer = second.json().await.unwrap();
        assert_eq!(answer["success"], over == OverLimit::Close);
        assert_eq!(second.json().await, None);
    }
}

#[tokio::test]
async fn the_truth_is_what_the_feed_says() {
    let s = scene(Dialect::default()).await;
    let (queue, name) = s.control.queues(V).unwrap()[0].clone();
    let agent = s.control.agents(V).unwrap()[0].0.clone();
    let waiting = s.control.customer_arrived(V, &name, Duration::from_secs(130), None).unwrap();
    let active = s.control.customer_arrives(V, &name).unwrap();
    s.control.agent_takes(V, &active, &agent).unwrap();
    let truth = s.running.truth(V);
    let team = truth.queues.iter().find(|q| q.id == queue).unwrap();
    assert_eq!((team.waiting, team.open), (Some(1), Some(0)), "the accepted one is in the personal queue");
    let own = truth.queues.iter().find(|q| q.id.as_str() == format!("rep:{agent}")).unwrap();
    assert_eq!(own.open, Some(1));
    let state = |id: &model::Id| truth.conversations.iter().find(|c| c.id == *id).unwrap().state;
    assert_eq!((state(&waiting), state(&active)), (ConversationState::Waiting, ConversationState::Active));
}

/// Each open question of the protocol, in both readings.
#[tokio::test]
async fn the_doubts_are_played() {
    // Answers bare and wordy; tables of presentations; the parts of one event as lines of their own.
    for answers in [Answers::Bare, Answers::Wordy] {
        let dialect = Dialect { answers, presentations: true, shuffle: true, ..Dialect::default() };
        let s = scene(dialect).await;
        let token = s.token().await.1["access_token"].as_str().unwrap().to_owned();
        let mut wire = s.connect(true).await;
        let ask = json!({"type": "authenticate", "credentials": {"bearer_token": token}});
        wire.say(&ask.to_string()).await;
        let mut answer = wire.json().await.unwrap();
        if answers == Answers::Wordy {
            assert_eq!(answer["type"], "notice");
            answer = wire.json().await.unwrap();
        }
        let yes = if answers == Answers::Bare { json!(1) } else { json!("1") };
        assert_eq!((&answer["success"], answer["error_message"].is_null()), (&yes, true));
        wire.say("{\"type\":\"subscribe\",\"tables\":\"all\"}").await;
        let mut copy = wire.json().await.unwrap();
        while copy["insert"].is_null() {
            copy = wire.json().await.unwrap();
        }
        assert!(copy["insert"]["presenter"].is_object(), "{copy}");
        let name = s.control.queues(V).unwrap()[0].1.clone();
        s.control.customer_arrives(V, &name).unwrap();
        for _ in 0..4 {
            assert!(wire.json().await.is_some(), "the customer comes in several parts");
        }
    }

    let s = scene(Dialect { require_company: true, ..Dialect::default() }).await;
    let mut request = format!("ws://{}/nw", s.address).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", APPLICATION.parse().unwrap());
    assert!(connect_async(request.clone()).await.is_err());
    request.headers_mut().insert("x-ns-company", "acme".parse().unwrap());
    assert!(connect_async(request).await.is_ok());

    let s = scene(Dialect { unknown_table: UnknownTable::Ignore, ..Dialect::default() }).await;
    let mut wire = s.signed_in().await;
    wire.say("{\"type\":\"subscribe\",\"tables\":[\"queue\",\"nonsense\"]}").await;
    assert_eq!(wire.json().await.unwrap()["success"], true);

    let dialect = Dialect {
        expiry: Expiry::Cut,
        token_life: Duration::from_millis(300),
        close_code: Some(4000),
        ..Dialect::default()
    };
    let s = scene(dialect).await;
    let (mut wire, _) = s.streaming().await;
    let end = async {
        loop {
            match wire.socket.next().await {
                Some(Ok(Message::Close(frame))) => return frame.map(|f| u16::from(f.code)),
                Some(Ok(_)) => {}
                _ => return None,
            }
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, end).await.unwrap(), Some(4000));
}
