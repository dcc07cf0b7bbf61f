//! What a webhook's receiver gets: ours signed, or shaped for Slack or Teams.

use hmac::{Hmac, Mac};
use link::Secret;
use model::{Alert, Severity, Timestamp, Transition};
use serde::Serialize;
use serde_json::json;
use sha2::Sha256;

use crate::settings::WebhookShape;

/// More alerts than anybody reads in one message of a chat.
const NAMED: usize = 20;
/// Chats refuse longer texts.
const LONGEST: usize = 2900;

/// One thing that happened to one alert.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Told {
    pub transition: Transition,
    pub alert: Alert,
}

#[derive(Serialize)]
struct Ours<'a> {
    alerts: &'a [Told],
}

/// The body's text.
pub(super) fn body(shape: WebhookShape, told: &[Told]) -> String {
    let document = match shape {
        WebhookShape::Json => return serde_json::to_string(&Ours { alerts: told }).unwrap_or_default(),
        WebhookShape::Slack => {
            let text = clip(&text(told));
            // The second is shown as it is, without Slack's marks; the first is for notifications.
            json!({
                "text": escape(&text),
                "blocks": [{ "type": "section", "text": { "type": "plain_text", "text": text, "emoji": false } }],
            })
        }
        WebhookShape::Teams => {
            // Runs of text are shown as they are: no Markdown of a vendor's name is read.
            let lines: Vec<_> = told
                .iter()
                .take(NAMED)
                .map(|t| {
                    json!({ "type": "RichTextBlock", "inlines": [
                        { "type": "TextRun", "weight": "Bolder", "text": format!("{}. ", title(t)) },
                        { "type": "TextRun", "text": clip(&t.alert.reason) },
                    ] })
                })
                .chain(more(told).map(|text| {
                    json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": text }] })
                }))
                .collect();
            json!({
                "type": "message",
                "attachments": [{
                    "contentType": "application/vnd.microsoft.card.adaptive",
                    "contentUrl": null,
                    "content": {
                        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                        "type": "AdaptiveCard",
                        "version": "1.4",
                        "body": lines,
                    },
                }],
            })
        }
    };
    document.to_string()
}

/// `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`.
pub(super) fn signature(secret: &Secret, at: Timestamp, body: &str) -> String {
    let t = at.as_ms().div_euclid(1000);
    // A key of any length is fine for HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else {
        return String::new();
    };
    mac.update(t.to_string().as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={t},v1={hex}")
}

fn title(told: &Told) -> String {
    let alert = &told.alert;
    let word = match (told.transition, alert.severity) {
        (Transition::Resolved, _) => "Resolved",
        (Transition::Flapping, _) => "Flapping",
        (_, Severity::Critical) => "Critical",
        (_, Severity::Warning) => "Warning",
    };
    format!("{word}: {}", alert.rule)
}

fn text(told: &[Told]) -> String {
    let lines = told.iter().take(NAMED).map(|t| format!("{}. {}", title(t), t.alert.reason));
    lines.chain(more(told)).collect::<Vec<_>>().join("\n")
}

fn more(told: &[Told]) -> Option<String> {
    (told.len() > NAMED).then(|| format!("and {} more", told.len() - NAMED))
}

fn clip(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        text.to_owned()
    } else {
        text.chars().take(LONGEST).chain(['…']).collect()
    }
}

/// Slack's own three: no name of a vendor may call a channel.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_time_and_body_as_the_contract_says() {
        let at = Timestamp::from_ms(1_769_851_800_999);
        let signed = signature(&Secret::new("fake-hook-secret"), at, "{}");
        // Computed with another program: HMAC-SHA256("fake-hook-secret", "1769851800.{}").
        assert_eq!(signed, SIGNED);
    }
    const SIGNED: &str = "t=1769851800,v1=ce4fb92a2d978d019420471c3326ff65dcbaadf9b1a896357d3288e5b6eb4cca";

    #[test]
    fn chats_get_text_and_never_marks() {
        let mut alert = crate::runtime::webhooks::tests::alert("a", Severity::Warning);
        alert.reason = "<!channel> *Billing* & co has 3 waiting".to_owned();
        let told = [Told { transition: Transition::Firing, alert }];
        let slack: serde_json::Value = serde_json::from_str(&body(WebhookShape::Slack, &told)).unwrap();
        assert_eq!(slack["text"], "Warning: Long wait. &lt;!channel&gt; *Billing* &amp; co has 3 waiting");
        assert_eq!(slack["blocks"][0]["text"]["type"], "plain_text");
        let teams: serde_json::Value = serde_json::from_str(&body(WebhookShape::Teams, &told)).unwrap();
        let card = &teams["attachments"][0]["content"];
        assert_eq!(card["type"], "AdaptiveCard");
        assert_eq!(card["body"][0]["inlines"][1]["text"], "<!channel> *Billing* & co has 3 waiting");
    }
}
