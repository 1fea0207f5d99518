//! Outbox messages: shards that have to be told something or to be emptied. They are kept with the change that
//! makes them necessary and go when they are done, so that none is lost on the way.

use std::time::Duration;

use asklet_protocol::failure::Failure;
use asklet_protocol::ids::SiteId;

use crate::alarm::Alarm;
use crate::sql::Sql;

/// When an outbox message that failed is tried again.
const RETRY: Duration = Duration::from_secs(30);

/// Something that a shard has to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// The shard's site.
    pub site: SiteId,
    /// The shard's survey.
    pub survey: String,
    /// The shard.
    pub shard: u16,
    /// Whether it is to forget everything; else it is to take what holds now.
    pub forget: bool,
    /// The number of the change that it is about. Another change makes it another outbox message.
    pub revision: u64,
}

/// Leaves an outbox message to each shard of a survey.
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

/// Something changed that the shards of one published survey, or of all, have to know of: it gets a
/// number, and they get outbox messages. Runs within the transaction of the change.
pub fn tell(sql: &impl Sql, site: &SiteId, survey: Option<&str>) -> Result<(), Failure> {
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

/// Runs every outbox message; `run` says whether one is done. One that failed is run again by the alarm: a
/// shard that cannot be reached pulls what it lacks, and keeps to what it knew until then.
pub async fn deliver_all(
    sql: &impl Sql,
    alarm: &impl Alarm,
    run: impl AsyncFn(&OutboxMessage) -> bool,
) -> Result<(), Failure> {
    let messages = all(sql)?;
    if messages.is_empty() {
        return Ok(());
    }
    // First of all, in case that this is where it ends.
    alarm.set(RETRY).await?;
    for message in messages {
        if run(&message).await {
            done(sql, &message)?;
        }
    }
    // Others may have been left meanwhile, and have failed: the alarm is theirs too.
    if all(sql)?.is_empty() {
        alarm.clear().await?;
    }
    Ok(())
}

/// All outbox messages.
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

/// An outbox message is done.
pub fn done(sql: &impl Sql, message: &OutboxMessage) -> Result<(), Failure> {
    sql.run(
        "DELETE FROM errand WHERE survey = ? AND shard = ? AND number = ?",
        &[message.survey.as_str().into(), u32::from(message.shard).into(), message.revision.into()],
    )
}
