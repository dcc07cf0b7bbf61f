//! A rule's two faces, text and form, and the places of its errors in the text.

use std::ops::Range;

use engine::alerts::{RuleError, RuleSpec};
use model::Severity;
use toml_edit::{Array, ArrayOfTables, Document, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use crate::api::{OverrideForm, RuleFault, RuleForm, ScopeForm};

/// The form of a rule.
pub(super) fn form_of(rule: &RuleSpec) -> RuleForm {
    let list = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    RuleForm {
        name: rule.name.clone(),
        when: rule.when.clone(),
        critical: rule.critical.clone(),
        scope: ScopeForm {
            source: list(&rule.scope.source),
            queue: list(&rule.scope.queue),
            group: list(&rule.scope.group),
            agent: list(&rule.scope.agent),
        },
        hold: rule.hold.clone(),
        clear: rule.clear.clone(),
        keep: rule.keep.clone(),
        repeat: rule.repeat.clone(),
        min_n: rule.min_n,
        active: list(&rule.active),
        zone: rule.zone.clone(),
        severity: match rule.severity.as_deref() {
            Some("critical") => Some(Severity::Critical),
            Some("warning") => Some(Severity::Warning),
            _ => None,
        },
        notify: rule.notify.clone(),
        enabled: rule.enabled.unwrap_or(true),
        overrides: rule
            .overrides
            .iter()
            .map(|o| OverrideForm {
                queue: list(&o.queue),
                group: list(&o.group),
                source: list(&o.source),
                when: o.when.clone(),
                critical: o.critical.clone(),
                hold: o.hold.clone(),
                clear: o.clear.clone(),
                keep: o.keep.clone(),
                repeat: o.repeat.clone(),
                enabled: o.enabled,
            })
            .collect(),
    }
}

/// A rule that was never written: as it would stand in the file.
pub(super) fn text_of(form: &RuleForm) -> String {
    let mut table = Table::new();
    write(&mut table, &RuleForm { enabled: true, ..RuleForm::default() }, form);
    page_of(table)
}

/// A document that holds only this rule.
pub(super) fn page_of(table: Table) -> String {
    let mut table = unplaced(&table);
    let prefix = table.decor().prefix().and_then(|p| p.as_str()).unwrap_or_default();
    let prefix = prefix.trim_start_matches(['\n', '\r', ' ', '\t']).to_owned();
    table.decor_mut().set_prefix(prefix);
    let mut list = ArrayOfTables::new();
    list.push(table);
    let mut document = DocumentMut::new();
    document.insert("alert", Item::ArrayOfTables(list));
    document.to_string()
}

/// The same table without the place that it had in the document it comes from: it is printed where it is
/// put.
pub(super) fn unplaced(table: &Table) -> Table {
    let mut new = Table::new();
    *new.decor_mut() = table.decor().clone();
    new.set_implicit(table.is_implicit());
    new.set_dotted(table.is_dotted());
    for (name, item) in table {
        let item = match item {
            Item::Table(inner) => Item::Table(unplaced(inner)),
            Item::ArrayOfTables(list) => Item::ArrayOfTables(list.iter().map(unplaced).collect()),
            other => other.clone(),
        };
        match table.key(name) {
            Some(key) => new.insert_formatted(key, item),
            None => new.insert(name, item),
        };
    }
    new
}

/// Writes what differs; the rest of the table stays as it was written.
pub(super) fn write(table: &mut Table, old: &RuleForm, new: &RuleForm) {
    let fresh = table.is_empty();
    text(table, "name", Some(&new.name), fresh || old.name != new.name);
    text(table, "when", Some(&new.when), fresh || old.when != new.when);
    text(table, "critical", new.critical.as_deref(), old.critical != new.critical);
    text(table, "for", new.hold.as_deref(), old.hold != new.hold);
    text(table, "clear", new.clear.as_deref(), old.clear != new.clear);
    text(table, "keep", new.keep.as_deref(), old.keep != new.keep);
    text(table, "repeat", new.repeat.as_deref(), old.repeat != new.repeat);
    if old.min_n != new.min_n {
        put(table, "min_n", new.min_n.map(Value::from));
    }
    if old.scope != new.scope {
        put(table, "scope", scope(&new.scope));
    }
    if old.active != new.active {
        put(table, "active", (!new.active.is_empty()).then(|| list(&new.active)));
    }
    text(table, "zone", new.zone.as_deref(), old.zone != new.zone);
    let word = |severity: Severity| if severity == Severity::Critical { "critical" } else { "warning" };
    text(table, "severity", new.severity.map(word), old.severity != new.severity);
    if old.notify != new.notify {
        put(table, "notify", new.notify.as_deref().map(list));
    }
    if old.enabled != new.enabled {
        put(table, "enabled", (!new.enabled || table.contains_key("enabled")).then(|| new.enabled.into()));
    }
    if old.overrides != new.overrides {
        table.remove("override");
        if !new.overrides.is_empty() {
            let all: ArrayOfTables = new.overrides.iter().map(over).collect();
            table.insert("override", Item::ArrayOfTables(all));
        }
    }
}

fn over(form: &OverrideForm) -> Table {
    let mut table = Table::new();
    for (key, globs) in [("queue", &form.queue), ("group", &form.group), ("source", &form.source)] {
        put(&mut table, key, (!globs.is_empty()).then(|| list(globs)));
    }
    for (key, value) in [
        ("when", &form.when),
        ("critical", &form.critical),
        ("for", &form.hold),
        ("clear", &form.clear),
        ("keep", &form.keep),
        ("repeat", &form.repeat),
    ] {
        text(&mut table, key, value.as_deref(), true);
    }
    put(&mut table, "enabled", form.enabled.map(Value::from));
    table.decor_mut().set_prefix("\n");
    table
}

fn scope(form: &ScopeForm) -> Option<Value> {
    let mut scope = InlineTable::new();
    let parts =
        [("source", &form.source), ("queue", &form.queue), ("group", &form.group), ("agent", &form.agent)];
    for (key, globs) in parts.into_iter().filter(|(_, globs)| !globs.is_empty()) {
        scope.insert(key, list(globs));
    }
    (!scope.is_empty()).then_some(Value::InlineTable(scope))
}

fn list(texts: &[String]) -> Value {
    Value::Array(texts.iter().collect::<Array>())
}

fn text(table: &mut Table, key: &str, now: Option<&str>, differs: bool) {
    if differs {
        put(table, key, now.map(Value::from));
    }
}

fn put(table: &mut Table, key: &str, now: Option<Value>) {
    match now {
        Some(now) => super::edit::set(table, key, now),
        None => {
            table.remove(key);
        }
    }
}

/// The default rules' specs have no text: this is what they would be written as.
pub(super) fn text_of_spec(spec: &RuleSpec) -> String {
    text_of(&form_of(spec))
}

/// Where an error of the rules' own language stands in a rule's text.
pub(super) fn place(source: &str, error: &RuleError) -> RuleFault {
    let shown = error.caret.lines().next().unwrap_or_default();
    let (range, own) = locate(source, &error.field, shown)
        .map(|(range, raw_offset)| match raw_offset {
            Some(offset) => {
                let start = offset + error.span.start;
                (start..(offset + error.span.end).max(start), true)
            }
            None => (range, false),
        })
        .unwrap_or((0..0, false));
    let (line, column) = line_and_column(source, range.start);
    let length = source.get(range).map_or(1, |t| t.chars().count().max(1));
    // In characters: what stands in the field before the place.
    let field_at = if own { caret_at(error) } else { 0 };
    RuleFault {
        sentence: error.sentence.clone(),
        line,
        column,
        length: number(length),
        field: Some(error.field.clone()),
        field_at,
        caret: error.caret.clone(),
    }
}

/// Our texts are nearly always ASCII; then bytes are characters, and the rest is a little off.
fn caret_at(error: &RuleError) -> u32 {
    number(error.span.start)
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A fault at a place of the text that TOML or the reader found.
pub(super) fn fault_at(
    source: &str,
    range: Range<usize>,
    field: Option<&str>,
    sentence: String,
) -> RuleFault {
    let range = range.start.min(source.len())..range.end.min(source.len());
    let (line, column) = line_and_column(source, range.start);
    let length = source.get(range.clone()).map_or(1, |t| t.lines().next().unwrap_or("").chars().count());
    let whole = source.get(..range.start).map_or("", |before| before.rsplit('\n').next().unwrap_or(""));
    let rest = source.get(range.start..).and_then(|t| t.lines().next()).unwrap_or_default();
    let line_text: String = format!("{whole}{rest}").chars().take(120).collect();
    let at = whole.chars().count().min(120);
    let caret = format!("{line_text}\n{}{}", " ".repeat(at), "^".repeat(length.clamp(1, 120)));
    RuleFault {
        sentence,
        line,
        column,
        length: number(length.max(1)),
        field: field.map(str::to_owned),
        field_at: 0,
        caret,
    }
}

fn line_and_column(source: &str, at: usize) -> (u32, u32) {
    let before = source.get(..at.min(source.len())).unwrap_or(source);
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (number(line), number(column))
}

/// The range of a field's value in the text, and where its own text begins there when it stands as it is
/// meant (without escapes).
fn locate(source: &str, field: &str, shown: &str) -> Option<(Range<usize>, Option<usize>)> {
    let document = Document::parse(source).ok()?;
    let tables = document.get("alert")?.as_array_of_tables()?;
    let mut at: &dyn TableLike = tables.get(0)?;
    let mut item: Option<&Item> = None;
    let mut parts = field.split('.').peekable();
    while let Some(part) = parts.next() {
        if let Ok(number) = part.parse::<usize>() {
            let list = item?.as_array_of_tables()?;
            at = list.get(number.checked_sub(1)?)?;
            item = None;
            continue;
        }
        item = Some(at.get(part)?);
        if let Some(inner) = item.and_then(Item::as_table_like)
            && parts.peek().is_some()
        {
            at = inner;
        }
    }
    let value = item?.as_value()?;
    let value = match value.as_array() {
        // The element that is meant, else the list.
        Some(list) => list
            .iter()
            .find(|v| v.as_str().is_some_and(|text| !shown.is_empty() && text.starts_with(shown)))
            .unwrap_or(value),
        None => value,
    };
    let range = value.span()?;
    let offset = value.as_str().and_then(|text| {
        let raw = source.get(range.clone())?;
        raw.find(text).map(|inner| range.start + inner)
    });
    Some((range, offset))
}
