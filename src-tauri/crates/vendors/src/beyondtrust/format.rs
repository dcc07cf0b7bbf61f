//! What the feed is expected to look like, so that what has drifted can be told.

use crate::{
    drift::{
        Expected, Field, Shape, Shaped,
        shape::{Size, TEXT},
    },
    loose::{Flag, Number, Reference},
};

const ID: Shape = Reference::SHAPE;
/// Seconds since 1970; an instant told in milliseconds is understood, and noted.
const INSTANT: Shape = Shape::Value(Expected {
    what: "number",
    reads: |scalar| Number::from(scalar).0.is_some(),
    size: Size::Seconds,
});
const YES: Shape = Flag::SHAPE;

const QUEUE: Shape = Shape::Fields(&[
    Field::of(&["name"], TEXT),
    Field::of(&["code_name"], TEXT),
    Field::word(&["type"], &["team", "rep", "representative", "personal", "general"]),
    Field::of(&["support_team_id"], ID).sometimes(),
]);
const REPRESENTATIVE: Shape = Shape::Fields(&[
    Field::of(&["created_timestamp"], INSTANT),
    Field::of(&["user_id"], ID),
    Field::of(&["username"], TEXT),
    Field::of(&["public_display_name"], TEXT),
    Field::of(&["private_display_name"], TEXT).sometimes(),
    Field::of(&["queue_id"], ID).sometimes(),
    Field::of(&["routing_available"], YES),
    Field::of(&["routing_idle"], YES),
    Field::of(&["routing_busy"], YES),
    Field::of(&["routing_enabled"], YES),
]);
const LINK: Shape = Shape::Fields(&[
    Field::of(&["created_timestamp"], INSTANT),
    Field::of(&["representative_id"], ID),
    Field::of(&["queue_id"], ID),
    Field::of(&["support_session_id"], ID),
]);
const SESSION: Shape = Shape::Fields(&[
    Field::of(&["created_timestamp"], INSTANT),
    Field::of(&["lsid"], ID),
    Field::of(&["queue_id"], ID).sometimes(),
    Field::of(&["queue_entry_timestamp"], INSTANT).sometimes(),
    Field::of(&["estimated_pickup_timestamp"], INSTANT).sometimes(),
    Field::of(&["start_method"], TEXT),
    Field::of(&["priority"], TEXT).sometimes(),
    Field::of(&["customer_name"], TEXT).sometimes(),
    Field::of(&["customer_description"], TEXT).sometimes(),
]);
const CLIENT: Shape = Shape::Fields(&[
    Field::word(&["client_type"], &["web_chat", "desktop", "mobile", "rdp", "vnc", "shell", "vpro", "web"]),
    Field::of(&["support_session_id"], ID),
    Field::of(&["created_timestamp"], INSTANT),
]);

/// A line names the tables that it is about, and no other.
const TABLES: Shape = Shape::Fields(&[
    Field::of(&["queue"], Shape::ById(&QUEUE)).sometimes(),
    Field::of(&["representative"], Shape::ById(&REPRESENTATIVE)).sometimes(),
    Field::of(&["representative_queue"], Shape::ById(&LINK)).sometimes(),
    Field::of(&["representative_support_session"], Shape::ById(&LINK)).sometimes(),
    Field::of(&["support_session"], Shape::ById(&SESSION)).sometimes(),
    Field::of(&["customer_client"], Shape::ById(&CLIENT)).sometimes(),
]);

/// A line of the feed. Rows that are inserted are whole; one that is updated may tell only what has changed.
pub(super) const LINE: Shape =
    Shape::Fields(&[Field::of(&["insert"], TABLES), Field::of(&["update"], TABLES).in_parts()]);
