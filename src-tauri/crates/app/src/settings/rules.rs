//! `[[alert]]`, `[[group]]`, `[[hours]]` and `[targets]`: from TOML to what the engine compiles. The
//! rules' own language is the engine's; here stand only keys, types and places.

use engine::alerts::{
    Defaults, GroupSpec, HoursSpec, OverrideSpec, Position, RuleError, RuleSpec, ScopeSpec,
    ServiceLevelTarget, SlFormula, Targets,
};
use toml_edit::{Item, Value};
use vendors::SourceSettings;

use super::{
    SettingsError, duration,
    read::{one_table, tables},
    table::Table,
};

const ALERT: &[&str] = &[
    "name", "when", "critical", "scope", "for", "clear", "keep", "repeat", "min_n", "active", "zone",
    "severity", "notify", "enabled", "override",
];
const SCOPE: &[&str] = &["source", "queue", "group", "agent"];
const OVERRIDE: &[&str] =
    &["queue", "group", "source", "when", "critical", "for", "clear", "keep", "repeat", "enabled"];

/// Everything that the rulebook is compiled from.
#[derive(Clone, Debug, Default)]
pub(crate) struct RuleText {
    pub rules: Vec<RuleSpec>,
    /// Rules of which a key is missing or holds something else than it should.
    pub faults: Vec<RuleError>,
    pub groups: Vec<GroupSpec>,
    pub hours: Vec<HoursSpec>,
    pub targets: Targets,
    pub defaults: Defaults,
}

pub(super) fn read(top: &Table<'_>, sources: &[SourceSettings]) -> Result<RuleText, SettingsError> {
    let defaults = Defaults {
        on: top.flag("default_alerts")?.unwrap_or(true),
        remote_support: sources
            .iter()
            .filter(|s| s.vendor.is_remote_support())
            .map(|s| s.id.to_string())
            .collect(),
    };
    let mut text = RuleText { defaults, ..RuleText::default() };
    for (table, span) in tables(top, "alert")? {
        let table = Table { page: top.page, table, span };
        known_keys(&table)?;
        match alert(&table) {
            Ok(rule) => text.rules.push(rule),
            Err(error) => text.faults.push(fault(&table, error)),
        }
    }
    for (table, span) in tables(top, "group")? {
        let table = Table { page: top.page, table, span };
        table.only(&["name", "queues"])?;
        text.groups.push(GroupSpec {
            position: position(&table),
            name: table.required_text("name")?,
            queues: required_texts(&table, "queues")?,
        });
    }
    for (table, span) in tables(top, "hours")? {
        let table = Table { page: top.page, table, span };
        table.only(&["queues", "zone", "open"])?;
        text.hours.push(HoursSpec {
            position: position(&table),
            queues: required_texts(&table, "queues")?,
            zone: table.required_text("zone")?,
            open: required_texts(&table, "open")?,
        });
    }
    if let Some(item) = top.table.get("targets") {
        text.targets = targets(&one_table(top, "targets", item)?)?;
    }
    Ok(text)
}

fn alert(table: &Table<'_>) -> Result<RuleSpec, SettingsError> {
    let mut rule = RuleSpec {
        position: position(table),
        name: table.required_text("name")?,
        when: table.required_text("when")?,
        critical: table.text("critical")?,
        hold: table.text("for")?,
        clear: table.text("clear")?,
        keep: table.text("keep")?,
        repeat: table.text("repeat")?,
        min_n: whole(table, "min_n")?,
        active: table.texts("active")?,
        zone: table.text("zone")?,
        severity: table.text("severity")?,
        notify: table.texts("notify")?,
        enabled: table.flag("enabled")?,
        ..RuleSpec::default()
    };
    if let Some(item) = table.table.get("scope") {
        let scope = one_table(table, "scope", item)?;
        rule.scope = ScopeSpec {
            source: globs(&scope, "source")?,
            queue: globs(&scope, "queue")?,
            group: globs(&scope, "group")?,
            agent: globs(&scope, "agent")?,
        };
    }
    for (inner, span) in tables(table, "override")? {
        let inner = Table { page: table.page, table: inner, span };
        rule.overrides.push(OverrideSpec {
            queue: globs(&inner, "queue")?,
            group: globs(&inner, "group")?,
            source: globs(&inner, "source")?,
            when: inner.text("when")?,
            critical: inner.text("critical")?,
            hold: inner.text("for")?,
            clear: inner.text("clear")?,
            keep: inner.text("keep")?,
            repeat: inner.text("repeat")?,
            enabled: inner.flag("enabled")?,
        });
    }
    Ok(rule)
}

/// One `[[alert]]`, for the editor: the first error of its keys and types.
pub(super) fn one(table: &Table<'_>) -> Result<RuleSpec, SettingsError> {
    known_keys(table)?;
    alert(table)
}

/// The line of the key that an error is about; that of the rule's head where it has no line of its own.
pub(super) fn line_of(top: &Table<'_>, error: &RuleError) -> Position {
    let of = |array: &str| {
        let all = tables(top, array).unwrap_or_default();
        all.into_iter().find_map(|(table, span)| {
            let table = Table { page: top.page, table, span };
            (position(&table) == error.position).then_some(table)
        })
    };
    let Some(table) = ["alert", "group", "hours"].into_iter().find_map(of) else { return error.position };
    let parts: Vec<&str> = error.field.split('.').collect();
    let at = match parts[..] {
        ["override", number, ref rest @ ..] => {
            let overrides = tables(&table, "override").unwrap_or_default();
            let found =
                number.parse::<usize>().ok().and_then(|n| overrides.into_iter().nth(n.checked_sub(1)?));
            found.map(|(inner, span)| {
                let inner = Table { page: table.page, table: inner, span };
                inner.place(rest.first().copied().unwrap_or_default()).unwrap_or(0..0)
            })
        }
        [key] => Some(table.place(key).unwrap_or(0..0)),
        [.., key] => Some(place_of(&table, key, None)),
        [] => None,
    };
    at.map_or(error.position, |at| Position(table.page.line(&at)))
}

/// What an error is about, as people call it: a rule, a group or opening hours.
pub(super) fn called(top: &Table<'_>, error: &RuleError) -> String {
    let stands_in = |array: &str| {
        let all = tables(top, array).unwrap_or_default();
        all.into_iter()
            .any(|(table, span)| position(&Table { page: top.page, table, span }) == error.position)
    };
    match ["hours", "group"].into_iter().find(|array| stands_in(array)) {
        Some("hours") => "hours".to_owned(),
        Some(array) => format!("{array} `{}`", error.rule),
        None => format!("alert `{}`", error.rule),
    }
}

/// Where a key stands, also one of the scope or of an override; the rule's head when it is missing. `line`:
/// where the error was found, which tells a missing key from the same key of an override.
pub(super) fn place_of(table: &Table<'_>, key: &str, line: Option<usize>) -> std::ops::Range<usize> {
    let head = table.span.clone().unwrap_or(0..0);
    let scope = table.table.get("scope").and_then(Item::as_table_like).map(|t| (t, None));
    let inner = scope.into_iter().chain(tables(table, "override").unwrap_or_default());
    let inner = inner.filter(|(inner, _)| inner.contains_key(key));
    let mut places: Vec<_> =
        inner.filter_map(|(inner, span)| Table { page: table.page, table: inner, span }.place(key)).collect();
    if table.table.contains_key(key) {
        places.insert(0, table.place(key).unwrap_or(head.clone()));
    }
    let stands = |place: &std::ops::Range<usize>| line.is_none_or(|line| table.page.line(place) == line);
    let is_missing = line == Some(table.page.line(&head));
    places
        .iter()
        .find(|place| stands(place))
        .or(places.first().filter(|_| !is_missing))
        .cloned()
        .unwrap_or(head)
}

/// A key that nobody knows is an error of the file, wherever it stands.
fn known_keys(table: &Table<'_>) -> Result<(), SettingsError> {
    table.only(ALERT)?;
    if let Some(item) = table.table.get("scope").filter(|item| item.is_table_like()) {
        one_table(table, "scope", item)?.only(SCOPE)?;
    }
    for (inner, span) in tables(table, "override").unwrap_or_default() {
        Table { page: table.page, table: inner, span }.only(OVERRIDE)?;
    }
    Ok(())
}

/// A rule that cannot be read is one error; the other rules stay active.
fn fault(table: &Table<'_>, error: SettingsError) -> RuleError {
    let name = table.table.get("name").and_then(Item::as_str).unwrap_or("(no name)");
    let key = error.key.as_deref().unwrap_or("alert");
    let at = place_of(table, key, error.line);
    // The line itself is shown, with carets under it.
    let line = table.page.text.get(at.start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    RuleError::about(name, Position(table.page.line(&at)), key, line.trim_end(), error.what)
}

/// One glob or a list of them.
fn globs(table: &Table<'_>, key: &str) -> Result<Option<Vec<String>>, SettingsError> {
    match table.value(key)? {
        Some(Value::String(one)) => Ok(Some(vec![one.value().clone()])),
        _ => table.texts(key),
    }
}

fn required_texts(table: &Table<'_>, key: &str) -> Result<Vec<String>, SettingsError> {
    match globs(table, key)? {
        Some(list) if !list.is_empty() => Ok(list),
        Some(_) => Err(table.error(key, "is empty; name at least one")),
        None => Err(table.error(key, format!("is missing; add `{key} = [\"…\"]`"))),
    }
}

fn whole(table: &Table<'_>, key: &str) -> Result<Option<i64>, SettingsError> {
    match table.value(key)? {
        None => Ok(None),
        Some(Value::Integer(n)) => Ok(Some(*n.value())),
        Some(_) => Err(table.error(key, "must be a whole number, without quotes")),
    }
}

fn position(table: &Table<'_>) -> Position {
    Position(table.span.as_ref().map_or(0, |span| table.page.line(span)))
}

fn targets(table: &Table<'_>) -> Result<Targets, SettingsError> {
    table.only(&["waiting", "longest_wait", "service_level"])?;
    let mut targets = Targets::default();
    if let Some(n) = whole(table, "waiting")? {
        targets.waiting = u32::try_from(n).map_err(|_| table.error("waiting", "must not be negative"))?;
    }
    if let Some(seconds) = seconds(table, "longest_wait")? {
        targets.longest_wait_s = seconds;
    }
    if let Some(item @ (Item::Value(Value::InlineTable(_)) | Item::Table(_))) =
        table.table.get("service_level")
    {
        let level = one_table(table, "service_level", item)?;
        level.only(&["target", "within", "formula", "short_abandon"])?;
        let usual = targets.service_level;
        targets.service_level = ServiceLevelTarget {
            target: match level.value("target")? {
                None => usual.target,
                Some(value) => {
                    share(value).ok_or_else(|| level.error("target", "must be a share, like \"80%\""))?
                }
            },
            within_s: seconds(&level, "within")?.unwrap_or(usual.within_s),
            formula: match level.text("formula")?.as_deref() {
                None => usual.formula,
                Some("F1") => SlFormula::F1,
                Some("F2") => SlFormula::F2,
                Some("F3") => SlFormula::F3,
                Some("F4") => SlFormula::F4,
                Some("F5") => SlFormula::F5,
                Some(_) => return Err(level.error("formula", "must be one of F1, F2, F3, F4, F5")),
            },
            short_abandon_s: seconds(&level, "short_abandon")?.unwrap_or(usual.short_abandon_s),
        };
    } else if table.table.contains_key("service_level") {
        return Err(table.error("service_level", "must be written as { target = \"80%\", within = \"60s\" }"));
    }
    Ok(targets)
}

fn seconds(table: &Table<'_>, key: &str) -> Result<Option<f64>, SettingsError> {
    match table.text(key)? {
        None => Ok(None),
        Some(text) => duration::parse(&text)
            .map(|d| Some(d.as_secs_f64()))
            .ok_or_else(|| table.error(key, "is not a duration; write it like \"2m\" or \"90s\"")),
    }
}

/// `"80%"`, or a number from 0 to 1.
fn share(value: &Value) -> Option<f64> {
    let share = match value {
        Value::String(text) => text.value().trim().strip_suffix('%')?.trim().parse::<f64>().ok()? / 100.0,
        Value::Float(number) => *number.value(),
        Value::Integer(number) => *number.value() as f64,
        _ => return None,
    };
    (0.0..=1.0).contains(&share).then_some(share)
}
