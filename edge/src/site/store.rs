//! What a site keeps: itself, its keys, its surveys and every version that was published.

use asklet_shared::config::ConfigSurvey;
use asklet_shared::definition::question::{AnswerKind, Question};
use asklet_shared::definition::{Definition, Published, Status};
use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::Settings;
use asklet_shared::validate;

use super::{errands, settings};
use crate::failure::Failure;
use crate::json;
use crate::route::SHARDS_LIMIT;
use crate::rpc::{Plan, Scope, SurveyRecord, Told};
use crate::seal::{self, KeyDigest, SiteId, SurveyId};
use crate::sql::migrate::Migrations;
use crate::sql::{Row, Sql, Value};
use crate::standing::Standing;
use crate::survey::versions;

/// The schema of a `Site` object.
pub const MIGRATIONS: Migrations = &[
    &[
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
    ],
    &[
        // The settings as JSON, and how often anything changed that shards have to know.
        "CREATE TABLE site_2 (
            settings TEXT NOT NULL,
            number INTEGER NOT NULL,
            created_ms INTEGER NOT NULL
        ) STRICT",
        "INSERT INTO site_2
         SELECT json_object('name', name, 'origins', json(origins)), 1, created_ms FROM site",
        "DROP TABLE site",
        "ALTER TABLE site_2 RENAME TO site",
        "CREATE TABLE identity_secret (
            id TEXT PRIMARY KEY,
            secret TEXT NOT NULL,
            created_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID",
        "ALTER TABLE survey ADD COLUMN stopped_ms INTEGER",
        "UPDATE survey SET stopped_ms = created_ms WHERE status IN ('paused', 'archived')",
        // Shards that still have to be told something, or to be emptied.
        "CREATE TABLE errand (
            site TEXT NOT NULL,
            survey TEXT NOT NULL,
            shard INTEGER NOT NULL,
            forget INTEGER NOT NULL,
            number INTEGER NOT NULL,
            PRIMARY KEY (survey, shard)
        ) STRICT, WITHOUT ROWID",
    ],
];

/// Sets up a site with its first key, which may do everything.
pub fn create(
    sql: &impl Sql,
    settings: &Settings,
    key: &KeyDigest,
    now_ms: u64,
) -> Result<(), Failure> {
    sql.transaction(|| {
        if sql.first("SELECT 1 FROM site", &[])?.is_some() {
            return Err(Failure::Broken("a new site's id is taken".to_owned()));
        }
        sql.run(
            "INSERT INTO site (settings, number, created_ms) VALUES (?, 1, ?)",
            &[serde_json::to_string(settings)?.into(), now_ms.into()],
        )?;
        sql.run(
            "INSERT INTO key (digest, scope, created_ms) VALUES (?, ?, ?)",
            &[key.0.as_str().into(), Scope::Admin.name().into(), now_ms.into()],
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
    record.draft = Some(json::read(&row.text()?)?);
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
pub fn set_status(
    sql: &impl Sql,
    survey: &SurveyId,
    status: Status,
    now_ms: u64,
) -> Result<(), Failure> {
    let mut row = find(sql, "SELECT version FROM survey WHERE id = ?", survey)?;
    if row.integer::<u32>()? == 0 {
        let detail = "the survey was never published";
        return Err(Problem::new(Code::NotPublished, detail).into());
    }
    let stopped_ms = (status != Status::Live).then_some(now_ms);
    sql.run(
        "UPDATE survey SET status = ?, stopped_ms = ? WHERE id = ?",
        &[status.name().into(), stopped_ms.into(), survey.as_str().into()],
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

/// Removes a survey with its versions. Its shards are left to be emptied.
pub fn delete(sql: &impl Sql, site: &SiteId, survey: &SurveyId) -> Result<(), Failure> {
    sql.transaction(|| {
        let mut row = find(sql, "SELECT shards, version FROM survey WHERE id = ?", survey)?;
        let shards: u16 = row.integer()?;
        let was_published = row.integer::<u32>()? > 0;
        sql.run("DELETE FROM published WHERE survey = ?", &[survey.as_str().into()])?;
        sql.run("DELETE FROM survey WHERE id = ?", &[survey.as_str().into()])?;
        errands::leave(sql, site, survey.as_str(), if was_published { shards } else { 0 }, true)
    })
}

/// Refuses another kind of answer, or another scale, for a question that was ever published. Displays
/// of every version may still arrive, and what they add to a counter must mean the same.
fn check_scales(sql: &impl Sql, survey: &SurveyId, draft: &Definition) -> Result<(), Failure> {
    let kind = |question: &Question| match &question.answer {
        AnswerKind::Rating(rating) => (1, Some((rating.scale, rating.direction))),
        AnswerKind::Text(_) => (2, None),
        AnswerKind::Choice(_) => (3, None),
    };
    let columns = "SELECT definition FROM published WHERE survey = ?";
    sql.query(columns, &[survey.as_str().into()], &mut |mut row| {
        let earlier: Definition = json::read(&row.text()?)?;
        for (at, question) in draft.questions.iter().enumerate() {
            let was = earlier.question(&question.id).map(kind);
            if was.is_some_and(|was| was != kind(question)) {
                let detail = "the question was published on another scale: give it another id";
                let field = format!("questions[{at}].answer");
                return Err(Problem::new(Code::ScaleChanged, detail).at(field).into());
            }
        }
        Ok(())
    })
}

/// Makes the draft the survey's next version and sets it live. Runs within the caller's transaction.
pub fn publish(sql: &impl Sql, survey: &SurveyId, now_ms: u64) -> Result<(), Failure> {
    let mut row = find(sql, "SELECT version, draft FROM survey WHERE id = ?", survey)?;
    let version = row.integer::<u32>()?.saturating_add(1);
    let draft = row.text()?;
    let definition: Definition = json::read(&draft)?;
    check_scales(sql, survey, &definition)?;
    // The survey's tokens stand over the site's, so only together they can be judged.
    let theme = definition.appearance.theme.or(&settings::read(sql)?.theme);
    validate::theme("appearance.theme", &theme)?;
    sql.run(
        "INSERT INTO published (survey, version, definition, published_ms) VALUES (?, ?, ?, ?)",
        &[survey.as_str().into(), version.into(), draft.as_str().into(), now_ms.into()],
    )?;
    sql.run(
        "UPDATE survey SET status = ?, stopped_ms = NULL, version = ? WHERE id = ?",
        &[Status::Live.name().into(), version.into(), survey.as_str().into()],
    )
}

/// A version, or the latest, for a shard that lacks it, with what holds now: only if the survey has
/// that shard.
pub fn published(
    sql: &impl Sql,
    survey: &SurveyId,
    version: Option<u32>,
    shard: u16,
) -> Result<Told, Failure> {
    let columns = "SELECT shards, version FROM survey WHERE id = ? AND version > 0";
    let mut row = find(sql, columns, survey)?;
    if shard >= row.integer()? {
        return Err(Problem::new(Code::UnknownShard, "the survey has no such shard").into());
    }
    let latest = row.integer()?;
    let version = version.unwrap_or(latest);
    let published = definition(sql, survey.as_str(), version)?.ok_or_else(|| {
        Problem::new(Code::UnknownVersion, "the survey was never published in this version")
            .at("version")
            .limit(format!("1..={latest}"))
    })?;
    Ok(Told {
        published: Published { version, definition: published },
        standing: standing(sql, survey.as_str())?,
    })
}

fn definition(sql: &impl Sql, survey: &str, version: u32) -> Result<Option<Definition>, Failure> {
    let row = sql.first(
        "SELECT definition FROM published WHERE survey = ? AND version = ?",
        &[survey.into(), version.into()],
    )?;
    row.map(|mut row| Ok(json::read(&row.text()?)?)).transpose()
}

/// What holds for a published survey now.
pub fn standing(sql: &impl Sql, survey: &str) -> Result<Standing, Failure> {
    let row = sql.first(
        "SELECT site.number, site.settings, survey.stopped_ms, published.definition
         FROM site, survey JOIN published
           ON published.survey = survey.id AND published.version = survey.version
         WHERE survey.id = ?",
        &[survey.into()],
    )?;
    let mut row = row.ok_or_else(unknown_survey)?;
    let number = row.integer()?;
    let settings: Settings = json::read(&row.text()?)?;
    let stopped_ms = row.optional_integer()?;
    let definition: Definition = json::read(&row.text()?)?;
    let mut identity_secrets = Vec::new();
    sql.query("SELECT secret FROM identity_secret", &[], &mut |mut row| {
        identity_secrets.push(row.text()?);
        Ok(())
    })?;
    Ok(Standing {
        number,
        origins: settings.origins,
        privacy: settings.privacy,
        require_identity: settings.require_identity,
        identity_secrets,
        limits: settings.limits,
        stopped_ms,
        end_ms: definition.end_ms,
        retention_days: definition.retention_days,
    })
}

/// What has to be known to ask the shards of a survey.
pub fn plan(sql: &impl Sql, survey: &SurveyId) -> Result<Plan, Failure> {
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
    let definition: Definition = json::read(&row.text()?)?;
    let mut counted_traits = definition.traits.clone();
    if !counted_traits.is_empty() {
        let versions = "SELECT definition FROM published WHERE survey = ?";
        sql.query(versions, &[survey.as_str().into()], &mut |mut row| {
            let earlier: Definition = json::read(&row.text()?)?;
            counted_traits.retain(|key| earlier.traits.contains(key));
            Ok(())
        })?;
    }
    let settings = settings::read(sql)?;
    Ok(Plan {
        survey: survey.clone(),
        definition,
        // A draft has no displays, and its shards are not to be woken.
        shards: if version == 0 { 0 } else { shards },
        counted_traits,
        tz: settings.tz,
        week_starts: settings.week_starts,
    })
}

/// A plan for every survey that was ever published, oldest first.
pub fn plans(sql: &impl Sql) -> Result<Vec<Plan>, Failure> {
    let mut ids = Vec::new();
    let published = "SELECT id FROM survey WHERE version > 0 ORDER BY created_ms, id";
    sql.query(published, &[], &mut |mut row| {
        ids.push(SurveyId::stored(row.text()?));
        Ok(())
    })?;
    ids.iter().map(|survey| plan(sql, survey)).collect()
}

/// A survey that is asked, as the config tells it, and how many responses it wants.
pub struct LiveSurvey {
    /// As the config tells it.
    pub survey: ConfigSurvey,
    /// How many responses are wanted.
    pub quota: Option<u32>,
}

/// The surveys that are live at a time.
pub fn live(sql: &impl Sql, now_ms: u64) -> Result<Vec<LiveSurvey>, Failure> {
    let mut surveys = Vec::new();
    sql.query(
        "SELECT survey.id, survey.version, survey.shards, published.definition
         FROM survey JOIN published
           ON published.survey = survey.id AND published.version = survey.version
         WHERE survey.status = ? ORDER BY survey.created_ms, survey.id",
        &[Status::Live.name().into()],
        &mut |mut row| {
            let (id, version, shards) = (row.text()?, row.integer()?, row.integer()?);
            let definition: Definition = json::read(&row.text()?)?;
            if !definition.is_asked_at(now_ms) || has_choices(&definition) {
                return Ok(());
            }
            let bodies = versions::bodies(&definition)?;
            let bodies = bodies.into_iter().map(|body| (body.language, body.digest)).collect();
            let Definition { triggers, targeting, frequency, quota, .. } = definition;
            surveys.push(LiveSurvey {
                survey: ConfigSurvey {
                    id,
                    version,
                    shards,
                    bodies,
                    triggers,
                    targeting,
                    frequency,
                },
                quota,
            });
            Ok(())
        },
    )?;
    Ok(surveys)
}

/// The widget does not show choices yet, so no page is told of a survey that has them.
fn has_choices(definition: &Definition) -> bool {
    let mut answers = definition.questions.iter().map(|question| &question.answer);
    answers.any(|answer| matches!(answer, AnswerKind::Choice(_)))
}

fn find(sql: &impl Sql, columns: &str, survey: &SurveyId) -> Result<Row, Failure> {
    let row = sql.first(columns, &[Value::from(survey.as_str())])?;
    Ok(row.ok_or_else(unknown_survey)?)
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

    fn site() -> (Native, SiteId, SurveyId) {
        let sql = Native::new();
        migrate(&sql, MIGRATIONS).unwrap();
        let settings = serde_json::json!({ "name": "Shop", "origins": ["https://shop.example"] });
        let settings = serde_json::from_value(settings).unwrap();
        create(&sql, &settings, &KeyDigest(seal::digest(b"secret")), 1).unwrap();
        let seal = Seal::new("a secret of the tests, long enough").unwrap();
        let site = seal.new_site().unwrap();
        let survey = seal.new_survey(&site).unwrap();
        create_survey(&sql, &survey, &draft("nps"), 2).unwrap();
        (sql, site, survey)
    }

    fn live_versions(sql: &Native, now_ms: u64) -> Vec<u32> {
        live(sql, now_ms).unwrap().iter().map(|live| live.survey.version).collect()
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
        let (sql, _, survey) = site();
        assert!(live_versions(&sql, 5).is_empty());
        assert_eq!(plan(&sql, &survey).unwrap().shards, 0);
        assert_eq!(plans(&sql).unwrap().len(), 0);
        assert_eq!(code(set_status(&sql, &survey, Status::Paused, 3)), Code::NotPublished);
        assert_eq!(code(published(&sql, &survey, Some(1), 0)), Code::UnknownSurvey);
        publish(&sql, &survey, 3).unwrap();
        publish(&sql, &survey, 4).unwrap();
        assert_eq!(live_versions(&sql, 5), [2]);
        assert!(live_versions(&sql, 1_000).is_empty(), "the end has come");
        let version = |version| published(&sql, &survey, version, 0).unwrap().published.version;
        assert_eq!((version(Some(1)), version(None)), (1, 2));
        assert_eq!(code(published(&sql, &survey, Some(3), 0)), Code::UnknownVersion);
        assert_eq!(code(published(&sql, &survey, Some(1), 1)), Code::UnknownShard);
    }

    #[test]
    fn a_paused_survey_is_not_asked_and_one_that_is_deleted_is_unknown() {
        let (sql, site, survey) = site();
        publish(&sql, &survey, 3).unwrap();
        set_status(&sql, &survey, Status::Paused, 4).unwrap();
        assert!(live_versions(&sql, 5).is_empty());
        assert_eq!(surveys(&sql).unwrap()[0].status, Status::Paused);
        let stopped = published(&sql, &survey, Some(1), 0).unwrap().standing;
        assert_eq!((stopped.stopped_ms, stopped.closed_ms(5)), (Some(4), Some(4)));
        set_status(&sql, &survey, Status::Live, 5).unwrap();
        assert_eq!(live_versions(&sql, 5), [1]);
        let standing = standing(&sql, survey.as_str()).unwrap();
        assert_eq!((standing.closed_ms(5), standing.closed_ms(1_000)), (None, Some(1_000)));
        delete(&sql, &site, &survey).unwrap();
        assert_eq!(code(super::survey(&sql, &survey)), Code::UnknownSurvey);
        assert_eq!(code(published(&sql, &survey, Some(1), 0)), Code::UnknownSurvey);
        assert!(errands::all(&sql).unwrap().iter().all(|errand| errand.forget));
    }

    #[test]
    fn a_change_leaves_an_errand_to_every_shard_that_goes_when_it_was_this_change_that_was_told() {
        let (sql, site, survey) = site();
        let publish_one = || publish(&sql, &survey, 3);
        errands::change(&sql, &site, Some(survey.as_str()), publish_one).unwrap();
        set_shards(&sql, &survey, 2).unwrap();
        let number = || standing(&sql, survey.as_str()).unwrap().number;
        let first = number();
        let settings = settings::read(&sql).unwrap();
        let change = || settings::change(&sql, &settings);
        errands::change(&sql, &site, None, change).unwrap();
        let told = errands::all(&sql).unwrap();
        assert_eq!((told.len(), number()), (2, first + 1));
        errands::done(&sql, &told[0]).unwrap();
        errands::change(&sql, &site, None, change).unwrap();
        // The other one is about more than what was told.
        errands::done(&sql, &told[1]).unwrap();
        assert_eq!(errands::all(&sql).unwrap().len(), 2);
        let failed = errands::change(&sql, &site, None, || Err(unknown_survey().into()));
        assert_eq!(code(failed), Code::UnknownSurvey);
        assert_eq!(number(), first + 2);
    }

    #[test]
    fn two_identity_secrets_hold_at_a_time() {
        let (sql, _, survey) = site();
        publish(&sql, &survey, 3).unwrap();
        settings::add_secret(&sql, "a", "first", 1).unwrap();
        settings::add_secret(&sql, "b", "second", 2).unwrap();
        assert_eq!(code(settings::add_secret(&sql, "c", "third", 3)), Code::TooManySecrets);
        assert_eq!(standing(&sql, survey.as_str()).unwrap().identity_secrets, ["first", "second"]);
        settings::remove_secret(&sql, "a").unwrap();
        assert_eq!(code(settings::remove_secret(&sql, "a")), Code::NotFound);
        assert_eq!(settings::record(&sql).unwrap().identity_secrets[0].id, "b");
    }

    #[test]
    fn a_site_of_the_first_schema_moves_on() {
        let sql = Native::new();
        migrate(&sql, &MIGRATIONS[..1]).unwrap();
        sql.run("INSERT INTO site VALUES ('Shop', '[\"https://shop.example\"]', 7)", &[]).unwrap();
        migrate(&sql, MIGRATIONS).unwrap();
        let record = settings::record(&sql).unwrap();
        assert_eq!((record.created_ms, record.settings.name.as_str()), (7, "Shop"));
        assert_eq!(record.settings.origins, ["https://shop.example"]);
    }

    #[test]
    fn a_scale_never_changes_not_even_by_way_of_a_version_without_the_question() {
        let (sql, _, survey) = site();
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
        publish(&sql, &survey, 7).unwrap();
        assert_eq!(live_versions(&sql, 8), [3]);
    }

    #[test]
    fn a_theme_is_judged_over_the_sites() {
        let (sql, _, survey) = site();
        let mut draft = draft("nps");
        let theme = serde_json::json!({ "light": { "text": "#111111" } });
        draft.appearance.theme = serde_json::from_value(theme).unwrap();
        update(&sql, &survey, &draft).unwrap();
        let mut settings = settings::read(&sql).unwrap();
        let dark = serde_json::json!({ "light": { "background": "#000000", "text": "#ffffff" } });
        settings.theme = serde_json::from_value(dark).unwrap();
        settings::change(&sql, &settings).unwrap();
        assert_eq!(code(publish(&sql, &survey, 3)), Code::InvalidDefinition);
    }

    #[test]
    fn a_key_is_known_by_its_digest_and_does_what_its_scope_says() {
        let (sql, ..) = site();
        let known = KeyDigest(seal::digest(b"secret"));
        authorize(&sql, &known, Scope::Admin).unwrap();
        let unknown = KeyDigest(seal::digest(b"guess"));
        assert_eq!(code(authorize(&sql, &unknown, Scope::Read)), Code::Unauthenticated);
        sql.run("UPDATE key SET scope = 'read'", &[]).unwrap();
        authorize(&sql, &known, Scope::Read).unwrap();
        assert_eq!(code(authorize(&sql, &known, Scope::Write)), Code::Forbidden);
    }
}
