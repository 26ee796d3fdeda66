//! Percent-encoding (RFC 3986 §2.1), read strictly.

use super::ascii;

/// A `%` without two hexadecimal digits behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenPercent;

impl std::fmt::Display for BrokenPercent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a % has to be followed by two hexadecimal digits")
    }
}

impl std::error::Error for BrokenPercent {}

/// Appends what `encoded` says, decoded once: `%252e` becomes `%2e`. What isn't encoded is taken as
/// it is. On an error, `out` holds what came before it.
pub fn decode(encoded: &[u8], out: &mut Vec<u8>) -> Result<(), BrokenPercent> {
    let mut rest = encoded;
    loop {
        let plain = memchr::memchr(b'%', rest).unwrap_or(rest.len());
        let (before, from) = rest.split_at(plain);
        out.extend_from_slice(before);
        rest = match from {
            [] => return Ok(()),
            [_, high, low, behind @ ..] => {
                let (Some(high), Some(low)) = (ascii::hex_digit(*high), ascii::hex_digit(*low))
                else {
                    return Err(BrokenPercent);
                };
                out.push(high << 4 | low);
                behind
            }
            _ => return Err(BrokenPercent),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_triplet_is_one_byte_and_is_decoded_once() {
        for (encoded, plain) in [
            ("", &b""[..]),
            ("abc", b"abc"),
            ("%41%4a%4A", b"AJJ"),
            ("a%20b+c", b"a b+c"),
            ("%252e%252e", b"%2e%2e"),
            ("%00%ff", b"\0\xff"),
            ("%C3%A9", "é".as_bytes()),
        ] {
            let mut out = Vec::new();
            assert_eq!(decode(encoded.as_bytes(), &mut out), Ok(()), "{encoded}");
            assert_eq!(out, plain, "{encoded}");
        }
    }

    #[test]
    fn a_percent_without_two_digits_is_an_error() {
        for encoded in ["%", "%4", "a%", "%g0", "%0g", "%%41", "% 1", "%+1", "%é"] {
            assert_eq!(
                decode(encoded.as_bytes(), &mut Vec::new()),
                Err(BrokenPercent),
                "{encoded}"
            );
        }
    }
}
