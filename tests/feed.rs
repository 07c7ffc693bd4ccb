//! Lists come in again, in parts and after they were overtaken, and a file can have a row that never ends. Neither may change
//! what stands, nor take all memory.

use std::io::Cursor;

use peildatum::book::statement::Reading;
use peildatum::domain::area::Area;
use peildatum::domain::time::ReferenceDate;
use peildatum::feed::csv::CsvFile;
use peildatum::feed::receipt::Totals;
use peildatum::feed::{FeedError, deliver};
use peildatum::ledger::{By, KnownAt, Ledger, Outside};
use peildatum::store::Access;

struct Desk {
    _folder: tempfile::TempDir,
    ledger: Ledger,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("ledger");
        let (ledger, _) =
            Ledger::open(&dir, Access::CreateIfAbsent, Outside::machine(), &mut |_| {}).unwrap();
        let mut desk = Self { _folder: folder, ledger };
        desk.send("code,name,province,safety_region,from\nGM0001,Een,PV28,VR17,2018-01-01\nGM0002,Twee,PV28,VR17,2018-01-01\n");
        desk
    }

    fn try_send(&mut self, file: &str) -> Result<Totals, FeedError> {
        let source = "ministry".parse().unwrap();
        let file = CsvFile::open(Cursor::new(file.to_owned()), source)?;
        let source = "ministry".parse().unwrap();
        deliver(&mut self.ledger, &source, file, &mut |_| Ok(())).map(|(_, totals)| totals)
    }

    /// Sends a file, and says how many rows were recorded, known already and refused.
    fn send(&mut self, file: &str) -> [u64; 3] {
        let totals = self.try_send(file).unwrap();
        [totals.recorded, totals.known_already, totals.refused]
    }

    fn carried_over(&self, code: &str) -> i64 {
        let as_of = self.ledger.as_of(ReferenceDate("2022-01-01".parse().unwrap()), KnownAt::Now).unwrap();
        let area: Area = code.parse().unwrap();
        let answers = self.ledger.statements(area, By::Whole, as_of, Reading::OldestFirst).unwrap();
        answers[0].statement.carried_over.used
    }
}

#[test]
fn a_list_of_several_days_sent_again_is_known_row_by_row() {
    let mut desk = Desk::new();
    let file = "counted_on,municipality,inhabitants\n2022-01-01,GM0001,100\n2021-01-01,GM0001,90\n2022-01-01,GM0002,200\n";
    assert_eq!(desk.send(file), [3, 0, 0]);
    let size = desk.ledger.size();
    assert_eq!(desk.send(file), [0, 3, 0]);
    assert_eq!(desk.ledger.size(), size);
    // A count that was corrected is new, and so is going back to what it was.
    let corrected = "counted_on,municipality,inhabitants\n2022-01-01,GM0001,101\n";
    assert_eq!(desk.send(corrected), [1, 0, 0]);
    assert_eq!(desk.send(file), [1, 2, 0]);
}

#[test]
fn an_old_list_sent_again_with_a_row_mended_brings_that_row_only() {
    let mut desk = Desk::new();
    let head = "from_half_year,to_half_year,municipality,persons,reference\n";
    let first = format!("{head}2021-II,2022-I,GM0001,10,letter 1\n2021-II,2022-I,GM0009,5,letter 1\n");
    assert_eq!(desk.send(&first), [1, 0, 1]);
    assert_eq!(desk.send(&format!("{head}2021-II,2022-I,GM0001,12,letter 2\n")), [1, 0, 0]);
    desk.send("code,name,province,safety_region,from\nGM0009,Negen,PV28,VR17,2018-01-01\n");
    assert_eq!(desk.send(&first), [1, 1, 0]);
    assert_eq!((desk.carried_over("GM0001"), desk.carried_over("GM0009")), (12, 5));
    assert_eq!(desk.send(&first), [0, 2, 0]);
}

#[test]
fn a_quote_that_is_never_closed_does_not_take_in_the_file() {
    let mut desk = Desk::new();
    let row = "7b1f1f0c-3f0e-4b7e-9d7a-0a1b2c3d4e5f,GM0001,2022-01-01,regular,1\n";
    let file = format!(
        "placement,municipality,counts_from,kind,persons\n{row}\"{}",
        row.replace("4e5f", "4e60").repeat(60_000)
    );
    let said = desk.try_send(&file).unwrap_err().to_string();
    assert!(said.contains("line 3") && said.contains("a quote in it is opened and never closed"), "{said}");
}
