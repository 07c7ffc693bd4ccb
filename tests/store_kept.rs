//! Files of records beside the log, held against a plain list: whatever is appended, erased, interrupted or damaged, what
//! was acknowledged is there, what was erased is not, and nothing else is ever read.

use std::fs;
use std::path::{Path, PathBuf};

use peildatum::store::kept::{Kept, Place};
use peildatum::store::{Note, StoreError};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::folders::change;

/// A file and what must be in it.
struct Desk {
    dir: TempDir,
    model: Vec<Vec<u8>>,
}

impl Desk {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), model: Vec::new() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("records")
    }

    /// Opens the file and holds it against the model.
    #[track_caller]
    fn open(&self) -> (Kept, Vec<Place>, Vec<Note>) {
        let (kept, found, notes) = open(&self.path()).unwrap();
        let records: Vec<_> = found.iter().map(|(_, record)| record.clone()).collect();
        assert!(records == self.model, "{} records and not {}", records.len(), self.model.len());
        for (place, record) in &found {
            assert_eq!(kept.read(*place).unwrap().as_ref(), Some(record));
        }
        (kept, found.into_iter().map(|(place, _)| place).collect(), notes)
    }
}

type Opened = (Kept, Vec<(Place, Vec<u8>)>, Vec<Note>);

fn open(path: &Path) -> Result<Opened, StoreError> {
    let mut found = Vec::new();
    let (kept, notes) = Kept::open(path, &mut |place, record| {
        found.push((place, record.to_vec()));
        Ok(())
    })?;
    Ok((kept, found, notes))
}

/// A file of three records, of which one is erased, and what is left.
fn three() -> Desk {
    let mut desk = Desk::new();
    let (mut kept, ..) = desk.open();
    let places = [b"the first".as_slice(), b"", b"the third, of more than sixteen bytes"]
        .map(|record| (kept.append(record).unwrap(), record));
    let erased = kept.append(b"erased").unwrap();
    kept.sync().unwrap();
    kept.erase(erased).unwrap();
    desk.model = places.iter().map(|(_, record)| record.to_vec()).collect();
    desk
}

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<u8>),
    Sync,
    Erase(prop::sample::Index),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..70).prop_map(Step::Append),
        1 => (250_000usize..270_000).prop_map(|length| Step::Append(vec![7; length])),
        2 => Just(Step::Sync),
        4 => any::<prop::sample::Index>().prop_map(Step::Erase),
        2 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_file_holds_what_was_appended_and_not_erased(steps in prop::collection::vec(step(), 1..40)) {
        let mut desk = Desk::new();
        let (mut kept, mut places, _) = desk.open();
        for step in steps {
            match step {
                Step::Append(record) => {
                    places.push(kept.append(&record).unwrap());
                    desk.model.push(record);
                }
                Step::Sync => kept.sync().unwrap(),
                Step::Erase(index) if !places.is_empty() => {
                    let at = index.index(places.len());
                    let place = places.remove(at);
                    let record = desk.model.remove(at);
                    kept.erase(place).unwrap();
                    prop_assert_eq!(kept.read(place).unwrap(), None);
                    let bytes = fs::read(desk.path()).unwrap();
                    let stays = desk.model.iter().any(|it| it.windows(record.len().max(1)).any(|it| it == record));
                    if record.len() > 12 && !stays {
                        prop_assert!(!bytes.windows(record.len()).any(|it| it == record), "it is still there");
                    }
                }
                Step::Erase(_) => {}
                Step::Reopen => {
                    kept.sync().unwrap();
                    prop_assert!(kept.is_current().unwrap());
                    let notes;
                    (kept, places, notes) = desk.open();
                    prop_assert_eq!(notes, vec![]);
                }
            }
            for (place, record) in places.iter().zip(&desk.model) {
                let read = kept.read(*place).unwrap();
                prop_assert_eq!(read.as_ref(), Some(record));
            }
        }
    }
}

#[test]
fn a_byte_that_changed_is_noticed_wherever_it_stands() {
    let desk = three();
    let whole = fs::read(desk.path()).unwrap();
    for at in 0..whole.len() {
        for flip in [0x01, 0xff] {
            change(&desk.path(), |bytes| bytes[at] ^= flip);
            let damaged = fs::read(desk.path()).unwrap();
            match open(&desk.path()) {
                Err(StoreError::KeptDamaged { file, .. }) => {
                    assert_eq!(file, desk.path());
                    assert!(fs::read(desk.path()).unwrap() == damaged, "something was changed");
                }
                // What was erased has nothing to lose, and is overwritten again.
                Ok((_, found, notes)) => {
                    assert!(at >= whole.len() - 16, "byte {at} changed unnoticed");
                    assert_eq!((found.len(), notes.len()), (3, 0));
                    assert!(fs::read(desk.path()).unwrap() == whole, "it was not overwritten");
                }
                other => panic!("{:?}", other.err()),
            }
            fs::write(desk.path(), &whole).unwrap();
        }
    }
    desk.open();
}

#[test]
fn what_was_synced_is_missed_wherever_the_file_is_cut() {
    let desk = three();
    let whole = fs::read(desk.path()).unwrap();
    for length in 0..whole.len() {
        fs::write(desk.path(), &whole[..length]).unwrap();
        let error = open(&desk.path()).err().unwrap();
        assert!(matches!(error, StoreError::KeptDamaged { .. }), "{length}: {error}");
        assert_eq!(fs::read(desk.path()).unwrap(), whole[..length]);
    }
    fs::write(desk.path(), &whole).unwrap();
    desk.open();
}

/// The bytes of a file in which records were written behind the last sync, as a process that was killed leaves it, and
/// where each of those records ends.
fn killed(desk: &mut Desk) -> (Vec<u8>, Vec<usize>, Vec<Vec<u8>>) {
    let (mut kept, ..) = desk.open();
    let head = fs::read(desk.path()).unwrap()[..32].to_vec();
    let more: Vec<Vec<u8>> = vec![b"one more".to_vec(), vec![], vec![3; 40]];
    let mut ends = vec![fs::metadata(desk.path()).unwrap().len() as usize];
    for record in &more {
        kept.append(record).unwrap();
        kept.sync().unwrap();
        ends.push(fs::metadata(desk.path()).unwrap().len() as usize);
    }
    let mut bytes = fs::read(desk.path()).unwrap();
    // The length that was synced is the last thing to be written.
    bytes[..32].copy_from_slice(&head);
    (bytes, ends, more)
}

#[test]
fn what_a_crash_left_is_cut_off_and_whole_records_stay() {
    let mut desk = three();
    let (bytes, ends, more) = killed(&mut desk);
    let synced = desk.model.clone();
    for length in ends[0]..=bytes.len() {
        // Also where a power cut left zeros, or something else, in the place of what was written.
        let zeros = [&bytes[..length], &vec![0; bytes.len() - length]].concat();
        let mut cases = vec![(bytes[..length].to_vec(), length), (zeros, length)];
        if length < bytes.len() {
            let mut other = bytes.clone();
            other[length] ^= 0x40;
            cases.push((other, length));
        }
        for (case, whole_until) in cases {
            fs::write(desk.path(), &case).unwrap();
            let (_, found, notes) = open(&desk.path()).unwrap();
            let found: Vec<_> = found.into_iter().map(|(_, record)| record).collect();
            assert_eq!(found[..3], synced);
            // The zeros behind a record are its own: without them it is whole all the same where zeros follow.
            let whole = ends[1..].iter().filter(|end| **end <= whole_until).count();
            assert!(found.len() >= 3 + whole, "a whole record was cut off");
            assert!(more.starts_with(&found[3..]), "something else was read");
            let cut = case.len() - ends[found.len() - 3];
            match &notes[..] {
                [] => assert_eq!(cut, 0),
                [Note::RecordsCut { bytes, .. }] => assert_eq!(*bytes as usize, cut),
                other => panic!("{other:?}"),
            }
            // The next opening has nothing to cut, and knows all as synced.
            assert_eq!(open(&desk.path()).unwrap().2, vec![]);
            change(&desk.path(), |bytes| bytes.truncate(bytes.len() - 1));
            assert!(open(&desk.path()).is_err());
        }
    }
}

#[test]
fn an_erasure_that_was_interrupted_is_finished() {
    let mut desk = three();
    let (kept, places, _) = desk.open();
    drop(kept);
    let before = fs::read(desk.path()).unwrap();
    let (mut kept, ..) = desk.open();
    kept.erase(places[2]).unwrap();
    drop(kept);
    let after = fs::read(desk.path()).unwrap();
    let third = before.windows(9).position(|it| it == b"the third").unwrap();
    // Its bytes are still there, wholly or partly, and its header says that it was erased.
    desk.model.pop();
    for zeros in [0, 1, 20, 37] {
        let mut torn = after.clone();
        torn[third + zeros..third + 37].copy_from_slice(&before[third + zeros..third + 37]);
        fs::write(desk.path(), torn).unwrap();
        desk.open();
        let bytes = fs::read(desk.path()).unwrap();
        assert!(!bytes.windows(5).any(|it| it == b"bytes"), "the erased record is still there");
    }
}

#[test]
fn space_is_given_back_when_more_than_half_was_erased() {
    let mut desk = Desk::new();
    let (mut kept, ..) = desk.open();
    let places: Vec<_> = (0..100).map(|it: u8| kept.append(&[it; 100]).unwrap()).collect();
    kept.erase_all(&places[..40]).unwrap();
    desk.model = (40..100).map(|it: u8| vec![it; 100]).collect();
    let full = fs::metadata(desk.path()).unwrap().len();
    let (other, places, _) = desk.open();
    assert_eq!(fs::metadata(desk.path()).unwrap().len(), full);
    kept.erase_all(&places[..15]).unwrap();
    desk.model.drain(..15);
    assert!(!other.is_current().unwrap(), "an erasure does not show");
    // Left by a program that was stopped while it wrote the file anew: it may hold what was erased since.
    fs::write(desk.path().with_extension("tmp"), "erased since").unwrap();
    desk.open();
    assert_eq!(fs::metadata(desk.path()).unwrap().len(), 32 + 45 * 128);
    assert!(!desk.path().with_extension("tmp").exists());
    assert!(!kept.is_current().unwrap(), "a file that was written anew does not show");
    desk.open();
}

#[test]
fn two_who_write_at_once_do_not_write_over_one_another() {
    let mut desk = three();
    let (mut one, ..) = desk.open();
    let (mut other, ..) = desk.open();
    one.append(b"from one").unwrap();
    one.sync().unwrap();
    assert!(one.is_current().unwrap() && !other.is_current().unwrap());
    other.append(b"from the other").unwrap();
    assert!(matches!(other.sync(), Err(StoreError::KeptChanged { .. })));
    assert!(matches!(other.sync(), Err(StoreError::Poisoned)));
    desk.model.push(b"from one".to_vec());
    desk.open();
}

#[test]
fn what_is_no_record_is_refused_and_nothing_is_erased() {
    let desk = three();
    let (mut kept, places, _) = desk.open();
    let error = kept.append(&vec![1; 16 * 1024 * 1024 + 1]).unwrap_err();
    assert!(matches!(error, StoreError::LineTooLong { .. }), "{error}");
    let late = {
        let mut other = Desk::new();
        let (mut kept, ..) = other.open();
        other.model.push(vec![0; 4_000]);
        kept.append(&other.model[0]).unwrap();
        kept.append(b"").unwrap()
    };
    assert!(matches!(kept.erase_all(&[places[0], late]), Err(StoreError::KeptDamaged { .. })));
    drop(kept);
    desk.open();
    let stopped = Kept::open(&desk.path(), &mut |_, _| Err("is no link".to_owned()));
    assert!(stopped.unwrap_err().to_string().contains("is no link"));
    fs::write(desk.path(), "").unwrap();
    assert!(open(&desk.path()).is_err(), "an empty file is not a new one");
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = three();
    assert_eq!(fs::metadata(desk.path()).unwrap().permissions().mode() & 0o777, 0o600);
}
