//! The tools that a build needs and a machine may lack. Tools from Python packages are kept in the user's
//! cache, by version, and shared between checkouts.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};

use crate::artefacts;
use crate::node::{Node, check_installer};
use crate::packages::{node_file, platform_binary};
use crate::root;
use crate::step::{Step, quiet, timed};

/// Returns the path of a command from Python packages. The lock file, a path within the repository, names all
/// of the packages with their digests. They are installed unless this lock file was installed before.
pub fn python_tool(command: &str, lock: &str) -> Result<PathBuf> {
    let lock = root().join(lock);
    let locked = fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    let folder = cache()?.join("tools").join(format!("python-{}", artefacts::digest(&[&locked])));
    let path = folder.join("bin").join(command);
    let installed = folder.join("installed");
    if installed.exists() {
        return Ok(path);
    }
    timed(&format!("install {command}"), || {
        println!("  the packages of {} into {}", lock.display(), folder.display());
        if quiet(Command::new("python3").args(["-c", "import ensurepip"])).is_err() {
            apt_install(
                &["python3-venv"],
                "Debian's Python comes without what makes environments",
            )?;
        }
        quiet(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        let mut pip = Command::new(folder.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--require-hashes"]);
        quiet(pip.arg("--requirement").arg(&lock))?;
        Ok(fs::write(installed, "")?)
    })?;
    Ok(path)
}

/// Returns the folder of tools that are installed once for all checkouts.
fn cache() -> Result<PathBuf> {
    let from = |variable: &str| env::var_os(variable).filter(|value| !value.is_empty());
    from("ASKLET_CACHE")
        .map(PathBuf::from)
        .or_else(|| from("XDG_CACHE_HOME").map(|cache| Path::new(&cache).join("asklet")))
        .or_else(|| from("HOME").map(|home| Path::new(&home).join(".cache/asklet")))
        .context("neither ASKLET_CACHE nor HOME says where to keep tools")
}

/// Installs the packages of package.json, unless this lock file was installed before.
pub fn node_modules() -> Result<()> {
    // Both modules need them, and are built at once.
    static INSTALLED: Mutex<bool> = Mutex::new(false);
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if *installed {
        return Ok(());
    }
    check_installer()?;
    Step {
        name: "node tools",
        reads: &["package.json", "package-lock.json"],
        depends_on: &[],
        leaves: &["node_modules/.package-lock.json"],
    }
    .run(|| {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(root());
        quiet(&mut npm).map(drop).context("npm could not install the tools: is there a network?")
    })?;
    *installed = true;
    Ok(())
}

/// Makes a command of a tool of binaryen. These tools are scripts for Node.
pub fn binaryen(tool: &str) -> Result<Command> {
    let mut command = Node::find()?.command()?;
    command.arg(node_file("binaryen/bin").join(tool));
    Ok(command)
}

/// Finds the esbuild that package.json pins.
pub fn esbuild() -> Result<PathBuf> {
    platform_binary("@esbuild", "", "esbuild")
}

/// Finds a Chromium for the browser tests.
pub fn chromium() -> Result<PathBuf> {
    let find = || {
        let named = env::var_os("CHROMIUM").map(PathBuf::from);
        let names = ["chromium", "chromium-browser", "google-chrome"];
        named.or_else(|| names.into_iter().find_map(on_path))
    };
    if let Some(chromium) = find() {
        return Ok(chromium);
    }
    apt_install(&["chromium"], "the browser tests need a browser")
        .context("no Chromium: install one, or name it in CHROMIUM")?;
    find().context("the package chromium brought no browser")
}

/// Makes sure that there is a curl to run the commands of docs/api.md.
pub fn curl() -> Result<()> {
    match on_path("curl") {
        Some(_) => Ok(()),
        None => apt_install(&["curl"], "the commands of docs/api.md are run")
            .context("no curl: install it"),
    }
}

/// Finds the file of a command on the PATH.
pub fn on_path(name: &str) -> Option<PathBuf> {
    find_on(&env::var_os("PATH")?, name)
}

/// Finds the file of a command on another PATH.
pub fn find_on(path: &OsStr, name: &str) -> Option<PathBuf> {
    env::split_paths(path).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Installs Debian packages, if the system is Debian and we are root; first prints which packages and why.
pub fn apt_install(packages: &[&str], why: &str) -> Result<()> {
    Apt::on(&env::var_os("PATH").unwrap_or_default()).install(packages, why)
}

/// The package manager of Debian.
pub struct Apt<'a> {
    path: &'a OsStr,
}

impl<'a> Apt<'a> {
    /// Makes the one that uses the `apt-get` on a PATH.
    pub fn on(path: &'a OsStr) -> Self {
        Self { path }
    }

    /// Installs packages; first prints which packages and why.
    pub fn install(&self, packages: &[&str], why: &str) -> Result<()> {
        let run = |program: &str, arguments: &[&str]| {
            let mut command = Command::new(program);
            command.env("PATH", self.path).env("DEBIAN_FRONTEND", "noninteractive");
            quiet(command.args(arguments))
        };
        if find_on(self.path, "apt-get").is_none() || run("id", &["-u"])?.trim() != "0" {
            bail!("not Debian, or not root, so it was not installed from Debian's packages");
        }
        let packages_line = packages.join(" ");
        println!("installing with apt-get: {packages_line} ({why})");
        timed(&format!("apt-get {packages_line}"), || {
            run("apt-get", &["update"])?;
            let install = ["install", "--yes", "--no-install-recommends"];
            run("apt-get", &[&install[..], packages].concat()).map(drop)
        })
    }
}
