//! The table of routes: one line for each method and path.

use Scope::{Admin, Read, Write};
use asklet_shared::problem::{Code, Problem};
use asklet_shared::scope::Scope;

use super::access::Access;
use super::route::{
    ForwardedRoute, OperatorRoute, PublicRoute, Route, SurveyRoute, TeamRequest, TeamRoute,
};
use crate::plan::SHARDS_LIMIT;

/// A method and a path, with the route that they mean.
pub struct Endpoint {
    /// The method; `GET` stands for `HEAD`, too.
    pub method: &'static str,
    /// The path; `{…}` stands for an id.
    pub path: &'static str,
    /// The name of the route in the OpenAPI document, the log and the metrics.
    pub id: &'static str,
    /// Whether the route takes query parameters. A route that pages, browsers and caches call accepts any
    /// parameters, since those add parameters of their own.
    pub takes_parameters: bool,
    target: Target,
}

/// The route of a request.
pub struct Found {
    /// The line of the table.
    pub endpoint: &'static Endpoint,
    /// What the request asks for.
    pub route: Route,
}

/// The ids of a path, in the order of the path.
struct Ids<'a>(std::vec::IntoIter<&'a str>);

impl<'a> Ids<'a> {
    /// Returns the next id. A path has as many ids as its line needs; a test checks this.
    fn text(&mut self) -> &'a str {
        self.0.next().unwrap_or_default()
    }

    fn next(&mut self) -> String {
        self.text().to_owned()
    }
}

/// What the ids of a path mean, and who may call the route.
enum Target {
    /// A survey's object answers, and pages of any origin may call it.
    Forwarded(fn(&mut Ids<'_>) -> Result<ForwardedRoute, Problem>),
    /// A survey's object answers, but pages of other origins may not call it.
    Hosted,
    /// Pages of any origin may call it.
    Page(fn(&mut Ids<'_>) -> Result<PublicRoute, Problem>),
    /// Everybody may call it, but pages of other origins may not.
    Public(fn() -> PublicRoute),
    Operator(fn(&mut Ids<'_>) -> OperatorRoute),
    Team {
        scope: Scope,
        or_operator: bool,
        make: fn(&mut Ids<'_>) -> TeamRoute,
    },
    Survey {
        scope: Scope,
        make: fn(&mut Ids<'_>) -> SurveyRoute,
    },
}

impl Target {
    fn route(&self, ids: &mut Ids<'_>) -> Result<Route, Problem> {
        Ok(match self {
            Self::Forwarded(make) => Route::Forwarded(make(ids)?),
            Self::Hosted => {
                let (site, survey) = (ids.next(), ids.next());
                Route::Forwarded(ForwardedRoute::Hosted { site, survey })
            }
            Self::Page(make) => Route::Public(make(ids)?),
            Self::Public(make) => Route::Public(make()),
            Self::Operator(make) => Route::Operator(make(ids)),
            Self::Team { scope, or_operator, make } => {
                let (scope, or_operator) = (*scope, *or_operator);
                let site = ids.next();
                Route::Team(TeamRequest { site, scope, or_operator, route: make(ids) })
            }
            Self::Survey { scope, make } => {
                let (site, survey) = (ids.next(), ids.next());
                let route = TeamRoute::Survey { survey, route: make(ids) };
                Route::Team(TeamRequest { site, scope: *scope, or_operator: false, route })
            }
        })
    }
}

impl Endpoint {
    /// Returns who may call the route.
    pub fn access(&self) -> Access {
        match self.target {
            Target::Forwarded(_) | Target::Page(_) => Access::Page,
            Target::Hosted | Target::Public(_) => Access::Public,
            Target::Operator(_) => Access::Operator,
            Target::Team { scope, or_operator, .. } => Access::Team { scope, or_operator },
            Target::Survey { scope, .. } => Access::Team { scope, or_operator: false },
        }
    }

    /// Lets the route take query parameters.
    const fn with_parameters(self) -> Self {
        Self { takes_parameters: true, ..self }
    }
}

const fn endpoint(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    target: Target,
) -> Endpoint {
    let takes_parameters =
        !matches!(target, Target::Operator(_) | Target::Team { .. } | Target::Survey { .. });
    Endpoint { method, path, id, takes_parameters, target }
}

const fn forwarded(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    make: fn(&mut Ids<'_>) -> Result<ForwardedRoute, Problem>,
) -> Endpoint {
    endpoint(method, path, id, Target::Forwarded(make))
}

const fn page(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    make: fn(&mut Ids<'_>) -> Result<PublicRoute, Problem>,
) -> Endpoint {
    endpoint(method, path, id, Target::Page(make))
}

const fn operator(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    make: fn(&mut Ids<'_>) -> OperatorRoute,
) -> Endpoint {
    endpoint(method, path, id, Target::Operator(make))
}

const fn team(
    scope: Scope,
    method: &'static str,
    path: &'static str,
    id: &'static str,
    make: fn(&mut Ids<'_>) -> TeamRoute,
) -> Endpoint {
    endpoint(method, path, id, Target::Team { scope, or_operator: false, make })
}

/// Makes a route that takes an admin key and that the operator may call, too, so that a site that has lost its
/// keys is not lost.
const fn team_or_operator(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    make: fn(&mut Ids<'_>) -> TeamRoute,
) -> Endpoint {
    endpoint(method, path, id, Target::Team { scope: Admin, or_operator: true, make })
}

const fn survey(
    scope: Scope,
    method: &'static str,
    path: &'static str,
    id: &'static str,
    make: fn(&mut Ids<'_>) -> SurveyRoute,
) -> Endpoint {
    endpoint(method, path, id, Target::Survey { scope, make })
}

/// All routes. The first match wins, so the routes that are called most come first.
pub const ENDPOINTS: &[Endpoint] = &[
    forwarded("POST", "/v1/collect/{site}/{survey}/{shard}", "collect", |ids| {
        let (site, survey) = (ids.next(), ids.next());
        let (shard, seal) = shard_address(ids.text())?;
        Ok(ForwardedRoute::Collect { site, survey, shard, seal: seal.to_owned() })
    }),
    page("GET", "/v1/config/{site}", "config", |ids| Ok(PublicRoute::Config { site: ids.next() })),
    forwarded("GET", "/v1/body/{site}/{survey}/{digest}", "body", |ids| {
        let (site, survey, digest) = (ids.next(), ids.next(), ids.next());
        if !is_digest(&digest) {
            return Err(Problem::new(Code::UnknownBody, "the survey has no such body"));
        }
        Ok(ForwardedRoute::Body { site, survey, digest })
    }),
    page("POST", "/v1/installs/{site}", "reportInstall", |ids| {
        Ok(PublicRoute::ReportInstall { site: ids.next() })
    }),
    page("GET", "/v1/preview/{site}/{survey}/{token}", "preview", |ids| {
        let (site, survey, token) = (ids.next(), ids.next(), ids.next());
        Ok(PublicRoute::Preview { site, survey, token, language: None })
    }),
    page("GET", "/v1/preview/{site}/{survey}/{token}/{language}", "previewBody", |ids| {
        let (site, survey, token) = (ids.next(), ids.next(), ids.next());
        Ok(PublicRoute::Preview { site, survey, token, language: Some(ids.next()) })
    }),
    endpoint("GET", "/s/{site}/{survey}", "hostedPage", Target::Hosted),
    endpoint("POST", "/s/{site}/{survey}", "sendHostedPage", Target::Hosted),
    endpoint("GET", "/healthz", "health", Target::Public(|| PublicRoute::Health)),
    page("GET", "/demo", "demo", |_| Ok(PublicRoute::Demo)),
    page("GET", "/{file}", "asset", |ids| {
        let file = ids.next();
        if is_asset(&file) { Ok(PublicRoute::Asset { file }) } else { Err(not_found()) }
    }),
    operator("GET", "/v1/sites", "listSites", |_| OperatorRoute::ListSites).with_parameters(),
    operator("GET", "/metrics", "metrics", |_| OperatorRoute::Metrics),
    operator("POST", "/v1/sites", "createSite", |_| OperatorRoute::CreateSite),
    operator("GET", "/v1/sites/{site}/bundle", "giveBundle", |ids| OperatorRoute::GiveBundle {
        site: ids.next(),
    })
    .with_parameters(),
    operator("POST", "/v1/sites/{site}/bundle", "takeBundle", |ids| OperatorRoute::TakeBundle {
        site: ids.next(),
    }),
    team(Read, "GET", "/v1/sites/{site}", "getSite", |_| TeamRoute::GetSite),
    team(Admin, "PUT", "/v1/sites/{site}", "changeSite", |_| TeamRoute::ReplaceSite),
    team(Admin, "PATCH", "/v1/sites/{site}", "patchSite", |_| TeamRoute::PatchSite),
    team_or_operator("DELETE", "/v1/sites/{site}", "deleteSite", |_| TeamRoute::DeleteSite),
    team_or_operator("GET", "/v1/sites/{site}/keys", "listKeys", |_| TeamRoute::ListKeys),
    team_or_operator("POST", "/v1/sites/{site}/keys", "createKey", |_| TeamRoute::CreateKey),
    team_or_operator("DELETE", "/v1/sites/{site}/keys/{id}", "revokeKey", |ids| {
        TeamRoute::RevokeKey { id: ids.next() }
    }),
    team(Read, "GET", "/v1/sites/{site}/installs", "installs", |_| TeamRoute::ListInstalls),
    team(Admin, "GET", "/v1/sites/{site}/audit", "audit", |_| TeamRoute::Audit).with_parameters(),
    team(Admin, "POST", "/v1/sites/{site}/identity-secrets", "createIdentitySecret", |_| {
        TeamRoute::CreateIdentitySecret
    }),
    team(
        Admin,
        "DELETE",
        "/v1/sites/{site}/identity-secrets/{id}",
        "removeIdentitySecret",
        |ids| TeamRoute::RemoveIdentitySecret { id: ids.next() },
    ),
    team(Admin, "POST", "/v1/sites/{site}/respondents/erase", "eraseRespondent", |_| {
        TeamRoute::EraseRespondent
    }),
    team(Admin, "POST", "/v1/sites/{site}/respondents/lookup", "lookUpRespondent", |_| {
        TeamRoute::LookUpRespondent
    }),
    team(Read, "GET", "/v1/sites/{site}/summary", "siteSummary", |_| TeamRoute::Summary)
        .with_parameters(),
    team(Read, "GET", "/v1/sites/{site}/overview", "overview", |_| TeamRoute::Overview)
        .with_parameters(),
    team(Read, "GET", "/v1/sites/{site}/surveys", "listSurveys", |_| TeamRoute::ListSurveys),
    team(Write, "POST", "/v1/sites/{site}/surveys", "createSurvey", |_| TeamRoute::CreateSurvey),
    survey(Read, "GET", "/v1/sites/{site}/surveys/{survey}", "getSurvey", |_| SurveyRoute::Get),
    survey(Write, "PUT", "/v1/sites/{site}/surveys/{survey}", "changeSurvey", |_| {
        SurveyRoute::Replace
    }),
    survey(Write, "PATCH", "/v1/sites/{site}/surveys/{survey}", "patchSurvey", |_| {
        SurveyRoute::Patch
    }),
    // These two need an admin key: a deletion removes everything that was collected, and the number of shards
    // can never shrink again.
    survey(Admin, "DELETE", "/v1/sites/{site}/surveys/{survey}", "deleteSurvey", |_| {
        SurveyRoute::Delete
    }),
    survey(Admin, "POST", "/v1/sites/{site}/surveys/{survey}/shards", "setShards", |_| {
        SurveyRoute::SetShards
    }),
    survey(Write, "POST", "/v1/sites/{site}/surveys/{survey}/duplicate", "duplicateSurvey", |_| {
        SurveyRoute::Duplicate
    }),
    survey(Write, "POST", "/v1/sites/{site}/surveys/{survey}/publish", "publishSurvey", |_| {
        SurveyRoute::Publish
    }),
    survey(Write, "POST", "/v1/sites/{site}/surveys/{survey}/pause", "pauseSurvey", |_| {
        SurveyRoute::Pause
    }),
    survey(Write, "POST", "/v1/sites/{site}/surveys/{survey}/resume", "resumeSurvey", |_| {
        SurveyRoute::Resume
    }),
    survey(Write, "POST", "/v1/sites/{site}/surveys/{survey}/archive", "archiveSurvey", |_| {
        SurveyRoute::Archive
    }),
    survey(Write, "POST", "/v1/sites/{site}/surveys/{survey}/refuse", "refuseIntake", |_| {
        SurveyRoute::RefuseIntake
    }),
    survey(Write, "POST", "/v1/sites/{site}/surveys/{survey}/accept", "acceptIntake", |_| {
        SurveyRoute::AcceptIntake
    }),
    survey(Read, "GET", "/v1/sites/{site}/surveys/{survey}/summary", "summary", |_| {
        SurveyRoute::Summary
    })
    .with_parameters(),
    survey(Write, "POST", "/v1/sites/{site}/surveys/{survey}/preview", "createPreview", |_| {
        SurveyRoute::CreatePreview
    }),
    survey(Write, "DELETE", "/v1/sites/{site}/surveys/{survey}/preview", "revokePreviews", |_| {
        SurveyRoute::RevokePreviews
    }),
    survey(Read, "GET", "/v1/sites/{site}/surveys/{survey}/usage", "usage", |_| SurveyRoute::Usage),
    survey(Write, "POST", "/v1/sites/{site}/surveys/{survey}/import", "import", |_| {
        SurveyRoute::Import
    })
    .with_parameters(),
    survey(Read, "GET", "/v1/sites/{site}/surveys/{survey}/responses", "responses", |_| {
        SurveyRoute::ListResponses
    })
    .with_parameters(),
    survey(
        Read,
        "POST",
        "/v1/sites/{site}/surveys/{survey}/responses/query",
        "queryResponses",
        |_| SurveyRoute::QueryResponses,
    ),
    survey(Read, "GET", "/v1/sites/{site}/surveys/{survey}/export", "export", |_| {
        SurveyRoute::Export
    })
    .with_parameters(),
    survey(Write, "POST", "/v1/sites/{site}/surveys/{survey}/corrections", "correct", |_| {
        SurveyRoute::Correct
    }),
    survey(
        Write,
        "DELETE",
        "/v1/sites/{site}/surveys/{survey}/displays/{display}",
        "deleteResponse",
        |ids| SurveyRoute::DeleteDisplay { display: ids.next() },
    ),
    survey(
        Write,
        "POST",
        "/v1/sites/{site}/surveys/{survey}/displays/{display}/exclude",
        "excludeResponse",
        |ids| SurveyRoute::Exclude { display: ids.next() },
    ),
    survey(
        Write,
        "POST",
        "/v1/sites/{site}/surveys/{survey}/displays/{display}/include",
        "includeResponse",
        |ids| SurveyRoute::Include { display: ids.next() },
    ),
];

/// The route of `OPTIONS` for every path that pages of other origins call.
pub const PREFLIGHT: &Endpoint =
    &endpoint("OPTIONS", "*", "preflight", Target::Public(|| PublicRoute::Preflight));

/// Finds the route of a request.
pub fn find(method: &str, path: &str) -> Result<Found, Problem> {
    let steps: Vec<&str> = path.strip_prefix('/').ok_or_else(not_found)?.split('/').collect();
    let wanted = if method == "HEAD" { "GET" } else { method };
    let mut allowed = String::new();
    let mut is_of_pages = false;
    for endpoint in ENDPOINTS {
        let Some(ids) = ids(endpoint.path, &steps) else { continue };
        // The ids in the path are checked first: a path with an impossible id supports no method.
        let route = match endpoint.target.route(&mut Ids(ids.into_iter())) {
            Err(problem) if problem.code == Code::NotFound => continue,
            made => made?,
        };
        if endpoint.method == wanted {
            return Ok(Found { endpoint, route });
        }
        is_of_pages |= endpoint.access() == Access::Page;
        if !allowed.is_empty() {
            allowed += ", ";
        }
        allowed += endpoint.method;
    }
    if allowed.is_empty() {
        return Err(not_found());
    }
    if method == "OPTIONS" && is_of_pages {
        return Ok(Found { endpoint: PREFLIGHT, route: Route::Public(PublicRoute::Preflight) });
    }
    let detail = format!("this route takes {allowed}");
    Err(Problem::new(Code::MethodNotAllowed, detail).limit(allowed))
}

/// Returns the ids of a path, if the path matches this template of the table.
fn ids<'a>(template: &str, steps: &[&'a str]) -> Option<Vec<&'a str>> {
    let mut ids = Vec::new();
    let mut steps = steps.iter();
    for wanted in template.split('/').skip(1) {
        let step = steps.next()?;
        if wanted.starts_with('{') {
            ids.push(*step);
        } else if wanted != *step {
            return None;
        }
    }
    steps.next().is_none().then_some(ids)
}

/// Returns the problem for a request that no route has.
pub fn not_found() -> Problem {
    Problem::new(Code::NotFound, "there is no such route")
}

/// Splits the address of a shard into its number and its seal, which is empty for the first shard and has eight
/// characters for the others. Refuses an address that no survey can have before any object wakes, and accepts
/// only the canonical spelling, so that a shard has exactly one address.
fn shard_address(text: &str) -> Result<(u16, &str), Problem> {
    let (number, seal) = text.split_at_checked(1).unwrap_or_default();
    let is_seal = seal.len() == 8 && seal.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match number.parse::<u16>() {
        Ok(0) if seal.is_empty() => Ok((0, seal)),
        Ok(shard @ 1..SHARDS_LIMIT) if is_seal => Ok((shard, seal)),
        _ => Err(Problem::new(Code::UnknownShard, "there is no such shard")),
    }
}

/// Whether a text can be the digest of a body or of a file.
fn is_digest(text: &str) -> bool {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == 16 && text.bytes().all(is_hex)
}

/// Whether a name can be one of the files: a fixed name, or a name with a hash and an ending.
fn is_asset(file: &str) -> bool {
    let Some((stem, ending)) = file.rsplit_once('.') else { return false };
    let hashed = stem.split_once('-').is_some_and(|(name, hash)| {
        matches!(name, "asklet" | "when" | "widget" | "frame") && is_digest(hash)
    });
    matches!(file, "asklet.js" | "debug.js" | "integrity.json" | "openapi.json")
        || (hashed && matches!(ending, "js" | "wasm"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn route(method: &str, path: &str) -> Result<Route, Problem> {
        find(method, path).map(|found| found.route)
    }

    /// Returns a path that matches a line of the table.
    fn sample(endpoint: &Endpoint) -> String {
        let path = endpoint.path.replace("{shard}", "0").replace("{digest}", "0123456789abcdef");
        path.replace("{file}", "asklet.js")
    }

    #[test]
    fn a_path_and_a_method_make_a_route() {
        let collect = |shard, seal: &str| {
            let (site, survey, seal) = ("any-1".to_owned(), "2".to_owned(), seal.to_owned());
            Ok(Route::Forwarded(ForwardedRoute::Collect { site, survey, shard, seal }))
        };
        assert_eq!(route("POST", "/v1/collect/any-1/2/0"), collect(0, ""));
        assert_eq!(route("POST", "/v1/collect/any-1/2/7abcd0123"), collect(7, "abcd0123"));
        let preflight = Ok(Route::Public(PublicRoute::Preflight));
        assert_eq!(route("OPTIONS", "/v1/collect/any-1/2/0"), preflight);
        assert_eq!(route("HEAD", "/healthz"), Ok(Route::Public(PublicRoute::Health)));
        let widget = "widget-0123456789abcdef.wasm";
        let asset = Ok(Route::Public(PublicRoute::Asset { file: widget.to_owned() }));
        assert_eq!(route("GET", &format!("/{widget}")), asset);
    }

    #[test]
    fn every_line_is_found_by_its_path_and_has_its_ids_where_they_belong() {
        for endpoint in ENDPOINTS {
            let path = sample(endpoint);
            let found = find(endpoint.method, &path).unwrap();
            assert_eq!(found.endpoint.id, endpoint.id, "{path}");
            let shown = format!("{:?}", found.route);
            for id in path.split('/').filter(|step| step.starts_with('{')) {
                assert!(shown.contains(id), "{shown}");
            }
            // A line that reads more ids than its path has would get an empty id. Only the seal of the first
            // shard may be empty.
            let has_no_seal = endpoint.id == "collect";
            assert!(has_no_seal || !shown.contains("\"\""), "{shown}");
        }
    }

    #[test]
    fn every_line_has_a_name_of_its_own() {
        let names: BTreeSet<_> = ENDPOINTS.iter().map(|endpoint| endpoint.id).collect();
        assert_eq!(names.len(), ENDPOINTS.len());
    }

    #[test]
    fn what_lies_below_a_site_takes_a_credential() {
        for endpoint in ENDPOINTS {
            let is_public = endpoint.access().is_public();
            let is_below = endpoint.path.starts_with("/v1/sites") || endpoint.path == "/metrics";
            assert_eq!(is_public, !is_below, "{}", endpoint.path);
        }
    }

    #[test]
    fn reading_takes_read_surveys_take_write_and_the_rest_takes_admin() {
        for endpoint in ENDPOINTS {
            let Access::Team { scope, or_operator } = endpoint.access() else { continue };
            let Endpoint { method, path, id, .. } = endpoint;
            let below = path.strip_prefix("/v1/sites/{site}").unwrap();
            let expected = match (*method, below) {
                (_, "/keys" | "/audit" | "/surveys/{survey}/shards") => Admin,
                ("GET", _) | (_, "/surveys/{survey}/responses/query") => Read,
                ("DELETE", "/surveys/{survey}") => Admin,
                (_, below) if below.starts_with("/surveys") => Write,
                _ => Admin,
            };
            let operator_too = below.starts_with("/keys") || *id == "deleteSite";
            assert_eq!((scope, or_operator), (expected, operator_too), "{method} {path}");
        }
    }

    #[test]
    fn a_hosted_page_is_read_and_sent_and_no_other_page_may_call_it() {
        let (site, survey) = ("any-1".to_owned(), "2".to_owned());
        let hosted = Route::Forwarded(ForwardedRoute::Hosted { site, survey });
        assert_eq!(route("GET", "/s/any-1/2"), Ok(hosted.clone()));
        assert_eq!(route("POST", "/s/any-1/2"), Ok(hosted));
        assert_eq!(route("OPTIONS", "/s/any-1/2").unwrap_err().code, Code::MethodNotAllowed);
    }

    #[test]
    fn other_paths_and_methods_are_told_apart() {
        let code = |method: &str, path: &str| route(method, path).unwrap_err().code;
        assert_eq!(code("GET", "/v1/collect/any-1/2/0"), Code::MethodNotAllowed);
        assert_eq!(code("OPTIONS", "/v1/sites"), Code::MethodNotAllowed);
        let refused = route("POST", "/v1/sites/any-1/surveys/2").unwrap_err();
        assert_eq!(refused.limit.as_deref(), Some("GET, PUT, PATCH, DELETE"));
        assert_eq!(code("POST", "/v1/sites/any-1/surveys/2/forget"), Code::NotFound);
        let no_shards =
            ["1", "8abcd0123", "0abcd0123", "07abcd012", "7abcd012é", "00", "-1", "x", ""];
        for shard in no_shards {
            let path = format!("/v1/collect/any-1/2/{shard}");
            assert_eq!(code("POST", &path), Code::UnknownShard);
        }
        for digest in ["0123456789abcde", "0123456789abcdeF", "0123456789abcdeg", ""] {
            assert_eq!(code("GET", &format!("/v1/body/any-1/2/{digest}")), Code::UnknownBody);
        }
        for path in [
            "/",
            "//",
            "/v1",
            "/manifest.json",
            "/asklet.js.br",
            "/widget-.js",
            "/v1/config",
            "/s/any-1",
            "/s/any-1/2/",
            "/v1/preview/any-1/2/3/de/4",
        ] {
            assert_eq!(code("GET", path), Code::NotFound, "{path}");
        }
    }
}
