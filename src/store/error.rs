//! What can go wrong with the store: ours to repair, never an answer to a sender.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why the store did not do what was asked: what happened, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process, or another handle in this one, has the ledger open.
    #[error(
        "the ledger in {} is in use by another process; stop that first, or deliver through it",
        .dir.display()
    )]
    InUse {
        /// The ledger's directory.
        dir: PathBuf,
    },
    /// There is nothing where a ledger was expected.
    #[error(
        "there is no ledger in {}; check the directory given with --ledger, or deliver something to begin one there",
        .dir.display()
    )]
    NoLedger {
        /// The directory that was named.
        dir: PathBuf,
    },
    /// The directory holds something else.
    #[error(
        "{} is not empty and has no file FORMAT, so it is not a ledger; choose an empty directory, or put FORMAT back",
        .dir.display()
    )]
    NotALedger {
        /// The directory that was named.
        dir: PathBuf,
    },
    /// The ledger was written in a format that this program does not know.
    #[error(
        "the ledger in {} says its format is {found:?}; this program reads {expected:?}, so use the version that wrote it",
        .dir.display()
    )]
    OtherFormat {
        /// The ledger's directory.
        dir: PathBuf,
        /// What its file FORMAT says.
        found: String,
        /// What this program writes there.
        expected: String,
    },
    /// A backup or a restore would have to write over something.
    #[error("{} is not empty and nothing is written over it; choose an absent or empty directory", .dir.display())]
    NotEmpty {
        /// The target that was named.
        dir: PathBuf,
    },
    /// Entries that the checkpoint promises are in neither copy, or in neither copy whole.
    #[error("{detail}; nothing was changed. {remedy}")]
    Short {
        /// What is missing, and where each copy ends.
        detail: String,
        /// What to do.
        remedy: Remedy,
    },
    /// A copy holds other entries than the checkpoint or the other copy says.
    #[error("{detail}; nothing was changed. {remedy}")]
    Differs {
        /// What differs, and where.
        detail: String,
        /// What to do.
        remedy: Remedy,
    },
    /// The checkpoint is missing or damaged and the two copies cannot stand in for it.
    #[error("{detail}; nothing was changed. {remedy}")]
    CheckpointLost {
        /// What is wrong with the checkpoint and why the copies do not replace it.
        detail: String,
        /// What to do.
        remedy: Remedy,
    },
    /// Something that was whole when the ledger was opened can no longer be read.
    #[error("{detail}. {remedy}")]
    Damaged {
        /// What cannot be read, and where.
        detail: String,
        /// What to do.
        remedy: Remedy,
    },
    /// The ledger has grown, or shrunk, since the caller looked.
    #[error("the ledger holds {size} entries, not {expected}; read what is new and try again")]
    WrongSize {
        /// The size that the caller expected.
        expected: u64,
        /// The size that the ledger has.
        size: u64,
    },
    /// A position beyond the end was asked for.
    #[error("position {position} is outside the ledger, which holds {size} entries counted from 0")]
    OutOfRange {
        /// The position that was asked for.
        position: u64,
        /// The size of the ledger.
        size: u64,
    },
    /// A line is longer than a frame can hold.
    #[error(
        "line {index} of the commit has {length} bytes and an entry can have {limit}; nothing was written"
    )]
    LineTooLong {
        /// Which line of the commit, counted from 0.
        index: usize,
        /// How long it is.
        length: usize,
        /// How long it may be.
        limit: usize,
    },
    /// Whoever reads the entries could not make sense of one.
    #[error("entry {position} was read as it was written but cannot be used: {reason}")]
    Visit {
        /// The entry's position.
        position: u64,
        /// What the reader said.
        reason: String,
    },
    /// A file of records beside the log does not hold what it should.
    #[error(
        "{} {what}; nothing was changed. Put the file back from a copy; without one, move it away and do without what it held",
        .file.display()
    )]
    KeptDamaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Another process writes to a file of records at the same time.
    #[error("{} was changed by another program meanwhile; nothing was written to it. Open the ledger again", .file.display())]
    KeptChanged {
        /// The file.
        file: PathBuf,
    },
    /// An earlier write failed, so this handle no longer knows what is on disk.
    #[error("an earlier write to the ledger failed, so this handle does nothing more; open the ledger again")]
    Poisoned,
    /// The operating system refused.
    #[error("{doing} {} failed: {source}; mend that and open the ledger again", .path.display())]
    Io {
        /// What was tried, such as "writing".
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl StoreError {
    /// Adds to an error of the operating system what was tried, and with what.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_path_buf(), source }
    }
}

/// What to do about damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The next opening heals it and says so.
    Reopen,
    /// Look first: the damage has to be located.
    Verify,
    /// One of the copies is whole: the other can be built again from it.
    VerifyRepair,
    /// Neither copy is whole.
    Restore,
    /// The tokens cannot be trusted.
    RenewTokens,
    /// The tokens can be changed by others.
    CloseTokens,
    /// The audit record is not as it was written.
    KeepAudit,
    /// Whoever goes on with the audit record heals it.
    Serve,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reopen => "The next command that opens the ledger heals this",
            Self::Verify => "Run `peildatum verify` to see what is damaged and what repairs it",
            Self::VerifyRepair => {
                "Run `peildatum verify --repair` to build the damaged copy again from the one that is whole"
            }
            Self::RenewTokens => {
                "Put the file back as it was last, or move it away and give everybody a new token"
            }
            Self::CloseTokens => {
                "Run `chmod 600` on it, and look with `peildatum token list` whether all tokens are yours"
            }
            Self::KeepAudit => {
                "Keep the folder `audit` as it is, under another name, and compare it with a copy; without it a new record begins"
            }
            Self::Serve => "The next `peildatum serve` mends it, and says so in the record",
            Self::Restore => "Run `peildatum restore BACKUP` into a new directory, and keep this one",
        })
    }
}
