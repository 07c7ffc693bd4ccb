//! Deadlines: how long it took from the permit to housing, and who stayed longer than a hotel scheme or a transit location
//! allows.
//!
//! The days of permits are in the log and nowhere else, so this is a fold over entries. It goes over the log twice: a
//! withdrawal does not repeat the day of the permit, so what was withdrawn or went on to final housing is found first, which
//! is little, and then every placement that stands is counted and forgotten.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::heirs::Numbers;
use super::statement::{NamedArea, Ratio};
use super::{Book, Unanswerable};
use crate::domain::area::{Area, MunicipalityCode};
use crate::domain::event::{Entry, Event};
use crate::domain::half_year::HalfYear;
use crate::domain::placement::PlacementKind;
use crate::domain::rules::CountingRules;
use crate::domain::source::PlacementId;
use crate::domain::time::{AsOf, Day};

/// Within how many weeks from the permit a municipality houses somebody: 2 to match, 10 to find a home, 2 to move.
pub const WEEKS: u16 = 14;

/// How many months somebody may stay in a transit location (doorstroomlocatie).
pub const TRANSIT_MONTHS: u16 = 12;

/// How many months the hotel and accommodation scheme (HAR) lasts.
pub const HOTEL_MONTHS: u16 = 6;

/// How an area keeps to the deadlines: of the placements of a half-year, and of the stays on a reference date.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeadlineStanding {
    /// The area.
    #[serde(deserialize_with = "crate::domain::object")]
    pub area: NamedArea,
    /// The half-year in which the placements lie.
    pub half_year: HalfYear,
    /// The reference date: as at the start of that day.
    pub reference_date: Day,
    /// Persons who were housed in the half-year and counted, by the placement itself: a move is no second housing.
    pub housed: i64,
    /// Of those: with the day of the permit.
    pub with_permit_day: i64,
    /// Of those: without it, so that nobody can say how long it took.
    pub without_permit_day: i64,
    /// Of those with the day: housed within 14 weeks of the permit.
    pub within_14_weeks: i64,
    /// The share of these in those with the day, where there is any.
    #[serde(deserialize_with = "Option::deserialize")]
    pub share_within_14_weeks: Option<Ratio>,
    /// The least number of weeks within which half of those with the day were housed.
    #[serde(deserialize_with = "Option::deserialize")]
    pub median_weeks: Option<u16>,
    /// How many were housed within so many weeks and not within one less, in ascending order, without weeks in which nobody was.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub weeks: Vec<InWeeks>,
    /// Who is in a transit location.
    #[serde(deserialize_with = "crate::domain::object")]
    pub transit_location: Stay,
    /// Who is in the hotel scheme.
    #[serde(deserialize_with = "crate::domain::object")]
    pub hotel_scheme: Stay,
    /// Whether the log holds generated entries, so that figures may rest on them.
    pub generated: bool,
}

/// How many were housed within a number of weeks, and not within one less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InWeeks {
    /// The weeks: days from the permit to the day from which the placement counts, in whole weeks, rounded up.
    pub weeks: u16,
    /// How many persons.
    pub persons: i64,
}

/// Who stays where nobody is to stay for long. Somebody stays from the placement until final housing is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stay {
    /// How many calendar months a stay may last.
    pub months: u16,
    /// How many persons stay there.
    pub staying: i64,
    /// How many of them longer than that.
    pub past_limit: i64,
}

/// Deadlines, while the entries are gone through.
pub struct Deadlines<'a> {
    book: &'a Book<'a>,
    half_year: HalfYear,
    as_of: AsOf,
    rules: CountingRules,
    areas: Vec<(NamedArea, Vec<MunicipalityCode>)>,
    /// The first and last day of the half-year as they stand in a line.
    days: [String; 2],
    /// What does not stand.
    withdrawn: HashSet<PlacementId>,
    /// Who was housed finally, of those whose stay is limited.
    went_on: HashSet<PlacementId>,
    numbers: Numbers<Number>,
}

/// What persons are counted under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Number {
    Weeks(u16),
    WithoutPermitDay,
    Staying(PlacementKind),
    PastLimit(PlacementKind),
}

/// For how many months a stay of this kind may last, if it is limited.
fn limit(kind: PlacementKind) -> Option<u16> {
    match kind {
        PlacementKind::TransitLocation => Some(TRANSIT_MONTHS),
        PlacementKind::HotelScheme => Some(HOTEL_MONTHS),
        _ => None,
    }
}

/// Within how many whole weeks of the permit somebody was housed.
fn weeks_between(permit: Day, housed: Day) -> u16 {
    (housed.index() - permit.index()).div_ceil(7)
}

impl Book<'_> {
    /// Begins to measure the placements of a half-year, and the stays on the reference date, in each of these areas.
    ///
    /// # Errors
    /// When one is a municipality that does not exist on the reference date, as known then.
    pub fn deadlines(
        &self,
        areas: &[Area],
        half_year: HalfYear,
        as_of: AsOf,
    ) -> Result<Deadlines<'_>, Unanswerable> {
        Ok(Deadlines {
            book: self,
            half_year,
            as_of,
            rules: self.rules_known_at(as_of.known_at),
            areas: self.named_with_codes(areas, as_of)?,
            days: [half_year.first_day(), half_year.last_day()].map(|day| day.to_string()),
            withdrawn: HashSet::new(),
            went_on: HashSet::new(),
            numbers: Numbers::new(),
        })
    }
}

impl Deadlines<'_> {
    /// Whether a stored line may say that a placement ended: those are gone through first. A line that does not need not be
    /// read as an entry.
    pub fn may_end(line: &str) -> bool {
        line.contains("placement-withdrawn") || line.contains("follow-on-housing-recorded")
    }

    /// Takes up the next entry that may say that a placement ended.
    pub fn end(&mut self, entry: &Entry) {
        assert!(entry.position.is_known_at(self.as_of.known_at), "what was learned later is not taken up");
        match &entry.event {
            Event::PlacementWithdrawn(it) if self.matters(it.housed.kind, it.housed.counts_from) => {
                self.withdrawn.insert(it.placement);
            }
            Event::FollowOnHousingRecorded(it)
                if limit(it.housed.kind).is_some() && self.has_come(it.housed_on) =>
            {
                self.went_on.insert(it.placement);
            }
            _ => {}
        }
    }

    /// Whether a stored line may record a placement that counts here: those are gone through when all that ended is known.
    pub fn may_count(&self, line: &str) -> bool {
        let Some((_, from)) = line.split_once(r#""countsFrom":""#) else { return false };
        let [first, last] = &self.days;
        let within = from.get(..10).is_some_and(|day| (first.as_str()..=last.as_str()).contains(&day));
        let limited = || {
            [PlacementKind::TransitLocation, PlacementKind::HotelScheme]
                .iter()
                .any(|kind| line.contains(kind.name()))
        };
        (within || limited()) && line.contains("placement-recorded")
    }

    /// Takes up the next entry that may record a placement that counts here.
    pub fn count(&mut self, entry: &Entry) {
        assert!(entry.position.is_known_at(self.as_of.known_at), "what was learned later is not taken up");
        let Event::PlacementRecorded(it) = &entry.event else { return };
        let it = it.report();
        let stands = self.matters(it.kind, it.counts_from) && !self.withdrawn.contains(&it.placement);
        if !stands || !self.has_come(it.counts_from) || !self.rules.count(it.kind, it.counts_from) {
            return;
        }
        let persons = it.persons.count();
        if it.counts_from.half_year() == self.half_year {
            let number = match it.permit_granted_on {
                Some(permit) => Number::Weeks(weeks_between(permit, it.counts_from)),
                None => Number::WithoutPermitDay,
            };
            self.numbers.add(it.municipality, number, persons);
        }
        if let Some(months) = limit(it.kind)
            && !self.went_on.contains(&it.placement)
        {
            self.numbers.add(it.municipality, Number::Staying(it.kind), persons);
            if self.has_come(it.counts_from.plus_months(months.into())) {
                self.numbers.add(it.municipality, Number::PastLimit(it.kind), persons);
            }
        }
    }

    /// What came out, for each of the areas that were asked for.
    pub fn standings(self) -> Vec<DeadlineStanding> {
        let mut carried_on = self.numbers.carried_on(&self.book.register, self.as_of);
        let generated = self.book.is_generated(self.as_of.known_at);
        let each = self.areas.iter().map(|(area, codes)| {
            let sums = carried_on.sums(codes);
            let sum = |number: Number| sums.get(&number).copied().unwrap_or(0);
            let stay = |kind: PlacementKind| Stay {
                months: limit(kind).expect("a kind with a limit"),
                staying: sum(Number::Staying(kind)),
                past_limit: sum(Number::PastLimit(kind)),
            };
            let weeks = sums.iter().filter_map(|(number, &persons)| match number {
                Number::Weeks(weeks) if persons != 0 => Some(InWeeks { weeks: *weeks, persons }),
                _ => None,
            });
            let weeks: Vec<_> = weeks.collect();
            let with_permit_day: i64 = weeks.iter().map(|it| it.persons).sum();
            let in_time = weeks.iter().filter(|it| it.weeks <= WEEKS);
            let within_14_weeks: i64 = in_time.map(|it| it.persons).sum();
            DeadlineStanding {
                area: area.clone(),
                half_year: self.half_year,
                reference_date: self.as_of.reference_date.0,
                housed: with_permit_day + sum(Number::WithoutPermitDay),
                with_permit_day,
                without_permit_day: sum(Number::WithoutPermitDay),
                within_14_weeks,
                share_within_14_weeks: Ratio::of(within_14_weeks, with_permit_day),
                median_weeks: median(&weeks, with_permit_day),
                weeks,
                transit_location: stay(PlacementKind::TransitLocation),
                hotel_scheme: stay(PlacementKind::HotelScheme),
                generated,
            }
        });
        each.collect()
    }

    /// Whether a placement of this kind and day can change a number.
    fn matters(&self, kind: PlacementKind, counts_from: Day) -> bool {
        limit(kind).is_some() || counts_from.half_year() == self.half_year
    }

    /// Whether what happened on this day, or lasts to the end of it, is over when the reference date begins.
    fn has_come(&self, day: Day) -> bool {
        self.as_of.reference_date.has_housing_of(day)
    }
}

/// The least number of weeks within which half of all were housed.
fn median(weeks: &[InWeeks], all: i64) -> Option<u16> {
    let mut so_far = 0;
    let mut reached = weeks.iter().filter(|it| {
        so_far += it.persons;
        2 * so_far >= all
    });
    reached.next().map(|it| it.weeks)
}
