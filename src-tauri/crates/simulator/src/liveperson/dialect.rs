//! What two LivePerson accounts may differ in, and how each resource is written.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::floor::Dice;

/// How "none" is written where elements could stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// `null`
    Null,
    /// `""`
    Text,
    /// `{}`
    Object,
    /// The key is left out.
    Absent,
}

/// What becomes of a key in a batch that is not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// It is left out.
    Omitted,
    /// The whole batch gets 404.
    RefusesAll,
    /// An entry with an error.
    Entry,
    /// It is given like our own.
    Given,
}

/// How a refusal is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `oauth_problem=…` as plain text.
    Text,
    /// The same as a JSON text.
    JsonText,
    /// `{"error":{…}}`
    Json,
    /// Nothing.
    Empty,
}

/// What a login does to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takeover {
    /// Nothing.
    Never,
    /// Their bearer is refused.
    Refused,
    /// Their agent sessions are not there any more.
    Gone,
}

/// How the server behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Dialect {
    /// `@id` everywhere, `id` everywhere, or as each resource does.
    pub at: Option<bool>,
    /// Numbers as text everywhere, as numbers everywhere, or as each resource does.
    pub texts: Option<bool>,
    /// A lone element without its list everywhere, in its list everywhere, or as each resource does.
    pub lone: Option<bool>,
    /// "None".
    pub none: Nothing,
    /// `fromEventIds` gives the event named as well.
    pub inclusive: bool,
    /// Keys that are not ours.
    pub foreign: Foreign,
    /// Which of the floor's people our user is; `None`: a manager beside them who takes no chats.
    pub own: Option<usize>,
    /// A new session does not begin Online.
    pub begins_away: bool,
    /// Setting Away is answered and not done.
    pub ignores_away: bool,
    /// Setting Away is refused.
    pub refuses_away: bool,
    /// Offline agents carry `chats` as well.
    pub chats_always: bool,
    /// `skillId` stands in a chat's facts.
    pub skill_in_info: bool,
    /// `currentQueueState` instead of `currentQueueSize` in `queuehealth`.
    pub other_size_name: bool,
    /// Operational answers come in an envelope.
    pub envelope: bool,
    /// The operational host takes no bearer.
    pub operations_refuse: bool,
    /// 403 on the list of agents.
    pub agents_refused: bool,
    /// Requests of a session without its cookie are refused.
    pub strict_cookie: bool,
    /// What a login does to those before it.
    pub takes_over: Takeover,
    /// How a bad bearer is refused.
    pub refusal: Refusal,
    /// How long a login lives without a refresh.
    pub token_life: Duration,
    /// Operational figures are as old as this.
    pub figures_every: Duration,
    /// Names of services in the login's own map; without it hosts must be looked up.
    pub map_in_login: bool,
    /// So many requests at once, and no more.
    pub at_once: usize,
    /// The list of agents shows nobody.
    pub nobody_listed: bool,
    /// `serverCurrentTime` is this far ahead of every `Date`.
    pub clock_ahead: Duration,
    /// The login does not say which user it is.
    pub no_user_id: bool,
    /// A session's cookie comes with the first answer inside it, not with its creation.
    pub late_cookie: bool,
    /// A refresh gives another `Session_id`.
    pub rotates_cookie: bool,
    /// A new session is told by `Location` alone.
    pub only_location: bool,
    /// Many chats in one call are always refused.
    pub many_refused: bool,
    /// Many chats in one call leave an event out.
    pub skips: bool,
    /// What is over stays in the list of own chats.
    pub lists_ended: bool,
    /// Lists are `{}` when there is nothing, without their own name.
    pub bare_none: bool,
    /// The Chat Agent API is no longer offered.
    pub retired: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            at: None,
            texts: None,
            lone: None,
            none: Nothing::Null,
            inclusive: false,
            foreign: Foreign::Omitted,
            own: None,
            begins_away: false,
            ignores_away: false,
            refuses_away: false,
            chats_always: false,
            skill_in_info: false,
            other_size_name: false,
            envelope: false,
            operations_refuse: false,
            agents_refused: false,
            strict_cookie: true,
            takes_over: Takeover::Never,
            refusal: Refusal::Text,
            token_life: Duration::from_secs(28_800),
            figures_every: Duration::from_secs(10),
            map_in_login: true,
            at_once: 4,
            nobody_listed: false,
            clock_ahead: Duration::ZERO,
            no_user_id: false,
            late_cookie: false,
            rotates_cookie: false,
            only_location: false,
            many_refused: false,
            skips: false,
            lists_ended: false,
            bare_none: false,
            retired: false,
        }
    }
}

impl Dialect {
    /// A mix of those switches that change only how things are written: a client must end in the same
    /// state as with the reference.
    pub fn chaos(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x11_fe_be_25);
        let mut one = |n: usize| dice.below(n);
        let any = |n: usize| [None, Some(true), Some(false)][n];
        Self {
            at: any(one(3)),
            texts: any(one(3)),
            lone: any(one(3)),
            none: [Nothing::Null, Nothing::Text, Nothing::Object, Nothing::Absent][one(4)],
            inclusive: one(2) == 1,
            foreign: [Foreign::Omitted, Foreign::RefusesAll, Foreign::Entry][one(3)],
            begins_away: one(2) == 1,
            other_size_name: one(2) == 1,
            envelope: one(2) == 1,
            refusal: [Refusal::Text, Refusal::JsonText, Refusal::Json, Refusal::Empty][one(4)],
            map_in_login: one(2) == 1,
            no_user_id: one(2) == 1,
            late_cookie: one(2) == 1,
            rotates_cookie: one(2) == 1,
            only_location: one(2) == 1,
            many_refused: one(6) == 0,
            skips: one(2) == 1,
            lists_ended: one(2) == 1,
            bare_none: one(2) == 1,
            ..Self::default()
        }
    }

    /// How the resources that come from XML are written.
    pub(super) fn xml(&self) -> Style {
        Style {
            at: self.at.unwrap_or(true),
            texts: self.texts.unwrap_or(true),
            lone: self.lone.unwrap_or(true),
            none: self.none,
        }
    }
    /// How the newer resources are written.
    pub(super) fn plain(&self) -> Style {
        Style {
            at: self.at.unwrap_or(false),
            texts: self.texts.unwrap_or(false),
            lone: self.lone.unwrap_or(false),
            none: self.none,
        }
    }
}

/// How one answer is written.
#[derive(Clone, Copy)]
pub(super) struct Style {
    at: bool,
    texts: bool,
    lone: bool,
    none: Nothing,
}

impl Style {
    /// The name of what is an attribute in XML.
    pub fn name(&self, name: &str) -> String {
        if self.at { format!("@{name}") } else { name.to_owned() }
    }
    pub fn number(&self, n: i64) -> Value {
        if self.texts { json!(n.to_string()) } else { json!(n) }
    }
    /// Elements under a key of their own.
    pub fn put(&self, into: &mut Map<String, Value>, key: &str, mut elements: Vec<Value>) {
        let value = match elements.len() {
            0 => match self.none {
                Nothing::Null => Value::Null,
                Nothing::Text => json!(""),
                Nothing::Object => json!({}),
                Nothing::Absent => return,
            },
            1 if self.lone => elements.remove(0),
            _ => Value::Array(elements),
        };
        into.insert(key.to_owned(), value);
    }
    /// Elements in a container; the container itself is "none" when there are none.
    pub fn boxed(&self, into: &mut Map<String, Value>, outer: &str, inner: &str, elements: Vec<Value>) {
        if elements.is_empty() {
            return self.put(into, outer, elements);
        }
        let mut container = Map::new();
        self.put(&mut container, inner, elements);
        into.insert(outer.to_owned(), Value::Object(container));
    }
    pub fn link(&self, href: &str, rel: &str) -> Value {
        json!({ self.name("href"): href, self.name("rel"): rel })
    }
}
