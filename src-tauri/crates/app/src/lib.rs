//! The runtime: the one loop, named tasks, subscriptions, settings, and the function surface that the
//! window, the bridge and `floorctl` share.

pub mod api;
