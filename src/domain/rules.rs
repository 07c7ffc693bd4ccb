//! Counting rules: which kinds of placement count toward the quota, from when until when.
//!
//! What the sources leave open is never a constant of the program: each rule is a dated fact that
//! can be recorded anew. The defaults hold where nothing was recorded.

use serde::{Deserialize, Serialize};

use super::Fault;
use super::placement::PlacementKind;
use super::reference::Reference;
use super::time::Day;

/// That a kind of placement counts, or does not, in a period.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "CountingRuleReport", into = "CountingRuleReport")]
pub struct CountingRule {
    report: CountingRuleReport,
}

/// A [`CountingRule`] as it is delivered and stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CountingRuleReport {
    /// The kind of placement.
    pub kind: PlacementKind,
    /// Whether it counts.
    pub counts: bool,
    /// The first day of the rule. It holds for placements that count from that day or later.
    pub from: Day,
    /// The last day of the rule; without one it holds until another rule is recorded.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
    /// Where the rule stands.
    pub reference: Reference,
}

impl CountingRule {
    /// The kind of placement.
    pub fn kind(&self) -> PlacementKind {
        self.report.kind
    }

    /// Whether it counts.
    pub fn counts(&self) -> bool {
        self.report.counts
    }

    /// Whether the rule speaks about placements that count from this day.
    pub fn covers(&self, day: Day) -> bool {
        self.report.from <= day && self.report.until.is_none_or(|until| day <= until)
    }
}

impl TryFrom<CountingRuleReport> for CountingRule {
    type Error = Fault;

    fn try_from(report: CountingRuleReport) -> Result<Self, Fault> {
        match report.until.is_none_or(|until| report.from <= until) {
            true => Ok(Self { report }),
            false => Err(Fault("is a rule that ends before it begins")),
        }
    }
}

impl From<CountingRule> for CountingRuleReport {
    fn from(it: CountingRule) -> Self {
        it.report
    }
}

/// Whether a kind counts where no rule was recorded.
///
/// Stated in the letters: regular, small-scale care of amv, hotel scheme and transit location count; foster
/// families, younger amv and units of COA do not. Inferred: family members count, article 8, guest schemes, COA hotels and
/// administrative placements do not. Not found, so a default only: resettled (yes), flexible scheme (no).
pub fn counts_by_default(kind: PlacementKind) -> bool {
    match kind {
        PlacementKind::Regular
        | PlacementKind::FamilyReunification
        | PlacementKind::AmvSmallScaleCare
        | PlacementKind::HotelScheme
        | PlacementKind::TransitLocation
        | PlacementKind::Resettled => true,
        PlacementKind::Article8Family
        | PlacementKind::AmvFosterFamily
        | PlacementKind::AmvUpTo14
        | PlacementKind::AmvCoaUnit
        | PlacementKind::FlexibleScheme
        | PlacementKind::GuestScheme
        | PlacementKind::CoaHotel
        | PlacementKind::AdministrativePlacement => false,
    }
}

/// The counting rules at some moment: the recorded ones in the order of the log, and the defaults.
#[derive(Clone, Debug, Default)]
pub struct CountingRules {
    recorded: Vec<CountingRule>,
}

impl CountingRules {
    /// Takes up a rule that was recorded after all others.
    pub fn record(&mut self, rule: CountingRule) {
        self.recorded.push(rule);
    }

    /// Whether a placement of this kind that counts from this day counts: the rule recorded last
    /// that covers the day decides.
    pub fn count(&self, kind: PlacementKind, counts_from: Day) -> bool {
        let last = self.recorded.iter().rev().find(|it| it.kind() == kind && it.covers(counts_from));
        last.map_or_else(|| counts_by_default(kind), CountingRule::counts)
    }
}
