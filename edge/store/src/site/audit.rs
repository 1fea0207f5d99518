//! The audit log of a site: who changed what, and when, and who read or erased data in bulk. An entry is
//! written in the transaction of its change. For a change that shards make, it is written after they have made
//! it (see [`super::intents`]). An entry never names a respondent.

use asklet_protocol::audit::{Action, AuditEvent, Log, LogEntry};
use asklet_protocol::failure::Failure;
use asklet_protocol::ids::SurveyId;

use crate::sql::Sql;

/// Number of entries on a page of the log.
const PAGE: u32 = 100;

/// Classes of entries. A new entry displaces the oldest entry of its own class only, so that frequent work on
/// displays does not displace entries about keys or settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Settings, keys, surveys, and everything that cannot be undone.
    Administration,
    /// Corrections of single displays, and imports.
    Corrections,
    /// Reads of all respondents, or of one respondent.
    Reading,
    /// Keys that were refused.
    NegativeCache,
}

impl Class {
    fn of(action: Action) -> Self {
        match action {
            Action::Exclude
            | Action::Include
            | Action::DeleteResponse
            | Action::ExcludeMatching
            | Action::IncludeMatching
            | Action::DeleteMatching
            | Action::Import => Self::Corrections,
            Action::Export | Action::LookUp => Self::Reading,
            Action::RefuseKey => Self::NegativeCache,
            _ => Self::Administration,
        }
    }

    /// Returns the number that is stored for the class.
    fn stored(self) -> u32 {
        match self {
            Self::Administration => 0,
            Self::Corrections => 1,
            Self::Reading => 2,
            Self::NegativeCache => 3,
        }
    }

    /// Number of entries of the class that are kept; the newest stay.
    fn limit(self) -> u32 {
        match self {
            Self::NegativeCache => 1_000,
            Self::Administration | Self::Corrections | Self::Reading => 10_000,
        }
    }
}

/// Larger than the number of every entry, and the largest integer that JavaScript represents exactly.
const SEQ_END: u64 = (1 << 53) - 1;

/// Writes an entry. Runs within the transaction of the change.
pub fn add(sql: &impl Sql, by: &str, change: &AuditEvent, now_ms: u64) -> Result<(), Failure> {
    let class = Class::of(change.action);
    // The newest entry is never deleted, so numbers always grow.
    sql.run(
        "INSERT INTO audit (at_ms, who, action, survey, target, detail, class, number)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, coalesce(max(number), 0) + 1
         FROM audit WHERE class = ?7",
        &[
            now_ms.into(),
            by.into(),
            change.action.name().into(),
            change.survey.as_ref().map(SurveyId::as_str).into(),
            change.target.as_deref().into(),
            change.detail.as_deref().into(),
            class.stored().into(),
        ],
    )?;
    sql.run(
        "DELETE FROM audit WHERE class = ?1
            AND number <= (SELECT max(number) FROM audit WHERE class = ?1) - ?2",
        &[class.stored().into(), class.limit().into()],
    )
}

/// Returns a page with the newest entries before an entry, or with the newest of all entries.
pub fn page(sql: &impl Sql, before: Option<u64>) -> Result<Log, Failure> {
    let mut entries = Vec::new();
    sql.query(
        "SELECT seq, at_ms, who, action, survey, target, detail FROM audit
         WHERE seq < ? ORDER BY seq DESC LIMIT ?",
        &[before.unwrap_or(SEQ_END).min(SEQ_END).into(), PAGE.into()],
        &mut |mut row| {
            entries.push(LogEntry {
                seq: row.integer()?,
                at_ms: row.integer()?,
                by: row.text()?,
                action: Action::named(&row.text()?)
                    .ok_or_else(|| Failure::broken("an entry has no valid action"))?,
                survey: row.optional_text()?,
                target: row.optional_text()?,
                detail: row.optional_text()?,
            });
            Ok(())
        },
    )?;
    let is_full = u32::try_from(entries.len()).is_ok_and(|found| found == PAGE);
    let next = entries.last().filter(|_| is_full).map(|last: &LogEntry| last.seq);
    Ok(Log { entries, next })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::schema::MIGRATIONS;
    use crate::site::tests::{ask, code, draft, key, seal, site};
    use asklet_protocol::calls::team::{Intake, SurveyAction, TeamCall};
    use asklet_shared::definition::Status;
    use asklet_shared::problem::Code;
    use asklet_shared::scope::Scope;

    use crate::sql::migrate::migrate;
    use crate::sql::native::Native;

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table: a line for each change")]
    fn every_change_is_in_the_log_and_what_failed_or_only_looked_is_not() {
        let (sql, site, survey) = site();
        let copy = seal().new_survey(&site).unwrap();
        let act = |action| TeamCall::Survey { survey: survey.clone(), action };
        let settings = || Box::new(crate::site::settings::read(&sql).unwrap());
        let calls = vec![
            TeamCall::ChangeSettings(settings()),
            TeamCall::PatchSettings([("rest_days".to_owned(), 3.into())].into_iter().collect()),
            TeamCall::AddKey(key("k2", "reader", Scope::Read)),
            TeamCall::RemoveKey { id: "k2".to_owned() },
            TeamCall::AddSecret { id: "s1".to_owned(), secret: "very".to_owned() },
            TeamCall::RemoveSecret { id: "s1".to_owned() },
            act(SurveyAction::Update(Box::new(draft("nps")))),
            act(SurveyAction::Patch([("quota".to_owned(), 500.into())].into_iter().collect())),
            act(SurveyAction::Publish),
            act(SurveyAction::SetStatus(Status::Paused)),
            act(SurveyAction::SetStatus(Status::Live)),
            act(SurveyAction::SetStatus(Status::Archived)),
            act(SurveyAction::SetIntake(Intake::Refused)),
            act(SurveyAction::SetIntake(Intake::Open)),
            act(SurveyAction::SetShards(2)),
            act(SurveyAction::Duplicate(copy.clone())),
            TeamCall::Note(AuditEvent::of(Action::Export, &survey)),
            TeamCall::RevokePreviews { survey: survey.clone() },
            act(SurveyAction::Delete),
        ];
        let made = calls.len();
        for call in calls {
            ask(&sql, &site, call).unwrap();
        }
        for call in [
            TeamCall::Nothing,
            TeamCall::Keys,
            TeamCall::Installs,
            TeamCall::Audit { before: None },
            TeamCall::Settings,
            TeamCall::Surveys,
            TeamCall::PublishedSurveys,
            TeamCall::Plan { survey: copy.clone() },
            TeamCall::Survey { survey: copy.clone(), action: SurveyAction::Read },
            TeamCall::Preview { survey: copy.clone() },
        ] {
            ask(&sql, &site, call).unwrap();
        }
        let failed = ask(&sql, &site, TeamCall::RemoveKey { id: "k1".to_owned() });
        assert_eq!(code(failed), Code::LastAdminKey);

        let log = page(&sql, None).unwrap().entries;
        let shown: Vec<_> = log
            .iter()
            .rev()
            .map(|entry| {
                let text = |text: &Option<String>| text.clone().unwrap_or_default();
                (entry.by.as_str(), entry.action.name(), text(&entry.target), text(&entry.detail))
            })
            .collect();
        assert_eq!(shown.len(), made + 1);
        let entry = |by, action, target: &str, detail: &str| {
            (by, action, target.to_owned(), detail.to_owned())
        };
        assert_eq!(shown[0], entry("operator", "create_site", "k1", ""));
        assert_eq!(shown[1], entry("k1", "change_settings", "", ""));
        assert_eq!(shown[2], entry("k1", "change_settings", "", ""));
        assert_eq!(shown[3], entry("k1", "create_key", "k2", "read: a key"));
        assert_eq!(shown[8], entry("k1", "update_survey", "", ""));
        assert_eq!(shown[15], entry("k1", "shards", "", "2"));
        assert_eq!(shown[16], entry("k1", "duplicate", copy.as_str(), ""));
        assert_eq!(shown[17], entry("k1", "export", "", ""));
        assert_eq!(log[0].survey.as_deref(), Some(survey.as_str()));
        assert_eq!(log[0].action, Action::DeleteSurvey);
        assert!(log.is_sorted_by(|newer, older| newer.seq > older.seq));
    }

    #[test]
    fn what_is_often_done_drives_out_nothing_about_keys_and_settings() {
        let (sql, ..) = site();
        let write = |action, times| {
            for at_ms in 0..times {
                add(&sql, "k1", &AuditEvent::new(action), at_ms).unwrap();
            }
        };
        write(Action::CreateKey, 3);
        write(Action::Exclude, 10_005);
        write(Action::Export, 10_005);
        write(Action::RefuseKey, 1_005);
        let mut kept = std::collections::BTreeMap::<_, u32>::new();
        let mut before = None;
        loop {
            let Log { entries, next } = page(&sql, before).unwrap();
            entries.iter().for_each(|it| *kept.entry(it.action.name()).or_default() += 1);
            before = next;
            if before.is_none() {
                break;
            }
        }
        let expected = [
            ("create_key", 3),
            ("create_site", 1),
            ("exclude", 10_000),
            ("export", 10_000),
            ("refuse_key", 1_000),
        ];
        assert_eq!(kept, expected.into());
    }

    #[test]
    fn a_log_of_an_earlier_schema_goes_on_with_its_numbers() {
        let sql = Native::default();
        migrate(&sql, &MIGRATIONS[..5]).unwrap();
        for (seq, action) in [(7_u32, "create_site"), (8, "exclude"), (9, "publish")] {
            let old = "INSERT INTO audit (seq, at_ms, who, action) VALUES (?, 1, 'k1', ?)";
            sql.run(old, &[seq.into(), action.into()]).unwrap();
        }
        migrate(&sql, MIGRATIONS).unwrap();
        add(&sql, "k1", &AuditEvent::new(Action::Publish), 2).unwrap();
        let mut numbers = Vec::new();
        sql.query("SELECT class, number FROM audit ORDER BY seq", &[], &mut |mut row| {
            numbers.push((row.integer::<u32>()?, row.integer::<u32>()?));
            Ok(())
        })
        .unwrap();
        assert_eq!(numbers, [(0, 1), (1, 1), (0, 2), (0, 3)]);
        assert_eq!(page(&sql, None).unwrap().entries[0].seq, 10);
    }

    #[test]
    fn the_log_comes_in_pages_and_keeps_the_newest() {
        let (sql, ..) = site();
        sql.run("DELETE FROM audit WHERE seq = 1", &[]).unwrap();
        for at_ms in 0..10_150 {
            add(&sql, "k1", &AuditEvent::new(Action::Import), at_ms).unwrap();
        }
        let Log { entries: first, next } = page(&sql, None).unwrap();
        assert_eq!((first.len(), first[0].seq, first[0].at_ms), (100, 10_150, 10_149));
        assert_eq!(next, Some(first[99].seq));
        let second = page(&sql, next).unwrap().entries;
        assert_eq!((second.len(), second[0].seq), (100, first[99].seq - 1));
        let Log { entries: oldest, next } = page(&sql, Some(159)).unwrap();
        assert_eq!((oldest.len(), oldest[7].seq, next), (8, 151, None));
        assert_eq!(page(&sql, Some(u64::MAX)).unwrap().entries, first);
        assert_eq!(page(&sql, Some(151)).unwrap().entries, []);
    }
}
