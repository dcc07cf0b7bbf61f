//! What the appliance says of itself while there is no connection: a site that is switching over to its backup
//! must not be taken for a full one, nor for one that refuses our account.

use std::time::Duration;

use link::{Http, Request, origin::place};
use tokio::time::Instant;

use super::{
    config::Config,
    connect::full,
    run::{End, Source},
};

/// It is asked no more often than this.
const ASK_EVERY: Duration = Duration::from_secs(30);
/// It answers at once, or not at all.
const DEADLINE: Duration = Duration::from_secs(5);
/// So many connections in a row that end as soon as they began mean that there is no place left.
const RUNNING: u32 = 3;

/// What `/check_health` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Well,
    Down,
    /// Nothing that is understood.
    Nothing,
}

/// The last check-up, and how often in a row a connection ended as soon as it began.
#[derive(Debug, Default)]
pub(super) struct CheckUp {
    last: Option<(Instant, Says)>,
    cut_short: u32,
}

/// Why a visit ended, in the light of what the appliance says of itself.
pub(super) async fn explained(source: &mut Source, end: End) -> End {
    let host = place(&source.config.feed_url);
    let running = if matches!(end, End::CutShort) { source.check_up.cut_short + 1 } else { 0 };
    source.check_up.cut_short = running;
    // A refusal at the very first is one; after success it may be a site on its way to its backup.
    let was_heard = source.session.report().last_data_at.is_some();
    let says = match &end {
        End::CutShort | End::Unavailable(_) => ask(source).await,
        End::Denied(_) if was_heard => ask(source).await,
        _ => return end,
    };
    let wait = if let End::Unavailable(wait) = &end { *wait } else { None };
    match (end, says) {
        (_, Says::Down) => End::Lost(
            format!(
                "{host} says that it is not in service: it may be restarting, or switching over to its backup; it is tried again."
            ),
            wait,
        ),
        (End::Unavailable(_), Says::Well) => End::Lost(full(&host), wait),
        (End::Unavailable(_), Says::Nothing) => End::Lost(
            format!(
                "{host} takes no live connection for now: it may be switching over to its backup, or thirty integrations, its limit, are connected already; it is tried again."
            ),
            wait,
        ),
        (End::CutShort, _) if running >= RUNNING => End::Lost(full(&host), None),
        (End::CutShort, _) => End::Lost(
            format!(
                "{host} closed the live state right away; if that lasts, thirty integrations, its limit, may be connected already."
            ),
            None,
        ),
        (end, _) => end,
    }
}

async fn ask(source: &mut Source) -> Says {
    let now = Instant::now();
    if let Some((at, says)) = source.check_up.last
        && now.duration_since(at) < ASK_EVERY
    {
        return says;
    }
    let says = check(&source.config, &source.http).await;
    source.check_up.last = Some((now, says));
    says
}

async fn check(config: &Config, http: &Http) -> Says {
    let request = Request::get(config.health_url.clone()).deadline(DEADLINE).body_limit(64 * 1024);
    match http.send(request).await.map(|answer| answer.status) {
        Ok(200..300) => Says::Well,
        Ok(500..600) => Says::Down,
        _ => Says::Nothing,
    }
}
