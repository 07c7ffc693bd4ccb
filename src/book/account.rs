//! Accounts: what one municipality stands for in one half-year, boundary changes included.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::AddAssign;

use super::Book;
use super::columns::Sums;
use super::objection::ContestedSum;
use super::register::{Ceased, Effect, TakeOver};
use super::share::MunicipalNumber;
use crate::domain::area::MunicipalityCode;
use crate::domain::half_year::HalfYear;
use crate::domain::placement::PlacementKind;
use crate::domain::time::{AsOf, Day, Position};

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
    fn take_over(&mut self, it: TakeOver<'_>, left: &Self) {
        self.boundary += it.share(left.due());
        self.boundary_carried += it.share(left.carried());
        for (sum, number) in self.housed.iter_mut().zip(left.housed) {
            *sum += it.share(number);
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

/// What one half-year adds to a standing, so that the parts of all half-years add up to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// What the authority fixed above what follows from the half-years before.
    pub carry_over: i64,
    /// The municipal numbers.
    pub quota: i64,
    /// What an evaluation changed.
    pub revision: i64,
    /// What was exchanged.
    pub exchange: i64,
    /// What came over from municipalities that ceased, on the first day or within the half-year, or went to heirs.
    pub boundary: i64,
    /// Housed and counted, by kind: what is taken off.
    pub housed: [i64; PlacementKind::ALL.len()],
}

/// Whose postings make up what a municipality realised.
#[derive(Clone, Debug, Default)]
pub(super) struct Makeup {
    /// The municipality itself, and those that it took over whole, directly or by way of another.
    pub(super) whole: BTreeSet<MunicipalityCode>,
    /// Its shares of municipalities that were split.
    pub(super) shares: Vec<Share>,
}

/// What came over of a municipality that was split: a number of persons, and nobody can say which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    /// Where the split was recorded.
    pub(super) position: Position,
    /// The first day on which the heirs answer for it.
    pub(super) effective_on: Day,
    /// The municipality that was split.
    pub(super) old: MunicipalityCode,
    /// What of its realisation in the half-year came over.
    pub(super) realised: i64,
}

/// Municipal numbers of a half-year that stand, for one question, in the place of all that was recorded: a municipality
/// that is not named has none.
#[derive(Clone, Debug)]
pub(super) struct Supposed {
    pub(super) half_year: HalfYear,
    pub(super) numbers: BTreeMap<MunicipalityCode, i64>,
}

impl Book<'_> {
    /// The sum of all municipalities that exist on the reference date, for any half-year up to it.
    pub fn national_account(&self, half_year: HalfYear, as_of: AsOf) -> Account {
        let mut accounts = Accounts::new(self, as_of);
        let mut sum = Account::default();
        for municipality in self.register.municipalities(as_of) {
            sum += accounts.account(municipality.code, half_year);
        }
        sum
    }
}

/// The accounts of one question.
///
/// Municipalities that took over nobody, as nearly all, are answered from the columns alone. What splits and mergers
/// left is asked for by every heir, and in turn by every heir of an heir, so it is remembered.
pub(super) struct Accounts<'a> {
    book: &'a Book<'a>,
    as_of: AsOf,
    supposed: Vec<Supposed>,
    settled: HashMap<(MunicipalityCode, HalfYear), Account>,
    strayed: HashMap<(MunicipalityCode, HalfYear), Account>,
    recorded: HashMap<(MunicipalityCode, HalfYear), i64>,
    in_care: HashMap<MunicipalityCode, i64>,
    contested: HashMap<MunicipalityCode, ContestedSum>,
}

impl<'a> Accounts<'a> {
    pub(super) fn new(book: &'a Book<'a>, as_of: AsOf) -> Self {
        Self {
            book,
            as_of,
            supposed: Vec::new(),
            settled: HashMap::new(),
            strayed: HashMap::new(),
            recorded: HashMap::new(),
            in_care: HashMap::new(),
            contested: HashMap::new(),
        }
    }

    /// The same, as if these had been the municipal numbers of a half-year and of the one that follows it.
    pub(super) fn supposing(book: &'a Book<'a>, as_of: AsOf, supposed: Vec<Supposed>) -> Self {
        Self { supposed, ..Self::new(book, as_of) }
    }

    /// The number of a municipality that exists on the first day of a half-year, with what was allocated to those that it
    /// had taken over by then. Nothing where nobody was allocated anything.
    pub(super) fn number_of(
        &self,
        code: MunicipalityCode,
        half_year: HalfYear,
        is_allocated: &dyn Fn(MunicipalityCode) -> bool,
    ) -> Option<MunicipalNumber> {
        let sums = self.sums(code, half_year);
        let mut number = is_allocated(code)
            .then_some(MunicipalNumber { allocated: sums.quota, in_force: sums.quota + sums.revision });
        for it in self.taken_over(code) {
            if !matches!(it.effect(half_year), Effect::Earlier | Effect::OnFirstDay) {
                continue;
            }
            for old in it.old().iter().filter_map(|&old| self.number_of(old, half_year, is_allocated)) {
                let sum = number.get_or_insert_default();
                sum.allocated += it.share(old.allocated);
                sum.in_force += it.share(old.in_force);
            }
        }
        number
    }

    /// What a municipality that exists on the reference date stands for in a half-year.
    pub(super) fn account(&mut self, code: MunicipalityCode, half_year: HalfYear) -> Account {
        let settled = self.settled(code, half_year);
        let carried_derived = match settled.carried_recorded_for {
            0 => settled.carried_used,
            _ => self.derived_carry_over(code, half_year),
        };
        Account { carried_derived, ..settled }
    }

    /// What a half-year adds to the standing of a municipality that exists.
    pub(super) fn parts(&mut self, code: MunicipalityCode, half_year: HalfYear) -> Parts {
        let account = self.account(code, half_year);
        let came_with_the_first_day = account.carried_derived - self.left_before(code, half_year);
        Parts {
            carry_over: account.carried_used - account.carried_derived,
            quota: account.quota,
            revision: account.revision,
            exchange: account.exchange,
            boundary: account.boundary + came_with_the_first_day,
            housed: account.housed,
        }
    }

    /// The same of one that has ceased, with what went to its heirs. All its half-years together add up to nothing.
    pub(super) fn parts_of_ceased(
        &mut self,
        code: MunicipalityCode,
        half_year: HalfYear,
        ceased: Ceased,
    ) -> Parts {
        if half_year < ceased.half_year {
            return self.parts(code, half_year);
        }
        if half_year == ceased.half_year && !ceased.on_first_day {
            let parts = self.parts(code, half_year);
            let due = self.settled(code, half_year).due();
            // What it had realised counts for the heirs as well.
            return Parts { boundary: parts.boundary - due, housed: Default::default(), ..parts };
        }
        let strayed = own_account(&self.sums(code, half_year));
        let mut left = strayed.quota + strayed.revision + strayed.exchange;
        if half_year == ceased.half_year {
            left += self.left_before(code, half_year);
        }
        Parts {
            carry_over: 0,
            quota: strayed.quota,
            revision: strayed.revision,
            exchange: strayed.exchange,
            boundary: -left,
            housed: Default::default(),
        }
    }

    /// Whose postings make up what the account says was realised.
    pub(super) fn makeup(&mut self, code: MunicipalityCode, half_year: HalfYear) -> Makeup {
        let mut makeup = Makeup::default();
        self.add_makeup(code, half_year, &mut makeup);
        makeup
    }

    /// Goes the way that [`settled`](Self::settled) and [`strayed`](Self::strayed) go. What had ceased before the
    /// half-year took over others before it as well, so each change says by itself which of the two it is.
    fn add_makeup(&mut self, code: MunicipalityCode, half_year: HalfYear, to: &mut Makeup) {
        to.whole.insert(code);
        for it in self.taken_over(code) {
            let ceased = match it.effect(half_year) {
                Effect::Within => false,
                Effect::Earlier | Effect::OnFirstDay => true,
                Effect::Later => continue,
            };
            for &old in it.old() {
                if it.is_whole() {
                    self.add_makeup(old, half_year, to);
                    continue;
                }
                let left = if ceased { self.strayed(old, half_year) } else { self.settled(old, half_year) };
                let realised = left.housed.iter().map(|&number| it.share(number)).sum();
                // A split of long ago is worth a word only where something still came over.
                if !ceased || realised != 0 {
                    let (position, effective_on) = (it.position(), it.effective_on());
                    to.shares.push(Share { position, effective_on, old, realised });
                }
            }
        }
    }

    /// The account without the derived carry-over where a recorded one is used instead, so that a
    /// question about this half-year does not go back to the first.
    fn settled(&mut self, code: MunicipalityCode, half_year: HalfYear) -> Account {
        let taken_over = self.has_taken_over(code, half_year);
        if let Some(account) = self.settled.get(&(code, half_year)).filter(|_| taken_over) {
            return *account;
        }
        let sums = self.sums(code, half_year);
        let mut account = own_account(&sums);
        if account.carried_recorded_for == 0 {
            // Nothing was fixed for the municipality itself, so all that it was left is derived.
            account.carried_used = self.derived_carry_over(code, half_year);
        } else {
            if taken_over {
                account.carried_recorded = self.recorded_carry_over(code, half_year, &sums);
            }
            account.carried_used = account.carried_recorded;
        }
        if !taken_over {
            return account;
        }
        for it in self.taken_over(code) {
            for &old in it.old() {
                // In the half-year of the change all that the old one stood for comes over. In a
                // later one its standing comes with the carry-over, and only what strayed onto the
                // old one remains, such as an amv who moves away from it after the change.
                let left = match it.effect(half_year) {
                    Effect::Within => self.settled(old, half_year),
                    Effect::Earlier | Effect::OnFirstDay => self.strayed(old, half_year),
                    Effect::Later => continue,
                };
                account.take_over(it, &left);
            }
        }
        self.settled.insert((code, half_year), account);
        account
    }

    /// What was recorded for a municipality that had ceased before the half-year, and for those that
    /// it had taken over itself.
    fn strayed(&mut self, code: MunicipalityCode, half_year: HalfYear) -> Account {
        if let Some(account) = self.strayed.get(&(code, half_year)) {
            return *account;
        }
        let mut account = own_account(&self.sums(code, half_year));
        let mut taken_over = false;
        for it in self.taken_over(code) {
            taken_over = true;
            for &old in it.old() {
                account.take_over(it, &self.strayed(old, half_year));
            }
        }
        if taken_over {
            self.strayed.insert((code, half_year), account);
        }
        account
    }

    /// The standing that the authority fixed for the municipality itself, and those that it had fixed for others
    /// before it was known that this one takes them over.
    ///
    /// What is fixed for the heir afterwards is fixed for all that it took over.
    fn recorded_carry_over(&mut self, code: MunicipalityCode, half_year: HalfYear, sums: &Sums) -> i64 {
        if let Some(recorded) = self.recorded.get(&(code, half_year)) {
            return *recorded;
        }
        let mut recorded = sums.carry_over.unwrap_or(0);
        let mut taken_over = false;
        for it in self.taken_over(code) {
            let in_force = matches!(it.effect(half_year), Effect::Earlier | Effect::OnFirstDay);
            if !in_force || sums.carry_over_at.is_some_and(|at| at >= it.position()) {
                continue;
            }
            taken_over = true;
            for &old in it.old() {
                let sums = self.sums(old, half_year);
                recorded += it.share(self.recorded_carry_over(old, half_year, &sums));
            }
        }
        if taken_over {
            self.recorded.insert((code, half_year), recorded);
        }
        recorded
    }

    /// What remained at the end of the half-year before, of the municipality itself and of those
    /// that it took over on the first day of this one.
    fn derived_carry_over(&mut self, code: MunicipalityCode, half_year: HalfYear) -> i64 {
        let Some(before) = self.before(half_year) else { return 0 };
        let mut carried = self.remaining(code, before, half_year);
        for it in self.taken_over(code).filter(|it| it.effect(half_year) == Effect::OnFirstDay) {
            for &old in it.old() {
                carried += it.share(self.remaining(old, before, half_year));
            }
        }
        carried
    }

    /// What remained at the end of the half-year before, of the municipality itself.
    fn left_before(&mut self, code: MunicipalityCode, half_year: HalfYear) -> i64 {
        self.before(half_year).map_or(0, |before| self.remaining(code, before, half_year))
    }

    /// The half-year before, unless nothing is recorded about it or any before it.
    fn before(&self, half_year: HalfYear) -> Option<HalfYear> {
        let first = self.book.columns.first_half_year()?;
        half_year.previous().filter(|before| *before >= first)
    }

    /// What remained of a municipality at the end of the half-year before this one.
    fn remaining(&mut self, code: MunicipalityCode, before: HalfYear, half_year: HalfYear) -> i64 {
        match self.has_taken_over(code, before) {
            true => self.settled(code, before).remaining(),
            false => {
                let carried = self.book.columns.carried_into(code, half_year, self.as_of);
                if !self.supposed.iter().any(|it| it.half_year == before) {
                    return carried;
                }
                // What the columns carry rests on what was recorded.
                let recorded = self.book.columns.sums(code, before, self.as_of);
                let supposed = self.sums(code, before);
                carried + supposed.quota + supposed.revision - recorded.quota - recorded.revision
            }
        }
    }

    /// How many persons are in small-scale care, of the municipality and those that it took over.
    pub(super) fn in_care(&mut self, code: MunicipalityCode) -> i64 {
        if let Some(persons) = self.in_care.get(&code) {
            return *persons;
        }
        let mut persons = self.book.columns.in_care(code, self.as_of);
        let mut taken_over = false;
        for it in self.taken_over(code) {
            taken_over = true;
            persons += it.old().iter().map(|old| it.share(self.in_care(*old))).sum::<i64>();
        }
        if taken_over {
            self.in_care.insert(code, persons);
        }
        persons
    }

    /// How much is contested, of the municipality and those that it took over.
    pub(super) fn contested(&mut self, code: MunicipalityCode) -> ContestedSum {
        if self.book.objections.is_empty() {
            return ContestedSum::default();
        }
        if let Some(contested) = self.contested.get(&code) {
            return *contested;
        }
        let mut contested = self.book.objections.sum(code, self.book, self.as_of);
        let mut taken_over = false;
        for it in self.taken_over(code) {
            taken_over = true;
            for &old in it.old() {
                contested += self.contested(old).share(it);
            }
        }
        if taken_over {
            self.contested.insert(code, contested);
        }
        contested
    }

    fn sums(&self, code: MunicipalityCode, half_year: HalfYear) -> Sums {
        let mut sums = self.book.columns.sums(code, half_year, self.as_of);
        if let Some(supposed) = self.supposed.iter().find(|it| it.half_year == half_year) {
            sums.quota = supposed.numbers.get(&code).copied().unwrap_or(0);
            sums.revision = 0;
        }
        sums
    }

    /// The boundary changes in force in which the municipality takes over others.
    fn taken_over(&self, code: MunicipalityCode) -> impl Iterator<Item = TakeOver<'a>> + use<'a> {
        self.book.register.taken_over(code, self.as_of)
    }

    /// Whether it took over others by the end of the half-year.
    fn has_taken_over(&self, code: MunicipalityCode, half_year: HalfYear) -> bool {
        self.taken_over(code).any(|it| it.effect(half_year) != Effect::Later)
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
