//! The schema of a site, and how a site is created.

use asklet_protocol::audit::{Action, AuditEvent, OPERATOR};
use asklet_protocol::failure::Failure;
use asklet_protocol::keys::NewKey;
use asklet_shared::settings::Settings;

use crate::site::{audit, keys};
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
        // The settings as JSON, and the number of changes that shards have to know of.
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
        // Outbox messages: shards that have to take a publication, or to delete everything.
        "CREATE TABLE errand (
            site TEXT NOT NULL,
            survey TEXT NOT NULL,
            shard INTEGER NOT NULL,
            forget INTEGER NOT NULL,
            number INTEGER NOT NULL,
            PRIMARY KEY (survey, shard)
        ) STRICT, WITHOUT ROWID",
    ],
    &[
        // Before this step, a site had one key.
        "CREATE TABLE key_3 (
            id TEXT PRIMARY KEY,
            digest TEXT NOT NULL,
            name TEXT NOT NULL,
            scope TEXT NOT NULL,
            created_ms INTEGER NOT NULL,
            last_day INTEGER
        ) STRICT, WITHOUT ROWID",
        "INSERT INTO key_3 SELECT 'first', digest, 'first', 'admin', created_ms, NULL FROM key",
        "DROP TABLE key",
        "ALTER TABLE key_3 RENAME TO key",
        "CREATE TABLE audit (
            seq INTEGER PRIMARY KEY,
            at_ms INTEGER NOT NULL,
            who TEXT NOT NULL,
            action TEXT NOT NULL,
            survey TEXT,
            target TEXT,
            detail TEXT
        ) STRICT",
        // The days since the Unix epoch on which the tag ran on pages of an origin.
        "CREATE TABLE install (
            origin TEXT PRIMARY KEY,
            first_day INTEGER NOT NULL,
            last_day INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID",
        // The directives of the pages' policies that blocked the tag.
        "CREATE TABLE install_problem (
            origin TEXT NOT NULL,
            directive TEXT NOT NULL,
            last_day INTEGER NOT NULL,
            PRIMARY KEY (origin, directive)
        ) STRICT, WITHOUT ROWID",
    ],
    &[
        // The surveys that were migrated here, with their ids in the old deployment.
        "CREATE TABLE moved (
            old TEXT PRIMARY KEY,
            new TEXT NOT NULL
        ) STRICT, WITHOUT ROWID",
    ],
    &[
        // This table has a row while a migration to this deployment is incomplete.
        "CREATE TABLE moving (began INTEGER NOT NULL) STRICT",
    ],
    &[
        // Whether the site lists the origin. Before this step, only listed origins were stored.
        "ALTER TABLE install ADD COLUMN listed INTEGER NOT NULL DEFAULT 1",
        // The class of an entry, within which it is displaced (see `audit::Class`), and its number in the
        // class.
        "ALTER TABLE audit ADD COLUMN class INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE audit ADD COLUMN number INTEGER NOT NULL DEFAULT 0",
        "UPDATE audit SET class = 1
         WHERE action IN ('exclude', 'include', 'delete_response', 'import')",
        "UPDATE audit SET number = numbered.number
         FROM (SELECT seq, row_number() OVER (PARTITION BY class ORDER BY seq) AS number
            FROM audit) AS numbered
         WHERE numbered.seq = audit.seq",
        "CREATE INDEX audit_number ON audit (class, number)",
        // Changes that shards are about to make, see `intents`.
        "CREATE TABLE audit_intent (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at_ms INTEGER NOT NULL,
            who TEXT NOT NULL,
            action TEXT NOT NULL,
            survey TEXT,
            target TEXT
        ) STRICT",
    ],
    &[
        // How often the previews of the draft were revoked.
        "ALTER TABLE survey ADD COLUMN previews INTEGER NOT NULL DEFAULT 0",
    ],
    &[
        // Whether the team has the survey refuse all displays.
        "ALTER TABLE survey ADD COLUMN refuses INTEGER NOT NULL DEFAULT 0",
    ],
    &[
        // Requests that were carried out, see `requests`. A migration leaves them behind: nobody repeats a
        // request in another deployment.
        "CREATE TABLE request (
            seq INTEGER PRIMARY KEY,
            who TEXT NOT NULL,
            key TEXT NOT NULL,
            digest TEXT NOT NULL,
            answer TEXT,
            at_ms INTEGER NOT NULL,
            UNIQUE (who, key)
        ) STRICT",
    ],
];

/// Sets up a site with its first key.
pub fn create(
    sql: &impl Sql,
    settings: &Settings,
    key: &NewKey,
    now_ms: u64,
) -> Result<(), Failure> {
    sql.transaction(|| {
        if sql.first("SELECT 1 FROM site", &[])?.is_some() {
            return Err(Failure::broken("a new site's id is taken"));
        }
        sql.run(
            "INSERT INTO site (settings, number, created_ms) VALUES (?, 1, ?)",
            &[serde_json::to_string(settings)?.into(), now_ms.into()],
        )?;
        keys::add(sql, key)?;
        let made = AuditEvent::new(Action::CreateSite).at(&key.id);
        audit::add(sql, OPERATOR, &made, now_ms)
    })
}
