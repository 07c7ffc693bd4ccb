//! What is recorded about one placement, told anew where a scenario changes a part of it.
//!
//! Each entry about a placement holds a copy of what the placement stood for, so that it is complete on its own. When one of them is
//! left out or another is supposed, those that follow are made again as they would have been, by the rules by which they are
//! recorded.

use crate::decide::command::Command;
use crate::decide::refusal::Refusal;
use crate::domain::event::Event;
use crate::domain::placement::{FollowOn, Housed, Move, Placement, PlacementKind, Transfer, Withdrawal};
use crate::domain::time::{Day, Position};

/// What a placement stands for, step by step.
#[derive(Default)]
pub(super) struct Chain {
    recorded: Option<Housed>,
    moves: Vec<Move>,
    followed_on: Option<(Position, Day)>,
    is_withdrawn: bool,
}

impl Chain {
    /// The event that answers the next command about the placement, right after the entry at a position or as that entry.
    pub(super) fn next(&mut self, position: Position, command: &Command) -> Result<Event, Refusal> {
        match command {
            Command::RecordPlacement(it) => {
                let placement = Placement::try_from(it.clone())?;
                self.recorded = Some(placement.housed());
                Ok(Event::PlacementRecorded(placement))
            }
            Command::TransferPlacement(it) => {
                let housed = self.now()?;
                if housed.kind != PlacementKind::AmvSmallScaleCare {
                    return Err(Refusal::NotAnAmv(housed.kind));
                }
                if housed.municipality == it.to {
                    return Err(Refusal::MovesNowhere(it.to));
                }
                let since = self.moves.last().map_or(housed.counts_from, |step| step.reported_on);
                if it.reported_on < since {
                    let problem = "is before the amv was placed or last moved";
                    return Err(Refusal::DatesOutOfOrder { field: "reportedOn", problem });
                }
                let (placement, to, reported_on) = (it.placement, it.to, it.reported_on);
                self.moves.push(Move { from: housed.municipality, to, reported_on });
                Ok(Event::PlacementTransferred(Transfer { placement, to, reported_on, housed }))
            }
            Command::RecordFollowOn(it) => {
                let housed = self.now()?;
                if it.housed_on < housed.counts_from {
                    let problem = "is before the placement itself";
                    return Err(Refusal::DatesOutOfOrder { field: "housedOn", problem });
                }
                if let Some((before, _)) = self.followed_on {
                    return Err(Refusal::FollowedOnAlready(before));
                }
                self.followed_on = Some((position, it.housed_on));
                let (placement, housed_on) = (it.placement, it.housed_on);
                Ok(Event::FollowOnHousingRecorded(FollowOn { placement, housed_on, housed }))
            }
            Command::WithdrawPlacement(it) => {
                self.now()?;
                self.is_withdrawn = true;
                Ok(Event::PlacementWithdrawn(Withdrawal {
                    placement: it.placement,
                    reason: it.reason,
                    housed: self.recorded.ok_or(Refusal::UnknownPlacement)?,
                    moves: self.moves.clone(),
                    left_care_on: self.left_care_on(),
                }))
            }
            _ => unreachable!("only what is about a placement belongs to its chain"),
        }
    }

    /// What the placement stands for after the steps so far.
    fn now(&self) -> Result<Housed, Refusal> {
        let recorded = self.recorded.filter(|_| !self.is_withdrawn).ok_or(Refusal::UnknownPlacement)?;
        let municipality = self.moves.last().map_or(recorded.municipality, |step| step.to);
        let in_care_until = self.left_care_on().or(recorded.in_care_until);
        Ok(Housed { municipality, in_care_until, ..recorded })
    }

    /// The day on which the person left care before the recorded end of it.
    fn left_care_on(&self) -> Option<Day> {
        let moved = self.moves.first().map(|step| step.reported_on);
        let left = moved.into_iter().chain(self.followed_on.map(|(_, day)| day)).min()?;
        let until = self.recorded?.in_care_until;
        until.is_none_or(|until| left < until).then_some(left)
    }
}
