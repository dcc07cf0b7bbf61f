//! LivePerson: Chat Agent API and Operational Realtime API. Polled. See `README.md`.

mod address;
mod chats;
mod config;
mod floor;
mod follow;
mod hosts;
mod login;
mod map;
mod rest;
mod session;
#[cfg(test)]
mod tests;
mod values;
mod wire;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
pub use config::SPEC;
use link::poll::{Driver, Plan, Schedule};

use crate::{ConfigError, Connector, Endpoint, SourceLink, SourceSettings, polled, rest::Words};

const QUEUESTATE: usize = 0;
const QUEUEHEALTH: usize = 1;
const AGENTS: usize = 2;
const CONVERSATIONS: usize = 3;
const LOOK_UPS: usize = 4;

/// Pauses after a fault at LivePerson, seconds. Its own policy is 5, 10 and 15 s, then every two minutes;
/// tries may come a tenth sooner.
const AGAIN: &[u64] = &[6, 12, 17, 30, 60, 134];

/// A sign-in that was refused is tried again after this.
const REFUSED: Duration = Duration::from_secs(300);

const WORDS: Words = Words {
    vendor: "LivePerson",
    credentials: "check `username` and the password",
    permission: "ask for the Agent Manager profile and access to the account's operational data, and whether the data may be read from this computer's address",
};

/// One LivePerson account.
pub struct LivePerson {
    config: config::Config,
    plans: Vec<Plan>,
}

/// Checks the settings and builds the connector.
pub fn build(settings: &SourceSettings) -> Result<Box<dyn Connector>, ConfigError> {
    let config = config::read(settings)?;
    let plans = config::plans(settings.poll, config.agent_session);
    Ok(Box::new(LivePerson { config, plans }))
}

#[async_trait]
impl Connector for LivePerson {
    fn endpoints(&self) -> Vec<Endpoint> {
        let mut endpoints = polled::endpoints(&self.plans);
        endpoints.retain(|e| self.config.agent_session || !matches!(e.name, "agents" | "conversations"));
        endpoints
    }

    fn remarks(&self) -> Vec<String> {
        let remark = if self.config.agent_session {
            "opens an agent session: the user appears among the agents, set to Away, and takes no chat"
        } else {
            "opens no agent session: agents and chats are not shown"
        };
        vec![remark.to_owned()]
    }

    async fn run(self: Box<Self>, link: SourceLink) {
        let Self { config, plans } = *self;
        let http = match link.http(&config.net) {
            Ok(http) => http,
            Err(error) => return polled::misconfigured(&link, error.to_string()).await,
        };
        let (skills, user, again) = (config.skills.clone(), config.username.clone(), config.again);
        let account = login::Account::new(http, config, link.secret);
        let mut ask = rest::LivePersonAsk::new(account, link.clock.clone());
        ask.notes = link.notes;
        let ask = Arc::new(ask);
        let driver = Driver {
            source: link.source.clone(),
            ask: ask.clone(),
            floor: floor::LivePersonFloor::new(link.source, skills, user).looking_up(plans[LOOK_UPS].every),
            schedule: Schedule::new(plans, link.seed).again_after(again),
            out: link.out,
            clock: link.clock,
            stop: link.stop,
        };
        driver.run().await;
        ask.leave().await;
    }
}
