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
