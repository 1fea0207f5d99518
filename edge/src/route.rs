//! The table of routes: which method and path mean what. Ids are texts here; nobody has checked
//! their seals yet.

use asklet_shared::problem::{Code, Problem};

/// The most shards that a survey can have; a larger number cannot be one.
pub const SHARDS_LIMIT: u16 = 8;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `GET /healthz`
    Health,
    /// `GET /asklet.js` and the hashed files beside it.
    Asset { file: String },
    /// `GET /demo`, where the operator switched it on.
    Demo,
    /// `GET /v1/config/{site}`
    Config { site: String },
    /// `GET /v1/body/{site}/{survey}/{digest}`
    Body { site: String, survey: String, digest: String },
    /// `POST /v1/collect/{site}/{survey}/{shard}`
    Collect { site: String, survey: String, shard: u16 },
    /// `OPTIONS` of a route that pages of other origins may call.
    Preflight,
    /// `GET` and `POST /v1/sites`, for the operator.
    Sites { verb: Verb },
    /// `GET`, `PUT` and `DELETE /v1/sites/{site}`
    Site { site: String, verb: Verb },
    /// `POST /v1/sites/{site}/identity-secrets`, and `DELETE` of one below it.
    IdentitySecret { site: String, id: Option<String> },
    /// `POST /v1/sites/{site}/respondents/erase`
    EraseRespondent { site: String },
    /// `GET /v1/sites/{site}/summary`
    SiteSummary { site: String },
    /// `GET` and `POST /v1/sites/{site}/surveys`
    Surveys { site: String, verb: Verb },
    /// `GET`, `PUT` and `DELETE /v1/sites/{site}/surveys/{survey}`, and `POST` to a verb below it.
    Survey { site: String, survey: String, verb: Verb },
    /// `GET /v1/sites/{site}/surveys/{survey}/summary`
    Summary { site: String, survey: String },
    /// `GET /v1/sites/{site}/surveys/{survey}/usage`
    Usage { site: String, survey: String },
    /// `POST /v1/sites/{site}/surveys/{survey}/import`
    Import { site: String, survey: String },
    /// `POST /v1/sites/{site}/surveys/{survey}/displays/{display}/exclude` and `/include`
    Exclude { site: String, survey: String, display: String, excluded: bool },
}

/// What is to be done with sites and surveys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Look.
    Read,
    /// Make one.
    Create,
    /// Replace what can be changed.
    Update,
    /// Remove it.
    Delete,
    /// Copy the draft.
    Duplicate,
    /// Make the draft the next version, live.
    Publish,
    /// Stop asking for now.
    Pause,
    /// Ask again.
    Resume,
    /// Stop asking for good.
    Archive,
    /// Spread its displays over more shards.
    Shard,
}

impl Route {
    /// What logs call it: no ids.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Health => "healthz",
            Self::Asset { .. } => "asset",
            Self::Demo => "demo",
            Self::Config { .. } => "config",
            Self::Body { .. } => "body",
            Self::Collect { .. } => "collect",
            Self::Preflight => "preflight",
            Self::Sites { .. } => "sites",
            Self::Site { .. } => "site",
            Self::IdentitySecret { .. } => "identity secret",
            Self::EraseRespondent { .. } => "erase respondent",
            Self::SiteSummary { .. } => "site summary",
            Self::Surveys { .. } => "surveys",
            Self::Survey { .. } => "survey",
            Self::Summary { .. } => "summary",
            Self::Usage { .. } => "usage",
            Self::Import { .. } => "import",
            Self::Exclude { .. } => "exclude",
        }
    }
}

/// Finds the route of a request. `HEAD` is served like `GET`.
pub fn route(method: &str, path: &str) -> Result<Route, Problem> {
    let owned = |part: &&str| (*part).to_owned();
    let parts: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    // Each method that the path takes, with what it means.
    let is_public = parts.first() != Some(&"healthz") && parts.get(1) != Some(&"sites");
    let routes: Vec<(&str, Route)> = match parts.as_slice() {
        ["healthz"] => vec![("GET", Route::Health)],
        ["demo"] => vec![("GET", Route::Demo)],
        ["v1", "config", site] => vec![("GET", Route::Config { site: owned(site) })],
        ["v1", "body", site, survey, digest] => {
            let (site, survey, digest) = (owned(site), owned(survey), owned(digest));
            vec![("GET", Route::Body { site, survey, digest })]
        }
        ["v1", "collect", site, survey, shard] => {
            let shard = shard_number(shard)?;
            vec![("POST", Route::Collect { site: owned(site), survey: owned(survey), shard })]
        }
        ["v1", "sites"] => vec![
            ("GET", Route::Sites { verb: Verb::Read }),
            ("POST", Route::Sites { verb: Verb::Create }),
        ],
        ["v1", "sites", site] => {
            let route = |verb| Route::Site { site: owned(site), verb };
            vec![
                ("GET", route(Verb::Read)),
                ("PUT", route(Verb::Update)),
                ("DELETE", route(Verb::Delete)),
            ]
        }
        ["v1", "sites", site, "identity-secrets"] => {
            vec![("POST", Route::IdentitySecret { site: owned(site), id: None })]
        }
        ["v1", "sites", site, "identity-secrets", id] => {
            vec![("DELETE", Route::IdentitySecret { site: owned(site), id: Some(owned(id)) })]
        }
        ["v1", "sites", site, "respondents", "erase"] => {
            vec![("POST", Route::EraseRespondent { site: owned(site) })]
        }
        ["v1", "sites", site, "summary"] => {
            vec![("GET", Route::SiteSummary { site: owned(site) })]
        }
        ["v1", "sites", site, "surveys"] => {
            let route = |verb| Route::Surveys { site: owned(site), verb };
            vec![("GET", route(Verb::Read)), ("POST", route(Verb::Create))]
        }
        ["v1", "sites", site, "surveys", survey] => {
            let route = |verb| Route::Survey { site: owned(site), survey: owned(survey), verb };
            vec![
                ("GET", route(Verb::Read)),
                ("PUT", route(Verb::Update)),
                ("DELETE", route(Verb::Delete)),
            ]
        }
        ["v1", "sites", site, "surveys", survey, "summary"] => {
            vec![("GET", Route::Summary { site: owned(site), survey: owned(survey) })]
        }
        ["v1", "sites", site, "surveys", survey, "usage"] => {
            vec![("GET", Route::Usage { site: owned(site), survey: owned(survey) })]
        }
        ["v1", "sites", site, "surveys", survey, "import"] => {
            vec![("POST", Route::Import { site: owned(site), survey: owned(survey) })]
        }
        ["v1", "sites", site, "surveys", survey, "displays", display, verb] => {
            let excluded = match *verb {
                "exclude" => true,
                "include" => false,
                _ => return Err(not_found()),
            };
            let (site, survey, display) = (owned(site), owned(survey), owned(display));
            vec![("POST", Route::Exclude { site, survey, display, excluded })]
        }
        ["v1", "sites", site, "surveys", survey, verb] => {
            let verb = match *verb {
                "duplicate" => Verb::Duplicate,
                "publish" => Verb::Publish,
                "pause" => Verb::Pause,
                "resume" => Verb::Resume,
                "archive" => Verb::Archive,
                "shards" => Verb::Shard,
                _ => return Err(not_found()),
            };
            vec![("POST", Route::Survey { site: owned(site), survey: owned(survey), verb })]
        }
        [file] if is_asset(file) => vec![("GET", Route::Asset { file: owned(file) })],
        _ => return Err(not_found()),
    };
    if method == "OPTIONS" && is_public {
        return Ok(Route::Preflight);
    }
    let allowed = routes.iter().map(|(method, _)| *method).collect::<Vec<_>>().join(", ");
    let wanted = if method == "HEAD" { "GET" } else { method };
    match routes.into_iter().find(|(method, _)| *method == wanted) {
        Some((_, route)) => Ok(route),
        None => {
            let detail = format!("this route takes {allowed}");
            Err(Problem::new(Code::MethodNotAllowed, detail).limit(allowed))
        }
    }
}

fn not_found() -> Problem {
    Problem::new(Code::NotFound, "there is no such route")
}

/// Refuses numbers that no survey can have before anything wakes. The canonical spelling only, so
/// that one shard has one address.
fn shard_number(text: &str) -> Result<u16, Problem> {
    match text.parse::<u16>() {
        Ok(shard) if shard < SHARDS_LIMIT && shard.to_string() == text => Ok(shard),
        _ => Err(Problem::new(Code::UnknownShard, "there is no such shard")),
    }
}

/// `asklet.js`, or a name, a hash and an ending.
fn is_asset(file: &str) -> bool {
    let Some((stem, ending)) = file.rsplit_once('.') else { return false };
    let hashed = stem.split_once('-').is_some_and(|(name, hash)| {
        matches!(name, "when" | "widget" | "frame")
            && hash.len() == 16
            && hash.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    });
    file == "asklet.js" || (hashed && matches!(ending, "js" | "wasm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_a_method_make_a_route() {
        let collect = Route::Collect { site: "any-1".to_owned(), survey: "2".to_owned(), shard: 7 };
        assert_eq!(route("POST", "/v1/collect/any-1/2/7"), Ok(collect));
        assert_eq!(route("OPTIONS", "/v1/collect/any-1/2/7"), Ok(Route::Preflight));
        assert_eq!(route("HEAD", "/healthz"), Ok(Route::Health));
        let widget = "widget-0123456789abcdef.wasm";
        assert_eq!(
            route("GET", &format!("/{widget}")),
            Ok(Route::Asset { file: widget.to_owned() })
        );
    }

    #[test]
    fn other_paths_and_methods_are_told_apart() {
        let code = |method: &str, path: &str| route(method, path).unwrap_err().code;
        assert_eq!(code("GET", "/v1/collect/any-1/2/7"), Code::MethodNotAllowed);
        assert_eq!(code("OPTIONS", "/v1/sites"), Code::MethodNotAllowed);
        let refused = route("PATCH", "/v1/sites/any-1/surveys/2").unwrap_err();
        assert_eq!(refused.limit.as_deref(), Some("GET, PUT, DELETE"));
        assert_eq!(code("POST", "/v1/sites/any-1/surveys/2/forget"), Code::NotFound);
        for shard in ["8", "07", "-1", "x", ""] {
            let path = format!("/v1/collect/any-1/2/{shard}");
            assert_eq!(code("POST", &path), Code::UnknownShard);
        }
        for path in
            ["/", "//", "/v1", "/manifest.json", "/asklet.js.br", "/widget-.js", "/v1/config"]
        {
            assert_eq!(code("GET", path), Code::NotFound, "{path}");
        }
    }
}
