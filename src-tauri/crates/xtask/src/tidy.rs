//! `cargo xtask tidy`: the house rules that no compiler checks.

use std::fs;
use std::path::Path;

use crate::run::{Done, command, output, root};

/// A file longer than this holds more than one thing.
const LINES: usize = 600;

/// Names that say nothing about what a thing does.
const EMPTY_NAMES: &[&str] = &["Manager", "Service", "Helper", "Util", "Utils", "Processor"];

/// Words that no source holds, and why.
const NEVER: &[(&str, &str)] = &[
    ("unbounded_channel", "a queue without a bound grows until the machine stops; use a bounded one"),
    ("unbounded()", "a queue without a bound grows until the machine stops; use a bounded one"),
    ("allow(unsafe_code)", "there is no unsafe code here"),
    ("#[ignore]", "say why a test is left out: #[ignore = \"…\"]"),
    ("@ts-ignore", "give the value its type"),
    ("{@html", "vendor text is text, never HTML"),
    ("/home/", "a path of somebody's machine"),
    ("/Users/", "a path of somebody's machine"),
    ("/root/", "a path of somebody's machine"),
];

/// Checks every file that git knows or would add.
pub fn tidy() -> Done {
    let files = output(command("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]))?;
    // The folder that the project happens to stand in is nobody else's business.
    let here = root().parent().map(|p| format!("{}/", p.display())).filter(|p| p.len() > 3);
    let mut faults = Vec::new();
    for file in files.lines().filter(|f| is_source(f)) {
        let path = root().join(file);
        // Listed by git and deleted in the work tree: nothing to read.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        check(file, &text, here.as_deref(), &mut faults);
    }
    if faults.is_empty() {
        return Ok(());
    }
    faults.iter().for_each(|f| eprintln!("{f}"));
    Err(format!("{} things to tidy", faults.len()))
}

fn is_source(file: &str) -> bool {
    let ends =
        [".rs", ".ts", ".svelte", ".css", ".mjs", ".toml", ".json", ".md", ".html", ".py", ".sh", ".yml"];
    let own = file.ends_with("xtask/src/tidy.rs");
    (ends.iter().any(|e| file.ends_with(e)) || file.starts_with(".ci/")) && !own
}

fn check(file: &str, text: &str, here: Option<&str>, faults: &mut Vec<String>) {
    let code = [".rs", ".ts", ".svelte", ".css", ".mjs"].iter().any(|e| file.ends_with(e));
    let made = file.ends_with("host/gen.ts");
    let length = text.lines().count();
    if code && !made && length > LINES {
        faults.push(format!("{file}: {length} lines; more than {LINES} are more than one thing"));
    }
    let stem = Path::new(file).file_stem().and_then(|s| s.to_str()).unwrap_or_default();
    if code && ["util", "utils", "helper", "helpers", "misc", "common"].contains(&stem) {
        faults.push(format!("{file}: name it after what it holds"));
    }
    if file.ends_with("package-lock.json") && text.contains("\"resolved\"") {
        faults
            .push(format!("{file}: holds addresses of a registry; set omit-lockfile-registry-resolved=true"));
    }
    if file.ends_with("package-lock.json") {
        faults.extend(
            left_out(text).map(|name| format!("{file}: has no entry for {name}, which `npm ci` wants")),
        );
    }
    for (at, line) in text.lines().enumerate() {
        let mut fault = |what: &str| faults.push(format!("{file}:{}: {what}", at + 1));
        // Wire samples and locks are as they came.
        let sample = file.contains("/fixtures/") || file.ends_with("-lock.json");
        for (word, why) in NEVER.iter().filter(|_| !sample) {
            if line.contains(word) {
                fault(&format!("`{word}`: {why}"));
            }
        }
        if here.is_some_and(|here| line.contains(here)) {
            fault("the folder that this copy stands in");
        }
        if file.ends_with(".rs")
            && let Some(name) = declared(line)
            && EMPTY_NAMES.iter().any(|n| name.ends_with(n))
        {
            fault(&format!("`{name}` says nothing; name it from the field"));
        }
        if file.starts_with("ui/src/")
            && !file.starts_with("ui/src/lib/host/")
            && line.contains("@tauri-apps/")
            && line.contains("import")
        {
            fault("only ui/src/lib/host may know the window's library");
        }
    }
}

/// Packages for other systems that are named and not locked. npm leaves them out where its registry does not
/// carry them, and then refuses its own lock.
fn left_out(lock: &str) -> impl Iterator<Item = String> {
    let lock: serde_json::Value = serde_json::from_str(lock).unwrap_or_default();
    let packages = lock["packages"].as_object().cloned().unwrap_or_default();
    let named: Vec<String> = packages
        .values()
        .filter_map(|package| package["optionalDependencies"].as_object())
        .flat_map(|names| names.keys().cloned())
        .collect();
    named
        .into_iter()
        .filter(move |name| !packages.keys().any(|p| p.ends_with(&format!("node_modules/{name}"))))
}

/// The name that a line declares.
fn declared(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(crate) ")).unwrap_or(line);
    let rest = ["struct ", "enum ", "trait ", "type "].iter().find_map(|word| line.strip_prefix(word))?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(file: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        check(file, text, Some("/somewhere/else/"), &mut found);
        found
    }

    #[test]
    fn finds_what_it_looks_for() {
        assert_eq!(faults("a.rs", "pub struct QueueManager<T>(T);").len(), 1);
        assert_eq!(faults("a.rs", "let (a, b) = tokio::sync::mpsc::unbounded_channel();").len(), 1);
        assert_eq!(faults("src/utils.rs", "").len(), 1);
        assert_eq!(faults("a.rs", &"\n".repeat(601)).len(), 1);
        assert_eq!(faults("README.md", "see /somewhere/else/notes").len(), 1);
        assert_eq!(
            faults("ui/src/places/Floor.svelte", "import { invoke } from '@tauri-apps/api/core'").len(),
            1
        );
    }

    #[test]
    fn a_lock_holds_the_packages_of_every_system() {
        let lock = |locked: &str| {
            format!(
                r#"{{"packages":{{"node_modules/a":{{"optionalDependencies":{{"a-mac":"1","a-win":"1"}}}}{locked}}}}}"#
            )
        };
        assert_eq!(faults("ui/package-lock.json", &lock(r#","node_modules/a-mac":{}"#)).len(), 1);
        assert!(
            faults("ui/package-lock.json", &lock(r#","node_modules/a-mac":{},"node_modules/a-win":{}"#))
                .is_empty()
        );
    }

    #[test]
    fn leaves_the_rest_alone() {
        assert!(faults("a.rs", "pub struct Queue;\n// a manager may read this\n").is_empty());
        assert!(
            faults("ui/src/lib/host/tauri.ts", "import { invoke } from '@tauri-apps/api/core'").is_empty()
        );
    }
}
