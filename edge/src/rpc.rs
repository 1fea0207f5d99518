//! What the Worker and its objects say to each other: one type for each object, sent as JSON to a
//! path that no public route has.

use std::rc::Rc;

use asklet_shared::config::Files;
use asklet_shared::definition::question::Question;
use asklet_shared::definition::{Definition, Published, Status};
use asklet_shared::display_id::DisplayId;
use asklet_shared::problem::{Code, Problem};
use asklet_shared::scope::Scope;
use asklet_shared::settings::{Limits, Look, Settings, WeekStart};
use asklet_shared::tally::{self, Counted};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use worker::{Env, Request, Response, Stub, web_sys};

use crate::bundle::Head;
use crate::failure::Failure;
use crate::json;
use crate::json::patch::Patch;
use crate::seal::{self, KeyDigest, Seal, SiteId, SurveyId};
use crate::site::audit::Change;
use crate::site::installs::Directive;
use crate::standing::Standing;
use crate::survey::corrections::Correction;
use crate::survey::find::{Find, From};
use crate::survey::keeping::Since;
use crate::survey::responses::Tell;
use crate::survey::scan;
use crate::survey::slice::Cursor;

/// The path of a call. Public requests that are forwarded untouched begin with `/v1/`.
pub const PATH: &str = "/call";

/// The header in which a call carries the deployment's [`Seal::internal`].
const SECRET: &str = "asklet-internal";

/// An object, and what its calls carry.
pub struct Object {
    stub: Stub,
    seal: Rc<Seal>,
}

impl Object {
    /// One of this deployment's objects.
    pub fn new(stub: Stub, env: &Env) -> Result<Self, Failure> {
        Ok(Self { stub, seal: Seal::of(env)? })
    }

    /// For a public request that is forwarded as it is.
    pub fn into_stub(self) -> Stub {
        self.stub
    }
}

/// What the `Directory` object is asked.
#[derive(Debug, Serialize, Deserialize)]
pub enum DirectoryCall {
    /// Remember a site; answered with nothing.
    Add(SiteEntry),
    /// Forget a site; answered with nothing.
    Remove(SiteId),
    /// The sites after one, so many; answered with a list of [`SiteEntry`].
    List { after: String, limit: u32 },
}

/// A site as the operator sees it.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SiteEntry {
    /// Its id.
    pub site: SiteId,
    /// How its team called it when it was made.
    pub name: String,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
}

/// What a `Site` object is asked.
#[derive(Debug, Serialize, Deserialize)]
pub enum SiteCall {
    /// Set the site up; answered with nothing.
    Create { settings: Box<Settings>, key: NewKey },
    /// The live surveys, for pages that load these files; answered with [`Live`].
    Live { site: SiteId, files: Option<Files> },
    /// A version, or the latest, for a shard that lacks it; answered with [`Told`].
    Published { survey: SurveyId, version: Option<u32>, shard: u16 },
    /// What would be published next, for a preview that was made after so many revocations; answered with
    /// [`Draft`].
    Draft { survey: SurveyId, revocations: u32 },
    /// The tag ran on a page of an origin, and maybe a directive stood in its way; answered with nothing.
    Installed { origin: String, directive: Option<Directive> },
    /// What a team or the operator asks, by a route that needs this scope.
    Team { site: SiteId, by: By, scope: Scope, once: Option<Once>, call: TeamCall },
    /// Remove the site with everything in it, for the operator; answered with nothing.
    Delete { site: SiteId },
    /// A page of everything of the site; answered with its text.
    GiveBundle { site: SiteId, cursor: Option<String>, keys: bool },
    /// Take such a page; answered with `BundleTaken`.
    TakeBundle { site: SiteId, page: String },
}

/// Who asks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum By {
    /// Whoever shows this key; the site looks whether it is one of its own.
    Key(KeyDigest),
    /// Whoever showed the admin token.
    Operator,
}

/// A request that is to be carried out once, however often it comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Once {
    /// What its sender calls it.
    pub key: String,
    /// The digest of what it says.
    pub digest: String,
}

/// A key that is to be kept.
#[derive(Debug, Serialize, Deserialize)]
pub struct NewKey {
    /// What it is called in the log.
    pub id: String,
    /// What it is known by.
    pub digest: KeyDigest,
    /// What its team calls it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
}

/// What pages are told of a site.
#[derive(Debug, Serialize, Deserialize)]
pub struct Live {
    /// The surveys that are asked.
    pub surveys: Vec<String>,
    /// The config with these files, in JSON: nobody on the way has to read it.
    pub config: String,
    /// Whether visitors are asked whose browser asks not to be followed.
    pub ask_despite_signal: bool,
    /// The origins whose pages may ask.
    pub origins: Vec<String>,
}

/// What a shard is told, when it asks and when something has changed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Told {
    /// The version.
    pub published: Published,
    /// What holds now.
    pub standing: Standing,
}

/// What would be published next.
#[derive(Debug, Serialize, Deserialize)]
pub struct Draft {
    /// As it is written now.
    pub definition: Definition,
    /// What of the site is seen in it.
    pub look: Look,
    /// The origins whose pages may ask.
    pub origins: Vec<String>,
}

/// What a team asks of its site.
#[derive(Debug, Serialize, Deserialize)]
pub enum TeamCall {
    /// Only whether it may ask; answered with nothing.
    Nothing,
    /// Its keys; answered with a `Keys`.
    Keys,
    /// What the request was answered with when it came before; answered with that, or with nothing, and
    /// then it is kept as begun.
    EarlierAnswer,
    /// Keep what the request is answered with; answered with nothing.
    KeepAnswer { answer: String },
    /// Keep another key; answered with its id.
    AddKey(NewKey),
    /// Forget a key; answered with nothing.
    RemoveKey { id: String },
    /// Where the tag ran; answered with `Installs`.
    Installs,
    /// What was changed, before an entry or up to now; answered with `Log`.
    Audit { before: Option<u64> },
    /// Write down what is being read; answered with nothing.
    Note(Change),
    /// Keep what is about to be changed in the shards; answered with a number.
    Begin(Change),
    /// Write down what happened of it, if anything did; answered with nothing.
    End { intent: u64, happened: Option<Change> },
    /// Its settings; answered with [`SiteRecord`].
    Settings,
    /// Replace the settings; answered with [`SiteRecord`].
    ChangeSettings(Box<Settings>),
    /// Change some of the settings; answered with [`SiteRecord`].
    PatchSettings(Patch),
    /// Keep another identity secret, as a [`crate::vault::Vault`] locks it; answered with its id.
    AddSecret { id: String, secret: String },
    /// Forget an identity secret; answered with [`SiteRecord`].
    RemoveSecret { id: String },
    /// Remove the site with everything in it; answered with nothing.
    Delete,
    /// All surveys; answered with `Surveys`.
    Surveys,
    /// Keep a draft; answered with [`SurveyRecord`].
    CreateSurvey { survey: SurveyId, draft: Box<Definition> },
    /// Something about one survey.
    Survey { survey: SurveyId, action: SurveyAction },
    /// Whether its draft could be published and shown; answered with how often its previews were revoked.
    Preview { survey: SurveyId },
    /// End its previews; answered with nothing.
    RevokePreviews { survey: SurveyId },
    /// What has to be known to ask the shards of a survey; answered with [`Plan`].
    Plan { survey: SurveyId },
    /// The surveys that were ever published; answered with a list of their ids, oldest first.
    PublishedSurveys,
}

/// A site as its team sees it.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SiteRecord {
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
    /// Its settings.
    pub settings: Settings,
    /// Its identity secrets, without what is secret.
    pub identity_secrets: Vec<SecretRecord>,
}

/// An identity secret as its team sees it.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SecretRecord {
    /// What it is called.
    pub id: String,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
}

/// What a team does with a survey. Answered with [`SurveyRecord`], or with nothing where it is gone.
#[derive(Debug, Serialize, Deserialize)]
pub enum SurveyAction {
    /// Look at it.
    Read,
    /// Replace the draft.
    Update(Box<Definition>),
    /// Change something of the draft.
    Patch(Patch),
    /// Remove it with everything that was collected.
    Delete,
    /// Keep its draft again, as a survey of this id.
    Duplicate(SurveyId),
    /// Make the draft the next version, live.
    Publish,
    /// Ask it again, or stop asking.
    SetStatus(Status),
    /// Take none of its displays any more, or take them again.
    SetIntake(Intake),
    /// Spread its displays over so many shards, not fewer than before.
    SetShards(u16),
}

/// Whether displays are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Intake {
    /// They are, as the survey's status says.
    Open,
    /// None is.
    Refused,
}

/// A survey as its team sees it.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SurveyRecord {
    /// Its id.
    pub survey: String,
    /// Where it stands.
    pub status: Status,
    /// Whether its displays are refused, whatever its status is.
    pub refuses: bool,
    /// The latest version; 0 before the first publish.
    pub version: u32,
    /// How many shards take its displays.
    pub shards: u16,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
    /// What would be published next; left out of lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<Definition>,
}

/// What has to be known to ask the shards of a survey.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The survey's id.
    pub survey: SurveyId,
    /// The latest version, or, before the first publish, the draft.
    pub definition: Definition,
    /// The shards that may hold displays.
    pub shards: u16,
    /// The questions that only earlier versions asked, each as the last of them asked it.
    pub earlier_questions: Vec<Question>,
    /// Those of them that were a version's primary one.
    pub earlier_primaries: Vec<String>,
    /// The traits that any version declares.
    pub traits: Vec<String>,
    /// Those of them that every version declares, so that their counters are whole.
    pub counted_traits: Vec<String>,
    /// How much the survey may take.
    pub limits: Limits,
    /// The site's time zone.
    pub tz: String,
    /// The day on which the site's weeks begin.
    pub week_starts: WeekStart,
}

impl Plan {
    /// A question that any version asked.
    pub fn question(&self, id: &str) -> Option<&Question> {
        let mut earlier = self.earlier_questions.iter();
        self.definition.question(id).or_else(|| earlier.find(|question| question.id == id))
    }
}

/// What a `Survey` object is asked besides the public requests that are forwarded to it.
#[derive(Debug, Serialize, Deserialize)]
pub enum SurveyCall {
    /// Take the latest version and what holds now; answered with nothing.
    Take(Box<Told>),
    /// What was counted in a period; answered with [`Counts`].
    Count(tally::Request),
    /// What some displays after a key add up to; answered with `Scanned`.
    Scan { query: scan::Query, after: Option<Cursor> },
    /// Stop counting a display, for a reason, or count it again; answered with nothing.
    Exclude { id: DisplayId, reason: Option<String> },
    /// Delete a display; answered with nothing.
    Delete { id: DisplayId },
    /// Correct displays after a key by a filter; answered with `Corrected`.
    Correct { correction: Box<Correction>, after: Option<Cursor> },
    /// Some of the displays that are looked for; answered with `Found`.
    Find { find: Box<Find>, tell: Box<Tell>, from: From, limit: usize },
    /// What was changed after a number; answered with [`Followed`].
    Follow { after: u64, tell: Box<Tell>, limit: usize },
    /// Erase the displays of a respondent among some after a key; answered with [`Erased`].
    Erase { respondent: String, after: Option<Cursor> },
    /// Of which lines it has the displays, whatever became of them; answered with a text that has for each
    /// line a `1` or a `0`.
    Known { site: String, lines: String },
    /// Take lines of displays; answered with `Imported`.
    Import { site: String, lines: String },
    /// How much it stores and writes; answered with [`Usage`].
    Usage,
    /// The page of what it keeps that begins there, and which object's pages follow; answered with its text.
    Dump { from: Box<Head>, following: Option<String> },
    /// Ask what holds now before anything is taken: the site moves here; answered with nothing.
    MoveIn,
    /// Take a page; answered with how many rows it held.
    Load { page: String },
    /// Forget everything, by a change of this number at the site; answered with nothing.
    Forget { number: u64 },
}

/// What was counted, and since when there is more.
#[derive(Debug, Serialize, Deserialize)]
pub struct Counts {
    /// What was counted.
    pub counted: Counted,
    /// What retention has removed.
    pub since: Since,
}

/// What was changed on a shard, in the order of the last changes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Followed {
    /// Each display once, as it is now, in JSON.
    pub changes: Vec<String>,
    /// The number of the last of them.
    pub last: Option<u64>,
    /// Whether more was changed after that.
    pub more: bool,
}

/// What one part of an erasure came to.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Erased {
    /// How many displays were erased.
    pub displays: u64,
    /// After which key the next part begins; `None` after the last.
    pub next: Option<Cursor>,
}

/// What the shards of a survey store and write.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Usage {
    /// How many displays are kept, answered or not.
    pub displays: u64,
    /// How many displays no counter covers yet.
    pub tail: u64,
    /// How large the databases' files are. A file never shrinks: what is freed is used again.
    pub bytes: u64,
    /// How much of that is in use.
    pub used_bytes: u64,
    /// How many rows were written since each shard woke, as the platform counts and bills them.
    pub rows_written: u64,
    /// How much may be taken and kept, as the site's settings say.
    pub limits: Limits,
}

/// What an object will answer, in JSON. Boxed: else the whole of the asking would be in the module once
/// more for each kind of answer and each place that waits for one.
pub type Answering<'a> = LocalBoxFuture<'a, Result<String, Failure>>;

/// Calls an object and reads its answer; its problem is the caller's.
pub async fn call<T: DeserializeOwned>(
    object: &Object,
    call: &impl Serialize,
) -> Result<T, Failure> {
    let call = serde_json::to_string(call)?;
    Ok(json::read(&ask(object, call).await?)?)
}

/// Calls an object with a call in JSON; its problem is the caller's.
pub fn ask(object: &Object, call: String) -> Answering<'_> {
    Box::pin(async move {
        // The platform's own way: that of its crate knows of much that no object looks at.
        let init = web_sys::RequestInit::new();
        init.set_method("POST");
        init.set_body(&call.into());
        let address = format!("https://object{PATH}");
        let request = web_sys::Request::new_with_str_and_init(&address, &init);
        let request = request.map_err(worker::Error::from)?;
        let secret = object.seal.internal();
        request.headers().set(SECRET, secret).map_err(worker::Error::from)?;
        let mut response = object.stub.fetch_with_request(request.into()).await?;
        let text = response.text().await?;
        if response.status_code() == 200 {
            return Ok(text);
        }
        let problem: Problem = json::read(&text)?;
        match problem.code {
            Code::Internal => {
                Err(Failure::Broken("an object failed and has logged why".to_owned()))
            }
            _ => Err(problem.into()),
        }
    })
}

/// Reads a call, and refuses one that is not this deployment's. What our own side wrote and does not read
/// is a fault of ours.
pub async fn read<T: DeserializeOwned>(request: &mut Request, env: &Env) -> Result<T, Failure> {
    check(request.headers().get(SECRET)?.as_deref(), &*Seal::of(env)?)?;
    Ok(json::read(&request.text().await?)?)
}

fn check(secret: Option<&str>, seal: &Seal) -> Result<(), Problem> {
    if secret.is_some_and(|secret| seal::same(secret, seal.internal())) {
        return Ok(());
    }
    Err(Problem::new(Code::Forbidden, "the call is not of this deployment"))
}

/// An object's answer to a call, in JSON already.
pub fn told(json: String) -> Result<Response, Failure> {
    Ok(Response::ok(json)?)
}

/// An object's answer to a call.
pub fn answer(value: &impl Serialize) -> Result<Response, Failure> {
    Ok(Response::from_json(value)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_answers_only_its_own_deployment() {
        let seal = Seal::new("a secret of the tests, long enough").unwrap();
        let other = Seal::new("another secret of the tests, as long").unwrap();
        assert_eq!(check(Some(seal.internal()), &seal), Ok(()));
        for secret in [None, Some(""), Some(other.internal())] {
            assert_eq!(check(secret, &seal).unwrap_err().code, Code::Forbidden);
        }
    }
}
