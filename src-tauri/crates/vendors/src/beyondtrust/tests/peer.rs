//! A scripted appliance: what a faithful one would hardly do.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::broadcast,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, handshake::derive_accept_key, protocol::Role},
};

/// What an upgrade with the sub-protocol meets; one without it is always taken, for the in-band way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greets {
    /// The application, echoed as it should be.
    Well,
    /// As a reverse proxy answers.
    KeepAlive,
    /// An HTTP status.
    Refuses(u16),
    /// The connection ends without an answer.
    Drops,
    /// It is taken, and nothing is ever said.
    Mute,
    /// It is taken, and the chooser says no.
    Chooser,
}

/// The script.
#[derive(Clone, Debug)]
pub struct Script {
    pub greets: Greets,
    /// What the token endpoint answers, one after the other; the last one stays.
    pub tokens: Vec<(u16, &'static str)>,
    /// Lines behind the answer to the subscription.
    pub copy: Vec<&'static str>,
    /// Status of the health check.
    pub health: u16,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            greets: Greets::Well,
            tokens: vec![(200, r#"{"access_token":"fake-token","token_type":"Bearer","expires_in":3600}"#)],
            copy: vec![COPY],
            health: 200,
        }
    }
}

/// A team's queue and somebody in it.
pub const COPY: &str = r#"{"type":"update_model","insert":{"queue":{"7":{"name":"Desk","type":"team","support_team_id":2}},"support_session":{"812":{"lsid":"s812","queue_id":7,"queue_entry_timestamp":1700000000,"customer_name":"Bo"}}}}"#;

#[derive(Clone)]
pub struct Peer {
    pub address: String,
    /// Requests for a token, and upgrades by whether they offered the sub-protocol.
    pub seen: Arc<Mutex<(usize, Vec<bool>)>>,
    checks: Arc<AtomicUsize>,
    script: Arc<Mutex<Script>>,
    say: broadcast::Sender<String>,
}

impl Peer {
    pub async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = Self {
            address: listener.local_addr().unwrap().to_string(),
            seen: Arc::default(),
            checks: Arc::default(),
            script: Arc::new(Mutex::new(script)),
            say: broadcast::channel(256).0,
        };
        let server = peer.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(server.clone().serve(stream));
            }
        });
        peer
    }

    /// One more line for everybody who follows.
    pub fn say(&self, line: &str) {
        let _ = self.say.send(line.to_owned());
    }
    pub fn script(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.script.lock().unwrap());
    }
    pub fn tokens(&self) -> usize {
        self.seen.lock().unwrap().0
    }
    /// How often the health check was asked.
    pub fn checks(&self) -> usize {
        self.checks.load(Ordering::Relaxed)
    }
    pub fn upgrades(&self) -> Vec<bool> {
        self.seen.lock().unwrap().1.clone()
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            bytes.push(byte);
        }
        let head = String::from_utf8_lossy(&bytes).to_string();
        if head.starts_with("POST /oauth2/token ") {
            return self.token(stream).await;
        }
        if head.starts_with("GET /check_health ") {
            self.checks.fetch_add(1, Ordering::Relaxed);
            let status = self.script.lock().unwrap().health;
            let text = format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK");
            let _ = stream.write_all(text.as_bytes()).await;
            return;
        }
        let header = |name: &str| {
            head.lines().find_map(|l| {
                let (key, value) = l.split_once(':')?;
                key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        let offered = header("sec-websocket-protocol").is_some();
        self.seen.lock().unwrap().1.push(offered);
        let greets = if offered { self.script.lock().unwrap().greets } else { Greets::Well };
        let mut answer = match greets {
            Greets::Drops => return,
            Greets::Refuses(status) => {
                let text = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                let _ = stream.write_all(text.as_bytes()).await;
                return;
            }
            Greets::KeepAlive => "Connection: upgrade, keep-alive\r\n".to_owned(),
            _ => "Connection: Upgrade\r\n".to_owned(),
        };
        if offered {
            answer.push_str("Sec-WebSocket-Protocol: ingredi state api\r\n");
        }
        let accept = derive_accept_key(header("sec-websocket-key").unwrap().as_bytes());
        let text = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n{answer}\r\n"
        );
        stream.write_all(text.as_bytes()).await.unwrap();
        let ws = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        self.attend(ws, offered, greets).await;
    }

    async fn token(self, mut stream: TcpStream) {
        let (status, body) = {
            let n = self.seen.lock().unwrap().0;
            self.seen.lock().unwrap().0 += 1;
            let script = self.script.lock().unwrap();
            *script.tokens.get(n).or(script.tokens.last()).unwrap()
        };
        let text = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let _ = stream.write_all(text.as_bytes()).await;
        let _ = stream.shutdown().await;
    }

    async fn attend(self, mut ws: WebSocketStream<TcpStream>, offered: bool, greets: Greets) {
        let mut orders = self.say.subscribe();
        if greets == Greets::Chooser {
            let _ = ws.send(binary("1 No such application")).await;
        }
        loop {
            let heard = tokio::select! {
                Ok(line) = orders.recv() => {
                    if ws.send(binary(&line)).await.is_err() {
                        return;
                    }
                    continue;
                }
                heard = ws.next() => heard,
            };
            let said = match heard {
                Some(Ok(Message::Text(text))) => text.to_string(),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            };
            if greets == Greets::Mute {
                continue;
            }
            let mut lines = Vec::new();
            if said.starts_with("NS01") {
                assert!(!offered, "one way at a time");
                lines.push("0 Application chosen".to_owned());
            } else if said.contains("\"authenticate\"") {
                lines.push(r#"{"type":"authentication_response","success":true}"#.to_owned());
            } else if said.contains("\"subscribe\"") {
                lines.push(r#"{"type":"subscribe_response","success":true}"#.to_owned());
                lines.extend(self.script.lock().unwrap().copy.iter().map(|line| (*line).to_owned()));
            }
            for line in lines {
                if ws.send(binary(&line)).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn binary(line: &str) -> Message {
    Message::Binary(format!("{line}\n").into_bytes().into())
}
