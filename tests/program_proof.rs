//! An auditor asks a ledger for proof and checks it with what anybody has; and everything that is not proof, is of another
//! ledger or was changed gets a sentence that says so.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use peildatum::proof::checkpoint::SignedCheckpoint;
use peildatum::proof::consistency::ConsistencyProof;
use peildatum::proof::inclusion::EntryProof;
use peildatum::proof::merkle::{Hash, Tree, leaf_hash};
use peildatum::proof::note::{SignerKey, VerifierKey};
use peildatum::proof::tiles;

use crate::folders::{change, contents, copy_dir};
use crate::program::{Desk, Ran};
use crate::program_deliver::{PLACEMENTS, file, placement};
use crate::witness::Witness;

const ORIGIN: &str = "peildatum.example/ledger";

/// A ledger with a key and four entries.
fn desk() -> Desk {
    let desk = Desk::with_ledger();
    let said = desk.run(&format!("init --origin {ORIGIN}")).expect(0).quietly().out;
    let key = said.lines().last().unwrap();
    assert_eq!(key, desk.read("ledger/verifier-key").trim_end());
    desk
}

fn key(desk: &Desk) -> VerifierKey {
    desk.read("ledger/verifier-key").trim_end().parse().unwrap()
}

fn deliver(desk: &Desk, from: usize, to: usize) {
    let rows: Vec<_> = (from..to).map(|it| placement(it, "GM0599")).collect();
    desk.write("placements.csv", file(PLACEMENTS, &rows));
    desk.run("deliver placements.csv --from coa").expect(0);
}

/// A checkpoint in a file.
fn checkpoint(desk: &Desk, name: &str) -> SignedCheckpoint {
    let text = desk.run("checkpoint").expect(0).quietly().out;
    desk.write(name, &text);
    SignedCheckpoint::verify(text.as_bytes(), &key(desk)).unwrap()
}

#[test]
fn every_entry_is_proven_to_whoever_holds_the_key() {
    let desk = desk();
    deliver(&desk, 0, 30);
    let entries = desk.run("export").expect(0).out;
    let head = checkpoint(&desk, "c").head().clone();
    assert_eq!((head.origin.as_str(), head.size), (ORIGIN, entries.lines().count() as u64));
    for (position, line) in entries.lines().enumerate() {
        let text = desk.run(&format!("prove {position} --checkpoint c")).expect(0).quietly().out;
        let proof = EntryProof::parse(text.as_bytes()).unwrap();
        assert_eq!(proof.index, position as u64);
        SignedCheckpoint::verify(proof.checkpoint.to_string().as_bytes(), &key(&desk)).unwrap();
        assert!(proof.holds(line.as_bytes()));
        assert!(!proof.holds(&line.as_bytes()[1..]));
        assert_eq!(desk.run(&format!("prove {position}")).expect(0).out, text, "the log has not grown");
    }
    desk.run("prove 34").expect(1).says("a log of 34 entries has none at position 34");
    desk.run("prove -- -1").expect(64);
    desk.run("prove 18446744073709551615").expect(1);
    desk.run("prove").expect(64);
}

#[test]
fn a_log_that_grew_is_proven_to_begin_as_it_did() {
    let desk = desk();
    let old = checkpoint(&desk, "old");
    deliver(&desk, 0, 40);
    let new = checkpoint(&desk, "new");
    let (from, to) = (old.head().size, new.head().size);
    let text = desk.run(&format!("prove --consistency {from} {to}")).expect(0).quietly().out;
    let proof = ConsistencyProof::parse(text.as_bytes()).unwrap();
    assert_eq!((proof.old, proof.new), ((from, old.head().root), (to, new.head().root)));
    assert!(proof.holds());
    // The old checkpoint still counts, and so do proofs under it.
    desk.run("verify --checkpoint old").expect(0);
    let text = desk.run("prove 2 --checkpoint old").expect(0).out;
    assert_eq!(EntryProof::parse(text.as_bytes()).unwrap().checkpoint, old);
    desk.run("prove 4 --checkpoint old").expect(1).says("a log of 4 entries has none at position 4");

    // A log begins with itself, and there is nothing to prove about the empty one.
    let same = desk.run("prove --consistency 5 5").expect(0).out;
    let same = ConsistencyProof::parse(same.as_bytes()).unwrap();
    assert!(same.path.is_empty() && same.holds());
    desk.run("prove --consistency 0 5").expect(64).says("the older size comes first and is at least 1");
    desk.run("prove --consistency 6 5").expect(64).says("the older size comes first");
    desk.run("prove --consistency 5 45").expect(1).says("it was never known at size 45");
    desk.run("prove --consistency 5").expect(64);
    desk.run("prove 3 --consistency 5 6").expect(64);
}

#[test]
fn a_key_is_made_once_and_kept_from_others() {
    let desk = Desk::new();
    for wrong in ["", "a b", "a\tb", "a+b", "a\nb", "https://a.example/l", "/a", "a/", "111222333"] {
        let ran = desk.run_each(&["init", "--origin", wrong]).expect(64);
        assert!(!ran.err.contains("111222333"), "{ran:?}");
    }
    assert!(!desk.ledger().exists(), "nothing is begun for a wrong name");
    desk.run("init").expect(64);
    desk.run("checkpoint").expect(2).says("there is no ledger");
    desk.run(&format!("init --origin {ORIGIN} --key-file secret")).expect(0);
    let (secret, public) = (desk.read("secret"), desk.read("ledger/verifier-key"));
    let signer: SignerKey = secret.trim_end().parse().unwrap();
    assert_eq!(format!("{}\n", signer.verifier()), public);
    assert!(
        !contents(&desk.ledger()).into_values().any(|it| String::from_utf8_lossy(&it).contains("PRIVATE"))
    );

    let before = desk.files();
    desk.run(&format!("init --origin {ORIGIN}")).expect(1).says("has the key");
    desk.run("init --origin other.example/l --key-file other").expect(1).says("has the key");
    assert!(!desk.path("other").exists());
    let other = Desk::new();
    other.write("taken", "something else");
    other.run("init --origin other.example/l --key-file taken").expect(1).says("nothing is written over it");
    assert_eq!(other.read("taken"), "something else");
    other.run("init --origin other.example/l").expect(0);

    // From the argument, from the environment, and in that order.
    desk.run("checkpoint").expect(1).says("there is no secret key in");
    let signed = desk.run("checkpoint --key-file secret").expect(0).quietly().out;
    let with = |name: &str, value: &str, typed: &str| -> Ran {
        let arguments: Vec<_> = typed.split_whitespace().collect();
        desk.command(&arguments).env(name, value).output().unwrap().into()
    };
    let theirs = other.read("ledger/signing-key");
    assert_eq!(with("PEILDATUM_KEY", &secret, "checkpoint").expect(0).out, signed);
    assert_eq!(with("PEILDATUM_KEY_FILE", "secret", "checkpoint").expect(0).out, signed);
    assert_eq!(with("PEILDATUM_KEY", &theirs, "checkpoint --key-file secret").expect(0).out, signed);
    let ran = with("PEILDATUM_KEY", &theirs, "checkpoint").expect(1).says("and this ledger signs with");
    assert!(!ran.err.contains("PRIVATE"), "{ran:?}");
    let ran = with("PEILDATUM_KEY", "PRIVATE+KEY+mistyped", "checkpoint").expect(2).says("is no secret key");
    assert!(!ran.err.contains("mistyped"), "{ran:?}");
    // Where the path of its file belongs, the key itself is repeated no more than anywhere else.
    let secret_only = secret.trim_end();
    for ran in [
        with("PEILDATUM_KEY_FILE", secret_only, "checkpoint").expect(1),
        desk.run_each(&["checkpoint", "--key-file", secret_only]).expect(1),
        desk.run_each(&["verify", "--checkpoint", secret_only]).expect(2),
        desk.run_each(&["prove", secret_only]).expect(64),
        desk.run_each(&["verify-dossier", "absent.zip", "--key", secret_only]).expect(64),
        other.run_each(&["init", "--origin", secret_only]).expect(64),
    ] {
        let key = secret_only.rsplit('+').next().unwrap();
        assert!(!ran.err.contains(key) && ran.err.contains("[removed]"), "{ran:?}");
    }
    desk.write("garbage", "\u{0}garbage");
    with("PEILDATUM_KEY_FILE", "absent", "checkpoint").expect(1).says("there is no secret key in absent");
    assert!(desk.files() == before, "nothing was written");
    set_mode(&desk.path("secret"), 0o640);
    desk.run("checkpoint --key-file secret").expect(1).says("can be read by others").says("chmod 600");
    set_mode(&desk.path("garbage"), 0o600);
    desk.run("checkpoint --key-file garbage").expect(2).says("is no secret key");
}

#[test]
fn the_secret_of_a_new_ledger_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = desk();
    let mode = |name: &str| fs::metadata(desk.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("ledger/signing-key"), 0o600);
    assert_eq!(mode("ledger/verifier-key") & 0o444, 0o444);
    set_mode(&desk.path("ledger/signing-key"), 0o604);
    desk.run("checkpoint").expect(1).says("can be read by others");
    // Whoever checks needs no secret.
    set_mode(&desk.path("ledger/signing-key"), 0o600);
    checkpoint(&desk, "c");
    fs::remove_file(desk.path("ledger/signing-key")).unwrap();
    desk.run("verify --checkpoint c").expect(0);
    desk.run("prove 1 --checkpoint c").expect(0);
    desk.run("export --tiles public --checkpoint c").expect(0);
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_ledger_without_a_key_says_so() {
    let desk = Desk::with_ledger();
    desk.write("c", "anything");
    for typed in
        ["checkpoint", "prove 1", "prove 1 --checkpoint c", "export --tiles t", "verify --checkpoint c"]
    {
        desk.run(typed).expect(1).says("this ledger has no key yet; make one with `peildatum init");
    }
    // What needs no key works.
    desk.run("prove --consistency 1 3").expect(0);
    desk.run("verify").expect(0);
}

#[test]
fn a_checkpoint_that_is_not_of_this_log_is_told_apart() {
    let desk = desk();
    deliver(&desk, 0, 10);
    let ours = checkpoint(&desk, "ours");
    desk.run("verify --checkpoint ours").expect(0).quietly();
    let key = desk.read("ledger/verifier-key");
    let typed = ["verify", "--checkpoint", "ours", "--key", key.trim_end()];
    let said = desk.run_each(&typed).expect(0).out;
    assert!(
        said.starts_with("14 entries of the journal are those that peildatum.example/ledger signed\n"),
        "{said}"
    );
    assert!(said.contains(&ours.head().root.to_string()), "{said}");

    // Of another ledger, by name and by key alone.
    let (other, namesake) = (Desk::with_ledger(), self::desk());
    other.run("init --origin other.example/ledger").expect(0);
    desk.write("theirs", other.run("checkpoint").expect(0).out);
    desk.write("namesake", namesake.run("checkpoint").expect(0).out);
    for typed in
        ["verify --checkpoint theirs", "prove 1 --checkpoint theirs", "export --tiles t --checkpoint theirs"]
    {
        desk.run(typed).expect(1).says("theirs is of the log other.example/ledger, and the key is of");
    }
    desk.run("verify --checkpoint namesake")
        .expect(1)
        .says("has no signature of the key peildatum.example/ledger+");
    let with_their_key = ["verify", "--checkpoint", "theirs", "--key", &other.read("ledger/verifier-key")];
    desk.run_each(&with_their_key).expect(2).says("are others than those that were signed");
    // Changed, cut, or no checkpoint at all.
    desk.write("changed", ours.to_string().replace("\n14\n", "\n13\n"));
    desk.run("verify --checkpoint changed")
        .expect(1)
        .says("has a wrong signature of peildatum.example/ledger+");
    for garbage in ["", "garbage", "\n\n", "a\n1\n\n— a b\n"] {
        desk.write("garbage", garbage);
        desk.run("verify --checkpoint garbage").expect(2).says("is no signed note");
        desk.run("prove 1 --checkpoint garbage").expect(2).says("is no signed note");
    }
    fs::write(desk.path("garbage"), [0xff; 100]).unwrap();
    desk.run("verify --checkpoint garbage").expect(2).says("is not UTF-8");
    desk.run("verify --checkpoint absent").expect(2).says("cannot read absent");
    desk.run("verify --checkpoint ledger").expect(2).says("cannot read ledger");
    desk.run_each(&["verify", "--checkpoint", "ours", "--key", "nonsense"])
        .expect(64)
        .says("is no verifier key");
    let secret = desk.read("ledger/signing-key");
    let ran = desk.run_each(&["verify", "--checkpoint", "ours", "--key", secret.trim_end()]).expect(64);
    assert!(ran.err.contains("is a secret key") && !ran.err.contains("PRIVATE"), "{ran:?}");
    desk.run("verify --checkpoint ours --repair").expect(64);
    desk.run("verify --key x").expect(64);
}

#[test]
fn a_log_that_was_put_back_or_forged_is_found_by_the_checkpoint_alone() {
    let desk = desk();
    deliver(&desk, 0, 10);
    desk.run("backup early").expect(0);
    deliver(&desk, 10, 20);
    let signed = checkpoint(&desk, "late");
    // An older copy in the place of the ledger: it is whole, and shorter than what was signed.
    let restored = Desk::new();
    restored.write("late", signed.to_string());
    copy_dir(&desk.path("early"), &restored.path("early"));
    restored.run("restore early").expect(0);
    restored.run("verify").expect(0);
    restored.run("verify --checkpoint late").expect(2).says("states 24 entries and the journal holds 14");
    // With what was signed beside it, it says so whenever it is opened.
    let as_restored = restored.read("ledger/signed-checkpoint");
    fs::copy(desk.path("ledger/signed-checkpoint"), restored.path("ledger/signed-checkpoint")).unwrap();
    restored.run("export").expect(0).says("has signed 24 entries and holds 14, so it is an older copy");
    restored.write("ledger/signed-checkpoint", as_restored);
    // The ledger was begun anew with others in the place of the last ten, with the key and all that was signed.
    deliver(&restored, 30, 45);
    restored.run("verify").expect(0);
    restored.run("verify --checkpoint late").expect(2).says("are others than those that were signed");
    restored.run("prove 1 --checkpoint late").expect(1).says("it is about another history");
    for name in ["signing-key", "signed-checkpoint"] {
        fs::copy(desk.path("ledger").join(name), restored.path("ledger").join(name)).unwrap();
    }
    set_mode(&restored.path("ledger/signing-key"), 0o600);
    restored.run("checkpoint").expect(2).says("are others than those a checkpoint was signed for");
    let said = restored.run("verify").expect(2).out;
    assert!(
        said.starts_with("signed-checkpoint: the journal's entries are not those that were signed"),
        "{said}"
    );
    restored.run("backup again").expect(2).says("does not begin with the 24 entries that were signed");
}

#[test]
fn a_flipped_byte_in_the_journal_is_found_by_the_checkpoint() {
    let desk = desk();
    deliver(&desk, 0, 50);
    checkpoint(&desk, "c");
    let journal = contents(&desk.path("ledger/journal")).into_keys().next().unwrap();
    change(&journal, |bytes| bytes[500] ^= 1);
    desk.run("verify --checkpoint c").expect(2).says("is damaged at byte").says("peildatum verify");
}

#[test]
fn witnesses_cosign_and_are_told_with_the_time() {
    let desk = desk();
    let (one, two) = (Witness::new("witness.example/w1"), Witness::new("witness.example/w2"));
    let add = |key: &str| desk.run_each(&["witness", "add", key]);
    assert_eq!(desk.run("witness list").expect(0).out, "");
    add(&one.verifier()).expect(0).quietly();
    add(&one.verifier()).expect(1).says("is known already");
    add(desk.read("ledger/verifier-key").trim_end())
        .expect(1)
        .says("witnesses cosign with keys of type 0x04");
    add("garbage").expect(64).says("is no verifier key");
    let ran = add(desk.read("ledger/signing-key").trim_end()).expect(64).says("is a secret key");
    assert!(!ran.err.contains("PRIVATE"));
    assert_eq!(desk.run("witness list").expect(0).out, format!("{}\n", one.verifier()));

    let own = checkpoint(&desk, "own");
    let text = own.note().text();
    desk.run("witness accept own").expect(1).says("no known witness has cosigned it");
    desk.write(
        "both",
        format!("{own}{}{}", one.cosign(text, 1_775_210_400), two.cosign(text, 1_775_210_401)),
    );
    let kept = desk.run("witness accept both").expect(0).quietly().out;
    assert_eq!(kept, "kept: cosigned by witness.example/w1 at 2026-04-03T10:00:00.000Z\n");
    // From now on the checkpoint carries it, and no signature that nobody here could check.
    let cosigned = format!("{own}{}", one.cosign(text, 1_775_210_400));
    assert_eq!(desk.run("checkpoint").expect(0).out, cosigned);
    assert!(desk.run("prove 1").expect(0).out.ends_with(&cosigned));
    for name in ["own", "both"] {
        let said = desk.run(&format!("verify --checkpoint {name}")).expect(0).out;
        assert!(said.contains("\ncosigned by witness.example/w1 at 2026-04-03T10:00:00.000Z\n"), "{said}");
        assert_eq!(
            said.contains("passed over: a signature by witness.example/w2+"),
            name == "both",
            "{said}"
        );
    }
    // A cosignature alone is enough, without the signature of the ledger; a later one takes the place of an earlier one.
    desk.write("later", format!("{text}\n{}", one.cosign(text, 1_775_214_000)));
    desk.run("witness accept later").expect(0);
    assert_eq!(desk.run("checkpoint").expect(0).out, format!("{own}{}", one.cosign(text, 1_775_214_000)));

    // With lines that the log does not sign it is about no checkpoint of it, and takes the place of none.
    let longer = format!("{text}more\n");
    desk.write("longer", format!("{longer}\n{}", one.cosign(&longer, 1_775_220_000)));
    desk.run("witness accept longer").expect(1).says("has lines behind its root");
    assert_eq!(desk.run("checkpoint").expect(0).out, format!("{own}{}", one.cosign(text, 1_775_214_000)));

    // Forged, of another ledger, and of another history of this one.
    let forged = one.cosign(&text.replace("\n4\n", "\n3\n"), 5);
    desk.write("forged", format!("{own}{forged}"));
    desk.run("witness accept forged").expect(1).says("has a wrong signature of witness.example/w1+");
    desk.run("verify --checkpoint forged").expect(1).says("has a wrong signature of witness.example/w1+");
    let other = text.replace(ORIGIN, "other.example/ledger");
    desk.write("other", format!("{other}\n{}", one.cosign(&other, 5)));
    desk.run("witness accept other").expect(1).says("is of the log other.example/ledger");
    for (other, said) in [
        (text.replace("\n4\n", "\n400\n"), "states 400 entries"),
        (
            text.replace(&own.head().root.to_string(), &leaf_hash(b"").to_string()),
            "it is about another history",
        ),
    ] {
        desk.write("split", format!("{other}\n{}", one.cosign(&other, 5)));
        desk.run("witness accept split").expect(1).says(said).says("Keep the file");
    }
    desk.write("garbage", "garbage");
    desk.run("witness accept garbage").expect(2).says("is no signed note");
    desk.run("witness accept absent").expect(2).says("cannot read absent");

    // An older checkpoint keeps its cosignatures when the log has grown.
    deliver(&desk, 0, 3);
    assert_eq!(checkpoint(&desk, "grown").note().signatures().len(), 1);
    let said = desk.run("verify --checkpoint own").expect(0).out;
    assert!(said.contains("cosigned by witness.example/w1"), "{said}");

    // What was kept and cannot be read any more is named.
    let kept = format!("ledger/cosigned/{:020}.checkpoint", own.head().size);
    let cosigned = desk.read(&kept);
    desk.write(&kept, "garbage");
    let said = desk.run("verify --checkpoint own").expect(2);
    said.says("the file `cosigned/00000000000000000004.checkpoint` of the ledger is no signed note")
        .says("remove it");
    // So is what is wrong there; the file that was handed in is not blamed for it.
    desk.write(&kept, format!("{text}\n{forged}"));
    desk.run("verify --checkpoint own")
        .expect(2)
        .says("of the ledger has a wrong signature of witness.example/w1+");
    desk.write(&kept, cosigned);

    desk.run("witness remove nobody+00000000").expect(1).says("no such witness is known");
    let (name, _) =
        one.verifier().rsplit_once('+').map(|(name, key)| (name.to_owned(), key.to_owned())).unwrap();
    desk.run(&format!("witness remove {name}")).expect(0);
    assert_eq!(desk.run("witness list").expect(0).out, "");
    let said = desk.run("verify --checkpoint own").expect(0).out;
    assert!(said.contains("passed over: a signature by witness.example/w1+"), "{said}");
}

/// Checks a folder of tiles as a stranger does, with nothing but the key: every file of it, and that there is no other.
/// Gives the entries.
fn check_tiles(dir: &Path, key: &VerifierKey) -> Result<Vec<Vec<u8>>, String> {
    let mut files: BTreeMap<String, Vec<u8>> = contents(dir)
        .into_iter()
        .map(|(path, bytes)| (path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned(), bytes))
        .collect();
    let mut take = |path: &str| files.remove(path).ok_or_else(|| format!("{path} is missing"));
    let signed = SignedCheckpoint::verify(&take("checkpoint")?, key).map_err(|fault| fault.to_string())?;
    let size = signed.head().size;
    let width = |count: u64, number: u64| (count - number * 256).min(256);
    let mut entries = Vec::new();
    for number in 0..size.div_ceil(256) {
        let path = tiles::bundle_path(number, width(size, number));
        let bundle = take(&path)?;
        let bundle = tiles::entries(&bundle).ok_or_else(|| format!("{path} is no bundle"))?;
        entries.extend(bundle.into_iter().map(<[u8]>::to_vec));
    }
    let mut tree = Tree::new();
    entries.iter().for_each(|entry| tree.push(leaf_hash(entry)));
    if (tree.size(), tree.root()) != (size, signed.head().root) {
        return Err("the entries are not those that were signed".to_owned());
    }
    // Each level from the entries, and not from the level below.
    for level in tiles::levels(size) {
        let span = 1 << (8 * level);
        let hashes: Vec<Hash> = entries
            .chunks_exact(span)
            .map(|part| {
                let mut tree = Tree::new();
                part.iter().for_each(|entry| tree.push(leaf_hash(entry)));
                tree.root()
            })
            .collect();
        for (number, part) in hashes.chunks(256).enumerate() {
            let path = tiles::tile_path(level, number as u64, part.len() as u64);
            if take(&path)? != tiles::tile(part) {
                return Err(format!("{path} holds other hashes"));
            }
        }
    }
    // Of an earlier export partial ones stay, since an earlier checkpoint needs them.
    match files.keys().find(|path| !path.contains(".p/")) {
        Some(path) => Err(format!("{path} belongs to nothing")),
        None => Ok(entries),
    }
}

#[test]
fn tiles_are_the_log_to_whoever_holds_the_key() {
    let desk = desk();
    let exported =
        |desk: &Desk| desk.run("export").expect(0).out.lines().map(|it| it.as_bytes().to_vec()).collect();
    let public = desk.path("public");
    desk.run("export --tiles public").expect(0);
    assert_eq!(check_tiles(&public, &key(&desk)), Ok(exported(&desk)));
    // Up to a full tile, beyond it, and beyond several; each time only what is new.
    for (from, to, new) in [(0, 252, "252"), (252, 253, "1"), (253, 900, "647"), (900, 900, "0")] {
        let before = contents(&public);
        if from < to {
            deliver(&desk, from, to);
        }
        let said = desk.run("export --tiles public").expect(0).quietly().out;
        assert!(said.starts_with(&format!("{new} entries were added")), "{said}");
        let entries: Vec<Vec<u8>> = exported(&desk);
        assert_eq!(entries.len(), to + 4);
        assert_eq!(check_tiles(&public, &key(&desk)), Ok(entries));
        for (path, bytes) in before.iter().filter(|(path, _)| !path.ends_with("checkpoint")) {
            assert!(fs::read(path).unwrap() == *bytes, "{} has changed", path.display());
        }
    }
    // At once, the same but for the partial tiles on the way.
    desk.run("export --tiles fresh").expect(0);
    let fresh = desk.path("fresh");
    assert_eq!(check_tiles(&fresh, &key(&desk)), Ok(exported(&desk)));
    for (path, bytes) in contents(&fresh) {
        assert!(fs::read(public.join(path.strip_prefix(&fresh).unwrap())).unwrap() == bytes);
    }

    // Any byte of any file, and any file that is gone.
    for (path, bytes) in contents(&fresh) {
        for at in (0..bytes.len()).step_by(1 + bytes.len() / 40) {
            change(&path, |it| it[at] ^= 4);
            assert!(check_tiles(&fresh, &key(&desk)).is_err(), "byte {at} of {}", path.display());
            fs::write(&path, &bytes).unwrap();
        }
        fs::remove_file(&path).unwrap();
        assert!(check_tiles(&fresh, &key(&desk)).is_err(), "without {}", path.display());
        fs::write(&path, &bytes).unwrap();
    }
    assert!(check_tiles(&fresh, &key(&desk)).is_ok());
    // Entries that are dropped, swapped or slipped in, in their bundle.
    let first = fresh.join(tiles::bundle_path(0, 256));
    let bundle = fs::read(&first).unwrap();
    let entries = tiles::entries(&bundle).unwrap();
    let mut forged: Vec<Vec<&[u8]>> = vec![entries.clone(); 3];
    forged[0].remove(10);
    forged[1].swap(10, 11);
    forged[2].insert(10, b"{}");
    for forged in forged {
        let mut bytes = Vec::new();
        forged.iter().for_each(|entry| tiles::push_entry(&mut bytes, entry).unwrap());
        fs::write(&first, bytes).unwrap();
        assert!(check_tiles(&fresh, &key(&desk)).is_err());
    }
}

#[test]
fn tiles_of_another_log_are_left_as_they_are() {
    let (desk, other) = (desk(), Desk::with_ledger());
    other.run("init --origin other.example/ledger").expect(0);
    checkpoint(&desk, "early");
    desk.run("export --tiles public").expect(0);
    let public = desk.path("public");
    let before = contents(&public);
    let into = format!("export --tiles {}", public.display());
    other.run(&into).expect(1).says("is of the log peildatum.example/ledger");
    // The same name and key with another history.
    let forged = self::desk();
    for name in ["signing-key", "verifier-key"] {
        fs::copy(desk.path("ledger").join(name), forged.path("ledger").join(name)).unwrap();
    }
    fs::remove_file(forged.path("ledger/signed-checkpoint")).unwrap();
    forged.run(&into).expect(2).says("nobody can tell whether the log extends what was signed last");
    let signer: SignerKey = desk.read("ledger/signing-key").trim_end().parse().unwrap();
    let entries = forged.run("export").expect(0).out;
    let mut tree = Tree::new();
    entries.lines().for_each(|line| tree.push(leaf_hash(line.as_bytes())));
    let head = peildatum::proof::checkpoint::TreeHead {
        origin: ORIGIN.parse().unwrap(),
        size: tree.size(),
        root: tree.root(),
    };
    forged.write("ledger/signed-checkpoint", SignedCheckpoint::sign(head, &signer).to_string());
    forged.run(&into).expect(1).says("holds another log").says("about another history");
    deliver(&desk, 0, 5);
    desk.write("public/checkpoint", "garbage");
    desk.run("export --tiles public").expect(2).says("is no signed note");
    desk.write("public/checkpoint", &before[&public.join("checkpoint")]);
    assert!(contents(&public) == before);
    desk.run("export --tiles public").expect(0);
    desk.run("export --tiles public --checkpoint early").expect(1).says("holds 9 entries already");

    desk.write("not-empty", "");
    fs::create_dir(desk.path("full")).unwrap();
    desk.write("full/something", "");
    desk.run("export --tiles full").expect(1).says("is not empty and has no file `checkpoint`");
    desk.run("export --tiles not-empty").expect(2).says("cannot look into not-empty");
    desk.run("export --checkpoint early").expect(64);
    desk.run("export --tiles t --from 3").expect(64);
}

#[test]
fn an_entry_that_no_bundle_holds_is_named_and_can_be_exported_otherwise() {
    let desk = desk();
    let codes = (1_000..7_000).map(|code| format!("GM{code}"));
    let rows: Vec<_> = codes.clone().map(|code| format!("{code},Name {code},PV28,VR17,1990-01-01")).collect();
    desk.write("municipalities.csv", file("code,name,province,safety_region,from", &rows));
    desk.run("deliver municipalities.csv --from cbs").expect(0);
    let rows: Vec<_> = codes.map(|code| format!("2025-I,{code},1000000,published,Letter")).collect();
    desk.write("allocations.csv", file("half_year,municipality,persons,method,reference", &rows));
    desk.run("deliver allocations.csv --from ministry").expect(0);
    let exported = desk.run("export").expect(0).out;
    let (position, longest) = exported.lines().enumerate().max_by_key(|(_, line)| line.len()).unwrap();
    let length = longest.len();
    assert!(length > tiles::MAX_ENTRY, "{length}");
    let said =
        format!("the entry at position {position} cannot be exported as tiles: an entry of {length} bytes");
    desk.run("export --tiles public").expect(1).says(&said);
    // It is proven like any other.
    checkpoint(&desk, "c");
    let proof = desk.run(&format!("prove {position} --checkpoint c")).expect(0).out;
    assert!(EntryProof::parse(proof.as_bytes()).unwrap().holds(longest.as_bytes()));
    desk.run("verify --checkpoint c").expect(0);
}
