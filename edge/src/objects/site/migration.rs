//! The migration of a site from one deployment to another, as its object carries it out.

use asklet_protocol::audit::{Action, AuditEvent, OPERATOR};
use asklet_protocol::bundle::{self, BundleTaken, Head};
use asklet_protocol::calls::survey::SurveyCall;
use asklet_protocol::failure::Failure;
use asklet_protocol::ids::{SiteId, SurveyId};
use asklet_protocol::json;
use asklet_shared::problem::{Code, Problem};
use asklet_store::site::audit;
use asklet_store::site::migration::{
    begin, check_complete, dump, end, find_moved, load, moved, next_shard, revision,
};
use asklet_store::site::outbox::OutboxMessage;
use asklet_store::sql::Sql;

use crate::objects::site::Site;
use crate::platform::trace::Context;
use crate::platform::{deployment, rpc, stubs};

impl Site {
    /// Reads a page of the site or of one of its shards.
    pub(super) async fn give_bundle(
        &self,
        context: &Context,
        site: SiteId,
        cursor: Option<String>,
        keys: bool,
        now_ms: u64,
    ) -> Result<String, Failure> {
        check_complete(&self.sql)?;
        let revision = revision(&self.sql)?;
        let from = match cursor {
            Some(cursor) => Head::of_cursor(&cursor)?,
            None => {
                let given = AuditEvent::new(Action::GiveBundle);
                audit::add(&self.sql, OPERATOR, &given, now_ms)?;
                Head::of(bundle::SITE.to_owned(), keys, revision)
            }
        };
        if from.revision != revision {
            let detail = "the site has changed since the bundle began: start the bundle again";
            return Err(Problem::new(Code::SiteChanged, detail).at("cursor").into());
        }
        if from.object == bundle::SITE {
            return dump(&self.sql, from, &deployment::vault(&self.env)?);
        }
        let (survey, shard) = bundle::shard(&from.object).ok_or_else(bundle::unknown_cursor)?;
        let survey = deployment::seal(&self.env)?.survey(&site, survey)?;
        let survey = survey.ok_or_else(bundle::unknown_cursor)?;
        if from.begins() {
            // This makes sure that the shard has something to send, and nothing out of date.
            let (site, survey) = (site.clone(), survey.as_str().to_owned());
            self.deliver(
                context,
                &OutboxMessage { site, survey, shard, forget: false, revision: 0 },
            )
            .await?;
        }
        let stub = stubs::survey(context, &site, &survey, shard)?;
        let following = next_shard(&self.sql, &from.object)?;
        let call = SurveyCall::Dump { from: Box::new(from), following };
        rpc::ask(&stub, serde_json::to_string(&call)?).await
    }

    /// Stores a page of the site or of one of its shards.
    pub(super) async fn take_bundle(
        &self,
        context: &Context,
        site: &SiteId,
        page: String,
        now_ms: u64,
    ) -> Result<BundleTaken, Failure> {
        let (head, rows) = bundle::read(&page)?;
        let is_last = head.next.is_none();
        let rows = if head.object == bundle::SITE {
            let keys = (&*deployment::seal(&self.env)?, &deployment::vault(&self.env)?);
            load(&self.sql, keys, site, (&head, rows))?
        } else {
            let unknown = || {
                let detail = "the site's own pages come first, and without this survey they came: if \
                     the site has changed meanwhile, begin the bundle again";
                Problem::new(Code::BrokenBundle, detail).at("object")
            };
            let (there, shard) = bundle::shard(&head.object).ok_or_else(unknown)?;
            let here = find_moved(&self.sql, there)?.ok_or_else(unknown)?;
            self.sql.transaction(|| begin(&self.sql, site))?;
            let stub = stubs::survey(context, site, &SurveyId::stored(here), shard)?;
            let call = serde_json::to_string(&SurveyCall::Load { page })?;
            json::read(&rpc::ask(&stub, call).await?)?
        };
        if is_last {
            end(&self.sql, site, now_ms)?;
        }
        self.deliver_messages(context).await?;
        Ok(BundleTaken { rows, surveys: moved(&self.sql)? })
    }
}
