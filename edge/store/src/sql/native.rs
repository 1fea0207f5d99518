//! The trait [`Sql`] on rusqlite, for tests.

use std::cell::{Cell, RefCell};

use asklet_protocol::failure::Failure;
use rusqlite::types::{Value as Sqlite, ValueRef};

use crate::cipher::SpareKeys;
use crate::sql::{Row, Sql, Value};

/// A database in memory.
pub struct Native {
    connection: rusqlite::Connection,
    in_transaction: Cell<bool>,
    latest_change: Cell<Option<u64>>,
    spare_keys: RefCell<SpareKeys>,
}

impl Default for Native {
    /// Opens an empty database.
    fn default() -> Self {
        Self::on(rusqlite::Connection::open_in_memory().unwrap())
    }
}

impl Native {
    /// Opens a database in a file, with a write-ahead log beside it, as on the platform.
    pub fn in_file(path: &std::path::Path) -> Self {
        let connection = rusqlite::Connection::open(path).unwrap();
        connection.pragma_update(None, "journal_mode", "wal").unwrap();
        connection.pragma_update(None, "synchronous", "off").unwrap();
        Self::on(connection)
    }

    /// Writes the log into the file and truncates the log, as the platform does when an object sleeps.
    pub fn checkpoint(&self) {
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        self.connection.query_row(checkpoint, [], |_| Ok(())).unwrap();
    }

    fn on(connection: rusqlite::Connection) -> Self {
        Self {
            connection,
            in_transaction: Cell::new(false),
            latest_change: Cell::default(),
            spare_keys: RefCell::default(),
        }
    }
}

impl Sql for Native {
    fn query(
        &self,
        sql: &str,
        values: &[Value],
        row: &mut dyn FnMut(Row) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let values = values.iter().map(|value| match value {
            Value::Null => Sqlite::Null,
            Value::Integer(integer) => Sqlite::Integer(*integer),
            Value::Text(text) => Sqlite::Text(text.clone()),
            Value::Blob(bytes) => Sqlite::Blob(bytes.clone()),
        });
        let mut statement = self.connection.prepare_cached(sql)?;
        let columns = statement.column_count();
        let mut found = statement.query(rusqlite::params_from_iter(values))?;
        while let Some(next) = found.next()? {
            let mut read = Vec::with_capacity(columns);
            for column in 0..columns {
                read.push(match next.get_ref(column)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(integer) => Value::Integer(integer),
                    ValueRef::Text(text) => Value::Text(String::from_utf8(text.to_vec()).unwrap()),
                    ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
                    ValueRef::Real(real) => panic!("{real} is no integer"),
                });
            }
            row(Row::new(read))?;
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        let used = "SELECT (page_count - freelist_count) * page_size
             FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
        self.connection.query_row(used, [], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs()
    }

    fn latest_change(&self) -> &Cell<Option<u64>> {
        &self.latest_change
    }

    fn spare_keys(&self) -> &RefCell<SpareKeys> {
        &self.spare_keys
    }

    fn write(&self, sql: &str, values: &[Value]) -> Result<bool, Failure> {
        self.query(sql, values, &mut |_| Ok(()))?;
        Ok(self.connection.changes() > 0)
    }

    fn transaction<T>(&self, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        assert!(!self.in_transaction.replace(true), "a transaction within a transaction");
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        // As on the platform, a panic rolls back the transaction.
        let open = Open(self);
        let result = work();
        if result.is_ok() {
            self.connection.execute_batch("COMMIT")?;
        }
        drop(open);
        result
    }
}

/// A transaction that is rolled back unless it is committed, however it ends.
struct Open<'a>(&'a Native);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !self.0.connection.is_autocommit() {
            self.0.connection.execute_batch("ROLLBACK").unwrap();
        }
        self.0.in_transaction.set(false);
    }
}
