//! How far the audit record is on disk: without it nobody could tell that the last lines are gone.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::chain::Link;
use crate::store::error::StoreError;
use crate::store::folder::private;

const TITLE: &str = "peildatum audit v1";
pub(super) const FILE: &str = "head";

/// Where the record ends: behind which line, and up to which byte of which file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AuditHead {
    /// The last line.
    pub link: Link,
    /// The file that it stands in; empty as long as there is none.
    pub file: String,
    /// How long the file is.
    pub length: u64,
}

/// What the file of the head says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StatedHead {
    Whole(AuditHead),
    Damaged,
    Missing,
}

impl AuditHead {
    /// Writes over the file in one piece and without a sync, as the checkpoint of the log is: a kill leaves the old text or
    /// the new one, and a power cut may tear it, which its checksum tells. The text never gets shorter but for the name of the
    /// file, which always has the same length.
    pub fn write(&self, folder: &Path) -> Result<(), StoreError> {
        let path = folder.join(FILE);
        private()
            .create(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .and_then(|mut file| file.write_all(self.print().as_bytes()))
            .map_err(StoreError::io("writing", &path))
    }

    pub fn read(folder: &Path) -> Result<StatedHead, StoreError> {
        let path = folder.join(FILE);
        match fs::read(&path) {
            Ok(bytes) => Ok(Self::parse(&bytes).map_or(StatedHead::Damaged, StatedHead::Whole)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(StatedHead::Missing),
            Err(error) => Err(StoreError::io("reading", &path)(error)),
        }
    }

    fn print(&self) -> String {
        let Self { link, file, length } = self;
        // Numbers have all their digits, so that a text is never shorter than the one that it is written over.
        let body = format!("{TITLE}\n{:020}\n{}\n{file}\n{length:020}\n", link.records, link.hash());
        let sum = crc32fast::hash(body.as_bytes());
        format!("{body}{sum:08x}\n")
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.lines();
        (lines.next()? == TITLE).then_some(())?;
        let records = lines.next()?.parse().ok()?;
        let link = Link::stated(records, lines.next()?)?;
        let head = Self { link, file: lines.next()?.to_owned(), length: lines.next()?.parse().ok()? };
        (text == head.print()).then_some(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_other_text_than_that_of_a_head_is_refused() {
        let link = Link::after(41, b"a line");
        let head = AuditHead { link, file: "2026-11-21.jsonl".to_owned(), length: 1_234 };
        let text = head.print();
        assert_eq!(AuditHead::parse(text.as_bytes()), Some(head));
        for length in 0..text.len() {
            assert_eq!(AuditHead::parse(&text.as_bytes()[..length]), None, "cut at {length}");
        }
        for bit in 0..text.len() * 8 {
            let mut flipped = text.clone().into_bytes();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(AuditHead::parse(&flipped), None, "bit {bit} flipped");
        }
    }
}
