//! Tokens without their secrets, and what was done with them, for people and for spreadsheets.

use std::io::{self, Write};

use comfy_table::{ColumnConstraint, Width};
use csv::Writer;
use serde::Serialize;

use super::csv::io_error;
use super::table::{WIDTH, plain_table, wrapped_to};
use crate::domain::area::Area;
use crate::domain::named;
use crate::domain::time::RecordedAt;
use crate::store::{AuditLine, Token};

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

/// How far the lines of a decision are set in below its first one.
const INDENT: &str = "    ";

/// A decision in some lines of at most 80 columns: when, how it ended and what was to be done; to what; by whom.
pub fn decision(line: &AuditLine) -> String {
    let status = line.status.map(|status| status.to_string());
    let why: Vec<&str> = [status.as_deref(), line.code.as_deref()].into_iter().flatten().collect();
    let code = if why.is_empty() { String::new() } else { format!(" ({})", why.join(" ")) };
    let mut text = format!("{}  {:<7}  {}{code}\n", line.time, line.result.name(), line.action);
    let actor = line.actor.as_deref().unwrap_or("somebody unknown");
    let role = line.role.map_or_else(String::new, |role| format!(", {role}"));
    let origin = line.origin.as_ref().map_or_else(String::new, |origin| format!(", from {origin}"));
    let width = usize::from(WIDTH) - INDENT.len();
    for said in [line.object.clone(), format!("by {actor}{role}{origin}")] {
        for part in wrapped_to(&said, width).lines() {
            // A path has no spaces at which it could be broken.
            let signs: Vec<char> = part.chars().collect();
            for piece in signs.chunks(width) {
                text += &format!("{INDENT}{}\n", String::from_iter(piece));
            }
        }
    }
    text
}

/// Decisions as rows, one after another.
pub struct AuditRows<W: Write>(Writer<W>);

impl<W: Write> AuditRows<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(to: W) -> io::Result<Self> {
        let mut rows = Writer::from_writer(to);
        rows.write_record([
            "number", "time", "actor", "role", "origin", "action", "object", "result", "status", "code",
            "before",
        ])
        .map_err(io_error)?;
        Ok(Self(rows))
    }

    /// Writes a decision.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, line: &AuditLine) -> io::Result<()> {
        let text = |text: Option<&str>| super::csv::text(text.unwrap_or_default());
        let cells = [
            line.number.to_string(),
            line.time.to_string(),
            text(line.actor.as_deref()),
            line.role.map_or_else(String::new, |role| role.to_string()),
            text(line.origin.as_deref()),
            text(Some(&line.action)),
            text(Some(&line.object)),
            line.result.to_string(),
            line.status.map_or_else(String::new, |status| status.to_string()),
            text(line.code.as_deref()),
            // As it stands there: a hash that begins with a plus is no formula.
            line.before.clone(),
        ];
        self.0.write_record(cells).map_err(io_error)
    }

    /// Writes what is still to be written.
    ///
    /// # Errors
    /// When it cannot be.
    pub fn end(mut self) -> io::Result<()> {
        self.0.flush()
    }
}
