//! Every integration test that runs inside one process.

mod busy;
mod cases;
mod decisions;
mod docs;
mod explained;
mod feed;
mod floors;
mod folders;
mod ledger_history;
mod ledger_objections;
mod ledger_senders;
mod ledger_snapshot;
mod model;
mod proof_notes;
mod proof_trees;
mod schemas;
mod store_backup;
mod store_commits;
mod store_damage;
mod store_ledger;
mod store_proofs;
mod store_refusals;
mod store_verify;
mod strategies;
mod witness;
mod world;
