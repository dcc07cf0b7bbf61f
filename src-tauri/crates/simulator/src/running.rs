//! Starting and stopping.

use std::{collections::BTreeMap, fmt::Write as _, future::Future, io, net::SocketAddr, sync::Arc};

use model::{Id, Vendor};
use tokio::task::JoinHandle;

use crate::{
    Control, Options, Secrets, Truth, clock,
    control::Post,
    floor::Centre,
    script_desk, server,
    stage::Stage,
    wire::{GatedListener, Wire},
};

/// Why a simulated contact centre could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// This build has no server for the vendor.
    #[error("the simulated contact centre has no {} server", .0.as_str())]
    NotServed(Vendor),
    /// The port is taken, or may not be used.
    #[error("port {port} on this computer cannot be used ({source}); choose another with --port")]
    Port {
        /// Which port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
}

/// A contact centre that runs until it is shut down or dropped.
pub struct Running {
    stage: Arc<Stage>,
    posts: Arc<BTreeMap<Vendor, Post>>,
    addresses: BTreeMap<Vendor, SocketAddr>,
    control: Control,
    control_address: Option<SocketAddr>,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts a contact centre on loopback.
///
/// # Errors
/// A vendor without a server, or a port that is taken.
pub async fn start(options: Options) -> Result<Running, StartError> {
    let mut vendors = options.vendors.clone();
    vendors.sort();
    vendors.dedup();
    let centre = Centre::open(options.seed, options.speed, &options.scenario, &vendors, clock::now());
    let stage = Stage::new(centre);
    let mut posts = BTreeMap::new();
    let mut addresses = BTreeMap::new();
    let mut doors = Vec::new();
    for vendor in vendors {
        let secret = match &options.secrets {
            Secrets::Any => None,
            Secrets::Exact(secrets) => secrets.get(&vendor).cloned(),
        };
        let wire = Arc::new(Wire::new(vendor, secret));
        let port = port_of(options.base_port, vendor);
        let listener = GatedListener::bind(wire.clone(), port)
            .await
            .map_err(|source| StartError::Port { port, source })?;
        addresses.insert(vendor, listener.address());
        let server = server::open(vendor, &stage, &wire, &options).ok_or(StartError::NotServed(vendor))?;
        doors.push((listener, server::door(server.clone(), wire.clone())));
        posts.insert(vendor, (wire, server));
    }
    stage.set_servers(posts.values().map(|(_, server)| server.clone()).collect());
    let posts = Arc::new(posts);
    let control = Control::new(stage.clone(), posts.clone());
    let script_desk = match options.control_port {
        Some(port) => Some(
            tokio::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port))
                .await
                .map_err(|source| StartError::Port { port, source })?,
        ),
        None => None,
    };
    let control_address = script_desk.as_ref().and_then(|l| l.local_addr().ok());
    let mut tasks = vec![tokio::spawn(stage.clone().live())];
    for (listener, door) in doors {
        tasks.push(tokio::spawn(async move {
            // Ends only with the task: the gate's listener waits through every error.
            let _ = axum::serve(listener, door).await;
        }));
    }
    let running = Running { stage, posts, addresses, control, control_address, tasks };
    Ok(match script_desk {
        Some(listener) => running.with_script_desk(listener),
        None => running,
    })
}

fn port_of(base: u16, vendor: Vendor) -> u16 {
    let place = Vendor::ALL.iter().position(|v| *v == vendor).unwrap_or(0) as u16;
    if base == 0 { 0 } else { base.saturating_add(place) }
}

impl Running {
    fn with_script_desk(mut self, listener: tokio::net::TcpListener) -> Self {
        let stage = self.stage.clone();
        let posts = self.posts.clone();
        let truth = move |vendor| truth_of(&stage, &posts, vendor, Vendor::as_str(vendor));
        let desk = script_desk::desk(self.control.clone(), Arc::new(truth));
        self.tasks.push(tokio::spawn(async move {
            // Ends only with the task.
            let _ = axum::serve(listener, desk).await;
        }));
        self
    }
    /// Where scripts can steer, when a control port was asked for.
    pub fn control_address(&self) -> Option<SocketAddr> {
        self.control_address
    }
    /// Where a vendor is served.
    pub fn address(&self, vendor: Vendor) -> Option<SocketAddr> {
        self.addresses.get(&vendor).copied()
    }
    /// What tests and scripts can do.
    pub fn control(&self) -> Control {
        self.control.clone()
    }
    /// What a perfect client would show for the source that [`Running::config_toml`] names; empty when
    /// the vendor is not served.
    pub fn truth(&self, vendor: Vendor) -> Truth {
        self.truth_as(vendor, vendor.as_str())
    }
    /// The same for a source of another id.
    pub fn truth_as(&self, vendor: Vendor, source: &str) -> Truth {
        truth_of(&self.stage, &self.posts, vendor, source)
    }
    /// A whole Floorwalker configuration for this contact centre. Sources are called like their vendors.
    pub fn config_toml(&self) -> String {
        let mut text = String::from(
            "# The simulated contact centre. Its secrets come from the environment; any value is accepted:\n",
        );
        for vendor in self.posts.keys() {
            let _ = writeln!(text, "#   export {}=demo", secret_env(*vendor));
        }
        for vendor in self.posts.keys() {
            text.push('\n');
            text.push_str(&self.source_toml(*vendor, vendor.as_str()));
        }
        text
    }
    /// A token of the account that sees everything, for vendors where it can be configured directly.
    pub fn token(&self, vendor: Vendor) -> Option<String> {
        self.posts.get(&vendor).and_then(|(_, server)| server.token())
    }
    /// One `[[source]]` for a vendor, under any id.
    pub fn source_toml(&self, vendor: Vendor, id: &str) -> String {
        let (Some((_, server)), Some(address)) = (self.posts.get(&vendor), self.address(vendor)) else {
            return String::new();
        };
        let mut text = String::from("[[source]]\n");
        let _ =
            writeln!(text, "id = \"{id}\"\nname = \"{}\"\nvendor = \"{}\"", server.name(), vendor.as_str());
        for (key, value) in server.settings(address) {
            let _ = writeln!(text, "{key} = {value}");
        }
        let _ = writeln!(text, "secret_env = \"{}\"", secret_env(vendor));
        text
    }
    /// Ends everything and waits for it.
    pub async fn shutdown(mut self) {
        self.stop();
        for task in std::mem::take(&mut self.tasks) {
            // Cancelled is what it was asked to be.
            let _ = task.await;
        }
    }
    fn stop(&self) {
        for task in &self.tasks {
            task.abort();
        }
        for (wire, _) in self.posts.values() {
            wire.gate.close();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

fn truth_of(stage: &Stage, posts: &BTreeMap<Vendor, Post>, vendor: Vendor, source: &str) -> Truth {
    let Some((_, server)) = posts.get(&vendor) else { return Truth::default() };
    let source = Id::new(source);
    stage.look(|floor| server.truth(floor, &source, floor.now()).sorted())
}

/// Name of the environment variable that the configuration names.
pub fn secret_env(vendor: Vendor) -> String {
    format!("DEMO_{}_SECRET", vendor.as_str().to_uppercase())
}

/// Serves the demo until `until` is done; `ready` gets the configuration once everything listens.
///
/// # Errors
/// As [`start`].
pub async fn serve_demo(
    options: Options,
    ready: impl FnOnce(&str),
    until: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let running = start(options).await?;
    ready(&running.config_toml());
    until.await;
    running.shutdown().await;
    Ok(())
}
