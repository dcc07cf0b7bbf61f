//! One project's floor as far as we know it: rows in, changes out. No network, no clock.

mod staff;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use foldhash::{HashMap, HashMapExt};
use model::{Agent, Change, Conversation, ConversationState, Id, Kind, Queue, Timestamp};

use super::{
    map::{self, Before, Member, Membership, Shape, Standing},
    tally::{self, Staff},
    wire::{Department, Group, Row},
};
use crate::load::{Load, weighs_the_same};

/// Ended conversations that are remembered, so that a late frame does not bring them back.
const GRAVES: usize = 4096;
/// How long an ended conversation stays listed.
const LISTED: Duration = Duration::from_secs(60);

/// A department as it is listed, or as conversations speak of it.
#[derive(Clone, Debug, Default)]
struct Place {
    name: String,
    /// Not in the vendor's list: known from conversations only.
    hearsay: bool,
    /// Ids of its groups; empty: every teammate serves it.
    groups: Vec<String>,
    load: Load,
    staff: Staff,
    /// The row as it was last told.
    told: Option<Queue>,
}

#[derive(Clone, Debug)]
struct Held {
    row: Conversation,
    updated: Option<Timestamp>,
    /// Number of the last frame or list that showed it.
    touched: u64,
}

#[derive(Clone, Debug)]
struct Mate {
    member: Member,
    updated: Option<Timestamp>,
    row: Agent,
}

/// The floor of one source.
pub(super) struct Floor {
    source: Id,
    conversations: HashMap<Id, Held>,
    mates: BTreeMap<Id, Mate>,
    /// Teammates who were switched off: frames that bring one back name no address.
    off: BTreeMap<Id, Member>,
    places: BTreeMap<Id, Place>,
    /// `None` until they were read, or when they may not be.
    groups: Option<HashMap<String, BTreeSet<String>>>,
    mates_known: bool,
    limit: Option<u32>,
    /// Whether every open conversation is visible.
    pub whole: bool,
    /// Whether the first state is there, so that a difference is a change of this moment.
    pub followed: bool,
    graves: HashMap<Id, Option<Timestamp>>,
    grave_order: VecDeque<Id>,
    /// Ended within the last minute, and when.
    ended: VecDeque<(Timestamp, Conversation)>,
    changed: Pending,
    /// Rows whose form this build does not know.
    pub strange: u64,
}

/// What changed since the last [`Floor::take`].
#[derive(Default)]
struct Pending {
    conversations: BTreeSet<Id>,
    ended: Vec<Conversation>,
    gone: BTreeSet<Id>,
    mates: BTreeSet<Id>,
    mates_gone: BTreeSet<Id>,
    places: BTreeSet<Id>,
    places_gone: BTreeSet<Id>,
}

impl Floor {
    pub fn new(source: Id) -> Self {
        Self {
            source,
            conversations: HashMap::new(),
            mates: BTreeMap::new(),
            off: BTreeMap::new(),
            places: BTreeMap::new(),
            groups: None,
            mates_known: false,
            limit: None,
            whole: true,
            followed: false,
            graves: HashMap::new(),
            grave_order: VecDeque::new(),
            ended: VecDeque::new(),
            changed: Pending::default(),
            strange: 0,
        }
    }

    /// A row about a conversation. `seen`: now in the vendor's clock; `touch`: number of this frame.
    pub fn conversation(&mut self, row: &Row<impl AsRef<str>>, shape: Shape, seen: Timestamp, touch: u64) {
        let Some(id) = row.request_id.text() else {
            self.strange += 1;
            return;
        };
        let updated = row.updated_at.instant();
        let buried = self.graves.get(id);
        if buried.is_some_and(|buried| older_or_same(updated, *buried)) {
            return;
        }
        let held = self.conversations.get_mut(id).map(|held| {
            held.touched = held.touched.max(touch);
            &*held
        });
        if held.is_some_and(|held| older(updated, held.updated)) {
            return;
        }
        if map::standing(row) == Standing::Strange {
            self.strange += 1;
        }
        let before = match held {
            Some(held) => Before::Known(&held.row),
            None if buried.is_some() => {
                Before::Ended(self.ended.iter().rev().map(|(_, was)| was).find(|was| was.id.as_str() == id))
            }
            None => Before::Unknown,
        };
        // What a later reading shows of one that is followed has just changed.
        let shape = if self.followed && held.is_some() { Shape::Changed } else { shape };
        let id = held.map_or_else(|| Id::new(id), |held| held.row.id.clone());
        let known = matches!(before, Before::Known(_));
        let next = map::conversation(&self.source, &id, row, shape, before, seen);
        match next {
            None => self.remove(&id),
            // One that we never showed has nothing to end.
            Some(over) if over.state == ConversationState::Ended && !known => self.bury(id, updated),
            Some(over) if over.state == ConversationState::Ended => {
                self.detach(&id);
                self.conversations.remove(&id);
                self.changed.conversations.remove(&id);
                self.ended.retain(|(at, _)| seen.since(*at) < LISTED);
                self.ended.push_back((seen, over.clone()));
                self.changed.ended.push(over);
                self.bury(id, updated);
            }
            Some(next) => {
                self.learn_place(&next, row);
                if !known {
                    self.graves.remove(&id);
                }
                self.put(next, updated, touch);
            }
        }
    }

    /// A message of a conversation: who spoke last, and when.
    pub fn message(&mut self, conversation: &str, row: &Row<impl AsRef<str>>) {
        let (Some(sender), Some(at)) = (row.sender.text(), row.created_at.instant()) else { return };
        // Said by nobody, or not to the customer.
        let kind = row.attributes.object().and_then(|a| a.subtype.text()).unwrap_or_default();
        if sender == "system" || sender.starts_with("bot_") || kind == "private" || kind.starts_with("info") {
            return;
        }
        let by_mate = self.mates.contains_key(sender);
        let Some(held) = self.conversations.get_mut(conversation) else { return };
        let last = match by_mate
            || held.row.agents.as_ref().is_some_and(|a| a.iter().any(|p| p.as_str() == sender))
        {
            true => &mut held.row.last_agent_message_at,
            false => &mut held.row.last_customer_message_at,
        };
        if last.is_none_or(|known| at > known) {
            *last = Some(at);
            self.changed.conversations.insert(held.row.id.clone());
        }
    }

    /// A row about a teammate; `user` is from the topic, where there is one.
    pub fn member(&mut self, row: &Row<impl AsRef<str>>, user: Option<&str>) {
        let Some(id) = row.id_user.id().or(user).map(Id::new) else {
            self.strange += u64::from(row.role_type.int() != Some(2));
            return;
        };
        let updated = row.updated_at.instant();
        let held = self.mates.get(&id);
        if held.is_some_and(|h| older(updated, h.updated)) {
            return;
        }
        match map::membership(row, held.map(|h| &h.member).or_else(|| self.off.get(&id))) {
            Membership::Gone => {
                let member = held.map(|h| h.member.clone());
                self.off.extend(member.map(|member| (id.clone(), member)));
                self.drop_mate(&id);
            }
            Membership::Is(member) => {
                self.off.remove(&id);
                self.put_mate(id, member, updated);
            }
        }
    }

    /// The whole list of teammates: who is not on it has left.
    pub fn members(&mut self, rows: &[Row<impl AsRef<str>>]) {
        self.mates_known = true;
        let listed: BTreeSet<Id> = rows.iter().filter_map(|r| r.id_user.id()).map(Id::new).collect();
        self.off.retain(|id, _| listed.contains(id));
        let left: Vec<Id> = self.mates.keys().filter(|id| !listed.contains(*id)).cloned().collect();
        for id in left {
            self.drop_mate(&id);
        }
        for row in rows {
            self.member(row, None);
        }
    }

    /// Departments, groups and the project's limit. `None` keeps what is known.
    pub fn structure(
        &mut self,
        departments: Option<&[Department]>,
        groups: Option<&[Group]>,
        limit: Option<Option<i64>>,
    ) {
        if let Some(list) = departments {
            self.list_places(list);
        }
        if let Some(list) = groups {
            let members = |g: &Group| match g.enabled.bool() {
                Some(false) => BTreeSet::new(),
                _ => g.members.0.iter().flatten().cloned().collect(),
            };
            self.groups =
                Some(list.iter().filter_map(|g| Some((g.own_id.text()?.to_owned(), members(g)))).collect());
        }
        if let Some(limit) = limit {
            self.limit = limit.and_then(|n| u32::try_from(n).ok());
        }
        self.restaff();
    }

    /// Teammates to subscribe to.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.mates.keys().map(Id::as_str)
    }
    /// Our own teammate: by the user's id, or by the address where that is not known here.
    pub fn own(&self, user: Option<&str>, email: Option<&str>) -> Option<Id> {
        let by_id = user.and_then(|user| self.mates.get_key_value(user)).map(|(id, _)| id.clone());
        by_id.or_else(|| {
            let email = email?;
            let same = |m: &Mate| m.member.email.as_deref().is_some_and(|e| e.eq_ignore_ascii_case(email));
            self.mates.iter().find(|(_, mate)| same(mate)).map(|(id, _)| id.clone())
        })
    }
    /// Whether a user sees every conversation; `None` when that is not known.
    pub fn sees_all(&self, user: &str) -> Option<bool> {
        self.mates.get(user)?.member.sees_all()
    }
    /// A user's role, in the vendor's word.
    pub fn role(&self, user: &str) -> Option<&str> {
        self.mates.get(user)?.member.role.as_deref()
    }
    /// Open conversations for those who follow messages, those that a person has first; each `true`.
    pub fn open(&self) -> Vec<(Id, bool)> {
        let rows = self.conversations.values().map(|h| (h.row.state != ConversationState::Active, &h.row.id));
        let mut ids: Vec<(bool, &Id)> = rows.collect();
        ids.sort_unstable();
        ids.into_iter().map(|(_, id)| (id.clone(), true)).collect()
    }
    /// Conversations that have changed since the last [`Floor::take`], and whether they are open.
    pub fn moved(&self) -> Vec<(Id, bool)> {
        let c = &self.changed;
        let over = c.ended.iter().map(|row| &row.id).chain(&c.gone).map(|id| (id.clone(), false));
        over.chain(c.conversations.iter().map(|id| (id.clone(), true))).collect()
    }
    /// Whether a conversation was met without its customer's name, so that asking for the whole helps.
    pub fn is_poor(&self, conversation: &str) -> bool {
        self.conversations.get(conversation).is_some_and(|h| h.row.customer.is_none())
    }
    /// Whether [`Floor::take`] would tell anything.
    pub fn has_changes(&self) -> bool {
        let c = &self.changed;
        !(c.conversations.is_empty()
            && c.ended.is_empty()
            && c.gone.is_empty()
            && c.mates.is_empty()
            && c.mates_gone.is_empty()
            && c.places.is_empty()
            && c.places_gone.is_empty())
    }
    /// Whether an open conversation was not shown since frame number `since`.
    pub fn has_untouched(&self, since: u64) -> bool {
        self.conversations.values().any(|h| h.touched < since)
    }
    /// Removes what a complete list, asked for at frame number `since`, no longer holds. Nothing of it
    /// is said to have ended: we did not see that.
    pub fn sweep(&mut self, since: u64) {
        let gone: Vec<Id> =
            self.conversations.values().filter(|h| h.touched < since).map(|h| h.row.id.clone()).collect();
        for id in gone {
            self.remove(&id);
        }
    }

    /// The changes since the last call, queues last. `seen`: now in the vendor's clock.
    pub fn take(&mut self, seen: Timestamp) -> Vec<Change> {
        let changed = std::mem::take(&mut self.changed);
        // As much room as is needed: most often for one row and its department.
        let rows = changed.mates_gone.len() + changed.mates.len() + changed.gone.len() + changed.ended.len();
        let places = changed.places_gone.len() + changed.places.len();
        let mut out = Vec::with_capacity(rows + changed.conversations.len() + places);
        out.extend(changed.mates_gone.into_iter().map(|id| Change::Remove(Kind::Agent, id)));
        out.extend(
            changed.mates.iter().filter_map(|id| self.mates.get(id)).map(|m| Change::Agent(m.row.clone())),
        );
        out.extend(changed.gone.into_iter().map(|id| Change::Remove(Kind::Conversation, id)));
        out.extend(changed.ended.into_iter().map(Change::Conversation));
        let open = changed.conversations.iter().filter_map(|id| self.conversations.get(id));
        out.extend(open.map(|h| Change::Conversation(h.row.clone())));
        out.extend(changed.places_gone.into_iter().map(|id| Change::Remove(Kind::Queue, id)));
        out.extend(changed.places.iter().filter_map(|id| self.tell_queue(id, seen)).map(Change::Queue));
        out
    }

    /// The row, if it differs from what was told.
    fn tell_queue(&mut self, id: &Id, seen: Timestamp) -> Option<Queue> {
        let row = self.queue(id, seen)?;
        let place = self.places.get_mut(id)?;
        if place.told.as_ref() == Some(&row) {
            return None;
        }
        place.told = Some(row.clone());
        Some(row)
    }

    /// Marks all departments to be told anew.
    pub fn touch_places(&mut self) {
        self.changed.places.extend(self.places.keys().cloned());
    }
    /// Marks departments with somebody waiting, so that their mean wait is told anew.
    pub fn refresh_waits(&mut self) {
        let waiting = self.places.iter().filter(|(_, p)| p.load.has_waiting()).map(|(id, _)| id.clone());
        self.changed.places.extend(waiting);
    }

    /// Everything, between `Reset` and `Complete`. What ended within the last minute is told once more,
    /// so that a reconnect does not cut its minute short.
    pub fn all(&mut self, seen: Timestamp) -> Vec<Change> {
        self.changed = Pending::default();
        let unused: Vec<Id> = self
            .places
            .iter()
            .filter(|(_, p)| p.hearsay && p.load.is_empty())
            .map(|(id, _)| id.clone())
            .collect();
        for id in unused {
            self.places.remove(&id);
        }
        let mut out = vec![Change::Reset];
        out.extend(self.mates.values().map(|m| Change::Agent(m.row.clone())));
        let recent = self.ended.iter().filter(|(at, _)| seen.since(*at) < LISTED).map(|(_, c)| c);
        out.extend(
            recent.filter(|c| !self.conversations.contains_key(&c.id)).cloned().map(Change::Conversation),
        );
        let mut open: Vec<&Conversation> = self.conversations.values().map(|h| &h.row).collect();
        open.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        out.extend(open.into_iter().cloned().map(Change::Conversation));
        let queues: Vec<Id> = self.places.keys().cloned().collect();
        for id in queues {
            let row = self.queue(&id, seen);
            if let Some(place) = self.places.get_mut(&id) {
                place.told = row.clone();
            }
            out.extend(row.map(Change::Queue));
        }
        out.push(Change::Complete);
        out
    }

    fn queue(&self, id: &Id, seen: Timestamp) -> Option<Queue> {
        let place = self.places.get(id)?;
        let load = self.whole.then_some(&place.load);
        let staff = (self.mates_known && self.staff_known(place)).then_some(&place.staff);
        Some(tally::queue(&self.source, id, &place.name, load, staff, seen))
    }

    fn staff_known(&self, place: &Place) -> bool {
        !place.hearsay && (place.groups.is_empty() || self.groups.is_some())
    }

    fn put(&mut self, next: Conversation, updated: Option<Timestamp>, touch: u64) {
        let id = next.id.clone();
        let mut held = self.conversations.get_mut(&id);
        let mut same_load = false;
        if let Some(held) = &mut held {
            held.updated = updated.max(held.updated);
            held.touched = touch.max(held.touched);
            if held.row == next {
                return;
            }
            same_load = held.row.queue == next.queue && weighs_the_same(&held.row, &next);
            if let Some(queue) = held.row.queue.as_ref().filter(|_| !same_load)
                && let Some(place) = self.places.get_mut(queue)
            {
                place.load.take(&held.row);
                self.changed.places.insert(queue.clone());
            }
        }
        if let Some(queue) = next.queue.as_ref().filter(|_| !same_load) {
            if let Some(place) = self.places.get_mut(queue) {
                place.load.add(&next);
            }
            self.changed.places.insert(queue.clone());
        }
        self.changed.conversations.insert(id.clone());
        self.changed.gone.remove(&id);
        match held {
            Some(held) => held.row = next,
            None => drop(self.conversations.insert(id, Held { row: next, updated, touched: touch })),
        }
    }

    fn detach(&mut self, id: &Id) {
        let Some(held) = self.conversations.get(id) else { return };
        let Some(queue) = held.row.queue.clone() else { return };
        if let Some(place) = self.places.get_mut(&queue) {
            place.load.take(&held.row);
            self.changed.places.insert(queue);
        }
    }

    fn remove(&mut self, id: &Id) {
        self.detach(id);
        if self.conversations.remove(id).is_some() {
            self.changed.conversations.remove(id);
            self.changed.gone.insert(id.clone());
        }
    }

    fn bury(&mut self, id: Id, updated: Option<Timestamp>) {
        if self.graves.insert(id.clone(), updated).is_none() {
            self.grave_order.push_back(id);
        }
        while self.grave_order.len() > GRAVES {
            if let Some(oldest) = self.grave_order.pop_front() {
                self.graves.remove(&oldest);
            }
        }
    }
}

fn older(this: Option<Timestamp>, than: Option<Timestamp>) -> bool {
    matches!((this, than), (Some(this), Some(than)) if this < than)
}
fn older_or_same(this: Option<Timestamp>, than: Option<Timestamp>) -> bool {
    match (this, than) {
        (Some(this), Some(than)) => this <= than,
        // Without stamps nobody can tell: what ended stays ended.
        _ => true,
    }
}
