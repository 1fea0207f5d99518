//! The filter that a team sends, and the displays that match it.

use asklet_protocol::failure::Failure;
use asklet_protocol::find::DisplayFilter;
use asklet_protocol::plan::Plan;
use asklet_protocol::respondent::{RESPONDENT_LIMIT, is_respondent};
use asklet_shared::definition::question::AnswerKind;
use asklet_shared::metrics::Category;
use asklet_shared::period::{self, Moment, rfc3339};
use asklet_shared::problem::Problem;
use asklet_store::shard::find::Plain;
use serde::{Deserialize, Serialize};

use crate::http::problems;
use crate::platform::zone::Zone;
use crate::service::summary;

/// The longest text that can be searched for, in characters.
const TEXT_LIMIT: usize = 200;

/// The responses that a team asks for: the body of `POST …/responses/query`, or the parameters of an address,
/// which never contain a respondent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ResponseFilter {
    /// The question to which scores and categories refer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    category: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score_from: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score_to: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_comment: Option<bool>,
    /// Filters, each written as a dimension, a colon and a value.
    #[serde(rename = "where", skip_serializing_if = "Vec::is_empty")]
    filters: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// The respondent whose displays are meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub respondent: Option<String>,
    /// Whether displays without an answer are included.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unanswered: bool,
    /// Only displays that the team excluded, or only others; both if it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excluded: Option<bool>,
    /// The number of responses on a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Where the page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl ResponseFilter {
    /// Returns the filter for all displays of a respondent, answered or not.
    pub fn everything_of(respondent: String) -> Self {
        Self { respondent: Some(respondent), unanswered: true, ..Self::default() }
    }

    /// Reads the parameters of an address, except those that `other` takes.
    pub fn parse(
        parameters: Vec<(String, String)>,
        other: &mut dyn FnMut(&str, &str) -> Result<bool, Problem>,
    ) -> Result<Self, Problem> {
        let mut filter = Self::default();
        for (name, value) in parameters {
            if other(&name, &value)? {
                continue;
            }
            match name.as_str() {
                "question" => filter.question = Some(value),
                "category" => filter.category.push(value),
                "score_from" => filter.score_from = Some(number(&name, &value)?),
                "score_to" => filter.score_to = Some(number(&name, &value)?),
                "has_comment" => filter.has_comment = Some(truth(&name, &value)?),
                "where" => filter.filters.push(value),
                "from" => filter.from = Some(value),
                "to" => filter.to = Some(value),
                "received_from" => filter.received_from = Some(value),
                "received_to" => filter.received_to = Some(value),
                "text" => filter.text = Some(value),
                "excluded" => filter.excluded = Some(truth(&name, &value)?),
                "unanswered" => filter.unanswered = truth(&name, &value)?,
                "limit" => filter.limit = Some(number(&name, &value)?),
                "cursor" => filter.cursor = Some(value),
                _ => return Err(problems::unknown_parameter(&name)),
            }
        }
        Ok(filter)
    }

    /// Replaces dates with the times at which they begin in a zone. Shards do not know zones.
    pub fn in_zone(mut self, tz: &str) -> Result<Self, Failure> {
        for (field, time) in [
            ("from", &mut self.from),
            ("to", &mut self.to),
            ("received_from", &mut self.received_from),
            ("received_to", &mut self.received_to),
        ] {
            let Some(text) = time else { continue };
            let moment = Moment::parse(field, text)?;
            if let Moment::Day(_) = moment {
                let zone = Zone::named(tz)?;
                *text = rfc3339(moment.ms(field, &|utc_ms| zone.offset_ms(utc_ms))?);
            }
        }
        Ok(self)
    }

    /// Returns the filter for the shards. It may name anything that any version of the survey asked.
    pub fn find(self, plan: &Plan, plain: Plain<'_>) -> Result<DisplayFilter, Problem> {
        let mut find = DisplayFilter::all();
        if let Some(from) = &self.from {
            find.from_ms = period::parse_instant("from", from)?;
        }
        if let Some(to) = &self.to {
            find.to_ms = period::parse_instant("to", to)?;
        }
        if let Some(from) = &self.received_from {
            find.received_from_ms = period::parse_instant("received_from", from)?;
        }
        if let Some(to) = &self.received_to {
            find.received_to_ms = period::parse_instant("received_to", to)?;
        }
        find.filters = summary::filters(self.filters.iter().map(String::as_str))?;
        summary::check_traits(plan, find.filters.keys().map(|filter| ("where", filter)))?;
        find.has_comment = self.has_comment;
        find.unanswered = self.unanswered;
        find.excluded = self.excluded;
        if let Some(text) = self.text {
            let length = text.chars().count();
            let text = plain(&text);
            // An accent alone would be found in every text.
            if text.trim().is_empty() || length > TEXT_LIMIT {
                return Err(problems::invalid_parameter(
                    "text",
                    format!("1 to {TEXT_LIMIT} characters"),
                ));
            }
            find.text = Some(text);
        }
        find.respondent = self.respondent.map(check_respondent).transpose()?;
        let question = self.question.as_ref().unwrap_or(&plan.definition.primary).clone();
        let Some(kind) = plan.question(&question).map(|question| &question.answer) else {
            return Err(problems::invalid_parameter(
                "question",
                "the id of a question of the survey",
            ));
        };
        if !self.category.is_empty() || self.score_from.is_some() || self.score_to.is_some() {
            let AnswerKind::Rating(rating) = kind else {
                return Err(problems::invalid_parameter("question", "the id of a rating"));
            };
            let names = rating.scale.categories().map(Category::name);
            if self.category.iter().any(|wanted| !names.contains(&wanted.as_str())) {
                return Err(problems::invalid_parameter("category", names.join(", ")));
            }
            let (low, high) = rating.scale.range();
            let is_wanted = |score: &u8| {
                let category = kind.category(*score).map(Category::name);
                self.score_from.is_none_or(|from| from <= *score)
                    && self.score_to.is_none_or(|to| *score <= to)
                    && (self.category.is_empty()
                        || self.category.iter().any(|wanted| category == Some(wanted)))
            };
            find.scores = Some((question.clone(), (low..=high).filter(is_wanted).collect()));
        }
        find.question = self.question;
        Ok(find)
    }

    /// Refuses parameters that only paged routes take.
    pub fn whole(self) -> Result<Self, Problem> {
        for (name, is_asked) in [("limit", self.limit.is_some()), ("cursor", self.cursor.is_some())]
        {
            if is_asked {
                return Err(problems::unknown_parameter(name));
            }
        }
        Ok(self)
    }

    /// Returns the filter without the respondent and the text that someone wrote.
    #[must_use]
    pub fn impersonal(&self) -> Self {
        let hidden = |text: &Option<String>| text.as_ref().map(|_| "…".to_owned());
        let (respondent, text) = (hidden(&self.respondent), hidden(&self.text));
        Self { respondent, text, ..self.clone() }
    }

    /// Whether the filter leaves out anything.
    pub fn has_filter(&self) -> bool {
        let Self { category, filters, cursor, text, .. } = self;
        let received = [&self.received_from, &self.received_to];
        let texts = [&self.from, &self.to, text, cursor];
        !category.is_empty()
            || self.unanswered
            || self.excluded.is_some()
            || !filters.is_empty()
            || self.score_from.is_some()
            || self.score_to.is_some()
            || self.has_comment.is_some()
            || texts.into_iter().chain(received).any(Option::is_some)
    }
}

/// Parses a parameter that is true or false.
pub fn truth(name: &str, value: &str) -> Result<bool, Problem> {
    value.parse().map_err(|_| problems::invalid_parameter(name, "true or false"))
}

/// Parses a parameter that is a number.
pub fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, Problem> {
    value.parse().map_err(|_| problems::invalid_parameter(name, "a whole number"))
}

/// Refuses a text that cannot be a respondent's id.
pub fn check_respondent(respondent: String) -> Result<String, Problem> {
    if !is_respondent(&respondent) {
        return Err(problems::invalid_parameter(
            "respondent",
            format!("1 to {RESPONDENT_LIMIT} characters"),
        ));
    }
    Ok(respondent)
}
