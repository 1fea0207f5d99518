//! Implements the trait [`Sql`] on a Durable Object's SQLite.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use asklet_protocol::failure::Failure;
use asklet_store::cipher::SpareKeys;
use asklet_store::sql::{Row, Sql, Value};
use wasm_bindgen::prelude::*;
use worker::State;
use worker::js_sys::{Array, ArrayBuffer, Number, Uint8Array};
use worker::worker_sys::SqlStorageCursor;

#[wasm_bindgen]
extern "C" {
    /// The object's storage. It is bound here for the one method that the `worker` crate does not bind.
    #[derive(Clone)]
    type Storage;

    /// The storage's database.
    #[derive(Clone)]
    type Database;

    #[wasm_bindgen(method, getter)]
    fn sql(this: &Storage) -> Database;

    /// Size of the database in bytes.
    #[wasm_bindgen(method, getter, js_name = databaseSize)]
    fn size(this: &Database) -> f64;

    /// Runs a statement as far as the first row of its result.
    #[wasm_bindgen(method, catch, variadic)]
    fn exec(
        this: &Database,
        statement: &JsValue,
        values: &Array,
    ) -> Result<SqlStorageCursor, JsValue>;

    /// Calls `work` in a transaction. If `work` throws, the transaction is rolled back and the error is thrown
    /// again.
    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &Storage,
        work: &mut dyn FnMut() -> Result<(), JsValue>,
    ) -> Result<(), JsValue>;
}

/// Maximum number of statements that are remembered. Filters make new statements, so at this number all are
/// forgotten.
const STATEMENTS_LIMIT: usize = 100;

/// The database of the running object.
pub struct Object {
    storage: Storage,
    database: Database,
    /// Statements that ran since the object woke, as JavaScript strings.
    statements: RefCell<HashMap<String, JsValue>>,
    /// Number of rows written since the object woke.
    rows_written: Cell<u64>,
    latest_change: Cell<Option<u64>>,
    spare_keys: RefCell<SpareKeys>,
}

impl Object {
    /// Opens the database of the object that has this state.
    pub fn of(state: &State) -> Self {
        let storage = JsValue::from(state.storage().as_raw()).unchecked_into::<Storage>();
        Self {
            database: storage.sql(),
            storage,
            statements: RefCell::default(),
            rows_written: Cell::new(0),
            latest_change: Cell::new(None),
            spare_keys: RefCell::default(),
        }
    }

    /// Number of rows written since the object woke, as the platform counts and bills them.
    pub fn rows_written(&self) -> u64 {
        self.rows_written.get()
    }

    fn exec(&self, sql: &str, values: &[Value]) -> Result<SqlStorageCursor, Failure> {
        #[cfg(feature = "faults")]
        crate::platform::faults::pass();
        let array = Array::new();
        for value in values {
            array.push(&match value {
                Value::Null => JsValue::NULL,
                Value::Integer(integer) => JsValue::from_f64(number(*integer)?),
                Value::Text(text) => JsValue::from_str(text),
                Value::Blob(bytes) => Uint8Array::from(bytes.as_slice()).into(),
            });
        }
        let mut statements = self.statements.borrow_mut();
        if statements.len() >= STATEMENTS_LIMIT {
            statements.clear();
        }
        let cursor = match statements.get(sql) {
            Some(statement) => self.database.exec(statement, &array),
            None => {
                let statement = JsValue::from_str(sql);
                let cursor = self.database.exec(&statement, &array);
                statements.insert(sql.to_owned(), statement);
                cursor
            }
        };
        Ok(cursor.map_err(worker::Error::from)?)
    }
}

impl Sql for Object {
    fn query(
        &self,
        sql: &str,
        values: &[Value],
        row: &mut dyn FnMut(Row) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        for found in self.exec(sql, values)?.raw() {
            let columns = Array::from(&found.map_err(worker::Error::from)?);
            row(Row::new(columns.iter().map(value).collect::<Result<_, _>>()?))?;
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        count(self.database.size())
    }

    fn latest_change(&self) -> &Cell<Option<u64>> {
        &self.latest_change
    }

    fn spare_keys(&self) -> &RefCell<SpareKeys> {
        &self.spare_keys
    }

    fn write(&self, sql: &str, values: &[Value]) -> Result<bool, Failure> {
        let written = count(self.exec(sql, values)?.rows_written());
        self.rows_written.set(self.rows_written.get().saturating_add(written));
        Ok(written > 0)
    }

    fn transaction<T>(&self, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        let mut work = Some(work);
        let mut outcome = None;
        let thrown = self.storage.transaction_sync(&mut || {
            let Some(work) = work.take() else {
                return Err(JsValue::from_str("a transaction ran twice"));
            };
            let result = work();
            let committed = if result.is_ok() { Ok(()) } else { Err(JsValue::NULL) };
            outcome = Some(result);
            committed
        });
        match (outcome, thrown) {
            // The work succeeded, but the platform could not commit it.
            (Some(Ok(_)) | None, Err(error)) => Err(worker::Error::from(error).into()),
            (Some(result), _) => result,
            (None, Ok(())) => Err(Failure::broken("a transaction did not run")),
        }
    }
}

/// Converts a count from a JavaScript number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
fn count(number: f64) -> u64 {
    number as u64
}

/// Converts an integer to a JavaScript number.
fn number(integer: i64) -> Result<f64, Failure> {
    let out_of_range = || Failure::broken(format!("{integer} does not pass through JavaScript"));
    let within = integer.unsigned_abs() < 1 << 53;
    #[expect(clippy::cast_precision_loss, reason = "below 2^53 nothing is lost")]
    within.then_some(integer as f64).ok_or_else(out_of_range)
}

/// Converts a value of a row.
fn value(found: JsValue) -> Result<Value, Failure> {
    if found.is_null() {
        return Ok(Value::Null);
    }
    if let Some(number) = found.as_f64() {
        #[expect(clippy::cast_possible_truncation, reason = "it is a safe integer")]
        return match Number::is_safe_integer(&found) {
            true => Ok(Value::Integer(number as i64)),
            false => Err(Failure::broken("a column holds a number that is no integer")),
        };
    }
    if let Some(text) = found.as_string() {
        return Ok(Value::Text(text));
    }
    // Statements return bytes as an `ArrayBuffer`. Any other type is unknown to this code.
    match found.dyn_ref::<ArrayBuffer>() {
        Some(bytes) => Ok(Value::Blob(Uint8Array::new(bytes).to_vec())),
        None => Err(Failure::broken("a column holds a value of a kind that is not known")),
    }
}
