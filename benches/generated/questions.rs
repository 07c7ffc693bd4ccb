//! Questions: which municipality, on which reference date, as known at which log size.

use std::ops::RangeInclusive;

use fastrand::Rng;
use peildatum::domain::area::MunicipalityCode;
use peildatum::domain::time::{AsOf, LogSize, ReferenceDate};

use super::facts::municipalities;
use super::{FIRST_DAY, LAST_DAY, day};

/// Questions without end, drawn from a seed.
pub struct Questions {
    random: Rng,
    codes: Vec<MunicipalityCode>,
    sizes: RangeInclusive<u64>,
}

impl Questions {
    /// Questions about all days of the history, as known at one of these log sizes.
    pub fn new(seed: u64, sizes: RangeInclusive<u64>) -> Self {
        let codes = municipalities().iter().map(|(it, _)| it.code).collect();
        Self { random: Rng::with_seed(seed), codes, sizes }
    }
}

impl Iterator for Questions {
    type Item = (MunicipalityCode, AsOf);

    fn next(&mut self) -> Option<(MunicipalityCode, AsOf)> {
        let code = self.codes[self.random.usize(0..self.codes.len())];
        let days = day(LAST_DAY).index() - day(FIRST_DAY).index();
        let on = day(FIRST_DAY).plus_days(self.random.u16(0..=days));
        let known_at = LogSize(self.random.u64(self.sizes.clone()));
        Some((code, AsOf { reference_date: ReferenceDate(on), known_at }))
    }
}
