//! Tables as lines of JSON, out of one object and into another of the same schema.
//!
//! A page holds all rows of a table whose keys lie between two. Taking it first removes what lies there,
//! so that pages can come again, in any order and from a table that has changed since: once all have come,
//! the tables are equal.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};

use super::{Sql, Value};
use crate::failure::Failure;
use crate::json;

/// About how many bytes a page has; it ends with the step that reaches them.
const PAGE: usize = 1 << 20;

/// How a table is dumped.
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The columns by which its rows are ordered.
    pub key: &'static [&'static str],
    /// What those of a row were in the table that it came from.
    pub key_there: &'static [&'static str],
    /// The columns that may hold a survey's id, by their numbers.
    pub surveys: &'static [usize],
    /// How many rows are read at a time: few of those that may be large.
    pub step: usize,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// No value.
    Null,
    /// An integer.
    Integer(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes {
        /// In base64, without what fills it up.
        base64: String,
    },
}

/// Where a page of a table begins: after a key, or at the beginning.
pub type After = Option<Vec<Cell>>;

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(integer) => Self::Integer(integer),
            Value::Text(text) => Self::Text(text),
            Value::Blob(bytes) => Self::Bytes { base64: STANDARD_NO_PAD.encode(bytes) },
        }
    }
}

impl TryFrom<Cell> for Value {
    type Error = Failure;

    fn try_from(cell: Cell) -> Result<Self, Failure> {
        Ok(match cell {
            Cell::Null => Self::Null,
            Cell::Integer(integer) => Self::Integer(integer),
            Cell::Text(text) => Self::Text(text),
            Cell::Bytes { base64 } => {
                let bytes = STANDARD_NO_PAD.decode(base64);
                Self::Blob(bytes.map_err(|error| Failure::Broken(error.to_string()))?)
            }
        })
    }
}

/// Reads a page of a table: a line for each row, and after which key the next page begins.
pub fn dump(sql: &impl Sql, table: &Table, after: &After) -> Result<(String, After), Failure> {
    let Table { name, key, step, .. } = table;
    let columns = key.join(", ");
    let (mut lines, mut after) = (String::new(), after.clone());
    loop {
        let (condition, values) = match after {
            Some(cells) => (format!("WHERE ({columns}) > ({})", marks(key.len())), keys(cells)?),
            None => (String::new(), Vec::new()),
        };
        let query = format!(
            "SELECT {columns}, {name}.* FROM {name} {condition} ORDER BY {columns} LIMIT {step}"
        );
        let (mut rows, mut last) = (0, None);
        sql.query(&query, &values, &mut |row| {
            let mut cells = row.values().map(Cell::from);
            last = Some(cells.by_ref().take(key.len()).collect());
            lines += &serde_json::to_string(&cells.collect::<Vec<_>>())?;
            lines.push('\n');
            rows += 1;
            Ok(())
        })?;
        if rows < *step {
            return Ok((lines, None));
        }
        if lines.len() >= PAGE {
            return Ok((lines, last));
        }
        after = last;
    }
}

/// Puts a page of a table where it belongs, in the place of what is there. `rename` gives a survey's id
/// here for that where the page comes from. Returns how many rows there are. Runs within the caller's
/// transaction.
pub fn load(
    sql: &impl Sql,
    table: &Table,
    (after, until): (After, After),
    lines: &str,
    rename: &dyn Fn(&str) -> Result<String, Failure>,
) -> Result<u64, Failure> {
    let Table { name, key_there, surveys, .. } = table;
    let mut remove = format!("DELETE FROM {name} WHERE true");
    let mut values = Vec::new();
    for (bound, than) in [(after, ">"), (until, "<=")] {
        let Some(cells) = bound else { continue };
        remove += &format!(" AND ({}) {than} ({})", key_there.join(", "), marks(cells.len()));
        values.extend(keys(cells)?);
    }
    sql.run(&remove, &values)?;
    let mut rows = 0;
    for line in lines.lines() {
        let mut values = keys(json::read(line)?)?;
        for (at, value) in values.iter_mut().enumerate() {
            if let Value::Text(id) = value
                && surveys.contains(&at)
            {
                *id = rename(id)?;
            }
        }
        sql.run(&format!("REPLACE INTO {name} VALUES ({})", marks(values.len())), &values)?;
        rows += 1;
    }
    Ok(rows)
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

fn keys(cells: Vec<Cell>) -> Result<Vec<Value>, Failure> {
    cells.into_iter().map(Value::try_from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::native::Native;

    const TABLE: Table =
        Table { name: "one", key: &["a", "b"], key_there: &["a", "b"], surveys: &[1], step: 3 };

    fn table() -> Native {
        let sql = Native::new();
        let create =
            "CREATE TABLE one (a BLOB, b TEXT, c INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID";
        sql.run(create, &[]).unwrap();
        sql
    }

    fn all(sql: &Native) -> String {
        dump(sql, &TABLE, &None).unwrap().0
    }

    #[test]
    fn what_was_loaded_is_what_was_dumped_in_pages_that_may_come_again() {
        let (from, to) = (table(), table());
        let add = |number: u8| {
            let long = "x".repeat(100_000);
            let values = [vec![number / 2, 255].into(), format!("{number}{long}").into()];
            from.run("INSERT INTO one VALUES (?, ?, NULL)", &values).unwrap();
        };
        (0..40).for_each(add);
        // What is there and should not be goes, wherever it lies.
        for stray in [0_u8, 9, 200] {
            to.run("INSERT INTO one VALUES (?, 'b', 7)", &[vec![stray].into()]).unwrap();
        }
        let mut pages = Vec::new();
        let mut after = None;
        loop {
            let (lines, until) = dump(&from, &TABLE, &after).unwrap();
            pages.push((lines, after, until.clone()));
            after = until;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(pages.len(), 4);
        let take = |(lines, after, until): &(String, After, After)| {
            let keys = (after.clone(), until.clone());
            load(&to, &TABLE, keys, lines, &|id| Ok(id.to_owned())).unwrap()
        };
        let rows: u64 = [2, 1, 0, 1, 3].iter().map(|at| take(&pages[*at])).sum();
        assert_eq!(rows, 40 + take(&pages[1]));
        assert!(all(&from) == all(&to));
    }

    #[test]
    fn ids_are_renamed_where_they_stand() {
        let sql = table();
        let lines = "[{\"base64\":\"AQ\"},\"else\",-5]\n[{\"base64\":\"Af8\"},\"old\",null]\n";
        load(&sql, &TABLE, (None, None), lines, &|id| Ok(id.replace("old", "new"))).unwrap();
        assert_eq!(all(&sql), lines.replace("old", "new"));
    }
}
