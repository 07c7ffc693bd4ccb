//! Decisions about placements: recorded, withdrawn, transferred, followed on, and which kinds count.

use super::recalled::{KnownPlacement, Recalled};
use super::refusal::Refusal;
use super::state::{Later, State};
use super::{Decided, not_in_future};
use crate::domain::event::Event;
use crate::domain::placement::{
    FollowOn, FollowOnReport, Housed, Move, Placement, PlacementKind, PlacementReport, Transfer,
    TransferReport, Withdrawal, WithdrawalReport,
};
use crate::domain::rules::CountingRule;
use crate::domain::time::Day;

pub(super) fn record(
    state: &State,
    recalled: &Recalled,
    report: &PlacementReport,
    today: Day,
) -> Result<Decided, Refusal> {
    match recalled.placement(report.placement) {
        // Delivered twice, recorded once; also when it was withdrawn in between, so that an old
        // file that is sent again brings nothing back.
        Some(known) if known.says(report) => return Ok(Decided::Known(known.position)),
        Some(known) => return Err(Refusal::PlacementIdInUse(known.position)),
        None => {}
    }
    let placement = Placement::try_from(report.clone())?;
    not_in_future("countsFrom", placement.counts_from(), today)?;
    if let Some(day) = report.matched_on {
        not_in_future("matchedOn", day, today)?;
    }
    let site = report.site_municipality.map(|code| ("siteMunicipality", code));
    let named = std::iter::once(("municipality", placement.municipality())).chain(site);
    state.all_exist(named, placement.counts_from())?;
    let counts = state.rules().count(report.kind, placement.counts_from());
    if let Some(position) =
        placement.person().filter(|_| counts).and_then(|it| state.counted_by(recalled, it))
    {
        return Err(Refusal::PersonCountedAlready(position));
    }
    Ok(Decided::New(vec![Event::PlacementRecorded(placement)]))
}

pub(super) fn withdraw(
    state: &State,
    recalled: &Recalled,
    report: &WithdrawalReport,
) -> Result<Decided, Refusal> {
    if let Some((position, reason)) = state.later(report.placement).withdrawn {
        return match reason == report.reason {
            true => Ok(Decided::Known(position)),
            false => Err(Refusal::WithdrawnAlready(position)),
        };
    }
    let (known, later) = state.standing_placement(recalled, report.placement)?;
    let withdrawal = Withdrawal {
        placement: report.placement,
        reason: report.reason,
        housed: known.housed,
        left_care_on: left_care_on(&known, &later),
        moves: later.moves.into_iter().map(|(_, step)| step).collect(),
    };
    Ok(Decided::New(vec![Event::PlacementWithdrawn(withdrawal)]))
}

pub(super) fn transfer(
    state: &State,
    recalled: &Recalled,
    report: &TransferReport,
    today: Day,
) -> Result<Decided, Refusal> {
    let moves = state.later(report.placement).moves;
    let same = |step: &Move| step.to == report.to && step.reported_on == report.reported_on;
    if let Some((position, _)) = moves.iter().find(|(_, step)| same(step)) {
        return Ok(Decided::Known(*position));
    }
    not_in_future("reportedOn", report.reported_on, today)?;
    let standing = state.standing_placement(recalled, report.placement);
    if let Ok((known, later)) = &standing {
        let since = later.moves.last().map_or(known.housed.counts_from, |(_, step)| step.reported_on);
        if report.reported_on < since {
            return Err(Refusal::DatesOutOfOrder {
                field: "reportedOn",
                problem: "is before the amv was placed or last moved",
            });
        }
    }
    state.exists("to", report.to, report.reported_on)?;
    let (known, later) = standing?;
    let housed = now_housed(&known, &later);
    if housed.kind != PlacementKind::AmvSmallScaleCare {
        return Err(Refusal::NotAnAmv(housed.kind));
    }
    if housed.municipality == report.to {
        return Err(Refusal::MovesNowhere(report.to));
    }
    Ok(Decided::New(vec![Event::PlacementTransferred(Transfer {
        placement: report.placement,
        to: report.to,
        reported_on: report.reported_on,
        housed,
    })]))
}

pub(super) fn follow_on(
    state: &State,
    recalled: &Recalled,
    report: &FollowOnReport,
    today: Day,
) -> Result<Decided, Refusal> {
    if let Some((position, day)) = state.later(report.placement).followed_on
        && day == report.housed_on
    {
        return Ok(Decided::Known(position));
    }
    not_in_future("housedOn", report.housed_on, today)?;
    let (known, later) = state.standing_placement(recalled, report.placement)?;
    let housed = now_housed(&known, &later);
    if report.housed_on < housed.counts_from {
        return Err(Refusal::DatesOutOfOrder {
            field: "housedOn",
            problem: "is before the placement itself",
        });
    }
    if let Some((position, _)) = later.followed_on {
        return Err(Refusal::FollowedOnAlready(position));
    }
    if !state.rules().count(housed.kind, housed.counts_from) {
        return Err(Refusal::DidNotCount(housed.kind));
    }
    Ok(Decided::New(vec![Event::FollowOnHousingRecorded(FollowOn {
        placement: report.placement,
        housed_on: report.housed_on,
        housed,
    })]))
}

pub(super) fn set_counting_rule(
    state: &State,
    recalled: &Recalled,
    rule: &CountingRule,
) -> Result<Event, Refusal> {
    let mut rules = state.rules().clone();
    rules.record(rule.clone());
    let twice = state.counted_twice(recalled, &rules);
    match twice[..] {
        [] => Ok(Event::CountingRuleSet(rule.clone())),
        [(first, second), ..] => Err(Refusal::WouldCountTwice { persons: twice.len(), first, second }),
    }
}

/// What a placement stands for now, after the moves since it was recorded.
fn now_housed(known: &KnownPlacement<'_>, later: &Later) -> Housed {
    let municipality = later.moves.last().map_or(known.housed.municipality, |(_, step)| step.to);
    let in_care_until = left_care_on(known, later).or(known.housed.in_care_until);
    Housed { municipality, in_care_until, ..known.housed }
}

/// The day on which the person left care before the recorded end of it: whoever moves to another
/// municipality or is housed finally gives the place free.
fn left_care_on(known: &KnownPlacement<'_>, later: &Later) -> Option<Day> {
    let moved = later.moves.first().map(|(_, step)| step.reported_on);
    let housed = later.followed_on.map(|(_, day)| day);
    let left = moved.into_iter().chain(housed).min()?;
    known.housed.in_care_until.is_none_or(|until| left < until).then_some(left)
}
