//! The addresses that pages can have, as browsers write them: no capital letter in the host, no default port, a
//! slash after the host, no character that would be percent-encoded, no `.` and no `..` between slashes. A rule
//! that matches none of them is a mistake.

use std::sync::LazyLock;

use super::regex::{Node, Set};

/// A position in an address, as a state of a state machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// After this many letters of `http`.
    Scheme(u8),
    /// After `http`, or `https`.
    Secure(bool),
    /// After the colon and this many of the two slashes.
    Slashes(bool, u8),
    /// In the host.
    Host(bool),
    /// In the brackets of an IPv6 address.
    Brackets(bool),
    /// After those brackets.
    Bracketed(bool),
    /// In the port, after digits that make this number: 0 if there is no digit yet, and [`OTHER`] if it can no
    /// longer become a default port.
    Port(bool, u16),
    /// After a slash of the path, and this many dots.
    Dots(u8),
    /// Anywhere else in the path.
    Path,
    Query,
    Fragment,
}

/// Represents all ports other than 80, 443 and their beginnings.
const OTHER: u16 = 9;

use At::{Bracketed, Brackets, Dots, Fragment, Host, Path, Port, Query, Scheme, Secure, Slashes};

impl At {
    /// Returns the position after one more character; `None` if no address continues like that.
    fn after(self, c: u8) -> Option<Self> {
        let is_name = c.is_ascii_lowercase() || c.is_ascii_digit() || b"-._~".contains(&c);
        let at = match (self, c) {
            (Scheme(read), _) => match (b"http".get(usize::from(read))? == &c, read) {
                (true, 3) => Secure(false),
                (true, _) => Scheme(read + 1),
                (false, _) => return None,
            },
            (Secure(false), b's') => Secure(true),
            (Secure(secure), b':') => Slashes(secure, 0),
            (Slashes(secure, read @ 0..=1), b'/') => Slashes(secure, read + 1),
            (Slashes(secure, 2), b'[') => Brackets(secure),
            (Slashes(secure, 2) | Host(secure), _) if is_name => Host(secure),
            (Brackets(secure), b']') => Bracketed(secure),
            (Brackets(_), b':' | b'.' | b'0'..=b'9' | b'a'..=b'f') => self,
            (Host(secure) | Bracketed(secure), b':') => Port(secure, 0),
            (Port(_, 0), b'0') | (Port(_, 0) | Port(true, 443) | Port(false, 80), b'/') => {
                return None;
            }
            (Port(secure, read), b'0'..=b'9') => {
                let number = read.saturating_mul(10).saturating_add(u16::from(c - b'0'));
                let is_open = read != OTHER && [4, 44, 443, 8, 80].contains(&number);
                Port(secure, if is_open { number } else { OTHER })
            }
            (Host(_) | Bracketed(_) | Port(..), b'/') => Dots(0),
            (Dots(1 | 2), b'/' | b'?' | b'#') => return None,
            (Dots(_) | Path, b'?') => Query,
            (Dots(_) | Path | Query, b'#') => Fragment,
            (Dots(0) | Path, b'/') => Dots(0),
            (Dots(dots @ 0..=1), b'.') => Dots(dots + 1),
            (Dots(_) | Path, _) if is_kept(c, b"\"<>`{}\\") => Path,
            (Query, _) if is_kept(c, b"\"<>'") => Query,
            (Fragment, _) if is_kept(c, b"\"<>`") => Fragment,
            _ => return None,
        };
        Some(at)
    }

    fn is_end(self) -> bool {
        matches!(self, Dots(0) | Path | Query | Fragment)
    }
}

/// Whether a character is written as it is, and is not percent-encoded.
fn is_kept(c: u8, encoded: &[u8]) -> bool {
    c.is_ascii_graphic() && !encoded.contains(&c)
}

/// All positions in an address. Each has the sets of characters that lead on from it, and the positions to
/// which they lead.
struct Map {
    places: Vec<At>,
    ways: Vec<Vec<(Set, Places)>>,
}

/// Several positions of the map, a bit for each by its order there.
type Places = u64;

static MAP: LazyLock<Map> = LazyLock::new(|| {
    let mut map = Map { places: vec![Scheme(0), Host(true)], ways: Vec::new() };
    while let Some(at) = map.places.get(map.ways.len()).copied() {
        let mut ways: Vec<(Set, Places)> = Vec::new();
        for c in 0..128_u8 {
            let Some(next) = at.after(c) else { continue };
            if !map.places.contains(&next) {
                map.places.push(next);
            }
            let next = map.places_where(|place| place == next);
            match ways.iter_mut().find(|(_, known)| *known == next) {
                Some((set, _)) => *set |= 1 << c,
                None => ways.push((1 << c, next)),
            }
        }
        map.ways.push(ways);
    }
    map
});

impl Map {
    fn places_where(&self, test: impl Fn(At) -> bool) -> Places {
        let places = self.places.iter().enumerate().filter(|(_, at)| test(**at));
        places.fold(0, |all, (number, _)| all | 1 << number)
    }
}

/// The position from which a rule is compared.
#[derive(Debug, Clone, Copy)]
pub(super) enum From {
    /// The beginning of the address.
    Address,
    /// The position after the host.
    Path,
    /// Any position.
    Anywhere,
}

/// Whether any address matches a sequence of nodes. For page groups the query is ignored.
pub(super) fn can_match(nodes: &[Node], from: From, with_query: bool) -> bool {
    let rule =
        Rule { allowed: MAP.places_where(|at| with_query || !matches!(at, Query | Fragment)) };
    let at = |start| MAP.places_where(|at| at == start);
    let start = match from {
        From::Address => at(Scheme(0)),
        // After any host, so that the next character is the first of the path.
        From::Path => at(Host(true)),
        From::Anywhere => rule.many(at(Scheme(0)), !0),
    };
    rule.reached(nodes, start) != 0
}

/// A rule, with the positions of the map that it may use.
struct Rule {
    allowed: Places,
}

impl Rule {
    /// Returns the positions that are possible after a sequence of nodes.
    fn reached(&self, nodes: &[Node], start: Places) -> Places {
        nodes.iter().fold(start, |places, node| match node {
            Node::End => places & MAP.places_where(At::is_end),
            Node::Chars { set, least, most } => {
                let places = (0..*least).fold(places, |places, _| self.step(places, *set));
                match most {
                    None => self.many(places, *set),
                    Some(most) => {
                        (*least..*most).fold(places, |places, _| places | self.step(places, *set))
                    }
                }
            }
            Node::Choice { of, optional } => {
                let none = if *optional { places } else { 0 };
                of.iter().fold(none, |all, nodes| all | self.reached(nodes, places))
            }
        })
    }

    /// Returns the positions that are possible after one more character.
    fn step(&self, places: Places, set: Set) -> Places {
        let mut next = 0;
        for (_, ways) in MAP.ways.iter().enumerate().filter(|(at, _)| places >> at & 1 == 1) {
            for (_, to) in ways.iter().filter(|(chars, _)| chars & set != 0) {
                next |= to;
            }
        }
        next & self.allowed
    }

    /// Returns the positions that are possible after any number of further characters.
    fn many(&self, places: Places, set: Set) -> Places {
        let mut all = places;
        loop {
            let more = all | self.step(all, set);
            if more == all {
                return all;
            }
            all = more;
        }
    }
}
