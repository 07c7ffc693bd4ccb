//! Consistency: that a log still begins with the entries that an earlier root stands for (RFC 6962, section 2.1.2).

use std::fmt;
use std::ops::Range;

use super::checkpoint::decimal;
use super::merkle::{Hash, Tree, node_hash, split};

/// The first line of a proof in text.
const TITLE: &str = "peildatum consistency proof v1";

/// The parts of the new tree whose hashes are the proof, in its order. Each begins where
/// [`range_hash`](super::merkle::range_hash) asks for it. For two trees of one size there is none.
///
/// # Panics
/// When the old tree is empty or larger than the new one.
pub fn path(old: u64, new: u64) -> Vec<Range<u64>> {
    assert!(0 < old && old <= new, "a tree of {new} entries extends none of {old}");
    let (mut part, mut path) = (0..new, Vec::new());
    while part.end > old {
        let middle = part.start + split(part.end - part.start);
        if old <= middle {
            path.push(middle..part.end);
            part.end = middle;
        } else {
            path.push(part.start..middle);
            part.start = middle;
        }
    }
    // The root of the old tree itself is known to whoever checks.
    if part.start > 0 {
        path.push(part);
    }
    path.reverse();
    path
}

/// Whether the new tree begins with all entries of the old one (RFC 9162, section 2.1.4.2).
///
/// Two trees of one size need an empty proof and the same root. The empty tree is the beginning of every other: its proof
/// is empty too.
pub fn verify_consistency(old: u64, old_root: Hash, new: u64, new_root: Hash, proof: &[Hash]) -> bool {
    if old == 0 || old >= new {
        let begins = if old == 0 { old_root == Tree::new().root() } else { old == new };
        return begins && proof.is_empty() && (old != new || old_root == new_root);
    }
    let (mut at, mut last) = (old - 1, new - 1);
    let up = at.trailing_ones();
    (at, last) = (at >> up, last >> up);
    // A full subtree is the old tree itself, so its root is not repeated in the proof.
    let (first, rest) = match old.is_power_of_two() {
        true => (old_root, proof),
        false => match proof.split_first() {
            Some((first, rest)) => (*first, rest),
            None => return false,
        },
    };
    let (mut from_old, mut from_new) = (first, first);
    for hash in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            from_old = node_hash(*hash, from_old);
            from_new = node_hash(*hash, from_new);
            let up = if at == 0 { 0 } else { at.trailing_zeros() };
            (at, last) = (at >> up, last >> up);
        } else {
            from_new = node_hash(from_new, *hash);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && from_old == old_root && from_new == new_root
}

/// A proof that the log of a root begins with the log of an earlier one, as a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// The size of the old log and its root.
    pub old: (u64, Hash),
    /// The size of the new log and its root.
    pub new: (u64, Hash),
    /// The hashes, in the order of RFC 6962.
    pub path: Vec<Hash>,
}

/// The text is no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no {TITLE}")]
pub struct NotAProof;

impl ConsistencyProof {
    /// Reads the text. Nothing is verified by that.
    ///
    /// # Errors
    /// When it is another text.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotAProof> {
        let text =
            std::str::from_utf8(bytes).ok().and_then(|text| text.strip_suffix('\n')).ok_or(NotAProof)?;
        let mut lines = text.split('\n');
        if lines.next() != Some(TITLE) {
            return Err(NotAProof);
        }
        let mut log = |name: &str| {
            let (size, root) = lines.next()?.strip_prefix(name)?.split_once(' ')?;
            Some((decimal(size)?, root.parse().ok()?))
        };
        let (old, new) = (log("old ").ok_or(NotAProof)?, log("new ").ok_or(NotAProof)?);
        let path = lines.map(|line| line.parse().map_err(|_| NotAProof)).collect::<Result<_, _>>()?;
        Ok(Self { old, new, path })
    }

    /// Whether the new log begins with the old one. That the two roots are the ones that somebody was shown is to be compared
    /// beside it.
    pub fn holds(&self) -> bool {
        verify_consistency(self.old.0, self.old.1, self.new.0, self.new.1, &self.path)
    }
}

impl fmt::Display for ConsistencyProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((old, old_root), (new, new_root)) = (self.old, self.new);
        writeln!(f, "{TITLE}\nold {old} {old_root}\nnew {new} {new_root}")?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{hash}"))
    }
}
