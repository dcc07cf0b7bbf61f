//! What earlier looks saw, and what is new against it.

use super::{
    Drift,
    look::{Seen, kind},
    shape::Shape,
};

/// Objects that must have had a field, all of them, before its absence means anything.
const STEADY: u32 = 3;
/// Spans that must have been seen before their size means anything.
const SPANS: u32 = 20;
/// A unit changes by a thousand or by sixty squared; a floor does not change that fast by itself.
const LEAP: f64 = 400.0;

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

/// Holds a look against the shape and against memory, and remembers it. `whole`: what was looked at is a
/// complete answer, so that what is not in it is gone.
pub(super) fn compare(shape: &Shape, seen: &Seen, memory: &mut Memory, whole: bool) -> Vec<Odd> {
    let mut odd = Vec::new();
    place(shape, "", seen, memory, whole, &mut odd);
    odd
}

fn place(shape: &Shape, path: &str, seen: &Seen, memory: &mut Memory, whole: bool, odd: &mut Vec<Odd>) {
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
    if seen.spans > 0 && memory.spans >= SPANS {
        if seen.least > memory.most * LEAP {
            say(Drift::Unit, seen.spans, Some("much larger than before".to_owned()));
        } else if seen.most * LEAP < memory.least {
            say(Drift::Unit, seen.spans, Some("much smaller than before".to_owned()));
        }
    }
    memory.learn(seen);

    match shape {
        Shape::Fields(fields) | Shape::Object(fields) if !seen.fields.is_empty() => {
            memory.fields.resize_with(fields.len(), Memory::default);
            for ((field, seen_field), before) in fields.iter().zip(&seen.fields).zip(&mut memory.fields) {
                let name = field.keys.first().copied().unwrap_or_default();
                let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                let steady = before.objects >= STEADY && before.filled >= before.objects;
                let gone = seen_field.filled == 0 && matches!(field.shape, Shape::Value(_));
                if whole && steady && gone {
                    // Not learnt: it goes on being missed until it is back.
                    odd.push(Odd { path, drift: Drift::Vanished, detail: None, count: seen.objects });
                    continue;
                }
                before.objects = before.objects.saturating_add(seen.objects);
                place(&field.shape, &path, seen_field, before, whole, odd);
            }
        }
        Shape::List(inner) | Shape::Many(inner) | Shape::ById(inner) | Shape::Enveloped(inner, _) => {
            if let Some(elements) = &seen.inner {
                place(inner, path, elements, memory.inner.get_or_insert_with(Box::default), whole, odd);
            }
        }
        _ => {}
    }
}

impl Memory {
    fn learn(&mut self, seen: &Seen) {
        self.types |= seen.types;
        self.looks = self.looks.saturating_add(1);
        self.filled = self.filled.saturating_add(seen.filled);
        if seen.spans > 0 {
            self.least = if self.spans == 0 { seen.least } else { self.least.min(seen.least) };
            self.most = self.most.max(seen.most);
            self.spans = self.spans.saturating_add(seen.spans);
        }
    }
}
