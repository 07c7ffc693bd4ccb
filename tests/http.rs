//! Every test of a running server in this process.

mod http_feeding;
mod served;
