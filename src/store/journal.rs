//! The journal: every commit, one after another, in files that only grow.
//!
//! What is durable here is acknowledged. A commit is one write and one `fdatasync`, and ends in a frame that says so:
//! what a crash leaves after the last such frame was never acknowledged to anybody.

mod scan;

mod spans;

use std::fs::{self, File};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

pub(super) use scan::{Fault, Scan, frames_between, scan, scan_beside, scan_from};
pub(super) use spans::hash;

use super::error::{Remedy, StoreError};
use super::folder::{free_name, names, set_aside, sync_dir};

/// The journal's end, where commits are written.
#[derive(Debug)]
pub(super) struct Journal {
    dir: PathBuf,
    /// The last file; none before the first commit.
    file: Option<(PathBuf, File)>,
    length: u64,
    roll_at: u64,
}

impl Journal {
    /// Goes on where a scan ended. The scan must have ended without a fault, or its fault must have been removed.
    ///
    /// When this returns, all that the scan read is durable: a process may have been killed after it wrote a commit and
    /// before it synced it, and the scan counts that commit.
    pub fn resume(dir: &Path, roll_at: u64) -> Result<Self, StoreError> {
        let mut journal = Self { dir: dir.to_path_buf(), file: None, length: 0, roll_at };
        if let Some((_, name)) = files(dir)?.pop() {
            let path = dir.join(name);
            let file = File::options().append(true).open(&path).map_err(StoreError::io("opening", &path))?;
            journal.length = length(&path, &file)?;
            file.sync_data().map_err(StoreError::io("syncing", &path))?;
            sync_dir(dir)?;
            sync_dir(dir.parent().expect("it lies in the ledger"))?;
            journal.file = Some((path, file));
        }
        Ok(journal)
    }

    /// Writes a whole commit that begins at position `first`. When this returns, it is durable.
    pub fn write(&mut self, first: u64, commit: &[u8]) -> Result<(), StoreError> {
        if self.file.is_none() || self.length >= self.roll_at {
            self.begin_file(first)?;
        }
        let (path, file) = self.file.as_mut().expect("a file was begun");
        let found = length(path, file)?;
        if found != self.length {
            return Err(StoreError::Damaged {
                detail: format!(
                    "{} has {found} bytes and this program left it with {}, so another program writes to it; nothing \
                     was written",
                    path.display(),
                    self.length
                ),
                remedy: Remedy::Verify,
            });
        }
        // A crash here leaves the commit wholly, partly or not in the file. Nobody was told that it succeeded, so
        // opening may cut it off; and when all of it is there, opening may keep it.
        file.write_all(commit).map_err(StoreError::io("writing", path))?;
        // A crash before this returns is the same. After it, not even a power cut takes the commit.
        file.sync_data().map_err(StoreError::io("syncing", path))?;
        self.length += commit.len() as u64;
        Ok(())
    }

    /// Begins the file whose first entry is `first`.
    ///
    /// A crash right after leaves an empty file at the end, into which the next commit goes. The directory is synced
    /// before the commit is: an entry in a file that has no name would be lost.
    fn begin_file(&mut self, first: u64) -> Result<(), StoreError> {
        if !self.dir.exists() {
            fs::create_dir(&self.dir).map_err(StoreError::io("making", &self.dir))?;
            sync_dir(self.dir.parent().expect("it lies in the ledger"))?;
        }
        let path = self.dir.join(file_name(first));
        let file = File::options()
            .create_new(true)
            .append(true)
            .open(&path)
            .map_err(StoreError::io("making", &path))?;
        sync_dir(&self.dir)?;
        self.file = Some((path, file));
        self.length = 0;
        Ok(())
    }
}

fn length(path: &Path, file: &File) -> Result<u64, StoreError> {
    Ok(file.metadata().map_err(StoreError::io("measuring", path))?.len())
}

/// The name of the file whose first entry has this position.
pub(super) fn file_name(first: u64) -> String {
    format!("{first:020}.journal")
}

/// The journal's files with the position that each is named after, in order. Other names are not the journal's.
pub(super) fn files(dir: &Path) -> Result<Vec<(u64, String)>, StoreError> {
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let all = names(dir)?.into_iter();
    Ok(all
        .filter_map(|name| {
            let first = name.strip_suffix(".journal")?.parse().ok()?;
            (name == file_name(first)).then_some((first, name))
        })
        .collect())
}

/// Cuts off the commit that a crash interrupted. Returns how many bytes that were and where they are kept.
///
/// A crash in the middle of it leaves the same tail: the next opening cuts it off again, and keeps it once more.
pub(super) fn cut_tail(dir: &Path, fault: &Fault) -> Result<(u64, String), StoreError> {
    let path = dir.join(&fault.file);
    let (aside, name) = free_name(&path);
    let copied = File::open(&path).and_then(|mut file| {
        file.seek(io::SeekFrom::Start(fault.commit_offset))?;
        let mut kept = File::options().write(true).create_new(true).open(&aside)?;
        let bytes = io::copy(&mut file, &mut kept)?;
        kept.sync_all()?;
        Ok(bytes)
    });
    let bytes = copied.map_err(StoreError::io("setting aside the end of", &path))?;
    // The bytes are durable in their new place before they go from the old one.
    sync_dir(dir)?;
    let cut = File::options().write(true).open(&path).and_then(|file| {
        file.set_len(fault.commit_offset)?;
        file.sync_all()
    });
    cut.map_err(StoreError::io("cutting off the end of", &path))?;
    Ok((bytes, format!("journal/{name}")))
}

/// Renames the files from the one named `first` on, and returns their new names.
///
/// A crash between two of them leaves a journal that is shorter still, which opening heals in the same way.
pub(super) fn set_aside_from(dir: &Path, first: u64) -> Result<Vec<String>, StoreError> {
    let files = files(dir)?.into_iter().rev();
    files
        .filter(|(at, _)| *at >= first)
        .map(|(_, name)| Ok(format!("journal/{}", set_aside(&dir.join(name))?)))
        .collect()
}
