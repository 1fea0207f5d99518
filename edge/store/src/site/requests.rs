//! Requests that were carried out, by their `Idempotency-Key`. A repeated request gets the same answer again,
//! and changes nothing.
//!
//! If the site itself makes the change, the request is stored in the transaction of the change. If shards make
//! the change, the request is stored before the shards are called, and its answer once they have finished. If
//! the work was interrupted, the same request continues it.

use asklet_protocol::calls::site::Idempotency;
use asklet_protocol::failure::Failure;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::time::DAY_MS;

use crate::sql::{Sql, Value};

/// Milliseconds for which an answer is stored.
const KEPT_MS: u64 = DAY_MS;

/// Number of stored requests, of which the newest are kept, and number of bytes of their answers.
const REQUESTS_LIMIT: u32 = 1_000;
const BYTES_LIMIT: u32 = 4 * 1024 * 1024;

/// What the site knows about a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Earlier {
    /// The site does not know the request.
    Unknown,
    /// The request was begun, and its result is not known.
    Begun,
    /// The request got this answer.
    Answered(String),
}

/// Returns what the site knows about a request with this key from the caller with this id.
pub fn earlier(
    sql: &impl Sql,
    who: &str,
    once: &Idempotency,
    now_ms: u64,
) -> Result<Earlier, Failure> {
    let row = sql.first(
        "SELECT digest, answer FROM request WHERE who = ? AND key = ? AND at_ms > ?",
        &[who.into(), once.key.as_str().into(), now_ms.saturating_sub(KEPT_MS).into()],
    )?;
    let Some(mut row) = row else { return Ok(Earlier::Unknown) };
    let (digest, answer) = (row.text()?, row.optional_text()?);
    match answer {
        Some(answer) if digest == once.digest => Ok(Earlier::Answered(answer)),
        Some(_) => {
            let detail = "another request was sent with this key: make a new one for each request";
            Err(Problem::new(Code::IdempotencyMismatch, detail).at("Idempotency-Key").into())
        }
        None if digest == once.digest => Ok(Earlier::Begun),
        // A request that was refused can be corrected and sent with the same key.
        None => Ok(Earlier::Unknown),
    }
}

/// Stores a request, with its answer if that is known. It replaces an older request with the same key.
pub fn keep(
    sql: &impl Sql,
    who: &str,
    once: &Idempotency,
    answer: Option<&str>,
    now_ms: u64,
) -> Result<(), Failure> {
    sql.run(
        "REPLACE INTO request (who, key, digest, answer, at_ms) VALUES (?, ?, ?, ?, ?)",
        &[
            who.into(),
            once.key.as_str().into(),
            once.digest.as_str().into(),
            answer.into(),
            now_ms.into(),
        ],
    )?;
    let kept: [Value; 3] =
        [now_ms.saturating_sub(KEPT_MS).into(), REQUESTS_LIMIT.into(), BYTES_LIMIT.into()];
    sql.run(
        "DELETE FROM request WHERE seq IN (
            SELECT seq FROM (
                SELECT seq, at_ms, row_number() OVER newest AS number,
                    sum(octet_length(coalesce(answer, ''))) OVER newest AS bytes
                FROM request WINDOW newest AS (ORDER BY seq DESC))
            WHERE at_ms <= ?1 OR number > ?2 OR (bytes > ?3 AND number > 1))",
        &kept,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::tests::{code, site};

    fn once(key: &str, digest: &str) -> Idempotency {
        Idempotency { key: key.to_owned(), digest: digest.to_owned() }
    }

    #[test]
    fn a_request_is_known_for_a_day_by_its_key_its_caller_and_what_it_says() {
        let (sql, ..) = site();
        let first = once("a", "one");
        let known = |who, once: &Idempotency, now_ms| earlier(&sql, who, once, now_ms);
        assert_eq!(known("k1", &first, 7).unwrap(), Earlier::Unknown);
        keep(&sql, "k1", &first, None, 7).unwrap();
        assert_eq!(known("k1", &first, 8).unwrap(), Earlier::Begun);
        assert_eq!(known("k1", &once("a", "other"), 8).unwrap(), Earlier::Unknown);
        keep(&sql, "k1", &first, Some("{}"), 8).unwrap();
        assert_eq!(known("k1", &first, 9).unwrap(), Earlier::Answered("{}".to_owned()));
        assert_eq!(code(known("k1", &once("a", "other"), 9)), Code::IdempotencyMismatch);
        assert_eq!(known("k2", &once("a", "other"), 9).unwrap(), Earlier::Unknown);
        assert_eq!(known("k1", &first, 8 + KEPT_MS).unwrap(), Earlier::Unknown);
        assert_eq!(known("k1", &once("a", "other"), 8 + KEPT_MS).unwrap(), Earlier::Unknown);
    }

    #[test]
    fn the_newest_are_kept_and_not_more_bytes_than_a_site_may_fill() {
        let (sql, ..) = site();
        let count = || {
            let mut row = sql.first("SELECT count(*) FROM request", &[]).unwrap().unwrap();
            row.integer::<u32>().unwrap()
        };
        for number in 0..REQUESTS_LIMIT + 5 {
            keep(&sql, "k1", &once(&number.to_string(), ""), Some("{}"), 7).unwrap();
        }
        assert_eq!(count(), REQUESTS_LIMIT);
        assert_eq!(earlier(&sql, "k1", &once("4", ""), 7).unwrap(), Earlier::Unknown);
        let large = "x".repeat(1024 * 1024);
        for number in 0..6 {
            keep(&sql, "k2", &once(&number.to_string(), ""), Some(&large), 7).unwrap();
        }
        assert_eq!(count(), 4);
        keep(&sql, "k2", &once("later", ""), None, 7 + KEPT_MS).unwrap();
        assert_eq!(count(), 1);
    }
}
