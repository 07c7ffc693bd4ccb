//! Batches: what is decided one after another and committed together.

use std::sync::Arc;

use super::{Checkpoint, Ledger, LedgerError, decode};
use crate::decide::command::{Command, Identity};
use crate::decide::recalled::Recalled;
use crate::decide::refusal::Refusal;
use crate::decide::{Decided, decide};
use crate::domain::event::{Entry, IdBy};
use crate::domain::source::{DeliveryId, EventId, Source};
use crate::domain::time::{Day, Position, RecordedAt};
use crate::proof::merkle::{Hash, leaf_hash};
use crate::store::{self, Lines};

/// What became of an offer that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// It will be recorded here, as soon as the batch is committed.
    Recorded(Position),
    /// It was recorded before, here.
    Known(Position),
}

/// Things of one delivery that are committed together.
pub struct Batch<'a> {
    ledger: &'a mut Ledger,
    delivery: DeliveryId,
    delivered_by: &'a Source,
    recorded_at: RecordedAt,
    today: Day,
    /// The position of the first line.
    first: u64,
    lines: Lines,
    /// The segments of the snapshot that end in these lines, each with the size it ends at.
    segments: Vec<(u64, Vec<u8>)>,
    /// Whether an earlier batch was left without being committed.
    unfinished: bool,
}

/// Stands for a batch that is on its way to the disk.
#[derive(Debug, Default)]
#[must_use = "nobody may be told of a batch before it was waited for"]
pub struct Ticket(Option<store::Ticket>);

impl Ticket {
    /// Waits until the batch is durable. Only now may anybody be told of it. Gives the log right after, with what others
    /// recorded at the same time; nothing in a rehearsal.
    ///
    /// # Errors
    /// When it cannot be written: then the ledger does nothing more and must be opened again.
    pub fn wait(self) -> Result<Option<Checkpoint>, LedgerError> {
        let Some(ticket) = self.0 else { return Ok(None) };
        let head = ticket.wait()?;
        Ok(Some(Checkpoint { size: head.size, root: head.root }))
    }
}

impl<'a> Batch<'a> {
    pub(super) fn begin(ledger: &'a mut Ledger, delivery: DeliveryId, delivered_by: &'a Source) -> Self {
        let recorded_at = ledger.now();
        let today = recorded_at.dutch_day();
        let unfinished = std::mem::replace(&mut ledger.unfinished, true);
        let first = ledger.memory.size;
        Self {
            ledger,
            delivery,
            delivered_by,
            recorded_at,
            today,
            first,
            lines: Lines::new(),
            segments: Vec::new(),
            unfinished,
        }
    }

    /// Decides about a command and takes up what it brings. It counts for the next offer at once, and
    /// is on disk when the batch is committed.
    ///
    /// # Errors
    /// Outside, when an earlier entry that the decision needs cannot be read: then the batch cannot go on. Inside, when
    /// the command is refused.
    pub fn offer(
        &mut self,
        identity: &Identity,
        registered_at: Option<RecordedAt>,
        command: &Command,
    ) -> Result<Result<Offered, Refusal>, LedgerError> {
        let recalled = self.recall(identity, command)?;
        let events = match decide(&self.ledger.memory.state, &recalled, identity, command, self.today) {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(Decided::Known(position)) => return Ok(Ok(Offered::Known(position))),
            Ok(Decided::New(events)) => events,
        };
        let first = Position(self.ledger.memory.size);
        for event in events {
            let position = Position(self.ledger.memory.size);
            let (id, id_by) = match identity.id {
                Some(id) => (id, IdBy::Sender),
                None => (self.new_event_id(), IdBy::Ledger),
            };
            let entry = Entry {
                position,
                recorded_at: self.recorded_at,
                delivery: self.delivery,
                delivered_by: self.delivered_by.clone(),
                id,
                id_by,
                source: identity.source.clone(),
                registered_at,
                event,
            };
            self.lines.push_with(|line| entry.encode_into(line));
            let line = self.lines.last().expect("it was just added");
            if let Some(segment) = self.ledger.memory.apply(&entry, line) {
                self.segments.push((self.ledger.memory.size, segment));
            }
        }
        Ok(Ok(Offered::Recorded(first)))
    }

    /// Reads the entries that a decision needs, wherever they are by now.
    fn recall(&mut self, identity: &Identity, command: &Command) -> Result<Recalled, LedgerError> {
        let mut recalled = Recalled::default();
        for position in self.ledger.memory.state.recall(identity, command) {
            let own = position.0.checked_sub(self.first).and_then(|index| self.lines.get(index as usize));
            let entry = match own {
                Some(line) => decode(position, line)?,
                None => match self.ledger.recent.get(position.0)? {
                    Some(line) => decode(position, &line)?,
                    None => self.ledger.entry(position)?,
                },
            };
            recalled.push(entry, identity, command);
        }
        Ok(recalled)
    }

    /// Where a row of a list, as a list of its own, was recorded before.
    pub fn row_known(&self, row: &Command) -> Option<Position> {
        self.ledger.memory.state.row_known(row)
    }

    fn new_event_id(&mut self) -> EventId {
        (self.ledger.outside.ids)(self.recorded_at).try_into().expect("identities are of version 7")
    }

    /// Sends everything that was offered to the disk, where it is committed together with what others send.
    /// The next batch may begin at once.
    ///
    /// # Errors
    /// When an earlier batch was left without being committed.
    pub fn submit(self) -> Result<Ticket, LedgerError> {
        if self.unfinished {
            return Err(LedgerError::Unfinished);
        }
        let Ledger { recent, writer, reader, unfinished, .. } = self.ledger;
        let ticket = if recent.is_rehearsing() {
            recent.spool(&self.lines)?;
            None
        } else {
            let lines = Arc::new(self.lines);
            recent.submit(self.first, Arc::clone(&lines), reader.head().size);
            Some(writer.submit(self.first, lines, self.segments))
        };
        *unfinished = false;
        Ok(Ticket(ticket))
    }

    /// Makes everything that was offered durable. Only now may anybody be told of it.
    ///
    /// # Errors
    /// As for [`submit`](Self::submit) and [`Ticket::wait`].
    pub fn commit(self) -> Result<(), LedgerError> {
        self.submit()?.wait().map(|_| ())
    }

    /// When its entries are recorded.
    pub fn recorded_at(&self) -> RecordedAt {
        self.recorded_at
    }

    /// The leaf hash of an entry that this batch brought (RFC 6962).
    ///
    /// # Panics
    /// When it brought none at that position.
    pub fn leaf(&self, position: Position) -> Hash {
        let line = position.0.checked_sub(self.first).and_then(|index| self.lines.get(index as usize));
        leaf_hash(line.expect("a position of this batch"))
    }
}
