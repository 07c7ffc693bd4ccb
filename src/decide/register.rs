//! Decisions about the register of municipalities and their inhabitants.

use super::not_in_future;
use super::refusal::Refusal;
use super::state::State;
use crate::domain::area::{BoundaryChange, Municipality, Population};
use crate::domain::event::Event;
use crate::domain::time::Day;

pub(super) fn register_municipality(state: &State, new: &Municipality) -> Result<Event, Refusal> {
    match state.registered(new.code) {
        Some(position) => Err(Refusal::RegisteredAlready { code: new.code, position }),
        None => Ok(Event::MunicipalityRegistered(new.clone())),
    }
}

pub(super) fn change_boundaries(state: &State, change: &BoundaryChange) -> Result<Event, Refusal> {
    // The old ones must exist up to the day of the change, so that none is merged twice.
    state.all_exist(change.old().iter().copied(), change.effective_on())?;
    state.all_exist(change.heirs().into_iter().map(|(code, _)| code), change.effective_on())?;
    Ok(Event::BoundaryChanged(change.clone()))
}

pub(super) fn count_population(state: &State, count: &Population, today: Day) -> Result<Event, Refusal> {
    not_in_future("countedOn", count.counted_on, today)?;
    state.all_exist(count.inhabitants.codes(), count.counted_on)?;
    Ok(Event::PopulationCounted(count.clone()))
}
