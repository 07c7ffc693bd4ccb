//! Files that others change while a program runs: whether they did, and what stands in them now.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use super::error::StoreError;

/// What tells one state of a file from another: its length, and when it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// How long it is, in bytes.
    pub length: u64,
    changed: Duration,
}

impl Stamp {
    pub fn of(found: &fs::Metadata) -> io::Result<Self> {
        let changed = found.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self { length: found.len(), changed })
    }
}

/// A file that is brought by whoever runs the program, and read again when it has changed.
#[derive(Debug)]
pub struct Watched {
    path: PathBuf,
    most: u64,
    seen: Option<Stamp>,
}

impl Watched {
    /// A file of at most so many bytes. It is not read yet.
    pub fn new(path: &Path, most: u64) -> Self {
        Self { path: path.to_path_buf(), most, seen: None }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What stands in it, if that changed since it was read and [accepted](Self::accept) the last time.
    ///
    /// # Errors
    /// When it cannot be read, or is too long.
    pub fn changed(&self) -> Result<Option<(Seen, Vec<u8>)>, StoreError> {
        let io = || StoreError::io("reading", &self.path);
        let mut file = File::open(&self.path).map_err(io())?;
        let stamp = file.metadata().and_then(|found| Stamp::of(&found)).map_err(io())?;
        if self.seen == Some(stamp) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        (&mut file).take(self.most + 1).read_to_end(&mut bytes).map_err(io())?;
        match bytes.len() as u64 > self.most {
            true => Err(io()(io::Error::other(format!("it has more than {} bytes", self.most)))),
            false => Ok(Some((Seen(stamp), bytes))),
        }
    }

    /// Takes what was read as good: it is not read again before it changes.
    pub fn accept(&mut self, seen: Seen) {
        self.seen = Some(seen.0);
    }
}

/// A state of a file that was read.
#[derive(Clone, Copy, Debug)]
pub struct Seen(Stamp);
