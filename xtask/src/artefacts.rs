//! The files that a build leaves in `dist/`, and the kinds of file that browsers download.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256, Sha384};

use crate::root;
use crate::step::hex;

/// How long the hashed files of earlier builds stay, because a page may have a config that names them.
const KEEP_EARLIER: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Returns the deployable folder.
pub fn dist() -> PathBuf {
    root().join("dist")
}

/// Returns the folder of the Worker that panics when a test requests it.
pub fn faults() -> PathBuf {
    root().join("target/xtask/faults")
}

/// Returns the folder of the files that pages download.
pub fn assets() -> PathBuf {
    dist().join("assets")
}

/// `manifest.json`, which tells the Worker the names of its files.
#[derive(Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The digest of `asklet.js`.
    pub entry: String,
    /// The hashed files of the same release.
    pub files: Files,
}

/// The hashed files of one release.
#[derive(Debug, Serialize, Deserialize)]
pub struct Files {
    /// The file that chooses the moment.
    pub when: String,
    /// The common part of the names of the widget's two files.
    pub widget: String,
    /// The file that shows a survey if the widget cannot. Only `when` names it.
    pub frame: String,
}

impl Manifest {
    /// Returns the names of the hashed files: the entry's, for pages that pin it, and those of [`Files`].
    pub fn hashed(&self) -> [String; 5] {
        let Files { when, widget, frame } = &self.files;
        [
            format!("asklet-{}.js", self.entry),
            when.clone(),
            format!("{widget}.js"),
            format!("{widget}.wasm"),
            frame.clone(),
        ]
    }

    /// Reads the manifest of the last build.
    pub fn read() -> Result<Self> {
        let text = fs::read(assets().join("manifest.json")).context("nothing was built yet")?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// Writes the manifest beside the files that it names. The files of the previous manifest are outdated from
    /// now on, and their remaining time begins.
    pub fn write(&self) -> Result<()> {
        if let Ok(earlier) = Self::read() {
            for name in earlier.hashed() {
                for ending in ["", ".br", ".gz"] {
                    let path = assets().join(format!("{name}{ending}"));
                    if let Ok(file) = File::options().append(true).open(path) {
                        file.set_modified(SystemTime::now())?;
                    }
                }
            }
        }
        Ok(fs::write(assets().join("manifest.json"), serde_json::to_vec(self)?)?)
    }
}

/// Returns sixteen hexadecimal digits that identify some content.
pub fn digest(contents: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for content in contents {
        digest.update(content);
    }
    let mut name = hex(&digest.finalize());
    name.truncate(16);
    name
}

/// Writes a file into the assets: as it is, as brotli and as gzip.
pub fn put(name: &str, content: &[u8]) -> Result<()> {
    let path = assets().join(name);
    let write = |ending: &str, content: &[u8]| {
        let path = format!("{}{ending}", path.display());
        fs::write(&path, content).with_context(|| format!("cannot write {path}"))
    };
    fs::create_dir_all(assets()).context("cannot make dist/assets")?;
    write("", content)?;
    write(".br", &brotli(content)?)?;
    write(".gz", &gzip(content)?)
}

/// Compresses with brotli at the best level.
pub fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let mut writer = brotli::CompressorWriter::new(&mut compressed, 4096, 11, 22);
    writer.write_all(content)?;
    writer.flush()?;
    drop(writer);
    Ok(compressed)
}

/// Compresses with gzip at the best level.
pub fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(content)?;
    Ok(writer.finish()?)
}

/// Writes the digests of scripts by their names, in the form of `integrity` attributes and import maps.
pub fn integrity(scripts: &[(&str, &Vec<u8>)]) -> Result<Vec<u8>> {
    let digest =
        |content: &[u8]| format!("sha384-{}", BASE64_STANDARD.encode(Sha384::digest(content)));
    let digests: BTreeMap<_, _> =
        scripts.iter().map(|(name, content)| (name, digest(content))).collect();
    Ok(serde_json::to_vec(&digests)?)
}

/// Removes hashed files that no page can request any more.
pub fn remove_outdated(manifest: &Manifest) -> Result<()> {
    let hashed = manifest.hashed();
    let unhashed = ["asklet.js", "debug.js", "integrity.json", "manifest.json", "openapi.json"];
    let current: Vec<&str> = hashed.iter().map(String::as_str).chain(unhashed).collect();
    for entry in fs::read_dir(assets())? {
        let path = entry?.path();
        let is_current = |name: &str| current.iter().any(|current| name.starts_with(current));
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        if !name.is_some_and(|name| is_current(&name)) && age(&path)? > KEEP_EARLIER {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

fn age(path: &Path) -> Result<Duration> {
    Ok(SystemTime::now().duration_since(fs::metadata(path)?.modified()?).unwrap_or_default())
}
