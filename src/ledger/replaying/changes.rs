//! What a scenario changes in a log: its words held against what is recorded, with everything that cannot be.

use std::collections::{BTreeMap, BTreeSet};

use super::chain::Chain;
use super::{Problem, Scenario, Selector, Unplayable};
use crate::book::posting::{Fixed, postings};
use crate::book::scenario::Changes;
use crate::book::{Book, Unanswerable};
use crate::decide::command::Command;
use crate::decide::refusal::Refusal;
use crate::domain::event::{Entry, Event};
use crate::domain::quota::Exchange;
use crate::domain::rules::CountingRules;
use crate::domain::source::PlacementId;
use crate::domain::time::{AsOf, Day, LogSize, Position, RecordedAt, ReferenceDate};
use crate::ledger::LedgerError;

/// What a scenario is held against.
pub trait History {
    /// How many entries there are.
    fn size(&self) -> LogSize;

    /// How many there were at a time.
    fn size_at(&self, time: RecordedAt) -> LogSize;

    /// The entry at a position that there is.
    ///
    /// # Errors
    /// When it cannot be read.
    fn entry(&self, position: Position) -> Result<Entry, LedgerError>;

    /// What is recorded about a placement, in the order of the log; nothing where it is unknown.
    ///
    /// # Errors
    /// When an entry cannot be read.
    fn about(&self, placement: PlacementId) -> Result<Vec<Entry>, LedgerError>;

    /// The book of all entries.
    fn book(&self) -> &Book<'static>;
}

/// What a scenario changes in a history.
///
/// # Errors
/// When it cannot be replayed (with all that is wrong with it), and when entries cannot be read.
pub fn changes(scenario: &Scenario, history: &impl History) -> Result<Changes, LedgerError> {
    Held(history).changes(scenario)
}

struct Held<'a, H>(&'a H);

impl<H: History> Held<'_, H> {
    /// What a scenario changes in this log.
    ///
    /// # Errors
    /// When it cannot be replayed (with all that is wrong with it), and when entries cannot be read.
    fn changes(&self, scenario: &Scenario) -> Result<Changes, LedgerError> {
        let mut faults = Vec::new();
        let left_out = self.left_out(scenario, &mut faults)?;
        let mut chains: BTreeMap<PlacementId, Vec<Link>> = BTreeMap::new();
        let mut changes = Changes::default();
        let mut all_supposed: Vec<Placed> = Vec::new();
        for (position, event) in left_out {
            match event.placement() {
                Some(placement) => chains.entry(placement).or_default().push(Link::LeftOut(position)),
                None => changes.left_out.push((position, event)),
            }
        }
        for (number, it) in scenario.with.iter().enumerate() {
            let at = format!("with[{number}]");
            let Some(position) = self.supposed_at(it.recorded_on) else {
                faults.push(match it.recorded_on {
                    Some(day) => (format!("{at}.recordedOn"), Problem::BeforeTheLog(day)),
                    None => (at, Problem::EmptyLog),
                });
                continue;
            };
            match supposed(&it.command) {
                Ok(Told::Event(event)) => all_supposed.push((position, number, *event)),
                Ok(Told::OfPlacement(placement)) => {
                    let link = Link::Supposed(position, number, Box::new(it.command.clone()));
                    chains.entry(placement).or_default().push(link);
                }
                Err(problem) => faults.push((at, problem)),
            }
        }
        for (placement, links) in chains {
            self.remake(placement, links, &mut changes, &mut all_supposed, &mut faults)?;
        }
        changes.left_out.sort_by_key(|(position, _)| *position);
        changes.remade.sort_by_key(|(position, _)| *position);
        // Counting rules stand first, so that they hold for what is supposed at the same place.
        let is_rule = |event: &Event| matches!(event, Event::CountingRuleSet(_));
        all_supposed.sort_by_key(|(position, number, event)| (*position, !is_rule(event), *number));
        changes.supposed =
            all_supposed.iter().map(|(position, _, event)| (*position, event.clone())).collect();
        if faults.is_empty() && !all_supposed.is_empty() {
            self.hold_against_register(&changes, &all_supposed, &mut faults);
        }
        // In the order of the file.
        faults.sort_by_key(|(at, _)| place(at));
        match faults.is_empty() {
            true => Ok(changes),
            false => Err(Unplayable { scenario: scenario.name.clone(), faults }.into()),
        }
    }

    /// The entries that a scenario names as left out.
    fn left_out(
        &self,
        scenario: &Scenario,
        faults: &mut Vec<(String, Problem)>,
    ) -> Result<BTreeMap<Position, Event>, LedgerError> {
        let size = self.0.size();
        let book = self.0.book();
        let mut all = BTreeMap::new();
        for (number, selector) in scenario.without.iter().enumerate() {
            let selected = match *selector {
                Selector::Entry(position) if position.is_known_at(size) => Ok(BTreeSet::from([position])),
                Selector::Entry(position) => Err(Problem::NoSuchEntry { position: position.0, size: size.0 }),
                Selector::Placement(placement) => {
                    let about = self.0.about(placement)?;
                    let positions: BTreeSet<_> = about.iter().map(|entry| entry.position).collect();
                    if positions.is_empty() { Err(Problem::NoSuchPlacement) } else { Ok(positions) }
                }
                Selector::OfHalfYear(event, half_year) => match book.stated_at(event, half_year) {
                    None => Err(Problem::NotOfHalfYear(event)),
                    Some(positions) if positions.is_empty() => Err(Problem::NothingOf { event, half_year }),
                    Some(positions) => Ok(positions),
                },
                Selector::RulesOf(kind) => {
                    let positions = book.ruled_at(kind);
                    if positions.is_empty() { Err(Problem::NoRule(kind)) } else { Ok(positions) }
                }
            };
            match selected {
                Err(problem) => faults.push((format!("without[{number}]"), problem)),
                Ok(positions) => {
                    for position in positions.into_iter().filter(|it| it.is_known_at(size)) {
                        let event = self.0.entry(position)?.event;
                        match event {
                            Event::ObjectionRecorded(_) | Event::ObjectionSettled(_) => {
                                faults.push((format!("without[{number}]"), Problem::Objection));
                            }
                            event => {
                                all.insert(position, event);
                            }
                        }
                    }
                }
            }
        }
        Ok(all)
    }

    /// The entry after which something would have been recorded; nothing where there is none.
    fn supposed_at(&self, recorded_on: Option<Day>) -> Option<Position> {
        let known_at = match recorded_on {
            None => self.0.size(),
            Some(day) => self.0.size_at(RecordedAt::start_of(day.plus_days(1))),
        };
        known_at.0.checked_sub(1).map(Position)
    }

    /// Tells what is recorded about a placement anew, without some entries and with others.
    fn remake(
        &self,
        placement: PlacementId,
        links: Vec<Link>,
        changes: &mut Changes,
        all_supposed: &mut Vec<Placed>,
        faults: &mut Vec<(String, Problem)>,
    ) -> Result<(), LedgerError> {
        let is_left_out = |at: Position| links.iter().any(|it| matches!(it, Link::LeftOut(it) if *it == at));
        let recorded = self.0.about(placement)?.into_iter();
        // What is supposed right after an entry stands behind it.
        let mut steps: Vec<_> =
            recorded.map(|entry| (entry.position, Step::Recorded(Box::new(entry.event)))).collect();
        for link in &links {
            if let Link::Supposed(position, number, command) = link {
                steps.push((*position, Step::Supposed(*number, command)));
            }
        }
        steps.sort_by_key(|(position, step)| (*position, matches!(step, Step::Supposed(..))));
        let mut chain = Chain::default();
        let mut recorded_at = None;
        for (position, step) in steps {
            match step {
                Step::Recorded(event) => {
                    let event = *event;
                    let next = match is_left_out(position) {
                        true => None,
                        // What rests on what is left out is left out with it.
                        false => chain.next(position, &Command::of(&event)).ok(),
                    };
                    if let Event::PlacementRecorded(_) = event
                        && next.is_some()
                    {
                        recorded_at = Some(position);
                    }
                    if next.as_ref() != Some(&event) {
                        changes.left_out.push((position, event));
                        changes.remade.extend(next.map(|event| (position, event)));
                    }
                }
                Step::Supposed(number, command) => {
                    let next = match (command, recorded_at) {
                        (Command::RecordPlacement(_), Some(at)) => Err(Refusal::PlacementIdInUse(at)),
                        _ => chain.next(position, command),
                    };
                    match next {
                        Ok(event) => all_supposed.push((position, number, event)),
                        Err(refusal) => faults.push((told_at(number, &refusal), Problem::Refused(refusal))),
                    }
                }
            }
        }
        Ok(())
    }

    /// Whoever is given a number must be in the register, and whoever is given a person must exist on the day.
    fn hold_against_register(
        &self,
        changes: &Changes,
        all_supposed: &[Placed],
        faults: &mut Vec<(String, Problem)>,
    ) {
        let book = self.0.book();
        let under = book.under(changes);
        let is_left_out = |at: Position| changes.left_out.iter().any(|(position, _)| *position == at);
        let mut fault = |number: usize, refusal: Refusal| {
            let fault = (told_at(number, &refusal), Problem::Refused(refusal));
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        };
        for (position, number, event) in all_supposed {
            let field = "municipality";
            postings(*position, event, &CountingRules::default(), &Fixed::default(), &mut |it| {
                let code = it.municipality;
                if under.registered_at(code).is_none() {
                    return fault(*number, Refusal::UnknownMunicipality { field, code });
                }
                if it.line.is_obligation() {
                    return;
                }
                let on = AsOf { reference_date: ReferenceDate(it.valid_on), known_at: LogSize(u64::MAX) };
                match under.municipality(code, on) {
                    Ok(_) | Err(Unanswerable::UnknownMunicipality(..)) => {}
                    Err(Unanswerable::NotYet { code, from, on }) => {
                        fault(*number, Refusal::MunicipalityNotYet { field, code, from, on });
                    }
                    Err(Unanswerable::Ceased { code, on, ceased, successors }) => {
                        fault(*number, Refusal::MunicipalityCeased { field, code, on, ceased, successors });
                    }
                }
            });
            match event {
                Event::MunicipalityRegistered(it) => {
                    if let Some(position) = book.registered_at(it.code).filter(|at| !is_left_out(*at)) {
                        fault(*number, Refusal::RegisteredAlready { code: it.code, position });
                    }
                }
                Event::BoundaryChanged(it) => {
                    let heirs = it.heirs().into_iter().map(|(code, _)| code);
                    for code in it.old().iter().copied().chain(heirs) {
                        if under.registered_at(code).is_none() {
                            fault(*number, Refusal::UnknownMunicipality { field, code });
                        }
                    }
                    if let Some(code) = under.taken_over_wrongly() {
                        faults.push((format!("with[{number}].data"), Problem::Boundaries(code)));
                        return;
                    }
                }
                _ => {}
            }
        }
    }
}

/// What is supposed: after which entry, which of the file it is, and what it says.
type Placed = (Position, usize, Event);

/// The event that would answer a command, or the placement that it is about.
fn supposed(command: &Command) -> Result<Told, Problem> {
    let placement = match command {
        Command::RecordPlacement(it) => it.placement,
        Command::WithdrawPlacement(it) => it.placement,
        Command::TransferPlacement(it) => it.placement,
        Command::RecordFollowOn(it) => it.placement,
        Command::RecordObjection(_) | Command::SettleObjection(_) => return Err(Problem::Objection),
        Command::ExchangeQuota(it) => {
            let exchange = Exchange::try_from(it.clone());
            let exchange = exchange.map_err(|fault| Problem::Refused(fault.into()))?;
            return Ok(Told::Event(Box::new(Event::QuotaExchanged(exchange))));
        }
        Command::RegisterMunicipality(it) => return Ok(Event::MunicipalityRegistered(it.clone()).into()),
        Command::ChangeBoundaries(it) => return Ok(Event::BoundaryChanged(it.clone()).into()),
        Command::CountPopulation(it) => return Ok(Event::PopulationCounted(it.clone()).into()),
        Command::PublishQuota(it) => return Ok(Event::QuotaPublished(it.clone()).into()),
        Command::AllocateQuota(it) => return Ok(Event::QuotaAllocated(it.clone()).into()),
        Command::RecordEvaluation(it) => return Ok(Event::EvaluationRecorded(it.clone()).into()),
        Command::RecordCarryOver(it) => return Ok(Event::CarryOverRecorded(it.clone()).into()),
        Command::ReportGrants(it) => return Ok(Event::GrantsReported(it.clone()).into()),
        Command::SetAmvCapacity(it) => return Ok(Event::AmvCapacitySet(it.clone()).into()),
        Command::ReportAmvPlaces(it) => return Ok(Event::AmvPlacesReported(it.clone()).into()),
        Command::SetCountingRule(it) => return Ok(Event::CountingRuleSet(it.clone()).into()),
        Command::SetPhase(it) => return Ok(Event::PhaseSet(it.clone()).into()),
    };
    Ok(Told::OfPlacement(placement))
}

/// What a supposed command comes to.
enum Told {
    /// An event by itself.
    Event(Box<Event>),
    /// A part of what is recorded about a placement.
    OfPlacement(PlacementId),
}

impl From<Event> for Told {
    fn from(event: Event) -> Self {
        Self::Event(Box::new(event))
    }
}

/// What a scenario does about one placement.
enum Link {
    LeftOut(Position),
    /// After which entry, which of the supposed it is, and what it says.
    Supposed(Position, usize, Box<Command>),
}

/// One step in what is told of a placement.
enum Step<'a> {
    Recorded(Box<Event>),
    /// Which of the supposed it is, and what it says.
    Supposed(usize, &'a Command),
}

/// Where a fault stands in the file: first what is left out, then what is supposed, then the whole.
fn place(at: &str) -> (u8, usize) {
    let number = |rest: &str| rest.split(']').next().and_then(|it| it.parse().ok()).unwrap_or(usize::MAX);
    match (at.strip_prefix("without["), at.strip_prefix("with[")) {
        (Some(rest), _) => (0, number(rest)),
        (_, Some(rest)) => (1, number(rest)),
        _ => (2, 0),
    }
}

/// The place of a supposed event and of the field that is refused.
fn told_at(number: usize, refusal: &Refusal) -> String {
    match refusal.field() {
        "" => format!("with[{number}]"),
        field => format!("with[{number}].data.{field}"),
    }
}
