//! The work as Peildatum does it.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use peildatum::book::statement::{Reading, Statement};
use peildatum::decide::command::{Command, Identity};
use peildatum::domain::area::{Area, MunicipalityCode};
use peildatum::domain::placement::PlacementReport;
use peildatum::domain::time::AsOf;
use peildatum::feed::csv::CsvFile;
use peildatum::feed::{self, Told};
use peildatum::ledger::Ledger;
use peildatum::store::Access;

use crate::Failure;
use crate::asking::{self, HowMany, Side};
use crate::figures::Figures;
use crate::files::Files;
use crate::generated::{facts, outside, source};
use crate::measured::{Asked, Deliveries, Imported, Receipts, peak_bytes};
use crate::senders;

/// Where the ledger lies.
pub fn ledger(dir: &Path) -> PathBuf {
    dir.join("ledger")
}

/// What opening can do without: it is made anew where it is not there.
pub fn snapshot(dir: &Path) -> PathBuf {
    ledger(dir).join("snapshot")
}

fn open(dir: &Path, access: Access) -> Result<Ledger, Failure> {
    Ok(Ledger::open(&ledger(dir), access, outside(), &mut |_| {})?.0)
}

/// Fills a new ledger.
pub fn import(dir: &Path, count: u64) -> Result<Imported, Failure> {
    let mut ledger = open(dir, Access::CreateIfAbsent)?;
    let source = source();
    let identity = Identity { source: source.clone(), id: None };
    let delivery = ledger.new_delivery();
    let mut batch = ledger.batch(delivery, &source);
    for command in facts::commands(count) {
        batch.offer(&identity, None, &command)??;
    }
    batch.commit()?;
    let facts = ledger.size().0;
    let files = Files::of(dir);
    let mut deliver = |file: &Path| {
        let rows = CsvFile::open(BufReader::new(File::open(file)?), source.clone())?;
        let mut receipts = Receipts::begin();
        feed::deliver(&mut ledger, &source, rows, &mut |told| {
            if let Told::Row(receipt, _) = told {
                receipts.take(receipt);
            }
            Ok(())
        })?;
        Ok::<_, Failure>(receipts.done())
    };
    let placements = deliver(&files.placements)?;
    let withdrawals = deliver(&files.withdrawals)?;
    let size = ledger.size().0;
    ledger.close()?;
    Ok(Imported { placements, withdrawals, size, facts, peak_bytes: peak_bytes() })
}

/// Opens the ledger and asks. The log sizes of the questions go from `from` to the size of the log.
pub fn ask(dir: &Path, from: u64, how_many: HowMany, answers: &Path) -> Result<Asked, Failure> {
    let begun = Instant::now();
    let mut ledger = open(dir, Access::MustExist)?;
    let sizes = from..=ledger.size().0;
    asking::ask_first(&mut ledger, sizes.clone())?;
    let open_seconds = begun.elapsed().as_secs_f64();
    let open_bytes = peak_bytes();
    let (one, all) = asking::ask(&mut ledger, sizes, how_many, answers)?;
    Ok(Asked { open_seconds, open_bytes, one, all, peak_bytes: peak_bytes() })
}

impl Side for Ledger {
    type Answer = Statement;

    fn one(&mut self, code: MunicipalityCode, as_of: AsOf) -> Result<Statement, Failure> {
        Ok(self.book().statement(Area::Municipality(code), as_of, Reading::OldestFirst)?)
    }

    fn all(&mut self, as_of: AsOf) -> Result<Vec<Statement>, Failure> {
        Ok(self.book().by_municipality(Area::Country, as_of, Reading::OldestFirst)?)
    }

    fn figures(answer: Statement) -> Figures {
        Figures::from(&answer)
    }
}

/// Deliveries of one placement each.
pub fn deliver(dir: &Path, senders: u64, alone: u64, together: u64) -> Result<Deliveries, Failure> {
    let ledger = Mutex::new(open(dir, Access::MustExist)?);
    let alone = senders::alone(alone, 0, |report| deliver_one(&ledger, report))?;
    let together = senders::together(senders, together, 1, |report| {
        deliver_one(&ledger, report).map_err(|failure| failure.to_string())
    })?;
    ledger.into_inner().expect("a sender does not panic").close()?;
    Ok(Deliveries { alone, together: vec![("commits that are shared".to_owned(), together)] })
}

/// Delivers one placement; when this returns it is durable. The ledger is let go before the wait, so that whoever
/// delivers meanwhile shares the sync.
fn deliver_one(ledger: &Mutex<Ledger>, report: PlacementReport) -> Result<(), Failure> {
    let source = source();
    let identity = Identity { source: source.clone(), id: None };
    let ticket = {
        let mut ledger = ledger.lock().expect("a sender does not panic");
        let delivery = ledger.new_delivery();
        let mut batch = ledger.batch(delivery, &source);
        batch.offer(&identity, None, &Command::RecordPlacement(report))??;
        batch.submit()?
    };
    Ok(ticket.wait().map(|_| ())?)
}
