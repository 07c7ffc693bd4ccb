//! Placements in the order in which they are reported: drawn one by one, so that any number of them takes no memory.

use fastrand::Rng;
use peildatum::domain::area::MunicipalityCode;
use peildatum::domain::persons::Persons;
use peildatum::domain::placement::{PlacementKind, PlacementReport};
use peildatum::domain::source::{PersonToken, PlacementId};
use peildatum::domain::time::{Day, Month};
use uuid::{Builder, Uuid};

use super::facts::municipalities;
use super::{FIRST_DAY, LAST_DAY, day};

/// So many placements, reported evenly over the years.
pub struct Placements {
    random: Rng,
    codes: Vec<MunicipalityCode>,
    /// For each municipality the inhabitants of it and of all before it.
    up_to: Vec<u64>,
    next: u64,
    count: u64,
}

impl Placements {
    /// So many, from a seed. Another seed gives other placements of other persons.
    pub fn new(seed: u64, count: u64) -> Self {
        let municipalities = municipalities();
        let up_to = municipalities.iter().scan(0, |sum, (_, inhabitants)| {
            *sum += u64::from(*inhabitants);
            Some(*sum)
        });
        Self {
            random: Rng::with_seed(seed),
            up_to: up_to.collect(),
            codes: municipalities.iter().map(|(it, _)| it.code).collect(),
            next: 0,
            count,
        }
    }

    fn municipality(&mut self) -> MunicipalityCode {
        let all = *self.up_to.last().expect("there are municipalities");
        let inhabitant = self.random.u64(0..all);
        self.codes[self.up_to.partition_point(|up_to| *up_to <= inhabitant)]
    }

    fn uuid(&mut self) -> Uuid {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes);
        Builder::from_random_bytes(bytes).into_uuid()
    }

    /// Seven of ten are reported within a week, nearly all within six; the rest comes up to a year late.
    fn delay(&mut self) -> u16 {
        match self.random.u8(0..100) {
            0..70 => self.random.u16(1..=7),
            70..90 => self.random.u16(8..=21),
            90..98 => self.random.u16(22..=45),
            _ => self.random.u16(46..=365),
        }
    }

    fn kind(&mut self) -> PlacementKind {
        match self.random.u8(0..100) {
            0..8 => PlacementKind::AmvSmallScaleCare,
            8..23 => PlacementKind::FamilyReunification,
            23..27 => PlacementKind::TransitLocation,
            27..31 => PlacementKind::HotelScheme,
            31 => PlacementKind::AmvFosterFamily,
            _ => PlacementKind::Regular,
        }
    }

    /// The day on which the next one is reported.
    fn reported_on(&self) -> Day {
        let (first, last) = (day(FIRST_DAY), day(LAST_DAY));
        let days = u128::from(last.index() - first.index());
        let passed = u128::from(self.next) * days / u128::from(self.count);
        first.plus_days(u16::try_from(passed).expect("not more days than the history has"))
    }
}

impl Iterator for Placements {
    type Item = PlacementReport;

    fn next(&mut self) -> Option<PlacementReport> {
        if self.next == self.count {
            return None;
        }
        let reported_on = self.reported_on();
        self.next += 1;
        // Nothing counts from before the municipalities are in the register.
        let on = reported_on.index().saturating_sub(self.delay()).max(day((2016, 1, 1)).index());
        let counts_from = on_day(on);
        let kind = self.kind();
        let municipality = self.municipality();
        // Of families some come as a total, without a token.
        let family = kind == PlacementKind::FamilyReunification && self.random.u8(0..10) == 0;
        let persons = if family { self.random.u32(2..=5) } else { 1 };
        let granted = on_day(on - self.random.u16(20..=300));
        let site = (kind == PlacementKind::TransitLocation && self.random.u8(0..3) == 0)
            .then(|| self.municipality());
        let in_care = kind == PlacementKind::AmvSmallScaleCare;
        let care_ends = in_care.then(|| Month::from(counts_from.plus_days(self.random.u16(60..=900))));
        Some(PlacementReport {
            placement: PlacementId::try_from(self.uuid()).expect("a random UUID"),
            municipality,
            site_municipality: site.filter(|it| *it != municipality),
            counts_from,
            kind,
            persons: Persons::try_from(persons).expect("a small number"),
            person: (!family).then(|| PersonToken::try_from(self.uuid()).expect("a random UUID")),
            permit_granted_on: Some(granted),
            matched_on: Some(granted.plus_days(14).min(counts_from)),
            care_ends,
            turns_18: None,
        })
    }
}

fn on_day(index: u16) -> Day {
    day((1990, 1, 1)).plus_days(index)
}
