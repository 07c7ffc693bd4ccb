//! Who calls: one seam for everything that a caller can prove it with.

use std::path::Path;

use super::jwt::{Issuers, IssuersFault};
use crate::domain::access::Caller;
use crate::domain::time::RecordedAt;
use crate::store::{StoreError, Tokens, is_secret};

/// What callers are known by: the tokens of the ledger, and the issuers that its operator trusts.
pub struct Access {
    tokens: Tokens,
    issuers: Option<Issuers>,
}

/// Nobody can be let in by this way now. What it says is for whoever runs the program; a caller is told to come back.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The tokens cannot be read.
    #[error(transparent)]
    Tokens(#[from] StoreError),
    /// The keys of an issuer cannot be read.
    #[error(transparent)]
    Issuers(#[from] IssuersFault),
}

impl Access {
    /// Reads the tokens of the ledger in a folder, and the list of issuers where there is one.
    ///
    /// # Errors
    /// When either cannot be read or is damaged: a server must not start then.
    pub fn open(ledger: &Path, issuers: Option<&Path>, now: RecordedAt) -> Result<Self, Broken> {
        let issuers = issuers.map(|list| Issuers::open(list, now)).transpose()?;
        Ok(Self { tokens: Tokens::open(ledger)?, issuers })
    }

    /// Whom a bearer's text lets in at this moment, if anybody: the secret of a token, or a JWT.
    ///
    /// # Errors
    /// When that cannot be found out. Then nobody is let in.
    pub fn caller(&self, bearer: &str, now: RecordedAt) -> Result<Option<Caller>, Broken> {
        match &self.issuers {
            _ if is_secret(bearer) => Ok(self.tokens.find(bearer, now)?),
            Some(issuers) => Ok(issuers.caller(bearer, now)?),
            None => Ok(None),
        }
    }
}
