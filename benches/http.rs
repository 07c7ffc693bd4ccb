//! The HTTP API on the loopback: how many events it takes and how many questions it answers, with the answers checked.
//!
//! The server has its own threads and the client one; both share the cores. Everything is durable before it is answered.

mod generated;

#[path = "http/client.rs"]
mod client;

fn main() {
    client::run();
}
