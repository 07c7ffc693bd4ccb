//! `peildatum token`.

use std::io::{self, Write};
use std::path::Path;

use clap::{Args, Subcommand};

use super::{Failure, Format};
use crate::domain::access::{Caller, CallerName, Oin, Role};
use crate::domain::area::Area;
use crate::domain::time::{Day, RecordedAt};
use crate::ledger::Outside;
use crate::report::access::{TokenList, tokens, tokens_as_csv};
use crate::report::table::wrapped;
use crate::store::{self, Secret, TokenError};

/// How many months a token is valid at most, unless told.
const MONTHS: u32 = 12;

/// Tokens with which people and systems call a running server, each for what its role allows.
///
/// A running server knows a new token, and no longer knows a revoked one, from the next request on.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum token create tracking --role feeder \\
    --oin 00000001234567890000 --until 2027-06-30
  peildatum token create utrecht --role municipality --area GM0344 \\
    --oin 00000001234567890001 --until 2027-06-30
  peildatum token list
  peildatum token revoke tracking")]
pub struct Token {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Make a token. Its secret goes to standard output, once; only its hash is kept.
    Create(Create),
    /// Show all tokens that were ever made, without their secrets.
    List {
        /// How the answer is written.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Let nobody in with a token any more.
    Revoke {
        /// The name that it was given.
        name: String,
    },
}

#[derive(Args)]
struct Create {
    /// Its name: 1 to 40 small letters, digits, dots, hyphens and underscores.
    ///
    /// Its holder delivers as urn:nld:oin:OIN:systeem:NAME.
    name: String,
    /// What its holder is there for: feeder, decision_maker, province, municipality, reader, auditor
    /// or operator.
    #[arg(long)]
    role: String,
    /// The number of the organisation (OIN), 20 digits. Whoever delivers has one.
    #[arg(long)]
    oin: Option<String>,
    /// An area that its holder answers for: provinces for a province, municipalities for a
    /// municipality. May be given more than once.
    #[arg(long, value_name = "AREA")]
    area: Vec<String>,
    /// The last day on which it lets anybody in.
    #[arg(long, value_name = "DATE")]
    until: String,
    /// Allow a token for more than a year.
    #[arg(long)]
    longer: bool,
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::NameInUse(_) | TokenError::NoSuchToken(_) | TokenError::Expired => {
                Self::Refused(error.to_string())
            }
            TokenError::Store(error) => error.into(),
        }
    }
}

impl Token {
    /// Does what was asked.
    pub fn run(self, dir: &Path) -> Result<(), Failure> {
        let now = (Outside::machine().clock)();
        match self.command {
            TokenCommand::Create(create) => create.run(dir, now),
            TokenCommand::List { format } => {
                let all = TokenList::new(store::list_tokens(dir)?, now);
                super::print(format, &all, tokens, |all, to| tokens_as_csv(all, to))
            }
            TokenCommand::Revoke { name } => {
                let name: CallerName = read("NAME", &name)?;
                let token = store::revoke_token(dir, &name, now)?;
                writeln!(io::stdout(), "{} lets nobody in from now on", token.name)?;
                Ok(())
            }
        }
    }
}

/// Reads an argument. What was typed is not repeated: it may be a secret, or the number of a person, by mistake.
fn read<T: std::str::FromStr<Err = crate::domain::Fault>>(argument: &str, text: &str) -> Result<T, Failure> {
    text.parse().map_err(|fault| Failure::WrongUse(format!("what was given as {argument} {fault}")))
}

impl Create {
    fn run(self, dir: &Path, now: RecordedAt) -> Result<(), Failure> {
        let role: Role = read("--role", &self.role)?;
        let oin: Option<Oin> = self.oin.map(|oin| read("--oin", &oin)).transpose()?;
        let areas = self.area.iter().map(|area| read("--area", area)).collect::<Result<Vec<Area>, _>>()?;
        let caller = Caller::new(read("NAME", &self.name)?, role, oin, areas)
            .map_err(|fault| Failure::WrongUse(format!("the token {fault}")))?;
        let until: Day = read("--until", &self.until)?;
        let today = now.dutch_day();
        if until < today {
            return Err(Failure::WrongUse(
                "what was given as --until is over: write a day to come".to_owned(),
            ));
        }
        let latest = today.plus_months(MONTHS);
        if until > latest && !self.longer {
            return Err(Failure::WrongUse(format!(
                "a token is for a year at most, so until {latest}; to allow more, add --longer"
            )));
        }
        let secret = draw()?;
        let expires_at = RecordedAt::start_of(until.plus_days(1));
        let token = store::create_token(dir, &caller, &secret, now, expires_at)?;
        // The secret alone on standard output, so that it can go into a file or a pipe.
        writeln!(io::stdout(), "{}", secret.reveal())?;
        let said = format!(
            "{} lets its holder in as {} until {until}. Its secret is on standard output and is shown this once: give it to its holder in a way \
             that nobody else can read.",
            token.name, token.role
        );
        let _ = io::stderr().write_all(wrapped(&said).as_bytes());
        Ok(())
    }
}

/// A secret out of the random numbers of the operating system.
fn draw() -> Result<Secret, Failure> {
    loop {
        let mut random = [0; 32];
        getrandom::fill(&mut random)
            .map_err(|error| Failure::Broken(format!("there are no random numbers: {error}")))?;
        if let Some(secret) = Secret::of(random) {
            return Ok(secret);
        }
    }
}
