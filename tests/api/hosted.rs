//! The hosted page: a survey as a form that needs no script.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use harness::{ADDRESS_HEADER, Deployment, Page, Survey, nps_with_comment};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn open(deployment: &Deployment, survey: &Survey<'_>, query: &str) -> Page {
    Page::open(deployment, &format!("{}{query}", survey.hosted_path()))
}

fn funnel(survey: &Survey<'_>) -> (Value, Value, Value) {
    let funnel = survey.summary()["funnel"].take();
    (funnel["shown"].clone(), funnel["started"].clone(), funnel["completed"].clone())
}

fn counts(shown: u8, started: u8, completed: u8) -> (Value, Value, Value) {
    (json!(shown), json!(started), json!(completed))
}

#[test]
fn a_survey_is_walked_by_its_form_and_is_one_display() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let first = open(&deployment, &survey, "");
    assert_eq!(first.answer.status, 200);
    assert!(first.has("<title>How likely are you to recommend us?</title>"), "{}", first.html);
    assert!(first.has("<span class=\"progress\">1 of 2</span>") && first.has(">Next</button>"));
    assert!(!first.has("name=\"back\""));
    // Whoever only looks is not counted.
    open(&deployment, &survey, "");
    assert_eq!(funnel(&survey), counts(0, 0, 0));

    let second = first.send(&deployment, &[("score", "9")]);
    assert_eq!(second.answer.status, 200);
    assert!(second.has("<title>Why?</title>") && second.has(">Send</button>"));
    assert_eq!(funnel(&survey), counts(1, 1, 0));
    assert_eq!(survey.summary()["n"], 1);

    let back = second.send(&deployment, &[("back", "1"), ("text", "half")]);
    assert!(back.has("value=\"9\" checked"));
    let again = back.send(&deployment, &[("score", "10")]);
    assert!(again.has(">\nhalf</textarea>"));

    let thanks = again.send(&deployment, &[("text", "all of it")]);
    assert!(thanks.has("<p class=\"thanks\">Thank you!</p>") && !thanks.has("<form"));
    assert_eq!(funnel(&survey), counts(1, 1, 1));
    let summary = survey.summary_of("by=channel");
    assert_eq!(summary["breakdown"][0]["value"], "link");
    assert_eq!(summary["distribution"][10]["count"], 1);
}

#[test]
fn a_page_that_is_sent_again_or_an_older_one_replaces_its_answer() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let first = open(&deployment, &survey, "");
    let second = first.send(&deployment, &[("score", "9")]);
    assert_eq!(first.send(&deployment, &[("score", "9")]).html, second.html);
    let thanks = second.send(&deployment, &[("text", "fast")]);
    assert_eq!(second.send(&deployment, &[("text", "fast")]).html, thanks.html);
    // The browser's own way back leads to a page that knows nothing of the answers since.
    let changed = first.send(&deployment, &[("score", "2")]);
    assert!(changed.has(">\nfast</textarea>"));
    let summary = survey.summary();
    assert_eq!((&summary["n"], &summary["score"]), (&json!(1), &json!(-100.0)));
    assert_eq!(funnel(&survey), counts(1, 1, 1));
}

#[test]
fn a_question_whose_condition_is_not_met_is_left_out_and_its_answer_goes() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let mut definition = nps_with_comment();
    definition["questions"][1]["show_if"] =
        json!({ "question": "score", "is": { "category": ["detractor"] } });
    definition["thanks"]["by_category"] = json!({
        "promoter": { "text": "Great!", "link": { "url": "https://reviews.example/", "text": "Review" } },
    });
    let survey = site.publish(&definition);
    let first = open(&deployment, &survey, "");
    let why = first.send(&deployment, &[("score", "0")]);
    why.send(&deployment, &[("text", "slow")]);
    let thanks = first.send(&deployment, &[("score", "10")]);
    assert!(
        thanks.has(">Great!</p>") && thanks.has("href=\"https://reviews.example/\">Review</a>")
    );
    // The page of a question that is not asked any more leads on.
    assert_eq!(why.send(&deployment, &[("text", "slower")]).html, thanks.html);
    assert_eq!(survey.summary()["score"], 100.0);
}

#[test]
fn an_answer_that_is_missing_or_too_long_is_asked_for_again() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let mut definition = nps_with_comment();
    definition["questions"][0]["text"] = json!({ "en": "Would you?", "de": "Würden Sie?" });
    let survey = site.publish(&definition);
    let first = open(&deployment, &survey, "?lang=de");
    for scores in [&[][..], &[("score", "11")], &[("score", "x")]] {
        let again = first.send(&deployment, scores);
        assert_eq!(again.answer.status, 200);
        assert!(again.has("role=\"alert\">Bitte"), "{}", again.html);
        assert!(again.has("value=\"0\" autofocus") && again.has("aria-describedby=\"error ends\""));
        assert_eq!(again.carried(), first.carried());
    }
    assert_eq!(funnel(&survey), counts(0, 0, 0));
    let second = first.send(&deployment, &[("score", "0")]);
    let long = "é".repeat(21);
    let again = second.send(&deployment, &[("text", &long)]);
    assert!(again.has(&format!(">\n{long}</textarea>")) && again.has("20"));
    assert!(again.has("aria-invalid=\"true\" aria-describedby=\"error\" autofocus"));
    assert_eq!(funnel(&survey), counts(1, 1, 0));
    // A line break is one character, though forms send two.
    let lines = format!("{}{}", "x\r\n".repeat(9), "yz");
    assert!(again.send(&deployment, &[("text", &lines)]).has("class=\"thanks\""));
    // Each character takes three in a form.
    let huge = second.send(&deployment, &[("text", &"x".repeat(64 * 1024 / 3))]);
    assert_eq!(huge.answer.status, 413);
}

#[test]
fn only_our_own_form_is_taken() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let (survey, other) = (site.survey(), site.survey());
    let first = open(&deployment, &survey, "");
    let ours = deployment.url("");
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site"), ("origin", &ours)],
        &[("sec-fetch-site", "none")],
        &[("origin", "https://evil.example")],
        &[("origin", "https://shop.example")],
    ] {
        let refused = first.send_with(&deployment, &[("score", "9")], headers);
        assert_eq!(refused.answer.status, 403, "{headers:?}");
        assert!(refused.has("the form was sent from a page that is not ours"));
    }
    // A form of another survey, one that was changed, and none.
    let (_, token) = first.carried().swap_remove(0);
    let path = survey.hosted_path();
    let post = |media_type: &str, form: &str| {
        let request = deployment.request("POST", &path).header("content-type", media_type);
        request.send(form).status
    };
    let media_type = "application/x-www-form-urlencoded";
    let (head, mac) = token.rsplit_once('.').unwrap();
    let theirs = open(&deployment, &other, "").form(&[("score", "9")]);
    for form in [
        theirs.as_str(),
        &format!("form={}&at=0&score=9", token.replace(".en.", ".de.")),
        &format!("form={}&at=0&score=9", token.replacen("1.", "2.", 1)),
        &format!("form={head}.{}&at=0&score=9", "0".repeat(mac.len())),
        "at=0&score=9",
        "",
    ] {
        assert_eq!(post(media_type, form), 403, "{form}");
    }
    assert_eq!(post("application/json", "{}"), 415);
    assert_eq!(funnel(&survey), counts(0, 0, 0));
    // An old browser says nothing of where it comes from, and another one only the origin.
    for headers in [&[][..], &[("origin", "null")], &[("origin", &ours)]] {
        let next = first.send_with(&deployment, &[("score", "9")], headers);
        assert_eq!(next.answer.status, 200, "{headers:?}");
    }
    assert_eq!(funnel(&survey), counts(1, 1, 0));
}

#[test]
fn a_page_says_what_it_may_do() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let inside = |page: &Page, element: &str| {
        let (_, rest) = page.html.split_once(&format!("<{element}>"))?;
        let (text, _) = rest.split_once(&format!("</{element}>"))?;
        Some(STANDARD.encode(Sha256::digest(text)))
    };
    let policy = |page: &Page, ancestors: &str| {
        let style = inside(page, "style").unwrap();
        let script = inside(page, "script");
        let script = script.map_or_else(String::new, |it| format!("script-src 'sha256-{it}'; "));
        let expected = format!(
            "default-src 'none'; style-src 'sha256-{style}'; {script}form-action 'self'; \
             base-uri 'none'; frame-ancestors 'self'{ancestors}"
        );
        assert_eq!(page.answer.header("content-security-policy"), expected);
        assert_eq!(page.answer.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(page.answer.header("referrer-policy"), "no-referrer");
        assert_eq!(page.answer.header("x-content-type-options"), "nosniff");
        assert_eq!(page.answer.header("cross-origin-opener-policy"), "same-origin");
        assert!(page.answer.header("permissions-policy").contains("camera=()"));
        assert_eq!(page.answer.header("cache-control"), "private, no-cache");
        assert_eq!(page.answer.header("cross-origin-embedder-policy"), "require-corp");
        assert_eq!(page.answer.header("cross-origin-resource-policy"), "cross-origin");
        assert_eq!(page.answer.header("set-cookie"), "");
        assert!(page.has("name=\"robots\" content=\"noindex\"") && page.has("name=\"viewport\""));
        assert!(page.has("name=\"color-scheme\"") && !page.has(" style="));
    };
    let first = open(&deployment, &survey, "");
    policy(&first, " https://shop.example");
    assert!(!first.has("<script"), "only a page in a frame has somebody to tell");
    policy(&first.send(&deployment, &[("score", "9")]), " https://shop.example");
    let framed = open(&deployment, &survey, "?frame");
    policy(&framed, " https://shop.example");
    assert!(framed.has("<body class=\"panel framed\" data-reached=\"shown\">"));
    let answered = framed.send(&deployment, &[("score", "9")]);
    assert!(answered.has("<body class=\"panel framed\" data-reached=\"answered\">"));
    let nothing = Page::open(&deployment, &format!("/s/{}/{}?frame", site.id, "0".repeat(18)));
    assert!(!nothing.has("<script"), "what is no survey was not shown");
    // Only what travels over TLS may bind the browser to it.
    let transport = |protocol: &str| {
        let request = deployment.request("GET", &survey.hosted_path());
        let answer = request.header("x-forwarded-proto", protocol).get();
        answer.header("strict-transport-security").to_owned()
    };
    assert_eq!([transport("http"), transport("https")], ["", "max-age=31536000"]);
    let nowhere = format!("/s/{}/{}", site.id, "0".repeat(18));
    policy(&Page::open(&deployment, &nowhere), "");
    let settings = json!({ "name": "Shop", "origins": ["*"] });
    site.request("PUT", "").json(&settings).expect(200);
    policy(&open(&deployment, &survey, ""), " *");
}

#[test]
fn no_text_of_a_definition_or_a_visitor_becomes_markup() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let evil = "\"><script>alert('1')</script>&amp;</style><img onerror=x>";
    let settings = json!({
        "name": "Shop",
        "origins": ["*"],
        "notice": { "privacy_url": "https://shop.example/?a=\"><script>", "why": evil },
    });
    site.request("PUT", "").json(&settings).expect(200);
    let mut definition = nps_with_comment();
    definition["questions"][0]["text"] = json!(evil);
    definition["questions"][0]["answer"]["rating"]["low"] = json!(evil);
    definition["questions"][0]["answer"]["rating"]["high"] = json!(evil);
    definition["questions"][1]["text"] = json!(evil);
    definition["questions"][1]["answer"]["text"]["max_length"] = json!(200);
    definition["thanks"]["text"] = json!(evil);
    definition["thanks"]["link"] = json!({ "url": "https://shop.example/?a='", "text": evil });
    let survey = site.publish(&definition);
    let first = open(&deployment, &survey, "");
    let why = first.send(&deployment, &[("score", "9")]);
    let comment = "</textarea><script>alert(\"1\")</script>";
    let again = why.send(&deployment, &[("text", &format!("{comment}{}", "x".repeat(200)))]);
    let thanks = why.send(&deployment, &[("text", comment)]);
    let back = first.send(&deployment, &[("score", "9")]);
    let preview = survey.request("POST", "/preview").send("").expect(201);
    let draft = Page::open(&deployment, preview["path"].as_str().unwrap());
    for page in [&first, &why, &again, &thanks, &back, &draft] {
        assert_eq!(page.answer.status, 200, "{}", page.html);
        assert!(!page.has("<script") && !page.has("<img"), "{}", page.html);
        // Every attribute stands between double quotes, so single ones mean nothing.
        assert!(
            page.has("&quot;&gt;&lt;script&gt;alert('1')")
                || page.has("&lt;script&gt;alert(&quot;1")
        );
        assert_eq!(page.html.matches("</style>").count(), 1);
    }
}

#[test]
fn the_visitors_language_is_spoken_if_the_survey_does() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let mut definition = nps_with_comment();
    definition["questions"][0]["text"] =
        json!({ "en": "Would you?", "de": "Würden Sie?", "ar": "هل توصي بنا؟" });
    let survey = site.publish(&definition);
    for (query, accepted, head) in [
        ("", "", "<html lang=\"en\" dir=\"ltr\">"),
        ("", "fr, de-AT;q=0.9, en;q=0.8", "<html lang=\"de\" dir=\"ltr\">"),
        ("?lang=de-CH", "en", "<html lang=\"de\" dir=\"ltr\">"),
        ("?lang=AR", "de", "<html lang=\"ar\" dir=\"rtl\">"),
        ("?utm_source=mail&lang=fr", "de", "<html lang=\"de\" dir=\"ltr\">"),
        ("?lang=%22%3E%3Cscript%3E", "", "<html lang=\"en\" dir=\"ltr\">"),
    ] {
        let path = format!("{}{query}", survey.hosted_path());
        let request = deployment.request("GET", &path).header("accept-language", accepted);
        let page = Page::of(request.get(), &path);
        assert!(page.has(head), "{query} {accepted}: {}", page.html);
        // The form stays in its language, whatever the headers say.
        if head.contains("ar") {
            assert!(page.send(&deployment, &[("score", "9")]).has(head));
        }
    }
    assert_eq!(survey.summary_of("by=language")["breakdown"][0]["value"], "ar");
}

#[test]
fn what_is_not_asked_says_so() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let say = |path: &str, status: u16, words: &str| {
        let page =
            Page::of(deployment.request("GET", path).header("accept-language", "de").get(), path);
        assert_eq!(page.answer.status, status, "{}", page.html);
        assert!(page.has(words), "{}", page.html);
        assert_eq!(page.answer.header("content-type"), "text/html; charset=utf-8");
    };
    let closed = "Diese Umfrage";
    let draft = site.draft(&nps_with_comment());
    say(&format!("/s/{}/{draft}", site.id), 404, closed);
    say(&format!("/s/{}/{}", site.id, "0".repeat(18)), 404, closed);
    say(&format!("/s/any-{}/{draft}", "0".repeat(18)), 404, closed);

    let survey = site.survey();
    let first = open(&deployment, &survey, "");
    survey.request("POST", "/pause").send("").expect(200);
    say(&survey.hosted_path(), 410, closed);
    // Who has begun can go on.
    assert_eq!(first.send(&deployment, &[("score", "9")]).answer.status, 200);
    survey.request("POST", "/resume").send("").expect(200);
    say(&survey.hosted_path(), 200, "How likely");
    survey.request("POST", "/archive").send("").expect(200);
    say(&survey.hosted_path(), 410, closed);
    survey.request("DELETE", "").get().expect(204);
    say(&survey.hosted_path(), 404, closed);

    let with = |field: &str, value: Value| {
        let mut definition = nps_with_comment();
        definition[field] = value;
        site.publish(&definition)
    };
    let ended = with("end_ms", json!(1_700_000_000_000_u64));
    say(&ended.hosted_path(), 410, closed);
    say(&with("start_ms", json!(4_000_000_000_000_u64)).hosted_path(), 404, closed);
    let full = with("quota", json!(1));
    let page = open(&deployment, &full, "");
    assert_eq!(page.send(&deployment, &[("score", "9")]).answer.status, 200);
    let mut definition = nps_with_comment();
    definition["questions"][1]["answer"] = json!({ "choice": {
        "options": [{ "id": "a", "text": "A" }, { "id": "b", "text": "B" }],
    } });
    let choice = site.publish(&definition);
    say(&choice.hosted_path(), 422, "pages cannot show one yet");
}

#[test]
fn a_full_quota_closes_the_page_to_whoever_comes_next() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let mut definition = nps_with_comment();
    definition["quota"] = json!(1);
    let survey = site.publish(&definition);
    let told = harness::display(1, 1, "started", json!({ "score": 9 }));
    survey.collect(&told).expect(204);
    assert_eq!(open(&deployment, &survey, "").answer.status, 410);
}

#[test]
fn a_visitor_who_asks_too_often_is_told_to_wait() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let survey = site.survey();
    let settings =
        json!({ "name": "Shop", "origins": ["*"], "limits": { "address_per_minute": 2 } });
    site.request("PUT", "").json(&settings).expect(200);
    let get = || {
        let request = deployment.request("GET", &survey.hosted_path());
        request.header(ADDRESS_HEADER, "203.0.113.7").get()
    };
    assert_eq!((get().status, get().status), (200, 200));
    let refused = get();
    assert_eq!((refused.status, refused.header("retry-after")), (429, "10"));
    assert_eq!(refused.header("content-type"), "text/html; charset=utf-8");
}
