//! Answers a team's calls to its site. Each change is one transaction: the change, its entry in the log and the
//! outbox messages to the shards are stored together, or nothing is.

use asklet_protocol::audit::AuditEvent;
use asklet_protocol::calls::site::Idempotency;
use asklet_protocol::calls::team::{SurveyAction, Surveys, TeamCall};
use asklet_protocol::etag::{IfMatch, etag};
use asklet_protocol::failure::Failure;
use asklet_protocol::ids::{SiteId, SurveyId};
use asklet_protocol::installs::Installs;
use asklet_protocol::json::patch::patched;
use asklet_protocol::keys::Keys;
use asklet_shared::definition::Definition;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::Settings;
use asklet_shared::validate;
use serde::Serialize;

use crate::site::requests::{self, Earlier};
use crate::site::{audit, ceilings, installs, intents, keys, outbox, published, settings, surveys};
use crate::sql::Sql;

/// Who makes a call, and on which conditions.
#[derive(Debug, Clone, Copy)]
pub struct CallContext<'a> {
    /// The id of the caller's key, or the operator.
    pub who: &'a str,
    /// The change that the call makes, if it makes one.
    pub change: Option<&'a AuditEvent>,
    /// The key of a request that must be carried out only once.
    pub once: Option<&'a Idempotency>,
    /// The state in which what is changed must still be.
    pub if_match: Option<&'a IfMatch>,
    /// The current time.
    pub now_ms: u64,
}

/// Answers a call with JSON.
pub fn answer(
    sql: &impl Sql,
    site: &SiteId,
    context: CallContext<'_>,
    call: TeamCall,
) -> Result<String, Failure> {
    let CallContext { who, change, once, if_match, now_ms } = context;
    match (change, once, call) {
        (None, Some(once), TeamCall::EarlierAnswer) => sql.transaction(|| {
            match requests::earlier(sql, who, once, now_ms)? {
                Earlier::Answered(answer) => return json(&Some(answer)),
                Earlier::Begun => {}
                Earlier::Unknown => requests::keep(sql, who, once, None, now_ms)?,
            }
            json(&None::<String>)
        }),
        (None, Some(once), TeamCall::KeepAnswer { answer }) => {
            sql.transaction(|| requests::keep(sql, who, once, Some(&answer), now_ms))?;
            json(&())
        }
        (None, _, TeamCall::Note(change)) => {
            sql.transaction(|| json(&audit::add(sql, who, &change, now_ms)?))
        }
        (None, _, TeamCall::Begin(change)) => {
            sql.transaction(|| json(&intents::begin(sql, who, &change, now_ms)?))
        }
        (None, _, TeamCall::End { intent, happened }) => {
            sql.transaction(|| json(&intents::end(sql, who, (intent, happened.as_ref()), now_ms)?))
        }
        (None, _, TeamCall::Audit { before }) => sql.transaction(|| {
            intents::settle(sql, now_ms)?;
            json(&audit::page(sql, before)?)
        }),
        (None, _, call) => work(sql, site, call, now_ms),
        (Some(change), once, call) => sql.transaction(|| {
            let earlier = once.map(|once| requests::earlier(sql, who, once, now_ms)).transpose()?;
            if let Some(Earlier::Answered(answer)) = earlier {
                return Ok(answer);
            }
            check_unchanged(sql, if_match, &call)?;
            audit::add(sql, who, change, now_ms)?;
            let answer = work(sql, site, call, now_ms)?;
            if let Some(once) = once {
                requests::keep(sql, who, once, Some(&answer), now_ms)?;
            }
            Ok(answer)
        }),
    }
}

/// Refuses a change of something that is not as the caller read it any more.
fn check_unchanged(
    sql: &impl Sql,
    if_match: Option<&IfMatch>,
    call: &TeamCall,
) -> Result<(), Failure> {
    let Some(if_match) = if_match else { return Ok(()) };
    let current = match call {
        TeamCall::ChangeSettings(_) | TeamCall::PatchSettings(_) => json(&settings::record(sql)?)?,
        TeamCall::Survey { survey, .. } => json(&surveys::read(sql, survey)?)?,
        // Nothing else is read with a tag.
        _ => return Ok(()),
    };
    let now = etag(&current);
    if if_match.holds(&now) {
        return Ok(());
    }
    let detail = "it was changed since it was read: read it again, and make the change there";
    Err(Problem::new(Code::ChangedMeanwhile, detail).at("If-Match").limit(now).into())
}

fn work(sql: &impl Sql, site: &SiteId, call: TeamCall, now_ms: u64) -> Result<String, Failure> {
    match call {
        // Without an `Idempotency-Key`, there is no earlier answer, and nothing to store.
        TeamCall::EarlierAnswer => json(&None::<String>),
        TeamCall::Nothing | TeamCall::KeepAnswer { .. } => json(&()),
        TeamCall::Keys => json(&Keys { keys: keys::list(sql)? }),
        TeamCall::AddKey(key) => {
            keys::add(sql, &key)?;
            json(&key.id)
        }
        TeamCall::RemoveKey { id } => json(&keys::remove(sql, &id)?),
        TeamCall::Installs => json(&Installs { installs: installs::list(sql)? }),
        TeamCall::Settings => json(&settings::record(sql)?),
        TeamCall::ChangeSettings(changed) => change_settings(sql, site, &changed),
        TeamCall::PatchSettings(patch) => {
            let changed = patched(&settings::read(sql)?, patch)?;
            validate::settings(&changed)?;
            change_settings(sql, site, &changed)
        }
        TeamCall::AddSecret { id, secret } => {
            settings::add_secret(sql, &id, &secret, now_ms)?;
            outbox::notify(sql, site, None)?;
            json(&id)
        }
        TeamCall::RemoveSecret { id } => {
            settings::remove_secret(sql, &id)?;
            outbox::notify(sql, site, None)?;
            json(&settings::record(sql)?)
        }
        TeamCall::Surveys => json(&Surveys { surveys: surveys::list(sql)? }),
        TeamCall::CreateSurvey { survey, draft } => {
            ceilings::check_surveys(sql)?;
            let create = || surveys::create(sql, &survey, &draft, now_ms);
            ceilings::within_definitions(sql, create)?;
            json(&surveys::read(sql, &survey)?)
        }
        TeamCall::Survey { survey, action } => match act(sql, site, &survey, action, now_ms)? {
            Some(changed) => json(&surveys::read(sql, &changed)?),
            None => json(&()),
        },
        TeamCall::Preview { survey } => {
            published::check_preview(sql, &survey)?;
            json(&surveys::revocations(sql, &survey)?)
        }
        TeamCall::RevokePreviews { survey } => json(&surveys::revoke_previews(sql, &survey)?),
        TeamCall::Plan { survey } => json(&published::plan(sql, &survey)?),
        TeamCall::PublishedSurveys => json(&published::surveys(sql)?),
        TeamCall::Delete
        | TeamCall::Note(_)
        | TeamCall::Begin(_)
        | TeamCall::End { .. }
        | TeamCall::Audit { .. } => Err(Failure::broken("the call is answered elsewhere")),
    }
}

fn change_settings(sql: &impl Sql, site: &SiteId, changed: &Settings) -> Result<String, Failure> {
    settings::change(sql, changed)?;
    installs::keep_listed(sql, &changed.origins)?;
    outbox::notify(sql, site, None)?;
    json(&settings::record(sql)?)
}

/// Returns the draft of a survey.
fn draft(sql: &impl Sql, survey: &SurveyId) -> Result<Definition, Failure> {
    let draft = surveys::read(sql, survey)?.draft;
    draft.ok_or_else(|| Failure::broken("a survey has no draft"))
}

/// Carries out an action on a survey. Returns the survey to show afterwards.
fn act(
    sql: &impl Sql,
    site: &SiteId,
    survey: &SurveyId,
    action: SurveyAction,
    now_ms: u64,
) -> Result<Option<SurveyId>, Failure> {
    let notify = || outbox::notify(sql, site, Some(survey.as_str()));
    match action {
        SurveyAction::Read => {}
        SurveyAction::Update(draft) => {
            ceilings::within_definitions(sql, || surveys::update(sql, survey, &draft))?;
        }
        SurveyAction::Patch(patch) => {
            let mut draft = patched(&draft(sql, survey)?, patch)?;
            if draft.language.is_empty() {
                draft.language = settings::read(sql)?.language;
            }
            validate::definition(&draft)?;
            ceilings::within_definitions(sql, || surveys::update(sql, survey, &draft))?;
        }
        SurveyAction::SetStatus(status) => {
            let set = || surveys::set_status(sql, survey, status, now_ms);
            ceilings::within_config(sql, set)?;
            notify()?;
        }
        SurveyAction::SetIntake(intake) => {
            ceilings::within_config(sql, || surveys::set_intake(sql, survey, intake))?;
            notify()?;
        }
        SurveyAction::SetShards(shards) => {
            // A new shard may have refused a display just before, and must learn that it is in use now.
            ceilings::within_config(sql, || surveys::set_shards(sql, survey, shards))?;
            notify()?;
        }
        SurveyAction::Duplicate(copy) => {
            let draft = draft(sql, survey)?;
            ceilings::check_surveys(sql)?;
            let create = || surveys::create(sql, &copy, &draft, now_ms);
            ceilings::within_definitions(sql, create)?;
            return Ok(Some(copy));
        }
        SurveyAction::Publish => {
            let publish = || published::publish(sql, survey, now_ms);
            ceilings::within_definitions(sql, || ceilings::within_config(sql, publish))?;
            ceilings::check_versions(sql, survey)?;
            notify()?;
        }
        SurveyAction::Delete => {
            // From now on no shard can pull the survey. A shard ignores a publication that was sent to it
            // before and arrives later.
            surveys::delete(sql, site, survey)?;
            return Ok(None);
        }
    }
    Ok(Some(survey.clone()))
}

fn json(value: &impl Serialize) -> Result<String, Failure> {
    Ok(serde_json::to_string(value)?)
}
