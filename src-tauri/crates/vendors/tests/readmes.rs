//! The README of each vendor's folder names a test for every fact and every doubt. A name that no test
//! bears any more is a promise that nobody keeps: it fails here.
//!
//! In a table with a column `test`, each word in backquotes of that column must be the name of a test
//! (`module::name`, or its beginning and `…`), of a test module, or of a folder in `fixtures`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(under: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(under) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Names of all tests of the crates that hold them, and of the files that they stand in.
fn tests() -> (BTreeSet<String>, BTreeSet<String>) {
    let mut files = Vec::new();
    for under in ["src", "tests", "../link", "../simulator", "../../../tests"] {
        sources(&home().join(under), &mut files);
    }
    let (mut names, mut modules) = (BTreeSet::new(), BTreeSet::new());
    for file in files {
        let text = fs::read_to_string(&file).expect("a source can be read");
        let before = names.len();
        let mut is_test = false;
        let mut in_proptest = false;
        for line in text.lines().map(str::trim) {
            in_proptest |= line.starts_with("proptest!");
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            let signature = line
                .strip_prefix("async ")
                .unwrap_or(line)
                .strip_prefix("fn ")
                .filter(|_| is_test || in_proptest);
            if let Some(rest) = signature {
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                names.insert(name);
                is_test = false;
            }
        }
        if names.len() > before {
            let parts = file.components().rev().take(2).filter_map(|part| part.as_os_str().to_str());
            modules.extend(parts.map(|part| part.trim_end_matches(".rs").to_owned()));
        }
    }
    (names, modules)
}

/// What stands in backquotes.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

fn cells(line: &str) -> Vec<&str> {
    line.trim().trim_matches('|').split('|').map(str::trim).collect()
}

/// Every word in backquotes of the columns headed `test`.
fn named(readme: &str) -> Vec<String> {
    let mut column = None;
    let mut found = Vec::new();
    for line in readme.lines() {
        if !line.starts_with('|') {
            column = None;
        } else if let Some(column) = column {
            let row = cells(line);
            found.extend(row.get::<usize>(column).copied().into_iter().flat_map(quoted).map(str::to_owned));
        } else {
            column = cells(line).iter().position(|head| matches!(*head, "test" | "tests"));
        }
    }
    found
}

#[test]
fn every_test_that_a_readme_names_exists() {
    let (tests, modules) = tests();
    let mut missing = Vec::new();
    for vendor in vendors::registry::REGISTRY.iter().map(|registered| registered.spec.vendor.as_str()) {
        let folder = home().join("src").join(vendor);
        let readme = fs::read_to_string(folder.join("README.md")).expect("each vendor has a README");
        let names = named(&readme);
        assert!(names.len() >= 10, "{vendor}: the README names {} tests", names.len());
        for name in names {
            let bare = name.rsplit("::").next().unwrap_or_default();
            let known = match bare.strip_suffix('…') {
                Some(beginning) => tests.iter().any(|test| test.starts_with(beginning)),
                None => tests.contains(bare) || modules.contains(bare),
            };
            let fixture = folder.join("fixtures").join(name.trim_start_matches("fixtures/"));
            if !known && !fixture.is_dir() {
                missing.push(format!("{vendor}: {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "no such tests:\n{}", missing.join("\n"));
}

#[test]
fn names_are_found_in_the_right_column() {
    let readme =
        "| fact | test |\n|---|---|\n| `id` is | `a_b`, `m::c…` (`page`) |\n\n| `x` | y |\n| `z` | `w` |\n";
    assert_eq!(named(readme), ["a_b", "m::c…", "page"]);
}
