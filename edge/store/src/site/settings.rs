//! What a site stores about itself: its settings and its identity secrets.

use asklet_protocol::calls::team::{SecretRecord, SiteRecord};
use asklet_protocol::failure::Failure;
use asklet_protocol::json;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::Settings;

use crate::sql::{Row, Sql};
use crate::vault::Vault;

/// Number of identity secrets that are valid at the same time: the one in use, and its predecessor or
/// successor.
const SECRETS_LIMIT: usize = 2;

/// Returns the settings.
pub fn read(sql: &impl Sql) -> Result<Settings, Failure> {
    Ok(json::read(&row(sql)?.text()?)?)
}

/// Returns the site as its team sees it.
pub fn record(sql: &impl Sql) -> Result<SiteRecord, Failure> {
    let mut row = row(sql)?;
    let settings = json::read(&row.text()?)?;
    let mut identity_secrets = Vec::new();
    let secrets = "SELECT id, created_ms FROM identity_secret ORDER BY created_ms, id";
    sql.query(secrets, &[], &mut |mut row| {
        identity_secrets.push(SecretRecord { id: row.text()?, created_ms: row.integer()? });
        Ok(())
    })?;
    Ok(SiteRecord { created_ms: row.integer()?, settings, identity_secrets })
}

fn row(sql: &impl Sql) -> Result<Row, Failure> {
    let row = sql.first("SELECT settings, created_ms FROM site", &[])?;
    row.ok_or_else(|| Failure::broken("the site's row is missing"))
}

/// Replaces the settings.
pub fn change(sql: &impl Sql, settings: &Settings) -> Result<(), Failure> {
    sql.run("UPDATE site SET settings = ?", &[serde_json::to_string(settings)?.into()])
}

/// Stores another identity secret beside the existing one.
pub fn add_secret(sql: &impl Sql, id: &str, secret: &str, now_ms: u64) -> Result<(), Failure> {
    if record(sql)?.identity_secrets.len() >= SECRETS_LIMIT {
        let detail = "remove the older identity secret first";
        return Err(Problem::new(Code::TooManySecrets, detail)
            .limit(format!("{SECRETS_LIMIT} identity secrets"))
            .into());
    }
    sql.run(
        "INSERT INTO identity_secret (id, secret, created_ms) VALUES (?, ?, ?)",
        &[id.into(), secret.into(), now_ms.into()],
    )
}

/// Encrypts the identity secrets that were stored before the deployment had a key for them. Returns whether
/// there were any. Runs within the caller's transaction.
pub fn lock_secrets(sql: &impl Sql, vault: &Vault) -> Result<bool, Failure> {
    let mut due = Vec::new();
    sql.query("SELECT id, secret FROM identity_secret", &[], &mut |mut row| {
        let (id, secret) = (row.text()?, row.text()?);
        if vault.is_due(&secret) {
            due.push((id, secret));
        }
        Ok(())
    })?;
    for (id, secret) in &due {
        let lock = "UPDATE identity_secret SET secret = ? WHERE id = ?";
        sql.run(lock, &[vault.lock(secret)?.into(), id.as_str().into()])?;
    }
    Ok(!due.is_empty())
}

/// Removes an identity secret.
pub fn remove_secret(sql: &impl Sql, id: &str) -> Result<(), Failure> {
    if sql.first("SELECT 1 FROM identity_secret WHERE id = ?", &[id.into()])?.is_none() {
        return Err(Problem::new(Code::NotFound, "there is no such identity secret").into());
    }
    sql.run("DELETE FROM identity_secret WHERE id = ?", &[id.into()])
}
