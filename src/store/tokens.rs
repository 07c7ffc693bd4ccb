//! Access tokens: who may call a running server, kept in the ledger's folder as hashes of their secrets.
//!
//! The file `access/tokens` is replaced as a whole at each change, and its last line is the SHA-256 of all before it: it is
//! there whole, or it is damaged, and a damaged one lets nobody in. A token that is revoked or expired stays in it, so that a name
//! in the log or the audit record can be traced to whoever had it. `docs/log-format.md` describes the bytes.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::{ConditionallySelectable as _, ConstantTimeEq as _};

use super::error::{Remedy, StoreError};
use super::folder::{is_readable_by_others, private, sync_dir, there_is_a_ledger};
use super::watched::Stamp;
use crate::domain::access::{Caller, CallerName, Oin, Role};
use crate::domain::area::Area;
use crate::domain::person_number::holds_person_number;
use crate::domain::read_object;
use crate::domain::time::RecordedAt;

/// The folder within that of the ledger, and the file in it.
const FOLDER: &str = "access";
const FILE: &str = "tokens";
/// The first line. A program that does not know it must not guess at the rest.
const TITLE: &str = "peildatum tokens v1";
/// How a secret begins, so that it is recognised wherever it should not be.
const PREFIX: &str = "peil_";
/// How many signs follow: 256 bits in base64.
const SIGNS: usize = 43;

/// The secret of a token, as it is handed out once. It has no `Debug` and no `Display`, so that it gets into no message.
pub struct Secret(String);

impl Secret {
    /// The secret that these random bits make; none where it would look like the number of a person: then draw again.
    pub fn of(random: [u8; 32]) -> Option<Self> {
        let text = format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(random));
        (!holds_person_number(&text)).then_some(Self(text))
    }

    /// The text to hand out.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Whether a text has the form of a secret of ours. Anything else is no business of [`Tokens::find`].
pub fn is_secret(text: &str) -> bool {
    text.len() == PREFIX.len() + SIGNS && text.starts_with(PREFIX)
}

/// The text with every secret in it taken out.
pub fn without_secrets(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(PREFIX) {
        let inside = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
        let length = rest[at..].find(|it| !inside(it)).unwrap_or(rest.len() - at);
        kept.push_str(&rest[..at]);
        // A part of one gives a part away.
        kept.push_str(if length > PREFIX.len() + 8 { "[removed]" } else { &rest[at..at + length] });
        rest = &rest[at + length..];
    }
    kept + rest
}

/// A token as it is shown: all but its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Token {
    /// The name under which its holder delivers.
    pub name: CallerName,
    /// What its holder is there for.
    pub role: Role,
    /// The organisation.
    #[serde(deserialize_with = "Option::deserialize")]
    pub oin: Option<Oin>,
    /// The areas that its holder answers for.
    pub areas: Vec<Area>,
    /// When it was made.
    pub created_at: RecordedAt,
    /// The first moment at which it is valid no longer.
    pub expires_at: RecordedAt,
    /// When it was taken back.
    #[serde(deserialize_with = "Option::deserialize")]
    pub revoked_at: Option<RecordedAt>,
}

impl Token {
    /// Whether somebody who has its secret is let in at this moment.
    pub fn is_live(&self, now: RecordedAt) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

/// A line of the file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    #[serde(deserialize_with = "crate::domain::object")]
    token: Token,
    /// Of the whole text of the secret, in base64.
    sha256: String,
}

/// A token with what it is compared and answered with.
struct Known {
    kept: Kept,
    caller: Caller,
    hash: [u8; 32],
}

/// Why a token cannot be made or taken back.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// A live token has that name.
    #[error(
        "a token named {0} is in use; revoke it first with `peildatum token revoke {0}`, or choose another name"
    )]
    NameInUse(CallerName),
    /// There is nothing to take back.
    #[error("no token named {0} is in use; `peildatum token list` shows those that are")]
    NoSuchToken(CallerName),
    /// It would never let anybody in.
    #[error("the token would have expired before it was made; choose a later day")]
    Expired,
    /// The file cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a token: its secret lets the caller in until it expires. When this returns it survives a power cut, and a running
/// server knows it.
///
/// # Errors
/// When a live token has the name of the caller, and when the file cannot be read or written.
pub fn create_token(
    dir: &Path,
    caller: &Caller,
    secret: &Secret,
    now: RecordedAt,
    expires_at: RecordedAt,
) -> Result<Token, TokenError> {
    if expires_at <= now {
        return Err(TokenError::Expired);
    }
    let token = Token {
        name: caller.name().clone(),
        role: caller.role(),
        oin: caller.oin(),
        areas: caller.areas().to_vec(),
        created_at: now,
        expires_at,
        revoked_at: None,
    };
    change(dir, |all| {
        if all.iter().any(|it| it.token.name == token.name && it.token.is_live(now)) {
            return Err(TokenError::NameInUse(token.name.clone()));
        }
        let sha256 = BASE64_STANDARD.encode(Sha256::digest(secret.reveal()));
        all.push(Kept { token: token.clone(), sha256 });
        Ok(token.clone())
    })
}

/// Takes a token back. When this returns it survives a power cut, and a running server lets nobody in with it.
///
/// # Errors
/// When no live token has that name, and when the file cannot be read or written.
pub fn revoke_token(dir: &Path, name: &CallerName, now: RecordedAt) -> Result<Token, TokenError> {
    change(dir, |all| {
        let live = all.iter_mut().find(|it| it.token.name == *name && it.token.is_live(now));
        let it = live.ok_or_else(|| TokenError::NoSuchToken(name.clone()))?;
        it.token.revoked_at = Some(now);
        Ok(it.token.clone())
    })
}

/// All tokens that were ever made, in the order in which that was done.
///
/// # Errors
/// When there is no ledger, or the file cannot be read.
pub fn list_tokens(dir: &Path) -> Result<Vec<Token>, StoreError> {
    there_is_a_ledger(dir)?;
    let read = read(&path_in(dir))?;
    Ok(read.map_or_else(Vec::new, |(_, all)| all.into_iter().map(|it| it.kept.token).collect()))
}

fn path_in(dir: &Path) -> PathBuf {
    dir.join(FOLDER).join(FILE)
}

/// Reads the file, changes it and writes it, while nobody else does.
fn change<T>(
    dir: &Path,
    what: impl FnOnce(&mut Vec<Kept>) -> Result<T, TokenError>,
) -> Result<T, TokenError> {
    there_is_a_ledger(dir)?;
    let folder = dir.join(FOLDER);
    if !folder.is_dir() {
        fs::create_dir_all(&folder).map_err(StoreError::io("making", &folder))?;
        sync_dir(dir)?;
    }
    let lock = folder.join("lock");
    let held = private().create(true).write(true).truncate(false).open(&lock);
    let held = held.and_then(|file| file.lock().map(|()| file));
    let _held = held.map_err(StoreError::io("locking", &lock))?;
    let path = path_in(dir);
    let mut all = read(&path)?.map_or_else(Vec::new, |(_, all)| all.into_iter().map(|it| it.kept).collect());
    let done = what(&mut all)?;
    write(&path, &all)?;
    Ok(done)
}

fn write(path: &Path, all: &[Kept]) -> Result<(), StoreError> {
    let mut text = format!("{TITLE}\n");
    for it in all {
        text += &serde_json::to_string(it).expect("a token has only keys that are text");
        text.push('\n');
    }
    let sum = BASE64_STANDARD.encode(Sha256::digest(&text));
    let fresh = path.with_extension("tmp");
    private()
        .create(true)
        .write(true)
        .truncate(true)
        .open(&fresh)
        .and_then(|mut file| {
            file.write_all(format!("{text}{sum}\n").as_bytes())?;
            file.sync_all()
        })
        .map_err(StoreError::io("writing", &fresh))?;
    // A crash before the rename leaves the tokens as they were, and after it as they are.
    fs::rename(&fresh, path).map_err(StoreError::io("replacing", path))?;
    sync_dir(path.parent().expect("it lies in a folder"))
}

/// Reads the whole file, if it is there.
fn read(path: &Path) -> Result<Option<(Stamp, Vec<Known>)>, StoreError> {
    let io = || StoreError::io("reading", path);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io()(error)),
    };
    if is_readable_by_others(&file).map_err(io())? {
        return Err(damaged("can be read or written by others", Remedy::CloseTokens));
    }
    let stamp = file.metadata().and_then(|found| Stamp::of(&found)).map_err(io())?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(io())?;
    match parse(&bytes) {
        Some(known) => Ok(Some((stamp, known))),
        None => Err(damaged("is damaged", Remedy::RenewTokens)),
    }
}

fn damaged(what: &str, remedy: Remedy) -> StoreError {
    StoreError::Damaged { detail: format!("{FOLDER}/{FILE} {what}, so it lets nobody in"), remedy }
}

fn parse(bytes: &[u8]) -> Option<Vec<Known>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let body = text.strip_suffix('\n')?;
    let (before, sum) = text.split_at(body.rfind('\n')? + 1);
    (sum.strip_suffix('\n')? == BASE64_STANDARD.encode(Sha256::digest(before))).then_some(())?;
    let lines = before.strip_prefix(TITLE)?.strip_prefix('\n')?;
    lines.lines().map(known).collect()
}

fn known(line: &str) -> Option<Known> {
    let kept: Kept = read_object(line).ok()?;
    let it = &kept.token;
    let caller = Caller::new(it.name.clone(), it.role, it.oin, it.areas.clone()).ok()?;
    let hash = BASE64_STANDARD.decode(&kept.sha256).ok()?.try_into().ok()?;
    Some(Known { kept, caller, hash })
}

/// The tokens of a ledger, for a server that looks one up at each request.
pub struct Tokens {
    path: PathBuf,
    seen: RwLock<Option<(Stamp, Arc<Vec<Known>>)>>,
}

impl Tokens {
    /// Reads the tokens of the ledger in a folder. There need not be any.
    ///
    /// # Errors
    /// When there is no ledger, and when the file cannot be read or is damaged.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        there_is_a_ledger(dir)?;
        let tokens = Self { path: path_in(dir), seen: RwLock::default() };
        tokens.now()?;
        Ok(tokens)
    }

    /// Whom a secret lets in at this moment, if anybody. What was made or revoked since the last time counts.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or is gone after it was there: then nobody is let in.
    pub fn find(&self, secret: &str, now: RecordedAt) -> Result<Option<Caller>, StoreError> {
        let known = self.now()?;
        let hash = Sha256::digest(secret);
        // Over all of them and without a branch, so that the time it takes says nothing.
        let mut found = 0_u64;
        for (number, it) in (1..).zip(known.iter()) {
            found.conditional_assign(&number, it.hash[..].ct_eq(&hash[..]));
        }
        let Some(index) = found.checked_sub(1) else { return Ok(None) };
        let it = &known[usize::try_from(index).expect("an index of the list")];
        Ok(it.kept.token.is_live(now).then(|| it.caller.clone()))
    }

    /// The tokens as the file has them now.
    fn now(&self) -> Result<Arc<Vec<Known>>, StoreError> {
        let stamp = match fs::metadata(&self.path).and_then(|found| Stamp::of(&found)) {
            Ok(stamp) => Some(stamp),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(StoreError::io("reading", &self.path)(error)),
        };
        let before = {
            let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
            match (&*seen, stamp) {
                (Some((known, all)), Some(stamp)) if *known == stamp => return Ok(Arc::clone(all)),
                (Some(before), _) => Some(before.0.length),
                (None, _) => None,
            }
        };
        match (read(&self.path)?, before) {
            (None, None) => Ok(Arc::default()),
            (None, Some(_)) => Err(damaged("was there and is gone", Remedy::RenewTokens)),
            // Tokens never leave it: this is an older copy, in which what was revoked may be live.
            (Some((stamp, _)), Some(before)) if stamp.length < before => {
                Err(damaged("is shorter than it was", Remedy::RenewTokens))
            }
            (Some((stamp, all)), _) => {
                let all = Arc::new(all);
                let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
                *seen = Some((stamp, Arc::clone(&all)));
                Ok(all)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_256_bits_and_never_looks_like_the_number_of_a_person() {
        let plain = Secret::of([7; 32]).unwrap();
        assert!(is_secret(plain.reveal()), "{}", plain.reveal());
        // The random bits whose text begins so.
        let bits = |text: &str| {
            let signs = format!("{text}{}", "A".repeat(SIGNS - text.len()));
            BASE64_URL_SAFE_NO_PAD.decode(signs).unwrap().try_into().unwrap()
        };
        assert!(Secret::of(bits("zz111222333z")).is_none());
        assert!(Secret::of(bits("zz2801234567z")).is_none());
        assert!(Secret::of(bits("zz11122233z")).is_some());
        for other in ["", "peil_", "a.b.c", &plain.reveal()[1..], &format!("{}A", plain.reveal())] {
            assert!(!is_secret(other), "{other}");
        }
    }

    #[test]
    fn a_secret_is_taken_out_wherever_it_stands() {
        let secret = Secret::of([7; 32]).unwrap();
        let secret = secret.reveal();
        let said = format!("'{secret}': no {secret}, and {}", &secret[..20]);
        assert_eq!(without_secrets(&said), "'[removed]': no [removed], and [removed]");
        assert_eq!(without_secrets("the file peil_dir/x of é"), "the file peil_dir/x of é");
    }

    #[test]
    fn a_token_ends_with_its_last_moment() {
        let at = |text: &str| text.parse::<RecordedAt>().unwrap();
        let token = Token {
            name: "x".parse().unwrap(),
            role: Role::Reader,
            oin: None,
            areas: vec![],
            created_at: at("2026-01-01T00:00:00.000Z"),
            expires_at: at("2026-07-01T00:00:00.000Z"),
            revoked_at: None,
        };
        assert!(token.is_live(at("2026-06-30T23:59:59.999Z")));
        assert!(!token.is_live(at("2026-07-01T00:00:00.000Z")));
        let revoked = Token { revoked_at: Some(at("2026-03-01T00:00:00.000Z")), ..token };
        assert!(!revoked.is_live(at("2026-03-01T00:00:00.000Z")));
    }
}
