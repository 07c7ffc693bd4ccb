//! Drawers: records of organisations beside the log, found by identity. What lies in one can be taken out for good.
//!
//! Receipts and what is in quarantine lie in drawers. The log does not rest on them.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::error::StoreError;
use super::folder::sync_dir;
use super::kept::{Kept, Place};
use super::note::Note;
use crate::domain::access::Oin;

/// A drawer. Every record has an owner, an identity, a second one by which its owner may find it, and content.
#[derive(Debug)]
pub struct Drawer {
    kept: Kept,
    /// In the order of their identities, which are of version 7: the oldest first.
    records: HashMap<Oin, BTreeMap<Uuid, Lying>>,
    keys: HashMap<(Oin, Uuid), Uuid>,
    /// Records that a later one took the place of. They go when that one is durable.
    replaced: Vec<Place>,
}

/// Where a record lies, and how long its content is.
#[derive(Clone, Copy, Debug)]
struct Lying {
    place: Place,
    bytes: usize,
}

/// How a record begins: owner, identity, key.
const HEAD: usize = 20 + 16 + 16;

/// What the name of a file ends in that lies beside the folder: from when it is there on, a drawer that is not there was lost.
const BEGUN: &str = "-begun";

impl Drawer {
    /// Opens the drawers of a folder, or begins them.
    ///
    /// # Errors
    /// When a file is damaged, cannot be read, or is not there any more.
    pub fn open_all<const N: usize>(
        dir: &Path,
        names: [&str; N],
    ) -> Result<([Self; N], Vec<Note>), StoreError> {
        fs::create_dir_all(dir).map_err(StoreError::io("making", dir))?;
        let mut begun = dir.as_os_str().to_owned();
        begun.push(BEGUN);
        let begun = PathBuf::from(begun);
        let all = begun.exists();
        let (mut drawers, mut notes) = (Vec::new(), Vec::new());
        for name in names {
            let path = dir.join(name);
            if all && !path.exists() {
                let what = "is not there any more".to_owned();
                return Err(StoreError::KeptDamaged { file: path, what });
            }
            let (drawer, more) = Self::open(&path)?;
            drawers.push(drawer);
            notes.extend(more);
        }
        if !all {
            File::create(&begun).map_err(StoreError::io("making", &begun))?;
            sync_dir(dir.parent().unwrap_or(dir))?;
        }
        Ok((drawers.try_into().expect("one for each name"), notes))
    }

    /// Opens a drawer, or begins one.
    fn open(path: &Path) -> Result<(Self, Vec<Note>), StoreError> {
        let mut records: HashMap<Oin, BTreeMap<Uuid, Lying>> = HashMap::new();
        let (mut keys, mut replaced) = (HashMap::new(), Vec::new());
        let (kept, notes) = Kept::open(path, &mut |place, record| {
            let (owner, id, key, content) = read(record).ok_or("is none of a drawer")?;
            // A crash before the earlier one was erased leaves both, and the later one counts.
            let lying = Lying { place, bytes: content.len() };
            let before = records.entry(owner).or_default().insert(id, lying);
            replaced.extend(before.map(|it| it.place));
            if let Some(key) = key {
                keys.insert((owner, key), id);
            }
            Ok(())
        })?;
        Ok((Self { kept, records, keys, replaced }, notes))
    }

    /// Puts a record in, in the place of the one with the same identity. It is durable after [`sync`](Self::sync).
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&mut self, owner: Oin, id: Uuid, key: Option<Uuid>, content: &[u8]) -> Result<(), StoreError> {
        let mut record = Vec::with_capacity(HEAD + content.len());
        record.extend_from_slice(owner.to_string().as_bytes());
        record.extend_from_slice(id.as_bytes());
        // The UUID of only zeros is no key.
        record.extend_from_slice(key.unwrap_or_default().as_bytes());
        record.extend_from_slice(content);
        let place = self.kept.append(&record)?;
        if let Some(key) = key {
            self.keys.insert((owner, key), id);
        }
        let lying = Lying { place, bytes: content.len() };
        let before = self.records.entry(owner).or_default().insert(id, lying);
        self.replaced.extend(before.map(|it| it.place));
        Ok(())
    }

    /// The content of a record.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn get(&self, owner: Oin, id: Uuid) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(lying) = self.records.get(&owner).and_then(|own| own.get(&id)) else { return Ok(None) };
        let record = self.kept.read(lying.place)?;
        Ok(record.and_then(|record| read(&record).map(|(_, _, _, content)| content.to_vec())))
    }

    /// Whether somebody has a record with this identity.
    pub fn has(&self, owner: Oin, id: Uuid) -> bool {
        self.records.get(&owner).is_some_and(|own| own.contains_key(&id))
    }

    /// Who has a record with this identity.
    pub fn owner(&self, id: Uuid) -> Option<Oin> {
        self.records.iter().find(|(_, own)| own.contains_key(&id)).map(|(owner, _)| *owner)
    }

    /// The identity of the record that its owner gave a key.
    pub fn by_key(&self, owner: Oin, key: Uuid) -> Option<Uuid> {
        self.keys.get(&(owner, key)).copied()
    }

    /// How many records somebody has.
    pub fn count(&self, owner: Oin) -> usize {
        self.records.get(&owner).map_or(0, BTreeMap::len)
    }

    /// Every record with its owner.
    pub fn all(&self) -> impl Iterator<Item = (Oin, Uuid)> {
        self.records.iter().flat_map(|(owner, own)| own.keys().map(|id| (*owner, *id)))
    }

    /// How many bytes of content somebody has.
    pub fn bytes(&self, owner: Oin) -> usize {
        self.records.get(&owner).map_or(0, |own| own.values().map(|it| it.bytes).sum())
    }

    /// The identities of somebody's records, the newest first.
    pub fn newest_first(&self, owner: Oin) -> impl Iterator<Item = Uuid> {
        self.records.get(&owner).into_iter().flat_map(|own| own.keys().rev().copied())
    }

    /// Takes a record out for good. Tells whether there was one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn take_out(&mut self, owner: Oin, id: Uuid) -> Result<bool, StoreError> {
        let Some(lying) = self.records.get_mut(&owner).and_then(|own| own.remove(&id)) else {
            return Ok(false);
        };
        self.keys.retain(|_, it| *it != id);
        self.kept.erase(lying.place)?;
        self.sync()?;
        Ok(true)
    }

    /// Makes everything durable that was put in.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn sync(&mut self) -> Result<(), StoreError> {
        self.kept.sync()?;
        self.replaced.drain(..).try_for_each(|place| self.kept.erase(place))
    }
}

fn read(record: &[u8]) -> Option<(Oin, Uuid, Option<Uuid>, &[u8])> {
    let (head, content) = record.split_at_checked(HEAD)?;
    let owner = std::str::from_utf8(&head[..20]).ok()?.parse().ok()?;
    let id = Uuid::from_slice(&head[20..36]).ok()?;
    let key = Uuid::from_slice(&head[36..]).ok()?;
    Some((owner, id, (!key.is_nil()).then_some(key), content))
}
