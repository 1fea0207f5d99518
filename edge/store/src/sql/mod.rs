//! SQLite behind one small trait, so that all storage logic runs natively in tests as it runs in a Durable
//! Object.

pub mod dump;
pub mod migrate;
#[cfg(test)]
pub mod native;

use std::cell::{Cell, RefCell};

use asklet_protocol::failure::Failure;

use crate::cipher::SpareKeys;

/// A value that is written to SQLite or read from it. Integers stay below 2^53, because numbers pass through
/// JavaScript.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// An integer.
    Integer(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// The database of one object.
pub trait Sql {
    /// Runs a statement and calls `row` with each row of its result.
    fn query(
        &self,
        sql: &str,
        values: &[Value],
        row: &mut dyn FnMut(Row) -> Result<(), Failure>,
    ) -> Result<(), Failure>;

    /// Runs `work` in one transaction: all of it is stored, or nothing if it fails.
    fn transaction<T>(&self, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure>;

    /// Returns the number of the latest change, once it was looked up. It is remembered as long as the object
    /// is awake. See `shard::changes`.
    fn latest_change(&self) -> &Cell<Option<u64>>;

    /// Returns the keys that no display has yet. See `shard::display_keys`.
    fn spare_keys(&self) -> &RefCell<SpareKeys>;

    /// Returns the size of the used part of the database in bytes, without the free pages.
    fn bytes(&self) -> u64;

    /// Runs a statement that returns no rows. Returns whether it wrote any.
    fn write(&self, sql: &str, values: &[Value]) -> Result<bool, Failure>;

    /// Runs a statement that returns no rows.
    fn run(&self, sql: &str, values: &[Value]) -> Result<(), Failure> {
        self.write(sql, values).map(drop)
    }

    /// Returns the first row of a result.
    fn first(&self, sql: &str, values: &[Value]) -> Result<Option<Row>, Failure> {
        let mut first = None;
        self.query(sql, values, &mut |row| {
            first.get_or_insert(row);
            Ok(())
        })?;
        Ok(first)
    }
}

/// One row of a result. Its columns are read from the first to the last.
#[derive(Debug)]
pub struct Row(std::vec::IntoIter<Value>);

impl Row {
    /// Makes a row of these columns.
    pub fn new(columns: Vec<Value>) -> Self {
        Self(columns.into_iter())
    }

    /// Returns all columns.
    pub fn values(self) -> impl Iterator<Item = Value> {
        self.0
    }

    /// Returns the next column, whatever it holds.
    pub fn value(&mut self) -> Result<Value, Failure> {
        self.0.next().ok_or_else(|| Failure::broken("a row has fewer columns than read"))
    }

    /// Returns the next column as an integer of the requested type.
    pub fn integer<T: TryFrom<i64>>(&mut self) -> Result<T, Failure> {
        match self.value()? {
            Value::Integer(integer) => T::try_from(integer)
                .map_err(|_| Failure::broken(format!("{integer} is out of the column's range"))),
            other => Err(mismatch("an integer", &other)),
        }
    }

    /// Returns the next column as a boolean, which is stored as 0 or 1.
    pub fn boolean(&mut self) -> Result<bool, Failure> {
        Ok(self.integer::<i64>()? != 0)
    }

    /// Returns the next column as a text.
    pub fn text(&mut self) -> Result<String, Failure> {
        match self.value()? {
            Value::Text(text) => Ok(text),
            other => Err(mismatch("a text", &other)),
        }
    }

    /// Returns the next column as a text or nothing.
    pub fn optional_text(&mut self) -> Result<Option<String>, Failure> {
        match self.value()? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            other => Err(mismatch("a text or nothing", &other)),
        }
    }

    /// Returns the next column as an integer of the requested type, or nothing.
    pub fn optional_integer<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, Failure> {
        if let [Value::Null, ..] = self.0.as_slice() {
            return self.value().map(|_| None);
        }
        self.integer().map(Some)
    }

    /// Returns the next column as bytes.
    pub fn blob(&mut self) -> Result<Vec<u8>, Failure> {
        match self.value()? {
            Value::Blob(bytes) => Ok(bytes),
            other => Err(mismatch("bytes", &other)),
        }
    }

    /// Returns the next column as bytes or nothing.
    pub fn optional_blob(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        match self.value()? {
            Value::Null => Ok(None),
            Value::Blob(bytes) => Ok(Some(bytes)),
            other => Err(mismatch("bytes or nothing", &other)),
        }
    }
}

fn mismatch(expected: &str, found: &Value) -> Failure {
    let found = match found {
        Value::Null => "null",
        Value::Integer(_) => "an integer",
        Value::Text(_) => "a text",
        Value::Blob(_) => "bytes",
    };
    Failure::broken(format!("a column holds {found} where {expected} was expected"))
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Integer(i64::from(truth))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<u64> for Value {
    /// Converts times and counts. They are far below the largest integer, which represents any number that does
    /// not fit.
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}
