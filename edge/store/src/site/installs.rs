//! Where the tag ran, and what blocked it, by the origin of the pages that report it. Anybody can claim an
//! origin, so the number of stored origins is limited. Of the origins that the site does not list, only a few
//! are stored. They show the person who installs the tag which origin is missing in the settings.

use asklet_protocol::failure::Failure;
use asklet_protocol::installs::{Directive, Install, InstallProblem};
use asklet_shared::period;
use asklet_shared::settings::lists;
use asklet_shared::time::DAY_MS;

use crate::site::settings;
use crate::sql::Sql;

/// Number of stored origins that the site lists, and of all other stored origins.
const LISTED_LIMIT: u32 = 200;
const UNLISTED_LIMIT: u32 = 20;

/// Number of days for which an unlisted origin is stored after it was last seen.
const UNLISTED_DAYS: u64 = 30;

/// Number of days without a problem after which the problem counts as solved, if the tag ran in that time.
const PROBLEM_DAYS: u64 = 7;

/// Notes that the tag ran on a page of an origin, and which directive blocked it, if one did.
pub fn note(
    sql: &impl Sql,
    origin: &str,
    directive: Option<Directive>,
    now_ms: u64,
) -> Result<(), Failure> {
    let today = now_ms / DAY_MS;
    sql.transaction(|| {
        // The Worker compared the origin with the settings that it remembers; these are the current settings.
        let is_listed = lists(&settings::read(sql)?.origins, origin);
        sql.run(
            "INSERT INTO install (origin, first_day, last_day, listed) VALUES (?, ?, ?, ?)
             ON CONFLICT (origin) DO UPDATE SET last_day = excluded.last_day",
            &[origin.into(), today.into(), today.into(), is_listed.into()],
        )?;
        sql.run(
            "DELETE FROM install WHERE NOT listed AND last_day + ? <= ?",
            &[UNLISTED_DAYS.into(), today.into()],
        )?;
        sql.run(
            "DELETE FROM install_problem WHERE origin = ? AND last_day + ? <= ?",
            &[origin.into(), PROBLEM_DAYS.into(), today.into()],
        )?;
        if let Some(directive) = directive {
            sql.run(
                "REPLACE INTO install_problem (origin, directive, last_day) VALUES (?, ?, ?)",
                &[origin.into(), directive.name().into(), today.into()],
            )?;
        }
        // Among origins that were last seen on the same day, the newest are deleted. So invented origins
        // displace other invented origins, and not those that were stored before.
        sql.run(
            "DELETE FROM install WHERE origin IN (
                 SELECT origin FROM install WHERE listed = ?
                 ORDER BY last_day DESC, first_day, origin = ? DESC LIMIT -1 OFFSET ?)",
            &[
                is_listed.into(),
                origin.into(),
                if is_listed { LISTED_LIMIT } else { UNLISTED_LIMIT }.into(),
            ],
        )?;
        forget_problems(sql)
    })
}

/// Compares all stored origins with those that the site lists now, and deletes those that it does not list any
/// more. Runs within the transaction of the change.
pub fn keep_listed(sql: &impl Sql, origins: &[String]) -> Result<(), Failure> {
    for Install { origin, listed, .. } in list(sql)? {
        match (listed, lists(origins, &origin)) {
            (true, false) => sql.run("DELETE FROM install WHERE origin = ?", &[origin.into()])?,
            (false, true) => {
                sql.run("UPDATE install SET listed = 1 WHERE origin = ?", &[origin.into()])?;
            }
            _ => {}
        }
    }
    forget_problems(sql)
}

fn forget_problems(sql: &impl Sql) -> Result<(), Failure> {
    sql.run("DELETE FROM install_problem WHERE origin NOT IN (SELECT origin FROM install)", &[])
}

/// Lists all origins on whose pages the tag ran.
pub fn list(sql: &impl Sql) -> Result<Vec<Install>, Failure> {
    let mut installs = Vec::new();
    let columns = "SELECT origin, listed, first_day, last_day FROM install ORDER BY origin";
    sql.query(columns, &[], &mut |mut row| {
        installs.push(Install {
            origin: row.text()?,
            listed: row.boolean()?,
            first_seen: period::day(row.integer()?),
            last_seen: period::day(row.integer()?),
            problems: Vec::new(),
        });
        Ok(())
    })?;
    let problems = "SELECT origin, directive, last_day FROM install_problem ORDER BY directive";
    sql.query(problems, &[], &mut |mut row| {
        let (origin, directive) = (row.text()?, Directive::named(&row.text()?));
        let directive =
            directive.ok_or_else(|| Failure::broken("a stored directive has no valid name"))?;
        let last_seen = period::day(row.integer()?);
        if let Some(install) = installs.iter_mut().find(|install| install.origin == origin) {
            install.problems.push(InstallProblem { directive, last_seen });
        }
        Ok(())
    })?;
    Ok(installs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::tests::site;
    use crate::sql::native::Native;

    const SHOP: &str = "https://shop.example";

    fn list_origins(sql: &Native, origins: &[&str]) {
        let mut settings = settings::read(sql).unwrap();
        settings.origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
        settings::change(sql, &settings).unwrap();
        keep_listed(sql, &settings.origins).unwrap();
    }

    #[test]
    fn an_origin_is_seen_from_its_first_day_to_its_last() {
        let (sql, ..) = site();
        for day in [20_758, 20_779] {
            note(&sql, SHOP, None, day * DAY_MS + 5).unwrap();
        }
        let seen = list(&sql).unwrap();
        assert_eq!((seen.len(), seen[0].listed), (1, true));
        let days = (seen[0].first_seen.as_str(), seen[0].last_seen.as_str());
        assert_eq!((seen[0].origin.as_str(), days), (SHOP, ("2026-11-01", "2026-11-22")));
    }

    #[test]
    fn a_problem_is_over_when_the_tag_ran_for_a_week_without_it() {
        let (sql, ..) = site();
        let problems = || {
            let seen = list(&sql).unwrap().remove(0).problems;
            seen.iter().map(|problem| problem.directive.name()).collect::<Vec<_>>()
        };
        note(&sql, SHOP, Some(Directive::Script), DAY_MS).unwrap();
        note(&sql, SHOP, Some(Directive::Frame), 2 * DAY_MS).unwrap();
        note(&sql, SHOP, None, 7 * DAY_MS).unwrap();
        assert_eq!(problems(), ["frame-src", "script-src"]);
        note(&sql, SHOP, None, 8 * DAY_MS).unwrap();
        assert_eq!(problems(), ["frame-src"]);
        note(&sql, SHOP, Some(Directive::Frame), 90 * DAY_MS).unwrap();
        assert_eq!(problems(), ["frame-src"]);
    }

    #[test]
    fn of_too_many_origins_those_go_that_were_seen_longest_ago() {
        let (sql, ..) = site();
        list_origins(&sql, &["*"]);
        note(&sql, "https://gone.example", Some(Directive::Script), DAY_MS).unwrap();
        note(&sql, SHOP, None, 2 * DAY_MS).unwrap();
        note(&sql, SHOP, None, 3 * DAY_MS).unwrap();
        // All on one day, as an untrusted client invents them.
        for number in 0..300 {
            let origin = format!("https://n{number}.example");
            note(&sql, &origin, Some(Directive::Script), 3 * DAY_MS).unwrap();
        }
        let seen = list(&sql).unwrap();
        assert_eq!(seen.len(), 200);
        let has = |origin: &str| seen.iter().any(|install| install.origin == origin);
        assert!(has(SHOP) && has("https://n299.example") && !has("https://gone.example"));
        let mut row = sql.first("SELECT count(*) FROM install_problem", &[]).unwrap().unwrap();
        assert_eq!(row.integer::<u32>().unwrap(), 199);
    }

    #[test]
    fn an_origin_that_was_forgotten_is_told_as_such_until_it_is_listed_or_seen_no_more() {
        let (sql, ..) = site();
        let www = "https://www.shop.example";
        let seen = || {
            let all = list(&sql).unwrap().into_iter();
            all.map(|install| (install.origin, install.listed)).collect::<Vec<_>>()
        };
        note(&sql, SHOP, None, DAY_MS).unwrap();
        note(&sql, www, None, DAY_MS).unwrap();
        note(&sql, www, None, 2 * DAY_MS).unwrap();
        // Invented by an untrusted client, all on one day: neither the shop nor the origins that were stored
        // before are deleted.
        for number in 0..300 {
            note(&sql, &format!("https://n{number}.example"), None, 2 * DAY_MS).unwrap();
        }
        let found = seen();
        assert_eq!(found.len(), 21);
        assert!(found.contains(&(SHOP.to_owned(), true)) && found.contains(&(www.into(), false)));
        note(&sql, www, None, 32 * DAY_MS).unwrap();
        assert_eq!(seen(), [(SHOP.to_owned(), true), (www.to_owned(), false)]);
        list_origins(&sql, &[SHOP, www]);
        assert_eq!(seen(), [(SHOP.to_owned(), true), (www.to_owned(), true)]);
    }

    #[test]
    fn an_origin_that_is_listed_no_more_is_forgotten() {
        let (sql, ..) = site();
        note(&sql, SHOP, Some(Directive::Script), DAY_MS).unwrap();
        list_origins(&sql, &["https://*.shop.example"]);
        assert_eq!(list(&sql).unwrap(), []);
        list_origins(&sql, &[SHOP]);
        assert_eq!(list(&sql).unwrap(), []);
    }
}
