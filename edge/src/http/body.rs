//! Request bodies, read within limits of size and time.

use std::time::Duration;

use asklet_protocol::failure::Failure;
use asklet_protocol::json;
use asklet_shared::problem::{Code, Problem};
use futures_util::TryStreamExt;
use futures_util::future::{Either, LocalBoxFuture, select};
use serde::de::DeserializeOwned;
use worker::{Delay, Request};

use super::gzip;
use super::problems::{BODY_MS, CONTENT_ENCODING, body_timeout, broke_off, too_large};

const BODY_TIME: Duration = Duration::from_millis(BODY_MS as u64);

/// Reads a JSON body of at most `limit` bytes, and stops reading if it is larger.
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

/// Reads a body as it came: uncompressed, or compressed in the encoding `taken`. The future is boxed. Otherwise
/// each caller would contain a copy of it.
fn read_bytes<'a>(
    request: &'a mut Request,
    limit: usize,
    taken: &'static str,
) -> LocalBoxFuture<'a, Result<Vec<u8>, Failure>> {
    Box::pin(async move {
        let header = |name| Ok::<_, Failure>(request.headers().get(name)?.unwrap_or_default());
        let encoding = check_encoding(&header(CONTENT_ENCODING)?, taken);
        let length = length(&header("content-length")?, &header("transfer-encoding")?);
        let bytes = if fits(length, limit) {
            let read = std::pin::pin!(request.bytes());
            match select(read, Delay::from(BODY_TIME)).await {
                Either::Left((bytes, _)) => bytes.map_err(|_| broke_off().into()),
                Either::Right(_) => Err(body_timeout().into()),
            }
        } else {
            read_stream(request, length, limit).await
        };
        // The body of another encoding was read too: the platform would close the connection on the rest of a
        // large one, and a client that still sends would not see the answer.
        encoding?;
        bytes
    })
}

/// The value of that header for a body that is not compressed.
pub const UNCOMPRESSED: &str = "identity";

/// Refuses a body that is compressed in an encoding other than `taken`.
pub fn check_encoding(encoding: &str, taken: &str) -> Result<(), Problem> {
    let encoding = encoding.trim();
    let mut known = [UNCOMPRESSED, taken].into_iter();
    if encoding.is_empty() || known.any(|known| encoding.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    let detail = "the body has a content encoding that is not supported";
    Err(Problem::new(Code::UnsupportedMediaType, detail).at(CONTENT_ENCODING).limit(taken))
}

/// Returns the length of a body, from the headers `content-length` and `transfer-encoding`. A body in chunks
/// may have any length, even if it also announces one.
pub fn length(announced: &str, encoding: &str) -> Option<usize> {
    if encoding.is_empty() { announced.parse().ok() } else { None }
}

/// Whether a body is known to have at most `limit` bytes.
pub fn fits(length: Option<usize>, limit: usize) -> bool {
    length.is_some_and(|length| length <= limit)
}

/// A body that announces at most this many times the limit is read to its end before it is refused, so that a
/// proxy in front can use the connection again.
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
