//! Keys of teams: only the digest of a key is ever stored.

use asklet_shared::scope::Scope;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::ids::SiteId;
use crate::seal::{digest, random_secret};

/// A team's key, as its bearer sends it: `ak_<site>_<secret>`.
pub struct ApiKey {
    /// The site that the key says it is for; nothing is checked yet.
    pub site: String,
    /// The digest of the secret, which is all that is stored and compared.
    pub digest: KeyDigest,
}

/// The SHA-256 of a key's secret, in hexadecimal. A secret has 250 random bits, so a plain digest
/// gives nothing away.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyDigest(pub String);

impl ApiKey {
    /// Makes a key for a site: the text to show once, and what to keep.
    pub fn make(site: &SiteId) -> Result<(String, KeyDigest), Failure> {
        let secret = random_secret()?;
        Ok((format!("ak_{site}_{secret}"), KeyDigest(digest(secret.as_bytes()))))
    }

    /// Takes a key apart; `None` where the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (site, secret) = text.strip_prefix("ak_")?.split_once('_')?;
        Some(Self { site: site.to_owned(), digest: KeyDigest(digest(secret.as_bytes())) })
    }
}

/// A key that is to be kept.
#[derive(Debug, Serialize, Deserialize)]
pub struct NewKey {
    /// What it is called in the log.
    pub id: String,
    /// What it is known by.
    pub digest: KeyDigest,
    /// What its team calls it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
}

/// A key as its team sees it: nothing of what is secret.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeyRecord {
    /// What it is called in the log.
    pub id: String,
    /// What its team calls it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
    /// The day in UTC on which it was last shown, such as `2026-11-22`; `null` before the first time.
    pub last_used: Option<String>,
}

/// The keys of a site.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Keys {
    /// The oldest first.
    pub keys: Vec<KeyRecord>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::Seal;

    #[test]
    fn a_key_comes_apart_again() {
        let site = Seal::new("a secret of the tests, long enough").unwrap().new_site().unwrap();
        let (text, digest) = ApiKey::make(&site).unwrap();
        let key = ApiKey::parse(&text).unwrap();
        assert_eq!((key.site.as_str(), key.digest.0), (site.as_str(), digest.0));
        assert!(ApiKey::parse("ak_").is_none() && ApiKey::parse("Bearer x").is_none());
    }
}
