//! Reading the responses of all shards of a survey in one order, a page of each at a time.

use std::collections::VecDeque;

use asklet_protocol::calls::survey::SurveyCall;
use asklet_protocol::csv::Columns;
use asklet_protocol::failure::Failure;
use asklet_protocol::find::{Find, From, Key, Order};
use asklet_protocol::ids::{SiteId, SurveyId};
use asklet_protocol::plan::Plan;
use asklet_protocol::rendering::Tell;
use asklet_protocol::responses::Found;
use asklet_shared::display_id::DisplayId;
use asklet_shared::problem::Problem;
use worker::Env;

use crate::http::problems;
use crate::platform::{plain, rpc, stubs};
use crate::service::filter::Asked;

/// How far a walk came: everything before this was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    id: DisplayId,
    /// The last shard whose display with this id was told.
    shard: u16,
}

impl Position {
    fn of(key: Key, shard: u16) -> Option<Self> {
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

/// What stands behind the survey in a cursor, which is a place in this survey and in no other.
pub fn of_survey<'a>(plan: &Plan, cursor: &'a str, parameter: &str) -> Result<&'a str, Problem> {
    let place = cursor.split_once('/').filter(|(survey, _)| *survey == plan.survey.as_str());
    place.map(|(_, place)| place).ok_or_else(|| unknown_place(parameter))
}

/// A walk over the responses of all shards in one order, which holds a page of each.
pub struct Walk {
    env: Env,
    site: SiteId,
    survey: SurveyId,
    find: Find,
    sources: Vec<Source>,
    order: Order,
}

/// One shard, as far as it was read.
struct Source {
    tell: Tell,
    from: From,
    found: VecDeque<(Key, String)>,
    is_read: bool,
}

/// What comes next.
enum Step {
    /// A response, and how far the walk came with it where that is by ids.
    Response(Option<Position>, String),
    /// There is more, and the calls are used up.
    Later,
    End,
}

impl Walk {
    /// Over what is asked for, newest first.
    pub fn newest_first(
        env: &Env,
        site: &SiteId,
        plan: &Plan,
        asked: Asked,
        at: Option<Position>,
    ) -> Result<Self, Failure> {
        let mut walk = Self::new(env, site, plan, asked, Order::NewestFirst)?;
        for source in &mut walk.sources {
            source.from.after = at.map(|at| Key::of(at.id));
            source.from.with = at.is_some_and(|at| at.shard < source.tell.shard);
        }
        Ok(walk)
    }

    /// Over what is asked for, as it arrived, in JSON, or in lines of CSV.
    pub fn by_reception(
        env: &Env,
        site: &SiteId,
        plan: &Plan,
        asked: Asked,
        columns: Option<&Columns>,
    ) -> Result<Self, Failure> {
        let mut walk = Self::new(env, site, plan, asked, Order::Reception)?;
        for source in &mut walk.sources {
            source.tell.columns = columns.cloned();
        }
        Ok(walk)
    }

    fn new(
        env: &Env,
        site: &SiteId,
        plan: &Plan,
        asked: Asked,
        order: Order,
    ) -> Result<Self, Failure> {
        let question = asked.question.clone();
        let sources = (0..plan.shards).map(|shard| {
            let tell = Tell::of(plan, shard, question.clone(), None);
            Source { tell, from: From::start(order), found: VecDeque::new(), is_read: false }
        });
        let sources = sources.collect();
        let (env, site, survey) = (env.clone(), site.clone(), plan.survey.clone());
        let find = asked.find(plan, &plain::plain)?;
        Ok(Self { env, site, survey, find, sources, order })
    }

    /// Puts so many responses into a page. Returns the cursor of the next one, if there is more.
    pub async fn fill(
        &mut self,
        page: &mut Vec<String>,
        limit: usize,
        calls: &mut usize,
    ) -> Result<Option<String>, Failure> {
        let mut last = None;
        while page.len() < limit {
            match self.step(calls, limit - page.len()).await? {
                Step::Response(position, response) => {
                    last = position;
                    page.push(response);
                }
                Step::Later => return Ok(self.frontier().map(Position::write)),
                Step::End => return Ok(None),
            }
        }
        let is_over = self.sources.iter().all(|source| source.is_read && source.found.is_empty());
        Ok(last.filter(|_| !is_over).map(Position::write))
    }

    /// The next response, as it is written.
    pub async fn next(&mut self, page: usize) -> Result<Option<String>, Failure> {
        match self.step(&mut usize::MAX.clone(), page).await? {
            Step::Response(_, response) => Ok(Some(response)),
            Step::Later | Step::End => Ok(None),
        }
    }

    async fn step(&mut self, calls: &mut usize, page: usize) -> Result<Step, Failure> {
        loop {
            let mut first: Option<(Key, usize)> = None;
            for (at, source) in self.sources.iter().enumerate() {
                let Some((key, _)) = source.found.front() else { continue };
                if first.is_none_or(|(known, _)| self.order.precedes(*key, known)) {
                    first = Some((*key, at));
                }
            }
            let first_key = first.map(|(key, _)| key);
            if let Some(source) = furthest_behind(&mut self.sources, self.order, first_key) {
                if *calls == 0 {
                    return Ok(Step::Later);
                }
                *calls -= 1;
                let stub = stubs::survey(&self.env, &self.site, &self.survey, source.tell.shard)?;
                let (find, tell) = (self.find.clone(), source.tell.clone());
                let from = source.from;
                let call = SurveyCall::Find {
                    find: Box::new(find),
                    tell: Box::new(tell),
                    from,
                    limit: page,
                };
                let found: Found = rpc::call(&stub, &call).await?;
                source.is_read = found.next.is_none();
                source.from = From { after: found.next.or(from.after), with: false, ..from };
                source.found.extend(found.responses);
                continue;
            }
            let source = first.and_then(|(_, at)| self.sources.get_mut(at));
            let found = source.and_then(|source| {
                let (key, response) = source.found.pop_front()?;
                Some((Position::of(key, source.tell.shard), response))
            });
            return Ok(found.map_or(Step::End, |(at, response)| Step::Response(at, response)));
        }
    }

    /// How far all shards were read, newest first.
    fn frontier(&self) -> Option<Position> {
        let unread =
            self.sources.iter().filter(|source| source.found.is_empty() && !source.is_read);
        let keys = unread.filter_map(|source| source.from.after);
        // Whatever has this id was told, whichever shard has it.
        keys.max().and_then(|key| Position::of(key, u16::MAX))
    }
}

/// Of the shards that have to be read before a display is told, the one that was read least far: so all of them
/// come on, and calls that are used up leave none out.
fn furthest_behind(
    sources: &mut [Source],
    order: Order,
    first: Option<Key>,
) -> Option<&mut Source> {
    let unread = sources.iter_mut().filter(|source| {
        let may_precede = first.is_none_or(|first| source.may_precede(first));
        source.found.is_empty() && !source.is_read && may_precede
    });
    unread.reduce(|behind, source| match (behind.from.after, source.from.after) {
        (Some(_), None) => source,
        (Some(known), Some(other)) if order.precedes(other, known) => source,
        _ => behind,
    })
}

impl Source {
    /// Whether something may come that stands before a display.
    fn may_precede(&self, key: Key) -> bool {
        let From { after, with, order } = self.from;
        after.is_none_or(|after| order.precedes(after, key) || (with && after == key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shard_that_was_read_least_far_is_read_next() {
        let key = |ms: u64| Key::of(DisplayId::new(ms, [7; 10]));
        let source = |after: Option<u64>| Source {
            tell: Tell::default(),
            from: From { after: after.map(key), ..From::start(Order::NewestFirst) },
            found: VecDeque::new(),
            is_read: false,
        };
        let mut sources = vec![source(Some(5)), source(Some(9)), source(Some(7))];
        let next = |sources: &mut [Source], first: Option<u64>| {
            let behind = furthest_behind(sources, Order::NewestFirst, first.map(key));
            behind.map(|source| source.from.after.map(|after| after.id.unwrap().unix_ms()))
        };
        assert_eq!(next(&mut sources, None), Some(Some(9)));
        sources.push(source(None));
        assert_eq!(next(&mut sources, None), Some(None));
        sources.pop();
        assert_eq!(next(&mut sources, Some(10)), None, "nothing newer can come");
        sources[1].is_read = true;
        assert_eq!(next(&mut sources, None), Some(Some(7)));
    }
}
