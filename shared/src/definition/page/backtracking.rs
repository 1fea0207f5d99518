//! A backtracking matcher that works like those of browsers and counts its steps, for the tests, because
//! browsers do not report their steps. It reads only the part of the dialect that rules are made of.

use std::collections::HashMap;
use std::iter::Peekable;
use std::str::Chars;

/// A part of an expression.
enum Part {
    One(Box<dyn Fn(u8) -> bool>),
    Row(Vec<Part>),
    Choice(Vec<Part>),
    Repeated { part: Box<Part>, least: u32, most: u32, lazy: bool },
    Named(String, Box<Part>),
    Ahead { part: Box<Part>, wanted: bool },
    Again(String),
    Start,
    End,
}

/// A parsed expression.
pub(crate) struct Expression(Part);

struct Run<'a> {
    text: &'a [u8],
    steps: u64,
    named: HashMap<&'a str, (usize, usize)>,
}

impl Expression {
    pub(crate) fn read(text: &str) -> Self {
        let mut left = text.chars().peekable();
        let part = choice(&mut left);
        assert_eq!(left.next(), None, "{text}");
        Self(part)
    }

    /// Returns whether the expression is found in a text, and how many steps that took.
    pub(crate) fn test(&self, text: &str) -> (bool, u64) {
        let mut run = Run { text: text.as_bytes(), steps: 0, named: HashMap::new() };
        let found = (0..=text.len()).any(|at| go(&self.0, at, &mut run, &mut |_, _| true));
        (found, run.steps)
    }
}

type Then<'a, 'b> = &'b mut dyn FnMut(&mut Run<'a>, usize) -> bool;

fn go<'a>(part: &'a Part, at: usize, run: &mut Run<'a>, then: Then<'a, '_>) -> bool {
    run.steps += 1;
    match part {
        Part::One(is) => run.text.get(at).is_some_and(|c| is(*c)) && then(run, at + 1),
        Part::Row(parts) => row(parts, at, run, then),
        Part::Choice(parts) => parts.iter().any(|part| go(part, at, run, then)),
        Part::Repeated { part, least, most, lazy } => {
            repeated(part, (*least, *most), *lazy, at, run, then)
        }
        Part::Named(name, part) => go(part, at, run, &mut |run, end| {
            run.named.insert(name, (at, end));
            then(run, end)
        }),
        Part::Ahead { part, wanted } => {
            go(part, at, run, &mut |_, _| true) == *wanted && then(run, at)
        }
        Part::Again(name) => {
            let (from, to) = run.named[name.as_str()];
            run.steps += (to - from) as u64;
            run.text[at..].starts_with(&run.text[from..to]) && then(run, at + to - from)
        }
        Part::Start => at == 0 && then(run, at),
        Part::End => at == run.text.len() && then(run, at),
    }
}

fn row<'a>(parts: &'a [Part], at: usize, run: &mut Run<'a>, then: Then<'a, '_>) -> bool {
    match parts.split_first() {
        None => then(run, at),
        Some((first, rest)) => go(first, at, run, &mut |run, at| row(rest, at, run, then)),
    }
}

fn repeated<'a>(
    part: &'a Part,
    (least, most): (u32, u32),
    lazy: bool,
    at: usize,
    run: &mut Run<'a>,
    then: Then<'a, '_>,
) -> bool {
    if lazy && least == 0 && then(run, at) {
        return true;
    }
    let more = most > 0
        && go(part, at, run, &mut |run, next| {
            let bounds =
                (least.saturating_sub(1), most.saturating_sub(u32::from(most != u32::MAX)));
            next > at && repeated(part, bounds, lazy, next, run, then)
        });
    more || (!lazy && least == 0 && then(run, at))
}

fn choice(left: &mut Peekable<Chars>) -> Part {
    let mut parts = vec![in_row(left)];
    while left.next_if_eq(&'|').is_some() {
        parts.push(in_row(left));
    }
    Part::Choice(parts)
}

fn in_row(left: &mut Peekable<Chars>) -> Part {
    let mut parts = Vec::new();
    while !matches!(left.peek(), None | Some('|' | ')')) {
        let part = one(left);
        let (least, most) = match left.peek() {
            Some('*') => (0, u32::MAX),
            Some('+') => (1, u32::MAX),
            Some('?') => (0, 1),
            Some('{') => {
                left.next();
                let bounds: String = std::iter::from_fn(|| left.next_if(|c| *c != '}')).collect();
                let (least, most) = bounds.split_once(',').unwrap_or((&bounds, &bounds));
                (least.parse().unwrap(), most.parse().unwrap_or(u32::MAX))
            }
            _ => {
                parts.push(part);
                continue;
            }
        };
        left.next();
        let lazy = left.next_if_eq(&'?').is_some();
        parts.push(Part::Repeated { part: Box::new(part), least, most, lazy });
    }
    Part::Row(parts)
}

fn one(left: &mut Peekable<Chars>) -> Part {
    match left.next().unwrap() {
        '^' => Part::Start,
        '$' => Part::End,
        '.' => Part::One(Box::new(|_| true)),
        '(' => {
            let opening: String =
                std::iter::from_fn(|| left.next_if(|c| "?:=!<".contains(*c))).collect();
            let name = (opening == "?<")
                .then(|| std::iter::from_fn(|| left.next_if(|c| *c != '>')).collect::<String>());
            if name.is_some() {
                left.next();
            }
            let part = Box::new(choice(left));
            assert_eq!(left.next(), Some(')'));
            match (opening.as_str(), name) {
                (_, Some(name)) => Part::Named(name, part),
                ("?=", _) => Part::Ahead { part, wanted: true },
                ("?!", _) => Part::Ahead { part, wanted: false },
                _ => *part,
            }
        }
        '[' => {
            let negated = left.next_if_eq(&'^').is_some();
            let mut members = Vec::new();
            loop {
                let from = match left.next().unwrap() {
                    ']' => break,
                    '\\' => left.next().unwrap(),
                    c => c,
                };
                let to = match left.next_if_eq(&'-') {
                    Some(_) => left.next().unwrap(),
                    None => from,
                };
                members.push(from..=to);
            }
            let holds = move |c: u8| members.iter().any(|member| member.contains(&char::from(c)));
            Part::One(Box::new(move |c| holds(c) != negated))
        }
        '\\' => match left.next().unwrap() {
            'k' => {
                left.next();
                let name = std::iter::from_fn(|| left.next_if(|c| *c != '>')).collect();
                left.next();
                Part::Again(name)
            }
            c => Part::One(Box::new(move |other| char::from(other) == c)),
        },
        c => Part::One(Box::new(move |other| char::from(other) == c)),
    }
}

/// Runs a test with enough stack for as many nested calls as an address has characters.
pub(crate) fn with_room(test: fn()) {
    let run = std::thread::Builder::new().stack_size(1 << 28).spawn(test).unwrap();
    assert!(run.join().is_ok(), "it failed as it says above");
}

/// Pseudo-random numbers that are the same in each run.
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    /// Returns some of these texts, one after the other.
    pub(crate) fn row(&mut self, of: &[&str], most: usize) -> String {
        (0..self.below(most + 1)).map(|_| of[self.below(of.len())]).collect()
    }
}

/// Asserts that an expression takes at most twice the steps for a text that is twice as long, whichever part of
/// the text is repeated.
#[track_caller]
pub(crate) fn expect_linear(expression: &str, pieces: &[&str], draw: &mut Draw) {
    let read = Expression::read(expression);
    for _ in 0..6 {
        let (start, again, end) = (draw.row(pieces, 4), draw.row(pieces, 4), draw.row(pieces, 3));
        let steps = |times: usize| {
            let address = format!("https://h.x/{start}{}{end}", again.repeat(times));
            read.test(&address).1
        };
        let (once, twice) = (steps(60), steps(120));
        assert!(
            twice <= once * 5 / 2 + 40 * expression.len() as u64,
            "{expression}: {once} steps and {twice} for https://h.x/{start}({again})*{end}"
        );
    }
}
