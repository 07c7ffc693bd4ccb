//! Statements: the standing of an area on a reference date, as known at a log size.

mod by_kind;

pub use by_kind::ByKind;

use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::account::{Account, Accounts};
use super::objection::ContestedSum;
use super::regime::Regime;
use super::{Book, Unanswerable, known};
use crate::domain::amv::{AmvCapacity, AmvPlaces};
use crate::domain::area::{Area, Municipality, MunicipalityCode, PerMunicipality, Province};
use crate::domain::evaluation::Outcome;
use crate::domain::half_year::{Elapsed, HalfYear};
use crate::domain::named;
use crate::domain::persons::{Persons, Standing};
use crate::domain::placement::PlacementKind;
use crate::domain::quota::Included;
use crate::domain::reference::Reference;
use crate::domain::time::{AsOf, Day};

named! {
    /// How a placement in a new half-year relates to the backlog of the one before. The law leaves
    /// it open (Raad van State 8 August 2018, ECLI:NL:RVS:2018:2647), so every answer names its reading.
    pub enum Reading {
        /// What is realised goes to the backlog first.
        OldestFirst = "oldest_first",
        /// What is realised goes to the quota of the half-year first.
        CurrentFirst = "current_first",
        /// All that remains of what is due is backlog.
        Total = "total",
    } else "is not a reading of the backlog"
}

/// The standing of an area on a reference date, as known at a log size: what `docs/GLOSSARY.md` and
/// `schemas/statement.schema.json` describe, but for the clock time and the root, which the ledger adds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Statement {
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
    /// What was realised, by kind: every kind that counts, and every kind with a number.
    pub realised_by_kind: ByKind,
    /// What remains; below zero it is a surplus.
    pub remaining: i64,
    /// What would have been realised by now, one sixth a month; nothing where no quota is in force, as what is in arrears
    /// since before is spread over nothing.
    #[serde(deserialize_with = "Option::deserialize")]
    pub on_schedule: Option<i64>,
    /// Realised minus on schedule: above zero is ahead.
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
    /// The regime on the reference date: its phase, and whether a quota is in force.
    #[serde(deserialize_with = "crate::domain::object")]
    pub regime: Arc<Regime>,
    /// The national number of the half-year, where a quota is known.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub national: Option<Arc<National>>,
    /// Places in small-scale care for amv.
    #[serde(deserialize_with = "crate::domain::object")]
    pub amv: AmvStanding,
    /// How much of it is contested.
    #[serde(deserialize_with = "crate::domain::object")]
    pub contested: ContestedSum,
    /// Whether the log holds generated entries, so that figures may rest on them.
    pub generated: bool,
}

/// An area with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedArea {
    /// The code.
    pub code: Area,
    /// The name.
    pub name: Arc<str>,
}

/// The standing carried into the half-year: above zero a backlog, below zero a surplus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CarriedOver {
    /// What the statement uses: recorded where the authority fixed it, else derived.
    pub used: i64,
    /// What the authority fixed, of the municipalities where it did; `null` where it fixed nothing.
    #[serde(deserialize_with = "Option::deserialize")]
    pub recorded: Option<i64>,
    /// What follows from the entries.
    pub derived: i64,
    /// Derived minus used.
    pub difference: i64,
    /// For how many municipalities the authority fixed it.
    pub recorded_for: u32,
}

/// How the municipalities of the area stand, each for itself.
///
/// A province or the country is the sum of its municipalities, in which a surplus of one makes up for a backlog of
/// another. These are the sums without that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Across {
    /// How many municipalities there are.
    pub count: u32,
    /// The backlogs of those that have one, under the reading.
    pub backlog: i64,
    /// The surpluses of those that have one.
    pub surplus: i64,
}

/// The national number of a half-year, as published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct National {
    /// The number as published.
    pub quota: Persons,
    /// The number in force on the reference date, after an evaluation.
    pub in_force: Persons,
    /// What the number includes from earlier half-years.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub includes: Vec<Included>,
    /// What an interim evaluation decided, as far as it was decided by the reference date.
    #[serde(deserialize_with = "decision")]
    pub evaluation: Option<Decision>,
    /// Where the number stands.
    pub reference: Reference,
}

/// Places in small-scale care (kso) for unaccompanied minors (amv).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AmvStanding {
    /// Places needed, where they were set for this area and date.
    #[serde(deserialize_with = "Option::deserialize")]
    pub places_needed: Option<i64>,
    /// Places there are, where they were counted for this area.
    #[serde(deserialize_with = "Option::deserialize")]
    pub places_there: Option<i64>,
    /// Persons in small-scale care.
    pub placed: i64,
}

/// A ratio in ten-thousandths, rounded half away from zero: 0.8349 is 83.49 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ratio(i64);

impl Ratio {
    /// `part / whole`, where the whole is above zero.
    pub fn of(part: i64, whole: i64) -> Option<Self> {
        let twice = 2 * 10_000 * part;
        (whole > 0).then(|| Self((twice + whole * twice.signum()) / (2 * whole)))
    }

    /// The ratio in ten-thousandths.
    pub fn ten_thousandths(self) -> i64 {
        self.0
    }
}

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(self.0 as f64 / 10_000.0)
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(from)?;
        let ratio = Self((number * 10_000.0).round() as i64);
        match ratio.0 as f64 / 10_000.0 == number {
            true => Ok(ratio),
            false => Err(D::Error::custom("is not a ratio in ten-thousandths")),
        }
    }
}

/// One of [`DECISIONS`].
pub type Decision = &'static str;

/// What an interim evaluation can decide, as statements name it.
pub const DECISIONS: [&str; 3] = ["kept", "revised", "carried_forward"];

pub(super) fn decision<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Decision>, D::Error> {
    Option::<String>::deserialize(from)?.map(known_decision).transpose()
}

/// Reads one of [`DECISIONS`].
pub(super) fn decided<'de, D: Deserializer<'de>>(from: D) -> Result<Decision, D::Error> {
    known_decision(String::deserialize(from)?)
}

fn known_decision<E: serde::de::Error>(text: String) -> Result<Decision, E> {
    let known = DECISIONS.into_iter().find(|it| *it == text);
    known.ok_or_else(|| E::custom("is not what an evaluation decides"))
}

/// What was decided, as statements name it.
pub(super) fn named_decision(outcome: &Outcome) -> Decision {
    match outcome {
        Outcome::Kept {} => DECISIONS[0],
        Outcome::Revised { .. } => DECISIONS[1],
        Outcome::CarriedForward { .. } => DECISIONS[2],
    }
}

impl Reading {
    /// The backlog of an account under this reading.
    fn backlog(self, account: &Account) -> i64 {
        // A backlog that came over with a boundary change is a backlog still.
        let (carried, realised) = (account.carried(), account.realised());
        let current = account.due() - carried;
        let backlog = match self {
            Self::OldestFirst => carried - realised,
            Self::CurrentFirst => carried - (realised - current).max(0),
            Self::Total => account.remaining(),
        };
        backlog.max(0)
    }
}

impl Book<'_> {
    /// The statement of an area.
    ///
    /// # Errors
    /// When the area is a municipality that does not exist on the reference date, as known then.
    pub fn statement(&self, area: Area, as_of: AsOf, reading: Reading) -> Result<Statement, Unanswerable> {
        let one;
        let several;
        let municipalities = match area {
            Area::Municipality(code) => {
                one = [self.municipality(code, as_of)?];
                &one[..]
            }
            Area::Province(_) | Area::Country => {
                several = self.members(area, as_of)?;
                &several[..]
            }
        };
        Ok(Question::new(self, as_of, reading).sum_up(self.named(area, as_of)?, municipalities))
    }

    /// An area with its name on the reference date, as known then.
    pub(super) fn named(&self, area: Area, as_of: AsOf) -> Result<NamedArea, Unanswerable> {
        let name = match area {
            Area::Municipality(code) => self.municipality(code, as_of)?.name.shared(),
            Area::Province(province) => province.name().into(),
            Area::Country => "Nederland".into(),
        };
        Ok(NamedArea { code: area, name })
    }

    /// The statements of the municipalities of an area, by code.
    ///
    /// # Errors
    /// As for [`Book::statement`].
    pub fn by_municipality(
        &self,
        area: Area,
        as_of: AsOf,
        reading: Reading,
    ) -> Result<Vec<Statement>, Unanswerable> {
        let municipalities = self.members(area, as_of)?;
        let mut question = Question::new(self, as_of, reading);
        let each = municipalities.into_iter().map(|it| {
            let area = NamedArea { code: Area::Municipality(it.code), name: it.name.shared() };
            question.sum_up(area, &[it])
        });
        Ok(each.collect())
    }

    /// The statements of all provinces, by code.
    pub fn by_province(&self, as_of: AsOf, reading: Reading) -> Vec<Statement> {
        let all = self.municipalities(as_of);
        let mut question = Question::new(self, as_of, reading);
        let each = Province::all().map(|province| {
            let within: Vec<_> = all.iter().copied().filter(|it| it.province == province).collect();
            let area = NamedArea { code: Area::Province(province), name: province.name().into() };
            question.sum_up(area, &within)
        });
        each.collect()
    }

    /// The municipalities of an area on the reference date, as known then.
    pub(super) fn members(&self, area: Area, as_of: AsOf) -> Result<Vec<&Municipality>, Unanswerable> {
        let all = self.register.municipalities(as_of);
        Ok(match area {
            Area::Municipality(code) => vec![self.municipality(code, as_of)?],
            Area::Province(province) => all.filter(|it| it.province == province).collect(),
            Area::Country => all.collect(),
        })
    }

    /// The codes of the municipalities of an area on the reference date, as known then.
    ///
    /// # Errors
    /// As for [`Book::statement`].
    pub fn codes_within(&self, area: Area, as_of: AsOf) -> Result<Vec<MunicipalityCode>, Unanswerable> {
        Ok(self.members(area, as_of)?.into_iter().map(|it| it.code).collect())
    }

    /// Areas with their names, and the codes of their municipalities, on the reference date as known then.
    pub(super) fn named_with_codes(
        &self,
        areas: &[Area],
        as_of: AsOf,
    ) -> Result<Vec<(NamedArea, Vec<MunicipalityCode>)>, Unanswerable> {
        let each = areas.iter().map(|&area| {
            let (named, codes) = (self.named(area, as_of)?, self.codes_within(area, as_of)?);
            Ok((named, codes))
        });
        each.collect()
    }

    /// The places that are needed in small-scale care on the reference date, as known then.
    pub(super) fn amv_needed(&self, as_of: AsOf) -> Option<&AmvCapacity> {
        let on = as_of.reference_date.0;
        known(&self.amv_capacities, as_of.known_at).find(|it| it.from <= on && on <= it.until)
    }

    /// The latest count of places in small-scale care up to the reference date, as known then.
    pub(super) fn amv_counted(&self, as_of: AsOf) -> Option<&AmvPlaces> {
        let on = as_of.reference_date.0;
        // Of one day the one recorded last, which `known` gives first.
        let counted = known(&self.amv_places, as_of.known_at).filter(|it| it.counted_on <= on);
        counted.fold(None, |latest: Option<&AmvPlaces>, it| match latest {
            Some(latest) if latest.counted_on >= it.counted_on => Some(latest),
            _ => Some(it),
        })
    }

    /// The national number of a half-year, as known then.
    pub fn national(&self, half_year: HalfYear, as_of: AsOf) -> Option<National> {
        let quota = known(&self.quotas, as_of.known_at).find(|it| it.half_year == half_year)?;
        let mut evaluations = known(&self.evaluations, as_of.known_at)
            .filter(|it| it.half_year == half_year && as_of.reference_date.has_obligation_of(it.decided_on))
            .peekable();
        let evaluation = evaluations.peek().copied();
        // An evaluation that keeps the quota keeps it as an earlier one revised it.
        let revised = evaluations.find_map(|it| match it.outcome {
            Outcome::Revised { national, .. } => Some(national),
            Outcome::Kept {} | Outcome::CarriedForward { .. } => None,
        });
        Some(National {
            quota: quota.persons,
            in_force: revised.unwrap_or(quota.persons),
            includes: quota.includes.clone(),
            evaluation: evaluation.map(|it| named_decision(&it.outcome)),
            reference: quota.reference.clone(),
        })
    }
}

/// What all statements of one question have in common, found once.
struct Question<'a> {
    as_of: AsOf,
    half_year: HalfYear,
    reading: Reading,
    elapsed: Elapsed,
    accounts: Accounts<'a>,
    /// The kinds of placement that count on the reference date.
    counting: [bool; PlacementKind::ALL.len()],
    regime: Arc<Regime>,
    national: Option<Arc<National>>,
    needed: Option<&'a AmvCapacity>,
    there: Option<&'a AmvPlaces>,
    generated: bool,
}

impl<'a> Question<'a> {
    fn new(book: &'a Book<'a>, as_of: AsOf, reading: Reading) -> Self {
        let half_year = as_of.reference_date.0.half_year();
        Self {
            as_of,
            half_year,
            reading,
            elapsed: half_year.elapsed(as_of.reference_date),
            accounts: Accounts::new(book, as_of),
            counting: book.counting(as_of),
            regime: Arc::new(book.regime(as_of)),
            national: book.national(half_year, as_of).map(Arc::new),
            needed: book.amv_needed(as_of),
            there: book.amv_counted(as_of),
            generated: book.is_generated(as_of.known_at),
        }
    }

    fn sum_up(&mut self, area: NamedArea, municipalities: &[&Municipality]) -> Statement {
        let reading = self.reading;
        let mut account = Account::default();
        let mut across = Across::default();
        let mut contested = ContestedSum::default();
        for municipality in municipalities {
            let one = self.accounts.account(municipality.code, self.half_year);
            across.count += 1;
            across.backlog += reading.backlog(&one);
            across.surplus += (-one.remaining()).max(0);
            account += one;
            contested += self.accounts.contested(municipality.code);
        }
        let due = account.due();
        let realised = account.realised();
        let on_schedule = self.regime.quota_in_force.then(|| self.elapsed.of(due));
        Statement {
            reference_date: self.as_of.reference_date.0,
            half_year: self.half_year,
            carried_over: CarriedOver {
                used: account.carried_used,
                recorded: (account.carried_recorded_for > 0).then_some(account.carried_recorded),
                derived: account.carried_derived,
                difference: account.carried_derived - account.carried_used,
                recorded_for: account.carried_recorded_for,
            },
            quota: account.quota,
            revision: account.revision,
            exchange: account.exchange,
            boundary: account.boundary,
            due,
            realised,
            realised_by_kind: self.realised_by_kind(&account),
            remaining: account.remaining(),
            on_schedule,
            pace: on_schedule.map(|number| realised - number),
            fulfilment: Ratio::of(realised, due),
            backlog: reading.backlog(&account),
            surplus: (-account.remaining()).max(0),
            reading,
            municipalities: across,
            regime: Arc::clone(&self.regime),
            national: self.national.clone(),
            amv: self.amv(area.code, municipalities),
            contested,
            generated: self.generated,
            area,
        }
    }

    fn realised_by_kind(&self, account: &Account) -> ByKind {
        let kinds = PlacementKind::ALL.iter().map(|&kind| (kind, account.housed[kind.index()]));
        kinds.filter(|&(kind, persons)| persons != 0 || self.counting[kind.index()]).collect()
    }

    fn amv(&mut self, area: Area, municipalities: &[&Municipality]) -> AmvStanding {
        let codes = || municipalities.iter().map(|it| it.code);
        let places = |national: Persons, given: Option<&_>| places(area, national, given, codes());
        AmvStanding {
            places_needed: self.needed.and_then(|it| places(it.places, it.per_municipality.as_ref())),
            places_there: self.there.and_then(|it| places(it.places, it.per_municipality.as_ref())),
            placed: municipalities.iter().map(|it| self.accounts.in_care(it.code)).sum(),
        }
    }
}

/// The places of an area: of the country as given, of another area only where each of its
/// municipalities was given a number, so that no sum is short without a word.
pub(super) fn places(
    area: Area,
    national: Persons,
    given: Option<&PerMunicipality<Persons>>,
    municipalities: impl Iterator<Item = MunicipalityCode>,
) -> Option<i64> {
    if area == Area::Country {
        return Some(national.count());
    }
    municipalities.map(|code| given?.of(code).map(|it| it.count())).sum()
}

impl Statement {
    /// The standing that all lines together give.
    pub fn standing(&self) -> Standing {
        Standing::of_remaining(self.remaining)
    }
}
