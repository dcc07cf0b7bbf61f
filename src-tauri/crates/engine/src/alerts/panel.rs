//! The conditions of all rules about one target, side by side in one list.
//!
//! A sweep tests ten thousand of them. From rule to rule it would jump through memory and mostly wait for
//! it; here it walks through it once. Targets that the same rules speak of share one panel.

use super::{
    asks::Marks,
    condition::{Compare, Expr, Look, Test},
    rule::{Rule, Terms},
};

/// The three-valued answers that move an episode. While they stay the same, only time moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The condition, as written.
    pub fire: Option<bool>,
    /// The critical condition, as written.
    pub critical: Option<bool>,
    /// Not yet past the clear value.
    pub hold: Option<bool>,
    /// The critical is not yet past its own clear value.
    pub critical_hold: Option<bool>,
}

/// One of a rule's conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    When,
    Critical,
    Clear,
}

impl Verdict {
    /// Puts the answers together. `test` gives `None` for a condition that the rule does not have.
    pub fn of(test: impl Fn(Part, Test) -> Option<Option<bool>>) -> Self {
        let fire = test(Part::When, Test::Fire).flatten();
        let critical = test(Part::Critical, Test::Fire).unwrap_or(Some(false));
        let critical_hold = test(Part::Critical, Test::Hold).unwrap_or(Some(false));
        // An episode goes on by the condition itself, or while not yet past the clear value.
        let hold = if fire == Some(true) {
            Some(true)
        } else if let Some(cleared) = test(Part::Clear, Test::Clear) {
            cleared.map(|cleared| !cleared)
        } else {
            match (test(Part::When, Test::Hold).flatten(), critical_hold) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            }
        };
        Self { fire, critical, hold, critical_hold }
    }

    /// The same from a rule's own terms.
    pub fn of_terms(terms: &Terms, look: &Look<'_>) -> Self {
        Self::of(|part, test| {
            let expr = match part {
                Part::When => Some(&terms.when),
                Part::Critical => terms.critical.as_ref(),
                Part::Clear => terms.clear.as_ref(),
            };
            expr.map(|expr| expr.test(test, look))
        })
    }
}

/// An expression as a list: a group stands before its parts and knows where they end.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Compare(Compare),
    And { end: u32 },
    Or { end: u32 },
}

/// Where one rule's conditions begin in the list.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    reads: Marks,
    min_n: Option<u32>,
    when: u32,
    critical: Option<u32>,
    clear: Option<u32>,
}

/// All conditions about one target, in the order of its slots.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Panel {
    entries: Vec<Entry>,
    steps: Vec<Step>,
}

impl Panel {
    /// Lays out these rules, each under these of its terms.
    pub fn of<'a>(rules: impl IntoIterator<Item = (&'a Rule, &'a Terms)>) -> Self {
        let mut panel = Self::default();
        for (rule, terms) in rules {
            let mut add = |expr: &Expr| {
                let at = place(&panel.steps);
                flatten(expr, &terms.asked.places, &mut panel.steps);
                at
            };
            panel.entries.push(Entry {
                reads: terms.asked.marks,
                min_n: rule.min_n,
                when: add(&terms.when),
                critical: terms.critical.as_ref().map(&mut add),
                clear: terms.clear.as_ref().map(&mut add),
            });
        }
        panel.entries.shrink_to_fit();
        panel.steps.shrink_to_fit();
        panel
    }

    /// What the rule of a slot reads of the target.
    pub fn reads(&self, slot: usize) -> Marks {
        self.entries.get(slot).map_or(Marks::ALL, |entry| entry.reads)
    }
    /// Fewer than so many say nothing to the rule of a slot.
    pub fn min_n(&self, slot: usize) -> Option<u32> {
        self.entries.get(slot)?.min_n
    }
    /// Whether the condition of a slot holds as written.
    pub fn fires(&self, slot: usize, look: &Look<'_>) -> Option<bool> {
        self.test(self.entries.get(slot)?.when, Test::Fire, look)
    }
    /// All answers of a slot's rule.
    pub fn verdict(&self, slot: usize, look: &Look<'_>) -> Option<Verdict> {
        let entry = self.entries.get(slot)?;
        Some(Verdict::of(|part, test| {
            let at = match part {
                Part::When => Some(entry.when),
                Part::Critical => entry.critical,
                Part::Clear => entry.clear,
            };
            at.map(|at| self.test(at, test, look))
        }))
    }
    /// The next moment after now at which one of a slot's conditions may turn by itself.
    pub fn crossing(&self, slot: usize, look: &Look<'_>) -> Option<model::Timestamp> {
        let entry = self.entries.get(slot)?;
        let next = self.entries.get(slot + 1).map_or(self.steps.len(), |next| next.when as usize);
        let steps = self.steps.get(entry.when as usize..next)?;
        steps
            .iter()
            .filter_map(|step| match step {
                Step::Compare(compare) => compare.crossing(look),
                Step::And { .. } | Step::Or { .. } => None,
            })
            .min()
    }

    fn test(&self, at: u32, test: Test, look: &Look<'_>) -> Option<bool> {
        // Of `and` a part that does not hold decides, of `or` one that does.
        let (stop, end) = match self.steps.get(at as usize)? {
            Step::Compare(compare) => return compare.test(test, look),
            Step::And { end } => (false, *end),
            Step::Or { end } => (true, *end),
        };
        let (mut known, mut part) = (true, at + 1);
        while part < end {
            match self.test(part, test, look) {
                Some(found) if found == stop => return Some(stop),
                Some(_) => {}
                None => known = false,
            }
            part = match self.steps.get(part as usize)? {
                Step::Compare(_) => part + 1,
                Step::And { end } | Step::Or { end } => *end,
            };
        }
        known.then_some(!stop)
    }
}

fn place(steps: &[Step]) -> u32 {
    u32::try_from(steps.len()).unwrap_or(u32::MAX)
}

/// `places`: where the rule's figures stand among all that is read of the target.
fn flatten(expr: &Expr, places: &[u16], steps: &mut Vec<Step>) {
    match expr {
        Expr::Compare(compare) => {
            let metric = places.get(compare.metric).map_or(compare.metric, |place| usize::from(*place));
            steps.push(Step::Compare(Compare { metric, ..compare.clone() }));
        }
        Expr::And(parts) | Expr::Or(parts) => {
            let at = steps.len();
            let group = |end| match expr {
                Expr::And(_) => Step::And { end },
                _ => Step::Or { end },
            };
            steps.push(group(0));
            parts.iter().for_each(|part| flatten(part, places, steps));
            let end = place(steps);
            if let Some(step) = steps.get_mut(at) {
                *step = group(end);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use model::{SubjectKind, Timestamp};
    use proptest::prelude::*;

    use super::*;
    use crate::alerts::{Reading, RuleSpec, Rulebook, Targets};

    const FIGURES: [&str; 4] = ["waiting", "open", "agents_online", "longest_wait"];

    fn condition() -> impl Strategy<Value = String> {
        let compare = (0..FIGURES.len(), prop::sample::select(vec![">", ">=", "<", "<=", "==", "!="]), 1..9)
            .prop_map(|(figure, op, limit)| {
                let unit = if FIGURES[figure] == "longest_wait" { "s" } else { "" };
                format!("queue.{} {op} {limit}{unit}", FIGURES[figure])
            });
        compare.prop_recursive(3, 12, 3, |inner| {
            (prop::collection::vec(inner, 2..4), any::<bool>()).prop_map(|(parts, and)| {
                let word = if and { " and " } else { " or " };
                format!("({})", parts.join(word))
            })
        })
    }

    fn reading() -> impl Strategy<Value = Reading> {
        prop_oneof![
            (0..10).prop_map(|n| Reading::number(f64::from(n))),
            (0..10_000i64).prop_map(|ms| Reading::CountingUp { since: Timestamp::from_ms(ms) }),
            (0..10_000i64).prop_map(|ms| Reading::AtLeast { since: Timestamp::from_ms(ms) }),
            Just(Reading::Unknown),
            Just(Reading::NotGiven),
            Just(Reading::Infinite { reason: String::new() }),
        ]
    }

    proptest! {
        /// A panel is only another place for the same conditions.
        #[test]
        fn a_panel_answers_as_the_rules_do(
            rules in prop::collection::vec((condition(), prop::option::of(condition())), 1..5),
            readings in prop::collection::vec(reading(), FIGURES.len()),
        ) {
            let specs: Vec<RuleSpec> = rules
                .into_iter()
                .enumerate()
                .map(|(n, (when, critical))| {
                    RuleSpec { name: format!("Rule {n}"), when, critical, ..RuleSpec::default() }
                })
                .collect();
            let (book, _) = Rulebook::compile(&specs, &[], &[], Targets::default(), false);
            let panel = Panel::of(book.rules.iter().map(|rule| (rule, &rule.terms[0])));
            let asked = book.asks.of_kind(SubjectKind::Queue);
            let seen: Vec<Reading> = asked
                .iter()
                .map(|ask| readings[FIGURES.iter().position(|f| *f == ask.metric.name).unwrap()].clone())
                .collect();
            let now = Timestamp::from_ms(10_000);
            for (slot, rule) in book.rules.iter().enumerate() {
                let terms = &rule.terms[0];
                let own = Look { readings: &seen, places: &terms.asked.places, min_n: None, now };
                let flat = Look { readings: &seen, places: &[], min_n: None, now };
                prop_assert_eq!(panel.verdict(slot, &flat), Some(Verdict::of_terms(terms, &own)));
                prop_assert_eq!(panel.fires(slot, &flat), terms.when.test(Test::Fire, &own));
                prop_assert_eq!(panel.crossing(slot, &flat), terms.crossing(&own));
            }
        }
    }
}
