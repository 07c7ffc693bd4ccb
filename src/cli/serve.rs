//! `peildatum serve`.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use tracing::Level;

use super::Failure;
use super::signing::Signing;
use crate::http::access::Access as LetIn;
use crate::http::{self, Contact, Server, Settings};
use crate::ledger::{Outside, now};
use crate::store::{Access, Trail};

/// Serve the ledger by HTTP: organisations deliver, each for what it may, and figures are read back.
///
/// It answers on this machine only, until told that a proxy in front ends TLS. It stops on SIGTERM and
/// Ctrl-C, with everything that was acknowledged on disk.
#[derive(Args)]
#[command(after_help = "Examples:
  peildatum serve
  peildatum serve --address 127.0.0.1:9000 --log json
  peildatum serve --address 0.0.0.0:8080 --behind-proxy --issuers issuers.json

Who may what: `peildatum token create --help`, and docs/access.md.")]
pub struct Serve {
    /// Where it answers; port 0 takes one that is free.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    address: SocketAddr,
    /// A proxy in front ends TLS, and gives the caller's address in `X-Forwarded-For`.
    ///
    /// Without it only this machine is answered: a token would go readable over the wire.
    #[arg(long)]
    behind_proxy: bool,
    /// The issuers whose JWTs are accepted (docs/access.md).
    #[arg(long, value_name = "FILE")]
    issuers: Option<PathBuf>,
    /// How the log on standard error is written.
    #[arg(long, value_enum, default_value_t = Log::Text)]
    log: Log,
    /// How much is logged.
    #[arg(long, value_name = "error|warn|info|debug", default_value = "info")]
    log_level: Level,
    /// Who answers for the API, as `/v1/openapi.json` names them.
    #[arg(long, default_value = "Peildatum", value_name = "NAME")]
    contact_name: String,
    /// Where to write to them.
    #[arg(long, default_value = "peildatum@example.org", value_name = "ADDRESS")]
    contact_email: String,
    /// Where to look.
    #[arg(long, default_value = "https://example.org/peildatum", value_name = "URL")]
    contact_url: String,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Clone, Copy, ValueEnum)]
enum Log {
    /// A line each, for people.
    Text,
    /// A JSON object each, for programs.
    Json,
}

impl Serve {
    /// Serves until it is asked to stop.
    pub fn run(self, dir: &Path) -> Result<(), Failure> {
        if !self.address.ip().is_loopback() && !self.behind_proxy {
            return Err(Failure::WrongUse(format!(
                "{} is reached from other machines, and this server speaks plain HTTP: put a proxy in front that ends TLS \
                 and say --behind-proxy, or answer at 127.0.0.1",
                self.address
            )));
        }
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(self.log_level)
            .with_target(false)
            .with_writer(io::stderr);
        let installed = match self.log {
            Log::Text => tracing::subscriber::set_global_default(subscriber.with_ansi(false).finish()),
            Log::Json => tracing::subscriber::set_global_default(subscriber.json().finish()),
        };
        installed.expect("a process has one log");
        // What broke is told by where, never by what was said: that may repeat what was sent.
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(place, "something broke");
        }));
        let ledger = super::open(dir, Access::MustExist, Outside::machine())?;
        let access = LetIn::open(dir, self.issuers.as_deref(), now())
            .map_err(|error| Failure::Broken(error.to_string()))?;
        let trail = Trail::start(dir, now())?;
        let key = self.signing.at_hand(&ledger)?;
        let contact = Contact { name: self.contact_name, email: self.contact_email, url: self.contact_url };
        let settings = Settings { behind_proxy: self.behind_proxy, key, contact, ..Settings::default() };
        let (server, notes) = Server::new(dir, ledger, access, trail, settings)?;
        for note in notes {
            tracing::warn!("{note}");
        }
        let served = http::serve(server, self.address).map_err(|error| {
            Failure::Broken(format!("cannot answer at {}: {error}; give another --address", self.address))
        })?;
        // For whoever started it with port 0, and for scripts that wait until it is there.
        let mut to = io::stdout().lock();
        writeln!(to, "http://{}", served.address)?;
        to.flush()?;
        drop(to);
        tracing::info!(address = %served.address, "it serves");
        let broke = served.wait();
        tracing::info!("it stops");
        served.stop()?;
        match broke {
            true => Err(Failure::Broken(
                "nothing could be recorded any more, so it stopped; what was acknowledged is on disk. Read the log above, mend \
                 that, and start it again"
                    .to_owned(),
            )),
            false => Ok(()),
        }
    }
}
