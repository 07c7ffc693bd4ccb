//! Decisions: what a command means, given what was recorded before.
//!
//! Pure: state, command and the day of today in; facts, nothing new, or a refusal out. Nothing here reads a clock
//! or a file, so the same question always gets the same answer and every rule can be tested as a sentence.

pub mod command;

pub mod recalled;

pub mod refusal;

pub mod seen;

pub mod state;

mod amv;

mod objection;

mod placement;

mod quota;

mod register;

use command::{Command, Identity};
use recalled::Recalled;
use refusal::Refusal;
use state::State;

use crate::domain::event::Event;
use crate::domain::time::{Day, Position};

/// What became of a command that was not refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decided {
    /// Facts that the ledger did not know.
    New(Vec<Event>),
    /// The same was recorded before, here. Delivered twice, recorded once.
    Known(Position),
}

/// Decides what a command means. `recalled` are the entries that [`State::recall`] asked for, and `today` is the day in
/// the Netherlands on which the ledger learns it.
///
/// # Errors
/// The first refusal in the order of precedence of [`Refusal`].
pub fn decide(
    state: &State,
    recalled: &Recalled,
    identity: &Identity,
    command: &Command,
    today: Day,
) -> Result<Decided, Refusal> {
    if let Some(id) = identity.id
        && let Some((position, same)) = recalled.delivered_before(&identity.source, id, command)
    {
        return if same { Ok(Decided::Known(position)) } else { Err(Refusal::EventIdInUse(position)) };
    }
    if let Some(position) = state.fact(identity, command) {
        return Ok(Decided::Known(position));
    }
    let event = match command {
        Command::RegisterMunicipality(it) => register::register_municipality(state, it)?,
        Command::ChangeBoundaries(it) => register::change_boundaries(state, it)?,
        Command::CountPopulation(it) => register::count_population(state, it, today)?,
        Command::PublishQuota(it) => quota::publish(it, today)?,
        Command::AllocateQuota(it) => quota::allocate(state, it)?,
        Command::ExchangeQuota(it) => quota::exchange(state, it, today)?,
        Command::RecordEvaluation(it) => quota::evaluate(state, it, today)?,
        Command::RecordCarryOver(it) => quota::carry_over(state, it, today)?,
        Command::RecordPlacement(it) => return placement::record(state, recalled, it, today),
        Command::WithdrawPlacement(it) => return placement::withdraw(state, recalled, it),
        Command::TransferPlacement(it) => return placement::transfer(state, recalled, it, today),
        Command::RecordFollowOn(it) => return placement::follow_on(state, recalled, it, today),
        Command::ReportGrants(it) => amv::report_grants(it, today)?,
        Command::SetAmvCapacity(it) => amv::set_capacity(state, it)?,
        Command::ReportAmvPlaces(it) => amv::report_places(state, it, today)?,
        Command::SetCountingRule(it) => placement::set_counting_rule(state, recalled, it)?,
        Command::SetPhase(it) => quota::set_phase(it),
        Command::RecordObjection(it) => objection::record(state, recalled, it, today)?,
        Command::SettleObjection(it) => objection::settle(state, it, today)?,
    };
    Ok(Decided::New(vec![event]))
}

/// Refuses a day that has not come yet.
fn not_in_future(field: &'static str, day: Day, today: Day) -> Result<(), Refusal> {
    if day > today { Err(Refusal::DateInFuture { field, day, today }) } else { Ok(()) }
}
