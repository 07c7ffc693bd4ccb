//! Backup and restore: the journal and its checkpoint, copied, with all that was signed and never the secret key.
//!
//! Links of persons are left out, since a backup cannot be erased; that there are some is not, so that a ledger that was put
//! back does not begin new ones unnoticed.
//!
//! The journal only grows, so it can be copied while a writer appends to it. The events are left out: opening builds
//! them again.

use std::fs;
use std::path::{Path, PathBuf};

use super::checkpoint::{self, Stated};
use super::error::{Remedy, StoreError};
use super::folder::{copy_file, format_of, is_empty, sync_dir, sync_parent, write_format};
use super::{Head, journal, links, signing};

/// Copies a ledger's journal and checkpoint to an absent or empty directory. It needs no lock: a writer may run.
///
/// The copy is read again, every hash of it, before it counts as a backup. Returns the head that it holds at least.
///
/// # Errors
/// When the target is not empty, when there is no ledger, and when the journal is not whole: a damaged ledger must be
/// repaired first, so that no backup is worth less than it seems.
pub fn backup(dir: &Path, to: &Path) -> Result<Head, StoreError> {
    if is_empty(dir)? {
        return Err(StoreError::NoLedger { dir: dir.to_path_buf() });
    }
    copy(dir, to, Remedy::Verify)
}

/// Puts a backup into an absent or empty directory. The next opening builds the events.
///
/// # Errors
/// When the target is not empty, when `from` is not a whole backup, and when the operating system refuses.
pub fn restore(from: &Path, dir: &Path) -> Result<Head, StoreError> {
    if is_empty(from)? {
        return Err(StoreError::NoLedger { dir: from.to_path_buf() });
    }
    copy(from, dir, Remedy::Restore)
}

fn copy(from: &Path, to: &Path, remedy: Remedy) -> Result<Head, StoreError> {
    format_of(from)?;
    if !is_empty(to)? {
        return Err(StoreError::NotEmpty { dir: to.to_path_buf() });
    }
    // The checkpoint first: what it states is durable in the journal already, so that the journal, copied after it, has
    // at least that. What the journal has more, and a commit that is being written at this moment, does no harm.
    let head = match read_checkpoint(from)? {
        Stated::Head(head) => head,
        Stated::Lost(why) => {
            let detail = format!("{why} in {}, so a copy could not be proven whole", from.display());
            return Err(StoreError::CheckpointLost { detail, remedy });
        }
    };
    fs::create_dir_all(to).map_err(StoreError::io("making", to))?;
    // Before the journal for the same reason: what was signed is durable in it.
    let signed = copy_signed(from, to, remedy)?;
    copy_journal(&from.join("journal"), &to.join("journal"))?;
    checkpoint::replace(&to.join("checkpoint"), &head)?;
    let signed = signed.unwrap_or(Head::empty());
    let scan = journal::scan(&to.join("journal"), &[head.size, signed.size], &mut |_, _| Ok(()))?;
    if !scan.is_whole() || !scan.roots.extend(&head) {
        let detail = format!(
            "the journal in {} does not hold the {} entries that its checkpoint states: {}",
            from.display(),
            head.size,
            scan.end()
        );
        return Err(StoreError::Short { detail, remedy });
    }
    if !scan.roots.extend(&signed) {
        let detail = format!(
            "the journal in {} does not begin with the {} entries that were signed: {}",
            from.display(),
            signed.size,
            scan.end()
        );
        return Err(StoreError::Differs { detail, remedy });
    }
    // A crash before this leaves a directory without FORMAT, which is no ledger and is refused as one.
    write_format(to)?;
    sync_parent(to)?;
    Ok(head)
}

/// Reads the checkpoint of a ledger that may be growing: caught in the middle of a write, it is whole a moment later.
fn read_checkpoint(from: &Path) -> Result<Stated, StoreError> {
    let path = from.join("checkpoint");
    for _ in 0..100 {
        if let stated @ Stated::Head(_) = checkpoint::read(&path)? {
            return Ok(stated);
        }
    }
    checkpoint::read(&path)
}

/// Copies what was signed, and that links of persons were begun. Gives what was signed last.
fn copy_signed(from: &Path, to: &Path, remedy: Remedy) -> Result<Option<Head>, StoreError> {
    let begun = Some(PathBuf::from(links::BEGUN)).filter(|file| from.join(file).is_file());
    for file in signing::public_files(from)?.into_iter().chain(begun) {
        let target = to.join(&file);
        fs::create_dir_all(target.parent().expect("it lies in the folder"))
            .map_err(StoreError::io("making", to))?;
        copy_file(&from.join(&file), &target)?;
    }
    let signed = signing::last_signed_head(from);
    signed.map_err(|error| StoreError::CheckpointLost { detail: error.to_string(), remedy })
}

fn copy_journal(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::create_dir(to).map_err(StoreError::io("making", to))?;
    for (_, name) in journal::files(from)? {
        let (from, to) = (from.join(&name), to.join(&name));
        copy_file(&from, &to)?;
    }
    sync_dir(to)
}
