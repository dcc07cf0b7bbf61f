//! What frames and lists are expected to look like, so that what has drifted can be told.

use super::topic::Topic;
use crate::{
    drift::{
        Field, Shape, Shaped,
        shape::{INSTANT, TEXT},
    },
    loose::{Flag, List, Text, Whole},
};

/// Somebody or something, by its id alone or as an object.
const PARTY: Shape = Shape::Fields(&[
    Field::of(&["_id", "id"], TEXT).sometimes(),
    Field::of(&["fullname"], TEXT).sometimes(),
    Field::of(&["name"], TEXT).sometimes(),
    Field::of(&["firstname"], TEXT).sometimes(),
    Field::of(&["lastname"], TEXT).sometimes(),
]);

const CONVERSATION: Shape = Shape::Fields(&[
    Field::of(&["request_id"], TEXT),
    Field::word(&["status"], &["50", "100", "150", "200", "300", "1000"]),
    Field::of(&["createdat"], INSTANT),
    Field::of(&["updatedat"], INSTANT),
    Field::of(&["assigned_at"], INSTANT).sometimes(),
    Field::of(&["first_response_at"], INSTANT).sometimes(),
    Field::of(&["closed_at"], INSTANT).sometimes(),
    Field::of(&["preflight"], Flag::SHAPE).sometimes(),
    Field::of(&["draft"], Flag::SHAPE).sometimes(),
    Field::of(&["participants"], List::<Text>::SHAPE),
    Field::of(&["participantsagents"], List::<Text>::SHAPE).sometimes(),
    Field::of(&["lead"], PARTY),
    Field::of(&["department"], PARTY),
    Field::of(&["channel"], PARTY),
    Field::of(&["subject"], TEXT).sometimes(),
    Field::of(&["priority"], TEXT).sometimes(),
]);
const MEMBER: Shape = Shape::Fields(&[
    Field::of(&["_id"], TEXT),
    Field::of(&["id_user"], PARTY),
    Field::word(&["status"], &["active", "disabled", "pending"]),
    Field::of(&["updatedat"], INSTANT),
    Field::of(&["user_available"], Flag::SHAPE),
    Field::of(&["number_assigned_requests"], Whole::SHAPE),
    Field::of(&["max_assigned_chat"], Whole::SHAPE).sometimes(),
    Field::of(&["isbusy"], Flag::SHAPE).sometimes(),
    Field::of(&["profilestatus"], TEXT).sometimes(),
    Field::of(&["trashed"], Flag::SHAPE).sometimes(),
    Field::of(&["role"], TEXT),
]);
const WORDS: Shape = Shape::Fields(&[
    Field::of(&["sender"], TEXT),
    Field::of(&["recipient"], TEXT),
    Field::of(&["createdat"], INSTANT),
]);

/// A list of members over REST.
pub(super) const MEMBERS: Shape = Shape::List(&MEMBER);
/// A page of conversations over REST.
pub(super) const PAGE: Shape = Shape::Object(&[
    Field::of(&["requests"], Shape::List(&CONVERSATION)),
    Field::of(&["count"], Whole::SHAPE).sometimes(),
    Field::of(&["perpage"], Whole::SHAPE).sometimes(),
]);
/// A list of departments over REST.
pub(super) const DEPARTMENTS: Shape = Shape::List(&Shape::Object(&[
    Field::of(&["_id"], TEXT),
    Field::of(&["name"], TEXT),
    Field::of(&["id_group"], TEXT).sometimes(),
    Field::of(&["groups"], Shape::List(&GROUP_SHARE)).sometimes(),
]));
const GROUP_SHARE: Shape = Shape::Object(&[Field::of(&["group_id"], TEXT)]);
/// A list of groups over REST.
pub(super) const GROUPS: Shape = Shape::List(&Shape::Object(&[
    Field::of(&["_id"], TEXT),
    Field::of(&["members"], List::<Text>::SHAPE),
    Field::of(&["enabled"], Flag::SHAPE).sometimes(),
]));
/// The project over REST.
pub(super) const PROJECT: Shape = Shape::Object(&[Field::of(
    &["settings"],
    Shape::Fields(&[Field::of(&["max_agent_assigned_chat"], Whole::SHAPE).sometimes()]),
)]);

macro_rules! frame {
    ($name:ident, $row:ident) => {
        const $name: Shape = {
            const ROWS: Shape = Shape::Many(&$row);
            const MESSAGE: &[Field] = &[Field::of(&["message"], ROWS)];
            const PAYLOAD: &[Field] = &[Field::of(&["payload"], Shape::Fields(MESSAGE))];
            Shape::Fields(PAYLOAD)
        };
    };
}
frame!(OF_CONVERSATIONS, CONVERSATION);
frame!(OF_MESSAGES, WORDS);
frame!(OF_MEMBERS, MEMBER);

/// What a frame of a topic looks like, and what the topic is called in notes.
pub(super) fn of(topic: &Topic) -> (&'static str, &'static Shape) {
    match topic {
        Topic::Requests => ("requests", &OF_CONVERSATIONS),
        Topic::Request(_) => ("request", &OF_CONVERSATIONS),
        Topic::Messages(_) => ("messages", &OF_MESSAGES),
        Topic::Member(_) => ("members", &OF_MEMBERS),
    }
}
