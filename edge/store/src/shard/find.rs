//! Finds displays for a team that reads them: in one of two orders, step by step.
//!
//! Neither order ever changes, so pages neither skip nor repeat a display that existed when the first page was
//! read. Newest first is the order of the ids, which means the time when the survey was shown by the visitors'
//! clocks. The order of reception is almost the order of the ids, too: a display that is not late has an id of
//! about the time at which it arrived, so it is found in a window of keys. Late displays have an index.

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

/// The time when a display arrived and its id in text form, from the columns `received_ms` and `hex`.
const KEY: &str = "received_ms || '.' || substr(hex, 1, 8) || '-' || substr(hex, 9, 4) || '-'
    || substr(hex, 13, 4) || '-' || substr(hex, 17, 4) || '-' || substr(hex, 21)";

/// Returns the columns that define an order.
fn columns(order: Order) -> &'static str {
    match order {
        Order::NewestFirst => "id DESC",
        Order::Reception => "received_ms, id",
    }
}

/// Returns the position of a display in an order, from a [`KEY`].
fn parse(order: Order, text: &str) -> Option<Position> {
    let (received_ms, id) = text.split_once('.')?;
    Some(order.key(received_ms.parse().ok()?, id.parse().ok()?))
}

fn bytes(key: Position) -> Option<Vec<u8>> {
    key.id.map(|id| id.as_bytes().to_vec())
}

/// Converts a text to the form in which texts are compared: without case and accents.
pub type Plain<'a> = &'a dyn Fn(&str) -> String;

/// How much one step does.
#[derive(Debug, Clone, Copy)]
pub struct ReadLimits {
    /// Number of rows that a step looks at.
    pub rows: u32,
    /// Number of those rows that a later step reads.
    pub read: usize,
    /// Number of displays that a step may return.
    pub limit: usize,
}

/// Walks through the displays that match a filter, step by step.
#[derive(Debug)]
pub struct DisplayReader {
    find: DisplayFilter,
    /// Everything before this position was read.
    from: PageStart,
    next: NextStep,
}

/// What the next step of a walk does.
#[derive(Debug)]
enum NextStep {
    /// It looks up positions.
    LookUp,
    /// It reads the displays at positions that were looked up.
    Read {
        /// Those that were not read yet; never empty.
        ahead: VecDeque<Position>,
        /// The position after which to continue once these are read; `None` at the end.
        then: Option<Position>,
    },
    /// Everything was read.
    Nothing,
}

impl DisplayReader {
    /// Starts a walk at a position.
    pub fn new(find: DisplayFilter, from: PageStart) -> Self {
        Self { find, from, next: NextStep::LookUp }
    }

    /// Returns the position after which the walk continues; `None` once it has ended.
    pub fn next(&self) -> Option<Position> {
        self.from.after.filter(|_| !self.is_over())
    }

    /// Whether everything was read.
    pub fn is_over(&self) -> bool {
        matches!(self.next, NextStep::Nothing)
    }

    /// Makes one step.
    pub fn step(
        &mut self,
        sql: &impl Sql,
        step: ReadLimits,
        plain: Plain<'_>,
    ) -> Result<Vec<Stored>, Failure> {
        match std::mem::replace(&mut self.next, NextStep::Nothing) {
            NextStep::LookUp => {
                let (ahead, then) = self.look_up(sql, step.rows)?;
                self.go_on(ahead, then);
                Ok(Vec::new())
            }
            NextStep::Read { mut ahead, then } => {
                let found = self.read(sql, &mut ahead, step, plain)?;
                self.go_on(ahead, then);
                Ok(found)
            }
            NextStep::Nothing => Ok(Vec::new()),
        }
    }

    /// Decides what the next step does, after a step that left these positions to read.
    fn go_on(&mut self, ahead: VecDeque<Position>, then: Option<Position>) {
        if !ahead.is_empty() {
            self.next = NextStep::Read { ahead, then };
            return;
        }
        self.from = PageStart { after: then, with: false, ..self.from };
        self.next = if then.is_some() { NextStep::LookUp } else { NextStep::Nothing };
    }

    /// Looks up the next positions. Returns them, and the position after which to continue; `None` at the end.
    fn look_up(
        &self,
        sql: &impl Sql,
        rows: u32,
    ) -> Result<(VecDeque<Position>, Option<Position>), Failure> {
        let Window { query, values, end } = match self.from.order {
            Order::NewestFirst => Window::newest_first(&self.find, self.from, rows),
            Order::Reception => Window::by_reception(sql, &self.find, self.from, rows)?,
        };
        // The query returns one row, because the platform takes longer to hand over a row than to find it.
        let query = format!(
            "SELECT count(*), group_concat({KEY}) FROM (SELECT *, hex(id) AS hex FROM ({query}))"
        );
        let Some(mut row) = sql.first(&query, &values)? else {
            return Ok((VecDeque::new(), None));
        };
        let looked_at: u32 = row.integer()?;
        let keys = row.optional_text()?.unwrap_or_default();
        let order = self.from.order;
        // An unreadable key is an error: if the display were left out, nobody would notice.
        let keys = keys.split(',').filter(|key| !key.is_empty()).map(|key| parse(order, key));
        let keys: Option<VecDeque<_>> = keys.collect();
        let ahead = keys.ok_or_else(|| columns::broken("id"))?;
        if u32::try_from(ahead.len()) != Ok(looked_at) {
            return Err(columns::broken("id"));
        }
        let then = if looked_at == rows { ahead.back().copied() } else { end };
        Ok((ahead, then))
    }

    /// Reads displays at the positions that were looked up, and removes these from them.
    fn read(
        &mut self,
        sql: &impl Sql,
        ahead: &mut VecDeque<Position>,
        step: ReadLimits,
        plain: Plain<'_>,
    ) -> Result<Vec<Stored>, Failure> {
        let keys: Vec<_> = ahead.iter().take(step.read).copied().collect();
        let ids: Vec<_> = keys.iter().filter_map(|key| key.id).collect();
        let mut values: Vec<Value> = vec![serde_json::to_string(&ids)?.into()];
        let condition = condition(&self.find, &mut values);
        // If a condition is checked here and not in SQL, SQL cannot limit the number of displays.
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
        while ahead.front().is_some_and(is_read) {
            ahead.pop_front();
        }
        self.from = PageStart { after: last, with: false, ..self.from };
        Ok(found)
    }
}

/// The rows that a step looks at, whatever they hold.
struct Window {
    /// A query for the `received_ms` and `id` of the rows, in order.
    query: String,
    /// The values of the query.
    values: Vec<Value>,
    /// The position after which to continue if there are fewer rows than requested.
    end: Option<Position>,
}

impl Window {
    fn newest_first(find: &DisplayFilter, from: PageStart, rows: u32) -> Self {
        let before = if from.with { "<=" } else { "<" };
        // Keys of clock-skewed displays do not show when the displays were shown.
        let query = format!(
            "SELECT received_ms, id FROM (SELECT received_ms, id FROM display
                WHERE id {before} ?1 AND id >= ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4)
             UNION SELECT received_ms, id FROM (SELECT received_ms, id FROM display INDEXED BY astray
                WHERE astray = 1 AND id {before} ?1 ORDER BY id DESC LIMIT ?4)
             ORDER BY id DESC LIMIT ?4"
        );
        // Keys have 16 bytes, so every key is smaller.
        let start = from.after.and_then(bytes).unwrap_or(vec![u8::MAX; 17]);
        let values = vec![
            start.into(),
            DisplayId::floor(find.from_ms.saturating_sub(DRIFT_MS)).to_vec().into(),
            end_of(find).to_vec().into(),
            rows.into(),
        ];
        Self { query, values, end: None }
    }

    /// Looks at the rows that were received in a window of time. The window ends at the time in the key that
    /// comes `rows` keys after its start. A display that is not late was received at most `LATE_MS` after it
    /// was shown, and the time in its id differs by at most `DRIFT_MS` from when it was shown, so the keys of
    /// the window lie in a known range.
    fn by_reception(
        sql: &impl Sql,
        find: &DisplayFilter,
        from: PageStart,
        rows: u32,
    ) -> Result<Self, Failure> {
        // No display arrives before it is shown.
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

/// Returns an upper bound for the ids of displays that were shown in the filter's period. Clock-skewed displays
/// may lie above it.
fn end_of(find: &DisplayFilter) -> [u8; 16] {
    DisplayId::floor(find.to_ms.saturating_add(DRIFT_MS))
}

/// Whether a text of the display contains `wanted`.
fn says(display: &Stored, wanted: &str, plain: Plain<'_>) -> bool {
    display.answers.0.iter().any(|(_, answer)| match answer {
        Answer::Text(text) | Answer::Choice(Choice { other: Some(text), .. }) => {
            plain(text).contains(wanted)
        }
        _ => false,
    })
}

/// Whether the filter finds a display that matches the condition in SQL.
pub fn holds(find: &DisplayFilter, display: &Stored, plain: Plain<'_>) -> bool {
    let (text, respondent) = (find.text.as_deref(), find.respondent.as_deref());
    text.is_none_or(|wanted| says(display, wanted, plain))
        && respondent.is_none_or(|who| display.respondent.as_deref() == Some(who))
}

/// Returns the part of the filter that SQL can check, and appends its values to `values`.
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
    // Ids of questions consist of letters, digits and underscores.
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
