//! What was published, as a shard keeps it: each version that it was pushed or has pulled, and the
//! bodies made from them.

use asklet_shared::body::Body;
use asklet_shared::definition::Published;

use crate::failure::Failure;
use crate::seal;
use crate::sql::{Sql, Value};

/// Keeps a version. Versions are immutable; the origins may have changed since.
pub fn keep(sql: &impl Sql, published: &Published) -> Result<(), Failure> {
    sql.run(
        "REPLACE INTO published (version, json) VALUES (?, ?)",
        &[published.version.into(), serde_json::to_string(published)?.into()],
    )
}

/// A version, if this shard has it.
pub fn find(sql: &impl Sql, version: u32) -> Result<Option<Published>, Failure> {
    let row = sql.first("SELECT json FROM published WHERE version = ?", &[version.into()])?;
    row.map(|mut row| Ok(serde_json::from_str(&row.text()?)?)).transpose()
}

/// The bytes of a body and the digest that is its address.
pub fn body(published: &Published) -> Result<(String, Vec<u8>), Failure> {
    let bytes = Body::of(&published.definition)
        .encode()
        .map_err(|error| Failure::Broken(format!("a body does not encode: {error}")))?;
    let digest = seal::digest(&bytes).chars().take(16).collect();
    Ok((digest, bytes))
}

/// The body with a digest. It is made from the versions when it is first asked for and kept from
/// then on, so that it can still be served when a later release would make other bytes.
pub fn find_body(sql: &impl Sql, digest: &str) -> Result<Option<Vec<u8>>, Failure> {
    let kept = "SELECT bytes FROM body WHERE digest = ?";
    if let Some(mut row) = sql.first(kept, &[digest.into()])? {
        return Ok(Some(row.blob()?));
    }
    let mut versions = Vec::new();
    sql.query("SELECT json FROM published", &[], &mut |mut row| {
        versions.push(serde_json::from_str::<Published>(&row.text()?)?);
        Ok(())
    })?;
    for published in &versions {
        let (made, bytes) = body(published)?;
        if made == digest {
            let values = [Value::from(made), Value::from(bytes.clone())];
            sql.run("REPLACE INTO body (digest, bytes) VALUES (?, ?)", &values)?;
            return Ok(Some(bytes));
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
            "origins": ["https://shop.example"],
            "definition": {
                "name": "Relationship",
                "questions": [{
                    "id": "score",
                    "text": "How likely are you to recommend us?",
                    "answer": {"rating": {"scale": "nps", "low": "Not likely", "high": "Likely"}},
                }],
                "primary": "score",
                "thanks": thanks,
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
        let (digest, bytes) = body(&first).unwrap();
        for _ in 0..2 {
            assert_eq!(find_body(&sql, &digest).unwrap().as_ref(), Some(&bytes));
        }
        assert_ne!(body(&second).unwrap().0, digest);
        assert_eq!(find_body(&sql, "0123456789abcdef").unwrap(), None);
        assert_eq!(find(&sql, 2).unwrap(), Some(second));
    }
}
