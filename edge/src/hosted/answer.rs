use asklet_protocol::failure::Failure;
use asklet_shared::body::words::Words;
use asklet_shared::problem::Code;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use worker::{Response, ResponseBuilder};

use crate::hosted::view::{self, Page};
use crate::hosted::visit::Visit;
use crate::http::respond;
use crate::platform::trace::Trace;

/// Answers a visit with its page, or with a page that explains the problem. Only pages of these origins, and
/// our own, may frame it.
pub fn settle(
    trace: &Trace,
    visit: &Visit,
    outcome: Result<Page, Failure>,
    origins: &[String],
) -> Result<Response, Failure> {
    let failure = match outcome {
        Ok(page) => return answer(visit, page, 200, origins),
        Err(failure) => failure,
    };
    let problem = respond::report(trace, failure);
    let words = Words::in_language(visit.wished());
    let page = match problem.code {
        // To outsiders, what was never published looks the same as what was deleted or closed.
        Code::UnknownSite | Code::UnknownSurvey | Code::SurveyClosed => {
            view::message(words.language, words.closed, visit.is_framed)
        }
        _ => view::message("en", &problem.detail, visit.is_framed),
    };
    answer(visit, page, problem.code.status(), origins)
}

/// Browser features that the page never uses. They stay off, even for code that somebody gets into the page.
const PERMISSIONS: &str =
    "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()";

fn answer(visit: &Visit, page: Page, status: u16, origins: &[String]) -> Result<Response, Failure> {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text));
    let style = digest(&page.style);
    let mut policy = format!("default-src 'none'; style-src 'sha256-{style}'; ");
    if !page.script.is_empty() {
        policy.push_str(&format!("script-src 'sha256-{}'; ", digest(page.script)));
    }
    policy.push_str("form-action 'self'; base-uri 'none'; frame-ancestors 'self'");
    for origin in origins {
        policy.push(' ');
        policy.push_str(origin);
    }
    let mut answer = ResponseBuilder::new()
        .with_status(status)
        .with_header("content-type", "text/html; charset=utf-8")?
        .with_header("content-security-policy", &policy)?
        .with_header("referrer-policy", "no-referrer")?
        .with_header("x-content-type-options", "nosniff")?
        // A page that is isolated from other origins frames only pages with both of these headers.
        .with_header("cross-origin-embedder-policy", "require-corp")?
        .with_header("cross-origin-resource-policy", "cross-origin")?
        .with_header("cross-origin-opener-policy", "same-origin")?
        .with_header("permissions-policy", PERMISSIONS)?
        // The browser keeps the page only for its back button.
        .with_header("cache-control", "private, no-cache")?;
    if visit.is_encrypted {
        answer = answer.with_header("strict-transport-security", "max-age=31536000")?;
    }
    if let Some(seconds) = respond::retry_after(status) {
        answer = answer.with_header("retry-after", seconds)?;
    }
    Ok(answer.fixed(page.html.into_bytes()))
}
