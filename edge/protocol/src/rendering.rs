//! How a shard writes the responses of its displays, in JSON or as lines of CSV. The Worker only has to put
//! these texts in order.

use asklet_shared::definition::question::AnswerKind;
use asklet_shared::display::Answer;
use serde::{Deserialize, Serialize};

use crate::csv::Columns;
use crate::failure::Failure;
use crate::json;
use crate::plan::Plan;
use crate::responses::{Removed, Response, ResponseChange};

/// What a shard does not know about the responses that it writes, and the format in which it writes them.
#[derive(Debug, Clone, Serialize, Deserialize, Default)]
pub struct Rendering {
    survey: String,
    /// The number of the shard.
    pub shard: u16,
    /// The question whose category is written, and its scale.
    question: String,
    kind: Option<AnswerKind>,
    /// The columns of a line of CSV; `None` for JSON.
    pub columns: Option<Columns>,
}

impl Rendering {
    /// Describes how a shard of a survey writes its responses.
    pub fn of(plan: &Plan, shard: u16, question: Option<String>, columns: Option<Columns>) -> Self {
        let question = question.unwrap_or_else(|| plan.definition.primary.clone());
        let kind = plan.question(&question).map(|question| question.answer.clone());
        let kind = kind.filter(|kind| matches!(kind, AnswerKind::Rating(_)));
        Self { survey: plan.survey.to_string(), shard, question, kind, columns }
    }

    /// Writes a response.
    pub fn response(&self, response: Response) -> Result<String, Failure> {
        let response = self.complete(response);
        match &self.columns {
            Some(columns) => columns.line(&response),
            None => json::line(&response),
        }
    }

    /// Writes a change.
    pub fn change(&self, change: ResponseChange) -> Result<String, Failure> {
        match change {
            ResponseChange::Removed(gone) => json::line(&Removed { shard: self.shard, ..gone }),
            ResponseChange::Response(response) => json::line(&self.complete(*response)),
        }
    }

    fn complete(&self, mut response: Response) -> Response {
        response.survey.clone_from(&self.survey);
        response.shard = self.shard;
        response.category = match (&self.kind, response.answers.get(&self.question)) {
            (Some(kind), Some(Answer::Score(score))) => kind.category(*score),
            _ => None,
        };
        response
    }
}
