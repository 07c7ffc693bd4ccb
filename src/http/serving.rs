//! Serving: connections in, and a clean end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use super::impatient::Impatient;
use super::{Limits, Server};
use crate::ledger::LedgerError;

/// How much of a request is read before it is understood, and how many headers. What is larger than the gate lets through and
/// smaller than this gets an answer that says so; what is larger still, and what is no HTTP, gets a status alone, without the headers
/// of other answers and not noted.
const BUFFER: usize = 128 << 10;
const HEADER_COUNT: usize = 200;
/// How long requests that are under way may take when the server stops.
const LAST_REQUESTS: Duration = Duration::from_secs(20);

/// A server that answers.
pub struct Served {
    /// Where it answers.
    pub address: SocketAddr,
    runtime: tokio::runtime::Runtime,
    task: tokio::task::JoinHandle<()>,
    server: Arc<Server>,
}

/// Begins to serve at an address.
///
/// # Errors
/// When nothing can listen there.
pub fn serve(server: Arc<Server>, address: SocketAddr) -> io::Result<Served> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("http").build()?;
    let listener = runtime.block_on(TcpListener::bind(address))?;
    let address = listener.local_addr()?;
    let task = runtime.spawn(accept(listener, Arc::clone(&server)));
    Ok(Served { address, runtime, task, server })
}

impl Served {
    /// Waits until somebody asks the process to stop, or nothing can be recorded any more. Gives whether it broke.
    pub fn wait(&self) -> bool {
        let server = Arc::clone(&self.server);
        self.runtime.block_on(async move {
            tokio::select! {
                () = asked_to_stop() => false,
                () = server.until_broken() => true,
            }
        })
    }

    /// Answers what is under way, makes what was acknowledged durable, and closes the ledger.
    ///
    /// # Errors
    /// As [`Server::stop`].
    pub fn stop(self) -> Result<(), LedgerError> {
        let Self { runtime, task, server, .. } = self;
        server.stopping.send_replace(true);
        // Requests that are under way are answered; live feeds end.
        let _ = runtime.block_on(async { tokio::time::timeout(LAST_REQUESTS, task).await });
        runtime.shutdown_timeout(Duration::from_secs(5));
        server.stop()
    }
}

#[cfg(unix)]
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

#[cfg(not(unix))]
async fn asked_to_stop() {
    let _ = tokio::signal::ctrl_c().await;
}

/// Takes connections until the server stops, and then waits for those that are open.
async fn accept(listener: TcpListener, server: Arc<Server>) {
    let mut stopped = server.stopping.subscribe();
    let Limits { connections, headers_within, within, .. } = server.settings.limits;
    let room = Arc::new(Semaphore::new(connections));
    let open = Arc::new(AtomicUsize::new(0));
    let router = server.router();
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(headers_within)
        .max_headers(HEADER_COUNT)
        .max_buf_size(BUFFER);
    loop {
        // Who comes when there is no room waits in the queue of the operating system.
        let place = tokio::select! {
            place = Arc::clone(&room).acquire_owned() => place.expect("it is never closed"),
            _ = stopped.changed() => break,
        };
        let (stream, peer) = tokio::select! {
            taken = listener.accept() => match taken {
                Ok(taken) => taken,
                Err(error) => {
                    // Too many files are open, or the caller has gone: that passes.
                    tracing::warn!(%error, "a connection was not taken");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            _ = stopped.changed() => break,
        };
        let connection = graceful.watch(http.serve_connection(io_of(stream, within), service(&router, peer)));
        let (open, server) = (Arc::clone(&open), Arc::clone(&server));
        tokio::spawn(async move {
            server.measured.connections(open.fetch_add(1, Ordering::Relaxed) + 1);
            if let Err(error) = connection.await {
                tracing::debug!(error = %super::shown(&error.to_string()), "a connection broke off");
            }
            server.measured.connections(open.fetch_sub(1, Ordering::Relaxed) - 1);
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

fn io_of(stream: TcpStream, within: Duration) -> TokioIo<Impatient<TcpStream>> {
    // Answers are small and whoever asked waits for them.
    let _ = stream.set_nodelay(true);
    TokioIo::new(Impatient::new(stream, within))
}

fn service(
    router: &Router,
    peer: SocketAddr,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send,
> + use<> {
    let router = router.clone();
    hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    })
}
