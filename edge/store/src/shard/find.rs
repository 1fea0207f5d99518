//! Finding displays for a team that reads them: in one of two orders, step by step.
//!
//! Neither order ever changes, so pages neither skip nor repeat what was there when the first one was
//! read. Newest first goes by id, which is by when visitors' clocks say that the survey was shown. The
//! order of reception is almost that of the ids, too: what is not late has an id of about the time at
//! which it arrived, so it is looked for in a window of keys; what is late has an index.

use std::collections::VecDeque;

use asklet_protocol::failure::Failure;
use asklet_protocol::find::{DisplayFilter, Order, PageStart, Position};
use asklet_shared::display::{Answer, Choice};
use asklet_shared::display_id::DisplayId;
use asklet_shared::time::END_OF_TIME_MS;

use crate::shard::columns::{self, DRIFT_MS, LATE, LATE_MS};
use crate::shard::personal_data::digest_column;
use crate::shard::scan::column;
use crate::shard::stored::{self, COLUMNS, Stored, TOMBSTONES};
use crate::sql::{Sql, Value};

/// When a display arrived and its id as it is written, from the columns `received_ms` and `hex`.
const KEY: &str = "received_ms || '.' || substr(hex, 1, 8) || '-' || substr(hex, 9, 4) || '-'
    || substr(hex, 13, 4) || '-' || substr(hex, 17, 4) || '-' || substr(hex, 21)";

/// The columns that make an order.
fn columns(order: Order) -> &'static str {
    match order {
        Order::NewestFirst => "id DESC",
        Order::Reception => "received_ms, id",
    }
}

/// Where a display stands in an order, from a [`KEY`].
fn parse(order: Order, text: &str) -> Option<Position> {
    let (received_ms, id) = text.split_once('.')?;
    Some(order.key(received_ms.parse().ok()?, id.parse().ok()?))
}

fn bytes(key: Position) -> Option<Vec<u8>> {
    key.id.map(|id| id.as_bytes().to_vec())
}

/// How a text is compared with others: without case and accents.
pub type Plain<'a> = &'a dyn Fn(&str) -> String;

/// How much is done in one step.
#[derive(Debug, Clone, Copy)]
pub struct ReadLimits {
    /// How many rows are looked at.
    pub rows: u32,
    /// How many of them are read.
    pub read: usize,
    /// How many displays it may find.
    pub limit: usize,
}

/// A walk over the displays that are looked for, step by step: one looks at what comes next, and those
/// after it read that.
#[derive(Debug)]
pub struct DisplayReader {
    find: DisplayFilter,
    from: PageStart,
    /// What was looked at and not read yet.
    ahead: VecDeque<Position>,
    /// Where to go on behind once that is read; none at the end.
    then: Option<Position>,
    is_over: bool,
}

impl DisplayReader {
    /// From a place on.
    pub fn new(find: DisplayFilter, from: PageStart) -> Self {
        Self { find, from, ahead: VecDeque::new(), then: None, is_over: false }
    }

    /// Behind what it goes on; nothing once it is over.
    pub fn next(&self) -> Option<Position> {
        self.from.after.filter(|_| !self.is_over)
    }

    /// Whether all was read.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Goes one step on.
    pub fn step(
        &mut self,
        sql: &impl Sql,
        step: ReadLimits,
        plain: Plain<'_>,
    ) -> Result<Vec<Stored>, Failure> {
        let found = if self.ahead.is_empty() {
            self.look(sql, step.rows)?;
            Vec::new()
        } else {
            self.read(sql, step, plain)?
        };
        if self.ahead.is_empty() {
            self.is_over = self.then.is_none();
            self.from = PageStart { after: self.then, with: false, ..self.from };
        }
        Ok(found)
    }

    /// Looks at what comes next.
    fn look(&mut self, sql: &impl Sql, rows: u32) -> Result<(), Failure> {
        let Window { query, values, end } = match self.from.order {
            Order::NewestFirst => Window::newest_first(&self.find, self.from, rows),
            Order::Reception => Window::by_reception(sql, &self.find, self.from, rows)?,
        };
        // One row, since each takes longer to come out of the platform than to be found.
        let query = format!(
            "SELECT count(*), group_concat({KEY}) FROM (SELECT *, hex(id) AS hex FROM ({query}))"
        );
        let Some(mut row) = sql.first(&query, &values)? else { return Ok(()) };
        let looked_at: u32 = row.integer()?;
        let keys = row.optional_text()?.unwrap_or_default();
        let order = self.from.order;
        // One that does not read is an error: a display that is left out would be missed by nobody.
        let keys = keys.split(',').filter(|key| !key.is_empty()).map(|key| parse(order, key));
        self.ahead = keys.collect::<Option<_>>().ok_or_else(|| columns::broken("id"))?;
        if u32::try_from(self.ahead.len()) != Ok(looked_at) {
            return Err(columns::broken("id"));
        }
        self.then = if looked_at == rows { self.ahead.back().copied() } else { end };
        Ok(())
    }

    /// Reads of what was looked at.
    fn read(
        &mut self,
        sql: &impl Sql,
        step: ReadLimits,
        plain: Plain<'_>,
    ) -> Result<Vec<Stored>, Failure> {
        let keys: Vec<_> = self.ahead.iter().take(step.read).copied().collect();
        let ids: Vec<_> = keys.iter().filter_map(|key| key.id).collect();
        let mut values: Vec<Value> = vec![serde_json::to_string(&ids)?.into()];
        let condition = condition(&self.find, &mut values);
        // What is compared here cannot be limited there.
        let most = match (&self.find.text, &self.find.respondent) {
            (None, None) => format!("LIMIT {}", step.limit),
            _ => String::new(),
        };
        let order = self.from.order;
        let mut found = Vec::new();
        sql.query(
            &format!(
                "SELECT {COLUMNS} FROM display
                 WHERE id IN (SELECT unhex(value, '-') FROM json_each(?1)) AND {condition}
                 ORDER BY {} {most}",
                columns(order)
            ),
            &values,
            &mut |row| {
                if found.len() < step.limit {
                    let display = stored::read(row)?;
                    if holds(&self.find, &display, plain) {
                        found.push(display);
                    }
                }
                Ok(())
            },
        )?;
        let last_found = found.last().map(|last| order.key(last.received_ms, last.id));
        let last = last_found.filter(|_| found.len() == step.limit).or(keys.last().copied());
        let is_read = |key: &Position| last.is_some_and(|last| !order.precedes(last, *key));
        while self.ahead.front().is_some_and(is_read) {
            self.ahead.pop_front();
        }
        self.from = PageStart { after: last, with: false, ..self.from };
        Ok(found)
    }
}

/// The rows that are looked at, whatever they hold.
struct Window {
    /// A query of their `received_ms` and `id`, in order.
    query: String,
    /// Its values.
    values: Vec<Value>,
    /// Where to go on if there are fewer than were asked for.
    end: Option<Position>,
}

impl Window {
    fn newest_first(find: &DisplayFilter, from: PageStart, rows: u32) -> Self {
        let before = if from.with { "<=" } else { "<" };
        // Keys of clock-skewed displays say nothing about when they were shown.
        let query = format!(
            "SELECT received_ms, id FROM (SELECT received_ms, id FROM display
                WHERE id {before} ?1 AND id >= ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4)
             UNION SELECT received_ms, id FROM (SELECT received_ms, id FROM display INDEXED BY astray
                WHERE astray = 1 AND id {before} ?1 ORDER BY id DESC LIMIT ?4)
             ORDER BY id DESC LIMIT ?4"
        );
        // No key is longer.
        let start = from.after.and_then(bytes).unwrap_or(vec![u8::MAX; 17]);
        let values = vec![
            start.into(),
            DisplayId::floor(find.from_ms.saturating_sub(DRIFT_MS)).to_vec().into(),
            end_of(find).to_vec().into(),
            rows.into(),
        ];
        Self { query, values, end: None }
    }

    /// The window ends at the time of the last of so many keys. What is not late arrived so long after
    /// it was shown at most, and its id is not further from that than clocks drift.
    fn by_reception(
        sql: &impl Sql,
        find: &DisplayFilter,
        from: PageStart,
        rows: u32,
    ) -> Result<Self, Failure> {
        // Nothing arrives before it is shown.
        let start = from.after.unwrap_or(Position { ms: find.from_ms, id: None });
        let nth = sql.first(
            &format!(
                "SELECT id FROM display WHERE id >= ? AND id < ? ORDER BY id LIMIT 1 OFFSET {rows}"
            ),
            &[DisplayId::floor(start.ms).to_vec().into(), end_of(find).to_vec().into()],
        )?;
        let nth = nth.map(|mut row| columns::display_id(&row.blob()?)).transpose()?;
        let end = nth.map(|id| Position { ms: id.unix_ms().max(start.ms + 1), id: None });
        let end_ms = end.map_or(END_OF_TIME_MS, |end| end.ms);
        let query = format!(
            "SELECT received_ms, id FROM (
                SELECT received_ms, id FROM display
                    WHERE id >= ?3 AND id < ?4 AND received_ms < ?5 AND NOT {LATE}
                UNION ALL SELECT received_ms, id FROM (SELECT received_ms, id FROM display INDEXED BY late
                    WHERE {LATE} AND (received_ms, id) > (?1, ?2) AND received_ms < ?5
                    ORDER BY received_ms, id LIMIT ?6))
             WHERE (received_ms, id) > (?1, ?2) ORDER BY received_ms, id LIMIT ?6"
        );
        let last = DisplayId::floor(end_ms.saturating_add(DRIFT_MS)).min(end_of(find));
        let values = vec![
            start.ms.into(),
            bytes(start).unwrap_or_default().into(),
            DisplayId::floor(start.ms.saturating_sub(DRIFT_MS + LATE_MS)).to_vec().into(),
            last.to_vec().into(),
            end_ms.into(),
            rows.into(),
        ];
        Ok(Self { query, values, end })
    }
}

/// A bound above the ids of what was shown in time, but for what is clock-skewed.
fn end_of(find: &DisplayFilter) -> [u8; 16] {
    DisplayId::floor(find.to_ms.saturating_add(DRIFT_MS))
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

/// Whether it finds a display of those that SQL lets pass.
pub fn holds(find: &DisplayFilter, display: &Stored, plain: Plain<'_>) -> bool {
    let (text, respondent) = (find.text.as_deref(), find.respondent.as_deref());
    text.is_none_or(|wanted| says(display, wanted, plain))
        && respondent.is_none_or(|who| display.respondent.as_deref() == Some(who))
}

/// What SQL can tell of it, with values put behind those that are there.
pub fn condition(find: &DisplayFilter, values: &mut Vec<Value>) -> String {
    let mut mark = |value: Value| {
        values.push(value);
        format!("?{}", values.len())
    };
    let mut condition = format!(
        "shown_ms >= {} AND shown_ms < {} AND coalesce(excluded NOT IN {TOMBSTONES}, 1)",
        mark(find.from_ms.into()),
        mark(find.to_ms.into())
    );
    if let Some(excluded) = find.excluded {
        let not = if excluded { "NOT " } else { "" };
        condition += &format!(" AND excluded IS {not}NULL");
    }
    if find.received_from_ms > 0 {
        condition += &format!(" AND received_ms >= {}", mark(find.received_from_ms.into()));
    }
    if find.received_to_ms < END_OF_TIME_MS {
        condition += &format!(" AND received_ms < {}", mark(find.received_to_ms.into()));
    }
    if !find.unanswered {
        condition += " AND stage >= 2 AND json_extract(facts, '$.answers') <> '{}'";
    }
    // Ids of questions are letters, digits and underscores.
    if let Some(question) = &find.question {
        condition += &format!(" AND json_extract(facts, '$.answers.{question}') IS NOT NULL");
    }
    if let Some((question, scores)) = &find.scores {
        let scores = scores.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
        condition += &format!(" AND json_extract(facts, '$.answers.{question}') IN ({scores})");
    }
    let has_comment = find.has_comment.or(find.text.is_some().then_some(true));
    if let Some(has_comment) = has_comment {
        let not = if has_comment { "NOT " } else { "" };
        condition += &format!(" AND json_extract(personal, '$.has_text') IS {not}NULL");
    }
    if let Some(respondent) = &find.respondent {
        condition += &format!(" AND respondent = {}", mark(digest_column(respondent).into()));
    }
    for (dimension, wanted) in &find.filters {
        let marks = wanted.iter().map(|value| mark(value.as_str().into()));
        let marks = marks.collect::<Vec<_>>().join(", ");
        condition += &format!(" AND {} IN ({marks})", column(dimension));
    }
    condition
}
