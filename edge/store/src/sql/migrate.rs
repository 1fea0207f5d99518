//! Schemas that grow. Each object stores the version of its schema in a table of its own, migrates to the
//! newest version when it wakes, and refuses a version that it does not know.

use std::cell::Cell;

use asklet_protocol::failure::Failure;
use asklet_shared::problem::{Code, Problem};

use crate::sql::{Sql, Value};

/// The steps of an object's schema, oldest first. A step is a list of statements, and never changes once it is
/// released.
pub type Migrations = &'static [&'static [&'static str]];

/// The schema of an object. It is checked once each time the object wakes.
pub struct Schema {
    migrations: Migrations,
    is_newest: Cell<bool>,
}

impl Schema {
    /// Describes the schema that results from these steps.
    pub fn new(migrations: Migrations) -> Self {
        Self { migrations, is_newest: Cell::new(false) }
    }

    /// Migrates the object to the newest schema. Returns `false` if the object was never set up and `set_up` is
    /// `false`: then nothing is created.
    pub fn wake(&self, sql: &impl Sql, set_up: bool) -> Result<bool, Failure> {
        if !self.is_newest.get() && (set_up || is_set_up(sql)?) {
            migrate(sql, self.migrations)?;
            self.is_newest.set(true);
        }
        Ok(self.is_newest.get())
    }

    /// Whether the object was checked since it woke, and found to be set up.
    pub fn is_awake(&self) -> bool {
        self.is_newest.get()
    }

    /// Notes that the object was emptied, so that its schema is checked again.
    pub fn forget(&self) {
        self.is_newest.set(false);
    }
}

/// Whether the object has ever been set up. The check creates nothing.
fn is_set_up(sql: &impl Sql) -> Result<bool, Failure> {
    Ok(sql.first("SELECT 1 FROM sqlite_master WHERE name = 'schema'", &[])?.is_some())
}

/// Migrates an object to the newest schema, in one transaction. Creates everything in an empty object.
pub fn migrate(sql: &impl Sql, migrations: Migrations) -> Result<(), Failure> {
    sql.transaction(|| {
        let version = if is_set_up(sql)? {
            let row = sql.first("SELECT version FROM schema", &[])?;
            row.ok_or_else(|| Failure::broken("the schema table is empty"))?.integer()?
        } else {
            sql.run("CREATE TABLE schema (version INTEGER NOT NULL) STRICT", &[])?;
            sql.run("INSERT INTO schema VALUES (0)", &[])?;
            0_usize
        };
        if version > migrations.len() {
            return Err(Problem::new(
                Code::NewerSchema,
                "the data was written by a newer release; run that one, or restore a backup",
            )
            .limit(format!("schema {}", migrations.len()))
            .into());
        }
        for statement in migrations.iter().skip(version).copied().flatten() {
            sql.run(statement, &[])?;
        }
        if version < migrations.len() {
            let newest = Value::from(u64::try_from(migrations.len()).unwrap_or(u64::MAX));
            sql.run("UPDATE schema SET version = ?", &[newest])?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::native::Native;

    const FIRST: Migrations = &[&["CREATE TABLE one (a)", "INSERT INTO one VALUES (1)"]];
    const SECOND: Migrations =
        &[FIRST[0], &["ALTER TABLE one ADD COLUMN b", "UPDATE one SET b = a + 1"]];

    #[test]
    fn an_older_object_moves_on_and_keeps_its_data() {
        let sql = Native::default();
        assert!(!is_set_up(&sql).unwrap());
        migrate(&sql, FIRST).unwrap();
        migrate(&sql, SECOND).unwrap();
        migrate(&sql, SECOND).unwrap();
        let mut row = sql.first("SELECT a, b FROM one", &[]).unwrap().unwrap();
        assert_eq!((row.integer().unwrap(), row.integer().unwrap()), (1, 2));
    }

    #[test]
    fn a_newer_object_is_refused_and_left_alone() {
        let sql = Native::default();
        migrate(&sql, SECOND).unwrap();
        let Err(Failure::Problem(problem)) = migrate(&sql, FIRST) else { panic!("accepted") };
        assert_eq!(problem.code, Code::NewerSchema);
        migrate(&sql, SECOND).unwrap();
    }

    #[test]
    fn a_step_that_fails_leaves_nothing_behind() {
        let sql = Native::default();
        const BROKEN: Migrations = &[&["CREATE TABLE one (a)", "CREATE TABLE one (a)"]];
        assert!(migrate(&sql, BROKEN).is_err());
        assert!(!is_set_up(&sql).unwrap());
    }
}
