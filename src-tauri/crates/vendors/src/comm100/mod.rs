//! Comm100 Live Chat, RESTful API v4, Real Time section. Polled. See `README.md`.

mod auth;
mod config;
mod floor;
mod map;
mod rest;
mod status;
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

const RIGHTNOW: usize = 0;
const QUEUE: usize = 1;
const AGENTS: usize = 2;
const TODAY: usize = 3;
const LOOKUPS: usize = 4;
const STATUSES: usize = 5;

const WORDS: Words = Words {
    vendor: "Comm100",
    credentials: "check the e-mail address and the API key; if they are right, the site may no longer allow API keys: use `username` and the password",
    permission: "check `site_id`, and ask for the permission View Reports; if the account has it, the plan may lack this part",
};

/// The vendor allows 300 requests in 5 minutes to everyone behind one address; three supervisors fit.
const CALLS: u32 = 100;
const CALLS_PER: Duration = Duration::from_secs(300);

/// One Comm100 site.
pub struct Comm100 {
    config: config::Config,
    plans: Vec<Plan>,
    calls: u32,
    ca_file: Option<PathBuf>,
    proxy: Option<String>,
}

/// Checks the settings and builds the connector.
pub fn build(settings: &SourceSettings) -> Result<Box<dyn Connector>, ConfigError> {
    Ok(Box::new(Comm100 {
        config: config::read(settings)?,
        plans: config::plans(settings.poll),
        calls: CALLS,
        ca_file: settings.ca_file.clone(),
        proxy: settings.proxy.clone(),
    }))
}

#[async_trait]
impl Connector for Comm100 {
    fn endpoints(&self) -> Vec<Endpoint> {
        polled::endpoints(&self.plans)
    }

    async fn run(self: Box<Self>, link: SourceLink) {
        let Self { config, plans, calls, ca_file, proxy } = *self;
        let http = match link.http(&NetOptions { ca_file, proxy }) {
            Ok(http) => http,
            Err(error) => return polled::misconfigured(&link, error.to_string()).await,
        };
        let share = Arc::new(link.budgets.share(&config.base, None, calls, CALLS_PER));
        // What is planned leaves room for a start, whose requests count for a whole period: where all is
        // planned, they would be missing later, all at once.
        let planned = (calls * 9 / 10).max(1);
        let pace = floor::Pace {
            usual: plans.iter().map(|plan| (plan.name, plan.every)).collect(),
            page: config::time_per_page(&plans, planned, CALLS_PER),
            share: share.clone(),
            calls: (calls, CALLS_PER),
            planned,
        };
        let mut ask = rest::Comm100Ask::new(
            http,
            config.base,
            config.site_id,
            config.identity,
            link.secret,
            share,
            link.clock.clone(),
        );
        ask.notes = link.notes.clone();
        let mut floor = floor::Comm100Floor::new(link.source.clone(), pace).telling(link.paces);
        floor.notes = link.notes;
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
