//! The schema of a `Survey` object.

use super::display_keys;
use crate::sql::migrate::Migrations;

/// The schema of a `Survey` object.
pub const MIGRATIONS: Migrations = &[
    &[
        // The published versions, each as the JSON that the site sent.
        "CREATE TABLE published (version INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT",
        // Bodies as they were first made, so that a page with an older release finds its body.
        "CREATE TABLE body (digest TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID",
        "CREATE TABLE display (
            id BLOB PRIMARY KEY,
            revision INTEGER NOT NULL,
            version INTEGER NOT NULL,
            stage INTEGER NOT NULL,
            dismissed INTEGER NOT NULL,
            channel TEXT NOT NULL,
            language TEXT NOT NULL,
            page TEXT NOT NULL,
            answers TEXT NOT NULL,
            shown_ms INTEGER NOT NULL,
            received_ms INTEGER NOT NULL,
            astray INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID",
        // One row for each UTC day, question, dimension and value.
        "CREATE TABLE counter (
            day INTEGER NOT NULL,
            question TEXT NOT NULL,
            dimension TEXT NOT NULL,
            value TEXT NOT NULL,
            packed BLOB NOT NULL,
            PRIMARY KEY (day, question, dimension, value)
        ) STRICT, WITHOUT ROWID",
        // The counters contain displays shown before this time; displays shown since then are the tail.
        "CREATE TABLE folded (until_ms INTEGER NOT NULL) STRICT",
        "INSERT INTO folded VALUES (0)",
    ],
    &[
        "CREATE TABLE display_2 (
            id BLOB PRIMARY KEY,
            revision INTEGER NOT NULL,
            stage INTEGER NOT NULL,
            dismissed INTEGER NOT NULL,
            shown_ms INTEGER NOT NULL,
            received_ms INTEGER NOT NULL,
            astray INTEGER NOT NULL,
            excluded TEXT,
            respondent TEXT,
            facts TEXT NOT NULL,
            personal TEXT
        ) STRICT, WITHOUT ROWID",
        "INSERT INTO display_2
         SELECT id, revision, stage, dismissed, shown_ms, received_ms, astray, NULL, NULL,
            json_object(
                'version', version, 'channel', channel, 'language', language, 'page', page,
                'answers', json((SELECT json_group_object(key, iif(type = 'text', '', value))
                    FROM json_each(display.answers)))),
            json_object(
                'texts', json((SELECT json_group_object(key, value)
                    FROM json_each(display.answers) WHERE type = 'text')))
         FROM display",
        "DROP TABLE display",
        "ALTER TABLE display_2 RENAME TO display",
        // The few displays whose keys do not show when they were shown.
        "CREATE INDEX astray ON display (id) WHERE astray = 1",
        // Counters in the order in which they are read, and of more dimensions than before.
        "DROP TABLE counter",
        "CREATE TABLE counter (
            question TEXT NOT NULL,
            dimension TEXT NOT NULL,
            day INTEGER NOT NULL,
            value TEXT NOT NULL,
            packed BLOB NOT NULL,
            PRIMARY KEY (question, dimension, day, value)
        ) STRICT, WITHOUT ROWID",
        // Whether the counters must be counted again, and the times before which unanswered displays were
        // dropped and people were forgotten.
        "ALTER TABLE folded ADD COLUMN recount INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE folded ADD COLUMN dropped_ms INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE folded ADD COLUMN forgotten_ms INTEGER NOT NULL DEFAULT 0",
        "UPDATE folded SET until_ms = 0",
        // The current policy, as the JSON that the site sent.
        "CREATE TABLE standing (number INTEGER NOT NULL, json TEXT NOT NULL) STRICT",
        // The values of traits that are distinguished.
        "CREATE TABLE trait_value (trait TEXT NOT NULL, value TEXT NOT NULL,
            PRIMARY KEY (trait, value)) STRICT, WITHOUT ROWID",
    ],
    &[
        // Whether the site's server vouched for a value.
        "ALTER TABLE trait_value ADD COLUMN verified INTEGER NOT NULL DEFAULT 0",
        // From this step on, respondents are counted by the hour, and displays for which nobody can observe
        // that they come into view are counted separately. The second schema is younger than the 31 days after
        // which retention drops anything, so the recount loses nothing.
        "UPDATE folded SET recount = 1",
    ],
    &[
        // The number of each display's last change.
        "ALTER TABLE display ADD COLUMN seq INTEGER NOT NULL DEFAULT 0",
        "UPDATE display SET seq = numbered.seq
         FROM (SELECT id, row_number() OVER (ORDER BY id) AS seq FROM display) AS numbered
         WHERE numbered.id = display.id",
        // The numbers of the displays that the counters cover, see `changes`.
        "CREATE TABLE change (seq INTEGER PRIMARY KEY, id BLOB NOT NULL) STRICT",
        "INSERT INTO change (seq, id) SELECT seq, id FROM display
         WHERE (stage >= 2 OR excluded = '')
            AND (astray = 1 OR shown_ms < (SELECT until_ms FROM folded))",
        // Whether removed texts may still be on the disk, and the largest size that the database ever had.
        "ALTER TABLE folded ADD COLUMN unwashed INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE folded ADD COLUMN peak_bytes INTEGER NOT NULL DEFAULT 0",
    ],
    &[
        // The few displays whose keys do not show when they arrived, see `LATE`.
        "CREATE INDEX late ON display (received_ms, id)
            WHERE (astray = 1 OR received_ms > shown_ms + 1200000)",
    ],
    &[
        display_keys::CREATE[0],
        display_keys::CREATE[1],
        "ALTER TABLE display ADD COLUMN key_number INTEGER",
        "ALTER TABLE display ADD COLUMN sealed BLOB",
        // State of this file only. A migration leaves it behind: see `storage`.
        "CREATE TABLE storage (peak_bytes INTEGER NOT NULL, unsealed INTEGER NOT NULL) STRICT",
        "INSERT INTO storage SELECT coalesce(max(peak_bytes), 0),
            coalesce(max(peak_bytes), 0) > 0 OR EXISTS (SELECT 1 FROM display) FROM folded",
        "ALTER TABLE folded DROP COLUMN peak_bytes",
        "ALTER TABLE folded DROP COLUMN unwashed",
    ],
    &[
        // A display that arrives behind the watermark is counted later, together with others, in the order of
        // reception. Before this step it was counted at once.
        "ALTER TABLE display ADD COLUMN deferred INTEGER NOT NULL DEFAULT 0",
        "UPDATE display SET deferred = 1 WHERE astray = 1",
        "ALTER TABLE folded ADD COLUMN received_until_ms INTEGER NOT NULL DEFAULT 0",
        "UPDATE folded SET received_until_ms = coalesce(
            (SELECT max(received_ms) + 1 FROM display WHERE deferred = 1), 0)",
        // Number of displays that the counters cover.
        "ALTER TABLE folded ADD COLUMN displays INTEGER NOT NULL DEFAULT 0",
        "UPDATE folded SET displays =
            (SELECT count(*) FROM display WHERE deferred = 1 OR shown_ms < until_ms)",
        "DROP INDEX late",
        "CREATE INDEX late ON display (received_ms, id)
            WHERE (deferred = 1 OR received_ms > shown_ms + 1200000)",
    ],
];
