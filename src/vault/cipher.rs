//! AES-256-GCM as both layers use it: a random nonce of 96 bits in front, the tag of 128 bits behind.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, Key, KeyInit, Nonce, Payload};
use zeroize::Zeroizing;

use super::VaultError;

/// A key of 256 bits, zeroed when dropped.
pub(super) type KeyBytes = Zeroizing<[u8; 32]>;

/// Bytes of the nonce that stands in front.
pub(super) const NONCE_BYTES: usize = 12;

/// A key that nobody knows yet.
pub(super) fn random_key() -> Result<KeyBytes, VaultError> {
    let mut key = KeyBytes::default();
    fill(key.as_mut())?;
    Ok(key)
}

/// Fills a buffer from the operating system's generator.
pub(super) fn fill(buffer: &mut [u8]) -> Result<(), VaultError> {
    getrandom::fill(buffer).map_err(|_| VaultError::NoRandomness)
}

/// Nonce, ciphertext and tag.
pub(super) fn seal(key: &KeyBytes, bound_to: &[u8], plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    let mut nonce = [0; NONCE_BYTES];
    fill(&mut nonce)?;
    let sealed = cipher(key)
        .encrypt(&Nonce::<Aes256Gcm>::from(nonce), payload(plain, bound_to))
        .map_err(|_| VaultError::Broken)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// The plain bytes, if neither they nor what they are bound to were changed.
pub(super) fn open(
    key: &KeyBytes,
    bound_to: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let (nonce, sealed) = sealed
        .split_first_chunk::<NONCE_BYTES>()
        .ok_or(VaultError::Broken)?;
    cipher(key)
        .decrypt(&Nonce::<Aes256Gcm>::from(*nonce), payload(sealed, bound_to))
        .map(Zeroizing::new)
        .map_err(|_| VaultError::Broken)
}

fn cipher(key: &KeyBytes) -> Aes256Gcm {
    Aes256Gcm::new(<&Key<Aes256Gcm>>::from(&**key))
}

fn payload<'a>(msg: &'a [u8], aad: &'a [u8]) -> Payload<'a, 'a> {
    Payload { msg, aad }
}
