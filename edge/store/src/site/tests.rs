//! Tests of what a site stores, on real SQLite.

use asklet_protocol::calls::team::TeamCall;
use asklet_protocol::failure::Failure;
use asklet_protocol::ids::{SiteId, SurveyId};
use asklet_protocol::keys::{KeyDigest, NewKey};
use asklet_protocol::problems::unknown_survey;
use asklet_protocol::seal::{self, Seal};
use asklet_shared::definition::{Definition, Status};
use asklet_shared::problem::Code;
use asklet_shared::scope::Scope;
use asklet_shared::settings::Look;

use crate::alarm::tests::{Clock, at_once};
use crate::site::outbox::{self, OutboxMessage};
use crate::site::published::{live, plan, policy, publish, published};
use crate::site::schema::{MIGRATIONS, create};
use crate::site::surveys::{self, delete, set_shards, set_status, update};
use crate::site::team::CallContext;
use crate::site::{published as versions, settings, team};
use crate::sql::Sql;
use crate::sql::migrate::migrate;
use crate::sql::native::Native;
use crate::vault::Vault;

/// Answers a call of the key `k1`.
pub fn ask(sql: &Native, site: &SiteId, call: TeamCall) -> Result<String, Failure> {
    let change = call.change();
    let (once, if_match) = (None, None);
    let context = CallContext { who: "k1", change: change.as_ref(), once, if_match, now_ms: 5 };
    team::answer(sql, site, context, call)
}

pub fn site() -> (Native, SiteId, SurveyId) {
    let sql = Native::default();
    migrate(&sql, MIGRATIONS).unwrap();
    let settings = serde_json::json!({ "name": "Shop", "origins": ["https://shop.example"] });
    let settings = serde_json::from_value(settings).unwrap();
    create(&sql, &settings, &key("k1", "secret", Scope::Admin), 1).unwrap();
    let seal = seal();
    let site = seal.new_site().unwrap();
    let survey = seal.new_survey(&site).unwrap();
    surveys::create(&sql, &survey, &draft("nps"), 2).unwrap();
    (sql, site, survey)
}

pub fn seal() -> Seal {
    Seal::new("a secret of the tests, long enough").unwrap()
}

pub fn key(id: &str, secret: &str, scope: Scope) -> NewKey {
    let digest = KeyDigest(seal::digest(secret.as_bytes()));
    NewKey { id: id.to_owned(), digest, name: "a key".to_owned(), scope, created_ms: 1 }
}

/// Makes a change and its outbox messages, as a team does.
fn change(
    sql: &Native,
    site: &SiteId,
    survey: Option<&str>,
    work: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    sql.transaction(|| {
        work()?;
        outbox::notify(sql, site, survey)
    })
}

/// When the draft in the tests ends.
const END_MS: u64 = 1_793_491_200_000;

fn live_versions(sql: &Native, now_ms: u64) -> Vec<u32> {
    let seal = seal();
    let site = seal.new_site().unwrap();
    let address = &|survey: &SurveyId, shard| seal.shard(&site, survey, shard);
    let live = live(sql, address, &Look::default(), now_ms).unwrap();
    live.iter().map(|live| live.survey.version).collect()
}

pub fn draft(scale: &str) -> Definition {
    let rating = serde_json::json!({ "scale": scale, "low": "Not likely", "high": "Likely" });
    let draft = serde_json::json!({
        "name": "Relationship",
        "questions": [{ "id": "score", "text": "How likely?", "answer": { "rating": rating } }],
        "primary": "score",
        "thanks": { "text": "Thank you!" },
        "end_ms": END_MS,
    });
    serde_json::from_value(draft).unwrap()
}

pub fn code<T: std::fmt::Debug>(result: Result<T, Failure>) -> Code {
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
    assert_eq!(versions::surveys(&sql).unwrap().len(), 0);
    assert_eq!(code(set_status(&sql, &survey, Status::Paused, 3)), Code::NotPublished);
    assert_eq!(code(published(&sql, &survey, Some(1), 0)), Code::UnknownSurvey);
    publish(&sql, &survey, 3).unwrap();
    publish(&sql, &survey, 4).unwrap();
    assert_eq!(live_versions(&sql, 5), [2]);
    assert!(live_versions(&sql, END_MS).is_empty(), "the end has come");
    let version = |version| published(&sql, &survey, version, 0).unwrap().published.version;
    assert_eq!((version(Some(1)), version(None)), (1, 2));
    assert_eq!(code(published(&sql, &survey, Some(3), 0)), Code::UnknownVersion);
    assert_eq!(code(published(&sql, &survey, Some(1), 1)), Code::UnknownShard);
}

#[test]
fn what_a_later_version_drops_is_still_known() {
    let (sql, _, survey) = site();
    let mut first = draft("nps");
    let mut effort = first.questions[0].clone();
    effort.id = "effort".to_owned();
    first.traits = vec!["plan".to_owned(), "role".to_owned()];
    update(&sql, &survey, &first).unwrap();
    publish(&sql, &survey, 3).unwrap();
    let mut second = draft("nps");
    second.questions = vec![effort];
    second.primary = "effort".to_owned();
    second.traits = vec!["role".to_owned(), "size".to_owned()];
    update(&sql, &survey, &second).unwrap();
    publish(&sql, &survey, 4).unwrap();
    let plan = plan(&sql, &survey).unwrap();
    assert_eq!(plan.question("score"), Some(&first.questions[0]));
    assert_eq!(plan.question("effort"), Some(&second.questions[0]));
    assert_eq!(plan.question("other"), None);
    assert_eq!(plan.earlier_primaries, ["score"]);
    assert_eq!(plan.traits, ["role", "size", "plan"]);
    assert_eq!(plan.counted_traits, ["role"]);
    // The question cannot return with another scale.
    update(&sql, &survey, &draft("csat_10")).unwrap();
    assert_eq!(code(publish(&sql, &survey, 5)), Code::ScaleChanged);
}

#[test]
fn a_paused_survey_is_not_asked_and_one_that_is_deleted_is_unknown() {
    let (sql, site, survey) = site();
    publish(&sql, &survey, 3).unwrap();
    set_status(&sql, &survey, Status::Paused, 4).unwrap();
    assert!(live_versions(&sql, 5).is_empty());
    assert_eq!(surveys::list(&sql).unwrap()[0].status, Status::Paused);
    let stopped = published(&sql, &survey, Some(1), 0).unwrap().policy;
    assert_eq!((stopped.stopped_ms, stopped.closed_ms(5)), (Some(4), Some(4)));
    set_status(&sql, &survey, Status::Live, 5).unwrap();
    assert_eq!(live_versions(&sql, 5), [1]);
    let policy = policy(&sql, survey.as_str()).unwrap();
    assert_eq!((policy.closed_ms(5), policy.closed_ms(END_MS)), (None, Some(END_MS)));
    delete(&sql, &site, &survey).unwrap();
    assert_eq!(code(surveys::read(&sql, &survey)), Code::UnknownSurvey);
    assert_eq!(code(published(&sql, &survey, Some(1), 0)), Code::UnknownSurvey);
    let messages = outbox::all(&sql).unwrap();
    assert_eq!(messages.iter().map(|message| message.forget).collect::<Vec<_>>(), [true]);
    assert!(messages[0].revision > stopped.revision, "what was told before is older");
}

#[test]
fn the_errand_of_a_deletion_outlives_one_that_was_being_run() {
    let (sql, site, survey) = site();
    let publish_one = || publish(&sql, &survey, 3);
    change(&sql, &site, Some(survey.as_str()), publish_one).unwrap();
    let told = outbox::all(&sql).unwrap();
    delete(&sql, &site, &survey).unwrap();
    outbox::done(&sql, &told[0]).unwrap();
    assert!(outbox::all(&sql).unwrap()[0].forget);
}

#[test]
fn what_is_done_leaves_the_alarm_of_what_failed_meanwhile() {
    let (sql, site, survey) = site();
    let change = |work: &dyn Fn() -> Result<(), Failure>| {
        change(&sql, &site, Some(survey.as_str()), work).unwrap();
    };
    change(&|| publish(&sql, &survey, 3));
    let clock = Clock::default();
    at_once(outbox::deliver_all(&sql, &clock, async |_: &OutboxMessage| {
        // Before this message is delivered, another change is made, whose outbox message fails.
        change(&|| Ok(()));
        outbox::deliver_all(&sql, &clock, async |_: &OutboxMessage| false).await.unwrap();
        true
    }))
    .unwrap();
    assert!(clock.0.get().is_some());
    assert_eq!(outbox::all(&sql).unwrap().len(), 1);
    at_once(outbox::deliver_all(&sql, &clock, async |_: &OutboxMessage| true)).unwrap();
    assert_eq!(clock.0.get(), None);
}

#[test]
fn a_change_leaves_an_errand_to_every_shard_that_goes_when_it_was_this_change_that_was_told() {
    let (sql, site, survey) = site();
    let publish_one = || publish(&sql, &survey, 3);
    change(&sql, &site, Some(survey.as_str()), publish_one).unwrap();
    set_shards(&sql, &survey, 2).unwrap();
    let revision = || policy(&sql, survey.as_str()).unwrap().revision;
    let first = revision();
    let settings = settings::read(&sql).unwrap();
    let again = || settings::change(&sql, &settings);
    change(&sql, &site, None, again).unwrap();
    let told = outbox::all(&sql).unwrap();
    assert_eq!((told.len(), revision()), (2, first + 1));
    outbox::done(&sql, &told[0]).unwrap();
    change(&sql, &site, None, again).unwrap();
    // The stored message is about a later change than the delivered message.
    outbox::done(&sql, &told[1]).unwrap();
    assert_eq!(outbox::all(&sql).unwrap().len(), 2);
    let failed = change(&sql, &site, None, || Err(unknown_survey().into()));
    assert_eq!(code(failed), Code::UnknownSurvey);
    assert_eq!(revision(), first + 2);
}

#[test]
fn two_identity_secrets_hold_at_a_time() {
    let (sql, _, survey) = site();
    publish(&sql, &survey, 3).unwrap();
    settings::add_secret(&sql, "a", "first", 1).unwrap();
    settings::add_secret(&sql, "b", "second", 2).unwrap();
    assert_eq!(code(settings::add_secret(&sql, "c", "third", 3)), Code::TooManySecrets);
    assert_eq!(policy(&sql, survey.as_str()).unwrap().identity_secrets, ["first", "second"]);
    settings::remove_secret(&sql, "a").unwrap();
    assert_eq!(code(settings::remove_secret(&sql, "a")), Code::NotFound);
    assert_eq!(settings::record(&sql).unwrap().identity_secrets[0].id, "b");
}

#[test]
fn secrets_that_were_stored_open_are_locked_once_there_is_a_key() {
    let (sql, _, survey) = site();
    publish(&sql, &survey, 3).unwrap();
    settings::add_secret(&sql, "a", "first", 1).unwrap();
    let stored = || policy(&sql, survey.as_str()).unwrap().identity_secrets;
    assert!(!settings::lock_secrets(&sql, &Vault::new(None).unwrap()).unwrap());
    assert_eq!(stored(), ["first"]);
    let vault = Vault::new(Some(&"key".repeat(16))).unwrap();
    assert!(settings::lock_secrets(&sql, &vault).unwrap());
    assert_eq!(vault.open(&stored()[0]).unwrap(), "first");
    assert!(!stored()[0].contains("first"));
    assert!(!settings::lock_secrets(&sql, &vault).unwrap());
}

#[test]
fn a_site_of_the_first_schema_moves_on() {
    let sql = Native::default();
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
