//! Outbox messages to shards: take the current policy, or delete everything. They are stored in the transaction
//! of the change that causes them, and removed once they are delivered, so that none is lost.

use std::time::Duration;

use asklet_protocol::failure::Failure;
use asklet_protocol::ids::SiteId;

use crate::alarm::Alarm;
use crate::sql::Sql;

/// How long a failed outbox message waits for its next attempt.
const RETRY: Duration = Duration::from_secs(30);

/// A message from a site to one of its shards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// The site of the shard.
    pub site: SiteId,
    /// The survey of the shard.
    pub survey: String,
    /// The shard.
    pub shard: u16,
    /// Whether the shard must delete everything; otherwise it must take the latest publication.
    pub forget: bool,
    /// The revision of the change that the message is about. Another change makes it another outbox message.
    pub revision: u64,
}

/// Stores an outbox message for each shard of a survey.
pub fn leave(
    sql: &impl Sql,
    site: &SiteId,
    survey: &str,
    shards: u16,
    forget: bool,
) -> Result<(), Failure> {
    for shard in 0..shards {
        sql.run(
            "REPLACE INTO errand (site, survey, shard, forget, number)
             SELECT ?, ?, ?, ?, number FROM site",
            &[site.as_str().into(), survey.into(), u32::from(shard).into(), forget.into()],
        )?;
    }
    Ok(())
}

/// Gives a revision to a change that the shards of one published survey, or of all, have to know of, and stores
/// outbox messages for these shards. Runs within the transaction of the change.
pub fn notify(sql: &impl Sql, site: &SiteId, survey: Option<&str>) -> Result<(), Failure> {
    sql.run("UPDATE site SET number = number + 1", &[])?;
    let mut surveys = Vec::new();
    let published = "SELECT id, shards FROM survey WHERE version > 0";
    sql.query(published, &[], &mut |mut row| {
        surveys.push((row.text()?, row.integer::<u16>()?));
        Ok(())
    })?;
    for (id, shards) in surveys {
        if survey.is_none_or(|survey| survey == id) {
            leave(sql, site, &id, shards, false)?;
        }
    }
    Ok(())
}

/// Delivers every outbox message; `run` says whether a message was delivered. The alarm repeats those that
/// failed. Until then a shard that cannot be reached keeps to what it knows, and pulls what it lacks.
pub async fn deliver_all(
    sql: &impl Sql,
    alarm: &impl Alarm,
    run: impl AsyncFn(&OutboxMessage) -> bool,
) -> Result<(), Failure> {
    let messages = all(sql)?;
    if messages.is_empty() {
        return Ok(());
    }
    // The alarm is set before the delivery, in case the object stops during it.
    alarm.set(RETRY).await?;
    for message in messages {
        if run(&message).await {
            done(sql, &message)?;
        }
    }
    // In the meantime other messages may have been stored, and may have failed: they need the alarm, too.
    if all(sql)?.is_empty() {
        alarm.clear().await?;
    }
    Ok(())
}

/// Returns all outbox messages.
pub fn all(sql: &impl Sql) -> Result<Vec<OutboxMessage>, Failure> {
    let mut messages = Vec::new();
    let columns = "SELECT site, survey, shard, forget, number FROM errand";
    sql.query(columns, &[], &mut |mut row| {
        messages.push(OutboxMessage {
            site: SiteId::stored(row.text()?),
            survey: row.text()?,
            shard: row.integer()?,
            forget: row.boolean()?,
            revision: row.integer()?,
        });
        Ok(())
    })?;
    Ok(messages)
}

/// Removes an outbox message that was delivered.
pub fn done(sql: &impl Sql, message: &OutboxMessage) -> Result<(), Failure> {
    sql.run(
        "DELETE FROM errand WHERE survey = ? AND shard = ? AND number = ?",
        &[message.survey.as_str().into(), u32::from(message.shard).into(), message.revision.into()],
    )
}
