//! What one frame means for the floor. No network, no clock.

use model::Timestamp;

use super::{floor::Floor, lax::Obj, map::Shape, topic::Topic, wire::Payload};

/// A list of messages holds at most so many, the oldest ones.
const MESSAGES: usize = 300;

/// What was heard.
pub(super) struct Heard {
    pub topic: Topic,
    /// Length of a list of conversations.
    pub list: Option<usize>,
    /// A conversation that a change told of without naming its customer: the detail topic knows more.
    pub poor: Option<String>,
}

/// Takes in a `publish`; `None` when it is not for us. `seen` is now in the vendor's clock, `count` the
/// number of this frame.
///
/// Any signed-in user, even of another project, can have a frame relayed to us, but never with a method:
/// requiring one is a full defence.
pub(super) fn hear(
    floor: &mut Floor,
    project: &str,
    payload: &Payload<impl AsRef<str>>,
    seen: Timestamp,
    count: u64,
) -> Option<Heard> {
    let method = payload.method.text().filter(|m| matches!(*m, "CREATE" | "UPDATE"))?;
    let topic = Topic::parse(payload.topic.text()?, project)?;
    let (mut list, mut poor) = (None, None);
    match (&topic, &payload.message) {
        (_, Obj::Scalar(_)) => return None,
        (Topic::Requests, Obj::List(rows)) => {
            for row in rows {
                floor.conversation(row, Shape::State, seen, count);
            }
            list = Some(rows.len());
        }
        (Topic::Requests, Obj::Is(row)) => {
            let shape = if method == "CREATE" { Shape::Born } else { Shape::Changed };
            floor.conversation(row, shape, seen, count);
            poor = row.request_id.text().filter(|id| floor.is_poor(id)).map(str::to_owned);
        }
        (Topic::Request(_), Obj::Is(row)) => floor.conversation(row, Shape::State, seen, count),
        // A full list holds the oldest: who spoke last is not in it.
        (Topic::Messages(_), Obj::List(rows)) if rows.len() >= MESSAGES => {}
        (Topic::Messages(id), Obj::List(rows)) => {
            for row in rows {
                floor.message(id, row);
            }
        }
        (Topic::Messages(id), Obj::Is(row)) => floor.message(id, row),
        (Topic::Member(user), Obj::Is(row)) => floor.member(row, Some(user)),
        // `null`: nothing is there, or nothing that we may see.
        _ => {}
    }
    Some(Heard { topic, list, poor })
}
