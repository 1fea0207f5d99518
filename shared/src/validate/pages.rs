//! The checks of rules about pages: they must match in linear time, and match something.

use super::address::{From, can_match};
use super::checks::{invalid, plain};
use super::regex::{ANY, Node, Pattern, Set, check_regex, set_of};
use crate::definition::page::{PageRule, is_path, spelled};
use crate::problem::{Code, Problem};

/// The longest rule, in characters.
const RULE_LIMIT: usize = 300;

/// Checks a rule of a survey's targeting.
pub(super) fn check_rule(path: &str, rule: &PageRule) -> Result<(), Problem> {
    plain(path, rule.pattern(), RULE_LIMIT)?;
    check_matches(path, rule, true)
}

/// Checks a rule of a group of pages, which is compared with addresses without their query.
pub(super) fn check_group_rule(path: &str, rule: &PageRule) -> Result<(), Problem> {
    plain(path, rule.pattern(), RULE_LIMIT)?;
    if let PageRule::Regex(_) = rule {
        return invalid(path, "a group accepts only exact, prefix, contains and glob");
    }
    check_matches(path, rule, false)
}

fn check_matches(path: &str, rule: &PageRule, with_query: bool) -> Result<(), Problem> {
    let matches = match rule {
        PageRule::Regex(pattern) => {
            let Pattern { anchored, nodes } = check_regex(path, pattern)?;
            if anchored && is_path(rule) != begins_with_slash(&nodes) {
                let detail =
                    "the pattern can begin with a slash and with something else: write two rules";
                return invalid(path, detail);
            }
            can_match(&nodes, from(rule, anchored), with_query)
        }
        _ => is_address(rule, with_query),
    };
    if matches {
        return Ok(());
    }
    let detail = "the rule matches no address that a page can have";
    let problem = Problem::new(Code::InvalidDefinition, detail).at(path);
    Err(problem.limit(match as_browsers_write(rule, with_query) {
        Some(rule) => format!("as browsers write it: {rule}"),
        None => "a path that begins with /, or an address as browsers write it: \
                 https://shop.example/, with a host in small letters of ASCII and a slash after it"
            .to_owned(),
    }))
}

/// Whether a page can have an address that a rule matches; the rule is not a regular expression.
fn is_address(rule: &PageRule, with_query: bool) -> bool {
    let anchored = !matches!(rule, PageRule::Contains(_));
    can_match(&nodes_of(rule), from(rule, anchored), with_query)
}

/// Returns the position from which a rule is compared.
fn from(rule: &PageRule, anchored: bool) -> From {
    match (anchored, is_path(rule)) {
        (false, _) => From::Anywhere,
        (true, true) => From::Path,
        (true, false) => From::Address,
    }
}

/// Whether a sequence of nodes begins with a slash in every case.
fn begins_with_slash(nodes: &[Node]) -> bool {
    match nodes.first() {
        Some(Node::Chars { set, least, .. }) => *set == set_of('/') && *least > 0,
        Some(Node::Choice { of, optional: false }) => {
            of.iter().all(|nodes| begins_with_slash(nodes))
        }
        _ => false,
    }
}

/// Returns what a rule matches, as the parts of a pattern.
fn nodes_of(rule: &PageRule) -> Vec<Node> {
    let pattern = rule.pattern();
    let has_query = pattern.contains(['?', '#']);
    let except = |signs: &str| signs.chars().fold(ANY, |set, c| set & !set_of(c));
    let mut nodes = Vec::new();
    match rule {
        PageRule::Glob(text) => {
            let within = except(if has_query { "/" } else { "/?#" });
            let any = except(if has_query { "" } else { "?#" });
            for (at, stretch) in text.split("**").enumerate() {
                if at > 0 {
                    nodes.push(Node::many(any));
                }
                for (at, text) in stretch.split('*').enumerate() {
                    if at > 0 {
                        nodes.push(Node::many(within));
                    }
                    literal(&mut nodes, text);
                }
            }
        }
        _ => literal(&mut nodes, pattern),
    }
    if let PageRule::Exact(_) | PageRule::Glob(_) = rule {
        let more: Set = set_of('?') | set_of('#');
        let end = vec![Node::End];
        let of = if has_query { vec![end] } else { vec![vec![Node::one(more)], end] };
        nodes.push(Node::Choice { of, optional: false });
    }
    nodes
}

fn literal(nodes: &mut Vec<Node>, text: &str) {
    nodes.extend(spelled(text).chars().map(|c| Node::one(set_of(c))));
}

/// Returns the rule that the owner probably meant, if it matches something.
fn as_browsers_write(rule: &PageRule, with_query: bool) -> Option<String> {
    let text = rule.pattern().trim();
    let with_scheme = |text: &str| {
        let has_scheme = text.contains("://") || text.starts_with(['/', '*']);
        if has_scheme { text.to_owned() } else { format!("https://{text}") }
    };
    let text = with_scheme(text);
    let meant = match text.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
            let (scheme, host) = (scheme.to_lowercase(), host.to_lowercase());
            let implied = if scheme == "https" { ":443" } else { ":80" };
            let host = host.strip_suffix(implied).unwrap_or(&host);
            let slash = if path.starts_with('/') { "" } else { "/" };
            format!("{scheme}://{host}{slash}{path}")
        }
        None => text,
    };
    let rule = match rule {
        PageRule::Exact(_) => PageRule::Exact(meant),
        PageRule::Prefix(_) => PageRule::Prefix(meant),
        PageRule::Contains(_) => PageRule::Contains(meant),
        PageRule::Glob(_) => PageRule::Glob(meant),
        PageRule::Regex(_) => return None,
    };
    is_address(&rule, with_query).then(|| rule.pattern().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(rule: &PageRule) -> Option<String> {
        check_rule("p", rule).err().map(|problem| problem.limit.unwrap_or_default())
    }

    #[test]
    fn a_rule_that_no_address_matches_is_refused_and_what_was_meant_is_told() {
        for (text, meant) in [
            ("https://shop.example", "https://shop.example/"),
            ("https://Shop.Example/Cart", "https://shop.example/Cart"),
            ("https://shop.example:443/cart", "https://shop.example/cart"),
            ("http://shop.example:80/cart", "http://shop.example/cart"),
            ("HTTPS://shop.example/", "https://shop.example/"),
            ("shop.example/cart", "https://shop.example/cart"),
            (" /cart", "/cart"),
            ("https://shop.example?x=1", "https://shop.example/?x=1"),
        ] {
            let limit = Some(format!("as browsers write it: {meant}"));
            assert_eq!(refused(&PageRule::Exact(text.to_owned())), limit, "{text}");
            assert_eq!(refused(&PageRule::Exact(meant.to_owned())), None, "{meant}");
            assert_eq!(refused(&PageRule::Glob(text.to_owned())), limit, "{text}");
        }
        for text in [
            "https://m\u{fc}nchen.example/",
            "https://shop .example/",
            "https://shop.example:0443/",
            "ftp://shop.example/",
            "/a/../b",
            "/a/./b",
            "/a\\b",
            "/{id}",
            "*.shop.example/cart",
        ] {
            assert!(refused(&PageRule::Glob(text.to_owned())).is_some(), "{text}");
        }
        for text in
            ["^shop\\.example/", "^https://Shop", "[A-Z]+\\.shop\\.example/", "^/cart /x", "^[/]x"]
        {
            assert!(refused(&PageRule::Regex(text.to_owned())).is_some(), "{text}");
        }
        // The rule is compared with addresses that have neither.
        for text in ["/cart?x=1", "/cart#x"] {
            assert!(check_group_rule("p", &PageRule::Exact(text.to_owned())).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rule_that_an_address_matches_is_taken() {
        let text = |text: &str| text.to_owned();
        for rule in [
            PageRule::Exact(text("/")),
            PageRule::Exact(text("https://shop.example:8443/cart")),
            PageRule::Exact(text("https://shop.example:44/")),
            PageRule::Exact(text("http://[::1]:8080/")),
            PageRule::Exact(text("/caf\u{e9} au lait")),
            PageRule::Exact(text("/caf%c3%a9")),
            PageRule::Exact(text("/a.b/.c/..d/...")),
            PageRule::Prefix(text("https://shop.")),
            PageRule::Prefix(text("https://shop.example")),
            PageRule::Contains(text("shop.example")),
            PageRule::Contains(text("/Cart")),
            PageRule::Contains(text("?utm_source=")),
            PageRule::Glob(text("https://*.shop.example/**")),
            PageRule::Glob(text("*://*/cart")),
            PageRule::Glob(text("**/cart/*")),
            PageRule::Glob(text("/app/*/cart")),
            PageRule::Glob(text("http*://localhost:*/**")),
            PageRule::Regex(text("^https://[a-z]+\\.shop\\.example/")),
            PageRule::Regex(text("^(?:/de|/en)/")),
            PageRule::Regex(text("\\.html$")),
        ] {
            assert_eq!(check_rule("p", &rule), Ok(()), "{rule:?}");
        }
    }
}
