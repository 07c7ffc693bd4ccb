//! Checkpoints (C2SP `tlog-checkpoint`): origin, size and root of a log as a note that the log signs and witnesses cosign.

use std::fmt;

use super::merkle::Hash;
use super::note::{KeyName, Note, NoteFault, Signature, Signed, SignerKey, VerifierKey};

/// What a log has come to: whose it is, how many entries it has, and the root over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// The name of the log, which is that of its key as well.
    pub origin: KeyName,
    /// How many entries it has.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl fmt::Display for TreeHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root)
    }
}

impl TreeHead {
    /// Reads the text of a checkpoint. Lines behind the three are passed over: nobody can check what they say.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let head = Self {
            origin: lines.next()?.parse().ok()?,
            size: decimal(lines.next()?)?,
            root: lines.next()?.parse().ok()?,
        };
        lines.all(|line| !line.is_empty()).then_some(head)
    }
}

/// A number without a sign and without zeroes before it.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let number = text.parse().ok()?;
    (u64::to_string(&number) == text).then_some(number)
}

/// A checkpoint with its signatures.
///
/// [`verify`](Self::verify) makes one that its log has signed. One that was only [parsed](Self::parse) says what somebody
/// wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    head: TreeHead,
    note: Note,
}

/// Why a checkpoint does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointFault {
    /// It is no signed note, or the signature is wrong or missing.
    #[error(transparent)]
    Note(#[from] NoteFault),
    /// It is a note about something else.
    #[error(
        "is a signed note and no checkpoint: its lines are not an origin, a number of entries and a root"
    )]
    Form,
    /// It is of another log.
    #[error("is of the log {found}, and the key is of {expected}")]
    Origin {
        /// What it says.
        found: KeyName,
        /// What the key says.
        expected: KeyName,
    },
}

impl SignedCheckpoint {
    /// Signs a head. The key is that of its origin.
    ///
    /// # Panics
    /// When it is another's.
    pub fn sign(head: TreeHead, key: &SignerKey) -> Self {
        assert_eq!(&head.origin, key.verifier().name(), "a log signs for itself");
        let mut note = Note::new(head.to_string());
        note.add(key.sign(note.text()));
        Self { head, note }
    }

    /// Reads a checkpoint and verifies nothing.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointFault> {
        let note = Note::parse(bytes)?;
        let head = TreeHead::parse(note.text()).ok_or(CheckpointFault::Form)?;
        Ok(Self { head, note })
    }

    /// Reads a checkpoint that the log with this key must have signed.
    ///
    /// # Errors
    /// When it is none, is of another log or is not signed by the key.
    pub fn verify(bytes: &[u8], key: &VerifierKey) -> Result<Self, CheckpointFault> {
        let checkpoint = Self::parse(bytes)?;
        checkpoint.is_of(key)?;
        checkpoint.note.verify(std::slice::from_ref(key))?;
        Ok(checkpoint)
    }

    /// Whether it says that it is of the log with this key.
    ///
    /// # Errors
    /// When it does not.
    pub fn is_of(&self, key: &VerifierKey) -> Result<(), CheckpointFault> {
        match &self.head.origin == key.name() {
            true => Ok(()),
            false => {
                let (found, expected) = (self.head.origin.clone(), key.name().clone());
                Err(CheckpointFault::Origin { found, expected })
            }
        }
    }

    /// What it says.
    pub fn head(&self) -> &TreeHead {
        &self.head
    }

    /// The note as it is printed.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// The same without signatures.
    pub fn unsigned(&self) -> Self {
        Self { head: self.head.clone(), note: Note::new(self.note.text().to_owned()) }
    }

    /// Which of these witnesses have cosigned it, and when.
    ///
    /// # Errors
    /// When a cosignature that says it is by one of them is wrong.
    pub fn cosigned<'a>(&'a self, witnesses: &'a [VerifierKey]) -> Result<Vec<Signed<'a>>, NoteFault> {
        self.note.check(witnesses)
    }

    /// Adds a signature of the same text, in the place of an earlier one by the same key.
    pub fn add(&mut self, signature: Signature) {
        self.note.add(signature);
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}
