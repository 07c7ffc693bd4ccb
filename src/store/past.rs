//! The upper part of the tree, so that an answer about the past can be given its root and an entry its proof without
//! reading more than its surroundings.

use crate::proof::merkle::{Hash, Tree, node_hash};

/// How high the subtrees are of which the roots are kept.
pub(super) const HEIGHT: u32 = 12;
/// How many entries such a **block** has. The root at any size is then some thousand hashes away, and ten million entries
/// keep 160 kilobytes.
pub(super) const BLOCK: u64 = 1 << HEIGHT;

/// The roots of all full blocks, and of all full subtrees above them.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    /// For each height from that of a block on, the roots of its subtrees, in order.
    levels: Vec<Vec<Hash>>,
}

impl Past {
    /// Takes up the root of the next block, and completes what it completes.
    pub fn push(&mut self, block: Hash) {
        let mut node = block;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let nodes = &mut self.levels[level];
            nodes.push(node);
            let [.., left, right] = nodes[..] else { return };
            if !nodes.len().is_multiple_of(2) {
                return;
            }
            node = node_hash(left, right);
        }
    }

    /// Takes up the roots of the next blocks.
    pub fn extend(&mut self, blocks: &[Hash]) {
        blocks.iter().for_each(|block| self.push(*block));
    }

    /// The roots of the blocks in the entries from `from` up to `to`, both of them ends of blocks.
    pub fn blocks(&self, from: u64, to: u64) -> &[Hash] {
        let blocks = self.levels.first().map_or(&[][..], Vec::as_slice);
        &blocks[(from / BLOCK) as usize..(to / BLOCK) as usize]
    }

    /// The root of a full subtree that is no smaller than a block, by its height and its number at that height.
    pub fn subtree(&self, height: u32, number: u64) -> Option<Hash> {
        let level = self.levels.get(height.checked_sub(HEIGHT)? as usize)?;
        level.get(usize::try_from(number).ok()?).copied()
    }

    /// The tree of all full blocks within a size.
    pub fn before(&self, size: u64) -> Tree {
        let there = self.levels.first().map_or(0, Vec::len) as u64;
        let size = (size / BLOCK).min(there) * BLOCK;
        let (mut tree, heights) = (Tree::new(), (HEIGHT..u64::BITS).rev());
        for height in heights.filter(|height| size >> height & 1 == 1) {
            let root = self.subtree(height, tree.size() >> height).expect("all that are full are kept");
            tree.push_subtree(height, root);
        }
        tree
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::merkle::leaf_hash;

    #[test]
    fn the_trees_of_earlier_sizes_are_found_again() {
        let (mut past, mut tree) = (Past::default(), Tree::new());
        assert_eq!(past.before(u64::MAX), tree);
        for number in 0_u64..70 {
            let block = leaf_hash(&number.to_be_bytes());
            past.push(block);
            tree.push_subtree(HEIGHT, block);
            assert_eq!(past.before(tree.size()), tree);
            assert_eq!(past.before(tree.size() + BLOCK - 1), tree);
            assert_eq!(past.blocks(tree.size() - BLOCK, tree.size()), [block]);
            assert_eq!(past.subtree(HEIGHT, number), Some(block));
            assert_eq!(past.subtree(HEIGHT, number + 1), None);
            assert_eq!(past.subtree(HEIGHT - 1, 0), None);
        }
        let eight = (8..16).map(|number| past.subtree(HEIGHT, number).unwrap());
        let mut whole = Tree::new();
        eight.for_each(|block| whole.push(block));
        assert_eq!(past.subtree(HEIGHT + 3, 1), Some(whole.root()));
    }
}
