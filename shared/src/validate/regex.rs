//! Regular expressions that a page runs: only of a class that a backtracking engine matches in linear time.
//!
//! An expression costs more than linear time if a repetition without a limit can end in several places, and
//! each of these leads to another long search. So every such repetition must end in one place only: what
//! follows it must not be one of the characters that it repeats. One repetition is exempt; in a pattern without
//! `^` that is the implicit one before the beginning. After the exempt one, every other repetition must also
//! begin in one place only: what comes before it must not be one of the characters that it repeats either. Then
//! the same repetition never searches a part of an address twice. Choices multiply the attempts, but
//! independently of the length; their number is counted and limited.

use super::checks::invalid;
use crate::problem::{Code, Problem};

/// Number of ways in which a pattern may be gone through from one position of an address.
const WAYS_LIMIT: u32 = 64;

/// The highest number of repetitions that a pattern may name.
const COUNT_LIMIT: u32 = 100;

/// A set of characters of an address, which are all ASCII: a bit for each.
pub(super) type Set = u128;

/// Any character.
pub(super) const ANY: Set = !0;

/// A part of a pattern.
#[derive(Debug)]
pub(super) enum Node {
    /// One of these characters, this many times; without a limit if there is no `most`.
    Chars { set: Set, least: u32, most: Option<u32> },
    /// One of these sequences, or nothing if it is optional.
    Choice { of: Vec<Vec<Node>>, optional: bool },
    /// The end of the address.
    End,
}

impl Node {
    /// Makes a node of one character.
    pub(super) fn one(set: Set) -> Self {
        Self::Chars { set, least: 1, most: Some(1) }
    }

    /// Makes a node of any number of characters.
    pub(super) fn many(set: Set) -> Self {
        Self::Chars { set, least: 0, most: None }
    }
}

/// Returns the set of one character; it is empty for a character outside ASCII, which no address holds.
pub(super) fn set_of(c: char) -> Set {
    if c.is_ascii() { 1 << u32::from(c) } else { 0 }
}

/// A pattern after reading.
#[derive(Debug)]
pub(super) struct Pattern {
    /// Whether it begins with `^`.
    pub(super) anchored: bool,
    /// The nodes after the `^`.
    pub(super) nodes: Vec<Node>,
}

/// Refuses a pattern that is not of the class.
pub(super) fn check_regex(path: &str, pattern: &str) -> Result<Pattern, Problem> {
    let refused = |detail: &'static str| match invalid(path, detail) {
        Err(problem) => problem,
        Ok(()) => Problem::new(Code::InvalidDefinition, detail),
    };
    let read = read(pattern).map_err(refused)?;
    let start = Before { last: if read.anchored { 0 } else { ANY }, open: !read.anchored };
    let (_, ways) = check(&read.nodes, start, Follow::END).map_err(refused)?;
    if ways > WAYS_LIMIT {
        return Err(refused("the pattern can be gone through in too many ways")
            .limit(format!("{WAYS_LIMIT} ways")));
    }
    Ok(read)
}

/// What can follow a part.
#[derive(Clone, Copy)]
struct Follow {
    /// The characters with which the following parts can begin.
    first: Set,
    /// Whether the following parts can be empty, so that the pattern is matched.
    done: bool,
}

impl Follow {
    const END: Self = Self { first: 0, done: true };
}

/// What comes before a part.
#[derive(Clone, Copy)]
struct Before {
    /// The characters with which the earlier parts can end.
    last: Set,
    /// Whether the earlier parts have a repetition that can end anywhere.
    open: bool,
}

/// Checks a sequence of nodes, from its beginning. Returns what comes before the node that follows it, and the
/// number of ways in which the sequence can be gone through.
fn check(nodes: &[Node], before: Before, after: Follow) -> Result<(Before, u32), &'static str> {
    let mut before = before;
    let mut ways = 1_u32;
    for (at, node) in nodes.iter().enumerate() {
        let follow = first_of(nodes.get(at + 1..).unwrap_or_default(), after);
        match node {
            Node::End => before.last = 0,
            Node::Chars { set, least, most } => {
                let ends_once = follow.done || follow.first & set == 0;
                match most {
                    None if follow.done => {}
                    None if ends_once => {
                        if before.open && before.last & set != 0 {
                            return Err("what stands before a repetition without a limit may be \
                                 of what it repeats, after one that can end anywhere or without a ^");
                        }
                    }
                    None if before.open => {
                        return Err("what follows a repetition without a limit may be of what it \
                             repeats, for the second time or without a ^");
                    }
                    None => before.open = true,
                    Some(most) if !ends_once => {
                        ways = ways.saturating_mul((most - least).saturating_add(1));
                    }
                    Some(_) => {}
                }
                before.last = if *least == 0 { before.last | set } else { *set };
            }
            Node::Choice { of, optional } => {
                let mut ended = Before { last: if *optional { before.last } else { 0 }, ..before };
                let mut each = Vec::with_capacity(of.len());
                for nodes in of {
                    let (end, ways) = check(nodes, before, follow)?;
                    ended.last |= end.last;
                    ended.open |= end.open;
                    each.push(ways);
                }
                let mut within = if are_exclusive(of) {
                    each.iter().copied().max().unwrap_or(1)
                } else {
                    each.iter().copied().fold(0, u32::saturating_add)
                };
                let taken = of.iter().map(|nodes| first_of(nodes, follow).first);
                if *optional && !follow.done && taken.fold(0, |a, b| a | b) & follow.first != 0 {
                    within = within.saturating_add(1);
                }
                ways = ways.saturating_mul(within);
                before = ended;
            }
        }
    }
    Ok((before, ways))
}

/// Returns what a sequence of nodes, and the parts that come after it, can begin with.
fn first_of(nodes: &[Node], after: Follow) -> Follow {
    nodes.iter().rfold(after, |after, node| match node {
        Node::End => Follow { first: 0, done: false },
        Node::Chars { set, least: 0, .. } => Follow { first: after.first | set, ..after },
        Node::Chars { set, .. } => Follow { first: *set, done: false },
        Node::Choice { of, optional } => {
            let none = Follow { first: 0, done: false };
            let start = if *optional { after } else { none };
            of.iter().fold(start, |all, nodes| {
                let one = first_of(nodes, after);
                Follow { first: all.first | one.first, done: all.done || one.done }
            })
        }
    })
}

/// Whether no two alternatives match at the same place: at some position of their beginnings, one accepts none
/// of the characters that the other accepts there.
fn are_exclusive(of: &[Vec<Node>]) -> bool {
    let beginnings: Vec<Vec<Set>> = of.iter().map(|nodes| beginning(nodes)).collect();
    beginnings.iter().enumerate().all(|(at, one)| {
        let others = beginnings.iter().skip(at + 1);
        others.into_iter().all(|other| one.iter().zip(other).any(|(a, b)| a & b == 0))
    })
}

/// Returns the characters at each of the first positions that the nodes always match.
fn beginning(nodes: &[Node]) -> Vec<Set> {
    let mut sets = Vec::new();
    for node in nodes {
        let Node::Chars { set, least, most } = node else { break };
        sets.extend((0..*least).map(|_| *set));
        if Some(*least) != *most {
            break;
        }
    }
    sets
}

/// Reads a pattern in the dialect of browsers, as far as the class allows.
fn read(pattern: &str) -> Result<Pattern, &'static str> {
    let (anchored, rest) = match pattern.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    let mut reader = Reader { left: rest.chars().peekable(), depth: 0 };
    let mut of = reader.alternatives()?;
    if reader.left.next().is_some() {
        return Err("the pattern closes a group that is not open");
    }
    if anchored && of.len() > 1 {
        // A reader would believe that it applies to all alternatives.
        return Err("the pattern has a choice after its ^: write ^(?:…|…)");
    }
    let nodes = match (of.pop(), of.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            of.extend(last);
            vec![Node::Choice { of, optional: false }]
        }
    };
    Ok(Pattern { anchored, nodes })
}

struct Reader<'a> {
    left: std::iter::Peekable<std::str::Chars<'a>>,
    depth: u32,
}

impl Reader<'_> {
    fn alternatives(&mut self) -> Result<Vec<Vec<Node>>, &'static str> {
        let mut of = vec![Vec::new()];
        loop {
            match self.left.peek() {
                None | Some(')') => return Ok(of),
                Some('|') => {
                    self.left.next();
                    of.push(Vec::new());
                }
                Some(_) => {
                    let node = self.node()?;
                    if let (Some(nodes), Some(node)) = (of.last_mut(), node) {
                        nodes.push(node);
                    }
                }
            }
        }
    }

    /// Reads the next part; `None` if it is only an assertion about a position where any character may be.
    fn node(&mut self) -> Result<Option<Node>, &'static str> {
        let set = match self.left.next() {
            Some('(') => return self.group().map(Some),
            Some('$') => return self.unrepeated(Some(Node::End)),
            Some('\\') => match self.left.next() {
                // A word boundary only narrows what is matched.
                Some('b' | 'B') => return self.unrepeated(None),
                Some(c) => self.escaped(c)?,
                None => return Err("the pattern ends with a backslash"),
            },
            Some('[') => self.class()?,
            Some('.') => ANY,
            Some('^') => return Err("the pattern has a ^ that is not its beginning"),
            Some('*' | '+' | '?' | '{' | '}') => {
                return Err(
                    "the pattern repeats nothing: before *, +, ?, { and } that stand for themselves goes a backslash",
                );
            }
            Some(c) => set_of(c),
            None => 0,
        };
        let (least, most) = self.count()?.unwrap_or((1, Some(1)));
        Ok(Some(Node::Chars { set, least, most }))
    }

    fn unrepeated(&mut self, node: Option<Node>) -> Result<Option<Node>, &'static str> {
        match self.count()? {
            Some(_) => Err("the pattern repeats what takes no character"),
            None => Ok(node),
        }
    }

    fn group(&mut self) -> Result<Node, &'static str> {
        if self.left.next_if_eq(&'?').is_some() && self.left.next_if_eq(&':').is_none() {
            return Err("the pattern has a group that is not (…) or (?:…)");
        }
        self.depth += 1;
        if self.depth > 20 {
            return Err("the pattern nests more than 20 groups");
        }
        let of = self.alternatives()?;
        self.depth -= 1;
        if self.left.next().is_none() {
            return Err("the pattern leaves a group or a class open");
        }
        match self.count()? {
            None => Ok(Node::Choice { of, optional: false }),
            Some((0, Some(1))) => Ok(Node::Choice { of, optional: true }),
            Some(_) => {
                Err("the pattern repeats a group: only a character or a class can be repeated")
            }
        }
    }

    /// Reads how often the part before is repeated.
    fn count(&mut self) -> Result<Option<(u32, Option<u32>)>, &'static str> {
        let count = match self.left.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                self.left.next();
                let least = self.number()?;
                let most = match self.left.next_if_eq(&',') {
                    None => Some(least),
                    Some(_) if self.left.peek() == Some(&'}') => None,
                    Some(_) => Some(self.number()?),
                };
                if self.left.peek() != Some(&'}') || most.is_some_and(|most| most < least) {
                    return Err(COUNTS);
                }
                (least, most)
            }
            _ => return Ok(None),
        };
        self.left.next();
        // It does not matter whether the repetition tries the lowest number first.
        self.left.next_if_eq(&'?');
        Ok(Some(count))
    }

    fn number(&mut self) -> Result<u32, &'static str> {
        let mut digits = String::new();
        while let Some(digit) = self.left.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        digits.parse().ok().filter(|number| *number <= COUNT_LIMIT).ok_or(COUNTS)
    }

    fn class(&mut self) -> Result<Set, &'static str> {
        let negated = self.left.next_if_eq(&'^').is_some();
        let mut set = 0;
        loop {
            let Some(from) = self.class_item()? else {
                return Ok(if negated { !set } else { set });
            };
            let is_range = self.left.peek() == Some(&'-');
            if is_range {
                self.left.next();
                match self.class_item()? {
                    // A hyphen at the end is a literal hyphen.
                    None => {
                        set |= from | set_of('-');
                        return Ok(if negated { !set } else { set });
                    }
                    Some(to) => set |= range(from, to)?,
                }
            } else {
                set |= from;
            }
        }
    }

    /// Reads the next item of a class; `None` at its end.
    fn class_item(&mut self) -> Result<Option<Set>, &'static str> {
        match self.left.next() {
            None => Err("the pattern leaves a group or a class open"),
            Some(']') => Ok(None),
            Some('\\') => match self.left.next() {
                Some(c) => self.escaped(c).map(Some),
                None => Err("the pattern ends with a backslash"),
            },
            Some(c) => Ok(Some(set_of(c))),
        }
    }

    /// Returns the characters that a backslash and a character stand for.
    fn escaped(&mut self, c: char) -> Result<Set, &'static str> {
        let all = |test: fn(char) -> bool| {
            (0..128_u8).map(char::from).filter(|c| test(*c)).fold(0, |set, c| set | set_of(c))
        };
        let digits = all(|c| c.is_ascii_digit());
        let word = all(|c| c.is_ascii_alphanumeric() || c == '_');
        let space = all(|c| c.is_ascii_whitespace() || c == '\u{b}');
        match c {
            'd' => Ok(digits),
            'D' => Ok(!digits),
            'w' => Ok(word),
            'W' => Ok(!word),
            's' => Ok(space),
            'S' => Ok(!space),
            'k' | '1'..='9' => Err("the pattern has a backreference"),
            c if c.is_ascii_alphanumeric() => {
                Err("the pattern has an escape other than \\d, \\w, \\s, \\b and those of signs")
            }
            c => Ok(set_of(c)),
        }
    }
}

const COUNTS: &str =
    "the pattern has a { that is not a number of repetitions up to 100, such as {2,5}";

/// Returns all characters from one to another.
fn range(from: Set, to: Set) -> Result<Set, &'static str> {
    if from.count_ones() != 1 || to.count_ones() != 1 || to < from {
        return Err("a class has a range that is not of two signs of ASCII in their order");
    }
    // All bits up to the higher one, without those below the lower one.
    Ok((to | (to - 1)) & !(from - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::page::backtracking::{Draw, expect_linear, with_room};
    use crate::definition::page::{PageRule, expression};

    #[test]
    fn a_pattern_that_could_stall_a_page_is_refused() {
        for pattern in [
            "(a+)+",
            "(a|b)*",
            "(?:x{2})+",
            "a(b(c*))+d",
            r"(a)\1",
            "(?=a)",
            "(",
            ")",
            "[a",
            "a\\",
            "^/a|/b",
            "a^",
            // Each repetition can end wherever the next one begins.
            "^/a*a*a*a*a*a*a*a*b",
            "^/.*a.*b",
            "^/.*/x/.*/y$",
            // From each position a long search begins.
            r"\d+x",
            "item[a-z]*/x",
            "utm_source=[^&]*&",
            "a+b",
            "/.+/.+/x",
            // Two to the power of the number of choices: many ways.
            "^/(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)b",
            "^/a?a?a?a?a?a?a?aaaaaaab",
            "^/a{1,100}a{1,100}b",
            "a{1,1000}",
            "a{2",
            "*a",
            r"\x41",
            "^/[z-a]",
        ] {
            assert!(check_regex("p", pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn what_is_taken_never_needs_more_than_linear_time() {
        with_room(count_the_steps);
    }

    fn count_the_steps() {
        let pieces = [
            "a", "b", "/", "ab", "[ab]", "[^/]", ".", "*", "+", "?", "{1,3}", "(?:", "(", ")", "|",
            "$",
        ];
        let mut draw = Draw::new(3);
        let mut taken = 0;
        for round in 0..12_000 {
            let start = ["", "^/", "^/"][round % 3];
            let pattern = format!("{start}{}", draw.row(&pieces, 10));
            if check_regex("p", &pattern).is_ok() {
                taken += 1;
                let rule = PageRule::Regex(pattern);
                let written = expression(&[rule], &[]).unwrap();
                expect_linear(&written, &["a", "b", "/", "ab", "a/"], &mut draw);
            }
        }
        assert!(taken > 500, "{taken}");
    }

    #[test]
    fn what_owners_write_is_taken() {
        for pattern in [
            "^/cart/[0-9]+$",
            "(?:shop|store)/item",
            r"\.html?$",
            "^(/a|/b)",
            "[^/]+",
            "a|b",
            r"\^",
            "[(+)]+",
            r"\(a+\)",
            r"^/products/\d+/reviews/[^/]+$",
            r"/products/\d+/reviews",
            "products/[^/]+/reviews",
            "^/(de|en)(/|$)",
            "^/(en|en-us)/checkout",
            "^/shop/.*/item",
            "^/shop/.*/item/[^/]+$",
            "^/shop/.*",
            "^https://[a-z]+\\.shop\\.example/",
            "[?&]utm_source=[^&]+",
            "^/a.*b",
            r"\bcart\b",
            "^/[\\w-]+/?$",
            "^/(?:[a-z]{2}/)?cart",
        ] {
            assert!(
                check_regex("p", pattern).is_ok(),
                "{pattern}: {:?}",
                check_regex("p", pattern)
            );
        }
    }
}
