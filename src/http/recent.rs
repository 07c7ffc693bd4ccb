//! What was worked out last, for whoever asks the same.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// The last few of something, each by what it was asked with.
pub struct Recent<K, V> {
    most: usize,
    kept: Mutex<VecDeque<(K, Arc<V>)>>,
}

impl<K: PartialEq, V> Recent<K, V> {
    /// Keeps at most so many.
    pub fn new(most: usize) -> Self {
        Self { most, kept: Mutex::default() }
    }

    /// One that is kept.
    pub fn get(&self, key: &K) -> Option<Arc<V>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(known, _)| known == key).map(|(_, it)| Arc::clone(it))
    }

    /// Keeps one in the place of the oldest.
    pub fn keep(&self, key: K, value: V) -> Arc<V> {
        let value = Arc::new(value);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.truncate(self.most - 1);
        kept.push_front((key, Arc::clone(&value)));
        value
    }
}
