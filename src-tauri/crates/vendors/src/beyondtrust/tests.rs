//! Against the simulated appliance: its dialects, its faults, and the questions of the vendor's page.

mod ends;
mod golden;
mod peer;
mod ways;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use link::{Secret, SystemClock};
use model::{
    Agent, AgentFlag, Batch, Change, Channel, Conversation, ConversationState, Health, HealthReport, Id,
    Kind, Outcome, Presence, Queue, StartedVia, Timestamp, Vendor,
};
use simulator::{
    Control, Fault, Half, Options, Restart, Running,
    beyondtrust::{Accept, CLIENT_ID, Dialect, Expiry, Mode, OverLimit},
    floor::Stance,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::config::{Config, Pace};
use crate::{Setting, SourceLink, SourceSettings, tokens::Tokens};

const V: Vendor = Vendor::Beyondtrust;

/// Somebody who only reads batches.
struct Watch {
    queues: BTreeMap<Id, Queue>,
    agents: BTreeMap<Id, Agent>,
    conversations: BTreeMap<Id, Conversation>,
    ended: Vec<Conversation>,
    report: HealthReport,
    healths: Vec<Health>,
    fresh: Option<BTreeSet<(Kind, Id)>>,
    completes: usize,
    batches: mpsc::Receiver<Batch>,
    stop: CancellationToken,
}

struct Scene {
    running: Running,
    control: Control,
    watch: Watch,
}

fn settings(address: &str, company: Option<&str>) -> SourceSettings {
    let mut keys = BTreeMap::from([("client_id".to_owned(), Setting::Text(CLIENT_ID.to_owned()))]);
    keys.extend(company.map(|c| ("company".to_owned(), Setting::Text(c.to_owned()))));
    SourceSettings {
        id: "help".into(),
        name: "Help".into(),
        vendor: V,
        url: Some(format!("http://{address}")),
        enabled: true,
        ca_file: None,
        proxy: None,
        poll: None,
        secret_env: None,
        console_url: None,
        keys,
    }
}

/// Everything sooner.
fn pace() -> Pace {
    let ms = Duration::from_millis;
    Pace {
        quiet: ms(400),
        patience: ms(3000),
        emptied: ms(1500),
        answer: ms(2000),
        ping_after: ms(800),
        answer_within: ms(1200),
    }
}

async fn appliance(dialect: Dialect) -> Running {
    let dialect = Dialect { batch: Duration::from_millis(10), ..dialect };
    let options = Options { beyondtrust: dialect, ..Options::quiet(&[V]) };
    simulator::start(options).await.unwrap()
}

fn watch(running: &Running, company: Option<&str>) -> Watch {
    watch_at(&running.address(V).unwrap().to_string(), company)
}

fn watch_at(address: &str, company: Option<&str>) -> Watch {
    watch_with(address, company, pace())
}

fn watch_with(address: &str, company: Option<&str>, pace: Pace) -> Watch {
    watch_sharing(address, company, pace, Default::default())
}

/// With the tokens of other sources.
fn watch_sharing(address: &str, company: Option<&str>, pace: Pace, tokens: Tokens) -> Watch {
    let settings = settings(address, company);
    let (out, batches) = mpsc::channel(16);
    let stop = CancellationToken::new();
    let link = SourceLink {
        source: settings.id.clone(),
        out,
        clock: Arc::new(SystemClock),
        secret: Secret::new("fake-secret"),
        stop: stop.clone(),
        taps: Default::default(),
        notes: Default::default(),
        paces: Default::default(),
        seed: 1,
        budgets: Default::default(),
        tokens,
    };
    let config = Config { pace, ..Config::read(&settings).unwrap() };
    tokio::spawn(super::run::run(config, link));
    Watch {
        queues: BTreeMap::new(),
        agents: BTreeMap::new(),
        conversations: BTreeMap::new(),
        ended: Vec::new(),
        report: HealthReport::of(Health::Connecting),
        healths: Vec::new(),
        fresh: None,
        completes: 0,
        batches,
        stop,
    }
}

async fn scene(dialect: Dialect) -> Scene {
    let running = appliance(dialect).await;
    let watch = watch(&running, Some("acme"));
    Scene { control: running.control(), running, watch }
}

impl Watch {
    fn apply(&mut self, batch: Batch) {
        for change in batch.changes {
            let key = match &change {
                Change::Queue(row) => Some((Kind::Queue, row.id.clone())),
                Change::Agent(row) => Some((Kind::Agent, row.id.clone())),
                Change::Conversation(row) => Some((Kind::Conversation, row.id.clone())),
                _ => None,
            };
            if let (Some(fresh), Some(key)) = (&mut self.fresh, key) {
                fresh.insert(key);
            }
            match change {
                Change::Queue(row) => drop(self.queues.insert(row.id.clone(), row)),
                Change::Agent(row) => drop(self.agents.insert(row.id.clone(), row)),
                Change::Conversation(row) if row.state == ConversationState::Ended => {
                    assert!(self.conversations.remove(&row.id).is_some(), "only what was shown can end");
                    self.ended.push(row);
                }
                Change::Conversation(row) => drop(self.conversations.insert(row.id.clone(), row)),
                Change::Remove(Kind::Queue, id) => assert!(self.queues.remove(&id).is_some()),
                Change::Remove(Kind::Agent, id) => assert!(self.agents.remove(&id).is_some()),
                Change::Remove(..) | Change::Totals(_) => panic!("not from this vendor"),
                Change::Reset => self.fresh = Some(BTreeSet::new()),
                Change::Complete => {
                    let fresh = self.fresh.take().unwrap();
                    self.queues.retain(|id, _| fresh.contains(&(Kind::Queue, id.clone())));
                    self.agents.retain(|id, _| fresh.contains(&(Kind::Agent, id.clone())));
                    self.conversations.retain(|id, _| fresh.contains(&(Kind::Conversation, id.clone())));
                    self.completes += 1;
                }
                Change::Health(report) => {
                    if self.healths.last() != Some(&report.health) {
                        self.healths.push(report.health);
                    }
                    self.report = report;
                }
            }
        }
    }
    async fn until(&mut self, what: &str, holds: impl Fn(&Watch) -> bool) {
        let reading = async {
            while !holds(self) {
                let batch = self.batches.recv().await.expect("the connector goes on");
                self.apply(batch);
            }
        };
        if tokio::time::timeout(Duration::from_secs(120), reading).await.is_err() {
            panic!("never saw: {what}; last: {:?}, saw {:?}", self.report, self.healths);
        }
    }
    async fn live(&mut self) {
        let before = self.completes;
        self.until("live", |w| w.report.health == Health::Live && w.completes > before).await;
    }
    async fn nothing_for(&mut self, time: Duration) {
        let end = tokio::time::Instant::now() + time;
        while let Ok(Some(batch)) = tokio::time::timeout_at(end, self.batches.recv()).await {
            let quiet = batch.changes.iter().all(|c| matches!(c, Change::Health(_)));
            assert!(quiet, "{:?}", batch.changes);
            self.apply(batch);
        }
    }
    fn error(&self) -> &str {
        self.report.error.as_deref().unwrap_or_default()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Scene {
    fn queue(&self, n: usize) -> (Id, String) {
        self.control.queues(V).unwrap()[n].clone()
    }
    fn agent(&self, n: usize) -> Id {
        self.control.agents(V).unwrap()[n].0.clone()
    }
    async fn shows(&mut self, id: &Id, state: ConversationState) {
        self.watch.until("the state", |w| w.conversations.get(id).is_some_and(|c| c.state == state)).await;
    }
    /// Waits until what is shown is what is true. What nobody can know may be missing.
    async fn same(&mut self) {
        let end = tokio::time::Instant::now() + Duration::from_secs(120);
        loop {
            let difference = self.difference();
            let Some(difference) = difference else { return };
            match tokio::time::timeout_at(end, self.watch.batches.recv()).await {
                Ok(Some(batch)) => self.watch.apply(batch),
                _ => panic!("{difference}"),
            }
        }
    }
    fn difference(&self) -> Option<String> {
        let truth = self.running.truth_as(V, "help");
        let close = |a: Option<Timestamp>, b: Option<Timestamp>| match (a, b) {
            (Some(a), Some(b)) => a.seconds_since(b).abs() < 2.5,
            (a, b) => a == b,
        };
        let ids = |what: &str, shown: Vec<&Id>, real: Vec<&Id>| {
            (shown != real).then(|| format!("{what}: shown {shown:?}, true {real:?}"))
        };
        let w = &self.watch;
        ids("queues", w.queues.keys().collect(), truth.queues.iter().map(|q| &q.id).collect())
            .or_else(|| {
                ids("agents", w.agents.keys().collect(), truth.agents.iter().map(|a| &a.id).collect())
            })
            .or_else(|| {
                let real = truth.conversations.iter().map(|c| &c.id).collect();
                ids("conversations", w.conversations.keys().collect(), real)
            })
            .or_else(|| {
                truth.queues.iter().find_map(|real| {
                    let mut shown = w.queues[&real.id].clone();
                    let waits = close(shown.waiting_since, real.waiting_since);
                    shown.waiting_since = real.waiting_since;
                    shown.average_wait_s = real.average_wait_s;
                    (!waits || shown != *real)
                        .then(|| format!("shown {:?}, true {real:?}", w.queues[&real.id]))
                })
            })
            .or_else(|| {
                truth.agents.iter().find_map(|real| {
                    let mut shown = w.agents[&real.id].clone();
                    (shown.presence_since, shown.presence_since_kind) =
                        (real.presence_since, real.presence_since_kind);
                    (shown != *real).then(|| format!("shown {shown:?}, true {real:?}"))
                })
            })
            .or_else(|| {
                truth.conversations.iter().find_map(|real| {
                    let mut shown = w.conversations[&real.id].clone();
                    let active = real.state == ConversationState::Active;
                    let waits = close(shown.waiting_since, real.waiting_since)
                        || active && shown.waiting_since.is_none();
                    let answers = close(shown.answered_at, real.answered_at);
                    (shown.waiting_since, shown.answered_at) = (real.waiting_since, real.answered_at);
                    (!waits || !answers || shown != *real)
                        .then(|| format!("shown {:?}, true {real:?}", w.conversations[&real.id]))
                })
            })
    }
    /// A day at the desk, in a minute.
    async fn play(&mut self) {
        let (c, agents) = (self.control.clone(), [self.agent(0), self.agent(1)]);
        let names = [self.queue(0).1, self.queue(1).1];
        let one = c.customer_arrived(V, &names[0], Duration::from_secs(70), None).unwrap();
        let two = c.customer_arrives(V, &names[1]).unwrap();
        self.same().await;
        c.agent_takes(V, &one, &agents[0]).unwrap();
        self.shows(&one, ConversationState::Active).await;
        c.agent_takes(V, &one, &agents[1]).unwrap();
        c.agent_takes(V, &two, &agents[1]).unwrap();
        c.transfer(V, &two, &names[0]).unwrap();
        self.same().await;
        c.agent_presence(V, &agents[0], Stance::Away, Some("Break")).unwrap();
        c.agent_presence(V, &agents[1], Stance::Away, Some("Break")).unwrap();
        c.leaves(V, &one).unwrap();
        self.same().await;
        c.agent_presence(V, &agents[0], Stance::Offline, None).unwrap();
        c.leaves(V, &two).unwrap();
        let three = c.customer_arrives(V, &names[1]).unwrap();
        c.agent_takes(V, &three, &agents[1]).unwrap();
        self.same().await;
    }
}

#[tokio::test]
async fn a_day_is_shown_as_it_is() {
    let mut s = scene(Dialect::default()).await;
    s.watch.live().await;
    s.same().await;
    s.play().await;
    let outcomes: Vec<_> = s.watch.ended.iter().map(|c| c.outcome).collect();
    assert_eq!(outcomes, [Some(Outcome::Handled), Some(Outcome::Abandoned)]);
    let one = &s.watch.ended[0];
    let wait = one.answered_at.unwrap().seconds_since(one.waiting_since.unwrap());
    assert!((69.0..75.0).contains(&wait), "the wait is the one in the team's queue: {wait}");
    let counters = s.control.counters(V).unwrap();
    assert_eq!((counters.tokens, counters.of("nw")), (1, 1));
}

#[tokio::test]
async fn d1_to_d20_every_mix_of_dialects_ends_in_the_same_floor() {
    let mut days = Vec::new();
    for seed in 1..=6 {
        days.push(tokio::spawn(async move {
            let mut s = scene(Dialect::chaos(seed)).await;
            s.watch.live().await;
            s.play().await;
            assert_eq!(s.control.counters(V).unwrap().tokens, 1, "seed {seed}");
        }));
    }
    for day in days {
        day.await.unwrap();
    }
}

#[tokio::test]
async fn d11_wherever_an_accepted_session_goes_it_is_active_with_its_wait() {
    for accept in [Accept::Move, Accept::Stay, Accept::Null] {
        let mut s = scene(Dialect { accept, ..Dialect::default() }).await;
        let id = s.control.customer_arrived(V, &s.queue(0).1, Duration::from_secs(90), None).unwrap();
        s.watch.live().await;
        s.control.agent_takes(V, &id, &s.agent(0)).unwrap();
        s.shows(&id, ConversationState::Active).await;
        s.same().await;
        let c = &s.watch.conversations[&id];
        let wait = c.answered_at.unwrap().seconds_since(c.waiting_since.unwrap());
        assert!((89.0..97.0).contains(&wait), "{accept:?}: {wait}");
        s.control.agent_leaves(V, &id, &s.agent(0)).unwrap();
        s.shows(&id, ConversationState::Waiting).await;
        s.same().await;
        let c = &s.watch.conversations[&id];
        assert_eq!((c.answered_at, c.agents.as_deref()), (None, Some(&[][..])), "{accept:?}");
    }
}

#[tokio::test]
async fn p11_d22_a_restart_keeps_the_board_and_ends_nothing() {
    for how in [Restart::Truncate, Restart::Close] {
        let mut s = scene(Dialect::default()).await;
        let ids: Vec<Id> =
            (0..4).map(|n| s.control.customer_arrives(V, &s.queue(n % 3).1).unwrap()).collect();
        s.control.agent_takes(V, &ids[0], &s.agent(0)).unwrap();
        s.watch.live().await;
        let before = (s.watch.queues.clone(), s.watch.conversations.clone());
        s.control.restart(V, how).unwrap();
        s.watch.until("a health below live", |w| w.report.health != Health::Live).await;
        assert_eq!(s.watch.conversations.len(), 4, "nothing flashes");
        s.watch.live().await;
        s.same().await;
        assert!(s.watch.ended.is_empty(), "{how:?}");
        assert_eq!(before.1, s.watch.conversations, "the same sessions under other row numbers");
        assert_eq!(s.control.counters(V).unwrap().tokens, 1, "no token per reconnect");
    }
}

#[tokio::test]
async fn d15_the_way_into_the_application_is_found() {
    let mut s = scene(Dialect { mode: Mode::InBand, ..Dialect::default() }).await;
    s.watch.live().await;
    s.control.cut(V).unwrap();
    s.watch.until("lost", |w| w.report.health == Health::Retrying).await;
    s.watch.live().await;
    // Once for the wrong way; the right one was remembered.
    assert_eq!(s.control.counters(V).unwrap().of("nw"), 3);

    let running = appliance(Dialect { mode: Mode::InBand, ..Dialect::default() }).await;
    let mut w = watch(&running, None);
    w.until("advice", |w| w.error().contains("`company`")).await;
    let mut w = watch(&running, Some("other"));
    w.until("denied", |w| w.report.health == Health::Denied && w.error().contains("company `other`")).await;
}

#[tokio::test]
async fn d13_a_full_appliance_is_said_in_words() {
    for over_limit in [OverLimit::Close, OverLimit::Error, OverLimit::Unavailable] {
        let running = appliance(Dialect { most: 1, over_limit, ..Dialect::default() }).await;
        let mut first = watch(&running, None);
        first.live().await;
        let mut second = watch(&running, None);
        second.until("thirty", |w| w.error().contains("thirty integrations")).await;
        assert_eq!(second.report.health, Health::Retrying, "{over_limit:?}");
        drop(first);
        second.live().await;
    }
}

#[tokio::test]
async fn a5_refusals_are_final_and_named() {
    let running = appliance(Dialect { no_permission: true, ..Dialect::default() }).await;
    let mut w = watch(&running, None);
    w.until("denied", |w| w.report.health == Health::Denied).await;
    assert!(w.error().contains("Real-Time State API"), "{}", w.error());
    assert!(running.control().counters(V).unwrap().of("nw") <= 2);

    let running = appliance(Dialect::default()).await;
    running.control().require_secret(V, Some("another")).unwrap();
    let mut w = watch(&running, None);
    w.until("denied", |w| w.report.health == Health::Denied).await;
    assert!(w.error().contains("`client_id`") && !w.error().contains("fake-secret"), "{}", w.error());
    assert_eq!(running.control().counters(V).unwrap().of("token"), 1);
}

#[tokio::test]
async fn a1_a_revoked_token_is_replaced_once() {
    let mut s = scene(Dialect::default()).await;
    s.watch.live().await;
    s.control.revoke_tokens(V).unwrap();
    s.control.cut(V).unwrap();
    s.watch.until("lost", |w| w.report.health == Health::Retrying).await;
    s.watch.live().await;
    assert_eq!(s.control.counters(V).unwrap().tokens, 2);
}

#[tokio::test]
async fn d14_a_token_that_ends_is_replaced_only_when_it_is_needed() {
    for (expiry, tokens) in [(Expiry::Keep, 1), (Expiry::Cut, 2)] {
        let token_life = Duration::from_secs(2);
        let mut s = scene(Dialect { expiry, token_life, ..Dialect::default() }).await;
        s.watch.live().await;
        if expiry == Expiry::Cut {
            s.watch.until("cut", |w| w.report.health == Health::Retrying).await;
            s.watch.live().await;
        } else {
            s.watch.nothing_for(Duration::from_secs(3)).await;
            assert_eq!(s.watch.report.health, Health::Live);
        }
        s.control.customer_arrives(V, &s.queue(0).1).unwrap();
        s.same().await;
        assert_eq!(s.control.counters(V).unwrap().tokens, tokens, "{expiry:?}");
    }
}

#[tokio::test]
async fn a_lost_link_keeps_the_rows_and_comes_back() {
    let mut s = scene(Dialect::default()).await;
    let id = s.control.customer_arrives(V, &s.queue(0).1).unwrap();
    s.watch.live().await;
    s.control.down(V).unwrap();
    s.watch.until("lost", |w| w.report.health == Health::Retrying).await;
    assert!(s.watch.conversations.contains_key(&id) && s.watch.report.retry_at.is_some());
    s.control.leaves(V, &id).unwrap();
    s.control.heal(V).unwrap();
    s.watch.live().await;
    s.same().await;
    assert!(s.watch.ended.is_empty(), "how it went is not known");
}

#[tokio::test]
async fn n1_a_half_open_connection_is_found_once_it_has_answered() {
    let mut s = scene(Dialect::default()).await;
    s.watch.live().await;
    // One ping goes out after a while of silence and is answered.
    s.watch.nothing_for(Duration::from_millis(1500)).await;
    s.control.silence(V, Half::Both).unwrap();
    let cut = tokio::time::Instant::now();
    s.watch.until("dead", |w| w.report.health == Health::Retrying).await;
    assert!(cut.elapsed() < Duration::from_secs(10));
    s.control.heal(V).unwrap();
    s.watch.live().await;
}

#[tokio::test]
async fn d8_silence_alone_is_no_death() {
    let mut s = scene(Dialect { answers_pings: false, ..Dialect::default() }).await;
    s.watch.live().await;
    s.watch.nothing_for(Duration::from_secs(4)).await;
    assert_eq!(s.watch.report.health, Health::Live);
    s.control.customer_arrives(V, &s.queue(0).1).unwrap();
    s.same().await;
    s.watch.nothing_for(Duration::from_secs(3)).await;
    assert_eq!(s.watch.report.health, Health::Live, "data is no answer to a ping");
}

#[tokio::test]
async fn p1_unreadable_lines_are_left_out_and_three_begin_anew() {
    let mut s = scene(Dialect::default()).await;
    s.watch.live().await;
    s.control.push_raw(V, "{\"type\":\"update_model\",").unwrap();
    s.control.push_raw(V, "\u{feff}").unwrap();
    s.control.customer_arrives(V, &s.queue(0).1).unwrap();
    s.same().await;
    assert_eq!(s.watch.report.health, Health::Live);
    s.control.push_raw(V, "<html>").unwrap();
    s.watch.until("lost", |w| w.report.health == Health::Retrying).await;
    s.watch.live().await;
    s.same().await;
}

#[tokio::test]
async fn l1_the_sign_in_waits_as_it_is_told() {
    let running = appliance(Dialect::default()).await;
    running.control().fault_times(V, "token", Fault::too_many(Some("1")), 1).unwrap();
    let mut w = watch(&running, None);
    w.until("throttled", |w| w.report.health == Health::Throttled).await;
    w.live().await;
    assert_eq!(w.report.error, None);
}

#[tokio::test]
async fn n13_a_page_for_people_is_no_token() {
    let running = appliance(Dialect::default()).await;
    running.control().fault_times(V, "token", Fault::Html, 1).unwrap();
    let mut w = watch(&running, None);
    w.until("said so", |w| w.error().contains("sign in to the network")).await;
    w.live().await;
}

/// The twelve questions of the vendor's page, in its words and order, answered from what is shown.
#[tokio::test]
async fn the_twelve_questions_have_answers() {
    let mut s = scene(Dialect::default()).await;
    let (queue, name) = s.queue(0);
    let rep = s.agent(0);
    let mut ids = Vec::new();
    for n in 0..6 {
        ids.push(s.control.customer_arrived(V, &name, Duration::from_secs(60 * n), None).unwrap());
    }
    s.control.agent_takes(V, &ids[0], &rep).unwrap();
    s.control.agent_takes(V, &ids[1], &rep).unwrap();
    s.watch.live().await;
    let w = &s.watch;
    let now = link::Clock::now(&SystemClock);
    let sessions = || w.conversations.values();

    // What sessions are waiting in a queue?
    let waiting: Vec<_> = sessions()
        .filter(|c| c.queue.as_ref() == Some(&queue) && c.state == ConversationState::Waiting)
        .collect();
    assert_eq!((waiting.len(), w.queues[&queue].waiting), (4, Some(4)));
    // What sessions have a representative in them?
    assert_eq!(sessions().filter(|c| c.agents.as_ref().is_some_and(|a| !a.is_empty())).count(), 2);
    // What sessions have been in the system for longer than X minutes?
    assert_eq!(sessions().filter(|c| now.seconds_since(c.created_at.unwrap()) > 150.0).count(), 3);
    // What is the estimated wait time for a session?
    assert!(
        waiting.iter().any(|c| c.expected_at.is_some()) && waiting.iter().any(|c| c.expected_at.is_none())
    );
    // How many chat support sessions are in progress? How many RDP sessions?
    let by_channel = |channel| sessions().filter(|c| c.channel == Some(channel)).count();
    assert_eq!((by_channel(Channel::Chat), by_channel(Channel::Rdp)), (2, 1));
    // How many sessions started from a session key or the issue submission form are in progress?
    let started = [Some(StartedVia::SessionKey), Some(StartedVia::IssueForm)];
    assert_eq!(sessions().filter(|c| started.contains(&c.started_via)).count(), 2);
    // Which representatives are logged in?
    assert_eq!(w.agents.len(), 5);
    // Which representatives are available to accept sessions from a specific queue?
    let serving = w.agents.values().filter(|a| a.queues.as_ref().is_some_and(|q| q.contains(&queue)));
    let available = serving.filter(|a| a.presence == Presence::Available).count();
    assert_eq!(w.queues[&queue].agents_available, Some(available as u32));
    // In which sessions is a representative participating?
    let mine = sessions().filter(|c| c.agents.as_ref().is_some_and(|a| a.contains(&rep))).count();
    assert_eq!((mine, w.agents[&rep].open), (2, Some(2)));
    // How long has a representative been logged in?
    assert!(w.agents[&rep].logged_in_at.is_some_and(|at| now.seconds_since(at) < 60.0));
    // Which representatives are idle, are busy, or have automatic session assignment disabled?
    s.control.agent_takes(V, &ids[2], &rep).unwrap();
    s.shows(&ids[2], ConversationState::Active).await;
    s.same().await;
    let flags = |id: &Id| s.watch.agents[id].flags.clone().unwrap();
    assert_eq!(flags(&rep), [AgentFlag::Busy]);
    let away =
        s.watch.agents.values().find(|a| matches!(a.presence, Presence::Idle | Presence::Away)).unwrap();
    assert!(away.flags.as_ref().is_some_and(|f| !f.is_empty()));
}
