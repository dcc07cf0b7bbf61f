//! What the tray tells without any window: a shape, a number and one sentence.

use model::{Alert, AlertState, Overlay, Severity};

/// Four shapes that differ without colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TrayShape {
    /// All calm.
    #[default]
    Plain,
    /// People wait, or somebody is on an alert already.
    Dot,
    /// A warning fires.
    Triangle,
    /// A critical fires.
    Diamond,
}

/// What the tray shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrayModel {
    /// The shape.
    pub shape: TrayShape,
    /// Alerts of that severity that fire; people waiting under a dot. `None`: no number.
    pub number: Option<u32>,
    /// At least one source that is on is not live: hatched.
    pub stale: bool,
    /// One plain sentence.
    pub sentence: String,
}

/// What the tray needs of the floor besides the alerts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrayCounts {
    /// People waiting, as far as it is known.
    pub waiting: Option<u32>,
    /// Sources that are not disabled.
    pub sources: u32,
    /// Of these, how many are live.
    pub live: u32,
    /// Of these, how many are on their way to a first state.
    pub connecting: u32,
}

/// It has fired, is not over, and nothing keeps it quiet.
pub fn is_loud(alert: &Alert) -> bool {
    let quiet = |o: &Overlay| matches!(o, Overlay::Snoozed | Overlay::Muted | Overlay::Inhibited);
    matches!(alert.state, AlertState::Firing | AlertState::Recovering) && !alert.overlays.iter().any(quiet)
}

impl TrayModel {
    /// Puts shape, number and sentence together.
    pub fn of<'a>(alerts: impl IntoIterator<Item = &'a Alert>, counts: TrayCounts) -> Self {
        let (mut critical, mut warning, mut handled) = (0u32, 0u32, 0u32);
        for alert in alerts {
            match alert.severity {
                Severity::Critical if is_loud(alert) => critical += 1,
                Severity::Warning if is_loud(alert) => warning += 1,
                _ if alert.state == AlertState::Acked => handled += 1,
                _ => {}
            }
        }
        let waiting = counts.waiting.unwrap_or(0);
        let (shape, number) = match (critical, warning) {
            (0, 0) if waiting > 0 => (TrayShape::Dot, Some(waiting)),
            (0, 0) if handled > 0 => (TrayShape::Dot, None),
            (0, 0) => (TrayShape::Plain, None),
            (0, n) => (TrayShape::Triangle, Some(n)),
            (n, _) => (TrayShape::Diamond, Some(n)),
        };
        let stale = counts.live < counts.sources;
        let parts = Parts { critical, warning, handled, counts };
        Self { shape, number, stale, sentence: parts.sentence() }
    }
}

struct Parts {
    critical: u32,
    warning: u32,
    handled: u32,
    counts: TrayCounts,
}

impl Parts {
    fn sentence(&self) -> String {
        let c = self.counts;
        if c.sources == 0 {
            return "No source is set up.".into();
        }
        let down = c.sources.saturating_sub(c.live).saturating_sub(c.connecting);
        let mut said = Vec::new();
        if self.critical > 0 {
            said.push(format!("{} critical", self.critical));
        }
        if self.warning > 0 {
            said.push(count(self.warning, "warning", "warnings"));
        }
        if self.handled > 0 {
            said.push(format!("{} acknowledged", self.handled));
        }
        if down > 0 {
            said.push(format!("{} not live", count(down, "source", "sources")));
        }
        if c.connecting > 0 {
            said.push(format!("{} connecting", count(c.connecting, "source", "sources")));
        }
        match c.waiting {
            Some(0) if c.live < c.sources => said.push("nobody is known to wait".into()),
            Some(0) => said.push("nobody waits".into()),
            Some(n) => said.push(count(n, "person waits", "people wait")),
            None if c.live > 0 => said.push("how many wait is not known".into()),
            None => {}
        }
        if said.is_empty() {
            said.push("all calm".into());
        }
        let mut text = said.join(", ");
        if let Some(first) = text.get(..1) {
            text = format!("{}{}", first.to_uppercase(), &text[1..]);
        }
        text.push('.');
        text
    }
}

fn count(n: u32, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}
