//! A mistyped directory, a second program, a directory of a later version: the store says what it found and leaves
//! everything as it is. The worst answer would be a new, empty ledger that looks like the old one.

use std::fs;

use peildatum::store::{Access, Lines, Options, Store, StoreError, repair, verify};

use crate::folders::{change, contents};
use crate::store_ledger::{Ledger, existing, open, options};

#[test]
fn a_ledger_that_is_in_use_is_refused_to_everybody_else() {
    let ledger = Ledger::usual();
    let store = open(&ledger.dir(), &existing()).unwrap().store;
    assert!(matches!(ledger.refusal(), StoreError::InUse { .. }));
    assert!(matches!(verify(&ledger.dir(), &mut |_, _| None, &mut |_| ()), Err(StoreError::InUse { .. })));
    assert!(matches!(repair(&ledger.dir()), Err(StoreError::InUse { .. })));
    drop(store);
    assert_eq!(ledger.check_whole(), []);
}

#[test]
fn a_deleted_lock_lets_nobody_in_while_the_ledger_is_open() {
    let mut ledger = Ledger::usual();
    let mut store = open(&ledger.dir(), &existing()).unwrap().store;
    ledger.append(&mut store, 2);
    fs::remove_file(ledger.dir().join("lock")).unwrap();
    assert!(matches!(ledger.refusal(), StoreError::InUse { .. }));
    assert!(matches!(verify(&ledger.dir(), &mut |_, _| None, &mut |_| ()), Err(StoreError::InUse { .. })));
    assert!(matches!(repair(&ledger.dir()), Err(StoreError::InUse { .. })));
    ledger.append(&mut store, 2);
    drop(store);
    assert_eq!(ledger.check_whole(), []);
    assert!(!ledger.dir().join("events.damaged-1").exists());
}

#[test]
fn a_journal_that_somebody_else_writes_to_gets_nothing_more() {
    let mut ledger = Ledger::new(&[3]);
    let mut store = open(&ledger.dir(), &existing()).unwrap().store;
    ledger.append(&mut store, 1);
    let file = &ledger.journal_files()[0];
    change(file, |bytes| bytes.extend_from_slice(b"theirs"));
    let theirs = fs::read(file).unwrap();
    let one: Lines = ["one"].iter().collect();
    assert!(matches!(store.append(4, &one), Err(StoreError::Damaged { .. })));
    assert!(matches!(store.append(4, &one), Err(StoreError::Poisoned)));
    assert!(fs::read(file).unwrap() == theirs);
}

#[test]
fn a_ledger_that_must_exist_is_not_begun() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent");
    for dir in [absent.as_path(), folder.path()] {
        let error = Store::open(dir, &existing(), &mut |_, _| Ok(())).unwrap_err();
        assert!(matches!(error, StoreError::NoLedger { .. }), "{error}");
    }
    assert!(contents(folder.path()).is_empty() && !absent.exists());
}

#[test]
fn a_directory_with_something_else_in_it_is_not_a_ledger() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "words").unwrap();
    for access in [Access::MustExist, Access::CreateIfAbsent] {
        let options = Options { access, ..options() };
        let error = Store::open(folder.path(), &options, &mut |_, _| Ok(())).unwrap_err();
        assert!(matches!(error, StoreError::NotALedger { .. }), "{error}");
        assert_eq!(contents(folder.path()).len(), 1, "nothing is left behind in it");
    }
    let ledger = Ledger::usual();
    fs::remove_file(ledger.dir().join("FORMAT")).unwrap();
    assert!(matches!(ledger.refusal(), StoreError::NotALedger { .. }));
}

#[test]
fn another_format_is_refused_by_name() {
    let ledger = Ledger::usual();
    fs::write(ledger.dir().join("FORMAT"), "peildatum format 2\n").unwrap();
    let error = ledger.refusal();
    assert!(error.to_string().contains("peildatum format 2"), "{error}");
    fs::write(ledger.dir().join("FORMAT"), "peildatum format 1").unwrap();
    let error = ledger.refusal().to_string();
    assert!(
        error.contains(r#""peildatum format 1""#) && error.contains(r#""peildatum format 1\n""#),
        "{error}"
    );
}

#[test]
fn a_beginning_that_was_interrupted_is_begun_again() {
    let ledger = Ledger::new(&[]);
    fs::rename(ledger.dir().join("FORMAT"), ledger.dir().join("FORMAT.tmp")).unwrap();
    fs::remove_dir_all(ledger.dir().join("events")).unwrap();
    let opened = open(&ledger.dir(), &options()).unwrap();
    assert_eq!(opened.notes, []);
    drop(opened);
    assert_eq!(ledger.check_whole(), []);
}

#[test]
fn only_folders_that_were_left_half_made_are_removed() {
    let ledger = Ledger::new(&[1]);
    let (notes, left) = (ledger.dir().join("copy-of-events-notes"), ledger.dir().join("copy-of-events-x"));
    fs::write(&notes, "mine").unwrap();
    fs::create_dir(&left).unwrap();
    assert_eq!(ledger.check_healed().len(), 1);
    assert!(notes.exists() && !left.exists());
}

#[test]
fn a_visitor_that_refuses_an_entry_stops_the_opening() {
    let ledger = Ledger::usual();
    let visit = &mut |at: u64, _: &[u8]| {
        if at == 3 { Err("no such event".to_owned()) } else { Ok(()) }
    };
    let error = Store::open(&ledger.dir(), &existing(), visit).unwrap_err();
    assert_eq!(error.to_string(), "entry 3 was read as it was written but cannot be used: no such event");
    assert_eq!(ledger.check_whole(), []);
}
