//! Scans: what no counter can tell is counted display by display, in SQL and in slices.

use asklet_shared::dimension::Dimension;
use asklet_shared::display::{Answer, Answers, Channel};
use asklet_shared::facts::{Context, Facts};
use asklet_shared::tally::{Counted, Latest, LatestOfEach, Request, keep_latest};
use asklet_shared::time::BUCKET_MS;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::keeping::Since;
use super::log;
use super::personal_data::read_digest;
use super::slice::{Cursor, Range, Slice};
use crate::failure::Failure;
use crate::sql::{Row, Sql, Value};

/// What is to be counted display by display.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// What is counted.
    pub request: Request,
    /// Only displays with one of these values, in each of these dimensions.
    pub filters: BTreeMap<Dimension, Vec<String>>,
    /// Only each respondent's latest display that answers the question.
    pub per_respondent: bool,
}

/// What one slice held.
#[derive(Debug, Serialize, Deserialize)]
pub struct Scanned {
    /// What was counted, unless each respondent counts once.
    pub counted: Counted,
    /// Each respondent's latest display, if each counts once.
    pub latest: LatestOfEach,
    /// What retention has removed.
    pub since: Since,
    /// Where the next slice begins; `None` after the last.
    pub next: Option<Cursor>,
}

impl Scanned {
    /// What is found where there are no displays.
    pub fn nothing(query: &Query) -> Self {
        let counted = query.request.nothing();
        Self { counted, latest: LatestOfEach::new(), since: Since::default(), next: None }
    }

    /// Adds what the next slice held, or the first one of another shard.
    pub fn add(&mut self, next: Self) {
        self.counted.merge(&next.counted);
        self.since = self.since.max(next.since);
        for (digest, latest) in next.latest {
            keep_latest(&mut self.latest, digest, latest);
        }
        self.next = next.next;
    }
}

/// Counts the displays of one slice.
pub fn scan(sql: &impl Sql, query: &Query, slice: Slice) -> Result<Scanned, Failure> {
    let mut scanned = Scanned { since: Since::read(sql)?, ..Scanned::nothing(query) };
    let (from_ms, to_ms) = query.request.range();
    for range in slice.ranges(sql, from_ms, to_ms)? {
        let selection = Selection::of(query, &range);
        if query.per_respondent {
            selection.latest(sql, &mut scanned.latest)?;
        } else {
            selection.count(sql, &mut scanned.counted)?;
            selection.respondents(sql, &mut scanned.counted)?;
        }
        scanned.next = range.next;
    }
    Ok(scanned)
}

/// The displays of a slice that a query wants.
struct Selection<'a> {
    request: &'a Request,
    condition: String,
    values: Vec<Value>,
    answer: String,
    by: String,
}

impl<'a> Selection<'a> {
    fn of(query: &'a Query, range: &Range) -> Self {
        let mut condition = format!("excluded IS NULL AND {}", range.condition);
        let mut values = range.values.clone();
        for (dimension, wanted) in &query.filters {
            let marks = vec!["?"; wanted.len()].join(", ");
            condition += &format!(" AND {} IN ({marks})", column(dimension));
            values.extend(wanted.iter().map(|value| Value::from(value.as_str())));
        }
        let request = &query.request;
        // Ids of questions are letters, digits and underscores.
        let answer = format!("json_extract(facts, '$.answers.{}')", request.question);
        let by = request.by.as_ref().map_or("''".to_owned(), column);
        Self { request, condition, values, answer, by }
    }

    /// Counts displays that are alike together.
    fn count(&self, sql: &impl Sql, counted: &mut Counted) -> Result<(), Failure> {
        // Without a trend all of the period is one point.
        let (from_ms, _) = self.request.range();
        let bucket = if self.request.edges.len() > 2 {
            format!("shown_ms / {BUCKET_MS}")
        } else {
            (from_ms / BUCKET_MS).to_string()
        };
        let Self { condition, answer, by, .. } = self;
        sql.query(
            &format!(
                "SELECT {bucket}, stage, dismissed, {}, {by}, {answer}, count(*)
                 FROM display WHERE {condition} GROUP BY 1, 2, 3, 4, 5, 6",
                column(&Dimension::Channel)
            ),
            &self.values,
            &mut |mut row| {
                let bucket: u64 = row.integer()?;
                let (stage, dismissed) = (log::stage(row.integer()?)?, row.boolean()?);
                let name = row.text()?;
                // One that is not known would count as another, where nobody sees it.
                let channel = Channel::named(&name).ok_or_else(|| log::broken("channel"))?;
                let by = row.text()?;
                let answer = read_answer(&mut row)?;
                let answers = answer.map(|answer| (self.request.question.clone(), answer));
                let facts = Facts {
                    shown_ms: bucket * BUCKET_MS,
                    stage,
                    dismissed,
                    context: Context { channel, ..Context::default() },
                    answers: Answers(answers.into_iter().collect()),
                    traits: BTreeMap::new(),
                    respondent: None,
                };
                counted.add_alike(self.request, &facts, &by, row.integer()?);
                Ok(())
            },
        )
    }

    /// Counts who answered.
    fn respondents(&self, sql: &impl Sql, counted: &mut Counted) -> Result<(), Failure> {
        let Self { condition, answer, .. } = self;
        sql.query(
            &format!(
                "SELECT DISTINCT respondent FROM display
                 WHERE respondent IS NOT NULL AND {condition} AND {answer} IS NOT NULL"
            ),
            &self.values,
            &mut |mut row| {
                counted.respondents.add(read_digest(&row.text()?)?);
                Ok(())
            },
        )
    }

    /// Finds each respondent's latest.
    fn latest(&self, sql: &impl Sql, latest: &mut LatestOfEach) -> Result<(), Failure> {
        let Self { condition, answer, by, .. } = self;
        // Next to a lone max, SQLite takes the other columns from the row that holds it.
        sql.query(
            &format!(
                "SELECT respondent, max(shown_ms), stage, dismissed, {by}, {answer}
                 FROM display
                 WHERE respondent IS NOT NULL AND {condition} AND {answer} IS NOT NULL
                 GROUP BY respondent"
            ),
            &self.values,
            &mut |mut row| {
                let digest = read_digest(&row.text()?)?;
                let shown_ms = row.integer()?;
                let (stage, dismissed) = (log::stage(row.integer()?)?, row.boolean()?);
                let by = row.text()?;
                if let Some(answer) = read_answer(&mut row)? {
                    keep_latest(latest, digest, Latest { shown_ms, stage, dismissed, answer, by });
                }
                Ok(())
            },
        )
    }
}

/// A dimension's value, as SQL finds it in a row; empty where there is none.
pub fn column(dimension: &Dimension) -> String {
    let (column, path) = match dimension {
        // Keys of traits are letters, digits and underscores.
        Dimension::Trait(key) => ("personal", format!("traits.{key}")),
        other => ("facts", other.name().into_owned()),
    };
    format!("coalesce(CAST(json_extract({column}, '$.{path}') AS TEXT), '')")
}

/// An answer as `json_extract` gives it: a number, the empty text that stands for any text, or a list.
fn read_answer(row: &mut Row) -> Result<Option<Answer>, Failure> {
    Ok(match row.value()? {
        Value::Null => None,
        Value::Integer(score) => {
            let score = u8::try_from(score);
            Some(Answer::Score(
                score.map_err(|_| Failure::Broken("a score is no byte".to_owned()))?,
            ))
        }
        Value::Text(text) if text.is_empty() => Some(Answer::Text(text)),
        Value::Text(list) => Some(serde_json::from_str(&list)?),
        Value::Blob(_) => return Err(Failure::Broken("an answer is no JSON".to_owned())),
    })
}
