//! All shards of a survey, asked one after the other, with their answers combined.

use asklet_protocol::calls::survey::{Counts, Erased, SurveyCall, Usage};
use asklet_protocol::failure::Failure;
use asklet_protocol::ids::SiteId;
use asklet_protocol::import::Imported;
use asklet_protocol::plan::Plan;
use asklet_protocol::problems;
use asklet_protocol::retention::Since;
use asklet_protocol::scan::{ScanQuery, Scanned};
use asklet_shared::problem::{Code, Problem};
use asklet_shared::tally::{Counted, Request};
use futures_util::future::LocalBoxFuture;

use crate::http::respond;
use crate::platform::rpc::{self, Object};
use crate::platform::stubs;
use crate::platform::trace::{Context, Trace};

/// Maximum number of respondents that can be counted individually.
const RESPONDENTS_LIMIT: usize = 100_000;

/// The shards of a survey.
pub struct Shards<'a> {
    env: &'a Context,
    site: &'a SiteId,
    /// The plan of the survey.
    pub plan: &'a Plan,
}

impl<'a> Shards<'a> {
    /// Returns the shards that a plan names.
    pub fn of(env: &'a Context, site: &'a SiteId, plan: &'a Plan) -> Self {
        Self { env, site, plan }
    }

    fn stubs(&self) -> impl Iterator<Item = Result<Object, Failure>> {
        (0..self.plan.shards)
            .map(|shard| stubs::survey(self.env, self.site, &self.plan.survey, shard))
    }

    /// Returns the counts of a period.
    pub async fn count(&self, request: &Request) -> Result<Counts, Failure> {
        let mut all = Counts { counted: request.nothing(), since: Since::default() };
        let call = SurveyCall::Count(request.clone());
        for stub in self.stubs() {
            let counts: Counts = rpc::call(&stub?, &call).await?;
            all.counted.merge(&counts.counted);
            all.since = all.since.max(counts.since);
        }
        Ok(all)
    }

    /// Returns the counts of displays that are scanned one by one.
    pub async fn scan(&self, query: &ScanQuery) -> Result<(Counted, Since), Failure> {
        let mut all = Scanned::nothing(query);
        for stub in self.stubs() {
            let stub = stub?;
            let mut after = None;
            loop {
                let call = SurveyCall::Scan { query: query.clone(), after };
                let scanned: Scanned = rpc::call(&stub, &call).await?;
                all.add(scanned);
                if all.latest.len() > RESPONDENTS_LIMIT {
                    let detail =
                        "there are too many respondents to tell apart: choose a shorter period";
                    return Err(Problem::new(Code::InvalidQuery, detail)
                        .at("per")
                        .limit(format!("{RESPONDENTS_LIMIT} respondents"))
                        .into());
                }
                after = all.next;
                if after.is_none() {
                    break;
                }
            }
        }
        all.counted.add_latest(&query.request, &all.latest);
        Ok((all.counted, all.since))
    }

    /// Changes a display on each shard that has it. A client that was sent to another shard in between may have
    /// sent the display to both.
    pub async fn change(&self, call: &SurveyCall) -> Result<(), Failure> {
        let mut is_known = false;
        for stub in self.stubs() {
            match rpc::call::<()>(&stub?, call).await {
                Err(Failure::Problem(problem)) if problem.code == Code::UnknownDisplay => {}
                outcome => {
                    outcome?;
                    is_known = true;
                }
            }
        }
        if is_known { Ok(()) } else { Err(problems::unknown_display().into()) }
    }

    /// Erases a respondent. Returns the number of displays that were erased.
    pub async fn erase(&self, respondent: &str) -> Result<u64, Failure> {
        let mut displays = 0;
        for stub in self.stubs() {
            let stub = stub?;
            let mut after = None;
            loop {
                let call = SurveyCall::Erase { respondent: respondent.to_owned(), after };
                let erased: Erased = rpc::call(&stub, &call).await?;
                displays += erased.displays;
                after = erased.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(displays)
    }

    /// Sends each line to the shard that already has its display, and lines whose display no shard has to this
    /// one. If a shard fails after another has stored lines, the answer says which lines to send again.
    pub async fn import(&self, shard: u16, mut lines: String) -> Result<Imported, Failure> {
        let shards = self.plan.shards;
        if shard >= shards {
            return Err(Problem::new(Code::UnknownShard, "the survey has no such shard")
                .at("shard")
                .limit(format!("below {shards}"))
                .into());
        }
        // All shards are asked before any of them stores something.
        let mut parts = Vec::new();
        for other in (0..shards).filter(|other| *other != shard) {
            let stub = stubs::survey(self.env, self.site, &self.plan.survey, other)?;
            let (site, copy) = (self.site.as_str().to_owned(), lines.clone());
            let known: String = rpc::call(&stub, &SurveyCall::Known { site, lines: copy }).await?;
            if !known.contains('1') {
                continue;
            }
            // A line that goes to another shard is left empty here, so that lines keep their numbers.
            let (mut theirs, mut left) = (String::new(), String::new());
            for (line, known) in lines.lines().zip(known.bytes()) {
                if known == b'1' { &mut theirs } else { &mut left }.push_str(line);
                theirs.push('\n');
                left.push('\n');
            }
            parts.push((other, theirs));
            lines = left;
        }
        parts.push((shard, lines));
        let mut all = Imported::default();
        for (shard, lines) in parts {
            match self.import_on(shard, lines.clone()).await {
                Ok(imported) => all.add(imported),
                Err(failure) if !all.holds_any() => {
                    return Err(unanswered(&self.env.trace, failure).into());
                }
                Err(failure) => {
                    all.add(Imported::unanswered(&lines, &unanswered(&self.env.trace, failure)))
                }
            }
        }
        Ok(all)
    }

    fn import_on(
        &self,
        shard: u16,
        lines: String,
    ) -> LocalBoxFuture<'_, Result<Imported, Failure>> {
        Box::pin(async move {
            let stub = stubs::survey(self.env, self.site, &self.plan.survey, shard)?;
            let site = self.site.as_str().to_owned();
            rpc::call(&stub, &SurveyCall::Import { site, lines }).await
        })
    }

    /// Returns what the shards store and write.
    pub async fn usage(&self) -> Result<Usage, Failure> {
        let mut all = Usage { limits: self.plan.limits, ..Usage::default() };
        for stub in self.stubs() {
            let usage: Usage = rpc::call(&stub?, &SurveyCall::Usage).await?;
            all.displays += usage.displays;
            all.tail += usage.tail;
            all.bytes += usage.bytes;
            all.used_bytes += usage.used_bytes;
            all.rows_written += usage.rows_written;
        }
        Ok(all)
    }
}

/// Returns the problem for lines whose shard failed. The shard may have stored them all the same.
fn unanswered(trace: &Trace, failure: Failure) -> Problem {
    match failure {
        Failure::Problem(problem) => problem,
        broken => {
            respond::reported(trace, broken);
            let detail = "a shard did not answer: send this line again; a line that was stored is not stored twice";
            Problem::new(Code::Busy, detail)
        }
    }
}
