//! The summary of a choice question.

use serde::{Deserialize, Serialize};

use crate::definition::question::Options;
use crate::display::OTHER_OPTION;
use crate::facts::option_key;
use crate::funnel::FUNNEL;
use crate::statistics::{self, Interval};
use crate::summary::{Funnel, People, Period, Source};
use crate::tally::Counted;

/// A survey's figures for one choice question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChoiceSummary {
    /// The survey's id.
    pub survey: String,
    /// The id of the question.
    pub question: String,
    /// The period that the figures cover.
    pub period: Period,
    /// The source of the figures.
    #[serde(flatten)]
    pub source: Source,
    /// Number of displays that answered.
    pub n: u64,
    /// Whether `n` is below 30, where the intervals say little.
    pub low_n: bool,
    /// Number of different people who are known to have answered.
    #[serde(flatten)]
    pub people: People,
    /// Each option, in the order of the latest version.
    pub options: Vec<OptionCount>,
    /// How far displays came.
    pub funnel: Funnel,
}

/// How often one option was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OptionCount {
    /// The option's id.
    pub option: String,
    /// Number of displays that chose it.
    pub count: u64,
    /// Share of the displays that answered, 0 to 1; `null` without answers. If several options can be chosen,
    /// the shares can add up to more than 1.
    pub share: Option<f64>,
    /// The share's Wilson interval at 95 % confidence; `null` below two answers.
    pub interval: Option<Interval>,
}

/// Computes the summary from the counts of all shards for a period.
pub fn summary(
    (survey, question): (&str, &str),
    options: &Options,
    period: Period,
    source: Source,
    counted: &Counted,
) -> ChoiceSummary {
    let total = counted.total();
    let n = total.question(question).total();
    let offered = options.options.iter().map(|option| option.id.as_str());
    let other = options.other.is_some().then_some(OTHER_OPTION);
    let count = |option: &str| {
        let count = total.question(&option_key(question, option)).total();
        OptionCount {
            option: option.to_owned(),
            count,
            share: (n > 0).then(|| statistics::float(count) / statistics::float(n)),
            interval: statistics::wilson(count, n),
        }
    };
    ChoiceSummary {
        survey: survey.to_owned(),
        question: question.to_owned(),
        period,
        source,
        n,
        low_n: n < statistics::LOW_N,
        people: People::of(counted),
        options: offered.chain(other).map(count).collect(),
        funnel: Funnel::of(&total.question(FUNNEL)),
    }
}
