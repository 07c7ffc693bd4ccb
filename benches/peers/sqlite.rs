//! The same work with SQLite, as well as it can be done there.
//!
//! The reader of the file and every check that needs no state are Peildatum's own; what Peildatum keeps in memory to
//! decide is looked up here by unique index. An entry is stored as the same line of JSON, and its postings as rows
//! in an index that has all that a statement needs. Nothing is hashed, so nothing is proven: that is left out here.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Instant;

use peildatum::domain::placement::PlacementReport;
use peildatum::feed::Parcels;
use peildatum::feed::csv::CsvFile;
use peildatum::feed::parcel::Parcel;
use peildatum::feed::receipt::{Outcome, RowReceipt};
use peildatum::ledger::Offered;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::Failure;
use crate::asking::{self, HowMany};
use crate::files::Files;
use crate::generated::{facts, source};
use crate::measured::{Asked, Delivered, Deliveries, Imported, Receipts, peak_bytes};
use crate::senders;
use crate::sqlite_recording::{Log, Recorder, record_facts};
use crate::sqlite_statements::Answerer;

/// How it is set. A commit is durable when it returns (`synchronous`), one process has the database to itself, and
/// half a gigabyte of pages lies in memory, as much as Peildatum takes at ten million entries. SQLite itself maps no more
/// than two gigabytes of the file, however much it is told to.
///
/// Ids of placements and tokens are random, so every commit touches thousands of pages, and the log in which they wait
/// to be brought home should be large. Of those tried with a million placements, pages of 8 KB and a log of 400 MB gave
/// the most; smaller pages, and a log of 16 MB, less than two thirds of it.
const SETTINGS: &str = "
    PRAGMA page_size = 8192;
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 50000;
    PRAGMA cache_size = -524288;
    PRAGMA mmap_size = 2147418112;
    PRAGMA temp_store = MEMORY;
    PRAGMA foreign_keys = OFF;
";

/// The tables:
/// - ids and persons as tables of their own, whose only tree is the unique index; what else is known of a placement is
///   read from its entry, which is rarely needed;
/// - postings as the covering index itself (`WITHOUT ROWID`). A table with the same index beside it answers as fast and
///   takes more space. With the position or the day before the line, a statement of one municipality took a third
///   longer, and the slowest table of all of them twice as long, as sums are then not read in the order of the index;
/// - two small indexes on just the rows that say what was fixed, and who is in care.
const TABLES: &str = "
    CREATE TABLE entries (position INTEGER PRIMARY KEY, line BLOB NOT NULL);
    CREATE TABLE municipalities (code INTEGER PRIMARY KEY, name TEXT NOT NULL, begins INTEGER NOT NULL);
    CREATE TABLE quotas (half_year INTEGER, position INTEGER, persons INTEGER NOT NULL,
        PRIMARY KEY (half_year, position)) WITHOUT ROWID;
    CREATE TABLE placements (id BLOB PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE persons (person BLOB PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE withdrawals (placed INTEGER PRIMARY KEY, position INTEGER NOT NULL, reason TEXT NOT NULL);
    CREATE TABLE postings (municipality INTEGER, half_year INTEGER, line INTEGER, valid_on INTEGER,
        position INTEGER, persons INTEGER,
        PRIMARY KEY (municipality, half_year, line, valid_on, position, persons)) WITHOUT ROWID;
    CREATE INDEX fixed ON postings (municipality, half_year, position) WHERE line = 3;
    CREATE INDEX in_care ON postings (municipality, valid_on, position, persons) WHERE line = 4;
";

/// Where the database lies.
pub fn database(dir: &Path) -> PathBuf {
    dir.join("sqlite")
}

fn open(dir: &Path) -> Result<Connection, Failure> {
    let dir = database(dir);
    fs::create_dir_all(&dir)?;
    // One thread at a time uses it, so it need not look after that itself.
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(dir.join("log.db"), flags)?;
    connection.execute_batch(SETTINGS)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Brings all into the database file and closes it.
fn close(connection: Connection) -> Result<(), Failure> {
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    connection.close().map_err(|(_, error)| error.into())
}

/// Fills a new database.
pub fn import(dir: &Path, count: u64) -> Result<Imported, Failure> {
    let mut connection = open(dir)?;
    connection.execute_batch(TABLES)?;
    let mut log = Log::begin(&connection)?;
    let transaction = connection.transaction()?;
    record_facts(&transaction, &mut log, &facts::commands(count))?;
    transaction.commit()?;
    let facts = log.size();
    let files = Files::of(dir);
    let placements = deliver_file(&mut connection, &mut log, &files.placements)?;
    let withdrawals = deliver_file(&mut connection, &mut log, &files.withdrawals)?;
    close(connection)?;
    Ok(Imported { placements, withdrawals, size: log.size(), facts, peak_bytes: peak_bytes() })
}

/// How many rows a transaction of an import has. Nobody waits for a receipt in the middle of a file here, so it may be many
/// more than Peildatum commits together: with 4,096 rows SQLite imported a million at half the rate.
const TRANSACTION: usize = 65_536;

/// Reads the file in a thread of its own, so that both cores have work, and records what is read in large transactions.
fn deliver_file(connection: &mut Connection, log: &mut Log, file: &Path) -> Result<Delivered, Failure> {
    let mut receipts = Receipts::begin();
    let (to, groups) = sync_channel::<Vec<Parcel>>(2);
    let from = BufReader::new(File::open(file)?);
    log.begin_delivery();
    thread::scope(|scope| {
        let reading = scope.spawn(move || -> Result<(), String> {
            let mut rows = CsvFile::open(from, source()).map_err(|error| error.to_string())?;
            loop {
                let mut group = Vec::with_capacity(TRANSACTION);
                while group.len() < TRANSACTION {
                    let Some(parcel) = rows.next_parcel().map_err(|error| error.to_string())? else { break };
                    group.push(parcel);
                }
                if group.is_empty() || to.send(group).is_err() {
                    return Ok(());
                }
            }
        });
        for group in groups {
            log.now();
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut recorder = Recorder::new(&transaction, log)?;
            let settled =
                group.into_iter().map(|it| settle(&mut recorder, it)).collect::<Result<Vec<_>, _>>()?;
            drop(recorder);
            transaction.commit()?;
            settled.iter().for_each(|receipt| receipts.take(receipt));
        }
        reading.join().expect("the reader does not panic").map_err(Failure::from)
    })?;
    Ok(receipts.done())
}

/// Every parcel of these files has one row.
fn settle(recorder: &mut Recorder<'_>, parcel: Parcel) -> Result<RowReceipt, Failure> {
    let [row] = &parcel.rows[..] else { return Err("a parcel of these files has one row".into()) };
    let outcome = match &parcel.content {
        None => Outcome::refused(&row.refusals, row.columns()),
        Some(content) => match recorder.record(&content.command())? {
            Ok(Offered::Recorded(position)) => Outcome::Recorded { position },
            Ok(Offered::Known(position)) => Outcome::KnownAlready { position },
            Err(refusal) => Outcome::refused(&[refusal], row.columns()),
        },
    };
    Ok(RowReceipt { row: row.number, outcome })
}

/// Opens the database and asks. The log sizes of the questions go from `from` to the size of the log.
pub fn ask(dir: &Path, from: u64, how_many: HowMany, answers: &Path) -> Result<Asked, Failure> {
    let begun = Instant::now();
    let connection = open(dir)?;
    let sizes = from..=Log::begin(&connection)?.size();
    let mut answerer = Answerer::new(&connection)?;
    asking::ask_first(&mut answerer, sizes.clone())?;
    let open_seconds = begun.elapsed().as_secs_f64();
    let open_bytes = peak_bytes();
    let (one, all) = asking::ask(&mut answerer, sizes, how_many, answers)?;
    Ok(Asked { open_seconds, open_bytes, one, all, peak_bytes: peak_bytes() })
}

/// Deliveries of one placement each, by many senders in both ways in which that can be done.
pub fn deliver(dir: &Path, senders: u64, alone: u64, together: u64) -> Result<Deliveries, Failure> {
    let mut connection = open(dir)?;
    let mut log = Log::begin(&connection)?;
    let alone = senders::alone(alone, 0, |report| deliver_together(&mut connection, &mut log, &[report]))?;

    let grouped = senders::together_to_one(senders, together, 1, |waiting| {
        while let Ok(first) = waiting.recv() {
            // All who wait by now share one transaction.
            let (reports, told): (Vec<_>, Vec<_>) =
                std::iter::once(first).chain(waiting.try_iter()).map(|it| (it.report, it.told)).unzip();
            deliver_together(&mut connection, &mut log, &reports)?;
            // Whoever does not listen any more has failed, and says so itself.
            told.into_iter().for_each(|sender| drop(sender.send(Ok(()))));
        }
        Ok(())
    })?;

    let shared = Mutex::new((connection, log));
    let locked = senders::together(senders, together, 2, |report| {
        let (connection, log) = &mut *shared.lock().expect("a sender does not panic");
        deliver_together(connection, log, &[report]).map_err(|failure| failure.to_string())
    })?;
    let (connection, _) = shared.into_inner().expect("a sender does not panic");
    close(connection)?;
    let mut together =
        vec![("a writer that groups".to_owned(), grouped), ("a transaction each".to_owned(), locked)];
    together.sort_by(|(_, a), (_, b)| b.per_second().total_cmp(&a.per_second()));
    Ok(Deliveries { alone, together })
}

/// Delivers placements in one transaction; when this returns they are durable.
fn deliver_together(
    connection: &mut Connection,
    log: &mut Log,
    reports: &[PlacementReport],
) -> Result<(), Failure> {
    log.now();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut recorder = Recorder::new(&transaction, log)?;
    for report in reports {
        recorder.begin_delivery();
        recorder.placement(report)??;
    }
    drop(recorder);
    Ok(transaction.commit()?)
}
