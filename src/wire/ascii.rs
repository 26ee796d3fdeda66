//! Byte classes of RFC 9110 §5.6 and RFC 3986, and the list syntax of §5.6.1.
//!
//! Everything is decided on bytes: a field value is octets, never text.

const TOKEN: u8 = 1;
const TARGET: u8 = 2;
const VALUE: u8 = 4;
const REG_NAME: u8 = 8;

/// One table for all classes, a bit each: a lookup costs the same for every byte.
#[expect(clippy::indexing_slicing, reason = "while it is compiled")]
const CLASS: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut i = 0;
    while i < 256 {
        let b = i as u8;
        let mut class = 0;
        let tchar = b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'!' | b'#'
                    | b'$'
                    | b'%'
                    | b'&'
                    | b'\''
                    | b'*'
                    | b'+'
                    | b'-'
                    | b'.'
                    | b'^'
                    | b'_'
                    | b'`'
                    | b'|'
                    | b'~'
            );
        if tchar {
            class |= TOKEN;
        }
        if b.is_ascii_graphic() && b != b'#' {
            class |= TARGET;
        }
        if b == b'\t' || b == b' ' || b.is_ascii_graphic() || b >= 0x80 {
            class |= VALUE;
        }
        let reg_name = b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'-' | b'.'
                    | b'_'
                    | b'~'
                    | b'%'
                    | b'!'
                    | b'$'
                    | b'&'
                    | b'\''
                    | b'('
                    | b')'
                    | b'*'
                    | b'+'
                    | b','
                    | b';'
                    | b'='
            );
        if reg_name {
            class |= REG_NAME;
        }
        table[i] = class;
        i += 1;
    }
    table
};

#[expect(clippy::indexing_slicing, reason = "there is an entry for each byte")]
fn all(bytes: &[u8], class: u8) -> bool {
    bytes.iter().all(|&b| CLASS[b as usize] & class != 0)
}

/// Whether the bytes are a `token` (RFC 9110 §5.6.2): at least one `tchar`, nothing else.
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && all(bytes, TOKEN)
}

/// Whether each byte may stand in a request target: visible ASCII except `#` (a fragment is never
/// sent, RFC 9112 §3.2). An empty slice passes.
pub fn is_target(bytes: &[u8]) -> bool {
    all(bytes, TARGET)
}

/// Whether each byte may stand in a field value: HTAB, SP, visible ASCII and 0x80-0xFF
/// (`field-vchar`, RFC 9110 §5.5). An empty slice passes.
pub fn is_field_value(bytes: &[u8]) -> bool {
    all(bytes, VALUE)
}

/// Whether each byte may stand in a `reg-name` (RFC 3986 §3.2.2); `%` is checked by the caller.
pub fn is_reg_name(bytes: &[u8]) -> bool {
    all(bytes, REG_NAME)
}

/// The value of a hexadecimal digit in either case (`HEXDIG`, RFC 5234 §B.1); `None` for other bytes.
pub fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Cuts optional white space (SP and HTAB, RFC 9110 §5.6.3) from both ends.
pub fn trim_ows(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// The elements of a comma-separated list (RFC 9110 §5.6.1), trimmed; empty ones are kept for the
/// caller to judge.
pub fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&b| b == b',').map(trim_ows)
}

/// Reads a decimal number strictly: digits only, no sign, no leading zero, at most `max`.
pub fn decimal(bytes: &[u8], max: u64) -> Option<u64> {
    match bytes {
        [] | [b'0', _, ..] => return None,
        _ => {}
    }
    let mut value = 0u64;
    for &b in bytes {
        if !b.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(b - b'0'))?;
    }
    (value <= max).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_class_matches_the_grammar_byte_by_byte() {
        for b in 0..=255u8 {
            let naive = b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
            assert_eq!(is_token(&[b]), naive, "{b:#x}");
        }
        assert!(!is_token(b""));
    }

    #[test]
    fn target_and_value_classes_match_the_grammar_byte_by_byte() {
        for b in 0..=255u8 {
            assert_eq!(is_target(&[b]), (0x21..=0x7e).contains(&b) && b != b'#', "{b:#x}");
            let value = b == 9 || (0x20..=0x7e).contains(&b) || b >= 0x80;
            assert_eq!(is_field_value(&[b]), value, "{b:#x}");
        }
    }

    #[test]
    fn decimal_takes_plain_digits_only() {
        let max = crate::limits::CONTENT_LENGTH;
        for (text, want) in [
            ("0", Some(0)),
            ("7", Some(7)),
            ("9007199254740991", Some(max)),
            ("9007199254740992", None),
            ("18446744073709551616", None),
            ("99999999999999999999999", None),
            ("00", None),
            ("007", None),
            ("", None),
            ("+5", None),
            ("-1", None),
            ("0x5", None),
            ("5 ", None),
            (" 5", None),
            ("5, 5", None),
            ("5_0", None),
        ] {
            assert_eq!(decimal(text.as_bytes(), max), want, "{text:?}");
        }
    }

    #[test]
    fn list_trims_elements_and_keeps_empty_ones() {
        let elements: Vec<_> = list(b" a ,\tb,, c").collect();
        assert_eq!(elements, [&b"a"[..], b"b", b"", b"c"]);
    }
}
