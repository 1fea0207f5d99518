//! Summaries: the figures that a team gets.

use harness::{Deployment, display};
use serde_json::json;

use super::responses::{import, line};

#[test]
fn a_summary_says_what_was_answered_and_how_sure_that_is() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    // The vector of DESIGN's metrics: 7 promoters, 2 detractors, 10 answers.
    for (number, score) in [9, 9, 9, 9, 10, 10, 10, 7, 0, 6].into_iter().enumerate() {
        let number = u8::try_from(number).unwrap();
        survey.collect(&display(number, 1, "completed", json!({ "score": score }))).expect(204);
    }
    survey.collect(&display(100, 1, "seen", json!({}))).expect(204);
    let mut closed = display(101, 1, "shown", json!({}));
    closed["dismissed"] = json!(true);
    survey.collect(&closed).expect(204);

    let summary = survey.summary();
    assert_eq!((&summary["survey"], &summary["question"]), (&json!(survey.id), &json!("score")));
    assert_eq!((&summary["n"], &summary["low_n"]), (&json!(10), &json!(true)));
    assert_eq!(summary["score"], 50.0);
    assert_eq!(summary["counts"], json!({ "promoter": 7, "passive": 1, "detractor": 2 }));
    let near =
        |value: &serde_json::Value, wanted: f64| (value.as_f64().unwrap() - wanted).abs() < 5e-4;
    let interval = &summary["interval"];
    assert!(near(&interval["low"], -5.693) && near(&interval["high"], 82.616), "{interval}");
    assert_eq!(summary["distribution"][9], json!({ "value": 9, "count": 4 }));
    assert_eq!(summary["distribution"].as_array().unwrap().len(), 11);
    let funnel = &summary["funnel"];
    for (stage, count) in
        [("shown", 12), ("seen", 11), ("started", 10), ("completed", 10), ("dismissed", 1)]
    {
        assert_eq!(funnel[stage], count, "{stage}");
    }
    assert!(near(&funnel["response_rate"], 10.0 / 11.0));
}

#[test]
fn without_answers_there_is_no_score() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let summary = site.survey().summary();
    assert_eq!((&summary["n"], &summary["score"]), (&json!(0), &json!(null)));
    assert_eq!(
        (&summary["interval"], &summary["funnel"]["response_rate"]),
        (&json!(null), &json!(null))
    );
}

#[test]
fn a_period_a_trend_and_a_breakdown_add_up() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let mut definition = harness::nps_with_comment();
    definition["questions"][1]["text"] = json!({ "en": "Why?", "de": "Warum?" });
    let survey = site.publish(&definition);
    let day_ms = 24 * 60 * 60 * 1000_u64;
    // Ten displays, one a day, the oldest nine days ago; the even ones in German.
    for number in 0..10_u8 {
        let score = if number % 2 == 0 { 10 } else { 0 };
        let mut told = display(number, 1, "completed", json!({ "score": score }));
        told["age_ms"] = json!(u64::from(number) * day_ms);
        told["language"] = json!(if number % 2 == 0 { "de" } else { "en" });
        survey.collect(&told).expect(204);
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now_ms = u64::try_from(now.as_millis()).unwrap();
    let bucket_ms = 15 * 60 * 1000;
    let to = now_ms - now_ms % bucket_ms + bucket_ms;
    let from = to - 5 * day_ms;
    let query = format!(
        "/summary?from={from}&to={to}&interval=day&tz=Asia/Kathmandu&by=language&compare=previous"
    );
    let summary = survey.request("GET", &query).get().expect(200);
    assert_eq!(summary["n"], 5, "{summary}");
    assert_eq!(summary["period"]["tz"], "Asia/Kathmandu");

    let sum = |rows: &serde_json::Value, field: &str| -> u64 {
        rows.as_array().unwrap().iter().map(|row| row[field].as_u64().unwrap()).sum()
    };
    assert_eq!(sum(&summary["trend"], "n"), 5);
    // Midnight there is 18:15 in UTC.
    assert!(summary["trend"][1]["from"].as_str().unwrap().ends_with("T18:15:00Z"), "{summary}");
    assert_eq!(sum(&summary["breakdown"], "n"), 5);
    let row = |value: &str| {
        let rows = summary["breakdown"].as_array().unwrap();
        rows.iter().find(|row| row["value"] == value).unwrap().clone()
    };
    assert_eq!((&row("de")["score"], &row("en")["score"]), (&json!(100.0), &json!(-100.0)));
    assert!(row("de")["difference"]["difference"].as_f64().unwrap() > 0.0, "{summary}");
    assert_eq!(summary["change"]["previous"]["n"], 5);
    assert_eq!(summary["change"]["difference"]["verdict"], "no_difference_shown");
    assert_eq!(survey.summary()["n"], 10);
}

#[test]
fn filters_find_displays_by_what_was_collected_with_them() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let mut definition = harness::nps_with_comment();
    definition["variants"] = json!(["a", "b"]);
    definition["journey"] = json!({ "stage": "purchase", "touchpoint": "checkout" });
    definition["page_groups"] = json!([{ "name": "cart", "pages": [{ "prefix": "/cart" }] }]);
    let survey = site.publish(&definition);
    let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Mobile/15E148";
    let desktop = "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36";
    for number in 0..12_u8 {
        let mut told = display(number, 1, "completed", json!({ "score": number % 11 }));
        told["variant"] = json!(["a", "b", "c"][usize::from(number % 3)]);
        if number < 2 {
            told["page"] = json!("https://shop.example/news");
        }
        let request = deployment.request("POST", &survey.collect_path(0));
        request
            .header("user-agent", if number % 2 == 0 { phone } else { desktop })
            .header(harness::COUNTRY_HEADER, if number % 4 == 0 { "at" } else { "DE" })
            .json(&told)
            .expect(204);
    }
    let counted = |query: &str| {
        let summary = survey.summary_of(query);
        (summary["n"].as_u64().unwrap(), summary["source"].as_str().unwrap().to_owned())
    };
    let displays = |n: u64| (n, "displays".to_owned());
    assert_eq!(counted(""), (12, "counters".to_owned()));
    assert_eq!(counted("where=device:phone"), displays(6));
    assert_eq!(counted("where=device:phone&where=country:AT"), displays(3));
    assert_eq!(counted("where=country:DE&where=country:AT&where=variant:a"), displays(4));
    // A variant that the survey does not declare is none.
    assert_eq!(counted("where=variant:"), displays(4));
    assert_eq!(counted("where=page_group:other"), displays(2));
    assert_eq!(counted("where=touchpoint:checkout&where=channel:in_page"), displays(12));
    assert_eq!(counted("where=version:2"), displays(0));
    for (by, rows) in [("device", 2), ("country", 2), ("variant", 3), ("page_group", 2)] {
        // By counters and by displays alike.
        let counters = survey.summary_of(&format!("by={by}"));
        let displays = survey.summary_of(&format!("by={by}&where=version:1"));
        assert_eq!(counters["breakdown"].as_array().unwrap().len(), rows, "{counters}");
        assert_eq!(counters["breakdown"], displays["breakdown"]);
        assert_eq!(counters["funnel"], displays["funnel"]);
    }
}

#[test]
fn a_choice_is_summed_up_by_its_options() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let mut definition = harness::nps_with_comment();
    let options = json!([{ "id": "price", "text": "Price" }, { "id": "speed", "text": "Speed" }]);
    definition["questions"].as_array_mut().unwrap().push(json!({
        "id": "reasons",
        "text": "What do you like?",
        "answer": { "choice": { "options": options, "multiple": true, "other": {} } },
    }));
    let survey = site.publish(&definition);
    for (number, chosen) in
        [json!(["price"]), json!(["price", "speed"]), json!([{ "other": "The people" }])]
            .into_iter()
            .enumerate()
    {
        let number = u8::try_from(number).unwrap();
        let answers = json!({ "score": 9, "reasons": chosen });
        survey.collect(&display(number, 1, "completed", answers)).expect(204);
    }
    let refused = |chosen| survey.collect(&display(9, 1, "started", json!({ "reasons": chosen })));
    refused(json!(["mood"])).problem(422, "choice_not_offered");
    refused(json!("price")).problem(422, "wrong_answer_type");
    refused(json!(["price", "price"])).problem(400, "malformed_json");
    for query in ["question=reasons", "question=reasons&where=version:1"] {
        let summary = survey.summary_of(query);
        assert_eq!((&summary["n"], &summary["low_n"]), (&json!(3), &json!(true)));
        let counts: Vec<_> = summary["options"]
            .as_array()
            .unwrap()
            .iter()
            .map(|option| (option["option"].as_str().unwrap(), option["count"].as_u64().unwrap()))
            .collect();
        assert_eq!(counts, [("price", 2), ("speed", 1), ("other", 1)]);
    }
    // The widget does not show choices yet, so pages are not told.
    let config = deployment.request("GET", &format!("/v1/config/{}", site.id)).get().expect(200);
    assert_eq!(config["surveys"], json!([]));
}

#[test]
fn a_rating_that_a_later_version_drops_stays_readable() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let mut definition = harness::nps_with_comment();
    definition["traits"] = json!(["plan"]);
    let survey = site.publish(&definition);
    let mut told = display(1, 1, "completed", json!({ "score": 2 }));
    told["traits"] = json!({ "plan": "pro" });
    survey.collect(&told).expect(204);
    definition["questions"][0]["id"] = json!("effort");
    definition["questions"][0]["answer"]["rating"]["scale"] = json!("ces_7");
    definition["primary"] = json!("effort");
    definition["traits"] = json!([]);
    survey.request("PUT", "").json(&definition).expect(200);
    survey.publish();
    let mut told = display(2, 1, "completed", json!({ "effort": 6 }));
    told["version"] = json!(2);
    survey.collect(&told).expect(204);

    let summary = survey.summary_of("question=score&by=trait.plan");
    assert_eq!((&summary["n"], &summary["score"]), (&json!(1), &json!(-100.0)), "{summary}");
    assert_eq!(summary["breakdown"][1]["value"], "pro");
    assert_eq!(survey.summary()["n"], 1);
    let query = "/responses?question=score&category=detractor&where=trait.plan:pro";
    let found = survey.request("GET", query).get().expect(200);
    assert_eq!(found["responses"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found["responses"][0]["category"], "detractor");
    let body = json!({ "question": "score", "score_to": 1 });
    let none = survey.request("POST", "/responses/query").json(&body).expect(200);
    assert_eq!(none["responses"], json!([]));
    let csv = survey.request("GET", "/export?format=csv&question=score").get();
    assert_eq!(String::from_utf8_lossy(&csv.body).lines().count(), 2, "the columns and one line");
    let pools = site.request("GET", "/summary").get().expect(200)["pools"].clone();
    let parts: Vec<_> = pools.as_array().unwrap().iter().map(|pool| &pool["mix"][0]).collect();
    assert_eq!((&parts[0]["question"], &parts[0]["n"]), (&json!("score"), &json!(1)));
    assert_eq!((&parts[1]["question"], &parts[1]["n"]), (&json!("effort"), &json!(1)));
    survey.request("GET", "/summary?question=other").get().problem(400, "invalid_query");
}

#[test]
fn a_site_pools_surveys_by_metric_and_scale_and_shows_the_mix() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let (first, second) = (site.survey(), site.survey());
    let mut effort = harness::nps_with_comment();
    effort["questions"][0]["answer"]["rating"]["scale"] = json!("ces_7");
    let effort = site.publish(&effort);
    for number in 0..3_u8 {
        first.collect(&display(number, 1, "completed", json!({ "score": 10 }))).expect(204);
        effort.collect(&display(number, 1, "completed", json!({ "score": 6 }))).expect(204);
    }
    second.collect(&display(9, 1, "completed", json!({ "score": 0 }))).expect(204);
    let summary = site.request("GET", "/summary").get().expect(200);
    let pools = summary["pools"].as_array().unwrap();
    assert_eq!((pools.len(), &pools[0]["pooled"]), (2, &json!(true)));
    assert_eq!((&pools[0]["scale"], &pools[0]["score"]), (&json!("nps"), &json!(50.0)));
    assert_eq!(pools[0]["mix"][0]["survey"], first.id);
    assert_eq!((&pools[0]["mix"][0]["share"], &pools[0]["mix"][1]["n"]), (&json!(0.75), &json!(1)));
    assert_eq!((&pools[1]["scale"], &pools[1]["score"]), (&json!("ces_7"), &json!(1.0)));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let bucket = u64::try_from(now.as_millis()).unwrap() / 900_000 * 900_000;
    let query = format!("/summary?from={}&interval=week&compare=previous", bucket - 900_000 * 96);
    let trend = site.request("GET", &query).get().expect(200);
    assert_eq!(trend["pools"][0]["change"]["previous"]["n"], 0);
    assert!(!trend["pools"][0]["trend"].as_array().unwrap().is_empty());
    site.request("GET", "/summary?by=version").get().problem(400, "invalid_query");
}

#[test]
fn the_overview_has_each_survey_with_the_figures_of_its_own_summary() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let nps = site.survey();
    let mut definition = harness::nps_with_comment();
    definition["name"] = json!("Another");
    let other = site.publish(&definition);
    let draft = site.draft(&harness::nps_with_comment());
    let gone = site.survey();
    gone.request("DELETE", "").get().expect(204);
    for (number, score) in [9, 9, 3].into_iter().enumerate() {
        let number = u8::try_from(number).unwrap();
        nps.collect(&display(number, 1, "completed", json!({ "score": score }))).expect(204);
    }
    other.collect(&display(1, 1, "completed", json!({ "score": 2 }))).expect(204);

    // The period has an end, so that both answers are about the same one.
    let period = "from=2026-01-01&to=2040-01-01";
    let overview =
        |more: &str| site.request("GET", &format!("/overview?{period}&{more}")).get().expect(200);
    let compared = overview("compare=previous");
    let overview = overview("interval=quarter");
    let listed = overview["surveys"].as_array().unwrap();
    assert_eq!(listed.len(), 3, "the deleted one is not there");
    let of = |id: &str| listed.iter().find(|survey| survey["survey"] == id).unwrap();
    let own = nps.summary_of(&format!("{period}&interval=quarter"));
    assert_eq!(of(&nps.id)["summary"], own);
    assert!(compared["surveys"][0]["summary"]["change"].is_object());
    assert_eq!((&own["n"], &own["trend"].is_array()), (&json!(3), &true));
    assert_eq!((&of(&nps.id)["status"], &of(&nps.id)["version"]), (&json!("live"), &json!(1)));
    assert_eq!(of(&other.id)["summary"]["score"], -100.0);
    assert_eq!(of(&other.id)["name"], "Another");
    let unpublished = of(&draft);
    assert_eq!((&unpublished["summary"], &unpublished["status"]), (&json!(null), &json!("draft")));
    assert_eq!(unpublished.get("draft"), None);
    let refused = site.request("GET", "/overview?by=device").get();
    assert_eq!(refused.problem(400, "invalid_query")["field"], "by");
}

#[test]
fn a_period_may_be_of_any_times_or_dates_and_says_what_was_counted() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let period = |query: &str| survey.summary_of(query)["period"].clone();
    let rounded =
        json!({ "from": "2025-11-01T00:00:00Z", "to": "2025-11-01T10:15:00Z", "tz": "UTC" });
    assert_eq!(period("from=1761955200123&to=2025-11-01T10:00:01Z"), rounded);
    let days = json!({
        "from": "2025-10-31T23:00:00Z", "to": "2025-11-07T23:00:00Z", "tz": "Europe/Berlin",
    });
    assert_eq!(period("from=2025-11-01&to=2025-11-08&tz=Europe/Berlin"), days);
    // Of responses the dates are the site's.
    site.request("PATCH", "").json(&json!({ "tz": "Asia/Tokyo" })).expect(200);
    import(&survey, 0, &[line(1, 9, "")]);
    let found = |query: &str| {
        let page = survey.request("GET", &format!("/responses?{query}")).get().expect(200);
        page["responses"].as_array().unwrap().len()
    };
    assert_eq!((found("from=2025-11-01"), found("to=2025-11-01")), (1, 0));
    assert_eq!((found("from=2025-11-02"), found("to=2025-11-02")), (0, 1));
}

#[test]
fn a_query_that_breaks_a_rule_is_refused_with_the_parameter() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    for (query, field) in [
        ("from=1793491200", "from"),
        ("from=2025-11-01&to=2025-11-01", "to"),
        ("from=0&interval=fortnight", "interval"),
        ("from=1699999200000&interval=hour", "interval"),
        ("tz=Mars/Olympus", "tz"),
        // An offset of any minute is no zone, though the platform takes it for one.
        ("tz=%2B05:17", "tz"),
        ("by=mood", "by"),
        ("by=trait.plan", "by"),
        ("where=trait.x'y:1", "where"),
        ("where=device", "where"),
        ("from=4102444800000", "from"),
        ("question=why", "question"),
        ("nonsense=1", "nonsense"),
    ] {
        let answer = survey.request("GET", &format!("/summary?{query}")).get();
        assert_eq!(answer.problem(400, "invalid_query")["field"], field);
    }
}
