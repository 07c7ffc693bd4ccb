//! The lines of one commit, in one buffer.

use std::io::BufRead as _;

/// Lines to append together, as [`Store::append`](super::Store::append) takes them.
///
/// They lie one after another in a single buffer, each ended by a newline, which is how a frame holds them: nothing
/// is copied between here and the disk but by the compression. [`clear`](Self::clear) keeps the memory.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Lines {
    /// No lines yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The lines of a raw payload: one after another, each ended by a newline.
    pub(super) fn of_raw(bytes: Vec<u8>) -> Self {
        let newlines = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let ends = newlines.map(|(at, _)| at + 1).collect();
        Self { bytes, ends }
    }

    /// Adds a line.
    ///
    /// # Panics
    /// When it holds a newline: the newline ends a line on disk, so an entry with one in it would come back as two.
    pub fn push(&mut self, line: &[u8]) {
        self.push_with(|to| to.extend_from_slice(line));
    }

    /// Adds a line that is written where it will lie.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        assert!(!self.bytes[start..].contains(&b'\n'), "an entry is one line");
        self.bytes.push(b'\n');
        self.ends.push(self.bytes.len());
    }

    /// Adds all lines of another.
    pub fn append(&mut self, other: &Self) {
        let before = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.ends.extend(other.ends.iter().map(|end| before + end));
    }

    /// The line with this place among them, without its newline.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.bytes[start..end - 1])
    }

    /// The last line, without its newline.
    pub fn last(&self) -> Option<&[u8]> {
        self.get(self.len().checked_sub(1)?)
    }

    /// Takes all lines out and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many bytes the lines take, newlines included.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// The first line that with its newline takes more than `limit` bytes, and how long it is without.
    pub(super) fn longer_than(&self, limit: usize) -> Option<(usize, usize)> {
        let mut start = 0;
        self.ends.iter().enumerate().find_map(|(index, end)| {
            let length = end - std::mem::replace(&mut start, *end);
            (length > limit).then(|| (index, length - 1))
        })
    }

    /// The lines with their newlines, as a frame holds them.
    pub(super) fn raw(&self) -> &[u8] {
        &self.bytes
    }

    /// Where each line ends in [`raw`](Self::raw), just after its newline.
    pub(super) fn ends(&self) -> &[usize] {
        &self.ends
    }
}

impl<L: AsRef<[u8]>> FromIterator<L> for Lines {
    fn from_iter<I: IntoIterator<Item = L>>(lines: I) -> Self {
        let mut all = Self::new();
        for line in lines {
            all.push(line.as_ref());
        }
        all
    }
}

/// The lines of a raw payload, without their newlines.
pub(super) fn split(raw: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        let all = rest;
        // A slice reads like a file here, because the standard library then searches many bytes at once.
        let length = rest.skip_until(b'\n').expect("a slice can be read");
        let line = &all[..length];
        (length > 0).then(|| line.strip_suffix(b"\n").unwrap_or(line))
    })
}
