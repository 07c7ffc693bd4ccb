//! Numbers of persons by municipality, carried on to those that took the municipality over.

use std::collections::{BTreeMap, HashMap};

use super::register::Register;
use crate::domain::area::MunicipalityCode;
use crate::domain::time::AsOf;

/// Numbers of persons, each under what it says, as they were recorded for municipalities.
#[derive(Debug)]
pub(super) struct Numbers<K> {
    own: HashMap<MunicipalityCode, BTreeMap<K, i64>>,
}

/// The same numbers, of municipalities as they are on a reference date.
pub(super) struct CarriedOn<'a, K> {
    own: &'a Numbers<K>,
    register: &'a Register,
    as_of: AsOf,
    /// What an old municipality left is asked for by every heir, and in turn by every heir of an heir.
    remembered: HashMap<MunicipalityCode, BTreeMap<K, i64>>,
}

impl<K: Ord + Copy> Numbers<K> {
    /// None yet.
    pub(super) fn new() -> Self {
        Self { own: HashMap::new() }
    }

    /// Adds persons to one of the numbers of a municipality.
    pub(super) fn add(&mut self, code: MunicipalityCode, number: K, persons: i64) {
        *self.own.entry(code).or_default().entry(number).or_default() += persons;
    }

    /// With what was taken over by then, as known then.
    pub(super) fn carried_on<'a>(&'a self, register: &'a Register, as_of: AsOf) -> CarriedOn<'a, K> {
        CarriedOn { own: self, register, as_of, remembered: HashMap::new() }
    }
}

impl<K: Ord + Copy> CarriedOn<'_, K> {
    /// The numbers of a municipality, with those of the municipalities that it took over. Nobody can say which persons of a
    /// municipality that was split went to which heir, so each number is divided by itself.
    pub(super) fn of(&mut self, code: MunicipalityCode) -> BTreeMap<K, i64> {
        if let Some(numbers) = self.remembered.get(&code) {
            return numbers.clone();
        }
        let mut numbers = self.own.own.get(&code).cloned().unwrap_or_default();
        let register = self.register;
        for it in register.taken_over(code, self.as_of) {
            for &old in it.old() {
                for (number, persons) in self.of(old) {
                    *numbers.entry(number).or_default() += it.share(persons);
                }
            }
        }
        self.remembered.insert(code, numbers.clone());
        numbers
    }

    /// The sums over several municipalities.
    pub(super) fn sums(&mut self, codes: &[MunicipalityCode]) -> BTreeMap<K, i64> {
        let mut sums = BTreeMap::new();
        for (number, persons) in codes.iter().flat_map(|&code| self.of(code)) {
            *sums.entry(number).or_default() += persons;
        }
        sums
    }
}
