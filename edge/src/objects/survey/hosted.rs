//! The hosted page of a published survey. A form that it sends is treated like every display: the same limiter,
//! the same rules, the same log.

use std::collections::BTreeMap;

use asklet_protocol::calls::site::{Live, SiteCall};
use asklet_protocol::failure::Failure;
use asklet_protocol::policy::Policy;
use asklet_shared::body::Body;
use asklet_shared::definition::Definition;
use asklet_shared::display::{Answers, Channel, Display, Stage};
use asklet_shared::problem::{Code, Problem};
use asklet_shared::validate;
use asklet_store::shard::arrival::{RequestContext, SurveyContext};
use asklet_store::shard::log;
use asklet_store::shard::stored::Stored;
use worker::{Date, Request, Response};

use crate::hosted;
use crate::hosted::token::Token;
use crate::hosted::view::{self, Page, PageContent};
use crate::hosted::visit::{Form, Visit};
use crate::hosted::walk::{self, Next};
use crate::objects::survey::address::Address;
use crate::objects::survey::{Shard, check_open};
use crate::platform::{deployment, rpc, stubs};

impl Shard {
    /// Shows the first page, or stores what was sent from a page and shows the next.
    pub(super) async fn hosted(
        &self,
        request: Request,
        address: &Address,
    ) -> Result<Response, Failure> {
        let visit = Visit::of(&request)?;
        let outcome = match self.admit(request.inner()) {
            Ok(_) if !visit.sends => self.first_page(&visit, address).await,
            Ok(request_context) => self.next_page(request, &visit, request_context, address).await,
            Err(failure) => Err(failure),
        };
        let policy = self.known_policy()?;
        let origins = policy.as_ref().map_or(&[][..], |policy| &policy.origins);
        hosted::answer::settle(&address.context.trace, &visit, outcome, origins)
    }

    /// Returns the first question, with the id of a display of which nothing is stored yet.
    async fn first_page(&self, visit: &Visit, address: &Address) -> Result<Page, Failure> {
        let published = self.latest(address).await?;
        let policy = self.policy(address).await?;
        let now_ms = Date::now().as_millis();
        let definition = &published.definition;
        check_asked(definition, &policy, now_ms)?;
        let seal = deployment::seal(&self.env)?;
        if definition.quota.is_some() {
            // Only the site knows the number of responses on all shards.
            let site = seal.known_site(&address.site)?;
            let call = SiteCall::Live { site: site.clone(), files: None };
            let live: Live = rpc::call(&stubs::site(&address.context, &site)?, &call).await?;
            if !live.surveys.contains(&address.survey) {
                return Err(closed().into());
            }
        }
        let body = Body::of(definition, &policy.look, &visit.language(definition));
        let token = Token::new(published.version, &body.language, now_ms)?;
        Ok(view::page(&PageContent {
            body: &body,
            answers: &Answers::default(),
            next: Next::Question(0),
            written: "",
            carried: ("form", &token.write(&seal, address.names())),
            is_framed: visit.is_framed,
        }))
    }

    /// Adds what was sent to what is stored, and finds the next page.
    async fn next_page(
        &self,
        mut request: Request,
        visit: &Visit,
        request_context: RequestContext,
        address: &Address,
    ) -> Result<Page, Failure> {
        // If the survey is unknown, or was closed too long ago to take displays, no form is read.
        check_open(&*self.policy(address).await?, Date::now().as_millis())?;
        let form = Form::read(&mut request, visit).await?;
        let seal = deployment::seal(&self.env)?;
        let forged =
            || Problem::new(Code::ForgedForm, "the form was changed, or belongs to another survey");
        let token = Token::read(form.get("form"), &seal, address.names()).ok_or_else(forged)?;
        let published = self.published(address, token.version).await?;
        let policy = self.policy(address).await?;
        let body = Body::of(&published.definition, &policy.look, &token.language);
        let sent = form.sent();
        // From here on nothing is awaited before the display is stored. So pages that are sent at the same time
        // are handled one after the other.
        let stored = log::find(&self.sql, token.id)?;
        let mut display = next_revision(&token, stored.as_ref(), Date::now().as_millis());
        let next = walk::take(&body, &mut display.answers, &sent);
        let reached = match next {
            Next::Thanks => Stage::Completed,
            _ if display.answers.0.is_empty() => Stage::Shown,
            _ => Stage::Started,
        };
        display.stage = display.stage.max(reached);
        let answers = display.answers.clone();
        let is_known = stored.is_some_and(|stored| {
            stored.stage == display.stage && stored.answers == display.answers
        });
        if !is_known && !matches!(next, Next::Again(..)) {
            let (site, definition) = (&*address.site, &published.definition);
            let survey = SurveyContext { site, definition, policy: &policy };
            let (recorded, _) = self.record(display, request_context, survey)?;
            self.after(recorded).await?;
        }
        Ok(view::page(&PageContent {
            body: &body,
            answers: &answers,
            next,
            written: &sent.text,
            carried: ("form", form.get("form")),
            is_framed: visit.is_framed,
        }))
    }
}

/// Returns the next revision of the display of a form: what is stored of it, if anything is.
fn next_revision(token: &Token, stored: Option<&Stored>, now_ms: u64) -> Display {
    Display {
        id: token.id,
        revision: stored.map_or(1, |stored| stored.revision.saturating_add(1)),
        version: token.version,
        stage: stored.map_or(Stage::Shown, |stored| stored.stage),
        dismissed: false,
        channel: Channel::Link,
        language: token.language.clone(),
        page: String::new(),
        answers: stored.map_or_else(Answers::default, |stored| stored.answers.clone()),
        variant: String::new(),
        traits: BTreeMap::new(),
        identity: None,
        age_ms: now_ms.saturating_sub(token.id.unix_ms()),
    }
}

/// Refuses to show a survey that is not asked now.
fn check_asked(definition: &Definition, policy: &Policy, now_ms: u64) -> Result<(), Problem> {
    validate::shown(definition)?;
    if policy.closed_ms(now_ms).is_some() {
        return Err(closed());
    }
    if !definition.is_asked_at(now_ms) {
        return Err(Problem::new(Code::UnknownSurvey, "the survey has not started yet"));
    }
    Ok(())
}

fn closed() -> Problem {
    Problem::new(Code::SurveyClosed, "the survey is closed")
}
