//! Events: facts that somebody reported, and the entries that hold them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::amv::{AmvCapacity, AmvPlaces};
use super::area::{BoundaryChange, Municipality, Population};
use super::carry_over::CarryOver;
use super::evaluation::Evaluation;
use super::grants::Grants;
use super::objection::{Objection, ObjectionSettled};
use super::placement::{FollowOn, Placement, Transfer, Withdrawal};
use super::quota::{Allocation, Exchange, Quota};
use super::regime::PhaseSet;
use super::rules::CountingRule;
use super::source::{DeliveryId, EventId, PlacementId, Source};
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
                let mut from = serde_json::Deserializer::from_str(data);
                let event = ContentOf(name).deserialize(&mut from)?;
                from.end()?;
                Ok(event)
            }
        }

        /// Reads the content of an event of this kind, from an object and nothing else.
        struct ContentOf(EventName);

        impl<'de> DeserializeSeed<'de> for ContentOf {
            type Value = Event;

            fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Event, D::Error> {
                match self.0 {
                    $(EventName::$variant => super::object(from).map(Event::$variant),)*
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
    /// A phase of the regime was set.
    PhaseSet(PhaseSet) = "phase-set", "phases.set";
    /// A municipality contests an entry or a figure.
    ObjectionRecorded(Objection) = "objection-recorded", "objections.recorded";
    /// An objection ended.
    ObjectionSettled(ObjectionSettled) = "objection-settled", "objections.settled";
}

impl Event {
    /// The placement that it is about, if it is about one.
    pub fn placement(&self) -> Option<PlacementId> {
        match self {
            Self::PlacementRecorded(it) => Some(it.id()),
            Self::PlacementWithdrawn(it) => Some(it.placement),
            Self::PlacementTransferred(it) => Some(it.placement),
            Self::FollowOnHousingRecorded(it) => Some(it.placement),
            Self::ObjectionRecorded(it) => it.contests.placement(),
            Self::MunicipalityRegistered(_)
            | Self::BoundaryChanged(_)
            | Self::PopulationCounted(_)
            | Self::QuotaPublished(_)
            | Self::QuotaAllocated(_)
            | Self::QuotaExchanged(_)
            | Self::EvaluationRecorded(_)
            | Self::CarryOverRecorded(_)
            | Self::GrantsReported(_)
            | Self::AmvCapacitySet(_)
            | Self::AmvPlacesReported(_)
            | Self::CountingRuleSet(_)
            | Self::PhaseSet(_)
            | Self::ObjectionSettled(_) => None,
        }
    }
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
        Ok(Self {
            position: raw.position,
            recorded_at: raw.recorded_at,
            delivery: raw.delivery,
            delivered_by: raw.delivered_by.parse()?,
            id: raw.id,
            id_by: raw.id_by,
            source: raw.source.parse()?,
            registered_at: raw.registered_at,
            event: raw.event,
        })
    }
}

/// The fields of a stored line, read in one go: a large ledger is opened by reading millions of them.
struct StoredLine<'a> {
    position: Position,
    recorded_at: RecordedAt,
    delivery: DeliveryId,
    delivered_by: Cow<'a, str>,
    id: EventId,
    id_by: IdBy,
    source: Cow<'a, str>,
    registered_at: Option<RecordedAt>,
    event: Event,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Field {
    Position,
    RecordedAt,
    Delivery,
    DeliveredBy,
    Id,
    IdBy,
    Source,
    RegisteredAt,
    Type,
    Data,
}

/// Text that is not copied where it stands in the line as it is.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for StoredLine<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = StoredLine<'de>;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("the fields of an entry")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<StoredLine<'de>, A::Error> {
                let (mut position, mut recorded_at, mut registered_at) = (None, None, None);
                let (mut delivery, mut delivered_by, mut source) = (None, None, None);
                let (mut id, mut id_by, mut name) = (None, None, None);
                // Content that stands before the name of its kind is kept until that is known.
                let (mut event, mut early) = (None, None);
                while let Some(field) = fields.next_key()? {
                    match field {
                        Field::Position => once(&mut position, fields.next_value()?)?,
                        Field::RecordedAt => once(&mut recorded_at, fields.next_value()?)?,
                        Field::Delivery => once(&mut delivery, fields.next_value()?)?,
                        Field::DeliveredBy => once(&mut delivered_by, fields.next_value::<Text<'de>>()?.0)?,
                        Field::Id => once(&mut id, fields.next_value()?)?,
                        Field::IdBy => once(&mut id_by, fields.next_value()?)?,
                        Field::Source => once(&mut source, fields.next_value::<Text<'de>>()?.0)?,
                        Field::RegisteredAt => once(&mut registered_at, fields.next_value()?)?,
                        Field::Type => once(&mut name, fields.next_value()?)?,
                        Field::Data => match name {
                            Some(name) => once(&mut event, fields.next_value_seed(ContentOf(name))?)?,
                            None => once(&mut early, fields.next_value::<&RawValue>()?)?,
                        },
                    }
                }
                let name = there(name)?;
                if let Some(data) = early {
                    once(&mut event, Event::from_json(name, data.get()).map_err(A::Error::custom)?)?;
                }
                Ok(StoredLine {
                    position: there(position)?,
                    recorded_at: there(recorded_at)?,
                    delivery: there(delivery)?,
                    delivered_by: there(delivered_by)?,
                    id: there(id)?,
                    id_by: there(id_by)?,
                    source: there(source)?,
                    registered_at,
                    event: there(event)?,
                })
            }
        }
        from.deserialize_map(Fields)
    }
}

/// Takes up a field, which may stand there once.
fn once<T, E: serde::de::Error>(place: &mut Option<T>, value: T) -> Result<(), E> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::custom("a field stands there twice")),
    }
}

fn there<T, E: serde::de::Error>(field: Option<T>) -> Result<T, E> {
    field.ok_or_else(|| E::custom("a field is not there"))
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

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [&str; 10] = [
        r#""position":7"#,
        r#""recordedAt":"2026-04-03T10:00:00.000Z""#,
        r#""delivery":"01890a5d-ac96-774b-bcce-b302099a8057""#,
        r#""deliveredBy":"coa""#,
        r#""id":"01890a5d-ac96-774b-bcce-b302099a8058""#,
        r#""idBy":"ledger""#,
        r#""source":"coa""#,
        r#""registeredAt":"2026-04-02T10:00:00.000Z""#,
        r#""type":"follow-on-housing-recorded""#,
        r#""data":{"placement":"7b1f1f0c-3f0e-4b7e-9d7a-0a1b2c3d4e5f","housedOn":"2026-04-01","housed":{"municipality":"GM0599","placedIn":"GM0599","countsFrom":"2026-01-01","kind":"hotel_scheme","persons":1}}"#,
    ];

    fn line(fields: &[&str]) -> String {
        format!("{{{}}}", fields.join(","))
    }

    #[test]
    fn a_line_is_read_whatever_the_order_of_its_fields() {
        let entry = Entry::decode(line(&FIELDS).as_bytes()).unwrap();
        let mut encoded = Vec::new();
        entry.encode_into(&mut encoded);
        assert_eq!(String::from_utf8(encoded).unwrap(), line(&FIELDS));
        for places in 1..FIELDS.len() {
            let mut turned = FIELDS;
            turned.rotate_left(places);
            assert_eq!(Entry::decode(line(&turned).as_bytes()), Ok(entry.clone()), "{places}");
            turned.reverse();
            assert_eq!(Entry::decode(line(&turned).as_bytes()), Ok(entry.clone()), "{places}");
        }
    }

    #[test]
    fn a_field_stands_in_a_line_once_and_never_as_null() {
        for (index, field) in FIELDS.iter().enumerate() {
            let others = [&FIELDS[..index], &FIELDS[index + 1..]].concat();
            let may_be_left_out = field.contains("registeredAt");
            assert_eq!(Entry::decode(line(&others).as_bytes()).is_ok(), may_be_left_out, "without {field}");
            let name = field.split_once(':').unwrap().0;
            for wrong in
                [format!("{name}:null"), field.replace(name, r#""other""#), format!("{field},{field}")]
            {
                let mut first = others.clone();
                first.insert(0, &wrong);
                let mut last = others.clone();
                last.push(&wrong);
                assert!(Entry::decode(line(&first).as_bytes()).is_err(), "{wrong}");
                assert!(Entry::decode(line(&last).as_bytes()).is_err(), "{wrong}");
            }
        }
        let values: Vec<_> = FIELDS.iter().map(|it| it.split_once(':').unwrap().1).collect();
        assert!(Entry::decode(format!("[{}]", values.join(",")).as_bytes()).is_err());
        assert!(Entry::decode(format!("{} 1", line(&FIELDS)).as_bytes()).is_err());
    }
}
