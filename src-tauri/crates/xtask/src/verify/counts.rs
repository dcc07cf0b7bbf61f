//! Tests counted from what the runners print: never more than really ran.

use std::fmt;

/// Tests of all runners.
#[derive(Default)]
pub struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
    left_out: u64,
}

impl Counts {
    /// Adds what a log tells.
    pub fn add(&mut self, log: &str) {
        // A test that leaves itself out has passed for its runner, and not for us.
        self.left_out += skips(log).len() as u64;
        for line in log.lines() {
            let line = plain(line);
            // cargo: "test result: ok. 12 passed; 0 failed; 1 ignored; …"
            if let Some(rest) = line.trim().strip_prefix("test result: ") {
                for part in rest.split(['.', ';']).map(str::trim) {
                    self.count(part);
                }
            }
            // vitest: "Tests  2 failed | 34 passed (36)"
            if let Some(rest) = line.trim().strip_prefix("Tests ") {
                for part in rest.split('(').next().unwrap_or_default().split('|').map(str::trim) {
                    self.count(part);
                }
            }
        }
    }

    fn count(&mut self, part: &str) {
        let Some((number, word)) = part.split_once(' ') else { return };
        let Ok(number) = number.parse::<u64>() else { return };
        match word {
            "passed" => self.passed += number,
            "failed" => self.failed += number,
            "ignored" | "skipped" => self.ignored += number,
            _ => {}
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let passed = self.passed.saturating_sub(self.left_out);
        write!(f, "{passed} tests passed, {} failed, {} left out", self.failed, self.ignored + self.left_out)
    }
}

/// What tests said they left out: the rest of each line after "skipped: ".
pub fn skips(log: &str) -> Vec<String> {
    log.lines()
        .filter_map(|line| line.split_once("skipped: "))
        .map(|(_, what)| what.trim().to_owned())
        .collect()
}

/// What cargo's test runner says of the tests that failed: the parts between "failures:" and the next result.
pub fn failures(log: &str) -> Vec<&str> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in log.lines() {
        match line {
            "failures:" => inside = true,
            line if line.starts_with("test result: ") => inside = false,
            line if inside => lines.push(line),
            _ => {}
        }
    }
    lines
}

/// Without the terminal's colours.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in line.chars() {
        match c {
            '\u{1b}' => inside = true,
            'm' if inside => inside = false,
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_both_runners() {
        let mut counts = Counts::default();
        counts.add(
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s",
        );
        counts.add(" \u{1b}[2m Tests \u{1b}[22m 2 failed | 34 passed (36)");
        counts.add("test it_writes ... skipped: no server given\nok");
        assert_eq!(counts.to_string(), "45 tests passed, 2 failed, 2 left out");
    }

    #[test]
    fn finds_what_failed_among_much_that_passed() {
        let log = "running 2 tests\ntest a ... ok\ntest b ... FAILED\n\nsuccesses:\n    a\n\nfailures:\n\n\
                   ---- b stdout ----\nleft: 1\n\nfailures:\n    b\n\ntest result: FAILED. 1 passed; 1 failed\nmore";
        assert_eq!(failures(log).join("|"), "|---- b stdout ----|left: 1||    b|");
        assert!(failures("test a ... ok\ntest result: ok. 1 passed").is_empty());
    }

    #[test]
    fn collects_what_was_left_out() {
        assert_eq!(skips("test a ... skipped: no server given\nok\n"), ["no server given"]);
    }
}
