//! The Comm100 server, asked over real sockets, point by point of its contract.
#![allow(clippy::unwrap_used)] // A test may stop where it stands.

use std::time::Duration;

use model::Vendor;
use serde_json::{Value, json};
use simulator::{
    Control, Fault, Options, Running,
    comm100::{Dialect, Envelope, LOGIN, NoReference, Numbers, OverLimit, Rates},
    floor::Scenario,
    start,
};

const V: Vendor = Vendor::Comm100;

struct Scene {
    running: Running,
    control: Control,
    base: String,
    http: reqwest::Client,
}

async fn scene_of(options: Options) -> Scene {
    let running = start(options).await.unwrap();
    Scene {
        control: running.control(),
        base: format!("http://{}", running.address(V).unwrap()),
        http: http_client(),
        running,
    }
}
async fn scene(dialect: Dialect) -> Scene {
    scene_of(Options { comm100: dialect, ..Options::quiet(&[V]) }).await
}

impl Scene {
    async fn get(&self, path: &str) -> (u16, Value) {
        let joint = if path.contains('?') { '&' } else { '?' };
        let url = format!("{}/v4/{path}{joint}siteId=10000", self.base);
        let answer = self.http.get(url).basic_auth(LOGIN, Some("fake-key")).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }
    async fn token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        let answer = self.http.post(format!("{}/oauth/token", self.base)).form(form).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
    async fn bearer(&self, token: &str) -> u16 {
        let url = format!("{}/v4/livechat/realTime/Today", self.base);
        self.http.get(url).bearer_auth(token).send().await.unwrap().status().as_u16()
    }
}

fn int(value: &Value) -> i64 {
    value.as_f64().map(|f| f as i64).or_else(|| value.as_str().and_then(|s| s.parse().ok())).unwrap()
}

fn http_client() -> reqwest::Client {
    // The second call finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

#[tokio::test]
async fn callers_are_told_what_is_wrong() {
    let s = scene(Dialect::default()).await;
    let url = format!("{}/v4/livechat/realTime/RightNow", s.base);
    let bare = s.http.get(&url).send().await.unwrap();
    assert_eq!(bare.status(), 401);
    assert_eq!(bare.json::<Value>().await.unwrap()["code"], 401_000);
    let no_site = s.http.get(&url).basic_auth(LOGIN, Some("fake-key")).send().await.unwrap();
    assert_eq!(no_site.status(), 400);
    assert_eq!(no_site.json::<Value>().await.unwrap()["message"], "Parameter 'siteId' is required.");
    let wrong = s.http.get(format!("{url}?SITEID=10001")).basic_auth(LOGIN, Some("fake-key"));
    assert_eq!(wrong.send().await.unwrap().status(), 403);
    assert_eq!(s.get("LIVECHAT/realtime/RIGHTNOW").await.0, 200, "paths are case-insensitive");
    assert_eq!(s.get("livechat/realTime/Nothing").await.0, 404);
    assert_eq!(
        s.get("livechat/realTime/Agents?departmentId=x").await.1["errors"]["departmentId"][0],
        "The value 'x' is not valid."
    );
    s.control.require_secret(V, Some("fake-other")).unwrap();
    assert_eq!(s.get("livechat/realTime/RightNow").await.0, 401);
    s.running.shutdown().await;
}

#[tokio::test]
async fn tokens_are_issued_rotated_and_revoked() {
    let s = scene(Dialect::default()).await;
    let password = [("grant_type", "password"), ("email", LOGIN), ("password", "fake"), ("client_Id", "any")];
    let (status, first) = s.token(&password).await;
    assert_eq!((status, &first["token_type"], &first["expires_in"]), (200, &json!("bearer"), &json!(43_199)));
    assert_eq!(
        s.bearer(first["access_token"].as_str().unwrap()).await,
        200,
        "no site id needed with a token"
    );
    let refresh =
        [("grant_type", "refresh_token"), ("refresh_token", first["refresh_token"].as_str().unwrap())];
    let (status, second) = s.token(&refresh).await;
    assert_eq!(status, 200);
    assert_eq!(
        s.token(&refresh).await,
        (400, json!({"error": "invalid_grant", "error_description": "the refresh token is not valid"}))
    );
    s.control.revoke_tokens(V).unwrap();
    assert_eq!(s.bearer(second["access_token"].as_str().unwrap()).await, 401);
    let wrong = [("grant_type", "password"), ("email", "nobody@example.test"), ("password", "fake")];
    assert_eq!(s.token(&wrong).await.1["error"], "invalid_grant");
    assert_eq!(s.token(&[("grant_type", "client_credentials")]).await.1["error"], "unsupported_grant_type");
    assert_eq!(s.control.counters(V).unwrap().tokens, 2);
}

#[tokio::test]
async fn agents_come_in_pages() {
    let options = Options {
        scenario: Scenario::Big { queues: 4, agents: 32, conversations: 40 },
        ..Options::quiet(&[V])
    };
    let s = scene_of(options).await;
    let (_, page) = s.get("livechat/realTime/Agents?pageSize=5&pageIndex=7").await;
    assert_eq!((&page["total"], &page["pageCount"], &page["pageIndex"]), (&json!(32), &json!(7), &json!(7)));
    assert_eq!(page["list"].as_array().unwrap().len(), 2);
    assert_eq!(s.get("livechat/realTime/Agents").await.1["list"].as_array().unwrap().len(), 10);
    assert_eq!(s.get("livechat/realTime/Agents?pageIndex=99").await.1["list"], json!([]));
    assert_eq!(s.get("livechat/realTime/Agents?pageSize=1000").await.1["pageSize"], 100);
    let queue =
        s.running.truth(V).queues.iter().find_map(|q| q.id.strip_prefix("dept:").map(str::to_owned)).unwrap();
    let (_, part) = s.get(&format!("livechat/realTime/Agents?departmentId={queue}&pageSize=100")).await;
    assert!(part["total"].as_u64().unwrap() < 32);
    let (_, with) = s.get("livechat/realTime/Agents?includeStatusDistribution=true").await;
    assert!(!with["list"][0]["statusDistribution"].as_object().unwrap().is_empty());
}

#[tokio::test]
async fn a_wait_begins_grows_and_ends() {
    let s = scene(Dialect::default()).await;
    let (queue, name) = s.control.queues(V).unwrap()[0].clone();
    let (agent, _) = s.control.agents(V).unwrap()[0].clone();
    let id = s.control.customer_arrived(V, &name, Duration::from_secs(95), None).unwrap();
    let rows = s.get("livechat/realTime/Queue").await.1;
    let row = &rows[0];
    assert_eq!(queue.as_str(), format!("dept:{}", row["routeToDepartmentId"].as_str().unwrap()));
    assert_eq!(
        (&row["currentQueueLength"], &row["visitors"][0]["visitorId"]),
        (&json!(1), &json!(id.as_str()))
    );
    assert!((95..100).contains(&row["visitors"][0]["waitTime"].as_i64().unwrap()));
    assert_eq!(s.get("livechat/realTime/RightNow").await.1["currentQueueLength"], 1);
    s.control.agent_takes(V, &id, &agent).unwrap();
    let rows = s.get("livechat/realTime/Queue").await.1;
    assert_eq!((&rows[0]["currentQueueLength"], &rows[0]["ongoingChats"]), (&json!(0), &json!(1)));
    assert!(rows[0]["avgWaitTimeinLast30Mins"].as_i64().unwrap() >= 95);
    let row = rows.as_array().unwrap().last().unwrap();
    assert!(
        row["routeToAgent"]["apiKey"].as_str().unwrap().starts_with("fake-"),
        "what a client must not keep"
    );
    assert_eq!(s.get("livechat/realTime/Today").await.1["chats"], 1);
    s.control.leaves(V, &id).unwrap();
    let late = s.control.customer_arrives(V, &name).unwrap();
    s.control.leaves(V, &late).unwrap();
    let rows = s.get("livechat/realTime/Queue").await.1;
    assert_eq!((&rows[0]["ongoingChats"], &rows[0]["abandonedChatsinLast30Mins"]), (&json!(0), &json!(1)));
}

async fn today_adds_up(dialect: Dialect, seed: u64) {
    let (corrected, rates) = (dialect.corrected_names, dialect.rates);
    let s =
        scene_of(Options { comm100: dialect, seed, scenario: Scenario::Demo, ..Options::quiet(&[V]) }).await;
    let (_, today) = s.get("livechat/realTime/Today").await;
    let abandoned = if corrected { "abandonedChats" } else { "abandondedChats" };
    let switched = if corrected { "switchToMessages" } else { "switchedToMessageChats" };
    let sum: i64 = ["chats", abandoned, switched, "missedChats"].iter().map(|k| int(&today[*k])).sum();
    assert_eq!(sum, int(&today["chatRequests"]), "{today}");
    let rate = today["chatAcceptanceRate"]
        .as_f64()
        .or_else(|| today["chatAcceptanceRate"].as_str().unwrap().parse().ok());
    let scale = if rates == Rates::Percent { 100.0 } else { 1.0 };
    let expected = int(&today["chats"]) as f64 / int(&today["chatRequests"]) as f64;
    assert!((rate.unwrap() / scale - expected).abs() < 0.001, "{today}");
}

#[tokio::test]
async fn todays_figures_add_up_in_every_dialect() {
    today_adds_up(Dialect::default(), 1).await;
    for seed in 1..=6 {
        today_adds_up(Dialect::chaos(seed), seed).await;
    }
}

#[tokio::test]
async fn dialects_differ_in_form_only() {
    let dialect = Dialect {
        on_going: true,
        numbers: Numbers::Text,
        no_reference: NoReference::Missing,
        envelope: Envelope::Bare,
        corrected_names: true,
        upper_guids: true,
        mirrored_site: true,
        ..Dialect::default()
    };
    let s = scene(dialect).await;
    let name = s.control.queues(V).unwrap()[0].1.clone();
    s.control.customer_arrives(V, &name).unwrap();
    let agents = s.get("livechat/realTime/Agents").await.1;
    assert_eq!(agents[0]["onGoingChats"], "0");
    let rows = s.get("livechat/realTime/Queue").await.1;
    assert!(rows[0].get("routeToAgentId").is_none());
    assert_eq!(rows[0]["abandonedChatsInLast30Mins"], "0");
    let site = rows.as_array().unwrap().last().unwrap();
    assert_eq!(site["visitors"], rows[0]["visitors"], "the same visitor in two rows");
    assert_eq!(Dialect::chaos(9), Dialect::chaos(9));
}

#[tokio::test]
async fn the_limit_counts_and_answers_in_three_ways() {
    for (over, status) in [
        (OverLimit::TooMany(Duration::from_secs(60)), 429),
        (OverLimit::TooManyBare, 429),
        (OverLimit::Forbidden, 403),
    ] {
        let s = scene(Dialect { over_limit: over, ..Dialect::default() }).await;
        s.control.limit(V, Some((3, Duration::from_secs(300)))).unwrap();
        for _ in 0..3 {
            assert_eq!(s.get("livechat/realTime/RightNow").await.0, 200);
        }
        assert_eq!(s.get("livechat/realTime/RightNow").await.0, status);
        let counters = s.control.counters(V).unwrap();
        assert_eq!((counters.most_in_window, counters.over_limit, counters.of("rightnow")), (4, 1, 4));
    }
}

#[tokio::test]
async fn permissions_and_faults_are_per_endpoint() {
    let s = scene(Dialect { queue_forbidden: true, lookups_forbidden: true, ..Dialect::default() }).await;
    assert_eq!(s.get("livechat/realTime/Queue").await.0, 403);
    assert_eq!(s.get("global/departments").await.0, 403);
    assert_eq!(s.get("livechat/agents").await.0, 200);
    assert_eq!(s.get("livechat/realTime/RightNow").await.0, 200);
    s.control.fault_times(V, "today", Fault::status(500, "{\"code\":500000,\"message\":\"x\"}"), 1).unwrap();
    assert_eq!(s.get("livechat/realTime/Today").await.0, 500);
    assert_eq!(s.get("livechat/realTime/Today").await.0, 200);
    s.control.fault_times(V, "today", Fault::CutBody, 1).unwrap();
    assert_eq!(s.get("livechat/realTime/Today").await.1, Value::Null);
}

#[tokio::test]
async fn lookups_name_what_the_numbers_mean() {
    let s = scene(Dialect::default()).await;
    let departments = s.get("global/departments").await.1;
    assert_eq!(departments.as_array().unwrap().len(), 3);
    assert!(!departments[0]["agentIds"].as_array().unwrap().is_empty());
    let names = s.get("global/agentAwayStatuses").await.1;
    let statuses: Vec<&str> = names.as_array().unwrap().iter().map(|n| n["id"].as_str().unwrap()).collect();
    let agents = s.get("livechat/realTime/Agents").await.1;
    let away = agents["list"].as_array().unwrap().iter().find(|a| {
        let id = a["currentStatusId"].as_str().unwrap();
        !id.starts_with("00000000-0000-0000-0000-00000000000")
    });
    assert!(statuses.contains(&away.unwrap()["currentStatusId"].as_str().unwrap()));
    let by_name = s.get("livechat/agents").await.1;
    assert!(by_name.as_array().unwrap().iter().any(|a| a["status"] == "Break"));
    assert_eq!(
        s.get("livechat/autoDistributionConfig").await.1["agentAutoDistributionConfigs"][0]["maxConcurrentChats"],
        3
    );
    assert_eq!(s.get("global/site").await.1["siteId"], 10_000);
}

#[tokio::test]
async fn scripts_can_steer_over_http() {
    let s = scene_of(Options { control_port: Some(0), ..Options::quiet(&[V]) }).await;
    let desk = format!("http://{}/comm100", s.running.control_address().unwrap());
    let post = async |path: &str| -> Value {
        s.http.post(format!("{desk}/{path}")).send().await.unwrap().json().await.unwrap()
    };
    let arrived = post("arrive?queue=Billing&ago=125").await;
    assert_eq!(arrived["ok"], true, "{arrived}");
    let truth: Value = s.http.get(format!("{desk}/truth")).send().await.unwrap().json().await.unwrap();
    assert_eq!(truth["conversations"][0]["id"], arrived["id"]);
    assert_eq!(post("fault?endpoint=today&status=503&times=1").await["ok"], true);
    assert_eq!(s.get("livechat/realTime/Today").await.0, 503);
    assert_eq!(post("end?conversation=nothing").await["ok"], false);
    assert_eq!(post("dance").await["error"], "no act of that name");
}
