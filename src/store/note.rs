//! What opening healed or cut off. Nothing is healed without a word.

use std::fmt;
use std::path::PathBuf;

use crate::proof::merkle::Hash;

/// One thing that opening or repairing did to make the ledger whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The journal ended in a commit that is not whole. A crash leaves that, of a commit that nobody was told had
    /// succeeded; damage to the last commit looks the same when the checkpoint lags behind it.
    TailCut {
        /// The journal file.
        file: String,
        /// How long the file is now.
        offset: u64,
        /// How many bytes went.
        bytes: u64,
        /// Where they are kept.
        kept_as: String,
        /// The size of the ledger before that commit.
        size: u64,
    },
    /// The events lacked the last entries, as after a crash, and got them from the journal.
    EventsBehind {
        /// How many entries the events held.
        had: u64,
        /// How many they hold now.
        size: u64,
    },
    /// The events were missing or damaged and were built again from the journal.
    EventsRebuilt {
        /// What was wrong.
        why: String,
        /// Where the damaged folder is kept, if there was one.
        kept_as: Option<String>,
        /// How many entries they hold now.
        size: u64,
    },
    /// The journal was short or damaged and was written again from the events.
    JournalRewritten {
        /// What was wrong, and where.
        why: String,
        /// The first entry that was written again.
        from: u64,
        /// The size of the ledger.
        size: u64,
        /// Where the damaged files are kept.
        kept_as: Vec<String>,
    },
    /// The checkpoint was missing or damaged and both copies agreed on what it must say.
    CheckpointRewritten {
        /// What was wrong.
        why: String,
        /// The size it states now.
        size: u64,
    },
    /// A repair wrote a lost checkpoint from the one copy that vouches for itself.
    CheckpointChosen {
        /// What was wrong.
        why: String,
        /// The size it states now.
        size: u64,
        /// The root it states now.
        root: Hash,
    },
    /// A crash came after a commit was durable and before the checkpoint said so.
    CheckpointBehind {
        /// The size the checkpoint stated.
        had: u64,
        /// The size it states now.
        size: u64,
    },
    /// Something half-made by a process that was stopped.
    LeftoverRemoved {
        /// What it was, within the ledger's directory.
        name: String,
    },
    /// A file of records beside the log ended in some that were not synced, as after a crash. Nobody was told of them.
    RecordsCut {
        /// The file.
        file: PathBuf,
        /// How many bytes went.
        bytes: u64,
    },
    /// A part of the snapshot could not be used. Nothing rests on it; reading the journal takes longer.
    SnapshotThrownAway {
        /// The file.
        name: String,
        /// What was wrong with it, as the end of a sentence.
        why: String,
    },
    /// A repair moved something out of the way.
    SetAside {
        /// Why it could not stay.
        why: String,
        /// Where it is kept.
        kept_as: Vec<String>,
    },
    /// A repair found nothing to do.
    NothingToRepair,
    /// The ledger holds fewer entries than it has signed.
    ShorterThanSigned {
        /// How many it holds.
        size: u64,
        /// How many it signed.
        signed: u64,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TailCut { file, offset, bytes, kept_as, size } => write!(
                f,
                "journal/{file} ended in a commit that is not whole, as after a crash; its last {bytes} bytes, from \
                 byte {offset} on, were set aside as {kept_as}; the ledger holds {size} entries"
            ),
            Self::EventsBehind { had, size } => write!(
                f,
                "the events held {had} of {size} entries, as after an unclean stop; the rest was added from the journal"
            ),
            Self::EventsRebuilt { why, kept_as, size } => {
                write!(f, "{why}; all {size} entries were built again from the journal")?;
                kept_as.iter().try_for_each(|name| write!(f, ", and what was there is kept as {name}"))
            }
            Self::JournalRewritten { why, from, size, kept_as } => {
                write!(f, "{why}; the entries from {from} up to {size} were written again from the events")?;
                kept(f, kept_as)
            }
            Self::CheckpointRewritten { why, size } => {
                write!(f, "{why}; journal and events agree on all {size} entries, so it was written again")
            }
            Self::CheckpointChosen { why, size, root } => write!(
                f,
                "{why}; it was written again for the {size} entries with root {root} that the ledger holds: compare \
                 that with the last report or backup, since only they can tell whether more was acknowledged"
            ),
            Self::CheckpointBehind { had, size } => write!(
                f,
                "the checkpoint stated {had} entries and {size} were stored, as after a stop in the middle of a commit; \
                 all are kept and the checkpoint states them now"
            ),
            Self::LeftoverRemoved { name } => {
                write!(f, "{name}, left half-made by an unclean stop, was removed")
            }
            Self::RecordsCut { file, bytes } => write!(
                f,
                "{} ended in records that are not whole, as after a crash; its last {bytes} bytes, of which nobody was \
                 told, were cut off",
                file.display()
            ),
            Self::SnapshotThrownAway { name, why } => {
                write!(f, "{name} {why}; it was thrown away and is made again from the journal")
            }
            Self::SetAside { why, kept_as } => {
                write!(f, "{why}; it was set aside")?;
                kept(f, kept_as)
            }
            Self::ShorterThanSigned { size, signed } => write!(
                f,
                "this ledger has signed {signed} entries and holds {size}, so it is an older copy: it signs nothing more until \
                 the rest is put back with `peildatum restore`"
            ),
            Self::NothingToRepair => {
                f.write_str("journal, events and checkpoint agree; there is nothing to repair")
            }
        }
    }
}

fn kept(f: &mut fmt::Formatter<'_>, names: &[String]) -> fmt::Result {
    if names.is_empty() {
        return Ok(());
    }
    write!(f, ", and what was there is kept as {}", names.join(", "))
}
