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
    /// Stub.
    pub fn open(_: &std::path::Path, _: Option<&std::path::Path>) -> Result<Self, StoreError> {
        Ok(Self {
            callers: vec![
                (
                    "feeder-token".into(),
                    Caller::new(
                        "tracking".parse().unwrap(),
                        crate::domain::access::Role::Feeder,
                        Some("00000001234567890000".parse().unwrap()),
                        vec![],
                    )
                    .unwrap(),
                ),
                (
                    "decider-token".into(),
                    Caller::new(
                        "ministry".parse().unwrap(),
                        crate::domain::access::Role::DecisionMaker,
                        Some("00000001234567890000".parse().unwrap()),
                        vec![],
                    )
                    .unwrap(),
                ),
                (
                    "reader-token".into(),
                    Caller::new("reader".parse().unwrap(), crate::domain::access::Role::Reader, None, vec![])
                        .unwrap(),
                ),
            ],
        })
    }

    pub(super) fn caller(&self, bearer: &str, _: RecordedAt) -> Result<Option<Caller>, StoreError> {
        Ok(self.callers.iter().find(|it| it.0 == bearer).map(|it| it.1.clone()))
    }
}
