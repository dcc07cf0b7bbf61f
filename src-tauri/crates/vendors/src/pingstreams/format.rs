//! What frames are expected to look like, so that what has drifted can be told.

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
    Field::of(&["_id", "id"], TEXT),
    Field::of(&["fullname"], TEXT),
    Field::of(&["name"], TEXT),
    Field::of(&["firstname"], TEXT),
    Field::of(&["lastname"], TEXT),
]);

const CONVERSATION: Shape = Shape::Fields(&[
    Field::of(&["request_id"], TEXT),
    Field::word(&["status"], &["50", "100", "150", "200", "300", "1000"]),
    Field::of(&["createdat"], INSTANT),
    Field::of(&["updatedat"], INSTANT),
    Field::of(&["assigned_at"], INSTANT),
    Field::of(&["first_response_at"], INSTANT),
    Field::of(&["closed_at"], INSTANT),
    Field::of(&["preflight"], Flag::SHAPE),
    Field::of(&["draft"], Flag::SHAPE),
    Field::of(&["participants"], List::<Text>::SHAPE),
    Field::of(&["participantsagents"], List::<Text>::SHAPE),
    Field::of(&["lead"], PARTY),
    Field::of(&["department"], PARTY),
    Field::of(&["channel"], PARTY),
    Field::of(&["subject"], TEXT),
    Field::of(&["priority"], TEXT),
]);
const MEMBER: Shape = Shape::Fields(&[
    Field::of(&["_id"], TEXT),
    Field::of(&["id_user"], PARTY),
    Field::word(&["status"], &["active", "disabled", "pending"]),
    Field::of(&["updatedat"], INSTANT),
    Field::of(&["user_available"], Flag::SHAPE),
    Field::of(&["number_assigned_requests"], Whole::SHAPE),
    Field::of(&["max_assigned_chat"], Whole::SHAPE),
    Field::of(&["isbusy"], Flag::SHAPE),
    Field::of(&["profilestatus"], TEXT),
    Field::of(&["trashed"], Flag::SHAPE),
    Field::of(&["role"], TEXT),
]);
const WORDS: Shape = Shape::Fields(&[
    Field::of(&["sender"], TEXT),
    Field::of(&["recipient"], TEXT),
    Field::of(&["createdat"], INSTANT),
]);

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
