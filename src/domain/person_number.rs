//! Recognising what must never be in the ledger: a citizen's or an alien's number.
//!
//! A BSN has nine digits that pass the eleven test, a V-number has ten digits. Both are looked for in every
//! piece of text that is delivered, before anything else is done with it. What looks like one is
//! refused and never repeated: not on disk, not in a log, not in a message.

use std::ops::Range;

/// Whether a text holds something that looks like a BSN or a V-number.
pub fn holds_person_number(text: &str) -> bool {
    // A UUID is an opaque token. Its digits are random, so looking into it only gives false alarms.
    if is_uuid(text) {
        return false;
    }
    first_person_number(text.as_bytes(), 0).is_some()
}

/// The text with everything that looks like a person's number taken out.
pub fn without_person_numbers(text: &str) -> String {
    let mut rest = 0;
    let mut kept = String::with_capacity(text.len());
    while let Some(found) = first_person_number(text.as_bytes(), rest) {
        kept.push_str(&text[rest..found.start]);
        kept.push_str("[removed]");
        rest = found.end;
    }
    kept.push_str(&text[rest..]);
    kept
}

/// The first run of digits from `from` on that looks like a number. Dots and spaces between digits
/// do not hide one: a BSN is often written 1234.56.782.
fn first_person_number(text: &[u8], from: usize) -> Option<Range<usize>> {
    let mut at = from;
    while at < text.len() {
        if !text[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let plain = at..run_end(text, at, false);
        let spaced = at..run_end(text, at, true);
        if is_person_number(&text[plain.clone()]) && !inside_uuid(text, &plain) {
            return Some(plain);
        }
        if is_person_number(&text[spaced.clone()]) && !inside_uuid(text, &spaced) {
            return Some(spaced);
        }
        at = plain.end;
        // The digits behind the separator are looked at on their own as well.
    }
    None
}

fn run_end(text: &[u8], start: usize, separators: bool) -> usize {
    let mut end = start;
    while end < text.len() {
        let next_is_digit = text.get(end + 1).is_some_and(u8::is_ascii_digit);
        match text[end] {
            b'0'..=b'9' => end += 1,
            b'.' | b' ' if separators && end > start && next_is_digit => end += 1,
            _ => break,
        }
    }
    end
}

fn is_person_number(run: &[u8]) -> bool {
    let mut digits = [0u8; 10];
    let mut count = 0;
    for digit in run.iter().filter(|b| b.is_ascii_digit()) {
        if count == 10 {
            return false;
        }
        digits[count] = digit - b'0';
        count += 1;
    }
    match count {
        9 => passes_eleven_test(&digits[..9]),
        10 => true,
        _ => false,
    }
}

/// The eleven test (elfproef) of a BSN: 9a + 8b + ... + 2h - i is divisible by eleven.
fn passes_eleven_test(digits: &[u8]) -> bool {
    let weights = [9, 8, 7, 6, 5, 4, 3, 2, -1];
    let sum: i32 = digits.iter().zip(weights).map(|(&digit, weight)| i32::from(digit) * weight).sum();
    sum % 11 == 0 && digits.iter().any(|&digit| digit != 0)
}

/// Whether the run lies in the middle of something that is written as a UUID.
fn inside_uuid(text: &[u8], run: &Range<usize>) -> bool {
    let belongs = |b: &u8| b.is_ascii_hexdigit() || *b == b'-';
    let before = text[..run.start].iter().rev().take_while(|b| belongs(b)).count();
    let after = text[run.end..].iter().take_while(|b| belongs(b)).count();
    std::str::from_utf8(&text[run.start - before..run.end + after]).is_ok_and(is_uuid)
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_wherever_it_stands() {
        for text in [
            "111222333",
            "BSN 111222333.",
            "1112.22.333",
            "111 222 333",
            "V-nummer 2801234567",
            "280 123 4567",
            "x111222333y",
            "2026 111222333",
        ] {
            assert!(holds_person_number(text), "{text}");
            assert!(!holds_person_number(&without_person_numbers(text)), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_of_a_person_passes() {
        for text in [
            "Stcrt. 2026, 10123",
            "111222334",
            "00000001234567890000",
            "2026-04-01",
            "kenmerk 7210165",
            "01890a5d-ac96-774b-bcce-111222333444",
            "urn:uuid:11122233-3000-774b-bcce-111222333444",
            "000000000",
        ] {
            assert!(!holds_person_number(text), "{text}");
        }
    }

    #[test]
    fn what_is_taken_out_leaves_the_rest() {
        assert_eq!(without_person_numbers("a 111222333 é 2801234567"), "a [removed] é [removed]");
    }
}
