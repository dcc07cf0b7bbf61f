//! The schedule against a vendor that never was: answers come at once, time is counted.

use std::time::Duration;

use model::Health;

use super::{Next, Plan, Schedule, Trouble, health::Verdict};

const RIGHTNOW: usize = 0;
const QUEUE: usize = 1;
const TODAY: usize = 3;
const LOOKUPS: usize = 4;

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}
fn refused() -> Trouble {
    Trouble::Refused { sentence: "refused".into(), credentials: false }
}
fn link() -> Trouble {
    Trouble::Link("gone".into())
}
fn broken() -> Trouble {
    Trouble::Broken { sentence: "502".into(), soon: true }
}

struct Play {
    schedule: Schedule,
    now: Duration,
    asked: Vec<(u64, usize)>,
    seen: Vec<Verdict>,
}

impl Play {
    fn new() -> Self {
        let plans = vec![
            Plan::of("rightnow", 15),
            Plan::of("queue", 15),
            Plan::of("agents", 30),
            Plan::of("today", 120),
            Plan::look_up("lookups", 900),
        ];
        Self { schedule: Schedule::new(plans, 7), now: Duration::ZERO, asked: Vec::new(), seen: Vec::new() }
    }
    /// Runs until a moment, answering every request by `vendor`.
    fn until(
        &mut self,
        end: Duration,
        mut vendor: impl FnMut(usize, u64) -> Result<(), Trouble>,
    ) -> &Verdict {
        loop {
            match self.schedule.next(self.now) {
                Next::Ask(endpoint) => {
                    self.asked.push((self.now.as_secs(), endpoint));
                    match vendor(endpoint, self.now.as_secs()) {
                        Ok(()) => self.schedule.good(endpoint, self.now, None),
                        Err(trouble) => self.schedule.bad(endpoint, self.now, trouble),
                    }
                }
                Next::Wait(until) => {
                    let until = until.unwrap_or(end).min(end);
                    self.now = until;
                    self.look();
                    if self.now >= end {
                        break;
                    }
                }
            }
            self.look();
        }
        self.seen.last().unwrap()
    }
    fn look(&mut self) {
        if let Some(verdict) = self.schedule.verdict(self.now)
            && self.seen.last() != Some(&verdict)
        {
            self.seen.push(verdict);
        }
    }
    fn healths(&self) -> Vec<Health> {
        let mut healths: Vec<Health> = self.seen.iter().map(|v| v.health).collect();
        healths.dedup();
        healths
    }
    fn count(&self, endpoint: usize, from: u64) -> usize {
        self.asked.iter().filter(|(at, e)| *e == endpoint && *at >= from).count()
    }
}

#[test]
fn a_good_vendor_is_live_and_asked_at_its_pace() {
    let mut play = Play::new();
    let verdict = play.until(secs(600), |_, _| Ok(()));
    assert_eq!((verdict.health, verdict.gaps.len()), (Health::Live, 0));
    assert_eq!(play.healths(), [Health::Live]);
    let counts: Vec<usize> = (0..5).map(|e| play.count(e, 0)).collect();
    assert!((38..=46).contains(&counts[0]) && (38..=46).contains(&counts[1]), "{counts:?}");
    assert!((18..=24).contains(&counts[2]) && (5..=7).contains(&counts[3]) && counts[4] == 1, "{counts:?}");
}

#[test]
fn the_first_request_goes_alone() {
    let mut play = Play::new();
    assert_eq!(play.schedule.next(secs(0)), Next::Ask(RIGHTNOW));
    let Next::Wait(Some(second)) = play.schedule.next(secs(0)) else { panic!("it goes alone") };
    assert!(second > secs(1));
    play.schedule.good(RIGHTNOW, secs(1), None);
    assert!(play.schedule.verdict(secs(1)).is_none());
    assert!(matches!(play.schedule.next(secs(1)), Next::Ask(_)));
}

#[test]
fn a_first_answer_that_is_slow_does_not_hide_the_others() {
    let mut play = Play::new();
    assert_eq!(play.schedule.next(secs(0)), Next::Ask(RIGHTNOW));
    assert_eq!(play.schedule.next(secs(2)), Next::Ask(QUEUE));
    assert_eq!(play.schedule.next(secs(4)), Next::Wait(None), "two at once are enough");
    play.schedule.good(QUEUE, secs(4), None);
    let mut others = Vec::new();
    while let Next::Ask(endpoint) = play.schedule.next(secs(4)) {
        play.schedule.good(endpoint, secs(5), None);
        others.push(endpoint);
    }
    others.sort_unstable();
    assert_eq!(others, [2, TODAY, LOOKUPS]);
    assert!(play.schedule.verdict(secs(5)).is_none(), "the slow one is not known yet");
    play.schedule.good(RIGHTNOW, secs(6), None);
    assert_eq!(play.schedule.verdict(secs(6)).unwrap().health, Health::Live);
    // Whoever was refused or lost once is asked by one request again.
    let mut play = Play::new();
    play.until(secs(100), |_, _| Err(link()));
    let mut now = play.now;
    while let Next::Wait(until) = play.schedule.next(now) {
        now = until.unwrap();
    }
    assert_eq!(play.schedule.next(now + secs(9)), Next::Wait(None));
}

#[test]
fn a_part_that_is_refused_is_outdated_after_three_of_its_own_intervals() {
    let mut play = Play::new();
    play.until(secs(100), |_, _| Ok(()));
    let last = play.asked.iter().rev().find(|(_, e)| *e == QUEUE).unwrap().0;
    play.until(secs(last + 44), |e, _| if e == QUEUE { Err(refused()) } else { Ok(()) });
    assert!(play.schedule.outdated(secs(last + 44)).is_empty());
    play.until(secs(last + 46), |e, _| if e == QUEUE { Err(refused()) } else { Ok(()) });
    assert!(play.schedule.interval(QUEUE) > secs(15), "it is asked less often meanwhile");
    assert_eq!(play.schedule.outdated(secs(last + 46)), [QUEUE]);
    assert_eq!(play.seen.last().unwrap().health, Health::Live);
}

#[test]
fn an_interval_that_changes_counts_from_the_last_question() {
    let mut play = Play::new();
    play.until(secs(20), |_, _| Ok(()));
    let asked = play.asked.iter().find(|(_, e)| *e == LOOKUPS).unwrap().0;
    play.schedule.set_every(LOOKUPS, secs(67));
    play.until(secs(asked + 60), |_, _| Ok(()));
    assert_eq!(play.count(LOOKUPS, 0), 1, "not before the shorter interval is over");
    play.until(secs(asked + 75), |_, _| Ok(()));
    assert_eq!(play.count(LOOKUPS, 0), 2);
    // At once, and slowly answered: the usual interval is what it was.
    play.schedule.set_every(LOOKUPS, secs(1));
    let Next::Ask(LOOKUPS) = play.schedule.next(secs(asked + 75)) else { panic!("at once") };
    play.now = secs(asked + 85);
    play.schedule.good(LOOKUPS, play.now, None);
    play.schedule.set_every(LOOKUPS, secs(900));
    play.until(secs(asked + 1100), |_, _| Ok(()));
    assert_eq!(play.count(LOOKUPS, 0), 3);
}

#[test]
fn a_lost_link_is_retried_with_single_probes_and_comes_back_whole() {
    let mut play = Play::new();
    play.until(secs(100), |_, _| Ok(()));
    play.until(secs(300), |_, _| Err(link()));
    assert_eq!(play.healths(), [Health::Live, Health::Retrying]);
    let tries = play.asked.iter().filter(|(at, _)| (100..300).contains(at)).count();
    assert!((6..=40).contains(&tries), "{tries}");
    let back = play.now.as_secs();
    let verdict = play.until(secs(345), |_, _| Ok(())).clone();
    assert_eq!(verdict.health, Health::Live);
    assert!(play.count(TODAY, back) >= 1, "everything is asked anew");
}

#[test]
fn l3_p22_one_endpoint_that_fails_alone_is_a_gap() {
    let mut play = Play::new();
    let verdict = play.until(secs(60), |e, _| if e == QUEUE { Err(broken()) } else { Ok(()) }).clone();
    assert_eq!((verdict.health, verdict.gaps.as_slice()), (Health::Live, &["queue".to_owned()][..]));
    let verdict = play.until(secs(120), |_, _| Ok(())).clone();
    assert_eq!((verdict.health, verdict.gaps.len(), verdict.error), (Health::Live, 0, None));
}

#[test]
fn one_endpoint_that_hangs_does_not_hide_the_others() {
    let mut play = Play::new();
    let verdict = play.until(secs(60), |e, _| if e == RIGHTNOW { Err(link()) } else { Ok(()) }).clone();
    assert_eq!((verdict.health, verdict.gaps.as_slice()), (Health::Live, &["rightnow".to_owned()][..]));
}

#[test]
fn all_endpoints_broken_is_no_link_within_seconds() {
    let mut play = Play::new();
    play.until(secs(100), |_, _| Ok(()));
    play.until(secs(122), |_, _| Err(broken()));
    assert_eq!(play.seen.last().unwrap().health, Health::Retrying);
    assert!(play.seen.last().unwrap().retry_at.is_some());
    let verdict = play.until(secs(190), |_, _| Ok(())).clone();
    assert_eq!((verdict.health, verdict.gaps.len()), (Health::Live, 0));
}

#[test]
fn a6_forbidden_from_the_start_is_a_gap_and_rarely_asked_again() {
    for (lost, name) in [(RIGHTNOW, "rightnow"), (QUEUE, "queue"), (TODAY, "today")] {
        let mut play = Play::new();
        let verdict = play.until(secs(1000), |e, _| if e == lost { Err(refused()) } else { Ok(()) }).clone();
        assert_eq!((verdict.health, verdict.gaps.as_slice()), (Health::Live, &[name.to_owned()][..]));
        assert!(play.count(lost, 0) <= 3, "{}", play.count(lost, 0));
    }
}

#[test]
fn everything_forbidden_is_denied_and_tried_at_most_every_five_minutes() {
    let mut play = Play::new();
    let verdict = play.until(secs(1000), |_, _| Err(refused())).clone();
    assert_eq!((verdict.health, verdict.gaps.len()), (Health::Denied, 0));
    assert!(play.asked.len() <= 4 + 3, "{:?}", play.asked);
    let verdict = play.until(secs(1300), |_, _| Ok(())).clone();
    assert_eq!((verdict.health, verdict.gaps.len()), (Health::Live, 0));
}

#[test]
fn wrong_credentials_are_shown_once_not_four_times() {
    let mut play = Play::new();
    let wrong = || Trouble::Refused { sentence: "401".into(), credentials: true };
    assert_eq!(play.until(secs(290), |_, _| Err(wrong())).health, Health::Denied);
    assert_eq!(play.asked.len(), 1);
}

#[test]
fn credentials_refused_in_mid_life_are_denied_at_once() {
    let mut play = Play::new();
    play.until(secs(100), |_, _| Ok(()));
    let wrong = || Trouble::Refused { sentence: "401".into(), credentials: true };
    play.until(secs(120), |_, _| Err(wrong()));
    assert_eq!(play.healths(), [Health::Live, Health::Denied]);
    assert!(play.asked.iter().filter(|(at, _)| *at >= 100).count() <= 4);
}

#[test]
fn a7_a_refused_sign_in_is_never_repeated() {
    let mut play = Play::new();
    let verdict = play.until(secs(9000), |_, _| Err(Trouble::SignIn("wrong".into()))).clone();
    assert_eq!((verdict.health, verdict.retry_at), (Health::Denied, None));
    assert_eq!(play.asked.len(), 1);
}

#[test]
fn a7_a_sign_in_that_may_be_tried_again_is_tried_every_five_minutes_by_one_request() {
    let mut play = Play::new();
    play.until(secs(100), |_, _| Ok(()));
    let before = play.asked.len();
    let verdict = play.until(secs(1000), |_, _| Err(Trouble::SignInLater("wrong".into()))).clone();
    assert_eq!(verdict.health, Health::Denied);
    assert!(verdict.retry_at.is_some());
    // Those under way when it was refused, and one every five minutes.
    let tries: Vec<u64> = play.asked[before..].iter().map(|(at, _)| *at).collect();
    assert!(tries.len() <= 6, "{tries:?}");
    assert_eq!(play.healths(), [Health::Live, Health::Denied], "never live with gaps in between");
}

#[test]
fn d5_a_refusal_right_after_success_is_first_throttling() {
    let mut play = Play::new();
    play.until(secs(100), |_, _| Ok(()));
    // All refuse: it stays throttling for 60 + 120 + 300 s, then permission is lost.
    play.until(secs(400), |_, _| Err(refused()));
    assert_eq!(play.healths(), [Health::Live, Health::Throttled]);
    play.until(secs(1400), |_, _| Err(refused()));
    assert_eq!(play.healths(), [Health::Live, Health::Throttled, Health::Denied]);
}

#[test]
fn d5_one_endpoint_refused_while_others_answer_is_a_gap_in_the_end() {
    let mut play = Play::new();
    play.until(secs(100), |_, _| Ok(()));
    let verdict = play.until(secs(135), |e, _| if e == QUEUE { Err(refused()) } else { Ok(()) }).clone();
    assert_eq!(play.healths(), [Health::Live, Health::Throttled, Health::Live]);
    assert_eq!(verdict.gaps, ["queue"]);
    play.until(secs(2000), |e, _| if e == QUEUE { Err(refused()) } else { Ok(()) });
    assert!(play.count(QUEUE, 135) <= 8, "{}", play.count(QUEUE, 135));
    assert!(play.seen.last().unwrap().health == Health::Live);
}

#[test]
fn l1_l2_throttled_pauses_the_account_and_stretches_intervals() {
    let mut play = Play::new();
    play.until(secs(100), |_, _| Ok(()));
    let slow = |after: u64| Trouble::Throttled { sentence: "429".into(), after: Some(secs(after)) };
    let mut told = false;
    let mut vendor =
        |_: usize, _: u64| if std::mem::replace(&mut told, true) { Ok(()) } else { Err(slow(40)) };
    play.until(secs(116), &mut vendor);
    let at = play.seen.last().unwrap().clone();
    assert_eq!(at.health, Health::Throttled);
    let from = play.asked.last().unwrap().0;
    let retry = at.retry_at.unwrap().as_secs();
    assert!((from + 39..=from + 41).contains(&retry), "{from} {retry}");
    play.until(secs(retry + 1), &mut vendor);
    assert_eq!(play.seen.last().unwrap().health, Health::Live);
    assert!(play.schedule.interval(RIGHTNOW) > secs(15));
    play.until(secs(retry + 900), &mut vendor);
    assert_eq!(play.schedule.interval(RIGHTNOW), secs(15));
    // Clamped to a quarter of an hour.
    let from = play.now.as_secs();
    play.until(secs(from + 20), |_, _| Err(slow(1_000_000_000)));
    let retry = play.seen.last().unwrap().retry_at.unwrap().as_secs();
    assert!(retry <= from + 920, "{retry}");
}

#[test]
fn l3_throttled_again_while_others_answer_concerns_one_endpoint() {
    let mut play = Play::new();
    let slow = || Trouble::Throttled { sentence: "429".into(), after: None };
    let verdict = play.until(secs(200), |e, _| if e == QUEUE { Err(slow()) } else { Ok(()) }).clone();
    assert_eq!((verdict.health, verdict.gaps.as_slice()), (Health::Live, &["queue".to_owned()][..]));
}

#[test]
fn look_ups_never_decide_how_the_source_is() {
    for trouble in [refused(), link(), broken()] {
        let mut play = Play::new();
        let verdict =
            play.until(secs(60), |e, _| if e == LOOKUPS { Err(trouble.clone()) } else { Ok(()) }).clone();
        assert_eq!((verdict.health, verdict.gaps.as_slice()), (Health::Live, &["lookups".to_owned()][..]));
    }
}

#[test]
fn an_answer_that_never_comes_makes_stale_and_sleep_does_at_once() {
    let mut play = Play::new();
    play.until(secs(100), |_, _| Ok(()));
    // The next requests are under way and nothing comes back.
    let mut now = play.now;
    while let Next::Ask(_) | Next::Wait(Some(_)) = play.schedule.next(now) {
        now += secs(1);
        if now > secs(100 + 60) {
            break;
        }
    }
    assert_eq!(play.schedule.verdict(secs(160)).unwrap().health, Health::Stale);

    let mut play = Play::new();
    play.until(secs(100), |_, _| Ok(()));
    play.schedule.woke(secs(100));
    assert_eq!(play.schedule.verdict(secs(100)).unwrap().health, Health::Stale);
    assert_eq!(play.until(secs(101), |_, _| Ok(())).health, Health::Live);
}

#[test]
fn a_gap_that_lasts_makes_its_figures_outdated() {
    let mut play = Play::new();
    play.until(secs(100), |_, _| Ok(()));
    play.until(secs(130), |e, _| if e == QUEUE { Err(broken()) } else { Ok(()) });
    assert!(play.schedule.outdated(secs(130)).is_empty());
    play.until(secs(170), |e, _| if e == QUEUE { Err(broken()) } else { Ok(()) });
    assert_eq!(play.schedule.outdated(secs(170)), [QUEUE]);
    assert_eq!(play.seen.last().unwrap().health, Health::Live);
}

#[test]
fn a_vendor_that_asks_for_patience_is_asked_again_as_it_says_and_shown_dead_in_time() {
    let mut play = Play::new();
    play.schedule =
        std::mem::replace(&mut play.schedule, Schedule::new(Vec::new(), 0)).again_after(&[6, 11, 17, 30]);
    play.until(secs(100), |_, _| Ok(()));
    let before = play.asked.len();
    // One interval and three seconds after the vendor went down.
    let verdict = play.until(secs(118), |_, _| Err(broken())).clone();
    assert_eq!(verdict.health, Health::Retrying);
    play.until(secs(200), |_, _| Err(broken()));
    let at: Vec<u64> =
        play.asked[before..].iter().filter(|(_, e)| *e == RIGHTNOW).map(|(at, _)| *at).collect();
    let pauses: Vec<u64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.len() >= 4, "{pauses:?}");
    // Told in whole seconds, so one less than the pause is still in time.
    for (pause, least) in pauses.iter().zip([5, 9, 15, 27, 27]) {
        assert!(*pause >= least, "{pauses:?}");
    }
}

#[test]
fn a_longer_interval_does_not_put_off_what_was_never_asked() {
    let mut play = Play::new();
    assert_eq!(play.schedule.next(secs(0)), Next::Ask(RIGHTNOW));
    play.schedule.good(RIGHTNOW, secs(1), None);
    for endpoint in 0..5 {
        play.schedule.set_every(endpoint, secs(3000));
    }
    let verdict = play.until(secs(10), |_, _| Ok(())).clone();
    assert_eq!((verdict.health, verdict.settled), (Health::Live, true));
}

#[test]
fn l8_a_clock_that_jumps_shortens_no_pause() {
    let mut play = Play::new();
    play.until(secs(100), |_, _| Ok(()));
    let slow = || Trouble::Throttled { sentence: "429".into(), after: Some(secs(300)) };
    play.until(secs(120), |_, _| Err(slow()));
    let retry = play.seen.last().unwrap().retry_at.unwrap();
    let asked = play.asked.len();
    // The wall clock jumps, or the machine slept for a moment: the pause is counted in time that passes.
    for at in [130, 200, 300] {
        play.until(secs(at), |_, _| Ok(()));
        play.schedule.woke(play.now);
    }
    assert_eq!((play.asked.len(), play.seen.last().unwrap().health), (asked, Health::Throttled));
    play.until(retry + secs(2), |_, _| Ok(()));
    assert_eq!(play.seen.last().unwrap().health, Health::Live);
}

#[test]
fn n15_n16_eight_hours_without_a_network_are_few_tries_and_one_return() {
    let mut play = Play::new();
    play.until(secs(100), |_, _| Ok(()));
    play.until(secs(100 + 8 * 3600), |_, _| Err(link()));
    let tries = play.asked.iter().filter(|(at, _)| *at >= 100).count();
    assert!((900..4000).contains(&tries), "{tries} tries in eight hours");
    play.until(secs(100 + 8 * 3600 + 60), |_, _| Ok(()));
    assert_eq!(play.healths(), [Health::Live, Health::Retrying, Health::Live]);
}

#[test]
fn l6_l7_a_quota_that_is_used_up_is_knocked_at_rarely() {
    let mut play = Play::new();
    play.until(secs(100), |_, _| Ok(()));
    // The day's quota, told by nothing but refusals.
    let slow = || Trouble::Throttled { sentence: "429".into(), after: None };
    play.until(secs(100 + 6 * 3600), |_, _| Err(slow()));
    let tries = play.asked.iter().filter(|(at, _)| *at >= 100).count();
    assert!(tries <= 100, "{tries} tries in six hours");
    assert_eq!(play.healths(), [Health::Live, Health::Throttled]);
}

#[test]
fn after_a_loss_no_first_answer_makes_the_others_a_gap() {
    for (what, trouble) in [("broken", broken()), ("refused", refused()), ("link", link())] {
        let mut play = Play::new();
        play.until(secs(100), |_, _| Ok(()));
        play.until(secs(320), |_, _| Err(trouble.clone()));
        assert_ne!(play.seen.last().unwrap().health, Health::Live, "{what}");
        let (said, asked) = (play.seen.len(), play.asked.len());
        let verdict = play.until(secs(700), |_, _| Ok(())).clone();
        assert_eq!((verdict.health, verdict.gaps.len()), (Health::Live, 0), "{what}");
        let partial = play.seen[said..].iter().find(|v| v.settled && !v.gaps.is_empty());
        assert!(partial.is_none(), "{what}: {partial:?}");
        // At once, not after the longest interval.
        let first = play.asked[asked].0;
        let early = |e: usize| play.asked[asked..].iter().any(|(at, one)| *one == e && *at <= first + 70);
        assert!((0..4).all(early), "{what}: {:?}", &play.asked[asked..]);
    }
}

#[test]
fn after_a_loss_one_that_still_fails_is_a_gap_at_once_and_another_does_not_wait_for_it() {
    let mut play = Play::new();
    play.until(secs(100), |_, _| Ok(()));
    play.until(secs(320), |_, _| Err(broken()));
    let said = play.seen.len();
    let back = |e: usize, _| if e == QUEUE { Err(broken()) } else { Ok(()) };
    play.until(secs(360), back);
    let live = play.seen[said..].iter().find(|v| v.health == Health::Live).unwrap();
    assert_eq!(live.gaps, ["queue"]);
}

#[test]
fn after_a_loss_a_late_failure_of_an_earlier_request_counts_for_nothing() {
    let mut play = Play::new();
    play.until(secs(100), |_, _| Ok(()));
    play.until(secs(320), |_, _| Err(broken()));
    // Two are under way when the vendor comes back, and only one of them reaches it in time.
    let mut now = play.now;
    let mut flying = Vec::new();
    while flying.len() < 2 {
        match play.schedule.next(now) {
            Next::Ask(endpoint) => flying.push(endpoint),
            Next::Wait(until) => now = until.unwrap(),
        }
    }
    play.schedule.good(flying[0], now + secs(1), None);
    assert!(play.schedule.verdict(now + secs(1)).is_none());
    play.schedule.bad(flying[1], now + secs(1), broken());
    assert!(play.schedule.verdict(now + secs(1)).is_none());
    (play.now, play.seen) = (now + secs(1), Vec::new());
    play.until(now + secs(2), |_, _| Ok(()));
    assert_eq!((play.healths(), play.seen[0].gaps.len()), (vec![Health::Live], 0));
}

#[test]
fn the_first_word_of_a_loss_is_the_failure_that_made_it() {
    const NAMES: usize = 2;
    let mut play = Play::new();
    let plans = vec![Plan::of("rooms", 5), Plan::of("users", 5), Plan::look_up("lookups", 900)];
    play.schedule = Schedule::new(plans, 7);
    let hear = |play: &mut Play, end: u64, partial: bool, down: bool| {
        while play.now < secs(end) {
            match play.schedule.next(play.now) {
                Next::Ask(NAMES) if partial => {
                    play.schedule.good(NAMES, play.now, Some("names are missing".into()));
                }
                Next::Ask(endpoint) if down => {
                    let sentence = format!("500 at {endpoint}");
                    play.schedule.bad(endpoint, play.now, Trouble::Broken { sentence, soon: true });
                }
                Next::Ask(endpoint) => play.schedule.good(endpoint, play.now, None),
                Next::Wait(until) => play.now = until.unwrap_or(secs(end)).min(secs(end)),
            }
            play.look();
        }
    };
    hear(&mut play, 100, true, false);
    let live = play.seen.last().unwrap().clone();
    assert_eq!((live.health, live.error.as_deref()), (Health::Live, Some("names are missing")));
    hear(&mut play, 200, true, true);
    let lost: Vec<_> = play.seen.iter().filter(|v| v.health == Health::Retrying).collect();
    assert!(!lost.is_empty());
    assert!(lost.iter().all(|v| v.error.as_deref().is_some_and(|e| e.starts_with("500"))), "{lost:?}");
}

#[test]
fn what_is_to_be_said_is_said_beside_a_gap_too() {
    let mut play = Play::new();
    play.until(secs(100), |_, _| Ok(()));
    play.schedule.note(QUEUE, Some("The zone is odd.".into()));
    let verdict = play.until(secs(101), |_, _| Ok(())).clone();
    assert_eq!(verdict.error.as_deref(), Some("The zone is odd."));
    let verdict = play.until(secs(200), |e, _| if e == RIGHTNOW { Err(broken()) } else { Ok(()) }).clone();
    assert_eq!(
        (verdict.error.as_deref(), verdict.gaps),
        (Some("502 The zone is odd."), vec!["rightnow".into()])
    );
}
