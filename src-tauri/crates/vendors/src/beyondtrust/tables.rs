//! The appliance's tables as they are now, who refers to whom in them, and what a change of a row may have
//! changed for the floor.

use std::collections::{BTreeSet, HashMap};

use model::Id;

use super::{
    map::uncoded,
    wire::{Line, Row, RowId, Table, reference},
};
use crate::loose::Text;

type Key = (Table, RowId);

/// What has to be looked at again since the last time.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// Rows of queues: name, identity and owner.
    pub queues: BTreeSet<RowId>,
    pub users: BTreeSet<Id>,
    /// Sessions by lsid.
    pub sessions: BTreeSet<Id>,
}

impl Touched {
    pub fn is_empty(&self) -> bool {
        self.queues.is_empty() && self.users.is_empty() && self.sessions.is_empty()
    }
}

/// The tables.
#[derive(Debug, Default)]
pub(super) struct Tables {
    rows: [HashMap<RowId, Row>; Table::COUNT],
    referrers: HashMap<Key, BTreeSet<Key>>,
    /// Rows of representatives by user: somebody may have several consoles open.
    consoles: HashMap<Id, BTreeSet<RowId>>,
    /// Rows of sessions by lsid: one, unless the appliance contradicts itself.
    sessions: HashMap<Id, BTreeSet<RowId>>,
    /// Rows of queues without a code name by type, in the order of their numbers.
    uncoded: HashMap<String, BTreeSet<(usize, RowId)>>,
    touched: Touched,
}

/// The stable id of who is signed in.
pub(super) fn user(row: &Row) -> Option<Id> {
    reference(row.user.as_ref()).map(Id::from)
}
/// The stable id of a session.
pub(super) fn lsid(row: &Row) -> Option<Id> {
    Text::from(row.lsid.as_ref()?).0.map(Id::from)
}

/// The rows that a row refers to; they need not be there.
fn references(table: Table, row: &Row) -> impl Iterator<Item = Key> {
    let to = |table: Table, id: Option<RowId>| id.map(|id| (table, id));
    let queue = || to(Table::Queue, reference(row.queue.as_ref()));
    let representative = || to(Table::Representative, reference(row.representative.as_ref()));
    let session = || to(Table::Session, reference(row.session.as_ref()));
    let pair = match table {
        Table::Queue => [None, None],
        Table::Representative | Table::Session => [queue(), None],
        Table::RepresentativeQueue => [representative(), queue()],
        Table::RepresentativeSession => [representative(), session()],
        Table::Client => [session(), None],
    };
    pair.into_iter().flatten()
}

impl Tables {
    pub fn row(&self, table: Table, id: &str) -> Option<&Row> {
        self.rows[table as usize].get(id)
    }
    pub fn ids(&self, table: Table) -> impl Iterator<Item = &RowId> {
        self.rows[table as usize].keys()
    }
    /// Rows of a table that refer to this row, in the order of their ids.
    pub fn referring(&self, from: Table, to: Table, id: &str) -> impl Iterator<Item = &Row> {
        // A team's queue is referred to by all its sessions: only those of this table are walked through.
        let keys = self.referrers.get(&(to, id.to_owned())).into_iter();
        keys.flat_map(move |keys| keys.range((from, RowId::new())..))
            .take_while(move |(table, _)| *table == from)
            .filter_map(|(table, id)| self.row(*table, id))
    }
    /// Row ids of the consoles that a user has open.
    pub fn consoles(&self, user: &str) -> impl Iterator<Item = &RowId> {
        self.consoles.get(user).into_iter().flatten()
    }
    /// The row of a session.
    pub fn session(&self, lsid: &str) -> Option<(&RowId, &Row)> {
        let id = self.sessions.get(lsid)?.last()?;
        self.row(Table::Session, id).map(|row| (id, row))
    }
    /// Whose personal queue a row of a queue is, whatever its type is called.
    pub fn owner(&self, queue: &str) -> Option<Id> {
        self.referring(Table::Representative, Table::Queue, queue).find_map(user)
    }

    /// Whether any session is in a queue.
    pub fn is_used(&self, queue: &str) -> bool {
        self.referring(Table::Session, Table::Queue, queue).next().is_some()
    }
    /// What stands for the code name of a queue that has none: nothing, but more than one of a type are
    /// told apart by their rows.
    pub fn mark(&self, kind: &str, queue: &str) -> String {
        let first = self.uncoded.get(kind).and_then(BTreeSet::first);
        if first.is_some_and(|(_, first)| first != queue) { format!("#{queue}") } else { String::new() }
    }

    /// Nothing is known any more.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
    /// What has to be looked at again.
    pub fn take_touched(&mut self) -> Touched {
        std::mem::take(&mut self.touched)
    }
    /// Everything there is.
    pub fn all(&self) -> Touched {
        Touched {
            queues: self.ids(Table::Queue).cloned().collect(),
            users: self.consoles.keys().cloned().collect(),
            sessions: self.sessions.keys().cloned().collect(),
        }
    }

    /// Applies a line: insert, then update, then delete.
    pub fn apply(&mut self, line: Line) {
        for (table, rows) in line.insert.0.into_iter().flatten() {
            for (id, row) in rows {
                self.put(table, id, Some(row));
            }
        }
        for (table, rows) in line.update.0.into_iter().flatten() {
            for (id, mut part) in rows {
                // An update of a row never seen begins it; none takes away who or what it is.
                part.lsid = part.lsid.filter(|lsid| Text::from(lsid).0.is_some());
                part.user = part.user.filter(|user| reference(Some(user)).is_some());
                let mut row = self.row(table, &id).cloned().unwrap_or_default();
                row.merge(part);
                self.put(table, id, Some(row));
            }
        }
        for (table, ids) in line.delete.0.into_iter().flatten() {
            for id in ids {
                self.put(table, id, None);
            }
        }
    }

    fn put(&mut self, table: Table, id: RowId, new: Option<Row>) {
        let rows = &mut self.rows[table as usize];
        let old = match &new {
            Some(row) if rows.get(&id) == Some(row) => return,
            Some(row) => rows.insert(id.clone(), row.clone()),
            None => rows.remove(&id),
        };
        if old.is_none() && new.is_none() {
            return;
        }
        let key = (table, id);
        for (row, there) in [(&old, false), (&new, true)] {
            let Some(row) = row else { continue };
            for to in references(table, row) {
                note(&mut self.referrers, to, &key, there);
            }
            match table {
                Table::Representative => {
                    user(row).into_iter().for_each(|user| note(&mut self.consoles, user, &key.1, there));
                }
                Table::Session => {
                    lsid(row).into_iter().for_each(|lsid| note(&mut self.sessions, lsid, &key.1, there));
                }
                Table::Queue => {
                    let place = (key.1.len(), key.1.clone());
                    uncoded(row).into_iter().for_each(|kind| note(&mut self.uncoded, kind, &place, there));
                }
                _ => {}
            }
        }
        self.touch(table, &key.1, old.as_ref(), new.as_ref());
    }

    /// Marks what a change of a row may have changed. Rows behind a reference that leads nowhere yet mark
    /// themselves when they come.
    fn touch(&mut self, table: Table, id: &str, old: Option<&Row>, new: Option<&Row>) {
        let both = || [old, new].into_iter().flatten();
        match table {
            Table::Queue => {
                self.touch_queue(id);
                // Another may be the first of its type now.
                let kinds: BTreeSet<String> = both().filter_map(uncoded).collect();
                let first = kinds
                    .iter()
                    .filter_map(|kind| self.uncoded.get(kind))
                    .flat_map(|rows| rows.iter().take(2));
                let first: Vec<RowId> = first.map(|(_, row)| row.clone()).collect();
                first.iter().filter(|row| *row != id).for_each(|row| self.touch_queue(row));
            }
            Table::Representative => {
                self.touched.users.extend(both().filter_map(user));
                let queue = |row: Option<&Row>| row.and_then(|row| reference(row.queue.as_ref()));
                if old.and_then(user) != new.and_then(user) || queue(old) != queue(new) {
                    for queue in [queue(old), queue(new)].into_iter().flatten() {
                        self.touch_queue(&queue);
                    }
                    let joins = self.referring(Table::RepresentativeSession, Table::Representative, id);
                    let sessions: Vec<Id> = joins.filter_map(|join| self.session_of(join)).collect();
                    self.touched.sessions.extend(sessions);
                }
            }
            Table::RepresentativeQueue => {
                let users: Vec<Id> = both().filter_map(|row| self.user_of(row)).collect();
                self.touched.users.extend(users);
            }
            Table::RepresentativeSession => {
                let users: Vec<Id> = both().filter_map(|row| self.user_of(row)).collect();
                let sessions: Vec<Id> = both().filter_map(|row| self.session_of(row)).collect();
                self.touched.users.extend(users);
                self.touched.sessions.extend(sessions);
            }
            Table::Session => {
                self.touched.sessions.extend(both().filter_map(lsid));
                let queue = |row: Option<&Row>| row.and_then(|row| reference(row.queue.as_ref()));
                if queue(old) != queue(new) {
                    let news: Vec<RowId> =
                        [queue(old), queue(new)].into_iter().flatten().filter(|q| self.may_show(q)).collect();
                    news.iter().for_each(|queue| self.touch_queue(queue));
                }
                if old.and_then(lsid) != new.and_then(lsid) {
                    let joins = self.referring(Table::RepresentativeSession, Table::Session, id);
                    let users: Vec<Id> = joins.filter_map(|join| self.user_of(join)).collect();
                    self.touched.users.extend(users);
                }
            }
            Table::Client => {
                let sessions: Vec<Id> = both().filter_map(|row| self.session_of(row)).collect();
                self.touched.sessions.extend(sessions);
            }
        }
    }

    /// Whether a queue is shown only while somebody is in it, and that may just have changed.
    fn may_show(&self, queue: &str) -> bool {
        self.row(Table::Queue, queue).is_some_and(|row| uncoded(row).is_some())
            && self.owner(queue).is_none()
            && self.referring(Table::Session, Table::Queue, queue).nth(1).is_none()
    }

    /// A queue, the sessions in it and those who serve it.
    fn touch_queue(&mut self, id: &str) {
        self.touched.queues.insert(id.to_owned());
        let there = (Table::Queue, id.to_owned());
        for (table, id) in self.referrers.get(&there).into_iter().flatten() {
            let Some(row) = self.rows[*table as usize].get(id) else { continue };
            match table {
                Table::Session => self.touched.sessions.extend(lsid(row)),
                Table::Representative => self.touched.users.extend(user(row)),
                _ => {
                    let representative = reference(row.representative.as_ref());
                    let rows = &self.rows[Table::Representative as usize];
                    self.touched.users.extend(representative.and_then(|id| rows.get(&id)).and_then(user));
                }
            }
        }
    }

    /// The user behind a row's representative.
    pub fn user_of(&self, row: &Row) -> Option<Id> {
        self.row(Table::Representative, &reference(row.representative.as_ref())?).and_then(user)
    }
    /// The session that a row belongs to.
    pub fn session_of(&self, row: &Row) -> Option<Id> {
        self.row(Table::Session, &reference(row.session.as_ref())?).and_then(lsid)
    }
}

/// Puts something into, or takes it out of, the set under a key.
fn note<K: std::hash::Hash + Eq, V: Ord + Clone>(
    index: &mut HashMap<K, BTreeSet<V>>,
    key: K,
    value: &V,
    there: bool,
) {
    if there {
        index.entry(key).or_default().insert(value.clone());
    } else if let std::collections::hash_map::Entry::Occupied(mut held) = index.entry(key) {
        held.get_mut().remove(value);
        if held.get().is_empty() {
            held.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loose::Scalar;

    fn line(json: &str) -> Line {
        crate::loose::read(json.as_bytes()).unwrap()
    }

    #[test]
    fn d3_d5_rows_are_inserted_merged_and_deleted_whatever_the_ids_look_like() {
        let mut tables = Tables::default();
        tables.apply(line(
            r#"{"insert":{"support_session":{"812":{"lsid":"a","queue_id":7,"customer_name":"Bo"}},"queue":null,"weather":{"1":{}}}}"#,
        ));
        tables
            .apply(line(r#"{"update":{"support_session":{"812":{"queue_id":"40","customer_name":null}}}}"#));
        let row = tables.row(Table::Session, "812").unwrap();
        assert_eq!(reference(row.queue.as_ref()).as_deref(), Some("40"));
        assert_eq!((row.lsid.is_some(), &row.customer), (true, &Some(Scalar::Nothing)));
        tables.apply(line(r#"{"update":{"support_session":{"9":{"lsid":"b"}}}}"#));
        assert_eq!(tables.ids(Table::Session).count(), 2, "an orphan update begins a row");
        for delete in [r#"["812"]"#, "[812]", r#"{"812":{}}"#, "[null,[],812.0]"] {
            let mut tables = Tables::default();
            tables.apply(line(r#"{"insert":{"support_session":{"812":{"lsid":"a"}}}}"#));
            tables.apply(line(&format!(r#"{{"delete":{{"support_session":{delete}}}}}"#)));
            assert!(tables.ids(Table::Session).next().is_none(), "{delete}");
        }
    }
}
