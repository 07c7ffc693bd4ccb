//! What everybody may see of a statement: totals, and numbers by kind as far as no small number follows from them.
//!
//! A number below [`SMALL`] is not shown, and neither is any other from which it could be computed. Three things see to that:
//!
//! - **Within a municipality** the total is known, so the smallest of the other numbers is withheld beside the small ones
//!   (`shown`). Where that leaves one possibility only, all numbers are withheld, the small ones no longer told apart.
//! - **Above it**, a province and the country show a number where all of their municipalities do. What they show is the sum of
//!   what those show, and what they hide is the sum of what those hide: they tell nothing that was not told below.
//! - **Between dates and states of knowledge** two answers differ by little, so there are numbers by kind for one day in each
//!   half-year only, as known now ([`PublicTable::ask`]).
//!
//! What that leaves open stands in `docs/public-figures.md`.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::csv::{self, Cells};
use crate::book::regime::Regime;
use crate::book::statement::{Across, CarriedOver, NamedArea, National, Ratio, Reading, Statement};
use crate::domain::area::{Area, Province};
use crate::domain::half_year::HalfYear;
use crate::domain::named;
use crate::domain::placement::PlacementKind;
use crate::domain::time::{AsOf, Day, ReferenceDate};
use crate::ledger::{Answer, By, Checkpoint, KnownAtSize, Ledger, LedgerError};

/// The least number of persons of a kind that everybody may see.
pub const SMALL: i64 = 5;

named! {
    /// Why a number is not shown.
    pub enum Hidden {
        /// It is below [`SMALL`]; zero is as well.
        BelowFive = "< 5",
        /// Another number could be computed from it.
        Withheld = "withheld",
    } else "is not a reason to hide a number"
}

/// A number that is shown, or why it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Shown {
    /// The number.
    Number(i64),
    /// Not the number.
    Not(Hidden),
}

impl std::fmt::Display for Shown {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(to),
            Self::Not(why) => why.fmt(to),
        }
    }
}

const WITHHELD: Shown = Shown::Not(Hidden::Withheld);

/// Numbers by kind; in JSON an object, in the usual order of kinds.
pub type ShownByKind = std::collections::BTreeMap<PlacementKind, Shown>;

/// A statement as everybody may see it: the fields of a [`Statement`], but for what is contested.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PublicStatement {
    /// The area.
    #[serde(deserialize_with = "crate::domain::object")]
    pub area: NamedArea,
    /// The reference date: the standing at the start of that day.
    pub reference_date: Day,
    /// The half-year that holds the reference date.
    pub half_year: HalfYear,
    /// The standing carried in.
    #[serde(deserialize_with = "crate::domain::object")]
    pub carried_over: CarriedOver,
    /// The sum of the municipal numbers.
    pub quota: i64,
    /// What an evaluation changed.
    pub revision: i64,
    /// What was exchanged.
    pub exchange: i64,
    /// What came over from municipalities that ceased within the half-year.
    pub boundary: i64,
    /// What is due.
    pub due: i64,
    /// What was realised.
    pub realised: i64,
    /// What was realised, by kind; nothing on days and states of knowledge for which that takes a role.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub realised_by_kind: Option<ShownByKind>,
    /// What remains; below zero it is a surplus.
    pub remaining: i64,
    /// What would have been realised by now, where a quota is in force.
    #[serde(deserialize_with = "Option::deserialize")]
    pub on_schedule: Option<i64>,
    /// Realised minus on schedule.
    #[serde(deserialize_with = "Option::deserialize")]
    pub pace: Option<i64>,
    /// Realised / due, where something is due.
    #[serde(deserialize_with = "Option::deserialize")]
    pub fulfilment: Option<Ratio>,
    /// The backlog under the reading.
    pub backlog: i64,
    /// The surplus.
    pub surplus: i64,
    /// The reading of the backlog.
    pub reading: Reading,
    /// The municipalities behind the numbers.
    #[serde(deserialize_with = "crate::domain::object")]
    pub municipalities: Across,
    /// The regime on the reference date.
    #[serde(deserialize_with = "crate::domain::object")]
    pub regime: Arc<Regime>,
    /// The national number of the half-year, where a quota is known.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub national: Option<Arc<National>>,
    /// Places in small-scale care for amv.
    #[serde(deserialize_with = "crate::domain::object")]
    pub amv: PublicAmv,
    /// Whether the log holds generated entries.
    pub generated: bool,
    /// What is hidden, and why.
    pub note: String,
    /// The state of knowledge.
    #[serde(deserialize_with = "crate::domain::object")]
    pub known_at: KnownAtSize,
    /// What it was computed from.
    #[serde(deserialize_with = "crate::domain::object")]
    pub checkpoint: Checkpoint,
}

/// Places in small-scale care (kso) for amv, as everybody may see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PublicAmv {
    /// Places needed, where they were set for this area and date. A decision, which tells of nobody.
    #[serde(deserialize_with = "Option::deserialize")]
    pub places_needed: Option<i64>,
    /// Places there are, of the country only: where there are few, few live there.
    #[serde(deserialize_with = "Option::deserialize")]
    pub places_there: Option<Shown>,
    /// Persons in small-scale care; nothing where there are no numbers by kind.
    #[serde(deserialize_with = "Option::deserialize")]
    pub placed: Option<Shown>,
}

/// Whether numbers by kind are shown for a day: the first one of the fourth month of its half-year.
fn is_shown(on: Day) -> bool {
    on == on.half_year().first_day().plus_months(3)
}

const SUPPRESSED: &str =
    "Numbers by kind below 5 are not shown, and neither are those from which they could be computed.";
const NO_BREAKDOWN: &str = "Numbers by kind are shown for 1 April and 1 October, as known now; for other days and states a role is needed.";

/// The numbers by kind that everybody may see of one day, as known at one log size.
#[derive(Clone, Debug)]
pub struct PublicTable {
    as_of: AsOf,
    /// Of every area that exists then; empty where there are none to see.
    areas: HashMap<Area, OfArea>,
}

#[derive(Clone, Debug)]
struct OfArea {
    by_kind: ShownByKind,
    placed: Shown,
}

impl PublicTable {
    /// Finds what everybody may see, once for all areas and readings of a question.
    ///
    /// There are numbers by kind for one day in each half-year, in its middle, once the log has reached it, as known now. Of any
    /// two days of a half-year, or of any two states of knowledge, the difference would be what came between, down to a single
    /// placement.
    ///
    /// # Errors
    /// When the root cannot be computed.
    pub fn ask(ledger: &Ledger, as_of: AsOf) -> Result<Self, LedgerError> {
        let on = as_of.reference_date.0;
        let last_entry = ledger.known_at(as_of.known_at).time.map(|time| time.dutch_day());
        let reached = last_entry.is_some_and(|last| on <= last);
        if !is_shown(on) || !reached || as_of.known_at != ledger.size() {
            return Ok(Self { as_of, areas: HashMap::new() });
        }
        let mut provinces = Vec::new();
        for province in Province::all() {
            let area = Area::Province(province);
            let within = ledger.statements(area, By::Municipality, as_of, Reading::OldestFirst)?;
            provinces.push((province, within.into_iter().map(|it| it.statement).collect()));
        }
        Ok(Self::new(as_of, &provinces))
    }

    /// The same of the statements of all municipalities, by province.
    pub fn new(as_of: AsOf, provinces: &[(Province, Vec<Statement>)]) -> Self {
        let all = || provinces.iter().flat_map(|(_, within)| within);
        // One list for all areas: which kinds an area lists would tell that it has some of them.
        let listed = |kind: &PlacementKind| all().any(|it| it.realised_by_kind.get(*kind).is_some());
        let kinds: Vec<_> = PlacementKind::ALL.iter().copied().filter(listed).collect();
        let mut areas: HashMap<_, _> =
            all().map(|it| (it.area.code, OfArea::municipality(it, &kinds))).collect();
        let sum = |within: &mut dyn Iterator<Item = &Statement>| {
            OfArea::sum(within.map(|it| areas[&it.area.code].clone()).collect(), &kinds)
        };
        let above: Vec<_> = provinces
            .iter()
            .map(|(province, within)| (Area::Province(*province), sum(&mut within.iter())))
            .chain([(Area::Country, sum(&mut all()))])
            .collect();
        areas.extend(above);
        Self { as_of, areas }
    }

    /// The statement as everybody may see it.
    ///
    /// # Panics
    /// When the answer is as of another moment than the table.
    pub fn statement(&self, answer: &Answer) -> PublicStatement {
        let it = &answer.statement;
        let of_area = self.of(answer);
        let national = it.area.code == Area::Country;
        PublicStatement {
            area: it.area.clone(),
            reference_date: it.reference_date,
            half_year: it.half_year,
            carried_over: it.carried_over,
            quota: it.quota,
            revision: it.revision,
            exchange: it.exchange,
            boundary: it.boundary,
            due: it.due,
            realised: it.realised,
            realised_by_kind: of_area.map(|of| of.by_kind.clone()),
            remaining: it.remaining,
            on_schedule: it.on_schedule,
            pace: it.pace,
            fulfilment: it.fulfilment,
            backlog: it.backlog,
            surplus: it.surplus,
            reading: it.reading,
            municipalities: it.municipalities,
            regime: Arc::clone(&it.regime),
            national: it.national.clone(),
            amv: PublicAmv {
                places_needed: it.amv.places_needed,
                places_there: it.amv.places_there.map(|there| match national {
                    true => large(there),
                    false => WITHHELD,
                }),
                placed: of_area.map(|of| of.placed),
            },
            generated: it.generated,
            note: if of_area.is_some() { SUPPRESSED } else { NO_BREAKDOWN }.to_owned(),
            known_at: answer.known_at,
            checkpoint: answer.checkpoint,
        }
    }

    /// The statements as everybody may see them, a row each, in the columns of [`csv::statements`]. What is not shown is an empty
    /// cell, or says why.
    ///
    /// # Errors
    /// When they cannot be written.
    ///
    /// # Panics
    /// When an answer is as of another moment than the table.
    pub fn csv(&self, answers: &[Answer], to: impl Write) -> io::Result<()> {
        csv::rows(answers, to, |answer| {
            let it = self.statement(answer);
            let shown = |number: Option<Shown>| number.map_or_else(String::new, |it| it.to_string());
            let kind = |kind: &PlacementKind| match &it.realised_by_kind {
                None => String::new(),
                // What is not listed does not count, and nobody has any of it.
                Some(by_kind) => by_kind.get(kind).map_or_else(|| "0".to_owned(), Shown::to_string),
            };
            Cells {
                by_kind: PlacementKind::ALL.iter().map(kind).collect(),
                places_there: shown(it.amv.places_there),
                placed: shown(it.amv.placed),
                contested: [const { String::new() }; 3],
            }
        })
    }

    fn of(&self, answer: &Answer) -> Option<&OfArea> {
        let asked = (ReferenceDate(answer.statement.reference_date), answer.known_at.size);
        assert_eq!(
            asked,
            (self.as_of.reference_date, self.as_of.known_at.0),
            "the table of another question"
        );
        self.areas.get(&answer.statement.area.code)
    }
}

impl OfArea {
    fn municipality(it: &Statement, kinds: &[PlacementKind]) -> Self {
        let numbers: Vec<_> = kinds.iter().map(|&kind| it.realised_by_kind.get(kind).unwrap_or(0)).collect();
        let by_kind: ShownByKind = kinds.iter().copied().zip(shown(&numbers)).collect();
        // Who is in care came in this half-year or earlier, so where that number is hidden this one is as well.
        let placed = match by_kind.get(&PlacementKind::AmvSmallScaleCare) {
            Some(Shown::Number(_)) if it.amv.placed < SMALL => Shown::Not(Hidden::BelowFive),
            Some(Shown::Number(_)) => Shown::Number(it.amv.placed),
            _ => WITHHELD,
        };
        Self { by_kind, placed }
    }

    /// An area of several, each number shown where all of its parts show theirs.
    fn sum(parts: Vec<Self>, kinds: &[PlacementKind]) -> Self {
        let by_kind = kinds.iter().map(|kind| (*kind, total(parts.iter().map(|part| part.by_kind[kind]))));
        Self { by_kind: by_kind.collect(), placed: total(parts.iter().map(|part| part.placed)) }
    }
}

/// The sum of what is shown, where all of it is.
fn total(parts: impl Iterator<Item = Shown>) -> Shown {
    let number = |part| if let Shown::Number(number) = part { Some(number) } else { None };
    // Of no municipality at all there is nothing to see.
    let sum = parts.map(number).sum::<Option<i64>>().filter(|sum| *sum >= SMALL);
    sum.map_or(WITHHELD, Shown::Number)
}

fn large(number: i64) -> Shown {
    if number < SMALL { Shown::Not(Hidden::BelowFive) } else { Shown::Number(number) }
}

/// What is shown of the numbers of one municipality, whose total everybody knows.
///
/// The small ones are hidden, and the first of the smallest of the others is withheld. Whoever knows that knows of the hidden
/// numbers their sum, that each small one is at most 4, and that the one withheld is at least 5 and at most what is shown.
/// All tables that look the same so far leave the same possibilities. If those are two sums of the small numbers or
/// more, every hidden number can take two values or more, and the table is shown so.
///
/// Else all is withheld, which tells the total, and that the table is one of those. Of three kinds or more, and a total of 10 or more,
/// `0, .., 0, 5, rest` is one of them in every order of kinds, so each number can be 0, 5 or the rest; with a total of 5 the same
/// holds for `0, .., 0, 5`, and totals of 6 to 9 never come here. Totals of 1 to 4 do with two kinds only, which
/// are exchangeable. A total of 0 says itself that nobody was housed, and of one kind the total is the number.
///
/// Numbers below zero, which moves of amv can bring, only add possibilities.
fn shown(numbers: &[i64]) -> Vec<Shown> {
    let small = numbers.iter().filter(|number| **number < SMALL).count();
    if small == 0 {
        return numbers.iter().copied().map(Shown::Number).collect();
    }
    let others = || (0..numbers.len()).filter(|&kind| numbers[kind] >= SMALL);
    let withheld = others().min_by_key(|&kind| numbers[kind]);
    let visible = || others().filter(|&kind| Some(kind) != withheld);
    let hidden = numbers.iter().sum::<i64>() - visible().map(|kind| numbers[kind]).sum::<i64>();
    let most_of_small = (SMALL - 1) * small as i64;
    let several_possible = match withheld {
        None => small > 2 && 0 < hidden && hidden < most_of_small,
        Some(withheld) => {
            // Of equal numbers the first is withheld, so one before it is larger.
            let bounds = visible().map(|kind| numbers[kind] - i64::from(kind < withheld));
            let least = bounds.min().map_or(0, |most_withheld| (hidden - most_withheld).max(0));
            numbers.len() > 2 && least < most_of_small.min(hidden - SMALL)
        }
    };
    if !several_possible {
        return vec![WITHHELD; numbers.len()];
    }
    let each = numbers.iter().enumerate().map(|(kind, number)| match Some(kind) == withheld {
        true => WITHHELD,
        false => large(*number),
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn seen(numbers: &[i64]) -> String {
        shown(numbers).iter().map(Shown::to_string).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn what_is_seen_of_a_municipality() {
        for (numbers, expected) in [
            // Nothing is small.
            (&[40, 12, 7][..], "40 | 12 | 7"),
            // The other is the smallest of those that could be shown.
            (&[40, 12, 3], "40 | withheld | < 5"),
            (&[40, 12, 0], "40 | withheld | < 5"),
            (&[40, 0, 0], "withheld | < 5 | < 5"),
            (&[3, 1, 0], "< 5 | < 5 | < 5"),
            // 40 + 5 leaves nothing for the third, if it is known that the second is 5 or more.
            (&[40, 5, 0], "withheld | withheld | withheld"),
            // Three times four at most, so each would be four.
            (&[4, 4, 4], "withheld | withheld | withheld"),
            // Of two kinds the order would say too much.
            (&[40, 3], "withheld | withheld"),
            (&[40, 7], "40 | 7"),
            // An amv who counted here in an earlier half-year moved away.
            (&[40, 12, -1], "40 | withheld | < 5"),
        ] {
            assert_eq!(seen(numbers), expected, "{numbers:?}");
        }
    }

    /// Every table of so many kinds with at most this total.
    fn tables(kinds: usize, total: i64) -> Vec<Vec<i64>> {
        match kinds {
            0 => vec![Vec::new()],
            _ => (0..=total)
                .flat_map(|first| {
                    tables(kinds - 1, total - first).into_iter().map(move |mut rest| {
                        rest.push(first);
                        rest
                    })
                })
                .collect(),
        }
    }

    /// Fails where among all tables that look the same a number that is hidden has one value only.
    fn attack<T: Ord + std::fmt::Debug>(
        seen: BTreeMap<T, Vec<Vec<i64>>>,
        is_hidden: impl Fn(&T, usize) -> bool,
    ) {
        let mut hidden = 0;
        for (seen, possible) in seen {
            for cell in 0..possible[0].len() {
                if is_hidden(&seen, cell) {
                    hidden += 1;
                    let first = possible[0][cell];
                    assert!(possible.iter().any(|it| it[cell] != first), "{seen:?}: {possible:?}");
                }
            }
        }
        assert!(hidden > 20, "only {hidden} hidden numbers were attacked");
    }

    #[test]
    fn whoever_knows_the_method_and_the_total_finds_no_hidden_number() {
        for (kinds, most) in [(2, 40), (3, 40), (4, 26), (6, 14)] {
            let mut looks: BTreeMap<_, Vec<_>> = BTreeMap::new();
            for numbers in tables(kinds, most) {
                let total: i64 = numbers.iter().sum();
                // A total of nobody hides nobody.
                if total > 0 {
                    looks.entry((total, seen(&numbers))).or_default().push(numbers);
                }
            }
            attack(looks, |(_, seen), cell| seen.split(" | ").nth(cell).unwrap().parse::<i64>().is_err());
        }
    }

    #[test]
    fn a_province_adds_nothing_to_what_its_municipalities_tell() {
        let each = tables(3, 12);
        let mut looks: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for first in &each {
            for second in &each {
                let totals: [i64; 2] = [first.iter().sum(), second.iter().sum()];
                if totals.contains(&0) {
                    continue;
                }
                let (one, other) = (shown(first), shown(second));
                let province = one.iter().zip(&other).map(|(one, other)| total([*one, *other].into_iter()));
                let all = one.iter().chain(&other).copied().chain(province);
                let looks_like: Vec<String> = all.map(|it| it.to_string()).collect();
                looks.entry((totals, looks_like)).or_default().push([&first[..], second].concat());
            }
        }
        attack(looks, |(_, seen), cell| seen[cell].parse::<i64>().is_err());
    }
}
