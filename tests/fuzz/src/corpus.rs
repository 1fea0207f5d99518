//! The kept inputs: a folder for each target, a file for each input, named for what it shows.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folder of a target's kept inputs.
pub fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

/// The inputs in a folder, or the one in a file, with their paths, by name.
pub fn read(path: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    let reading = || format!("cannot read {}", path.display());
    let mut paths = vec![path.to_owned()];
    if path.is_dir() {
        let entries = fs::read_dir(path).with_context(reading)?;
        paths =
            entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>().with_context(reading)?;
    }
    paths.sort();
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok((path, bytes))
    };
    paths.into_iter().map(read).collect()
}

/// The folder for inputs that failed.
pub fn found() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("found")
}
