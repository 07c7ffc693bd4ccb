//! Signed notes, keys and checkpoints: the published examples, what they have in common with those of others, and everything
//! that must not pass for one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use peildatum::proof::checkpoint::{CheckpointFault, SignedCheckpoint, TreeHead};
use peildatum::proof::inclusion::EntryProof;
use peildatum::proof::merkle::{Hash, leaf_hash};
use peildatum::proof::note::{
    KeyId, KeyKind, Note, NoteFault, Signature, SignerKey, VerifierKey, verify_note,
};
use proptest::prelude::*;

use crate::witness::Witness;

// The examples of Go's sumdb/note, which C2SP signed-note was made from.
const PETER_SECRET: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const ENOCH: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const BY_PETER: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const BY_ENOCH: &str = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

/// The example of C2SP tlog-cosignature, whose keys are not published.
const BEHIND_THE_SOFA: &str = "example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
";

fn key(text: &str) -> VerifierKey {
    text.parse().unwrap()
}

#[test]
fn the_published_key_signs_the_published_note() {
    let peter: SignerKey = PETER_SECRET.parse().unwrap();
    assert_eq!(peter.verifier().to_string(), PETER);
    assert_eq!(peter.secret(), PETER_SECRET);
    assert!(!format!("{peter:?}").contains("AYEK"), "a secret is never printed by accident");
    let mut note = Note::new(TEXT.to_owned());
    note.add(peter.sign(TEXT));
    assert_eq!(note.to_string(), format!("{TEXT}\n{BY_PETER}"));
}

#[test]
fn a_note_counts_when_a_known_key_has_signed_it() {
    let both = format!("{TEXT}\n{BY_PETER}{BY_ENOCH}");
    let note = Note::parse(both.as_bytes()).unwrap();
    assert_eq!(note.to_string(), both);
    assert_eq!(note.text(), TEXT);
    let keys = [key(PETER), key(ENOCH)];
    for known in [&keys[..1], &keys[1..], &keys[..]] {
        let signed = note.verify(known).unwrap();
        assert_eq!(signed.iter().map(|it| it.by).collect::<Vec<_>>(), known.iter().collect::<Vec<_>>());
        assert!(signed.iter().all(|it| it.at.is_none()));
        assert_eq!(note.unknown(known).count(), 2 - known.len());
    }
    let theirs = Witness::new("witness.example/w1").verifier();
    assert!(
        matches!(note.verify(&[key(&theirs)]), Err(NoteFault::NotSigned(name)) if name.starts_with("witness"))
    );
    assert!(verify_note(both.as_bytes(), &keys[0]).is_ok());
    let other = both.replace("answer", "cause");
    assert!(matches!(verify_note(other.as_bytes(), &keys[0]), Err(NoteFault::Wrong { .. })));
    // A name that is known with another id is another key, which nobody here knows.
    let renamed = both.replace("— PeterNeumann x08g", "— PeterNeumann xxxx");
    assert!(matches!(verify_note(renamed.as_bytes(), &keys[0]), Err(NoteFault::NotSigned(_))));
}

#[test]
fn what_is_no_note_is_refused() {
    let signed = format!("{TEXT}\n{BY_PETER}");
    for wrong in [
        String::new(),
        TEXT.to_owned(),
        format!("{TEXT}\n"),
        signed.trim_end().to_owned(),
        format!("\x01{signed}"),
        signed.replace('\n', "\r\n"),
        format!("{signed}Another line.\n"),
        format!("{signed}\n"),
        format!("{TEXT}\n— Bad Name x08go/ZJkuBS\n"),
        format!("{TEXT}\n— a+b x08go/ZJkuBS\n"),
        format!("{TEXT}\n— PeterNeumann x08gow==\n"),
        format!("{TEXT}\n— PeterNeumann\n"),
        format!("{TEXT}\n— PeterNeumann not base64\n"),
        format!("{TEXT}\n{}", BY_PETER.repeat(101)),
        format!("{}{signed}", "x".repeat(1 << 20)),
    ] {
        assert!(matches!(Note::parse(wrong.as_bytes()), Err(NoteFault::Form(_))), "{wrong:?}");
    }
    assert!(matches!(Note::parse(b"\xff\n\n\xe2\x80\x94 a AAAAAAAA\n"), Err(NoteFault::Form(_))));
    // A text may hold empty lines, and a note sixteen signatures and more.
    let verse = format!("One.\n\nTwo.\n\n{}", BY_PETER.repeat(16));
    assert_eq!(Note::parse(verse.as_bytes()).unwrap().text(), "One.\n\nTwo.\n");
}

#[test]
fn a_key_that_was_changed_in_any_way_is_none() {
    for (text, is_secret) in [(PETER, false), (PETER_SECRET, true)] {
        let is_key = |text: &str| match is_secret {
            true => text.parse::<SignerKey>().is_ok(),
            false => text.parse::<VerifierKey>().is_ok(),
        };
        assert!(is_key(text));
        for from in 0..text.len() {
            for to in from..text.len() {
                assert!(from == 0 && to == text.len() || !is_key(&text[from..to]), "{from} to {to}");
            }
            let mut other = text.to_owned().into_bytes();
            other[from] += 1;
            assert!(!is_key(&String::from_utf8(other).unwrap()), "byte {from}");
        }
    }
    // A longer key and one of an unknown kind, each with the id that belongs to it.
    for wrong in [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ] {
        assert!(wrong.parse::<VerifierKey>().is_err());
    }
    let said = PETER_SECRET.parse::<VerifierKey>().unwrap_err().to_string();
    assert!(said.contains("is a secret key") && !said.contains("AYEK"), "{said}");
}

#[test]
fn the_published_checkpoint_is_read() {
    let checkpoint = SignedCheckpoint::parse(BEHIND_THE_SOFA.as_bytes()).unwrap();
    let head = checkpoint.head();
    assert_eq!((head.origin.as_str(), head.size), ("example.com/behind-the-sofa", 20_852_163));
    assert_eq!(checkpoint.to_string(), BEHIND_THE_SOFA);
    let by: Vec<_> = checkpoint.note().signatures().iter().map(|it| (it.name.as_str(), it.id)).collect();
    let [log, witness] = [KeyId([0x03, 0x3d, 0xe0, 0xae]), KeyId([0x8d, 0x66, 0xcf, 0x3f])];
    assert_eq!(by, [("example.com/behind-the-sofa", log), ("witness.example.com/w1", witness)]);
    // The time of the cosignature stands behind the id, as the specification prints it.
    assert_eq!(checkpoint.note().signatures()[1].bytes[..8], 1_679_315_147_u64.to_be_bytes());
}

#[test]
fn the_checkpoint_of_the_documentation_is_signed_by_its_key() {
    let page = include_str!("../docs/proofs.md");
    let section = page.split("\n## What is signed\n").nth(1).unwrap();
    let note = section.split("```\n").nth(1).unwrap();
    let key_text = section.split('`').find(|it| it.starts_with("peildatum.example/ledger+")).unwrap();
    assert_eq!(SignedCheckpoint::verify(note.as_bytes(), &key(key_text)).unwrap().head().size, 3);
}

fn signer() -> SignerKey {
    SignerKey::new("peildatum.example/ledger".parse().unwrap(), [7; 32])
}

fn checkpoint() -> SignedCheckpoint {
    let origin = signer().verifier().name().clone();
    SignedCheckpoint::sign(TreeHead { origin, size: 604, root: leaf_hash(b"root") }, &signer())
}

#[test]
fn a_checkpoint_that_was_changed_in_any_byte_does_not_count() {
    let text = checkpoint().to_string();
    let key = signer().verifier().clone();
    assert_eq!(SignedCheckpoint::verify(text.as_bytes(), &key), Ok(checkpoint()));
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut flipped = text.clone().into_bytes();
            flipped[at] ^= 1 << bit;
            assert!(SignedCheckpoint::verify(&flipped, &key).is_err(), "bit {bit} of byte {at}");
        }
        assert!(SignedCheckpoint::verify(&text.as_bytes()[..at], &key).is_err(), "cut at {at}");
    }
}

#[test]
fn a_checkpoint_says_origin_size_and_root_and_no_more_is_believed() {
    let key = signer();
    let signed = |text: &str| {
        let mut note = Note::new(text.to_owned());
        note.add(key.sign(text));
        SignedCheckpoint::verify(note.to_string().as_bytes(), key.verifier())
    };
    let root = leaf_hash(b"root");
    let origin = "peildatum.example/ledger";
    assert!(signed(&format!("{origin}\n0\n{root}\n")).is_ok());
    assert_eq!(signed(&format!("{origin}\n5\n{root}\nextension\n")).unwrap().head().size, 5);
    for wrong in [
        format!("{origin}\n{root}\n"),
        format!("{origin}\n05\n{root}\n"),
        format!("{origin}\n+5\n{root}\n"),
        format!("{origin}\n-5\n{root}\n"),
        format!("{origin}\n5\n{root}=\n"),
        format!("{origin}\n18446744073709551616\n{root}\n"),
        format!("\n5\n{root}\n"),
        format!("{origin}\n5\n{root}\n\nextension\n"),
    ] {
        assert_eq!(signed(&wrong), Err(CheckpointFault::Form), "{wrong:?}");
    }
    let other = signed(&format!("another.example/ledger\n5\n{root}\n"));
    assert!(matches!(other, Err(CheckpointFault::Origin { .. })));
    let stranger = SignerKey::new(origin.parse().unwrap(), [8; 32]);
    let text = checkpoint().to_string();
    let fault = SignedCheckpoint::verify(text.as_bytes(), stranger.verifier());
    assert!(matches!(fault, Err(CheckpointFault::Note(NoteFault::NotSigned(_)))));
}

#[test]
fn witnesses_are_told_with_the_time_of_their_cosignature() {
    let (ours, theirs) = (Witness::new("witness.example/w1"), Witness::new("witness.example/w2"));
    let known = [key(&ours.verifier())];
    assert_eq!(known[0].kind(), KeyKind::Witness);
    let own = checkpoint();
    let text = own.note().text().to_owned();
    let with =
        |lines: &[String]| SignedCheckpoint::parse(format!("{own}{}", lines.concat()).as_bytes()).unwrap();
    let both = with(&[ours.cosign(&text, 1_775_000_000), theirs.cosign(&text, 1_775_000_001)]);
    let told: Vec<_> = both.cosigned(&known).unwrap().iter().map(|it| it.at).collect();
    assert_eq!(told, [Some(1_775_000_000)]);
    assert_eq!(own.cosigned(&known), Ok(vec![]));
    // For another text, by another in its name, and beyond the times there are.
    let forged = STANDARD.decode(theirs.cosign(&text, 5).trim_end().rsplit(' ').next().unwrap()).unwrap();
    let forged = [&known[0].id().0[..], &forged[4..]].concat();
    let forged = format!("— {} {}\n", ours.name, STANDARD.encode(forged));
    for wrong in [ours.cosign(&text.replace("604", "605"), 5), forged, ours.cosign(&text, 1 << 63)] {
        assert!(matches!(with(&[wrong]).cosigned(&known), Err(NoteFault::Wrong { .. })));
    }
}

#[test]
fn a_proof_for_an_entry_is_complete_on_its_own() {
    let origin = signer().verifier().name().clone();
    let (left, right) = (leaf_hash(b"left"), leaf_hash(b"right"));
    let root = peildatum::proof::merkle::node_hash(left, right);
    let checkpoint = SignedCheckpoint::sign(TreeHead { origin, size: 2, root }, &signer());
    let proof = EntryProof { index: 1, path: vec![left], checkpoint };
    let text = proof.to_string();
    assert!(
        text.starts_with(&format!(
            "c2sp.org/tlog-proof@v1\nindex 1\n{left}\n\npeildatum.example/ledger\n2\n"
        ))
    );
    assert_eq!(EntryProof::parse(text.as_bytes()), Ok(proof.clone()));
    assert!(proof.holds(b"right") && !proof.holds(b"left"));
    let with_extra = text.replace("index", "extra AAAA\nindex");
    assert_eq!(EntryProof::parse(with_extra.as_bytes()), Ok(proof));
    for at in 0..text.len() {
        let mut flipped = text.clone().into_bytes();
        flipped[at] ^= 1;
        let holds = EntryProof::parse(&flipped).is_ok_and(|it| {
            let signed = SignedCheckpoint::verify(it.checkpoint.to_string().as_bytes(), signer().verifier());
            signed.is_ok() && it.holds(b"right")
        });
        assert!(!holds, "byte {at}");
    }
    for wrong in ["", "index 1\n\n", "c2sp.org/tlog-proof@v1\nindex 01\n\n", "c2sp.org/tlog-proof@v1\n\n"] {
        assert!(EntryProof::parse(wrong.as_bytes()).is_err());
    }
}

proptest! {
    /// Whatever bytes come in: nothing panics, and what is read is printed as it was.
    #[test]
    fn any_bytes_are_read_without_harm(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        text in "([a-z— \n+=/0-9]{0,20}\n){0,5}\n(— [a-z.+ ]{1,9} [A-Za-z0-9+/=]{0,16}\n){0,3}",
    ) {
        for bytes in [&bytes[..], text.as_bytes()] {
            if let Ok(note) = Note::parse(bytes) {
                let printed = note.to_string();
                prop_assert_eq!(printed.as_bytes(), bytes);
            }
            let _ = (SignedCheckpoint::parse(bytes), EntryProof::parse(bytes));
        }
    }

    #[test]
    fn what_a_key_signs_it_verifies_and_no_other_key_does(
        seed in any::<[u8; 32]>(), other in any::<[u8; 32]>(), size in any::<u64>(), root in any::<[u8; 32]>(),
    ) {
        prop_assume!(seed != other);
        let named = |seed| SignerKey::new("a.example/log".parse().unwrap(), seed);
        let head = TreeHead { origin: "a.example/log".parse().unwrap(), size, root: Hash(root) };
        let text = SignedCheckpoint::sign(head.clone(), &named(seed)).to_string();
        let read = SignedCheckpoint::verify(text.as_bytes(), named(seed).verifier()).unwrap();
        prop_assert_eq!(read.head(), &head);
        prop_assert!(SignedCheckpoint::verify(text.as_bytes(), named(other).verifier()).is_err());
        let signature: &Signature = &read.note().signatures()[0];
        prop_assert_eq!(signature.id, named(seed).verifier().id());
        prop_assert_eq!(named(seed).secret().parse::<SignerKey>().unwrap().secret(), named(seed).secret());
    }
}
