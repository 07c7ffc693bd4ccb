//! Statements and entries out: tables for people, CSV for programs. JSON is what serde makes of them.

pub mod access;

pub mod audit;

pub mod care;

pub mod chart;

pub mod csv;

pub mod deadlines;

pub mod dossier;

pub mod forecast;

pub mod number;

pub mod public;

pub mod quota;

pub mod replay;

pub mod restatements;

pub mod schemas;

pub mod table;

pub mod reconciliation;

pub mod weeks;
