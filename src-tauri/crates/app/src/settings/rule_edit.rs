//! Rules for the editor: the list, a rule checked before it is saved, and the changes of the file.

use std::{path::Path, sync::Arc};

use engine::alerts::{Defaults, Position, RuleError, RuleSpec, Rulebook};
use toml_edit::{ArrayOfTables, Document, DocumentMut, Item, Table as TomlTable};

use super::{
    EditError, Settings, Webhook,
    edit::change,
    read,
    rule_text::{fault_at, form_of, page_of, place, text_of, text_of_spec, unplaced, write},
    rules::{self, RuleText},
    table::{Page, Table},
};
use crate::api::{Code, Failure, RuleEntry, RuleFault, RuleForm};

/// Longer is no rule.
const LONGEST: usize = 256 << 10;

/// The rule that is being looked at has this place, so that its errors are told from others'.
const HERE: Position = Position(usize::MAX);

/// A rule that was read and compiled among the others.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    pub text: String,
    pub form: Option<RuleForm>,
    pub errors: Vec<RuleFault>,
    /// This rule alone, turned on, with groups and hours: for the preview.
    pub alone: Arc<Rulebook>,
    /// What it was compiled from, turned on.
    spec: Option<RuleSpec>,
}

impl Checked {
    /// Name of the rule, once it is known.
    pub fn name(&self) -> &str {
        self.form.as_ref().map_or("", |form| form.name.as_str())
    }
    /// All rules with this one in its place: for a trial.
    pub fn among(&self, settings: &Settings, replaces: Option<&str>) -> Arc<Rulebook> {
        let context = &*settings.rule_text;
        let mut all = context.rules.clone();
        if let Some(own) = &self.spec {
            let wanted = replaces.unwrap_or(&own.name);
            match all.iter_mut().find(|rule| rule.name == wanted) {
                Some(rule) => *rule = own.clone(),
                None => all.push(own.clone()),
            }
        }
        Arc::new(compile(context, all, context.defaults.clone()).0)
    }
    /// The first error as an answer to "save".
    pub fn failure(&self) -> Option<Failure> {
        let first = self.errors.first()?;
        let mut failure =
            Failure::new(Code::InvalidField, format!("Line {}: {}.", first.line, first.sentence));
        failure.field.clone_from(&first.field);
        Some(failure)
    }
}

/// All rules: those of the file in its order, then the default ones that none of them replaces.
pub(crate) fn entries(file: &Path, settings: &Settings) -> Result<Vec<RuleEntry>, Failure> {
    let document = document(file)?;
    let names = default_names();
    let own = document.get("alert").and_then(Item::as_array_of_tables);
    let mut list: Vec<RuleEntry> = Vec::new();
    for table in own.into_iter().flatten() {
        let text = page_of(table.clone());
        let before: Vec<String> = list.iter().map(|e| e.name.clone()).collect();
        let checked = check_text(settings, text, &before);
        let name = table.get("name").and_then(Item::as_str).unwrap_or("(no name)").to_owned();
        list.push(RuleEntry {
            default: names.contains(&name),
            name,
            enabled: table.get("enabled").and_then(Item::as_bool).unwrap_or(true),
            subject: checked.alone.rules().first().map(engine::alerts::Rule::subject),
            form: checked.form.unwrap_or_default(),
            text: checked.text,
            own: true,
            error: checked.errors.into_iter().next(),
        });
    }
    let defaults = settings.rules.rules().iter().filter(|rule| rule.is_default());
    list.extend(defaults.map(|rule| RuleEntry {
        name: rule.name().to_owned(),
        text: text_of_spec(rule.spec()),
        form: form_of(rule.spec()),
        default: true,
        own: false,
        enabled: rule.is_enabled(),
        subject: Some(rule.subject()),
        error: None,
    }));
    Ok(list)
}

/// Reads a rule's text as it would be read from the file, among the other rules.
pub(crate) fn check(settings: &Settings, text: String, replaces: Option<&str>) -> Checked {
    let others: Vec<String> = settings.rule_text.rules.iter().map(|r| r.name.clone()).collect();
    let mut others = others;
    if let Some(at) = replaces.and_then(|name| others.iter().position(|n| n == name)) {
        others.remove(at);
    }
    check_text(settings, text, &others)
}

/// The text that a form stands for: the file's own rule with what differs, or a new one.
pub(crate) fn write_form(file: &Path, form: &RuleForm, replaces: Option<&str>) -> String {
    let own = replaces.and_then(|name| {
        let document = document(file).ok()?;
        let list = document.get("alert")?.as_array_of_tables()?;
        list.iter().find(|t| is_named(t, name)).cloned()
    });
    let Some(mut table) = own else { return text_of(form) };
    let page = page_of(table.clone());
    match read_one(&page).map(|spec| form_of(&spec)) {
        Ok(old) => {
            write(&mut table, &old, form);
            page_of(table)
        }
        Err(_) => text_of(form),
    }
}

fn check_text(settings: &Settings, text: String, taken: &[String]) -> Checked {
    let mut checked = Checked { text, ..Checked::default() };
    let spec = match read_one(&checked.text) {
        Ok(spec) => RuleSpec { position: HERE, ..spec },
        Err(fault) => {
            checked.errors.push(*fault);
            return checked;
        }
    };
    checked.form = Some(form_of(&spec));
    let context = &*settings.rule_text;
    if taken.contains(&spec.name) {
        let sentence = "this name is taken by another rule; give it another one";
        let error = RuleError::about(&spec.name, HERE, "name", &spec.name, sentence);
        checked.errors.push(place(&checked.text, &error));
    }
    let on = RuleSpec { enabled: Some(true), ..spec };
    let (alone, errors) = compile(context, vec![on.clone()], false);
    checked.errors.extend(errors.iter().filter(|e| e.position == HERE).map(|e| place(&checked.text, e)));
    let strangers = alone.rules().iter().flat_map(|rule| strangers(rule, &settings.webhooks));
    checked.errors.extend(strangers.map(|e| place(&checked.text, &e)));
    checked.alone = Arc::new(alone);
    checked.spec = Some(on);
    checked
}

fn strangers(rule: &engine::alerts::Rule, webhooks: &[Webhook]) -> Vec<RuleError> {
    read::strangers(rule, webhooks)
}

fn compile(
    context: &RuleText,
    rules: Vec<RuleSpec>,
    defaults: impl Into<Defaults>,
) -> (Rulebook, Vec<RuleError>) {
    Rulebook::compile(&rules, &context.groups, &context.hours, context.targets, defaults)
}

/// Exactly one `[[alert]]` and nothing else.
fn read_one(text: &str) -> Result<RuleSpec, Box<RuleFault>> {
    let whole = |sentence: &str| Box::new(fault_at(text, 0..0, None, sentence.to_owned()));
    if text.len() > LONGEST {
        return Err(whole("this is far too long for a rule; write one [[alert]]"));
    }
    let document = Document::parse(text).map_err(|error| {
        let what = error.message().lines().next().unwrap_or("it cannot be understood").to_owned();
        let sentence = format!("this is not valid TOML: {what}");
        Box::new(fault_at(text, error.span().unwrap_or(0..0), None, sentence))
    })?;
    let page = Page { file: Path::new(""), text };
    let top = Table { page, table: document.as_table(), span: None };
    let one = "write one rule here, beginning with a line [[alert]]";
    if let Some(key) = top.keys().into_iter().find(|key| key != "alert") {
        let range = top.place(&key).unwrap_or(0..0);
        return Err(Box::new(fault_at(text, range, None, one.to_owned())));
    }
    let tables = read::tables(&top, "alert").map_err(|_| whole(one))?;
    match <[_; 1]>::try_from(tables) {
        Ok([(table, span)]) => {
            let table = Table { page, table, span };
            rules::one(&table).map_err(|error| {
                let key = error.key.clone().unwrap_or_default();
                let place = rules::place_of(&table, &key, error.line);
                Box::new(fault_at(text, place, error.key.as_deref(), format!("`{key}` {}", error.what)))
            })
        }
        Err(tables) if tables.is_empty() => Err(whole(one)),
        Err(_) => Err(whole("this is more than one rule; save them one by one")),
    }
}

/// Puts a rule's text into the file. Its comments and those around it stay.
pub(crate) fn write_rule(file: &Path, text: &str, replaces: Option<&str>) -> Result<(), EditError> {
    let Some((mut table, trailing)) = only_table(text) else {
        return Err(EditError::Broken("the rule".to_owned()));
    };
    change(file, |document| {
        let Some(list) = alerts_of(document) else { return Err(inline(file)) };
        let at = replaces.and_then(|name| list.iter().position(|t| is_named(t, name)));
        let own = prefix(&table);
        let lines = |text: &str| text.trim_matches(['\n', '\r']).to_owned();
        let mut comments: Vec<String> = [lines(&own), lines(&trailing)].into();
        comments.retain(|c| !c.trim().is_empty());
        let mut head = comments.join("\n");
        if !head.is_empty() {
            head.push('\n');
        }
        match at.and_then(|at| list.get_mut(at)) {
            Some(old) => {
                let gap: String = prefix(old).chars().take_while(|c| matches!(c, '\n' | '\r')).collect();
                table.decor_mut().set_prefix(format!("{gap}{head}"));
                let position = old.position();
                *old = table;
                if let Some(position) = position {
                    old.set_position(position);
                }
            }
            None => {
                table.decor_mut().set_prefix(format!("\n{head}"));
                list.push(table);
            }
        }
        Ok(())
    })?
}

/// Takes the rule out. `false`: the file has none of this name.
pub(crate) fn remove_rule(file: &Path, name: &str) -> Result<bool, EditError> {
    change(file, |document| {
        let Some(list) = alerts_of(document) else { return Err(inline(file)) };
        let at = list.iter().position(|t| is_named(t, name));
        at.map(|at| list.remove(at));
        if list.is_empty() {
            document.remove("alert");
        }
        Ok(at.is_some())
    })?
}

/// Turns a rule of the file on or off. `false`: the file has none of this name.
pub(crate) fn enable_rule(file: &Path, name: &str, enabled: bool) -> Result<bool, EditError> {
    change(file, |document| {
        let Some(list) = alerts_of(document) else { return Err(inline(file)) };
        let Some(table) = list.iter_mut().find(|t| is_named(t, name)) else { return Ok(false) };
        if enabled && !table.contains_key("enabled") {
            return Ok(true);
        }
        super::edit::set(table, "enabled", enabled.into());
        Ok(true)
    })?
}

fn inline(file: &Path) -> EditError {
    EditError::Inline(file.display().to_string())
}

fn alerts_of(document: &mut DocumentMut) -> Option<&mut ArrayOfTables> {
    let list = document.entry("alert").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    list.as_array_of_tables_mut()
}

fn only_table(text: &str) -> Option<(TomlTable, String)> {
    let document: DocumentMut = text.parse().ok()?;
    let table = document.get("alert")?.as_array_of_tables()?.get(0)?;
    Some((unplaced(table), document.trailing().as_str().unwrap_or_default().to_owned()))
}

fn prefix(table: &TomlTable) -> String {
    table.decor().prefix().and_then(|p| p.as_str()).unwrap_or_default().to_owned()
}

fn is_named(table: &TomlTable, name: &str) -> bool {
    table.get("name").and_then(Item::as_str) == Some(name)
}

fn document(file: &Path) -> Result<DocumentMut, Failure> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(Failure::new(Code::Storage, format!("The configuration cannot be read: {error}.")));
        }
    };
    text.parse().map_err(|_| {
        let sentence = "The configuration is not valid TOML any more; mend the file by hand first.";
        Failure::new(Code::Storage, sentence)
    })
}

fn default_names() -> Vec<String> {
    let (book, _) = Rulebook::compile(&[], &[], &[], Default::default(), true);
    book.rules().iter().map(|rule| rule.name().to_owned()).collect()
}
