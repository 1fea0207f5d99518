//! JSON as programs write it. JSON has only one kind of number, so `9.0` and `1e3` are integers where an
//! integer is expected (RFC 8259, section 6; JSON Schema, "integer"), and some programs write all integers like
//! that. serde distinguishes integers from other numbers by their spelling, so this module changes the spelling
//! before serde reads.

use std::borrow::Cow;

/// Numbers up to here are exact in every language that reads JSON.
const EXACT: f64 = 9_007_199_254_740_991.0;

/// Returns a JSON text with its whole numbers written as integers. Everything that is not a number stays as it
/// is, so a text that serde cannot read before, it cannot read afterwards either.
pub fn with_plain_integers(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let (mut written, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        match byte {
            b'"' => at = end_of_string(bytes, at + 1),
            b'-' | b'0'..=b'9' => {
                let rest = bytes.get(at..).unwrap_or_default();
                at += rest.iter().take_while(|byte| is_of_number(**byte)).count();
                let number = text.get(start..at).unwrap_or_default();
                if let Some(integer) = whole(number) {
                    written += text.get(copied..start).unwrap_or_default();
                    written += &integer;
                    copied = at;
                }
            }
            _ => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    written += text.get(copied..).unwrap_or_default();
    Cow::Owned(written)
}

/// Returns the position after a string that begins before `at`, its closing quote included.
pub fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => break,
            b'\\' => at += 1,
            _ => {}
        }
    }
    at.min(bytes.len())
}

fn is_of_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')
}

/// Returns the integer that equals a number with a fraction or an exponent, if there is one.
fn whole(number: &str) -> Option<String> {
    if !number.contains(['.', 'e', 'E']) || !is_number(number) {
        return None;
    }
    let value: f64 = number.parse().ok()?;
    let is_whole = value.fract() == 0.0 && value.abs() <= EXACT;
    // Adding zero turns a negative zero into a positive one.
    is_whole.then(|| format!("{:.0}", value + 0.0))
}

/// Whether a text is a number by the grammar of JSON, which is stricter than Rust's.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (digits, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, Some(exponent)),
        None => (unsigned, None),
    };
    let (integer, fraction) = match digits.split_once('.') {
        Some((integer, fraction)) => (integer, Some(fraction)),
        None => (digits, None),
    };
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let exponent = exponent.map(|it| it.strip_prefix(['+', '-']).unwrap_or(it));
    are_digits(integer)
        && (integer == "0" || !integer.starts_with('0'))
        && fraction.is_none_or(are_digits)
        && exponent.is_none_or(are_digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_an_integer_however_it_is_spelt() {
        for (text, plain) in [
            (r#"{"a": 9.0, "b": [1e3, -2.50E1]}"#, r#"{"a": 9, "b": [1000, -25]}"#),
            ("1761955200000.0", "1761955200000"),
            ("1.761955200123e12", "1761955200123"),
            ("-0.0", "0"),
            ("0e0", "0"),
        ] {
            assert_eq!(with_plain_integers(text), plain);
        }
    }

    #[test]
    fn what_is_no_whole_number_stays_as_it_is() {
        for text in [
            r#"{"a": 9.5, "b": "9.0", "c\"": "1e3 \\", "d": 7}"#,
            "1e400",
            "9007199254740993.0",
            "1.",
            ".0",
            "01.0",
            "1.e3",
            "1e",
            "1e+",
            "-.0",
            "--1.0",
            "1.0.0",
            "\"9.0",
            "\"9.0\\",
            "",
        ] {
            assert!(matches!(with_plain_integers(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
