//! The giosg server, asked over real sockets, point by point of its contract.
#![allow(clippy::unwrap_used)] // A test may stop where it stands.

use std::{collections::BTreeSet, time::Duration};

use model::Vendor;
use serde_json::{Value, json};
use simulator::{
    Control, Options, Running,
    floor::{Scenario, Stance},
    giosg::{Denial, Dialect, Pager, Trap},
    start,
};

const V: Vendor = Vendor::Giosg;
const ROOMS: &str = "/api/v4/reporting/realtime/rooms";
const USERS: &str = "/api/v4/reporting/realtime/users";

struct Scene {
    _running: Running,
    control: Control,
    base: String,
    http: reqwest::Client,
}

async fn scene_of(options: Options) -> Scene {
    // The second call finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let running = start(options).await.unwrap();
    let control = running.control();
    control.pause();
    let base = format!("http://{}", running.address(V).unwrap());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    Scene { control, base, http, _running: running }
}
async fn scene(dialect: Dialect) -> Scene {
    scene_of(Options { giosg: dialect, ..Options::quiet(&[V]) }).await
}

impl Scene {
    async fn asked(&self, address: &str, proof: Option<&str>) -> reqwest::Response {
        let request = self.http.get(address).header("accept", "application/json");
        let request = match proof {
            Some(proof) => request.header("authorization", proof),
            None => request,
        };
        request.send().await.unwrap()
    }
    async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.asked(&format!("{}{path}", self.base), Some("Token fake")).await;
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }
    /// All rows of a collection under the cursor pager, and how many pages there were.
    async fn all(&self, path: &str) -> (Vec<Value>, usize) {
        let (mut rows, mut pages, mut next) = (Vec::new(), 0, Some(format!("{}{path}", self.base)));
        while let Some(address) = next {
            let page: Value = self.asked(&address, Some("Bearer fake")).await.json().await.unwrap();
            rows.extend(page["results"].as_array().unwrap().clone());
            next = page["next"].as_str().map(str::to_owned);
            pages += 1;
            assert!(pages < 100, "a pager ends");
        }
        (rows, pages)
    }
}

#[tokio::test]
async fn callers_are_told_what_is_wrong() {
    let s = scene(Dialect::default()).await;
    let rooms = format!("{}{ROOMS}", s.base);
    let bare = s.asked(&rooms, None).await;
    assert_eq!(
        (bare.status().as_u16(), bare.headers()["www-authenticate"].to_str().unwrap()),
        (401, "Token")
    );
    assert_eq!(
        bare.json::<Value>().await.unwrap(),
        json!({"detail": "Authentication credentials were not provided."})
    );
    for scheme in ["Token", "token", "Bearer", "BEARER"] {
        assert_eq!(s.asked(&rooms, Some(&format!("{scheme} fake"))).await.status(), 200, "{scheme}");
    }
    assert_eq!(s.asked(&rooms, Some("GIOSGAPP fake")).await.status(), 401);
    let page = s.http.get(&rooms).header("accept", "*/*").header("authorization", "Token fake").send();
    let kind = page.await.unwrap().headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("text/html"), "whoever does not ask for data gets a page");
    let post = s.http.post(&rooms).header("authorization", "Token fake").send().await.unwrap();
    assert_eq!(post.status(), 405);
    assert_eq!(post.json::<Value>().await.unwrap()["detail"], "Method \"POST\" not allowed.");
    assert_eq!(s.get("/api/v4/reporting/realtime/rooms/").await.0, 200, "with a slash, too");
    assert_eq!(s.get("/api/v4/nothing").await.0, 404);
    assert_eq!(
        s.get(&format!("{ROOMS}?room_id=abc")).await.1,
        json!({"room_id": ["\"abc\" is not a valid UUID."]})
    );
    s.control.revoke_tokens(V).unwrap();
    assert_eq!(s.get(ROOMS).await, (401, json!({"detail": "Invalid token."})));
}

#[tokio::test]
async fn refusals_as_the_dialect_says() {
    for (denial, word) in [
        (Denial::Plain, "permission"),
        (Denial::Subscription, "subscription"),
        (Denial::Organization, "organization"),
        (Denial::Reports, "reports"),
    ] {
        let s = scene(Dialect { denied: Some(denial), ..Dialect::default() }).await;
        let (status, body) = s.get(USERS).await;
        assert_eq!(status, 403);
        assert!(body["detail"].as_str().unwrap().contains(word));
        assert_eq!(s.get("/api/v5/users/me").await.0, 200, "the token itself is good");
    }
    let s = scene(Dialect { retired: true, zone_refused: true, ..Dialect::default() }).await;
    assert_eq!((s.get(ROOMS).await.0, s.get(USERS).await.0), (410, 410));
    let s = scene(Dialect { zone_refused: true, ..Dialect::default() }).await;
    assert_eq!(s.get(&format!("{ROOMS}?timezone=Mars")).await.1, json!({"timezone": ["Unknown timezone."]}));
    for bare_limit in [false, true] {
        let s = scene(Dialect { bare_limit, ..Dialect::default() }).await;
        s.control.limit(V, Some((1, Duration::from_secs(60)))).unwrap();
        assert_eq!(s.get(ROOMS).await.0, 200);
        let over = s.asked(&format!("{}{ROOMS}", s.base), Some("Token fake")).await;
        assert_eq!((over.status().as_u16(), over.headers().contains_key("retry-after")), (429, !bare_limit));
    }
}

#[tokio::test]
async fn collections_are_cut_into_pages_as_the_dialect_says() {
    let big = Scenario::Big { queues: 23, agents: 40, conversations: 10 };
    for (page, ragged, repeats_rows) in
        [(25, false, false), (4, false, true), (5, true, false), (5, true, true)]
    {
        let giosg = Dialect { page, ragged, repeats_rows, ..Dialect::default() };
        let s = scene_of(Options { giosg, vendors: vec![V], scenario: big, ..Options::default() }).await;
        let (rows, pages) = s.all(ROOMS).await;
        let ids: BTreeSet<&str> = rows.iter().map(|row| row["room_id"].as_str().unwrap()).collect();
        assert_eq!((ids.len(), pages > 1), (23, page < 23));
        assert_eq!(rows.len() > ids.len(), repeats_rows);
    }
    for pager in [Pager::PageNumber, Pager::NumberOnly, Pager::Relative] {
        let s = scene(Dialect { pager, page: 1, ..Dialect::default() }).await;
        let (_, first) = s.get(ROOMS).await;
        assert_eq!(
            (&first["count"], first["results"].as_array().unwrap().len()),
            (&json!(3), 1),
            "{pager:?}"
        );
        let (_, last) = s.get(&format!("{ROOMS}?page=3")).await;
        for key in ["next", "next_page", "next_page_url"] {
            assert!(last[key].is_null(), "{pager:?}: {last}");
        }
    }
    let s = scene(Dialect { pager: Pager::Bare, ..Dialect::default() }).await;
    assert!(s.get(ROOMS).await.1.is_array());
    let s = scene(Dialect { pager: Pager::Plain, ..Dialect::default() }).await;
    assert_eq!(s.get(ROOMS).await.1.as_object().unwrap().len(), 1);
    let s = scene(Dialect { trap: Some(Trap::OtherHost), ..Dialect::default() }).await;
    assert!(!s.get(ROOMS).await.1["next"].as_str().unwrap().starts_with(&s.base));
}

#[tokio::test]
async fn filters_and_the_ways_of_writing() {
    let s = scene(Dialect::default()).await;
    let (_, all) = s.get(ROOMS).await;
    let first = all["results"][0]["room_id"].as_str().unwrap().to_owned();
    let (_, one) = s.get(&format!("{ROOMS}?room_id={first}")).await;
    assert_eq!(one["results"].as_array().unwrap().len(), 1);
    let (_, user) = s.get(&format!("{USERS}?user_id=1")).await;
    assert_eq!(user["results"][0]["user_id"], 1);
    assert!(user["results"][0]["is_logged_id"].is_boolean());
    assert!(all["results"][0]["max_wait_time"].is_null(), "nobody waits");
    let s =
        scene(Dialect { zero_waits: true, shared_room: true, no_email: true, ..Dialect::default() }).await;
    assert_eq!(s.get(ROOMS).await.1["results"][0]["max_wait_time"], 0.0);
    assert_eq!(s.get(ROOMS).await.1["results"].as_array().unwrap().len(), 2);
    let (_, shared) = s.get(&format!("{ROOMS}?include_shared=true")).await;
    assert_eq!(shared["results"].as_array().unwrap().len(), 3);
    assert!(s.get(USERS).await.1["results"][0]["email"].is_null());
    let s = scene(Dialect { negative_free: true, text_ids: true, ..Dialect::default() }).await;
    let (agent, _) = s.control.agents(V).unwrap()[0].clone();
    s.control.agent_limit(V, &agent, Some(0)).unwrap();
    let (_, users) = s.get(USERS).await;
    assert_eq!(
        (&users["results"][0]["user_id"], &users["results"][0]["free_capacity"]),
        (&json!("1"), &json!(-1))
    );
}

#[tokio::test]
async fn what_happens_on_the_floor_is_told() {
    let s = scene(Dialect::default()).await;
    let (room, _) = s.control.queues(V).unwrap()[0].clone();
    s.control.customer_arrived(V, &room, Duration::from_secs(40), None).unwrap();
    let (_, rooms) = s.get(&format!("{ROOMS}?room_id={room}")).await;
    let row = &rooms["results"][0];
    assert_eq!(row["waiting_chats"], 1);
    assert!(row["max_wait_time"].as_f64().unwrap() >= 39.0);
    assert!(row["average_wait_time"].as_f64().unwrap() <= row["max_wait_time"].as_f64().unwrap());
    let me = s.get("/api/v5/users/me").await.1;
    let organization = me["organization_id"].as_str().unwrap();
    let (_, chats) = s.get(&format!("/api/v5/orgs/{organization}/rooms/{room}/chats?is_waiting=true")).await;
    assert_eq!(chats["results"][0]["is_waiting"], true);
    let (agent, _) = s.control.agents(V).unwrap()[0].clone();
    s.control.agent_presence(V, &agent, Stance::Away, None).unwrap();
    let (_, users) = s.get(&format!("{USERS}?user_id={agent}")).await;
    let user = &users["results"][0];
    assert_eq!((&user["is_logged_id"], &user["is_online"]), (&json!(true), &json!(false)));
}
