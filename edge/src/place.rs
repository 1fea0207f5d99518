//! Where the data of a site and of a survey lies. A site's id begins with its region, and only the
//! functions here turn ids into objects, so that data residency can come without moving anybody.

use worker::{Env, Stub};

use crate::failure::Failure;
use crate::seal::{SiteId, SurveyId};

/// The object that knows which sites there are.
pub fn directory(env: &Env) -> Result<Stub, Failure> {
    Ok(env.durable_object("DIRECTORY")?.get_by_name("directory")?)
}

/// The object that keeps a site's settings, keys and definitions.
pub fn site(env: &Env, site: &SiteId) -> Result<Stub, Failure> {
    Ok(env.durable_object("SITE")?.get_by_name(site.as_str())?)
}

/// The object that keeps the displays of one shard of a survey.
pub fn survey(env: &Env, site: &SiteId, survey: &SurveyId, shard: u16) -> Result<Stub, Failure> {
    Ok(env.durable_object("SURVEY")?.get_by_name(&format!("{site}/{survey}/{shard}"))?)
}
