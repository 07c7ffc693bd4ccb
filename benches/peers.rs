//! The same work with Peildatum and with SQLite, in the same run: `cargo bench --bench peers -- --entries 1000000`.
//!
//! Each side does each part of the work in a process of its own, so that its memory is its own. What they answer and the
//! receipts they give are compared, and a difference ends the run with an error. Everything that is delivered here is
//! generated.

mod generated;

#[path = "peers/asking.rs"]
mod asking;
#[path = "peers/figures.rs"]
mod figures;
#[path = "peers/files.rs"]
mod files;
#[path = "peers/limits.rs"]
mod limits;
#[path = "peers/measured.rs"]
mod measured;
#[path = "peers/ours.rs"]
mod ours;
#[path = "peers/printed.rs"]
mod printed;
#[path = "peers/senders.rs"]
mod senders;
#[path = "peers/sqlite.rs"]
mod sqlite;
#[path = "peers/sqlite_recording.rs"]
mod sqlite_recording;
#[path = "peers/sqlite_statements.rs"]
mod sqlite_statements;
#[path = "peers/table.rs"]
mod table;

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::{Parser, ValueEnum};
use serde::Serialize;
use serde::de::DeserializeOwned;

use asking::HowMany;
use files::Files;
use limits::Limits;
use measured::{Asked, Deliveries, Imported, disk_bytes};
use printed::{Disk, Grown, Measured, Pair};
use table::Format;

/// As the program itself has it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What ends the run.
pub type Failure = Box<dyn Error>;

/// The same work with Peildatum and with SQLite.
#[derive(Clone, Debug, Parser)]
#[command(name = "peers", about)]
struct Args {
    /// How many placements are imported
    #[arg(long, default_value_t = 1_000_000)]
    entries: u64,
    /// How many senders deliver at once
    #[arg(long, default_value_t = 64)]
    senders: u64,
    /// How many statements of one municipality are asked for; of all municipalities a hundredth of it
    #[arg(long, default_value_t = 20_000)]
    questions: usize,
    /// How many single deliveries are made one after another; by many senders together it is four times as many
    #[arg(long, default_value_t = 5_000)]
    deliveries: u64,
    /// Also import so many placements each, and print how the figures grow
    #[arg(long, value_delimiter = ',', value_name = "ENTRIES,..")]
    growth: Vec<u64>,
    /// The same with Peildatum only, for numbers of placements that take SQLite hours
    #[arg(long, value_delimiter = ',', value_name = "ENTRIES,..")]
    alone: Vec<u64>,
    /// Keep what is generated, imported and answered in this folder, which must be absent or empty
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// How the tables are printed
    #[arg(long, default_value = "table")]
    format: Format,
    /// The part of the work that this process does, and the folder in which it does it
    #[arg(long, hide = true, num_args = 3, value_names = ["SIDE", "PART", "DIR"])]
    part: Option<Vec<String>>,
    /// Where the log sizes of questions begin
    #[arg(long, hide = true, default_value_t = 0)]
    asked_from: u64,
    /// What `cargo bench` adds
    #[arg(long, hide = true)]
    bench: bool,
}

/// Who does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Side {
    Peildatum,
    Sqlite,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    Import,
    Ask,
    Open,
    Deliver,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.part {
        Some(part) => do_part(&args, part),
        None => run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("peers: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Everything, in this process and those that it starts.
fn run(args: &Args) -> Result<(), Failure> {
    let temporary;
    let dir = match &args.keep {
        Some(dir) => {
            fs::create_dir_all(dir)?;
            if fs::read_dir(dir)?.next().is_some() {
                return Err(format!("{} is not empty: name another folder", dir.display()).into());
            }
            dir.as_path()
        }
        None => {
            // Beside what is built, since the folder for temporary files can lie in memory.
            let beside = std::env::current_exe()?;
            let beside = beside.parent().ok_or("the program lies nowhere")?;
            temporary = tempfile::Builder::new().prefix("peers-").tempdir_in(beside)?;
            temporary.path()
        }
    };
    // A gigabyte, but in a run that is only tried a part of it.
    let bytes = if args.entries < 100_000 { 1 << 27 } else { 1 << 30 };
    let limits = Limits::measure(dir, bytes)?;
    let measured = measure(args, &dir.join("peers"), args.entries, true)?;
    printed::print(args.format, &measured, &limits, args.senders)?;
    if !args.growth.is_empty() || !args.alone.is_empty() {
        let mut rows = Vec::new();
        let both = args.growth.iter().map(|&entries| (entries, false));
        for (entries, alone) in both.chain(args.alone.iter().map(|&entries| (entries, true))) {
            let dir = dir.join(format!("growth-{entries}"));
            match alone {
                true => rows.push(measure_alone(args, &dir, entries)?),
                false => rows.extend(measure(args, &dir, entries, false)?.grown()),
            }
            if args.keep.is_none() {
                fs::remove_dir_all(&dir)?;
            }
        }
        printed::print_growth(args.format, &rows)?;
    }
    Ok(())
}

/// All parts for one number of placements.
fn measure(args: &Args, dir: &Path, entries: u64, with_deliveries: bool) -> Result<Measured, Failure> {
    let args = generate(args, dir, entries)?;
    let imported: Pair<Imported> = both(&args, Part::Import, dir)?;
    printed::same_receipts(&imported)?;
    let args = Args { asked_from: imported.ours.facts, ..args };
    let asked: Pair<Asked> = both(&args, Part::Ask, dir)?;
    same_answers(dir)?;
    let disk = disk_of(dir)?;
    let from_journal = from_journal(&args, dir)?;
    let deliveries = with_deliveries.then(|| both::<Deliveries>(&args, Part::Deliver, dir)).transpose()?;
    Ok(Measured { entries, imported, asked, from_journal, disk, deliveries })
}

/// The parts that one side can do, for one number of placements.
fn measure_alone(args: &Args, dir: &Path, entries: u64) -> Result<Grown, Failure> {
    let args = generate(args, dir, entries)?;
    let imported: Imported = child(&args, Side::Peildatum, Part::Import, dir)?;
    let args = Args { asked_from: imported.facts, ..args };
    let asked: Asked = child(&args, Side::Peildatum, Part::Ask, dir)?;
    let disk = disk_of(dir)?;
    let from_journal = from_journal(&args, dir)?;
    Ok(Grown::of_ours(imported, asked, from_journal, &disk))
}

/// Makes the files of a number of placements, and gives what is asked for with that number.
fn generate(args: &Args, dir: &Path, entries: u64) -> Result<Args, Failure> {
    fs::create_dir_all(dir)?;
    say(&format!("generating {entries} placements"))?;
    Files::of(dir).write(entries)?;
    Ok(Args { entries, ..args.clone() })
}

fn disk_of(dir: &Path) -> io::Result<Disk> {
    let ledger = ours::ledger(dir);
    Ok(Disk {
        journal: disk_bytes(&ledger.join("journal"))?,
        events: disk_bytes(&ledger.join("events"))?,
        snapshot: disk_bytes(&ours::snapshot(dir))?,
        sqlite: disk_bytes(&sqlite::database(dir))?,
    })
}

/// Opens again without the snapshot, where there was one.
fn from_journal(args: &Args, dir: &Path) -> Result<Option<Asked>, Failure> {
    if !ours::snapshot(dir).exists() {
        return Ok(None);
    }
    fs::remove_dir_all(ours::snapshot(dir))?;
    Ok(Some(child(args, Side::Peildatum, Part::Open, dir)?))
}

fn both<T: DeserializeOwned>(args: &Args, part: Part, dir: &Path) -> Result<Pair<T>, Failure> {
    Ok(Pair { ours: child(args, Side::Peildatum, part, dir)?, sqlite: child(args, Side::Sqlite, part, dir)? })
}

/// Does a part in a process of its own.
fn child<T: DeserializeOwned>(args: &Args, side: Side, part: Part, dir: &Path) -> Result<T, Failure> {
    let (side, part) = (name(side), name(part));
    say(&format!("{side}: {part} with {} placements", args.entries))?;
    let done = Command::new(std::env::current_exe()?)
        .args(["--entries", &args.entries.to_string()])
        .args(["--senders", &args.senders.to_string()])
        .args(["--questions", &args.questions.to_string()])
        .args(["--deliveries", &args.deliveries.to_string()])
        .args(["--asked-from", &args.asked_from.to_string()])
        .args(["--part", &side, &part])
        .arg(dir)
        .stderr(Stdio::inherit())
        .output()?;
    match done.status.success() {
        true => Ok(serde_json::from_slice(&done.stdout)?),
        false => Err(format!("{side} could not {part}").into()),
    }
}

fn name(value: impl ValueEnum) -> String {
    value.to_possible_value().expect("no value is left out").get_name().to_owned()
}

/// Tells whoever waits how far it is, apart from the tables.
fn say(what: &str) -> io::Result<()> {
    writeln!(io::stderr(), "peers: {what}")
}

/// What a process does that was started for a part.
fn do_part(args: &Args, part: &[String]) -> Result<(), Failure> {
    let [side, part, dir] = part else { return Err("a part has a side, a name and a folder".into()) };
    let (side, part) = (Side::from_str(side, false)?, Part::from_str(part, false)?);
    let dir = Path::new(dir);
    let answers = answers(dir, side);
    let count = args.deliveries;
    // SQLite is asked less often, as it takes longer; the questions are the first of the same.
    let (one, all) = (args.questions, args.questions.div_ceil(100));
    let all_of = |how_many: usize| HowMany { one: one.div_ceil(how_many), all: all.div_ceil(how_many) };
    match (side, part) {
        (Side::Peildatum, Part::Import) => tell(&ours::import(dir, args.entries)?),
        (Side::Sqlite, Part::Import) => tell(&sqlite::import(dir, args.entries)?),
        (Side::Peildatum, Part::Ask) => tell(&ours::ask(dir, args.asked_from, all_of(1), &answers)?),
        (Side::Sqlite, Part::Ask) => tell(&sqlite::ask(dir, args.asked_from, all_of(10), &answers)?),
        (Side::Peildatum, Part::Open) => tell(&ours::ask(dir, args.asked_from, all_of(100), &answers)?),
        (Side::Sqlite, Part::Open) => Err("SQLite opens in one way".into()),
        (Side::Peildatum, Part::Deliver) => tell(&ours::deliver(dir, args.senders, count, 4 * count)?),
        (Side::Sqlite, Part::Deliver) => tell(&sqlite::deliver(dir, args.senders, count, 4 * count)?),
    }
}

fn tell(measured: &impl Serialize) -> Result<(), Failure> {
    Ok(serde_json::to_writer(io::stdout(), measured)?)
}

fn answers(dir: &Path, side: Side) -> PathBuf {
    dir.join(format!("answers-{}", name(side)))
}

/// Holds the answers of the two sides against each other, as far as both gave them.
fn same_answers(dir: &Path) -> Result<(), Failure> {
    let lines = |side| Ok::<_, Failure>(BufReader::new(File::open(answers(dir, side))?).lines());
    for (about, what) in [("GM", "one by one"), ("all", "as all municipalities")] {
        let of = |line: &io::Result<String>| line.as_ref().map_or(true, |it| it.starts_with(about));
        let ours = lines(Side::Peildatum)?.filter(of);
        let theirs = lines(Side::Sqlite)?.filter(of);
        let mut compared = 0;
        for (ours, theirs) in ours.zip(theirs) {
            let (ours, theirs) = (ours?, theirs?);
            if ours != theirs {
                return Err(format!("the answers differ\nPeildatum  {ours}\nSQLite     {theirs}").into());
            }
            compared += 1;
        }
        if compared == 0 {
            return Err(format!("nothing was compared that was asked for {what}").into());
        }
        say(&format!("{compared} statements asked for {what} are the same"))?;
    }
    Ok(())
}
