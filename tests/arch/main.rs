//! The floors of the house, read from what cargo knows: a crate may lean on lower floors only, and what
//! belongs to the outside world stays on the floors that may know it.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Every crate and its floor. Tools stand beside the house: see [`TOOLS`].
const FLOORS: &[(&str, u8)] = &[
    ("model", 0),
    ("engine", 1),
    ("link", 2),
    ("vendors", 3),
    ("store", 3),
    ("app", 4),
    ("cli", 5),
    ("floorwalker", 5),
];

/// Crates beside the floors, and which crates of ours each may lean on.
const TOOLS: &[(&str, &[&str])] =
    &[("simulator", &["model"]), ("xtask", &[]), ("acceptance", &["model", "simulator"])];

/// Crates of the outside world that no floor up to this one may reach, not even through others.
const OUTSIDE: &[(u8, &[&str])] = &[
    (
        1,
        &[
            "tokio",
            "reqwest",
            "hyper",
            "tokio-tungstenite",
            "rustls",
            "rusqlite",
            "notify-rust",
            "keyring",
            "zbus",
        ],
    ),
    (4, &["tauri", "wry", "tao", "gtk", "clap"]),
];

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let out = Command::new(cargo)
        .current_dir(root())
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .output()
        .expect("cargo starts");
    assert!(out.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).expect("cargo metadata is JSON")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests stand one folder below the root")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Our packages: name to what it leans on when it is built for people (tests may lean on more).
fn ours(data: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let members: BTreeSet<&str> =
        data["workspace_members"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let packages = data["packages"].as_array().unwrap().iter().filter(|p| members.contains(text(p, "id")));
    packages
        .map(|package| {
            let needs = package["dependencies"].as_array().unwrap().iter().filter(|d| d["kind"] != "dev");
            (text(package, "name").to_owned(), needs.map(|d| text(d, "name").to_owned()).collect())
        })
        .collect()
}

fn floor(name: &str) -> Option<u8> {
    FLOORS.iter().find(|(n, _)| *n == name).map(|(_, floor)| *floor)
}

#[test]
fn every_crate_has_its_place() {
    for name in ours(&metadata()).keys() {
        let placed = floor(name).is_some() || TOOLS.iter().any(|(tool, _)| tool == name);
        assert!(placed, "`{name}` stands on no floor; give it one in tests/arch and in ARCHITECTURE.md");
    }
}

#[test]
fn crates_lean_on_lower_floors_only() {
    let ours = ours(&metadata());
    for (name, needs) in &ours {
        for need in needs.iter().filter(|n| ours.contains_key(*n)) {
            let allowed = match (floor(name), floor(need)) {
                (Some(upper), Some(lower)) => lower < upper,
                // The headless face carries the simulated centre, for the demo.
                (Some(_), None) => name == "cli" && need == "simulator",
                (None, _) => TOOLS.iter().any(|(tool, may)| tool == name && may.contains(&need.as_str())),
            };
            assert!(allowed, "`{name}` must not lean on `{need}`");
        }
    }
    assert!(!ours["store"].contains("engine"), "the store knows the model alone");
    assert!(!ours["store"].contains("link"), "the store knows the model alone");
}

#[test]
fn the_outside_world_stays_upstairs() {
    let data = metadata();
    let names: BTreeMap<&str, &str> =
        data["packages"].as_array().unwrap().iter().map(|p| (text(p, "id"), text(p, "name"))).collect();
    let mut needs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in data["resolve"]["nodes"].as_array().unwrap() {
        let built = node["deps"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|d| d["dep_kinds"].as_array().unwrap().iter().any(|k| k["kind"].is_null()));
        needs.insert(text(node, "id"), built.map(|d| text(d, "pkg")).collect());
    }
    for (up_to, outside) in OUTSIDE {
        for (name, _) in FLOORS.iter().filter(|(_, floor)| floor <= up_to) {
            let start =
                names.iter().find(|(id, n)| *n == name && id.contains("path+file")).map(|(id, _)| *id);
            let mut todo: Vec<&str> = start.into_iter().collect();
            assert!(!todo.is_empty(), "`{name}` is not in the workspace");
            let mut seen = BTreeSet::new();
            while let Some(id) = todo.pop() {
                if seen.insert(id) {
                    assert!(!outside.contains(&names[id]), "`{name}` reaches `{}`", names[id]);
                    todo.extend(&needs[id]);
                }
            }
        }
    }
}

#[test]
fn every_crate_takes_the_common_lints() {
    for package in metadata()["packages"].as_array().unwrap().iter().filter(|p| p["source"].is_null()) {
        let manifest = fs::read_to_string(text(package, "manifest_path")).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "`{}` has lints of its own",
            text(package, "name")
        );
    }
}

#[test]
fn only_the_screens_face_is_windowed() {
    // Whatever a plain `cargo build` or `cargo test` builds needs no window system's headers.
    let data = metadata();
    let default: Vec<&str> =
        data["workspace_default_members"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let windowed: Vec<&str> = data["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|p| default.contains(&text(p, "id")))
        .filter(|p| {
            p["dependencies"].as_array().unwrap().iter().any(|d| ["tauri", "wry"].contains(&text(d, "name")))
        })
        .map(|p| text(p, "name"))
        .collect();
    assert!(windowed.is_empty(), "plain cargo would build the window: {windowed:?}");
}

const VENDORS: [&str; 5] = ["beyondtrust", "comm100", "giosg", "liveperson", "pingstreams"];

/// The list in CONTRIBUTING.md, held against the tree.
#[test]
fn a_vendor_stands_where_contributing_says() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    let (model, crate_root, registry) = (
        read("src-tauri/crates/model/src/source.rs"),
        read("src-tauri/crates/vendors/src/lib.rs"),
        read("src-tauri/crates/vendors/src/registry.rs"),
    );
    for vendor in VENDORS {
        assert!(model.contains(&format!("\"{vendor}\"")), "{vendor} is not in the model");
        assert!(crate_root.contains(&format!("pub mod {vendor};")), "{vendor} is not in vendors/src/lib.rs");
        assert!(registry.contains(&format!("{vendor}::SPEC")), "{vendor} is not registered");
        let folder = root().join("src-tauri/crates/vendors/src").join(vendor);
        for file in ["README.md", "mod.rs", "config.rs", "wire.rs", "map.rs", "fixtures"] {
            assert!(folder.join(file).exists(), "{vendor} has no {file}");
        }
        let server = root().join("src-tauri/crates/simulator/src").join(vendor);
        assert!(server.is_dir(), "{vendor} has no server in the simulator");
    }
}

/// The engine, the runtime and the faces ask what a source provides; they never branch on its vendor.
#[test]
fn no_vendor_is_named_above_or_below_its_folder() {
    let mut named = Vec::new();
    for place in [
        "src-tauri/src",
        "src-tauri/crates/link/src",
        "src-tauri/crates/engine/src",
        "src-tauri/crates/app/src",
    ] {
        sources_below(&root().join(place), &mut |path, text| {
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            // The words that a rule may compare `source.vendor` with stand in the metric table.
            for line in code.filter(|_| !path.ends_with("alerts/metrics.rs")) {
                let words = line.to_lowercase();
                if VENDORS
                    .iter()
                    .any(|v| words.contains(&format!("vendor::{v}")) || words.contains(&format!("\"{v}\"")))
                {
                    named.push(format!("{}: {}", path.display(), line.trim()));
                }
            }
        });
    }
    assert!(named.is_empty(), "{named:#?}");
}

fn sources_below(folder: &Path, look: &mut dyn FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            sources_below(&path, look);
        } else if name.ends_with(".rs") && !name.contains("tests") {
            look(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}
