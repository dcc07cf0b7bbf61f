//! The pure half of a connection, without the connection: frames in, changes out. What the ladder measures.

use std::borrow::Cow;

use model::{Change, Id, Timestamp};

use super::{floor::Floor, lax::Obj, map::Shape, topic::Topic, wire::Frame};

/// A floor fed with frames of `/P/requests`.
pub struct Feed {
    project: String,
    floor: Floor,
    count: u64,
}

impl Feed {
    /// An empty floor of a source.
    pub fn new(source: Id, project: &str) -> Self {
        Self { project: project.to_owned(), floor: Floor::new(source), count: 0 }
    }

    /// Takes one frame; gives what it changed. A frame that is no live change gives nothing.
    pub fn frame(&mut self, text: &str, seen: Timestamp) -> Vec<Change> {
        let Ok(Obj::Is(frame)) = serde_json::from_str::<Obj<Frame<Cow<'_, str>>>>(text) else {
            return Vec::new();
        };
        let Some(payload) = frame.payload.object() else { return Vec::new() };
        let shape = match payload.method.text() {
            Some("CREATE") => Shape::Born,
            Some("UPDATE") => Shape::Changed,
            _ => return Vec::new(),
        };
        let topic = payload.topic.text().and_then(|t| Topic::parse(t, &self.project));
        if let (Some(Topic::Requests), Obj::Is(row)) = (topic, &payload.message) {
            self.count += 1;
            self.floor.conversation(row, shape, seen, self.count);
        }
        self.floor.take(seen)
    }
}
