//! `floorctl demo`: the simulated contact centre, on loopback, until it is interrupted.

use simulator::Options;
use tokio_util::sync::CancellationToken;

use crate::{Exit, print};

pub async fn run(port: u16, speed: f64, seed: u64, stop: &CancellationToken) -> Exit {
    if !(0.1..=1000.0).contains(&speed) {
        eprintln!("floorctl: --speed must lie between 0.1 and 1000");
        return Exit::Usage;
    }
    let options = Options { seed, speed, base_port: port, ..Options::default() };
    let ready = |configuration: &str| {
        print(configuration);
        eprintln!("floorctl: the simulated contact centre is open; end it with Ctrl-C");
    };
    match simulator::serve_demo(options, ready, stop.cancelled()).await {
        Ok(()) => Exit::Interrupted,
        Err(error) => {
            eprintln!("floorctl: the simulated contact centre does not start: {error}");
            Exit::Internal
        }
    }
}
