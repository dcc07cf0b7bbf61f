//! What stands on giosg's wire, as it stands there.

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::drift::{Shape, Shaped};
use crate::loose::{
    Count, Flag, Key, List, Loose, Reference, Scalar, Seconds, Stamp, Text, Whole, loose_struct, nothing_but,
    one_more,
};

loose_struct! {
    /// A row of `realtime/rooms`.
    pub struct RoomRow {
        id: Reference = "room_id",
        name: Text = "room_name",
        open: Count = "currently_open_chats",
        free: Whole = "free_capacity",
        waiting: Count = "waiting_chats",
        average_wait: Seconds = "average_wait_time",
        max_wait: Seconds = "max_wait_time",
        missed: Count = "missed_chats",
        handled: Count = "real_chats",
        visitors: Count = "current_visitors",
        day_average_wait: Seconds = "daily_avg_chat_wait_time",
        day_max_wait: Seconds = "daily_max_chat_wait_time",
    }
}

loose_struct! {
    /// A row of `realtime/users`. The misspelt `is_logged_id` is the one that was seen.
    pub struct UserRow {
        id: Reference = "user_id",
        email: Text = "email",
        logged_in: Flag = "is_logged_id" | "is_logged_in" | "is_signed_in" | "is_present",
        online: Flag = "is_online",
        open: Count = "currently_open_chats",
        free: Whole = "free_capacity",
        rooms: List<UserRoom> = "rooms",
    }
}

loose_struct! {
    /// A room that a user serves.
    pub struct UserRoom {
        id: Reference = "room_id",
        room: NamedRoom = "room",
    }
}

loose_struct! {
    /// The same room inside it; may be absent.
    pub struct NamedRoom {
        id: Reference = "id",
    }
}

impl UserRoom {
    /// Whichever of the two ids is there.
    pub fn id(&self) -> Option<&str> {
        self.id.0.as_deref().or(self.room.id.0.as_deref())
    }
}

loose_struct! {
    /// `users/me`, of which only the organization is read.
    pub struct Me {
        id: Reference = "id",
        organization: Reference = "organization_id",
    }
}

loose_struct! {
    /// A person in the organization's list.
    pub struct Person {
        id: Reference = "id",
        email: Text = "email",
        alias: Text = "alias",
        full_name: Text = "full_name",
        online: Flag = "is_online",
        present: Flag = "is_present" | "is_signed_in",
        bot: Flag = "is_bot",
        deleted: Flag = "is_deleted",
        open: Count = "current_chat_count",
    }
}

loose_struct! {
    /// A room in the organization's list.
    pub struct Room {
        id: Reference = "id",
        display_name: Text = "display_name",
        name: Text = "name",
        shared: Flag = "is_shared",
        deleted: Flag = "is_deleted",
    }
}

loose_struct! {
    /// A chat that waits.
    pub struct WaitingChat {
        waiting: Flag = "is_waiting",
        ended: Flag = "is_ended",
        since: Stamp = "waiting_started_at",
        created: Stamp = "created_at",
    }
}

/// One page of a collection, under any of the pagers that giosg has documented.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The rows; `None` when there was no list at all.
    pub rows: Option<Vec<T>>,
    /// Where the next page is.
    pub next: Next,
    /// How many rows there are on all pages, where that is told.
    pub total: Option<u32>,
}

/// Where the next page is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Next {
    /// This was the last.
    #[default]
    None,
    /// At this address, whole or relative.
    At(String),
    /// The same address with this `page`.
    Number(u32),
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { rows: None, next: Next::None, total: None }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Page<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Envelope<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Envelope<T> {
            type Value = Page<T>;
            nothing_but!(Page::default());
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut rows = Vec::new();
                while let Some(row) = seq.next_element()? {
                    one_more(&mut rows, row)?;
                }
                Ok(Page { rows: Some(rows), ..Page::default() })
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut page = Page::default();
                let (mut next, mut url, mut number) = (None, None, None);
                while let Some(Key(key)) = map.next_key()? {
                    match key.as_str() {
                        "results" => {
                            let rows: List<T> = map.next_value()?;
                            if rows.is_known() {
                                page.rows = rows.0;
                            }
                        }
                        "count" => page.total = map.next_value::<Count>()?.0,
                        "next" => next = text(&map.next_value()?),
                        "next_page_url" => url = text(&map.next_value()?),
                        "next_page" => number = Count::from(&map.next_value::<Scalar>()?).0,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                page.next = match (next.or(url), number) {
                    (Some(address), _) => Next::At(address),
                    (None, Some(number)) => Next::Number(number),
                    (None, None) => Next::None,
                };
                Ok(page)
            }
        }
        deserializer.deserialize_any(Envelope(std::marker::PhantomData))
    }
}

impl<T: Shaped> Shaped for Page<T> {
    const SHAPE: Shape = Shape::Enveloped(&T::SHAPE, &["results"]);
}

/// Text that is text on the wire: a number is no address.
fn text(scalar: &Scalar) -> Option<String> {
    match scalar {
        Scalar::Text(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loose;

    #[test]
    fn d1_every_pager() {
        for (body, rows, next) in [
            (r#"{"results":[{}]}"#, Some(1), Next::None),
            (r#"{"next":null,"previous":null,"results":[]}"#, Some(0), Next::None),
            (r#"{"next":"","results":[]}"#, Some(0), Next::None),
            (
                r#"{"next":"https://a/b?cursor=1","results":[]}"#,
                Some(0),
                Next::At("https://a/b?cursor=1".into()),
            ),
            (
                r#"{"count":57,"next_page":2,"next_page_url":"/x?page=2","results":[]}"#,
                Some(0),
                Next::At("/x?page=2".into()),
            ),
            (r#"{"next_page":"2","results":[]}"#, Some(0), Next::Number(2)),
            (r#"{"next_page":null,"next_page_url":null,"results":[]}"#, Some(0), Next::None),
            (r#"[{},{}]"#, Some(2), Next::None),
            (r#"{"detail":"no"}"#, None, Next::None),
        ] {
            let page: Page<RoomRow> = loose::read(body.as_bytes()).unwrap();
            assert_eq!((page.rows.map(|rows| rows.len()), page.next), (rows, next), "{body}");
        }
    }

    #[test]
    fn the_misspelt_key_and_its_younger_names() {
        for key in ["is_logged_id", "is_logged_in", "is_signed_in", "is_present"] {
            let body = format!(r#"{{"user_id":1,"{key}":true}}"#);
            assert_eq!(loose::read::<UserRow>(body.as_bytes()).unwrap().logged_in.0, Some(true));
        }
    }
}
