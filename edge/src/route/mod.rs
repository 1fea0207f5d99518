//! The table of routes: which method and path mean what. Ids are texts here; nobody has checked
//! their seals yet.

mod access;
pub mod team;

use asklet_shared::problem::{Code, Problem};

pub use access::Access;

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
    /// `POST /v1/installs/{site}`
    ReportInstall { site: String },
    /// `GET /v1/body/{site}/{survey}/{digest}`
    Body { site: String, survey: String, digest: String },
    /// `POST /v1/collect/{site}/{survey}/{shard}`: the shard's number, and its seal behind it.
    Collect { site: String, survey: String, shard: u16, seal: String },
    /// `GET /s/{site}/{survey}`, and `POST` of the form that stands there.
    Hosted { site: String, survey: String },
    /// `GET /v1/preview/{site}/{survey}/{token}`, and of a body below it by its language.
    Preview { site: String, survey: String, token: String, language: Option<String> },
    /// `OPTIONS` of a route that pages of other origins may call.
    Preflight,
    /// `GET` and `POST /v1/sites`, for the operator.
    Sites { verb: Verb },
    /// `GET` and `POST /v1/sites/{site}/bundle`, for the operator.
    Bundle { site: String, verb: Verb },
    /// `GET`, `PUT`, `PATCH` and `DELETE /v1/sites/{site}`
    Site { site: String, verb: Verb },
    /// `GET` and `POST /v1/sites/{site}/keys`
    Keys { site: String, verb: Verb },
    /// `DELETE /v1/sites/{site}/keys/{id}`
    Key { site: String, id: String },
    /// `GET /v1/sites/{site}/installs`
    Installs { site: String },
    /// `GET /v1/sites/{site}/audit`
    Audit { site: String },
    /// `POST /v1/sites/{site}/identity-secrets`, and `DELETE` of one below it.
    IdentitySecret { site: String, id: Option<String> },
    /// `POST /v1/sites/{site}/respondents/erase`
    EraseRespondent { site: String },
    /// `POST /v1/sites/{site}/respondents/lookup`
    LookUpRespondent { site: String },
    /// `GET /v1/sites/{site}/summary`
    SiteSummary { site: String },
    /// `GET` and `POST /v1/sites/{site}/surveys`
    Surveys { site: String, verb: Verb },
    /// `GET`, `PUT`, `PATCH` and `DELETE /v1/sites/{site}/surveys/{survey}`, and `POST` to a verb below it.
    Survey { site: String, survey: String, verb: Verb },
    /// `GET /v1/sites/{site}/surveys/{survey}/summary`
    Summary { site: String, survey: String },
    /// `POST /v1/sites/{site}/surveys/{survey}/preview`
    MakePreview { site: String, survey: String },
    /// `DELETE /v1/sites/{site}/surveys/{survey}/preview`
    RevokePreviews { site: String, survey: String },
    /// `GET /v1/sites/{site}/surveys/{survey}/usage`
    Usage { site: String, survey: String },
    /// `POST /v1/sites/{site}/surveys/{survey}/import`
    Import { site: String, survey: String },
    /// `GET /v1/sites/{site}/surveys/{survey}/responses`, and `POST` to `/query` below it.
    Responses { site: String, survey: String, is_query: bool },
    /// `GET /v1/sites/{site}/surveys/{survey}/export`
    Export { site: String, survey: String },
    /// `DELETE /v1/sites/{site}/surveys/{survey}/displays/{display}`
    DeleteDisplay { site: String, survey: String, display: String },
    /// `POST /v1/sites/{site}/surveys/{survey}/corrections`
    Correct { site: String, survey: String },
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
    /// Change some of it.
    Patch,
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
    /// Take nothing that was answered.
    Refuse,
    /// Take it again.
    Accept,
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
            Self::Hosted { .. } => "hosted",
            Self::Preview { .. } => "preview",
            Self::Preflight => "preflight",
            Self::Sites { .. } => "sites",
            Self::Bundle { .. } => "bundle",
            Self::Site { .. } => "site",
            Self::Keys { .. } => "keys",
            Self::Key { .. } => "key",
            Self::ReportInstall { .. } => "report install",
            Self::Installs { .. } => "installs",
            Self::Audit { .. } => "audit",
            Self::IdentitySecret { .. } => "identity secret",
            Self::EraseRespondent { .. } => "erase respondent",
            Self::SiteSummary { .. } => "site summary",
            Self::Surveys { .. } => "surveys",
            Self::Survey { .. } => "survey",
            Self::Summary { .. } => "summary",
            Self::MakePreview { .. } => "make preview",
            Self::RevokePreviews { .. } => "revoke previews",
            Self::Usage { .. } => "usage",
            Self::Import { .. } => "import",
            Self::Exclude { .. } => "exclude",
            Self::Correct { .. } => "correct",
            Self::LookUpRespondent { .. } => "look up respondent",
            Self::Responses { .. } => "responses",
            Self::Export { .. } => "export",
            Self::DeleteDisplay { .. } => "delete display",
        }
    }
}

/// Finds the route of a request.
pub fn route(method: &str, path: &str) -> Result<Route, Problem> {
    let owned = |part: &&str| (*part).to_owned();
    let parts: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    // First of all, so that no route that takes a site's key can be anywhere but in its table.
    if let ["v1", "sites", site, below @ ..] = parts.as_slice()
        && below != ["bundle"]
    {
        return team::route(method, site, below);
    }
    // Each method that the path takes, with what it means.
    let is_public =
        !matches!(parts.first(), Some(&("healthz" | "s"))) && parts.get(1) != Some(&"sites");
    let routes: Vec<(&str, Route)> = match parts.as_slice() {
        ["healthz"] => vec![("GET", Route::Health)],
        ["demo"] => vec![("GET", Route::Demo)],
        ["v1", "config", site] => vec![("GET", Route::Config { site: owned(site) })],
        ["v1", "installs", site] => vec![("POST", Route::ReportInstall { site: owned(site) })],
        ["v1", "body", site, survey, digest] => {
            if !is_digest(digest) {
                return Err(Problem::new(Code::UnknownBody, "the survey has no such body"));
            }
            let (site, survey, digest) = (owned(site), owned(survey), owned(digest));
            vec![("GET", Route::Body { site, survey, digest })]
        }
        ["v1", "collect", site, survey, shard] => {
            let (shard, seal) = shard_address(shard)?;
            let (site, survey, seal) = (owned(site), owned(survey), seal.to_owned());
            vec![("POST", Route::Collect { site, survey, shard, seal })]
        }
        ["s", site, survey] => {
            let hosted = Route::Hosted { site: owned(site), survey: owned(survey) };
            vec![("GET", hosted.clone()), ("POST", hosted)]
        }
        ["v1", "preview", site, survey, token, below @ ..] if below.len() < 2 => {
            let (site, survey, token) = (owned(site), owned(survey), owned(token));
            let language = below.first().map(owned);
            vec![("GET", Route::Preview { site, survey, token, language })]
        }
        ["v1", "sites"] => vec![
            ("GET", Route::Sites { verb: Verb::Read }),
            ("POST", Route::Sites { verb: Verb::Create }),
        ],
        ["v1", "sites", site, "bundle"] => vec![
            ("GET", Route::Bundle { site: owned(site), verb: Verb::Read }),
            ("POST", Route::Bundle { site: owned(site), verb: Verb::Create }),
        ],
        [file] if is_asset(file) => vec![("GET", Route::Asset { file: owned(file) })],
        _ => return Err(not_found()),
    };
    if method == "OPTIONS" && is_public {
        return Ok(Route::Preflight);
    }
    choose(method, routes.into_iter())
}

/// What a method means, of those that a path takes. `HEAD` is served like `GET`.
fn choose<T>(
    method: &str,
    meanings: impl Iterator<Item = (&'static str, T)>,
) -> Result<T, Problem> {
    let wanted = if method == "HEAD" { "GET" } else { method };
    let mut allowed = String::new();
    for (method, meaning) in meanings {
        if method == wanted {
            return Ok(meaning);
        }
        if !allowed.is_empty() {
            allowed += ", ";
        }
        allowed += method;
    }
    let detail = format!("this route takes {allowed}");
    Err(Problem::new(Code::MethodNotAllowed, detail).limit(allowed))
}

fn not_found() -> Problem {
    Problem::new(Code::NotFound, "there is no such route")
}

/// A shard's number and its seal: none for the first shard, eight characters for the others. Refuses
/// what no survey can have before anything wakes, and takes the canonical spelling only, so that one
/// shard has one address.
fn shard_address(text: &str) -> Result<(u16, &str), Problem> {
    let (number, seal) = text.split_at_checked(1).unwrap_or_default();
    let is_seal = seal.len() == 8 && seal.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match number.parse::<u16>() {
        Ok(0) if seal.is_empty() => Ok((0, seal)),
        Ok(shard @ 1..SHARDS_LIMIT) if is_seal => Ok((shard, seal)),
        _ => Err(Problem::new(Code::UnknownShard, "there is no such shard")),
    }
}

/// The digest of a body, or of a file.
fn is_digest(text: &str) -> bool {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == 16 && text.bytes().all(is_hex)
}

/// One of the files with a name of their own, or a name, a hash and an ending.
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
    use super::*;

    #[test]
    fn a_path_and_a_method_make_a_route() {
        let collect = |shard, seal: &str| {
            let (site, survey, seal) = ("any-1".to_owned(), "2".to_owned(), seal.to_owned());
            Ok(Route::Collect { site, survey, shard, seal })
        };
        assert_eq!(route("POST", "/v1/collect/any-1/2/0"), collect(0, ""));
        assert_eq!(route("POST", "/v1/collect/any-1/2/7abcd0123"), collect(7, "abcd0123"));
        assert_eq!(route("OPTIONS", "/v1/collect/any-1/2/0"), Ok(Route::Preflight));
        assert_eq!(route("HEAD", "/healthz"), Ok(Route::Health));
        let widget = "widget-0123456789abcdef.wasm";
        assert_eq!(
            route("GET", &format!("/{widget}")),
            Ok(Route::Asset { file: widget.to_owned() })
        );
    }

    #[test]
    fn a_hosted_page_is_read_and_sent_and_no_other_page_may_call_it() {
        let hosted = Route::Hosted { site: "any-1".to_owned(), survey: "2".to_owned() };
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
