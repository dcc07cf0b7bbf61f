//! BeyondTrust Remote Support, Real-Time State API: a WebSocket that pushes the appliance's tables. See
//! the README beside this file for what it can tell and how its doubts are read.

mod auth;
mod config;
mod connect;
mod floor;
mod format;
mod health;
mod life;
mod lines;
mod map;
mod pulse;
mod run;
mod stream;
mod tables;
#[cfg(test)]
mod tests;
mod wire;

use async_trait::async_trait;

pub use config::SPEC;

use crate::{ConfigError, Connector, Endpoint, SourceLink, SourceSettings};

/// Checks the keys and builds a connector, without touching the network.
pub fn build(settings: &SourceSettings) -> Result<Box<dyn Connector>, ConfigError> {
    Ok(Box::new(Beyondtrust { config: config::Config::read(settings)? }))
}

struct Beyondtrust {
    config: config::Config,
}

#[async_trait]
impl Connector for Beyondtrust {
    fn endpoints(&self) -> Vec<Endpoint> {
        Vec::new()
    }
    async fn run(self: Box<Self>, link: SourceLink) {
        run::run(self.config, link).await;
    }
}
