//! What a site keeps: itself, its keys, its surveys and every version that was published.

use asklet_shared::config::ConfigSurvey;
use asklet_shared::definition::{Definition, Published, Status};
use asklet_shared::problem::{Code, Problem};

use crate::failure::Failure;
use crate::rpc::{NewSite, Plan, Scope};
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
            status_name(Status::Draft).into(),
            serde_json::to_string(draft)?.into(),
            now_ms.into(),
        ],
    )
}

/// Makes the draft the survey's next version and sets it live. Returns the version with the number
/// of shards that it is to be pushed to.
pub fn publish(
    sql: &impl Sql,
    survey: &SurveyId,
    now_ms: u64,
) -> Result<(Published, u16), Failure> {
    sql.transaction(|| {
        let columns = "SELECT shards, version, draft FROM survey WHERE id = ?";
        let row = sql.first(columns, &[survey.as_str().into()])?;
        let mut row = row.ok_or_else(unknown_survey)?;
        let shards = row.integer()?;
        let version = row.integer::<u32>()?.saturating_add(1);
        let draft = row.text()?;
        sql.run(
            "INSERT INTO published (survey, version, definition, published_ms) VALUES (?, ?, ?, ?)",
            &[survey.as_str().into(), version.into(), draft.as_str().into(), now_ms.into()],
        )?;
        sql.run(
            "UPDATE survey SET status = ?, version = ? WHERE id = ?",
            &[status_name(Status::Live).into(), version.into(), survey.as_str().into()],
        )?;
        let definition = serde_json::from_str(&draft)?;
        Ok((Published { version, definition, origins: origins(sql)? }, shards))
    })
}

/// A version, for a shard that lacks it: only if the survey has that shard.
pub fn published(
    sql: &impl Sql,
    survey: &SurveyId,
    version: u32,
    shard: u16,
) -> Result<Published, Failure> {
    let mut row = find(sql, "SELECT shards FROM survey WHERE id = ? AND version > 0", survey)?;
    if row.integer::<u16>()? <= shard {
        return Err(Problem::new(Code::UnknownShard, "there is no such shard").into());
    }
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

/// What has to be asked for a survey's summary, and where.
pub fn plan(sql: &impl Sql, survey: &SurveyId) -> Result<Plan, Failure> {
    let mut row = find(sql, "SELECT shards, version, draft FROM survey WHERE id = ?", survey)?;
    let shards = row.integer()?;
    let version: u32 = row.integer()?;
    let draft: Definition = serde_json::from_str(&row.text()?)?;
    let scale = draft
        .primary_scale()
        .ok_or_else(|| Failure::Broken("a stored survey has no primary scale".to_owned()))?;
    // A draft has no displays, and its shards are not to be woken.
    Ok(Plan { question: draft.primary, scale, shards: if version == 0 { 0 } else { shards } })
}

/// The live surveys, as the config tells them.
pub fn live(sql: &impl Sql) -> Result<Vec<ConfigSurvey>, Failure> {
    let origins = origins(sql)?;
    let mut surveys = Vec::new();
    sql.query(
        "SELECT survey.id, survey.version, survey.shards, published.definition
         FROM survey JOIN published
           ON published.survey = survey.id AND published.version = survey.version
         WHERE survey.status = ? ORDER BY survey.created_ms, survey.id",
        &[status_name(Status::Live).into()],
        &mut |mut row| {
            let (id, version, shards) = (row.text()?, row.integer()?, row.integer()?);
            let definition: Definition = serde_json::from_str(&row.text()?)?;
            let delay_ms = definition.trigger.delay_ms;
            let language = definition.language.clone();
            let published = Published { version, definition, origins: origins.clone() };
            let (digest, _) = versions::body(&published)?;
            let bodies = [(language, digest)].into();
            surveys.push(ConfigSurvey { id, version, shards, bodies, delay_ms });
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

fn status_name(status: Status) -> &'static str {
    match status {
        Status::Draft => "draft",
        Status::Live => "live",
    }
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
        let draft = serde_json::json!({
            "name": "Relationship",
            "questions": [{
                "id": "score",
                "text": "How likely are you to recommend us?",
                "answer": {"rating": {"scale": "nps", "low": "Not likely", "high": "Likely"}},
            }],
            "primary": "score",
            "thanks": "Thank you!",
        });
        create_survey(&sql, &survey, &serde_json::from_value(draft).unwrap(), 2).unwrap();
        (sql, survey)
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
        assert_eq!(live(&sql).unwrap(), []);
        assert_eq!(plan(&sql, &survey).unwrap().shards, 0);
        assert_eq!(code(published(&sql, &survey, 1, 0)), Code::UnknownSurvey);
        let (first, shards) = publish(&sql, &survey, 3).unwrap();
        let (second, _) = publish(&sql, &survey, 4).unwrap();
        assert_eq!((first.version, second.version, shards), (1, 2, 1));
        assert_eq!(live(&sql).unwrap()[0].version, 2);
        assert_eq!(published(&sql, &survey, 1, 0).unwrap(), first);
        assert_eq!(code(published(&sql, &survey, 3, 0)), Code::UnknownVersion);
        assert_eq!(code(published(&sql, &survey, 1, 1)), Code::UnknownShard);
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
