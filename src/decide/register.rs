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
    let day = change.effective_on();
    // What one municipality leaves goes on from change to change, each later than the one before, so
    // that it comes to an end: none takes over another when it has ceased itself.
    if change.old().iter().any(|&old| state.took_over(old).is_some_and(|later| day <= later)) {
        return Err(Refusal::DatesOutOfOrder {
            field: "effectiveOn",
            problem: "is not after the day on which an old municipality took over another",
        });
    }
    let old = change.old().iter().map(|&code| ("old", code));
    let heirs = change.heirs().into_iter().map(|(code, _)| ("new", code));
    state.all_exist(old.chain(heirs), day)?;
    // An old one that ceases later is known to cease already: nobody is taken over twice.
    change.old().iter().try_for_each(|&old| state.never_ceases(old))?;
    Ok(Event::BoundaryChanged(change.clone()))
}

pub(super) fn count_population(state: &State, count: &Population, today: Day) -> Result<Event, Refusal> {
    not_in_future("countedOn", count.counted_on, today)?;
    state.list_exists(count.inhabitants.codes(), count.counted_on)?;
    Ok(Event::PopulationCounted(count.clone()))
}
