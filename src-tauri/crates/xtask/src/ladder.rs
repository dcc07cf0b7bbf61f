//! `cargo ladder`: how far the product is from the limits of this machine. Every figure is a ratio of two
//! measurements of one run, so that it means the same elsewhere.
//!
//! A ladder program is a bench target whose name starts with `ladder`. It prints one JSON object a line:
//! `{"row":"a1","what":"…","ours":1.2,"peer":1.0,"unit":"µs","ratio":1.2,"better":"higher","gate":0.8,"target":1.0}`.
//! `better` says which way of the ratio is good; `gate` and `target` are ratios.

use std::cmp::Ordering;

use serde_json::Value;

use crate::packages;
use crate::page;
use crate::run::{Done, cargo, output};

/// Runs the programs whose rows are wanted (all without words) and prints the table.
pub fn ladder(words: &[String]) -> Done {
    let mut rows = Vec::new();
    for (package, bench) in programs()? {
        if package == "floorwalker" {
            // The one that opens windows.
            packages::need(packages::BUILD)?;
            packages::need(packages::HEADLESS)?;
            page::build()?;
        }
        println!("Measuring with {package}/{bench} …");
        let text = output(
            cargo()
                .args(["bench", "--quiet", "--locked", "-p", &package, "--bench", &bench, "--"])
                .args(words),
        )?;
        rows.extend(text.lines().filter_map(row));
    }
    rows.retain(|r| words.is_empty() || words.iter().any(|w| r["row"] == w.as_str()));
    rows.sort_by(|a, b| a["row"].as_str().cmp(&b["row"].as_str()));
    println!(
        "\n{:<5} {:<58} {:>12} {:>12} {:>8} {:>8} {:>8}  verdict",
        "row", "what", "ours", "peer", "ratio", "gate", "target"
    );
    for r in &rows {
        println!("{}", line(r));
    }
    let below = rows.iter().filter(|r| !meets(r, "gate")).count();
    println!("\n{} rows, {below} below their gate", rows.len());
    Ok(())
}

fn row(line: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(line.trim().strip_prefix('{').map(|_| line.trim())?).ok()?;
    value["row"].is_string().then_some(value)
}

fn line(r: &Value) -> String {
    let number = |key: &str| r[key].as_f64().map_or("-".to_owned(), short);
    let unit = r["unit"].as_str().unwrap_or_default();
    let verdict = match (meets(r, "gate"), meets(r, "target")) {
        (_, true) => "target",
        (true, false) => "gate",
        (false, false) => "BELOW",
    };
    format!(
        "{:<5} {:<58} {:>12} {:>12} {:>8} {:>8} {:>8}  {verdict}",
        r["row"].as_str().unwrap_or_default(),
        r["what"].as_str().unwrap_or_default(),
        format!("{} {unit}", number("ours")),
        format!("{} {unit}", number("peer")),
        number("ratio"),
        number("gate"),
        number("target"),
    )
}

fn meets(r: &Value, limit: &str) -> bool {
    let (Some(ratio), Some(limit)) = (r["ratio"].as_f64(), r[limit].as_f64()) else { return false };
    let order = ratio.total_cmp(&limit);
    if r["better"] == "lower" { order != Ordering::Greater } else { order != Ordering::Less }
}

/// Three figures that matter.
fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn programs() -> Done<Vec<(String, String)>> {
    let text = output(cargo().args(["metadata", "--format-version", "1", "--no-deps", "--offline"]))?;
    let data: Value = serde_json::from_str(&text).map_err(|e| format!("cargo metadata: {e}"))?;
    let mut found = Vec::new();
    for package in data["packages"].as_array().into_iter().flatten() {
        for target in package["targets"].as_array().into_iter().flatten() {
            let name = target["name"].as_str().unwrap_or_default();
            let bench = target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|k| k == "bench"));
            if bench && name.starts_with("ladder") {
                found.push((package["name"].as_str().unwrap_or_default().to_owned(), name.to_owned()));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_in_the_direction_that_is_good() {
        let higher = row(r#"{"row":"a1","ratio":0.9,"better":"higher","gate":0.8,"target":1.0}"#).unwrap();
        assert!(meets(&higher, "gate") && !meets(&higher, "target"));
        let lower = row(r#"{"row":"f1","ratio":1.7,"better":"lower","gate":1.6,"target":1.25}"#).unwrap();
        assert!(!meets(&lower, "gate"));
        assert!(row("running 3 tests").is_none() && row("{}").is_none());
    }
}
