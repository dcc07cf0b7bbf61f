//! The transport kit: what every connector needs to talk to a vendor, and nothing of any vendor.
//!
//! HTTP and WebSocket with limits and deadlines, the backoff, rate limits, token single-flight, the
//! poll schedule. Knows no vendor, no state, no screen.

pub mod clock;
pub mod secret;

pub use clock::{Clock, SystemClock};
pub use secret::Secret;
