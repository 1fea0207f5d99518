//! A display as the log holds it: the columns of its row, read and written.
//!
//! What is counted stands apart from what is personal, so that retention can forget the one and keep
//! the other: `facts` holds context and answers without their texts, `personal` holds traits and
//! is `NULL` once they are forgotten, `sealed` holds texts and who answered, under the display's own key:
//! see [`super::personal_data`].

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

/// The columns that [`read`] reads, in its order; the last but one is the bytes of the
/// display's key.
pub const COLUMNS: &str = "display.id, display.revision, display.stage, display.dismissed, \
     display.shown_ms, display.received_ms, display.astray, display.excluded, display.facts, \
     display.seq, display.personal, display.sealed, display.key_number, \
     (SELECT substr(keys, 32 * (display.key_number % 120) + 1, 32) \
        FROM display_key WHERE batch = display.key_number / 120), display.deferred";

/// The columns that [`values`] gives, in its order.
pub const WRITTEN: &str = "id, revision, stage, dismissed, shown_ms, received_ms, astray, excluded, \
     facts, seq, respondent, personal, key_number, sealed, deferred";

/// What stands for the reason why a display that was erased with its respondent does not count: other
/// reasons are not blank. Nothing else of it is left but its id, by which a repeated request is known.
pub const ERASED: &str = "";

/// The same of a display that was deleted by itself.
pub const DELETED: &str = " ";

/// Both of them, as SQL lists them.
pub const TOMBSTONES: &str = "('', ' ')";

/// A display as the log holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its id.
    pub id: DisplayId,
    /// Its latest revision.
    pub revision: u32,
    /// How far it came.
    pub stage: Stage,
    /// Whether it was closed.
    pub dismissed: bool,
    /// When it was shown, fixed at the first receipt.
    pub shown_ms: u64,
    /// When the first revision arrived, in milliseconds since the epoch.
    pub received_ms: u64,
    /// Whether its id's clock was too wrong for the tail's range of keys.
    pub clock_skewed: bool,
    /// Why it does not count, if it does not.
    pub excluded: Option<String>,
    /// Who answered, in the site's own word.
    pub respondent: Option<String>,
    /// Under what context it was shown.
    pub context: Context,
    /// What was answered, with the texts, unless those are forgotten.
    pub answers: Answers,
    /// What retention forgets besides texts and respondent; `None` once it has.
    pub personal: Option<Personal>,
    /// The key under which its texts and its respondent lie, once it has had any.
    pub key: Option<DisplayKey>,
    /// The number of its last change, given as it is written.
    pub seq: u64,
    /// Whether it arrived behind the watermark, or is clock-skewed, and so waits to be counted in the order of
    /// reception. Fixed at the first receipt.
    pub deferred: bool,
}

/// What is counted, as it is stored.
#[derive(Serialize, Deserialize)]
pub struct Counted<'a> {
    /// Where and how it was shown.
    #[serde(flatten)]
    pub context: Cow<'a, Context>,
    /// What was answered, without texts.
    pub answers: Cow<'a, Answers>,
}

impl Stored {
    /// Whether it was erased or deleted, so that only its id is left.
    pub fn is_tombstone(&self) -> bool {
        matches!(self.excluded.as_deref(), Some(ERASED | DELETED))
    }

    /// What is counted of it; nothing if it is excluded.
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

    /// Whether it has anything that is sealed.
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

    /// Forgets texts, respondent and traits; what is counted stays.
    pub fn forget(&mut self) {
        self.personal = None;
        self.respondent = None;
        take_texts(&mut self.answers);
    }

    /// Puts what the columns `personal` and `sealed` hold where it belongs.
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

/// The values of [`WRITTEN`], sealed under a key.
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

/// A row of [`COLUMNS`].
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

/// Refuses facts that do not read.
pub fn check_facts(facts: &str) -> Result<(), Failure> {
    serde_json::from_str::<Counted<'_>>(facts)?;
    Ok(())
}
