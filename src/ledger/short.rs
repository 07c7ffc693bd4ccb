//! The log in short: of each entry what the memory of the ledger needs, so that a snapshot of it can be opened fast.
//!
//! Nearly all entries record a placement, and of those decisions need three keys and the book a municipality, a day and
//! a kind. All others are kept as they are. Folding the short form gives the same memory as folding the entries.

use super::memory::remember;
use crate::decide::seen::{Key, PlacementKeys};
use crate::domain::area::MunicipalityCode;
use crate::domain::event::{Entry, Event};
use crate::domain::persons::Persons;
use crate::domain::placement::{Housed, PlacementKind};
use crate::domain::time::{Day, Position, RecordedAt};
use crate::store::SEGMENT;

/// Entries in short, as they are gathered.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    count: u64,
    /// When the entries were recorded: the place of the first one of each moment.
    moments: Vec<(u64, RecordedAt)>,
    /// The place of the first one that was generated.
    generated: Option<u32>,
    items: Vec<u8>,
}

/// A segment of the log in short, as it is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// When the entries were recorded: the position of the first one of each moment.
    pub moments: Vec<(u64, RecordedAt)>,
    /// The first one that was generated.
    pub generated: Option<Position>,
    /// The entries.
    pub items: Vec<Item>,
}

/// An entry in short.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// It records a placement.
    Placement(Position, PlacementKeys, Housed),
    /// It is something else, and whole.
    Whole(Box<Entry>),
}

const WHOLE: u8 = 1;
const OF_PERSON: u8 = 2;
const BY_SENDER: u8 = 4;
const CARE_ENDS: u8 = 8;
const SEVERAL: u8 = 16;

impl Gathered {
    /// Adds the next entry, with its keys. Gives a segment where this one completes it.
    pub fn push(&mut self, entry: &Entry, keys: Option<PlacementKeys>, line: &[u8]) -> Option<Vec<u8>> {
        remember(&mut self.moments, self.count, entry.recorded_at);
        if entry.source.is_generated() {
            self.generated.get_or_insert(self.count as u32);
        }
        match (&entry.event, keys) {
            (Event::PlacementRecorded(placement), Some(keys)) => self.placement(keys, placement.housed()),
            _ => {
                self.items.push(WHOLE);
                self.items.extend_from_slice(&(line.len() as u32).to_be_bytes());
                self.items.extend_from_slice(line);
            }
        }
        self.count += 1;
        (self.count == SEGMENT).then(|| std::mem::take(self).bytes())
    }

    /// How many entries there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    fn placement(&mut self, keys: PlacementKeys, housed: Housed) {
        let flag = |is: bool, flag| if is { flag } else { 0 };
        let persons = u32::from(housed.persons);
        let items = &mut self.items;
        items.push(
            flag(keys.person.is_some(), OF_PERSON)
                | flag(keys.event.is_some(), BY_SENDER)
                | flag(housed.in_care_until.is_some(), CARE_ENDS)
                | flag(persons != 1, SEVERAL),
        );
        items.extend_from_slice(&housed.municipality.number().to_be_bytes());
        items.extend_from_slice(&housed.counts_from.index().to_be_bytes());
        items.push(housed.kind.index() as u8);
        if let Some(day) = housed.in_care_until {
            items.extend_from_slice(&day.index().to_be_bytes());
        }
        if persons != 1 {
            items.extend_from_slice(&persons.to_be_bytes());
        }
        for key in [Some(keys.placement), keys.person, keys.event].into_iter().flatten() {
            items.extend_from_slice(&key.to_bytes());
        }
    }

    /// All of them, as a segment has them.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.items.len() + 16 + 12 * self.moments.len());
        bytes.extend_from_slice(&self.generated.unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(&(self.moments.len() as u32).to_be_bytes());
        for (place, at) in &self.moments {
            bytes.extend_from_slice(&(*place as u32).to_be_bytes());
            bytes.extend_from_slice(&at.millis().to_be_bytes());
        }
        bytes.extend_from_slice(&self.items);
        bytes
    }
}

impl Segment {
    /// Reads a segment of so many entries, of which the first has this position.
    ///
    /// # Errors
    /// When it is not what [`Gathered::bytes`] gives.
    pub fn read(first: u64, count: u64, bytes: &[u8]) -> Result<Self, String> {
        Self::parse(first, count, bytes).ok_or_else(|| "does not decode".to_owned())
    }

    fn parse(first: u64, count: u64, bytes: &[u8]) -> Option<Self> {
        let mut from = Bytes(bytes);
        let place = |place: u32| first + u64::from(place);
        let generated = from.u32()?;
        let generated = (generated != u32::MAX).then(|| Position(place(generated)));
        let mut moments = Vec::new();
        for _ in 0..from.u32()? {
            let at = place(from.u32()?);
            moments.push((at, RecordedAt::from_millis(i64::from_be_bytes(from.take()?)).ok()?));
        }
        let mut items = Vec::with_capacity(count as usize);
        for position in (first..first + count).map(Position) {
            items.push(from.item(position)?);
        }
        from.0.is_empty().then_some(Self { moments, generated, items })
    }
}

/// What is still to be read.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn item(&mut self, position: Position) -> Option<Item> {
        let [flags] = self.take()?;
        if flags == WHOLE {
            let length = self.u32()? as usize;
            let (line, rest) = self.0.split_at_checked(length)?;
            self.0 = rest;
            let entry = Entry::decode(line).ok()?;
            return (entry.position == position).then(|| Item::Whole(Box::new(entry)));
        }
        let municipality = MunicipalityCode::from_number(self.u16()?)?;
        let counts_from = Day::from_index(self.u16()?)?;
        let [kind] = self.take()?;
        let kind = *PlacementKind::ALL.get(usize::from(kind))?;
        let in_care_until = match flags & CARE_ENDS {
            0 => None,
            _ => Some(Day::from_index(self.u16()?)?),
        };
        let persons = if flags & SEVERAL == 0 { 1 } else { self.u32()? };
        let housed = Housed {
            municipality,
            placed_in: municipality,
            counts_from,
            kind,
            persons: Persons::try_from(persons).ok()?,
            in_care_until,
        };
        let placement = self.key()?;
        let person = if flags & OF_PERSON == 0 { None } else { Some(self.key()?) };
        let event = if flags & BY_SENDER == 0 { None } else { Some(self.key()?) };
        Some(Item::Placement(position, PlacementKeys { placement, person, event }, housed))
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }

    fn key(&mut self) -> Option<Key> {
        self.take().map(Key::from_bytes)
    }
}
