//! The tables that are printed: figures with their ratio, and what a figure is held against.

use std::io::{self, Write};

use clap::ValueEnum;

/// How it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For spreadsheets.
    Csv,
}

/// Which of two figures is the better one.
#[derive(Clone, Copy)]
pub enum Better {
    /// The larger one, as of rates.
    More,
    /// The smaller one, as of times and bytes.
    Less,
}

/// What a figure counts.
#[derive(Clone, Copy)]
pub enum Unit {
    /// So many a second.
    PerSecond,
    /// A time, in seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Bytes for each entry.
    BytesAnEntry,
    /// Bytes a second.
    BytesPerSecond,
    /// How many.
    Count,
}

impl Unit {
    /// The figure in the unit that reads best.
    pub fn written(self, figure: f64) -> String {
        match self {
            Self::PerSecond => format!("{}/s", thousands(figure)),
            Self::Seconds if figure < 1e-3 => format!("{:.1} us", figure * 1e6),
            Self::Seconds if figure < 1.0 => format!("{:.2} ms", figure * 1e3),
            Self::Seconds => format!("{figure:.2} s"),
            Self::Bytes if figure < 1e6 => format!("{:.0} kB", figure / 1e3),
            Self::Bytes => format!("{} MB", thousands(figure / 1e6)),
            Self::BytesAnEntry => format!("{figure:.0} B"),
            Self::BytesPerSecond => format!("{:.2} GB/s", figure / 1e9),
            Self::Count => thousands(figure),
        }
    }
}

/// A whole number with commas between thousands.
fn thousands(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut written = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

/// A table with a row for each thing that was measured.
pub struct Table {
    format: Format,
    title: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub fn new<T: ToString>(format: Format, title: &str, header: &[T]) -> Self {
        let header = header.iter().map(ToString::to_string).collect();
        Self { format, title: title.to_owned(), header, rows: Vec::new() }
    }

    /// A row of figures as they are to be read.
    pub fn row(&mut self, cells: Vec<String>) {
        assert_eq!(cells.len(), self.header.len(), "a cell for each column");
        self.rows.push(cells);
    }

    /// A row that compares, with how many times better ours is.
    pub fn compare(&mut self, what: &str, better: Better, unit: Unit, ours: f64, theirs: f64, note: &str) {
        let ratio = match better {
            Better::More => ours / theirs,
            Better::Less => theirs / ours,
        };
        let [ours, theirs] = match self.format {
            Format::Table => [unit.written(ours), unit.written(theirs)],
            Format::Csv => [ours.to_string(), theirs.to_string()],
        };
        self.row(vec![what.to_owned(), ours, theirs, format!("{ratio:.1} x"), note.to_owned()]);
    }

    /// A row about ours alone.
    pub fn ours(&mut self, what: &str, unit: Unit, ours: f64, note: &str) {
        let ours = match self.format {
            Format::Table => unit.written(ours),
            Format::Csv => ours.to_string(),
        };
        self.row(vec![what.to_owned(), ours, String::new(), String::new(), note.to_owned()]);
    }

    /// Prints it. The first column and the last are text, those between are numbers.
    pub fn print(&self, to: &mut impl Write) -> io::Result<()> {
        let all = || std::iter::once(&self.header).chain(&self.rows);
        if self.format == Format::Csv {
            let mut writer = csv::Writer::from_writer(to);
            for row in all() {
                writer.write_record(row)?;
            }
            return writer.flush();
        }
        writeln!(to, "\n{}\n", self.title)?;
        let width = |column: usize| all().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<_> = (0..self.header.len()).map(width).collect();
        for (index, row) in all().enumerate() {
            let mut line = String::new();
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                let text = column == 0 || self.is_text(column);
                line += &if text { format!("{cell:<width$}  ") } else { format!("{cell:>width$}  ") };
            }
            writeln!(to, "  {}", line.trim_end())?;
            if index == 0 {
                let rule = widths.iter().sum::<usize>() + 2 * (widths.len() - 1);
                writeln!(to, "  {}", "-".repeat(rule))?;
            }
        }
        Ok(())
    }

    /// Notes stand to the left of their column.
    fn is_text(&self, column: usize) -> bool {
        ["note", "side"].contains(&self.header[column].as_str())
    }
}
