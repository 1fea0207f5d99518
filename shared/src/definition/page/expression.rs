//! Rules about pages as one regular expression, which browsers match in a time that grows linearly with the
//! length of the address, whatever the rules are.
//!
//! Browsers backtrack, so every repetition is written in one of three ways:
//!
//! - What follows the repetition is not one of the characters that it repeats, so it can end in one place only.
//! - Nothing that follows the repetition can fail.
//! - The repetition takes the first place where it fits and never backtracks, which JavaScript can express by a
//!   look-ahead with a back reference. The first place is always enough: the star that follows it matches all
//!   text between the first place and a later one.
//!
//! `*` stops at slashes and `**` does not. So the text between two `**` is searched part by part, where a part
//! is the text between two slashes: each star within a part looks no further than that part.

use super::rule::{PageRule, spelled};

/// Writes one regular expression, in the dialect of browsers, that matches all addresses that one of the rules
/// to include matches (all addresses, if there are none) and none of the rules to exclude; `None` if there are
/// no rules.
///
/// Browsers match it with the whole address. A rule that begins with a slash is compared with what comes after
/// the host; any other rule with the beginning of the address, or with all of it. The query and the fragment
/// are compared only if the rule has a `?` or a `#`.
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

/// Whether a rule is compared with what comes after the host: it begins with a slash, in any spelling of a
/// regular expression, even within a group.
pub(crate) fn is_path(rule: &PageRule) -> bool {
    match rule {
        PageRule::Regex(text) => text
            .strip_prefix('^')
            .is_some_and(|rest| rest.trim_start_matches(['(', '?', ':', '\\']).starts_with('/')),
        _ => rule.pattern().starts_with('/'),
    }
}

/// An expression while it is written.
#[derive(Default)]
struct Writer {
    text: String,
    /// Number of named groups.
    named: usize,
}

/// What the stars of a rule stand for.
struct Stars {
    /// The class of a character that `*` matches.
    within: &'static str,
    /// The class of a character that `**` matches.
    any: &'static str,
    /// The end of an address, as far as the rule compares it.
    end: &'static str,
}

impl Stars {
    fn of(pattern: &str) -> Self {
        if pattern.contains(['?', '#']) {
            Self { within: "[^/]", any: ".", end: "$" }
        } else {
            // The rule does not compare the query.
            Self { within: "[^/?#]", any: "[^?#]", end: "(?:[?#]|$)" }
        }
    }
}

impl Writer {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Writes a text that matches literally.
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

    /// Writes a part that matches in the first way that fits, or not at all.
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

    /// Writes one rule, to be matched from the beginning of the address.
    fn rule(&mut self, rule: &PageRule) {
        let pattern = rule.pattern();
        let stars = Stars::of(pattern);
        let is_path = is_path(rule);
        if let (true, PageRule::Contains(_)) = (is_path, rule) {
            // The host has no slash, so the first slash comes after it.
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
                // The text to which it was anchored is matched already.
                Some(rest) => self.push(&format!("(?:{rest})")),
                None => self.push(&format!(".*?(?:{text})")),
            },
        }
    }

    fn glob(&mut self, text: &str, stars: &Stars) {
        let mut stretches = text.split("**").enumerate().peekable();
        while let Some((at, stretch)) = stretches.next() {
            let is_end = stretches.peek().is_none();
            // The last `**` matches everything that is left.
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

    /// Writes a text without `**`, part by part. `from_start` says that the text begins exactly where matching
    /// begins, and not somewhere later within the part. `to_end` says that the address ends after it.
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

    /// Writes a text without a slash. `to_end` says that the part ends after it.
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
            // In either case of its digits, and whatever follows it.
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
