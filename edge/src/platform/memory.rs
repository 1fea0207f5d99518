//! What an isolate remembers between requests, so that a page view does not wake an object.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use worker::Date;

/// Maximum number of entries. Another entry replaces the oldest.
const ENTRIES_LIMIT: usize = 1_000;

/// Values by key, each with the time until which it is valid, in milliseconds since the Unix epoch.
type Entries<V> = HashMap<String, (u64, Rc<V>)>;

/// Values by key, each kept for a limited time.
pub struct Memory<V> {
    keep_ms: u64,
    entries: RefCell<Entries<V>>,
}

impl<V> Memory<V> {
    /// Creates a memory that keeps each value for `keep_ms` milliseconds.
    pub fn new(keep_ms: u64) -> Self {
        Self { keep_ms, entries: RefCell::default() }
    }

    /// Returns the value of a key, or `None` if the key is unknown or its value too old.
    pub fn get(&self, key: &str) -> Option<Rc<V>> {
        let entries = self.entries.borrow();
        let (until_ms, value) = entries.get(key)?;
        (Date::now().as_millis() < *until_ms).then(|| value.clone())
    }

    /// Remembers a value.
    pub fn put(&self, key: &str, value: V) -> Rc<V> {
        let mut entries = self.entries.borrow_mut();
        make_room(&mut entries, key);
        let value = Rc::new(value);
        entries.insert(key.to_owned(), (Date::now().as_millis() + self.keep_ms, value.clone()));
        value
    }
}

/// Forgets the oldest entry if there is no room for another key.
fn make_room<V>(entries: &mut Entries<V>, key: &str) {
    if entries.len() < ENTRIES_LIMIT || entries.contains_key(key) {
        return;
    }
    let oldest = entries.iter().min_by_key(|(_, (until_ms, _))| *until_ms);
    if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
        entries.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_entry_too_many_drives_out_the_oldest_and_no_other() {
        let mut entries = Entries::new();
        for number in 0..ENTRIES_LIMIT as u64 + 3 {
            let key = number.to_string();
            make_room(&mut entries, &key);
            entries.insert(key, (number, Rc::new(())));
        }
        make_room(&mut entries, "5");
        assert_eq!(entries.len(), ENTRIES_LIMIT);
        let has = |key: &str| entries.contains_key(key);
        assert!(!has("0") && !has("2") && has("3") && has("1002"));
    }
}
