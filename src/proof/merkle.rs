//! The Merkle tree of RFC 6962 (and RFC 9162) over the entries of a ledger.
//!
//! The root commits to every entry and to their order: no entry can be changed, left out or put elsewhere without
//! another root. [`Tree`] keeps no more than the hashes that the next root needs, a handful at any size.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::domain::text_in_json;

/// A SHA-256 hash: of an entry, of two halves of a tree, or of a whole tree.
///
/// Printed and parsed as standard base64 with padding, as C2SP checkpoints have it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

/// The text is not the base64 of 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 32 bytes in standard base64 with padding, 44 characters")]
pub struct NotAHash;

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let bytes = STANDARD.decode(text).map_err(|_| NotAHash)?;
        Ok(Self(bytes.try_into().map_err(|_| NotAHash)?))
    }
}

text_in_json!(Hash);

/// The hash of an entry. The leading zero keeps it apart from the hash of two halves.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0x00]);
    hasher.update(entry);
    Hash(hasher.finalize().into())
}

/// The hash of a tree from the hashes of its two halves.
pub fn node_hash(left: Hash, right: Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0x01]);
    hasher.update(left.0);
    hasher.update(right.0);
    Hash(hasher.finalize().into())
}

/// A tree that grows at its end and knows its root.
///
/// It holds one hash for every bit that is set in its size: the roots of the full subtrees, largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    peaks: Vec<Hash>,
}

impl Tree {
    /// The tree without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// A tree of this size with these roots of full subtrees, as [`peaks`](Self::peaks) gave them.
    ///
    /// # Panics
    /// When it is not one for every bit that is set in the size.
    pub fn from_peaks(size: u64, peaks: Vec<Hash>) -> Self {
        assert_eq!(peaks.len(), size.count_ones() as usize, "a full subtree for each bit");
        Self { size, peaks }
    }

    /// The roots of the full subtrees, largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds the hash of the next entry.
    pub fn push(&mut self, leaf: Hash) {
        self.add(0, leaf, u32::MAX);
    }

    /// Adds the hash of the next entry, and gives the root of the full subtree of `2^height` entries that it completes, if
    /// it does.
    pub fn push_completing(&mut self, leaf: Hash, height: u32) -> Option<Hash> {
        self.add(0, leaf, height)
    }

    /// Adds the next entries, of which only the root of their full subtree is known: `2^height` of them.
    ///
    /// # Panics
    /// When no subtree of that height begins where the tree ends.
    pub fn push_subtree(&mut self, height: u32, root: Hash) {
        assert!(self.size.trailing_zeros() >= height, "a full subtree begins at a multiple of its size");
        self.add(height, root, u32::MAX);
    }

    /// Adds the entries of a span that begins where the tree ends.
    ///
    /// # Panics
    /// When it begins elsewhere.
    pub fn append(&mut self, span: &Span) {
        assert_eq!(self.size, span.start, "the span begins where the tree ends");
        span.nodes.iter().for_each(|(height, root)| self.push_subtree(*height, *root));
    }

    /// Adds a full subtree, and gives the one of the wanted height that it completes.
    fn add(&mut self, height: u32, root: Hash, wanted: u32) -> Option<Hash> {
        let mut node = root;
        let mut completed = (height == wanted).then_some(node);
        // Each one above the height of the subtree is a full subtree as large as `node`: the two become one, as a carry
        // does in an addition.
        for carried in 1..=(self.size >> height).trailing_ones() {
            let left = self.peaks.pop().expect("a full subtree for each bit");
            node = node_hash(left, node);
            if height + carried == wanted {
                completed = Some(node);
            }
        }
        self.peaks.push(node);
        self.size += 1 << height;
        assert_eq!(self.peaks.len(), self.size.count_ones() as usize);
        completed
    }

    /// How many entries it holds.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hash over all entries. Without entries it is the SHA-256 of nothing.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev().copied();
        match peaks.next() {
            None => Hash(Sha256::digest([]).into()),
            Some(last) => peaks.fold(last, |right, left| node_hash(left, right)),
        }
    }
}

/// Consecutive entries that are hashed apart from those before them, so that two can hash two parts of a log at once.
///
/// It holds the full subtrees of the whole tree that lie within it and are no part of a larger one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    start: u64,
    end: u64,
    /// Their heights and roots, in order.
    nodes: Vec<(u32, Hash)>,
}

impl Span {
    /// No entries yet, from a position on.
    pub fn new(start: u64) -> Self {
        Self { start, end: start, nodes: Vec::new() }
    }

    /// The position behind the last entry.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Adds the hash of the next entry.
    pub fn push(&mut self, leaf: Hash) {
        let (mut height, mut node) = (0, leaf);
        // The right half of a larger subtree, as long as its left half lies within the span as well.
        while (self.end >> height) & 1 == 1
            && let Some((_, left)) = self.nodes.pop_if(|(before, _)| *before == height)
        {
            node = node_hash(left, node);
            height += 1;
        }
        self.nodes.push((height, node));
        self.end += 1;
    }
}

/// The largest power of two that is smaller than a number of entries above 1: where RFC 6962 cuts a tree in two.
pub(super) fn split(entries: u64) -> u64 {
    1 << (entries - 1).ilog2()
}

/// The hash over the entries of a range, as it stands in proofs: the range begins where a full subtree does that is not
/// smaller than it. `full` gives the roots of full subtrees by their height and their number at that height.
///
/// # Errors
/// When `full` fails.
///
/// # Panics
/// When the range begins elsewhere, or is empty.
pub fn range_hash<E>(
    range: Range<u64>,
    full: &mut dyn FnMut(u32, u64) -> Result<Hash, E>,
) -> Result<Hash, E> {
    let length = range.end - range.start;
    assert!(length > 0 && range.start.is_multiple_of(length.next_power_of_two()), "{range:?} is in no proof");
    let (mut peaks, mut at) = (Vec::new(), range.start);
    for height in (0..=length.ilog2()).rev().filter(|height| length >> height & 1 == 1) {
        peaks.push(full(height, at >> height)?);
        at += 1 << height;
    }
    Ok(Tree::from_peaks(length, peaks).root())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The leaves of the Certificate Transparency reference tests.
    const LEAVES: [&[u8]; 8] = [
        b"",
        &[0x00],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];

    /// Their published roots, from no leaf to all eight.
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn hex(hash: Hash) -> String {
        hash.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// `MTH` as RFC 6962, section 2.1, defines it.
    fn by_definition(entries: &[Vec<u8>]) -> Hash {
        match entries {
            [] => Hash(Sha256::digest([]).into()),
            [one] => leaf_hash(one),
            _ => {
                let left = entries.len().next_power_of_two() / 2;
                node_hash(by_definition(&entries[..left]), by_definition(&entries[left..]))
            }
        }
    }

    #[test]
    fn the_published_roots_are_found_again() {
        let mut tree = Tree::new();
        assert_eq!(hex(tree.root()), ROOTS[0]);
        for (leaf, root) in LEAVES.iter().zip(&ROOTS[1..]) {
            tree.push(leaf_hash(leaf));
            assert_eq!(hex(tree.root()), *root);
        }
        assert_eq!(tree.size(), 8);
    }

    #[test]
    fn a_hash_reads_back_what_it_printed() {
        let hash = leaf_hash(b"entry");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        for wrong in ["", "AAAA", "not base64", &"A".repeat(44)] {
            assert_eq!(wrong.parse::<Hash>(), Err(NotAHash), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_prefix_has_the_root_of_the_definition(
            entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..8), 0..70),
        ) {
            let mut tree = Tree::new();
            for (at, entry) in entries.iter().enumerate() {
                prop_assert_eq!(tree.root(), by_definition(&entries[..at]));
                tree.push(leaf_hash(entry));
            }
            prop_assert_eq!(tree.root(), by_definition(&entries));
        }

        #[test]
        fn parts_that_are_hashed_apart_make_the_same_tree(lengths in prop::collection::vec(0_u64..40, 0..8)) {
            let (mut whole, mut parts) = (Tree::new(), Tree::new());
            for length in lengths {
                let mut span = Span::new(parts.size());
                for _ in 0..length {
                    let leaf = leaf_hash(&span.end().to_be_bytes());
                    span.push(leaf);
                    whole.push(leaf);
                }
                parts.append(&span);
                prop_assert_eq!(&parts, &whole);
            }
        }

        #[test]
        fn a_leaf_gives_the_subtree_that_it_completes(size in 1_u64..200, height in 0_u32..6) {
            let leaf = |at: u64| leaf_hash(&at.to_be_bytes());
            let mut tree = Tree::new();
            for at in 0..size {
                let completed = tree.push_completing(leaf(at), height);
                let length = 1 << height;
                let mut subtree = Tree::new();
                (at + 1 - length.min(at + 1)..=at).for_each(|it| subtree.push(leaf(it)));
                prop_assert_eq!(completed, (at + 1).is_multiple_of(length).then(|| subtree.root()));
            }
        }
    }
}
