//! The two files that are delivered: placements, and the withdrawals of some of them.
//!
//! A few rows are wrong, each in one way, so that both sides show by their receipts that they make the same checks.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use fastrand::Rng;
use peildatum::domain::placement::{PlacementReport, WithdrawalReason};

use crate::generated::SEED;
use crate::generated::placements::Placements;

/// One row of so many is wrong, or was sent before.
const WRONG: u64 = 100;
/// One placement of so many is withdrawn later.
const WITHDRAWN: u64 = 100;
/// The columns of the first file, all that there are.
const COLUMNS: &str = "placement,municipality,counts_from,kind,persons,site_municipality,person,permit_granted_on,\
                       matched_on,care_ends";

/// What is delivered.
pub struct Files {
    /// The placements.
    pub placements: PathBuf,
    /// The withdrawals.
    pub withdrawals: PathBuf,
}

impl Files {
    /// The files in a folder.
    pub fn of(dir: &Path) -> Self {
        Self { placements: dir.join("placements.csv"), withdrawals: dir.join("withdrawals.csv") }
    }

    /// Writes them, row by row.
    pub fn write(&self, count: u64) -> io::Result<()> {
        let mut placements = BufWriter::with_capacity(1 << 20, File::create(&self.placements)?);
        let mut withdrawals = BufWriter::new(File::create(&self.withdrawals)?);
        let mut random = Rng::with_seed(SEED ^ 1);
        writeln!(placements, "{COLUMNS}")?;
        writeln!(withdrawals, "placement,reason")?;
        let mut before: Option<PlacementReport> = None;
        for report in Placements::new(SEED, count) {
            match before.filter(|_| random.u64(0..WRONG) == 0) {
                Some(before) => wrong(&mut placements, &mut random, &before, &report)?,
                None => right(&mut placements, &report)?,
            }
            if random.u64(0..WITHDRAWN) == 0 {
                let reasons = WithdrawalReason::ALL;
                let reason = reasons[random.usize(0..reasons.len())];
                writeln!(withdrawals, "{},{reason}", report.placement)?;
            }
            before = Some(report);
        }
        placements.flush()?;
        withdrawals.flush()
    }
}

fn right(to: &mut impl Write, report: &PlacementReport) -> io::Result<()> {
    row(to, report, &report.kind, &report.persons)
}

fn row(
    to: &mut impl Write,
    report: &PlacementReport,
    kind: &dyn Display,
    persons: &dyn Display,
) -> io::Result<()> {
    let PlacementReport { placement, municipality, counts_from, .. } = report;
    let (site, person) = (optional(report.site_municipality), optional(report.person));
    let (granted, matched) = (optional(report.permit_granted_on), optional(report.matched_on));
    let care_ends = optional(report.care_ends);
    writeln!(
        to,
        "{placement},{municipality},{counts_from},{kind},{persons},{site},{person},{granted},{matched},{care_ends}"
    )
}

/// A cell that may be empty.
fn optional(value: Option<impl Display>) -> String {
    value.map(|it| it.to_string()).unwrap_or_default()
}

/// A row in place of a right one, or about the placement before it.
fn wrong(
    to: &mut impl Write,
    random: &mut Rng,
    before: &PlacementReport,
    report: &PlacementReport,
) -> io::Result<()> {
    let of = |text: &str| text.parse().expect("a code of a municipality");
    let mut report = report.clone();
    match random.u8(0..11) {
        // Sent twice: known already.
        0 | 1 => return right(to, before),
        // The id of another.
        2 => report.placement = before.placement,
        // The same person again.
        3 => report.person = before.person,
        4 => report.municipality = of("GM9999"),
        5 => report.site_municipality = Some(of("GM9998")),
        6 => report.permit_granted_on = Some(report.counts_from.plus_days(1)),
        7 => report.counts_from = report.counts_from.plus_days(9_000),
        8 => return row(to, &report, &"houseboat", &report.persons),
        9 => return row(to, &report, &report.kind, &"one"),
        // A number that passes the eleven test.
        _ => return row(to, &report, &report.kind, &"111222333"),
    }
    right(to, &report)
}
