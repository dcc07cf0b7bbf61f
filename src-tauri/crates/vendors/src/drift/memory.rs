//! What earlier looks saw, and what is new against it.

use super::{
    Drift, Telling,
    look::{Seen, kind},
    shape::{Field, Kept, Shape, Size},
};

/// Objects that must have had a field, all of them, before its absence means anything.
const STEADY: u32 = 3;
/// The same where rows come one by one, and how many of those must be without it.
const STEADY_ROWS: u32 = 10;
/// Spans that must have been seen before their size means anything.
const SPANS: u32 = 20;
/// A unit changes by a thousand or by sixty squared; a floor does not change that fast by itself.
const LEAP: f64 = 400.0;
/// Looks in a row that must find spans much smaller: all of them begin anew where a queue has run empty.
const PATIENCE: u32 = 12;

/// Memory of one place of a shape.
#[derive(Debug, Default)]
pub(super) struct Memory {
    types: u8,
    looks: u32,
    /// How often the place was filled, and how many objects it could have been in.
    filled: u32,
    objects: u32,
    least: f64,
    most: f64,
    spans: u32,
    /// Looks in a row whose spans were much smaller.
    small: u32,
    /// Objects in a row that were without it.
    missed: u32,
    fields: Vec<Memory>,
    inner: Option<Box<Memory>>,
}

/// Something that is not as it should be, or not as it was.
pub(super) struct Odd {
    pub path: String,
    pub drift: Drift,
    pub detail: Option<String>,
    pub count: u32,
}

/// Holds a look against the shape and against memory, and remembers it.
pub(super) fn compare(shape: &Shape, seen: &Seen, memory: &mut Memory, telling: Telling) -> Vec<Odd> {
    let mut odd = Vec::new();
    place(shape, "", seen, memory, telling, &mut odd);
    odd
}

fn place(shape: &Shape, path: &str, seen: &Seen, memory: &mut Memory, telling: Telling, odd: &mut Vec<Odd>) {
    let mut say = |drift, count, detail| odd.push(Odd { path: path.to_owned(), drift, detail, count });
    let new_types = seen.types & !memory.types;
    if seen.wrong > 0 {
        let expected = match shape {
            Shape::Value(expected) => expected.what,
            Shape::List(_) | Shape::Many(_) | Shape::Enveloped(..) => "list",
            _ => "object",
        };
        say(
            Drift::Type,
            seen.wrong,
            Some(format!("{} in place of {expected}", kind::name(seen.wrong_types))),
        );
    } else if matches!(shape, Shape::Value(_)) && memory.types != 0 && new_types != 0 {
        let text = format!("{}, before {}", kind::name(new_types), kind::name(memory.types));
        say(Drift::Type, 1, Some(text));
    }
    if seen.odd > 0 {
        say(Drift::Word, seen.odd, seen.odd_word.clone());
    }
    if seen.off > 0 {
        say(Drift::Unit, seen.off, Some(seen.off_unit.to_owned()));
    } else if let Shape::Value(expected) = shape
        && let Some(what) = memory.size(seen, expected.size)
    {
        say(Drift::Unit, seen.spans, Some(what.to_owned()));
    }
    memory.learn(seen);

    match shape {
        Shape::Fields(fields) | Shape::Object(fields) if !seen.fields.is_empty() => {
            memory.fields.resize_with(fields.len(), Memory::default);
            for ((field, seen_field), before) in fields.iter().zip(&seen.fields).zip(&mut memory.fields) {
                let name = field.keys.first().copied().unwrap_or_default();
                let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                match before.misses(field, seen_field, seen.objects, telling) {
                    // Not learnt: it goes on being missed until it is back.
                    Missed::Yes => {
                        odd.push(Odd { path, drift: Drift::Vanished, detail: None, count: seen.objects });
                        continue;
                    }
                    Missed::Perhaps => continue,
                    Missed::No => {}
                }
                before.objects = before.objects.saturating_add(seen.objects);
                let telling = if field.kept == Kept::InParts { Telling::Parts } else { telling };
                place(&field.shape, &path, seen_field, before, telling, odd);
            }
        }
        Shape::List(inner) | Shape::Many(inner) | Shape::ById(inner) | Shape::Enveloped(inner, _) => {
            if let Some(elements) = &seen.inner {
                place(inner, path, elements, memory.inner.get_or_insert_with(Box::default), telling, odd);
            }
        }
        _ => {}
    }
}

/// Whether a field is missed.
enum Missed {
    Yes,
    /// It is not there, and that may yet come to something.
    Perhaps,
    No,
}

impl Memory {
    /// Whether a field that every object had is in none of so many new ones.
    fn misses(&mut self, field: &Field, seen: &Seen, objects: u32, telling: Telling) -> Missed {
        let enough = match telling {
            Telling::All => STEADY,
            Telling::Rows => STEADY_ROWS,
            Telling::Parts => return Missed::No,
        };
        if seen.filled > 0 {
            // What is away for a while and comes back is no field that every object has.
            self.objects = self.objects.saturating_add(std::mem::take(&mut self.missed));
            return Missed::No;
        }
        let can = field.kept == Kept::Always
            && matches!(field.shape, Shape::Value(_) | Shape::List(_) | Shape::ById(_));
        if !can || self.objects < enough || self.filled < self.objects {
            return Missed::No;
        }
        if telling == Telling::Rows && self.missed.saturating_add(objects) < STEADY_ROWS {
            self.missed += objects;
            return Missed::Perhaps;
        }
        Missed::Yes
    }

    /// What the sizes seen say about their unit; learns them.
    fn size(&mut self, seen: &Seen, size: Size) -> Option<&'static str> {
        if seen.spans == 0 {
            return None;
        }
        let (is_larger, is_smaller) = match size {
            Size::Share => (seen.least > 1.0 && self.most <= 1.0, seen.most < 1.0 && self.least > 1.0),
            _ => (seen.least > self.most * LEAP, seen.most * LEAP < self.least),
        };
        let known = self.spans >= SPANS;
        if known && is_smaller {
            self.small += 1;
            if self.small < PATIENCE {
                return None;
            }
        }
        self.small = 0;
        self.least = if self.spans == 0 { seen.least } else { self.least.min(seen.least) };
        self.most = self.most.max(seen.most);
        self.spans = self.spans.saturating_add(seen.spans);
        match (known, size) {
            (true, Size::Share) if is_larger => Some("percentages, before fractions"),
            (true, Size::Share) if is_smaller => Some("fractions, before percentages"),
            (true, _) if is_larger => Some("much larger than before"),
            (true, _) if is_smaller => Some("much smaller than before"),
            _ => None,
        }
    }

    fn learn(&mut self, seen: &Seen) {
        self.types |= seen.types;
        self.looks = self.looks.saturating_add(1);
        self.filled = self.filled.saturating_add(seen.filled);
    }
}
