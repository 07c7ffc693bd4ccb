//! Checking a dossier with nothing but the ledger's public key.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};

use serde::Serialize;
use zip::ZipArchive;

use super::{FORMAT, MEMBERS, Manifest, PROGRAM, SEALED, from_the_beginning, page, seal_text};
use crate::book::Book;
use crate::book::explanation::Behind;
use crate::domain::area::{Area, BoundaryChange, MunicipalityCode};
use crate::domain::event::{Entry, Event};
use crate::domain::time::{AsOf, LogSize, Position, RecordedAt, ReferenceDate};
use crate::ledger::{Answer, Checkpoint, EntryHead, Explained, ExplainedEntry, KnownAtSize};
use crate::proof::checkpoint::SignedCheckpoint;
use crate::proof::content::Hashing;
use crate::proof::inclusion::verify_inclusion;
use crate::proof::merkle::{Hash, leaf_hash};
use crate::proof::note::{MAX_NOTE, VerifierKey, verify_note};
use crate::report::audit;

/// No line of a dossier is longer: the longest entry there can be.
const LONGEST_LINE: u64 = 1 << 24;

/// A dossier in which everything is as it should be.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The statement.
    pub answer: Answer,
    /// How many entries are in it.
    pub entries: u64,
    /// The checkpoint, with all signatures that are on it.
    pub checkpoint: SignedCheckpoint,
}

/// Why a dossier proves nothing.
#[derive(Debug)]
pub enum DossierFault {
    /// It cannot be read.
    Unreadable(String),
    /// It is not what it says.
    Refused(String),
}

impl fmt::Display for DossierFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(said) | Self::Refused(said) => f.write_str(said),
        }
    }
}

impl From<io::Error> for DossierFault {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(format!("it cannot be read: {error}"))
    }
}

fn refused(said: impl Into<String>) -> DossierFault {
    DossierFault::Refused(said.into())
}

/// Checks a dossier: members, signature, the proof of every entry; and computes statement, explanation and page again
/// from these entries alone. `open` opens the file anew each time.
///
/// # Errors
/// When it cannot be read, or when anything in it is not as it should be.
pub fn check<R: Read + Seek>(
    open: &dyn Fn() -> io::Result<R>,
    key: &VerifierKey,
) -> Result<Checked, DossierFault> {
    let mut archive = archive(open)?;
    members(&mut archive, open()?.seek(SeekFrom::End(0))?)?;
    let manifest: Manifest = {
        let text = short(&mut archive, 0)?;
        let read = std::str::from_utf8(&text).ok().and_then(|it| crate::domain::read_object(it).ok());
        read.ok_or_else(|| DossierFault::Unreadable("its dossier.json cannot be read".to_owned()))?
    };
    if manifest.format != FORMAT || manifest.program != PROGRAM {
        let said = format!(
            "it was written as {:?} by {:?}, and this is {PROGRAM}: check it with that version, or with docs/verify.py",
            manifest.format, manifest.program
        );
        return Err(DossierFault::Unreadable(said));
    }
    let checkpoint = SignedCheckpoint::verify(&short(&mut archive, 1)?, key)
        .map_err(|fault| refused(format!("its checkpoint {fault}")))?;
    let head = checkpoint.head();
    if head.size != manifest.size {
        return Err(refused(format!(
            "it says that it is about {} entries and its checkpoint about {}",
            manifest.size, head.size
        )));
    }

    let entries = Entries::read(open, head.size, head.root)?;
    if entries.heads.len() as u64 != manifest.entries {
        return Err(refused(format!(
            "it says that it holds {} entries and holds {}",
            manifest.entries,
            entries.heads.len()
        )));
    }
    let (answer, explained) = entries.answers(&manifest, head.size, head.root)?;
    let again = Manifest::new(
        answer.statement.area.clone(),
        manifest.on,
        manifest.reading,
        head.size,
        entries.heads.len() as u64,
    );
    same_json(&mut archive, 0, &again)?;
    same_json(&mut archive, 2, &answer)?;
    let area = manifest.area.code;
    let (_, explaining) = entries.explain(area, entries.as_of(&manifest, head.size))?;
    let find = |step: usize, behind: &Behind| entries.find(step, behind);
    same(&mut archive, 3, |to| {
        audit::explanation_as_json(&explained, &|step| explaining.behind(step), &find, to)
    })?;
    same(&mut archive, 6, |to| page::write(&answer, &explained, &explaining, &find, to))?;
    sealed(&mut archive, key)?;
    Ok(Checked { answer, entries: manifest.entries, checkpoint })
}

/// Refuses a dossier that the ledger did not seal as it is: also an entry on which no figure rests cannot be left out.
fn sealed<R: Read + Seek>(archive: &mut ZipArchive<R>, key: &VerifierKey) -> Result<(), DossierFault> {
    let seal =
        verify_note(&short(archive, SEALED)?, key).map_err(|fault| refused(format!("its seal {fault}")))?;
    let mut hashes = Vec::new();
    for index in 0..SEALED {
        let mut hashing = Hashing::new(io::sink());
        io::copy(&mut member(archive, index)?, &mut hashing)?;
        hashes.push(hashing.hash());
    }
    match seal.text() == seal_text(key.name(), &hashes) {
        true => Ok(()),
        false => Err(refused("it is not as the ledger sealed it")),
    }
}

fn archive<R: Read + Seek>(open: &dyn Fn() -> io::Result<R>) -> Result<ZipArchive<R>, DossierFault> {
    ZipArchive::new(open()?)
        .map_err(|error| DossierFault::Unreadable(format!("it is no archive that can be read: {error}")))
}

/// Refuses members that are missing, in another order, or that nobody asked for.
fn members<R: Read + Seek>(archive: &mut ZipArchive<R>, length: u64) -> Result<(), DossierFault> {
    let mut found = Vec::new();
    for index in 0..archive.len().min(MEMBERS.len() + 1) {
        let member = archive.by_index_raw(index).map_err(io::Error::from)?;
        let name = member.name().map_err(io::Error::from)?;
        found.push(name.into_owned());
    }
    match found == MEMBERS && listed_once(archive, length)? {
        true => Ok(()),
        false => {
            Err(refused(format!("its members are not {}, in this order and no others", MEMBERS.join(", "))))
        }
    }
}

/// Whether nothing lies before, between or behind what the list of members names, and the list names each once.
///
/// Of two members with one name the reader of archives keeps the last, where another program shows the first; and a
/// program that does not read the list finds whatever lies beside it.
fn listed_once<R: Read + Seek>(archive: &mut ZipArchive<R>, length: u64) -> Result<bool, DossierFault> {
    // The bytes of a record without its name, and what it has more where numbers can be large.
    let (record, large) = (46, 28);
    let list = archive.central_directory_start();
    let (mut at, mut in_list) = (0, list..=list);
    let mut is_so = archive.offset() == 0 && archive.comment().is_empty();
    for (index, name) in MEMBERS.iter().enumerate() {
        let member = archive.by_index_raw(index).map_err(io::Error::from)?;
        let listed_at = member.central_header_start();
        is_so &= member.header_start() == at && in_list.contains(&listed_at);
        at = member.data_start().unwrap_or(0) + member.compressed_size();
        let next = listed_at + record + name.len() as u64;
        in_list = next..=next + large;
    }
    // What ends the list, where it begins late and where it does not.
    let end = if list > u64::from(u32::MAX) { 98 } else { 22 };
    Ok(is_so && at == list && length.checked_sub(end).is_some_and(|it| in_list.contains(&it)))
}

fn member<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    index: usize,
) -> Result<BufReader<impl Read + '_>, DossierFault> {
    let member = archive.by_index(index);
    let member = member.map_err(|error| DossierFault::Unreadable(format!("{}: {error}", MEMBERS[index])))?;
    Ok(BufReader::with_capacity(1 << 16, member))
}

/// The bytes of a member that is small.
fn short<R: Read + Seek>(archive: &mut ZipArchive<R>, index: usize) -> Result<Vec<u8>, DossierFault> {
    let mut bytes = Vec::new();
    member(archive, index)?.take(MAX_NOTE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Holds what is written again against a member, byte for byte.
fn same<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    index: usize,
    write: impl FnOnce(&mut Same<'_>) -> Result<(), DossierFault>,
) -> Result<(), DossierFault> {
    let mut expected = member(archive, index)?;
    let other = || refused(format!("its {} is not what follows from its entries", MEMBERS[index]));
    let mut same = Same { expected: &mut expected, differs: false };
    let written = write(&mut same);
    if same.differs {
        return Err(other());
    }
    written?;
    match expected.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(other()),
    }
}

fn same_json<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    index: usize,
    value: &impl Serialize,
) -> Result<(), DossierFault> {
    same(archive, index, |to| Ok(serde_json::to_writer(to, value).map_err(io::Error::from)?))
}

/// Takes what is written and compares it with what was read.
struct Same<'a> {
    expected: &'a mut dyn BufRead,
    differs: bool,
}

impl Write for Same<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let expected = self.expected.fill_buf()?;
            let length = expected.len().min(rest.len());
            if length == 0 || expected[..length] != rest[..length] {
                self.differs = true;
                return Err(io::Error::new(ErrorKind::InvalidData, "differs"));
            }
            self.expected.consume(length);
            rest = &rest[length..];
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The entries of a dossier, each proven, and what follows from them.
struct Entries {
    book: Book<'static>,
    heads: HashMap<Position, EntryHead>,
    boundaries: Boundaries,
    /// When the last entry of the log was recorded, if it is among them.
    last: Option<(Position, RecordedAt)>,
}

impl Entries {
    fn read<R: Read + Seek>(
        open: &dyn Fn() -> io::Result<R>,
        size: u64,
        root: Hash,
    ) -> Result<Self, DossierFault> {
        let (mut of_lines, mut of_proofs) = (archive(open)?, archive(open)?);
        let (mut lines, mut proofs) = (member(&mut of_lines, 4)?, member(&mut of_proofs, 5)?);
        let mut entries = Self {
            book: Book::default(),
            heads: HashMap::new(),
            boundaries: Boundaries::default(),
            last: None,
        };
        while let Some(line) = line(&mut lines, "entries.jsonl")? {
            let number = entries.heads.len() + 1;
            let Ok(entry) = Entry::decode(&line) else {
                return Err(refused(format!("line {number} of its entries.jsonl is no entry")));
            };
            let position = entry.position;
            if entries.last.is_some_and(|(last, _)| position <= last) {
                return Err(refused(format!(
                    "its entry at position {position} is not in the order of the log"
                )));
            }
            let proof = self::line(&mut proofs, "proofs.txt")?;
            let proof =
                proof.ok_or_else(|| refused(format!("its entry at position {position} has no proof")))?;
            // Nothing is made of an entry before it is proven.
            let path = path(&proof);
            let proven =
                path.is_some_and(|path| verify_inclusion(leaf_hash(&line), position.0, size, root, &path));
            if !proven {
                return Err(refused(format!(
                    "its entry at position {position} does not stand there in the log of the checkpoint"
                )));
            }
            if let Event::BoundaryChanged(it) = &entry.event
                && !entries.boundaries.take_up(it)
            {
                return Err(refused(format!(
                    "its entry at position {position} gives a municipality back to one that it came from"
                )));
            }
            entries.book.apply(&entry);
            entries.last = Some((position, entry.recorded_at));
            entries.heads.insert(position, EntryHead::of(&entry));
        }
        match line(&mut proofs, "proofs.txt")? {
            None => Ok(entries),
            Some(_) => Err(refused("it has a proof without an entry")),
        }
    }

    fn as_of(&self, manifest: &Manifest, size: u64) -> AsOf {
        AsOf { reference_date: ReferenceDate(manifest.on), known_at: LogSize(size) }
    }

    /// The statement and the explanation, out of these entries alone.
    fn answers(
        &self,
        manifest: &Manifest,
        size: u64,
        root: Hash,
    ) -> Result<(Answer, Explained), DossierFault> {
        let as_of = self.as_of(manifest, size);
        let last = self.last.filter(|(position, _)| position.0 + 1 == size);
        let (_, time) = last.ok_or_else(|| refused("it lacks the last entry of the log"))?;
        let known_at = KnownAtSize { size, time: Some(time) };
        let checkpoint = Checkpoint { size, root };
        let statement = self.book.statement(manifest.area.code, as_of, manifest.reading);
        let statement =
            statement.map_err(|error| refused(format!("its entries give no statement: {error}")))?;
        let (explanation, _) = self.explain(manifest.area.code, as_of)?;
        let explained = Explained {
            explanation,
            known_since: known_at,
            known_at,
            checkpoint_since: checkpoint,
            checkpoint,
            scenario: None,
            behind: Vec::new(),
        };
        Ok((Answer { statement, known_at, checkpoint }, explained))
    }

    fn explain(
        &self,
        area: Area,
        as_of: AsOf,
    ) -> Result<(crate::book::explanation::Explanation, crate::book::explanation::Explaining<'_>), DossierFault>
    {
        let span = from_the_beginning(&self.book, area, as_of);
        let span = span.ok_or_else(|| refused("its entries give no figure on its date"))?;
        self.book.explain(area, span).map_err(|error| refused(format!("its entries give no figure: {error}")))
    }

    fn find(&self, step: usize, behind: &Behind) -> Result<ExplainedEntry, DossierFault> {
        let head = self.heads.get(&behind.position);
        let head =
            head.ok_or_else(|| refused(format!("it lacks the entry at position {}", behind.position)))?;
        Ok(ExplainedEntry::of(step, behind, head))
    }
}

/// Who was taken over by whom. A ledger never records that they go round in a circle, in which no figure would come to an
/// end; but a dossier can be of any log that somebody signed.
#[derive(Default)]
struct Boundaries(HashMap<MunicipalityCode, Vec<MunicipalityCode>>);

impl Boundaries {
    /// Takes up a change, unless it closes a circle.
    fn take_up(&mut self, it: &BoundaryChange) -> bool {
        for &old in it.old() {
            self.0.entry(old).or_default().extend(it.heirs().into_iter().map(|(heir, _)| heir));
        }
        let (mut open, mut seen) =
            (it.heirs().into_iter().map(|(heir, _)| heir).collect::<Vec<_>>(), HashSet::new());
        while let Some(code) = open.pop() {
            if it.old().contains(&code) {
                return false;
            }
            if seen.insert(code) {
                open.extend(self.0.get(&code).into_iter().flatten());
            }
        }
        true
    }
}

/// The next line without its newline.
fn line(from: &mut impl BufRead, member: &str) -> Result<Option<Vec<u8>>, DossierFault> {
    let mut line = Vec::new();
    from.take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) => Err(refused(format!("its {member} ends in the middle of a line"))),
    }
}

/// The hashes of a proof.
fn path(line: &[u8]) -> Option<Vec<Hash>> {
    let text = std::str::from_utf8(line).ok()?;
    match text.is_empty() {
        true => Some(Vec::new()),
        false => text.split(' ').map(|hash| hash.parse().ok()).collect(),
    }
}
