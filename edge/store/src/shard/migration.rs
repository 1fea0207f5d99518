//! The migration of a shard from one deployment to another: see [`crate::bundle`].

use asklet_protocol::bundle::{self, Head};
use asklet_protocol::failure::Failure;
use asklet_shared::problem::{Code, Problem};

use crate::bundle::{load_page, read_page};
use crate::shard::schema::MIGRATIONS;
use crate::shard::{changes, columns, display_keys, storage, stored};
use crate::sql::Sql;
use crate::sql::dump::{self, Table};

const fn table(name: &'static str, key: &'static [&'static str], step: usize) -> Table {
    Table { name, key, key_there: key, surveys: &[], secrets: &[], step, in_place: None }
}

/// Keys are written in place, so that no copy of a key is left.
const KEYS: Table =
    Table { in_place: Some(display_keys::IN_PLACE), ..table("display_key", &["batch"], 8) };

/// The tables in a bundle. The policy is not part of it: the site sends it once the migration is complete.
const TABLES: &[Table] = &[
    table("published", &["version"], 8),
    table("body", &["digest"], 8),
    table("trait_value", &["trait", "value"], 100),
    table("counter", &["question", "dimension", "day", "value"], 8),
    table("change", &["seq"], 500),
    KEYS,
    table("display", &["id"], 100),
    // The last table: without its row, a shard neither counts nor takes displays.
    table("folded", &["rowid"], 8),
];

/// Reads a page of a shard, or the shard's first page if the shard has changed since. `woken_ms` is the time
/// since which the shard has been awake.
pub fn dump(
    sql: &impl Sql,
    woken_ms: u64,
    from: Head,
    following: Option<String>,
) -> Result<String, Failure> {
    let mut stamp = format!("{woken_ms}/{}", changes::latest(sql)?);
    sql.query(
        "SELECT until_ms, received_until_ms, dropped_ms, forgotten_ms FROM folded",
        &[],
        &mut |mut row| {
            for _ in 0..4 {
                stamp += &format!("/{}", row.integer::<u64>()?);
            }
            Ok(())
        },
    )?;
    let same = |text: &str| Ok(text.to_owned());
    read_page(sql, (TABLES, MIGRATIONS.len()), from, (stamp, following), &same)
}

/// Forgets the policy, so that the shard asks the site for it before it takes a display.
pub fn forget_policy(sql: &impl Sql) -> Result<(), Failure> {
    sql.run("DELETE FROM standing", &[])
}

/// Refuses a page with a display that cannot be read, for example because its channel is unknown. Otherwise a
/// fold or an export would find it later, when nobody can send another page.
fn check_displays(sql: &impl Sql, head: &Head) -> Result<(), Failure> {
    let (mut condition, mut between) = ("true".to_owned(), Vec::new());
    for (key, than) in head.bounds().into_iter().zip([">", "<="]).filter(|(key, _)| !key.is_empty())
    {
        condition += &format!(" AND id {than} ?");
        between.extend(dump::values(key)?);
    }
    // Personal data may be encrypted under a key that arrives with a later page.
    let query = format!("SELECT id, facts FROM display WHERE {condition}");
    sql.query(&query, &between, &mut |mut row| {
        let (id, facts) = (row.blob()?, row.text()?);
        let read = columns::display_id(&id).and_then(|_| stored::check_facts(&facts));
        let unreadable = "a display of the page does not read";
        read.map_err(|_| Problem::new(Code::BrokenBundle, unreadable).into())
    })
}

/// Stores a page. Until the last page is stored, the shard neither counts nor takes displays.
pub fn load(sql: &impl Sql, page: &str) -> Result<u64, Failure> {
    let (head, rows) = bundle::read(page)?;
    let loaded = sql.transaction(|| {
        storage::note_size(sql)?;
        sql.run("DELETE FROM folded", &[])?;
        forget_policy(sql)?;
        let place = (TABLES, MIGRATIONS.len());
        let same = |text: &str| Ok(text.to_owned());
        let rename = |_: &str, id: &str| same(id);
        let rows = load_page(sql, place, (&head, rows), &rename, &same)?;
        if head.is_of("display") {
            check_displays(sql, &head)?;
        }
        Ok(rows)
    });
    sql.latest_change().set(None);
    display_keys::forget_spare(sql);
    loaded
}
