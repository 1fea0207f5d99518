//! Previews: a draft as its visitors would see it, recorded nowhere.

use asklet_shared::body::Body;
use harness::{Deployment, Page, nps_with_comment};
use serde_json::json;

#[test]
fn a_draft_is_shown_to_whoever_has_its_token() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let mut definition = nps_with_comment();
    definition["thanks"]["text"] = json!({ "en": "Thank you!", "de": "Danke!" });
    let survey = site.publish(&definition);
    definition["questions"][0]["text"] = json!({ "en": "Would you?", "de": "Würden Sie?" });
    survey.request("PUT", "").json(&definition).expect(200);

    let made = survey.request("POST", "/preview").send("").expect(201);
    let token = made["token"].as_str().unwrap();
    assert_eq!(made["query"], format!("asklet-preview={}.{token}", survey.id));
    assert_eq!(made["path"], format!("{}?preview={token}", survey.hosted_path()));
    let path = format!("/v1/preview/{}/{}/{token}", site.id, survey.id);
    let answer = deployment.request("GET", &path).header("origin", "https://shop.example").get();
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("cache-control"), "no-store");
    let told = answer.expect(200);
    assert!(told["files"]["widget"].is_string());
    assert_eq!((&told["survey"]["id"], &told["survey"]["version"]), (&json!(survey.id), &json!(0)));
    assert_eq!(told["survey"]["bodies"][1][0], "de");

    let body = |language: &str| deployment.request("GET", &format!("{path}/{language}")).get();
    let german = body("de");
    assert_eq!((german.status, german.header("access-control-allow-origin")), (200, "*"));
    assert_eq!(german.header("cache-control"), "no-store");
    assert_eq!(Body::decode(&german.body).unwrap().questions[0].text, "Würden Sie?");
    body("fr").problem(404, "unknown_body");

    // What is live stays as it was published.
    assert!(Page::open(&deployment, &survey.hosted_path()).has("How likely"));
}

#[test]
fn a_draft_is_walked_and_nothing_is_recorded() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let mut definition = nps_with_comment();
    definition["questions"][1]["show_if"] =
        json!({ "question": "score", "is": { "category": ["detractor"] } });
    definition["thanks"]["by_category"] = json!({ "detractor": { "text": "We will do better." } });
    let survey = site.publish(&definition);
    let made = survey.request("POST", "/preview").send("").expect(201);
    let first = Page::open(&deployment, made["path"].as_str().unwrap());
    assert!(first.has("How likely"), "{}", first.html);
    assert!(
        first.answer.header("content-security-policy").ends_with("'self' https://shop.example")
    );
    assert!(first.send(&deployment, &[]).has("role=\"alert\""));
    let why = first.send(&deployment, &[("score", "3")]);
    assert!(why.has("<title>Why?</title>"));
    let back = why.send(&deployment, &[("back", "1"), ("text", "\"<slow>\"")]);
    assert!(back.has("value=\"3\" checked"));
    let again = back.send(&deployment, &[("score", "4")]);
    assert!(again.has(">\n&quot;&lt;slow&gt;&quot;</textarea>"));
    assert!(again.send(&deployment, &[("text", "slow")]).has("We will do better."));
    let foreign = first.send_with(&deployment, &[], &[("sec-fetch-site", "cross-site")]);
    assert_eq!(foreign.answer.status, 403);
    assert_eq!(survey.summary()["funnel"]["shown"], 0);
}

#[test]
fn a_token_that_was_not_made_for_a_draft_shows_nothing() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let (draft, other) = (site.draft(&nps_with_comment()), site.draft(&nps_with_comment()));
    let path = |draft: &str| format!("/surveys/{draft}/preview");
    let made = site.request("POST", &path(&draft)).send("").expect(201);
    let token = made["token"].as_str().unwrap().to_owned();
    let get = |draft: &str, token: &str| {
        let path = format!("/v1/preview/{}/{draft}/{token}", site.id);
        deployment.request("GET", &path).get()
    };
    get(&draft, &token).expect(200);
    get(&other, &token).problem(404, "unknown_preview");
    get(&draft, "1700000000000-0").problem(404, "unknown_preview");
    get(&draft, &token.replacen('1', "2", 1)).problem(404, "unknown_preview");
    get(&"0".repeat(18), &token).problem(404, "unknown_survey");
    let forged = Page::open(&deployment, &format!("/s/{}/{draft}?preview=1-0", site.id));
    assert_eq!(forged.answer.status, 404);
    assert!(forged.has("there is no such preview"));

    let make = |key: &str| {
        let path = format!("/v1/sites/{}/surveys/{draft}/preview", site.id);
        deployment.request("POST", &path).bearer(key).send("")
    };
    make("ak_nonsense").problem(401, "unauthenticated");
    make(&deployment.site().key).problem(403, "forbidden");
    site.request("DELETE", &format!("/surveys/{draft}")).get().expect(204);
    get(&draft, &token).problem(404, "unknown_survey");
}

#[test]
fn previews_end_when_they_are_revoked_and_others_can_be_made() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let (draft, other) = (site.draft(&nps_with_comment()), site.draft(&nps_with_comment()));
    let make = |draft: &str| {
        let path = format!("/surveys/{draft}/preview");
        let made = site.request("POST", &path).send("").expect(201);
        (made["token"].as_str().unwrap().to_owned(), made["path"].as_str().unwrap().to_owned())
    };
    let get = |draft: &str, token: &str| {
        let path = format!("/v1/preview/{}/{draft}/{token}", site.id);
        deployment.request("GET", &path).get()
    };
    let ((token, hosted), (others, _)) = (make(&draft), make(&other));
    get(&draft, &token).expect(200);
    let path = format!("/surveys/{draft}/preview");
    assert_eq!(site.request("DELETE", &path).get().status, 204);
    get(&draft, &token).problem(403, "preview_expired");
    get(&draft, &format!("{token}x")).problem(404, "unknown_preview");
    assert_eq!(Page::open(&deployment, &hosted).answer.status, 403);
    get(&other, &others).expect(200);
    get(&draft, &make(&draft).0).expect(200);
}

#[test]
fn a_draft_that_cannot_be_shown_says_why() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let preview = |definition| {
        let draft = site.draft(&definition);
        site.request("POST", &format!("/surveys/{draft}/preview")).send("")
    };
    // Each of the two themes can be read by itself.
    let theme = json!({ "light": { "background": "#000000", "text": "#ffffff" } });
    let settings = json!({ "name": "Shop", "origins": ["*"], "theme": theme });
    site.request("PUT", "").json(&settings).expect(200);
    let mut dark = nps_with_comment();
    dark["appearance"] = json!({ "theme": { "light": { "text": "#000000" } } });
    let problem = preview(dark).problem(422, "invalid_definition");
    assert_eq!(problem["field"], "appearance.theme.light.text");
    let mut choice = nps_with_comment();
    choice["questions"][1]["answer"] = json!({ "choice": {
        "options": [{ "id": "a", "text": "A" }, { "id": "b", "text": "B" }],
    } });
    preview(choice).problem(422, "not_shown");
}
