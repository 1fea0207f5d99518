//! The survey: one question after the other, and the thanks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use asklet_shared::body::{Body, Thanks};
use asklet_shared::display::Answer;
use asklet_shared::display_id::DisplayId;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{Event, FocusEvent, HtmlElement, KeyboardEvent, UiEvent};

use crate::element::{Element, element};
use crate::host::Host;
use crate::parts::{self, Place};
use crate::progress::Progress;
use crate::sight::Sight;

const STYLE: &str = include_str!(env!("ASKLET_STYLE"));

/// A survey in the page.
struct Survey {
    body: Body,
    host: Host,
    /// The root of everything that is drawn.
    panel: Element,
    progress: Progress<Host>,
    /// The index of the question that is asked; past the last question once the thanks are reached.
    step: ArcRwSignal<usize>,
    /// The step that is drawn in the page: a change of `step` is drawn a moment later.
    drawn: Cell<usize>,
    /// The questions that led to this one, to go back.
    trail: RefCell<Vec<usize>>,
    /// How the visitor last acted.
    last_used: Cell<Used>,
    /// The element that had the focus before the survey got it.
    returns_to: RefCell<Option<HtmlElement>>,
}

/// The way in which a visitor acts. A click on a score leads on to the next question. A score that the arrow
/// keys have moved to does not even count until it is confirmed, since these keys pass over other scores.
#[derive(Clone, Copy, PartialEq)]
enum Used {
    Pointer,
    Arrows,
    Tab,
    OtherKey,
}

/// The objects that must live as long as the survey.
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

/// The events within the survey; one listener handles all of them.
const EVENTS: [&str; 13] = [
    "pointerdown",
    "keydown",
    "keyup",
    "keypress",
    "input",
    "copy",
    "cut",
    "paste",
    "focusin",
    "focusout",
    "click",
    "change",
    "submit",
];

/// Opens a survey in the page.
pub fn open(host: Host, id: DisplayId, body: Body) -> Result<(), JsValue> {
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
    let survey = Rc::new(Survey {
        progress: Progress::new(host.display(id, body.language.clone()), host.clone()),
        body,
        host,
        panel: panel.clone(),
        step: ArcRwSignal::new(0),
        drawn: Cell::new(0),
        trail: RefCell::default(),
        last_used: Cell::new(Used::OtherKey),
        returns_to: RefCell::default(),
    });
    let this = survey.clone();
    // When a changed field is removed from the page, the browser sends a change event while this runs.
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
        // A live region announces changes, but not its first content, so its text is set in the next frame.
        request_animation_frame(move || announcement.set_text_content(Some(&text)));
    });
    let this = survey.clone();
    let sight = Sight::of(&panel, move || this.progress.seen())?;
    let Survey { body, host, progress, .. } = &*survey;
    // This is the last step that can fail: only a survey that is in the page is saved.
    host.place(&panel, STYLE, &body.style, &body.inline)?;
    progress.shown();
    OPEN.replace(Some(Going { survey, _listener: listener, _effect: effect, _sight: sight }));
    Ok(())
}

/// Removes the survey from the page, in its present state.
pub fn close() {
    if let Some(going) = OPEN.take() {
        going.survey.host.remove();
    }
}

impl Survey {
    /// Draws the part for a step: a question, or the thanks.
    fn part(&self, step: usize) -> Element {
        let Self { body, progress, .. } = self;
        self.drawn.set(step);
        match (body.questions.get(step), self.thanks()) {
            (Some(question), _) => {
                let at = self.trail.borrow().len() + 1;
                let total = at + self.progress.later(&self.body, step).1;
                let is_last = progress.with_answers(|answers| body.is_last(answers, step));
                let place = Place { at, total, is_last };
                parts::question(body, question, &place, progress.answer(&question.id).as_ref())
            }
            (None, Some(thanks)) => parts::thanks(thanks),
            (None, None) => element("p", ""),
        }
    }

    /// Returns the text of a step for screen readers.
    fn text(&self, step: usize) -> &str {
        match self.body.questions.get(step) {
            Some(question) => &question.text,
            None => self.thanks().map_or("", |thanks| &thanks.text),
        }
    }

    fn thanks(&self) -> Option<&Thanks> {
        self.progress.with_answers(|answers| self.body.thanks(answers))
    }

    fn hear(&self, event: &Event) {
        let Some(target) = event.target() else { return };
        let target: Element = target.unchecked_into();
        let kind = event.type_();
        // The page must not see what is typed here, and its shortcuts must not react to it. A dialog of the
        // page must not take the focus back from the survey.
        if !matches!(kind.as_str(), "pointerdown" | "click" | "change" | "submit") {
            event.stop_propagation();
        }
        match kind.as_str() {
            "pointerdown" => self.last_used.set(Used::Pointer),
            "keydown" => {
                let key = event.unchecked_ref::<KeyboardEvent>().key();
                self.last_used.set(match key.as_str() {
                    "Tab" => Used::Tab,
                    key if key.starts_with("Arrow") => Used::Arrows,
                    _ => Used::OtherKey,
                });
                match key.as_str() {
                    "Escape" => self.end("dismissed"),
                    // If the choice is checked already, no browser sends a click for this key.
                    " " if target.matches("input:checked") => self.keep_score(),
                    _ => {}
                }
            }
            "focusin" => {
                let from = other(event);
                // A move of the focus within the survey changes nothing.
                if from.as_ref().is_some_and(|from| !self.panel.contains(Some(from))) {
                    self.returns_to.replace(from);
                }
            }
            "focusout" => self.leave(&target, other(event)),
            "submit" => {
                event.prevent_default();
                self.advance();
            }
            // The second click of a double click was meant for the element that the first one removed.
            "click" if event.unchecked_ref::<UiEvent>().detail() > 1 => event.prevent_default(),
            "click" | "change" if target.matches("input") => self.choose(),
            // Translation tools wrap texts in elements of their own.
            "click" => match target.closest("button").map(|it| it.class_name()).as_deref() {
                Some("close") => self.end("dismissed"),
                Some("later") => self.end("later"),
                Some("back") => self.back(),
                _ => {}
            },
            _ => {}
        }
    }

    /// Handles that the visitor moved to a score.
    fn choose(&self) {
        if let Some(submit) = self.panel.find(".submit") {
            // This cannot fail: removing an attribute that does not exist does nothing.
            let _ = submit.remove_attribute("disabled");
        }
        match self.last_used.get() {
            Used::Arrows => {}
            // `advance` keeps the score too.
            Used::Pointer => self.advance(),
            Used::Tab | Used::OtherKey => self.keep_score(),
        }
    }

    /// Handles that the focus leaves an element. A score is confirmed when the visitor goes on from its scale
    /// with the keyboard. A pointer does not confirm it, because it may be about to close the survey. A window
    /// that loses the focus does not confirm it either, because no key caused that.
    fn leave(&self, from: &Element, to: Option<HtmlElement>) {
        let Some(scale) = from.closest("fieldset") else { return };
        let goes_on = match &to {
            Some(to) => !scale.contains(Some(to)),
            None => self.last_used.get() == Used::Tab,
        };
        if goes_on && self.last_used.get() != Used::Pointer {
            self.keep_score();
        }
    }

    /// Moves on to the next question or to the thanks.
    fn advance(&self) {
        let step = self.step.get_untracked();
        if step != self.drawn.get() {
            // If a script makes the click, the browser sends two events before anything else is drawn.
            return;
        }
        self.keep_score();
        self.keep_text();
        let (next, _) = self.progress.later(&self.body, step);
        if next.is_none() {
            self.progress.completed();
        }
        self.trail.borrow_mut().push(step);
        self.go(next.unwrap_or(self.body.questions.len()));
    }

    /// Moves back to the previous question.
    fn back(&self) {
        self.keep_score();
        self.keep_text();
        let before = self.trail.borrow_mut().pop();
        if let Some(before) = before {
            self.go(before);
        }
    }

    fn go(&self, step: usize) {
        let had_focus = self.has_focus();
        let by_pointer = self.last_used.get() == Used::Pointer;
        self.step.set(step);
        if had_focus {
            // The element that had the focus is gone; its successor exists in the next frame.
            request_animation_frame(move || {
                // The borrow ends here, because a listener for the focus may close the survey.
                let survey = OPEN.with_borrow(|open| Some(open.as_ref()?.survey.clone()));
                if let Some(survey) = survey {
                    // With a pointer the visitor knows the position, and focusing a field would open a phone's
                    // keyboard.
                    let wanted = ["input:checked", "input", "textarea", ".close"];
                    let found = wanted.iter().find_map(|wanted| survey.panel.find(wanted));
                    let focus = if by_pointer { None } else { found };
                    // Focusing fails only for an element that cannot have the focus, and then the focus stays
                    // where it is.
                    let _ = focus.as_ref().unwrap_or(&survey.panel).focus();
                }
            });
        }
    }

    /// Ends the survey; answers and texts are kept.
    fn end(&self, what: &str) {
        if !self.progress.is_completed() {
            self.keep_text();
            self.progress.dismissed(what);
        }
        let had_focus = self.has_focus();
        close();
        if let (true, Some(element)) = (had_focus, &*self.returns_to.borrow()) {
            // The element may be gone; then the page decides.
            let _ = element.focus();
        }
    }

    fn has_focus(&self) -> bool {
        self.panel.matches(":focus-within")
    }

    /// Keeps the chosen score, if there is one.
    fn keep_score(&self) {
        let chosen = self.panel.find("input:checked");
        if let Some(score) = chosen.and_then(|field| field.value().parse().ok()) {
            self.keep(Some(Answer::Score(score)));
        }
    }

    /// Keeps the content of the text field, if there is one.
    fn keep_text(&self) {
        if let Some(field) = self.panel.find("textarea") {
            let text = field.value();
            self.keep((!text.trim().is_empty()).then_some(Answer::Text(text)));
        }
    }

    fn keep(&self, answer: Option<Answer>) {
        let question = self.body.questions.get(self.drawn.get());
        if let Some(question) = question {
            self.progress.answered(&self.body, &question.id, answer);
        }
    }
}

/// Returns the element from which the focus came, or to which it moves.
fn other(event: &Event) -> Option<HtmlElement> {
    event.unchecked_ref::<FocusEvent>().related_target().map(JsCast::unchecked_into)
}
