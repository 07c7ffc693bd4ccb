//! Reading a municipality's own list: what is understood, and what is said about what is not.

use peildatum::book::reconciliation::ListRow;
use peildatum::domain::area::{Municipality, MunicipalityCode};
use peildatum::domain::person_number::holds_person_number;
use peildatum::feed::own_list::{self, OwnList};
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};

use crate::cases_reconcile;
use crate::model;
use crate::world::World;

const ID: &str = "4c1b7a50-2f0e-4d83-9a6c-51d2e8f7b301";

fn list(content: impl AsRef<[u8]>) -> OwnList {
    own_list::read(content.as_ref()).unwrap_or_else(|faults| panic!("{faults}"))
}

fn rows(content: impl AsRef<[u8]>) -> Vec<String> {
    let row = |it: &ListRow| {
        let reference = it.reference.as_ref().map_or("-".to_owned(), ToString::to_string);
        let placement = it.placement.map_or("-".to_owned(), |it| it.to_string());
        format!("{} {reference} {placement} {} {} {}", it.row, it.date, it.kind, it.persons)
    };
    list(content).rows.iter().map(row).collect()
}

fn faults(content: impl AsRef<[u8]>) -> Vec<String> {
    let content = content.as_ref();
    let faults = own_list::read(content).expect_err("it cannot be understood").to_string();
    assert!(!holds_person_number(&faults), "{faults}");
    faults.lines().map(str::to_owned).collect()
}

#[test]
fn a_list_is_read_in_either_dialect_and_with_its_columns_in_any_order() {
    let expected =
        [format!("2 A-1 {ID} 2025-02-03 regular 1"), "4 - - 2025-02-04 amv_small_scale_care 3".to_owned()];
    let plain = format!(
        "reference,placement,date,kind,persons\nA-1,{ID},2025-02-03,regular,\n\n,,2025-02-04,amv_small_scale_care,3\n"
    );
    assert_eq!(rows(&plain), expected);
    let dutch = plain.replace(',', ";").replace('\n', "\r\n");
    assert_eq!(rows(format!("\u{feff}{dutch}")), expected);
    let turned = format!(
        "kind , persons,date,placement, reference\nregular,1,2025-02-03,{ID}, A-1 \n,,,,\n\"amv_small_scale_care\",3,2025-02-04,,\n"
    );
    assert_eq!(rows(turned), expected);
    assert_eq!(rows("date,kind\n2025-02-03,regular\n"), ["2 - - 2025-02-03 regular 1"]);
    // A spreadsheet leaves empty cells behind the last column, and an amv who moved away is one person less.
    let away = "date;kind;persons;;\n2025-02-03;amv_small_scale_care;-1;;\n;;;;\n";
    assert_eq!(rows(away), ["2 - - 2025-02-03 amv_small_scale_care -1"]);
}

#[test]
fn a_list_as_it_is_delivered_to_the_ledger_will_do() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/placements.csv");
    let delivered = list(std::fs::read(path).expect("the example"));
    assert_eq!(delivered.rows.len(), 3);
    assert_eq!(delivered.rows[0].placement, Some(model::parse(ID)));

    let mut world = World::default();
    for (code, name) in [("GM0599", "Rotterdam"), ("GM0518", "Den Haag")] {
        let command = peildatum::decide::command::Command::RegisterMunicipality(Municipality {
            code: model::parse(code),
            name: model::parse(name),
            province: model::parse("PV28"),
            safety_region: model::parse("VR17"),
            from: model::parse("1990-01-01"),
        });
        world.offer(model::parse("2026-01-01"), &command).expect("recorded");
    }
    let code: MunicipalityCode = model::parse("GM0518");
    let scope =
        world.book.reconciliation_scope(code, model::parse("2026-I"), world.size()).expect("it exists");
    let said = delivered.check(&scope).expect_err("two rows are of Rotterdam").to_string();
    assert_eq!(
        said,
        "row 2 and 1 other, column municipality: names GM0599, and GM0518 is compared: leave rows of others out"
    );
    let own: String = format!("municipality,date,kind\n{code},2026-02-09,regular\n");
    assert!(list(own).check(&scope).is_ok());
    assert!(
        cases_reconcile::compared(&world, code, model::parse("2026-I"), world.size(), delivered.rows).is_ok()
    );
}

#[test]
fn every_fault_is_told_with_its_place_and_what_to_do() {
    let wrong = format!(
        "reference,placement,date,kind,persons\n\
         A,{ID},03-02-2025,regular,1\n\
         B,{ID},2025-02-03,flying,0\n\
         C,P7,,regular,1.5\n\
         D,,2025-02-03,regular,1,7\n\
         111222333,,2025-02-03,regular,2801234567\n"
    );
    let kinds = "write one of regular family_reunification";
    for (said, begin) in faults(wrong).iter().zip([
        "row 2, column date: is not a date: write YYYY-MM-DD",
        &format!("row 3, column kind: is not a kind of placement: {kinds}"),
        "row 3, column persons: is 0: leave out a row about nobody",
        "row 3, column placement: names the placement of row 2 again: write it once",
        "row 4, column placement: is not the id of a placement: write a UUID",
        "row 4, column date: is empty: fill it in",
        "row 4, column persons: is not a whole number that fits here",
        "row 5: has more cells than the header has columns",
        "row 6, column reference: holds what looks like a person's number",
        "row 6, column persons: holds what looks like a person's number",
    ]) {
        assert!(said.starts_with(begin), "{said:?} is not {begin:?}");
    }
    for (header, said) in [
        ("date,date,kind", "row 1: names the column date twice: keep one of the two"),
        (
            "date,counts_from,kind",
            "row 1: names the columns date and counts_from, which mean the same: keep one of the two",
        ),
        ("reference,kind", "row 1: there is no column date: add it, since every row needs one"),
        (
            "kind,111222333,date",
            "row 1: column 2 is called something else than reference, placement, municipality, date, kind or persons: rename it or take it out",
        ),
    ] {
        assert_eq!(faults(format!("{header}\n2025-02-03,x,y\n")), [said]);
    }
    assert_eq!(faults("").len(), 1);
    assert_eq!(faults("\u{feff}\n;;\n").len(), 1);
    assert_eq!(faults(b"date,kind\n2025-02-03,\xe9\xe9n\n").len(), 1, "Windows-1252");
    assert!(faults(b"\xff\xfed\0a\0t\0e\0")[0].contains("UTF-16"));
    assert!(faults(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")[0].contains("save it as XLSX or CSV"));
    assert!(faults(b"PK\x03\x04 and nothing else")[0].contains("cannot be read"));
}

#[test]
fn so_many_faults_are_told_and_the_others_counted() {
    let wrong = format!("date,kind\n{}", "soon,regular\n".repeat(40));
    let told = faults(wrong);
    assert_eq!(told.len(), 26);
    assert_eq!(told[25], "and 15 more: mend these first");
    assert!(told[24].starts_with("row 26, column date"), "{}", told[24]);
}

/// A workbook with these sheets.
fn workbook(sheets: &[&dyn Fn(&mut rust_xlsxwriter::Worksheet)]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    for fill in sheets {
        fill(workbook.add_worksheet());
    }
    workbook.save_to_buffer().expect("a workbook")
}

#[test]
fn a_workbook_is_read_with_its_dates_and_numbers() {
    let as_date = Format::new().set_num_format("dd-mm-yyyy");
    let date = |year, month, day| ExcelDateTime::from_ymd(year, month, day).expect("a day");
    let own = |sheet: &mut rust_xlsxwriter::Worksheet| {
        for (column, name) in ["reference", "date", "kind", "persons", "placement"].iter().enumerate() {
            sheet.write(1, column as u16, *name).expect("a cell");
        }
        sheet.write(2, 0, 1_017).expect("a cell");
        sheet.write_with_format(2, 1, date(2025, 2, 28), &as_date).expect("a cell");
        sheet.write(2, 2, "regular").expect("a cell");
        sheet.write(2, 4, ID).expect("a cell");
        sheet.write(5, 0, " B-2 ").expect("a cell");
        sheet.write(5, 1, "2025-03-01").expect("a cell");
        sheet
            .write(5, 2, Formula::new("LOWER(\"HOTEL_SCHEME\")").set_result("hotel_scheme"))
            .expect("a cell");
        sheet.write(5, 3, 12.0).expect("a cell");
    };
    let empty = |_: &mut rust_xlsxwriter::Worksheet| {};
    let expected =
        [format!("3 1017 {ID} 2025-02-28 regular 1"), "6 B-2 - 2025-03-01 hotel_scheme 12".to_owned()];
    assert_eq!(rows(workbook(&[&own])), expected);
    assert_eq!(rows(workbook(&[&empty, &own, &empty])), expected);
    let both = faults(workbook(&[&own, &own]));
    assert_eq!(
        both,
        ["the workbook has 2 sheets with something on them: keep the list in a workbook of its own"]
    );
    assert_eq!(faults(workbook(&[&empty])).len(), 1);

    // A cell in the last corner of the sheet costs no more than any other.
    let far = |sheet: &mut rust_xlsxwriter::Worksheet| {
        own(sheet);
        sheet.write(1_048_575, 16_383, "x").expect("a cell");
    };
    let said = faults(workbook(&[&far]));
    assert!(said[0].starts_with("row 1048576: has more cells than the header"), "{said:?}");
}

#[test]
fn a_cell_beyond_the_end_of_any_sheet_makes_the_workbook_unreadable() {
    use std::io::{Cursor, Read as _, Write as _};
    use zip::write::SimpleFileOptions;
    let one = |sheet: &mut rust_xlsxwriter::Worksheet| {
        sheet.write(0, 0, 1).expect("a cell");
    };
    // Column 17,576 and row 1,048,577.
    for place in ["YYZ1", "A1048577"] {
        let mut whole = zip::ZipArchive::new(Cursor::new(workbook(&[&one]))).expect("a workbook");
        let mut forged = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for index in 0..whole.len() {
            let mut file = whole.by_index(index).expect("a part");
            let mut text = String::new();
            file.read_to_string(&mut text).expect("XML");
            forged
                .start_file(file.name().expect("a name").into_owned(), SimpleFileOptions::default())
                .expect("a part");
            let text = text.replace(r#"<c r="A1""#, &format!(r#"<c r="{place}""#));
            forged.write_all(text.as_bytes()).expect("its text");
        }
        let said = faults(forged.finish().expect("a workbook").into_inner());
        assert_eq!(
            said,
            ["this is a workbook that cannot be read: open it, and save it anew as XLSX or CSV"]
        );
    }
}

#[test]
fn what_is_wrong_in_a_workbook_is_told_by_row_and_column() {
    let as_date = Format::new().set_num_format("dd-mm-yyyy");
    let wrong = |sheet: &mut rust_xlsxwriter::Worksheet| {
        for (column, name) in ["reference", "date", "kind", "persons"].iter().enumerate() {
            sheet.write(0, column as u16, *name).expect("a cell");
        }
        // A date that was typed as a number, a time far away, and a BSN as a number.
        for (row, reference) in [(1, 1.0), (2, 2.0), (3, 111_222_333.0), (4, 4.0)] {
            sheet.write(row, 0, reference).expect("a cell");
            sheet.write(row, 2, "regular").expect("a cell");
        }
        sheet.write(1, 1, 45_000).expect("a cell");
        sheet.write_with_format(2, 1, 9_000, &as_date).expect("a cell");
        sheet.write(3, 1, "2025-03-01").expect("a cell");
        sheet.write(4, 1, "2025-03-01").expect("a cell");
        sheet.write(4, 3, 1.5).expect("a cell");
    };
    let said = faults(workbook(&[&wrong]));
    for (said, begin) in said.iter().zip([
        "row 2, column date: is not a date: write YYYY-MM-DD",
        "row 3, column date: is not a date between 1990-01-01",
        "row 4, column reference: holds what looks like a person's number",
        "row 5, column persons: is not a whole number",
    ]) {
        assert!(said.starts_with(begin), "{said:?} is not {begin:?}");
    }
    assert_eq!(said.len(), 4);
    // Half a workbook is no list.
    let whole = workbook(&[&wrong]);
    assert_eq!(faults(&whole[..whole.len() / 2]).len(), 1);
}
