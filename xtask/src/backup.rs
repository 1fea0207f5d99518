//! Backups: write a data folder into one file, and restore it. A folder is only backed up while nothing runs on
//! it, so that its files are consistent.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::data::{self, DataFolder, FORMAT_FILE, LOCK_FILE};

/// Writes a data folder, with its secret, into one compressed file.
pub fn backup(file: &Path, data: &Path) -> Result<()> {
    let folder = DataFolder::lock(data)?;
    if !folder.path().join(FORMAT_FILE).exists() {
        bail!("{} is not a data folder of Asklet", data.display());
    }
    let unfinished = beside(file, ".unfinished");
    if fs::symlink_metadata(file).is_ok() {
        bail!("{} is there already; a backup overwrites nothing", file.display());
    }
    if fs::symlink_metadata(&unfinished).is_ok_and(|found| found.is_file()) {
        // It is left from a backup that broke off, since only one backup of a data folder can run at a time.
        fs::remove_file(&unfinished)
            .with_context(|| format!("cannot remove {}", unfinished.display()))?;
    }
    let archive = create(&unfinished)?;
    // Only a complete file gets the name, and never in place of a file that somebody created in the meantime.
    let written = write(archive, folder.path()).and_then(|()| give_name(&unfinished, file));
    if written.is_err() {
        // Nobody must take half a backup for a whole one. If removing it fails too, there is nothing more to
        // do.
        let _ = fs::remove_file(&unfinished);
    }
    written.with_context(|| format!("cannot write {}", file.display()))?;
    let bytes = fs::metadata(file)?.len();
    println!("{} holds {} ({bytes} bytes); keep it secret", file.display(), data.display());
    Ok(())
}

/// Renames a file to a name that no file has.
fn give_name(unfinished: &Path, file: &Path) -> Result<()> {
    match fs::hard_link(unfinished, file) {
        Ok(()) => Ok(fs::remove_file(unfinished)?),
        // Not every file system supports hard links.
        Err(error)
            if matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied) =>
        {
            drop(create(file)?);
            Ok(fs::rename(unfinished, file)?)
        }
        Err(error) => Err(error.into()),
    }
}

fn create(file: &Path) -> Result<File> {
    data::create_private(file)
        .with_context(|| format!("{} cannot be made; a backup overwrites nothing", file.display()))
}

fn write(archive: File, folder: &Path) -> Result<()> {
    let mut archive = tar::Builder::new(GzEncoder::new(archive, Compression::default()));
    append_folder(&mut archive, folder, Path::new(""))?;
    archive.into_inner()?.finish()?.sync_all()?;
    Ok(())
}

/// Appends the content of a folder. A link is refused: it could lead to a file that only the person who makes
/// the backup may read.
fn append_folder(
    archive: &mut tar::Builder<GzEncoder<File>>,
    folder: &Path,
    name: &Path,
) -> Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, name) = (entry.path(), name.join(entry.file_name()));
        let kind = entry.file_type()?;
        if name == Path::new(LOCK_FILE) {
            continue;
        } else if kind.is_dir() {
            archive.append_dir(&name, &path)?;
            append_folder(archive, &path, &name)?;
        } else if kind.is_file() {
            archive.append_file(&name, &mut open(&path)?)?;
        } else {
            bail!(
                "{} is neither a file nor a folder, and a backup follows no link",
                path.display()
            );
        }
    }
    Ok(())
}

/// Opens a file, but never the target of a link that has replaced it.
fn open(path: &Path) -> Result<File> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let (opened, named) = (file.metadata()?, fs::symlink_metadata(path)?);
        if (opened.dev(), opened.ino()) != (named.dev(), named.ino()) {
            bail!("{} was replaced while it was read", path.display());
        }
    }
    Ok(file)
}

/// Makes a data folder from a backup.
pub fn restore(file: &Path, data: &Path) -> Result<()> {
    // Removes a slash at the end, because files beside the folder would otherwise be put into it.
    let data = &data.components().collect::<PathBuf>();
    if fs::read_dir(data).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty; a restore overwrites nothing", data.display());
    }
    let archive = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let unfinished = beside(data, ".unfinished");
    if fs::symlink_metadata(&unfinished).is_ok() {
        // It is left from a restore that broke off. If it is a link, only the link is removed.
        fs::remove_dir_all(&unfinished)
            .with_context(|| format!("cannot remove {}", unfinished.display()))?;
    }
    let unpacked = unpack(archive, &unfinished);
    if unpacked.is_err() {
        // Nothing uses a half-unpacked folder, so leaving it is not another error.
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
    for entry in tar::Archive::new(GzDecoder::new(archive)).entries()? {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        if !kind.is_file() && !kind.is_dir() {
            bail!("it holds {}, which is neither a file nor a folder", entry.path()?.display());
        }
        if !entry.unpack_in(folder)? {
            bail!("it holds {}, which would lie outside", entry.path()?.display());
        }
    }
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
        // The rest of a backup that was killed does not prevent another.
        fs::write(beside(&file, ".unfinished"), "half").unwrap();
        backup(&file, &data).unwrap();
        assert!(!beside(&file, ".unfinished").exists());
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

    #[cfg(unix)]
    #[test]
    fn a_backup_follows_no_link_and_writes_through_none() {
        use std::os::unix::fs::symlink;
        let parent = TempDir::new().unwrap();
        let (data, file) = (parent.path().join("data"), parent.path().join("backup.tar.gz"));
        let (private, victim) = (parent.path().join("private"), parent.path().join("victim"));
        fs::write(&private, "not for the backup").unwrap();
        drop(DataFolder::open(&data).unwrap());

        // The name of a backup: it is not written through a link, even if the link leads nowhere.
        for link in ["backup.tar.gz", "backup.tar.gz.unfinished"] {
            let link = parent.path().join(link);
            symlink(&victim, &link).unwrap();
            assert!(backup(&file, &data).is_err() && !victim.exists());
            assert!(link.is_symlink());
            fs::remove_file(&link).unwrap();
        }
        assert!(!file.exists());

        // The content of the folder: the error names a link, and nothing is read through it.
        for link in ["objects/one.sqlite", "linked"] {
            let link = data.join(link);
            symlink(&private, &link).unwrap();
            let refused = format!("{:#}", backup(&file, &data).unwrap_err());
            assert!(refused.contains(&link.display().to_string()), "{refused}");
            fs::remove_file(&link).unwrap();
        }
        assert!(!file.exists() && !beside(&file, ".unfinished").exists());

        // The content of an archive: no link is made.
        let mut archive =
            tar::Builder::new(GzEncoder::new(File::create(&file).unwrap(), Compression::default()));
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        archive.append_link(&mut header, "objects", &private).unwrap();
        archive.into_inner().unwrap().finish().unwrap();
        let restored = parent.path().join("restored");
        let refused = format!("{:#}", restore(&file, &restored).unwrap_err());
        assert!(refused.contains("neither a file nor a folder") && !restored.exists(), "{refused}");
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
