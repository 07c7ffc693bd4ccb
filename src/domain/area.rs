//! Areas: municipalities, provinces and the country, and how municipalities change.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::reference::AreaName;
use super::time::Day;
use super::{Fault, Room, digits, text_in_json, written};

/// The code of a municipality (gemeente) as Statistics Netherlands (CBS) gives it, such as `GM0599`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MunicipalityCode(u16);

impl MunicipalityCode {
    /// The four digits as a number, at most 9999.
    pub fn number(self) -> u16 {
        self.0
    }

    /// The code with these four digits.
    pub fn from_number(number: u16) -> Option<Self> {
        (number <= 9_999).then_some(Self(number))
    }
}

impl FromStr for MunicipalityCode {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        const WRONG: Fault =
            Fault("is not the code of a municipality: write GM and four digits, such as GM0599");
        let digits = text.strip_prefix("GM").ok_or(WRONG)?;
        match digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()) {
            true => digits.parse().map(Self).map_err(|_| WRONG),
            false => Err(WRONG),
        }
    }
}

impl MunicipalityCode {
    fn write_in(self, room: &mut Room) -> &str {
        room[..2].copy_from_slice(b"GM");
        digits(self.0.into(), &mut room[2..6]);
        written(&room[..6])
    }
}

text_in_json!(MunicipalityCode, in one piece);

/// A province (provincie), by its CBS code. There have been twelve since 1986.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Province(u8);

const PROVINCES: [&str; 12] = [
    "Groningen",
    "Fryslân",
    "Drenthe",
    "Overijssel",
    "Flevoland",
    "Gelderland",
    "Utrecht",
    "Noord-Holland",
    "Zuid-Holland",
    "Zeeland",
    "Noord-Brabant",
    "Limburg",
];

impl Province {
    /// All twelve, in the order of their codes.
    pub fn all() -> impl Iterator<Item = Self> {
        (20..=31).map(Self)
    }

    /// The name, such as `Fryslân`.
    pub fn name(self) -> &'static str {
        PROVINCES[usize::from(self.0 - 20)]
    }
}

impl FromStr for Province {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        const WRONG: Fault = Fault("is not the code of a province: write PV20 to PV31");
        Self::all().find(|it| it.to_string() == text).ok_or(WRONG)
    }
}

impl fmt::Display for Province {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "PV{}", self.0)
    }
}

text_in_json!(Province);

/// A safety region (veiligheidsregio), `VR01` to `VR25` (Wet veiligheidsregio's, annex).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SafetyRegion(u8);

impl FromStr for SafetyRegion {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        const WRONG: Fault = Fault("is not the code of a safety region: write VR01 to VR25");
        (1..=25).map(Self).find(|it| it.to_string() == text).ok_or(WRONG)
    }
}

impl fmt::Display for SafetyRegion {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "VR{:02}", self.0)
    }
}

text_in_json!(SafetyRegion);

/// What a question can be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// One municipality, `GM0599`.
    Municipality(MunicipalityCode),
    /// The municipalities of a province, `PV28`.
    Province(Province),
    /// All municipalities, `NL`.
    Country,
}

impl FromStr for Area {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        const WRONG: Fault =
            Fault("is not an area: write NL, a province such as PV28, or a municipality such as GM0599");
        match text {
            "NL" => Ok(Self::Country),
            _ if text.starts_with("PV") => text.parse().map(Self::Province),
            _ if text.starts_with("GM") => text.parse().map(Self::Municipality),
            _ => Err(WRONG),
        }
    }
}

impl fmt::Display for Area {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Municipality(code) => code.fmt(to),
            Self::Province(province) => province.fmt(to),
            Self::Country => to.write_str("NL"),
        }
    }
}

text_in_json!(Area);

/// A number for each of some municipalities: at least one, none named twice.
///
/// In JSON an object, `{"GM0344": 210, "GM0599": 430}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PerMunicipality<T>(BTreeMap<MunicipalityCode, T>);

impl<T> PerMunicipality<T> {
    /// The numbers, in the order of the codes.
    pub fn iter(&self) -> impl Iterator<Item = (MunicipalityCode, &T)> {
        self.0.iter().map(|(&code, number)| (code, number))
    }

    /// The municipalities that are named, in the order of their codes.
    pub fn codes(&self) -> impl Iterator<Item = MunicipalityCode> {
        self.0.keys().copied()
    }

    /// The number of one municipality, if it is named.
    pub fn of(&self, code: MunicipalityCode) -> Option<&T> {
        self.0.get(&code)
    }
}

impl<T> TryFrom<BTreeMap<MunicipalityCode, T>> for PerMunicipality<T> {
    type Error = Fault;

    fn try_from(numbers: BTreeMap<MunicipalityCode, T>) -> Result<Self, Fault> {
        match numbers.is_empty() {
            true => Err(Fault("names no municipality: give at least one")),
            false => Ok(Self(numbers)),
        }
    }
}

impl<T: Serialize> Serialize for PerMunicipality<T> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for PerMunicipality<T> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Numbers<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Numbers<T> {
            type Value = PerMunicipality<T>;
            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("a number for each municipality")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
                use serde::de::Error;
                let mut numbers = BTreeMap::new();
                while let Some((code, number)) = from.next_entry()? {
                    // JSON allows a key twice; which of the two was meant nobody could say.
                    if numbers.insert(code, number).is_some() {
                        return Err(A::Error::custom(Fault("names a municipality twice")));
                    }
                }
                numbers.try_into().map_err(A::Error::custom)
            }
        }
        from.deserialize_map(Numbers(std::marker::PhantomData))
    }
}

/// A municipality as it enters the register: from when it exists, and where it lies.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Municipality {
    /// The CBS code.
    pub code: MunicipalityCode,
    /// The name.
    pub name: AreaName,
    /// The province it lies in.
    pub province: Province,
    /// The safety region it lies in.
    pub safety_region: SafetyRegion,
    /// The first day on which it exists.
    pub from: Day,
}

/// The inhabitants that Statistics Netherlands counted on a day, for the shares of a quota.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Population {
    /// The day of the count, 1 January of the year before the half-year (Huisvestingswet 2014, art. 29).
    pub counted_on: Day,
    /// Inhabitants of each municipality.
    pub inhabitants: PerMunicipality<Inhabitants>,
}

/// A number of inhabitants, at most a hundred million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Inhabitants(u32);

impl Inhabitants {
    /// The number itself, for sums.
    pub fn count(self) -> u64 {
        u64::from(self.0)
    }
}

impl TryFrom<u32> for Inhabitants {
    type Error = Fault;

    fn try_from(count: u32) -> Result<Self, Fault> {
        match count <= 100_000_000 {
            true => Ok(Self(count)),
            false => Err(Fault("is more than a hundred million inhabitants")),
        }
    }
}

impl From<Inhabitants> for u32 {
    fn from(inhabitants: Inhabitants) -> u32 {
        inhabitants.0
    }
}

/// A change of municipal boundaries (herindeling): a merger or a split.
///
/// What stood open in the old municipality stands open in the new one (RULES of the field: the
/// standings of the old ones add up in the new one).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "BoundaryChangeReport", into = "BoundaryChangeReport")]
pub struct BoundaryChange {
    effective_on: Day,
    old: Vec<MunicipalityCode>,
    into: Heirs,
}

/// Who takes over what an old municipality leaves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Heirs {
    One(MunicipalityCode),
    Several(PerMunicipality<u32>),
}

/// A [`BoundaryChange`] as it is delivered and stored, before it is known to make sense.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BoundaryChangeReport {
    /// The first day on which the new municipalities answer for the old ones.
    pub effective_on: Day,
    /// The municipalities that cease to exist.
    pub old: Vec<MunicipalityCode>,
    /// The municipalities that take over.
    pub new: Vec<MunicipalityCode>,
    /// Where one is split: the weight (such as inhabitants) that each new municipality takes.
    #[serde(default, deserialize_with = "super::present", skip_serializing_if = "Option::is_none")]
    pub shares: Option<PerMunicipality<u32>>,
}

impl BoundaryChange {
    /// The first day on which the new municipalities answer for the old ones.
    pub fn effective_on(&self) -> Day {
        self.effective_on
    }

    /// The municipalities that cease to exist.
    pub fn old(&self) -> &[MunicipalityCode] {
        &self.old
    }

    /// The municipalities that take over, with the weight that each of them takes.
    pub fn heirs(&self) -> Vec<(MunicipalityCode, u32)> {
        match &self.into {
            Heirs::One(code) => vec![(*code, 1)],
            Heirs::Several(shares) => shares.iter().map(|(code, &weight)| (code, weight)).collect(),
        }
    }
}

impl TryFrom<BoundaryChangeReport> for BoundaryChange {
    type Error = Fault;

    fn try_from(it: BoundaryChangeReport) -> Result<Self, Fault> {
        let distinct = |codes: &[MunicipalityCode]| {
            let mut seen = codes.to_vec();
            seen.sort();
            seen.dedup();
            seen.len() == codes.len()
        };
        if it.old.is_empty() || it.new.is_empty() || !distinct(&it.old) || !distinct(&it.new) {
            return Err(Fault("needs at least one old and one new municipality, each named once"));
        }
        if it.old.iter().any(|old| it.new.contains(old)) {
            return Err(Fault(
                "names a municipality as old and as new: under old, list only those that cease to exist",
            ));
        }
        let into = match (&it.new[..], it.shares) {
            ([one], None) => Heirs::One(*one),
            ([_], Some(_)) => return Err(Fault("has shares without a split: leave them out")),
            (_, None) => return Err(Fault("splits a municipality: give the share of each new one")),
            (new, Some(shares)) => {
                let same =
                    new.len() == shares.codes().count() && new.iter().all(|it| shares.of(*it).is_some());
                if it.old.len() != 1 || !same {
                    return Err(Fault(
                        "splits a municipality: give one old one and a share for each new one",
                    ));
                }
                if shares.iter().any(|(_, &share)| share == 0 || share > 100_000_000) {
                    return Err(Fault("has a share that is zero or above a hundred million"));
                }
                Heirs::Several(shares)
            }
        };
        Ok(Self { effective_on: it.effective_on, old: it.old, into })
    }
}

impl From<BoundaryChange> for BoundaryChangeReport {
    fn from(it: BoundaryChange) -> Self {
        let new = it.heirs().into_iter().map(|(code, _)| code).collect();
        let shares = match it.into {
            Heirs::One(_) => None,
            Heirs::Several(shares) => Some(shares),
        };
        Self { effective_on: it.effective_on, old: it.old, new, shares }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_written_as_the_bureau_of_statistics_writes_them() {
        assert_eq!("GM0014".parse::<MunicipalityCode>().unwrap().to_string(), "GM0014");
        assert_eq!("PV21".parse::<Province>().unwrap().name(), "Fryslân");
        assert_eq!("NL".parse(), Ok(Area::Country));
        for wrong in ["GM14", "gm0014", "PV19", "PV32", "VR26", "BE", "", "GM00145"] {
            assert!(wrong.parse::<Area>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_split_needs_a_share_for_each_new_municipality() {
        let change = |text: &str| serde_json::from_str::<BoundaryChange>(text);
        let split = r#"{"effectiveOn":"2021-01-01","old":["GM0788"],"new":["GM0757","GM0865"],"shares":{"GM0757":3,"GM0865":1}}"#;
        assert_eq!(serde_json::to_string(&change(split).unwrap()).unwrap(), split);
        for wrong in [
            r#"{"effectiveOn":"2021-01-01","old":["GM0788"],"new":["GM0757","GM0865"]}"#,
            r#"{"effectiveOn":"2021-01-01","old":["GM0788"],"new":["GM0757"],"shares":{"GM0757":3}}"#,
            r#"{"effectiveOn":"2021-01-01","old":["GM0788"],"new":["GM0788"]}"#,
            r#"{"effectiveOn":"2021-01-01","old":[],"new":["GM0757"]}"#,
            r#"{"effectiveOn":"2021-01-01","old":["GM0788"],"new":["GM0757","GM0865"],"shares":{"GM0757":3,"GM0855":1}}"#,
        ] {
            assert!(change(wrong).is_err(), "{wrong}");
        }
    }
}
