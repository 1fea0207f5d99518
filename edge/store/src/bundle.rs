//! Reads pages of an object's tables in one deployment, and stores them in another: see
//! [`asklet_protocol::bundle`].

use asklet_protocol::bundle::{FORMAT, Head, unknown_cursor};
use asklet_protocol::failure::Failure;
use asklet_shared::problem::{Code, Problem};

use crate::sql::Sql;
use crate::sql::dump::{self, Rewrite, Table};

/// Reads the page of an object that begins at a cursor, or the object's first page if its stamp has changed
/// since. The cursor after its last page leads to the object `following`. `open` decrypts secrets.
pub fn read_page(
    sql: &impl Sql,
    (tables, schema): (&[Table], usize),
    mut head: Head,
    (stamp, following): (String, Option<String>),
    open: Rewrite<'_>,
) -> Result<String, Failure> {
    if head.begins() || head.stamp != stamp {
        head = Head { stamp, ..Head::of(head.object, head.keys, head.revision) };
    }
    // The first page of an object names no table yet.
    let is_named = |table: &Table| head.begins() || table.name == head.table;
    let at = tables.iter().position(is_named).ok_or_else(unknown_cursor)?;
    let table = tables.get(at).ok_or_else(unknown_cursor)?;
    let is_of_table = head.after.is_empty() || head.after.len() == table.key.len();
    if !is_of_table || dump::values(&head.after).is_err() {
        return Err(unknown_cursor().into());
    }
    let (rows, until) = dump::dump(sql, table, &head.after, open)?;
    let mut next = head.clone();
    next.after.clone_from(&until);
    let next = match (until.is_empty(), tables.get(at + 1)) {
        (false, _) => Some(Head { table: table.name.to_owned(), ..next }),
        (true, Some(table)) => Some(Head { table: table.name.to_owned(), ..next }),
        (true, None) => following.map(|object| Head::of(object, head.keys, head.revision)),
    };
    head.next = next.as_ref().map(Head::cursor).transpose()?;
    Head { bundle: FORMAT, schema, table: table.name.to_owned(), until, ..head }.write(&rows)
}

/// Stores a page in an object's tables. For a table, `rename` returns the id that a survey has here, given its
/// id in the old deployment, and `lock` encrypts secrets. Returns the number of rows in the page. Runs within
/// the caller's transaction.
pub fn load_page(
    sql: &impl Sql,
    (tables, schema): (&[Table], usize),
    (head, rows): (&Head, &str),
    rename: &dyn Fn(&str, &str) -> Result<String, Failure>,
    lock: Rewrite<'_>,
) -> Result<u64, Failure> {
    let table = tables.iter().find(|table| table.name == head.table);
    let (FORMAT, true, Some(table)) = (head.bundle, head.schema == schema, table) else {
        let detail = "the page comes from another release: bring both deployments to the same one";
        return Err(Problem::new(Code::OtherSchema, detail)
            .limit(format!("bundle {FORMAT}, schema {schema}"))
            .into());
    };
    let rename = |id: &str| rename(table.name, id);
    dump::load(sql, table, head.bounds(), rows, [&rename, lock])
}
