//! People: identity tokens, traits, respondents, exclusion and erasure.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use harness::{Deployment, Site, display, nps_with_comment};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// A token as a site's server makes it.
pub fn token(claims: &Value, secret: &str) -> String {
    let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
    let signed = format!("{}.{}", encode(r#"{"alg":"HS256"}"#), encode(&claims.to_string()));
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let signature = mac.chain_update(&signed).finalize().into_bytes();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The time, in seconds since the epoch.
pub fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The claims of a token for a respondent.
pub fn claims(site: &Site<'_>, respondent: &str, plan: &str) -> Value {
    let exp = now_seconds() + 600;
    json!({ "sub": respondent, "aud": site.id, "exp": exp, "traits": { "plan": plan } })
}

/// A new identity secret, with its id.
pub fn new_secret(site: &Site<'_>) -> (String, String) {
    let made = site.request("POST", "/identity-secrets").send("").expect(201);
    (made["id"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned())
}

/// A definition that declares the trait of [`claims`].
pub fn with_plan() -> Value {
    let mut definition = nps_with_comment();
    definition["traits"] = json!(["plan"]);
    definition
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
fn a_token_says_who_answers_and_a_wrong_one_costs_no_answer() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.publish(&with_plan());
    let (first, secret) = new_secret(&site);
    let send = |number: u8, token: &str| {
        let mut told = display(number, 1, "completed", json!({ "score": 9 }));
        told["identity"] = json!(token);
        survey.collect(&told)
    };
    let good = claims(&site, "u1", "pro");
    let with = |field: &str, value: Value| {
        let mut changed = good.clone();
        changed[field] = value;
        token(&changed, &secret)
    };
    let day = 24 * 60 * 60;
    let wrong = [
        ("nonsense".to_owned(), "identity_malformed"),
        (token(&good, "another secret"), "identity_signature"),
        (with("aud", json!("any-other")), "identity_audience"),
        (with("exp", json!(now_seconds() - 120)), "identity_expired"),
        (with("nbf", json!(now_seconds() + 120)), "identity_not_yet_valid"),
        (with("exp", json!(now_seconds() + day + 120)), "identity_lifetime"),
        (with("exp", json!((now_seconds() + 60) * 1000)), "identity_malformed"),
    ];
    for (number, (token, code)) in (10..).zip(&wrong) {
        let answer = send(number, token);
        answer.expect(204);
        assert_eq!((answer.header("asklet-identity"), answer.header("asklet")), (*code, "1"));
    }
    let listed = survey.request("GET", "/responses").get().expect(200);
    let listed = listed["responses"].as_array().unwrap();
    assert_eq!(listed.len(), wrong.len());
    for (number, (_, code)) in (10..).zip(&wrong) {
        let id = &display(number, 1, "shown", json!({}))["id"];
        let response = listed.iter().find(|response| response["id"] == *id).unwrap();
        let told = (&response["identity_refused"], &response["respondent"], &response["verified"]);
        assert_eq!(told, (&json!(code), &Value::Null, &json!(false)));
        assert_eq!((&response["answers"]["score"], &response["traits"]), (&json!(9), &json!({})));
        let path = format!("/displays/{}", response["id"].as_str().unwrap());
        survey.request("DELETE", &path).get().expect(204);
    }
    let answer = send(1, &token(&good, &secret));
    answer.expect(204);
    assert_eq!(answer.header("asklet-identity"), "");

    // Two secrets hold at a time; one that is removed does not.
    let (_, second) = new_secret(&site);
    site.request("POST", "/identity-secrets").send("").problem(409, "too_many_secrets");
    send(2, &token(&claims(&site, "u2", "free"), &second)).expect(204);
    send(3, &token(&claims(&site, "u1", "pro"), &secret)).expect(204);
    site.request("DELETE", &format!("/identity-secrets/{first}")).get().expect(204);
    let answer = send(4, &token(&good, &secret));
    answer.expect(204);
    assert_eq!(answer.header("asklet-identity"), "identity_signature");
    // A program that imports still has its line, and hears what is wrong with it.
    let mut line = display(5, 1, "completed", json!({ "score": 9 }));
    line["identity"] = json!("nonsense");
    line["shown_ms"] = json!(now_seconds() * 1000);
    let imported = survey.request("POST", "/import").send(&line.to_string()).expect(200);
    let problem = &imported["problems"][0]["problem"];
    assert_eq!((&imported["refused"], &problem["code"]), (&json!(1), &json!("identity_malformed")));

    let summary = survey.summary_of("by=trait.plan");
    assert_eq!((&summary["n"], &summary["respondents"]), (&json!(4), &json!(2)));
    let rows = summary["breakdown"].as_array().unwrap();
    let of = |value: &str| rows.iter().find(|row| row["value"] == value).map(|row| &row["n"]);
    assert_eq!([of(""), of("free"), of("pro")], [1, 1, 2].map(|n| json!(n)).each_ref().map(Some));
    let each = survey.summary_of("per=respondent");
    assert_eq!((&each["n"], &each["source"]), (&json!(2), &json!("displays")));
    assert_eq!(each["per_respondent"], true);
}

#[test]
fn a_site_can_require_tokens_of_traits_and_a_browser_can_refuse_to_be_followed() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.publish(&with_plan());
    let mut told = display(1, 1, "completed", json!({ "score": 9 }));
    told["traits"] = json!({ "plan": "pro", "mood": "not declared" });
    survey.collect(&told).expect(204);
    let settings =
        json!({ "name": "Shop", "origins": ["https://shop.example"], "require_identity": true });
    site.request("PUT", "").json(&settings).expect(200);
    told["id"] = display(2, 1, "completed", json!({}))["id"].clone();
    // What nobody vouches for is left out, and the answer is taken.
    let answer = survey.collect(&told);
    answer.expect(204);
    assert_eq!(answer.header("asklet-identity"), "identity_required");
    let path = "/responses?where=trait.plan:";
    let response = &survey.request("GET", path).get().expect(200)["responses"][0];
    assert_eq!(response["identity_refused"], "identity_required");
    assert_eq!((&response["traits"], &response["answers"]["score"]), (&json!({}), &json!(9)));
    told["id"] = display(4, 1, "completed", json!({}))["id"].clone();
    // Without traits nobody has to say who they are.
    survey.collect(&display(3, 1, "completed", json!({ "score": 9 }))).expect(204);
    // Global Privacy Control: the answer is taken, and who it is from is not.
    let (_, secret) = new_secret(&site);
    told["identity"] = json!(token(&claims(&site, "u1", "pro"), &secret));
    let request = deployment.request("POST", &survey.collect_path(0)).header("sec-gpc", "1");
    request.json(&told).expect(204);
    let summary = survey.summary_of("by=trait.plan");
    assert_eq!((&summary["n"], &summary["respondents"]), (&json!(4), &json!(0)));
    let rows = summary["breakdown"].as_array().unwrap();
    assert_eq!((&rows[0]["value"], &rows[0]["n"]), (&json!(""), &json!(3)));
    assert_eq!((&rows[1]["value"], &rows[1]["n"]), (&json!("pro"), &json!(1)));
    survey.request("GET", "/summary?by=trait.mood").get().problem(400, "invalid_query");
}

#[test]
fn an_excluded_display_and_an_erased_respondent_do_not_count() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    survey.request("POST", "/shards").json(&json!({ "shards": 2 })).expect(200);
    let (_, secret) = new_secret(&site);
    let mut ids = Vec::new();
    for number in 0..4_u8 {
        let mut told = display(number, 1, "completed", json!({ "score": 9, "why": "fast" }));
        let who = format!("u{}", number / 2);
        told["identity"] = json!(token(&claims(&site, &who, "pro"), &secret));
        survey.collect_on(u16::from(number % 2), &told).expect(204);
        ids.push(told["id"].as_str().unwrap().to_owned());
    }
    let exclude = |id: &str, verb: &str, body: &Value| {
        survey.request("POST", &format!("/displays/{id}/{verb}")).json(body)
    };
    exclude(&ids[1], "exclude", &json!({ "reason": "" })).problem(422, "invalid_settings");
    exclude(&ids[1], "exclude", &json!({ "reason": "a test of ours" })).expect(204);
    assert_eq!(survey.summary()["n"], 3);
    exclude(&ids[1], "include", &json!({})).expect(204);
    assert_eq!(survey.summary()["n"], 4);
    let unknown = display(9, 1, "shown", json!({}))["id"].as_str().unwrap().to_owned();
    let reason = json!({ "reason": "spam" });
    exclude(&unknown, "exclude", &reason).problem(404, "unknown_display");
    exclude("nonsense", "exclude", &reason).problem(404, "unknown_display");

    let erase = site.request("POST", "/respondents/erase").json(&json!({ "respondent": "u0" }));
    assert_eq!(erase.expect(200), json!({ "displays": 2 }));
    let summary = survey.summary();
    assert_eq!((&summary["n"], &summary["respondents"]), (&json!(2), &json!(1)));
    let again = site.request("POST", "/respondents/erase").json(&json!({ "respondent": "u0" }));
    assert_eq!(again.expect(200), json!({ "displays": 0 }));
}
