//! A forecast in two scenarios, and past forecasts beside what came, for people and for spreadsheets.

use std::io::{self, Write};

use comfy_table::Cell;
use csv::Writer;

use super::csv::{io_error, text};
use super::number::{grouped, percent, signed};
use super::quota::{lines, right};
use super::table::{generated, known, plain_table, wrap_only, wrapped};
use crate::book::evaluation::MonthOfGrants;
use crate::book::forecast::{Forecast, Past, ProductionPlan, Published, RecentGrants};
use crate::domain::quota::WindowReport;
use crate::domain::time::Month;
use crate::ledger::{Forecasted, ListSeal};

/// A forecast.
pub fn table(it: &Forecasted) -> String {
    let forecast = &it.forecast;
    let mut said = format!("Forecast of {}\n", forecast.half_year);
    said += &known(&it.known_at, &it.checkpoint);
    said += &lines(&figures(forecast));
    for sentence in sentences(forecast, it.plan.as_ref()) {
        said += &format!("\n{}", wrapped(&sentence));
    }
    if let Some(grants) = &forecast.recent_grants {
        said += &format!("\n{}", months("Scenario 1: month", "Granted and arrived", &grants.months));
    }
    if let Some(plan) = &forecast.production_plan {
        said += &format!("\n{}", categories(plan));
        said += &format!("\n{}", months("Scenario 2: month", "Granted and arriving", &plan.months));
    }
    said += &past(&forecast.past);
    if forecast.generated {
        said += &format!("\n{}", wrapped(&generated()));
    }
    said
}

fn figures(it: &Forecast) -> Vec<(&'static str, String)> {
    let none = || "-".to_owned();
    let persons = |number: Option<i64>| number.map_or_else(none, grouped);
    let mut rows = vec![
        ("Scenario 1: recent grants", persons(it.recent_grants.as_ref().map(|it| it.persons))),
        ("Scenario 2: production plan", persons(it.production_plan.as_ref().map(|it| it.persons))),
        ("Band of the two", it.band.map_or_else(none, |band| ends(band.lower, band.upper))),
    ];
    if let Some(published) = &it.published {
        let band = published.band.map(|band| ends(band.lower.count(), band.upper.count()));
        rows.push(("Band as published", band.unwrap_or_else(none)));
        rows.push(("Number that was chosen", grouped(published.chosen)));
    }
    rows
}

fn ends(lower: i64, upper: i64) -> String {
    format!("{} to {}", grouped(lower), grouped(upper))
}

fn sentences(it: &Forecast, seal: Option<&ListSeal>) -> Vec<String> {
    let WindowReport { from, until } = it.window;
    let usual = if it.window_published { "" } else { " (the usual window: none was published)" };
    let mut sentences = vec![format!("The forecast is about {from} to {until}{usual}.")];
    match &it.recent_grants {
        Some(grants) => sentences.extend(scenario_1(grants, it.of_months)),
        None => sentences.push(
            "Scenario 1: none of the twelve months that it averages is reported, as known then.".to_owned(),
        ),
    }
    match (&it.production_plan, seal) {
        (Some(plan), Some(seal)) => sentences.extend(scenario_2(plan, seal)),
        _ => sentences.push(
            "Scenario 2 takes a production plan, and without one there is no band: --plan FILE.".to_owned(),
        ),
    }
    sentences.push(match &it.published {
        Some(published) => chosen(it, published),
        None => format!("No quota of {} is known, as known then.", it.half_year),
    });
    sentences
}

fn scenario_1(it: &RecentGrants, of_months: u32) -> Vec<String> {
    let all = it.months.len() + it.missing.len();
    let mut sentences = vec![format!(
        "Scenario 1: {} permits and arrived family members are reported for {} of the {all} months {} to {}. That x \
         {of_months} / {}, to the nearest person.",
        grouped(it.sum),
        it.months.len(),
        it.from,
        it.until,
        it.months.len()
    )];
    if !it.missing.is_empty() {
        sentences.push(format!(
            "NOT REPORTED: {}. Nothing is made up for them, and the average is that of the other months.",
            several(&it.missing)
        ));
    }
    sentences
}

fn scenario_2(it: &ProductionPlan, seal: &ListSeal) -> Vec<String> {
    let mut sentences = vec![format!(
        "Scenario 2: decisions x grant rate, and family members by the month in which they arrive; added up exactly, \
         then to the nearest person. The plan is {} with {} rows, SHA-256 {}.",
        seal.file,
        grouped(seal.rows as i64),
        seal.sha256
    )];
    for category in it.categories.iter().filter(|it| !it.missing.is_empty()) {
        sentences.push(format!(
            "NOT IN THE PLAN: {} for {}. Who would count in the window by these decisions is not in the number.",
            category.category,
            several(&category.missing)
        ));
    }
    let by_category = it.categories.iter().map(|it| it.persons).sum::<i64>() - it.persons;
    let by_month = it.months.iter().map(|it| it.persons).sum::<i64>() - it.persons;
    if by_category != 0 || by_month != 0 {
        sentences.push(format!(
            "Categories and months below are rounded each by itself: their sums differ by {} and {}.",
            signed(by_category),
            signed(by_month)
        ));
    }
    sentences
}

fn chosen(it: &Forecast, published: &Published) -> String {
    let mut sentence =
        format!("The quota of {} was published as {}", it.half_year, grouped(published.quota.count()));
    for part in &published.includes {
        sentence += &format!(", of which {} from {}", grouped(part.persons.count()), part.half_year);
    }
    format!("{sentence}. It stands in: {}.", published.reference)
}

/// The first few months, and how many more.
fn several(months: &[Month]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<_> = months.iter().take(SHOWN).map(ToString::to_string).collect();
    match months.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn months(label: &str, number: &str, months: &[MonthOfGrants]) -> String {
    let mut table = plain_table();
    table.set_header([Cell::new(label), right(number.to_owned())]);
    for it in months {
        table.add_row([Cell::new(it.month), right(grouped(it.persons))]);
    }
    wrap_only(&mut table, 0);
    format!("{}\n", table.trim_fmt())
}

fn categories(it: &ProductionPlan) -> String {
    let mut table = plain_table();
    let numbers = ["Decisions", "Count", "From before"].map(|name| right(name.to_owned()));
    table.set_header([Cell::new("Scenario 2: category")].into_iter().chain(numbers));
    for it in &it.categories {
        let numbers = [it.decisions, it.persons, it.from_before].map(|number| right(grouped(number)));
        table.add_row([Cell::new(&it.category)].into_iter().chain(numbers));
    }
    wrap_only(&mut table, 0);
    format!(
        "{}\n\n{}",
        table.trim_fmt(),
        wrapped(
            "Decisions are those of the window; from before are those who were granted earlier and arrive in it."
        )
    )
}

/// Past forecasts, a row each; those of which no month is reported in a sentence.
fn past(all: &[Past]) -> String {
    if all.is_empty() {
        return format!("\n{}", wrapped("No window of a published quota was over, as known then."));
    }
    let (unknown, known): (Vec<&Past>, Vec<&Past>) = all.iter().partition(|it| is_unknown(it));
    let mut said = String::new();
    if !known.is_empty() {
        let mut table = plain_table();
        let numbers = ["Chosen", "Band", "Came", "Difference", "Came / chosen", "Months"];
        let numbers = numbers.map(|name| right(name.to_owned()));
        table.set_header([Cell::new("Past")].into_iter().chain(numbers));
        for it in &known {
            let none = || "-".to_owned();
            let numbers = [
                grouped(it.chosen),
                it.band.map_or_else(none, |band| ends(band.lower.count(), band.upper.count())),
                it.came.map_or_else(none, grouped),
                it.difference.map_or_else(none, signed),
                percent(it.share),
                it.of_months.map_or_else(none, |of| format!("{} of {of}", of as usize - it.missing.len())),
            ];
            table.add_row([Cell::new(it.half_year)].into_iter().chain(numbers.map(right)));
        }
        wrap_only(&mut table, 0);
        said += &format!("\n{}\n", table.trim_fmt());
    }
    for it in known.iter().filter(|it| !it.missing.is_empty()) {
        said += &format!(
            "\n{}",
            wrapped(&format!(
                "NOT REPORTED of the window of {}: {}. What came is not known before; so far {}.",
                it.half_year,
                several(&it.missing),
                grouped(it.reported)
            ))
        );
    }
    for it in known.iter().filter(|it| it.of_months.is_none()) {
        said += &format!(
            "\n{}",
            wrapped(&format!(
                "The window of {} ({} to {}) is not made of whole months, as grants are reported.",
                it.half_year, it.window.from, it.window.until
            ))
        );
    }
    if !unknown.is_empty() {
        let half_years: Vec<_> = unknown.iter().map(|it| it.half_year.to_string()).collect();
        let sentence = format!("NOT REPORTED: any month of the windows of {}.", half_years.join(", "));
        said += &format!("\n{}", wrapped(&sentence));
    }
    said
}

/// Whether no month of its window is reported.
fn is_unknown(it: &Past) -> bool {
    it.of_months.is_some_and(|of| of as usize == it.missing.len())
}

/// The columns of a forecast as CSV.
const COLUMNS: [&str; 16] = [
    "line",
    "half_year",
    "from",
    "until",
    "category",
    "persons",
    "from_before",
    "lower",
    "upper",
    "chosen",
    "difference",
    "share",
    "missing",
    "known_at_size",
    "root",
    "plan_sha256",
];

/// A row of it; what does not concern a line is empty.
#[derive(Default)]
struct Line {
    line: &'static str,
    half_year: String,
    window: Option<WindowReport>,
    category: String,
    persons: Option<i64>,
    from_before: Option<i64>,
    ends: Option<(i64, i64)>,
    chosen: Option<i64>,
    difference: Option<i64>,
    share: String,
    missing: String,
}

fn all(months: &[Month]) -> String {
    months.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// A forecast as lines: the scenarios with their months and categories, the band, the quota that was published, and past
/// forecasts.
///
/// # Errors
/// When they cannot be written.
pub fn csv(it: &Forecasted, to: impl Write) -> io::Result<()> {
    let mut rows = Writer::from_writer(to);
    rows.write_record(COLUMNS).map_err(io_error)?;
    let plan = it.plan.as_ref().map_or_else(String::new, |it| it.sha256.to_string());
    let seal = [it.known_at.size.to_string(), it.checkpoint.root.to_string(), plan];
    for line in csv_lines(&it.forecast) {
        let number = |number: Option<i64>| number.map_or_else(String::new, |it| it.to_string());
        let day = |of: fn(&WindowReport) -> String| line.window.as_ref().map_or_else(String::new, of);
        let cells = [
            line.line.to_owned(),
            line.half_year.clone(),
            day(|it| it.from.to_string()),
            day(|it| it.until.to_string()),
            line.category.clone(),
            number(line.persons),
            number(line.from_before),
            number(line.ends.map(|it| it.0)),
            number(line.ends.map(|it| it.1)),
            number(line.chosen),
            number(line.difference),
            line.share.clone(),
            line.missing.clone(),
        ];
        rows.write_record(cells.iter().chain(&seal)).map_err(io_error)?;
    }
    rows.flush()
}

fn csv_lines(it: &Forecast) -> Vec<Line> {
    let of = |line: &'static str| Line {
        line,
        half_year: it.half_year.to_string(),
        window: Some(it.window),
        ..Line::default()
    };
    let month = |line: &'static str, it: &MonthOfGrants| Line {
        window: Some(WindowReport { from: it.month.first_day(), until: it.month.last_day() }),
        persons: Some(it.persons),
        ..of(line)
    };
    let mut found = Vec::new();
    if let Some(grants) = &it.recent_grants {
        found.push(Line {
            persons: Some(grants.persons),
            missing: all(&grants.missing),
            ..of("recent_grants")
        });
        found.extend(grants.months.iter().map(|it| month("recent_grants_month", it)));
    }
    if let Some(plan) = &it.production_plan {
        found.push(Line { persons: Some(plan.persons), ..of("production_plan") });
        found.extend(plan.categories.iter().map(|it| Line {
            category: text(&it.category),
            persons: Some(it.persons),
            from_before: Some(it.from_before),
            missing: all(&it.missing),
            ..of("production_plan_category")
        }));
        found.extend(plan.months.iter().map(|it| month("production_plan_month", it)));
    }
    if let Some(band) = it.band {
        found.push(Line { ends: Some((band.lower, band.upper)), ..of("band") });
    }
    if let Some(published) = &it.published {
        let ends = published.band.map(|band| (band.lower.count(), band.upper.count()));
        found.push(Line { ends, chosen: Some(published.chosen), ..of("published") });
    }
    found.extend(it.past.iter().map(|it| Line {
        line: "past",
        half_year: it.half_year.to_string(),
        window: Some(it.window),
        persons: it.came,
        ends: it.band.map(|band| (band.lower.count(), band.upper.count())),
        chosen: Some(it.chosen),
        difference: it.difference,
        share:
            it.share.map_or_else(String::new, |it| format!("{:.4}", it.ten_thousandths() as f64 / 10_000.0)),
        missing: all(&it.missing),
        ..Line::default()
    }));
    found
}
