//! The little that decisions need to know of everything that was recorded.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::command::{Command, Fingerprint, Identity, fingerprint};
use super::recalled::{Claim, KnownPlacement, Recalled};
use super::refusal::Refusal;
use super::seen::{Key, PlacementKeys, Seen};
use crate::domain::area::{Inhabitants, Municipality, MunicipalityCode};
use crate::domain::evaluation::Outcome;
use crate::domain::event::{Entry, Event, IdBy};
use crate::domain::half_year::HalfYear;
use crate::domain::objection::{Contested, Contests, FigureName};
use crate::domain::persons::{Balance, Persons};
use crate::domain::placement::{Move, PlacementKind, WithdrawalReason};
use crate::domain::quota::Allocation;
use crate::domain::reference::Reference;
use crate::domain::rules::CountingRules;
use crate::domain::source::{ObjectionId, PersonToken, PlacementId};
use crate::domain::time::{Day, Position};

/// What decisions need to know: a fold over the entries, in the order of the log.
#[derive(Debug, Default)]
pub struct State {
    municipalities: BTreeMap<MunicipalityCode, Registered>,
    quotas: BTreeSet<HalfYear>,
    /// For each municipality and half-year, where its number was said last.
    allocated: BTreeMap<(HalfYear, MunicipalityCode), Position>,
    revised: BTreeMap<(HalfYear, MunicipalityCode), Position>,
    carried_over: BTreeMap<(HalfYear, MunicipalityCode), Position>,
    rules: CountingRules,
    /// Everything but placements, by fingerprint: what was said before in the same words.
    facts: HashMap<Fingerprint, Position>,
    /// For each thing that facts are about, the last of them: the one in force.
    in_force: HashMap<Fingerprint, Position>,
    /// Each number of a list, as if it had been said alone; of inhabitants the last one of a day.
    rows: HashMap<Fingerprint, Position>,
    inhabitants: HashMap<(Day, MunicipalityCode), (Inhabitants, Position)>,
    /// The events that a sender gave an identity.
    events: Seen,
    placements: Seen,
    persons: Seen,
    /// Pairs of placements that may be of the same person.
    same_person: Vec<(Position, Position)>,
    /// What happened to a placement later, which is rare.
    later: HashMap<PlacementId, Later>,
    /// Objections are rarer still.
    objections: HashMap<ObjectionId, Objected>,
    /// The objections that are not settled, by what they contest.
    open: HashMap<(MunicipalityCode, Target), Position>,
    /// How many entries were taken up.
    size: u64,
}

/// An objection that was recorded.
#[derive(Clone, Copy, Debug)]
pub struct Objected {
    /// Where.
    pub position: Position,
    /// The entry that it contests, where it is not a figure.
    pub entry: Option<Position>,
    /// The placement that this entry is about, if it is about one.
    pub placement: Option<PlacementId>,
    /// Where it was settled.
    pub settled: Option<Position>,
    pub(super) raised_on: Day,
    municipality: MunicipalityCode,
    target: Target,
}

/// What can be contested once at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Target {
    Entry(Position),
    Figure(HalfYear, FigureName),
}

impl Target {
    pub(super) fn of(contested: &Contested) -> Self {
        match contested {
            Contested::Entry { entry, .. } | Contested::Placement { entry, .. } => Self::Entry(*entry),
            Contested::Figure { figure } => Self::Figure(figure.half_year(), figure.name()),
        }
    }
}

/// A number of a municipality and half-year that is restated by saying it anew.
#[derive(Clone, Copy, Debug)]
pub(super) enum Numbered {
    Quota,
    Revision,
    CarryOver,
}

#[derive(Debug)]
struct Registered {
    municipality: Municipality,
    position: Position,
    ceased: Option<(Day, Vec<MunicipalityCode>)>,
    /// The last day on which it took over another.
    took_over: Option<Day>,
}

/// What happened to a placement after it was recorded.
#[derive(Clone, Debug, Default)]
pub struct Later {
    /// The moves of an amv, in the order of the log.
    pub moves: Vec<(Position, Move)>,
    /// Final housing.
    pub followed_on: Option<(Position, Day)>,
    /// The withdrawal.
    pub withdrawn: Option<(Position, WithdrawalReason)>,
}

impl State {
    /// Takes up one more entry.
    pub fn apply(&mut self, entry: &Entry) {
        let position = entry.position;
        self.size = position.0 + 1;
        if let Some(keys) = PlacementKeys::of(entry) {
            return self.place(position, keys);
        }
        if entry.id_by == IdBy::Sender {
            self.events.insert(Key::of_event(&entry.source, entry.id), position);
        }
        match &entry.event {
            Event::PlacementRecorded(_) => unreachable!("it has keys"),
            Event::PlacementWithdrawn(it) => {
                self.later.entry(it.placement).or_default().withdrawn = Some((position, it.reason));
                return;
            }
            Event::PlacementTransferred(it) => {
                self.later.entry(it.placement).or_default().moves.push((position, it.step()));
                return;
            }
            Event::FollowOnHousingRecorded(it) => {
                self.later.entry(it.placement).or_default().followed_on = Some((position, it.housed_on));
                return;
            }
            Event::MunicipalityRegistered(it) => {
                let registered =
                    Registered { municipality: it.clone(), position, ceased: None, took_over: None };
                self.municipalities.insert(it.code, registered);
            }
            Event::BoundaryChanged(it) => {
                let heirs: Vec<_> = it.heirs().into_iter().map(|(code, _)| code).collect();
                for old in it.old() {
                    if let Some(registered) = self.municipalities.get_mut(old) {
                        registered.ceased = Some((it.effective_on(), heirs.clone()));
                    }
                }
                for heir in &heirs {
                    if let Some(registered) = self.municipalities.get_mut(heir) {
                        registered.took_over = registered.took_over.max(Some(it.effective_on()));
                    }
                }
            }
            Event::QuotaPublished(it) => {
                self.quotas.insert(it.half_year);
            }
            Event::PopulationCounted(it) => {
                let numbers = it.inhabitants.iter();
                self.inhabitants
                    .extend(numbers.map(|(code, number)| ((it.counted_on, code), (*number, position))));
            }
            Event::CarryOverRecorded(it) => {
                let rows = it.persons.iter().map(|(code, number)| {
                    (
                        carry_over_row(it.from_half_year, it.to_half_year, &it.reference, code, *number),
                        position,
                    )
                });
                self.rows.extend(rows);
                self.carried_over.extend(it.persons.codes().map(|code| ((it.to_half_year, code), position)));
            }
            Event::QuotaAllocated(it) => {
                let rows =
                    it.persons.iter().map(|(code, number)| (allocation_row(it, code, *number), position));
                self.rows.extend(rows);
                self.allocated.extend(it.persons.codes().map(|code| ((it.half_year, code), position)));
            }
            Event::EvaluationRecorded(it) => {
                if let Outcome::Revised { persons, .. } = &it.outcome {
                    self.revised.extend(persons.codes().map(|code| ((it.half_year, code), position)));
                }
            }
            Event::CountingRuleSet(it) => self.rules.record(it.clone()),
            Event::ObjectionRecorded(it) => {
                let target = Target::of(&it.contests);
                self.open.insert((it.municipality, target), position);
                let objected = Objected {
                    position,
                    entry: it.contests.entry(),
                    placement: it.contests.placement(),
                    settled: None,
                    raised_on: it.raised_on,
                    municipality: it.municipality,
                    target,
                };
                self.objections.insert(it.objection, objected);
            }
            Event::ObjectionSettled(it) => {
                if let Some(objected) = self.objections.get_mut(&it.objection) {
                    objected.settled = Some(position);
                    self.open.remove(&(objected.municipality, objected.target));
                }
            }
            Event::QuotaExchanged(_)
            | Event::PhaseSet(_)
            | Event::GrantsReported(_)
            | Event::AmvCapacitySet(_)
            | Event::AmvPlacesReported(_) => {}
        }
        let said = Command::of(&entry.event);
        self.facts.insert(said.fingerprint(), position);
        self.in_force.insert(said.subject(), position);
    }

    /// Does as [`place`](Self::place), but nothing is decided before [`settle`](Self::settle).
    pub fn gather(&mut self, position: Position, keys: PlacementKeys) {
        self.size = position.0 + 1;
        self.placements.gather(keys.placement, position);
        if let Some(key) = keys.person {
            self.persons.gather(key, position);
        }
        if let Some(key) = keys.event {
            self.events.gather(key, position);
        }
    }

    /// Takes up everything that was gathered.
    pub fn settle(&mut self) {
        self.placements.settle(|_, _| {});
        self.events.settle(|_, _| {});
        let same_person = &mut self.same_person;
        self.persons.settle(|one, other| same_person.push((one, other)));
    }

    /// Takes up an entry that records a placement: decisions need no more of it than its keys.
    pub fn place(&mut self, position: Position, keys: PlacementKeys) {
        self.size = position.0 + 1;
        self.placements.insert(keys.placement, position);
        if let Some(another) = keys.person.and_then(|key| self.persons.insert(key, position)) {
            self.same_person.push((another, position));
        }
        if let Some(key) = keys.event {
            self.events.insert(key, position);
        }
    }

    /// The counting rules as recorded so far.
    pub fn rules(&self) -> &CountingRules {
        &self.rules
    }

    /// The entries that must be read to decide about a command: nearly always none, for something new.
    pub fn recall(&self, identity: &Identity, command: &Command) -> Vec<Position> {
        let mut positions = Vec::new();
        if let Some(id) = identity.id {
            positions.extend(self.events.find(Key::of_event(&identity.source, id)));
        }
        match command {
            Command::RecordPlacement(it) => {
                positions.extend(self.placements.find(Key::of_placement(it.placement)));
                if let Some(person) = it.person {
                    positions.extend(self.persons.find(Key::of_person(person)));
                }
            }
            Command::WithdrawPlacement(it) => positions.extend(self.recall_placement(it.placement)),
            Command::TransferPlacement(it) => positions.extend(self.recall_placement(it.placement)),
            Command::RecordFollowOn(it) => positions.extend(self.recall_placement(it.placement)),
            Command::RecordObjection(it) => match it.contests {
                Contests::Placement { placement } => positions.extend(self.recall_placement(placement)),
                Contests::Entry { entry } => positions.extend((entry.0 < self.size).then_some(entry)),
                Contests::Figure { .. } => {}
            },
            // Where fewer kinds count, nobody counts twice.
            Command::SetCountingRule(rule) if rule.counts() => {
                positions.extend(self.same_person.iter().flat_map(|(one, other)| [*one, *other]));
            }
            _ => {}
        }
        positions.sort();
        positions.dedup();
        positions
    }

    /// The entries of which one may have recorded this placement.
    pub fn recall_placement(&self, id: PlacementId) -> impl Iterator<Item = Position> {
        self.placements.find(Key::of_placement(id))
    }

    /// Where the same fact was recorded before. Placements have an identity of their own.
    ///
    /// A number can go back to what it was. An event with an id of its own, or a fact without a
    /// reference, says so anew; a row of a file that says the same with the same reference is the same row again.
    pub(super) fn fact(&self, identity: &Identity, command: &Command) -> Option<Position> {
        match command {
            Command::RecordPlacement(_)
            | Command::WithdrawPlacement(_)
            | Command::TransferPlacement(_)
            | Command::RecordFollowOn(_) => None,
            _ => {
                let position = *self.facts.get(&command.fingerprint())?;
                let said_anew = identity.id.is_some() || matches!(command, Command::CountPopulation(_));
                let in_force = self.in_force.get(&command.subject()) == Some(&position);
                (in_force || !said_anew).then_some(position)
            }
        }
    }

    /// Where a list of one number was recorded before, alone or among others.
    ///
    /// A count of inhabitants has no reference, so there only the number that stands now is known.
    pub(crate) fn row_known(&self, row: &Command) -> Option<Position> {
        match row {
            Command::AllocateQuota(it) => {
                let (code, number) = it.persons.iter().next()?;
                self.rows.get(&allocation_row(it, code, *number)).copied()
            }
            Command::RecordCarryOver(it) => {
                let (code, number) = it.persons.iter().next()?;
                let row = carry_over_row(it.from_half_year, it.to_half_year, &it.reference, code, *number);
                self.rows.get(&row).copied()
            }
            Command::CountPopulation(it) => {
                let (code, number) = it.inhabitants.iter().next()?;
                let (stands, position) = self.inhabitants.get(&(it.counted_on, code))?;
                (stands == number).then_some(*position)
            }
            _ => None,
        }
    }

    /// What happened to a placement later.
    pub fn later(&self, id: PlacementId) -> Later {
        self.later.get(&id).cloned().unwrap_or_default()
    }

    /// The objection with this id, if it was recorded.
    pub fn objection(&self, id: ObjectionId) -> Option<Objected> {
        self.objections.get(&id).copied()
    }

    /// The objections to an entry, or to any entry about a placement, in no order.
    pub fn objections_to(
        &self,
        entry: Option<Position>,
        placement: Option<PlacementId>,
    ) -> impl Iterator<Item = Objected> {
        let about = move |it: &&Objected| {
            entry.is_some() && it.entry == entry || placement.is_some() && it.placement == placement
        };
        self.objections.values().filter(about).copied()
    }

    /// Where a municipality contests something already.
    pub(super) fn contested_already(&self, code: MunicipalityCode, target: Target) -> Option<Position> {
        self.open.get(&(code, target)).copied()
    }

    /// Where a number was said last.
    pub(super) fn number_said(
        &self,
        what: Numbered,
        of: HalfYear,
        code: MunicipalityCode,
    ) -> Option<Position> {
        let numbers = match what {
            Numbered::Quota => &self.allocated,
            Numbered::Revision => &self.revised,
            Numbered::CarryOver => &self.carried_over,
        };
        numbers.get(&(of, code)).copied()
    }

    /// Whether on a day a municipality stands for another as well: for itself, or after it took that one over.
    pub(super) fn stands_for(&self, code: MunicipalityCode, other: MunicipalityCode, on: Day) -> bool {
        let ceased = self.municipalities.get(&other).and_then(|it| it.ceased.as_ref());
        let heirs = ceased.filter(|(day, _)| *day <= on).map(|(_, heirs)| heirs);
        code == other || heirs.into_iter().flatten().any(|heir| self.stands_for(code, *heir, on))
    }

    /// The placement, unless it is unknown or was withdrawn.
    pub(super) fn standing_placement<'a>(
        &self,
        recalled: &'a Recalled,
        id: PlacementId,
    ) -> Result<(KnownPlacement<'a>, Later), Refusal> {
        let known = recalled.placement(id).ok_or(Refusal::UnknownPlacement)?;
        let later = self.later(id);
        match later.withdrawn {
            Some((position, _)) => Err(Refusal::WithdrawnAlready(position)),
            None => Ok((known, later)),
        }
    }

    /// The entry by which a person counts already.
    pub(super) fn counted_by(&self, recalled: &Recalled, person: PersonToken) -> Option<Position> {
        let counts = |it: &KnownPlacement<'_>| {
            self.counts(it.id(), it.housed.kind, it.housed.counts_from, &self.rules)
        };
        recalled.of_person(person).find(counts).map(|it| it.position)
    }

    /// Whether a placement counts under these rules.
    fn counts(&self, id: PlacementId, kind: PlacementKind, counts_from: Day, rules: &CountingRules) -> bool {
        let withdrawn = self.later.get(&id).is_some_and(|later| later.withdrawn.is_some());
        !withdrawn && rules.count(kind, counts_from)
    }

    /// The persons who would count twice under these rules, each with the entries that do it.
    pub(super) fn counted_twice(
        &self,
        recalled: &Recalled,
        rules: &CountingRules,
    ) -> Vec<(Position, Position)> {
        let mut persons = HashMap::<PersonToken, (Position, Option<Position>)>::new();
        let counts = |it: &Claim| self.counts(it.placement, it.kind, it.counts_from, rules);
        for Claim { person, position, .. } in recalled.claims().filter(counts) {
            persons
                .entry(person)
                .and_modify(|(_, second)| *second = second.or(Some(position)))
                .or_insert((position, None));
        }
        let mut twice: Vec<_> =
            persons.into_values().filter_map(|(first, second)| Some((first, second?))).collect();
        twice.sort();
        twice
    }

    /// Whether a quota was published for the half-year.
    pub(super) fn has_quota(&self, half_year: HalfYear) -> Result<(), Refusal> {
        match self.quotas.contains(&half_year) {
            true => Ok(()),
            false => Err(Refusal::NoQuotaPublished(half_year)),
        }
    }

    /// Whether the municipality was given a number for the half-year.
    pub(super) fn has_allocation(
        &self,
        field: &'static str,
        half_year: HalfYear,
        code: MunicipalityCode,
    ) -> Result<(), Refusal> {
        match self.allocated.contains_key(&(half_year, code)) {
            true => Ok(()),
            false => Err(Refusal::NoQuotaAllocated { field, code, half_year }),
        }
    }

    /// Refuses a municipality whose number an evaluation revised: the revised number is the one that
    /// holds, and another one goes through an evaluation as well.
    pub(super) fn is_not_revised(&self, half_year: HalfYear, code: MunicipalityCode) -> Result<(), Refusal> {
        match self.revised.contains_key(&(half_year, code)) {
            true => Err(Refusal::RevisedAlready { code, half_year }),
            false => Ok(()),
        }
    }

    /// Where a municipality was registered.
    pub(super) fn registered(&self, code: MunicipalityCode) -> Option<Position> {
        self.municipalities.get(&code).map(|it| it.position)
    }

    /// Refuses a municipality that does not exist on a day, with its successor and its field named.
    pub(super) fn exists(&self, field: &'static str, code: MunicipalityCode, on: Day) -> Result<(), Refusal> {
        let known = self.municipalities.get(&code);
        let registered = known.ok_or(Refusal::UnknownMunicipality { field, code })?;
        let from = registered.municipality.from;
        if on < from {
            return Err(Refusal::MunicipalityNotYet { field, code, from, on });
        }
        match &registered.ceased {
            Some((ceased, successors)) if on >= *ceased => {
                let successors = successors.clone();
                Err(Refusal::MunicipalityCeased { field, code, on, ceased: *ceased, successors })
            }
            _ => Ok(()),
        }
    }

    /// Refuses the first of several municipalities that does not exist on a day, in the order of
    /// precedence of the reasons.
    pub(super) fn all_exist(
        &self,
        named: impl IntoIterator<Item = (&'static str, MunicipalityCode)>,
        on: Day,
    ) -> Result<(), Refusal> {
        let refusals = named.into_iter().filter_map(|(field, code)| self.exists(field, code, on).err());
        let first = refusals.min_by_key(|it| match it {
            Refusal::UnknownMunicipality { .. } => 0,
            Refusal::MunicipalityNotYet { .. } => 1,
            _ => 2,
        });
        first.map_or(Ok(()), Err)
    }

    /// The same for a list with a number for each municipality.
    pub(super) fn list_exists(
        &self,
        codes: impl Iterator<Item = MunicipalityCode>,
        on: Day,
    ) -> Result<(), Refusal> {
        self.all_exist(codes.map(|code| ("municipality", code)), on)
    }

    /// The last day on which a municipality took over another.
    pub(super) fn took_over(&self, code: MunicipalityCode) -> Option<Day> {
        self.municipalities.get(&code)?.took_over
    }

    /// Refuses a municipality that is known to cease, on whatever day.
    pub(super) fn never_ceases(&self, code: MunicipalityCode) -> Result<(), Refusal> {
        match self.municipalities.get(&code).and_then(|it| it.ceased.as_ref()) {
            Some((day, _)) => self.exists("old", code, *day),
            None => Ok(()),
        }
    }
}

fn allocation_row(list: &Allocation, code: MunicipalityCode, number: Persons) -> Fingerprint {
    fingerprint(&("allocation", list.half_year, list.method, list.rounding, &list.reference, code, number))
}

fn carry_over_row(
    from: HalfYear,
    to: HalfYear,
    reference: &Reference,
    code: MunicipalityCode,
    number: Balance,
) -> Fingerprint {
    fingerprint(&("carry-over", from, to, reference, code, number))
}
