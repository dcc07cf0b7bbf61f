//! Words of the model as they stand in the tables: the same as in JSON.

use model::{AlertState, Overlay, Severity, SubjectKind, Transition};
use rusqlite::types::{FromSqlError, FromSqlResult, ValueRef};

/// A word that a column holds.
pub(crate) trait Word: Sized + Copy + 'static {
    const ALL: &'static [(Self, &'static str)];
    fn word(self) -> &'static str;
    fn read(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        Self::ALL.iter().find(|(_, w)| *w == text).map(|(t, _)| *t).ok_or(FromSqlError::InvalidType)
    }
}

macro_rules! words {
    ($ty:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        impl Word for $ty {
            const ALL: &'static [(Self, &'static str)] = &[$(($ty::$variant, $text)),*];
            fn word(self) -> &'static str {
                match self { $($ty::$variant => $text),* }
            }
        }
    };
}
words!(Severity { Warning = "warning", Critical = "critical" });
words!(AlertState {
    Inactive = "inactive", Pending = "pending", Firing = "firing", Acked = "acked", Recovering = "recovering"
});
words!(Overlay { Snoozed = "snoozed", Inhibited = "inhibited", Muted = "muted", Unknown = "unknown" });
words!(SubjectKind {
    Queue = "queue", Agent = "agent", Conversation = "conversation", Source = "source", Total = "total",
    Floor = "floor"
});
words!(Transition {
    Pending = "pending", Firing = "firing", Escalated = "escalated", Acked = "acked", Unacked = "unacked",
    Snoozed = "snoozed", Unsnoozed = "unsnoozed", Inhibited = "inhibited", Uninhibited = "uninhibited",
    Muted = "muted", Unmuted = "unmuted", Unknown = "unknown", Known = "known", Recovering = "recovering",
    Resolved = "resolved", Flapping = "flapping"
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_json() {
        fn same<T: Word + serde::Serialize>() {
            for (value, word) in T::ALL {
                assert_eq!(serde_json::to_string(value).unwrap(), format!("\"{word}\""));
            }
        }
        same::<Severity>();
        same::<AlertState>();
        same::<Overlay>();
        same::<SubjectKind>();
        same::<Transition>();
    }
}
