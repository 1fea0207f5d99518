//! What a `Site` object is asked, and what it answers.

use asklet_shared::config::Files;
use asklet_shared::definition::{Definition, Published};
use asklet_shared::scope::Scope;
use asklet_shared::settings::{Look, Settings};
use serde::{Deserialize, Serialize};

use crate::calls::team::TeamCall;
use crate::ids::{SiteId, SurveyId};
use crate::installs::Directive;
use crate::keys::{KeyDigest, NewKey};
use crate::policy::Policy;

/// What a `Site` object is asked.
#[derive(Debug, Serialize, Deserialize)]
pub enum SiteCall {
    /// Set the site up; answered with nothing.
    Create {
        /// Its settings.
        settings: Box<Settings>,
        /// Its first key.
        key: NewKey,
    },
    /// The live surveys, for pages that load these files; answered with [`Live`].
    Live {
        /// The site.
        site: SiteId,
        /// The files that its pages load.
        files: Option<Files>,
    },
    /// A version, or the latest, for a shard that lacks it; answered with [`Publication`].
    Published {
        /// The survey.
        survey: SurveyId,
        /// The version; the latest where none is named.
        version: Option<u32>,
        /// The shard that asks.
        shard: u16,
    },
    /// What would be published next, for a preview that was made after so many revocations; answered with
    /// [`Draft`].
    Draft {
        /// The survey.
        survey: SurveyId,
        /// How often its previews were revoked when the preview was made.
        revocations: u32,
    },
    /// The tag ran on a page of an origin, and maybe a directive stood in its way; answered with nothing.
    Installed {
        /// The origin of the page.
        origin: String,
        /// What stood in its way.
        directive: Option<Directive>,
    },
    /// What a team or the operator asks, by a route that needs this scope.
    Team {
        /// The site.
        site: SiteId,
        /// Who asks.
        by: Caller,
        /// The scope that the route needs.
        scope: Scope,
        /// What the request is called, if it is to be carried out once.
        once: Option<Idempotency>,
        /// What is asked.
        call: TeamCall,
    },
    /// Remove the site with everything in it, for the operator; answered with nothing.
    Delete {
        /// The site.
        site: SiteId,
    },
    /// A page of everything of the site; answered with its text.
    GiveBundle {
        /// The site.
        site: SiteId,
        /// Where the page begins; the first page where there is none.
        cursor: Option<String>,
        /// Whether keys come with it.
        keys: bool,
    },
    /// Take such a page; answered with `BundleTaken`.
    TakeBundle {
        /// The site.
        site: SiteId,
        /// The page.
        page: String,
    },
}

/// Who asks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Caller {
    /// Whoever shows this key; the site looks whether it is one of its own.
    Key(KeyDigest),
    /// Whoever showed the admin token.
    Operator,
}

/// A request that is to be carried out once, however often it comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idempotency {
    /// What its sender calls it.
    pub key: String,
    /// The digest of what it says.
    pub digest: String,
}

/// What pages are told of a site.
#[derive(Debug, Serialize, Deserialize)]
pub struct Live {
    /// The surveys that are asked.
    pub surveys: Vec<String>,
    /// The config with these files, in JSON: nobody on the way has to read it.
    pub config: String,
    /// Whether visitors are asked whose browser asks not to be followed.
    pub ask_despite_signal: bool,
    /// The origins whose pages may ask.
    pub origins: Vec<String>,
}

/// What a shard is told, when it asks and when something has changed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Publication {
    /// The version.
    pub published: Published,
    /// What holds now.
    pub policy: Policy,
}

/// What would be published next.
#[derive(Debug, Serialize, Deserialize)]
pub struct Draft {
    /// As it is written now.
    pub definition: Definition,
    /// What of the site is seen in it.
    pub look: Look,
    /// The origins whose pages may ask.
    pub origins: Vec<String>,
}
