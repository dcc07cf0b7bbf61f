use std::sync::Mutex;

use link::SystemClock;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::oneshot,
};

use super::{super::tests::alert, *};
use crate::{
    ports::{Vault, VaultError},
    runtime::{desk::DeskBook, record::Sentences},
};

struct OneKey;

#[async_trait::async_trait]
impl Vault for OneKey {
    async fn get(&self, _: &str) -> Result<Option<Secret>, VaultError> {
        Ok(Some(Secret::new("fake-key")))
    }
    async fn set(&self, _: &str, _: Secret) -> Result<(), VaultError> {
        Ok(())
    }
    async fn delete(&self, _: &str) -> Result<(), VaultError> {
        Ok(())
    }
}

/// Never answers the first request, and all others at once.
async fn receiver(bodies: Arc<Mutex<Vec<serde_json::Value>>>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut text = Vec::new();
            let body = loop {
                let mut piece = [0; 4096];
                let n = socket.read(&mut piece).await.unwrap();
                assert!(n > 0, "a whole request");
                text.extend_from_slice(&piece[..n]);
                let end = text.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 4);
                if let Some(body) = end.and_then(|at| serde_json::from_slice(&text[at..]).ok()) {
                    break body;
                }
            };
            bodies.lock().unwrap().push(body);
            if held.is_empty() {
                held.push(socket);
            } else {
                let _ = socket.write_all(b"HTTP/1.1 204 X\r\nconnection: close\r\n\r\n").await;
            }
        }
    });
    format!("http://{address}/hook")
}

#[tokio::test]
async fn a_critical_alert_waits_for_no_tries_of_an_older_one() {
    let bodies: Arc<Mutex<Vec<serde_json::Value>>> = Arc::default();
    let settings = Webhook {
        name: "slow".to_owned(),
        url: Some(receiver(bodies.clone()).await),
        shape: WebhookShape::Json,
        secret_env: None,
    };
    let folder = tempfile::tempdir().unwrap();
    let sentences = Sentences::default();
    let means = Means {
        book: DeskBook::open(folder.path(), None, &sentences).0,
        vault: Arc::new(OneKey),
        clock: Arc::new(SystemClock),
        sentences,
    };
    let (to, from) = mpsc::channel(8);
    let task = tokio::spawn(Delivery::new(settings, means).run(from));
    let tell = async |transition, id: &str, severity| {
        to.send(Order::Tell(Told { transition, alert: alert(id, severity) })).await.unwrap();
    };
    let until = async |count: usize| {
        while bodies.lock().unwrap().len() < count {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        bodies.lock().unwrap().clone()
    };
    tell(Transition::Firing, "one", Severity::Warning).await;
    until(1).await;
    tell(Transition::Firing, "two", Severity::Warning).await;
    tell(Transition::Escalated, "one", Severity::Critical).await;
    let second = until(2).await.swap_remove(1);
    let told: Vec<_> = second["alerts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| format!("{} {}", a["alert"]["id"].as_str().unwrap(), a["transition"].as_str().unwrap()))
        .collect();
    assert_eq!(told, ["one firing", "two firing", "one escalated"], "in order, and all of it");
    // What has arrived is not told again.
    let (done, finished) = oneshot::channel();
    to.send(Order::Finish(done)).await.unwrap();
    finished.await.unwrap();
    task.await.unwrap();
    assert_eq!(bodies.lock().unwrap().len(), 2);
}

#[test]
fn the_last_try_promises_no_other() {
    assert_eq!(without_hope("It did not answer; it is tried again."), "It did not answer.");
    assert_eq!(without_hope("it answered 500."), "it answered 500.");
}
