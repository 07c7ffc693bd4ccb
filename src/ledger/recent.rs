//! Entries that are in memory and not in the store: on their way there, or rehearsed only.

use std::collections::VecDeque;
use std::sync::Arc;

use super::LedgerError;
use crate::store::{Lines, Spool};

/// What was decided and is not durable.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// What was submitted, by its first position.
    submitted: VecDeque<(u64, Arc<Lines>)>,
    /// From its first position on, what would be recorded.
    rehearsed: Option<(u64, Spool)>,
}

impl Recent {
    /// Keeps from now on what would be recorded.
    pub fn rehearse(&mut self, size: u64) -> Result<(), LedgerError> {
        if self.rehearsed.is_none() {
            self.rehearsed = Some((size, Spool::new().map_err(LedgerError::Rehearsal)?));
        }
        Ok(())
    }

    pub fn is_rehearsing(&self) -> bool {
        self.rehearsed.is_some()
    }

    /// Keeps lines of a rehearsal.
    pub fn spool(&mut self, lines: &Lines) -> Result<(), LedgerError> {
        let (_, spool) = self.rehearsed.as_mut().expect("it rehearses");
        spool.append(lines).map_err(LedgerError::Rehearsal)
    }

    /// Keeps lines that were submitted, and lets those go that are durable by now.
    pub fn submit(&mut self, first: u64, lines: Arc<Lines>, durable: u64) {
        while self.submitted.front().is_some_and(|(first, lines)| first + lines.len() as u64 <= durable) {
            self.submitted.pop_front();
        }
        self.submitted.push_back((first, lines));
    }

    /// The line at a position, where it is here.
    pub fn get(&mut self, position: u64) -> Result<Option<Vec<u8>>, LedgerError> {
        if let Some((first, spool)) = &mut self.rehearsed
            && let Some(index) = position.checked_sub(*first)
        {
            return spool.get(index as usize).map_err(LedgerError::Rehearsal);
        }
        let after = self.submitted.partition_point(|(first, _)| *first <= position);
        let Some((first, lines)) = after.checked_sub(1).map(|at| &self.submitted[at]) else {
            return Ok(None);
        };
        Ok(lines.get((position - first) as usize).map(<[u8]>::to_vec))
    }
}
