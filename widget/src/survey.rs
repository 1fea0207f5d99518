//! The survey: one question after the other, and thanks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use asklet_shared::body::{Body, Thanks};
use asklet_shared::display::Answer;
use asklet_shared::display_id::DisplayId;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{Document, Event, FocusEvent, HtmlElement, HtmlInputElement, KeyboardEvent, UiEvent};

use crate::element::{Element, element};
use crate::frame::Frame;
use crate::host::Host;
use crate::parts::{self, Place};
use crate::progress::Progress;
use crate::sight::Sight;

/// A survey in the page.
struct Survey {
    body: Body,
    frame: Frame,
    progress: Progress,
    /// Which question is asked; none of them once the thanks are reached.
    step: ArcRwSignal<usize>,
    /// The questions that led to this one, for the way back.
    trail: RefCell<Vec<usize>>,
    /// Whether the visitor last used a pointer. A score that is clicked leads on to the next
    /// question; one that is chosen with the arrow keys does not, since they pass over others.
    by_pointer: Cell<bool>,
    /// What had the focus before the survey got it.
    returns_to: RefCell<Option<HtmlElement>>,
}

/// What keeps a survey going, as long as it is held.
struct Going {
    survey: Rc<Survey>,
    _listener: Closure<dyn Fn(Event)>,
    _effect: RenderEffect<()>,
    _sight: Sight,
}

thread_local! {
    /// The one survey that is in the page.
    static OPEN: RefCell<Option<Going>> = const { RefCell::new(None) };
}

/// What happens within the survey; one listener hears all of it.
const EVENTS: [&str; 8] =
    ["pointerdown", "keydown", "keyup", "keypress", "focusin", "click", "change", "submit"];

/// Puts a survey into the page.
pub fn open(document: &Document, host: Host, id: DisplayId, body: Body) -> Result<(), JsValue> {
    let part = element("div", "part");
    let announcement = element("p", "announce").with("role", "status");
    let close = element("button", "close").with("type", "button");
    let panel = element("div", "panel")
        .with("role", if body.inline.is_empty() { "dialog" } else { "region" })
        .with("tabindex", "-1")
        .with("lang", &body.language)
        .with("dir", if body.right_to_left { "rtl" } else { "ltr" })
        .with("aria-labelledby", "question")
        .child(&part)
        .child(&close.with("aria-label", &body.strings.close).text("×"))
        .child(&announcement);
    let frame = Frame::open(document, &body, panel.clone())?;
    let survey = Rc::new(Survey {
        progress: Progress::new(host, id, body.language.clone()),
        body,
        frame,
        step: ArcRwSignal::new(0),
        trail: RefCell::default(),
        by_pointer: Cell::new(false),
        returns_to: RefCell::default(),
    });
    let this = survey.clone();
    // Taking a changed field out of the page tells of the change while this runs.
    let listener = Closure::<dyn Fn(Event)>::new(move |event: Event| this.hear(&event));
    for name in EVENTS {
        panel.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref())?;
    }
    let this = survey.clone();
    let effect = RenderEffect::new(move |_| {
        let step = this.step.get();
        part.replace_children(&this.part(step));
        let text = this.text(step).to_owned();
        let announcement = announcement.clone();
        // A region says what changes in it, not what it came with: it fills with the next frame.
        request_animation_frame(move || announcement.set_text_content(Some(&text)));
    });
    let this = survey.clone();
    let sight = Sight::of(&panel, move || this.progress.seen())?;
    OPEN.replace(Some(Going { survey, _listener: listener, _effect: effect, _sight: sight }));
    Ok(())
}

/// Takes the survey out of the page, as it is.
pub fn close() {
    if let Some(going) = OPEN.take() {
        going.survey.frame.close();
    }
}

impl Survey {
    /// What stands at a step: a question, or the thanks.
    fn part(&self, step: usize) -> Element {
        let Self { body, progress, .. } = self;
        match (body.questions.get(step), self.thanks()) {
            (Some(question), _) => {
                let at = self.trail.borrow().len() + 1;
                let total = at + self.later(step).1;
                let is_last = progress.with_answers(|answers| body.is_last(answers, step));
                let place = Place { at, total, is_last };
                parts::question(body, question, &place, progress.answer(&question.id).as_ref())
            }
            (None, Some(thanks)) => parts::thanks(thanks),
            (None, None) => element("p", ""),
        }
    }

    /// What is read at a step.
    fn text(&self, step: usize) -> &str {
        match self.body.questions.get(step) {
            Some(question) => &question.text,
            None => self.thanks().map_or("", |thanks| &thanks.text),
        }
    }

    fn thanks(&self) -> Option<&Thanks> {
        self.progress.with_answers(|answers| self.body.thanks(answers))
    }

    /// The next question after a step, and how many are still to come, after the answers so far.
    fn later(&self, step: usize) -> (Option<usize>, usize) {
        self.progress.with_answers(|answers| {
            let later = || self.body.asked(answers).filter(|at| *at > step);
            (later().next(), later().count())
        })
    }

    fn hear(&self, event: &Event) {
        let Some(target) = event.target() else { return };
        let target: Element = target.unchecked_into();
        match event.type_().as_str() {
            "pointerdown" => self.by_pointer.set(true),
            // Shortcuts of the page are none of the survey's, and what is typed here is none of the
            // page's.
            "keyup" | "keypress" => event.stop_propagation(),
            "keydown" => {
                event.stop_propagation();
                self.by_pointer.set(false);
                if event.unchecked_ref::<KeyboardEvent>().key() == "Escape" {
                    self.end("dismissed");
                }
            }
            "focusin" => {
                let from = event.unchecked_ref::<FocusEvent>().related_target();
                let from: Option<HtmlElement> = from.map(JsCast::unchecked_into);
                // Moving about within the survey changes nothing.
                if from.as_ref().is_some_and(|from| !self.frame.holds(from)) {
                    self.returns_to.replace(from);
                }
            }
            "change" => self.choose(&target),
            "submit" => {
                event.prevent_default();
                self.advance();
            }
            // The second click of two was meant for what the first one took away.
            _ if event.unchecked_ref::<UiEvent>().detail() > 1 => event.prevent_default(),
            _ => match target.class_name().as_str() {
                "close" => self.end("dismissed"),
                "later" => self.end("later"),
                "back" => self.back(),
                _ => {}
            },
        }
    }

    /// Takes a score. Texts are taken when the visitor goes on.
    fn choose(&self, field: &Element) {
        let score = field.unchecked_ref::<HtmlInputElement>().value().parse();
        let question = self.body.questions.get(self.step.get_untracked());
        if let (Some(question), Ok(score), "radio") = (question, score, field.kind().as_str()) {
            self.progress.answered(&self.body, &question.id, Some(Answer::Score(score)));
            if let Some(submit) = self.frame.find(".submit") {
                // It cannot fail: an attribute that is not there is removed already.
                let _ = submit.remove_attribute("disabled");
            }
            if self.by_pointer.get() {
                self.advance();
            }
        }
    }

    /// Goes on to the next question or to the thanks.
    fn advance(&self) {
        let step = self.step.get_untracked();
        self.keep_text(step);
        let (next, _) = self.later(step);
        if next.is_none() {
            self.progress.completed();
        }
        self.trail.borrow_mut().push(step);
        self.go(next.unwrap_or(self.body.questions.len()));
    }

    /// Goes back to the question before.
    fn back(&self) {
        self.keep_text(self.step.get_untracked());
        let before = self.trail.borrow_mut().pop();
        if let Some(before) = before {
            self.go(before);
        }
    }

    fn go(&self, step: usize) {
        let had_focus = self.frame.focused().is_some();
        let by_pointer = self.by_pointer.get();
        self.step.set(step);
        if had_focus {
            // What had the focus is gone; what comes next is there with the next frame.
            request_animation_frame(move || {
                // Not borrowed for longer: what hears of the focus may close the survey.
                let survey = OPEN.with_borrow(|open| Some(open.as_ref()?.survey.clone()));
                if let Some(survey) = survey {
                    // A pointer leaves no doubt where one is, and a field would raise a phone's
                    // keyboard.
                    let wanted = ["input:checked", "input", "textarea", ".close"];
                    let found = wanted.iter().find_map(|wanted| survey.frame.find(wanted));
                    let panel = survey.frame.panel();
                    let focus = if by_pointer { Some(panel) } else { found };
                    // Focusing fails only for what cannot have the focus, and then it stays where it is.
                    let _ = focus.map(|element| element.focus());
                }
            });
        }
    }

    /// Ends the survey; what was answered is kept, and what was written as well.
    fn end(&self, what: &str) {
        if !self.progress.is_completed() {
            self.keep_text(self.step.get_untracked());
            self.progress.dismissed(what);
        }
        let had_focus = self.frame.focused().is_some();
        close();
        if let (true, Some(element)) = (had_focus, &*self.returns_to.borrow()) {
            // It may be gone; then the page decides.
            let _ = element.focus();
        }
    }

    /// Keeps what stands in the text field, if there is one and that is new.
    fn keep_text(&self, step: usize) {
        let (Some(question), Some(field)) =
            (self.body.questions.get(step), self.frame.find("textarea"))
        else {
            return;
        };
        let text = field.unchecked_ref::<HtmlInputElement>().value();
        let written = (!text.trim().is_empty()).then_some(Answer::Text(text));
        if written != self.progress.answer(&question.id) {
            self.progress.answered(&self.body, &question.id, written);
        }
    }
}
