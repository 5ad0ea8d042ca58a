//! The list of master keys: `v1:base64(32 bytes)[,v2:…]`. The last one seals, all of them open.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD};
use zeroize::Zeroizing;

use super::cipher::{self, KeyBytes};
use super::{VaultError, weak};

/// Why a list of master keys is refused. Says which entry, never what stands in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMasterKeys {
    #[error("it is empty; write `v1:` and 32 random bytes in base64")]
    Empty,
    #[error("entry {0} has no version in front; write `v1:` and 32 random bytes in base64")]
    NoVersion(usize),
    #[error("version v{0} stands in it twice; each version may stand once")]
    VersionTwice(u32),
    #[error("v{0} and v{1} are the same key; a new version needs a new key")]
    KeyTwice(u32, u32),
    #[error("the key of v{0} is not base64")]
    NotBase64(u32),
    #[error("the key of v{version} has {bytes} bytes; it must have exactly 32")]
    Length { version: u32, bytes: usize },
    #[error(
        "the key of v{0} is {1}; take 32 random bytes, for example from `openssl rand -base64 32`"
    )]
    Guessable(u32, &'static str),
}

/// Every known master key, oldest first. Zeroed when dropped.
pub struct MasterKeys {
    older: Vec<(u32, KeyBytes)>,
    newest: (u32, KeyBytes),
    /// The one that seals: the newest, but for the time that other nodes need to learn it.
    sealing: u32,
}

impl MasterKeys {
    /// Reads a list, and refuses what a person or a sample file would have made up.
    ///
    /// # Errors
    /// The first thing that is wrong with the list.
    pub fn parse(list: &str) -> Result<Self, BadMasterKeys> {
        let mut keys: Vec<(u32, KeyBytes)> = Vec::new();
        if list.trim().is_empty() {
            return Err(BadMasterKeys::Empty);
        }
        for (index, entry) in list.trim().split(',').enumerate() {
            let (version, key) = parse_entry(index.saturating_add(1), entry.trim())?;
            for (other, known) in &keys {
                if *other == version {
                    return Err(BadMasterKeys::VersionTwice(version));
                }
                if **known == *key {
                    return Err(BadMasterKeys::KeyTwice(*other, version));
                }
            }
            keys.push((version, key));
        }
        let newest = keys.pop().ok_or(BadMasterKeys::Empty)?;
        Ok(Self {
            older: keys,
            sealing: newest.0,
            newest,
        })
    }

    /// A new list with one random key, as the text to store.
    ///
    /// # Errors
    /// `NoRandomness`.
    pub fn generate() -> Result<Zeroizing<String>, VaultError> {
        Ok(Zeroizing::new(format!("v1:{}", *encoded_key()?)))
    }

    /// The text of a list with one more version at its end: a random key under the next number.
    ///
    /// # Errors
    /// `NoRandomness`.
    pub fn appended(&self, list: &str) -> Result<Zeroizing<String>, VaultError> {
        let highest = self.versions().into_iter().max().unwrap_or(0);
        let next = highest.saturating_add(1);
        let key = encoded_key()?;
        Ok(Zeroizing::new(format!("{},v{next}:{}", list.trim(), *key)))
    }

    pub(super) fn sealing(&self) -> (u32, &KeyBytes) {
        let key = self.version(self.sealing).unwrap_or(&self.newest.1);
        (self.sealing, key)
    }

    pub(super) fn version(&self, wanted: u32) -> Option<&KeyBytes> {
        std::iter::once(&self.newest)
            .chain(&self.older)
            .find(|(version, _)| *version == wanted)
            .map(|(_, key)| key)
    }

    /// The versions it holds, oldest entry first.
    #[must_use]
    pub fn versions(&self) -> Vec<u32> {
        let older = self.older.iter().map(|(version, _)| *version);
        older.chain([self.newest.0]).collect()
    }

    /// The version at the end of the list.
    #[must_use]
    pub fn newest_version(&self) -> u32 {
        self.newest.0
    }

    /// Whether both hold the same versions in the same order.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        self.versions() == other.versions()
    }

    /// This list after a later reading of it, sealing with what the earlier one sealed with. Versions that
    /// are in use here and gone from the list stay known, until the next start. None where a version
    /// has another key by now: such a list belongs to somebody else.
    pub(super) fn after(self, known: &Self) -> Option<Self> {
        let mut older = Vec::new();
        for version in known.versions() {
            let was = known.version(version)?;
            match self.version(version) {
                Some(is) if **is == **was => {}
                Some(_) => return None,
                None => older.push((version, was.clone())),
            }
        }
        older.extend(self.older);
        Some(Self {
            older,
            newest: self.newest,
            sealing: known.sealing,
        })
    }

    /// The same list, sealing with its newest version.
    pub(super) fn with_newest(&self) -> Self {
        Self {
            older: self.older.clone(),
            newest: self.newest.clone(),
            sealing: self.newest.0,
        }
    }
}

fn encoded_key() -> Result<Zeroizing<String>, VaultError> {
    let key = cipher::random_key()?;
    Ok(Zeroizing::new(BASE64.encode(key.as_slice())))
}

impl std::fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MasterKeys({:?}, ***)", self.versions())
    }
}

fn parse_entry(position: usize, entry: &str) -> Result<(u32, KeyBytes), BadMasterKeys> {
    let (version, encoded) = entry
        .strip_prefix('v')
        .and_then(|rest| rest.split_once(':'))
        .and_then(|(version, encoded)| Some((version.parse().ok()?, encoded.trim())))
        .ok_or(BadMasterKeys::NoVersion(position))?;
    let decoded = decode(encoded).ok_or(BadMasterKeys::NotBase64(version))?;
    let mut key = KeyBytes::default();
    if decoded.len() != key.len() {
        return Err(BadMasterKeys::Length {
            version,
            bytes: decoded.len(),
        });
    }
    key.copy_from_slice(&decoded);
    match weak::reason(&key) {
        Some(reason) => Err(BadMasterKeys::Guessable(version, reason)),
        None => Ok((version, key)),
    }
}

/// Base64 in either alphabet, with or without its padding.
fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    [BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD]
        .iter()
        .find_map(|encoding| encoding.decode(text.as_bytes()).ok())
        .map(Zeroizing::new)
}
