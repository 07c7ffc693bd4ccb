//! A witness: a program of somebody else, written from the specification alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest, Sha256};

/// Its name and its key.
pub struct Witness {
    pub name: String,
    key: SigningKey,
}

impl Witness {
    pub fn new(name: &str) -> Self {
        let seed = Sha256::digest(name).into();
        Self { name: name.to_owned(), key: SigningKey::from_bytes(&seed) }
    }

    fn typed_key(&self) -> Vec<u8> {
        [&[0x04], &self.key.verifying_key().to_bytes()[..]].concat()
    }

    fn id(&self) -> [u8; 4] {
        let hash = Sha256::digest([self.name.as_bytes(), b"\n", &self.typed_key()].concat());
        hash[..4].try_into().unwrap()
    }

    /// The key that it publishes.
    pub fn verifier(&self) -> String {
        let id = u32::from_be_bytes(self.id());
        format!("{}+{id:08x}+{}", self.name, STANDARD.encode(self.typed_key()))
    }

    /// The line of its cosignature for the text of a checkpoint.
    pub fn cosign(&self, text: &str, at: u64) -> String {
        let message = format!("cosignature/v1\ntime {at}\n{text}");
        let signature = self.key.sign(message.as_bytes()).to_bytes();
        let bytes = [&self.id()[..], &at.to_be_bytes(), &signature].concat();
        format!("— {} {}\n", self.name, STANDARD.encode(bytes))
    }
}
