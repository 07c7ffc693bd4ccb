//! A disk goes bad, somebody restores half a directory, an editor saves the wrong file: bytes of a ledger change, go
//! missing or come back in another order. sled answers that by opening empty, by opening short or by a panic, and in
//! all cases by rewriting what it found. As long as one copy holds what the checkpoint states, opening gives exactly
//! the acknowledged lines and says what it healed; otherwise it refuses, says what repairs it, and touches nothing.

use std::fs;

use peildatum::store::{Note, Remedy, StoreError, repair};

use crate::folders::{change, contents};
use crate::store_ledger::{Ledger, close, existing, frames, open};

fn remedy_of(error: &StoreError) -> Remedy {
    match error {
        StoreError::Short { remedy, .. }
        | StoreError::Differs { remedy, .. }
        | StoreError::CheckpointLost { remedy, .. }
        | StoreError::Damaged { remedy, .. } => *remedy,
        other => panic!("not about damage: {other}"),
    }
}

/// Refused, with this remedy, and with every file as it was.
fn check_refused(ledger: &Ledger, remedy: Remedy) {
    let before = contents(&ledger.dir());
    let error = ledger.refusal();
    assert_eq!(remedy_of(&error), remedy, "{error}");
    assert!(error.to_string().contains("peildatum "), "{error}");
    assert!(contents(&ledger.dir()) == before, "something was changed: {error}");
}

#[test]
fn a_flipped_byte_in_the_journal_is_healed_from_the_events() {
    let ledger = Ledger::usual();
    for (at, file) in ledger.journal_files().iter().enumerate() {
        let length = fs::metadata(file).unwrap().len() as usize;
        for offset in (0..length).step_by(length / 9).chain([length - 1]) {
            let broken = ledger.copy();
            change(&broken.journal_files()[at], |bytes| bytes[offset] ^= 0x10);
            let notes = broken.check_healed();
            assert!(
                matches!(notes.as_slice(), [Note::JournalRewritten { kept_as, .. }] if !kept_as.is_empty()),
                "{notes:?}"
            );
        }
    }
}

#[test]
fn a_journal_file_cut_short_is_healed_from_the_events() {
    let ledger = Ledger::usual();
    for at in 0..ledger.journal_files().len() {
        for part in [0, 1, 3, 7] {
            let broken = ledger.copy();
            change(&broken.journal_files()[at], |bytes| bytes.truncate(bytes.len() * part / 8));
            assert!(matches!(broken.check_healed().as_slice(), [Note::JournalRewritten { .. }]));
        }
        let broken = ledger.copy();
        fs::remove_file(&broken.journal_files()[at]).unwrap();
        assert!(matches!(broken.check_healed().as_slice(), [Note::JournalRewritten { .. }]));
    }
    let broken = ledger.copy();
    fs::remove_dir_all(broken.dir().join("journal")).unwrap();
    assert!(matches!(broken.check_healed().as_slice(), [Note::JournalRewritten { from: 0, .. }]));
}

/// Ways to put whole frames in the wrong places.
fn misplacements(all: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut ways = Vec::new();
    for at in [0, 1, all.len() - 2] {
        let (mut dropped, mut swapped, mut twice) = (all.to_vec(), all.to_vec(), all.to_vec());
        dropped.remove(at);
        swapped.swap(at, at + 1);
        twice.insert(at, all[at].clone());
        ways.extend([dropped.concat(), swapped.concat(), twice.concat()]);
    }
    ways
}

#[test]
fn frames_of_the_journal_in_the_wrong_places_are_healed_from_the_events() {
    let ledger = Ledger::usual();
    for (at, file) in ledger.journal_files().iter().enumerate().take(2) {
        for way in misplacements(&frames(&fs::read(file).unwrap())) {
            let broken = ledger.copy();
            fs::write(&broken.journal_files()[at], way).unwrap();
            broken.check_healed();
        }
    }
}

#[test]
fn damage_before_later_commits_is_never_taken_for_a_torn_end() {
    // The checkpoint lags far behind, as after a power cut, and so claims nothing about the damaged place.
    let ledger = Ledger::new(&[2]);
    let mut grown = ledger.copy();
    let mut store = open(&grown.dir(), &existing()).unwrap().store;
    (0..6).for_each(|_| grown.append(&mut store, 1));
    drop(store);
    fs::copy(ledger.dir().join("checkpoint"), grown.dir().join("checkpoint")).unwrap();
    let all = frames(&fs::read(&grown.journal_files()[0]).unwrap());
    let start = all[..3].concat().len();
    change(&grown.journal_files()[0], |bytes| bytes[start + 70] ^= 1);
    let without_events = grown.copy();
    fs::remove_dir_all(without_events.dir().join("events")).unwrap();
    check_refused(&without_events, Remedy::Restore);
    assert!(matches!(grown.check_healed()[0], Note::JournalRewritten { .. }));
}

#[test]
fn bytes_behind_a_file_that_is_not_the_last_are_never_taken_for_a_torn_end() {
    // The last file holds a single entry, and the checkpoint does not know of it.
    let ledger = Ledger::new(&[2]);
    let mut grown = ledger.copy();
    let mut store = open(&grown.dir(), &existing()).unwrap().store;
    while grown.journal_files().len() < 2 {
        grown.append(&mut store, 1);
    }
    drop(store);
    fs::copy(ledger.dir().join("checkpoint"), grown.dir().join("checkpoint")).unwrap();
    change(&grown.journal_files()[0], |bytes| bytes.extend_from_slice(b"PEIL and then something else"));
    let without_events = grown.copy();
    fs::remove_dir_all(without_events.dir().join("events")).unwrap();
    check_refused(&without_events, Remedy::Restore);
    assert!(matches!(grown.check_healed()[0], Note::JournalRewritten { .. }));
}

#[test]
fn a_torn_end_with_nothing_beside_it_is_not_chosen_for_a_lost_checkpoint() {
    let ledger = Ledger::usual();
    let last = ledger.journal_files().len() - 1;
    change(&ledger.journal_files()[last], |bytes| bytes.truncate(bytes.len() - 1));
    fs::remove_file(ledger.dir().join("checkpoint")).unwrap();
    fs::remove_dir_all(ledger.dir().join("events")).unwrap();
    check_refused(&ledger, Remedy::Restore);
    assert_eq!(remedy_of(&repair(&ledger.dir()).unwrap_err()), Remedy::Restore);
}

#[test]
fn older_events_beside_a_journal_that_was_rewritten_are_built_again() {
    let mut ledger = Ledger::new(&[5, 1, 8]);
    let older = ledger.copy();
    let mut store = open(&ledger.dir(), &existing()).unwrap().store;
    ledger.append(&mut store, 4);
    store.close().unwrap();
    fs::remove_dir_all(ledger.dir().join("journal")).unwrap();
    assert!(matches!(ledger.check_healed().as_slice(), [Note::JournalRewritten { .. }]));
    // Now one frame holds all 18 entries, and none ends after 14.
    let (other, (_, theirs)) = (ledger.copy(), strangers());
    take(&older, "events", &ledger);
    assert!(matches!(ledger.check_healed().as_slice(), [Note::EventsRebuilt { kept_as: Some(_), .. }]));
    take(&theirs, "events", &other);
    assert!(matches!(other.refusal(), StoreError::Differs { .. }));
}

#[test]
fn events_that_are_gone_are_built_again() {
    let ledger = Ledger::usual();
    let gone = ledger.copy();
    fs::remove_dir_all(gone.dir().join("events")).unwrap();
    assert!(matches!(gone.check_healed().as_slice(), [Note::EventsRebuilt { kept_as: None, .. }]));
    let emptied = ledger.copy();
    fs::remove_dir_all(emptied.dir().join("events")).unwrap();
    fs::create_dir(emptied.dir().join("events")).unwrap();
    assert!(matches!(emptied.check_healed().as_slice(), [Note::EventsRebuilt { .. }]));
}

#[test]
fn every_file_of_the_events_may_be_cut_short() {
    let ledger = Ledger::usual();
    for path in contents(&ledger.dir().join("events")).keys() {
        let name = path.strip_prefix(ledger.dir()).unwrap();
        for part in [0, 1, 2, 4, 7] {
            let broken = ledger.copy();
            change(&broken.dir().join(name), |bytes| bytes.truncate(bytes.len() * part / 8));
            broken.check_whole();
        }
        let broken = ledger.copy();
        fs::remove_file(broken.dir().join(name)).unwrap();
        broken.check_whole();
    }
}

#[test]
fn a_flipped_byte_in_the_events_never_loses_an_entry() {
    let ledger = Ledger::usual();
    for (path, bytes) in contents(&ledger.dir().join("events")) {
        let name = path.strip_prefix(ledger.dir()).unwrap();
        // sled's file is mostly empty: the bytes that mean something are looked for.
        let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
        for offset in used.iter().step_by(1 + used.len() / 40) {
            let broken = ledger.copy();
            change(&broken.dir().join(name), |bytes| bytes[*offset] ^= 0x10);
            broken.check_whole();
        }
    }
}

#[test]
fn zeroed_stretches_in_the_events_never_lose_an_entry() {
    let ledger = Ledger::usual();
    let length = fs::metadata(ledger.dir().join("events/db")).unwrap().len() as usize;
    for start in [0, 20, 512, 4_096, 10_000] {
        let broken = ledger.copy();
        let zeroed = start..(start + 4_096).min(length);
        change(&broken.dir().join("events/db"), |bytes| bytes[zeroed].fill(0));
        broken.check_whole();
    }
}

#[test]
fn frames_of_the_events_in_the_wrong_places_are_built_again() {
    let ledger = Ledger::new(&[600, 600, 600]);
    for way in 0..4 {
        let broken = ledger.copy();
        let db = sled::open(broken.dir().join("events")).unwrap();
        let all: Vec<_> = db.iter().map(Result::unwrap).collect();
        let ((second, two), (third, three)) = (&all[1], &all[2]);
        match way {
            0 => drop(db.remove(second).unwrap()),
            1 => drop((db.insert(second, three).unwrap(), db.insert(third, two).unwrap())),
            2 => drop(db.insert(513u64.to_be_bytes(), two).unwrap()),
            _ => drop(db.insert(second, &two[..two.len() - 1]).unwrap()),
        }
        close(db, &broken.dir().join("events"));
        assert!(matches!(broken.check_healed().as_slice(), [Note::EventsRebuilt { kept_as: Some(_), .. }]));
        assert!(broken.dir().join("events.damaged-1/db").exists(), "the evidence is kept");
    }
}

#[test]
fn a_snapshot_left_half_written_by_sled_does_not_block_the_ledger() {
    let ledger = Ledger::usual();
    fs::write(ledger.dir().join("events/snap.0000.generating"), "half").unwrap();
    assert!(matches!(ledger.check_healed().as_slice(), [Note::LeftoverRemoved { .. }]));
}

#[test]
fn a_damaged_checkpoint_is_written_again_when_both_copies_agree() {
    let ledger = Ledger::usual();
    let length = fs::read(ledger.dir().join("checkpoint")).unwrap().len();
    for offset in (0..length).step_by(7) {
        let broken = ledger.copy();
        change(&broken.dir().join("checkpoint"), |bytes| bytes[offset] ^= 0x01);
        assert!(matches!(broken.check_healed().as_slice(), [Note::CheckpointRewritten { .. }]));
        let broken = ledger.copy();
        change(&broken.dir().join("checkpoint"), |bytes| bytes.truncate(offset));
        assert!(matches!(broken.check_healed().as_slice(), [Note::CheckpointRewritten { .. }]));
    }
    fs::remove_file(ledger.dir().join("checkpoint")).unwrap();
    assert!(matches!(ledger.check_healed().as_slice(), [Note::CheckpointRewritten { .. }]));
}

#[test]
fn a_lost_checkpoint_and_one_lost_copy_wait_for_an_explicit_repair() {
    for lost in ["events", "journal"] {
        let ledger = Ledger::usual();
        fs::remove_file(ledger.dir().join("checkpoint")).unwrap();
        fs::remove_dir_all(ledger.dir().join(lost)).unwrap();
        check_refused(&ledger, Remedy::VerifyRepair);
        let notes = repair(&ledger.dir()).unwrap();
        assert!(matches!(notes[0], Note::CheckpointChosen { .. }), "{notes:?}");
        assert_eq!(ledger.check_whole(), []);
    }
}

#[test]
fn a_ledger_that_lost_everything_is_not_an_empty_ledger() {
    for keep_checkpoint in [true, false] {
        let ledger = Ledger::usual();
        fs::remove_dir_all(ledger.dir().join("events")).unwrap();
        fs::remove_dir_all(ledger.dir().join("journal")).unwrap();
        if !keep_checkpoint {
            fs::remove_file(ledger.dir().join("checkpoint")).unwrap();
        }
        check_refused(&ledger, Remedy::Restore);
        assert_eq!(remedy_of(&repair(&ledger.dir()).unwrap_err()), Remedy::Restore);
    }
}

#[test]
fn damage_in_both_copies_is_refused_and_changes_nothing() {
    let ledger = Ledger::usual();
    for (at, file) in ledger.journal_files().iter().enumerate() {
        let length = fs::metadata(file).unwrap().len() as usize;
        for offset in (0..length).step_by(length / 4) {
            let broken = ledger.copy();
            change(&broken.journal_files()[at], |bytes| bytes[offset] ^= 0x10);
            fs::remove_dir_all(broken.dir().join("events")).unwrap();
            check_refused(&broken, Remedy::Restore);
        }
    }
    // Both cut short at the same, sound place: they agree with each other and are both wrong.
    let short = Ledger::new(&[5, 1]);
    let mut long = short.copy();
    let mut store = open(&long.dir(), &existing()).unwrap().store;
    long.append(&mut store, 4);
    store.close().unwrap();
    fs::copy(long.dir().join("checkpoint"), short.dir().join("checkpoint")).unwrap();
    check_refused(&short, Remedy::Restore);
}

/// Two ledgers of the same size and with other entries.
fn strangers() -> (Ledger, Ledger) {
    let ours = Ledger::new(&[5, 9]);
    let theirs = Ledger::new(&[]);
    let mut store = open(&theirs.dir(), &existing()).unwrap().store;
    store.append(0, &["theirs"; 14].iter().collect()).unwrap();
    store.close().unwrap();
    (ours, theirs)
}

fn take(from: &Ledger, name: &str, to: &Ledger) {
    fs::remove_dir_all(to.dir().join(name)).unwrap();
    crate::folders::copy_dir(&from.dir().join(name), &to.dir().join(name));
}

#[test]
fn a_sound_copy_of_another_ledger_is_refused_and_gives_way_in_a_repair() {
    for name in ["events", "journal"] {
        let (ours, theirs) = strangers();
        take(&theirs, name, &ours);
        assert!(matches!(ours.refusal(), StoreError::Differs { .. }));
        assert_eq!(remedy_of(&ours.refusal()), Remedy::VerifyRepair);
        let notes = repair(&ours.dir()).unwrap();
        assert!(matches!(&notes[0], Note::SetAside { kept_as, .. } if kept_as.len() == 1), "{notes:?}");
        assert_eq!(ours.check_whole(), []);
    }
    let (ours, theirs) = strangers();
    take(&theirs, "events", &ours);
    take(&theirs, "journal", &ours);
    assert_eq!(remedy_of(&ours.refusal()), Remedy::Restore);
}

#[test]
fn a_repair_of_a_whole_ledger_does_nothing() {
    let ledger = Ledger::usual();
    assert_eq!(repair(&ledger.dir()).unwrap(), [Note::NothingToRepair]);
    assert_eq!(ledger.check_whole(), []);
}
