//! The tree at earlier sizes, so that an answer about the past can be given its root.

use crate::proof::merkle::Tree;

/// How many entries lie between two trees that are kept, at least. The root at any size is then some thousand hashes
/// away, and ten million entries keep two megabytes.
const EVERY: u64 = 4_096;

/// Some of the trees that there were, in the order of their sizes.
#[derive(Clone, Debug, Default)]
pub(super) struct Past(Vec<Tree>);

impl Past {
    /// Keeps the tree as it is now, unless the last one that was kept is near.
    pub fn keep(&mut self, tree: &Tree) {
        let last = self.0.last().map_or(0, Tree::size);
        if tree.size() >= last + EVERY {
            self.0.push(tree.clone());
        }
    }

    /// The largest tree that was kept with at most this size.
    pub fn before(&self, size: u64) -> Tree {
        let after = self.0.partition_point(|tree| tree.size() <= size);
        after.checked_sub(1).map_or_else(Tree::new, |index| self.0[index].clone())
    }
}
