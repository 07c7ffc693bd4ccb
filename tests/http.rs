//! Every test of a running server in this process.

mod feeders;
mod http_access;
mod http_feeding;
mod http_persons;
mod served;
