//! giosg, Realtime Reporting API v4: rooms and users. Polled. See `README.md`.

mod config;
mod floor;
mod map;
mod pages;
mod rest;
mod retired;
#[cfg(test)]
mod tests;
mod wire;

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
pub use config::SPEC;
use link::{
    NetOptions,
    poll::{Driver, Plan, Schedule},
};

use crate::{ConfigError, Connector, Endpoint, SourceLink, SourceSettings, polled, rest::Words};

const ROOMS: usize = 0;
const USERS: usize = 1;
const LOOK_UPS: usize = 2;

const WORDS: Words = Words {
    vendor: "giosg",
    credentials: "make a new API token in the console under Settings, Company, Access tokens; a token ends with the user who made it",
    permission: "either the token's user lacks the permission Reporting, or the subscription is not active, or the user may not see this organization",
};

/// No limit is documented; this is ours.
const CALLS: u32 = 60;
const CALLS_PER: Duration = Duration::from_secs(60);

/// One giosg organization.
pub struct Giosg {
    config: config::Config,
    plans: Vec<Plan>,
    calls: u32,
    ca_file: Option<PathBuf>,
    proxy: Option<String>,
}

/// Checks the settings and builds the connector.
pub fn build(settings: &SourceSettings) -> Result<Box<dyn Connector>, ConfigError> {
    Ok(Box::new(Giosg {
        config: config::read(settings)?,
        plans: config::plans(settings.poll),
        calls: CALLS,
        ca_file: settings.ca_file.clone(),
        proxy: settings.proxy.clone(),
    }))
}

#[async_trait]
impl Connector for Giosg {
    fn endpoints(&self) -> Vec<Endpoint> {
        polled::endpoints(&self.plans)
    }

    fn remarks(&self) -> Vec<String> {
        // Whether it knows that zone only giosg can tell.
        vec![match &self.config.timezone {
            Some(zone) => format!("asked to count today in {zone}"),
            None => "today is counted in UTC".to_owned(),
        }]
    }

    async fn run(self: Box<Self>, link: SourceLink) {
        let Self { config, plans, calls, ca_file, proxy } = *self;
        let http = match link.http(&NetOptions { ca_file, proxy }) {
            Ok(http) => http,
            Err(error) => return polled::misconfigured(&link, error.to_string()).await,
        };
        let share = Arc::new(link.budgets.share(&config.base, Some(&link.secret), calls, CALLS_PER));
        let pace = floor::Pace {
            usual: [plans[ROOMS].every, plans[USERS].every, plans[LOOK_UPS].every],
            share: share.clone(),
            // What exact waits may cost is put aside.
            calls: (calls.saturating_sub(rest::EXTRAS).max(1), CALLS_PER),
        };
        let floor =
            floor::GiosgFloor::new(link.source.clone(), config.include_shared, pace).telling(link.paces);
        let mut ask = rest::GiosgAsk::new(http, config, link.secret, share);
        ask.notes = link.notes;
        let driver = Driver {
            source: link.source,
            ask: Arc::new(ask),
            floor,
            schedule: Schedule::new(plans, link.seed),
            out: link.out,
            clock: link.clock,
            stop: link.stop,
        };
        driver.run().await;
    }
}
