//! Plays whole lives of conversations on a real server of the Tiledesk family and compares what the
//! Pingstreams connector makes of them. Give the address of a server that may be written to:
//! `FLOORWALKER_TILEDESK_URL=http://127.0.0.1:3000 cargo test --test realserver`. Without it every test
//! says "skipped: no server given".

mod fold;
mod rest;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use fold::Fold;
use link::{Method, Secret, SystemClock};
use model::{Batch, ConversationState, Health, Outcome, Presence, Timestamp, Vendor};
use rest::{Person, Stage, text};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use vendors::{Setting, SourceLink, SourceSettings};

fn server() -> Option<Stage> {
    match std::env::var("FLOORWALKER_TILEDESK_URL") {
        Ok(url) => Some(Stage::new(&url)),
        Err(_) => {
            println!("skipped: no server given");
            None
        }
    }
}

/// A connector at work.
struct Running {
    rx: mpsc::Receiver<Batch>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
    fold: Fold,
}

impl Running {
    fn start(stage: &Stage, project: &str, email: Option<&str>, secret: &str) -> Self {
        let ws =
            format!("ws://{}:{}/", stage.base.host_str().expect("host"), stage.base.port().unwrap_or(80));
        let mut keys = BTreeMap::from([
            ("project".to_owned(), Setting::Text(project.to_owned())),
            ("api_url".to_owned(), Setting::Text(stage.base.to_string())),
            ("messages".to_owned(), Setting::Bool(true)),
        ]);
        if let Some(email) = email {
            keys.insert("email".to_owned(), Setting::Text(email.to_owned()));
        }
        let settings = SourceSettings {
            id: "real".into(),
            name: "Real".to_owned(),
            vendor: Vendor::Pingstreams,
            url: Some(ws),
            enabled: true,
            ca_file: None,
            proxy: None,
            poll: None,
            secret_env: None,
            console_url: None,
            keys,
        };
        let registered = vendors::registry::find(Vendor::Pingstreams).expect("registered");
        let connector = (registered.build)(&settings).expect("settings are good");
        let (out, rx) = mpsc::channel(64);
        let stop = CancellationToken::new();
        let link = SourceLink {
            source: "real".into(),
            out,
            clock: Arc::new(SystemClock),
            secret: Secret::new(secret),
            stop: stop.clone(),
            taps: Default::default(),
            notes: Default::default(),
            seed: 1,
            budgets: Default::default(),
            paces: Default::default(),
            tokens: Default::default(),
        };
        let task = tokio::spawn(connector.run(link));
        Self { rx, stop, task, fold: Fold::default() }
    }

    async fn until(&mut self, what: &str, holds: impl Fn(&Fold) -> bool) {
        self.fold.until(&mut self.rx, 20, what, holds).await;
    }

    async fn end(self) -> Fold {
        self.stop.cancel();
        drop(self.rx);
        tokio::time::timeout(Duration::from_secs(5), self.task).await.expect("stops soon").expect("no panic");
        self.fold
    }
}

/// A project with an owner, two agents, a supervisor and two departments.
struct Play {
    stage: Stage,
    project: String,
    owner: Person,
    anna: Person,
    bruno: Person,
    sonja: Person,
    sales: String,
    billing: String,
}

async fn play(stage: Stage) -> Play {
    let owner = stage.sign_up("Olga", "Owner", 1).await;
    let anna = stage.sign_up("Anna", "Agent", 2).await;
    let bruno = stage.sign_up("Bruno", "Agent", 3).await;
    let sonja = stage.sign_up("Sonja", "Supervisor", 4).await;
    let made = stage.good(Method::POST, "/projects", Some(&owner), Some(json!({"name": "Acceptance"}))).await;
    let project = text(&made["_id"]);
    for (who, role) in [(&anna, "agent"), (&bruno, "agent"), (&sonja, "supervisor")] {
        let body = json!({"email": who.email, "role": role, "user_available": false});
        stage.good(Method::POST, &format!("/{project}/project_users/invite"), Some(&owner), Some(body)).await;
    }
    let away = json!({"user_available": false});
    stage.good(Method::PUT, &format!("/{project}/project_users"), Some(&owner), Some(away)).await;
    let group = json!({"name": "Billing team", "members": [bruno.id]});
    let group = stage.good(Method::POST, &format!("/{project}/groups"), Some(&owner), Some(group)).await;
    let sales = json!({"name": "Sales", "routing": "assigned"});
    let sales = stage.good(Method::POST, &format!("/{project}/departments"), Some(&owner), Some(sales)).await;
    let billing = json!({"name": "Billing", "routing": "pooled", "id_group": group["_id"]});
    let billing =
        stage.good(Method::POST, &format!("/{project}/departments"), Some(&owner), Some(billing)).await;
    Play {
        stage,
        project,
        owner,
        anna,
        bruno,
        sonja,
        sales: text(&sales["_id"]),
        billing: text(&billing["_id"]),
    }
}

impl Play {
    async fn owner_does(&self, method: Method, path: &str, body: serde_json::Value) -> serde_json::Value {
        self.stage.good(method, &format!("/{}{path}", self.project), Some(&self.owner), Some(body)).await
    }
    async fn truth(&self, conversation: &str) -> serde_json::Value {
        let path = format!("/{}/requests/{conversation}", self.project);
        self.stage.good(Method::GET, &path, Some(&self.owner), None).await
    }
}

fn instant(value: &serde_json::Value) -> Timestamp {
    text(value).parse().expect("instant")
}

#[tokio::test]
async fn a_whole_life_of_conversations() {
    let Some(stage) = server() else { return };
    let p = play(stage).await;
    let mut seen = Running::start(&p.stage, &p.project, Some(&p.owner.email), &p.owner.password);
    seen.until("live", |f| f.health() == Health::Live).await;
    assert_eq!(seen.fold.health.as_ref().expect("health").gaps, Vec::<String>::new());
    assert_eq!(seen.fold.queues.len(), 3);
    assert_eq!(seen.fold.agents.len(), 4);
    assert_eq!(seen.fold.queue("Billing").waiting, Some(0));
    assert_eq!(seen.fold.queue("Billing").waiting_since, None);
    assert_eq!(seen.fold.queue("Billing").agents_online, Some(1));
    assert_eq!(seen.fold.queue("Sales").agents_online, Some(4));
    assert_eq!(seen.fold.queue("Sales").agents_available, Some(0));
    assert_eq!(seen.fold.agent("Anna Agent").presence, Presence::Away);

    // Somebody waits in Billing, where nobody is assigned by itself.
    let gina = p.stage.visitor(&p.project, "Gina").await;
    let waits = p.stage.writes(&p.project, &gina, 1, &p.billing).await;
    seen.until("Gina waits", |f| f.queue("Billing").waiting == Some(1)).await;
    let truth = p.truth(&waits).await;
    let c = &seen.fold.conversations[waits.as_str()];
    assert_eq!(c.state, ConversationState::Waiting);
    assert_eq!(c.waiting_since, Some(instant(&truth["createdAt"])));
    assert_eq!(c.queue.as_deref(), Some(p.billing.as_str()));
    assert_eq!(c.agents.as_deref(), Some(&[][..]));
    assert!(c.customer.as_deref().is_some_and(|n| n.starts_with("Gina")), "{:?}", c.customer);
    assert_eq!(seen.fold.queue("Billing").waiting_since, c.waiting_since);

    // Anna comes, and the next one in Sales is hers at once.
    p.stage
        .good(
            Method::PUT,
            &format!("/{}/project_users", p.project),
            Some(&p.anna),
            Some(json!({"user_available": true})),
        )
        .await;
    seen.until("Anna is available", |f| f.agent("Anna Agent").presence == Presence::Available).await;
    assert_eq!(seen.fold.queue("Sales").agents_available, Some(1));
    let hugo = p.stage.visitor(&p.project, "Hugo").await;
    let served = p.stage.writes(&p.project, &hugo, 2, &p.sales).await;
    seen.until("Anna has Hugo", |f| {
        f.agent("Anna Agent").open == Some(1) && f.queue("Sales").open == Some(1)
    })
    .await;
    let truth = p.truth(&served).await;
    let c = &seen.fold.conversations[served.as_str()];
    assert_eq!(c.state, ConversationState::Active);
    assert_eq!(c.agents.as_deref(), Some(&[model::Id::new(&p.anna.id)][..]));
    assert_eq!(
        (c.waiting_since, c.answered_at),
        (Some(instant(&truth["createdAt"])), Some(instant(&truth["assigned_at"])))
    );

    // Who said something last.
    let said = json!({"sender": p.anna.id, "text": "Good morning"});
    p.owner_does(Method::POST, &format!("/requests/{served}/messages"), said).await;
    let id = served.clone();
    seen.until("Anna spoke", move |f| f.conversations[id.as_str()].last_agent_message_at.is_some()).await;
    assert!(seen.fold.conversations[served.as_str()].last_customer_message_at.is_some());

    // Bruno takes Gina; then leaves: she waits again, from that moment on.
    p.owner_does(Method::POST, &format!("/requests/{waits}/participants"), json!({"member": p.bruno.id}))
        .await;
    seen.until("Bruno has Gina", |f| {
        f.queue("Billing").open == Some(1) && f.queue("Billing").waiting == Some(0)
    })
    .await;
    let truth = p.truth(&waits).await;
    let c = seen.fold.conversations[waits.as_str()].clone();
    assert_eq!(c.answered_at, Some(instant(&truth["assigned_at"])));
    assert_eq!(c.waiting_since, Some(instant(&truth["createdAt"])));
    p.stage
        .good(
            Method::DELETE,
            &format!("/{}/requests/{waits}/participants/{}", p.project, p.bruno.id),
            Some(&p.owner),
            None,
        )
        .await;
    seen.until("Gina waits again", |f| f.queue("Billing").waiting == Some(1)).await;
    let again = &seen.fold.conversations[waits.as_str()];
    assert!(again.waiting_since > c.answered_at, "{again:?}");
    assert_eq!((again.answered_at, again.agents.as_deref()), (None, Some(&[][..])));

    // Moved to Sales, which hands her to Anna.
    p.owner_does(Method::PUT, &format!("/requests/{waits}/departments"), json!({"departmentid": p.sales}))
        .await;
    seen.until("Gina is in Sales", |f| {
        f.queue("Billing").waiting == Some(0) && f.queue("Sales").open == Some(2)
    })
    .await;

    // Closed, once each.
    p.owner_does(Method::PUT, &format!("/requests/{served}/close"), json!({})).await;
    let id = served.clone();
    seen.until("Hugo is done", move |f| f.conversations[id.as_str()].state == ConversationState::Ended).await;
    let truth = p.truth(&served).await;
    let c = &seen.fold.conversations[served.as_str()];
    assert_eq!(c.outcome, Some(Outcome::Handled));
    let off = c.ended_at.expect("ended").seconds_since(instant(&truth["closed_at"])).abs();
    assert!(off < 2.0, "ended {off} s off");
    seen.until("Anna has one left", |f| {
        f.agent("Anna Agent").open == Some(1) && f.queue("Sales").open == Some(1)
    })
    .await;

    // Anna goes away.
    let pause = json!({"user_available": false, "profileStatus": "inactive"});
    p.stage.good(Method::PUT, &format!("/{}/project_users", p.project), Some(&p.anna), Some(pause)).await;
    seen.until("Anna is away", |f| f.agent("Anna Agent").presence == Presence::Away).await;
    assert_eq!(seen.fold.agent("Anna Agent").presence_label.as_deref(), Some("inactive"));

    // A second look, with a token instead of a password, sees the same floor.
    let mut second = Running::start(&p.stage, &p.project, None, p.owner.token.expose());
    second.until("live", |f| f.health() == Health::Live).await;
    let (first, second) = (seen.end().await, second.end().await);
    let open: Vec<_> = first.conversations.values().filter(|c| c.state != ConversationState::Ended).collect();
    assert_eq!(
        open.iter().map(|c| &c.id).collect::<Vec<_>>(),
        second.conversations.keys().collect::<Vec<_>>()
    );
    assert_eq!(first.agents, second.agents);
    for (a, b) in first.queues.values().zip(second.queues.values()) {
        assert_eq!((&a.id, a.waiting, a.open, a.agents_online), (&b.id, b.waiting, b.open, b.agents_online));
    }
}

#[tokio::test]
async fn refusals_and_part_views_are_said() {
    let Some(stage) = server() else { return };
    let p = play(stage).await;
    let otto = p.stage.sign_up("Otto", "Outsider", 5).await;
    let mut wrong = Running::start(&p.stage, &p.project, Some(&p.owner.email), "fake-wrong-password");
    let mut garbage = Running::start(&p.stage, &p.project, None, "eyJ.fake.token");
    let mut stranger = Running::start(&p.stage, &p.project, None, otto.token.expose());
    let mut nowhere = Running::start(&p.stage, "000000000000000000000000", None, p.owner.token.expose());
    let mut part = Running::start(&p.stage, &p.project, None, p.sonja.token.expose());

    wrong.until("denied", |f| f.health() == Health::Denied).await;
    assert!(!wrong.fold.sentence().contains("fake-wrong-password"));
    garbage.until("denied", |f| f.health() == Health::Denied).await;
    stranger.until("denied", |f| f.health() == Health::Denied).await;
    assert!(stranger.fold.sentence().contains("does not belong"), "{}", stranger.fold.sentence());
    nowhere.until("misconfigured", |f| f.health() == Health::Misconfigured).await;
    part.until("live", |f| f.health() == Health::Live).await;
    let health = part.fold.health.as_ref().expect("health");
    assert_eq!(health.gaps, ["conversations"]);
    assert!(part.fold.sentence().contains("supervisor") && part.fold.sentence().contains("owner"));
    assert_eq!(part.fold.queue("Sales").waiting, None, "a part of the waiting is not the waiting");
    for one in [wrong, garbage, stranger, nowhere] {
        assert!(!one.end().await.was_live);
    }
    part.end().await;
}

#[tokio::test]
async fn more_than_a_hundred_and_what_is_told_by_nobody() {
    let Some(stage) = server() else { return };
    let p = play(stage).await;
    let gina = p.stage.visitor(&p.project, "Gina").await;
    let mut all = Vec::new();
    for n in 0..104 {
        all.push(p.stage.writes(&p.project, &gina, n, &p.billing).await);
    }
    let mut seen = Running::start(&p.stage, &p.project, Some(&p.owner.email), &p.owner.password);
    seen.until("live", |f| f.health() == Health::Live).await;
    assert_eq!(seen.fold.conversations.len(), 104);
    assert_eq!(seen.fold.queue("Billing").waiting, Some(104));
    // Nobody tells of a deleted conversation or of a new teammate: the next reading does.
    p.stage.good(Method::DELETE, &format!("/{}/requests/{}", p.project, all[0]), Some(&p.owner), None).await;
    let nora = p.stage.sign_up("Nora", "New", 6).await;
    let invite = json!({"email": nora.email, "role": "agent", "user_available": true});
    p.owner_does(Method::POST, "/project_users/invite", invite).await;
    seen.fold
        .until(&mut seen.rx, 80, "the next reading", |f| {
            f.queue("Billing").waiting == Some(103) && f.agents.values().any(|a| a.name == "Nora New")
        })
        .await;
    assert!(!seen.fold.conversations.contains_key(all[0].as_str()), "removed, without having ended");
    seen.end().await;
}
