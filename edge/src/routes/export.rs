//! Exports: all responses that match a filter, as a stream. The stream asks the shards only for as much as the
//! reader takes, and holds one page of each shard.

use std::cell::RefCell;
use std::rc::Rc;

use asklet_protocol::audit::{Action, AuditEvent};
use asklet_protocol::csv::Columns;
use asklet_protocol::failure::Failure;
use asklet_shared::problem::{Code, Problem};
use wasm_bindgen::prelude::*;
use worker::js_sys::futures::future_to_promise;
use worker::js_sys::{Promise, Uint8Array};
use worker::{Request, Response as Answer, web_sys};

use crate::http::respond::{self, Cache};
use crate::http::{problems, url};
use crate::platform::trace::Trace;
use crate::service::caller::Team;
use crate::service::filter::{ResponseFilter, truth};
use crate::service::walk::Walk;

/// Number of responses that are requested from a shard at a time.
const PAGE: usize = 250;

/// Approximate number of bytes that are passed on at a time.
const CHUNK: usize = 64 * 1024;

#[wasm_bindgen(inline_js = "
export const streamed = (pull, broken) => {
  let failed = false;
  return new ReadableStream(
    {
      async pull(controller) {
        if (failed) {
          // The runtime reads on as long as something is ready, and where the stream breaks it drops
          // what it has not handed on: so the last line goes first, and the stream breaks a turn later.
          await new Promise((resume) => setTimeout(resume));
          return controller.error(broken);
        }
        const chunk = await pull().catch(() => {
          failed = true;
          return new TextEncoder().encode(broken);
        });
        if (chunk) controller.enqueue(chunk);
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
};
")]
extern "C" {
    /// Returns a stream of the chunks that `pull` returns as promises. The stream ends when a promise gives
    /// nothing. If a promise is rejected, the stream sends a last line and then breaks, which cuts the
    /// connection. The line must say so too, because a proxy may end a cut answer like any other, and a saved
    /// file shows no cut.
    fn streamed(pull: JsValue, broken: &str) -> web_sys::ReadableStream;
}

/// The last line of an export that breaks off.
const BROKEN: &str = "the export broke off here: what came is not the whole";

/// An export that is being sent.
struct Export {
    walk: Walk,
    is_csv: bool,
    /// Text that is sent before the next response.
    ready: String,
    is_over: bool,
}

/// `GET /v1/sites/{site}/surveys/{survey}/export`
pub async fn export(team: &Team, request: Request, survey: &str) -> Result<Answer, Failure> {
    let (mut is_csv, mut escapes_formulas) = (false, None);
    let filter = ResponseFilter::parse(url::query(&request)?, &mut |name, value| {
        match (name, value) {
            ("format", "csv") => is_csv = true,
            ("format", "ndjson") => is_csv = false,
            ("escape_formulas", _) => escapes_formulas = Some(truth(name, value)?),
            ("format", _) => {
                return Err(Problem::new(Code::InvalidQuery, "there is no such format")
                    .at(name)
                    .limit("ndjson or csv"));
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if escapes_formulas.is_some() && !is_csv {
        return Err(problems::invalid_parameter("escape_formulas", "only with format=csv").into());
    }
    let plan = team.plan(survey).await?;
    let filter = filter.whole()?.in_zone(&plan.tz)?;
    let columns = is_csv.then(|| Columns::of(&plan.definition, escapes_formulas.unwrap_or(true)));
    let ready = columns.as_ref().map(Columns::header).unwrap_or_default();
    let walk = Walk::by_reception(&team.env, &team.site, &plan, filter, columns.as_ref())?;
    let mut export = Export { walk, is_csv, ready, is_over: false };
    // A failure at the start is answered with a problem, and not with a stream that breaks.
    export.fill().await?;
    let format = if is_csv { "csv" } else { "ndjson" };
    let read = AuditEvent::of(Action::Export, &plan.survey).detail(format.to_owned());
    team.note(read).await?;
    let (kind, name) = if is_csv {
        ("text/csv; charset=utf-8", "attachment; filename=\"responses.csv\"")
    } else {
        ("application/x-ndjson", "attachment; filename=\"responses.ndjson\"")
    };
    let answer = respond::private(Cache::Never)?
        .with_header("content-type", kind)?
        .with_header("content-disposition", name)?;
    Ok(answer.stream(export.stream(team.env.trace.clone())?))
}

impl Export {
    /// Reads until there is enough to pass on, or nothing left.
    async fn fill(&mut self) -> Result<(), Failure> {
        while !self.is_over && self.ready.len() < CHUNK {
            let Some(response) = self.walk.next(PAGE).await? else {
                self.is_over = true;
                break;
            };
            self.ready += &response;
            if !self.is_csv {
                self.ready.push('\n');
            }
        }
        Ok(())
    }

    /// Returns the next bytes, or `undefined` at the end.
    async fn pull(&mut self) -> Result<JsValue, Failure> {
        self.fill().await?;
        let ready = std::mem::take(&mut self.ready);
        if ready.is_empty() {
            return Ok(JsValue::UNDEFINED);
        }
        Ok(Uint8Array::from(ready.as_bytes()).into())
    }

    fn stream(self, trace: Trace) -> Result<web_sys::ReadableStream, Failure> {
        let broken = match self.is_csv {
            true => format!("{BROKEN}\r\n"),
            false => {
                let problem = Problem::new(Code::Internal, BROKEN);
                format!("{{\"problem\":{}}}\n", serde_json::to_string(&problem)?)
            }
        };
        // The stream asks for the next bytes only after it has received the previous ones.
        let waiting = Rc::new(RefCell::new(Some(self)));
        let pull: Closure<dyn FnMut() -> Promise> = Closure::new(move || {
            let (waiting, trace) = (waiting.clone(), trace.clone());
            future_to_promise(std::panic::AssertUnwindSafe(async move {
                let export = waiting.borrow_mut().take();
                let Some(mut export) = export else { return Err("the stream broke".into()) };
                match export.pull().await {
                    Ok(bytes) => {
                        waiting.borrow_mut().replace(export);
                        Ok(bytes)
                    }
                    Err(failure) => Err(respond::reported(&trace, failure).detail.as_ref().into()),
                }
            }))
        });
        Ok(streamed(pull.into_js_value(), &broken))
    }
}
