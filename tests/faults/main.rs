//! Bad input: every case of the fault catalogue's groups N (network), P (protocol and data), A (sign-in) and
//! L (limits) that is played through the whole program. `catalogue.rs` says where each case has its tests.
//!
//! The cases wait more than they work, so they run beside each other: thirty-two at once unless
//! `--test-threads` says otherwise. `FLOORWALKER_LONG=1` plays the long forms.
// In a test an unwrap is an assertion.
#![allow(clippy::unwrap_used)]

mod catalogue;
mod data;
mod limits;
mod network;
mod oracle;
mod proxies;
mod signin;
mod spaces;
mod stand;
mod tls;

use libtest_mimic::Arguments;

/// Cases that wait longest.
const LONGEST: [&str; 12] =
    ["p12_", "n6_", "n15_", "n7_", "n16_", "n1_", "n2_", "n17_", "n11_", "a5_", "l4_", "p21_"];

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(32);
    let mut trials = Vec::new();
    trials.extend(network::trials());
    trials.extend(tls::trials());
    trials.extend(data::trials());
    trials.extend(signin::trials());
    trials.extend(limits::trials());
    trials.extend(proxies::trials());
    trials.extend(spaces::trials());
    trials.extend(catalogue::trials());
    // The longest first, so that they end with the others.
    trials.sort_by_key(|trial| !LONGEST.iter().any(|name| trial.name().starts_with(name)));
    libtest_mimic::run(&arguments, trials).exit();
}
