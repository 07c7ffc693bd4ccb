//! Small files in CSV that are read as a whole: with commas (RFC 4180) or with semicolons, as a spreadsheet in Dutch
//! saves them.

use csv::{ByteRecord, ReaderBuilder};

use super::faults::Faults;
use crate::domain::Fault;

/// A cell as text without blanks around it, or why it is none.
pub(super) type TextCell = Result<String, Fault>;

/// Hands out all rows. Their numbers are the lines of the file.
pub(super) fn read(
    content: &[u8],
    take: &mut dyn FnMut(u64, Vec<TextCell>) -> Result<(), Faults>,
) -> Result<(), Faults> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut lines = content.split(|&byte| byte == b'\n');
    let first_line = lines.find(|it| !it.trim_ascii().is_empty()).unwrap_or(&[]);
    let count = |wanted: u8| first_line.iter().filter(|&&byte| byte == wanted).count();
    let delimiter = if count(b';') > count(b',') { b';' } else { b',' };
    let mut rows =
        ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(false).from_reader(content);
    let mut record = ByteRecord::new();
    loop {
        let begun = rows.position().line();
        match rows.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(_) => {
                return Err(Faults::one(format!(
                    "row {begun}: its cells cannot be told apart: save the file anew"
                )));
            }
        }
        // A record is said to begin at the empty lines before it.
        let empty = record.position().and_then(|it| content.get(it.byte() as usize..)).unwrap_or_default();
        let empty = empty.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
        let number = begun + empty.filter(|byte| **byte == b'\n').count() as u64;
        let cells = record.iter().map(|cell| match std::str::from_utf8(cell) {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(_) => Err(Fault("is not text in UTF-8: save the file as CSV in UTF-8")),
        });
        take(number, cells.collect())?;
    }
}
