//! The ids of sites and surveys. A value of these types has a checked seal: see [`crate::seal`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// The id of a site of this deployment: `any-` and 18 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SiteId(String);

/// The id of a survey of a certain site of this deployment: 18 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SurveyId(String);

impl SiteId {
    /// Wraps an id whose seal was checked before it was stored.
    pub fn stored(id: String) -> Self {
        Self(id)
    }

    /// Returns the id as a text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SurveyId {
    /// Wraps an id whose seal was checked before it was stored.
    pub fn stored(id: String) -> Self {
        Self(id)
    }

    /// Returns the id as a text.
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
