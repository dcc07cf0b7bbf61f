//! What two Comm100 deployments may differ in. Every switch is one the vendor's own pages disagree on.

use std::time::Duration;

use crate::floor::Dice;

/// How a whole number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// `3`
    Plain,
    /// `3.0`
    PointZero,
    /// `"3"`
    Text,
}

/// How "no reference" is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoReference {
    /// `null`
    Null,
    /// Thirty-two zeros.
    Zero,
    /// The key is left out.
    Missing,
    /// `""`
    Empty,
}

/// What the list of agents comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// `{"total":…,"pageCount":…,"list":[…],"pageIndex":…,"pageSize":…}`
    Paged,
    /// `[…]`
    Bare,
    /// `{"agents":[…]}`
    Named,
}

/// How `statusDistribution` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// `{"<guid>":"00:10:00"}`
    Spans,
    /// `{"<guid>":600}`
    Seconds,
    /// `{"<guid>":{"time":600}}`
    Nested,
    /// A text that holds the object.
    Text,
    /// `[{"status":"Online","time":600.0}]`
    Array,
}

/// How a ratio is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rates {
    /// 0 to 1.
    Fraction,
    /// 0 to 100.
    Percent,
}

/// What a call over the limit gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverLimit {
    /// 429 with `Retry-After`.
    TooMany(Duration),
    /// 429 without.
    TooManyBare,
    /// 403 with a sentence about the limit.
    Forbidden,
}

/// How the server behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Dialect {
    /// `onGoingChats` instead of `ongoingChats` in agents.
    pub on_going: bool,
    /// `abandonedChats`, `…InLast30Mins` and friends instead of the misspelt names.
    pub corrected_names: bool,
    /// Whole numbers.
    pub numbers: Numbers,
    /// The plan lacks the ratio and time groups of Today: `null`.
    pub plan_limited: bool,
    /// References.
    pub no_reference: NoReference,
    /// Agents.
    pub envelope: Envelope,
    /// Status distribution.
    pub distribution: Distribution,
    /// Ratios.
    pub rates: Rates,
    /// The server always gives the first page.
    pub ignores_paging: bool,
    /// The last row of a page is the first of the next, too.
    pub repeats_rows: bool,
    /// `maxConcurrentChats` of agents is 0, as in the vendor's sample; the real one is in the settings.
    pub hides_maxima: bool,
    /// 403 on `/Queue`.
    pub queue_forbidden: bool,
    /// 403 on every look-up: the account has View Reports only.
    pub lookups_forbidden: bool,
    /// GUIDs in upper case.
    pub upper_guids: bool,
    /// A site row that lists everybody who waits once more.
    pub mirrored_site: bool,
    /// Queue rows embed one agent with the API key in it.
    pub agent_rows: bool,
    /// Over the limit.
    pub over_limit: OverLimit,
    /// 401 comes without a body.
    pub bare_401: bool,
    /// The refresh token is refused.
    pub refresh_revoked: bool,
    /// Life of a token.
    pub token_life: Duration,
    /// Rows of a page when the request names no size.
    pub default_page: usize,
    /// Most rows of a page.
    pub page_cap: usize,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            on_going: false,
            corrected_names: false,
            numbers: Numbers::Plain,
            plan_limited: false,
            no_reference: NoReference::Null,
            envelope: Envelope::Paged,
            distribution: Distribution::Spans,
            rates: Rates::Fraction,
            ignores_paging: false,
            repeats_rows: false,
            hides_maxima: false,
            queue_forbidden: false,
            lookups_forbidden: false,
            upper_guids: false,
            mirrored_site: false,
            agent_rows: true,
            over_limit: OverLimit::TooMany(Duration::from_secs(60)),
            bare_401: false,
            refresh_revoked: false,
            token_life: Duration::from_secs(43_199),
            default_page: 10,
            page_cap: 100,
        }
    }
}

impl Dialect {
    /// A mix of those switches that change only how things are written: a client must end in the same
    /// state as with the reference.
    pub fn chaos(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0xc0_44_10_00);
        let mut one = |n: usize| dice.below(n);
        Self {
            on_going: one(2) == 1,
            corrected_names: one(2) == 1,
            numbers: [Numbers::Plain, Numbers::PointZero, Numbers::Text][one(3)],
            no_reference: [NoReference::Null, NoReference::Zero, NoReference::Missing, NoReference::Empty]
                [one(4)],
            envelope: [Envelope::Paged, Envelope::Bare, Envelope::Named][one(3)],
            distribution: [
                Distribution::Spans,
                Distribution::Seconds,
                Distribution::Nested,
                Distribution::Text,
                Distribution::Array,
            ][one(5)],
            rates: [Rates::Fraction, Rates::Percent][one(2)],
            repeats_rows: one(2) == 1,
            upper_guids: one(2) == 1,
            bare_401: one(2) == 1,
            over_limit: [
                OverLimit::TooMany(Duration::from_secs(1)),
                OverLimit::TooManyBare,
                OverLimit::Forbidden,
            ][one(3)],
            ..Self::default()
        }
    }
}
