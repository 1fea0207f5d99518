//! Keys of teams: only the digest of a key is ever stored.

use asklet_shared::scope::Scope;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::ids::SiteId;
use crate::seal::{digest, random_secret};

/// A team's key, as the caller sends it: `ak_<site>_<secret>`.
pub struct ApiKey {
    /// The site that the key says it is for; nothing is checked yet.
    pub site: String,
    /// The digest of the secret, which is all that is stored and compared.
    pub digest: KeyDigest,
}

/// The SHA-256 of a key's secret, in hexadecimal. A secret has 250 random bits, so a plain digest reveals
/// nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyDigest(pub String);

impl ApiKey {
    /// Makes a key for a site. Returns the text, which is shown once, and the digest to store.
    pub fn make(site: &SiteId) -> Result<(String, KeyDigest), Failure> {
        let secret = random_secret()?;
        Ok((format!("ak_{site}_{secret}"), KeyDigest(digest(secret.as_bytes()))))
    }

    /// Splits a key into its parts; returns `None` if the text is not a key.
    pub fn parse(text: &str) -> Option<Self> {
        let (site, secret) = text.strip_prefix("ak_")?.split_once('_')?;
        Some(Self { site: site.to_owned(), digest: KeyDigest(digest(secret.as_bytes())) })
    }
}

/// A key to store.
#[derive(Debug, Serialize, Deserialize)]
pub struct NewKey {
    /// The key's id in the log.
    pub id: String,
    /// The digest by which the site recognizes the key.
    pub digest: KeyDigest,
    /// The name that the team gave the key.
    pub name: String,
    /// What the key may do.
    pub scope: Scope,
    /// When the key was made, in milliseconds since the epoch.
    pub created_ms: u64,
}

/// A key as its team sees it, without anything secret.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeyRecord {
    /// The key's id in the log.
    pub id: String,
    /// The name that the team gave the key.
    pub name: String,
    /// What the key may do.
    pub scope: Scope,
    /// When the key was made, in milliseconds since the epoch.
    pub created_ms: u64,
    /// The day in UTC on which the key was last used, such as `2026-11-22`; `null` before its first use.
    pub last_used: Option<String>,
}

/// The keys of a site.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Keys {
    /// The keys, oldest first.
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
