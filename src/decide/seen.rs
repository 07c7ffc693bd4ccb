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

/// The places of a part, in the order of the keys. A key stands at its home, or behind it where others came first; so
/// whoever looks for one stops at the first that is larger.
///
/// A place holds 32 bits of the key and the position plus one; nothing is zero. The other eight bits choose the part.
#[derive(Clone, Debug, Default)]
struct Part {
    places: Vec<u64>,
    /// How many of the places are homes. A few more stand behind them, for what the last homes have no room for.
    homes: usize,
    taken: usize,
    /// Whether keys stand one after another, as they were gathered, and not in their places yet.
    gathering: bool,
}

/// How many places stand behind the homes.
const BEHIND: usize = 64;

impl Default for Seen {
    fn default() -> Self {
        Self(vec![Part::default(); 256].into())
    }
}

impl Seen {
    /// Remembers that the entry at this position brought a key. Gives the position of another that did, if any; while
    /// keys are gathered, [`settle`](Self::settle) does.
    pub fn insert(&mut self, key: Key, position: Position) -> Option<Position> {
        let place = place_of(key, position);
        self.part(key).insert(place).map(position_of)
    }

    /// Remembers it later, when [`settle`](Self::settle) is called: for many at once that takes a tenth of the time.
    pub fn gather(&mut self, key: Key, position: Position) {
        let place = place_of(key, position);
        self.part(key).gather(place);
    }

    /// Gives everything that was gathered its place, and names each entry that brought the same key as an earlier one.
    pub fn settle(&mut self, mut same: impl FnMut(Position, Position)) {
        let mut sorted = Vec::new();
        for part in self.0.iter_mut().filter(|part| part.gathering) {
            part.settle(&mut sorted);
            for pair in sorted.windows(2).filter(|pair| low_of(pair[0]) == low_of(pair[1])) {
                same(position_of(pair[0]), position_of(pair[1]));
            }
        }
    }

    /// Where something with this key was brought: nearly always nowhere.
    pub fn find(&self, key: Key) -> impl Iterator<Item = Position> {
        let part = &self.0[(key.0 >> 32) as usize];
        debug_assert!(!part.gathering, "all that was gathered is settled");
        let low = key.0 as u32;
        let behind = part.places.get(part.home(low)..).unwrap_or_default();
        let smaller = behind.iter().take_while(|place| **place != 0 && low_of(**place) < low).count();
        let same = behind[smaller..].iter().take_while(move |place| **place != 0 && low_of(**place) == low);
        same.map(|place| position_of(*place))
    }

    fn part(&mut self, key: Key) -> &mut Part {
        &mut self.0[(key.0 >> 32) as usize]
    }
}

fn place_of(key: Key, position: Position) -> u64 {
    let position = u32::try_from(position.0 + 1).expect("a ledger holds at most four billion entries");
    key.0 << 32 | u64::from(position)
}

fn low_of(place: u64) -> u32 {
    (place >> 32) as u32
}

fn position_of(place: u64) -> Position {
    Position(u64::from(place as u32 - 1))
}

impl Part {
    /// Where a key would stand if every place were free.
    fn home(&self, low: u32) -> usize {
        ((u64::from(low) * self.homes as u64) >> 32) as usize
    }

    /// Puts it behind those with the same key, the last of which it gives.
    fn insert(&mut self, place: u64) -> Option<u64> {
        if self.gathering {
            self.gather(place);
            return None;
        }
        // At most nine tenths full: what stands in order is found soon also where it is crowded.
        if self.taken * 10 >= self.homes * 9 {
            self.settle(&mut Vec::new());
        }
        let home = self.home(low_of(place));
        let free = self.places[home..].iter().position(|it| *it == 0).unwrap_or_else(|| {
            let full = self.places.len();
            self.places.resize(full + BEHIND, 0);
            full - home
        });
        let at = self.places[home..home + free].iter().position(|it| *it > place).unwrap_or(free);
        self.places.copy_within(home + at..home + free, home + at + 1);
        self.places[home + at] = place;
        self.taken += 1;
        let before = at.checked_sub(1).map(|before| self.places[home + before]);
        before.filter(|it| low_of(*it) == low_of(place))
    }

    fn gather(&mut self, place: u64) {
        if !self.gathering {
            self.places.retain(|place| *place != 0);
            self.gathering = true;
        }
        if self.places.len() == self.places.capacity() {
            // As much as it will need when they are in their places, so that nothing moves then.
            self.places.reserve_exact(self.places.len() / 4 + BEHIND);
        }
        self.places.push(place);
        self.taken = self.places.len();
    }

    /// Gives every key its place, with one home in five left free. Leaves the keys in order in `sorted`.
    fn settle(&mut self, sorted: &mut Vec<u64>) {
        sorted.clear();
        sorted.extend(self.places.iter().filter(|place| **place != 0));
        sorted.sort_unstable();
        self.places.clear();
        self.homes = (self.taken * 5 / 4).max(16);
        self.places.reserve_exact(self.homes + BEHIND);
        self.places.resize(self.homes + BEHIND, 0);
        let mut free = 0;
        for &place in sorted.iter() {
            let at = self.home(low_of(place)).max(free);
            if at >= self.places.len() {
                self.places.resize(at + BEHIND, 0);
            }
            self.places[at] = place;
            free = at + 1;
        }
        self.gathering = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{HashMap, HashSet};

    proptest! {
        /// Many keys that are alike, so that chains, parts and growth all matter.
        #[test]
        fn every_position_of_a_key_is_found_and_no_other(
            keys in prop::collection::vec((0u64..4, 0u64..300, any::<bool>()), 0..2_000),
            gathered in 0u64..2_000,
        ) {
            let (mut seen, mut model) = (Seen::default(), HashMap::<u64, Vec<u64>>::new());
            let mut same = HashSet::new();
            for (position, (part, low, high)) in (0..).zip(keys) {
                let key = part << 32 | low | (u64::from(high) * 0xffff_ff00);
                let known = model.entry(key).or_default();
                if position < gathered {
                    seen.gather(Key(key), Position(position));
                } else {
                    if position == gathered {
                        seen.settle(|one, other| {
                            same.insert((one.0, other.0));
                        });
                    }
                    let another = seen.insert(Key(key), Position(position));
                    prop_assert_eq!(another.map(|it| it.0), known.last().copied());
                }
                known.push(position);
            }
            // Those that were gathered are named each with the one before it that has the same key.
            seen.settle(|one, other| { same.insert((one.0, other.0)); });
            for positions in model.values() {
                let pairs = positions.windows(2).filter(|it| it[1] < gathered);
                prop_assert!(pairs.map(|it| (it[0], it[1])).all(|it| same.contains(&it)));
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
