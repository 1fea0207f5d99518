//! Looking for words in what was written, however they are spelt.

use harness::{Deployment, nps_with_comment};
use serde_json::{Value, json};

use super::responses::{import, line};

#[test]
fn a_word_is_found_however_it_is_spelt() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let mut definition = nps_with_comment();
    definition["questions"][1]["answer"] = json!({ "text": { "max_length": 200 } });
    let survey = site.publish(&definition);
    let texts = [
        "HAUPTSTRAẞE 5",
        "Łódź, Smørrebrød",
        "Đồng hồ",
        "Ver\u{ad}sand\u{200b}kosten",
        "It doesn’t, “œuvre”",
        "ＦＵＬＬ ΟΔΟΣ",
    ];
    let lines: Vec<_> = (0..).zip(texts).map(|(number, text)| line(number, 5, text)).collect();
    assert_eq!(import(&survey, 0, &lines)["stored"], texts.len());
    let find = |text: &str| {
        let body = json!({ "text": text });
        survey.request("POST", "/responses/query").json(&body)
    };
    let found = |text: &str| -> Vec<Value> {
        let told = find(text).expect(200);
        let told = told["responses"].as_array().unwrap().iter();
        told.map(|response| response["answers"]["why"].clone()).collect()
    };
    for (text, said) in [
        ("hauptstraße", texts[0]),
        ("hauptstrasse", texts[0]),
        ("HauptstraẞE", texts[0]),
        ("lodz", texts[1]),
        ("ŁÓDŹ", texts[1]),
        ("smorrebrod", texts[1]),
        ("dong ho", texts[2]),
        ("versandkosten", texts[3]),
        ("VERSAND\u{ad}KOSTEN", texts[3]),
        ("doesn't, \"oeuvre\"", texts[4]),
        ("DOESN’T", texts[4]),
        ("full οδος", texts[5]),
    ] {
        assert_eq!(found(text), [said], "{text}");
    }
    assert_eq!(found("lodge"), Vec::<Value>::new());
    for nothing in ["", " ", "\u{301}", "\u{ad}", " \u{301}\u{200b} "] {
        assert_eq!(find(nothing).problem(400, "invalid_query")["field"], "text", "{nothing:?}");
    }
    let in_address = survey.request("GET", "/responses?text=%CC%81").get();
    assert_eq!(in_address.problem(400, "invalid_query")["field"], "text");
}
