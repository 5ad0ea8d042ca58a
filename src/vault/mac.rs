//! Keyed digests: proof that this installation wrote something, and names that only it can compute.

use data_encoding::HEXLOWER;
use hmac::digest::Key;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Vault;
use super::cipher::KeyBytes;

/// What a keyed digest is for. Each purpose has a key of its own, so that none can stand for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Signs the head of a tenant's audit chain.
    AuditHead,
    /// Names the rate bucket that several connections with one log-in share.
    Bucket,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::AuditHead => b"mlc mac audit head",
            Self::Bucket => b"mlc mac bucket",
        }
    }
}

impl Vault {
    /// `v1:` and 64 hex digits: HMAC-SHA-256 of the parts under a key derived from the master key that seals.
    #[must_use]
    pub fn sign(&self, purpose: Purpose, parts: &[&[u8]]) -> String {
        let masters = self.masters();
        let (version, master) = masters.sealing();
        let mac = keyed(master, purpose, parts).finalize().into_bytes();
        format!("v{version}:{}", HEXLOWER.encode(&mac))
    }

    /// The version of the master key that a signature names.
    #[must_use]
    pub fn version_of(signature: &str) -> Option<u32> {
        let (version, _) = signature.strip_prefix('v')?.split_once(':')?;
        version.parse().ok()
    }

    /// Whether a text is the signature of the parts under the master key it names. Takes the same time
    /// wherever the difference lies.
    #[must_use]
    pub fn is_signed(&self, purpose: Purpose, parts: &[&[u8]], signature: &str) -> bool {
        let named = signature
            .strip_prefix('v')
            .and_then(|rest| rest.split_once(':'));
        let Some((version, digits)) = named else {
            return false;
        };
        let masters = self.masters();
        let master = version
            .parse()
            .ok()
            .and_then(|version| masters.version(version));
        match (master, HEXLOWER.decode(digits.as_bytes())) {
            (Some(master), Ok(mac)) => keyed(master, purpose, parts).verify_slice(&mac).is_ok(),
            _ => false,
        }
    }
}

/// The derivation is one step of HKDF: the label stands for the use, the master key is random already.
fn keyed(master: &KeyBytes, purpose: Purpose, parts: &[&[u8]]) -> Hmac<Sha256> {
    let derived = Zeroizing::new(
        hmac(master, &[purpose.label()])
            .finalize()
            .into_bytes()
            .into(),
    );
    hmac(&derived, parts)
}

fn hmac(key: &KeyBytes, parts: &[&[u8]]) -> Hmac<Sha256> {
    // HMAC fills keys up to its block of 64 bytes with zeros; filled here, no length can be refused.
    let mut block = Zeroizing::new([0; 64]);
    for (filled, byte) in block.iter_mut().zip(key.iter()) {
        *filled = *byte;
    }
    let mut mac = Hmac::<Sha256>::new(<&Key<Hmac<Sha256>>>::from(&*block));
    for part in parts {
        // Lengths keep `ab`+`c` apart from `a`+`bc`.
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    mac
}
