//! `cargo xtask test`: all checks, cheapest first, or a part of them.

use std::process::Command;

use anyhow::{Result, bail, ensure};
use clap::{Args, ValueEnum};

use crate::browser_tests::browser_tests;
use crate::build::{build, build_with_faults};
use crate::fuzz::{self, fuzz};
use crate::node::Node;
use crate::root;
use crate::size::size;
use crate::step::{loud, quiet, timed};
use crate::tools;

fn cargo(arguments: &[&str]) -> Result<()> {
    let mut cargo = Command::new("cargo");
    loud(cargo.args(arguments).current_dir(root()))
}

/// Runs tests, or those whose names contain a text; those of the API run on this runtime. `own` are the test
/// programs' own arguments. A text that no name contains is an error: it is probably misspelt.
fn on(runtime: &str, arguments: &[&str], own: &[&str], name: Option<&str>) -> Result<()> {
    let tests = |more: &[&str]| {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["test", "--workspace"])
            .args(arguments)
            .arg("--")
            .args(own)
            .args(name)
            .args(more);
        cargo.env("ASKLET_RUNTIME", runtime).current_dir(root());
        cargo
    };
    if let Some(name) = name {
        let listed = quiet(&mut tests(&["--list", "--format", "terse"]))?;
        ensure!(
            listed.lines().any(|line| line.ends_with(": test")),
            "no test of this part has {name} in its name"
        );
    }
    loud(&mut tests(&[]))
}

/// Runs the long tests.
pub fn proof() -> Result<()> {
    build()?;
    build_with_faults()?;
    let proof = ["test", "--package", "asklet-tests", "--features", "proof", "--test", "proof"];
    timed("proof", || cargo(&[&proof[..], &["--", "--nocapture"]].concat()))?;
    timed("the API by its own document", by_document)?;
    timed("the API by generated clients", by_clients)?;
    fuzz(&fuzz::Options::default())
}

/// Makes requests from the OpenAPI document.
fn by_document() -> Result<()> {
    let tool = |command| tools::python_tool(command, "tests/fuzz/requirements.txt");
    let (schemathesis, validator) = (tool("schemathesis")?, tool("openapi-spec-validator")?);
    let mut node = Node::find()?.command()?;
    node.arg("tests/fuzz/openapi.mjs").current_dir(root());
    loud(node.env("SCHEMATHESIS", schemathesis).env("VALIDATOR", validator))
}

/// Generates clients from the OpenAPI document, which call a deployment.
fn by_clients() -> Result<()> {
    let tool = |command| tools::python_tool(command, "tests/fuzz/clients/requirements.txt");
    let (generator, python) = (tool("openapi-python-client")?, tool("python")?);
    let mut node = Node::find()?.command()?;
    node.arg("tests/fuzz/clients.mjs").current_dir(root());
    loud(node.env("GENERATOR", generator).env("PYTHON", python))
}

/// Measures the cost of a page, and the cost of collecting.
pub fn bench() -> Result<()> {
    build()?;
    loud(&mut node(&["tests/bench/page.mjs"])?)?;
    cargo(&["bench", "--package", "asklet-tests", "--bench", "collect"])
}

/// Makes a command that runs Node on a script that drives a browser.
fn node(arguments: &[&str]) -> Result<Command> {
    let mut node = Node::find()?.command()?;
    node.args(arguments).env("CHROMIUM", tools::chromium()?).current_dir(root());
    Ok(node)
}

/// The options of `test`.
#[derive(Args)]
pub struct Options {
    /// Only this part
    part: Option<Part>,
    /// In it, only tests whose names contain this
    name: Option<String>,
}

/// A part of the checks.
#[derive(Clone, Copy, ValueEnum)]
enum Part {
    /// Formatting and lints
    Lints,
    /// The bytes of what browsers download and of the Worker, against their budgets
    Size,
    /// The page's script, in Node
    Loader,
    /// Tests that need no server
    Native,
    /// Tests over HTTP, on plain workerd
    Api,
    /// The same in `wrangler dev`
    Wrangler,
    /// The commands that docs/ shows; a name selects those that begin with it
    Docs,
    /// Tests in the browsers that `ASKLET_BROWSERS` names
    Browser,
}

/// Runs all checks, or a part of them, until the first failure.
pub fn test(options: &Options) -> Result<()> {
    match options.part {
        Some(part) => part.run(options.name.as_deref()),
        None => all(),
    }
}

fn all() -> Result<()> {
    lints()?;
    size(&build()?)?;
    loader()?;
    tools::curl()?;
    timed("native and API tests", || on("workerd", &[], &[], None))?;
    wrangler(None)?;
    browser_tests(None)
}

impl Part {
    fn run(self, name: Option<&str>) -> Result<()> {
        if let (Self::Lints | Self::Size | Self::Loader, Some(name)) = (self, name) {
            bail!(
                "{name}: lints, size and loader are run whole; a name picks tests of the other parts"
            );
        }
        match self {
            Self::Lints => lints(),
            Self::Size => size(&build()?),
            Self::Loader => served(loader),
            Self::Native => served(|| on("workerd", &["--exclude", "asklet-tests"], &[], name)),
            Self::Api => served(|| on("workerd", &["--test", "api"], &[], name)),
            Self::Wrangler => served(|| wrangler(name)),
            Self::Docs => served(|| {
                let name = format!("docs::{}", name.unwrap_or_default());
                on("workerd", &["--test", "api"], &[], Some(&name))
            }),
            Self::Browser => served(|| browser_tests(name)),
        }
    }
}

/// Runs tests of the built artefact.
fn served(run: impl FnOnce() -> Result<()>) -> Result<()> {
    build()?;
    tools::curl()?;
    run()
}

fn lints() -> Result<()> {
    timed("formatting", || cargo(&["fmt", "--all", "--check"]))?;
    let lint = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    timed("lints", || cargo(&lint))
}

/// Runs the unit tests of the page's script.
fn loader() -> Result<()> {
    let mut node = Node::find()?.command()?;
    node.args(["--test", "--test-reporter", "dot", "tests/loader/*.test.mjs"]).current_dir(root());
    timed("tests of the page's script", || loud(&mut node))
}

fn wrangler(name: Option<&str>) -> Result<()> {
    // `machine` reads plain workerd's files and kills it.
    let own = ["--skip", "machine::"];
    timed("API tests in wrangler", || on("wrangler", &["--test", "api"], &own, name))
}
