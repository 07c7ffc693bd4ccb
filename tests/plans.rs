//! Reading a production plan: what is understood, and what is said about what is not.

use peildatum::domain::person_number::holds_person_number;
use peildatum::domain::plan::Planned;
use peildatum::domain::time::Month;
use peildatum::feed::plan::{self, COLUMNS};

/// The rows of a plan: category, month, decisions, and what is granted and arrives in ten-thousandths of a percent.
fn rows(content: impl AsRef<[u8]>) -> Vec<String> {
    let read = plan::read(content.as_ref()).unwrap_or_else(|faults| panic!("{faults}"));
    let row = |category: &str, month: &Month, it: &Planned| {
        let arriving =
            it.arrivals.map_or_else(String::new, |_| format!(" {:?}", it.counting().map(|it| it.parts())));
        format!("{category} {month} {} {}{arriving}", it.decisions, it.grant_rate.parts())
    };
    let categories = read.plan.categories();
    let rows: Vec<_> = categories
        .flat_map(|(category, months)| {
            months.iter().map(move |(month, it)| row(category.as_str(), month, it))
        })
        .collect();
    assert_eq!(read.rows as usize, rows.len());
    rows
}

fn faults(content: impl AsRef<[u8]>) -> Vec<String> {
    let faults = plan::read(content.as_ref()).expect_err("it cannot be understood").to_string();
    assert!(!holds_person_number(&faults), "{faults}");
    faults.lines().map(str::to_owned).collect()
}

#[test]
fn a_plan_is_read_in_either_dialect_and_with_its_columns_in_any_order() {
    let expected = [
        "Spoor 4 2024-10 3500 645000".to_owned(),
        "nareis 2024-09 1200 700000 [100000, 400000, 0, 5000]".to_owned(),
        "nareis 2024-10 0 1000000 [0, 0, 0, 0]".to_owned(),
    ];
    let plain = "month,category,decisions,grant_rate,arriving_0,arriving_1,arriving_2,arriving_3\n\
        2024-10,Spoor 4,3500,64.5,,,,\n\n2024-09,nareis,1200,70,10,40,,0.5\n2024-10,nareis,0,100,0,,,\n";
    assert_eq!(rows(plain), expected);
    let dutch = plain.replace(',', ";").replace('.', ",").replace('\n', "\r\n");
    assert_eq!(rows(format!("\u{feff}{dutch}")), expected);
    let turned = "decisions, grant_rate ,category,month\n3500,\"64,5\", Spoor 4 ,2024-10\n,,,\n";
    assert_eq!(rows(turned), expected[..1]);
    // A spreadsheet leaves empty cells behind the last column.
    assert_eq!(rows("month;category;decisions;grant_rate;;\n2024-10;Spoor 4;3500;64,5;;\n"), expected[..1]);
}

#[test]
fn every_fault_is_told_with_its_place_and_what_to_do() {
    let wrong = "month,category,decisions,grant_rate,arriving_0,arriving_1\n\
        10-2024,general,1.200,64.5%,,\n\
        2024-10,,-1,101,x,\n\
        2024-10,general,1,50,60,41\n\
        2024-10,general,1,50,,\n\
        2024-11,general,,,,\n\
        2024-12,111222333,2801234567,50,,\n\
        2024-12,general,1,50,,,7\n\
        2025-01,general,10000001,50,,\n";
    let told = faults(wrong);
    let begins = [
        "row 2, column month: is not a month: write YYYY-MM",
        "row 2, column decisions: is not a whole number that fits here: write digits only",
        "row 2, column grant_rate: is not a percentage from 0 to 100: write 64.5",
        "row 3, column category: is empty: fill it in",
        "row 3, column decisions: is not a whole number",
        "row 3, column grant_rate: is not a percentage from 0 to 100",
        "row 3, column arriving_0: is not a percentage from 0 to 100",
        "row 4, columns arriving_0 to arriving_3: the parts that arrive add up to more than 100 percent",
        "row 5: is about the month and category of row 4: make one row of the two",
        "row 6, column decisions: is empty: fill it in",
        "row 6, column grant_rate: is empty: fill it in",
        "row 7, column category: holds what looks like a person's number",
        "row 7, column decisions: holds what looks like a person's number",
        "row 8: has more cells than the header has columns",
        "row 9, column decisions: is more than the ten million persons",
    ];
    for (said, begin) in told.iter().zip(begins) {
        assert!(said.starts_with(begin), "{said:?} is not {begin:?}");
    }
    assert_eq!(told.len(), begins.len(), "{told:#?}");
}

#[test]
fn a_header_that_is_none_is_told_of_as_a_whole() {
    for (header, said) in [
        (
            "month,category,decisions",
            "row 1: there is no column grant_rate: add it, since every row needs one",
        ),
        (
            "month,month,category,decisions,grant_rate",
            "row 1: names the column month twice: keep one of the two",
        ),
        (
            "month,category,decisions,grant_rate,111222333",
            "row 1: column 5 is called something else than month, category, decisions, grant_rate or arriving_0 to arriving_3: rename it or take it out",
        ),
    ] {
        assert_eq!(faults(format!("{header}\n2024-10,x,1,1,1\n")), [said]);
    }
    assert_eq!(faults("a,b\n1,2\n").len(), 6, "two unknown columns, and four that are missing");
    let header = COLUMNS.join(",");
    for (content, said) in [
        (&b""[..], "the plan is empty"),
        (b"\xef\xbb\xbf\n;;\n", "the plan is empty"),
        (header.as_bytes(), "the plan has no row below its header"),
        (b"PK\x03\x04", "this is a workbook"),
        (b"\xd0\xcf\x11\xe0", "this is a workbook"),
        (b"\xff\xfem\0", "this is text in UTF-16"),
        (
            b"month,category,decisions,grant_rate\n2024-10,\xe9\xe9n,1,1\n",
            "row 2, column category: is not text in UTF-8: save the file as CSV in UTF-8",
        ),
    ] {
        let told = faults(content);
        assert!(told.len() == 1 && told[0].starts_with(said), "{told:?}");
    }
}
