//! Stub.
use super::*;
/// Stub.
pub struct Links;
impl Links {
    /// Stub.
    pub fn open(_: &Path) -> Result<(Self, Vec<Note>), StoreError> {
        Ok((Links, Vec::new()))
    }
}
