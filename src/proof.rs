//! Proof: bytes in, hashes out.
//!
//! This room knows entries only as bytes. It reads no file, no clock and no random number, so that every number it gives
//! can be computed again by anybody who holds the same bytes. Who checks a proof needs nothing but this room.

pub mod checkpoint;
pub mod consistency;
pub mod content;
pub mod inclusion;
pub mod merkle;
pub mod note;
pub mod tiles;
