//! Hashing the entries of the journal on all cores.
//!
//! The files are hashed apart from one another and their hashes put together in order, which gives the same tree. What
//! frames say about roots is not looked at: the root that comes out is held against one that was signed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use super::files;
use super::scan::Frames;
use crate::proof::merkle::{Span, Tree, leaf_hash};
use crate::store::error::{Remedy, StoreError};
use crate::store::frame::{Decoder, FrameFault};
use crate::store::lines;

/// The beginning of a journal, hashed.
pub(in crate::store) struct Hashed {
    /// The tree over as many entries as were asked for; fewer where there are fewer.
    pub tree: Tree,
    /// Up to where whole commits were seen. It is at least the size that was asked for, or where the journal ends.
    pub whole: u64,
}

/// A file of the journal, hashed.
struct Part {
    span: Span,
    whole: u64,
}

/// Hashes the first `size` entries. `progress` gets how many were hashed so far.
///
/// # Errors
/// When a file is damaged before that, or one is missing.
pub(in crate::store) fn hash(
    dir: &Path,
    size: u64,
    progress: &mut dyn FnMut(u64),
) -> Result<Hashed, StoreError> {
    let mut files = files(dir)?;
    files.retain(|(first, _)| *first < size);
    let (files, next) = (&files, &AtomicUsize::new(0));
    let workers = thread::available_parallelism().map_or(1, usize::from).min(files.len());
    thread::scope(|scope| {
        let (give, parts) = sync_channel(workers.max(1));
        for _ in 0..workers {
            let give = give.clone();
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some((first, name)) = files.get(at) else { return };
                    // Nobody takes it any more where an earlier file was damaged.
                    if give.send((at, part(dir, *first, name, size))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(give);
        let (mut tree, mut whole, mut waiting, mut wanted) = (Tree::new(), 0, BTreeMap::new(), 0);
        for (at, part) in parts {
            waiting.insert(at, part);
            while let Some(part) = waiting.remove(&wanted) {
                let (first, name) = &files[wanted];
                if *first != tree.size() {
                    let gap = FrameFault::Gap { found: *first, expected: tree.size() };
                    return Err(damaged(name, 0, &gap));
                }
                let part = part?;
                tree.append(&part.span);
                whole = part.whole;
                progress(tree.size());
                wanted += 1;
            }
        }
        Ok(Hashed { tree, whole })
    })
}

fn part(dir: &Path, first: u64, name: &str, size: u64) -> Result<Part, StoreError> {
    let mut frames = Frames::open(dir, name)?;
    let mut decoder = Decoder::new();
    let mut part = Part { span: Span::new(first), whole: first };
    let mut expected = first;
    // Behind the size that is asked for a commit may be unfinished, and need not be looked at.
    while part.whole < size {
        let offset = frames.offset();
        let frame = match frames.next() {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err(fault) => return Err(damaged(name, offset, &fault)),
        };
        let found = frame.header.first;
        if found != expected {
            return Err(damaged(name, offset, &FrameFault::Position { found, expected }));
        }
        expected = frame.header.end();
        match frame.raw(&mut decoder) {
            Ok(raw) => {
                let wanted = size.saturating_sub(found) as usize;
                lines::split(raw).take(wanted).for_each(|line| part.span.push(leaf_hash(line)));
            }
            Err(fault) => return Err(damaged(name, offset, &fault)),
        }
        if frame.header.end_of_commit {
            part.whole = expected;
        }
    }
    Ok(part)
}

fn damaged(name: &str, offset: u64, fault: &FrameFault) -> StoreError {
    StoreError::Damaged {
        detail: format!("journal/{name} is damaged at byte {offset}: {fault}"),
        remedy: Remedy::Verify,
    }
}
