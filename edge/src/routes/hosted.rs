//! The routes of the hosted page.

use asklet_protocol::failure::Failure;
use worker::js_sys::Promise;
use worker::{Request, web_sys};

use crate::hosted::answer::settle;
use crate::hosted::visit::Visit;
use crate::http::promise;
use crate::platform::trace::Context;
use crate::routes::{page, preview};

/// `GET` and `POST /s/{site}/{survey}`: forwards to the survey's first shard. A preview is answered here.
pub fn serve(
    request: web_sys::Request,
    env: Context,
    site: String,
    survey: String,
) -> Result<Promise, Failure> {
    let request = Request::from(request);
    let visit = Visit::of(&request)?;
    if visit.preview.is_none() {
        match page::forward(request.inner(), &env, (&site, &survey), (0, "")) {
            Err(failure @ Failure::Problem(_)) => {
                let answer = settle(&env.trace, &visit, Err(failure), &[]);
                return Ok(promise::of(env.trace, async { answer }));
            }
            forwarded => return forwarded,
        }
    }
    Ok(promise::of(env.trace.clone(), async move {
        let mut origins = Vec::new();
        let walked = preview::walk(request, &env, &visit, (&site, &survey), &mut origins).await;
        settle(&env.trace, &visit, walked, &origins)
    }))
}
