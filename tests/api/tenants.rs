//! Tenants are safe from each other: every route of a site, by the table that the Worker routes by, with
//! every credential that will not do. A refusal never tells whether what was named exists.

use asklet_shared::scope::Scope;
use harness::{
    ADMIN_TOKEN, Answer, Deployment, Request, Site, TeamRoute, display, nps_with_comment,
    team_routes,
};
use serde_json::{Value, json};

/// What a route is sent, so that nothing but the credential is wrong with it.
fn body(method: &str, path: &str) -> Option<Value> {
    let settings = json!({ "name": "Shop", "origins": ["https://shop.example"] });
    Some(match (method, path) {
        ("GET" | "DELETE", _) => return None,
        ("PUT", "") => settings,
        ("POST", "/surveys") | ("PUT", "/surveys/{survey}") => nps_with_comment(),
        ("POST", "/keys") => json!({ "name": "a key", "scope": "read" }),
        (_, "/surveys/{survey}/shards") => json!({ "shards": 2 }),
        (_, path) if path.starts_with("/respondents/") => json!({ "respondent": "customer-17" }),
        (_, path) if path.ends_with("/exclude") => json!({ "reason": "a test" }),
        (_, path) if path.ends_with("/import") => {
            json!({ "time": "2024-05-01T12:00:00Z", "question": "score", "score": 9 })
        }
        _ => json!({}),
    })
}

/// One route, asked of a site about a survey.
struct Ask<'a> {
    deployment: &'a Deployment,
    route: TeamRoute,
}

impl Ask<'_> {
    fn send(&self, site: &str, survey: &str, credential: Option<&str>) -> Answer {
        let id = display(1, 1, "shown", json!({}))["id"].as_str().unwrap().to_owned();
        let below = self.route.path.replace("{survey}", survey).replace("{display}", &id);
        let below = below.replace("{id}", "0123456789");
        assert!(!below.contains('{'), "{below}");
        let mut request: Request =
            self.deployment.request(self.route.method, &format!("/v1/sites/{site}{below}"));
        if let Some(credential) = credential {
            request = request.header("authorization", credential);
        }
        match body(self.route.method, self.route.path) {
            Some(body) => request.json(&body),
            None => request.get(),
        }
    }

    /// The one answer that is given about each of some surveys.
    fn same(&self, site: &str, surveys: &[&str], credential: Option<&str>) -> Answer {
        let mut answers = surveys.iter().map(|survey| self.send(site, survey, credential));
        let first = answers.next().unwrap();
        for answer in answers {
            let about = format!("{} {} with {credential:?}", self.route.method, self.route.path);
            assert_eq!((answer.status, answer.said()), (first.status, first.said()), "{about}");
            for header in ["content-type", "cache-control", "www-authenticate"] {
                assert_eq!(answer.header(header), first.header(header), "{about}");
            }
        }
        first
    }
}

fn asks(deployment: &Deployment) -> impl Iterator<Item = Ask<'_>> {
    team_routes().map(move |route| Ask { deployment, route })
}

/// A key of a site.
fn key(site: &Site<'_>, scope: Scope) -> (String, String) {
    let body = json!({ "name": "a key", "scope": scope.name() });
    let made = site.request("POST", "/keys").json(&body).expect(201);
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

/// Surveys of a site: one that lives, one that is gone, and what never was one.
fn surveys(site: &Site<'_>) -> [String; 3] {
    let survey = site.survey();
    survey.collect(&display(1, 1, "started", json!({ "score": 9 }))).expect(204);
    let gone = site.survey();
    gone.request("DELETE", "").get().expect(204);
    [survey.id, gone.id, "0".repeat(18)]
}

#[test]
fn no_wrong_credential_opens_a_route_or_tells_whether_a_survey_exists() {
    let deployment = Deployment::start();
    let (site, other) = (deployment.site(), deployment.site());
    let of_site = surveys(&site);
    let of_other = surveys(&other);
    let all: Vec<&str> = of_site.iter().chain(&of_other).map(String::as_str).collect();
    let (id, revoked) = key(&site, Scope::Admin);
    site.request("DELETE", &format!("/keys/{id}")).get().expect(204);
    let bearer = |key: &str| format!("Bearer {key}");
    let unknown = [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some(bearer("")),
        Some(bearer("nonsense")),
        Some(bearer("ak_")),
        Some(bearer(&format!("ak_{}", site.id))),
        Some(bearer(&format!("ak_{}_", site.id))),
        Some(bearer(&format!("ak_{}_{}", site.id, "0".repeat(50)))),
        Some(bearer(&format!("ak_{}_{}", site.id, other.key.rsplit('_').next().unwrap()))),
        Some(bearer(&format!("ak_any-{}_{}", "0".repeat(18), "0".repeat(50)))),
        Some(format!("Basic {}", site.key)),
        Some(bearer(&revoked)),
    ];
    for ask in asks(&deployment) {
        for credential in &unknown {
            let answer = ask.same(&site.id, &all, credential.as_deref());
            answer.problem(401, "unauthenticated");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
        let answer = ask.same(&site.id, &all, Some(&bearer(&other.key)));
        answer.problem(403, "forbidden");
        // Neither does it tell whether the site exists.
        let forged = format!("any-{}", "0".repeat(18));
        let nowhere = ask.same(&forged, &all, Some(&bearer(&other.key)));
        assert_eq!(nowhere.said(), answer.said());
        if !ask.route.or_operator {
            let answer = ask.same(&site.id, &all, Some(&bearer(ADMIN_TOKEN)));
            answer.problem(401, "unauthenticated");
        }
    }
    // Nothing of all that did anything.
    assert_eq!(site.request("GET", "/surveys").get().expect(200)["surveys"][0]["version"], 1);
}

#[test]
fn whoever_may_not_ask_hears_that_first_whatever_else_is_wrong() {
    let deployment = Deployment::start();
    let site = deployment.site();
    let of_site = surveys(&site);
    let (id, revoked) = key(&site, Scope::Admin);
    site.request("DELETE", &format!("/keys/{id}")).get().expect(204);
    let (_, reader) = key(&site, Scope::Read);
    for ask in asks(&deployment) {
        for survey in &of_site {
            let below = ask.route.path.replace("{survey}", survey).replace("{display}", "none");
            let path = format!("/v1/sites/{}{below}?mood=1", site.id);
            let send = |key: &str| {
                let request = deployment.request(ask.route.method, &path).bearer(key);
                if body(ask.route.method, ask.route.path).is_some() {
                    request.send("{")
                } else {
                    request.get()
                }
            };
            send(&revoked).problem(401, "unauthenticated");
            if ask.route.scope > Scope::Read {
                send(&reader).problem(403, "scope_too_small");
            }
        }
    }
}

#[test]
fn a_key_does_what_its_scope_says_which_is_logged_and_a_smaller_one_is_told_what_it_needs() {
    let deployment = Deployment::start();
    for ask in asks(&deployment) {
        let site = deployment.site();
        let survey = site.survey();
        survey.collect(&display(1, 1, "started", json!({ "score": 9 }))).expect(204);
        let of_site = [survey.id.as_str(), "000000000000000000"];
        let scope = ask.route.scope;
        for smaller in [Scope::Read, Scope::Write].into_iter().filter(|smaller| *smaller < scope) {
            let (_, key) = key(&site, smaller);
            let answer = ask.same(&site.id, &of_site, Some(&format!("Bearer {key}")));
            let problem = answer.problem(403, "scope_too_small");
            assert_eq!(problem["limit"], scope.name(), "{} {}", ask.route.method, ask.route.path);
        }
        let (id, key) = key(&site, scope);
        let answer = ask.send(&site.id, &survey.id, Some(&format!("Bearer {key}")));
        let about = format!("{} {}: {answer:?}", ask.route.method, ask.route.path);
        assert!(answer.status < 500 && !matches!(answer.status, 401 | 403), "{about}");
        // Whatever changes something is in the log, by this key.
        let is_change = !matches!((ask.route.method, ask.route.path), ("GET", _) | ("DELETE", ""))
            && !["preview", "lookup", "query"].iter().any(|looks| ask.route.path.ends_with(looks));
        if is_change && answer.status < 300 {
            let log = site.request("GET", "/audit").get().expect(200);
            assert_eq!(log["entries"][0]["by"], id, "{about}");
        }
    }
}

#[test]
fn another_site_s_survey_is_one_that_does_not_exist() {
    let deployment = Deployment::start();
    let (site, other) = (deployment.site(), deployment.site());
    let of_other = surveys(&other);
    let of_other: Vec<&str> = of_other.iter().map(String::as_str).collect();
    for ask in asks(&deployment).filter(|ask| ask.route.path.contains("{survey}")) {
        let answer = ask.same(&site.id, &of_other, Some(&format!("Bearer {}", site.key)));
        answer.problem(404, "unknown_survey");
    }
}
