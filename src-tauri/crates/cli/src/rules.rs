//! `floorctl rules`: the rules against the configuration and against the past. Connects to nothing.

use std::fmt::Write;

use app::{
    past::{TrialReport, try_rules},
    rules::{RuleRow, list},
    settings::Settings,
};
use serde::Serialize;

use crate::{
    Exit,
    args::{Global, Rules},
    offline::{data, failed, instant, lasting, only, print_json, settings},
    print,
    table::plain,
};

pub fn run(global: &Global, command: Rules) -> Exit {
    let settings = match settings(global) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    let only = match only(global) {
        Ok(only) => only,
        Err(exit) => return exit,
    };
    // A wrong rule is told by every command; the right ones are still listed and tried.
    for error in &settings.rule_errors {
        eprintln!("floorctl: {error}");
    }
    match command {
        Rules::Check => check(&settings),
        Rules::List { json } => show(&settings, json),
        Rules::Test { from, to, rule, json } => {
            let at = |option, text: Option<String>| text.map(|t| instant(option, &t, &settings)).transpose();
            let (from, to) = match (at("--from", from), at("--to", to)) {
                (Ok(from), Ok(to)) => (from, to),
                (Err(exit), _) | (_, Err(exit)) => return exit,
            };
            match try_rules(&data(global), only.as_ref(), &settings.rules, from, to, rule.as_deref()) {
                Ok(report) if json => print_json(&report),
                Ok(report) => {
                    print(&of_trial(&report));
                    Exit::Good
                }
                Err(error) => failed(&error),
            }
        }
    }
}

fn check(settings: &Settings) -> Exit {
    let rows = list(&settings.rules);
    let default = rows.iter().filter(|r| r.default).count();
    let own = rows.len() - default;
    let count = |n: usize, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    print(&format!("{} active: {own} of your own, {default} default", count(rows.len(), "rule")));
    if settings.rule_errors.is_empty() {
        Exit::Good
    } else {
        eprintln!("floorctl: {}", count(settings.rule_errors.len(), "error"));
        Exit::Usage
    }
}

#[derive(Serialize)]
struct Listed {
    contract: u32,
    rules: Vec<RuleRow>,
}

fn show(settings: &Settings, json: bool) -> Exit {
    let rules = list(&settings.rules);
    if json {
        return print_json(&Listed { contract: 1, rules });
    }
    let mut out = String::new();
    for rule in &rules {
        let origin = if rule.default { " (default)" } else { "" };
        let _ = writeln!(out, "{}{origin}", plain(&rule.name));
        let _ = writeln!(out, "    when      {}", plain(&rule.when));
        if let Some(critical) = &rule.critical {
            let _ = writeln!(out, "    critical  {}", plain(critical));
        }
        let clear = rule.clear.as_deref().unwrap_or("by default");
        let _ = writeln!(
            out,
            "    for {}  clear {}  keep {}  repeat {}",
            rule.hold,
            plain(clear),
            rule.keep,
            rule.repeat
        );
        let scope = &rule.scope;
        for (name, globs) in [
            ("source", &scope.source),
            ("queue", &scope.queue),
            ("group", &scope.group),
            ("agent", &scope.agent),
        ] {
            if let Some(globs) = globs {
                let _ = writeln!(out, "    only {name}  {}", plain(&globs.join(", ")));
            }
        }
        if rule.overrides > 0 {
            let _ = writeln!(out, "    overrides {}", rule.overrides);
        }
        let _ = writeln!(out, "    notify    {}", plain(&rule.notify.join(", ")));
    }
    let _ = write!(out, "{} rules", rules.len());
    print(&out);
    Exit::Good
}

/// More lines than anybody reads; `--json` has them all.
const SHOWN: usize = 200;

fn of_trial(report: &TrialReport) -> String {
    let mut out = format!("from {} to {}\n", report.from, report.until);
    if report.not_seen_s > 0.0 {
        let _ = writeln!(out, "nobody looked for {} of it", lasting(report.not_seen_s));
    }
    for rule in &report.rules {
        let times = if rule.times == 1 { "once".to_owned() } else { format!("{} times", rule.times) };
        if rule.times == 0 {
            let _ = writeln!(out, "{}: never", plain(&rule.rule));
        } else {
            let _ = writeln!(
                out,
                "{}: {times}, {} in all, {} at most, for {}",
                plain(&rule.rule),
                lasting(rule.total_s),
                lasting(rule.longest_s),
                plain(&rule.subjects.join(", "))
            );
        }
    }
    for fired in report.fired.iter().take(SHOWN) {
        let until = fired.until.map_or_else(|| "still at the end".to_owned(), |at| at.to_string());
        let _ = writeln!(
            out,
            "{}  {}  {}  {}  {}",
            fired.from,
            until,
            lasting(fired.lasted_s),
            plain(&fired.rule),
            plain(&fired.reason)
        );
    }
    let hidden = report.fired.len().saturating_sub(SHOWN) as u64 + report.left_out;
    if hidden > 0 {
        let _ = writeln!(out, "and {hidden} more");
    }
    out.truncate(out.trim_end().len());
    out
}
