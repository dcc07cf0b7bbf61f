//! The list of all cases against the tests there are: `docs/faults.md` names for each case its tests, or why a
//! machine cannot play it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use libtest_mimic::Trial;

use crate::cases;

/// How many cases each group has.
const GROUPS: [(char, usize); 4] = [('N', 20), ('P', 26), ('A', 10), ('L', 8)];

pub fn trials() -> Vec<Trial> {
    cases![every_case_of_the_catalogue_has_its_tests]
}

fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    while !root.join("docs").is_dir() {
        assert!(root.pop(), "the project has a folder of documents");
    }
    root
}

/// Names of all functions below a folder.
fn functions(folder: &Path, into: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() && entry.file_name() != "target" {
            functions(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let named = text.split("fn ").skip(1);
            into.extend(named.filter_map(|rest| rest.split_once('(')).map(|(name, _)| name.to_owned()));
        }
    }
}

async fn every_case_of_the_catalogue_has_its_tests() {
    let (root, mut there) = (root(), BTreeSet::new());
    functions(&root.join("src-tauri"), &mut there);
    functions(&root.join("tests"), &mut there);
    let page = fs::read_to_string(root.join("docs/faults.md")).unwrap();
    let mut wrong = Vec::new();
    for (group, count) in GROUPS {
        for number in 1..=count {
            let id = format!("{group}{number}");
            let Some(row) = page.lines().find(|l| l.starts_with(&format!("| {id} |"))) else {
                wrong.push(format!("{id} is not on the page"));
                continue;
            };
            let tests: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
            if tests.is_empty() && !row.contains("not played: ") {
                wrong.push(format!("{id} has no test and no reason"));
            }
            for test in tests {
                if !there.contains(test) {
                    wrong.push(format!("{id}: there is no test `{test}`"));
                }
                if !test.split('_').any(|word| word.eq_ignore_ascii_case(&id)) {
                    wrong.push(format!("{id}: `{test}` does not bear it in its name"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "docs/faults.md:\n{}", wrong.join("\n"));
    for line in page.lines().filter(|l| l.contains("not played: ")) {
        let (id, reason) = (line.split('|').nth(1).unwrap_or("").trim(), line.split("not played: ").nth(1));
        println!("skipped: {id}: {}", reason.unwrap_or("").trim_end_matches([' ', '|']));
    }
}
