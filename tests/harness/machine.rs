//! A deployment on one machine, as an operator runs it: plain workerd with its data in one folder.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use anyhow::Result;
use asklet_xtask::artefacts;
use asklet_xtask::data::DataFolder;
use asklet_xtask::server::{Config, Server, local};
use tempfile::TempDir;

use crate::{ADMIN_TOKEN, Deployment, PROXY_HEADERS};

/// A deployment on plain workerd, whatever the other tests run on: one can look at its files and kill
/// it.
pub struct Machine {
    deployment: Deployment,
    own: Own,
    /// The admin token, and the one that is to follow it.
    admin_tokens: [Option<&'static str>; 2],
    /// The key under which identity secrets are stored.
    encryption_key: Option<&'static str>,
}

/// What ends with a machine, in this order.
pub struct Own {
    server: Server,
    folder: DataFolder,
    /// Where the folder lies, unless it is a test's.
    _data: Option<TempDir>,
}

impl Machine {
    /// Starts one on an empty data folder.
    pub fn start() -> Self {
        Self::start_with(Some(ADMIN_TOKEN))
    }

    /// Starts one with this admin token, or with none.
    pub fn start_with(admin_token: Option<&'static str>) -> Self {
        let data = TempDir::new().expect("a folder for the test's data");
        let mut machine = Self::open(data.path(), admin_token);
        machine.own._data = Some(data);
        machine
    }

    /// Starts one on a data folder of the test's own, which is made where there is none.
    pub fn open(data: &Path, admin_token: Option<&'static str>) -> Self {
        let folder = DataFolder::open(data).expect("the data folder can be used");
        let artefacts = artefacts::dist();
        let server = serve(artefacts, &folder, [admin_token, None], None);
        let server = server.expect("workerd starts");
        let secret = folder.secret().expect("the data folder has a secret");
        let deployment = Deployment { port: server.port(), secret, _own: None };
        Self {
            deployment,
            own: Own { server, folder, _data: None },
            admin_tokens: [admin_token, None],
            encryption_key: None,
        }
    }

    /// Kills the server as a power cut would and starts it again on what it left.
    pub fn kill_and_restart(&mut self) {
        self.restart_after(|| ());
    }

    /// The same, and does something to its files before it starts again.
    pub fn restart_after(&mut self, change: impl FnOnce()) {
        self.own.server.kill().expect("workerd can be killed");
        change();
        self.start_again(artefacts::dist());
    }

    /// Stops the server and starts it again with this admin token and the one that is to follow it.
    pub fn restart_with_tokens(&mut self, admin_tokens: [Option<&'static str>; 2]) {
        self.admin_tokens = admin_tokens;
        self.kill_and_restart();
    }

    /// Stops the server and starts it again with this key for identity secrets.
    pub fn restart_with_key(&mut self, encryption_key: Option<&'static str>) {
        self.encryption_key = encryption_key;
        self.kill_and_restart();
    }

    /// Stops the server and starts the one on the same data that panics where a request asks for it.
    pub fn restart_with_faults(&mut self) {
        self.own.server.kill().expect("workerd can be killed");
        self.start_again(artefacts::faults());
    }

    fn start_again(&mut self, artefacts: PathBuf) {
        let server = serve(artefacts, &self.own.folder, self.admin_tokens, self.encryption_key);
        self.own.server = server.expect("workerd starts again");
        self.deployment.port = self.own.server.port();
    }

    /// Stops the server as an operator does.
    pub fn stop(self) {
        self.own.server.stop().expect("workerd can be stopped");
    }

    /// The number of the server's process.
    pub fn process(&self) -> u32 {
        self.own.server.process()
    }

    /// The databases of all objects that have a table; one without a table is a single page.
    pub fn databases(&self) -> Vec<PathBuf> {
        let bytes = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
        let mut databases = self.objects();
        databases.retain(|path| bytes(path) + bytes(&path.with_extension("sqlite-wal")) > 4096);
        databases
    }

    /// The files of all objects. The runtime makes one for each object that wakes.
    pub fn objects(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let objects = self.own.folder.path().join("objects");
        for namespace in fs::read_dir(objects).expect("objects").flatten() {
            for file in fs::read_dir(namespace.path()).expect("a namespace").flatten() {
                let name = file.file_name().to_string_lossy().into_owned();
                if name.ends_with(".sqlite") && name != "metadata.sqlite" {
                    found.push(file.path());
                }
            }
        }
        found.sort();
        found
    }
}

impl Deref for Machine {
    type Target = Deployment;

    fn deref(&self) -> &Deployment {
        &self.deployment
    }
}

impl From<Machine> for Deployment {
    fn from(machine: Machine) -> Self {
        Self {
            port: machine.deployment.port,
            secret: machine.deployment.secret,
            _own: Some(machine.own),
        }
    }
}

fn serve(
    artefacts: PathBuf,
    folder: &DataFolder,
    [admin_token, next_admin_token]: [Option<&str>; 2],
    encryption_key: Option<&str>,
) -> Result<Server> {
    let secret = folder.secret()?;
    let lock = Some(folder.share_lock()?);
    Server::start(Config {
        listen: local(0),
        artefacts,
        data: folder.path(),
        secret: &secret,
        admin_token,
        next_admin_token,
        encryption_key,
        proxy_headers: PROXY_HEADERS,
        lock,
    })
}
