//! The snapshot makes opening fast, and nothing rests on it: whatever happens to it, a ledger answers the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::folders::{change, contents, copy_dir};
use crate::ledger_history::{answers, fill, offer, open, placement};
use peildatum::decide::command::Command;
use peildatum::decide::refusal::Refusal;
use peildatum::ledger::{Offered, verify};
use peildatum::store::{Access, Finding, Note, Place, Remedy, repair};
use tempfile::TempDir;

/// A ledger with two segments and a part of a third, closed, and what it answered.
struct Long {
    folder: TempDir,
    answers: Vec<String>,
}

fn long() -> &'static Long {
    static LONG: OnceLock<Long> = OnceLock::new();
    LONG.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let (mut ledger, notes) = open(&folder.path().join("ledger"), Access::CreateIfAbsent).unwrap();
        assert_eq!(notes, []);
        fill(&mut ledger, 135_000);
        let answers = answers(&ledger);
        ledger.close().unwrap();
        Long { folder, answers }
    })
}

/// A copy of the long ledger, to be changed.
struct Copy(TempDir);

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_dir(&long().folder.path().join("ledger"), &folder.path().join("ledger"));
        Self(folder)
    }

    fn dir(&self) -> PathBuf {
        self.0.path().join("ledger")
    }

    fn segment(&self, number: u64) -> PathBuf {
        self.dir().join(format!("snapshot/{:020}.segment", number * 65_536))
    }

    /// Opens, finds the same answers, and gives the notes.
    fn open(&self) -> Vec<Note> {
        let (ledger, notes) = open(&self.dir(), Access::MustExist).unwrap();
        assert!(answers(&ledger) == long().answers, "other answers than before");
        ledger.close().unwrap();
        notes
    }
}

/// A ledger with a segment, of another history.
fn another_ledger() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, _) = open(&folder.path().join("ledger"), Access::CreateIfAbsent).unwrap();
    let commands = (1_000_000..1_000_003).map(|number| (None, Command::RecordPlacement(placement(number))));
    offer(&mut ledger, commands);
    fill(&mut ledger, 66_000);
    ledger.close().unwrap();
    folder
}

fn segments(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = contents(&dir.join("snapshot")).into_iter();
    files.map(|(path, bytes)| (path.file_name().unwrap().to_string_lossy().into_owned(), bytes)).collect()
}

#[test]
fn a_ledger_opened_from_its_snapshot_answers_as_before() {
    let copy = Copy::new();
    assert_eq!(segments(&copy.dir()).len(), 2, "written as the log grew");
    assert_eq!(copy.open(), []);
}

#[test]
fn decisions_are_the_same_with_the_snapshot_and_without() {
    let decided = |copy: &Copy| {
        let (mut ledger, _) = open(&copy.dir(), Access::MustExist).unwrap();
        let mut other = placement(7);
        other.counts_from = other.counts_from.plus_days(1);
        let mut same_person = placement(500_000);
        same_person.person = placement(3).person;
        let commands = [
            (None, Command::RecordPlacement(placement(3))),
            (None, Command::RecordPlacement(placement(134_999))),
            (None, Command::RecordPlacement(other)),
            (None, Command::RecordPlacement(same_person)),
            (Some(10), Command::RecordPlacement(placement(10))),
            (Some(10), Command::RecordPlacement(placement(500_001))),
            (Some(134_990), Command::RecordPlacement(placement(134_990))),
        ];
        offer(&mut ledger, commands)
    };
    let (with, without) = (Copy::new(), Copy::new());
    fs::remove_dir_all(without.dir().join("snapshot")).unwrap();
    let decided = [decided(&with), decided(&without)];
    assert_eq!(decided[0], decided[1]);
    assert!(matches!(
        decided[0][..],
        [
            Ok(Offered::Known(_)),
            Ok(Offered::Known(_)),
            Err(Refusal::PlacementIdInUse(_)),
            Err(Refusal::PersonCountedAlready(_)),
            Ok(Offered::Known(_)),
            Err(Refusal::EventIdInUse(_)),
            Ok(Offered::Known(_)),
        ]
    ));
}

#[test]
fn without_a_snapshot_the_same_one_is_made_again() {
    let copy = Copy::new();
    let before = segments(&copy.dir());
    fs::remove_dir_all(copy.dir().join("snapshot")).unwrap();
    assert_eq!(copy.open(), []);
    assert!(segments(&copy.dir()) == before);
}

#[test]
fn a_segment_that_is_damaged_torn_or_of_another_version_is_thrown_away_and_made_again() {
    let whole = segments(&long().folder.path().join("ledger"));
    type Damage = fn(&mut Vec<u8>);
    let damages: [(u64, Damage); 7] = [
        (2, |bytes| bytes[7] += 1),
        (2, |bytes| bytes.truncate(1_000)),
        (2, Vec::clear),
        (1, |bytes| bytes[0] = b'X'),
        (1, |bytes| bytes[200_000] ^= 4),
        (1, |bytes| bytes.truncate(20)),
        (1, |bytes| bytes.push(0)),
    ];
    for (number, damage) in damages {
        let copy = Copy::new();
        change(&copy.segment(number), damage);
        let notes = copy.open();
        assert!(matches!(&notes[..], [Note::SnapshotThrownAway { .. }]), "{number}: {notes:?}");
        assert!(segments(&copy.dir()) == whole, "made again as it was");
        assert_eq!(copy.open(), []);
    }
}

#[test]
fn the_snapshot_of_another_ledger_is_thrown_away() {
    let other = another_ledger();
    let copy = Copy::new();
    fs::remove_dir_all(copy.dir().join("snapshot")).unwrap();
    copy_dir(&other.path().join("ledger/snapshot"), &copy.dir().join("snapshot"));
    let notes = copy.open();
    assert!(matches!(&notes[..], [Note::SnapshotThrownAway { .. }]), "{notes:?}");
    assert_eq!(copy.open(), []);
}

#[test]
fn a_missing_first_segment_makes_the_others_useless_and_no_more() {
    let copy = Copy::new();
    fs::remove_file(copy.segment(1)).unwrap();
    assert_eq!(copy.open(), []);
    assert_eq!(segments(&copy.dir()), segments(&long().folder.path().join("ledger")));
}

#[test]
fn what_is_healed_without_a_snapshot_is_healed_with_one() {
    type Damage = fn(&Path);
    type Healed = fn(&[Note]) -> bool;
    let damages: [(Damage, Healed); 4] = [
        (
            |dir| {
                let last = contents(&dir.join("journal")).into_keys().last().unwrap();
                change(&last, |bytes| bytes.extend_from_slice(b"PEIL and no more"));
            },
            |notes| matches!(notes, [Note::TailCut { .. }]),
        ),
        (
            |dir| fs::remove_dir_all(dir.join("events")).unwrap(),
            |notes| matches!(notes, [Note::EventsRebuilt { .. }]),
        ),
        (
            |dir| fs::remove_dir_all(dir.join("journal")).unwrap(),
            |notes| matches!(notes, [Note::SnapshotThrownAway { .. }, Note::JournalRewritten { .. }]),
        ),
        (
            |dir| {
                let first = contents(&dir.join("journal")).into_keys().next().unwrap();
                change(&first, |bytes| bytes[90_000] ^= 1);
            },
            |notes| matches!(notes, [Note::SnapshotThrownAway { .. }, Note::JournalRewritten { .. }]),
        ),
    ];
    for (damage, healed) in damages {
        let copy = Copy::new();
        damage(&copy.dir());
        let notes = copy.open();
        assert!(healed(&notes), "{notes:?}");
        assert_eq!(copy.open(), []);
    }
}

/// Puts the municipality of the first placement that is in short to another, as somebody would who knows the form.
fn tamper(bytes: &mut Vec<u8>) {
    // The roots of sixteen blocks, and the one subtree that they make.
    let head = 16 + 17 * 32;
    let short = bytes[head + 4..bytes.len() - 4].to_vec();
    let mut short = zstd::bulk::decompress(&short, 1 << 26).unwrap();
    let code = short.windows(2).rposition(|it| it == 1_u16.to_be_bytes()).unwrap();
    short[code + 1] = 2;
    bytes.truncate(head + 4);
    bytes.extend_from_slice(&zstd::bulk::compress(&short, 1).unwrap());
    let sum = crc32fast::hash(bytes);
    bytes.extend_from_slice(&sum.to_be_bytes());
}

#[test]
fn a_segment_that_was_tampered_with_is_found_and_repaired() {
    let copy = Copy::new();
    assert!(verify(&copy.dir(), &mut |_| {}).unwrap().is_whole());
    // With the right trees and checksum, and a day later for somebody. The first 64 bytes are no trees yet.
    change(&copy.segment(1), tamper);
    let verified = verify(&copy.dir(), &mut |_| {}).unwrap();
    assert!(
        matches!(
            &verified.findings[..],
            [Finding { place: Place::Snapshot { .. }, remedy: Remedy::VerifyRepair, .. }]
        ),
        "{:?}",
        verified.findings
    );
    assert!(matches!(&repair(&copy.dir()).unwrap()[..], [Note::SnapshotThrownAway { .. }]));
    assert_eq!(copy.open(), []);
    assert!(verify(&copy.dir(), &mut |_| {}).unwrap().is_whole());
}

#[test]
fn an_older_segment_before_a_good_one_is_not_taken_for_the_ledger() {
    let other = another_ledger();
    let copy = Copy::new();
    let name = copy.segment(1).file_name().unwrap().to_owned();
    fs::copy(other.path().join("ledger/snapshot").join(name), copy.segment(1)).unwrap();
    let notes = copy.open();
    assert!(matches!(&notes[..], [Note::SnapshotThrownAway { .. }]), "{notes:?}");
    assert_eq!(copy.open(), []);
}

#[test]
fn a_segment_that_cannot_be_removed_does_not_stop_the_opening() {
    let copy = Copy::new();
    fs::remove_file(copy.segment(2)).unwrap();
    fs::create_dir(copy.segment(2)).unwrap();
    let notes = copy.open();
    assert!(notes.iter().all(|it| matches!(it, Note::SnapshotThrownAway { .. })), "{notes:?}");
    assert!(!notes.is_empty());
}
