//! Explanations: how one standing became another, split into what happened and what was learned.
//!
//! A standing is the sum of what every half-year added to it, line by line. So the change between two moments is
//! a difference of such parts, and no part of it is left over. Two dates and two log sizes give four standings; what lies
//! between them is split by them:
//!
//! - **happened**: between the dates, as known at the earlier log size;
//! - **learned**: between the log sizes, of the dates up to the later one. It is told apart in what was learned about the
//!   time before the earlier date (a restatement) and about the time between the dates (a report).

mod span;

pub use span::{EmptySpan, Span};

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::account::{Accounts, Parts};
use super::objection::ContestedSum;
use super::posting::{Line, Posting};
use super::register::Presence;
use super::statement::NamedArea;
use super::{Book, Unanswerable};
use crate::domain::area::{Area, MunicipalityCode};
use crate::domain::event::Event;
use crate::domain::half_year::HalfYear;
use crate::domain::named;
use crate::domain::placement::PlacementKind;
use crate::domain::time::{AsOf, Day, Position};

named! {
    /// Why a step changes the standing.
    pub enum Cause {
        /// It happened between the dates, and was known at the earlier log size.
        Happened = "happened",
        /// It was learned between the log sizes, about the time before the earlier date.
        LearnedOfBefore = "learned_of_before",
        /// It was learned between the log sizes, about the time between the dates.
        LearnedOfBetween = "learned_of_between",
    } else "is not a cause of a change"
}

impl Cause {
    /// What of four sums, one at each corner, has this cause.
    fn part([from, on, since, to]: [i64; 4]) -> [(Self, i64); 3] {
        [
            (Self::Happened, on - from),
            (Self::LearnedOfBefore, since - from),
            (Self::LearnedOfBetween, to - on - since + from),
        ]
    }

    /// The corner at which all that has this cause is in force.
    fn corner(self) -> usize {
        match self {
            Self::Happened => 1,
            Self::LearnedOfBefore => 2,
            Self::LearnedOfBetween => 3,
        }
    }

    /// Why something counts that is in force at these corners.
    fn of([from, on, since, to]: [bool; 4]) -> Option<Self> {
        match () {
            () if from || !to => None,
            () if on => Some(Self::Happened),
            () if since => Some(Self::LearnedOfBefore),
            () => Some(Self::LearnedOfBetween),
        }
    }
}

named! {
    /// What a step moves.
    pub enum StepLine {
        /// The standing that the authority fixed, as far as it differs from what follows from the entries.
        CarryOver = "carry_over",
        /// The municipal numbers.
        Quota = "quota",
        /// What an evaluation changed.
        Revision = "revision",
        /// What was exchanged.
        Exchange = "exchange",
        /// What came from municipalities that ceased, or went to their heirs.
        Boundary = "boundary",
        /// Housed and counted.
        Housed = "housed",
        /// Housed and not counted: it changes nothing, and is told for that reason.
        NotCounted = "not_counted",
    } else "is not a line of an explanation"
}

impl StepLine {
    /// What persons on this line do to what remains.
    pub(super) fn effect(self, persons: i64) -> i64 {
        match self {
            Self::CarryOver | Self::Quota | Self::Revision | Self::Exchange | Self::Boundary => persons,
            Self::Housed => -persons,
            Self::NotCounted => 0,
        }
    }
}

/// One step from a standing to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// Why.
    pub cause: Cause,
    /// The half-year to which it belongs.
    pub half_year: HalfYear,
    /// What is moved.
    pub line: StepLine,
    /// The kind of placement, where persons were housed.
    #[serde(deserialize_with = "Option::deserialize")]
    pub kind: Option<PlacementKind>,
    /// By how many persons the line changed.
    pub persons: i64,
    /// By how many the standing changed; the steps' changes add up to the whole.
    pub change: i64,
    /// How many entries are behind it.
    pub entries: u64,
    /// How many of the persons came or went by a boundary change that divides them, and not by entries of their own.
    pub by_boundary: i64,
}

/// How one standing of an area became another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Explanation {
    /// The area.
    #[serde(deserialize_with = "crate::domain::object")]
    pub area: NamedArea,
    /// The earlier date.
    pub since: Day,
    /// The later date.
    pub on: Day,
    /// What remained at the beginning: below zero it is a surplus.
    pub standing_since: i64,
    /// What remained on the later date, as known at the earlier log size.
    pub standing_as_known_before: i64,
    /// What remains at the end.
    pub standing: i64,
    /// The steps, in the order of their causes, half-years and lines.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub steps: Vec<Step>,
    /// How much of it is contested at the end.
    #[serde(deserialize_with = "crate::domain::object")]
    pub contested: ContestedSum,
    /// Whether the log holds generated entries, so that figures may rest on them.
    pub generated: bool,
}

/// An entry behind a step, as far as it concerns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Behind {
    /// Where the entry stands.
    pub position: Position,
    /// For which municipality.
    pub municipality: MunicipalityCode,
    /// The day on which it happened.
    pub valid_on: Day,
    /// How many persons it moves on the line. A fixed carry-over and a boundary change have none of their own: what
    /// they do depends on all entries before.
    pub persons: Option<i64>,
    /// Whether and why persons who were housed count.
    pub rule: Option<Rule>,
    /// Whether it is contested at the end.
    pub contested: bool,
    /// Which of the events that a scenario supposes it is: it would stand right after the entry at the position.
    pub supposed: Option<u32>,
}

/// By which rule persons who were housed count or do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Whether they count.
    pub counts: bool,
    /// The entry that set the rule; nothing where it is the default.
    #[serde(deserialize_with = "Option::deserialize")]
    pub position: Option<Position>,
    /// Whether a scenario supposes the rule, right after the entry at the position.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub supposed: bool,
}

/// What a step is about.
type Key = (HalfYear, StepLine, Option<PlacementKind>);

impl Step {
    fn key(&self) -> Key {
        (self.half_year, self.line, self.kind)
    }
}

/// A question for an explanation, which can also be asked for the entries behind each step.
pub struct Explaining<'a> {
    book: &'a Book<'a>,
    area: Area,
    span: Span,
    /// Every municipality that has a part in it, with whether it is there at each corner.
    codes: Vec<(MunicipalityCode, [Presence; 4])>,
    /// The half-years from which on an old municipality's placements are those of the area, at each corner.
    taken_over: [HashMap<MunicipalityCode, HalfYear>; 4],
    /// The same for all that the area took anything over from, whole or in part.
    linked: [HashMap<MunicipalityCode, HalfYear>; 4],
}

impl Book<'_> {
    /// Explains how the standing of an area became what it is.
    ///
    /// # Errors
    /// When the area is a municipality that does not exist on the later date, as known at the end.
    pub fn explain(&self, area: Area, span: Span) -> Result<(Explanation, Explaining<'_>), Unanswerable> {
        let explaining = Explaining::new(self, area, span)?;
        Ok((explaining.explanation()?, explaining))
    }

    /// The rule by which the entry at a position counts a placement of this kind and day, or does not. An entry that sets
    /// a rule takes persons off under the rule before, and puts them on under its own.
    fn rule_of(&self, position: Position, kind: PlacementKind, day: Day, counts: bool) -> Rule {
        let mut known = self.rules_set.iter().rev().skip_while(|(at, _)| *at > position);
        let set = known.find(|(at, rule)| {
            rule.kind() == kind && rule.covers(day) && (*at < position || rule.counts() == counts)
        });
        let supposed = set.is_some_and(|(at, rule)| {
            let is = |event: &Event| matches!(event, Event::CountingRuleSet(it) if it == rule);
            self.which_supposed(*at, is).is_some()
        });
        Rule { counts, position: set.map(|(at, _)| *at), supposed }
    }
}

impl<'a> Explaining<'a> {
    fn new(book: &'a Book<'a>, area: Area, span: Span) -> Result<Self, Unanswerable> {
        let corners = span.corners();
        book.named(area, span.to())?;
        let mut taken_over: [HashMap<_, _>; 4] = Default::default();
        let mut linked: [HashMap<_, _>; 4] = Default::default();
        // The old municipalities of a province or the country are among its own.
        if let Area::Municipality(code) = area {
            for (found, as_of) in taken_over.iter_mut().zip(corners) {
                if book.register.presence(code, as_of) == Presence::There {
                    taken_over_by(book, code, None, as_of, false, found);
                }
            }
        }
        for (found, as_of) in linked.iter_mut().zip(corners) {
            for code in book.codes_of(area) {
                if book.register.presence(code, as_of) == Presence::There {
                    taken_over_by(book, code, None, as_of, true, found);
                }
            }
        }
        let presence = |code| corners.map(|as_of| book.register.presence(code, as_of));
        let codes = book.codes_of(area).map(|code| (code, presence(code))).collect();
        Ok(Self { book, area, span, codes, taken_over, linked })
    }

    fn explanation(&self) -> Result<Explanation, Unanswerable> {
        let (book, corners) = (self.book, self.span.corners());
        let mut sums = BTreeMap::<Key, [i64; 4]>::new();
        let last = self.last_half_year();
        let half_years = || half_years(book.columns.first_half_year(), last);
        for (corner, as_of) in corners.into_iter().enumerate() {
            let mut accounts = Accounts::new(book, as_of);
            let end = as_of.reference_date.0.half_year();
            for (code, presence) in &self.codes {
                for half_year in half_years().take_while(|it| *it <= end) {
                    let parts = match presence[corner] {
                        Presence::Absent => continue,
                        Presence::There => accounts.parts(*code, half_year),
                        Presence::Gone(ceased) => accounts.parts_of_ceased(*code, half_year, ceased),
                    };
                    each_line(&parts, &mut |line, kind, persons| {
                        sums.entry((half_year, line, kind)).or_default()[corner] += persons;
                    });
                }
            }
        }
        let standing = |corner: usize| -> i64 {
            sums.iter().map(|((_, line, _), persons)| line.effect(persons[corner])).sum()
        };
        let (standing_since, standing_as_known_before, at_end) = (standing(0), standing(1), standing(3));

        // What the entries themselves moved, and how many of them.
        let mut moved = BTreeMap::<(Cause, Key), (i64, Vec<(u32, Option<u32>)>)>::new();
        self.postings(half_years(), &mut |cause, key, posting| {
            let (persons, positions) = moved.entry((cause, key)).or_default();
            *persons += i64::from(posting.persons);
            positions.push((posting.position.0 as u32, posting.supposed));
        });
        let mut steps = BTreeMap::<(Cause, Key), Step>::new();
        let step = |cause, (half_year, line, kind): Key, persons: i64, by_boundary| Step {
            cause,
            half_year,
            line,
            kind,
            persons,
            change: line.effect(persons),
            entries: 0,
            by_boundary,
        };
        for (&key, &persons) in &sums {
            for (cause, persons) in Cause::part(persons) {
                let by_entries = moved.get(&(cause, key)).map_or(0, |(persons, _)| *persons);
                let by_boundary = if key.1 == StepLine::Housed { persons - by_entries } else { 0 };
                steps.insert((cause, key), step(cause, key, persons, by_boundary));
            }
        }
        for (at, (persons, mut positions)) in moved {
            positions.sort_unstable();
            positions.dedup();
            let (cause, key) = at;
            let step = steps.entry(at).or_insert_with(|| match key.1 {
                StepLine::NotCounted => step(cause, key, persons, 0),
                // All of it went by boundary changes.
                _ => step(cause, key, 0, -persons),
            });
            step.entries = positions.len() as u64;
        }
        // A fixed carry-over or a boundary change that changed nothing between the moments is no step.
        let stays =
            |it: &Step| !matches!(it.line, StepLine::CarryOver | StepLine::Boundary) || it.persons != 0;
        let mut steps: Vec<_> = steps.into_values().filter(stays).collect();
        for step in &mut steps {
            let behind = match self.facts_behind(step) {
                Some(behind) => behind,
                None if step.by_boundary != 0 => self.moved_by(step).into_iter().collect(),
                None => continue,
            };
            let entries = behind.iter().map(|it| (it.position, it.supposed));
            step.entries = entries.collect::<BTreeSet<_>>().len() as u64;
        }
        // Entries that take each other back move nobody together, and are told all the same.
        steps.retain(|it| it.persons != 0 || it.entries != 0);
        Ok(Explanation {
            area: book.named(self.area, self.span.to())?,
            since: self.span.from().reference_date.0,
            on: self.span.to().reference_date.0,
            standing_since,
            standing_as_known_before,
            standing: at_end,
            steps,
            contested: book.contested(self.area, self.span.to())?,
            generated: book.is_generated(self.span.to().known_at),
        })
    }

    fn last_half_year(&self) -> HalfYear {
        self.span.to().reference_date.0.half_year()
    }

    /// Every posting on a line of its own that came into force between the moments, with why.
    fn postings(
        &self,
        half_years: impl Iterator<Item = HalfYear>,
        to: &mut impl FnMut(Cause, Key, &Posting),
    ) {
        let columns = &self.book.columns;
        let corners = self.span.corners();
        for half_year in half_years {
            for (code, presence) in &self.codes {
                for posting in columns.postings_of(*code, half_year) {
                    let in_force = std::array::from_fn(|corner| {
                        presence[corner] != Presence::Absent && posting.is_in_force(corners[corner])
                    });
                    if let (Some(cause), Some(key)) = (Cause::of(in_force), key_of(&posting)) {
                        to(cause, key, &posting);
                    }
                }
            }
            // What was housed in a municipality that was taken over as a whole counts for the heir.
            let old: BTreeSet<_> = self.taken_over.iter().flat_map(HashMap::keys).copied().collect();
            for code in old {
                let from =
                    |corner: usize| self.taken_over[corner].get(&code).is_some_and(|it| *it <= half_year);
                for posting in columns.postings_of(code, half_year) {
                    let key = key_of(&posting)
                        .filter(|(_, line, _)| matches!(line, StepLine::Housed | StepLine::NotCounted));
                    let in_force =
                        std::array::from_fn(|corner| from(corner) && posting.is_in_force(corners[corner]));
                    if let (Some(cause), Some(key)) = (Cause::of(in_force), key) {
                        to(cause, key, &posting);
                    }
                }
            }
        }
    }

    /// The entries behind a step of the explanation, in the order of the log.
    ///
    /// What an authority fixed, and what a boundary change divides, depends on all that went before. So where a step of
    /// those lines has no entry of its own, because something was learned of the half-years before, it gets the entries
    /// that were in force.
    pub fn behind(&self, step: &Step) -> Vec<Behind> {
        let mut behind = match self.facts_behind(step) {
            Some(behind) => behind.into_iter().collect(),
            None => self.moved_by(step),
        };
        for it in &mut behind {
            it.contested = self.book.is_contested(it.position, self.span.to());
        }
        behind
    }

    /// The fixed carry-overs, or the boundary changes and what they brought, behind a step on such a line.
    fn facts_behind(&self, step: &Step) -> Option<BTreeSet<Behind>> {
        let (facts, brought) = match step.line {
            StepLine::CarryOver => (self.fixed(step.half_year), BTreeSet::new()),
            StepLine::Boundary => (self.changed(step.half_year), self.brought(step)),
            _ => return None,
        };
        let those = |in_force: &dyn Fn(&[bool; 4]) -> bool| -> BTreeSet<Behind> {
            facts.iter().filter(|(corners, _)| in_force(corners)).map(|(_, it)| *it).collect()
        };
        let mut own = those(&|corners| Cause::of(*corners) == Some(step.cause));
        own.extend(brought);
        let end = step.cause.corner();
        Some(if own.is_empty() { those(&|corners| corners[0] || corners[end]) } else { own })
    }

    /// The entries about municipalities that were taken over which a boundary change brought into this step: all that
    /// made their standing, but what was housed and counts for the heir by itself.
    fn brought(&self, step: &Step) -> BTreeSet<Behind> {
        let corners = self.span.corners();
        let old: BTreeSet<_> = self.linked.iter().flat_map(HashMap::keys).copied().collect();
        let mut brought = BTreeSet::new();
        for code in old.into_iter().filter(|code| self.codes.iter().all(|(own, _)| own != code)) {
            for half_year in half_years(self.book.columns.first_half_year(), step.half_year) {
                for it in self.book.columns.postings_of(code, half_year) {
                    let housed = match it.line {
                        Line::Housed(_) => true,
                        Line::Quota | Line::Revision | Line::Exchange | Line::CarryOver => false,
                        Line::NotCounted(_) | Line::InCare => continue,
                    };
                    let weighs = std::array::from_fn(|corner| {
                        self.linked[corner].get(&code).is_some_and(|from| {
                            let by_itself = housed && half_year >= *from;
                            half_year.max(*from) == step.half_year
                                && !by_itself
                                && it.is_in_force(corners[corner])
                        })
                    });
                    if Cause::of(weighs) == Some(step.cause) {
                        brought.insert(Behind::fact(it.position, code, it.valid_on, it.supposed));
                    }
                }
            }
        }
        brought
    }

    fn moved_by(&self, step: &Step) -> Vec<Behind> {
        let mut moved = BTreeMap::<(Position, MunicipalityCode, Day, Option<Rule>, Option<u32>), i64>::new();
        self.postings(std::iter::once(step.half_year), &mut |cause, key, it| {
            if (cause, key) == (step.cause, step.key()) {
                let rule = match it.line {
                    Line::Housed(kind) => Some((kind, true)),
                    Line::NotCounted(kind) => Some((kind, false)),
                    _ => None,
                };
                let rule =
                    rule.map(|(kind, counts)| self.book.rule_of(it.position, kind, it.ruled_on, counts));
                let key = (it.position, it.municipality, it.valid_on, rule, it.supposed);
                *moved.entry(key).or_default() += i64::from(it.persons);
            }
        });
        let moved =
            moved.into_iter().map(|((position, municipality, valid_on, rule, supposed), persons)| Behind {
                position,
                municipality,
                valid_on,
                persons: Some(persons),
                rule,
                contested: false,
                supposed,
            });
        let mut behind: Vec<_> = moved.collect();
        if step.by_boundary != 0 {
            // What a boundary change divides has no entry of its own but that one.
            let end = step.cause.corner();
            let changes = self.changed(step.half_year).into_iter();
            behind.extend(changes.filter(|(corners, _)| corners[0] || corners[end]).map(|(_, it)| it));
            behind.sort();
            behind.dedup();
        }
        behind
    }

    /// The carry-overs that are fixed into a half-year, each with the corners of the span at which it is in force.
    fn fixed(&self, half_year: HalfYear) -> Vec<([bool; 4], Behind)> {
        let corners = self.span.corners();
        let mut facts = Vec::new();
        for (code, presence) in &self.codes {
            let fixed = self.book.columns.postings_of(*code, half_year);
            for it in fixed.filter(|it| it.line == Line::CarryOver) {
                let in_force = std::array::from_fn(|corner| {
                    presence[corner] != Presence::Absent && it.is_in_force(corners[corner])
                });
                facts.push((in_force, Behind::fact(it.position, *code, it.valid_on, it.supposed)));
            }
        }
        facts
    }

    /// The boundary changes up to a half-year, each with the corners of the span at which it is in force.
    fn changed(&self, half_year: HalfYear) -> Vec<([bool; 4], Behind)> {
        let register = &self.book.register;
        let mut facts = Vec::new();
        for (code, _) in &self.codes {
            let known = self
                .span
                .corners()
                .map(|as_of| register.changes_of(*code, half_year, as_of).collect::<BTreeSet<_>>());
            for &position in &known[3] {
                let in_force = std::array::from_fn(|corner| known[corner].contains(&position));
                let effective_on = register.effective_on(position);
                let supposed = self.book.which_supposed(
                    position,
                    |event| matches!(event, Event::BoundaryChanged(it) if it.effective_on() == effective_on),
                );
                facts.push((in_force, Behind::fact(position, *code, effective_on, supposed)));
            }
        }
        facts
    }
}

impl Behind {
    /// A fact that moves nobody by itself.
    fn fact(
        position: Position,
        municipality: MunicipalityCode,
        valid_on: Day,
        supposed: Option<u32>,
    ) -> Self {
        Self { position, municipality, valid_on, persons: None, rule: None, contested: false, supposed }
    }
}

/// The old municipalities whose placements are the heir's, with the half-year from which on. What is divided among
/// several heirs is no placement of one of them; it is looked at where parts are asked for too.
fn taken_over_by(
    book: &Book<'_>,
    code: MunicipalityCode,
    from: Option<HalfYear>,
    as_of: AsOf,
    in_part: bool,
    found: &mut HashMap<MunicipalityCode, HalfYear>,
) {
    for it in book.register.taken_over(code, as_of).filter(|it| in_part || it.is_whole()) {
        let from = from.map_or(it.half_year(), |from| from.max(it.half_year()));
        for &old in it.old() {
            if found.insert(old, from).is_none() {
                taken_over_by(book, old, Some(from), as_of, in_part, found);
            }
        }
    }
}

/// The half-years about which anything can be recorded, up to the last one.
pub(super) fn half_years(first: Option<HalfYear>, last: HalfYear) -> impl Iterator<Item = HalfYear> {
    std::iter::successors(first, |it| it.next()).take_while(move |it| *it <= last)
}

/// The step to which a posting belongs. A fixed carry-over moves the standing by what it differs from the entries, and
/// care is not part of a standing.
pub(super) fn key_of(posting: &Posting) -> Option<Key> {
    let (line, kind) = match posting.line {
        Line::Quota => (StepLine::Quota, None),
        Line::Revision => (StepLine::Revision, None),
        Line::Exchange => (StepLine::Exchange, None),
        Line::Housed(kind) => (StepLine::Housed, Some(kind)),
        Line::NotCounted(kind) => (StepLine::NotCounted, Some(kind)),
        Line::CarryOver | Line::InCare => return None,
    };
    Some((posting.half_year, line, kind))
}

fn each_line(parts: &Parts, to: &mut impl FnMut(StepLine, Option<PlacementKind>, i64)) {
    let lines = [
        (StepLine::CarryOver, parts.carry_over),
        (StepLine::Quota, parts.quota),
        (StepLine::Revision, parts.revision),
        (StepLine::Exchange, parts.exchange),
        (StepLine::Boundary, parts.boundary),
    ];
    for (line, persons) in lines.into_iter().filter(|(_, persons)| *persons != 0) {
        to(line, None, persons);
    }
    for (kind, persons) in PlacementKind::ALL.iter().zip(parts.housed).filter(|(_, persons)| *persons != 0) {
        to(StepLine::Housed, Some(*kind), persons);
    }
}
