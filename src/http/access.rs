//! Who calls, as a token shows.

use std::path::Path;

use crate::domain::access::Caller;
use crate::domain::time::RecordedAt;
use crate::store::{StoreError, Tokens};

/// All by which somebody can show who it is.
pub struct Access {
    tokens: Tokens,
}

impl Access {
    /// The tokens of a ledger.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn open(dir: &Path, _: Option<&Path>) -> Result<Self, StoreError> {
        Ok(Self { tokens: Tokens::open(dir)? })
    }

    /// Who shows this.
    pub(super) fn caller(&self, bearer: &str, now: RecordedAt) -> Result<Option<Caller>, StoreError> {
        self.tokens.find(bearer, now)
    }
}
