//! Recording in SQLite: the checks that need what was recorded before, and what is written then.

use std::collections::HashMap;

use peildatum::book::posting::{Fixed, Line, Posting, postings};
use peildatum::decide::command::{Command, Identity};
use peildatum::decide::recalled::Recalled;
use peildatum::decide::refusal::Refusal;
use peildatum::decide::state::State;
use peildatum::decide::{Decided, decide};
use peildatum::domain::area::MunicipalityCode;
use peildatum::domain::event::{Entry, Event, IdBy};
use peildatum::domain::placement::{Placement, PlacementReport, Withdrawal, WithdrawalReport};
use peildatum::domain::rules::CountingRules;
use peildatum::domain::source::{DeliveryId, Source};
use peildatum::domain::time::{Day, Position, RecordedAt};
use peildatum::ledger::{Offered, Outside};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Transaction, params};

use crate::Failure;
use crate::generated::{outside, source};

/// The lines as numbers. Those of an obligation come first, then care, then what counts, then what does not.
pub mod line {
    /// The first line that is no obligation: what is housed counts from the day after.
    pub const IN_CARE: i64 = 4;
    /// The standing that the authority fixed.
    pub const CARRY_OVER: i64 = 3;
    /// The municipal number.
    pub const QUOTA: i64 = 0;
    /// What an evaluation changed.
    pub const REVISION: i64 = 1;
    /// What was exchanged.
    pub const EXCHANGE: i64 = 2;
    /// Housed and counted, the first kind.
    pub const HOUSED: i64 = 10;
    /// Housed and not counted, the first kind.
    pub const NOT_COUNTED: i64 = 40;
}

fn number_of(line: Line) -> i64 {
    match line {
        Line::Quota => line::QUOTA,
        Line::Revision => line::REVISION,
        Line::Exchange => line::EXCHANGE,
        Line::CarryOver => line::CARRY_OVER,
        Line::InCare => line::IN_CARE,
        Line::Housed(kind) => line::HOUSED + kind.index() as i64,
        Line::NotCounted(kind) => line::NOT_COUNTED + kind.index() as i64,
    }
}

/// What goes on from one transaction to the next.
pub struct Log {
    size: u64,
    outside: Outside,
    now: RecordedAt,
    today: Day,
    source: Source,
    delivery: DeliveryId,
    rules: CountingRules,
    fixed: Fixed,
    /// So that a code need not be taken apart for each row.
    codes: HashMap<MunicipalityCode, i64>,
    /// What is used again for each entry.
    line: Vec<u8>,
    moved: Vec<Posting>,
}

impl Log {
    /// The log as it is in the database.
    pub fn begin(connection: &Connection) -> Result<Self, Failure> {
        let last: Option<i64> =
            connection.query_row("SELECT MAX(position) FROM entries", [], |row| row.get(0))?;
        let mut outside = outside();
        let now = (outside.clock)();
        let mut codes = HashMap::new();
        for (municipality, _) in crate::generated::facts::municipalities() {
            codes.insert(municipality.code, i64::from(municipality.code.number()));
        }
        Ok(Self {
            size: last.map_or(0, |last| last.unsigned_abs() + 1),
            now,
            today: now.dutch_day(),
            source: source(),
            delivery: (outside.ids)(now).try_into()?,
            outside,
            rules: CountingRules::default(),
            fixed: Fixed::default(),
            codes,
            line: Vec::new(),
            moved: Vec::new(),
        })
    }

    /// How many entries there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Looks at the clock, once a transaction.
    pub fn now(&mut self) {
        self.now = (self.outside.clock)();
        self.today = self.now.dutch_day();
    }

    /// What follows is another delivery.
    pub fn begin_delivery(&mut self) {
        self.delivery = (self.outside.ids)(self.now).try_into().expect("identities are of version 7");
    }

    fn entry(&mut self, event: Event) -> Entry {
        Entry {
            position: Position(self.size),
            recorded_at: self.now,
            delivery: self.delivery,
            delivered_by: self.source.clone(),
            id: (self.outside.ids)(self.now).try_into().expect("identities are of version 7"),
            id_by: IdBy::Ledger,
            source: self.source.clone(),
            registered_at: None,
            event,
        }
    }
}

/// Records what stands in the ledger before the first placement. That is not measured, so Peildatum decides.
pub fn record_facts(
    transaction: &Transaction<'_>,
    log: &mut Log,
    commands: &[Command],
) -> Result<(), Failure> {
    let (mut state, none) = (State::default(), Recalled::default());
    let identity = Identity { source: log.source.clone(), id: None };
    for command in commands {
        let Decided::New(events) = decide(&state, &none, &identity, command, log.today)? else { continue };
        for event in events {
            match &event {
                Event::MunicipalityRegistered(it) => {
                    let row = params![it.code.number(), it.name.to_string(), it.from.index()];
                    transaction.execute("INSERT INTO municipalities VALUES (?1, ?2, ?3)", row)?;
                }
                Event::QuotaPublished(it) => {
                    let row = params![it.half_year.index(), log.size as i64, it.persons.count()];
                    transaction.execute("INSERT INTO quotas VALUES (?1, ?2, ?3)", row)?;
                }
                _ => {}
            }
            let entry = log.entry(event);
            state.apply(&entry);
            Recorder::new(transaction, log)?.write(entry)?;
        }
    }
    Ok(())
}

/// Records within one transaction.
pub struct Recorder<'c> {
    log: &'c mut Log,
    exists: CachedStatement<'c>,
    claim_person: CachedStatement<'c>,
    claimed_by: CachedStatement<'c>,
    release_person: CachedStatement<'c>,
    claim_id: CachedStatement<'c>,
    recorded_at: CachedStatement<'c>,
    entry_at: CachedStatement<'c>,
    withdrawn: CachedStatement<'c>,
    withdraw: CachedStatement<'c>,
    add_entry: CachedStatement<'c>,
    add_posting: CachedStatement<'c>,
}

impl<'c> Recorder<'c> {
    /// With the statements that it needs, which the connection keeps prepared.
    pub fn new(transaction: &'c Transaction<'_>, log: &'c mut Log) -> rusqlite::Result<Self> {
        let prepare = |sql| transaction.prepare_cached(sql);
        Ok(Self {
            log,
            exists: prepare("SELECT begins FROM municipalities WHERE code = ?1")?,
            claim_person: prepare("INSERT OR IGNORE INTO persons VALUES (?1, ?2)")?,
            claimed_by: prepare("SELECT position FROM persons WHERE person = ?1")?,
            release_person: prepare("DELETE FROM persons WHERE person = ?1 AND position = ?2")?,
            claim_id: prepare("INSERT OR IGNORE INTO placements VALUES (?1, ?2)")?,
            recorded_at: prepare("SELECT position FROM placements WHERE id = ?1")?,
            entry_at: prepare("SELECT line FROM entries WHERE position = ?1")?,
            withdrawn: prepare("SELECT position, reason FROM withdrawals WHERE placed = ?1")?,
            withdraw: prepare("INSERT INTO withdrawals VALUES (?1, ?2, ?3)")?,
            add_entry: prepare("INSERT INTO entries VALUES (?1, ?2)")?,
            add_posting: prepare("INSERT INTO postings VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?,
        })
    }

    /// What follows is another delivery.
    pub fn begin_delivery(&mut self) {
        self.log.begin_delivery();
    }

    /// Records what a row asks for, or gives the reason why not.
    pub fn record(&mut self, command: &Command) -> Result<Result<Offered, Refusal>, Failure> {
        match command {
            Command::RecordPlacement(report) => self.placement(report),
            Command::WithdrawPlacement(report) => self.withdrawal(report),
            _ => Err("only placements and withdrawals are measured".into()),
        }
    }

    /// Records a placement. The id and the person are looked up and taken in one step, so what was recorded before is
    /// looked for only when something is wrong.
    pub fn placement(&mut self, report: &PlacementReport) -> Result<Result<Offered, Refusal>, Failure> {
        let placement = match self.checked(report)? {
            Ok(placement) => placement,
            Err(refusal) => return self.known_or(report, refusal),
        };
        let position = self.log.size as i64;
        let counts = self.log.rules.count(report.kind, report.counts_from);
        let person = report.person.filter(|_| counts).map(|it| it.uuid().into_bytes());
        if let Some(person) = person
            && self.claim_person.execute((person, position))? == 0
        {
            let first: i64 = self.claimed_by.query_row([person], |row| row.get(0))?;
            return self.known_or(report, Refusal::PersonCountedAlready(Position(first.unsigned_abs())));
        }
        if self.claim_id.execute((report.placement.uuid().into_bytes(), position))? == 0 {
            if let Some(person) = person {
                self.release_person.execute((person, position))?;
            }
            // It is there, so this refusal is never given.
            return self.known_or(report, Refusal::UnknownPlacement);
        }
        let entry = self.log.entry(Event::PlacementRecorded(placement));
        Ok(Ok(Offered::Recorded(self.write(entry)?)))
    }

    /// The checks that come after the look at the id, in the order of Peildatum.
    fn checked(&mut self, report: &PlacementReport) -> Result<Result<Placement, Refusal>, Failure> {
        let placement = match Placement::try_from(report.clone()) {
            Ok(placement) => placement,
            Err(fault) => return Ok(Err(fault.into())),
        };
        let today = self.log.today;
        let dated = [("countsFrom", Some(report.counts_from)), ("matchedOn", report.matched_on)];
        for (field, day) in dated {
            if let Some(day) = day.filter(|day| *day > today) {
                return Ok(Err(Refusal::DateInFuture { field, day, today }));
            }
        }
        let named =
            [("municipality", Some(report.municipality)), ("siteMunicipality", report.site_municipality)];
        let mut not_yet = None;
        for (field, code) in named {
            let Some(code) = code else { continue };
            let begins: Option<i64> = match self.log.codes.get(&code) {
                Some(number) => self.exists.query_row([number], |row| row.get(0)).optional()?,
                None => None,
            };
            let Some(begins) = begins else {
                return Ok(Err(Refusal::UnknownMunicipality { field, code }));
            };
            if i64::from(report.counts_from.index()) < begins {
                let from = Day::new(1990, 1, 1)?.plus_days(u16::try_from(begins)?);
                not_yet.get_or_insert(Refusal::MunicipalityNotYet {
                    field,
                    code,
                    from,
                    on: report.counts_from,
                });
            }
        }
        Ok(not_yet.map_or(Ok(placement), Err))
    }

    /// Where the placement was recorded before with the same details; otherwise why it is refused.
    fn known_or(
        &mut self,
        report: &PlacementReport,
        refusal: Refusal,
    ) -> Result<Result<Offered, Refusal>, Failure> {
        let Some((position, known)) = self.recorded(report.placement.uuid().as_bytes())? else {
            return Ok(Err(refusal));
        };
        Ok(match known.report() == report {
            true => Ok(Offered::Known(position)),
            false => Err(Refusal::PlacementIdInUse(position)),
        })
    }

    /// The placement with this id, and where it was recorded.
    fn recorded(&mut self, id: &[u8; 16]) -> Result<Option<(Position, Placement)>, Failure> {
        let found: Option<i64> = self.recorded_at.query_row([id], |row| row.get(0)).optional()?;
        let Some(position) = found else { return Ok(None) };
        let line: Vec<u8> = self.entry_at.query_row([position], |row| row.get(0))?;
        match Entry::decode(&line)?.event {
            Event::PlacementRecorded(placement) => Ok(Some((Position(position.unsigned_abs()), placement))),
            _ => Err("the entry of a placement is another".into()),
        }
    }

    fn withdrawal(&mut self, report: &WithdrawalReport) -> Result<Result<Offered, Refusal>, Failure> {
        let Some((placed, placement)) = self.recorded(report.placement.uuid().as_bytes())? else {
            return Ok(Err(Refusal::UnknownPlacement));
        };
        let before: Option<(i64, String)> =
            self.withdrawn.query_row([placed.0 as i64], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        if let Some((position, reason)) = before {
            let position = Position(position.unsigned_abs());
            return Ok(match reason == report.reason.name() {
                true => Ok(Offered::Known(position)),
                false => Err(Refusal::WithdrawnAlready(position)),
            });
        }
        self.withdraw.execute((placed.0 as i64, self.log.size as i64, report.reason.name()))?;
        if let Some(person) = placement.person() {
            self.release_person.execute((person.uuid().into_bytes(), placed.0 as i64))?;
        }
        let entry = self.log.entry(Event::PlacementWithdrawn(Withdrawal {
            placement: report.placement,
            reason: report.reason,
            housed: placement.housed(),
            moves: Vec::new(),
            left_care_on: None,
        }));
        Ok(Ok(Offered::Recorded(self.write(entry)?)))
    }

    /// Writes an entry and its postings.
    fn write(&mut self, entry: Entry) -> Result<Position, Failure> {
        let Log { line, moved, rules, fixed, codes, size, .. } = &mut *self.log;
        line.clear();
        entry.encode_into(line);
        self.add_entry.execute((entry.position.0 as i64, &line[..]))?;
        moved.clear();
        postings(entry.position, &entry.event, rules, fixed, &mut |posting| moved.push(posting));
        fixed.apply(&entry.event);
        for it in moved.iter() {
            let code = codes.get(&it.municipality).ok_or("a posting of an unknown municipality")?;
            self.add_posting.execute((
                code,
                it.half_year.index(),
                number_of(it.line),
                it.valid_on.index(),
                it.position.0 as i64,
                it.persons,
            ))?;
        }
        *size += 1;
        Ok(entry.position)
    }
}
