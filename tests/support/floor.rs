//! A simulated contact centre beside a desktop, and the app on both.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use model::Vendor;
use simulator::{Control, Options, Running};
use tokio::runtime::Runtime;

use crate::desk::{Desk, Running as Program, Services, until};

/// The secret that stands for every source's here. Obviously none.
pub const SECRET: &str = "fake-secret-of-the-tests-9c41";

/// Rules that make one picture of every test: only long waits are told of, at once.
const RULES: &str = r#"default_alerts = false

[[alert]]
name = "Long wait"
when = "queue.longest_wait > 60s"
critical = "queue.longest_wait > 120s"
"#;

/// Contact centre, desktop and configuration of one test.
pub struct Floor {
    /// The desktop.
    pub desk: Desk,
    /// The app's configuration.
    pub config: PathBuf,
    centre: Option<Running>,
    runtime: Runtime,
}

impl Floor {
    /// Opens an empty floor of these vendors. `configured`: the app knows them already, else only the rules.
    pub fn open(programs: PathBuf, services: Services, vendors: &[Vendor], configured: bool) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let desk = Desk::set_up(programs, services);
        let centre =
            runtime.block_on(simulator::start(Options::quiet(vendors))).expect("the contact centre starts");
        let sources = if configured { centre.config_toml() } else { String::new() };
        let config = desk.write("floorwalker.toml", &format!("{RULES}\n{sources}"));
        Self { desk, config, centre: Some(centre), runtime }
    }

    /// The app, with the secrets of the contact centre in its surroundings.
    pub fn app(&self) -> Command {
        let mut app = self.desk.our("floorwalker");
        app.arg("--config").arg(&self.config).arg("--data").arg(self.desk.path("data"));
        app.stdout(Stdio::null());
        for vendor in Vendor::ALL {
            app.env(simulator::secret_env(vendor), SECRET);
        }
        app
    }

    /// Steers the contact centre.
    pub fn control(&self) -> Control {
        self.centre().control()
    }

    /// The running contact centre.
    pub fn centre(&self) -> &Running {
        self.centre.as_ref().expect("the contact centre is open")
    }

    /// The first queue of a vendor: id and name.
    pub fn queue(&self, vendor: Vendor) -> (String, String) {
        let queues = self.control().queues(vendor).expect("the vendor is served");
        let (id, name) = queues.first().expect("it has a queue");
        (id.to_string(), name.clone())
    }

    /// The contact centre goes away with all its servers.
    pub fn close(&mut self) {
        if let Some(centre) = self.centre.take() {
            self.runtime.block_on(centre.shutdown());
        }
    }

    /// The desktop's keychain, open under a password that nobody needs to know.
    pub fn unlock_keychain(&self) -> Program {
        let mut daemon = self.desk.command("sh");
        // The daemon takes its password from standard input and then stays.
        daemon.args(["-c", "printf fake-keyring-password | exec gnome-keyring-daemon --foreground --unlock --components=secrets"]);
        let daemon = self.desk.start(daemon.stdout(Stdio::null()));
        let ask = |words: &[&str]| {
            let mut ask = self.desk.command("dbus-send");
            String::from_utf8_lossy(
                &self.desk.run(ask.args(["--session", "--print-reply"]).args(words), "").stdout,
            )
            .into_owned()
        };
        let patience = std::time::Duration::from_secs(20);
        // First whether it is there at all: a question to it would start a second, locked one.
        until("the keychain is there", patience, || {
            let owned = ask(&[
                "--dest=org.freedesktop.DBus",
                "/org/freedesktop/DBus",
                "org.freedesktop.DBus.NameHasOwner",
                "string:org.freedesktop.secrets",
            ]);
            owned.contains("boolean true").then_some(())
        });
        until("the keychain is open", patience, || {
            let locked = ask(&[
                "--dest=org.freedesktop.secrets",
                "/org/freedesktop/secrets/aliases/default",
                "org.freedesktop.DBus.Properties.Get",
                "string:org.freedesktop.Secret.Collection",
                "string:Locked",
            ]);
            locked.contains("boolean false").then_some(())
        });
        daemon
    }
}
