//! The body of a survey: what the widget needs to show it in one language, and nothing else.
//!
//! Everything that can be decided from the definition alone is decided before the body is made: conditions
//! become sets of values, a theme becomes a style sheet, and only one language travels. So the widget carries
//! no rules of metrics and no texts of its own. A body travels as postcard behind one byte that names the wire
//! format. Its address holds a digest of those bytes, so a body never changes and may be cached forever.

mod languages;
mod make;
pub mod strings;
mod style;
pub mod words;

use serde::{Deserialize, Serialize};
use strings::Strings;

use crate::display::{Answer, Answers};

/// The wire format that this release writes and reads: the first byte of a body.
pub const WIRE_FORMAT: u8 = 2;

/// Everything that the widget and the hosted page show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// The language of the texts, as a BCP 47 tag.
    pub language: String,
    /// Whether that language is written from right to left.
    pub right_to_left: bool,
    /// The questions, in order.
    pub questions: Vec<Question>,
    /// The place of the question whose score chooses the thanks.
    pub primary: u8,
    /// The texts for the end: the first whose scores hold the primary score is shown, or otherwise the last.
    pub thanks: Vec<Thanks>,
    /// Whether the visitor may put the survey off.
    pub later: bool,
    /// The address of the page on which the site says what it does with answers; empty if there is none.
    pub privacy_url: String,
    /// Why the visitor is asked; empty if the site does not say.
    pub why: String,
    /// The rules that differ from the common style sheet: the theme and the position.
    pub style: String,
    /// The selector of the page's element that contains the survey; empty if the survey lies above the page.
    pub inline: String,
    /// The widget's own words.
    pub strings: Strings,
}

/// One question as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The key under which the answer is kept.
    pub id: String,
    /// The question itself.
    pub text: String,
    /// How it is answered.
    pub field: Field,
    /// The condition on which the question is asked; `None` if it is always asked.
    pub show_if: Option<Condition>,
}

/// How a question is answered. New kinds are added at the end, so that the numbers of these stay the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Field {
    /// By a score on a scale.
    Rating(Rating),
    /// By a text of at most this many characters, or not at all.
    Text(u16),
}

/// A scale as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// The lowest value.
    pub lowest: u8,
    /// The highest value.
    pub highest: u8,
    /// How the values are shown: a class of the style sheet.
    pub shown_as: String,
    /// The label of the lowest value.
    pub low: String,
    /// The label of the highest value.
    pub high: String,
}

/// A condition on the answer to an earlier question. It is not met as long as that question is not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The place of the earlier question.
    pub question: u8,
    /// The values, one of which the answer must be.
    pub any_of: Values,
}

/// A set of values that an answer can have: scores, or the places of options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Values(pub u32);

/// The text at the end of a survey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thanks {
    /// The primary scores for which it is shown.
    pub scores: Values,
    /// The text.
    pub text: String,
    /// The address of a link below the text; empty if there is none.
    pub url: String,
    /// The text of the link.
    pub link: String,
}

/// Why bytes are not a body that this release can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// The first byte names another wire format, or there are no bytes.
    WireFormat,
    /// The bytes after the first do not decode.
    Malformed,
}

impl Values {
    /// Returns the set of the values for which a test returns true.
    pub fn that(test: impl Fn(u8) -> bool) -> Self {
        Self((0..32).filter(|value| test(*value)).fold(0, |set, value| set | 1 << value))
    }

    /// Whether the set holds a value.
    pub fn holds(self, value: u8) -> bool {
        value < 32 && self.0 >> value & 1 == 1
    }
}

impl Body {
    /// Returns the score of the question at a place, if it has one.
    pub fn score(&self, answers: &Answers, at: usize) -> Option<u8> {
        match answers.get(&self.questions.get(at)?.id) {
            Some(Answer::Score(score)) => Some(*score),
            _ => None,
        }
    }

    /// Whether a question is asked after these answers.
    pub fn is_asked(&self, question: &Question, answers: &Answers) -> bool {
        question.show_if.as_ref().is_none_or(|condition| {
            let score = self.score(answers, condition.question.into());
            score.is_some_and(|score| condition.any_of.holds(score))
        })
    }

    /// Returns the places of the questions that are asked after these answers.
    pub fn asked(&self, answers: &Answers) -> impl Iterator<Item = usize> {
        let questions = self.questions.iter().enumerate();
        let asked = questions.filter(|(_, question)| self.is_asked(question, answers));
        asked.map(|(at, _)| at)
    }

    /// Whether no other question can follow the one at a place, whatever its answer will be.
    pub fn is_last(&self, answers: &Answers, at: usize) -> bool {
        !self.questions.iter().skip(at + 1).any(|later| {
            let is_open = |earlier: u8| usize::from(earlier) >= at;
            later.show_if.as_ref().is_some_and(|condition| is_open(condition.question))
                || self.is_asked(later, answers)
        })
    }

    /// Removes the answers to questions that are not asked after the other answers.
    pub fn prune(&self, answers: &mut Answers) {
        for question in &self.questions {
            if !self.is_asked(question, answers) {
                answers.remove(&question.id);
            }
        }
    }

    /// Returns the text for the end after these answers.
    pub fn thanks(&self, answers: &Answers) -> Option<&Thanks> {
        let score = self.score(answers, self.primary.into());
        let holds = |thanks: &&Thanks| score.is_some_and(|score| thanks.scores.holds(score));
        self.thanks.iter().find(holds).or(self.thanks.last())
    }

    /// Returns the bytes that travel.
    pub fn encode(&self) -> Result<Vec<u8>, postcard::Error> {
        postcard::to_extend(self, vec![WIRE_FORMAT])
    }

    /// Reads what [`Body::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, BodyError> {
        match bytes.split_first() {
            Some((&WIRE_FORMAT, body)) => {
                postcard::from_bytes(body).map_err(|_| BodyError::Malformed)
            }
            _ => Err(BodyError::WireFormat),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Look;
    use crate::validate::tests::nps_with_comment;

    fn body(language: &str) -> Body {
        Body::of(&nps_with_comment(), &Look::default(), language)
    }

    #[test]
    fn a_body_survives_the_wire_and_another_format_is_told_apart() {
        let body = body("en");
        let mut bytes = body.encode().unwrap();
        assert_eq!(Body::decode(&bytes), Ok(body));
        assert_eq!(Body::decode(&bytes[..9]), Err(BodyError::Malformed));
        bytes[0] = WIRE_FORMAT + 1;
        assert_eq!(Body::decode(&bytes), Err(BodyError::WireFormat));
        assert_eq!(Body::decode(&[]), Err(BodyError::WireFormat));
    }

    #[test]
    fn a_body_speaks_one_language() {
        let body = body("de");
        assert_eq!(body.questions[0].text, "Würden Sie uns empfehlen?");
        assert_eq!(body.questions[1].text, "Why?");
        assert_eq!(body.strings.close, "Schließen");
    }

    #[test]
    fn the_last_question_is_the_one_that_none_can_follow() {
        let mut body = body("en");
        body.questions.truncate(2);
        body.questions[1].show_if =
            Some(Condition { question: 0, any_of: Values::that(|score| score < 9) });
        let mut answers = Answers::default();
        assert!(!body.is_last(&answers, 0));
        answers.set("score", Answer::Score(9));
        // Another answer to it is still possible.
        assert!(!body.is_last(&answers, 0));
        assert!(body.is_last(&answers, 1));
        let mut third = body.questions[1].clone();
        third.id = "how".to_owned();
        body.questions.push(third);
        assert!(body.is_last(&answers, 1));
        answers.set("score", Answer::Score(8));
        assert!(!body.is_last(&answers, 1) && body.is_last(&answers, 2));
    }

    #[test]
    fn a_set_holds_what_it_was_made_of() {
        let set = Values::that(|value| value > 8);
        assert!(set.holds(9) && set.holds(31));
        assert!(!set.holds(8) && !set.holds(32) && !set.holds(255));
    }
}
