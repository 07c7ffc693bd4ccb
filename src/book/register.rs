//! The register: which municipalities there are, and who took over whom.

use std::collections::BTreeSet;

use super::Unanswerable;
use super::share::part_of;
use crate::domain::area::{BoundaryChange, Municipality, MunicipalityCode};
use crate::domain::half_year::HalfYear;
use crate::domain::time::{AsOf, Day, Position};

/// Municipalities and boundary changes. What concerns one municipality is found by its code, so that one without
/// boundary changes costs nothing by those of others.
#[derive(Clone, Debug, Default)]
pub(super) struct Register {
    /// By the number of the code.
    towns: Vec<Option<Box<Town>>>,
    registered: BTreeSet<MunicipalityCode>,
    changes: Vec<Change>,
}

/// All that is known of one code.
#[derive(Clone, Debug, Default)]
struct Town {
    registered: Option<(Position, Municipality)>,
    /// The changes in which it ceases.
    ceases: Vec<usize>,
    /// The changes in which it is an heir, and which of the heirs it is.
    takes_over: Vec<(usize, usize)>,
}

/// A boundary change, as accounts need it.
#[derive(Clone, Debug)]
struct Change {
    position: Position,
    /// The half-year in which it takes effect.
    half_year: HalfYear,
    on_first_day: bool,
    weights: Vec<u64>,
    change: BoundaryChange,
}

/// What an entry says about municipalities.
#[derive(Clone, Copy, Debug)]
pub(super) enum Registered<'a> {
    /// That one exists.
    Municipality(&'a Municipality),
    /// That boundaries changed.
    Change(&'a BoundaryChange),
}

/// What one heir takes over in a boundary change.
#[derive(Clone, Copy, Debug)]
pub(super) struct TakeOver<'a> {
    change: &'a Change,
    heir: usize,
}

/// How a boundary change lies to a half-year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It took effect in an earlier half-year.
    Earlier,
    /// It takes effect on the first day.
    OnFirstDay,
    /// It takes effect after the first day.
    Within,
    /// It takes effect in a later half-year.
    Later,
}

/// Whether there is a municipality with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// Not registered as far as is known, or not yet there.
    Absent,
    /// It exists.
    There,
    /// It has ceased.
    Gone(Ceased),
}

/// When a municipality ceased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ceased {
    /// In which half-year.
    pub half_year: HalfYear,
    /// Whether on its first day.
    pub on_first_day: bool,
}

impl TakeOver<'_> {
    /// The half-year in which it takes effect.
    pub(super) fn half_year(&self) -> HalfYear {
        self.change.half_year
    }

    /// Whether all that the old ones stood for comes over.
    pub(super) fn is_whole(&self) -> bool {
        self.change.weights.len() == 1
    }

    /// The municipalities that are taken over.
    pub(super) fn old(&self) -> &[MunicipalityCode] {
        self.change.change.old()
    }

    /// The first day on which the heir answers for the old ones.
    pub(super) fn effective_on(&self) -> Day {
        self.change.change.effective_on()
    }

    /// When the ledger learned it.
    pub(super) fn position(&self) -> Position {
        self.change.position
    }

    pub(super) fn effect(&self, half_year: HalfYear) -> Effect {
        match self.change.half_year.cmp(&half_year) {
            std::cmp::Ordering::Less => Effect::Earlier,
            std::cmp::Ordering::Equal if self.change.on_first_day => Effect::OnFirstDay,
            std::cmp::Ordering::Equal => Effect::Within,
            std::cmp::Ordering::Greater => Effect::Later,
        }
    }

    /// The share of the heir in a number: whole persons, and the shares of all heirs add up to it.
    pub(super) fn share(&self, persons: i64) -> i64 {
        persons.signum() * part_of(persons.unsigned_abs(), &self.change.weights, self.heir) as i64
    }
}

impl Change {
    fn is_in_force(&self, as_of: AsOf) -> bool {
        self.position.is_known_at(as_of.known_at)
            && as_of.reference_date.has_obligation_of(self.change.effective_on())
    }
}

impl Register {
    /// Takes up a municipality.
    pub(super) fn register(&mut self, position: Position, it: &Municipality) {
        self.registered.insert(it.code);
        self.make(it.code).registered = Some((position, it.clone()));
    }

    /// Takes up a boundary change.
    pub(super) fn change(&mut self, position: Position, it: &BoundaryChange) {
        let number = self.changes.len();
        let half_year = it.effective_on().half_year();
        let heirs = it.heirs();
        for &old in it.old() {
            self.make(old).ceases.push(number);
        }
        for (index, &(heir, _)) in heirs.iter().enumerate() {
            self.make(heir).takes_over.push((number, index));
        }
        self.changes.push(Change {
            position,
            half_year,
            on_first_day: it.effective_on() == half_year.first_day(),
            weights: heirs.iter().map(|(_, weight)| u64::from(*weight)).collect(),
            change: it.clone(),
        });
    }

    /// The same without what some entries say, and with what others would have said.
    pub(super) fn altered<'a>(
        &'a self,
        is_left_out: impl Fn(Position) -> bool,
        supposed: impl Iterator<Item = (Position, Registered<'a>)>,
    ) -> Self {
        let towns = self.registered.iter().filter_map(|&code| self.town(code)?.registered.as_ref());
        let towns = towns.map(|(position, it)| (*position, Registered::Municipality(it)));
        let changes = self.changes.iter().map(|it| (it.position, Registered::Change(&it.change)));
        let mut all: Vec<_> = towns.chain(changes).filter(|(position, _)| !is_left_out(*position)).collect();
        all.extend(supposed);
        all.sort_by_key(|(position, _)| *position);
        let mut altered = Self::default();
        for (position, it) in all {
            match it {
                Registered::Municipality(it) => altered.register(position, it),
                Registered::Change(it) => altered.change(position, it),
            }
        }
        altered
    }

    /// A municipality that is taken over twice, or takes over another when it has ceased itself: what it leaves would go
    /// from change to change without an end.
    pub(super) fn taken_over_wrongly(&self) -> Option<MunicipalityCode> {
        let wrongly = |town: &Town| {
            let days = |all: &[usize]| -> Vec<Day> {
                all.iter().map(|&it| self.changes[it].change.effective_on()).collect()
            };
            let takes_over: Vec<usize> = town.takes_over.iter().map(|(change, _)| *change).collect();
            let (ceases, takes_over) = (days(&town.ceases), days(&takes_over));
            ceases.len() > 1 || ceases.iter().any(|ceases| takes_over.iter().any(|it| ceases <= it))
        };
        let all = self.changes.iter().flat_map(|it| it.change.old());
        all.copied().find(|&code| self.town(code).is_some_and(wrongly))
    }

    /// The municipality with this code, if it exists on the reference date as known then.
    pub(super) fn municipality(
        &self,
        code: MunicipalityCode,
        as_of: AsOf,
    ) -> Result<&Municipality, Unanswerable> {
        let on = as_of.reference_date.0;
        let town = self.town(code);
        let known = town.and_then(|it| it.registered.as_ref());
        let known = known.filter(|(position, _)| position.is_known_at(as_of.known_at));
        let (Some(town), Some((_, municipality))) = (town, known) else {
            return Err(Unanswerable::UnknownMunicipality(code, as_of.known_at));
        };
        if on < municipality.from {
            return Err(Unanswerable::NotYet { code, from: municipality.from, on });
        }
        match town.ceases.iter().map(|&it| &self.changes[it]).find(|it| it.is_in_force(as_of)) {
            None => Ok(municipality),
            Some(Change { change, .. }) => Err(Unanswerable::Ceased {
                code,
                on,
                ceased: change.effective_on(),
                successors: change.heirs().into_iter().map(|(heir, _)| heir).collect(),
            }),
        }
    }

    /// Every municipality that was ever registered, in the order of their codes.
    pub(super) fn all(&self) -> impl Iterator<Item = &Municipality> {
        self.registered.iter().filter_map(|&code| Some(&self.town(code)?.registered.as_ref()?.1))
    }

    /// Whether a municipality is there on the reference date as known then.
    pub(super) fn presence(&self, code: MunicipalityCode, as_of: AsOf) -> Presence {
        match self.municipality(code, as_of) {
            Ok(_) => Presence::There,
            Err(Unanswerable::UnknownMunicipality(..) | Unanswerable::NotYet { .. }) => Presence::Absent,
            Err(Unanswerable::Ceased { ceased, .. }) => Presence::Gone(Ceased {
                half_year: ceased.half_year(),
                on_first_day: ceased == ceased.half_year().first_day(),
            }),
        }
    }

    /// Where the boundary changes stand that took effect by the end of a half-year, in which the municipality is old or
    /// heir. What is recorded about an old one later follows them in later half-years.
    pub(super) fn changes_of(
        &self,
        code: MunicipalityCode,
        half_year: HalfYear,
        as_of: AsOf,
    ) -> impl Iterator<Item = Position> {
        let town = self.town(code);
        let ceases = town.map_or(&[][..], |it| &it.ceases).iter().copied();
        let takes_over = town.map_or(&[][..], |it| &it.takes_over).iter().map(|(change, _)| *change);
        let all = ceases.chain(takes_over).map(|change| &self.changes[change]);
        all.filter(move |it| it.half_year <= half_year && it.is_in_force(as_of)).map(|it| it.position)
    }

    /// Where a municipality was registered.
    pub(super) fn registered_at(&self, code: MunicipalityCode) -> Option<Position> {
        Some(self.town(code)?.registered.as_ref()?.0)
    }

    /// Where the boundary changes stand.
    pub(super) fn changes_at(&self) -> impl Iterator<Item = Position> {
        self.changes.iter().map(|it| it.position)
    }

    /// The day on which the boundary change at a position takes effect.
    pub(super) fn effective_on(&self, position: Position) -> Day {
        let change = self.changes.iter().find(|it| it.position == position);
        change.expect("a boundary change stands there").change.effective_on()
    }

    /// The municipalities that exist on the reference date as known then, in the order of their codes.
    pub(super) fn municipalities(&self, as_of: AsOf) -> impl Iterator<Item = &Municipality> {
        self.registered.iter().filter_map(move |&code| self.municipality(code, as_of).ok())
    }

    /// What a municipality took over in the boundary changes in force, in the order of the log.
    pub(super) fn taken_over(
        &self,
        code: MunicipalityCode,
        as_of: AsOf,
    ) -> impl Iterator<Item = TakeOver<'_>> {
        let all = self.town(code).map_or(&[][..], |it| &it.takes_over);
        let all = all.iter().map(|&(change, heir)| TakeOver { change: &self.changes[change], heir });
        all.filter(move |it| it.change.is_in_force(as_of))
    }

    fn town(&self, code: MunicipalityCode) -> Option<&Town> {
        self.towns.get(usize::from(code.number()))?.as_deref()
    }

    fn make(&mut self, code: MunicipalityCode) -> &mut Town {
        let number = usize::from(code.number());
        if self.towns.len() <= number {
            self.towns.resize_with(number + 1, || None);
        }
        self.towns[number].get_or_insert_default()
    }
}
