//! Reads tables as lines of JSON from one object, and stores them in another object with the same schema.
//!
//! A page holds all rows of a table whose keys lie between two keys. Storing a page first removes the rows
//! between these keys. So pages can be repeated, in any order, and even when the source table has changed
//! since. Once all pages are stored, the tables are equal.

use asklet_protocol::bundle::Cells;
use asklet_protocol::failure::Failure;
use asklet_protocol::json;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::sql::{Sql, Value};

/// Approximate number of bytes of a page. A page ends with the step that reaches this number.
const PAGE: usize = 1 << 20;

/// How a table is read and stored.
pub struct Table {
    /// The name of the table.
    pub name: &'static str,
    /// The columns by which the rows are ordered.
    pub key: &'static [&'static str],
    /// Expressions that return the values that the key columns of a row had in the source table.
    pub key_there: &'static [&'static str],
    /// The numbers of the columns that may hold a survey's id.
    pub surveys: &'static [usize],
    /// The numbers of the columns whose texts are encrypted in the table and in the clear in pages.
    pub secrets: &'static [usize],
    /// Number of rows that are read at a time: few if rows can be large.
    pub step: usize,
    /// How rows are overwritten in their place; `None` if they are deleted and inserted.
    pub in_place: Option<InPlace>,
}

/// How to overwrite the rows of a table in their place. The table has two columns: a number that counts from 0
/// without gaps, and bytes of equal length.
pub struct InPlace {
    /// The statement that blanks rows; conditions that select the rows are appended to it.
    pub clear: &'static str,
    /// The statement that appends blank rows up to the number `?1`, if the table has fewer.
    pub append: &'static str,
    /// The statement that writes the bytes `?2` into the row with the number `?1`.
    pub write: &'static str,
}

fn cell(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Integer(integer) => Some(format!("i{integer}")),
        Value::Text(text) => Some(format!("t{text}")),
        Value::Blob(bytes) => Some(format!("b{}", STANDARD.encode(bytes))),
    }
}

fn value(cell: &Option<String>) -> Result<Value, Failure> {
    let Some(cell) = cell else { return Ok(Value::Null) };
    let broken = || Failure::broken("a page holds what is no value");
    let (kind, rest) = cell.split_at_checked(1).ok_or_else(broken)?;
    match kind {
        "i" => {
            let integer: i64 = rest.parse().map_err(|_| broken())?;
            // JavaScript cannot represent larger integers exactly.
            (integer.unsigned_abs() < 1 << 53).then_some(Value::Integer(integer)).ok_or_else(broken)
        }
        "t" => Ok(rest.into()),
        "b" => STANDARD.decode(rest).map(Value::Blob).map_err(|_| broken()),
        _ => Err(broken()),
    }
}

/// Returns the values of cells.
pub fn values(cells: &Cells) -> Result<Vec<Value>, Failure> {
    cells.iter().map(value).collect()
}

/// Rewrites the text of a column, such as a survey's id or a secret.
pub type Rewrite<'a> = &'a dyn Fn(&str) -> Result<String, Failure>;

/// Reads the page of a table that begins after a key, or at the beginning: one line for each row. Also returns
/// the key with which the page ends; empty at the end of the table. `open` decrypts secrets.
pub fn dump(
    sql: &impl Sql,
    table: &Table,
    after: &Cells,
    open: Rewrite<'_>,
) -> Result<(String, Cells), Failure> {
    let Table { name, key, step, secrets, .. } = table;
    let columns = key.join(", ");
    let (mut lines, mut after) = (String::new(), after.clone());
    loop {
        let condition = match after.is_empty() {
            true => String::new(),
            false => format!("WHERE ({columns}) > ({})", marks(after.len())),
        };
        let query = format!(
            "SELECT {columns}, {name}.* FROM {name} {condition} ORDER BY {columns} LIMIT {step}"
        );
        let (mut rows, mut last) = (0, Cells::new());
        sql.query(&query, &values(&after)?, &mut |row| {
            let mut cells = row.values().map(cell);
            last = cells.by_ref().take(key.len()).collect();
            let mut cells = cells.collect::<Cells>();
            for (at, cell) in cells.iter_mut().enumerate() {
                let text = cell.as_deref().and_then(|cell| cell.strip_prefix('t'));
                if let Some(text) = text.filter(|_| secrets.contains(&at)) {
                    *cell = Some(format!("t{}", open(text)?));
                }
            }
            lines += &json::line(&cells)?;
            lines.push('\n');
            rows += 1;
            Ok(())
        })?;
        if rows < *step {
            return Ok((lines, Cells::new()));
        }
        if lines.len() >= PAGE {
            return Ok((lines, last));
        }
        after = last;
    }
}

/// Stores a page of a table, in place of the rows that are there. `rename` returns the id that a survey has
/// here, given its id in the old deployment, and `lock` encrypts secrets. Returns the number of rows in the
/// page. Runs within the caller's transaction.
pub fn load(
    sql: &impl Sql,
    table: &Table,
    bounds: [&Cells; 2],
    lines: &str,
    [rename, lock]: [Rewrite<'_>; 2],
) -> Result<u64, Failure> {
    let Table { name, key_there, surveys, secrets, in_place, .. } = table;
    let mut remove = match in_place {
        Some(in_place) => in_place.clear.to_owned(),
        None => format!("DELETE FROM {name} WHERE true"),
    };
    let mut between = Vec::new();
    for (cells, than) in bounds.into_iter().zip([">", "<="]) {
        if cells.is_empty() {
            continue;
        }
        remove += &format!(" AND ({}) {than} ({})", key_there.join(", "), marks(cells.len()));
        between.extend(values(cells)?);
    }
    sql.run(&remove, &between)?;
    let mut rows = 0;
    for line in lines.lines() {
        let mut row = values(&json::read(line)?)?;
        for (at, value) in row.iter_mut().enumerate() {
            let Value::Text(text) = value else { continue };
            if surveys.contains(&at) {
                *text = rename(text)?;
            } else if secrets.contains(&at) {
                *text = lock(text)?;
            }
        }
        match in_place {
            Some(in_place) => {
                sql.run(in_place.append, row.get(..1).unwrap_or_default())?;
                sql.run(in_place.write, &row)?;
            }
            None => sql.run(&format!("REPLACE INTO {name} VALUES ({})", marks(row.len())), &row)?,
        }
        rows += 1;
    }
    Ok(rows)
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::native::Native;

    const TABLE: Table = Table {
        name: "one",
        key: &["a", "b"],
        key_there: &["a", "b"],
        surveys: &[1],
        secrets: &[2],
        step: 3,
        in_place: None,
    };

    fn same(text: &str) -> Result<String, Failure> {
        Ok(text.to_owned())
    }

    fn table() -> Native {
        let sql = Native::default();
        let create =
            "CREATE TABLE one (a BLOB, b TEXT, c INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID";
        sql.run(create, &[]).unwrap();
        sql
    }

    fn all(sql: &Native) -> String {
        dump(sql, &TABLE, &Cells::new(), &same).unwrap().0
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
        // Rows that the source does not have are removed, wherever they lie.
        for stray in [0_u8, 9, 200] {
            to.run("INSERT INTO one VALUES (?, 'b', 7)", &[vec![stray].into()]).unwrap();
        }
        let mut pages = Vec::new();
        let mut after = Cells::new();
        loop {
            let (lines, until) = dump(&from, &TABLE, &after, &same).unwrap();
            pages.push((lines, after, until.clone()));
            after = until;
            if after.is_empty() {
                break;
            }
        }
        assert_eq!(pages.len(), 4);
        let take = |(lines, after, until): &(String, Cells, Cells)| {
            load(&to, &TABLE, [after, until], lines, [&same, &same]).unwrap()
        };
        let rows: u64 = [2, 1, 0, 1, 3].iter().map(|at| take(&pages[*at])).sum();
        assert_eq!(rows, 40 + take(&pages[1]));
        assert!(all(&from) == all(&to));
    }

    #[test]
    fn ids_are_renamed_where_they_stand() {
        let sql = table();
        let lines = "[\"bAQ==\",\"telse\",\"i-5\"]\n[\"bAf8=\",\"told\",null]\n";
        let rename = |id: &str| Ok(id.replace("old", "new"));
        load(&sql, &TABLE, [&vec![], &vec![]], lines, [&rename, &same]).unwrap();
        assert_eq!(all(&sql), lines.replace("old", "new"));
    }

    #[test]
    fn secrets_are_locked_where_they_lie_and_open_where_they_travel() {
        let sql = Native::default();
        sql.run("CREATE TABLE one (a TEXT, b TEXT, c TEXT)", &[]).unwrap();
        let lines = "[\"ta\",\"tb\",\"topen\"]\n";
        let lock = |text: &str| Ok(text.replace("open", "locked"));
        let open = |text: &str| Ok(text.replace("locked", "open"));
        load(&sql, &TABLE, [&vec![], &vec![]], lines, [&same, &lock]).unwrap();
        let stored = sql.first("SELECT c FROM one", &[]).unwrap().unwrap().text().unwrap();
        assert_eq!(stored, "locked");
        assert_eq!(dump(&sql, &TABLE, &Cells::new(), &open).unwrap().0, lines);
    }
}
