//! The survey: one question after the other, and thanks.
//!
//! Everything is built from elements, never from markup: a page may require Trusted Types.

use asklet_shared::body::{Body, Strings};
use asklet_shared::definition::{AnswerKind, Question, Rating, Text};
use asklet_shared::display::Answer;
use leptos::either::Either;
use leptos::ev;
use leptos::html::{button, div, fieldset, form, input, label, legend, p, span, textarea};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlTextAreaElement};

use crate::frame::Frame;
use crate::progress::Progress;

/// What every part of the survey shares.
struct Shared {
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
    /// How many questions there are.
    questions: usize,
    /// Which of them is asked; one past the last is the thanks.
    step: RwSignal<usize>,
}

/// The view of a survey.
pub fn survey(body: Body, frame: Frame, progress: Progress) -> impl IntoView {
    let Body { language, questions, thanks, strings } = body;
    let shared = Shared { frame, progress, by_pointer: false, returns_to: None };
    let survey = Survey {
        shared: StoredValue::new_local(shared),
        questions: questions.len(),
        step: RwSignal::new(0),
    };
    // A region says what changes in it, not what it came with: it fills with the first frame.
    let is_drawn = RwSignal::new(false);
    request_animation_frame(move || is_drawn.set(true));
    let announcement = {
        let mut texts: Vec<_> = questions.iter().map(|question| question.text.clone()).collect();
        texts.push(thanks.clone());
        move || texts.get(survey.step.get()).filter(|_| is_drawn.get()).cloned()
    };
    let close_label = strings.close.clone();
    let part = move || match questions.get(survey.step.get()) {
        Some(question) => Either::Left(survey.ask(question, &strings)),
        None => Either::Right(p().id("question").class("thanks").child(thanks.clone())),
    };
    div()
        .class("panel")
        .role("dialog")
        .tabindex("-1")
        .lang(language)
        .dir("auto")
        .aria_labelledby("question")
        .on(ev::pointerdown, move |_| survey.set(|shared| shared.by_pointer = true))
        .on(ev::keydown, move |event| {
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

impl Survey {
    /// One question with the button that leads on.
    fn ask(self, question: &Question, strings: &Strings) -> impl IntoView + use<> {
        let given = self.with(|shared| shared.progress.answer(&question.id));
        let can_go_on = RwSignal::new(given.is_some());
        let field = match &question.answer {
            AnswerKind::Rating(rating) => {
                Either::Left(self.rating(question, rating, given, can_go_on))
            }
            AnswerKind::Text(limits) => {
                can_go_on.set(true);
                Either::Right(comment(question, limits, strings))
            }
        };
        let is_last = self.step.get_untracked() + 1 == self.questions;
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
        question: &Question,
        Rating { scale, low, high }: &Rating,
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
        let next = self.step.get_untracked() + 1;
        let focus = self.with(|Shared { frame, progress, by_pointer, .. }| {
            if let Some(text) = written(frame) {
                progress.answered(question, Answer::Text(text));
            }
            if next == self.questions {
                progress.completed();
            }
            // A pointer leaves no doubt where one is, and a field would raise a phone's keyboard.
            let wanted = if *by_pointer { ".panel" } else { "input, textarea, .close" };
            frame.focused().map(|_| (frame.clone(), wanted))
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

fn comment(question: &Question, limits: &Text, strings: &Strings) -> impl IntoView + use<> {
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
