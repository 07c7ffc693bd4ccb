//! Everything that is wrong with a file that is read as a whole, told at once and without repeating what stands in it.

use std::fmt;

/// What is wrong with a file, a sentence each.
#[derive(Debug, Default)]
pub struct Faults {
    told: Vec<String>,
    /// How many more there are.
    more: u64,
}

/// How many faults are told. Who mends these sees the next ones.
const TOLD: usize = 25;

impl Faults {
    pub(super) fn one(fault: impl Into<String>) -> Self {
        Self { told: vec![fault.into()], more: 0 }
    }

    pub(super) fn add(&mut self, fault: String) {
        match self.told.len() < TOLD {
            true => self.told.push(fault),
            false => self.more += 1,
        }
    }

    pub(super) fn add_in(&mut self, row: u64, column: &str, problem: &str) {
        self.add(format!("row {row}, column {column}: {problem}"));
    }

    /// The value, unless there is a fault.
    pub(super) fn or<T>(self, value: T) -> Result<T, Self> {
        if self.told.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.told.join("\n"))?;
        match self.more {
            0 => Ok(()),
            more => write!(to, "\nand {more} more: mend these first"),
        }
    }
}
