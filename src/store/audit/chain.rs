//! Reading the audit record: line by line, each held against the one before it.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

use super::head::{AuditHead, StatedHead};
use super::{AuditLine, BEGUN, FOLDER, damaged};
use crate::domain::read_object;
use crate::domain::time::{Day, RecordedAt};
use crate::store::error::{Remedy, StoreError};
use crate::store::folder::{names, there_is_a_ledger};
use crate::store::verify::{Finding, Place};

/// How a file of lines ends in its name.
const ENDING: &str = ".jsonl";
/// How many findings are listed: a file that is something else altogether has one a line.
const FINDINGS: usize = 10;

/// How many lines there are, and the hash of the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub records: u64,
    hash: [u8; 32],
}

impl Link {
    /// Before the first line: the hash of nothing.
    pub fn start() -> Self {
        Self { records: 0, hash: Sha256::digest(b"").into() }
    }

    /// After the line with this number.
    pub fn after(number: u64, line: &[u8]) -> Self {
        Self { records: number + 1, hash: Sha256::digest(line).into() }
    }

    pub fn stated(records: u64, hash: &str) -> Option<Self> {
        Some(Self { records, hash: BASE64_STANDARD.decode(hash).ok()?.try_into().ok()? })
    }

    pub fn hash(&self) -> String {
        BASE64_STANDARD.encode(self.hash)
    }
}

/// The file for lines of this moment: a file a day, in UTC as the times themselves.
pub(super) fn file_of(time: RecordedAt) -> String {
    format!("{}{ENDING}", &time.to_string()[..10])
}

/// The day whose lines a file holds, if it is a file of lines.
pub(super) fn day_of(name: &str) -> Option<Day> {
    name.strip_suffix(ENDING)?.parse().ok()
}

/// The files of lines, in the order of their days.
fn files(folder: &Path) -> Result<Vec<String>, StoreError> {
    let mut files = names(folder)?;
    files.retain(|name| day_of(name).is_some());
    Ok(files)
}

/// A line of a file as it is read.
struct Read<'a> {
    file: &'a str,
    /// Where in the file it begins.
    offset: u64,
    /// The line without its newline.
    bytes: &'a [u8],
    /// Whether it has one.
    is_whole: bool,
}

/// Reads the lines of files from a place in the first of them, until `visit` has seen enough.
fn walk(
    folder: &Path,
    files: &[String],
    from: u64,
    visit: &mut dyn FnMut(Read<'_>) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let mut line = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let path = folder.join(file);
        let io = || StoreError::io("reading", &path);
        let mut reader = BufReader::with_capacity(1 << 18, File::open(&path).map_err(io())?);
        let mut offset = if index == 0 { from } else { 0 };
        reader.seek(SeekFrom::Start(offset)).map_err(io())?;
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line).map_err(io())?;
            if read == 0 {
                break;
            }
            let is_whole = line.pop_if(|last| *last == b'\n').is_some();
            if !visit(Read { file, offset, bytes: &line, is_whole })? {
                return Ok(());
            }
            offset += read as u64;
        }
    }
    Ok(())
}

fn parse(bytes: &[u8]) -> Option<AuditLine> {
    read_object(std::str::from_utf8(bytes).ok()?).ok()
}

/// What a crash left after the last whole line.
pub(super) struct Torn {
    pub file: String,
    pub offset: u64,
    pub bytes: u64,
}

/// Where the record ends, as whoever goes on with it finds it.
pub(super) struct End {
    pub head: AuditHead,
    /// The time of the last line.
    pub last: Option<RecordedAt>,
    pub torn: Option<Torn>,
    pub head_was_lost: bool,
}

/// Finds the end of the record, from the head on where there is one: what is behind it may have been torn by a crash, and
/// what is before it may not.
pub(super) fn end_of(folder: &Path) -> Result<End, StoreError> {
    let files = files(folder)?;
    let (stated, head_was_lost) = match AuditHead::read(folder)? {
        StatedHead::Whole(head) => (Some(head), false),
        StatedHead::Damaged => (None, true),
        StatedHead::Missing => (None, !files.is_empty()),
    };
    let nothing = AuditHead { link: Link::start(), file: String::new(), length: 0 };
    let (mut end, from, mut link, mut last) = match stated {
        Some(head) => {
            let time = time_of_last(folder, &files, &head)?;
            let first = files.iter().position(|file| *file == head.file).unwrap_or(0);
            (head.clone(), first, Some(head.link), time)
        }
        None => (nothing, 0, None, None),
    };
    let mut torn = None::<Torn>;
    let begin = end.length;
    walk(folder, &files[from..], begin, &mut |read| {
        let line = parse(read.bytes).filter(|line| {
            // Without a head the first line is believed: older files may have been removed.
            let expected = link.as_ref().map(|link| (link.records, link.hash()));
            read.is_whole && expected.is_none_or(|expected| expected == (line.number, line.before.clone()))
        });
        let Some(line) = line else {
            torn = Some(Torn { file: read.file.to_owned(), offset: read.offset, bytes: 0 });
            return Ok(false);
        };
        let after = Link::after(line.number, read.bytes);
        let length = read.offset + read.bytes.len() as u64 + 1;
        end = AuditHead { link: after.clone(), file: read.file.to_owned(), length };
        (last, link) = (Some(line.time), Some(after));
        Ok(true)
    })?;
    if let Some(torn) = &mut torn {
        let path = folder.join(&torn.file);
        let found = std::fs::metadata(&path).map_err(StoreError::io("reading", &path))?;
        torn.bytes = found.len() - torn.offset;
        if files.last() != Some(&torn.file) {
            // All of a file is on disk before the next one is begun.
            return Err(damaged(format!("{FOLDER}/{} is damaged at byte {}", torn.file, torn.offset)));
        }
    }
    Ok(End { head: end, last, torn, head_was_lost })
}

/// The time of the last line that was on disk. Refuses when it is not there.
fn time_of_last(folder: &Path, files: &[String], head: &AuditHead) -> Result<Option<RecordedAt>, StoreError> {
    if head.link.records == 0 {
        return Ok(None);
    }
    let mut time = None;
    let of_head = files.iter().position(|file| *file == head.file);
    walk(folder, of_head.map_or(&[], |index| &files[index..=index]), 0, &mut |read| {
        let end = read.offset + read.bytes.len() as u64 + 1;
        let is_it = end == head.length && Link::after(head.link.records - 1, read.bytes) == head.link;
        if is_it && read.is_whole {
            time = parse(read.bytes).map(|line| line.time);
        }
        Ok(end < head.length)
    })?;
    let Some(time) = time else {
        return Err(damaged(format!(
            "{FOLDER}/head states {} lines up to byte {} of {}, and they are not there as they were",
            head.link.records, head.length, head.file
        )));
    };
    Ok(Some(time))
}

/// What verifying the audit record found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditChain {
    /// How many lines there are.
    pub records: u64,
    /// The first and the last line: number and time. What was before the first was removed.
    pub ends: Option<[(u64, RecordedAt); 2]>,
    /// The SHA-256 of the last line, in base64. Kept elsewhere it shows that nobody wrote the whole record anew.
    pub hash: String,
    /// Everything that is not as it should be.
    pub findings: Vec<Finding>,
}

/// Refuses where a record was begun and nothing of it is there any more.
pub(super) fn check_begun(dir: &Path, folder: &Path) -> Result<(), StoreError> {
    let gone =
        || !folder.is_dir() || !folder.join("head").exists() && files(folder).is_ok_and(|it| it.is_empty());
    match dir.join(BEGUN).exists() && gone() {
        true => {
            let what = "was begun, and nothing of it is there any more".to_owned();
            Err(StoreError::KeptDamaged { file: folder.to_path_buf(), what })
        }
        false => Ok(()),
    }
}

/// Reads the whole audit record of a ledger and holds each line against the one before it. Nothing is given where none was begun.
///
/// # Errors
/// When there is no ledger, or the operating system refuses. Damage is not an error but a finding.
pub fn verify_audit(dir: &Path) -> Result<Option<AuditChain>, StoreError> {
    there_is_a_ledger(dir)?;
    let folder = dir.join(FOLDER);
    check_begun(dir, &folder)?;
    if !folder.is_dir() {
        return Ok(None);
    }
    let files = files(&folder)?;
    let stated = AuditHead::read(&folder)?;
    if files.is_empty() && stated == StatedHead::Missing {
        return Ok(None);
    }
    let mut found = AuditChain { records: 0, ends: None, hash: Link::start().hash(), findings: Vec::new() };
    let mut link = None::<Link>;
    let (mut file, mut number) = (String::new(), 0);
    let mut is_there = matches!(&stated, StatedHead::Whole(head) if head.link.records == 0);
    walk(&folder, &files, 0, &mut |read| {
        if file != read.file {
            (file, number) = (read.file.to_owned(), 0);
        }
        number += 1;
        let is_last = files.last().is_some_and(|last| last == read.file);
        let Some(line) = parse(read.bytes).filter(|_| read.is_whole) else {
            match read.is_whole || !is_last {
                true => found.finding(&file, number, "it is not a line of the record", Remedy::KeepAudit),
                false => found.finding(&file, number, "it is not whole, as after a crash", Remedy::Serve),
            }
            link = None;
            return Ok(true);
        };
        let after = Link::after(line.number, read.bytes);
        if let Some(before) = &link
            && (before.records, before.hash()) != (line.number, line.before.clone())
        {
            let what = "it does not follow on the line before it: here a line was changed, dropped, swapped or slipped in";
            found.finding(&file, number, what, Remedy::KeepAudit);
        }
        if found.ends.is_none() && line.number == 0 && line.before != Link::start().hash() {
            found.finding(&file, number, "it is the first and names one before it", Remedy::KeepAudit);
        }
        if day_of(read.file) != file_of(line.time).strip_suffix(ENDING).and_then(|day| day.parse().ok()) {
            found.finding(&file, number, "it is of another day than its file", Remedy::KeepAudit);
        }
        is_there |= matches!(&stated, StatedHead::Whole(head) if head.link == after);
        let end = (line.number, line.time);
        found.ends = Some([found.ends.map_or(end, |ends| ends[0]), end]);
        found.records += 1;
        found.hash = after.hash();
        link = Some(after);
        Ok(true)
    })?;
    let head = match stated {
        StatedHead::Whole(_) if is_there => None,
        StatedHead::Whole(head) => Some((
            format!("it states {} lines, and the last of them is not there as it was", head.link.records),
            Remedy::KeepAudit,
        )),
        StatedHead::Damaged => Some(("it is damaged, as after a power cut".to_owned(), Remedy::Serve)),
        StatedHead::Missing => Some(("it is missing".to_owned(), Remedy::KeepAudit)),
    };
    found.findings.extend(head.map(|(what, remedy)| Finding {
        what,
        place: Place::AuditHead,
        positions: 0..0,
        remedy,
    }));
    Ok(Some(found))
}

impl AuditChain {
    fn finding(&mut self, file: &str, line: u64, what: &str, remedy: Remedy) {
        if self.findings.len() < FINDINGS {
            let place = Place::Audit { file: file.to_owned(), line };
            self.findings.push(Finding { what: what.to_owned(), place, positions: 0..0, remedy });
        }
    }
}

/// Reads the lines of the audit record from one moment up to, not including, another; each as it is and as it stands there.
/// A process may be writing to it.
///
/// # Errors
/// When there is no ledger, a line cannot be read, or `visit` fails.
pub fn read_audit<E: From<StoreError>>(
    dir: &Path,
    since: Option<RecordedAt>,
    until: Option<RecordedAt>,
    mut visit: impl FnMut(&AuditLine, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    there_is_a_ledger(dir)?;
    let folder = dir.join(FOLDER);
    if !folder.is_dir() {
        return Ok(());
    }
    let mut files = files(&folder)?;
    // Times never go back, so whole files lie before or behind what is asked for; names sort as their days do.
    files.retain(|file| since.is_none_or(|since| *file >= file_of(since)));
    files.retain(|file| until.is_none_or(|until| *file <= file_of(until)));
    let mut failed = None;
    walk(&folder, &files, 0, &mut |read| {
        if !read.is_whole {
            // It is being written, or was torn by a crash; `verify` tells which.
            return Ok(true);
        }
        let Some(line) = parse(read.bytes) else {
            let (file, offset) = (read.file, read.offset);
            let detail =
                format!("{FOLDER}/{file} has something at byte {offset} that is not a line of the record");
            return Err(StoreError::Damaged { detail, remedy: Remedy::Verify });
        };
        let is_asked = since.is_none_or(|it| line.time >= it) && until.is_none_or(|it| line.time < it);
        if is_asked && let Err(error) = visit(&line, read.bytes) {
            failed = Some(error);
        }
        Ok(failed.is_none())
    })?;
    failed.map_or(Ok(()), Err)
}
