//! The data folder of one machine, which holds everything of a deployment there. It names its format, and a
//! lock keeps two processes from using it at once.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use crate::step::hex;

/// The layout of the folder that this release reads and writes. The data inside the objects has schemas of its
/// own.
const FORMAT: u32 = 1;

/// The file that identifies a folder as a data folder.
pub const FORMAT_FILE: &str = "format";

/// The file that is locked while the folder is used.
pub const LOCK_FILE: &str = "lock";

/// How long a folder may stay locked before it counts as in use. The process that had it may be about to end,
/// and a process that was just started may still hold an inherited lock.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);

/// A data folder that this process uses exclusively; dropping it releases the folder.
#[must_use = "the folder is only held while this lives"]
pub struct DataFolder {
    path: PathBuf,
    lock: File,
}

impl DataFolder {
    /// Opens a folder, or makes it with a new secret.
    pub fn open(path: &Path) -> Result<Self> {
        let writing = || format!("the data folder {} cannot be written", path.display());
        make_private_folder(path).with_context(writing)?;
        let folder = Self::lock(path)?;
        let format = folder.path.join(FORMAT_FILE);
        let secret = folder.path.join("secret");
        if !format.exists() {
            write_private(&secret, &random_hex()?).with_context(writing)?;
            // The format is written last, so that a folder with a format always has a secret. It is written
            // completely or not at all.
            let unfinished = folder.path.join("format.unfinished");
            write_private(&unfinished, &format!("{FORMAT}\n")).with_context(writing)?;
            fs::rename(&unfinished, &format).with_context(writing)?;
        }
        if !secret.exists() {
            bail!(
                "{} is missing, without which no id in {} is known: restore it from a backup",
                secret.display(),
                path.display()
            );
        }
        for part in ["objects", "demo"] {
            fs::create_dir_all(folder.path.join(part)).with_context(writing)?;
        }
        Ok(folder)
    }

    /// Locks a folder that exists, of any format up to ours.
    pub fn lock(path: &Path) -> Result<Self> {
        let path = fs::canonicalize(path)
            .with_context(|| format!("there is no data folder {}", path.display()))?;
        check_format(&path)?;
        let file = path.join(LOCK_FILE);
        let lock = OpenOptions::new().create(true).write(true).truncate(false).open(&file);
        let lock =
            lock.with_context(|| format!("the data folder {} cannot be written", path.display()))?;
        let patience = Instant::now() + LOCK_PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { path, lock }),
                Err(TryLockError::WouldBlock) if Instant::now() < patience => {
                    thread::sleep(Duration::from_millis(10));
                }
                Err(TryLockError::WouldBlock) => bail!(
                    "the data folder {} is in use: stop the server that runs on it first",
                    path.display()
                ),
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("cannot lock {}", file.display()));
                }
            }
        }
    }

    /// Returns a handle on the lock for a process that uses the folder: that process holds the lock as long as
    /// it lives, even if this one dies first.
    pub fn share_lock(&self) -> Result<File> {
        Ok(self.lock.try_clone()?)
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the secret with which the deployment seals its ids.
    pub fn secret(&self) -> Result<String> {
        let path = self.path.join("secret");
        let secret = fs::read_to_string(&path);
        let secret = secret.with_context(|| format!("cannot read {}", path.display()))?;
        Ok(secret.trim().to_owned())
    }
}

/// Refuses a folder that a newer release has written.
pub fn check_format(folder: &Path) -> Result<()> {
    let file = folder.join(FORMAT_FILE);
    let Ok(text) = fs::read_to_string(&file) else { return Ok(()) };
    let format: u32 = text
        .trim()
        .parse()
        .map_err(|_| anyhow!("{} does not hold a format's number", file.display()))?;
    if format > FORMAT {
        bail!(
            "the data folder {} was written by a newer version (format {format}, and this one \
             reads up to {FORMAT}): run that version, or restore a backup",
            folder.display()
        );
    }
    Ok(())
}

/// Makes a folder that only its owner may enter, because it holds what visitors wrote.
pub fn make_private_folder(path: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)?;
    // A folder that existed before may have been open to others.
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

/// Makes a file that only its owner may read. Fails if the name exists already: an existing file stays, and so
/// does the target of a link with that name.
pub fn create_private(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(options.open(path)?)
}

/// Writes a file that only its owner may read, in place of an existing one, and waits until it is on disk.
pub fn write_private(path: &Path, content: &str) -> Result<()> {
    // If it is a link, only the link is removed.
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut file = create_private(path)?;
    file.write_all(content.as_bytes())?;
    Ok(file.sync_all()?)
}

/// Returns 32 random bytes in hexadecimal.
pub fn random_hex() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("no random bytes: {error}"))?;
    Ok(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn refusal(result: Result<DataFolder>) -> String {
        match result {
            Ok(_) => panic!("the folder was opened"),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn a_folder_keeps_its_secret_and_only_its_owner_may_enter() {
        let parent = TempDir::new().unwrap();
        let path = parent.path().join("data");
        let secret = DataFolder::open(&path).unwrap().secret().unwrap();
        assert_eq!(secret.len(), 64);
        assert_eq!(DataFolder::open(&path).unwrap().secret().unwrap(), secret);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn a_folder_that_is_in_use_is_refused_even_if_only_a_child_uses_it() {
        let parent = TempDir::new().unwrap();
        let held = DataFolder::open(parent.path()).unwrap();
        assert!(refusal(DataFolder::open(parent.path())).contains("is in use"));
        let lock = held.share_lock().unwrap();
        let mut child = std::process::Command::new("sleep").arg("60").stdin(lock).spawn().unwrap();
        drop(held);
        assert!(refusal(DataFolder::open(parent.path())).contains("is in use"));
        child.kill().unwrap();
        child.wait().unwrap();
        DataFolder::open(parent.path()).map(drop).unwrap();
    }

    #[test]
    fn a_folder_that_lost_its_secret_is_refused_and_one_open_to_others_is_closed() {
        let parent = TempDir::new().unwrap();
        DataFolder::open(parent.path()).map(drop).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(parent.path(), PermissionsExt::from_mode(0o755)).unwrap();
            DataFolder::open(parent.path()).map(drop).unwrap();
            let mode = fs::metadata(parent.path()).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
        fs::remove_file(parent.path().join("secret")).unwrap();
        assert!(refusal(DataFolder::open(parent.path())).contains("is missing"));
    }

    #[test]
    fn a_folder_of_a_newer_version_is_refused() {
        let parent = TempDir::new().unwrap();
        fs::write(parent.path().join(FORMAT_FILE), format!("{}", FORMAT + 1)).unwrap();
        assert!(refusal(DataFolder::open(parent.path())).contains("written by a newer version"));
    }

    #[test]
    fn a_folder_whose_making_broke_off_is_made() {
        let parent = TempDir::new().unwrap();
        for file in ["secret", "format.unfinished"] {
            fs::write(parent.path().join(file), "").unwrap();
        }
        assert_eq!(DataFolder::open(parent.path()).unwrap().secret().unwrap().len(), 64);
    }

    #[cfg(unix)]
    #[test]
    fn a_secret_is_not_written_through_a_link() {
        let parent = TempDir::new().unwrap();
        let (path, victim) = (parent.path().join("data"), parent.path().join("victim"));
        fs::write(&victim, "mine").unwrap();
        fs::create_dir(&path).unwrap();
        std::os::unix::fs::symlink(&victim, path.join("secret")).unwrap();
        assert_eq!(DataFolder::open(&path).unwrap().secret().unwrap().len(), 64);
        assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_refused() {
        let parent = TempDir::new().unwrap();
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(refusal(DataFolder::open(&file.join("data"))).contains("cannot be written"));
    }
}
