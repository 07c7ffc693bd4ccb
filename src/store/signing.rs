//! The key of a ledger, the checkpoint that it signed last, and the cosignatures of witnesses.
//!
//! **Never sign for a tree that does not extend the last signed one.** Two checkpoints that contradict each other are the
//! proof that a log was changed, and nobody can take them back. So the last one lies in the ledger's folder, and is there
//! durably before it is given out.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::Head;
use super::error::StoreError;
use super::folder::{Access, Folder, is_readable_by_others, names, private, sync_dir, there_is_a_ledger};
use super::reader::Reader;
use crate::proof::checkpoint::{CheckpointFault, SignedCheckpoint, TreeHead};
use crate::proof::merkle::Hash;
use crate::proof::note::{KeyKind, NotAKey, NoteFault, Signature, SignerKey, VerifierKey};

/// The secret key, unless it is kept elsewhere. Nothing copies it.
const SECRET: &str = "signing-key";
/// The public key. A ledger without it has none.
const PUBLIC: &str = "verifier-key";
/// The checkpoint that was signed last.
const LAST: &str = "signed-checkpoint";
/// The public keys of witnesses, one a line.
const WITNESSES: &str = "witnesses";
/// Checkpoints that witnesses have cosigned, a file each.
const COSIGNED: &str = "cosigned";

/// Why nothing was signed, or a signature is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// There is no key.
    #[error("this ledger has no key yet; make one with `peildatum init --origin NAME`")]
    NoKey,
    /// There is one already.
    #[error("this ledger has the key {0} already; what it signed counts for ever, so it is not replaced")]
    HasKey(Box<VerifierKey>),
    /// A file that would be written is there.
    #[error("{} is there already and nothing is written over it; name another file with --key-file, or move that one away", .0.display())]
    KeyFileThere(PathBuf),
    /// There is no secret key where it was looked for.
    #[error("there is no secret key in {}; name its file with --key-file, or set PEILDATUM_KEY_FILE", .0.display())]
    NoSecret(PathBuf),
    /// Others can read the secret.
    #[error("{} can be read by others than its owner, so it is no secret; run `chmod 600` on it, and think about who may have read it", .0.display())]
    Readable(PathBuf),
    /// What should be a key is none.
    #[error("{what} {fault}")]
    NotAKey {
        /// What was read.
        what: String,
        /// What is wrong with it.
        fault: NotAKey,
    },
    /// The secret is of another key.
    #[error(
        "the secret key is of {found} and this ledger signs with {expected}; give the key that belongs to it"
    )]
    OtherKey {
        /// The name and id of the key that was given.
        found: String,
        /// Those of the ledger's key.
        expected: String,
    },
    /// What was signed last is not known.
    #[error(
        "the file `{LAST}` of the ledger {0}, so nobody can tell whether the log extends what was signed last; put back the \
         last checkpoint that was given out, from a backup or from whoever has it"
    )]
    LastLost(String),
    /// The log is shorter than what was signed.
    #[error(
        "a checkpoint was signed for {signed} entries and the log holds {size}: entries are gone; nothing was signed. Run \
         `peildatum verify`, and restore a backup"
    )]
    Shorter {
        /// The size that was signed.
        signed: u64,
        /// The size of the log.
        size: u64,
    },
    /// The log holds other entries than what was signed.
    #[error(
        "the first {size} entries are others than those a checkpoint was signed for (root {signed}, now {found}); nothing was \
         signed. Run `peildatum verify`, and restore a backup"
    )]
    Differs {
        /// The size that was signed.
        size: u64,
        /// The root that was signed.
        signed: Hash,
        /// The root of as many entries now.
        found: Hash,
    },
    /// A witness is no witness.
    #[error("the key of {0} is one of a log (type 0x01); witnesses cosign with keys of type 0x04")]
    NotAWitness(String),
    /// A witness is known already, or by another key.
    #[error("the witness {0} is known already")]
    WitnessKnown(String),
    /// A witness is not known. What was typed is not repeated: it may be a secret key by mistake.
    #[error("no such witness is known; `peildatum witness list` shows those that are")]
    WitnessUnknown,
    /// A checkpoint is not accepted.
    #[error("the checkpoint {0}")]
    Checkpoint(#[from] CheckpointFault),
    /// Nobody who is known has cosigned.
    #[error(
        "no known witness has cosigned it, so nothing was kept; add the witness first with `peildatum witness add`"
    )]
    NotCosigned,
    /// It has lines that this log never signs.
    #[error(
        "the checkpoint has lines behind its root, and this log signs none there, so nothing was kept; give the witness the \
         checkpoint as `peildatum checkpoint` printed it"
    )]
    MoreLines,
    /// What was kept of witnesses cannot be read.
    #[error("the file `{file}` of the ledger {fault}; remove it, and accept again what the witnesses sent")]
    CosignedDamaged {
        /// Its place in the ledger's folder.
        file: String,
        /// What is wrong with it.
        fault: CheckpointFault,
    },
    /// A witness saw another log.
    #[error(
        "the checkpoint states {size} entries with root {found}, and the log has {known}: it is about another history. Keep the \
         file, since it proves that two were shown"
    )]
    OtherHistory {
        /// The size that it states.
        size: u64,
        /// The root that it states.
        found: Hash,
        /// What the log has at that size, in words.
        known: String,
    },
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SigningError {
    /// Whether the ledger is broken, as opposed to a rule that says no.
    pub fn is_broken(&self) -> bool {
        use SigningError::{CosignedDamaged, Differs, LastLost, NotAKey, Shorter, Store};
        let no_note = |fault: &CheckpointFault| {
            matches!(fault, CheckpointFault::Form | CheckpointFault::Note(NoteFault::Form(_)))
        };
        match self {
            Self::Checkpoint(fault) => no_note(fault),
            NotAKey { .. }
            | LastLost(_)
            | Shorter { .. }
            | Differs { .. }
            | CosignedDamaged { .. }
            | Store(_) => true,
            _ => false,
        }
    }
}

/// Reads the secret key of a file that nobody else can read.
///
/// # Errors
/// When others can read it, or it is none.
pub fn read_secret(path: &Path) -> Result<SignerKey, SigningError> {
    let not_a_key = |fault| SigningError::NotAKey { what: format!("{}", path.display()), fault };
    read_private(path)?.trim_end().parse().map_err(not_a_key)
}

/// Reads a text that is a secret.
///
/// # Errors
/// When there is none, others than its owner can read it, or it cannot be read.
pub fn read_private(path: &Path) -> Result<String, SigningError> {
    let io = StoreError::io("reading", path);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(SigningError::NoSecret(path.to_path_buf()));
        }
        Err(error) => return Err(io(error).into()),
    };
    if is_readable_by_others(&file).map_err(StoreError::io("reading", path))? {
        return Err(SigningError::Readable(path.to_path_buf()));
    }
    Ok(io::read_to_string(file).map_err(StoreError::io("reading", path))?)
}

/// Writes a secret into a new file that its owner alone can read. When this returns it survives a power cut.
fn write_secret(path: &Path, key: &SignerKey) -> Result<(), SigningError> {
    let mut file = match private().write(true).create_new(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(SigningError::KeyFileThere(path.to_path_buf()));
        }
        Err(error) => return Err(StoreError::io("making", path)(error).into()),
    };
    let written = writeln!(file, "{}", key.secret()).and_then(|()| file.sync_all());
    written.map_err(StoreError::io("writing", path))?;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(sync_dir(dir)?)
}

/// Replaces a file, whole or not at all. When this returns it survives a power cut.
fn replace(path: &Path, text: &str) -> Result<(), StoreError> {
    let fresh = path.with_extension("tmp");
    File::create(&fresh)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .map_err(StoreError::io("writing", &fresh))?;
    // A crash before the rename leaves what was there, and after it the new text.
    fs::rename(&fresh, path).map_err(StoreError::io("replacing", path))?;
    sync_dir(path.parent().expect("it lies in the ledger"))
}

/// Reads a file of the ledger that may be absent.
fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("reading", path)(error)),
    }
}

/// The public key of the ledger in a folder, if it has one.
///
/// # Errors
/// When there is no ledger, or the file is there and holds none.
pub fn verifier_key(dir: &Path) -> Result<Option<VerifierKey>, SigningError> {
    there_is_a_ledger(dir)?;
    let path = dir.join(PUBLIC);
    let Some(bytes) = read(&path)? else { return Ok(None) };
    let text = String::from_utf8_lossy(&bytes);
    let not_a_key =
        |fault| SigningError::NotAKey { what: format!("the file `{PUBLIC}` of the ledger"), fault };
    let key: VerifierKey = text.trim_end().parse().map_err(not_a_key)?;
    match key.kind() {
        KeyKind::Log => Ok(Some(key)),
        KeyKind::Witness => Err(not_a_key(NotAKey::Form)),
    }
}

/// The witnesses that are known in a ledger's folder.
///
/// # Errors
/// When there is no ledger, or their file holds something else.
pub fn witnesses(dir: &Path) -> Result<Vec<VerifierKey>, SigningError> {
    there_is_a_ledger(dir)?;
    let Some(bytes) = read(&dir.join(WITNESSES))? else { return Ok(Vec::new()) };
    let not_a_key = |fault| SigningError::NotAKey {
        what: format!("a line of the file `{WITNESSES}` of the ledger"),
        fault,
    };
    String::from_utf8_lossy(&bytes).lines().map(|line| line.parse().map_err(not_a_key)).collect()
}

/// Notes that a witness is known from now on.
///
/// # Errors
/// When it is no witness, or is known.
pub fn add_witness(dir: &Path, key: &VerifierKey) -> Result<(), SigningError> {
    let _folder = Folder::claim(dir, Access::MustExist)?;
    if key.kind() != KeyKind::Witness {
        return Err(SigningError::NotAWitness(key.name().to_string()));
    }
    let mut known = witnesses(dir)?;
    if known.contains(key) {
        return Err(SigningError::WitnessKnown(named(key)));
    }
    known.push(key.clone());
    write_witnesses(dir, &known)
}

/// Forgets a witness, given by its name and id or its whole key. Its cosignatures stay and no longer count.
///
/// # Errors
/// When it is not known.
pub fn remove_witness(dir: &Path, name: &str) -> Result<VerifierKey, SigningError> {
    let _folder = Folder::claim(dir, Access::MustExist)?;
    let mut known = witnesses(dir)?;
    let is_meant = |key: &VerifierKey| key.to_string() == name || named(key) == name;
    let at = known.iter().position(is_meant);
    let at = at.ok_or(SigningError::WitnessUnknown)?;
    let removed = known.remove(at);
    write_witnesses(dir, &known)?;
    Ok(removed)
}

fn write_witnesses(dir: &Path, keys: &[VerifierKey]) -> Result<(), SigningError> {
    let lines: String = keys.iter().map(|key| format!("{key}\n")).collect();
    Ok(replace(&dir.join(WITNESSES), &lines)?)
}

/// The name and id of a key: what a signature says of it.
fn named(key: &VerifierKey) -> String {
    format!("{}+{}", key.name(), key.id())
}

/// The checkpoint that a ledger signed last. A ledger that has a key has signed one.
pub(super) fn last_signed(dir: &Path, key: &VerifierKey) -> Result<SignedCheckpoint, SigningError> {
    match read(&dir.join(LAST))? {
        None => Err(SigningError::LastLost("is missing".to_owned())),
        Some(bytes) => SignedCheckpoint::verify(&bytes, key)
            .map_err(|fault| SigningError::LastLost(format!("is damaged: it {fault}"))),
    }
}

/// What the ledger in a folder signed last, if it has a key.
pub(super) fn last_signed_head(dir: &Path) -> Result<Option<Head>, SigningError> {
    let Some(key) = verifier_key(dir)? else { return Ok(None) };
    let signed = last_signed(dir, &key)?;
    Ok(Some(Head { size: signed.head().size, root: signed.head().root }))
}

/// Adds to a checkpoint the signatures of it that lie in a ledger's folder, of keys that have not signed it yet: what it
/// came with is not replaced.
///
/// # Errors
/// When they cannot be read, or one that says it is by a known witness is wrong.
pub fn with_cosignatures(dir: &Path, checkpoint: &mut SignedCheckpoint) -> Result<(), SigningError> {
    let name = cosigned_name(checkpoint.head().size);
    let Some(bytes) = read(&dir.join(COSIGNED).join(&name))? else { return Ok(()) };
    let known = witnesses(dir)?;
    let damaged = |fault| SigningError::CosignedDamaged { file: format!("{COSIGNED}/{name}"), fault };
    let kept = SignedCheckpoint::parse(&bytes).map_err(damaged)?;
    if kept.note().text() == checkpoint.note().text() {
        let of_witnesses = kept.cosigned(&known).map(drop);
        of_witnesses.map_err(|fault| damaged(CheckpointFault::Note(fault)))?;
        let there = checkpoint.note().signatures().to_vec();
        let is_there = |it: &&Signature| there.iter().any(|known| known.name == it.name && known.id == it.id);
        let missing = kept.note().signatures().iter().filter(|it| !is_there(it));
        missing.for_each(|signature| checkpoint.add(signature.clone()));
    }
    Ok(())
}

fn cosigned_name(size: u64) -> String {
    format!("{size:020}.checkpoint")
}

/// The files, by their place in the folder, that belong into a backup: all but the secret.
pub(super) fn public_files(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut files: Vec<_> = [PUBLIC, LAST, WITNESSES].map(PathBuf::from).into();
    if dir.join(COSIGNED).is_dir() {
        let cosigned = names(&dir.join(COSIGNED))?.into_iter().filter(|name| name.ends_with(".checkpoint"));
        files.extend(cosigned.map(|name| Path::new(COSIGNED).join(name)));
    }
    files.retain(|file| dir.join(file).is_file());
    Ok(files)
}

impl Reader {
    fn dir(&self) -> &Path {
        self.folder().root()
    }

    /// The public key of the ledger.
    ///
    /// # Errors
    /// When it has none.
    pub fn verifier_key(&self) -> Result<VerifierKey, SigningError> {
        verifier_key(self.dir())?.ok_or(SigningError::NoKey)
    }

    /// Gives the ledger its key: the secret goes into its folder or another file, and the present log is signed, so that
    /// from here on a ledger with a key always knows what it signed last.
    ///
    /// # Errors
    /// When it has a key, or the file is there.
    pub fn give_key(&self, key: &SignerKey, file: Option<&Path>) -> Result<SignedCheckpoint, SigningError> {
        let _one = self.folder().one_signs();
        let dir = self.dir();
        if let Some(known) = verifier_key(dir)? {
            return Err(SigningError::HasKey(Box::new(known)));
        }
        write_secret(file.unwrap_or(&dir.join(SECRET)), key)?;
        let head = self.head();
        let origin = key.verifier().name().clone();
        let signed = SignedCheckpoint::sign(TreeHead { origin, size: head.size, root: head.root }, key);
        replace(&dir.join(LAST), &signed.to_string())?;
        // Last: a crash before this leaves a ledger without a key, and a secret that never gave anything out.
        replace(&dir.join(PUBLIC), &format!("{}\n", key.verifier()))?;
        Ok(signed)
    }

    /// The ledger's own secret key.
    ///
    /// # Errors
    /// When it is kept elsewhere, or others can read it.
    pub fn own_secret(&self) -> Result<SignerKey, SigningError> {
        self.verifier_key()?;
        read_secret(&self.dir().join(SECRET))
    }

    /// Signs the log as it is, with the cosignatures that there are of that very checkpoint.
    ///
    /// # Errors
    /// When the log does not extend what was signed last, or the key is another's.
    pub fn sign(&self, key: &SignerKey) -> Result<SignedCheckpoint, SigningError> {
        let _one = self.folder().one_signs();
        let verifier = self.verifier_key()?;
        if *key.verifier() != verifier {
            let (found, expected) = (named(key.verifier()), named(&verifier));
            return Err(SigningError::OtherKey { found, expected });
        }
        let last = last_signed(self.dir(), &verifier)?;
        let head = self.head();
        self.extends(last.head())?;
        let mut signed = last;
        if signed.head().size < head.size {
            let origin = verifier.name().clone();
            signed = SignedCheckpoint::sign(TreeHead { origin, size: head.size, root: head.root }, key);
            // A crash before this has given nothing out, and after it the same is signed again.
            replace(&self.dir().join(LAST), &signed.to_string())?;
        }
        with_cosignatures(self.dir(), &mut signed)?;
        Ok(signed)
    }

    /// Refuses when the log does not begin with what was signed.
    fn extends(&self, signed: &TreeHead) -> Result<(), SigningError> {
        let size = self.head().size;
        if signed.size > size {
            return Err(SigningError::Shorter { signed: signed.size, size });
        }
        match self.root_at(signed.size)? {
            root if root == signed.root => Ok(()),
            found => Err(SigningError::Differs { size: signed.size, signed: signed.root, found }),
        }
    }

    /// Refuses a checkpoint that is not about this log.
    ///
    /// # Errors
    /// When it states more entries than there are, or another root.
    pub fn is_of_this_log(&self, stated: &TreeHead) -> Result<(), SigningError> {
        let size = self.head().size;
        let known = match stated.size <= size {
            true => {
                let root = self.root_at(stated.size)?;
                if root == stated.root {
                    return Ok(());
                }
                format!("root {root} there")
            }
            false => format!("{size} entries"),
        };
        Err(SigningError::OtherHistory { size: stated.size, found: stated.root, known })
    }

    /// Takes up the cosignatures of known witnesses on a checkpoint of this log. Gives the names and times of those that it
    /// carries.
    ///
    /// # Errors
    /// When it is of another log or another history, or no known witness has cosigned it.
    pub fn accept(&self, bytes: &[u8]) -> Result<Vec<(VerifierKey, Option<u64>)>, SigningError> {
        let _one = self.folder().one_signs();
        let (dir, verifier) = (self.dir(), self.verifier_key()?);
        let handed_in = SignedCheckpoint::parse(bytes)?;
        handed_in.is_of(&verifier)?;
        let known = witnesses(dir)?;
        let fault = |fault| SigningError::Checkpoint(CheckpointFault::Note(fault));
        let own = handed_in.note().check(std::slice::from_ref(&verifier)).map_err(fault)?;
        let cosigned = handed_in.cosigned(&known).map_err(fault)?;
        if cosigned.is_empty() {
            return Err(SigningError::NotCosigned);
        }
        self.is_of_this_log(handed_in.head())?;
        // They would take the place of the cosignatures of what the log did sign.
        if handed_in.note().text() != handed_in.head().to_string() {
            return Err(SigningError::MoreLines);
        }
        // Only what was verified is kept, with the text that it is about.
        let mut kept = handed_in.unsigned();
        with_cosignatures(dir, &mut kept)?;
        own.iter().chain(&cosigned).for_each(|signed| kept.add(signed.signature.clone()));
        fs::create_dir_all(dir.join(COSIGNED)).map_err(StoreError::io("making", dir))?;
        sync_dir(dir)?;
        replace(&dir.join(COSIGNED).join(cosigned_name(kept.head().size)), &kept.to_string())?;
        Ok(cosigned.iter().map(|signed| (signed.by.clone(), signed.at)).collect())
    }
}
