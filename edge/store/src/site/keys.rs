//! The keys of a site. Only their digests are stored, and each digest is compared in constant time.

use asklet_protocol::failure::Failure;
use asklet_protocol::keys::{KeyDigest, KeyRecord, NewKey};
use asklet_protocol::seal;
use asklet_shared::period;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::scope::Scope;
use asklet_shared::time::DAY_MS;

use crate::sql::{Row, Sql};

/// Number of keys that a site can have. Each call compares all of them.
const KEYS_LIMIT: usize = 50;

const COLUMNS: &str = "SELECT id, name, scope, created_ms, last_day FROM key";

/// Lists all keys, oldest first.
pub fn list(sql: &impl Sql) -> Result<Vec<KeyRecord>, Failure> {
    let mut keys = Vec::new();
    sql.query(&format!("{COLUMNS} ORDER BY created_ms, id"), &[], &mut |mut row| {
        keys.push(record(&mut row)?);
        Ok(())
    })?;
    Ok(keys)
}

/// Stores another key.
pub fn add(sql: &impl Sql, key: &NewKey) -> Result<(), Failure> {
    if list(sql)?.len() >= KEYS_LIMIT {
        let detail = "revoke a key that is not used first";
        let problem = Problem::new(Code::TooManyKeys, detail);
        return Err(problem.limit(format!("{KEYS_LIMIT} keys")).into());
    }
    sql.run(
        "INSERT INTO key (id, digest, name, scope, created_ms) VALUES (?, ?, ?, ?, ?)",
        &[
            key.id.as_str().into(),
            key.digest.0.as_str().into(),
            key.name.as_str().into(),
            key.scope.name().into(),
            key.created_ms.into(),
        ],
    )
}

/// Removes a key. Refuses to remove the last admin key, because nobody could then make another key.
pub fn remove(sql: &impl Sql, id: &str) -> Result<(), Failure> {
    let key = find(sql, id)?;
    let admins = list(sql)?.iter().filter(|key| key.scope == Scope::Admin).count();
    if key.scope == Scope::Admin && admins == 1 {
        let detail = "make another admin key first";
        return Err(Problem::new(Code::LastAdminKey, detail).into());
    }
    sql.run("DELETE FROM key WHERE id = ?", &[id.into()])
}

fn find(sql: &impl Sql, id: &str) -> Result<KeyRecord, Failure> {
    match sql.first(&format!("{COLUMNS} WHERE id = ?"), &[id.into()])? {
        Some(mut row) => record(&mut row),
        None => Err(Problem::new(Code::NotFound, "there is no such key").into()),
    }
}

fn record(row: &mut Row) -> Result<KeyRecord, Failure> {
    Ok(KeyRecord {
        id: row.text()?,
        name: row.text()?,
        scope: scope(&row.text()?)?,
        created_ms: row.integer()?,
        last_used: row.optional_integer()?.map(period::day),
    })
}

fn scope(name: &str) -> Result<Scope, Failure> {
    Scope::named(name).ok_or_else(|| Failure::broken("a stored key has no valid scope"))
}

/// Returns the id of a key, if the key belongs to the site.
pub fn find_id(sql: &impl Sql, key: &KeyDigest) -> Result<Option<String>, Failure> {
    let mut found = None;
    sql.query("SELECT digest, id FROM key", &[], &mut |mut row| {
        if seal::same(&row.text()?, &key.0) {
            found = Some(row.text()?);
        }
        Ok(())
    })?;
    Ok(found)
}

/// Checks that a key belongs to the site and has at least the scope `needed`. Returns its id, and stores the
/// day of its use: one written row per key and day.
pub fn authorize(
    sql: &impl Sql,
    key: &KeyDigest,
    needed: Scope,
    now_ms: u64,
) -> Result<String, Failure> {
    let mut found = None;
    // Every key is compared in constant time, so that the response time reveals nothing.
    sql.query("SELECT digest, id, scope, last_day FROM key", &[], &mut |mut row| {
        if seal::same(&row.text()?, &key.0) {
            found = Some((row.text()?, scope(&row.text()?)?, row.optional_integer::<u64>()?));
        }
        Ok(())
    })?;
    let Some((id, granted, last_day)) = found else {
        return Err(Problem::new(Code::Unauthenticated, "the key is not known").into());
    };
    let today = now_ms / DAY_MS;
    if last_day != Some(today) {
        let used = "UPDATE key SET last_day = ? WHERE id = ?";
        sql.run(used, &[today.into(), id.as_str().into()])?;
    }
    if granted < needed {
        let detail = format!("the key's scope is {}", granted.name());
        return Err(Problem::new(Code::ScopeTooSmall, detail).limit(needed.name()).into());
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::schema::MIGRATIONS;
    use crate::site::tests::{code, key, site};
    use crate::sql::migrate::migrate;
    use crate::sql::native::Native;

    fn digest(secret: &str) -> KeyDigest {
        KeyDigest(seal::digest(secret.as_bytes()))
    }

    #[test]
    fn a_key_is_known_by_its_digest_and_does_what_its_scope_says() {
        let (sql, ..) = site();
        add(&sql, &key("k2", "writer", Scope::Write)).unwrap();
        assert_eq!(authorize(&sql, &digest("secret"), Scope::Admin, 3).unwrap(), "k1");
        assert_eq!(authorize(&sql, &digest("writer"), Scope::Read, 3).unwrap(), "k2");
        assert_eq!(authorize(&sql, &digest("writer"), Scope::Write, 3).unwrap(), "k2");
        let refused = authorize(&sql, &digest("writer"), Scope::Admin, 3);
        assert_eq!(code(refused), Code::ScopeTooSmall);
        let unknown = authorize(&sql, &digest("guess"), Scope::Read, 3);
        assert_eq!(code(unknown), Code::Unauthenticated);
        remove(&sql, "k2").unwrap();
        let revoked = authorize(&sql, &digest("writer"), Scope::Read, 3);
        assert_eq!(code(revoked), Code::Unauthenticated);
    }

    #[test]
    fn the_day_of_the_last_use_is_written_once_a_day() {
        let (sql, ..) = site();
        let last_used = || list(&sql).unwrap()[0].last_used.clone();
        assert_eq!(last_used(), None);
        let changes = || {
            let mut row = sql.first("SELECT total_changes()", &[]).unwrap().unwrap();
            row.integer::<u64>().unwrap()
        };
        let day = 20_779 * DAY_MS;
        let mut written = Vec::new();
        for at_ms in [day, day + 1, day + DAY_MS - 1, day + DAY_MS] {
            let before = changes();
            authorize(&sql, &digest("secret"), Scope::Read, at_ms).unwrap();
            written.push((changes() - before, last_used().unwrap()));
        }
        let first = "2026-11-22".to_owned();
        let expected =
            [(1, first.clone()), (0, first.clone()), (0, first), (1, "2026-11-23".into())];
        assert_eq!(written, expected);
    }

    #[test]
    fn the_last_admin_key_stays_and_there_are_fifty_at_most() {
        let (sql, ..) = site();
        add(&sql, &key("k2", "reader", Scope::Read)).unwrap();
        assert_eq!(code(remove(&sql, "k1")), Code::LastAdminKey);
        add(&sql, &key("k3", "another", Scope::Admin)).unwrap();
        remove(&sql, "k1").unwrap();
        assert_eq!(code(remove(&sql, "k1")), Code::NotFound);
        assert_eq!(code(remove(&sql, "k3")), Code::LastAdminKey);
        for number in 2..50 {
            let id = format!("n{number}");
            add(&sql, &key(&id, &id, Scope::Read)).unwrap();
        }
        assert_eq!(code(add(&sql, &key("more", "more", Scope::Admin))), Code::TooManyKeys);
        assert_eq!(list(&sql).unwrap().len(), 50);
    }

    #[test]
    fn the_one_key_of_an_earlier_schema_goes_on_as_the_first_admin_key() {
        let sql = Native::default();
        migrate(&sql, &MIGRATIONS[..2]).unwrap();
        let digest = digest("secret");
        let old = "INSERT INTO key (digest, scope, created_ms) VALUES (?, 'admin', 7)";
        sql.run(old, &[digest.0.as_str().into()]).unwrap();
        migrate(&sql, MIGRATIONS).unwrap();
        assert_eq!(authorize(&sql, &digest, Scope::Admin, 8).unwrap(), "first");
        let key = list(&sql).unwrap().remove(0);
        assert_eq!((key.name.as_str(), key.scope, key.created_ms), ("first", Scope::Admin, 7));
    }
}
