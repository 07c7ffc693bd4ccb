//! Numbers of persons, and where somebody stands with them.

use std::fmt;
use std::ops::Neg;

use serde::{Deserialize, Serialize};

use super::Fault;

/// The most persons that one fact can name; more is a typing error, and sums stay far from overflow.
pub const PERSONS_MAX: u32 = 10_000_000;

/// A number of persons: whole, never below zero, at most ten million in one fact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Persons(u32);

impl Persons {
    /// The number itself, for sums.
    pub fn count(self) -> i64 {
        i64::from(self.0)
    }
}

impl TryFrom<u32> for Persons {
    type Error = Fault;

    fn try_from(count: u32) -> Result<Self, Fault> {
        match count <= PERSONS_MAX {
            true => Ok(Self(count)),
            false => Err(Fault("is more than the ten million persons that one fact can name")),
        }
    }
}

impl From<Persons> for u32 {
    fn from(persons: Persons) -> u32 {
        persons.0
    }
}

impl fmt::Display for Persons {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(to)
    }
}

/// A standing as a signed number: above zero a backlog, below zero a surplus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i32", into = "i32")]
pub struct Balance(i32);

impl Balance {
    /// The number itself, for sums.
    pub fn count(self) -> i64 {
        i64::from(self.0)
    }
}

impl TryFrom<i32> for Balance {
    type Error = Fault;

    fn try_from(count: i32) -> Result<Self, Fault> {
        match count.unsigned_abs() <= PERSONS_MAX {
            true => Ok(Self(count)),
            false => Err(Fault("is more than the ten million persons that one fact can name")),
        }
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(to)
    }
}

impl From<Persons> for Balance {
    fn from(persons: Persons) -> Self {
        Self(i32::try_from(persons.0).expect("at most ten million persons"))
    }
}

impl Neg for Balance {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl From<Balance> for i32 {
    fn from(balance: Balance) -> i32 {
        balance.0
    }
}

/// Where a municipality, province or the country stands against its quota (taakstelling) on a
/// reference date (peildatum).
///
/// One value with three shapes, so a backlog and a surplus can never both be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// So many persons still to be housed (achterstand).
    Backlog(u64),
    /// Exactly as many as were due.
    OnTarget,
    /// So many persons more than were due (voorsprong).
    Surplus(u64),
}

impl Standing {
    /// The standing when so many persons remain of what was due.
    pub fn of_remaining(remaining: i64) -> Self {
        match remaining {
            1.. => Self::Backlog(remaining.unsigned_abs()),
            0 => Self::OnTarget,
            _ => Self::Surplus(remaining.unsigned_abs()),
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backlog(persons) => write!(to, "backlog {persons}"),
            Self::OnTarget => to.write_str("on target"),
            Self::Surplus(persons) => write!(to, "surplus {persons}"),
        }
    }
}
