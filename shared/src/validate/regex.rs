//! Regular expressions that a page runs: none that could stall it.

use super::definition::invalid;
use crate::problem::Problem;

/// Refuses what backtracking engines can be stalled by: a group that repeats and holds a repetition
/// or an alternative, and backreferences. Look-around is refused as well.
pub(super) fn check_regex(path: &str, pattern: &str) -> Result<(), Problem> {
    let problem = |detail: &'static str| invalid(path, detail);
    // For each open group: whether it holds something that repeats or chooses.
    let mut groups = vec![false];
    let mut in_class = false;
    let mut closed_group_repeats = false;
    let mut chars = pattern.chars().peekable();
    let mut is_first = true;
    while let Some(c) = chars.next() {
        let was_first = std::mem::take(&mut is_first);
        let after_group = std::mem::take(&mut closed_group_repeats);
        match c {
            '\\' => match chars.next() {
                None => return problem("the pattern ends with a backslash"),
                Some('k' | '1'..='9') => return problem("the pattern has a backreference"),
                Some(_) => {}
            },
            ']' if in_class => in_class = false,
            _ if in_class => {}
            '[' => in_class = true,
            '(' => {
                if chars.next_if_eq(&'?').is_some() && chars.next_if_eq(&':').is_none() {
                    return problem("the pattern has a group that is not (…) or (?:…)");
                }
                groups.push(false);
            }
            ')' => {
                let (Some(repeats), Some(outer)) = (groups.pop(), groups.last_mut()) else {
                    return problem("the pattern closes a group that is not open");
                };
                *outer |= repeats;
                closed_group_repeats = repeats;
            }
            '*' | '+' | '{' => {
                if after_group {
                    return problem("the pattern repeats a group that repeats or chooses itself");
                }
                if let Some(group) = groups.last_mut() {
                    *group = true;
                }
            }
            // What stands before it would have to be nothing, and `^a|b` reads as if it held for both.
            '^' if !was_first => return problem("the pattern has a ^ that is not its beginning"),
            '|' if groups.len() == 1 && pattern.starts_with('^') => {
                return problem("the pattern has a choice after its ^: write ^(?:…|…)");
            }
            '|' => {
                if let Some(group) = groups.last_mut() {
                    *group = true;
                }
            }
            _ => {}
        }
    }
    if in_class || groups.len() != 1 {
        return problem("the pattern leaves a group or a class open");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_could_stall_a_page_is_refused_and_others_are_not() {
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
        ] {
            assert!(check_regex("p", pattern).is_err(), "{pattern}");
        }
        for pattern in [
            "^/cart/[0-9]+$",
            "(?:shop|store)/item",
            r"\.html?$",
            "^(/a|/b)",
            "[^/]+",
            "a|b",
            r"\^",
            "[(+)]+",
            "(abc)+",
            r"\(a+\)",
        ] {
            assert_eq!(check_regex("p", pattern), Ok(()), "{pattern}");
        }
    }
}
