//! A ledger without a disk: decisions and the book alone, with the day of today as an argument.

use peildatum::book::Book;
use peildatum::decide::command::{Command, Identity};
use peildatum::decide::recalled::Recalled;
use peildatum::decide::refusal::Refusal;
use peildatum::decide::state::State;
use peildatum::decide::{Decided, decide};
use peildatum::domain::event::{Entry, IdBy};
use peildatum::domain::source::EventId;
use peildatum::domain::time::{Day, LogSize, Position, RecordedAt};

/// What was recorded so far, and everything that follows from it.
#[derive(Default)]
pub struct World {
    pub state: State,
    pub book: Book<'static>,
    /// The commands that were recorded, in the order of the log, with the day of each.
    pub recorded: Vec<(Day, Command)>,
    /// The same as entries of the log.
    pub entries: Vec<Entry>,
}

impl World {
    /// How many entries there are.
    pub fn size(&self) -> LogSize {
        LogSize(self.recorded.len() as u64)
    }

    /// The entries that are known at a log size, each with its line.
    pub fn lines(&self, size: LogSize) -> impl Iterator<Item = (&Entry, String)> {
        let known = &self.entries[..usize::try_from(size.0).expect("a small log")];
        known.iter().map(|entry| {
            let mut line = Vec::new();
            entry.encode_into(&mut line);
            (entry, String::from_utf8(line).expect("JSON is UTF-8"))
        })
    }

    /// How many entries there were before this day.
    pub fn size_before(&self, day: Day) -> LogSize {
        LogSize(self.recorded.iter().filter(|(recorded_on, _)| *recorded_on < day).count() as u64)
    }

    /// Offers a command that has no identity of its own, as a row of a file has none.
    pub fn offer(&mut self, today: Day, command: &Command) -> Result<Decided, Refusal> {
        self.offer_as(today, None, command)
    }

    /// Offers a command and takes up what it brings.
    pub fn offer_as(
        &mut self,
        today: Day,
        id: Option<EventId>,
        command: &Command,
    ) -> Result<Decided, Refusal> {
        let source = "coa".parse().expect("a source");
        let identity = Identity { source, id };
        let mut recalled = Recalled::default();
        for position in self.state.recall(&identity, command) {
            recalled.push(self.entries[position.0 as usize].clone(), &identity, command);
        }
        let decided = decide(&self.state, &recalled, &identity, command, today)?;
        let Decided::New(events) = &decided else { return Ok(decided) };
        for event in events {
            let (id, id_by) = match id {
                Some(id) => (id, IdBy::Sender),
                None => ("01890a5d-ac96-774b-bcce-b302099a8057".parse().expect("an id"), IdBy::Ledger),
            };
            let entry = Entry {
                position: Position(self.recorded.len() as u64),
                recorded_at: RecordedAt::start_of(today),
                delivery: "01890a5d-ac96-774b-bcce-b302099a8057".parse().expect("an id"),
                delivered_by: identity.source.clone(),
                id,
                id_by,
                source: identity.source.clone(),
                registered_at: None,
                event: event.clone(),
            };
            self.state.apply(&entry);
            self.book.apply(&entry);
            self.entries.push(entry);
            self.recorded.push((today, command.clone()));
        }
        Ok(decided)
    }
}
