//! One folder per vendor, always with the same files. What every vendor has in common is in
//! [`config`] and [`connector`]; the list of them is in [`registry`].
//!
//! Names on the wire stay in a folder's `wire.rs`; everything that leaves this crate speaks `model`.

pub mod beyondtrust;
pub mod comm100;
pub mod config;
pub mod connector;
pub mod drift;
pub mod figures;
pub mod giosg;
pub mod liveperson;
mod load;
pub mod loose;
pub mod paces;
pub mod pingstreams;
pub mod polled;
pub mod registry;
pub mod rest;
#[cfg(test)]
mod testing;
pub mod tokens;

pub use config::{ConfigError, FieldKind, FieldSpec, Setting, SourceSettings, VendorSpec};
pub use connector::{Connector, Endpoint, SourceLink};
