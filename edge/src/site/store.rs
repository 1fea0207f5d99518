//! What a site keeps: itself, its keys, its surveys and every version that was published.

use asklet_shared::config::ConfigSurvey;
use asklet_shared::definition::question::Rating;
use asklet_shared::definition::{Definition, Published, Status};
use asklet_shared::problem::{Code, Problem};

use crate::failure::Failure;
use crate::route::SHARDS_LIMIT;
use crate::rpc::{NewSite, Plan, Scope, SurveyRecord};
use crate::seal::{self, KeyDigest, SurveyId};
use crate::sql::migrate::Migrations;
use crate::sql::{Row, Sql, Value};
use crate::survey::versions;

/// The schema of a `Site` object.
pub const MIGRATIONS: Migrations = &[&[
    "CREATE TABLE site (
        name TEXT NOT NULL,
        origins TEXT NOT NULL,
        created_ms INTEGER NOT NULL
    ) STRICT",
    "CREATE TABLE key (
        digest TEXT PRIMARY KEY,
        scope TEXT NOT NULL,
        created_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE survey (
        id TEXT PRIMARY KEY,
        status TEXT NOT NULL,
        shards INTEGER NOT NULL,
        version INTEGER NOT NULL,
        draft TEXT NOT NULL,
        created_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE published (
        survey TEXT NOT NULL,
        version INTEGER NOT NULL,
        definition TEXT NOT NULL,
        published_ms INTEGER NOT NULL,
        PRIMARY KEY (survey, version)
    ) STRICT, WITHOUT ROWID",
]];

/// Sets up a site with its first key, which may do everything.
pub fn create(sql: &impl Sql, site: &NewSite, now_ms: u64) -> Result<(), Failure> {
    sql.transaction(|| {
        if sql.first("SELECT 1 FROM site", &[])?.is_some() {
            return Err(Failure::Broken("a new site's id is taken".to_owned()));
        }
        let origins = serde_json::to_string(&site.origins)?;
        sql.run(
            "INSERT INTO site (name, origins, created_ms) VALUES (?, ?, ?)",
            &[site.name.as_str().into(), origins.into(), now_ms.into()],
        )?;
        sql.run(
            "INSERT INTO key (digest, scope, created_ms) VALUES (?, ?, ?)",
            &[site.key.0.as_str().into(), Scope::Admin.name().into(), now_ms.into()],
        )
    })
}

/// Checks that a key is one of the site's and may do what `needed` names.
pub fn authorize(sql: &impl Sql, key: &KeyDigest, needed: Scope) -> Result<(), Failure> {
    let mut scope = None;
    // Every key is compared, each in constant time, so that the answer's time tells nothing.
    sql.query("SELECT digest, scope FROM key", &[], &mut |mut row| {
        let (digest, granted) = (row.text()?, row.text()?);
        if seal::same(&digest, &key.0) {
            scope = Scope::named(&granted);
        }
        Ok(())
    })?;
    match scope {
        None => Err(Problem::new(Code::Unauthenticated, "the key is not known").into()),
        Some(scope) if scope < needed => {
            let detail = format!("the key's scope is {}", scope.name());
            Err(Problem::new(Code::Forbidden, detail).limit(needed.name()).into())
        }
        Some(_) => Ok(()),
    }
}

/// Keeps a new survey as a draft.
pub fn create_survey(
    sql: &impl Sql,
    survey: &SurveyId,
    draft: &Definition,
    now_ms: u64,
) -> Result<(), Failure> {
    sql.run(
        "INSERT INTO survey (id, status, shards, version, draft, created_ms)
         VALUES (?, ?, 1, 0, ?, ?)",
        &[
            survey.as_str().into(),
            Status::Draft.name().into(),
            serde_json::to_string(draft)?.into(),
            now_ms.into(),
        ],
    )
}

/// A survey with its draft.
pub fn survey(sql: &impl Sql, survey: &SurveyId) -> Result<SurveyRecord, Failure> {
    let columns = "SELECT id, status, shards, version, created_ms, draft FROM survey WHERE id = ?";
    let mut row = find(sql, columns, survey)?;
    let mut record = record(&mut row)?;
    record.draft = Some(serde_json::from_str(&row.text()?)?);
    Ok(record)
}

/// All surveys, oldest first, without their drafts.
pub fn surveys(sql: &impl Sql) -> Result<Vec<SurveyRecord>, Failure> {
    let mut surveys = Vec::new();
    sql.query(
        "SELECT id, status, shards, version, created_ms FROM survey ORDER BY created_ms, id",
        &[],
        &mut |mut row| {
            surveys.push(record(&mut row)?);
            Ok(())
        },
    )?;
    Ok(surveys)
}

fn record(row: &mut Row) -> Result<SurveyRecord, Failure> {
    Ok(SurveyRecord {
        survey: row.text()?,
        status: Status::named(&row.text()?)
            .ok_or_else(|| Failure::Broken("a stored survey has no valid status".to_owned()))?,
        shards: row.integer()?,
        version: row.integer()?,
        created_ms: row.integer()?,
        draft: None,
    })
}

/// Replaces the draft; what is live stays as it was published.
pub fn update(sql: &impl Sql, survey: &SurveyId, draft: &Definition) -> Result<(), Failure> {
    find(sql, "SELECT 1 FROM survey WHERE id = ?", survey)?;
    sql.run(
        "UPDATE survey SET draft = ? WHERE id = ?",
        &[serde_json::to_string(draft)?.into(), survey.as_str().into()],
    )
}

/// Moves a survey to another status. One that was never published cannot be asked or stop.
pub fn set_status(sql: &impl Sql, survey: &SurveyId, status: Status) -> Result<(), Failure> {
    let mut row = find(sql, "SELECT version FROM survey WHERE id = ?", survey)?;
    if row.integer::<u32>()? == 0 {
        let detail = "the survey was never published";
        return Err(Problem::new(Code::NotPublished, detail).into());
    }
    sql.run(
        "UPDATE survey SET status = ? WHERE id = ?",
        &[status.name().into(), survey.as_str().into()],
    )
}

/// Spreads a survey's displays over more shards. Never over fewer: a display stays on the shard on
/// which it started, and summaries ask as many as there are.
pub fn set_shards(sql: &impl Sql, survey: &SurveyId, shards: u16) -> Result<(), Failure> {
    let mut row = find(sql, "SELECT shards FROM survey WHERE id = ?", survey)?;
    let least = row.integer::<u16>()?;
    if shards < least || shards > SHARDS_LIMIT {
        return Err(Problem::new(Code::InvalidSettings, "the number of shards only grows")
            .at("shards")
            .limit(format!("{least}..={SHARDS_LIMIT}"))
            .into());
    }
    sql.run(
        "UPDATE survey SET shards = ? WHERE id = ?",
        &[u32::from(shards).into(), survey.as_str().into()],
    )
}

/// Removes a survey with its versions. Returns how many shards may hold displays of it.
pub fn delete(sql: &impl Sql, survey: &SurveyId) -> Result<u16, Failure> {
    sql.transaction(|| {
        let mut row = find(sql, "SELECT shards FROM survey WHERE id = ?", survey)?;
        let shards = row.integer()?;
        sql.run("DELETE FROM published WHERE survey = ?", &[survey.as_str().into()])?;
        sql.run("DELETE FROM survey WHERE id = ?", &[survey.as_str().into()])?;
        Ok(shards)
    })
}

/// Refuses another scale for a question that was ever published with one. Displays of every version
/// may still arrive, and what they add to a counter must mean the same.
fn check_scales(sql: &impl Sql, survey: &SurveyId, draft: &Definition) -> Result<(), Failure> {
    let scale = |rating: &Rating| (rating.scale, rating.direction);
    let columns = "SELECT definition FROM published WHERE survey = ?";
    sql.query(columns, &[survey.as_str().into()], &mut |mut row| {
        let earlier: Definition = serde_json::from_str(&row.text()?)?;
        for (at, question) in draft.questions.iter().enumerate() {
            let was = earlier.rating(&question.id).map(scale);
            let was_asked = earlier.question(&question.id).is_some();
            if was_asked && was != draft.rating(&question.id).map(scale) {
                let detail = "the question was published on another scale: give it another id";
                let field = format!("questions[{at}].answer");
                return Err(Problem::new(Code::ScaleChanged, detail).at(field).into());
            }
        }
        Ok(())
    })
}

/// Makes the draft the survey's next version and sets it live. Returns the version with the number
/// of shards that it is to be pushed to.
pub fn publish(
    sql: &impl Sql,
    survey: &SurveyId,
    now_ms: u64,
) -> Result<(Published, u16), Failure> {
    sql.transaction(|| {
        let mut row = find(sql, "SELECT shards, version, draft FROM survey WHERE id = ?", survey)?;
        let shards = row.integer()?;
        let version = row.integer::<u32>()?.saturating_add(1);
        let draft = row.text()?;
        let definition = serde_json::from_str(&draft)?;
        check_scales(sql, survey, &definition)?;
        sql.run(
            "INSERT INTO published (survey, version, definition, published_ms) VALUES (?, ?, ?, ?)",
            &[survey.as_str().into(), version.into(), draft.as_str().into(), now_ms.into()],
        )?;
        sql.run(
            "UPDATE survey SET status = ?, version = ? WHERE id = ?",
            &[Status::Live.name().into(), version.into(), survey.as_str().into()],
        )?;
        Ok((Published { version, definition, origins: origins(sql)? }, shards))
    })
}

/// A version, or the latest, for a shard that lacks it: only if the survey has that shard.
pub fn published(
    sql: &impl Sql,
    survey: &SurveyId,
    version: Option<u32>,
    shard: u16,
) -> Result<Published, Failure> {
    let columns = "SELECT shards, version FROM survey WHERE id = ? AND version > 0";
    let mut row = find(sql, columns, survey)?;
    if row.integer::<u16>()? <= shard {
        return Err(Problem::new(Code::UnknownShard, "there is no such shard").into());
    }
    let latest = row.integer()?;
    let version = version.unwrap_or(latest);
    let row = sql.first(
        "SELECT definition FROM published WHERE survey = ? AND version = ?",
        &[survey.as_str().into(), version.into()],
    )?;
    let Some(mut row) = row else {
        let detail = format!("version {version} was never published");
        return Err(Problem::new(Code::UnknownVersion, detail).at("version").into());
    };
    let definition = serde_json::from_str(&row.text()?)?;
    Ok(Published { version, definition, origins: origins(sql)? })
}

/// What has to be asked for a summary of a rating question, and where: of the primary one, unless
/// another is named. The latest version decides; before the first publish, the draft.
pub fn plan(sql: &impl Sql, survey: &SurveyId, question: Option<&str>) -> Result<Plan, Failure> {
    let mut row = find(
        sql,
        "SELECT survey.shards, survey.version, coalesce(published.definition, survey.draft)
         FROM survey LEFT JOIN published
           ON published.survey = survey.id AND published.version = survey.version
         WHERE survey.id = ?",
        survey,
    )?;
    let shards = row.integer()?;
    let version: u32 = row.integer()?;
    let definition: Definition = serde_json::from_str(&row.text()?)?;
    let question = question.unwrap_or(&definition.primary);
    let Some(rating) = definition.rating(question) else {
        let detail = "the survey has no rating question with that id";
        return Err(Problem::new(Code::InvalidQuery, detail).at("question").into());
    };
    // A draft has no displays, and its shards are not to be woken.
    let shards = if version == 0 { 0 } else { shards };
    Ok(Plan { question: question.to_owned(), rating: rating.clone(), shards })
}

/// The surveys that are live at a time, as the config tells them.
pub fn live(sql: &impl Sql, now_ms: u64) -> Result<Vec<ConfigSurvey>, Failure> {
    let mut surveys = Vec::new();
    sql.query(
        "SELECT survey.id, survey.version, survey.shards, published.definition
         FROM survey JOIN published
           ON published.survey = survey.id AND published.version = survey.version
         WHERE survey.status = ? ORDER BY survey.created_ms, survey.id",
        &[Status::Live.name().into()],
        &mut |mut row| {
            let (id, version, shards) = (row.text()?, row.integer()?, row.integer()?);
            let definition: Definition = serde_json::from_str(&row.text()?)?;
            if !definition.is_asked_at(now_ms) {
                return Ok(());
            }
            let bodies = versions::bodies(&definition)?;
            let bodies = bodies.into_iter().map(|body| (body.language, body.digest)).collect();
            let Definition { triggers, targeting, frequency, .. } = definition;
            surveys.push(ConfigSurvey {
                id,
                version,
                shards,
                bodies,
                triggers,
                targeting,
                frequency,
            });
            Ok(())
        },
    )?;
    Ok(surveys)
}

fn find(sql: &impl Sql, columns: &str, survey: &SurveyId) -> Result<Row, Failure> {
    let row = sql.first(columns, &[Value::from(survey.as_str())])?;
    Ok(row.ok_or_else(unknown_survey)?)
}

fn origins(sql: &impl Sql) -> Result<Vec<String>, Failure> {
    let row = sql.first("SELECT origins FROM site", &[])?;
    let mut row = row.ok_or_else(|| Failure::Broken("the site's row is missing".to_owned()))?;
    Ok(serde_json::from_str(&row.text()?)?)
}

fn unknown_survey() -> Problem {
    Problem::new(Code::UnknownSurvey, "the site has no such survey")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::Seal;
    use crate::sql::migrate::migrate;
    use crate::sql::native::Native;

    fn site() -> (Native, SurveyId) {
        let sql = Native::new();
        migrate(&sql, MIGRATIONS).unwrap();
        let new = NewSite {
            name: "Shop".to_owned(),
            origins: vec!["https://shop.example".to_owned()],
            key: KeyDigest(seal::digest(b"secret")),
        };
        create(&sql, &new, 1).unwrap();
        let seal = Seal::new("a secret of the tests, long enough").unwrap();
        let survey = seal.new_survey(&seal.new_site().unwrap()).unwrap();
        create_survey(&sql, &survey, &draft("nps"), 2).unwrap();
        (sql, survey)
    }

    fn draft(scale: &str) -> Definition {
        let rating = serde_json::json!({ "scale": scale, "low": "Not likely", "high": "Likely" });
        let draft = serde_json::json!({
            "name": "Relationship",
            "questions": [{ "id": "score", "text": "How likely?", "answer": { "rating": rating } }],
            "primary": "score",
            "thanks": { "text": "Thank you!" },
            "end_ms": 1_000,
        });
        serde_json::from_value(draft).unwrap()
    }

    fn code<T: std::fmt::Debug>(result: Result<T, Failure>) -> Code {
        match result {
            Err(Failure::Problem(problem)) => problem.code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_survey_is_live_once_it_is_published_and_every_publish_makes_a_version() {
        let (sql, survey) = site();
        assert_eq!(live(&sql, 5).unwrap(), []);
        assert_eq!(plan(&sql, &survey, None).unwrap().shards, 0);
        assert_eq!(code(set_status(&sql, &survey, Status::Paused)), Code::NotPublished);
        assert_eq!(code(published(&sql, &survey, Some(1), 0)), Code::UnknownSurvey);
        let (first, shards) = publish(&sql, &survey, 3).unwrap();
        let (second, _) = publish(&sql, &survey, 4).unwrap();
        assert_eq!((first.version, second.version, shards), (1, 2, 1));
        assert_eq!(live(&sql, 5).unwrap()[0].version, 2);
        assert_eq!(live(&sql, 1_000).unwrap(), [], "the end has come");
        assert_eq!(published(&sql, &survey, Some(1), 0).unwrap(), first);
        assert_eq!(published(&sql, &survey, None, 0).unwrap(), second);
        assert_eq!(code(published(&sql, &survey, Some(3), 0)), Code::UnknownVersion);
        assert_eq!(code(published(&sql, &survey, Some(1), 1)), Code::UnknownShard);
    }

    #[test]
    fn a_paused_survey_is_not_asked_and_one_that_is_deleted_is_unknown() {
        let (sql, survey) = site();
        publish(&sql, &survey, 3).unwrap();
        set_status(&sql, &survey, Status::Paused).unwrap();
        assert_eq!(live(&sql, 5).unwrap(), []);
        assert_eq!(surveys(&sql).unwrap()[0].status, Status::Paused);
        published(&sql, &survey, Some(1), 0).unwrap();
        set_status(&sql, &survey, Status::Live).unwrap();
        assert_eq!(live(&sql, 5).unwrap().len(), 1);
        assert_eq!(delete(&sql, &survey).unwrap(), 1);
        assert_eq!(code(super::survey(&sql, &survey)), Code::UnknownSurvey);
        assert_eq!(code(published(&sql, &survey, Some(1), 0)), Code::UnknownSurvey);
    }

    #[test]
    fn a_scale_never_changes_not_even_by_way_of_a_version_without_the_question() {
        let (sql, survey) = site();
        publish(&sql, &survey, 3).unwrap();
        update(&sql, &survey, &draft("csat_5")).unwrap();
        assert_eq!(code(publish(&sql, &survey, 4)), Code::ScaleChanged);
        let mut without = draft("csat_5");
        without.questions[0].id = "other".to_owned();
        without.primary = "other".to_owned();
        update(&sql, &survey, &without).unwrap();
        publish(&sql, &survey, 5).unwrap();
        update(&sql, &survey, &draft("csat_5")).unwrap();
        assert_eq!(code(publish(&sql, &survey, 6)), Code::ScaleChanged);
        update(&sql, &survey, &draft("nps")).unwrap();
        assert_eq!(publish(&sql, &survey, 7).unwrap().0.version, 3);
        assert_eq!(code(plan(&sql, &survey, Some("mood"))), Code::InvalidQuery);
    }

    #[test]
    fn a_key_is_known_by_its_digest_and_does_what_its_scope_says() {
        let (sql, _) = site();
        let known = KeyDigest(seal::digest(b"secret"));
        authorize(&sql, &known, Scope::Admin).unwrap();
        let unknown = KeyDigest(seal::digest(b"guess"));
        assert_eq!(code(authorize(&sql, &unknown, Scope::Read)), Code::Unauthenticated);
        sql.run("UPDATE key SET scope = 'read'", &[]).unwrap();
        authorize(&sql, &known, Scope::Read).unwrap();
        assert_eq!(code(authorize(&sql, &known, Scope::Write)), Code::Forbidden);
    }
}
