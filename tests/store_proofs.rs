//! Proofs out of a store that is larger than its blocks, beside the naive ones; and what a ledger signs, whatever happened
//! to its files since.

use std::fs;

use peildatum::proof::checkpoint::SignedCheckpoint;
use peildatum::proof::consistency::verify_consistency;
use peildatum::proof::inclusion::{self, verify_inclusion};
use peildatum::proof::merkle::{Hash, Tree, leaf_hash};
use peildatum::proof::note::SignerKey;
use peildatum::store::{
    Place, Reader, SigningError, StoreError, add_witness, backup, restore, root_of_journal, verifier_key,
    verify,
};
use proptest::prelude::*;

use crate::folders::{change, contents, copy_dir};
use crate::store_ledger::{Ledger, close, existing, open, root};
use crate::witness::Witness;

pub fn key() -> SignerKey {
    SignerKey::new("peildatum.example/ledger".parse().unwrap(), [7; 32])
}

/// Does something with the reader of a ledger.
fn reading<T>(ledger: &Ledger, with: impl FnOnce(&Reader) -> T) -> T {
    let opened = open(&ledger.dir(), &existing()).unwrap();
    let result = with(&opened.store.reader());
    opened.store.close().unwrap();
    result
}

/// A ledger with a key, which signed all it has.
fn signed() -> (Ledger, SignedCheckpoint) {
    let ledger = Ledger::usual();
    let signed = reading(&ledger, |reader| reader.give_key(&key(), None).unwrap());
    (ledger, signed)
}

#[test]
fn proofs_are_made_across_blocks_and_read_no_entry_twice() {
    // Four full blocks of 4,096 entries and a part of a fifth.
    let ledger = Ledger::new(&[9_000, 8_000, 1]);
    let leaves: Vec<_> = ledger.lines.iter().map(|line| leaf_hash(line)).collect();
    let naive = |from: u64, to: u64| {
        let mut tree = Tree::new();
        leaves[from as usize..to as usize].iter().for_each(|leaf| tree.push(*leaf));
        tree.root()
    };
    reading(&ledger, |reader| {
        for size in [1, 2, 4_095, 4_096, 4_097, 8_192, 12_289, 16_384, 16_385, 17_001] {
            let mut subtrees = reader.subtrees(size).unwrap();
            assert_eq!(subtrees.root(), naive(0, size));
            let asked = [0, 1, 4_095, 4_096, 8_191, 8_192, 12_288, size / 2, size - 1];
            for index in asked.into_iter().filter(|index| *index < size) {
                let proven = subtrees.inclusion(index).unwrap();
                let parts = inclusion::path(index, size);
                let expected: Vec<Hash> = parts.into_iter().map(|part| naive(part.start, part.end)).collect();
                assert_eq!((proven.index, proven.leaf), (index, leaves[index as usize]));
                assert_eq!(proven.path, expected, "{index} of {size}");
                assert!(verify_inclusion(proven.leaf, index, size, naive(0, size), &proven.path));
            }
            assert!(matches!(subtrees.inclusion(size), Err(StoreError::OutOfRange { .. })));
            for old in [1, 4_096, 5_000, 8_192, 12_288, size].into_iter().filter(|old| *old <= size) {
                let (old_root, path) = subtrees.consistency(old).unwrap();
                assert_eq!(old_root, naive(0, old));
                assert!(verify_consistency(old, old_root, size, naive(0, size), &path), "{old} to {size}");
            }
        }
        assert!(matches!(reader.subtrees(17_002), Err(StoreError::OutOfRange { .. })));
        assert_eq!(reader.subtrees(0).unwrap().root(), Tree::new().root());
    });
}

#[test]
fn an_entry_that_changed_under_our_hands_is_not_proven() {
    let (ledger, _) = signed();
    let opened = open(&ledger.dir(), &existing()).unwrap();
    let reader = opened.store.reader();
    let size = ledger.lines.len() as u64;
    reader.subtrees(size).unwrap().inclusion(3).unwrap();
    opened.store.close().unwrap();
    drop(reader);
    // A forged frame whose checksum is right, in the copy that is read.
    forge_in_events(&ledger);
    let opened = open(&ledger.dir(), &existing()).unwrap();
    let proven = opened.store.reader().subtrees(size).unwrap().inclusion(3);
    assert!(matches!(proven, Err(StoreError::Damaged { .. })), "{proven:?}");
}

/// Changes a byte of an entry in the first frame of the events, with the checksum that belongs to it.
fn forge_in_events(ledger: &Ledger) {
    let db = sled::open(ledger.dir().join("events")).unwrap();
    let (at, value) = db.first().unwrap().unwrap();
    let count = u32::from_be_bytes(value[16..20].try_into().unwrap()) as usize;
    let mut lines = ledger.lines[..count].to_vec();
    lines[3][20] ^= 1;
    let raw: Vec<u8> = lines.iter().flat_map(|line| [&line[..], b"\n"].concat()).collect();
    let mut frame = value[..64].to_vec();
    frame[5] = 0;
    frame[20..24].copy_from_slice(&(raw.len() as u32).to_be_bytes());
    frame[24..28].copy_from_slice(&(raw.len() as u32).to_be_bytes());
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&frame[..60]);
    hasher.update(&raw);
    frame[60..64].copy_from_slice(&hasher.finalize().to_be_bytes());
    frame.extend_from_slice(&raw);
    db.insert(at, frame).unwrap();
    close(db, &ledger.dir().join("events"));
}

#[test]
fn a_ledger_signs_what_it_holds_and_the_same_again() {
    let (mut ledger, first) = signed();
    assert_eq!((first.head().size, first.head().root), (ledger.tree.size(), ledger.tree.root()));
    let again = reading(&ledger, |reader| reader.sign(&key()).unwrap());
    assert_eq!(again, first);
    let mut store = open(&ledger.dir(), &existing()).unwrap().store;
    ledger.append(&mut store, 5);
    let second = store.reader().sign(&key()).unwrap();
    store.close().unwrap();
    assert_eq!(second.head().size, first.head().size + 5);
    let public = verifier_key(&ledger.dir()).unwrap().unwrap();
    for checkpoint in [&first, &second] {
        assert!(SignedCheckpoint::verify(checkpoint.to_string().as_bytes(), &public).is_ok());
    }
    // Given out only when it lies in the folder.
    let kept = fs::read_to_string(ledger.dir().join("signed-checkpoint")).unwrap();
    assert_eq!(kept, second.to_string());
}

#[test]
fn nothing_is_signed_that_does_not_extend_what_was_signed_last() {
    let (ledger, signed) = signed();
    let refusal = |ledger: &Ledger| reading(ledger, |reader| reader.sign(&key()).unwrap_err());
    let keys = ["signing-key", "verifier-key", "signed-checkpoint"];

    // The log was put back to what it was before.
    let shorter = Ledger::new(&[40]);
    // The log has as many entries and more, of which one is another.
    let differs = Ledger::new(&[]);
    let mut store = open(&differs.dir(), &existing()).unwrap().store;
    let mut lines = ledger.lines.clone();
    lines[7].push(b' ');
    lines.push(b"{}".to_vec());
    store.append(0, &lines.iter().collect()).unwrap();
    store.close().unwrap();
    for name in keys {
        for forged in [&shorter, &differs] {
            fs::copy(ledger.dir().join(name), forged.dir().join(name)).unwrap();
        }
    }
    let size = signed.head().size;
    assert!(matches!(refusal(&shorter), SigningError::Shorter { signed, size: 40 } if signed == size));
    let differing = reading(&differs, |reader| reader.sign(&key()).unwrap_err());
    assert!(matches!(differing, SigningError::Differs { .. }), "{differing}");

    // Somebody took away what was signed last, or changed it.
    let lost = ledger.copy();
    fs::remove_file(lost.dir().join("signed-checkpoint")).unwrap();
    assert!(matches!(refusal(&lost), SigningError::LastLost(_)));
    let length = signed.to_string().len();
    for at in (0..length).step_by(9) {
        let changed = ledger.copy();
        change(&changed.dir().join("signed-checkpoint"), |bytes| bytes[at] ^= 1);
        assert!(matches!(refusal(&changed), SigningError::LastLost(_)), "byte {at}");
    }
    for broken in [&shorter, &differs, &lost] {
        assert!(reading(broken, |reader| reader.sign(&key()).unwrap_err()).is_broken());
    }
    // Whoever verifies is told as well.
    for broken in [&shorter, &differs, &lost] {
        let seen = verify(&broken.dir(), &mut |_, _| None, &mut |_| ()).unwrap();
        let places: Vec<_> = seen.findings.iter().map(|finding| &finding.place).collect();
        assert_eq!(places, [&Place::SignedCheckpoint], "{:?}", seen.findings);
    }
    // And nothing was signed meanwhile.
    assert_eq!(reading(&ledger, |reader| reader.sign(&key()).unwrap()), signed);
}

#[test]
fn a_backup_holds_what_was_signed_and_not_the_secret() {
    let (ledger, signed) = signed();
    let witness = Witness::new("witness.example/w1");
    add_witness(&ledger.dir(), &witness.verifier().parse().unwrap()).unwrap();
    let cosigned = format!("{signed}{}", witness.cosign(signed.note().text(), 1_775_000_000));
    reading(&ledger, |reader| reader.accept(cosigned.as_bytes()).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (kept, again) = (folder.path().join("kept"), folder.path().join("again"));
    backup(&ledger.dir(), &kept).unwrap();
    let secret = key().secret();
    let holds_secret = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).contains(&secret);
    assert!(contents(&ledger.dir()).values().any(holds_secret));
    assert!(!contents(&kept).values().any(holds_secret));
    restore(&kept, &again).unwrap();
    let opened = open(&again, &existing()).unwrap();
    let reader = opened.store.reader();
    assert!(matches!(reader.own_secret(), Err(SigningError::NoSecret(_))));
    let again = reader.sign(&key()).unwrap();
    assert_eq!(again.to_string(), cosigned, "with the secret from elsewhere");

    // A backup of a ledger that lost what it signed would hide that.
    let shorter = Ledger::new(&[40]);
    for name in ["verifier-key", "signed-checkpoint"] {
        fs::copy(ledger.dir().join(name), shorter.dir().join(name)).unwrap();
    }
    let made = backup(&shorter.dir(), &folder.path().join("shorter"));
    assert!(matches!(made, Err(StoreError::Differs { .. })), "{made:?}");
}

/// What somebody does to a log who can write to every file of it, and knows its format.
#[derive(Clone, Debug)]
enum Forgery {
    Change(usize, usize),
    Drop(usize),
    Swap(usize, usize),
    Insert(usize),
    Cut(usize),
}

impl Forgery {
    fn apply(&self, lines: &mut Vec<Vec<u8>>) {
        let length = lines.len();
        match *self {
            Self::Change(at, byte) => {
                let line = &mut lines[at % length];
                let byte = byte % line.len();
                // A newline would end the entry.
                line[byte] = if line[byte] == b'x' { b'y' } else { b'x' };
            }
            Self::Drop(at) => drop(lines.remove(at % length)),
            Self::Swap(one, other) => lines.swap(one % length, other % length),
            Self::Insert(at) => lines.insert(at % (length + 1), b"{}".to_vec()),
            Self::Cut(to) => lines.truncate(to % length),
        }
    }
}

fn any_forgery() -> impl Strategy<Value = Forgery> {
    prop_oneof![
        (any::<usize>(), any::<usize>()).prop_map(|(at, byte)| Forgery::Change(at, byte)),
        any::<usize>().prop_map(Forgery::Drop),
        (any::<usize>(), any::<usize>()).prop_map(|(one, other)| Forgery::Swap(one, other)),
        any::<usize>().prop_map(Forgery::Insert),
        any::<usize>().prop_map(Forgery::Cut),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Journal, events and checkpoint are forged alike, so that the ledger itself finds nothing.
    #[test]
    fn a_log_that_was_written_again_is_not_the_one_that_was_signed(forgery in any_forgery()) {
        let lines: Vec<_> = (0..150).map(crate::store_ledger::line).collect();
        let mut forged = lines.clone();
        forgery.apply(&mut forged);
        prop_assume!(forged != lines);
        let ledger = Ledger::new(&[]);
        let mut store = open(&ledger.dir(), &existing()).unwrap().store;
        for part in forged.chunks(40) {
            store.append(store.head().size, &part.iter().collect()).unwrap();
        }
        store.close().unwrap();
        prop_assert!(verify(&ledger.dir(), &mut |_, _| None, &mut |_| ()).unwrap().is_whole());
        // An entry behind the last one that was signed is no forgery.
        let appended = matches!(forgery, Forgery::Insert(_)) && forged[..150] == lines[..];
        let found = root_of_journal(&ledger.dir(), 150, &mut |_| ()).unwrap();
        prop_assert_eq!(found.root == Some(root(&lines)), appended);
    }

    /// One bit of one file changes.
    #[test]
    fn a_flipped_bit_in_the_journal_is_noticed(file in any::<usize>(), at in any::<usize>(), bit in 0_u8..8) {
        let ledger = usual();
        let folder = tempfile::tempdir().unwrap();
        copy_dir(&ledger.dir(), folder.path());
        let name = ledger.journal_files()[file % ledger.journal_files().len()].clone();
        let copy = folder.path().join("journal").join(name.file_name().unwrap());
        change(&copy, |bytes| {
            let at = at % bytes.len();
            bytes[at] ^= 1_u8 << bit;
        });
        let size = ledger.lines.len() as u64;
        let found = root_of_journal(folder.path(), size, &mut |_| ());
        prop_assert!(found.is_err() || found.unwrap().root != Some(ledger.tree.root()));
    }

    /// In the events, where the database may mend what it does not need: whatever it then gives is what was signed, or is
    /// found.
    #[test]
    fn a_flipped_bit_in_the_events_is_noticed_or_changes_no_entry(at in any::<usize>(), bit in 0_u8..8) {
        let ledger = usual();
        let folder = tempfile::tempdir().unwrap();
        copy_dir(&ledger.dir(), folder.path());
        change(&folder.path().join("events/db"), |bytes| {
            let at = at % bytes.len();
            bytes[at] ^= 1_u8 << bit;
        });
        let seen = verify(folder.path(), &mut |_, _| None, &mut |_| ()).unwrap();
        if seen.is_whole() {
            let opened = open(folder.path(), &existing()).unwrap();
            let lines = crate::store_ledger::read(&opened.store, 0, ledger.lines.len() as u64);
            prop_assert!(lines == ledger.lines);
        }
    }
}

fn usual() -> &'static Ledger {
    static USUAL: std::sync::OnceLock<Ledger> = std::sync::OnceLock::new();
    USUAL.get_or_init(Ledger::usual)
}

#[test]
fn a_forged_entry_in_the_events_is_noticed() {
    let (ledger, _) = signed();
    forge_in_events(&ledger);
    let seen = verify(&ledger.dir(), &mut |_, _| None, &mut |_| ()).unwrap();
    assert!(!seen.is_whole());
}

#[test]
fn the_journal_is_hashed_up_to_any_size_that_was_committed() {
    let ledger = usual();
    let mut tree = Tree::new();
    for (size, line) in (1..).zip(&ledger.lines) {
        tree.push(leaf_hash(line));
        let found = root_of_journal(&ledger.dir(), size, &mut |_| ()).unwrap();
        assert_eq!(found.root, Some(tree.root()), "{size}");
    }
    let beyond = root_of_journal(&ledger.dir(), tree.size() + 1, &mut |_| ()).unwrap();
    assert_eq!((beyond.size, beyond.root), (tree.size(), None));
    let none = root_of_journal(&ledger.dir(), 0, &mut |_| ()).unwrap();
    assert_eq!(none.root, Some(Tree::new().root()));
    // A file that is missing in the middle is named.
    let broken = ledger.copy();
    fs::remove_file(&broken.journal_files()[2]).unwrap();
    let error = root_of_journal(&broken.dir(), tree.size(), &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("are missing") && error.contains("peildatum verify"), "{error}");
}
