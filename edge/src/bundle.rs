//! Moving house: everything of a site in pages, out of one deployment and into another.
//!
//! A page is a table's rows between two keys, of the site's object or of a shard's. Pages can be taken
//! again, and whoever broke off goes on where it was. What the pages of a shard say together holds only if
//! it did not change meanwhile, since its counters and its log are one: where it has, its pages begin
//! again. A shard that has taken some of its pages, and not the last one, counts nothing and takes nothing.
//!
//! Survey ids are sealed for their site, so a survey gets another one where it comes to, which the site
//! there remembers.

use std::collections::BTreeMap;

use asklet_shared::problem::{Code, Problem};
use asklet_shared::scope::Scope;
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
use crate::rpc::{self, By, SiteCall, SurveyCall, TeamCall};
use crate::seal::{self, Seal, SurveyId};
use crate::site::audit::{Action, Change};
use crate::sql::Sql;
use crate::sql::dump::{self, Cells, Table};

/// The format of the pages.
const FORMAT: u32 = 1;

/// The largest page that is taken: a page, and the largest rows that one step may add.
const PAGE_LIMIT: usize = 16 << 20;

/// What the site's own pages are called; a shard's are `survey:<id>/<shard>`.
const SITE: &str = "site";

/// The first line of a page.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    /// The format.
    bundle: u32,
    /// Whose table it is.
    object: String,
    /// The number of the object's schema.
    schema: usize,
    /// The table.
    table: String,
    /// The key after which the page begins; none for the beginning.
    after: Cells,
    /// The key with which it ends; none for the end.
    until: Cells,
}

/// The last line of a page.
#[derive(Debug, Serialize, Deserialize)]
struct Foot {
    /// The cursor of the next page; `null` after the last.
    next: Option<String>,
    /// The SHA-256 of everything before this line, in hexadecimal.
    digest: String,
}

/// A page of an object without its last line, and where the object's next one begins.
#[derive(Debug, Serialize, Deserialize)]
pub struct Dumped {
    /// The page.
    pub page: String,
    /// A place; `None` after the last.
    pub next: Option<String>,
}

/// Where in an object a page begins. The Worker hands it back as it was told.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Place {
    table: usize,
    after: Cells,
    /// What the object was when its first page was told; one that is another by now begins again.
    stamp: String,
}

/// Where a page begins.
#[derive(Serialize, Deserialize)]
struct Cursor {
    object: String,
    /// Empty for the object's beginning.
    place: String,
    keys: bool,
}

/// What became of a page.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BundleTaken {
    /// How many rows it held.
    rows: u64,
    /// The ids of the surveys here, by those where they come from.
    surveys: BTreeMap<String, String>,
}

impl Cursor {
    fn read(text: &str) -> Option<Self> {
        let json = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        json::read(&json).ok()
    }

    fn write(&self) -> Result<String, Failure> {
        Ok(URL_SAFE_NO_PAD.encode(serde_json::to_string(self)?))
    }
}

/// `GET /v1/sites/{site}/bundle`
pub async fn give(request: Request, env: &Env, site: &str) -> Result<Response, Failure> {
    operator::check_admin(request.headers(), env)?;
    let seal = Seal::of(env)?;
    let site = seal.known_site(site)?;
    let mut cursor = Cursor { object: SITE.to_owned(), place: String::new(), keys: false };
    let mut begins = true;
    for (name, value) in respond::parameters(&request)? {
        match (name.as_str(), value.as_str()) {
            ("cursor", text) => {
                cursor = Cursor::read(text).ok_or_else(unknown_cursor)?;
                begins = false;
            }
            ("keys", "true" | "false") => cursor.keys |= value == "true",
            ("keys", _) => {
                let problem = Problem::new(Code::InvalidQuery, "it is one or the other").at(name);
                return Err(problem.limit("true or false").into());
            }
            _ => return Err(respond::unknown_parameter(&name).into()),
        }
    }
    let stub = place::site(env, &site)?;
    if begins {
        let call = TeamCall::Note(Change::new(Action::GiveBundle));
        let site = site.clone();
        let call = SiteCall::Team { site, by: By::Operator, scope: Scope::Admin, call };
        rpc::ask(&stub, serde_json::to_string(&call)?).await?;
    }
    let Cursor { object, place, keys } = cursor;
    let dumped = if object == SITE {
        let call = SiteCall::Dump { object: object.clone(), place, keys };
        rpc::ask(&stub, serde_json::to_string(&call)?).await?
    } else {
        let (survey, shard) = shard(&object).ok_or_else(unknown_cursor)?;
        let survey = seal.survey(&site, survey)?.ok_or_else(unknown_cursor)?;
        let stub = place::survey(env, &site, &survey, shard)?;
        let call = SurveyCall::Dump { site, object: object.clone(), place };
        rpc::ask(&stub, serde_json::to_string(&call)?).await?
    };
    let Dumped { page: mut text, next } = json::read(&dumped)?;
    let next = match next {
        Some(place) => Some(Cursor { object, place, keys }),
        None => {
            let call = serde_json::to_string(&SiteCall::NextShard { object })?;
            let next: Option<String> = json::read(&rpc::ask(&stub, call).await?)?;
            next.map(|object| Cursor { object, place: String::new(), keys })
        }
    };
    let next = next.as_ref().map(Cursor::write).transpose()?;
    let foot = Foot { next, digest: seal::digest(text.as_bytes()) };
    text += &serde_json::to_string(&foot)?;
    text.push('\n');
    let answer = respond::private(Cache::Never)?;
    Ok(answer.with_header("content-type", "application/x-ndjson")?.fixed(text.into_bytes()))
}

/// `POST /v1/sites/{site}/bundle`
pub async fn take(mut request: Request, env: &Env, site: &str) -> Result<Response, Failure> {
    operator::check_admin(request.headers(), env)?;
    let site = Seal::of(env)?.known_site(site)?;
    respond::no_parameters(&request)?;
    let text = respond::read_text(&mut request, PAGE_LIMIT).await?;
    let (object, page, is_last) = read(&text)?;
    let stub = place::site(env, &site)?;
    let mut rows = None;
    if object == SITE {
        let (site, page) = (site.clone(), page.to_owned());
        let call = serde_json::to_string(&SiteCall::Load { site, page })?;
        rows = Some(rpc::ask(&stub, call).await?);
    }
    let moved = rpc::ask(&stub, serde_json::to_string(&SiteCall::Moved)?).await?;
    let surveys: BTreeMap<String, String> = json::read(&moved)?;
    let rows = match rows {
        Some(rows) => rows,
        None => {
            let unknown =
                || Problem::new(Code::BrokenBundle, "the site's own pages come first").at("object");
            let (there, shard) = shard(&object).ok_or_else(unknown)?;
            let here = SurveyId::stored(surveys.get(there).ok_or_else(unknown)?.clone());
            let stub = place::survey(env, &site, &here, shard)?;
            let call = SurveyCall::Load { page: page.to_owned() };
            rpc::ask(&stub, serde_json::to_string(&call)?).await?
        }
    };
    if is_last {
        rpc::ask(&stub, serde_json::to_string(&SiteCall::EndBundle { site })?).await?;
    }
    respond::json(200, &BundleTaken { rows: json::read(&rows)?, surveys })
}

/// The survey and the number of a shard, as pages call it.
pub fn shard(object: &str) -> Option<(&str, u16)> {
    let (survey, shard) = object.strip_prefix("survey:")?.split_once('/')?;
    Some((survey, shard.parse().ok().filter(|shard| *shard < SHARDS_LIMIT)?))
}

/// Takes a page apart, if it is whole: what it is of, all of it but the last line, and whether it is the
/// last one.
fn read(text: &str) -> Result<(String, &str, bool), Problem> {
    let broken = || Problem::new(Code::BrokenBundle, "what was sent is no page, or not all of it");
    let end = text.trim_end_matches('\n').rfind('\n').ok_or_else(broken)? + 1;
    let (page, foot) = text.split_at_checked(end).ok_or_else(broken)?;
    let foot: Foot = json::read(foot).map_err(|_| broken())?;
    if foot.digest != seal::digest(page.as_bytes()) {
        return Err(broken());
    }
    let head: Head = json::read(page.lines().next().unwrap_or_default()).map_err(|_| broken())?;
    Ok((head.object, page, foot.next.is_none()))
}

fn unknown_cursor() -> Problem {
    Problem::new(Code::InvalidQuery, "no page of this site gave this cursor").at("cursor")
}

/// Reads the page of an object that begins at a place, or its first one where its stamp is another by now.
pub fn dump(
    sql: &impl Sql,
    (tables, schema): (&[Table], usize),
    object: String,
    (place, stamp): (&str, String),
) -> Result<Dumped, Failure> {
    let place: Place = if place.is_empty() {
        Place::default()
    } else {
        json::read(place).map_err(|_| unknown_cursor())?
    };
    let Place { table: at, after, .. } =
        if place.stamp == stamp { place } else { Place::default() };
    let table = tables.get(at).ok_or_else(unknown_cursor)?;
    if !after.is_empty() && after.len() != table.key.len() {
        return Err(unknown_cursor().into());
    }
    let (rows, until) = dump::dump(sql, table, &after)?;
    let next = match until.is_empty() {
        false => Some(Place { table: at, after: until.clone(), stamp }),
        true if at + 1 < tables.len() => Some(Place { table: at + 1, after: Cells::new(), stamp }),
        true => None,
    };
    let next = next.map(|place| serde_json::to_string(&place)).transpose()?;
    let table = table.name.to_owned();
    let head = Head { bundle: FORMAT, object, schema, table, after, until };
    Ok(Dumped { page: serde_json::to_string(&head)? + "\n" + &rows, next })
}

/// Puts a page into an object's tables. `rename` gives, for a table, a survey's id here for that where the
/// page comes from. Returns how many rows it held. Runs within the caller's transaction.
pub fn load(
    sql: &impl Sql,
    (tables, schema): (&[Table], usize),
    page: &str,
    rename: &dyn Fn(&str, &str) -> Result<String, Failure>,
) -> Result<u64, Failure> {
    let (head, rows) = page.split_once('\n').unwrap_or_default();
    let head: Head = json::read(head)?;
    let table = tables.iter().find(|table| table.name == head.table);
    let (FORMAT, true, Some(table)) = (head.bundle, head.schema == schema, table) else {
        let detail = "the page comes from another release: bring both deployments to the same one";
        return Err(Problem::new(Code::OtherSchema, detail)
            .limit(format!("bundle {FORMAT}, schema {schema}"))
            .into());
    };
    dump::load(sql, table, [&head.after, &head.until], rows, &|id| rename(table.name, id))
}
