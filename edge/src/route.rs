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
    /// `POST /v1/sites`
    CreateSite,
    /// `POST /v1/sites/{site}/surveys`
    CreateSurvey { site: String },
    /// `POST /v1/sites/{site}/surveys/{survey}/publish`
    Publish { site: String, survey: String },
    /// `GET /v1/sites/{site}/surveys/{survey}/summary`
    Summary { site: String, survey: String },
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
            Self::CreateSite => "create site",
            Self::CreateSurvey { .. } => "create survey",
            Self::Publish { .. } => "publish",
            Self::Summary { .. } => "summary",
        }
    }
}

/// Finds the route of a request. `HEAD` is served like `GET`.
pub fn route(method: &str, path: &str) -> Result<Route, Problem> {
    let owned = |part: &&str| (*part).to_owned();
    let parts: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    let (allowed, public, route) = match parts.as_slice() {
        ["healthz"] => ("GET", false, Route::Health),
        ["demo"] => ("GET", false, Route::Demo),
        ["v1", "config", site] => ("GET", true, Route::Config { site: owned(site) }),
        ["v1", "body", site, survey, digest] => {
            let (site, survey, digest) = (owned(site), owned(survey), owned(digest));
            ("GET", true, Route::Body { site, survey, digest })
        }
        ["v1", "collect", site, survey, shard] => {
            let shard = shard_number(shard)?;
            ("POST", true, Route::Collect { site: owned(site), survey: owned(survey), shard })
        }
        ["v1", "sites"] => ("POST", false, Route::CreateSite),
        ["v1", "sites", site, "surveys"] => {
            ("POST", false, Route::CreateSurvey { site: owned(site) })
        }
        ["v1", "sites", site, "surveys", survey, "publish"] => {
            ("POST", false, Route::Publish { site: owned(site), survey: owned(survey) })
        }
        ["v1", "sites", site, "surveys", survey, "summary"] => {
            ("GET", false, Route::Summary { site: owned(site), survey: owned(survey) })
        }
        [file] if is_asset(file) => ("GET", true, Route::Asset { file: owned(file) }),
        _ => return Err(Problem::new(Code::NotFound, "there is no such route")),
    };
    match method {
        "OPTIONS" if public => Ok(Route::Preflight),
        "HEAD" if allowed == "GET" => Ok(route),
        method if method == allowed => Ok(route),
        _ => Err(Problem::new(Code::MethodNotAllowed, format!("this route takes {allowed}"))
            .limit(allowed)),
    }
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
        matches!(name, "when" | "widget")
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
