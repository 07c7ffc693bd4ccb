//! Stub.
use crate::domain::access::Caller;
use crate::domain::time::RecordedAt;
use crate::store::StoreError;
/// Stub.
pub struct Access {
    /// Stub.
    pub callers: Vec<(String, Caller)>,
}
impl Access {
    pub(super) fn caller(&self, bearer: &str, _: RecordedAt) -> Result<Option<Caller>, StoreError> {
        Ok(self.callers.iter().find(|it| it.0 == bearer).map(|it| it.1.clone()))
    }
}
