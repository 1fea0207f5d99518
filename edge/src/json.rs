//! JSON, read in one way: with the path of what does not read. Definitions are large types, and each
//! other way of reading them would be in the module once more.

use asklet_shared::problem::{Code, Problem};
use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// Why a text does not read.
pub struct Malformed {
    /// The path of what does not read; `.` for the whole.
    path: String,
    error: serde_json::Error,
}

/// Reads a text that holds one value and nothing after it.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Malformed> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| Malformed { path: error.path().to_string(), error: error.into_inner() })?;
    json.end().map_err(|error| Malformed { path: ".".to_owned(), error })?;
    Ok(value)
}

/// Reads what a caller sent.
pub fn read_sent<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(bytes).map_err(malformed_utf8)?;
    read(text).map_err(|Malformed { path, error }| {
        let problem = Problem::new(Code::MalformedJson, error.to_string());
        if path == "." { problem } else { problem.at(path) }
    })
}

/// Reads what callers send by the thousand: what reads takes no time for paths, and what does not is
/// read again to tell where.
pub fn read_sent_often<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let read = std::str::from_utf8(bytes).ok().and_then(|text| serde_json::from_str(text).ok());
    read.map_or_else(|| read_sent(bytes), Ok)
}

/// Where what a caller sent is not UTF-8.
pub fn malformed_utf8(error: std::str::Utf8Error) -> Problem {
    let detail = format!("byte {} is not UTF-8", error.valid_up_to());
    Problem::new(Code::MalformedUtf8, detail)
}

impl From<Malformed> for Failure {
    /// What we wrote ourselves and cannot read is a fault of ours.
    fn from(Malformed { path, error }: Malformed) -> Self {
        Self::Broken(format!("{path}: {error}"))
    }
}
