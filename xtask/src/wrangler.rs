//! A running `wrangler dev`: Cloudflare's own runtime on this machine.

use std::io::{BufRead, BufReader, pipe};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::group::Group;
use crate::node::Node;
use crate::packages;
use crate::root;

/// How long it may take to start. It takes two seconds, and minutes if the artefact is stale.
const START_PATIENCE: Duration = Duration::from_secs(120);

/// What wrangler writes once it listens, before its address.
const READY: &str = "Ready on http://";

/// The beginning of the line that wrangler writes for each request.
const ACCESS_LOG: &str = "[wrangler:info]";

/// A `wrangler dev` that answers. It ends when this object is dropped, and when our process ends.
#[must_use = "dropping it ends wrangler"]
pub struct Wrangler {
    port: u16,
    _group: Group,
}

impl Wrangler {
    /// Starts wrangler on any free port, and waits until it listens. Its data is in the folder, which must be
    /// empty and is removed when wrangler ends.
    pub fn start(
        folder: &Path,
        secret: &str,
        admin_token: &str,
        proxy_headers: [&str; 2],
    ) -> Result<Self> {
        let node = Node::find()?;
        let mut command = Group::command(folder, node.program());
        node.set_up(&mut command)?;
        dev(&mut command, 0, &folder.join("state"));
        let (output, writer) = pipe()?;
        command
            .args(["--ip", "127.0.0.1", "--inspector-port", "0"])
            // These values override those of `.dev.vars`.
            .args(["--var", &format!("ASKLET_SECRET:{secret}")])
            .args(["--var", &format!("ASKLET_ADMIN_TOKEN:{admin_token}")])
            .args(["--var", &format!("ASKLET_ADDRESS_HEADER:{}", proxy_headers[0])])
            .args(["--var", &format!("ASKLET_COUNTRY_HEADER:{}", proxy_headers[1])])
            // All other files that it writes are only for this process.
            .env("WRANGLER_REGISTRY_PATH", folder.join("registry"))
            .env("WRANGLER_LOG_PATH", folder.join("logs"))
            .env("TMPDIR", folder)
            .env("NO_COLOR", "1")
            .stdout(writer.try_clone()?)
            .stderr(writer);
        let group = Group::spawn(command)?;

        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Once wrangler has started, no receiver waits for its lines any more, and errors are printed.
                if let Err(mpsc::SendError(line)) = send.send(line)
                    && !line.starts_with(ACCESS_LOG)
                {
                    eprintln!("{line}");
                }
            }
        });
        let port = listening_port(&lines)?;
        Ok(Self { port, _group: group })
    }

    /// Returns the port on which it listens.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// Makes `node` run `wrangler dev` with wrangler.toml, without any request to the network.
pub fn dev(node: &mut Command, port: u16, data: &Path) {
    node.arg(packages::node_file("wrangler/bin/wrangler.js"))
        .args(["dev", "--port", &port.to_string(), "--persist-to"])
        .arg(data)
        .env("WRANGLER_SEND_METRICS", "false")
        .env("WRANGLER_SEND_ERROR_REPORTS", "false")
        // The banner asks the registry for newer versions.
        .env("WRANGLER_HIDE_BANNER", "true")
        .env("CLOUDFLARE_CF_FETCH_ENABLED", "false")
        .current_dir(root());
}

/// Waits until wrangler says where it listens. If it does not, the error contains all its output.
fn listening_port(lines: &Receiver<String>) -> Result<u16> {
    let patience = Instant::now() + START_PATIENCE;
    let mut said = String::new();
    loop {
        match lines.recv_timeout(patience.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                if let Some((_, address)) = line.split_once(READY) {
                    let port = address.rsplit(':').next().and_then(|port| port.trim().parse().ok());
                    return port.with_context(|| format!("no port in {line:?}"));
                }
                said += &line;
                said.push('\n');
            }
            Err(RecvTimeoutError::Timeout) => {
                bail!("wrangler did not start within {START_PATIENCE:?}; it said:\n{said}")
            }
            Err(RecvTimeoutError::Disconnected) => {
                bail!("wrangler ended before it listened; it said:\n{said}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(lines: &[&str]) -> Receiver<String> {
        let (send, received) = mpsc::channel();
        for line in lines {
            send.send((*line).to_owned()).unwrap();
        }
        received
    }

    #[test]
    fn the_port_is_where_wrangler_says_it_is_ready() {
        let lines =
            ["⎔ Starting local server...", "[wrangler:info] Ready on http://127.0.0.1:4711"];
        assert_eq!(listening_port(&said(&lines)).unwrap(), 4711);
    }

    #[test]
    fn a_server_that_does_not_start_fails_with_what_it_said() {
        let error = listening_port(&said(&["one", "✘ [ERROR] two"])).unwrap_err().to_string();
        assert!(error.ends_with("it said:\none\n✘ [ERROR] two\n"), "{error}");
    }
}
