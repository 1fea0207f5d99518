//! Intents: changes that shards are about to make. The log says what happened and not what was attempted, so an
//! entry is written after the shards have answered. Until then the site stores the intent. If nobody reports
//! the outcome, the intent becomes an entry of its own.

use asklet_protocol::audit::{Action, AuditEvent};
use asklet_protocol::failure::Failure;
use asklet_protocol::ids::SurveyId;

use crate::site::audit;
use crate::sql::Sql;

/// Milliseconds after which an intent counts as abandoned: longer than any request takes.
const INTENT_MS: u64 = 10 * 60 * 1000;

/// Number of intents that can be open at the same time. Above it, the oldest become entries.
const INTENTS_LIMIT: u32 = 1_000;

/// The detail in the entry of an interrupted change.
const INTERRUPTED: &str = "interrupted: whether it was done is not known";

/// Stores the intent of a change. Returns the number with which to end it. Runs within the caller's
/// transaction.
pub fn begin(sql: &impl Sql, by: &str, change: &AuditEvent, now_ms: u64) -> Result<u64, Failure> {
    settle(sql, now_ms)?;
    let row = sql.first(
        "INSERT INTO audit_intent (at_ms, who, action, survey, target)
         VALUES (?, ?, ?, ?, ?) RETURNING id",
        &[
            now_ms.into(),
            by.into(),
            change.action.name().into(),
            change.survey.as_ref().map(SurveyId::as_str).into(),
            change.target.as_deref().into(),
        ],
    )?;
    row.ok_or_else(|| Failure::broken("an intent has no number"))?.integer()
}

/// Ends an intent, with an entry of what happened, or without one. Runs within the caller's transaction.
pub fn end(
    sql: &impl Sql,
    by: &str,
    (intent, happened): (u64, Option<&AuditEvent>),
    now_ms: u64,
) -> Result<(), Failure> {
    sql.run("DELETE FROM audit_intent WHERE id = ?", &[intent.into()])?;
    match happened {
        Some(change) => audit::add(sql, by, change, now_ms),
        None => Ok(()),
    }
}

/// Turns abandoned intents into entries. Runs within the caller's transaction.
pub fn settle(sql: &impl Sql, now_ms: u64) -> Result<(), Failure> {
    let mut left = Vec::new();
    sql.query(
        "SELECT id, at_ms, who, action, survey, target FROM audit_intent
         WHERE at_ms <= ?1 OR id NOT IN (SELECT id FROM audit_intent ORDER BY id DESC LIMIT ?2)
         ORDER BY id",
        &[now_ms.saturating_sub(INTENT_MS).into(), (INTENTS_LIMIT - 1).into()],
        &mut |mut row| {
            let (id, at_ms, by) = (row.integer::<u64>()?, row.integer()?, row.text()?);
            let action = Action::named(&row.text()?)
                .ok_or_else(|| Failure::broken("an intent has no valid action"))?;
            let survey = row.optional_text()?.map(SurveyId::stored);
            let target = row.optional_text()?;
            let detail = Some(INTERRUPTED.to_owned());
            left.push((id, at_ms, by, AuditEvent { action, survey, target, detail }));
            Ok(())
        },
    )?;
    for (id, at_ms, by, change) in left {
        end(sql, &by, (id, Some(&change)), at_ms)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::tests::site;

    #[test]
    fn what_happened_becomes_an_entry_and_what_did_not_leaves_nothing() {
        let (sql, _, survey) = site();
        let change = AuditEvent::of(Action::Exclude, &survey).at("d1");
        let before = audit::page(&sql, None).unwrap().entries.len();
        for _ in 0..50 {
            let intent = begin(&sql, "k1", &change, 5).unwrap();
            end(&sql, "k1", (intent, None), 6).unwrap();
        }
        settle(&sql, u64::from(u32::MAX)).unwrap();
        assert_eq!(audit::page(&sql, None).unwrap().entries.len(), before);
        let intent = begin(&sql, "k1", &change, 5).unwrap();
        end(&sql, "k1", (intent, Some(&change)), 6).unwrap();
        let entries = audit::page(&sql, None).unwrap().entries;
        assert_eq!((entries.len(), entries[0].action), (before + 1, Action::Exclude));
        assert_eq!((entries[0].at_ms, entries[0].detail.as_deref()), (6, None));
    }

    #[test]
    fn what_nobody_came_back_for_is_in_the_log_as_that() {
        let (sql, _, survey) = site();
        let change = AuditEvent::of(Action::DeleteResponse, &survey).at("d1");
        begin(&sql, "k1", &change, 5).unwrap();
        settle(&sql, INTENT_MS + 4).unwrap();
        let newest = || audit::page(&sql, None).unwrap().entries.remove(0);
        assert_eq!(newest().action, Action::CreateSite);
        settle(&sql, INTENT_MS + 5).unwrap();
        let entry = newest();
        assert_eq!((entry.action, entry.target.as_deref()), (Action::DeleteResponse, Some("d1")));
        assert_eq!((entry.at_ms, entry.detail.as_deref()), (5, Some(INTERRUPTED)));
        // However many intents are begun at the same time, none is lost.
        let before = audit::page(&sql, None).unwrap().entries[0].seq;
        for _ in 0..INTENTS_LIMIT + 3 {
            begin(&sql, "k1", &change, INTENT_MS + 5).unwrap();
        }
        let open = sql.first("SELECT count(*) FROM audit_intent", &[]).unwrap().unwrap().integer();
        assert_eq!((newest().seq, open.unwrap()), (before + 3, INTENTS_LIMIT));
    }
}
