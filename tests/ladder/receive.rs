//! a1: from a frame's bytes to a changed floor, against only parsing the same fields. a4: the whole receive
//! path against the vendor's usual client, Node's `ws` with `JSON.parse` and a `Map`.

use std::{
    borrow::Cow,
    hint::black_box,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::Arc,
};

use engine::{Input, World, alerts::Rulebook};
use model::{Batch, Change, Health, HealthReport, Id, Origin, Source, Timestamp, Vendor};
use serde::Deserialize;
use vendors::pingstreams::Feed;

use crate::{
    floor::now,
    measure::{PAIRS, Row, cpu, in_turn, median},
};

const PROJECT: &str = "6b02501f82e6e6072633144b";
const FRAMES: usize = 20_000;
const PEOPLE: usize = 5_000;

/// Frames as the vendor sends them, about 790 bytes each: ids, status, department and times vary.
fn corpus() -> Vec<String> {
    (0..FRAMES)
        .map(|n| {
            let who = n.wrapping_mul(7919) % PEOPLE;
            let status = if (n / PEOPLE + who).is_multiple_of(3) { 100 } else { 200 };
            let agent = format!("6a{:022x}", who % 400);
            let participants = if status == 200 { format!("[\"{agent}\"]") } else { "[]".to_owned() };
            let at = Timestamp::from_ms(crate::floor::NOW + n as i64);
            let created = Timestamp::from_ms(crate::floor::NOW - 60_000 - who as i64);
            format!(
                concat!(
                    r#"{{"action":"publish","payload":{{"topic":"/{p}/requests","method":"UPDATE","message":{{"#,
                    r#""_id":"7c{who:022x}","status":{status},"preflight":false,"hasBot":false,"participants":{part},"#,
                    r#""priority":"medium","followers":[],"participantsAgents":{part},"participantsBots":[],"#,
                    r#""request_id":"support-group-{p}-{who:012x}","lead":{{"_id":"8d{who:022x}","fullname":"Guest \"{who}\""}},"#,
                    r#""department":{{"_id":"5f{dep:022x}","name":"Department {dep}"}},"first_text":"I cannot sign in since this morning, please help","#,
                    r#""id_project":"{p}","createdBy":"a71ebc10-5fcb-4357-8c67-41445b24dc9d","channel":{{"name":"chat21"}},"#,
                    r#""tags":[],"notes":[],"createdAt":"{created}","updatedAt":"{at}","snapshot":{{"agents":[]}},"#,
                    r#""channelOutbound":{{"name":"chat21"}},"smartAssignment":true,"ticket_id":{who},"__v":0}}}}}}"#
                ),
                p = PROJECT,
                who = who,
                status = status,
                part = participants,
                dep = who % 50,
                created = created,
                at = at,
            )
        })
        .collect()
}

/// Only the fields that are kept, borrowed from the frame: the least that anybody must do.
#[derive(Deserialize)]
#[allow(dead_code)]
struct Frame<'a> {
    action: &'a str,
    #[serde(borrow)]
    payload: Payload<'a>,
}
#[derive(Deserialize)]
#[allow(dead_code)]
struct Payload<'a> {
    topic: &'a str,
    method: &'a str,
    #[serde(borrow)]
    message: Kept<'a>,
}
#[derive(Deserialize)]
#[allow(dead_code, non_snake_case)]
struct Kept<'a> {
    request_id: &'a str,
    status: i64,
    preflight: bool,
    priority: &'a str,
    #[serde(borrow)]
    participantsAgents: Vec<&'a str>,
    #[serde(borrow)]
    lead: Person<'a>,
    #[serde(borrow)]
    department: Named<'a>,
    #[serde(borrow)]
    channel: Channel<'a>,
    #[serde(borrow)]
    tags: Vec<&'a str>,
    createdAt: &'a str,
    updatedAt: &'a str,
}
#[derive(Deserialize)]
#[allow(dead_code)]
struct Person<'a> {
    // A name may hold what has to be unescaped.
    #[serde(borrow)]
    fullname: Cow<'a, str>,
}
#[derive(Deserialize)]
#[allow(dead_code)]
struct Named<'a> {
    _id: &'a str,
    name: &'a str,
}
#[derive(Deserialize)]
#[allow(dead_code)]
struct Channel<'a> {
    name: &'a str,
}

struct Ours {
    feed: Feed,
    world: World,
}

impl Ours {
    fn new() -> Self {
        let mut world = World::new();
        // Neither side tests rules here: what those cost is part of b3.
        let rules = Rulebook::default();
        let provides =
            ["queue.waiting", "conversation.waiting_since"].map(|n| (n.to_owned(), Origin::Derived));
        let source = Source {
            id: Id::from("desk"),
            vendor: Vendor::Pingstreams,
            name: "Desk".into(),
            health: Health::Connecting,
            health_since: now(),
            last_data_at: None,
            last_error: None,
            retry_at: None,
            clock_skew_s: None,
            gaps: Vec::new(),
            provides: provides.into(),
        };
        world.apply(Input::Configure { sources: vec![source], rules: Arc::new(rules) }, now());
        let live =
            Change::Health(HealthReport { last_data_at: Some(now()), ..HealthReport::of(Health::Live) });
        let changes = vec![Change::Reset, Change::Complete, live];
        world.apply(Input::Batch(Batch { source: Id::from("desk"), at: now(), changes }), now());
        Self { feed: Feed::new(Id::from("desk"), PROJECT), world }
    }
    fn take(&mut self, frame: &str) {
        let changes = self.feed.frame(frame, now());
        let batch = Batch { source: Id::from("desk"), at: now(), changes };
        black_box(self.world.apply(Input::Batch(batch), now()).revision);
    }
}

pub fn a1() -> Row {
    let frames = corpus();
    let (ours, peer, ratio) = in_turn(
        || {
            let mut floor = Ours::new();
            // The floor exists before: updates are measured, not the growth.
            frames.iter().take(PEOPLE).for_each(|f| floor.take(f));
            cpu(|| frames.iter().skip(PEOPLE).for_each(|f| floor.take(f)))
        },
        || {
            cpu(|| {
                for frame in frames.iter().skip(PEOPLE) {
                    black_box(serde_json::from_slice::<Frame<'_>>(frame.as_bytes()).expect("a frame"));
                }
            })
        },
    );
    let per = 1e6 / (FRAMES - PEOPLE) as f64;
    Row {
        row: "a1",
        what: "frame to changed floor: typed parse alone ÷ all we do".into(),
        ours: ours * per,
        peer: peer * per,
        unit: "µs",
        ratio: 1.0 / ratio,
        better: "higher",
        gate: 0.8,
        target: 1.0,
    }
}

pub fn a4() -> Row {
    let frames = Arc::new(corpus());
    let mut ours = Vec::new();
    let mut peer = Vec::new();
    for round in 0..=PAIRS / 3 {
        let (a, b) = (receive(&frames), node(&frames));
        if round > 0 {
            ours.push(a);
            peer.push(b);
        }
    }
    let (ours, peer) = (median(&mut ours), median(&mut peer));
    Row {
        row: "a4",
        what: "receive path per message: Node ws+JSON.parse+Map ÷ ours".into(),
        ours,
        peer,
        unit: "µs",
        ratio: peer / ours,
        better: "higher",
        gate: 5.0,
        target: 8.0,
    }
}

/// Serves the frames once to whoever connects, then closes.
fn serve(frames: Arc<Vec<String>>) -> (u16, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        let mut socket = tokio_tungstenite::tungstenite::accept(stream).expect("a handshake");
        for frame in frames.iter() {
            let _ = socket.write(tokio_tungstenite::tungstenite::Message::text(frame.as_str()));
        }
        let _ = socket.flush();
        let _ = socket.close(None);
        // Until the client is done.
        while socket.read().is_ok() {}
    });
    (port, thread)
}

/// CPU microseconds per message of our whole path: socket, frames, parse, map, world, rules.
fn receive(frames: &Arc<Vec<String>>) -> f64 {
    let (port, server) = serve(frames.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut floor = Ours::new();
    let took = cpu(|| {
        runtime.block_on(async {
            use futures_util::StreamExt;
            let url = format!("ws://127.0.0.1:{port}/");
            let (mut socket, _) = tokio_tungstenite::connect_async(url).await.expect("a connection");
            while let Some(Ok(message)) = socket.next().await {
                if let tokio_tungstenite::tungstenite::Message::Text(text) = message {
                    floor.take(&text);
                }
            }
        });
    });
    server.join().expect("the server ended");
    took.as_secs_f64() * 1e6 / frames.len() as f64
}

/// The same for the vendor's usual client. Node prints its own CPU time.
fn node(frames: &Arc<Vec<String>>) -> f64 {
    let script = r#"
        const { WebSocket } = require(process.argv[2]); const kept = new Map(); let from;
        const s = new WebSocket('ws://127.0.0.1:' + process.argv[1] + '/', { perMessageDeflate: false });
        s.on('open', () => { from = process.cpuUsage(); });
        s.on('message', (data) => { const m = JSON.parse(data.toString()).payload.message; kept.set(m.request_id, m); });
        s.on('close', () => { const used = process.cpuUsage(from); process.stdout.write(String(used.user + used.system)); });
    "#;
    let ws = concat!(env!("CARGO_MANIFEST_DIR"), "/../ui/node_modules/ws");
    let (port, server) = serve(frames.clone());
    let child = Command::new("node")
        .args(["-e", script, &port.to_string(), ws])
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is installed and `npm ci` was run in ui");
    let out = child.wait_with_output().expect("node ends");
    if !out.status.success() {
        // The server waits for a client that never came.
        let _ = TcpStream::connect(("127.0.0.1", port))
            .and_then(|mut s| s.write_all(b"\r\n\r\n").and_then(|()| s.read(&mut [0; 1])));
        panic!("the peer failed; run `npm ci` in ui first");
    }
    server.join().expect("the server ended");
    String::from_utf8_lossy(&out.stdout).trim().parse::<f64>().expect("microseconds") / frames.len() as f64
}
