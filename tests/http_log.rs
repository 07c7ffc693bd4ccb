//! The log by HTTP: entries byte for byte, as they come, and everything to check them with.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::thread;

use peildatum::ledger::now;
use peildatum::proof::checkpoint::SignedCheckpoint;
use peildatum::proof::consistency::ConsistencyProof;
use peildatum::proof::inclusion::EntryProof;
use peildatum::proof::merkle::{Hash, Tree, leaf_hash};
use peildatum::proof::note::SignerKey;
use peildatum::proof::tiles;
use peildatum::store::revoke_token;
use serde_json::{Value, json};

use crate::served::{Answer, Request, Running};

fn get(server: &Running, address: &str) -> Answer {
    server.ask(&Request::get(address).in_role("auditor"))
}

/// All lines of the log.
fn lines(server: &Running) -> Vec<String> {
    let request =
        Request::get("/v1/entries?limit=1000").in_role("auditor").header("accept", "application/jsonl");
    server.ask(&request).expect(200).text().lines().map(str::to_owned).collect()
}

/// Delivers some placements, whose numbers begin here.
fn deliver(server: &Running, first: u64, count: u64) {
    let mut rows = "placement,municipality,counts_from,kind,persons\n".to_owned();
    for number in first..first + count {
        rows += &format!("4c1b7a50-2f0e-4d83-9a6c-{number:012x},GM0599,2026-03-02,regular,1\n");
    }
    let answer = server.ask(&Request::post("/v1/deliveries", "text/csv", rows).in_role("feeder")).expect(200);
    assert_eq!(answer.json()["totals"]["recorded"], count, "{}", answer.text());
}

/// A server whose log has several full tiles.
fn long() -> Running {
    let server = Running::reading();
    deliver(&server, 0xA000_0000, 700);
    server
}

#[test]
fn the_entries_are_read_page_by_page_byte_for_byte() {
    let server = Running::reading();
    let all = lines(&server);
    let (mut address, mut read) = (Some("/v1/entries?limit=2".to_owned()), Vec::new());
    while let Some(next) = address {
        let page = get(&server, &next).expect(200);
        // In a list each line stands on a line of its own, as it was stored.
        let text = page.text();
        read.extend(text.lines().filter(|it| it.len() > 1).map(|it| it.trim_end_matches(',').to_owned()));
        assert!(page.json().as_array().unwrap().len() <= 2);
        let links: Vec<_> =
            page.headers.iter().filter(|(name, _)| name == "link").map(|(_, it)| it).collect();
        assert!(links.iter().any(|it| it.ends_with("rel=\"first\"")), "{links:?}");
        let next = links.iter().find(|it| it.ends_with("rel=\"next\""));
        address = next.map(|it| it[1..it.find('>').unwrap()].to_owned());
    }
    assert_eq!(read, all);
    // With the bytes alone anybody computes the root.
    let mut tree = Tree::new();
    all.iter().for_each(|line| tree.push(leaf_hash(line.as_bytes())));
    let latest = get(&server, "/v1/checkpoints/latest").json();
    assert_eq!(
        (latest["size"].as_u64(), latest["root"].as_str()),
        (Some(tree.size()), Some(&*tree.root().to_string()))
    );

    let csv = server
        .ask(&Request::get("/v1/entries?cursor=1&limit=3").in_role("auditor").header("accept", "text/csv"));
    assert_eq!(csv.expect(200).text().lines().count(), 4);
    let end = get(&server, &format!("/v1/entries?cursor={}", all.len())).expect(200);
    assert_eq!(end.json(), json!([]));
    get(&server, &format!("/v1/entries?cursor={}", all.len() + 1)).expect(400);
    for role in ["feeder", "decision_maker", "province", "municipality", "reader", "operator"] {
        server.ask(&Request::get("/v1/entries").in_role(role)).expect(403);
    }
}

#[test]
fn an_entry_comes_with_its_history() {
    let server = Running::reading();
    let all = lines(&server);
    for (position, line) in all.iter().enumerate() {
        let one = get(&server, &format!("/v1/entries/{position}")).expect(200);
        assert!(one.text().contains(line.as_str()), "{}", one.text());
        assert_eq!(one.json()["leafHash"], leaf_hash(line.as_bytes()).to_string());
        assert_eq!(one.json()["history"][0], serde_json::from_str::<Value>(line).unwrap());
    }
    get(&server, &format!("/v1/entries/{}", all.len())).expect(404);
    for wrong in ["-1", "+1", "x", "1.0"] {
        get(&server, &format!("/v1/entries/{wrong}")).expect(400);
    }
}

#[test]
fn proofs_hold_for_whoever_has_the_public_key() {
    let server = long();
    let all = lines(&server);
    let key = SignerKey::new("peildatum.example/ledger".parse().unwrap(), [7; 32]);
    let text = |address: &str| {
        server.ask(&Request::get(address).in_role("auditor").header("accept", "text/plain")).expect(200).body
    };
    let signed = SignedCheckpoint::verify(&text("/v1/checkpoints/latest"), key.verifier()).unwrap();
    assert_eq!(signed.head().size, all.len() as u64);
    assert_eq!(text("/v1/log/checkpoint"), text("/v1/checkpoints/latest"));
    for position in [0, 5, 255, 256, all.len() - 1] {
        let proof = EntryProof::parse(&text(&format!("/v1/proofs/inclusion/{position}"))).unwrap();
        assert!(proof.holds(all[position].as_bytes()), "{position}");
        assert!(SignedCheckpoint::verify(proof.checkpoint.to_string().as_bytes(), key.verifier()).is_ok());
        let size = position + 1;
        let earlier =
            get(&server, &format!("/v1/proofs/inclusion/{position}?size={size}")).expect(200).json();
        let at = get(&server, &format!("/v1/checkpoints/{size}")).expect(200).json();
        assert_eq!(earlier["checkpoint"], at, "{position}");
    }
    for (from, to) in [(1, 2), (3, 300), (256, 512), (700, 700)] {
        let address = format!("/v1/proofs/consistency?from={from}&to={to}");
        assert!(ConsistencyProof::parse(&text(&address)).unwrap().holds(), "{from} to {to}");
        assert_eq!(get(&server, &address).expect(200).json()["old"]["size"], from);
    }
    for (address, status) in [
        ("/v1/proofs/inclusion/9999", 404),
        ("/v1/proofs/inclusion/3?size=3", 404),
        ("/v1/proofs/inclusion/3?size=9999", 400),
        ("/v1/proofs/consistency?from=0", 400),
        ("/v1/proofs/consistency?from=3&to=2", 400),
        ("/v1/proofs/consistency?from=3&to=9999", 400),
        ("/v1/proofs/consistency", 400),
        ("/v1/checkpoints/9999", 404),
        ("/v1/checkpoints/x", 400),
    ] {
        assert_eq!(get(&server, address).status, status, "{address}");
    }
}

/// Somebody who has the tiles alone computes the root that was signed.
#[test]
fn the_tiles_are_those_of_the_tree() {
    let server = long();
    let size = get(&server, "/v1/checkpoints/latest").json()["size"].as_u64().unwrap();
    let root = get(&server, "/v1/checkpoints/latest").json()["root"].as_str().unwrap().to_owned();
    let mut levels: BTreeMap<u32, Vec<Hash>> = BTreeMap::new();
    for level in tiles::levels(size) {
        let hashes = tiles::hashes(level, size);
        for number in 0..hashes.div_ceil(tiles::WIDTH) {
            let width = tiles::WIDTH.min(hashes - number * tiles::WIDTH);
            let answer =
                get(&server, &format!("/v1/log/{}", tiles::tile_path(level, number, width))).expect(200);
            assert_eq!(answer.header("etag").is_some(), width == tiles::WIDTH, "what is full never changes");
            let read = answer.body.chunks_exact(32).map(|it| Hash(it.try_into().unwrap()));
            levels.entry(level).or_default().extend(read);
        }
    }
    let mut tree = Tree::new();
    levels[&0].iter().for_each(|leaf| tree.push(*leaf));
    assert_eq!((tree.size(), tree.root().to_string()), (size, root));
    for (number, above) in levels[&1].iter().enumerate() {
        let mut below = Tree::new();
        levels[&0][number * 256..number * 256 + 256].iter().for_each(|leaf| below.push(*leaf));
        assert_eq!(below.root(), *above);
    }
    // The entries beside them.
    let mut entries = Vec::new();
    for number in 0..size.div_ceil(tiles::WIDTH) {
        let width = tiles::WIDTH.min(size - number * tiles::WIDTH);
        let bundle = get(&server, &format!("/v1/log/{}", tiles::bundle_path(number, width))).expect(200).body;
        let read = tiles::entries(&bundle).unwrap();
        entries.extend(read.into_iter().map(|it| String::from_utf8(it.to_vec()).unwrap()));
    }
    assert_eq!(entries, lines(&server));
    let full = "/v1/log/tile/0/000";
    let tag = get(&server, full).header("etag").unwrap().to_owned();
    server.ask(&Request::get(full).in_role("auditor").header("if-none-match", &tag)).expect(304);
    for wrong in
        ["0/003", "0/002.p/250", "1/000", "9/000", "0/0", "0/000.p/256", "entries/009", "0/../0/000", "x"]
    {
        get(&server, &format!("/v1/log/tile/{wrong}")).expect(404);
    }
}

/// Follows the log from here until it has seen so many entries, or the connection ends. Gives their positions and lines.
fn follow(server_at: std::net::SocketAddr, from: &Request, most: usize) -> Vec<(u64, String)> {
    let mut stream = TcpStream::connect(server_at).unwrap();
    stream.write_all(&from.bytes()).unwrap();
    let (mut seen, mut position) = (Vec::new(), None);
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { break };
        if let Some(id) = line.strip_prefix("id: ") {
            position = Some(id.parse().unwrap());
        }
        if let Some(data) = line.strip_prefix("data: ") {
            seen.push((position.take().expect("an event has its position"), data.to_owned()));
        }
        if seen.len() == most {
            break;
        }
    }
    seen
}

#[test]
fn who_follows_the_log_gets_each_entry_once_while_others_write_and_after_losing_the_connection() {
    const WRITERS: u64 = 4;
    const EACH: u64 = 40;
    let server = Running::reading();
    let before = lines(&server).len();
    let total = before + (WRITERS * EACH * 5) as usize;
    let seen = thread::scope(|scope| {
        for writer in 0..WRITERS {
            let server = &server;
            scope.spawn(move || {
                for number in 0..EACH {
                    deliver(server, 0xB000_0000 + writer * 0x10_0000 + number * 5, 5);
                }
            });
        }
        let followers = (0..3).map(|which| {
            let address = server.address;
            scope.spawn(move || {
                let mut seen: Vec<(u64, String)> = Vec::new();
                while seen.len() < total {
                    let request = Request::get("/v1/entries/stream").in_role("auditor");
                    let request = match seen.last() {
                        Some((last, _)) => request.header("last-event-id", &last.to_string()),
                        None => request,
                    };
                    // The first loses the connection again and again.
                    let most = if which == 0 { 37.min(total - seen.len()) } else { total };
                    seen.extend(follow(address, &request, most));
                }
                seen
            })
        });
        let followers: Vec<_> = followers.collect();
        followers.into_iter().map(|it| it.join().unwrap()).collect::<Vec<_>>()
    });
    let all: Vec<_> = (0_u64..).zip(read_all(&server, total)).collect();
    for seen in seen {
        assert_eq!(seen.len(), total);
        assert!(seen == all, "what was followed is not the log");
    }
}

fn read_all(server: &Running, total: usize) -> Vec<String> {
    let lines = lines(server);
    assert_eq!(lines.len(), total);
    lines
}

/// Somebody who follows the log from its last entry on, in a thread of its own; gives the positions that came. The call waits for
/// the first.
fn follower(server: &Running) -> thread::JoinHandle<Vec<u64>> {
    let from = lines(server).len() - 1;
    let address = server.address;
    let request = Request::get(&format!("/v1/entries/stream?from={from}")).in_role("auditor");
    let (told, begun) = std::sync::mpsc::channel();
    let follower = thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&request.bytes()).unwrap();
        let mut ids = Vec::new();
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { break };
            if let Some(id) = line.strip_prefix("id: ") {
                ids.push(id.parse().unwrap());
                // Only the first is waited for.
                let _ = told.send(());
            }
        }
        ids
    });
    begun.recv().unwrap();
    follower
}

#[test]
fn who_follows_the_log_is_let_go_when_the_server_stops() {
    let server = Running::reading();
    let last = lines(&server).len() as u64 - 1;
    let follower = follower(&server);
    drop(server.stop());
    assert_eq!(follower.join().unwrap(), [last]);
}

#[test]
fn who_follows_the_log_is_shown_nothing_more_when_the_token_is_revoked() {
    let server = Running::reading();
    let last = lines(&server).len() as u64 - 1;
    let follower = follower(&server);
    revoke_token(server.path(), &"auditor".parse().unwrap(), now()).unwrap();
    deliver(&server, 0xC000_0000, 1);
    assert_eq!(follower.join().unwrap(), [last]);
}

#[test]
fn where_to_begin_to_follow_is_a_place_in_the_log() {
    let server = Running::reading();
    let size = lines(&server).len();
    for (query, header, status) in [
        (format!("?from={}", size + 1), None, 400),
        ("?from=x".to_owned(), None, 400),
        (String::new(), Some("x".to_owned()), 400),
        (String::new(), Some("+5".to_owned()), 400),
        (String::new(), Some(size.to_string()), 400),
    ] {
        let mut request = Request::get(&format!("/v1/entries/stream{query}")).in_role("auditor");
        if let Some(last) = &header {
            request = request.header("last-event-id", last);
        }
        assert_eq!(server.ask(&request).status, status, "{query} {header:?}");
    }
}
