//! Who can sign in: the owner, a supervisor, every agent, and somebody of another project.

use model::{Timestamp, Vendor};

use crate::{
    floor::{Centre, ContactNo, Seat, SeatNo},
    ids::{IdKind, number, oid},
};

/// Sees everything.
pub const OWNER: &str = "owner@example.test";
/// A member in the role `supervisor`, which sees only own conversations there.
pub const SUPERVISOR: &str = "supervisor@example.test";
/// Signed in, no member of the project.
pub const OUTSIDER: &str = "outsider@example.test";

const STAFF: u64 = 0xfa_0000;

/// Somebody who can sign in.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub user: String,
    pub first: String,
    pub last: String,
    pub email: String,
    /// `None`: no member of the project.
    pub role: Option<&'static str>,
    pub seat: Option<SeatNo>,
    pub project_user: String,
    pub available: bool,
    pub open: i64,
    pub limit: Option<u32>,
    pub inactive: bool,
    pub disabled: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

pub(super) fn user_id(seat: SeatNo) -> String {
    oid(IdKind::User, None, u64::from(seat.0))
}

fn staff(
    floor: &Centre,
    n: u64,
    first: &str,
    last: &str,
    email: &str,
    role: Option<&'static str>,
) -> Account {
    Account {
        user: oid(IdKind::User, None, STAFF + n),
        first: first.to_owned(),
        last: last.to_owned(),
        email: email.to_owned(),
        role,
        seat: None,
        project_user: oid(IdKind::Seat, None, STAFF + n),
        available: false,
        open: 0,
        limit: None,
        inactive: false,
        disabled: false,
        created_at: floor.opened_at(),
        updated_at: floor.opened_at(),
    }
}

pub(super) fn of_seat(floor: &Centre, seat: &Seat) -> Account {
    use crate::floor::Stance;
    Account {
        user: user_id(seat.no),
        first: seat.first.clone(),
        last: seat.last.clone(),
        email: seat.email.clone(),
        role: Some("agent"),
        seat: Some(seat.no),
        project_user: oid(IdKind::Seat, None, u64::from(seat.no.0)),
        available: seat.stance == Stance::Accepting,
        open: seat.open.len() as i64,
        limit: seat.limit,
        inactive: seat.stance == Stance::Offline,
        disabled: seat.disabled,
        created_at: floor.opened_at(),
        updated_at: seat.updated_at,
    }
}

/// Every member, the disabled ones included.
pub(super) fn members(floor: &Centre) -> Vec<Account> {
    let mut all = vec![
        staff(floor, 1, "Olga", "Owner", OWNER, Some("owner")),
        staff(floor, 2, "Sam", "Supervisor", SUPERVISOR, Some("supervisor")),
    ];
    all.extend(floor.seats().iter().filter(|s| s.vendor == Vendor::Pingstreams).map(|s| of_seat(floor, s)));
    all
}

fn everybody(floor: &Centre) -> Vec<Account> {
    let mut all = members(floor);
    all.push(staff(floor, 3, "Otto", "Outsider", OUTSIDER, None));
    all
}

pub(super) fn find_by_email(floor: &Centre, email: &str) -> Option<Account> {
    everybody(floor).into_iter().find(|a| a.email.eq_ignore_ascii_case(email))
}

pub(super) fn find_by_user(floor: &Centre, user: &str) -> Option<Account> {
    number(user)?;
    everybody(floor).into_iter().find(|a| a.user == user)
}

impl Account {
    pub fn is_active_member(&self) -> bool {
        self.role.is_some() && !self.disabled
    }
    /// Whether the role may see a conversation; live frames do not ask this.
    pub fn sees(&self, floor: &Centre, contact: ContactNo) -> bool {
        let Some(contact) = floor.contact(contact) else { return false };
        let takes_part = self.seat.is_some_and(|s| contact.seats.contains(&s));
        match self.role {
            Some("owner" | "admin") => true,
            Some("agent") => {
                let serves =
                    floor.queue(contact.queue).zip(self.seat).is_some_and(|(q, s)| q.seats.contains(&s));
                takes_part || serves
            }
            Some(_) => takes_part,
            None => false,
        }
    }
}
