//! The rules of displays: every answer fits its question, and every question was asked.

use crate::definition::Definition;
use crate::definition::question::{AnswerKind, Question};
use crate::display::{Answer, Display, Stage};
use crate::problem::{Code, Problem};

/// The largest display, in bytes of JSON.
pub const DISPLAY_LIMIT: usize = 16 * 1024;

/// How long a page's address may be, in characters; what is over is cut off.
const PAGE_LIMIT: usize = 500;

/// Checks a display against the version that it names, and tidies what must not cost an answer:
/// blank comments go, a page loses its query and fragment, a language that the survey does not speak
/// is forgotten.
pub fn display(display: &mut Display, definition: &Definition) -> Result<(), Problem> {
    if display.revision == 0 {
        return Err(Problem::new(Code::InvalidDisplay, "revisions are counted from 1")
            .at("revision")
            .limit(format!("1..={}", u32::MAX)));
    }
    display
        .answers
        .0
        .retain(|(_, answer)| !matches!(answer, Answer::Text(text) if text.trim().is_empty()));
    for (id, answer) in &display.answers.0 {
        let field = format!("answers.{}", id.chars().take(32).collect::<String>());
        let Some(question) = definition.question(id) else {
            let detail = "this version does not ask that question";
            return Err(Problem::new(Code::UnknownQuestion, detail).at(field));
        };
        check_answer(question, answer).map_err(|problem| problem.at(&field))?;
        if !question.is_asked(&definition.questions, &display.answers) {
            let detail = "the question is asked on a condition that the other answers do not meet";
            return Err(Problem::new(Code::QuestionNotAsked, detail).at(field));
        }
    }
    if !display.answers.0.is_empty() && display.stage < Stage::Started {
        return Err(Problem::new(Code::InvalidDisplay, "a display with answers has started")
            .at("stage")
            .limit("started or completed"));
    }
    // Counters are kept for each language, so nobody can make up more of them.
    if !definition.languages().contains(&display.language.as_str()) {
        display.language.clear();
    }
    display.page = page(&display.page);
    Ok(())
}

/// Checks one answer against its question.
fn check_answer(question: &Question, answer: &Answer) -> Result<(), Problem> {
    match (&question.answer, answer) {
        (AnswerKind::Rating(rating), Answer::Score(score)) => {
            if question.answer.category(*score).is_some() {
                return Ok(());
            }
            let (low, high) = rating.scale.range();
            Err(Problem::new(Code::ScoreOffScale, format!("{score} is not on the scale"))
                .limit(format!("{low}..={high}")))
        }
        (AnswerKind::Text(limits), Answer::Text(text)) => {
            let characters = text.chars().count();
            if characters <= usize::from(limits.max_length) {
                return Ok(());
            }
            Err(Problem::new(Code::TextTooLong, format!("the text has {characters} characters"))
                .limit(format!("{} characters", limits.max_length)))
        }
        (AnswerKind::Rating(_), Answer::Text(_)) => {
            Err(Problem::new(Code::WrongAnswerType, "the question takes an integer"))
        }
        (AnswerKind::Text(_), Answer::Score(_)) => {
            Err(Problem::new(Code::WrongAnswerType, "the question takes a text"))
        }
    }
}

/// The part of an address that says which page it was; empty for what is no page of the web.
fn page(address: &str) -> String {
    if !address.starts_with("https://") && !address.starts_with("http://") {
        return String::new();
    }
    let path = address.split(['?', '#']).next().unwrap_or_default();
    path.chars().take(PAGE_LIMIT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::{Answers, Channel};
    use crate::display_id::DisplayId;
    use crate::validate::tests::nps_with_comment;

    fn started(answers: &[(&str, Answer)]) -> Display {
        Display {
            id: DisplayId::new(1, [0; 10]),
            revision: 1,
            version: 1,
            stage: Stage::Started,
            dismissed: false,
            channel: Channel::InPage,
            language: "en".to_owned(),
            page: "https://shop.example/cart?token=secret#pay".to_owned(),
            answers: Answers(
                answers.iter().map(|(id, answer)| ((*id).to_owned(), answer.clone())).collect(),
            ),
            age_ms: 0,
        }
    }

    fn text(text: &str) -> Answer {
        Answer::Text(text.to_owned())
    }

    #[test]
    fn each_wrong_answer_has_its_code() {
        for (id, answer, code) in [
            ("score", Answer::Score(11), Code::ScoreOffScale),
            ("score", text("9"), Code::WrongAnswerType),
            ("why", Answer::Score(9), Code::WrongAnswerType),
            ("why", text("eleven char"), Code::TextTooLong),
            ("mood", Answer::Score(9), Code::UnknownQuestion),
            ("why", text("no score"), Code::QuestionNotAsked),
        ] {
            let problem = display(&mut started(&[(id, answer)]), &nps_with_comment()).unwrap_err();
            assert_eq!(problem.code, code);
            assert_eq!(problem.field, Some(format!("answers.{id}")));
        }
        let mut early = started(&[("score", Answer::Score(9))]);
        early.stage = Stage::Seen;
        let problem = display(&mut early, &nps_with_comment()).unwrap_err();
        assert_eq!(problem.code, Code::InvalidDisplay);
    }

    #[test]
    fn an_answer_is_taken_only_if_its_condition_is_met() {
        let given = |score| {
            let answers = [("score", Answer::Score(score)), ("why", text("slow"))];
            display(&mut started(&answers), &nps_with_comment()).map_err(|problem| problem.code)
        };
        assert_eq!(given(9), Ok(()));
        assert_eq!(given(10), Err(Code::QuestionNotAsked));
    }

    #[test]
    fn a_display_is_tidied_where_refusing_it_would_cost_an_answer() {
        let mut tidied = started(&[("score", Answer::Score(0)), ("why", text(" \n"))]);
        tidied.language = "fr".to_owned();
        display(&mut tidied, &nps_with_comment()).unwrap();
        assert_eq!(tidied.answers.0, [("score".to_owned(), Answer::Score(0))]);
        assert_eq!(tidied.page, "https://shop.example/cart");
        assert_eq!(tidied.language, "");
    }
}
