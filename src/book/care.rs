//! Small-scale care (kleinschalige opvang, kso) of amv: places, who turns 18 or leaves care soon, who is in extended care, and
//! for whom follow-on housing is owed. Only numbers come out, never a person.
//!
//! Most of it is not in the columns, so it is a fold over the entries about small-scale care. They are few, and what is kept of
//! each placement is some days.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::account::Accounts;
use super::heirs::Numbers;
use super::statement::{NamedArea, places};
use super::{Book, Unanswerable};
use crate::domain::amv::{AmvCapacity, AmvPlaces};
use crate::domain::area::{Area, MunicipalityCode};
use crate::domain::event::{Entry, Event};
use crate::domain::persons::Persons;
use crate::domain::placement::PlacementKind;
use crate::domain::reference::Reference;
use crate::domain::rules::CountingRules;
use crate::domain::source::PlacementId;
use crate::domain::time::{AsOf, Day, Month, ReferenceDate};

const CARE: PlacementKind = PlacementKind::AmvSmallScaleCare;

/// Places and persons in small-scale care of an area, on a reference date and some weeks ahead of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CareStanding {
    /// The area.
    #[serde(deserialize_with = "crate::domain::object")]
    pub area: NamedArea,
    /// The reference date: who is in care at the start of that day.
    pub reference_date: Day,
    /// How many weeks ahead it looks.
    pub within_weeks: u16,
    /// The reference date so many weeks later: what happens before its start happens within the weeks.
    pub until: Day,
    /// Places needed, where they were set for this area and date.
    #[serde(deserialize_with = "Option::deserialize")]
    pub places_needed: Option<i64>,
    /// Places there are, where they were counted for this area.
    #[serde(deserialize_with = "Option::deserialize")]
    pub places_there: Option<i64>,
    /// Persons in small-scale care.
    pub placed: i64,
    /// Places there are minus persons placed: below zero more are placed than there are places.
    #[serde(deserialize_with = "Option::deserialize")]
    pub places_free: Option<i64>,
    /// Places needed minus places there are: below zero there are more than are needed.
    #[serde(deserialize_with = "Option::deserialize")]
    pub places_short: Option<i64>,
    /// What says how many places are needed.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub need: Option<Need>,
    /// What says how many places there are.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub count: Option<Count>,
    /// Of those placed: who turns 18 within the weeks.
    pub turning_18: i64,
    /// Of those placed: whose care ends within the weeks.
    pub leaving: i64,
    /// Of those placed: who is 18 already, and so in extended care (verlengde opvang).
    pub in_extended_care: i64,
    /// Of those placed: for whom nobody recorded when they turn 18.
    pub without_18: i64,
    /// Of those placed: for whom nobody recorded when care ends.
    pub without_end: i64,
    /// For whom follow-on housing is owed.
    #[serde(deserialize_with = "crate::domain::object")]
    pub follow_on_owed: Owed,
    /// Whether the log holds generated entries, so that figures may rest on them.
    pub generated: bool,
}

/// For how many persons follow-on housing (vervolghuisvesting) is owed: care ended, and neither final housing nor a move is
/// recorded. Only of those who counted when they were placed: whoever did not counts when housed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owed {
    /// On the reference date.
    pub now: i64,
    /// Within the weeks, if nobody is housed meanwhile.
    pub until: i64,
}

/// The need for places that holds on the reference date, for the whole country.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// Places needed.
    pub places: Persons,
    /// The first day for which it holds.
    pub from: Day,
    /// The last day for which it holds.
    pub until: Day,
    /// Where it was set.
    pub reference: Reference,
}

/// The latest count of places, for the whole country.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Count {
    /// Places there are.
    pub places: Persons,
    /// The day of the count.
    pub counted_on: Day,
    /// Where it stands.
    pub reference: Reference,
}

/// Small-scale care, while the entries about it are taken up.
pub struct Care<'a> {
    book: &'a Book<'a>,
    as_of: AsOf,
    within_weeks: u16,
    until: ReferenceDate,
    rules: CountingRules,
    areas: Vec<(NamedArea, Vec<MunicipalityCode>)>,
    placements: HashMap<PlacementId, InCare>,
}

/// What is kept of a placement in small-scale care.
struct InCare {
    municipality: MunicipalityCode,
    persons: i64,
    from: Day,
    /// The last day in care, as it was recorded with the placement.
    ends: Option<Day>,
    /// The last day of the month of turning 18.
    turns_18: Option<Day>,
    /// The first day of a move or of final housing.
    left_on: Option<Day>,
}

/// What persons are counted under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Number {
    Placed,
    Turning18,
    Leaving,
    Extended,
    Without18,
    WithoutEnd,
    Owed,
    OwedUntil,
}

impl Book<'_> {
    /// Begins to count who is in small-scale care in each of these areas.
    ///
    /// # Errors
    /// When one is a municipality that does not exist on the reference date, as known then.
    pub fn care(&self, areas: &[Area], as_of: AsOf, within_weeks: u16) -> Result<Care<'_>, Unanswerable> {
        Ok(Care {
            book: self,
            as_of,
            within_weeks,
            until: ReferenceDate(as_of.reference_date.0.plus_days(within_weeks.saturating_mul(7))),
            rules: self.rules_known_at(as_of.known_at),
            areas: self.named_with_codes(areas, as_of)?,
            placements: HashMap::new(),
        })
    }
}

impl Care<'_> {
    /// Whether a stored line may be about small-scale care: every entry about a placement names its kind. A line that is not
    /// need not be read as an entry.
    pub fn may_concern(line: &str) -> bool {
        line.contains(CARE.name())
    }

    /// Takes up the next entry that may be about small-scale care, in the order of the log.
    pub fn take(&mut self, entry: &Entry) {
        assert!(entry.position.is_known_at(self.as_of.known_at), "what was learned later is not taken up");
        let (placement, left_on) = match &entry.event {
            Event::PlacementRecorded(it) if it.report().kind == CARE => {
                let report = it.report();
                let in_care = InCare {
                    municipality: report.municipality,
                    persons: report.persons.count(),
                    from: report.counts_from,
                    ends: report.care_ends.map(Month::last_day),
                    turns_18: report.turns_18.map(Month::last_day),
                    left_on: None,
                };
                self.placements.insert(report.placement, in_care);
                return;
            }
            Event::PlacementWithdrawn(it) => {
                self.placements.remove(&it.placement);
                return;
            }
            Event::PlacementTransferred(it) => (it.placement, it.reported_on),
            Event::FollowOnHousingRecorded(it) => (it.placement, it.housed_on),
            _ => return,
        };
        if let Some(it) = self.placements.get_mut(&placement) {
            it.left_on = Some(it.left_on.map_or(left_on, |day| day.min(left_on)));
        }
    }

    /// What came out, for each of the areas that were asked for.
    pub fn standings(self) -> Vec<CareStanding> {
        let mut numbers = Numbers::new();
        self.placements.values().for_each(|it| self.count(it, &mut numbers));
        let mut carried_on = numbers.carried_on(&self.book.register, self.as_of);
        let mut accounts = Accounts::new(self.book, self.as_of);
        let (needed, counted) = (self.book.amv_needed(self.as_of), self.book.amv_counted(self.as_of));
        let generated = self.book.is_generated(self.as_of.known_at);
        let each = self.areas.iter().map(|(area, codes)| {
            let sums = carried_on.sums(codes);
            let sum = |number: Number| sums.get(&number).copied().unwrap_or(0);
            let placed = sum(Number::Placed);
            // The columns know how many are in care as well, by another way.
            assert_eq!(placed, codes.iter().map(|&code| accounts.in_care(code)).sum::<i64>());
            let codes = || codes.iter().copied();
            let places_needed =
                needed.and_then(|it| places(area.code, it.places, it.per_municipality.as_ref(), codes()));
            let places_there =
                counted.and_then(|it| places(area.code, it.places, it.per_municipality.as_ref(), codes()));
            CareStanding {
                area: area.clone(),
                reference_date: self.as_of.reference_date.0,
                within_weeks: self.within_weeks,
                until: self.until.0,
                places_needed,
                places_there,
                placed,
                places_free: places_there.map(|there| there - placed),
                places_short: places_needed.zip(places_there).map(|(needed, there)| needed - there),
                need: needed.map(Need::of),
                count: counted.map(Count::of),
                turning_18: sum(Number::Turning18),
                leaving: sum(Number::Leaving),
                in_extended_care: sum(Number::Extended),
                without_18: sum(Number::Without18),
                without_end: sum(Number::WithoutEnd),
                follow_on_owed: Owed { now: sum(Number::Owed), until: sum(Number::OwedUntil) },
                generated,
            }
        });
        each.collect()
    }

    fn count(&self, it: &InCare, numbers: &mut Numbers<Number>) {
        let on = self.as_of.reference_date;
        let is_over = |by: ReferenceDate, day: Option<Day>| day.is_some_and(|day| by.has_housing_of(day));
        if !on.has_housing_of(it.from) || is_over(on, it.left_on) {
            return;
        }
        let mut add = |number| numbers.add(it.municipality, number, it.persons);
        let counts = self.rules.count(CARE, it.from);
        if counts && is_over(self.until, it.ends) {
            add(Number::OwedUntil);
        }
        if is_over(on, it.ends) {
            if counts {
                add(Number::Owed);
            }
            return;
        }
        add(Number::Placed);
        match it.ends {
            None => add(Number::WithoutEnd),
            Some(_) if is_over(self.until, it.ends) => add(Number::Leaving),
            Some(_) => {}
        }
        match it.turns_18 {
            None => add(Number::Without18),
            Some(_) if is_over(on, it.turns_18) => add(Number::Extended),
            Some(_) if is_over(self.until, it.turns_18) => add(Number::Turning18),
            Some(_) => {}
        }
    }
}

impl Need {
    fn of(it: &AmvCapacity) -> Self {
        Self { places: it.places, from: it.from, until: it.until, reference: it.reference.clone() }
    }
}

impl Count {
    fn of(it: &AmvPlaces) -> Self {
        Self { places: it.places, counted_on: it.counted_on, reference: it.reference.clone() }
    }
}
