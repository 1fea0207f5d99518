//! The packages that package-lock.json pins, and where npm puts them.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};

use crate::root;

/// Reads package-lock.json.
pub fn package_lock() -> Result<serde_json::Value> {
    let lock =
        fs::read(root().join("package-lock.json")).context("cannot read package-lock.json")?;
    serde_json::from_slice(&lock).context("package-lock.json is damaged")
}

/// Returns the version of a package in package-lock.json.
pub fn npm_version(package: &str) -> Result<String> {
    let version = &package_lock()?["packages"][format!("node_modules/{package}")]["version"];
    let version = version.as_str().map(str::to_owned);
    version.ok_or_else(|| anyhow!("package-lock.json does not name {package}"))
}

/// Returns the path of a file of a package in node_modules.
pub fn node_file(path: &str) -> PathBuf {
    root().join("node_modules").join(path)
}

/// Finds the binary inside a package that npm installed for this platform, such as `@scope/NAME-linux-64`.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Its later releases bring the twenty crates of ICU4X, see "Versions of tools" in ARCHITECTURE.md.
    #[test]
    fn addresses_are_read_with_the_small_tables() {
        let text = fs::read_to_string(root().join("Cargo.lock")).unwrap();
        assert!(text.contains("name = \"idna_adapter\"\nversion = \"1.1."));
    }

    #[test]
    fn lock_files_name_no_registry_of_their_own() {
        let text = fs::read_to_string(root().join("Cargo.lock")).unwrap();
        for source in text.lines().filter_map(|line| line.strip_prefix("source = ")) {
            assert_eq!(source, "\"registry+https://github.com/rust-lang/crates.io-index\"");
        }
        for (name, package) in package_lock().unwrap()["packages"].as_object().unwrap() {
            assert!(package["resolved"].is_null(), "{name}");
        }
    }
}
