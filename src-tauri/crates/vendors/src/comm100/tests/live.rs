//! The whole connector against a simulated Comm100 over real sockets.

use std::time::Duration;

use model::{Health, QueueKind, Vendor};
use simulator::{
    Control, Fault, Options, Running,
    comm100::{CLIENT_ID, Dialect, LOGIN, SITE_ID},
    floor::Stance,
};

use crate::{
    comm100::{
        CALLS, Comm100,
        auth::{Identity, PasswordGrant},
        config,
    },
    testing::{Watched, watch},
};

const C: Vendor = Vendor::Comm100;
const SECRET: &str = "fake-api-key-0123456789";

struct Stand {
    running: Running,
    control: Control,
    calls: u32,
}

impl Stand {
    async fn with(options: Options) -> Self {
        let running = simulator::start(options).await.expect("a free port");
        let control = running.control();
        control.pause();
        control.limit(C, None).unwrap();
        Self { running, control, calls: 10_000 }
    }
    async fn quiet(dialect: Dialect) -> Self {
        Self::with(Options { comm100: dialect, ..Options::quiet(&[C]) }).await
    }
    fn address(&self, path: &str) -> url::Url {
        url::Url::parse(&format!("http://{}/{path}", self.running.address(C).unwrap())).unwrap()
    }
    fn key(&self) -> Identity {
        Identity::Key { email: LOGIN.into() }
    }
    fn password(&self, client: Option<&str>) -> Identity {
        let token_url = self.address("oauth/token");
        let client = client.map(str::to_owned);
        Identity::Password(Box::new(PasswordGrant::new(LOGIN.into(), client, token_url, SITE_ID)))
    }
    /// A connector that asks every 200 ms instead of every 10 s.
    fn watch(&self, identity: Identity, secret: &str) -> Watched {
        let base = self.address("v4");
        let mut plans = config::plans(None);
        for plan in &mut plans {
            plan.every = Duration::from_millis(200);
        }
        let config = config::Config { base, site_id: SITE_ID, identity };
        watch(Box::new(Comm100 { config, plans, calls: self.calls, ca_file: None, proxy: None }), secret)
    }
    fn asked(&self, endpoint: &str) -> u64 {
        self.control.counters(C).unwrap().of(endpoint)
    }
    /// Compares what is shown with what is so.
    fn compare(&self, seen: &Watched) {
        let truth = self.running.truth_as(C, "test");
        let near = |a: Option<model::Timestamp>, b: Option<model::Timestamp>| match (a, b) {
            (Some(a), Some(b)) => a.since(b).max(b.since(a)) <= Duration::from_secs(5),
            (a, b) => a == b,
        };
        assert_eq!(seen.rows.queues.len(), truth.queues.len());
        for queue in &truth.queues {
            let shown = &seen.rows.queues[&queue.id];
            assert!(near(shown.waiting_since, queue.waiting_since), "{shown:?} {queue:?}");
            let (own, theirs) = (shown.average_wait_s.unwrap_or(-9.0), queue.average_wait_s.unwrap_or(-9.0));
            assert!((own - theirs).abs() < 6.0, "{own} {theirs}");
            let mut shown = shown.clone();
            (shown.waiting_since, shown.average_wait_s) = (queue.waiting_since, queue.average_wait_s);
            assert_eq!(&shown, queue);
        }
        assert_eq!(seen.rows.agents.len(), truth.agents.len());
        for agent in &truth.agents {
            let mut shown = seen.rows.agents[&agent.id].clone();
            // Not told by the vendor: the core observes it. The time of chats runs on while one looks.
            (shown.presence_since, shown.presence_since_kind) =
                (agent.presence_since, agent.presence_since_kind);
            shown.windows[0].value = agent.windows[0].value;
            shown.name = agent.name.clone();
            assert_eq!(&shown, agent);
        }
        let ids: Vec<_> = truth.conversations.iter().map(|c| c.id.clone()).collect();
        assert_eq!(seen.rows.conversations.keys().cloned().collect::<Vec<_>>(), ids);
        for conversation in &truth.conversations {
            let mut shown = seen.rows.conversations[&conversation.id].clone();
            assert!(near(shown.waiting_since, conversation.waiting_since), "{shown:?} {conversation:?}");
            shown.waiting_since = conversation.waiting_since;
            assert_eq!(&shown, conversation);
        }
        let shown = seen.rows.totals.as_ref().expect("totals");
        for figure in truth.totals.expect("totals").windows {
            let same =
                shown.windows.iter().find(|f| (&f.metric, f.window) == (&figure.metric, figure.window));
            let same = same.expect("shown");
            let (own, theirs) = (same.value.unwrap_or(-9.0), figure.value.unwrap_or(-9.0));
            assert!((own - theirs).abs() < 0.011, "{same:?} {figure:?}");
        }
    }
}

fn figure(seen: &Watched, metric: &str) -> Option<f64> {
    let windows = &seen.rows.totals.as_ref()?.windows;
    windows.iter().find(|figure| &*figure.metric == metric)?.value
}

#[tokio::test]
async fn a_living_floor_is_shown_as_it_is() {
    let stand = Stand::with(Options { vendors: vec![C], ..Options::default() }).await;
    let mut seen = stand.watch(stand.key(), SECRET);
    seen.live().await;
    assert_eq!(seen.healths, [Health::Connecting, Health::Live]);
    assert!(seen.report.gaps.is_empty(), "{:?}", seen.report);
    stand.compare(&seen);
}

#[tokio::test]
async fn chaos_ends_in_the_same_floor() {
    for seed in 0..12 {
        let dialect = Dialect::chaos(seed);
        let stand = Stand::with(Options { vendors: vec![C], comm100: dialect, ..Options::default() }).await;
        let mut seen = stand.watch(if seed % 2 == 0 { stand.key() } else { stand.password(None) }, SECRET);
        seen.live().await;
        stand.compare(&seen);
    }
}

#[tokio::test]
async fn a_customer_waits_is_taken_and_gone_without_having_ended() {
    let stand = Stand::quiet(Dialect::default()).await;
    let mut seen = stand.watch(stand.key(), SECRET);
    seen.live().await;
    let (queue, _) = stand.control.queues(C).unwrap()[0].clone();
    let id = stand.control.customer_arrived(C, &queue, Duration::from_secs(95), None).unwrap();
    seen.until("the visitor", |seen| seen.rows.conversations.contains_key(&id)).await;
    seen.until("the count", |seen| figure(seen, "waiting") == Some(1.0)).await;
    stand.compare(&seen);
    let (agent, _) = stand.control.agents(C).unwrap()[0].clone();
    stand.control.agent_takes(C, &id, &agent).unwrap();
    seen.until("nobody waits", |seen| seen.rows.conversations.is_empty()).await;
    seen.until("the agent has it", |seen| seen.rows.agents[&agent].open == Some(1)).await;
    stand.control.agent_presence(C, &agent, Stance::Away, Some("Lunch")).unwrap();
    seen.until("away", |seen| seen.rows.agents[&agent].presence == model::Presence::Away).await;
    assert_eq!(seen.rows.agents[&agent].presence_label.as_deref(), Some("Lunch"));
}

#[tokio::test]
async fn a_quiet_floor_says_nothing_but_that_it_is_fresh() {
    let stand = Stand::quiet(Dialect::default()).await;
    let mut seen = stand.watch(stand.key(), SECRET);
    seen.live().await;
    let (rows, fresh) = (seen.row_changes, seen.report.last_data_at);
    seen.for_a_while(Duration::from_millis(900)).await;
    assert_eq!(seen.row_changes, rows);
    assert!(seen.report.last_data_at > fresh);
    assert_eq!(seen.report.health, Health::Live);
}

#[tokio::test]
async fn d4_pages_are_read_to_the_end_whatever_the_server_does_with_them() {
    let big = simulator::floor::Scenario::Big { queues: 4, agents: 230, conversations: 50 };
    for (dialect, whole) in [
        (Dialect { page_cap: 100, ..Dialect::default() }, true),
        (Dialect { page_cap: 7, repeats_rows: true, ..Dialect::default() }, true),
        (Dialect { page_cap: 10, ignores_paging: true, ..Dialect::default() }, false),
    ] {
        let options = Options { vendors: vec![C], comm100: dialect, scenario: big, ..Options::default() };
        let stand = Stand::with(options).await;
        let mut seen = stand.watch(stand.key(), SECRET);
        seen.live().await;
        if whole {
            assert!(seen.report.gaps.is_empty(), "{:?}", seen.report);
            stand.compare(&seen);
        } else {
            assert_eq!(seen.report.gaps, ["agents"]);
            assert!(seen.report.error.as_deref().unwrap().contains("10 of"), "{:?}", seen.report.error);
            assert_eq!(seen.rows.agents.len(), 10);
        }
    }
}

#[tokio::test]
async fn d11_queue_forbidden_leaves_the_rest_live() {
    let stand = Stand::quiet(Dialect { queue_forbidden: true, ..Dialect::default() }).await;
    let mut seen = stand.watch(stand.key(), SECRET);
    seen.live().await;
    assert_eq!(seen.report.gaps, ["queue"]);
    assert!(seen.rows.queues.is_empty() && !seen.rows.agents.is_empty());
    seen.for_a_while(Duration::from_millis(700)).await;
    assert_eq!(stand.asked("queue"), 1);
}

#[tokio::test]
async fn look_ups_forbidden_are_asked_once_and_only_a_gap() {
    let stand = Stand::quiet(Dialect { lookups_forbidden: true, ..Dialect::default() }).await;
    let mut seen = stand.watch(stand.key(), SECRET);
    seen.live().await;
    assert_eq!(seen.report.gaps, ["lookups"]);
    assert!(seen.rows.agents.values().all(|agent| agent.queues.is_none()));
    let departments = seen.rows.queues.values().filter(|queue| queue.kind == QueueKind::Department);
    assert!(departments.map(|queue| queue.agents_online).all(|online| online.is_none()));
    stand.compare(&seen);
    seen.for_a_while(Duration::from_millis(700)).await;
    assert_eq!((stand.asked("global/departments"), stand.asked("global/agents")), (1, 1));
}

#[tokio::test]
async fn d9_a_wrong_key_is_denied_after_one_try_and_says_what_to_do() {
    let stand = Stand::quiet(Dialect::default()).await;
    stand.control.require_secret(C, Some("another")).unwrap();
    let mut seen = stand.watch(stand.key(), SECRET);
    seen.until("denied", |seen| seen.report.health == Health::Denied).await;
    seen.for_a_while(Duration::from_millis(600)).await;
    let asked: u64 = stand.control.counters(C).unwrap().requests.values().sum();
    assert_eq!(asked, 1);
    let sentence = seen.report.error.clone().unwrap();
    assert!(sentence.contains("username") && !sentence.contains(SECRET), "{sentence}");
    assert!(seen.report.retry_at.is_some());
}

#[tokio::test]
async fn a7_a_wrong_password_is_tried_once_and_never_again() {
    let stand = Stand::quiet(Dialect::default()).await;
    stand.control.require_secret(C, Some("another")).unwrap();
    let mut seen = stand.watch(stand.password(Some(CLIENT_ID)), SECRET);
    seen.until("denied", |seen| seen.report.health == Health::Denied).await;
    seen.for_a_while(Duration::from_millis(600)).await;
    assert_eq!((stand.asked("token"), seen.report.retry_at), (1, None));
}

#[tokio::test]
async fn a1_a3_a_revoked_token_is_renewed_by_one_request_and_nothing_is_lost() {
    for refresh_revoked in [false, true] {
        let stand = Stand::quiet(Dialect { refresh_revoked, ..Dialect::default() }).await;
        let mut seen = stand.watch(stand.password(Some(CLIENT_ID)), SECRET);
        seen.live().await;
        assert_eq!(stand.asked("token"), 1);
        stand.control.revoke_tokens(C).unwrap();
        let fresh = seen.report.last_data_at;
        seen.until("fresh data", |seen| seen.report.last_data_at > fresh).await;
        seen.for_a_while(Duration::from_millis(500)).await;
        assert_eq!(seen.healths, [Health::Connecting, Health::Live]);
        // A refused refresh token costs one more request: the password again.
        assert!(stand.asked("token") <= 3, "{}", stand.asked("token"));
        assert_eq!(stand.control.counters(C).unwrap().tokens, 2);
    }
}

#[tokio::test]
async fn a2_short_tokens_are_renewed_before_they_end() {
    let stand = Stand::quiet(Dialect { token_life: Duration::from_secs(1), ..Dialect::default() }).await;
    let mut seen = stand.watch(stand.password(Some(CLIENT_ID)), SECRET);
    seen.live().await;
    seen.for_a_while(Duration::from_secs(5)).await;
    assert_eq!(seen.healths, [Health::Connecting, Health::Live]);
    assert!(stand.control.counters(C).unwrap().tokens >= 3);
}

#[tokio::test]
async fn a_server_that_goes_and_comes_is_retrying_then_live_with_the_rows_kept() {
    let stand = Stand::quiet(Dialect::default()).await;
    let mut seen = stand.watch(stand.key(), SECRET);
    seen.live().await;
    let queues = seen.rows.queues.len();
    stand.control.down(C).unwrap();
    seen.until("retrying", |seen| seen.report.health == Health::Retrying).await;
    assert!(seen.report.retry_at.is_some() && seen.report.error.is_some());
    assert_eq!(seen.rows.queues.len(), queues);
    stand.control.up(C).unwrap();
    seen.live().await;
    stand.compare(&seen);
}

#[tokio::test]
async fn p22_one_endpoint_that_fails_is_a_gap_all_of_them_no_link() {
    let stand = Stand::quiet(Dialect::default()).await;
    let mut seen = stand.watch(stand.key(), SECRET);
    seen.live().await;
    stand.control.fault(C, "queue", Fault::Truncated).unwrap();
    seen.until("the gap", |seen| seen.report.gaps == ["queue"]).await;
    assert_eq!(seen.report.health, Health::Live);
    seen.until("old figures gone", |seen| seen.rows.queues.values().all(|q| q.waiting.is_none())).await;
    stand.control.heal(C).unwrap();
    seen.until("no gap", |seen| seen.report.gaps.is_empty()).await;
    assert!(seen.rows.queues.values().all(|q| q.waiting == Some(0)));
    stand.control.fault(C, "*", Fault::Html).unwrap();
    seen.until("retrying", |seen| seen.report.health == Health::Retrying).await;
    stand.control.heal(C).unwrap();
    seen.live().await;
    stand.compare(&seen);
}

#[tokio::test]
async fn l1_l2_throttled_waits_as_told() {
    let stand = Stand::quiet(Dialect::default()).await;
    let mut seen = stand.watch(stand.key(), SECRET);
    seen.live().await;
    stand.control.fault_times(C, "rightnow", Fault::too_many(Some("1")), 1).unwrap();
    seen.until("throttled", |seen| seen.report.health == Health::Throttled).await;
    assert!(seen.report.retry_at.is_some());
    seen.live().await;
    // L5: a limit that is only told in words.
    let words =
        Fault::status(403, "{\"code\":403000,\"message\":\"The limit of requests has been exceeded.\"}");
    stand.control.fault_times(C, "queue", words, 1).unwrap();
    seen.until("throttled", |seen| seen.report.health == Health::Throttled).await;
}

#[tokio::test]
async fn d5_forbidden_after_success_is_throttling_until_others_prove_it_is_not() {
    let stand = Stand::quiet(Dialect::default()).await;
    let mut seen = stand.watch(stand.key(), SECRET);
    seen.live().await;
    stand.control.fault(C, "queue", Fault::status(403, "{\"code\":403000,\"message\":\"no\"}")).unwrap();
    seen.until("throttled", |seen| seen.report.health == Health::Throttled).await;
    seen.until("live without queues", |seen| seen.report.health == Health::Live).await;
    assert_eq!(seen.report.gaps, ["queue"]);
}

#[tokio::test]
async fn p19_a_server_clock_that_is_wrong_does_not_bend_waits() {
    let stand = Stand::quiet(Dialect::default()).await;
    stand.control.clock_skew(C, 420.0).unwrap();
    let mut seen = stand.watch(stand.key(), SECRET);
    seen.live().await;
    let (queue, _) = stand.control.queues(C).unwrap()[0].clone();
    let id = stand.control.customer_arrived(C, &queue, Duration::from_secs(30), None).unwrap();
    seen.until("the visitor", |seen| seen.rows.conversations.contains_key(&id)).await;
    seen.until("the count", |seen| figure(seen, "waiting") == Some(1.0)).await;
    let skew = seen.report.clock_skew_s.unwrap();
    assert!((skew - 420.0).abs() < 2.0, "{skew}");
    stand.compare(&seen);
}

#[tokio::test]
async fn p2_p3_too_large_a_body_is_refused() {
    let stand = Stand::quiet(Dialect::default()).await;
    let mut seen = stand.watch(stand.key(), SECRET);
    seen.live().await;
    stand.control.fault(C, "today", Fault::Huge(17 * 1024 * 1024)).unwrap();
    seen.until("the gap", |seen| seen.report.gaps == ["today"]).await;
    assert!(seen.report.error.as_deref().unwrap().contains("16 MiB"), "{:?}", seen.report.error);
}

#[tokio::test]
async fn the_vendors_limit_is_never_reached() {
    let stand = Stand { calls: CALLS, ..Stand::quiet(Dialect::default()).await };
    stand.control.limit(C, Some((300, Duration::from_secs(300)))).unwrap();
    let began = std::time::Instant::now();
    // Two hundred milliseconds an interval would be thousands of calls; the budget allows a hundred.
    let mut seen = stand.watch(stand.key(), SECRET);
    seen.live().await;
    seen.for_a_while(Duration::from_secs(3)).await;
    let counters = stand.control.counters(C).unwrap();
    let allowed = 101.0 + began.elapsed().as_secs_f64() / 3.0;
    assert!(counters.most_in_window > 5, "it asks at all: {}", counters.most_in_window);
    assert!(f64::from(counters.most_in_window) <= allowed, "{} {allowed}", counters.most_in_window);
    assert_eq!(counters.over_limit, 0);
    assert_eq!(seen.report.health, Health::Live);
}

#[tokio::test]
async fn l6_two_sources_at_one_address_share_its_budget() {
    let stand = Stand { calls: 12, ..Stand::quiet(Dialect::default()).await };
    let budgets = link::poll::Budgets::default();
    let mut seen: Vec<Watched> = Vec::new();
    for _ in 0..2 {
        let config = config::Config { base: stand.address("v4"), site_id: SITE_ID, identity: stand.key() };
        let plans = config::plans(None);
        let connector = Comm100 { config, plans, calls: stand.calls, ca_file: None, proxy: None };
        seen.push(crate::testing::watch_with(Box::new(connector), SECRET, budgets.clone()));
    }
    seen[0].for_a_while(Duration::from_secs(2)).await;
    // Each alone would have asked eight times by now.
    let asked: u64 = stand.control.counters(C).unwrap().requests.values().sum();
    assert!((8..=13).contains(&asked), "{asked}");
}

#[tokio::test]
async fn an_unknown_authority_is_named_and_not_live() {
    // Plain HTTP behind an https address: no TLS there.
    let stand = Stand::quiet(Dialect::default()).await;
    let mut base = stand.address("v4");
    base.set_scheme("https").unwrap();
    let config = config::Config { base, site_id: SITE_ID, identity: stand.key() };
    let connector = Comm100 { config, plans: config::plans(None), calls: CALLS, ca_file: None, proxy: None };
    let mut seen = watch(Box::new(connector), SECRET);
    seen.until("retrying", |seen| seen.report.health == Health::Retrying).await;
    assert!(seen.report.error.as_deref().unwrap().contains("TLS"), "{:?}", seen.report.error);
    let config = config::Config { base: stand.address("v4"), site_id: SITE_ID, identity: stand.key() };
    let missing = Some("/nonexistent/corp-root.pem".into());
    let connector =
        Comm100 { config, plans: config::plans(None), calls: CALLS, ca_file: missing, proxy: None };
    let mut seen = watch(Box::new(connector), SECRET);
    seen.until("misconfigured", |seen| seen.report.health == Health::Misconfigured).await;
}

/// Switches that change what is told, not how: what is told is shown, what is not is unknown.
#[tokio::test]
async fn what_a_plan_or_an_edition_tells_more_or_less_of_is_shown_as_it_is() {
    for dialect in [
        Dialect { plan_limited: true, ..Dialect::default() },
        Dialect { hides_maxima: true, ..Dialect::default() },
        Dialect { mirrored_site: true, ..Dialect::default() },
        Dialect { agent_rows: false, ..Dialect::default() },
        Dialect { default_page: 3, page_cap: 4, ..Dialect::default() },
    ] {
        let (said, mirrored) = (format!("{dialect:?}"), dialect.mirrored_site);
        let stand = Stand::with(Options { vendors: vec![C], comm100: dialect, ..Options::default() }).await;
        let mut seen = stand.watch(stand.key(), SECRET);
        seen.live().await;
        assert!(seen.report.gaps.is_empty(), "{said} {:?}", seen.report);
        // A row of the whole site is a place of its own; who waits is in it once more and still one person.
        assert_eq!(seen.rows.queues.remove("site").is_some(), mirrored, "{said}");
        stand.compare(&seen);
    }
}
