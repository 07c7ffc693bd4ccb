//! Recognising what must never be in the ledger: a citizen's or an alien's number.
//!
//! A BSN has nine digits that pass the eleven test, a V-number has ten digits. Both are looked for in every
//! piece of text that is delivered, before anything else is done with it. What looks like one is
//! refused and never repeated: not on disk, not in a log, not in a message.
//!
//! In one place a V-number may come in: where a token is to be put in its place. There it is held in a type that cannot
//! be shown, written or copied.

use std::ops::Range;

use zeroize::Zeroize as _;

/// Whether a text holds something that looks like a BSN or a V-number.
pub fn holds_person_number(text: &str) -> bool {
    // Most texts are codes, dates and random tokens, and have too few digits or are a UUID.
    has_nine_digits(text) && !is_uuid(text) && first_person_number(&read(text)).is_some()
}

fn has_nine_digits(text: &str) -> bool {
    if text.len() < 9 {
        return false;
    }
    match text.is_ascii() {
        true => text.bytes().filter(u8::is_ascii_digit).count() >= 9,
        false => text.chars().filter(|it| digit(*it).is_some()).count() >= 9,
    }
}

/// The text with everything that looks like a person's number taken out.
pub fn without_person_numbers(text: &str) -> String {
    let signs = read(text);
    let mut kept = String::with_capacity(text.len());
    let mut rest = 0;
    while let Some(found) = first_person_number(&signs[rest..]) {
        let (from, to) = (signs[rest + found.start].at, signs[rest + found.end - 1].end);
        kept.push_str(&text[signs[rest].at..from]);
        kept.push_str("[removed]");
        debug_assert!(to <= text.len());
        rest += found.end;
    }
    kept.push_str(signs.get(rest).map_or("", |sign| &text[sign.at..]));
    kept
}

/// The number of a person (V-nummer, ten digits), on its way to a token.
///
/// It is shown nowhere, is copied nowhere, and its memory is wiped when it goes. Moving it leaves no copy behind.
pub struct PersonNumber(Box<[u8; 10]>);

/// Why a text is not the number of a person that may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAPersonNumber {
    /// It holds a BSN.
    Bsn,
    /// It is of another form than ten digits.
    Form,
}

impl PersonNumber {
    /// Reads exactly ten digits.
    ///
    /// # Errors
    /// When it is something else.
    pub fn parse(text: &str) -> Result<Self, NotAPersonNumber> {
        match text.len() {
            10 if text.bytes().all(|it| it.is_ascii_digit()) => {
                let mut number = Self(Box::new([0; 10]));
                number.0.copy_from_slice(text.as_bytes());
                Ok(number)
            }
            // A V-number that is written in another way has its digits as well.
            _ if text.chars().filter_map(digit).count() != 10 && holds_person_number(text) => {
                Err(NotAPersonNumber::Bsn)
            }
            _ => Err(NotAPersonNumber::Form),
        }
    }

    /// Its digits, as they are written.
    pub fn digits(&self) -> &[u8; 10] {
        &self.0
    }
}

impl Drop for PersonNumber {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// One sign of a text: what it is, and where it stands.
#[derive(Clone, Copy)]
struct Sign {
    is: Is,
    at: usize,
    end: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Is {
    Digit(u8),
    /// A dot or a space: digits are written with these between them in any way.
    Gap,
    /// A hyphen, stroke or the like, which also joins years, months and numbers of papers.
    Joint,
    /// A letter that a hexadecimal number can have.
    Hex,
    Other,
}

fn read(text: &str) -> Vec<Sign> {
    let sign = |(at, it): (usize, char)| {
        let is = match it {
            'a'..='f' | 'A'..='F' => Is::Hex,
            '.' => Is::Gap,
            '-' | '/' | '_' | '\u{2010}'..='\u{2015}' => Is::Joint,
            // Signs that nobody sees do not keep digits apart.
            '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => Is::Gap,
            it if it.is_whitespace() => Is::Gap,
            it => digit(it).map_or(Is::Other, Is::Digit),
        };
        Sign { is, at, end: at + it.len_utf8() }
    };
    text.char_indices().map(sign).collect()
}

/// The value of a digit, in the scripts that a keyboard or a word processor in the Netherlands may give.
fn digit(it: char) -> Option<u8> {
    let zero = match it {
        '0'..='9' => '0',
        '\u{660}'..='\u{669}' => '\u{660}',
        '\u{6f0}'..='\u{6f9}' => '\u{6f0}',
        '\u{ff10}'..='\u{ff19}' => '\u{ff10}',
        '\u{1d7ce}'..='\u{1d7ff}' => return Some(((it as u32 - 0x1d7ce) % 10) as u8),
        _ => return None,
    };
    Some((it as u32 - zero as u32) as u8)
}

/// The first run of digits that looks like a number.
fn first_person_number(signs: &[Sign]) -> Option<Range<usize>> {
    let mut at = 0;
    while at < signs.len() {
        if !matches!(signs[at].is, Is::Digit(_)) {
            at += 1;
            continue;
        }
        let groups = groups_from(signs, at);
        let first_end = groups[0].end;
        for count in 1..=groups.len() {
            let joined = at..groups[count - 1].end;
            if is_person_number(signs, &groups[..count]) && !in_hexadecimal(signs, &joined) {
                return Some(joined);
            }
        }
        // What stands behind a separator is looked at on its own as well.
        at = first_end;
    }
    None
}

/// The groups of digits that begin here and could be one number: at most ten digits, with at most two
/// separators between groups.
fn groups_from(signs: &[Sign], start: usize) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let mut at = start;
    let mut digits = 0;
    loop {
        let length = signs[at..].iter().take_while(|it| matches!(it.is, Is::Digit(_))).count();
        digits += length;
        groups.push(at..at + length);
        at += length;
        let gap = signs[at..].iter().take_while(|it| matches!(it.is, Is::Gap | Is::Joint)).count();
        let goes_on = matches!(signs.get(at + gap), Some(Sign { is: Is::Digit(_), .. }));
        if gap == 0 || gap > 2 || !goes_on || digits > 10 {
            return groups;
        }
        at += gap;
    }
}

fn is_person_number(signs: &[Sign], groups: &[Range<usize>]) -> bool {
    let digits: Vec<u8> = groups
        .iter()
        .flat_map(|group| &signs[group.clone()])
        .filter_map(|sign| if let Is::Digit(value) = sign.is { Some(value) } else { None })
        .collect();
    let looks = match digits.len() {
        9 => passes_eleven_test(&digits),
        10 => true,
        _ => false,
    };
    looks && (groups.len() == 1 || is_written_so(signs, groups))
}

/// Whether people write such a number with these separators. With dots and spaces any way will do;
/// strokes are looked at more closely, since `2026-10123` is a number of the Staatscourant.
fn is_written_so(signs: &[Sign], groups: &[Range<usize>]) -> bool {
    let strokes = groups
        .windows(2)
        .any(|pair| signs[pair[0].end..pair[1].start].iter().any(|sign| sign.is == Is::Joint));
    let lengths: Vec<usize> = groups.iter().map(ExactSizeIterator::len).collect();
    !strokes || [&[3, 3, 3][..], &[4, 2, 3], &[3, 3, 4], &[2, 3, 4], &[2, 2, 2, 3]].contains(&&lengths[..])
}

/// The eleven test (elfproef) of a BSN: 9a + 8b + ... + 2h - i is divisible by eleven.
fn passes_eleven_test(digits: &[u8]) -> bool {
    let weights = [9, 8, 7, 6, 5, 4, 3, 2, -1];
    let sum: i32 = digits.iter().zip(weights).map(|(&digit, weight)| i32::from(digit) * weight).sum();
    sum % 11 == 0 && digits.iter().any(|&digit| digit != 0)
}

/// Whether a run lies within a long hexadecimal number, such as a UUID or a hash, of which its digits
/// are a random part.
fn in_hexadecimal(signs: &[Sign], run: &Range<usize>) -> bool {
    let belongs = |sign: &&Sign| matches!(sign.is, Is::Digit(_) | Is::Hex);
    let before = signs[..run.start].iter().rev().take_while(belongs).count();
    let after = signs[run.end..].iter().take_while(belongs).count();
    let word = &signs[run.start - before..run.end + after];
    let letters = word.iter().filter(|sign| sign.is == Is::Hex).count();
    word.len() >= 12 && letters > 0
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_passed_at_a_glance_holds_no_number(text in "(\\PC{0,12}|[0-9]{1,4}|[0-9a-f-]{1,9}|[-. /_\u{200b}\u{a0}é]|[１２３]{1,9}){0,8}") {
            prop_assert_eq!(holds_person_number(&text), !is_uuid(&text) && first_person_number(&read(&text)).is_some());
        }

        #[test]
        fn nine_or_ten_digits_are_never_passed_at_a_glance(before in "\\PC{0,3}", number in "[0-9１２３]{9,10}", after in "\\PC{0,3}") {
            let text = before + &number + &after;
            prop_assert!(has_nine_digits(&text));
        }
    }

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
            "111-222-333",
            "1112/22/333",
            "111_222_333",
            "111  222  333",
            "111\u{a0}222\u{2009}333",
            "1\u{200b}1\u{200b}1222333",
            "１１１２２２３３３",
            "280-123-4567",
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
            "stcrt-2026-12345",
            "2026-12341",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "sha256:2801234567ab",
        ] {
            assert!(!holds_person_number(text), "{text}");
        }
    }

    #[test]
    fn ten_digits_come_in_and_nothing_else_does() {
        let fault = |text| PersonNumber::parse(text).err();
        assert_eq!(PersonNumber::parse("2801234567").ok().map(|it| *it.digits()), Some(*b"2801234567"));
        for bsn in ["111222333", "1112.22.333", "BSN 111222333", "0111222333 or 111222333"] {
            assert_eq!(fault(bsn), Some(NotAPersonNumber::Bsn), "{bsn}");
        }
        for form in
            ["", "280123456", "280 123 4567", " 2801234567", "V2801234567", "28012345678", "\u{662}801234567"]
        {
            assert_eq!(fault(form), Some(NotAPersonNumber::Form), "{form}");
        }
    }

    /// Does not compile where the type has the trait: then there are two ways to read it.
    macro_rules! has_not {
        ($of:ty: $($name:path),*) => {
            $(const _: fn() = || {
                trait Either<A> {
                    fn named() {}
                }
                impl<T: ?Sized> Either<()> for T {}
                struct Has;
                impl<T: ?Sized + $name> Either<Has> for T {}
                let _ = <$of as Either<_>>::named;
            };)*
        };
    }

    has_not!(PersonNumber: std::fmt::Debug, std::fmt::Display, Clone, serde::Serialize, AsRef<[u8]>);

    #[test]
    fn what_is_taken_out_leaves_the_rest() {
        assert_eq!(without_person_numbers("a 111222333 é 2801234567"), "a [removed] é [removed]");
    }
}
