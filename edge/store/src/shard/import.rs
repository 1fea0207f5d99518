//! Imports: displays that a program sends, many at a time and from any time.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::rc::Rc;

use asklet_protocol::failure::Failure;
use asklet_protocol::import::Imported;
use asklet_protocol::json;
use asklet_protocol::policy::Policy;
use asklet_protocol::respondent::{RESPONDENT_LIMIT, is_respondent};
use asklet_protocol::responses::Excluded;
use asklet_shared::definition::question::AnswerKind;
use asklet_shared::definition::{Definition, Published};
use asklet_shared::display::{Answer, Answers, Channel, Display, Stage};
use asklet_shared::display_id::DisplayId;
use asklet_shared::period;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::time::{SECONDS_END_MS, are_seconds};
use asklet_shared::validate::{self, DISPLAY_LIMIT};
use serde::de::{Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};

use crate::shard::arrival::{self, RequestContext, SurveyContext};
use crate::shard::identity::Moment;
use crate::shard::log;
use crate::shard::record::{self, Arrival, Recorded};
use crate::sql::Sql;

/// The longest name of a group, a touchpoint or a device, in characters.
const NAME_LIMIT: usize = 50;

/// The fields of a line besides those of a display: when the display was shown, and the fields that an export
/// contains. The fields and the display are parsed one after the other, because parsing both at once adds more
/// code to the Worker than storing them.
#[derive(Default, Deserialize)]
struct ImportedFields {
    shown_ms: u64,
    #[serde(default)]
    country: Option<String>,
    #[serde(default)]
    device: Option<String>,
    #[serde(default)]
    page_group: Option<String>,
    #[serde(default)]
    touchpoint: Option<String>,
    #[serde(default)]
    respondent: Option<String>,
    #[serde(default)]
    verified: bool,
    #[serde(default)]
    excluded: Option<Excluded>,
}

/// A line with a score that was collected elsewhere.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Score {
    /// When the score was given.
    time: Time,
    question: String,
    score: Points,
    #[serde(default)]
    comment: Option<String>,
    /// The question that the comment answers; if left out, the first question that takes a text.
    #[serde(default)]
    comment_question: Option<String>,
    #[serde(default)]
    respondent: Option<String>,
    /// A key that distinguishes the line from an equal line.
    #[serde(default)]
    key: Option<String>,
}

/// A time in RFC 3339, or in milliseconds since the epoch.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a time in RFC 3339, or milliseconds since the epoch")]
enum Time {
    Text(String),
    Number(u64),
}

/// A score from the line. Whether the question's scale contains it is checked by the rules for displays.
struct Points(u8);

impl<'de> Deserialize<'de> for Points {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PointsVisitor;

        impl Visitor<'_> for PointsVisitor {
            type Value = Points;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer from 0 to 10")
            }

            fn visit_u64<E: serde::de::Error>(self, score: u64) -> Result<Points, E> {
                let off = || E::invalid_value(Unexpected::Unsigned(score), &self);
                u8::try_from(score).map(Points).map_err(|_| off())
            }
        }

        deserializer.deserialize_u8(PointsVisitor)
    }
}

/// Detects whether a line is a score: no display has a `time`.
#[derive(Deserialize)]
struct Kind {
    #[serde(default)]
    time: Option<serde::de::IgnoredAny>,
}

/// What a shard needs to know to import lines: versions, the site, the policy, and the time.
pub struct ImportContext<'a> {
    /// Finds a version.
    pub published: &'a dyn Fn(u32) -> Result<Option<Rc<Published>>, Failure>,
    /// Returns the number of the latest version.
    pub latest: &'a dyn Fn() -> Result<u32, Failure>,
    /// The site's id.
    pub site: &'a str,
    /// The current policy.
    pub policy: &'a Policy,
    /// The current time.
    pub now_ms: u64,
}

/// Stores lines of JSON in one transaction, each as if it had been collected. A line that breaks a rule is left
/// out and reported. Importing the other lines again changes nothing.
pub fn import(
    sql: &impl Sql,
    lines: &str,
    context: &ImportContext<'_>,
) -> Result<Imported, Failure> {
    let mut imported = Imported::default();
    let (mut numbers, mut arrivals) = (Vec::new(), Vec::new());
    each(sql, lines, context, &mut |at, arrival| {
        match arrival {
            Some(Ok(arrival)) => {
                numbers.push(at + 1);
                arrivals.push(arrival);
            }
            Some(Err(problem)) => imported.refuse(at + 1, problem),
            None => {}
        }
        Ok(())
    })?;
    let outcomes = record::record_all(sql, arrivals, context.now_ms)?;
    for (line, outcome) in numbers.into_iter().zip(outcomes) {
        match outcome {
            Ok(Recorded::New) => imported.stored += 1,
            Ok(Recorded::Known) => imported.known += 1,
            Err(problem) => imported.refuse(line, problem),
        }
    }
    Ok(imported)
}

/// Returns a text with `1` for each line whose display is stored already, in whatever state, and `0` for each
/// other line.
pub fn known(sql: &impl Sql, lines: &str, context: &ImportContext<'_>) -> Result<String, Failure> {
    let mut known = String::new();
    each(sql, lines, context, &mut |_, arrival| {
        let is_known = match arrival {
            Some(Ok(arrival)) => log::find(sql, arrival.id)?.is_some(),
            Some(Err(_)) | None => false,
        };
        known.push(if is_known { '1' } else { '0' });
        Ok(())
    })?;
    Ok(known)
}

/// Parses each line and passes it to `take`; an empty line is passed as `None`.
fn each(
    sql: &impl Sql,
    lines: &str,
    context: &ImportContext<'_>,
    take: &mut dyn FnMut(usize, Option<Result<Arrival, Problem>>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    // How often each score has occurred in these lines.
    let mut alike = HashMap::new();
    for (at, line) in lines.lines().enumerate() {
        let arrival = match line.trim().is_empty() {
            true => None,
            false => match read(sql, line, context, &mut alike) {
                Ok(arrival) => Some(Ok(arrival)),
                Err(Failure::Problem(problem)) => Some(Err(problem)),
                Err(broken) => return Err(broken),
            },
        };
        take(at, arrival)?;
    }
    Ok(())
}

/// Reads a line and checks it by the rules for displays.
fn read(
    sql: &impl Sql,
    line: &str,
    context: &ImportContext<'_>,
    alike: &mut HashMap<String, u32>,
) -> Result<Arrival, Failure> {
    let ImportContext { published, site, policy, now_ms, .. } = *context;
    let (mut display, fields) = parse(sql, line, context, alike)?;
    let shown_ms = fields.shown_ms;
    check_time(shown_ms, now_ms)?;
    let unknown = || {
        Problem::new(Code::UnknownVersion, "the survey was never published in this version")
            .at("version")
    };
    let published = published(display.version)?.ok_or_else(unknown)?;
    let definition = &published.definition;
    validate::display(&mut display, definition)?;
    let survey = SurveyContext { site, definition, policy };
    let moment = Moment { shown_ms, now_ms };
    let mut arrival = arrival::arrival(display, RequestContext::default(), survey, moment);
    if let Some(problem) = arrival.refused {
        // The importer still has the line, and can correct it.
        return Err(problem.into());
    }
    fields.add_to(&mut arrival, policy)?;
    Ok(arrival)
}

/// Parses a line: a display, or a score that was collected elsewhere.
fn parse(
    sql: &impl Sql,
    line: &str,
    context: &ImportContext<'_>,
    alike: &mut HashMap<String, u32>,
) -> Result<(Display, ImportedFields), Failure> {
    if line.len() > DISPLAY_LIMIT {
        return Err(Problem::new(Code::BodyTooLarge, "the line is too large")
            .limit(format!("{DISPLAY_LIMIT} bytes"))
            .into());
    }
    let Kind { time } = json::read_sent(line.as_bytes())?;
    if time.is_none() {
        return Ok((json::read_sent(line.as_bytes())?, json::read_sent(line.as_bytes())?));
    }
    let ImportContext { published, latest, .. } = *context;
    let score: Score = json::read_sent(line.as_bytes())?;
    let (id, shown_ms) = score.id(alike)?;
    // If the line is imported again after a later version was published, it is still the same display.
    let known = log::find(sql, id)?.filter(|known| !known.is_tombstone());
    let version = known.map_or_else(latest, |known| Ok(known.context.version))?;
    let text = published(version)?.and_then(|published| first_text(&published.definition));
    Ok(score.line((id, shown_ms), version, text)?)
}

/// Refuses a time that cannot be meant.
fn check_time(shown_ms: u64, now_ms: u64) -> Result<(), Problem> {
    let invalid = |detail: &'static str| Problem::new(Code::InvalidDisplay, detail).at("shown_ms");
    if are_seconds(shown_ms) {
        return Err(invalid("the time is in seconds: multiply it by 1000")
            .limit(format!("{SECONDS_END_MS} to {now_ms} milliseconds since the epoch")));
    }
    if shown_ms > now_ms {
        return Err(invalid("the display was shown in the future"));
    }
    Ok(())
}

impl ImportedFields {
    /// Adds the fields that only an imported line has; country and device only if the site stores them.
    fn add_to(self, arrival: &mut Arrival, policy: &Policy) -> Result<(), Problem> {
        let stored = |name: Option<String>, is_stored: bool| {
            name.filter(|name| is_stored && name.chars().count() <= NAME_LIMIT)
        };
        let context = &mut arrival.context;
        if let Some(country) = stored(self.country, policy.privacy.country) {
            context.country = arrival::country_code(&country);
        }
        if let Some(device) = stored(self.device, policy.privacy.device) {
            context.device = device;
        }
        if let Some(page_group) = stored(self.page_group, true) {
            context.page_group = page_group;
        }
        if let Some(touchpoint) = stored(self.touchpoint, true) {
            context.touchpoint = touchpoint;
        }
        if let Some(respondent) = self.respondent {
            if !is_respondent(&respondent) {
                let detail = "the respondent's id is empty or too long";
                return Err(Problem::new(Code::InvalidDisplay, detail)
                    .at("respondent")
                    .limit(format!("1 to {RESPONDENT_LIMIT} characters")));
            }
            arrival.respondent = Some(respondent);
        }
        arrival.verified |= self.verified;
        let reason = self.excluded.map(|excluded| excluded.reason);
        arrival.excluded = reason.filter(|reason| !reason.trim().is_empty());
        Ok(())
    }
}

fn first_text(definition: &Definition) -> Option<String> {
    let mut questions = definition.questions.iter();
    let text = questions.find(|question| matches!(question.answer, AnswerKind::Text(_)));
    text.map(|question| question.id.clone())
}

impl Score {
    /// Returns the id of the display for this score, and when it was shown. The id is computed from the content
    /// of the line, so that the same line is the same display whatever later versions ask, and from the number
    /// of equal lines before it.
    fn id(&self, alike: &mut HashMap<String, u32>) -> Result<(DisplayId, u64), Failure> {
        let time = match &self.time {
            Time::Text(text) => text.clone(),
            Time::Number(ms) => ms.to_string(),
        };
        let shown_ms = period::parse_instant("time", &time)
            .map_err(|problem| Problem { code: Code::InvalidDisplay, ..problem })?;
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        let said = serde_json::to_string(&vec![
            shown_ms.to_string(),
            self.question.clone(),
            self.score.0.to_string(),
            or_empty(&self.comment),
            or_empty(&self.comment_question),
            or_empty(&self.respondent),
            or_empty(&self.key),
        ])?;
        let number = alike.entry(said.clone()).or_default();
        *number += 1;
        let digest = Sha256::digest(format!("{said}{number}").as_bytes());
        let mut random = [0; 10];
        random.iter_mut().zip(digest).for_each(|(random, byte)| *random = byte);
        Ok((DisplayId::new(shown_ms, random), shown_ms))
    }

    /// Makes the display.
    fn line(
        self,
        (id, shown_ms): (DisplayId, u64),
        version: u32,
        text: Option<String>,
    ) -> Result<(Display, ImportedFields), Problem> {
        let mut answers = Answers::default();
        answers.set(&self.question, Answer::Score(self.score.0));
        if let Some(comment) = self.comment.filter(|comment| !comment.trim().is_empty()) {
            let detail = "the survey has no question that takes a text";
            let question = self.comment_question.or(text);
            let question = question
                .ok_or_else(|| Problem::new(Code::UnknownQuestion, detail).at("comment"))?;
            answers.set(&question, Answer::Text(comment));
        }
        let display = Display {
            id,
            revision: 1,
            version,
            stage: Stage::Completed,
            dismissed: false,
            channel: Channel::Import,
            language: String::new(),
            page: String::new(),
            answers,
            variant: String::new(),
            traits: BTreeMap::new(),
            identity: None,
            age_ms: 0,
        };
        Ok((
            display,
            ImportedFields { shown_ms, respondent: self.respondent, ..ImportedFields::default() },
        ))
    }
}
