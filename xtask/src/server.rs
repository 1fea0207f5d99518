//! A running workerd.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use serde::Deserialize;

use crate::{artefacts, runtime};

/// How long a server may take to finish its work when it is asked to stop.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// The shortest secret and admin token that a deployment accepts; the Worker has the same limit.
const SECRET_BYTES: usize = 32;

/// The parameters with which a server is started.
pub struct Config<'a> {
    /// The address to listen on; port 0 for any free port.
    pub listen: SocketAddr,
    /// The folder of the artefacts: those built for deployment, or those for the proof.
    pub artefacts: PathBuf,
    /// The data folder; its parts `objects` and `demo` must exist.
    pub data: &'a Path,
    /// `ASKLET_SECRET`.
    pub secret: &'a str,
    /// `ASKLET_ADMIN_TOKEN`, if there is one.
    pub admin_token: Option<&'a str>,
    /// `ASKLET_ADMIN_TOKEN_NEXT`, the token that will replace it, if there is one.
    pub next_admin_token: Option<&'a str>,
    /// `ASKLET_ENCRYPTION_KEY`, under which identity secrets are stored, if there is one.
    pub encryption_key: Option<&'a str>,
    /// `ASKLET_ADDRESS_HEADER` and `ASKLET_COUNTRY_HEADER`: the headers in which a proxy of the operator sends
    /// the visitor's address and country; empty for none.
    pub proxy_headers: [&'a str; 2],
    /// The lock of the data folder, which the server holds as long as it lives.
    pub lock: Option<File>,
}

/// A workerd that answers. Dropping it kills the process: acknowledged data is on disk.
#[must_use = "dropping a server kills it"]
pub struct Server {
    child: Child,
    listen: SocketAddr,
}

/// Returns the address of a port that only this machine can reach.
pub fn local(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// A message that workerd writes on its control pipe.
#[derive(Deserialize)]
struct ControlMessage {
    event: String,
    port: Option<u16>,
}

/// Refuses a secret or an admin token that can be guessed. The Worker refuses it too, but only when a request
/// needs it.
pub fn check_secret(name: &str, secret: Option<&str>) -> Result<()> {
    match secret {
        Some(secret) if secret.len() < SECRET_BYTES => bail!(
            "{name} must have at least {SECRET_BYTES} characters, or it can be guessed: \
             `openssl rand -hex 32` makes one"
        ),
        _ => Ok(()),
    }
}

impl Server {
    /// Starts a server and waits until it listens.
    pub fn start(config: Config<'_>) -> Result<Self> {
        check_secret("ASKLET_SECRET", Some(config.secret))?;
        check_secret("ASKLET_ADMIN_TOKEN", config.admin_token)?;
        check_secret("ASKLET_ADMIN_TOKEN_NEXT", config.next_admin_token)?;
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
            ("ASKLET_ENCRYPTION_KEY", config.encryption_key.unwrap_or_default()),
            ("ASKLET_ADDRESS_HEADER", config.proxy_headers[0]),
            ("ASKLET_COUNTRY_HEADER", config.proxy_headers[1]),
        ];
        // A process keeps the file that it got as its standard input, and workerd never reads it.
        let stdin = config.lock.map_or_else(Stdio::null, Stdio::from);
        Self::spawn(
            &config.artefacts.join("workerd.capnp"),
            config.listen,
            &folders,
            &variables,
            stdin,
        )
    }

    /// Starts workerd on any artefact whose socket is called `http`.
    pub fn spawn(
        artefact: &Path,
        listen: SocketAddr,
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
            .arg(format!("http={listen}"))
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
                // The pipe must stay open and empty for as long as workerd writes to it.
                thread::spawn(move || std::io::copy(&mut lines.by_ref(), &mut std::io::sink()));
                Ok(Self { child, listen: SocketAddr::new(listen.ip(), port) })
            }
            None => {
                let status = child.wait()?;
                bail!("workerd did not start ({status}); it says why above")
            }
        }
    }

    /// Returns the address at which it answers.
    pub fn url(&self) -> String {
        url(self.listen)
    }

    /// Returns the port on which it listens.
    pub fn port(&self) -> u16 {
        self.listen.port()
    }

    /// Returns the id of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Returns how it ended, if it has ended.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Asks it to stop, and kills it if it does not.
    pub fn stop(mut self) -> Result<()> {
        if self.ended()?.is_some() {
            return Ok(());
        }
        // It was not waited for, so its id belongs to no other process.
        let process = Pid::from_raw(i32::try_from(self.child.id())?);
        signal::kill(process, Signal::SIGTERM).context("cannot ask workerd to stop")?;
        let patience = Instant::now() + STOP_PATIENCE;
        while Instant::now() < patience {
            if self.ended()?.is_some() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.kill()
    }

    /// Kills it at any instruction, as a power cut would.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.kill();
    }
}

/// Returns the URL at which a browser on this machine reaches a server that listens on an address.
fn url(listen: SocketAddr) -> String {
    if listen.ip().is_loopback() || listen.ip().is_unspecified() {
        format!("http://localhost:{}", listen.port())
    } else {
        format!("http://{listen}")
    }
}

/// Returns the port of the first socket on which workerd reports that it listens; `None` if workerd ended
/// before.
fn listening_port(lines: &mut impl BufRead) -> Option<u16> {
    lines.lines().map_while(Result::ok).find_map(|line| {
        let message: ControlMessage = serde_json::from_str(&line).ok()?;
        message.port.filter(|_| message.event == "listen")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_or_an_admin_token_of_fewer_than_32_characters_is_refused() {
        let check = |token: Option<&str>| check_secret("ASKLET_ADMIN_TOKEN", token);
        assert!(check(None).is_ok() && check(Some(&"x".repeat(32))).is_ok());
        for short in ["", "abc", &"x".repeat(31)] {
            let refused = check(Some(short)).unwrap_err().to_string();
            assert!(refused.starts_with("ASKLET_ADMIN_TOKEN must have at least 32 "), "{refused}");
        }
    }

    #[test]
    fn no_server_starts_with_what_can_be_guessed() {
        let long = "x".repeat(32);
        for (named, secrets) in [
            ("ASKLET_SECRET ", ["short", &long, &long]),
            ("ASKLET_ADMIN_TOKEN ", [&long, "short", &long]),
            ("ASKLET_ADMIN_TOKEN_NEXT ", [&long, &long, "short"]),
        ] {
            let [secret, admin_token, next_admin_token] = secrets;
            let server = Server::start(Config {
                listen: local(0),
                artefacts: PathBuf::new(),
                data: Path::new(""),
                secret,
                admin_token: Some(admin_token),
                next_admin_token: Some(next_admin_token),
                encryption_key: None,
                proxy_headers: [""; 2],
                lock: None,
            });
            let refused = server.map(drop).unwrap_err().to_string();
            assert!(refused.starts_with(named), "{refused}");
        }
    }

    #[test]
    fn what_listens_on_every_address_is_found_on_this_machine() {
        for (listen, address) in [
            ("127.0.0.1:80", "http://localhost:80"),
            ("0.0.0.0:80", "http://localhost:80"),
            ("[::]:80", "http://localhost:80"),
            ("192.0.2.1:80", "http://192.0.2.1:80"),
            ("[2001:db8::1]:80", "http://[2001:db8::1]:80"),
        ] {
            assert_eq!(url(listen.parse().unwrap()), address);
        }
    }
}
