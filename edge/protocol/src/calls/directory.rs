//! What the object `Directory` is asked, and what it answers.

use serde::{Deserialize, Serialize};

use crate::ids::SiteId;

/// What the `Directory` object is asked.
#[derive(Debug, Serialize, Deserialize)]
pub enum DirectoryCall {
    /// Remember a site; answered with nothing.
    Add(SiteEntry),
    /// Forget a site; answered with nothing.
    Remove(SiteId),
    /// The sites after one, so many; answered with a list of [`SiteEntry`].
    List {
        /// Only those after this one.
        after: String,
        /// So many at most.
        limit: u32,
    },
}

/// A site as the operator sees it.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SiteEntry {
    /// Its id.
    pub site: SiteId,
    /// How its team called it when it was made.
    pub name: String,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
}
