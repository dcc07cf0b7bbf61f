//! From rules as written to rules in force. A bad rule is reported; the others stay active.

mod clear;

use std::collections::HashSet;

use model::{Severity, SubjectKind};

use clear::{bare_clear, cap_critical, is_safe};

use super::{
    GroupSpec, HoursSpec, MetricName, OverrideSpec, Position, RuleError, RuleSpec, Targets,
    asks::{Asked, Asks},
    condition::{Compare, Expr, Limit},
    defaults::{Defaults, default_rules},
    globs::Globs,
    hours::{self, Schedule},
    language::{Fault, Field, Op, closest, condition, is_unseen, parse_duration, subject_text},
    rule::{Channel, Group, Hours, Level, Override, Rule, Scope, Terms},
};

/// The rules in force, with groups, hours and targets.
#[derive(Clone, Debug, Default)]
pub struct Rulebook {
    pub(crate) rules: Vec<Rule>,
    pub(crate) groups: Vec<Group>,
    pub(crate) hours: Vec<Hours>,
    /// What all rules together ask of a target.
    pub(crate) asks: Asks,
    targets: Targets,
}

impl Rulebook {
    /// Checks everything. Rules that cannot be used are left out and reported, groups and hours alike.
    /// A user's rule that has the name of a default rule replaces it, also when it is turned off.
    pub fn compile(
        specs: &[RuleSpec],
        groups: &[GroupSpec],
        hours: &[HoursSpec],
        targets: Targets,
        defaults: impl Into<Defaults>,
    ) -> (Rulebook, Vec<RuleError>) {
        let mut errors = Vec::new();
        let mut book = Rulebook { targets, ..Rulebook::default() };
        book.groups = groups.iter().filter_map(|g| keep(group(g), &mut errors)).collect();
        book.hours = hours.iter().filter_map(|h| keep(opening(h), &mut errors)).collect();
        let mut names = HashSet::new();
        for spec in specs {
            let about = About { rule: &spec.name, position: spec.position };
            let rule = about.name(&names).and_then(|()| {
                names.insert(spec.name.clone());
                compile_rule(spec, &book.groups, false)
            });
            book.rules.extend(keep(rule, &mut errors));
        }
        for spec in default_rules(&defaults.into()).iter().filter(|s| !names.contains(&s.name)) {
            book.rules.extend(keep(compile_rule(spec, &book.groups, true), &mut errors));
        }
        book.asks = Asks::of(&mut book.rules);
        (book, errors)
    }

    /// What the cards are held against.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }
    /// The rules that can be used, the user's first, in the order of the file.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
    /// One rule.
    pub fn rule(&self, name: &str) -> Option<&Rule> {
        self.rules.iter().find(|r| r.name == name)
    }
}

fn keep<T>(result: Result<T, RuleError>, errors: &mut Vec<RuleError>) -> Option<T> {
    result.map_err(|e| errors.push(e)).ok()
}

/// Who an error is about.
#[derive(Clone, Copy)]
struct About<'a> {
    rule: &'a str,
    position: Position,
}

impl About<'_> {
    fn error(&self, field: &str, text: &str, fault: Fault) -> RuleError {
        fault.into_error(self.rule, self.position, field, text)
    }
    fn sentence(&self, field: &str, text: &str, sentence: impl Into<String>) -> RuleError {
        self.error(field, text, Fault::whole(text, sentence))
    }
    fn name(&self, taken: &HashSet<String>) -> Result<(), RuleError> {
        let length = self.rule.chars().count();
        if !(1..=100).contains(&length) || self.rule.chars().any(is_unseen) {
            return Err(self.sentence(
                "name",
                self.rule,
                "a name has between 1 and 100 printable characters",
            ));
        }
        if taken.contains(self.rule) {
            let sentence = "this name is taken by a rule above; give it another one";
            return Err(self.sentence("name", self.rule, sentence));
        }
        Ok(())
    }
    fn duration(&self, field: &str, text: Option<&str>, default_ms: i64) -> Result<i64, RuleError> {
        let Some(text) = text else { return Ok(default_ms) };
        match parse_duration(text) {
            Ok(ms) if ms < 0 => Err(self.sentence(field, text, "a time cannot be negative")),
            Ok(ms) => Ok(ms),
            Err(sentence) => Err(self.sentence(field, text, sentence)),
        }
    }
    fn globs(&self, field: &str, patterns: &[String]) -> Result<Globs, RuleError> {
        Globs::compile(patterns).map_err(|(at, sentence)| {
            let text = patterns.get(at).map_or("", String::as_str);
            self.sentence(field, text, sentence)
        })
    }
}

fn group(spec: &GroupSpec) -> Result<Group, RuleError> {
    let about = About { rule: &spec.name, position: spec.position };
    about.name(&HashSet::new())?;
    Ok(Group { name: spec.name.clone(), queues: about.globs("queues", &spec.queues)? })
}

fn opening(spec: &HoursSpec) -> Result<Hours, RuleError> {
    let about = About { rule: "hours", position: spec.position };
    let queues = about.globs("queues", &spec.queues)?;
    Ok(Hours { queues, schedule: schedule(about, "open", &spec.open, Some(&spec.zone))? })
}

fn schedule(
    about: About<'_>,
    field: &str,
    open: &[String],
    zone: Option<&str>,
) -> Result<Schedule, RuleError> {
    let Some(zone) = zone else {
        return Err(about.sentence(
            "zone",
            &open.join(", "),
            format!("`{field}` needs a `zone`, for example Europe/Helsinki"),
        ));
    };
    let found = hours::zone(zone).map_err(|fault| about.error("zone", zone, fault))?;
    Schedule::compile(found, open)
        .map_err(|(at, fault)| about.error(field, open.get(at).map_or("", String::as_str), fault))
}

fn compile_rule(spec: &RuleSpec, groups: &[Group], is_default: bool) -> Result<Rule, RuleError> {
    let about = About { rule: &spec.name, position: spec.position };
    let mut subject = None;
    let own = terms(about, spec, None, &mut subject, "")?;
    let Some(subject) = subject else {
        return Err(about.sentence("when", &spec.when, "the condition names no metric"));
    };
    let scope = scope(about, spec, subject, groups)?;
    let mut all = vec![own];
    let mut overrides = Vec::new();
    for (at, o) in spec.overrides.iter().enumerate() {
        let prefix = format!("override.{}.", at + 1);
        let (level, patterns) = override_level(about, &prefix, o)?;
        if !has_queues(subject) && level != Level::Source || subject == SubjectKind::Floor {
            let sentence = format!("a rule about {} has no {}s", subject_text(subject), level.as_str());
            return Err(about.sentence(
                &format!("{prefix}{}", level.as_str()),
                &patterns.join(", "),
                sentence,
            ));
        }
        let globs = about.globs(&format!("{prefix}{}", level.as_str()), patterns)?;
        if level == Level::Group {
            known_groups(about, &format!("{prefix}group"), patterns, groups)?;
        }
        let mut terms = terms(about, spec, Some(o), &mut Some(subject), &prefix)?;
        let shown: Vec<&str> = patterns.iter().map(String::as_str).take(3).collect();
        terms.level = format!("override for {} “{}”", level.as_str(), shown.join("”, “"));
        all.push(terms);
        overrides.push(Override { level, globs });
    }
    let active = match spec.active.as_deref() {
        None => None,
        Some([]) => {
            let sentence = "is empty, so that the rule would never be told; leave `active` out, or write hours \
                            like \"mon-fri 08:00-20:00\"";
            return Err(about.sentence("active", "", sentence));
        }
        Some(open) => Some(schedule(about, "active", open, spec.zone.as_deref())?),
    };
    let min_n = match spec.min_n {
        None => None,
        Some(n) => Some(u32::try_from(n).map_err(|_| {
            about.sentence("min_n", &n.to_string(), "a sample size is a whole number from 0 up")
        })?),
    };
    let names_hours = all.iter().any(|t| t.reads.iter().any(|m| m.name == "open_hours"));
    Ok(Rule {
        name: spec.name.clone(),
        subject,
        severity: severity(about, spec)?,
        scope,
        notify: notify(about, spec.notify.as_deref())?,
        min_n,
        active,
        names_hours,
        terms: all,
        overrides,
        is_default,
        spec: Box::new(spec.clone()),
    })
}

fn severity(about: About<'_>, spec: &RuleSpec) -> Result<Severity, RuleError> {
    match spec.severity.as_deref() {
        None | Some("warning") => Ok(Severity::Warning),
        Some("critical") if spec.critical.is_some() => Err(about.sentence(
            "severity",
            "critical",
            "a rule with `critical` begins as a warning; leave `severity` out",
        )),
        Some("critical") => Ok(Severity::Critical),
        Some(other) => Err(about.sentence("severity", other, "a severity is `warning` or `critical`")),
    }
}

fn notify(about: About<'_>, channels: Option<&[String]>) -> Result<Vec<Channel>, RuleError> {
    let Some(channels) = channels else { return Ok(vec![Channel::Desktop, Channel::Sound, Channel::Tray]) };
    channels
        .iter()
        .map(|c| match c.as_str() {
            "desktop" => Ok(Channel::Desktop),
            "sound" => Ok(Channel::Sound),
            "tray" => Ok(Channel::Tray),
            other => match other.strip_prefix("webhook:") {
                Some(name) if !name.is_empty() => Ok(Channel::Webhook(name.to_string())),
                _ => Err(about.sentence(
                    "notify",
                    other,
                    "a notice goes to desktop, sound, tray or webhook:NAME",
                )),
            },
        })
        .collect()
}

fn has_queues(subject: SubjectKind) -> bool {
    matches!(subject, SubjectKind::Queue | SubjectKind::Agent | SubjectKind::Conversation)
}

fn scope(
    about: About<'_>,
    spec: &RuleSpec,
    subject: SubjectKind,
    groups: &[Group],
) -> Result<Scope, RuleError> {
    let s = &spec.scope;
    let read = |name: &str, list: &Option<Vec<String>>, fits: bool| -> Result<Option<Globs>, RuleError> {
        let Some(list) = list else { return Ok(None) };
        let field = format!("scope.{name}");
        if !fits {
            let sentence =
                format!("a rule about {} has no {name}s; leave `{field}` out", subject_text(subject));
            return Err(about.sentence(&field, &list.join(", "), sentence));
        }
        about.globs(&field, list).map(Some)
    };
    let agents = matches!(subject, SubjectKind::Agent | SubjectKind::Conversation);
    let scope = Scope {
        source: read("source", &s.source, subject != SubjectKind::Floor)?,
        queue: read("queue", &s.queue, has_queues(subject))?,
        group: read("group", &s.group, has_queues(subject))?,
        agent: read("agent", &s.agent, agents)?,
    };
    if let Some(list) = &s.group {
        known_groups(about, "scope.group", list, groups)?;
    }
    Ok(scope)
}

/// A group that is not there is a slip; a pattern with wildcards may match nothing yet.
fn known_groups(
    about: About<'_>,
    field: &str,
    patterns: &[String],
    groups: &[Group],
) -> Result<(), RuleError> {
    for pattern in patterns.iter().filter(|p| !p.contains(['*', '?', '[', '{'])) {
        if !groups.iter().any(|g| g.name.eq_ignore_ascii_case(pattern)) {
            let hint = closest(pattern, groups.iter().map(|g| g.name.as_str()))
                .map(|g| format!("; did you mean {g}?"))
                .unwrap_or_default();
            return Err(about.sentence(field, pattern, format!("there is no [[group]] of this name{hint}")));
        }
    }
    Ok(())
}

fn override_level<'a>(
    about: About<'_>,
    prefix: &str,
    o: &'a OverrideSpec,
) -> Result<(Level, &'a [String]), RuleError> {
    let given: Vec<(Level, &'a [String])> =
        [(Level::Queue, &o.queue), (Level::Group, &o.group), (Level::Source, &o.source)]
            .into_iter()
            .filter_map(|(level, list)| list.as_deref().map(|l| (level, l)))
            .collect();
    match given[..] {
        [one] => Ok(one),
        _ => {
            let field = prefix.trim_end_matches('.');
            let text = "[[alert.override]]";
            Err(about.sentence(field, text, "an override names exactly one of `queue`, `group`, `source`"))
        }
    }
}

/// The rule's own terms, or with an override's fields in their place.
fn terms(
    about: About<'_>,
    spec: &RuleSpec,
    o: Option<&OverrideSpec>,
    subject: &mut Option<SubjectKind>,
    prefix: &str,
) -> Result<Terms, RuleError> {
    // The field's name as the file has it: the override's where the override says it.
    let pick = |own: Option<&'_ String>, over: Option<&'_ String>, name: &str| match over {
        Some(text) => (Some(text.clone()), format!("{prefix}{name}")),
        None => (own.cloned(), name.to_string()),
    };
    let (when, when_field) = pick(Some(&spec.when), o.and_then(|o| o.when.as_ref()), "when");
    let (critical, critical_field) =
        pick(spec.critical.as_ref(), o.and_then(|o| o.critical.as_ref()), "critical");
    let (clear, clear_field) = pick(spec.clear.as_ref(), o.and_then(|o| o.clear.as_ref()), "clear");
    let (hold, hold_field) = pick(spec.hold.as_ref(), o.and_then(|o| o.hold.as_ref()), "for");
    let (keep, keep_field) = pick(spec.keep.as_ref(), o.and_then(|o| o.keep.as_ref()), "keep");
    let (repeat, repeat_field) = pick(spec.repeat.as_ref(), o.and_then(|o| o.repeat.as_ref()), "repeat");
    let when_text = when.unwrap_or_default();
    let mut reads: Vec<MetricName> = Vec::new();
    let mut read = |field: &str, text: &str, kind: Field, reads: &mut Vec<MetricName>| {
        condition(text, kind, subject, reads).map_err(|fault| about.error(field, text, fault))
    };
    let mut when = read(&when_field, &when_text, Field::Fire, &mut reads)?;
    let mut critical_expr = match &critical {
        Some(text) => Some(read(&critical_field, text, Field::Fire, &mut reads)?),
        None => None,
    };
    let mut clear_expr = None;
    if let Some(text) = &clear {
        match bare_clear(about, &clear_field, text, &mut when, &reads)? {
            true => {}
            false => {
                let expr = read(&clear_field, text, Field::Clear, &mut reads)?;
                is_safe(about, &clear_field, text, &when, &expr, &reads)?;
                clear_expr = Some(expr);
            }
        }
    }
    cap_critical(critical_expr.as_mut(), &when, clear_expr.as_ref());
    waiting_only(&mut when, &mut critical_expr, &mut clear_expr, *subject, &mut reads);
    let repeat_ms = about.duration(&repeat_field, repeat.as_deref(), 300_000)?;
    if repeat_ms < 1000 {
        let text = repeat.unwrap_or_default();
        return Err(about.sentence(&repeat_field, &text, "a notice is repeated after at least 1s"));
    }
    Ok(Terms {
        enabled: o.and_then(|o| o.enabled).or(spec.enabled).unwrap_or(true),
        reads,
        asked: Asked::default(),
        when,
        critical: critical_expr,
        clear: clear_expr,
        hold_ms: about.duration(&hold_field, hold.as_deref(), 0)?,
        keep_ms: about.duration(&keep_field, keep.as_deref(), 30_000)?,
        repeat_ms,
        when_text,
        critical_text: critical,
        level: String::new(),
    })
}

/// Rules about conversations look at those waiting, unless they name the state themselves.
fn waiting_only(
    when: &mut Expr,
    critical: &mut Option<Expr>,
    clear: &mut Option<Expr>,
    subject: Option<SubjectKind>,
    reads: &mut Vec<MetricName>,
) {
    if subject != Some(SubjectKind::Conversation) || reads.iter().any(|m| m.name == "state") {
        return;
    }
    reads.push(MetricName { name: "state", window: None });
    let state = |op: Op| {
        Expr::Compare(Compare {
            metric: reads.len() - 1,
            unit: None,
            op,
            limit: Limit::Word("waiting".into()),
            clear: None,
            sampled: false,
        })
    };
    for expr in std::iter::once(when).chain(critical.as_mut()) {
        *expr = Expr::And(vec![expr.clone(), state(Op::Eq)]);
    }
    // Who was answered no longer waits, whatever the recovery condition says of the wait.
    if let Some(expr) = clear {
        *expr = Expr::Or(vec![expr.clone(), state(Op::Ne)]);
    }
}
