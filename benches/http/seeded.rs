//! A server over a generated ledger, with tokens.

use std::path::Path;
use std::sync::Arc;

use peildatum::decide::command::{Command, Identity};
use peildatum::domain::access::{Caller, Role};
use peildatum::domain::event::EventName;
use peildatum::domain::placement::PlacementReport;
use peildatum::domain::source::Source;
use peildatum::domain::time::RecordedAt;
use peildatum::http::access::Access as LetIn;
use peildatum::http::{Server, Settings};
use peildatum::ledger::{Ledger, new_id, now};
use peildatum::store::{Access, Secret, Trail, create_token};

use crate::Failure;
use crate::generated::placements::Placements;
use crate::generated::{SEED, facts, outside, source};

/// The organisation of all tokens.
pub const OIN: &str = "00000001234567890000";
/// How many entries are committed together.
const GROUP: usize = 4_096;

/// The secret of the token of a role.
pub fn secret(role: &str) -> Secret {
    let random = |salt: u8| {
        let mut random = [salt; 32];
        role.bytes().zip(&mut random).for_each(|(byte, place)| *place ^= byte);
        random
    };
    (0..=255).find_map(|salt| Secret::of(random(salt))).expect("one of them looks like no number of a person")
}

/// A server over so many placements.
pub fn server(dir: &Path, placements: u64) -> Result<Arc<Server>, Failure> {
    let (mut ledger, _) = Ledger::open(dir, Access::CreateIfAbsent, outside(), &mut |_| {})?;
    let identity = Identity { source: source(), id: None };
    let placed = Placements::new(SEED, placements).map(Command::RecordPlacement);
    let mut commands = facts::commands(placements).into_iter().chain(placed).peekable();
    while commands.peek().is_some() {
        let delivery = ledger.new_delivery();
        let mut batch = ledger.batch(delivery, &identity.source);
        for command in commands.by_ref().take(GROUP) {
            batch.offer(&identity, None, &command)??;
        }
        batch.commit()?;
    }
    for (name, role) in [("feeder", Role::Feeder), ("reader", Role::Reader)] {
        let caller = Caller::new(name.parse()?, role, Some(OIN.parse()?), Vec::new())?;
        let until = RecordedAt::from_millis(now().millis() + 86_400_000)?;
        create_token(dir, &caller, &secret(name), now(), until)?;
    }
    let settings = Settings::default();
    let (access, trail) = (LetIn::open(dir, None, now())?, Trail::start(dir, now())?);
    Ok(Server::new(dir, ledger, access, trail, settings)?.0)
}

/// Placements as events.
pub fn events(
    source: &Source,
    placements: impl Iterator<Item = PlacementReport>,
) -> impl Iterator<Item = String> {
    placements.map(move |report| {
        let kind = EventName::PlacementRecorded.cloudevent_type();
        let data = serde_json::to_string(&Command::RecordPlacement(report)).expect("texts and numbers");
        let id = new_id();
        format!(r#"{{"specversion":"1.0","id":"{id}","source":"{source}","type":"{kind}","data":{data}}}"#)
    })
}
