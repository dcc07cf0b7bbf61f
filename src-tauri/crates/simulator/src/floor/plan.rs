//! Who works where: how a floor is put together before it opens.

use std::{
    collections::{BTreeMap, BinaryHeap, VecDeque},
    time::Duration,
};

use model::{Timestamp, Vendor};

use super::{
    Centre, Day, Dice, FloorQueue, QueueHour, QueueNo, Seat, SeatNo, Stance,
    names::{AGENTS, QUEUES},
    run::{Step, Task},
};

/// What kind of floor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scenario {
    /// An hour behind it, then a script: within two minutes somebody waits longer than 120 s, later it
    /// recovers, and it all happens again every quarter of an hour.
    Demo,
    /// Nobody comes, nothing happens by itself: three queues and six people per vendor, four of them
    /// ready, one away, one signed out. For tests that steer.
    Quiet,
    /// As many as asked for, per vendor, and a steady flow.
    Big {
        /// Queues.
        queues: u32,
        /// Agents.
        agents: u32,
        /// Conversations that are open at the start, about a tenth of them waiting.
        conversations: u32,
    },
}

struct Size {
    queues: usize,
    agents: usize,
    per_hour: f64,
    limit: Option<u32>,
}

const HANDLING: Duration = Duration::from_secs(340);
const PATIENCE: Duration = Duration::from_secs(260);
/// The demo's script begins anew after this much wall time.
const CYCLE: Duration = Duration::from_secs(15 * 60);

pub(super) fn open(seed: u64, speed: f64, scenario: &Scenario, vendors: &[Vendor], now: Timestamp) -> Centre {
    let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
    let warm_up = match scenario {
        Scenario::Demo => Duration::from_secs(3600).div_f64(speed),
        Scenario::Quiet | Scenario::Big { .. } => Duration::ZERO,
    };
    let begin = now.minus(warm_up);
    let mut centre = Centre {
        now: begin,
        opened_at: now,
        speed,
        dice: Dice::new(seed),
        agenda: BinaryHeap::new(),
        planned: 0,
        paused_at: None,
        routing: *scenario != Scenario::Quiet,
        queues: Vec::new(),
        seats: Vec::new(),
        people: Vec::new(),
        contacts: BTreeMap::new(),
        days: BTreeMap::new(),
        tickets: BTreeMap::new(),
        next_contact: 0,
        out: Vec::new(),
    };
    let size = size_of(scenario);
    for (place, vendor) in vendors.iter().enumerate() {
        centre.furnish(*vendor, place, &size);
    }
    match *scenario {
        Scenario::Quiet => centre.quiet(),
        Scenario::Demo => {
            centre.start_shifts();
            centre.script(vendors, warm_up);
            for queue in 0..centre.queues.len() {
                centre.start_arrivals(QueueNo(queue as u32));
            }
        }
        Scenario::Big { conversations, .. } => {
            centre.populate(vendors, conversations);
            for queue in 0..centre.queues.len() {
                centre.start_arrivals(QueueNo(queue as u32));
            }
        }
    }
    centre.advance(now);
    centre
}

fn size_of(scenario: &Scenario) -> Size {
    match *scenario {
        Scenario::Demo => Size { queues: 5, agents: 12, per_hour: 34.0, limit: Some(3) },
        Scenario::Quiet => Size { queues: 3, agents: 6, per_hour: 30.0, limit: Some(3) },
        Scenario::Big { queues, agents, conversations } => {
            let queues = queues.max(1);
            // Little's law: that many open, each for one handling time, is that many an hour.
            let per_hour = f64::from(conversations) * 3600.0 / HANDLING.as_secs_f64() / f64::from(queues);
            let limit = (conversations / agents.max(1) + 1).min(6);
            Size { queues: queues as usize, agents: agents as usize, per_hour, limit: Some(limit) }
        }
    }
}

impl Centre {
    fn furnish(&mut self, vendor: Vendor, place: usize, size: &Size) {
        let first_queue = self.queues.len() as u32;
        for i in 0..size.queues {
            let at = place * 3 + i;
            let name = match (QUEUES.get(at % QUEUES.len()), i / QUEUES.len()) {
                (Some(name), 0) => (*name).to_owned(),
                (name, round) => format!("{} {}", name.copied().unwrap_or("Queue"), round + 1),
            };
            self.queues.push(FloorQueue {
                no: QueueNo(first_queue + i as u32),
                vendor,
                name,
                per_hour: size.per_hour * [1.3, 1.0, 0.8, 0.9, 0.6][i % 5],
                handling: HANDLING.mul_f64([1.0, 0.8, 1.3, 1.0, 1.1][i % 5]),
                patience: PATIENCE,
                seats: Vec::new(),
                waiting: VecDeque::new(),
                open: 0,
                surge: 1.0,
                meeting: false,
                hour: QueueHour::default(),
                day: Day::default(),
                arrivals: 0,
            });
        }
        for i in 0..size.agents {
            // The first two people of every vendor are the same two: they work in all of them.
            let person = if place > 0 && i < 2 && self.people.len() > 1 {
                i
            } else {
                self.people.push(Vec::new());
                self.people.len() - 1
            };
            let (first, last) = AGENTS[person % AGENTS.len()];
            let round = person / AGENTS.len();
            let last = if round == 0 { last.to_owned() } else { format!("{last} {}", round + 1) };
            let no = SeatNo(self.seats.len() as u32);
            // Everybody serves one queue and most serve a second; the fifth queue has few.
            let main = i % size.queues;
            let mut queues = vec![QueueNo(first_queue + main as u32)];
            if i % 3 != 0 && size.queues > 1 {
                let second = (main + 1 + i / size.queues) % size.queues;
                if second != main {
                    queues.push(QueueNo(first_queue + second as u32));
                }
            }
            queues.sort();
            for queue in &queues {
                self.queues[queue.0 as usize].seats.push(no);
            }
            self.people[person].push(no);
            self.seats.push(Seat {
                no,
                vendor,
                person,
                first: first.to_owned(),
                last,
                email: format!("agent{}@example.test", person + 1),
                queues,
                limit: size.limit.map(|limit| limit + u32::from(i % 5 == 4)),
                stance: Stance::Accepting,
                label: None,
                stance_since: self.now,
                signed_in_at: self.now,
                open: Default::default(),
                idle_since: self.now,
                updated_at: self.now,
                handled_today: 0,
                chat_time: Duration::ZERO,
                chatting_since: None,
                disabled: false,
            });
        }
    }

    fn quiet(&mut self) {
        for vendor in Vendor::ALL {
            let seats: Vec<SeatNo> = self.seats_of(vendor).map(|s| s.no).collect();
            // Found from the end: the first two people may sit at several vendors.
            if let [.., away, offline] = seats[..] {
                self.seats[away.0 as usize].stance = Stance::Away;
                self.seats[away.0 as usize].label = Some("Break");
                self.seats[offline.0 as usize].stance = Stance::Offline;
            }
        }
        self.paused_at = Some(self.now);
        for queue in 0..self.queues.len() {
            self.start_arrivals(QueueNo(queue as u32));
        }
    }

    fn start_shifts(&mut self) {
        for person in 0..self.people.len() {
            if person % 9 == 7 {
                // Signed out at first; comes on a few minutes after the opening.
                for seat in self.people[person].clone() {
                    self.seats[seat.0 as usize].stance = Stance::Offline;
                }
                let comes = self.dice.between(Duration::from_secs(3_700), Duration::from_secs(5_400));
                self.plan(self.wall(comes), Task::SignOn(person));
                continue;
            }
            let leaves = self.dice.between(Duration::from_secs(5_400), Duration::from_secs(7 * 3600));
            let first_break = self.dice.between(Duration::from_secs(300), Duration::from_secs(5_400));
            self.plan(self.wall(leaves), Task::SignOff(person));
            self.plan(self.wall(first_break), Task::Break(person));
        }
    }

    /// In wall time from the opening, whatever the speed: an alert looks at wall time too.
    fn script(&mut self, vendors: &[Vendor], warm_up: Duration) {
        for (place, vendor) in vendors.iter().enumerate() {
            let queues: Vec<QueueNo> = self.queues_of(*vendor).map(|q| q.no).collect();
            let shift = Duration::from_secs(25 * place as u64);
            let [meeting, surging, ..] = queues[..] else { continue };
            let mut at = |seconds: u64, step: Step| {
                let every = Some(CYCLE);
                // The first wait begins before the opening, so that two minutes are reached soon after it.
                let after =
                    (warm_up + shift + Duration::from_secs(seconds)).saturating_sub(Duration::from_secs(40));
                self.plan(after, Task::Script { step, every });
            };
            at(0, Step::Meeting(meeting));
            at(2, Step::Patient(meeting));
            at(25, Step::Patient(meeting));
            at(190, Step::MeetingOver(meeting));
            at(45, Step::Surge(surging, 5.0));
            at(225, Step::Surge(surging, 1.0));
        }
    }

    fn populate(&mut self, vendors: &[Vendor], conversations: u32) {
        for vendor in vendors {
            let queues: Vec<QueueNo> = self.queues_of(*vendor).map(|q| q.no).collect();
            let seats: Vec<SeatNo> = self.seats_of(*vendor).map(|s| s.no).collect();
            for i in 0..conversations as usize {
                let waited = self.dice.exponential(Duration::from_secs(60));
                let queue = queues[i % queues.len()];
                let contact = self.new_contact(queue, waited, None);
                let taker = seats.get(i % seats.len().max(1)).copied();
                match taker {
                    Some(seat) if i % 10 != 9 && !self.seats[seat.0 as usize].is_full() => {
                        self.join_now(contact, seat);
                    }
                    _ => {
                        let patience = self.dice.exponential(PATIENCE);
                        let epoch = 0;
                        self.plan(self.wall(patience), Task::GiveUp(contact, epoch));
                    }
                }
            }
        }
        self.out.clear();
    }
}
