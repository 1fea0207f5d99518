//! Credentials of requests: reading them, and checking the admin token.

use asklet_protocol::failure::Failure;
use asklet_protocol::seal;
use asklet_shared::problem::{Code, Problem};
use worker::{Env, Headers};

use crate::platform::deployment;

/// Returns the credential after `Bearer` in the `Authorization` header.
pub fn bearer(headers: &Headers) -> Result<String, Failure> {
    let header = headers.get("authorization")?.unwrap_or_default();
    let token = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = token else {
        let detail = "send the header Authorization: Bearer with a key";
        return Err(Problem::new(Code::Unauthenticated, detail).into());
    };
    Ok(token.trim().to_owned())
}

/// Whether a request has the admin token.
pub fn is_admin(headers: &Headers, env: &Env) -> Result<bool, Failure> {
    match check_admin(headers, env) {
        Ok(()) => Ok(true),
        Err(Failure::Problem(_)) => Ok(false),
        Err(broken) => Err(broken),
    }
}

/// Refuses a request that does not have the admin token.
pub fn check_admin(headers: &Headers, env: &Env) -> Result<(), Failure> {
    // Two tokens are valid while the operator replaces one with the other.
    let mut tokens = Vec::new();
    for variable in ["ASKLET_ADMIN_TOKEN", "ASKLET_ADMIN_TOKEN_NEXT"] {
        if let Some(token) = deployment::variable(env, variable) {
            seal::check_secret(variable, &token)?;
            tokens.push(token);
        }
    }
    if tokens.is_empty() {
        let detail = "set ASKLET_ADMIN_TOKEN to create sites";
        return Err(Problem::new(Code::NoAdminToken, detail).into());
    }
    // Digests are compared, so that the time taken reveals neither the content nor the length of a token.
    let shown = seal::digest(bearer(headers)?.as_bytes());
    let is_known = tokens.iter().map(|token| seal::same(&shown, &seal::digest(token.as_bytes())));
    if is_known.fold(false, |any, one| any | one) {
        return Ok(());
    }
    Err(Problem::new(Code::Unauthenticated, "the admin token is not valid").into())
}
