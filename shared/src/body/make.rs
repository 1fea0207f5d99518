//! Makes a body from a definition and the look of a site.

use super::style::style;
use super::words::Words;
use super::{Body, Condition, Field, Question, Rating, Thanks, Values};
use crate::definition::language::is_right_to_left;
use crate::definition::question::{self, AnswerKind, Expected};
use crate::definition::text::Text;
use crate::definition::{Definition, Link};
use crate::settings::Look;

impl Body {
    /// Makes the body of a definition without choices, in a language that the definition speaks, with the look
    /// of a site.
    pub fn of(definition: &Definition, look: &Look, language: &str) -> Self {
        let say = |text: &Text| text.in_language(language, &definition.language).to_owned();
        let end = |scores: Values, text: &Text, link: &Option<Link>| Thanks {
            scores,
            text: say(text),
            url: link.as_ref().map_or_else(String::new, |link| link.url.clone()),
            link: link.as_ref().map_or_else(String::new, |link| say(&link.text)),
        };
        let primary = place(definition, &definition.primary);
        let kind = definition.question(&definition.primary).map(|primary| &primary.answer);
        let of_category = |category| {
            Values::that(|score| kind.is_some_and(|kind| kind.category(score) == Some(category)))
        };
        let by_category = definition.thanks.by_category.iter();
        let mut thanks: Vec<_> = by_category
            .map(|(category, thank)| end(of_category(*category), &thank.text, &thank.link))
            .collect();
        thanks.push(end(Values(0), &definition.thanks.text, &definition.thanks.link));
        let asked = definition.questions.iter().filter_map(|question| {
            Some(Question {
                id: question.id.clone(),
                text: say(&question.text),
                field: field(&question.answer, say)?,
                show_if: question.show_if.as_ref().map(|condition| compile(definition, condition)),
            })
        });
        let position = &definition.appearance.position;
        let right_to_left = is_right_to_left(language);
        let why = look.notice.why.as_ref();
        Self {
            language: language.to_owned(),
            right_to_left,
            questions: asked.collect(),
            primary,
            thanks,
            later: definition.later_days.is_some(),
            privacy_url: look.notice.privacy_url.clone().unwrap_or_default(),
            why: why.map_or("", |why| why.in_language(language, &look.language)).to_owned(),
            style: style(&definition.appearance.theme.or(&look.theme), position, right_to_left),
            inline: position.slot().unwrap_or_default().to_owned(),
            strings: Words::in_language(language).strings(),
        }
    }
}

/// Returns how a question is answered; `None` for a kind that pages do not show yet.
fn field(answer: &AnswerKind, say: impl Fn(&Text) -> String) -> Option<Field> {
    match answer {
        AnswerKind::Rating(rating) => {
            let (lowest, highest) = rating.scale.range();
            Some(Field::Rating(Rating {
                lowest,
                highest,
                shown_as: rating.shown_as.name().to_owned(),
                low: say(&rating.low),
                high: say(&rating.high),
            }))
        }
        AnswerKind::Text(limits) => Some(Field::Text(limits.max_length)),
        AnswerKind::Choice(_) => None,
    }
}

/// Compiles a condition to the set of the values that meet it.
fn compile(definition: &Definition, condition: &question::Condition) -> Condition {
    let earlier = definition.question(&condition.question).map(|earlier| &earlier.answer);
    let any_of = match (&condition.is, earlier) {
        (Expected::Score { from, to }, _) => Values::that(|score| (*from..=*to).contains(&score)),
        (Expected::Category(wanted), Some(kind)) => Values::that(|score| {
            kind.category(score).is_some_and(|category| wanted.contains(&category))
        }),
        // A survey with choices is not shown.
        (Expected::Category(_) | Expected::Choice(_), _) => Values(0),
    };
    Condition { question: place(definition, &condition.question), any_of }
}

/// Returns the place of a question; a definition has 20 questions at most.
fn place(definition: &Definition, id: &str) -> u8 {
    let found = definition.questions.iter().position(|question| question.id == id);
    found.and_then(|at| u8::try_from(at).ok()).unwrap_or_default()
}
