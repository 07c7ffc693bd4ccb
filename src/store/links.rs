//! The links of persons: which token stands for which number, apart from the log, and erasable.
//!
//! A number is never kept. What is kept is its HMAC under a secret key, with the random token that stands for the person in
//! the log. Who has the links without the key learns nothing from them; who has both can try all numbers, of which there
//! are few enough. So key and links are for their owner alone, and no backup of the ledger holds them.
//!
//! Several processes may use the links at the same time: each takes the lock of the folder for as long as it looks or
//! changes, and reads again what another has changed.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::error::StoreError;
use super::folder::{format_of, is_empty, is_readable_by_others, names, private, sync_dir};
use super::kept::{Kept, Place};
use super::note::Note;
use crate::domain::person_number::PersonNumber;
use crate::domain::source::PersonToken;

/// The folder of keys and links in that of the ledger.
const FOLDER: &str = "persons";
/// The file that says that links were begun, so that they cannot be lost unnoticed. It goes into backups.
pub(super) const BEGUN: &str = "persons-begun";
/// What stands in it, for whoever finds it.
const BEGUN_SAYS: &str = "Links of persons were begun in the folder persons. See docs/persons.md.\n";
/// The file of the links in it.
const LINKS: &str = "links";
/// What a record of the links begins with.
const KEY: u8 = 1;
const LINK: u8 = 2;
/// How many bytes a key has, and an HMAC.
const BYTES: usize = 32;

/// Why no token can be given.
#[derive(Debug, thiserror::Error)]
pub enum LinksError {
    /// There were links, and they are not there.
    #[error(
        "links of persons were begun, and {} is not there: who is known would get a second token. Put the folder `{FOLDER}` \
         back from its own copy; if it is lost for good, remove the file `{BEGUN}` beside it, and everybody counts as \
         somebody new from then on", .0.display()
    )]
    Lost(PathBuf),
    /// A key is missing under which there are links.
    #[error(
        "the key {} is not there, and {links} persons are known under it; put it back from its own copy",
        .file.display()
    )]
    KeyLost {
        /// Where it should be.
        file: PathBuf,
        /// How many links were made with it.
        links: u64,
    },
    /// Others can read a key.
    #[error("{} can be read by others than its owner, so it is no secret; run `chmod 600` on it, and think about who may have read it", .0.display())]
    Readable(PathBuf),
    /// The file of a key holds none.
    #[error("{} holds no key; put it back from its own copy", .0.display())]
    NotAKey(PathBuf),
    /// A file cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What draws random bytes.
pub type Random = Box<dyn FnMut(&mut [u8]) + Send + Sync>;

/// The links of a ledger. Nothing is begun and no file is touched before the first number.
pub struct Links {
    /// The ledger's folder.
    dir: PathBuf,
    random: Random,
    open: Option<Open>,
    /// What was healed, and not told yet.
    notes: Vec<Note>,
    /// Tokens that are forgotten, under a key that is, while nothing is to be written.
    rehearsed: Option<(Hmac<Sha256>, HashMap<Digest, PersonToken>)>,
}

/// A key as it is shown: without itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyShown {
    /// Its number, counted from 1.
    pub number: u32,
    /// How many persons are known under it.
    pub links: u64,
    /// Whether new links are made with it.
    pub current: bool,
}

/// What a new key brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The number of the key that is current now.
    pub current: u32,
    /// The keys that are destroyed, since nobody is known under them.
    pub destroyed: Vec<u32>,
}

/// Half of an HMAC, which is enough to tell numbers apart in memory.
type Digest = [u8; 16];

/// Keys and links as they are on disk.
struct Open {
    folder: PathBuf,
    kept: Kept,
    /// By age; the last one is current.
    keys: Vec<Key>,
    links: HashMap<Digest, Link>,
}

struct Key {
    number: u32,
    hmac: Hmac<Sha256>,
    /// Where it is announced.
    place: Place,
    links: u64,
}

#[derive(Clone, Copy)]
struct Link {
    token: PersonToken,
    place: Place,
}

/// Held while the links are looked at or changed.
struct Lock(#[expect(dead_code, reason = "the operating system gives it back when this closes")] File);

impl Links {
    /// The links of the ledger in a folder. Random numbers are drawn for keys and tokens.
    pub fn new(dir: &Path, random: Random) -> Self {
        Self { dir: dir.to_path_buf(), random, open: None, notes: Vec::new(), rehearsed: None }
    }

    /// The same, of a folder that must hold a ledger.
    ///
    /// # Errors
    /// When it holds none.
    pub fn of_ledger(dir: &Path, random: Random) -> Result<Self, StoreError> {
        match is_empty(dir)? {
            true => Err(StoreError::NoLedger { dir: dir.to_path_buf() }),
            false => format_of(dir).map(|()| Self::new(dir, random)),
        }
    }

    /// From here on nothing is written: unknown numbers get tokens that are forgotten.
    pub fn rehearse(&mut self) {
        let mut key = Zeroizing::new([0; BYTES]);
        (self.random)(&mut *key);
        self.rehearsed = Some((keyed(&key), HashMap::new()));
    }

    /// Whether nothing is written.
    pub fn is_rehearsing(&self) -> bool {
        self.rehearsed.is_some()
    }

    /// Opens the links where any were begun, so that what is wrong with them shows before they are needed.
    ///
    /// # Errors
    /// When they are lost or damaged, or others can read a key.
    pub fn check(&mut self) -> Result<(), LinksError> {
        match self.lock_begun()? {
            Some(_lock) => self.refresh(),
            None => Ok(()),
        }
    }

    /// What was healed since this was asked last, to be shown to whoever runs the program.
    pub fn notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// The token of each person, in the order of the numbers: the one that is known, or a new one.
    ///
    /// New links are durable when this returns. What was found under an older key is linked anew under the current one.
    ///
    /// # Errors
    /// When the links are lost or damaged, others can read a key, or nothing can be written. Then no token was given.
    pub fn resolve(&mut self, numbers: &[&PersonNumber]) -> Result<Vec<PersonToken>, LinksError> {
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        if self.rehearsed.is_some() {
            return self.rehearse_all(numbers);
        }
        let _lock = self.lock()?;
        self.refresh()?;
        let mut open = self.open.take().expect("it was refreshed");
        if open.keys.is_empty() {
            open.add_key(&mut self.random)?;
        }
        let tokens = open.resolve(numbers, &mut self.random)?;
        // What failed in between left memory ahead of the disk: then all is read again.
        self.open = Some(open);
        Ok(tokens)
    }

    fn rehearse_all(&mut self, numbers: &[&PersonNumber]) -> Result<Vec<PersonToken>, LinksError> {
        let lock = self.lock_begun()?;
        if lock.is_some() {
            self.refresh()?;
        }
        let open = self.open.as_ref().filter(|_| lock.is_some());
        let (hmac, forgotten) = self.rehearsed.as_mut().expect("it rehearses");
        let mut token = |number: &PersonNumber| {
            if let Some((.., link)) = open.and_then(|open| open.found(number).next()) {
                return link.token;
            }
            let (digest, _) = digest_of(hmac, number);
            *forgotten.entry(digest).or_insert_with(|| new_token(&mut self.random))
        };
        Ok(numbers.iter().map(|number| token(number)).collect())
    }

    /// Erases the link of a person, under whatever key. Says whether there was one.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve). Then the link may be there or not: erase again.
    pub fn erase(&mut self, number: &PersonNumber) -> Result<bool, LinksError> {
        let Some(_lock) = self.lock_begun()? else { return Ok(false) };
        self.refresh()?;
        let mut open = self.open.take().expect("it was refreshed");
        let found: Vec<_> = open.found(number).collect();
        let places: Vec<_> = found.iter().map(|(.., link)| link.place).collect();
        for (key, digest, _) in &found {
            open.links.remove(digest);
            open.keys[*key].links -= 1;
        }
        open.kept.erase_all(&places)?;
        open.destroy_unused()?;
        self.open = Some(open);
        Ok(!found.is_empty())
    }

    /// Makes a new key current, and destroys older ones under which nobody is known.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn rotate(&mut self) -> Result<Rotated, LinksError> {
        let _lock = self.lock()?;
        self.refresh()?;
        let mut open = self.open.take().expect("it was refreshed");
        let current = open.add_key(&mut self.random)?;
        let destroyed = open.destroy_unused()?;
        self.open = Some(open);
        Ok(Rotated { current, destroyed })
    }

    /// The keys, oldest first.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn keys(&mut self) -> Result<Vec<KeyShown>, LinksError> {
        let Some(_lock) = self.lock_begun()? else { return Ok(Vec::new()) };
        self.refresh()?;
        let keys = &self.open.as_ref().expect("it was refreshed").keys;
        let shown = |(at, key): (usize, &Key)| KeyShown {
            number: key.number,
            links: key.links,
            current: at + 1 == keys.len(),
        };
        Ok(keys.iter().enumerate().map(shown).collect())
    }

    fn folder(&self) -> PathBuf {
        self.dir.join(FOLDER)
    }

    /// Waits for the lock, if links were begun.
    fn lock_begun(&self) -> Result<Option<Lock>, LinksError> {
        match self.folder().join(LINKS).exists() || self.dir.join(BEGUN).exists() {
            true => self.lock().map(Some),
            false => Ok(None),
        }
    }

    /// Waits until no other process looks at the links or changes them.
    fn lock(&self) -> Result<Lock, LinksError> {
        let folder = self.folder();
        if !folder.exists() {
            if self.dir.join(BEGUN).exists() {
                return Err(LinksError::Lost(folder));
            }
            begin_folder(&folder).map_err(StoreError::io("making", &folder))?;
            sync_dir(&self.dir)?;
        }
        let path = folder.join("lock");
        let file = private().create(true).write(true).truncate(false).open(&path);
        let file = file.map_err(StoreError::io("opening", &path))?;
        file.lock().map_err(StoreError::io("locking", &path))?;
        Ok(Lock(file))
    }

    /// Reads keys and links again, unless nobody else changed them. The lock is held.
    fn refresh(&mut self) -> Result<(), LinksError> {
        let (folder, begun) = (self.folder(), self.dir.join(BEGUN));
        let links = folder.join(LINKS);
        if !links.exists() && begun.exists() {
            return Err(LinksError::Lost(links));
        }
        if let Some(open) = &self.open
            && links.exists()
            && open.kept.is_current()?
        {
            return Ok(());
        }
        self.open = None;
        let (open, notes) = Open::read(folder)?;
        if !begun.exists() {
            // Before the first link is told to anybody.
            write_secret(&begun, BEGUN_SAYS.as_bytes())?;
        }
        self.open = Some(open);
        self.notes.extend(notes);
        Ok(())
    }
}

impl Open {
    /// Reads the folder. The lock is held, so what is half-made was left by a process that was stopped.
    fn read(folder: PathBuf) -> Result<(Self, Vec<Note>), LinksError> {
        let mut places = BTreeMap::new();
        let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
        let mut links = HashMap::new();
        let (kept, notes) = Kept::open(&folder.join(LINKS), &mut |place, record| {
            let fault = || "it is neither a key nor a link".to_owned();
            let (kind, rest) = record.split_first().ok_or_else(fault)?;
            let (number, rest) = rest.split_first_chunk().ok_or_else(fault)?;
            let number = u32::from_be_bytes(*number);
            match (*kind, rest.split_first_chunk::<BYTES>()) {
                (KEY, None) if rest.is_empty() => drop(places.insert(number, place)),
                (LINK, Some((hmac, token))) => {
                    let token = Uuid::from_slice(token).ok().and_then(|token| token.try_into().ok());
                    links.insert(half(hmac), Link { token: token.ok_or_else(fault)?, place });
                    *counts.entry(number).or_default() += 1;
                }
                _ => return Err(fault()),
            }
            Ok(())
        })?;
        let missing = counts.iter().find(|(number, _)| !places.contains_key(number));
        if let Some((number, links)) = missing {
            return Err(LinksError::KeyLost { file: key_file(&folder, *number), links: *links });
        }
        let mut keys = Vec::new();
        for (number, place) in places {
            let links = counts.get(&number).copied().unwrap_or(0);
            keys.push(Key { number, hmac: read_key(&folder, number, links)?, place, links });
        }
        for name in names(&folder)? {
            let path = folder.join(&name);
            // A key that was never used, or that was being destroyed.
            let number = name.strip_prefix("key-").map(str::parse::<u32>);
            let known = |number| keys.iter().any(|key| Ok(key.number) == number);
            if name.ends_with(".tmp") || number.is_some_and(|number| !known(number)) {
                destroy(&path)?;
            }
        }
        Ok((Self { folder, kept, keys, links }, notes))
    }

    /// The links of a person, under the current key first.
    fn found<'a>(&'a self, number: &'a PersonNumber) -> impl Iterator<Item = (usize, Digest, Link)> + 'a {
        self.keys.iter().enumerate().rev().filter_map(move |(at, key)| {
            let (digest, _) = digest_of(&key.hmac, number);
            self.links.get(&digest).map(|link| (at, digest, *link))
        })
    }

    fn resolve(
        &mut self,
        numbers: &[&PersonNumber],
        random: &mut Random,
    ) -> Result<Vec<PersonToken>, LinksError> {
        let current = self.keys.len() - 1;
        let (mut tokens, mut outdated) = (Vec::with_capacity(numbers.len()), Vec::new());
        for number in numbers {
            let found: Vec<_> = self.found(number).collect();
            let token = found.first().map_or_else(|| new_token(random), |(.., link)| link.token);
            tokens.push(token);
            if found.first().is_none_or(|(key, ..)| *key != current) {
                self.link(number, token)?;
            }
            for (key, digest, link) in found.into_iter().filter(|(key, ..)| *key != current) {
                self.links.remove(&digest);
                self.keys[key].links -= 1;
                outdated.push(link.place);
            }
        }
        // A crash here leaves some of the new links, whose tokens nobody was told.
        self.kept.sync()?;
        // And one here leaves a person known under two keys, by the same token.
        self.kept.erase_all(&outdated)?;
        if !outdated.is_empty() {
            self.destroy_unused()?;
        }
        Ok(tokens)
    }

    /// Links a person under the current key. It is not durable yet.
    fn link(&mut self, number: &PersonNumber, token: PersonToken) -> Result<(), LinksError> {
        let key = self.keys.last_mut().expect("a key was made");
        let (digest, hmac) = digest_of(&key.hmac, number);
        let record =
            [&[LINK][..], &key.number.to_be_bytes(), &hmac, token.uuid().as_bytes().as_slice()].concat();
        let place = self.kept.append(&record)?;
        self.links.insert(digest, Link { token, place });
        key.links += 1;
        Ok(())
    }

    /// Makes a key, which is current from now on.
    fn add_key(&mut self, random: &mut Random) -> Result<u32, LinksError> {
        let number = self.keys.last().map_or(0, |key| key.number) + 1;
        let mut key = Zeroizing::new([0; BYTES]);
        random(&mut *key);
        let mut text = Zeroizing::new([b'\n'; 45]);
        STANDARD.encode_slice(key.as_slice(), &mut text[..44]).expect("32 bytes are 44 signs");
        write_secret(&key_file(&self.folder, number), &*text)?;
        // A crash before this leaves a key that is destroyed at the next opening.
        let place = self.kept.append(&[&[KEY][..], &number.to_be_bytes()].concat())?;
        self.kept.sync()?;
        self.keys.push(Key { number, hmac: keyed(&key), place, links: 0 });
        Ok(number)
    }

    /// Destroys all keys but the current one under which nobody is known.
    fn destroy_unused(&mut self) -> Result<Vec<u32>, LinksError> {
        let current = self.keys.last().map(|key| key.number);
        let unused: Vec<_> =
            self.keys.iter().filter(|key| key.links == 0 && Some(key.number) != current).collect();
        let places: Vec<_> = unused.iter().map(|key| key.place).collect();
        let numbers: Vec<_> = unused.iter().map(|key| key.number).collect();
        // First, so that another process looks again; a crash after it leaves a key that the next opening destroys.
        self.kept.erase_all(&places)?;
        for number in &numbers {
            destroy(&key_file(&self.folder, *number))?;
        }
        self.keys.retain(|key| !numbers.contains(&key.number));
        Ok(numbers)
    }
}

fn keyed(key: &[u8; BYTES]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("a key may have any length")
}

/// The HMAC of a number, and its half by which it is found.
fn digest_of(keyed: &Hmac<Sha256>, number: &PersonNumber) -> (Digest, [u8; BYTES]) {
    let hmac: [u8; BYTES] = keyed.clone().chain_update(number.digits()).finalize().into_bytes().into();
    (half(&hmac), hmac)
}

fn half(hmac: &[u8; BYTES]) -> Digest {
    *hmac.first_chunk().expect("it is longer")
}

/// A token that says nothing about anybody.
fn new_token(random: &mut Random) -> PersonToken {
    loop {
        let mut bytes = [0; 16];
        random(&mut bytes);
        // Zeros all over are what a number that was filled up would look like, and refused.
        if let Ok(token) = uuid::Builder::from_random_bytes(bytes).into_uuid().try_into() {
            return token;
        }
    }
}

fn key_file(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("key-{number}"))
}

fn read_key(folder: &Path, number: u32, links: u64) -> Result<Hmac<Sha256>, LinksError> {
    let path = key_file(folder, number);
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(LinksError::KeyLost { file: path, links });
        }
        Err(error) => return Err(StoreError::io("reading", &path)(error).into()),
    };
    let io = || StoreError::io("reading", &path);
    if is_readable_by_others(&file).map_err(io())? {
        return Err(LinksError::Readable(path));
    }
    let mut text = Zeroizing::new([0; 46]);
    let mut length = 0;
    loop {
        match file.read(&mut text[length..]).map_err(io())? {
            0 => break,
            read => length += read,
        }
    }
    let mut key = Zeroizing::new([0; BYTES]);
    let decoded = STANDARD.decode_slice(text[..length].trim_ascii_end(), &mut *key);
    match decoded {
        Ok(BYTES) => Ok(keyed(&key)),
        _ => Err(LinksError::NotAKey(path)),
    }
}

/// Writes a file that its owner alone can read, whole or not at all. When this returns, it survives a power cut.
fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let fresh = path.with_extension("tmp");
    let mut file = private()
        .create(true)
        .write(true)
        .truncate(true)
        .open(&fresh)
        .map_err(StoreError::io("making", &fresh))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(StoreError::io("writing", &fresh))?;
    fs::rename(&fresh, path).map_err(StoreError::io("writing", path))?;
    sync_dir(path.parent().expect("it lies in a folder"))
}

/// Overwrites a file and removes it.
fn destroy(path: &Path) -> Result<(), StoreError> {
    let io = StoreError::io("destroying", path);
    let overwritten = private().write(true).open(path).and_then(|mut file| {
        let length = file.metadata()?.len();
        io::copy(&mut io::repeat(0).take(length), &mut file)?;
        file.sync_all()
    });
    match overwritten.and_then(|()| fs::remove_file(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io(error)),
        _ => sync_dir(path.parent().expect("it lies in a folder")),
    }
}

#[cfg(unix)]
fn begin_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn begin_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}
