//! Explanations as a picture: a waterfall from one standing to the other, in SVG that can be read aloud and printed.

use std::fmt::Write;

use super::audit::line;
use super::dossier::escaped;
use super::number::{grouped, signed};
use crate::book::explanation::{Cause, Step};
use crate::ledger::Explained;

const WIDTH: i64 = 860;
/// Where the bars begin and end; the labels stand before them and the numbers behind.
const BARS: (i64, i64) = (320, 700);
const ROW: i64 = 24;
const TOP: i64 = 96;

/// A row of the picture: what it says, by how much the standing changes, and the standing from and to.
struct Row {
    label: String,
    change: Option<i64>,
    from: i64,
    to: i64,
}

/// The waterfall of an explanation. Bars to the right are more to be housed, bars to the left less; what changes nothing has no
/// bar.
pub fn waterfall(it: &Explained) -> String {
    let rows = rows(it);
    let ends = rows.iter().flat_map(|row| [row.from, row.to]);
    let (least, most) = ends.fold((0, 0), |(least, most), it| (least.min(it), most.max(it)));
    // At least one person lies between the ends, so that nothing is divided by zero.
    let (span, room) = ((most - least).max(1), BARS.1 - BARS.0);
    let x = |standing: i64| {
        BARS.0 + ((i128::from(standing - least) * i128::from(room)) / i128::from(span)) as i64
    };
    let explanation = &it.explanation;
    let (area, code) = (escaped(&explanation.area.name), explanation.area.code);
    let scenario = it.scenario.as_ref().map_or_else(String::new, |it| format!(" Scenario: {}.", escaped(it)));
    let title = format!("{area} ({code}): from {} to {}", explanation.since, explanation.on);
    let known = format!(
        "As known at log size {}, root {}.{scenario}",
        grouped(it.known_at.size as i64),
        it.checkpoint.root
    );
    let generated =
        if explanation.generated { " GENERATED: figures rest on entries that were made up." } else { "" };
    let height = TOP + ROW * rows.len() as i64 + 56;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="title desc">
  <title id="title">{title}</title>
  <desc id="desc">A waterfall of {} steps from a standing of {} to one of {}. {known}{generated}</desc>
  <style>
    text {{ font: 13px system-ui, "DejaVu Sans", sans-serif; fill: #1b222c }} .h {{ font-weight: bold; font-size: 16px }} .m {{ fill: #4a5563; font-size: 11px }}
    .n {{ text-anchor: end }} .s {{ fill: #3b5b8c }} .u {{ fill: #b3541e }} .d {{ fill: #2e7d4f }}
  </style>
  <rect width="{WIDTH}" height="{height}" fill="#ffffff"/>
  <text x="16" y="28" class="h">{title}</text>
  <text x="16" y="48" class="m">{known}</text>
"##,
        explanation.steps.len(),
        grouped(explanation.standing_since),
        grouped(explanation.standing)
    );
    let bottom = TOP + ROW * rows.len() as i64;
    let zero = x(0);
    let mut draw = |text: String| svg.push_str(&text);
    draw(
        "  <text x=\"16\" y=\"80\" class=\"m\">Persons still to be housed; below zero is a surplus.</text>\n"
            .to_owned(),
    );
    draw(format!("  <line x1=\"{zero}\" x2=\"{zero}\" y1=\"{TOP}\" y2=\"{bottom}\" stroke=\"#9aa5b1\"/>\n"));
    for (index, row) in rows.iter().enumerate() {
        let y = TOP + ROW * index as i64;
        let (left, right) = (x(row.from.min(row.to)), x(row.from.max(row.to)));
        let class = match row.change {
            None => "s",
            Some(change) if change > 0 => "u",
            Some(_) => "d",
        };
        let number = row.change.map_or_else(|| grouped(row.to), signed);
        let middle = y + ROW - 8;
        draw(format!("  <text x=\"16\" y=\"{middle}\">{}</text>\n", escaped(&row.label)));
        if row.from != row.to {
            let (top, width, high) = (y + 4, (right - left).max(1), ROW - 8);
            draw(format!(
                "  <rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{high}\" class=\"{class}\"/>\n"
            ));
        }
        draw(format!("  <text x=\"{}\" y=\"{middle}\" class=\"n\">{number}</text>\n", WIDTH - 16));
    }
    let note = "What was housed is taken off. Each bar begins where the one above it ends.";
    write!(svg, "  <text x=\"16\" y=\"{}\" class=\"m\">{note}{generated}</text>\n</svg>\n", bottom + 32)
        .expect("a text takes everything");
    svg
}

/// The standing at the beginning, each step, and the standing at the end.
fn rows(it: &Explained) -> Vec<Row> {
    let explanation = &it.explanation;
    let standing =
        |on, standing| Row { label: format!("Standing on {on}"), change: None, from: 0, to: standing };
    let mut rows = vec![standing(explanation.since, explanation.standing_since)];
    let mut so_far = explanation.standing_since;
    for step in &explanation.steps {
        let from = so_far;
        so_far += step.change;
        rows.push(Row { label: label(step), change: Some(step.change), from, to: so_far });
    }
    rows.push(standing(explanation.on, explanation.standing));
    rows
}

fn label(step: &Step) -> String {
    let learned = match step.cause {
        Cause::Happened => "",
        Cause::LearnedOfBefore | Cause::LearnedOfBetween => " (learned later)",
    };
    format!("{} {}{learned}", step.half_year, line(step))
}
