//! A display as the log stores it: reads and writes the columns of its row.
//!
//! What is counted is separate from what is personal, so that retention can forget the personal part and keep
//! the counted part. `facts` holds the context and the answers without their texts. `personal` holds the
//! traits, and is `NULL` once they are forgotten. `sealed` holds the texts and the respondent's id, encrypted
//! under the display's own key: see [`super::personal_data`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use asklet_protocol::failure::Failure;
use asklet_shared::display::{Answer, Answers, Choice, Stage};
use asklet_shared::display_id::DisplayId;
use asklet_shared::facts::{Context, Facts};
use asklet_shared::funnel::stage_value;
use serde::{Deserialize, Serialize};

use super::columns::{display_id, stage};
use super::personal_data::{Personal, Sealed, put_texts, respondent_digest, take_texts};
use crate::cipher::DisplayKey;
use crate::sql::{Row, Value};

/// The columns that [`read`] reads, in this order; the last but one holds the bytes of the display's key.
pub const COLUMNS: &str = "display.id, display.revision, display.stage, display.dismissed, \
     display.shown_ms, display.received_ms, display.astray, display.excluded, display.facts, \
     display.seq, display.personal, display.sealed, display.key_number, \
     (SELECT substr(keys, 32 * (display.key_number % 120) + 1, 32) \
        FROM display_key WHERE batch = display.key_number / 120), display.deferred";

/// The columns for which [`values`] returns the values, in this order.
pub const WRITTEN: &str = "id, revision, stage, dismissed, shown_ms, received_ms, astray, excluded, \
     facts, seq, respondent, personal, key_number, sealed, deferred";

/// The value of `excluded` in the tombstone of a display that was erased with its respondent; a reason from a
/// team is never blank. A tombstone keeps only the display's id, by which a repeated request is recognized.
pub const ERASED: &str = "";

/// The value of `excluded` in the tombstone of a display that was deleted by itself.
pub const DELETED: &str = " ";

/// Both values, as a list in SQL.
pub const TOMBSTONES: &str = "('', ' ')";

/// A display as the log stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The display's id.
    pub id: DisplayId,
    /// The latest revision.
    pub revision: u32,
    /// How far the visitor got.
    pub stage: Stage,
    /// Whether the visitor closed the survey.
    pub dismissed: bool,
    /// When the display was shown, fixed at the first receipt.
    pub shown_ms: u64,
    /// When the first revision arrived, in milliseconds since the epoch.
    pub received_ms: u64,
    /// Whether the clock that made the id was too wrong for the tail's range of keys.
    pub clock_skewed: bool,
    /// Why the display does not count; `None` if it counts.
    pub excluded: Option<String>,
    /// The respondent's id, as the site names it.
    pub respondent: Option<String>,
    /// The context in which the display was shown.
    pub context: Context,
    /// The answers, with their texts unless those are forgotten.
    pub answers: Answers,
    /// What retention forgets besides the texts and the respondent; `None` once it is forgotten.
    pub personal: Option<Personal>,
    /// The key under which the texts and the respondent are encrypted; `None` until the display has had any.
    pub key: Option<DisplayKey>,
    /// The number of the last change, which is assigned when the display is written.
    pub seq: u64,
    /// Whether the display arrived behind the watermark or is clock-skewed, and is therefore counted in the
    /// order of reception. Fixed at the first receipt.
    pub deferred: bool,
}

/// The counted part, as it is stored.
#[derive(Serialize, Deserialize)]
pub struct Counted<'a> {
    /// Where and how the display was shown.
    #[serde(flatten)]
    pub context: Cow<'a, Context>,
    /// The answers, without texts.
    pub answers: Cow<'a, Answers>,
}

impl Stored {
    /// Whether the display was erased or deleted, so that only its id is left.
    pub fn is_tombstone(&self) -> bool {
        matches!(self.excluded.as_deref(), Some(ERASED | DELETED))
    }

    /// Returns what is counted of the display; `None` if it is excluded.
    pub fn facts(&self) -> Option<Facts> {
        self.excluded.is_none().then(|| Facts {
            shown_ms: self.shown_ms,
            stage: self.stage,
            dismissed: self.dismissed,
            context: self.context.clone(),
            answers: self.answers.clone(),
            traits: self
                .personal
                .as_ref()
                .map_or_else(BTreeMap::new, |personal| personal.traits.clone()),
            respondent: self.respondent.as_deref().map(respondent_digest),
        })
    }

    /// Whether the display has data to encrypt.
    pub fn has_sealed(&self) -> bool {
        let has_text = |answer: &Answer| match answer {
            Answer::Text(text) | Answer::Choice(Choice { other: Some(text), .. }) => {
                !text.is_empty()
            }
            _ => false,
        };
        let mut answers = self.answers.0.iter();
        self.respondent.is_some()
            || (self.personal.is_some() && answers.any(|(_, answer)| has_text(answer)))
    }

    /// Forgets texts, respondent and traits; the counted part stays.
    pub fn forget(&mut self) {
        self.personal = None;
        self.respondent = None;
        take_texts(&mut self.answers);
    }

    /// Fills in the data of the columns `personal` and `sealed`.
    pub fn put_personal(
        &mut self,
        personal: Option<String>,
        sealed: Option<Vec<u8>>,
    ) -> Result<(), Failure> {
        let personal = personal.map(|personal| serde_json::from_str(&personal)).transpose()?;
        self.personal = personal.map(|personal| Personal { has_text: false, ..personal });
        let sealed = Sealed::open(self.id, self.key.as_ref(), sealed)?;
        self.respondent = sealed.respondent;
        put_texts(&mut self.answers, sealed.texts)
    }
}

/// Returns the values of [`WRITTEN`], with the personal data encrypted under a key.
pub fn values(stored: &Stored, key: Option<&DisplayKey>) -> Result<[Value; 15], Failure> {
    let mut answers = stored.answers.clone();
    let mut texts = take_texts(&mut answers);
    if stored.personal.is_none() {
        texts.clear();
    }
    let (context, answers) = (Cow::Borrowed(&stored.context), Cow::Owned(answers));
    let facts = Counted { context, answers };
    let sealed = Sealed { respondent: stored.respondent.clone(), texts };
    let [respondent, personal, key_number, sealed] =
        sealed.columns(stored.id, stored.personal.clone(), key)?;
    Ok([
        stored.id.as_bytes().to_vec().into(),
        stored.revision.into(),
        u32::from(stage_value(stored.stage)).into(),
        stored.dismissed.into(),
        stored.shown_ms.into(),
        stored.received_ms.into(),
        stored.clock_skewed.into(),
        stored.excluded.clone().into(),
        serde_json::to_string(&facts)?.into(),
        stored.seq.into(),
        respondent,
        personal,
        key_number,
        sealed,
        stored.deferred.into(),
    ])
}

/// Reads a row of [`COLUMNS`].
pub fn read(mut row: Row) -> Result<Stored, Failure> {
    let id = display_id(&row.blob()?)?;
    let revision = row.integer()?;
    let stage = stage(row.integer()?)?;
    let dismissed = row.boolean()?;
    let shown_ms = row.integer()?;
    let received_ms = row.integer()?;
    let clock_skewed = row.boolean()?;
    let excluded = row.optional_text()?;
    let Counted { context, answers } = serde_json::from_str(&row.text()?)?;
    let (context, answers) = (context.into_owned(), answers.into_owned());
    let seq = row.integer()?;
    let (personal, sealed) = (row.optional_text()?, row.optional_blob()?);
    let (number, key) = (row.optional_integer()?, row.optional_blob()?);
    let key = number.zip(key).and_then(|(number, key)| DisplayKey::stored(number, &key));
    let deferred = row.boolean()?;
    let mut stored = Stored {
        id,
        revision,
        stage,
        dismissed,
        shown_ms,
        received_ms,
        clock_skewed,
        excluded,
        respondent: None,
        context,
        answers,
        personal: None,
        key,
        seq,
        deferred,
    };
    stored.put_personal(personal, sealed)?;
    Ok(stored)
}

/// Refuses facts that cannot be read.
pub fn check_facts(facts: &str) -> Result<(), Failure> {
    serde_json::from_str::<Counted<'_>>(facts)?;
    Ok(())
}
