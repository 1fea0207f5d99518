//! A site that moves from one deployment to another, in pages of rows. A page is a table's rows between two
//! keys, of the site's object or of a shard's.

use std::collections::BTreeMap;

use asklet_shared::problem::{Code, Problem};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::plan::SHARDS_LIMIT;
use crate::{json, seal};

/// The values of a row, or of its key, as texts: each begins with what it is.
pub type Cells = Vec<Option<String>>;

/// The format of the pages.
pub const FORMAT: u32 = 1;

/// What the site's own pages are called; a shard's are `survey:<id>/<shard>`.
pub const SITE: &str = "site";

/// The first line of a page; and, in a cursor, what is known of the page before it is read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Head {
    /// The format.
    pub bundle: u32,
    /// The number of the object's schema.
    pub schema: usize,
    /// Whose table it is.
    pub object: String,
    /// The table; empty for the first.
    pub table: String,
    /// The key after which the page begins; none for the beginning.
    pub after: Cells,
    /// The key with which it ends; none for the end.
    pub until: Cells,
    /// Whether keys travel, too.
    pub keys: bool,
    /// The number of the site's last change when its first page was told.
    #[serde(rename = "number")]
    pub revision: u64,
    /// What the object was when its first page was told; one that is another by now begins again.
    pub stamp: String,
    /// The cursor of the next page; `null` after the last.
    pub next: Option<String>,
    /// The SHA-256 of the page, in hexadecimal; of what it is when this is empty.
    pub digest: String,
}

/// What became of a page.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BundleTaken {
    /// How many rows it held.
    pub rows: u64,
    /// The ids of the surveys here, by those where they come from.
    pub surveys: BTreeMap<String, String>,
}

impl Head {
    /// The beginning of an object, of a site whose last change has this number.
    pub fn of(object: String, keys: bool, revision: u64) -> Self {
        Self { object, keys, revision, ..Self::default() }
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

    /// The cursor with which this page is asked for.
    pub fn cursor(&self) -> Result<String, Failure> {
        Ok(URL_SAFE_NO_PAD.encode(serde_json::to_string(self)?))
    }

    /// Writes the page with its digest.
    pub fn write(&mut self, rows: &str) -> Result<String, Failure> {
        self.digest.clear();
        let page = json::line(self)? + "\n" + rows;
        self.digest = seal::digest(page.as_bytes());
        Ok(json::line(self)? + "\n" + rows)
    }
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

/// What is said of a cursor that is none.
pub fn unknown_cursor() -> Problem {
    Problem::new(Code::InvalidQuery, "no page of this site gave this cursor").at("cursor")
}
