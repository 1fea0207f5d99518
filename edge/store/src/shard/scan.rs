//! Scans: for questions that no counter can answer, displays are counted one by one, in SQL and in slices.

use std::collections::BTreeMap;

use asklet_protocol::failure::Failure;
use asklet_protocol::scan::{ScanQuery, Scanned};
use asklet_shared::dimension::Dimension;
use asklet_shared::display::{Answer, Answers, Channel};
use asklet_shared::facts::{Context, Facts};
use asklet_shared::tally::{Counted, Latest, LatestOfEach, Request, keep_latest};
use asklet_shared::time::BUCKET_MS;

use crate::shard::personal_data::read_digest;
use crate::shard::slice::{Range, Slice};
use crate::shard::{columns, retention};
use crate::sql::{Row, Sql, Value};

/// Counts the displays of one slice.
pub fn scan(sql: &impl Sql, query: &ScanQuery, slice: Slice) -> Result<Scanned, Failure> {
    let mut scanned = Scanned { since: retention::removed(sql)?, ..Scanned::nothing(query) };
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

/// The displays of a slice that match a query.
struct Selection<'a> {
    request: &'a Request,
    condition: String,
    values: Vec<Value>,
    answer: String,
    by: String,
}

impl<'a> Selection<'a> {
    fn of(query: &'a ScanQuery, range: &Range) -> Self {
        let mut condition = format!("excluded IS NULL AND {}", range.condition);
        let mut values = range.values.clone();
        for (dimension, wanted) in &query.filters {
            let marks = vec!["?"; wanted.len()].join(", ");
            condition += &format!(" AND {} IN ({marks})", column(dimension));
            values.extend(wanted.iter().map(|value| Value::from(value.as_str())));
        }
        let request = &query.request;
        // Ids of questions consist of letters, digits and underscores.
        let answer = format!("json_extract(facts, '$.answers.{}')", request.question);
        let by = request.by.as_ref().map_or("''".to_owned(), column);
        Self { request, condition, values, answer, by }
    }

    /// Counts displays that are alike as one group.
    fn count(&self, sql: &impl Sql, counted: &mut Counted) -> Result<(), Failure> {
        // Without a trend, the whole period is one point.
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
                let (stage, dismissed) = (columns::stage(row.integer()?)?, row.boolean()?);
                let name = row.text()?;
                // An unknown channel would be counted as another channel, and nobody would notice.
                let channel = Channel::named(&name).ok_or_else(|| columns::broken("channel"))?;
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

    /// Counts the respondents who answered.
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

    /// Finds the latest display of each respondent.
    fn latest(&self, sql: &impl Sql, latest: &mut LatestOfEach) -> Result<(), Failure> {
        let Self { condition, answer, by, .. } = self;
        // If `max` is the only aggregate, SQLite takes the other columns from the row with the maximum.
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
                let (stage, dismissed) = (columns::stage(row.integer()?)?, row.boolean()?);
                let by = row.text()?;
                if let Some(answer) = read_answer(&mut row)? {
                    keep_latest(latest, digest, Latest { shown_ms, stage, dismissed, answer, by });
                }
                Ok(())
            },
        )
    }
}

/// Returns the SQL expression for a dimension's value in a row; its value is empty if the row has none.
pub fn column(dimension: &Dimension) -> String {
    let (column, path) = match dimension {
        // Keys of traits consist of letters, digits and underscores.
        Dimension::Trait(key) => ("personal", format!("traits.{key}")),
        other => ("facts", other.name().into_owned()),
    };
    format!("coalesce(CAST(json_extract({column}, '$.{path}') AS TEXT), '')")
}

/// Reads an answer from `json_extract`: a number, the empty text that stands for any text, or a list.
fn read_answer(row: &mut Row) -> Result<Option<Answer>, Failure> {
    Ok(match row.value()? {
        Value::Null => None,
        Value::Integer(score) => {
            let score = u8::try_from(score);
            Some(Answer::Score(score.map_err(|_| Failure::broken("a score is no byte"))?))
        }
        Value::Text(text) if text.is_empty() => Some(Answer::Text(text)),
        Value::Text(list) => Some(serde_json::from_str(&list)?),
        Value::Blob(_) => return Err(Failure::broken("an answer is no JSON")),
    })
}
