//! Reads the responses of all shards of a survey in one order, one page of each shard at a time.

use std::collections::VecDeque;

use asklet_protocol::calls::survey::SurveyCall;
use asklet_protocol::csv::Columns;
use asklet_protocol::failure::Failure;
use asklet_protocol::find::{DisplayFilter, Order, PageStart, Position};
use asklet_protocol::ids::{SiteId, SurveyId};
use asklet_protocol::plan::Plan;
use asklet_protocol::rendering::Rendering;
use asklet_protocol::responses::Found;
use asklet_shared::display_id::DisplayId;
use asklet_shared::problem::Problem;

use crate::http::problems;
use crate::platform::trace::Context;
use crate::platform::{plain, rpc, stubs};
use crate::service::filter::ResponseFilter;

/// How far a walk has come: everything before this position was returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalkPosition {
    id: DisplayId,
    /// The last shard whose display with this id was returned.
    shard: u16,
}

impl WalkPosition {
    fn of(key: Position, shard: u16) -> Option<Self> {
        key.id.map(|id| Self { id, shard })
    }

    pub fn parse(text: &str) -> Result<Self, Problem> {
        let parts = text.split_once('.');
        let parsed = parts.and_then(|(id, shard)| {
            Some(Self { id: id.parse().ok()?, shard: shard.parse().ok()? })
        });
        parsed.ok_or_else(unknown_cursor)
    }

    fn write(self) -> String {
        format!("{}.{}", self.id, self.shard)
    }
}

pub fn unknown_cursor() -> Problem {
    unknown_place("cursor")
}

pub fn unknown_place(parameter: &str) -> Problem {
    problems::invalid_parameter(parameter, "what an earlier answer for this survey called next")
}

/// Returns the position in a cursor, which follows the survey's id. Refuses a cursor of another survey.
pub fn of_survey<'a>(plan: &Plan, cursor: &'a str, parameter: &str) -> Result<&'a str, Problem> {
    let place = cursor.split_once('/').filter(|(survey, _)| *survey == plan.survey.as_str());
    place.map(|(_, place)| place).ok_or_else(|| unknown_place(parameter))
}

/// A walk over the responses of all shards in one order. It holds one page of each shard.
pub struct Walk {
    env: Context,
    site: SiteId,
    survey: SurveyId,
    find: DisplayFilter,
    readers: Vec<ShardReader>,
    order: Order,
}

/// The state of reading one shard.
struct ShardReader {
    rendering: Rendering,
    from: PageStart,
    found: VecDeque<(Position, String)>,
    is_read: bool,
}

/// The next step of a walk.
enum NextResponse {
    /// A response, and the position of the walk after it if the order is by ids.
    Response(Option<WalkPosition>, String),
    /// There is more to read, but no calls are left.
    Later,
    End,
}

impl Walk {
    /// Begins a walk over the responses that a filter finds, newest first.
    pub fn newest_first(
        env: &Context,
        site: &SiteId,
        plan: &Plan,
        filter: ResponseFilter,
        at: Option<WalkPosition>,
    ) -> Result<Self, Failure> {
        let mut walk = Self::new(env, site, plan, filter, Order::NewestFirst)?;
        for reader in &mut walk.readers {
            reader.from.after = at.map(|at| Position::of(at.id));
            reader.from.with = at.is_some_and(|at| at.shard < reader.rendering.shard);
        }
        Ok(walk)
    }

    /// Begins a walk over the responses that a filter finds, in the order of their arrival, as JSON or as lines
    /// of CSV.
    pub fn by_reception(
        env: &Context,
        site: &SiteId,
        plan: &Plan,
        filter: ResponseFilter,
        columns: Option<&Columns>,
    ) -> Result<Self, Failure> {
        let mut walk = Self::new(env, site, plan, filter, Order::Reception)?;
        for reader in &mut walk.readers {
            reader.rendering.columns = columns.cloned();
        }
        Ok(walk)
    }

    fn new(
        env: &Context,
        site: &SiteId,
        plan: &Plan,
        filter: ResponseFilter,
        order: Order,
    ) -> Result<Self, Failure> {
        let question = filter.question.clone();
        let readers = (0..plan.shards).map(|shard| {
            let rendering = Rendering::of(plan, shard, question.clone(), None);
            ShardReader {
                rendering,
                from: PageStart::start(order),
                found: VecDeque::new(),
                is_read: false,
            }
        });
        let readers = readers.collect();
        let (env, site, survey) = (env.clone(), site.clone(), plan.survey.clone());
        let find = filter.find(plan, &plain::plain)?;
        Ok(Self { env, site, survey, find, readers, order })
    }

    /// Fills a page with at most `limit` responses. Returns the cursor of the next one, if there is more.
    pub async fn fill(
        &mut self,
        page: &mut Vec<String>,
        limit: usize,
        calls: &mut usize,
    ) -> Result<Option<String>, Failure> {
        let mut last = None;
        while page.len() < limit {
            match self.step(calls, limit - page.len()).await? {
                NextResponse::Response(position, response) => {
                    last = position;
                    page.push(response);
                }
                NextResponse::Later => return Ok(self.frontier().map(WalkPosition::write)),
                NextResponse::End => return Ok(None),
            }
        }
        let is_over = self.readers.iter().all(|reader| reader.is_read && reader.found.is_empty());
        Ok(last.filter(|_| !is_over).map(WalkPosition::write))
    }

    /// Returns the next response, as the shard wrote it.
    pub async fn next(&mut self, page: usize) -> Result<Option<String>, Failure> {
        match self.step(&mut usize::MAX.clone(), page).await? {
            NextResponse::Response(_, response) => Ok(Some(response)),
            NextResponse::Later | NextResponse::End => Ok(None),
        }
    }

    /// Returns the next response. Shards are read until it is known which one has it.
    async fn step(&mut self, calls: &mut usize, page: usize) -> Result<NextResponse, Failure> {
        loop {
            let first = self.first();
            let first_key = first.map(|(key, _)| key);
            match furthest_behind(&mut self.readers, self.order, first_key) {
                None => return Ok(self.take(first)),
                Some(_) if *calls == 0 => return Ok(NextResponse::Later),
                Some(reader) => {
                    *calls -= 1;
                    let shard = reader.rendering.shard;
                    let stub = stubs::survey(&self.env, &self.site, &self.survey, shard)?;
                    reader.read(&stub, &self.find, page).await?;
                }
            }
        }
    }

    /// Finds the response that comes first among those that were read, and its shard.
    fn first(&self) -> Option<(Position, usize)> {
        let mut first: Option<(Position, usize)> = None;
        for (at, reader) in self.readers.iter().enumerate() {
            let Some((key, _)) = reader.found.front() else { continue };
            if first.is_none_or(|(known, _)| self.order.precedes(*key, known)) {
                first = Some((*key, at));
            }
        }
        first
    }

    /// Takes the first response out of what was read.
    fn take(&mut self, first: Option<(Position, usize)>) -> NextResponse {
        let reader = first.and_then(|(_, at)| self.readers.get_mut(at));
        let taken = reader.and_then(|reader| {
            let (key, response) = reader.found.pop_front()?;
            Some((WalkPosition::of(key, reader.rendering.shard), response))
        });
        taken.map_or(NextResponse::End, |(at, response)| NextResponse::Response(at, response))
    }

    /// Returns the position up to which all shards were read, newest first.
    fn frontier(&self) -> Option<WalkPosition> {
        let unread =
            self.readers.iter().filter(|reader| reader.found.is_empty() && !reader.is_read);
        let keys = unread.filter_map(|reader| reader.from.after);
        // Every display with this id was returned, whichever shard has it.
        keys.max().and_then(|key| WalkPosition::of(key, u16::MAX))
    }
}

/// Of the shards that must be read before the next display can be returned, finds the one that was read least
/// far. So all of them advance, and none is left out when no calls are left.
fn furthest_behind(
    readers: &mut [ShardReader],
    order: Order,
    first: Option<Position>,
) -> Option<&mut ShardReader> {
    let unread = readers.iter_mut().filter(|reader| {
        let may_precede = first.is_none_or(|first| reader.may_precede(first));
        reader.found.is_empty() && !reader.is_read && may_precede
    });
    unread.reduce(|behind, reader| match (behind.from.after, reader.from.after) {
        (Some(_), None) => reader,
        (Some(known), Some(other)) if order.precedes(other, known) => reader,
        _ => behind,
    })
}

impl ShardReader {
    /// Reads the shard's next page.
    async fn read(
        &mut self,
        shard: &rpc::Object,
        find: &DisplayFilter,
        limit: usize,
    ) -> Result<(), Failure> {
        let (find, rendering) = (Box::new(find.clone()), Box::new(self.rendering.clone()));
        let call = SurveyCall::Find { find, rendering, from: self.from, limit };
        let found: Found = rpc::call(shard, &call).await?;
        self.is_read = found.next.is_none();
        let after = found.next.or(self.from.after);
        self.from = PageStart { after, with: false, ..self.from };
        self.found.extend(found.responses);
        Ok(())
    }

    /// Whether the shard may still return something that precedes a display.
    fn may_precede(&self, key: Position) -> bool {
        let PageStart { after, with, order } = self.from;
        after.is_none_or(|after| order.precedes(after, key) || (with && after == key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shard_that_was_read_least_far_is_read_next() {
        let key = |ms: u64| Position::of(DisplayId::new(ms, [7; 10]));
        let reader = |after: Option<u64>| ShardReader {
            rendering: Rendering::default(),
            from: PageStart { after: after.map(key), ..PageStart::start(Order::NewestFirst) },
            found: VecDeque::new(),
            is_read: false,
        };
        let mut readers = vec![reader(Some(5)), reader(Some(9)), reader(Some(7))];
        let next = |readers: &mut [ShardReader], first: Option<u64>| {
            let behind = furthest_behind(readers, Order::NewestFirst, first.map(key));
            behind.map(|reader| reader.from.after.map(|after| after.id.unwrap().unix_ms()))
        };
        assert_eq!(next(&mut readers, None), Some(Some(9)));
        readers.push(reader(None));
        assert_eq!(next(&mut readers, None), Some(None));
        readers.pop();
        assert_eq!(next(&mut readers, Some(10)), None, "nothing newer can come");
        readers[1].is_read = true;
        assert_eq!(next(&mut readers, None), Some(Some(7)));
    }
}
