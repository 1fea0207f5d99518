//! The id of a display: a UUIDv7 that the client makes, so that a display exists before any server knows of it,
//! and so that rows are stored in about the order in which they were shown.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A UUID of version 7 (RFC 9562, section 5.7), written in lower-case hexadecimal with hyphens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DisplayId([u8; 16]);

/// The text is not a UUID of version 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotADisplayId;

impl DisplayId {
    /// Makes an id from the client's clock and ten random bytes; the version and the variant replace six of
    /// their bits. Of `unix_ms` the low 48 bits are kept.
    pub fn new(unix_ms: u64, random: [u8; 10]) -> Self {
        let [_, _, t0, t1, t2, t3, t4, t5] = unix_ms.to_be_bytes();
        let [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9] = random;
        Self([
            t0,
            t1,
            t2,
            t3,
            t4,
            t5,
            0x70 | (r0 & 0x0f),
            r1,
            0x80 | (r2 & 0x3f),
            r3,
            r4,
            r5,
            r6,
            r7,
            r8,
            r9,
        ])
    }

    /// Makes the id of sixteen stored bytes; an error if they are not a UUID of version 7.
    pub fn from_bytes(bytes: [u8; 16]) -> Result<Self, NotADisplayId> {
        let [_, _, _, _, _, _, version, _, variant, ..] = bytes;
        if version >> 4 == 7 && variant >> 6 == 0b10 { Ok(Self(bytes)) } else { Err(NotADisplayId) }
    }

    /// Returns the sixteen bytes; their order is the order of the ids' times.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Returns the time of the client's clock, in milliseconds since the epoch. Nothing proves that it is
    /// right.
    pub fn unix_ms(&self) -> u64 {
        let [t0, t1, t2, t3, t4, t5, ..] = self.0;
        u64::from_be_bytes([0, 0, t0, t1, t2, t3, t4, t5])
    }

    /// Returns the lowest bytes that an id of this time can have: a bound for range scans, not an id. For times
    /// that are too large for an id, it is the bound of the last possible time.
    pub fn floor(unix_ms: u64) -> [u8; 16] {
        let unix_ms = unix_ms.min((1 << 48) - 1);
        let [_, _, t0, t1, t2, t3, t4, t5] = unix_ms.to_be_bytes();
        [t0, t1, t2, t3, t4, t5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    }
}

impl fmt::Display for DisplayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            for nibble in [byte >> 4, byte & 15] {
                let digit = HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
                fmt::Write::write_char(f, char::from(digit))?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for DisplayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for DisplayId {
    type Err = NotADisplayId;

    fn from_str(text: &str) -> Result<Self, NotADisplayId> {
        if text.len() != 36 {
            return Err(NotADisplayId);
        }
        let mut bytes = [0; 16];
        let mut at = bytes.iter_mut();
        for (group, length) in text.split('-').zip([8, 4, 4, 4, 12]) {
            if group.len() != length || !group.is_ascii() {
                return Err(NotADisplayId);
            }
            for pair in group.as_bytes().chunks(2) {
                let digits = std::str::from_utf8(pair).map_err(|_| NotADisplayId)?;
                // `from_str_radix` accepts a sign, which is not a digit.
                if digits.starts_with('+') {
                    return Err(NotADisplayId);
                }
                let byte = at.next().ok_or(NotADisplayId)?;
                *byte = u8::from_str_radix(digits, 16).map_err(|_| NotADisplayId)?;
            }
        }
        if at.next().is_some() { Err(NotADisplayId) } else { Self::from_bytes(bytes) }
    }
}

impl Serialize for DisplayId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DisplayId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(|NotADisplayId| {
            serde::de::Error::custom("a display id is a UUID of version 7")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_being_written_and_read() {
        // The example of RFC 9562, appendix A.6.
        let random = [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f];
        let id = DisplayId::new(1_645_557_742_000, random);
        assert_eq!(id.to_string(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.unix_ms(), 1_645_557_742_000);
        assert!(DisplayId::floor(id.unix_ms()) <= *id.as_bytes());
        assert!(DisplayId::floor(id.unix_ms() + 1) > *id.as_bytes());
    }

    #[test]
    fn anything_but_a_version_7_uuid_is_refused() {
        for text in [
            "",
            "019aa9ce-63b3-4fff-bfff-ffffffffffff",
            "019aa9ce-63b3-7fff-ffff-ffffffffffff",
            "019aa9ce63b37fffbfffffffffffffffffff",
            "019aa9ce-63b3-7fff-bfff-fffffffffff",
            "019aa9ce-63b3-7fff-bfff-ffffffffff+f",
            "é19aa9ce-63b3-7fff-bfff-fffffffffff",
        ] {
            assert_eq!(text.parse::<DisplayId>(), Err(NotADisplayId), "{text}");
        }
    }
}
