//! The migration of a site from one deployment to another: see [`crate::bundle`].

use std::collections::BTreeMap;

use asklet_protocol::audit::{Action, AuditEvent, OPERATOR};
use asklet_protocol::bundle::{self, Head};
use asklet_protocol::failure::Failure;
use asklet_protocol::ids::SiteId;
use asklet_protocol::plan::SHARDS_LIMIT;
use asklet_protocol::problems::migrating;
use asklet_protocol::seal::Seal;
use asklet_shared::problem::{Code, Problem};

use crate::bundle::{load_page, read_page};
use crate::site::schema::MIGRATIONS;
use crate::site::{audit, outbox};
use crate::sql::Sql;
use crate::sql::dump::Table;
use crate::vault::Vault;

const fn table(name: &'static str, key: &'static [&'static str]) -> Table {
    Table { name, key, key_there: key, surveys: &[], secrets: &[], step: 100, in_place: None }
}

/// The tables in a bundle. Outbox messages are not part of it: they concern the old deployment only.
const TABLES: &[Table] = &[
    table("site", &["rowid"]),
    Table { secrets: &[1], ..table("identity_secret", &["id"]) },
    Table {
        key_there: &["(SELECT old FROM moved WHERE new = survey.id)"],
        surveys: &[0],
        step: 8,
        ..table("survey", &["id"])
    },
    Table {
        key_there: &["(SELECT old FROM moved WHERE new = published.survey)", "version"],
        surveys: &[0],
        step: 8,
        ..table("published", &["survey", "version"])
    },
    Table { surveys: &[4, 5], ..table("audit", &["seq"]) },
    table("install", &["origin"]),
    table("install_problem", &["origin", "directive"]),
    // The last table, so that it is easy to leave out.
    table("key", &["id"]),
];

/// Reads a page. The table of keys is only read if the bundle includes keys.
pub fn dump(sql: &impl Sql, from: Head, vault: &Vault) -> Result<String, Failure> {
    let travel = TABLES.len() - usize::from(!from.keys);
    let tables = TABLES.get(..travel).unwrap_or_default();
    let following = next_shard(sql, &from.object)?;
    let open = |secret: &str| vault.open(secret);
    read_page(sql, (tables, MIGRATIONS.len()), from, (String::new(), following), &open)
}

/// Stores a page. A survey keeps its id if this deployment sealed the id for this site. Otherwise it gets a new
/// id.
pub fn load(
    sql: &impl Sql,
    (seal, vault): (&Seal, &Vault),
    site: &SiteId,
    page: (&Head, &str),
) -> Result<u64, Failure> {
    sql.transaction(|| {
        let own = "SELECT 1 FROM survey WHERE id NOT IN (SELECT new FROM moved)";
        if sql.first(own, &[])?.is_some() {
            let detail = "the site already has surveys: create an empty site for the bundle";
            return Err(Problem::new(Code::SiteInUse, detail).into());
        }
        begin(sql, site)?;
        let here = |table: &str, there: &str| {
            if let Some(known) = find_moved(sql, there)? {
                return Ok(known);
            }
            if table != "survey" {
                return Ok(there.to_owned());
            }
            let here = match seal.survey(site, there)? {
                Some(same) => same,
                None => seal.new_survey(site)?,
            };
            let values = [there.into(), here.as_str().into()];
            sql.run("INSERT INTO moved (old, new) VALUES (?, ?)", &values)?;
            Ok(here.as_str().to_owned())
        };
        let lock = |secret: &str| vault.lock(secret);
        load_page(sql, (TABLES, MIGRATIONS.len()), page, &here, &lock)
    })
}

/// Returns the id that a migrated survey has here.
pub fn find_moved(sql: &impl Sql, there: &str) -> Result<Option<String>, Failure> {
    let row = sql.first("SELECT new FROM moved WHERE old = ?", &[there.into()])?;
    row.map(|mut row| row.text()).transpose()
}

/// Returns the ids of the migrated surveys: the id here by the id in the old deployment.
pub fn moved(sql: &impl Sql) -> Result<BTreeMap<String, String>, Failure> {
    let mut surveys = BTreeMap::new();
    sql.query("SELECT old, new FROM moved", &[], &mut |mut row| {
        surveys.insert(row.text()?, row.text()?);
        Ok(())
    })?;
    Ok(surveys)
}

/// Whether a migration of the site to this deployment is incomplete.
pub fn is_migrating(sql: &impl Sql) -> Result<bool, Failure> {
    Ok(sql.first("SELECT 1 FROM moving", &[])?.is_some())
}

/// Refuses every request while the migration is incomplete, because the answer would cover only a part of the
/// data.
pub fn check_complete(sql: &impl Sql) -> Result<(), Failure> {
    if is_migrating(sql)? { Err(migrating().into()) } else { Ok(()) }
}

/// Notes that a page has arrived. With the first page, the shards that exist here already get an outbox
/// message, because displays that they take from now on would be lost when their own pages are stored. Runs
/// within the caller's transaction.
pub fn begin(sql: &impl Sql, site: &SiteId) -> Result<(), Failure> {
    if is_migrating(sql)? {
        return Ok(());
    }
    sql.run("INSERT INTO moving (began) VALUES (1)", &[])?;
    outbox::notify(sql, site, None)
}

/// Ends the migration after the last page. Removes surveys that were deleted since an earlier migration of the
/// same site, and sends the current policy to each shard.
pub fn end(sql: &impl Sql, site: &SiteId, now_ms: u64) -> Result<(), Failure> {
    sql.transaction(|| {
        sql.run("DELETE FROM moving", &[])?;
        outbox::notify(sql, site, None)?;
        let mut gone = Vec::new();
        let deleted = "SELECT new FROM moved WHERE new NOT IN (SELECT id FROM survey)";
        sql.query(deleted, &[], &mut |mut row| {
            gone.push(row.text()?);
            Ok(())
        })?;
        for survey in gone {
            outbox::leave(sql, site, &survey, SHARDS_LIMIT, true)?;
            sql.run("DELETE FROM moved WHERE new = ?", &[survey.into()])?;
        }
        audit::add(sql, OPERATOR, &AuditEvent::new(Action::TakeBundle), now_ms)
    })
}

/// Returns the revision of the site: the number of the last change that shards have to know of. Each
/// publication and each deletion of a survey has a revision.
pub fn revision(sql: &impl Sql) -> Result<u64, Failure> {
    let row = sql.first("SELECT number FROM site", &[])?;
    row.map_or(Ok(0), |mut row| row.integer())
}

/// Returns the shard that follows another shard, or that follows the site itself, in the order of the surveys'
/// ids.
pub fn next_shard(sql: &impl Sql, object: &str) -> Result<Option<String>, Failure> {
    let (survey, shard) = bundle::shard(object).unwrap_or_default();
    let row = sql.first(
        "SELECT 'survey:' || id || '/' || iif(id = ?1, ?2, '0') FROM survey
         WHERE version > 0 AND (id > ?1 OR id = ?1 AND shards > ?2 + 0) ORDER BY id LIMIT 1",
        &[survey.into(), shard.saturating_add(1).to_string().into()],
    )?;
    row.map(|mut row| row.text()).transpose()
}

#[cfg(test)]
mod tests {
    use crate::site::outbox::OutboxMessage;
    use asklet_protocol::ids::SurveyId;
    use asklet_shared::definition::Status;
    use asklet_shared::scope::Scope;

    use super::*;
    use crate::site::settings;
    use crate::site::tests::{code, draft, key, seal, site};
    use crate::site::{keys, published, surveys};
    use crate::sql::native::Native;
    use asklet_protocol::calls::team::SiteRecord;

    /// Returns a vault with the encryption key of one of two deployments.
    fn vault(name: &str) -> Vault {
        Vault::new(Some(&name.repeat(32))).unwrap()
    }

    /// Migrates a site with its keys.
    fn migrate_all(from: &Native, (to, site): (&Native, &SiteId)) -> Result<(), Failure> {
        let mut next = Some(Head::of("site".to_owned(), true, revision(from)?));
        while let Some(from_here) = next.filter(|head| head.object == "site") {
            let page = dump(from, from_here, &vault("there"))?;
            let (head, rows) = bundle::read(&page)?;
            load(to, (&seal(), &vault("here")), site, (&head, rows))?;
            load(to, (&seal(), &vault("here")), site, (&head, rows))?;
            next = head.next.map(|cursor| Head::of_cursor(&cursor)).transpose()?;
        }
        end(to, site, 9)
    }

    /// Makes a site that has no survey.
    fn made() -> (Native, SiteId) {
        let (sql, site, survey) = site();
        surveys::delete(&sql, &site, &survey).unwrap();
        sql.run("DELETE FROM errand", &[]).unwrap();
        (sql, site)
    }

    fn read(sql: &Native, survey: &str) -> String {
        let record = surveys::read(sql, &SurveyId::stored(survey.to_owned())).unwrap();
        serde_json::to_string(&record).unwrap()
    }

    #[test]
    fn a_site_that_moved_is_what_it_was_under_ids_of_its_own_also_the_second_time() {
        let (from, old_site, one) = site();
        let two = seal().new_survey(&old_site).unwrap();
        surveys::create(&from, &two, &draft("csat_5"), 5).unwrap();
        for (survey, shards) in [(&one, 1), (&two, 3)] {
            published::publish(&from, survey, 6).unwrap();
            surveys::set_shards(&from, survey, shards).unwrap();
        }
        published::publish(&from, &two, 7).unwrap();
        surveys::set_status(&from, &two, Status::Paused, 8).unwrap();
        let locked = vault("there").lock("very").unwrap();
        settings::add_secret(&from, "s1", &locked, 8).unwrap();
        keys::add(&from, &key("k2", "reader", Scope::Read)).unwrap();
        let copied = AuditEvent::of(Action::DuplicateSurvey, &one).at(two.as_str());
        audit::add(&from, "k1", &copied, 8).unwrap();

        let (to, site) = made();
        migrate_all(&from, (&to, &site)).unwrap();
        let first = moved(&to).unwrap();
        assert_eq!(first.len(), 2);
        for (there, here) in &first {
            assert!(seal().survey(&site, here).unwrap().is_some());
            assert_eq!(read(&from, there).replace(there, here), read(&to, here));
            let [was, is] =
                [(&from, there), (&to, here)].map(|(sql, id)| published::policy(sql, id).unwrap());
            assert_eq!(is.stopped_ms, was.stopped_ms);
            // Each deployment has an encryption key of its own.
            assert_eq!(vault("here").open(&is.identity_secrets[0]).unwrap(), "very");
            assert_eq!(was.identity_secrets, [locked.as_str()]);
            assert!(is.revision > was.revision);
        }
        let state_of = |sql: &Native| -> String {
            let SiteRecord { settings, identity_secrets, created_ms } =
                settings::record(sql).unwrap();
            let keys = keys::list(sql).unwrap();
            serde_json::to_string(&(settings, identity_secrets, created_ms, keys)).unwrap()
        };
        assert_eq!(state_of(&from), state_of(&to));
        let log = audit::page(&to, None).unwrap().entries;
        assert_eq!(log[0].action, Action::TakeBundle);
        assert_eq!(log[1].survey.as_ref(), first.get(one.as_str()));
        assert_eq!(log[1].target.as_ref(), first.get(two.as_str()));
        // Every shard gets an outbox message with the current policy.
        assert_eq!(outbox::all(&to).unwrap().len(), 4);

        // A second migration brings later changes, and removes what was deleted.
        surveys::delete(&from, &old_site, &one).unwrap();
        surveys::set_status(&from, &two, Status::Live, 9).unwrap();
        migrate_all(&from, (&to, &site)).unwrap();
        let second = moved(&to).unwrap();
        assert_eq!(
            second.into_iter().collect::<Vec<_>>(),
            [(two.as_str().to_owned(), first[two.as_str()].clone())]
        );
        assert_eq!(surveys::list(&to).unwrap()[0].status, Status::Live);
        let forgotten =
            |message: &OutboxMessage| message.survey == first[one.as_str()] && message.forget;
        assert_eq!(outbox::all(&to).unwrap().into_iter().filter(forgotten).count(), 8);
    }

    #[test]
    fn a_survey_of_the_site_itself_keeps_its_id_and_one_that_is_in_the_way_is_left_alone() {
        let (from, site, survey) = site();
        let (to, _) = made();
        migrate_all(&from, (&to, &site)).unwrap();
        assert_eq!(moved(&to).unwrap()[survey.as_str()], survey.as_str());
        let own = seal().new_survey(&site).unwrap();
        surveys::create(&to, &own, &draft("nps"), 5).unwrap();
        assert_eq!(code(migrate_all(&from, (&to, &site))), Code::SiteInUse);
    }

    #[test]
    fn a_site_moves_in_from_its_first_page_on_and_is_whole_with_the_last() {
        let (from, _, survey) = site();
        published::publish(&from, &survey, 6).unwrap();
        let (to, site) = made();
        check_complete(&to).unwrap();
        let first = dump(&from, Head::of("site".to_owned(), true, 2), &vault("there")).unwrap();
        let (head, rows) = bundle::read(&first).unwrap();
        for messages in [0, 1] {
            load(&to, (&seal(), &vault("here")), &site, (&head, rows)).unwrap();
            assert_eq!(code(check_complete(&to)), Code::Busy);
            // The shards that exist here get an outbox message once.
            assert_eq!(outbox::all(&to).unwrap().len(), messages);
            to.run("DELETE FROM errand", &[]).unwrap();
            migrate_all(&from, (&to, &site)).unwrap();
            check_complete(&to).unwrap();
            to.run("DELETE FROM errand", &[]).unwrap();
        }
        // A page of another release changes nothing.
        let other = Head::of("site".to_owned(), true, 2);
        let refused = load(&to, (&seal(), &vault("here")), &site, (&other, rows));
        assert_eq!(code(refused), Code::OtherSchema);
        check_complete(&to).unwrap();
    }

    #[test]
    fn shards_follow_each_other_survey_by_survey() {
        let (sql, site, one) = site();
        let two = seal().new_survey(&site).unwrap();
        surveys::create(&sql, &two, &draft("nps"), 5).unwrap();
        let draft_only = seal().new_survey(&site).unwrap();
        surveys::create(&sql, &draft_only, &draft("nps"), 5).unwrap();
        let mut expected = Vec::new();
        for (survey, shards) in [(&one, 1), (&two, 3)] {
            published::publish(&sql, survey, 6).unwrap();
            surveys::set_shards(&sql, survey, shards).unwrap();
            expected.extend((0..shards).map(|shard| format!("survey:{survey}/{shard}")));
        }
        expected.sort();
        let mut found = Vec::new();
        let mut at = "site".to_owned();
        while let Some(next) = next_shard(&sql, &at).unwrap() {
            found.push(next.clone());
            at = next;
        }
        assert_eq!(found, expected);
    }
}
