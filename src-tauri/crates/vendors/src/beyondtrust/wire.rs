//! Names on the wire, nowhere else. Only fields that are used are read; everything is optional, and an
//! update tells a field that is absent from one that is `null`.

use std::marker::PhantomData;

use model::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::loose::{Reference, Scalar, nothing_but};

/// Number of a row within its table, as text: ids arrive as numbers and as text.
pub(super) type RowId = String;

/// The tables that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Table {
    Queue,
    Representative,
    RepresentativeQueue,
    RepresentativeSession,
    Session,
    Client,
}

impl Table {
    pub const COUNT: usize = 6;

    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "queue" => Table::Queue,
            "representative" => Table::Representative,
            "representative_queue" => Table::RepresentativeQueue,
            "representative_support_session" => Table::RepresentativeSession,
            "support_session" => Table::Session,
            "customer_client" => Table::Client,
            // Attributes, skills and presentations tell nothing that is shown; others are not known.
            _ => return None,
        })
    }
}

/// The eight tables that every version has, for an appliance that does not take `all`.
pub(super) const OLD_TABLES: [&str; 8] = [
    "customer_client",
    "queue",
    "representative",
    "representative_queue",
    "representative_support_session",
    "support_session",
    "support_session_attribute",
    "support_session_skill",
];

macro_rules! row {
    ($($(#[$meta:meta])* $field:ident = $key:literal,)*) => {
        /// A row of any of the tables: each uses its own part of the fields.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub(super) struct Row {
            $($(#[$meta])* pub $field: Option<Scalar>,)*
        }
        impl Row {
            /// Takes over what a partial row says, and keeps the rest.
            pub fn merge(&mut self, part: Row) {
                $(if part.$field.is_some() {
                    self.$field = part.$field;
                })*
            }
        }
        impl<'de> Deserialize<'de> for Row {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields;
                impl<'de> Visitor<'de> for Fields {
                    type Value = Row;
                    nothing_but!(Row::default());
                    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Row, A::Error> {
                        while seq.next_element::<IgnoredAny>()?.is_some() {}
                        Ok(Row::default())
                    }
                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
                        let mut row = Row::default();
                        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
                            match key.as_ref() {
                                $($key => row.$field = Some(map.next_value()?),)*
                                _ => {
                                    map.next_value::<IgnoredAny>()?;
                                }
                            }
                        }
                        Ok(row)
                    }
                }
                deserializer.deserialize_any(Fields)
            }
        }
    };
}

row! {
    created = "created_timestamp",
    // queue
    name = "name",
    code_name = "code_name",
    kind = "type",
    team = "support_team_id",
    // representative
    user = "user_id",
    username = "username",
    public_name = "public_display_name",
    private_name = "private_display_name",
    queue = "queue_id",
    available = "routing_available",
    idle = "routing_idle",
    busy = "routing_busy",
    enabled = "routing_enabled",
    // links
    representative = "representative_id",
    session = "support_session_id",
    // session
    lsid = "lsid",
    entered = "queue_entry_timestamp",
    pickup = "estimated_pickup_timestamp",
    start_method = "start_method",
    priority = "priority",
    customer = "customer_name",
    description = "customer_description",
    // client
    client_type = "client_type",
}

/// Something of several tables, in the order of the line.
pub(super) type PerTable<T> = Vec<(Table, Vec<T>)>;

/// Rows by table; `None` when the part was not there at all.
#[derive(Debug, Default)]
pub(super) struct Rows(pub Option<PerTable<(RowId, Row)>>);

/// Row ids by table.
#[derive(Debug, Default)]
pub(super) struct Gone(pub Option<PerTable<RowId>>);

/// One line of the feed.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub kind: Option<String>,
    pub success: Option<bool>,
    /// The appliance's own words for a refusal. For telling refusals apart, not for people.
    pub complaint: Option<String>,
    /// When it was sent, in the appliance's clock.
    pub said_at: Option<Timestamp>,
    pub insert: Rows,
    pub update: Rows,
    pub delete: Gone,
}

impl Line {
    /// Whether it carries state, whatever its type is called.
    pub fn is_update(&self) -> bool {
        self.insert.0.is_some() || self.update.0.is_some() || self.delete.0.is_some()
    }
    /// Whether it empties the model.
    pub fn is_truncate(&self) -> bool {
        matches!(
            self.kind.as_deref(),
            Some("truncate_model" | "model_truncate" | "truncate" | "reset_model" | "model_reset")
        )
    }
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts;
        impl<'de> Visitor<'de> for Parts {
            type Value = Line;
            nothing_but!(Line::default());
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Line, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Line::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line, A::Error> {
                let mut line = Line::default();
                while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
                    match key.as_ref() {
                        "type" => line.kind = text(&map.next_value()?),
                        "success" => line.success = crate::loose::Flag::from(&map.next_value::<Scalar>()?).0,
                        "error_message" | "error" | "message" | "reason" => {
                            let words = text(&map.next_value()?);
                            line.complaint = line.complaint.take().or(words);
                        }
                        "timestamp" => {
                            line.said_at = super::map::instant(Some(&map.next_value::<Scalar>()?));
                        }
                        "insert" => line.insert = map.next_value()?,
                        "update" => line.update = map.next_value()?,
                        "delete" => line.delete = map.next_value()?,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(line)
            }
        }
        deserializer.deserialize_any(Parts)
    }
}

fn text(scalar: &Scalar) -> Option<String> {
    crate::loose::Text::from(scalar).0
}

/// An object keyed by something, in order; anything else is empty.
struct Keyed<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Keyed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Keyed<T>;
            nothing_but!(Keyed(Vec::new()));
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Keyed(Vec::new()))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry::<String, T>()? {
                    entries.push(entry);
                }
                Ok(Keyed(entries))
            }
        }
        deserializer.deserialize_any(Entries(PhantomData))
    }
}

/// A part: an object keyed by table. `None` when it is no object.
fn part<'de, D, T>(deserializer: D) -> Result<Option<Vec<(Table, T)>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Tables<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Tables<T> {
        type Value = Option<Vec<(Table, T)>>;
        nothing_but!(None);
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(None)
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut tables = Vec::new();
            while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
                match Table::parse(&name) {
                    Some(table) => tables.push((table, map.next_value()?)),
                    None => {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
            }
            Ok(Some(tables))
        }
    }
    deserializer.deserialize_any(Tables(PhantomData))
}

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tables: Option<Vec<(Table, Keyed<Row>)>> = part(deserializer)?;
        let named = |(id, row): (String, Row)| (row_id(&id), row);
        Ok(Self(tables.map(|tables| {
            tables.into_iter().map(|(table, rows)| (table, rows.0.into_iter().map(named).collect())).collect()
        })))
    }
}

impl<'de> Deserialize<'de> for Gone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// A list of ids, or an object keyed by them.
        struct Ids(Vec<RowId>);
        impl<'de> Deserialize<'de> for Ids {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Either;
                impl<'de> Visitor<'de> for Either {
                    type Value = Ids;
                    nothing_but!(Ids(Vec::new()));
                    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Ids, A::Error> {
                        let mut ids = Vec::new();
                        while let Some(id) = seq.next_element::<Reference>()? {
                            ids.extend(id.0.map(|id| row_id(&id)));
                        }
                        Ok(Ids(ids))
                    }
                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ids, A::Error> {
                        let mut ids = Vec::new();
                        while let Some((id, _)) = map.next_entry::<String, IgnoredAny>()? {
                            ids.push(row_id(&id));
                        }
                        Ok(Ids(ids))
                    }
                }
                deserializer.deserialize_any(Either)
            }
        }
        let tables: Option<Vec<(Table, Ids)>> = part(deserializer)?;
        Ok(Self(tables.map(|tables| tables.into_iter().map(|(table, ids)| (table, ids.0)).collect())))
    }
}

fn row_id(text: &str) -> RowId {
    text.trim().to_ascii_lowercase()
}

/// A reference to a row; zero and blank are none.
pub(super) fn reference(field: Option<&Scalar>) -> Option<RowId> {
    Reference::from(field?).0.filter(|id| id != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(json: &str) -> Line {
        crate::loose::read(json.as_bytes()).unwrap()
    }

    #[test]
    fn d1_d2_types_go_by_what_they_carry() {
        for kind in ["update_model", "model_update", "x"] {
            assert!(line(&format!(r#"{{"type":"{kind}","insert":{{}}}}"#)).is_update());
        }
        assert!(!line(r#"{"type":"update_model"}"#).is_update());
        for kind in ["truncate_model", "model_truncate", "truncate", "reset_model"] {
            assert!(line(&format!(r#"{{"type":"{kind}"}}"#)).is_truncate());
        }
    }

    #[test]
    fn d6_the_answer_is_its_success() {
        for (json, success) in [
            (r#"{"success":true}"#, Some(true)),
            (r#"{"type":"x","success":1}"#, Some(true)),
            (r#"{"success":"0","error":"no"}"#, Some(false)),
            (r#"{"success":null}"#, None),
        ] {
            assert_eq!(line(json).success, success, "{json}");
        }
        for key in ["error_message", "error", "message", "reason"] {
            assert_eq!(
                line(&format!(r#"{{"success":false,"{key}":"no"}}"#)).complaint.as_deref(),
                Some("no")
            );
        }
    }

    #[test]
    fn p6_odd_parts_and_rows_are_passed_over() {
        for json in [
            r#"{"insert":[],"update":3,"delete":"x"}"#,
            r#"{"insert":{"queue":[1]},"delete":{"queue":7}}"#,
            r#"{"insert":{"queue":{"1":null,"2":[],"3":{"name":{}}}}}"#,
            "[]",
            "3",
        ] {
            let rows = line(json).insert.0.into_iter().flatten();
            assert!(rows.flat_map(|(_, rows)| rows).all(|(_, row)| row.lsid.is_none()), "{json}");
        }
        assert!(reference(Some(&Scalar::Int(0))).is_none());
    }
}
