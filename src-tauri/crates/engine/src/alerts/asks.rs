//! What rules read of a target: each figure once, however many rules read it, and what of it has changed.

use model::{Key, SubjectKind, Timestamp};

use super::{Ask, Called, Facts, Reading, metrics::Measure, rule::Rule};

/// A set of figures of one kind of target, by their places in [`Asks`]. Figures from the 64th on share
/// the last bit: when one of them changes, the others count as changed too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks(u64);

impl Marks {
    pub const ALL: Marks = Marks(u64::MAX);

    fn add(&mut self, place: usize) {
        self.0 |= 1 << place.min(63);
    }
    /// Whether a figure is in both.
    pub fn meets(self, other: Marks) -> bool {
        self.0 & other.0 != 0
    }
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// What reads differently than before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    pub changed: Marks,
    /// Of these, what moves by itself, or did: limits are passed at other moments.
    pub moving: Marks,
}

impl News {
    const ALL: News = News { changed: Marks::ALL, moving: Marks::ALL };
}

/// What one rule reads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// What it reads, in its own order.
    pub asks: Vec<Ask>,
    /// Places among what is asked of its kind of target, in the rule's own order.
    pub places: Vec<u16>,
    /// The same as a set.
    pub marks: Marks,
}

/// All figures that rules read, by kind of target.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asks {
    of_kind: [Vec<Ask>; 6],
    /// Where opening hours stand among what is asked of queues.
    open_hours: Option<usize>,
}

impl Asks {
    /// Gathers what rules read, and tells each where it finds its own.
    pub fn of(rules: &mut [Rule]) -> Self {
        let mut asks = Self::default();
        for rule in rules {
            let of_kind = &mut asks.of_kind[rule.subject as usize];
            for terms in &mut rule.terms {
                let mut asked = Asked::default();
                for metric in &terms.reads {
                    let place = of_kind.iter().position(|ask| ask.metric == *metric).unwrap_or_else(|| {
                        of_kind.push(Ask::of(*metric));
                        of_kind.len() - 1
                    });
                    asked.asks.push(Ask::of(*metric));
                    asked.places.push(u16::try_from(place).unwrap_or(u16::MAX));
                    asked.marks.add(place);
                }
                terms.asked = asked;
            }
        }
        asks.open_hours =
            asks.of_kind(SubjectKind::Queue).iter().position(|ask| ask.measure == Measure::OpenHours);
        asks
    }

    /// Whether any rule reads this figure.
    pub fn has(&self, kind: SubjectKind, name: &str) -> bool {
        self.of_kind(kind).iter().any(|ask| ask.metric.name == name)
    }

    /// All that is read of a kind.
    pub fn of_kind(&self, kind: SubjectKind) -> &[Ask] {
        &self.of_kind[kind as usize]
    }

    /// Reads a target anew into `seen`; tells what reads differently. `seen` that is empty was never read,
    /// or is no longer to be relied on. `None`: it is not there, or not called as is known; where it is sure
    /// to be, nothing is `known` to be compared with.
    pub fn read(
        &self,
        facts: &dyn Facts,
        (kind, key, known): (SubjectKind, &Key, Option<&Called<'_>>),
        now: Timestamp,
        seen: &mut Vec<Reading>,
        spare: &mut Vec<Reading>,
    ) -> Option<News> {
        spare.clear();
        let asks = self.of_kind(kind);
        match known {
            Some(known) if !facts.read_called(kind, key, known, asks, now, spare) => return None,
            Some(_) => {}
            None => facts.read_all(kind, key, asks, now, spare),
        }
        // Where there are hours, rules that name them are tested apart; without, all is always open.
        if let Some(place) = self.open_hours.filter(|_| kind == SubjectKind::Queue)
            && let Some(reading) = spare.get_mut(place)
        {
            *reading = Reading::flag(true);
        }
        let news = if seen.len() == spare.len() {
            let mut news = News::default();
            for (place, (old, new)) in seen.iter().zip(&*spare).enumerate() {
                if old != new {
                    news.changed.add(place);
                    if old.is_moving() || new.is_moving() {
                        news.moving.add(place);
                    }
                }
            }
            news
        } else {
            News::ALL
        };
        // Moved, not swapped: each keeps the room that it needs, so that nothing grows again and again.
        seen.clear();
        seen.reserve_exact(spare.len());
        seen.append(spare);
        Some(news)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_beyond_the_sixty_third_stand_for_each_other() {
        let marks = |places: &[usize]| {
            let mut marks = Marks::default();
            places.iter().for_each(|place| marks.add(*place));
            marks
        };
        assert!(marks(&[3]).meets(marks(&[1, 3])) && !marks(&[3]).meets(marks(&[1, 2])));
        assert!(marks(&[70]).meets(marks(&[63])) && !marks(&[70]).meets(marks(&[62])));
        assert!(marks(&[0, 90]).meets(Marks::ALL) && marks(&[]).is_empty());
    }
}
