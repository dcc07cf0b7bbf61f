//! What `for` and `keep` mean, held against the best-known alerting there is: Prometheus' own rule tester
//! gets the same rules and the same samples, and must expect at every moment what our machine says.
//! (`keep` is its `keep_firing_for`. Missing samples are left out: there we freeze, which it cannot.)
//!
//! promtool is taken from the path, or out of Debian's package, unpacked and not installed; no service is
//! started. Without either the test says so and passes.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use engine::alerts::RuleSpec;
use model::AlertState;

use crate::floor::{Play, book, rule, text};

/// Samples and evaluations lie so far apart that three cycles never fall into five minutes: flapping is
/// ours alone.
const STEP_S: u32 = 120;

/// `for` and `keep`, in steps.
const RULES: &[(u32, u32)] =
    &[(0, 0), (1, 0), (2, 0), (3, 0), (5, 0), (0, 1), (0, 3), (1, 1), (2, 2), (3, 1), (1, 4)];

/// People waiting at each step; the rules are about more than 4. Never 3 or 4: between the limit and the
/// clear value lies a band that Prometheus does not have.
const SERIES: &[&[u32]] = &[
    &[5, 5, 5, 5, 5, 5, 5, 5, 0, 0, 0, 0, 0, 0],
    &[2, 5, 2, 5, 5, 2, 5, 5, 5, 2, 5, 5, 5, 5, 2, 2, 5, 2, 2, 2, 2, 2, 2],
    &[0, 9, 9, 9, 0, 9, 9, 9, 9, 9, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 0, 9, 9, 9, 9],
    &[9, 0, 9, 0, 9, 0, 9, 0, 9, 0, 9, 0, 9, 0, 9, 0, 9, 0, 9, 0],
    &[5, 6, 7, 8, 9, 8, 7, 6, 5, 2, 5, 6, 7, 8, 9, 10, 2, 2, 5, 5, 5, 5, 5, 1, 2, 1, 0, 0, 0, 0],
];

/// `pending`, `firing` or nothing at each step, as our machine has it.
fn ours(hold: u32, keep: u32, series: &[u32]) -> Vec<Option<&'static str>> {
    let spec = RuleSpec {
        hold: text(&format!("{}s", hold * STEP_S)),
        keep: text(&format!("{}s", keep * STEP_S)),
        ..rule("queue.waiting > 4")
    };
    let mut p = Play::new(book(&[spec]));
    let mut states = Vec::new();
    for (at, n) in series.iter().enumerate() {
        p.sample(at as f64 * f64::from(STEP_S), *n);
        states.push(p.alerts.alerts().first().map(|alert| match alert.state {
            AlertState::Pending => "pending",
            _ => "firing",
        }));
    }
    states
}

#[test]
fn for_and_keep_mean_what_they_mean_in_prometheus() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("promtool");
    fs::create_dir_all(&folder).unwrap();
    let promtool = match promtool(&folder) {
        Ok(promtool) => promtool,
        Err(why) => return println!("skipped: for_and_keep_mean_what_they_mean_in_prometheus: {why}"),
    };
    let mut rules = "groups:\n- name: floor\n  interval: 2m\n  rules:\n".to_owned();
    for (hold, keep) in RULES {
        let (hold_s, keep_s) = (hold * STEP_S, keep * STEP_S);
        let _ = write!(rules, "  - alert: f{hold}k{keep}\n    expr: waiting > 4\n    for: {hold_s}s\n");
        if keep_s > 0 {
            let _ = writeln!(rules, "    keep_firing_for: {keep_s}s");
        }
    }
    let mut tests = "rule_files: [rules.yml]\nevaluation_interval: 2m\ntests:\n".to_owned();
    let mut held = 0;
    for series in SERIES {
        let values = series.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
        let _ = write!(
            tests,
            "- interval: 2m\n  input_series:\n  - series: 'waiting{{queue=\"q1\"}}'\n    values: '{values}'\n  promql_expr_test:\n"
        );
        let all: Vec<_> = RULES.iter().map(|(hold, keep)| (hold, keep, ours(*hold, *keep, series))).collect();
        for at in 0..series.len() {
            let _ =
                write!(tests, "  - expr: ALERTS\n    eval_time: {}s\n    exp_samples:", at as u32 * STEP_S);
            let mut standing = String::new();
            for (hold, keep, states) in &all {
                held += 1;
                if let Some(state) = states[at] {
                    let _ = write!(
                        standing,
                        "\n    - labels: 'ALERTS{{alertname=\"f{hold}k{keep}\",alertstate=\"{state}\",queue=\"q1\"}}'\n      value: 1"
                    );
                }
            }
            tests.push_str(if standing.is_empty() { " []" } else { &standing });
            tests.push('\n');
        }
    }
    fs::write(folder.join("rules.yml"), rules).unwrap();
    fs::write(folder.join("tests.yml"), tests).unwrap();
    let run =
        Command::new(promtool).args(["test", "rules", "tests.yml"]).current_dir(&folder).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{}", said.chars().take(4000).collect::<String>());
    assert!(said.contains("SUCCESS") && held > 1000, "{held} states were compared: {said}");
}

fn promtool(folder: &Path) -> Result<PathBuf, String> {
    let runs = |program: &Path| {
        let out = Command::new(program).arg("--version").stderr(Stdio::null()).stdout(Stdio::null()).status();
        out.is_ok_and(|status| status.success())
    };
    let unpacked = folder.join("unpacked/usr/bin/promtool");
    if let Some(found) = [PathBuf::from("promtool"), unpacked.clone()].into_iter().find(|p| runs(p)) {
        return Ok(found);
    }
    let step = |program: &str, arguments: &[&str]| {
        let done = Command::new(program).args(arguments).current_dir(folder).output();
        match done {
            Ok(out) if out.status.success() => Ok(()),
            Ok(out) => Err(format!("{program}: {}", String::from_utf8_lossy(&out.stderr).trim())),
            Err(error) => Err(format!("{program}: {error}")),
        }
    };
    step(
        "apt-get",
        &["-o", "Acquire::http::Timeout=30", "-o", "Acquire::Retries=0", "download", "prometheus"],
    )
    .map_err(|why| format!("promtool is not here and its package cannot be had ({why})"))?;
    let package = fs::read_dir(folder)
        .map_err(|e| e.to_string())?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .find(|name| name.starts_with("prometheus_") && name.ends_with(".deb"))
        .ok_or("the package was not found where it was put")?;
    let unpack = step("dpkg", &["-x", &package, "unpacked"]);
    let _ = fs::remove_file(folder.join(package));
    unpack?;
    if runs(&unpacked) { Ok(unpacked) } else { Err("the unpacked promtool does not run".to_owned()) }
}
