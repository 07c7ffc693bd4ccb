//! A place on disk for lines that are not recorded: it is gone when it is closed.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use super::lines::Lines;

/// Lines in a file without a name.
#[derive(Debug)]
pub struct Spool {
    file: File,
    /// Where each line ends, just after its newline.
    ends: Vec<u64>,
}

impl Spool {
    /// An empty one, in the folder for temporary files.
    ///
    /// # Errors
    /// When no file can be made there.
    pub fn new() -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile()?, ends: Vec::new() })
    }

    /// Adds lines.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn append(&mut self, lines: &Lines) -> io::Result<()> {
        let before = self.length();
        self.file.seek(SeekFrom::Start(before))?;
        self.file.write_all(lines.raw())?;
        self.ends.extend(lines.ends().iter().map(|end| before + *end as u64));
        Ok(())
    }

    /// The line with this place among them, without its newline; none where there are fewer.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn get(&mut self, index: usize) -> io::Result<Option<Vec<u8>>> {
        let Some(end) = self.ends.get(index) else { return Ok(None) };
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        let mut line = vec![0; (end - start - 1) as usize];
        self.file.seek(SeekFrom::Start(start))?;
        self.file.read_exact(&mut line)?;
        Ok(Some(line))
    }

    fn length(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }
}
