//! The machine stops in the middle of a delivery, fifty times, and each time at another moment: `kill -9` leaves the
//! program no chance to tidy up. What its receipt acknowledged is there afterwards, what is there is whole, and sending
//! the same file again records exactly the rest.
//!
//! The moments are chosen by what the program has done, never by a clock: so many rows of the receipt came out of its
//! pipe, or the journal has grown by so much.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Stdio};

use peildatum::domain::event::{Entry, Event};
use peildatum::domain::time::Day;

use crate::folders::{contents, copy_dir};
use crate::program::{Desk, MUNICIPALITIES, rows_of, totals, uuid};

/// When the program is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// After so many rows of the receipt.
    Rows(usize),
    /// As soon as the journal is longer than this.
    Journal(u64),
}

/// A file with so many rows, and how many of them make one entry.
struct Delivery {
    desk: Desk,
    rows: usize,
    rows_of_entry: usize,
    /// How long the journal is before the file is delivered, and after.
    journal: (u64, u64),
}

impl Delivery {
    fn new(file: &str, rows_of_entry: usize) -> Self {
        let desk = Desk::new();
        desk.write("municipalities.csv", MUNICIPALITIES);
        desk.run("deliver municipalities.csv --from cbs").expect(0);
        desk.write("rows.csv", file);
        copy_dir(&desk.ledger(), &desk.path("whole"));
        let receipt = desk.run("deliver rows.csv --from coa --ledger whole --format json").expect(0).json();
        let rows = file.lines().count() - 1;
        assert_eq!(totals(&receipt), [rows as u64, rows as u64, 0, 0]);
        let journal = (journal_bytes(&desk.ledger()), journal_bytes(&desk.path("whole")));
        Self { desk, rows, rows_of_entry, journal }
    }

    /// Delivers, kills, and looks what is left. Says whether the end came before that of the file.
    fn interrupt(&self, moment: Moment) -> bool {
        let desk = Desk::new();
        copy_dir(&self.desk.ledger(), &desk.ledger());
        fs::copy(self.desk.path("rows.csv"), desk.path("rows.csv")).unwrap();
        let before = desk.entries().len();

        let (killed, receipt) = killed_at(&desk, moment);
        let acknowledged = rows_of(&receipt);

        let entries = desk.entries();
        let new = &entries[before..];
        for row in &acknowledged {
            assert_eq!(row["outcome"], "recorded", "{moment:?}");
            let place = (row["row"].parse::<usize>().unwrap() - 2) / self.rows_of_entry;
            let position: usize = row["position"].parse().unwrap();
            assert_eq!(position, before + place, "{moment:?}");
            assert!(position < entries.len(), "{moment:?}: acknowledged, and lost");
        }
        // The file is recorded in its order, so what is there is the beginning of it.
        new.iter().enumerate().for_each(|(place, entry)| self.check(entry, place));
        desk.run("verify").expect(0);

        let again = desk.run("deliver rows.csv --from coa --format json").expect(0).quietly().json();
        let known = new.len() * self.rows_of_entry;
        let [rows, known] = [self.rows as u64, known as u64];
        assert_eq!(totals(&again), [rows, rows - known, known, 0], "{moment:?}");
        let entries = desk.entries();
        assert_eq!((entries.len() - before) * self.rows_of_entry, self.rows, "{moment:?}");
        entries[before..].iter().enumerate().for_each(|(place, entry)| self.check(entry, place));
        let distinct: BTreeSet<_> = entries.iter().map(|it| it.id).collect();
        assert_eq!(distinct.len(), entries.len());
        killed && (known as usize) < self.rows
    }

    /// The entry is what the rows at this place of the file say.
    fn check(&self, entry: &Entry, place: usize) {
        match &entry.event {
            Event::PlacementRecorded(it) => assert_eq!(it.report().placement.to_string(), uuid(place)),
            Event::PopulationCounted(it) => {
                assert_eq!(it.counted_on, counted_on(place));
                assert_eq!(it.inhabitants.codes().count(), self.rows_of_entry, "half a list");
            }
            other => panic!("not delivered: {other:?}"),
        }
    }

    /// A moment that lies at this part of the way, in hundredths.
    fn after_rows(&self, part: usize) -> Moment {
        Moment::Rows(1 + self.rows * part / 100)
    }

    fn at_journal(&self, part: u64) -> Moment {
        let (from, to) = self.journal;
        Moment::Journal(from + (to - from) * part / 100)
    }
}

/// Delivers until the moment has come, kills, and gives what the receipt had said by then.
fn killed_at(desk: &Desk, moment: Moment) -> (bool, String) {
    let mut command = desk.command(&["deliver", "rows.csv", "--from", "coa", "--format", "csv"]);
    let (mut child, receipt) = match moment {
        Moment::Rows(rows) => {
            let mut child = command.spawn().unwrap();
            let mut from = BufReader::new(child.stdout.take().unwrap());
            let mut said = String::new();
            for _ in 0..=rows {
                from.read_line(&mut said).unwrap();
            }
            child.kill().unwrap();
            from.read_to_string(&mut said).unwrap();
            (child, said)
        }
        Moment::Journal(bytes) => {
            let mut child = command.stdout(File::create(desk.path("receipt")).unwrap()).spawn().unwrap();
            while journal_bytes(&desk.ledger()) <= bytes && child.try_wait().unwrap().is_none() {
                std::thread::yield_now();
            }
            child.kill().unwrap();
            child.wait().unwrap();
            (child, desk.read("receipt"))
        }
    };
    let killed = ended_by_signal(&mut child);
    // A row that was cut off in the middle was not read by anybody.
    let whole = receipt.rfind('\n').map_or("", |end| &receipt[..=end]);
    (killed, whole.to_owned())
}

fn ended_by_signal(child: &mut Child) -> bool {
    child.wait().unwrap().signal() == Some(9)
}

fn journal_bytes(ledger: &Path) -> u64 {
    let files = fs::read_dir(ledger.join("journal")).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

fn counted_on(place: usize) -> Day {
    Day::new(1990, 1, 1).unwrap().plus_days(place as u16)
}

fn placements(rows: usize) -> String {
    let mut file = "placement,municipality,counts_from,kind,persons\n".to_owned();
    for place in 0..rows {
        file += &format!("{},GM0599,2025-03-{:02},regular,1\n", uuid(place), place % 28 + 1);
    }
    file
}

fn populations(lists: usize) -> String {
    let mut file = "counted_on,municipality,inhabitants\n".to_owned();
    for place in 0..lists {
        let day = counted_on(place);
        for code in ["GM0344", "GM0363", "GM0599"] {
            file += &format!("{day},{code},{}\n", 100_000 + place);
        }
    }
    file
}

/// Three groups are committed one after another, and the last of them is not full.
const ENTRIES: usize = 2 * 4_096 + 1_000;

#[test]
fn a_delivery_of_placements_is_killed_and_sent_again() {
    let delivery = Delivery::new(&placements(ENTRIES), 1);
    let moments = (0..18).flat_map(|it| [delivery.after_rows(it * 5), delivery.at_journal(it as u64 * 5)]);
    let interrupted = moments.filter(|moment| delivery.interrupt(*moment)).count();
    // How many are depends on how busy the machine is; that some are shows that the test tests something.
    assert!(interrupted >= 9, "only {interrupted} of 36 were interrupted");
}

#[test]
fn a_delivery_of_lists_is_killed_and_sent_again() {
    let delivery = Delivery::new(&populations(ENTRIES), 3);
    let moments = (0..7).flat_map(|it| [delivery.after_rows(it * 12), delivery.at_journal(it as u64 * 12)]);
    let interrupted = moments.filter(|moment| delivery.interrupt(*moment)).count();
    assert!(interrupted >= 3, "only {interrupted} of 14 were interrupted");
}

#[test]
fn a_ledger_that_is_killed_while_it_begins_can_be_begun_again() {
    // Killed at the first sign of life: the folder may hold anything from nothing to an empty ledger.
    let desk = Desk::new();
    desk.write("municipalities.csv", MUNICIPALITIES);
    for name in ["lock", "checkpoint", "FORMAT", "events"] {
        let mut child =
            desk.command(&["deliver", "-", "--from", "cbs"]).stdin(Stdio::piped()).spawn().unwrap();
        let to = child.stdin.as_mut().unwrap();
        std::io::Write::write_all(to, MUNICIPALITIES.as_bytes()).unwrap();
        while !desk.ledger().join(name).exists() {
            assert!(child.try_wait().unwrap().is_none(), "it waits for the end of its input");
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let receipt = desk.run("deliver municipalities.csv --from cbs --format json").expect(0).json();
        assert_eq!(totals(&receipt), [3, 3, 0, 0], "{name}");
        desk.run("verify").expect(0);
        assert!(!contents(&desk.ledger()).is_empty());
        fs::remove_dir_all(desk.ledger()).unwrap();
    }
}
