//! A tree that remembers its root at the sizes somebody asked about.

use super::Head;
use super::past;
use crate::proof::merkle::{Hash, Tree, leaf_hash};

/// Grows entry by entry while a copy is read, so that copies can be compared at any size and not just at their ends.
#[derive(Clone, Debug)]
pub(super) struct Roots {
    tree: Tree,
    marks: Vec<(u64, Option<Hash>)>,
}

impl Roots {
    /// No entries yet; the root will be remembered at each of `sizes`.
    pub fn new(sizes: &[u64]) -> Self {
        Self::from(Tree::new(), sizes)
    }

    /// The entries of a tree; the root will be remembered at each of `sizes` that is not smaller.
    pub fn from(tree: Tree, sizes: &[u64]) -> Self {
        let mut roots = Self { tree, marks: sizes.iter().map(|size| (*size, None)).collect() };
        roots.remember();
        roots
    }

    /// Adds the next entry.
    pub fn push(&mut self, line: &[u8]) {
        self.push_completing(line);
    }

    /// Adds the next entry, and gives the root of the block that it completes, if it does.
    pub fn push_completing(&mut self, line: &[u8]) -> Option<Hash> {
        let block = self.tree.push_completing(leaf_hash(line), past::HEIGHT);
        self.remember();
        block
    }

    fn remember(&mut self) {
        let size = self.tree.size();
        for (at, root) in &mut self.marks {
            if *at == size {
                *root = Some(self.tree.root());
            }
        }
    }

    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    pub fn head(&self) -> Head {
        Head { size: self.tree.size(), root: self.tree.root() }
    }

    /// Whether the entries up to a head are here, and are the ones it stands for.
    pub fn extend(&self, head: &Head) -> bool {
        head.size <= self.size() && self.root_at(head.size) == Some(head.root)
    }

    /// The root at one of the sizes that were asked about, when it was reached.
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        let mark = self.marks.iter().find(|(at, _)| *at == size);
        mark.expect("asked about from the start").1
    }
}
