//! Who may call a server, as whoever runs one arranges it: tokens, and the record of what was done with them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use peildatum::domain::access::{Caller, Role};
use peildatum::domain::time::{Day, RecordedAt};
use peildatum::store::{Access, AuditRecord, AuditResult, Options, Store, Tokens, Trail};

use crate::program::{Desk, MUNICIPALITIES};

const OIN: &str = "00000001234567890000";

/// A desk whose ledger holds something, and the last day of a token that is valid now.
fn desk() -> (Desk, String) {
    let desk = Desk::new();
    desk.write("municipalities.csv", MUNICIPALITIES);
    desk.run("deliver municipalities.csv --from cbs").expect(0);
    (desk, today().plus_months(2).to_string())
}

fn now() -> RecordedAt {
    (peildatum::ledger::Outside::machine().clock)()
}

fn today() -> Day {
    now().dutch_day()
}

#[test]
fn a_token_is_shown_once_and_a_server_knows_it_at_once() {
    let (desk, until) = desk();
    let tokens = Tokens::open(&desk.ledger()).unwrap();
    let made =
        desk.run(&format!("token create tracking --role feeder --oin {OIN} --until {until}")).expect(0);
    let secret = made.out.trim_end();
    assert!(secret.starts_with("peil_") && secret.len() == 48, "{}", made.out);
    assert!(!made.err.contains(secret) && made.err.contains("shown this once"), "{}", made.err);

    let caller = tokens.find(secret, now()).unwrap().expect("is let in");
    assert_eq!(caller.source().unwrap().as_str(), format!("urn:nld:oin:{OIN}:systeem:tracking"));
    assert_eq!(tokens.find(&secret.replace("peil_", "peil-"), now()).unwrap(), None);

    // Nothing in the folder holds the secret, and nobody else can read the hashes.
    let file = desk.ledger().join("access/tokens");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!fs::read_to_string(&file).unwrap().contains(&secret[5..]));
    for format in ["table", "json", "csv"] {
        let listed = desk.run(&format!("token list --format {format}")).expect(0).quietly();
        assert!(listed.out.contains("tracking") && listed.out.contains(OIN), "{}", listed.out);
        assert!(!listed.out.contains(&secret[5..]) && !listed.out.contains("sha256"), "{}", listed.out);
    }

    desk.run("token revoke tracking").expect(0).quietly();
    assert_eq!(tokens.find(secret, now()).unwrap(), None);
    desk.run("token revoke tracking").expect(1).says("no token named tracking is in use");
    // The name is free again, and whoever had it before is still in the list.
    desk.run(&format!("token create tracking --role reader --until {until}")).expect(0);
    let states: Vec<_> =
        desk.run("token list --format csv").csv().iter().map(|row| row["state"].clone()).collect();
    assert_eq!(states, ["revoked", "live"]);
}

#[test]
fn tokens_are_made_while_a_server_holds_the_ledger_and_only_in_a_ledger() {
    let (desk, until) = desk();
    let held = Store::open(
        &desk.ledger(),
        &Options { access: Access::MustExist, ..Options::default() },
        &mut |_, _| Ok(()),
    );
    let held = held.unwrap();
    desk.run(&format!("token create r --role reader --until {until}")).expect(0);
    desk.run("token list").expect(0).quietly();
    desk.run("token revoke r").expect(0).quietly();
    drop(held);

    let nowhere = Desk::new();
    nowhere
        .run(&format!("token create r --role reader --until {until}"))
        .expect(2)
        .says("there is no ledger");
    nowhere.run("token list").expect(2).says("there is no ledger");
    assert!(!nowhere.ledger().exists());
}

#[test]
fn a_token_that_makes_no_sense_is_not_made() {
    let (desk, until) = desk();
    let late = today().plus_months(12).plus_days(1);
    for (typed, said) in [
        (format!("x --role feeder --until {until}"), "give the OIN of the organisation"),
        (format!("x --role municipality --oin {OIN} --until {until}"), "give one or more municipalities"),
        (format!("x --role reader --area NL --until {until}"), "leave them out"),
        (format!("x --role king --until {until}"), "write one of feeder decision_maker"),
        (format!("x --role reader --oin 123 --until {until}"), "write the 20 digits"),
        (format!("X --role reader --until {until}"), "is not a name"),
        ("x --role reader --until 2020-01-01".to_owned(), "is over"),
        ("x --role reader --until tomorrow".to_owned(), "is not a date"),
        (format!("x --role reader --until {late}"), "for a year at most"),
    ] {
        desk.run(&format!("token create {typed}")).expect(64).says(said);
    }
    assert_eq!(desk.run("token list").expect(0).out, "There are no tokens.\n");
    desk.run(&format!("token create x --role reader --until {late} --longer")).expect(0);
    desk.run(&format!("token create x --role reader --until {until}"))
        .expect(1)
        .says("a token named x is in use");
}

#[test]
fn what_is_typed_by_mistake_is_not_repeated() {
    let (desk, until) = desk();
    let secret = desk.run(&format!("token create x --role reader --until {until}")).expect(0).out;
    let secret = secret.trim_end();
    for typed in [
        format!("token revoke {secret}"),
        format!("token revoke x {secret}"),
        format!("token list {secret}"),
        format!("token create {secret} --role reader --until {until}"),
        "token revoke 111222333".to_owned(),
        "token list --format 111222333".to_owned(),
    ] {
        let ran = desk.run(&typed).expect(64);
        let said = ran.out + &ran.err;
        assert!(!said.contains(&secret[5..]) && !said.contains("111222333"), "{typed}: {said}");
    }
}

#[test]
fn every_token_fits_in_a_table_of_80_columns() {
    let (desk, until) = desk();
    let areas = ["GM0344", "GM0363", "GM0599"].map(|area| format!("--area {area}")).join(" ");
    let name = "a-name-of-forty-characters.that_is_long_";
    desk.run(&format!("token create {name} --role municipality --oin {OIN} {areas} --until {until}"))
        .expect(0);
    desk.run(&format!("token create d --role decision_maker --oin {OIN} --until {until}")).expect(0);
    desk.run("token revoke d").expect(0);
    let table = desk.run("token list").expect(0).quietly().out;
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    assert!(table.contains("decision_maker") && table.contains("GM0599"), "{table}");
}

#[test]
fn a_damaged_file_lets_nobody_in() {
    let (desk, until) = desk();
    let secret = desk.run(&format!("token create x --role reader --until {until}")).expect(0).out;
    let secret = secret.trim_end();
    desk.run(&format!("token create y --role reader --until {until}")).expect(0);
    let file = desk.ledger().join("access/tokens");
    let whole = fs::read(&file).unwrap();
    let tokens = Tokens::open(&desk.ledger()).unwrap();
    assert!(tokens.find(secret, now()).unwrap().is_some());

    // Each cut between two bytes and a flip of each byte, for whoever opens it anew.
    let is_read = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        Tokens::open(&desk.ledger()).is_ok()
    };
    for length in 0..whole.len() {
        assert!(!is_read(&whole[..length]), "cut at {length}");
    }
    for byte in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[byte] ^= 1;
        assert!(!is_read(&flipped), "byte {byte} flipped");
    }
    let without_a_line = String::from_utf8(whole.clone()).unwrap();
    let without_a_line: String =
        without_a_line.split_inclusive('\n').filter(|it| !it.contains("\"y\"")).collect();
    assert!(!is_read(without_a_line.as_bytes()), "a token taken out");
    desk.run("token list").expect(2).says("access/tokens is damaged").says("give everybody a new token");

    // And for a server that runs: damaged, gone, and an older copy.
    assert!(tokens.find(secret, now()).unwrap_err().to_string().contains("is damaged"));
    fs::remove_file(&file).unwrap();
    assert!(tokens.find(secret, now()).unwrap_err().to_string().contains("is gone"));
    fs::write(&file, &whole).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(tokens.find(secret, now()).unwrap().is_some());
    desk.run("token revoke x").expect(0);
    assert!(tokens.find(secret, now()).unwrap().is_none());
    fs::write(&file, &whole).unwrap();
    assert!(tokens.find(secret, now()).unwrap_err().to_string().contains("is shorter than it was"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    desk.run("token list").expect(2).says("can be read or written by others").says("chmod 600");
}

/// A desk with a record of three decisions on two days.
fn desk_with_a_record() -> Desk {
    let (desk, _) = desk();
    let feeder = Caller::new("tracking".parse().unwrap(), Role::Feeder, Some(OIN.parse().unwrap()), vec![]);
    let feeder = feeder.unwrap();
    let trail = Trail::start(&desk.ledger(), "2026-04-01T00:00:00Z".parse().unwrap()).unwrap();
    let delivered = AuditRecord {
        origin: Some("127.0.0.1".to_owned()),
        object: "/v1/deliveries/01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
        ..AuditRecord::new("2026-04-01T10:00:00Z".parse().unwrap(), Some(&feeder), "deliver")
    };
    let denied = AuditRecord {
        time: "2026-04-01T22:30:00Z".parse().unwrap(),
        actor: None,
        role: None,
        object: format!("/v1/{}", "long-".repeat(60)),
        result: AuditResult::Denied,
        status: Some(401),
        code: Some("unauthenticated".into()),
        ..delivered.clone()
    };
    let refused = AuditRecord {
        time: "2026-04-02T10:00:00Z".parse().unwrap(),
        object: "=1+1".to_owned(),
        result: AuditResult::Refused,
        ..delivered.clone()
    };
    for it in [delivered, denied, refused] {
        trail.record(it).unwrap();
    }
    trail.close().unwrap();
    desk
}

#[test]
fn who_did_what_is_shown_for_a_time_and_an_actor() {
    let desk = desk_with_a_record();
    let all = desk.run("audit").expect(0).quietly().out;
    assert!(all.lines().all(|line| line.chars().count() <= 80), "{all}");
    assert!(all.starts_with(
        "2026-04-01T10:00:00.000Z  done     deliver\n    /v1/deliveries/01890a5d-ac96-774b-bcce-b302099a8057\n    \
         by urn:nld:oin:00000001234567890000:systeem:tracking, feeder, from 127.0.0.1\n"
    ), "{all}");
    assert!(
        all.contains("denied   deliver (401 unauthenticated)") && all.contains("by somebody unknown"),
        "{all}"
    );
    let stored = fs::read_to_string(desk.ledger().join("audit/2026-04-01.jsonl")).unwrap();
    assert_eq!(desk.run("audit --format json --until 2026-04-02").expect(0).out.lines().count(), 3);
    // Half past ten in the evening in UTC is the next day in the Netherlands.
    assert_eq!(
        desk.run("audit --format json --until 2026-04-01").expect(0).out,
        stored.split_inclusive('\n').next().unwrap()
    );
    assert_eq!(desk.run("audit --format json --until 2026-04-01T23:00:00Z").expect(0).out, stored);
    for name in ["tracking", "urn:nld:oin:00000001234567890000:systeem:tracking"] {
        let rows = desk.run(&format!("audit --format csv --actor {name}")).expect(0).csv();
        let results: Vec<_> = rows.iter().map(|row| row["result"].as_str()).collect();
        assert_eq!(results, ["done", "refused"]);
        assert_eq!(rows[1]["object"], "'=1+1");
    }
    assert_eq!(desk.run("audit --since 2026-05-01").expect(0).quietly().out, "");
    desk.run("audit --since yesterday").expect(64).says("is not a moment");
}

#[test]
fn verify_says_whether_the_record_is_as_it_was_written() {
    let (untouched, _) = desk();
    assert!(!untouched.run("verify").expect(0).out.contains("Audit"));

    let desk = desk_with_a_record();
    let said = desk.run("verify").expect(0).quietly().out;
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.starts_with(
        "Audit record: lines 0 to 2, from 2026-04-01T10:00:00.000Z to 2026-04-02T10:00:00.000Z, each follows on the one before it."
    ), "{said}");

    let file = desk.ledger().join("audit/2026-04-01.jsonl");
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, whole.replace("\"denied\"", "\"done\"")).unwrap();
    let ran = desk.run("verify").expect(2).says("the audit record is not whole: 1 finding");
    assert!(ran.out.contains("audit/2026-04-02.jsonl, line 1: it does not follow"), "{}", ran.out);
    assert!(ran.out.contains("journal, events and checkpoint agree"), "{}", ran.out);

    fs::remove_file(&file).unwrap();
    let said = desk.run("verify").expect(0).out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("The 2 before them were removed."), "{said}");
}
