//! Every test of a running server in this process.

mod feeders;
mod http_access;
mod http_document;
mod http_feeding;
mod http_figures;
mod http_log;
mod http_persons;
mod http_rules;
mod served;
