//! A reconciliation on paper: 80 columns, for both parties to sign.

use std::io::{self, Write};

use super::number::{grouped, signed};
use super::table::{generated, wrapped};
use crate::book::reconciliation::{BothSides, Category, Line, Reconciliation};
use crate::domain::area::MunicipalityCode;
use crate::domain::placement::PlacementKind;
use crate::domain::time::Day;
use crate::ledger::Reconciled;

/// Writes a reconciliation: what was compared, the numbers by category, and every line in which both differ.
///
/// # Errors
/// When it cannot be written.
pub fn table(it: &Reconciled, to: &mut impl Write) -> io::Result<()> {
    heading(it, to)?;
    summary(&it.reconciliation, to)?;
    for sentence in sentences(&it.reconciliation) {
        write!(to, "\n{}", wrapped(&sentence))?;
    }
    let mut category = Category::Same;
    if it.reconciliation.lines.iter().any(|line| line.category != Category::Same) {
        let said = "Every difference follows: the row of the list, and below it what the ledger says, each with date, \
                    kind and persons. At the end of the first line stands the effect: how many persons more would be \
                    realised if the ledger said what the list says.";
        write!(to, "\n{}", wrapped(said))?;
    }
    for line in it.reconciliation.lines.iter().filter(|line| line.category != Category::Same) {
        if line.category != category {
            category = line.category;
            let (title, meaning) = named(category);
            write!(to, "\n{}\n{}", title.to_uppercase(), wrapped(meaning))?;
        }
        difference(line, to)?;
    }
    Ok(())
}

fn heading(it: &Reconciled, to: &mut impl Write) -> io::Result<()> {
    let of = &it.reconciliation;
    let known = match it.known_at.time {
        Some(time) => format!("log size {} (last entry {time})", grouped(it.known_at.size as i64)),
        None => "log size 0: nothing is recorded".to_owned(),
    };
    let rows = counted(it.list.rows, "row", "rows");
    write!(
        to,
        "{}",
        wrapped(&format!("{} ({}): its list and the ledger", of.municipality.name, of.municipality.code))
    )?;
    writeln!(to, "Half-year {}", of.half_year)?;
    writeln!(to, "As known at {known}")?;
    writeln!(to, "Root {}", it.checkpoint.root)?;
    writeln!(to, "List of {rows}, file and SHA-256")?;
    below(&it.list.file, to)?;
    below(&it.list.sha256.to_string(), to)?;
    writeln!(to)
}

fn summary(of: &Reconciliation, to: &mut impl Write) -> io::Result<()> {
    writeln!(to, "{:<32}{:>12}{:>12}{:>12}{:>12}", "", "Rows", "List", "Ledger", "Effect")?;
    let mut row = |label: &str, rows: Option<u64>, numbers: [Option<i64>; 3]| {
        let [list, ledger, effect] = numbers.map(|it| it.map_or_else(String::new, grouped));
        let rows = rows.map_or_else(String::new, |it| grouped(it as i64));
        let line = format!("{label:<32}{rows:>12}{list:>12}{ledger:>12}{effect:>12}");
        writeln!(to, "{}", line.trim_end())
    };
    for it in of.categories.iter().filter(|it| it.rows > 0 || it.category == Category::Same) {
        let numbers = [it.persons_in_list, it.persons_in_ledger, it.effect].map(Some);
        row(named(it.category).0, Some(it.rows), numbers)?;
    }
    for it in &of.split_shares {
        let label = format!("Share of {}, split", it.municipality);
        row(&label, None, [None, Some(it.realised), Some(it.effect)])?;
    }
    let sides = |it: BothSides| [it.list, it.ledger, it.difference].map(Some);
    row("Realised: persons that count", None, sides(of.realised))?;
    row("Due", None, [Some(of.due), Some(of.due), None])?;
    row("Remaining", None, sides(of.remaining))
}

fn sentences(of: &Reconciliation) -> Vec<String> {
    let mut sentences = vec![match of.realised.difference {
        0 => "The list and the ledger realise the same number of persons.".to_owned(),
        more @ 1.. => {
            format!("The list realises {} more than the ledger: the sum of the effects.", persons(more))
        }
        fewer => {
            format!("The list realises {} fewer than the ledger: the sum of the effects.", persons(-fewer))
        }
    }];
    if !of.took_over.is_empty() {
        sentences.push(format!(
            "Placements of {} count for {}, which took over all of it.",
            codes(&of.took_over),
            of.municipality.code
        ));
    }
    for it in &of.split_shares {
        sentences.push(format!(
            "{} was split on {} (position {}), and a share of {} in what it had realised came over. Nobody can say \
             which placements those are, so they are left out of the lines below.",
            it.municipality,
            it.effective_on,
            it.position,
            persons(it.realised)
        ));
    }
    sentences.extend(of.generated.then(generated));
    sentences
}

fn codes(codes: &[MunicipalityCode]) -> String {
    codes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

fn counted(number: u64, one: &str, several: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{} {several}", grouped(number as i64)),
    }
}

fn persons(number: i64) -> String {
    match number {
        1 => "1 person".to_owned(),
        _ => format!("{} persons", grouped(number)),
    }
}

/// What a category is called, and what it means.
fn named(category: Category) -> (&'static str, &'static str) {
    match category {
        Category::Same => ("Same", "Both say the same."),
        Category::OtherHalfYear => {
            ("Other half-year", "One of both dates it outside this half-year, where it does not count.")
        }
        Category::OtherKind => ("Other kind", "Both have it, as different kinds of placement."),
        Category::OtherPersons => {
            ("Other number of persons", "Both have it, with different numbers of persons.")
        }
        Category::OtherDate => ("Other date", "Both have it in this half-year, on different days."),
        Category::Withdrawn => {
            ("Withdrawn", "The ledger took the placement back, at the position that is shown.")
        }
        Category::OtherMunicipality => {
            ("Other municipality", "The ledger counts the placement for another municipality.")
        }
        Category::UnknownPlacement => {
            ("Unknown placement", "No placement with this id was recorded, as known then.")
        }
        Category::OnlyInList => ("Only in the list", "Nothing in the ledger answers to these rows."),
        Category::OnlyInLedger => ("Only in the ledger", "Nothing in the list answers to these placements."),
    }
}

/// A line in which both differ: what the list says, and below it what the ledger says.
fn difference(line: &Line, to: &mut impl Write) -> io::Result<()> {
    writeln!(to)?;
    match &line.list {
        Some(row) => {
            said(&format!("row {}", row.row), row.date, row.kind, row.persons, Some(line.effect), to)?;
            if let Some(reference) = &row.reference {
                below(&reference.to_string(), to)?;
            }
        }
        None => writeln!(to, "  {:<66}{:>12}", "not in the list", signed(line.effect))?,
    }
    match &line.ledger {
        Some(it) => {
            said(&format!("position {}", it.position), it.date, it.kind, it.persons, None, to)?;
            writeln!(to, "    {}  for {}", it.placement, it.municipality)
        }
        None => {
            let named = line.list.as_ref().and_then(|row| row.placement);
            named.map_or(Ok(()), |id| below(&id.to_string(), to))?;
            match line.category {
                Category::OtherHalfYear => writeln!(to, "  compared when its own half-year is"),
                _ => writeln!(to, "  not in the ledger"),
            }
        }
    }
}

fn said(
    label: &str,
    date: Day,
    kind: PlacementKind,
    persons: i64,
    effect: Option<i64>,
    to: &mut impl Write,
) -> io::Result<()> {
    let effect = effect.map_or_else(String::new, signed);
    let line = format!("  {label:<20}{date:<11}{kind:<25}{:>10}{effect:>12}", grouped(persons));
    writeln!(to, "{}", line.trim_end())
}

/// A text of any length, indented, in lines that are full.
fn below(text: &str, to: &mut impl Write) -> io::Result<()> {
    const WIDTH: usize = 76;
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(WIDTH).try_for_each(|part| writeln!(to, "    {}", String::from_iter(part)))
}
