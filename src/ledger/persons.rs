//! The links of persons beside a ledger, with the random numbers of the machine.

use std::path::Path;

use super::Ledger;
use crate::store::StoreError;
use crate::store::links::{Links, Random};

/// The links of the ledger in a folder, which may be in use by another process.
///
/// # Errors
/// When there is no ledger.
pub fn links(dir: &Path) -> Result<Links, StoreError> {
    Links::of_ledger(dir, random())
}

/// What draws keys and tokens that nobody can guess.
pub(super) fn random() -> Random {
    Box::new(|bytes| getrandom::fill(bytes).expect("the operating system has random numbers"))
}

impl Ledger {
    /// The links of persons. In a rehearsal they are only looked at.
    pub fn links(&mut self) -> &mut Links {
        &mut self.links
    }
}
