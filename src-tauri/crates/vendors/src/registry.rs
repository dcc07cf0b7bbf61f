//! The list of vendors: one line each.

use model::Vendor;

use crate::{
    ConfigError, Connector, SourceSettings, VendorSpec, beyondtrust, comm100, giosg, liveperson, pingstreams,
};

/// What a vendor's folder offers: its description and how to build a connector from settings.
pub struct Registered {
    /// The folder's description of itself.
    pub spec: &'static VendorSpec,
    /// Checks the vendor's keys without touching the network. An unknown key is an error.
    pub build: fn(&SourceSettings) -> Result<Box<dyn Connector>, ConfigError>,
}

/// Every vendor that this build can talk to.
pub const REGISTRY: &[Registered] = &[
    Registered { spec: &beyondtrust::SPEC, build: beyondtrust::build },
    Registered { spec: &comm100::SPEC, build: comm100::build },
    Registered { spec: &giosg::SPEC, build: giosg::build },
    Registered { spec: &liveperson::SPEC, build: liveperson::build },
    Registered { spec: &pingstreams::SPEC, build: pingstreams::build },
];

/// Finds a vendor; `None` when this build does not have it.
pub fn find(vendor: Vendor) -> Option<&'static Registered> {
    REGISTRY.iter().find(|r| r.spec.vendor == vendor)
}
