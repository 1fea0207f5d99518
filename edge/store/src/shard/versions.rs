//! The published versions that a shard stores: each version that the site sent or that the shard has pulled,
//! the bodies made from them, and the current policy.

use asklet_protocol::failure::Failure;
use asklet_protocol::json;
use asklet_protocol::policy::Policy;
use asklet_shared::definition::Published;

use crate::bodies;
use crate::sql::{Row, Sql, Value};

/// Number of bodies that a shard stores, of all versions, languages and looks.
const BODIES_LIMIT: usize = 1_000;

/// Stores what the site sends: a version with its bodies, and the policy, unless a later policy is stored
/// already. Bodies are made here and nowhere else, so that a request for a body that does not exist costs only
/// one lookup. Bodies of another look or release stay, because pages may still request them, until there are
/// too many bodies.
pub fn keep(sql: &impl Sql, published: &Published, policy: &Policy) -> Result<(), Failure> {
    sql.transaction(|| {
        // Versions are immutable.
        sql.run(
            "REPLACE INTO published (version, json) VALUES (?, ?)",
            &[published.version.into(), serde_json::to_string(published)?.into()],
        )?;
        let made = bodies::of(&published.definition, &policy.look)?;
        let mut kept = sql.first("SELECT count(*) FROM body", &[])?;
        let kept: usize = kept.as_mut().map_or(Ok(0), Row::integer)?;
        if kept + made.len() > BODIES_LIMIT {
            // Pages that still request an earlier body show nothing this once.
            sql.run("DELETE FROM body", &[])?;
        }
        for body in made {
            let values = [Value::from(body.digest), Value::from(body.bytes)];
            sql.run("INSERT OR IGNORE INTO body (digest, bytes) VALUES (?, ?)", &values)?;
        }
        if find_policy(sql)?.is_some_and(|known| known.revision > policy.revision) {
            return Ok(());
        }
        sql.run("DELETE FROM standing", &[])?;
        sql.run(
            "INSERT INTO standing (number, json) VALUES (?, ?)",
            &[policy.revision.into(), serde_json::to_string(policy)?.into()],
        )
    })
}

/// Returns the current policy, if the site ever sent one to this shard.
pub fn find_policy(sql: &impl Sql) -> Result<Option<Policy>, Failure> {
    let row = sql.first("SELECT json FROM standing", &[])?;
    row.map(|mut row| Ok(json::read(&row.text()?)?)).transpose()
}

/// Returns a version, if this shard has it.
pub fn find(sql: &impl Sql, version: u32) -> Result<Option<Published>, Failure> {
    let row = sql.first("SELECT json FROM published WHERE version = ?", &[version.into()])?;
    row.map(|mut row| Ok(json::read(&row.text()?)?)).transpose()
}

/// Returns the number of the latest version that this shard has.
pub fn latest(sql: &impl Sql) -> Result<Option<u32>, Failure> {
    let row = sql.first("SELECT version FROM published ORDER BY version DESC LIMIT 1", &[])?;
    row.map(|mut row| row.integer()).transpose()
}

/// Returns the body with a digest, if it was made.
pub fn find_body(sql: &impl Sql, digest: &str) -> Result<Option<Vec<u8>>, Failure> {
    let row = sql.first("SELECT bytes FROM body WHERE digest = ?", &[digest.into()])?;
    row.map(|mut row| row.blob()).transpose()
}

#[cfg(test)]
mod tests {
    use asklet_shared::settings::Look;

    use super::*;
    use crate::shard::schema::MIGRATIONS;
    use crate::sql::migrate::migrate;
    use crate::sql::native::Native;

    fn published(version: u32, thanks: &str) -> Published {
        let json = serde_json::json!({
            "version": version,
            "definition": {
                "name": "Relationship",
                "language": "en",
                "questions": [{
                    "id": "score",
                    "text": { "en": "Would you recommend us?", "de": "Würden Sie uns empfehlen?" },
                    "answer": {"rating": {"scale": "nps", "low": "Not likely", "high": "Likely"}},
                }],
                "primary": "score",
                "thanks": { "text": thanks },
            },
        });
        serde_json::from_value(json).unwrap()
    }

    fn policy(revision: u64, look: Look) -> Policy {
        Policy { revision, look, ..Policy::default() }
    }

    #[test]
    fn a_version_is_kept_with_its_bodies_and_those_of_before_stay() {
        let sql = Native::default();
        migrate(&sql, MIGRATIONS).unwrap();
        let (first, second) = (published(1, "Thanks!"), published(2, "Thank you!"));
        let plain = Look::default();
        let mut other = Look::default();
        other.notice.privacy_url = Some("https://shop.example/privacy".to_owned());
        keep(&sql, &first, &policy(1, plain.clone())).unwrap();
        keep(&sql, &second, &policy(2, plain.clone())).unwrap();
        keep(&sql, &second, &policy(3, other.clone())).unwrap();
        assert_eq!(find(&sql, 2).unwrap().as_ref(), Some(&second));
        assert_eq!(latest(&sql).unwrap(), Some(2));
        // A request for a body makes nothing.
        sql.run("DELETE FROM published", &[]).unwrap();
        let mut all = Vec::new();
        for (published, look) in [(&first, &plain), (&second, &plain), (&second, &other)] {
            let made = bodies::of(&published.definition, look).unwrap();
            let languages: Vec<_> = made.iter().map(|body| body.language.as_str()).collect();
            assert_eq!(languages, ["en", "de"]);
            for body in made {
                assert_eq!(find_body(&sql, &body.digest).unwrap(), Some(body.bytes));
                all.push(body.digest);
            }
        }
        all.dedup();
        assert_eq!(all.len(), 6);
        assert_eq!(find_body(&sql, "0123456789abcdef").unwrap(), None);
    }

    #[test]
    fn bodies_of_earlier_looks_go_when_there_are_too_many() {
        let sql = Native::default();
        migrate(&sql, MIGRATIONS).unwrap();
        let count = || {
            let row = sql.first("SELECT count(*) FROM body", &[]).unwrap();
            row.unwrap().integer::<usize>().unwrap()
        };
        let mut most = 0;
        for number in 0..600_u64 {
            let mut look = Look::default();
            look.notice.privacy_url = Some(format!("https://shop.example/{number}"));
            keep(&sql, &published(1, "Thanks!"), &policy(number, look.clone())).unwrap();
            most = most.max(count());
            let definition = &published(1, "Thanks!").definition;
            for (_, digest) in bodies::digests(definition, &look).unwrap() {
                assert!(find_body(&sql, &digest).unwrap().is_some(), "what pages are told of now");
            }
        }
        assert_eq!(most, BODIES_LIMIT);
    }

    #[test]
    fn the_policy_with_the_highest_revision_holds() {
        let sql = Native::default();
        migrate(&sql, MIGRATIONS).unwrap();
        keep(&sql, &published(1, "Thanks!"), &policy(2, Look::default())).unwrap();
        keep(&sql, &published(1, "Thanks!"), &policy(1, Look::default())).unwrap();
        assert_eq!(find_policy(&sql).unwrap().unwrap().revision, 2);
    }
}
