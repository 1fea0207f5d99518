//! The trait on a Durable Object's SQLite.

use std::cell::Cell;

use wasm_bindgen::prelude::*;
use worker::{SqlStorage, SqlStorageValue, State};

use super::{Row, Sql, Value};
use crate::failure::Failure;

#[wasm_bindgen]
extern "C" {
    /// The object's storage, for the one method that the `worker` crate does not bind.
    type Storage;

    /// Calls `work` in a transaction: what it throws rolls back and is thrown on.
    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &Storage,
        work: &mut dyn FnMut() -> Result<(), JsValue>,
    ) -> Result<(), JsValue>;
}

/// The database of the object that runs.
pub struct Object {
    sql: SqlStorage,
    storage: JsValue,
    rows_written: Cell<u64>,
}

impl Object {
    /// The database of an object's state.
    pub fn of(state: &State) -> Self {
        let storage = state.storage();
        let (sql, storage) = (storage.sql(), JsValue::from(storage.as_raw()));
        Self { sql, storage, rows_written: Cell::new(0) }
    }

    /// How many rows were written since the object woke, as the platform counts and bills them.
    pub fn rows_written(&self) -> u64 {
        self.rows_written.get()
    }

    /// How large the database is, in bytes.
    pub fn bytes(&self) -> u64 {
        u64::try_from(self.sql.database_size()).unwrap_or(u64::MAX)
    }
}

impl Sql for Object {
    fn query(
        &self,
        sql: &str,
        values: &[Value],
        row: &mut dyn FnMut(Row) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let values = values
            .iter()
            .map(|value| match value {
                Value::Null => SqlStorageValue::Null,
                Value::Integer(integer) => SqlStorageValue::Integer(*integer),
                Value::Text(text) => SqlStorageValue::String(text.clone()),
                Value::Blob(bytes) => SqlStorageValue::Blob(bytes.clone()),
            })
            .collect::<Vec<_>>();
        let cursor = self.sql.exec(sql, values)?;
        for found in cursor.raw() {
            let columns = found?.into_iter().map(|value| match value {
                SqlStorageValue::Null => Ok(Value::Null),
                SqlStorageValue::Boolean(truth) => Ok(Value::Integer(i64::from(truth))),
                SqlStorageValue::Integer(integer) => Ok(Value::Integer(integer)),
                SqlStorageValue::Float(_) => {
                    Err(Failure::Broken("a column holds a number that is no integer".to_owned()))
                }
                SqlStorageValue::String(text) => Ok(Value::Text(text)),
                SqlStorageValue::Blob(bytes) => Ok(Value::Blob(bytes)),
            });
            row(Row::new(columns.collect::<Result<_, _>>()?))?;
        }
        let written = u64::try_from(cursor.rows_written()).unwrap_or(u64::MAX);
        self.rows_written.set(self.rows_written.get().saturating_add(written));
        Ok(())
    }

    fn transaction<T>(&self, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        let mut work = Some(work);
        let mut outcome = None;
        let thrown = self.storage.unchecked_ref::<Storage>().transaction_sync(&mut || {
            let Some(work) = work.take() else {
                return Err(JsValue::from_str("a transaction ran twice"));
            };
            let result = work();
            let committed = if result.is_ok() { Ok(()) } else { Err(JsValue::NULL) };
            outcome = Some(result);
            committed
        });
        match (outcome, thrown) {
            // The work succeeded and the platform could not keep it.
            (Some(Ok(_)) | None, Err(error)) => Err(worker::Error::from(error).into()),
            (Some(result), _) => result,
            (None, Ok(())) => Err(Failure::Broken("a transaction did not run".to_owned())),
        }
    }
}
