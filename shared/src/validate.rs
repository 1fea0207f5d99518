//! The rules that definitions and displays keep. The widget and the edge read the same ones.

use crate::definition::{AnswerKind, Definition, Question};
use crate::display::{Answer, Display, Stage};
use crate::problem::{Code, Problem};

/// The longest comment, in characters. With the worst escapes it still fits [`DISPLAY_LIMIT`].
pub const TEXT_LIMIT: u16 = 2_000;

/// The largest display, in bytes of JSON.
pub const DISPLAY_LIMIT: usize = 16 * 1024;

/// The largest definition, in bytes of JSON.
pub const DEFINITION_LIMIT: usize = 64 * 1024;

/// How long a page's address may be, in characters; what is over is cut off.
const PAGE_LIMIT: usize = 500;

/// The most questions that a survey can ask.
const QUESTIONS_LIMIT: usize = 20;

/// The longest delay before a survey is shown.
const DELAY_LIMIT_MS: u32 = 60 * 60 * 1000;

/// Checks what serde cannot: lengths, ids, references.
pub fn definition(definition: &Definition) -> Result<(), Problem> {
    let invalid = |field: &str, detail: &'static str| {
        Err(Problem::new(Code::InvalidDefinition, detail).at(field))
    };
    length("name", &definition.name, 100)?;
    length("thanks", &definition.thanks, 500)?;
    if !is_language(&definition.language) {
        return invalid("language", "the language is not a BCP 47 tag such as de or de-AT");
    }
    if definition.questions.is_empty() || definition.questions.len() > QUESTIONS_LIMIT {
        return Err(Problem::new(Code::InvalidDefinition, "a survey asks at least one question")
            .at("questions")
            .limit(format!("1..={QUESTIONS_LIMIT} questions")));
    }
    for (at, question) in definition.questions.iter().enumerate() {
        check_question(&format!("questions[{at}]"), question)?;
        if definition.questions.iter().take(at).any(|earlier| earlier.id == question.id) {
            return invalid(&format!("questions[{at}].id"), "another question has this id already");
        }
    }
    if definition.primary_scale().is_none() {
        return invalid("primary", "the primary question must be the id of a rating question");
    }
    if definition.trigger.delay_ms > DELAY_LIMIT_MS {
        return Err(Problem::new(Code::InvalidDefinition, "the delay is too long")
            .at("trigger.delay_ms")
            .limit(format!("0..={DELAY_LIMIT_MS}")));
    }
    Ok(())
}

fn check_question(path: &str, question: &Question) -> Result<(), Problem> {
    let is_id = |id: &str| {
        id.len() <= 32
            && id.starts_with(|first: char| first.is_ascii_lowercase())
            && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    if !is_id(&question.id) {
        return Err(Problem::new(
            Code::InvalidDefinition,
            "a question's id starts with a to z and goes on with a to z, 0 to 9 and _",
        )
        .at(format!("{path}.id"))
        .limit("1..=32 characters"));
    }
    length(&format!("{path}.text"), &question.text, 500)?;
    match &question.answer {
        AnswerKind::Rating(rating) => {
            length(&format!("{path}.answer.rating.low"), &rating.low, 100)?;
            length(&format!("{path}.answer.rating.high"), &rating.high, 100)
        }
        AnswerKind::Text(text) if 1 <= text.max_length && text.max_length <= TEXT_LIMIT => Ok(()),
        AnswerKind::Text(_) => {
            Err(Problem::new(Code::InvalidDefinition, "the longest answer is out of range")
                .at(format!("{path}.answer.text.max_length"))
                .limit(format!("1..={TEXT_LIMIT} characters")))
        }
    }
}

fn length(path: &str, text: &str, limit: usize) -> Result<(), Problem> {
    let characters = text.chars().count();
    if text.trim().is_empty() || characters > limit {
        let detail = format!("the text has {characters} characters");
        return Err(Problem::new(Code::InvalidDefinition, detail)
            .at(path)
            .limit(format!("1..={limit} characters")));
    }
    Ok(())
}

/// Whether a text has the shape of a BCP 47 tag.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    (2..=8).contains(&primary.len())
        && primary.chars().all(|c| c.is_ascii_alphabetic())
        && tag.len() <= 35
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric())
        })
}

/// Checks a display against the version that it names, and tidies what must not cost an answer:
/// blank comments go, a page loses its query and fragment, a language that is none is forgotten.
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
        check_answer(definition, id, answer)?;
    }
    if !display.answers.0.is_empty() && display.stage < Stage::Started {
        return Err(Problem::new(Code::InvalidDisplay, "a display with answers has started")
            .at("stage")
            .limit("started or completed"));
    }
    if !is_language(&display.language) {
        display.language.clear();
    }
    display.page = page(&display.page);
    Ok(())
}

/// Checks one answer against its question.
pub fn check_answer(definition: &Definition, id: &str, answer: &Answer) -> Result<(), Problem> {
    let field = || format!("answers.{}", id.chars().take(32).collect::<String>());
    let Some(question) = definition.question(id) else {
        return Err(Problem::new(Code::UnknownQuestion, "this version does not ask that question")
            .at(field()));
    };
    match (&question.answer, answer) {
        (AnswerKind::Rating(rating), Answer::Score(score)) => match rating.scale.category(*score) {
            Some(_) => Ok(()),
            None => {
                let (low, high) = rating.scale.range();
                Err(Problem::new(Code::ScoreOffScale, format!("{score} is not on the scale"))
                    .at(field())
                    .limit(format!("{low}..={high}")))
            }
        },
        (AnswerKind::Text(limits), Answer::Text(text)) => {
            let characters = text.chars().count();
            if characters <= usize::from(limits.max_length) {
                return Ok(());
            }
            Err(Problem::new(Code::TextTooLong, format!("the text has {characters} characters"))
                .at(field())
                .limit(format!("{} characters", limits.max_length)))
        }
        (AnswerKind::Rating(_), Answer::Text(_)) => {
            Err(Problem::new(Code::WrongAnswerType, "the question takes an integer").at(field()))
        }
        (AnswerKind::Text(_), Answer::Score(_)) => {
            Err(Problem::new(Code::WrongAnswerType, "the question takes a text").at(field()))
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

/// Whether a text is an origin that a site can list: a scheme, a host and maybe a port, or `*`.
pub fn is_origin(text: &str) -> bool {
    let Some(host) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return text == "*";
    };
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:[]".contains(c);
    !host.is_empty() && host.len() <= 255 && host.chars().all(allowed)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::definition::{Rating, Text, Trigger};
    use crate::display::{Answers, Channel};
    use crate::display_id::DisplayId;
    use crate::metrics::Scale;

    pub(crate) fn nps_with_comment() -> Definition {
        let rating = Rating {
            scale: Scale::Nps,
            low: "Not at all likely".to_owned(),
            high: "Extremely likely".to_owned(),
        };
        Definition {
            name: "Relationship".to_owned(),
            language: "en".to_owned(),
            questions: vec![
                Question {
                    id: "score".to_owned(),
                    text: "How likely are you to recommend us?".to_owned(),
                    answer: AnswerKind::Rating(rating),
                },
                Question {
                    id: "why".to_owned(),
                    text: "Why?".to_owned(),
                    answer: AnswerKind::Text(Text { max_length: 10 }),
                },
            ],
            primary: "score".to_owned(),
            thanks: "Thank you!".to_owned(),
            trigger: Trigger::default(),
        }
    }

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

    #[test]
    fn each_broken_rule_of_a_definition_names_its_field() {
        assert_eq!(definition(&nps_with_comment()), Ok(()));
        type Break = fn(&mut Definition);
        let breaks: [(&str, Break); 10] = [
            ("name", |d| d.name.clear()),
            ("thanks", |d| d.thanks = "x".repeat(501)),
            ("language", |d| d.language = "de_AT".to_owned()),
            ("questions", |d| d.questions.clear()),
            ("questions[1].id", |d| d.questions[1].id = "score".to_owned()),
            ("questions[0].id", |d| d.questions[0].id = "Score".to_owned()),
            ("questions[1].text", |d| d.questions[1].text = " ".to_owned()),
            ("questions[1].answer.text.max_length", |d| {
                d.questions[1].answer = AnswerKind::Text(Text { max_length: 2_001 });
            }),
            ("primary", |d| d.primary = "why".to_owned()),
            ("trigger.delay_ms", |d| d.trigger.delay_ms = DELAY_LIMIT_MS + 1),
        ];
        for (field, break_it) in breaks {
            let mut broken = nps_with_comment();
            break_it(&mut broken);
            assert_eq!(definition(&broken).unwrap_err().field.as_deref(), Some(field));
        }
    }

    #[test]
    fn each_wrong_answer_has_its_code() {
        let text = |text: &str| Answer::Text(text.to_owned());
        for (id, answer, code) in [
            ("score", Answer::Score(11), Code::ScoreOffScale),
            ("score", text("9"), Code::WrongAnswerType),
            ("why", Answer::Score(9), Code::WrongAnswerType),
            ("why", text("eleven char"), Code::TextTooLong),
            ("mood", Answer::Score(9), Code::UnknownQuestion),
        ] {
            let problem = display(&mut started(&[(id, answer)]), &nps_with_comment()).unwrap_err();
            assert_eq!(problem.code, code);
            assert_eq!(problem.field, Some(format!("answers.{id}")));
        }
        let mut early = started(&[("score", Answer::Score(9))]);
        early.stage = Stage::Seen;
        assert_eq!(
            display(&mut early, &nps_with_comment()).unwrap_err().code,
            Code::InvalidDisplay
        );
    }

    #[test]
    fn a_display_is_tidied_where_refusing_it_would_cost_an_answer() {
        let blank = Answer::Text(" \n".to_owned());
        let mut tidied = started(&[("score", Answer::Score(0)), ("why", blank)]);
        tidied.language = "<script>".to_owned();
        display(&mut tidied, &nps_with_comment()).unwrap();
        assert_eq!(tidied.answers.0, [("score".to_owned(), Answer::Score(0))]);
        assert_eq!(tidied.page, "https://shop.example/cart");
        assert_eq!(tidied.language, "");
    }

    #[test]
    fn an_origin_is_a_scheme_a_host_and_maybe_a_port() {
        for origin in ["https://shop.example", "http://localhost:8080", "http://[::1]:80", "*"] {
            assert!(is_origin(origin), "{origin}");
        }
        for other in ["", "shop.example", "https://", "https://shop.example/", "ftp://x", "null"] {
            assert!(!is_origin(other), "{other}");
        }
    }
}
