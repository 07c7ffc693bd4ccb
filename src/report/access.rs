//! Tokens for people and for spreadsheets: all but their secrets.

use std::io::{self, Write};

use comfy_table::{ColumnConstraint, Width};
use csv::Writer;
use serde::Serialize;

use super::csv::io_error;
use super::table::plain_table;
use crate::domain::area::Area;
use crate::domain::named;
use crate::domain::time::RecordedAt;
use crate::store::Token;

named! {
    /// What a token is worth at a moment.
    pub enum TokenState {
        /// It lets its holder in.
        Live = "live",
        /// Its time is over.
        Expired = "expired",
        /// It was taken back.
        Revoked = "revoked",
    } else "is not the state of a token"
}

/// The tokens of a ledger at a moment.
#[derive(Debug, Serialize)]
pub struct TokenList {
    tokens: Vec<TokenThen>,
}

/// A token, and what it is worth at a moment.
#[derive(Debug, Serialize)]
struct TokenThen {
    #[serde(flatten)]
    token: Token,
    state: TokenState,
}

impl TokenList {
    /// The tokens as they are at this moment.
    pub fn new(tokens: Vec<Token>, now: RecordedAt) -> Self {
        let then = |token: Token| {
            let state = match token.revoked_at {
                Some(_) => TokenState::Revoked,
                None if token.is_live(now) => TokenState::Live,
                None => TokenState::Expired,
            };
            TokenThen { token, state }
        };
        Self { tokens: tokens.into_iter().map(then).collect() }
    }
}

/// The last day on which a token lets its holder in, or let.
fn until(token: &Token) -> String {
    let last = RecordedAt::from_millis(token.expires_at.millis() - 1).unwrap_or(token.expires_at);
    last.dutch_day().to_string()
}

fn areas(areas: &[Area], between: &str) -> String {
    areas.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}

/// The tokens, a row each.
pub fn tokens(all: &TokenList) -> String {
    if all.tokens.is_empty() {
        return "There are no tokens.\n".to_owned();
    }
    let mut table = plain_table();
    table.set_header(["Name", "Role", "Organisation", "Areas", "Until", "State"]);
    for TokenThen { token, state } in &all.tokens {
        table.add_row([
            token.name.to_string(),
            token.role.to_string(),
            token.oin.map_or_else(|| "-".to_owned(), |oin| oin.to_string()),
            if token.areas.is_empty() { "-".to_owned() } else { areas(&token.areas, " ") },
            until(token),
            state.to_string(),
        ]);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 1));
        // Names and areas share what the others leave.
        column.set_constraint(match index {
            3 => ColumnConstraint::UpperBoundary(Width::Fixed(8)),
            0 => ColumnConstraint::UpperBoundary(Width::Fixed(16)),
            _ => ColumnConstraint::ContentWidth,
        });
    }
    format!("{}\n", table.trim_fmt())
}

/// The tokens, a row each.
///
/// # Errors
/// When they cannot be written.
pub fn tokens_as_csv(all: &TokenList, to: impl Write) -> io::Result<()> {
    let mut rows = Writer::from_writer(to);
    rows.write_record(["name", "role", "oin", "areas", "created_at", "expires_at", "revoked_at", "state"])
        .map_err(io_error)?;
    for TokenThen { token, state } in &all.tokens {
        let or_nothing = |text: Option<String>| text.unwrap_or_default();
        rows.write_record([
            super::csv::text(token.name.as_str()),
            token.role.to_string(),
            or_nothing(token.oin.map(|oin| oin.to_string())),
            areas(&token.areas, " "),
            token.created_at.to_string(),
            token.expires_at.to_string(),
            or_nothing(token.revoked_at.map(|at| at.to_string())),
            state.to_string(),
        ])
        .map_err(io_error)?;
    }
    rows.flush()
}
