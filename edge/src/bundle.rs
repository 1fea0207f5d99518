//! Moving house: everything of a site in pages, out of one deployment and into another.
//!
//! A page is a table's rows between two keys, of the site's object or of a shard's. Pages can be taken
//! again, and whoever broke off goes on where it was. What the pages of a shard say together holds only if
//! it did not change meanwhile, since its counters and its log are one: where it has, its pages begin
//! again. Which surveys there are the site's own pages say, which come first: where it has been changed
//! since, the whole begins again, and whoever reads is told to. A shard that has taken some of its pages,
//! and not the last one, counts nothing and takes nothing.
//!
//! Survey ids are sealed for their site, so a survey gets another one where it comes to, which the site
//! there remembers.

use std::collections::BTreeMap;

use asklet_shared::problem::{Code, Problem};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use worker::{Env, Request, Response};

use crate::failure::Failure;
use crate::json;
use crate::operator;
use crate::place;
use crate::respond::{self, Cache};
use crate::route::SHARDS_LIMIT;
use crate::rpc::{self, SiteCall};
use crate::seal::{self, Seal};
use crate::sql::Sql;
use crate::sql::dump::{self, Cells, Rewrite, Table};

/// The format of the pages.
const FORMAT: u32 = 1;

/// The largest page that is taken: a page, and the largest rows that one step may add.
const PAGE_LIMIT: usize = 16 << 20;

/// What the site's own pages are called; a shard's are `survey:<id>/<shard>`.
pub const SITE: &str = "site";

/// The first line of a page; and, in a cursor, what is known of the page before it is read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Head {
    /// The format.
    bundle: u32,
    /// The number of the object's schema.
    schema: usize,
    /// Whose table it is.
    pub object: String,
    /// The table; empty for the first.
    table: String,
    /// The key after which the page begins; none for the beginning.
    after: Cells,
    /// The key with which it ends; none for the end.
    until: Cells,
    /// Whether keys travel, too.
    pub keys: bool,
    /// The number of the site's last change when its first page was told.
    pub number: u64,
    /// What the object was when its first page was told; one that is another by now begins again.
    stamp: String,
    /// The cursor of the next page; `null` after the last.
    pub next: Option<String>,
    /// The SHA-256 of the page, in hexadecimal; of what it is when this is empty.
    digest: String,
}

/// What became of a page.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BundleTaken {
    /// How many rows it held.
    pub rows: u64,
    /// The ids of the surveys here, by those where they come from.
    pub surveys: BTreeMap<String, String>,
}

impl Head {
    /// The beginning of an object, of a site whose last change has this number.
    pub fn of(object: String, keys: bool, number: u64) -> Self {
        Self { object, keys, number, ..Self::default() }
    }

    /// Whether this is the beginning of an object.
    pub fn begins(&self) -> bool {
        self.table.is_empty()
    }

    /// Whether the page is of this table.
    pub fn is_of(&self, table: &str) -> bool {
        self.table == table
    }

    /// The keys between which the page's rows lie: behind the first and up to the last, where there are any.
    pub fn bounds(&self) -> [&Cells; 2] {
        [&self.after, &self.until]
    }

    /// Reads a cursor.
    pub fn of_cursor(text: &str) -> Result<Self, Problem> {
        let json = URL_SAFE_NO_PAD.decode(text).ok().and_then(|it| String::from_utf8(it).ok());
        json.and_then(|json| json::read(&json).ok()).ok_or_else(unknown_cursor)
    }

    fn cursor(&self) -> Result<String, Failure> {
        Ok(URL_SAFE_NO_PAD.encode(serde_json::to_string(self)?))
    }

    /// Writes the page with its digest.
    fn write(&mut self, rows: &str) -> Result<String, Failure> {
        self.digest.clear();
        let page = json::line(self)? + "\n" + rows;
        self.digest = seal::digest(page.as_bytes());
        Ok(json::line(self)? + "\n" + rows)
    }
}

/// `GET /v1/sites/{site}/bundle`
pub async fn give(request: Request, env: &Env, site: &str) -> Result<Response, Failure> {
    operator::check_admin(request.headers(), env)?;
    let site = Seal::of(env)?.known_site(site)?;
    let (mut cursor, mut keys) = (None, false);
    for (name, value) in respond::query(&request)? {
        match (name.as_str(), value.as_str()) {
            ("cursor", _) => cursor = Some(value),
            ("keys", "true" | "false") => keys = value == "true",
            ("keys", _) => {
                let problem = Problem::new(Code::InvalidQuery, "it is one or the other").at(name);
                return Err(problem.limit("true or false").into());
            }
            _ => return Err(respond::unknown_parameter(&name).into()),
        }
    }
    let stub = place::site(env, &site)?;
    let call = serde_json::to_string(&SiteCall::GiveBundle { site, cursor, keys })?;
    let page = rpc::ask(&stub, call).await?;
    let answer = respond::private(Cache::Never)?;
    Ok(answer.with_header("content-type", "application/x-ndjson")?.fixed(page.into_bytes()))
}

/// `POST /v1/sites/{site}/bundle`
pub async fn take(mut request: Request, env: &Env, site: &str) -> Result<Response, Failure> {
    operator::check_admin(request.headers(), env)?;
    let site = Seal::of(env)?.known_site(site)?;
    let page = respond::read_text(&mut request, PAGE_LIMIT).await?;
    let stub = place::site(env, &site)?;
    let call = serde_json::to_string(&SiteCall::TakeBundle { site, page })?;
    respond::written(200, rpc::ask(&stub, call).await?)
}

/// The survey and the number of a shard, as pages call it.
pub fn shard(object: &str) -> Option<(&str, u16)> {
    let (survey, shard) = object.strip_prefix("survey:")?.split_once('/')?;
    Some((survey, shard.parse().ok().filter(|shard| *shard < SHARDS_LIMIT)?))
}

/// Takes a page apart, if it is whole.
pub fn read(page: &str) -> Result<(Head, &str), Failure> {
    let broken = || Problem::new(Code::BrokenBundle, "what was sent is no page, or not all of it");
    let (head, rows) = page.split_once('\n').ok_or_else(broken)?;
    let head: Head = json::read(head).map_err(|_| broken())?;
    if head.clone().write(rows)? != page {
        return Err(broken().into());
    }
    Ok((head, rows))
}

/// What is said while not everything has come.
pub fn moving_in() -> Problem {
    Problem::new(
        Code::Busy,
        "the site is still being moved here: it answers once everything has come",
    )
}

/// What is said of a cursor that is none.
pub fn unknown_cursor() -> Problem {
    Problem::new(Code::InvalidQuery, "no page of this site gave this cursor").at("cursor")
}

/// Reads the page of an object that begins at a cursor, or its first one where its stamp is another by now.
/// After its last page comes the `following` object. `open` unlocks secrets.
pub fn dump(
    sql: &impl Sql,
    (tables, schema): (&[Table], usize),
    mut head: Head,
    (stamp, following): (String, Option<String>),
    open: Rewrite<'_>,
) -> Result<String, Failure> {
    if head.begins() || head.stamp != stamp {
        head = Head { stamp, ..Head::of(head.object, head.keys, head.number) };
    }
    let at = tables.iter().position(|table| table.name == head.table).unwrap_or_default();
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
        (true, None) => following.map(|object| Head::of(object, head.keys, head.number)),
    };
    head.next = next.as_ref().map(Head::cursor).transpose()?;
    Head { bundle: FORMAT, schema, table: table.name.to_owned(), until, ..head }.write(&rows)
}

/// Puts a page into an object's tables. `rename` gives, for a table, a survey's id here for that where the
/// page comes from, and `lock` locks secrets. Returns how many rows it held. Runs within the caller's transaction.
pub fn load(
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
