//! The files that pages download. They are stored beside the Worker in compressed form, `NAME.br` and `NAME.gz`
//! next to `NAME`, so each file is compressed only once, and as well as possible.

use asklet_protocol::failure::Failure;
use asklet_shared::config::Files;
use asklet_shared::problem::{Code, Problem};
use serde::Deserialize;
use worker::{EncodeBody, Env, Method, Request, Response, ResponseBody};

use crate::http::respond::{self, Cache};
use crate::platform::memory::Memory;

/// The file that every page asks for. Its address does not name its content.
const ENTRY: &str = "asklet.js";

/// How long browsers use a file without a digest in its name before they ask again, in seconds.
const ENTRY_SECONDS: u32 = 300;

/// The build's list of its files, `manifest.json`.
#[derive(Debug, Deserialize)]
pub struct Manifest {
    /// The digest of `asklet.js`.
    pub entry: String,
    /// The hashed files that belong together.
    pub files: Files,
}

thread_local! {
    // A release brings a new Worker with its files, so a manifest is valid as long as the isolate lives.
    static MANIFEST: Memory<Manifest> = Memory::new(u64::MAX / 2);
}

/// Returns the manifest of this release.
pub async fn manifest(env: &Env) -> Result<std::rc::Rc<Manifest>, Failure> {
    if let Some(manifest) = MANIFEST.with(|memory| memory.get("")) {
        return Ok(manifest);
    }
    let mut response = fetch(env, "manifest.json").await?;
    if response.status_code() != 200 {
        return Err(Failure::broken("the assets have no manifest.json"));
    }
    let manifest = response.json().await?;
    Ok(MANIFEST.with(|memory| memory.put("", manifest)))
}

/// Serves a file in the best encoding that the client accepts.
pub async fn serve(request: &Request, env: &Env, file: &str) -> Result<Response, Failure> {
    let is_entry = file == ENTRY;
    let is_hashed = file.contains('-');
    let cache = if is_hashed { Cache::Immutable } else { Cache::Seconds(ENTRY_SECONDS) };
    let mut answer = respond::public(cache)?.with_header("vary", "accept-encoding")?;
    if is_entry {
        let etag = format!("\"{}\"", manifest(env).await?.entry);
        answer = answer.with_header("etag", &etag)?;
        if respond::is_fresh(request.headers(), &etag)? {
            return Ok(answer.with_status(304).empty());
        }
    }
    let accepted = request.headers().get("accept-encoding")?.unwrap_or_default();
    let (ending, encoding) = match best_encoding(&accepted) {
        Some("br") => (".br", Some("br")),
        Some("gzip") => (".gz", Some("gzip")),
        _ => ("", None),
    };
    let stored = fetch(env, &format!("{file}{ending}")).await?;
    if stored.status_code() != 200 {
        return Err(Problem::new(Code::NotFound, "there is no such file").into());
    }
    let media_type = match file.rsplit_once('.') {
        Some((_, "wasm")) => "application/wasm",
        Some((_, "json")) => "application/json",
        _ => "text/javascript; charset=utf-8",
    };
    answer = answer.with_header("content-type", media_type)?;
    if let Some(encoding) = encoding {
        answer =
            answer.with_header("content-encoding", encoding)?.with_encode_body(EncodeBody::Manual);
    }
    let (_, body) = stored.into_parts();
    Ok(answer.body(body))
}

/// Serves the demo page, if the operator has one.
pub async fn demo(env: &Env) -> Result<Response, Failure> {
    let absent = || Problem::new(Code::NotFound, "the demo is off");
    let stored = env.service("DEMO").map_err(|_| absent())?;
    let page = stored.fetch_request(Request::new("http://demo/index.html", Method::Get)?).await?;
    if page.status_code() != 200 {
        return Err(absent().into());
    }
    let answer = respond::private(Cache::Never)?;
    let (_, body): (_, ResponseBody) = page.into_parts();
    Ok(answer.with_header("content-type", "text/html; charset=utf-8")?.body(body))
}

async fn fetch(env: &Env, file: &str) -> Result<Response, Failure> {
    let request = Request::new(&format!("http://assets/{file}"), Method::Get)?;
    Ok(env.service("ASSETS")?.fetch_request(request).await?)
}

/// Returns the best encoding that the client accepts: `br` before `gzip`, unless the client refuses it.
fn best_encoding(accepted: &str) -> Option<&'static str> {
    let takes = |encoding: &str| {
        accepted.split(',').any(|item| {
            let (name, quality) = item.split_once(';').unwrap_or((item, ""));
            let refused = quality.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok());
            name.trim().eq_ignore_ascii_case(encoding) && refused != Some(0.0)
        })
    };
    ["br", "gzip"].into_iter().find(|encoding| takes(encoding))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_encoding_is_one_that_the_client_takes() {
        assert_eq!(best_encoding("gzip, deflate, br, zstd"), Some("br"));
        assert_eq!(best_encoding("gzip;q=1.0, br;q=0"), Some("gzip"));
        assert_eq!(best_encoding("GZIP"), Some("gzip"));
        assert_eq!(best_encoding("brotli, x-gzip"), None);
        assert_eq!(best_encoding(""), None);
    }
}
