//! Files that are about to be delivered: found to be readable, and of which form they are.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::Failure;
use crate::domain::person_number::without_person_numbers;
use crate::feed::FeedError;
use crate::proof::content::{ContentHash, Hashing};

/// A file or pipe, from its beginning.
pub type Opened = Box<dyn BufRead + Send>;

/// How the rows of a file are written.
#[derive(Clone, Copy)]
pub enum Form {
    /// JSON Lines of CloudEvents.
    Lines,
    /// CSV.
    Table,
}

/// A file that is about to be delivered.
pub struct Input<T> {
    pub name: String,
    pub content: T,
    pub bar: ProgressBar,
}

impl<T> Input<T> {
    /// Opens a file, and reads with `read` as far as it must be read to know that it can be delivered.
    pub fn open(
        path: &Path,
        read: impl FnOnce(Form, Opened) -> Result<T, FeedError>,
    ) -> Result<Self, Failure> {
        if path == Path::new("-") {
            let from = Box::new(BufReader::new(io::stdin()));
            return Ok(Self {
                content: content(from, "-", read)?,
                name: "-".to_owned(),
                bar: ProgressBar::hidden(),
            });
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = without_person_numbers(&name);
        let cannot = |error| Failure::Broken(format!("cannot read {name}: {error}"));
        let file = File::open(path).map_err(cannot)?;
        let about = file.metadata().map_err(cannot)?;
        if about.is_dir() {
            return Err(Failure::Broken(format!("cannot read {name}: it is a folder")));
        }
        let template = "{bar:30} {percent:>3} % of {msg}, {binary_bytes_per_sec}, {eta} left";
        let style = ProgressStyle::with_template(template).expect("a fixed template");
        // The bar shows itself on a terminal only.
        let bar = ProgressBar::new(about.len()).with_style(style).with_message(name.clone());
        let from = Box::new(BufReader::with_capacity(1 << 16, bar.wrap_read(file)));
        Ok(Self { content: content(from, &name, read)?, name, bar })
    }
}

/// The hash of all that a file holds.
pub fn hashed(path: &Path, name: &str) -> Result<ContentHash, Failure> {
    let mut hashing = Hashing::new(io::sink());
    let read = File::open(path).and_then(|mut from| io::copy(&mut from, &mut hashing));
    read.map_err(|error| Failure::Broken(format!("cannot read {name}: {error}")))?;
    Ok(hashing.hash())
}

fn content<T>(
    mut from: Opened,
    name: &str,
    read: impl FnOnce(Form, Opened) -> Result<T, FeedError>,
) -> Result<T, Failure> {
    let start =
        beginning(&mut from).map_err(|error| Failure::Broken(format!("cannot read {name}: {error}")))?;
    if start.starts_with(b"PK\x03\x04") {
        return Err(Failure::Broken(format!(
            "{name} is a workbook: save the sheet as CSV in UTF-8 and deliver that"
        )));
    }
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start);
    let first = text.trim_ascii().first().copied();
    let from: Opened = Box::new(Cursor::new(start).chain(from));
    let form = match first {
        None => return Err(Failure::Broken(format!("{name} is empty"))),
        Some(b'[') => {
            return Err(Failure::Broken(format!(
                "{name} is one JSON array: write one event on each line, without the brackets"
            )));
        }
        Some(b'{') => Form::Lines,
        Some(_) => Form::Table,
    };
    read(form, from).map_err(|error| Failure::Broken(format!("{name}: {error}")))
}

/// The file up to the end of the first line that says something: what a pipe hands out in small
/// pieces is judged by the whole line.
fn beginning(from: &mut dyn BufRead) -> io::Result<Vec<u8>> {
    const LONGEST: u64 = 1 << 16;
    let mut start = Vec::new();
    loop {
        let before = start.len();
        let read = from.take(LONGEST - before as u64).read_until(b'\n', &mut start)?;
        if read == 0 || !start[before..].trim_ascii().is_empty() {
            return Ok(start);
        }
    }
}
