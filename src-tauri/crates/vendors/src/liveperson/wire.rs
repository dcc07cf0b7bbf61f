//! What LivePerson writes, in both of its JSON dialects: `@id` and `id`, numbers and texts, a lone element
//! without its list, and four ways to say "none".

use std::{collections::BTreeMap, marker::PhantomData};

use model::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use crate::drift::{Shape, Shaped};
use crate::loose::{self, Loose, Number, Scalar, Text, loose_struct};

/// Any number of elements: a list, a lone one, or none (`null`, `""`, `{}`, absent).
#[derive(Clone, Debug, PartialEq)]
pub struct Many<T>(pub Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Loose for Many<T> {
    fn is_known(&self) -> bool {
        !self.0.is_empty()
    }
}

impl<'de, T: Deserialize<'de> + Loose> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<T>(PhantomData<T>);
        fn lone<T: Loose>(element: T) -> Many<T> {
            Many(if element.is_known() { vec![element] } else { Vec::new() })
        }
        impl<'de, T: Deserialize<'de> + Loose> Visitor<'de> for Elements<T> {
            type Value = Many<T>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("elements")
            }
            fn visit_unit<E>(self) -> Result<Many<T>, E> {
                Ok(Many::default())
            }
            fn visit_bool<E>(self, _: bool) -> Result<Many<T>, E> {
                Ok(Many::default())
            }
            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Many<T>, E> {
                T::deserialize(value.into_deserializer()).map(lone)
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Many<T>, E> {
                T::deserialize(value.into_deserializer()).map(lone)
            }
            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Many<T>, E> {
                T::deserialize(value.into_deserializer()).map(lone)
            }
            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Many<T>, E> {
                T::deserialize(value.into_deserializer()).map(lone)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Many<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(lone)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Many<T>, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = seq.next_element::<T>()? {
                    if element.is_known() {
                        elements.push(element);
                    }
                }
                Ok(Many(elements))
            }
        }
        deserializer.deserialize_any(Elements(PhantomData))
    }
}

impl<T: Shaped> Shaped for Many<T> {
    const SHAPE: Shape = Shape::Many(&T::SHAPE);
}

/// A map from ids; `None` when it is absent or no map.
#[derive(Clone, Debug, PartialEq)]
pub struct ById<T>(pub Option<BTreeMap<String, T>>);

impl<T> Default for ById<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Loose for ById<T> {
    fn is_known(&self) -> bool {
        self.0.is_some()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ById<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = ById<T>;
            crate::loose::nothing_but!(ById(None));
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ById<T>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(ById(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ById<T>, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some((id, entry)) = map.next_entry::<String, T>()? {
                    entries.insert(id, entry);
                }
                Ok(ById(Some(entries)))
            }
        }
        deserializer.deserialize_any(Entries(PhantomData))
    }
}

impl<T: Shaped> Shaped for ById<T> {
    const SHAPE: Shape = Shape::ById(&T::SHAPE);
}

/// A whole number with a sign: what −1 means differs from field to field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Whole(pub Option<i64>);

impl Loose for Whole {
    fn is_known(&self) -> bool {
        self.0.is_some()
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Scalar::deserialize(deserializer)? {
            Scalar::Int(value) => i64::try_from(value).ok(),
            Scalar::Float(value) if value.fract() == 0.0 && value.abs() < 9.0e15 => Some(value as i64),
            Scalar::Text(text) => {
                let text = text.trim();
                text.parse().ok().or_else(|| {
                    let value: f64 = text.parse().ok()?;
                    (value.fract() == 0.0 && value.abs() < 9.0e15).then_some(value as i64)
                })
            }
            _ => None,
        }))
    }
}

impl Shaped for Whole {
    const SHAPE: Shape = crate::loose::Whole::SHAPE;
}

impl Whole {
    /// As a count: what is negative is no data.
    pub fn count(self) -> Option<u32> {
        u32::try_from(self.0?).ok()
    }
}

loose_struct! {
    pub struct Link {
        href: Text = "href" | "@href",
    }
}
loose_struct! {
    pub struct Location {
        link: Many<Link> = "link",
    }
}
loose_struct! {
    pub struct SessionCreated {
        location: Location = "agentsessionlocation",
        /// Without its box.
        link: Many<Link> = "link",
    }
}
impl SessionCreated {
    /// Where the session is.
    pub fn href(&self) -> Option<String> {
        self.location.link.0.iter().chain(&self.link.0).find_map(|link| link.href.0.clone())
    }
}
loose_struct! {
    pub struct BaseUri {
        service: Text = "service",
        host: Text = "baseuri",
    }
}
loose_struct! {
    pub struct BaseUris {
        all: Many<BaseUri> = "baseuris",
    }
}
loose_struct! {
    pub struct LoginConfig {
        user: Text = "userid",
        now_ms: Number = "servercurrenttime",
    }
}
loose_struct! {
    pub struct LoginAnswer {
        bearer: Text = "bearer",
        csrf: Text = "csrf",
        session: Text = "sessionid",
        lives_ms: Number = "sessionttl",
        config: LoginConfig = "config",
        domains: BaseUris = "csdscollectionresponse",
    }
}
loose_struct! {
    pub struct Availability {
        chat: Text = "chat" | "@chat",
    }
}
loose_struct! {
    pub struct AvailabilityAnswer {
        availability: Availability = "availability",
        /// Without its box.
        chat: Text = "chat" | "@chat",
    }
}
impl AvailabilityAnswer {
    /// The vendor's word for whether our user takes chats.
    pub fn word(self) -> Option<String> {
        self.availability.chat.0.or(self.chat.0)
    }
}

loose_struct! {
    pub struct SkillIds {
        ids: Many<Text> = "skill",
    }
}
loose_struct! {
    pub struct NamedSkill {
        id: Text = "id" | "@id",
        name: Text = "name" | "@name",
        deleted: crate::loose::Flag = "deleted",
    }
}
loose_struct! {
    /// A list of skills that does not stand alone.
    pub struct SkillList {
        skills: loose::List<NamedSkill> = "skills" | "items" | "skill",
    }
}
loose_struct! {
    pub struct SkillsInfo {
        skills: Many<NamedSkill> = "skillinfo",
    }
}
/// Every state of an agent that is understood, as a number and as the words that other parts of the
/// vendor use for it.
const STATES: &[&str] =
    &["1", "2", "3", "4", "offline", "online", "occupied", "back soon", "back_soon", "back in 5", "away"];

/// An agent's state: a number in the list of agents, a word elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ChatState {
    /// Not told.
    #[default]
    Unknown,
    /// Signed out.
    Offline,
    /// Takes chats.
    Online,
    /// Takes only chats that are handed over.
    Occupied,
    /// Will be back; the word of the newer parts for a short absence.
    BackSoon,
    /// Takes none.
    Away,
    /// Something else, as it was said.
    Other(String),
}

impl Loose for ChatState {
    fn is_known(&self) -> bool {
        *self != Self::Unknown
    }
}

impl Shaped for ChatState {
    const SHAPE: Shape = Shape::Value(crate::drift::shape::WORD);
}

impl<'de> Deserialize<'de> for ChatState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Scalar::deserialize(deserializer)? {
            Scalar::Int(n) => n.to_string(),
            Scalar::Float(n) if n.fract() == 0.0 => format!("{n:.0}"),
            Scalar::Text(text) => text.trim().to_owned(),
            _ => return Ok(Self::Unknown),
        };
        Ok(match text.to_ascii_lowercase().as_str() {
            "" => Self::Unknown,
            "1" | "offline" => Self::Offline,
            "2" | "online" => Self::Online,
            "3" | "occupied" => Self::Occupied,
            "4" | "away" => Self::Away,
            "back soon" | "back_soon" | "back in 5" => Self::BackSoon,
            _ => Self::Other(text),
        })
    }
}

/// Whether something stands there, whatever it is: only its presence is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Anything(pub bool);

impl Loose for Anything {
    fn is_known(&self) -> bool {
        self.0
    }
}

impl Shaped for Anything {
    const SHAPE: Shape = Shape::Any;
}

impl<'de> Deserialize<'de> for Anything {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(!serde_json::Value::deserialize(deserializer)?.is_null()))
    }
}

loose_struct! {
    pub struct AgentRow {
        id: Text = "id" | "@id",
        state: ChatState = "chatstate" | "@chatstate" in STATES,
        most: Whole = "maxchats" | "@maxchats",
        user: Text = "username" | "@username",
        nickname: Text = "nickname" | "@nickname",
        email: Text = "email" | "@email",
        skills: SkillIds = "skills",
        info: SkillsInfo = "skillsinfo",
        chats: Whole = "chats" | "@chats",
        in_state_ms: Whole = "elapsedtimeinstate" | "@elapsedtimeinstate",
    }
}
impl AgentRow {
    /// Whether this is our own user: by the id that the login told, else by the name of the user.
    pub fn is_own(&self, own: Option<&str>, user: &str) -> bool {
        let same_id = self.id.0.is_some() && self.id.0.as_deref() == own;
        same_id || self.user.0.as_deref().is_some_and(|name| name.trim().eq_ignore_ascii_case(user))
    }
}
loose_struct! {
    pub struct AgentList {
        agents: Many<AgentRow> = "agent",
    }
}
loose_struct! {
    pub struct AgentsBox {
        list: AgentList = "agents",
        failure: Anything = "error",
    }
}
loose_struct! {
    pub struct AgentsAnswer {
        available: AgentsBox = "availableagents",
        failure: Anything = "error",
    }
}

loose_struct! {
    pub struct SkillState {
        slots: Whole = "currentavailableslots",
        size: Whole = "currentqueuesize" | "currentqueuestate",
        longest_ms: Whole = "currentmaxwaittimeinqueue",
    }
}
loose_struct! {
    pub struct QueueState {
        skills: ById<SkillState> = "skills",
        totals: SkillState = "totals",
    }
}
loose_struct! {
    pub struct HealthRow {
        entered: Whole = "enteredqeng",
        connected: Whole = "connectedeng",
        abandoned: Whole = "abandonedeng",
        average_wait_s: Number = "avgtimetoanswer",
    }
}
loose_struct! {
    pub struct QueueHealth {
        skills: ById<HealthRow> = "skillsmetrics",
        totals: HealthRow = "metricstotals",
    }
}

loose_struct! {
    pub struct OwnChat {
        key: Text = "chatsessionkey" | "@chatsessionkey",
        link: Many<Link> = "link",
    }
}
loose_struct! {
    pub struct OwnChatList {
        chats: Many<OwnChat> = "chatsession",
    }
}
loose_struct! {
    pub struct OwnChats {
        list: OwnChatList = "chatsessions",
        failure: Anything = "error",
    }
}

/// The keys in a list of own chats; `None` when the body is no such list. An empty object is none.
pub fn own_keys(body: &[u8]) -> Option<Vec<String>> {
    let list: OwnChats = loose::read(body).ok()?;
    let is_list = list.seen > 0 && !list.failure.0;
    if !is_list && !is_empty_object(body) {
        return None;
    }
    let mut keys: Vec<String> = list.list.chats.0.iter().filter_map(|c| key_of(&c.key, &c.link)).collect();
    keys.retain(|key| key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    keys.sort();
    keys.dedup();
    Some(keys)
}

/// Nothing, in the way in which some of the vendor's mappers write it.
pub fn is_empty_object(body: &[u8]) -> bool {
    serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(body).is_ok_and(|object| object.is_empty())
}

loose_struct! {
    pub struct EventRow {
        id: Whole = "id" | "@id",
        kind: Text = "type" | "@type",
        time: Text = "time" | "@time",
        state: Text = "state" | "@state",
        source: Text = "source" | "@source",
        by: Text = "by" | "@by",
        kind_of_line: Text = "subtype" | "@subtype",
    }
}
impl EventRow {
    /// A line that agents alone can see.
    pub fn is_whisper(&self) -> bool {
        self.kind_of_line.0.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("ONLY_TO_REP"))
    }
}
loose_struct! {
    pub struct Events {
        list: Many<EventRow> = "event",
    }
}
loose_struct! {
    pub struct Info {
        state: Text = "state" in &["waiting", "chatting", "ended"],
        key: Text = "chatsessionkey",
        agent: Text = "agentid",
        start: Text = "starttime",
        visitor: Text = "visitorname",
        skill: Text = "skillid",
    }
}
loose_struct! {
    pub struct ChatRow {
        link: Many<Link> = "link",
        events: Events = "events",
        info: Info = "info",
        failure: Anything = "error",
    }
}
loose_struct! {
    pub struct ChatList {
        chats: Many<ChatRow> = "chat",
        failure: Anything = "error",
    }
}
loose_struct! {
    pub struct ManyChats {
        list: ChatList = "chats",
        /// One chat, or an error that came with a good status.
        lone: ChatRow = "chat",
        failure: Anything = "error",
    }
}
loose_struct! {
    pub struct EventsAnswer {
        events: Events = "events",
    }
}
loose_struct! {
    pub struct InfoAnswer {
        info: Info = "info",
    }
}

loose_struct! {
    pub struct Meta {
        code: Whole = "responsecode",
    }
}

/// A chat's key: what it says of itself, else the tail of its own address.
pub fn key_of(said: &Text, links: &Many<Link>) -> Option<String> {
    said.0.clone().or_else(|| {
        let href = links.0.iter().find_map(|link| link.href.0.as_deref())?;
        let path = href.split(['?', '#']).next()?;
        let tail = path.split("/chat/").nth(1)?.split('/').next()?;
        (!tail.is_empty()).then(|| tail.to_owned())
    })
}

/// An instant: RFC 3339 with or without a fraction, `+0300` as well as `+03:00`, or milliseconds.
pub fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(ms) = text.parse::<i64>() {
        return Some(Timestamp::from_ms(ms));
    }
    if let Ok(at) = text.replacen(' ', "T", 1).parse() {
        return Some(at);
    }
    let (head, zone) = text.split_at_checked(text.len().checked_sub(5)?)?;
    let hours = zone.get(..3)?;
    format!("{}{hours}:{}", head.replacen(' ', "T", 1), zone.get(3..)?).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skills(json: &str) -> Vec<String> {
        let row: AgentRow = loose::read(json.as_bytes()).unwrap();
        row.skills.ids.0.into_iter().filter_map(|t| t.0).collect()
    }

    #[test]
    fn one_many_and_four_ways_of_none() {
        assert_eq!(skills(r#"{"@id":"1","skills":{"skill":["7","8"]}}"#), ["7", "8"]);
        assert_eq!(skills(r#"{"id":1,"skills":{"skill":"7"}}"#), ["7"]);
        assert_eq!(skills(r#"{"id":1,"skills":{"skill":7}}"#), ["7"]);
        for none in
            [r#""skills":null"#, r#""skills":"""#, r#""skills":{}"#, r#""x":0"#, r#""skills":{"skill":null}"#]
        {
            assert!(skills(&format!("{{\"id\":1,{none}}}")).is_empty(), "{none}");
        }
    }

    #[test]
    fn events_lone_or_listed_with_and_without_the_sign() {
        for json in [
            r#"{"events":{"event":{"@id":"4","@type":"state","state":"ended"}}}"#,
            r#"{"events":{"event":[{"id":4,"type":"state","state":"ended"}]}}"#,
        ] {
            let answer: EventsAnswer = loose::read(json.as_bytes()).unwrap();
            assert_eq!(answer.events.list.0[0].id.0, Some(4));
            assert_eq!(answer.events.list.0[0].kind.0.as_deref(), Some("state"));
        }
    }

    #[test]
    fn instants_of_every_shape() {
        let same = Timestamp::from_ms(1_440_947_162_001);
        for text in [
            "2015-08-30T18:06:02.001+03:00",
            "2015-08-30T18:06:02.001+0300",
            "2015-08-30 15:06:02.001+0000",
            "1440947162001",
        ] {
            assert_eq!(instant(text), Some(same), "{text}");
        }
        assert_eq!(instant("2015-08-30T18:06:02+03:00"), Some(Timestamp::from_ms(1_440_947_162_000)));
        for text in ["", "x", "Sep 22, 2016 4:10:15 PM", "ä+0"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_is_found_in_the_address_when_it_is_not_said() {
        let row: ChatRow = loose::read(
            br#"{"link":[{"href":"https://h/api/account/1/agentSession/2/chat/H1-2K3/events?from=4","rel":"next"}]}"#,
        )
        .unwrap();
        assert_eq!(key_of(&row.info.key, &row.link).as_deref(), Some("H1-2K3"));
    }
}
