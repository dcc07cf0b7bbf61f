//! Bad input: every case of the fault catalogue's groups N (network), P (protocol and data), A (sign-in) and
//! L (limits) that is played through the whole program. `catalogue.rs` says where each case has its tests.
//!
//! The cases wait more than they work, so they run beside each other: two dozen at once unless
//! `--test-threads` says otherwise. `FLOORWALKER_LONG=1` plays the long forms.
// In a test an unwrap is an assertion.
#![allow(clippy::unwrap_used)]

mod network;
mod oracle;
mod stand;
mod tls;

use libtest_mimic::Arguments;

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(24);
    let mut trials = Vec::new();
    trials.extend(network::trials());
    trials.extend(tls::trials());
    libtest_mimic::run(&arguments, trials).exit();
}
