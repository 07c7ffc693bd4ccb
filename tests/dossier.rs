//! Whatever is changed in a dossier, it no longer proves anything.

use std::io::{Cursor, Read, Write};
use std::sync::LazyLock;

use peildatum::book::statement::Reading;
use peildatum::domain::area::Area;
use peildatum::domain::time::ReferenceDate;
use peildatum::ledger::KnownAt;
use peildatum::proof::content::ContentHash;
use peildatum::proof::note::{Note, SignerKey};
use peildatum::report::dossier::{self, Checked, DossierFault};
use peildatum::store::Access;
use proptest::prelude::*;
use proptest::sample::Index;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::ledger_history::{day, fill, open};

/// Name and bytes of every member.
type Members = Vec<(String, Vec<u8>)>;

/// A dossier over a small ledger, and its key.
struct Good {
    bytes: Vec<u8>,
    members: Members,
    key: SignerKey,
}

static GOOD: LazyLock<Good> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut ledger, _) = open(&dir.path().join("ledger"), Access::CreateIfAbsent).expect("a ledger");
    fill(&mut ledger, 90);
    let key = SignerKey::new("peildatum.example/test".parse().expect("a name"), [7; 32]);
    let signed = ledger.give_key(&key, None).expect("a key");
    let as_of = ledger.as_of(ReferenceDate(day("2026-05-01")), KnownAt::Now).expect("now");
    let area: Area = "GM0002".parse().expect("a code");
    let mut bytes = Cursor::new(Vec::new());
    let entries = dossier::write(&ledger, area, as_of, Reading::OldestFirst, &signed, &key, &mut bytes);
    let entries = entries.expect("a dossier");
    assert!(entries > 20 && entries < ledger.size().0, "it holds {entries} entries, and not all");
    let bytes = bytes.into_inner();
    let members = members(&bytes).expect("an archive");
    Good { bytes, members, key }
});

fn members(bytes: &[u8]) -> Option<Members> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let all = (0..archive.len()).map(|index| {
        let mut member = archive.by_index(index).ok()?;
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).ok()?;
        let name = member.name().ok()?.into_owned();
        Some((name, bytes))
    });
    all.collect()
}

fn archive(members: &Members) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        archive.start_file(name.as_str(), options).expect("a member");
        archive.write_all(bytes).expect("its bytes");
    }
    archive.finish().expect("an archive").into_inner()
}

fn check(bytes: &[u8]) -> Result<Checked, DossierFault> {
    dossier::check(&|| Ok(Cursor::new(bytes)), GOOD.key.verifier())
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

#[test]
fn what_was_written_is_accepted_however_it_is_packed() {
    let checked = check(&GOOD.bytes).expect("it is good");
    assert_eq!(checked.answer.statement.area.code.to_string(), "GM0002");
    check(&archive(&GOOD.members)).expect("the same members");
}

#[test]
fn what_lies_beside_the_members_or_has_the_name_of_one_is_refused() {
    let refused = |bytes: &[u8]| match check(bytes) {
        Err(DossierFault::Refused(said)) => assert!(said.starts_with("its members are not"), "{said}"),
        other => panic!("{other:?}"),
    };
    refused(&[b"<html>", &GOOD.bytes[..]].concat());
    refused(&[&GOOD.bytes[..], &[b'x'; 64]].concat());
    // The page of somebody else stands first, under the name that the right one has as well.
    let mut twice = GOOD.members.clone();
    twice.insert(6, ("page.htm_".to_owned(), b"another standing".to_vec()));
    let mut bytes = archive(&twice);
    while let Some(at) = bytes.windows(9).position(|it| it == b"page.htm_") {
        bytes[at + 8] = b'l';
    }
    refused(&bytes);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_bit_that_is_flipped_in_any_member_is_noticed(member in 0..8_usize, at in any::<Index>(), bit in 0..8_u8) {
        let mut members = GOOD.members.clone();
        let bytes = &mut members[member].1;
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let (name, _) = &members[member];
        prop_assert!(check(&archive(&members)).is_err(), "bit {} of byte {} of {}", bit, at, name);
    }

    #[test]
    fn a_bit_that_is_flipped_in_the_file_is_noticed_or_changes_no_member(at in any::<Index>(), bit in 0..8_u8) {
        let mut bytes = GOOD.bytes.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if check(&bytes).is_ok() {
            let found = members(&bytes);
            prop_assert_eq!(found.as_ref(), Some(&GOOD.members), "bit {} of byte {}", bit, at);
        }
    }

    #[test]
    fn an_entry_that_is_dropped_doubled_or_moved_is_noticed(
        one in any::<Index>(),
        other in any::<Index>(),
        how in 0..4_u8,
        with_its_proof in any::<bool>(),
    ) {
        let mut members = GOOD.members.clone();
        let touched = if with_its_proof { 4..6 } else { 4..5 };
        for (_, bytes) in &mut members[touched] {
            let mut all = lines(bytes);
            let (one, other) = (one.index(all.len()), other.index(all.len()));
            match how {
                0 => drop(all.remove(one)),
                1 => all.insert(other, all[one].clone()),
                2 => all.swap(one, other),
                _ => all[one] = all[other].clone(),
            }
            *bytes = all.concat();
        }
        prop_assume!(members != GOOD.members);
        // The number of entries is said to fit, so that it is not that which gives it away.
        let count = lines(&members[4].1).len();
        let manifest = String::from_utf8(members[0].1.clone()).expect("JSON");
        let (head, _) = manifest.rsplit_once(':').expect("the number of entries comes last");
        members[0].1 = format!("{head}:{count}}}").into_bytes();
        prop_assert!(check(&archive(&members)).is_err());
        // Also when who keeps the ledger does it and seals it anew, as far as any figure rests on that entry.
        reseal(&mut members);
        match check(&archive(&members)) {
            Err(DossierFault::Refused(said)) => prop_assert!(!said.contains("seal"), "{}", said),
            Err(DossierFault::Unreadable(said)) => prop_assert!(false, "{}", said),
            Ok(checked) => prop_assert!(how == 0 && with_its_proof, "{} entries", checked.entries),
        }
    }

    #[test]
    fn a_figure_that_is_changed_is_noticed_under_a_seal_that_fits(
        member in prop::sample::select(vec![0_usize, 2, 3, 6]),
        at in any::<Index>(),
        digit in b'0'..=b'9',
    ) {
        let mut members = GOOD.members.clone();
        let bytes = &mut members[member].1;
        let digits: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at].is_ascii_digit()).collect();
        let at = digits[at.index(digits.len())];
        prop_assume!(bytes[at] != digit);
        bytes[at] = digit;
        reseal(&mut members);
        let said = match check(&archive(&members)) {
            Ok(_) => String::new(),
            Err(fault) => fault.to_string(),
        };
        prop_assert!(!said.is_empty() && !said.contains("seal"), "{:?}", said);
    }
}

/// Seals a dossier as its ledger would.
fn reseal(members: &mut Members) {
    let seal = Note::parse(&members[7].1).expect("a seal");
    let head: String = seal.text().lines().take(2).flat_map(|line| [line, "\n"]).collect();
    let hashes = members[..7].iter().map(|(name, bytes)| format!("{}  {name}\n", ContentHash::of(bytes)));
    let mut seal = Note::new(head + &hashes.collect::<String>());
    seal.add(GOOD.key.sign(seal.text()));
    members[7].1 = seal.to_string().into_bytes();
}
