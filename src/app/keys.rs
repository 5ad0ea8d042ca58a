//! Where the master keys come from, and when the program refuses to start for them.
//!
//! A key that is lost, made up or open to others is refused before anything is written. Where none is
//! given, one is made; a second node on the same PostgreSQL that makes its own is refused, because it does
//! not open what lies in the database ([`fit`]).

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::config::{KeySource, Storage};
use super::private;
use crate::domain::ids::TenantId;
use crate::vault::{BadMasterKeys, MasterKeys, Vault, VaultError, WrappedKey};

/// The generated key's file in the data directory.
const KEY_FILE: &str = "master.key";

/// A list of a thousand keys is shorter; anything longer is another file.
const KEY_FILE_BYTES_MAX: u64 = 64 * 1024;

/// Why there are no master keys to work with.
#[derive(Debug, thiserror::Error)]
pub enum NoKeys {
    #[error("MLC_MASTER_KEY does not work: {0}")]
    Given(BadMasterKeys),
    #[error("the master key in {path} does not work: {problem}")]
    InFile {
        path: PathBuf,
        problem: BadMasterKeys,
    },
    #[error("the master key file {path} cannot be read")]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "others may read the master key file {path}; run `chmod 600 {path}`, and think whether \
             the key has been seen"
    )]
    OpenToOthers { path: PathBuf },
    #[error(
        "the database {database} is there, but its master key {path} is gone; put the key back from your \
         backup, for without it no stored credential can be opened"
    )]
    Gone { database: PathBuf, path: PathBuf },
    #[error("no master key could be made in {path}")]
    NotMade {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "{rows} data keys still lie under v{version} of the master key, which is no longer in the list; put it \
         back in front of the others and run `ml-connector keys rotate`"
    )]
    StillInUse { version: u32, rows: u64 },
    #[error("no master key could be made")]
    NotDrawn(#[source] VaultError),
    #[error(
        "the master key is not the one that this database was sealed with; give the right one (MLC_MASTER_KEY \
         or MLC_MASTER_KEY_FILE, the same on every node), or put the database back that belongs to this key"
    )]
    Wrong(#[source] VaultError),
}

/// Reads the master keys, or makes one for a new embedded database.
///
/// # Errors
/// Why they do not work; nothing was written then.
pub fn load(source: &KeySource, storage: &Storage) -> Result<MasterKeys, NoKeys> {
    match source {
        KeySource::Given(list) => MasterKeys::parse(list.open()).map_err(NoKeys::Given),
        KeySource::File(path) => from_file(path),
        KeySource::Generated => {
            let path = storage.data_dir.join(KEY_FILE);
            match from_file(&path) {
                Err(NoKeys::Unreadable { source, .. })
                    if source.kind() == io::ErrorKind::NotFound =>
                {
                    generate(&path, storage)
                }
                read => read,
            }
        }
    }
}

/// Whether the keys are those of this database: they must open a data key that lies in it. Ask before
/// anything is sealed or sent.
///
/// # Errors
/// `Wrong`.
pub fn fit(vault: &Vault, tenant: TenantId, stored: &WrappedKey) -> Result<(), NoKeys> {
    match vault.open_data_key(tenant, stored) {
        Ok(_) => Ok(()),
        Err(error) => Err(NoKeys::Wrong(error)),
    }
}

/// The file that the master keys are in; none where they come from the environment.
#[must_use]
pub fn file(source: &KeySource, storage: &Storage) -> Option<PathBuf> {
    match source {
        KeySource::Given(_) => None,
        KeySource::File(path) => Some(path.clone()),
        KeySource::Generated => Some(storage.data_dir.join(KEY_FILE)),
    }
}

/// Reads the master keys in a file again.
///
/// # Errors
/// Why they do not work.
pub fn read_again(path: &Path) -> Result<MasterKeys, NoKeys> {
    from_file(path)
}

/// Adds a version to the list in a file, as one step: whoever reads it sees the list before or after.
///
/// # Errors
/// Why it was not done; the file is as it was then.
pub fn append(path: &Path) -> Result<MasterKeys, NoKeys> {
    // Behind a link is the file that others read.
    let path = std::fs::canonicalize(path).map_err(|source| NoKeys::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let list = read(&path)?;
    let masters = from_file(&path)?;
    let longer = masters.appended(&list).map_err(NoKeys::NotDrawn)?;
    private::replace(&path, longer.as_bytes()).map_err(|source| NoKeys::NotMade {
        path: path.clone(),
        source,
    })?;
    from_file(&path)
}

/// Whether a generated key is in the data directory.
pub(super) fn is_generated(storage: &Storage) -> bool {
    storage.data_dir.join(KEY_FILE).exists()
}

/// Whether every data key lies under a version that is in the list.
///
/// # Errors
/// `StillInUse`.
pub fn cover(vault: &Vault, counts: &[(u32, u64)]) -> Result<(), NoKeys> {
    let versions = vault.versions();
    match counts
        .iter()
        .find(|(version, _)| !versions.contains(version))
    {
        Some((version, rows)) => Err(NoKeys::StillInUse {
            version: *version,
            rows: *rows,
        }),
        None => Ok(()),
    }
}

fn from_file(path: &Path) -> Result<MasterKeys, NoKeys> {
    let list = read(path)?;
    MasterKeys::parse(&list).map_err(|problem| NoKeys::InFile {
        path: path.to_owned(),
        problem,
    })
}

fn read(path: &Path) -> Result<Zeroizing<String>, NoKeys> {
    let unreadable = |source| NoKeys::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    // Asked of the opened file, so that it cannot be changed for another in between.
    let metadata = file.metadata().map_err(unreadable)?;
    if private::is_open_to_others(&metadata) {
        return Err(NoKeys::OpenToOthers {
            path: path.to_owned(),
        });
    }
    let mut list = Zeroizing::new(String::with_capacity(4_096));
    file.take(KEY_FILE_BYTES_MAX)
        .read_to_string(&mut list)
        .map_err(unreadable)?;
    Ok(list)
}

/// A key for a database that is not there yet.
fn generate(path: &Path, storage: &Storage) -> Result<MasterKeys, NoKeys> {
    if let Some(database) = existing(storage) {
        return Err(NoKeys::Gone {
            database,
            path: path.to_owned(),
        });
    }
    let list = MasterKeys::generate().map_err(NoKeys::NotDrawn)?;
    let written =
        private::folder(&storage.data_dir).and_then(|()| private::write_new(path, list.as_bytes()));
    match written {
        Ok(()) => {
            tracing::warn!(
                path = %path.display(),
                "a master key was made; keep a copy of it apart from the database: without it no stored \
                 credential can be opened"
            );
            from_file(path)
        }
        // Two commands began at once: the faster one's key is everybody's.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => from_file(path),
        Err(source) => Err(NoKeys::NotMade {
            path: path.to_owned(),
            source,
        }),
    }
}

/// The database's file, if something is in it.
fn existing(storage: &Storage) -> Option<PathBuf> {
    let file = storage.database_file.as_ref()?;
    let is_filled = std::fs::metadata(file).is_ok_and(|file| file.len() > 0);
    is_filled.then(|| file.clone())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::domain::secret::Secret;

    fn storage(folder: &Path) -> Storage {
        Storage {
            data_dir: folder.join("data"),
            database_url: Secret::new(String::new()),
            database_admin_url: None,
            database_file: Some(folder.join("data/ml-connector.db")),
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_first_start_makes_a_key_and_later_ones_find_it() {
        let folder = tempfile::tempdir().unwrap();
        let storage = storage(folder.path());
        load(&KeySource::Generated, &storage).unwrap();
        let path = storage.data_dir.join(KEY_FILE);
        let first = fs::read_to_string(&path).unwrap();
        assert_eq!((mode(&path), mode(&storage.data_dir)), (0o600, 0o700));
        load(&KeySource::Generated, &storage).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), first);
        assert_eq!(fs::read_dir(&storage.data_dir).unwrap().count(), 1);
    }

    #[test]
    fn a_slower_process_takes_the_key_of_the_faster() {
        let folder = tempfile::tempdir().unwrap();
        let storage = storage(folder.path());
        let path = storage.data_dir.join(KEY_FILE);
        load(&KeySource::Generated, &storage).unwrap();
        let first = fs::read_to_string(&path).unwrap();
        generate(&path, &storage).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), first);
    }

    #[test]
    fn a_lost_key_is_not_replaced_under_a_filled_database() {
        let folder = tempfile::tempdir().unwrap();
        let storage = storage(folder.path());
        fs::create_dir(&storage.data_dir).unwrap();
        fs::write(storage.database_file.as_ref().unwrap(), b"rows").unwrap();
        let refused = load(&KeySource::Generated, &storage);
        assert!(matches!(refused, Err(NoKeys::Gone { .. })), "{refused:?}");
        assert_eq!(fs::read_dir(&storage.data_dir).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, MasterKeys::generate().unwrap().as_bytes()).unwrap();
        for (bits, is_refused) in [
            (0o644, true),
            (0o640, true),
            (0o602, true),
            (0o600, false),
            (0o400, false),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(bits)).unwrap();
            let loaded = load(&KeySource::File(path.clone()), &storage(folder.path()));
            let refused = matches!(loaded, Err(NoKeys::OpenToOthers { .. }));
            assert_eq!(
                (refused, loaded.is_err()),
                (is_refused, is_refused),
                "{bits:o}"
            );
        }
    }

    #[test]
    fn a_key_that_does_not_work_is_refused_and_nothing_written() {
        let folder = tempfile::tempdir().unwrap();
        let storage = storage(folder.path());
        let zeros = format!("v1:{}=", "A".repeat(43));
        let given = load(&KeySource::Given(Secret::new(zeros.clone())), &storage);
        let says = given.unwrap_err().to_string();
        assert!(
            says.starts_with("MLC_MASTER_KEY does not work: the key of v1 is all zeros"),
            "{says}"
        );
        let path = folder.path().join("key");
        let missing = load(&KeySource::File(path.clone()), &storage);
        assert!(matches!(missing, Err(NoKeys::Unreadable { .. })));
        private::write_new(&path, zeros.as_bytes()).unwrap();
        let weak = load(&KeySource::File(path), &storage);
        assert!(matches!(weak, Err(NoKeys::InFile { .. })));
        assert!(!storage.data_dir.exists());
    }

    #[test]
    fn a_version_is_added_in_one_step_and_for_the_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        private::write_new(&path, MasterKeys::generate().unwrap().as_bytes()).unwrap();
        let before = fs::read_to_string(&path).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(append(&link).unwrap().versions(), [1, 2]);
        assert_eq!(append(&path).unwrap().versions(), [1, 2, 3]);
        let after = fs::read_to_string(&path).unwrap();
        assert!(
            after.starts_with(&format!("{before},v2:")),
            "the old versions stay"
        );
        assert_eq!(mode(&path), 0o600);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        assert!(append(&folder.path().join("none")).is_err());
    }

    #[test]
    fn a_version_that_is_in_use_must_be_in_the_list() {
        let list = MasterKeys::generate().unwrap();
        let vault = Vault::new(MasterKeys::parse(&list).unwrap());
        assert!(cover(&vault, &[]).is_ok() && cover(&vault, &[(1, 7)]).is_ok());
        let refused = cover(&vault, &[(1, 7), (2, 3)]);
        assert!(matches!(
            refused,
            Err(NoKeys::StillInUse {
                version: 2,
                rows: 3
            })
        ));
    }

    #[test]
    fn keys_of_another_database_do_not_fit() {
        let vault = || {
            let list = MasterKeys::generate().unwrap();
            Vault::new(MasterKeys::parse(&list).unwrap())
        };
        let (own, other, tenant) = (vault(), vault(), TenantId::generate());
        let stored = own.new_data_key(tenant).unwrap();
        assert!(fit(&own, tenant, &stored).is_ok());
        assert!(matches!(
            fit(&other, tenant, &stored),
            Err(NoKeys::Wrong(_))
        ));
    }
}
