//! The independent check: both copies read wholly, every hash computed again, entry for entry.

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::thread;

use super::Head;
use super::checkpoint::{self, Stated};
use super::error::{Remedy, StoreError};
use super::events::{Copy, Events, Survey};
use super::folder::{Access, Folder};
use super::journal::{self, Scan};
use super::open::{Evidence, stated_sizes};
use super::past::Past;
use super::signing::{self, SigningError};
use super::{Lines, SEGMENT, lines};
use crate::proof::merkle::{Hash, Tree};

/// What verifying found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// How many entries are proven: those of the longest copy that agrees with the checkpoint, or of the journal.
    pub size: u64,
    /// Their root.
    pub root: Hash,
    /// Everything that is not as it should be; empty for a ledger in good order.
    pub findings: Vec<Finding>,
}

impl Verification {
    /// Whether all is as it should be.
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty()
    }

    /// The head that was proven.
    pub fn head(&self) -> Head {
        Head { size: self.size, root: self.root }
    }
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub what: String,
    /// Where it was found.
    pub place: Place,
    /// The entries that it touches.
    pub positions: Range<u64>,
    /// What to do about it.
    pub remedy: Remedy,
}

/// A place in a ledger's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file of the journal.
    Journal {
        /// The file's name.
        file: String,
        /// The first byte of the frame that is meant.
        offset: u64,
    },
    /// The journal where it ends.
    JournalEnd,
    /// A key of the events: the position of a frame's first entry.
    Events {
        /// The key.
        key: u64,
    },
    /// The events as a whole.
    AllEvents,
    /// The checkpoint file.
    Checkpoint,
    /// The checkpoint that was signed last.
    SignedCheckpoint,
    /// A line of the audit record.
    Audit {
        /// The file's name.
        file: String,
        /// The line, counted from 1.
        line: u64,
    },
    /// Where the audit record says that it ends.
    AuditHead,
    /// A file of the snapshot.
    Snapshot {
        /// Its name.
        file: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal { file, offset } => write!(f, "journal/{file} at byte {offset}"),
            Self::JournalEnd => f.write_str("journal, at its end"),
            Self::Events { key } => write!(f, "events at key {key}"),
            Self::AllEvents => f.write_str("events"),
            Self::Checkpoint => f.write_str("checkpoint"),
            Self::SignedCheckpoint => f.write_str("signed-checkpoint"),
            Self::Audit { file, line } => write!(f, "audit/{file}, line {line}"),
            Self::AuditHead => f.write_str("audit/head"),
            Self::Snapshot { file } => write!(f, "snapshot/{file}"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Range { start, end } = self.positions;
        write!(f, "{}: {}", self.place, self.what)?;
        if start < end {
            write!(f, " (entries {start} up to {end})")?;
        }
        write!(f, ". {}", self.remedy)
    }
}

/// Gives the entries up to here in short, where a segment of the snapshot ends with this one.
pub type InShort<'a> = &'a mut dyn FnMut(u64, &[u8]) -> Option<Vec<u8>>;

/// Reads journal and events wholly, computes every leaf and root again, and compares both with each other, entry for
/// entry, with the checkpoint, and with what was signed last; and makes the snapshot again and compares it too. `progress` gets
/// the number of entries that were compared.
///
/// Nothing in the directory changes. The events are opened from a copy in a temporary folder in it, which needs as
/// much room again while this runs.
///
/// # Errors
/// When the ledger is in use or is none, and when the operating system refuses. Damage is not an error but a finding.
pub fn verify(
    dir: &Path,
    in_short: InShort<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<Verification, StoreError> {
    let folder = Folder::claim(dir, Access::MustExist)?;
    let stated = checkpoint::read(&folder.checkpoint())?;
    let signed = signing::last_signed_head(folder.root());
    let copy = Copy::open(&folder)?;
    let (snapshot, mut differs) = (folder.snapshot(), None);
    let mut difference = Comparison::new(copy.events().ok());
    let (scan, survey) = thread::scope(|scope| {
        let mut sizes = stated_sizes(&stated);
        // Most often the journal ends where the checkpoint says, and both copies can be hashed at the same time.
        let survey = scope.spawn(|| copy.survey(&stated_sizes(&stated)));
        sizes.extend(signed.iter().flatten().map(|head| head.size));
        let (commits, scan) = journal::scan_beside(scope, folder.journal(), Tree::new(), sizes);
        let mut past = Past::default();
        for (first, raw, blocks) in commits {
            past.extend(&blocks);
            for (position, line) in (first..).zip(lines::split(&raw)) {
                difference.next(position, line);
                if let Some(short) = in_short(position, line) {
                    let is_it = snapshot.is_it(position + 1, &past, &short);
                    differs = differs.or(is_it.err().map(|what| (position + 1, what)));
                }
                if position % 8_192 == 0 {
                    progress(position);
                }
            }
        }
        let scan = scan.join().expect("reading does not panic")?;
        Ok::<_, StoreError>((scan, survey.join().expect("reading does not panic")?))
    })?;
    let evidence = Evidence { folder: &folder, stated: &stated, scan: &scan };
    let survey = match stated_sizes(&stated).contains(&scan.roots.size()) {
        true => survey,
        false => copy.survey(&evidence.sizes())?,
    };
    progress(scan.roots.size().max(survey.roots.size()));

    let remedy = evidence.remedy(&survey)?;
    let mut findings = Vec::new();
    findings.extend(checkpoint_finding(&stated, &scan, &survey, remedy));
    findings.extend(signed_finding(&signed, &scan));
    findings.extend(journal_finding(&evidence, remedy));
    findings.extend(events_finding(&evidence, &survey, remedy));
    findings.extend(difference.found.map(|(position, key)| Finding {
        what: "the entry there is another than in the journal".to_owned(),
        place: Place::Events { key },
        positions: position..position + 1,
        remedy,
    }));
    findings.extend(differs.map(|(end, (what, remedy))| Finding {
        what: what.to_owned(),
        place: Place::Snapshot { file: snapshot.name(end) },
        positions: end - SEGMENT..end,
        remedy,
    }));
    let (journal, events) = (scan.roots.head(), survey.roots.head());
    let head =
        if evidence.events_are_complete(&survey) && events.size > journal.size { events } else { journal };
    Ok(Verification { size: head.size, root: head.root, findings })
}

/// The beginning of a journal, as it is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfJournal {
    /// Up to where it was read, in whole commits. It is less than was asked for where the journal ends before that.
    pub size: u64,
    /// The root over as many entries as were asked for; none where there are fewer.
    pub root: Option<Hash>,
}

/// Hashes the first `size` entries of the journal on all cores, and looks at nothing else. `progress` gets the number of
/// entries that were hashed.
///
/// # Errors
/// When the ledger is in use or is none, and when the journal is damaged before that size.
pub fn root_of_journal(
    dir: &Path,
    size: u64,
    progress: &mut dyn FnMut(u64),
) -> Result<OfJournal, StoreError> {
    let folder = Folder::claim(dir, Access::MustExist)?;
    folder.check_unused()?;
    let hashed = journal::hash(&folder.journal(), size, progress)?;
    let is_there = hashed.whole >= size && hashed.tree.size() == size;
    Ok(OfJournal { size: hashed.whole, root: is_there.then(|| hashed.tree.root()) })
}

fn checkpoint_finding(stated: &Stated, scan: &Scan, survey: &Survey, remedy: Remedy) -> Option<Finding> {
    let (journal, events) = (scan.roots.head(), survey.roots.head());
    let finding =
        |what, positions, remedy| Some(Finding { what, place: Place::Checkpoint, positions, remedy });
    match stated {
        Stated::Lost(why) if journal == events && survey.fault.is_none() && journal.size > 0 => {
            finding(why.clone(), 0..0, Remedy::Reopen)
        }
        Stated::Lost(why) => finding(why.clone(), 0..0, remedy),
        Stated::Head(head) if head.size < journal.size && scan.roots.extend(head) => finding(
            format!("it states {} entries and the journal holds {}", head.size, journal.size),
            head.size..journal.size,
            Remedy::Reopen,
        ),
        Stated::Head(_) => None,
    }
}

fn signed_finding(signed: &Result<Option<Head>, SigningError>, scan: &Scan) -> Option<Finding> {
    let size = scan.roots.size();
    let (what, positions) = match signed {
        Ok(None) => return None,
        Ok(Some(head)) if scan.roots.extend(head) => return None,
        Ok(Some(head)) if head.size > size => {
            (format!("it states {} entries and the journal holds {size}", head.size), size..head.size)
        }
        Ok(Some(head)) => ("the journal's entries are not those that were signed".to_owned(), 0..head.size),
        Err(error) => (error.to_string(), 0..0),
    };
    Some(Finding { what, place: Place::SignedCheckpoint, positions, remedy: Remedy::Restore })
}

fn journal_finding(evidence: &Evidence<'_>, remedy: Remedy) -> Option<Finding> {
    let scan = evidence.scan;
    let (size, needed) = (scan.roots.size(), evidence.needed());
    if let Some(fault) = &scan.fault {
        let torn = scan.is_whole() && needed <= size;
        return Some(Finding {
            what: fault.what.to_string(),
            place: Place::Journal { file: fault.file.clone(), offset: fault.offset },
            positions: size..needed.max(size),
            remedy: if torn { Remedy::Reopen } else { remedy },
        });
    }
    let Stated::Head(head) = evidence.stated else {
        return None;
    };
    let (what, positions) = if size < head.size {
        (format!("it ends after {size} entries and the checkpoint states {}", head.size), size..head.size)
    } else if !scan.roots.extend(head) {
        ("its entries are not those of the checkpoint".to_owned(), 0..head.size)
    } else {
        return None;
    };
    Some(Finding { what, place: Place::JournalEnd, positions, remedy })
}

fn events_finding(evidence: &Evidence<'_>, survey: &Survey, remedy: Remedy) -> Option<Finding> {
    let size = survey.roots.size();
    let end = evidence.needed().max(evidence.scan.roots.size());
    let (what, place, positions, remedy) = if let Some(fault) = &survey.fault {
        let place = fault.key.map_or(Place::AllEvents, |key| Place::Events { key });
        (fault.what.clone(), place, size..end.max(size), remedy)
    } else if size < end {
        // As after every unclean stop, as long as the journal has the rest.
        let remedy = if evidence.journal_is_complete() { Remedy::Reopen } else { remedy };
        (format!("they hold {size} of {end} entries"), Place::AllEvents, size..end, remedy)
    } else if let Stated::Head(head) = evidence.stated
        && !survey.roots.extend(head)
    {
        let what = "their entries are not those of the checkpoint".to_owned();
        (what, Place::AllEvents, 0..head.size, remedy)
    } else {
        return None;
    };
    Some(Finding { what, place, positions, remedy })
}

/// Compares the journal's entries with those of the events while the journal is read.
struct Comparison<'a> {
    events: Option<&'a Events>,
    /// A frame of the events: its key and its lines.
    frame: (u64, Lines),
    /// The first entry that differs and the key of the frame it is in.
    found: Option<(u64, u64)>,
}

impl<'a> Comparison<'a> {
    fn new(events: Option<&'a Events>) -> Self {
        Self { events, frame: (0, Lines::new()), found: None }
    }

    fn next(&mut self, position: u64, line: &[u8]) {
        let Some(events) = self.events else { return };
        let end = self.frame.0 + self.frame.1.len() as u64;
        if position == end {
            match events.database().frame_of(position) {
                Ok((key, lines)) if key == position => self.frame = (key, lines),
                // Where the events end or are damaged there is nothing to compare; the survey says why.
                _ => return self.events = None,
            }
        }
        let (key, known) = &self.frame;
        if known.get((position - key) as usize) != Some(line) {
            self.found = Some((position, *key));
            self.events = None;
        }
    }
}
