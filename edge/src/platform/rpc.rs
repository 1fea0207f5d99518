//! Calls from the Worker to its objects: one type of call for each object, sent as JSON to a path that no
//! public route has.

use std::rc::Rc;

use asklet_protocol::failure::Failure;
use asklet_protocol::json;
use asklet_protocol::seal::{self, Seal};
use asklet_shared::problem::{Code, Problem};
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{Env, Request, Response, Stub, web_sys};

use super::deployment;
use super::trace::{Context, Trace};

/// The path of a call. The paths of public requests that are forwarded untouched begin with `/v1/`.
pub const PATH: &str = "/call";

/// The header in which a call carries the deployment's [`Seal::internal`].
const SECRET: &str = "asklet-internal";

/// The header with the id of the request. Calls to objects carry it, and so do answers to clients.
pub const REQUEST_ID: &str = "asklet-request-id";

/// An object, and the data that each call to it carries.
pub struct Object {
    stub: Stub,
    seal: Rc<Seal>,
    trace: Trace,
}

impl Object {
    /// Returns one of this deployment's objects.
    pub fn new(stub: Stub, context: &Context) -> Result<Self, Failure> {
        let (seal, trace) = (deployment::seal(context)?, context.trace.clone());
        Ok(Self { stub, seal, trace })
    }

    /// Returns the stub, to forward a public request as it is.
    pub fn into_stub(self) -> Stub {
        self.stub
    }
}

/// An object's future answer, in JSON. It is boxed. Otherwise the module would contain the whole code of a call
/// once more for each kind of answer and for each place that awaits one.
pub type Answering<'a> = LocalBoxFuture<'a, Result<String, Failure>>;

/// Calls an object and reads its answer. A problem that the object answers becomes the caller's failure.
pub async fn call<T: DeserializeOwned>(
    object: &Object,
    call: &impl Serialize,
) -> Result<T, Failure> {
    let call = serde_json::to_string(call)?;
    Ok(json::read(&ask(object, call).await?)?)
}

/// Makes a call, given in JSON, to an object. A problem that the object answers becomes the caller's failure.
pub fn ask(object: &Object, call: String) -> Answering<'_> {
    Box::pin(async move {
        // Uses the platform's own request: that of the `worker` crate sets much that no object reads.
        let init = web_sys::RequestInit::new();
        init.set_method("POST");
        init.set_body(&call.into());
        let address = format!("https://object{PATH}");
        let request = web_sys::Request::new_with_str_and_init(&address, &init);
        let request = request.map_err(worker::Error::from)?;
        let secret = object.seal.internal();
        let headers = request.headers();
        headers.set(SECRET, secret).map_err(worker::Error::from)?;
        headers.set(REQUEST_ID, object.trace.id()).map_err(worker::Error::from)?;
        let mut response = object.stub.fetch_with_request(request.into()).await?;
        let text = response.text().await?;
        if response.status_code() == 200 {
            return Ok(text);
        }
        let status = response.status_code();
        let problem: Problem = json::read(&text).map_err(|error| {
            Failure::broken(format!("an object answered {status} and no problem: {error}"))
        })?;
        match problem.code {
            Code::Internal => Err(Failure::broken("an object failed and has logged why")),
            _ => Err(problem.into()),
        }
    })
}

/// Returns the trace of a call to an object.
pub fn trace(request: &Request, object: &'static str) -> worker::Result<Trace> {
    Ok(Trace::of_call(object, request.headers().get(REQUEST_ID)?))
}

/// Reads a call, and refuses a call that does not come from this deployment. If the call cannot be read, that
/// is our own fault, since our own Worker wrote it.
pub async fn read<T: DeserializeOwned>(request: &mut Request, env: &Env) -> Result<T, Failure> {
    check(request.headers().get(SECRET)?.as_deref(), &*deployment::seal(env)?)?;
    Ok(json::read(&request.text().await?)?)
}

fn check(secret: Option<&str>, seal: &Seal) -> Result<(), Problem> {
    if secret.is_some_and(|secret| seal::same(secret, seal.internal())) {
        return Ok(());
    }
    Err(Problem::new(Code::Forbidden, "the call does not come from this deployment"))
}

/// Returns an object's answer to a call, from text that is JSON already.
pub fn rendered(json: String) -> Result<Response, Failure> {
    Ok(Response::ok(json)?)
}

/// Returns an object's answer to a call.
pub fn answer(value: &impl Serialize) -> Result<Response, Failure> {
    Ok(Response::from_json(value)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_answers_only_its_own_deployment() {
        let seal = Seal::new("a secret of the tests, long enough").unwrap();
        let other = Seal::new("another secret of the tests, as long").unwrap();
        assert_eq!(check(Some(seal.internal()), &seal), Ok(()));
        for secret in [None, Some(""), Some(other.internal())] {
            assert_eq!(check(secret, &seal).unwrap_err().code, Code::Forbidden);
        }
    }
}
