//! A desktop of its own for one test: a home, a session bus and a display that nobody else sees. Everything
//! ends with the value that started it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Where `cargo verify` says that the built programs stand; the sign that a desktop may be played.
const GATE: &str = "FLOORWALKER_DESKTOP";

/// The built programs, or `None` and a line saying that this test was left out.
pub fn programs(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(GATE).map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: {test} needs a desktop's neighbours; `cargo verify` plays them");
    }
    folder
}

/// A program that ends with this value.
pub struct Running(Child);

impl Running {
    /// Starts it; its noise goes to `log`.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let file = fs::File::options().create(true).append(true).open(log).expect("the log can be written");
        command.stdin(Stdio::null()).stderr(file);
        let child = command.spawn().unwrap_or_else(|e| panic!("{:?} starts: {e}", command.get_program()));
        Self(child)
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Whether it still runs.
    pub fn lives(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Its first line on standard output, which must have been piped.
    pub fn first_line(&mut self) -> String {
        let out = self.0.stdout.as_mut().expect("standard output is piped");
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("a first line");
        line.trim().to_owned()
    }

    /// As a power cut would end it.
    pub fn kill(mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Asks it to end; the exit code, once it has.
    pub fn end(mut self) -> Option<i32> {
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        until("the program ends", Duration::from_secs(10), || self.0.try_wait().ok().flatten()).code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks again until there is an answer; fails the test when there is none in time.
pub fn until<T>(what: &str, patience: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + patience;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "waited {patience:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What answers on the session bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Services {
    /// Whatever is installed starts when it is asked for, as on a real desktop.
    Installed,
    /// Nothing does.
    None,
}

/// Home, bus and display of one test.
pub struct Desk {
    /// All files of this desktop.
    pub folder: TempDir,
    programs: PathBuf,
    bus: String,
    display: String,
    _bus: Running,
    _display: Running,
}

impl Desk {
    /// Sets one up.
    pub fn set_up(programs: PathBuf, services: Services) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["home", "config", "data", "cache", "run", "shot"] {
            fs::create_dir(folder.path().join(name)).expect("a folder in it");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let private = fs::Permissions::from_mode(0o700);
            fs::set_permissions(folder.path().join("run"), private).expect("a private folder");
        }
        let log = folder.path().join("neighbours.log");
        let mut screen = Command::new("Xvfb");
        screen
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped());
        let mut screen = Running::start(&mut screen, &log);
        let display = format!(":{}", screen.first_line());
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--nofork", "--nopidfile", "--print-address=1"]).stdout(Stdio::piped());
        match services {
            Services::Installed => bus.arg("--session"),
            Services::None => bus.arg(format!("--config-file={}", lonely_bus(folder.path()).display())),
        };
        at_home(&mut bus, folder.path());
        // What the bus starts must know the display.
        let mut bus = Running::start(bus.env("DISPLAY", &display), &log);
        let address = bus.first_line();
        assert!(
            address.starts_with("unix:"),
            "the bus starts: {}",
            fs::read_to_string(&log).unwrap_or_default()
        );
        Self { folder, programs, bus: address, display, _bus: bus, _display: screen }
    }

    /// A command on this desktop.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        at_home(&mut command, self.folder.path());
        command.env("DISPLAY", &self.display).env("DBUS_SESSION_BUS_ADDRESS", &self.bus);
        command
    }

    /// One of our own programs on this desktop.
    pub fn our(&self, name: &str) -> Command {
        self.command(self.programs.join(name))
    }

    /// Where our programs stand.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// Starts a program in the background.
    pub fn start(&self, command: &mut Command) -> Running {
        let name =
            Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
        Running::start(command, &self.path(&format!("{name}.log")))
    }

    /// Runs a program to its end, with a text on its standard input.
    pub fn run(&self, command: &mut Command, input: &str) -> Output {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{:?} starts: {e}", command.get_program()));
        let mut stdin = child.stdin.take().expect("standard input is piped");
        // A program that does not read its input closes it early: no fault of the test.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output().expect("it ends")
    }

    /// A file of this desktop.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of this desktop.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("a file can be written");
        path
    }
}

/// Standard output as text.
pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Both outputs as text.
pub fn all_text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn at_home(command: &mut Command, folder: &Path) {
    command.current_dir(folder).env("HOME", folder.join("home")).env("XDG_RUNTIME_DIR", folder.join("run"));
    for (name, place) in
        [("XDG_CONFIG_HOME", "config"), ("XDG_DATA_HOME", "data"), ("XDG_CACHE_HOME", "cache")]
    {
        command.env(name, folder.join(place));
    }
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"] {
        command.env_remove(name);
    }
}

/// A bus on which nothing starts by itself.
fn lonely_bus(folder: &Path) -> PathBuf {
    let path = folder.join("bus.conf");
    let text = format!(
        r#"<busconfig><type>session</type><listen>unix:path={}</listen><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"#,
        folder.join("run/bus").display()
    );
    fs::write(&path, text).expect("the bus's configuration");
    path
}
