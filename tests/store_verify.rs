//! An auditor wants to know whether a ledger is whole, and where it is not, before anybody mends anything. Verifying
//! must find every kind of damage, name the place, and leave each byte as it was.

use std::fs;

use peildatum::store::{Finding, Place, Remedy, Verification, verify};

use crate::folders::{change, contents};
use crate::store_ledger::{Ledger, close, existing, frames, open, root};

/// Verifies, and checks that no byte of the directory changed.
fn look(ledger: &Ledger) -> Verification {
    let before = contents(&ledger.dir());
    let seen = verify(&ledger.dir(), &mut |_, _| None, &mut |_| ()).unwrap();
    assert!(contents(&ledger.dir()) == before, "verifying changed something");
    seen
}

fn one(ledger: &Ledger) -> Finding {
    let seen = look(ledger);
    assert_eq!(seen.findings.len(), 1, "{:?}", seen.findings);
    seen.findings[0].clone()
}

#[test]
fn a_whole_ledger_has_no_findings() {
    let ledger = Ledger::usual();
    let mut last = 0;
    let seen = verify(&ledger.dir(), &mut |_, _| None, &mut |at| last = at).unwrap();
    assert!(seen.is_whole());
    assert_eq!((seen.size, seen.root), (ledger.lines.len() as u64, root(&ledger.lines)));
    assert_eq!(last, seen.size);
    assert!(look(&ledger).is_whole());
}

#[test]
fn a_flipped_byte_in_the_journal_is_named_with_its_file_and_frame() {
    let ledger = Ledger::usual();
    let file = &ledger.journal_files()[1];
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let offset = frames(&fs::read(file).unwrap())[0].len();
    change(file, |bytes| bytes[offset + 70] ^= 1);
    let finding = one(&ledger);
    assert_eq!(finding.place, Place::Journal { file: name.clone(), offset: offset as u64 });
    assert_eq!(finding.remedy, Remedy::VerifyRepair);
    let text = finding.to_string();
    assert!(text.starts_with(&format!("journal/{name} at byte {offset}: ")), "{text}");
    assert!(text.ends_with("from the one that is whole"), "{text}");
}

#[test]
fn a_lost_journal_file_is_named() {
    let ledger = Ledger::usual();
    fs::remove_file(&ledger.journal_files()[1]).unwrap();
    let Place::Journal { file, .. } = one(&ledger).place else { panic!("elsewhere") };
    assert_eq!(file, ledger.journal_files()[1].file_name().unwrap().to_str().unwrap());
    let ledger = Ledger::usual();
    fs::remove_file(ledger.journal_files().pop().unwrap()).unwrap();
    assert_eq!(one(&ledger).place, Place::JournalEnd);
}

#[test]
fn a_damaged_frame_of_the_events_is_named_with_its_key() {
    let ledger = Ledger::new(&[600, 600]);
    let db = sled::open(ledger.dir().join("events")).unwrap();
    let mut frame = db.get(512u64.to_be_bytes()).unwrap().unwrap().to_vec();
    frame[70] ^= 1;
    db.insert(512u64.to_be_bytes(), frame).unwrap();
    close(db, &ledger.dir().join("events"));
    let finding = one(&ledger);
    assert_eq!(finding.place, Place::Events { key: 512 });
    assert_eq!(finding.positions, 512..1_200);
    assert_eq!(finding.remedy, Remedy::VerifyRepair);
}

#[test]
fn a_forged_entry_is_found_in_its_frame() {
    // Another line of the same length, with a checksum that fits: only the hashes and the other copy tell.
    let lines = ["aaaaaaaa", "bbbbbbbb", "cccccccc"];
    let ledger = Ledger::new(&[]);
    let mut store = open(&ledger.dir(), &existing()).unwrap().store;
    for (at, line) in lines.iter().enumerate() {
        store.append(at as u64, &[line].into_iter().collect()).unwrap();
    }
    store.close().unwrap();
    let db = sled::open(ledger.dir().join("events")).unwrap();
    let mut frame = db.get(1u64.to_be_bytes()).unwrap().unwrap().to_vec();
    frame[64..72].copy_from_slice(b"forgery!");
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&frame[..60]);
    hasher.update(&frame[64..]);
    frame[60..64].copy_from_slice(&hasher.finalize().to_be_bytes());
    db.insert(1u64.to_be_bytes(), frame).unwrap();
    close(db, &ledger.dir().join("events"));
    let seen = look(&ledger);
    assert_eq!(seen.size, 3);
    assert_eq!(seen.findings.len(), 2, "{:?}", seen.findings);
    assert!(seen.findings.iter().all(|finding| finding.place == Place::Events { key: 1 }));
    assert_eq!(seen.findings[1].positions, 1..2);
}

#[test]
fn a_lost_copy_is_named_and_the_other_is_proven() {
    let ledger = Ledger::usual();
    fs::remove_dir_all(ledger.dir().join("events")).unwrap();
    assert_eq!(one(&ledger).place, Place::AllEvents);
    let ledger = Ledger::usual();
    fs::remove_dir_all(ledger.dir().join("journal")).unwrap();
    let seen = look(&ledger);
    assert_eq!(seen.findings[0].place, Place::JournalEnd);
    assert_eq!(seen.size, ledger.lines.len() as u64);
}

#[test]
fn a_checkpoint_that_is_gone_or_lags_is_named() {
    let ledger = Ledger::usual();
    let old = fs::read(ledger.dir().join("checkpoint")).unwrap();
    fs::remove_file(ledger.dir().join("checkpoint")).unwrap();
    let finding = one(&ledger);
    assert_eq!((finding.place, finding.remedy), (Place::Checkpoint, Remedy::Reopen));
    let mut ledger = Ledger::usual();
    let mut store = open(&ledger.dir(), &existing()).unwrap().store;
    ledger.append(&mut store, 2);
    store.close().unwrap();
    fs::write(ledger.dir().join("checkpoint"), old).unwrap();
    let finding = one(&ledger);
    assert_eq!((finding.place, finding.remedy), (Place::Checkpoint, Remedy::Reopen));
}

#[test]
fn damage_in_both_copies_asks_for_a_backup() {
    let ledger = Ledger::usual();
    change(&ledger.journal_files()[0], |bytes| bytes[70] ^= 1);
    fs::remove_dir_all(ledger.dir().join("events")).unwrap();
    let seen = look(&ledger);
    assert_eq!(seen.findings.len(), 2);
    assert!(seen.findings.iter().all(|finding| finding.remedy == Remedy::Restore));
}
