//! Imports: their limits, and what they result in.

use asklet_shared::problem::{Code, Problem};
use serde::{Deserialize, Serialize};

/// The most lines of one import.
pub const LINES_LIMIT: usize = 5_000;

/// The most bytes of one import.
pub const BYTES_LIMIT: usize = 4 * 1024 * 1024;

/// How many refused lines are told.
const REFUSALS_LIMIT: usize = 100;

/// What an import came to.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Imported {
    /// How many displays were stored.
    pub stored: u64,
    /// How many were there already.
    pub known: u64,
    /// How many were refused.
    pub refused: u64,
    /// Why, for the first hundred of them.
    pub problems: Vec<Refusal>,
    /// Whether a shard did not say what became of its lines.
    #[serde(skip)]
    pub is_part: bool,
}

/// Why a line was refused.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Refusal {
    /// The number of the line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// Refuses what is no lines of JSON objects as a whole, by how it begins: of a table or a list every line
/// would be wrong, and each in a way of its own.
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
    /// Adds what another part of the same lines came to.
    pub fn add(&mut self, other: Self) {
        self.is_part |= other.is_part;
        self.stored += other.stored;
        self.known += other.known;
        self.refused += other.refused;
        self.problems.extend(other.problems);
        self.problems.sort_by_key(|refusal| refusal.line);
        self.problems.truncate(REFUSALS_LIMIT);
    }

    /// Whether every line was stored, known or refused.
    pub fn is_whole(&self) -> bool {
        !self.is_part
    }

    /// Whether anything is stored of it.
    pub fn holds_any(&self) -> bool {
        self.stored + self.known > 0
    }

    /// What lines came to whose shard did not say what became of them.
    pub fn unanswered(lines: &str, problem: &Problem) -> Self {
        let mut unanswered = Self { is_part: true, ..Self::default() };
        let lines = lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        lines.for_each(|(at, _)| unanswered.refuse(at + 1, problem.clone()));
        unanswered
    }

    /// Counts a line that was refused, and says why if there is room.
    pub fn refuse(&mut self, line: usize, problem: Problem) {
        self.refused += 1;
        if self.problems.len() < REFUSALS_LIMIT {
            self.problems.push(Refusal { line, problem });
        }
    }
}
