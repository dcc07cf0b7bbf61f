//! Whether, when and how loudly to tell a person. Decisions only; the application shows and plays.
//!
//! The first alert of a source is told at once; warnings that follow within ten seconds are told
//! together; a critical takes them along at once. Never more than one notice in two seconds, never more
//! than one sound in ten: what comes faster is told in one summary.

mod quiet;
mod words;

use std::collections::{BTreeMap, HashMap};

use model::{Alert, AlertState, Id, Overlay, Severity, SubjectKind, Timestamp, Transition};

use super::{Channel, Rulebook, Schedule};
use words::{body, summary, title};

/// Warnings of one source within this time are told together.
const WINDOW_MS: i64 = 10_000;
/// At most one notice in this time.
const PACE_MS: i64 = 2_000;
/// At most one sound in this time.
const SOUND_MS: i64 = 10_000;

/// Why an alert is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// It fired.
    First,
    /// It went from warning to critical.
    Escalated,
    /// It fires and clears again and again.
    Flapping,
    /// It still fires after the rule's repeat time.
    Repeat,
    /// The acknowledgement ended and it still fires.
    AckEnded,
    /// The snooze ended and it still fires.
    SnoozeEnded,
    /// It fired while something kept it quiet, and that is over.
    Freed,
}

/// Why an alert is not told now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quiet {
    /// The rule names neither desktop nor sound.
    NotWanted,
    /// Somebody has seen it.
    Acked,
    /// Snoozed.
    Snoozed,
    /// Outside hours.
    Muted,
    /// Another alert is the cause.
    Inhibited,
    /// The person at this desk wants to hear nothing now.
    Desk,
    /// The same rule and target were told less than the repeat time ago.
    RecentlyTold,
}

/// What the person at this desk wants to hear, and when nothing at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Wishes {
    /// Times in which nothing is shown or played. What fires meanwhile is told when they end.
    pub mute: Option<Schedule>,
    /// The least severity that sounds; `None`: none does.
    pub sound: Option<Severity>,
}

impl Default for Wishes {
    fn default() -> Self {
        Self { mute: None, sound: Some(Severity::Warning) }
    }
}

/// How it sounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// A warning.
    One,
    /// A critical.
    Two,
}

/// One notice for a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The alert it is about, which it replaces an earlier notice of; `None` for several together.
    pub alert: Option<Id>,
    /// All alerts it tells, and why.
    pub tells: Vec<(Id, Why)>,
    /// The worst of them.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// Plain sentences. Vendor text is text.
    pub body: String,
    /// Whether the desktop shows it.
    pub desktop: bool,
    /// Whether it sounds.
    pub sound: Option<Tone>,
}

/// What to do now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Telling {
    /// Notices to show, at most one.
    pub show: Vec<Notice>,
    /// Alerts whose notice has to go away.
    pub close: Vec<Id>,
    /// What was decided not to be told, and why.
    pub held: Vec<(Id, Quiet)>,
}

#[derive(Clone, Debug)]
struct Known {
    alert: Alert,
    told: Option<(Timestamp, Severity)>,
    /// A notice of its own is on the screen.
    shown: bool,
    /// When to tell it again.
    repeat_at: Option<Timestamp>,
    /// Its place among those that wait to be told.
    waits: Option<u64>,
}

/// What waits to be told of one source.
#[derive(Clone, Debug, Default)]
struct Group {
    /// In the order in which it happened.
    waiting: BTreeMap<u64, (Id, Why)>,
    /// When it is to be told.
    ready_at: Option<Timestamp>,
    /// Until when warnings are collected.
    collects_until: Option<Timestamp>,
}

type Place = (String, SubjectKind, Option<Id>, Id);

/// Decides what to tell.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    known: HashMap<Id, Known>,
    groups: HashMap<Option<Id>, Group>,
    /// Counts what was ever put among the waiting.
    count: u64,
    /// When a rule last told about a target, over all its episodes.
    lately: HashMap<Place, (Timestamp, Severity)>,
    repeats: BTreeMap<(Timestamp, Id), ()>,
    last_shown: Option<Timestamp>,
    last_sound: Option<Timestamp>,
    wishes: Wishes,
    /// Alerts that the mute time kept back, and when to look whether it is over.
    muted: BTreeMap<Id, Why>,
    mute_ends: Option<Timestamp>,
    /// Alerts that the desktop's own do-not-disturb kept back.
    withheld: BTreeMap<Id, Why>,
}

fn place(alert: &Alert) -> Place {
    (alert.rule.clone(), alert.subject.kind, alert.source.clone(), alert.subject.id.clone())
}
fn later(at: Timestamp, ms: i64) -> Timestamp {
    Timestamp::from_ms(at.as_ms().saturating_add(ms))
}

impl Notices {
    /// Alerts of an earlier run. `told`: what the notification log says of them. A fired one of which
    /// the log says nothing is told, so that a crash never swallows one.
    pub fn restore(
        &mut self,
        alerts: &[Alert],
        told: &[(Id, Timestamp, Severity)],
        book: &Rulebook,
        now: Timestamp,
    ) -> Telling {
        let mut telling = Telling::default();
        let mut lasts: HashMap<&Id, (Timestamp, Severity)> = HashMap::new();
        for (id, at, severity) in told {
            let last = lasts.entry(id).or_insert((*at, *severity));
            *last = (*last).max((*at, *severity));
        }
        for alert in alerts {
            let last = lasts.get(&alert.id).copied();
            self.know(alert);
            if let Some((at, severity)) = last {
                self.lately.insert(place(alert), (at, severity));
            }
            if let Some(known) = self.known.get_mut(&alert.id) {
                known.told = last;
            }
            let untold = last.is_none_or(|(_, severity)| severity < alert.severity);
            if untold && alert.fired_at.is_some() {
                let why = if last.is_some() { Why::Escalated } else { Why::First };
                self.want(alert, why, book, now, &mut telling);
            } else {
                self.plan_repeat(&alert.id, book);
            }
        }
        self.flush(book, now, &mut telling);
        telling
    }

    /// Other wishes hold from now on.
    pub fn set_wishes(&mut self, wishes: Wishes, book: &Rulebook, now: Timestamp) -> Telling {
        let mut telling = Telling::default();
        if self.wishes != wishes {
            self.wishes = wishes;
            self.mute_ends = self.mute_ends.map(|_| now);
            self.end_mute(book, now, &mut telling);
            self.flush(book, now, &mut telling);
        }
        telling
    }

    /// Takes what happened to alerts, in order.
    pub fn on(&mut self, transitions: &[(Transition, Alert)], book: &Rulebook, now: Timestamp) -> Telling {
        let mut telling = Telling::default();
        for (transition, alert) in transitions {
            if alert.state == AlertState::Inactive {
                self.over(&alert.id, &mut telling);
                continue;
            }
            self.know(alert);
            match transition {
                Transition::Firing => self.want(alert, Why::First, book, now, &mut telling),
                Transition::Escalated => self.want(alert, Why::Escalated, book, now, &mut telling),
                Transition::Flapping => self.want(alert, Why::Flapping, book, now, &mut telling),
                Transition::Unacked => self.want(alert, Why::AckEnded, book, now, &mut telling),
                Transition::Unsnoozed => self.want(alert, Why::SnoozeEnded, book, now, &mut telling),
                Transition::Uninhibited | Transition::Unmuted => {
                    if let Some(why) = self.owed(alert, book, now) {
                        self.want(alert, why, book, now, &mut telling);
                    }
                }
                // Somebody is on it: nothing has to stay on the screen.
                Transition::Acked | Transition::Snoozed => self.put_away(&alert.id, &mut telling),
                _ => {}
            }
        }
        self.flush(book, now, &mut telling);
        telling
    }

    /// An alert changed without a line (see [`super::Alerts::take_quiet_changes`]).
    pub fn changed_quietly(&mut self, alert: &Alert) {
        self.know(alert);
    }

    /// A moment of [`Notices::next_deadline`] has come.
    pub fn due(&mut self, book: &Rulebook, now: Timestamp) -> Telling {
        let mut telling = Telling::default();
        while let Some(((at, id), ())) = self.repeats.first_key_value().map(|(k, v)| (k.clone(), *v)) {
            if at > now {
                break;
            }
            self.repeats.remove(&(at, id.clone()));
            let Some(known) = self.known.get_mut(&id) else { continue };
            known.repeat_at = None;
            let alert = known.alert.clone();
            if alert.state == AlertState::Firing && !alert.overlays.contains(&Overlay::Unknown) {
                self.want(&alert, Why::Repeat, book, now, &mut telling);
            }
            self.plan_repeat_from(&id, book, now);
        }
        self.end_mute(book, now, &mut telling);
        self.flush(book, now, &mut telling);
        telling
    }

    /// When to call [`Notices::due`] at the latest.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let ready = self.groups.values().filter_map(|group| group.ready_at).min();
        let paced = ready.map(|at| self.last_shown.map_or(at, |last| at.max(later(last, PACE_MS))));
        let repeat = self.repeats.first_key_value().map(|((at, _), ())| *at);
        [paced, repeat, self.mute_ends].into_iter().flatten().min()
    }

    /// What a person has not heard of an alert that was kept quiet until now.
    fn owed(&self, alert: &Alert, book: &Rulebook, now: Timestamp) -> Option<Why> {
        alert.fired_at?;
        match self.known.get(&alert.id)?.told {
            None => Some(Why::Freed),
            Some((_, severity)) if severity < alert.severity => Some(Why::Escalated),
            Some((at, _)) if now.as_ms() - at.as_ms() >= repeat_ms(book, alert) => Some(Why::Repeat),
            Some(_) => None,
        }
    }

    fn know(&mut self, alert: &Alert) {
        match self.known.get_mut(&alert.id) {
            Some(known) => known.alert = alert.clone(),
            None => {
                let known =
                    Known { alert: alert.clone(), told: None, shown: false, repeat_at: None, waits: None };
                self.known.insert(alert.id.clone(), known);
            }
        }
    }

    fn over(&mut self, id: &Id, telling: &mut Telling) {
        self.put_away(id, telling);
        if let Some(at) = self.known.remove(id).and_then(|k| k.repeat_at) {
            self.repeats.remove(&(at, id.clone()));
        }
        self.muted.remove(id);
        self.withheld.remove(id);
    }

    fn put_away(&mut self, id: &Id, telling: &mut Telling) {
        self.wait_no_more(id);
        if let Some(known) = self.known.get_mut(id).filter(|k| k.shown) {
            known.shown = false;
            telling.close.push(id.clone());
        }
    }

    fn want(&mut self, alert: &Alert, why: Why, book: &Rulebook, now: Timestamp, telling: &mut Telling) {
        if let Some(quiet) = self.keeps_quiet(alert, why, book, now) {
            self.hold(alert.id.clone(), why, quiet, now, telling);
            if quiet == Quiet::RecentlyTold {
                self.plan_repeat_from_place(alert, book);
            }
            return;
        }
        self.wait_no_more(&alert.id);
        let critical = alert.severity == Severity::Critical;
        let group = self.groups.entry(alert.source.clone()).or_default();
        let collecting = group.collects_until.filter(|until| *until > now);
        let ready_at = match collecting {
            Some(until) if !critical => until,
            _ => now,
        };
        if collecting.is_none() || critical {
            group.collects_until = Some(later(now, WINDOW_MS));
        }
        // One that cannot wait takes along what waits.
        group.ready_at = Some(group.ready_at.map_or(ready_at, |at| at.min(ready_at)));
        self.count += 1;
        group.waiting.insert(self.count, (alert.id.clone(), why));
        if let Some(known) = self.known.get_mut(&alert.id) {
            known.waits = Some(self.count);
        }
    }

    fn wait_no_more(&mut self, id: &Id) {
        let Some(known) = self.known.get_mut(id) else { return };
        let Some(place) = known.waits.take() else { return };
        if let Some(group) = self.groups.get_mut(&known.alert.source) {
            group.waiting.remove(&place);
            if group.waiting.is_empty() {
                group.ready_at = None;
            }
        }
    }

    fn flush(&mut self, book: &Rulebook, now: Timestamp, telling: &mut Telling) {
        if self.last_shown.is_some_and(|last| now < later(last, PACE_MS)) {
            return;
        }
        let mut ready: Vec<(u64, (Id, Why))> = Vec::new();
        for group in self.groups.values_mut().filter(|g| g.ready_at.is_some_and(|at| at <= now)) {
            group.ready_at = None;
            ready.extend(std::mem::take(&mut group.waiting));
        }
        ready.sort_by_key(|(place, _)| *place);
        let mut told: Vec<(Alert, Why)> = Vec::new();
        for (_, (id, why)) in ready {
            let Some(known) = self.known.get_mut(&id) else { continue };
            known.waits = None;
            let alert = known.alert.clone();
            // What became of it while it waited counts.
            match self.keeps_quiet(&alert, Why::Repeat, book, now) {
                Some(quiet) => self.hold(id, why, quiet, now, telling),
                None => told.push((alert, why)),
            }
        }
        if told.is_empty() {
            return;
        }
        // The worst first; within that the order in which it happened.
        told.sort_by_key(|(alert, _)| std::cmp::Reverse(alert.severity));
        let notice = self.notice(&told, book, now);
        for (alert, _) in &told {
            self.lately.insert(place(alert), (now, alert.severity));
            if let Some(known) = self.known.get_mut(&alert.id) {
                known.told = Some((now, alert.severity));
                known.shown |= told.len() == 1 && notice.desktop;
            }
            self.plan_repeat_from(&alert.id, book, now);
        }
        self.lately.retain(|_, (at, _)| now.as_ms() - at.as_ms() < 86_400_000);
        self.groups.retain(|_, group| {
            !group.waiting.is_empty() || group.collects_until.is_some_and(|until| until > now)
        });
        self.last_shown = Some(now);
        telling.show.push(notice);
    }

    fn notice(&mut self, told: &[(Alert, Why)], book: &Rulebook, now: Timestamp) -> Notice {
        let wants = |alert: &Alert, channel: &Channel| {
            book.rule(&alert.rule).is_some_and(|r| r.notify().contains(channel))
        };
        let worst = told.iter().map(|(a, _)| a.severity).max().unwrap_or(Severity::Warning);
        let audible = |alert: &Alert| self.wishes.sound.is_some_and(|least| alert.severity >= least);
        let sounds = told.iter().any(|(a, _)| wants(a, &Channel::Sound) && audible(a));
        let silent = self.last_sound.is_some_and(|last| now < later(last, SOUND_MS));
        let sound = (sounds && !silent).then_some(match worst {
            Severity::Critical => Tone::Two,
            Severity::Warning => Tone::One,
        });
        if sound.is_some() {
            self.last_sound = Some(now);
        }
        let (title, body) = match told {
            [(alert, why)] => (title(alert, *why), body(alert, *why, now)),
            many => summary(many),
        };
        Notice {
            alert: match told {
                [(alert, _)] => Some(alert.id.clone()),
                _ => None,
            },
            tells: told.iter().map(|(a, why)| (a.id.clone(), *why)).collect(),
            severity: worst,
            title,
            body,
            desktop: told.iter().any(|(a, _)| wants(a, &Channel::Desktop)),
            sound,
        }
    }

    fn plan_repeat(&mut self, id: &Id, book: &Rulebook) {
        if let Some((at, _)) = self.known.get(id).and_then(|k| k.told) {
            self.plan_repeat_from(id, book, at);
        }
    }
    fn plan_repeat_from_place(&mut self, alert: &Alert, book: &Rulebook) {
        if let Some((at, _)) = self.lately.get(&place(alert)).copied() {
            self.plan_repeat_from(&alert.id, book, at);
        }
    }
    fn plan_repeat_from(&mut self, id: &Id, book: &Rulebook, from: Timestamp) {
        let Some(known) = self.known.get_mut(id) else { return };
        if let Some(old) = known.repeat_at.take() {
            self.repeats.remove(&(old, id.clone()));
        }
        let at = later(from, repeat_ms(book, &known.alert));
        known.repeat_at = Some(at);
        self.repeats.insert((at, id.clone()), ());
    }
}

fn repeat_ms(book: &Rulebook, alert: &Alert) -> i64 {
    book.rule(&alert.rule).map_or(300_000, |r| r.repeat_ms())
}
