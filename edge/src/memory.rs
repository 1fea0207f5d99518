//! What an isolate remembers between requests, so that a page view does not wake an object.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use worker::Date;

/// How many entries are kept; when there are more, all are forgotten.
const ENTRIES_LIMIT: usize = 1_000;

/// Values by key, each for a while.
pub struct Memory<V> {
    keep_ms: u64,
    entries: RefCell<HashMap<String, (u64, Rc<V>)>>,
}

impl<V> Memory<V> {
    /// Remembers each value for `keep_ms` milliseconds.
    pub fn new(keep_ms: u64) -> Self {
        Self { keep_ms, entries: RefCell::default() }
    }

    /// The value of a key, unless it is unknown or too old.
    pub fn get(&self, key: &str) -> Option<Rc<V>> {
        let entries = self.entries.borrow();
        let (until_ms, value) = entries.get(key)?;
        (Date::now().as_millis() < *until_ms).then(|| value.clone())
    }

    /// Remembers a value.
    pub fn put(&self, key: &str, value: V) -> Rc<V> {
        let mut entries = self.entries.borrow_mut();
        if entries.len() >= ENTRIES_LIMIT {
            entries.clear();
        }
        let value = Rc::new(value);
        entries.insert(key.to_owned(), (Date::now().as_millis() + self.keep_ms, value.clone()));
        value
    }
}
