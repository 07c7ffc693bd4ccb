//! Dossiers: a figure with its evidence in one file, as `docs/dossier.md` describes it.

mod check;
mod page;

pub(super) use page::escaped;

pub use check::{Checked, DossierFault, check};

use std::io::{self, BufWriter, Seek, Write};

use serde::{Deserialize, Serialize};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::audit;
use crate::book::Book;
use crate::book::explanation::{Behind, Explaining, Span};
use crate::book::statement::{NamedArea, Reading};
use crate::domain::area::Area;
use crate::domain::time::{AsOf, Day, ReferenceDate};
use crate::ledger::{By, Explained, ExplainedEntry, Ledger, LedgerError};
use crate::proof::checkpoint::SignedCheckpoint;
use crate::proof::content::{ContentHash, Hashing};
use crate::proof::merkle::Hash;
use crate::proof::note::{KeyName, Note, SignerKey};

/// What the first member says it is.
const FORMAT: &str = "peildatum dossier 1";
/// Who wrote it. Another version may word a page otherwise.
const PROGRAM: &str = concat!("peildatum ", env!("CARGO_PKG_VERSION"));
/// The members, in the order in which they are written.
const MEMBERS: [&str; 8] = [
    "dossier.json",
    "checkpoint",
    "statement.json",
    "explanation.json",
    "entries.jsonl",
    "proofs.txt",
    "page.html",
    "seal",
];
/// All but the seal.
const SEALED: usize = MEMBERS.len() - 1;
/// A page with more rows than this is of no use to anybody who reads it.
const ROWS_ON_A_PAGE: u64 = 20_000;

/// What a dossier is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: String,
    program: String,
    area: NamedArea,
    on: Day,
    reading: Reading,
    size: u64,
    entries: u64,
}

impl Manifest {
    fn new(area: NamedArea, on: Day, reading: Reading, size: u64, entries: u64) -> Self {
        Self { format: FORMAT.to_owned(), program: PROGRAM.to_owned(), area, on, reading, size, entries }
    }
}

/// What the ledger signs of a dossier: the SHA-256 of each member before the seal.
///
/// It cannot be taken for a checkpoint, since its first line is no origin and its second no number.
fn seal_text(origin: &KeyName, members: &[ContentHash]) -> String {
    let mut text = format!("{FORMAT}\n{origin}\n");
    for (name, hash) in MEMBERS.iter().zip(members) {
        text += &format!("{hash}  {name}\n");
    }
    text
}

/// Why a dossier could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteFault {
    /// The ledger has no answer, or cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The file cannot be written.
    #[error("cannot write the dossier: {0}")]
    Write(#[from] io::Error),
    /// There is nothing to put into it.
    #[error(
        "nothing was due and nobody was housed before {0}, so there is no figure to prove: ask for a later date"
    )]
    Nothing(Day),
}

/// Writes the dossier of an area on a date, as known with the log of a signed checkpoint, and seals it with the key of that
/// ledger. Gives how many entries are in it.
///
/// # Errors
/// When the area has no statement then, and when something cannot be read or written.
pub fn write(
    ledger: &Ledger,
    area: Area,
    as_of: AsOf,
    reading: Reading,
    checkpoint: &SignedCheckpoint,
    key: &SignerKey,
    to: impl Write + Seek,
) -> Result<u64, WriteFault> {
    let on = as_of.reference_date.0;
    let mut answers = ledger.statements(area, By::Whole, as_of, reading)?;
    let answer = answers.pop().expect("one statement of a whole area");
    let span = from_the_beginning(ledger.book(), area, as_of).ok_or(WriteFault::Nothing(on))?;
    let (explained, explaining) = ledger.explain(ledger.book(), area, span)?;
    let basis = ledger.basis(area, as_of)?;
    let entries = basis.len() as u64;
    let find = |step: usize, behind: &Behind| {
        Ok::<_, WriteFault>(ledger.explained_entry(ledger.book(), step, behind)?)
    };

    let mut archive = Archive::new(to);
    let manifest = Manifest::new(answer.statement.area.clone(), on, reading, as_of.known_at.0, entries);
    archive.member(0, |to| Ok(serde_json::to_writer(to, &manifest).map_err(io::Error::from)?))?;
    archive.member(1, |to| Ok(write!(to, "{}", checkpoint.note())?))?;
    archive.member(2, |to| Ok(serde_json::to_writer(to, &answer).map_err(io::Error::from)?))?;
    archive
        .member(3, |to| audit::explanation_as_json(&explained, &|step| explaining.behind(step), &find, to))?;
    archive.member(4, |to| {
        for position in &basis {
            to.write_all(&ledger.line(*position)?)?;
            to.write_all(b"\n")?;
        }
        Ok(())
    })?;
    archive.member(5, |to| {
        for proven in ledger.inclusion_proofs(basis.iter().copied(), as_of.known_at)? {
            write_proof(&proven?.path, to)?;
        }
        Ok(())
    })?;
    archive.member(6, |to| page::write(&answer, &explained, &explaining, &find, to))?;
    let mut seal = Note::new(seal_text(&checkpoint.head().origin, &archive.written));
    seal.add(key.sign(seal.text()));
    archive.member(SEALED, |to| Ok(write!(to, "{seal}")?))?;
    archive.end()?;
    Ok(entries)
}

/// From before anything about the area up to a moment, all as known then.
fn from_the_beginning(book: &Book<'_>, area: Area, as_of: AsOf) -> Option<Span> {
    let before = ReferenceDate(book.before_everything(area, as_of)?);
    Span::new(AsOf { reference_date: before, ..as_of }, as_of).ok()
}

/// The hashes of a proof, on a line.
fn write_proof(path: &[Hash], to: &mut dyn Write) -> io::Result<()> {
    for (index, hash) in path.iter().enumerate() {
        write!(to, "{}{hash}", if index > 0 { " " } else { "" })?;
    }
    to.write_all(b"\n")
}

/// An archive of members without dates of their own.
struct Archive<W: Write + Seek> {
    zip: ZipWriter<W>,
    /// The hash of each member so far.
    written: Vec<ContentHash>,
}

impl<W: Write + Seek> Archive<W> {
    fn new(to: W) -> Self {
        Self { zip: ZipWriter::new(to), written: Vec::new() }
    }

    /// Writes the next member.
    fn member(
        &mut self,
        index: usize,
        write: impl FnOnce(&mut BufWriter<Hashing<&mut ZipWriter<W>>>) -> Result<(), WriteFault>,
    ) -> Result<(), WriteFault> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            // The entries of the country can take more than a short field holds.
            .large_file(true);
        self.zip.start_file(MEMBERS[index], options).map_err(io::Error::from)?;
        let mut to = BufWriter::with_capacity(1 << 16, Hashing::new(&mut self.zip));
        write(&mut to)?;
        to.flush()?;
        self.written.push(to.get_ref().hash());
        Ok(())
    }

    fn end(self) -> io::Result<()> {
        self.zip.finish()?.flush()
    }
}

/// The entries behind the steps of an explanation, each with the number of its step.
fn each_behind<E>(
    explained: &Explained,
    explaining: &Explaining<'_>,
    find: audit::FindEntry<'_, E>,
    to: &mut dyn FnMut(ExplainedEntry) -> Result<(), E>,
) -> Result<(), E> {
    for (index, step) in explained.explanation.steps.iter().enumerate() {
        for behind in explaining.behind(step) {
            to(find(index, &behind)?)?;
        }
    }
    Ok(())
}
