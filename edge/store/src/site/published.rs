//! Published surveys: every version, the current policy, and the live surveys.

use asklet_protocol::calls::site::{Draft, Publication};
use asklet_protocol::failure::Failure;
use asklet_protocol::ids::SurveyId;
use asklet_protocol::json;
use asklet_protocol::plan::Plan;
use asklet_protocol::policy::Policy;
use asklet_protocol::problems::unknown_survey;
use asklet_shared::config::ConfigSurvey;
use asklet_shared::definition::question::{AnswerKind, Question};
use asklet_shared::definition::{Definition, Published, Status};
use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::{Look, Settings};
use asklet_shared::validate;

use crate::bodies;
use crate::site::settings;
use crate::site::surveys::find;
use crate::sql::Sql;

/// Returns every question that was ever published, as the latest version with the question has it. SQLite
/// searches the versions, so that a survey with many versions is read about as fast as a survey with few.
pub fn questions(sql: &impl Sql, survey: &SurveyId) -> Result<Vec<Question>, Failure> {
    let mut questions = Vec::new();
    // If `max` is the only aggregate, SQLite takes the other columns from the row with the maximum.
    sql.query(
        "SELECT question.value, max(published.version)
         FROM published, json_each(published.definition, '$.questions') AS question
         WHERE published.survey = ?
         GROUP BY json_extract(question.value, '$.id') ORDER BY 2 DESC, question.key",
        &[survey.as_str().into()],
        &mut |mut row| {
            questions.push(json::read(&row.text()?)?);
            Ok(())
        },
    )?;
    Ok(questions)
}

/// Refuses a different kind of answer, or a different scale, for a question that was published before. Displays
/// of every version may still arrive, and what they add to a counter must mean the same.
fn check_scales(earlier: &[Question], draft: &Definition) -> Result<(), Problem> {
    let kind = |question: &Question| match &question.answer {
        AnswerKind::Rating(rating) => (1, Some((rating.scale, rating.direction))),
        AnswerKind::Text(_) => (2, None),
        AnswerKind::Choice(_) => (3, None),
    };
    for (at, question) in draft.questions.iter().enumerate() {
        let was = earlier.iter().find(|earlier| earlier.id == question.id).map(kind);
        if was.is_some_and(|was| was != kind(question)) {
            let detail = "the question was published on another scale: give it another id";
            let field = format!("questions[{at}].answer");
            return Err(Problem::new(Code::ScaleChanged, detail).at(field));
        }
    }
    Ok(())
}

/// Returns the definition that would be published next, and the site's look for it.
pub fn draft(sql: &impl Sql, survey: &SurveyId) -> Result<Draft, Failure> {
    let definition = find(sql, "SELECT draft FROM survey WHERE id = ?", survey)?.text()?;
    let settings = settings::read(sql)?;
    Ok(Draft {
        definition: json::read(&definition)?,
        look: settings.look(),
        origins: settings.origins,
    })
}

/// Refuses a draft that cannot be published.
pub fn check(sql: &impl Sql, survey: &SurveyId) -> Result<(), Failure> {
    let Draft { definition, look, .. } = draft(sql, survey)?;
    check_scales(&questions(sql, survey)?, &definition)?;
    // Theme tokens of the survey override those of the site, so only the combination can be checked.
    let theme = definition.appearance.theme.or(&look.theme);
    Ok(validate::theme("appearance.theme", &theme)?)
}

/// Refuses a draft that cannot be published, or that pages cannot show.
pub fn check_preview(sql: &impl Sql, survey: &SurveyId) -> Result<(), Failure> {
    check(sql, survey)?;
    Ok(validate::shown(&draft(sql, survey)?.definition)?)
}

/// Makes the draft the survey's next version and sets the survey live. Runs within the caller's transaction.
pub fn publish(sql: &impl Sql, survey: &SurveyId, now_ms: u64) -> Result<(), Failure> {
    check(sql, survey)?;
    let mut row = find(sql, "SELECT version FROM survey WHERE id = ?", survey)?;
    let version = row.integer::<u32>()?.saturating_add(1);
    sql.run(
        "INSERT INTO published (survey, version, definition, published_ms)
         SELECT id, ?, draft, ? FROM survey WHERE id = ?",
        &[version.into(), now_ms.into(), survey.as_str().into()],
    )?;
    sql.run(
        "UPDATE survey SET status = ?, stopped_ms = NULL, version = ? WHERE id = ?",
        &[Status::Live.name().into(), version.into(), survey.as_str().into()],
    )
}

/// Returns a version, or the latest, with the current policy, for a shard that lacks it. Refuses a shard that
/// the survey does not have.
pub fn published(
    sql: &impl Sql,
    survey: &SurveyId,
    version: Option<u32>,
    shard: u16,
) -> Result<Publication, Failure> {
    let columns = "SELECT shards, version FROM survey WHERE id = ? AND version > 0";
    let mut row = find(sql, columns, survey)?;
    if shard >= row.integer()? {
        return Err(Problem::new(Code::UnknownShard, "the survey has no such shard").into());
    }
    let latest = row.integer()?;
    let version = version.unwrap_or(latest);
    let published = definition(sql, survey.as_str(), version)?.ok_or_else(|| {
        Problem::new(Code::UnknownVersion, "the survey was never published in this version")
            .at("version")
            .limit(format!("1 to {latest}"))
    })?;
    Ok(Publication {
        published: Published { version, definition: published },
        policy: policy(sql, survey.as_str())?,
    })
}

fn definition(sql: &impl Sql, survey: &str, version: u32) -> Result<Option<Definition>, Failure> {
    let row = sql.first(
        "SELECT definition FROM published WHERE survey = ? AND version = ?",
        &[survey.into(), version.into()],
    )?;
    row.map(|mut row| Ok(json::read(&row.text()?)?)).transpose()
}

/// Returns the current policy of a published survey.
pub fn policy(sql: &impl Sql, survey: &str) -> Result<Policy, Failure> {
    let row = sql.first(
        "SELECT site.number, site.settings, survey.stopped_ms, survey.refuses, survey.shards,
            published.definition
         FROM site, survey JOIN published
           ON published.survey = survey.id AND published.version = survey.version
         WHERE survey.id = ?",
        &[survey.into()],
    )?;
    let mut row = row.ok_or_else(unknown_survey)?;
    let number = row.integer()?;
    let settings: Settings = json::read(&row.text()?)?;
    let look = settings.look();
    let stopped_ms = row.optional_integer()?;
    let (refuses, shards) = (row.boolean()?, row.integer()?);
    let definition: Definition = json::read(&row.text()?)?;
    let mut identity_secrets = Vec::new();
    sql.query("SELECT secret FROM identity_secret", &[], &mut |mut row| {
        identity_secrets.push(row.text()?);
        Ok(())
    })?;
    Ok(Policy {
        revision: number,
        origins: settings.origins,
        privacy: settings.privacy,
        require_identity: settings.require_identity,
        identity_secrets,
        identity_max_hours: settings.identity_max_hours,
        limits: settings.limits.share(shards),
        refuses: refuses || settings.refuse,
        look,
        stopped_ms,
        end_ms: definition.end_ms,
        retention_days: definition.retention_days,
    })
}

/// Returns what the Worker needs to know to call the shards of a survey.
pub fn plan(sql: &impl Sql, survey: &SurveyId) -> Result<Plan, Failure> {
    let mut row = find(
        sql,
        "SELECT survey.shards, survey.version, coalesce(published.definition, survey.draft)
         FROM survey LEFT JOIN published
           ON published.survey = survey.id AND published.version = survey.version
         WHERE survey.id = ?",
        survey,
    )?;
    let shards = row.integer()?;
    let version: u32 = row.integer()?;
    let definition: Definition = json::read(&row.text()?)?;
    let (traits, counted_traits) = traits(sql, survey, &definition)?;
    let mut earlier_questions = questions(sql, survey)?;
    earlier_questions.retain(|question| definition.question(&question.id).is_none());
    let mut earlier_primaries = Vec::new();
    let primaries =
        "SELECT DISTINCT json_extract(definition, '$.primary') FROM published WHERE survey = ?";
    sql.query(primaries, &[survey.as_str().into()], &mut |mut row| {
        let primary = row.text()?;
        if definition.question(&primary).is_none() {
            earlier_primaries.push(primary);
        }
        Ok(())
    })?;
    let settings = settings::read(sql)?;
    Ok(Plan {
        survey: survey.clone(),
        definition,
        // A draft has no displays, and its shards must not be woken.
        shards: if version == 0 { 0 } else { shards },
        earlier_questions,
        earlier_primaries,
        traits,
        counted_traits,
        limits: settings.limits,
        tz: settings.tz,
        week_starts: settings.week_starts,
    })
}

/// Returns the traits that at least one version declares, and those that every version declares. For a draft,
/// both are its own traits.
fn traits(
    sql: &impl Sql,
    survey: &SurveyId,
    latest: &Definition,
) -> Result<(Vec<String>, Vec<String>), Failure> {
    let (mut any, mut every) = (latest.traits.clone(), latest.traits.clone());
    sql.query(
        "SELECT key.value, count(*) = (SELECT count(*) FROM published WHERE survey = ?1)
         FROM published, json_each(published.definition, '$.traits') AS key
         WHERE published.survey = ?1 GROUP BY key.value",
        &[survey.as_str().into()],
        &mut |mut row| {
            let (key, in_every) = (row.text()?, row.boolean()?);
            if !in_every {
                every.retain(|counted| *counted != key);
            }
            if !any.contains(&key) {
                any.push(key);
            }
            Ok(())
        },
    )?;
    Ok((any, every))
}

/// Lists the surveys that were ever published, oldest first.
pub fn surveys(sql: &impl Sql) -> Result<Vec<SurveyId>, Failure> {
    let mut ids = Vec::new();
    let published = "SELECT id FROM survey WHERE version > 0 ORDER BY created_ms, id";
    sql.query(published, &[], &mut |mut row| {
        ids.push(SurveyId::stored(row.text()?));
        Ok(())
    })?;
    Ok(ids)
}

/// A live survey, as the config describes it, and its quota.
pub struct LiveSurvey {
    /// The survey, as the config describes it.
    pub survey: ConfigSurvey,
    /// Number of responses at which the survey has enough; `None` for no quota.
    pub quota: Option<u32>,
}

/// Returns the address of a shard for pages.
type Address<'a> = &'a dyn Fn(&SurveyId, u16) -> Result<String, Failure>;

/// Returns the surveys of a site that are live at a given time.
pub fn live(
    sql: &impl Sql,
    address: Address<'_>,
    look: &Look,
    now_ms: u64,
) -> Result<Vec<LiveSurvey>, Failure> {
    let mut surveys = Vec::new();
    each_live(sql, &mut |id, version, shards, definition| {
        if !definition.is_asked_at(now_ms) || !definition.is_shown() {
            return Ok(());
        }
        let bodies = bodies::digests(&definition, look)?;
        let quota = definition.quota;
        let shards = (0..shards).map(|shard| address(&id, shard)).collect::<Result<_, _>>()?;
        let id = id.as_str().to_owned();
        let survey = ConfigSurvey::of(id, version, shards, bodies, definition);
        surveys.push(LiveSurvey { survey, quota });
        Ok(())
    })?;
    Ok(surveys)
}

/// Calls `survey` with the latest version and the number of shards of each survey that is live and does not
/// refuse displays, oldest first.
pub fn each_live(
    sql: &impl Sql,
    survey: &mut dyn FnMut(SurveyId, u32, u16, Definition) -> Result<(), Failure>,
) -> Result<(), Failure> {
    sql.query(
        "SELECT survey.id, survey.version, survey.shards, published.definition
         FROM survey JOIN published
           ON published.survey = survey.id AND published.version = survey.version
         WHERE survey.status = ? AND survey.refuses = 0 ORDER BY survey.created_ms, survey.id",
        &[Status::Live.name().into()],
        &mut |mut row| {
            let (id, version) = (SurveyId::stored(row.text()?), row.integer()?);
            let shards = row.integer()?;
            survey(id, version, shards, json::read(&row.text()?)?)
        },
    )
}
