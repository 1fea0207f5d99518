//! The pages: a question, the thanks, and messages. They look like the widget, with the same classes and the
//! same style sheet.

use asklet_shared::body::words::Words;
use asklet_shared::body::{Body, Field, Rating};
use asklet_shared::definition::language::is_right_to_left;
use asklet_shared::display::{Answer, Answers};
use asklet_shared::validate::is_safe_link;

use crate::hosted::html::Html;
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
    pub html: Html,
    /// The content of its style element, which the content security policy names.
    pub style: Html,
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
    let mut page =
        Page::open(&body.language, &question.text, &body.style, frame(is_framed, answers));
    let html = &mut page.html;
    html.raw("<form method=\"post\" autocomplete=\"off\">");
    let (name, value) = content.carried;
    hidden(html, name, value);
    hidden(html, "at", &at.to_string());
    if let Some(complaint) = complaint {
        html.raw("<p class=\"error\" id=\"error\" role=\"alert\">");
        html.text(&said(complaint, &body.language)).raw("</p>");
    }
    let is_refused = complaint.is_some();
    match &question.field {
        Field::Rating(scale) => rating(html, &question.text, scale, given, is_refused),
        Field::Text(_) => {
            let text = match given {
                _ if is_refused => content.written,
                Some(Answer::Text(text)) => text,
                _ => "",
            };
            comment(html, &question.text, &body.strings.optional, text, is_refused);
        }
    }
    actions(html, body, answers, at);
    html.raw("</form>");
    if at == 0 {
        notice(html, body);
    }
    page.close()
}

/// Returns a page that shows only a message.
pub fn message(language: &str, text: &str, is_framed: bool) -> Page {
    // Such a page reports nothing: the surrounding page has no survey to show.
    let frame = if is_framed { Frame::Silent } else { Frame::None };
    let mut page = Page::open(language, text, "", frame);
    page.html.raw("<p class=\"thanks\">").text(text).raw("</p>");
    page.close()
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

impl Page {
    /// Writes the page up to the beginning of its content.
    fn open(language: &str, title: &str, style: &str, frame: Frame) -> Self {
        let mut sheet = Html::default();
        sheet.style(WIDGET_STYLE).style(style).style(PAGE_STYLE);
        let mut html = Html::default();
        html.raw("<!doctype html><html lang=\"").text(language);
        html.raw(if is_right_to_left(language) { "\" dir=\"rtl" } else { "\" dir=\"ltr" });
        html.raw(
            "\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\">\
             <meta name=\"robots\" content=\"noindex\"><title>",
        );
        html.text(title).raw("</title><style>").style(sheet.as_str()).raw("</style></head>");
        let mut script = "";
        match frame {
            Frame::None => html.raw("<body class=\"panel\">"),
            Frame::Silent => html.raw("<body class=\"panel framed\">"),
            Frame::Reached(reached) => {
                script = SCRIPT;
                html.raw("<body class=\"panel framed\" data-reached=\"").raw(reached).raw("\">")
            }
        };
        html.raw("<main>");
        Self { html, style: sheet, script }
    }

    fn close(mut self) -> Self {
        self.html.raw("</main>");
        if !self.script.is_empty() {
            self.html.raw("<script>").raw(self.script).raw("</script>");
        }
        self.html.raw("</body></html>");
        self
    }
}

fn hidden(html: &mut Html, name: &'static str, value: &str) {
    html.raw("<input type=\"hidden\" name=\"").raw(name).raw("\" value=\"").text(value).raw("\">");
}

/// Returns the message for an answer that was not accepted.
fn said(complaint: Complaint, language: &str) -> String {
    let words = Words::in_language(language);
    match complaint {
        Complaint::Required => words.required.to_owned(),
        Complaint::TooLong(limit) => words.too_long.replace("{limit}", &limit.to_string()),
    }
}

/// Writes a scale: radio buttons in a fieldset. The style sheet decides what is shown for a value.
fn rating(html: &mut Html, question: &str, rating: &Rating, given: Option<&Answer>, again: bool) {
    html.raw(if again {
        "<fieldset aria-describedby=\"error ends\">"
    } else {
        "<fieldset aria-describedby=\"ends\">"
    });
    html.raw("<legend class=\"question\">").text(question).raw("</legend><div class=\"scale ");
    html.text(&rating.shown_as).raw("\">");
    for score in rating.lowest..=rating.highest {
        let value = score.to_string();
        html.raw("<label class=\"option\"><input type=\"radio\" name=\"score\" value=\"");
        html.text(&value).raw("\"");
        if given == Some(&Answer::Score(score)) {
            html.raw(" checked");
        }
        if again && score == rating.lowest {
            html.raw(" autofocus");
        }
        html.raw("><span>").text(&value).raw("</span></label>");
    }
    html.raw("</div><div class=\"ends\" id=\"ends\"><span>").text(&rating.low);
    html.raw("</span><span>").text(&rating.high).raw("</span></div></fieldset>");
}

/// Writes a text field, which the visitor may leave empty.
fn comment(html: &mut Html, question: &str, optional: &str, text: &str, again: bool) {
    html.raw("<label class=\"question\" for=\"text\">").text(question);
    html.raw(" <span class=\"hint\">").text(optional).raw("</span></label>");
    html.raw("<textarea id=\"text\" name=\"text\" rows=\"5\" dir=\"auto\"");
    if again {
        html.raw(" aria-invalid=\"true\" aria-describedby=\"error\" autofocus");
    }
    // The parser drops a line break at the beginning.
    html.raw(">\n").text(text).raw("</textarea>");
}

/// Writes the buttons. The button for the next page comes first, since Enter presses the first one.
fn actions(html: &mut Html, body: &Body, answers: &Answers, at: usize) {
    let strings = &body.strings;
    let is_last = body.is_last(answers, at);
    html.raw("<div class=\"actions\"><button class=\"submit\">");
    html.text(if is_last { &strings.send } else { &strings.next }).raw("</button>");
    let before = body.asked(answers).filter(|other| *other < at).count();
    let later = body.asked(answers).filter(|other| *other > at).count();
    if before + later > 0 {
        let hint = strings.progress.replace("{n}", &(before + 1).to_string());
        let hint = hint.replace("{total}", &(before + 1 + later).to_string());
        html.raw("<span class=\"progress\">").text(&hint).raw("</span>");
    }
    if before > 0 {
        html.raw("<button class=\"back\" name=\"back\" value=\"1\">");
        html.text(&strings.back).raw("</button>");
    }
    html.raw("</div>");
}

/// Writes the site's notice for the page of the first question: why the visitor is asked, and what happens to
/// the answers.
fn notice(html: &mut Html, body: &Body) {
    let Body { why, privacy_url, strings, .. } = body;
    html.raw("<div class=\"notice\">");
    if !why.is_empty() {
        html.raw("<details><summary>").text(&strings.why).raw("</summary>");
        html.text(why).raw("</details>");
    }
    link(html, privacy_url, &strings.privacy);
    html.raw("</div>");
}

/// Returns the page with the thanks.
fn thanks(body: &Body, answers: &Answers, is_framed: bool) -> Page {
    let thanks = body.thanks(answers);
    let text = thanks.map_or("", |thanks| &thanks.text);
    let mut page = Page::open(&body.language, text, &body.style, frame(is_framed, answers));
    let html = &mut page.html;
    html.raw("<p class=\"thanks\">").text(text).raw("</p>");
    if let Some(thanks) = thanks {
        link(html, &thanks.url, &thanks.link);
    }
    page.close()
}

/// Writes a link out of the survey, if it is safe to follow.
fn link(html: &mut Html, url: &str, text: &str) {
    if is_safe_link(url) {
        html.raw("<a class=\"link\" target=\"_blank\" rel=\"noopener noreferrer\" href=\"");
        html.text(url).raw("\">").text(text).raw("</a>");
    }
}
