//! What is known of a source beyond its health: how it is asked, how it answers, what of its format is odd.

use model::Timestamp;
use serde::Serialize;
use vendors::drift::Note;

/// The diagnostics of one running source. They live as long as the source runs with the same settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct Diagnostics {
    /// What is polled, after the vendor's floors were applied; while the source runs also after what it
    /// shares with others. Empty for pure push.
    pub endpoints: Vec<PolledEndpoint>,
    /// One phrase where requests are shared with other sources, or are fewer than the source would have
    /// them.
    pub sharing: Option<String>,
    /// Every place that was asked: path without ids.
    pub places: Vec<AskedPlace>,
    /// "Format changed": what the vendor sends that is not as expected, or not as it was.
    pub notes: Vec<Note>,
    /// How often something was odd that is in no note, because there were too many.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub others: u64,
}

/// One endpoint of a polled source.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct PolledEndpoint {
    /// As it stands in `gaps`.
    pub name: String,
    /// Seconds between two questions.
    pub every_s: f64,
}

/// One place that was asked.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct AskedPlace {
    /// `GET /path`, or `WS /path`.
    pub place: String,
    /// Requests, or sockets opened.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub requests: u64,
    /// Those without an answer or with one that is an error.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub failures: u64,
    /// Status of the last answer; 101 for an open socket; `null` when there was none.
    pub status: Option<u16>,
    /// When the last one ended, or the last message was heard.
    pub last_at: Option<Timestamp>,
    /// How long the last one took, milliseconds.
    pub took_ms: Option<u32>,
    /// Messages heard on a socket.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub messages: u64,
    /// Bytes of answers and messages, decompressed.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub bytes: u64,
}
