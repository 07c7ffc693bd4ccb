//! A file cut into pieces that are sent one after another, each a small file of its own.
//!
//! The rows are not understood here: whoever receives a piece decides about them. Only what would make a whole piece unreadable is
//! kept back, with its reason. Persons' numbers are in what is sent and nowhere else: see [`Raw::cleaned`].

use std::collections::VecDeque;
use std::io::{self, BufRead};

use csv::{ByteRecord, Reader, ReaderBuilder, StringRecord, Trim, WriterBuilder};
use hmac::{Hmac, KeyInit, Mac};
use serde::de::IgnoredAny;
use sha2::Sha256;
use uuid::{Builder, Uuid};

use super::FeedError;
use super::cloudevent::EventLines;
use super::csv::{Bounded, delimiter_of, kind_of, not_text};
use super::parcel::{Raw, Row};
use crate::decide::refusal::Refusal;
use crate::proof::content::ContentHash;

/// The most rows of a piece.
pub const ROWS_MAX: usize = 2_000;
/// The most bytes of a piece, beyond which it takes no further row.
pub const BYTES_MAX: usize = 4 << 20;

/// What may differ between the rows of one list.
const OF_EACH_ROW: [&str; 3] = ["municipality", "persons", "inhabitants"];

/// A part of a file.
#[derive(Debug)]
pub struct Piece {
    /// Its place among the pieces, counted from 0.
    pub number: u64,
    /// What is sent: a CSV file with its header, or a JSON array.
    pub body: Vec<u8>,
    /// Its rows, in the order of the file.
    pub rows: Vec<PieceRow>,
}

/// A row of a piece.
#[derive(Debug)]
pub struct PieceRow {
    /// The row as it stands in the file, with the reason why it is kept back, if it is.
    pub row: Row,
    /// Where it stands in what is sent: the line of a CSV file, or the place in an array counted from 1. Nothing where it is kept
    /// back.
    pub sent_as: Option<u64>,
}

/// The pieces of a file that is being read.
pub struct Pieces<R> {
    rows: Rows<R>,
    /// Rows that were read for the next piece.
    ahead: VecDeque<Held>,
    number: u64,
}

enum Rows<R> {
    Table { reader: Box<Reader<Bounded<R>>>, header: StringRecord, of_each: Vec<usize> },
    Lines(EventLines<R>),
}

struct Held {
    row: Row,
    what: What,
}

enum What {
    Cells(ByteRecord),
    Line,
    KeptBack,
}

impl<R: BufRead> Pieces<R> {
    /// Of a CSV file.
    ///
    /// # Errors
    /// When the header is not that of one of the kinds.
    pub fn of_table(mut from: R) -> Result<Self, FeedError> {
        let delimiter = delimiter_of(&mut from)?;
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .trim(Trim::Headers)
            .from_reader(Bounded::new(from));
        let header = reader.headers().map_err(not_text)?.clone();
        kind_of(&header)?;
        let each = header.iter().enumerate().filter(|(_, name)| OF_EACH_ROW.contains(name));
        let of_each = each.map(|(index, _)| index).collect();
        let rows = Rows::Table { reader: Box::new(reader), header, of_each };
        Ok(Self { rows, ahead: VecDeque::new(), number: 0 })
    }

    /// Of JSON Lines of CloudEvents.
    pub fn of_lines(from: R) -> Self {
        Self { rows: Rows::Lines(EventLines::new(from)), ahead: VecDeque::new(), number: 0 }
    }

    /// The names of the columns of a CSV file.
    pub fn header(&self) -> Option<&StringRecord> {
        match &self.rows {
            Rows::Table { header, .. } => Some(header),
            Rows::Lines(_) => None,
        }
    }

    /// What a piece is, as HTTP names it.
    pub fn content_type(&self) -> &'static str {
        match self.rows {
            Rows::Table { .. } => "text/csv",
            Rows::Lines(_) => "application/cloudevents-batch+json",
        }
    }

    /// The next piece, or nothing at the end of the file.
    ///
    /// # Errors
    /// When the disk or pipe fails, or a row of CSV has no end.
    pub fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        let mut taken: Vec<Held> = self.ahead.drain(..).collect();
        let mut bytes: usize = taken.iter().map(Held::size).sum();
        while let Some(next) = self.rows.next()? {
            if taken.len() < ROWS_MAX && bytes + next.size() <= BYTES_MAX || taken.is_empty() {
                bytes += next.size();
                taken.push(next);
                continue;
            }
            // A list that goes on is not divided, unless it fills the piece.
            let together = |one: &Held, next: &Held| self.rows.are_of_one_list(one, next);
            let goes_on = taken.last().is_some_and(|last| together(last, &next));
            let begun = (1..taken.len()).rev().take_while(|&at| together(&taken[at - 1], &taken[at])).last();
            let until = match (goes_on, begun) {
                (true, Some(first)) if first > 1 => first - 1,
                (true, None) if taken.len() > 1 => taken.len() - 1,
                _ => taken.len(),
            };
            self.ahead.extend(taken.drain(until..));
            self.ahead.push_back(next);
            break;
        }
        if taken.is_empty() {
            return Ok(None);
        }
        let number = self.number;
        self.number += 1;
        self.rows.piece(number, taken).map(Some)
    }
}

impl Held {
    fn size(&self) -> usize {
        match &self.what {
            // With the commas and quotes.
            What::Cells(cells) => cells.as_slice().len() + 3 * cells.len(),
            What::Line => self.row.raw.size() + 1,
            What::KeptBack => 0,
        }
    }
}

impl<R: BufRead> Rows<R> {
    fn next(&mut self) -> io::Result<Option<Held>> {
        match self {
            Self::Table { reader, .. } => {
                reader.get_mut().begin();
                let begun = reader.position().line();
                let mut cells = ByteRecord::new();
                let read = reader.read_byte_record(&mut cells).map_err(|error| match error.into_kind() {
                    csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                        io::Error::new(
                            error.kind(),
                            format!("line {begun}: {error}; the rows before it may be recorded"),
                        )
                    }
                    csv::ErrorKind::Io(error) => error,
                    _ => io::Error::other("the rows of the file cannot be told apart"),
                });
                if !read? {
                    return Ok(None);
                }
                let number = cells.position().map_or(0, csv::Position::line);
                let shown = cells.iter().map(|cell| String::from_utf8_lossy(cell.trim_ascii()).into_owned());
                let row = Row { number, raw: Raw::Cells(shown.collect()), refusals: Vec::new() };
                Ok(Some(Held { row, what: What::Cells(cells) }))
            }
            Self::Lines(lines) => Ok(lines.next_line()?.map(|(number, line)| {
                let (raw, problem) = match line {
                    // It would make the whole array unreadable that it stands in.
                    Ok(line) if !is_object(&line) => (line, Some("is not one JSON object on one line")),
                    Ok(line) => (line, None),
                    Err(problem) => (String::new(), Some(problem)),
                };
                let what = if problem.is_some() { What::KeptBack } else { What::Line };
                let refusals = problem.map(|problem| Refusal::Unreadable { problem }).into_iter().collect();
                Held { row: Row { number, raw: Raw::Line(raw), refusals }, what }
            })),
        }
    }

    /// Whether two rows after one another say the same of two municipalities, as those of a list that becomes one event.
    fn are_of_one_list(&self, one: &Held, next: &Held) -> bool {
        let (Self::Table { of_each, .. }, What::Cells(one), What::Cells(next)) =
            (self, &one.what, &next.what)
        else {
            return false;
        };
        let mut cells = one.iter().zip(next).enumerate();
        one.len() == next.len() && cells.all(|(index, (one, next))| one == next || of_each.contains(&index))
    }

    fn piece(&self, number: u64, taken: Vec<Held>) -> io::Result<Piece> {
        let (mut rows, mut body) = (Vec::with_capacity(taken.len()), Vec::new());
        match self {
            Self::Table { header, .. } => {
                let mut to = WriterBuilder::new().flexible(true).from_writer(Vec::new());
                to.write_record(header)?;
                let (mut line, mut counted) = (1, 0);
                for Held { row, what } in taken {
                    let What::Cells(cells) = what else { unreachable!("a row of CSV is always sent") };
                    to.flush()?;
                    line += to.get_ref()[counted..].iter().filter(|byte| **byte == b'\n').count() as u64;
                    counted = to.get_ref().len();
                    to.write_record(&cells)?;
                    rows.push(PieceRow { row, sent_as: Some(line) });
                }
                body = to.into_inner().map_err(|error| error.into_error())?;
            }
            Self::Lines(_) => {
                let mut place = 0;
                for Held { row, what } in taken {
                    let sent_as = matches!(what, What::Line).then(|| {
                        body.push(if place == 0 { b'[' } else { b',' });
                        let Raw::Line(line) = &row.raw else { unreachable!("it was read as a line") };
                        body.extend_from_slice(line.as_bytes());
                        place += 1;
                        place
                    });
                    rows.push(PieceRow { row, sent_as });
                }
                body.extend_from_slice(if place == 0 { b"[]" } else { b"]" });
            }
        }
        Ok(Piece { number, body, rows })
    }
}

fn is_object(line: &str) -> bool {
    line.starts_with('{') && serde_json::from_str::<IgnoredAny>(line).is_ok()
}

/// The keys by which the pieces of one file are known again (`Idempotency-Key`).
///
/// They are made of the content of the whole file, so that the same file goes on where it was. And of the sender's token,
/// since a content can hold persons' numbers: without the token nobody can try out which content makes a key.
pub struct Keys {
    token: String,
    content: ContentHash,
}

impl Keys {
    /// For a file with this content.
    pub fn new(token: &str, content: ContentHash) -> Self {
        Self { token: token.to_owned(), content }
    }

    /// The key of a piece, sent for so many times again after a receipt with rows that were not recorded: a UUID of version 8.
    pub fn key(&self, piece: u64, again: u64) -> Uuid {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.token.as_bytes()).expect("a key can have any length");
        // Whoever changes how files are cut makes other keys, so that no key stands for two pieces.
        mac.update(format!("peildatum deliver 1 {ROWS_MAX} {BYTES_MAX} {} {piece}", self.content).as_bytes());
        if again > 0 {
            mac.update(format!(" again {again}").as_bytes());
        }
        let hash: [u8; 32] = mac.finalize().into_bytes().into();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        Builder::from_custom_bytes(bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn pieces(mut of: Pieces<&[u8]>) -> Vec<Piece> {
        let mut all = Vec::new();
        while let Some(piece) = of.next_piece().unwrap() {
            assert_eq!(piece.number, all.len() as u64);
            assert!(piece.rows.len() <= ROWS_MAX && piece.body.len() <= BYTES_MAX + (1 << 20));
            all.push(piece);
        }
        all
    }

    fn of_table(text: &str) -> Vec<Piece> {
        pieces(Pieces::of_table(text.as_bytes()).unwrap())
    }

    fn lines(piece: &Piece) -> Vec<(u64, Option<u64>)> {
        piece.rows.iter().map(|it| (it.row.number, it.sent_as)).collect()
    }

    #[test]
    fn every_piece_of_a_table_begins_with_the_header() {
        let rows: String =
            (0..4_500).map(|row| format!("7b1f1f0c-3f0e-4b7e-9d7a-{row:012},never_housed\n")).collect();
        let all = of_table(&format!("placement;reason\n{}", rows.replace(',', ";")));
        assert_eq!(all.iter().map(|it| it.rows.len()).collect::<Vec<_>>(), [2_000, 2_000, 500]);
        let joined: String = all
            .iter()
            .map(|it| String::from_utf8(it.body.clone()).unwrap())
            .map(|it| it.strip_prefix("placement,reason\n").unwrap().to_owned())
            .collect();
        assert_eq!(joined, rows);
        assert_eq!(all[1].rows[0].row.number, 2_002, "the line of the file");
        assert_eq!(all[1].rows[0].sent_as, Some(2), "the line of the piece");
    }

    #[test]
    fn a_list_stays_in_one_piece_where_it_fits() {
        let header = "half_year,municipality,persons,method,reference\n";
        let list = |reference: &str, count: u64| -> String {
            (0..count).map(|row| format!("2026-I,GM{row:04},{row},by_inhabitants,{reference}\n")).collect()
        };
        let sizes = |text: &str| of_table(text).iter().map(|it| it.rows.len()).collect::<Vec<_>>();
        for (lists, expected) in [
            (&[1_900, 342][..], &[1_900, 342][..]),
            // One list fills a piece exactly, and another begins behind it.
            (&[2_000, 342], &[2_000, 342]),
            (&[1_999, 2], &[1_999, 2]),
            // One that is too long for any piece is divided all the same.
            (&[4_100], &[2_000, 2_000, 100]),
            (&[1, 2_100], &[1, 2_000, 100]),
            (&[342; 7], &[1_710, 684]),
        ] {
            let text: String =
                lists.iter().enumerate().map(|(at, count)| list(&format!("letter {at}"), *count)).collect();
            assert_eq!(sizes(&format!("{header}{text}")), expected, "{lists:?}");
        }
    }

    #[test]
    fn what_is_no_json_is_kept_back_and_the_others_are_sent() {
        let text = "{\"id\":1}\n\nnonsense\n17\n{\"id\":2}\n{\"id\":\n";
        let all = pieces(Pieces::of_lines(text.as_bytes()));
        assert_eq!(all[0].body, br#"[{"id":1},{"id":2}]"#);
        assert_eq!(lines(&all[0]), [(1, Some(1)), (3, None), (4, None), (5, Some(2)), (6, None)]);
        assert!(all[0].rows.iter().all(|it| it.row.refusals.is_empty() == it.sent_as.is_some()));
        let nothing = pieces(Pieces::of_lines(&b"nonsense\n"[..]));
        assert_eq!(nothing[0].body, b"[]");
    }

    #[test]
    fn a_row_that_is_no_text_is_sent_as_it_is() {
        let text = b"placement,reason\na\xff,never_housed\n";
        let all = pieces(Pieces::of_table(&text[..]).unwrap());
        assert_eq!(all[0].body, text);
    }

    #[test]
    fn long_rows_fill_a_piece_before_there_are_many() {
        let row = format!("{{\"id\":\"{}\"}}\n", "x".repeat(900_000));
        let sizes: Vec<_> =
            pieces(Pieces::of_lines(row.repeat(10).as_bytes())).iter().map(|it| it.rows.len()).collect();
        assert_eq!(sizes, [4, 4, 2]);
    }

    #[test]
    fn a_key_is_of_one_token_one_content_and_one_piece() {
        let keys = |token: &str, content: &[u8]| Keys::new(token, ContentHash::of(content));
        let mut seen = BTreeSet::new();
        for token in ["one", "two"] {
            for content in [&b"a"[..], b"b", b""] {
                for piece in [0, 1, 10] {
                    let key = keys(token, content).key(piece, 0);
                    assert_eq!(key, keys(token, content).key(piece, 0));
                    assert_eq!(key.get_version_num(), 8);
                    assert!(seen.insert(key));
                    assert!((1..12).all(|again| seen.insert(keys(token, content).key(piece, again))));
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever stands in the cells, the receiver reads the same cells, and names rows by lines that lead back to the file.
        #[test]
        fn a_piece_reads_as_the_rows_that_were_cut(rows in prop::collection::vec(prop::collection::vec("[a\", ;\n\ré]{0,5}", 1..4), 1..40)) {
            let mut written = WriterBuilder::new().flexible(true).from_writer(Vec::new());
            written.write_record(["placement", "reason"]).unwrap();
            rows.iter().for_each(|row| written.write_record(row).unwrap());
            let text = written.into_inner().unwrap();
            let read = |from: &[u8]| -> Vec<(u64, ByteRecord)> {
                let mut reader = ReaderBuilder::new().flexible(true).from_reader(from);
                let records = reader.byte_records().map(Result::unwrap);
                records.map(|it| (it.position().unwrap().line(), it)).collect()
            };
            let original = read(&text);
            let all = pieces(Pieces::of_table(&text[..]).unwrap());
            let sent: Vec<_> = all.iter().flat_map(|piece| read(&piece.body)).collect();
            prop_assert_eq!(sent.iter().map(|(_, it)| it).collect::<Vec<_>>(), original.iter().map(|(_, it)| it).collect::<Vec<_>>());
            let told: Vec<_> = all.iter().flat_map(lines).collect();
            prop_assert_eq!(told.iter().map(|(line, _)| *line).collect::<Vec<_>>(), original.iter().map(|(line, _)| *line).collect::<Vec<_>>());
            prop_assert_eq!(told.iter().map(|(_, sent)| sent.unwrap()).collect::<Vec<_>>(), sent.iter().map(|(line, _)| *line).collect::<Vec<_>>());
        }
    }
}
