//! The log against a plain replay of what it was told, on real files.
#![allow(clippy::unwrap_used)]

mod floor;

use std::{collections::BTreeMap, sync::Arc};

use floor::{T0, at, conversation, queue, source, wide};
use model::{Health, Id, Key, Kind, Timestamp};
use proptest::prelude::*;
use store::{Entity, FloorAt, FloorLog, FloorReader, Logged, Step, StoreError};

/// What the floor is by the plainest means.
#[derive(Clone, Default, Debug, PartialEq)]
struct Plain {
    rows: BTreeMap<(Kind, Key), Entity>,
    sources: BTreeMap<Id, model::Source>,
}

impl Plain {
    fn apply(&mut self, change: &Logged) {
        match change {
            Logged::Upsert(e) => {
                self.rows.insert((e.kind(), e.key()), e.clone());
            }
            Logged::Remove(kind, key) => {
                self.rows.remove(&(*kind, key.clone()));
            }
            Logged::Source(s) => {
                self.sources.insert(s.id.clone(), (**s).clone());
            }
            Logged::SourceGone(id) => {
                self.sources.remove(id);
                self.rows.retain(|(_, key), _| key.source != *id);
            }
        }
    }
    fn of(floor: &FloorAt) -> Self {
        let rows = floor.entities.iter().map(|e| ((e.kind(), e.key()), e.clone())).collect();
        Self { rows, sources: floor.sources.iter().map(|s| (s.id.clone(), (**s).clone())).collect() }
    }
    fn step(&mut self, step: &Step) {
        if step.whole {
            *self = Self::default();
        }
        step.changes.iter().for_each(|c| self.apply(c));
    }
}

/// One random thing to do to the log.
#[derive(Clone, Debug)]
enum Do {
    Append(Vec<Logged>),
    Commit,
    Keyframe,
    Reopen,
}

fn changes() -> impl Strategy<Value = Logged> {
    let row = (0u8..3, 0u8..6, any::<u64>());
    prop_oneof![
        6 => row.clone().prop_map(|(s, n, seed)| Logged::Upsert(wide(s, n, seed))),
        2 => row.prop_map(|(s, n, seed)| { let e = wide(s, n, seed); Logged::Remove(e.kind(), e.key()) }),
        1 => (0u8..3, 0u64..8).prop_map(|(s, seed)| Logged::Source(Arc::new(source(s, seed)))),
        1 => (0u8..3).prop_map(|s| Logged::SourceGone(source(s, 0).id)),
    ]
}

fn doings() -> impl Strategy<Value = Vec<(Do, i64)>> {
    let one = prop_oneof![
        8 => prop::collection::vec(changes(), 0..8).prop_map(Do::Append),
        4 => Just(Do::Commit),
        1 => Just(Do::Keyframe),
        1 => Just(Do::Reopen),
    ];
    prop::collection::vec((one, 0i64..400), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_floor_at_any_time_is_what_a_plain_replay_says(doings in doings()) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("floor.db");
        let (mut log, opened) = FloorLog::open(&path).unwrap();
        prop_assert!(opened.last.is_none() && opened.notice.is_none());
        let mut plain = Plain::default();
        let mut truth: Vec<(Timestamp, Plain)> = Vec::new();
        let (mut now, mut revision) = (T0, 0u64);
        for (doing, later) in doings {
            now += later;
            match doing {
                Do::Append(changes) => {
                    revision += 1;
                    changes.iter().for_each(|c| plain.apply(c));
                    log.append(&changes, at(now), revision);
                    truth.push((at(now), plain.clone()));
                }
                Do::Commit => log.commit().unwrap(),
                Do::Keyframe => {
                    let sources: Vec<_> = plain.sources.values().cloned().map(Arc::new).collect();
                    let rows: Vec<_> = plain.rows.values().cloned().collect();
                    log.keyframe(&sources, &rows, at(now), revision);
                }
                Do::Reopen => {
                    log.close(at(now)).unwrap();
                    let opened;
                    (log, opened) = FloorLog::open(&path).unwrap();
                    prop_assert_eq!(opened.notice, None);
                    if let Some(last) = opened.last {
                        prop_assert_eq!(&Plain::of(&last), &plain);
                    }
                }
            }
        }
        log.commit().unwrap();
        // Of several floors at one instant the last is the floor at it.
        let mut by_time: BTreeMap<Timestamp, Plain> = BTreeMap::new();
        by_time.extend(truth);
        let reader = FloorReader::open(&path).unwrap();
        for (when, expected) in &by_time {
            let floor = reader.floor_at(*when).unwrap().expect("history has begun");
            prop_assert_eq!(&Plain::of(&floor), expected, "at {}", when);
            prop_assert!(floor.at <= *when);
        }
        // Telling the steps one by one ends in the same floors, from the start and from the middle.
        if let (Some(first), Some(last)) = (by_time.keys().next(), by_time.keys().last()) {
            for from in [at(T0 - 1), *first, at((first.as_ms() + last.as_ms()) / 2)] {
                let mut told = Plain::default();
                let mut seen = Vec::new();
                reader.replay(from, *last, |step| { told.step(&step); seen.push((step.at, told.clone())); }).unwrap();
                let mut seen_by_time: BTreeMap<Timestamp, Plain> = BTreeMap::new();
                seen_by_time.extend(seen);
                prop_assert_eq!(seen_by_time.values().last(), by_time.values().last());
                for (when, floor) in seen_by_time {
                    let expected = by_time.range(..=when).next_back().map(|(_, f)| f.clone()).unwrap_or_default();
                    prop_assert_eq!(floor, expected, "step at {}", when);
                }
            }
        }
        prop_assert!(reader.check().is_ok());
    }
}

#[test]
fn a_quiet_floor_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("floor.db");
    let (mut log, _) = FloorLog::open(&path).unwrap();
    let row = queue("shop", "1", 3);
    log.append(&[Logged::Upsert(row.clone())], at(T0), 1);
    log.commit().unwrap();
    let size = || std::fs::metadata(dir.path().join("floor.db-wal")).unwrap().len();
    let before = size();
    for n in 1..100 {
        log.append(&[Logged::Upsert(row.clone())], at(T0 + n * 250), 1);
        log.commit().unwrap();
        log.alive(at(T0 + n * 250));
    }
    assert_eq!(size(), before);
    let lock = std::fs::metadata(dir.path().join("floor.lock")).unwrap();
    assert_eq!(lock.len(), 0, "a sign of life is a time, not a byte");
}

#[test]
fn history_says_when_it_does_not_know() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("floor.db");
    let with = |health| {
        let mut s = source(0, 0);
        s.health = health;
        Logged::Source(Arc::new(s))
    };
    let (mut log, _) = FloorLog::open(&path).unwrap();
    log.append(&[with(Health::Connecting)], at(T0), 0);
    log.append(&[with(Health::Live)], at(T0 + 1000), 0);
    log.append(&[with(Health::Retrying)], at(T0 + 5000), 0);
    log.append(&[with(Health::Stale)], at(T0 + 6000), 0);
    log.append(&[with(Health::Live)], at(T0 + 9000), 0);
    log.close(at(T0 + 10_000)).unwrap();
    let (mut log, _) = FloorLog::open(&path).unwrap();
    log.append(&[with(Health::Live)], at(T0 + 60_000), 0);
    log.append(&[with(Health::Denied)], at(T0 + 61_000), 0);
    log.commit().unwrap();
    let told: Vec<String> = FloorReader::open(&path)
        .unwrap()
        .gaps(at(0), at(T0 + 99_000))
        .unwrap()
        .into_iter()
        .map(|g| {
            let end = g.ended.map_or("…".into(), |e| (e.as_ms() - T0).to_string());
            format!(
                "{} {}-{end} {}",
                g.source.map_or("all".into(), |s| s.to_string()),
                g.began.as_ms() - T0,
                g.why
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "src-0 0-1000 connecting",
            "src-0 5000-9000 retrying",
            "all 10000-60000 not running",
            "src-0 61000-… denied"
        ]
    );
}

#[test]
fn a_clock_that_is_set_back_loses_nothing_and_is_marked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("floor.db");
    let (mut log, _) = FloorLog::open(&path).unwrap();
    log.append(&[Logged::Upsert(queue("shop", "1", 1))], at(T0), 1);
    log.append(&[Logged::Upsert(queue("shop", "1", 2))], at(T0 + 86_400_000), 2);
    // A day back, then half a second back, which is only held still.
    log.append(&[Logged::Upsert(queue("shop", "1", 3))], at(T0 + 1000), 3);
    log.append(&[Logged::Upsert(queue("shop", "1", 4))], at(T0 + 500), 4);
    log.commit().unwrap();
    let waiting = |when| match &log.floor_at(at(when)).unwrap().unwrap().entities[..] {
        [Entity::Queue(q)] => q.waiting,
        other => panic!("{other:?}"),
    };
    assert_eq!(waiting(T0 + 10), Some(1));
    assert_eq!(waiting(T0 + 1000), Some(4));
    assert_eq!(waiting(T0 + 90_000_000), Some(4), "what was written last is the truth about now");
    assert_eq!(log.gaps(at(0), at(T0 + 90_000_000)).unwrap()[0].why, "clock");
}

#[test]
fn retention_forgets_old_segments_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("floor.db");
    let (mut log, _) = FloorLog::open(&path).unwrap();
    let hour = 3_600_000;
    for h in 0..100 {
        log.append(&[Logged::Upsert(queue("shop", "1", h as u32))], at(T0 + h * hour), h as u64);
        log.commit().unwrap();
    }
    while log.retain(at(T0 + 50 * hour)).unwrap() {}
    let floor = log.floor_at(at(T0 + 50 * hour)).unwrap().expect("the limit itself is kept");
    assert_eq!(floor.entities, [queue("shop", "1", 50)]);
    let span = log.span().unwrap().unwrap();
    assert!(span.from > at(T0 + 40 * hour) && span.until == at(T0 + 99 * hour), "{span:?}");
    assert!(log.floor_at(at(T0 + 10 * hour)).unwrap().is_none());
}

#[test]
fn one_writes_and_many_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("floor.db");
    let (mut log, _) = FloorLog::open(&path).unwrap();
    assert!(matches!(FloorLog::open(&path), Err(StoreError::InUse { .. })));
    let readers = [FloorReader::open(&path).unwrap(), FloorReader::open(&path).unwrap()];
    log.append(&[Logged::Upsert(conversation("shop", "c1", 5))], at(T0), 1);
    assert_eq!(readers[0].floor_at(at(T0)).unwrap(), None);
    log.commit().unwrap();
    for reader in &readers {
        assert_eq!(reader.floor_at(at(T0)).unwrap().unwrap().entities.len(), 1);
    }
    drop(log);
    FloorLog::open(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new/deep/floor.db");
    let (mut log, _) = FloorLog::open(&path).unwrap();
    log.append(&[Logged::Upsert(queue("shop", "1", 1))], at(T0), 1);
    log.commit().unwrap();
    let mode =
        |name: &str| std::fs::metadata(path.with_file_name(name)).unwrap().permissions().mode() & 0o777;
    for name in ["floor.db", "floor.db-wal", "floor.db-shm", "floor.lock"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    assert_eq!(mode("."), 0o700);
}

#[test]
fn behind_the_last_record_of_a_log_that_nobody_writes_nothing_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("floor.db");
    let (mut log, _) = FloorLog::open(&path).unwrap();
    log.keyframe(&[], &[queue("shop", "q1", 1)], at(T0), 1);
    log.append(&[Logged::Upsert(queue("shop", "q1", 2))], at(T0 + 500), 2);
    log.commit().unwrap();
    let open_end = |reader: &FloorReader, ms: i64| {
        let gaps = reader.gaps(at(ms), at(ms)).unwrap();
        gaps.into_iter().find(|gap| gap.source.is_none() && gap.ended.is_none()).map(|gap| gap.began)
    };
    let reader = FloorReader::open(&path).unwrap();
    assert_eq!(open_end(&reader, T0 + 60_000), None, "who writes it is alive: nothing has changed since");
    // It ends without a word, as in a crash.
    drop(log);
    assert_eq!(open_end(&reader, T0 + 60_000), Some(at(T0 + 500)));
    assert_eq!(open_end(&reader, T0 + 400), None, "before its last record it is known");
    // A look at the lock does not keep the next start from writing.
    let (mut log, _) = FloorLog::open(&path).unwrap();
    assert_eq!(open_end(&reader, T0 + 60_000), None);
    log.keyframe(&[], &[queue("shop", "q1", 3)], at(T0 + 90_000), 3);
    log.close(at(T0 + 99_000)).unwrap();
    // A polite end says until when nothing happened.
    assert_eq!(open_end(&reader, T0 + 95_000), None);
    assert_eq!(open_end(&reader, T0 + 100_000), Some(at(T0 + 99_000)));
}

/// A crash on a quiet floor costs what came after the last sign of life, not the quiet time.
#[test]
fn a_sign_of_life_says_that_the_floor_stayed_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("floor.db");
    let (mut log, _) = FloorLog::open(&path).unwrap();
    log.alive(at(T0 - 9_000));
    log.keyframe(&[], &[queue("shop", "q1", 1)], at(T0), 1);
    log.alive(at(T0 + 500));
    assert_eq!(log.span().unwrap(), None, "nothing is on the disk, so nobody is alive for it");
    log.commit().unwrap();
    log.alive(at(T0 + 50_000));
    log.append(&[Logged::Upsert(queue("shop", "q1", 2))], at(T0 + 50_300), 2);
    log.alive(at(T0 + 50_400));
    drop(log);
    let reader = FloorReader::open(&path).unwrap();
    let gaps = |from: i64, until: i64| -> Vec<_> {
        let gaps = reader.gaps(at(T0 + from), at(T0 + until)).unwrap().into_iter();
        gaps.map(|gap| (gap.began.as_ms() - T0, gap.ended.map(|at| at.as_ms() - T0), gap.why)).collect()
    };
    let crash = |ended| vec![(50_000, ended, "not running".to_owned())];
    assert_eq!(reader.span().unwrap().unwrap().until, at(T0 + 50_000));
    assert_eq!(gaps(0, 49_999), []);
    assert_eq!(gaps(0, 50_000), crash(None), "the change behind it was not committed");
    // A folder that was copied has the times of the copy: they are nobody's sign of life.
    let copy = dir.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    for name in ["floor.db", "floor.db-wal", "floor.lock"] {
        if dir.path().join(name).exists() {
            let bytes = std::fs::read(dir.path().join(name)).unwrap();
            std::fs::write(copy.join(name), bytes).unwrap();
        }
    }
    let copied = FloorReader::open(&copy.join("floor.db")).unwrap().span().unwrap().unwrap();
    assert_eq!(copied.until, at(T0), "history ends with what is written");
    // The next run begins its gap where life ended, and goes on from there.
    let (mut log, opened) = FloorLog::open(&path).unwrap();
    assert_eq!(opened.last.unwrap().at, at(T0));
    log.alive(at(T0 + 60_000));
    log.append(&[Logged::Upsert(queue("shop", "q1", 3))], at(T0 + 70_000), 3);
    log.commit().unwrap();
    assert_eq!(gaps(0, 99_000), crash(Some(70_000)));
    // What cannot be written begins where it was last known to be right.
    log.alive(at(T0 + 80_000));
    log.limit_pages_for_test(Some(1));
    for n in 0..50 {
        log.keyframe(&[], &[queue("shop", &format!("{n:0900}"), 3)], at(T0 + 81_000 + n), 4);
    }
    log.commit().unwrap_err();
    log.alive(at(T0 + 85_000));
    log.limit_pages_for_test(None);
    log.append(&[Logged::Upsert(queue("shop", "q1", 4))], at(T0 + 90_000), 5);
    log.commit().unwrap();
    assert_eq!(gaps(75_000, 99_000), [(80_000, Some(90_000), "not written".to_owned())]);
}

#[test]
fn while_the_machine_slept_nothing_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("floor.db");
    let (mut log, _) = FloorLog::open(&path).unwrap();
    log.append(&[Logged::Upsert(queue("shop", "q1", 1))], at(T0), 1);
    log.unseen(at(T0 + 20_000), at(T0 + 900_000));
    log.append(&[Logged::Upsert(queue("shop", "q1", 2))], at(T0 + 900_500), 2);
    log.commit().unwrap();
    let gaps = FloorReader::open(&path).unwrap().gaps(at(T0), at(T0 + 999_000)).unwrap();
    let [gap] = gaps.as_slice() else { panic!("{gaps:?}") };
    assert_eq!((gap.began, gap.ended), (at(T0 + 20_000), Some(at(T0 + 900_000))));
    assert_eq!((&gap.source, gap.why.as_str()), (&None, "not running"));
    let waiting = |floor: Option<store::FloorAt>| match &floor.unwrap().entities[..] {
        [store::Entity::Queue(row)] => row.waiting,
        other => panic!("{other:?}"),
    };
    assert_eq!(waiting(log.floor_at(at(T0 + 899_000)).unwrap()), Some(1));
    assert_eq!(waiting(log.floor_at(at(T0 + 901_000)).unwrap()), Some(2));
}
