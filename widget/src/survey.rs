//! The survey: one question after the other, and thanks.
//!
//! Everything is built from elements, never from markup: a page may require Trusted Types.

use asklet_shared::body::{Body, Strings};
use asklet_shared::definition::Thank;
use asklet_shared::definition::question::{AnswerKind, Question, Rating, TextLimits};
use asklet_shared::display::Answer;
use asklet_shared::validate::is_safe_link;
use leptos::either::Either;
use leptos::ev;
use leptos::html::{a, button, div, fieldset, form, input, label, legend, p, span, textarea};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlTextAreaElement};

use crate::frame::Frame;
use crate::progress::Progress;

/// What every part of the survey shares.
struct Shared {
    body: Body,
    frame: Frame,
    progress: Progress,
    /// Whether the visitor last used a pointer. A score that is clicked leads on to the next
    /// question; one that is chosen with the arrow keys does not, since they pass over others.
    by_pointer: bool,
    /// What had the focus before the survey got it.
    returns_to: Option<HtmlElement>,
}

/// A survey in the page. Signals and stored values are handles, so this is one too.
#[derive(Clone, Copy)]
struct Survey {
    shared: StoredValue<Shared, LocalStorage>,
    /// Which question is asked; none of them once the thanks are reached.
    step: RwSignal<usize>,
}

/// The view of a survey.
pub fn survey(body: Body, frame: Frame, progress: Progress) -> impl IntoView {
    let language = body.language.clone();
    let right_to_left = body.right_to_left;
    let close_label = body.strings.close.clone();
    let shared = Shared { body, frame, progress, by_pointer: false, returns_to: None };
    let survey = Survey { shared: StoredValue::new_local(shared), step: RwSignal::new(0) };
    // A region says what changes in it, not what it came with: it fills with the first frame.
    let is_drawn = RwSignal::new(false);
    request_animation_frame(move || is_drawn.set(true));
    let announcement = move || {
        let step = survey.step.get();
        is_drawn.get().then(|| survey.with(|shared| shared.text(step).to_owned()))
    };
    let part = move || {
        let step = survey.step.get();
        survey.with(|shared| match shared.body.questions.get(step) {
            Some(question) => Either::Left(survey.ask(shared, question)),
            None => Either::Right(thanks(shared.thanks())),
        })
    };
    div()
        .class("panel")
        .role("dialog")
        .tabindex("-1")
        .lang(language)
        .dir(if right_to_left { "rtl" } else { "ltr" })
        .aria_labelledby("question")
        .on(ev::pointerdown, move |_| survey.set(|shared| shared.by_pointer = true))
        // Shortcuts of the page are none of the survey's, and what is typed here is none of the page's.
        .on(ev::keypress, |event| event.stop_propagation())
        .on(ev::keyup, |event| event.stop_propagation())
        .on(ev::keydown, move |event| {
            event.stop_propagation();
            survey.set(|shared| shared.by_pointer = false);
            if event.key() == "Escape" {
                survey.close();
            }
        })
        .on(ev::focusin, move |event| {
            let from = event.related_target().and_then(|from| from.dyn_into::<HtmlElement>().ok());
            survey.set(|shared| {
                // Moving about within the survey changes nothing.
                if from.as_ref().is_some_and(|from| !shared.frame.root.contains(Some(from))) {
                    shared.returns_to = from;
                }
            });
        })
        .child((
            part,
            button()
                .r#type("button")
                .class("close")
                .aria_label(close_label)
                .on(ev::click, move |_| survey.close())
                .child("×"),
            p().class("announce").role("status").child(announcement),
        ))
}

impl Shared {
    /// What is read at a step: a question, or the thanks.
    fn text(&self, step: usize) -> &str {
        let question = self.body.questions.get(step);
        question.map_or(&self.thanks().text, |question| &question.text)
    }

    /// The thanks for the category of the primary score.
    fn thanks(&self) -> &Thank<String> {
        let Body { questions, primary, thanks, thanks_by_category, .. } = &self.body;
        let score = match self.progress.answer(primary) {
            Some(Answer::Score(score)) => Some(score),
            _ => None,
        };
        let question = questions.iter().find(|question| question.id == *primary);
        let category =
            score.zip(question).and_then(|(score, question)| question.answer.category(score));
        let theirs = thanks_by_category.iter().find(|(of, _)| Some(*of) == category);
        theirs.map_or(thanks, |(_, thanks)| thanks)
    }

    /// The step after one: the next question that is asked after these answers, or the thanks.
    fn step_after(&self, step: usize) -> usize {
        let questions = &self.body.questions;
        let is_asked = |question: &Question<String>| {
            // No survey with choices is offered to pages yet.
            !matches!(question.answer, AnswerKind::Choice(_))
                && self.progress.with_answers(|answers| question.is_asked(questions, answers))
        };
        let mut later = questions.iter().enumerate().skip(step + 1);
        later.find(|(_, question)| is_asked(question)).map_or(questions.len(), |(at, _)| at)
    }
}

impl Survey {
    /// One question with the button that leads on.
    fn ask(self, shared: &Shared, question: &Question<String>) -> impl IntoView + use<> {
        let strings = &shared.body.strings;
        let given = shared.progress.answer(&question.id);
        let can_go_on = RwSignal::new(given.is_some());
        let field = match &question.answer {
            AnswerKind::Rating(rating) => {
                Either::Left(self.rating(question, rating, given, can_go_on))
            }
            AnswerKind::Text(limits) => {
                can_go_on.set(true);
                Either::Right(Some(comment(question, limits, strings)))
            }
            AnswerKind::Choice(_) => Either::Right(None),
        };
        let is_last = self.step.get_untracked() + 1 == shared.body.questions.len();
        let forward = if is_last { &strings.send } else { &strings.next };
        let id = question.id.clone();
        form()
            .on(ev::submit, move |event| {
                event.prevent_default();
                self.advance(&id);
            })
            .child((
                field,
                div().class("actions").child(
                    button()
                        .r#type("submit")
                        .disabled(move || !can_go_on.get())
                        .child(forward.clone()),
                ),
            ))
    }

    fn rating(
        self,
        question: &Question<String>,
        Rating { scale, low, high, .. }: &Rating<String>,
        given: Option<Answer>,
        can_go_on: RwSignal<bool>,
    ) -> impl IntoView + use<> {
        let (lowest, highest) = scale.range();
        let option = |score: u8| {
            let id = question.id.clone();
            let radio = input()
                .r#type("radio")
                .name("score")
                .checked(given == Some(Answer::Score(score)))
                .on(ev::change, move |_| {
                    self.with(|shared| shared.progress.answered(&id, Answer::Score(score)));
                    can_go_on.set(true);
                    if self.with(|shared| shared.by_pointer) {
                        self.advance(&id);
                    }
                });
            label().class("option").child((radio, span().child(score.to_string())))
        };
        fieldset().child((
            legend().id("question").class("question").child(question.text.clone()),
            div().class("scale").child((lowest..=highest).map(option).collect::<Vec<_>>()),
            div().class("ends").child((span().child(low.clone()), span().child(high.clone()))),
        ))
    }

    /// Keeps what the visitor wrote, and goes on to the next question or to the thanks.
    fn advance(self, question: &str) {
        let step = self.step.get_untracked();
        let (next, focus) = self.with(|shared| {
            let Shared { body, frame, progress, by_pointer, .. } = shared;
            if let Some(text) = written(frame) {
                progress.answered(question, Answer::Text(text));
            }
            let next = shared.step_after(step);
            if next == body.questions.len() {
                progress.completed();
            }
            // A pointer leaves no doubt where one is, and a field would raise a phone's keyboard.
            let wanted = if *by_pointer { ".panel" } else { "input, textarea, .close" };
            (next, frame.focused().map(|_| (frame.clone(), wanted)))
        });
        self.step.set(next);
        if let Some((frame, wanted)) = focus {
            // What had the focus is gone; what comes next is there with the next frame.
            request_animation_frame(move || frame.focus(wanted));
        }
    }

    /// Closes the survey; what was answered is kept.
    fn close(self) {
        self.with(|Shared { frame, progress, returns_to, .. }| {
            if !progress.is_completed() {
                progress.dismissed();
            }
            let had_focus = frame.focused().is_some();
            frame.close();
            if let (true, Some(element)) = (had_focus, returns_to) {
                // It may be gone; then the page decides.
                let _ = element.focus();
            }
        });
    }

    fn with<T>(self, read: impl FnOnce(&Shared) -> T) -> T {
        self.shared.with_value(read)
    }

    fn set(self, change: impl FnOnce(&mut Shared)) {
        self.shared.update_value(change);
    }
}

/// The end.
fn thanks(Thank { text, link }: &Thank<String>) -> impl IntoView + use<> {
    let link = link.as_ref().filter(|link| is_safe_link(&link.url)).map(|link| {
        let leads_out = a().class("link").href(link.url.clone()).target("_blank");
        leads_out.rel("noopener noreferrer").child(link.text.clone())
    });
    (p().id("question").class("thanks").child(text.clone()), link)
}

fn comment(
    question: &Question<String>,
    limits: &TextLimits,
    strings: &Strings,
) -> impl IntoView + use<> {
    let hint = format!(" ({})", strings.optional);
    (
        label()
            .id("question")
            .class("question")
            .r#for("text")
            .child((question.text.clone(), span().class("hint").child(hint))),
        textarea().id("text").rows("3").maxlength(limits.max_length.to_string()),
    )
}

/// What stands in the text field, if there is one with something in it.
fn written(frame: &Frame) -> Option<String> {
    let field = frame.root.query_selector("textarea").ok()??;
    let text = field.unchecked_into::<HtmlTextAreaElement>().value();
    (!text.trim().is_empty()).then_some(text)
}
