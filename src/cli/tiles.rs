//! The log as tiles: the files of C2SP `tlog-tiles`, written into a folder and added to when the log has grown.

use std::fs;
use std::io;
use std::path::Path;

use super::Failure;
use super::signing::{not_accepted, read_note};
use crate::domain::time::{LogSize, Position};
use crate::ledger::{Ledger, LedgerError};
use crate::proof::checkpoint::SignedCheckpoint;
use crate::proof::merkle::{Hash, Tree, leaf_hash};
use crate::proof::tiles::{self, HEIGHT, WIDTH};

/// Writes the log of a checkpoint into a folder that is empty or holds an earlier part of it. The checkpoint comes last, so
/// that whoever reads the folder meanwhile finds all that it stands for. Gives the size that was there before.
pub fn export(ledger: &Ledger, checkpoint: &SignedCheckpoint, dir: &Path) -> Result<u64, Failure> {
    let before = already_there(ledger, checkpoint, dir)?;
    let size = checkpoint.head().size;
    if before < size {
        write_tiles(ledger, before, size, dir)?;
    }
    Files(dir).write("checkpoint", checkpoint.to_string().as_bytes())?;
    Ok(before)
}

/// How much of the log is in the folder.
fn already_there(ledger: &Ledger, checkpoint: &SignedCheckpoint, dir: &Path) -> Result<u64, Failure> {
    let path = dir.join("checkpoint");
    let shown = dir.display();
    if !path.exists() {
        let mut entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(Failure::Broken(format!("cannot look into {shown}: {error}"))),
        };
        return match entries.next() {
            None => Ok(0),
            Some(_) => Err(Failure::Refused(format!(
                "{shown} is not empty and has no file `checkpoint`: name another folder, or empty it if an export was \
                 interrupted"
            ))),
        };
    }
    let there = SignedCheckpoint::verify(&read_note(&path)?, &ledger.verifier_key()?)
        .map_err(|fault| not_accepted(&path, &fault))?;
    ledger.is_of_this_log(there.head()).map_err(|error| match error {
        LedgerError::Signing(error) if !error.is_broken() => {
            Failure::Refused(format!("{shown} holds another log: {error}"))
        }
        error => error.into(),
    })?;
    let (there, size) = (there.head().size, checkpoint.head().size);
    match there <= size {
        true => Ok(there),
        false => Err(Failure::Refused(format!(
            "{shown} holds {there} entries already, and the checkpoint is for {size}: name another folder"
        ))),
    }
}

fn write_tiles(ledger: &Ledger, before: u64, size: u64, dir: &Path) -> Result<(), Failure> {
    // What was partial is written again: wider, or full.
    let from = before / WIDTH * WIDTH;
    let mut levels = Vec::new();
    let mut subtrees = ledger.subtrees(LogSize(size))?;
    for level in tiles::levels(size) {
        let there = tiles::hashes(level, from);
        let mut row = Row { level, number: there / WIDTH, hashes: Vec::new() };
        for hash in there / WIDTH * WIDTH..there {
            row.hashes.push(subtrees.full(HEIGHT * level, hash).map_err(LedgerError::from)?);
        }
        levels.push(row);
    }
    let mut writing = Writing { to: Files(dir), levels, bundle: Vec::new() };
    let mut failed = None;
    let read = ledger.lines(Position(from), LogSize(size), &mut |position, line| {
        writing.entry(position, line).map_err(|failure| {
            failed = Some(failure);
            "it cannot be written".to_owned()
        })
    });
    match (read, failed) {
        (_, Some(failure)) => Err(failure),
        (Err(error), None) => Err(error.into()),
        (Ok(()), None) => writing.finish(size),
    }
}

/// The tile of a level that is being filled.
struct Row {
    level: u32,
    number: u64,
    hashes: Vec<Hash>,
}

/// What is on its way into the folder.
struct Writing<'a> {
    to: Files<'a>,
    levels: Vec<Row>,
    bundle: Vec<u8>,
}

impl Writing<'_> {
    fn entry(&mut self, position: u64, line: &[u8]) -> Result<(), Failure> {
        tiles::push_entry(&mut self.bundle, line).map_err(|error| {
            Failure::Refused(format!("the entry at position {position} cannot be exported as tiles: {error}"))
        })?;
        if (position + 1).is_multiple_of(WIDTH) {
            self.to.write(&tiles::bundle_path(position / WIDTH, WIDTH), &self.bundle)?;
            self.bundle.clear();
        }
        self.push(0, leaf_hash(line))
    }

    /// Adds a hash to a level. A tile that it fills is written, and its root is added to the level above.
    fn push(&mut self, level: usize, hash: Hash) -> Result<(), Failure> {
        // The highest level there is holds no full tile.
        let row = &mut self.levels[level];
        row.hashes.push(hash);
        if (row.hashes.len() as u64) < WIDTH {
            return Ok(());
        }
        self.to.write(&tiles::tile_path(row.level, row.number, WIDTH), &tiles::tile(&row.hashes))?;
        let mut tree = Tree::new();
        row.hashes.drain(..).for_each(|hash| tree.push(hash));
        row.number += 1;
        self.push(level + 1, tree.root())
    }

    /// Writes what is partial.
    fn finish(self, size: u64) -> Result<(), Failure> {
        if !size.is_multiple_of(WIDTH) {
            self.to.write(&tiles::bundle_path(size / WIDTH, size % WIDTH), &self.bundle)?;
        }
        for row in self.levels.iter().filter(|row| !row.hashes.is_empty()) {
            let path = tiles::tile_path(row.level, row.number, row.hashes.len() as u64);
            self.to.write(&path, &tiles::tile(&row.hashes))?;
        }
        Ok(())
    }
}

/// The folder that is written into.
struct Files<'a>(&'a Path);

impl Files<'_> {
    /// Writes a file, whole or not at all for whoever reads it meanwhile.
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.0.join(path);
        let parent = path.parent().expect("it lies in the folder");
        let fresh = parent.join("writing.tmp");
        let write = || {
            fs::create_dir_all(parent)?;
            fs::write(&fresh, bytes)?;
            fs::rename(&fresh, &path)
        };
        write().map_err(|error| cannot_write(&path, &error))
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::Broken(format!("cannot write {}: {error}", path.display()))
}
