//! Answers: headers that every answer of a kind carries, problems, and bodies read within limits.

use std::cell::OnceCell;
use std::time::Duration;

use asklet_shared::problem::{Code, Problem};
use futures_util::TryStreamExt;
use futures_util::future::{Either, LocalBoxFuture, select};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use worker::js_sys::Array;
use worker::{Delay, Headers, Request, Response, ResponseBuilder, console_error, web_sys};

use crate::failure::Failure;
use crate::gzip;
use crate::json;

/// How long a body may take, in milliseconds.
pub const BODY_MS: u32 = 15_000;
const BODY_TIME: Duration = Duration::from_secs(15);

/// How long an answer may be kept.
#[derive(Debug, Clone, Copy)]
pub enum Cache {
    /// Not at all: it is somebody's own.
    Never,
    /// So many seconds, and then it is asked for again.
    Seconds(u32),
    /// Forever: its address names its content.
    Immutable,
}

/// The header by which pages know an answer as the edge's own: what stands between, a captive portal or a
/// firewall, answers too, and does not send it.
const MARK: (&str, &str) = ("asklet", "1");

/// The headers that pages of other origins may read, besides those that they always may.
const EXPOSED: &str = "asklet, retry-after";

/// An answer that pages of any origin may read.
pub fn public(cache: Cache) -> Result<ResponseBuilder, Failure> {
    Ok(private(cache)?
        .with_header("access-control-allow-origin", "*")?
        .with_header("cross-origin-resource-policy", "cross-origin")?
        .with_header("access-control-expose-headers", EXPOSED)?
        .with_header(MARK.0, MARK.1)?
        .with_header("timing-allow-origin", "*")?)
}

/// An answer for programs that hold a key.
pub fn private(cache: Cache) -> Result<ResponseBuilder, Failure> {
    let cache = match cache {
        Cache::Never => "no-store".to_owned(),
        Cache::Seconds(seconds) => format!("public, max-age={seconds}"),
        Cache::Immutable => "public, max-age=31536000, immutable".to_owned(),
    };
    Ok(ResponseBuilder::new()
        .with_header("cache-control", &cache)?
        .with_header("x-content-type-options", "nosniff")?)
}

/// An answer in JSON for programs that hold a key.
pub fn json(status: u16, value: &impl Serialize) -> Result<Response, Failure> {
    written(status, serde_json::to_string(value)?)
}

/// An answer that an object wrote in JSON.
pub fn written(status: u16, json: String) -> Result<Response, Failure> {
    let answer = private(Cache::Never)?.with_status(status);
    Ok(answer.with_header("content-type", "application/json")?.fixed(json.into_bytes()))
}

/// The answer where there is nothing to say but that it was done.
pub fn no_content() -> Result<Response, Failure> {
    Ok(private(Cache::Never)?.with_status(204).empty())
}

/// The answer to a preflight of any public route.
pub fn preflight() -> Result<Response, Failure> {
    Ok(public(Cache::Seconds(86_400))?
        .with_status(204)
        .with_header("access-control-allow-methods", "GET, POST")?
        .with_header("access-control-allow-headers", "content-type")?
        .with_header("access-control-max-age", "86400")?
        .empty())
}

thread_local! {
    // Its headers are the same each time, and each would cost a call out of the module.
    static TAKEN: OnceCell<web_sys::ResponseInit> = const { OnceCell::new() };
}

/// The answer to a display that is stored.
pub fn taken() -> Result<web_sys::Response, Failure> {
    TAKEN.with(|taken| {
        let init = match taken.get() {
            Some(init) => init,
            None => {
                // Nothing but what lets the page see that we took it: each header costs time twice.
                let made = ResponseBuilder::new().with_status(204);
                let made = made.with_header("access-control-allow-origin", "*")?;
                let made = made.with_header("access-control-expose-headers", EXPOSED)?;
                let made = made.with_header(MARK.0, MARK.1)?;
                taken.get_or_init(|| made.into())
            }
        };
        web_sys::Response::new_with_opt_str_and_init(None, init)
            .map_err(|error| worker::Error::from(error).into())
    })
}

/// The answer to a display that is stored without its identity token, and why. Whoever sets up tokens
/// reads it among the headers.
pub fn taken_without_identity(problem: &Problem) -> Result<web_sys::Response, Failure> {
    let answer = ResponseBuilder::new().with_status(204);
    let answer = answer
        .with_header("access-control-allow-origin", "*")?
        .with_header("access-control-expose-headers", "asklet, asklet-identity")?
        .with_header(MARK.0, MARK.1)?
        .with_header("asklet-identity", problem.code.name())?;
    Ok(answer.empty().into())
}

/// What a handler came to, as the platform takes it.
pub fn settle<R: Into<web_sys::Response>>(
    route: &str,
    outcome: Result<R, Failure>,
) -> Result<JsValue, JsValue> {
    match outcome {
        Ok(response) => Ok(response.into().into()),
        Err(failure) => Ok(web_sys::Response::from(finish(route, Err(failure))?).into()),
    }
}

/// What a handler came to, as an answer: problems are told, what broke is logged. `route` says what
/// was asked for, without ids.
pub fn finish(route: &str, outcome: Result<Response, Failure>) -> worker::Result<Response> {
    let failure = match outcome {
        Ok(response) => return Ok(response),
        Err(failure) => failure,
    };
    problem(&told(route, failure)).map_err(|failure| match failure {
        Failure::Broken(cause) => worker::Error::RustError(cause),
        Failure::Problem(problem) => worker::Error::RustError(problem.detail.into_owned()),
    })
}

/// What an alarm came to, as the platform takes it: it calls again after what broke, and there is
/// nobody to tell a problem.
pub fn alarm(outcome: Result<(), Failure>) -> worker::Result<()> {
    match outcome {
        Err(Failure::Broken(cause)) => Err(worker::Error::RustError(cause)),
        Err(Failure::Problem(problem)) => {
            warn("alarm", &problem.detail);
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Logs what went wrong and is made up for.
pub fn warn(route: &str, cause: &str) {
    log("warning", route, cause);
}

/// What the caller is told of a failure. What broke is logged.
pub fn told(route: &str, failure: Failure) -> Problem {
    if let Failure::Broken(cause) = &failure {
        log("error", route, cause);
    }
    failure.into_problem()
}

fn log(level: &str, route: &str, cause: &str) {
    console_error!("{}", serde_json::json!({"level": level, "route": route, "cause": cause}));
}

fn problem(problem: &Problem) -> Result<Response, Failure> {
    let mut answer = public(Cache::Never)?
        .with_status(problem.code.status())
        .with_header("content-type", "application/problem+json")?;
    if let (Code::MethodNotAllowed, Some(allowed)) = (problem.code, &problem.limit) {
        answer = answer.with_header("allow", allowed)?;
    }
    if let (Some(CONTENT_ENCODING), Some(taken)) = (problem.field.as_deref(), &problem.limit) {
        answer = answer.with_header("accept-encoding", taken)?;
    }
    if problem.code == Code::Unauthenticated {
        answer = answer.with_header("www-authenticate", "Bearer")?;
    }
    if let Some(seconds) = retry_after(problem.code.status()) {
        answer = answer.with_header("retry-after", seconds)?;
    }
    Ok(answer.fixed(serde_json::to_vec(problem)?))
}

/// After how many seconds a request is worth repeating that got a status.
pub fn retry_after(status: u16) -> Option<&'static str> {
    match status {
        429 => Some("10"),
        503 => Some("30"),
        507 => Some("600"),
        _ => None,
    }
}

/// Whether a client that holds an answer with this ETag can go on using it.
pub fn is_fresh(headers: &Headers, etag: &str) -> Result<bool, Failure> {
    let known = headers.get("if-none-match")?.unwrap_or_default();
    Ok(known.split(',').any(|known| known.trim().trim_start_matches("W/") == etag))
}

/// The path of a request's address, which the platform gives in full.
pub fn path(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.find('/').and_then(|slash| after_scheme.get(slash..)).unwrap_or("/");
    path.split(['?', '#']).next().unwrap_or(path)
}

/// The parameters of a request's address. The platform takes it apart.
pub fn parameters(request: &Request) -> Result<Vec<(String, String)>, Failure> {
    let url = web_sys::Url::new(&request.inner().url()).map_err(worker::Error::from)?;
    entries(&url.search_params())
}

/// The parameters that may be repeated: each value counts.
const REPEATED: [&str; 2] = ["where", "category"];

/// The parameters of a route that knows its own. One that is given twice is refused, where one of the two
/// would be dropped in silence.
pub fn query(request: &Request) -> Result<Vec<(String, String)>, Failure> {
    let parameters = parameters(request)?;
    for (at, (name, _)) in parameters.iter().enumerate() {
        let is_given = parameters.iter().take(at).any(|(earlier, _)| earlier == name);
        if is_given && !REPEATED.contains(&name.as_str()) {
            let name = name.chars().take(32).collect::<String>();
            let problem = Problem::new(Code::InvalidQuery, "the parameter is given twice");
            return Err(problem.at(name).limit("once").into());
        }
    }
    Ok(parameters)
}

/// The fields of a form, in the spelling that addresses have, too.
pub fn fields(form: &str) -> Result<Vec<(String, String)>, Failure> {
    entries(&web_sys::UrlSearchParams::new_with_str(form).map_err(worker::Error::from)?)
}

fn entries(pairs: &web_sys::UrlSearchParams) -> Result<Vec<(String, String)>, Failure> {
    let mut entries = Vec::new();
    for pair in pairs.entries() {
        let pair = Array::from(&pair.map_err(worker::Error::from)?);
        let text = |at| pair.get(at).as_string().unwrap_or_default();
        entries.push((text(0), text(1)));
    }
    Ok(entries)
}

/// Refuses parameters, for a route that takes none.
pub fn no_parameters(request: &Request) -> Result<(), Failure> {
    match parameters(request)?.first() {
        Some((name, _)) => Err(unknown_parameter(name).into()),
        None => Ok(()),
    }
}

/// What is said of a parameter that a route does not take.
pub fn unknown_parameter(name: &str) -> Problem {
    let name = name.chars().take(32).collect::<String>();
    Problem::new(Code::InvalidQuery, "there is no such parameter").at(name)
}

/// What is said of a parameter that cannot have its value.
pub fn invalid_parameter(name: &str, limit: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidQuery, "the parameter has no such value").at(name).limit(limit)
}

/// Reads a JSON body of at most `limit` bytes, and stops reading where it is larger.
pub async fn read_json<T: DeserializeOwned>(
    request: &mut Request,
    limit: usize,
) -> Result<T, Failure> {
    Ok(json::read_sent(&read_body(request, limit).await?)?)
}

/// Reads a body of at most `limit` bytes.
pub async fn read_body(request: &mut Request, limit: usize) -> Result<Vec<u8>, Failure> {
    read_bytes(request, limit, UNCOMPRESSED).await
}

/// Reads a body in UTF-8 of at most `limit` bytes.
pub async fn read_text(request: &mut Request, limit: usize) -> Result<String, Failure> {
    in_utf8(read_body(request, limit).await?)
}

/// Reads a body in UTF-8 of at most `limit` bytes, which may be compressed with gzip.
pub async fn read_large_text(request: &mut Request, limit: usize) -> Result<String, Failure> {
    let encoding = request.headers().get(CONTENT_ENCODING)?.unwrap_or_default();
    let bytes = read_bytes(request, limit, gzip::NAME).await?;
    let is_compressed = encoding.trim().eq_ignore_ascii_case(gzip::NAME);
    in_utf8(if is_compressed { gzip::decompress(&bytes, limit)? } else { bytes })
}

fn in_utf8(bytes: Vec<u8>) -> Result<String, Failure> {
    let text = String::from_utf8(bytes);
    let mut text = text.map_err(|error| json::malformed_utf8(error.utf8_error()))?;
    let mark = text.len() - json::without_mark(&text).len();
    text.drain(..mark);
    Ok(text)
}

/// Reads a body as it came: uncompressed, or in the way that is `taken`. In a box, or every caller would hold
/// a copy of it.
fn read_bytes<'a>(
    request: &'a mut Request,
    limit: usize,
    taken: &'static str,
) -> LocalBoxFuture<'a, Result<Vec<u8>, Failure>> {
    Box::pin(async move {
        let header = |name| Ok::<_, Failure>(request.headers().get(name)?.unwrap_or_default());
        check_encoding(&header(CONTENT_ENCODING)?, taken)?;
        let length = length(&header("content-length")?, &header("transfer-encoding")?);
        if fits(length, limit) {
            let read = std::pin::pin!(request.bytes());
            return match select(read, Delay::from(BODY_TIME)).await {
                Either::Left((bytes, _)) => Ok(bytes.map_err(|_| broke_off())?),
                Either::Right(_) => Err(body_timeout().into()),
            };
        }
        read_stream(request, length, limit).await
    })
}

/// The header that says how a body is compressed.
const CONTENT_ENCODING: &str = "content-encoding";

/// What that header says of a body that nobody has to decompress.
pub const UNCOMPRESSED: &str = "identity";

/// Refuses a body that is compressed otherwise than in the way that is taken.
pub fn check_encoding(encoding: &str, taken: &str) -> Result<(), Problem> {
    let encoding = encoding.trim();
    let mut known = [UNCOMPRESSED, taken].into_iter();
    if encoding.is_empty() || known.any(|known| encoding.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    let detail = "the body is compressed in a way that is not read here";
    Err(Problem::new(Code::UnsupportedMediaType, detail).at(CONTENT_ENCODING).limit(taken))
}

/// How long a body is, by the headers `content-length` and `transfer-encoding`. In chunks it may be
/// as long as it likes, whatever it announces beside them.
pub fn length(announced: &str, encoding: &str) -> Option<usize> {
    if encoding.is_empty() { announced.parse().ok() } else { None }
}

/// Whether a body is known to have at most `limit` bytes.
pub fn fits(length: Option<usize>, limit: usize) -> bool {
    length.is_some_and(|length| length <= limit)
}

/// A body that announces at most so many limits is read to its end before it is refused, so that whoever
/// passes it on can use the connection again.
const READ_LIMITS: usize = 4;

/// Reads a body that is too large or may never end.
pub async fn read_stream(
    request: &mut Request,
    announced: Option<usize>,
    limit: usize,
) -> Result<Vec<u8>, Failure> {
    let worth_reading = limit.saturating_mul(READ_LIMITS);
    let most = announced.filter(|length| *length <= worth_reading).unwrap_or(limit);
    let mut bytes = Vec::new();
    let mut read = 0_usize;
    // A request without a body has no stream.
    let Ok(mut stream) = request.stream() else { return Ok(bytes) };
    let mut deadline = Box::pin(Delay::from(BODY_TIME));
    loop {
        let chunk = match select(stream.try_next(), &mut deadline).await {
            Either::Left((chunk, _)) => chunk.map_err(|_| broke_off())?,
            Either::Right(_) => return Err(body_timeout().into()),
        };
        let Some(chunk) = chunk else { break };
        read = read.saturating_add(chunk.len());
        if read <= limit {
            bytes.extend_from_slice(&chunk);
        } else if read > most {
            break;
        }
    }
    if read > limit { Err(too_large(limit).into()) } else { Ok(bytes) }
}

/// What is said of a body that is larger than is taken.
pub fn too_large(limit: usize) -> Problem {
    Problem::new(Code::BodyTooLarge, "the body is too large").limit(format!("{limit} bytes"))
}

/// What is said of a body that takes too long.
pub fn body_timeout() -> Problem {
    Problem::new(Code::BodyTimeout, "the body did not come to an end")
        .limit(format!("{} seconds", BODY_MS / 1000))
}

/// Why a body could not be read to its end.
pub fn broke_off() -> Problem {
    Problem::new(Code::MalformedJson, "the body broke off")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_that_broke_is_rejected_so_that_the_platform_calls_again() {
        assert!(alarm(Err(Failure::Broken("a counter".to_owned()))).is_err());
        assert!(alarm(Ok(())).is_ok());
    }
}
