//! The rules of definitions: lengths, ids, references, and patterns that could stall a page.

use super::checks::{
    DAYS_LIMIT, LINK_SCHEMES, check_link, check_text, count, invalid, plain, range,
};
use super::display::{TEXT_LIMIT, TEXTS_LIMIT};
use super::looks;
use super::pages::{check_group_rule, check_rule};
use crate::definition::Definition;
use crate::definition::language::is_language;
use crate::definition::question::{AnswerKind, Expected, Options, Question, Rating, TextLimits};
use crate::definition::when::{After, Frequency, Targeting, Trigger, Wait, Wanted};
use crate::dimension::{OTHER, TRAITS_LIMIT};
use crate::display::OTHER_OPTION;
use crate::metrics::{Direction, Metric};
use crate::problem::{Code, Problem};
use crate::time::are_seconds;

/// The largest definition, in bytes of JSON.
pub const DEFINITION_LIMIT: usize = 64 * 1024;

/// Number of questions that a survey can ask at most.
pub const QUESTIONS_LIMIT: usize = 20;
const RULES_LIMIT: usize = 50;
const HOUR_MS: u32 = 60 * 60 * 1000;
const OPTIONS_LIMIT: usize = 20;

/// The shortest time after which data is forgotten, in days: until then a revision may arrive.
pub const RETENTION_LEAST: u16 = 31;

/// Checks the rules that serde cannot check.
pub fn definition(definition: &Definition) -> Result<(), Problem> {
    plain("name", &definition.name, 100)?;
    if !is_language(&definition.language) {
        return invalid("language", "the language is not a BCP 47 tag such as de or de-AT");
    }
    count("questions", definition.questions.len(), 1, QUESTIONS_LIMIT)?;
    for (at, question) in definition.questions.iter().enumerate() {
        let earlier = definition.questions.get(..at).unwrap_or_default();
        check_question(&format!("questions[{at}]"), question, earlier)?;
    }
    let longest = definition.questions.iter().map(|question| question.answer.longest_text());
    // One display holds all texts.
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
        check_link(&format!("{path}.url"), &link.url, &LINK_SCHEMES)?;
    }
    count("triggers", definition.triggers.len(), 1, RULES_LIMIT)?;
    for (at, trigger) in definition.triggers.iter().enumerate() {
        check_trigger(&format!("triggers[{at}]"), trigger)?;
    }
    check_wait(&definition.wait)?;
    check_targeting(&definition.targeting)?;
    looks::position(&definition.appearance.position)?;
    looks::theme("appearance.theme", &definition.appearance.theme)?;
    check_dimensions(definition)?;
    check_schedule(definition)
}

/// Refuses a definition that pages cannot show yet.
pub fn shown(definition: &Definition) -> Result<(), Problem> {
    if definition.is_shown() {
        return Ok(());
    }
    Err(Problem::new(
        Code::NotShown,
        "the survey has a choice question, and pages cannot show one yet",
    ))
}

fn check_question(path: &str, question: &Question, earlier: &[Question]) -> Result<(), Problem> {
    check_id(&format!("{path}.id"), &question.id)?;
    if earlier.iter().any(|earlier| earlier.id == question.id) {
        return invalid(&format!("{path}.id"), "another question has this id already");
    }
    if let Some(condition) = &question.show_if {
        let path = format!("{path}.show_if");
        let depends_on = earlier.iter().find(|earlier| earlier.id == condition.question);
        let Some(depends_on) = depends_on else {
            return invalid(
                &format!("{path}.question"),
                "a condition must name an earlier question",
            );
        };
        check_expected(&format!("{path}.is"), &condition.is, &depends_on.answer)?;
    }
    match &question.answer {
        AnswerKind::Rating(Rating { scale, direction: Direction::LowIsGood, .. })
            if scale.metric() != Metric::Ces =>
        {
            let path = format!("{path}.answer.rating.direction");
            invalid(&path, "only an effort scale can have its good end at the bottom")
        }
        AnswerKind::Rating(Rating { scale, shown_as, .. }) => {
            if shown_as.fits(*scale) {
                return Ok(());
            }
            let detail = "this scale cannot be shown in that style";
            Err(Problem::new(Code::InvalidDefinition, detail)
                .at(format!("{path}.answer.rating.shown_as"))
                .limit("stars for csat, faces for csat of 3 or 5 points, numbers for all"))
        }
        AnswerKind::Text(limits) => check_length(&format!("{path}.answer.text"), limits),
        AnswerKind::Choice(options) => check_options(&format!("{path}.answer.choice"), options),
    }
}

fn check_length(path: &str, limits: &TextLimits) -> Result<(), Problem> {
    range(&format!("{path}.max_length"), limits.max_length, 1, TEXT_LIMIT)
}

fn check_options(path: &str, options: &Options) -> Result<(), Problem> {
    count(&format!("{path}.options"), options.options.len(), 2, OPTIONS_LIMIT)?;
    for (at, option) in options.options.iter().enumerate() {
        let path = format!("{path}.options[{at}].id");
        check_id(&path, &option.id)?;
        let mut earlier = options.options.iter().take(at);
        if option.id == OTHER_OPTION || earlier.any(|earlier| earlier.id == option.id) {
            return invalid(&path, "another option has this id already");
        }
    }
    options.other.as_ref().map_or(Ok(()), |limits| check_length(&format!("{path}.other"), limits))
}

fn check_expected(path: &str, expected: &Expected, asked: &AnswerKind) -> Result<(), Problem> {
    match (expected, asked) {
        (Expected::Category(categories), AnswerKind::Rating(rating)) => {
            let path = format!("{path}.category");
            count(&path, categories.len(), 1, 3)?;
            let known = rating.scale.categories();
            all_known(&path, "the scale has no such category", categories, |category| {
                known.contains(category)
            })
        }
        (Expected::Score { from, to }, AnswerKind::Rating(rating)) => {
            let (low, high) = rating.scale.range();
            range(&format!("{path}.score.from"), *from, low, high)?;
            range(&format!("{path}.score.to"), *to, *from, high)
        }
        (Expected::Choice(wanted), AnswerKind::Choice(options)) => {
            let path = format!("{path}.choice");
            count(&path, wanted.len(), 1, OPTIONS_LIMIT)?;
            all_known(&path, "the question has no such option", wanted, |id| {
                options.options.iter().any(|option| option.id == *id)
                    || (id == OTHER_OPTION && options.other.is_some())
            })
        }
        _ => invalid(path, "the earlier question has another type of answer"),
    }
}

fn all_known<T>(
    path: &str,
    detail: &'static str,
    values: &[T],
    is_known: impl Fn(&T) -> bool,
) -> Result<(), Problem> {
    match values.iter().position(|value| !is_known(value)) {
        Some(at) => invalid(&format!("{path}[{at}]"), detail),
        None => Ok(()),
    }
}

fn check_trigger(path: &str, trigger: &Trigger) -> Result<(), Problem> {
    match trigger {
        Trigger::Delay(ms) => range(&format!("{path}.delay"), *ms, 0, HOUR_MS),
        Trigger::TimeOnPage(ms) => range(&format!("{path}.time_on_page"), *ms, 0, HOUR_MS),
        Trigger::ScrollDepth(percent) => range(&format!("{path}.scroll_depth"), *percent, 1, 100),
        Trigger::Event { name, properties } => {
            plain(&format!("{path}.event.name"), name, 100)?;
            let path = format!("{path}.event.properties");
            count(&path, properties.len(), 0, RULES_LIMIT)?;
            properties.iter().try_for_each(|(property, wanted)| {
                let path = format!("{path}.{property}");
                plain(&path, property, 100)?;
                match wanted {
                    Wanted::Is(text) | Wanted::IsNot(text) | Wanted::Contains(text) => {
                        plain(&path, text, 300)
                    }
                    Wanted::AtLeast(_) | Wanted::AtMost(_) => Ok(()),
                }
            })
        }
        Trigger::Click(selector) => plain(&format!("{path}.click"), selector, 200),
        Trigger::ExitIntent | Trigger::FastScrollUp | Trigger::Manual => Ok(()),
    }
}

fn check_wait(wait: &Wait) -> Result<(), Problem> {
    range("wait.ms", wait.ms, 0, HOUR_MS)?;
    count("wait.cancelled_by", wait.cancelled_by.len(), 0, RULES_LIMIT)?;
    wait.cancelled_by
        .iter()
        .enumerate()
        .try_for_each(|(at, name)| plain(&format!("wait.cancelled_by[{at}]"), name, 100))
}

fn check_targeting(targeting: &Targeting) -> Result<(), Problem> {
    for (name, rules) in [("include", &targeting.include), ("exclude", &targeting.exclude)] {
        count(&format!("targeting.{name}"), rules.len(), 0, RULES_LIMIT)?;
        for (at, rule) in rules.iter().enumerate() {
            check_rule(&format!("targeting.{name}[{at}]"), rule)?;
        }
    }
    count("targeting.devices", targeting.devices.len(), 0, 3)?;
    count("targeting.languages", targeting.languages.len(), 0, RULES_LIMIT)?;
    for (at, tag) in targeting.languages.iter().enumerate() {
        if !is_language(tag) {
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

/// Checks the names by which displays are distinguished: they must all be different.
fn check_dimensions(definition: &Definition) -> Result<(), Problem> {
    let groups: Vec<_> = definition.page_groups.iter().map(|group| group.name.clone()).collect();
    for (path, names, limit) in [
        ("variants", &definition.variants, 10),
        ("page_groups", &groups, 50),
        ("traits", &definition.traits, TRAITS_LIMIT),
    ] {
        count(path, names.len(), 0, limit)?;
        for (at, name) in names.iter().enumerate() {
            let path = format!("{path}[{at}]");
            plain(&path, name, 50)?;
            if name == OTHER || names.iter().take(at).any(|earlier| earlier == name) {
                return invalid(&path, "the name is taken");
            }
        }
    }
    for (at, key) in definition.traits.iter().enumerate() {
        check_id(&format!("traits[{at}]"), key)?;
    }
    for (at, group) in definition.page_groups.iter().enumerate() {
        let path = format!("page_groups[{at}].pages");
        count(&path, group.pages.len(), 1, RULES_LIMIT)?;
        for (at, rule) in group.pages.iter().enumerate() {
            check_group_rule(&format!("{path}[{at}]"), rule)?;
        }
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
    let After { ignored, dismissed, answered } = definition.frequency.after();
    let path = |outcome: &str| match definition.frequency {
        Frequency::EveryDays(_) => "frequency.every_days".to_owned(),
        _ => format!("frequency.after.{outcome}"),
    };
    for (outcome, days) in [("ignored", ignored), ("dismissed", dismissed), ("answered", answered)]
    {
        range(&path(outcome), days.unwrap_or(1), 1, DAYS_LIMIT)?;
    }
    range("later_days", definition.later_days.unwrap_or(1), 1, 365)?;
    // Half of the numbers that JavaScript keeps exactly: far beyond any date.
    let latest = 1 << 52;
    for (field, ms) in [("start_ms", definition.start_ms), ("end_ms", definition.end_ms)] {
        if ms.is_some_and(are_seconds) {
            return invalid(field, "the time is in seconds: multiply it by 1000");
        }
    }
    let start = definition.start_ms.unwrap_or(0);
    range("start_ms", start, 0, latest)?;
    range("end_ms", definition.end_ms.unwrap_or(latest), start.saturating_add(1), latest)?;
    if let Some(quota) = definition.quota {
        range("quota", quota, 1, 1_000_000_000)?;
    }
    match definition.retention_days {
        Some(days) => range("retention_days", days, RETENTION_LEAST, DAYS_LIMIT),
        None => Ok(()),
    }
}

fn check_id(path: &str, text: &str) -> Result<(), Problem> {
    let keeps_rules = text.len() <= 32
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if keeps_rules {
        return Ok(());
    }
    let detail = "an id starts with a to z, followed by a to z, 0 to 9 or _";
    Err(Problem::new(Code::InvalidDefinition, detail).at(path).limit("1 to 32 characters"))
}

fn pairs(path: &str, pairs: &std::collections::BTreeMap<String, String>) -> Result<(), Problem> {
    count(path, pairs.len(), 0, 20)?;
    for (key, value) in pairs {
        plain(path, key, 50)?;
        plain(&format!("{path}.{key}"), value, 200)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::validate::tests::definition_json;

    /// Returns the field for which a changed definition is refused.
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
    #[expect(clippy::too_many_lines, reason = "a table: a line for each rule")]
    fn each_broken_rule_names_its_field() {
        type Change = (&'static str, &'static str, Value);
        let changes: [Change; 47] = [
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
            ("/questions/1/show_if/question", "questions[1].show_if.question", json!("how")),
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
            ("/end_ms", "end_ms", json!(1_761_955_200_000_u64)),
            ("/start_ms", "start_ms", json!(1_761_955_200)),
            ("/quota", "quota", json!(0)),
            ("/retention_days", "retention_days", json!(30)),
            ("/variants", "variants[1]", json!(["a", "a"])),
            ("/variants", "variants[0]", json!(["other"])),
            ("/traits", "traits", json!(["a", "b", "c", "d", "e", "f"])),
            ("/traits", "traits[0]", json!(["a'b"])),
            ("/page_groups/0/pages", "page_groups[0].pages", json!([])),
            ("/page_groups/0/pages", "page_groups[0].pages[0]", json!([{"regex": "a"}])),
            (
                "/appearance/theme/light/accent",
                "appearance.theme.light.on_accent",
                json!("#ffffff"),
            ),
            ("/appearance/position", "appearance.position.inline", json!({"inline": ""})),
            (
                "/questions/2/answer/choice/options/1/id",
                "questions[2].answer.choice.options[1].id",
                json!("price"),
            ),
            (
                "/questions/2/answer/choice/options/1/id",
                "questions[2].answer.choice.options[1].id",
                json!("other"),
            ),
            ("/questions/2/answer/choice/options", "questions[2].answer.choice.options", json!([])),
            (
                "/questions/3/show_if/is",
                "questions[3].show_if.is.choice[0]",
                json!({"choice": ["mood"]}),
            ),
            (
                "/questions/3/show_if/is",
                "questions[3].show_if.is",
                json!({"category": ["promoter"]}),
            ),
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
        // Six bytes for each character, which is the size of a control character in JSON.
        assert!(usize::from(TEXTS_LIMIT) * 6 + 1_300 < crate::validate::DISPLAY_LIMIT);
    }
}
