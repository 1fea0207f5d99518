//! Moving house: everything of a site from one deployment to another.

use std::collections::BTreeMap;

use asklet_shared::display_id::DisplayId;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use harness::{
    ADMIN_TOKEN, Answer, Deployment, Machine, Request, Site, Survey, display, nps_with_comment,
};
use serde_json::{Value, json};

/// A time long enough ago.
const THEN_MS: u64 = 1_761_955_200_000;

/// Where a site moves, and which of its surveys became which.
struct Move<'a> {
    from: (&'a Deployment, &'a str),
    to: (&'a Deployment, &'a str),
    surveys: BTreeMap<String, String>,
    rows: u64,
}

fn bundle((deployment, site): (&Deployment, &str), method: &str, query: &str) -> Request {
    deployment.request(method, &format!("/v1/sites/{site}/bundle{query}")).bearer(ADMIN_TOKEN)
}

fn read(answer: &Answer) -> &str {
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    std::str::from_utf8(&answer.body).unwrap()
}

fn first_line(page: &str) -> Value {
    serde_json::from_str(page.lines().next().unwrap()).unwrap()
}

impl Move<'_> {
    /// Moves so many pages on from a cursor. Returns where the next begins; `None` after the last.
    fn pages(&mut self, mut query: String, pages: usize) -> Option<String> {
        for _ in 0..pages {
            let page = bundle(self.from, "GET", &query).get();
            let page = read(&page);
            let taken = bundle(self.to, "POST", "").send(page).expect(200);
            self.rows += taken["rows"].as_u64().unwrap();
            self.surveys = serde_json::from_value(taken["surveys"].clone()).unwrap();
            query = format!("?cursor={}", first_line(page)["next"].as_str()?);
        }
        Some(query)
    }

    fn all(&mut self) {
        assert_eq!(self.pages(String::new(), 10_000), None);
    }
}

/// A definition with everything that can be broken down by.
fn with_everything() -> Value {
    let mut definition = nps_with_comment();
    definition["traits"] = json!(["plan"]);
    definition["journey"] = json!({ "stage": "use", "touchpoint": "checkout" });
    definition["retention_days"] = json!(31);
    definition
}

fn import(survey: &Survey<'_>, shard: u16, numbers: std::ops::Range<u64>) {
    let lines = numbers.map(|number| {
        let mut random = [0; 10];
        random[2..].copy_from_slice(&number.to_be_bytes());
        let shown_ms = THEN_MS + number * 60_000;
        let line = json!({
            "id": DisplayId::new(shown_ms, random), "shown_ms": shown_ms, "revision": 1,
            "version": 1, "stage": "completed", "channel": "email", "language": "en",
            "respondent": format!("u{}", number % 7), "traits": { "plan": format!("p{}", number % 3) },
            "answers": { "score": number % 11, "why": "because" },
        });
        format!("{line}\n")
    });
    let lines = lines.collect::<String>();
    let request = survey.request("POST", &format!("/import?shard={shard}"));
    let imported = request.send(&lines).expect(200);
    assert_eq!(imported["refused"], 0, "{imported}");
}

/// Every figure that there is of a survey.
fn figures(get: &dyn Fn(&str) -> Value) -> Vec<Value> {
    let mut figures = Vec::new();
    for per in ["", "&per=respondent"] {
        for by in
            ["", "&by=version", "&by=channel", "&by=device", "&by=trait.plan", "&by=touchpoint"]
        {
            for of in ["", "&question=none", "&from=2025-10-01T00:00:00Z&interval=day"] {
                if of != "&question=none" {
                    figures.push(get(&format!("/summary?to=2027-01-01T00:00:00Z{of}{by}{per}")));
                }
            }
        }
    }
    figures.push(get("/summary?where=trait.plan:p1"));
    figures.push(get("/responses?limit=200"));
    figures
}

impl Move<'_> {
    /// What was told there, with the ids that it has here.
    fn told_here(&self, value: &Value) -> String {
        let ids = self.surveys.iter().map(|(there, here)| (there.as_str(), here.as_str()));
        let ids = ids.chain([(self.from.1, self.to.1)]);
        ids.fold(value.to_string(), |text, (there, here)| text.replace(there, here))
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
fn a_site_that_moved_has_the_same_figures_settings_and_state_and_goes_on_there() {
    let (old, new) = (Machine::start(), Machine::start());
    let site = old.site();
    let settings = json!({
        "name": "Shop", "origins": ["https://shop.example"], "tz": "Europe/Berlin",
        "require_identity": false, "rest_days": 3,
    });
    site.request("PUT", "").json(&settings).expect(200);
    site.request("POST", "/identity-secrets").send("").expect(201);
    let large = site.publish(&with_everything());
    large.request("POST", "/shards").json(&json!({ "shards": 2 })).expect(200);
    // Enough to be folded, in more pages than one; and what no counter covers.
    import(&large, 0, 0..4_000);
    import(&large, 1, 4_000..5_200);
    for number in 1..30 {
        let mut told =
            display(number, 1, "completed", json!({ "score": number % 11, "why": "now" }));
        told["traits"] = json!({ "plan": "pro" });
        large.collect_on(u16::from(number % 2), &told).expect(204);
    }
    large.summary();
    let tail = large.request("GET", "/usage").get().expect(200)["tail"].as_u64().unwrap();
    assert!((1..100).contains(&tail), "{tail}");
    large.publish();
    let id = |number| display(number, 1, "seen", json!({}))["id"].as_str().unwrap().to_owned();
    let exclude = large.request("POST", &format!("/displays/{}/exclude", id(3)));
    exclude.json(&json!({ "reason": "a test" })).expect(204);
    let folded: DisplayId = DisplayId::new(THEN_MS, [0; 10]);
    let exclude = large.request("POST", &format!("/displays/{folded}/exclude"));
    exclude.json(&json!({ "reason": "spam" })).expect(204);
    large.request("DELETE", &format!("/displays/{}", id(4))).get().expect(204);
    let person = json!({ "respondent": "u5" });
    assert!(
        site.request("POST", "/respondents/erase").json(&person).expect(200)["displays"].as_u64()
            > Some(500)
    );
    let paused = site.publish(&with_everything());
    paused.collect(&display(1, 1, "started", json!({ "score": 9 }))).expect(204);
    paused.request("POST", "/pause").send("").expect(200);
    let deleted = site.survey();
    deleted.request("DELETE", "").get().expect(204);
    let draft = site.draft(&nps_with_comment());

    let to = new.site();
    let mut moving =
        Move { from: (&old, &site.id), to: (&new, &to.id), surveys: BTreeMap::new(), rows: 0 };
    // It breaks off in the middle, of a table too; the page that may have come comes again.
    let mut cursor = String::new();
    for pages in [1, 1, 3, 9, 1, 1, 2] {
        let next = moving.pages(cursor.clone(), pages).unwrap();
        let again = moving.pages(cursor, pages).unwrap();
        assert_eq!(next, again);
        cursor = next;
    }
    // A shard that has not come whole says so, and not something else.
    assert_eq!(moving.pages(cursor, 10_000), None);
    assert_eq!(moving.surveys.len(), 3);
    assert!(moving.rows > 5_000, "{}", moving.rows);

    let there = |survey: &str| moving.surveys[survey].clone();
    let get = |(deployment, site, key): (&Deployment, &str, &str), below: &str| {
        deployment.request("GET", &format!("/v1/sites/{site}{below}")).bearer(key).get().expect(200)
    };
    let (was, is) = ((&*old, &*site.id, &*site.key), (&*new, &*to.id, &*to.key));
    for survey in [&large.id, &paused.id] {
        let before = figures(&|below| get(was, &format!("/surveys/{survey}{below}")));
        let after = figures(&|below| get(is, &format!("/surveys/{}{below}", there(survey))));
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(moving.told_here(before), after.to_string());
        }
        assert!(before[0]["n"].as_u64() > Some(0));
    }
    let same = |below: &str| {
        assert_eq!(moving.told_here(&get(was, below)), get(is, below).to_string(), "{below}");
    };
    for below in ["", "/surveys", "/summary?to=2027-01-01T00:00:00Z", "/installs"] {
        same(below);
    }
    let survey = |id: &str| get(is, &format!("/surveys/{id}"));
    assert_eq!(
        (&survey(&there(&large.id))["version"], &survey(&there(&large.id))["shards"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(survey(&there(&paused.id))["status"], "paused");
    assert_eq!(survey(&there(&draft))["status"], "draft");
    let log = get(is, "/audit");
    assert_eq!(
        (&log["entries"][0]["action"], &log["entries"][0]["by"]),
        (&json!("take_bundle"), &json!("operator"))
    );
    assert_eq!(log["entries"][1]["action"], "give_bundle");

    // A correction of what moved, and a new answer, on each shard.
    let here = there(&large.id);
    let config = new.request("GET", &format!("/v1/config/{}", to.id)).get().expect(200);
    let live: Vec<_> = config["surveys"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(live, [&json!(here)]);
    let before = get(is, &format!("/surveys/{here}/summary"))["n"].as_u64().unwrap();
    for (number, shard) in [(6, 0), (7, 1), (40, 0), (41, 1)] {
        let shard = config["surveys"][0]["shards"][shard].as_str().unwrap();
        let path = format!("/v1/collect/{}/{here}/{shard}", to.id);
        let told = display(number, 2, "completed", json!({ "score": 0 }));
        new.request("POST", &path).json(&told).expect(204);
    }
    assert_eq!(get(is, &format!("/surveys/{here}/summary"))["n"], before + 2);
    let path = format!("/v1/sites/{}/surveys/{}/resume", to.id, there(&paused.id));
    new.request("POST", &path).bearer(&to.key).send("").expect(200);
}

#[test]
fn a_second_time_brings_what_came_meanwhile_and_takes_away_what_went() {
    let deployment = Deployment::start();
    let (site, to) = (deployment.site(), deployment.site());
    let (one, two) = (site.survey(), site.survey());
    one.collect(&display(1, 1, "started", json!({ "score": 9 }))).expect(204);
    two.collect(&display(2, 1, "started", json!({ "score": 3 }))).expect(204);
    let (from, here) = ((&deployment, &*site.id), (&deployment, &*to.id));
    let mut moving = Move { from, to: here, surveys: BTreeMap::new(), rows: 0 };
    moving.all();
    let first = moving.surveys.clone();
    assert_eq!(first.len(), 2);
    let summary = |survey: &str| {
        let path = format!("/surveys/{survey}/summary");
        to.request("GET", &path).get()
    };
    assert_eq!(summary(&first[&one.id]).expect(200)["score"], 100.0);

    one.collect(&display(3, 1, "started", json!({ "score": 0 }))).expect(204);
    let id = display(1, 1, "seen", json!({}))["id"].as_str().unwrap().to_owned();
    one.request("DELETE", &format!("/displays/{id}")).get().expect(204);
    two.request("DELETE", "").get().expect(204);
    moving.all();
    assert_eq!(moving.pages(String::new(), 10_000), None);
    let summary_of_one = summary(&first[&one.id]).expect(200);
    assert_eq!((&summary_of_one["n"], &summary_of_one["score"]), (&json!(1), &json!(-100.0)));
    summary(&first[&two.id]).problem(404, "unknown_survey");
    let surveys = to.request("GET", "/surveys").get().expect(200);
    assert_eq!(surveys["surveys"].as_array().unwrap().len(), 1);
    // Once it has surveys of its own it is somebody's.
    to.survey();
    let page = bundle(from, "GET", "").get();
    bundle(here, "POST", "").send(read(&page)).problem(409, "site_in_use");
    bundle(from, "POST", "").send(read(&page)).problem(409, "site_in_use");
}

#[test]
fn a_shard_that_changes_while_it_moves_begins_again_and_one_that_is_not_whole_tells_nothing() {
    let deployment = Deployment::start();
    let (site, to) = (deployment.site(), deployment.site());
    let survey = site.survey();
    survey.collect(&display(1, 1, "started", json!({ "score": 9 }))).expect(204);
    let (from, here) = ((&deployment, &*site.id), (&deployment, &*to.id));
    let mut moving = Move { from, to: here, surveys: BTreeMap::new(), rows: 0 };
    // The site's seven tables, and of the shard all but one.
    let cursor = moving.pages(String::new(), 7 + 6).unwrap();
    survey.collect(&display(2, 1, "started", json!({ "score": 0 }))).expect(204);
    let page = bundle(from, "GET", &cursor).get();
    let head: Value = serde_json::from_str(read(&page).lines().next().unwrap()).unwrap();
    assert_eq!((&head["table"], &head["after"]), (&json!("published"), &json!([])));
    let path = format!("/surveys/{}/summary", moving.surveys[&survey.id]);
    to.request("GET", &path).get().problem(503, "busy");
    assert_eq!(moving.pages(cursor, 10_000), None);
    assert_eq!(to.request("GET", &path).get().expect(200)["n"], 2);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
fn until_the_last_page_has_come_nothing_tells_a_part_and_no_display_is_lost() {
    let deployment = Deployment::start();
    let (site, to) = (deployment.site(), deployment.site());
    let survey = site.survey();
    survey.request("POST", "/shards").json(&json!({ "shards": 2 })).expect(200);
    for number in 0..8 {
        let told = display(number, 1, "started", json!({ "score": 9 }));
        survey.collect_on(u16::from(number % 2), &told).expect(204);
    }
    let (from, here) = ((&deployment, &*site.id), (&deployment, &*to.id));
    let mut moving = Move { from, to: here, surveys: BTreeMap::new(), rows: 0 };
    let collect = |id: &str, shard: u8| {
        let told = display(100 + shard, 1, "started", json!({ "score": 0 }));
        to.survey_named(id).collect_on(shard.into(), &told)
    };
    let refuse = |id: &str| {
        let there = to.survey_named(id);
        for below in ["", "/summary", "/responses", "/export", "/usage"] {
            there.request("GET", below).get().problem(503, "busy");
        }
        let person = json!({ "respondent": "u1" });
        for below in ["/respondents/lookup", "/respondents/erase"] {
            to.request("POST", below).json(&person).problem(503, "busy");
        }
        to.request("GET", "/summary").get().problem(503, "busy");
        to.request("POST", "/surveys").json(&nps_with_comment()).problem(503, "busy");
        bundle(here, "GET", "").get().problem(503, "busy");
        for shard in 0..2 {
            let refused = collect(id, shard);
            refused.problem(503, "busy");
            assert_eq!(refused.header("retry-after"), "30");
        }
        // Whoever shows no key of the site hears that first.
        let ask = deployment.request("GET", &format!("{}/{id}/summary", to.surveys()));
        ask.bearer(&site.key).get().problem(403, "forbidden");
    };
    // Of the site's seven tables those up to the surveys, and then the others; the first shard's seven;
    // and of the second one some.
    let mut cursor = moving.pages(String::new(), 3).unwrap();
    let id = moving.surveys[&survey.id].clone();
    for pages in [1, 3, 5, 4] {
        refuse(&id);
        cursor = moving.pages(cursor, pages).unwrap();
    }
    let config = deployment.request("GET", &format!("/v1/config/{}", to.id)).get().expect(200);
    assert_eq!(config, json!({ "surveys": [] }));
    refuse(&id);
    assert_eq!(moving.pages(cursor, 10_000), None);
    let there = to.survey_named(&id);
    assert_eq!(there.summary()["n"], 8);
    for shard in [0, 1] {
        collect(&id, shard).expect(204);
    }
    assert_eq!(there.summary()["n"], 10);

    // Once more, onto shards that are whole, and broken off at the first page.
    let cursor = moving.pages(String::new(), 1).unwrap();
    refuse(&id);
    assert!(moving.pages(cursor, 9).is_some());
    refuse(&id);
    moving.all();
    assert_eq!(there.summary()["n"], 8);
    for shard in [0, 1] {
        collect(&id, shard).expect(204);
    }
    assert_eq!(there.summary()["n"], 10);
    // The last page may come again.
    let mut cursor = String::new();
    while let Some(next) = moving.pages(cursor.clone(), 1) {
        cursor = next;
    }
    assert_eq!(moving.pages(cursor, 1), None);
    assert_eq!(there.summary()["n"], 8);
    // One that is not to go on is removed.
    moving.pages(String::new(), 1).unwrap();
    to.request("DELETE", "").get().expect(204);
}

#[test]
fn a_bundle_of_a_site_that_changes_meanwhile_says_that_it_has_to_begin_again() {
    let deployment = Deployment::start();
    let (site, to, third) = (deployment.site(), deployment.site(), deployment.site());
    let (one, two) = (site.survey(), site.survey());
    for survey in [&one, &two] {
        survey.collect(&display(1, 1, "started", json!({ "score": 9 }))).expect(204);
    }
    let (from, here) = ((&deployment, &*site.id), (&deployment, &*to.id));
    let mut moving = Move { from, to: here, surveys: BTreeMap::new(), rows: 0 };
    let refuse = |cursor: &str| {
        let problem = bundle(from, "GET", cursor).get().problem(409, "site_changed");
        assert_eq!(problem["field"], "cursor");
    };
    // The site's seven tables; and some of the first shard's.
    let cursor = moving.pages(String::new(), 7).unwrap();
    let added = site.survey();
    refuse(&cursor);
    let cursor = moving.pages(String::new(), 7 + 2).unwrap();
    let page = bundle(from, "GET", &cursor).get();
    let removed = if read(&page).contains(&one.id) { &one } else { &two };
    removed.request("DELETE", "").get().expect(204);
    refuse(&cursor);
    refuse(&cursor);
    // A page of a survey of which the site's pages told nothing.
    let problem = bundle((&deployment, &third.id), "POST", "").send(read(&page));
    let detail = problem.problem(422, "broken_bundle")["detail"].to_string();
    assert!(detail.contains("begin the bundle again"), "{detail}");
    moving.all();
    assert!(moving.surveys.contains_key(&added.id) && !moving.surveys.contains_key(&removed.id));
    let surveys = to.request("GET", "/surveys").get().expect(200);
    assert_eq!(surveys["surveys"].as_array().unwrap().len(), 2);
}

#[test]
fn keys_travel_only_if_that_is_asked_for_and_replace_those_that_are_there() {
    let deployment = Deployment::start();
    let (site, to) = (deployment.site(), deployment.site());
    let (from, here) = ((&deployment, &*site.id), (&deployment, &*to.id));
    let mut moving = Move { from, to: here, surveys: BTreeMap::new(), rows: 0 };
    let secret = |site: &Site<'_>| site.key.rsplit('_').next().unwrap().to_owned();
    let as_there = format!("ak_{}_{}", to.id, secret(&site));
    let ask =
        |key: &str| deployment.request("GET", &format!("/v1/sites/{}", to.id)).bearer(key).get();
    moving.all();
    ask(&to.key).expect(200);
    ask(&as_there).problem(401, "unauthenticated");
    assert_eq!(moving.pages("?keys=true".to_owned(), 10_000), None);
    ask(&as_there).expect(200);
    ask(&to.key).problem(401, "unauthenticated");
}

#[test]
fn what_is_no_page_no_cursor_or_no_operator_s_is_refused() {
    let deployment = Deployment::start();
    let (site, to) = (deployment.site(), deployment.site());
    let (from, here) = ((&deployment, &*site.id), (&deployment, &*to.id));
    let answer = bundle(from, "GET", "").get();
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let page = read(&answer);
    let last = first_line(page);
    let cursor = last["next"].as_str().unwrap();
    let half = page.lines().next().unwrap();
    for broken in
        ["", "\n", "{}", "[]\n{}\n", half, &page.replace("Shop", "Ship"), &format!("{page}{page}")]
    {
        bundle(here, "POST", "").send(broken).problem(422, "broken_bundle");
    }
    for query in ["?cursor=x", "?cursor=", "?keys=1", "?from=1", &format!("?cursor={cursor}x")] {
        bundle(from, "GET", query).get().problem(400, "invalid_query");
    }
    // One that reads, and that no page gave.
    let made_up = |field: &str, value: Value| {
        let mut head: Value = serde_json::from_slice(&BASE64.decode(cursor).unwrap()).unwrap();
        head[field] = value;
        let query = format!("?cursor={}", BASE64.encode(head.to_string()));
        let problem = bundle(from, "GET", &query).get().problem(400, "invalid_query");
        assert_eq!(problem["field"], "cursor");
    };
    for cell in ["zzz", "", "i9007199254740992", "ix", "b?"] {
        made_up("after", json!([cell]));
    }
    made_up("after", json!(["i1", "i2"]));
    for object in ["", "survey", "survey:made-up/0", "survey:made-up/8", "survey:/"] {
        made_up("object", json!(object));
    }
    bundle(here, "POST", "?keys=true").send(page).problem(400, "invalid_query");
    for method in ["GET", "POST"] {
        let ask = |site: &str, key: &str| {
            deployment.request(method, &format!("/v1/sites/{site}/bundle")).bearer(key).send("")
        };
        for key in [&*site.key, &*to.key, "nonsense", ""] {
            ask(&site.id, key).problem(401, "unauthenticated");
            ask("any-000000000000000000", key).problem(401, "unauthenticated");
        }
        ask("any-000000000000000000", ADMIN_TOKEN).problem(404, "unknown_site");
    }
    bundle(here, "PUT", "").send("").problem(405, "method_not_allowed");
}
