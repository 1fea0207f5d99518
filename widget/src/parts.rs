//! The parts of a survey: the question with its field, the notice of the site, and the thanks.

use asklet_shared::body::{Body, Field, Question, Rating, Thanks};
use asklet_shared::display::Answer;
use asklet_shared::validate::is_safe_link;

use crate::element::{Element, element};

/// The position of a question among those that are asked, counted from 1.
pub struct Place {
    pub at: usize,
    pub total: usize,
    /// Whether no other question can follow.
    pub is_last: bool,
}

/// Draws one question with the buttons for the next and the previous one.
pub fn question(
    body: &Body,
    question: &Question,
    place: &Place,
    given: Option<&Answer>,
) -> Element {
    let strings = &body.strings;
    let form = element("form", "");
    let form = match &question.field {
        Field::Rating(scale) => form.child(&rating(question, scale, given)),
        Field::Text(limit) => comment(form, question, *limit, given, &strings.optional),
    };
    let mut actions = element("div", "actions");
    let quiet =
        |class: &str, label: &str| element("button", class).with("type", "button").text(label);
    if place.at > 1 {
        actions = actions.child(&quiet("back", &strings.back));
    } else if body.later {
        actions = actions.child(&quiet("later", &strings.later));
    }
    if place.total > 1 {
        let hint = strings.progress.replace("{n}", &place.at.to_string());
        let hint = hint.replace("{total}", &place.total.to_string());
        actions = actions.child(&element("span", "progress").text(&hint));
    }
    let forward = if place.is_last { &strings.send } else { &strings.next };
    let mut submit = element("button", "submit").text(forward);
    if given.is_none() && matches!(question.field, Field::Rating(_)) {
        submit = submit.with("disabled", "");
    }
    let form = form.child(&actions.child(&submit));
    if place.at == 1 { notice(form, body) } else { form }
}

/// Draws a scale: native radio buttons in a fieldset. The style sheet decides how a value looks.
fn rating(question: &Question, rating: &Rating, given: Option<&Answer>) -> Element {
    let mut scale = element("div", &format!("scale {}", rating.shown_as));
    for score in rating.lowest..=rating.highest {
        let text = score.to_string();
        let mut radio = element("input", "").with("type", "radio").with("name", "score");
        radio = radio.with("value", &text);
        if given == Some(&Answer::Score(score)) {
            radio = radio.with("checked", "");
        }
        let shown = element("span", "").text(&text);
        scale = scale.child(&element("label", "option").child(&radio).child(&shown));
    }
    let end = |text: &str| element("span", "").text(text);
    let ends = element("div", "ends").with("id", "ends");
    element("fieldset", "")
        .with("aria-describedby", "ends")
        .child(&element("legend", "question").with("id", "question").text(&question.text))
        .child(&scale)
        .child(&ends.child(&end(&rating.low)).child(&end(&rating.high)))
}

/// Draws a text field, which may stay empty.
fn comment(
    form: Element,
    question: &Question,
    limit: u16,
    given: Option<&Answer>,
    optional: &str,
) -> Element {
    let label = element("label", "question").with("id", "question").with("for", "text");
    let label = label.text(&question.text).text(" ");
    let mut field = element("textarea", "").with("id", "text").with("dir", "auto");
    field = field.with("rows", "3").with("maxlength", &limit.to_string());
    if let Some(Answer::Text(text)) = given {
        field = field.text(text);
    }
    form.child(&label.child(&element("span", "hint").text(optional))).child(&field)
}

/// Draws the site's notice beside the first question: why the visitor is asked, and what is done with answers.
fn notice(form: Element, body: &Body) -> Element {
    let Body { why, privacy_url, strings, .. } = body;
    let mut notice = element("div", "notice");
    if !why.is_empty() {
        let summary = element("summary", "").text(&strings.why);
        notice = notice.child(&element("details", "").child(&summary).text(why));
    }
    if is_safe_link(privacy_url) {
        notice = notice.child(&link(privacy_url, &strings.privacy));
    }
    form.child(&notice)
}

/// Draws the thanks at the end.
pub fn thanks(thanks: &Thanks) -> Element {
    let text = element("p", "thanks").with("id", "question").text(&thanks.text);
    let end = element("div", "").child(&text);
    if is_safe_link(&thanks.url) { end.child(&link(&thanks.url, &thanks.link)) } else { end }
}

fn link(url: &str, text: &str) -> Element {
    let link = element("a", "link").with("href", url).with("target", "_blank");
    link.with("rel", "noopener noreferrer").text(text)
}
