//! What a key may do.

use serde::{Deserialize, Serialize};

/// The scope of a key, and what a route needs; a higher one includes the lower ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Look at surveys and at what was answered.
    Read,
    /// Make and change surveys, and say which displays count.
    Write,
    /// Everything of the site: its settings, its keys, its end, and what is known of one person.
    Admin,
}

impl Scope {
    /// The name as it is stored and told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// The scope with a name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Read, Self::Write, Self::Admin].into_iter().find(|scope| scope.name() == name)
    }
}
