//! The Pingstreams server, asked over real sockets, point by point of its protocol.
#![allow(clippy::unwrap_used)] // A test may stop where it stands.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use model::{Outcome, Vendor};
use serde_json::{Value, json};
use simulator::{Again, Control, Fault, Half, Options, Running, floor::Stance, pingstreams::Dialect, start};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

/// How long anything may take on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

const V: Vendor = Vendor::Pingstreams;
type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

struct Scene {
    running: Running,
    control: Control,
    base: String,
    ws: String,
    project: String,
    http: reqwest::Client,
}

async fn scene(dialect: Dialect) -> Scene {
    let options = Options { pingstreams: dialect, ..Options::quiet(&[V]) };
    let running = start(options).await.unwrap();
    let address = running.address(V).unwrap();
    let toml = running.config_toml();
    let project =
        toml.lines().find_map(|l| l.strip_prefix("project = ")).unwrap().trim_matches('"').to_owned();
    Scene {
        control: running.control(),
        base: format!("http://{address}"),
        ws: format!("ws://{address}/"),
        project,
        http: http_client(),
        running,
    }
}

impl Scene {
    async fn sign_in(&self, email: &str) -> String {
        let body = json!({"email": email, "password": "fake-password"});
        let answer: Value = self.post("/auth/signin", &body).await.1;
        answer["token"].as_str().unwrap().to_owned()
    }
    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.http.post(format!("{}{path}", self.base)).json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
    async fn get(&self, path: &str, token: &str) -> (u16, Value) {
        let request = self.http.get(format!("{}{path}", self.base)).header("authorization", token);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }
    async fn connect(&self, token: &str) -> Result<Socket, u16> {
        let url = format!("{}?token={}", self.ws, token.replace(' ', "%20"));
        match connect_async(url).await {
            Ok((socket, _)) => Ok(socket),
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }
    fn requests(&self) -> String {
        format!("/{}/requests", self.project)
    }
}

async fn say(socket: &mut Socket, action: &str, payload: Value) {
    let frame = json!({"action": action, "payload": payload});
    socket.send(Message::text(frame.to_string())).await.unwrap();
}
async fn subscribe(socket: &mut Socket, topic: &str) {
    say(socket, "subscribe", json!({"topic": topic})).await;
}
/// The next frame's payload; `None` when the other side has gone, or nothing comes for very long.
async fn next(socket: &mut Socket) -> Option<Value> {
    within(PATIENCE, socket).await
}
/// What comes in a moment, where nothing should.
async fn soon(socket: &mut Socket) -> Option<Value> {
    within(Duration::from_millis(300), socket).await
}
async fn within(time: Duration, socket: &mut Socket) -> Option<Value> {
    loop {
        let message = tokio::time::timeout(time, socket.next()).await.ok()??.ok()?;
        if let Message::Text(text) = message {
            return Some(serde_json::from_str(&text).unwrap());
        }
    }
}

fn http_client() -> reqwest::Client {
    // The second call finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

#[tokio::test]
async fn signing_in_gives_a_token_with_its_word() {
    let s = scene(Dialect::default()).await;
    assert!(s.sign_in("owner@example.test").await.starts_with("JWT ey"));
    let nobody = json!({"email": "nobody@example.test", "password": "x"});
    let (status, body) = s.post("/auth/signin", &nobody).await;
    assert_eq!((status, &body["msg"]), (401, &json!("Authentication failed. User not found.")));
    let (status, body) = s.post("/auth/signin", &json!({"email": "not-an-address", "password": ""})).await;
    assert_eq!((status, body["errors"].as_array().unwrap().len()), (422, 2));
    s.control.require_secret(V, Some("fake-right")).unwrap();
    let (status, body) =
        s.post("/auth/signin", &json!({"email": "owner@example.test", "password": "x"})).await;
    assert_eq!((status, &body["msg"]), (401, &json!("Authentication failed. Wrong password.")));
    s.running.shutdown().await;
}

#[tokio::test]
async fn the_handshake_takes_only_the_query_and_refuses_in_its_own_ways() {
    let s = scene(Dialect::default()).await;
    let token = s.sign_in("owner@example.test").await;
    assert!(s.connect(&token).await.is_ok());
    assert!(s.connect(token.trim_start_matches("JWT ")).await.is_ok());
    for bad in ["", "garbage", &token.replace("JWT ", "Bearer "), &token.replace("JWT ", "jwt ")] {
        assert_eq!(s.connect(bad).await.err(), Some(401), "{bad}");
    }
    let other = Scene { ws: format!("{}api/", s.ws), ..scene(Dialect::default()).await };
    assert_eq!(other.connect(&token).await.err(), Some(400));
    let (_, guest) = s.post("/auth/signinAnonymously", &json!({})).await;
    let guest = guest["token"].as_str().unwrap().to_owned();
    let never = tokio::time::timeout(Duration::from_millis(300), s.connect(&guest)).await;
    assert!(never.is_err(), "a guest token is never answered");
    s.control.revoke_tokens(V).unwrap();
    assert_eq!(s.connect(&token).await.err(), Some(401));
    let direct = s.running.token(V).unwrap();
    assert!(s.connect(&direct).await.is_ok());
}

#[tokio::test]
async fn a_subscription_begins_with_the_state_and_goes_on_with_changes() {
    let s = scene(Dialect::default()).await;
    let token = s.sign_in("owner@example.test").await;
    let mut socket = s.connect(&token).await.unwrap();
    subscribe(&mut socket, &s.requests()).await;
    let first = next(&mut socket).await.unwrap();
    assert_eq!(
        first,
        json!({"action": "publish", "payload": {"topic": s.requests(), "method": "CREATE", "message": []}})
    );

    let (queue, name) = s.control.queues(V).unwrap()[0].clone();
    let (agent, _) = s.control.agents(V).unwrap()[0].clone();
    let id = s.control.customer_arrives(V, &name).unwrap();
    let frame = next(&mut socket).await.unwrap()["payload"].take();
    assert_eq!(frame["method"], "CREATE");
    assert_eq!(frame["message"]["request_id"], id.as_str());
    assert_eq!(frame["message"]["status"], 100);
    assert_eq!(frame["message"]["department"]["_id"], queue.as_str());
    assert!(frame["message"]["snapshot"]["lead"]["fullname"].is_string());

    s.control.agent_takes(V, &id, &agent).unwrap();
    let frame = next(&mut socket).await.unwrap()["payload"].take();
    assert_eq!((&frame["method"], &frame["message"]["status"]), (&json!("UPDATE"), &json!(200)));
    assert_eq!(frame["message"]["participants"], json!([agent.as_str()]));
    assert!(frame["message"]["snapshot"].get("lead").is_none(), "an update has a poor snapshot");
    assert!(frame["message"]["assigned_at"].is_string() && frame["message"].get("waiting_time").is_none());

    s.control.agent_writes(V, &id, &agent).unwrap();
    let frame = next(&mut socket).await.unwrap()["payload"].take();
    assert!(frame["message"]["waiting_time"].is_u64());
    s.control.agent_writes(V, &id, &agent).unwrap();
    s.control.customer_writes(V, &id).unwrap();
    assert_eq!(soon(&mut socket).await, None, "later messages bring no frame of the conversation");

    let other = s.control.queues(V).unwrap()[1].1.clone();
    s.control.transfer(V, &id, &other).unwrap();
    let frame = next(&mut socket).await.unwrap()["payload"].take();
    assert_eq!(frame["message"]["status"], 100);
    for gone in ["waiting_time", "assigned_at"] {
        assert!(frame["message"].get(gone).is_none(), "{gone}");
    }
    assert!(frame["message"]["first_response_at"].is_string());

    s.control.ends(V, &id, Outcome::Handled).unwrap();
    let frame = next(&mut socket).await.unwrap()["payload"].take();
    assert_eq!(frame["message"]["status"], 1000);
    assert!(
        frame["message"].get("closed_at").is_none(),
        "the frame of a close comes before closed_at is written"
    );
    let (_, detail) = s.get(&format!("{}/{id}", s.requests()), &token).await;
    assert!(detail["closed_at"].is_string() && detail["duration"].is_u64());
}

#[tokio::test]
async fn the_other_topics_answer_as_theirs_do() {
    let s = scene(Dialect::default()).await;
    let token = s.sign_in("owner@example.test").await;
    let mut socket = s.connect(&token).await.unwrap();
    let name = s.control.queues(V).unwrap()[0].1.clone();
    let (agent, _) = s.control.agents(V).unwrap()[0].clone();
    let id = s.control.customer_arrives(V, &name).unwrap();

    subscribe(&mut socket, &format!("{}/{id}", s.requests())).await;
    assert_eq!(next(&mut socket).await.unwrap()["payload"]["message"]["request_id"], id.as_str());
    subscribe(&mut socket, &format!("{}/unknown", s.requests())).await;
    assert_eq!(next(&mut socket).await.unwrap()["payload"]["message"], Value::Null);
    subscribe(&mut socket, &format!("{}/{id}/messages", s.requests())).await;
    assert_eq!(next(&mut socket).await.unwrap()["payload"]["message"].as_array().unwrap().len(), 1);
    s.control.customer_writes(V, &id).unwrap();
    let live = next(&mut socket).await.unwrap();
    assert_eq!(live["payload"]["message"]["request"]["request_id"], id.as_str());

    let user = format!("/{}/project_users/users/{agent}", s.project);
    subscribe(&mut socket, &user).await;
    let first = next(&mut socket).await.unwrap();
    assert_eq!(first["payload"]["message"]["id_user"], agent.as_str(), "an id at first");
    s.control.agent_takes(V, &id, &agent).unwrap();
    let frames = [next(&mut socket).await.unwrap(), next(&mut socket).await.unwrap()];
    let load = frames.iter().find(|f| f["payload"]["topic"] == user).unwrap();
    assert_eq!(load["payload"]["message"]["number_assigned_requests"], 1);
    assert_eq!(
        load["payload"]["message"]["id_user"]["_id"],
        agent.as_str(),
        "an object after a change of load"
    );
    s.control.agent_presence(V, &agent, Stance::Away, Some("Break")).unwrap();
    let away = next(&mut socket).await.unwrap();
    assert_eq!(away["payload"]["message"]["user_available"], false);

    // Somebody else's own topic, another project, no slash, a wildcard: silence.
    let (_, members) = s.get(&format!("/{}/project_users", s.project), &token).await;
    let other = members[5]["_id"].as_str().unwrap();
    for silent in [
        format!("/{}/project_users/{other}", s.project),
        "/6b02501f0000000000000000/requests".to_owned(),
        format!("{}/requests", s.project),
        String::new(),
    ] {
        subscribe(&mut socket, &silent).await;
        assert_eq!(soon(&mut socket).await, None, "{silent}");
    }
}

#[tokio::test]
async fn roles_see_their_part_of_the_list_and_all_live_frames() {
    let s = scene(Dialect::default()).await;
    let name = s.control.queues(V).unwrap()[0].1.clone();
    let before = s.control.customer_arrives(V, &name).unwrap();
    let (owner, supervisor, outsider) = (
        s.sign_in("owner@example.test").await,
        s.sign_in("supervisor@example.test").await,
        s.sign_in("outsider@example.test").await,
    );
    let (_, list) = s.get(&format!("/{}/requests", s.project), &owner).await;
    assert_eq!((&list["count"], &list["perPage"]), (&json!(1), &json!(40)));
    let (_, list) = s.get(&format!("/{}/requests", s.project), &supervisor).await;
    assert_eq!(list["count"], 0);
    let (status, body) = s.get(&format!("/{}/requests", s.project), &outsider).await;
    assert_eq!((status, &body["msg"]), (403, &json!("you dont belong to the project.")));

    let mut socket = s.connect(&supervisor).await.unwrap();
    subscribe(&mut socket, &s.requests()).await;
    assert_eq!(next(&mut socket).await.unwrap()["payload"]["message"], json!([]));
    s.control.tag(V, &before, "seen").unwrap();
    let frame = next(&mut socket).await.unwrap();
    assert_eq!(frame["payload"]["message"]["request_id"], before.as_str(), "live frames are not filtered");

    let mut outside = s.connect(&outsider).await.unwrap();
    subscribe(&mut outside, &s.requests()).await;
    assert_eq!(soon(&mut outside).await, None);
}

#[tokio::test]
async fn the_first_list_ends_at_a_hundred_and_rest_has_the_others() {
    let s = scene(Dialect::default()).await;
    let token = s.sign_in("owner@example.test").await;
    let name = s.control.queues(V).unwrap()[0].1.clone();
    for _ in 0..130 {
        s.control.customer_arrives(V, &name).unwrap();
    }
    let mut socket = s.connect(&token).await.unwrap();
    subscribe(&mut socket, &s.requests()).await;
    let first = next(&mut socket).await.unwrap();
    let list = first["payload"]["message"].as_array().unwrap();
    assert_eq!(list.len(), 100);
    assert!(list[0]["lead"].is_string() && list[0]["department"].is_string(), "ids in the list");
    let (_, page) = s.get(&format!("/{}/requests?limit=100&page=1&draft=false", s.project), &token).await;
    assert_eq!((page["count"].as_u64(), page["requests"].as_array().unwrap().len()), (Some(130), 30));
    let (_, page) = s.get(&format!("/{}/requests?limit=101", s.project), &token).await;
    assert_eq!(page["requests"].as_array().unwrap().len(), 40, "above 100 falls back to 40");
}

#[tokio::test]
async fn forged_frames_reach_everybody_without_a_method() {
    let s = scene(Dialect::default()).await;
    let owner = s.sign_in("owner@example.test").await;
    let outsider = s.sign_in("outsider@example.test").await;
    let (mut one, mut two) = (s.connect(&owner).await.unwrap(), s.connect(&outsider).await.unwrap());
    subscribe(&mut one, &s.requests()).await;
    next(&mut one).await.unwrap();
    let forged = json!({"topic": s.requests(), "method": "CREATE", "message": {"request_id": "forged"}});
    say(&mut two, "publish", forged).await;
    let frame = next(&mut one).await.unwrap();
    assert_eq!(frame["payload"]["message"]["request_id"], "forged");
    assert!(frame["payload"].get("method").is_none());
    say(&mut one, "publish", json!({"topic": s.requests(), "message": 1})).await;
    assert!(next(&mut one).await.is_some(), "the sender hears it, too");
    say(&mut one, "broadcast", json!({"topic": s.requests(), "message": 1})).await;
    assert!(soon(&mut one).await.is_none());
    one.send(Message::text("not json")).await.unwrap();
    say(&mut one, "dance", json!({})).await;
    say(&mut one, "me", json!({})).await;
    assert_eq!(next(&mut one).await.unwrap()["action"], "me", "junk is ignored");
}

#[tokio::test]
async fn only_messages_count_as_life() {
    let s = scene(Dialect { heartbeat: Duration::from_millis(700), ..Dialect::default() }).await;
    let token = s.sign_in("owner@example.test").await;
    let mut quiet = s.connect(&token).await.unwrap();
    let mut ponging = s.connect(&token).await.unwrap();
    say(&mut quiet, "heartbeat", json!({"message": {"text": "ping"}})).await;
    let pong = next(&mut quiet).await.unwrap();
    assert_eq!(pong["payload"]["message"]["text"], "pong");
    for _ in 0..3 {
        assert!(next(&mut ponging).await.is_some(), "who answers is asked again");
        say(&mut ponging, "heartbeat", json!({"message": {"text": "pong"}})).await;
    }
    // The quiet one was destroyed without a closing frame.
    let mut last = None;
    while let Some(message) = quiet.next().await {
        last = Some(message);
    }
    assert!(matches!(last, Some(Err(_))), "{last:?}");
}

#[tokio::test]
async fn faults_of_the_wire() {
    let s = scene(Dialect::default()).await;
    let token = s.sign_in("owner@example.test").await;
    let mut socket = s.connect(&token).await.unwrap();
    subscribe(&mut socket, &s.requests()).await;
    next(&mut socket).await.unwrap();

    s.control.push_raw(V, "{\"action\":").unwrap();
    let raw = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(raw, Message::text("{\"action\":"));
    let name = s.control.queues(V).unwrap()[0].1.clone();
    s.control.customer_arrives(V, &name).unwrap();
    let first = next(&mut socket).await.unwrap();
    s.control.push_again(V, Again::Duplicate).unwrap();
    assert_eq!(next(&mut socket).await.unwrap(), first);

    s.control.fault_times(V, "ws", Fault::too_many(Some("7")), 1).unwrap();
    assert_eq!(s.connect(&token).await.err(), Some(429));
    s.control.fault_times(V, "departments", Fault::Html, 1).unwrap();
    let path = format!("/{}/departments", s.project);
    assert!(s.get(&path, &token).await.1.as_str().unwrap().starts_with("<!doctype"));
    s.control.fault_times(V, "departments", Fault::Truncated, 1).unwrap();
    assert!(s.get(&path, &token).await.1.is_string(), "not JSON any more");
    s.control.fault(V, "*", Fault::Hang).unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(200), s.get(&path, &token)).await.is_err());
    s.control.heal(V).unwrap();
    assert_eq!(s.get(&path, &token).await.0, 200);

    s.control.silence(V, Half::Both).unwrap();
    s.control.customer_arrives(V, &name).unwrap();
    assert!(soon(&mut socket).await.is_none(), "half open: neither data nor an end");
    s.control.heal(V).unwrap();
    let end = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap();
    assert!(!matches!(end, Some(Ok(Message::Text(_)))), "what was lost is not delivered later: {end:?}");

    let answers = async || http_client().get(&s.base).send().await.is_ok();
    let end = tokio::time::Instant::now() + PATIENCE;
    s.control.down(V).unwrap();
    while answers().await {
        assert!(tokio::time::Instant::now() < end, "the port stays open");
    }
    s.control.up(V).unwrap();
    while !answers().await {
        assert!(tokio::time::Instant::now() < end, "the port stays closed");
    }
    assert_eq!(s.get(&path, &token).await.0, 200);
    let counters = s.control.counters(V).unwrap();
    assert!(
        counters.of("ws") >= 2 && counters.of("departments") >= 4 && counters.tokens == 1,
        "{counters:?}"
    );
    assert!(counters.connections_ever > counters.connections_now);
}

#[tokio::test]
async fn the_clock_can_be_wrong() {
    let s = scene(Dialect::default()).await;
    s.control.clock_skew(V, 420.0).unwrap();
    let token = s.sign_in("owner@example.test").await;
    let name = s.control.queues(V).unwrap()[0].1.clone();
    let id = s.control.customer_arrives(V, &name).unwrap();
    let (_, doc) = s.get(&format!("{}/{id}", s.requests()), &token).await;
    let created: model::Timestamp = doc["createdAt"].as_str().unwrap().parse().unwrap();
    let truth = s.running.truth(V);
    assert_eq!(truth.conversations[0].created_at, Some(created));
    let now = model::Timestamp::from_ms(
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64,
    );
    assert!(created.seconds_since(now) > 400.0);
    assert_eq!(truth.queues[0].waiting, Some(1));
    assert_eq!(truth.agents.len(), 8, "six agents, the owner and a supervisor");
}
