//! The roots of earlier sizes that were asked for last: each takes a block of the log to be read, and none ever changes.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::proof::merkle::Hash;

/// How many are kept.
const KEPT: usize = 64;

/// Roots by size, the one that was found last first.
#[derive(Default)]
pub struct Roots(Mutex<VecDeque<(u64, Hash)>>);

impl Roots {
    /// The root at a size: one that is kept, or the one that is found now.
    ///
    /// # Errors
    /// When it is not kept and cannot be found.
    pub fn at<E>(&self, size: u64, find: impl FnOnce() -> Result<Hash, E>) -> Result<Hash, E> {
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, root)) = kept().iter().find(|(known, _)| *known == size) {
            return Ok(*root);
        }
        // Others are not held up while it is found; two who look for the same both find it.
        let root = find()?;
        let mut kept = kept();
        kept.truncate(KEPT - 1);
        kept.push_front((size, root));
        Ok(root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_found_once_while_it_is_kept() {
        let roots = Roots::default();
        let find = |size: u64| roots.at(size, || Ok::<_, ()>(Hash([size as u8; 32])));
        for size in 0..KEPT as u64 {
            assert_eq!(find(size), Ok(Hash([size as u8; 32])));
        }
        let again = |size| roots.at(size, || Err("it is looked for"));
        assert_eq!(again(0), Ok(Hash([0; 32])));
        find(KEPT as u64).unwrap();
        assert_eq!(again(0), Err("it is looked for"));
        assert_eq!(again(1), Ok(Hash([1; 32])));
    }
}
