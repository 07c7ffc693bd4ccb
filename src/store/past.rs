//! The tree at earlier sizes, so that an answer about the past can be given its root.

use crate::proof::merkle::Tree;

/// How many entries lie between two trees that are kept. The root at any size is then some thousand hashes away, and
/// ten million entries keep two megabytes.
pub(super) const EVERY: u64 = 4_096;

/// Some of the trees that there were, in the order of their sizes.
#[derive(Clone, Debug, Default)]
pub(super) struct Past(Vec<Tree>);

impl Past {
    /// Keeps the tree as it is now, if it is one of those that are kept.
    pub fn keep(&mut self, tree: &Tree) {
        if tree.size().is_multiple_of(EVERY) {
            self.0.push(tree.clone());
        }
    }

    /// Takes up what another one kept later.
    pub fn append(&mut self, later: &mut Self) {
        self.0.append(&mut later.0);
    }

    /// The trees that were kept with a size above `from`, up to and including `to`.
    pub fn between(&self, from: u64, to: u64) -> &[Tree] {
        let at = |size: u64| self.0.partition_point(|tree| tree.size() <= size);
        &self.0[at(from)..at(to)]
    }

    /// The largest tree that was kept with at most this size.
    pub fn before(&self, size: u64) -> Tree {
        let after = self.0.partition_point(|tree| tree.size() <= size);
        after.checked_sub(1).map_or_else(Tree::new, |index| self.0[index].clone())
    }
}
