//! Who says so: organisations and systems, and the identities of what they deliver.

use std::str::FromStr;
use std::sync::Arc;

use uuid::{Uuid, Variant};

use super::person_number::holds_person_number;
use super::{Fault, Room, text_in_json};

/// The organisation and system that an event comes from.
///
/// Either the form of the NL GOV profile for CloudEvents, `urn:nld:oin:<20 digits>:systeem:<name>`
/// (OIN: organisatie-identificatienummer), or a short name such as `coa` or `coa/tracking` for
/// deliveries by file within one organisation.
///
/// It stands in every entry, so a copy of it shares the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(Arc<str>);

impl Source {
    /// The text as it was delivered.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what it says is made up, to show or try something: the organisation `generated`.
    /// Every answer over a log that holds such entries says so.
    pub fn is_generated(&self) -> bool {
        self.0.split('/').next() == Some("generated")
    }
}

impl FromStr for Source {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        const WRONG: Fault = Fault(
            "is not a source: write urn:nld:oin:<20 digits>:systeem:<name>, or a short name in small letters such as coa or coa/tracking",
        );
        let name = |part: &str| {
            let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b);
            (1..=40).contains(&part.len()) && part.bytes().all(inside) && !holds_person_number(part)
        };
        let right = match text.strip_prefix("urn:nld:oin:") {
            Some(rest) => rest.split_once(":systeem:").is_some_and(|(oin, system)| {
                oin.len() == 20 && oin.bytes().all(|b| b.is_ascii_digit()) && name(system)
            }),
            None => match text.split_once('/') {
                Some((organisation, system)) => name(organisation) && name(system),
                None => name(text),
            },
        };
        if right { Ok(Self(text.into())) } else { Err(WRONG) }
    }
}

impl Source {
    fn write_in(&self, _: &mut Room) -> &str {
        &self.0
    }
}

text_in_json!(Source, in one piece);

/// Makes an identity out of a UUID that is written in the usual way: 36 characters, small letters.
macro_rules! identity {
    ($(#[$doc:meta])* $name:ident, $accepts:expr, $wrong:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The UUID itself.
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl TryFrom<Uuid> for $name {
            type Error = Fault;

            fn try_from(uuid: Uuid) -> Result<Self, Fault> {
                let accepts: fn(&Uuid) -> bool = $accepts;
                match uuid.get_variant() == Variant::RFC4122 && accepts(&uuid) {
                    true => Ok(Self(uuid)),
                    false => Err(Fault($wrong)),
                }
            }
        }

        impl FromStr for $name {
            type Err = Fault;

            fn from_str(text: &str) -> Result<Self, Fault> {
                // One way of writing only, so that the same identity is always the same bytes.
                let usual = text.len() == 36 && !text.bytes().any(|b| b.is_ascii_uppercase());
                match Uuid::try_parse(text) {
                    Ok(uuid) if usual => Self::try_from(uuid),
                    _ => Err(Fault($wrong)),
                }
            }
        }

        impl $name {
            fn write_in(self, room: &mut Room) -> &str {
                self.0.hyphenated().encode_lower(room)
            }
        }

        text_in_json!($name, in one piece);
    };
}

identity!(
    /// The identity of an event: given by its sender, or by the ledger where a file has none.
    EventId,
    |uuid| uuid.get_version_num() == 7,
    "is not the id of an event: write a UUID of version 7 in small letters"
);
identity!(
    /// The identity of a delivery, given by the ledger.
    DeliveryId,
    |uuid| uuid.get_version_num() == 7,
    "is not the id of a delivery: write a UUID of version 7 in small letters"
);
identity!(
    /// The identity that the sender gives to a placement. It is never used again, also not after a
    /// withdrawal.
    PlacementId,
    |_| true,
    "is not the id of a placement: write a UUID in small letters"
);
identity!(
    /// The identity that the sender gives to an objection.
    ObjectionId,
    |uuid| uuid.get_version_num() == 7,
    "is not the id of an objection: write a UUID of version 7 in small letters"
);
identity!(
    /// An opaque token for a person, given by the sender, so that one person is counted once.
    ///
    /// It says nothing about who it is: no BSN and no V-number has this form, and one that is filled up
    /// with zeros to look like it is refused.
    PersonToken,
    |uuid| uuid.as_bytes().iter().filter(|byte| **byte == 0).count() < 8,
    "is not a token for a person: write a random UUID in small letters, never a number of the person"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_an_oin_or_a_short_name() {
        for right in ["coa", "nidos/placements", "urn:nld:oin:00000001234567890000:systeem:tracking"] {
            assert_eq!(right.parse::<Source>().unwrap().to_string(), right);
        }
        for wrong in ["", "COA", "coa/", "a/b/c", "urn:nld:oin:123:systeem:x", "coa tracking", "111222333"] {
            assert!(wrong.parse::<Source>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_event_id_is_of_version_seven() {
        assert!("01890a5d-ac96-774b-bcce-b302099a8057".parse::<EventId>().is_ok());
        assert!("01890A5D-AC96-774B-BCCE-B302099A8057".parse::<EventId>().is_err());
        assert!("7b1f1f0c-3f0e-4b7e-9d7a-0a1b2c3d4e5f".parse::<EventId>().is_err());
        assert!("7b1f1f0c-3f0e-4b7e-9d7a-0a1b2c3d4e5f".parse::<PlacementId>().is_ok());
        assert!("00000000-0000-0000-0000-000000000000".parse::<PersonToken>().is_err());
        assert!("00000000-0000-4000-8000-000111222333".parse::<PersonToken>().is_err());
    }
}
