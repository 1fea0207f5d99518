//! Previews: a draft as its visitors would see it, in a page of the site or as the hosted page, for an
//! hour. Nothing of it is recorded and no shard hears of it: the object `Site` tells the draft, and the
//! Worker makes of it what a visitor gets. A preview is kept nowhere: its token says until when it holds, and
//! how often the survey's previews were revoked before, so that revoking them again ends it.

use asklet_shared::body::Body;
use asklet_shared::config::{ConfigSurvey, Files};
use asklet_shared::definition::Definition;
use asklet_shared::display::Answers;
use asklet_shared::problem::{Code, Problem};
use serde::Serialize;
use worker::{Date, Env, Request, Response};

use crate::asset;
use crate::failure::Failure;
use crate::hosted::view::{self, Page, Place};
use crate::hosted::walk::{self, Next};
use crate::hosted::{Form, Visit};
use crate::json;
use crate::place;
use crate::respond::{self, Cache};
use crate::rpc::{self, Draft, SiteCall};
use crate::seal::{self, Seal, SiteId, SurveyId};
use crate::survey::versions;

/// How long a preview holds.
const PREVIEW_MS: u64 = 60 * 60 * 1000;

/// A new preview, as its team is told of it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Preview {
    token: String,
    /// Until when it holds, in milliseconds since the epoch.
    expires_ms: u64,
    /// What an address of a page of the site ends with, to show it there.
    query: String,
    /// The path of the hosted page that shows it.
    path: String,
}

impl Preview {
    /// A preview that begins now, after so many revocations.
    pub fn new(
        seal: &Seal,
        (site, survey): (&SiteId, &SurveyId),
        revocations: u32,
        now_ms: u64,
    ) -> Self {
        let expires_ms = now_ms + PREVIEW_MS;
        let token = token(seal, (site, survey), (expires_ms, revocations));
        let query = format!("asklet-preview={survey}.{token}");
        let path = format!("/s/{site}/{survey}?preview={token}");
        Self { token, expires_ms, query, path }
    }
}

/// What a page is told of a draft, in the place of a config.
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
    env: &Env,
    survey: (&str, &str),
    token: &str,
    language: Option<&str>,
) -> Result<Response, Failure> {
    let Draft { definition, look, .. } = draft(env, survey, token).await?;
    check_shown(&definition)?;
    let answer = respond::public(Cache::Never)?;
    let Some(language) = language else {
        let bodies = versions::digests(&definition, &look)?;
        let survey =
            ConfigSurvey::of(survey.1.to_owned(), 0, vec!["0".to_owned()], bodies, definition);
        let files = asset::manifest(env).await?.files.clone();
        return Ok(answer.from_json(&PreviewConfig { files, survey })?);
    };
    if !definition.speaks(language) {
        let detail = "the draft does not speak that language";
        return Err(Problem::new(Code::UnknownBody, detail).into());
    }
    let answer = answer.with_header("content-type", "application/octet-stream")?;
    Ok(answer.fixed(versions::encode(&definition, &look, language)?))
}

/// `GET` and `POST /s/{site}/{survey}?preview={token}`: the answers so far travel in the form.
pub async fn walk(
    mut request: Request,
    env: &Env,
    visit: &Visit,
    survey: (&str, &str),
    origins: &mut Vec<String>,
) -> Result<Page, Failure> {
    let token = visit.preview.as_deref().unwrap_or_default();
    let draft = draft(env, survey, token).await?;
    *origins = draft.origins;
    check_shown(&draft.definition)?;
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
    Ok(view::page(&Place {
        body: &body,
        answers: &answers,
        next,
        written: &written,
        carried: ("answers", &carried),
        is_framed: visit.is_framed,
    }))
}

/// Refuses a definition that pages cannot show.
pub fn check_shown(definition: &Definition) -> Result<(), Problem> {
    if definition.is_shown() {
        return Ok(());
    }
    Err(Problem::new(Code::NotShown, "the survey has a choice, and pages show none yet"))
}

/// The draft that a preview shows. Nothing wakes for a token that was not made here.
async fn draft(env: &Env, (site, survey): (&str, &str), token: &str) -> Result<Draft, Failure> {
    let seal = Seal::of(env)?;
    let site = seal.known_site(site)?;
    let survey = seal.known_survey(&site, survey)?;
    let revocations = check(&seal, (&site, &survey), token, Date::now().as_millis())?;
    rpc::call(&place::site(env, &site)?, &SiteCall::Draft { survey, revocations }).await
}

/// The token of a survey's preview that holds until a time, or until previews are revoked once more.
fn token(
    seal: &Seal,
    (site, survey): (&SiteId, &SurveyId),
    (expires_ms, revocations): (u64, u32),
) -> String {
    let holds = format!("{expires_ms}-{revocations}");
    let mac = seal.token(&["preview", site.as_str(), survey.as_str(), &holds]);
    format!("{holds}-{mac}")
}

/// What is said of a preview that holds no more.
pub fn revoked() -> Problem {
    Problem::new(Code::PreviewExpired, "the survey's previews were revoked: make another one")
}

/// Refuses a token that was not made here, or whose time is over. Returns how often previews were revoked
/// before it was made.
fn check(
    seal: &Seal,
    survey: (&SiteId, &SurveyId),
    text: &str,
    now_ms: u64,
) -> Result<u32, Problem> {
    let mut parts = text.split('-');
    let mut next = || parts.next();
    let expires_ms = next().and_then(|part| part.parse().ok());
    let revocations = next().and_then(|part| part.parse().ok());
    match expires_ms.zip(revocations) {
        Some(holds @ (expires_ms, revocations))
            if seal::same(&token(seal, survey, holds), text) =>
        {
            if now_ms < expires_ms {
                return Ok(revocations);
            }
            Err(Problem::new(Code::PreviewExpired, "a preview holds for an hour: make another one"))
        }
        _ => Err(Problem::new(Code::UnknownPreview, "there is no such preview")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_holds_for_an_hour_and_for_one_survey() {
        let seal = Seal::new("a secret of the tests, long enough").unwrap();
        let site = seal.new_site().unwrap();
        let survey = seal.new_survey(&site).unwrap();
        let other = seal.new_survey(&site).unwrap();
        let preview = Preview::new(&seal, (&site, &survey), 7, 1_000);
        let code = |survey, token: &str, now_ms| {
            check(&seal, (&site, survey), token, now_ms).map_err(|problem| problem.code)
        };
        assert_eq!(code(&survey, &preview.token, 3_600_999), Ok(7));
        assert_eq!(code(&survey, &preview.token, 3_601_000), Err(Code::PreviewExpired));
        assert_eq!(code(&other, &preview.token, 1_000), Err(Code::UnknownPreview));
        let later = preview.token.replacen("3601000-", "9601000-", 1);
        let earlier = preview.token.replacen("-7-", "-6-", 1);
        let padded = format!("0{}", preview.token);
        for made_up in [&*later, &earlier, &padded, "3601000-7-", "3601000-", "-", ""] {
            assert_eq!(code(&survey, made_up, 1_000), Err(Code::UnknownPreview), "{made_up}");
        }
    }
}
