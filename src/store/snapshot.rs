//! The snapshot: what a fold over the entries needs to know of them, in short, so that opening need not read them all.
//!
//! It is made of segments, a file each, that are written as the log grows and never change. A segment holds the short
//! form of its entries, which this room does not look into, and the upper part of the tree over them. Nothing rests on it: what does not
//! fit, does not decode, is of another version or is not there is made again from the journal.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::error::Remedy;
use super::folder::names;
use super::note::Note;
use super::past::{BLOCK, HEIGHT, Past};
use crate::proof::merkle::{Hash, Tree};

/// How many entries a segment holds. The last ones, fewer than that, are always read from the journal.
pub const SEGMENT: u64 = 65_536;

const _: () = assert!(SEGMENT.is_multiple_of(BLOCK));

const MAGIC: [u8; 4] = *b"PEIS";
/// The version of this file and of the short form in it. Change it with either.
const VERSION: u32 = 2;
/// The most bytes that a segment's short form is believed to have.
const MAX_SHORT: u32 = 1 << 30;

/// The snapshot's folder.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    dir: PathBuf,
}

/// What a segment holds, checked.
pub(super) struct Segment {
    /// The roots of the blocks in it.
    pub blocks: Vec<Hash>,
    /// The tree at its end.
    pub tree: Tree,
    /// The short form of its entries.
    pub short: Vec<u8>,
}

impl Segment {
    /// Whether its entries come right behind those of a tree: that one with its blocks is its own.
    pub fn follows(&self, before: &Tree) -> bool {
        let mut tree = before.clone();
        self.blocks.iter().for_each(|block| tree.push_subtree(HEIGHT, *block));
        tree == self.tree
    }
}

impl Snapshot {
    pub fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Writes the segment that ends at a size.
    ///
    /// It is not synced: a power cut may take it or tear it, and its checksum tells. It may also be all that a power cut leaves
    /// of the last entries; then the segments behind it do not follow on it, or the journal does not have its root.
    pub fn write(&self, size: u64, past: &Past, short: &[u8]) -> io::Result<()> {
        let mut body = Vec::new();
        let blocks = past.blocks(size - SEGMENT, size);
        let tree = past.before(size);
        blocks.iter().chain(tree.peaks()).for_each(|hash| body.extend_from_slice(&hash.0));
        let length = u32::try_from(short.len()).map_err(io::Error::other)?;
        if length > MAX_SHORT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        body.extend_from_slice(&length.to_be_bytes());
        body.extend_from_slice(&zstd::bulk::compress(short, 1)?);
        let mut bytes = Vec::with_capacity(body.len() + 20);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(&size.to_be_bytes());
        bytes.extend_from_slice(&body);
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
        fs::create_dir_all(&self.dir)?;
        let (path, fresh) = (self.path(size), self.dir.join("segment.tmp"));
        // A crash before the rename leaves a file that is never read and is written over.
        let written = fs::write(&fresh, bytes).and_then(|()| fs::rename(fresh, &path));
        // An older one that could not be replaced must not stay either.
        written.inspect_err(|_| drop(fs::remove_file(path)))
    }

    /// Reads the segment that ends at a size; none where there is no such file.
    ///
    /// # Errors
    /// Why it cannot be used, as the end of a sentence.
    pub fn read(&self, size: u64) -> Result<Option<Segment>, &'static str> {
        let bytes = match fs::read(self.path(size)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(_) => return Err("cannot be read"),
        };
        let (whole, sum) = bytes.split_last_chunk::<4>().ok_or("is too short")?;
        let mut bytes = whole;
        if taken(&mut bytes)? != MAGIC {
            return Err("is no segment");
        }
        if u32::from_be_bytes(taken(&mut bytes)?) != VERSION {
            return Err("is of another version of the program");
        }
        if crc32fast::hash(whole) != u32::from_be_bytes(*sum) {
            return Err("is damaged");
        }
        if u64::from_be_bytes(taken(&mut bytes)?) != size {
            return Err("has another name than it should");
        }
        let mut hashes =
            |count| (0..count).map(|_| taken(&mut bytes).map(Hash)).collect::<Result<Vec<_>, _>>();
        let blocks = hashes(SEGMENT / BLOCK)?;
        let tree = Tree::from_peaks(size, hashes(u64::from(size.count_ones()))?);
        let length = u32::from_be_bytes(taken(&mut bytes)?);
        if length > MAX_SHORT {
            return Err("says that it is larger than it can be");
        }
        let short = zstd::bulk::decompress(bytes, length as usize).map_err(|_| "cannot be decompressed")?;
        Ok(Some(Segment { blocks, tree, short }))
    }

    /// Whether the segment that ends at a size is there and says the same, or is not there.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub fn is_it(&self, size: u64, past: &Past, short: &[u8]) -> Result<(), (&'static str, Remedy)> {
        // One that cannot be read is thrown away at the next opening. One that can be is believed there.
        let Some(segment) = self.read(size).map_err(|why| (why, Remedy::Reopen))? else { return Ok(()) };
        let blocks = past.blocks(size - SEGMENT, size);
        match segment.short == short && segment.blocks == blocks && segment.tree == past.before(size) {
            true => Ok(()),
            false => Err(("says something else than the journal", Remedy::VerifyRepair)),
        }
    }

    /// The tree at the end of the last segment that can be used and ends within `size`; the empty one where there is
    /// none. Those before it are checked when they are taken up.
    pub fn end(&self, size: u64, notes: &mut Vec<Note>) -> Tree {
        let ends = (1..).map(|count| count * SEGMENT);
        let mut ends: Vec<_> = ends.take_while(|end| *end <= size && self.path(*end).exists()).collect();
        while let Some(end) = ends.pop() {
            match self.read(end) {
                Ok(Some(segment)) => return segment.tree,
                Ok(None) => {}
                Err(why) => notes.push(self.forget_from(end, why)),
            }
        }
        Tree::new()
    }

    /// Removes the segment that ends at a size, and all behind it, so that others take their place. What cannot be removed
    /// stays, and the note says so: it will not be used, since it still is what it is.
    pub fn forget_from(&self, end: u64, why: &str) -> Note {
        let first = self.name(end);
        let mut behind = names(&self.dir).unwrap_or_default().into_iter().filter(|name| *name >= first);
        let why = match behind.try_for_each(|name| fs::remove_file(self.dir.join(name))) {
            Ok(()) => why.to_owned(),
            Err(error) => format!("{why} and cannot be removed ({error})"),
        };
        Note::SnapshotThrownAway { name: format!("snapshot/{first}"), why }
    }

    /// Whether there is anything in it.
    pub fn is_there(&self) -> bool {
        names(&self.dir).is_ok_and(|names| !names.is_empty())
    }

    /// The name of the file of the segment that ends at a size.
    pub fn name(&self, size: u64) -> String {
        format!("{size:020}.segment")
    }

    fn path(&self, size: u64) -> PathBuf {
        self.dir.join(self.name(size))
    }
}

/// The next bytes.
fn taken<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], &'static str> {
    let (first, rest) = bytes.split_first_chunk::<N>().ok_or("is too short")?;
    *bytes = rest;
    Ok(*first)
}
