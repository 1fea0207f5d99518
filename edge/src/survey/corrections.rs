//! Corrections by filter: all displays that a filter finds are excluded, included again or deleted, a slice
//! at a time, so that collecting goes on meanwhile. A slice that is run again changes nothing more.

use serde::{Deserialize, Serialize};

use super::find::{Find, Plain};
use super::keeping;
use super::log::{self, COLUMNS, DELETED, Stored};
use super::slice::{Cursor, Range, Slice};
use crate::failure::Failure;
use crate::sql::Sql;

/// How many rows a slice looks at.
pub const ROWS: u32 = 1_500;

/// How many displays a slice reads and changes. Each may have about ten counters of its own to change, and nobody
/// should wait 50 ms for a slice.
const DISPLAYS: usize = 50;

/// What is done to what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// Count it nowhere, for a reason.
    Exclude,
    /// Count it again, if it was excluded; with a reason, if it was for that one.
    Include,
    /// Remove it for good.
    Delete,
}

/// What is done to which displays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// What is done.
    pub treatment: Treatment,
    /// Why it is excluded, or was.
    pub reason: Option<String>,
    /// To which displays.
    pub find: Find,
    /// Whether it is only counted.
    pub dry_run: bool,
}

/// What some slices came to.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrected {
    /// How many displays the filter found.
    pub matched: u64,
    /// How many of them were changed, or would be.
    pub changed: u64,
    /// Where the next slice begins; `None` after the last.
    pub next: Option<Cursor>,
}

impl Correction {
    /// Works off one slice in one transaction.
    pub fn step(
        &self,
        sql: &impl Sql,
        slice: Slice,
        plain: Plain<'_>,
    ) -> Result<Corrected, Failure> {
        sql.transaction(|| {
            let mut corrected = Corrected::default();
            let mut wrong = Vec::new();
            for range in slice.ranges(sql, self.find.from_ms, self.find.to_ms)? {
                let found = self.find(sql, &range)?;
                let is_cut = found.len() == DISPLAYS;
                corrected.next = match found.last() {
                    Some(last) if is_cut => Some(Cursor { id: last.id, astray: last.astray }),
                    _ => range.next,
                };
                for display in found.into_iter().filter(|display| self.find.holds(display, plain)) {
                    corrected.matched += 1;
                    if self.changes(&display) {
                        corrected.changed += 1;
                        wrong.push(display);
                    }
                }
                if is_cut {
                    break;
                }
            }
            if !self.dry_run {
                self.treat(sql, wrong)?;
            }
            Ok(corrected)
        })
    }

    /// The first displays of a range that the filter may find.
    fn find(&self, sql: &impl Sql, range: &Range) -> Result<Vec<Stored>, Failure> {
        let mut values = range.values.clone();
        let filter = self.find.condition(&mut values);
        let condition = &range.condition;
        let query = format!(
            "SELECT {COLUMNS} FROM display WHERE {condition} AND {filter} ORDER BY id LIMIT {DISPLAYS}"
        );
        let mut found = Vec::new();
        sql.query(&query, &values, &mut |row| {
            found.push(log::stored(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Whether there is something to do.
    fn changes(&self, display: &Stored) -> bool {
        match (self.treatment, &display.excluded) {
            (Treatment::Exclude, excluded) => excluded.is_none(),
            (Treatment::Include, None) => false,
            (Treatment::Include, Some(excluded)) => {
                self.reason.as_ref().is_none_or(|reason| reason == excluded)
            }
            (Treatment::Delete, _) => true,
        }
    }

    fn treat(&self, sql: &impl Sql, displays: Vec<Stored>) -> Result<(), Failure> {
        match self.treatment {
            Treatment::Delete => keeping::remove(sql, displays, DELETED),
            Treatment::Exclude => keeping::mark(sql, displays, self.reason.as_deref()),
            Treatment::Include => keeping::mark(sql, displays, None),
        }
    }
}
