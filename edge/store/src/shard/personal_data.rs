//! The personal data of a display, and the columns that hold it.
//!
//! Texts and the respondent's id are encrypted under the display's own key (see [`super::display_keys`]). The
//! columns by which SQL groups and filters are not encrypted: the declared traits, of which at most 200 values
//! are distinguished, and a digest of the respondent's id, the same digest that counters hold.

use std::collections::BTreeMap;

use asklet_protocol::failure::Failure;
use asklet_protocol::seal;
use asklet_shared::display::{Answer, Answers, Choice};
use asklet_shared::display_id::DisplayId;
use asklet_shared::problem::Code;
use asklet_shared::tally::Respondents;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::columns::broken;
use crate::cipher::DisplayKey;
use crate::sql::Value;

/// The personal data that is stored until retention forgets it, besides the encrypted part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personal {
    /// The declared traits, with the values that they count under.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub traits: BTreeMap<String, String>,
    /// Whether the site's server vouches for the traits.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verified: bool,
    /// Why an identity token was not accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_refused: Option<Code>,
    /// Whether the display has a text. It is only set in the stored form, where SQL reads it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_text: bool,
}

impl Personal {
    /// Makes personal data of traits, of whether the site's server vouches for them, and of why it does not.
    pub fn new(
        traits: BTreeMap<String, String>,
        verified: bool,
        identity_refused: Option<Code>,
    ) -> Self {
        Self { traits, verified, identity_refused, has_text: false }
    }
}

/// The encrypted part.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The respondent's id, as the site names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub respondent: Option<String>,
    /// The texts, by question.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<String, String>,
}

impl Sealed {
    /// Whether there is nothing to encrypt.
    pub fn is_empty(&self) -> bool {
        self.respondent.is_none() && self.texts.is_empty()
    }

    /// Returns the values of the columns `respondent`, `personal`, `key_number` and `sealed`. Without a key,
    /// there must be nothing to encrypt.
    pub fn columns(
        &self,
        id: DisplayId,
        personal: Option<Personal>,
        key: Option<&DisplayKey>,
    ) -> Result<[Value; 4], Failure> {
        let personal =
            personal.map(|personal| Personal { has_text: !self.texts.is_empty(), ..personal });
        let personal = personal.map(|personal| serde_json::to_string(&personal)).transpose()?;
        let sealed = match key {
            _ if self.is_empty() => None,
            Some(key) => Some(key.seal(id, &serde_json::to_vec(self)?)?),
            None => return Err(Failure::broken("a display has no key")),
        };
        let digest = self.respondent.as_deref().map(digest_column);
        Ok([digest.into(), personal.into(), key.map(|key| key.number).into(), sealed.into()])
    }

    /// Reads the column `sealed`.
    pub fn open(
        id: DisplayId,
        key: Option<&DisplayKey>,
        sealed: Option<Vec<u8>>,
    ) -> Result<Self, Failure> {
        match (sealed, key) {
            (None, _) => Ok(Self::default()),
            (Some(sealed), Some(key)) => Ok(serde_json::from_slice(&key.open(id, &sealed)?)?),
            (Some(_), None) => Err(broken("key")),
        }
    }
}

/// Returns a respondent's digest for the column `respondent`. All digests have the same length, so that a
/// digest can be overwritten in its place.
pub fn digest_column(respondent: &str) -> String {
    format!("{:016x}", respondent_digest(respondent))
}

/// Reads a digest from the column.
pub fn read_digest(column: &str) -> Result<u64, Failure> {
    u64::from_str_radix(column, 16).map_err(|_| broken("respondent"))
}

/// Removes the texts from answers and returns them; what is left is counted.
pub fn take_texts(answers: &mut Answers) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for (question, answer) in &mut answers.0 {
        if let Answer::Text(text) | Answer::Choice(Choice { other: Some(text), .. }) = answer {
            let text = std::mem::take(text);
            if !text.is_empty() {
                texts.insert(question.clone(), text);
            }
        }
    }
    texts
}

/// Puts the texts back into the answers.
pub fn put_texts(answers: &mut Answers, texts: BTreeMap<String, String>) -> Result<(), Failure> {
    for (question, text) in texts {
        match answers.0.iter_mut().find(|(id, _)| *id == question) {
            Some((_, Answer::Text(answer))) => *answer = text,
            Some((_, Answer::Choice(choice))) => choice.other = Some(text),
            _ => return Err(broken("text")),
        }
    }
    Ok(())
}

/// Returns the digest under which a respondent is counted.
pub fn respondent_digest(respondent: &str) -> u64 {
    Respondents::digest(seal::leading_bits(&Sha256::digest(respondent.as_bytes())))
}
