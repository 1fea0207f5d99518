//! When, where, to whom and how often a survey is asked. The engine checks, stores and serves these rules; the
//! page applies them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::page::PageRule;

/// A trigger of a survey; any one of a definition's triggers shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Trigger {
    /// This number of milliseconds after the page was ready: at most an hour.
    Delay(u32),
    /// This number of milliseconds during which the page was in view: at most an hour.
    TimeOnPage(u32),
    /// This percentage of the page was scrolled: 1 to 100.
    ScrollDepth(u8),
    /// The pointer leaves the page towards the address bar.
    ExitIntent,
    /// A fast scroll up, on touch screens.
    FastScrollUp,
    /// The page sends an event.
    Event {
        /// Its name.
        name: String,
        /// What its properties must be.
        #[serde(default)]
        properties: BTreeMap<String, Wanted>,
    },
    /// The visitor clicks an element that a CSS selector finds.
    Click(String),
    /// Only a command of the page shows the survey.
    Manual,
}

/// The expected value of a property of an event. An event without the property does not match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// This value, written as a text.
    Is(String),
    /// Any other value.
    IsNot(String),
    /// A text that contains this one.
    Contains(String),
    /// This number or a higher one.
    AtLeast(i32),
    /// This number or a lower one.
    AtMost(i32),
}

/// The wait between a trigger and the survey. If the visitor leaves the pages of the audience, or one of the
/// events happens, nothing is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Wait {
    /// Number of milliseconds: at most an hour.
    #[serde(skip_serializing_if = "is_zero")]
    pub ms: u32,
    /// The names of events that cancel the survey.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cancelled_by: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Which visitors to ask, and on which pages. An absent field makes no restriction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Targeting {
    /// Pages on which it is asked; on all pages if there are none.
    pub include: Vec<PageRule>,
    /// Pages on which it is not asked, even if `include` matches.
    pub exclude: Vec<PageRule>,
    /// Kinds of device; any if there are none.
    pub devices: Vec<Device>,
    /// Languages of the browser, as BCP 47 tags; any if there are none.
    pub languages: Vec<String>,
    /// Traits that a respondent must have.
    pub traits: BTreeMap<String, String>,
    /// Only visitors who come for the first time, or only those who come back.
    pub visitors: Option<Visitors>,
    /// The visit from which on a visitor is asked, counted from 1.
    pub min_visits: Option<u32>,
    /// Text that the referrer must contain.
    pub referrer: Option<String>,
    /// UTM parameters that the address must carry, such as `utm_source`.
    pub utm: BTreeMap<String, String>,
    /// Share of visitors who are asked, in percent: 1 to 100. A visitor stays in or out.
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

/// Visitors, by whether they were here before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Visitors {
    /// They are here for the first time.
    New,
    /// They were here before.
    Returning,
}

impl Device {
    /// Returns the name that summaries and the store use.
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
    /// Once, however the showing ended.
    #[default]
    Once,
    /// Once a day until there is an answer.
    UntilAnswered,
    /// Again after this number of days: 1 to 3,650.
    EveryDays(u16),
    /// Again after a number of days that depends on how the last showing ended.
    After(After),
}

/// After how many days a visitor is asked again, each 1 to 3,650; never for an absent field.
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
    /// After it was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<u16>,
}

impl Frequency {
    /// Returns the days for each way in which a showing can end.
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
