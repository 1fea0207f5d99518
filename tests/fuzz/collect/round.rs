//! A round: new surveys, connections that play histories on them, and a recount at the end.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::path::PathBuf;
use std::time::{Instant, UNIX_EPOCH};
use std::{fmt, fs, thread};

use asklet_fuzz::corpus;
use asklet_fuzz::mutate::Mutator;
use asklet_shared::definition::Definition;
use asklet_shared::display_id::DisplayId;
use harness::{Answer, Machine};
use serde_json::{Value, json};

use crate::history::{History, Template};
use crate::model::{Expected, Log, Recount, World, check};
use crate::wire::{Connection, Outcome};

/// How many shards the surveys have.
const SHARDS: u16 = 2;

/// How much of what went before is kept with a failing request.
const CONTEXT: usize = 30;

/// How many failures of one connection are told.
const FAILURES: usize = 3;

/// What is played.
pub enum Play {
    /// Every history as it is, divided among the connections.
    Kept,
    /// Histories as a seed changes them.
    Changed { seed: u64, until: Instant },
}

/// What was played.
#[derive(Default, Clone)]
pub struct Played {
    /// Requests that were sent.
    pub requests: u64,
    /// Those that were acknowledged with 204.
    pub stored: u64,
    /// Those that were refused.
    pub refused: u64,
    /// Those that were cut off.
    pub cut_off: u64,
    /// Displays that the summaries count in the end.
    pub displays: u64,
    /// Connections that were opened.
    pub connections: u64,
}

impl Played {
    /// Adds what was played elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.stored += other.stored;
        self.refused += other.refused;
        self.cut_off += other.cut_off;
        self.displays += other.displays;
        self.connections += other.connections;
    }
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requests, stored, refused, cut_off, displays, connections } = self;
        write!(
            f,
            "{requests} requests on {connections} connections: {stored} acknowledged, \
             {refused} refused, {cut_off} cut off; {displays} displays"
        )
    }
}

/// A round of histories against a deployment.
pub struct Round<'a> {
    deployment: &'a Machine,
    kept: &'a [History],
    world: World,
    /// The keys of both sites.
    keys: [String; 2],
    start_ms: u64,
}

/// One connection's part of a round.
struct Player<'a> {
    round: &'a Round<'a>,
    number: u8,
    connection: Connection,
    log: Log,
    played: Played,
    /// What was sent, as it would be kept; the number that made its displays' ids comes with it.
    sent: Vec<(u32, Template)>,
    /// What was not as it should be.
    failures: Vec<String>,
}

impl<'a> Round<'a> {
    /// Makes the sites and surveys.
    pub fn new(deployment: &'a Machine, kept: &'a [History]) -> Self {
        let definition = fs::read(corpus::folder("definition").join("every-kind.json"));
        let first: Value =
            serde_json::from_slice(&definition.expect("the definition")).expect("JSON");
        let mut second = first.clone();
        second["thanks"]["text"] = json!("Thank you again!");
        let (site, other) = (deployment.busy_site(), deployment.busy_site());
        let live = [&site, &other].map(|site| {
            let survey = site.publish(&first);
            survey.request("PUT", "").json(&second).expect(200);
            assert_eq!(survey.publish(), 2);
            survey.request("POST", "/shards").json(&json!({ "shards": SHARDS })).expect(200);
            let shard = survey.shard(1);
            (survey.id, shard)
        });
        let draft = site.draft(&first);
        let [(survey, shard), (other_survey, other_shard)] = live;
        let names = BTreeMap::from([
            ("site", site.id),
            ("survey", survey),
            ("shard_1", shard),
            ("draft", draft),
            ("other_site", other.id),
            ("other_survey", other_survey),
            ("other_shard_1", other_shard),
            ("key", site.key.clone()),
        ]);
        let versions = [first, second]
            .map(|json| serde_json::from_value::<Definition>(json).expect("a definition"));
        let world = World { names, versions: versions.to_vec() };
        let start_ms = u64::try_from(UNIX_EPOCH.elapsed().expect("a clock").as_millis());
        let start_ms = start_ms.expect("a time of this age");
        Self { deployment, kept, world, keys: [site.key, other.key], start_ms }
    }

    /// Plays, and checks what it came to.
    pub fn run(&self, connections: u8, play: &Play) -> Played {
        // Every shard is awake from here on, and what is not there by then is a untrusted client's.
        let surveys =
            [("site", "survey", "shard_1"), ("other_site", "other_survey", "other_shard_1")];
        for (site, survey, shard) in surveys {
            let [site, survey, shard] = [site, survey, shard].map(|name| &self.world.names[name]);
            for shard in ["0", shard] {
                let path = format!("/v1/collect/{site}/{survey}/{shard}");
                // Refused for its stage, once the version is there.
                let id = DisplayId::new(self.start_ms, [0xff; 10]);
                let told = json!({"id": id, "revision": 0, "version": 1, "stage": "shown"});
                self.deployment.request("POST", &path).json(&told).problem(422, "invalid_display");
            }
        }
        let before = self.deployment.databases().len();
        let players: Vec<Player<'_>> = thread::scope(|scope| {
            let players: Vec<_> = (0..connections)
                .map(|number| scope.spawn(move || self.play(number, connections, play)))
                .collect();
            players.into_iter().map(|player| player.join().expect("a player")).collect()
        });
        let mut played = Played::default();
        let mut logs = Vec::new();
        let mut sent = Vec::new();
        let mut failures = Vec::new();
        for player in players {
            let Player { connection, log, played: one, sent: requests, failures: some, .. } =
                player;
            failures.extend(some);
            let displays = log.displays.len() as u64;
            played.add(&Played { displays, connections: connection.opened, ..one });
            logs.push(log);
            sent.push(requests);
        }
        assert!(failures.is_empty(), "{}", failures.join("\n\n"));
        if let Err(difference) = self.recount(&logs) {
            let saved = save("recount", &sent);
            panic!(
                "the summary differs from what was acknowledged: {difference}\n{}",
                replay(&saved)
            );
        }
        let after = self.deployment.databases().len();
        assert_eq!(after, before, "strangers' requests made databases");
        played
    }

    fn play(&'a self, number: u8, connections: u8, play: &Play) -> Player<'a> {
        let mut player = Player {
            round: self,
            number,
            connection: Connection::new(self.deployment.port()),
            log: Log::default(),
            played: Played::default(),
            sent: Vec::new(),
            failures: Vec::new(),
        };
        match play {
            Play::Kept => {
                let own = self.kept.iter().skip(number.into()).step_by(connections.into());
                for (at, history) in own.enumerate() {
                    player.history(u32::try_from(at).expect("few histories"), history);
                }
            }
            Play::Changed { seed, until } => {
                let bodies = self.kept.iter().flat_map(|history| &history.0);
                let bodies = bodies.map(|template| template.body.as_slice());
                let mut mutator = Mutator::new(seed.wrapping_mul(256) + u64::from(number), bodies);
                let mut instance = 0;
                while Instant::now() < *until && player.failures.len() < FAILURES {
                    let chosen = mutator.rng().usize(..self.kept.len());
                    let mut history = self.kept[chosen].clone();
                    history.change(&mut mutator);
                    // Some histories go on with the displays of the one before.
                    instance += u32::from(mutator.rng().u8(0..4) != 0);
                    player.history(instance, &history);
                }
            }
        }
        player
    }

    /// Compares the summaries of both surveys with what the logs hold.
    fn recount(&self, logs: &[Log]) -> Result<(), String> {
        let names = &self.world.names;
        let surveys = [("site", "survey", 0), ("other_site", "other_survey", 1)];
        for (site, survey, key) in surveys {
            let path = format!("/v1/sites/{}/surveys/{}/summary", names[site], names[survey]);
            let definition = &self.world.versions[0];
            let ratings = definition.questions.iter().map(|question| question.id.as_str());
            for question in ratings.filter(|id| definition.rating(id).is_some()) {
                let path = format!("{path}?by=language&question={question}");
                let answer: Answer =
                    self.deployment.request("GET", &path).bearer(&self.keys[key]).get();
                let summary = answer.expect(200);
                Recount::of(logs, &names[survey], question)
                    .check(&summary)
                    .map_err(|difference| format!("{survey}, {question}: {difference}"))?;
            }
        }
        Ok(())
    }
}

impl Player<'_> {
    /// Plays a history; `instance` makes its displays' ids.
    fn history(&mut self, instance: u32, history: &History) {
        for template in &history.0 {
            self.request(instance, template);
        }
    }

    fn request(&mut self, instance: u32, template: &Template) {
        let id = |number: u8| self.id(instance, number);
        let request = template.filled(&self.round.world.names, &|number| id(number).to_string());
        // Two connections that told of one display would race, and nobody could say who was first.
        if let Some(told) = World::display_id(&request)
            && !(0..=u8::MAX).any(|number| id(number) == told)
        {
            return;
        }
        self.sent.push((instance, template.clone()));
        self.played.requests += 1;
        let expected = self.round.world.expected(&self.log, &request);
        let outcome = match self.connection.exchange(&request) {
            Ok(outcome) => outcome,
            Err(error) => return self.fail(&format!("the connection failed: {error}"), &request),
        };
        match (check(&request, &expected, &outcome), expected) {
            (Err(wrong), expected) => {
                self.fail(&format!("{wrong}; expected {expected:?}"), &request)
            }
            (Ok(true), Expected::Stored(key, display)) => {
                self.played.stored += 1;
                self.log.displays.insert(key, *display);
            }
            _ => match &outcome {
                Outcome::Answered(answer) if answer.status >= 400 => self.played.refused += 1,
                Outcome::Answered(_) => {}
                _ => self.played.cut_off += 1,
            },
        }
    }

    /// A display's id, which no other connection has.
    fn id(&self, instance: u32, number: u8) -> DisplayId {
        let [i0, i1, i2, i3] = instance.to_be_bytes();
        let random = [0, self.number, 0, i0, i1, i2, i3, number, 0, 0];
        DisplayId::new(self.round.start_ms, random)
    }

    /// Notes what went wrong, and saves how to see it again.
    fn fail(&mut self, wrong: &str, request: &Template) {
        // Whatever told of the same displays may matter.
        let last = self.sent.last().map(|(instance, _)| *instance);
        let related = self.sent.iter().filter(|(instance, _)| Some(*instance) == last);
        let mut related: Vec<_> = related.cloned().collect();
        related.drain(..related.len().saturating_sub(CONTEXT));
        let saved = save("request", &[related]);
        let body = String::from_utf8_lossy(&request.body);
        let shown: String = body.chars().take(1_000).collect();
        let Template { method, path, headers, framing, .. } = request;
        self.failures.push(format!(
            "{wrong}\n{method} {path} {headers:?} {framing:?}\n{shown}\n{}",
            replay(&saved)
        ));
    }
}

/// Saves what was sent, a file for each connection's requests about the same displays.
fn save(name: &str, sent: &[Vec<(u32, Template)>]) -> PathBuf {
    let unique = RandomState::new().hash_one(name);
    let folder = corpus::found().join(format!("collect-{name}-{unique:016x}"));
    fs::create_dir_all(&folder).expect("the folder can be made");
    for (connection, requests) in sent.iter().enumerate() {
        let mut instances: BTreeMap<u32, Vec<Template>> = BTreeMap::new();
        for (instance, template) in requests {
            instances.entry(*instance).or_default().push(template.clone());
        }
        for (instance, templates) in instances {
            let file = folder.join(format!("{connection}-{instance}.http"));
            fs::write(file, History(templates).write()).expect("the folder can be written");
        }
    }
    folder
}

fn replay(saved: &std::path::Path) -> String {
    format!("to replay: cargo xtask fuzz collect --input {}", saved.display())
}
