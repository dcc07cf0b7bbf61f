//! A checked condition and its three-valued test.
//!
//! `None` is "not known": it neither fires nor clears. A comparison is tested in two ways: *fire*, with
//! the operator as written, and *hold*, which stays true until the value is strictly past its clear value.

use std::borrow::Cow;

use model::{Timestamp, Unit};

use super::{MetricName, Reading, language::Op};

/// What a comparison compares with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Limit {
    Number(f64),
    Word(String),
}

/// One `METRIC OP VALUE`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Compare {
    /// Place in the list of metrics that a rule reads.
    pub metric: usize,
    /// `None` for words.
    pub unit: Option<Unit>,
    pub op: Op,
    pub limit: Limit,
    /// The clear value: `hold` ends strictly past it. `None`: `hold` is the comparison itself.
    pub clear: Option<f64>,
    /// The rule's least sample size applies (windowed figures).
    pub sampled: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    Compare(Compare),
    And(Vec<Expr>),
    Or(Vec<Expr>),
}

/// Which of the two tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    /// As written; a figure that a source never gives does not hold.
    Fire,
    /// Until strictly past the clear value; a figure that is no longer given is not known.
    Hold,
    /// As written but strict: the recovery condition.
    Clear,
}

/// Everything a test looks at.
pub(crate) struct Look<'a> {
    pub readings: &'a [Reading],
    /// Where the rule's own figures stand among the readings; empty: they are in the rule's order.
    pub places: &'a [u16],
    pub min_n: Option<u32>,
    pub now: Timestamp,
}

impl Look<'_> {
    /// The reading of the rule's own figure number `metric`.
    pub fn reading(&self, metric: usize) -> Option<&Reading> {
        match self.places.get(metric) {
            Some(place) => self.readings.get(usize::from(*place)),
            None => self.readings.get(metric),
        }
    }
}

/// The number that a reading stands for now.
pub(crate) fn number(reading: &Reading, now: Timestamp) -> Option<f64> {
    match reading {
        Reading::Known { value, .. } if value.is_finite() => Some(*value),
        Reading::CountingUp { since } | Reading::AtLeast { since } => {
            Some(now.seconds_since(*since).max(0.0))
        }
        Reading::CountingDown { until } => Some(until.seconds_since(now).max(0.0)),
        Reading::Infinite { .. } => Some(f64::INFINITY),
        _ => None,
    }
}

impl Compare {
    pub fn test(&self, test: Test, look: &Look<'_>) -> Option<bool> {
        let reading = look.reading(self.metric)?;
        match (reading, &self.limit) {
            (Reading::NotGiven, _) => {
                if test == Test::Fire {
                    Some(false)
                } else {
                    None
                }
            }
            (Reading::Word(word), Limit::Word(limit)) => {
                let same = word.as_ref() == limit;
                Some(if self.op == Op::Eq { same } else { !same })
            }
            (_, Limit::Number(limit)) => {
                let value = number(reading, look.now)?;
                if let (true, Some(min), Reading::Known { n, .. }) = (self.sampled, look.min_n, reading)
                    && n.unwrap_or(0) < min
                {
                    // Too few to say anything: the episode may end, none may begin.
                    return Some(test == Test::Clear);
                }
                let holds = self.holds(test, value, *limit);
                // The true value may lie above: that changes nothing only where more is the same.
                let is_settled = match self.op {
                    op if op.is_rising() => holds,
                    op if op.is_falling() => !holds,
                    _ => value > *limit,
                };
                (is_settled || !matches!(reading, Reading::AtLeast { .. })).then_some(holds)
            }
            _ => None,
        }
    }

    /// The limit, where it is a number.
    pub fn number(&self) -> Option<f64> {
        match self.limit {
            Limit::Number(limit) => Some(limit),
            Limit::Word(_) => None,
        }
    }

    fn holds(&self, test: Test, value: f64, limit: f64) -> bool {
        match (test, self.clear) {
            (Test::Hold, Some(clear)) if self.op.is_rising() => value >= clear,
            (Test::Hold, Some(clear)) if self.op.is_falling() => value <= clear,
            _ => match (self.op, test) {
                (Op::Gt, _) | (Op::Ge, Test::Clear) => value > limit,
                (Op::Ge, _) => value >= limit,
                (Op::Lt, _) | (Op::Le, Test::Clear) => value < limit,
                (Op::Le, _) => value <= limit,
                (Op::Eq, _) => value == limit,
                (Op::Ne, _) => value != limit,
            },
        }
    }

    /// The next moment after `now` at which a reading that moves by itself passes one of the limits.
    pub fn crossing(&self, look: &Look<'_>) -> Option<Timestamp> {
        let Limit::Number(limit) = self.limit else { return None };
        let at = |limit: f64| match look.reading(self.metric)? {
            Reading::CountingUp { since } | Reading::AtLeast { since } => Some(since.plus_seconds(limit)),
            Reading::CountingDown { until } => Some(until.plus_seconds(-limit)),
            _ => None,
        };
        // Reaching a limit and being past it are two moments.
        let next = |at: Timestamp| {
            let past = at.plus(std::time::Duration::from_millis(1));
            [at, past].into_iter().find(|at| *at > look.now)
        };
        let reached = next(at(limit)?);
        match self.clear.and_then(at).and_then(next) {
            Some(cleared) => Some(reached.map_or(cleared, |at| at.min(cleared))),
            None => reached,
        }
    }
}

impl Expr {
    pub fn test(&self, test: Test, look: &Look<'_>) -> Option<bool> {
        match self {
            Expr::Compare(compare) => compare.test(test, look),
            Expr::And(parts) => all(parts, test, look, false),
            Expr::Or(parts) => all(parts, test, look, true),
        }
    }

    pub fn crossing(&self, look: &Look<'_>) -> Option<Timestamp> {
        match self {
            Expr::Compare(compare) => compare.crossing(look),
            Expr::And(parts) | Expr::Or(parts) => parts.iter().filter_map(|p| p.crossing(look)).min(),
        }
    }

    pub fn compares(&self) -> Vec<&Compare> {
        match self {
            Expr::Compare(compare) => vec![compare],
            Expr::And(parts) | Expr::Or(parts) => parts.iter().flat_map(Expr::compares).collect(),
        }
    }

    /// The comparisons of an `or` that holds because of some of its parts: only theirs.
    fn bearing(&self, test: Test, look: &Look<'_>) -> Vec<&Compare> {
        match self {
            Expr::Compare(compare) => vec![compare],
            Expr::And(parts) => parts.iter().flat_map(|part| part.bearing(test, look)).collect(),
            Expr::Or(parts) => {
                let holds = |part: &&Expr| part.test(test, look) == Some(true);
                let any = parts.iter().any(|part| holds(&part));
                let bears = parts.iter().filter(|part| !any || holds(part));
                bears.flat_map(|part| part.bearing(test, look)).collect()
            }
        }
    }

    /// The comparison that an alert was raised for, as long as it may still be what holds: while the whole
    /// holds, it is not one that is known not to. `of`: metric and limit that the alert carries.
    pub fn kept(&self, of: &dyn Fn(&Compare, bool) -> bool, test: Test, look: &Look<'_>) -> Option<&Compare> {
        let all = self.compares();
        // The same metric under another limit is next to it: the rule's terms or the severity changed.
        let same = all.iter().find(|c| of(c, true)).or_else(|| all.iter().find(|c| of(c, false)))?;
        let holds = self.test(test, look) == Some(true);
        (!holds
            || self.bearing(Test::Hold, look).contains(same) && same.test(Test::Hold, look) != Some(false))
        .then_some(*same)
    }

    /// The comparison that stands for the whole: the only one, or the first with a number that holds,
    /// or the first that holds, or the first.
    pub fn decisive(&self, test: Test, look: &Look<'_>) -> Option<&Compare> {
        let all = self.bearing(test, look);
        let holds = |c: &&&Compare| c.test(test, look) == Some(true);
        let is_number = |c: &&&Compare| c.unit.is_some();
        all.iter()
            .find(|c| is_number(c) && holds(c))
            .or_else(|| all.iter().find(holds))
            .or_else(|| all.iter().find(is_number))
            .or(all.first())
            .copied()
    }
}

/// Three-valued `and` (`stop` false) or `or` (`stop` true).
fn all(parts: &[Expr], test: Test, look: &Look<'_>, stop: bool) -> Option<bool> {
    let mut known = true;
    for part in parts {
        match part.test(test, look) {
            Some(found) if found == stop => return Some(stop),
            Some(_) => {}
            None => known = false,
        }
    }
    known.then_some(!stop)
}

/// 75 % of the limit for rising comparisons, 125 % for falling ones; for a share that cannot exceed 1
/// the mirror (75 % of what is missing to 1) where 125 % would be out of reach. `None` where no value
/// on the safe side can be reached (a limit of 0): then the comparison itself decides.
pub(crate) fn default_clear(op: Op, limit: f64, is_share: bool) -> Option<f64> {
    if limit == 0.0 {
        return None;
    }
    // What people would write: 85 %, not 85.00000000000001 %.
    let tidy = |n: f64| (n * 1e9).round() / 1e9;
    let towards_zero = tidy(0.75 * limit);
    let away = tidy(1.25 * limit);
    if op.is_rising() {
        Some(if limit > 0.0 { towards_zero } else { away })
    } else if op.is_falling() {
        let clear = if limit > 0.0 { away } else { towards_zero };
        if !is_share || clear < 1.0 {
            Some(clear)
        } else if limit < 1.0 {
            Some(tidy(1.0 - 0.75 * (1.0 - limit)))
        } else {
            None
        }
    } else {
        None
    }
}

/// `queue.abandoned@30m` without its subject.
pub(crate) fn metric_text(metric: MetricName) -> Cow<'static, str> {
    match metric.window {
        None => Cow::Borrowed(metric.name),
        Some(window) => Cow::Owned(format!("{}@{}", metric.name, window.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(op: Op, limit: f64) -> Compare {
        Compare {
            metric: 0,
            unit: Some(Unit::Count),
            op,
            limit: Limit::Number(limit),
            clear: default_clear(op, limit, false),
            sampled: false,
        }
    }
    fn test(compare: &Compare, test: Test, reading: Reading) -> Option<bool> {
        compare
            .test(test, &Look { readings: &[reading], places: &[], min_n: None, now: Timestamp::from_ms(0) })
    }

    #[test]
    fn fires_as_written_and_clears_strictly_past() {
        let n = Reading::number;
        let rising = compare(Op::Gt, 60.0);
        assert_eq!(test(&rising, Test::Fire, n(60.0)), Some(false));
        assert_eq!(test(&rising, Test::Fire, n(60.1)), Some(true));
        assert_eq!(test(&rising, Test::Hold, n(45.0)), Some(true), "at the clear value it still holds");
        assert_eq!(test(&rising, Test::Hold, n(44.9)), Some(false));
        let at_least = compare(Op::Ge, 60.0);
        assert_eq!(test(&at_least, Test::Fire, n(60.0)), Some(true));
        let falling = compare(Op::Lt, 4.0);
        assert_eq!(test(&falling, Test::Fire, n(4.0)), Some(false));
        assert_eq!(test(&falling, Test::Hold, n(5.0)), Some(true));
        assert_eq!(test(&falling, Test::Hold, n(5.1)), Some(false));
        let zero = compare(Op::Gt, 0.0);
        assert_eq!(test(&zero, Test::Hold, n(1.0)), Some(true));
        assert_eq!(test(&zero, Test::Hold, n(0.0)), Some(false), "0 is past a limit of 0, nothing else is");
    }

    #[test]
    fn not_known_is_neither() {
        let c = compare(Op::Gt, 1.0);
        for t in [Test::Fire, Test::Hold, Test::Clear] {
            assert_eq!(test(&c, t, Reading::Unknown), None);
            assert_eq!(test(&c, t, Reading::number(f64::NAN)), None);
        }
        assert_eq!(test(&c, Test::Fire, Reading::NotGiven), Some(false));
        assert_eq!(test(&c, Test::Hold, Reading::NotGiven), None);
        assert_eq!(test(&c, Test::Fire, Reading::Infinite { reason: String::new() }), Some(true));
    }

    #[test]
    fn three_valued_logic() {
        let (yes, no) = (compare(Op::Gt, 1.0), compare(Op::Gt, 100.0));
        let unknown = Compare { metric: 1, ..yes.clone() };
        let look = Look {
            readings: &[Reading::number(5.0), Reading::Unknown],
            places: &[],
            min_n: None,
            now: Timestamp::from_ms(0),
        };
        let e = Expr::Compare;
        let test = |expr: Expr| expr.test(Test::Fire, &look);
        assert_eq!(test(Expr::And(vec![e(yes.clone()), e(unknown.clone())])), None);
        assert_eq!(test(Expr::And(vec![e(no.clone()), e(unknown.clone())])), Some(false));
        assert_eq!(test(Expr::Or(vec![e(yes.clone()), e(unknown.clone())])), Some(true));
        assert_eq!(test(Expr::Or(vec![e(no.clone()), e(unknown.clone())])), None);
        assert_eq!(test(Expr::Or(vec![e(no.clone()), e(no)])), Some(false));
    }

    #[test]
    fn clear_defaults() {
        assert_eq!(default_clear(Op::Gt, 120.0, false), Some(90.0));
        assert_eq!(default_clear(Op::Lt, 4.0, false), Some(5.0));
        assert_eq!(default_clear(Op::Lt, 0.6, true), Some(0.75));
        assert_eq!(default_clear(Op::Lt, 0.8, true), Some(0.85), "125 % of 80 % can never be passed");
        assert_eq!(default_clear(Op::Gt, 0.0, false), None);
        assert_eq!(default_clear(Op::Lt, -4.0, false), Some(-3.0));
        assert_eq!(default_clear(Op::Eq, 4.0, false), None);
    }

    #[test]
    fn counting_up_knows_its_deadline() {
        let c = compare(Op::Gt, 60.0);
        let readings = [Reading::CountingUp { since: Timestamp::from_ms(1_000) }];
        let at = |now| {
            c.crossing(&Look { readings: &readings, places: &[], min_n: None, now: Timestamp::from_ms(now) })
        };
        assert_eq!(at(1_000), Some(Timestamp::from_ms(46_000)));
        assert_eq!(at(50_000), Some(Timestamp::from_ms(61_000)));
        assert_eq!(at(61_000), Some(Timestamp::from_ms(61_001)), "> is true one millisecond later");
        assert_eq!(at(61_001), None);
    }
}
