//! Objections (bezwaren): that a municipality contests an entry or a figure, and how that ended.
//!
//! An objection changes no figure. What it contests counts until it is corrected, and every statement over it says how
//! much is contested. Where an objection is upheld, the correction is a delivery of its own.

use serde::{Deserialize, Serialize};

use super::area::MunicipalityCode;
use super::half_year::HalfYear;
use super::persons::Balance;
use super::placement::PlacementKind;
use super::reference::Reference;
use super::source::{ObjectionId, PlacementId};
use super::time::{Day, Position};
use super::{Fault, named};

named! {
    /// Why a municipality contests something.
    pub enum Ground {
        /// The persons were not housed here, or do not count for this municipality.
        NotHousedHere = "not_housed_here",
        /// It counts from another day.
        OtherDate = "other_date",
        /// It belongs to another half-year.
        OtherHalfYear = "other_half_year",
        /// The persons were housed in another way.
        OtherKind = "other_kind",
        /// It is another number of persons.
        OtherPersons = "other_persons",
        /// The same persons were counted before.
        CountedTwice = "counted_twice",
        /// Persons were not counted, or were taken off and should not have been.
        Missing = "missing",
    } else "is not a ground for an objection"
}

named! {
    /// The figures of a half-year that can be contested as published. They do not rest on one another, so that a
    /// difference is claimed once.
    pub enum FigureName {
        /// The standing at the start of the half-year: above zero a backlog, below zero a surplus.
        CarriedOver = "carried_over",
        /// What was realised in the half-year.
        Realised = "realised",
    } else "is not a figure that can be contested"
}

named! {
    /// How an objection ended.
    pub enum Settlement {
        /// The municipality was right. The correction is a delivery of its own.
        Upheld = "upheld",
        /// What was contested stands.
        Dismissed = "dismissed",
        /// The municipality took the objection back.
        Withdrawn = "withdrawn",
    } else "is not how an objection ends"
}

/// A figure of a half-year as published, and what the municipality holds to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "FigureReport", into = "FigureReport")]
pub struct Figure {
    report: FigureReport,
}

/// A [`Figure`] as it is delivered and stored, before it is known to make sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FigureReport {
    /// The half-year.
    pub half_year: HalfYear,
    /// Which figure of it.
    pub name: FigureName,
    /// The number that is contested.
    pub published: Balance,
    /// The number that the municipality holds to be right.
    pub claimed: Balance,
}

impl Figure {
    /// The half-year.
    pub fn half_year(&self) -> HalfYear {
        self.report.half_year
    }

    /// Which figure of it.
    pub fn name(&self) -> FigureName {
        self.report.name
    }

    /// How far the two numbers lie apart: never zero.
    pub fn difference(&self) -> i64 {
        (self.report.claimed.count() - self.report.published.count()).abs()
    }
}

impl TryFrom<FigureReport> for Figure {
    type Error = Fault;

    fn try_from(report: FigureReport) -> Result<Self, Fault> {
        match report.published == report.claimed {
            true => Err(Fault("contests nothing: the number claimed is the number published")),
            false => Ok(Self { report }),
        }
    }
}

impl From<Figure> for FigureReport {
    fn from(it: Figure) -> Self {
        it.report
    }
}

/// What a municipality says that it contests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Contests {
    /// An entry, by its position in the log.
    Entry {
        /// Where it stands.
        entry: Position,
    },
    /// A placement, by its id: the last entry about it that moved persons for the municipality.
    Placement {
        /// The placement.
        placement: PlacementId,
    },
    /// A figure as published.
    Figure {
        /// The figure.
        #[serde(deserialize_with = "super::object")]
        figure: Figure,
    },
}

/// What is contested, with what it moves, so that the event is complete on its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Contested {
    /// An entry that was named by its position.
    Entry {
        /// Where it stands.
        entry: Position,
        /// For whom it moves persons: the municipality that objects, or one that it took over.
        municipality: MunicipalityCode,
        /// What it moves for that municipality.
        #[serde(deserialize_with = "super::object")]
        moved: Moved,
    },
    /// An entry that was named by its placement.
    Placement {
        /// The placement.
        placement: PlacementId,
        /// The entry.
        entry: Position,
        /// For whom it moves persons.
        municipality: MunicipalityCode,
        /// How the persons were housed.
        kind: PlacementKind,
        /// The day from which the placement counts; the counting rule of that day holds for it.
        counts_from: Day,
        /// Onto the municipality and off it, by the entry and by later ones about the placement.
        #[serde(deserialize_with = "super::objects")]
        steps: Vec<Step>,
    },
    /// A figure as published.
    Figure {
        /// The figure.
        #[serde(deserialize_with = "super::object")]
        figure: Figure,
    },
}

/// What a contested entry moves for a municipality.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Moved {
    /// Persons of a placement.
    Housed {
        /// The placement.
        placement: PlacementId,
        /// How they were housed.
        kind: PlacementKind,
        /// The day from which the placement counts; the counting rule of that day holds for it.
        counts_from: Day,
        /// Onto the municipality and off it, by the entry and by later ones about the placement.
        #[serde(deserialize_with = "super::objects")]
        steps: Vec<Step>,
    },
    /// The number of a half-year.
    Quota {
        /// The half-year.
        half_year: HalfYear,
        /// The day from which it is due.
        on: Day,
        /// The number.
        persons: Balance,
    },
    /// The number that an evaluation set.
    Revision {
        /// The half-year.
        half_year: HalfYear,
        /// The day from which it holds.
        on: Day,
        /// The number.
        persons: Balance,
    },
    /// What an exchange shifted: below zero, off the municipality.
    Exchange {
        /// The half-year.
        half_year: HalfYear,
        /// The day from which it holds.
        on: Day,
        /// The number.
        persons: Balance,
    },
    /// The standing that the authority fixed.
    CarryOver {
        /// The half-year into which it is carried.
        half_year: HalfYear,
        /// The day from which it holds.
        on: Day,
        /// The standing: above zero a backlog, below zero a surplus.
        persons: Balance,
    },
}

/// Persons onto a municipality, or below zero off it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The day.
    pub on: Day,
    /// How many.
    pub persons: Balance,
}

impl Contested {
    /// What the municipality said.
    pub fn contests(&self) -> Contests {
        match self {
            Self::Entry { entry, .. } => Contests::Entry { entry: *entry },
            Self::Placement { placement, .. } => Contests::Placement { placement: *placement },
            Self::Figure { figure } => Contests::Figure { figure: *figure },
        }
    }

    /// The entry, where it is not a figure.
    pub fn entry(&self) -> Option<Position> {
        match self {
            Self::Entry { entry, .. } | Self::Placement { entry, .. } => Some(*entry),
            Self::Figure { .. } => None,
        }
    }

    /// The placement that the entry is about, if it is about one.
    pub fn placement(&self) -> Option<PlacementId> {
        match self {
            Self::Placement { placement, .. }
            | Self::Entry { moved: Moved::Housed { placement, .. }, .. } => Some(*placement),
            Self::Entry { .. } | Self::Figure { .. } => None,
        }
    }
}

/// What a municipality says to object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectionReport {
    /// The identity that the sender gives to the objection.
    pub objection: ObjectionId,
    /// The municipality that objects.
    pub municipality: MunicipalityCode,
    /// What it contests.
    #[serde(deserialize_with = "super::object")]
    pub contests: Contests,
    /// Why.
    pub ground: Ground,
    /// The day on which it objected.
    pub raised_on: Day,
    /// Where the objection stands.
    pub reference: Reference,
}

/// That a municipality contests an entry or a figure (bezwaar).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Objection {
    /// The identity that the sender gives to the objection.
    pub objection: ObjectionId,
    /// The municipality that objects.
    pub municipality: MunicipalityCode,
    /// What it contests, and what that moves.
    #[serde(deserialize_with = "super::object")]
    pub contests: Contested,
    /// Why.
    pub ground: Ground,
    /// The day on which it objected.
    pub raised_on: Day,
    /// Where the objection stands.
    pub reference: Reference,
}

impl From<Objection> for ObjectionReport {
    fn from(it: Objection) -> Self {
        Self {
            objection: it.objection,
            municipality: it.municipality,
            contests: it.contests.contests(),
            ground: it.ground,
            raised_on: it.raised_on,
            reference: it.reference,
        }
    }
}

/// How an objection ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectionSettled {
    /// The objection.
    pub objection: ObjectionId,
    /// How it ended.
    pub outcome: Settlement,
    /// The day of the decision.
    pub settled_on: Day,
    /// Where the decision stands.
    pub reference: Reference,
}
