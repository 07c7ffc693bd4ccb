//! Looking at the events without touching them.
//!
//! Opening sled rewrites damaged files, and with them the evidence. So whoever must know what is in there, and may find
//! damage, opens a copy.

use super::{Events, Fault};
use crate::store::error::StoreError;
use crate::store::folder::{Folder, copy_dir};
use crate::store::frame::{Decoder, FrameFault};
use crate::store::lines;
use crate::store::roots::Roots;

/// The events as they are on disk, opened from a copy in a temporary folder.
#[derive(Debug)]
pub(in crate::store) struct Copy {
    // Closed before the folder under it goes, since fields are dropped in this order.
    events: Result<Events, Fault>,
    _folder: Option<tempfile::TempDir>,
}

/// What a whole reading of the events found.
#[derive(Debug)]
pub(in crate::store) struct Survey {
    /// The entries of all frames before the first fault, hashed again.
    pub roots: Roots,
    /// The first fault.
    pub fault: Option<Fault>,
}

impl Survey {
    /// Where the events stop, in words.
    pub fn end(&self) -> String {
        let size = self.roots.size();
        match &self.fault {
            None => format!("the events end after {size} entries"),
            Some(fault) => format!("the events are good for {size} entries, then {fault}"),
        }
    }
}

impl Copy {
    /// Copies the events and opens the copy.
    pub fn open(folder: &Folder) -> Result<Self, StoreError> {
        folder.check_unused()?;
        let dir = folder.events();
        if !dir.is_dir() {
            let events = Err(Fault::whole("the folder `events` is missing"));
            return Ok(Self { events, _folder: None });
        }
        let temporary = folder.temporary()?;
        let copy = temporary.path().join("events");
        copy_dir(&dir, &copy)?;
        let events = match Events::start(&copy, None) {
            Ok(events) => Ok(events),
            Err(fault) => Err(fault.damage()?),
        };
        Ok(Self { events, _folder: Some(temporary) })
    }

    /// The events, when they open at all.
    pub fn events(&self) -> Result<&Events, &Fault> {
        self.events.as_ref()
    }

    /// Reads every frame and hashes every entry again, up to the first fault.
    ///
    /// # Errors
    /// When the operating system refuses. Damage is not an error but a fault.
    pub fn survey(&self, sizes: &[u64]) -> Result<Survey, StoreError> {
        let mut roots = Roots::new(sizes);
        let mut decoder = Decoder::new();
        let walked = self.events().map_err(Fault::clone).and_then(|events| {
            events.database().walk(0, &mut |frame| {
                let at = |fault| Fault::at(frame.header.first, &fault);
                let raw = frame.raw(&mut decoder).map_err(at)?;
                let mut grown = roots.clone();
                lines::split(raw).for_each(|line| grown.push(line));
                if grown.tree().root() != frame.header.root {
                    return Err(at(FrameFault::Root));
                }
                roots = grown;
                Ok(())
            })
        });
        let fault = walked.err().map(Fault::damage).transpose()?;
        Ok(Survey { roots, fault })
    }
}
