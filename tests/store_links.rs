//! The links of persons beside a plain map: whoever was known keeps the token, whoever was erased gets another, whatever
//! keys come and go and however many processes look; and nothing is begun anew unnoticed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use peildatum::domain::person_number::PersonNumber;
use peildatum::domain::source::PersonToken;
use peildatum::store::links::{KeyShown, Links, LinksError};
use peildatum::store::{StoreError, backup, restore};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::folders::{change, contents, copy_dir};
use crate::store_ledger::Ledger;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Links that draw the same numbers each time, but for the seed.
fn links(dir: &Path, seed: u64) -> Links {
    let mut random = fastrand::Rng::with_seed(seed);
    Links::new(dir, Box::new(move |bytes| random.fill(bytes)))
}

fn number(person: u32) -> PersonNumber {
    PersonNumber::parse(&format!("28{person:08}")).ok().unwrap()
}

fn resolve(links: &mut Links, persons: &[u32]) -> Result<Vec<PersonToken>, LinksError> {
    let numbers: Vec<_> = persons.iter().map(|person| number(*person)).collect();
    links.resolve(&numbers.iter().collect::<Vec<_>>())
}

fn shown(number: u32, links: u64, current: bool) -> KeyShown {
    KeyShown { number, links, current }
}

#[derive(Clone, Debug)]
enum Step {
    Resolve(Vec<u32>),
    Erase(u32),
    Rotate,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => prop::collection::vec(0u32..12, 1..5).prop_map(Step::Resolve),
        2 => (0u32..12).prop_map(Step::Erase),
        1 => Just(Step::Rotate),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Two handles, as of a server and a command, taking turns in any order.
    #[test]
    fn a_person_has_one_token_until_erased(steps in prop::collection::vec((any::<bool>(), step()), 1..30)) {
        let dir = folder();
        let mut handles = [links(dir.path(), 1), links(dir.path(), 2)];
        let mut model: BTreeMap<u32, (PersonToken, u32)> = BTreeMap::new();
        let (mut used, mut keys) = (BTreeSet::new(), vec![]);
        for (at, (which, step)) in steps.into_iter().enumerate() {
            let links = &mut handles[usize::from(which)];
            match step {
                Step::Resolve(persons) => {
                    if keys.is_empty() {
                        keys.push(1);
                    }
                    let current = *keys.last().unwrap();
                    for (person, token) in persons.iter().zip(resolve(links, &persons).unwrap()) {
                        match model.insert(*person, (token, current)) {
                            Some((known, _)) => prop_assert_eq!(known, token),
                            None => prop_assert!(used.insert(token), "a token was given twice"),
                        }
                        prop_assert_eq!(token.uuid().get_version_num(), 4);
                    }
                }
                Step::Erase(person) => {
                    prop_assert_eq!(links.erase(&number(person)).unwrap(), model.remove(&person).is_some());
                }
                Step::Rotate => {
                    keys.push(keys.last().unwrap_or(&0) + 1);
                    prop_assert_eq!(links.rotate().unwrap().current, *keys.last().unwrap());
                }
                Step::Reopen => *links = self::links(dir.path(), 100 + at as u64),
            }
            let under = |key: u32| model.values().filter(|(_, under)| *under == key).count() as u64;
            let current = keys.last().copied();
            let expected: Vec<_> = keys
                .iter()
                .filter(|key| Some(**key) == current || under(**key) > 0)
                .map(|key| shown(*key, under(*key), Some(*key) == current))
                .collect();
            prop_assert_eq!(links.keys().unwrap(), expected);
        }
        for (path, bytes) in contents(dir.path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            prop_assert!(!bytes.windows(6).any(|it| it == b"280000"), "a number is in {}", name);
            let key = name.strip_prefix("key-").map(|it| it.parse().unwrap());
            prop_assert!(key.is_none_or(|key| Some(key) == keys.last().copied() || model.values().any(|it| it.1 == key)));
        }
    }
}

#[test]
fn nothing_is_begun_before_the_first_number() {
    let dir = folder();
    let mut links = links(dir.path(), 1);
    assert_eq!(links.resolve(&[]).unwrap(), []);
    assert!(!links.erase(&number(1)).unwrap());
    assert_eq!(links.keys().unwrap(), []);
    links.check().unwrap();
    assert!(contents(dir.path()).is_empty());
}

#[test]
fn a_rehearsal_knows_who_is_known_and_writes_nothing() {
    let dir = folder();
    let mut tried = links(dir.path(), 3);
    tried.rehearse();
    let first = resolve(&mut tried, &[1, 2, 1]).unwrap();
    assert!(first[0] == first[2] && first[0] != first[1]);
    assert!(contents(dir.path()).is_empty());
    let known = resolve(&mut links(dir.path(), 4), &[1]).unwrap();
    let before = contents(dir.path());
    let again = resolve(&mut tried, &[1, 2]).unwrap();
    assert_eq!((again[0], again[1]), (known[0], first[1]));
    assert_eq!(contents(dir.path()), before);
}

#[test]
fn links_that_are_gone_are_missed_and_not_begun_anew() {
    let dir = folder();
    let persons = dir.path().join("persons");
    let token = resolve(&mut links(dir.path(), 1), &[1]).unwrap();
    let kept = folder();
    copy_dir(&persons, kept.path());

    let lost = |open: &mut Links| {
        for said in [resolve(open, &[1]).err(), open.check().err(), open.keys().err(), open.rotate().err()] {
            let said = said.unwrap();
            assert!(matches!(said, LinksError::Lost(_)), "{said}");
            assert!(said.to_string().contains("remove the file `persons-begun`"), "{said}");
        }
        assert!(open.erase(&number(1)).is_err());
    };
    // Also for whoever had them open.
    let mut open = links(dir.path(), 2);
    open.check().unwrap();
    fs::remove_file(persons.join("links")).unwrap();
    lost(&mut open);
    lost(&mut links(dir.path(), 2));
    fs::remove_dir_all(&persons).unwrap();
    lost(&mut open);
    lost(&mut links(dir.path(), 2));
    // What was put back is what was.
    copy_dir(kept.path(), &persons);
    assert_eq!(resolve(&mut links(dir.path(), 3), &[1]).unwrap(), token);
    // Only who says so begins anew.
    fs::remove_dir_all(&persons).unwrap();
    fs::remove_file(dir.path().join("persons-begun")).unwrap();
    assert_ne!(resolve(&mut links(dir.path(), 4), &[1]).unwrap(), token);
}

#[test]
fn a_key_that_is_gone_damaged_or_open_to_others_is_refused() {
    let dir = folder();
    let key = dir.path().join("persons/key-1");
    resolve(&mut links(dir.path(), 1), &[1, 2]).unwrap();
    let whole = fs::read(&key).unwrap();
    assert_eq!(whole.len(), 45, "32 bytes in base64, and a newline");
    let refused = || resolve(&mut links(dir.path(), 2), &[1]).unwrap_err();
    fs::remove_file(&key).unwrap();
    assert!(matches!(refused(), LinksError::KeyLost { links: 2, .. }));
    for wrong in [&b""[..], b"short\n", &[b'x'; 200]] {
        fs::write(&key, wrong).unwrap();
        #[cfg(unix)]
        set_mode(&key, 0o600);
        assert!(matches!(refused(), LinksError::NotAKey(_)));
    }
    fs::write(&key, &whole).unwrap();
    #[cfg(unix)]
    for mode in [0o640, 0o604, 0o644] {
        set_mode(&key, mode);
        assert!(matches!(refused(), LinksError::Readable(_)));
    }
    #[cfg(unix)]
    set_mode(&key, 0o600);
    resolve(&mut links(dir.path(), 2), &[1]).unwrap();
    change(&dir.path().join("persons/links"), |bytes| bytes[100] ^= 1);
    assert!(matches!(refused(), LinksError::Store(StoreError::KeptDamaged { .. })));
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(unix)]
#[test]
fn keys_and_links_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = folder();
    resolve(&mut links(dir.path(), 1), &[1]).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir.path().join("persons")), 0o700);
    for path in contents(dir.path()).keys() {
        assert_eq!(mode(path), 0o600, "{}", path.display());
    }
}

/// A process that was stopped after each step of what it did: what it left is what another finds.
#[test]
fn what_a_stopped_process_left_half_made_is_tidied_up() {
    let dir = folder();
    let persons = dir.path().join("persons");
    let token = resolve(&mut links(dir.path(), 1), &[1]).unwrap();
    // A key that was written and not announced, one that was half written, and a folder that was begun only.
    fs::write(persons.join("key-2"), "never used").unwrap();
    fs::write(persons.join("key-2.tmp"), "half").unwrap();
    let mut open = links(dir.path(), 2);
    assert_eq!(open.keys().unwrap(), [shown(1, 1, true)]);
    assert!(!persons.join("key-2").exists() && !persons.join("key-2.tmp").exists());
    assert_eq!(open.rotate().unwrap().current, 2);
    // Known under both keys: linked anew, and stopped before the old link was erased.
    let before = fs::read(persons.join("links")).unwrap();
    let old_key = fs::read(persons.join("key-1")).unwrap();
    assert_eq!(resolve(&mut open, &[1]).unwrap(), token);
    assert!(!persons.join("key-1").exists(), "a key that nobody is known under is destroyed");
    let mut both = fs::read(persons.join("links")).unwrap();
    both[32..before.len()].copy_from_slice(&before[32..]);
    fs::write(persons.join("links"), &both).unwrap();
    fs::write(persons.join("key-1"), &old_key).unwrap();
    #[cfg(unix)]
    set_mode(&persons.join("key-1"), 0o600);
    let mut open = links(dir.path(), 3);
    assert_eq!(open.keys().unwrap(), [shown(1, 1, false), shown(2, 1, true)]);
    assert!(open.erase(&number(1)).unwrap());
    assert!(!open.erase(&number(1)).unwrap(), "both links were erased");
    assert_eq!(open.keys().unwrap(), [shown(2, 0, true)]);
    let other = folder();
    fs::create_dir(other.path().join("persons")).unwrap();
    resolve(&mut links(other.path(), 4), &[1]).unwrap();
}

#[test]
fn a_backup_holds_no_link_and_says_that_there_are_some() {
    let ledger = Ledger::new(&[3]);
    let token = resolve(&mut links(&ledger.dir(), 1), &[1]).unwrap();
    let (copy, put_back) = (ledger.folder.path().join("copy"), ledger.folder.path().join("back"));
    backup(&ledger.dir(), &copy).unwrap();
    restore(&copy, &put_back).unwrap();
    for dir in [&copy, &put_back] {
        assert!(!dir.join("persons").exists());
        assert!(matches!(resolve(&mut links(dir, 2), &[1]), Err(LinksError::Lost(_))));
    }
    copy_dir(&ledger.dir().join("persons"), &put_back.join("persons"));
    assert_eq!(resolve(&mut links(&put_back, 3), &[1]).unwrap(), token);
}

/// Threads stand for processes: each has a handle of its own.
#[test]
fn many_at_once_give_everybody_one_token() {
    let dir = folder();
    let given: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6u64)
            .map(|seed| {
                let dir = dir.path();
                scope.spawn(move || {
                    let mut links = links(dir, seed);
                    (0..20)
                        .flat_map(|turn| resolve(&mut links, &[turn, turn + 1]).unwrap())
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert!(given.iter().all(|it| *it == given[0]));
    assert_eq!(links(dir.path(), 9).keys().unwrap(), [shown(1, 21, true)]);
}
