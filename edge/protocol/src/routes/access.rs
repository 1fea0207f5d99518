//! Who may call a route.

use asklet_shared::scope::Scope;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, and pages of any origin.
    Page,
    /// Anybody, but pages of no other origin.
    Public,
    /// Whoever holds the admin token.
    Operator,
    /// Whoever holds a key of the site with at least this scope.
    Team {
        /// The scope that the key must have.
        scope: Scope,
        /// Whether the admin token does as well.
        or_operator: bool,
    },
}

impl Access {
    /// Whether anybody may call it.
    pub fn is_public(self) -> bool {
        matches!(self, Self::Page | Self::Public)
    }
}
