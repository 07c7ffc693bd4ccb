//! CSV for programs: the same columns in the same order, always (RFC 4180).

use std::io::{self, Write};

use csv::Writer;

use crate::book::reconciliation::LedgerSide;
use crate::domain::event::Entry;
use crate::domain::placement::PlacementKind;
use crate::ledger::{Answer, Reconciled};

/// A text that a spreadsheet would take for a formula, made harmless. Numbers are not texts.
pub(super) fn text(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

/// What the operating system said, as it said it: that a pipe has no reader any more is no failure.
pub(super) fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// Statements, a row each.
///
/// # Errors
/// When they cannot be written.
pub fn statements(answers: &[Answer], to: impl Write) -> io::Result<()> {
    rows(answers, to, |answer| {
        let it = &answer.statement;
        let by_kind = |kind: &PlacementKind| it.realised_by_kind.get(*kind).unwrap_or(0).to_string();
        let contested = it.contested;
        Cells {
            by_kind: PlacementKind::ALL.iter().map(by_kind).collect(),
            places_there: number(it.amv.places_there),
            placed: it.amv.placed.to_string(),
            contested: [contested.objections, contested.persons, contested.difference]
                .map(|it| it.to_string()),
        }
    })
}

/// The cells of a statement that are not the same for everybody.
pub(super) struct Cells {
    /// By kind, all of them in their order.
    pub by_kind: Vec<String>,
    /// Places there are for amv.
    pub places_there: String,
    /// Amv in small-scale care.
    pub placed: String,
    /// Objections, persons and differences that are contested.
    pub contested: [String; 3],
}

fn number(number: Option<i64>) -> String {
    number.map_or_else(String::new, |it| it.to_string())
}

/// Statements, a row each, with these cells.
pub(super) fn rows(
    answers: &[Answer],
    to: impl Write,
    differing: impl Fn(&Answer) -> Cells,
) -> io::Result<()> {
    let mut rows = Writer::from_writer(to);
    let mut header = vec![
        "area",
        "name",
        "reference_date",
        "known_at_size",
        "known_at_time",
        "half_year",
        "carried_over_used",
        "carried_over_recorded",
        "carried_over_derived",
        "carried_over_difference",
        "carried_over_recorded_for",
        "quota",
        "revision",
        "exchange",
        "boundary",
        "due",
        "realised",
    ];
    let kinds: Vec<String> = PlacementKind::ALL.iter().map(|kind| format!("realised_{kind}")).collect();
    header.extend(kinds.iter().map(String::as_str));
    header.extend([
        "remaining",
        "on_schedule",
        "pace",
        "fulfilment",
        "backlog",
        "surplus",
        "reading",
        "municipalities",
        "municipalities_backlog",
        "municipalities_surplus",
        "phase",
        "quota_in_force",
        "national_quota",
        "national_in_force",
        "amv_places_needed",
        "amv_places_there",
        "amv_placed",
        "contested_objections",
        "contested_persons",
        "contested_difference",
        "generated",
        "root",
    ]);
    rows.write_record(&header).map_err(io_error)?;
    for answer in answers {
        let it = &answer.statement;
        let differing = differing(answer);
        let mut cells = vec![
            it.area.code.to_string(),
            text(&it.area.name),
            it.reference_date.to_string(),
            answer.known_at.size.to_string(),
            answer.known_at.time.map_or_else(String::new, |time| time.to_string()),
            it.half_year.to_string(),
            it.carried_over.used.to_string(),
            number(it.carried_over.recorded),
            it.carried_over.derived.to_string(),
            it.carried_over.difference.to_string(),
            it.carried_over.recorded_for.to_string(),
            it.quota.to_string(),
            it.revision.to_string(),
            it.exchange.to_string(),
            it.boundary.to_string(),
            it.due.to_string(),
            it.realised.to_string(),
        ];
        cells.extend(differing.by_kind);
        cells.extend([
            it.remaining.to_string(),
            number(it.on_schedule),
            number(it.pace),
            it.fulfilment.map_or_else(String::new, |ratio| {
                format!("{:.4}", ratio.ten_thousandths() as f64 / 10_000.0)
            }),
            it.backlog.to_string(),
            it.surplus.to_string(),
            it.reading.to_string(),
            it.municipalities.count.to_string(),
            it.municipalities.backlog.to_string(),
            it.municipalities.surplus.to_string(),
            it.regime.phase.map_or_else(String::new, |phase| phase.to_string()),
            it.regime.quota_in_force.to_string(),
            number(it.national.as_ref().map(|national| national.quota.count())),
            number(it.national.as_ref().map(|national| national.in_force.count())),
            number(it.amv.places_needed),
            differing.places_there,
            differing.placed,
        ]);
        cells.extend(differing.contested);
        cells.extend([it.generated.to_string(), answer.checkpoint.root.to_string()]);
        rows.write_record(&cells).map_err(io_error)?;
    }
    rows.flush()
}

/// Entries, a row each, with the content of the event as JSON in the last column.
///
/// # Errors
/// When they cannot be written.
pub fn entries(entries: &[Entry], to: impl Write) -> io::Result<()> {
    let mut rows = Writer::from_writer(to);
    rows.write_record([
        "position",
        "recorded_at",
        "type",
        "source",
        "delivered_by",
        "delivery",
        "id",
        "registered_at",
        "data",
    ])
    .map_err(io_error)?;
    for entry in entries {
        rows.write_record([
            entry.position.to_string(),
            entry.recorded_at.to_string(),
            entry.event.name().to_string(),
            text(entry.source.as_str()),
            text(entry.delivered_by.as_str()),
            entry.delivery.to_string(),
            entry.id.to_string(),
            entry.registered_at.map_or_else(String::new, |time| time.to_string()),
            serde_json::to_string(&entry.event)?,
        ])
        .map_err(io_error)?;
    }
    rows.flush()
}

/// The lines of a reconciliation, a row each, and behind them the shares of municipalities that were split. The effects
/// add up to the whole difference.
///
/// # Errors
/// When they cannot be written.
pub fn reconciliation(it: &Reconciled, to: impl Write) -> io::Result<()> {
    let mut rows = Writer::from_writer(to);
    rows.write_record([
        "category",
        "effect",
        "list_row",
        "list_reference",
        "list_placement",
        "list_date",
        "list_kind",
        "list_persons",
        "ledger_position",
        "ledger_placement",
        "ledger_municipality",
        "ledger_date",
        "ledger_kind",
        "ledger_persons",
        "municipality",
        "half_year",
        "known_at_size",
        "root",
        "list_sha256",
    ])
    .map_err(io_error)?;
    let of = &it.reconciliation;
    let seal = [
        of.municipality.code.to_string(),
        of.half_year.to_string(),
        it.known_at.size.to_string(),
        it.checkpoint.root.to_string(),
        it.list.sha256.to_string(),
    ];
    let said_by_ledger = |it: &LedgerSide| {
        [
            it.position.to_string(),
            it.placement.to_string(),
            it.municipality.to_string(),
            it.date.to_string(),
            it.kind.to_string(),
            it.persons.to_string(),
        ]
    };
    for line in &of.lines {
        let list = line.list.as_ref().map(|it| {
            [
                it.row.to_string(),
                it.reference.as_ref().map_or_else(String::new, |it| text(&it.to_string())),
                it.placement.map_or_else(String::new, |it| it.to_string()),
                it.date.to_string(),
                it.kind.to_string(),
                it.persons.to_string(),
            ]
        });
        let head = [line.category.to_string(), line.effect.to_string()];
        let (list, ledger) =
            (list.unwrap_or_default(), line.ledger.as_ref().map(said_by_ledger).unwrap_or_default());
        rows.write_record(head.iter().chain(&list).chain(&ledger).chain(&seal)).map_err(io_error)?;
    }
    for share in &of.split_shares {
        let head = ["split_share".to_owned(), share.effect.to_string()];
        let none = [const { String::new() }; 6];
        let ledger = [
            share.position.to_string(),
            String::new(),
            share.municipality.to_string(),
            share.effective_on.to_string(),
            String::new(),
            share.realised.to_string(),
        ];
        rows.write_record(head.iter().chain(&none).chain(&ledger).chain(&seal)).map_err(io_error)?;
    }
    rows.flush()
}
