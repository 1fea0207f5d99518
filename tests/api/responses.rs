//! Single responses: listed, followed, exported, imported again, deleted, and looked up.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use asklet_shared::display_id::DisplayId;
use harness::{Answer, Deployment, Survey, display, nps_with_comment};
use serde_json::{Value, json};

/// A time long enough ago.
const THEN_MS: u64 = 1_761_955_200_000;

/// A line of an import that was shown so many seconds after that time.
pub fn line(number: u64, score: u64, comment: &str) -> Value {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    let shown_ms = THEN_MS + number * 1000;
    let mut line = json!({
        "id": DisplayId::new(shown_ms, random), "shown_ms": shown_ms, "revision": 1, "version": 1,
        "stage": "completed", "channel": "email", "language": "en", "answers": { "score": score },
    });
    if !comment.is_empty() {
        line["answers"]["why"] = json!(comment);
    }
    line
}

pub fn import(survey: &Survey<'_>, shard: u16, lines: &[Value]) -> Value {
    let lines = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    survey.request("POST", &format!("/import?shard={shard}")).send(&lines).expect(200)
}

fn list(survey: &Survey<'_>, query: &str) -> Value {
    survey.request("GET", &format!("/responses?{query}")).get().expect(200)
}

fn scores(listed: &Value) -> Vec<u64> {
    let responses = listed["responses"].as_array().unwrap().iter();
    responses.map(|response| response["answers"]["score"].as_u64().unwrap()).collect()
}

fn export(survey: &Survey<'_>, query: &str) -> Answer {
    let answer = survey.request("GET", &format!("/export?{query}")).get();
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    answer
}

fn lines(answer: &Answer) -> Vec<Value> {
    let text = std::str::from_utf8(&answer.body).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn with_everything() -> Value {
    let mut definition = nps_with_comment();
    definition["questions"][1]["answer"] = json!({ "text": { "max_length": 200 } });
    definition["traits"] = json!(["plan"]);
    definition["journey"] = json!({ "stage": "use", "touchpoint": "checkout" });
    definition["page_groups"] =
        json!([{ "name": "Shop", "pages": [{ "prefix": "https://shop.example/" }] }]);
    definition
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
fn responses_are_listed_newest_first_with_what_is_known_of_them() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.publish(&with_everything());
    survey.request("POST", "/shards").json(&json!({ "shards": 2 })).expect(200);
    let mut told = display(1, 1, "completed", json!({ "score": 3, "why": "Trop LENT, hélas" }));
    told["traits"] = json!({ "plan": "pro" });
    let request = deployment.request("POST", &survey.collect_path(1));
    let request = request.header(harness::COUNTRY_HEADER, "DE").header("user-agent", "Mobi");
    request.json(&told).expect(204);
    survey.collect(&display(2, 1, "started", json!({ "score": 9 }))).expect(204);
    survey.collect(&display(3, 1, "seen", json!({}))).expect(204);
    import(&survey, 0, &[line(1, 10, "")]);

    let listed = list(&survey, "");
    assert_eq!((scores(&listed), &listed["next"]), (vec![9, 3, 10], &json!(null)));
    let first = &listed["responses"][1];
    for (field, value) in [
        ("id", told["id"].clone()),
        ("survey", json!(survey.id)),
        ("shard", json!(1)),
        ("revision", json!(1)),
        ("version", json!(1)),
        ("stage", json!("completed")),
        ("dismissed", json!(false)),
        ("channel", json!("in_page")),
        ("language", json!("en")),
        ("country", json!("DE")),
        ("device", json!("phone")),
        ("page", json!("https://shop.example/cart")),
        ("page_group", json!("Shop")),
        ("touchpoint", json!("checkout")),
        ("answers", json!({ "score": 3, "why": "Trop LENT, hélas" })),
        ("category", json!("detractor")),
        ("respondent", json!(null)),
        ("traits", json!({ "plan": "pro" })),
        ("excluded", json!(null)),
    ] {
        assert_eq!(first[field], value, "{field}");
    }
    for (query, kept) in [
        ("category=detractor", vec![3]),
        ("category=detractor&category=promoter", vec![9, 3, 10]),
        ("score_from=9", vec![9, 10]),
        ("score_from=4&score_to=9", vec![9]),
        ("has_comment=true", vec![3]),
        ("has_comment=false", vec![9, 10]),
        ("text=lent%2C%20HELAS", vec![3]),
        ("text=vite", vec![]),
        ("where=country:DE&where=trait.plan:pro", vec![3]),
        ("where=channel:email&where=channel:in_page", vec![9, 3, 10]),
        ("from=2026-01-01T00:00:00Z", vec![9, 3]),
        ("to=1761955200001", vec![]),
        ("to=1761955201001", vec![10]),
        ("question=why", vec![3]),
    ] {
        assert_eq!(scores(&list(&survey, query)), kept, "{query}");
    }
    let body = json!({ "category": ["detractor"], "where": ["country:DE"], "text": "lent" });
    let found = survey.request("POST", "/responses/query").json(&body).expect(200);
    assert_eq!(scores(&found), [3]);
    let nobody = survey.request("POST", "/responses/query").json(&json!({ "respondent": "u1" }));
    assert_eq!(scores(&nobody.expect(200)), Vec::<u64>::new());
}

#[test]
fn what_a_query_cannot_mean_is_refused() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    for (query, field) in [
        ("respondent=u1", "respondent"),
        ("mood=good", "mood"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("cursor=5", "cursor"),
        ("category=easy", "category"),
        ("question=none", "question"),
        ("question=why&score_from=1", "question"),
        ("score_from=many", "score_from"),
        ("has_comment=maybe", "has_comment"),
        ("where=mood:good", "where"),
        ("where=trait.plan:pro", "where"),
        ("from=yesterday", "from"),
        ("text=", "text"),
        ("order=up", "order"),
        ("after=5", "after"),
        ("order=asc&after=x", "after"),
        ("order=asc&after=1-2", "after"),
        ("order=asc&has_comment=true", "order"),
    ] {
        let refused = survey.request("GET", &format!("/responses?{query}")).get();
        assert_eq!(refused.problem(400, "invalid_query")["field"], field, "{query}");
    }
    for query in ["format=xml", "limit=5", "cursor=x", "order=asc"] {
        survey.request("GET", &format!("/export?{query}")).get().problem(400, "invalid_query");
    }
    let unknown = survey.request("POST", "/responses/query").json(&json!({ "mood": 1 }));
    unknown.problem(400, "malformed_json");
    let other = deployment.site();
    let path = format!("{}/{}/responses", site.surveys(), survey.id);
    deployment.request("GET", &path).bearer(&other.key).get().problem(403, "forbidden");
    let path = format!("{}/{}/responses", other.surveys(), survey.id);
    deployment.request("GET", &path).bearer(&other.key).get().problem(404, "unknown_survey");
}

#[test]
fn pages_are_stable_while_responses_arrive_and_change() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    survey.request("POST", "/shards").json(&json!({ "shards": 2 })).expect(200);
    let of_shard = |shard: u64| -> Vec<Value> {
        (0..60)
            .filter(|number| number % 2 == shard)
            .map(|number| line(number, number % 11, ""))
            .collect()
    };
    import(&survey, 0, &of_shard(0));
    import(&survey, 1, &of_shard(1));
    let mut seen = Vec::new();
    let mut cursor = String::new();
    for round in 0_u8.. {
        let page = list(&survey, &format!("limit=7{cursor}"));
        let responses = page["responses"].as_array().unwrap();
        assert!(responses.len() <= 7);
        seen.extend(responses.iter().map(|response| response["shown_ms"].as_u64().unwrap()));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
        // A new one, and one that changes after it was told or before.
        survey
            .collect_on(u16::from(round % 2), &display(round, 1, "started", json!({ "score": 1 })))
            .expect(204);
        let mut changed = line(u64::from(round) * 5, 0, "changed");
        changed["revision"] = json!(2);
        import(&survey, u16::from(round % 2), &[changed]);
    }
    let mut expected: Vec<u64> = (0..60).map(|number| THEN_MS + number * 1000).collect();
    expected.reverse();
    assert_eq!(seen, expected);
}

#[test]
fn whoever_follows_changes_has_what_a_listing_tells() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    survey.request("POST", "/shards").json(&json!({ "shards": 2 })).expect(200);
    let mut copy: BTreeMap<String, Value> = BTreeMap::new();
    let mut after = String::new();
    let mut follow = |copy: &mut BTreeMap<String, Value>| loop {
        let told = list(&survey, &format!("order=asc&limit=3&after={after}"));
        for change in told["responses"].as_array().unwrap() {
            let id = change["id"].as_str().unwrap().to_owned();
            match change.get("gone") {
                Some(_) => drop(copy.remove(&id)),
                None => drop(copy.insert(id, change.clone())),
            }
        }
        after = told["next"].as_str().unwrap().to_owned();
        if told["more"] == json!(false) {
            break told;
        }
    };
    let tell = |number: u8, revision: u32, score: u8| {
        let told = display(number, revision, "started", json!({ "score": score }));
        survey.collect_on(u16::from(number % 2), &told).expect(204);
        told["id"].as_str().unwrap().to_owned()
    };
    let ids: Vec<_> = (0..9).map(|number| tell(number, 1, number)).collect();
    follow(&mut copy);
    assert_eq!(copy.len(), 9);
    tell(3, 2, 10);
    tell(9, 1, 9);
    let exclude = survey.request("POST", &format!("/displays/{}/exclude", ids[4]));
    exclude.json(&json!({ "reason": "spam" })).expect(204);
    let delete = |id: &str| survey.request("DELETE", &format!("/displays/{id}")).get();
    delete(&ids[5]).expect(204);
    delete(&ids[5]).problem(404, "unknown_display");
    let told = follow(&mut copy);
    assert_eq!(told["responses"].as_array().unwrap().last().unwrap()["gone"], "deleted");
    let last = list(&survey, &format!("order=asc&after={}", told["next"].as_str().unwrap()));
    assert_eq!((&last["responses"], &last["next"]), (&json!([]), &told["next"]));
    let listed = list(&survey, "limit=200");
    let listed: Vec<_> = listed["responses"].as_array().unwrap().iter().rev().cloned().collect();
    assert_eq!(copy.into_values().collect::<Vec<_>>(), listed);
    assert_eq!(survey.summary()["n"], 8, "one is excluded, one deleted");
}

#[test]
fn a_place_in_one_survey_is_none_in_another() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let surveys = [site.survey(), site.survey()];
    for survey in &surveys {
        import(survey, 0, &[line(1, 1, ""), line(2, 2, ""), line(3, 3, "")]);
    }
    let next = |query: &str| list(&surveys[0], query)["next"].as_str().unwrap().to_owned();
    let (cursor, after) = (next("limit=1"), next("order=asc&limit=1"));
    for (query, field) in
        [(format!("cursor={cursor}"), "cursor"), (format!("order=asc&after={after}"), "after")]
    {
        assert!(!list(&surveys[0], &query)["responses"].as_array().unwrap().is_empty());
        let refused = surveys[1].request("GET", &format!("/responses?{query}")).get();
        assert_eq!(refused.problem(400, "invalid_query")["field"], field);
    }
    let body = json!({ "cursor": cursor });
    let refused = surveys[1].request("POST", "/responses/query").json(&body);
    assert_eq!(refused.problem(400, "invalid_query")["field"], "cursor");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
fn an_export_is_imported_again_as_what_it_was() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.publish(&with_everything());
    let mut first = line(1, 9, "=1+1, \"so\"\r\nto speak");
    first["traits"] = json!({ "plan": "pro" });
    first["respondent"] = json!("customer-17");
    first["country"] = json!("AT");
    first["device"] = json!("tablet");
    first["page"] = json!("https://shop.example/cart");
    let lines_in = [first, line(2, 0, "@you"), line(3, 7, "ça va 🙂"), line(4, 10, "")];
    assert_eq!(import(&survey, 0, &lines_in)["stored"], 4);
    let id = lines_in[1]["id"].as_str().unwrap();
    let exclude = survey.request("POST", &format!("/displays/{id}/exclude"));
    exclude.json(&json!({ "reason": "-spam" })).expect(204);

    let exported = export(&survey, "");
    assert_eq!(exported.header("content-type"), "application/x-ndjson");
    let told = lines(&exported);
    assert_eq!(told.len(), 4);
    assert_eq!(told[0]["respondent"], "customer-17");
    assert_eq!(import(&survey, 0, &told)["known"], 4);
    let other = site.publish(&with_everything());
    assert_eq!(import(&other, 0, &told)["stored"], 4);
    let again = lines(&export(&other, ""));
    for (then, now) in told.iter().zip(&again) {
        for (field, value) in then.as_object().unwrap() {
            if !matches!(field.as_str(), "survey" | "seq" | "received_ms") {
                assert_eq!(&now[field], value, "{field}");
            }
        }
    }
    for query in ["", "by=country", "by=trait.plan", "by=page_group", "per=respondent"] {
        let (mut then, mut now) = (survey.summary_of(query), other.summary_of(query));
        then["survey"].take();
        now["survey"].take();
        assert_eq!(then, now, "{query}");
    }
    assert_eq!(lines(&export(&survey, "category=promoter&where=country:AT")).len(), 1);

    let csv = export(&survey, "format=csv");
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let text = std::str::from_utf8(&csv.body).unwrap();
    let text = text.strip_prefix('\u{feff}').expect("a byte order mark");
    assert!(text.ends_with("\r\n"));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names = reader.headers().unwrap().clone();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    let field = |row: usize, name: &str| {
        let at = names.iter().position(|known| known == name).unwrap_or_else(|| panic!("{name}"));
        rows[row][at].to_owned()
    };
    assert_eq!(rows.len(), 4);
    for (row, name, value) in [
        (0, "answer.score", "9"),
        (0, "answer.why", "'=1+1, \"so\"\r\nto speak"),
        (0, "category", "promoter"),
        (0, "trait.plan", "pro"),
        (0, "respondent", "customer-17"),
        (0, "shown", "2025-11-01 00:00:01.000"),
        (1, "answer.why", "'@you"),
        (1, "excluded", "'-spam"),
        (2, "answer.why", "ça va 🙂"),
        (3, "answer.why", ""),
        (3, "other_answers", ""),
    ] {
        assert_eq!(field(row, name), value, "{name}");
    }
}

#[test]
fn an_export_of_many_responses_is_whole_and_in_order() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    survey.request("POST", "/shards").json(&json!({ "shards": 2 })).expect(200);
    for part in 0..4_u64 {
        let all: Vec<_> = (part * 5_000..(part + 1) * 5_000)
            .map(|number| line(number, number % 11, "fine"))
            .collect();
        let shard = u16::try_from(part % 2).unwrap();
        assert_eq!(import(&survey, shard, &all)["stored"], 5_000);
    }
    let told = lines(&export(&survey, ""));
    let shown: Vec<_> = told.iter().map(|told| told["shown_ms"].as_u64().unwrap()).collect();
    let expected: Vec<_> = (0..20_000).map(|number| THEN_MS + number * 1000).collect();
    assert_eq!(shown, expected);
    assert_eq!(
        list(&survey, "text=fine&score_to=0&limit=200")["responses"].as_array().unwrap().len(),
        200
    );
    // What nobody wrote takes a look at everything, page by page.
    let (mut cursor, mut pages) = (String::new(), 0);
    loop {
        let page = list(&survey, &format!("text=nothing%20like%20it{cursor}"));
        pages += 1;
        assert_eq!(page["responses"], json!([]));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert!(pages < 10, "{pages}");
}

#[test]
fn an_export_is_in_the_order_in_which_displays_arrived_over_all_shards() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    survey.request("POST", "/shards").json(&json!({ "shards": 2 })).expect(200);
    let now_ms = || u64::try_from(UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    // The second one waited for a day in an outbox, the third one's clock is an hour ahead.
    let hour_ms = 3_600_000;
    for (number, shard, age_ms, ahead_ms) in
        [(0, 1, 0, 0), (1, 0, 24 * hour_ms, 0), (2, 1, 0, hour_ms), (3, 0, 0, 0)]
    {
        let begun_ms = now_ms();
        let mut told = display(number, 1, "started", json!({ "score": number }));
        told["age_ms"] = json!(age_ms);
        told["id"] = json!(DisplayId::new(begun_ms - age_ms + ahead_ms, [number; 10]));
        survey.collect_on(shard, &told).expect(204);
        // No two arrive in the same millisecond.
        while now_ms() == begun_ms {}
    }
    let told = lines(&export(&survey, ""));
    assert_eq!(scores(&json!({ "responses": told })), [0, 1, 2, 3]);
    assert_eq!(scores(&list(&survey, "")), [2, 3, 0, 1], "a listing is by when they were shown");
}

#[test]
fn an_export_of_several_shards_is_imported_again_to_where_each_display_is() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    survey.request("POST", "/shards").json(&json!({ "shards": 3 })).expect(200);
    for shard in 0..3_u16 {
        let lines = (0..10).map(|number| {
            let mut line = line(u64::from(shard) * 10 + number, 9, "");
            line["respondent"] = json!(if number == 4 { "customer-17" } else { "customer-18" });
            line
        });
        assert_eq!(import(&survey, shard, &lines.collect::<Vec<_>>())["stored"], 10);
    }
    let told = export(&survey, "");
    let path = format!("/v1/sites/{}/respondents/erase", site.id);
    let erase = deployment.request("POST", &path).bearer(&site.key);
    assert_eq!(erase.json(&json!({ "respondent": "customer-17" })).expect(200)["displays"], 3);
    let deleted = format!("/displays/{}", lines(&told)[25]["id"].as_str().unwrap());
    survey.request("DELETE", &deleted).get().expect(204);
    for shards in [3, 5] {
        survey.request("POST", "/shards").json(&json!({ "shards": shards })).expect(200);
        let mut again = told.body.clone();
        again.extend(b"{\"mood\": 1}\n");
        let imported = survey.request("POST", "/import").send_bytes(&again).expect(200);
        assert_eq!((&imported["stored"], &imported["known"]), (&json!(0), &json!(30)));
        assert_eq!(imported["problems"][0]["line"], 31);
        assert_eq!(survey.summary()["n"], 26);
    }
}

#[test]
fn a_display_that_reached_two_shards_is_deleted_on_both() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let told = display(1, 1, "started", json!({ "score": 9 }));
    survey.collect(&told).expect(204);
    survey.request("POST", "/shards").json(&json!({ "shards": 2 })).expect(200);
    survey.collect_on(1, &told).expect(204);
    assert_eq!(scores(&list(&survey, "")), [9, 9]);
    let display = format!("/displays/{}", told["id"].as_str().unwrap());
    survey.request("DELETE", &display).get().expect(204);
    assert_eq!(list(&survey, "")["responses"], json!([]));
    survey.request("DELETE", &display).get().problem(404, "unknown_display");
}

#[test]
fn scores_from_elsewhere_are_imported_once_and_marked() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let ndjson = r#"{"time":"2024-05-01T12:00:00Z","question":"score","score":9,"comment":"good","respondent":"u1"}
{"time":"2024-05-01T12:00:00Z","question":"score","score":9}
{"time":"2024-05-01T12:00:00Z","question":"score","score":9}
{"time":"2024-05-02T12:00:00Z","question":"score","score":9,"mood":"new"}
{"time":"soon","question":"score","score":9}
{"time":"2024-05-02T12:00:00Z","question":"score","score":11}
{"time":"2024-05-02T12:00:00Z","question":"none","score":5}
{"time":"2024-05-03T12:00:00+02:00","question":"score","score":2,"comment":"bad","comment_question":"why"}
"#;
    let send = || survey.request("POST", "/import").send(ndjson).expect(200);
    let imported = send();
    assert_eq!((&imported["stored"], &imported["refused"]), (&json!(4), &json!(4)), "{imported}");
    let told = imported["problems"].as_array().unwrap().iter();
    let mut told: Vec<_> = told
        .map(|it| (it["line"].as_u64().unwrap(), it["problem"]["code"].as_str().unwrap()))
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            (4, "malformed_json"),
            (5, "invalid_display"),
            (6, "score_off_scale"),
            (7, "unknown_question")
        ]
    );
    // A later version asks for another text first.
    let mut later = nps_with_comment();
    let before = json!({ "id": "before", "text": "And before?", "answer": { "text": { "max_length": 20 } } });
    later["questions"].as_array_mut().unwrap().insert(1, before);
    survey.request("PUT", "").json(&later).expect(200);
    survey.publish();
    assert_eq!(send()["known"], 4);
    assert_eq!(survey.summary_of("where=channel:import")["n"], 4);
    // What says the same is alike, however it is written.
    let alike = r#"{"time":"2024-06-01T12:00:00Z","question":"score","score":9}
{ "score": 9, "question": "score", "time": "2024-06-01T14:00:00+02:00" }
"#;
    let imported = survey.request("POST", "/import").send(alike).expect(200);
    assert_eq!((&imported["stored"], &imported["known"]), (&json!(2), &json!(0)));
    let listed = list(&survey, "text=GOOD");
    let first = &listed["responses"][0];
    assert_eq!((&first["channel"], &first["respondent"]), (&json!("import"), &json!("u1")));
    assert_eq!(first["shown_ms"], 1_714_564_800_000_u64);
}

#[test]
fn a_lookup_gives_everything_of_a_respondent_over_surveys_and_shards() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let surveys = [site.survey(), site.survey()];
    surveys[0].request("POST", "/shards").json(&json!({ "shards": 2 })).expect(200);
    let of = |number: u64, who: &str| {
        let mut line = line(number, 5, "");
        line["respondent"] = json!(who);
        line
    };
    let mut unanswered = of(7, "u1");
    unanswered["stage"] = json!("seen");
    unanswered["answers"] = json!({});
    import(&surveys[0], 0, &[of(1, "u1"), of(2, "u2")]);
    import(&surveys[0], 1, &[of(3, "u1"), unanswered]);
    import(&surveys[1], 0, &[of(4, "u1"), of(5, "u2")]);
    let look_up = |cursor: &Value| {
        let body = json!({ "respondent": "u1", "limit": 1, "cursor": cursor });
        site.request("POST", "/respondents/lookup").json(&body).expect(200)
    };
    let (mut found, mut cursor) = (Vec::new(), json!(null));
    loop {
        let page = look_up(&cursor);
        for response in page["responses"].as_array().unwrap() {
            found.push((
                response["survey"].clone(),
                response["shown_ms"].as_u64().unwrap() - THEN_MS,
            ));
        }
        cursor = page["next"].clone();
        if cursor.is_null() {
            break;
        }
    }
    let mut of_first: Vec<_> =
        found.iter().filter(|it| it.0 == json!(surveys[0].id)).map(|it| it.1).collect();
    assert_eq!(of_first, [7_000, 3_000, 1_000]);
    of_first = found.iter().filter(|it| it.0 == json!(surveys[1].id)).map(|it| it.1).collect();
    assert_eq!(of_first, [4_000]);
    let body = json!({ "respondent": "u1" });
    site.request("POST", "/respondents/erase").json(&body).expect(200);
    assert_eq!(look_up(&json!(null)), json!({ "responses": [], "next": null }));
    site.request("POST", "/respondents/lookup").json(&json!({})).problem(400, "malformed_json");
}
