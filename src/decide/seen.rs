//! What was seen before: which entry brought an identity, in a few bytes for each.
//!
//! Ten million identities of 16 bytes with their entries would fill the memory of a small machine, and asking the disk
//! about each row of a file would take the day. So only 40 bits of a hash are kept with the position. They say nearly
//! always that something is new, and where to look when it may not be; what is looked up there decides.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use crate::domain::event::{Entry, Event, IdBy};
use crate::domain::source::{EventId, PersonToken, PlacementId, Source};
use crate::domain::time::Position;

/// 40 bits that stand for an identity. Two identities share them once in a million million pairs.
///
/// They are stored in the snapshot, so the way in which they are made belongs to its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u64);

impl Key {
    /// How many bytes a key takes.
    pub const BYTES: usize = 5;

    pub(super) fn of_placement(id: PlacementId) -> Self {
        Self::of(b"placement", &[id.uuid().as_bytes()])
    }

    pub(super) fn of_person(token: PersonToken) -> Self {
        Self::of(b"person", &[token.uuid().as_bytes()])
    }

    pub(super) fn of_event(source: &Source, id: EventId) -> Self {
        Self::of(b"event", &[id.uuid().as_bytes(), source.as_str().as_bytes()])
    }

    fn of(kind: &[u8], parts: &[&[u8]]) -> Self {
        let mut hasher = SipHasher13::new();
        hasher.write(kind);
        parts.iter().for_each(|part| hasher.write(part));
        Self(hasher.finish() >> 24)
    }

    /// The key as the snapshot holds it.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let [_, _, _, bytes @ ..] = self.0.to_be_bytes();
        bytes
    }

    /// The key that was stored.
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes.iter().fold(0, |key, byte| key << 8 | u64::from(*byte)))
    }
}

/// The keys of an entry that records a placement: all that decisions need to remember of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacementKeys {
    /// Of the placement.
    pub placement: Key,
    /// Of the person, where it is about one.
    pub person: Option<Key>,
    /// Of the event, where its sender gave it an identity.
    pub event: Option<Key>,
}

impl PlacementKeys {
    /// The keys of an entry, if it records a placement.
    pub fn of(entry: &Entry) -> Option<Self> {
        let Event::PlacementRecorded(placement) = &entry.event else { return None };
        Some(Self {
            placement: Key::of_placement(placement.id()),
            person: placement.person().map(Key::of_person),
            event: (entry.id_by == IdBy::Sender).then(|| Key::of_event(&entry.source, entry.id)),
        })
    }
}

/// Keys with the entries that brought them: a hash table of eight bytes a place, in 256 parts so that none of them
/// takes long, or much memory twice, when it grows.
#[derive(Clone, Debug)]
pub(super) struct Seen(Box<[Part]>);

/// A place holds 32 bits of the key and the position plus one; nothing is zero. The other eight bits choose the part.
#[derive(Clone, Debug, Default)]
struct Part {
    places: Vec<u64>,
    taken: usize,
}

impl Default for Seen {
    fn default() -> Self {
        Self(vec![Part::default(); 256].into())
    }
}

impl Seen {
    /// Remembers that the entry at this position brought a key. Gives the position of another that did, if any.
    pub fn insert(&mut self, key: Key, position: Position) -> Option<Position> {
        let position = u32::try_from(position.0 + 1).expect("a ledger holds at most four billion entries");
        let (part, low) = (key.0 >> 32, key.0 as u32);
        self.0[part as usize].insert(low, position).map(before)
    }

    /// Where something with this key was brought: nearly always nowhere.
    pub fn find(&self, key: Key) -> impl Iterator<Item = Position> {
        let (part, low) = (key.0 >> 32, key.0 as u32);
        let places = &self.0[part as usize].places;
        let start = home(low, places.len());
        let chain = places[start..].iter().chain(&places[..start]).take_while(|place| **place != 0);
        chain.filter(move |place| **place >> 32 == u64::from(low)).map(|place| before(*place as u32))
    }
}

/// The position that a place stands for.
fn before(stored: u32) -> Position {
    Position(u64::from(stored - 1))
}

/// Where a key would stand if every place were free.
fn home(low: u32, places: usize) -> usize {
    ((u64::from(low) * places as u64) >> 32) as usize
}

impl Part {
    fn insert(&mut self, low: u32, position: u32) -> Option<u32> {
        // At most four fifths full, so that a chain stays short; a quarter more each time, so that little is empty.
        if self.taken * 5 >= self.places.len() * 4 {
            let room = (self.places.len() * 5 / 4).max(16);
            let old = std::mem::replace(&mut self.places, vec![0; room]);
            for place in old.into_iter().filter(|place| *place != 0) {
                self.put(place);
            }
        }
        self.taken += 1;
        self.put(u64::from(low) << 32 | u64::from(position))
    }

    /// Puts it in the first free place from its home on, and gives the last one passed with the same key.
    fn put(&mut self, place: u64) -> Option<u32> {
        let mut at = home((place >> 32) as u32, self.places.len());
        let mut same = None;
        while self.places[at] != 0 {
            if self.places[at] >> 32 == place >> 32 {
                same = Some(self.places[at] as u32);
            }
            at = if at + 1 == self.places.len() { 0 } else { at + 1 };
        }
        self.places[at] = place;
        same
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        /// Many keys that are alike, so that chains, parts and growth all matter.
        #[test]
        fn every_position_of_a_key_is_found_and_no_other(
            keys in prop::collection::vec((0u64..4, 0u64..300, any::<bool>()), 0..2_000),
        ) {
            let (mut seen, mut model) = (Seen::default(), HashMap::<u64, Vec<u64>>::new());
            for (position, (part, low, high)) in (0..).zip(keys) {
                let key = part << 32 | low | (u64::from(high) * 0xffff_ff00);
                let known = model.entry(key).or_default();
                let another = seen.insert(Key(key), Position(position));
                prop_assert_eq!(another.is_some(), !known.is_empty());
                prop_assert!(another.is_none_or(|it| known.contains(&it.0)));
                known.push(position);
            }
            for part in 0..4 {
                for low in (0..300).chain(0xffff_ff00..0x1_0000_0000) {
                    let key = part << 32 | low;
                    let mut found: Vec<_> = seen.find(Key(key)).map(|it| it.0).collect();
                    found.sort();
                    prop_assert_eq!(found, model.get(&key).cloned().unwrap_or_default());
                }
            }
        }

        #[test]
        fn a_key_reads_back_what_it_wrote(bits in 0u64..1 << 40) {
            prop_assert_eq!(Key::from_bytes(Key(bits).to_bytes()), Key(bits));
        }
    }

    /// The snapshot holds them, so they are the same for ever, or its version is another.
    #[test]
    fn the_keys_of_this_version_are_these() {
        let id = "7b1f1f0c-3f0e-4b7e-9d7a-0a1b2c3d4e5f";
        let placement = Key::of_placement(id.parse().unwrap());
        let person = Key::of_person(id.parse().unwrap());
        let event =
            Key::of_event(&"coa".parse().unwrap(), "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap());
        assert_eq!([placement.0, person.0, event.0], [600_967_817_704, 552_021_171_428, 1_037_515_590_826]);
    }
}
