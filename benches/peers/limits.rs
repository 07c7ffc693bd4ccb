//! What this machine can do at most, so that the other figures can be held against it.

use std::fs::File;
use std::hint::black_box;
use std::io::{self, Seek, Write};
use std::path::Path;
use std::time::Instant;

use sha2::{Digest, Sha256};

use crate::measured::Times;

/// The limits of one machine.
pub struct Limits {
    /// Bytes that one core reads from memory, a second.
    pub memory: f64,
    /// Bytes that one core hashes, a second.
    pub sha256: f64,
    /// How long it takes until 4 KB at the end of a file are on disk.
    pub append: Times,
    /// The same in place of others.
    pub overwrite: Times,
}

impl Limits {
    /// Measures them. `bytes` is the size of the array that is summed: far more than the caches hold.
    pub fn measure(dir: &Path, bytes: usize) -> io::Result<Self> {
        Ok(Self {
            memory: memory(bytes),
            sha256: sha256(bytes / 8),
            append: sync(dir, false)?,
            overwrite: sync(dir, true)?,
        })
    }
}

fn memory(bytes: usize) -> f64 {
    let numbers: Vec<u64> = (0..bytes as u64 / 8).collect();
    // Several times, and the best: the first pass also waits for the operating system to hand out the pages.
    let pass = |_| {
        let begun = Instant::now();
        black_box(black_box(&numbers).iter().fold(0_u64, |sum, it| sum.wrapping_add(*it)));
        bytes as f64 / begun.elapsed().as_secs_f64()
    };
    (0..3).map(pass).fold(0.0, f64::max)
}

fn sha256(bytes: usize) -> f64 {
    // Blocks of the length of an entry would measure the finishing as well; that is in `benches/small.rs`.
    let block = vec![7_u8; bytes.max(1 << 20)];
    let begun = Instant::now();
    black_box(Sha256::digest(black_box(&block)));
    block.len() as f64 / begun.elapsed().as_secs_f64()
}

/// Writes pages one after another, each on disk before the next. Where they are `there` already the file does not
/// grow, and the file system has less to write down.
fn sync(dir: &Path, there: bool) -> io::Result<Times> {
    const TIMES: usize = 200;
    let mut file = File::create(dir.join("synced"))?;
    let page = [7_u8; 4_096];
    if there {
        file.write_all(&page.repeat(TIMES))?;
        file.sync_all()?;
        file.rewind()?;
    }
    let times = (0..TIMES).map(|_| {
        let begun = Instant::now();
        file.write_all(&page)?;
        file.sync_data()?;
        Ok(begun.elapsed())
    });
    Ok(Times::of(times.collect::<io::Result<_>>()?))
}
