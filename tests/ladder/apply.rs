//! b3: what one core sustains with everything on. d2: an update costs what it changes, not what there is.

use std::{hint::black_box, time::Duration};

use engine::{
    Delta, Entity,
    view::{View, ViewSpec},
};
use model::Change;
use store::{FloorLog, Logged};

use crate::{
    floor::{QUEUES, batch, conversation, now, queue, world},
    measure::{Row, cpu, median},
};

/// Updates of one measurement.
const UPDATES: usize = 20_000;
/// At a high rate a screen frame covers so many updates.
const PER_FRAME: usize = 800;
/// Updates of the store's transaction.
const PER_COMMIT: usize = 12_000;

/// What a simple client of the vendor does on one core in the same field: 94 500 events a second for
/// receive, parse and store in Node; the limit of receive and scan alone is about 900 000.
const PEER_RATE: f64 = 94_500.0;

pub fn b3() -> Row {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut log, _) = FloorLog::open(&folder.path().join("floor.db")).expect("the log opens");
    let mut world = world(50_000);
    let entities: Vec<_> = world.entities().map(|e| stored(&e)).collect();
    log.keyframe(&[], &entities, now(), world.revision());
    let (mut view, _) = View::open(ViewSpec::Queues, &world, now());
    let (mut status, _) = View::open(ViewSpec::Status, &world, now());
    let mut step = 0usize;
    let mut rates = Vec::new();
    for round in 0..8 {
        let mut took = Duration::ZERO;
        for _ in 0..UPDATES / PER_FRAME {
            // Inventing the rows is the work of whoever measures; a frame's worth at a time, so that they
            // are as near at hand as if they had just been read.
            let inputs: Vec<_> = (0..PER_FRAME)
                .map(|_| {
                    step += 1;
                    let at = now().plus(Duration::from_millis((step / 500) as u64));
                    let n = step.wrapping_mul(7919) % 50_000;
                    let changes = vec![
                        Change::Conversation(conversation(n, step)),
                        Change::Queue(queue(n % QUEUES, (step % 4) as u32, now())),
                    ];
                    (at, batch(changes, at))
                })
                .collect();
            let mut inputs = inputs.into_iter();
            took += cpu(|| {
                let mut last = now();
                for (at, input) in inputs.by_ref() {
                    let effects = world.apply(input, at);
                    let logged: Vec<Logged> = effects.deltas.iter().map(logged).collect();
                    log.append(&logged, at, effects.revision);
                    black_box(effects.alerts.len());
                    last = at;
                }
                black_box(view.update(&world, last));
                black_box(status.update(&world, last));
            });
            if step.is_multiple_of(PER_COMMIT) {
                took += cpu(|| log.commit().expect("a commit"));
            }
        }
        if round > 0 {
            rates.push(UPDATES as f64 / took.as_secs_f64());
        }
    }
    // Nothing may be lost on the way: the last value of the last row stands.
    let last = conversation(step.wrapping_mul(7919) % 50_000, step);
    let key = model::Key::new(last.source.clone(), last.id.clone());
    assert_eq!(world.entity(model::Kind::Conversation, &key), Some(Entity::Conversation(last.into())));
    let ours = median(&mut rates);
    Row {
        row: "b3",
        what: "updates/s on one core: apply, rules, views, log".into(),
        ours: ours / 1000.0,
        peer: PEER_RATE / 1000.0,
        unit: "k/s",
        ratio: ours / PEER_RATE,
        better: "higher",
        gate: 200_000.0 / PEER_RATE,
        target: 500_000.0 / PEER_RATE,
    }
}

pub fn d2() -> Row {
    let (mut small, mut large) = (world(500), world(50_000));
    let (mut small_view, _) = View::open(ViewSpec::Queues, &small, now());
    let (mut large_view, _) = View::open(ViewSpec::Queues, &large, now());
    let mut step = 0usize;
    let mut one_side = |world: &mut engine::World, view: &mut View, of: usize| {
        // The same rows are touched on both sides, so that only the size of the floor differs.
        let inputs: Vec<_> = (0..2000)
            .map(|_| {
                step += 1;
                let n = step.wrapping_mul(31) % 500;
                let n = if of > 500 { n * (of / 500) } else { n };
                batch(
                    vec![
                        Change::Conversation(conversation(n, step)),
                        Change::Queue(queue(n % QUEUES, (step % 4) as u32, now())),
                    ],
                    now(),
                )
            })
            .collect();
        let mut inputs = inputs.into_iter();
        cpu(|| {
            for (n, input) in inputs.by_ref().enumerate() {
                black_box(world.apply(input, now()).revision);
                if n.is_multiple_of(100) {
                    black_box(view.update(world, now()));
                }
            }
        })
    };
    let mut side = |large_one: bool| {
        if large_one {
            one_side(&mut large, &mut large_view, 50_000)
        } else {
            one_side(&mut small, &mut small_view, 500)
        }
    };
    let (mut ours, mut peer, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=crate::measure::PAIRS {
        let (a, b) = (side(true).as_secs_f64(), side(false).as_secs_f64());
        if round > 0 {
            ours.push(a / 2000.0 * 1e6);
            peer.push(b / 2000.0 * 1e6);
            ratios.push(a / b);
        }
    }
    Row {
        row: "d2",
        what: "one update among 50,000 conversations against 500".into(),
        ours: median(&mut ours),
        peer: median(&mut peer),
        unit: "µs",
        ratio: median(&mut ratios),
        better: "lower",
        gate: 3.0,
        target: 1.5,
    }
}

pub fn stored(entity: &Entity) -> store::Entity {
    match entity {
        Entity::Queue(row) => store::Entity::Queue(row.clone()),
        Entity::Agent(row) => store::Entity::Agent(row.clone()),
        Entity::Conversation(row) => store::Entity::Conversation(row.clone()),
        Entity::Totals(row) => store::Entity::Totals(row.clone()),
    }
}

fn logged(delta: &Delta) -> Logged {
    match delta {
        Delta::Upsert(entity) => Logged::Upsert(stored(entity)),
        Delta::Remove(kind, key) => Logged::Remove(*kind, key.clone()),
    }
}
