//! Entries as they come: Server-Sent Events from a position on, none left out and none twice.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use futures_util::stream;
use tokio::sync::watch;

use super::Server;
use super::answering::whole;
use super::asked::{self, Query};
use super::entries::{PAGE, never, page};
use super::gate;
use super::problem::{Answered, AskedWrongly};

/// After how long without an entry something is said all the same, so that whatever stands in between keeps the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The entries as they come.
///
/// Server-Sent Events: the `id` of each is the position of the entry, its `data` the stored line. It begins at `from`, or behind
/// the event that `Last-Event-ID` names, so that whoever lost the connection misses nothing; browsers do that by themselves.
/// Between events there are comments. It ends when the server stops and when the token is no longer valid.
#[utoipa::path(
    get,
    path = "/v1/entries/stream",
    operation_id = "followEntries",
    tag = "Log",
    params(
        ("from" = Option<u64>, Query, description = "The position of the first entry; without it 0."),
        ("Last-Event-ID" = Option<u64>, Header, description = "The position of the last entry that came; it goes before `from`."),
    ),
    responses((status = 200, description = "The entries, for as long as the connection stands.", body = ref("#/components/schemas/text"), content_type = "text/event-stream")),
    security(("token" = ["auditor"])),
)]
pub async fn stream(State(server): State<Arc<Server>>, uri: Uri, headers: HeaderMap) -> Answered {
    let mut query = Query::of(&uri);
    let from: u64 = query.get("from", "give the position of an entry, from 0").unwrap_or(0);
    let last = headers.get("last-event-id").map(|it| asked::number(it.to_str().ok()?, "").ok());
    if last == Some(None) {
        let problem = "is not the position of an entry";
        let remedy = "give the `id` of the last event that came, or leave it out";
        query.fault(AskedWrongly::new("malformed", "header.Last-Event-ID", problem, remedy));
    }
    query.end()?;
    asked::accepted(&headers, &["text/event-stream"])?;
    let (next, field) = match last.flatten() {
        Some(last) => (last.saturating_add(1), "header.Last-Event-ID"),
        None => (from, "query.from"),
    };
    let size = server.ledger().size().0;
    if next > size {
        return Err(never(size, field));
    }
    let mut token = HeaderMap::new();
    token.extend(headers.get(header::AUTHORIZATION).map(|it| (header::AUTHORIZATION, it.clone())));
    let (head, stopping) = (server.head.subscribe(), server.stopping.subscribe());
    let following = Following { server, token, head, stopping, next, begun: false };
    let body = stream::unfold(following, |mut following| async move {
        let said = following.next().await?;
        Some((Ok::<_, Infallible>(said), following))
    });
    Ok(whole("text/event-stream", Body::from_stream(body)))
}

/// Somebody who follows the log.
struct Following {
    server: Arc<Server>,
    token: HeaderMap,
    head: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    /// The position of the entry that comes next.
    next: u64,
    begun: bool,
}

impl Following {
    /// What is said next; nothing at the end. It is asked for when what was said before is on its way, so whoever reads slowly
    /// has one page waiting.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.begun {
            self.begun = true;
            // Whoever loses the connection comes back after a second.
            return Some(Bytes::from_static(b"retry: 1000\n\n"));
        }
        loop {
            // A token that was withdrawn meanwhile shows nothing more.
            if *self.stopping.borrow() || !gate::still_known(&self.server, &self.token) {
                return None;
            }
            let head = *self.head.borrow_and_update();
            if self.next < head {
                return self.page(head.min(self.next + PAGE)).await;
            }
            tokio::select! {
                grown = self.head.changed() => grown.ok()?,
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
                () = tokio::time::sleep(HEARTBEAT) => return Some(Bytes::from_static(b":\n\n")),
            }
        }
    }

    /// The entries up to an end.
    async fn page(&mut self, end: u64) -> Option<Bytes> {
        let _one = self.server.searches.acquire().await.ok()?;
        let (server, from) = (Arc::clone(&self.server), self.next);
        let read = tokio::task::spawn_blocking(move || page(&server.ledger(), from, end));
        let lines = match read.await.ok()? {
            Ok(lines) => lines,
            Err(error) => {
                tracing::error!(error = %super::shown(&error.to_string()), "entries cannot be read");
                return None;
            }
        };
        let mut said = String::new();
        for (line, position) in lines.iter().zip(from..) {
            let line = std::str::from_utf8(line).expect("a line is text");
            write!(said, "id: {position}\nevent: entry\ndata: {line}\n\n").expect("memory takes it");
        }
        self.next = end;
        Some(Bytes::from(said))
    }
}
