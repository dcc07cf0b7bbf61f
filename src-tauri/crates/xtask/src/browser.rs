//! The page in a real browser, through the loopback bridge, on the simulated centre.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use crate::run::{Background, Done, command, npm, root, run_into, target_dir};
use crate::simulated::Simulated;

/// Starts centre and bridge, then lets the page's own script walk through it. Screenshots stand in
/// `target/verify/bridge`.
pub fn bridge(log: &Path) -> Done {
    let target = target_dir()?;
    let folder = target.join("verify/bridge");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let floorctl = target.join("debug/floorctl");
    let mut centre = Simulated::start(&floorctl, &folder)?;
    let mut serve = command(&floorctl);
    serve.args(["serve", "--config"]).arg(&centre.config).arg("--data").arg(folder.join("data"));
    for name in &centre.secrets {
        serve.env(name, "any-value-will-do");
    }
    let noise = File::options().create(true).append(true).open(log).map_err(|e| e.to_string())?;
    let mut serve = Background::start(serve.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(noise))?;
    let out = serve.child().stdout.take().ok_or("floorctl has no output")?;
    let address = BufReader::new(out)
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned))
        .ok_or("`floorctl serve` printed no address")?;
    let mut walk = command("node");
    walk.current_dir(root().join("ui")).arg("e2e/bridge.mjs").arg(&address).arg(&folder);
    let walked = run_into(&mut walk, log);
    centre.must_live()?;
    walked
}

/// Ten thousand alerts in ten seconds on the page alone, over its invented floor.
pub fn storm(log: &Path) -> Done {
    let folder = target_dir()?.join("verify/design");
    let mut build = npm(&["run", "build", "--", "--mode", "design", "--emptyOutDir", "--outDir"]);
    run_into(build.arg(&folder), log)?;
    let mut walk = command("node");
    run_into(walk.current_dir(root().join("ui")).arg("e2e/storm.mjs").arg(&folder), log)
}
