//! A server for tests: over a ledger of its own, with a token for each role, in this process or as a program.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use peildatum::domain::access::{Caller, Role};
use peildatum::domain::source::Source;
use peildatum::domain::time::RecordedAt;
use peildatum::feed::cloudevent::EventLines;
use peildatum::feed::csv::CsvFile;
use peildatum::feed::{Parcels, deliver};
use peildatum::http::access::Access as LetIn;
use peildatum::http::{self, Limits, Served, Server, Settings};
use peildatum::ledger::{Ledger, Outside, now};
use peildatum::proof::note::SignerKey;
use peildatum::store::{Access, Secret, Trail, create_token};
use serde_json::Value;
use tempfile::TempDir;

/// The organisation that delivers.
pub const OWN: &str = "00000001234567890000";
/// Another one.
pub const OTHER: &str = "00000009876543210000";

/// A server in this process.
pub struct Running {
    pub address: SocketAddr,
    served: Option<Served>,
    folder: TempDir,
}

/// The secret of a token of a test: the same for the same name.
pub fn secret(name: &str) -> Secret {
    (0..=255)
        .find_map(|salt| {
            let mut random = [salt; 32];
            name.bytes().zip(&mut random).for_each(|(byte, place)| *place ^= byte);
            Secret::of(random)
        })
        .expect("one of them looks like no number of a person")
}

/// Makes a token for each role, named as the role; `other` is a feeder of another organisation.
pub fn make_tokens(dir: &Path) {
    let roles = [
        ("feeder", Role::Feeder, OWN, None),
        ("other", Role::Feeder, OTHER, None),
        ("decision_maker", Role::DecisionMaker, OWN, None),
        ("province", Role::Province, OWN, Some("PV28")),
        ("municipality", Role::Municipality, OWN, Some("GM0599")),
        ("reader", Role::Reader, OWN, None),
        ("auditor", Role::Auditor, OWN, None),
        ("operator", Role::Operator, OWN, None),
    ];
    for (name, role, oin, area) in roles {
        let areas = area.into_iter().map(|it| it.parse().unwrap()).collect();
        let caller = Caller::new(name.parse().unwrap(), role, Some(oin.parse().unwrap()), areas).unwrap();
        let until = peildatum::domain::time::RecordedAt::from_millis(now().millis() + 86_400_000).unwrap();
        create_token(dir, &caller, &secret(name), now(), until).unwrap();
    }
}

impl Running {
    /// A server over an empty ledger.
    pub fn start() -> Self {
        Self::with(Limits::default())
    }

    /// A server with other limits.
    pub fn with(limits: Limits) -> Self {
        let folder = TempDir::new().unwrap();
        let (ledger, _) =
            Ledger::open(folder.path(), Access::CreateIfAbsent, Outside::machine(), &mut |_| {}).unwrap();
        make_tokens(folder.path());
        ledger.close().unwrap();
        Self::serve(folder, limits)
    }

    /// A server over a ledger with a key, which holds the examples of the documents.
    pub fn reading() -> Self {
        Self::reading_with(Limits::default())
    }

    /// The same with other limits.
    pub fn reading_with(limits: Limits) -> Self {
        let folder = TempDir::new().unwrap();
        let (mut ledger, _) =
            Ledger::open(folder.path(), Access::CreateIfAbsent, always_the_same(), &mut |_| {}).unwrap();
        let source: Source = format!("urn:nld:oin:{OWN}:systeem:desk").parse().unwrap();
        for name in
            ["municipalities.csv", "quota.jsonl", "allocations.csv", "carry-overs.csv", "placements.csv"]
        {
            let from = std::io::Cursor::new(example(name));
            let parcels: Box<dyn Parcels + Send> = match name.ends_with("csv") {
                true => Box::new(CsvFile::open(from, source.clone()).unwrap()),
                false => Box::new(EventLines::new(from)),
            };
            let (_, totals) = deliver(&mut ledger, &source, parcels, &mut |_| Ok(())).unwrap();
            assert_eq!(totals.refused, 0, "{name}");
        }
        let key = SignerKey::new("peildatum.example/ledger".parse().unwrap(), [7; 32]);
        ledger.give_key(&key, None).unwrap();
        make_tokens(folder.path());
        ledger.close().unwrap();
        Self::serve(folder, limits)
    }

    /// A server over a ledger that is there, with its tokens.
    pub fn over(folder: TempDir) -> Self {
        Self::serve(folder, Limits::default())
    }

    fn serve(folder: TempDir, limits: Limits) -> Self {
        let (ledger, _) =
            Ledger::open(folder.path(), Access::MustExist, Outside::machine(), &mut |_| {}).unwrap();
        let access = LetIn::open(folder.path(), None, now()).unwrap();
        let trail = Trail::start(folder.path(), now()).unwrap();
        let settings = Settings { limits, trial: true, key: ledger.own_secret().ok(), ..Settings::default() };
        let (server, notes) = Server::new(folder.path(), ledger, access, trail, settings).unwrap();
        assert!(notes.is_empty(), "{notes:?}");
        let served = http::serve(server, "127.0.0.1:0".parse().unwrap()).unwrap();
        Self { address: served.address, served: Some(served), folder }
    }

    /// The folder of the ledger.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Sends a request and gives the answer.
    pub fn ask(&self, request: &Request) -> Answer {
        send(self.address, request).expect("the server answers")
    }

    /// Stops the server and gives the folder of its ledger.
    pub fn stop(mut self) -> TempDir {
        self.served.take().unwrap().stop().unwrap();
        std::mem::replace(&mut self.folder, TempDir::new().unwrap())
    }
}

/// A clock that goes on by a second at every look, and identities that follow on one another: the log that is made with them
/// has the same root every time.
fn always_the_same() -> Outside {
    let (mut at, mut number) = (1_780_000_000_000, 0_u64);
    Outside {
        clock: Box::new(move || {
            at += 1_000;
            RecordedAt::from_millis(at).unwrap()
        }),
        ids: Box::new(move |at| {
            number += 1;
            let mut random = [0x5A; 10];
            random[2..].copy_from_slice(&number.to_be_bytes());
            uuid::Builder::from_unix_timestamp_millis(at.millis().unsigned_abs(), &random).into_uuid()
        }),
    }
}

/// A request in the making.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// A request that brings something.
    pub fn post(path: &str, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::new("POST", path) }.header("content-type", kind)
    }

    /// As a role, by the token that is named so.
    pub fn in_role(self, name: &str) -> Self {
        let token = secret(name).reveal().to_owned();
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// The same by another method.
    pub fn method(self, method: &str) -> Self {
        Self { method: method.to_owned(), ..self }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The bytes on the wire. The connection is closed behind the answer.
    pub fn bytes(&self) -> Vec<u8> {
        let mut head =
            format!("{} {} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !self.body.is_empty() || ["POST", "PUT"].contains(&self.method.as_str()) {
            head += &format!("content-length: {}\r\n", self.body.len());
        }
        [format!("{head}\r\n").into_bytes(), self.body.clone()].concat()
    }
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The same, if it has this status.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

/// Sends a request over a connection of its own.
///
/// # Errors
/// When the connection breaks off before the answer is there.
pub fn send(address: SocketAddr, request: &Request) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    // Whoever is answered before it has sent everything may find the connection closed.
    let _ = stream.write_all(&request.bytes());
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let broken = || std::io::Error::other("the answer broke off");
    let status = line.split(' ').nth(1).and_then(|it| it.parse().ok()).ok_or_else(broken)?;
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(broken());
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map(|(_, it)| it.parse::<usize>().unwrap());
    let mut body = Vec::new();
    match length {
        Some(length) if request.method != "HEAD" => {
            body.resize(length, 0);
            reader.read_exact(&mut body)?;
        }
        _ => {
            reader.read_to_end(&mut body)?;
        }
    }
    let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    Ok(Answer { status, headers, body: if chunked { unchunked(&body) } else { body } })
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|it| it == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap().trim(), 16).unwrap();
        if length == 0 {
            break;
        }
        body.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 2 + length + 2..];
    }
    body
}

/// The file of an example of the documents.
pub fn example(name: &str) -> Vec<u8> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples").join(name);
    std::fs::read(path).unwrap()
}
