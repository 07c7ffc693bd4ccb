//! Statements from SQLite: few questions to it for each answer, each by an index that has all it needs.

use peildatum::domain::area::MunicipalityCode;
use peildatum::domain::time::AsOf;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row};

use crate::Failure;
use crate::asking::Side;
use crate::figures::{Figures, KINDS, Lines};
use crate::generated::{FIRST_DAY, day};
use crate::sqlite_recording::line;

/// The last half-year before that of the question for which the standing of the municipality was fixed. What lies
/// before it is not needed.
const FIXED_ONE: &str = "
    SELECT half_year FROM postings
    WHERE municipality = ?1 AND line = 3 AND half_year < ?2 AND position < ?3
    ORDER BY half_year DESC LIMIT 1";
/// The same for all municipalities: the last one for which all of them were fixed.
const FIXED_ALL: &str = "
    SELECT half_year FROM postings WHERE line = 3 AND half_year < ?1 AND position < ?2
    GROUP BY half_year HAVING COUNT(DISTINCT municipality) = (SELECT COUNT(*) FROM municipalities)
    ORDER BY half_year DESC LIMIT 1";
/// An obligation is in force on its day, housing counts from the day after.
const LINES_ONE: &str = "
    SELECT half_year, line, SUM(persons) FROM postings
    WHERE municipality = ?1 AND half_year BETWEEN ?2 AND ?3 AND line < 40
        AND position < ?4 AND valid_on < ?5 + (line < 4)
    GROUP BY half_year, line";
/// One question for the lines of all. The municipalities come first, so that each is found in the index.
const LINES_ALL: &str = "
    SELECT it.code, half_year, line, SUM(persons)
    FROM municipalities it CROSS JOIN postings ON municipality = it.code
    WHERE half_year BETWEEN ?1 AND ?2 AND line < 40
        AND position < ?3 AND valid_on < ?4 + (line < 4)
    GROUP BY it.code, half_year, line";
const IN_CARE_ONE: &str = "
    SELECT SUM(persons) FROM postings
    WHERE municipality = ?1 AND line = 4 AND valid_on < ?2 AND position < ?3";
const IN_CARE_ALL: &str = "
    SELECT municipality, SUM(persons) FROM postings INDEXED BY in_care
    WHERE line = 4 AND valid_on < ?1 AND position < ?2
    GROUP BY municipality";
const NATIONAL: &str = "
    SELECT persons FROM quotas WHERE half_year = ?1 AND position < ?2 ORDER BY position DESC LIMIT 1";

/// Answers questions.
pub struct Answerer<'c> {
    name_one: CachedStatement<'c>,
    name_all: CachedStatement<'c>,
    fixed_one: CachedStatement<'c>,
    fixed_all: CachedStatement<'c>,
    lines_one: CachedStatement<'c>,
    lines_all: CachedStatement<'c>,
    in_care_one: CachedStatement<'c>,
    in_care_all: CachedStatement<'c>,
    national: CachedStatement<'c>,
}

impl<'c> Answerer<'c> {
    /// With its questions prepared.
    pub fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        let prepare = |sql| connection.prepare_cached(sql);
        Ok(Self {
            name_one: prepare("SELECT name FROM municipalities WHERE code = ?1 AND begins <= ?2")?,
            name_all: prepare("SELECT code, name FROM municipalities WHERE begins <= ?1 ORDER BY code")?,
            fixed_one: prepare(FIXED_ONE)?,
            fixed_all: prepare(FIXED_ALL)?,
            lines_one: prepare(LINES_ONE)?,
            lines_all: prepare(LINES_ALL)?,
            in_care_one: prepare(IN_CARE_ONE)?,
            in_care_all: prepare(IN_CARE_ALL)?,
            national: prepare(NATIONAL)?,
        })
    }
}

/// A question in the numbers of the database.
struct Asked {
    on: i64,
    half_year: i64,
    size: i64,
}

impl From<AsOf> for Asked {
    fn from(it: AsOf) -> Self {
        let on = it.reference_date.0;
        Self {
            on: i64::from(on.index()),
            half_year: i64::from(on.half_year().index()),
            size: it.known_at.0 as i64,
        }
    }
}

/// The first half-year that any posting lies in.
fn first_half_year() -> i64 {
    i64::from(day(FIRST_DAY).half_year().index())
}

/// The lines of half-years, from the first that is needed to that of the question.
struct HalfYears {
    first: i64,
    lines: Vec<Lines>,
}

impl HalfYears {
    fn new(first: Option<i64>, asked: &Asked) -> Self {
        let first = first.unwrap_or_else(first_half_year);
        let count = usize::try_from(asked.half_year - first + 1).expect("it lies before the question");
        Self { first, lines: vec![Lines::default(); count] }
    }

    /// Adds a row with a half-year, a line and a sum, in these columns and the next two.
    fn add(&mut self, row: &Row<'_>, column: usize) -> Result<(), Failure> {
        let (half_year, line, persons): (i64, i64, i64) =
            (row.get(column)?, row.get(column + 1)?, row.get(column + 2)?);
        let lines = &mut self.lines[usize::try_from(half_year - self.first)?];
        match line {
            line::QUOTA => lines.quota = persons,
            line::REVISION => lines.revision = persons,
            line::EXCHANGE => lines.exchange = persons,
            line::CARRY_OVER => lines.carry_over = Some(persons),
            // Asked for by itself, over all half-years.
            line::IN_CARE => {}
            _ => {
                let kind = usize::try_from(line - line::HOUSED)?;
                assert!(kind < KINDS, "a line of what counts");
                lines.housed[kind] = persons;
            }
        }
        Ok(())
    }
}

impl Side for Answerer<'_> {
    type Answer = Figures;

    fn one(&mut self, code: MunicipalityCode, as_of: AsOf) -> Result<Figures, Failure> {
        let asked = Asked::from(as_of);
        let code = i64::from(code.number());
        let name: String = self.name_one.query_row((code, asked.on), |row| row.get(0))?;
        let fixed = (code, asked.half_year, asked.size);
        let fixed = self.fixed_one.query_row(fixed, |row| row.get(0)).optional()?;
        let mut half_years = HalfYears::new(fixed, &asked);
        let needed = (code, half_years.first, asked.half_year, asked.size, asked.on);
        let mut rows = self.lines_one.query(needed)?;
        while let Some(row) = rows.next()? {
            half_years.add(row, 0)?;
        }
        let placed: Option<i64> =
            self.in_care_one.query_row((code, asked.on, asked.size), |row| row.get(0))?;
        let national = self.national.query_row((asked.half_year, asked.size), |row| row.get(0)).optional()?;
        Ok(Figures::of_lines(name, as_of, &half_years.lines, placed.unwrap_or(0), national))
    }

    fn all(&mut self, as_of: AsOf) -> Result<Vec<Figures>, Failure> {
        let asked = Asked::from(as_of);
        let fixed = self.fixed_all.query_row((asked.half_year, asked.size), |row| row.get(0)).optional()?;
        let national = self.national.query_row((asked.half_year, asked.size), |row| row.get(0)).optional()?;
        // All three come in the order of the codes, so they are joined as they come.
        let mut names = self.name_all.query([asked.on])?;
        let mut lines = self.lines_all.query((
            HalfYears::new(fixed, &asked).first,
            asked.half_year,
            asked.size,
            asked.on,
        ))?;
        let mut in_care = self.in_care_all.query((asked.on, asked.size))?;
        let mut line = lines.next()?;
        let mut placed = in_care.next()?;
        let mut all = Vec::new();
        while let Some(row) = names.next()? {
            let (code, name): (i64, String) = (row.get(0)?, row.get(1)?);
            let mut half_years = HalfYears::new(fixed, &asked);
            while let Some(row) = line {
                if row.get::<_, i64>(0)? != code {
                    break;
                }
                half_years.add(row, 1)?;
                line = lines.next()?;
            }
            let persons = match placed {
                Some(row) if row.get::<_, i64>(0)? == code => {
                    let persons = row.get(1)?;
                    placed = in_care.next()?;
                    persons
                }
                _ => 0,
            };
            all.push(Figures::of_lines(name, as_of, &half_years.lines, persons, national));
        }
        Ok(all)
    }

    fn figures(answer: Figures) -> Figures {
        answer
    }
}
