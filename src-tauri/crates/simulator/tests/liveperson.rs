//! The LivePerson server, asked over real sockets, point by point of its contract.
#![allow(clippy::unwrap_used)] // A test may stop where it stands.

use std::time::Duration;

use model::Vendor;
use reqwest::{RequestBuilder, header::SET_COOKIE};
use serde_json::{Value, json};
use simulator::{
    Control, Options, Running,
    liveperson::{ACCOUNT, Dialect, Foreign, LOGIN, Takeover},
    start,
};

const V: Vendor = Vendor::Liveperson;

struct Scene {
    _running: Running,
    control: Control,
    base: String,
    http: reqwest::Client,
}

/// A client that has signed in and opened a session.
struct Client {
    bearer: String,
    csrf: String,
    login_cookie: String,
    session: String,
    cookie: String,
}

async fn scene(dialect: Dialect) -> Scene {
    let liveperson = Dialect { own: Some(0), figures_every: Duration::ZERO, ..dialect };
    let running = start(Options { liveperson, ..Options::quiet(&[V]) }).await.unwrap();
    // The second call finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Scene {
        control: running.control(),
        base: format!("http://{}", running.address(V).unwrap()),
        http: reqwest::Client::builder().no_proxy().build().unwrap(),
        _running: running,
    }
}

async fn send(request: RequestBuilder) -> (u16, Value, Option<String>) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let cookie =
        answer.headers().get(SET_COOKIE).map(|c| c.to_str().unwrap().split(';').next().unwrap().to_owned());
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(json!(text)), cookie)
}

impl Scene {
    fn account(&self, path: &str) -> String {
        format!("{}/api/account/{ACCOUNT}/{path}", self.base)
    }
    async fn client(&self) -> Client {
        let body = json!({"username": LOGIN, "password": "fake-password"});
        let (status, said, cookie) = send(self.http.post(self.account("login?v=1.3")).json(&body)).await;
        assert_eq!(status, 200);
        let text = |key: &str| said[key].as_str().unwrap().to_owned();
        let (bearer, csrf) = (text("bearer"), text("csrf"));
        assert_eq!((bearer.len(), said["sessionTTl"].as_str()), (64, Some("28800000")));
        let made = self
            .http
            .post(self.account("agentSession?v=1&NC=true"))
            .bearer_auth(&bearer)
            .json(&json!({"loginData": ""}));
        let (status, at, session_cookie) = send(made).await;
        assert_eq!(status, 201);
        let href = at["agentSessionLocation"]["link"]["@href"].as_str().unwrap();
        let session = format!("agentSession/{}", href.rsplit('/').next().unwrap());
        Client { bearer, csrf, login_cookie: cookie.unwrap(), session, cookie: session_cookie.unwrap() }
    }
    async fn get(&self, client: &Client, path: &str) -> (u16, Value) {
        let url = self.account(&format!("{}/{path}", client.session));
        let (status, body, _) =
            send(self.http.get(url).bearer_auth(&client.bearer).header("cookie", &client.cookie)).await;
        (status, body)
    }
    async fn operations(&self, client: &Client, path: &str) -> (u16, Value) {
        let url = format!("{}/operations/api/account/{ACCOUNT}/{path}", self.base);
        let (status, body, _) = send(self.http.get(url).bearer_auth(&client.bearer)).await;
        (status, body)
    }
    /// Somebody waits, is taken by our own user, and both write.
    fn chat(&self) -> String {
        let (queue, agent) =
            (self.control.queues(V).unwrap()[0].0.clone(), self.control.agents(V).unwrap()[0].0.clone());
        let key = self.control.customer_arrives(V, &queue).unwrap();
        self.control.agent_takes(V, &key, &agent).unwrap();
        self.control.customer_writes(V, &key).unwrap();
        self.control.agent_writes(V, &key, &agent).unwrap();
        key.to_string()
    }
}

fn ids(chat: &Value) -> Vec<i64> {
    chat["events"]["event"]
        .as_array()
        .map_or(Vec::new(), |all| all.iter().map(|e| e["id"].as_i64().unwrap()).collect())
}

#[tokio::test]
async fn hosts_are_looked_up_by_account_and_service() {
    let scene = scene(Dialect::default()).await;
    let ask = |account: &str, service: &str| {
        scene
            .http
            .get(format!("{}/api/account/{account}/service/{service}baseURI.json?version=1.0", scene.base))
    };
    let (status, one, _) = send(ask(ACCOUNT, "agentVep/")).await;
    assert_eq!((status, one["baseURI"].as_str()), (200, scene.base.strip_prefix("http://")));
    let (_, all, _) = send(ask(ACCOUNT, "")).await;
    assert!(all["baseURIs"].as_array().unwrap().len() > 2);
    assert_eq!(send(ask("999", "agentVep/")).await.0, 401);
    assert_eq!(send(ask(ACCOUNT, "agentvep/")).await.0, 404, "names of services are case-sensitive");
}

#[tokio::test]
async fn a_session_begins_online_and_is_set_away() {
    let scene = scene(Dialect::default()).await;
    let client = scene.client().await;
    assert_eq!(scene.get(&client, "availability.json?v=1&NC=true").await.1["availability"]["chat"], "Online");
    let set = scene
        .http
        .post(scene.account(&format!("{}/availability?v=1&NC=true", client.session)))
        .bearer_auth(&client.bearer)
        .header("cookie", &client.cookie)
        .header("x-http-method-override", "PUT")
        .json(&json!({"availability": {"chat": "Away"}}));
    assert_eq!(send(set).await.0, 200);
    assert_eq!(scene.get(&client, "availability").await.1["availability"]["chat"], "Away");
    let agents = scene.get(&client, "availableAgents").await.1;
    let own = &agents["availableAgents"]["agents"]["agent"][0];
    assert_eq!((own["@chatState"].as_str(), own["@id"].is_string()), (Some("4"), true));
    // Without the session's own cookie nobody gets in.
    let bare = scene
        .http
        .get(scene.account(&format!("{}/availability", client.session)))
        .bearer_auth(&client.bearer);
    assert_eq!(send(bare).await.0, 401);
}

#[tokio::test]
async fn events_have_numbers_without_holes_in_both_modes() {
    for inclusive in [false, true] {
        let scene = scene(Dialect { inclusive, ..Dialect::default() }).await;
        let client = scene.client().await;
        let key = scene.chat();
        let all = scene.get(&client, &format!("chat?chatSessionKeys={key}&v=1")).await.1;
        let chat = &all["chats"]["chat"][0];
        let count = ids(chat).len() as i64;
        assert_eq!(ids(chat), (0..count).collect::<Vec<_>>());
        assert_eq!(chat["events"]["event"][0]["state"], "waiting");
        assert_eq!(chat["info"]["chatSessionKey"], key.as_str());
        let last = count - 1;
        let none = scene.get(&client, &format!("chat?chatSessionKeys={key}&fromEventIds={last}")).await.1;
        assert_eq!(ids(&none["chats"]["chat"][0]), if inclusive { vec![last] } else { vec![] });
        let from = scene.get(&client, &format!("chat/{key}/events?from={last}")).await.1;
        assert_eq!(from["events"]["event"]["@id"], last.to_string(), "a lone event is no list there");
        assert_eq!(scene.get(&client, &format!("chat?chatSessionKeys={key}&fromEventIds=1,2")).await.0, 400);
    }
}

#[tokio::test]
async fn only_own_chats_are_listed_and_read() {
    let scene = scene(Dialect { foreign: Foreign::RefusesAll, ..Dialect::default() }).await;
    let client = scene.client().await;
    let key = scene.chat();
    let queue = scene.control.queues(V).unwrap()[1].0.clone();
    let other = scene.control.customer_arrives(V, &queue).unwrap();
    scene.control.agent_takes(V, &other, &scene.control.agents(V).unwrap()[1].0).unwrap();
    let list = scene.get(&client, "chatSessions").await.1;
    assert_eq!(list["chatSessions"]["chatSession"].as_array().unwrap().len(), 1);
    assert_eq!(scene.get(&client, &format!("chat/{other}/info")).await.0, 404);
    assert_eq!(scene.get(&client, &format!("chat?chatSessionKeys={key},{other}")).await.0, 404);
    assert_eq!(scene.get(&client, &format!("chat/{key}/info")).await.1["info"]["state"], "chatting");
}

#[tokio::test]
async fn figures_of_skills_fit_together() {
    let scene = scene(Dialect::default()).await;
    let client = scene.client().await;
    scene.chat();
    let queue = scene.control.queues(V).unwrap()[0].0.clone();
    scene.control.customer_arrived(V, &queue, Duration::from_secs(40), None).unwrap();
    let state = scene.operations(&client, "queuestate?v=2&skillIds=all").await.1;
    let skill = &state["skills"][queue.as_str()];
    assert_eq!(skill["currentQueueSize"], 1);
    assert!(skill["currentMaxWaitTimeInQueue"].as_i64().unwrap() >= 40_000);
    assert_eq!(state["skills"].as_object().unwrap().len(), 3);
    let one = scene.operations(&client, "queuestate?v=1&skillIds=1").await.1;
    assert_eq!(one["skills"], json!({}));
    let health = scene.operations(&client, "queuehealth?timeframe=30&v=1&skillIds=all").await.1;
    let row = &health["skillsMetrics"][queue.as_str()];
    assert_eq!(
        (&row["enteredQEng"], &row["connectedEng"], &row["abandonedEng"]),
        (&json!(2), &json!(1), &json!(0))
    );
    assert_eq!(scene.operations(&client, "queuestate").await.0, 400, "the version is required");
    assert_eq!(scene.operations(&client, "queuehealth?timeframe=2000&v=1").await.0, 400);
}

#[tokio::test]
async fn refresh_and_logout_want_csrf_and_cookie() {
    let scene = scene(Dialect::default()).await;
    let client = scene.client().await;
    let post = |what: &str, csrf: &str, cookie: &str| {
        scene
            .http
            .post(scene.account(&format!("{what}?v=1.3")))
            .bearer_auth(&client.bearer)
            .header("cookie", cookie)
            .json(&json!({"csrf": csrf}))
    };
    assert_eq!(send(post("refresh", "wrong", &client.login_cookie)).await.0, 401);
    assert_eq!(send(post("refresh", &client.csrf, "Session_id=wrong")).await.0, 401);
    let (status, body, _) = send(post("refresh", &client.csrf, &client.login_cookie)).await;
    assert_eq!((status, body), (200, json!("")));
    assert_eq!(send(post("logout", &client.csrf, &client.login_cookie)).await.0, 200);
    let (status, body) = scene.get(&client, "availability").await;
    assert_eq!(status, 401);
    assert!(body.as_str().unwrap().starts_with("oauth_problem=token_rejected"));
}

#[tokio::test]
async fn the_other_resources_fit_the_floor() {
    let scene = scene(Dialect::default()).await;
    let client = scene.client().await;
    let key = scene.chat();
    let info = scene.get(&client, "info?v=1&NC=true").await.1;
    assert_eq!(
        (&info["info"]["loginName"], &info["info"]["availability"]["chat"]),
        (&json!(LOGIN), &json!("Online"))
    );
    assert!(scene.get(&client, "?v=1&NC=true").await.1["agentSessionId"]["link"].is_array());
    let targets = scene.get(&client, &format!("chat/{key}/transfer?v=1&NC=true")).await.1;
    assert!(targets["transfer"]["skill"].as_array().is_some_and(|skills| !skills.is_empty()));
    let sla = scene.operations(&client, "sla?timeframe=60&v=1&histogram=0,15,30").await.1;
    let buckets = sla["slaDataRange"].as_object().unwrap();
    assert_eq!((buckets.len(), &buckets["30"]["accumulated"]), (3, &json!(1.0)));
    assert_eq!(scene.operations(&client, "sla?timeframe=60&v=1&histogram=0,7").await.0, 400);
    let closed = scene.operations(&client, "engactivity?timeframe=60&v=1").await.1;
    assert_eq!(closed["metricsTotals"]["connectedEngagements"], 1);
    assert_eq!(
        scene.operations(&client, "agentactivity?timeframe=60&v=1").await.0,
        400,
        "agentIds is required"
    );
    let spent = scene.operations(&client, "agentactivity?timeframe=60&v=1&agentIds=all").await.1;
    assert!(spent["agentsMetrics"]["metricsPerAgent"].as_object().is_some_and(|agents| agents.len() > 1));
    for what in ["skills", "users", "agentGroups"] {
        let url = scene.account(&format!("configuration/le-users/{what}?v=1"));
        let (status, list, _) = send(scene.http.get(url).bearer_auth(&client.bearer)).await;
        assert!(status == 200 && list.is_array(), "{what}");
    }
}

#[tokio::test]
async fn a_login_may_end_those_before_it() {
    for (takes_over, status) in [(Takeover::Refused, 401), (Takeover::Gone, 404), (Takeover::Never, 200)] {
        let scene = scene(Dialect { takes_over, ..Dialect::default() }).await;
        let first = scene.client().await;
        assert_eq!(scene.get(&first, "availability?v=1&NC=true").await.0, 200);
        let second = scene.client().await;
        assert_eq!(scene.get(&first, "availability?v=1&NC=true").await.0, status, "{takes_over:?}");
        assert_eq!(scene.get(&second, "availability?v=1&NC=true").await.0, 200);
    }
}
