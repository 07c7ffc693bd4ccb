//! Peildatum: an append-only ledger of housing realisations.

pub mod domain;
