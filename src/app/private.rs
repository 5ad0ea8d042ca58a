//! Files that only their owner may read.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// What group and others may do with a file, of its mode.
const NOT_THE_OWNER: u32 = 0o077;

/// Whether anybody but its owner may read or write the file.
pub(super) fn is_open_to_others(file: &Metadata) -> bool {
    file.permissions().mode() & NOT_THE_OWNER != 0
}

/// Makes a folder, and those above it, for its owner only. One that is there stays as it is.
pub(super) fn folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// Writes a file that was not there, for its owner only, whole or not at all: it is written under another
/// name beside it, reaches the disk, and then gets its own.
///
/// # Errors
/// `AlreadyExists`, where another process was faster, and whatever the file system says.
pub(super) fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = path.with_extension(format!("{}.tmp", std::process::id()));
    let written = write(&beside, content).and_then(|()| fs::hard_link(&beside, path));
    // Whether it became the file or not, the other name is of no more use.
    let removed = fs::remove_file(&beside);
    written?;
    removed?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Puts another content into a file that is there, whole or not at all. It stays its owner's.
///
/// # Errors
/// Whatever the file system says; the file is as it was then.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let owner = fs::metadata(path)?;
    let beside = path.with_extension(format!("{}.tmp", std::process::id()));
    let replaced = write(&beside, content)
        .and_then(|()| keep_owner(&beside, &owner))
        .and_then(|()| fs::rename(&beside, path));
    if replaced.is_err() {
        // It may not be there at all.
        let _ = fs::remove_file(&beside);
    }
    replaced?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Whoever runs this, the file must go on being readable for the one it belongs to.
fn keep_owner(path: &Path, owner: &Metadata) -> io::Result<()> {
    let made = fs::metadata(path)?;
    if made.uid() == owner.uid() && made.gid() == owner.gid() {
        return Ok(());
    }
    std::os::unix::fs::chown(path, Some(owner.uid()), Some(owner.gid()))
}

/// Opens a file for adding to its end, for its owner only.
///
/// # Errors
/// Whatever the file system says.
pub(super) fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}
