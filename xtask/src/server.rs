//! A running workerd.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{artefacts, runtime};

/// How long a server may take to finish what it is doing when it is asked to stop.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// What a server is started with.
pub struct Config<'a> {
    /// The port to listen on; 0 for any that is free.
    pub port: u16,
    /// The folder of the artefacts: what was built for deployment, or for the proof.
    pub artefacts: PathBuf,
    /// The data folder; its parts `objects` and `demo` must exist.
    pub data: &'a Path,
    /// `ASKLET_SECRET`.
    pub secret: &'a str,
    /// `ASKLET_ADMIN_TOKEN`, if there is one.
    pub admin_token: Option<&'a str>,
    /// `ASKLET_ADMIN_TOKEN_NEXT`, the one that is to follow it, if there is one.
    pub next_admin_token: Option<&'a str>,
    /// `ASKLET_ADDRESS_HEADER` and `ASKLET_COUNTRY_HEADER`: the headers in which a proxy that the
    /// operator runs tells the visitor's address and country; empty for none.
    pub proxy_headers: [&'a str; 2],
    /// The lock of the data folder, for the server to hold as long as it lives.
    pub lock: Option<File>,
}

/// A workerd that answers. Dropping it kills the process: what was acknowledged is on disk.
#[must_use = "dropping a server kills it"]
pub struct Server {
    child: Child,
    port: u16,
}

/// What workerd says on its control pipe.
#[derive(Deserialize)]
struct ControlMessage {
    event: String,
    port: Option<u16>,
}

impl Server {
    /// Starts one and waits until it listens.
    pub fn start(config: Config<'_>) -> Result<Self> {
        let folders = [
            ("objects", config.data.join("objects")),
            ("demo", config.data.join("demo")),
            ("assets", artefacts::dist().join("assets")),
        ];
        let folders = folders.each_ref().map(|(name, path)| (*name, path.as_path()));
        let variables = [
            ("ASKLET_SECRET", config.secret),
            ("ASKLET_ADMIN_TOKEN", config.admin_token.unwrap_or_default()),
            ("ASKLET_ADMIN_TOKEN_NEXT", config.next_admin_token.unwrap_or_default()),
            ("ASKLET_ADDRESS_HEADER", config.proxy_headers[0]),
            ("ASKLET_COUNTRY_HEADER", config.proxy_headers[1]),
        ];
        // A process keeps what it was given as its standard input, and workerd never reads it.
        let stdin = config.lock.map_or_else(Stdio::null, Stdio::from);
        Self::spawn(
            &config.artefacts.join("workerd.capnp"),
            config.port,
            &folders,
            &variables,
            stdin,
        )
    }

    /// Starts workerd on any artefact whose socket is called `http`.
    pub fn spawn(
        artefact: &Path,
        port: u16,
        folders: &[(&str, &Path)],
        variables: &[(&str, &str)],
        stdin: Stdio,
    ) -> Result<Self> {
        if !artefact.exists() {
            bail!("{} is missing: run `cargo xtask build` first", artefact.display());
        }
        let mut command = Command::new(runtime::workerd()?);
        command
            .arg("serve")
            .arg(artefact)
            // Standard output carries the control messages.
            .args(["--control-fd=1", "--socket-addr"])
            .arg(format!("http={}:{port}", Ipv4Addr::LOCALHOST))
            .envs(variables.iter().copied())
            .stdin(stdin)
            .stdout(Stdio::piped());
        for (name, path) in folders {
            command.arg(format!("--directory-path={name}={}", path.display()));
        }
        let mut child = command.spawn().context("cannot start workerd")?;
        let mut lines = BufReader::new(child.stdout.take().context("workerd has no output")?);
        match listening_port(&mut lines) {
            Some(port) => {
                // The pipe must stay open and empty for as long as workerd writes into it.
                thread::spawn(move || std::io::copy(&mut lines.by_ref(), &mut std::io::sink()));
                Ok(Self { child, port })
            }
            None => {
                let status = child.wait()?;
                bail!("workerd did not start ({status}); it says why above")
            }
        }
    }

    /// The address that it answers at.
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Asks it to stop, and kills it if it does not.
    pub fn stop(mut self) -> Result<()> {
        // The standard library can only kill; `kill` is on every Unix.
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        let patience = Instant::now() + STOP_PATIENCE;
        while asked.as_ref().is_ok_and(ExitStatus::success) && Instant::now() < patience {
            if self.ended()?.is_some() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.kill()
    }

    /// Kills it between any two of its instructions, as a power cut would.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell and nothing to do.
        let _ = self.kill();
    }
}

/// The port of the first socket that workerd says it listens on; `None` where it ended before.
fn listening_port(lines: &mut impl BufRead) -> Option<u16> {
    lines.lines().map_while(Result::ok).find_map(|line| {
        let message: ControlMessage = serde_json::from_str(&line).ok()?;
        message.port.filter(|_| message.event == "listen")
    })
}
