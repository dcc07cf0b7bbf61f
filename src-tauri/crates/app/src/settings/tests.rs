use std::path::Path;

use super::*;
use crate::api::{FormValue, SourceForm};

fn sentence(text: &str) -> String {
    read::parse(Path::new("floorwalker.toml"), text).unwrap_err().to_string()
}

#[test]
fn every_mistake_names_file_line_key_and_fix() {
    insta::assert_snapshot!(
        [
            "[[sorce]]\nid = \"a\"",
            "[[source]]\nid = \"Help Desk\"\nvendor = \"comm100\"",
            "[[source]]\nid = \"a\"\nvendor = \"comm200\"",
            "[[source]]\nvendor = \"comm100\"",
            "[[source]]\nid = \"a\"\nvendor = \"comm100\"\npoll = 5",
            "[[source]]\nid = \"a\"\nvendor = \"comm100\"\npoll = \"soon\"",
            "[[source]]\nid = \"a\"\nvendor = \"comm100\"\nurl = \"http://api.example.com/v4\"",
            "[[source]]\nid = \"a\"\nvendor = \"comm100\"\nurl = \"https://me:fake@api.example.com/v4\"",
            "[[source]]\nid = \"a\"\nvendor = \"comm100\"\nproxy = \"proxy\"",
            "[[source]]\nid = \"a\"\nvendor = \"giosg\"\nconsole_url = \"javascript:alert({queue})\"",
            "[[source]]\nid = \"a\"\nvendor = \"giosg\"\nconsole_url = \"https://example.com/{quue}\"",
            "[[source]]\nid = \"a\"\nvendor = \"comm100\"\nca_file = \"not-there.pem\"",
            "[[source]]\nid = \"a\"\nvendor = \"comm100\"\nenabled = \"yes\"",
            "[source]\nid = \"a\"",
            "id = = 3",
            "[preferences]\ntheme = \"pink\"",
            "[preferences]\nretention_days = 0",
        ]
        .map(sentence)
        .join("\n")
    );
}

#[test]
fn sources_of_remote_support_have_a_longer_default_wait_and_the_editor_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("floorwalker.toml");
    let sources = "[[source]]\nid = \"desk\"\nvendor = \"beyondtrust\"\nurl = \"https://support.example.com\"\n\
                   client_id = \"an-id\"\n\n[[source]]\nid = \"shop\"\nvendor = \"giosg\"\n";
    std::fs::write(&file, sources).unwrap();
    let settings = load(&file).unwrap();
    let of = &settings.rules.rule("Long wait").unwrap().spec().overrides;
    let sources: Vec<_> = of.iter().flat_map(|o| o.source.clone().unwrap_or_default()).collect();
    assert_eq!(sources, ["desk"]);
    let rules = rule_edit::entries(&file, &settings).unwrap();
    let long = rules.iter().find(|r| r.name == "Long wait").unwrap();
    insta::assert_snapshot!(long.text);
}

#[test]
fn a_file_that_is_not_there_is_an_empty_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let settings = load(&folder.path().join("floorwalker.toml")).unwrap();
    assert!(settings.sources.is_empty());
}

#[test]
fn editing_keeps_comments_order_and_the_other_sources() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("floorwalker.toml");
    std::fs::write(
        &file,
        "# our desks\n[preferences]\ntheme = \"dark\" # easy on the eyes\n\n[[source]]\nid = \"one\" # first\nname = \"One\"\nvendor = \"comm100\"\nsite_id = 10000\n\n[[source]]\nid = \"two\"\nvendor = \"giosg\"\n",
    )
    .unwrap();
    let form = SourceForm {
        id: "one".into(),
        name: "Number one".into(),
        vendor: model::Vendor::Comm100,
        enabled: false,
        url: Some("https://api.example.com/v4".into()),
        ca_file: None,
        proxy: None,
        poll: Some("5s".into()),
        secret_env: None,
        console_url: None,
        keys: [("email".to_owned(), FormValue::Text("sup@example.com".into()))].into(),
    };
    write_source(&file, &form, Some("one")).unwrap();
    set_preferences(
        &file,
        &Preferences { sound: "off".into(), theme: "dark".into(), ..Preferences::default() },
    )
    .unwrap();
    insta::assert_snapshot!(std::fs::read_to_string(&file).unwrap());
    remove_source(&file, "one").unwrap();
    let left = std::fs::read_to_string(&file).unwrap();
    assert!(left.contains("\"two\"") && !left.contains("\"one\""), "{left}");
}

/// Every sentence about a rule.
fn rule_sentences(text: &str) -> Vec<String> {
    read::parse(Path::new("floorwalker.toml"), text).unwrap().rule_errors
}

#[test]
fn what_is_missing_in_a_rule_is_shown_at_its_head_not_in_its_override() {
    let text = "[[alert]]\nname = \"Long wait\"\n\n[[alert.override]]\nqueue = \"*\"\nwhen = \"queue.longest_wait > 9m\"\n";
    let said = rule_sentences(text);
    assert_eq!(
        said,
        [
            "floorwalker.toml, line 1, alert `Long wait`, key `when`: is missing; add `when = \"…\"`\n[[alert]]\n^^^^^^^^^"
        ]
    );
    // A slip of the override itself stays where it is.
    let said = rule_sentences(
        &text
            .replace("\"queue.longest_wait > 9m\"", "9")
            .replace("name = \"Long wait\"", "name = \"Long wait\"\nwhen = \"queue.longest_wait > 5m\""),
    );
    assert!(
        said[0].starts_with("floorwalker.toml, line 7, alert `Long wait`, key `when`: must be text"),
        "{said:?}"
    );
}

#[test]
fn groups_and_hours_are_called_what_they_are() {
    let text = "[[hours]]\nqueues = [\"*\"]\nzone = \"Mars/Olympus\"\nopen = [\"mon 08:00-09:00\"]\n\n[[group]]\nname = \"Billing\"\nqueues = [\"[\"]\n\n[[alert]]\nname = \"hours\"\nwhen = \"queue.waitng > 5\"\n";
    let said = rule_sentences(text);
    let heads: Vec<_> = said.iter().map(|s| s.split(": ").next().unwrap()).collect();
    assert_eq!(
        heads,
        [
            "floorwalker.toml, line 3, hours, key `zone`",
            "floorwalker.toml, line 8, group `Billing`, key `queues`",
            "floorwalker.toml, line 12, alert `hours`, key `when`",
        ]
    );
}

#[test]
fn a_key_that_is_not_known_is_answered_with_each_known_one_once() {
    let said = sentence(
        "[[source]]\nid = \"a\"\nvendor = \"comm100\"\nsite_id = 1\nemail = \"a@example.com\"\nqqqqqqqqqqqqqq = 1",
    );
    let (_, known) = said.split_once("known here are ").unwrap();
    let known: Vec<&str> = known.split(", ").collect();
    let once: std::collections::BTreeSet<&str> = known.iter().copied().collect();
    assert_eq!(known.len(), once.len(), "{said}");
    assert!(known.contains(&"url") && known.contains(&"site_id"), "{said}");
}
