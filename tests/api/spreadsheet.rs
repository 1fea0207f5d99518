//! Exports in CSV, as spreadsheets read them.

use harness::{Deployment, Survey, nps_with_comment};
use serde_json::{Value, json};

use super::responses::{import, line};

/// An export in CSV without its byte order mark.
fn csv(survey: &Survey<'_>) -> String {
    let answer = survey.request("GET", "/export?format=csv").get();
    assert_eq!(answer.status, 200);
    let text = String::from_utf8(answer.body).unwrap();
    text.strip_prefix('\u{feff}').expect("a byte order mark").to_owned()
}

/// The cells of each row, by what divides them.
fn cells(text: &str, delimiter: u8) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.delimiter(delimiter).has_headers(false).flexible(true);
    let rows = reader.from_reader(text.as_bytes()).into_records().map(Result::unwrap);
    rows.map(|row| row.iter().map(str::to_owned).collect()).collect()
}

/// The cell of a row in the column of this name.
fn told<'a>(rows: &'a [Vec<String>], row: usize, name: &str) -> &'a str {
    let at = rows[0].iter().position(|known| known == name);
    &rows[row][at.unwrap_or_else(|| panic!("{name}"))]
}

fn with_a_choice() -> Value {
    let mut definition = nps_with_comment();
    definition["questions"][1]["answer"] = json!({ "text": { "max_length": 200 } });
    let options = json!([{ "id": "price", "text": "Price" }, { "id": "speed", "text": "Speed" }]);
    let answer = json!({ "options": options, "multiple": true, "other": { "max_length": 200 } });
    let how = json!({ "id": "how", "text": "How?", "answer": { "choice": answer } });
    definition["questions"].as_array_mut().unwrap().push(how);
    definition
}

#[test]
fn no_cell_is_a_formula_whatever_a_spreadsheet_takes_for_the_end_of_one() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.publish(&with_a_choice());
    let texts =
        ["x;=1+1;y", "\n=1+1", "＝1+1", "a, b;\"=1+1&\";c", "one\n-2\r\n+3\t@4", "x;＋1;－1;＠1"];
    let mut lines: Vec<_> = (0..).zip(texts).map(|(number, text)| line(number, 0, text)).collect();
    for (line, text) in lines.iter_mut().zip(texts) {
        line["answers"]["how"] = json!(["price", { "other": text }]);
    }
    assert_eq!(import(&survey, 0, &lines)["stored"], texts.len());
    let text = csv(&survey);
    for delimiter in [b',', b';', b'\t'] {
        let rows = cells(&text, delimiter);
        assert!(rows.len() > texts.len());
        for cell in rows.iter().flatten() {
            let formulas = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n'];
            assert!(!cell.starts_with(formulas), "{:?}", cell.get(..20));
        }
    }
    let rows = cells(&text, b',');
    assert_eq!(told(&rows, 1, "answer.score"), "0");
    assert_eq!(told(&rows, 1, "answer.why"), "x;'=1+1;y");
    assert_eq!(told(&rows, 1, "answer.how"), "price; other: x;'=1+1;y");
    assert_eq!(told(&rows, 3, "answer.why"), "'＝1+1");
}

#[test]
fn what_the_latest_version_does_not_declare_any_more_is_told_beside_its_columns() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let mut definition = with_a_choice();
    definition["traits"] = json!(["plan", "role"]);
    let survey = site.publish(&definition);
    let mut first = line(1, 9, "fine");
    first["answers"]["how"] = json!(["speed"]);
    first["traits"] = json!({ "plan": "pro", "role": "owner" });
    assert_eq!(import(&survey, 0, &[first, line(2, 8, "")])["stored"], 2);
    let mut definition = nps_with_comment();
    definition["traits"] = json!(["plan"]);
    survey.request("PUT", "").json(&definition).expect(200);
    survey.publish();
    let rows = cells(&csv(&survey), b',');
    for (row, name, value) in [
        (1, "trait.plan", "pro"),
        (1, "other_traits", "{\"role\":\"owner\"}"),
        (1, "other_answers", "{\"how\":[\"speed\"]}"),
        (2, "other_traits", ""),
        (2, "other_answers", ""),
    ] {
        assert_eq!(told(&rows, row, name), value, "{name}");
    }
}
