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
use worker::{Env, Request, Response, Stub};

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
use crate::sql::dump::{self, After, Table};

/// The format of the pages.
const FORMAT: u32 = 1;

/// The largest page that is taken: a page, and the largest rows that one step may add.
const PAGE_LIMIT: usize = 16 << 20;

/// What the site's own pages are called; a shard's are `survey:<id>/<shard>`.
const SITE: &str = "site";

/// The first line of a page.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The format.
    bundle: u32,
    /// Whose table it is.
    object: String,
    /// The number of the object's schema.
    schema: usize,
    /// The table.
    pub table: String,
    /// After which key the page begins; `null` for the beginning.
    after: After,
    /// With which key it ends; `null` for the end.
    until: After,
}

/// The last line of a page.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Foot {
    /// The cursor of the next page; `null` after the last.
    next: Option<String>,
    /// The SHA-256 of everything before this line, in hexadecimal.
    digest: String,
}

/// A page on its way into an object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Page {
    /// What it holds.
    pub head: Head,
    /// A line of JSON for each row.
    rows: String,
}

/// Where in an object a page begins.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Place {
    table: usize,
    after: After,
    /// What the object was when its first page was told; one that is another by now begins again.
    stamp: String,
}

impl Place {
    /// This place, unless the object has changed since its first page.
    pub fn in_state(self, stamp: String) -> Self {
        if self.stamp == stamp { self } else { Self { stamp, ..Self::default() } }
    }
}

/// A page of an object, and where its next one begins; `None` after the last.
#[derive(Debug, Serialize, Deserialize)]
pub struct Dumped {
    /// The page.
    pub page: Page,
    /// Where the next one begins.
    pub next: Option<Place>,
}

/// Where a page begins.
#[derive(Default, Serialize, Deserialize)]
struct Cursor {
    /// The shard's survey; empty for the site itself.
    survey: String,
    shard: u16,
    place: Place,
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
        let json = URL_SAFE_NO_PAD.decode(text).ok()?;
        serde_json::from_slice(&json).ok()
    }

    fn write(&self) -> Result<String, Failure> {
        Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(self)?))
    }
}

/// `GET /v1/sites/{site}/bundle`
pub async fn give(request: Request, env: &Env, site: &str) -> Result<Response, Failure> {
    operator::check_admin(request.headers(), env)?;
    let seal = Seal::of(env)?;
    let site = seal.known_site(site)?;
    let (mut cursor, mut keys) = (None, false);
    for (name, value) in respond::parameters(&request)? {
        match (name.as_str(), value.as_str()) {
            ("cursor", text) => cursor = Some(Cursor::read(text).ok_or_else(unknown_cursor)?),
            ("keys", "true" | "false") => keys = value == "true",
            ("keys", _) => {
                let problem = Problem::new(Code::InvalidQuery, "it is one or the other").at(name);
                return Err(problem.limit("true or false").into());
            }
            _ => return Err(respond::unknown_parameter(&name).into()),
        }
    }
    let stub = place::site(env, &site)?;
    let cursor = match cursor {
        Some(cursor) => cursor,
        None => {
            let call = TeamCall::Note(Change::new(Action::GiveBundle));
            let (by, scope) = (By::Operator, Scope::Admin);
            let site = site.clone();
            rpc::call::<()>(&stub, &SiteCall::Team { site, by, scope, call }).await?;
            Cursor { keys, ..Cursor::default() }
        }
    };
    let Cursor { survey, shard, place, keys } = cursor;
    let dumped: Dumped = if survey.is_empty() {
        rpc::call(&stub, &SiteCall::Dump { object: SITE.to_owned(), place, keys }).await?
    } else {
        let id = seal.survey(&site, &survey)?.ok_or_else(unknown_cursor)?;
        let object = format!("survey:{id}/{shard}");
        let address = (site.as_str().to_owned(), survey.clone(), shard);
        let call = SurveyCall::Dump { object, address, place };
        rpc::call(&place::survey(env, &site, &id, shard)?, &call).await?
    };
    let next = match dumped.next {
        Some(place) => Some(Cursor { survey, shard, place, keys }),
        None => {
            let next: Option<(String, u16)> =
                rpc::call(&stub, &SiteCall::NextShard { survey, shard }).await?;
            next.map(|(survey, shard)| Cursor { survey, shard, keys, ..Cursor::default() })
        }
    };
    let Page { head, rows } = dumped.page;
    let mut text = serde_json::to_string(&head)? + "\n" + &rows;
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
    let (page, is_last) = read(&text)?;
    let stub = place::site(env, &site)?;
    let load = |page| SiteCall::Load { site: site.clone(), page };
    let (rows, surveys) = if page.head.object == SITE {
        let rows = rpc::call(&stub, &load(page)).await?;
        (rows, moved(&stub).await?)
    } else {
        let surveys = moved(&stub).await?;
        let (survey, shard) = shard(&page.head.object, &surveys)?;
        let shard = place::survey(env, &site, &survey, shard)?;
        (rpc::call(&shard, &SurveyCall::Load { page }).await?, surveys)
    };
    if is_last {
        rpc::call::<()>(&stub, &SiteCall::EndBundle { site }).await?;
    }
    respond::json(200, &BundleTaken { rows, surveys })
}

async fn moved(stub: &Stub) -> Result<BTreeMap<String, String>, Failure> {
    rpc::call(stub, &SiteCall::Moved).await
}

/// The shard here of one there.
fn shard(object: &str, surveys: &BTreeMap<String, String>) -> Result<(SurveyId, u16), Problem> {
    let (survey, shard) =
        object.strip_prefix("survey:").and_then(|rest| rest.split_once('/')).unwrap_or_default();
    match (surveys.get(survey), shard.parse()) {
        (Some(here), Ok(shard)) if shard < SHARDS_LIMIT => {
            Ok((SurveyId::stored(here.clone()), shard))
        }
        _ => Err(Problem::new(Code::BrokenBundle, "the site's own pages come first").at("object")),
    }
}

/// Takes a page apart, if it is whole. Returns whether it is the last one, too.
fn read(text: &str) -> Result<(Page, bool), Problem> {
    let broken = || Problem::new(Code::BrokenBundle, "what was sent is no page, or not all of it");
    let end = text.trim_end_matches('\n').rfind('\n').ok_or_else(broken)? + 1;
    let (before, foot) = text.split_at_checked(end).ok_or_else(broken)?;
    let foot: Foot = json::read_sent(foot.as_bytes()).map_err(|_| broken())?;
    if foot.digest != seal::digest(before.as_bytes()) {
        return Err(broken());
    }
    let (head, rows) = before.split_once('\n').ok_or_else(broken)?;
    let head: Head = json::read_sent(head.as_bytes()).map_err(|_| broken())?;
    Ok((Page { head, rows: rows.to_owned() }, foot.next.is_none()))
}

fn unknown_cursor() -> Problem {
    Problem::new(Code::InvalidQuery, "no page of this site gave this cursor").at("cursor")
}

/// Reads the page of an object that begins at a place.
pub fn dump(
    sql: &impl Sql,
    (tables, schema): (&[Table], usize),
    object: String,
    Place { table: at, after, stamp }: Place,
) -> Result<Dumped, Failure> {
    let table = tables.get(at).ok_or_else(unknown_cursor)?;
    if after.as_ref().is_some_and(|after| after.len() != table.key.len()) {
        return Err(unknown_cursor().into());
    }
    let (rows, until) = dump::dump(sql, table, &after)?;
    let next = match &until {
        Some(_) => Some(Place { table: at, after: until.clone(), stamp }),
        None if at + 1 < tables.len() => Some(Place { table: at + 1, after: None, stamp }),
        None => None,
    };
    let table = table.name.to_owned();
    let head = Head { bundle: FORMAT, object, schema, table, after, until };
    Ok(Dumped { page: Page { head, rows }, next })
}

/// Puts a page into an object's tables. Runs within the caller's transaction.
pub fn load(
    sql: &impl Sql,
    (tables, schema): (&[Table], usize),
    Page { head, rows }: Page,
    rename: &dyn Fn(&str) -> Result<String, Failure>,
) -> Result<u64, Failure> {
    let table = tables.iter().find(|table| table.name == head.table);
    let (FORMAT, true, Some(table)) = (head.bundle, head.schema == schema, table) else {
        let detail = "the page comes from another release: bring both deployments to the same one";
        return Err(Problem::new(Code::OtherSchema, detail)
            .limit(format!("bundle {FORMAT}, schema {schema}"))
            .into());
    };
    dump::load(sql, table, (head.after, head.until), &rows, rename)
}
