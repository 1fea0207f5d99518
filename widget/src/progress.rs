//! The display as the visitor makes it: every change is a revision, and every revision is saved the
//! moment it is made.

use std::cell::RefCell;
use std::rc::Rc;

use asklet_shared::body::Body;
use asklet_shared::display::{Answer, Answers, Channel, Display, Stage};
use asklet_shared::display_id::DisplayId;

use crate::host::Host;

/// One display, shared by everything that changes it.
#[derive(Clone)]
pub struct Progress {
    display: Rc<RefCell<Display>>,
    host: Host,
}

impl Progress {
    /// A display of which nothing is saved yet.
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

    /// The survey is in the page: from here on it is saved.
    pub fn shown(&self) {
        self.change("shown", |_| {});
    }

    /// The survey is in view; the first time counts.
    pub fn seen(&self) {
        if self.display.borrow().stage < Stage::Seen {
            self.change("seen", |display| display.stage = Stage::Seen);
        }
    }

    /// A question was answered, answered anew, or its answer taken back. Answers to later questions
    /// that are not asked any more go with the earlier answer.
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

    /// The thank-you was reached.
    pub fn completed(&self) {
        self.change("completed", |display| display.stage = Stage::Completed);
    }

    /// The visitor closed the survey, or put it off.
    pub fn dismissed(&self, what: &str) {
        self.change(what, |display| display.dismissed = true);
    }

    /// Whether the thank-you was reached.
    pub fn is_completed(&self) -> bool {
        self.display.borrow().stage == Stage::Completed
    }

    /// The answer to a question so far.
    pub fn answer(&self, question: &str) -> Option<Answer> {
        self.display.borrow().answers.get(question).cloned()
    }

    /// Looks at all answers so far.
    pub fn with_answers<T>(&self, read: impl FnOnce(&Answers) -> T) -> T {
        read(&self.display.borrow().answers)
    }

    fn change(&self, what: &str, change: impl FnOnce(&mut Display)) {
        let mut display = self.display.borrow_mut();
        change(&mut display);
        display.revision += 1;
        // A display always serializes; if it ever did not, the outbox would keep the state before.
        if let Ok(json) = serde_json::to_string(&*display) {
            self.host.save(&display.id.to_string(), &json, what);
        }
    }
}
