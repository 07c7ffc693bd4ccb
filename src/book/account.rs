//! Accounts: what one municipality stands for in one half-year, boundary changes included.

use std::ops::AddAssign;

use super::Book;
use super::columns::Sums;
use super::share::largest_remainder;
use crate::domain::area::{BoundaryChange, MunicipalityCode};
use crate::domain::half_year::HalfYear;
use crate::domain::placement::PlacementKind;
use crate::domain::time::AsOf;

/// The lines of a municipality, or the sums of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The standing carried in: the recorded one where the authority fixed it, else the derived.
    pub carried_used: i64,
    /// The standing that the authority fixed, of the municipalities where it did.
    pub carried_recorded: i64,
    /// For how many municipalities it did.
    pub carried_recorded_for: u32,
    /// What follows from the entries: what was due before, minus what was realised.
    pub carried_derived: i64,
    /// The municipal numbers.
    pub quota: i64,
    /// What an evaluation changed.
    pub revision: i64,
    /// What was exchanged.
    pub exchange: i64,
    /// What came over from municipalities that ceased within the half-year.
    pub boundary: i64,
    /// The part of it that those had been carried: old backlog, in other hands.
    pub boundary_carried: i64,
    /// Housed and counted, by kind.
    pub housed: [i64; PlacementKind::ALL.len()],
}

impl Account {
    /// What is due (gecorrigeerde taakstelling).
    pub fn due(&self) -> i64 {
        self.carried_used + self.quota + self.revision + self.exchange + self.boundary
    }

    /// The standing from before the half-year, whoever had it when the half-year began.
    pub fn carried(&self) -> i64 {
        self.carried_used + self.boundary_carried
    }

    /// What was realised (gerealiseerd).
    pub fn realised(&self) -> i64 {
        self.housed.iter().sum()
    }

    /// What remains (nog te realiseren); below zero it is a surplus.
    pub fn remaining(&self) -> i64 {
        self.due() - self.realised()
    }

    /// Takes over the share of one heir in what an old municipality left.
    fn take_over(&mut self, change: &BoundaryChange, heir: usize, left: &Self) {
        self.boundary += share(change, heir, left.due());
        self.boundary_carried += share(change, heir, left.carried());
        for (sum, number) in self.housed.iter_mut().zip(left.housed) {
            *sum += share(change, heir, number);
        }
    }
}

impl AddAssign for Account {
    fn add_assign(&mut self, other: Self) {
        self.carried_used += other.carried_used;
        self.carried_recorded += other.carried_recorded;
        self.carried_recorded_for += other.carried_recorded_for;
        self.carried_derived += other.carried_derived;
        self.quota += other.quota;
        self.revision += other.revision;
        self.exchange += other.exchange;
        self.boundary += other.boundary;
        self.boundary_carried += other.boundary_carried;
        self.housed.iter_mut().zip(other.housed).for_each(|(sum, number)| *sum += number);
    }
}

impl Book {
    /// The sum of all municipalities that exist on the reference date, for any half-year up to it.
    pub fn national_account(&self, half_year: HalfYear, as_of: AsOf) -> Account {
        let mut sum = Account::default();
        for municipality in self.municipalities(as_of) {
            sum += self.account(municipality.code, half_year, as_of);
        }
        sum
    }

    /// What a municipality that exists on the reference date stands for in a half-year.
    pub fn account(&self, code: MunicipalityCode, half_year: HalfYear, as_of: AsOf) -> Account {
        let settled = self.settled(code, half_year, as_of);
        let carried_derived = match settled.carried_recorded_for {
            0 => settled.carried_used,
            _ => self.derived_carry_over(code, half_year, as_of),
        };
        Account { carried_derived, ..settled }
    }

    /// The account without the derived carry-over where a recorded one is used instead, so that a
    /// question about this half-year does not go back to the first.
    fn settled(&self, code: MunicipalityCode, half_year: HalfYear, as_of: AsOf) -> Account {
        let mut account = self.fixed_account(code, half_year, as_of);
        if account.carried_recorded_for == 0 {
            // Nothing was fixed for the municipality itself, so all that it was left is derived.
            account.carried_recorded = 0;
            account.carried_used = self.derived_carry_over(code, half_year, as_of);
        } else {
            account.carried_used = account.carried_recorded;
        }
        for change in self.boundaries_until(as_of) {
            let Some(heir) = change.heirs().iter().position(|(heir, _)| *heir == code) else { continue };
            let begins = change.effective_on();
            for &old in change.old() {
                // In the half-year of the change all that the old one stood for comes over. In a
                // later one its standing comes with the carry-over, and only what strayed onto the
                // old one remains, such as an amv who moves away from it after the change.
                let left = match begins.half_year() == half_year && begins > half_year.first_day() {
                    true => self.settled(old, half_year, as_of),
                    false if begins <= half_year.first_day() => self.strayed(old, half_year, as_of),
                    false => continue,
                };
                account.take_over(change, heir, &left);
            }
        }
        account
    }

    /// What was recorded for a municipality that had ceased before the half-year, and for those that
    /// it had taken over itself.
    fn strayed(&self, code: MunicipalityCode, half_year: HalfYear, as_of: AsOf) -> Account {
        let mut account = own_account(&self.columns.sums(code, half_year, as_of));
        for change in self.boundaries_until(as_of) {
            if let Some(heir) = change.heirs().iter().position(|(heir, _)| *heir == code) {
                for &old in change.old() {
                    account.take_over(change, heir, &self.strayed(old, half_year, as_of));
                }
            }
        }
        account
    }

    /// The lines of the municipality itself, and the standings that the authority had fixed for others
    /// before it was known that this one takes them over.
    ///
    /// What is fixed for the heir afterwards is fixed for all that it took over.
    fn fixed_account(&self, code: MunicipalityCode, half_year: HalfYear, as_of: AsOf) -> Account {
        let sums = self.columns.sums(code, half_year, as_of);
        let mut account = own_account(&sums);
        for (position, change) in &self.boundaries {
            let in_force = position.is_known_at(as_of.known_at)
                && as_of.reference_date.has_obligation_of(change.effective_on())
                && change.effective_on() <= half_year.first_day();
            let heir = change.heirs().iter().position(|(heir, _)| *heir == code);
            if let Some(heir) =
                heir.filter(|_| in_force && sums.carry_over_at.is_none_or(|at| at < *position))
            {
                for &old in change.old() {
                    let left = self.fixed_account(old, half_year, as_of);
                    account.carried_recorded += share(change, heir, left.carried_recorded);
                }
            }
        }
        account
    }

    /// What remained at the end of the half-year before, of the municipality itself and of those
    /// that it took over on the first day of this one.
    fn derived_carry_over(&self, code: MunicipalityCode, half_year: HalfYear, as_of: AsOf) -> i64 {
        let (Some(before), Some(first)) = (half_year.previous(), self.columns.first_half_year()) else {
            return 0;
        };
        if before < first {
            return 0;
        }
        let mut carried = self.settled(code, before, as_of).remaining();
        for change in self.boundaries_until(as_of) {
            let heir = change.heirs().iter().position(|(heir, _)| *heir == code);
            if let Some(heir) = heir.filter(|_| change.effective_on() == half_year.first_day()) {
                for &old in change.old() {
                    carried += share(change, heir, self.settled(old, before, as_of).remaining());
                }
            }
        }
        carried
    }

    /// How many persons are in small-scale care, of the municipality and those that it took over.
    pub(super) fn in_care(&self, code: MunicipalityCode, as_of: AsOf) -> i64 {
        let mut persons = self.columns.in_care(code, as_of);
        for change in self.boundaries_until(as_of) {
            if let Some(heir) = change.heirs().iter().position(|(heir, _)| *heir == code) {
                persons += change
                    .old()
                    .iter()
                    .map(|old| share(change, heir, self.in_care(*old, as_of)))
                    .sum::<i64>();
            }
        }
        persons
    }
}

/// The lines of a municipality itself, without what it was carried or took over.
fn own_account(sums: &Sums) -> Account {
    Account {
        carried_recorded: sums.carry_over.unwrap_or(0),
        carried_recorded_for: u32::from(sums.carry_over.is_some()),
        quota: sums.quota,
        revision: sums.revision,
        exchange: sums.exchange,
        housed: sums.housed,
        ..Account::default()
    }
}

/// The share of one heir in a number: whole persons, and the shares of all heirs add up to it.
fn share(change: &BoundaryChange, heir: usize, persons: i64) -> i64 {
    let weights: Vec<u64> = change.heirs().into_iter().map(|(_, weight)| u64::from(weight)).collect();
    persons.signum() * largest_remainder(persons.unsigned_abs(), &weights)[heir] as i64
}
