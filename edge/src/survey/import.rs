//! Imports: displays that a program tells of, many at a time and from any time.

use std::rc::Rc;

use asklet_shared::definition::Published;
use asklet_shared::display::Display;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::validate::{self, DISPLAY_LIMIT};
use serde::{Deserialize, Serialize};

use super::intake::{self, Circumstances};
use super::record::{self, Arrival, Recorded};
use crate::failure::Failure;
use crate::json;
use crate::sql::Sql;
use crate::standing::Standing;

/// The most lines of one import.
pub const LINES_LIMIT: usize = 5_000;

/// The most bytes of one import.
pub const BYTES_LIMIT: usize = 4 * 1024 * 1024;

/// How many refused lines are told.
const REFUSALS_LIMIT: usize = 100;

/// One line: a display, and when it was shown.
#[derive(Deserialize)]
struct Line {
    #[serde(flatten)]
    display: Display,
    shown_ms: u64,
}

/// What an import came to.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Imported {
    /// How many displays were stored.
    pub stored: u64,
    /// How many were there already.
    pub known: u64,
    /// How many were refused.
    pub refused: u64,
    /// Why, for the first hundred of them.
    pub problems: Vec<Refusal>,
}

/// Why a line was refused.
#[derive(Debug, Serialize, Deserialize)]
pub struct Refusal {
    /// The number of the line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// Finds a version.
type Find<'a> = &'a dyn Fn(u32) -> Result<Option<Rc<Published>>, Failure>;

/// Takes lines of JSON, each as if it had been collected, in one transaction. A line that breaks a
/// rule is told and left out; importing the rest again changes nothing.
pub fn import(
    sql: &impl Sql,
    lines: &str,
    published: Find<'_>,
    (site, standing): (&str, &Standing),
    now_ms: u64,
) -> Result<Imported, Failure> {
    let mut imported = Imported::default();
    let (mut numbers, mut arrivals) = (Vec::new(), Vec::new());
    let lines = lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    for (at, line) in lines {
        match read(line, published, (site, standing), now_ms) {
            Ok(arrival) => {
                numbers.push(at + 1);
                arrivals.push(arrival);
            }
            Err(Failure::Problem(problem)) => imported.refuse(at + 1, problem),
            Err(broken) => return Err(broken),
        }
    }
    for (line, outcome) in numbers.into_iter().zip(record::record_all(sql, arrivals, now_ms)?) {
        match outcome {
            Ok(Recorded::New) => imported.stored += 1,
            Ok(Recorded::Known) => imported.known += 1,
            Err(problem) => imported.refuse(line, problem),
        }
    }
    Ok(imported)
}

impl Imported {
    fn refuse(&mut self, line: usize, problem: Problem) {
        self.refused += 1;
        if self.problems.len() < REFUSALS_LIMIT {
            self.problems.push(Refusal { line, problem });
        }
    }
}

fn read(
    line: &str,
    published: Find<'_>,
    (site, standing): (&str, &Standing),
    now_ms: u64,
) -> Result<Arrival, Failure> {
    if line.len() > DISPLAY_LIMIT {
        return Err(Problem::new(Code::BodyTooLarge, "the line is too large")
            .limit(format!("{DISPLAY_LIMIT} bytes"))
            .into());
    }
    let Line { mut display, shown_ms } = json::read_sent(line.as_bytes())?;
    let unknown = || {
        Problem::new(Code::UnknownVersion, "the survey was never published in this version")
            .at("version")
    };
    if shown_ms > now_ms {
        let detail = "the display was shown in the future";
        return Err(Problem::new(Code::InvalidDisplay, detail).at("shown_ms").into());
    }
    let published = published(display.version)?.ok_or_else(unknown)?;
    validate::display(&mut display, &published.definition)?;
    let (nobody, told) = (Circumstances::default(), (site, shown_ms));
    Ok(intake::arrival(display, nobody, &published.definition, standing, told)?)
}
