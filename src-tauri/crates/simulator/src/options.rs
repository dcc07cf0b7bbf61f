//! How a simulated contact centre is started.

use std::collections::BTreeMap;

use model::Vendor;

use crate::{beyondtrust, comm100, floor::Scenario, giosg, liveperson, pingstreams};

/// Which secrets the servers accept.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Secrets {
    /// Any text that is not empty: the demo.
    #[default]
    Any,
    /// These, by vendor; any text for a vendor that is not listed.
    Exact(BTreeMap<Vendor, String>),
}

/// How to start.
#[derive(Clone, Debug)]
pub struct Options {
    /// Same seed, same floor.
    pub seed: u64,
    /// Durations are divided by this; instants stay wall time.
    pub speed: f64,
    /// Port of the first of [`Vendor::ALL`]; every vendor has its own place after it. 0: any free ports.
    pub base_port: u16,
    /// Which vendors to serve.
    pub vendors: Vec<Vendor>,
    /// What kind of floor.
    pub scenario: Scenario,
    /// Which secrets are accepted.
    pub secrets: Secrets,
    /// Port of the script desk, HTTP for scripts that cannot call [`crate::Control`]; `None`: there is none.
    pub control_port: Option<u16>,
    /// How the LivePerson server behaves.
    pub liveperson: liveperson::Dialect,
    /// How the Pingstreams server behaves.
    pub pingstreams: pingstreams::Dialect,
    /// How the BeyondTrust server behaves.
    pub beyondtrust: beyondtrust::Dialect,
    /// How the Comm100 server behaves.
    pub comm100: comm100::Dialect,
    /// How the giosg server behaves.
    pub giosg: giosg::Dialect,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            speed: 1.0,
            base_port: 0,
            vendors: crate::served(),
            scenario: Scenario::Demo,
            secrets: Secrets::Any,
            control_port: None,
            liveperson: liveperson::Dialect::default(),
            pingstreams: pingstreams::Dialect::default(),
            beyondtrust: beyondtrust::Dialect::default(),
            comm100: comm100::Dialect::default(),
            giosg: giosg::Dialect::default(),
        }
    }
}

impl Options {
    /// An empty floor that a test steers, on any free ports.
    pub fn quiet(vendors: &[Vendor]) -> Self {
        Self { vendors: vendors.to_vec(), scenario: Scenario::Quiet, ..Self::default() }
    }
}
