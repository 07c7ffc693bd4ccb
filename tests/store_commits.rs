//! A program is killed at any moment: between two commits, in the middle of one, between the journal and the
//! checkpoint, or before sled wrote anything out. What was acknowledged is there afterwards, all of it; what was not is
//! there wholly or not at all.

use std::fs;

use peildatum::store::{Lines, Note, StoreError};
use proptest::prelude::*;

use crate::store_ledger::{Ledger, close, existing, line, open, options, read};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Commits of any size, with an unclean stop after some of them, against a plain list of lines.
    #[test]
    fn any_commits_read_back_as_they_were_appended(
        commits in prop::collection::vec((prop_oneof![1usize..4, 100usize..700, 1usize..40], any::<bool>()), 1..24),
    ) {
        let mut ledger = Ledger::new(&[]);
        let mut store = open(&ledger.dir(), &existing()).unwrap().store;
        for (size, stop) in commits {
            ledger.append(&mut store, size);
            if stop {
                drop(store);
                let opened = open(&ledger.dir(), &existing()).unwrap();
                prop_assert_eq!(opened.notes, vec![]);
                store = opened.store;
            }
        }
        let size = ledger.lines.len();
        for from in (0..size).step_by(1 + size / 40) {
            prop_assert_eq!(&store.get(from as u64).unwrap(), &ledger.lines[from]);
            let to = (from * 7 + 13).min(size).max(from);
            prop_assert!(read(&store, from as u64, to as u64) == ledger.lines[from..to]);
        }
        drop(store);
        prop_assert_eq!(ledger.check_whole(), vec![]);
    }
}

#[test]
fn single_lines_are_packed_and_every_one_is_found() {
    let mut ledger = Ledger::new(&[]);
    let mut store = open(&ledger.dir(), &existing()).unwrap().store;
    for _ in 0..1_100 {
        ledger.append(&mut store, 1);
    }
    for (position, line) in ledger.lines.iter().enumerate() {
        assert_eq!(store.get(position as u64).unwrap(), *line);
    }
    store.close().unwrap();
    let db = sled::open(ledger.dir().join("events")).unwrap();
    assert_eq!(db.len(), 8 + 1_100 - 8 * 128, "eight packed frames and the rest one by one");
    close(db, &ledger.dir().join("events"));
    assert_eq!(ledger.check_whole(), []);
}

#[test]
fn empty_lines_and_very_long_ones_are_lines_like_others() {
    let mut ledger = Ledger::new(&[1]);
    let mut store = open(&ledger.dir(), &existing()).unwrap().store;
    let long = line(7).repeat(10_000);
    let mut lines = Lines::new();
    for line in [b"".as_slice(), b"short", &long, b"", b"\0\xff not text", &long] {
        lines.push(line);
        ledger.lines.push(line.to_vec());
    }
    store.append(1, &lines).unwrap();
    drop(store);
    assert_eq!(ledger.check_whole(), []);
}

#[test]
fn a_commit_without_lines_changes_nothing() {
    let ledger = Ledger::new(&[2]);
    let mut store = open(&ledger.dir(), &existing()).unwrap().store;
    assert_eq!(store.append(2, &Lines::new()).unwrap(), store.head());
    drop(store);
    assert_eq!(ledger.check_whole(), []);
}

#[test]
fn an_append_at_another_size_is_refused_and_the_next_one_is_not() {
    let mut ledger = Ledger::new(&[3]);
    let mut store = open(&ledger.dir(), &existing()).unwrap().store;
    for expected in [0, 2, 4, u64::MAX] {
        let error = store.append(expected, &[b"late"].iter().collect()).unwrap_err();
        assert!(matches!(error, StoreError::WrongSize { size: 3, .. }), "{error}");
    }
    ledger.append(&mut store, 1);
    drop(store);
    ledger.check_whole();
}

#[test]
fn a_line_that_is_too_long_is_refused_and_nothing_is_written() {
    let ledger = Ledger::new(&[3]);
    let mut store = open(&ledger.dir(), &existing()).unwrap().store;
    let lines: Lines = [vec![b'x'; 10], vec![b'x'; 16 * 1024 * 1024]].iter().collect();
    let error = store.append(3, &lines).unwrap_err();
    assert!(matches!(error, StoreError::LineTooLong { index: 1, .. }), "{error}");
    drop(store);
    assert_eq!(ledger.check_whole(), []);
}

#[test]
fn positions_outside_the_ledger_are_refused() {
    let ledger = Ledger::new(&[3]);
    let store = open(&ledger.dir(), &existing()).unwrap().store;
    assert!(matches!(store.get(3), Err(StoreError::OutOfRange { position: 3, size: 3 })));
    for (from, to) in [(0, 4), (2, 1), (4, 4)] {
        let error = store.read(from, to, &mut |_, _| Ok(())).unwrap_err();
        assert!(matches!(error, StoreError::OutOfRange { .. }), "{error}");
    }
    assert!(read(&store, 3, 3).is_empty());
}

#[test]
fn a_visitor_that_stops_is_told_where() {
    let ledger = Ledger::new(&[3]);
    let store = open(&ledger.dir(), &existing()).unwrap().store;
    let error = store.read(0, 3, &mut |at, _| {
        if at == 1 { Err("no".into()) } else { Ok(()) }
    });
    assert!(matches!(error, Err(StoreError::Visit { position: 1, .. })));
}

/// A ledger as it was before its last commit, with the journal as it is after it.
fn before_and_after(last: usize) -> (Ledger, Ledger, usize) {
    let mut after = Ledger::new(&[5, 1, 9]);
    let before = after.copy();
    let written = fs::read(&before.journal_files()[0]).unwrap().len();
    let mut store = open(&after.dir(), &options()).unwrap().store;
    after.append(&mut store, last);
    drop(store);
    (before, after, written)
}

#[test]
fn a_commit_that_was_interrupted_at_any_byte_never_happened() {
    let (before, after, written) = before_and_after(3);
    let journal = fs::read(&after.journal_files()[0]).unwrap();
    for cut in written..journal.len() {
        let torn = before.copy();
        fs::write(&torn.journal_files()[0], &journal[..cut]).unwrap();
        let notes = torn.check_whole();
        match notes.as_slice() {
            [] => assert_eq!(cut, written),
            [note @ Note::TailCut { bytes, size: 15, kept_as, .. }] => {
                assert_eq!(*bytes, (cut - written) as u64);
                assert!(fs::read(torn.dir().join(kept_as)).unwrap() == journal[written..cut]);
                assert_eq!(
                    note.to_string(),
                    format!(
                        "journal/00000000000000000000.journal ended in a commit that is not whole, as after a crash; \
                         its last {bytes} bytes, from byte {written} on, were set aside as \
                         journal/00000000000000000000.journal.damaged-1; the ledger holds 15 entries"
                    )
                );
            }
            other => panic!("cut at {cut}: {other:?}"),
        }
        assert_eq!(torn.check_whole(), []);
    }
}

#[test]
fn of_an_interrupted_commit_not_even_its_whole_frames_count() {
    let (before, after, written) = before_and_after(1_100);
    let journal = fs::read(&after.journal_files()[0]).unwrap();
    for cut in (written..journal.len()).step_by((journal.len() - written) / 9) {
        let mut torn = before.copy();
        fs::write(&torn.journal_files()[0], &journal[..cut]).unwrap();
        assert_eq!(torn.check_whole().len(), usize::from(cut > written));
        let mut store = open(&torn.dir(), &existing()).unwrap().store;
        torn.append(&mut store, 2);
        drop(store);
        assert_eq!(torn.check_whole(), []);
    }
    // Its pages may reach the disk in any order: the end is there and the beginning is not.
    let torn = before.copy();
    let mut holed = journal.clone();
    holed[written..written + 100].fill(0);
    fs::write(&torn.journal_files()[0], &holed).unwrap();
    assert!(matches!(torn.check_whole().as_slice(), [Note::TailCut { .. }]));
}

#[test]
fn events_that_are_behind_a_torn_journal_get_what_was_whole_and_no_more() {
    let (before, after, written) = before_and_after(1_100);
    let journal = fs::read(&after.journal_files()[0]).unwrap();
    // Within the first frame of the interrupted commit, and behind it.
    for cut in [written + 40, written + (journal.len() - written) / 2 + 100] {
        let torn = before.copy();
        fs::write(&torn.journal_files()[0], &journal[..cut]).unwrap();
        fs::remove_dir_all(torn.dir().join("events")).unwrap();
        let notes = torn.check_whole();
        assert!(
            matches!(notes.as_slice(), [Note::EventsRebuilt { .. }, Note::TailCut { size: 15, .. }]),
            "{notes:?}"
        );
        assert_eq!(torn.check_whole(), []);
    }
}

#[test]
fn a_commit_that_is_whole_in_the_journal_alone_is_kept() {
    let (before, after, _) = before_and_after(3);
    fs::copy(&after.journal_files()[0], &before.journal_files()[0]).unwrap();
    let kept = Ledger { folder: before.folder, ..after };
    let notes = kept.check_healed();
    assert_eq!(
        notes,
        [Note::EventsBehind { had: 15, size: 18 }, Note::CheckpointBehind { had: 15, size: 18 }]
    );
}

#[test]
fn a_checkpoint_that_lags_loses_nothing() {
    let (before, after, _) = before_and_after(3);
    fs::copy(before.dir().join("checkpoint"), after.dir().join("checkpoint")).unwrap();
    assert_eq!(after.check_healed(), [Note::CheckpointBehind { had: 15, size: 18 }]);
}

#[test]
fn a_journal_that_lost_its_end_with_a_lagging_checkpoint_gets_it_from_the_events() {
    let (before, after, _) = before_and_after(3);
    for name in ["checkpoint", "journal/00000000000000000000.journal"] {
        fs::copy(before.dir().join(name), after.dir().join(name)).unwrap();
    }
    let notes = after.check_healed();
    assert!(matches!(notes[0], Note::JournalRewritten { from: 15, size: 18, .. }), "{notes:?}");
}

#[test]
fn after_a_failed_write_the_handle_does_nothing_more() {
    let mut ledger = Ledger::new(&[3]);
    let mut store = open(&ledger.dir(), &options()).unwrap().store;
    ledger.append(&mut store, 100);
    // The journal's folder goes away, so that the next file cannot be made.
    let (journal, away) = (ledger.dir().join("journal"), ledger.dir().join("journal-away"));
    fs::rename(&journal, &away).unwrap();
    fs::write(&journal, "").unwrap();
    let one: Lines = ["one"].iter().collect();
    assert!(matches!(store.append(103, &one), Err(StoreError::Io { .. })));
    assert!(matches!(store.append(103, &one), Err(StoreError::Poisoned)));
    assert!(matches!(store.get(0), Err(StoreError::Poisoned)));
    assert!(matches!(store.close(), Err(StoreError::Poisoned)));
    fs::remove_file(&journal).unwrap();
    fs::rename(&away, &journal).unwrap();
    assert_eq!(ledger.check_whole(), []);
}

/// While small frames are packed into one under a reader, it gives each entry once.
#[test]
fn who_reads_while_others_write_gets_each_entry_once() {
    let mut ledger = Ledger::new(&[]);
    let mut store = open(&ledger.dir(), &existing()).unwrap().store;
    let reader = store.reader();
    let written = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !written.load(std::sync::atomic::Ordering::Relaxed) {
                let (size, mut next) = (reader.head().size, 0);
                let read = reader.read(0, size, &mut |position, _| {
                    assert_eq!(position, next, "each once, in order");
                    next += 1;
                    Ok(())
                });
                read.unwrap();
                assert_eq!(next, size);
            }
        });
        for _ in 0..1_500 {
            ledger.append(&mut store, 1);
        }
        written.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    drop(reader);
    store.close().unwrap();
}
