//! The small frames at the end of the events, until there are enough to make one large frame of them.

use crate::store::frame::{Content, Encoder, FULL, Header, MAX_RAW};

/// Small frames that follow one another, with their lines, so that packing them needs no reading.
#[derive(Debug, Default)]
pub(super) struct Tail {
    frames: Vec<Header>,
    /// How many of them sled holds; the rest waits for the next batch.
    stored: usize,
    raw: Vec<u8>,
}

impl Tail {
    /// Whether a frame may still be packed together with these.
    pub fn fits(frames: &[Header], next: &Header) -> bool {
        let sum = |of: fn(&Header) -> u32| -> usize {
            frames.iter().chain([next]).map(|header| of(header) as usize).sum()
        };
        frames.is_empty() || sum(|header| header.count) <= FULL && sum(|header| header.raw_len) <= MAX_RAW
    }

    pub fn push(&mut self, header: Header, raw: &[u8]) {
        self.frames.push(header);
        self.raw.extend_from_slice(raw);
    }

    pub fn clear(&mut self) {
        self.frames.clear();
        self.stored = 0;
        self.raw.clear();
    }

    /// One frame in the place of all: it ends where the last one ends, with that one's root.
    pub fn packed(&self, encoder: &mut Encoder) -> Option<Vec<u8>> {
        let [first, .., last] = self.frames.as_slice() else {
            return None;
        };
        let mut bytes = Vec::new();
        let content = Content {
            first: first.first,
            count: self.frames.iter().map(|header| header.count as usize).sum(),
            raw: &self.raw,
            root: last.root,
            end_of_commit: last.end_of_commit,
        };
        let packed = encoder.encode(&content, &mut bytes);
        assert_eq!(packed.end(), last.end());
        Some(bytes)
    }

    pub fn frames(&self) -> &[Header] {
        &self.frames
    }

    /// The key of each frame, and whether sled holds it.
    pub fn parts(&self) -> Vec<(u64, bool)> {
        let frames = self.frames.iter().enumerate();
        frames.map(|(at, header)| (header.first, at < self.stored)).collect()
    }

    pub fn first(&self) -> u64 {
        self.frames[0].first
    }

    pub fn set_stored(&mut self) {
        self.stored = self.frames.len();
    }
}
