//! Work on many displays of a shard: in slices, so that a display that arrives hardly waits.

use asklet_protocol::calls::survey::Erased;
use asklet_protocol::corrections::{Corrected, Correction};
use asklet_protocol::cursor::Cursor;
use asklet_protocol::failure::Failure;
use asklet_protocol::find::{DisplayFilter, PageStart};
use asklet_protocol::rendering::Rendering;
use asklet_protocol::responses::Found;
use asklet_protocol::scan::{ScanQuery, Scanned};
use asklet_store::shard::find::{DisplayReader, ReadLimits};
use asklet_store::shard::slice::Slice;
use asklet_store::shard::{corrections, responses, retention, scan};

use crate::objects::survey::Shard;
use crate::objects::survey::maintenance::pause;
use crate::platform::plain;

/// Number of rows in a slice: about a millisecond of work.
const SLICE_ROWS: u32 = 750;

/// Number of displays that are written out at a time, which takes about as long.
const RENDERED: usize = 50;

/// Number of slices that one call works off: a request can call objects about a thousand times.
const SLICES: usize = 60;

/// Whether work goes on after a slice.
enum Progress {
    More,
    Done,
}

impl Progress {
    /// There is more to do if the next slice begins somewhere.
    fn until(next: Option<Cursor>) -> Self {
        if next.is_some() { Self::More } else { Self::Done }
    }
}

/// Works off slices until the work is done or this call has done its part. Other requests are served between two
/// slices.
async fn in_slices(mut slice: impl FnMut() -> Result<Progress, Failure>) -> Result<(), Failure> {
    for _ in 0..SLICES {
        if matches!(slice()?, Progress::Done) {
            break;
        }
        pause().await;
    }
    Ok(())
}

impl Shard {
    /// Counts displays one by one.
    pub(super) async fn scan(
        &self,
        query: &ScanQuery,
        after: Option<Cursor>,
    ) -> Result<Scanned, Failure> {
        let mut all = Scanned { next: after, ..Scanned::nothing(query) };
        in_slices(|| {
            let slice = Slice { after: all.next, rows: SLICE_ROWS };
            all.add(scan::scan(&self.sql, query, slice)?);
            Ok(Progress::until(all.next))
        })
        .await?;
        Ok(all)
    }

    /// Corrects the displays that a filter finds.
    pub(super) async fn correct(
        &self,
        correction: &Correction,
        after: Option<Cursor>,
    ) -> Result<Corrected, Failure> {
        let mut all = Corrected { next: after, ..Corrected::default() };
        in_slices(|| {
            let slice = Slice { after: all.next, rows: corrections::ROWS };
            let done = corrections::step(correction, &self.sql, slice, &plain::plain)?;
            all.matched += done.matched;
            all.changed += done.changed;
            all.next = done.next;
            Ok(Progress::until(all.next))
        })
        .await?;
        Ok(all)
    }

    /// Erases the displays of a respondent.
    pub(super) async fn erase(
        &self,
        respondent: &str,
        after: Option<Cursor>,
    ) -> Result<Erased, Failure> {
        let mut all = Erased { displays: 0, next: after };
        in_slices(|| {
            let slice = Slice { after: all.next, rows: SLICE_ROWS };
            let (displays, next) = retention::erase(&self.sql, respondent, slice)?;
            all = Erased { displays: all.displays + displays, next };
            Ok(Progress::until(next))
        })
        .await?;
        Ok(all)
    }

    /// Searches for displays.
    pub(super) async fn find(
        &self,
        find: DisplayFilter,
        rendering: &Rendering,
        from: PageStart,
        limit: usize,
    ) -> Result<Found, Failure> {
        // The pages of an export follow each other at once, so there is a pause before each, too.
        pause().await;
        let mut reading = DisplayReader::new(find, from);
        let mut all = Found::default();
        let mut read = RENDERED;
        in_slices(|| {
            let left = limit.saturating_sub(all.responses.len());
            let step = ReadLimits { rows: SLICE_ROWS, read, limit: left };
            let displays = reading.step(&self.sql, step, &plain::plain)?;
            read = if displays.is_empty() { usize::MAX } else { RENDERED };
            for display in displays {
                let key = from.order.key(display.received_ms, display.id);
                all.responses.push((key, rendering.response(responses::response(display))?));
            }
            let is_page = all.responses.len() >= limit || all.is_large();
            Ok(if is_page || reading.is_over() { Progress::Done } else { Progress::More })
        })
        .await?;
        all.next = reading.next();
        Ok(all)
    }
}
