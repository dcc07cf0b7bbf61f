//! Rows as bytes: which fields, in which order. The order is the format; a field is only ever added at
//! the end, with a new number of the format.

use model::{Agent, Conversation, Queue, Source, Totals};

use super::{
    bytes::{Dec, Enc, Torn},
    fields::Field,
};

/// A row that can be written whole, or as what changed since the value before.
pub(crate) trait Record: Sized {
    fn put(&self, out: &mut Enc<'_>);
    fn get(from: &mut Dec<'_>) -> Result<Self, Torn>;
    /// One bit per field that differs.
    fn differs(&self, old: &Self) -> u64;
    /// The mask and the fields in it.
    fn put_over(&self, old: &Self, mask: u64, out: &mut Enc<'_>);
    fn patch(&mut self, from: &mut Dec<'_>) -> Result<(), Torn>;
}

macro_rules! record {
    ($ty:ident { key: $($key:ident),* ; $($field:ident),* $(,)? }) => {
        impl Record for $ty {
            fn put(&self, out: &mut Enc<'_>) {
                $(self.$key.put(out);)*
                $(self.$field.put(out);)*
            }
            fn get(from: &mut Dec<'_>) -> Result<Self, Torn> {
                Ok($ty { $($key: Field::get(from)?,)* $($field: Field::get(from)?,)* })
            }
            fn differs(&self, old: &Self) -> u64 {
                let (mut mask, mut bit) = (0u64, 1u64);
                $(if self.$field != old.$field { mask |= bit; } bit <<= 1;)*
                let _ = bit;
                mask
            }
            fn put_over(&self, old: &Self, mask: u64, out: &mut Enc<'_>) {
                out.varint(mask);
                let mut bit = 1u64;
                $(if mask & bit != 0 { self.$field.put_over(&old.$field, out); } bit <<= 1;)*
                let _ = bit;
            }
            fn patch(&mut self, from: &mut Dec<'_>) -> Result<(), Torn> {
                let mask = from.bytes.varint()?;
                let mut bit = 1u64;
                $(if mask & bit != 0 { self.$field.patch(from)?; } bit <<= 1;)*
                if mask >= bit { Err(Torn) } else { Ok(()) }
            }
        }
    };
}

// The fields that change most stand first, so that their masks take one byte.
record!(Queue {
    key: source, id;
    waiting, waiting_since, open, free_capacity, average_wait_s, expected_at, windows,
    agents_available, agents_online, capacity, name, kind,
});
record!(Agent {
    key: source, id;
    open, free_capacity, presence, presence_label, presence_since, presence_since_kind, flags,
    capacity, windows, logged_in_at, queues, name, email,
});
record!(Conversation {
    key: source, id;
    last_customer_message_at, last_agent_message_at, state, agents, answered_at, ended_at, outcome,
    queue, waiting_since, expected_at, tags, priority, subject, customer, channel, started_via,
    started_via_label, created_at,
});
record!(Totals { key: source; windows });
record!(Source {
    key: id;
    health, health_since, last_data_at, last_error, retry_at, clock_skew_s, gaps, name, vendor, provides,
});
