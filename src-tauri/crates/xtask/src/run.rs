//! Starting other programs, and ending them.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A chore either is done or ends with a sentence for the terminal.
pub type Done<T = ()> = Result<T, String>;

/// The project's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).map(Path::to_path_buf).unwrap_or_default()
}

/// A command that starts at the root.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// The cargo that started us.
pub fn cargo() -> Command {
    let mut command = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Set by the outer cargo for this package; inner ones must not take them for their own.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            command.env_remove(name);
        }
    }
    command
}

/// A command in the page's folder.
pub fn npm(words: &[&str]) -> Command {
    let mut command = command(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.current_dir(root().join("ui")).args(words).env("npm_config_fund", "false");
    command.env("npm_config_audit", "false").env("npm_config_update_notifier", "false");
    command
}

/// How a command would be typed.
pub fn typed(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for word in command.get_args() {
        let _ = write!(text, " {}", word.to_string_lossy());
    }
    text
}

/// Runs a command whose output goes to the terminal.
pub fn run(command: &mut Command) -> Done {
    ended(command.status(), command)
}

/// Runs a command and answers its standard output.
pub fn output(command: &mut Command) -> Done<String> {
    let out = command.stderr(Stdio::inherit()).output();
    match out {
        Ok(out) if out.status.success() => Ok(String::from_utf8_lossy(&out.stdout).into_owned()),
        Ok(out) => Err(format!("`{}` ended with {}", typed(command), out.status)),
        Err(error) => Err(format!("`{}` could not be started: {error}", typed(command))),
    }
}

/// Runs a command whose whole output goes to a file.
pub fn run_into(command: &mut Command, log: &Path) -> Done {
    let file = File::options().create(true).append(true).open(log);
    let both = file.and_then(|out| Ok((out.try_clone()?, out)));
    let (out, err) = both.map_err(|error| format!("{} cannot be written: {error}", log.display()))?;
    ended(command.stdin(Stdio::null()).stdout(out).stderr(err).status(), command)
}

fn ended(status: io::Result<std::process::ExitStatus>, command: &Command) -> Done {
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{}` ended with {status}", typed(command))),
        Err(error) => Err(format!("`{}` could not be started: {error}", typed(command))),
    }
}

/// Whether a program is found on the path.
pub fn there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A program of ours in the background; ends with this value.
pub struct Background {
    child: Child,
    name: String,
}

impl Background {
    /// Starts it.
    pub fn start(command: &mut Command) -> Done<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        match command.spawn() {
            Ok(child) => Ok(Self { child, name }),
            Err(error) => Err(format!("`{}` could not be started: {error}", typed(command))),
        }
    }

    /// The running program.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// An error when it has ended already.
    pub fn must_live(&mut self) -> Done {
        match self.child.try_wait() {
            Ok(Some(status)) => Err(format!("`{}` ended early with {status}", self.name)),
            _ => Ok(()),
        }
    }

    /// Asks it to end, as the session's end would, and waits a little.
    pub fn end(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        if cfg!(unix) {
            let pid = self.child.id().to_string();
            let _ = Command::new("kill").args(["-TERM", &pid]).stderr(Stdio::null()).status();
            let until = Instant::now() + Duration::from_secs(3);
            while Instant::now() < until {
                if matches!(self.child.try_wait(), Ok(Some(_))) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where cargo puts what it builds.
pub fn target_dir() -> Done<PathBuf> {
    let text = output(cargo().args(["metadata", "--format-version", "1", "--no-deps", "--offline"]))?;
    let data: serde_json::Value = serde_json::from_str(&text).map_err(|e| format!("cargo metadata: {e}"))?;
    let folder = data["target_directory"].as_str().ok_or("cargo metadata names no target folder")?;
    Ok(PathBuf::from(folder))
}
