//! Something happens to the files of a ledger, and then somebody runs the next command as if nothing had: it heals what
//! it can, says so on standard error and gives the same answer; or it refuses, names the command that repairs it, and
//! that command does. A ledger that another program has open is left to it, but can be copied.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use crate::folders::{change, contents, copy_dir};
use crate::program::{Desk, Ran, uuid};
use crate::program_deliver::{PLACEMENTS, file, placement};

const QUESTION: &str = "statement NL --on 2025-07-01 --format json";

/// A ledger with some hundreds of entries in several commits, a backup of it, and its answer.
struct Whole {
    desk: Desk,
    answer: String,
    root: String,
}

impl Whole {
    fn new() -> Self {
        let desk = Desk::with_ledger();
        for part in 0..4 {
            let rows: Vec<_> = (part * 150..(part + 1) * 150).map(|it| placement(it, "GM0599")).collect();
            desk.write("placements.csv", file(PLACEMENTS, &rows));
            desk.run("deliver placements.csv --from coa").expect(0);
        }
        let answer = desk.run(QUESTION).expect(0).quietly().out;
        desk.run("backup saved").expect(0);
        let root = desk.root();
        Self { desk, answer, root }
    }

    /// The same ledger on another desk, to be broken there.
    fn broken(&self, how: impl FnOnce(&Path)) -> Desk {
        let desk = Desk::new();
        copy_dir(&self.desk.ledger(), &desk.ledger());
        copy_dir(&self.desk.path("saved"), &desk.path("saved"));
        how(&desk.ledger());
        desk
    }

    /// Gives the same answer as before, and again, the second time without a word.
    #[track_caller]
    fn check_same(&self, desk: &Desk) -> Ran {
        let ran = desk.run(QUESTION).expect(0);
        assert_eq!(ran.out, self.answer);
        assert_eq!(desk.run(QUESTION).expect(0).quietly().out, self.answer);
        assert_eq!(desk.root(), self.root);
        ran
    }

    /// Refuses, changes nothing but sled's own files, and names a command.
    #[track_caller]
    fn check_refused(&self, desk: &Desk, command: &str) {
        let before = desk.files();
        for typed in [QUESTION, "export", "deliver - --from coa"] {
            let ran = desk.run_on(typed, format!("{PLACEMENTS}\n").as_bytes()).expect(2).says(command);
            assert_eq!(ran.out, "", "{typed}");
        }
        assert!(desk.files() == before, "something was changed");
    }
}

/// The one file of the journal.
fn journal(ledger: &Path) -> std::path::PathBuf {
    contents(&ledger.join("journal")).into_keys().next().unwrap()
}

#[test]
fn events_that_are_gone_or_damaged_are_built_again() {
    let whole = Whole::new();
    let gone = whole.broken(|ledger| fs::remove_dir_all(ledger.join("events")).unwrap());
    whole.check_same(&gone).says("built again from the journal");
    let emptied = whole.broken(|ledger| {
        fs::remove_dir_all(ledger.join("events")).unwrap();
        fs::create_dir(ledger.join("events")).unwrap();
    });
    whole.check_same(&emptied).says("built again from the journal");
    for part in [0, 1, 4, 7] {
        let cut =
            whole.broken(|ledger| change(&ledger.join("events/db"), |it| it.truncate(it.len() * part / 8)));
        // sled may hold nothing in the part that went; whatever it held is there again.
        whole.check_same(&cut);
    }
    let bytes = fs::read(whole.desk.ledger().join("events/db")).unwrap();
    let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    for at in used.iter().step_by(used.len() / 6) {
        let flipped = whole.broken(|ledger| change(&ledger.join("events/db"), |it| it[*at] ^= 0x10));
        whole.check_same(&flipped);
    }
}

#[test]
fn a_journal_that_is_gone_or_damaged_is_written_again() {
    let whole = Whole::new();
    let said = "were written again from the events";
    let gone = whole.broken(|ledger| fs::remove_dir_all(ledger.join("journal")).unwrap());
    whole.check_same(&gone).says(said);
    let emptied = whole.broken(|ledger| fs::remove_file(journal(ledger)).unwrap());
    whole.check_same(&emptied).says(said);
    for part in [0, 1, 4, 7] {
        let cut = whole.broken(|ledger| change(&journal(ledger), |it| it.truncate(it.len() * part / 8)));
        whole.check_same(&cut).says(said);
    }
    let length = fs::metadata(journal(&whole.desk.ledger())).unwrap().len() as usize;
    for at in (0..length).step_by(length / 5).chain([length - 1]) {
        let flipped = whole.broken(|ledger| change(&journal(ledger), |it| it[at] ^= 1));
        whole.check_same(&flipped).says(said);
    }
}

#[test]
fn a_checkpoint_that_is_gone_or_damaged_is_written_again() {
    let whole = Whole::new();
    let said = "journal and events agree on all 604 entries, so it was written again";
    let gone = whole.broken(|ledger| fs::remove_file(ledger.join("checkpoint")).unwrap());
    whole.check_same(&gone).says(said);
    for part in [0, 1, 2, 3] {
        let cut =
            whole.broken(|ledger| change(&ledger.join("checkpoint"), |it| it.truncate(it.len() * part / 4)));
        whole.check_same(&cut).says(said);
    }
    for at in [0, 20, 22, 60] {
        let flipped = whole.broken(|ledger| change(&ledger.join("checkpoint"), |it| it[at] ^= 1));
        whole.check_same(&flipped).says(said);
    }
}

#[test]
fn what_one_copy_can_mend_is_mended_by_the_command_that_is_named() {
    let whole = Whole::new();
    for lost in ["events", "journal"] {
        let desk = whole.broken(|ledger| {
            fs::remove_file(ledger.join("checkpoint")).unwrap();
            fs::remove_dir_all(ledger.join(lost)).unwrap();
        });
        whole.check_refused(&desk, "Run `peildatum verify --repair`");
        desk.run("verify").expect(2).says("the ledger is not whole");
        let repaired = desk.run("verify --repair").expect(0).out;
        assert!(repaired.contains("604 entries; journal, events and checkpoint agree"), "{repaired}");
        assert!(repaired.contains(&whole.root), "{repaired}");
        whole.check_same(&desk);
    }
}

#[test]
fn the_journal_of_another_ledger_gives_way_in_a_repair() {
    let (whole, other) = (Whole::new(), Desk::with_ledger());
    let rows: Vec<_> = (900..1_600).map(|it| placement(it, "GM0344")).collect();
    other.write("placements.csv", file(PLACEMENTS, &rows));
    other.run("deliver placements.csv --from coa").expect(0);
    let desk = whole.broken(|ledger| _ = fs::copy(journal(&other.ledger()), journal(ledger)).unwrap());
    whole.check_refused(&desk, "Run `peildatum verify --repair`");
    desk.run("backup other").expect(2).says("peildatum verify");
    desk.run("verify --repair").expect(0);
    whole.check_same(&desk);
    assert!(contents(&desk.ledger()).keys().any(|it| it.to_string_lossy().contains(".damaged-1")));
}

#[test]
fn what_no_copy_can_mend_is_restored_from_a_backup() {
    let whole = Whole::new();
    for keep_checkpoint in [true, false] {
        let desk = whole.broken(|ledger| {
            change(&journal(ledger), |it| it[200] ^= 1);
            fs::remove_dir_all(ledger.join("events")).unwrap();
            if !keep_checkpoint {
                fs::remove_file(ledger.join("checkpoint")).unwrap();
            }
        });
        whole.check_refused(&desk, "peildatum restore");
        desk.run("verify --repair").expect(2).says("peildatum restore");
        // A ledger that is there is never written over.
        desk.run("restore saved").expect(2).says("is not empty and nothing is written over it");
        let restored = desk.run("restore saved --ledger restored").expect(0).out;
        assert!(restored.contains(&format!("604 entries are in restored; their root is {}", whole.root)));
        let ran = desk.run(&format!("{QUESTION} --ledger restored")).expect(0).quietly();
        assert_eq!(ran.out, whole.answer);
    }
}

#[test]
fn a_damaged_backup_is_found_when_it_is_restored() {
    let whole = Whole::new();
    let desk = whole.broken(|ledger| {
        let saved = ledger.with_file_name("saved");
        change(&journal(&saved), |it| it.truncate(it.len() / 2));
    });
    desk.run("restore saved --ledger restored").expect(2).says("does not hold the 604 entries");
    desk.run(&format!("{QUESTION} --ledger restored")).expect(2).says("is not a ledger");
}

#[test]
fn what_is_no_ledger_is_left_alone() {
    let desk = Desk::new();
    fs::create_dir(desk.ledger()).unwrap();
    desk.write("ledger/letter.txt", "Dear");
    for typed in [QUESTION, "verify", "verify --repair", "export", "backup saved"] {
        let ran = desk.run(typed).expect(2);
        assert_eq!(ran.says("is not a ledger").out, "", "{typed}");
    }
    desk.run("demo --ledger ledger").expect(1).says("is not empty and holds no ledger of this demo");
    let names: Vec<_> = fs::read_dir(desk.ledger()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(names, ["letter.txt"]);
}

/// A program that delivers what comes in a pipe, the pipe, and its receipt.
fn sending_in_a_pipe(desk: &Desk) -> (Child, ChildStdin, BufReader<ChildStdout>) {
    let arguments = ["deliver", "-", "--from", "coa", "--format", "csv"];
    let mut sender = desk.command(&arguments).stdin(Stdio::piped()).spawn().unwrap();
    let to = sender.stdin.take().unwrap();
    let receipt = BufReader::new(sender.stdout.take().unwrap());
    (sender, to, receipt)
}

/// A row of such a delivery.
fn row(number: usize) -> String {
    format!("{},GM0599,2025-03-03,regular,1\n", uuid(number))
}

#[test]
fn a_ledger_that_is_open_elsewhere_is_refused_and_can_be_copied() {
    let desk = Desk::with_ledger();
    let (mut holder, mut to, mut receipt) = sending_in_a_pipe(&desk);
    // More than one group, so that the first is committed while the pipe stays open.
    let mut line = String::new();
    let (size, rest) = std::thread::scope(|scope| {
        let feeder = scope.spawn(move || {
            to.write_all(format!("{PLACEMENTS}\n").as_bytes()).unwrap();
            (0..6_000).for_each(|number| to.write_all(row(number).as_bytes()).unwrap());
            to
        });
        receipt.read_line(&mut line).unwrap();
        receipt.read_line(&mut line).unwrap();
        assert!(line.contains("-,2,recorded,"), "{line}");
        let drain = scope.spawn(move || receipt.lines().map(Result::unwrap).count());
        for typed in [QUESTION, "export", "verify --repair", "deliver quota.jsonl --from coa"] {
            let ran = desk.run(typed).expect(2).says("is in use by another process; stop that first");
            assert_eq!(ran.out, "", "{typed}");
        }
        // The writer goes on while the copy is made.
        let mut to = feeder.join().unwrap();
        let writer =
            scope.spawn(move || (6_000..20_000).for_each(|it| to.write_all(row(it).as_bytes()).unwrap()));
        let saved = desk.run("backup saved").expect(0).out;
        let size: u64 = saved.split(' ').next().unwrap().replace(',', "").parse().unwrap();
        writer.join().unwrap();
        (size, drain.join().unwrap())
    });
    assert!(holder.wait().unwrap().success());
    assert!(size >= 4 + 4_096, "{size}");
    assert_eq!(rest, 20_000 - 1);
    desk.run("restore saved --ledger restored").expect(0);
    desk.run("verify --ledger restored").expect(0);
    // The copy is the beginning of what the ledger is now.
    let (copy, now) = (desk.run("export --ledger restored").expect(0).out, desk.run("export").expect(0).out);
    assert!(now.starts_with(&copy) && copy.lines().count() as u64 >= size);
}

#[test]
fn who_pauses_in_a_pipe_gets_the_receipts_of_what_was_sent() {
    let desk = Desk::with_ledger();
    let (mut sender, mut to, receipts) = sending_in_a_pipe(&desk);
    std::thread::scope(|scope| {
        // Two whole groups, and then nothing until the last receipt of them is there. A row of the third stands behind them,
        // since the reader knows the end of a row by the beginning of the next.
        let feeder = scope.spawn(move || {
            to.write_all(format!("{PLACEMENTS}\n").as_bytes()).unwrap();
            (0..8_193).for_each(|number| to.write_all(row(number).as_bytes()).unwrap());
            to
        });
        let mut receipts = receipts.lines().map(Result::unwrap).skip(1);
        let last = receipts.by_ref().take(8_192).last().unwrap();
        assert!(last.contains("-,8193,recorded,"), "{last}");
        drop(feeder.join().unwrap());
        assert_eq!(receipts.count(), 1);
    });
    assert!(sender.wait().unwrap().success());
}
