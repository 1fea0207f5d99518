//! Exports, as other people's programs read them.

use std::collections::BTreeSet;

use harness::{Deployment, Survey, nps_with_comment};
use serde_json::{Value, json};

use super::responses::{import, line};

fn export(survey: &Survey<'_>, query: &str) -> String {
    let answer = survey.request("GET", &format!("/export?{query}")).get();
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    String::from_utf8(answer.body).unwrap()
}

/// The cells of a table in CSV, by the names of their columns.
fn column(csv: &str, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(csv.trim_start_matches('\u{feff}').as_bytes());
    let at = reader.headers().unwrap().iter().position(|known| known == name).unwrap();
    reader.into_records().map(|row| row.unwrap()[at].to_owned()).collect()
}

#[test]
fn every_line_has_every_key_and_no_reader_of_lines_splits_it() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let mut definition = nps_with_comment();
    definition["questions"][1]["answer"] = json!({ "text": { "max_length": 200 } });
    let survey = site.publish(&definition);
    let mut known = line(1, 9, "one\u{2028}two\u{2029}three\u{85}four");
    known["country"] = json!("DE");
    known["device"] = json!("phone");
    known["page"] = json!("https://shop.example/cart");
    let mut unknown = line(2, 3, "");
    unknown.as_object_mut().unwrap().remove("language");
    import(&survey, 0, &[known, unknown]);
    let text = export(&survey, "");
    assert!(!text.contains(['\u{85}', '\u{2028}', '\u{2029}']), "{text}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let keys = |line: &Value| line.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(lines.len(), 2);
    assert_eq!(keys(&lines[0]), keys(&lines[1]));
    assert_eq!(lines[0]["answers"]["why"], "one\u{2028}two\u{2029}three\u{85}four");
    for name in ["language", "country", "device", "page", "page_group", "touchpoint", "variant"] {
        assert_eq!(lines[1][name], Value::Null, "{name}");
    }
    // It is taken as it is, elsewhere, too.
    let other = site.publish(&definition);
    let imported = other.request("POST", "/import").send(&text).expect(200);
    assert_eq!((&imported["stored"], &imported["problems"]), (&json!(2), &json!([])));
    let without = |mut lines: Vec<Value>| {
        for line in &mut lines {
            for name in ["survey", "seq", "received_ms"] {
                line.as_object_mut().unwrap().remove(name);
            }
        }
        lines
    };
    let again = export(&other, "");
    let again = again.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(without(again), without(lines));
}

#[test]
fn a_respondent_joins_where_texts_are_asked_for_as_they_are_and_times_keep_milliseconds() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let mut theirs = line(1, 9, "=1+1");
    theirs["respondent"] = json!("+49301234");
    theirs["shown_ms"] = json!(1_761_955_200_007_u64);
    import(&survey, 0, &[theirs]);
    let guarded = export(&survey, "format=csv");
    assert_eq!(column(&guarded, "respondent"), ["'+49301234"]);
    assert_eq!(column(&guarded, "answer.why"), ["'=1+1"]);
    let plain = export(&survey, "format=csv&escape_formulas=false");
    assert_eq!(column(&plain, "respondent"), ["+49301234"]);
    assert_eq!(column(&plain, "answer.why"), ["=1+1"]);
    assert_eq!(column(&plain, "shown"), ["2025-11-01 00:00:00.007"]);
    for query in ["escape_formulas=false", "format=csv&escape_formulas=no"] {
        let refused = survey.request("GET", &format!("/export?{query}")).get();
        assert_eq!(refused.problem(400, "invalid_query")["field"], "escape_formulas");
    }
}

#[test]
fn excluded_responses_can_be_left_out() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let lines: Vec<_> = (1..4).map(|number| line(number, number, "")).collect();
    import(&survey, 0, &lines);
    let id = lines[1]["id"].as_str().unwrap();
    let exclude = survey.request("POST", &format!("/displays/{id}/exclude"));
    exclude.json(&json!({ "reason": "a test of ours" })).expect(204);
    let scores =
        |query: &str| column(&export(&survey, &format!("format=csv&{query}")), "answer.score");
    assert_eq!(scores(""), ["1", "2", "3"]);
    assert_eq!(scores("excluded=false"), ["1", "3"]);
    assert_eq!(scores("excluded=true"), ["2"]);
    assert_eq!(survey.summary()["n"], 2);
    let body = json!({ "excluded": true });
    let found = survey.request("POST", "/responses/query").json(&body).expect(200);
    assert_eq!(found["responses"].as_array().unwrap().len(), 1);
    let followed = survey.request("GET", "/responses?order=asc&excluded=false").get();
    followed.problem(400, "invalid_query");
}
