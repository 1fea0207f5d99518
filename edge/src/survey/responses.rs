//! Responses, as a team reads them: found display by display, in the order of ids, in slices.
//!
//! The order of ids is the order in which visitors' clocks say that the survey was shown. It never
//! changes, so pages neither skip nor repeat what was there when the first one was read.

use std::collections::BTreeMap;

use asklet_shared::definition::Definition;
use asklet_shared::dimension::Dimension;
use asklet_shared::display::{Answer, Answers, Channel, Choice, Stage};
use asklet_shared::display_id::DisplayId;
use asklet_shared::metrics::Category;
use serde::{Deserialize, Serialize};

use super::csv::Columns;
use super::log::{self, COLUMNS, DELETED, DRIFT_MS, ERASED, GONE, Stored};
use super::scan::column;
use crate::failure::Failure;
use crate::rpc::Plan;
use crate::sql::{Sql, Value};

/// One response. What is not known is left out or `null`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Response {
    /// The display's id.
    pub id: DisplayId,
    /// The survey's id.
    pub survey: String,
    /// The shard that holds it.
    pub shard: u16,
    /// The number of its last change on that shard.
    pub seq: u64,
    /// Its latest revision.
    pub revision: u32,
    /// The version that was shown.
    pub version: u32,
    /// When it was shown, in milliseconds since the epoch.
    pub shown_ms: u64,
    /// When it first arrived, in milliseconds since the epoch.
    pub received_ms: u64,
    /// How far the visitor came.
    pub stage: Stage,
    /// Whether it was closed.
    pub dismissed: bool,
    /// How it reached the visitor.
    pub channel: Channel,
    /// The language that was shown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// The country.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub country: String,
    /// The class of the device.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub device: String,
    /// The page's address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub page: String,
    /// The page's group.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub page_group: String,
    /// The touchpoint of the version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub touchpoint: String,
    /// The variant.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// What was answered. Texts that retention has forgotten are empty.
    pub answers: Answers,
    /// What the score of the question that was asked about means.
    pub category: Option<Category>,
    /// Who answered.
    pub respondent: Option<String>,
    /// The traits that are known.
    pub traits: BTreeMap<String, String>,
    /// Whether the site's server vouches for respondent and traits.
    pub verified: bool,
    /// Why it does not count, if it does not.
    pub excluded: Option<Excluded>,
}

/// Why a response does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Excluded {
    /// The team's words.
    pub reason: String,
}

/// What became of a display.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "ResponseChange"))]
#[serde(untagged)]
pub enum Change {
    /// It is no response any more.
    Gone(Gone),
    /// It is a response.
    Response(Box<Response>),
}

/// A display that is no response any more, or that never became one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Gone {
    /// The display's id.
    pub id: DisplayId,
    /// The shard on which it was.
    pub shard: u16,
    /// The number of this change on that shard.
    pub seq: u64,
    /// What happened to it.
    pub gone: Why,
}

/// Why a display is no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The team deleted it.
    Deleted,
    /// It was erased with its respondent.
    Erased,
    /// The visitor took all answers back.
    Withdrawn,
}

impl Response {
    /// A display as a team reads it; the survey, the shard and the category are the caller's to say.
    pub fn of(display: Stored) -> Self {
        let context = display.context;
        let personal = display.personal.unwrap_or_default();
        Self {
            id: display.id,
            survey: String::new(),
            shard: 0,
            seq: display.seq,
            revision: display.revision,
            version: context.version,
            shown_ms: display.shown_ms,
            received_ms: display.received_ms,
            stage: display.stage,
            dismissed: display.dismissed,
            channel: context.channel,
            language: context.language,
            country: context.country,
            device: context.device,
            page: context.page,
            page_group: context.page_group,
            touchpoint: context.touchpoint,
            variant: context.variant,
            answers: display.answers,
            category: None,
            respondent: display.respondent,
            traits: personal.traits,
            verified: personal.verified,
            excluded: display.excluded.map(|reason| Excluded { reason }),
        }
    }
}

impl Change {
    /// What readers are told of a display.
    pub fn of(display: Stored) -> Self {
        let gone = match display.excluded.as_deref() {
            Some(ERASED) => Why::Erased,
            Some(DELETED) => Why::Deleted,
            _ if display.answers.0.is_empty() => Why::Withdrawn,
            _ => return Self::Response(Box::new(Response::of(display))),
        };
        Self::Gone(Gone { id: display.id, shard: 0, seq: display.seq, gone })
    }
}

/// Which displays are looked for; all filters must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Find {
    /// Shown in this time, in milliseconds since the epoch; the end is not in it.
    pub from_ms: u64,
    /// Its end.
    pub to_ms: u64,
    /// Answered this question.
    pub question: Option<String>,
    /// Gave this question one of these scores.
    pub scores: Option<(String, Vec<u8>)>,
    /// Whether anything was written.
    pub has_comment: Option<bool>,
    /// Has one of these values, in each of these dimensions.
    pub filters: BTreeMap<Dimension, Vec<String>>,
    /// Has this in a text, however it is spelt.
    pub text: Option<String>,
    /// Is this respondent's.
    pub respondent: Option<String>,
    /// Whether displays without an answer are wanted, too.
    pub unanswered: bool,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct From {
    /// The key behind which it begins, or with which; none for the first page.
    pub id: Option<DisplayId>,
    /// Whether the display with that key may be in it.
    pub with: bool,
    /// Whether it goes to lower keys.
    pub descending: bool,
}

/// Responses that were found, as they are told: each with the key of its display.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Found {
    /// In the order that was asked for.
    pub responses: Vec<(DisplayId, String)>,
    /// The key behind which to go on; none at the end.
    pub next: Option<DisplayId>,
}

/// How many bytes a page holds before it ends early.
const PAGE_BYTES: usize = 500_000;

impl Found {
    /// Whether it should not grow any more, so that whoever asks need not hold more.
    pub fn is_large(&self) -> bool {
        self.responses.iter().map(|(_, told)| told.len()).sum::<usize>() > PAGE_BYTES
    }
}

/// What a shard does not know of the responses that it tells, and how it tells them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tell {
    survey: String,
    /// Its number.
    pub shard: u16,
    /// The question whose category is told; the primary one if it is not said.
    question: Option<String>,
    /// The columns of a line of CSV; otherwise they are told in JSON.
    pub columns: Option<Columns>,
}

impl Tell {
    /// As responses of a shard of a survey.
    pub fn of(plan: &Plan, shard: u16, question: Option<String>, columns: Option<Columns>) -> Self {
        Self { survey: plan.survey.to_string(), shard, question, columns }
    }

    /// A response as it is told.
    pub fn response(&self, display: Stored, definition: &Definition) -> Result<String, Failure> {
        let response = self.complete(Response::of(display), definition);
        Ok(match &self.columns {
            Some(columns) => columns.line(&response),
            None => serde_json::to_string(&response)?,
        })
    }

    /// A change as it is told.
    pub fn change(&self, display: Stored, definition: &Definition) -> Result<String, Failure> {
        Ok(match Change::of(display) {
            Change::Gone(gone) => serde_json::to_string(&Gone { shard: self.shard, ..gone })?,
            Change::Response(response) => {
                serde_json::to_string(&self.complete(*response, definition))?
            }
        })
    }

    fn complete(&self, mut response: Response, definition: &Definition) -> Response {
        response.survey.clone_from(&self.survey);
        response.shard = self.shard;
        let question = self.question.as_ref().unwrap_or(&definition.primary);
        let kind = definition.question(question).map(|question| &question.answer);
        response.category = match (kind, response.answers.get(question)) {
            (Some(kind), Some(Answer::Score(score))) => kind.category(*score),
            _ => None,
        };
        response
    }
}

/// How a text is compared with others: without case and accents.
pub type Plain<'a> = &'a dyn Fn(&str) -> String;

/// What one slice holds of what is looked for.
#[derive(Debug, Default)]
pub struct Slice {
    /// In the order that was asked for.
    pub displays: Vec<Stored>,
    /// The key behind which the next slice begins; none after the last.
    pub next: Option<DisplayId>,
}

/// Looks at about so many rows, and returns at most so many of those that are looked for.
pub fn find(
    sql: &impl Sql,
    find: &Find,
    from: From,
    (rows, limit): (u32, usize),
    plain: Plain<'_>,
) -> Result<Slice, Failure> {
    let (before, order) = match (from.descending, from.with) {
        (true, true) => ("<=", "DESC"),
        (true, false) => ("<", "DESC"),
        (false, true) => (">=", "ASC"),
        (false, false) => (">", "ASC"),
    };
    // No key is shorter or longer.
    let all = if from.descending { vec![u8::MAX; 17] } else { Vec::new() };
    let start = from.id.map_or(all, |id| id.as_bytes().to_vec());
    let mut values: Vec<Value> = vec![
        start.into(),
        DisplayId::floor(find.from_ms.saturating_sub(DRIFT_MS)).to_vec().into(),
        DisplayId::floor(find.to_ms.saturating_add(DRIFT_MS)).to_vec().into(),
        rows.into(),
    ];
    // Keys of astray displays say nothing about when they were shown.
    let slice = format!(
        "SELECT id FROM (SELECT id FROM display
            WHERE id {before} ?1 AND id >= ?2 AND id < ?3 ORDER BY id {order} LIMIT ?4)
         UNION SELECT id FROM (SELECT id FROM display INDEXED BY astray
            WHERE astray = 1 AND id {before} ?1 ORDER BY id {order} LIMIT ?4)
         ORDER BY id {order} LIMIT ?4"
    );
    let end = if from.descending { "min" } else { "max" };
    let row = sql.first(&format!("SELECT count(*), {end}(id) FROM ({slice})"), &values)?;
    let Some(mut row) = row else { return Ok(Slice::default()) };
    let looked_at: u32 = row.integer()?;
    if looked_at == 0 {
        return Ok(Slice::default());
    }
    let last = log::display_id(&row.blob()?)?;
    let condition = find.condition(&mut values);
    let wanted = find.text.as_deref().map(plain);
    let next = (looked_at == rows).then_some(last);
    let mut found = Slice { displays: Vec::new(), next };
    let (mut is_full, most) = (false, limit.saturating_add(1));
    // What is compared here cannot be limited there.
    let most = if wanted.is_some() { String::new() } else { format!("LIMIT {most}") };
    sql.query(
        &format!(
            "SELECT {COLUMNS} FROM display WHERE id IN ({slice}) AND {condition}
             ORDER BY id {order} {most}"
        ),
        &values,
        &mut |row| {
            if is_full {
                return Ok(());
            }
            let display = log::stored(row)?;
            if wanted.as_deref().is_some_and(|wanted| !says(&display, wanted, plain)) {
                return Ok(());
            }
            if found.displays.len() == limit {
                is_full = true;
                found.next = found.displays.last().map(|last| last.id);
                return Ok(());
            }
            found.displays.push(display);
            Ok(())
        },
    )?;
    Ok(found)
}

/// Whether a display has this in a text.
fn says(display: &Stored, wanted: &str, plain: Plain<'_>) -> bool {
    display.answers.0.iter().any(|(_, answer)| match answer {
        Answer::Text(text) | Answer::Choice(Choice { other: Some(text), .. }) => {
            plain(text).contains(wanted)
        }
        _ => false,
    })
}

impl Find {
    /// Everything that a period holds.
    pub fn all() -> Self {
        Self {
            from_ms: 0,
            to_ms: super::fold::END_OF_TIME_MS,
            question: None,
            scores: None,
            has_comment: None,
            filters: BTreeMap::new(),
            text: None,
            respondent: None,
            unanswered: false,
        }
    }

    /// What SQL can tell of it, with values put behind those that are there.
    fn condition(&self, values: &mut Vec<Value>) -> String {
        let mut mark = |value: Value| {
            values.push(value);
            format!("?{}", values.len())
        };
        let mut condition = format!(
            "shown_ms >= {} AND shown_ms < {} AND coalesce(excluded NOT IN {GONE}, 1)",
            mark(self.from_ms.into()),
            mark(self.to_ms.into())
        );
        if !self.unanswered {
            condition += " AND stage >= 2 AND json_extract(facts, '$.answers') <> '{}'";
        }
        // Ids of questions are letters, digits and underscores.
        if let Some(question) = &self.question {
            condition += &format!(" AND json_extract(facts, '$.answers.{question}') IS NOT NULL");
        }
        if let Some((question, scores)) = &self.scores {
            let scores = scores.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
            condition += &format!(" AND json_extract(facts, '$.answers.{question}') IN ({scores})");
        }
        let has_comment = self.has_comment.or(self.text.is_some().then_some(true));
        if let Some(has_comment) = has_comment {
            let not = if has_comment { "NOT " } else { "" };
            condition += &format!(" AND json_extract(personal, '$.texts') IS {not}NULL");
        }
        if let Some(respondent) = &self.respondent {
            condition += &format!(" AND respondent = {}", mark(respondent.as_str().into()));
        }
        for (dimension, wanted) in &self.filters {
            let marks = wanted.iter().map(|value| mark(value.as_str().into()));
            let marks = marks.collect::<Vec<_>>().join(", ");
            condition += &format!(" AND {} IN ({marks})", column(dimension));
        }
        condition
    }
}
