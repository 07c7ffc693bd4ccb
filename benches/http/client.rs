//! Stub.
pub fn run() {}
