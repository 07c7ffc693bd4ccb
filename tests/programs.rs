//! Every test that runs the whole program, and only those.

// Shared with the tests of servers in one process, which use all of them.
#[allow(dead_code)]
mod feeders;
mod folders;
mod program;
mod program_access;
mod program_audit;
mod program_damage;
mod program_deliver;
mod program_demo;
mod program_dossier;
mod program_forecast;
mod program_kill;
mod program_measured;
mod program_numbers;
mod program_persons;
mod program_picture;
mod program_proof;
mod program_quota;
mod program_reconcile;
mod program_regime;
mod program_remote;
mod program_replay;
mod program_schemas;
mod program_serve;
mod program_weeks;
#[allow(dead_code)]
mod served;
mod witness;
