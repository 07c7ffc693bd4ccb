//! The page of a dossier: the same figures for people, in Dutch.
//!
//! It needs no script and no other file. Every figure stands in a `data` element whose `id` says what it is and whose
//! `value` is the number as JSON has it, so that a program can hold it against the statement.

use std::io::{self, Write};

use super::{ROWS_ON_A_PAGE, each_behind};
use crate::book::explanation::{Explaining, StepLine};
use crate::domain::placement::PlacementKind;
use crate::domain::regime::Phase;
use crate::domain::time::Day;
use crate::ledger::{Answer, Explained};
use crate::report::audit::FindEntry;

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}\
h1,h2{line-height:1.2}table{border-collapse:collapse;width:100%;margin:1rem 0}caption{text-align:left;font-weight:600;padding:.5rem 0}\
th,td{padding:.25rem .5rem;border-bottom:1px solid #767676;text-align:left;vertical-align:top}th[scope=row]{font-weight:400}th.n,td.n{text-align:right;white-space:nowrap}\
.notice{border:2px solid #8a4b00;padding:.5rem 1rem}code{overflow-wrap:anywhere}.wide{overflow-x:auto}\
@media(prefers-color-scheme:dark){body{color:#f0f0f0;background:#1b1b1b}.notice{border-color:#ffb454}}\
@media print{body{max-width:none;margin:0}}";

/// Writes the page.
pub(super) fn write<E: From<io::Error>>(
    answer: &Answer,
    explained: &Explained,
    explaining: &Explaining<'_>,
    find: FindEntry<'_, E>,
    to: &mut dyn Write,
) -> Result<(), E> {
    head(answer, to)?;
    statement(answer, to)?;
    explanation(explained, to)?;
    let rows: u64 = explained.explanation.steps.iter().map(|it| it.entries).sum();
    match rows <= ROWS_ON_A_PAGE {
        true => entries(explained, explaining, find, to)?,
        false => write!(
            to,
            "<h2>Vastleggingen</h2>\n<p>Achter deze stappen staan {} vastleggingen. Zij staan in <code>explanation.json</code> en \
             <code>entries.jsonl</code>.</p>\n",
            number(rows as i64)
        )?,
    }
    Ok(foot(answer, to)?)
}

fn head(answer: &Answer, to: &mut dyn Write) -> io::Result<()> {
    let it = &answer.statement;
    let (name, code) = (escaped(&it.area.name), it.area.code);
    let on = date(it.reference_date);
    write!(
        to,
        "<!doctype html>\n<html lang=\"nl\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{name}: stand op {on}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <main>\n<h1>{name} ({code}): stand op {on}</h1>\n"
    )?;
    let time = answer.known_at.time.map_or_else(
        || "er is niets vastgelegd".to_owned(),
        |time| format!("de laatste vastlegging is van {}", date(time.dutch_day())),
    );
    writeln!(
        to,
        "<p>De stand aan het begin van die dag, halfjaar {}. Bekend is wat het logboek bij {} vastleggingen wist; {time}.</p>",
        it.half_year,
        number(answer.known_at.size as i64)
    )?;
    if it.generated {
        writeln!(
            to,
            "<p class=\"notice\"><strong>Verzonnen gegevens.</strong> In dit logboek staan vastleggingen die verzonnen zijn en niet \
             gemeld; cijfers op deze pagina berusten daarop.</p>"
        )?;
    }
    if let (Some(phase), Some(from), Some(reference)) =
        (it.regime.phase, it.regime.from, &it.regime.reference)
    {
        let phase = match phase {
            Phase::Preparation => "voorbereiding",
            Phase::Implementation => "implementatie",
            Phase::Normalisation => "normalisatie",
        };
        let in_force = match it.regime.quota_in_force {
            true => "Er geldt een taakstelling.",
            false => "Er geldt geen taakstelling: wat uit eerdere halfjaren resteert, blijft staan.",
        };
        writeln!(
            to,
            "<p>{in_force} De fase vanaf {} is {phase} ({}).</p>",
            date(from),
            escaped(&reference.to_string())
        )?;
    }
    if it.contested.objections != 0 {
        writeln!(
            to,
            "<p class=\"notice\">Betwist: {} open bezwaren, over vastleggingen van {} personen en een verschil van {} in \
             gepubliceerde cijfers. Wat betwist is, telt mee tot het verbeterd is.</p>",
            figure("statement.contested.objections", it.contested.objections),
            figure("statement.contested.persons", it.contested.persons),
            figure("statement.contested.difference", it.contested.difference)
        )?;
    }
    Ok(())
}

fn statement(answer: &Answer, to: &mut dyn Write) -> io::Result<()> {
    let it = &answer.statement;
    write!(
        to,
        "<h2>De stand</h2>\n<table>\n<caption>Personen, halfjaar {}</caption>\n<thead><tr><th scope=\"col\">Regel</th><th \
         scope=\"col\" class=\"n\">Personen</th></tr></thead>\n<tbody>\n",
        it.half_year
    )?;
    let mut row = |label: &str, field: &str, number: i64| {
        let id = format!("statement.{field}");
        writeln!(to, "<tr><th scope=\"row\">{label}</th><td class=\"n\">{}</td></tr>", figure(&id, number))
    };
    row("Achterstand (+) of voorsprong (−) bij het begin", "carriedOver.used", it.carried_over.used)?;
    row("– zoals die uit de vastleggingen volgt", "carriedOver.derived", it.carried_over.derived)?;
    if let Some(recorded) = it.carried_over.recorded {
        row("– zoals die is vastgesteld", "carriedOver.recorded", recorded)?;
    }
    row("Taakstelling", "quota", it.quota)?;
    row("Bijstelling na tussentijdse evaluatie", "revision", it.revision)?;
    row("Onderlinge ruil", "exchange", it.exchange)?;
    row("Herindeling", "boundary", it.boundary)?;
    row("Gecorrigeerde taakstelling", "due", it.due)?;
    row("Gerealiseerd", "realised", it.realised)?;
    for (kind, persons) in it.realised_by_kind.iter().filter(|(_, persons)| *persons != 0) {
        row(&format!("– {}", kind_in_dutch(kind)), &format!("realisedByKind.{kind}"), persons)?;
    }
    row("Nog te realiseren (onder nul: voorsprong)", "remaining", it.remaining)?;
    if let (Some(on_schedule), Some(pace)) = (it.on_schedule, it.pace) {
        row("Volgens fasering", "onSchedule", on_schedule)?;
        row("Voor (+) of achter (−) op de fasering", "pace", pace)?;
    }
    row(&format!("Achterstand ({})", it.reading), "backlog", it.backlog)?;
    row("Voorsprong", "surplus", it.surplus)?;
    writeln!(to, "</tbody>\n</table>")
}

fn explanation(explained: &Explained, to: &mut dyn Write) -> io::Result<()> {
    let it = &explained.explanation;
    write!(
        to,
        "<h2>Hoe de stand ontstond</h2>\n<p>Elke regel van elk halfjaar verandert de stand; samen geven de stappen de stand van nu. \
         Onder nul is een voorsprong.</p>\n<div class=\"wide\">\n<table>\n<caption>Van {} tot {}</caption>\n<thead><tr><th \
         scope=\"col\">Halfjaar</th><th scope=\"col\">Regel</th><th scope=\"col\" class=\"n\">Vastleggingen</th><th scope=\"col\" \
         class=\"n\">Verandering</th><th scope=\"col\" class=\"n\">Stand</th></tr></thead>\n<tbody>\n",
        date(it.since),
        date(it.on)
    )?;
    let mut standing = it.standing_since;
    for (index, step) in it.steps.iter().enumerate() {
        standing += step.change;
        let kind = step.kind.map_or_else(String::new, |kind| format!(": {}", kind_in_dutch(kind)));
        let uncounted = match step.line {
            StepLine::NotCounted => {
                let persons = figure(&format!("step.{index}.persons"), step.persons);
                format!(" ({persons} {})", if step.persons == 1 { "persoon" } else { "personen" })
            }
            _ => String::new(),
        };
        writeln!(
            to,
            "<tr><td>{}</td><td>{}{kind}{uncounted}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            step.half_year,
            line_in_dutch(step.line),
            figure(&format!("step.{index}.entries"), step.entries as i64),
            figure(&format!("step.{index}.change"), step.change),
            figure(&format!("step.{index}.standing"), standing)
        )?;
    }
    writeln!(to, "</tbody>\n</table>\n</div>\n<p>Stand: {}.</p>", figure("explanation.standing", it.standing))
}

fn entries<E: From<io::Error>>(
    explained: &Explained,
    explaining: &Explaining<'_>,
    find: FindEntry<'_, E>,
    to: &mut dyn Write,
) -> Result<(), E> {
    write!(
        to,
        "<h2>Vastleggingen</h2>\n<div class=\"wide\">\n<table>\n<caption>De vastleggingen achter elke stap</caption>\n<thead><tr><th \
         scope=\"col\" class=\"n\">Positie</th><th scope=\"col\">Dag</th><th scope=\"col\">Gemeente</th><th \
         scope=\"col\">Halfjaar en regel</th><th scope=\"col\" class=\"n\">Personen</th><th scope=\"col\">Soort en bron</th><th \
         scope=\"col\">Telregel</th></tr></thead>\n<tbody>\n"
    )?;
    let mut row = |it: crate::ledger::ExplainedEntry| {
        let step = &explained.explanation.steps[it.step as usize];
        let persons = it.persons.map_or_else(|| "–".to_owned(), number);
        let rule = match it.rule {
            None => String::new(),
            Some(rule) => {
                let counts = if rule.counts { "telt" } else { "telt niet" };
                match rule.position {
                    None => format!("{counts}, standaard"),
                    Some(position) => format!("{counts}, regel op positie {position}"),
                }
            }
        };
        let contested = if it.contested { " (betwist)" } else { "" };
        Ok::<_, E>(writeln!(
            to,
            "<tr><td class=\"n\">{}</td><td>{}</td><td>{}</td><td>{} {}</td><td class=\"n\">{persons}</td><td>{}, \
             {}{contested}</td><td>{rule}</td></tr>",
            it.position,
            it.valid_on,
            it.municipality,
            step.half_year,
            line_in_dutch(step.line),
            it.event,
            it.source.as_ref().map_or_else(String::new, |it| escaped(it.as_str()).to_string())
        )?)
    };
    each_behind(explained, explaining, find, &mut row)?;
    Ok(writeln!(to, "</tbody>\n</table>\n</div>")?)
}

fn foot(answer: &Answer, to: &mut dyn Write) -> io::Result<()> {
    write!(
        to,
        "<h2>Controleren</h2>\n<p>Dit dossier is te controleren met de openbare sleutel van het logboek, zonder het logboek zelf: \
         <code>peildatum verify-dossier BESTAND --key SLEUTEL</code>, of met een ander programma: <code>python3 verify.py BESTAND \
         SLEUTEL</code>.</p>\n<p>Wortel van het logboek bij {} vastleggingen: <code>{}</code></p>\n</main>\n</body>\n</html>\n",
        number(answer.checkpoint.size as i64),
        answer.checkpoint.root
    )
}

/// A number that a program can hold against the statement or the explanation.
fn figure(id: &str, value: i64) -> String {
    format!("<data id=\"{id}\" value=\"{value}\">{}</data>", number(value))
}

/// A number as it is written in Dutch: a dot between thousands.
fn number(value: i64) -> String {
    crate::report::number::grouped(value).replace(',', ".")
}

/// A day as it is written in a Dutch letter.
fn date(day: Day) -> String {
    const MONTHS: [&str; 12] = [
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ];
    let text = day.to_string();
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let part =
        |part: Option<&str>| part.and_then(|it| it.parse::<usize>().ok()).expect("a day has three parts");
    format!("{} {} {}", part(day), MONTHS[part(month) - 1], part(year))
}

fn kind_in_dutch(kind: PlacementKind) -> &'static str {
    match kind {
        PlacementKind::Regular => "regulier",
        PlacementKind::FamilyReunification => "nareiziger",
        PlacementKind::Article8Family => "gezinslid, artikel 8",
        PlacementKind::AmvSmallScaleCare => "amv, kleinschalige opvang",
        PlacementKind::AmvFosterFamily => "amv, pleeggezin",
        PlacementKind::AmvUpTo14 => "amv tot en met 14 jaar",
        PlacementKind::AmvCoaUnit => "amv, kleine eenheid van COA",
        PlacementKind::HotelScheme => "hotel- en accommodatieregeling",
        PlacementKind::TransitLocation => "doorstroomlocatie",
        PlacementKind::FlexibleScheme => "doelgroepflexibele regeling",
        PlacementKind::Resettled => "hervestigd",
        PlacementKind::GuestScheme => "logeerregeling",
        PlacementKind::CoaHotel => "hotel van COA",
        PlacementKind::AdministrativePlacement => "administratieve plaatsing",
    }
}

fn line_in_dutch(line: StepLine) -> &'static str {
    match line {
        StepLine::CarryOver => "vastgestelde stand, voor zover die afwijkt",
        StepLine::Quota => "taakstelling",
        StepLine::Revision => "bijstelling",
        StepLine::Exchange => "onderlinge ruil",
        StepLine::Boundary => "herindeling",
        StepLine::Housed => "gerealiseerd",
        StepLine::NotCounted => "telt niet mee",
    }
}

/// A text in which nothing is taken for markup.
pub(in crate::report) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
