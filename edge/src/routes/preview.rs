//! Previews: a draft as its visitors would see it, in a page of the site or as the hosted page, for an hour.
//! Nothing in it is recorded, and no shard takes part: the object `Site` returns the draft, and the Worker
//! makes from it what a visitor gets. A preview is stored nowhere. Its token contains its expiry time and the
//! number of times that the survey's previews had been revoked before, so revoking them again ends it.

use asklet_protocol::calls::site::{Draft, SiteCall};
use asklet_protocol::failure::Failure;
use asklet_protocol::json;
use asklet_shared::body::Body;
use asklet_shared::config::{ConfigSurvey, Files};
use asklet_shared::display::Answers;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::validate;
use asklet_store::bodies;
use serde::Serialize;
use worker::{Date, Request, Response};

use crate::hosted::view::{self, Page, PageContent};
use crate::hosted::visit::{Form, Visit};
use crate::hosted::walk::{self, Next};
use crate::http::asset;
use crate::http::respond::{self, Cache};
use crate::platform::trace::Context;
use crate::platform::{deployment, rpc, stubs};
use crate::service::preview::check;

/// What a page gets for a draft, in place of a config.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PreviewConfig {
    /// The files to load.
    pub files: Files,
    /// The draft, as version 0.
    pub survey: ConfigSurvey,
}

/// `GET /v1/preview/{site}/{survey}/{token}`, and the draft's body in a language below it.
pub async fn serve(
    env: &Context,
    survey: (&str, &str),
    token: &str,
    language: Option<&str>,
) -> Result<Response, Failure> {
    let Draft { definition, look, .. } = draft(env, survey, token).await?;
    validate::shown(&definition)?;
    let answer = respond::public(Cache::Never)?;
    let Some(language) = language else {
        let bodies = bodies::digests(&definition, &look)?;
        let survey =
            ConfigSurvey::of(survey.1.to_owned(), 0, vec!["0".to_owned()], bodies, definition);
        let files = asset::manifest(env).await?.files.clone();
        return Ok(answer.from_json(&PreviewConfig { files, survey })?);
    };
    if !definition.speaks(language) {
        let detail = "the draft has no texts in that language";
        return Err(Problem::new(Code::UnknownBody, detail).into());
    }
    let answer = answer.with_header("content-type", "application/octet-stream")?;
    Ok(answer.fixed(bodies::encode(&definition, &look, language)?))
}

/// `GET` and `POST /s/{site}/{survey}?preview={token}`: the form carries the answers so far.
pub async fn walk(
    mut request: Request,
    env: &Context,
    visit: &Visit,
    survey: (&str, &str),
    origins: &mut Vec<String>,
) -> Result<Page, Failure> {
    let token = visit.preview.as_deref().unwrap_or_default();
    let draft = draft(env, survey, token).await?;
    *origins = draft.origins;
    validate::shown(&draft.definition)?;
    let language = visit.language(&draft.definition);
    let body = Body::of(&draft.definition, &draft.look, &language);
    let mut answers = Answers::default();
    let mut next = Next::Question(0);
    let mut written = String::new();
    if visit.sends {
        let form = Form::read(&mut request, visit).await?;
        answers = json::read_sent(form.get("answers").as_bytes())?;
        let sent = form.sent();
        next = walk::take(&body, &mut answers, &sent);
        written = sent.text;
    }
    let carried = serde_json::to_string(&answers)?;
    Ok(view::page(&PageContent {
        body: &body,
        answers: &answers,
        next,
        written: &written,
        carried: ("answers", &carried),
        is_framed: visit.is_framed,
    }))
}

/// Returns the draft that a preview shows. A token that was not made here wakes no object.
async fn draft(env: &Context, (site, survey): (&str, &str), token: &str) -> Result<Draft, Failure> {
    let seal = deployment::seal(env)?;
    let site = seal.known_site(site)?;
    let survey = seal.known_survey(&site, survey)?;
    let revocations = check(&seal, (&site, &survey), token, Date::now().as_millis())?;
    rpc::call(&stubs::site(env, &site)?, &SiteCall::Draft { survey, revocations }).await
}
