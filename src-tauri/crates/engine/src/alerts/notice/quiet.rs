//! What keeps a notice quiet, and what is told when that ends.

use std::collections::BTreeMap;

use model::{Alert, AlertState, Id, Overlay, Timestamp};

use super::{Channel, Notices, Quiet, Rulebook, Telling, Why, place, repeat_ms};

impl Notices {
    /// The mute time is over: what still stands is told.
    pub(super) fn end_mute(&mut self, book: &Rulebook, now: Timestamp, telling: &mut Telling) {
        if self.mute_ends.is_none_or(|at| at > now) {
            return;
        }
        self.mute_ends = self.mute_until(now);
        if self.mute_ends.is_some() {
            return;
        }
        let muted = std::mem::take(&mut self.muted);
        self.free(muted, book, now, telling);
    }

    /// The desktop did not take these, because the person asked it not to be disturbed: they count as not
    /// told until [`Notices::undisturbed`].
    pub fn withheld(&mut self, tells: &[(Id, Why)]) {
        for (id, why) in tells {
            let Some(known) = self.known.get_mut(id) else { continue };
            known.told = None;
            known.shown = false;
            self.lately.remove(&place(&known.alert));
            owe(&mut self.withheld, id, *why);
        }
    }

    /// How many still stand of those that the desktop did not take.
    pub fn waiting(&self) -> usize {
        let stands = |id: &Id| self.known.get(id).is_some_and(|k| k.alert.state == AlertState::Firing);
        self.withheld.keys().filter(|id| stands(id)).count()
    }

    /// The desktop may be disturbed again: what it did not take and still stands is told.
    pub fn undisturbed(&mut self, book: &Rulebook, now: Timestamp) -> Telling {
        let mut telling = Telling::default();
        let withheld = std::mem::take(&mut self.withheld);
        self.free(withheld, book, now, &mut telling);
        self.flush(book, now, &mut telling);
        telling
    }

    fn free(&mut self, held: BTreeMap<Id, Why>, book: &Rulebook, now: Timestamp, telling: &mut Telling) {
        for (id, why) in held {
            let Some(known) = self.known.get(&id) else { continue };
            let alert = known.alert.clone();
            match alert.state {
                AlertState::Firing => self.want(&alert, why, book, now, telling),
                // It may fire again without a line: then its repeat tells it.
                AlertState::Recovering => self.plan_repeat_from(&id, book, now),
                _ => {}
            }
        }
    }

    /// Until when this desk is mute; `None`: it is not.
    fn mute_until(&self, now: Timestamp) -> Option<Timestamp> {
        let (mute, until) = self.wishes.mute.as_ref()?.at(now);
        mute.then_some(until)
    }

    pub(super) fn hold(&mut self, id: Id, why: Why, quiet: Quiet, now: Timestamp, telling: &mut Telling) {
        if quiet == Quiet::Desk {
            owe(&mut self.muted, &id, why);
            self.mute_ends = self.mute_until(now);
        }
        telling.held.push((id, quiet));
    }

    pub(super) fn keeps_quiet(
        &self,
        alert: &Alert,
        why: Why,
        book: &Rulebook,
        now: Timestamp,
    ) -> Option<Quiet> {
        let channels = book.rule(&alert.rule).map_or(&[][..], |r| r.notify());
        if !channels.iter().any(|c| matches!(c, Channel::Desktop | Channel::Sound)) {
            return Some(Quiet::NotWanted);
        }
        if let Some(quiet) = alert.overlays.iter().find_map(|overlay| match overlay {
            Overlay::Snoozed => Some(Quiet::Snoozed),
            Overlay::Inhibited => Some(Quiet::Inhibited),
            Overlay::Muted => Some(Quiet::Muted),
            Overlay::Unknown => None,
        }) {
            return Some(quiet);
        }
        if alert.state == AlertState::Acked {
            return Some(Quiet::Acked);
        }
        if self.mute_until(now).is_some() {
            return Some(Quiet::Desk);
        }
        // A new episode soon after an old one is the same news, unless it is worse.
        let again = matches!(why, Why::First | Why::Freed);
        let recently = self.lately.get(&place(alert)).is_some_and(|(at, severity)| {
            now.as_ms() - at.as_ms() < repeat_ms(book, alert) && alert.severity <= *severity
        });
        (again && recently).then_some(Quiet::RecentlyTold)
    }
}

/// Remembers what is to be told later; that it goes on is less than what is owed already.
fn owe(held: &mut BTreeMap<Id, Why>, id: &Id, why: Why) {
    if why != Why::Repeat || !held.contains_key(id) {
        held.insert(id.clone(), why);
    }
}
