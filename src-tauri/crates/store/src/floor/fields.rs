//! One field of a row as bytes.
//!
//! Words of the model have fixed numbers here, so that reordering an enum of the model never changes the
//! meaning of what is on disk. A number that is not known is damage, never a guess.

use std::collections::BTreeMap;

use model::{
    AgentFlag, Channel, ConversationState, Figure, Health, Id, Origin, Outcome, Presence, QueueKind,
    SinceKind, StartedVia, Timestamp, Unit, Vendor, Window,
};

use super::bytes::{Dec, Enc, Torn};

/// How a field is written whole, and over its value before.
pub(crate) trait Field: Sized + PartialEq {
    fn put(&self, out: &mut Enc<'_>);
    fn get(from: &mut Dec<'_>) -> Result<Self, Torn>;
    /// Written over `old`; most fields are small enough to be written whole.
    fn put_over(&self, _old: &Self, out: &mut Enc<'_>) {
        self.put(out);
    }
    /// Read over the value before.
    fn patch(&mut self, from: &mut Dec<'_>) -> Result<(), Torn> {
        *self = Self::get(from)?;
        Ok(())
    }
}

impl Field for Id {
    fn put(&self, out: &mut Enc<'_>) {
        out.name(self);
    }
    fn get(from: &mut Dec<'_>) -> Result<Self, Torn> {
        from.name()
    }
}

impl Field for String {
    fn put(&self, out: &mut Enc<'_>) {
        out.str(self);
    }
    fn get(from: &mut Dec<'_>) -> Result<Self, Torn> {
        Ok(from.bytes.str()?.to_owned())
    }
}

impl Field for Timestamp {
    fn put(&self, out: &mut Enc<'_>) {
        out.instant(*self);
    }
    fn get(from: &mut Dec<'_>) -> Result<Self, Torn> {
        from.instant()
    }
}

impl Field for f64 {
    fn put(&self, out: &mut Enc<'_>) {
        out.float(*self);
    }
    fn get(from: &mut Dec<'_>) -> Result<Self, Torn> {
        from.float()
    }
}

impl Field for Option<u32> {
    fn put(&self, out: &mut Enc<'_>) {
        out.varint(self.map_or(0, |n| u64::from(n) + 1));
    }
    fn get(from: &mut Dec<'_>) -> Result<Self, Torn> {
        match from.bytes.varint()? {
            0 => Ok(None),
            n => u32::try_from(n - 1).map(Some).map_err(|_| Torn),
        }
    }
}

impl Field for Option<f64> {
    fn put(&self, out: &mut Enc<'_>) {
        match self {
            None => out.byte(0),
            // A float begins with 1 or 2, so that no further tag is needed.
            Some(value) => out.float(*value),
        }
    }
    fn get(from: &mut Dec<'_>) -> Result<Self, Torn> {
        match from.bytes.peek()? {
            0 => from.bytes.byte().map(|_| None),
            _ => from.float().map(Some),
        }
    }
}

macro_rules! tagged_options {
    ($($ty:ty),*) => {$(
        impl Field for Option<$ty> {
            fn put(&self, out: &mut Enc<'_>) {
                match self {
                    None => out.byte(0),
                    Some(value) => {
                        out.byte(1);
                        value.put(out);
                    }
                }
            }
            fn get(from: &mut Dec<'_>) -> Result<Self, Torn> {
                match from.bytes.byte()? {
                    0 => Ok(None),
                    1 => <$ty>::get(from).map(Some),
                    _ => Err(Torn),
                }
            }
        }
    )*};
}
tagged_options!(Id, String, Timestamp, Vec<Id>, Vec<String>, Vec<AgentFlag>);

/// So many items with as much room as they need: a list that grows while it is read takes more than it
/// holds, and a floor has one in every row. What a damaged count promises is not believed.
fn list<'a, T>(from: &mut Dec<'a>, get: impl Fn(&mut Dec<'a>) -> Result<T, Torn>) -> Result<Vec<T>, Torn> {
    let count = from.bytes.count()?;
    let mut items = Vec::with_capacity(count.min(64));
    for _ in 0..count {
        items.push(get(from)?);
    }
    Ok(items)
}

macro_rules! lists {
    ($($ty:ty),*) => {$(
        impl Field for Vec<$ty> {
            fn put(&self, out: &mut Enc<'_>) {
                out.varint(self.len() as u64);
                for item in self {
                    item.put(out);
                }
            }
            fn get(from: &mut Dec<'_>) -> Result<Self, Torn> {
                list(from, <$ty>::get)
            }
        }
    )*};
}
lists!(Id, String, AgentFlag);

/// A word of the model and its numbers, alone and optional (0 is "none", so numbers begin at 1).
macro_rules! word {
    ($ty:ident { $($word:ident = $n:literal),* $(,)? }) => {
        impl Field for $ty {
            fn put(&self, out: &mut Enc<'_>) {
                out.byte(match self { $($ty::$word => $n),* });
            }
            fn get(from: &mut Dec<'_>) -> Result<Self, Torn> {
                match from.bytes.byte()? { $($n => Ok($ty::$word),)* _ => Err(Torn) }
            }
        }
        impl Field for Option<$ty> {
            fn put(&self, out: &mut Enc<'_>) {
                match self { None => out.byte(0), Some(word) => word.put(out) }
            }
            fn get(from: &mut Dec<'_>) -> Result<Self, Torn> {
                match from.bytes.byte()? { 0 => Ok(None), $($n => Ok(Some($ty::$word)),)* _ => Err(Torn) }
            }
        }
    };
}
word!(QueueKind { Team = 1, Department = 2, Room = 3, Skill = 4, Project = 5, Personal = 6, Site = 7, Other = 8 });
word!(Presence { Available = 1, Busy = 2, Idle = 3, Away = 4, Offline = 5, Unknown = 6 });
word!(SinceKind { Reported = 1, Observed = 2, AtLeast = 3 });
word!(AgentFlag { Idle = 1, Busy = 2, NotAccepting = 3 });
word!(ConversationState { Waiting = 1, Active = 2, Ended = 3 });
word!(Channel {
    Chat = 1, Message = 2, Desktop = 3, Mobile = 4, Rdp = 5, Vnc = 6, Shell = 7, Vpro = 8, Web = 9, Other = 10
});
word!(StartedVia {
    SessionKey = 1, IssueForm = 2, AgentList = 3, ClickToChat = 4, Button = 5, Jump = 6, Api = 7, Invitation = 8,
    Other = 9
});
word!(Outcome { Handled = 1, Abandoned = 2, Missed = 3, SwitchedToMessage = 4, Unknown = 5 });
word!(Vendor { Beyondtrust = 1, Comm100 = 2, Giosg = 3, Liveperson = 4, Pingstreams = 5 });
word!(Health {
    Disabled = 1, Connecting = 2, Live = 3, Stale = 4, Retrying = 5, Throttled = 6, Denied = 7, Misconfigured = 8
});
word!(Origin { Reported = 1, Derived = 2, Observed = 3 });
word!(Window { Now = 1, M15 = 2, M30 = 3, M60 = 4, Today = 5 });
word!(Unit { Count = 1, Seconds = 2, Ratio = 3, Score = 4 });

impl Field for BTreeMap<String, Origin> {
    fn put(&self, out: &mut Enc<'_>) {
        out.varint(self.len() as u64);
        for (name, origin) in self {
            out.str(name);
            origin.put(out);
        }
    }
    fn get(from: &mut Dec<'_>) -> Result<Self, Torn> {
        let count = from.bytes.count()?;
        (0..count).map(|_| Ok((String::get(from)?, Origin::get(from)?))).collect()
    }
}

impl Field for Figure {
    fn put(&self, out: &mut Enc<'_>) {
        self.metric.put(out);
        self.window.put(out);
        self.value.put(out);
        self.unit.put(out);
        self.origin.put(out);
        self.n.put(out);
    }
    fn get(from: &mut Dec<'_>) -> Result<Self, Torn> {
        Ok(Figure {
            metric: Field::get(from)?,
            window: Field::get(from)?,
            value: Field::get(from)?,
            unit: Field::get(from)?,
            origin: Field::get(from)?,
            n: Field::get(from)?,
        })
    }
}

/// Whether only the numbers of two lists of figures can differ.
fn same_frame(a: &[Figure], b: &[Figure]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| {
            a.metric == b.metric && a.window == b.window && a.unit == b.unit && a.origin == b.origin
        })
}

impl Field for Vec<Figure> {
    fn put(&self, out: &mut Enc<'_>) {
        out.varint(self.len() as u64);
        for figure in self {
            figure.put(out);
        }
    }
    fn get(from: &mut Dec<'_>) -> Result<Self, Torn> {
        list(from, Figure::get)
    }
    /// Figures keep their places and change their numbers: only those are written.
    fn put_over(&self, old: &Self, out: &mut Enc<'_>) {
        if !same_frame(self, old) {
            out.byte(0);
            return self.put(out);
        }
        out.byte(1);
        let changed = |(new, old): &(&Figure, &Figure)| new.value != old.value || new.n != old.n;
        out.varint(self.iter().zip(old).filter(changed).count() as u64);
        for (place, (new, _)) in self.iter().zip(old).enumerate().filter(|(_, pair)| changed(pair)) {
            out.varint(place as u64);
            new.value.put(out);
            new.n.put(out);
        }
    }
    fn patch(&mut self, from: &mut Dec<'_>) -> Result<(), Torn> {
        match from.bytes.byte()? {
            0 => *self = Self::get(from)?,
            1 => {
                for _ in 0..from.bytes.count()? {
                    let place = usize::try_from(from.bytes.varint()?).map_err(|_| Torn)?;
                    let figure = self.as_mut_slice().get_mut(place).ok_or(Torn)?;
                    figure.value = Field::get(from)?;
                    figure.n = Field::get(from)?;
                }
            }
            _ => return Err(Torn),
        }
        Ok(())
    }
}
