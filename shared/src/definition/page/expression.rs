//! Rules about pages as one regular expression, which browsers match in a time that grows with the
//! address's length and no faster, whatever the rules are.
//!
//! Browsers backtrack, so a repetition is written in one of three ways. What follows it is not of what it
//! repeats: then it can end in one place only. Or nothing that follows can fail. Or it takes the first
//! place where it fits and never looks back, which JavaScript lets a look-ahead with a back reference say.
//! The first place is the right one: a star takes all that lies between it and a later one.
//!
//! `*` stops at slashes and `**` does not. So what lies between two `**` is looked for part by part, a part
//! being what lies between two slashes: each star within looks no further than its own part.

use super::rule::{PageRule, spelled};

/// One regular expression, in the dialect of browsers, for all addresses that one of the rules to
/// include matches (all addresses, if there are none) and none of those to exclude; `None` where no
/// rule says anything.
///
/// It is matched with the whole address. A rule that begins with a slash says what comes after the
/// host, and any other says how the address begins, or what it is; the query and the fragment belong to
/// it only where the rule has a `?` or a `#`.
pub fn expression(include: &[PageRule], exclude: &[PageRule]) -> Option<String> {
    let mut writer = Writer::default();
    writer.push("^");
    if !exclude.is_empty() {
        writer.push("(?!");
        writer.one_of(exclude);
        writer.push(")");
    }
    if !include.is_empty() {
        writer.push("(?:");
        writer.one_of(include);
        writer.push(")");
    }
    (writer.text != "^").then_some(writer.text)
}

/// Whether a rule is compared with what comes after the host: it begins with a slash, however that is
/// written in a regular expression, and be it in a group.
pub(crate) fn is_path(rule: &PageRule) -> bool {
    match rule {
        PageRule::Regex(text) => text
            .strip_prefix('^')
            .is_some_and(|rest| rest.trim_start_matches(['(', '?', ':', '\\']).starts_with('/')),
        _ => rule.pattern().starts_with('/'),
    }
}

/// An expression in the making.
#[derive(Default)]
struct Writer {
    text: String,
    /// How many groups have names.
    named: usize,
}

/// What the stars of a rule stand for.
struct Stars {
    /// A character that `*` takes.
    within: &'static str,
    /// A character that `**` takes.
    any: &'static str,
    /// Where an address ends, as far as the rule looks at it.
    end: &'static str,
}

impl Stars {
    fn of(pattern: &str) -> Self {
        if pattern.contains(['?', '#']) {
            Self { within: "[^/]", any: ".", end: "$" }
        } else {
            // The query is none of the rule's business.
            Self { within: "[^/?#]", any: "[^?#]", end: "(?:[?#]|$)" }
        }
    }
}

impl Writer {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Writes what stands for itself.
    fn literal(&mut self, text: &str) {
        let spelled = spelled(text);
        let mut escape = 0;
        for c in spelled.chars() {
            if c.is_ascii_uppercase() && c.is_ascii_hexdigit() && escape > 0 {
                // Pages write the digits of `%C3` in either case.
                self.push(&format!("[{c}{}]", c.to_ascii_lowercase()));
            } else {
                if "\\^$.*+?()[]{}|".contains(c) {
                    self.push("\\");
                }
                self.text.push(c);
            }
            escape = if c == '%' { 2_u8 } else { escape.saturating_sub(1) };
        }
    }

    /// Writes what is matched in the first way that fits, or not at all.
    fn atomic(&mut self, write: impl FnOnce(&mut Self)) {
        let name = format!("p{}", self.named);
        self.named += 1;
        self.push(&format!("(?=(?<{name}>"));
        write(self);
        self.push(&format!("))\\k<{name}>"));
    }

    fn one_of(&mut self, rules: &[PageRule]) {
        for (at, rule) in rules.iter().enumerate() {
            if at > 0 {
                self.push("|");
            }
            self.rule(rule);
        }
    }

    /// Writes one rule, to be matched from the address's beginning.
    fn rule(&mut self, rule: &PageRule) {
        let pattern = rule.pattern();
        let stars = Stars::of(pattern);
        let is_path = is_path(rule);
        if let (true, PageRule::Contains(_)) = (is_path, rule) {
            // The host has no slash, so what begins with one lies behind it.
            self.push("[^/]*//");
        } else if is_path {
            self.push("[^/]*//[^/?#]*");
        }
        match rule {
            PageRule::Exact(text) => {
                self.literal(text);
                self.push(stars.end);
            }
            PageRule::Prefix(text) => self.literal(text),
            PageRule::Contains(text) => {
                self.push(stars.any);
                self.push("*");
                self.literal(text);
            }
            PageRule::Glob(text) => self.glob(text, &stars),
            PageRule::Regex(text) => match text.strip_prefix('^') {
                // What it was anchored to is matched already.
                Some(rest) => self.push(&format!("(?:{rest})")),
                None => self.push(&format!(".*?(?:{text})")),
            },
        }
    }

    fn glob(&mut self, text: &str, stars: &Stars) {
        let mut stretches = text.split("**").enumerate().peekable();
        while let Some((at, stretch)) = stretches.next() {
            let is_end = stretches.peek().is_none();
            // After it `**` takes whatever is left.
            let is_last = text.split("**").skip(at + 1).all(str::is_empty);
            if at == 0 {
                self.parts(stretch, stars, true, is_end);
            } else if !stretch.is_empty() {
                let write = |writer: &mut Self| {
                    if stretch.contains('*') {
                        writer.push(&format!("(?:{}*/)*?", stars.within));
                        writer.parts(stretch, stars, false, is_end);
                    } else {
                        writer.push(&format!("{}*{}", stars.any, if is_last { "" } else { "?" }));
                        writer.literal(stretch);
                    }
                };
                if is_last { write(self) } else { self.atomic(write) }
            }
            if is_end && (at == 0 || !stretch.is_empty()) {
                self.push(stars.end);
            }
        }
    }

    /// Writes what has no `**`, part by part. `from_start` says that it begins where it is matched and not
    /// somewhere within the part, and `to_end` that the address ends after it.
    fn parts(&mut self, stretch: &str, stars: &Stars, from_start: bool, to_end: bool) {
        let mut parts = stretch.split('/').enumerate().peekable();
        while let Some((at, part)) = parts.next() {
            let is_last = parts.peek().is_none();
            self.part(part, stars, from_start || at > 0, to_end || !is_last);
            if !is_last {
                self.push("/");
            }
        }
    }

    /// Writes what has no slash. `to_end` says that the part ends after it.
    fn part(&mut self, part: &str, stars: &Stars, from_start: bool, to_end: bool) {
        let mut texts = part.split('*').enumerate().peekable();
        while let Some((at, text)) = texts.next() {
            if at == 0 && from_start {
                self.literal(text);
            } else if to_end && texts.peek().is_none() {
                self.push(&format!("{}*", stars.within));
                self.literal(text);
            } else if !text.is_empty() {
                self.atomic(|writer| {
                    writer.push(&format!("{}*?", stars.within));
                    writer.literal(text);
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::backtracking::{Draw, Expression, expect_linear, with_room};
    use super::*;

    const PIECES: [&str; 6] = ["a", "b", "ab", "/", "a/", "%C3"];

    fn glob(draw: &mut Draw) -> PageRule {
        let start = ["/", "/", "/", "https://h.x/", "**", "*://*/"];
        let rest = draw.row(&["a", "b", "ab", "/", "*", "*", "**", "%c3"], 9);
        PageRule::Glob(format!("{}{rest}", start[draw.below(start.len())]))
    }

    fn written(include: &[PageRule], exclude: &[PageRule]) -> String {
        expression(include, exclude).unwrap()
    }

    #[test]
    fn what_browsers_match_is_what_the_server_matches() {
        with_room(compare_with_the_server);
    }

    fn compare_with_the_server() {
        let mut draw = Draw::new(1);
        for round in 0..6_000 {
            let text = draw.row(&PIECES, 4);
            let rule = match round % 8 {
                0 => PageRule::Exact(format!("/{text}")),
                1 => PageRule::Prefix(format!("/{text}")),
                2 => PageRule::Contains(format!("/{text}")),
                3 => PageRule::Contains(format!("a{text}")),
                _ => glob(&mut draw),
            };
            let address = format!("https://h.x/{}", draw.row(&PIECES, 8));
            let read = Expression::read(&written(std::slice::from_ref(&rule), &[]));
            let wanted = rule.matches(&address);
            assert_eq!(read.test(&address).0, wanted, "{rule:?} {address}");
            // Whatever the case of its digits, and whatever follows it.
            for other in
                [address.replace("C3", "c3"), format!("{address}?a/b"), format!("{address}#/")]
            {
                assert_eq!(read.test(&other).0, wanted, "{rule:?} {other}");
            }
            let excluded = Expression::read(&written(&[], &[rule]));
            assert_eq!(excluded.test(&address).0, !wanted);
        }
    }

    #[test]
    fn no_rules_take_more_than_linear_time() {
        with_room(count_the_steps);
    }

    fn count_the_steps() {
        let mut draw = Draw::new(2);
        for _ in 0..250 {
            let (one, other) = (glob(&mut draw), glob(&mut draw));
            expect_linear(&written(&[one], &[other]), &PIECES, &mut draw);
        }
        let stars = PageRule::Glob(format!("/{}x", "*a".repeat(40)));
        let rules = [
            stars,
            PageRule::Glob(format!("/{}x", "**a*b".repeat(20))),
            PageRule::Glob("/**a*b/*a*b/*a**b*a/x?".to_owned()),
            PageRule::Contains("/a".to_owned()),
        ];
        for rule in rules {
            expect_linear(&written(&[rule], &[]), &PIECES, &mut draw);
        }
    }

    #[test]
    fn what_most_owners_write_stays_short() {
        for (rule, expected) in [
            (PageRule::Exact("/cart".to_owned()), "^(?:[^/]*//[^/?#]*/cart(?:[?#]|$))"),
            (PageRule::Glob("/cart/*".to_owned()), "^(?:[^/]*//[^/?#]*/cart/[^/?#]*(?:[?#]|$))"),
            (PageRule::Glob("/docs/**".to_owned()), "^(?:[^/]*//[^/?#]*/docs/)"),
            (PageRule::Glob("/**/cart".to_owned()), "^(?:[^/]*//[^/?#]*/[^?#]*/cart(?:[?#]|$))"),
            (
                PageRule::Glob("https://*.shop.example/**".to_owned()),
                "^(?:https://[^/?#]*\\.shop\\.example/)",
            ),
            (PageRule::Regex("^(/a|/b)".to_owned()), "^(?:[^/]*//[^/?#]*(?:(/a|/b)))"),
        ] {
            assert_eq!(written(&[rule], &[]), expected);
        }
    }
}
