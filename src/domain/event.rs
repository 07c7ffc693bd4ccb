//! Events: facts that somebody reported, and the entries that hold them.

use std::borrow::Cow;
use std::str::FromStr;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::amv::{AmvCapacity, AmvPlaces};
use super::area::{BoundaryChange, Municipality, Population};
use super::carry_over::CarryOver;
use super::evaluation::Evaluation;
use super::grants::Grants;
use super::placement::{FollowOn, Placement, Transfer, Withdrawal};
use super::quota::{Allocation, Exchange, Quota};
use super::rules::CountingRule;
use super::source::{DeliveryId, EventId, Source};
use super::time::{Position, RecordedAt};
use super::{Fault, Room, named, text_in_json};

/// Declares every event once: its variant, its content, its name in the log and its type on the wire.
macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident($content:ty) = $name:literal, $wire:literal;)*) => {
        /// A fact in the past tense, complete on its own. A correction is one more event.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Event {
            $($(#[$doc])* $variant($content),)*
        }

        /// The name of a kind of event, such as `placement-recorded`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventName {
            $($(#[$doc])* $variant,)*
        }

        impl EventName {
            /// Every kind of event, in the order of the schemas.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in the log.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The `type` of the CloudEvent that delivers it.
            pub fn cloudevent_type(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!("nl.huisvesting-statushouders.", $wire, ".v1"),)*
                }
            }
        }

        impl Event {
            /// What kind of event it is.
            pub fn name(&self) -> EventName {
                match self { $(Self::$variant(_) => EventName::$variant,)* }
            }

            /// Reads the content of an event of this kind.
            ///
            /// # Errors
            /// When the JSON is not what the schema of the event asks for.
            pub fn from_json(name: EventName, data: &str) -> Result<Self, serde_json::Error> {
                match name {
                    $(EventName::$variant => super::read_object(data).map(Self::$variant),)*
                }
            }
        }

        /// The content alone; the name stands beside it in the entry.
        impl Serialize for Event {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$variant(content) => content.serialize(to),)* }
            }
        }
    };
}

events! {
    /// A municipality exists from a day.
    MunicipalityRegistered(Municipality) = "municipality-registered", "municipalities.registered";
    /// Municipalities merged, or one was split.
    BoundaryChanged(BoundaryChange) = "boundary-changed", "boundaries.changed";
    /// Inhabitants were counted.
    PopulationCounted(Population) = "population-counted", "populations.counted";
    /// The national number of a half-year was published.
    QuotaPublished(Quota) = "quota-published", "quotas.published";
    /// Municipalities were given their numbers.
    QuotaAllocated(Allocation) = "quota-allocated", "quotas.allocated";
    /// Two municipalities shifted quota.
    QuotaExchanged(Exchange) = "quota-exchanged", "quotas.exchanged";
    /// A running quota was evaluated.
    EvaluationRecorded(Evaluation) = "evaluation-recorded", "evaluations.recorded";
    /// The authority fixed what is carried into a half-year.
    CarryOverRecorded(CarryOver) = "carry-over-recorded", "carry-overs.recorded";
    /// Somebody was housed.
    PlacementRecorded(Placement) = "placement-recorded", "placements.recorded";
    /// A placement was taken back.
    PlacementWithdrawn(Withdrawal) = "placement-withdrawn", "placements.withdrawn";
    /// An amv moved to another municipality.
    PlacementTransferred(Transfer) = "placement-transferred", "placements.transferred";
    /// Final housing followed on a placement that had counted.
    FollowOnHousingRecorded(FollowOn) = "follow-on-housing-recorded", "follow-on-housings.recorded";
    /// Permits of a month were reported.
    GrantsReported(Grants) = "grants-reported", "grants.reported";
    /// The need for places in small-scale care was set.
    AmvCapacitySet(AmvCapacity) = "amv-capacity-set", "amv-capacities.set";
    /// Places in small-scale care were counted.
    AmvPlacesReported(AmvPlaces) = "amv-places-reported", "amv-places.reported";
    /// It was decided whether a kind of placement counts.
    CountingRuleSet(CountingRule) = "counting-rule-set", "counting-rules.set";
}

impl EventName {
    /// The kind of event that a CloudEvent of this type delivers.
    pub fn of_cloudevent_type(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.cloudevent_type() == text)
    }

    fn write_in(self, _: &mut Room) -> &'static str {
        self.name()
    }
}

impl FromStr for EventName {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        Self::ALL.iter().copied().find(|it| it.name() == text).ok_or(Fault("is not the name of an event"))
    }
}

text_in_json!(EventName, in one piece);

named! {
    /// Who gave an event its identity.
    pub enum IdBy {
        /// The organisation that the event comes from.
        Sender = "sender",
        /// The ledger, where a file has no identities.
        Ledger = "ledger",
    } else "is not who gave the identity"
}

/// An entry of the log: an event with all that is known about how it came here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the log.
    pub position: Position,
    /// When the ledger learned it.
    pub recorded_at: RecordedAt,
    /// The delivery that brought it.
    pub delivery: DeliveryId,
    /// Who delivered it.
    pub delivered_by: Source,
    /// The identity of the event.
    pub id: EventId,
    /// Who gave it that identity.
    pub id_by: IdBy,
    /// The organisation and system that it comes from.
    pub source: Source,
    /// When the sender registered it, where the sender said so.
    pub registered_at: Option<RecordedAt>,
    /// The fact.
    pub event: Event,
}

impl Entry {
    /// The one line of JSON that is stored, hashed and delivered back. It is made once.
    pub fn encode_into(&self, line: &mut Vec<u8>) {
        serde_json::to_writer(line, self).expect("an entry has only keys that are text");
    }

    /// Reads a stored line.
    ///
    /// # Errors
    /// When the line is not an entry. The message repeats nothing of what the line holds.
    pub fn decode(line: &[u8]) -> Result<Self, Fault> {
        const BROKEN: Fault = Fault("is not an entry of this version of the log");
        let text = std::str::from_utf8(line).map_err(|_| BROKEN)?;
        let raw: StoredLine<'_> = super::read_object(text).map_err(|_| BROKEN)?;
        let event = Event::from_json(raw.name, raw.data.get()).map_err(|_| BROKEN)?;
        Ok(Self {
            position: raw.position,
            recorded_at: raw.recorded_at,
            delivery: raw.delivery,
            delivered_by: raw.delivered_by.parse()?,
            id: raw.id,
            id_by: raw.id_by,
            source: raw.source.parse()?,
            registered_at: raw.registered_at,
            event,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredLine<'a> {
    position: Position,
    recorded_at: RecordedAt,
    delivery: DeliveryId,
    #[serde(borrow)]
    delivered_by: Cow<'a, str>,
    id: EventId,
    id_by: IdBy,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(default, deserialize_with = "super::present")]
    registered_at: Option<RecordedAt>,
    #[serde(rename = "type")]
    name: EventName,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut line = to.serialize_map(None)?;
        line.serialize_entry("position", &self.position)?;
        line.serialize_entry("recordedAt", &self.recorded_at)?;
        line.serialize_entry("delivery", &self.delivery)?;
        line.serialize_entry("deliveredBy", &self.delivered_by)?;
        line.serialize_entry("id", &self.id)?;
        line.serialize_entry("idBy", &self.id_by)?;
        line.serialize_entry("source", &self.source)?;
        if let Some(registered_at) = &self.registered_at {
            line.serialize_entry("registeredAt", registered_at)?;
        }
        line.serialize_entry("type", &self.event.name())?;
        line.serialize_entry("data", &self.event)?;
        line.end()
    }
}
