//! The ids of sites and surveys, known to be sealed: see [`crate::seal`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// A site's id, known to be one of this deployment's: `any-` and 18 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SiteId(String);

/// A survey's id, known to belong to a certain site of this deployment: 18 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SurveyId(String);

impl SiteId {
    /// An id whose seal was checked before it was stored.
    pub fn stored(id: String) -> Self {
        Self(id)
    }

    /// The id as it travels.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SurveyId {
    /// An id whose seal was checked before it was stored.
    pub fn stored(id: String) -> Self {
        Self(id)
    }

    /// The id as it travels.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for SurveyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
