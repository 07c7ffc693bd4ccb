//! Files of records beside the log: what must be erasable, or is no part of it.
//!
//! The log only grows, and its proofs need every byte of it. What may have to go again lies in files of this kind: records
//! one after another, each with its checksum, any of which can be overwritten where it stands. `docs/log-format.md`
//! describes the bytes.
//!
//! The head of a file says how far it was synced. So what a crash left of records that nobody was told about is told apart
//! from damage to one that somebody was: the first is cut off with a note, the second refuses to open.

use std::fs::{self, File};
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::error::StoreError;
use super::folder::{private, sync_dir};
use super::note::Note;

const MAGIC: [u8; 4] = *b"PEIK";
/// The version of the file that this program writes and reads.
const VERSION: u32 = 1;
/// How long the file's own header is.
const HEADER: u64 = 32;
/// What everything is aligned to, and the length of a record's header: within a sector of a disk, so that it is written
/// whole or not at all.
const BLOCK: u64 = 16;
/// A record that is there.
const KEPT: [u8; 4] = *b"KEPT";
/// A record that was erased: its bytes are zeros.
const GONE: [u8; 4] = *b"GONE";
/// The longest record. Nothing that the program keeps comes near.
const MAX_RECORD: usize = 16 * 1024 * 1024;
/// How many bytes wait for a sync before they are written.
const WRITTEN_AT: usize = 256 * 1024;

/// Where a record lies in its file, until the file is opened again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(u64);

/// Receives the records in order, each with its place. An error stops the opening.
pub type Visit<'a> = &'a mut dyn FnMut(Place, &[u8]) -> Result<(), String>;

/// An open file of records.
pub struct Kept {
    path: PathBuf,
    // A read moves the place in the file, and may come from any thread.
    file: Mutex<File>,
    head: Head,
    /// Where the file ends.
    written: u64,
    /// Records behind that, which are not in the file yet.
    waiting: Vec<u8>,
    /// Whether a write failed, so that nobody knows what the file holds.
    poisoned: bool,
}

/// What the file's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    /// How often the file was written anew without what was erased.
    generation: u32,
    /// How far it was synced. After a power cut it may say less.
    synced: u64,
    /// How often something was erased.
    erasures: u32,
}

impl Head {
    fn bytes(self) -> [u8; HEADER as usize] {
        let mut bytes = [0; HEADER as usize];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..8].copy_from_slice(&VERSION.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.generation.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.synced.to_be_bytes());
        bytes[24..28].copy_from_slice(&self.erasures.to_be_bytes());
        for block in bytes.chunks_exact_mut(BLOCK as usize) {
            seal(block);
        }
        bytes
    }

    fn parse(bytes: &[u8; HEADER as usize]) -> Result<Self, &'static str> {
        if bytes[..4] != MAGIC {
            return Err("is no file of records");
        }
        if number(bytes, 4) != VERSION {
            return Err("is of another version of the program");
        }
        let head = Self {
            generation: number(bytes, 8),
            synced: u64::from(number(bytes, 16)) << 32 | u64::from(number(bytes, 20)),
            erasures: number(bytes, 24),
        };
        let right = head.bytes() == *bytes && head.synced >= HEADER && head.synced.is_multiple_of(BLOCK);
        right.then_some(head).ok_or("has a damaged header")
    }
}

/// Writes the checksum of a block of 16 bytes into its last four.
fn seal(block: &mut [u8]) {
    let sum = crc32fast::hash(&block[..12]);
    block[12..].copy_from_slice(&sum.to_be_bytes());
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

/// The header of a record.
fn record_header(kind: [u8; 4], length: u32, sum: u32) -> [u8; BLOCK as usize] {
    let mut header = [0; BLOCK as usize];
    header[..4].copy_from_slice(&kind);
    header[4..8].copy_from_slice(&length.to_be_bytes());
    header[8..12].copy_from_slice(&sum.to_be_bytes());
    seal(&mut header);
    header
}

/// A record's header that was read.
#[derive(Clone, Copy)]
struct RecordHeader {
    gone: bool,
    length: u32,
    sum: u32,
}

impl RecordHeader {
    fn parse(bytes: &[u8; BLOCK as usize]) -> Option<Self> {
        let found = Self { gone: bytes[..4] == GONE, length: number(bytes, 4), sum: number(bytes, 8) };
        let kind = if found.gone { GONE } else { KEPT };
        let right = record_header(kind, found.length, found.sum) == *bytes;
        (right && found.length as usize <= MAX_RECORD && (!found.gone || found.sum == 0)).then_some(found)
    }

    /// The bytes behind it: those of the record, and zeros up to the next block.
    fn padded(self) -> u64 {
        u64::from(self.length).next_multiple_of(BLOCK)
    }
}

/// Puts a record at the end of `to`.
fn put(record: &[u8], to: &mut Vec<u8>) {
    let length = u32::try_from(record.len()).expect("it was measured");
    to.extend_from_slice(&record_header(KEPT, length, crc32fast::hash(record)));
    to.extend_from_slice(record);
    to.resize(to.len().next_multiple_of(BLOCK as usize), 0);
}

/// What a walk through a file came upon.
enum Met<'a> {
    Record(&'a [u8]),
    /// An erased record with as many bytes, and whether all of them are zeros.
    Gone(u64, bool),
}

impl Kept {
    /// Opens a file, or begins it where there is none; visits every record in order that was not erased.
    ///
    /// What a crash left of records that were not synced is cut off, with a note. Where more than half is erased, the file
    /// is written anew without that, so that places are good until the next opening only. When this fails, what was visited must be thrown away.
    ///
    /// # Errors
    /// When a record that was synced is damaged or missing, or the visitor stops. Then nothing was changed.
    pub fn open(path: &Path, visit: Visit<'_>) -> Result<(Self, Vec<Note>), StoreError> {
        let fresh = path.with_extension("tmp");
        // It may hold what was erased since.
        match fs::remove_file(&fresh) {
            Ok(()) => sync_dir(folder_of(path))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::io("removing", &fresh)(error)),
        }
        let file = match private().write(true).read(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Fresh::begin(path)?.replace(path, 0)?;
                private().write(true).read(true).open(path).map_err(StoreError::io("opening", path))?
            }
            Err(error) => return Err(StoreError::io("opening", path)(error)),
        };
        let head = head_of(path, &file)?;
        let mut kept = Self {
            path: path.to_path_buf(),
            file: Mutex::new(file),
            head,
            written: head.synced,
            waiting: Vec::new(),
            poisoned: false,
        };
        let notes = kept.settle()?;
        kept.walk(&mut |at, met| match met {
            Met::Record(record) => visit(Place(at), record).map_err(|reason| {
                kept.damaged(format!("holds a record at byte {at} that cannot be used: {reason}"))
            }),
            Met::Gone(..) => Ok(()),
        })?;
        Ok((kept, notes))
    }

    /// Checks the whole file, and makes it as it would be if nothing had been interrupted.
    fn settle(&mut self) -> Result<Vec<Note>, StoreError> {
        let mut notes = Vec::new();
        let (mut there, mut gone, mut half_erased) = (0, 0, Vec::new());
        let end = self.walk(&mut |at, met| {
            match met {
                Met::Record(record) => there += BLOCK + (record.len() as u64).next_multiple_of(BLOCK),
                Met::Gone(bytes, zeros) => {
                    gone += BLOCK + bytes;
                    if !zeros {
                        half_erased.push(Place(at));
                    }
                }
            }
            Ok(())
        })?;
        let length = self.length()?;
        self.written = end;
        if end < length {
            let cut = self.file().set_len(end);
            cut.map_err(StoreError::io("cutting off the end of", &self.path))?;
            notes.push(Note::RecordsCut { file: self.path.clone(), bytes: length - end });
        }
        if end != self.head.synced || end < length {
            // A process may have been killed after it wrote and before it synced: nobody acts on what is not durable.
            self.sync_file()?;
            self.head.synced = end;
            self.write_head()?;
        }
        if !half_erased.is_empty() {
            self.overwrite(&half_erased)?;
        }
        if gone > there {
            self.rewrite()?;
        }
        Ok(notes)
    }

    /// Adds a record. It is durable when [`sync`](Self::sync) returns, and may be lost until then.
    ///
    /// # Errors
    /// When it is longer than 16 MiB, nothing happens. After any other error the handle refuses all further work.
    pub fn append(&mut self, record: &[u8]) -> Result<Place, StoreError> {
        self.usable()?;
        if record.len() > MAX_RECORD {
            let length = record.len();
            return Err(StoreError::LineTooLong { index: 0, length, limit: MAX_RECORD });
        }
        let place = Place(self.written + self.waiting.len() as u64);
        put(record, &mut self.waiting);
        if self.waiting.len() >= WRITTEN_AT {
            self.write_waiting()?;
        }
        Ok(place)
    }

    /// Makes all that was appended durable.
    ///
    /// # Errors
    /// When the operating system refuses, or another program wrote to the file. Then the handle refuses all further work.
    pub fn sync(&mut self) -> Result<(), StoreError> {
        self.usable()?;
        self.write_waiting()?;
        if self.head.synced == self.written {
            return Ok(());
        }
        self.poisoned = true;
        // A crash before this returns leaves some of the records, of which nobody was told.
        self.sync_file()?;
        self.head.synced = self.written;
        // A power cut may take this, and then the next opening finds more records than were stated.
        self.write_head()?;
        self.poisoned = false;
        Ok(())
    }

    /// The record at a place; nothing where it was erased.
    ///
    /// # Errors
    /// When it can no longer be read.
    pub fn read(&self, place: Place) -> Result<Option<Vec<u8>>, StoreError> {
        self.usable()?;
        let mut file;
        let mut waiting;
        let from: &mut dyn io::Read = if place.0 >= self.written {
            waiting = self.waiting.get((place.0 - self.written) as usize..).unwrap_or_default();
            &mut waiting
        } else {
            file = self.file();
            file.seek(SeekFrom::Start(place.0)).map_err(StoreError::io("reading", &self.path))?;
            &mut *file
        };
        let mut record = Vec::new();
        match next(from, &mut record).map_err(StoreError::io("reading", &self.path))? {
            ControlFlow::Continue(header) => Ok((!header.gone).then_some(record)),
            ControlFlow::Break(why) => Err(self.damaged(format!("{why} at byte {}", place.0))),
        }
    }

    /// Overwrites a record. When this returns, it is gone from the file for good; a crash before that leaves it whole or
    /// gone.
    ///
    /// # Errors
    /// When there is no record at the place, nothing happens. After any other error the handle refuses all further work.
    pub fn erase(&mut self, place: Place) -> Result<(), StoreError> {
        self.erase_all(&[place])
    }

    /// Overwrites many records at the cost of one.
    ///
    /// # Errors
    /// As [`erase`](Self::erase).
    pub fn erase_all(&mut self, places: &[Place]) -> Result<(), StoreError> {
        for place in places {
            self.read(*place)?;
        }
        if places.is_empty() {
            return Ok(());
        }
        self.sync()?;
        self.poisoned = true;
        // First, so that another process that goes on afterwards looks again, also when this one gets no further.
        self.head.erasures = self.head.erasures.wrapping_add(1);
        self.write_head()?;
        self.overwrite(places)?;
        self.poisoned = false;
        Ok(())
    }

    /// Whether nobody else changed the file since this handle last did: what was visited is what is in it.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub fn is_current(&self) -> Result<bool, StoreError> {
        let file = File::open(&self.path).map_err(StoreError::io("opening", &self.path))?;
        let length = file.metadata().map_err(StoreError::io("measuring", &self.path))?.len();
        Ok(length == self.written && head_of(&self.path, &file)? == self.head)
    }

    /// Marks records as erased, and then overwrites them.
    fn overwrite(&self, places: &[Place]) -> Result<(), StoreError> {
        let mut file = self.file();
        let mut header = |place: &Place| {
            let mut bytes = [0; BLOCK as usize];
            file.seek(SeekFrom::Start(place.0))?;
            file.read_exact(&mut bytes)?;
            let header = RecordHeader::parse(&bytes).ok_or(io::ErrorKind::InvalidData)?;
            file.seek(SeekFrom::Start(place.0))?;
            file.write_all(&record_header(GONE, header.length, 0))?;
            Ok(header)
        };
        let io = || StoreError::io("erasing in", &self.path);
        let headers: Vec<_> =
            places.iter().map(&mut header).collect::<io::Result<_>>().map_err(|error| io()(error))?;
        // A crash before this returns leaves records whole or marked. Opening overwrites what is marked.
        file.sync_data().map_err(io())?;
        let zeros = |(place, header): (&Place, &RecordHeader)| {
            file.seek(SeekFrom::Start(place.0 + BLOCK))?;
            io::copy(&mut io::repeat(0).take(header.padded()), &mut *file).map(drop)
        };
        places.iter().zip(&headers).try_for_each(zeros).map_err(io())?;
        file.sync_data().map_err(io())
    }

    /// Writes the file anew without what was erased, and goes on in that.
    fn rewrite(&mut self) -> Result<(), StoreError> {
        let mut fresh = Fresh::begin(&self.path)?;
        self.walk(&mut |_, met| match met {
            Met::Record(record) => fresh.put(record),
            Met::Gone(..) => Ok(()),
        })?;
        fresh.replace(&self.path, self.head.generation.wrapping_add(1))?;
        let file = private()
            .write(true)
            .read(true)
            .open(&self.path)
            .map_err(StoreError::io("opening", &self.path))?;
        self.head = head_of(&self.path, &file)?;
        self.file = Mutex::new(file);
        self.written = self.head.synced;
        Ok(())
    }

    /// Walks through all records, and gives where the last whole one ends.
    fn walk(&self, to: &mut dyn FnMut(u64, Met<'_>) -> Result<(), StoreError>) -> Result<u64, StoreError> {
        let io = || StoreError::io("reading", &self.path);
        let length = self.length()?;
        if length < self.head.synced {
            let synced = self.head.synced;
            return Err(self.damaged(format!("has {length} bytes of the {synced} that were written")));
        }
        let mut file = self.file();
        file.seek(SeekFrom::Start(HEADER)).map_err(io())?;
        let mut from = BufReader::with_capacity(WRITTEN_AT, &mut *file);
        let (mut at, mut record) = (HEADER, Vec::new());
        while at < length {
            match next(&mut from, &mut record).map_err(io())? {
                ControlFlow::Continue(header) => {
                    let zeros = || record.iter().all(|byte| *byte == 0);
                    to(
                        at,
                        if header.gone { Met::Gone(header.padded(), zeros()) } else { Met::Record(&record) },
                    )?;
                    at += BLOCK + header.padded();
                }
                // Nobody was told of what lies behind the last sync.
                ControlFlow::Break(_) if at >= self.head.synced => break,
                ControlFlow::Break(why) => return Err(self.damaged(format!("{why} at byte {at}"))),
            }
        }
        Ok(at)
    }

    fn write_waiting(&mut self) -> Result<(), StoreError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let length = self.length()?;
        self.poisoned = true;
        if length != self.written {
            return Err(StoreError::KeptChanged { file: self.path.clone() });
        }
        let io = StoreError::io("writing", &self.path);
        let written = {
            let mut file = self.file();
            file.seek(SeekFrom::Start(self.written)).and_then(|_| file.write_all(&self.waiting))
        };
        written.map_err(io)?;
        self.written += self.waiting.len() as u64;
        self.waiting.clear();
        self.poisoned = false;
        Ok(())
    }

    fn write_head(&self) -> Result<(), StoreError> {
        let mut file = self.file();
        let written = file
            .seek(SeekFrom::Start(BLOCK))
            .and_then(|_| file.write_all(&self.head.bytes()[BLOCK as usize..]));
        written.map_err(StoreError::io("writing", &self.path))
    }

    fn sync_file(&self) -> Result<(), StoreError> {
        self.file().sync_data().map_err(StoreError::io("syncing", &self.path))
    }

    fn length(&self) -> Result<u64, StoreError> {
        Ok(self.file().metadata().map_err(StoreError::io("measuring", &self.path))?.len())
    }

    fn file(&self) -> MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn usable(&self) -> Result<(), StoreError> {
        if self.poisoned { Err(StoreError::Poisoned) } else { Ok(()) }
    }

    fn damaged(&self, what: String) -> StoreError {
        StoreError::KeptDamaged { file: self.path.clone(), what }
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("path", &self.path).field("head", &self.head).finish_non_exhaustive()
    }
}

/// Reads the next record into `record`, or says what is wrong with it. Of an erased one these are all bytes that should be
/// zeros.
fn next(
    from: &mut dyn io::Read,
    record: &mut Vec<u8>,
) -> io::Result<ControlFlow<&'static str, RecordHeader>> {
    const SHORT: &str = "is cut short";
    let mut bytes = [0; BLOCK as usize];
    if !fill(from, &mut bytes)? {
        return Ok(ControlFlow::Break(SHORT));
    }
    let Some(header) = RecordHeader::parse(&bytes) else {
        return Ok(ControlFlow::Break("has no record"));
    };
    record.resize(header.padded() as usize, 0);
    if !fill(from, record)? {
        return Ok(ControlFlow::Break(SHORT));
    }
    if !header.gone {
        let (bytes, padding) = record.split_at(header.length as usize);
        if crc32fast::hash(bytes) != header.sum || padding.iter().any(|byte| *byte != 0) {
            return Ok(ControlFlow::Break("has a damaged record"));
        }
        record.truncate(header.length as usize);
    }
    Ok(ControlFlow::Continue(header))
}

/// Whether there were as many bytes as asked for.
fn fill(from: &mut dyn io::Read, bytes: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn head_of(path: &Path, mut file: &File) -> Result<Head, StoreError> {
    let mut bytes = [0; HEADER as usize];
    let io = StoreError::io("reading", path);
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| fill(&mut file, &mut bytes)).map_err(io)?;
    let head = if read { Head::parse(&bytes) } else { Err("is too short to be a file of records") };
    head.map_err(|what| StoreError::KeptDamaged { file: path.to_path_buf(), what: what.to_owned() })
}

/// A file that replaces another, or begins it, whole or not at all.
struct Fresh {
    beside: PathBuf,
    file: File,
    bytes: Vec<u8>,
}

impl Fresh {
    fn begin(path: &Path) -> Result<Self, StoreError> {
        let beside = path.with_extension("tmp");
        let file = private()
            .write(true)
            .create_new(true)
            .open(&beside)
            .map_err(StoreError::io("making", &beside))?;
        // The header comes when it is known how long the file is.
        Ok(Self { beside, file, bytes: vec![0; HEADER as usize] })
    }

    fn put(&mut self, record: &[u8]) -> Result<(), StoreError> {
        put(record, &mut self.bytes);
        if self.bytes.len() >= WRITTEN_AT { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), StoreError> {
        self.file.write_all(&self.bytes).map_err(StoreError::io("writing", &self.beside))?;
        self.bytes.clear();
        Ok(())
    }

    /// Puts it in its place. When this returns, it survives a power cut.
    fn replace(mut self, path: &Path, generation: u32) -> Result<(), StoreError> {
        self.write()?;
        let Self { beside, mut file, .. } = self;
        let done = file.stream_position().and_then(|synced| {
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&Head { generation, synced, erasures: 0 }.bytes())?;
            file.sync_all()
        });
        done.map_err(StoreError::io("writing", &beside))?;
        // A crash before the rename leaves what was there, and after it the new file.
        fs::rename(&beside, path).map_err(StoreError::io("replacing", path))?;
        sync_dir(folder_of(path))
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
