//! Sealed ids and secrets.
//!
//! Site and survey ids are public, and a public route must not wake or create an object for an id that an
//! untrusted client has made up. So an id ends with a truncated MAC of the characters before it, under the
//! deployment's secret, and the Worker refuses any other id before it calls an object. A seal is not a
//! permission: everybody who sees a site's tag knows the site's id.

use asklet_shared::problem::{Code, Problem};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::failure::Failure;
use crate::ids::{SiteId, SurveyId};

/// Digits and letters without i, l, o and u, so that people can read ids aloud and ids spell no words.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Number of random characters (50 bits) and of seal characters (40 bits) in an id.
const RANDOM_CHARS: usize = 10;
const SEAL_CHARS: usize = 8;

/// Number of characters of a token (160 bits). Unlike an id, a token is a permission.
const TOKEN_CHARS: usize = 32;

/// The region of sites that may be stored anywhere.
const ANY_REGION: &str = "any";

/// The minimum length of the deployment's secret and of its admin token, in bytes.
const SECRET_BYTES: usize = 32;

/// Refuses a secret or an admin token of the deployment that is short enough to guess.
pub fn check_secret(name: &str, secret: &str) -> Result<(), Failure> {
    if secret.len() < SECRET_BYTES {
        return Err(Failure::broken(format!("{name} must have at least {SECRET_BYTES} bytes")));
    }
    Ok(())
}

/// The deployment's secret, with which ids are sealed.
pub struct Seal {
    mac: Hmac<Sha256>,
    /// The token that calls between the Worker and its objects carry.
    internal: String,
}

impl Seal {
    /// Makes the seal of a deployment. `secret` is `ASKLET_SECRET`: any text of at least 32 bytes.
    pub fn new(secret: &str) -> Result<Self, Failure> {
        check_secret("ASKLET_SECRET", secret)?;
        let mac = Hmac::new_from_slice(secret.as_bytes())?;
        let mut seal = Self { mac, internal: String::new() };
        seal.internal = seal.token(&["internal call"]);
        Ok(seal)
    }

    /// Returns the token that calls between the Worker and its objects carry. By this token, an object
    /// distinguishes calls of this deployment from all other requests that may reach it.
    pub fn internal(&self) -> &str {
        &self.internal
    }

    /// Returns the site that a public address names, or a problem if there is none.
    pub fn known_site(&self, text: &str) -> Result<SiteId, Failure> {
        let unknown = || Problem::new(Code::UnknownSite, "there is no such site");
        Ok(self.site(text)?.ok_or_else(unknown)?)
    }

    /// Returns the survey that a public address names, or a problem if there is none.
    pub fn known_survey(&self, site: &SiteId, text: &str) -> Result<SurveyId, Failure> {
        let unknown = || Problem::new(Code::UnknownSurvey, "the site has no such survey");
        Ok(self.survey(site, text)?.ok_or_else(unknown)?)
    }

    /// Makes the id of a new site.
    pub fn new_site(&self) -> Result<SiteId, Failure> {
        let body = format!("{ANY_REGION}-{}", random_text(RANDOM_CHARS)?);
        let seal = self.seal(&["site", &body], SEAL_CHARS);
        Ok(SiteId::stored(body + &seal))
    }

    /// Makes the id of a new survey.
    pub fn new_survey(&self, site: &SiteId) -> Result<SurveyId, Failure> {
        let body = random_text(RANDOM_CHARS)?;
        let seal = self.seal(&["survey", site.as_str(), &body], SEAL_CHARS);
        Ok(SurveyId::stored(body + &seal))
    }

    /// Returns the text as a site id, if this deployment sealed it.
    pub fn site(&self, text: &str) -> Result<Option<SiteId>, Failure> {
        let (Some(body), true) = (unsealed(text), text.starts_with("any-")) else {
            return Ok(None);
        };
        let id = body.to_owned() + &self.seal(&["site", body], SEAL_CHARS);
        Ok(same(&id, text).then(|| SiteId::stored(id)))
    }

    /// Returns the text as a survey id, if this deployment sealed it for this site.
    pub fn survey(&self, site: &SiteId, text: &str) -> Result<Option<SurveyId>, Failure> {
        let Some(body) = unsealed(text) else { return Ok(None) };
        let id = body.to_owned() + &self.seal(&["survey", site.as_str(), body], SEAL_CHARS);
        Ok(same(&id, text).then(|| SurveyId::stored(id)))
    }

    /// Returns the last part of the address to which a shard's displays are sent: `0` for the first shard,
    /// which every survey has; for another shard its number with a seal, so that nobody can wake a shard that
    /// is not in use.
    pub fn shard(&self, site: &SiteId, survey: &SurveyId, shard: u16) -> Result<String, Failure> {
        if shard == 0 {
            return Ok("0".to_owned());
        }
        let number = shard.to_string();
        let seal = self.seal(&["shard", site.as_str(), survey.as_str(), &number], SEAL_CHARS);
        Ok(number + &seal)
    }

    /// Refuses the address of a shard that this deployment did not seal for this survey.
    pub fn check_shard(
        &self,
        site: &SiteId,
        survey: &SurveyId,
        (shard, seal): (u16, &str),
    ) -> Result<(), Failure> {
        if shard == 0 || same(&self.shard(site, survey, shard)?, &format!("{shard}{seal}")) {
            return Ok(());
        }
        Err(Problem::new(Code::UnknownShard, "the survey has no such shard").into())
    }

    /// Returns a token for some parts that only this deployment can compute. The first part names the purpose.
    pub fn token(&self, parts: &[&str]) -> String {
        self.seal(parts, TOKEN_CHARS)
    }

    fn seal(&self, parts: &[&str], chars: usize) -> String {
        let mut mac = self.mac.clone();
        for part in parts {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        spell(mac.finalize().into_bytes().into_iter().take(chars))
    }
}

/// Returns the part of an id before its seal.
fn unsealed(text: &str) -> Option<&str> {
    let length = text.len().checked_sub(SEAL_CHARS)?;
    text.get(..length).filter(|body| body.len() >= RANDOM_CHARS && text.len() <= 40)
}

/// Compares two texts in a time that does not depend on where they differ.
pub fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// Makes a secret of 250 random bits, in characters that people can read aloud.
pub fn random_secret() -> Result<String, Failure> {
    random_text(50)
}

/// Makes a random name for one of a few things of the same kind.
pub fn random_name() -> Result<String, Failure> {
    random_text(RANDOM_CHARS)
}

/// Returns this number of random characters, with five bits each.
fn random_text(chars: usize) -> Result<String, Failure> {
    let mut bytes = vec![0; chars];
    getrandom::fill(&mut bytes)?;
    Ok(spell(bytes.into_iter()))
}

fn spell(bytes: impl Iterator<Item = u8>) -> String {
    bytes.filter_map(|byte| ALPHABET.get(usize::from(byte % 32)).copied()).map(char::from).collect()
}

/// Returns the SHA-256 of some bytes in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the first 64 bits of a digest as a number.
pub fn leading_bits(digest: &[u8]) -> u64 {
    digest.iter().take(8).fold(0, |bits, byte| (bits << 8) | u64::from(*byte))
}

/// Returns the beginning of the digest, which is long enough to distinguish everything that one survey or one
/// site ever serves.
pub fn short_digest(bytes: &[u8]) -> String {
    let mut digest = digest(bytes);
    digest.truncate(16);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal() -> Seal {
        Seal::new("a secret of the tests, long enough").unwrap()
    }

    #[test]
    fn an_id_is_known_to_the_deployment_that_made_it_and_to_no_other() {
        let seal = seal();
        let site = seal.new_site().unwrap();
        let survey = seal.new_survey(&site).unwrap();
        assert_eq!((site.as_str().len(), survey.as_str().len()), (22, 18));
        assert_eq!(seal.site(site.as_str()).unwrap(), Some(site.clone()));
        assert_eq!(seal.survey(&site, survey.as_str()).unwrap(), Some(survey.clone()));

        let elsewhere = Seal::new("another secret, also long enough, but other").unwrap();
        assert_eq!(elsewhere.site(site.as_str()).unwrap(), None);
        let other_site = seal.new_site().unwrap();
        assert_eq!(seal.survey(&other_site, survey.as_str()).unwrap(), None);
    }

    #[test]
    fn a_secret_that_can_be_guessed_seals_nothing() {
        let refused = |bytes: usize| match Seal::new(&"x".repeat(bytes)) {
            Err(Failure::Broken(cause)) => cause.to_string(),
            Err(Failure::Problem(problem)) => problem.detail.into_owned(),
            Ok(_) => String::new(),
        };
        assert_eq!(refused(31), "ASKLET_SECRET must have at least 32 bytes");
        assert_eq!((refused(32), refused(64)), (String::new(), String::new()));
        assert!(check_secret("ASKLET_ADMIN_TOKEN", "abc").is_err());
    }

    #[test]
    fn whatever_a_stranger_makes_up_is_refused() {
        let seal = seal();
        let site = seal.new_site().unwrap();
        let long = "any-".repeat(5_000);
        for text in
            ["", "any-", "any-0000000000", "é".repeat(11).as_str(), "../../etc/passwd", &long]
        {
            assert_eq!(seal.site(text).unwrap(), None, "{text}");
            assert_eq!(seal.survey(&site, text).unwrap(), None, "{text}");
        }
        let mut forged = site.as_str().to_owned();
        let last = if forged.pop() == Some('0') { '1' } else { '0' };
        forged.push(last);
        assert_eq!(seal.site(&forged).unwrap(), None);
    }

    #[test]
    fn a_shard_besides_the_first_is_known_by_its_survey_s_seal() {
        let seal = seal();
        let site = seal.new_site().unwrap();
        let [survey, other] = [0, 1].map(|_| seal.new_survey(&site).unwrap());
        assert_eq!(seal.shard(&site, &survey, 0).unwrap(), "0");
        seal.check_shard(&site, &survey, (0, "")).unwrap();
        let address = seal.shard(&site, &survey, 3).unwrap();
        let (number, sealed) = address.split_at(1);
        assert_eq!((number, sealed.len()), ("3", 8));
        seal.check_shard(&site, &survey, (3, sealed)).unwrap();
        for (survey, shard, sealed) in
            [(&other, 3, sealed), (&survey, 4, sealed), (&survey, 3, ""), (&survey, 3, "00000000")]
        {
            assert!(seal.check_shard(&site, survey, (shard, sealed)).is_err(), "{shard}{sealed}");
        }
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert!(Seal::new("short").is_err());
    }
}
