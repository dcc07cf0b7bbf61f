//! Readings of queues, agents, conversations and sources.

use model::{Agent, Conversation, ConversationState, Health, Presence, Queue, Timestamp};

use super::{per_agent, utilisation, words};
use crate::{
    alerts::{Ask, Measure, MetricName, Reading},
    world::Floor,
};

impl Floor {
    pub(super) fn read_queue(&self, queue: &Queue, ask: &Ask) -> Reading {
        if let Some(window) = ask.metric.window {
            return self.windowed("queue", &queue.windows, ask.metric.name, window);
        }
        let number = |value: Option<u32>| value.map(f64::from);
        match ask.measure {
            Measure::Waiting => self.count("queue.waiting", queue.waiting),
            Measure::LongestWait => match (queue.waiting, queue.waiting_since) {
                (Some(0), _) => Reading::number(0.0),
                (_, since) => self.counting_up("queue.waiting_since", since),
            },
            Measure::AverageWait => self.number("queue.average_wait_s", queue.average_wait_s),
            Measure::Open => self.count("queue.open", queue.open),
            Measure::Capacity => self.count("queue.capacity", queue.capacity),
            Measure::FreeCapacity => self.count("queue.free_capacity", queue.free_capacity),
            Measure::AgentsOnline => self.count("queue.agents_online", queue.agents_online),
            Measure::AgentsAvailable => self.count("queue.agents_available", queue.agents_available),
            Measure::EstimatedWait => match queue.expected_at {
                Some(at) => Reading::CountingDown { until: self.ours(at) },
                None => self.silent("queue.expected_at"),
            },
            Measure::Kind => Reading::Word(words::queue_kind(queue.kind).into()),
            Measure::WaitingPerAgent => per_agent(number(queue.waiting), number(queue.agents_online))
                .unwrap_or_else(|| {
                    let waiting = ("queue.waiting", queue.waiting);
                    self.silent_of(&[waiting, ("queue.agents_online", queue.agents_online)])
                }),
            Measure::SlotUtilisation => utilisation(number(queue.open), number(queue.capacity))
                .unwrap_or_else(|| {
                    self.silent_of(&[("queue.open", queue.open), ("queue.capacity", queue.capacity)])
                }),
            _ => Reading::NotGiven,
        }
    }

    pub(super) fn read_agent(&self, agent: &Agent, ask: &Ask) -> Reading {
        if let Some(window) = ask.metric.window {
            return self.windowed("agent", &agent.windows, ask.metric.name, window);
        }
        let number = |value: Option<u32>| value.map(f64::from);
        match ask.measure {
            Measure::Presence => Reading::Word(words::presence(agent.presence).into()),
            Measure::PresenceLabel => self.text("agent.presence_label", agent.presence_label.as_deref()),
            Measure::TimeInPresence => self.counting_up("agent.presence_since", agent.presence_since),
            Measure::LoggedInFor => self.counting_up("agent.logged_in_at", agent.logged_in_at),
            Measure::Open => self.count("agent.open", agent.open),
            Measure::Capacity => self.count("agent.capacity", agent.capacity),
            Measure::FreeCapacity => self.count("agent.free_capacity", agent.free_capacity),
            Measure::SlotUtilisation => utilisation(number(agent.open), number(agent.capacity))
                .unwrap_or_else(|| {
                    self.silent_of(&[("agent.open", agent.open), ("agent.capacity", agent.capacity)])
                }),
            Measure::FreeWhileWaiting => self.free_while_waiting(agent),
            _ => Reading::NotGiven,
        }
    }

    /// Since when this agent is available and one of the agent's queues has people, both without a break.
    fn free_while_waiting(&self, agent: &Agent) -> Reading {
        let Some(queues) = &agent.queues else { return self.silent("agent.queues") };
        let since = match (agent.presence, agent.presence_since) {
            (Presence::Available, Some(since)) => self.ours(since),
            (Presence::Available, None) | (Presence::Unknown, _) => return Reading::Unknown,
            _ => return Reading::number(0.0),
        };
        let mut longest: Option<Timestamp> = None;
        let mut all_told = true;
        for id in queues {
            let Some(slot) = self.queues.get(id) else {
                all_told &= self.nothing("queue.waiting", "queue").value.is_some();
                continue;
            };
            all_told &= slot.row.waiting.is_some();
            if let (Some(_), Some(people)) = (slot.row.waiting, slot.extra.people_since) {
                let both = slot.extra.past_gap(since).max(people);
                longest = Some(longest.map_or(both, |so_far| so_far.min(both)));
            }
        }
        match longest {
            Some(since) => Reading::CountingUp { since },
            // Nobody waits only where every queue says so.
            None if all_told => Reading::number(0.0),
            None => self.silent("queue.waiting"),
        }
    }

    pub(super) fn read_conversation(
        &self,
        conversation: &Conversation,
        measure: Measure,
        now: Timestamp,
    ) -> Reading {
        let c = conversation;
        match measure {
            Measure::State => Reading::Word(words::state(c.state).into()),
            Measure::Channel => self.word("conversation.channel", c.channel.map(words::channel)),
            Measure::StartedVia => {
                self.word("conversation.started_via", c.started_via.map(words::started_via))
            }
            Measure::Outcome => match c.outcome {
                Some(outcome) => Reading::Word(words::outcome(outcome).into()),
                None => Reading::NotGiven,
            },
            Measure::Priority => self.text("conversation.priority", c.priority.as_deref()),
            Measure::Customer => self.text("conversation.customer", c.customer.as_deref()),
            Measure::Subject => self.text("conversation.subject", c.subject.as_deref()),
            Measure::EstimatedWait => match c.expected_at {
                Some(at) if c.state == ConversationState::Waiting => {
                    Reading::CountingDown { until: self.ours(at) }
                }
                Some(_) => Reading::NotGiven,
                None => self.silent("conversation.expected_at"),
            },
            Measure::Wait => match c.state {
                ConversationState::Waiting => self.counting_up("conversation.waiting_since", c.waiting_since),
                _ => match crate::document::wait_s(c, self.skew(), now) {
                    Some(seconds) => Reading::number(seconds),
                    None => self.silent("conversation.waiting_since"),
                },
            },
            Measure::Age => match (c.created_at, c.ended_at) {
                (Some(created), Some(ended)) => Reading::number(ended.seconds_since(created).max(0.0)),
                (created, _) => self.counting_up("conversation.created_at", created),
            },
            Measure::ReplyAge => self.reply_age(c),
            _ => Reading::NotGiven,
        }
    }

    fn reply_age(&self, c: &Conversation) -> Reading {
        if c.state == ConversationState::Ended {
            return Reading::NotGiven;
        }
        match (c.last_customer_message_at, c.last_agent_message_at) {
            (Some(customer), Some(agent)) if agent >= customer => Reading::number(0.0),
            (Some(customer), _) => Reading::CountingUp { since: self.ours(customer) },
            (None, Some(_)) => Reading::number(0.0),
            (None, None) => self.silent("conversation.last_customer_message_at"),
        }
    }

    pub(super) fn read_source(&self, metric: MetricName) -> Reading {
        let source = &self.source;
        match metric.name {
            "health" => Reading::Word(words::health(source.health).into()),
            "vendor" => Reading::Word(source.vendor.as_str().into()),
            "denied" => Reading::flag(source.health == Health::Denied),
            "lost_for" => match self.link_lost_since {
                Some(since) => Reading::CountingUp { since },
                None => Reading::number(0.0),
            },
            "clock_skew" => source.clock_skew_s.map_or(Reading::Unknown, Reading::number),
            // Nobody expects data from a source that is turned off.
            "data_age" if source.health == Health::Disabled => Reading::NotGiven,
            "data_age" => match source.last_data_at {
                Some(since) => Reading::CountingUp { since },
                None => Reading::Unknown,
            },
            _ => Reading::NotGiven,
        }
    }

    fn text(&self, provided: &str, text: Option<&str>) -> Reading {
        match text {
            Some(text) => Reading::Word(text.to_owned().into()),
            None => self.silent(provided),
        }
    }

    fn word(&self, provided: &str, word: Option<&'static str>) -> Reading {
        match word {
            Some(word) => Reading::Word(word.into()),
            None => self.silent(provided),
        }
    }
}
