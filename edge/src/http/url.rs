//! The address of a request: its path and its parameters.

use asklet_protocol::failure::Failure;
use asklet_shared::problem::{Code, Problem};
use worker::js_sys::Array;
use worker::{Request, web_sys};

use super::problems::unknown_parameter;

/// Returns the path of a request's address, which the platform gives in full.
pub fn path(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.find('/').and_then(|slash| after_scheme.get(slash..)).unwrap_or("/");
    path.split(['?', '#']).next().unwrap_or(path)
}

/// Returns the parameters of a request's address, which the platform parses.
pub fn parameters(request: &Request) -> Result<Vec<(String, String)>, Failure> {
    let url = web_sys::Url::new(&request.inner().url()).map_err(worker::Error::from)?;
    entries(&url.search_params())
}

/// The parameters that may be repeated. Each of their values counts.
const REPEATED: [&str; 2] = ["where", "category"];

/// Returns the parameters for a route that takes some. Refuses a parameter that is given twice, because one of
/// its values would be dropped without a notice.
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

/// Returns the fields of a form, which are encoded like the parameters of an address.
pub fn fields(form: &str) -> Result<Vec<(String, String)>, Failure> {
    entries(&web_sys::UrlSearchParams::new_with_str(form).map_err(worker::Error::from)?)
}

fn entries(pairs: &web_sys::UrlSearchParams) -> Result<Vec<(String, String)>, Failure> {
    let mut entries = Vec::new();
    for pair in pairs.entries() {
        let pair = Array::from(&pair.map_err(worker::Error::from)?);
        let text = |at| {
            let text = pair.get(at).as_string();
            text.ok_or_else(|| Failure::broken("the platform gave a parameter that is no text"))
        };
        entries.push((text(0)?, text(1)?));
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
