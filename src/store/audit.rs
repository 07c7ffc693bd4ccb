//! Stub.
use super::*;
use crate::domain::access::{Oin, Role};
use crate::domain::time::RecordedAt;
/// Stub.
pub struct Trail;
#[allow(missing_docs)]
pub struct AuditRecord {
    pub at: RecordedAt,
    pub actor: Option<(String, Role, Option<Oin>)>,
    pub action: String,
    pub object: String,
    pub result: AuditResult,
    pub status: u16,
    pub code: Option<String>,
    pub origin: Option<String>,
}
#[allow(missing_docs)]
pub enum AuditResult {
    Done,
    Denied,
    Failed,
}
impl Trail {
    /// Stub.
    pub fn start(_: &Path) -> Result<Self, StoreError> {
        Ok(Self)
    }
    /// Stub.
    pub fn record(&self, _: AuditRecord) -> bool {
        true
    }
    /// Stub.
    pub fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
