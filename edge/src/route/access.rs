//! Who may call a route, and whether it takes parameters. Whoever adds one says it here.

use asklet_shared::scope::Scope;

use super::{Route, Verb};

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access<'a> {
    /// Anybody.
    Public,
    /// Whoever holds the admin token.
    Operator,
    /// Whoever holds a key of the site with at least this scope.
    Team {
        /// The site, as the address names it.
        site: &'a str,
        /// The scope that the key must have.
        scope: Scope,
        /// Whether the admin token does as well.
        or_operator: bool,
    },
}

impl Route {
    /// Who may call it.
    pub fn access(&self) -> Access<'_> {
        let (site, scope) = match self {
            Self::Health
            | Self::Asset { .. }
            | Self::Demo
            | Self::Config { .. }
            | Self::ReportInstall { .. }
            | Self::Body { .. }
            | Self::Collect { .. }
            | Self::Hosted { .. }
            | Self::Preview { .. }
            | Self::Preflight => return Access::Public,
            Self::Sites { .. } | Self::Bundle { .. } => return Access::Operator,
            Self::Site { site, verb: Verb::Read }
            | Self::Surveys { site, verb: Verb::Read }
            | Self::Installs { site }
            | Self::Survey { site, verb: Verb::Read, .. }
            | Self::SiteSummary { site }
            | Self::Summary { site, .. }
            | Self::Responses { site, .. }
            | Self::Export { site, .. }
            | Self::Usage { site, .. } => (site, Scope::Read),
            // What was collected goes with the survey, and shards never grow fewer again.
            Self::Survey { site, verb: Verb::Delete | Verb::Shard, .. } => (site, Scope::Admin),
            Self::Surveys { site, .. }
            | Self::Survey { site, .. }
            | Self::MakePreview { site, .. }
            | Self::RevokePreviews { site, .. }
            | Self::Import { site, .. }
            | Self::Correct { site, .. }
            | Self::DeleteDisplay { site, .. }
            | Self::Exclude { site, .. } => (site, Scope::Write),
            Self::Site { site, .. }
            | Self::Keys { site, .. }
            | Self::Key { site, .. }
            | Self::Audit { site }
            | Self::IdentitySecret { site, .. }
            | Self::LookUpRespondent { site }
            | Self::EraseRespondent { site } => (site, Scope::Admin),
        };
        // So that a site whose keys are lost is not lost.
        let or_operator = matches!(
            self,
            Self::Site { verb: Verb::Delete, .. } | Self::Keys { .. } | Self::Key { .. }
        );
        Access::Team { site, scope, or_operator }
    }

    /// Whether it takes parameters. What pages, browsers and caches call takes any, since they add some
    /// of their own.
    pub fn takes_parameters(&self) -> bool {
        match self {
            Self::Sites { verb } | Self::Bundle { verb, .. } => *verb == Verb::Read,
            Self::Audit { .. }
            | Self::SiteSummary { .. }
            | Self::Summary { .. }
            | Self::Responses { is_query: false, .. }
            | Self::Export { .. }
            | Self::Import { .. } => true,
            other => other.access() == Access::Public,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::route;
    use super::super::team::TEAM_ROUTES;
    use super::*;

    #[test]
    fn looking_takes_read_surveys_take_write_and_the_rest_takes_admin() {
        for (method, path, _) in TEAM_ROUTES {
            let scope = match (*method, *path) {
                (_, "/keys" | "/audit" | "/surveys/{survey}/shards") => Scope::Admin,
                ("GET", _) | (_, "/surveys/{survey}/responses/query") => Scope::Read,
                ("DELETE", "/surveys/{survey}") => Scope::Admin,
                (_, path) if path.starts_with("/surveys") => Scope::Write,
                _ => Scope::Admin,
            };
            let or_operator = path.starts_with("/keys") || (*method, *path) == ("DELETE", "");
            let found = route(method, &format!("/v1/sites/any-1{path}")).unwrap();
            let expected = Access::Team { site: "any-1", scope, or_operator };
            assert_eq!(found.access(), expected, "{method} {path}");
        }
    }
}
