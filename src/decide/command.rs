//! Commands: what a sender asks the ledger to record.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Serialize, Serializer};

use crate::domain::ObjectOnly;
use crate::domain::amv::{AmvCapacity, AmvPlaces};
use crate::domain::area::{BoundaryChange, Municipality, Population};
use crate::domain::carry_over::CarryOver;
use crate::domain::evaluation::Evaluation;
use crate::domain::event::{Event, EventName};
use crate::domain::grants::Grants;
use crate::domain::objection::{ObjectionReport, ObjectionSettled};
use crate::domain::placement::{FollowOnReport, PlacementReport, TransferReport, WithdrawalReport};
use crate::domain::quota::{Allocation, ExchangeReport, Quota};
use crate::domain::regime::PhaseSet;
use crate::domain::rules::CountingRule;
use crate::domain::source::{EventId, Source};

/// Declares every command once: its variant, its content, and the event that it asks for.
macro_rules! commands {
    ($($(#[$doc:meta])* $variant:ident($content:ty) for $event:ident;)*) => {
        /// What a sender asks the ledger to record: the content of an event, without what only the
        /// ledger can know.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Command {
            $($(#[$doc])* $variant($content),)*
        }

        impl Command {
            /// The kind of event that it asks for.
            pub fn event_name(&self) -> EventName {
                match self { $(Self::$variant(_) => EventName::$event,)* }
            }

            /// Reads the `data` of a delivered event of this kind.
            ///
            /// # Errors
            /// When the JSON is not what the schema of the event asks for.
            pub fn from_json(
                name: EventName,
                data: &mut serde_json::Deserializer<serde_json::de::StrRead<'_>>,
            ) -> Result<Self, serde_path_to_error::Error<serde_json::Error>> {
                match name {
                    $(EventName::$event => {
                        serde_path_to_error::deserialize(ObjectOnly(data)).map(Self::$variant)
                    })*
                }
            }
        }

        /// The content alone, as its sender delivers it.
        impl Serialize for Command {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$variant(content) => content.serialize(to),)* }
            }
        }
    };
}

commands! {
    /// Enter a municipality in the register.
    RegisterMunicipality(Municipality) for MunicipalityRegistered;
    /// Merge or split municipalities.
    ChangeBoundaries(BoundaryChange) for BoundaryChanged;
    /// Record a count of inhabitants.
    CountPopulation(Population) for PopulationCounted;
    /// Record the national number.
    PublishQuota(Quota) for QuotaPublished;
    /// Record municipal numbers.
    AllocateQuota(Allocation) for QuotaAllocated;
    /// Record an exchange between two municipalities.
    ExchangeQuota(ExchangeReport) for QuotaExchanged;
    /// Record an interim evaluation.
    RecordEvaluation(Evaluation) for EvaluationRecorded;
    /// Record a standing that the authority fixed.
    RecordCarryOver(CarryOver) for CarryOverRecorded;
    /// Record that somebody was housed.
    RecordPlacement(PlacementReport) for PlacementRecorded;
    /// Take a placement back.
    WithdrawPlacement(WithdrawalReport) for PlacementWithdrawn;
    /// Record that an amv moved.
    TransferPlacement(TransferReport) for PlacementTransferred;
    /// Record final housing of somebody who counted already.
    RecordFollowOn(FollowOnReport) for FollowOnHousingRecorded;
    /// Record the permits of a month.
    ReportGrants(Grants) for GrantsReported;
    /// Record the need for places in small-scale care.
    SetAmvCapacity(AmvCapacity) for AmvCapacitySet;
    /// Record the places that there are.
    ReportAmvPlaces(AmvPlaces) for AmvPlacesReported;
    /// Record whether a kind of placement counts.
    SetCountingRule(CountingRule) for CountingRuleSet;
    /// Record a phase of the regime.
    SetPhase(PhaseSet) for PhaseSet;
    /// Record that a municipality contests an entry or a figure.
    RecordObjection(ObjectionReport) for ObjectionRecorded;
    /// Record how an objection ended.
    SettleObjection(ObjectionSettled) for ObjectionSettled;
}

impl Command {
    /// The command that this event answers: what its sender delivered.
    pub fn of(event: &Event) -> Self {
        match event.clone() {
            Event::MunicipalityRegistered(it) => Self::RegisterMunicipality(it),
            Event::BoundaryChanged(it) => Self::ChangeBoundaries(it),
            Event::PopulationCounted(it) => Self::CountPopulation(it),
            Event::QuotaPublished(it) => Self::PublishQuota(it),
            Event::QuotaAllocated(it) => Self::AllocateQuota(it),
            Event::QuotaExchanged(it) => Self::ExchangeQuota(it.into()),
            Event::EvaluationRecorded(it) => Self::RecordEvaluation(it),
            Event::CarryOverRecorded(it) => Self::RecordCarryOver(it),
            Event::PlacementRecorded(it) => Self::RecordPlacement(it.into()),
            Event::PlacementWithdrawn(it) => {
                Self::WithdrawPlacement(WithdrawalReport { placement: it.placement, reason: it.reason })
            }
            Event::PlacementTransferred(it) => Self::TransferPlacement(TransferReport {
                placement: it.placement,
                to: it.to,
                reported_on: it.reported_on,
            }),
            Event::FollowOnHousingRecorded(it) => {
                Self::RecordFollowOn(FollowOnReport { placement: it.placement, housed_on: it.housed_on })
            }
            Event::GrantsReported(it) => Self::ReportGrants(it),
            Event::AmvCapacitySet(it) => Self::SetAmvCapacity(it),
            Event::AmvPlacesReported(it) => Self::ReportAmvPlaces(it),
            Event::CountingRuleSet(it) => Self::SetCountingRule(it),
            Event::PhaseSet(it) => Self::SetPhase(it),
            Event::ObjectionRecorded(it) => Self::RecordObjection(it.into()),
            Event::ObjectionSettled(it) => Self::SettleObjection(it),
        }
    }

    /// A number that two commands share only when they are about the same thing, so that the later
    /// one takes the place of the earlier.
    pub(super) fn subject(&self) -> Fingerprint {
        let name = self.event_name();
        match self {
            Self::RegisterMunicipality(it) => fingerprint(&(name, it.code)),
            Self::CountPopulation(it) => fingerprint(&(name, it.counted_on)),
            Self::PublishQuota(it) => fingerprint(&(name, it.half_year)),
            Self::AllocateQuota(it) => fingerprint(&(name, it.half_year)),
            Self::RecordEvaluation(it) => fingerprint(&(name, it.half_year)),
            Self::RecordCarryOver(it) => fingerprint(&(name, it.to_half_year)),
            Self::ReportGrants(it) => fingerprint(&(name, it.month)),
            Self::SetAmvCapacity(it) => fingerprint(&(name, it.from, it.until)),
            Self::ReportAmvPlaces(it) => fingerprint(&(name, it.counted_on)),
            Self::SetCountingRule(it) => fingerprint(&(name, it.kind())),
            // Any phase can cover the days of another.
            Self::SetPhase(_) => fingerprint(&name),
            Self::RecordObjection(it) => fingerprint(&(name, it.objection)),
            Self::SettleObjection(it) => fingerprint(&(name, it.objection)),
            // None of these takes the place of another.
            Self::ChangeBoundaries(_)
            | Self::ExchangeQuota(_)
            | Self::RecordPlacement(_)
            | Self::WithdrawPlacement(_)
            | Self::TransferPlacement(_)
            | Self::RecordFollowOn(_) => self.fingerprint(),
        }
    }

    /// A number that two commands share only when they say the same.
    ///
    /// It lives in memory only and is never stored, so it may differ from one version to the next.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        fingerprint(self)
    }
}

/// 128 bits that stand for a content: two contents share them only when they are the same.
pub(super) type Fingerprint = (u64, u64);

pub(super) fn fingerprint(what: &impl Hash) -> Fingerprint {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(salt);
        what.hash(&mut hasher);
        hasher.finish()
    };
    (half(0), half(1))
}

/// Whose event it is: two deliveries with the same source and id are the same event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The organisation and system that it comes from.
    pub source: Source,
    /// The id that the sender gave. A row of a file has none.
    pub id: Option<EventId>,
}
