//! Answers: whole, or written while they are sent; and those that never change, by which whoever asks again is told so.

use std::io::{self, Write};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures_util::stream;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::problem::{Answered, Problem};
use super::{Server, shown};
use crate::ledger::LedgerError;
use crate::proof::content::ContentHash;

/// How much is gathered before it is sent.
const CHUNK: usize = 64 << 10;

/// An answer of a media type that is there as a whole.
pub fn whole(media_type: &'static str, body: impl Into<Body>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(media_type))], body.into()).into_response()
}

/// Where an answer is written while it is sent. At most two chunks wait for whoever reads.
pub struct Chunks {
    gathered: Vec<u8>,
    to: mpsc::Sender<Bytes>,
    runtime: Handle,
    within: Duration,
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= CHUNK {
            let chunk = Bytes::from(mem::take(&mut self.gathered));
            // Whoever takes nothing for so long holds up others who search.
            let sent = async { tokio::time::timeout(self.within, self.to.send(chunk)).await };
            let Ok(Ok(())) = self.runtime.block_on(sent) else {
                return Err(io::ErrorKind::BrokenPipe.into());
            };
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Why an answer was not written to its end.
pub enum Ended {
    /// It cannot be given.
    Problem(Problem),
    /// Nobody takes it any more.
    NobodyReads,
}

impl From<Problem> for Ended {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<LedgerError> for Ended {
    fn from(error: LedgerError) -> Self {
        Self::Problem(error.into())
    }
}

impl From<io::Error> for Ended {
    fn from(_: io::Error) -> Self {
        Self::NobodyReads
    }
}

/// JSON of ours is texts and numbers, so only whoever takes it can fail.
impl From<serde_json::Error> for Ended {
    fn from(_: serde_json::Error) -> Self {
        Self::NobodyReads
    }
}

/// An answer that takes a while or is long. It is worked out beside all others, by few at a time, and sent while it is
/// written. What is short is sent as a whole, and a problem is one as long as nothing was sent.
///
/// The lock on the ledger must not be held while anything is written: whoever reads may be slow.
///
/// # Errors
/// When too many search already, and when the answer cannot be given.
pub async fn searched(
    server: &Arc<Server>,
    media_type: &'static str,
    work: impl FnOnce(&Server, &mut Chunks) -> Result<(), Ended> + Send + 'static,
) -> Answered {
    let Ok(permit) = Arc::clone(&server.searches).try_acquire_owned() else {
        let detail = "as much as can be is looked for already; ask again after the time in `Retry-After`";
        return Err(Problem::later("busy", detail));
    };
    let (to, mut sent) = mpsc::channel(2);
    let within = server.settings.limits.within;
    let (server, runtime) = (Arc::clone(server), Handle::current());
    let task = tokio::task::spawn_blocking(move || {
        let mut chunks = Chunks { gathered: Vec::new(), to, runtime, within };
        let ended = work(&server, &mut chunks);
        drop(permit);
        ended.map(|()| Bytes::from(chunks.gathered))
    });
    let Some(first) = sent.recv().await else {
        return match task.await {
            Ok(Ok(rest)) => Ok(whole(media_type, rest)),
            Ok(Err(Ended::Problem(problem))) => Err(problem),
            Ok(Err(Ended::NobodyReads)) | Err(_) => Err(Problem::broken()),
        };
    };
    let rest = stream::unfold((sent, Some(task)), |(mut sent, task)| async move {
        if let Some(chunk) = sent.recv().await {
            return Some((Ok(chunk), (sent, task)));
        }
        // An answer that broke off is not ended as if it were whole.
        let last = match task?.await {
            Ok(Ok(last)) => Ok(last),
            Ok(Err(Ended::Problem(problem))) => {
                tracing::error!(code = problem.code(), "an answer broke off");
                Err(io::Error::other("it broke off"))
            }
            Ok(Err(Ended::NobodyReads)) | Err(_) => Err(io::Error::other("it broke off")),
        };
        Some((last, (sent, None)))
    });
    let body = Body::from_stream(stream::StreamExt::chain(stream::iter([Ok(first)]), rest));
    Ok(whole(media_type, body))
}

/// An answer that never changes: that to a question about a fixed date and log size, or a part of the log.
pub struct Fixed {
    tag: HeaderValue,
    kept: &'static str,
}

impl Fixed {
    /// By everything that the answer depends on. What everybody may see can be kept by whatever stands in between.
    pub fn by(depends_on: &[&[u8]], public: bool) -> Self {
        let mut all = Vec::new();
        for part in depends_on {
            all.extend_from_slice(&(part.len() as u64).to_be_bytes());
            all.extend_from_slice(part);
        }
        let tag = format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(&ContentHash::of(&all).0[..16]));
        let tag = HeaderValue::from_str(&tag).expect("letters and digits");
        Self { tag, kept: if public { "public, max-age=3600" } else { "private, max-age=3600" } }
    }

    /// Whether whoever asks has it already (RFC 9110, 13.1.2). `*` is passed over: it asks whether there is an answer at all, and
    /// that is not known before it is worked out.
    pub fn is_known(&self, headers: &HeaderMap) -> bool {
        let own = self.tag.to_str().expect("letters and digits");
        let given = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|it| it.to_str().ok());
        let mut tags = given.flat_map(|it| it.split(',')).map(str::trim);
        tags.any(|tag| tag.strip_prefix("W/").unwrap_or(tag) == own)
    }

    /// That nothing has changed.
    pub fn unchanged(&self) -> Response {
        self.on(StatusCode::NOT_MODIFIED.into_response())
    }

    /// The answer with its tag.
    pub fn on(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.tag.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.kept));
        headers.insert(header::VARY, HeaderValue::from_static("Accept, Authorization"));
        response
    }
}

/// The same answer with a header more.
pub fn with(mut response: Response, name: HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(&shown(value)) {
        response.headers_mut().append(name, value);
    }
    response
}
