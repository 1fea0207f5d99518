//! The pages: a question, the thanks, and messages. They look like the widget, with the same classes and the
//! same style sheet.

use asklet_shared::body::words::Words;
use asklet_shared::body::{Body, Field, Rating};
use asklet_shared::definition::language::is_right_to_left;
use asklet_shared::display::{Answer, Answers};
use asklet_shared::validate::is_safe_link;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::hosted::walk::{Complaint, Next};

/// The widget's style sheet. It has rules for a host element, which does not exist here, and for a panel, which
/// here is the page.
const WIDGET_STYLE: &str = include_str!("../../../widget/src/style.css");

/// The rules that turn the panel into a page.
const PAGE_STYLE: &str = include_str!("hosted.css");

/// The script of a page in a frame. It tells the surrounding page that the survey is there, and whether
/// anything was answered. The surrounding page cannot look into the frame, and gets no message if the frame
/// shows something else.
const SCRIPT: &str = "parent.postMessage({asklet:document.body.dataset.reached},'*')";

/// A page.
pub struct Page {
    /// The document.
    pub html: String,
    /// The content of its style element, which the content security policy names.
    pub style: String,
    /// The content of its script element, which the content security policy names; empty without a script.
    pub script: &'static str,
}

/// The position of a visitor in a survey, and what the page shows there.
pub struct PageContent<'a> {
    /// The survey.
    pub body: &'a Body,
    /// The answers so far.
    pub answers: &'a Answers,
    /// The page to show.
    pub next: Next,
    /// The text that the visitor wrote. With a complaint, it is the text that was not accepted.
    pub written: &'a str,
    /// The name and value of a field that the form carries along.
    pub carried: (&'static str, &'a str),
    /// Whether the page is in a frame.
    pub is_framed: bool,
}

/// Returns the page for a position in a survey.
pub fn page(content: &PageContent<'_>) -> Page {
    let PageContent { body, answers, is_framed, .. } = *content;
    let (at, complaint) = match content.next {
        Next::Question(at) => (at, None),
        Next::Again(at, complaint) => (at, Some(complaint)),
        Next::Thanks => (body.questions.len(), None),
    };
    let Some(question) = body.questions.get(at) else { return thanks(body, answers, is_framed) };
    let given = answers.get(&question.id);
    let (name, value) = content.carried;
    let is_refused = complaint.is_some();
    let field = match &question.field {
        Field::Rating(scale) => rating(&question.text, scale, given, is_refused),
        Field::Text(_) => {
            let text = match given {
                _ if is_refused => content.written,
                Some(Answer::Text(text)) => text,
                _ => "",
            };
            comment(&question.text, &body.strings.optional, text, is_refused)
        }
    };
    let main = html! {
        form method="post" autocomplete="off" {
            input type="hidden" name=(name) value=(value);
            input type="hidden" name="at" value=(at);
            @if let Some(complaint) = complaint {
                p.error #error role="alert" { (message_of(complaint, &body.language)) }
            }
            (field)
            (actions(body, answers, at))
        }
        @if at == 0 { (notice(body)) }
    };
    document(&body.language, &question.text, &body.style, frame(is_framed, answers), &main)
}

/// Returns a page that shows only a message.
pub fn message(language: &str, text: &str, is_framed: bool) -> Page {
    // Such a page reports nothing: the surrounding page has no survey to show.
    let frame = if is_framed { Frame::Silent } else { Frame::None };
    document(language, text, "", frame, &html! { p.thanks { (text) } })
}

/// Whether a page is in a frame, and what it reports.
enum Frame {
    None,
    /// The page reports nothing to the surrounding page.
    Silent,
    /// The page reports to the surrounding page what was reached.
    Reached(&'static str),
}

fn frame(is_framed: bool, answers: &Answers) -> Frame {
    match (is_framed, answers.0.is_empty()) {
        (false, _) => Frame::None,
        (true, true) => Frame::Reached("shown"),
        (true, false) => Frame::Reached("answered"),
    }
}

/// Writes a document with this content.
fn document(language: &str, title: &str, style: &str, frame: Frame, main: &Markup) -> Page {
    // HTML does not escape in a style element, so the character that could end the element is left out.
    let style = [WIDGET_STYLE, style, PAGE_STYLE].concat().replace('<', "");
    let direction = if is_right_to_left(language) { "rtl" } else { "ltr" };
    let (reached, is_framed) = match frame {
        Frame::None => (None, false),
        Frame::Silent => (None, true),
        Frame::Reached(reached) => (Some(reached), true),
    };
    let script = if reached.is_some() { SCRIPT } else { "" };
    let html = html! {
        (DOCTYPE)
        html lang=(language) dir=(direction) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) }
                style { (PreEscaped(&style)) }
            }
            body.panel.framed[is_framed] data-reached=[reached] {
                main { (main) }
                @if !script.is_empty() { script { (PreEscaped(script)) } }
            }
        }
    };
    Page { html: html.into_string(), style, script }
}

/// Returns the message for an answer that was not accepted.
fn message_of(complaint: Complaint, language: &str) -> String {
    let words = Words::in_language(language);
    match complaint {
        Complaint::Required => words.required.to_owned(),
        Complaint::TooLong(limit) => words.too_long.replace("{limit}", &limit.to_string()),
    }
}

/// Writes a scale: radio buttons in a fieldset. The style sheet decides what is shown for a value.
fn rating(question: &str, rating: &Rating, given: Option<&Answer>, again: bool) -> Markup {
    let described_by = if again { "error ends" } else { "ends" };
    let is_given = |score| given == Some(&Answer::Score(score));
    html! {
        fieldset aria-describedby=(described_by) {
            legend.question { (question) }
            div.scale.(rating.shown_as) {
                @for score in rating.lowest..=rating.highest {
                    label.option {
                        input type="radio" name="score" value=(score) checked[is_given(score)]
                            autofocus[again && score == rating.lowest];
                        span { (score) }
                    }
                }
            }
            div.ends #ends {
                span { (rating.low) }
                span { (rating.high) }
            }
        }
    }
}

/// Writes a text field, which the visitor may leave empty.
fn comment(question: &str, optional: &str, text: &str, again: bool) -> Markup {
    let invalid = again.then_some("true");
    let described_by = again.then_some("error");
    html! {
        label.question for="text" {
            (question) " "
            span.hint { (optional) }
        }
        textarea #text name="text" rows="5" dir="auto" aria-invalid=[invalid]
            aria-describedby=[described_by] autofocus[again] {
            // The parser drops a line break at the beginning.
            "\n" (text)
        }
    }
}

/// Writes the buttons. The button for the next page comes first, since Enter presses the first one.
fn actions(body: &Body, answers: &Answers, at: usize) -> Markup {
    let strings = &body.strings;
    let submit = if body.is_last(answers, at) { &strings.send } else { &strings.next };
    let before = body.asked(answers).filter(|other| *other < at).count();
    let later = body.asked(answers).filter(|other| *other > at).count();
    let progress = strings.progress.replace("{n}", &(before + 1).to_string());
    let progress = progress.replace("{total}", &(before + 1 + later).to_string());
    html! {
        div.actions {
            button.submit { (submit) }
            @if before + later > 0 { span.progress { (progress) } }
            @if before > 0 { button.back name="back" value="1" { (strings.back) } }
        }
    }
}

/// Writes the site's notice for the page of the first question: why the visitor is asked, and what happens to
/// the answers.
fn notice(body: &Body) -> Markup {
    let Body { why, privacy_url, strings, .. } = body;
    html! {
        div.notice {
            @if !why.is_empty() {
                details {
                    summary { (strings.why) }
                    (why)
                }
            }
            (link(privacy_url, &strings.privacy))
        }
    }
}

/// Returns the page with the thanks.
fn thanks(body: &Body, answers: &Answers, is_framed: bool) -> Page {
    let thanks = body.thanks(answers);
    let text = thanks.map_or("", |thanks| &thanks.text);
    let main = html! {
        p.thanks { (text) }
        @if let Some(thanks) = thanks { (link(&thanks.url, &thanks.link)) }
    };
    document(&body.language, text, &body.style, frame(is_framed, answers), &main)
}

/// Writes a link out of the survey, if it is safe to follow.
fn link(url: &str, text: &str) -> Markup {
    html! {
        @if is_safe_link(url) {
            a.link target="_blank" rel="noopener noreferrer" href=(url) { (text) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        let page = message("en", "<script>alert(\"'&amp;'\")</script>", false);
        assert!(!page.html.contains("<script"), "{}", page.html);
        assert!(
            page.html.contains("&lt;script&gt;alert(&quot;'&amp;amp;'&quot;)"),
            "{}",
            page.html
        );
        let link = link("https://shop.example/?a=\"&b='", "a & b").into_string();
        assert!(link.contains("href=\"https://shop.example/?a=&quot;&amp;b='\""), "{link}");
        let style = ".a{color:red}</style><script>";
        let page = document("en", "", style, Frame::None, &html! {});
        assert_eq!(page.html.matches("</style>").count(), 1);
        assert!(!page.html.contains("<script"), "{}", page.html);
    }
}
