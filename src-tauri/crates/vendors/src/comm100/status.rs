//! What a status id means. The constants are not documented, so what can be learnt wins.

use std::collections::{BTreeMap, HashMap};

use model::Presence;

use super::wire::ZERO;

const AWAY: &str = "00000000-0000-0000-0000-000000000001";
const OFFLINE: &str = "00000000-0000-0000-0000-000000000002";

/// What a status is in our words and in the vendor's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// `Available` stands for online: whether the agent is busy is not the status' to say.
    pub presence: Presence,
    /// The vendor's word; `None` when it is not known.
    pub label: Option<String>,
}

/// What is known of status ids. The zero id is Online, always. The others are asked for in this order:
/// what agents with that id were called at the same time; the list of away statuses; the two other system
/// ids; nothing.
#[derive(Clone, Debug, Default)]
pub struct Statuses {
    votes: HashMap<String, BTreeMap<String, u32>>,
    away: HashMap<String, String>,
}

impl Statuses {
    /// An agent had this id in one answer and this name in another, at about the same time.
    pub fn vote(&mut self, id: &str, name: &str) {
        *self.votes.entry(id.to_owned()).or_default().entry(name.trim().to_owned()).or_default() += 1;
    }

    /// The list of away statuses, whole.
    pub fn set_away(&mut self, names: impl Iterator<Item = (String, String)>) {
        self.away = names.collect();
    }

    /// What an id means; `None` for the id means that the vendor did not tell it.
    pub fn resolve(&self, id: Option<&str>) -> Status {
        let Some(id) = id else { return Status { presence: Presence::Unknown, label: None } };
        if id == ZERO {
            return Status { presence: Presence::Available, label: Some("Online".to_owned()) };
        }
        let name = self.learnt(id).or_else(|| self.away.get(id).map(String::as_str)).or(match id {
            AWAY => Some("Away"),
            OFFLINE => Some("Offline"),
            _ => None,
        });
        let presence = match name {
            None => Presence::Unknown,
            Some(name) if name.eq_ignore_ascii_case("online") => Presence::Available,
            Some(name) if name.eq_ignore_ascii_case("offline") => Presence::Offline,
            Some(_) => Presence::Away,
        };
        Status { presence, label: name.map(str::to_owned) }
    }

    /// Whether an id means nothing yet.
    pub fn is_unknown(&self, id: &str) -> bool {
        self.resolve(Some(id)).presence == Presence::Unknown
    }

    /// The name with the most votes: at least two, or the only one ever heard. A system id is not renamed
    /// by a single vote: the agent may have changed between the two answers.
    fn learnt(&self, id: &str) -> Option<&str> {
        let votes = self.votes.get(id)?;
        let alone = votes.len() == 1 && !matches!(id, AWAY | OFFLINE);
        let most = *votes.values().max()?;
        let mut best = votes.iter().filter(|(_, count)| **count == most);
        let (name, _) = best.next()?;
        let contested = best.next().is_some();
        (!contested && (most >= 2 || alone)).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUSTOM: &str = "5827eacf-c08e-4eb9-b09c-00155d081d0b";

    fn of(statuses: &Statuses, id: &str) -> (Presence, Option<String>) {
        let status = statuses.resolve(Some(id));
        (status.presence, status.label)
    }

    #[test]
    fn d1_the_system_ids() {
        let statuses = Statuses::default();
        assert_eq!(of(&statuses, ZERO), (Presence::Available, Some("Online".into())));
        assert_eq!(of(&statuses, AWAY), (Presence::Away, Some("Away".into())));
        assert_eq!(of(&statuses, OFFLINE), (Presence::Offline, Some("Offline".into())));
        assert_eq!(of(&statuses, CUSTOM), (Presence::Unknown, None));
        assert_eq!(statuses.resolve(None), Status { presence: Presence::Unknown, label: None });
    }

    #[test]
    fn d1_the_list_names_custom_ids() {
        let mut statuses = Statuses::default();
        statuses.set_away([(CUSTOM.to_owned(), "Lunch".to_owned())].into_iter());
        assert_eq!(of(&statuses, CUSTOM), (Presence::Away, Some("Lunch".into())));
    }

    #[test]
    fn d1_what_is_learnt_wins_over_list_and_constants() {
        let mut statuses = Statuses::default();
        statuses.set_away([(CUSTOM.to_owned(), "Lunch".to_owned())].into_iter());
        statuses.vote(CUSTOM, "Break");
        assert_eq!(of(&statuses, CUSTOM), (Presence::Away, Some("Break".into())));
        // The other reading of a system id: another constant than expected. One vote may be a change
        // between two answers, two are not.
        statuses.vote(AWAY, "offline");
        assert_eq!(of(&statuses, AWAY).0, Presence::Away);
        statuses.vote(AWAY, "offline");
        assert_eq!(of(&statuses, AWAY), (Presence::Offline, Some("offline".into())));
    }

    #[test]
    fn d1_the_zero_id_is_online_whatever_is_heard() {
        let mut statuses = Statuses::default();
        statuses.set_away([(ZERO.to_owned(), "Away".to_owned())].into_iter());
        for _ in 0..3 {
            statuses.vote(ZERO, "Offline");
        }
        assert_eq!(of(&statuses, ZERO), (Presence::Available, Some("Online".into())));
    }

    #[test]
    fn d1_a_contradiction_is_not_accepted_until_one_name_leads() {
        let mut statuses = Statuses::default();
        statuses.vote(OFFLINE, "Away");
        statuses.vote(OFFLINE, "Offline");
        assert_eq!(of(&statuses, OFFLINE), (Presence::Offline, Some("Offline".into())));
        statuses.vote(CUSTOM, "Away");
        statuses.vote(CUSTOM, "Lunch");
        assert!(statuses.is_unknown(CUSTOM));
        statuses.vote(CUSTOM, "Lunch");
        assert_eq!(of(&statuses, CUSTOM), (Presence::Away, Some("Lunch".into())));
    }
}
