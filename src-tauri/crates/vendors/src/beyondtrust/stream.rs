//! One visit: take the copy in, then follow every line.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use link::{
    liveness,
    origin::place,
    ws::{Frame, Socket, WsError},
};
use model::Health;
use tokio::time::Instant;

use super::{
    config::Pace,
    connect::{begin, lost, too_long},
    format,
    lines::Lines,
    pulse::{Beat, Pulse},
    run::{End, Source},
    wire::Line,
};
use crate::loose;

/// An appliance with all its thirty places taken closes at about this pace.
const QUICK: Duration = Duration::from_secs(2);
/// So many unreadable lines in a minute make us begin anew.
const MALFORMED: usize = 3;
/// So many messages are taken in before what they changed is told.
const TOGETHER: usize = 64;
/// Lines that change nothing still say that the data is fresh, at most this often.
const HEALTH_EVERY: Duration = Duration::from_secs(1);

/// The appliance promises to tell a change within this time, seconds.
const LATENCY_S: f64 = 21.0;

/// The copy that is on its way.
struct Copying {
    since: Instant,
    last_line: Instant,
    any: bool,
    emptied: bool,
}

impl Copying {
    fn new(now: Instant, emptied: bool) -> Self {
        Self { since: now, last_line: now, any: false, emptied }
    }
    /// When it counts as whole if nothing more comes; for one that never begins, when to give up.
    fn ends(&self, pace: &Pace) -> Instant {
        let most = if self.emptied && !self.any { pace.emptied } else { pace.patience };
        let end = self.since + most;
        if self.any { end.min(self.last_line + pace.quiet) } else { end }
    }
}

pub(super) struct Visit<'a> {
    source: &'a mut Source,
    pace: Pace,
    socket: Box<Socket>,
    lines: Lines,
    ready: VecDeque<Vec<u8>>,
    pulse: Pulse,
    pongs: u64,
    malformed: VecDeque<Instant>,
    copying: Option<Copying>,
    /// Lines were taken in and not told.
    untold: bool,
    told: Instant,
    /// The most that a message's time was ahead of ours, seconds.
    ahead: Option<f64>,
}

impl<'a> Visit<'a> {
    /// From connecting to the end.
    pub async fn make(source: &'a mut Source) -> End {
        let stop = source.link.stop.clone();
        let begun = tokio::select! {
            biased;
            () = stop.cancelled() => return End::Stopped,
            begun = begin(source) => begun,
        };
        let (socket, lines, ready) = match begun {
            Ok(begun) => begun,
            Err(end) => return end,
        };
        let now = Instant::now();
        source.floor.clear();
        let (pongs, pace) = (socket.pongs(), source.config.pace);
        let within = liveness::answer_within(pace.answer_within, socket.round_trip());
        let mut visit = Visit {
            source,
            pace,
            socket,
            lines,
            ready,
            pulse: Pulse::with(pace.ping_after, within, now),
            pongs,
            malformed: VecDeque::new(),
            copying: Some(Copying::new(now, false)),
            untold: false,
            told: now,
            ahead: None,
        };
        let Err(end) = visit.follow().await;
        if matches!(end, End::Stopped) {
            visit.socket.close().await;
        }
        end
    }

    async fn follow(&mut self) -> Result<Infallible, End> {
        let opened = Instant::now();
        let stop = self.source.link.stop.clone();
        loop {
            self.take_ready().await?;
            self.tell().await?;
            self.finish_copy().await?;
            let now = Instant::now();
            let beat = match self.pulse.due(now) {
                Beat::At(at) => at,
                Beat::Ask => {
                    self.socket.ping().await.map_err(|e| lost(&e))?;
                    self.pulse.asked(now);
                    continue;
                }
                Beat::Dead => {
                    // We may have been the slow one: what has arrived meanwhile counts.
                    let soon = now + Duration::from_millis(100);
                    if let Some(frame) = self.socket.next_before(soon).await.map_err(|e| lost(&e))? {
                        self.heard(&frame)?;
                        continue;
                    }
                    let host = place(&self.source.config.feed_url);
                    return Err(End::Lost(format!("{host} no longer answers; it is connected again."), None));
                }
            };
            let wake = self.copying.as_ref().map_or(beat, |c| c.ends(&self.pace).min(beat));
            let heard = tokio::select! {
                biased;
                () = stop.cancelled() => return Err(End::Stopped),
                heard = self.socket.next_before(wake) => heard,
            };
            let frame = match heard {
                Ok(Some(frame)) => frame,
                Ok(None) => continue,
                Err(error) => {
                    let nothing_yet = self.copying.as_ref().is_some_and(|c| !c.any && !c.emptied);
                    if nothing_yet && opened.elapsed() <= QUICK && matches!(error, WsError::Closed { .. }) {
                        return Err(End::CutShort);
                    }
                    return Err(lost(&error));
                }
            };
            self.heard(&frame)?;
        }
    }

    fn heard(&mut self, frame: &Frame) -> Result<(), End> {
        let now = Instant::now();
        if self.socket.pongs() > self.pongs {
            self.pongs = self.socket.pongs();
            self.pulse.answered(now);
        } else {
            self.pulse.heard(now);
        }
        let bytes: &[u8] = match frame {
            Frame::Text(text) => text.as_bytes(),
            Frame::Binary(bytes) => bytes,
            Frame::Life => return Ok(()),
        };
        let host = place(&self.source.config.feed_url);
        let lines = self.lines.take(bytes).map_err(|_| too_long(&host))?;
        self.ready.extend(lines);
        Ok(())
    }

    /// Takes in every line that is there. What has arrived together is told together: the rows of one
    /// event may come in several lines and messages.
    async fn take_ready(&mut self) -> Result<(), End> {
        for _ in 0..TOGETHER {
            while let Some(line) = self.ready.pop_front() {
                self.take(&line).await?;
            }
            if !self.untold {
                return Ok(());
            }
            match self.socket.next_before(Instant::now()).await {
                Ok(Some(frame)) => self.heard(&frame)?,
                Ok(None) => break,
                Err(error) => {
                    // What came before the end is still told.
                    self.tell().await?;
                    return Err(lost(&error));
                }
            }
        }
        while let Some(line) = self.ready.pop_front() {
            self.take(&line).await?;
        }
        Ok(())
    }

    /// Takes one line in.
    async fn take(&mut self, line: &[u8]) -> Result<(), End> {
        let notes = &self.source.link.notes;
        let Ok(read) = loose::read::<Line>(line) else {
            notes.unreadable("feed");
            return self.unreadable();
        };
        notes.hear("feed", line, &format::LINE);
        let line = read;
        if line.is_truncate() {
            return self.begin_anew().await;
        }
        self.date(&line);
        if !line.is_update() {
            return Ok(());
        }
        let inserts = line.insert.0.as_ref().is_some_and(|tables| !tables.is_empty());
        self.source.floor.apply(line);
        match &mut self.copying {
            // Changes of a busy site do not put the end of the copy off; only more of the copy does.
            Some(copying) if inserts => (copying.last_line, copying.any) = (Instant::now(), true),
            Some(_) => {}
            None => self.untold = true,
        }
        Ok(())
    }

    /// Where no answer told the appliance's clock, its messages do. One that was under way for as long as the
    /// appliance allows itself tells nothing; of the others the one that came soonest tells most.
    fn date(&mut self, line: &Line) {
        let Some(said) = line.said_at.filter(|_| !self.source.dated) else { return };
        let now = self.source.now();
        let ahead = said.seconds_since(now);
        if self.ahead.is_some_and(|most| ahead <= most) {
            return;
        }
        self.ahead = Some(ahead);
        let on_its_way = (-LATENCY_S..=1.0).contains(&ahead);
        self.source.session.skew.sample(if on_its_way { now } else { said }, now, now);
    }

    /// The appliance has emptied its model: what was told stays, marked as old, until the new copy is whole.
    async fn begin_anew(&mut self) -> Result<(), End> {
        self.tell().await?;
        tracing::info!(source = %self.source.config.source, "the appliance begins its model anew");
        self.source.floor.clear();
        self.copying = Some(Copying::new(Instant::now(), true));
        if self.source.session.health() != Health::Live {
            return Ok(());
        }
        let host = place(&self.source.config.feed_url);
        let now = self.source.now();
        let sentence = format!("{host} has restarted and is telling its state anew; wait a moment.");
        // Its changes may take their time: only when that is over is anything lost.
        self.source.session.stale(now, sentence, now.plus(self.pace.emptied));
        self.source.emit(Vec::new()).await
    }

    /// Tells what the lines since the last telling have changed.
    async fn tell(&mut self) -> Result<(), End> {
        if !std::mem::take(&mut self.untold) {
            return Ok(());
        }
        let now = self.source.now();
        self.source.session.data(now);
        let seen = self.source.seen();
        let changes = self.source.floor.changes(seen);
        if changes.is_empty() && self.told.elapsed() < HEALTH_EVERY {
            return Ok(());
        }
        self.told = Instant::now();
        self.source.emit(changes).await
    }

    /// Ends the copy once it is whole: from here on the floor is live.
    async fn finish_copy(&mut self) -> Result<(), End> {
        let Some(copying) = self.copying.as_ref().filter(|c| c.ends(&self.pace) <= Instant::now()) else {
            return Ok(());
        };
        if copying.emptied && !copying.any {
            let host = place(&self.source.config.feed_url);
            return Err(End::Lost(
                format!("{host} emptied its state and did not tell it anew; it is connected again."),
                Some(Duration::ZERO),
            ));
        }
        self.copying = None;
        let seen = self.source.seen();
        let changes = self.source.floor.whole(seen);
        let now = self.source.now();
        self.source.session.live(now);
        (self.source.was_live, self.source.way_failed) = (true, 0);
        self.source.emit(changes).await
    }

    fn unreadable(&mut self) -> Result<(), End> {
        let now = Instant::now();
        self.malformed.retain(|at| now.duration_since(*at) < Duration::from_secs(60));
        self.malformed.push_back(now);
        tracing::warn!(source = %self.source.config.source, "a line could not be read and was left out");
        if self.malformed.len() < MALFORMED {
            return Ok(());
        }
        let host = place(&self.source.config.feed_url);
        Err(End::Lost(
            format!("{host} sent several lines that cannot be read; everything is asked for anew."),
            None,
        ))
    }
}
