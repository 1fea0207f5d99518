//! Imports: their limits and their results.

use asklet_shared::problem::{Code, Problem};
use serde::{Deserialize, Serialize};

/// Number of lines of one import at most.
pub const LINES_LIMIT: usize = 5_000;

/// Number of bytes of one import at most.
pub const BYTES_LIMIT: usize = 4 * 1024 * 1024;

/// Number of refused lines that an answer lists at most.
const REFUSALS_LIMIT: usize = 100;

/// The result of an import.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Imported {
    /// Number of displays that were stored.
    pub stored: u64,
    /// Number of displays that existed already.
    pub known: u64,
    /// Number of lines that were refused.
    pub refused: u64,
    /// The first hundred refused lines, with the reasons.
    pub problems: Vec<Refusal>,
    /// Whether a shard failed to report what happened to its lines.
    #[serde(skip)]
    pub is_part: bool,
}

/// Why a line was refused.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Refusal {
    /// The number of the line, counted from 1.
    pub line: usize,
    /// What is wrong with the line.
    pub problem: Problem,
}

/// Refuses a text whose beginning shows that it is not lines of JSON objects. If the text is a table or a list,
/// every line would be refused, each for a different reason.
pub fn check_lines(text: &str) -> Result<(), Problem> {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty());
    let detail = match first {
        None => return Ok(()),
        Some("{") => "an import has each object on one line, and this one is spread over several",
        Some(line) if line.starts_with('{') => return Ok(()),
        Some(line) if line.starts_with('[') => {
            "an import is no JSON array: send each element on a line of its own"
        }
        Some(_) => "an import is lines of JSON, and no table: send each row as a JSON object",
    };
    Err(Problem::new(Code::MalformedJson, detail).limit("a JSON object on each line (NDJSON)"))
}

impl Imported {
    /// Adds the result of another part of the same lines.
    pub fn add(&mut self, other: Self) {
        self.is_part |= other.is_part;
        self.stored += other.stored;
        self.known += other.known;
        self.refused += other.refused;
        self.problems.extend(other.problems);
        self.problems.sort_by_key(|refusal| refusal.line);
        self.problems.truncate(REFUSALS_LIMIT);
    }

    /// Whether the result says for every line whether it was stored, known or refused.
    pub fn is_whole(&self) -> bool {
        !self.is_part
    }

    /// Whether at least one display of the import is stored.
    pub fn holds_any(&self) -> bool {
        self.stored + self.known > 0
    }

    /// Returns the result for lines whose shard did not report what happened to them.
    pub fn unanswered(lines: &str, problem: &Problem) -> Self {
        let mut unanswered = Self { is_part: true, ..Self::default() };
        let lines = lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        lines.for_each(|(at, _)| unanswered.refuse(at + 1, problem.clone()));
        unanswered
    }

    /// Counts a refused line, and lists the reason if there is room.
    pub fn refuse(&mut self, line: usize, problem: Problem) {
        self.refused += 1;
        if self.problems.len() < REFUSALS_LIMIT {
            self.problems.push(Refusal { line, problem });
        }
    }
}
