//! Every integration test of the project, in one program.

mod cases;
mod decisions;
mod docs;
mod floors;
mod model;
mod program;
mod program_damage;
mod program_deliver;
mod program_demo;
mod program_kill;
mod program_persons;
mod schemas;
mod store_backup;
mod store_commits;
mod store_damage;
mod store_ledger;
mod store_refusals;
mod store_verify;
mod strategies;
mod world;
