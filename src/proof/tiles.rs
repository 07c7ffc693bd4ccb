//! Tiles (C2SP `tlog-tiles`): a log as files that never change, from which anybody can compute every proof.
//!
//! A tile holds up to 256 hashes next to one another: at level 0 those of entries, above it the roots of full tiles of
//! the level below. A bundle holds the entries of a tile of level 0.

use super::merkle::Hash;

/// How many hashes, or entries, a full tile or bundle has.
pub const WIDTH: u64 = 256;
/// How much higher a level lies in the tree than the one below it.
pub const HEIGHT: u32 = 8;
/// The most bytes of an entry in a bundle, since its length takes two bytes.
pub const MAX_ENTRY: usize = u16::MAX as usize;

/// The levels that a log of this size has, from 0 up.
pub fn levels(size: u64) -> impl Iterator<Item = u32> {
    (0..u64::BITS / HEIGHT).take_while(move |level| size >> (HEIGHT * level) > 0)
}

/// How many hashes of a level there are in a log of this size.
pub fn hashes(level: u32, size: u64) -> u64 {
    size >> (HEIGHT * level)
}

/// Where a tile lies: its number is cut into threes, and a partial one says how wide it is.
pub fn tile_path(level: u32, number: u64, width: u64) -> String {
    format!("tile/{level}/{}", number_path(number, width))
}

/// Where a bundle of entries lies.
pub fn bundle_path(number: u64, width: u64) -> String {
    format!("tile/entries/{}", number_path(number, width))
}

fn number_path(number: u64, width: u64) -> String {
    assert!((1..=WIDTH).contains(&width), "a tile has 1 to 256 hashes");
    let mut path = format!("{:03}", number % 1_000);
    let mut rest = number / 1_000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1_000);
        rest /= 1_000;
    }
    if width < WIDTH {
        path += &format!(".p/{width}");
    }
    path
}

/// A tile, or a bundle of entries, by where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The level of a tile; nothing for a bundle.
    pub level: Option<u32>,
    /// Its number in the level.
    pub number: u64,
    /// How many hashes or entries it has.
    pub width: u64,
}

/// Reads where a tile or bundle lies, without the `tile/` in front; nothing where none can lie.
pub fn place(path: &str) -> Option<Place> {
    let (level, rest) = path.split_once('/')?;
    let level = match level {
        "entries" => None,
        level => Some(level.parse().ok().filter(|level| *level < u64::BITS / HEIGHT)?),
    };
    let (numbers, width) = match rest.split_once(".p/") {
        Some((numbers, width)) => (numbers, width.parse().ok().filter(|it| (1..WIDTH).contains(it))?),
        None => (rest, WIDTH),
    };
    let mut number = 0_u64;
    for three in numbers.split('/') {
        let three = three.strip_prefix('x').unwrap_or(three);
        number = number.checked_mul(1_000)?.checked_add(three.parse().ok()?)?;
    }
    let place = Place { level, number, width };
    // One place has one path: no sign, no zeroes in front, no `x` before the last.
    let own = match level {
        Some(level) => tile_path(level, number, width),
        None => bundle_path(number, width),
    };
    (own.strip_prefix("tile/") == Some(path)).then_some(place)
}

/// The bytes of a tile.
pub fn tile(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// Adds an entry to the bytes of a bundle.
///
/// # Errors
/// When the entry is longer than [`MAX_ENTRY`].
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), EntryTooLong> {
    let length = u16::try_from(entry.len()).map_err(|_| EntryTooLong(entry.len()))?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// An entry has no place in a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an entry of {0} bytes has no place in a bundle of tlog-tiles, which takes {MAX_ENTRY}")]
pub struct EntryTooLong(pub usize);

/// The entries of a bundle; nothing where the bytes are none.
pub fn entries(bundle: &[u8]) -> Option<Vec<&[u8]>> {
    let (mut entries, mut rest) = (Vec::new(), bundle);
    while !rest.is_empty() {
        let (length, behind) = rest.split_first_chunk::<2>()?;
        let (entry, behind) = behind.split_at_checked(u16::from_be_bytes(*length).into())?;
        entries.push(entry);
        rest = behind;
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the specification.
    #[test]
    fn tiles_lie_where_the_specification_has_them() {
        assert_eq!(tile_path(0, 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(tile_path(0, 0, 256), "tile/0/000");
        assert_eq!(tile_path(1, 999, 17), "tile/1/999.p/17");
        assert_eq!(bundle_path(1_000, 1), "tile/entries/x001/000.p/1");
        let shape =
            |size| levels(size).map(move |level| (hashes(level, size) / 256, hashes(level, size) % 256));
        assert_eq!(shape(70_000).collect::<Vec<_>>(), [(273, 112), (1, 17), (0, 1)]);
        assert_eq!(shape(256).collect::<Vec<_>>(), [(1, 0), (0, 1)]);
        assert_eq!(shape(0).count(), 0);
        assert_eq!(levels(u64::MAX).count(), 8);
    }

    #[test]
    fn a_path_is_read_as_it_is_written_and_in_no_other_way() {
        for number in [0, 1, 999, 1_000, 1_234_067, u64::MAX / WIDTH] {
            for (level, width) in [(Some(0), 256), (Some(7), 1), (None, 255), (None, 256)] {
                let path = match level {
                    Some(level) => tile_path(level, number, width),
                    None => bundle_path(number, width),
                };
                let read = place(path.strip_prefix("tile/").unwrap());
                assert_eq!(read, Some(Place { level, number, width }), "{path}");
            }
        }
        for wrong in [
            "",
            "0",
            "0/",
            "0/0",
            "0/0000",
            "8/000",
            "-1/000",
            "00/000",
            "0/+00",
            "0/x000/000",
            "0/001/000",
            "0/x001/x000",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/01",
            "0/000/",
            "entries/",
            "entry/000",
            "0/000.p/",
            "0/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_bundle_gives_its_entries_back() {
        let longest = vec![b'x'; MAX_ENTRY];
        let mut bundle = Vec::new();
        for entry in [b"".as_slice(), b"{}", &longest] {
            push_entry(&mut bundle, entry).unwrap();
        }
        assert_eq!(entries(&bundle), Some(vec![b"".as_slice(), b"{}", &longest]));
        assert_eq!(entries(&bundle[..bundle.len() - 1]), None);
        assert_eq!(push_entry(&mut bundle, &[0; MAX_ENTRY + 1]), Err(EntryTooLong(MAX_ENTRY + 1)));
    }
}
