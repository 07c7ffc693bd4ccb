//! The hash of a file, by which two parties know that they speak about the same one.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::domain::{Fault, text_in_json};

/// The SHA-256 of the bytes of a file, in small hexadecimal digits as `sha256sum` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// The hash of these bytes.
    pub fn of(content: &[u8]) -> Self {
        Self(Sha256::digest(content).into())
    }
}

/// Passes on what is written, and hashes it on the way.
pub struct Hashing<W> {
    to: W,
    hasher: Sha256,
}

impl<W: Write> Hashing<W> {
    /// Nothing was written yet.
    pub fn new(to: W) -> Self {
        Self { to, hasher: Sha256::new() }
    }

    /// The hash of all that was written so far.
    pub fn hash(&self) -> ContentHash {
        ContentHash(self.hasher.clone().finalize().into())
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(to, "{byte:02x}"))
    }
}

impl FromStr for ContentHash {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        const WRONG: Fault = Fault("is not a SHA-256: write 64 hexadecimal digits in small letters");
        let value = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(WRONG),
        };
        let (digits, []) = text.as_bytes().as_chunks::<2>() else { return Err(WRONG) };
        if digits.len() != 32 {
            return Err(WRONG);
        }
        let mut hash = [0; 32];
        for (byte, [high, low]) in hash.iter_mut().zip(digits) {
            *byte = value(*high)? << 4 | value(*low)?;
        }
        Ok(Self(hash))
    }
}

text_in_json!(ContentHash);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_of_the_standard() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(ContentHash::of(b"abc").to_string(), abc);
        assert_eq!(abc.parse(), Ok(ContentHash::of(b"abc")));
        for wrong in ["", &abc[1..], &abc.to_uppercase(), &format!("{abc}00")] {
            assert!(wrong.parse::<ContentHash>().is_err(), "{wrong}");
        }
    }
}
