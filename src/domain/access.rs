//! Who may what: the roles of those who call the ledger, and the rules that follow from them.
//!
//! A role says what a caller is there for, an OIN for which organisation, and areas for whom. The rules here are pure: how a
//! caller proves who it is (a token, a JWT) is the business of higher floors. `docs/access.md` gives the reason for each.

use std::str::FromStr;

use super::area::{Area, MunicipalityCode, Province};
use super::event::EventName;
use super::person_number::holds_person_number;
use super::source::Source;
use super::{Fault, Room, named, text_in_json, written};

named! {
    /// What a caller is there for. Each has one role; who needs two has two tokens.
    pub enum Role {
        /// Reports what happened, from its own systems: COA, Nidos.
        Feeder = "feeder",
        /// Publishes, decides and fixes: the ministry.
        DecisionMaker = "decision_maker",
        /// Supervises municipalities, and objects on their behalf.
        Province = "province",
        /// Reads its own figures, and objects to them.
        Municipality = "municipality",
        /// Reads figures of all areas, with their breakdown.
        Reader = "reader",
        /// Reads everything that there is to check the ledger with: raw entries, proofs.
        Auditor = "auditor",
        /// Keeps the program running: measurements and sources, no figures.
        Operator = "operator",
    } else "is not a role"
}

impl Role {
    /// Whether it may deliver anything at all.
    pub fn delivers(self) -> bool {
        match self {
            Self::Feeder | Self::DecisionMaker | Self::Province | Self::Municipality => true,
            Self::Reader | Self::Auditor | Self::Operator => false,
        }
    }

    /// Whether it is there for some areas only.
    pub fn has_areas(self) -> bool {
        matches!(self, Self::Province | Self::Municipality)
    }

    /// Whether it may send events of this kind. For objections the area decides too: [`Caller::may_object_for`].
    pub fn may_send(self, event: EventName) -> bool {
        let sends: &[Self] = match event {
            EventName::PlacementRecorded
            | EventName::PlacementWithdrawn
            | EventName::PlacementTransferred
            | EventName::FollowOnHousingRecorded
            | EventName::GrantsReported
            | EventName::AmvPlacesReported => &[Self::Feeder],
            EventName::MunicipalityRegistered
            | EventName::BoundaryChanged
            | EventName::PopulationCounted
            | EventName::QuotaPublished
            | EventName::QuotaAllocated
            | EventName::QuotaExchanged
            | EventName::EvaluationRecorded
            | EventName::CarryOverRecorded
            | EventName::AmvCapacitySet
            | EventName::CountingRuleSet
            | EventName::PhaseSet
            | EventName::ObjectionSettled => &[Self::DecisionMaker],
            EventName::ObjectionRecorded => &[Self::Province, Self::Municipality],
        };
        sends.contains(&self)
    }
}

/// The number of an organisation in the register of Logius (organisatie-identificatienummer, OIN): 20 digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oin([u8; 20]);

impl FromStr for Oin {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        const WRONG: Fault =
            Fault("is not an OIN: write the 20 digits of the organisation, such as 00000001234567890000");
        let digits: [u8; 20] = text.as_bytes().try_into().map_err(|_| WRONG)?;
        match digits.iter().all(u8::is_ascii_digit) && digits.iter().any(|digit| *digit != b'0') {
            true => Ok(Self(digits)),
            false => Err(WRONG),
        }
    }
}

impl Oin {
    fn write_in(self, room: &mut Room) -> &str {
        room[..20].copy_from_slice(&self.0);
        written(&room[..20])
    }
}

text_in_json!(Oin, in one piece);

impl Source {
    /// The organisation that it is of, where it names one by its OIN. A short name such as `coa` is of nobody who calls.
    pub fn oin(&self) -> Option<Oin> {
        let (oin, _) = self.as_str().strip_prefix("urn:nld:oin:")?.split_once(":systeem:")?;
        oin.parse().ok()
    }
}

/// The name under which a caller is known: that of a system in a [`Source`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallerName(String);

impl CallerName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn write_in(&self, _: &mut Room) -> &str {
        &self.0
    }
}

impl FromStr for CallerName {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b);
        match (1..=40).contains(&text.len()) && text.bytes().all(inside) && !holds_person_number(text) {
            true => Ok(Self(text.to_owned())),
            false => Err(Fault(
                "is not a name: write 1 to 40 small letters, digits, dots, hyphens and underscores, and no number of a person",
            )),
        }
    }
}

text_in_json!(CallerName, in one piece);

/// Who calls, once that is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    name: CallerName,
    role: Role,
    oin: Option<Oin>,
    areas: Vec<Area>,
}

/// Why a caller may not do something. None of these says what the ledger holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Denied {
    /// The role does not go with it.
    #[error("the role of the caller does not allow this")]
    OtherRole,
    /// It is said in the name of another organisation.
    #[error("the source is of another organisation than the caller: its OIN must be that of the caller")]
    OtherOrganisation,
    /// It is about an area that is not the caller's.
    #[error("this is about an area that the caller does not answer for")]
    OtherArea,
}

impl Caller {
    /// A caller with all that its role asks for.
    ///
    /// # Errors
    /// When a role that delivers has no OIN, a province no provinces, a municipality no municipalities, or any other role
    /// has areas.
    pub fn new(name: CallerName, role: Role, oin: Option<Oin>, mut areas: Vec<Area>) -> Result<Self, Fault> {
        if role.delivers() && oin.is_none() {
            return Err(Fault("has a role that delivers and no OIN: give the OIN of the organisation"));
        }
        let fits = |area: &Area| match role {
            Role::Province => matches!(area, Area::Province(_)),
            Role::Municipality => matches!(area, Area::Municipality(_)),
            Role::Feeder | Role::DecisionMaker | Role::Reader | Role::Auditor | Role::Operator => false,
        };
        if !areas.iter().all(fits) || (role.has_areas() && areas.is_empty()) {
            return Err(Fault(match role {
                Role::Province => "is of a province: give one or more provinces as its areas, such as PV28",
                Role::Municipality => {
                    "is of a municipality: give one or more municipalities as its areas, such as GM0599"
                }
                _ => "has areas and a role that is not bound to any: leave them out",
            }));
        }
        areas.sort();
        areas.dedup();
        Ok(Self { name, role, oin, areas })
    }

    /// The name of the token, or the subject of the JWT.
    pub fn name(&self) -> &CallerName {
        &self.name
    }

    /// What it is there for.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The organisation; every role that delivers has one.
    pub fn oin(&self) -> Option<Oin> {
        self.oin
    }

    /// The areas that it answers for: none for the roles that are not bound to any.
    pub fn areas(&self) -> &[Area] {
        &self.areas
    }

    /// What stands in the log as who delivered: `urn:nld:oin:<oin>:systeem:<name>`.
    pub fn source(&self) -> Option<Source> {
        let oin = self.oin?;
        let text = format!("urn:nld:oin:{oin}:systeem:{}", self.name);
        Some(text.parse().expect("the name of a caller is that of a system"))
    }

    /// Who it is in the audit record: as in the log, or by its name alone where it has no organisation.
    pub fn actor(&self) -> String {
        self.source().map_or_else(|| self.name.to_string(), |source| source.to_string())
    }

    /// Whether something of this organisation is the caller's own: a delivery, a row in quarantine, a source.
    pub fn is_of(&self, organisation: Oin) -> bool {
        self.oin == Some(organisation)
    }

    /// Whether it may send events of this kind, that come from this source.
    ///
    /// # Errors
    /// When the role does not go with the event, or the source is not of the caller's organisation.
    pub fn may_send(&self, event: EventName, source: &Source) -> Result<(), Denied> {
        if !self.role.may_send(event) {
            return Err(Denied::OtherRole);
        }
        match source.oin().is_some_and(|oin| self.is_of(oin)) {
            true => Ok(()),
            false => Err(Denied::OtherOrganisation),
        }
    }

    /// Whether it may object in the name of a municipality: beside [`may_send`](Self::may_send), for each objection.
    /// `province_of` gives the province of a municipality as the register has it.
    ///
    /// # Errors
    /// When the municipality is not one that the caller answers for, also where nobody knows the municipality.
    pub fn may_object_for(
        &self,
        municipality: MunicipalityCode,
        province_of: impl Fn(MunicipalityCode) -> Option<Province>,
    ) -> Result<(), Denied> {
        if !self.role.may_send(EventName::ObjectionRecorded) {
            return Err(Denied::OtherRole);
        }
        match self.answers_for(Area::Municipality(municipality), province_of) {
            true => Ok(()),
            false => Err(Denied::OtherArea),
        }
    }

    /// Whether it may see what lies behind the public totals of an area: the breakdown, explanations, restatements.
    /// `province_of` gives the province of a municipality as the register has it.
    ///
    /// # Errors
    /// When the role is shown no figures, or is bound to other areas.
    pub fn may_see(
        &self,
        area: Area,
        province_of: impl Fn(MunicipalityCode) -> Option<Province>,
    ) -> Result<(), Denied> {
        match self.role {
            Role::Feeder | Role::DecisionMaker | Role::Reader | Role::Auditor => Ok(()),
            Role::Operator => Err(Denied::OtherRole),
            Role::Province | Role::Municipality => match self.answers_for(area, province_of) {
                true => Ok(()),
                false => Err(Denied::OtherArea),
            },
        }
    }

    /// Whether an area is one of the caller's, or a municipality in one of its provinces.
    fn answers_for(&self, area: Area, province_of: impl Fn(MunicipalityCode) -> Option<Province>) -> bool {
        if self.areas.contains(&area) {
            return true;
        }
        match area {
            Area::Municipality(code) => {
                province_of(code).is_some_and(|province| self.areas.contains(&Area::Province(province)))
            }
            Area::Province(_) | Area::Country => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "00000001234567890000";

    fn caller(role: Role, areas: &[&str]) -> Result<Caller, Fault> {
        let areas = areas.iter().map(|area| area.parse().unwrap()).collect();
        Caller::new("desk".parse().unwrap(), role, Some(OWN.parse().unwrap()), areas)
    }

    /// A caller of a role, with the areas that the role needs.
    fn of(role: Role) -> Caller {
        let areas: &[&str] = match role {
            Role::Province => &["PV28"],
            Role::Municipality => &["GM0599"],
            _ => &[],
        };
        caller(role, areas).unwrap()
    }

    /// Rotterdam and Schiedam lie in Zuid-Holland, Utrecht in Utrecht; nobody knows any other municipality.
    fn province_of(code: MunicipalityCode) -> Option<Province> {
        match code.number() {
            599 | 606 => Some("PV28".parse().unwrap()),
            344 => Some("PV26".parse().unwrap()),
            _ => None,
        }
    }

    #[test]
    fn each_kind_of_event_comes_from_those_whose_business_it_is() {
        let table = "
            municipality-registered     decision_maker
            boundary-changed            decision_maker
            population-counted          decision_maker
            quota-published             decision_maker
            quota-allocated             decision_maker
            quota-exchanged             decision_maker
            evaluation-recorded         decision_maker
            carry-over-recorded         decision_maker
            placement-recorded          feeder
            placement-withdrawn         feeder
            placement-transferred       feeder
            follow-on-housing-recorded  feeder
            grants-reported             feeder
            amv-capacity-set            decision_maker
            amv-places-reported         feeder
            counting-rule-set           decision_maker
            phase-set                   decision_maker
            objection-recorded          province municipality
            objection-settled           decision_maker
        ";
        let own: Source = format!("urn:nld:oin:{OWN}:systeem:tracking").parse().unwrap();
        let mut found = String::new();
        for event in EventName::ALL {
            let who = Role::ALL.iter().filter(|role| of(**role).may_send(*event, &own).is_ok());
            let who: Vec<_> = who.map(|role| role.name()).collect();
            found += &format!("{event} {}\n", who.join(" "));
        }
        let expected: String = table
            .trim()
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n")
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_event_is_of_the_organisation_that_sends_it() {
        let feeder = of(Role::Feeder);
        for (source, sent) in [
            ("urn:nld:oin:00000001234567890000:systeem:tracking", Ok(())),
            ("urn:nld:oin:00000001234567890000:systeem:another", Ok(())),
            ("urn:nld:oin:00000001234567890001:systeem:tracking", Err(Denied::OtherOrganisation)),
            ("coa", Err(Denied::OtherOrganisation)),
            ("generated/tracking", Err(Denied::OtherOrganisation)),
        ] {
            assert_eq!(
                feeder.may_send(EventName::PlacementRecorded, &source.parse().unwrap()),
                sent,
                "{source}"
            );
        }
        // What the role does not allow is refused first, whoever is named as source.
        let foreign = "urn:nld:oin:00000001234567890001:systeem:x".parse().unwrap();
        assert_eq!(feeder.may_send(EventName::QuotaPublished, &foreign), Err(Denied::OtherRole));
    }

    #[test]
    fn objections_are_for_own_municipalities_and_figures_for_own_areas() {
        // Who, with which areas, whether it may object for a municipality, and see what lies behind the totals of an area.
        let table = "
            municipality    GM0599         objects GM0599  yes
            municipality    GM0599         objects GM0606  area
            municipality    GM0599,GM0606  objects GM0606  yes
            municipality    GM0599         objects GM9999  area
            province        PV28           objects GM0599  yes
            province        PV28           objects GM0344  area
            province        PV26,PV28      objects GM0344  yes
            province        PV28           objects GM9999  area
            feeder          -              objects GM0599  role
            decision_maker  -              objects GM0599  role
            reader          -              objects GM0599  role
            auditor         -              objects GM0599  role
            operator        -              objects GM0599  role
            municipality    GM0599         sees    GM0599  yes
            municipality    GM0599         sees    GM0606  area
            municipality    GM0599         sees    PV28    area
            municipality    GM0599         sees    NL      area
            province        PV28           sees    PV28    yes
            province        PV28           sees    GM0599  yes
            province        PV28           sees    GM0344  area
            province        PV28           sees    GM9999  area
            province        PV28           sees    PV26    area
            province        PV28           sees    NL      area
            feeder          -              sees    NL      yes
            decision_maker  -              sees    GM0344  yes
            reader          -              sees    PV26    yes
            auditor         -              sees    GM9999  yes
            operator        -              sees    NL      role
            operator        -              sees    GM0599  role
        ";
        for line in table.trim().lines() {
            let [role, areas, does, area, expected] =
                line.split_whitespace().collect::<Vec<_>>().try_into().expect("five columns");
            let areas: Vec<&str> = areas.split(',').filter(|area| *area != "-").collect();
            let caller = caller(role.parse().unwrap(), &areas).unwrap();
            let answer = match (does, area.parse().unwrap()) {
                ("objects", Area::Municipality(code)) => caller.may_object_for(code, province_of),
                ("sees", area) => caller.may_see(area, province_of),
                _ => panic!("{line}"),
            };
            let answer = match answer {
                Ok(()) => "yes",
                Err(Denied::OtherArea) => "area",
                Err(Denied::OtherRole) => "role",
                Err(Denied::OtherOrganisation) => "organisation",
            };
            assert_eq!(answer, expected, "{line}");
        }
    }

    #[test]
    fn a_role_has_the_areas_and_the_organisation_that_it_needs_and_no_more() {
        for (role, areas, right) in [
            (Role::Municipality, &["GM0599", "GM0606"][..], true),
            (Role::Municipality, &[], false),
            (Role::Municipality, &["PV28"], false),
            (Role::Municipality, &["GM0599", "NL"], false),
            (Role::Province, &["PV28"], true),
            (Role::Province, &[], false),
            (Role::Province, &["GM0599"], false),
            (Role::Province, &["NL"], false),
            (Role::Feeder, &["NL"], false),
            (Role::DecisionMaker, &["PV28"], false),
            (Role::Reader, &["GM0599"], false),
            (Role::Auditor, &[], true),
            (Role::Operator, &["NL"], false),
        ] {
            assert_eq!(caller(role, areas).is_ok(), right, "{role} {areas:?}");
        }
        for role in Role::ALL {
            let without = Caller::new("desk".parse().unwrap(), *role, None, of(*role).areas().to_vec());
            assert_eq!(without.is_err(), role.delivers(), "{role} without an OIN");
        }
        assert_eq!(caller(Role::Province, &["PV28", "PV20", "PV28"]).unwrap().areas().len(), 2);
    }

    #[test]
    fn who_delivers_stands_in_the_log_as_organisation_and_system() {
        let source = of(Role::Feeder).source().unwrap();
        assert_eq!(source.as_str(), "urn:nld:oin:00000001234567890000:systeem:desk");
        assert_eq!(source.oin(), of(Role::Feeder).oin());
        let reader = Caller::new("desk".parse().unwrap(), Role::Reader, None, vec![]).unwrap();
        assert_eq!(reader.source(), None);
    }

    #[test]
    fn numbers_of_organisations_and_names_are_written_in_one_way() {
        assert_eq!(OWN.parse::<Oin>().unwrap().to_string(), OWN);
        for wrong in [
            "",
            "0000000123456789000",
            "000000012345678900000",
            "0000000123456789000x",
            "00000000000000000000",
        ] {
            assert!(wrong.parse::<Oin>().is_err(), "{wrong}");
        }
        for right in ["a", "desk-2.test_x", "01890a5d-ac96-774b-bcce-111222333444"] {
            assert_eq!(right.parse::<CallerName>().unwrap().as_str(), right);
        }
        for wrong in ["", "Desk", "a b", "a/b", "é", "111222333", "x-2801234567", &"a".repeat(41)] {
            assert!(wrong.parse::<CallerName>().is_err(), "{wrong}");
        }
    }
}
