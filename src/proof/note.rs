//! Signed notes (C2SP `signed-note`): a text with the signatures of those who stand for it, and the keys that make and check
//! them.
//!
//! A key has a name and an id that is made of both, so that a signature by a key that nobody here knows is told from a
//! wrong one: the first is passed over, the second is a fault. Two kinds of signature are known: that of a log, and the
//! timestamped cosignature of a witness (C2SP `tlog-cosignature`).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

/// The most bytes that a note is believed to have: sixteen of the largest signatures there are take a tenth of it.
pub const MAX_NOTE: usize = 1 << 20;
/// The most signatures that a note is believed to have.
const MAX_SIGNATURES: usize = 100;
/// What a signature line begins with.
const SIGNATURE: &str = "— ";
/// What a secret key begins with, so that it is not taken for a public one.
const SECRET: &str = "PRIVATE+KEY+";

/// The text with every secret key in it taken out.
pub fn without_secret_keys(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(SECRET) {
        kept.push_str(&rest[..at]);
        kept.push_str("[removed]");
        // A key has no space in it; what a sentence puts behind it is no part of a key either.
        let key = &rest[at..rest[at..].find(char::is_whitespace).map_or(rest.len(), |end| at + end)];
        let end = key.trim_end_matches(|it: char| !it.is_alphanumeric() && !"+/=".contains(it)).len();
        rest = &rest[at + end..];
    }
    kept + rest
}

/// The name of a key: that of a log, which is its origin, or of a witness.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

/// The text is no name of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "is no name of a key: it is 1 to 255 bytes long and has no spaces, no plus and no control characters"
)]
pub struct NotAKeyName;

impl FromStr for KeyName {
    type Err = NotAKeyName;

    fn from_str(text: &str) -> Result<Self, NotAKeyName> {
        let wrong = |it: char| it.is_whitespace() || it.is_control() || it == '+';
        match (1..=255).contains(&text.len()) && !text.contains(wrong) {
            true => Ok(Self(text.to_owned())),
            false => Err(NotAKeyName),
        }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl KeyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The first bytes of a hash of a key with its name. It tells keys apart and proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(pub [u8; 4]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

/// What a key signs, as its type byte says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// The text of a note as it is: the key of a log.
    Log,
    /// The text with the time of the signature: the key of a witness.
    Witness,
}

impl KeyKind {
    fn byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Witness => 0x04,
        }
    }
}

/// The public key that checks signatures, with its name: `NAME+ID+BASE64`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    id: KeyId,
    kind: KeyKind,
    key: VerifyingKey,
}

/// The text is no key. It is not repeated: it may be a secret one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAKey {
    /// It has another form.
    #[error("is no verifier key, which has the form NAME+ID+KEY, such as example.org/log+c74f20a3+ARpc2Q..")]
    Form,
    /// It is a secret key.
    #[error(
        "is a secret key, which belongs nowhere but in its file; give the verifier key that belongs to it"
    )]
    IsSecret,
    /// It is no secret key.
    #[error("is no secret key, which has the form PRIVATE+KEY+NAME+ID+KEY")]
    Secret,
    /// It is of a kind that is not known here.
    #[error("is a key of type {0:#04x}; known are Ed25519 keys of a log (0x01) and of a witness (0x04)")]
    Kind(u8),
    /// The name or the id was changed.
    #[error("is a key whose name and id do not belong together: a part of it was changed or lost")]
    Id,
}

impl VerifierKey {
    fn new(name: KeyName, kind: KeyKind, key: VerifyingKey) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(name.as_str());
        hasher.update([b'\n', kind.byte()]);
        hasher.update(key.as_bytes());
        let hash = hasher.finalize();
        let id = KeyId(*hash.first_chunk().expect("a hash is longer"));
        Self { name, id, kind, key }
    }

    /// Whose key it is.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// What tells it from another key of the same name.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// What it signs.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Whether a signature says that it is of this key.
    fn claims(&self, signature: &Signature) -> bool {
        signature.name == self.name && signature.id == self.id
    }

    /// Checks a signature of a text. Gives its time, where it has one.
    fn check(&self, text: &str, signature: &Signature) -> Option<Option<u64>> {
        let (time, message, bytes) = match self.kind {
            KeyKind::Log => (None, text.to_owned(), signature.bytes.as_slice()),
            KeyKind::Witness => {
                let (time, bytes) = signature.bytes.split_first_chunk::<8>()?;
                let time = u64::from_be_bytes(*time);
                i64::try_from(time).ok()?;
                (Some(time), format!("cosignature/v1\ntime {time}\n{text}"), bytes)
            }
        };
        let signature = ed25519_dalek::Signature::from_bytes(bytes.try_into().ok()?);
        // Strict: with the lenient check there are keys for which one signature fits several texts.
        self.key.verify_strict(message.as_bytes(), &signature).ok()?;
        Some(time)
    }
}

impl FromStr for VerifierKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        if text.starts_with(SECRET) {
            return Err(NotAKey::IsSecret);
        }
        let (name, id, bytes) = parts(text).ok_or(NotAKey::Form)?;
        let (kind, key) = bytes.split_first().ok_or(NotAKey::Form)?;
        let kind = match kind {
            0x01 => KeyKind::Log,
            0x04 => KeyKind::Witness,
            other => return Err(NotAKey::Kind(*other)),
        };
        let key = key.try_into().map_err(|_| NotAKey::Form)?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| NotAKey::Form)?;
        let known = Self::new(name, kind, key);
        if known.id == id { Ok(known) } else { Err(NotAKey::Id) }
    }
}

/// Name, id and bytes of a key in text.
fn parts(text: &str) -> Option<(KeyName, KeyId, Vec<u8>)> {
    let (name, rest) = text.split_once('+')?;
    let (id, key) = rest.split_once('+')?;
    let is_id = id.len() == 8 && id.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
    let id = u32::from_str_radix(id, 16).ok().filter(|_| is_id)?;
    Some((name.parse().ok()?, KeyId(id.to_be_bytes()), STANDARD.decode(key).ok()?))
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.kind.byte()];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, self.id, STANDARD.encode(bytes))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

/// The secret key of a log, with its name. It is printed by [`secret`](Self::secret) and by nothing else.
pub struct SignerKey {
    key: SigningKey,
    verifier: VerifierKey,
}

impl SignerKey {
    /// A new key from 32 bytes that nobody can guess.
    pub fn new(name: KeyName, random: [u8; 32]) -> Self {
        let key = SigningKey::from_bytes(&random);
        let verifier = VerifierKey::new(name, KeyKind::Log, key.verifying_key());
        Self { key, verifier }
    }

    /// The public key that belongs to it.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The secret as text, in the form of a signer of Go's `sumdb/note`: `PRIVATE+KEY+NAME+ID+BASE64`.
    pub fn secret(&self) -> String {
        let mut bytes = vec![KeyKind::Log.byte()];
        bytes.extend_from_slice(&self.key.to_bytes());
        format!("{SECRET}{}+{}+{}", self.verifier.name, self.verifier.id, STANDARD.encode(bytes))
    }

    /// Signs a text that ends with a newline.
    pub fn sign(&self, text: &str) -> Signature {
        let bytes = self.key.sign(text.as_bytes()).to_bytes().to_vec();
        Signature { name: self.verifier.name.clone(), id: self.verifier.id, bytes }
    }
}

impl FromStr for SignerKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let (name, id, bytes) = text.strip_prefix(SECRET).and_then(parts).ok_or(NotAKey::Secret)?;
        let (kind, seed) = bytes.split_first().ok_or(NotAKey::Secret)?;
        if *kind != KeyKind::Log.byte() {
            return Err(NotAKey::Kind(*kind));
        }
        let known = Self::new(name, seed.try_into().map_err(|_| NotAKey::Secret)?);
        if known.verifier.id == id { Ok(known) } else { Err(NotAKey::Id) }
    }
}

/// Never the secret.
impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignerKey").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

/// A signature as it stands in a note: by whom it says it is, and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name of the key.
    pub name: KeyName,
    /// The id of the key.
    pub id: KeyId,
    /// What the key made.
    pub bytes: Vec<u8>,
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.id.0, self.bytes.as_slice()].concat();
        write!(f, "{SIGNATURE}{} {}", self.name, STANDARD.encode(bytes))
    }
}

/// A text with its signatures, as it was read. Nothing of it counts before [`verify`](Self::verify).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// Why a note does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteFault {
    /// The bytes are no note.
    #[error("is no signed note: {0}")]
    Form(&'static str),
    /// Nobody who is known has signed it.
    #[error("has no signature of the key {0}")]
    NotSigned(String),
    /// A known key has not made the signature that bears its name.
    #[error(
        "has a wrong signature of {name}+{id}: what was signed was another text, or the signature was changed"
    )]
    Wrong {
        /// The name of the key.
        name: KeyName,
        /// The id of the key.
        id: KeyId,
    },
}

/// Who has signed a note, and when, as far as the signature says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed<'a> {
    /// The key.
    pub by: &'a VerifierKey,
    /// The signature, as it stands in the note.
    pub signature: &'a Signature,
    /// When, in seconds since 1970; only witnesses say so.
    pub at: Option<u64>,
}

impl Note {
    /// A note that nobody has signed yet.
    ///
    /// # Panics
    /// When the text does not end with a newline, or holds a control character.
    pub fn new(text: String) -> Self {
        assert!(text.ends_with('\n') && !text.contains(is_forbidden), "no text of a note: {text:?}");
        Self { text, signatures: Vec::new() }
    }

    /// Reads a note.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteFault> {
        let fault = |what| Err(NoteFault::Form(what));
        if bytes.len() > MAX_NOTE {
            return fault("it is larger than a mebibyte");
        }
        let Ok(whole) = std::str::from_utf8(bytes) else { return fault("it is not UTF-8") };
        if whole.contains(is_forbidden) {
            return fault("it holds a control character, such as a tab or the end of a line of Windows");
        }
        // The text itself may hold empty lines: the last one parts it from the signatures.
        let Some(at) = whole.rfind("\n\n") else { return fault("it has no empty line before signatures") };
        let (text, signatures) = (&whole[..=at], &whole[at + 2..]);
        let Some(lines) = signatures.strip_suffix('\n') else {
            return fault("it does not end with a line of a signature");
        };
        let signatures = lines.split('\n').map(signature).collect::<Option<Vec<_>>>();
        match signatures {
            None => fault("a line behind its text is no signature"),
            Some(many) if many.len() > MAX_SIGNATURES => fault("it has more than a hundred signatures"),
            Some(signatures) => Ok(Self { text: text.to_owned(), signatures }),
        }
    }

    /// What is signed, with its last newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signatures, of whomever they say they are.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Adds a signature, in the place of an earlier one by the same key.
    pub fn add(&mut self, signature: Signature) {
        let same = |it: &&mut Signature| it.name == signature.name && it.id == signature.id;
        match self.signatures.iter_mut().find(same) {
            Some(earlier) => *earlier = signature,
            None => self.signatures.push(signature),
        }
    }

    /// Checks every signature that says it is by one of these keys, and passes over all others.
    ///
    /// # Errors
    /// When one of them is wrong, or there is none.
    pub fn verify<'a>(&'a self, keys: &'a [VerifierKey]) -> Result<Vec<Signed<'a>>, NoteFault> {
        let signed = self.check(keys)?;
        match signed.is_empty() {
            true => {
                let names: Vec<_> = keys.iter().map(|key| format!("{}+{}", key.name, key.id)).collect();
                Err(NoteFault::NotSigned(names.join(" or ")))
            }
            false => Ok(signed),
        }
    }

    /// As [`verify`](Self::verify), and none of these keys need have signed.
    ///
    /// # Errors
    /// When a signature that says it is by one of them is wrong.
    pub fn check<'a>(&'a self, keys: &'a [VerifierKey]) -> Result<Vec<Signed<'a>>, NoteFault> {
        let claimed = self.signatures.iter().filter_map(|signature| {
            let by = keys.iter().find(|key| key.claims(signature))?;
            Some((by, signature))
        });
        claimed
            .map(|(by, signature)| match by.check(&self.text, signature) {
                Some(at) => Ok(Signed { by, signature, at }),
                None => Err(NoteFault::Wrong { name: by.name.clone(), id: by.id }),
            })
            .collect()
    }

    /// The signatures that do not even say they are by one of these keys.
    pub fn unknown<'a>(&'a self, keys: &'a [VerifierKey]) -> impl Iterator<Item = &'a Signature> {
        self.signatures.iter().filter(|signature| !keys.iter().any(|key| key.claims(signature)))
    }
}

/// Whether a note must not hold this character: a control character of ASCII other than a newline.
fn is_forbidden(it: char) -> bool {
    it < ' ' && it != '\n'
}

/// Reads a line of a signature.
fn signature(line: &str) -> Option<Signature> {
    let (name, bytes) = line.strip_prefix(SIGNATURE)?.split_once(' ')?;
    let bytes = STANDARD.decode(bytes).ok()?;
    let (id, bytes) = bytes.split_first_chunk::<4>().filter(|(_, bytes)| !bytes.is_empty())?;
    Some(Signature { name: name.parse().ok()?, id: KeyId(*id), bytes: bytes.to_vec() })
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

/// Reads a note that a key must have signed.
///
/// # Errors
/// When it is no note, or the key has not signed it.
pub fn verify_note(bytes: &[u8], key: &VerifierKey) -> Result<Note, NoteFault> {
    let note = Note::parse(bytes)?;
    note.verify(std::slice::from_ref(key))?;
    Ok(note)
}
