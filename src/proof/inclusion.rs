//! Inclusion: that an entry stands at its position in the log that a root stands for (RFC 6962, section 2.1.1).

use std::fmt;
use std::ops::Range;

use super::checkpoint::{SignedCheckpoint, decimal};
use super::merkle::{Hash, node_hash, split};

/// The first line of a proof in text.
const TITLE: &str = "c2sp.org/tlog-proof@v1";

/// The parts of a tree whose hashes are the proof for an entry, from its sibling up to the child of the root. Each begins
/// where [`range_hash`](super::merkle::range_hash) asks for it.
///
/// # Panics
/// When the tree has no such entry.
pub fn path(index: u64, size: u64) -> Vec<Range<u64>> {
    assert!(index < size, "a tree of {size} entries has no entry {index}");
    let (mut part, mut path) = (0..size, Vec::new());
    while part.end - part.start > 1 {
        let middle = part.start + split(part.end - part.start);
        if index < middle {
            path.push(middle..part.end);
            part.end = middle;
        } else {
            path.push(part.start..middle);
            part.start = middle;
        }
    }
    path.reverse();
    path
}

/// Whether an entry with this hash stands at an index of the tree with this size and root (RFC 9162, section 2.1.3.2).
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, root: Hash, proof: &[Hash]) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut node) = (index, size - 1, leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            node = node_hash(*sibling, node);
            // At the right edge a node moves up without a sibling until it has one on its left.
            let up = if at == 0 { 0 } else { at.trailing_zeros() };
            (at, last) = (at >> up, last >> up);
        } else {
            node = node_hash(node, *sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && node == root
}

/// A proof that an entry stands in the log of a signed checkpoint, as a text that is complete on its own: C2SP
/// `tlog-proof`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryProof {
    /// The position of the entry.
    pub index: u64,
    /// The hashes from the sibling of the entry up to the child of the root.
    pub path: Vec<Hash>,
    /// The log that it stands in.
    pub checkpoint: SignedCheckpoint,
}

/// The text is no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no {TITLE}: {0}")]
pub struct NotAProof(&'static str);

impl EntryProof {
    /// Reads the text. Nothing is verified by that.
    ///
    /// # Errors
    /// When it is another text.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotAProof> {
        let text = std::str::from_utf8(bytes).map_err(|_| NotAProof("it is not UTF-8"))?;
        let (head, checkpoint) = text.split_once("\n\n").ok_or(NotAProof("it has no empty line"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(TITLE) {
            return Err(NotAProof("its first line is another"));
        }
        // Data of an application, which nothing vouches for.
        lines.next_if(|line| line.starts_with("extra "));
        let index = lines.next().and_then(|line| decimal(line.strip_prefix("index ")?));
        let index = index.ok_or(NotAProof("it does not name an index"))?;
        let path = lines.map(str::parse).collect::<Result<_, _>>();
        let path = path.map_err(|_| NotAProof("a line of it is no hash"))?;
        let checkpoint = SignedCheckpoint::parse(checkpoint.as_bytes());
        Ok(Self { index, path, checkpoint: checkpoint.map_err(|_| NotAProof("it ends in no checkpoint"))? })
    }

    /// Whether an entry with these bytes stands at the index, in the log of the checkpoint. That the checkpoint is signed
    /// is to be verified beside it.
    pub fn holds(&self, entry: &[u8]) -> bool {
        let head = self.checkpoint.head();
        verify_inclusion(super::merkle::leaf_hash(entry), self.index, head.size, head.root, &self.path)
    }
}

impl fmt::Display for EntryProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{TITLE}\nindex {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint.note())
    }
}
