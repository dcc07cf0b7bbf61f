//! A scripted server: says what a test tells it to, and remembers what it was asked.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::broadcast,
};
use tokio_tungstenite::{
    accept_async,
    tungstenite::{Message, protocol::CloseFrame},
};

/// What the next upgrade gets; without a script: a WebSocket.
#[derive(Clone)]
pub enum Upgrade {
    Raw(String),
    Hang,
}

#[derive(Clone)]
enum Order {
    Say(String),
    /// 1006: without a word.
    Close(u16),
}

#[derive(Default)]
pub struct Script {
    /// `METHOD /path` → status, extra headers, body.
    pub rest: HashMap<String, (u16, String, String)>,
    pub upgrades: VecDeque<Upgrade>,
    /// First state by topic; a topic without one is met with silence.
    pub topics: HashMap<String, String>,
    /// Answers nothing any more.
    pub mute: bool,
    /// Every answer has a `Date`, so many seconds ahead of us.
    pub ahead_s: Option<i64>,
    pub asked: Vec<String>,
    pub heard: Vec<Value>,
    pub connections: usize,
}

#[derive(Clone)]
pub struct Peer {
    pub port: u16,
    pub script: Arc<Mutex<Script>>,
    orders: broadcast::Sender<Order>,
}

pub const P: &str = "p1";

impl Peer {
    /// A project with one department and Anna, who owns it and is available.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = Self {
            port: listener.local_addr().unwrap().port(),
            script: Arc::default(),
            orders: broadcast::channel(1024).0,
        };
        peer.rest("GET /p1/project_users", 200, &json!([member("anna", "owner", true, 0)]).to_string());
        peer.rest("GET /p1/departments", 200, &json!([{"_id": "d1", "name": "Sales"}]).to_string());
        peer.rest("GET /projects/p1", 200, "{\"settings\":{\"max_agent_assigned_chat\":3}}");
        peer.list(&[]);
        let server = peer.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(server.clone().serve(stream));
            }
        });
        peer
    }

    /// The open conversations, over both ways.
    pub fn list(&self, rows: &[Value]) {
        self.topic("/p1/requests", &json!(rows).to_string());
        let page = json!({"perPage": 100, "count": rows.len(), "requests": rows});
        self.rest("GET /p1/requests", 200, &page.to_string());
    }
    pub fn topic(&self, topic: &str, state: &str) {
        self.script.lock().unwrap().topics.insert(topic.to_owned(), state.to_owned());
    }
    pub fn rest(&self, what: &str, status: u16, body: &str) {
        self.script.lock().unwrap().rest.insert(what.to_owned(), (status, String::new(), body.to_owned()));
    }
    pub fn refuse(&self, head: &str) {
        let text = format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        self.script.lock().unwrap().upgrades.push_back(Upgrade::Raw(text));
    }
    pub fn publish(&self, topic: &str, method: &str, message: &Value) {
        self.say(
            json!({"action": "publish", "payload": {"topic": topic, "method": method, "message": message}})
                .to_string(),
        );
    }
    pub fn change(&self, message: &Value) {
        self.publish("/p1/requests", "UPDATE", message);
    }
    pub fn say(&self, text: String) {
        let _ = self.orders.send(Order::Say(text));
    }
    pub fn cut(&self) {
        self.close(1006);
    }
    pub fn close(&self, code: u16) {
        let _ = self.orders.send(Order::Close(code));
    }
    pub fn count(&self, what: &str) -> usize {
        self.script.lock().unwrap().asked.iter().filter(|a| a.as_str() == what).count()
    }
    /// Topics of the client's frames with this action.
    pub fn said(&self, action: &str) -> Vec<String> {
        let heard = &self.script.lock().unwrap().heard;
        let of = heard.iter().filter(|f| f["action"] == action);
        of.map(|f| f["payload"]["topic"].as_str().unwrap_or_default().to_owned()).collect()
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut start = [0; 4096];
        let read = stream.peek(&mut start).await.unwrap_or(0);
        let head = String::from_utf8_lossy(&start[..read]).to_ascii_lowercase();
        if !head.contains("upgrade: websocket") {
            return self.http(stream).await;
        }
        self.script.lock().unwrap().connections += 1;
        self.script.lock().unwrap().asked.push("UPGRADE".to_owned());
        let plan = self.script.lock().unwrap().upgrades.pop_front();
        match plan {
            None => self.socket(stream).await,
            Some(Upgrade::Hang) => std::future::pending().await,
            Some(Upgrade::Raw(text)) => {
                let mut sink = vec![0; 4096];
                let _ = stream.read(&mut sink).await;
                let _ = stream.write_all(text.as_bytes()).await;
            }
        }
    }

    async fn http(self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            bytes.push(byte);
        }
        let head = String::from_utf8_lossy(&bytes).into_owned();
        let mut words = head.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let what = format!("{method} {path}");
        let page = query.split('&').find_map(|p| p.strip_prefix("page=")).unwrap_or("0");
        let answer = {
            let mut script = self.script.lock().unwrap();
            script.asked.push(what.clone());
            script.rest.get(&format!("{what}#{page}")).or_else(|| script.rest.get(&what)).cloned()
        };
        let empty = || (404, String::new(), "{}".to_owned());
        let beyond = page != "0" && what == "GET /p1/requests" && answer.is_none();
        let (status, headers, body) = if beyond {
            (200, String::new(), "{\"requests\":[]}".to_owned())
        } else {
            answer.unwrap_or_else(empty)
        };
        let ahead = self.script.lock().unwrap().ahead_s;
        let date = ahead.map_or_else(String::new, |ahead| {
            let there = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(ahead);
            format!("Date: {}\r\n", there.strftime("%a, %d %b %Y %H:%M:%S GMT"))
        });
        let text = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{date}{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let _ = stream.write_all(text.as_bytes()).await;
        let _ = stream.shutdown().await;
    }

    async fn socket(self, stream: TcpStream) {
        let mut orders = self.orders.subscribe();
        let Ok(mut ws) = accept_async(stream).await else { return };
        loop {
            let reply = tokio::select! {
                order = orders.recv() => match order {
                    Ok(Order::Say(text)) => Some(text),
                    Ok(Order::Close(1006)) | Err(_) => return,
                    Ok(Order::Close(code)) => {
                        let frame = CloseFrame { code: code.into(), reason: "".into() };
                        let _ = ws.close(Some(frame)).await;
                        return;
                    }
                },
                message = ws.next() => match message {
                    Some(Ok(Message::Text(text))) => self.reply(&text),
                    Some(Ok(_)) => None,
                    _ => return,
                },
            };
            if let Some(text) = reply
                && ws.send(Message::text(text)).await.is_err()
            {
                return;
            }
        }
    }

    fn reply(&self, text: &str) -> Option<String> {
        let frame: Value = serde_json::from_str(text).unwrap();
        let mut script = self.script.lock().unwrap();
        script.heard.push(frame.clone());
        if script.mute {
            return None;
        }
        match frame["action"].as_str() {
            Some("heartbeat") if frame["payload"]["message"]["text"] == "ping" => {
                Some(super::super::wire::PONG.to_owned())
            }
            Some("subscribe") => {
                let topic = frame["payload"]["topic"].as_str()?;
                let state: Value = serde_json::from_str(script.topics.get(topic)?).unwrap();
                let payload = json!({"topic": topic, "method": "CREATE", "message": state});
                Some(json!({"action": "publish", "payload": payload}).to_string())
            }
            _ => None,
        }
    }
}

pub fn member(user: &str, role: &str, available: bool, open: i64) -> Value {
    json!({
        "_id": format!("pu-{user}"), "role": role, "roleType": 1, "status": "active", "user_available": available,
        "number_assigned_requests": open, "isBusy": false, "updatedAt": "2026-01-31T09:00:00.000Z", "permissions": [],
        "id_user": {"_id": user, "firstname": user, "lastname": "A", "email": format!("{user}@example.test")}
    })
}

/// A conversation's row; `minute` stamps its last change.
pub fn row(id: &str, status: i64, minute: u32) -> Value {
    let people: &[&str] = if status == 200 { &["anna"] } else { &[] };
    json!({
        "request_id": id, "status": status, "preflight": false, "participants": people, "participantsAgents": people,
        "department": "d1", "createdAt": "2026-01-31T09:00:00.000Z", "priority": "medium", "tags": [],
        "updatedAt": format!("2026-01-31T09:{minute:02}:00.000Z"), "channel": {"name": "chat21"},
        "snapshot": {"lead": {"_id": "l1", "fullname": "Gina"}, "department": {"_id": "d1", "name": "Sales"}}
    })
}
