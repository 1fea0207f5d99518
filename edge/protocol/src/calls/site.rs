//! The calls to a `Site` object, and its answers.

use asklet_shared::config::Files;
use asklet_shared::definition::{Definition, Published};
use asklet_shared::scope::Scope;
use asklet_shared::settings::{Look, Settings};
use serde::{Deserialize, Serialize};

use crate::calls::team::TeamCall;
use crate::etag::IfMatch;
use crate::ids::{SiteId, SurveyId};
use crate::installs::Directive;
use crate::keys::{KeyDigest, NewKey};
use crate::policy::Policy;

/// A call to a `Site` object.
#[derive(Debug, Serialize, Deserialize)]
pub enum SiteCall {
    /// Set up the site; answered with nothing.
    Create {
        /// The settings of the site.
        settings: Box<Settings>,
        /// The first key of the site.
        key: NewKey,
    },
    /// Return the live surveys, for pages that load these files; answered with [`Live`].
    Live {
        /// The site.
        site: SiteId,
        /// The files that the pages of the site load.
        files: Option<Files>,
    },
    /// Return a version, or the latest, for a shard that lacks it; answered with [`Publication`].
    Published {
        /// The survey.
        survey: SurveyId,
        /// The version; `None` for the latest.
        version: Option<u32>,
        /// The shard that asks.
        shard: u16,
    },
    /// Return the definition that would be published next, for a preview with this number of revocations;
    /// answered with [`Draft`].
    Draft {
        /// The survey.
        survey: SurveyId,
        /// Number of times that the previews had been revoked when the preview was made.
        revocations: u32,
    },
    /// Note that the tag ran on a page of an origin, and which directive blocked it, if one did; answered with
    /// nothing.
    Installed {
        /// The origin of the page.
        origin: String,
        /// The directive that blocked the tag.
        directive: Option<Directive>,
    },
    /// A call of a team or of the operator, from a route that requires this scope.
    Team {
        /// The site.
        site: SiteId,
        /// The caller.
        by: Caller,
        /// The scope that the route requires.
        scope: Scope,
        /// The key and digest of the request, if it must be carried out only once.
        once: Option<Idempotency>,
        /// The condition of a change of the settings or of a survey: its state that the caller read.
        if_match: Option<IfMatch>,
        /// The call.
        call: TeamCall,
    },
    /// Remove the site with everything in it, for the operator; answered with nothing.
    Delete {
        /// The site.
        site: SiteId,
    },
    /// Return a page of the site's tables, for a migration; answered with the text of the page.
    GiveBundle {
        /// The site.
        site: SiteId,
        /// Where the page begins; `None` for the first page.
        cursor: Option<String>,
        /// Whether the pages include the keys.
        keys: bool,
    },
    /// Store such a page; answered with `BundleTaken`.
    TakeBundle {
        /// The site.
        site: SiteId,
        /// The page.
        page: String,
    },
}

/// Who makes a call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Caller {
    /// The owner of this key; the site checks whether the key belongs to it.
    Key(KeyDigest),
    /// The operator, who sent the admin token.
    Operator,
}

/// Identifies a request that is carried out once, however often it arrives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idempotency {
    /// The key that the sender gave the request.
    pub key: String,
    /// The digest of the content of the request.
    pub digest: String,
}

/// What pages learn about a site.
#[derive(Debug, Serialize, Deserialize)]
pub struct Live {
    /// The ids of the live surveys.
    pub surveys: Vec<String>,
    /// The config with these files, as a JSON text that no part in between has to read.
    pub config: String,
    /// Whether surveys are also shown to visitors whose browser sends Global Privacy Control or Do Not Track.
    pub ask_despite_signal: bool,
    /// The origins whose pages may show surveys.
    pub origins: Vec<String>,
}

/// What the site sends to a shard, when the shard asks and when something has changed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Publication {
    /// The version.
    pub published: Published,
    /// The current policy.
    pub policy: Policy,
}

/// The definition that would be published next.
#[derive(Debug, Serialize, Deserialize)]
pub struct Draft {
    /// The definition in its current state.
    pub definition: Definition,
    /// The look that the site's settings give it.
    pub look: Look,
    /// The origins whose pages may show surveys.
    pub origins: Vec<String>,
}
