//! `cargo xtask serve` and `dev`: run the same artefact on plain workerd and under wrangler.

use std::env;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;

use crate::artefacts;
use crate::build::{build, check_built};
use crate::data::{self, DataFolder};
use crate::demo;
use crate::node::Node;
use crate::root;
use crate::server::{Config, Server, check_secret, local};
use crate::step::loud;
use crate::wrangler;

/// The options of `serve`.
#[derive(Args)]
pub struct Options {
    /// The address to listen on: this machine only, unless a proxy on another one or a container's port needs
    /// more, such as 0.0.0.0. The traffic is not encrypted
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// The port to listen on
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// The folder that holds all data
    #[arg(long, default_value = ".asklet")]
    data: PathBuf,
    /// Make a demo site with a live survey, and a page that shows it at /demo
    #[arg(long)]
    demo: bool,
    /// Run the result of `cargo xtask build`, and build nothing: no compiler is needed
    #[arg(long)]
    built: bool,
}

/// Builds what is stale, unless the options say not to, and serves until it is asked to stop.
pub fn serve(options: &Options) -> Result<()> {
    // Wrong options are reported before minutes are spent on a build.
    let folder = DataFolder::open(&options.data)?;
    let listen = SocketAddr::new(options.host, options.port);
    check_address(listen)?;
    let own_token = secret_of("ASKLET_ADMIN_TOKEN")?;
    let next_token = secret_of("ASKLET_ADMIN_TOKEN_NEXT")?;
    let encryption_key = secret_of("ASKLET_ENCRYPTION_KEY")?;
    if options.built {
        check_built()?;
    } else {
        build()?;
    }

    let (stop, stopped) = mpsc::channel();
    // The receiver lives as long as we serve; after that a failure to send does not matter.
    ctrlc::set_handler(move || stop.send(()).unwrap_or_default())
        .context("cannot wait for Ctrl-C")?;

    let secret = folder.secret()?;
    let demo_token = if options.demo { Some(data::random_hex()?) } else { None };
    let admin_token = own_token.or(demo_token);
    let header = |name| env::var(name).unwrap_or_default();
    let headers = [header("ASKLET_ADDRESS_HEADER"), header("ASKLET_COUNTRY_HEADER")];
    let server = Server::start(Config {
        listen,
        artefacts: artefacts::dist(),
        data: folder.path(),
        secret: &secret,
        admin_token: admin_token.as_deref(),
        next_admin_token: next_token.as_deref(),
        encryption_key: encryption_key.as_deref(),
        proxy_headers: headers.each_ref().map(String::as_str),
        lock: Some(folder.share_lock()?),
    })?;
    println!("\nAsklet answers at {}, with its data in {}", server.url(), options.data.display());
    if headers[0].is_empty() {
        println!(
            "warning: ASKLET_ADDRESS_HEADER names no header, so no visitor's address is limited: \
             docs/self-host.md says how to name your proxy's"
        );
    }
    if options.demo {
        let token = admin_token.as_deref().unwrap_or_default();
        demo::prepare(&folder, &server.url(), token).context("the demo could not be made")?;
    }
    println!("Ctrl-C stops it.");
    wait(server, &stopped)
}

/// Returns the secret in a variable; `None` if it is not set, or empty.
fn secret_of(variable: &str) -> Result<Option<String>> {
    let secret = env::var(variable).ok().filter(|secret| !secret.is_empty());
    check_secret(variable, secret.as_deref())?;
    Ok(secret)
}

/// Waits until the server is asked to stop, and stops it.
fn wait(mut server: Server, stopped: &Receiver<()>) -> Result<()> {
    loop {
        match stopped.recv_timeout(Duration::from_millis(200)) {
            Ok(()) => return server.stop(),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => bail!("Ctrl-C can no longer be heard"),
        }
        if let Some(status) = server.ended()? {
            // Ctrl-C reaches workerd too, which may be faster.
            if stopped.recv_timeout(Duration::from_secs(1)).is_ok() {
                return Ok(());
            }
            bail!("workerd ended by itself ({status})");
        }
    }
}

/// Fails if an address is taken, or does not belong to this machine, before anything is built or started.
fn check_address(listen: SocketAddr) -> Result<()> {
    TcpListener::bind(listen).map(drop).map_err(|error| {
        anyhow!("{listen} cannot be listened on ({error}): choose another --port or --host")
    })
}

/// Builds, and runs `wrangler dev`.
pub fn dev(port: u16) -> Result<()> {
    check_address(local(port))?;
    build()?;
    let variables = root().join(".dev.vars");
    if !variables.exists() {
        let (secret, token) = (data::random_hex()?, data::random_hex()?);
        let text = format!("ASKLET_SECRET={secret}\nASKLET_ADMIN_TOKEN={token}\n");
        data::write_private(&variables, &text).context("cannot write .dev.vars")?;
        println!("made .dev.vars with a secret and an admin token");
    }
    let mut node = Node::find()?.command()?;
    wrangler::dev(&mut node, port, Path::new(".wrangler/state"));
    loud(&mut node)
}
