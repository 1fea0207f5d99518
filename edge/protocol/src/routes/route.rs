//! What a request asks the Worker to do.

use asklet_shared::scope::Scope;

/// What a request asks the Worker to do, grouped by who may send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A request from anybody that a survey's object answers.
    Forwarded(ForwardedRoute),
    /// A request from anybody that the Worker answers.
    Public(PublicRoute),
    /// A request of the operator.
    Operator(OperatorRoute),
    /// A request of a team about its site.
    Team(TeamRequest),
}

/// A request from anybody that the Worker answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicRoute {
    /// Check whether the Worker runs.
    Health,
    /// Get one of the files that pages download.
    Asset {
        /// The name of the file.
        file: String,
    },
    /// Get the demo page, if the operator enabled it.
    Demo,
    /// Get the config: the surveys that a page may show.
    Config {
        /// The site's id.
        site: String,
    },
    /// Report what blocked the tag.
    ReportInstall {
        /// The site's id.
        site: String,
    },
    /// Get a preview of a draft, or its body in a language.
    Preview {
        /// The site's id.
        site: String,
        /// The survey's id.
        survey: String,
        /// The preview's token.
        token: String,
        /// The language of the body.
        language: Option<String>,
    },
    /// Check whether pages of other origins may call a route.
    Preflight,
}

/// A request from anybody about a survey. The Worker checks the seals, and forwards the request unread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForwardedRoute {
    /// Get the body: what the widget shows of a survey.
    Body {
        /// The site's id.
        site: String,
        /// The survey's id.
        survey: String,
        /// The body's digest.
        digest: String,
    },
    /// Store a revision of a display.
    Collect {
        /// The site's id.
        site: String,
        /// The survey's id.
        survey: String,
        /// The shard's number.
        shard: u16,
        /// The shard's seal; empty for the first shard.
        seal: String,
    },
    /// Get the hosted page of the survey, or send its form.
    Hosted {
        /// The site's id.
        site: String,
        /// The survey's id.
        survey: String,
    },
}

/// A request of a team, and the access that it requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamRequest {
    /// The site's id.
    pub site: String,
    /// The scope that the key must have.
    pub scope: Scope,
    /// Whether the admin token is accepted, too.
    pub or_operator: bool,
    /// What the team asks for.
    pub route: TeamRoute,
}

/// A request of the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorRoute {
    /// List all sites.
    ListSites,
    /// What was counted, for monitoring.
    Metrics,
    /// Make a site.
    CreateSite,
    /// Get a page of a site's bundle, to move the site.
    GiveBundle {
        /// The site's id.
        site: String,
    },
    /// Store a page of a bundle.
    TakeBundle {
        /// The site's id.
        site: String,
    },
}

/// A request of a team about its site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TeamRoute {
    /// Get the settings.
    GetSite,
    /// Replace the settings.
    ReplaceSite,
    /// Change some of the settings.
    PatchSite,
    /// Remove the site with everything in it.
    DeleteSite,
    /// List the keys.
    ListKeys,
    /// Make a key.
    CreateKey,
    /// Revoke a key.
    RevokeKey {
        /// The key's id.
        id: String,
    },
    /// List the origins where the tag runs.
    ListInstalls,
    /// Get the audit log.
    Audit,
    /// Make an identity secret.
    CreateIdentitySecret,
    /// Remove an identity secret.
    RemoveIdentitySecret {
        /// The secret's id.
        id: String,
    },
    /// Erase everything about a respondent.
    EraseRespondent,
    /// Get everything about a respondent.
    LookUpRespondent,
    /// Get the summary of all surveys together.
    Summary,
    /// Get each survey with its own summary.
    Overview,
    /// List the surveys.
    ListSurveys,
    /// Store a new draft.
    CreateSurvey,
    /// A request about one of the surveys.
    Survey {
        /// The survey's id.
        survey: String,
        /// What the team asks for.
        route: SurveyRoute,
    },
}

/// A request of a team about one of its surveys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SurveyRoute {
    /// Get the survey with its draft.
    Get,
    /// Replace the draft.
    Replace,
    /// Change some members of the draft.
    Patch,
    /// Remove the survey with everything that it has collected.
    Delete,
    /// Copy the draft.
    Duplicate,
    /// Publish the draft as the next version, live.
    Publish,
    /// Stop showing the survey for now.
    Pause,
    /// Show the survey again.
    Resume,
    /// Stop showing the survey permanently.
    Archive,
    /// Refuse all displays.
    RefuseIntake,
    /// Take displays again.
    AcceptIntake,
    /// Spread its displays over more shards.
    SetShards,
    /// Get the summary.
    Summary,
    /// Make an address that shows a preview of the draft.
    CreatePreview,
    /// Revoke all previews of the draft.
    RevokePreviews,
    /// Get how much the survey stores.
    Usage,
    /// Store displays that a program sends.
    Import,
    /// List single responses.
    ListResponses,
    /// List single responses; the filter is in the body.
    QueryResponses,
    /// Stream all responses.
    Export,
    /// Exclude, include or delete all displays that a filter finds.
    Correct,
    /// Remove a display.
    DeleteDisplay {
        /// The display's id.
        display: String,
    },
    /// Stop counting a display.
    Exclude {
        /// The display's id.
        display: String,
    },
    /// Count a display again.
    Include {
        /// The display's id.
        display: String,
    },
}
