//! `peildatum demo`.

use std::io::{self, Write};
use std::path::Path;

use clap::Args;

use super::{Failure, counting_bar};
use crate::demo::{self, Found};
use crate::domain::time::ReferenceDate;
use crate::ledger::{KnownAt, Ledger, Outside};
use crate::report::table;
use crate::store::Access;

/// Build a ledger with the national history of 2019 to 2026, and show it.
///
/// National figures are the published ones. Everything below them is generated from a fixed seed:
/// which municipality was given which number, and every single placement.
#[derive(Args)]
#[command(after_help = "Example:
  peildatum demo --no-serve
  peildatum statement NL --on 2026-01-01 --ledger ./peildatum-demo")]
pub struct Demo {
    /// Do not serve the page afterwards. This version has no page yet, so nothing is served.
    #[arg(long)]
    no_serve: bool,
}

/// Which figures are facts, and which are not.
const EXPLANATION: &str = "PUBLISHED: the national quotas, carry-overs, what was realised, the evaluations and \
    the places for amv (minister's answer 2024Z12156 and the letters; 'circa' where they say so, \
    'part derived' where one figure follows from two others). GENERATED: the division over \
    municipalities, every placement, correction, move and exchange, the grants of each month, the days \
    on which things were reported, and everything realised in 2026, which goes to 3 April 2026 at the pace of \
    2025-II and belongs to no published figure.";

impl Demo {
    /// Builds the ledger, or uses the one that is there, and prints the history.
    pub fn run(self, dir: &Path) -> Result<(), Failure> {
        let _ = self.no_serve;
        let shown = dir.display();
        let found =
            demo::find(dir).map_err(|error| Failure::Broken(format!("cannot look into {shown}: {error}")))?;
        match found {
            Found::Demo => writeln!(io::stdout(), "The demo ledger in {shown} is used again.\n")?,
            Found::Other => {
                return Err(Failure::Refused(format!(
                    "{shown} is not empty and holds no ledger of this demo: name another folder with --ledger, or remove it"
                )));
            }
            Found::Nothing => {
                let bar = counting_bar("entries recorded");
                let built = demo::build(dir, &mut |size| bar.set_position(size));
                bar.finish_and_clear();
                built.map_err(|error| Failure::Broken(error.to_string()))?;
                writeln!(io::stdout(), "A demo ledger was built in {shown}.\n")?;
            }
        }
        let ledger = super::open(dir, Access::MustExist, Outside::machine())?;
        let mut to = io::stdout().lock();
        to.write_all(table::closed_half_years(&history(&ledger)?).as_bytes())?;
        to.write_all(table::wrapped(EXPLANATION).as_bytes())?;
        writeln!(to, "\nTry:\n  export PEILDATUM_LEDGER={shown}")?;
        for question in [
            "statement NL --on 2026-01-01",
            "statement NL --on 2025-06-30 --known-at 2025-01-15",
            "statement Rotterdam --on 2022-07-01 --known-at 2022-08-15",
            "statement NL --on 2026-01-01 --by province",
        ] {
            writeln!(to, "  peildatum {question}")?;
        }
        Ok(())
    }
}

/// Each half-year of the series as it closed, as known now.
fn history(ledger: &Ledger) -> Result<Vec<table::ClosedHalfYear>, Failure> {
    let series = demo::facts::national_series();
    let rows = series.into_iter().filter(|it| it.realised.is_some()).map(|published| {
        let closed_on = published.half_year.next().expect("not the last half-year").first_day();
        let as_of = ledger.as_of(ReferenceDate(closed_on), KnownAt::Now)?;
        Ok(table::ClosedHalfYear {
            half_year: published.half_year,
            status: published.status,
            account: ledger.book().national_account(published.half_year, as_of),
        })
    });
    rows.collect()
}
