//! What LivePerson writes, in both of its JSON dialects: `@id` and `id`, numbers and texts, a lone element
//! without its list, and four ways to say "none".

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use super::values::STATES;
pub use super::values::{Anything, ById, ChatState, ClockMs, Many, Millis, When, Whole, instant};
use crate::loose::{self, Number, Seconds, Text, loose_struct};

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
        now_ms: ClockMs = "servercurrenttime",
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
        in_state_ms: Millis = "elapsedtimeinstate" | "@elapsedtimeinstate",
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
        longest_ms: Millis = "currentmaxwaittimeinqueue",
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
        average_wait_s: Seconds = "avgtimetoanswer",
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
        time: When = "time" | "@time",
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
        start: When = "starttime",
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

#[cfg(test)]
mod tests {
    use model::Timestamp;

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
        // Seconds would be a day of 1970; nobody guesses.
        for text in ["", "x", "Sep 22, 2016 4:10:15 PM", "ä+0", "1440947162"] {
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
