//! Authenticated encryption of stored texts: ChaCha20-Poly1305 (RFC 8439) under a separate key for each
//! display, with a random nonce for each text, so that two revisions never share a keystream.

use std::collections::VecDeque;
use std::fmt;

use asklet_protocol::failure::Failure;
use asklet_shared::display_id::DisplayId;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};

/// Number of bytes of a key, and of a nonce.
pub const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;

/// The key of one display.
#[derive(Clone, PartialEq, Eq)]
pub struct DisplayKey {
    /// The number of the key, which the display's row stores.
    pub number: u64,
    secret: [u8; KEY_BYTES],
}

impl DisplayKey {
    /// Makes a key from its stored bytes; returns `None` if the key was never written, or was destroyed.
    pub fn stored(number: u64, bytes: &[u8]) -> Option<Self> {
        let secret = <[u8; KEY_BYTES]>::try_from(bytes).ok()?;
        let is_key = secret != UNUSED && secret != DESTROYED;
        is_key.then_some(Self { number, secret })
    }

    /// Encrypts a text of a display. The display's id is authenticated with the text, so that the text can be
    /// read only as that display's text.
    pub fn seal(&self, id: DisplayId, text: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut nonce = [0; NONCE_BYTES];
        fill_randomly(&mut nonce)?;
        let payload = Payload { msg: text, aad: id.as_bytes() };
        let sealed = self.cipher().encrypt(&Nonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| Failure::broken("a text was not encrypted"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts the output of [`DisplayKey::seal`].
    pub fn open(&self, id: DisplayId, sealed: &[u8]) -> Result<Vec<u8>, Failure> {
        let broken = || Failure::broken("a stored text does not decrypt");
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or_else(broken)?;
        let payload = Payload { msg: sealed, aad: id.as_bytes() };
        self.cipher().decrypt(&Nonce::from(*nonce), payload).map_err(|_| broken())
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&self.secret.into())
    }
}

impl fmt::Debug for DisplayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the secret: printed text may end up in a log.
        write!(f, "key {}", self.number)
    }
}

/// The bytes in the place of a key that no display ever had.
pub const UNUSED: [u8; KEY_BYTES] = [0; KEY_BYTES];

/// The bytes in the place of a key that was destroyed.
pub const DESTROYED: [u8; KEY_BYTES] = [u8::MAX; KEY_BYTES];

/// Stored keys that no display has yet. This list lives as long as the object is awake.
#[derive(Debug, Default)]
pub struct SpareKeys {
    /// The keys, in the order of their numbers.
    pub keys: VecDeque<DisplayKey>,
    /// Number of keys that were taken since the object woke.
    pub taken: usize,
}

/// Fills a buffer with random bytes of the platform.
pub fn fill_randomly(bytes: &mut [u8]) -> Result<(), Failure> {
    Ok(getrandom::fill(bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: [u8; 10] = [7; 10];

    fn key(byte: u8) -> DisplayKey {
        DisplayKey::stored(3, &[byte; KEY_BYTES]).unwrap()
    }

    #[test]
    fn a_text_is_read_with_the_key_and_the_id_that_it_was_sealed_with_and_with_no_other() {
        let id = DisplayId::new(1, ID);
        let sealed = key(1).seal(id, b"words").unwrap();
        assert_eq!(key(1).open(id, &sealed).unwrap(), b"words");
        assert!(key(2).open(id, &sealed).is_err());
        assert!(key(1).open(DisplayId::new(2, ID), &sealed).is_err());
        let mut changed = sealed.clone();
        changed[NONCE_BYTES] ^= 1;
        assert!(key(1).open(id, &changed).is_err());
        assert!(key(1).open(id, &sealed[..5]).is_err());
        // The same text is never encrypted to the same bytes.
        assert_ne!(key(1).seal(id, b"words").unwrap(), sealed);
    }

    #[test]
    fn what_stands_in_the_place_of_a_key_is_none() {
        assert_eq!(DisplayKey::stored(0, &UNUSED), None);
        assert_eq!(DisplayKey::stored(0, &DESTROYED), None);
        assert_eq!(DisplayKey::stored(0, &[1; 31]), None);
    }

    #[test]
    fn a_key_is_never_printed() {
        assert_eq!(format!("{:?}", key(200)), "key 3");
    }
}
