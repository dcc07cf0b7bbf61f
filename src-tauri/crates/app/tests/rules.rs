//! The rule editor: the list, a rule checked, saved, turned off, taken out; the file keeps its comments.

#![allow(clippy::unwrap_used)]

use std::{path::Path, sync::Arc};

use app::{
    Floorwalker, Ports, Start,
    api::{
        Ask, Code, Failure, HistoryQuery, OverrideForm, Preferences, Reply, RuleCheck, RuleEntry, RuleForm,
        ScopeForm,
    },
    keychain::Keychain,
    ports::NoDesktop,
};
use link::SystemClock;

fn start(folder: &Path, record: bool) -> Floorwalker {
    let start = Start {
        config: folder.join("floorwalker.toml"),
        data: folder.join("data"),
        only: None,
        record,
        strict: false,
        demo: false,
        tapes: None,
    };
    let ports = Ports {
        vault: Arc::new(Keychain),
        notifier: Arc::new(NoDesktop),
        opener: Arc::new(NoDesktop),
        speaker: Arc::new(NoDesktop),
        clock: Arc::new(SystemClock),
    };
    Floorwalker::start(start, ports).unwrap()
}

async fn rules(app: &Floorwalker) -> Vec<RuleEntry> {
    match app.ask(Ask::Rules).await {
        Ok(Reply::Rules(rules)) => rules,
        other => panic!("{other:?}"),
    }
}

async fn check(app: &Floorwalker, text: &str, replaces: Option<&str>) -> RuleCheck {
    let replaces = replaces.map(str::to_owned);
    match app.ask(Ask::CheckRule { text: Some(text.to_owned()), form: None, replaces }).await {
        Ok(Reply::CheckRule(check)) => *check,
        other => panic!("{other:?}"),
    }
}

async fn save(app: &Floorwalker, text: &str, replaces: Option<&str>) -> Result<Reply, Failure> {
    app.ask(Ask::SaveRule { text: text.to_owned(), replaces: replaces.map(str::to_owned) }).await
}

const FILE: &str = "\
# Our floor.

# Too many people.
[[alert]]
name = \"Crowd\"   # as the team calls it
when = \"queue.waiting > 8\"
for = \"20s\"

[[alert.override]]
queue = \"a:*\"
when = \"queue.waiting > 20\"

# Mind the gap.
[[alert]]
name = \"Long wait\"
when = \"queue.longest_wait > 90s\"

[[source]]  # the only one
id = \"desk\"
name = \"Desk\"
vendor = \"comm100\"
site_id = 1
email = \"sup@example.com\"
url = \"http://127.0.0.1:9/v4\"
enabled = false
";

#[tokio::test]
async fn the_list_has_yours_as_written_and_the_default_ones() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("floorwalker.toml"), FILE).unwrap();
    let app = start(folder.path(), false);
    let list = rules(&app).await;
    assert_eq!(list[0].name, "Crowd");
    assert!(list[0].text.starts_with("# Our floor.\n\n# Too many people.\n[[alert]]\n"), "{}", list[0].text);
    assert!(list[0].text.contains("# as the team calls it") && list[0].text.contains("[[alert.override]]"));
    assert_eq!(list[0].form.hold.as_deref(), Some("20s"));
    assert_eq!(list[0].form.overrides[0].queue, ["a:*"]);
    assert!(list[0].own && !list[0].default && list[0].enabled && list[0].error.is_none());
    // Yours of a default rule's name replaces it: it is there once.
    let long: Vec<&RuleEntry> = list.iter().filter(|r| r.name == "Long wait").collect();
    assert!(long.len() == 1 && long[0].own && long[0].default);
    let lost = list.iter().find(|r| r.name == "Source lost").unwrap();
    assert!(
        !lost.own && lost.default && lost.text.contains("when = \"source.lost_for > 4s\""),
        "{}",
        lost.text
    );
    // Every text is a rule that can be saved as it stands.
    for rule in &list {
        let checked = check(&app, &rule.text, Some(&rule.name)).await;
        assert_eq!((checked.errors, checked.form.as_ref()), (vec![], Some(&rule.form)), "{}", rule.name);
    }
    app.shutdown().await;
}

#[tokio::test]
async fn saving_keeps_comments_and_order_and_removing_brings_the_default_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("floorwalker.toml");
    std::fs::write(&file, FILE).unwrap();
    let app = start(folder.path(), false);
    let form = RuleForm { hold: Some("45s".into()), ..rules(&app).await.remove(0).form };
    let replaces = Some("Crowd".to_owned());
    let checked = app.ask(Ask::CheckRule { text: None, form: Some(form), replaces: replaces.clone() }).await;
    let Ok(Reply::CheckRule(checked)) = checked else { panic!("{checked:?}") };
    assert!(checked.text.contains("# as the team calls it"), "{}", checked.text);
    assert_eq!(save(&app, &checked.text, Some("Crowd")).await, Ok(Reply::Done));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), FILE.replace("\"20s\"", "\"45s\""));

    // A new one goes to the end, before nothing of which anything is lost.
    let new = "[[alert]]\n# mine\nname = \"Mine\"\nwhen = \"queue.waiting > 1\"\n";
    assert_eq!(save(&app, new, None).await, Ok(Reply::Done));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("# mine") && text.contains("[[source]]  # the only one"), "{text}");
    let names: Vec<String> = rules(&app).await.into_iter().filter(|r| r.own).map(|r| r.name).collect();
    assert_eq!(names, ["Crowd", "Long wait", "Mine"]);

    assert_eq!(app.ask(Ask::RemoveRule { name: "Long wait".into() }).await, Ok(Reply::Done));
    let long: Vec<RuleEntry> = rules(&app).await.into_iter().filter(|r| r.name == "Long wait").collect();
    assert!(long.len() == 1 && !long[0].own && long[0].form.when == "queue.longest_wait > 60s");
    let gone = app.ask(Ask::RemoveRule { name: "Long wait".into() }).await.unwrap_err();
    assert_eq!(gone.code, Code::NotFound);

    // A default rule is turned off by an entry of its name, a rule of the file by a key.
    for name in ["Abandonment", "Crowd"] {
        let off = Ask::SetRuleEnabled { name: name.into(), enabled: false };
        assert_eq!(app.ask(off).await, Ok(Reply::Done));
        let rule = rules(&app).await.into_iter().find(|r| r.name == name).unwrap();
        assert!(rule.own && !rule.enabled, "{rule:?}");
        let on = Ask::SetRuleEnabled { name: name.into(), enabled: true };
        assert_eq!(app.ask(on).await, Ok(Reply::Done));
        assert!(rules(&app).await.into_iter().any(|r| r.name == name && r.enabled));
    }
    app.shutdown().await;
}

#[tokio::test]
async fn what_is_wrong_is_told_with_its_place_and_never_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("floorwalker.toml");
    std::fs::write(&file, FILE).unwrap();
    let app = start(folder.path(), false);
    let place = async |text: &str| {
        let checked = check(&app, text, None).await;
        let first = checked.errors.first().unwrap_or_else(|| panic!("{text} is fine")).clone();
        (first.line, first.column, first.length, first.field.unwrap_or_default(), first.sentence)
    };
    let rule = |rest: &str| format!("[[alert]]\nname = \"New\"\n{rest}\n");
    let (line, column, length, field, sentence) = place(&rule("when = \"queue.longest_wiat > 60s\"")).await;
    assert_eq!((line, column, length, field.as_str()), (3, 15, 12, "when"), "{sentence}");
    assert!(sentence.contains("longest_wait"), "{sentence}");
    let (line, column, _, field, sentence) = place(&rule("when = \"queue.waiting > 5s\"")).await;
    assert_eq!((line, column, field.as_str()), (3, 25, "when"), "{sentence}");
    let (line, _, _, field, _) = place(&rule("when = \"queue.waiting > 5\"\nclear = \"9\"")).await;
    assert_eq!((line, field.as_str()), (4, "clear"));
    let (line, column, _, field, _) =
        place("[[alert]]\nname = \"Crowd\"\nwhen = \"queue.waiting > 5\"\n").await;
    assert_eq!((line, column, field.as_str()), (2, 9, "name"));
    let hours = "when = \"queue.waiting > 5\"\nactive = [\"mon-fri 08:00-20:00\"]\nzone = \"Mars/Olympus\"";
    let (line, _, _, field, sentence) = place(&rule(hours)).await;
    assert_eq!((line, field.as_str()), (5, "zone"), "{sentence}");
    let (line, _, _, field, _) = place(&rule("wehn = \"queue.waiting > 5\"")).await;
    assert_eq!((line, field.as_str()), (3, "wehn"));
    let (line, _, _, field, _) = place(&rule("for = 5")).await;
    assert_eq!((line, field.as_str()), (1, "when"), "what is missing is looked for first");
    let (line, ..) = place("[[alert]]\nname = \"New\nwhen = 3").await;
    assert_eq!(line, 2);
    let long = rule(&format!("when = \"queue.waiting > {}\"", "9".repeat(1_000_000)));
    assert!(place(&long).await.4.len() < 300);
    let long = rule(&format!("when = \"queue.waiting > {}\"", "9".repeat(100_000)));
    let (line, .., field, sentence) = place(&long).await;
    assert!(line == 3 && field == "when" && sentence.len() < 300, "{sentence}");
    let over = "when = \"queue.waiting > 5\"\n[[alert.override]]\nqueue = \"*\"\nwhen = \"queue.waitin > 9\"";
    let (line, column, _, field, _) = place(&rule(over)).await;
    assert_eq!((line, column, field.as_str()), (6, 15, "override.1.when"));
    for text in ["", "name = \"New\"\n", "[[alert]]\nname = \"A\"\nwhen = \"queue.waiting > 1\"\n[[alert]]\n"]
    {
        assert!(!check(&app, text, None).await.errors.is_empty(), "{text}");
        let refused = save(&app, text, None).await.unwrap_err();
        assert_eq!(refused.code, Code::InvalidField);
    }
    let refused = save(&app, &rule("when = \"queue.longest_wiat > 60s\""), None).await.unwrap_err();
    assert_eq!((refused.code, refused.field.as_deref()), (Code::InvalidField, Some("when")));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), FILE, "nothing wrong was written");
    app.shutdown().await;
}

#[tokio::test]
async fn form_and_text_are_two_views_of_one_rule() {
    let folder = tempfile::tempdir().unwrap();
    let app = start(folder.path(), false);
    let form = RuleForm {
        name: "All of it".into(),
        when: "queue.waiting > 5 and queue.agents_online < 3".into(),
        critical: Some("queue.waiting > 9".into()),
        scope: ScopeForm { source: vec!["desk".into()], queue: vec!["*:a*".into()], ..ScopeForm::default() },
        hold: Some("15s".into()),
        keep: Some("1m".into()),
        repeat: Some("10m".into()),
        min_n: Some(3),
        active: vec!["mon-fri 08:00-20:00".into(), "sat 10:00-16:00".into()],
        zone: Some("Europe/Helsinki".into()),
        notify: Some(vec!["tray".into(), "desktop".into()]),
        enabled: false,
        overrides: vec![
            OverrideForm { queue: vec!["*".into()], hold: Some("5s".into()), ..OverrideForm::default() },
            OverrideForm { source: vec!["desk".into()], enabled: Some(true), ..OverrideForm::default() },
        ],
        ..RuleForm::default()
    };
    let ask = Ask::CheckRule { text: None, form: Some(form.clone()), replaces: None };
    let Ok(Reply::CheckRule(checked)) = app.ask(ask).await else { panic!() };
    assert_eq!(checked.errors, [], "{}", checked.text);
    assert_eq!(checked.form.as_ref(), Some(&form), "{}", checked.text);
    insta::assert_snapshot!(checked.text, @r#"
    [[alert]]
    name = "All of it"
    when = "queue.waiting > 5 and queue.agents_online < 3"
    critical = "queue.waiting > 9"
    for = "15s"
    keep = "1m"
    repeat = "10m"
    min_n = 3
    scope = { source = ["desk"], queue = ["*:a*"] }
    active = ["mon-fri 08:00-20:00", "sat 10:00-16:00"]
    zone = "Europe/Helsinki"
    notify = ["tray", "desktop"]
    enabled = false

    [[alert.override]]
    queue = ["*"]
    for = "5s"

    [[alert.override]]
    source = ["desk"]
    enabled = true
    "#);
    assert_eq!(save(&app, &checked.text, None).await, Ok(Reply::Done));
    let saved = rules(&app).await.into_iter().find(|r| r.name == "All of it").unwrap();
    assert_eq!((saved.form, saved.text), (form, checked.text));
    app.shutdown().await;
}

#[tokio::test]
async fn notes_log_budget_and_shift_end_answer_in_sentences() {
    let folder = tempfile::tempdir().unwrap();
    let app = start(folder.path(), true);
    let note = Ask::AddNote { alert: None, text: " called the vendor ".into() };
    assert_eq!(app.ask(note).await, Ok(Reply::Done));
    let empty = app.ask(Ask::AddNote { alert: None, text: "  ".into() }).await.unwrap_err();
    assert_eq!(empty.code, Code::InvalidField);
    let page = app.ask(Ask::AlertHistory { query: HistoryQuery::default() }).await;
    let Ok(Reply::AlertHistory(page)) = page else { panic!("{page:?}") };
    assert_eq!((page.lines.len(), page.more, page.notes[0].text.as_str()), (0, false, "called the vendor"));
    let Ok(Reply::Budget(budget)) = app.ask(Ask::Budget).await else { panic!() };
    assert_eq!((budget.last_hour, budget.limit, budget.noisiest, budget.quiet_until), (0, 10, None, None));
    let quiet = Preferences { mute: vec!["daily 00:00-24:00".into()], ..Preferences::default() };
    assert_eq!(app.ask(Ask::SetPreferences { preferences: quiet }).await, Ok(Reply::Done));
    let Ok(Reply::Budget(budget)) = app.ask(Ask::Budget).await else { panic!() };
    assert!(budget.quiet_until.is_some());
    let silent = app.ask(Ask::TestSound { severity: model::Severity::Critical, volume: None }).await;
    assert_eq!(silent.unwrap_err().code, Code::NotHere);
    let snooze = Ask::Snooze { alert: "a1".into(), minutes: None, shift_end: true };
    assert_eq!(app.ask(snooze).await.unwrap_err().field.as_deref(), Some("shift_ends"));
    let wrong = Preferences { shift_ends: vec!["26:00".into()], ..Preferences::default() };
    let refused = app.ask(Ask::SetPreferences { preferences: wrong }).await.unwrap_err();
    assert_eq!((refused.code, refused.field.as_deref()), (Code::InvalidField, Some("shift_ends")));
    let Ok(Reply::Metrics(metrics)) = app.ask(Ask::Metrics).await else { panic!() };
    assert!(metrics.iter().any(|m| m.name == "abandonment_rate" && !m.windows.is_empty()));
    app.shutdown().await;

    let app = start(folder.path(), false);
    let lost = app.ask(Ask::AddNote { alert: None, text: "x".into() }).await.unwrap_err();
    assert_eq!(lost.code, Code::Storage, "a face that keeps nothing says so");
    app.shutdown().await;
}

#[tokio::test]
async fn what_a_rule_can_name_is_listed_and_a_name_that_is_not_there_is_an_error_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let names = "\n[[webhook]]\nname = \"floor\"\nurl = \"https://hooks.example.com/1\"\nsecret_env = \"HOOK\"\n\n[[group]]\nname = \"Billing\"\nqueues = [\"desk:*\"]\n";
    std::fs::write(folder.path().join("floorwalker.toml"), format!("{FILE}{names}")).unwrap();
    let app = start(folder.path(), false);
    let Ok(Reply::RuleNames(names)) = app.ask(Ask::RuleNames).await else { panic!() };
    assert_eq!((names.webhooks, names.groups), (vec!["floor".to_owned()], vec!["Billing".to_owned()]));
    let form = |notify: &str, group: &str| RuleForm {
        name: "New".into(),
        when: "queue.waiting > 5".into(),
        scope: ScopeForm { group: vec![group.into()], ..ScopeForm::default() },
        notify: Some(vec!["tray".into(), notify.into()]),
        enabled: true,
        ..RuleForm::default()
    };
    let faults = async |form: RuleForm| {
        let ask = Ask::CheckRule { text: None, form: Some(form), replaces: None };
        let Ok(Reply::CheckRule(checked)) = app.ask(ask).await else { panic!() };
        checked.errors.into_iter().map(|e| (e.field.unwrap_or_default(), e.sentence)).collect::<Vec<_>>()
    };
    assert_eq!(faults(form("webhook:floor", "Billing")).await, []);
    let wrong = faults(form("webhook:flor", "Billing")).await;
    assert!(wrong[0].0 == "notify" && wrong[0].1.contains("`flor`"), "{wrong:?}");
    let wrong = faults(form("webhook:floor", "Biling")).await;
    assert!(wrong[0].0 == "scope.group" && wrong[0].1.contains("Billing"), "{wrong:?}");
    app.shutdown().await;
}

#[tokio::test]
async fn a_trial_that_nobody_has_is_not_running_and_stopping_it_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let app = start(folder.path(), false);
    assert_eq!(app.ask(Ask::StopTrial { editor: "e1".into() }).await, Ok(Reply::Done));
    let text = "[[alert]]\nname = \"New\"\nwhen = \"queue.waiting > 5\"\n".to_owned();
    let editor = Some("e1".to_owned());
    let tried = app.ask(Ask::TryRule { text, replaces: None, from: None, to: None, editor }).await;
    assert_eq!(tried.unwrap_err().code, Code::NotFound, "nothing is stored yet");
    let Ok(Reply::TrialProgress(progress)) = app.ask(Ask::TrialProgress { editor: "e1".into() }).await else {
        panic!()
    };
    assert!(!progress.running);
    app.shutdown().await;
}
