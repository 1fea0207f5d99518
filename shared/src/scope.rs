//! What a key may do.

use serde::{Deserialize, Serialize};

/// The scope of a key, and the scope that a route needs; a higher one includes the lower ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read surveys and answers.
    Read,
    /// Make and change surveys, and say which displays count.
    Write,
    /// Everything of the site: its settings, its keys, its removal, and the data of one person.
    Admin,
}

impl Scope {
    /// Returns the name as it is stored and sent.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// Returns the scope with a name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Read, Self::Write, Self::Admin].into_iter().find(|scope| scope.name() == name)
    }
}
