//! Numbers by kind of placement, in one fixed place each.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::placement::PlacementKind;

/// A number for some kinds of placement; in JSON an object, in the usual order of kinds.
///
/// It lies within the statement, because a question can bring hundreds of statements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByKind([Option<i64>; PlacementKind::ALL.len()]);

impl ByKind {
    /// The number of a kind, if it has one.
    pub fn get(&self, kind: PlacementKind) -> Option<i64> {
        self.0[kind.index()]
    }

    /// The numbers there are, in the usual order of kinds.
    pub fn iter(&self) -> impl Iterator<Item = (PlacementKind, i64)> {
        PlacementKind::ALL.iter().filter_map(|&kind| Some((kind, self.get(kind)?)))
    }
}

impl FromIterator<(PlacementKind, i64)> for ByKind {
    fn from_iter<I: IntoIterator<Item = (PlacementKind, i64)>>(numbers: I) -> Self {
        let mut by_kind = Self::default();
        numbers.into_iter().for_each(|(kind, number)| by_kind.0[kind.index()] = Some(number));
        by_kind
    }
}

impl Serialize for ByKind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for ByKind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(BTreeMap::deserialize(from)?.into_iter().collect())
    }
}
