//! Placements: that somebody was housed, where, when and how, and what happened to it afterwards.

use serde::{Deserialize, Serialize};

use super::area::MunicipalityCode;
use super::named;
use super::persons::Persons;
use super::source::{PersonToken, PlacementId};
use super::time::{Day, Month};

named! {
    /// How somebody was housed. Whether a kind counts, and for whom, is a dated rule (see
    /// [`super::rules`]); the kind itself only says what happened.
    pub enum PlacementKind {
        /// Housing by the municipality, shared and flexible homes included.
        Regular = "regular",
        /// A family member who followed with a derived asylum permit (nareiziger).
        FamilyReunification = "family_reunification",
        /// A family member admitted under article 8 ECHR.
        Article8Family = "article_8_family",
        /// An unaccompanied minor (amv) of 15 or over in small-scale care (kso) of Nidos or a partner.
        AmvSmallScaleCare = "amv_small_scale_care",
        /// An unaccompanied minor in a foster family.
        AmvFosterFamily = "amv_foster_family",
        /// An unaccompanied minor of 14 or younger.
        AmvUpTo14 = "amv_up_to_14",
        /// An unaccompanied minor in a small unit of COA itself.
        AmvCoaUnit = "amv_coa_unit",
        /// The hotel and accommodation scheme (HAR), at most 6 months.
        HotelScheme = "hotel_scheme",
        /// A transit location (doorstroomlocatie), at most 12 months; counts for the matched municipality.
        TransitLocation = "transit_location",
        /// The flexible scheme for target groups (doelgroepflexibele regeling).
        FlexibleScheme = "flexible_scheme",
        /// Resettled refugees who come from abroad straight to a home.
        Resettled = "resettled",
        /// Guest schemes (logeerregeling).
        GuestScheme = "guest_scheme",
        /// A hotel of COA.
        CoaHotel = "coa_hotel",
        /// An administrative placement (administratieve plaatsing).
        AdministrativePlacement = "administrative_placement",
    } else "is not a kind of placement"
}

impl PlacementKind {
    /// Its place in [`PlacementKind::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

/// That somebody was housed: one person, or a total of persons who are not told apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "PlacementReport", into = "PlacementReport")]
pub struct Placement {
    report: PlacementReport,
}

/// A [`Placement`] as it is delivered and stored, before it is known to make sense.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlacementReport {
    /// The identity that the sender gives to the placement.
    pub placement: PlacementId,
    /// The municipality for which it counts: the one that the person is matched to (gekoppeld).
    pub municipality: MunicipalityCode,
    /// The municipality in which the site lies, where that is another one.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub site_municipality: Option<MunicipalityCode>,
    /// The day from which it counts: of de-registration at COA, or of placement in small-scale care.
    pub counts_from: Day,
    /// How the person was housed.
    pub kind: PlacementKind,
    /// 1 for a person, or a total of persons who are not told apart.
    pub persons: Persons,
    /// An opaque token for the person, so that one person is counted once.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonToken>,
    /// The day on which the permit was granted.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub permit_granted_on: Option<Day>,
    /// The day on which the person was matched to the municipality.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub matched_on: Option<Day>,
    /// For small-scale care: the month in which care ends, at 18 or after extended care at 21.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub care_ends: Option<Month>,
    /// For small-scale care: the month in which the amv turns 18. Whoever is still in care after it is in extended care.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub turns_18: Option<Month>,
}

/// Why a [`PlacementReport`] is no placement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PlacementFault {
    /// Nobody was housed.
    #[error("a placement houses at least 1 person")]
    NoPersons,
    /// One token stands for several persons.
    #[error("a placement with a person's token houses exactly 1 person")]
    OnePersonEach,
    /// A month in which care ends, for a kind without care.
    #[error("only small-scale care has a month in which care ends")]
    NoCareToEnd,
    /// Care ends before it begins.
    #[error("care cannot end before the month of the placement")]
    CareEndsBefore,
    /// A month in which an amv turns 18, for a kind without care.
    #[error("only small-scale care has a month in which the amv turns 18")]
    NoTurning18,
    /// Care that ends at an age at which it does not.
    #[error(
        "care ends in the month in which the amv turns 18, or after extended care by the month of turning 21"
    )]
    CareEndsAtAnotherAge,
    /// The permit is dated after the placement.
    #[error("the permit is dated after the placement")]
    PermitAfter,
}

impl Placement {
    /// The identity that the sender gives to the placement.
    pub fn id(&self) -> PlacementId {
        self.report.placement
    }

    /// The municipality for which it counts.
    pub fn municipality(&self) -> MunicipalityCode {
        self.report.municipality
    }

    /// The day from which it counts.
    pub fn counts_from(&self) -> Day {
        self.report.counts_from
    }

    /// The token for the person, if it is about one.
    pub fn person(&self) -> Option<PersonToken> {
        self.report.person
    }

    /// All that was reported.
    pub fn report(&self) -> &PlacementReport {
        &self.report
    }

    /// What postings and later events need to know about it.
    pub fn housed(&self) -> Housed {
        Housed {
            municipality: self.report.municipality,
            placed_in: self.report.municipality,
            counts_from: self.report.counts_from,
            kind: self.report.kind,
            persons: self.report.persons,
            in_care_until: self.report.care_ends.map(Month::last_day),
        }
    }
}

impl TryFrom<PlacementReport> for Placement {
    type Error = PlacementFault;

    fn try_from(report: PlacementReport) -> Result<Self, PlacementFault> {
        if report.persons.count() == 0 {
            return Err(PlacementFault::NoPersons);
        }
        if report.person.is_some() && report.persons.count() != 1 {
            return Err(PlacementFault::OnePersonEach);
        }
        if let Some(month) = report.care_ends {
            if report.kind != PlacementKind::AmvSmallScaleCare {
                return Err(PlacementFault::NoCareToEnd);
            }
            if month < Month::from(report.counts_from) {
                return Err(PlacementFault::CareEndsBefore);
            }
        }
        if let Some(month) = report.turns_18 {
            if report.kind != PlacementKind::AmvSmallScaleCare {
                return Err(PlacementFault::NoTurning18);
            }
            let turns_21 = Month::from(month.first_day().plus_months(36));
            if report.care_ends.is_some_and(|it| it < month || it > turns_21) {
                return Err(PlacementFault::CareEndsAtAnotherAge);
            }
        }
        if report.permit_granted_on.is_some_and(|day| day > report.counts_from) {
            return Err(PlacementFault::PermitAfter);
        }
        Ok(Self { report })
    }
}

impl From<Placement> for PlacementReport {
    fn from(it: Placement) -> Self {
        it.report
    }
}

/// What a placement moved, copied into each later event about it, so that every event is complete
/// on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Housed {
    /// The municipality for which it counts at this moment.
    pub municipality: MunicipalityCode,
    /// The municipality for which it was recorded, where the care place is.
    pub placed_in: MunicipalityCode,
    /// The day from which the placement counts; the counting rule of that day holds for it.
    pub counts_from: Day,
    /// How the persons were housed.
    pub kind: PlacementKind,
    /// How many.
    pub persons: Persons,
    /// The last day in small-scale care, where it is known.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub in_care_until: Option<Day>,
}

named! {
    /// Why a placement is taken back. Only an administrative error takes a realisation back; birth,
    /// death, a permit withdrawn and departure after housing do not.
    pub enum WithdrawalReason {
        /// The same placement was recorded under another identity as well.
        RecordedTwice = "recorded_twice",
        /// It counts for another municipality.
        WrongMunicipality = "wrong_municipality",
        /// It counts from another day.
        WrongDate = "wrong_date",
        /// It is of another kind.
        WrongKind = "wrong_kind",
        /// It houses another person, or another number of persons.
        WrongPersons = "wrong_persons",
        /// The person was never housed there.
        NeverHoused = "never_housed",
        /// Another error of administration.
        OtherAdministrativeError = "other_administrative_error",
    } else "is not a reason for a withdrawal"
}

/// What a sender says to take a placement back.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WithdrawalReport {
    /// The placement to take back.
    pub placement: PlacementId,
    /// Why.
    pub reason: WithdrawalReason,
}

/// A placement taken back, with everything that it had moved.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Withdrawal {
    /// The placement that is taken back.
    pub placement: PlacementId,
    /// Why.
    pub reason: WithdrawalReason,
    /// What the placement had moved when it was recorded.
    #[serde(deserialize_with = "super::object")]
    pub housed: Housed,
    /// The moves since then, which are taken back with it.
    #[serde(default, deserialize_with = "super::objects", skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<Move>,
    /// The day on which the person left care earlier than recorded, taken back with it.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub left_care_on: Option<Day>,
}

/// One step in the way of an amv from municipality to municipality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Move {
    /// The municipality that lost the person.
    pub from: MunicipalityCode,
    /// The municipality that gained the person.
    pub to: MunicipalityCode,
    /// The day on which the new municipality reported it to COA; both sides are dated so.
    pub reported_on: Day,
}

/// What a sender says when an amv has moved.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TransferReport {
    /// The placement of the amv.
    pub placement: PlacementId,
    /// The municipality that the amv moved to.
    pub to: MunicipalityCode,
    /// The day on which that municipality reported it to COA.
    pub reported_on: Day,
}

/// An amv who moved: off the old municipality and on the new one, both on the day of the report.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Transfer {
    /// The placement of the amv.
    pub placement: PlacementId,
    /// The municipality that the amv moved to.
    pub to: MunicipalityCode,
    /// The day on which that municipality reported it to COA.
    pub reported_on: Day,
    /// What the placement stood for until then.
    #[serde(deserialize_with = "super::object")]
    pub housed: Housed,
}

impl Transfer {
    /// The step that the transfer makes.
    pub fn step(&self) -> Move {
        Move { from: self.housed.municipality, to: self.to, reported_on: self.reported_on }
    }
}

/// What a sender says when final housing follows on care, a hotel or a transit location.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FollowOnReport {
    /// The placement that had counted already.
    pub placement: PlacementId,
    /// The day of the final housing.
    pub housed_on: Day,
}

/// Final housing of somebody who had counted already (vervolghuisvesting): no second count.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FollowOn {
    /// The placement that had counted already.
    pub placement: PlacementId,
    /// The day of the final housing.
    pub housed_on: Day,
    /// What the placement stands for.
    #[serde(deserialize_with = "super::object")]
    pub housed: Housed,
}
