//! A commit: lines, cut into frames.

use std::ops::Range;

use super::frame::{Content, Encoder, FULL, Frame, Header, MAX_RAW};
use super::lines::Lines;
use super::past;
use crate::proof::merkle::{Hash, Tree, leaf_hash};

/// The frames of one commit, as the journal gets them in a single write.
#[derive(Debug, Default)]
pub(super) struct Commit {
    bytes: Vec<u8>,
    /// For each frame its header, where it lies in `bytes`, and where its lines lie in the raw lines.
    frames: Vec<(Header, Range<usize>, Range<usize>)>,
}

impl Commit {
    /// Cuts lines into frames in the memory of the commit before, and grows the tree with them. `blocks` gets the
    /// roots of the blocks that are completed.
    ///
    /// The last frame carries the end of the commit: without it none of the others counts.
    pub fn fill(&mut self, lines: &Lines, tree: &mut Tree, blocks: &mut Vec<Hash>, encoder: &mut Encoder) {
        self.bytes.clear();
        self.frames.clear();
        let (raw, ends) = (lines.raw(), lines.ends());
        let (mut next, mut start, mut line_start) = (0, 0, 0);
        while next < ends.len() {
            let first = tree.size();
            let (mut end, mut count) = (start, 0);
            // The first line always goes in, however long: a frame may hold a single line above the limit.
            while let Some(line_end) = ends.get(next).copied()
                && count < FULL
                && (count == 0 || line_end - start <= MAX_RAW)
            {
                let leaf = leaf_hash(&raw[line_start..line_end - 1]);
                blocks.extend(tree.push_completing(leaf, past::HEIGHT));
                (line_start, end, count, next) = (line_end, line_end, count + 1, next + 1);
            }
            let content = Content {
                first,
                count,
                raw: &raw[start..end],
                root: tree.root(),
                end_of_commit: next == ends.len(),
            };
            let at = self.bytes.len();
            let header = encoder.encode(&content, &mut self.bytes);
            self.frames.push((header, at..self.bytes.len(), start..end));
            start = end;
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Each frame with its lines. `lines` are those that it was filled with.
    pub fn frames<'a>(&'a self, lines: &'a Lines) -> impl Iterator<Item = (Frame<'a>, &'a [u8])> {
        self.frames.iter().map(|(header, at, raw)| {
            let frame = Frame { header: header.clone(), bytes: &self.bytes[at.clone()] };
            (frame, &lines.raw()[raw.clone()])
        })
    }
}
