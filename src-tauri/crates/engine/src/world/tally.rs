//! Sums of one source, kept right on every change, so that no figure of the floor costs a walk.

use std::collections::BTreeMap;

use model::{Agent, Conversation, ConversationState, Presence, Queue, Timestamp, Window};

/// The sum of an optional figure over rows; how many rows told it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sum {
    pub(crate) total: f64,
    pub(crate) known: u32,
    pub(crate) rows: u32,
}

impl Sum {
    fn count(&mut self, value: Option<f64>, add: bool) {
        let sign = if add { 1.0 } else { -1.0 };
        let step = |n: u32| if add { n + 1 } else { n.saturating_sub(1) };
        self.rows = step(self.rows);
        if let Some(value) = value {
            self.total += sign * value;
            self.known = step(self.known);
        }
        if self.known == 0 {
            self.total = 0.0;
        }
    }
    /// The sum over the rows that tell it; `None` when none does.
    pub(crate) fn value(&self) -> Option<f64> {
        (self.known > 0).then_some(self.total)
    }
    /// Whether every row tells it.
    pub(crate) fn is_whole(&self) -> bool {
        self.known == self.rows
    }
}

/// Instants with how often each occurs; the earliest is at hand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Instants(BTreeMap<Timestamp, u32>);

impl Instants {
    fn count(&mut self, at: Timestamp, add: bool) {
        if add {
            *self.0.entry(at).or_default() += 1;
        } else if let Some(n) = self.0.get_mut(&at) {
            *n -= 1;
            if *n == 0 {
                self.0.remove(&at);
            }
        }
    }
    pub(crate) fn earliest(&self) -> Option<Timestamp> {
        self.0.keys().next().copied()
    }
}

/// Sums over the rows of one source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) waiting: Sum,
    pub(crate) open: Sum,
    pub(crate) abandoned: Sum,
    /// Offered in the last 30 minutes, of queues that also tell the abandons.
    pub(crate) offered: Sum,
    /// Σ ratio × n and Σ n of the queues' 30-minute service level.
    pub(crate) level_in_time: f64,
    pub(crate) level_n: f64,
    /// Queues with people whose oldest wait is not known.
    pub(crate) waits_unknown: u32,
    /// Vendor's clock.
    pub(crate) oldest: Instants,
    pub(crate) agents: u32,
    pub(crate) presence_unknown: u32,
    pub(crate) online: u32,
    pub(crate) available: u32,
    /// Over agents online.
    pub(crate) capacity: Sum,
    /// Over agents online; nobody gives work to one who is away, so that one's free slots are none.
    pub(crate) free: Sum,
    pub(crate) agents_open: Sum,
    pub(crate) conversations_waiting: u32,
    pub(crate) conversations_active: u32,
    /// Waiting conversations; vendor's clock.
    pub(crate) conversations_oldest: Instants,
}

fn step(n: &mut u32, add: bool) {
    *n = if add { *n + 1 } else { n.saturating_sub(1) };
}

impl Tally {
    pub(crate) fn queue(&mut self, queue: &Queue, add: bool) {
        self.waiting.count(queue.waiting.map(f64::from), add);
        self.open.count(queue.open.map(f64::from), add);
        let abandoned = figure(&queue.windows, "abandoned", Window::M30);
        self.abandoned.count(abandoned.map(|f| f.0), add);
        if abandoned.is_some() {
            let offered = figure(&queue.windows, "offered", Window::M30);
            self.offered.count(offered.map(|f| f.0), add);
        }
        if let Some((ratio, Some(n))) = figure(&queue.windows, "service_level", Window::M30) {
            let sign = if add { 1.0 } else { -1.0 };
            self.level_in_time += sign * ratio * f64::from(n);
            self.level_n += sign * f64::from(n);
        }
        if queue.waiting != Some(0) {
            match queue.waiting_since {
                Some(since) => self.oldest.count(since, add),
                None if queue.waiting.is_some() => step(&mut self.waits_unknown, add),
                None => {}
            }
        }
    }

    pub(crate) fn agent(&mut self, agent: &Agent, add: bool) {
        step(&mut self.agents, add);
        if agent.presence == Presence::Unknown {
            step(&mut self.presence_unknown, add);
        }
        if agent.presence == Presence::Available {
            step(&mut self.available, add);
        }
        if agent.presence.is_online() {
            step(&mut self.online, add);
            self.capacity.count(agent.capacity.map(f64::from), add);
            let free = if agent.presence == Presence::Away { Some(0) } else { agent.free_capacity };
            self.free.count(free.map(f64::from), add);
            self.agents_open.count(agent.open.map(f64::from), add);
        }
    }

    /// Most messages move nothing that is counted here.
    pub(crate) fn conversation_moves(&mut self, old: &Conversation, new: &Conversation) {
        if (old.state, old.waiting_since) != (new.state, new.waiting_since) {
            self.conversation(old, false);
            self.conversation(new, true);
        }
    }

    pub(crate) fn conversation(&mut self, conversation: &Conversation, add: bool) {
        match conversation.state {
            ConversationState::Waiting => {
                step(&mut self.conversations_waiting, add);
                if let Some(since) = conversation.waiting_since {
                    self.conversations_oldest.count(since, add);
                }
            }
            ConversationState::Active => step(&mut self.conversations_active, add),
            ConversationState::Ended => {}
        }
    }
}

/// Value and sample size of a windowed figure; `None` when it is not there or has no value.
pub(crate) fn figure(windows: &[model::Figure], metric: &str, window: Window) -> Option<(f64, Option<u32>)> {
    let figure = windows.iter().find(|f| f.window == window && f.metric.as_str() == metric)?;
    figure.value.map(|value| (value, figure.n))
}
