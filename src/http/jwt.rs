//! JWTs: callers that an issuer vouches for, whose keys lie in a file (JWKS, RFC 7517).
//!
//! Which issuers count, for which audience and with which algorithms is a list of whoever runs the program. Only algorithms with
//! a public key can stand in it, so that nobody who has that key can sign. Whatever is wrong with a JWT, the answer is the same:
//! it proves nothing. The keys are read from a file, which the operator fetches from the issuer: no request makes the program
//! call anybody.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;

use crate::domain::access::{Caller, CallerName, Oin, Role};
use crate::domain::area::Area;
use crate::domain::time::RecordedAt;
use crate::store::{StoreError, Watched};

/// How long a JWT is at most, in bytes.
const TOKEN_MAX: usize = 8 * 1024;
/// How long a file of keys or of issuers is at most.
const FILE_MAX: u64 = 1024 * 1024;
/// How often the file of keys is looked at, at most.
const LOOK_AFTER_MILLIS: u64 = 60_000;
/// How far the clocks of the issuer and ours may lie apart, in seconds.
const LEEWAY: f64 = 30.0;

/// Why the issuers, or their keys, cannot be used. For whoever runs the program, not for callers.
#[derive(Debug, thiserror::Error)]
pub enum IssuersFault {
    /// The list is not what it should be.
    #[error("the list of issuers {path} {what}; docs/access.md describes it")]
    List {
        /// Where it is.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// The keys of an issuer are not what they should be.
    #[error("the keys in {path} {what}; fetch the JWKS of the issuer again")]
    Keys {
        /// Where they are.
        path: String,
        /// What is wrong with them.
        what: String,
    },
    /// A file cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An issuer as it stands in the list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    issuer: String,
    audience: String,
    algorithms: Vec<String>,
    jwks: String,
}

/// The algorithms that can be allowed, with how they are written: those with a public key.
const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
];

fn algorithm(name: &str) -> Option<Algorithm> {
    ALGORITHMS.iter().find(|(it, _)| *it == name).map(|(_, algorithm)| *algorithm)
}

/// All who vouch for callers.
pub struct Issuers(Vec<Issuer>);

struct Issuer {
    name: String,
    audience: String,
    algorithms: Vec<Algorithm>,
    keys: Mutex<Keys>,
}

struct Keys {
    file: Watched,
    looked_at: RecordedAt,
    known: Arc<Vec<Key>>,
}

struct Key {
    id: String,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

/// The header of a JWT. What it says about keys elsewhere is not followed.
#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: String,
    #[serde(default)]
    crit: Option<serde::de::IgnoredAny>,
}

/// Who says that they signed it, before that is known.
#[derive(Deserialize)]
struct Claimed {
    iss: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    exp: f64,
    #[serde(default)]
    nbf: Option<f64>,
    sub: CallerName,
    peildatum_role: Role,
    #[serde(default)]
    oin: Option<Oin>,
    #[serde(default)]
    areas: Vec<Area>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn holds(&self, name: &str) -> bool {
        match self {
            Self::One(it) => it == name,
            Self::Several(all) => all.iter().any(|it| it == name),
        }
    }
}

impl Issuers {
    /// Reads the list of issuers, and the keys of each. Their files are named from the folder of the list.
    ///
    /// # Errors
    /// When a file cannot be read, the list or the keys are not what they should be, or an algorithm is not one with a public
    /// key.
    pub fn open(list: &Path, now: RecordedAt) -> Result<Self, IssuersFault> {
        let fault = |what: String| IssuersFault::List { path: list.display().to_string(), what };
        let bytes = Watched::new(list, FILE_MAX).changed()?.map_or_else(Vec::new, |(_, bytes)| bytes);
        let listed: Vec<Listed> = serde_json::from_slice(&bytes).map_err(|error| {
            fault(format!("is not a list of issuers (line {}, column {})", error.line(), error.column()))
        })?;
        let mut issuers = Vec::<Issuer>::new();
        for it in listed {
            if it.issuer.is_empty() || it.audience.is_empty() {
                return Err(fault("has an issuer without a name or an audience".to_owned()));
            }
            if issuers.iter().any(|known| known.name == it.issuer) {
                return Err(fault("names an issuer twice".to_owned()));
            }
            let algorithms: Option<Vec<_>> = it.algorithms.iter().map(|name| algorithm(name)).collect();
            let Some(algorithms) = algorithms.filter(|all| !all.is_empty()) else {
                let names = ALGORITHMS.map(|(name, _)| name).join(" ");
                return Err(fault(format!("allows an algorithm that is none of these: {names}")));
            };
            let jwks = list.parent().unwrap_or(Path::new("")).join(&it.jwks);
            let mut keys =
                Keys { file: Watched::new(&jwks, FILE_MAX), looked_at: now, known: Arc::default() };
            keys.read()?;
            issuers.push(Issuer {
                name: it.issuer,
                audience: it.audience,
                algorithms,
                keys: Mutex::new(keys),
            });
        }
        Ok(Self(issuers))
    }

    /// For whom a JWT vouches at this moment, if for anybody.
    ///
    /// # Errors
    /// When the keys of its issuer cannot be read: then it vouches for nobody.
    pub fn caller(&self, token: &str, now: RecordedAt) -> Result<Option<Caller>, IssuersFault> {
        if token.len() > TOKEN_MAX {
            return Ok(None);
        }
        let Some((head, claimed)) = unproven(token) else { return Ok(None) };
        let Some(issuer) = self.0.iter().find(|it| it.name == claimed.iss) else { return Ok(None) };
        let Some(algorithm) = algorithm(&head.alg).filter(|it| issuer.algorithms.contains(it)) else {
            return Ok(None);
        };
        let known = issuer.keys.lock().unwrap_or_else(PoisonError::into_inner).now(now)?;
        let key = known.iter().find(|key| key.id == head.kid && key.algorithms.contains(&algorithm));
        Ok(key.and_then(|key| proven(token, key, algorithm)).and_then(|claims| issuer.accepts(claims, now)))
    }
}

/// What a JWT says about itself.
fn unproven(token: &str) -> Option<(Head, Claimed)> {
    let mut parts = token.split('.');
    let (head, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    let head: Head = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(head).ok()?).ok()?;
    let claimed = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    // What must be understood (RFC 7515, 4.1.11) is nothing that we know.
    head.crit.is_none().then_some((head, claimed))
}

/// What a JWT says, once its signature is found right.
fn proven(token: &str, key: &Key, algorithm: Algorithm) -> Option<Claims> {
    let mut validation = Validation::new(algorithm);
    // Times and names are held against those of the question, further on.
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
    decode::<Claims>(token, &key.key, &validation).ok().map(|it| it.claims)
}

impl Issuer {
    fn accepts(&self, claims: Claims, now: RecordedAt) -> Option<Caller> {
        let seconds = now.millis() as f64 / 1_000.0;
        let is_current =
            seconds < claims.exp + LEEWAY && claims.nbf.is_none_or(|begin| begin <= seconds + LEEWAY);
        let is_for_us = claims.iss == self.name && claims.aud.holds(&self.audience);
        match is_current && is_for_us {
            true => Caller::new(claims.sub, claims.peildatum_role, claims.oin, claims.areas).ok(),
            false => None,
        }
    }
}

impl Keys {
    /// The keys as the file has them now, or had them less than a minute ago.
    fn now(&mut self, now: RecordedAt) -> Result<Arc<Vec<Key>>, IssuersFault> {
        if now.millis().abs_diff(self.looked_at.millis()) >= LOOK_AFTER_MILLIS {
            // As long as this fails it is tried again at every question, and nobody is let in with old keys.
            self.read()?;
            self.looked_at = now;
        }
        Ok(Arc::clone(&self.known))
    }

    fn read(&mut self) -> Result<(), IssuersFault> {
        if let Some((seen, bytes)) = self.file.changed()? {
            let path = || self.file.path().display().to_string();
            let keys =
                keys(&bytes).map_err(|what| IssuersFault::Keys { path: path(), what: what.to_owned() })?;
            self.known = Arc::new(keys);
            self.file.accept(seen);
        }
        Ok(())
    }
}

/// The keys of a JWKS with which a signature can be checked. Keys of other kinds, or for other uses, are passed over.
fn keys(bytes: &[u8]) -> Result<Vec<Key>, &'static str> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<serde_json::Map<String, serde_json::Value>>,
    }
    let set: Set = serde_json::from_slice(bytes).map_err(|_| "are no JWKS")?;
    let mut keys = Vec::<Key>::new();
    for fields in set.keys {
        if ["d", "k"].iter().any(|secret| fields.contains_key(*secret)) {
            return Err("hold a secret key, which belongs to the issuer alone");
        }
        let Ok(jwk) = serde_json::from_value::<Jwk>(fields.into()) else { continue };
        let Some(key) = usable(&jwk) else { continue };
        if keys.iter().any(|known| known.id == key.id) {
            return Err("hold two keys with one kid");
        }
        keys.push(key);
    }
    match keys.is_empty() {
        true => Err("hold no key with a kid for signatures"),
        false => Ok(keys),
    }
}

fn usable(jwk: &Jwk) -> Option<Key> {
    let common = &jwk.common;
    let is_for_signatures = common.public_key_use.as_ref().is_none_or(|it| *it == PublicKeyUse::Signature)
        && common.key_operations.as_ref().is_none_or(|all| all.contains(&KeyOperations::Verify));
    let fits: &[Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(it) if it.curve == EllipticCurve::P256 => &[Algorithm::ES256],
        AlgorithmParameters::EllipticCurve(it) if it.curve == EllipticCurve::P384 => &[Algorithm::ES384],
        AlgorithmParameters::OctetKeyPair(it) if it.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
        AlgorithmParameters::RSA(_) => &[
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
        ],
        _ => return None,
    };
    let named = |it: &Algorithm| {
        common.key_algorithm.is_none_or(|only| Algorithm::try_from(only).is_ok_and(|only| only == *it))
    };
    let algorithms: Vec<_> = fits.iter().copied().filter(named).collect();
    let id = common.key_id.clone().filter(|id| !id.is_empty())?;
    let key = DecodingKey::from_jwk(jwk).ok()?;
    (is_for_signatures && !algorithms.is_empty()).then_some(Key { id, algorithms, key })
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, SeekFrom, Write as _};

    use ed25519_dalek::{Signer as _, SigningKey};
    use serde_json::{Value, json};
    use tempfile::NamedTempFile;

    use super::*;

    /// Made once with other software, with keys that were thrown away.
    const ES256: &str = concat!(
        "eyJhbGciOiAiRVMyNTYiLCAia2lkIjogImVjLTEifQ.eyJpc3MiOiAiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZSIsICJhdWQiOiAic",
        "GVpbGRhdHVtIiwgImV4cCI6IDE4MDAwMDAwMDAsICJzdWIiOiAiZGVzayIsICJwZWlsZGF0dW1fcm9sZSI6ICJyZWFkZXIifQ.dA",
        "fwkS1b9mPTibFPqeo652xiZjZxal4_I9b8zialIiXR3_1j0dqxXHoEBbPhyc5mXDKBepXYqYxvDCKLA5zx_g",
    );
    /// Likewise.
    const RS256: &str = concat!(
        "eyJhbGciOiAiUlMyNTYiLCAia2lkIjogInJzYS0xIn0.eyJpc3MiOiAiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZSIsICJhdWQiOiAi",
        "cGVpbGRhdHVtIiwgImV4cCI6IDE4MDAwMDAwMDAsICJzdWIiOiAiZGVzayIsICJwZWlsZGF0dW1fcm9sZSI6ICJyZWFkZXIifQ.K",
        "B7Kus9WyX5AWJhlyGlVKMEb08LJoz98ZTls_F4OfZbItiGjgssb4Mae_uT4g9vKSGJqrKIFuKcloha-dU1Y6vMyrb_j1Y3SP46Db",
        "HITKRTJU4m-via8p6SHtSf1zHjG1rzA2tAg0Nl1qAJuuG8X8b1_XoPKV-inYCOdgvYbg2xXuK81tvyAoALjShQ47Vx1kQpMUpAr9",
        "9KAnxWdkxe7P7eMmBhsYnO6kv2perQCKR_T0cTvxcNJy_XdVDOjlXO-q_C2IX7nmSaaZC6SLcnSLtLBdJ-faUasVJdrqO6uZBWJB",
        "izUYGQ0rLFspWTOz9xmPAardjL0_Uz3A2FEZ4M_qA",
    );
    /// Likewise, with the key of the one before, which its set of keys gives out for RS256 only.
    const PS256: &str = concat!(
        "eyJhbGciOiAiUFMyNTYiLCAia2lkIjogInJzYS0xIn0.eyJpc3MiOiAiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZSIsICJhdWQiOiAi",
        "cGVpbGRhdHVtIiwgImV4cCI6IDE4MDAwMDAwMDAsICJzdWIiOiAiZGVzayIsICJwZWlsZGF0dW1fcm9sZSI6ICJyZWFkZXIifQ.m",
        "bckttSzZ-bBREzKpS6F5ixSPgwxBEV7iz4dGP9lftv5wJS1eRiZ9x34Ul39lh9Ghm1xOiW_PpRBd5A4szvDdV5my-trgcRoqdGGx",
        "W3_xFdYCJ0cZAiKptteRegq_SB2pDHdBg2p-tMfg22mE7yNhYA8kgm04bBoaU6hsS_6thIgHSOx1YXAlQ6fV_G9P39jLneOkLaZT",
        "Wulxp9iJ0R7EOu74Mz-M4oboP5z6NMDTMs0kdXJZvhMAnH7hn4b88YDl_hh3hER3-VMZKNxhmvKLG1DltVWE_1LVOr6qzasUfVqo",
        "RV2LTlRWG6Y0HxATz9QinpRErx3oDPAo2Gltu8MDg",
    );
    /// The keys of these three.
    const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"ec-1","use":"sig","x":"xBJJ0Wd8Z20-R2mW-YgxfIVClAN8q1aEgyn7f9JT-38","y":"gb4wmJehJKMHoes9eeD2LJSCIKHHKfei3B8ORdcC0iQ"},{"kty":"RSA","kid":"rsa-1","alg":"RS256","n":"qO-ZaeVhP92mhG9svi6DbUZMMJUGZE6Xv451awXVwEQStFoHMEaiaVYTJ0UnR_WKqfNb4QDi3xttgUMi9ObaLH3vxFFU42oEeQD6w68UmycY0HjMHXI8lqqnHJ4L7_msR67Xjcm0SLvTi_Sl68MAAWN7HaBl7KEF6SM8TEgDUvTfrohNlz4ouTnn8V0kERokBI8r96MLvQPY_AIBptGIVS8lsHp2Q87K112QkpKhWUKkIrzXWdxKCW20KsjPtuBGsJCRel8Kl2jLQ9iHYt7-gIepm5c7wZjF4YdNqxPg-AjOe0boVSGgxLfag8vOf1UpT25bemhMeteCM29gh_H4Zw","e":"AQAB"}]}"#;

    /// A time at which the fixed ones are valid: a day before they expire.
    fn now() -> RecordedAt {
        RecordedAt::from_millis((1_800_000_000 - 86_400) * 1_000).unwrap()
    }

    fn text(bytes: impl AsRef<[u8]>) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    fn key(number: u8) -> SigningKey {
        SigningKey::from_bytes(&[number; 32])
    }

    fn jwk(id: &str, key: &SigningKey) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "use": "sig", "x": text(key.verifying_key().as_bytes())})
    }

    fn signed(head: &Value, claims: &Value, key: &SigningKey) -> String {
        let said = format!("{}.{}", text(head.to_string()), text(claims.to_string()));
        let signature = key.sign(said.as_bytes());
        format!("{said}.{}", text(signature.to_bytes()))
    }

    fn head() -> Value {
        json!({"alg": "EdDSA", "kid": "ed-1", "typ": "at+jwt"})
    }

    fn claims() -> Value {
        json!({
            "iss": "https://issuer.example", "aud": ["other", "peildatum"], "sub": "desk",
            "exp": 1_800_000_000, "nbf": 1_799_000_000, "peildatum_role": "municipality",
            "oin": "00000001234567890000", "areas": ["GM0599"], "jti": "passed over",
        })
    }

    fn rewrite(file: &mut NamedTempFile, content: &str) {
        file.as_file_mut().set_len(0).unwrap();
        file.as_file_mut().seek(SeekFrom::Start(0)).unwrap();
        file.write_all(content.as_bytes()).unwrap();
    }

    fn file(content: &str) -> NamedTempFile {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        file
    }

    fn list(algorithms: &[&str], jwks: &NamedTempFile) -> NamedTempFile {
        let one = json!({
            "issuer": "https://issuer.example", "audience": "peildatum", "algorithms": algorithms, "jwks": jwks.path(),
        });
        file(&json!([one]).to_string())
    }

    /// Issuers that know the first key, by the algorithms with which they may sign.
    fn issuers(algorithms: &[&str]) -> (Issuers, NamedTempFile) {
        let jwks = file(&json!({"keys": [jwk("ed-1", &key(1))]}).to_string());
        (Issuers::open(list(algorithms, &jwks).path(), now()).unwrap(), jwks)
    }

    fn is_let_in(issuers: &Issuers, token: &str) -> bool {
        issuers.caller(token, now()).unwrap().is_some()
    }

    #[test]
    fn an_issuer_vouches_for_a_caller_with_role_organisation_and_areas() {
        let (issuers, _keys) = issuers(&["EdDSA"]);
        let caller = issuers.caller(&signed(&head(), &claims(), &key(1)), now()).unwrap().unwrap();
        assert_eq!(caller.actor(), "urn:nld:oin:00000001234567890000:systeem:desk");
        assert_eq!((caller.role(), caller.areas()), (Role::Municipality, &["GM0599".parse().unwrap()][..]));
    }

    #[test]
    fn what_other_software_signed_is_understood() {
        let keys = file(KEYS);
        let all = Issuers::open(list(&["ES256", "RS256", "PS256"], &keys).path(), now()).unwrap();
        assert!(is_let_in(&all, ES256) && is_let_in(&all, RS256));
        assert!(!is_let_in(&all, PS256), "the key is for RS256 only");
        let changed = |token: &str| {
            let at = token.len() - 8;
            let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
            format!("{}{other}{}", &token[..at], &token[at + 1..])
        };
        assert!(!is_let_in(&all, &changed(ES256)) && !is_let_in(&all, &changed(RS256)));
        let only = Issuers::open(list(&["ES256"], &keys).path(), now()).unwrap();
        assert!(is_let_in(&only, ES256) && !is_let_in(&only, RS256));
    }

    #[test]
    fn whatever_is_wrong_with_it_it_proves_nothing() {
        let (issuers, _keys) = issuers(&["EdDSA", "ES256", "RS256"]);
        let with = |name: &str, value: Value| {
            let mut claims = claims();
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value,
            }
            signed(&head(), &claims, &key(1))
        };
        assert!(is_let_in(&issuers, &with("x", json!(1))), "what is unknown is passed over");
        for (name, value) in [
            ("iss", json!("https://other.example")),
            ("iss", json!(["https://issuer.example"])),
            ("iss", Value::Null),
            ("aud", json!("other")),
            ("aud", json!([])),
            ("aud", Value::Null),
            ("exp", json!(1_800_000_000 - 86_400 - 31)),
            ("exp", json!("1800000000")),
            ("exp", Value::Null),
            ("nbf", json!(1_800_000_000 - 86_400 + 31)),
            ("nbf", json!("now")),
            ("sub", json!("Desk of somebody")),
            ("sub", json!("111222333")),
            ("sub", Value::Null),
            ("peildatum_role", json!("king")),
            ("peildatum_role", json!("reader")),
            ("peildatum_role", Value::Null),
            ("oin", json!("123")),
            ("oin", Value::Null),
            ("areas", json!(["NL"])),
            ("areas", json!("GM0599")),
            ("areas", Value::Null),
        ] {
            assert!(!is_let_in(&issuers, &with(name, value.clone())), "{name} {value}");
        }
        // Within the leeway.
        assert!(is_let_in(&issuers, &with("exp", json!(1_800_000_000 - 86_400 - 29))));
        assert!(is_let_in(&issuers, &with("nbf", json!(1_800_000_000 - 86_400 + 29))));

        let headed = |head: Value| signed(&head, &claims(), &key(1));
        for head in [
            json!({"alg": "none", "kid": "ed-1"}),
            json!({"alg": "None", "kid": "ed-1"}),
            json!({"alg": "HS256", "kid": "ed-1"}),
            json!({"alg": "ES256", "kid": "ed-1"}),
            json!({"alg": "RS256", "kid": "ed-1"}),
            json!({"alg": "PS256", "kid": "ed-1"}),
            json!({"alg": "eddsa", "kid": "ed-1"}),
            json!({"alg": "EdDSA", "kid": "ed-2"}),
            json!({"alg": "EdDSA", "kid": ""}),
            json!({"alg": "EdDSA"}),
            json!({"alg": "EdDSA", "kid": "ed-1", "crit": ["b64"], "b64": false}),
            json!(["EdDSA", "ed-1"]),
        ] {
            assert!(!is_let_in(&issuers, &headed(head.clone())), "{head}");
        }
        // A key that it brings itself.
        let brought = json!({"alg": "EdDSA", "kid": "ed-1", "jwk": jwk("ed-1", &key(2))});
        assert!(!is_let_in(&issuers, &signed(&brought, &claims(), &key(2))));

        let right = signed(&head(), &claims(), &key(1));
        let parts: Vec<&str> = right.split('.').collect();
        let [said, signature] = [right.rsplit_once('.').unwrap().0, parts[2]];
        for wrong in [
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            said.to_owned(),
            format!("{said}."),
            format!("{right}."),
            format!("{right}.{signature}"),
            format!("{right}="),
            format!(" {right}"),
            format!("{}.{}.{signature}", parts[0], text(claims().to_string().replace("GM0599", "GM0363"))),
            format!("{}.{}.", text(r#"{"alg":"none","kid":"ed-1"}"#), parts[1]),
            signed(&head(), &claims(), &key(2)),
            signed(&head(), &json!({"iss": "https://issuer.example", "x": "x".repeat(TOKEN_MAX)}), &key(1)),
            with("x", json!("x".repeat(TOKEN_MAX))),
        ] {
            assert!(!is_let_in(&issuers, &wrong), "{wrong:.80}");
        }
    }

    /// The oldest trick: the public key, which everybody has, taken for a secret.
    #[test]
    fn the_public_key_is_no_secret_to_sign_with() {
        use hmac::{Hmac, KeyInit as _, Mac as _};
        let (issuers, _keys) = issuers(&["EdDSA"]);
        let public = key(1).verifying_key().to_bytes();
        let said = format!("{}.{}", text(r#"{"alg":"HS256","kid":"ed-1"}"#), text(claims().to_string()));
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&public).unwrap();
        mac.update(said.as_bytes());
        assert!(!is_let_in(&issuers, &format!("{said}.{}", text(mac.finalize().into_bytes()))));
    }

    #[test]
    fn keys_are_read_again_when_they_change_and_at_most_once_a_minute() {
        let (issuers, mut keys) = issuers(&["EdDSA"]);
        let later = |seconds: i64| RecordedAt::from_millis(now().millis() + seconds * 1_000).unwrap();
        let with = |id: &str, number| signed(&json!({"alg": "EdDSA", "kid": id}), &claims(), &key(number));
        let is_let_in = |token: &str, seconds| issuers.caller(token, later(seconds)).map(|it| it.is_some());
        rewrite(&mut keys, &json!({"keys": [jwk("ed-the-second", &key(2))]}).to_string());
        assert!(
            is_let_in(&with("ed-1", 1), 59).unwrap() && !is_let_in(&with("ed-the-second", 2), 59).unwrap()
        );
        assert!(
            !is_let_in(&with("ed-1", 1), 60).unwrap() && is_let_in(&with("ed-the-second", 2), 60).unwrap()
        );
        // Half a file lets nobody in, also not with the keys that it held before.
        rewrite(&mut keys, r#"{"keys":"#);
        let fault = is_let_in(&with("ed-the-second", 2), 120).unwrap_err();
        assert!(fault.to_string().contains("are no JWKS"), "{fault}");
        rewrite(&mut keys, &json!({"keys": [jwk("ed-the-third", &key(3))]}).to_string());
        assert!(is_let_in(&with("ed-the-third", 3), 121).unwrap());
    }

    #[test]
    fn a_list_or_keys_that_cannot_be_meant_are_refused() {
        let one = jwk("ed-1", &key(1));
        let good = file(&json!({"keys": [one]}).to_string());
        let listed = |change: &dyn Fn(&mut Value)| {
            let mut it =
                json!({"issuer": "i", "audience": "a", "algorithms": ["EdDSA"], "jwks": good.path()});
            change(&mut it);
            let list = file(&json!([it]).to_string());
            Issuers::open(list.path(), now()).err().map(|fault| fault.to_string())
        };
        assert_eq!(listed(&|_| {}), None);
        for (name, value, said) in [
            ("algorithms", json!(["HS256"]), "allows an algorithm that is none of these: ES256"),
            ("algorithms", json!(["EdDSA", "none"]), "allows an algorithm"),
            ("algorithms", json!([]), "allows an algorithm"),
            ("issuer", json!(""), "without a name or an audience"),
            ("audience", json!(7), "is not a list of issuers"),
            ("extra", json!(7), "is not a list of issuers"),
            ("jwks", json!("nowhere"), "failed"),
        ] {
            let found = listed(&|it| it[name] = value.clone()).unwrap_or_default();
            assert!(found.contains(said), "{name} {value}: {found}");
        }
        for (jwks, said) in [
            ("{}".to_owned(), "are no JWKS"),
            (json!({"keys": []}).to_string(), "hold no key with a kid"),
            (json!({"keys": [{"kty": "oct", "kid": "x", "k": "AAAA"}]}).to_string(), "hold a secret key"),
            (json!({"keys": [one, one]}).to_string(), "hold two keys with one kid"),
        ] {
            let keys = file(&jwks);
            let found = Issuers::open(list(&["EdDSA"], &keys).path(), now()).err().unwrap().to_string();
            assert!(found.contains(said), "{jwks}: {found}");
        }
    }
}
