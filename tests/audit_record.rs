//! The audit record: lines that follow on one another, whatever is done to them and whenever a process is stopped.

use std::fs;
use std::path::{Path, PathBuf};

use peildatum::domain::access::{Caller, Role};
use peildatum::domain::time::RecordedAt;
use peildatum::store::{
    Access, AuditChain, AuditLine, AuditRecord, AuditResult, NotRecorded, Options, Remedy, Store, StoreError,
    Trail, read_audit, verify_audit,
};
use proptest::prelude::*;
use tempfile::TempDir;

fn ledger() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { access: Access::CreateIfAbsent, ..Options::default() };
    drop(Store::open(dir.path(), &options, &mut |_, _| Ok(())).unwrap());
    dir
}

fn at(time: &str) -> RecordedAt {
    time.parse().unwrap()
}

fn reader() -> Caller {
    Caller::new("desk".parse().unwrap(), Role::Reader, None, vec![]).unwrap()
}

/// A decision about an object.
fn decision(time: &str, object: &str) -> AuditRecord {
    AuditRecord {
        object: object.to_owned(),
        origin: Some("127.0.0.1".to_owned()),
        ..AuditRecord::new(at(time), Some(&reader()), "read")
    }
}

/// Records a decision about each object, a minute apart, and closes.
fn record(dir: &Path, day: &str, objects: &[&str]) {
    let trail = Trail::start(dir, at(&format!("{day}T00:00:00Z"))).unwrap();
    for (minute, object) in objects.iter().enumerate() {
        trail.record(decision(&format!("{day}T10:{minute:02}:00Z"), object)).unwrap();
    }
    trail.close().unwrap();
}

fn lines(dir: &Path) -> Vec<AuditLine> {
    let mut lines = Vec::new();
    read_audit::<StoreError>(dir, None, None, |line, _| {
        lines.push(line.clone());
        Ok(())
    })
    .unwrap();
    lines
}

fn objects(dir: &Path) -> Vec<String> {
    lines(dir).into_iter().map(|line| line.object).collect()
}

fn verified(dir: &Path) -> AuditChain {
    verify_audit(dir).unwrap().expect("there is a record")
}

fn file(dir: &Path, day: &str) -> PathBuf {
    dir.join(format!("audit/{day}.jsonl"))
}

#[test]
fn what_is_recorded_is_there_in_order_across_days_and_starts() {
    let dir = ledger();
    assert_eq!(verify_audit(dir.path()).unwrap(), None);
    record(dir.path(), "2026-04-01", &["a", "b"]);
    record(dir.path(), "2026-04-01", &["c"]);
    record(dir.path(), "2026-04-03", &["d"]);
    assert_eq!(objects(dir.path()), ["a", "b", "c", "d"]);
    let numbers: Vec<u64> = lines(dir.path()).iter().map(|line| line.number).collect();
    assert_eq!(numbers, [0, 1, 2, 3]);
    let found = verified(dir.path());
    assert_eq!((found.records, &found.findings[..]), (4, &[][..]));
    let [first, last] = found.ends.unwrap();
    // The clock began again at the first minute of that day; times are held.
    assert_eq!((first, last), ((0, at("2026-04-01T10:00:00Z")), (3, at("2026-04-03T10:00:00Z"))));
    assert!(lines(dir.path()).is_sorted_by_key(|line| line.time));
}

#[test]
fn only_the_time_that_is_asked_for_is_read() {
    let dir = ledger();
    record(dir.path(), "2026-04-01", &["a", "b"]);
    record(dir.path(), "2026-04-02", &["c", "d"]);
    let between = |since: Option<&str>, until: Option<&str>| {
        let mut found = String::new();
        read_audit::<StoreError>(dir.path(), since.map(at), until.map(at), |line, _| {
            found += &line.object;
            Ok(())
        })
        .unwrap();
        found
    };
    for (since, until, expected) in [
        (None, None, "abcd"),
        (Some("2026-04-01T10:01:00Z"), None, "bcd"),
        (Some("2026-04-01T10:01:00.001Z"), Some("2026-04-02T10:01:00Z"), "c"),
        (None, Some("2026-04-01T10:01:00Z"), "a"),
        (Some("2026-04-03T00:00:00Z"), None, ""),
    ] {
        assert_eq!(between(since, until), expected, "{since:?} {until:?}");
    }
}

#[test]
fn no_number_of_a_person_and_no_text_without_end_gets_in() {
    let dir = ledger();
    let trail = Trail::start(dir.path(), at("2026-04-01T00:00:00Z")).unwrap();
    let mut it = decision("2026-04-01T10:00:00Z", "/v1/persons/111222333");
    it.actor = Some("V-nummer 2801234567".to_owned());
    it.origin = Some(format!("{} 111 222 333", "x".repeat(250)));
    it.action = "x\u{1b}[2J 111222333".to_owned().into();
    it.code = Some("code-2801234567".to_owned().into());
    it.result = AuditResult::Denied;
    trail.record_durable(it).unwrap().wait().unwrap();
    let stored = fs::read_to_string(file(dir.path(), "2026-04-01")).unwrap();
    for number in ["111222333", "2801234567", "111 222", "\\u001b"] {
        assert!(!stored.contains(number), "{stored}");
    }
    let line = &lines(dir.path())[0];
    assert_eq!((line.object.as_str(), line.result), ("/v1/persons/[removed]", AuditResult::Denied));
    assert_eq!(line.origin.as_ref().unwrap().chars().count(), 257);
    // A path with a UUID is no number, whatever its digits are.
    let path = "/v1/deliveries/01890a5d-ac96-774b-bcce-111222333444";
    trail.record_durable(decision("2026-04-01T10:01:00Z", path)).unwrap().wait().unwrap();
    assert_eq!(objects(dir.path())[1], path);
}

#[test]
fn one_process_writes_and_others_read_meanwhile() {
    let dir = ledger();
    let trail = Trail::start(dir.path(), at("2026-04-01T00:00:00Z")).unwrap();
    assert!(matches!(Trail::start(dir.path(), at("2026-04-01T00:00:00Z")), Err(StoreError::InUse { .. })));
    for number in 0..2_000 {
        trail.record(decision("2026-04-01T10:00:00Z", &number.to_string())).unwrap();
    }
    trail.sync().unwrap().wait().unwrap();
    assert_eq!(objects(dir.path()), (0..2_000).map(|it| it.to_string()).collect::<Vec<_>>());
    // A clock that is set back is held at the last time.
    trail.record_durable(decision("2026-03-01T10:00:00Z", "back")).unwrap().wait().unwrap();
    assert_eq!(lines(dir.path()).last().unwrap().time, at("2026-04-01T10:00:00Z"));
    assert!(trail.fault().is_none());
    trail.close().unwrap();
    assert_eq!(trail.record(decision("2026-04-01T10:00:00Z", "late")), Err(NotRecorded::Stopped));
    assert!(verified(dir.path()).findings.is_empty());
}

#[test]
fn what_was_done_to_the_lines_is_found() {
    let whole = ledger();
    record(whole.path(), "2026-04-01", &["a", "b", "c"]);
    record(whole.path(), "2026-04-02", &["d", "e", "f"]);
    let text = |day| fs::read_to_string(file(whole.path(), day)).unwrap();
    let (one, two) = (text("2026-04-01"), text("2026-04-02"));
    let of = |text: &str| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<_>>();
    let (first, second) = (of(&one), of(&two));

    let found = |one: Option<String>, two: Option<String>| {
        for (day, text) in [("2026-04-01", one), ("2026-04-02", two)] {
            match text {
                Some(text) => fs::write(file(whole.path(), day), text).unwrap(),
                None => fs::remove_file(file(whole.path(), day)).unwrap(),
            }
        }
        verified(whole.path()).findings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let both = |one: String, two: String| found(Some(one), Some(two));

    assert!(both(one.clone(), two.clone()).is_empty());
    for (what, findings, place) in [
        ("changed", both(one.replace("\"b\"", "\"x\""), two.clone()), "audit/2026-04-01.jsonl, line 3"),
        ("dropped", both(first[0].clone() + &first[2], two.clone()), "audit/2026-04-01.jsonl, line 2"),
        (
            "swapped",
            both(first[1].clone() + &first[0] + &first[2], two.clone()),
            "audit/2026-04-01.jsonl, line 2",
        ),
        ("twice", both(one.clone() + &first[2], two.clone()), "audit/2026-04-01.jsonl, line 4"),
        ("last of a file dropped", both(first[..2].concat(), two.clone()), "audit/2026-04-02.jsonl, line 1"),
        ("last of all dropped", both(one.clone(), second[..2].concat()), "audit/head"),
        ("last of all changed", both(one.clone(), two.replace("\"f\"", "\"x\"")), "audit/head"),
        (
            "moved to another day",
            both(one.clone() + &second[0], second[1..].concat()),
            "audit/2026-04-01.jsonl, line 4",
        ),
        (
            "not a line",
            both(one.replace("{\"number\":1", "x"), two.clone()),
            "audit/2026-04-01.jsonl, line 2",
        ),
        ("last file gone", found(Some(one.clone()), None), "audit/head"),
    ] {
        assert!(findings.iter().any(|it| it.starts_with(place)), "{what}: {findings:?}");
        assert!(findings.iter().all(|it| it.contains("Keep the folder `audit`")), "{what}: {findings:?}");
    }

    // Old files may be removed from the front; from when on the record is there is told.
    assert!(found(None, Some(two.clone())).is_empty());
    let chain = verified(whole.path());
    assert_eq!((chain.records, chain.ends.unwrap()[0]), (3, (3, at("2026-04-02T10:00:00Z"))));
    record(whole.path(), "2026-04-03", &["g"]);
    assert!(verified(whole.path()).findings.is_empty());
    // All of them, and nobody can tell what is missing.
    for day in ["2026-04-02", "2026-04-03"] {
        fs::remove_file(file(whole.path(), day)).unwrap();
    }
    assert_eq!(verified(whole.path()).findings.len(), 1);
    let refused = Trail::start(whole.path(), at("2026-04-04T00:00:00Z")).err().expect("is refused");
    assert!(matches!(&refused, StoreError::Damaged { remedy: Remedy::KeepAudit, .. }), "{refused}");
}

/// What a kill leaves: the head of an earlier moment, and the lines after it cut anywhere.
#[test]
fn a_torn_line_is_closed_off_with_a_line_that_says_so() {
    let dir = ledger();
    record(dir.path(), "2026-04-01", &["a", "b"]);
    let head = fs::read(dir.path().join("audit/head")).unwrap();
    let synced = fs::metadata(file(dir.path(), "2026-04-01")).unwrap().len() as usize;
    record(dir.path(), "2026-04-01", &["c", "d"]);
    let whole = fs::read(file(dir.path(), "2026-04-01")).unwrap();
    let third = synced + whole[synced..].iter().position(|byte| *byte == b'\n').unwrap() + 1;

    for length in synced..=whole.len() {
        let dir = ledger();
        fs::create_dir(dir.path().join("audit")).unwrap();
        fs::write(dir.path().join("audit/head"), &head).unwrap();
        fs::write(file(dir.path(), "2026-04-01"), &whole[..length]).unwrap();
        let torn = ![synced, third, whole.len()].contains(&length);
        let findings = verified(dir.path()).findings;
        assert_eq!(
            findings.iter().map(|it| it.remedy).collect::<Vec<_>>(),
            vec![Remedy::Serve; usize::from(torn)]
        );

        record(dir.path(), "2026-04-01", &["e"]);
        let mut expected = vec!["a", "b", "c", "d"];
        expected.truncate(if length < third {
            2
        } else if length < whole.len() {
            3
        } else {
            4
        });
        let found = lines(dir.path());
        let told = found.iter().filter(|line| line.action == "audit-closed-off").count();
        assert_eq!(told, usize::from(torn), "cut at {length}");
        let kept: Vec<&str> =
            found.iter().filter(|line| line.action == "read").map(|line| line.object.as_str()).collect();
        expected.push("e");
        assert_eq!(kept, expected, "cut at {length}");
        if torn {
            let aside = fs::read(dir.path().join("audit/2026-04-01.jsonl.torn-1")).unwrap();
            assert!(whole[..length].ends_with(&aside) && !aside.is_empty());
        }
        assert!(verified(dir.path()).findings.is_empty(), "cut at {length}");
    }
}

#[test]
fn a_head_that_is_lost_is_written_again_and_a_line_says_so() {
    for damage in [None, Some(""), Some("peildatum audit v1\n")] {
        let dir = ledger();
        record(dir.path(), "2026-04-01", &["a"]);
        record(dir.path(), "2026-04-02", &["b"]);
        let head = dir.path().join("audit/head");
        match damage {
            None => fs::remove_file(&head).unwrap(),
            Some(text) => fs::write(&head, text).unwrap(),
        }
        assert_eq!(verified(dir.path()).findings.len(), 1);
        record(dir.path(), "2026-04-02", &["c"]);
        let actions: Vec<_> = lines(dir.path()).into_iter().map(|line| line.action).collect();
        assert_eq!(actions, ["read", "read", "audit-head-lost", "read"]);
        assert!(verified(dir.path()).findings.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whichever byte is flipped, and wherever the files are cut, somebody notices: `verify`, or whoever goes on.
    #[test]
    fn no_flip_and_no_cut_before_the_head_goes_unnoticed(
        days in prop::collection::vec(1_usize..4, 1..4), place in any::<prop::sample::Index>(), bit in 0_u8..8, cut in any::<bool>(),
    ) {
        let dir = ledger();
        for (index, count) in days.iter().enumerate() {
            record(dir.path(), &format!("2026-04-{:02}", index + 1), &vec!["an object"; *count]);
        }
        let paths: Vec<_> = (1..=days.len()).map(|day| file(dir.path(), &format!("2026-04-{day:02}"))).collect();
        let sizes: Vec<usize> = paths.iter().map(|path| fs::metadata(path).unwrap().len() as usize).collect();
        let mut at = place.index(sizes.iter().sum());
        let which = sizes.iter().position(|size| { let here = at < *size; if !here { at -= size; } here }).unwrap();
        let mut bytes = fs::read(&paths[which]).unwrap();
        match cut {
            true => bytes.truncate(at),
            false => bytes[at] ^= 1 << bit,
        }
        fs::write(&paths[which], bytes).unwrap();
        // Emptying the first file is removing it, and what was removed from the front is told.
        let chain = verified(dir.path());
        prop_assert!(!chain.findings.is_empty() || chain.ends.unwrap()[0].0 > 0);
    }
}
