//! The object `Site`: one for each site. It keeps settings, keys and definitions, and pushes what
//! is published to the survey's shards. It is never on the way of a display.

pub mod store;

use asklet_shared::definition::Published;
use asklet_shared::problem::{Code, Problem};
use worker::{Date, DurableObject, Env, Request, Response, State, console_error, durable_object};

use crate::failure::Failure;
use crate::place;
use crate::respond;
use crate::rpc::{self, SiteCall, SurveyAction, SurveyCall, TeamCall};
use crate::seal::{SiteId, SurveyId};
use crate::sql::migrate::Schema;
use crate::sql::object::Object;

/// One site.
#[durable_object]
pub struct Site {
    state: State,
    env: Env,
    schema: Schema,
}

impl DurableObject for Site {
    fn new(state: State, env: Env) -> Self {
        Self { state, env, schema: Schema::new(store::MIGRATIONS) }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        respond::finish("site", self.serve(request).await)
    }
}

impl Site {
    async fn serve(&self, mut request: Request) -> Result<Response, Failure> {
        let call = respond::read_json(&mut request, usize::MAX).await?;
        let sql = Object::of(&self.state);
        let now_ms = Date::now().as_millis();
        let is_new = matches!(call, SiteCall::Create(_));
        if !self.schema.wake(&sql, is_new)? {
            return Err(Problem::new(Code::UnknownSite, "there is no such site").into());
        }
        match call {
            SiteCall::Create(site) => rpc::answer(&store::create(&sql, &site, now_ms)?),
            SiteCall::Live => rpc::answer(&store::live(&sql, now_ms)?),
            SiteCall::Published { survey, version, shard } => {
                rpc::answer(&store::published(&sql, &survey, version, shard)?)
            }
            SiteCall::Team { key, call } => {
                store::authorize(&sql, &key, call.scope())?;
                self.team(&sql, call, now_ms).await
            }
        }
    }

    /// Serves a team whose key was checked.
    async fn team(&self, sql: &Object, call: TeamCall, now_ms: u64) -> Result<Response, Failure> {
        match call {
            TeamCall::Surveys => rpc::answer(&store::surveys(sql)?),
            TeamCall::CreateSurvey { survey, draft } => {
                store::create_survey(sql, &survey, &draft, now_ms)?;
                rpc::answer(&store::survey(sql, &survey)?)
            }
            TeamCall::Survey { site, survey, action } => {
                match self.act(sql, &site, &survey, action, now_ms).await? {
                    Some(changed) => rpc::answer(&store::survey(sql, &changed)?),
                    None => rpc::answer(&()),
                }
            }
            TeamCall::Plan { survey, question } => {
                rpc::answer(&store::plan(sql, &survey, question.as_deref())?)
            }
        }
    }

    /// Does something with a survey. Returns the survey to show afterwards.
    async fn act(
        &self,
        sql: &Object,
        site: &SiteId,
        survey: &SurveyId,
        action: SurveyAction,
        now_ms: u64,
    ) -> Result<Option<SurveyId>, Failure> {
        match action {
            SurveyAction::Read => {}
            SurveyAction::Update(draft) => store::update(sql, survey, &draft)?,
            SurveyAction::SetStatus(status) => store::set_status(sql, survey, status)?,
            // A new shard pulls the version that its first display names.
            SurveyAction::SetShards(shards) => store::set_shards(sql, survey, shards)?,
            SurveyAction::Duplicate(copy) => {
                let draft = store::survey(sql, survey)?.draft;
                let draft =
                    draft.ok_or_else(|| Failure::Broken("a survey has no draft".to_owned()))?;
                store::create_survey(sql, &copy, &draft, now_ms)?;
                return Ok(Some(copy));
            }
            SurveyAction::Publish => {
                let (published, shards) = store::publish(sql, survey, now_ms)?;
                self.push(site, survey, published, shards).await;
            }
            SurveyAction::Delete => {
                // The shards first: while the survey is known, a deletion that broke off can be
                // repeated.
                for shard in 0..store::survey(sql, survey)?.shards {
                    let stub = place::survey(&self.env, site, survey, shard)?;
                    rpc::call::<()>(&stub, &SurveyCall::Erase).await?;
                }
                store::delete(sql, survey)?;
                return Ok(None);
            }
        }
        Ok(Some(survey.clone()))
    }

    /// Gives a version to every shard. One that cannot be reached pulls it when it needs it.
    async fn push(&self, site: &SiteId, survey: &SurveyId, published: Published, shards: u16) {
        let call = SurveyCall::Publish(Box::new(published));
        for shard in 0..shards {
            let pushed = async {
                let stub = place::survey(&self.env, site, survey, shard)?;
                rpc::call::<()>(&stub, &call).await
            };
            if let Err(failure) = pushed.await {
                console_error!(
                    "{}",
                    serde_json::json!({
                        "level": "warning",
                        "route": "publish",
                        "cause": format!("shard {shard} was not reached: {failure:?}"),
                    })
                );
            }
        }
    }
}
