//! The frame: consecutive entries with a header, in the journal and in the events alike.
//!
//! `docs/log-format.md` describes it byte by byte. Whatever bytes come in, reading never panics, and never allocates
//! more than the limits below allow, because every length is checked before it is used.

use zstd::bulk::{Compressor, Decompressor};

use super::lines;
use crate::proof::merkle::Hash;

/// The first bytes of every frame.
pub(super) const MAGIC: [u8; 4] = *b"PEIL";
/// The version of the frame that this program writes and reads.
const VERSION: u8 = 1;
/// How long the header is.
pub(super) const HEADER: usize = 64;
/// How much of the header the checksum covers: all that stands before it.
const CHECKED: usize = 60;
/// The most entries in a frame.
pub(super) const MAX_ENTRIES: usize = 512;
/// The most entries that a frame is given. Fewer than it may hold: whoever looks for one entry unpacks its frame, and sled
/// keeps a number of values in memory, whatever their size.
pub(super) const FULL: usize = 128;
/// The most bytes of lines in a frame, unless it holds a single one that is longer.
pub(super) const MAX_RAW: usize = 256 * 1024;
/// The longest line, its newline included. Nothing that the program delivers comes near.
pub(super) const MAX_LINE: usize = 16 * 1024 * 1024;

const CODEC_RAW: u8 = 0;
const CODEC_ZSTD: u8 = 1;
const FLAG_END_OF_COMMIT: u8 = 1;

/// Why bytes are not a frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameFault {
    #[error("the frame is cut short")]
    Short,
    #[error("no frame begins here")]
    Magic,
    #[error("the frame has version {0}, which this program does not know")]
    Version(u8),
    #[error("the frame's header holds an impossible {0}")]
    Header(&'static str),
    #[error("the frame's checksum is wrong")]
    Checksum,
    #[error("the frame's payload {0}")]
    Payload(&'static str),
    #[error("the frame holds other positions than belong here: it begins at {found}, expected {expected}")]
    Position { found: u64, expected: u64 },
    #[error("the frame's root is not the root of the entries up to its end")]
    Root,
    #[error("the last commit is unfinished")]
    Unfinished,
    #[error("the entries from {expected} on are missing: the next that are there begin at {found}")]
    Gap { found: u64, expected: u64 },
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

/// What a frame says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub first: u64,
    pub count: u32,
    pub raw_len: u32,
    pub payload_len: u32,
    /// The root over all entries of the ledger up to and including the last of this frame.
    pub root: Hash,
    pub end_of_commit: bool,
    codec: u8,
}

impl Header {
    /// The position after the last entry: the size of the ledger that `root` belongs to.
    pub fn end(&self) -> u64 {
        self.first + u64::from(self.count)
    }

    /// Header and payload together.
    pub fn frame_len(&self) -> usize {
        HEADER + self.payload_len as usize
    }

    /// Reads a header and checks every limit, so that its lengths can be trusted with an allocation.
    pub fn parse(bytes: &[u8]) -> Result<Self, FrameFault> {
        let bytes: &[u8; HEADER] = bytes.first_chunk().ok_or(FrameFault::Short)?;
        if bytes[..4] != MAGIC {
            return Err(FrameFault::Magic);
        }
        let [version, codec, flags, reserved] = [bytes[4], bytes[5], bytes[6], bytes[7]];
        if version != VERSION {
            return Err(FrameFault::Version(version));
        }
        let header = Self {
            first: u64::from_be_bytes(chunk(bytes, 8)),
            count: u32::from_be_bytes(chunk(bytes, 16)),
            raw_len: u32::from_be_bytes(chunk(bytes, 20)),
            payload_len: u32::from_be_bytes(chunk(bytes, 24)),
            root: Hash(chunk(bytes, 28)),
            end_of_commit: flags & FLAG_END_OF_COMMIT != 0,
            codec,
        };
        let (count, raw, payload) =
            (header.count as usize, header.raw_len as usize, header.payload_len as usize);
        let max_raw = if count == 1 { MAX_LINE } else { MAX_RAW };
        if flags & !FLAG_END_OF_COMMIT != 0 || reserved != 0 {
            Err(FrameFault::Header("flag"))
        } else if count == 0 || count > MAX_ENTRIES {
            Err(FrameFault::Header("number of entries"))
        } else if header.first.checked_add(count as u64).is_none() {
            Err(FrameFault::Header("position"))
        } else if raw < count || raw > max_raw {
            Err(FrameFault::Header("length"))
        } else {
            match codec {
                CODEC_RAW if payload == raw => Ok(header),
                CODEC_ZSTD if payload < raw => Ok(header),
                CODEC_RAW | CODEC_ZSTD => Err(FrameFault::Header("payload length")),
                _ => Err(FrameFault::Header("codec")),
            }
        }
    }
}

/// `N` bytes of the header from `at` on.
fn chunk<const N: usize>(bytes: &[u8; HEADER], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("the header is longer")
}

/// A frame whose header and checksum are right.
#[derive(Clone, Debug)]
pub(super) struct Frame<'a> {
    pub header: Header,
    /// Header and payload as they are stored.
    pub bytes: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The frame at the start of `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FrameFault> {
        let header = Header::parse(bytes)?;
        let bytes = bytes.get(..header.frame_len()).ok_or(FrameFault::Short)?;
        let stored = u32::from_be_bytes(bytes[CHECKED..HEADER].try_into().expect("four bytes"));
        if checksum(&bytes[..CHECKED], &bytes[HEADER..]) != stored {
            return Err(FrameFault::Checksum);
        }
        Ok(Self { header, bytes })
    }

    /// Its lines, each ended by a newline: as many as the header says.
    pub fn raw<'b>(&self, decoder: &'b mut Decoder) -> Result<&'b [u8], FrameFault>
    where
        'a: 'b,
    {
        let payload = &self.bytes[HEADER..];
        let length = self.header.raw_len as usize;
        let raw: &[u8] = if self.header.codec == CODEC_RAW {
            payload
        } else {
            decoder.scratch.clear();
            decoder.scratch.reserve(length);
            decoder
                .zstd
                .decompress_to_buffer(payload, &mut decoder.scratch)
                .map_err(|_| FrameFault::Payload("cannot be decompressed"))?;
            &decoder.scratch
        };
        if raw.len() != length {
            Err(FrameFault::Payload("has another length than the header says"))
        } else if raw.last() != Some(&b'\n') {
            Err(FrameFault::Payload("does not end with a whole line"))
        } else if lines::split(raw).count() != self.header.count as usize {
            Err(FrameFault::Payload("has another number of lines than the header says"))
        } else {
            Ok(raw)
        }
    }
}

fn checksum(header: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(header);
    hasher.update(payload);
    hasher.finalize()
}

/// Decompresses frames one after another in the same memory.
pub(super) struct Decoder {
    zstd: Decompressor<'static>,
    scratch: Vec<u8>,
}

impl Decoder {
    pub fn new() -> Self {
        Self { zstd: Decompressor::new().expect("zstd makes a context"), scratch: Vec::new() }
    }
}

/// Compresses frames one after another in the same memory.
pub(super) struct Encoder {
    zstd: Compressor<'static>,
    scratch: Vec<u8>,
}

/// The entries of a frame that is to be written.
pub(super) struct Content<'a> {
    pub first: u64,
    pub count: usize,
    pub raw: &'a [u8],
    pub root: Hash,
    pub end_of_commit: bool,
}

impl Encoder {
    pub fn new() -> Self {
        Self { zstd: Compressor::new(1).expect("zstd makes a context"), scratch: Vec::new() }
    }

    /// Writes a frame at the end of `out`.
    pub fn encode(&mut self, content: &Content<'_>, out: &mut Vec<u8>) -> Header {
        let raw = content.raw;
        self.scratch.clear();
        self.scratch.reserve(zstd::zstd_safe::compress_bound(raw.len()));
        let compressed = self.zstd.compress_to_buffer(raw, &mut self.scratch);
        let (codec, payload) = match compressed {
            Ok(length) if length < raw.len() => (CODEC_ZSTD, self.scratch.as_slice()),
            // Random bytes do not shrink; a failing compressor costs space, never an entry.
            _ => (CODEC_RAW, raw),
        };
        let header = Header {
            first: content.first,
            count: u32::try_from(content.count).expect("at most 512 entries"),
            raw_len: u32::try_from(raw.len()).expect("at most 16 MiB"),
            payload_len: u32::try_from(payload.len()).expect("not longer than the lines"),
            root: content.root,
            end_of_commit: content.end_of_commit,
            codec,
        };
        let start = out.len();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&[VERSION, codec, u8::from(content.end_of_commit), 0]);
        out.extend_from_slice(&header.first.to_be_bytes());
        out.extend_from_slice(&header.count.to_be_bytes());
        out.extend_from_slice(&header.raw_len.to_be_bytes());
        out.extend_from_slice(&header.payload_len.to_be_bytes());
        out.extend_from_slice(&header.root.0);
        assert_eq!(out.len() - start, CHECKED);
        let sum = checksum(&out[start..], payload);
        out.extend_from_slice(&sum.to_be_bytes());
        out.extend_from_slice(payload);
        // What is written must be readable: the same limits are checked on both sides.
        assert_eq!(Header::parse(&out[start..]).as_ref(), Ok(&header));
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::merkle::leaf_hash;
    use proptest::prelude::*;

    fn encoded(lines: &[&str]) -> Vec<u8> {
        let raw: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let mut out = Vec::new();
        Encoder::new().encode(
            &Content {
                first: 7,
                count: lines.len(),
                raw: raw.as_bytes(),
                root: leaf_hash(b"root"),
                end_of_commit: true,
            },
            &mut out,
        );
        out
    }

    #[test]
    fn the_layout_is_what_the_format_document_says() {
        let bytes = encoded(&["a", "bc"]);
        assert_eq!(bytes[..8], *b"PEIL\x01\x00\x01\x00");
        assert_eq!(bytes[8..16], [0, 0, 0, 0, 0, 0, 0, 7]);
        assert_eq!(bytes[16..28], [0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 5]);
        assert_eq!(bytes[28..60], leaf_hash(b"root").0);
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&bytes[..60]);
        hasher.update(b"a\nbc\n");
        assert_eq!(bytes[60..64], hasher.finalize().to_be_bytes());
        assert_eq!(bytes[64..], *b"a\nbc\n");
    }

    #[test]
    fn a_regular_payload_is_compressed_and_comes_back() {
        let lines = ["{\"event\":\"placement-recorded\",\"persons\":1}"; 200];
        let bytes = encoded(&lines);
        assert!(bytes.len() < 500);
        let frame = Frame::parse(&bytes).unwrap();
        let mut decoder = Decoder::new();
        let raw = frame.raw(&mut decoder).unwrap();
        assert!(lines::split(raw).eq(lines.iter().map(|line| line.as_bytes())));
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_noticed() {
        let bytes = encoded(&["the same words", "the same words", "the same words"]);
        for length in 0..bytes.len() {
            assert!(Frame::parse(&bytes[..length]).is_err(), "cut at {length}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Frame::parse(&flipped).is_err(), "bit {bit} flipped");
        }
    }

    proptest! {
        /// A forged checksum gets past the first guard; the lengths inside must then hold on their own.
        #[test]
        fn forged_frames_never_panic_nor_grow(
            mut bytes in prop::collection::vec(any::<u8>(), 64..300),
            count in 0u32..4, raw_len in 0u32..400, codec in 0u8..3,
        ) {
            let payload_len = (bytes.len() - HEADER) as u32;
            bytes[..8].copy_from_slice(&[b'P', b'E', b'I', b'L', 1, codec, 0, 0]);
            bytes[16..20].copy_from_slice(&count.to_be_bytes());
            bytes[20..24].copy_from_slice(&raw_len.to_be_bytes());
            bytes[24..28].copy_from_slice(&payload_len.to_be_bytes());
            let sum = checksum(&bytes[..CHECKED], &bytes[HEADER..]);
            bytes[CHECKED..HEADER].copy_from_slice(&sum.to_be_bytes());
            if let Ok(frame) = Frame::parse(&bytes) {
                let mut decoder = Decoder::new();
                if let Ok(raw) = frame.raw(&mut decoder) {
                    prop_assert_eq!(raw.len(), raw_len as usize);
                }
            }
        }
    }
}
