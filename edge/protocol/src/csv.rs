//! Responses as CSV (RFC 4180), in a form that spreadsheets read correctly: UTF-8 with a byte order mark,
//! because Excel takes anything else for a local encoding; lines that end with CR LF; and no text that any
//! spreadsheet would take for a formula, including spreadsheets that split lines at semicolons, as Excel does
//! in half of Europe.

use asklet_shared::definition::Definition;
use asklet_shared::display::{Answer, Answers, Choice};
use asklet_shared::metrics::Category;
use asklet_shared::period::rfc3339;
use asklet_shared::problem::Code;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::json;
use crate::responses::Response;

/// The columns that follow those of the questions.
const CONTEXT: [&str; 20] = [
    "category",
    "stage",
    "dismissed",
    "version",
    "revision",
    "received",
    "channel",
    "language",
    "country",
    "device",
    "page",
    "page_group",
    "touchpoint",
    "variant",
    "respondent",
    "verified",
    "identity_refused",
    "excluded",
    "other_answers",
    "other_traits",
];

/// The characters with which a formula begins. The last four are the full-width forms of the first four.
const FORMULAS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Characters that a spreadsheet may skip before a formula, or take for the end of a cell.
const BLANKS: [char; 3] = ['\t', '\r', '\n'];

/// The columns that follow from a survey's latest version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Columns {
    questions: Vec<String>,
    traits: Vec<String>,
    /// Whether texts that a spreadsheet would take for formulas get a mark that makes them texts.
    escapes_formulas: bool,
}

impl Columns {
    /// Makes a column for each question and each trait.
    pub fn of(definition: &Definition, escapes_formulas: bool) -> Self {
        let questions = definition.questions.iter().map(|question| question.id.clone());
        let (questions, traits) = (questions.collect(), definition.traits.clone());
        Self { questions, traits, escapes_formulas }
    }

    /// Starts a line with a text.
    fn start(&self, text: &str) -> Line {
        Line { text: text.to_owned(), escapes_formulas: self.escapes_formulas }
    }

    /// Writes the byte order mark and the names of the columns.
    pub fn header(&self) -> String {
        let mut line = self.start("\u{feff}");
        let questions = self.questions.iter().map(|question| format!("answer.{question}"));
        let traits = self.traits.iter().map(|key| format!("trait.{key}"));
        let context = CONTEXT.iter().map(|name| (*name).to_owned());
        for name in ["id".to_owned(), "shown".to_owned()]
            .into_iter()
            .chain(questions)
            .chain(context)
            .chain(traits)
        {
            line.text(&name);
        }
        line.end()
    }

    /// Writes the line of a response.
    pub fn line(&self, response: &Response) -> Result<String, Failure> {
        let mut line = self.start("");
        line.text(&response.id.to_string());
        line.text(&date_and_time(response.shown_ms));
        for question in &self.questions {
            line.answer(response.answers.get(question));
        }
        line.text(response.category.map_or("", Category::name));
        line.text(response.stage.name());
        line.text(if response.dismissed { "true" } else { "false" });
        line.number(response.version);
        line.number(response.revision);
        line.text(&date_and_time(response.received_ms));
        for text in [
            response.channel.name(),
            &response.language,
            &response.country,
            &response.device,
            &response.page,
            &response.page_group,
            &response.touchpoint,
            &response.variant,
            response.respondent.as_deref().unwrap_or_default(),
            if response.verified { "true" } else { "false" },
            response.identity_refused.map_or("", Code::name),
            response.excluded.as_ref().map_or("", |excluded| &excluded.reason),
        ] {
            line.text(text);
        }
        let others = response.answers.0.iter();
        let others = others.filter(|(question, _)| !self.questions.contains(question)).cloned();
        let others = Answers(others.collect());
        line.others(others.0.is_empty(), &others)?;
        let mut others = response.traits.clone();
        for key in &self.traits {
            others.remove(key);
        }
        line.others(others.is_empty(), &others)?;
        for key in &self.traits {
            line.text(response.traits.get(key).map_or("", String::as_str));
        }
        Ok(line.end())
    }
}

/// Writes a time in UTC, to the millisecond, in the form that spreadsheets recognize: they take RFC 3339 for a
/// text.
fn date_and_time(ms: u64) -> String {
    let seconds = rfc3339(ms).replace('T', " ");
    format!("{}.{:03}", seconds.trim_end_matches('Z'), ms % 1000)
}

/// A line that is built field by field, each field followed by a comma.
struct Line {
    text: String,
    escapes_formulas: bool,
}

impl Line {
    fn text(&mut self, text: &str) {
        let quote = if text.contains([',', '"', '\r', '\n']) { "\"" } else { "" };
        self.text += quote;
        if self.escapes_formulas && (text.starts_with(FORMULAS) || text.starts_with(BLANKS)) {
            self.text.push('\'');
        }
        let mut begins = false;
        for letter in text.chars() {
            if self.escapes_formulas && begins && FORMULAS.contains(&letter) {
                self.text.push('\'');
            }
            // A spreadsheet that splits at other characters removes quotes that follow such a character.
            begins = letter == ';' || BLANKS.contains(&letter) || begins && letter == '"';
            self.text.push(letter);
            if letter == '"' {
                self.text.push(letter);
            }
        }
        self.text += quote;
        self.text.push(',');
    }

    fn number(&mut self, number: u32) {
        self.text += &number.to_string();
        self.text.push(',');
    }

    /// Writes the answers or traits that have no column of their own, in JSON.
    fn others(&mut self, is_empty: bool, others: &impl Serialize) -> Result<(), Failure> {
        let others = if is_empty { String::new() } else { json::line(others)? };
        self.text(&others);
        Ok(())
    }

    fn answer(&mut self, answer: Option<&Answer>) {
        match answer {
            None => self.text(""),
            Some(Answer::Score(score)) => self.number(u32::from(*score)),
            Some(Answer::Text(text)) => self.text(text),
            Some(Answer::Choice(Choice { options, other })) => {
                let other = other.as_ref().map(|other| match other.as_str() {
                    "" => "other".to_owned(),
                    words => format!("other: {words}"),
                });
                let chosen = options.iter().cloned().chain(other);
                self.text(&chosen.collect::<Vec<_>>().join("; "));
            }
        }
    }

    fn end(mut self) -> String {
        self.text.pop();
        self.text + "\r\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(escapes_formulas: bool) -> Line {
        Line { text: String::new(), escapes_formulas }
    }

    fn field(text: &str) -> String {
        let mut line = line(true);
        line.text(text);
        line.end().trim_end_matches("\r\n").to_owned()
    }

    #[test]
    fn a_program_can_have_texts_as_they_are() {
        let mut line = line(false);
        for text in ["+49301234", "x;=1", "\"=1\", they say"] {
            line.text(text);
        }
        assert_eq!(line.end(), "+49301234,x;=1,\"\"\"=1\"\", they say\"\r\n");
    }

    #[test]
    fn a_time_keeps_its_milliseconds() {
        assert_eq!(date_and_time(1_761_955_200_007), "2025-11-01 00:00:00.007");
        assert_eq!(date_and_time(1_761_955_200_000), "2025-11-01 00:00:00.000");
    }

    #[test]
    fn nothing_that_a_spreadsheet_finds_in_a_text_is_a_formula() {
        for (text, written) in [
            ("fine", "fine"),
            ("a - b = c", "a - b = c"),
            ("a; b; other: =c", "a; b; other: =c"),
            ("=1", "'=1"),
            ("-1", "'-1"),
            ("＝1", "'＝1"),
            ("\t1", "'\t1"),
            ("\n=1", "\"'\n'=1\""),
            ("x;=1+1;y", "x;'=1+1;y"),
            ("x;＠1;;+1", "x;'＠1;;'+1"),
            ("x\t@1", "x\t'@1"),
            ("x\r\n-1", "\"x\r\n'-1\""),
            ("x;\"=1+1&\";y", "\"x;\"\"'=1+1&\"\";y\""),
            ("\"=1\", they say", "\"\"\"=1\"\", they say\""),
        ] {
            assert_eq!(field(text), written, "{text:?}");
        }
    }

    #[test]
    fn a_number_is_untouched_and_one_that_was_written_is_a_text() {
        let mut line = line(true);
        line.number(7);
        line.answer(Some(&Answer::Score(0)));
        line.answer(Some(&Answer::Text("-7".to_owned())));
        assert_eq!(line.end(), "7,0,'-7\r\n");
    }
}
