//! The settings that hold for all surveys of a site.

use serde::{Deserialize, Serialize};

use crate::definition::appearance::Theme;
use crate::definition::text::Text;

/// The settings of a site. They travel as JSON; a field that is not listed here is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The team's name for the site: 1 to 100 characters.
    pub name: String,
    /// The origins whose pages may ask: `https://shop.example`, `https://*.shop.example` for all of
    /// its subdomains, or `*` for any. 1 to 50.
    pub origins: Vec<String>,
    /// The language of new surveys, as a BCP 47 tag.
    #[serde(default = "english")]
    pub language: String,
    /// The IANA time zone whose calendar divides trends.
    #[serde(default = "utc")]
    pub tz: String,
    /// The day on which its weeks begin.
    #[serde(default)]
    pub week_starts: WeekStart,
    /// Which data is collected, and which visitors are asked.
    #[serde(default)]
    pub privacy: Privacy,
    /// Whether traits must come with a token of the site's own server.
    #[serde(default)]
    pub require_identity: bool,
    /// Number of hours for which an identity token is valid after it was made: 1 to 8,784, 24 if left out.
    #[serde(default = "a_day")]
    pub identity_max_hours: u16,
    /// The appearance of its surveys.
    #[serde(default)]
    pub theme: Theme,
    /// The notices beside its surveys.
    #[serde(default)]
    pub notice: Notice,
    /// Number of days for which a visitor who was asked is not asked by another survey: 0 to 3,650, 7 if left
    /// out.
    #[serde(default = "a_week")]
    pub rest_days: u16,
    /// Whether all displays of all surveys are refused, including those that were shown before. Refused
    /// displays are lost.
    #[serde(default)]
    pub refuse: bool,
    /// The limits on what is taken.
    #[serde(default)]
    pub limits: Limits,
}

fn english() -> String {
    "en".to_owned()
}

/// The default rest between surveys, in days.
pub(crate) fn a_week() -> u16 {
    7
}

/// The default validity of tokens, in hours.
pub fn a_day() -> u16 {
    24
}

fn utc() -> String {
    "UTC".to_owned()
}

/// The notices of a site beside its surveys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Notice {
    /// The address of the page that says what is done with answers: `https` or `http`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy_url: Option<String>,
    /// Why visitors are asked: at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Text>,
}

/// The part of a site's settings that its surveys show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Look {
    /// The language of the site's own texts.
    pub language: String,
    /// The appearance of the surveys.
    pub theme: Theme,
    /// The notices beside the surveys.
    pub notice: Notice,
}

impl Settings {
    /// Returns the part of the settings that surveys show.
    pub fn look(&self) -> Look {
        Look {
            language: self.language.clone(),
            theme: self.theme.clone(),
            notice: self.notice.clone(),
        }
    }
}

/// The day on which weeks begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WeekStart {
    /// As in ISO 8601.
    #[default]
    Monday,
    /// As in North America.
    Sunday,
    /// As in much of the Arab world.
    Saturday,
}

/// Which data a site collects with each display, and which visitors it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Privacy {
    /// How much of the page's address is kept.
    pub page: PagePart,
    /// Whether the class of the device is kept.
    pub device: bool,
    /// Whether the country is kept.
    pub country: bool,
    /// Whether visitors are asked whose browser sends Global Privacy Control or Do Not Track. If they are
    /// asked, their displays have no identity, traits and page.
    pub ask_despite_signal: bool,
}

impl Default for Privacy {
    fn default() -> Self {
        Self { page: PagePart::default(), device: true, country: true, ask_despite_signal: true }
    }
}

/// How much of a page's address is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PagePart {
    /// Nothing.
    None,
    /// Without query and fragment.
    #[default]
    Path,
    /// With its query.
    Query,
}

/// The longest address of a page, in characters; the rest is cut off.
const PAGE_LIMIT: usize = 500;

impl PagePart {
    /// Returns the part of an address that is kept; empty if it is not a web address.
    pub fn of(self, address: &str) -> String {
        let ends: &[char] = match self {
            Self::None => return String::new(),
            Self::Path => &['?', '#'],
            Self::Query => &['#'],
        };
        if !address.starts_with("https://") && !address.starts_with("http://") {
            return String::new();
        }
        let kept = address.split(ends).next().unwrap_or_default();
        kept.chars().take(PAGE_LIMIT).collect()
    }
}

/// How much is taken at once, and kept. A refused request was not written, and can be repeated later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests a minute of one visitor's address: 1 to 100,000.
    pub address_per_minute: u32,
    /// Requests a second to one shard of a survey, from everywhere: 1 to 100,000.
    pub shard_per_second: u32,
    /// Requests a minute to one survey, from everywhere: 1 to 10,000,000.
    pub survey_per_minute: u32,
    /// Displays that one survey keeps, answered or not: 1 to 1,000,000,000.
    pub survey_displays: u32,
    /// Megabytes that one survey's displays and counters take: 1 to 10,000.
    pub survey_megabytes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            address_per_minute: 300,
            shard_per_second: 5_000,
            survey_per_minute: 12_000,
            survey_displays: 10_000_000,
            survey_megabytes: 4_000,
        }
    }
}

impl Limits {
    /// Returns one shard's part of a survey's limits: displays are spread evenly over all shards.
    #[must_use]
    pub fn share(self, shards: u16) -> Self {
        let part = |limit: u32| limit.div_ceil(u32::from(shards).max(1));
        Self {
            survey_per_minute: part(self.survey_per_minute),
            survey_displays: part(self.survey_displays),
            survey_megabytes: part(self.survey_megabytes),
            ..self
        }
    }
}

/// Whether a list of origins includes an origin.
pub fn lists(origins: &[String], origin: &str) -> bool {
    origins.iter().any(|listed| match listed.split_once("://*.") {
        Some((scheme, domain)) => origin
            .split_once("://")
            .filter(|(theirs, _)| *theirs == scheme)
            .and_then(|(_, host)| host.strip_suffix(domain))
            .is_some_and(|subdomain| subdomain.len() > 1 && subdomain.ends_with('.')),
        None => listed == "*" || listed == origin,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stands_for_subdomains_and_nothing_else() {
        let listed = ["https://shop.example", "https://*.shop.example", "http://*.test:8080"];
        let listed = listed.map(str::to_owned);
        for origin in [
            "https://shop.example",
            "https://a.shop.example",
            "https://a.b.shop.example",
            "http://x.test:8080",
        ] {
            assert!(lists(&listed, origin), "{origin}");
        }
        for origin in [
            "http://shop.example",
            "http://a.shop.example",
            "https://evilshop.example",
            "https://.shop.example",
            "https://a.shop.example:444",
            "http://x.test",
            "null",
            "",
        ] {
            assert!(!lists(&listed, origin), "{origin}");
        }
        assert!(lists(&["*".to_owned()], "https://any.example"));
    }

    #[test]
    fn a_page_loses_what_the_site_does_not_keep() {
        let address = "https://shop.example/cart?token=secret#pay";
        assert_eq!(PagePart::Path.of(address), "https://shop.example/cart");
        assert_eq!(PagePart::Query.of(address), "https://shop.example/cart?token=secret");
        assert_eq!(PagePart::None.of(address), "");
        assert_eq!(PagePart::Path.of("file:///etc/passwd"), "");
    }
}
