//! The transport kit: what every connector needs to talk to a vendor, and nothing of any vendor.
//!
//! HTTP and WebSocket with limits and deadlines, the backoff, rate limits, token single-flight, the
//! poll schedule. Knows no vendor, no state, no screen.

pub mod backoff;
pub mod clock;
pub mod http;
pub mod liveness;
pub mod origin;
pub mod poll;
mod proxy;
pub mod rate;
pub mod secret;
pub mod session;
pub mod single_flight;
pub mod skew;
pub mod tap;
pub mod tape;
mod tcp;
mod tls;
pub mod traffic;
pub mod trouble;
mod upgraded;
pub mod ws;

pub use ::http::Method;
pub use clock::{Clock, SystemClock};
pub use http::{Answer, Auth, Http, Request};
pub use secret::Secret;
pub use session::Session;
pub use tap::{Tap, Taps};
pub use tls::{NetOptions, SetupError};
pub use trouble::{NetError, Phase, TlsProblem};
pub use ws::Dialer;
