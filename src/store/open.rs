//! Opening: what must agree before anything is served.
//!
//! The checkpoint says how many entries were acknowledged and what their root is. The journal is read first, since it
//! is what made them durable. As long as it reaches the checkpoint it is the truth, and the events follow it. Only when
//! it does not are the events asked to stand in, from a copy, with every hash computed again.

use std::sync::Arc;
use std::thread;

use super::checkpoint::{self, Stated};
use super::commit::Commit;
use super::error::{Remedy, StoreError};
use super::events::{Copy, Events, Survey};
use super::folder::Folder;
use super::frame::Encoder;
use super::journal::{self, Journal, Scan};
use super::lines::Lines;
use super::note::Note;
use super::past::Past;
use super::reader::{Durable, Reader};
use super::repair::{is_part, whole_copy};
use super::{Fold, Head, Opened, Options, SEGMENT, Store, lines};
use crate::proof::merkle::Tree;

/// How many entries, and how many bytes of them, a commit holds when the journal is written again.
const REWRITE_ENTRIES: usize = 8_192;
const REWRITE_BYTES: usize = 4 * 1024 * 1024;

/// Opens a ledger whose directory is already claimed.
pub(super) fn open(folder: Folder, options: &Options, fold: &mut dyn Fold) -> Result<Opened, StoreError> {
    // Before anything is looked at: what another program is writing to may look like damage.
    folder.check_unused()?;
    let mut notes = folder.sweep()?;
    let stated = checkpoint::read(&folder.checkpoint())?;
    let snapshot = folder.snapshot();
    let base = match stated {
        Stated::Head(head) if fold.keeps_snapshot() => snapshot.end(head.size, &mut notes),
        _ => Tree::new(),
    };
    if base.size() > 0 {
        match agree(&folder, options, &stated, base, fold, &mut notes)? {
            Ok(agreed) => return finish(folder, options, &stated, agreed, notes),
            Err(why) => {
                fold.restart();
                notes.push(snapshot.forget_from(SEGMENT, &why));
            }
        }
    }
    match agree(&folder, options, &stated, Tree::new(), fold, &mut notes)? {
        Ok(agreed) => finish(folder, options, &stated, agreed, notes),
        Err(why) => unreachable!("there is no snapshot that {why}"),
    }
}

/// Journal and events that hold the same entries.
struct Agreed {
    scan: Scan,
    past: Past,
    events: Events,
    head: Head,
}

/// Folds all entries, those of `base` from the snapshot, and brings journal and events to hold the same.
///
/// With a snapshot this does no more than add what is missing at the end. Where more is wrong, the reason for which the
/// snapshot must go comes back, and all is read.
fn agree(
    folder: &Folder,
    options: &Options,
    stated: &Stated,
    base: Tree,
    fold: &mut dyn Fold,
    notes: &mut Vec<Note>,
) -> Result<Result<Agreed, String>, StoreError> {
    let from = base.size();
    let (scan, past) = match read(folder, stated, base, fold)? {
        Ok(read) => read,
        Err(why) => return Ok(Err(why)),
    };
    let evidence = Evidence { folder, stated, scan: &scan };
    if from > 0 && (scan.reached < from || !evidence.journal_is_complete()) {
        return Ok(Err("is not of this journal, or the journal is not whole".to_owned()));
    }
    evidence.check_journal()?;
    let (events, head) = if evidence.journal_is_complete() {
        match follow_journal(&evidence, notes)? {
            Some(followed) => followed,
            None if from > 0 => return Ok(Err("is of no use where the events hold more".to_owned())),
            // After a power cut the checkpoint may lag, so that the journal looks complete and is not.
            None => follow_events(&evidence, options, notes, fold)?,
        }
    } else {
        follow_events(&evidence, options, notes, fold)?
    };
    Ok(Ok(Agreed { scan, past, events, head }))
}

/// Reads the journal on another core while what it gives is folded. Gives what is kept of the tree as well.
fn read(
    folder: &Folder,
    stated: &Stated,
    base: Tree,
    fold: &mut dyn Fold,
) -> Result<Result<(Scan, Past), String>, StoreError> {
    let snapshot = folder.snapshot();
    let (dir, sizes, from) = (folder.journal(), stated_sizes(stated), base.size());
    thread::scope(|scope| {
        let (commits, reading) = journal::scan_beside(scope, dir, base, sizes);
        let mut past = Past::default();
        if from > 0 {
            let mut ends = (1..=from / SEGMENT).map(|count| count * SEGMENT);
            let (mut unusable, mut before) = (None, Tree::new());
            let taken = fold.segments(&mut || match snapshot.read(ends.next()?) {
                Ok(Some(segment)) if !segment.follows(&before) => {
                    unusable = Some("is of another history than those before it".to_owned());
                    None
                }
                Ok(Some(segment)) => {
                    past.extend(&segment.blocks);
                    before = segment.tree;
                    Some(segment.short)
                }
                Ok(None) => None,
                Err(why) => {
                    unusable = Some(why.to_owned());
                    None
                }
            });
            if let Some(why) = taken.err().or(unusable) {
                return Ok(Err(why));
            }
        }
        for (first, raw, blocks) in commits {
            past.extend(&blocks);
            for (position, line) in (first..).zip(lines::split(&raw)) {
                let short = fold.entry(position, line);
                let short = short.map_err(|reason| StoreError::Visit { position, reason })?;
                if let Some(short) = short {
                    // As when it is written later: without it the next opening takes longer, and nothing else.
                    let _ = snapshot.write(position + 1, &past, &short);
                }
            }
        }
        let scan = reading.join().expect("reading does not panic")?;
        Ok(Ok((scan, past)))
    })
}

/// Makes a store of what agrees.
fn finish(
    folder: Folder,
    options: &Options,
    stated: &Stated,
    agreed: Agreed,
    mut notes: Vec<Note>,
) -> Result<Opened, StoreError> {
    let Agreed { mut scan, mut past, events, head } = agreed;
    // Before the checkpoint: a commit that was kept, of a process killed before its sync, is made durable here.
    let journal = Journal::resume(&folder.journal(), options.journal_file_bytes)?;
    if *stated != Stated::Head(head) {
        notes.extend(Evidence { folder: &folder, stated, scan: &scan }.checkpoint_note(head));
        // A crash before this leaves the same disagreement, and the next opening the same healing.
        checkpoint::replace(&folder.checkpoint(), &head)?;
    }
    if head != scan.roots.head() {
        // The journal was written again beyond where the first reading ended.
        past = Past::default();
        scan = journal::scan_from(&folder.journal(), Tree::new(), &[], &mut |_, _, blocks| {
            past.extend(&blocks);
            Ok(())
        })?;
    }
    let tree = scan.roots.tree().clone();
    assert_eq!(Head::of(&tree), head, "the journal ends where the events end");
    let durable = Arc::new(Durable::new(&tree, past));
    let reader = Reader::new(Arc::clone(events.database()), durable, Arc::new(folder));
    let (encoder, commit) = (Encoder::new(), Commit::default());
    let store = Store { journal, events, tree, encoder, commit, reader };
    Ok(Opened { store, notes })
}

/// The size that the checkpoint states, if it states one.
pub(super) fn stated_sizes(stated: &Stated) -> Vec<u64> {
    match stated {
        Stated::Head(head) => vec![head.size],
        Stated::Lost(_) => vec![],
    }
}

/// What lies on disk: the checkpoint and the journal, both read.
pub(super) struct Evidence<'a> {
    pub folder: &'a Folder,
    pub stated: &'a Stated,
    pub scan: &'a Scan,
}

impl Evidence<'_> {
    /// Up to where entries were acknowledged, as far as checkpoint and journal tell.
    pub fn needed(&self) -> u64 {
        // A journal that is damaged in the middle still vouches for what it holds before that.
        let journal = if self.scan.is_whole() { 0 } else { self.scan.roots.size() };
        let stated = stated_sizes(self.stated).into_iter().chain([journal]);
        stated.fold(self.scan.claims, u64::max)
    }

    /// Whether the journal holds every acknowledged entry, as the checkpoint has them.
    pub fn journal_is_complete(&self) -> bool {
        match self.stated {
            Stated::Head(head) => self.scan.is_whole() && self.scan.roots.extend(head),
            Stated::Lost(_) => false,
        }
    }

    /// Whether the events hold every acknowledged entry, as the checkpoint has them.
    pub fn events_are_complete(&self, survey: &Survey) -> bool {
        match self.stated {
            Stated::Head(head) => {
                survey.fault.is_none() && survey.roots.size() >= self.needed() && survey.roots.extend(head)
            }
            Stated::Lost(_) => false,
        }
    }

    /// The sizes at which the events are compared with checkpoint and journal.
    pub fn sizes(&self) -> Vec<u64> {
        let mut sizes = stated_sizes(self.stated);
        sizes.push(self.scan.roots.size());
        sizes
    }

    /// Reads the events from a copy.
    pub fn survey(&self) -> Result<Survey, StoreError> {
        Copy::open(self.folder)?.survey(&self.sizes())
    }

    /// What repairs damage that opening does not heal.
    pub fn remedy(&self, survey: &Survey) -> Result<Remedy, StoreError> {
        let one_is_whole = match self.stated {
            Stated::Head(_) => self.journal_is_complete() || self.events_are_complete(survey),
            Stated::Lost(_) => whole_copy(self.folder, self.scan, survey)?.is_some(),
        };
        Ok(if one_is_whole { Remedy::VerifyRepair } else { Remedy::Restore })
    }

    /// Refuses a journal that is long enough and holds other entries than the checkpoint says.
    fn check_journal(&self) -> Result<(), StoreError> {
        let Stated::Head(head) = self.stated else {
            return Ok(());
        };
        if self.scan.roots.size() < head.size || self.scan.roots.extend(head) {
            return Ok(());
        }
        Err(StoreError::Differs {
            detail: format!(
                "the journal's first {} entries are not those of the checkpoint: their roots differ",
                head.size
            ),
            remedy: self.remedy(&self.survey()?)?,
        })
    }

    /// What to say about a checkpoint that was not what it should be.
    fn checkpoint_note(&self, head: Head) -> Option<Note> {
        match self.stated {
            Stated::Lost(why) => Some(Note::CheckpointRewritten { why: why.clone(), size: head.size }),
            Stated::Head(had) if had.size < head.size => {
                Some(Note::CheckpointBehind { had: had.size, size: head.size })
            }
            Stated::Head(_) => None,
        }
    }
}

/// The journal holds all that was acknowledged: the events must be a part of it, and are made equal to it. Gives nothing
/// where they hold more.
///
/// Of the events the last [`SEGMENT`] entries are looked at. What lies before is checked when it is asked for: then a frame that is
/// missing or damaged is an error that names it.
fn follow_journal(
    evidence: &Evidence<'_>,
    notes: &mut Vec<Note>,
) -> Result<Option<(Events, Head)>, StoreError> {
    let (folder, head) = (evidence.folder, evidence.scan.roots.head());
    let were_there = folder.events().is_dir();
    let from = head.size.saturating_sub(SEGMENT);
    let mut behind = None;
    let mut events = match Events::open(&folder.events(), from, notes)? {
        Ok(events) if events.head().size > head.size => return Ok(None),
        Ok(events) if events.head().size == 0 && head.size > 0 => {
            let why = if were_there { "the events were empty" } else { "the folder `events` was missing" };
            notes.push(Note::EventsRebuilt { why: why.to_owned(), kept_as: None, size: head.size });
            events
        }
        Ok(events) => {
            let had = events.head().size;
            behind = (had < head.size).then_some(Note::EventsBehind { had, size: head.size });
            events
        }
        Err(fault) => {
            let kept_as = folder.set_events_aside()?;
            notes.push(Note::EventsRebuilt { why: fault.to_string(), kept_as, size: head.size });
            // A crash here leaves no events: the next opening builds them from the journal as well.
            Events::open(&folder.events(), 0, notes)??
        }
    };
    if !catch_up(evidence, &mut events)? {
        let had = events.head();
        drop(events);
        if !is_part(folder, had)? {
            return Err(not_a_part(had));
        }
        // The journal was written again since, with frames that end elsewhere.
        let why =
            format!("the events held {} of {} entries, in frames unlike the journal's", had.size, head.size);
        let kept_as = folder.set_events_aside()?;
        behind = Some(Note::EventsRebuilt { why, kept_as, size: head.size });
        events = Events::open(&folder.events(), 0, notes)??;
        if !catch_up(evidence, &mut events)? {
            return Err(not_a_part(had));
        }
    }
    notes.extend(behind);
    cut_tail(evidence, notes)?;
    Ok(Some((events, head)))
}

/// Sets aside what a crash left of a commit that was never acknowledged.
fn cut_tail(evidence: &Evidence<'_>, notes: &mut Vec<Note>) -> Result<(), StoreError> {
    let Some(fault) = &evidence.scan.fault else {
        return Ok(());
    };
    let (bytes, kept_as) = journal::cut_tail(&evidence.folder.journal(), fault)?;
    notes.push(Note::TailCut {
        file: fault.file.clone(),
        offset: fault.commit_offset,
        bytes,
        kept_as,
        size: evidence.scan.roots.size(),
    });
    Ok(())
}

/// Adds to the events what the journal has more, when a frame of it ends where they end, with the same root. Returns
/// whether that is so.
fn catch_up(evidence: &Evidence<'_>, events: &mut Events) -> Result<bool, StoreError> {
    let head = evidence.scan.roots.head();
    let from = events.head();
    let mut meets = from == head || from.size == 0;
    if from.size < head.size {
        let mut encoder = Encoder::new();
        journal::frames_between(&evidence.folder.journal(), from.size, head.size, |frame, raw| {
            let header = &frame.header;
            if header.end() == from.size {
                meets = header.root == from.root;
            } else if meets {
                if header.first != events.head().size {
                    return Err(journal_changed());
                }
                events.put(&mut encoder, frame, raw)?;
            }
            Ok(())
        })?;
        if meets {
            events.apply()?;
            if events.head() != head {
                return Err(journal_changed());
            }
        }
    }
    Ok(meets)
}

fn not_a_part(events: Head) -> StoreError {
    StoreError::Differs {
        detail: format!(
            "journal and events disagree about the first {} entries, and the checkpoint agrees with the journal",
            events.size
        ),
        remedy: Remedy::VerifyRepair,
    }
}

fn journal_changed() -> StoreError {
    StoreError::Damaged {
        detail: "the journal was read twice and held other entries the second time".to_owned(),
        remedy: Remedy::Verify,
    }
}

/// The journal cannot be proven complete. The events take its place when they are: every hash of theirs is computed
/// again before one entry of theirs is visited.
fn follow_events(
    evidence: &Evidence<'_>,
    options: &Options,
    notes: &mut Vec<Note>,
    fold: &mut dyn Fold,
) -> Result<(Events, Head), StoreError> {
    let survey = evidence.survey()?;
    let journal = evidence.scan.roots.head();
    let agree_so_far = survey.roots.extend(&journal);
    match evidence.stated {
        Stated::Lost(why) => {
            let equal = survey.fault.is_none() && survey.roots.head() == journal;
            if !equal || journal.size == 0 || !evidence.scan.is_whole() {
                return Err(checkpoint_lost(evidence, &survey, why)?);
            }
        }
        Stated::Head(head) => {
            if !evidence.events_are_complete(&survey) {
                let (end, events_end) = (evidence.scan.end(), survey.end());
                return Err(StoreError::Short {
                    detail: format!(
                        "the checkpoint states {} entries with root {}, and neither copy holds all that was \
                         acknowledged: {end}; {events_end}",
                        head.size, head.root
                    ),
                    remedy: Remedy::Restore,
                });
            }
            if !agree_so_far {
                return Err(StoreError::Differs {
                    detail: format!(
                        "journal and events disagree about the first {} entries, and the checkpoint agrees with the \
                         events; {}",
                        journal.size,
                        evidence.scan.end()
                    ),
                    remedy: Remedy::VerifyRepair,
                });
            }
        }
    }
    let events = Events::open(&evidence.folder.events(), 0, notes)??;
    let head = survey.roots.head();
    if events.head() != head {
        return Err(StoreError::Damaged {
            detail: "the events opened otherwise than their copy did".to_owned(),
            remedy: Remedy::Verify,
        });
    }
    if head == journal && evidence.scan.is_whole() {
        cut_tail(evidence, notes)?;
    } else {
        rewrite_journal(evidence, &events, options, notes, fold)?;
    }
    Ok((events, head))
}

fn checkpoint_lost(evidence: &Evidence<'_>, survey: &Survey, why: &str) -> Result<StoreError, StoreError> {
    Ok(StoreError::CheckpointLost {
        detail: format!(
            "{why}, and the copies do not both vouch for the same entries: {}; {}",
            evidence.scan.end(),
            survey.end()
        ),
        remedy: evidence.remedy(survey)?,
    })
}

/// Writes the journal again from the events, from the damaged file on, and visits what was not visited before.
///
/// A crash anywhere in here leaves a journal that is shorter than the checkpoint and events that are whole: the next
/// opening begins this again. What was set aside stays.
fn rewrite_journal(
    evidence: &Evidence<'_>,
    events: &Events,
    options: &Options,
    notes: &mut Vec<Note>,
    fold: &mut dyn Fold,
) -> Result<(), StoreError> {
    let (dir, scan) = (evidence.folder.journal(), evidence.scan);
    let (visited, head) = (scan.roots.size(), events.head());
    // A power cut must not find the journal moved away and the events, which hold all of it, only in memory.
    events.database().flush()?;
    evidence.folder.sync_events()?;
    let (kept_as, mut tree) = match &scan.fault {
        Some(fault) => (journal::set_aside_from(&dir, fault.file_first)?, fault.restart.clone()),
        None => (Vec::new(), scan.roots.tree().clone()),
    };
    let from = tree.size();
    let mut journal = Journal::resume(&dir, options.journal_file_bytes)?;
    let (mut lines, mut commit, mut encoder) = (Lines::new(), Commit::default(), Encoder::new());
    // The journal's errors pass through the visitor of the events, which knows only sentences.
    let mut failed = None;
    let read = events.database().read(from, head.size, &mut |position, line| {
        if position >= visited {
            // What it gives in short is let go: the next opening makes it again.
            fold.entry(position, line)?;
        }
        lines.push(line);
        let full = lines.len() == REWRITE_ENTRIES || lines.byte_len() >= REWRITE_BYTES;
        if full || position + 1 == head.size {
            let first = tree.size();
            commit.fill(&lines, &mut tree, &mut Vec::new(), &mut encoder);
            lines.clear();
            if let Err(error) = journal.write(first, commit.bytes()) {
                failed = Some(error);
                return Err("the journal cannot be written".to_owned());
            }
        }
        Ok(())
    });
    if let Some(error) = failed {
        return Err(error);
    }
    read?;
    assert_eq!(Head::of(&tree), head, "the journal was written again as the events have it");
    notes.push(Note::JournalRewritten { why: scan.end(), from, size: head.size, kept_as });
    Ok(())
}
