//! The tools that a build needs and a machine may lack. What cargo installs is kept in the user's
//! cache, by version, and shared between checkouts.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

use crate::node::{Node, check_installer};
use crate::root;
use crate::step::{Step, quiet, timed};

/// The version of a package in Cargo.lock. Tools that must fit a package are taken in its version.
pub fn locked_version(package: &str) -> Result<String> {
    let lock = fs::read_to_string(root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let entry = format!("name = \"{package}\"\nversion = \"");
    let version = lock.split(&entry).nth(1).and_then(|rest| rest.split('"').next());
    version.map(str::to_owned).ok_or_else(|| anyhow!("Cargo.lock does not name {package}"))
}

/// What package-lock.json says.
pub fn package_lock() -> Result<serde_json::Value> {
    let lock =
        fs::read(root().join("package-lock.json")).context("cannot read package-lock.json")?;
    serde_json::from_slice(&lock).context("package-lock.json is damaged")
}

/// The version of a package in package-lock.json.
pub fn npm_version(package: &str) -> Result<String> {
    let version = &package_lock()?["packages"][format!("node_modules/{package}")]["version"];
    let version = version.as_str().map(str::to_owned);
    version.ok_or_else(|| anyhow!("package-lock.json does not name {package}"))
}

/// The path of a tool that cargo installs; installs it if this version is not there.
pub fn cargo_tool(package: &str, binary: &str, version: &str) -> Result<PathBuf> {
    let folder = cache()?.join("tools").join(format!("{package}-{version}"));
    let path = folder.join("bin").join(binary);
    if path.exists() {
        return Ok(path);
    }
    need_openssl()?;
    timed(&format!("install {package}"), || {
        println!("  {package} {version} into {}: once, some minutes", folder.display());
        let install = |locked: &[&str]| {
            let mut cargo = Command::new("cargo");
            cargo.args(["install", "--root"]).arg(&folder).args(locked);
            cargo.arg(format!("{package}@{version}"));
            // A folder of its own: this one's may be locked by the cargo that runs us.
            cargo.env("CARGO_TARGET_DIR", cache()?.join("target"));
            quiet(&mut cargo)
        };
        // A registry may lack a version that the tool's own lock file names.
        install(&["--locked"]).or_else(|_| install(&[])).map(drop)
    })?;
    Ok(path)
}

/// The path of a command that Python packages bring, `NAME==VERSION` each and the command's own first;
/// installs them if these versions are not there.
pub fn python_tool(command: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = cache()?.join("tools").join(packages.join("+").replace("==", "-"));
    let path = folder.join("bin").join(command);
    if path.exists() {
        return Ok(path);
    }
    timed(&format!("install {}", packages.join(" ")), || {
        let make = || quiet(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        // Debian's Python comes without what makes environments.
        make().or_else(|_| apt_install(&["python3-venv"]).and_then(|()| make()))?;
        let mut pip = Command::new(folder.join("bin/pip"));
        quiet(pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(packages))
    })?;
    Ok(path)
}

/// The folder for what is installed once for all checkouts.
fn cache() -> Result<PathBuf> {
    let from = |variable: &str| env::var_os(variable).filter(|value| !value.is_empty());
    from("ASKLET_CACHE")
        .map(PathBuf::from)
        .or_else(|| from("XDG_CACHE_HOME").map(|cache| Path::new(&cache).join("asklet")))
        .or_else(|| from("HOME").map(|home| Path::new(&home).join(".cache/asklet")))
        .context("neither ASKLET_CACHE nor HOME says where to keep tools")
}

/// Both tools that cargo installs link OpenSSL.
fn need_openssl() -> Result<()> {
    if quiet(Command::new("pkg-config").args(["--exists", "openssl"])).is_ok() {
        return Ok(());
    }
    apt_install(&["libssl-dev", "pkg-config"])
        .context("the headers of OpenSSL are missing: install libssl-dev and pkg-config")
}

/// Installs the packages of package.json, if that was not done with this lock file.
pub fn node_modules() -> Result<()> {
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
    })
}

/// A file of a package in node_modules.
pub fn node_file(path: &str) -> PathBuf {
    root().join("node_modules").join(path)
}

/// A tool of binaryen. They are scripts for Node.
pub fn binaryen(tool: &str) -> Result<Command> {
    let mut command = Node::find()?.command()?;
    command.arg(node_file("binaryen/bin").join(tool));
    Ok(command)
}

/// The binary inside a package that npm installed for this platform: `@scope/NAME-linux-64` and the like.
pub fn platform_binary(scope: &str, prefix: &str, binary: &str) -> Result<PathBuf> {
    let folder = node_file(scope);
    let entries = fs::read_dir(&folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .collect::<Result<Vec<_>, _>>()?;
    entries
        .into_iter()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path().join("bin").join(binary))
        .find(|path| path.exists())
        .ok_or_else(|| anyhow!("npm brought no {binary} for this platform"))
}

/// The esbuild that package.json pins.
pub fn esbuild() -> Result<PathBuf> {
    platform_binary("@esbuild", "", "esbuild")
}

/// A Chromium for the browser tests.
pub fn chromium() -> Result<PathBuf> {
    let find = || {
        let named = env::var_os("CHROMIUM").map(PathBuf::from);
        let names = ["chromium", "chromium-browser", "google-chrome"];
        named.or_else(|| names.into_iter().find_map(on_path))
    };
    if let Some(chromium) = find() {
        return Ok(chromium);
    }
    apt_install(&["chromium"]).context("no Chromium: install one, or name it in CHROMIUM")?;
    find().context("the package chromium brought no browser")
}

/// The curl with which docs/api.md is tried.
pub fn curl() -> Result<()> {
    match on_path("curl") {
        Some(_) => Ok(()),
        None => apt_install(&["curl"]).context("no curl: install it"),
    }
}

/// The file that a command name stands for.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let paths = env::var_os("PATH")?;
    env::split_paths(&paths).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Installs Debian packages, where that is Debian and we are root.
pub fn apt_install(packages: &[&str]) -> Result<()> {
    let id = quiet(Command::new("id").arg("-u"))?;
    if on_path("apt-get").is_none() || id.trim() != "0" {
        bail!("not Debian, or not root, so it was not installed from Debian's packages");
    }
    timed(&format!("install {}", packages.join(" ")), || {
        let apt = |arguments: &[&str]| {
            let mut apt = Command::new("apt-get");
            quiet(apt.env("DEBIAN_FRONTEND", "noninteractive").args(arguments))
        };
        apt(&["update"])?;
        let install = ["install", "--yes", "--no-install-recommends"];
        apt(&[&install[..], packages].concat()).map(drop)
    })
}
