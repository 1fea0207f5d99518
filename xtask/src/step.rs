//! Steps of a build: each prints what it does and how long it took, and is skipped if nothing that it reads has
//! changed since it last succeeded.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use sha2::{Digest, Sha256};

use crate::root;

/// A step: its name, the files that it reads and the files that it leaves.
pub struct Step<'a> {
    /// The name of its result, as it is printed.
    pub name: &'a str,
    /// The files and folders that it reads, within the repository.
    pub reads: &'a [&'a str],
    /// Other values on which its outcome depends, such as versions of tools.
    pub depends_on: &'a [&'a str],
    /// The files that it leaves, within the repository.
    pub leaves: &'a [&'a str],
}

impl Step<'_> {
    /// Runs the step, unless it succeeded before with the same input.
    pub fn run(&self, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let stamps = root().join("target/xtask/stamps");
        let stamp = stamps.join(self.name.replace(' ', "-"));
        let digest = self.digest()?;
        let made = self.leaves.iter().all(|path| root().join(path).exists());
        if made && fs::read_to_string(&stamp).is_ok_and(|known| known == digest) {
            println!("{:<24} unchanged", self.name);
            return Ok(());
        }
        let outcome = timed(self.name, work);
        if outcome.is_ok() {
            fs::create_dir_all(stamps)?;
            fs::write(&stamp, digest)?;
        }
        outcome
    }

    fn digest(&self) -> Result<String> {
        let mut digest = Sha256::new();
        for text in self.depends_on {
            digest.update(text);
            digest.update([0]);
        }
        for path in self.reads {
            hash_into(&mut digest, &root().join(path))?;
        }
        Ok(hex(&digest.finalize()))
    }
}

/// Prints a name, does the work, and prints how long it took.
pub fn timed<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("{name:<24} …");
    let start = Instant::now();
    let outcome = work().with_context(|| format!("{name} failed"))?;
    println!("{name:<24} {:.1} s", start.elapsed().as_secs_f64());
    Ok(outcome)
}

fn hash_into(digest: &mut Sha256, path: &Path) -> Result<()> {
    let reading = || format!("cannot read {}", path.display());
    digest.update(path.to_string_lossy().as_bytes());
    if path.is_dir() {
        let entries = fs::read_dir(path).with_context(reading)?;
        let mut paths: Vec<PathBuf> =
            entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>().with_context(reading)?;
        paths.sort();
        for path in paths {
            hash_into(digest, &path)?;
        }
    } else {
        digest.update(fs::read(path).with_context(reading)?);
    }
    Ok(())
}

/// Writes bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Runs a command to its end. Its output is shown only if it fails, together with the command itself.
pub fn quiet(command: &mut Command) -> Result<String> {
    let line = line(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run `{line}`: is it installed?"))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    bail!(
        "`{line}` ended with {}\n{stdout}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    )
}

/// How often a build that takes long says how far it is.
const REPORT_EVERY: Duration = Duration::from_secs(15);

/// Runs cargo to its end and says now and then how far it is. What it prints is shown only if it fails.
pub fn watched(cargo: &mut Command, name: &str) -> Result<()> {
    let line = line(cargo);
    let start = Instant::now();
    let mut child = cargo
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run `{line}`: is it installed?"))?;
    let printed = child.stderr.take().context("cargo has no standard error")?;
    let (sender, lines) = mpsc::channel();
    let reader = thread::spawn(move || {
        for line in BufReader::new(printed).lines().map_while(Result::ok) {
            // Nobody receives it once the build has failed.
            let _ = sender.send(line);
        }
    });
    let (mut all, mut packages, mut latest) = (String::new(), 0, String::new());
    let mut reported = start;
    loop {
        match lines.recv_timeout(REPORT_EVERY.saturating_sub(reported.elapsed())) {
            Ok(line) => {
                if let Some(package) = line.trim_start().strip_prefix("Compiling ") {
                    packages += 1;
                    latest = package.split(' ').next().unwrap_or_default().to_owned();
                }
                all += &format!("{line}\n");
            }
            Err(RecvTimeoutError::Timeout) => {
                let seconds = start.elapsed().as_secs();
                println!("{name:<24} … {seconds} s: package {packages}, {latest}");
                reported = Instant::now();
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let status = child.wait()?;
    reader.join().map_err(|_| anyhow!("the output of `{line}` could not be read"))?;
    if status.success() { Ok(()) } else { bail!("`{line}` ended with {status}\n{all}") }
}

/// Runs a command to its end and shows its output.
pub fn loud(command: &mut Command) -> Result<()> {
    let line = line(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot run `{line}`: is it installed?"))?;
    if status.success() { Ok(()) } else { bail!("`{line}` ended with {status}") }
}

/// Writes a command as one would type it.
fn line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
