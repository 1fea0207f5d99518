//! What a site keeps of itself besides its settings: its schema, its beginning and its keys.

use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::Settings;

use crate::failure::Failure;
use crate::rpc::Scope;
use crate::seal::{self, KeyDigest};
use crate::sql::Sql;
use crate::sql::migrate::Migrations;

/// The schema of a `Site` object.
pub const MIGRATIONS: Migrations = &[
    &[
        "CREATE TABLE site (
        name TEXT NOT NULL,
        origins TEXT NOT NULL,
        created_ms INTEGER NOT NULL
    ) STRICT",
        "CREATE TABLE key (
        digest TEXT PRIMARY KEY,
        scope TEXT NOT NULL,
        created_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
        "CREATE TABLE survey (
        id TEXT PRIMARY KEY,
        status TEXT NOT NULL,
        shards INTEGER NOT NULL,
        version INTEGER NOT NULL,
        draft TEXT NOT NULL,
        created_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
        "CREATE TABLE published (
        survey TEXT NOT NULL,
        version INTEGER NOT NULL,
        definition TEXT NOT NULL,
        published_ms INTEGER NOT NULL,
        PRIMARY KEY (survey, version)
    ) STRICT, WITHOUT ROWID",
    ],
    &[
        // The settings as JSON, and how often anything changed that shards have to know.
        "CREATE TABLE site_2 (
            settings TEXT NOT NULL,
            number INTEGER NOT NULL,
            created_ms INTEGER NOT NULL
        ) STRICT",
        "INSERT INTO site_2
         SELECT json_object('name', name, 'origins', json(origins)), 1, created_ms FROM site",
        "DROP TABLE site",
        "ALTER TABLE site_2 RENAME TO site",
        "CREATE TABLE identity_secret (
            id TEXT PRIMARY KEY,
            secret TEXT NOT NULL,
            created_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID",
        "ALTER TABLE survey ADD COLUMN stopped_ms INTEGER",
        "UPDATE survey SET stopped_ms = created_ms WHERE status IN ('paused', 'archived')",
        // Shards that still have to be told something, or to be emptied.
        "CREATE TABLE errand (
            site TEXT NOT NULL,
            survey TEXT NOT NULL,
            shard INTEGER NOT NULL,
            forget INTEGER NOT NULL,
            number INTEGER NOT NULL,
            PRIMARY KEY (survey, shard)
        ) STRICT, WITHOUT ROWID",
    ],
];

/// Sets up a site with its first key, which may do everything.
pub fn create(
    sql: &impl Sql,
    settings: &Settings,
    key: &KeyDigest,
    now_ms: u64,
) -> Result<(), Failure> {
    sql.transaction(|| {
        if sql.first("SELECT 1 FROM site", &[])?.is_some() {
            return Err(Failure::Broken("a new site's id is taken".to_owned()));
        }
        sql.run(
            "INSERT INTO site (settings, number, created_ms) VALUES (?, 1, ?)",
            &[serde_json::to_string(settings)?.into(), now_ms.into()],
        )?;
        sql.run(
            "INSERT INTO key (digest, scope, created_ms) VALUES (?, ?, ?)",
            &[key.0.as_str().into(), Scope::Admin.name().into(), now_ms.into()],
        )
    })
}

/// Checks that a key is one of the site's and may do what `needed` names.
pub fn authorize(sql: &impl Sql, key: &KeyDigest, needed: Scope) -> Result<(), Failure> {
    let mut scope = None;
    // Every key is compared, each in constant time, so that the answer's time tells nothing.
    sql.query("SELECT digest, scope FROM key", &[], &mut |mut row| {
        let (digest, granted) = (row.text()?, row.text()?);
        if seal::same(&digest, &key.0) {
            scope = Scope::named(&granted);
        }
        Ok(())
    })?;
    match scope {
        None => Err(Problem::new(Code::Unauthenticated, "the key is not known").into()),
        Some(scope) if scope < needed => {
            let detail = format!("the key's scope is {}", scope.name());
            Err(Problem::new(Code::Forbidden, detail).limit(needed.name()).into())
        }
        Some(_) => Ok(()),
    }
}
