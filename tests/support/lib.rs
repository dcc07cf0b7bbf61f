//! Shared parts of the acceptance tests.

pub mod desk;
pub mod floor;
pub mod webdriver;
