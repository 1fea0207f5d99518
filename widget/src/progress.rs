//! The display while the visitor answers: every change is a revision, and every revision is saved at once.

use std::cell::RefCell;
use std::rc::Rc;

use asklet_shared::body::Body;
use asklet_shared::display::{Answer, Answers, Channel, Display, Stage};
use asklet_shared::display_id::DisplayId;

use crate::host::Host;

/// One display, shared by all code that changes it.
#[derive(Clone)]
pub struct Progress {
    display: Rc<RefCell<Display>>,
    host: Host,
}

impl Progress {
    /// Makes a display of which nothing is saved yet.
    pub fn new(host: Host, id: DisplayId, language: String) -> Self {
        let identity = host.identity();
        let traits = host.traits();
        let mut traits = traits.split('\0').map(str::to_owned);
        let display = Display {
            id,
            revision: 0,
            version: host.version(),
            stage: Stage::Shown,
            dismissed: false,
            channel: Channel::InPage,
            language,
            page: host.page(),
            answers: Answers::default(),
            variant: String::new(),
            traits: std::iter::from_fn(|| traits.next().zip(traits.next())).collect(),
            identity: (!identity.is_empty()).then_some(identity),
            age_ms: 0,
        };
        Self { display: Rc::new(RefCell::new(display)), host }
    }

    /// Records that the survey is in the page: from now on the display is saved.
    pub fn shown(&self) {
        self.change("shown", |_| {});
    }

    /// Records that the survey is in view; only the first time counts.
    pub fn seen(&self) {
        if self.display.borrow().stage < Stage::Seen {
            self.change("seen", |display| display.stage = Stage::Seen);
        }
    }

    /// Records that a question was answered, answered anew, or its answer removed. Answers to later questions
    /// that are not asked any more are removed with the earlier answer.
    pub fn answered(&self, body: &Body, question: &str, answer: Option<Answer>) {
        self.change("answered", |Display { answers, stage, .. }| {
            match answer {
                Some(answer) => answers.set(question, answer),
                None => answers.remove(question),
            }
            body.prune(answers);
            *stage = (*stage).max(Stage::Started);
        });
    }

    /// Records that the thank-you was reached.
    pub fn completed(&self) {
        self.change("completed", |display| display.stage = Stage::Completed);
    }

    /// Records that the visitor closed the survey, or put it off.
    pub fn dismissed(&self, what: &str) {
        self.change(what, |display| display.dismissed = true);
    }

    /// Whether the thank-you was reached.
    pub fn is_completed(&self) -> bool {
        self.display.borrow().stage == Stage::Completed
    }

    /// Returns the present answer to a question.
    pub fn answer(&self, question: &str) -> Option<Answer> {
        self.display.borrow().answers.get(question).cloned()
    }

    /// Passes all present answers to a function.
    pub fn with_answers<T>(&self, read: impl FnOnce(&Answers) -> T) -> T {
        read(&self.display.borrow().answers)
    }

    fn change(&self, what: &str, change: impl FnOnce(&mut Display)) {
        let mut display = self.display.borrow_mut();
        change(&mut display);
        display.revision += 1;
        // A display can always be serialized. If that ever failed, the outbox would keep the previous state.
        if let Ok(json) = serde_json::to_string(&*display) {
            self.host.save(&display.id.to_string(), &json, what);
        }
    }
}
