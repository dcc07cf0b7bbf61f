//! What two giosg deployments may differ in. Every switch is one that the vendor's own pages leave open.

use crate::floor::Dice;

/// How a collection is cut into pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pager {
    /// Only `results`, everything at once.
    Plain,
    /// `next` with a cursor, a whole address.
    Cursor,
    /// `next_page` and `next_page_url`.
    PageNumber,
    /// `next_page` alone.
    NumberOnly,
    /// `count`, `next`, `previous`; `next` is relative.
    Relative,
    /// A bare array.
    Bare,
}

/// How "signed in" is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedIn {
    /// `is_logged_id`, as in the vendor's sample.
    LoggedId,
    /// `is_logged_in`.
    LoggedIn,
    /// Neither it nor `is_online` is told.
    NotTold,
}

/// What a pager does that it should not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// The next page is on another host.
    OtherHost,
    /// The next page is this page.
    Circle,
}

/// Why the two endpoints are refused, in the vendor's words as far as they can be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// "You do not have permission to perform this action."
    Plain,
    /// No active subscription.
    Subscription,
    /// No access to the organization.
    Organization,
    /// No reports permission.
    Reports,
}

/// How the server behaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Dialect {
    /// Pages.
    pub pager: Pager,
    /// Rows of a page.
    pub page: usize,
    /// Pages are of different lengths, none longer than `page`.
    pub ragged: bool,
    /// The last row of a page is the first of the next, too.
    pub repeats_rows: bool,
    /// The last room belongs to a partner: listed only for who asks for shared rooms.
    pub shared_room: bool,
    /// Over the limit the answer does not say when to come back.
    pub bare_limit: bool,
    /// What the pager does wrong.
    pub trap: Option<Trap>,
    /// "Signed in".
    pub signed_in: SignedIn,
    /// Ids of users as text.
    pub text_ids: bool,
    /// Numbers with decimals as text.
    pub text_numbers: bool,
    /// Waits are 0.0 and not `null` while nobody waits.
    pub zero_waits: bool,
    /// The two `daily_…` fields are told.
    pub daily: bool,
    /// `room` inside a user's rooms is `null`.
    pub bare_rooms: bool,
    /// Users who are signed out are left out of the list.
    pub hides_offline: bool,
    /// 403 on the two endpoints, and why.
    pub denied: Option<Denial>,
    /// The two endpoints are gone: 410.
    pub retired: bool,
    /// Ids of users are GUIDs, as in the younger versions.
    pub guid_ids: bool,
    /// Nobody's e-mail address is told.
    pub no_email: bool,
    /// Whoever has no slot left has one less than none.
    pub negative_free: bool,
    /// 403 on everything of v5.
    pub look_ups_forbidden: bool,
    /// Every zone is refused with 400.
    pub zone_refused: bool,
    /// A wrong token gets 403 and not 401.
    pub forbids_strangers: bool,
    /// An address without the slash at its end is moved to one with it.
    pub wants_slash: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            pager: Pager::Cursor,
            page: 25,
            ragged: false,
            repeats_rows: false,
            shared_room: false,
            bare_limit: false,
            trap: None,
            signed_in: SignedIn::LoggedId,
            text_ids: false,
            text_numbers: false,
            zero_waits: false,
            daily: true,
            bare_rooms: false,
            hides_offline: false,
            denied: None,
            retired: false,
            guid_ids: false,
            no_email: false,
            negative_free: false,
            look_ups_forbidden: false,
            zone_refused: false,
            forbids_strangers: false,
            wants_slash: false,
        }
    }
}

impl Dialect {
    /// A mix of those switches that change only how things are written: a client must end in the same
    /// state as with the reference.
    pub fn chaos(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x61_05_67_00);
        let mut one = |n: usize| dice.below(n);
        Self {
            pager: [
                Pager::Plain,
                Pager::Cursor,
                Pager::PageNumber,
                Pager::NumberOnly,
                Pager::Relative,
                Pager::Bare,
            ][one(6)],
            page: 1 + one(25),
            repeats_rows: one(2) == 1,
            ragged: one(2) == 1,
            signed_in: [SignedIn::LoggedId, SignedIn::LoggedIn, SignedIn::NotTold][one(3)],
            text_ids: one(2) == 1,
            text_numbers: one(2) == 1,
            zero_waits: one(2) == 1,
            bare_rooms: one(2) == 1,
            zone_refused: one(2) == 1,
            forbids_strangers: one(2) == 1,
            wants_slash: one(2) == 1,
            negative_free: one(2) == 1,
            ..Self::default()
        }
    }
}
