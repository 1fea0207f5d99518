//! The display while the visitor answers: every change is a revision, and every revision is saved at once.

use std::cell::RefCell;
use std::collections::BTreeMap;

use asklet_shared::body::Body;
use asklet_shared::display::{Answer, Answers, Display, Stage};

/// The receiver of the states of a display.
pub trait Save {
    /// Takes a state of the display, and the name of what has just happened to it.
    fn save(&self, id: &str, json: &str, what: &str);
}

/// One display, shared by all code that changes it.
pub struct Progress<S> {
    display: RefCell<Display>,
    receiver: S,
}

impl<S: Save> Progress<S> {
    /// Starts with a display of which nothing is saved yet.
    pub fn new(display: Display, receiver: S) -> Self {
        Self { display: RefCell::new(display), receiver }
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

    /// Records that a question was answered, answered anew, or its answer removed; the answer that is there
    /// already changes nothing. Answers to later questions that are not asked any more are removed with the
    /// earlier answer.
    pub fn answered(&self, body: &Body, question: &str, answer: Option<Answer>) {
        if answer == self.answer(question) {
            return;
        }
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

    /// Returns the next question after a step, and the number of questions still to come, after the answers so
    /// far.
    pub fn later(&self, body: &Body, step: usize) -> (Option<usize>, usize) {
        self.with_answers(|answers| {
            let later = || body.asked(answers).filter(|at| *at > step);
            (later().next(), later().count())
        })
    }

    fn change(&self, what: &str, change: impl FnOnce(&mut Display)) {
        let mut display = self.display.borrow_mut();
        change(&mut display);
        display.revision += 1;
        // A display can always be serialized. If that ever failed, the outbox would keep the previous state.
        if let Ok(json) = serde_json::to_string(&*display) {
            self.receiver.save(&display.id.to_string(), &json, what);
        }
    }
}

/// Returns traits from the text in which keys and values follow each other, with a NUL after each except the
/// last.
pub fn traits(text: &str) -> BTreeMap<String, String> {
    let mut texts = text.split('\0').map(str::to_owned);
    std::iter::from_fn(|| texts.next().zip(texts.next())).collect()
}

#[cfg(test)]
mod tests {
    use asklet_shared::definition::Definition;
    use asklet_shared::settings::Look;
    use serde_json::{Value, json};

    use super::*;

    /// What was saved: each state, with what had happened.
    #[derive(Default)]
    struct Outbox(RefCell<Vec<(String, Value)>>);

    impl Save for &Outbox {
        fn save(&self, id: &str, json: &str, what: &str) {
            let state: Value = serde_json::from_str(json).unwrap();
            assert_eq!(state["id"], id);
            self.0.borrow_mut().push((what.to_owned(), state));
        }
    }

    impl Outbox {
        /// Takes what was saved since the last call: what happened, and some fields of the state.
        fn taken<const N: usize>(&self, fields: [&str; N]) -> Vec<(String, [Value; N])> {
            let states = self.0.take().into_iter();
            states.map(|(what, state)| (what, fields.map(|field| state[field].clone()))).collect()
        }
    }

    fn display() -> Display {
        serde_json::from_value(json!({
            "id": "019a3cb6-bc00-7cc3-98c4-dc0c0c07398f", "revision": 0, "version": 1,
            "stage": "shown", "language": "en", "answers": {},
        }))
        .unwrap()
    }

    /// A survey that asks detractors why, and then everybody for a name.
    fn body() -> Body {
        let definition: Definition = serde_json::from_value(json!({
            "name": "Relationship",
            "questions": [
                { "id": "score", "text": "How likely?", "answer": { "rating": {
                    "scale": "nps", "low": "Not likely", "high": "Likely",
                } } },
                { "id": "why", "text": "Why?", "answer": { "text": {} },
                  "show_if": { "question": "score", "is": { "category": ["detractor"] } } },
                { "id": "who", "text": "Who?", "answer": { "text": {} } },
            ],
            "primary": "score",
            "thanks": { "text": "Thanks!" },
        }))
        .unwrap();
        Body::of(&definition, &Look::default(), "en")
    }

    fn text(text: &str) -> Option<Answer> {
        Some(Answer::Text(text.to_owned()))
    }

    #[test]
    fn each_change_is_saved_as_the_next_revision() {
        let (outbox, body) = (Outbox::default(), body());
        let progress = Progress::new(display(), &outbox);
        assert!(outbox.0.borrow().is_empty(), "nothing is saved before the survey is in the page");
        progress.shown();
        progress.seen();
        progress.answered(&body, "score", Some(Answer::Score(3)));
        progress.answered(&body, "why", text("slow"));
        progress.completed();
        let saved = outbox.taken(["revision", "stage"]);
        let expected = [
            ("shown", [json!(1), json!("shown")]),
            ("seen", [json!(2), json!("seen")]),
            ("answered", [json!(3), json!("started")]),
            ("answered", [json!(4), json!("started")]),
            ("completed", [json!(5), json!("completed")]),
        ];
        assert_eq!(saved, expected.map(|(what, fields)| (what.to_owned(), fields)));
    }

    #[test]
    fn what_is_so_already_is_no_revision() {
        let (outbox, body) = (Outbox::default(), body());
        let progress = Progress::new(display(), &outbox);
        progress.answered(&body, "score", Some(Answer::Score(9)));
        progress.answered(&body, "score", Some(Answer::Score(9)));
        progress.answered(&body, "who", None);
        // A survey that comes into view only now was started already.
        progress.seen();
        assert_eq!(outbox.taken(["revision"]), [("answered".to_owned(), [json!(1)])]);
    }

    #[test]
    fn a_changed_answer_removes_those_to_questions_that_are_not_asked_any_more() {
        let (outbox, body) = (Outbox::default(), body());
        let progress = Progress::new(display(), &outbox);
        progress.answered(&body, "score", Some(Answer::Score(3)));
        progress.answered(&body, "why", text("slow"));
        progress.answered(&body, "who", text("Ada"));
        assert_eq!(progress.later(&body, 0), (Some(1), 2));
        progress.answered(&body, "score", Some(Answer::Score(9)));
        assert_eq!(progress.later(&body, 0), (Some(2), 1));
        assert_eq!(progress.later(&body, 2), (None, 0));
        assert_eq!(progress.answer("why"), None);
        let (_, [answers]) = outbox.taken(["answers"]).pop().unwrap();
        assert_eq!(answers, json!({ "score": 9, "who": "Ada" }));
    }

    #[test]
    fn a_dismissal_keeps_the_answers_and_the_stage() {
        let (outbox, body) = (Outbox::default(), body());
        let progress = Progress::new(display(), &outbox);
        progress.answered(&body, "score", Some(Answer::Score(3)));
        progress.dismissed("later");
        let (what, fields) = outbox.taken(["dismissed", "stage", "answers"]).pop().unwrap();
        assert_eq!(
            (what.as_str(), fields),
            ("later", [json!(true), json!("started"), json!({ "score": 3 })])
        );
        assert!(!progress.is_completed());
    }

    #[test]
    fn traits_are_pairs_of_texts() {
        assert_eq!(traits(""), BTreeMap::new());
        let pairs = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
        };
        assert_eq!(
            traits("plan\0pro\0seats\0three"),
            pairs(&[("plan", "pro"), ("seats", "three")])
        );
        assert_eq!(traits("plan\0\0seats\0three"), pairs(&[("plan", ""), ("seats", "three")]));
    }
}
