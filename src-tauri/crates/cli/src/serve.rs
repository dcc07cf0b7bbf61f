//! `floorctl serve`: the window's page for a browser on this machine. Loopback only, off by default; the
//! token in the address is the key, and a page from elsewhere (another origin) gets nothing.

use std::{collections::HashMap, net::Ipv4Addr, path::PathBuf, sync::Arc, time::Duration};

use app::{
    Floorwalker,
    api::{Ask, Code, Failure, Reply},
};
use axum::{
    Router,
    extract::{
        Path, Query, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use engine::view::{ViewMessage, ViewSpec};
use futures_util::{SinkExt, StreamExt};
use rand::Rng;
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{Exit, args::Global, print, session};

pub struct Options {
    pub port: u16,
    pub page: Option<PathBuf>,
    pub demo_mark: bool,
    pub lasting: Option<Duration>,
}

/// A question is small; a page that sends more is not ours.
const LARGEST_QUESTION: usize = 256 * 1024;

/// Subscriptions of one page.
const MOST_SUBSCRIPTIONS: usize = 64;

struct Bridge {
    floorwalker: Floorwalker,
    token: String,
    origin: String,
    page: PathBuf,
}

pub async fn run(global: &Global, options: Options, stop: &CancellationToken) -> Exit {
    let page = options.page.unwrap_or_else(|| PathBuf::from("ui/dist"));
    if !page.join("index.html").is_file() {
        eprintln!(
            "floorctl: {} holds no index.html; build the page first, or name its folder with --page",
            page.display()
        );
        return Exit::Usage;
    }
    let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!(
                "floorctl: port {} on 127.0.0.1 cannot be opened ({error}); choose another with --port",
                options.port
            );
            return Exit::Usage;
        }
    };
    let Ok(address) = listener.local_addr() else { return Exit::Internal };
    let floorwalker = match session::start(global, true, false, options.demo_mark).await {
        Ok(floorwalker) => floorwalker,
        Err(exit) => return exit,
    };
    let token = format!("{:032x}", rand::rng().random::<u128>());
    let bridge = Arc::new(Bridge {
        floorwalker: floorwalker.clone(),
        origin: format!("http://{address}"),
        page,
        token: token.clone(),
    });
    let routes = Router::new()
        .route("/", get(|state: State<Arc<Bridge>>| async move { file(&state, "index.html") }))
        .route("/ws", get(socket))
        .route(
            "/{*path}",
            get(|state: State<Arc<Bridge>>, path: Path<String>| async move { file(&state, &path) }),
        )
        .with_state(bridge);
    print(&format!("http://{address}/?token={token}"));
    let served = axum::serve(listener, routes);
    let interrupted = tokio::select! {
        _ = served.into_future() => false,
        () = stop.cancelled() => true,
        () = rest(options.lasting) => false,
    };
    floorwalker.shutdown().await;
    if interrupted { Exit::Interrupted } else { Exit::Good }
}

async fn rest(lasting: Option<Duration>) {
    match lasting {
        Some(lasting) => tokio::time::sleep(lasting).await,
        None => std::future::pending().await,
    }
}

/// A file of the page; only plain names below the page's folder.
fn file(bridge: &Bridge, name: &str) -> Response {
    let plain =
        name.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', ':']));
    let Some(bytes) = plain.then(|| std::fs::read(bridge.page.join(name)).ok()).flatten() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    };
    let policy = format!(
        "default-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self' {}; frame-ancestors 'none'; base-uri 'none'",
        bridge.origin.replacen("http", "ws", 1)
    );
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, bytes).into_response()
}

#[derive(Deserialize)]
struct Key {
    token: String,
}

async fn socket(
    State(bridge): State<Arc<Bridge>>,
    Query(key): Query<Key>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let origin_fits = headers.get(header::ORIGIN).is_some_and(|o| o.as_bytes() == bridge.origin.as_bytes());
    if !same(&key.token, &bridge.token) || !origin_fits {
        return StatusCode::FORBIDDEN.into_response();
    }
    upgrade.max_message_size(LARGEST_QUESTION).on_upgrade(move |socket| converse(bridge, socket))
}

/// Compares without telling by its time where the difference is.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |d, (x, y)| d | (x ^ y)) == 0
}

#[derive(Deserialize)]
#[serde(untagged)]
enum FromPage {
    Ask { id: u64, ask: Box<Ask> },
    Subscribe { id: u64, subscribe: ViewSpec },
    Unsubscribe { unsubscribe: u64 },
}

#[derive(Serialize)]
#[serde(untagged)]
enum ToPage {
    Reply { id: u64, reply: Reply },
    Failure { id: u64, failure: Failure },
    View { id: u64, view: ViewMessage },
}

async fn converse(bridge: Arc<Bridge>, socket: WebSocket) {
    let (mut sink, mut stream) = socket.split();
    let (out, mut messages) = mpsc::channel::<ToPage>(16);
    let writer = tokio::spawn(async move {
        while let Some(message) = messages.recv().await {
            let Ok(text) = serde_json::to_string(&message) else { continue };
            if sink.send(Message::Text(text.into())).await.is_err() {
                return;
            }
        }
    });
    let mut subscriptions: HashMap<u64, JoinHandle<()>> = HashMap::new();
    while let Some(Ok(message)) = stream.next().await {
        let Message::Text(text) = message else { continue };
        match serde_json::from_str::<FromPage>(&text) {
            Ok(FromPage::Ask { id, ask }) => {
                let (floorwalker, out) = (bridge.floorwalker.clone(), out.clone());
                // Beside the reading: a trial connection takes long, and the page goes on asking.
                tokio::spawn(async move {
                    let message = match floorwalker.ask(*ask).await {
                        Ok(reply) => ToPage::Reply { id, reply },
                        Err(failure) => ToPage::Failure { id, failure },
                    };
                    let _ = out.send(message).await;
                });
            }
            Ok(FromPage::Subscribe { id, subscribe }) if subscriptions.len() < MOST_SUBSCRIPTIONS => {
                let task = tokio::spawn(feed(bridge.floorwalker.clone(), id, subscribe, out.clone()));
                if let Some(old) = subscriptions.insert(id, task) {
                    old.abort();
                }
            }
            Ok(FromPage::Subscribe { id, .. }) => {
                let failure = Failure::new(Code::NotHere, "This page has too many views open.");
                let _ = out.send(ToPage::Failure { id, failure }).await;
            }
            Ok(FromPage::Unsubscribe { unsubscribe }) => {
                if let Some(task) = subscriptions.remove(&unsubscribe) {
                    task.abort();
                }
            }
            Err(error) => tracing::warn!(%error, "The page said something that is no question."),
        }
    }
    for task in subscriptions.into_values() {
        task.abort();
    }
    writer.abort();
}

async fn feed(floorwalker: Floorwalker, id: u64, spec: ViewSpec, out: mpsc::Sender<ToPage>) {
    let Ok(mut subscription) = floorwalker.subscribe(spec).await else { return };
    while let Some(view) = subscription.next().await {
        if out.send(ToPage::View { id, view }).await.is_err() {
            return;
        }
    }
}
