//! `forecast` in a case: what is expected of a half-year in two scenarios, and how past forecasts compared with what came.

use peildatum::book::forecast::{Forecast, ToForecast};
use peildatum::domain::half_year::HalfYear;
use peildatum::domain::persons::Persons;
pub use peildatum::domain::plan::Plan;
use peildatum::domain::plan::{Arrivals, Percentage, Planned};
use peildatum::domain::quota::BandReport;
use peildatum::domain::time::{Day, LogSize, Month};

use crate::cases::{Words, is_refused, read};
use crate::world::World;

/// `plan MONTH CATEGORY N at RATE [arriving PART PART PART PART]`.
pub fn add(plan: &mut Plan, line: &str) -> Result<(), String> {
    let mut words = Words::of(line);
    let (month, category) = (words.next("a month")?, words.next("a category")?);
    let decisions = Persons::try_from(words.next::<u32>("a number")?).map_err(|fault| fault.to_string())?;
    if !words.took("at") {
        return Err("cannot be read: \"at\" is missing".to_owned());
    }
    let grant_rate = words.next("a grant rate")?;
    let arrivals = match words.took("arriving") {
        true => {
            let mut part = || words.next::<Percentage>("a part that arrives");
            let parts = [part()?, part()?, part()?, part()?];
            Some(Arrivals::try_from(parts).map_err(|fault| fault.to_string())?)
        }
        false => None,
    };
    words.end()?;
    plan.add(category, month, Planned { decisions, grant_rate, arrivals }).map_err(|fault| fault.to_string())
}

/// The forecast with the plan, if anything is planned: `HALF-YEAR [measured MONTH] [known at SIZE] -> NAME VALUE, ..`.
pub fn ask(world: &World, plan: &Plan, line: &str) -> Result<(), String> {
    let (question, expected) = line.split_once("->").ok_or("cannot be read: a question has an arrow ->")?;
    let expected = expected.trim();
    let mut words = Words::of(question);
    let half_year = words.next("a half-year")?;
    let (mut measured_on, mut known_at) = (None, world.size());
    while !words.is_empty() {
        match words.word("a detail")? {
            "measured" => measured_on = Some(words.next("a month")?),
            "known" if words.took("at") => known_at = LogSize(words.next("a number of entries")?),
            other => return Err(format!("cannot be read: {other:?} was not expected")),
        }
    }
    let plan = Some(plan).filter(|it| it.categories().next().is_some());
    let asked = ToForecast { half_year, known_at, measured_on, plan };
    let forecast = match world.book.forecast(&asked, known_on(world, known_at)) {
        Ok(forecast) => forecast,
        Err(error) => return is_refused(&error, expected),
    };
    let mut wrong = Vec::new();
    for part in expected.split(',') {
        let (name, value) = split(part.trim()).ok_or("cannot be read: write a name and a value")?;
        let is =
            of_forecast(&forecast, name).ok_or_else(|| format!("a forecast has nothing called {name:?}"))?;
        if is != value {
            wrong.push(format!("expected {name} {value}, but it is {is}"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

/// The day on which the last of so many entries was recorded.
pub fn known_on(world: &World, known_at: LogSize) -> Option<Day> {
    let last = known_at.0.checked_sub(1)?;
    world.recorded.get(last as usize).map(|(day, _)| *day)
}

/// A name and its value, of which several months and the two ends of a band are of more than one word.
fn split(part: &str) -> Option<(&str, &str)> {
    for name in ["missing", "band"] {
        if let Some(at) = part.rfind(&format!("{name} ")) {
            let (name, value) = part.split_at(at + name.len());
            return Some((name, value.trim()));
        }
    }
    part.rsplit_once(' ')
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "none".to_owned(), |it| it.to_string())
}

fn listed(months: &[Month]) -> String {
    match months {
        [] => "none".to_owned(),
        months => months.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    }
}

fn published_band(band: Option<BandReport>) -> String {
    or_none(band.map(|it| format!("{} to {}", it.lower, it.upper)))
}

fn of_forecast(it: &Forecast, name: &str) -> Option<String> {
    let recent = it.recent_grants.as_ref();
    let plan = it.production_plan.as_ref();
    let published = it.published.as_ref();
    Some(match name {
        "by recent grants" => or_none(recent.map(|it| it.persons)),
        "sum" => or_none(recent.map(|it| it.sum)),
        "from" => or_none(recent.map(|it| it.from)),
        "until" => or_none(recent.map(|it| it.until)),
        "months" => or_none(recent.map(|it| it.months.len())),
        "missing" => recent.map_or_else(|| "none".to_owned(), |it| listed(&it.missing)),
        "window from" => it.window.from.to_string(),
        "window until" => it.window.until.to_string(),
        "by the plan" => or_none(plan.map(|it| it.persons)),
        "band" => or_none(it.band.map(|it| format!("{} to {}", it.lower, it.upper))),
        "chosen" => or_none(published.map(|it| it.chosen)),
        "published band" => published_band(published.and_then(|it| it.band)),
        "past" => it.past.len().to_string(),
        _ => {
            let (head, what) = name.split_once(' ')?;
            if let Ok(half_year) = read::<HalfYear>(head) {
                let it = it.past.iter().find(|it| it.half_year == half_year)?;
                return Some(match what {
                    "chosen" => it.chosen.to_string(),
                    "band" => published_band(it.band),
                    "came" => or_none(it.came),
                    "difference" => or_none(it.difference),
                    "share" => or_none(it.share.map(|it| it.ten_thousandths())),
                    "reported" => it.reported.to_string(),
                    "missing" => listed(&it.missing),
                    _ => return None,
                });
            }
            if let Ok(month) = read::<Month>(head) {
                let months = plan?.months.iter().find(|it| it.month == month)?;
                return (what == "by the plan").then(|| months.persons.to_string());
            }
            let it = plan?.categories.iter().find(|it| &*it.category == head)?;
            match what {
                "decisions" => it.decisions.to_string(),
                "persons" => it.persons.to_string(),
                "from before" => it.from_before.to_string(),
                "missing" => listed(&it.missing),
                _ => return None,
            }
        }
    })
}
