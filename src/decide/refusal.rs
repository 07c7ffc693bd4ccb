//! Refusals: every reason for which something is not recorded.

use std::fmt;

use crate::domain::area::MunicipalityCode;
use crate::domain::half_year::HalfYear;
use crate::domain::placement::{PlacementFault, PlacementKind};
use crate::domain::quota::ExchangeFault;
use crate::domain::time::{Day, Position};

/// Why something is not recorded. The variants stand in their order of precedence: where several
/// apply, the first is given.
///
/// The sentence says what is wrong and [`Refusal::remedy`] what to do. Neither ever repeats a text that
/// was delivered: only codes, dates and positions that the ledger itself has understood. A field that the event does not
/// have is named as the sender named it, after it was looked through for a person's number like everything else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A text looks like a BSN or a V-number.
    #[error("there is something here that looks like a BSN or a V-number")]
    PersonNumber {
        /// The field or column.
        field: String,
    },
    /// The row or line as a whole cannot be read.
    #[error("this cannot be read: it {problem}")]
    Unreadable {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A field that the event does not have.
    #[error("there is a field here that this event does not have")]
    UnknownField {
        /// The field, by the sender's own name for it.
        field: String,
    },
    /// A field that is needed is not there.
    #[error("this field is missing")]
    MissingField {
        /// The field.
        field: String,
    },
    /// A half-year that does not exist.
    #[error("this {problem}")]
    UnknownHalfYear {
        /// The field.
        field: String,
        /// What was expected.
        problem: &'static str,
    },
    /// A value that is not of the form that was expected.
    #[error("this {problem}")]
    Malformed {
        /// The field.
        field: String,
        /// What was expected.
        problem: String,
    },
    /// A municipality that stands twice in what becomes one event.
    #[error("{code} was named before in the same list")]
    NamedTwice {
        /// The municipality.
        code: MunicipalityCode,
    },
    /// The event id was delivered before with other content.
    #[error("an event with this id and source was recorded at position {0} with other content")]
    EventIdInUse(Position),
    /// The placement id was recorded before with other details.
    #[error("this placement was recorded at position {0} with other details")]
    PlacementIdInUse(Position),
    /// The id of the objection was recorded before with other details.
    #[error("this objection was recorded at position {0} with other details")]
    ObjectionIdInUse(Position),
    /// The placement cannot be so.
    #[error(transparent)]
    NoPlacement(#[from] PlacementFault),
    /// The exchange cannot be so.
    #[error(transparent)]
    NoExchange(#[from] ExchangeFault),
    /// A day that has not come yet.
    #[error("{day} has not come yet: today is {today}")]
    DateInFuture {
        /// The field.
        field: &'static str,
        /// The day.
        day: Day,
        /// The day on which it was delivered.
        today: Day,
    },
    /// A period or order of days that cannot be.
    #[error("this {problem}")]
    DatesOutOfOrder {
        /// The field.
        field: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
    /// A municipality that is in no register.
    #[error("{code} is not a municipality in the register")]
    UnknownMunicipality {
        /// The field.
        field: &'static str,
        /// The municipality.
        code: MunicipalityCode,
    },
    /// A day before the municipality existed.
    #[error("{code} exists from {from}, so not on {on}")]
    MunicipalityNotYet {
        /// The field.
        field: &'static str,
        /// The municipality.
        code: MunicipalityCode,
        /// The first day on which it exists.
        from: Day,
        /// The day that was asked for.
        on: Day,
    },
    /// A day on which the municipality no longer existed.
    #[error("{code} no longer exists on {on}: on {ceased} it went into {}", Codes(successors))]
    MunicipalityCeased {
        /// The field.
        field: &'static str,
        /// The municipality.
        code: MunicipalityCode,
        /// The day that was asked for.
        on: Day,
        /// The first day on which it no longer existed.
        ceased: Day,
        /// Who took over.
        successors: Vec<MunicipalityCode>,
    },
    /// The municipality is in the register with other details.
    #[error("{code} was registered at position {position} with other details")]
    RegisteredAlready {
        /// The municipality.
        code: MunicipalityCode,
        /// Where.
        position: Position,
    },
    /// No quota is published for the half-year.
    #[error("no quota is published for {0}")]
    NoQuotaPublished(HalfYear),
    /// The municipality has no number for the half-year.
    #[error("{code} has no quota for {half_year}")]
    NoQuotaAllocated {
        /// The field.
        field: &'static str,
        /// The municipality.
        code: MunicipalityCode,
        /// The half-year.
        half_year: HalfYear,
    },
    /// The number of the municipality was revised by an evaluation.
    #[error("the quota of {code} for {half_year} was revised by an evaluation")]
    RevisedAlready {
        /// The municipality.
        code: MunicipalityCode,
        /// The half-year.
        half_year: HalfYear,
    },
    /// The standing is carried into a half-year that is not the next.
    #[error("{to} does not follow on {from}")]
    DoesNotFollow {
        /// The half-year that closes.
        from: HalfYear,
        /// The half-year that was named.
        to: HalfYear,
    },
    /// A placement that was never recorded.
    #[error("no such placement was recorded")]
    UnknownPlacement,
    /// A placement that was taken back.
    #[error("this placement was withdrawn at position {0}")]
    WithdrawnAlready(Position),
    /// A transfer of somebody who is not in small-scale care.
    #[error("only an amv in small-scale care is transferred; this placement is of kind {0}")]
    NotAnAmv(PlacementKind),
    /// A transfer to where the amv is.
    #[error("the amv counts for {0} already")]
    MovesNowhere(MunicipalityCode),
    /// Final housing recorded before with another date.
    #[error("follow-on housing was recorded at position {0} with another date")]
    FollowedOnAlready(Position),
    /// Final housing after something that did not count.
    #[error("a placement of kind {0} did not count, so its final housing is a placement of its own")]
    DidNotCount(PlacementKind),
    /// The person is counted elsewhere.
    #[error("this person is counted already by the entry at position {0}")]
    PersonCountedAlready(Position),
    /// A rule under which somebody would count twice.
    #[error(
        "under this rule somebody would count twice ({persons} in all), the first by the entries at positions {first} and {second}"
    )]
    WouldCountTwice {
        /// How many.
        persons: usize,
        /// The one entry of the first of them.
        first: Position,
        /// The other entry.
        second: Position,
    },
    /// A position that the log does not reach.
    #[error("the log has no entry at position {0} yet")]
    UnknownEntry(Position),
    /// An entry that has nothing to do with the municipality that contests it.
    #[error("the entry at position {position} moves no persons for {code}")]
    EntryMovesNothing {
        /// The field.
        field: &'static str,
        /// The entry.
        position: Position,
        /// The municipality.
        code: MunicipalityCode,
    },
    /// A number that another entry took the place of.
    #[error("this number was restated at position {0}")]
    NumberRestated(Position),
    /// The municipality contests the same already.
    #[error("the municipality contests this already, by an objection recorded at position {0}")]
    ObjectedAlready(Position),
    /// An objection that was never recorded.
    #[error("no such objection was recorded")]
    UnknownObjection,
    /// An objection that has ended, in another way or on another day.
    #[error("this objection was settled at position {0} with other details")]
    SettledAlready(Position),
}

impl Refusal {
    /// Every code, in the order of precedence.
    pub const CODES: &[&str] = &[
        "person-number",
        "unreadable",
        "unknown-field",
        "missing-field",
        "unknown-half-year",
        "malformed",
        "municipality-named-twice",
        "event-id-in-use",
        "placement-id-in-use",
        "objection-id-in-use",
        "persons-at-least-one",
        "one-person-each",
        "no-care-to-end",
        "care-ends-before-it-begins",
        "no-coming-of-age",
        "care-ends-at-another-age",
        "permit-after-placement",
        "exchange-sides-differ",
        "exchange-with-itself",
        "date-in-future",
        "dates-out-of-order",
        "unknown-municipality",
        "municipality-not-yet",
        "municipality-ceased",
        "municipality-registered-already",
        "no-quota-published",
        "no-quota-allocated",
        "quota-revised-already",
        "half-year-does-not-follow",
        "unknown-placement",
        "placement-withdrawn-already",
        "not-an-amv",
        "moves-nowhere",
        "followed-on-already",
        "did-not-count",
        "person-counted-already",
        "would-count-twice",
        "unknown-entry",
        "entry-moves-nothing",
        "number-restated",
        "objected-already",
        "unknown-objection",
        "objection-settled-already",
    ];

    /// The code of the reason. Codes are never renamed and never used for another reason.
    pub fn code(&self) -> &'static str {
        match self {
            Self::PersonNumber { .. } => "person-number",
            Self::Unreadable { .. } => "unreadable",
            Self::UnknownField { .. } => "unknown-field",
            Self::MissingField { .. } => "missing-field",
            Self::UnknownHalfYear { .. } => "unknown-half-year",
            Self::Malformed { .. } => "malformed",
            Self::NamedTwice { .. } => "municipality-named-twice",
            Self::EventIdInUse(_) => "event-id-in-use",
            Self::PlacementIdInUse(_) => "placement-id-in-use",
            Self::ObjectionIdInUse(_) => "objection-id-in-use",
            Self::NoPlacement(PlacementFault::NoPersons) => "persons-at-least-one",
            Self::NoPlacement(PlacementFault::OnePersonEach) => "one-person-each",
            Self::NoPlacement(PlacementFault::NoCareToEnd) => "no-care-to-end",
            Self::NoPlacement(PlacementFault::CareEndsBefore) => "care-ends-before-it-begins",
            Self::NoPlacement(PlacementFault::NoTurning18) => "no-coming-of-age",
            Self::NoPlacement(PlacementFault::CareEndsAtAnotherAge) => "care-ends-at-another-age",
            Self::NoPlacement(PlacementFault::PermitAfter) => "permit-after-placement",
            Self::NoExchange(ExchangeFault::SidesDiffer) => "exchange-sides-differ",
            Self::NoExchange(ExchangeFault::NoPersons) => "persons-at-least-one",
            Self::NoExchange(ExchangeFault::OneMunicipality) => "exchange-with-itself",
            Self::DateInFuture { .. } => "date-in-future",
            Self::DatesOutOfOrder { .. } => "dates-out-of-order",
            Self::UnknownMunicipality { .. } => "unknown-municipality",
            Self::MunicipalityNotYet { .. } => "municipality-not-yet",
            Self::MunicipalityCeased { .. } => "municipality-ceased",
            Self::RegisteredAlready { .. } => "municipality-registered-already",
            Self::NoQuotaPublished(_) => "no-quota-published",
            Self::NoQuotaAllocated { .. } => "no-quota-allocated",
            Self::RevisedAlready { .. } => "quota-revised-already",
            Self::DoesNotFollow { .. } => "half-year-does-not-follow",
            Self::UnknownPlacement => "unknown-placement",
            Self::WithdrawnAlready(_) => "placement-withdrawn-already",
            Self::NotAnAmv(_) => "not-an-amv",
            Self::MovesNowhere(_) => "moves-nowhere",
            Self::FollowedOnAlready(_) => "followed-on-already",
            Self::DidNotCount(_) => "did-not-count",
            Self::PersonCountedAlready(_) => "person-counted-already",
            Self::WouldCountTwice { .. } => "would-count-twice",
            Self::UnknownEntry(_) => "unknown-entry",
            Self::EntryMovesNothing { .. } => "entry-moves-nothing",
            Self::NumberRestated(_) => "number-restated",
            Self::ObjectedAlready(_) => "objected-already",
            Self::UnknownObjection => "unknown-objection",
            Self::SettledAlready(_) => "objection-settled-already",
        }
    }

    /// The field of the event's JSON, or the column of the file, that is at fault; empty where it
    /// is the whole.
    pub fn field(&self) -> &str {
        match self {
            Self::PersonNumber { field }
            | Self::UnknownField { field }
            | Self::MissingField { field }
            | Self::UnknownHalfYear { field, .. }
            | Self::Malformed { field, .. } => field,
            Self::DateInFuture { field, .. }
            | Self::DatesOutOfOrder { field, .. }
            | Self::UnknownMunicipality { field, .. }
            | Self::MunicipalityNotYet { field, .. }
            | Self::MunicipalityCeased { field, .. }
            | Self::NoQuotaAllocated { field, .. }
            | Self::EntryMovesNothing { field, .. } => field,
            Self::Unreadable { .. } => "",
            Self::EventIdInUse(_) => "id",
            Self::NamedTwice { .. } | Self::RevisedAlready { .. } => "municipality",
            Self::RegisteredAlready { .. } => "code",
            Self::NoPlacement(fault) => match fault {
                PlacementFault::NoPersons | PlacementFault::OnePersonEach => "persons",
                PlacementFault::NoCareToEnd
                | PlacementFault::CareEndsBefore
                | PlacementFault::CareEndsAtAnotherAge => "careEnds",
                PlacementFault::NoTurning18 => "turns18",
                PlacementFault::PermitAfter => "permitGrantedOn",
            },
            Self::NoExchange(fault) => match fault {
                ExchangeFault::SidesDiffer | ExchangeFault::NoPersons => "persons",
                ExchangeFault::OneMunicipality => "municipality",
            },
            Self::NoQuotaPublished(_) => "halfYear",
            Self::DoesNotFollow { .. } => "toHalfYear",
            Self::PlacementIdInUse(_)
            | Self::UnknownPlacement
            | Self::WithdrawnAlready(_)
            | Self::NotAnAmv(_)
            | Self::FollowedOnAlready(_)
            | Self::DidNotCount(_) => "placement",
            Self::MovesNowhere(_) => "to",
            Self::PersonCountedAlready(_) => "person",
            Self::WouldCountTwice { .. } => "kind",
            Self::UnknownEntry(_) | Self::NumberRestated(_) => "entry",
            Self::ObjectionIdInUse(_)
            | Self::ObjectedAlready(_)
            | Self::UnknownObjection
            | Self::SettledAlready(_) => "objection",
        }
    }

    /// The municipality that is at fault, where it is one of a list.
    pub fn municipality(&self) -> Option<MunicipalityCode> {
        match self {
            Self::NamedTwice { code }
            | Self::UnknownMunicipality { code, .. }
            | Self::MunicipalityNotYet { code, .. }
            | Self::MunicipalityCeased { code, .. }
            | Self::RevisedAlready { code, .. }
            | Self::NoQuotaAllocated { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// What the sender can do about it.
    pub fn remedy(&self) -> String {
        let fixed = match self {
            Self::PersonNumber { .. } => {
                "take it out; a person is named by a random token (UUID) of your own, never by a number"
            }
            Self::Unreadable { .. } => "mend it and send it again",
            Self::UnknownField { .. } => "take it out, or look the name up in the schema of the event",
            Self::MissingField { .. } => "fill it in and send it again",
            Self::UnknownHalfYear { .. } => "write 2026-I for January to June, 2026-II for July to December",
            Self::Malformed { .. } => "mend the value and send it again",
            Self::NamedTwice { .. } => {
                "the first of the two was taken; where this one is right, send it again alone"
            }
            Self::EventIdInUse(_) => "give a new fact a new id; an event that was recorded never changes",
            Self::PlacementIdInUse(_) => {
                "withdraw it and record what is right under a new placement id; an id is never used again"
            }
            Self::NoPlacement(fault) => match fault {
                PlacementFault::NoPersons => "give the number of persons that were housed",
                PlacementFault::OnePersonEach => "give each person a row, or leave the token out of a total",
                PlacementFault::NoCareToEnd => "leave the month out",
                PlacementFault::CareEndsBefore => "mend the month or the date of the placement",
                PlacementFault::NoTurning18 => "leave the month out",
                PlacementFault::CareEndsAtAnotherAge => {
                    "mend the month of turning 18 or that in which care ends"
                }
                PlacementFault::PermitAfter => "mend the date of the permit or of the placement",
            },
            Self::NoExchange(fault) => match fault {
                ExchangeFault::SidesDiffer => "let both municipalities decide on the same number",
                ExchangeFault::NoPersons => "give the number of persons that is shifted",
                ExchangeFault::OneMunicipality => "name the other municipality",
            },
            Self::DateInFuture { .. } => "deliver it when it has happened, or mend the date",
            Self::DatesOutOfOrder { .. } => "mend the dates",
            Self::UnknownMunicipality { .. } => "mend the code, or register the municipality first",
            Self::MunicipalityNotYet { .. } => "mend the date, or name the municipality of that time",
            Self::RegisteredAlready { .. } => "a code is never used again; changes are boundary changes",
            Self::NoQuotaPublished(_) => "deliver the published quota of that half-year first",
            Self::NoQuotaAllocated { .. } => "deliver the municipal numbers of that half-year first",
            Self::RevisedAlready { .. } => "record new numbers as an evaluation",
            Self::UnknownPlacement => "mend the id, or deliver the placement first",
            Self::WithdrawnAlready(_) => {
                "nothing needs to be done, or record the placement anew under a new id"
            }
            Self::NotAnAmv(_) => "to correct a municipality, withdraw the placement and record it anew",
            Self::MovesNowhere(_) => "record follow-on housing where the amv stays in the municipality",
            Self::FollowedOnAlready(_) => "the first date stands; withdraw the placement if it was wrong",
            Self::DidNotCount(_) => "record a placement of the kind that does count",
            Self::MunicipalityCeased { successors, .. } => {
                return format!("name {} instead", Codes(successors));
            }
            Self::DoesNotFollow { from, .. } => {
                return match from.next() {
                    Some(next) => format!("the half-year after {from} is {next}"),
                    None => "mend the half-years".to_owned(),
                };
            }
            Self::PersonCountedAlready(_) => {
                "record follow-on housing or a transfer of that placement, or withdraw it if it was wrong"
            }
            Self::WouldCountTwice { .. } => "withdraw one of the two placements of each person first",
            Self::ObjectionIdInUse(_) => {
                "give a new objection a new id; an objection that was recorded never changes"
            }
            Self::UnknownEntry(_) => "mend the position: it stands on the receipt of the delivery",
            Self::EntryMovesNothing { .. } => {
                "name an entry that moves persons for the municipality, or contest a figure where persons are missing"
            }
            Self::NumberRestated(_) => "contest the entry that holds now",
            Self::ObjectedAlready(_) => "nothing needs to be done, or settle the earlier objection first",
            Self::UnknownObjection => "mend the id, or deliver the objection first",
            Self::SettledAlready(_) => "the first decision stands; a new objection has a new id",
        };
        fixed.to_owned()
    }
}

struct Codes<'a>(&'a [MunicipalityCode]);

impl fmt::Display for Codes<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, code) in self.0.iter().enumerate() {
            match index {
                0 => write!(to, "{code}")?,
                _ if index + 1 == self.0.len() => write!(to, " and {code}")?,
                _ => write!(to, ", {code}")?,
            }
        }
        Ok(())
    }
}
