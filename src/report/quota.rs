//! What prepares a decision about a quota, for people and for spreadsheets.

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment};
use csv::Writer;

use super::csv::{io_error, text};
use super::number::{grouped, signed};
use super::table::{generated, known, plain_table, wrap_only, wrapped, written};
use crate::book::evaluation::{
    Basis, Decided, Expectation, Finding, NumbersBy, OutsideRule, Period, Possible, Proposal,
};
use crate::book::share::{RoundingBy, Share};
use crate::domain::quota::{AllocationMethod, Rounding};
use crate::ledger::{Evaluated, Shared};

pub(super) fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// A label and a number, a row each.
pub(super) fn lines(rows: &[(&str, String)]) -> String {
    let mut table = plain_table();
    for (label, number) in rows {
        table.add_row([Cell::new(label), right(number.clone())]);
    }
    wrap_only(&mut table, 0);
    format!("{}\n", table.trim_fmt())
}

/// Municipal numbers by inhabitants.
pub fn shares(it: &Shared) -> String {
    let share = &it.share;
    let mut said = format!("Municipal numbers of {} by inhabitants\n", share.half_year);
    said += &known(&it.known_at, &it.checkpoint);
    let total = if share.total_given { "To be divided, as given" } else { "National number in force" };
    let mut rows = vec![
        (total, grouped(share.total.count())),
        ("Sum of the shares", grouped(share.sum)),
        ("  difference from the national number", signed(share.difference)),
    ];
    if let Some(published) = share.published {
        rows.push(("Sum of the municipal numbers in force", grouped(published)));
    }
    rows.push(("Inhabitants", grouped(share.inhabitants)));
    said += &lines(&rows);
    let mut sentences = vec![rounded(share.rounding, share.rounding_by), counted(share)];
    sentences.push(match share.published_for {
        0 => "No municipal numbers are known for this half-year.".to_owned(),
        count if (count as usize) < share.municipalities.len() => format!(
            "{count} of {} municipalities have a number in force. That number is what counts, whatever a calculation \
             gives.",
            share.municipalities.len()
        ),
        _ => "The number in force is what counts, whatever a calculation gives.".to_owned(),
    });
    sentences.extend(share.generated.then(generated));
    for sentence in sentences {
        said += &format!("\n{}", wrapped(&sentence));
    }
    let mut table = plain_table();
    let numbers = ["Inhabitants", "Share", "In force", "Difference"].map(|name| right(name.to_owned()));
    table.set_header([Cell::new("Municipality"), Cell::new("")].into_iter().chain(numbers));
    for it in &share.municipalities {
        let none = || "-".to_owned();
        let numbers = [
            grouped(it.inhabitants),
            grouped(it.share),
            it.published.map_or_else(none, grouped),
            it.difference.map_or_else(none, signed),
        ];
        let named = [Cell::new(it.code), Cell::new(&it.name)];
        table.add_row(named.into_iter().chain(numbers.map(right)));
    }
    wrap_only(&mut table, 1);
    format!("{said}\n{}\n", table.trim_fmt())
}

fn rounded(rounding: Rounding, by: RoundingBy) -> String {
    let how = match rounding {
        Rounding::Up => "up",
        Rounding::Nearest => "to the nearest number",
        Rounding::LargestRemainder => "down, and the rest goes to the largest remainders",
    };
    let why = match by {
        RoundingBy::Given => "as asked",
        RoundingBy::Allocation => "as in the allocation that was recorded",
        RoundingBy::Act => "as the Act says (article 29)",
    };
    format!("Rounded {how} ({rounding}), {why}.")
}

fn counted(share: &Share) -> String {
    let on = written(share.counted_on);
    match share.counted_on_by_act {
        Some(day) if day == share.counted_on => format!("By the inhabitants of {on}, as the Act says."),
        Some(day) => {
            format!("By the inhabitants of {on}, as asked; the Act says those of {}.", written(day))
        }
        None => format!("By the inhabitants of {on}, as asked."),
    }
}

/// Municipal numbers as a file of allocations, which can be delivered.
///
/// # Errors
/// When they cannot be written.
pub fn shares_as_allocation(it: &Shared, to: impl Write) -> io::Result<()> {
    let share = &it.share;
    let mut rows = Writer::from_writer(to);
    let header = ["half_year", "municipality", "persons", "method", "rounding", "reference"];
    rows.write_record(header).map_err(io_error)?;
    // The log size is left out: with enough digits it could be taken for the number of a person.
    let reference = format!(
        "peildatum share: {} by the inhabitants of {}",
        grouped(share.total.count()),
        share.counted_on
    );
    for it in &share.municipalities {
        rows.write_record([
            share.half_year.to_string(),
            it.code.to_string(),
            it.share.to_string(),
            AllocationMethod::ByInhabitants.to_string(),
            share.rounding.to_string(),
            reference.clone(),
        ])
        .map_err(io_error)?;
    }
    rows.flush()
}

/// An interim evaluation that is being prepared.
pub fn evaluation(it: &Evaluated) -> String {
    let proposal = &it.proposal;
    let basis = &proposal.basis;
    let mut said = format!("Interim evaluation of {}: a proposal\n", proposal.half_year);
    said += &known(&it.known_at, &it.checkpoint);
    let included: i64 = basis.includes.iter().map(|it| it.persons.count()).sum();
    let mut rows = vec![("Quota as published", grouped(basis.quota.count()))];
    if included != 0 {
        rows.push(("  of which from earlier half-years", grouped(included)));
    }
    rows.extend([
        ("Expected when it was set", grouped(basis.expected)),
        ("Expected now", grouped(proposal.now_expected.persons)),
        ("Difference", signed(proposal.difference)),
        ("Tolerance", grouped(proposal.tolerance.count())),
    ]);
    said += &lines(&rows);
    let mut sentences = vec![found(proposal), window(basis), expected(&proposal.now_expected)];
    sentences.extend(proposal.decided.iter().map(decided));
    if proposal.decided.is_empty() {
        sentences.push("No decision is recorded, as known then.".to_owned());
    }
    let next = &proposal.outcomes[0].periods[1];
    if next.carry_over_recorded_for > 0 {
        sentences.push(format!(
            "An authority has fixed what is carried into {} for {} of {} municipalities, and no outcome changes that.",
            next.half_year,
            next.carry_over_recorded_for,
            next.municipalities.len()
        ));
    }
    if !next.quota_in_force {
        sentences
            .push(format!("No quota is in force in {}, so nothing can be carried into it.", next.half_year));
    }
    sentences.push(
        "The outcomes below start from the quota as it was published, whatever was decided since, and from what was \
         housed as far as it is known. Nothing is recorded by this."
            .to_owned(),
    );
    for sentence in sentences {
        said += &format!("\n{}", wrapped(&sentence));
    }
    said += &format!("\n{}", outcomes(proposal));
    for outcome in &proposal.outcomes {
        for period in &outcome.periods {
            said += &format!("\n{}", wrapped(&numbers(outcome, period)));
        }
    }
    said += &format!("\n{}", effects(proposal));
    if proposal.generated {
        said += &format!("\n{}", wrapped(&generated()));
    }
    said
}

fn found(it: &Proposal) -> String {
    let next = || it.outcomes[0].periods[1].half_year;
    match it.finding {
        Finding::WithinTolerance => "About right: by the rule the quota is kept.".to_owned(),
        Finding::TooHigh => format!(
            "Too high: by the rule the quota may be lowered to {}. The minister decides.",
            grouped(it.basis.quota.count() + it.difference)
        ),
        Finding::TooLow => format!(
            "Too low: by the rule the quota is not raised, and the difference of {} goes into {}.",
            grouped(it.difference),
            next()
        ),
    }
}

fn window(it: &Basis) -> String {
    let usual = if it.window_published { "" } else { " (the usual window: none was published)" };
    format!(
        "The forecast is about {} to {}{usual}. The quota stands in: {}.",
        it.window.from, it.window.until, it.reference
    )
}

fn expected(it: &Expectation) -> String {
    let sum = it.months.iter().map(|month| month.persons).sum();
    let months = match it.of_months {
        Some(of) => format!("{} of {of} months", it.months.len()),
        None => format!("{} months", it.months.len()),
    };
    match (it.given, it.months.is_empty()) {
        (true, true) => "What is expected now was given with the question.".to_owned(),
        (true, false) => format!(
            "What is expected now was given with the question. Reported are {} grants in {months} of the window.",
            grouped(sum)
        ),
        (false, _) => format!(
            "What is expected now follows from the grants that are reported: {} in {months} of the window, permits and \
             arrived family members, carried on to its end in proportion.",
            grouped(sum)
        ),
    }
}

fn decided(it: &Decided) -> String {
    let what = match (it.national, it.carried_forward) {
        (Some(national), _) => format!("the quota became {}", grouped(national.count())),
        (None, Some(persons)) => {
            format!("the quota was kept, and {} go into the next half-year", grouped(persons.count()))
        }
        (None, None) => "the quota was kept".to_owned(),
    };
    let outside = match it.outside_rule {
        None => "",
        Some(OutsideRule::Raised) => " OUTSIDE THE RULE: a running quota is not raised.",
        Some(OutsideRule::LoweredNotTooHigh) => " OUTSIDE THE RULE: no fewer were expected.",
        Some(OutsideRule::CarriedNotTooLow) => " OUTSIDE THE RULE: no more were expected.",
    };
    format!(
        "Decided on {} (position {}): {what}. It stands in: {}.{outside}",
        written(it.decided_on),
        it.position,
        it.reference
    )
}

/// What an outcome is called.
fn named(outcome: &Possible) -> String {
    match (outcome.decision, outcome.allowed) {
        ("kept", true) => "kept".to_owned(),
        ("kept", false) => "kept, none carried".to_owned(),
        ("revised", _) => "lowered".to_owned(),
        _ => "kept, carried on".to_owned(),
    }
}

fn outcomes(it: &Proposal) -> String {
    let mut table = plain_table();
    let header = ["National", "Municipal", "Due", "Remains"].map(|name| right(name.to_owned()));
    let first = ["Outcome", "By the rule", "Half-year"].map(Cell::new);
    table.set_header(first.into_iter().chain(header));
    for outcome in &it.outcomes {
        for (index, period) in outcome.periods.iter().enumerate() {
            let (name, rule) = match index {
                0 => (named(outcome), if outcome.allowed { "yes" } else { "no" }),
                _ => (String::new(), ""),
            };
            let numbers = [
                period.national.map_or_else(|| "not known".to_owned(), grouped),
                grouped(period.number),
                grouped(period.due),
                grouped(period.remaining),
            ];
            let first = [Cell::new(name), Cell::new(rule), Cell::new(period.half_year)];
            table.add_row(first.into_iter().chain(numbers.map(right)));
        }
    }
    wrap_only(&mut table, 0);
    format!("{}\n", table.trim_fmt())
}

/// Where the municipal numbers of an outcome come from.
fn numbers(outcome: &Possible, period: &Period) -> String {
    let head = format!("{}, {}", named(outcome), period.half_year);
    match (period.numbers_by, period.counted_on) {
        (NumbersBy::Published, _) => format!("{head}: municipal numbers as published."),
        (NumbersBy::Computed, None) => format!("{head}: nothing is divided among municipalities."),
        (NumbersBy::Computed, Some(day)) => {
            let of = match period.national {
                None => "shares in what is carried forward",
                Some(_) => "shares",
            };
            format!(
                "{head}: {of} by the inhabitants of {day}. {}",
                rounded(period.rounding, period.rounding_by)
            )
        }
    }
}

/// What the outcomes do to every municipality: what is due and remains if the quota is kept, and by how much the other
/// outcome differs. Both change by the same, as it is about the same persons who were housed.
fn effects(it: &Proposal) -> String {
    let mut text = String::new();
    let kept = &it.outcomes[0];
    let other = it.outcomes.get(1);
    for (index, period) in kept.periods.iter().enumerate() {
        let mut table = plain_table();
        let half_year = period.half_year.to_string();
        let mut header = vec![
            Cell::new(half_year),
            Cell::new(""),
            right("Number".to_owned()),
            right("Due".to_owned()),
            right("Remains".to_owned()),
        ];
        header.extend(other.map(|other| right(format!("If {}", named(other)))));
        table.set_header(header);
        for (row, effect) in period.municipalities.iter().enumerate() {
            let numbers = [effect.number, effect.due, effect.remaining].map(|number| right(grouped(number)));
            let mut cells = vec![Cell::new(effect.code), Cell::new(&effect.name)];
            cells.extend(numbers);
            cells.extend(
                other.map(|other| right(signed(other.periods[index].municipalities[row].due - effect.due))),
            );
            table.add_row(cells);
        }
        wrap_only(&mut table, 1);
        if index > 0 {
            text.push('\n');
        }
        text += &format!("{}\n", table.trim_fmt());
    }
    text
}

/// The outcomes of an evaluation for every municipality, a row each, for the running half-year and the next.
///
/// # Errors
/// When they cannot be written.
pub fn evaluation_as_csv(it: &Evaluated, to: impl Write) -> io::Result<()> {
    let proposal = &it.proposal;
    let mut rows = Writer::from_writer(to);
    rows.write_record([
        "evaluated",
        "expected",
        "now_expected",
        "difference",
        "tolerance",
        "finding",
        "outcome",
        "allowed",
        "carried_forward",
        "half_year",
        "national",
        "numbers_by",
        "municipality",
        "name",
        "number",
        "due",
        "remaining",
        "known_at_size",
        "root",
    ])
    .map_err(io_error)?;
    for outcome in &proposal.outcomes {
        for period in &outcome.periods {
            for effect in &period.municipalities {
                rows.write_record([
                    proposal.half_year.to_string(),
                    proposal.basis.expected.to_string(),
                    proposal.now_expected.persons.to_string(),
                    proposal.difference.to_string(),
                    proposal.tolerance.to_string(),
                    proposal.finding.to_string(),
                    outcome.decision.to_owned(),
                    outcome.allowed.to_string(),
                    outcome.carried_forward.to_string(),
                    period.half_year.to_string(),
                    period.national.map_or_else(String::new, |it| it.to_string()),
                    period.numbers_by.to_string(),
                    effect.code.to_string(),
                    text(&effect.name),
                    effect.number.to_string(),
                    effect.due.to_string(),
                    effect.remaining.to_string(),
                    it.known_at.size.to_string(),
                    it.checkpoint.root.to_string(),
                ])
                .map_err(io_error)?;
            }
        }
    }
    rows.flush()
}
