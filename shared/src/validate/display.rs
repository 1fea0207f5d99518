//! The rules of displays: every answer fits its question, and every question was asked.

use std::collections::BTreeMap;

use crate::definition::Definition;
use crate::definition::question::{AnswerKind, Options, Question, TextLimits};
use crate::display::{Answer, Channel, Choice, Display, Stage};
use crate::problem::{Code, Problem};

/// The longest comment, in characters.
pub const TEXT_LIMIT: u16 = 2_000;

/// The longest that all comments of a display can be together. Even with the longest escapes they fit
/// [`DISPLAY_LIMIT`], so that nothing a visitor was allowed to write is refused.
pub const TEXTS_LIMIT: u16 = 2_500;

/// The largest display, in bytes of JSON.
pub const DISPLAY_LIMIT: usize = 16 * 1024;

/// The longest value of a trait, in characters; the rest is cut off.
const TRAIT_LIMIT: usize = 100;

/// Checks a display against the version that it names, and removes what must not make an answer invalid: blank
/// comments and empty choices, and a language, a variant and traits that the version does not declare.
pub fn display(display: &mut Display, definition: &Definition) -> Result<(), Problem> {
    if display.revision == 0 {
        return Err(Problem::new(Code::InvalidDisplay, "the revision must be 1 or higher")
            .at("revision")
            .limit(format!("1 to {}", u32::MAX)));
    }
    display.answers.0.retain(|(_, answer)| match answer {
        Answer::Score(_) => true,
        Answer::Text(text) => !text.trim().is_empty(),
        Answer::Choice(choice) => *choice != Choice::default(),
    });
    for (id, answer) in &display.answers.0 {
        let field = format!("answers.{}", id.chars().take(32).collect::<String>());
        let Some(question) = definition.question(id) else {
            let detail = "this version has no such question";
            return Err(Problem::new(Code::UnknownQuestion, detail).at(field));
        };
        check_answer(question, answer).map_err(|problem| problem.at(&field))?;
        // Another tool had conditions of its own.
        let is_ours = display.channel != Channel::Import;
        if is_ours && !question.is_asked(&definition.questions, &display.answers) {
            let detail = "the question is asked on a condition that the other answers do not meet";
            return Err(Problem::new(Code::QuestionNotAsked, detail).at(field));
        }
    }
    if !display.answers.0.is_empty() && display.stage < Stage::Started {
        return Err(Problem::new(
            Code::InvalidDisplay,
            "a display with answers has the stage started or completed",
        )
        .at("stage")
        .limit("started or completed"));
    }
    // Counters are kept for each language, so nobody may add languages that are made up.
    if !definition.speaks(&display.language) {
        display.language.clear();
    }
    if !definition.variants.contains(&display.variant) {
        display.variant.clear();
    }
    traits(&mut display.traits, definition);
    Ok(())
}

/// Keeps only the traits that a version declares, and cuts their values to a length.
pub fn traits(traits: &mut BTreeMap<String, String>, definition: &Definition) {
    traits.retain(|key, value| {
        if let Some((end, _)) = value.char_indices().nth(TRAIT_LIMIT) {
            value.truncate(end);
        }
        definition.traits.contains(key) && !value.trim().is_empty()
    });
}

/// Checks one answer against its question.
fn check_answer(question: &Question, answer: &Answer) -> Result<(), Problem> {
    match (&question.answer, answer) {
        (AnswerKind::Rating(rating), _) => {
            let (low, high) = rating.scale.range();
            let problem = match answer {
                Answer::Score(score) if question.answer.category(*score).is_some() => {
                    return Ok(());
                }
                Answer::Score(score) => {
                    Problem::new(Code::ScoreOffScale, format!("{score} is not on the scale"))
                }
                Answer::Text(_) | Answer::Choice(_) => Problem::new(
                    Code::WrongAnswerType,
                    format!("the question takes an integer from {low} to {high}"),
                ),
            };
            Err(problem.limit(format!("{low} to {high}")))
        }
        (AnswerKind::Text(limits), Answer::Text(text)) => check_text(limits, text),
        (AnswerKind::Choice(options), Answer::Choice(choice)) => check_choice(options, choice),
        (AnswerKind::Text(_), _) => {
            Err(Problem::new(Code::WrongAnswerType, "the answer must be a text"))
        }
        (AnswerKind::Choice(_), _) => {
            Err(Problem::new(Code::WrongAnswerType, "the answer must be a list of options"))
        }
    }
}

fn check_text(limits: &TextLimits, text: &str) -> Result<(), Problem> {
    let characters = text.chars().count();
    if characters <= usize::from(limits.max_length) {
        return Ok(());
    }
    Err(Problem::new(Code::TextTooLong, format!("the text has {characters} characters"))
        .limit(format!("{} characters", limits.max_length)))
}

fn check_choice(options: &Options, choice: &Choice) -> Result<(), Problem> {
    let is_offered = |id: &String| options.options.iter().any(|option| option.id == *id);
    if !choice.options.iter().all(is_offered) || (choice.other.is_some() && options.other.is_none())
    {
        return Err(Problem::new(Code::ChoiceNotOffered, "the question has no such option"));
    }
    if !options.multiple && choice.options.len() + usize::from(choice.other.is_some()) > 1 {
        let detail = "the question accepts only one option";
        return Err(Problem::new(Code::TooManyChoices, detail).limit("1 option"));
    }
    match (&options.other, &choice.other) {
        (Some(limits), Some(text)) => check_text(limits, text),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::Answers;
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
            variant: "b".to_owned(),
            traits: [("plan".to_owned(), "pro".to_owned())].into(),
            identity: None,
            age_ms: 0,
        }
    }

    fn text(text: &str) -> Answer {
        Answer::Text(text.to_owned())
    }

    fn choice(options: &[&str], other: Option<&str>) -> Answer {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        Answer::Choice(Choice { options, other: other.map(str::to_owned) })
    }

    #[test]
    fn each_wrong_answer_has_its_code() {
        for (id, answer, code) in [
            ("score", Answer::Score(11), Code::ScoreOffScale),
            ("score", text("9"), Code::WrongAnswerType),
            ("why", Answer::Score(9), Code::WrongAnswerType),
            ("why", text("eleven char"), Code::TextTooLong),
            ("mood", Answer::Score(9), Code::UnknownQuestion),
            ("reasons", text("price"), Code::WrongAnswerType),
            ("reasons", choice(&["mood"], None), Code::ChoiceNotOffered),
            ("reasons", choice(&["price"], Some(&"x".repeat(21))), Code::TextTooLong),
            ("how", text("less"), Code::QuestionNotAsked),
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
        for chosen in [choice(&["speed", "price"], None), choice(&[], Some(""))] {
            let answers = [("reasons", chosen), ("how", text("less"))];
            assert_eq!(display(&mut started(&answers), &nps_with_comment()), Ok(()));
        }
    }

    #[test]
    fn what_another_tool_asked_is_taken_whatever_our_conditions_say() {
        let mut imported = started(&[("score", Answer::Score(10)), ("why", text("slow"))]);
        assert!(display(&mut imported, &nps_with_comment()).is_err());
        imported.channel = Channel::Import;
        assert_eq!(display(&mut imported, &nps_with_comment()), Ok(()));
    }

    #[test]
    fn a_choice_of_one_takes_one() {
        let mut definition = nps_with_comment();
        let AnswerKind::Choice(options) = &mut definition.questions[2].answer else { panic!() };
        options.multiple = false;
        let mut two = started(&[("reasons", choice(&["price"], Some("")))]);
        assert_eq!(display(&mut two, &definition).unwrap_err().code, Code::TooManyChoices);
        let AnswerKind::Choice(options) = &mut definition.questions[2].answer else { panic!() };
        options.other = None;
        let mut other = started(&[("reasons", choice(&[], Some("")))]);
        assert_eq!(display(&mut other, &definition).unwrap_err().code, Code::ChoiceNotOffered);
    }

    #[test]
    fn a_display_is_tidied_where_refusing_it_would_cost_an_answer() {
        let mut tidied = started(&[("score", Answer::Score(0)), ("why", text(" \n"))]);
        tidied.answers.set("reasons", choice(&[], None));
        tidied.language = "fr".to_owned();
        tidied.variant = "c".to_owned();
        tidied.traits = [("plan", "é".repeat(200)), ("mood", "good".to_owned())]
            .map(|(key, value)| (key.to_owned(), value))
            .into();
        display(&mut tidied, &nps_with_comment()).unwrap();
        assert_eq!(tidied.answers.0, [("score".to_owned(), Answer::Score(0))]);
        assert_eq!((tidied.language.as_str(), tidied.variant.as_str()), ("", ""));
        assert_eq!(tidied.traits, [("plan".to_owned(), "é".repeat(100))].into());
    }
}
