use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::IntoResponse,
};
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;
use simulator::Options;

use crate::support::{Desk, PATIENCE, Watching};

const KEY: &str = "fake-hook-key-7c11";
/// Time for what must not happen, so that it would be seen if it did.
const A_MOMENT: Duration = Duration::from_secs(2);

/// One request that arrived.
#[derive(Clone)]
struct Heard {
    path: String,
    signature: Option<String>,
    body: String,
}

impl Heard {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
    fn transitions(&self) -> Vec<String> {
        let told = self.json();
        let list = told["alerts"].as_array().unwrap();
        list.iter().map(|a| a["transition"].as_str().unwrap().to_owned()).collect()
    }
}

/// A receiver on loopback: `/flaky` fails twice, `/broken` always, `/moved` points elsewhere,
/// `/slow` takes its time; the rest is fine.
struct Receiver {
    heard: Arc<Mutex<Vec<Heard>>>,
    origin: String,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    async fn open() -> Self {
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(hear).with_state(heard.clone());
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { heard, origin, task }
    }
    fn at(&self, path: &str) -> Vec<Heard> {
        self.heard.lock().unwrap().iter().filter(|h| h.path == path).cloned().collect()
    }
    async fn until(&self, path: &str, count: usize) -> Vec<Heard> {
        let started = Instant::now();
        loop {
            let heard = self.at(path);
            if heard.len() >= count {
                return heard;
            }
            assert!(started.elapsed() < PATIENCE, "{} of {count} requests at {path}", heard.len());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn hear(
    State(heard): State<Arc<Mutex<Vec<Heard>>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> axum::response::Response {
    let path = uri.path().to_owned();
    let signature = headers.get("x-floorwalker-signature").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let body = String::from_utf8(body.to_vec()).unwrap();
    if path == "/slow" {
        heard.lock().unwrap().push(Heard { path, signature, body });
        tokio::time::sleep(Duration::from_secs(60)).await;
        return StatusCode::OK.into_response();
    }
    let mut heard = heard.lock().unwrap();
    heard.push(Heard { path: path.clone(), signature, body });
    let before = heard.iter().filter(|h| h.path == path).count();
    match path.as_str() {
        "/flaky" if before <= 2 => {
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "0")]).into_response()
        }
        "/broken" => (StatusCode::INTERNAL_SERVER_ERROR, [(header::RETRY_AFTER, "0")]).into_response(),
        "/moved" => {
            (StatusCode::FOUND, [(header::LOCATION, "/followed"), (header::RETRY_AFTER, "0")]).into_response()
        }
        _ => StatusCode::OK.into_response(),
    }
}

async fn desk(rules: &str) -> Desk {
    let desk = Desk::open(Options::default()).await;
    desk.centre.control().pause();
    let config = std::fs::read_to_string(desk.config()).unwrap();
    std::fs::write(desk.config(), format!("default_alerts = false\n{rules}\n{config}")).unwrap();
    desk
}

/// Watches, with the webhooks' secrets, until alerts are open.
async fn watch(desk: &Desk, more: &[&str], secret: (&str, &str)) -> Watching {
    let args = ["watch", "--json", "--timeout", "120s", "--only", "pingstreams"];
    let mut command = desk.floorctl(&[&args[..], more].concat());
    command.env(secret.0, secret.1);
    let mut watching = Watching::start(command);
    let open = |line: &Value| {
        let first = line["alerts"].as_array().is_some_and(|alerts| !alerts.is_empty());
        first || (line["type"] == "alert" && line["transition"] == "firing")
    };
    watching.until("an alert", open).await;
    watching
}

fn rule(name: &str, when: &str, hook: &str) -> String {
    format!("[[alert]]\nname = \"{name}\"\nwhen = \"{when}\"\nnotify = [\"webhook:{hook}\"]\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_signed_grouped_tried_again_and_never_follow_a_redirect() {
    let receiver = Receiver::open().await;
    let origin = &receiver.origin;
    let hook = |name: &str, shape: &str| {
        format!(
            "[[webhook]]\nname = \"{name}\"\nurl = \"{origin}/{name}\"\nshape = \"{shape}\"\nsecret_env = \"HOOK_KEY\"\n"
        )
    };
    let rules = [
        rule("Any queue", "queue.waiting >= 0", "grouped"),
        rule("Data", "source.data_age >= 0s", "flaky"),
        rule("Moved", "source.data_age >= 0s", "moved"),
        rule("Chat", "source.data_age >= 0s", "chat"),
        rule("Slow", "source.data_age >= 0s", "slow"),
        rule("Broken", "source.data_age >= 0s", "broken"),
        hook("grouped", "json"),
        hook("flaky", "json"),
        hook("moved", "json"),
        hook("chat", "slack"),
        hook("slow", "json"),
        hook("broken", "json"),
        hook("unused", "json"),
    ]
    .join("\n");
    let desk = desk(&rules).await;

    // Plain watching tells nobody.
    let watching = watch(&desk, &[], ("HOOK_KEY", KEY)).await;
    tokio::time::sleep(A_MOMENT).await;
    watching.stop().await;
    assert!(receiver.heard.lock().unwrap().is_empty());

    let watching = watch(&desk, &["--record"], ("HOOK_KEY", KEY)).await;
    let grouped = receiver.until("/grouped", 2).await;
    let first = grouped[0].json();
    assert_eq!(first["alerts"].as_array().unwrap().len(), 1, "the first at once: {first:#}");
    assert_eq!(first["alerts"][0]["transition"], "firing");
    assert_eq!(first["alerts"][0]["alert"]["rule"], "Any queue");
    assert_eq!(first["alerts"][0]["alert"]["state"], "firing");
    assert!(grouped[1].transitions().len() > 1, "the others of the source together: {}", grouped[1].body);
    for heard in &grouped {
        let (t, v1) =
            heard.signature.as_deref().unwrap().strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
        mac.update(format!("{t}.{}", heard.body).as_bytes());
        let wanted: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(v1, wanted);
    }
    let flaky = receiver.until("/flaky", 3).await;
    assert_eq!(flaky[0].body, flaky[2].body, "the same alert until it is taken");
    let moved = receiver.until("/moved", 5).await;
    let chat = receiver.until("/chat", 1).await;
    assert!(chat[0].json()["text"].as_str().unwrap().starts_with("Warning: Chat. "), "{}", chat[0].body);
    receiver.until("/broken", 5).await;
    receiver.until("/slow", 1).await;
    // Whatever should not come has time to.
    tokio::time::sleep(A_MOMENT).await;
    watching.stop().await;
    assert_eq!(moved.len(), 5);
    assert_eq!(receiver.at("/moved").len(), 5, "at most five tries");
    assert_eq!(receiver.at("/flaky").len(), 3, "taken is taken");
    assert_eq!(receiver.at("/broken").len(), 5, "a 500 is a failed delivery, tried again");
    assert!(!receiver.at("/slow").is_empty(), "and a slow one holds up nothing but itself");
    assert!(receiver.at("/followed").is_empty());
    assert!(receiver.at("/unused").is_empty());
    for heard in receiver.heard.lock().unwrap().iter() {
        assert!(!heard.body.contains(KEY));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_taken_is_told_after_a_restart_and_what_was_taken_is_not() {
    let receiver = Receiver::open().await;
    let address = format!("{}/hook", receiver.origin);
    // The whole address is the secret; nothing is signed.
    let rules = [
        rule("Data", "source.data_age >= 0s", "hook"),
        "[[webhook]]\nname = \"hook\"\nsecret_env = \"HOOK_ADDRESS\"\n".to_owned(),
    ]
    .join("\n");
    let desk = desk(&rules).await;
    // Nobody listens there.
    let nobody = ("HOOK_ADDRESS", "http://127.0.0.1:9/secret-path");
    let watching = watch(&desk, &["--record"], nobody).await;
    tokio::time::sleep(A_MOMENT).await;
    watching.stop().await;
    assert!(receiver.at("/hook").is_empty());
    let somebody = ("HOOK_ADDRESS", address.as_str());
    let watching = watch(&desk, &["--record"], somebody).await;
    receiver.until("/hook", 1).await;
    tokio::time::sleep(A_MOMENT).await;
    watching.stop().await;
    let heard = receiver.at("/hook");
    let all: Vec<&str> = heard.iter().map(|h| h.body.as_str()).collect();
    assert_eq!(heard.len(), 1, "told once: {all:#?}");
    assert_eq!(heard[0].transitions(), ["firing"]);
    assert_eq!(heard[0].signature, None);
    let watching = watch(&desk, &["--record"], somebody).await;
    tokio::time::sleep(A_MOMENT).await;
    watching.stop().await;
    assert_eq!(receiver.at("/hook").len(), 1, "and not again");
}
