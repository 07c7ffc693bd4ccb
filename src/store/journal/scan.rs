//! Reading the journal: every checksum, every position, every root.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, ScopedJoinHandle};

use super::files;
use crate::proof::merkle::{Hash, Tree};
use crate::store::Visit;
use crate::store::error::StoreError;
use crate::store::frame::{Decoder, Frame, FrameFault, HEADER, Header, MAGIC};
use crate::store::lines;
use crate::store::roots::Roots;

/// Where the journal stops being what it should be.
#[derive(Clone, Debug)]
pub(in crate::store) struct Fault {
    /// What is wrong there.
    pub what: FrameFault,
    /// The journal file.
    pub file: String,
    /// Where in the file the wrong frame begins.
    pub offset: u64,
    /// Where in the file the last whole commit ends, which is there or before.
    pub commit_offset: u64,
    /// The number in the file's name.
    pub file_first: u64,
    /// Whether there are files after it. They were begun after all of this one was durable, so that no crash did this.
    pub later_files: bool,
    /// The entries before that file: from their end on the journal must be written again.
    pub restart: Tree,
}

/// What a whole reading of the journal found.
#[derive(Debug)]
pub(in crate::store) struct Scan {
    /// The entries of all whole commits before the first fault.
    pub roots: Roots,
    /// Up to where the journal goes, in whole commits before the first fault. Less than the roots have, where it is
    /// shorter than what they started from.
    pub reached: u64,
    /// The first fault. What lies after it cannot be proven from the journal alone.
    pub fault: Option<Fault>,
    /// Up to where entries must have been acknowledged, since something was written after them. A torn end claims
    /// nothing; a fault with later commits behind it does.
    pub claims: u64,
}

impl Scan {
    /// Whether the journal lacks nothing that was acknowledged, as far as it can tell itself: it is whole, or ends in a
    /// commit that a crash interrupted.
    pub fn is_whole(&self) -> bool {
        match &self.fault {
            None => true,
            Some(Fault { what: FrameFault::Gap { .. } | FrameFault::Unreadable(_), .. }) => false,
            Some(fault) => !fault.later_files && self.claims <= self.roots.size(),
        }
    }

    /// Where the journal stops, in words.
    pub fn end(&self) -> String {
        let size = self.roots.size();
        match &self.fault {
            None => format!("the journal ends after {size} entries"),
            Some(fault) => format!(
                "the journal is good for {size} entries and then damaged: journal/{} at byte {}: {}",
                fault.file, fault.offset, fault.what
            ),
        }
    }
}

/// Entries of whole commits: the position of the first one, all of them with their newlines, and the roots of the blocks
/// that they complete.
pub(in crate::store) type Commits<'a> = &'a mut dyn FnMut(u64, Vec<u8>, Vec<Hash>) -> Result<(), StoreError>;

/// Reads the whole journal up to the first fault and visits the entries of each whole commit.
pub(in crate::store) fn scan(dir: &Path, sizes: &[u64], visit: Visit<'_>) -> Result<Scan, StoreError> {
    scan_from(dir, Tree::new(), sizes, &mut |first, raw, _| {
        for (position, line) in (first..).zip(lines::split(&raw)) {
            visit(position, line).map_err(|reason| StoreError::Visit { position, reason })?;
        }
        Ok(())
    })
}

/// Reads the whole journal up to the first fault, and gives the entries behind those of a tree.
///
/// Of the frames before them only checksums and positions are looked at; the first frame that ends with or behind them
/// must have the root that the tree leads to. The entries of a commit are held back until its last frame was read: those
/// of an unfinished commit never happened.
pub(in crate::store) fn scan_from(
    dir: &Path,
    base: Tree,
    sizes: &[u64],
    commits: Commits<'_>,
) -> Result<Scan, StoreError> {
    let files = files(dir)?;
    let mut reading = Reading { roots: Roots::from(base, sizes), reached: 0, decoder: Decoder::new() };
    let (mut claims_up_to, mut fault) = (0, None);
    for (first, name) in &files {
        let restart = reading.roots.tree().clone();
        let faulted = if *first == reading.reached {
            reading.file(dir, name, commits)?
        } else {
            Some((FrameFault::Gap { found: *first, expected: reading.reached }, 0, 0))
        };
        if let Some((what, offset, commit_offset)) = faulted {
            let (last, last_name) = files.last().expect("there is a file");
            let later_files = last > first;
            claims_up_to = if later_files {
                // Of what a file holds nothing is believed after a fault, but that there was something.
                last.saturating_add(u64::from(!is_empty(&dir.join(last_name))?))
            } else {
                claims(&dir.join(name), offset, reading.reached)?.max(*first)
            };
            fault = Some(Fault {
                what,
                file: name.clone(),
                offset,
                commit_offset,
                file_first: *first,
                later_files,
                restart,
            });
            break;
        }
    }
    Ok(Scan { roots: reading.roots, reached: reading.reached, fault, claims: claims_up_to })
}

/// How many commits may be read ahead of those that are looked at.
const AHEAD: usize = 8;

/// The commits of a scan on another core, as [`Commits`] gets them, and what the scan found in the end.
pub(in crate::store) type Beside<'scope> =
    (Receiver<(u64, Vec<u8>, Vec<Hash>)>, ScopedJoinHandle<'scope, Result<Scan, StoreError>>);

/// Does as [`scan_from`] on another core, and hands the commits out one by one. Who stops taking them stops the scan.
pub(in crate::store) fn scan_beside<'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    dir: PathBuf,
    base: Tree,
    sizes: Vec<u64>,
) -> Beside<'scope> {
    let (give, commits) = sync_channel(AHEAD);
    let scan = scope.spawn(move || {
        scan_from(&dir, base, &sizes, &mut |first, raw, blocks| {
            let given = give.send((first, raw, blocks));
            given.map_err(|_| StoreError::Visit { position: first, reason: "nobody takes them".to_owned() })
        })
    });
    (commits, scan)
}

fn is_empty(path: &Path) -> Result<bool, StoreError> {
    Ok(path.metadata().map_err(StoreError::io("measuring", path))?.len() == 0)
}

/// What was read so far.
struct Reading {
    roots: Roots,
    reached: u64,
    decoder: Decoder,
}

impl Reading {
    /// Reads a file. Returns the first fault with the offsets of its frame and of the end of the last whole commit.
    fn file(
        &mut self,
        dir: &Path,
        name: &str,
        commits: Commits<'_>,
    ) -> Result<Option<(FrameFault, u64, u64)>, StoreError> {
        let mut frames = Frames::open(dir, name)?;
        let (mut commit_offset, mut commit_whole) = (0, true);
        // The commit that is being read: its lines and the tree with them.
        let (mut commit, mut pending, mut blocks) = (Vec::new(), self.roots.clone(), Vec::new());
        let mut at = self.reached;
        let fault = loop {
            let offset = frames.offset;
            let frame = match frames.next() {
                Ok(Some(frame)) => frame,
                Ok(None) if commit_whole => return Ok(None),
                Ok(None) => break (FrameFault::Unfinished, commit_offset, commit_offset),
                Err(fault) => break (fault, offset, commit_offset),
            };
            let (found, expected) = (frame.header.first, at);
            if found != expected {
                break (FrameFault::Position { found, expected }, offset, commit_offset);
            }
            at = frame.header.end();
            if at > pending.size() {
                let raw = match frame.raw(&mut self.decoder) {
                    Ok(raw) => raw,
                    Err(fault) => break (fault, offset, commit_offset),
                };
                let known = (pending.size() - frame.header.first) as usize;
                for line in lines::split(raw).skip(known) {
                    blocks.extend(pending.push_completing(line));
                    commit.extend_from_slice(line);
                    commit.push(b'\n');
                }
            }
            if at == pending.size() && pending.tree().root() != frame.header.root {
                break (FrameFault::Root, offset, commit_offset);
            }
            commit_whole = frame.header.end_of_commit;
            if commit_whole {
                commit_offset = frames.offset;
                if !commit.is_empty() {
                    commits(self.roots.size(), std::mem::take(&mut commit), std::mem::take(&mut blocks))?;
                }
                self.roots.clone_from(&pending);
                self.reached = at;
            }
        };
        Ok(Some(fault))
    }
}

/// Looks behind a fault at `offset` in the last file for commits that were written after it.
///
/// The interrupted write of a single commit can leave any of its own frames, but nothing of a later commit: that is
/// begun only when this one is durable. So a frame after an end of commit, or a frame in the place of another, shows
/// that entries before it were acknowledged.
fn claims(path: &Path, offset: u64, size: u64) -> Result<u64, StoreError> {
    let mut rest = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        io::Seek::seek(&mut file, io::SeekFrom::Start(offset))?;
        file.read_to_end(&mut rest)
    });
    if read.is_err() {
        // The disk does not give these bytes back, so they tell nothing; the checkpoint and the events still do.
        return Ok(0);
    }
    let (mut at, mut claims, mut commit_ended, mut earliest) = (0, 0, false, size);
    while let Some(found) = rest[at..].windows(MAGIC.len()).position(|bytes| bytes == MAGIC) {
        at += found;
        // The position first, since it costs nothing: bytes made to look like frames must not be hashed over and over.
        let plausible = Header::parse(&rest[at..]).is_ok_and(|header| header.first >= earliest);
        let Some(frame) = plausible.then(|| Frame::parse(&rest[at..]).ok()).flatten() else {
            at += 1;
            continue;
        };
        earliest = frame.header.end();
        let in_place_of_another = at == 0 && frame.header.first > size;
        if commit_ended || in_place_of_another {
            claims = claims.max(frame.header.first);
        }
        commit_ended |= frame.header.end_of_commit;
        at += frame.bytes.len();
    }
    Ok(claims)
}

/// Gives the frames from the last one that ends at or before `from` up to the one that ends at `to`, with their lines,
/// in order.
///
/// For a journal that was scanned before and holds whole commits up to `to`: a frame that is wrong now changed under our
/// hands. What a crash left behind `to` is not looked at.
pub(in crate::store) fn frames_between(
    dir: &Path,
    from: u64,
    to: u64,
    mut each: impl FnMut(&Frame<'_>, &[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let files = files(dir)?;
    let start = files.iter().rposition(|(first, _)| *first < from).unwrap_or(0);
    let mut decoder = Decoder::new();
    let mut reached = 0;
    for (_, name) in &files[start..] {
        let mut frames = Frames::open(dir, name)?;
        while reached < to {
            let offset = frames.offset;
            let changed = |what: FrameFault| StoreError::Damaged {
                detail: format!("journal/{name} changed while it was read, at byte {offset}: {what}"),
                remedy: crate::store::Remedy::Verify,
            };
            let Some(frame) = frames.next().map_err(changed)? else {
                break;
            };
            reached = frame.header.end();
            if reached >= from {
                each(&frame, frame.raw(&mut decoder).map_err(changed)?)?;
            }
        }
    }
    Ok(())
}

/// The frames of a file, one at a time in the same memory.
pub(super) struct Frames {
    file: BufReader<File>,
    /// Where the next frame begins.
    offset: u64,
    bytes: Vec<u8>,
}

impl Frames {
    pub fn open(dir: &Path, name: &str) -> Result<Self, StoreError> {
        let path = dir.join(name);
        let file = File::open(&path).map_err(StoreError::io("opening", &path))?;
        Ok(Self { file: BufReader::with_capacity(256 * 1024, file), offset: 0, bytes: Vec::new() })
    }

    /// Where the next frame begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next frame, or none at the end of the file. After a fault there is no next.
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, FrameFault> {
        self.bytes.clear();
        self.fill(HEADER)?;
        if self.bytes.is_empty() {
            return Ok(None);
        }
        // The header's limits are checked before its length is believed.
        let length = Header::parse(&self.bytes)?.frame_len();
        self.fill(length)?;
        let frame = Frame::parse(&self.bytes)?;
        self.offset += frame.bytes.len() as u64;
        Ok(Some(frame))
    }

    /// Reads on until `length` bytes of the frame are there, or fewer where the file ends.
    fn fill(&mut self, length: usize) -> Result<(), FrameFault> {
        let missing = (length - self.bytes.len()) as u64;
        self.file
            .by_ref()
            .take(missing)
            .read_to_end(&mut self.bytes)
            // A sector that the disk cannot read is damage like any other, and healed like any other.
            .map_err(|error| FrameFault::Unreadable(error.to_string()))?;
        Ok(())
    }
}
