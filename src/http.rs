//! The HTTP API: organisations deliver, each for what it may, and figures are read back.
//!
//! Every request goes through the gate: it looks for numbers of persons, finds out who calls, holds that against the
//! roles that the OpenAPI document names, and notes what was decided. Behind it stands one file for each resource.

pub mod access;
mod answering;
mod asked;
mod checkpoints;
mod delivering;
mod entries;
mod explanations;
mod following;
mod gate;
mod health;
mod impatient;
pub mod jwt;
mod measured;
mod municipalities;
mod openapi;
mod problem;
mod proofs;
mod quarantine;
mod questions;
mod receipts;
mod recent;
mod restatements;
mod scenarios;
mod schemas;
mod serving;
mod sources;
mod statements;
mod tiles;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use axum::Router;
use axum::http::Method;
use tokio::sync::{Semaphore, watch};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use serving::{Served, serve};

use crate::domain::access::Role;
use crate::domain::person_number::without_person_numbers;
use crate::domain::time::AsOf;
use crate::feed::acknowledged::Acknowledged;
use crate::feed::intake::{Desk, Intake, Watching};
use crate::ledger::{Ledger, LedgerError};
use crate::proof::note::{SignerKey, without_secret_keys};
use crate::report::public::PublicTable;
use crate::store::links::LinksError;
use crate::store::{Note, Trail, without_secrets};
use access::Access;
use checkpoints::Signed;
use measured::Measured;
pub use openapi::Contact;
use recent::Recent;

/// The version of the API, in every answer.
pub const VERSION: &str = "1.0.0";

/// How much and how long.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body: usize,
    /// The most rows of a delivery.
    pub rows: usize,
    /// How long a body may take to come, an answer to begin, and a caller to take nothing of it.
    pub within: Duration,
    /// How long the headers of a request may take to come, and a connection may be silent.
    pub headers_within: Duration,
    /// The most connections at a time.
    pub connections: usize,
    /// The most bytes of bodies that are held at a time.
    pub bodies: usize,
    /// The most questions at a time that go through the log.
    pub searches: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 8 << 20,
            rows: 5_000,
            within: Duration::from_secs(30),
            headers_within: Duration::from_secs(10),
            connections: 1_024,
            bodies: 128 << 20,
            searches: 8,
        }
    }
}

/// What a server is started with.
#[derive(Default)]
pub struct Settings {
    /// How much and how long.
    pub limits: Limits,
    /// Whether a proxy stands in front: then the caller's address is the last one in `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// Whether there is a route that breaks, to try what follows.
    pub trial: bool,
    /// The secret key with which checkpoints are signed, where there is one.
    pub key: Option<SignerKey>,
    /// Who answers for the API, as its document names them.
    pub contact: Contact,
}

/// A server, shared by everything that answers.
pub struct Server {
    ledger: Arc<RwLock<Ledger>>,
    intake: Intake,
    access: Access,
    trail: Trail,
    measured: Arc<Measured>,
    /// The size of the log, whenever it grew.
    head: watch::Sender<u64>,
    searches: Arc<Semaphore>,
    /// Whether the server is stopping: whoever waits for something new then ends.
    stopping: watch::Sender<bool>,
    /// How many kilobytes of bodies are held at a time.
    bodies: Semaphore,
    key: Option<SignerKey>,
    signed: Mutex<Signed>,
    /// What everybody may see by kind, at the last few moments that were asked for.
    public_tables: Recent<(AsOf, bool), PublicTable>,
    settings: Settings,
    /// The roles that each operation asks for. None: everybody may.
    roles: HashMap<(Method, String), Vec<Role>>,
    openapi: String,
}

/// Tells the measurements, and whoever waits for new entries.
struct Told {
    measured: Arc<Measured>,
    head: watch::Sender<u64>,
}

impl Watching for Told {
    fn appended(&self, entries: u64, seconds: f64) {
        self.measured.appended(entries, seconds);
    }

    fn acknowledged(&self, receipt: &Acknowledged) {
        self.head.send_if_modified(|head| {
            let grown = receipt.checkpoint.size > *head;
            *head = receipt.checkpoint.size.max(*head);
            grown
        });
        self.measured.acknowledged(receipt);
    }

    fn broken(&self, why: &str) {
        self.measured.broken(why);
    }
}

impl Server {
    /// A server over an open ledger, with what lies beside it in its folder.
    ///
    /// # Errors
    /// When what lies beside the log is damaged.
    pub fn new(
        dir: &Path,
        ledger: Ledger,
        access: Access,
        trail: Trail,
        mut settings: Settings,
    ) -> Result<(Arc<Self>, Vec<Note>), LinksError> {
        let (desk, notes) = Desk::open(dir)?;
        let measured = Arc::new(Measured::default());
        measured.seen(&desk.sources(None));
        let (head, _) = watch::channel(ledger.size().0);
        let key = settings.key.take();
        let ledger = Arc::new(RwLock::new(ledger));
        let told = Told { measured: Arc::clone(&measured), head: head.clone() };
        let intake = Intake::start(Arc::clone(&ledger), desk, Arc::new(told));
        let (_, document) = routes().split_for_parts();
        let roles = openapi::roles(&document);
        let bodies = Semaphore::new(settings.limits.bodies / 1_024);
        let openapi = openapi::document(document, &settings.contact);
        let server = Self {
            ledger,
            intake,
            access,
            trail,
            measured,
            head,
            searches: Arc::new(Semaphore::new(settings.limits.searches)),
            stopping: watch::channel(false).0,
            bodies,
            key,
            signed: Mutex::default(),
            public_tables: Recent::new(8),
            settings,
            roles,
            openapi,
        };
        Ok((Arc::new(server), notes))
    }

    /// The ledger, to be read.
    fn ledger(&self) -> RwLockReadGuard<'_, Ledger> {
        self.ledger.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something breaks after which nothing is recorded any more.
    async fn until_broken(&self) {
        let mut broken = self.measured.breaking();
        let _ = broken.wait_for(|broken| *broken).await;
    }

    /// Everything that is answered, with the gate in front.
    pub fn router(self: &Arc<Self>) -> Router {
        let (router, _) = routes().split_for_parts();
        let router = if self.settings.trial { router.merge(health::trial()) } else { router };
        router
            .fallback(gate::nothing_here)
            .method_not_allowed_fallback(gate::other_method)
            // Inside the gate, so that its answer has the headers of all others and is noted like them.
            .layer(CatchPanicLayer::custom(gate::broken))
            .layer(axum::middleware::from_fn_with_state(Arc::clone(self), gate::pass))
            .with_state(Arc::clone(self))
    }

    /// Takes nothing more, waits until what was taken is durable and answered, and closes the ledger.
    ///
    /// # Errors
    /// When the operating system refuses. No entry is lost by that.
    pub fn stop(self: Arc<Self>) -> Result<(), LedgerError> {
        self.intake.stop();
        self.trail.close()?;
        // Whoever still reads keeps the ledger open until it is done; the lock goes with the process.
        match Arc::into_inner(self).and_then(|server| Arc::into_inner(server.ledger)) {
            Some(ledger) => ledger.into_inner().unwrap_or_else(PoisonError::into_inner).close(),
            None => Ok(()),
        }
    }
}

/// Every operation. The document and the router are made of the same list.
fn routes() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::with_openapi(openapi::frame())
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
        .routes(routes!(openapi::given))
        .routes(routes!(delivering::event))
        .routes(routes!(delivering::delivery, receipts::list))
        .routes(routes!(receipts::one))
        .routes(routes!(quarantine::list))
        .routes(routes!(quarantine::one, quarantine::mend, quarantine::withdraw))
        .routes(routes!(sources::list))
        .routes(routes!(statements::one))
        .routes(routes!(statements::list))
        .routes(routes!(explanations::one))
        .routes(routes!(restatements::one))
        .routes(routes!(scenarios::replay))
        .routes(routes!(entries::list))
        .routes(routes!(following::stream))
        .routes(routes!(entries::one))
        .routes(routes!(checkpoints::latest))
        .routes(routes!(checkpoints::at))
        .routes(routes!(proofs::inclusion))
        .routes(routes!(proofs::consistency))
        .routes(routes!(checkpoints::of_log))
        .routes(routes!(tiles::tile))
        .routes(routes!(schemas::list))
        .routes(routes!(schemas::one))
        .routes(routes!(municipalities::list))
}

/// What is said or written down, without what must be repeated nowhere.
fn shown(said: &str) -> String {
    without_person_numbers(&without_secrets(&without_secret_keys(said)))
}
