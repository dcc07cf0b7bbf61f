//! What two Pingstreams deployments may differ in.

use std::time::Duration;

use crate::floor::Dice;

/// How the server behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Dialect {
    /// Exact path of the WebSocket.
    pub ws_path: String,
    /// What stands before every REST path, e.g. `/v3`.
    pub rest_prefix: String,
    /// Time between two looks at whether the client lives; two silent ones end the connection.
    pub heartbeat: Duration,
    /// Most conversations in the first list.
    pub list_limit: usize,
    /// Most messages in the first list.
    pub message_limit: usize,
    /// `UPDATE` frames carry requester, lead and department as objects; otherwise as ids.
    pub populated_updates: bool,
    /// Nested objects carry `id`, `hasBot`, `isAuthenticated` in every shape: behind a message broker.
    pub nested_extras: bool,
    /// An older server: abandoned conversations are in the list, too.
    pub older: bool,
    /// Loads below zero for people who have nothing in hand, as seen in hosted data.
    pub negative_loads: bool,
    /// Fields that nobody knows.
    pub extra_fields: bool,
    /// Every live frame comes twice: a broker that delivers again.
    pub doubled_frames: bool,
    /// Tokens carry `exp` so much after `iat`.
    pub token_life: Option<Duration>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            ws_path: "/".to_owned(),
            rest_prefix: String::new(),
            heartbeat: Duration::from_secs(30),
            list_limit: 100,
            message_limit: 300,
            populated_updates: true,
            nested_extras: false,
            older: false,
            negative_loads: false,
            extra_fields: false,
            doubled_frames: false,
            token_life: None,
        }
    }
}

impl Dialect {
    /// A mix of those switches that change only how things are written: a client must end in the same
    /// state as with the reference.
    pub fn chaos(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x0091_1657);
        let mut coin = || dice.happens(0.5);
        Self {
            ws_path: if coin() { "/api/".to_owned() } else { "/".to_owned() },
            rest_prefix: if coin() { "/v3".to_owned() } else { String::new() },
            populated_updates: coin(),
            nested_extras: coin(),
            older: coin(),
            extra_fields: coin(),
            doubled_frames: coin(),
            ..Self::default()
        }
    }
}
