//! Senders who deliver one placement at a time: each waits until it is durable before the next.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use peildatum::domain::placement::PlacementReport;

use crate::Failure;
use crate::generated::SEED;
use crate::generated::placements::Placements;
use crate::measured::Rate;

/// Somebody who waits until what was handed over is durable.
pub struct Waiting {
    /// What was handed over.
    pub report: PlacementReport,
    /// Tells that it is durable, or why it is not.
    pub told: SyncSender<Result<(), String>>,
}

/// New placements for each of so many senders. Each `turn` gives other ones.
fn placements(senders: u64, count: u64, turn: u64) -> Vec<Vec<PlacementReport>> {
    let each = count.div_ceil(senders);
    (0..senders)
        .map(|sender| Placements::new(SEED ^ ((turn + 1) << 32) ^ ((sender + 1) << 40), each).collect())
        .collect()
}

/// One sender alone.
pub fn alone(
    count: u64,
    turn: u64,
    mut hand_over: impl FnMut(PlacementReport) -> Result<(), Failure>,
) -> Result<Rate, Failure> {
    let placements = placements(1, count, turn).into_iter().flatten();
    Rate::of(count, || placements.into_iter().try_for_each(&mut hand_over))
}

/// Many senders at once.
pub fn together(
    senders: u64,
    count: u64,
    turn: u64,
    hand_over: impl Fn(PlacementReport) -> Result<(), String> + Sync,
) -> Result<Rate, Failure> {
    let placements = placements(senders, count, turn);
    let count = placements.iter().map(|it| it.len() as u64).sum();
    Rate::of(count, || {
        thread::scope(|scope| {
            let send = |own: Vec<PlacementReport>| own.into_iter().try_for_each(&hand_over);
            let senders: Vec<_> = placements.into_iter().map(|own| scope.spawn(move || send(own))).collect();
            senders.into_iter().try_for_each(|it| it.join().expect("a sender does not panic"))
        })
        .map_err(Failure::from)
    })
}

/// Many senders at once, who all hand over to the thread that calls this.
pub fn together_to_one(
    senders: u64,
    count: u64,
    turn: u64,
    mut record: impl FnMut(Receiver<Waiting>) -> Result<(), Failure>,
) -> Result<Rate, Failure> {
    let (to, from) = sync_channel::<Waiting>(usize::try_from(senders).expect("a number of threads"));
    thread::scope(|scope| {
        let sending = scope.spawn(move || {
            let rate = together(senders, count, turn, |report| {
                let (told, tells) = sync_channel(1);
                to.send(Waiting { report, told }).map_err(|_| "nobody records any more".to_owned())?;
                tells.recv().unwrap_or_else(|_| Err("nobody told what became of it".to_owned()))
            });
            // A failure need not be able to leave its thread, but its words are.
            rate.map_err(|failure| failure.to_string())
        });
        record(from)?;
        sending.join().expect("a sender does not panic").map_err(Failure::from)
    })
}
