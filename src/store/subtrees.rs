//! The hashes that proofs are made of, found without reading more of the log than the block of an entry and the last one.

use std::ops::Range;

use super::error::{Remedy, StoreError};
use super::past::{BLOCK, HEIGHT};
use super::reader::Reader;
use crate::proof::consistency::{self, verify_consistency};
use crate::proof::inclusion::{self, verify_inclusion};
use crate::proof::merkle::{Hash, leaf_hash, node_hash, range_hash};

/// The tree over the first entries of a log, of which any part can be asked for.
///
/// It keeps the blocks that it read last, so that whoever asks for one entry after another has each block hashed once.
#[derive(Debug)]
pub struct Subtrees<'a> {
    reader: &'a Reader,
    size: u64,
    root: Hash,
    /// The block of the entry that was asked for last, and the one at the end, which is a part of most proofs.
    near: Option<Block>,
    last: Option<Block>,
}

/// An entry of a log and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The position of the entry.
    pub index: u64,
    /// Its hash.
    pub leaf: Hash,
    /// The proof: the hashes from its sibling up to the child of the root.
    pub path: Vec<Hash>,
}

/// The full subtrees within a block: for each height their roots, in order.
#[derive(Debug)]
struct Block {
    number: u64,
    levels: Vec<Vec<Hash>>,
}

impl Block {
    /// Reads the entries of a block up to an end, and hashes them.
    fn read(reader: &Reader, number: u64, end: u64) -> Result<Self, StoreError> {
        let first = number * BLOCK;
        let mut leaves = Vec::with_capacity(BLOCK as usize);
        reader.read(first, end.min(first + BLOCK), &mut |_, line| {
            leaves.push(leaf_hash(line));
            Ok(())
        })?;
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            let pairs = below.chunks_exact(2);
            levels.push(pairs.map(|pair| node_hash(pair[0], pair[1])).collect());
        }
        Ok(Self { number, levels })
    }

    fn subtree(&self, height: u32, number: u64) -> Hash {
        let first = (self.number * BLOCK) >> height;
        self.levels[height as usize][(number - first) as usize]
    }
}

impl<'a> Subtrees<'a> {
    /// The tree over the first `size` entries.
    ///
    /// # Errors
    /// When there are not so many, or its root cannot be computed.
    pub(super) fn new(reader: &'a Reader, size: u64) -> Result<Self, StoreError> {
        let head = reader.head();
        if size > head.size {
            return Err(StoreError::OutOfRange { position: size, size: head.size });
        }
        Ok(Self { reader, size, root: reader.root_at(size)?, near: None, last: None })
    }

    /// How many entries it is over.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    pub fn root(&self) -> Hash {
        self.root
    }

    /// The root of a full subtree of `2^height` entries, by its number among those.
    ///
    /// # Errors
    /// When an entry cannot be read.
    ///
    /// # Panics
    /// When it is not within the tree.
    pub fn full(&mut self, height: u32, number: u64) -> Result<Hash, StoreError> {
        assert!((number + 1) << height <= self.size, "a subtree within the tree");
        if height >= HEIGHT {
            let kept = self.reader.durable().with_past(|past| past.subtree(height, number));
            return Ok(kept.expect("all full blocks of what is durable are kept"));
        }
        let block = number << height >> HEIGHT;
        let place = if block == (self.size - 1) / BLOCK { &mut self.last } else { &mut self.near };
        let kept = match place.take().filter(|kept| kept.number == block) {
            Some(kept) => kept,
            None => Block::read(self.reader, block, self.size)?,
        };
        Ok(place.insert(kept).subtree(height, number))
    }

    /// The hashes of the parts of a proof.
    fn all(&mut self, parts: Vec<Range<u64>>) -> Result<Vec<Hash>, StoreError> {
        let mut full = |height, number| self.full(height, number);
        parts.into_iter().map(|part| range_hash(part, &mut full)).collect()
    }

    /// The proof that an entry stands at an index of this tree. It was verified.
    ///
    /// # Errors
    /// When there is no such entry, or entries that are read do not lead to the root.
    pub fn inclusion(&mut self, index: u64) -> Result<Proven, StoreError> {
        if index >= self.size {
            return Err(StoreError::OutOfRange { position: index, size: self.size });
        }
        let leaf = self.full(0, index)?;
        let path = self.all(inclusion::path(index, self.size))?;
        match verify_inclusion(leaf, index, self.size, self.root, &path) {
            true => Ok(Proven { index, leaf, path }),
            false => Err(damaged(&format!("the entries around position {index}"), self.size)),
        }
    }

    /// The root of an earlier tree of at least one entry, and the proof that this one begins with it. It was verified.
    ///
    /// # Errors
    /// When entries that are read do not lead to the roots.
    ///
    /// # Panics
    /// When the earlier tree is empty or larger.
    pub fn consistency(&mut self, old: u64) -> Result<(Hash, Vec<Hash>), StoreError> {
        let old_root = self.reader.root_at(old)?;
        let path = self.all(consistency::path(old, self.size))?;
        match verify_consistency(old, old_root, self.size, self.root, &path) {
            true => Ok((old_root, path)),
            false => Err(damaged(&format!("the entries around position {old}"), self.size)),
        }
    }
}

fn damaged(what: &str, size: u64) -> StoreError {
    StoreError::Damaged {
        detail: format!("{what} are others than when the root of the first {size} entries was computed"),
        remedy: Remedy::Verify,
    }
}
