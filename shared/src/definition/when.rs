//! When, where, to whom and how often a survey is asked. The engine checks, stores and serves this;
//! it is acted on in the page.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::page::PageRule;

/// What has to happen for a survey to be shown; any one of a definition's triggers will do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
        /// What its properties must be.
        #[serde(default)]
        properties: BTreeMap<String, Wanted>,
    },
    /// An element that a CSS selector finds is clicked.
    Click(String),
    /// Only when the page asks for it.
    Manual,
}

/// What a property of an event must be. A property that the event does not have is none of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// This, written as a text.
    Is(String),
    /// Anything else.
    IsNot(String),
    /// A text with this in it.
    Contains(String),
    /// This number or a higher one.
    AtLeast(i32),
    /// This number or a lower one.
    AtMost(i32),
}

/// What lies between a trigger and the survey. If the visitor leaves the page that was asked for, or
/// one of the events happens, nothing is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Wait {
    /// How many milliseconds: at most an hour.
    #[serde(skip_serializing_if = "is_zero")]
    pub ms: u32,
    /// The names of events that cancel it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cancelled_by: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Whom to ask, where. What is not said does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Frequency {
    /// Once, whatever came of it.
    #[default]
    Once,
    /// Once a day until there is an answer.
    UntilAnswered,
    /// Again after so many days: 1 to 3,650.
    EveryDays(u16),
    /// Again after so many days, by what came of it.
    After(After),
}

/// After how many days a visitor is asked again, each 1 to 3,650; never where there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct After {
    /// After the survey was neither answered nor closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignored: Option<u16>,
    /// After it was closed without an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dismissed: Option<u16>,
    /// After an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<u16>,
}

impl Frequency {
    /// By what came of it.
    pub fn after(self) -> After {
        match self {
            Self::Once => After::default(),
            Self::UntilAnswered => After { ignored: Some(1), dismissed: Some(1), answered: None },
            Self::EveryDays(days) => {
                let days = Some(days);
                After { ignored: days, dismissed: days, answered: days }
            }
            Self::After(after) => after,
        }
    }
}
