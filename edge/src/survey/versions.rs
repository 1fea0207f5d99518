//! What was published, as a shard keeps it: each version that it was pushed or has pulled, the bodies
//! made from them, and what holds now.

use asklet_shared::body::Body;
use asklet_shared::definition::{Definition, Published};
use asklet_shared::settings::Look;

use crate::failure::Failure;
use crate::json;
use crate::seal;
use crate::sql::{Sql, Value};
use crate::standing::Standing;

/// Keeps what holds now, unless something later is known.
pub fn keep_standing(sql: &impl Sql, standing: &Standing) -> Result<(), Failure> {
    sql.transaction(|| {
        if find_standing(sql)?.is_some_and(|known| known.number > standing.number) {
            return Ok(());
        }
        sql.run("DELETE FROM standing", &[])?;
        sql.run(
            "INSERT INTO standing (number, json) VALUES (?, ?)",
            &[standing.number.into(), serde_json::to_string(standing)?.into()],
        )
    })
}

/// What holds now, if this shard was ever told.
pub fn find_standing(sql: &impl Sql) -> Result<Option<Standing>, Failure> {
    let row = sql.first("SELECT json FROM standing", &[])?;
    row.map(|mut row| Ok(json::read(&row.text()?)?)).transpose()
}

/// Keeps a version. Versions are immutable.
pub fn keep(sql: &impl Sql, published: &Published) -> Result<(), Failure> {
    sql.run(
        "REPLACE INTO published (version, json) VALUES (?, ?)",
        &[published.version.into(), serde_json::to_string(published)?.into()],
    )
}

/// A version, if this shard has it.
pub fn find(sql: &impl Sql, version: u32) -> Result<Option<Published>, Failure> {
    let row = sql.first("SELECT json FROM published WHERE version = ?", &[version.into()])?;
    row.map(|mut row| Ok(json::read(&row.text()?)?)).transpose()
}

/// The number of the latest version that this shard has.
pub fn latest(sql: &impl Sql) -> Result<Option<u32>, Failure> {
    let row = sql.first("SELECT version FROM published ORDER BY version DESC LIMIT 1", &[])?;
    row.map(|mut row| row.integer()).transpose()
}

/// A body in one language, as it travels.
struct EncodedBody {
    language: String,
    /// Its address.
    digest: String,
    bytes: Vec<u8>,
}

/// The bodies of a definition, one in each language that it speaks, its own first, as the site looks.
fn bodies(definition: &Definition, look: &Look) -> Result<Vec<EncodedBody>, Failure> {
    let encode = |language: &str| {
        let bytes = encode(definition, look, language)?;
        let digest = seal::short_digest(&bytes);
        Ok(EncodedBody { language: language.to_owned(), digest, bytes })
    };
    definition.languages().into_iter().map(encode).collect()
}

/// The body of a definition in one language, as it travels.
pub fn encode(definition: &Definition, look: &Look, language: &str) -> Result<Vec<u8>, Failure> {
    let bytes = Body::of(definition, look, language).encode();
    bytes.map_err(|error| Failure::Broken(format!("a body does not encode: {error}")))
}

/// The languages of a definition, its own first, with the digests of their bodies.
pub fn digests(definition: &Definition, look: &Look) -> Result<Vec<(String, String)>, Failure> {
    let bodies = bodies(definition, look)?.into_iter();
    Ok(bodies.map(|body| (body.language, body.digest)).collect())
}

/// The body with a digest. It is made from the versions, as the site looks now, when it is first asked
/// for, and kept from then on, so that it can still be served when another look or a later release
/// would make other bytes.
pub fn find_body(sql: &impl Sql, digest: &str) -> Result<Option<Vec<u8>>, Failure> {
    let kept = "SELECT bytes FROM body WHERE digest = ?";
    if let Some(mut row) = sql.first(kept, &[digest.into()])? {
        return Ok(Some(row.blob()?));
    }
    let look = find_standing(sql)?.map(|standing| standing.look).unwrap_or_default();
    let mut versions = Vec::new();
    sql.query("SELECT json FROM published", &[], &mut |mut row| {
        versions.push(json::read::<Published>(&row.text()?)?);
        Ok(())
    })?;
    for published in &versions {
        let mut made = bodies(&published.definition, &look)?.into_iter();
        if let Some(body) = made.find(|body| body.digest == digest) {
            let values = [Value::from(body.digest), Value::from(body.bytes.clone())];
            sql.run("REPLACE INTO body (digest, bytes) VALUES (?, ?)", &values)?;
            return Ok(Some(body.bytes));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::migrate::migrate;
    use crate::sql::native::Native;
    use crate::survey::log::MIGRATIONS;

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

    #[test]
    fn a_body_of_an_earlier_version_stays_readable() {
        let sql = Native::new();
        migrate(&sql, MIGRATIONS).unwrap();
        let (first, second) = (published(1, "Thanks!"), published(2, "Thank you!"));
        keep(&sql, &first).unwrap();
        keep(&sql, &second).unwrap();
        let made = bodies(&first.definition, &Look::default()).unwrap();
        assert_eq!(
            made.iter().map(|body| body.language.as_str()).collect::<Vec<_>>(),
            ["en", "de"]
        );
        for body in &made {
            for _ in 0..2 {
                assert_eq!(find_body(&sql, &body.digest).unwrap().as_ref(), Some(&body.bytes));
            }
        }
        assert_ne!(bodies(&second.definition, &Look::default()).unwrap()[0].digest, made[0].digest);
        assert_eq!(find_body(&sql, "0123456789abcdef").unwrap(), None);
        assert_eq!(find(&sql, 2).unwrap(), Some(second));
        assert_eq!(latest(&sql).unwrap(), Some(2));
    }
}
