//! What the feed is expected to look like, so that what has drifted can be told.

use crate::{
    drift::{Field, Shape, Shaped, shape::TEXT},
    loose::{Flag, Number, Reference},
};

const ID: Shape = Reference::SHAPE;
const NUMBER: Shape = Number::SHAPE;
const YES: Shape = Flag::SHAPE;

const QUEUE: Shape = Shape::Fields(&[
    Field::of(&["name"], TEXT),
    Field::of(&["code_name"], TEXT),
    Field::word(&["type"], &["team", "rep", "representative", "personal", "general"]),
    Field::of(&["support_team_id"], ID),
]);
const REPRESENTATIVE: Shape = Shape::Fields(&[
    Field::of(&["created_timestamp"], NUMBER),
    Field::of(&["user_id"], ID),
    Field::of(&["username"], TEXT),
    Field::of(&["public_display_name"], TEXT),
    Field::of(&["private_display_name"], TEXT),
    Field::of(&["queue_id"], ID),
    Field::of(&["routing_available"], YES),
    Field::of(&["routing_idle"], YES),
    Field::of(&["routing_busy"], YES),
    Field::of(&["routing_enabled"], YES),
]);
const LINK: Shape = Shape::Fields(&[
    Field::of(&["created_timestamp"], NUMBER),
    Field::of(&["representative_id"], ID),
    Field::of(&["queue_id"], ID),
    Field::of(&["support_session_id"], ID),
]);
const SESSION: Shape = Shape::Fields(&[
    Field::of(&["created_timestamp"], NUMBER),
    Field::of(&["lsid"], ID),
    Field::of(&["queue_id"], ID),
    Field::of(&["queue_entry_timestamp"], NUMBER),
    Field::of(&["estimated_pickup_timestamp"], NUMBER),
    Field::of(&["start_method"], TEXT),
    Field::of(&["priority"], TEXT),
    Field::of(&["customer_name"], TEXT),
    Field::of(&["customer_description"], TEXT),
]);
const CLIENT: Shape = Shape::Fields(&[
    Field::word(&["client_type"], &["web_chat", "desktop", "mobile", "rdp", "vnc", "shell", "vpro", "web"]),
    Field::of(&["support_session_id"], ID),
    Field::of(&["created_timestamp"], NUMBER),
]);

const TABLES: Shape = Shape::Fields(&[
    Field::of(&["queue"], Shape::ById(&QUEUE)),
    Field::of(&["representative"], Shape::ById(&REPRESENTATIVE)),
    Field::of(&["representative_queue"], Shape::ById(&LINK)),
    Field::of(&["representative_support_session"], Shape::ById(&LINK)),
    Field::of(&["support_session"], Shape::ById(&SESSION)),
    Field::of(&["customer_client"], Shape::ById(&CLIENT)),
]);

/// A line of the feed. It carries what has changed, so that nothing in it is ever missed.
pub(super) const LINE: Shape =
    Shape::Fields(&[Field::of(&["insert"], TABLES), Field::of(&["update"], TABLES)]);
