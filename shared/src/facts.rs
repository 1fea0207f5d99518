//! The facts about a display: what summaries count, break down by and filter on.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::dimension::Dimension;
use crate::display::{Answer, Answers, Channel, OTHER_OPTION, Stage};
use crate::funnel::{DISMISSED, FUNNEL, funnel_value};

/// The facts about one display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// When it was shown, in milliseconds since the epoch, by the server's clock.
    pub shown_ms: u64,
    /// How far the visitor came.
    pub stage: Stage,
    /// Whether the visitor closed it.
    pub dismissed: bool,
    /// The context in which it was shown.
    pub context: Context,
    /// The answers. For texts, only their presence counts.
    pub answers: Answers,
    /// The declared traits, with the values under which they count; none once they are forgotten.
    pub traits: BTreeMap<String, String>,
    /// The digest of the respondent's id, if there is one.
    pub respondent: Option<u64>,
}

/// The context of a display, which stays when its respondent is forgotten. An unknown value is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// The version that was shown.
    pub version: u32,
    /// The channel through which it reached the visitor.
    #[serde(default)]
    pub channel: Channel,
    /// The language that was shown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// The variant.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// The class of the device.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub device: String,
    /// The country.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub country: String,
    /// The touchpoint of the version.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub touchpoint: String,
    /// The group of the page.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub page_group: String,
    /// The page's address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub page: String,
}

impl Facts {
    /// Returns each question that this display answers, the funnel first, with the values that it adds to the
    /// question. A chosen option is a question of its own, see [`option_key`].
    pub fn values(&self) -> Vec<(Cow<'_, str>, Vec<u8>)> {
        let mut funnel = vec![funnel_value(self.stage, self.context.channel.tells_seen())];
        if self.dismissed {
            funnel.push(DISMISSED);
        }
        let mut values = vec![(Cow::Borrowed(FUNNEL), funnel)];
        for (question, answer) in &self.answers.0 {
            let value = if let Answer::Score(score) = answer { *score } else { 0 };
            values.push((Cow::Borrowed(question.as_str()), vec![value]));
            if let Answer::Choice(choice) = answer {
                let other = choice.other.is_some().then_some(OTHER_OPTION);
                for option in choice.options.iter().map(String::as_str).chain(other) {
                    values.push((Cow::Owned(option_key(question, option)), vec![0]));
                }
            }
        }
        values
    }

    /// Returns the dimensions under which it is counted: those of which it has a value. The number of displays
    /// without a value is the total minus the others, see [`crate::tally::Counted::add_rest`].
    pub fn dimensions(&self) -> Vec<(Dimension, Cow<'_, str>)> {
        let counted = Dimension::COUNTED.into_iter().filter_map(|dimension| {
            let value = self.dimension(&dimension);
            (dimension == Dimension::All || !value.is_empty()).then_some((dimension, value))
        });
        let traits = self
            .traits
            .iter()
            .map(|(key, value)| (Dimension::Trait(key.clone()), Cow::Borrowed(value.as_str())));
        counted.chain(traits).collect()
    }

    /// Returns the value of a dimension; empty if the display has none, or if it is forgotten.
    pub fn dimension(&self, dimension: &Dimension) -> Cow<'_, str> {
        let context = &self.context;
        Cow::Borrowed(match dimension {
            Dimension::All => "",
            Dimension::Version => return Cow::Owned(context.version.to_string()),
            Dimension::Variant => &context.variant,
            Dimension::Channel => context.channel.name(),
            Dimension::Device => &context.device,
            Dimension::Language => &context.language,
            Dimension::Country => &context.country,
            Dimension::Touchpoint => &context.touchpoint,
            Dimension::PageGroup => &context.page_group,
            Dimension::Trait(key) => self.traits.get(key).map_or("", String::as_str),
        })
    }
}

/// Returns the name under which an option of a choice is counted. No question's id holds a slash.
pub fn option_key(question: &str, option: &str) -> String {
    format!("{question}/{option}")
}
