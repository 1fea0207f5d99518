//! `cargo xtask test`: all checks, cheapest first.

use std::process::Command;

use anyhow::Result;

use crate::browser_tests::browser_tests;
use crate::build::{build, build_with_faults};
use crate::fuzz::{Options, fuzz};
use crate::node::Node;
use crate::root;
use crate::size::size;
use crate::step::{loud, timed};
use crate::tools;

fn cargo(arguments: &[&str]) -> Result<()> {
    let mut cargo = Command::new("cargo");
    loud(cargo.args(arguments).current_dir(root()))
}

/// Runs tests, those of the API on this runtime.
fn on(runtime: &str, arguments: &[&str]) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--workspace"]).args(arguments).env("ASKLET_RUNTIME", runtime);
    loud(cargo.current_dir(root()))
}

/// Runs the long evidence.
pub fn proof() -> Result<()> {
    build()?;
    build_with_faults()?;
    let proof = ["test", "--package", "asklet-tests", "--features", "proof", "--test", "proof"];
    timed("proof", || cargo(&[&proof[..], &["--", "--nocapture"]].concat()))?;
    timed("the API by its own document", by_document)?;
    timed("the API by generated clients", by_clients)?;
    fuzz(&Options::default())
}

/// Has requests made of the OpenAPI document.
fn by_document() -> Result<()> {
    let tool = |command| tools::python_tool(command, "tests/fuzz/requirements.txt");
    let (schemathesis, validator) = (tool("schemathesis")?, tool("openapi-spec-validator")?);
    let mut node = Node::find()?.command()?;
    node.arg("tests/fuzz/openapi.mjs").current_dir(root());
    loud(node.env("SCHEMATHESIS", schemathesis).env("VALIDATOR", validator))
}

/// Has clients made of the OpenAPI document, which call a deployment.
fn by_clients() -> Result<()> {
    let tool = |command| tools::python_tool(command, "tests/fuzz/clients/requirements.txt");
    let (generator, python) = (tool("openapi-python-client")?, tool("python")?);
    let mut node = Node::find()?.command()?;
    node.arg("tests/fuzz/clients.mjs").current_dir(root());
    loud(node.env("GENERATOR", generator).env("PYTHON", python))
}

/// Measures what a page pays, and what collecting costs.
pub fn bench() -> Result<()> {
    build()?;
    loud(&mut node(&["tests/bench/page.mjs"])?)?;
    cargo(&["bench", "--package", "asklet-tests", "--bench", "collect"])
}

/// Node on a script that drives a browser.
fn node(arguments: &[&str]) -> Result<Command> {
    let mut node = Node::find()?.command()?;
    node.args(arguments).env("CHROMIUM", tools::chromium()?).current_dir(root());
    Ok(node)
}

/// Runs all of it; the first failure ends it.
pub fn test() -> Result<()> {
    timed("formatting", || cargo(&["fmt", "--all", "--check"]))?;
    let lint = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    timed("lints", || cargo(&lint))?;
    size(&build()?)?;
    tools::curl()?;
    timed("native and API tests", || on("workerd", &[]))?;
    // `machine` looks at plain workerd's files and kills it.
    timed("API tests in wrangler", || {
        on("wrangler", &["--test", "api", "--", "--skip", "machine::"])
    })?;
    browser_tests()
}
