//! The explicit repair: the copy that the checkpoint does not vouch for gives way to the one that it does.

use std::path::Path;

use super::checkpoint::{self, Stated};
use super::error::{Remedy, StoreError};
use super::events::{Copy, Survey};
use super::folder::{Access, Folder};
use super::journal::{self, Scan};
use super::note::Note;
use super::open::{self, Evidence};
use super::{Head, Options, SEGMENT, Visiting};

/// Repairs what opening refuses to heal by itself, and returns what was done.
///
/// It sets aside, under another name, the copy that does not agree with the checkpoint, and then opens the ledger: the
/// same healing that an ordinary opening does builds that copy again. Where the checkpoint is lost, the longer copy
/// counts, provided that the other is a part of it.
///
/// # Errors
/// When neither copy agrees with the checkpoint nothing is changed; only a backup helps then.
pub fn repair(dir: &Path) -> Result<Vec<Note>, StoreError> {
    let folder = Folder::claim(dir, Access::MustExist)?;
    let mut notes = Vec::new();
    if let Stated::Lost(why) = checkpoint::read(&folder.checkpoint())? {
        replace_checkpoint(&folder, why, &mut notes)?;
    }
    let stated = checkpoint::read(&folder.checkpoint())?;
    let scan = scan(&folder, &open::stated_sizes(&stated))?;
    let evidence = Evidence { folder: &folder, stated: &stated, scan: &scan };
    set_aside(&evidence, &mut notes)?;
    // Whether it says the same as the journal only a verification tells. Made again, it does.
    if folder.snapshot().is_there() {
        notes.push(folder.snapshot().forget_from(SEGMENT, "is not trusted by a repair"));
    }
    // A crash here leaves one copy, and opening builds the other from it.
    let opened = open::open(folder, &Options::default(), &mut Visiting(&mut |_, _| Ok(())))?;
    opened.store.close()?;
    notes.extend(opened.notes);
    if notes.is_empty() {
        notes.push(Note::NothingToRepair);
    }
    Ok(notes)
}

/// Writes a lost checkpoint again from what the copies hold.
///
/// A crash right after leaves a copy that is behind its checkpoint, which opening heals.
fn replace_checkpoint(folder: &Folder, why: String, notes: &mut Vec<Note>) -> Result<(), StoreError> {
    let scan = scan(folder, &[])?;
    let survey = Copy::open(folder)?.survey(&[scan.roots.size()])?;
    let Some(head) = whole_copy(folder, &scan, &survey)? else {
        let why = format!("{why}, and neither copy is whole and holds what the other does");
        return Err(refusal(&why, &scan, &survey));
    };
    checkpoint::replace(&folder.checkpoint(), &head)?;
    notes.push(Note::CheckpointChosen { why, size: head.size, root: head.root });
    Ok(())
}

/// Without a checkpoint: the head of a copy that is sound, is not empty, and holds all that can be read of the other.
pub(super) fn whole_copy(folder: &Folder, scan: &Scan, survey: &Survey) -> Result<Option<Head>, StoreError> {
    let (journal, events) = (scan.roots.head(), survey.roots.head());
    if survey.fault.is_none()
        && events.size > 0
        && events.size >= scan.claims
        && survey.roots.extend(&journal)
    {
        return Ok(Some(events));
    }
    // With nothing beside it, what looks like a torn end may as well be damage to an acknowledged commit.
    let vouched_for = scan.fault.is_none() || survey.fault.is_none() && events.size > 0;
    let journal_holds_events = scan.is_whole() && vouched_for && journal.size > 0 && is_part(folder, events)?;
    Ok(journal_holds_events.then_some(journal))
}

/// Moves the copy out of the way that cannot be made whole by adding to it.
fn set_aside(evidence: &Evidence<'_>, notes: &mut Vec<Note>) -> Result<(), StoreError> {
    let survey = &evidence.survey()?;
    let (folder, scan) = (evidence.folder, evidence.scan);
    let (journal, events) = (scan.roots.head(), survey.roots.head());
    // Whether one is a part of the other: then opening adds what is missing and nothing has to go.
    let fit = survey.fault.is_none()
        && (survey.roots.extend(&journal) || events.size < journal.size && is_part(folder, events)?);
    if evidence.journal_is_complete() {
        if !fit {
            let why = if survey.fault.is_some() {
                survey.end()
            } else {
                format!("the events, with {} entries, are not those of the journal", events.size)
            };
            let kept_as = folder.set_events_aside()?.into_iter().collect();
            notes.push(Note::SetAside { why, kept_as });
        }
        Ok(())
    } else if evidence.events_are_complete(survey) {
        if !fit {
            folder.sync_events()?;
            let kept_as = journal::set_aside_from(&folder.journal(), 0)?;
            notes.push(Note::SetAside { why: scan.end(), kept_as });
        }
        Ok(())
    } else {
        Err(refusal("neither copy agrees with the checkpoint", scan, survey))
    }
}

/// Whether the journal's first entries are those that `head` stands for.
pub(super) fn is_part(folder: &Folder, head: Head) -> Result<bool, StoreError> {
    Ok(scan(folder, &[head.size])?.roots.extend(&head))
}

fn scan(folder: &Folder, sizes: &[u64]) -> Result<Scan, StoreError> {
    journal::scan(&folder.journal(), sizes, &mut |_, _| Ok(()))
}

fn refusal(why: &str, scan: &Scan, survey: &Survey) -> StoreError {
    StoreError::Short { detail: format!("{why}: {}; {}", scan.end(), survey.end()), remedy: Remedy::Restore }
}
