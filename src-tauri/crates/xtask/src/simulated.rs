//! The simulated contact centre as a neighbour: `floorctl demo` and the configuration it prints.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use crate::run::{Background, Done, command};

/// Ports the simulated centre may take, one a vendor and one to steer it.
const PORTS: u16 = 8;

/// A running simulated centre.
pub struct Simulated {
    /// Its configuration for the app.
    pub config: PathBuf,
    /// Environment variables that hold its secrets. Any value is accepted.
    pub secrets: Vec<String>,
    server: Background,
}

impl Simulated {
    /// Starts it on free ports; its configuration goes into `folder`.
    pub fn start(floorctl: &Path, folder: &Path) -> Done<Self> {
        let port = free_ports().ok_or("no free ports on the loopback")?;
        let mut server = command(floorctl);
        server.args(["demo", "--port", &port.to_string()]).stdin(Stdio::null()).stdout(Stdio::piped());
        let log = folder.join("centre.log");
        let noise = fs::File::create(&log).map_err(|e| format!("{}: {e}", log.display()))?;
        let mut server = Background::start(server.stderr(noise))?;
        let out = server.child().stdout.take().ok_or("floorctl has no output")?;
        let (line_out, lines) = mpsc::sync_channel(1000);
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                // Read on though nobody listens any more: a full pipe would stop the server.
                let _ = line_out.try_send(line);
            }
        });
        // It prints the configuration in one go, once its servers listen, and then goes on serving.
        let mut text = String::new();
        let mut patience = Duration::from_secs(30);
        loop {
            match lines.recv_timeout(patience) {
                Ok(line) => {
                    text.push_str(&line);
                    text.push('\n');
                    patience = Duration::from_millis(500);
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => {
                    // The sentence in its log tells more than its exit code.
                    break;
                }
            }
        }
        if !text.contains("[[source]]") {
            let said = fs::read_to_string(&log).unwrap_or_default();
            return Err(format!("`floorctl demo` printed no configuration: {}", said.trim()));
        }
        let config = folder.join("floorwalker.toml");
        fs::write(&config, &text).map_err(|e| format!("{}: {e}", config.display()))?;
        Ok(Self { config, secrets: secret_names(&text), server })
    }

    /// An error when it has ended already.
    pub fn must_live(&mut self) -> Done {
        self.server.must_live()
    }
}

fn secret_names(config: &str) -> Vec<String> {
    let named = config.lines().filter_map(|line| line.trim().strip_prefix("secret_env")?.split('"').nth(1));
    named.map(str::to_owned).collect()
}

/// A first port of several free ones in a row.
fn free_ports() -> Option<u16> {
    (47110..60000).step_by(usize::from(PORTS) + 2).find(|first| {
        let all: Vec<_> = (*first..first + PORTS).map(|p| TcpListener::bind(("127.0.0.1", p))).collect();
        all.iter().all(Result::is_ok)
    })
}

#[cfg(test)]
mod tests {
    use super::secret_names;

    #[test]
    fn finds_the_names_of_secrets() {
        let config = "[[source]]\nid = \"a\"\nsecret_env = \"DEMO_A\"\n[[source]]\n  secret_env=\"DEMO_B\"\n";
        assert_eq!(secret_names(config), ["DEMO_A", "DEMO_B"]);
    }
}
