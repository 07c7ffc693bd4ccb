//! The figures of a statement, as each side computes them, so that the two can be held against each other.

use std::fmt;

use peildatum::book::statement::Statement;
use peildatum::domain::half_year::HalfYear;
use peildatum::domain::placement::PlacementKind;
use peildatum::domain::time::AsOf;

/// How many kinds of placement there are.
pub const KINDS: usize = PlacementKind::ALL.len();

/// What a municipality has on the lines of one half-year.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lines {
    /// The standing that the authority fixed, if it did.
    pub carry_over: Option<i64>,
    /// The municipal number.
    pub quota: i64,
    /// What an evaluation changed.
    pub revision: i64,
    /// What was exchanged.
    pub exchange: i64,
    /// Housed and counted, by kind.
    pub housed: [i64; KINDS],
}

/// Every figure of a statement that follows from postings, and the national number beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    name: String,
    used: i64,
    recorded: Option<i64>,
    derived: i64,
    quota: i64,
    revision: i64,
    exchange: i64,
    due: i64,
    realised: i64,
    housed: [i64; KINDS],
    remaining: i64,
    on_schedule: Option<i64>,
    backlog: i64,
    surplus: i64,
    national: Option<i64>,
    placed: i64,
}

impl Figures {
    /// The figures from the lines of the half-years up to that of the question, the first of which was carried
    /// nothing or has a carry-over that was fixed. The reading is `oldest_first`.
    pub fn of_lines(
        name: String,
        as_of: AsOf,
        half_years: &[Lines],
        placed: i64,
        national: Option<i64>,
    ) -> Self {
        let half_year: HalfYear = as_of.reference_date.0.half_year();
        let mut carried = 0;
        let mut figures = None;
        for lines in half_years {
            let used = lines.carry_over.unwrap_or(carried);
            let due = used + lines.quota + lines.revision + lines.exchange;
            let realised: i64 = lines.housed.iter().sum();
            figures = Some((lines, carried, used, due, realised));
            carried = due - realised;
        }
        let (lines, derived, used, due, realised) = figures.expect("the half-year of the question is there");
        Self {
            name,
            used,
            recorded: lines.carry_over,
            derived,
            quota: lines.quota,
            revision: lines.revision,
            exchange: lines.exchange,
            due,
            realised,
            housed: lines.housed,
            remaining: carried,
            on_schedule: Some(half_year.elapsed(as_of.reference_date).of(due)),
            backlog: (used - realised).max(0),
            surplus: (-carried).max(0),
            national,
            placed,
        }
    }
}

impl From<&Statement> for Figures {
    fn from(it: &Statement) -> Self {
        let mut housed = [0; KINDS];
        it.realised_by_kind.iter().for_each(|(kind, persons)| housed[kind.index()] = persons);
        Self {
            name: it.area.name.to_string(),
            used: it.carried_over.used,
            recorded: it.carried_over.recorded,
            derived: it.carried_over.derived,
            quota: it.quota,
            revision: it.revision,
            exchange: it.exchange,
            due: it.due,
            realised: it.realised,
            housed,
            remaining: it.remaining,
            on_schedule: it.on_schedule,
            backlog: it.backlog,
            surplus: it.surplus,
            national: it.national.as_ref().map(|it| it.quota.count()),
            placed: it.amv.placed,
        }
    }
}

/// One line, so that two files of answers can be compared.
impl fmt::Display for Figures {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{self:?}")
    }
}
