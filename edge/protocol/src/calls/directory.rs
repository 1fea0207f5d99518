//! The calls to the object `Directory`, and its answers.

use serde::{Deserialize, Serialize};

use crate::ids::SiteId;

/// A call to the `Directory` object.
#[derive(Debug, Serialize, Deserialize)]
pub enum DirectoryCall {
    /// Store the entry of a site; answered with nothing.
    Add(SiteEntry),
    /// Remove the entry of a site; answered with nothing.
    Remove(SiteId),
    /// Return the next sites after one; answered with a list of [`SiteEntry`].
    List {
        /// The site after which the list begins.
        after: String,
        /// Number of sites at most.
        limit: u32,
    },
}

/// A site as the operator sees it.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SiteEntry {
    /// The id of the site.
    pub site: SiteId,
    /// The name of the site when it was made.
    pub name: String,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
}
