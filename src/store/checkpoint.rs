//! The checkpoint: how many entries were acknowledged, and their root.
//!
//! It is what both copies are held against, so that a copy that opens empty or short is never taken for the ledger.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::Head;
use super::error::StoreError;
use super::folder::sync_dir;

/// The first line. A program that does not know it must not guess at the rest.
const TITLE: &str = "peildatum ledger v1";

/// What the checkpoint file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stated {
    /// It is whole.
    Head(Head),
    /// It is missing or damaged; why, as the start of a sentence.
    Lost(String),
}

/// Reads the checkpoint file.
pub(super) fn read(path: &Path) -> Result<Stated, StoreError> {
    match fs::read(path) {
        Ok(bytes) => {
            Ok(parse(&bytes)
                .map_or_else(|| Stated::Lost("the checkpoint is damaged".to_owned()), Stated::Head))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(Stated::Lost("the checkpoint is missing".to_owned()))
        }
        Err(error) => Err(StoreError::io("reading", path)(error)),
    }
}

/// Notes that the journal has grown. Call it only when the journal's entries are durable.
///
/// It writes over the file in one piece, without a sync and without a new file: on ext4 replacing a file costs five
/// times what the journal's own sync does. The text never gets shorter, since a ledger never does. A process that is
/// killed right before leaves a checkpoint that lags by one commit, which opening accepts, and right after an exact
/// one; a write this short is not split by a kill. Only a power cut can leave a torn one; then the checksum tells.
pub(super) fn advance(path: &Path, head: &Head) -> Result<(), StoreError> {
    File::options()
        .write(true)
        .open(path)
        .and_then(|mut file| file.write_all(print(head).as_bytes()))
        .map_err(StoreError::io("writing", path))
}

/// Replaces the checkpoint file, whole or not at all, whatever was in it. When this returns it survives a power cut.
pub(super) fn replace(path: &Path, head: &Head) -> Result<(), StoreError> {
    let fresh = path.with_extension("tmp");
    File::create(&fresh)
        .and_then(|mut file| {
            file.write_all(print(head).as_bytes())?;
            file.sync_all()
        })
        .map_err(StoreError::io("writing", &fresh))?;
    // A crash before the rename leaves the old checkpoint, and after it the new one.
    fs::rename(&fresh, path).map_err(StoreError::io("replacing", path))?;
    sync_dir(path.parent().expect("a file lies in a directory"))
}

fn print(head: &Head) -> String {
    let body = format!("{TITLE}\n{}\n{}\n", head.size, head.root);
    let sum = crc32fast::hash(body.as_bytes());
    format!("{body}{sum:08x}\n")
}

fn parse(bytes: &[u8]) -> Option<Head> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.lines();
    let head = (lines.next()? == TITLE)
        .then_some(Head { size: lines.next()?.parse().ok()?, root: lines.next()?.parse().ok()? })?;
    // Only what this program would have written counts: one text for a head, with its checksum.
    (text == print(&head)).then_some(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::merkle::Tree;

    #[test]
    fn the_file_is_four_lines_and_every_other_text_is_refused() {
        let head = Head { size: 0, root: Tree::new().root() };
        let text = print(&head);
        assert_eq!(text, "peildatum ledger v1\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n81d4acfa\n");
        assert_eq!(parse(text.as_bytes()), Some(head));
        for length in 0..text.len() {
            assert_eq!(parse(&text.as_bytes()[..length]), None, "cut at {length}");
        }
        for bit in 0..text.len() * 8 {
            let mut flipped = text.clone().into_bytes();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(parse(&flipped), None, "bit {bit} flipped");
        }
    }
}
