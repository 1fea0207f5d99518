//! When, where, to whom and how often a survey is asked. The engine checks, stores and serves this;
//! it is acted on in the page.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::page::PageRule;

/// What has to happen for a survey to be shown; any one of a definition's triggers will do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Trigger {
    /// So many milliseconds after the page was ready: at most an hour.
    Delay(u32),
    /// So many milliseconds during which the page was in view: at most an hour.
    TimeOnPage(u32),
    /// So many percent of the page scrolled: 1 to 100.
    ScrollDepth(u8),
    /// The pointer leaves for the address bar.
    ExitIntent,
    /// A fast scroll up, on touch screens.
    FastScrollUp,
    /// The page tells an event.
    Event {
        /// Its name.
        name: String,
        /// Properties that it must have.
        #[serde(default)]
        properties: BTreeMap<String, String>,
    },
    /// An element that a CSS selector finds is clicked.
    Click(String),
    /// Only when the page asks for it.
    Manual,
}

/// Whom to ask, where. What is not said does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Targeting {
    /// Pages on one of which it is asked; on all if there are none.
    pub include: Vec<PageRule>,
    /// Pages on which it is not asked all the same.
    pub exclude: Vec<PageRule>,
    /// Kinds of device; any if there are none.
    pub devices: Vec<Device>,
    /// Languages of the browser, as BCP 47 tags; any if there are none.
    pub languages: Vec<String>,
    /// Traits that a respondent must have.
    pub traits: BTreeMap<String, String>,
    /// Only visitors who come for the first time, or only those who come back.
    pub visitors: Option<Visitors>,
    /// Only from this visit on, counted from 1.
    pub min_visits: Option<u32>,
    /// What the referrer must contain.
    pub referrer: Option<String>,
    /// UTM parameters that the address must carry, such as `utm_source`.
    pub utm: BTreeMap<String, String>,
    /// The share of visitors who are asked, in percent: 1 to 100. A visitor stays in or out.
    pub sample_percent: Option<u8>,
}

/// Kinds of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// A desktop or laptop.
    Desktop,
    /// A tablet.
    Tablet,
    /// A phone.
    Phone,
}

/// Visitors by whether they were here before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visitors {
    /// For the first time.
    New,
    /// Again.
    Returning,
}

impl Device {
    /// The name that summaries and the store use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Tablet => "tablet",
            Self::Phone => "phone",
        }
    }
}

/// How often one visitor is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Frequency {
    /// Once, whatever came of it.
    #[default]
    Once,
    /// Until there is an answer.
    UntilAnswered,
    /// Again after so many days: 1 to 3,650.
    EveryDays(u16),
}
