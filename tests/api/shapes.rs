//! What has the wrong shape is refused, and not read as something else.

use harness::{ADMIN_TOKEN, Deployment, display, team_routes};
use serde_json::{Value, json};

use super::responses::line;

#[test]
fn a_list_is_taken_for_no_object() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let refused = |answer: harness::Answer| {
        let problem = answer.problem(400, "malformed_json");
        assert_eq!(problem["detail"], "the body is not a JSON object");
    };
    for (method, below, body) in [
        ("POST", "/keys".to_owned(), json!(["arr", "admin"])),
        ("POST", "/respondents/erase".to_owned(), json!(["customer-17"])),
        ("POST", "/respondents/lookup".to_owned(), json!(["customer-17"])),
        ("PUT", String::new(), json!(["Shop", ["https://shop.example"]])),
        ("POST", format!("/surveys/{}/responses/query", survey.id), json!([])),
        ("POST", format!("/surveys/{}/shards", survey.id), json!([2])),
    ] {
        refused(site.request(method, &below).json(&body));
    }
    let of = |display: &Value, fields: &[&str]| -> Value {
        fields.iter().map(|field| display[*field].clone()).collect()
    };
    let told = display(1, 1, "started", json!({ "score": 9 }));
    let fields = ["id", "revision", "version", "stage", "dismissed", "channel"];
    let mut list = of(&told, &fields);
    list[4] = json!(false);
    list[5] = json!("in_page");
    refused(survey.collect(&list));
    let score = json!(["2024-05-01T12:00:00Z", "score", 9]);
    let lines = format!("{}\n{score}\n\"text\"\n", line(1, 9, ""));
    let imported = survey.request("POST", "/import").send(&lines).expect(200);
    assert_eq!((&imported["stored"], &imported["refused"]), (&json!(1), &json!(2)));
    assert_eq!(imported["problems"][0]["problem"]["code"], "malformed_json");
    let keys = site.request("GET", "/keys").get().expect(200);
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
}

#[test]
fn nobody_is_erased_who_can_be_no_respondent() {
    let deployment = Deployment::start();
    let site = deployment.site();
    for respondent in [String::new(), "x".repeat(201)] {
        for below in ["/respondents/erase", "/respondents/lookup"] {
            let body = json!({ "respondent": respondent });
            let problem = site.request("POST", below).json(&body).problem(400, "invalid_query");
            assert_eq!(problem["field"], "respondent", "{below}");
        }
    }
    let longest = json!({ "respondent": "x".repeat(200) });
    site.request("POST", "/respondents/erase").json(&longest).expect(200);
    let log = site.request("GET", "/audit").get().expect(200);
    let entries = log["entries"].as_array().unwrap();
    assert_eq!(entries.iter().filter(|entry| entry["action"] == "erase").count(), 1);
}

#[test]
fn a_parameter_is_given_once_unless_each_value_counts() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    survey.collect(&display(1, 1, "started", json!({ "score": 9 }))).expect(204);
    let of_survey = |below: &str| format!("/v1/sites/{}/surveys/{}{below}", site.id, survey.id);
    for (method, path, name) in [
        ("GET", of_survey("/summary?from=0&from=1793491200000"), "from"),
        ("GET", of_survey("/responses?limit=1&limit=2"), "limit"),
        ("GET", of_survey("/responses?question=score&question=why"), "question"),
        ("GET", of_survey("/export?format=csv&format=ndjson"), "format"),
        ("POST", of_survey("/import?shard=0&shard=1"), "shard"),
        ("GET", format!("/v1/sites/{}/summary?tz=UTC&tz=Europe/Berlin", site.id), "tz"),
        ("GET", format!("/v1/sites/{}/audit?before=1&before=2", site.id), "before"),
        ("GET", "/v1/sites?after=a&after=b".to_owned(), "after"),
        ("GET", format!("/v1/sites/{}/bundle?keys=true&keys=false", site.id), "keys"),
    ] {
        let is_operators = path.starts_with("/v1/sites?") || path.contains("/bundle");
        let token = if is_operators { ADMIN_TOKEN } else { &site.key };
        let request = deployment.request(method, &path).bearer(token);
        let answer = if method == "POST" { request.send("") } else { request.get() };
        assert_eq!(answer.problem(400, "invalid_query")["field"], name, "{path}");
    }
    let where_twice = "where=channel:in_page&where=channel:email";
    assert_eq!(survey.summary_of(where_twice)["n"], 1);
    let both = "/responses?category=promoter&category=detractor";
    let found = survey.request("GET", both).get().expect(200);
    assert_eq!(found["responses"].as_array().unwrap().len(), 1);
}

#[test]
fn a_parameter_that_a_route_does_not_take_is_named_and_does_nothing() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let id = display(1, 1, "shown", json!({}))["id"].as_str().unwrap().to_owned();
    let of_site = team_routes().map(|route| {
        let path = route.path.replace("{survey}", &survey.id).replace("{display}", &id);
        let path = path.replace("{id}", "0123456789");
        (route.method, format!("/v1/sites/{}{path}", site.id), site.key.as_str())
    });
    let of_operator = [
        ("GET", "/v1/sites".to_owned(), ADMIN_TOKEN),
        ("POST", "/v1/sites".to_owned(), ADMIN_TOKEN),
        ("GET", format!("/v1/sites/{}/bundle", site.id), ADMIN_TOKEN),
        ("POST", format!("/v1/sites/{}/bundle", site.id), ADMIN_TOKEN),
    ];
    for (method, path, token) in of_site.chain(of_operator) {
        let request = deployment.request(method, &format!("{path}?shards=8&x=1")).bearer(token);
        let answer = match method {
            "GET" | "DELETE" => request.get(),
            _ => request.json(&json!({})),
        };
        assert_eq!(answer.problem(400, "invalid_query")["field"], "shards", "{method} {path}");
    }
    assert_eq!(survey.request("GET", "").get().expect(200)["status"], "live");
    // Pages and caches add some.
    for path in ["/healthz", "/asklet.js", "/openapi.json", &format!("/v1/config/{}", site.id)] {
        let answer = deployment.request("GET", &format!("{path}?utm_source=mail")).get();
        assert_eq!(answer.status, 200, "{path}");
    }
    let hosted = format!("{}?utm_source=mail", survey.hosted_path());
    assert_eq!(deployment.request("GET", &hosted).get().status, 200);
    let collect = format!("{}?utm_source=mail", survey.collect_path(0));
    let told = display(2, 1, "started", json!({ "score": 9 }));
    deployment.request("POST", &collect).json(&told).expect(204);
}
