//! All rows of one source, and what changed between two such sets.

use std::collections::BTreeMap;

use model::{Agent, Change, Conversation, Id, Kind, Queue, Totals};

/// Everything a polled source shows at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// Queues by id.
    pub queues: BTreeMap<Id, Queue>,
    /// Agents by id.
    pub agents: BTreeMap<Id, Agent>,
    /// Conversations by id.
    pub conversations: BTreeMap<Id, Conversation>,
    /// The source's own figures.
    pub totals: Option<Totals>,
}

impl Rows {
    /// All rows, as for a first state: queues, agents, conversations, totals.
    pub fn all(&self) -> Vec<Change> {
        Rows::default().changes_to(self)
    }

    /// What must be reported so that a reader of `self` sees `new`: upserts of what differs, in the
    /// order queues, agents, conversations, totals, then removals.
    pub fn changes_to(&self, new: &Rows) -> Vec<Change> {
        let mut changes = Vec::new();
        upserts(&self.queues, &new.queues, Change::Queue, &mut changes);
        upserts(&self.agents, &new.agents, Change::Agent, &mut changes);
        upserts(&self.conversations, &new.conversations, Change::Conversation, &mut changes);
        if new.totals != self.totals {
            match (&new.totals, &self.totals) {
                (Some(totals), _) => changes.push(Change::Totals(totals.clone())),
                (None, Some(old)) => changes.push(Change::Remove(Kind::Totals, old.source.clone())),
                (None, None) => {}
            }
        }
        removals(&self.conversations, &new.conversations, Kind::Conversation, &mut changes);
        removals(&self.agents, &new.agents, Kind::Agent, &mut changes);
        removals(&self.queues, &new.queues, Kind::Queue, &mut changes);
        changes
    }
}

fn upserts<T: Clone + PartialEq>(
    old: &BTreeMap<Id, T>,
    new: &BTreeMap<Id, T>,
    wrap: fn(T) -> Change,
    changes: &mut Vec<Change>,
) {
    changes
        .extend(new.iter().filter(|(id, row)| old.get(*id) != Some(row)).map(|(_, row)| wrap(row.clone())));
}

fn removals<T>(old: &BTreeMap<Id, T>, new: &BTreeMap<Id, T>, kind: Kind, changes: &mut Vec<Change>) {
    changes.extend(old.keys().filter(|id| !new.contains_key(*id)).map(|id| Change::Remove(kind, id.clone())));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[f64]) -> Rows {
        let figure = |value: f64| model::Figure {
            metric: "open".into(),
            window: model::Window::Now,
            value: Some(value),
            unit: model::Unit::Count,
            origin: model::Origin::Reported,
            n: None,
        };
        let windows = values.iter().map(|value| figure(*value)).collect();
        Rows { totals: Some(Totals { source: "s".into(), windows }), ..Rows::default() }
    }

    #[test]
    fn only_what_differs_is_reported() {
        assert!(rows(&[1.0]).changes_to(&rows(&[1.0])).is_empty());
        assert_eq!(rows(&[1.0]).changes_to(&rows(&[2.0])).len(), 1);
        assert_eq!(rows(&[1.0]).changes_to(&Rows::default()), vec![Change::Remove(Kind::Totals, "s".into())]);
        assert_eq!(rows(&[1.0]).all().len(), 1);
    }
}
