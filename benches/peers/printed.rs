//! What a run prints: every measure with its ratio, how it grows, and what the machine allows.

use std::io;

use crate::Failure;
use crate::limits::Limits;
use crate::measured::{Asked, Deliveries, Imported, Times};
use crate::table::{Better, Format, Table, Unit};

/// The same of both sides.
pub struct Pair<T> {
    /// Of Peildatum.
    pub ours: T,
    /// Of SQLite.
    pub sqlite: T,
}

/// What lies on disk, in bytes.
pub struct Disk {
    /// The journal.
    pub journal: u64,
    /// The events (sled).
    pub events: u64,
    /// The snapshot, if there is one.
    pub snapshot: u64,
    /// The database.
    pub sqlite: u64,
}

impl Disk {
    fn of_ours(&self) -> u64 {
        self.journal + self.events + self.snapshot
    }
}

/// All that was measured with one number of placements.
pub struct Measured {
    /// The number.
    pub entries: u64,
    /// The import.
    pub imported: Pair<Imported>,
    /// Opening and questions.
    pub asked: Pair<Asked>,
    /// Opening again without the snapshot, if there was one.
    pub from_journal: Option<Asked>,
    /// What lies on disk after the import.
    pub disk: Disk,
    /// Deliveries of one placement each.
    pub deliveries: Option<Pair<Deliveries>>,
}

impl Measured {
    /// Opening from the journal alone.
    fn opened_from_journal(&self) -> &Asked {
        self.from_journal.as_ref().unwrap_or(&self.asked.ours)
    }
}

/// Holds the receipts against each other: every row must have become the same on both sides.
pub fn same_receipts(imported: &Pair<Imported>) -> Result<(), Failure> {
    let Pair { ours, sqlite } = imported;
    for (file, ours, sqlite) in [
        ("placements", &ours.placements, &sqlite.placements),
        ("withdrawals", &ours.withdrawals, &sqlite.withdrawals),
    ] {
        if (ours.totals, ours.receipts) != (sqlite.totals, sqlite.receipts) {
            let (ours, sqlite) = (ours.totals, sqlite.totals);
            return Err(format!("the receipts for {file} differ: {ours:?} and {sqlite:?}").into());
        }
    }
    match (ours.size, ours.facts) == (sqlite.size, sqlite.facts) {
        true => Ok(()),
        false => Err(format!("the logs differ: {} and {} entries", ours.size, sqlite.size).into()),
    }
}

/// Prints what was measured with one number of placements.
pub fn print(format: Format, it: &Measured, limits: &Limits, senders: u64) -> Result<(), Failure> {
    let Measured { imported, asked, .. } = it;
    let (ours, sqlite) = (&imported.ours, &imported.sqlite);
    let totals = ours.placements.totals;
    let title = format!(
        "{} placements from a file: {} recorded, {} known already, {} refused; {} entries in all",
        it.entries, totals.recorded, totals.known_already, totals.refused, ours.size
    );
    let mut table = Table::new(format, &title, &["measure", "Peildatum", "SQLite", "ratio", "note"]);
    let mut compare = |what: &str, better, unit, ours: f64, sqlite: f64, note: &str| {
        table.compare(what, better, unit, ours, sqlite, note);
    };
    use Better::{Less, More};

    let hashed = "Peildatum also hashes";
    compare("import", More, Unit::PerSecond, ours.placements.rate(), sqlite.placements.rate(), hashed);
    let taken_back = (ours.withdrawals.rate(), sqlite.withdrawals.rate());
    compare("import of withdrawals", More, Unit::PerSecond, taken_back.0, taken_back.1, "");
    if let (Some(ours), Some(sqlite)) = (ours.peak_bytes, sqlite.peak_bytes) {
        compare("  most memory", Less, Unit::Bytes, ours as f64, sqlite as f64, "");
    }

    if let Some(deliveries) = &it.deliveries {
        let alone = (deliveries.ours.alone.per_second(), deliveries.sqlite.alone.per_second());
        compare("one sender", More, Unit::PerSecond, alone.0, alone.1, "each durable, then the next");
        let [best, others @ ..] = &deliveries.sqlite.together[..] else { return Err("no senders".into()) };
        let [ours, ..] = &deliveries.ours.together[..] else { return Err("no senders".into()) };
        let what = format!("{senders} senders");
        let note = format!("SQLite: {}", best.0);
        compare(&what, More, Unit::PerSecond, ours.1.per_second(), best.1.per_second(), &note);
        for (how, rate) in others {
            let note = format!("SQLite: {how}");
            compare("", More, Unit::PerSecond, ours.1.per_second(), rate.per_second(), &note);
        }
    }

    let times = |what: &str, ours: &Times, sqlite: &Times, table: &mut dyn FnMut(&str, f64, f64, &str)| {
        let asked = format!("asked {} and {} times", ours.count, sqlite.count);
        table(&format!("{what}, median"), ours.median, sqlite.median, &asked);
        table("  99 of 100", ours.p99, sqlite.p99, "");
    };
    let mut compare_times =
        |what: &str, ours, sqlite, note: &str| compare(what, Less, Unit::Seconds, ours, sqlite, note);
    times("one municipality", &asked.ours.one, &asked.sqlite.one, &mut compare_times);
    times("all municipalities", &asked.ours.all, &asked.sqlite.all, &mut compare_times);

    let with = if it.disk.snapshot > 0 { "to the first answer" } else { "no snapshot there" };
    compare_times("opening", asked.ours.open_seconds, asked.sqlite.open_seconds, with);
    let opened = it.opened_from_journal().open_seconds;
    compare_times("  from the journal alone", opened, asked.sqlite.open_seconds, "");
    if let (Some(ours), Some(sqlite)) = (asked.ours.open_bytes, asked.sqlite.open_bytes) {
        compare("  memory when open", Less, Unit::Bytes, ours as f64, sqlite as f64, "");
    }
    if let (Some(ours), Some(sqlite)) = (asked.ours.peak_bytes, asked.sqlite.peak_bytes) {
        let note = "SQLite: with pages of the file";
        compare("  and after the questions", Less, Unit::Bytes, ours as f64, sqlite as f64, note);
    }
    let each = |bytes: u64| bytes as f64 / ours.size as f64;
    let (disk, theirs) = (it.disk.of_ours(), it.disk.sqlite);
    compare("disk", Less, Unit::Bytes, disk as f64, theirs as f64, "");
    compare("  an entry", Less, Unit::BytesAnEntry, each(disk), each(theirs), "Peildatum: two copies");
    let parts = [("journal", it.disk.journal), ("events", it.disk.events), ("snapshot", it.disk.snapshot)];
    for (part, bytes) in parts {
        table.ours(&format!("  of that {part}"), Unit::BytesAnEntry, each(bytes), "");
    }
    table.print(&mut io::stdout())?;

    print_parts(format, imported)?;
    print_limits(format, it, limits)
}

/// The rate of each million rows, where there are several.
fn print_parts(format: Format, imported: &Pair<Imported>) -> Result<(), Failure> {
    let (ours, sqlite) = (&imported.ours.placements.parts, &imported.sqlite.placements.parts);
    if ours.len() < 2 {
        return Ok(());
    }
    let mut table = Table::new(
        format,
        "Import, each million rows by itself",
        &["million", "Peildatum", "SQLite", "ratio", "note"],
    );
    for (index, (ours, sqlite)) in ours.iter().zip(sqlite).enumerate() {
        let (ours, sqlite) = (1e6 / ours, 1e6 / sqlite);
        table.compare(&(index + 1).to_string(), Better::More, Unit::PerSecond, ours, sqlite, "");
    }
    Ok(table.print(&mut io::stdout())?)
}

fn print_limits(format: Format, it: &Measured, limits: &Limits) -> Result<(), Failure> {
    let mut table = Table::new(format, "What this machine allows", &["limit", "here", "note"]);
    let mut row = |what: &str, unit: Unit, figure: f64, note: String| {
        let figure = match format {
            Format::Table => unit.written(figure),
            Format::Csv => figure.to_string(),
        };
        table.row(vec![what.to_owned(), figure, note]);
    };
    let rate = it.imported.ours.placements.rate();
    row("cores", Unit::Count, std::thread::available_parallelism()?.get() as f64, String::new());
    row("memory, one core reads", Unit::BytesPerSecond, limits.memory, String::new());
    let hashed = format!("{:.0} bytes in the time of one row imported", limits.sha256 / rate);
    row("SHA-256, one core", Unit::BytesPerSecond, limits.sha256, hashed);
    let alone = it.deliveries.as_ref().map(|it| it.ours.alone.per_second());
    let syncs = |sync: &Times| {
        alone.map_or_else(String::new, |it| {
            format!("one sender is at {:.0} % of it", it * sync.median * 100.0)
        })
    };
    for (what, sync) in [("append", &limits.append), ("overwrite", &limits.overwrite)] {
        row(&format!("{what} 4 KB and sync, median"), Unit::Seconds, sync.median, syncs(sync));
        row("  99 of 100", Unit::Seconds, sync.p99, String::new());
    }
    Ok(table.print(&mut io::stdout())?)
}

/// One side with one number of placements.
pub struct Grown {
    side: &'static str,
    imported: Imported,
    asked: Asked,
    /// Opening from the journal alone, in seconds.
    from_journal: Option<f64>,
    disk: u64,
}

impl Grown {
    /// Of Peildatum.
    pub fn of_ours(imported: Imported, asked: Asked, from_journal: Option<Asked>, disk: &Disk) -> Self {
        let from_journal = Some(from_journal.as_ref().unwrap_or(&asked).open_seconds);
        Self { side: "Peildatum", imported, asked, from_journal, disk: disk.of_ours() }
    }
}

impl Measured {
    /// What it says of both sides.
    pub fn grown(self) -> [Grown; 2] {
        let Self { imported, asked, from_journal, disk, .. } = self;
        let sqlite = Grown {
            side: "SQLite",
            imported: imported.sqlite,
            asked: asked.sqlite,
            from_journal: None,
            disk: disk.sqlite,
        };
        [Grown::of_ours(imported.ours, asked.ours, from_journal, &disk), sqlite]
    }
}

/// Prints how the figures grow with the number of placements.
pub fn print_growth(format: Format, rows: &[Grown]) -> Result<(), Failure> {
    let header =
        ["entries", "side", "import", "one", "all", "open", "journal", "memory", "importing", "disk/entry"];
    let mut table = Table::new(format, "Growth: one and all are medians", &header);
    for it in rows {
        let size = it.imported.size as f64;
        let bytes = |bytes: Option<u64>| (Unit::Bytes, bytes.map(|it| it as f64));
        let figures = [
            (Unit::Count, Some(size)),
            (Unit::PerSecond, Some(it.imported.placements.rate())),
            (Unit::Seconds, Some(it.asked.one.median)),
            (Unit::Seconds, Some(it.asked.all.median)),
            (Unit::Seconds, Some(it.asked.open_seconds)),
            (Unit::Seconds, it.from_journal),
            bytes(it.asked.open_bytes),
            bytes(it.imported.peak_bytes),
            (Unit::BytesAnEntry, Some(it.disk as f64 / size)),
        ];
        let mut cells: Vec<String> = figures
            .into_iter()
            .map(|(unit, figure)| match (figure, format) {
                (None, _) => String::new(),
                (Some(figure), Format::Table) => unit.written(figure),
                (Some(figure), Format::Csv) => figure.to_string(),
            })
            .collect();
        cells.insert(1, it.side.to_owned());
        table.row(cells);
    }
    Ok(table.print(&mut io::stdout())?)
}
