//! Pingstreams, a white label of the open-source Tiledesk platform: push over a WebSocket, the rest over
//! REST. See the README beside this file for what it can tell and how its doubts are read.

mod auth;
mod config;
mod connect;
mod feed;
mod floor;
mod format;
mod hear;
mod lax;
mod map;
mod rest;
mod run;
mod stream;
mod tally;
mod topic;
mod wire;

#[cfg(test)]
mod tests;

use async_trait::async_trait;

pub use config::SPEC;
pub use feed::Feed;

use crate::{ConfigError, Connector, Endpoint, SourceLink, SourceSettings};

/// Checks the keys and builds a connector, without touching the network.
pub fn build(settings: &SourceSettings) -> Result<Box<dyn Connector>, ConfigError> {
    Ok(Box::new(Pingstreams { config: config::Config::read(settings)? }))
}

struct Pingstreams {
    config: config::Config,
}

#[async_trait]
impl Connector for Pingstreams {
    fn endpoints(&self) -> Vec<Endpoint> {
        Vec::new()
    }
    fn remarks(&self) -> Vec<String> {
        vec![self.config.remark()]
    }
    async fn run(self: Box<Self>, link: SourceLink) {
        run::run(self.config, link).await;
    }
}
