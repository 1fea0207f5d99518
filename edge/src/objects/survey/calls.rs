//! The calls that the Worker and the site make to a shard.

use asklet_protocol::calls::survey::{Counts, Erased, Followed, SurveyCall, Usage};
use asklet_protocol::corrections::Corrected;
use asklet_protocol::failure::Failure;
use asklet_protocol::import::Imported;
use asklet_protocol::problems;
use asklet_protocol::rendering::Rendering;
use asklet_protocol::responses::Found;
use asklet_protocol::retention::Since;
use asklet_protocol::scan::Scanned;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::Limits;
use asklet_shared::tally;
use asklet_store::shard::import::{self, ImportContext};
use asklet_store::shard::record::Recorded;
use asklet_store::shard::{changes, display_keys, responses, retention, rollup, storage, versions};
use asklet_store::sql::Sql;
use worker::{Date, Response};

use crate::objects::survey::Shard;
use crate::platform::trace::Trace;
use crate::platform::{log, rpc};

impl Shard {
    /// Answers a call of the Worker or of the site.
    pub(super) async fn answer(
        &self,
        trace: &Trace,
        call: SurveyCall,
    ) -> Result<Response, Failure> {
        match call {
            SurveyCall::Take(publication) => {
                self.keep(*publication)?;
                rpc::answer(&())
            }
            SurveyCall::Load { page } => rpc::answer(&self.load(&page).await?),
            // What is deleted need not be woken.
            SurveyCall::Forget { revision } => rpc::answer(&self.forget(revision).await?),
            call if self.wake()? => self.answer_from_store(trace, call).await,
            call => answer_of_nothing(call),
        }
    }

    /// Answers a call to a shard that is set up.
    async fn answer_from_store(
        &self,
        trace: &Trace,
        call: SurveyCall,
    ) -> Result<Response, Failure> {
        let sql = &self.sql;
        match call {
            SurveyCall::Take(_) | SurveyCall::Load { .. } | SurveyCall::Forget { .. } => {
                Err(answered_before())
            }
            SurveyCall::Dump { from, following } => rpc::rendered(self.dump(*from, following)?),
            SurveyCall::StartMigration => rpc::answer(&self.start_migration()?),
            SurveyCall::Count(request) => rpc::answer(&self.count(&request)?),
            SurveyCall::Scan { query, after } => rpc::answer(&self.scan(&query, after).await?),
            SurveyCall::Exclude { id, reason } => {
                rpc::answer(&retention::exclude(sql, id, reason.as_deref())?)
            }
            SurveyCall::Delete { id } => rpc::answer(&retention::delete(sql, id)?),
            SurveyCall::Correct { correction, after } => {
                rpc::answer(&self.correct(&correction, after).await?)
            }
            SurveyCall::Find { find, rendering, from, limit } => {
                rpc::answer(&self.find(*find, &rendering, from, limit).await?)
            }
            SurveyCall::Follow { after, rendering, limit } => {
                rpc::answer(&self.follow(after, &rendering, limit)?)
            }
            SurveyCall::Erase { respondent, after } => {
                rpc::answer(&self.erase(&respondent, after).await?)
            }
            SurveyCall::Known { site, lines } => rpc::answer(
                &self.with_import_context(&site, |context| import::known(sql, &lines, context))?,
            ),
            SurveyCall::Import { site, lines } => {
                rpc::answer(&self.import(trace, &site, &lines).await?)
            }
            SurveyCall::Usage => rpc::answer(&self.usage()?),
        }
    }

    /// Deletes everything, since the survey was deleted at this revision of the site.
    async fn forget(&self, revision: u64) -> Result<(), Failure> {
        self.forgotten.set(revision);
        let storage = self.state.storage();
        storage.delete_alarm().await?;
        storage.delete_all().await?;
        self.schema.forget();
        self.sql.latest_change().set(None);
        display_keys::forget_spare(&self.sql);
        self.alarm_set.set(false);
        self.tail_length.set(None);
        self.capacity.forget();
        self.published.borrow_mut().clear();
        self.policy.borrow_mut().take();
        Ok(())
    }

    /// Counts the displays of a period.
    fn count(&self, request: &tally::Request) -> Result<Counts, Failure> {
        self.fold()?;
        let counted = rollup::count(&self.sql, request)?;
        Ok(Counts { counted, since: retention::removed(&self.sql)? })
    }

    /// Returns the changes after a number.
    fn follow(&self, after: u64, rendering: &Rendering, limit: usize) -> Result<Followed, Failure> {
        let mut changed = changes::after(&self.sql, after, limit.saturating_add(1))?;
        let more = changed.len() > limit;
        changed.truncate(limit);
        let last = changed.last().map(|display| display.seq);
        let rendered =
            changed.into_iter().map(|display| rendering.change(responses::change(display)));
        Ok(Followed { changes: rendered.collect::<Result<_, _>>()?, last, more })
    }

    /// Stores lines of displays.
    async fn import(&self, trace: &Trace, site: &str, lines: &str) -> Result<Imported, Failure> {
        let sql = &self.sql;
        let limits = self.known_policy()?.map(|known| known.limits);
        self.capacity.forget();
        self.capacity.take(sql, limits.unwrap_or_default(), Date::now().as_millis())?;
        let imported =
            self.with_import_context(site, |context| import::import(sql, lines, context));
        self.capacity.forget();
        self.tail_length.set(None);
        let imported = imported?;
        // The lines are stored, whether or not the alarm can be set. The next display sets it too.
        if let Err(failure) = self.after(Recorded::New).await {
            log::handled(trace, "no alarm was set", &failure);
        }
        Ok(imported)
    }

    /// Returns how much the shard stores and writes.
    fn usage(&self) -> Result<Usage, Failure> {
        Ok(Usage {
            displays: rollup::displays(&self.sql)?,
            tail: u64::try_from(rollup::tail_length(&self.sql)?).unwrap_or(u64::MAX),
            bytes: storage::file_bytes(&self.sql)?,
            used_bytes: self.sql.bytes(),
            rows_written: self.sql.rows_written(),
            limits: Limits::default(),
        })
    }

    /// Runs some work on the lines of an import, with the versions and the policy that this shard knows.
    fn with_import_context<T>(
        &self,
        site: &str,
        work: impl FnOnce(&ImportContext<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let policy = self.known_policy()?;
        let policy = &*policy.ok_or_else(unknown_shard)?;
        let published = &|version| self.known_version(version);
        let latest = &|| Ok(versions::latest(&self.sql)?.unwrap_or_default());
        let now_ms = Date::now().as_millis();
        work(&ImportContext { published, latest, site, policy, now_ms })
    }
}

/// Answers a call to a shard that was never set up, which has nothing.
fn answer_of_nothing(call: SurveyCall) -> Result<Response, Failure> {
    match call {
        SurveyCall::Count(request) => {
            rpc::answer(&Counts { counted: request.nothing(), since: Since::default() })
        }
        SurveyCall::Scan { query, .. } => rpc::answer(&Scanned::nothing(&query)),
        SurveyCall::Correct { .. } => rpc::answer(&Corrected::default()),
        SurveyCall::Find { .. } => rpc::answer(&Found::default()),
        SurveyCall::Follow { .. } => rpc::answer(&Followed::default()),
        SurveyCall::Erase { .. } => rpc::answer(&Erased::default()),
        SurveyCall::Known { .. } => rpc::answer(&String::new()),
        SurveyCall::Usage => rpc::answer(&Usage::default()),
        SurveyCall::StartMigration => rpc::answer(&()),
        SurveyCall::Exclude { .. } | SurveyCall::Delete { .. } => {
            Err(problems::unknown_display().into())
        }
        SurveyCall::Import { .. } | SurveyCall::Dump { .. } => Err(unknown_shard().into()),
        SurveyCall::Take(_) | SurveyCall::Load { .. } | SurveyCall::Forget { .. } => {
            Err(answered_before())
        }
    }
}

/// The failure for a call that any shard answers, whether it is set up or not.
fn answered_before() -> Failure {
    Failure::broken(
        "take, load and forget are answered before it is known whether the shard is set up",
    )
}

fn unknown_shard() -> Problem {
    Problem::new(Code::UnknownShard, "the survey has no such shard yet")
}
