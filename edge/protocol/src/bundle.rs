//! The migration of a site from one deployment to another, in pages of rows. A page holds the rows of one table
//! between two keys. The table belongs to the site's object or to a shard's object.

use std::collections::BTreeMap;

use asklet_shared::problem::{Code, Problem};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::plan::SHARDS_LIMIT;
use crate::{json, seal};

/// The values of a row, or of its key, as texts. Each text begins with the type of the value.
pub type Cells = Vec<Option<String>>;

/// The format of the pages.
pub const FORMAT: u32 = 1;

/// The name of the site's object in pages. A shard's object is called `survey:<id>/<shard>`.
pub const SITE: &str = "site";

/// The first line of a page. A cursor holds the same fields, as far as they are known before the page is read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Head {
    /// The format.
    pub bundle: u32,
    /// The version number of the object's schema.
    pub schema: usize,
    /// The object to which the table belongs.
    pub object: String,
    /// The table; empty for the first.
    pub table: String,
    /// The key after which the page begins; empty for the beginning.
    pub after: Cells,
    /// The key with which the page ends; empty for the end.
    pub until: Cells,
    /// Whether the keys are part of the bundle.
    pub keys: bool,
    /// The revision of the site when its first page was written.
    #[serde(rename = "number")]
    pub revision: u64,
    /// The state of the object when its first page was written. If the object has another state by now, its
    /// pages begin again.
    pub stamp: String,
    /// The cursor of the next page; `null` after the last.
    pub next: Option<String>,
    /// The SHA-256 of the page, in hexadecimal. It is computed while this field is empty.
    pub digest: String,
}

/// The result of storing a page.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BundleTaken {
    /// Number of rows in the page.
    pub rows: u64,
    /// The new id of each survey, by its id in the deployment from which the bundle comes.
    pub surveys: BTreeMap<String, String>,
}

impl Head {
    /// Describes the first page of an object, for a site at this revision.
    pub fn of(object: String, keys: bool, revision: u64) -> Self {
        Self { object, keys, revision, ..Self::default() }
    }

    /// Whether this is the first page of an object.
    pub fn begins(&self) -> bool {
        self.table.is_empty()
    }

    /// Whether the page holds rows of this table.
    pub fn is_of(&self, table: &str) -> bool {
        self.table == table
    }

    /// Returns the keys between which the page's rows lie: after the first key, up to and including the second.
    /// An empty key is no limit.
    pub fn bounds(&self) -> [&Cells; 2] {
        [&self.after, &self.until]
    }

    /// Reads a cursor.
    pub fn of_cursor(text: &str) -> Result<Self, Problem> {
        let json = URL_SAFE_NO_PAD.decode(text).ok().and_then(|it| String::from_utf8(it).ok());
        json.and_then(|json| json::read(&json).ok()).ok_or_else(unknown_cursor)
    }

    /// Returns the cursor that requests this page.
    pub fn cursor(&self) -> Result<String, Failure> {
        Ok(URL_SAFE_NO_PAD.encode(serde_json::to_string(self)?))
    }

    /// Writes the page, and its digest into its first line.
    pub fn write(&mut self, rows: &str) -> Result<String, Failure> {
        self.digest.clear();
        let page = json::line(self)? + "\n" + rows;
        self.digest = seal::digest(page.as_bytes());
        Ok(json::line(self)? + "\n" + rows)
    }
}

/// Splits the name of a shard's object in pages into the survey's id and the shard's number.
pub fn shard(object: &str) -> Option<(&str, u16)> {
    let (survey, shard) = object.strip_prefix("survey:")?.split_once('/')?;
    Some((survey, shard.parse().ok().filter(|shard| *shard < SHARDS_LIMIT)?))
}

/// Splits a page into its first line and its rows. Refuses a page that is not complete.
pub fn read(page: &str) -> Result<(Head, &str), Failure> {
    let broken =
        || Problem::new(Code::BrokenBundle, "the body is not a page of a bundle, or is incomplete");
    let (head, rows) = page.split_once('\n').ok_or_else(broken)?;
    let head: Head = json::read(head).map_err(|_| broken())?;
    if head.clone().write(rows)? != page {
        return Err(broken().into());
    }
    Ok((head, rows))
}

/// Returns the problem for a cursor that no page of the site gave.
pub fn unknown_cursor() -> Problem {
    Problem::new(Code::InvalidQuery, "the cursor does not come from a page of this site")
        .at("cursor")
}
