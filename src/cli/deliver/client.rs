//! Requests to the server of a ledger, made again where an answer did not come.
//!
//! Every request can be made again without harm: a delivery carries a key by which the server knows it again. So a cut
//! connection and a server that is busy are waited for, and every other answer is told and ends the delivery.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use rustls::crypto::aws_lc_rs;
use serde::Deserialize;
use ureq::http::Uri;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Error};
use uuid::Uuid;

use crate::cli::Failure;
use crate::store;

/// How often one request is made before the delivery is broken off.
const TRIES: u32 = 8;
/// The longest wait that is chosen here, and the longest that a server may ask for.
const WAIT_MAX: Duration = Duration::from_secs(30);
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);
/// The largest answer that is read: the receipt of a piece takes a tenth of it.
const ANSWER_MAX: u64 = 64 << 20;

/// Where a server is: `https://` and a host, or `http://` on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl(String);

impl std::fmt::Display for ServerUrl {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(&self.0)
    }
}

impl FromStr for ServerUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "is not the address of a server: write https:// and its name";
        let uri: Uri = text.parse().map_err(|_| WRONG)?;
        let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or(WRONG)?;
        let path = uri.path().trim_end_matches('/');
        if authority.as_str().contains('@') || uri.query().is_some() || text.contains('#') {
            return Err(WRONG);
        }
        if path.ends_with("/v1") || path.contains("/v1/") {
            return Err("is an address within the API: leave out /v1 and what follows");
        }
        let host = authority.host();
        let here = host == "localhost" || host == "[::1]";
        match scheme {
            "https" => {}
            "http" if here || host.parse::<Ipv4Addr>().is_ok_and(|it| it.is_loopback()) => {}
            "http" => {
                return Err(
                    "is not encrypted: everybody on the way could read the token and the rows; write https://",
                );
            }
            _ => return Err(WRONG),
        }
        Ok(Self(format!("{scheme}://{authority}{path}")))
    }
}

/// What a request is about.
#[derive(Clone, Copy)]
pub enum Ask<'a> {
    /// What there is at a path.
    Get,
    /// To record this, with the key by which it is known again.
    Deliver { body: &'a [u8], content_type: &'static str, key: Uuid },
}

/// What is done before a request is made again: it says why and in how many seconds, and waits.
pub type BeforeAgain = Box<dyn FnMut(&str, Duration)>;

/// A server, and the right to ask it.
pub struct Client {
    agent: Agent,
    to: ServerUrl,
    token: String,
    before_again: BeforeAgain,
    random: Rng,
}

/// An answer that came.
struct Answered {
    status: u16,
    retry_after: Option<Duration>,
    body: Vec<u8>,
}

/// What a server says is wrong (RFC 9457), as far as it is told.
#[derive(Deserialize)]
struct Problem {
    title: String,
    detail: Option<String>,
    #[serde(default)]
    faults: Vec<ProblemFault>,
}

#[derive(Deserialize)]
struct ProblemFault {
    #[serde(default)]
    field: String,
    problem: String,
    #[serde(default)]
    remedy: String,
}

/// Reads the token of a file that its owner alone can read.
pub fn read_token(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    if !path.exists() {
        return Err(Failure::Broken(format!("cannot read the token file {shown}: there is no such file")));
    }
    let text = store::read_private(path).map_err(|error| Failure::Broken(error.to_string()))?;
    let token = text.trim();
    // It goes into a header, where a line break would begin another.
    match !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(token.to_owned()),
        false => Err(Failure::Broken(format!(
            "{shown} holds no token: put the token in it, on one line and alone"
        ))),
    }
}

impl Client {
    /// Prepares to ask. With a file of certificates only those are trusted, and without one those of the machine.
    pub fn new(
        to: &ServerUrl,
        token: &str,
        ca_file: Option<&Path>,
        before_again: BeforeAgain,
        seed: u64,
    ) -> Result<Self, Failure> {
        let roots = ca_file.map_or(Ok(RootCerts::PlatformVerifier), certificates)?;
        let tls = TlsConfig::builder()
            .root_certs(roots)
            .unversioned_rustls_crypto_provider(Arc::new(aws_lc_rs::default_provider()))
            .build();
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let mut config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            // The token is for this server, and for no other that it names.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(seconds(15))
            .timeout_send_body(seconds(120))
            .timeout_recv_response(seconds(120))
            .timeout_recv_body(seconds(120))
            .user_agent(concat!("peildatum/", env!("CARGO_PKG_VERSION")));
        if to.0.starts_with("http:") {
            // It is on this machine.
            config = config.proxy(None);
        }
        let agent = config.build().new_agent();
        let random = Rng::with_seed(seed);
        Ok(Self { agent, to: to.clone(), token: token.to_owned(), before_again, random })
    }

    /// Asks until an answer comes, and gives it where it is a good one.
    pub fn ask(&mut self, path: &str, ask: Ask<'_>) -> Result<Vec<u8>, Failure> {
        for tried in 1.. {
            let (why, asked) = match self.once(path, ask) {
                Ok(answered) if (200..300).contains(&answered.status) => return Ok(answered.body),
                Ok(it) => match it.status {
                    408 | 429 | 502 | 503 | 504 => {
                        (format!("the server answers {}", it.status), it.retry_after)
                    }
                    _ => return Err(self.refused(&it)),
                },
                Err(error) if is_passing(&error) => (format!("no answer came ({error})"), None),
                Err(error) => {
                    return Err(Failure::Broken(format!("cannot ask {}: {error}", self.to)));
                }
            };
            let to = &self.to;
            if let Some(asked) = asked.filter(|asked| *asked > RETRY_AFTER_MAX) {
                let seconds = asked.as_secs();
                return Err(Failure::Broken(format!(
                    "{to}: {why}, and asks to come back in {seconds} seconds"
                )));
            }
            if tried == TRIES {
                return Err(Failure::Broken(format!("{to}: {why}, {TRIES} times one after another")));
            }
            let wait = wait(tried, asked, self.random.f64());
            (self.before_again)(&why, wait);
        }
        unreachable!("the tries are counted")
    }

    fn once(&self, path: &str, ask: Ask<'_>) -> Result<Answered, Error> {
        let (url, bearer) = (format!("{}{path}", self.to), format!("Bearer {}", self.token));
        let mut answer = match ask {
            Ask::Get => self
                .agent
                .get(&url)
                .header("Authorization", &bearer)
                .header("Accept", "application/json")
                .call()?,
            Ask::Deliver { body, content_type, key } => self
                .agent
                .post(&url)
                .header("Authorization", &bearer)
                .header("Accept", "application/json")
                .header("Content-Type", content_type)
                .header("Idempotency-Key", key.to_string())
                .send(body)?,
        };
        let retry_after = answer.headers().get("retry-after").and_then(|it| it.to_str().ok()?.parse().ok());
        Ok(Answered {
            status: answer.status().as_u16(),
            retry_after: retry_after.map(Duration::from_secs),
            body: answer.body_mut().with_config().limit(ANSWER_MAX).read_to_vec()?,
        })
    }

    /// What a server says that will not do it.
    fn refused(&self, it: &Answered) -> Failure {
        let (to, status) = (&self.to, it.status);
        let Ok(problem) = serde_json::from_slice::<Problem>(&it.body) else {
            return Failure::Broken(format!(
                "{to} answers {status} and gives no reason that can be read: make sure that it is the address of a ledger"
            ));
        };
        let mut said = format!("{to} answers {status}, {}", problem.title);
        let detail = problem.detail.filter(|it| !it.is_empty());
        detail.into_iter().for_each(|detail| said += &format!(": {detail}"));
        for fault in problem.faults {
            let place = if fault.field.is_empty() { String::new() } else { format!("{}: ", fault.field) };
            said += &format!("\n  {place}{}; {}", fault.problem, fault.remedy);
        }
        // Whatever a server repeats: the secret is told to nobody, and nothing is told that a terminal would obey.
        let said = said.replace(&self.token, "[token]");
        let said = said.chars().filter(|it| *it == '\n' || !it.is_control()).collect();
        if (400..500).contains(&status) { Failure::Refused(said) } else { Failure::Broken(said) }
    }
}

fn certificates(path: &Path) -> Result<RootCerts, Failure> {
    let cannot =
        |said: &str| Failure::Broken(format!("cannot read certificates from {}: {said}", path.display()));
    let bytes = fs::read(path).map_err(|error| cannot(&error.to_string()))?;
    let mut found = Vec::new();
    for item in parse_pem(&bytes) {
        match item {
            Ok(PemItem::Certificate(it)) => found.push(it),
            Ok(_) => {}
            Err(error) => return Err(cannot(&error.to_string())),
        }
    }
    match found.is_empty() {
        true => Err(cannot("it holds none; give a file in PEM")),
        false => Ok(RootCerts::from(found.into_iter())),
    }
}

/// Whether it may be over when the request is made again: the connection, not who answers it or what was asked.
fn is_passing(error: &Error) -> bool {
    match error {
        Error::Io(error) => {
            let is_of_tls = error.get_ref().is_some_and(|it| it.is::<rustls::Error>());
            !is_of_tls && error.kind() != io::ErrorKind::InvalidInput
        }
        Error::Timeout(_) | Error::ConnectionFailed | Error::Protocol(_) => true,
        _ => false,
    }
}

/// How long to wait after so many tries: what the server asks, or longer each time, and never just as long as others who were cut
/// off at the same moment. `random` lies between 0 and 1.
fn wait(tried: u32, asked: Option<Duration>, random: f64) -> Duration {
    match asked {
        Some(asked) => asked + Duration::from_secs(1).mul_f64(random),
        None => {
            let longest = WAIT_MAX.min(Duration::from_millis(500) * 2_u32.pow(tried.min(10)));
            longest.mul_f64(0.5 + random / 2.0)
        }
    }
}
