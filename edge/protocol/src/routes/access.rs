//! Who may call a route.

use asklet_shared::scope::Scope;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody; pages of any origin may call it.
    Page,
    /// Everybody; pages of other origins may not call it.
    Public,
    /// The operator, with the admin token.
    Operator,
    /// A team, with a key of the site that has at least this scope.
    Team {
        /// The scope that the key must have.
        scope: Scope,
        /// Whether the admin token is accepted, too.
        or_operator: bool,
    },
}

impl Access {
    /// Whether everybody may call the route.
    pub fn is_public(self) -> bool {
        matches!(self, Self::Page | Self::Public)
    }
}
