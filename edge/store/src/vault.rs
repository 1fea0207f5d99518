//! Identity secrets at rest. The owner of an identity secret can sign for every respondent of its site. So if
//! the operator sets a key for them, `ASKLET_ENCRYPTION_KEY`, they are stored encrypted under it
//! (ChaCha20-Poly1305, RFC 8439), and a copy of the data alone is not enough to sign. Without the key they are
//! stored in the clear, and encrypted once the key is set.

use asklet_protocol::failure::Failure;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use sha2::{Digest, Sha256};

/// The variable that holds the key: any text of at least 32 bytes.
pub const VARIABLE: &str = "ASKLET_ENCRYPTION_KEY";
const KEY_BYTES: usize = 32;

const NONCE_BYTES: usize = 12;

/// The prefix of an encrypted secret. Secrets that we make contain no dot.
const LOCKED: &str = "v1.";

/// The operator's encryption key, if there is one.
pub struct Vault(Option<ChaCha20Poly1305>);

impl Vault {
    /// Makes a vault with or without a key.
    pub fn new(key: Option<&str>) -> Result<Self, Failure> {
        let Some(key) = key else { return Ok(Self(None)) };
        if key.len() < KEY_BYTES {
            let detail = format!("{VARIABLE} must have at least {KEY_BYTES} bytes");
            return Err(Failure::broken(detail));
        }
        let key = Sha256::new_with_prefix("identity secrets\0").chain_update(key).finalize();
        Ok(Self(Some(ChaCha20Poly1305::new(&<[u8; 32]>::from(key).into()))))
    }

    /// Returns a secret in the form in which it is stored.
    pub fn lock(&self, secret: &str) -> Result<String, Failure> {
        let Some(cipher) = &self.0 else { return Ok(secret.to_owned()) };
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce)?;
        let locked = cipher.encrypt(&Nonce::from(nonce), secret.as_bytes());
        let locked = locked.map_err(|_| Failure::broken("a secret was not encrypted"))?;
        Ok(LOCKED.to_owned() + &URL_SAFE_NO_PAD.encode([nonce.as_slice(), &locked].concat()))
    }

    /// Returns a stored secret in the clear, whether it is encrypted or not.
    pub fn open(&self, stored: &str) -> Result<String, Failure> {
        let Some(locked) = stored.strip_prefix(LOCKED) else { return Ok(stored.to_owned()) };
        let broken = || {
            let detail = format!("an identity secret does not decrypt: is {VARIABLE} another one?");
            Failure::broken(detail)
        };
        let cipher = self.0.as_ref().ok_or_else(broken)?;
        let bytes = URL_SAFE_NO_PAD.decode(locked).map_err(|_| broken())?;
        let (nonce, locked) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(broken)?;
        let opened = cipher.decrypt(&Nonce::from(*nonce), locked).map_err(|_| broken())?;
        String::from_utf8(opened).map_err(|_| broken())
    }

    /// Whether a stored secret is not encrypted although there is a key.
    pub fn is_due(&self, stored: &str) -> bool {
        self.0.is_some() && !stored.starts_with(LOCKED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(key: &str) -> Vault {
        Vault::new(Some(&key.repeat(32))).unwrap()
    }

    #[test]
    fn a_secret_is_read_with_the_key_alone_under_which_it_was_stored() {
        let stored = vault("a").lock("secret").unwrap();
        assert!(!stored.contains("secret") && stored != vault("a").lock("secret").unwrap());
        assert_eq!(vault("a").open(&stored).unwrap(), "secret");
        for other in [vault("b"), Vault::new(None).unwrap()] {
            assert!(other.open(&stored).is_err());
        }
        let changed = stored.replace("v1.", "v1.A");
        assert!(vault("a").open(&changed).is_err() && vault("a").open("v1.").is_err());
    }

    #[test]
    fn without_a_key_a_secret_is_stored_as_it_is_and_encrypted_once_there_is_one() {
        let none = Vault::new(None).unwrap();
        assert_eq!(none.lock("secret").unwrap(), "secret");
        assert_eq!(vault("a").open("secret").unwrap(), "secret");
        assert!(vault("a").is_due("secret") && !none.is_due("secret"));
        assert!(!vault("a").is_due(&vault("a").lock("secret").unwrap()));
        assert!(Vault::new(Some(&"a".repeat(31))).is_err());
    }
}
