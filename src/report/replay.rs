//! Scenarios beside what was recorded, for people and for spreadsheets.

use std::io;

use comfy_table::{Cell, CellAlignment};
use csv::Writer;

use super::csv::{io_error, text as shown};
use super::number::{grouped, signed};
use super::table::{generated, known as as_known, plain_table, reading, wrap_only, wrapped};
use crate::book::scenario::{Compared, Lines};
use crate::domain::placement::PlacementKind;
use crate::ledger::{ChangesTold, Replayed, UnderScenario};

/// One area under each scenario, line by line.
pub fn lines(it: &Replayed) -> String {
    let mut text = String::new();
    for (number, under) in it.scenarios.iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        let Some(compared) = under.areas.first() else { continue };
        let area = format!("{} ({})", compared.area.name, compared.area.code);
        text += &heading(it, under, &area);
        let mut table = plain_table();
        table.set_header(header(&["", "As recorded", "Scenario", "Difference"], 1));
        for (label, of) in lines_of(compared) {
            let number = |lines: &Option<Lines>| lines.as_ref().and_then(&of);
            let (base, scenario) = (number(&compared.base), number(&compared.scenario));
            let difference = base.zip(scenario).map(|(base, scenario)| scenario - base);
            let grouped = |number: Option<i64>| number.map_or_else(|| "-".to_owned(), grouped);
            let difference = difference.map_or_else(|| "-".to_owned(), signed);
            let numbers = [grouped(base), grouped(scenario), difference];
            let mut cells = vec![Cell::new(label)];
            cells.extend(numbers.map(|it| Cell::new(it).set_alignment(CellAlignment::Right)));
            table.add_row(cells);
        }
        wrap_only(&mut table, 0);
        text += &table.trim_fmt();
        text += "\n\n";
        text += &said_of(it, under);
    }
    text + &ending(it)
}

/// The parts of an area under each scenario, a row each.
pub fn parts(it: &Replayed, whole: &str) -> String {
    let mut text = String::new();
    for (number, under) in it.scenarios.iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        text += &heading(
            it,
            under,
            &format!(
                "{whole}: {}",
                if under.areas.len() == 1 {
                    "1 area".to_owned()
                } else {
                    format!("{} areas", under.areas.len())
                }
            ),
        );
        let mut table = plain_table();
        let names = ["Area", "", "Due", "then", "Remains", "then", "Difference"];
        table.set_header(header(&names, 2));
        for compared in &under.areas {
            let number = |lines: &Option<Lines>, of: fn(&Lines) -> i64| {
                lines.as_ref().map_or_else(|| "-".to_owned(), |lines| grouped(of(lines)))
            };
            let difference = compared.difference.map_or_else(|| "-".to_owned(), |it| signed(it.remaining));
            let numbers = [
                number(&compared.base, |it| it.due),
                number(&compared.scenario, |it| it.due),
                number(&compared.base, |it| it.remaining),
                number(&compared.scenario, |it| it.remaining),
                difference,
            ];
            let mut cells = vec![Cell::new(compared.area.code), Cell::new(&compared.area.name)];
            cells.extend(numbers.map(|it| Cell::new(it).set_alignment(CellAlignment::Right)));
            table.add_row(cells);
        }
        wrap_only(&mut table, 1);
        text += &table.trim_fmt();
        text += "\n\n";
        text += &wrapped("\"then\" is under the scenario; the difference is that of what remains.");
        text += &said_of(it, under);
    }
    text + &ending(it)
}

/// Several scenarios side by side over one area, a row each.
pub fn side_by_side(it: &Replayed) -> String {
    let Some(area) = it.scenarios.first().and_then(|under| under.areas.first()) else {
        return String::new();
    };
    let title = format!("{} ({}): {} scenarios", area.area.name, area.area.code, it.scenarios.len());
    let mut text = wrapped(&title) + &known(it);
    let mut table = plain_table();
    table.set_header(header(&["", "Due", "Realised", "Remains", "Difference", "Backlog"], 1));
    let mut row = |name: &str, lines: Option<&Lines>, difference: Option<&Lines>| {
        let number = |of: fn(&Lines) -> i64| lines.map_or_else(|| "-".to_owned(), |it| grouped(of(it)));
        let numbers = [
            number(|it| it.due),
            number(|it| it.realised),
            number(|it| it.remaining),
            difference.map_or_else(String::new, |it| signed(it.remaining)),
            number(|it| it.backlog),
        ];
        let mut cells = vec![Cell::new(name)];
        cells.extend(numbers.map(|it| Cell::new(it).set_alignment(CellAlignment::Right)));
        table.add_row(cells);
    };
    row("as recorded", area.base.as_ref(), None);
    for under in &it.scenarios {
        for compared in &under.areas {
            row(&under.name, compared.scenario.as_ref(), compared.difference.as_ref());
        }
    }
    wrap_only(&mut table, 0);
    text += &table.trim_fmt();
    text += "\n\n";
    text += &wrapped("The difference is that of what remains.");
    for under in &it.scenarios {
        text += &said_of(it, under);
    }
    text + &ending(it)
}

fn header(names: &[&str], of_text: usize) -> Vec<Cell> {
    let cells = names.iter().enumerate().map(|(index, name)| match index < of_text {
        true => Cell::new(name),
        false => Cell::new(name).set_alignment(CellAlignment::Right),
    });
    cells.collect()
}

fn heading(it: &Replayed, under: &UnderScenario, area: &str) -> String {
    wrapped(area) + &wrapped(&format!("Scenario: {}", under.name)) + &known(it)
}

fn known(it: &Replayed) -> String {
    let at = format!("{} at the start of the day, half-year {}\n", it.reference_date, it.half_year);
    at + &as_known(&it.known_at, &it.checkpoint)
}

/// What a scenario changes, as a sentence.
fn said_of(it: &Replayed, under: &UnderScenario) -> String {
    let ChangesTold { left_out, remade, supposed, not_known_yet } = under.changes;
    let count = |number: u64, one: &str, many: &str| match number {
        1 => format!("1 {one}"),
        number => format!("{} {many}", grouped(number as i64)),
    };
    let mut said = format!(
        "The scenario \"{}\" leaves out {} and supposes {}",
        under.name,
        count(left_out, "entry", "entries"),
        count(supposed, "event", "events")
    );
    if remade > 0 {
        said += &format!(
            "; {} as it would have been",
            count(remade, "later entry stands", "later entries stand")
        );
    }
    said += ". Nothing is recorded.";
    if not_known_yet > 0 {
        said += &format!(
            " {} not known yet at log size {}, so that it changes nothing here: ask as known later.",
            count(not_known_yet, "of these changes is", "of these changes are"),
            grouped(it.known_at.size as i64)
        );
    }
    let differs =
        |of: fn(&Lines) -> i64| under.areas.iter().any(|it| it.difference.is_some_and(|it| of(&it) != 0));
    if differs(|it| it.carried_over_derived) && !differs(|it| it.carried_over) {
        said += " What an authority fixed as carry-over stays as it was said: leave that out as well (docs/scenarios.md) \
                 to see how the rest runs on.";
    }
    if under.reading != it.reading {
        said +=
            &format!(" Under it the backlog is read by {}, as recorded by {}.", under.reading, it.reading);
    }
    wrapped(&said)
}

fn ending(it: &Replayed) -> String {
    let mut text = format!("\n{}", wrapped(&reading(it.reading)));
    if it.generated {
        text += &format!("\n{}", wrapped(&generated()));
    }
    text
}

type Line = Box<dyn Fn(&Lines) -> Option<i64>>;

/// Every line, with how it is found; of the kinds of placement those that occur.
fn lines_of(compared: &Compared) -> Vec<(String, Line)> {
    let line = |label: &str, of: fn(&Lines) -> i64| -> (String, Line) {
        (label.to_owned(), Box::new(move |it| Some(of(it))))
    };
    let mut lines: Vec<(String, Line)> = vec![
        ("National number in force".to_owned(), Box::new(|it| it.national)),
        line("Carried over", |it| it.carried_over),
        line("  derived from the entries", |it| it.carried_over_derived),
        line("Quota", |it| it.quota),
        line("Revision", |it| it.revision),
        line("Exchange", |it| it.exchange),
        line("Boundary changes", |it| it.boundary),
        line("Due", |it| it.due),
        line("Realised", |it| it.realised),
    ];
    let sides = [compared.base, compared.scenario];
    for &kind in PlacementKind::ALL {
        if sides.iter().flatten().any(|it| it.realised_by_kind.get(kind).is_some_and(|it| it != 0)) {
            lines.push((
                format!("  {kind}"),
                Box::new(move |it| Some(it.realised_by_kind.get(kind).unwrap_or(0))),
            ));
        }
    }
    lines.extend([
        line("Remaining", |it| it.remaining),
        line("Backlog", |it| it.backlog),
        line("Surplus", |it| it.surplus),
    ]);
    let stays = |label: &str, of: &Line| {
        let always =
            !matches!(label, "National number in force" | "Revision" | "Exchange" | "Boundary changes");
        always || sides.iter().flatten().any(|it| of(it).is_some_and(|it| it != 0))
    };
    lines.retain(|(label, of)| stays(label, of));
    lines
}

/// Every scenario, area and line as a row of a spreadsheet.
///
/// # Errors
/// When it cannot be written.
pub fn as_csv(it: &Replayed, to: impl io::Write) -> io::Result<()> {
    let mut to = Writer::from_writer(to);
    to.write_record([
        "scenario",
        "code",
        "name",
        "half_year",
        "line",
        "as_recorded",
        "scenario_says",
        "difference",
        "reference_date",
        "known_at",
        "reading",
        "generated",
        "root",
    ])
    .map_err(io_error)?;
    for under in &it.scenarios {
        for compared in &under.areas {
            for (label, of) in lines_of(compared) {
                let number = |lines: &Option<Lines>| lines.as_ref().and_then(&of);
                let (base, scenario) = (number(&compared.base), number(&compared.scenario));
                let difference = base.zip(scenario).map(|(base, scenario)| scenario - base);
                let written = |number: Option<i64>| number.map_or_else(String::new, |it| it.to_string());
                to.write_record([
                    shown(&under.name).as_ref(),
                    compared.area.code.to_string().as_str(),
                    shown(&compared.area.name).as_ref(),
                    it.half_year.to_string().as_str(),
                    label.trim().to_lowercase().replace(' ', "_").as_str(),
                    written(base).as_str(),
                    written(scenario).as_str(),
                    written(difference).as_str(),
                    it.reference_date.to_string().as_str(),
                    it.known_at.size.to_string().as_str(),
                    under.reading.name(),
                    if it.generated { "true" } else { "false" },
                    it.checkpoint.root.to_string().as_str(),
                ])
                .map_err(io_error)?;
            }
        }
    }
    to.flush()
}
