//! `cargo xtask fuzz`: sends the input of untrusted clients. The decoders run natively under libFuzzer, guided
//! by coverage; collecting runs over HTTP. Both begin with the inputs in `tests/fuzz/corpus/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::build::build;
use crate::root;
use crate::step::{loud, quiet, timed};
use crate::tools::{apt_install, on_path};

/// The default time for each half.
const SECONDS: u32 = 120;

/// The targets that are fuzzed natively, each with its share of the time: the largest decoders get most of it.
const DECODERS: [(&str, u32); 5] =
    [("definition", 40), ("display", 30), ("body", 20), ("route", 5), ("period", 5)];

/// The target that is fuzzed over HTTP.
const COLLECT: &str = "collect";

/// The instrumentation that shows libFuzzer which branches a program took, and what it compared.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module \
     -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
     -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares";

/// The options of `cargo xtask fuzz`.
#[derive(Args)]
pub struct Options {
    /// collect, definition, display, body, route or period; all of them if none is named
    target: Option<String>,
    /// How many seconds collecting, and how many the decoders together are fuzzed
    #[arg(long, default_value_t = SECONDS)]
    seconds: u32,
    /// A file or folder to replay instead, such as one that a failure left in tests/fuzz/found/
    #[arg(long, requires = "target")]
    input: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self { target: None, seconds: SECONDS, input: None }
    }
}

/// Fuzzes, or replays one input.
pub fn fuzz(options: &Options) -> Result<()> {
    let is_wanted = |name: &str| options.target.as_deref().is_none_or(|target| target == name);
    let wanted: Vec<_> = DECODERS.into_iter().filter(|(name, _)| is_wanted(name)).collect();
    if wanted.is_empty() && !is_wanted(COLLECT) {
        bail!("there is no such target; `cargo xtask fuzz --help` names them");
    }
    let input = options.input.as_deref().map(fs::canonicalize).transpose();
    let input = input.context("the input is not there")?;
    if !wanted.is_empty() {
        let guided = timed("guided fuzzer", guided)?;
        let shares: u32 = wanted.iter().map(|(_, share)| share).sum();
        for (target, share) in wanted {
            match &input {
                Some(input) => replay(&guided, target, input)?,
                None => decoder(&guided, target, (options.seconds * share / shares).max(1))?,
            }
        }
    }
    if is_wanted(COLLECT) {
        build()?;
        timed("fuzz collect", || collect(options.seconds, input.as_deref()))?;
    }
    Ok(())
}

/// Builds the guided fuzzer. All its flags are stable. It names a compilation target, so that the flags reach
/// neither build scripts nor macros.
fn guided() -> Result<PathBuf> {
    if on_path("c++").is_none() {
        apt_install(&["g++"], "libFuzzer is compiled from C++")
            .context("libFuzzer needs a C++ compiler: install g++ or clang")?;
    }
    let version = quiet(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("rustc names no host")?;
    let folder = root().join("target/guided");
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--package", "asklet-fuzz", "--bin", "guided", "--features", "guided"])
        .args(["--profile", "fuzz", "--target", host, "--target-dir"])
        .arg(&folder)
        .env("RUSTFLAGS", INSTRUMENTATION)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .current_dir(root());
    quiet(&mut cargo)?;
    Ok(folder.join(host).join("fuzz/guided"))
}

/// Fuzzes a decoder for a number of seconds and prints the number of inputs. The inputs that it learns stay in
/// `target/`, for the next run.
fn decoder(guided: &Path, target: &str, seconds: u32) -> Result<()> {
    let work = root().join("target/guided/corpus").join(target);
    let found = root().join("tests/fuzz/found");
    for folder in [&work, &found] {
        fs::create_dir_all(folder)?;
    }
    let mut command = Command::new(guided);
    command
        .arg(&work)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/{target}-", found.display()))
        // A slow input is a defect too, because a user waits for everything that runs here.
        .args(["-timeout=5", "-max_len=8192", "-verbosity=0", "-print_final_stats=1"])
        .env("ASKLET_FUZZ_TARGET", target)
        .env("ASKLET_FUZZ_WORK", &work);
    let output = command.output().context("cannot start the guided fuzzer")?;
    let printed = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let saved =
            printed.split("Test unit written to ").nth(1).and_then(|rest| rest.lines().next());
        let saved = saved.unwrap_or("FILE");
        bail!("{printed}\n{target} failed; to replay: cargo xtask fuzz {target} --input {saved}");
    }
    let stat = |name: &str| {
        let line = printed.lines().find_map(|line| line.strip_prefix(&format!("stat::{name}:")));
        line.unwrap_or_default().trim().to_owned()
    };
    let inputs = stat("number_of_executed_units");
    let kept = fs::read_dir(&work)?.count();
    println!(
        "fuzz {target:<19} {inputs} inputs in {seconds} s; {kept} of them reach what no other does"
    );
    Ok(())
}

fn replay(guided: &Path, target: &str, input: &Path) -> Result<()> {
    let mut command = Command::new(guided);
    loud(command.arg(input).env("ASKLET_FUZZ_TARGET", target).env_remove("ASKLET_FUZZ_WORK"))
}

/// Fuzzes collecting, or replays histories.
fn collect(seconds: u32, input: Option<&Path>) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["test", "--package", "asklet-fuzz", "--test", COLLECT, "--", "--nocapture"])
        .env("ASKLET_FUZZ_SECONDS", seconds.to_string())
        .current_dir(root());
    match input {
        Some(input) => cargo.env("ASKLET_FUZZ_INPUT", input),
        None => cargo.arg("--ignored"),
    };
    loud(&mut cargo)
}
