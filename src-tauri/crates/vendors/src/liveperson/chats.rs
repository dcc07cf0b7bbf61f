//! The life of one chat, folded from its events. Pure.
//!
//! Events are numbered without holes. What was folded once is never folded again, whichever way the
//! server understands "from": a number not above the last one held is dropped.

use model::{Channel, Conversation, ConversationState, Id, Outcome, Timestamp};

use super::wire::{EventRow, Info, instant};

/// What is known of one chat.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chat {
    /// Number of the last event held.
    pub last: Option<i64>,
    state: Option<ConversationState>,
    waiting_since: Option<Timestamp>,
    answered_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    answered_ever: bool,
    customer_wrote: Option<Timestamp>,
    agent_wrote: Option<Timestamp>,
    info: Info,
    /// Answers in a row in which it was missing.
    pub misses: u32,
    /// Readings in a row that did not fill a hole in its events.
    pub hole_tries: u32,
    /// When its end was first heard of, in our clock.
    pub over_at: Option<Timestamp>,
}

fn state_of(word: &str) -> Option<ConversationState> {
    match word {
        "waiting" => Some(ConversationState::Waiting),
        "chatting" => Some(ConversationState::Active),
        "ended" => Some(ConversationState::Ended),
        _ => None,
    }
}

impl Chat {
    /// Whether events between the last one held and these are missing: the number to read from.
    ///
    /// A chat that was never heard of begins with event 0.
    pub fn hole(&self, events: &[EventRow]) -> Option<i64> {
        let last = self.last.unwrap_or(-1);
        let mut ids: Vec<i64> = events.iter().filter_map(|e| e.id.0).filter(|id| *id > last).collect();
        ids.sort_unstable();
        ids.dedup();
        (last + 1..).zip(ids).find(|(expected, id)| expected != id).map(|(expected, _)| expected)
    }

    /// Takes events in, in the order of their numbers; says how many were new.
    pub fn fold(&mut self, events: &[EventRow]) -> usize {
        let mut sorted: Vec<&EventRow> = events.iter().collect();
        sorted.sort_by_key(|e| e.id.0);
        let mut new = 0;
        for event in sorted {
            let Some(id) = event.id.0 else { continue };
            if self.last.is_some_and(|last| id <= last) {
                continue;
            }
            self.last = Some(id);
            new += 1;
            self.happened(event);
        }
        new
    }

    /// Takes in only those before a number: what comes after it must wait for what is missing there.
    pub fn fold_below(&mut self, events: &[EventRow], below: i64) {
        let before: Vec<EventRow> =
            events.iter().filter(|event| event.id.0.is_some_and(|id| id < below)).cloned().collect();
        self.fold(&before);
    }

    fn happened(&mut self, event: &EventRow) {
        let at = event.time.0.as_deref().and_then(instant);
        match event.kind.0.as_deref() {
            Some("state") => match event.state.0.as_deref().and_then(state_of) {
                Some(ConversationState::Waiting) => {
                    self.state = Some(ConversationState::Waiting);
                    self.waiting_since = at;
                    self.answered_at = None;
                }
                Some(ConversationState::Active) => {
                    self.state = Some(ConversationState::Active);
                    self.answered_ever = true;
                    self.answered_at = self.answered_at.or(at);
                }
                Some(ConversationState::Ended) => {
                    self.state = Some(ConversationState::Ended);
                    self.ended_at = at;
                }
                None => {}
            },
            // What only agents see is no reply to the customer.
            Some("line") if event.is_whisper() => {}
            Some("line") => match event.source.0.as_ref().or(event.by.0.as_ref()).map(String::as_str) {
                Some("visitor") => self.customer_wrote = self.customer_wrote.max(at),
                Some("agent") => self.agent_wrote = self.agent_wrote.max(at),
                _ => {}
            },
            // Links, transfers between accounts, things to come: their number counts, nothing else.
            _ => {}
        }
    }

    /// Takes the present facts in.
    pub fn set_info(&mut self, info: &Info) {
        if info.seen == 0 {
            return;
        }
        self.info = info.clone();
        // The end is final, whatever an older copy of the facts says.
        if self.state != Some(ConversationState::Ended)
            && let Some(state) = info.state.0.as_deref().and_then(state_of)
        {
            if state == ConversationState::Active && self.state == Some(ConversationState::Waiting) {
                self.answered_ever = true;
            }
            self.state = Some(state);
        }
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.state == Some(ConversationState::Ended)
    }

    /// When it ended, where that was told.
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.ended_at.filter(|_| self.is_over())
    }

    /// It is over, and the event of its end was not seen.
    pub fn lacks_its_end(&self) -> bool {
        self.is_over() && self.last.is_some() && self.ended_at.is_none()
    }

    /// As a row; `None` while nothing says how it stands.
    pub fn row(&self, source: &Id, key: &str) -> Option<Conversation> {
        let state = self.state?;
        let waiting = state == ConversationState::Waiting;
        let started = self.info.start.0.as_deref().and_then(instant);
        let agent = self.info.agent.0.as_deref().filter(|id| !id.starts_with('-')).map(Id::new);
        Some(Conversation {
            source: source.clone(),
            id: Id::new(key),
            queue: self.info.skill.0.as_deref().filter(|id| !id.starts_with('-')).map(Id::new),
            agents: match agent {
                _ if waiting => Some(Vec::new()),
                Some(agent) => Some(vec![agent]),
                // It was seen from its beginning to its end, and nobody came.
                None if state == ConversationState::Ended && self.last.is_some() && !self.answered_ever => {
                    Some(Vec::new())
                }
                None => None,
            },
            state,
            channel: Some(Channel::Chat),
            started_via: None,
            started_via_label: None,
            customer: self.info.visitor.0.clone(),
            subject: None,
            created_at: started,
            waiting_since: self.waiting_since.or(started.filter(|_| waiting)),
            answered_at: self.answered_at.filter(|_| !waiting),
            ended_at: self.ended_at,
            expected_at: None,
            last_customer_message_at: self.customer_wrote,
            last_agent_message_at: self.agent_wrote,
            outcome: (state == ConversationState::Ended).then_some(match (self.last, self.answered_ever) {
                (None, _) => Outcome::Unknown,
                (_, true) => Outcome::Handled,
                (_, false) => Outcome::Abandoned,
            }),
            tags: None,
            priority: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{liveperson::wire::ManyChats, loose};

    /// The page's own sample.
    const SAMPLE: &str = r#"{"chats":{"chat":[{"events":{"event":[
        {"id":0,"type":"state","time":"2015-08-30T18:06:02+03:00","state":"waiting"},
        {"id":1,"type":"line","time":"2015-08-30T18:06:02.001+03:00","text":"Thank you","by":"info","source":"system","systemMessageId":"4"},
        {"id":2,"type":"state","time":"2015-08-30T18:07:26.902+03:00","state":"chatting"},
        {"id":3,"type":"line","time":"2015-08-30T18:07:26.903+03:00","text":"You are now","by":"info","source":"system","systemMessageId":"3"},
        {"id":4,"type":"line","time":"2015-08-30T18:07:26.904+03:00","text":"","by":"info","source":"system","systemMessageId":"4"}]},
        "info":{"state":"chatting","chatSessionKey":"H4709474615328845423-2767456311409308813K8414056","agentName":"Agent Nick","agentId":2,
        "startTime":"2015-08-30T18:06:02.001+03:00","duration":0,"visitorName":"visitor","rtSessionId":4294992744}}]}}"#;

    fn sample() -> (Chat, Vec<EventRow>) {
        let answer: ManyChats = loose::read(SAMPLE.as_bytes()).unwrap();
        let row = answer.list.chats.0[0].clone();
        let mut chat = Chat::default();
        chat.fold(&row.events.list.0);
        chat.set_info(&row.info);
        (chat, row.events.list.0)
    }

    #[test]
    fn the_sample_waited_84_902_seconds_and_nobody_has_replied() {
        let (chat, _) = sample();
        let row = chat.row(&"lp".into(), "k").unwrap();
        assert_eq!(row.answered_at.unwrap().seconds_since(row.waiting_since.unwrap()), 84.902);
        assert_eq!(row.state, ConversationState::Active);
        assert_eq!(row.agents, Some(vec![Id::new("2")]));
        assert_eq!((row.last_agent_message_at, row.last_customer_message_at), (None, None));
    }

    fn event(id: i64, kind: &str, what: &str, second: i64) -> EventRow {
        let field = if kind == "state" { "state" } else { "source" };
        loose::read(
            format!(
                "{{\"id\":{id},\"type\":\"{kind}\",\"{field}\":\"{what}\",\"time\":\"{}\"}}",
                second * 1000
            )
            .as_bytes(),
        )
        .unwrap()
    }

    #[test]
    fn a_requeue_moves_the_wait_and_an_abandoned_one_is_said() {
        let mut chat = Chat::default();
        chat.fold(&[
            event(0, "state", "waiting", 0),
            event(1, "state", "chatting", 10),
            event(2, "state", "waiting", 50),
        ]);
        let row = chat.row(&"lp".into(), "k").unwrap();
        assert_eq!((row.waiting_since, row.answered_at), (Some(Timestamp::from_ms(50_000)), None));
        chat.fold(&[event(3, "state", "chatting", 60), event(4, "state", "ended", 90)]);
        let row = chat.row(&"lp".into(), "k").unwrap();
        assert_eq!(row.answered_at, Some(Timestamp::from_ms(60_000)));
        assert_eq!(row.outcome, Some(Outcome::Handled));
        let mut left = Chat::default();
        left.fold(&[event(0, "state", "waiting", 0), event(1, "state", "ended", 9)]);
        assert_eq!(left.row(&"lp".into(), "k").unwrap().outcome, Some(Outcome::Abandoned));
    }

    #[test]
    fn holes_are_seen() {
        let (chat, _) = sample();
        let of = |ids: &[i64]| -> Vec<EventRow> {
            ids.iter().map(|id| event(*id, "line", "visitor", 1)).collect()
        };
        assert_eq!(chat.hole(&of(&[5, 6])), None);
        assert_eq!(chat.hole(&of(&[4, 5])), None);
        assert_eq!(chat.hole(&of(&[7])), Some(5));
        assert_eq!(chat.hole(&of(&[5, 8])), Some(6));
        assert_eq!(chat.hole(&[]), None);
        assert_eq!(Chat::default().hole(&of(&[0, 1])), None);
        assert_eq!(Chat::default().hole(&of(&[3])), Some(0), "a chat begins with event 0");
        assert_eq!(Chat::default().hole(&of(&[0, 1, 4])), Some(2));
    }

    #[test]
    fn what_stands_before_a_hole_is_not_lost() {
        let events = [event(0, "state", "waiting", 7), event(2, "state", "chatting", 9)];
        let mut chat = Chat::default();
        let from = chat.hole(&events).unwrap();
        chat.fold_below(&events, from);
        chat.fold(&[event(1, "line", "visitor", 8), event(2, "state", "chatting", 9)]);
        let row = chat.row(&"lp".into(), "k").unwrap();
        assert_eq!(
            (row.waiting_since, row.answered_at),
            (Some(Timestamp::from_ms(7000)), Some(Timestamp::from_ms(9000)))
        );
        assert_eq!(row.last_customer_message_at, Some(Timestamp::from_ms(8000)));
    }

    #[test]
    fn what_agents_whisper_is_no_reply() {
        let line = |id: i64, more: &str| -> EventRow {
            loose::read(
                format!("{{\"id\":{id},\"type\":\"line\",\"time\":\"{}\",{more}}}", id * 1000).as_bytes(),
            )
            .unwrap()
        };
        let mut chat = Chat::default();
        chat.fold(&[
            event(0, "state", "chatting", 0),
            line(1, r#""source":"agent","subType":"REGULAR""#),
            line(2, r#""source":"agent","subType":"ONLY_TO_REP""#),
            line(3, r#""by":"visitor""#),
            line(4, r#""by":"Natalie","source":"system""#),
        ]);
        let row = chat.row(&"lp".into(), "k").unwrap();
        assert_eq!(row.last_agent_message_at, Some(Timestamp::from_ms(1000)));
        assert_eq!(row.last_customer_message_at, Some(Timestamp::from_ms(3000)));
    }

    #[test]
    fn nobody_came_to_one_who_left_and_unknown_stays_unknown() {
        let mut left = Chat::default();
        left.fold(&[event(0, "state", "waiting", 0), event(1, "state", "ended", 9)]);
        assert_eq!(left.row(&"lp".into(), "k").unwrap().agents, Some(Vec::new()));
        let info: Info = loose::read(br#"{"state":"ended"}"#).unwrap();
        let mut unseen = Chat::default();
        unseen.set_info(&info);
        let row = unseen.row(&"lp".into(), "k").unwrap();
        assert_eq!((row.outcome, row.agents, row.ended_at), (Some(Outcome::Unknown), None, None));
        // An event of a kind to come counts as a number and nothing else.
        let mut chat = Chat::default();
        assert_eq!(chat.fold(&[event(0, "state", "chatting", 0), event(1, "a2a-transfer", "x", 1)]), 2);
        assert_eq!(chat.row(&"lp".into(), "k").unwrap().state, ConversationState::Active);
    }

    proptest! {
        /// Doubt 2: exclusive or inclusive, repeated or cut anywhere: each event counts once.
        #[test]
        fn any_way_of_cutting_folds_to_the_same(cuts in prop::collection::vec((0usize..12, 0usize..4), 0..10)) {
            let all: Vec<EventRow> = (0..12).map(|id| match id % 4 {
                0 => event(id, "state", "waiting", id),
                1 => event(id, "state", "chatting", id),
                2 => event(id, "line", "visitor", id),
                _ => event(id, "line", "agent", id),
            }).collect();
            let mut whole = Chat::default();
            whole.fold(&all);
            let mut pieces = Chat::default();
            let mut total = 0;
            for (upto, back) in cuts {
                let held = pieces.last.map_or(0, |l| l as usize + 1);
                let from = held.saturating_sub(back);
                if upto > from {
                    total += pieces.fold(&all[from..upto]);
                }
            }
            total += pieces.fold(&all);
            prop_assert_eq!(total, all.len());
            prop_assert_eq!(pieces, whole);
        }
    }
}
