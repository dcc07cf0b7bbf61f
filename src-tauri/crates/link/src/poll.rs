//! Polling, for any vendor that cannot push.
//!
//! Four parts: [`plan`] says what is asked and how often, [`schedule`] decides what to ask next and how
//! well the link is (pure, the time is passed in), [`rows`] finds what really changed between two
//! polls, and [`driver`] joins them with the network, the clock and the way out.

pub mod bodies;
pub mod budget;
pub mod driver;
mod health;
pub mod plan;
pub mod rows;
pub mod schedule;
#[cfg(test)]
mod tests;
pub mod trouble;

pub use bodies::Bodies;
pub use budget::{Budget, Budgets, Share};
pub use driver::{Ask, Driver, Floor, Good, Moment};
pub use plan::{Plan, pace};
pub use rows::Rows;
pub use schedule::{Next, Schedule};
pub use trouble::Trouble;
