//! Numbers as people read them.

use crate::book::statement::Ratio;

/// A number with a comma between thousands, `-12,345`.
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The same with its sign, where it says by how much something differs.
pub fn signed(number: i64) -> String {
    if number > 0 { format!("+{}", grouped(number)) } else { grouped(number) }
}

/// A number, or a dash where there is none.
pub fn or_dash(number: Option<i64>) -> String {
    number.map_or_else(|| "-".to_owned(), grouped)
}

/// A ratio as a percentage with one decimal, `83.5 %`, or a dash where there is none.
pub fn percent(ratio: Option<Ratio>) -> String {
    let Some(ratio) = ratio else { return "-".to_owned() };
    let parts = ratio.ten_thousandths();
    // To the nearest tenth of a percent, half away from zero, as the ratio itself was rounded.
    let tenths = (parts + 5 * parts.signum()) / 10;
    let sign = if tenths < 0 { "-" } else { "" };
    format!("{sign}{}.{} %", grouped(tenths.abs() / 10), tenths.abs() % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let written = [0, 999, 1_000, -1_793, 1_234_567].map(grouped);
        assert_eq!(written, ["0", "999", "1,000", "-1,793", "1,234,567"]);
    }

    #[test]
    fn a_percentage_has_one_decimal() {
        assert_eq!(percent(Ratio::of(1, 8)), "12.5 %");
        assert_eq!(percent(Ratio::of(-1, 1_000)), "-0.1 %");
        assert_eq!(percent(Ratio::of(3, 2)), "150.0 %");
        assert_eq!(percent(Ratio::of(3, 0)), "-");
    }
}
