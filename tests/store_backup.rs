//! The machine is gone and a backup is all there is. It was made while deliveries came in, by copying files that grew
//! meanwhile; it must hold every entry that was acknowledged before it began, and open as a ledger like any other.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use peildatum::store::{StoreError, backup, restore, verify};

use crate::folders::{change, contents};
use crate::store_ledger::{Ledger, existing, line, open, read};

#[test]
fn a_backup_gives_the_ledger_back() {
    let ledger = Ledger::usual();
    let folder = tempfile::tempdir().unwrap();
    let (kept, again) = (folder.path().join("kept"), folder.path().join("again"));
    let head = backup(&ledger.dir(), &kept).unwrap();
    assert_eq!(head.size, ledger.lines.len() as u64);
    assert_eq!(restore(&kept, &again).unwrap(), head);
    let opened = open(&again, &existing()).unwrap();
    assert_eq!(opened.notes.len(), 1, "the events are built: {:?}", opened.notes);
    assert!(read(&opened.store, 0, head.size) == ledger.lines);
    drop(opened);
    assert!(verify(&again, &mut |_, _| None, &mut |_| ()).unwrap().is_whole());
}

#[test]
fn what_is_restored_from_a_read_only_backup_can_be_written_to() {
    let ledger = Ledger::usual();
    let folder = tempfile::tempdir().unwrap();
    let (kept, again) = (folder.path().join("kept"), folder.path().join("again"));
    backup(&ledger.dir(), &kept).unwrap();
    let read_only = |path: &std::path::PathBuf| fs::metadata(path).unwrap().permissions().readonly();
    for path in contents(&kept).keys() {
        let mut permissions = fs::metadata(path).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(path, permissions).unwrap();
    }
    restore(&kept, &again).unwrap();
    assert!(contents(&kept).keys().all(read_only) && !contents(&again).keys().any(read_only));
}

#[test]
fn backups_made_while_a_writer_appends_hold_all_that_was_acknowledged_before() {
    let mut ledger = Ledger::new(&[1]);
    let dir = ledger.dir();
    let folder = tempfile::tempdir().unwrap();
    let (acknowledged, backups) = (AtomicU64::new(1), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut store = open(&dir, &existing()).unwrap().store;
            // Until enough backups were made, and no fewer than some commits.
            let mut commits = 0;
            while commits < 40 || backups.load(Ordering::SeqCst) < 5 {
                ledger.append(&mut store, 1 + commits % 90);
                acknowledged.store(store.head().size, Ordering::SeqCst);
                commits += 1;
            }
        });
        for at in 0..5 {
            let before = acknowledged.load(Ordering::SeqCst);
            let kept = folder.path().join(format!("kept-{at}"));
            let made = backup(&dir, &kept).map(|head| head.size);
            // Counted before anything can fail, so that the writer comes to an end.
            backups.fetch_add(1, Ordering::SeqCst);
            assert!(made.unwrap() >= before);
            let opened = open(&kept, &existing()).unwrap();
            let size = opened.store.head().size;
            assert!(size >= before);
            let expected: Vec<_> = (0..size as usize).map(line).collect();
            assert!(read(&opened.store, 0, size) == expected);
        }
    });
    ledger.check_whole();
}

#[test]
fn nothing_is_written_over() {
    let ledger = Ledger::usual();
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    backup(&ledger.dir(), &kept).unwrap();
    let before = contents(&kept);
    assert!(matches!(backup(&ledger.dir(), &kept), Err(StoreError::NotEmpty { .. })));
    assert!(matches!(restore(&kept, &ledger.dir()), Err(StoreError::NotEmpty { .. })));
    assert!(contents(&kept) == before);
    assert_eq!(ledger.check_whole(), []);
}

#[test]
fn what_is_damaged_or_no_backup_is_refused() {
    let ledger = Ledger::usual();
    let folder = tempfile::tempdir().unwrap();
    let to = |name: &str| folder.path().join(name);
    assert!(matches!(backup(&to("absent"), &to("a")), Err(StoreError::NoLedger { .. })));
    assert!(matches!(restore(&to("absent"), &to("a")), Err(StoreError::NoLedger { .. })));

    let broken = ledger.copy();
    change(&broken.journal_files()[1], |bytes| bytes[80] ^= 1);
    assert!(matches!(backup(&broken.dir(), &to("b")), Err(StoreError::Short { .. })));
    assert!(matches!(open(&to("b"), &existing()), Err(StoreError::NotALedger { .. })));

    let lost = ledger.copy();
    fs::remove_file(lost.dir().join("checkpoint")).unwrap();
    assert!(matches!(backup(&lost.dir(), &to("c")), Err(StoreError::CheckpointLost { .. })));
}
