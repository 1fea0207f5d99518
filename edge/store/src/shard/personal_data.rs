//! What is personal in a display, and in which columns it lies.
//!
//! Texts and the respondent's id are sealed under the display's own key (see [`super::display_keys`]). What
//! SQL groups and filters by is not: the declared traits, of which at most 200 values are told apart, and
//! a digest of the respondent's id, the one that counters hold.

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

/// What is kept of a person until retention forgets it, besides what is sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personal {
    /// The declared traits, with the values that they count under.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub traits: BTreeMap<String, String>,
    /// Whether the site's server vouches for them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verified: bool,
    /// Why an identity token was not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_refused: Option<Code>,
    /// Whether anything was written; only where it is stored, for SQL to look at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_text: bool,
}

impl Personal {
    /// Traits, whether the site's server vouches for them, and why it does not.
    pub fn new(
        traits: BTreeMap<String, String>,
        verified: bool,
        identity_refused: Option<Code>,
    ) -> Self {
        Self { traits, verified, identity_refused, has_text: false }
    }
}

/// What is sealed.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Who answered, in the site's own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub respondent: Option<String>,
    /// The texts, by question.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<String, String>,
}

impl Sealed {
    /// Whether there is nothing to seal.
    pub fn is_empty(&self) -> bool {
        self.respondent.is_none() && self.texts.is_empty()
    }

    /// What goes in the columns `respondent`, `personal`, `key_number` and `sealed`. Without a key there
    /// must be nothing to seal.
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

/// A respondent's digest as the column `respondent` holds it: of equal length for all, so that one can be
/// overwritten where it lies.
pub fn digest_column(respondent: &str) -> String {
    format!("{:016x}", respondent_digest(respondent))
}

/// A digest that the column holds.
pub fn read_digest(column: &str) -> Result<u64, Failure> {
    u64::from_str_radix(column, 16).map_err(|_| broken("respondent"))
}

/// Takes the texts out of answers: what is left is counted.
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

/// Puts texts where they were taken from.
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

/// The digest under which a respondent is counted.
pub fn respondent_digest(respondent: &str) -> u64 {
    Respondents::digest(seal::leading_bits(&Sha256::digest(respondent.as_bytes())))
}
