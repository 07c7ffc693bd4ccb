//! Many senders at once against one ledger: every event is there exactly once, and each was told where.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::sync::Mutex;
use std::thread;

use crate::folders::contents;
use crate::ledger_history::{event_id, fill, offer, open, placement, source, uuid};
use peildatum::decide::command::{Command, Identity};
use peildatum::decide::refusal::Refusal;
use peildatum::domain::time::Position;
use peildatum::ledger::{Ledger, LedgerError, Offered, Ticket};
use peildatum::store::{Access, StoreError};
use tempfile::TempDir;

/// A ledger with so many placements.
fn begun(placements: u64) -> (TempDir, Ledger) {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, _) = open(&folder.path().join("ledger"), Access::CreateIfAbsent).unwrap();
    fill(&mut ledger, placements);
    (folder, ledger)
}

/// Offers one placement and sends it to the disk, as a sender who waits for the answer outside the lock.
fn send(ledger: &Mutex<Ledger>, number: u64) -> (Result<Offered, Refusal>, Result<Ticket, LedgerError>) {
    let delivered_by = source();
    let mut ledger = ledger.lock().unwrap();
    let delivery = ledger.new_delivery();
    let mut batch = ledger.batch(delivery, &delivered_by);
    let identity = Identity { source: source(), id: Some(event_id(number)) };
    let offered = batch.offer(&identity, None, &Command::RecordPlacement(placement(number))).unwrap();
    (offered, batch.submit())
}

#[test]
fn sixty_four_senders_with_doubles_record_each_event_once_where_they_were_told() {
    let (folder, ledger) = begun(0);
    let ledger = Mutex::new(ledger);
    let told = Mutex::new(HashMap::<u64, Vec<Position>>::new());
    thread::scope(|scope| {
        for sender in 0..64 {
            let (ledger, told) = (&ledger, &told);
            scope.spawn(move || {
                // Each sends some that its neighbours send too.
                for number in sender * 20..sender * 20 + 30 {
                    let (offered, ticket) = send(ledger, number);
                    ticket.unwrap().wait().unwrap();
                    let (Offered::Recorded(position) | Offered::Known(position)) = offered.unwrap();
                    // What a sender is told of, everybody can read.
                    let entry = ledger.lock().unwrap().entry(position).unwrap();
                    assert_eq!(entry.id, event_id(number));
                    told.lock().unwrap().entry(number).or_default().push(position);
                }
            });
        }
    });
    let told = told.into_inner().unwrap();
    assert_eq!(told.len(), 63 * 20 + 30);
    assert!(told.values().all(|positions| positions.iter().all(|it| *it == positions[0])));
    let ledger = ledger.into_inner().unwrap();
    assert_eq!(ledger.size().0, 3 + 63 * 20 + 30);
    ledger.close().unwrap();
    let (ledger, notes) = open(&folder.path().join("ledger"), Access::MustExist).unwrap();
    assert_eq!(notes, []);
    for (number, positions) in told {
        let history = ledger.history(uuid(number).try_into().unwrap()).unwrap();
        assert_eq!(history.iter().map(|it| it.position).collect::<Vec<_>>(), [positions[0]]);
    }
}

#[test]
fn when_the_disk_fails_everybody_who_waits_is_told_and_nothing_more_is_recorded() {
    let (folder, ledger) = begun(10);
    let size = ledger.size();
    // Somebody else writes to the journal, which the writer sees before it adds to it.
    let journal = contents(&folder.path().join("ledger/journal")).into_keys().last().unwrap();
    File::options().append(true).open(journal).unwrap().write_all(b"stranger").unwrap();
    let ledger = Mutex::new(ledger);
    let sent: Vec<_> = (100..110).map(|number| send(&ledger, number)).collect();
    let mut told = sent.into_iter().map(|(offered, ticket)| {
        assert!(offered.is_ok());
        ticket.unwrap().wait().unwrap_err()
    });
    assert!(matches!(told.next(), Some(LedgerError::Store(StoreError::Damaged { .. }))));
    assert!(
        told.all(|it| matches!(it, LedgerError::Store(StoreError::Poisoned | StoreError::Damaged { .. })))
    );
    let ledger = ledger.into_inner().unwrap();
    assert_eq!(ledger.size(), size, "only what is durable is shown");
    assert!(ledger.history(uuid(100).try_into().unwrap()).unwrap().is_empty());
}

#[test]
fn a_batch_that_was_left_stops_the_ledger() {
    let (_folder, mut ledger) = begun(10);
    let delivered_by = source();
    let delivery = ledger.new_delivery();
    drop(ledger.batch(delivery, &delivered_by));
    let batch = ledger.batch(delivery, &delivered_by);
    assert!(matches!(batch.commit(), Err(LedgerError::Unfinished)));
}

#[test]
fn a_rehearsal_knows_what_it_rehearsed_and_writes_nothing() {
    let (folder, mut ledger) = begun(10);
    let dir = folder.path().join("ledger");
    let written = |dir: &std::path::Path| fs::read(dir.join("checkpoint")).unwrap();
    let before = (written(&dir), contents(&dir.join("journal")));
    ledger.rehearse().unwrap();
    let record = |number| (None, Command::RecordPlacement(placement(number)));
    for _ in 0..2 {
        offer(&mut ledger, (5..5_000).map(record));
    }
    let offered = offer(&mut ledger, [record(3), record(4_000), record(5_000)]);
    let positions = [Offered::Known(Position(6)), Offered::Known(Position(4_006))];
    assert_eq!(offered[..2], positions.map(Ok));
    assert!(matches!(offered[2], Ok(Offered::Recorded(Position(5_006)))));
    drop(ledger);
    assert!((written(&dir), contents(&dir.join("journal"))) == before);
}
