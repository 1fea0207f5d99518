//! What a request asks for.

use asklet_shared::scope::Scope;

/// What a request asks for, by who may ask it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// What anybody may ask and a survey's object answers.
    Forwarded(ForwardedRoute),
    /// What anybody may ask.
    Public(PublicRoute),
    /// What the operator may ask.
    Operator(OperatorRoute),
    /// What a team may ask of its site.
    Team(TeamRequest),
}

/// What anybody may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicRoute {
    /// Whether the Worker runs.
    Health,
    /// One of the files that pages download.
    Asset {
        /// Its name.
        file: String,
    },
    /// The demo page, where the operator switched it on.
    Demo,
    /// Which surveys a page may ask.
    Config {
        /// The site's id.
        site: String,
    },
    /// What stood in the tag's way.
    ReportInstall {
        /// The site's id.
        site: String,
    },
    /// A draft, or its body in a language.
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
    /// Whether pages of other origins may call a route.
    Preflight,
}

/// What anybody may ask of a survey. The Worker checks the seals, and forwards the request unread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForwardedRoute {
    /// What the widget shows of a survey.
    Body {
        /// The site's id.
        site: String,
        /// The survey's id.
        survey: String,
        /// The body's digest.
        digest: String,
    },
    /// Store the state of a display.
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
    /// The survey as a page of its own, and the form that stands there.
    Hosted {
        /// The site's id.
        site: String,
        /// The survey's id.
        survey: String,
    },
}

/// What a team asks, and what it takes to ask it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamRequest {
    /// The site's id.
    pub site: String,
    /// The scope that the key must have.
    pub scope: Scope,
    /// Whether the admin token does as well.
    pub or_operator: bool,
    /// What is asked.
    pub route: TeamRoute,
}

/// What the operator may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorRoute {
    /// All sites.
    ListSites,
    /// What was counted, for monitoring.
    Metrics,
    /// Make a site.
    CreateSite,
    /// A page of everything of a site, to move it.
    GiveBundle {
        /// The site's id.
        site: String,
    },
    /// Take such a page.
    TakeBundle {
        /// The site's id.
        site: String,
    },
}

/// What a team may ask of its site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TeamRoute {
    /// Its settings.
    GetSite,
    /// Replace its settings.
    ReplaceSite,
    /// Change some of its settings.
    PatchSite,
    /// Remove it with everything in it.
    DeleteSite,
    /// Its keys.
    ListKeys,
    /// Make a key.
    CreateKey,
    /// Revoke a key.
    RevokeKey {
        /// The key's id.
        id: String,
    },
    /// Where its tag runs.
    ListInstalls,
    /// The log of its changes.
    Audit,
    /// Make an identity secret.
    CreateIdentitySecret,
    /// Remove an identity secret.
    RemoveIdentitySecret {
        /// The secret's id.
        id: String,
    },
    /// Erase everything of a respondent.
    EraseRespondent,
    /// Everything of a respondent.
    LookUpRespondent,
    /// The summary of all its surveys.
    Summary,
    /// Its surveys.
    ListSurveys,
    /// Keep a new draft.
    CreateSurvey,
    /// What is asked of one of its surveys.
    Survey {
        /// The survey's id.
        survey: String,
        /// What is asked of it.
        route: SurveyRoute,
    },
}

/// What a team may ask of one of its surveys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SurveyRoute {
    /// The survey with its draft.
    Get,
    /// Replace the draft.
    Replace,
    /// Change something of the draft.
    Patch,
    /// Remove it with everything that was collected.
    Delete,
    /// Copy the draft.
    Duplicate,
    /// Make the draft the next version, live.
    Publish,
    /// Stop asking for now.
    Pause,
    /// Ask again.
    Resume,
    /// Stop asking for good.
    Archive,
    /// Refuse all displays.
    RefuseIntake,
    /// Take displays again.
    AcceptIntake,
    /// Spread its displays over more shards.
    SetShards,
    /// Its summary.
    Summary,
    /// Make an address of the draft.
    CreatePreview,
    /// End all addresses of the draft.
    RevokePreviews,
    /// How much it stores.
    Usage,
    /// Store displays that a program sends.
    Import,
    /// Single responses.
    ListResponses,
    /// Single responses, with the filter in the body.
    QueryResponses,
    /// All responses as a stream.
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
