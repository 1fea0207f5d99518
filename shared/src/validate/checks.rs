//! Checks that several rules share.

use crate::definition::language::is_language;
use crate::definition::text::Text;
use crate::problem::{Code, Problem};

pub const DAYS_LIMIT: u16 = 3_650;
/// Number of languages in which a text can be at most.
const LANGUAGES_LIMIT: usize = 100;

pub fn check_text(path: &str, text: &Text, own: &str, limit: usize) -> Result<(), Problem> {
    count(path, text.languages().count(), 0, LANGUAGES_LIMIT)?;
    for tag in text.languages() {
        if !is_language(tag) {
            return invalid(path, "a language is not a BCP 47 tag such as de or de-AT");
        }
    }
    if text.in_language(own, own).is_empty() {
        return invalid(path, "the text is missing in the survey's own language");
    }
    for (tag, wording) in text.wordings() {
        plain(&format!("{path}{tag}"), wording, limit)?;
    }
    Ok(())
}

/// The schemes of links: the web, a mail or a telephone. Anything else could run a script.
pub const LINK_SCHEMES: [&str; 4] = ["https", "http", "mailto", "tel"];

/// Refuses a link with another scheme, or with control characters, which browsers skip when they look for a
/// scheme.
pub fn check_link(path: &str, url: &str, schemes: &[&str]) -> Result<(), Problem> {
    plain(path, url, 500)?;
    if is_link(url, schemes) {
        return Ok(());
    }
    Err(Problem::new(Code::InvalidDefinition, "the link has a scheme that is not allowed")
        .at(path)
        .limit(schemes.join(", ")))
}

/// Whether a link may lead to an address.
pub fn is_safe_link(address: &str) -> bool {
    is_link(address, &LINK_SCHEMES)
}

fn is_link(address: &str, schemes: &[&str]) -> bool {
    let scheme = address.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|theirs| schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case(theirs)))
        && !address.chars().any(char::is_control)
}

pub fn plain(path: &str, text: &str, limit: usize) -> Result<(), Problem> {
    let characters = text.chars().count();
    if text.trim().is_empty() || characters > limit {
        let detail = format!("the text has {characters} characters");
        return Err(Problem::new(Code::InvalidDefinition, detail)
            .at(path)
            .limit(format!("1 to {limit} characters")));
    }
    Ok(())
}

pub fn count(path: &str, count: usize, least: usize, most: usize) -> Result<(), Problem> {
    range(path, count, least, most)
}

pub fn range<T: PartialOrd + std::fmt::Display>(
    path: &str,
    value: T,
    least: T,
    most: T,
) -> Result<(), Problem> {
    if least <= value && value <= most {
        return Ok(());
    }
    Err(Problem::new(Code::InvalidDefinition, format!("{value} is out of range"))
        .at(path)
        .limit(format!("{least} to {most}")))
}

pub fn invalid(path: &str, detail: &'static str) -> Result<(), Problem> {
    Err(Problem::new(Code::InvalidDefinition, detail).at(path))
}
