//! Decisions about permits granted and places for unaccompanied minors.

use super::not_in_future;
use super::refusal::Refusal;
use super::state::State;
use crate::domain::amv::{AmvCapacity, AmvPlaces};
use crate::domain::event::Event;
use crate::domain::grants::Grants;
use crate::domain::time::Day;

pub(super) fn report_grants(grants: &Grants, today: Day) -> Result<Event, Refusal> {
    not_in_future("month", grants.month.last_day(), today)?;
    Ok(Event::GrantsReported(grants.clone()))
}

pub(super) fn set_capacity(state: &State, capacity: &AmvCapacity) -> Result<Event, Refusal> {
    if capacity.from > capacity.until {
        return Err(Refusal::DatesOutOfOrder { field: "until", problem: "is before the need begins" });
    }
    if let Some(numbers) = &capacity.per_municipality {
        state.list_exists(numbers.codes(), capacity.from)?;
    }
    Ok(Event::AmvCapacitySet(capacity.clone()))
}

pub(super) fn report_places(state: &State, places: &AmvPlaces, today: Day) -> Result<Event, Refusal> {
    not_in_future("countedOn", places.counted_on, today)?;
    if let Some(numbers) = &places.per_municipality {
        state.list_exists(numbers.codes(), places.counted_on)?;
    }
    Ok(Event::AmvPlacesReported(places.clone()))
}
