//! A ledger with a long generated history, and the questions by which two ledgers are found to be the same.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use peildatum::book::statement::Reading;
use peildatum::decide::command::{Command, Identity};
use peildatum::decide::refusal::Refusal;
use peildatum::domain::area::{Area, Municipality};
use peildatum::domain::objection::{Contests, Ground, ObjectionReport, ObjectionSettled, Settlement};
use peildatum::domain::placement::{
    FollowOnReport, PlacementKind, PlacementReport, TransferReport, WithdrawalReason, WithdrawalReport,
};
use peildatum::domain::source::{EventId, ObjectionId, Source};
use peildatum::domain::time::{Day, LogSize, RecordedAt, ReferenceDate};
use peildatum::ledger::{By, KnownAt, Ledger, LedgerError, Offered, Outside};
use peildatum::store::{Access, Note};
use uuid::{Builder, Uuid};

/// A random-looking UUID of version 4 that is the same for the same number.
pub fn uuid(number: u64) -> Uuid {
    Builder::from_random_bytes(bytes(number)).into_uuid()
}

/// The same of version 7.
pub fn event_id(number: u64) -> EventId {
    let mixed = bytes(number);
    Builder::from_unix_timestamp_millis(number, mixed[..10].try_into().unwrap())
        .into_uuid()
        .try_into()
        .unwrap()
}

fn bytes(number: u64) -> [u8; 16] {
    let mut random = fastrand::Rng::with_seed(number);
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    bytes
}

pub fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// The placement with this number: one in nine is of an amv in small-scale care.
pub fn placement(number: u64) -> PlacementReport {
    let amv = number % 9 == 4;
    let total = number % 100 == 7;
    PlacementReport {
        placement: uuid(number).try_into().unwrap(),
        municipality: ["GM0001", "GM0002", "GM0003"][(number % 3) as usize].parse().unwrap(),
        site_municipality: None,
        counts_from: day("2022-01-01").plus_days((number * 7 % 1_200) as u16),
        kind: if amv { PlacementKind::AmvSmallScaleCare } else { PlacementKind::Regular },
        persons: (if total { 4 } else { 1 }).try_into().unwrap(),
        person: (!total).then(|| uuid(1 << 40 | number).try_into().unwrap()),
        permit_granted_on: None,
        matched_on: None,
        care_ends: (amv && number.is_multiple_of(2)).then(|| "2027-04".parse().unwrap()),
        turns_18: (amv && number.is_multiple_of(4)).then(|| "2026-04".parse().unwrap()),
    }
}

/// Opens a ledger whose clock goes a second forward at every look.
pub fn open(dir: &Path, access: Access) -> Result<(Ledger, Vec<Note>), LedgerError> {
    let now = Arc::new(AtomicI64::new(1_780_000_000_000));
    let clock =
        move || RecordedAt::from_millis(now.fetch_add(1_000, Ordering::Relaxed)).expect("a time of ours");
    let mut number = 1 << 41;
    let ids = move |at: RecordedAt| {
        number += 1;
        let mixed = bytes(number);
        Builder::from_unix_timestamp_millis(at.millis().unsigned_abs(), mixed[..10].try_into().unwrap())
            .into_uuid()
    };
    let outside = Outside { clock: Box::new(clock), ids: Box::new(ids) };
    Ledger::open(dir, access, outside, &mut |_| {})
}

pub fn source() -> Source {
    "generated/test".parse().unwrap()
}

/// Offers commands in one batch; those with a number get an identity of their sender.
pub fn offer(
    ledger: &mut Ledger,
    commands: impl IntoIterator<Item = (Option<u64>, Command)>,
) -> Vec<Result<Offered, Refusal>> {
    let delivered_by = source();
    let delivery = ledger.new_delivery();
    let mut batch = ledger.batch(delivery, &delivered_by);
    let offered = commands.into_iter().map(|(number, command)| {
        let identity = Identity { source: source(), id: number.map(event_id) };
        batch.offer(&identity, None, &command).unwrap()
    });
    let offered = offered.collect();
    batch.commit().unwrap();
    offered
}

/// Registers three municipalities and records so many placements, with some contested, withdrawn, moved and followed on.
pub fn fill(ledger: &mut Ledger, placements: u64) {
    let municipalities = ["GM0001", "GM0002", "GM0003"].map(|code| {
        Command::RegisterMunicipality(Municipality {
            code: code.parse().unwrap(),
            name: format!("Gemeente {code}").parse().unwrap(),
            province: "PV28".parse().unwrap(),
            safety_region: "VR17".parse().unwrap(),
            from: day("2018-01-01"),
        })
    });
    offer(ledger, municipalities.map(|command| (None, command)));
    for group in 0..placements.div_ceil(2_000) {
        let numbers = group * 2_000..placements.min((group + 1) * 2_000);
        let commands = numbers.clone().map(|number| {
            let sender = (number.is_multiple_of(5)).then_some(number);
            (sender, Command::RecordPlacement(placement(number)))
        });
        let offered = offer(ledger, commands);
        assert!(offered.iter().all(|it| matches!(it, Ok(Offered::Recorded(_)))), "all are new");
        let contested = numbers.clone().filter(|number| number % 450 == 4);
        let offered = offer(ledger, contested.clone().map(|number| (None, objection(number))));
        assert!(offered.iter().all(|it| matches!(it, Ok(Offered::Recorded(_)))), "all are new");
        let settled = contested.filter(|number| number % 900 == 4);
        offer(ledger, settled.map(|number| (None, settled_objection(number))));
        offer(ledger, numbers.filter(|number| number % 90 == 4).map(|number| (None, later(number))));
    }
}

/// The objection of its municipality to a placement.
pub fn objection(number: u64) -> Command {
    let report = placement(number);
    Command::RecordObjection(ObjectionReport {
        objection: objection_id(number),
        municipality: report.municipality,
        contests: Contests::Placement { placement: report.placement },
        ground: Ground::NotHousedHere,
        raised_on: report.counts_from.plus_days(20),
        reference: "Objection".parse().unwrap(),
    })
}

/// How that objection ended.
pub fn settled_objection(number: u64) -> Command {
    Command::SettleObjection(ObjectionSettled {
        objection: objection_id(number),
        outcome: Settlement::Dismissed,
        settled_on: placement(number).counts_from.plus_days(30),
        reference: "Decision".parse().unwrap(),
    })
}

fn objection_id(number: u64) -> ObjectionId {
    event_id(1 << 42 | number).uuid().try_into().unwrap()
}

/// What happens later to some placements.
fn later(number: u64) -> Command {
    let report = placement(number);
    let (placement, on) = (report.placement, report.counts_from.plus_days(40));
    match (report.kind, number / 90 % 3) {
        (PlacementKind::AmvSmallScaleCare, 0) => {
            let to = if report.municipality == "GM0001".parse().unwrap() { "GM0002" } else { "GM0001" };
            Command::TransferPlacement(TransferReport { placement, to: to.parse().unwrap(), reported_on: on })
        }
        (_, 1) => Command::RecordFollowOn(FollowOnReport { placement, housed_on: on }),
        _ => {
            Command::WithdrawPlacement(WithdrawalReport { placement, reason: WithdrawalReason::NeverHoused })
        }
    }
}

/// Everything that a ledger answers to a number of questions, its root and its history of some placements included.
pub fn answers(ledger: &Ledger) -> Vec<String> {
    let size = ledger.size().0;
    let mut answers = vec![format!("{:?}", ledger.checkpoint(ledger.size()).unwrap())];
    for (date, known_at) in [
        ("2022-03-09", size),
        ("2023-07-01", size),
        ("2025-12-31", size),
        ("2024-06-30", 65_536),
        ("2024-06-30", 65_535),
        ("2024-06-30", 40_000),
        ("2027-05-01", size - 1),
    ] {
        let known_at = KnownAt::Size(LogSize(known_at.min(size)));
        let as_of = ledger.as_of(ReferenceDate(day(date)), known_at).unwrap();
        let all = ledger.statements(Area::Country, By::Municipality, as_of, Reading::OldestFirst).unwrap();
        answers.extend(all.iter().map(|it| serde_json::to_string(it).unwrap()));
    }
    for number in [4, 7, 90_000 % size, 94, 184, 274] {
        let history = ledger.history(uuid(number).try_into().unwrap()).unwrap();
        answers.push(format!("{history:?}"));
    }
    answers
}
