//! Decisions about quotas: published, allocated, exchanged, evaluated, carried over.

use super::not_in_future;
use super::refusal::Refusal;
use super::state::State;
use crate::domain::carry_over::CarryOver;
use crate::domain::evaluation::{Evaluation, Outcome};
use crate::domain::event::Event;
use crate::domain::half_year::HalfYear;
use crate::domain::quota::{Allocation, Exchange, ExchangeReport, Quota};
use crate::domain::regime::PhaseSet;
use crate::domain::time::Day;

pub(super) fn publish(quota: &Quota, today: Day) -> Result<Event, Refusal> {
    if let Some(day) = quota.published_on {
        not_in_future("publishedOn", day, today)?;
    }
    if quota.includes.iter().any(|part| part.half_year >= quota.half_year) {
        return Err(Refusal::DatesOutOfOrder {
            field: "includes",
            problem: "names a part of an earlier half-year that is not earlier",
        });
    }
    Ok(Event::QuotaPublished(quota.clone()))
}

pub(super) fn allocate(state: &State, allocation: &Allocation) -> Result<Event, Refusal> {
    state.list_exists(allocation.persons.codes(), allocation.half_year.first_day())?;
    state.has_quota(allocation.half_year)?;
    allocation.persons.codes().try_for_each(|code| state.is_not_revised(allocation.half_year, code))?;
    Ok(Event::QuotaAllocated(allocation.clone()))
}

pub(super) fn exchange(state: &State, report: &ExchangeReport, today: Day) -> Result<Event, Refusal> {
    let exchange = Exchange::try_from(report.clone())?;
    not_in_future("decidedOn", exchange.decided_on(), today)?;
    let half_year = exchange.half_year();
    let sides = [("from", exchange.from()), ("to", exchange.to())];
    state.all_exist(sides, half_year.first_day())?;
    state.has_quota(half_year)?;
    for (field, code) in sides {
        state.has_allocation(field, half_year, code)?;
    }
    Ok(Event::QuotaExchanged(exchange))
}

pub(super) fn evaluate(state: &State, evaluation: &Evaluation, today: Day) -> Result<Event, Refusal> {
    not_in_future("measuredOn", evaluation.measured_on, today)?;
    not_in_future("decidedOn", evaluation.decided_on, today)?;
    if evaluation.measured_on > evaluation.decided_on {
        return Err(Refusal::DatesOutOfOrder {
            field: "measuredOn",
            problem: "is later than the decision that rests on it",
        });
    }
    let half_year = evaluation.half_year;
    if let Outcome::Revised { persons, .. } = &evaluation.outcome {
        state.list_exists(persons.codes(), half_year.first_day())?;
    }
    state.has_quota(half_year)?;
    match &evaluation.outcome {
        Outcome::Kept {} => {}
        Outcome::Revised { persons, .. } => {
            persons.codes().try_for_each(|code| state.has_allocation("municipality", half_year, code))?;
        }
        Outcome::CarriedForward { into, .. } => follows(half_year, *into)?,
    }
    Ok(Event::EvaluationRecorded(evaluation.clone()))
}

pub(super) fn carry_over(state: &State, carry_over: &CarryOver, today: Day) -> Result<Event, Refusal> {
    // A standing is fixed when the half-year has closed, and not before.
    not_in_future("toHalfYear", carry_over.to_half_year.first_day(), today)?;
    state.list_exists(carry_over.persons.codes(), carry_over.to_half_year.first_day())?;
    follows(carry_over.from_half_year, carry_over.to_half_year)?;
    Ok(Event::CarryOverRecorded(carry_over.clone()))
}

/// A phase is an intention as long as it has not come, so it may lie in the future; and as it can be recorded anew, nothing
/// that was said before speaks against it.
pub(super) fn set_phase(phase: &PhaseSet) -> Event {
    Event::PhaseSet(phase.clone())
}

fn follows(from: HalfYear, to: HalfYear) -> Result<(), Refusal> {
    if from.next() == Some(to) { Ok(()) } else { Err(Refusal::DoesNotFollow { from, to }) }
}
