//! Peildatum: an append-only ledger of housing realisations.
//!
//! *Peildatum* is Dutch for reference date. For a municipality, a province or the Netherlands the
//! ledger answers: on this reference date, as known at that moment, how many permit holders were
//! due, how many were housed, what is the backlog, and which entries made it so.
//!
//! The rooms below stand on floors; imports point down only. `docs/ARCHITECTURE.md` is the tour.

pub mod book;
pub mod cli;
pub mod decide;
pub mod demo;
pub mod domain;
pub mod feed;
pub mod http;
pub mod ledger;
pub mod proof;
pub mod report;
pub mod store;
