//! Rules about pages, and groups of pages.

#[cfg(test)]
pub(crate) mod backtracking;
mod expression;
mod rule;

pub use expression::expression;
pub(crate) use expression::is_path;
pub use rule::PageRule;
pub(crate) use rule::spelled;

use serde::{Deserialize, Serialize};

/// Pages that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PageGroup {
    /// Its name, which summaries show.
    pub name: String,
    /// The rules of the group: a page belongs to it if one of them matches. A rule is compared with the address
    /// without its query, and a rule that begins with a slash with the path. Regular expressions are not
    /// allowed here.
    pub pages: Vec<PageRule>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_matches_the_path_or_the_whole_address() {
        let address = "https://shop.example/cart/42";
        let text = |text: &str| text.to_owned();
        for (rule, matches) in [
            (PageRule::Exact(text("/cart/42")), true),
            (PageRule::Exact(text("/cart")), false),
            (PageRule::Prefix(text("/cart")), true),
            (PageRule::Prefix(text("https://shop.")), true),
            (PageRule::Contains(text("cart")), true),
            (PageRule::Glob(text("/cart/*")), true),
            (PageRule::Glob(text("/*")), false),
            (PageRule::Glob(text("/**")), true),
            (PageRule::Glob(text("https://*.example/**/42")), true),
            (PageRule::Glob(text("/c*t/4*")), true),
            (PageRule::Glob(text("/c*t")), false),
            (PageRule::Regex(text(".*")), false),
        ] {
            assert_eq!(rule.matches(address), matches, "{rule:?}");
        }
        assert!(PageRule::Exact(text("/")).matches("https://shop.example"));
    }
}
