//! What two appliances may differ in: every open question of the protocol is a switch.

use std::time::Duration;

use crate::floor::Dice;

/// How the application is chosen on the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By WebSocket sub-protocol.
    SubProtocol,
    /// By a line inside the socket, with the company's name.
    InBand,
    /// Either.
    Both,
}

/// How booleans are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bools {
    /// `true`
    Json,
    /// `1`
    Number,
    /// `"1"`
    Text,
}

/// How the initial copy comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Snapshot {
    /// One message.
    One,
    /// One per table.
    PerTable,
    /// A few rows each, in no order.
    Chunked,
}

/// Where a session is once somebody has accepted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// In the personal queue of who accepted.
    Move,
    /// Where it waited.
    Stay,
    /// Nowhere.
    Null,
}

/// How the answers of the first phases are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// With a type, `true`, and `error_message`.
    Typed,
    /// Without a type, `1` and `0`, and `error`.
    Bare,
    /// With another type, `"1"` and `"0"`, and `reason`; a word of welcome comes before them.
    Wordy,
}

/// What becomes of a live connection when the token that opened it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Nothing.
    Keep,
    /// It is closed.
    Cut,
}

/// What a table of an unknown name in a subscription does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownTable {
    /// The subscription is refused.
    Error,
    /// Nothing.
    Ignore,
}

/// What the 31st integration gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverLimit {
    /// The socket is closed right after the subscription.
    Close,
    /// The subscription fails with a sentence.
    Error,
    /// 503 on the upgrade.
    Unavailable,
}

/// How lines are put into WebSocket messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// One line, one message.
    Whole,
    /// Cut anywhere, in the middle of a character, too; ends with CR LF; empty lines between.
    Torn,
    /// Several lines in one message.
    Joined,
}

/// How the appliance behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Dialect {
    /// Ways to choose the application.
    pub mode: Mode,
    /// The company that the in-band way must name.
    pub company: String,
    /// Mode A also begins with the chooser's line.
    pub chooser_line: bool,
    /// `model_update` instead of `update_model`, `model_truncate` instead of `truncate_model`.
    pub turned_names: bool,
    /// Foreign keys and deleted ids as text.
    pub text_ids: bool,
    /// Booleans.
    pub bools: Bools,
    /// Updates carry whole rows.
    pub full_updates: bool,
    /// Initial copy.
    pub snapshot: Snapshot,
    /// Accepted sessions.
    pub accept: Accept,
    /// Word for personal queues.
    pub personal_word: &'static str,
    /// Deleted rows as an object keyed by id instead of a list.
    pub delete_as_object: bool,
    /// Framing.
    pub framing: Framing,
    /// Unknown tables, fields and message types now and then.
    pub unknowns: bool,
    /// Everybody has two consoles open.
    pub two_consoles: bool,
    /// Answers to protocol pings; an appliance that never does must not be taken for dead.
    pub answers_pings: bool,
    /// Most integrations at once.
    pub most: usize,
    /// Beyond it.
    pub over_limit: OverLimit,
    /// Life of a token.
    pub token_life: Duration,
    /// Valid tokens of one account; one more voids the oldest.
    pub token_cap: usize,
    /// The account lacks the permission.
    pub no_permission: bool,
    /// Changes are collected for so long.
    pub batch: Duration,
    /// The word `all` is not known, only lists of tables.
    pub refuses_all: bool,
    /// Answers.
    pub answers: Answers,
    /// The parts of one event come as several lines, in any order.
    pub shuffle: bool,
    /// The tables of presentations have rows, with fields that no page tells.
    pub presentations: bool,
    /// Whoever names no company in a header is refused.
    pub require_company: bool,
    /// Tables of unknown names.
    pub unknown_table: UnknownTable,
    /// Tokens that end during a stream.
    pub expiry: Expiry,
    /// Connections are closed with this code instead of without a word.
    pub close_code: Option<u16>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            mode: Mode::Both,
            company: "acme".to_owned(),
            chooser_line: false,
            turned_names: false,
            text_ids: false,
            bools: Bools::Number,
            full_updates: false,
            snapshot: Snapshot::One,
            accept: Accept::Move,
            personal_word: "rep",
            delete_as_object: false,
            framing: Framing::Whole,
            unknowns: false,
            two_consoles: false,
            answers_pings: true,
            most: 30,
            over_limit: OverLimit::Close,
            token_life: Duration::from_secs(3600),
            token_cap: 30,
            no_permission: false,
            batch: Duration::from_millis(200),
            refuses_all: false,
            answers: Answers::Typed,
            shuffle: false,
            presentations: false,
            require_company: false,
            unknown_table: UnknownTable::Error,
            expiry: Expiry::Keep,
            close_code: None,
        }
    }
}

impl Dialect {
    /// A mix of those switches that change only how things are written: a client must end in the same
    /// state as with the reference.
    pub fn chaos(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0xbe_40_d7);
        let mut one = |n: usize| dice.below(n);
        Self {
            mode: [Mode::SubProtocol, Mode::InBand, Mode::Both][one(3)],
            chooser_line: one(2) == 1,
            turned_names: one(2) == 1,
            text_ids: one(2) == 1,
            bools: [Bools::Json, Bools::Number, Bools::Text][one(3)],
            full_updates: one(2) == 1,
            snapshot: [Snapshot::One, Snapshot::PerTable, Snapshot::Chunked][one(3)],
            personal_word: ["rep", "representative", "personal"][one(3)],
            delete_as_object: one(2) == 1,
            framing: [Framing::Whole, Framing::Torn, Framing::Joined][one(3)],
            unknowns: one(2) == 1,
            two_consoles: one(2) == 1,
            refuses_all: one(4) == 1,
            answers: [Answers::Typed, Answers::Bare, Answers::Wordy][one(3)],
            shuffle: one(2) == 1,
            presentations: one(2) == 1,
            require_company: one(2) == 1,
            unknown_table: [UnknownTable::Error, UnknownTable::Ignore][one(2)],
            close_code: [None, Some(1001), Some(1012), Some(4000)][one(4)],
            ..Self::default()
        }
    }
}
