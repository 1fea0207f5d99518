//! Ceilings: how much of a deployment one site can use. All sites of a machine share it, so the owner of a key
//! must not be able to grow any list without a limit. The ceilings are not settings, because the same key could
//! then raise them.

use asklet_protocol::failure::Failure;
use asklet_protocol::ids::SurveyId;
use asklet_shared::config::ConfigSurvey;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::validate::QUESTIONS_LIMIT;

use crate::site::published;
use crate::sql::{Sql, Value};

/// Number of surveys that a site can have, including drafts.
const SURVEYS_LIMIT: u64 = 200;

/// Number of versions of a survey that can be published.
const VERSIONS_LIMIT: u64 = 200;

/// Number of different questions that all versions of a survey can ask together. Each question has its own
/// counters.
const PUBLISHED_QUESTIONS_LIMIT: usize = 10 * QUESTIONS_LIMIT;

/// Number of bytes that all drafts and versions of a site can have together.
const DEFINITIONS_LIMIT: u64 = 8 * 1024 * 1024;

/// Number of bytes that the surveys in the public config can have. Each page view requests the config.
const CONFIG_LIMIT: u64 = 128 * 1024;

/// Placeholders for a shard's address and for the digest of a body. They have the same length as real ones.
const SHARD_ADDRESS: &str = "123456789";
const DIGEST: &str = "0123456789abcdef";

/// Makes a change of drafts or versions. Refuses it if all drafts and versions together are too large after it.
/// Runs within the transaction of the change, so that a refused change is rolled back. A site that an earlier
/// release let grow above the ceiling can still shrink.
pub fn within_definitions<T>(
    sql: &impl Sql,
    change: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let before = definition_bytes(sql)?;
    let changed = change()?;
    if definition_bytes(sql)? > DEFINITIONS_LIMIT.max(before) {
        let detail = "the drafts and versions of the site's surveys are too large together: delete \
             surveys that are not needed";
        return Err(Problem::new(Code::DefinitionsTooLarge, detail)
            .limit(format!("{DEFINITIONS_LIMIT} bytes"))
            .into());
    }
    Ok(changed)
}

/// Makes a change of the live surveys. Refuses it if the config is too large after it; otherwise as above.
pub fn within_config<T>(
    sql: &impl Sql,
    change: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let before = config_bytes(sql)?;
    let changed = change()?;
    if config_bytes(sql)? > CONFIG_LIMIT.max(before) {
        let detail = "together the live surveys make the config too large: pause some, or shorten \
             their audiences";
        return Err(Problem::new(Code::ConfigTooLarge, detail)
            .limit(format!("{CONFIG_LIMIT} bytes"))
            .into());
    }
    Ok(changed)
}

/// Refuses another survey if the site has as many surveys as it can have.
pub fn check_surveys(sql: &impl Sql) -> Result<(), Failure> {
    if number(sql, "SELECT count(*) FROM survey", &[])? >= SURVEYS_LIMIT {
        let detail = "delete a survey that is not needed first";
        return Err(Problem::new(Code::TooManySurveys, detail)
            .limit(format!("{SURVEYS_LIMIT} surveys"))
            .into());
    }
    Ok(())
}

/// Refuses a version that was just published, if the survey has too many versions or too many different
/// questions with it.
pub fn check_versions(sql: &impl Sql, survey: &SurveyId) -> Result<(), Failure> {
    let versions = "SELECT count(*) FROM published WHERE survey = ?";
    if number(sql, versions, &[survey.as_str().into()])? > VERSIONS_LIMIT {
        let detail = "duplicate the survey and continue with the copy";
        return Err(Problem::new(Code::TooManyVersions, detail)
            .limit(format!("{VERSIONS_LIMIT} versions"))
            .into());
    }
    if published::questions(sql, survey)?.len() > PUBLISHED_QUESTIONS_LIMIT {
        let detail = "the versions of the survey ask too many different questions together: \
             duplicate the survey and continue with the copy";
        return Err(Problem::new(Code::TooManyQuestions, detail)
            .at("questions")
            .limit(format!("{PUBLISHED_QUESTIONS_LIMIT} questions"))
            .into());
    }
    Ok(())
}

fn definition_bytes(sql: &impl Sql) -> Result<u64, Failure> {
    let query = "SELECT coalesce((SELECT sum(octet_length(draft)) FROM survey), 0)
        + coalesce((SELECT sum(octet_length(definition)) FROM published), 0)";
    number(sql, query, &[])
}

/// Returns the approximate size of all live surveys in the config, including surveys that have not started yet
/// or have ended.
fn config_bytes(sql: &impl Sql) -> Result<u64, Failure> {
    let mut bytes = 0;
    published::each_live(sql, &mut |id, version, shards, definition| {
        let languages = definition.languages().into_iter();
        let bodies = languages.map(|it| (it.to_owned(), DIGEST.to_owned())).collect();
        let shards = vec![SHARD_ADDRESS.to_owned(); usize::from(shards)];
        let id = id.as_str().to_owned();
        let entry = ConfigSurvey::of(id, version, shards, bodies, definition);
        bytes += u64::try_from(serde_json::to_string(&entry)?.len()).unwrap_or(u64::MAX);
        Ok(())
    })?;
    Ok(bytes)
}

fn number(sql: &impl Sql, query: &str, values: &[Value]) -> Result<u64, Failure> {
    sql.first(query, values)?.map_or(Ok(0), |mut row| row.integer())
}

#[cfg(test)]
mod tests {
    use asklet_shared::definition::{Definition, Status};

    use super::*;
    use crate::site::tests::{ask, code, draft, seal, site};
    use crate::sql::native::Native;
    use asklet_protocol::calls::team::{SurveyAction, TeamCall};
    use asklet_protocol::ids::SiteId;

    fn act(
        sql: &Native,
        site: &SiteId,
        survey: &SurveyId,
        action: SurveyAction,
    ) -> Result<String, Failure> {
        ask(sql, site, TeamCall::Survey { survey: survey.clone(), action })
    }

    fn create(sql: &Native, site: &SiteId, draft: Definition) -> Result<SurveyId, Failure> {
        let survey = seal().new_survey(site)?;
        let draft = Box::new(draft);
        ask(sql, site, TeamCall::CreateSurvey { survey: survey.clone(), draft })?;
        Ok(survey)
    }

    fn count(sql: &Native, table: &str) -> u64 {
        number(sql, &format!("SELECT count(*) FROM {table}"), &[]).unwrap()
    }

    #[test]
    fn a_site_has_so_many_surveys_and_a_copy_is_one_too() {
        let (sql, site, survey) = site();
        for _ in count(&sql, "survey")..SURVEYS_LIMIT {
            create(&sql, &site, draft("nps")).unwrap();
        }
        let entries = count(&sql, "audit");
        assert_eq!(code(create(&sql, &site, draft("nps"))), Code::TooManySurveys);
        let copy = SurveyAction::Duplicate(seal().new_survey(&site).unwrap());
        assert_eq!(code(act(&sql, &site, &survey, copy)), Code::TooManySurveys);
        assert_eq!(count(&sql, "survey"), SURVEYS_LIMIT);
        assert_eq!(count(&sql, "audit"), entries, "what was refused did not happen");
        act(&sql, &site, &survey, SurveyAction::Delete).unwrap();
        create(&sql, &site, draft("nps")).unwrap();
    }

    #[test]
    fn a_survey_has_so_many_versions() {
        let (sql, site, survey) = site();
        for _ in 0..VERSIONS_LIMIT {
            act(&sql, &site, &survey, SurveyAction::Publish).unwrap();
        }
        let refused = act(&sql, &site, &survey, SurveyAction::Publish);
        assert_eq!(code(refused), Code::TooManyVersions);
        assert_eq!(count(&sql, "published"), VERSIONS_LIMIT);
    }

    #[test]
    fn the_versions_of_a_survey_ask_so_many_different_questions() {
        let (sql, site, survey) = site();
        let publish = |version: usize| {
            let mut next = draft("nps");
            next.questions = (0..QUESTIONS_LIMIT)
                .map(|number| {
                    let mut question = next.questions[0].clone();
                    question.id = format!("q{version}_{number}");
                    question
                })
                .collect();
            next.primary = next.questions[0].id.clone();
            act(&sql, &site, &survey, SurveyAction::Update(Box::new(next))).unwrap();
            act(&sql, &site, &survey, SurveyAction::Publish)
        };
        for version in 0..10 {
            publish(version).unwrap();
        }
        publish(3).unwrap();
        assert_eq!(code(publish(10)), Code::TooManyQuestions);
    }

    #[test]
    fn what_a_site_keeps_of_definitions_has_a_ceiling_and_may_always_shrink() {
        let (sql, site, survey) = site();
        let mut large = draft("nps");
        large.name = "x".repeat(60_000);
        let mut last = survey.clone();
        let refused = loop {
            match create(&sql, &site, large.clone()) {
                Ok(created) => last = created,
                Err(refused) => break refused,
            }
        };
        assert_eq!(code::<()>(Err(refused)), Code::DefinitionsTooLarge);
        assert!(definition_bytes(&sql).unwrap() <= DEFINITIONS_LIMIT);
        large.name = "y".repeat(70_000);
        let grow = |draft: &Definition| SurveyAction::Update(Box::new(draft.clone()));
        let mut refused = Ok(String::new());
        for _ in 0..20 {
            large.name += &"y".repeat(10_000);
            refused = act(&sql, &site, &last, grow(&large));
            if refused.is_err() {
                break;
            }
        }
        assert_eq!(code(refused), Code::DefinitionsTooLarge);
        // Definitions that an earlier release let grow above the ceiling can be made smaller.
        sql.run(
            "UPDATE survey SET draft = json_set(draft, '$.name', ?)",
            &["z".repeat(80_000).into()],
        )
        .unwrap();
        assert!(definition_bytes(&sql).unwrap() > DEFINITIONS_LIMIT);
        act(&sql, &site, &last, grow(&draft("nps"))).unwrap();
    }

    #[test]
    fn what_pages_are_told_has_a_ceiling_and_only_live_surveys_count() {
        let (sql, site, _) = site();
        let mut long = draft("nps");
        // The audience is the part of a survey that makes the config long.
        long.targeting.include = (0..50)
            .map(|number| {
                serde_json::from_value(
                    serde_json::json!({ "exact": format!("/{number}{}", "x".repeat(290)) }),
                )
                .unwrap()
            })
            .collect();
        let mut live = Vec::new();
        let refused = loop {
            let survey = create(&sql, &site, long.clone()).unwrap();
            match act(&sql, &site, &survey, SurveyAction::Publish) {
                Ok(_) => live.push(survey),
                Err(refused) => break refused,
            }
        };
        assert_eq!(code::<()>(Err(refused)), Code::ConfigTooLarge);
        assert!(live.len() > 3 && config_bytes(&sql).unwrap() <= CONFIG_LIMIT);
        let pause = SurveyAction::SetStatus(Status::Paused);
        act(&sql, &site, &live[0], pause).unwrap();
        let another = create(&sql, &site, long).unwrap();
        act(&sql, &site, &another, SurveyAction::Publish).unwrap();
        let resume = SurveyAction::SetStatus(Status::Live);
        assert_eq!(code(act(&sql, &site, &live[0], resume)), Code::ConfigTooLarge);
    }
}
