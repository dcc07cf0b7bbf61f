//! One visit: connect, subscribe, bring the first state together, then follow every change.

mod reads;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, VecDeque},
    future::Future,
    pin::Pin,
    time::Duration,
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use link::{
    liveness::{self, Due, Liveness},
    origin::place,
    single_flight::Token,
    ws::{self, Socket},
};
use model::{Health, Id};
use tokio::time::Instant;

use super::{
    auth,
    config::{Config, Pace},
    connect::{lost, open},
    format,
    hear::hear,
    lax::Obj,
    map::Shape,
    rest::{Dates, Reader, RestError, Roster},
    run::{End, Source},
    topic::Topic,
    wire::{self, Frame, Row},
};

/// So many unreadable frames in a minute make us read everything again.
const MALFORMED: usize = 3;
/// A mean wait grows by itself; it is told anew with changes, at most this often.
const WAITS: Duration = Duration::from_secs(1);
/// Unreadable frames are counted over this long.
const MINUTE: Duration = Duration::from_secs(60);
/// Conversations whose messages are followed, and whose details are asked for, at most.
const FOLLOWED: usize = 200;
const DETAILS: usize = 32;
/// More rows than this do not fit into one list.
const LIST: usize = 100;

/// What was asked over REST.
enum Read {
    Roster(Box<Roster>),
    /// All open conversations; asked for at this frame number, in this pass.
    Open {
        asked: u64,
        pass: u8,
        rows: Result<Vec<Row>, RestError>,
    },
}

type Job = Pin<Box<dyn Future<Output = Read> + Send>>;

/// Who we are, as far as the token or the configuration tells it.
struct Own {
    user: Option<String>,
    email: Option<String>,
}

/// What the parts of the first state have come to.
#[derive(Default)]
struct Parts {
    /// Length of the first list.
    list: Option<usize>,
    roster: bool,
    open: bool,
    /// Every open conversation was told on this connection: since then changes tell the rest, whatever
    /// becomes of the reading over REST.
    complete: bool,
    /// Parts that failed alone, and what to say about each.
    failed: BTreeMap<&'static str, String>,
    /// Not even a member of the project.
    stranger: bool,
}

pub(super) struct Visit<'a> {
    source: &'a mut Source,
    pace: Pace,
    socket: Socket,
    token: Token,
    own: Own,
    live: Liveness,
    jobs: FuturesUnordered<Job>,
    /// What the reads have heard of the server's clock.
    dates: Dates,
    parts: Parts,
    opened: Instant,
    asked_again: bool,
    resync_at: Instant,
    members: BTreeSet<String>,
    followed: BTreeSet<String>,
    details: BTreeSet<String>,
    malformed: VecDeque<Instant>,
    waits_told: Instant,
    health_told: Instant,
}

impl<'a> Visit<'a> {
    /// From connecting to the end.
    pub async fn make(source: &'a mut Source) -> End {
        let stop = source.link.stop.clone();
        let opened = tokio::select! {
            biased;
            () = stop.cancelled() => return End::Stopped,
            opened = open(source) => opened,
        };
        let (socket, token) = match opened {
            Ok(pair) => pair,
            Err(end) => return end,
        };
        let claims = auth::claims(token.secret.expose());
        let own = Own { user: claims.user, email: source.config.email.clone().or(claims.email) };
        source.floor.followed = false;
        let (now, pace) = (Instant::now(), source.config.pace);
        let within = liveness::answer_within(pace.answer_within, socket.round_trip());
        let mut visit = Visit {
            pace,
            source,
            socket,
            token,
            own,
            live: Liveness::with(pace.ping_after, within, now),
            jobs: FuturesUnordered::new(),
            dates: Dates::default(),
            parts: Parts::default(),
            opened: now,
            asked_again: false,
            resync_at: now + pace.resync,
            members: BTreeSet::new(),
            followed: BTreeSet::new(),
            details: BTreeSet::new(),
            malformed: VecDeque::new(),
            waits_told: now,
            health_told: now,
        };
        let Err(end) = visit.follow().await;
        if matches!(end, End::Stopped) {
            visit.socket.close().await;
        }
        end
    }

    fn is_live(&self) -> bool {
        self.source.session.health() == Health::Live
    }

    async fn follow(&mut self) -> Result<std::convert::Infallible, End> {
        self.subscribe(&Topic::Requests).await?;
        self.read_all();
        let stop = self.source.link.stop.clone();
        loop {
            self.timers().await?;
            let due = self.next_timer();
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(End::Stopped),
                Some(read) = self.jobs.next(), if !self.jobs.is_empty() => self.read(read).await?,
                frame = self.socket.next() => {
                    let frame = frame.map_err(|error| lost(&error))?;
                    self.frame(frame).await?;
                }
                () = tokio::time::sleep_until(due) => {
                    // A frame that is there already is read first (the order of this select), so what
                    // is due here is due indeed.
                    self.liveness().await?;
                }
            }
        }
    }

    fn next_timer(&self) -> Instant {
        let now = Instant::now();
        let live = match self.live.due(now) {
            Due::At(at) => at,
            Due::Ask | Due::Dead => now,
        };
        let first = if self.is_live() { None } else { Some(self.first_deadline()) };
        first.into_iter().chain([live, self.resync_at]).min().unwrap_or(live)
    }

    fn first_deadline(&self) -> Instant {
        self.opened + if self.asked_again { self.pace.first_state } else { self.pace.first_state / 2 }
    }

    async fn liveness(&mut self) -> Result<(), End> {
        let now = Instant::now();
        match self.live.due(now) {
            Due::At(_) => Ok(()),
            Due::Ask => {
                self.live.asked(now);
                self.say(wire::PING.to_owned()).await
            }
            Due::Dead => {
                // We may have been the slow one: what has arrived meanwhile counts.
                let soon = now + Duration::from_millis(100);
                if let Some(frame) = self.socket.next_before(soon).await.map_err(|error| lost(&error))? {
                    return self.frame(frame).await;
                }
                let host = place(&self.source.config.url);
                Err(End::Lost(
                    format!("{host} no longer answers; the live connection is opened again."),
                    None,
                ))
            }
        }
    }

    async fn timers(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if !self.is_live() && self.parts.list.is_none() && now >= self.first_deadline() {
            if self.asked_again {
                return Err(self.not_granted());
            }
            self.asked_again = true;
            self.subscribe(&Topic::Requests).await?;
        }
        if now >= self.resync_at {
            self.resync_at = now + self.pace.resync;
            // Reads that still run are not doubled.
            if self.jobs.is_empty() {
                self.read_all();
            }
        }
        Ok(())
    }

    /// The server is there, and says nothing: the subscription was not granted.
    fn not_granted(&self) -> End {
        let config = &self.source.config;
        let host = place(&config.url);
        let topic = Topic::Requests.text(&config.project);
        if self.parts.stranger {
            return End::Denied(format!(
                "This user does not belong to project {}: have it invited there as owner or administrator.",
                config.project
            ));
        }
        End::Denied(format!(
            "{host} grants nothing on {topic}: check `project`, and ask for the role owner or administrator in it."
        ))
    }

    // What we say.

    async fn say(&mut self, text: String) -> Result<(), End> {
        self.socket.send_text(text).await.map_err(|error| lost(&error))
    }
    async fn subscribe(&mut self, topic: &Topic) -> Result<(), End> {
        self.say(wire::subscribe(&topic.text(&self.source.config.project))).await
    }
    async fn unsubscribe(&mut self, topic: &Topic) -> Result<(), End> {
        self.say(wire::unsubscribe(&topic.text(&self.source.config.project))).await
    }

    async fn follow_members(&mut self) -> Result<(), End> {
        let users: BTreeSet<String> = self.source.floor.users().map(str::to_owned).collect();
        for gone in self.members.difference(&users).cloned().collect::<Vec<_>>() {
            self.unsubscribe(&Topic::Member(gone)).await?;
        }
        for new in users.difference(&self.members).cloned().collect::<Vec<_>>() {
            self.subscribe(&Topic::Member(new)).await?;
        }
        self.members = users;
        Ok(())
    }

    // What we hear.

    async fn frame(&mut self, frame: ws::Frame) -> Result<(), End> {
        match frame {
            ws::Frame::Text(text) => self.text(&text).await,
            ws::Frame::Binary(_) => {
                self.live.heard(Instant::now());
                Ok(())
            }
            // Protocol pings are answered by the library of a server that is otherwise dead.
            ws::Frame::Life => Ok(()),
        }
    }

    async fn text(&mut self, text: &str) -> Result<(), End> {
        let now = Instant::now();
        self.live.heard(now);
        let Ok(Obj::Is(frame)) = serde_json::from_str::<Obj<Frame<Cow<'_, str>>>>(text) else {
            return self.unreadable(now);
        };
        let Some(payload) = frame.payload.object() else { return Ok(()) };
        match frame.action.text() {
            Some("heartbeat") => {
                let asks = payload.message.object().and_then(|m| m.text.text()) == Some("ping");
                if asks { self.say(wire::PONG.to_owned()).await } else { Ok(()) }
            }
            Some("publish") => self.publish(text, payload).await,
            _ => Ok(()),
        }
    }

    fn unreadable(&mut self, now: Instant) -> Result<(), End> {
        // A change was lost: until all was read again, changes alone do not tell the rest.
        self.parts.complete = false;
        self.malformed.push_back(now);
        while self.malformed.front().is_some_and(|at| now - *at > MINUTE) {
            self.malformed.pop_front();
        }
        if self.malformed.len() >= MALFORMED {
            self.malformed.clear();
            self.resync_at = self.resync_at.min(now + Duration::from_secs(1));
        }
        self.source.link.notes.unreadable("frames");
        tracing::warn!(source = %self.source.config.source, "dropped a frame that is not readable");
        Ok(())
    }

    async fn publish(&mut self, text: &str, payload: &wire::Payload<Cow<'_, str>>) -> Result<(), End> {
        let source = &mut *self.source;
        let (count, seen) = (source.count + 1, source.seen());
        let Some(heard) = hear(&mut source.floor, &source.config.project, payload, seen, count) else {
            return Ok(());
        };
        let (part, shape) = format::of(&heard.topic);
        source.link.notes.hear(part, text.as_bytes(), shape);
        source.count = count;
        if let Some(rows) = heard.list {
            self.parts.list.get_or_insert(rows);
        }
        if let Topic::Request(id) = &heard.topic
            && self.details.remove(id)
        {
            self.unsubscribe(&heard.topic).await?;
        }
        let details = heard.poor;
        self.source.session.data(self.source.now());
        if let Some(id) = details
            && self.details.len() < DETAILS
            && self.details.insert(id.clone())
        {
            self.subscribe(&Topic::Request(id)).await?;
        }
        self.settle().await
    }

    /// Follows the messages of open conversations; `true`: it is open.
    async fn follow_messages(&mut self, moved: Vec<(Id, bool)>) -> Result<(), End> {
        for (id, open) in moved {
            let id = id.to_string();
            if !open && self.followed.remove(&id) {
                self.unsubscribe(&Topic::Messages(id)).await?;
            } else if open && self.followed.len() < FOLLOWED && self.followed.insert(id.clone()) {
                self.subscribe(&Topic::Messages(id)).await?;
            }
        }
        Ok(())
    }

    // What we tell.

    /// Tells what changed; the first time everything, once all parts of the first state are there.
    async fn settle(&mut self) -> Result<(), End> {
        let parts = &self.parts;
        let first = !self.is_live();
        if first && !(parts.list.is_some() && parts.roster && parts.open) {
            return Ok(());
        }
        let news = self.review_gaps();
        let source = &mut *self.source;
        let (now, seen, tick) = (source.now(), source.seen(), Instant::now());
        if first {
            source.session.live(now);
            source.was_live = true;
            source.floor.followed = true;
            let all = source.floor.all(seen);
            (self.waits_told, self.health_told) = (tick, tick);
            source.emit(all).await?;
            let open = if source.config.messages { source.floor.open() } else { Vec::new() };
            return self.follow_messages(open).await;
        }
        let changed = source.floor.has_changes();
        if changed && tick - self.waits_told >= WAITS {
            source.floor.refresh_waits();
            self.waits_told = tick;
        }
        // A frame that changed nothing still moves the age of the data, once a second.
        if !changed && !news && tick - self.health_told < Duration::from_secs(1) {
            return Ok(());
        }
        self.health_told = tick;
        let moved = if source.config.messages { source.floor.moved() } else { Vec::new() };
        let changes = source.floor.take(seen);
        source.emit(changes).await?;
        self.follow_messages(moved).await
    }

    /// Which parts are missing, and what to do about it. Returns whether that is news.
    fn review_gaps(&mut self) -> bool {
        let source = &mut *self.source;
        let failed = &self.parts.failed;
        let mut gaps: BTreeSet<String> = failed.keys().map(|gap| (*gap).to_owned()).collect();
        let mut advice = failed.values().next().cloned();
        let mut whole = self.parts.complete || !failed.contains_key("conversations");
        let own = source.floor.own(self.own.user.as_deref(), self.own.email.as_deref());
        if own.as_ref().and_then(|own| source.floor.sees_all(own)) == Some(false) {
            let role = own.as_ref().and_then(|own| source.floor.role(own)).unwrap_or("this").to_owned();
            gaps.insert("conversations".to_owned());
            whole = false;
            advice = Some(format!(
                "This user's role ({role}) sees only a part of the conversations: ask for the role owner or administrator."
            ));
        }
        if advice.is_none() && source.floor.strange > 0 {
            advice = Some(format!(
                "Format changed: {} rows from {} could not be read as known; look for an update of Floorwalker.",
                source.floor.strange,
                place(&source.config.url)
            ));
        }
        if source.floor.whole != whole {
            source.floor.whole = whole;
            source.floor.touch_places();
        }
        source.session.set_gaps(gaps, advice)
    }
}

fn sentence_of(config: &Config, error: &RestError) -> String {
    let host = place(&config.api);
    match error {
        RestError::Token => format!("{host} refused the token: sign in again and store the new one."),
        RestError::Forbidden { .. } => {
            format!("{host} does not let this user read all parts: ask for the role owner or administrator.")
        }
        RestError::NoProject => format!("{host} knows no project {}: check `project`.", config.project),
        RestError::Throttled(_) => format!("{host} asks to slow down; parts are read again later."),
        RestError::Failed(sentence) => sentence.clone(),
    }
}
