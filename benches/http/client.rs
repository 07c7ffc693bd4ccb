//! A client that keeps many connections busy from one thread, and looks at every answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Failure;
use crate::seeded::secret;

/// What is asked, over how many connections.
pub struct Load {
    /// How many at the same time.
    pub connections: usize,
    /// The requests as bytes, which connections take in turn.
    pub requests: Vec<Vec<u8>>,
    /// How often all of them are sent.
    pub times: usize,
    /// How many events or answers one request stands for.
    pub each: usize,
}

/// How fast it went.
pub struct Measured {
    /// Events or answers a second.
    pub a_second: f64,
    /// The time of an answer in the middle, in seconds.
    pub median: f64,
    /// The time of which one answer in a hundred takes longer.
    pub p99: f64,
}

fn head(method: &str, path: &str, role: &str) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: bench\r\n");
    if !role.is_empty() {
        head += &format!("authorization: Bearer {}\r\n", secret(role).reveal());
    }
    head
}

/// Questions.
pub fn get(path: &str, role: &str) -> Vec<u8> {
    format!("{}\r\n", head("GET", path, role)).into_bytes()
}

/// Deliveries.
pub fn posts(path: &str, kind: &str, role: &str, bodies: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let with_head = |body: Vec<u8>| {
        let head = head("POST", path, role);
        let head = format!("{head}content-type: {kind}\r\ncontent-length: {}\r\n\r\n", body.len());
        [head.into_bytes(), body].concat()
    };
    bodies.into_iter().map(with_head).collect()
}

impl Load {
    /// Sends everything and waits for every answer.
    pub fn run(self, address: SocketAddr) -> Result<Measured, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let Self { connections, requests, times, each } = self;
        let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
        let total = requests.len() * times;
        let begun = Instant::now();
        let mut took: Vec<f64> = runtime.block_on(async {
            let tasks: Vec<_> = (0..connections)
                .map(|_| {
                    let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
                    tokio::spawn(async move {
                        let mut stream = TcpStream::connect(address).await?;
                        stream.set_nodelay(true)?;
                        let (mut took, mut read) = (Vec::new(), vec![0; 64 << 10]);
                        loop {
                            let index = next.fetch_add(1, Ordering::Relaxed);
                            if index >= total {
                                return Ok::<_, Failure>(took);
                            }
                            let sent = Instant::now();
                            stream.write_all(&requests[index % requests.len()]).await?;
                            answer(&mut stream, &mut read).await?;
                            took.push(sent.elapsed().as_secs_f64());
                        }
                    })
                })
                .collect();
            let mut all = Vec::new();
            for task in tasks {
                all.extend(task.await??);
            }
            Ok::<_, Failure>(all)
        })?;
        let seconds = begun.elapsed().as_secs_f64();
        took.sort_by(f64::total_cmp);
        let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize];
        Ok(Measured { a_second: (total * each) as f64 / seconds, median: at(0.5), p99: at(0.99) })
    }
}

/// Reads one answer, which must be a good one.
async fn answer(stream: &mut TcpStream, read: &mut Vec<u8>) -> Result<(), Failure> {
    let mut filled = 0;
    loop {
        if filled == read.len() {
            read.resize(read.len() * 2, 0);
        }
        let count = stream.read(&mut read[filled..]).await?;
        if count == 0 {
            return Err("the server closed the connection".into());
        }
        filled += count;
        let Some(end) = read[..filled].windows(4).position(|it| it == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&read[..end])?;
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        let length = length.ok_or("an answer without its length")?;
        if !head.starts_with("HTTP/1.1 20") {
            let text = String::from_utf8_lossy(&read[..filled]);
            return Err(format!("not the answer that was hoped for: {text}").into());
        }
        // What is refused or was known is no event that was taken in.
        while filled < end + 4 + length {
            if read.len() < end + 4 + length {
                read.resize(end + 4 + length, 0);
            }
            let count = stream.read(&mut read[filled..]).await?;
            if count == 0 {
                return Err("an answer broke off".into());
            }
            filled += count;
        }
        let body = &read[end + 4..filled];
        let refused = b"\"outcome\":\"refused\"";
        if body.windows(refused.len()).take(4_096).any(|it| it == refused) {
            return Err(
                format!("refused: {}", String::from_utf8_lossy(&body[..body.len().min(2_000)])).into()
            );
        }
        return Ok(());
    }
}
