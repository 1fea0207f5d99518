//! What other people's programs send: spelt otherwise, compressed, or something else than was meant.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use harness::{Deployment, display};
use serde_json::{Value, json};

use super::responses::line;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_byte_order_mark_and_whole_numbers_with_a_fraction_are_read() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let told = display(1, 1, "started", json!({ "score": 9 })).to_string();
    let told =
        told.replace("\"score\":9", "\"score\":9.0").replace("\"age_ms\":0", "\"age_ms\":4.2e3");
    let collect = |body: &str| {
        let request = deployment.request("POST", &survey.collect_path(0));
        request.header("content-type", "text/plain").send(body)
    };
    collect(&format!("\u{feff}{told}")).expect(204);
    let shown = line(2, 10, "").to_string().replace("\"score\":10", "\"score\":1e1");
    let elsewhere = r#"{"time": "2024-05-01T12:00:00Z", "question": "score", "score": 9.0}"#;
    let lines = format!("\u{feff}{shown}\n{elsewhere}\n");
    let imported = survey.request("POST", "/import").send(&lines).expect(200);
    assert_eq!(imported["stored"], 2, "{imported}");
    let summary = survey.summary();
    assert_eq!((&summary["n"], &summary["score"]), (&json!(3), &json!(100.0)));
    let settings = "\u{feff}{\"name\": \"Shop\", \"origins\": [\"*\"], \"rest_days\": 3.0}";
    let changed = site.request("PUT", "").send(settings).expect(200);
    assert_eq!(changed["settings"]["rest_days"], 3);
}

#[test]
fn seconds_are_no_milliseconds() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let mut shown = line(1, 9, "");
    shown["shown_ms"] = json!(1_761_955_200);
    let score = |time: Value| json!({ "time": time, "question": "score", "score": 9 });
    let lines = [shown, score(json!(1_714_564_800)), score(json!("1714564800"))];
    let lines = lines.map(|line| format!("{line}\n")).concat();
    let imported = survey.request("POST", "/import").send(&lines).expect(200);
    assert_eq!(imported["refused"], 3, "{imported}");
    for (refused, field) in
        imported["problems"].as_array().unwrap().iter().zip(["shown_ms", "time", "time"])
    {
        let problem = &refused["problem"];
        assert_eq!(
            (&problem["code"], &problem["field"]),
            (&json!("invalid_display"), &json!(field))
        );
        assert_eq!(problem["detail"], "the time is in seconds: multiply it by 1000");
    }
    let lines = format!("{}\n", score(json!(1_714_564_800_000_u64)));
    assert_eq!(survey.request("POST", "/import").send(&lines).expect(200)["stored"], 1);
    for below in ["/summary", "/responses", "/export"] {
        let answer = survey.request("GET", &format!("{below}?from=1714564800")).get();
        assert_eq!(answer.problem(400, "invalid_query")["field"], "from", "{below}");
    }
}

#[test]
fn what_does_not_fit_is_told_in_words_that_callers_know() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let score = |score: Value| json!({ "time": "2024-05-01T12:00:00Z", "question": "score", "score": score });
    let lines = [score(json!("9")), score(json!(300)), score(json!(9.5)), score(json!(11))];
    let lines = lines.map(|line| format!("{line}\n")).concat();
    let imported = survey.request("POST", "/import").send(&lines).expect(200);
    let problems = imported["problems"].as_array().unwrap();
    for refused in &problems[..3] {
        let problem = &refused["problem"];
        assert_eq!(
            (&problem["field"], &problem["limit"]),
            (&json!("score"), &json!("an integer from 0 to 10"))
        );
    }
    assert_eq!(problems[3]["problem"]["limit"], "0 to 10");
    let told = display(1, 1, "started", json!({ "score": "9" }));
    let problem = survey.collect(&told).problem(422, "wrong_answer_type");
    assert_eq!(problem["detail"], "the question takes an integer from 0 to 10");
    let body = json!({ "shards": "two" });
    let problem = survey.request("POST", "/shards").json(&body).problem(400, "malformed_json");
    assert_eq!(problem["limit"], "an integer from 0 to 65535");
}

#[test]
fn a_table_or_a_list_is_refused_as_a_whole_and_stores_nothing() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let one = line(1, 9, "");
    let list = json!([one, line(2, 9, "")]);
    let bodies = [
        ("time,question,score\n2024-05-01T12:00:00Z,score,9\n".to_owned(), "table"),
        (list.to_string(), "array"),
        (serde_json::to_string_pretty(&list).unwrap(), "array"),
        (serde_json::to_string_pretty(&one).unwrap(), "one line"),
    ];
    for (body, says) in bodies {
        let problem = survey.request("POST", "/import").send(&body).problem(400, "malformed_json");
        assert!(problem["detail"].as_str().unwrap().contains(says), "{problem}");
        assert_eq!(problem["limit"], "a JSON object on each line (NDJSON)");
    }
    assert_eq!(survey.summary()["n"], 0);
    assert_eq!(survey.request("POST", "/import").send("").expect(200)["stored"], 0);
}

#[test]
fn an_import_may_be_compressed_with_gzip_and_no_other_body() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let lines = (0..2_000)
        .map(|number| format!("{}\n", line(number, 9, "It is fast.")))
        .collect::<String>();
    let import = |encoding: &str, body: &[u8]| {
        survey.request("POST", "/import").header("content-encoding", encoding).send_bytes(body)
    };
    let imported = import("gzip", &gzip(lines.as_bytes())).expect(200);
    assert_eq!(imported["stored"], 2_000, "{imported}");
    assert_eq!(import("identity", lines.as_bytes()).expect(200)["known"], 2_000);
    let other = import("br", lines.as_bytes());
    let problem = other.problem(415, "unsupported_media_type");
    assert_eq!(
        (&problem["field"], &problem["limit"]),
        (&json!("content-encoding"), &json!("gzip"))
    );
    assert_eq!(other.header("accept-encoding"), "gzip");
    // A few bytes that would be more than is taken.
    for megabytes in [8, 256] {
        let large = gzip(&vec![b'\n'; megabytes << 20]);
        let problem = import("gzip", &large).problem(413, "body_too_large");
        assert_eq!(problem["limit"], "4194304 bytes");
    }
    let whole = gzip(lines.as_bytes());
    for broken in [&whole[..whole.len() / 2], lines.as_bytes()] {
        import("gzip", broken).problem(400, "malformed_json");
    }
    let told = gzip(display(1, 1, "started", json!({ "score": 9 })).to_string().as_bytes());
    let key = gzip(b"{\"name\": \"another\", \"scope\": \"read\"}");
    for (request, body) in [
        (
            deployment
                .request("POST", &survey.collect_path(0))
                .header("content-type", "text/plain"),
            told,
        ),
        (site.request("POST", "/keys"), key),
    ] {
        let answer = request.header("content-encoding", "gzip").send_bytes(&body);
        let problem = answer.problem(415, "unsupported_media_type");
        assert_eq!(
            (&problem["field"], &problem["limit"]),
            (&json!("content-encoding"), &json!("identity"))
        );
    }
}
