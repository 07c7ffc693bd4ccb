//! Reconciliation: a municipality's own list of housed persons beside what the ledger says of one half-year.
//!
//! Each row of the list and each placement of the ledger stands in exactly one line. A line has one category and an
//! effect: the persons that would be realised more if the ledger said what the list says. The effects, with what came
//! over by splits, add up to the whole difference between both.

mod pairing;

mod placements;

pub use placements::Placements;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::account::{Account, Accounts, Makeup};
use super::{Book, Unanswerable};
use crate::domain::area::MunicipalityCode;
use crate::domain::half_year::HalfYear;
use crate::domain::named;
use crate::domain::placement::PlacementKind;
use crate::domain::reference::Reference;
use crate::domain::rules::CountingRules;
use crate::domain::source::PlacementId;
use crate::domain::time::{AsOf, Day, LogSize, Position, ReferenceDate};
use placements::{Elsewhere, Standing};

named! {
    /// How a row of the list and the ledger relate. Where they differ in several ways, the first of these that
    /// holds is the category.
    pub enum Category {
        /// Both say the same.
        Same = "same",
        /// The list dates it outside the half-year, or the ledger does.
        OtherHalfYear = "other_half_year",
        /// The kinds differ.
        OtherKind = "other_kind",
        /// The numbers of persons differ.
        OtherPersons = "other_persons",
        /// The dates differ and lie in the same half-year.
        OtherDate = "other_date",
        /// The ledger took the placement back.
        Withdrawn = "withdrawn",
        /// The ledger counts the placement for another municipality.
        OtherMunicipality = "other_municipality",
        /// The ledger does not know the placement that the row names.
        UnknownPlacement = "unknown_placement",
        /// Nothing in the ledger answers to the row.
        OnlyInList = "only_in_list",
        /// Nothing in the list answers to what the ledger says.
        OnlyInLedger = "only_in_ledger",
    } else "is not a category of a reconciliation"
}

/// A row of the municipality's own list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListRow {
    /// Where it stands in the list.
    pub row: u64,
    /// The municipality's own reference; without one the row number stands for it.
    #[serde(deserialize_with = "Option::deserialize")]
    pub reference: Option<Reference>,
    /// The placement that it is about, where it names one.
    #[serde(deserialize_with = "Option::deserialize")]
    pub placement: Option<PlacementId>,
    /// The day from which it counts.
    pub date: Day,
    /// How the persons were housed.
    pub kind: PlacementKind,
    /// How many; below zero for an amv who moved away.
    pub persons: i64,
}

/// What the ledger says of a placement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LedgerSide {
    /// The entry that made it so: the record, the move or the withdrawal.
    pub position: Position,
    /// The placement.
    pub placement: PlacementId,
    /// For which municipality.
    pub municipality: MunicipalityCode,
    /// The day from which it counts; of a move the day of its report.
    pub date: Day,
    /// How the persons were housed.
    pub kind: PlacementKind,
    /// How many; below zero for an amv who moved away.
    pub persons: i64,
}

/// One row of the list, one placement of the ledger, or both where they belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Line {
    /// How they relate.
    pub category: Category,
    /// What the list says.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub list: Option<ListRow>,
    /// What the ledger says.
    #[serde(deserialize_with = "crate::domain::object_or_null")]
    pub ledger: Option<LedgerSide>,
    /// How many persons more would be realised in the half-year if the ledger said what the list says.
    pub effect: i64,
}

/// All lines of a category together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CategoryTotal {
    /// The category.
    pub category: Category,
    /// How many lines.
    pub rows: u64,
    /// Persons by the list, whether they count or not.
    pub persons_in_list: i64,
    /// Persons by the ledger, whether they count or not.
    pub persons_in_ledger: i64,
    /// The sum of the effects.
    pub effect: i64,
}

/// What came over of a municipality that was split: a number that no placements stand behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SplitShare {
    /// The municipality that was split.
    pub municipality: MunicipalityCode,
    /// The first day on which its heirs answer for it.
    pub effective_on: Day,
    /// Where the split was recorded.
    pub position: Position,
    /// The share in what it had realised in the half-year.
    pub realised: i64,
    /// What the list can say about it, which is nothing: the share with the other sign.
    pub effect: i64,
}

/// A number by the list and by the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BothSides {
    /// If the ledger said what the list says.
    pub list: i64,
    /// As the ledger says.
    pub ledger: i64,
    /// The first minus the second.
    pub difference: i64,
}

impl BothSides {
    fn of(list: i64, ledger: i64) -> Self {
        Self { list, ledger, difference: list - ledger }
    }
}

/// A municipality with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedMunicipality {
    /// The code.
    pub code: MunicipalityCode,
    /// The name.
    pub name: Arc<str>,
}

/// A list and the ledger, line by line, with what explains their difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reconciliation {
    /// Whose list it is.
    #[serde(deserialize_with = "crate::domain::object")]
    pub municipality: NamedMunicipality,
    /// The half-year.
    pub half_year: HalfYear,
    /// The municipalities that it took over whole and whose placements are among those of the ledger.
    pub took_over: Vec<MunicipalityCode>,
    /// What was due when the half-year ended.
    pub due: i64,
    /// What was realised in the half-year.
    #[serde(deserialize_with = "crate::domain::object")]
    pub realised: BothSides,
    /// What remained when it ended; below zero it is a surplus.
    #[serde(deserialize_with = "crate::domain::object")]
    pub remaining: BothSides,
    /// Every category in its order, also those without lines.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub categories: Vec<CategoryTotal>,
    /// What came over by splits, which no line can explain.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub split_shares: Vec<SplitShare>,
    /// Every row of the list and every placement of the ledger, by category and date.
    #[serde(deserialize_with = "crate::domain::objects")]
    pub lines: Vec<Line>,
    /// Whether the log holds generated entries, so that figures may rest on them.
    pub generated: bool,
}

/// What a reconciliation is about: a municipality in a half-year, as known at a log size.
#[derive(Debug)]
pub struct Scope {
    municipality: NamedMunicipality,
    half_year: HalfYear,
    closed: AsOf,
    rules: CountingRules,
    makeup: Makeup,
    account: Account,
    generated: bool,
}

impl Book<'_> {
    /// What a reconciliation of this municipality and half-year is about.
    ///
    /// # Errors
    /// When the municipality does not exist on the last day of the half-year, as known then.
    pub fn reconciliation_scope(
        &self,
        code: MunicipalityCode,
        half_year: HalfYear,
        known_at: LogSize,
    ) -> Result<Scope, Unanswerable> {
        let last_day = half_year.last_day();
        let municipality =
            self.municipality(code, AsOf { reference_date: ReferenceDate(last_day), known_at })?;
        let municipality = NamedMunicipality { code, name: municipality.name.shared() };
        // On the day after, all that happened in the half-year has happened.
        let closed_on = half_year.next().map_or(last_day, HalfYear::first_day);
        let closed = AsOf { reference_date: ReferenceDate(closed_on), known_at };
        let mut accounts = Accounts::new(self, closed);
        Ok(Scope {
            municipality,
            half_year,
            closed,
            rules: self.rules_known_at(known_at),
            makeup: accounts.makeup(code, half_year),
            account: accounts.account(code, half_year),
            generated: self.generated_from.is_some_and(|it| it.is_known_at(known_at)),
        })
    }

    /// The entries that housed somebody within the scope, moved somebody or took that back, in the order of the log.
    pub fn housing_within(&self, scope: &Scope) -> Vec<Position> {
        let mut positions = Vec::new();
        for &code in &scope.makeup.whole {
            let housing = self.columns.housing(code, scope.half_year);
            positions.extend(housing.take_while(|it| it.is_known_at(scope.known_at())));
        }
        positions.sort_unstable();
        positions.dedup();
        positions
    }
}

impl Scope {
    /// The log size.
    pub fn known_at(&self) -> LogSize {
        self.closed.known_at
    }

    /// The half-year.
    pub fn half_year(&self) -> HalfYear {
        self.half_year
    }

    /// The municipality.
    pub fn municipality(&self) -> MunicipalityCode {
        self.municipality.code
    }

    /// Whether what is recorded for this municipality counts for the one that is asked for: it is that one, or
    /// was taken over whole.
    pub fn answers_for(&self, code: MunicipalityCode) -> bool {
        self.makeup.whole.contains(&code)
    }

    /// Whether what happened on this day is realised in the half-year.
    fn holds(&self, day: Day) -> bool {
        day.half_year() == self.half_year && self.closed.reference_date.has_housing_of(day)
    }

    /// How many of these persons count.
    fn counted(&self, kind: PlacementKind, ruled_on: Day, persons: i64) -> i64 {
        if self.rules.count(kind, ruled_on) { persons } else { 0 }
    }
}

/// Puts the rows of a list and the placements of the ledger beside each other.
///
/// First by the id of the placement, where a row names one. Then the others that lie in the half-year: those that say
/// exactly the same; those of the same kind and number on the nearest date; those of the same date and number and
/// another kind. The order of the rows plays no part.
pub fn reconcile(scope: &Scope, placements: &Placements<'_>, mut rows: Vec<ListRow>) -> Reconciliation {
    rows.sort_by(|one, other| key_of_row(one).cmp(&key_of_row(other)));
    let mut standing = placements.within_scope();
    standing.sort_by_key(key_of_standing);

    let mut comparison = Comparison { scope, lines: Vec::new(), in_list: 0 };
    let mut named = HashSet::new();
    let (with_id, without_id): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.placement.is_some());
    for row in with_id {
        let id = row.placement.expect("it was asked for");
        if !named.insert(id) {
            comparison.add(Category::OnlyInList, Some(row), None);
        } else if let Some(it) = placements.standing(id) {
            comparison.add(differs(scope, &row, &it), Some(row), Some(&it));
        } else {
            let (category, ledger) = match placements.elsewhere(id) {
                None => (Category::UnknownPlacement, None),
                Some(Elsewhere::Withdrawn(side)) => (Category::Withdrawn, Some(*side)),
                Some(Elsewhere::OtherHalfYear(side)) => (Category::OtherHalfYear, Some(*side)),
                Some(Elsewhere::OtherMunicipality(side)) => (Category::OtherMunicipality, Some(*side)),
            };
            comparison.add_elsewhere(category, row, ledger);
        }
    }
    standing.retain(|it| !named.contains(&it.side.placement));
    let (within, outside): (Vec<_>, Vec<_>) = without_id.into_iter().partition(|row| scope.holds(row.date));
    for row in outside {
        comparison.add(Category::OtherHalfYear, Some(row), None);
    }
    let partners = pairing::pair(&within, &standing);
    let mut taken = vec![false; standing.len()];
    for (row, partner) in within.into_iter().zip(partners) {
        match partner {
            None => comparison.add(Category::OnlyInList, Some(row), None),
            Some(index) => {
                taken[index] = true;
                let it = &standing[index];
                comparison.add(differs(scope, &row, it), Some(row), Some(it));
            }
        }
    }
    for (it, _) in standing.iter().zip(taken).filter(|(_, taken)| !taken) {
        comparison.add(Category::OnlyInLedger, None, Some(it));
    }
    comparison.finish()
}

/// How a row and the placement that it belongs to differ.
fn differs(scope: &Scope, row: &ListRow, it: &Standing) -> Category {
    match () {
        () if !scope.holds(row.date) => Category::OtherHalfYear,
        () if row.kind != it.side.kind => Category::OtherKind,
        () if row.persons != it.side.persons => Category::OtherPersons,
        () if row.date != it.side.date => Category::OtherDate,
        () => Category::Same,
    }
}

type RowKey<'a> = (Day, PlacementKind, i64, Option<&'a Reference>, Option<PlacementId>, u64);

/// The order of rows: by what they say, and only rows that say the same by their place in the list.
fn key_of_row(it: &ListRow) -> RowKey<'_> {
    (it.date, it.kind, it.persons, it.reference.as_ref(), it.placement, it.row)
}

fn key_of_standing(it: &Standing) -> (Day, PlacementKind, i64, Position, PlacementId) {
    let side = &it.side;
    (side.date, side.kind, side.persons, side.position, side.placement)
}

/// The lines of a reconciliation that is being made.
struct Comparison<'a> {
    scope: &'a Scope,
    lines: Vec<Line>,
    /// What the list realises so far.
    in_list: i64,
}

impl Comparison<'_> {
    fn add(&mut self, category: Category, list: Option<ListRow>, standing: Option<&Standing>) {
        let by_list = list.as_ref().map_or(0, |row| self.counted_row(row, standing));
        let by_ledger =
            standing.map_or(0, |it| self.scope.counted(it.side.kind, it.ruled_on, it.side.persons));
        self.in_list += by_list;
        let ledger = standing.map(|it| it.side);
        self.lines.push(Line { category, list, ledger, effect: by_list - by_ledger });
    }

    /// Adds a row about a placement that the ledger does not count here.
    fn add_elsewhere(&mut self, category: Category, row: ListRow, ledger: Option<LedgerSide>) {
        let effect = self.counted_row(&row, None);
        self.in_list += effect;
        self.lines.push(Line { category, list: Some(row), ledger, effect });
    }

    /// How many persons of a row count in the half-year.
    fn counted_row(&self, row: &ListRow, standing: Option<&Standing>) -> i64 {
        if !self.scope.holds(row.date) {
            return 0;
        }
        // A move is dated by its report, and counts by the rule of the day of the placement, which the list does
        // not give.
        let ruled_on = standing.filter(|it| it.ruled_on != it.side.date).map_or(row.date, |it| it.ruled_on);
        self.scope.counted(row.kind, ruled_on, row.persons)
    }

    fn finish(mut self) -> Reconciliation {
        let scope = self.scope;
        self.lines.sort_by(|one, other| {
            let of = |line: &Line| {
                let date = line.list.as_ref().map(|it| it.date).or(line.ledger.map(|it| it.date));
                (line.category, date)
            };
            let ledger = |line: &Line| line.ledger.map(|it| (it.date, it.position, it.placement));
            let list = one.list.as_ref().map(key_of_row).cmp(&other.list.as_ref().map(key_of_row));
            of(one).cmp(&of(other)).then(list).then_with(|| ledger(one).cmp(&ledger(other)))
        });
        let empty = |&category: &Category| CategoryTotal {
            category,
            rows: 0,
            persons_in_list: 0,
            persons_in_ledger: 0,
            effect: 0,
        };
        let mut categories: Vec<_> = Category::ALL.iter().map(empty).collect();
        let mut took_over = BTreeSet::new();
        for line in &self.lines {
            let total = &mut categories[line.category as usize];
            total.rows += 1;
            total.persons_in_list += line.list.as_ref().map_or(0, |it| it.persons);
            total.persons_in_ledger += line.ledger.map_or(0, |it| it.persons);
            total.effect += line.effect;
            let code = line.ledger.map(|it| it.municipality);
            took_over
                .extend(code.filter(|&it| it != scope.municipality.code && scope.makeup.whole.contains(&it)));
        }
        let split_shares: Vec<_> = scope.makeup.shares.iter().map(SplitShare::from).collect();
        let realised = BothSides::of(self.in_list, scope.account.realised());
        let explained: i64 = categories.iter().map(|it| it.effect).sum();
        let left_out: i64 = split_shares.iter().map(|it| it.effect).sum();
        assert_eq!(explained + left_out, realised.difference, "the effects are the whole difference");
        let due = scope.account.due();
        Reconciliation {
            municipality: scope.municipality.clone(),
            half_year: scope.half_year,
            took_over: took_over.into_iter().collect(),
            due,
            realised,
            remaining: BothSides::of(due - realised.list, due - realised.ledger),
            categories,
            split_shares,
            lines: self.lines,
            generated: scope.generated,
        }
    }
}

impl From<&super::account::Share> for SplitShare {
    fn from(it: &super::account::Share) -> Self {
        Self {
            municipality: it.old,
            effective_on: it.effective_on,
            position: it.position,
            realised: it.realised,
            effect: -it.realised,
        }
    }
}
