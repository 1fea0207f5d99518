//! The calls that the Worker and the site make to a shard.

use asklet_protocol::calls::survey::{Counts, Erased, Followed, SurveyCall, Usage};
use asklet_protocol::corrections::Corrected;
use asklet_protocol::failure::Failure;
use asklet_protocol::find::{DisplayFilter, PageStart};
use asklet_protocol::problems;
use asklet_protocol::rendering::Rendering;
use asklet_protocol::responses::Found;
use asklet_protocol::retention::Since;
use asklet_protocol::scan::Scanned;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::settings::Limits;
use asklet_store::shard::find::{DisplayReader, ReadLimits};
use asklet_store::shard::import::{self, ImportContext};
use asklet_store::shard::record::Recorded;
use asklet_store::shard::slice::Slice;
use asklet_store::shard::{
    changes, corrections, display_keys, responses, retention, rollup, scan, storage, versions,
};
use asklet_store::sql::Sql;
use worker::{Date, Response};

use crate::objects::survey::Shard;
use crate::objects::survey::maintenance::pause;
use crate::platform::trace::Trace;
use crate::platform::{log, plain, rpc};

/// Number of rows in a slice: about a millisecond of work, so that a display that arrives hardly waits.
const SLICE_ROWS: u32 = 750;

/// Number of displays that are written out at a time, which takes about as long.
const TOLD: usize = 50;

/// Number of slices that one call works off: a request can call objects about a thousand times.
const SLICES: usize = 60;

impl Shard {
    /// Answers a call of the Worker or of the site.
    pub(super) async fn answer(
        &self,
        trace: &Trace,
        call: SurveyCall,
    ) -> Result<Response, Failure> {
        if let SurveyCall::Take(told) = call {
            self.keep(*told)?;
            return rpc::answer(&());
        }
        let is_set_up = self.wake()?;
        let sql = &self.sql;
        match call {
            SurveyCall::Dump { from, following } if is_set_up => {
                rpc::told(self.dump(*from, following)?)
            }
            SurveyCall::StartMigration => {
                if is_set_up {
                    self.start_migration()?;
                }
                rpc::answer(&())
            }
            SurveyCall::Load { page } => rpc::answer(&self.load(&page).await?),
            SurveyCall::Forget { revision } => {
                self.forgotten.set(revision);
                let storage = self.state.storage();
                storage.delete_alarm().await?;
                storage.delete_all().await?;
                self.schema.forget();
                sql.latest_change().set(None);
                display_keys::forget_spare(sql);
                self.alarm_set.set(false);
                self.tail_length.set(None);
                self.capacity.forget();
                self.published.borrow_mut().clear();
                self.policy.borrow_mut().take();
                rpc::answer(&())
            }
            SurveyCall::Count(request) if is_set_up => {
                self.fold()?;
                let counted = rollup::count(sql, &request)?;
                rpc::answer(&Counts { counted, since: retention::removed(sql)? })
            }
            SurveyCall::Count(request) => {
                rpc::answer(&Counts { counted: request.nothing(), since: Since::default() })
            }
            SurveyCall::Scan { query, after } if is_set_up => {
                let mut all = scan::scan(sql, &query, Slice { after, rows: SLICE_ROWS })?;
                for _ in 1..SLICES {
                    let after = all.next;
                    if after.is_none() {
                        break;
                    }
                    pause().await;
                    all.add(scan::scan(sql, &query, Slice { after, rows: SLICE_ROWS })?);
                }
                rpc::answer(&all)
            }
            SurveyCall::Exclude { id, reason } if is_set_up => {
                retention::exclude(sql, id, reason.as_deref())?;
                rpc::answer(&())
            }
            SurveyCall::Delete { id } if is_set_up => {
                retention::delete(sql, id)?;
                rpc::answer(&())
            }
            SurveyCall::Correct { correction, after } if is_set_up => {
                let mut all = Corrected { next: after, ..Corrected::default() };
                for _ in 0..SLICES {
                    let slice = Slice { after: all.next, rows: corrections::ROWS };
                    let done = corrections::step(&correction, sql, slice, &plain::plain)?;
                    all.matched += done.matched;
                    all.changed += done.changed;
                    all.next = done.next;
                    if all.next.is_none() {
                        break;
                    }
                    pause().await;
                }
                rpc::answer(&all)
            }
            SurveyCall::Find { find, tell, from, limit } if is_set_up => {
                rpc::answer(&self.find(*find, &tell, from, limit).await?)
            }
            SurveyCall::Follow { after, tell, limit } if is_set_up => {
                let mut changed = changes::after(sql, after, limit.saturating_add(1))?;
                let more = changed.len() > limit;
                changed.truncate(limit);
                let last = changed.last().map(|display| display.seq);
                let told = changed.into_iter().map(|it| tell.change(responses::change(it)));
                rpc::answer(&Followed { changes: told.collect::<Result<_, _>>()?, last, more })
            }
            SurveyCall::Erase { respondent, after } if is_set_up => {
                let mut erased = Erased { displays: 0, next: after };
                for _ in 0..SLICES {
                    let slice = Slice { after: erased.next, rows: SLICE_ROWS };
                    let (displays, next) = retention::erase(sql, &respondent, slice)?;
                    erased = Erased { displays: erased.displays + displays, next };
                    if next.is_none() {
                        break;
                    }
                    pause().await;
                }
                rpc::answer(&erased)
            }
            SurveyCall::Known { site, lines } if is_set_up => rpc::answer(
                &self.with_import_context(&site, |context| import::known(sql, &lines, context))?,
            ),
            SurveyCall::Import { site, lines } if is_set_up => {
                let limits = self.known_policy()?.map(|known| known.limits);
                self.capacity.forget();
                self.capacity.take(sql, limits.unwrap_or_default(), Date::now().as_millis())?;
                let imported =
                    self.with_import_context(&site, |context| import::import(sql, &lines, context));
                self.capacity.forget();
                self.tail_length.set(None);
                let imported = imported?;
                // The lines are stored, whether or not the alarm can be set. The next display sets it too.
                if let Err(failure) = self.after(Recorded::New).await {
                    log::handled(trace, "no alarm was set", &failure);
                }
                rpc::answer(&imported)
            }
            SurveyCall::Usage if is_set_up => rpc::answer(&Usage {
                displays: rollup::displays(sql)?,
                tail: u64::try_from(rollup::tail_length(sql)?).unwrap_or(u64::MAX),
                bytes: storage::file_bytes(sql)?,
                used_bytes: sql.bytes(),
                rows_written: sql.rows_written(),
                limits: Limits::default(),
            }),
            // A shard that was never set up has nothing.
            SurveyCall::Scan { query, .. } => rpc::answer(&Scanned::nothing(&query)),
            SurveyCall::Erase { .. } => rpc::answer(&Erased::default()),
            SurveyCall::Known { .. } => rpc::answer(&String::new()),
            SurveyCall::Usage => rpc::answer(&Usage::default()),
            SurveyCall::Correct { .. } => rpc::answer(&Corrected::default()),
            SurveyCall::Find { .. } => rpc::answer(&Found::default()),
            SurveyCall::Follow { .. } => rpc::answer(&Followed::default()),
            SurveyCall::Exclude { .. } | SurveyCall::Delete { .. } => {
                Err(problems::unknown_display().into())
            }
            SurveyCall::Import { .. } | SurveyCall::Dump { .. } | SurveyCall::Take(_) => {
                Err(unknown_shard().into())
            }
        }
    }

    /// Searches for displays, step by step, so that other requests are served in between.
    async fn find(
        &self,
        find: DisplayFilter,
        tell: &Rendering,
        from: PageStart,
        limit: usize,
    ) -> Result<Found, Failure> {
        let mut reading = DisplayReader::new(find, from);
        let mut all = Found::default();
        let mut read = TOLD;
        for _ in 0..SLICES {
            // The pause comes before the first step too, because the pages of an export follow each other at
            // once.
            pause().await;
            let left = limit.saturating_sub(all.responses.len());
            let step = ReadLimits { rows: SLICE_ROWS, read, limit: left };
            let displays = reading.step(&self.sql, step, &plain::plain)?;
            read = if displays.is_empty() { usize::MAX } else { TOLD };
            for display in displays {
                let key = from.order.key(display.received_ms, display.id);
                all.responses.push((key, tell.response(responses::response(display))?));
            }
            if reading.is_over() || all.responses.len() >= limit || all.is_large() {
                break;
            }
        }
        all.next = reading.next();
        Ok(all)
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

fn unknown_shard() -> Problem {
    Problem::new(Code::UnknownShard, "the survey has no such shard yet")
}
