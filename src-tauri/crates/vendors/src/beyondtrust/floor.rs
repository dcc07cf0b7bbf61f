//! The floor of one site: what the tables say, plus what only memory knows, as changes to tell. Only what a
//! line has touched is looked at again.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use model::{Agent, Change, Conversation, Id, Kind, Presence, Queue, Timestamp};

use super::{
    life::Track,
    map::{self, Place, Places},
    tables::{Tables, Touched},
    wire::{Line, RowId},
};
use crate::load::Load;

/// Mean waits grow by themselves; they are told anew with other changes, at most this often.
const WAITS: Duration = Duration::from_secs(1);

/// Everything told so far.
pub(super) struct Floor {
    source: Id,
    tables: Tables,
    /// Which queue each row is.
    places: Places,
    /// The rows of each queue: two consoles of a user have two, and are one personal queue.
    rows_of: BTreeMap<Id, BTreeMap<RowId, Place>>,
    loads: HashMap<Id, Load>,
    staff: HashMap<Id, Staff>,
    tracks: HashMap<Id, Track>,
    queues: BTreeMap<Id, Queue>,
    agents: BTreeMap<Id, Agent>,
    waits_told: Option<Timestamp>,
    /// Queues, people and sessions looked at so far: the work that lines have cost.
    pub looked_at: u64,
}

/// Who serves a queue.
#[derive(Clone, Copy, Debug, Default)]
struct Staff {
    online: u32,
    available: u32,
}

impl Floor {
    pub fn new(source: Id) -> Self {
        Self {
            source,
            tables: Tables::default(),
            places: Places::new(),
            rows_of: BTreeMap::new(),
            loads: HashMap::new(),
            staff: HashMap::new(),
            tracks: HashMap::new(),
            queues: BTreeMap::new(),
            agents: BTreeMap::new(),
            waits_told: None,
            looked_at: 0,
        }
    }

    /// The model begins anew; what was told stays until [`Floor::whole`].
    pub fn clear(&mut self) {
        self.tables.clear();
    }
    /// Takes a line in.
    pub fn apply(&mut self, line: Line) {
        self.tables.apply(line);
    }

    /// What changed since the last telling. A session whose row is gone has ended. `seen` is now in the
    /// vendor's clock.
    pub fn changes(&mut self, seen: Timestamp) -> Vec<Change> {
        let touched = self.tables.take_touched();
        if touched.is_empty() {
            return Vec::new();
        }
        let mut changes = Vec::new();
        let mut moved = self.look(touched, seen, &mut changes);
        if !changes.is_empty() && self.waits_told.is_none_or(|told| seen.since(told) >= WAITS) {
            let waiting = self.loads.iter().filter(|(_, load)| load.has_waiting());
            moved.extend(waiting.map(|(id, _)| id.clone()));
            self.waits_told = Some(seen);
        }
        self.tell_queues(moved, seen, &mut changes);
        changes
    }

    /// Everything, between `Reset` and `Complete`. What has vanished is gone without having ended.
    pub fn whole(&mut self, seen: Timestamp) -> Vec<Change> {
        self.places.clear();
        self.rows_of.clear();
        self.loads.clear();
        self.staff.clear();
        self.queues.clear();
        self.agents.clear();
        let mut known = std::mem::take(&mut self.tracks);
        self.tables.take_touched();
        let all = self.tables.all();
        // Those that are still there are remembered as they were; nothing of them counts anywhere yet.
        let mut rows = Vec::new();
        let mut moved = self.look_at_queues(&all.queues);
        for id in &all.users {
            self.look_at_user(id, &mut moved, &mut rows);
        }
        for id in &all.sessions {
            self.look_at_session(id, known.remove(id), seen, &mut moved);
            rows.extend(self.tracks.get(id).map(|track| Change::Conversation(track.shown.clone())));
        }
        let mut changes = vec![Change::Reset];
        self.tell_queues(moved, seen, &mut changes);
        changes.extend(rows);
        changes.push(Change::Complete);
        self.waits_told = Some(seen);
        changes
    }

    /// Looks at what was touched; gives the queues whose figures may be others now.
    fn look(&mut self, touched: Touched, seen: Timestamp, changes: &mut Vec<Change>) -> BTreeSet<Id> {
        let mut moved = self.look_at_queues(&touched.queues);
        for id in &touched.sessions {
            let before = self.tracks.remove(id);
            if let Some(track) = &before {
                self.count(&track.shown, false, &mut moved);
            }
            let shown = before.as_ref().map(|track| track.shown.clone());
            match (self.look_at_session(id, before, seen, &mut moved), self.tracks.get(id)) {
                (Some(ended), _) => changes.push(Change::Conversation(ended)),
                (None, Some(track)) if shown.as_ref() != Some(&track.shown) => {
                    changes.push(Change::Conversation(track.shown.clone()));
                }
                _ => {}
            }
        }
        for id in &touched.users {
            self.look_at_user(id, &mut moved, changes);
        }
        moved
    }

    fn look_at_queues(&mut self, rows: &BTreeSet<RowId>) -> BTreeSet<Id> {
        let mut moved = BTreeSet::new();
        for row in rows {
            self.looked_at += 1;
            if let Some(old) = self.places.remove(row) {
                if let Some(rows) = self.rows_of.get_mut(&old) {
                    rows.remove(row);
                    if rows.is_empty() {
                        self.rows_of.remove(&old);
                    }
                }
                moved.insert(old);
            }
            if let Some((id, place)) = map::place(&self.tables, row) {
                self.places.insert(row.clone(), id.clone());
                self.rows_of.entry(id.clone()).or_default().insert(row.clone(), place);
                moved.insert(id);
            }
        }
        moved
    }

    /// `before` is what was remembered of it, counted nowhere any more. Gives how it is shown once it is
    /// gone, if it ever was there.
    fn look_at_session(
        &mut self,
        id: &Id,
        before: Option<Track>,
        seen: Timestamp,
        moved: &mut BTreeSet<Id>,
    ) -> Option<Conversation> {
        self.looked_at += 1;
        let Some(sight) = map::sight(&self.tables, &self.places, id) else {
            return before.map(|track| track.ended(seen));
        };
        let track = Track::after(before, &self.source, sight, seen);
        self.count(&track.shown, true, moved);
        self.tracks.insert(id.clone(), track);
        None
    }

    /// Counts a session in its queue, or no longer.
    fn count(&mut self, session: &Conversation, there: bool, moved: &mut BTreeSet<Id>) {
        let Some(queue) = &session.queue else { return };
        let load = self.loads.entry(queue.clone()).or_default();
        if there {
            load.add(session)
        } else {
            load.take(session)
        }
        if load.is_empty() {
            self.loads.remove(queue);
        }
        moved.insert(queue.clone());
    }

    fn look_at_user(&mut self, id: &Id, moved: &mut BTreeSet<Id>, changes: &mut Vec<Change>) {
        self.looked_at += 1;
        let old = self.agents.remove(id);
        let new = map::agent(&self.source, &self.tables, &self.places, id);
        if old != new {
            old.iter().for_each(|agent| self.enlist(agent, false, moved));
            new.iter().for_each(|agent| self.enlist(agent, true, moved));
            changes.push(match &new {
                Some(agent) => Change::Agent(agent.clone()),
                None => Change::Remove(Kind::Agent, id.clone()),
            });
        }
        if let Some(agent) = new {
            self.agents.insert(id.clone(), agent);
        }
    }

    /// Counts a person in the queues served, or no longer.
    fn enlist(&mut self, agent: &Agent, there: bool, moved: &mut BTreeSet<Id>) {
        let by = |n: u32, holds: bool| match (holds, there) {
            (false, _) => n,
            (true, true) => n.saturating_add(1),
            (true, false) => n.saturating_sub(1),
        };
        for queue in agent.queues.iter().flatten() {
            let staff = self.staff.entry(queue.clone()).or_default();
            staff.online = by(staff.online, agent.presence.is_online());
            staff.available = by(staff.available, agent.presence == Presence::Available);
            moved.insert(queue.clone());
        }
    }

    fn tell_queues(&mut self, moved: BTreeSet<Id>, seen: Timestamp, changes: &mut Vec<Change>) {
        for id in moved {
            let old = self.queues.remove(&id);
            match self.queue(&id, seen) {
                Some(new) => {
                    if old.as_ref() != Some(&new) {
                        changes.push(Change::Queue(new.clone()));
                    }
                    self.queues.insert(id, new);
                }
                None => {
                    self.staff.remove(&id);
                    changes.extend(old.map(|_| Change::Remove(Kind::Queue, id)));
                }
            }
        }
    }

    fn queue(&self, id: &Id, seen: Timestamp) -> Option<Queue> {
        let place = self.rows_of.get(id)?.values().next()?;
        let load = self.loads.get(id);
        let staff = self.staff.get(id).copied().unwrap_or_default();
        Some(Queue {
            source: self.source.clone(),
            id: id.clone(),
            name: place.name.clone(),
            kind: place.kind,
            waiting: Some(load.map_or(0, Load::waiting)),
            waiting_since: load.and_then(Load::oldest),
            average_wait_s: load.and_then(|load| load.average_wait_s(seen)),
            open: Some(load.map_or(0, Load::active)),
            capacity: None,
            free_capacity: None,
            agents_online: Some(staff.online),
            agents_available: Some(staff.available),
            expected_at: None,
            windows: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loose;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(seconds * 1000)
    }

    /// Sessions in ten queues, twenty people, every second session in somebody's hands.
    fn floor(sessions: usize) -> Floor {
        let mut lines = vec![
            r#"{"insert":{"queue":{"100":{"type":"general","code_name":"general","name":"G"}}}}"#.to_owned(),
        ];
        for n in 0..10 {
            lines.push(format!(
                r#"{{"insert":{{"queue":{{"{n}1":{{"type":"team","support_team_id":{},"name":"T"}}}}}}}}"#,
                n + 1
            ));
        }
        for n in 0..20 {
            lines.push(format!(
                r#"{{"insert":{{"queue":{{"{n}2":{{"type":"rep","name":"R"}}}},"representative":{{"{n}3":{{"user_id":{n},"queue_id":"{n}2","routing_available":1,"routing_enabled":1,"routing_busy":0,"routing_idle":0}}}},"representative_queue":{{"{n}4":{{"representative_id":"{n}3","queue_id":"{}1"}}}}}}}}"#,
                n % 10
            ));
        }
        for n in 0..sessions {
            let join = format!(
                r#","representative_support_session":{{"{n}6":{{"representative_id":"{}3","support_session_id":"{n}5","created_timestamp":1000}}}}"#,
                n % 20
            );
            let join = if n % 2 == 0 { join } else { String::new() };
            lines.push(format!(
                r#"{{"insert":{{"support_session":{{"{n}5":{{"lsid":"s{n}","queue_id":"{}1","queue_entry_timestamp":{}}}}}{join}}}}}"#,
                n % 10,
                900 + n % 7
            ));
        }
        let mut floor = Floor::new("help".into());
        lines.iter().for_each(|line| floor.apply(loose::read(line.as_bytes()).unwrap()));
        floor.whole(at(2000));
        floor
    }

    #[test]
    fn a_line_costs_the_same_on_a_floor_of_any_size() {
        let costs = |sessions: usize| {
            let mut floor = floor(sessions);
            let mut cost = |line: &str| {
                let before = floor.looked_at;
                floor.apply(loose::read(line.as_bytes()).unwrap());
                let told = floor.changes(at(2001)).len();
                (floor.looked_at - before, told)
            };
            [
                r#"{"update":{"support_session":{"15":{"customer_name":"Bo"}}}}"#,
                r#"{"insert":{"representative_support_session":{"99996":{"representative_id":"03","support_session_id":"15","created_timestamp":2000}}}}"#,
                r#"{"update":{"representative":{"13":{"routing_busy":true}}}}"#,
                r#"{"delete":{"support_session":["15"],"representative_support_session":["99996"]}}"#,
                r#"{"update":{"support_session":{"35":{"queue_id":"41","queue_entry_timestamp":1999}}}}"#,
                r#"{"insert":{"support_session_skill":{"1":{"support_session_id":"35"}}}}"#,
                r#"{"update":{"support_session":{"35":{"queue_id":"41"}}}}"#,
            ]
            .map(&mut cost)
        };
        let (small, large) = (costs(100), costs(5000));
        assert_eq!(small.map(|(looked, _)| looked), large.map(|(looked, _)| looked));
        assert!(small.iter().all(|(looked, _)| *looked <= 3), "{small:?}");
        assert_eq!(small[5..], [(0, 0), (0, 0)], "what tells nothing new costs nothing");
    }

    /// Whatever the way, the floor that came by changes is the one that is read as a whole.
    #[test]
    fn changes_end_where_a_whole_reading_does() {
        let mut floor = floor(200);
        let mut dice = 7u64;
        let mut roll = |n: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % n
        };
        for turn in 0..600 {
            let (s, r, q) = (roll(210), roll(22), roll(11));
            let line = match roll(9) {
                0 => format!(r#"{{"delete":{{"support_session":["{s}5"]}}}}"#),
                1 => format!(
                    r#"{{"insert":{{"support_session":{{"{s}5":{{"lsid":"s{s}","queue_id":"{q}1","queue_entry_timestamp":{}}}}}}}}}"#,
                    1000 + roll(900)
                ),
                2 => format!(
                    r#"{{"insert":{{"representative_support_session":{{"{s}6":{{"representative_id":"{r}3","support_session_id":"{s}5","created_timestamp":1900}}}}}}}}"#
                ),
                3 => format!(r#"{{"delete":{{"representative_support_session":["{s}6"]}}}}"#),
                4 => format!(r#"{{"delete":{{"representative":["{r}3"]}}}}"#),
                5 => format!(
                    r#"{{"insert":{{"representative":{{"{r}3":{{"user_id":{},"queue_id":"{r}2","routing_available":{},"routing_enabled":1}}}}}}}}"#,
                    roll(20),
                    roll(2)
                ),
                6 => format!(r#"{{"update":{{"support_session":{{"{s}5":{{"queue_id":"{q}2"}}}}}}}}"#),
                7 => format!(r#"{{"delete":{{"queue":["{q}{}"]}}}}"#, 1 + roll(2)),
                _ => format!(
                    r#"{{"insert":{{"queue":{{"{q}1":{{"type":"team","support_team_id":{},"name":"T{turn}"}},"{q}2":{{"type":"rep","name":"R"}}}}}}}}"#,
                    q + 1
                ),
            };
            floor.apply(loose::read(line.as_bytes()).unwrap());
            floor.changes(at(2000));
            if turn % 20 != 0 {
                continue;
            }
            let told = (floor.queues.clone(), floor.agents.clone(), shown(&floor));
            floor.whole(at(2000));
            assert_eq!(told, (floor.queues.clone(), floor.agents.clone(), shown(&floor)), "turn {turn}");
        }
    }

    fn shown(floor: &Floor) -> BTreeMap<Id, Conversation> {
        floor.tracks.iter().map(|(id, track)| (id.clone(), track.shown.clone())).collect()
    }
}
