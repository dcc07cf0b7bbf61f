//! Who is told what, and how often.

use std::sync::Arc;

use engine::alerts::{
    Notice, Notices, Quiet, Reading, RuleSpec, Rulebook, Tone, TrayCounts, TrayModel, TrayShape, Why, Wishes,
};
use model::{Alert, AlertState, Overlay, Severity, SubjectKind, Transition};

use crate::floor::{Play, at, book, rule, text};

/// A floor, its alerts and what a person is told of them.
struct Desk {
    play: Play,
    notices: Notices,
    book: Arc<Rulebook>,
    shown: Vec<(f64, Notice)>,
    closed: Vec<String>,
    held: Vec<Quiet>,
    taken: usize,
}

impl Desk {
    fn new(rules: &[RuleSpec]) -> Self {
        let book = book(rules);
        Self {
            play: Play::new(book.clone()),
            notices: Notices::default(),
            book,
            shown: Vec::new(),
            closed: Vec::new(),
            held: Vec::new(),
            taken: 0,
        }
    }
    fn take(&mut self) {
        let new: Vec<(Transition, Alert)> =
            self.play.lines[self.taken..].iter().map(|(_, t, a)| (*t, a.clone())).collect();
        self.taken = self.play.lines.len();
        for alert in self.play.alerts.take_quiet_changes() {
            self.notices.changed_quietly(&alert);
        }
        let now = self.play.now;
        let telling = self.notices.on(&new, &self.book, now);
        self.keep(telling);
    }
    fn keep(&mut self, telling: engine::alerts::Telling) {
        let seconds = self.play.now.seconds_since(at(0.0));
        self.shown.extend(telling.show.into_iter().map(|n| (seconds, n)));
        self.closed.extend(telling.close.iter().map(ToString::to_string));
        self.held.extend(telling.held.into_iter().map(|(_, q)| q));
    }
    fn run_to(&mut self, seconds: f64) {
        let end = at(seconds);
        loop {
            let next = [self.play.alerts.next_deadline(), self.notices.next_deadline()];
            let Some(due) = next.into_iter().flatten().min().filter(|d| *d <= end) else { break };
            let due = due.max(self.play.now);
            self.play.run_to(due.seconds_since(at(0.0)));
            self.take();
            let telling = self.notices.due(&self.book, due);
            self.keep(telling);
        }
        self.play.run_to(seconds);
        self.take();
    }
    fn waiting(&mut self, seconds: f64, queue: &str, n: u32) {
        self.run_to(seconds);
        let (kind, n) = (SubjectKind::Queue, Reading::number(f64::from(n)));
        self.play.set_on(kind, queue, seconds, "waiting", n);
        self.take();
    }
    fn times(&self) -> Vec<f64> {
        self.shown.iter().map(|(s, _)| *s).collect()
    }
}

fn warn() -> RuleSpec {
    RuleSpec { keep: text("0s"), critical: text("queue.waiting > 9"), ..rule("queue.waiting > 4") }
}

#[test]
fn the_first_at_once_and_gone_when_it_clears() {
    let mut d = Desk::new(&[warn()]);
    d.waiting(1.0, "q1", 5);
    assert_eq!(d.times(), [1.0]);
    let notice = &d.shown[0].1;
    assert_eq!(
        (notice.title.as_str(), notice.body.as_str()),
        ("Warning: Test", "Billing: 5 people wait, limit 4")
    );
    assert_eq!((notice.severity, notice.sound, notice.desktop), (Severity::Warning, Some(Tone::One), true));
    let id = d.play.only().id;
    assert_eq!((notice.alert.as_ref(), &notice.tells[..]), (Some(&id), &[(id.clone(), Why::First)][..]));
    d.waiting(5.0, "q1", 0);
    assert_eq!(d.closed, [id.to_string()]);
    assert_eq!(d.notices.next_deadline(), None);
}

#[test]
fn warnings_of_a_source_are_told_together_and_a_critical_takes_them_along() {
    let mut d = Desk::new(&[warn()]);
    for n in 2..=9 {
        d.play.row(SubjectKind::Queue, &format!("q{n}"), &format!("Queue {n}"), &[]);
    }
    d.waiting(0.0, "q1", 5);
    d.waiting(3.0, "q2", 5);
    d.waiting(4.0, "q3", 5);
    d.run_to(9.9);
    assert_eq!(d.times(), [0.0]);
    d.run_to(10.0);
    assert_eq!(d.times(), [0.0, 10.0]);
    let both = &d.shown[1].1;
    assert_eq!((both.title.as_str(), both.alert.as_ref()), ("2 warnings", None));
    assert_eq!(both.body, "Queue 2: 5 people wait, limit 4\nQueue 3: 5 people wait, limit 4");
    d.waiting(21.0, "q4", 5);
    d.waiting(24.0, "q5", 5);
    d.waiting(26.0, "q6", 20);
    assert_eq!(d.times(), [0.0, 10.0, 21.0, 26.0], "the critical does not wait");
    let last = &d.shown[3].1;
    assert_eq!(
        (last.title.as_str(), last.severity, last.sound),
        ("2 alerts, 1 critical", Severity::Critical, None)
    );
    assert!(
        last.body.starts_with("Queue 6: 20 people wait, limit 9\nQueue 5"),
        "the worst first: {}",
        last.body
    );
}

#[test]
fn ten_thousand_alerts_in_ten_seconds() {
    let critical = RuleSpec { severity: text("critical"), ..rule("queue.waiting > 4") };
    let mut d = Desk::new(&[critical]);
    for n in 0..10_000 {
        d.play.row(SubjectKind::Queue, &format!("x{n}"), "Many", &[]);
    }
    for n in 0..10_000 {
        d.waiting(f64::from(n) * 0.001, &format!("x{n}"), 9);
    }
    d.run_to(60.0);
    assert_eq!(d.play.alerts.alerts().len(), 10_000, "the list is complete");
    let told: usize = d.shown.iter().map(|(_, n)| n.tells.len()).sum();
    assert_eq!(told, 10_000);
    assert!(d.times().windows(2).all(|w| w[1] - w[0] >= 2.0), "{:?}", d.times());
    assert!(d.shown.len() <= 6, "{}", d.shown.len());
    assert!(d.shown.iter().all(|(_, n)| n.body.len() < 400));
    let sounds: Vec<f64> = d.shown.iter().filter(|(_, n)| n.sound.is_some()).map(|(s, _)| *s).collect();
    assert!(sounds.windows(2).all(|w| w[1] - w[0] >= 10.0), "{sounds:?}");
}

#[test]
fn a_flapping_input_gives_one_notice_and_one_that_says_so() {
    let mut d = Desk::new(&[rule("queue.waiting > 4")].map(|r| RuleSpec { keep: text("0s"), ..r }));
    for cycle in 0..30 {
        d.waiting(f64::from(cycle) * 4.0, "q1", 9);
        d.waiting(f64::from(cycle) * 4.0 + 2.0, "q1", 0);
    }
    let whys: Vec<Why> = d.shown.iter().flat_map(|(_, n)| n.tells.iter().map(|(_, w)| *w)).collect();
    assert_eq!(whys, [Why::First, Why::Flapping]);
    assert_eq!(d.held, [Quiet::RecentlyTold, Quiet::RecentlyTold]);
}

#[test]
fn it_is_repeated_while_it_fires() {
    let mut d = Desk::new(&[RuleSpec { repeat: text("60s"), ..warn() }]);
    d.waiting(0.0, "q1", 5);
    d.run_to(130.0);
    assert_eq!(d.times(), [0.0, 60.0, 120.0]);
    assert_eq!(d.shown[1].1.body, "Billing: 5 people wait, limit 4. Firing for 1:00.");
    d.play.acknowledge(130.0);
    d.take();
    d.run_to(1000.0);
    assert_eq!(d.shown.len(), 3, "somebody is on it");
    assert_eq!(d.closed.len(), 1);
    d.waiting(1000.0, "q1", 20);
    assert_eq!(d.shown[3].1.tells[0].1, Why::Escalated);
}

#[test]
fn a_new_episode_soon_after_is_told_if_it_stays() {
    let mut d = Desk::new(&[RuleSpec { repeat: text("60s"), ..warn() }]);
    d.waiting(0.0, "q1", 5);
    d.waiting(5.0, "q1", 0);
    d.waiting(10.0, "q1", 5);
    d.run_to(100.0);
    assert_eq!(d.times(), [0.0, 60.0]);
}

#[test]
fn a_snoozed_one_is_told_when_the_snooze_ends() {
    let mut d = Desk::new(&[warn()]);
    d.waiting(0.0, "q1", 5);
    let alert = d.play.only().id;
    d.play.command(1.0, engine::DeskCommand::Snooze { alert, until: Some(at(30.0)) });
    d.take();
    d.waiting(10.0, "q1", 20);
    assert_eq!(d.held, [Quiet::Snoozed]);
    d.run_to(40.0);
    assert_eq!(d.times(), [0.0, 30.0]);
    assert_eq!((d.shown[1].1.tells[0].1, d.shown[1].1.severity), (Why::SnoozeEnded, Severity::Critical));
}

#[test]
fn channels_are_as_wanted() {
    let notify = |channels: &[&str]| Some(channels.iter().map(|c| c.to_string()).collect());
    let mut d = Desk::new(&[RuleSpec { notify: notify(&["tray", "webhook:x"]), ..warn() }]);
    d.waiting(0.0, "q1", 5);
    assert_eq!((d.shown.len(), &d.held[..]), (0, &[Quiet::NotWanted][..]));
    let mut d = Desk::new(&[RuleSpec { notify: notify(&["sound"]), ..warn() }]);
    d.waiting(0.0, "q1", 5);
    assert_eq!((d.shown[0].1.desktop, d.shown[0].1.sound), (false, Some(Tone::One)));
}

#[test]
fn after_a_crash_never_none_and_never_a_third() {
    let mut d = Desk::new(&[RuleSpec { repeat: text("1h"), ..warn() }]);
    d.waiting(0.0, "q1", 5);
    let stood = d.play.alerts.alerts();
    let id = stood[0].id.clone();
    let told = [(id.clone(), at(0.0), Severity::Warning)];
    let mut again = Notices::default();
    assert!(again.restore(&stood, &told, &d.book, at(100.0)).show.is_empty(), "the log has it");
    assert_eq!(again.next_deadline(), Some(at(3600.0)));
    let mut again = Notices::default();
    assert_eq!(again.restore(&stood, &[], &d.book, at(100.0)).show.len(), 1, "the log never had it");
    // It grew worse, and the program ended before that was told.
    d.waiting(110.0, "q1", 12);
    let mut again = Notices::default();
    let shown = again.restore(&d.play.alerts.alerts(), &told, &d.book, at(120.0)).show;
    assert_eq!((shown.len(), shown[0].tells[0].1), (1, Why::Escalated));
}

#[test]
fn a_reason_that_several_have_is_said_once() {
    let mut d = Desk::new(&[RuleSpec { name: "Other".to_owned(), ..warn() }, warn()]);
    d.play.row(SubjectKind::Queue, "q2", "Sales", &[]);
    for (seconds, queue) in [(1.0, "q1"), (3.0, "q2")] {
        d.waiting(seconds, queue, 6);
    }
    d.run_to(30.0);
    let last = &d.shown.last().unwrap().1;
    let lines: Vec<&str> = last.body.lines().collect();
    assert_eq!((last.tells.len(), lines.len()), (2, 1), "{}", last.body);
    assert!(lines[0].ends_with("(2 times)"), "{}", last.body);
}

#[test]
fn the_tray_has_four_shapes() {
    let mut d = Desk::new(&[warn()]);
    let counts = TrayCounts { waiting: Some(0), sources: 2, live: 2, connecting: 0 };
    let tray = |d: &Desk, c| TrayModel::of(&d.play.alerts.alerts(), c);
    let plain = tray(&d, counts);
    assert_eq!((plain.shape, plain.number, plain.stale), (TrayShape::Plain, None, false));
    assert_eq!(plain.sentence, "Nobody waits.");
    let three = TrayCounts { waiting: Some(3), ..counts };
    assert_eq!((tray(&d, three).shape, tray(&d, three).number), (TrayShape::Dot, Some(3)));
    d.waiting(0.0, "q1", 5);
    let warning = tray(&d, three);
    assert_eq!((warning.shape, warning.number), (TrayShape::Triangle, Some(1)));
    assert_eq!(warning.sentence, "1 warning, 3 people wait.");
    d.waiting(1.0, "q1", 20);
    assert_eq!(tray(&d, three).shape, TrayShape::Diamond);
    d.play.acknowledge(2.0);
    assert_eq!(d.play.only().state, AlertState::Acked);
    let lost = TrayCounts { waiting: None, live: 1, ..counts };
    let handled = tray(&d, lost);
    assert_eq!((handled.shape, handled.number, handled.stale), (TrayShape::Dot, None, true));
    assert_eq!(handled.sentence, "1 acknowledged, 1 source not live, how many wait is not known.");
    let id = d.play.only().id;
    d.play.command(3.0, engine::DeskCommand::Snooze { alert: id, until: None });
    assert_eq!(d.play.only().overlays, [Overlay::Snoozed]);
    let empty = TrayModel::of(&[], TrayCounts::default());
    assert_eq!((empty.sentence.as_str(), empty.stale), ("No source is set up.", false));
}

#[test]
fn what_fires_in_a_mute_time_is_told_when_it_ends_and_still_stands() {
    let mut d = Desk::new(&[RuleSpec { keep: text("0s"), ..warn() }]);
    d.play.row(SubjectKind::Queue, "q2", "Sales", &[]);
    // The mute time ends a minute and a half after the beginning of the play.
    let end = at(90.0).to_string();
    let until = format!("00:00-{}", &end[11..16]);
    let mute = engine::alerts::Schedule::read(&[until], "UTC").unwrap();
    let ends = mute.at(at(0.0)).1.seconds_since(at(0.0));
    let wishes = Wishes { mute: Some(mute), ..Wishes::default() };
    let book = d.book.clone();
    let telling = d.notices.set_wishes(wishes, &book, at(0.0));
    d.keep(telling);
    d.waiting(1.0, "q1", 9);
    d.waiting(2.0, "q2", 9);
    d.waiting(3.0, "q2", 0);
    d.run_to(ends - 0.1);
    assert_eq!(d.times(), [0.0; 0]);
    assert!(d.held.contains(&Quiet::Desk));
    d.run_to(ends + 5.0);
    assert_eq!(d.times(), [ends], "once, and only what still stands");
    assert_eq!(d.shown[0].1.tells.len(), 1);
}

#[test]
fn one_that_was_told_and_grew_worse_in_a_mute_time_is_told_as_worse() {
    let mut d = Desk::new(&[RuleSpec { repeat: text("1h"), ..warn() }]);
    d.waiting(1.0, "q1", 6);
    let end = at(90.0).to_string();
    let mute = engine::alerts::Schedule::read(&[format!("00:00-{}", &end[11..16])], "UTC").unwrap();
    let ends = mute.at(at(2.0)).1.seconds_since(at(0.0));
    let book = d.book.clone();
    let telling = d.notices.set_wishes(Wishes { mute: Some(mute), ..Wishes::default() }, &book, at(2.0));
    d.keep(telling);
    d.waiting(3.0, "q1", 12);
    d.run_to(ends + 1.0);
    let told: Vec<_> = d.shown.iter().map(|(s, n)| (*s, n.tells[0].1)).collect();
    assert_eq!(told, [(1.0, Why::First), (ends, Why::Escalated)]);
}

#[test]
fn what_the_desktop_did_not_take_is_owed_until_it_may_be_disturbed() {
    let mut d = Desk::new(&[warn()]);
    d.play.row(SubjectKind::Queue, "q2", "Sales", &[]);
    let book = d.book.clone();
    let undisturbed = |d: &mut Desk| {
        let now = d.play.now;
        let telling = d.notices.undisturbed(&book, now);
        d.keep(telling);
    };
    let refuse_last = |d: &mut Desk| {
        let (_, notice) = d.shown.pop().unwrap();
        d.notices.withheld(&notice.tells);
        notice.tells[0].1
    };
    d.waiting(1.0, "q1", 6);
    assert_eq!(refuse_last(&mut d), Why::First);
    d.waiting(12.0, "q2", 6);
    assert_eq!(refuse_last(&mut d), Why::First);
    // Over and again within the repeat: nobody heard of the first time.
    d.waiting(20.0, "q2", 0);
    d.waiting(30.0, "q2", 6);
    assert_eq!(refuse_last(&mut d), Why::First);
    // Its repeat is not taken either, and takes nothing away from what is owed.
    d.run_to(302.0);
    assert_eq!(refuse_last(&mut d), Why::Repeat);
    assert_eq!(d.notices.waiting(), 2);
    d.waiting(315.0, "q2", 0);
    assert_eq!(d.notices.waiting(), 1, "one of them still stands");
    undisturbed(&mut d);
    assert_eq!(d.notices.waiting(), 0);
    d.run_to(330.0);
    assert_eq!(d.times(), [315.0], "what still stands, at once and once");
    assert_eq!(d.shown[0].1.tells[0].1, Why::First);
    undisturbed(&mut d);
    d.run_to(340.0);
    assert_eq!(d.times(), [315.0]);
}

#[test]
fn a_warning_that_may_not_sound_leaves_the_sound_to_a_critical() {
    let spec = RuleSpec { critical: text("queue.waiting > 20"), ..warn() };
    let mut d = Desk::new(&[spec]);
    let book = d.book.clone();
    let wishes = Wishes { sound: Some(Severity::Critical), ..Wishes::default() };
    let telling = d.notices.set_wishes(wishes, &book, at(0.0));
    d.keep(telling);
    d.waiting(1.0, "q1", 9);
    d.waiting(5.0, "q1", 30);
    d.run_to(8.0);
    let heard: Vec<Option<Tone>> = d.shown.iter().map(|(_, n)| n.sound).collect();
    assert_eq!(heard, [None, Some(Tone::Two)]);
}
