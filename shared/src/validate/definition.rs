//! The rules of definitions: lengths, ids, references, and what a page could be stalled by.

use super::{TEXT_LIMIT, TEXTS_LIMIT};
use crate::definition::question::{AnswerKind, Expected, Question, Rating};
use crate::definition::text::{self, Text};
use crate::definition::when::{Frequency, PageRule, Targeting, Trigger};
use crate::definition::{Definition, Link};
use crate::metrics::{Direction, Metric};
use crate::problem::{Code, Problem};

/// The largest definition, in bytes of JSON.
pub const DEFINITION_LIMIT: usize = 64 * 1024;

const QUESTIONS_LIMIT: usize = 20;
const RULES_LIMIT: usize = 50;
const HOUR_MS: u32 = 60 * 60 * 1000;
const DAYS_LIMIT: u16 = 3_650;

/// Checks what serde cannot.
pub fn definition(definition: &Definition) -> Result<(), Problem> {
    plain("name", &definition.name, 100)?;
    if !text::is_language(&definition.language) {
        return invalid("language", "the language is not a BCP 47 tag such as de or de-AT");
    }
    count("questions", definition.questions.len(), 1, QUESTIONS_LIMIT)?;
    for (at, question) in definition.questions.iter().enumerate() {
        let earlier = definition.questions.get(..at).unwrap_or_default();
        check_question(&format!("questions[{at}]"), question, earlier)?;
    }
    let longest = definition.questions.iter().map(|question| match &question.answer {
        AnswerKind::Text(limits) => limits.max_length,
        AnswerKind::Rating(_) => 0,
    });
    // One display holds all of them.
    let longest = longest.fold(0, u16::saturating_add);
    if longest > TEXTS_LIMIT {
        let detail = format!("all texts together could have {longest} characters");
        return Err(Problem::new(Code::InvalidDefinition, detail)
            .at("questions")
            .limit(format!("{TEXTS_LIMIT} characters in all texts together")));
    }
    let Some(primary) = definition.rating(&definition.primary) else {
        return invalid("primary", "the primary question must be the id of a rating question");
    };
    for category in definition.thanks.by_category.keys() {
        if !primary.scale.categories().contains(category) {
            let path = format!("thanks.by_category.{}", category.name());
            return invalid(&path, "the primary question's scale has no such category");
        }
    }
    for (path, text) in definition.texts() {
        let limit = if path.contains(".answer.") || path.contains(".link.") { 100 } else { 500 };
        check_text(&path, text, &definition.language, limit)?;
    }
    for (path, link) in definition.links() {
        check_link(&path, link)?;
    }
    count("triggers", definition.triggers.len(), 1, RULES_LIMIT)?;
    for (at, trigger) in definition.triggers.iter().enumerate() {
        check_trigger(&format!("triggers[{at}]"), trigger)?;
    }
    check_targeting(&definition.targeting)?;
    check_schedule(definition)
}

fn check_question(path: &str, question: &Question, earlier: &[Question]) -> Result<(), Problem> {
    if !is_id(&question.id) {
        return Err(Problem::new(
            Code::InvalidDefinition,
            "a question's id starts with a to z and goes on with a to z, 0 to 9 and _",
        )
        .at(format!("{path}.id"))
        .limit("1..=32 characters"));
    }
    if earlier.iter().any(|earlier| earlier.id == question.id) {
        return invalid(&format!("{path}.id"), "another question has this id already");
    }
    if let Some(condition) = &question.show_if {
        let path = format!("{path}.show_if");
        let depends_on = earlier.iter().find(|earlier| earlier.id == condition.question);
        let Some(AnswerKind::Rating(rating)) = depends_on.map(|question| &question.answer) else {
            let path = format!("{path}.question");
            return invalid(&path, "a condition names an earlier rating question");
        };
        check_expected(&format!("{path}.is"), &condition.is, rating)?;
    }
    match &question.answer {
        AnswerKind::Rating(Rating { scale, direction: Direction::LowIsGood, .. })
            if scale.metric() != Metric::Ces =>
        {
            let path = format!("{path}.answer.rating.direction");
            invalid(&path, "only an effort scale can have its good end at the bottom")
        }
        AnswerKind::Rating(_) => Ok(()),
        AnswerKind::Text(limits) => {
            let path = format!("{path}.answer.text.max_length");
            range(&path, limits.max_length, 1, TEXT_LIMIT)
        }
    }
}

fn check_expected(path: &str, expected: &Expected, rating: &Rating) -> Result<(), Problem> {
    match expected {
        Expected::Category(categories) => {
            count(&format!("{path}.category"), categories.len(), 1, 3)?;
            let known = rating.scale.categories();
            match categories.iter().position(|category| !known.contains(category)) {
                Some(at) => {
                    invalid(&format!("{path}.category[{at}]"), "the scale has no such category")
                }
                None => Ok(()),
            }
        }
        Expected::Score { from, to } => {
            let (low, high) = rating.scale.range();
            range(&format!("{path}.score.from"), *from, low, high)?;
            range(&format!("{path}.score.to"), *to, *from, high)
        }
    }
}

fn check_text(path: &str, text: &Text, own: &str, limit: usize) -> Result<(), Problem> {
    for tag in text.languages() {
        if !text::is_language(tag) {
            return invalid(path, "a language is not a BCP 47 tag such as de or de-AT");
        }
    }
    if text.in_language(own, own).is_empty() {
        return invalid(path, "the text is missing in the survey's own language");
    }
    for (tag, wording) in text.wordings() {
        plain(&format!("{path}{tag}"), wording, limit)?;
    }
    Ok(())
}

/// A link leads to the web, a mail or a telephone; anything else could run a script.
fn check_link(path: &str, link: &Link) -> Result<(), Problem> {
    let path = format!("{path}.url");
    plain(&path, &link.url, 500)?;
    if is_safe_link(&link.url) {
        return Ok(());
    }
    Err(Problem::new(Code::InvalidDefinition, "the link is of another scheme")
        .at(path)
        .limit("https:, http:, mailto: or tel:"))
}

/// Whether an address has one of the schemes that a link may have, and no control characters, which
/// browsers skip when they look for a scheme.
pub fn is_safe_link(address: &str) -> bool {
    let scheme = address.split(':').next().unwrap_or_default().to_ascii_lowercase();
    address.contains(':')
        && matches!(scheme.as_str(), "https" | "http" | "mailto" | "tel")
        && !address.chars().any(char::is_control)
}

fn check_trigger(path: &str, trigger: &Trigger) -> Result<(), Problem> {
    match trigger {
        Trigger::Delay(ms) => range(&format!("{path}.delay"), *ms, 0, HOUR_MS),
        Trigger::TimeOnPage(ms) => range(&format!("{path}.time_on_page"), *ms, 0, HOUR_MS),
        Trigger::ScrollDepth(percent) => range(&format!("{path}.scroll_depth"), *percent, 1, 100),
        Trigger::Event { name, properties } => {
            plain(&format!("{path}.event.name"), name, 100)?;
            pairs(&format!("{path}.event.properties"), properties)
        }
        Trigger::Click(selector) => plain(&format!("{path}.click"), selector, 200),
        Trigger::ExitIntent | Trigger::FastScrollUp | Trigger::Manual => Ok(()),
    }
}

fn check_targeting(targeting: &Targeting) -> Result<(), Problem> {
    for (name, rules) in [("include", &targeting.include), ("exclude", &targeting.exclude)] {
        count(&format!("targeting.{name}"), rules.len(), 0, RULES_LIMIT)?;
        for (at, rule) in rules.iter().enumerate() {
            let path = format!("targeting.{name}[{at}]");
            plain(&path, rule.pattern(), 300)?;
            if let PageRule::Regex(pattern) = rule {
                check_regex(&path, pattern)?;
            }
        }
    }
    count("targeting.devices", targeting.devices.len(), 0, 3)?;
    count("targeting.languages", targeting.languages.len(), 0, RULES_LIMIT)?;
    for (at, tag) in targeting.languages.iter().enumerate() {
        if !text::is_language(tag) {
            return invalid(&format!("targeting.languages[{at}]"), "not a BCP 47 tag");
        }
    }
    pairs("targeting.traits", &targeting.traits)?;
    pairs("targeting.utm", &targeting.utm)?;
    if let Some(referrer) = &targeting.referrer {
        plain("targeting.referrer", referrer, 300)?;
    }
    if let Some(visits) = targeting.min_visits {
        range("targeting.min_visits", visits, 1, 10_000)?;
    }
    match targeting.sample_percent {
        Some(percent) => range("targeting.sample_percent", percent, 1, 100),
        None => Ok(()),
    }
}

/// Refuses what backtracking engines can be stalled by: a group that repeats and holds a repetition
/// or an alternative, and backreferences. Look-around is refused as well.
fn check_regex(path: &str, pattern: &str) -> Result<(), Problem> {
    let problem = |detail: &'static str| invalid(path, detail);
    // For each open group: whether it holds something that repeats or chooses.
    let mut groups = vec![false];
    let mut in_class = false;
    let mut closed_group_repeats = false;
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        let after_group = std::mem::take(&mut closed_group_repeats);
        match c {
            '\\' => match chars.next() {
                None => return problem("the pattern ends with a backslash"),
                Some('k' | '1'..='9') => return problem("the pattern has a backreference"),
                Some(_) => {}
            },
            ']' if in_class => in_class = false,
            _ if in_class => {}
            '[' => in_class = true,
            '(' => {
                if chars.next_if_eq(&'?').is_some() && chars.next_if_eq(&':').is_none() {
                    return problem("the pattern has a group that is not (…) or (?:…)");
                }
                groups.push(false);
            }
            ')' => {
                let (Some(repeats), Some(outer)) = (groups.pop(), groups.last_mut()) else {
                    return problem("the pattern closes a group that is not open");
                };
                *outer |= repeats;
                closed_group_repeats = repeats;
            }
            '*' | '+' | '{' => {
                if after_group {
                    return problem("the pattern repeats a group that repeats or chooses itself");
                }
                if let Some(group) = groups.last_mut() {
                    *group = true;
                }
            }
            '|' => {
                if let Some(group) = groups.last_mut() {
                    *group = true;
                }
            }
            _ => {}
        }
    }
    if in_class || groups.len() != 1 {
        return problem("the pattern leaves a group or a class open");
    }
    Ok(())
}

fn check_schedule(definition: &Definition) -> Result<(), Problem> {
    for (name, word) in
        [("stage", &definition.journey.stage), ("touchpoint", &definition.journey.touchpoint)]
    {
        if let Some(word) = word {
            plain(&format!("journey.{name}"), word, 50)?;
        }
    }
    if let Frequency::EveryDays(days) = definition.frequency {
        range("frequency.every_days", days, 1, DAYS_LIMIT)?;
    }
    // Half of what JavaScript can count: far beyond any date.
    let latest = 1 << 52;
    let start = definition.start_ms.unwrap_or(0);
    range("start_ms", start, 0, latest)?;
    range("end_ms", definition.end_ms.unwrap_or(latest), start.saturating_add(1), latest)
}

fn is_id(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn pairs(path: &str, pairs: &std::collections::BTreeMap<String, String>) -> Result<(), Problem> {
    count(path, pairs.len(), 0, 20)?;
    for (key, value) in pairs {
        plain(path, key, 50)?;
        plain(&format!("{path}.{key}"), value, 200)?;
    }
    Ok(())
}

fn plain(path: &str, text: &str, limit: usize) -> Result<(), Problem> {
    let characters = text.chars().count();
    if text.trim().is_empty() || characters > limit {
        let detail = format!("the text has {characters} characters");
        return Err(Problem::new(Code::InvalidDefinition, detail)
            .at(path)
            .limit(format!("1..={limit} characters")));
    }
    Ok(())
}

fn count(path: &str, count: usize, least: usize, most: usize) -> Result<(), Problem> {
    range(path, count, least, most)
}

fn range<T: PartialOrd + std::fmt::Display>(
    path: &str,
    value: T,
    least: T,
    most: T,
) -> Result<(), Problem> {
    if least <= value && value <= most {
        return Ok(());
    }
    Err(Problem::new(Code::InvalidDefinition, format!("{value} is out of range"))
        .at(path)
        .limit(format!("{least}..={most}")))
}

fn invalid(path: &str, detail: &'static str) -> Result<(), Problem> {
    Err(Problem::new(Code::InvalidDefinition, detail).at(path))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::validate::tests::definition_json;

    /// The field that a changed definition is refused for.
    #[track_caller]
    fn refused(change: impl FnOnce(&mut Value)) -> String {
        let mut json = definition_json();
        change(&mut json);
        let problem = definition(&serde_json::from_value(json).unwrap()).unwrap_err();
        assert_eq!(problem.code, Code::InvalidDefinition);
        problem.field.unwrap()
    }

    #[test]
    fn the_definition_of_the_tests_keeps_every_rule() {
        assert_eq!(definition(&serde_json::from_value(definition_json()).unwrap()), Ok(()));
    }

    #[test]
    fn each_broken_rule_names_its_field() {
        type Change = (&'static str, &'static str, Value);
        let changes: [Change; 30] = [
            ("/name", "name", json!("")),
            ("/language", "language", json!("de_AT")),
            ("/questions", "questions", json!([])),
            ("/questions/0/id", "questions[0].id", json!("Score")),
            ("/questions/1/id", "questions[1].id", json!("score")),
            ("/questions/1/text", "questions[1].text", json!(" ")),
            ("/questions/0/text", "questions[0].text", json!({"de": "Würden Sie?"})),
            ("/questions/0/text", "questions[0].text.de", json!({"en": "Would you?", "de": ""})),
            ("/questions/0/text", "questions[0].text", json!({"en": "Would you?", "d_e": "x"})),
            (
                "/questions/0/answer/rating/low",
                "questions[0].answer.rating.low",
                json!("x".repeat(101)),
            ),
            (
                "/questions/0/answer/rating/direction",
                "questions[0].answer.rating.direction",
                json!("low_is_good"),
            ),
            (
                "/questions/1/answer/text/max_length",
                "questions[1].answer.text.max_length",
                json!(2_001),
            ),
            ("/questions/1/show_if/question", "questions[1].show_if.question", json!("why")),
            (
                "/questions/1/show_if/is",
                "questions[1].show_if.is.category[0]",
                json!({"category": ["easy"]}),
            ),
            (
                "/questions/1/show_if/is",
                "questions[1].show_if.is.category",
                json!({"category": []}),
            ),
            (
                "/questions/1/show_if/is",
                "questions[1].show_if.is.score.to",
                json!({"score": {"from": 5, "to": 4}}),
            ),
            ("/primary", "primary", json!("why")),
            ("/thanks/text", "thanks.text", json!("x".repeat(501))),
            ("/thanks/by_category", "thanks.by_category.hard", json!({"hard": {"text": "Oh."}})),
            ("/thanks/link/url", "thanks.link.url", json!("javascript:alert(1)")),
            ("/thanks/link/url", "thanks.link.url", json!("java\nscript:alert(1)")),
            ("/triggers", "triggers", json!([])),
            ("/triggers", "triggers[0].delay", json!([{"delay": HOUR_MS + 1}])),
            ("/triggers", "triggers[0].scroll_depth", json!([{"scroll_depth": 101}])),
            ("/targeting", "targeting.include[0]", json!({"include": [{"regex": "(a+)+$"}]})),
            ("/targeting", "targeting.languages[0]", json!({"languages": ["de_AT"]})),
            ("/targeting", "targeting.sample_percent", json!({"sample_percent": 0})),
            ("/frequency", "frequency.every_days", json!({"every_days": 0})),
            ("/journey", "journey.stage", json!({"stage": ""})),
            ("/end_ms", "end_ms", json!(1_000)),
        ];
        for (pointer, field, value) in changes {
            let found = refused(|json| *json.pointer_mut(pointer).unwrap() = value.clone());
            assert_eq!(found, field, "{pointer} = {value}");
        }
    }

    #[test]
    fn all_texts_of_a_display_fit_its_limit() {
        let field = refused(|json| {
            for id in ["more", "even_more"] {
                let answer = json!({ "text": { "max_length": 1_250 } });
                let question = json!({ "id": id, "text": "And?", "answer": answer });
                json["questions"].as_array_mut().unwrap().push(question);
            }
        });
        assert_eq!(field, "questions");
        // Six bytes for each character, as a control character takes in JSON.
        assert!(usize::from(TEXTS_LIMIT) * 6 + 1_300 < crate::validate::DISPLAY_LIMIT);
    }

    #[test]
    fn a_pattern_that_could_stall_a_page_is_refused_and_others_are_not() {
        for pattern in
            ["(a+)+", "(a|b)*", "(?:x{2})+", "a(b(c*))+d", r"(a)\1", "(?=a)", "(", ")", "[a", "a\\"]
        {
            assert!(check_regex("p", pattern).is_err(), "{pattern}");
        }
        for pattern in
            ["^/cart/[0-9]+$", "(?:shop|store)/item", r"\.html?$", "[(+)]+", "(abc)+", r"\(a+\)"]
        {
            assert_eq!(check_regex("p", pattern), Ok(()), "{pattern}");
        }
    }
}
