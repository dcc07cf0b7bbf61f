//! The whole connector against a simulated giosg over real sockets.

use std::time::Duration;

use model::{Health, Vendor};
use simulator::{
    Control, Fault, Options, Running,
    floor::{Scenario, Stance},
    giosg::{Denial, Dialect, Pager, Trap},
};

use crate::{
    giosg::{CALLS, Giosg, config},
    testing::{Watched, answer, watch},
};

const G: Vendor = Vendor::Giosg;
const SECRET: &str = "fake-token-0123456789";

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
        Self { running, control, calls: 10_000 }
    }
    async fn quiet(dialect: Dialect) -> Self {
        Self::with(Options { giosg: dialect, ..Options::quiet(&[G]) }).await
    }
    async fn demo(dialect: Dialect) -> Self {
        Self::with(Options { giosg: dialect, vendors: vec![G], ..Options::default() }).await
    }
    fn config(&self, scheme: &'static str) -> config::Config {
        let base = format!("http://{}", self.running.address(G).unwrap());
        config::Config {
            base: url::Url::parse(&base).unwrap(),
            scheme,
            timezone: Some("Europe/Helsinki".into()),
            include_shared: false,
            rooms: Vec::new(),
        }
    }
    /// A connector that asks every 200 ms.
    fn watch(&self, config: config::Config) -> Watched {
        let mut plans = config::plans(None);
        for plan in &mut plans {
            plan.every = Duration::from_millis(200);
        }
        watch(Box::new(Giosg { config, plans, calls: self.calls, ca_file: None, proxy: None }), SECRET)
    }
    /// The same, where several sources live on the same budgets.
    fn share(&self, budgets: &link::poll::Budgets, secret: &str) -> Watched {
        let mut plans = config::plans(None);
        for plan in &mut plans {
            plan.every = Duration::from_secs(1);
        }
        let connector =
            Giosg { config: self.config("Token"), plans, calls: self.calls, ca_file: None, proxy: None };
        crate::testing::watch_with(Box::new(connector), secret, budgets.clone())
    }
    fn start(&self) -> Watched {
        self.watch(self.config("Token"))
    }
    /// Compares what is shown with what is so.
    fn compare(&self, seen: &Watched) {
        let truth = self.running.truth_as(G, "test");
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
            (shown.presence_since, shown.presence_since_kind) =
                (agent.presence_since, agent.presence_since_kind);
            assert_eq!(&shown, agent);
        }
        assert!(seen.rows.conversations.is_empty());
        assert_eq!(seen.rows.totals, truth.totals);
    }
}

#[tokio::test]
async fn a_living_floor_is_shown_as_it_is() {
    let stand = Stand::demo(Dialect::default()).await;
    let mut seen = stand.start();
    seen.live().await;
    assert_eq!(seen.healths, [Health::Connecting, Health::Live]);
    assert!(seen.report.gaps.is_empty() && seen.report.error.is_none(), "{:?}", seen.report);
    stand.compare(&seen);
}

#[tokio::test]
async fn chaos_ends_in_the_same_floor() {
    for seed in 0..16 {
        let dialect = Dialect::chaos(seed);
        let stand = Stand::demo(dialect.clone()).await;
        let mut seen = stand.watch(stand.config(if seed % 2 == 0 { "Token" } else { "Bearer" }));
        seen.live().await;
        assert!(seen.report.gaps.is_empty(), "{dialect:?} {:?}", seen.report);
        // D13: a zone that is refused is left out, and said.
        assert_eq!(seen.report.error.is_some(), dialect.zone_refused, "{:?}", seen.report.error);
        stand.compare(&seen);
    }
}

#[tokio::test]
async fn d1_every_pager_is_read_to_the_end() {
    let big = Scenario::Big { queues: 60, agents: 130, conversations: 80 };
    for pager in
        [Pager::Plain, Pager::Cursor, Pager::PageNumber, Pager::NumberOnly, Pager::Relative, Pager::Bare]
    {
        let dialect = Dialect { pager, page: 17, repeats_rows: true, ..Dialect::default() };
        let options = Options { giosg: dialect, vendors: vec![G], scenario: big, ..Options::default() };
        let stand = Stand::with(options).await;
        let mut seen = stand.start();
        seen.live().await;
        assert!(seen.report.gaps.is_empty(), "{pager:?} {:?}", seen.report);
        stand.compare(&seen);
    }
}

#[tokio::test]
async fn s11_a_pager_to_another_host_is_a_gap_and_the_rows_stay() {
    for trap in [Trap::OtherHost, Trap::Circle] {
        let stand = Stand::quiet(Dialect { page: 2, trap: Some(trap), ..Dialect::default() }).await;
        let mut seen = stand.start();
        seen.live().await;
        assert_eq!(seen.report.gaps, ["lookups", "rooms", "users"], "{trap:?}");
        assert_eq!((seen.rows.queues.len(), seen.rows.agents.len()), (2, 2));
        assert!(seen.report.error.is_some());
    }
}

#[tokio::test]
async fn a_customer_waits_since_the_very_instant() {
    let stand = Stand::quiet(Dialect::default()).await;
    let mut seen = stand.start();
    seen.live().await;
    let (room, _) = stand.control.queues(G).unwrap()[0].clone();
    stand.control.customer_arrived(G, &room, Duration::from_secs(95), None).unwrap();
    seen.until("the wait", |seen| seen.rows.queues[&room].waiting == Some(1)).await;
    // From the room's waiting chats, to the millisecond.
    let truth = stand.running.truth_as(G, "test");
    let entered = truth.queues.iter().find(|queue| queue.id == room).unwrap().waiting_since;
    seen.until("the instant", |seen| seen.rows.queues[&room].waiting_since == entered).await;
    let (agent, _) = stand.control.agents(G).unwrap()[0].clone();
    stand.control.agent_presence(G, &agent, Stance::Away, None).unwrap();
    seen.until("away", |seen| seen.rows.agents[&agent].presence == model::Presence::Away).await;
    stand.control.agent_presence(G, &agent, Stance::Offline, None).unwrap();
    seen.until("offline", |seen| seen.rows.agents[&agent].presence == model::Presence::Offline).await;
}

#[tokio::test]
async fn a_quiet_floor_says_nothing_but_that_it_is_fresh() {
    let stand = Stand::quiet(Dialect::default()).await;
    let mut seen = stand.start();
    seen.live().await;
    let (rows, fresh) = (seen.row_changes, seen.report.last_data_at);
    seen.for_a_while(Duration::from_millis(900)).await;
    assert_eq!(seen.row_changes, rows);
    assert!(seen.report.last_data_at > fresh);
}

#[tokio::test]
async fn look_ups_forbidden_are_only_a_gap_and_rarely_asked() {
    let stand = Stand::quiet(Dialect { look_ups_forbidden: true, ..Dialect::default() }).await;
    let mut seen = stand.start();
    seen.live().await;
    assert_eq!(seen.report.gaps, ["lookups"]);
    assert!(!seen.rows.queues.is_empty() && !seen.rows.agents.is_empty());
}

#[tokio::test]
async fn d13_a_zone_that_is_refused_is_said_beside_another_gap() {
    let dialect = Dialect { look_ups_forbidden: true, zone_refused: true, ..Dialect::default() };
    let stand = Stand::quiet(dialect).await;
    let mut seen = stand.start();
    seen.live().await;
    assert_eq!(seen.report.gaps, ["lookups"]);
    let said = seen.report.error.clone().unwrap_or_default();
    assert!(said.contains("look up") && said.contains("time zone"), "{said}");
}

#[tokio::test]
async fn d8_refused_is_denied_and_says_which_of_the_causes_or_all() {
    let causes = ["Reporting", "subscription", "organization"];
    for (denial, said) in [
        (Denial::Plain, &causes[..]),
        (Denial::Reports, &causes[..1]),
        (Denial::Subscription, &causes[1..2]),
        (Denial::Organization, &causes[2..]),
    ] {
        let stand = Stand::quiet(Dialect { denied: Some(denial), ..Dialect::default() }).await;
        let mut seen = stand.start();
        seen.until("denied", |seen| seen.report.health == Health::Denied).await;
        let sentence = seen.report.error.clone().unwrap();
        for cause in causes {
            assert_eq!(sentence.contains(cause), said.contains(&cause), "{denial:?}: {sentence}");
        }
        let counters = stand.control.counters(G).unwrap();
        assert!(counters.of("rooms") + counters.of("users") <= 3, "{counters:?}");
    }
}

#[tokio::test]
async fn d12_without_figures_who_waits_and_who_is_there_is_shown_all_the_same() {
    let stand = Stand::demo(Dialect { retired: true, ..Dialect::default() }).await;
    let mut seen = stand.start();
    seen.until("the first floor", |seen| seen.complete).await;
    assert!(!seen.rows.queues.is_empty(), "it is not shown without rooms");
    seen.until("what is left", |seen| {
        let says = seen.report.error.as_deref().is_some_and(|error| error.contains("general interface"));
        seen.report.health == Health::Live && says && !seen.rows.queues.is_empty()
    })
    .await;
    assert_eq!(seen.report.gaps, ["rooms", "users"]);
    let truth = stand.running.truth_as(G, "test");
    for queue in &truth.queues {
        let shown = &seen.rows.queues[&queue.id];
        assert_eq!((shown.waiting, shown.waiting_since), (queue.waiting, queue.waiting_since));
        assert_eq!((shown.open, shown.capacity, shown.average_wait_s), (None, None, None), "never a nought");
        assert!(shown.windows.iter().all(|figure| figure.value.is_none()));
    }
    for agent in &truth.agents {
        let shown = &seen.rows.agents[&agent.id];
        assert_eq!((shown.open, shown.capacity), (agent.open, None));
        // Whether somebody has a slot left is not told there.
        let busy = agent.presence == model::Presence::Busy;
        assert_eq!(shown.presence, if busy { model::Presence::Available } else { agent.presence });
    }
    assert_eq!((seen.rows.queues.len(), seen.rows.agents.len()), (truth.queues.len(), truth.agents.len()));
}

#[tokio::test]
async fn d12_an_address_where_nothing_is_stays_no_link() {
    let base = crate::testing::serve(|_| (404, "{\"detail\":\"Not found.\"}".into())).await;
    let stand = Stand::quiet(Dialect::default()).await;
    let mut seen = stand.watch(config::Config { base, ..stand.config("Token") });
    seen.until("retrying", |seen| seen.report.health == Health::Retrying).await;
    assert!(seen.report.error.as_deref().unwrap().contains("address"), "{:?}", seen.report.error);
    assert!(seen.rows.queues.is_empty() && !seen.complete);
}

#[tokio::test]
async fn d2_ids_of_the_younger_versions_and_people_without_address() {
    for dialect in [
        Dialect { guid_ids: true, ..Dialect::default() },
        Dialect { guid_ids: true, no_email: true, ..Dialect::default() },
        Dialect { no_email: true, ..Dialect::default() },
    ] {
        let stand = Stand::demo(dialect).await;
        let mut seen = stand.start();
        seen.live().await;
        stand.compare(&seen);
    }
}

#[tokio::test]
async fn p19_a_server_clock_that_is_wrong_does_not_bend_waits() {
    let stand = Stand::quiet(Dialect::default()).await;
    stand.control.clock_skew(G, -3600.0).unwrap();
    let (room, _) = stand.control.queues(G).unwrap()[0].clone();
    stand.control.customer_arrived(G, &room, Duration::from_secs(30), None).unwrap();
    let mut seen = stand.start();
    seen.live().await;
    seen.until("the wait", |seen| seen.rows.queues[&room].waiting_since.is_some()).await;
    let skew = seen.report.clock_skew_s.unwrap();
    assert!((skew + 3600.0).abs() < 2.0, "{skew}");
    stand.compare(&seen);
}

#[tokio::test]
async fn l6_two_sources_with_one_token_share_its_ceiling() {
    let stand = Stand { calls: 14, ..Stand::quiet(Dialect::default()).await };
    let budgets = link::poll::Budgets::default();
    let mut one = stand.share(&budgets, SECRET);
    one.live().await;
    let mut two = stand.share(&budgets, SECRET);
    two.for_a_while(Duration::from_secs(2)).await;
    let asked = || stand.control.counters(G).unwrap().requests.values().sum::<u64>();
    assert!(asked() <= 15, "{}", asked());
    // Another account has its own.
    let mut other = stand.share(&budgets, "fake-token-of-another");
    other.live().await;
}

#[tokio::test]
async fn d14_a_wrong_token_is_denied_whether_401_or_403() {
    for forbids_strangers in [false, true] {
        let stand = Stand::quiet(Dialect { forbids_strangers, ..Dialect::default() }).await;
        stand.control.require_secret(G, Some("another")).unwrap();
        let mut seen = stand.start();
        seen.until("denied", |seen| seen.report.health == Health::Denied).await;
        seen.for_a_while(Duration::from_millis(500)).await;
        let asked: u64 = stand.control.counters(G).unwrap().requests.values().sum();
        assert_eq!(asked, 1);
        let sentence = seen.report.error.clone().unwrap();
        assert!(sentence.contains("token") && !sentence.contains(SECRET), "{sentence}");
    }
}

#[tokio::test]
async fn a5_a_token_whose_user_was_deleted_ends_denied() {
    let stand = Stand::quiet(Dialect::default()).await;
    let mut seen = stand.start();
    seen.live().await;
    stand.control.revoke_tokens(G).unwrap();
    seen.until("denied", |seen| seen.report.health == Health::Denied).await;
    assert!(!seen.rows.queues.is_empty());
}

#[tokio::test]
async fn a_server_that_goes_and_comes_is_retrying_then_live() {
    let stand = Stand::demo(Dialect::default()).await;
    let mut seen = stand.start();
    seen.live().await;
    stand.control.down(G).unwrap();
    seen.until("retrying", |seen| seen.report.health == Health::Retrying).await;
    stand.control.up(G).unwrap();
    seen.live().await;
    stand.compare(&seen);
}

/// Whoever answers first after an outage that was longer than figures stay fresh: nobody's presence is lost.
#[tokio::test]
async fn after_an_outage_the_first_answer_alone_is_not_shown() {
    use std::sync::{
        Arc,
        atomic::{AtomicU8, Ordering::SeqCst},
    };
    const ROOMS: &[u8] = include_bytes!("../fixtures/reference/rooms.json");
    const USERS: &[u8] = include_bytes!("../fixtures/reference/users.json");
    let stand = Stand::quiet(Dialect::default()).await;
    for late in ["/users", "/rooms"] {
        // 0: well; 1: down; 2: back, but the late one only after the other.
        let phase = Arc::new(AtomicU8::new(0));
        let told = phase.clone();
        let base = crate::testing::serve_raw(move |path| {
            match told.load(SeqCst) {
                1 => return answer(500, "", b"{}"),
                2 if !path.contains("realtime/") || path.contains(late) => return answer(500, "", b"{}"),
                _ => told.store(0, SeqCst),
            }
            match path {
                _ if path.contains("realtime/rooms") => answer(200, "", ROOMS),
                _ if path.contains("realtime/users") => answer(200, "", USERS),
                _ => answer(404, "", b"{}"),
            }
        })
        .await;
        let mut seen = stand.watch(config::Config { base, ..stand.config("Token") });
        seen.live().await;
        let before = seen.rows.clone();
        phase.store(1, SeqCst);
        seen.until("retrying", |seen| seen.report.health == Health::Retrying).await;
        assert!(seen.report.error.as_deref().is_some_and(|e| e.contains("500")), "{:?}", seen.report);
        // Longer than three intervals of 200 ms.
        seen.for_a_while(Duration::from_secs(1)).await;
        let changes = seen.row_changes;
        phase.store(2, SeqCst);
        seen.until("back", |seen| seen.report.health == Health::Live).await;
        assert_eq!(seen.report.gaps, ["lookups"], "{late}");
        assert_eq!((&seen.rows, seen.row_changes), (&before, changes), "{late}");
    }
}

#[tokio::test]
async fn p22_one_endpoint_that_fails_is_a_gap() {
    let stand = Stand::quiet(Dialect::default()).await;
    let mut seen = stand.start();
    seen.live().await;
    stand.control.fault(G, "users", Fault::status(502, "<html>")).unwrap();
    seen.until("the gap", |seen| seen.report.gaps == ["users"]).await;
    assert_eq!(seen.report.health, Health::Live);
    stand.control.heal(G).unwrap();
    seen.until("no gap", |seen| seen.report.gaps.is_empty()).await;
}

#[tokio::test]
async fn a6_one_endpoint_refused_from_the_start_is_a_gap() {
    for (refused, kept) in [("users", "rooms"), ("rooms", "users")] {
        let stand = Stand::demo(Dialect::default()).await;
        stand.control.fault(G, refused, Fault::status(403, "{\"detail\":\"No.\"}")).unwrap();
        let mut seen = stand.start();
        seen.live().await;
        assert_eq!(seen.report.gaps, [refused]);
        assert_eq!(seen.rows.queues.is_empty(), kept == "users");
        assert_eq!(seen.rows.agents.is_empty(), kept == "rooms");
        assert!(seen.rows.queues.values().all(|queue| queue.agents_online.is_none()), "nobody is not none");
    }
}

#[tokio::test]
async fn d9_throttled_waits_as_told() {
    let stand = Stand::quiet(Dialect::default()).await;
    let mut seen = stand.start();
    seen.live().await;
    stand.control.fault_times(G, "rooms", Fault::too_many(Some("1")), 1).unwrap();
    seen.until("throttled", |seen| seen.report.health == Health::Throttled).await;
    seen.live().await;
}

#[tokio::test]
async fn only_the_rooms_that_were_asked_for() {
    let stand = Stand::quiet(Dialect::default()).await;
    let (room, _) = stand.control.queues(G).unwrap()[1].clone();
    let mut seen = stand.watch(config::Config { rooms: vec![room.to_string()], ..stand.config("Token") });
    seen.live().await;
    assert_eq!(seen.rows.queues.keys().collect::<Vec<_>>(), [&room]);
}

#[tokio::test]
async fn d11_a_partner_s_room_is_there_for_who_asks_and_its_operators_are_not_known() {
    for asks in [false, true] {
        let stand = Stand::quiet(Dialect { shared_room: true, ..Dialect::default() }).await;
        let rooms = stand.control.queues(G).unwrap();
        let mut seen = stand.watch(config::Config { include_shared: asks, ..stand.config("Token") });
        seen.until("the look-ups", |seen| seen.rows.queues.values().any(|q| q.agents_online.is_some())).await;
        assert_eq!(seen.rows.queues.len(), if asks { rooms.len() } else { rooms.len() - 1 });
        let partner = seen.rows.queues.get(&rooms[rooms.len() - 1].0);
        assert_eq!(partner.map(|room| room.agents_online), asks.then_some(None));
    }
}

#[tokio::test]
async fn the_ceiling_is_never_passed() {
    let stand = Stand { calls: CALLS, ..Stand::quiet(Dialect::default()).await };
    stand.control.limit(G, Some((120, Duration::from_secs(60)))).unwrap();
    let began = std::time::Instant::now();
    let mut seen = stand.start();
    seen.live().await;
    seen.for_a_while(Duration::from_secs(3)).await;
    let counters = stand.control.counters(G).unwrap();
    let allowed = f64::from(CALLS) + 2.0 + began.elapsed().as_secs_f64() * (1.0 + 10.0 / 60.0);
    assert!(f64::from(counters.most_in_window) <= allowed, "{} {allowed}", counters.most_in_window);
    assert_eq!(seen.report.health, Health::Live);
}

/// What was there a while ago is taken away: nobody waits for it for ever, and nobody gets another id.
#[tokio::test]
async fn d12_figures_that_are_taken_away_in_mid_life_leave_what_is_left() {
    for status in [404, 410] {
        let stand = Stand::demo(Dialect::default()).await;
        let mut seen = stand.start();
        seen.live().await;
        let before = seen.rows.clone();
        for endpoint in ["rooms", "users"] {
            stand.control.fault(G, endpoint, Fault::status(status, "{\"detail\":\"Gone.\"}")).unwrap();
        }
        seen.until("what is left", |seen| {
            let says = seen.report.error.as_deref().is_some_and(|error| error.contains("general interface"));
            seen.report.health == Health::Live && says && seen.report.gaps == ["rooms", "users"]
        })
        .await;
        assert!(seen.rows.agents.keys().eq(before.agents.keys()), "{status}: nobody gets another id");
        assert!(seen.rows.queues.keys().eq(before.queues.keys()), "{status}");
        for (id, queue) in &seen.rows.queues {
            assert_eq!((queue.waiting, queue.open, queue.capacity), (before.queues[id].waiting, None, None));
        }
        // And it comes back as it was.
        stand.control.heal(G).unwrap();
        seen.until("the figures", |seen| {
            seen.report.health == Health::Live && seen.report.gaps.is_empty() && seen.report.error.is_none()
        })
        .await;
        stand.compare(&seen);
    }
}

/// The list may hold only those who are signed in: who leaves it is offline once the roster says so.
#[tokio::test]
async fn d3_who_signs_out_of_a_list_without_the_offline_is_offline() {
    let stand = Stand::quiet(Dialect { hides_offline: true, ..Dialect::default() }).await;
    let mut seen = stand.start();
    seen.live().await;
    let (agent, _) = stand.control.agents(G).unwrap()[0].clone();
    assert_ne!(seen.rows.agents[&agent].presence, model::Presence::Offline);
    stand.control.agent_presence(G, &agent, Stance::Offline, None).unwrap();
    seen.until("offline", |seen| seen.rows.agents[&agent].presence == model::Presence::Offline).await;
    assert!(seen.report.gaps.is_empty(), "{:?}", seen.report);
}

#[tokio::test]
async fn d9_a_limit_that_says_only_in_words_for_how_long_is_waited_out() {
    let stand = Stand::quiet(Dialect { bare_limit: true, ..Dialect::default() }).await;
    let mut seen = stand.start();
    seen.live().await;
    stand.control.limit(G, Some((1, Duration::from_secs(60)))).unwrap();
    seen.until("throttled", |seen| seen.report.health == Health::Throttled).await;
    let (until, now) = (seen.report.retry_at.expect("a time"), seen.report.last_data_at.expect("data"));
    assert!(until.since(now) >= Duration::from_secs(20), "{:?}", seen.report);
    assert!(seen.report.error.as_deref().is_some_and(|said| said.contains("slow down")), "{:?}", seen.report);
}
