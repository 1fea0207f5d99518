//! The way through a survey page by page: what was sent from a page is added to the answers, and the next page
//! follows. A page that is sent again, or an older page, replaces the answer to its question.

use asklet_shared::body::{Body, Field};
use asklet_shared::display::{Answer, Answers};

/// What was sent from the page of one question.
#[derive(Debug, Default)]
pub struct Sent {
    /// The place of the question.
    pub at: usize,
    /// Whether the visitor goes back.
    pub goes_back: bool,
    /// The score that was chosen, as it was sent; empty without one.
    pub score: String,
    /// The text that was written.
    pub text: String,
}

/// The page that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The question at a place.
    Question(usize),
    /// The same question again, with a complaint about its answer.
    Again(usize, Complaint),
    /// The thanks.
    Thanks,
}

/// Why an answer was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complaint {
    /// No score was chosen.
    Required,
    /// The text has more characters than this number.
    TooLong(u16),
}

/// Adds what was sent to the answers, removes answers whose questions are no longer asked, and returns what
/// follows. If there is a complaint about the answer, the other answers stay as they were.
pub fn take(body: &Body, answers: &mut Answers, sent: &Sent) -> Next {
    let Some(question) = body.questions.get(sent.at) else { return Next::Question(0) };
    match &question.field {
        Field::Rating(rating) => {
            let score = sent.score.parse::<u8>().ok();
            match score.filter(|score| (rating.lowest..=rating.highest).contains(score)) {
                Some(score) => answers.set(&question.id, Answer::Score(score)),
                None if sent.goes_back => {}
                None => return Next::Again(sent.at, Complaint::Required),
            }
        }
        Field::Text(limit) if sent.text.chars().count() > usize::from(*limit) => {
            return Next::Again(sent.at, Complaint::TooLong(*limit));
        }
        Field::Text(_) if sent.text.trim().is_empty() => answers.remove(&question.id),
        Field::Text(_) => answers.set(&question.id, Answer::Text(sent.text.clone())),
    }
    body.prune(answers);
    let mut asked = body.asked(answers);
    if sent.goes_back {
        let before = asked.take_while(|at| *at < sent.at).last();
        return Next::Question(before.unwrap_or_default());
    }
    asked.find(|at| *at > sent.at).map_or(Next::Thanks, Next::Question)
}

#[cfg(test)]
mod tests {
    use asklet_shared::definition::Definition;
    use asklet_shared::settings::Look;
    use serde_json::json;

    use super::*;

    /// A survey with four questions: a score; `why`, for scores below 9; `how`, for everybody; and `where`, for
    /// a score of 10.
    fn body() -> Body {
        let text = |id: &str| json!({"id": id, "text": id, "answer": {"text": {"max_length": 5}}});
        let after = |id: &str, from: u8, to: u8| {
            let mut question = text(id);
            question["show_if"] =
                json!({"question": "score", "is": {"score": {"from": from, "to": to}}});
            question
        };
        let rating = json!({"rating": {"scale": "nps", "low": "Not likely", "high": "Likely"}});
        let definition: Definition = serde_json::from_value(json!({
            "name": "Relationship",
            "language": "en",
            "questions": [
                {"id": "score", "text": "Would you?", "answer": rating},
                after("why", 0, 8),
                text("how"),
                after("where", 10, 10),
            ],
            "primary": "score",
            "thanks": {"text": "Thanks!"},
        }))
        .unwrap();
        Body::of(&definition, &Look::default(), "en")
    }

    fn scored(score: &str) -> Sent {
        Sent { score: score.to_owned(), ..Sent::default() }
    }

    fn wrote(at: usize, text: &str) -> Sent {
        Sent { at, text: text.to_owned(), ..Sent::default() }
    }

    #[test]
    fn questions_follow_by_their_conditions_both_ways() {
        let body = body();
        let mut answers = Answers::default();
        assert_eq!(take(&body, &mut answers, &scored("3")), Next::Question(1));
        assert_eq!(take(&body, &mut answers, &wrote(1, "slow")), Next::Question(2));
        let back = Sent { goes_back: true, ..wrote(2, "well") };
        assert_eq!(take(&body, &mut answers, &back), Next::Question(1));
        // A text that was written on the way back is kept. An answer whose question is no longer asked is not.
        assert_eq!(take(&body, &mut answers, &scored("9")), Next::Question(2));
        assert_eq!(
            answers.0,
            [("score".into(), Answer::Score(9)), ("how".into(), Answer::Text("well".into()))]
        );
        assert_eq!(take(&body, &mut answers, &wrote(2, " ")), Next::Thanks);
        assert_eq!(answers.0, [("score".into(), Answer::Score(9))]);
        // An older page whose question is no longer asked leads to the next question.
        assert_eq!(take(&body, &mut answers, &wrote(1, "old")), Next::Question(2));
        assert_eq!(answers.0, [("score".into(), Answer::Score(9))]);
    }

    #[test]
    fn what_cannot_be_taken_changes_nothing() {
        let body = body();
        let mut answers = Answers::default();
        for score in ["", "11", "-1", "x", "1e1"] {
            let again = Next::Again(0, Complaint::Required);
            assert_eq!(take(&body, &mut answers, &scored(score)), again, "{score}");
        }
        let long = take(&body, &mut answers, &wrote(2, "éééééé"));
        assert_eq!(long, Next::Again(2, Complaint::TooLong(5)));
        assert_eq!(take(&body, &mut answers, &wrote(99, "x")), Next::Question(0));
        let back = Sent { goes_back: true, ..Sent::default() };
        assert_eq!(take(&body, &mut answers, &back), Next::Question(0));
        assert_eq!(answers, Answers::default());
    }
}
