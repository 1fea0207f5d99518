//! Backups: a data folder in one file, and back. A folder is only taken while nothing runs on it,
//! so that what is written belongs together.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::data::{self, DataFolder, FORMAT_FILE, LOCK_FILE};

/// Writes a data folder, with its secret, into one compressed file.
pub fn backup(file: &Path, data: &Path) -> Result<()> {
    if file.exists() {
        bail!("{} exists already; a backup overwrites nothing", file.display());
    }
    let folder = DataFolder::lock(data)?;
    if !folder.path().join(FORMAT_FILE).exists() {
        bail!("{} is not a data folder of Asklet", data.display());
    }
    let unfinished = beside(file, ".unfinished");
    let written = write(&unfinished, folder.path());
    if written.is_err() {
        // Half a backup must not be taken for one; that it stays when this fails too changes nothing.
        let _ = fs::remove_file(&unfinished);
    }
    written.with_context(|| format!("cannot write {}", file.display()))?;
    fs::rename(&unfinished, file).with_context(|| format!("cannot write {}", file.display()))?;
    let bytes = fs::metadata(file)?.len();
    println!("{} holds {} ({bytes} bytes); keep it secret", file.display(), data.display());
    Ok(())
}

fn write(file: &Path, folder: &Path) -> Result<()> {
    let mut archive =
        tar::Builder::new(GzEncoder::new(data::create_private(file)?, Compression::default()));
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = PathBuf::from(entry.file_name());
        if name == Path::new(LOCK_FILE) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            archive.append_dir_all(&name, entry.path())?;
        } else {
            archive.append_path_with_name(entry.path(), &name)?;
        }
    }
    archive.into_inner()?.finish()?.sync_all()?;
    Ok(())
}

/// Makes a data folder from a backup.
pub fn restore(file: &Path, data: &Path) -> Result<()> {
    // Without a slash at its end, which would put what lies beside it into it.
    let data = &data.components().collect::<PathBuf>();
    if fs::read_dir(data).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty; a restore overwrites nothing", data.display());
    }
    let archive = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let unfinished = beside(data, ".unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    let unpacked = unpack(archive, &unfinished);
    if unpacked.is_err() {
        // Nothing uses what is half unpacked, so leaving it is no second fault.
        let _ = fs::remove_dir_all(&unfinished);
    }
    unpacked.with_context(|| format!("{} is not a backup that can be restored", file.display()))?;
    if data.exists() {
        fs::remove_dir(data)?;
    }
    fs::rename(&unfinished, data).with_context(|| format!("cannot write {}", data.display()))?;
    println!("{} is restored from {}", data.display(), file.display());
    Ok(())
}

fn unpack(archive: File, folder: &Path) -> Result<()> {
    data::make_private_folder(folder)?;
    tar::Archive::new(GzDecoder::new(archive)).unpack(folder)?;
    if !folder.join(FORMAT_FILE).exists() {
        bail!("it holds no data folder of Asklet");
    }
    data::check_format(folder)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn what_was_backed_up_comes_back_and_nothing_is_overwritten() {
        let parent = TempDir::new().unwrap();
        let (data, file) = (parent.path().join("data"), parent.path().join("backup.tar.gz"));
        let secret = DataFolder::open(&data).unwrap().secret().unwrap();
        fs::write(data.join("objects/one.sqlite"), "rows").unwrap();
        backup(&file, &data).unwrap();
        assert!(backup(&file, &data).is_err());
        assert!(restore(&file, &data).is_err());

        let restored = parent.path().join("restored");
        fs::create_dir(&restored).unwrap();
        restore(&file, &restored.join("")).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_to_string(restored.join("objects/one.sqlite")).unwrap(), "rows");
        assert_eq!(DataFolder::open(&restored).unwrap().secret().unwrap(), secret);
    }

    #[test]
    fn a_folder_in_use_is_not_backed_up_and_a_file_that_is_no_backup_is_not_restored() {
        let parent = TempDir::new().unwrap();
        let (data, file) = (parent.path().join("data"), parent.path().join("backup.tar.gz"));
        let held = DataFolder::open(&data).unwrap();
        assert!(backup(&file, &data).is_err() && !file.exists());
        drop(held);
        fs::write(&file, "no archive").unwrap();
        let restored = parent.path().join("restored");
        assert!(restore(&file, &restored).is_err() && !restored.exists());
    }
}
