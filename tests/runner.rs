//! Every integration test of the project, in one program.

mod docs;
mod schemas;
mod store_backup;
mod store_commits;
mod store_damage;
mod store_ledger;
mod store_refusals;
mod store_verify;
mod strategies;
