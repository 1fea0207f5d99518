//! Surveys as their team works on them: drafts, statuses, shards, and deletion.

use asklet_protocol::calls::team::{Intake, SurveyRecord};
use asklet_protocol::failure::Failure;
use asklet_protocol::ids::{SiteId, SurveyId};
use asklet_protocol::json;
use asklet_protocol::plan::SHARDS_LIMIT;
use asklet_protocol::problems::unknown_survey;
use asklet_shared::definition::{Definition, Status};
use asklet_shared::problem::{Code, Problem};

use crate::site::outbox;
use crate::sql::{Row, Sql, Value};

/// Stores a new survey as a draft.
pub fn create(
    sql: &impl Sql,
    survey: &SurveyId,
    draft: &Definition,
    now_ms: u64,
) -> Result<(), Failure> {
    sql.run(
        "INSERT INTO survey (id, status, shards, version, draft, created_ms)
         VALUES (?, ?, 1, 0, ?, ?)",
        &[
            survey.as_str().into(),
            Status::Draft.name().into(),
            serde_json::to_string(draft)?.into(),
            now_ms.into(),
        ],
    )
}

/// The columns of a survey in lists.
const COLUMNS: &str =
    "id, json_extract(draft, '$.name'), status, shards, version, created_ms, refuses";

/// Returns a survey with its draft.
pub fn read(sql: &impl Sql, survey: &SurveyId) -> Result<SurveyRecord, Failure> {
    let query = format!("SELECT {COLUMNS}, draft FROM survey WHERE id = ?");
    let mut row = find(sql, &query, survey)?;
    let mut record = record(&mut row)?;
    record.draft = Some(json::read(&row.text()?)?);
    Ok(record)
}

/// Lists all surveys, oldest first, without their drafts.
pub fn list(sql: &impl Sql) -> Result<Vec<SurveyRecord>, Failure> {
    let mut surveys = Vec::new();
    sql.query(
        &format!("SELECT {COLUMNS} FROM survey ORDER BY created_ms, id"),
        &[],
        &mut |mut row| {
            surveys.push(record(&mut row)?);
            Ok(())
        },
    )?;
    Ok(surveys)
}

fn record(row: &mut Row) -> Result<SurveyRecord, Failure> {
    Ok(SurveyRecord {
        survey: row.text()?,
        name: row.text()?,
        status: Status::named(&row.text()?)
            .ok_or_else(|| Failure::broken("a stored survey has no valid status"))?,
        shards: row.integer()?,
        version: row.integer()?,
        created_ms: row.integer()?,
        refuses: row.boolean()?,
        draft: None,
    })
}

/// Replaces the draft. The live version does not change.
pub fn update(sql: &impl Sql, survey: &SurveyId, draft: &Definition) -> Result<(), Failure> {
    find(sql, "SELECT 1 FROM survey WHERE id = ?", survey)?;
    sql.run(
        "UPDATE survey SET draft = ? WHERE id = ?",
        &[serde_json::to_string(draft)?.into(), survey.as_str().into()],
    )
}

/// Sets the status of a survey. Refuses it for a survey that was never published, since such a survey can
/// neither be shown nor stopped.
pub fn set_status(
    sql: &impl Sql,
    survey: &SurveyId,
    status: Status,
    now_ms: u64,
) -> Result<(), Failure> {
    let mut row = find(sql, "SELECT version FROM survey WHERE id = ?", survey)?;
    if row.integer::<u32>()? == 0 {
        let detail = "the survey was never published";
        return Err(Problem::new(Code::NotPublished, detail).into());
    }
    let stopped_ms = (status != Status::Live).then_some(now_ms);
    sql.run(
        "UPDATE survey SET status = ?, stopped_ms = ? WHERE id = ?",
        &[status.name().into(), stopped_ms.into(), survey.as_str().into()],
    )
}

/// Sets whether a survey's displays are taken or refused, regardless of its status.
pub fn set_intake(sql: &impl Sql, survey: &SurveyId, intake: Intake) -> Result<(), Failure> {
    find(sql, "SELECT 1 FROM survey WHERE id = ?", survey)?;
    let refuses = intake == Intake::Refused;
    let update = "UPDATE survey SET refuses = ? WHERE id = ?";
    sql.run(update, &[refuses.into(), survey.as_str().into()])
}

/// Spreads a survey's displays over more shards, never over fewer: a display stays on the shard on which it
/// started, and summaries ask all shards of the survey.
pub fn set_shards(sql: &impl Sql, survey: &SurveyId, shards: u16) -> Result<(), Failure> {
    let mut row = find(sql, "SELECT shards FROM survey WHERE id = ?", survey)?;
    let least = row.integer::<u16>()?;
    if shards < least || shards > SHARDS_LIMIT {
        return Err(Problem::new(
            Code::InvalidSettings,
            "the number of shards is too large, or smaller than before",
        )
        .at("shards")
        .limit(format!("{least} to {SHARDS_LIMIT}"))
        .into());
    }
    sql.run(
        "UPDATE survey SET shards = ? WHERE id = ?",
        &[u32::from(shards).into(), survey.as_str().into()],
    )
}

/// Removes a survey with its versions, and stores outbox messages that make its shards delete everything. Runs
/// within the caller's transaction.
pub fn delete(sql: &impl Sql, site: &SiteId, survey: &SurveyId) -> Result<(), Failure> {
    let mut row = find(sql, "SELECT shards, version FROM survey WHERE id = ?", survey)?;
    let shards: u16 = row.integer()?;
    let was_published = row.integer::<u32>()? > 0;
    sql.run("DELETE FROM published WHERE survey = ?", &[survey.as_str().into()])?;
    sql.run("DELETE FROM survey WHERE id = ?", &[survey.as_str().into()])?;
    // The deletion gets a revision of its own: the delivery of an earlier outbox message does not remove this
    // message.
    sql.run("UPDATE site SET number = number + 1", &[])?;
    outbox::leave(sql, site, survey.as_str(), if was_published { shards } else { 0 }, true)
}

/// Returns the row of a survey, with the columns that a query names.
pub fn find(sql: &impl Sql, columns: &str, survey: &SurveyId) -> Result<Row, Failure> {
    let row = sql.first(columns, &[Value::from(survey.as_str())])?;
    Ok(row.ok_or_else(unknown_survey)?)
}

/// Returns how often the previews of a survey's draft were revoked.
pub fn revocations(sql: &impl Sql, survey: &SurveyId) -> Result<u32, Failure> {
    find(sql, "SELECT previews FROM survey WHERE id = ?", survey)?.integer()
}

/// Revokes the previews of a survey's draft.
pub fn revoke_previews(sql: &impl Sql, survey: &SurveyId) -> Result<(), Failure> {
    find(sql, "SELECT 1 FROM survey WHERE id = ?", survey)?;
    let revoke = "UPDATE survey SET previews = previews + 1 WHERE id = ?";
    sql.run(revoke, &[survey.as_str().into()])
}
