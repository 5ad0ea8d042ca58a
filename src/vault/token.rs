//! Everything random that is handed out: API tokens, session keys, hook addresses, passwords of the demo.
//!
//! The texts are base 62 and drawn from the operating system. What recognises them later is their
//! SHA-256, which is all that is stored: with so many random bits a fast hash is enough.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::VaultError;
use super::cipher::fill;
use crate::domain::secret::Secret;

/// How every API token begins, so that people and secret scanners know one when they see it.
pub const API_PREFIX: &str = "mlc_";

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Bytes below this map evenly onto the alphabet; the rest is drawn again.
const EVEN_BELOW: u8 = 248;

/// Digits that hold 256 bits.
const DIGITS_256: usize = 43;

/// Digits that hold 128 bits.
const DIGITS_128: usize = 22;

/// What of a token is stored, and by which it is found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// Compares in the same time wherever the difference lies.
    #[must_use]
    pub fn is_of(&self, token: &str) -> bool {
        self.0.ct_eq(&Self::of(token).0).into()
    }
}

/// Whether two texts are equal, in a time that does not tell where they differ.
#[must_use]
pub fn is_same(left: &str, right: &str) -> bool {
    TokenHash::of(left).is_of(right)
}

/// `mlc_` and 256 bits.
///
/// # Errors
/// `NoRandomness`, as of every function of this file.
pub fn api_token() -> Result<Secret<String>, VaultError> {
    text(API_PREFIX, DIGITS_256)
}

/// 256 bits: the cookie of a session, its form token, the secret that a vendor's webhooks carry.
///
/// # Errors
/// `NoRandomness`.
pub fn session_key() -> Result<Secret<String>, VaultError> {
    text("", DIGITS_256)
}

/// 128 bits: the part of a webhook's address that cannot be guessed.
///
/// # Errors
/// `NoRandomness`.
pub fn hook_key() -> Result<Secret<String>, VaultError> {
    text("", DIGITS_128)
}

/// A password for a person to copy: 128 bits.
///
/// # Errors
/// `NoRandomness`.
pub fn password() -> Result<Secret<String>, VaultError> {
    text("", DIGITS_128)
}

/// The prefix and so many random digits, each of the 62 equally likely.
fn text(prefix: &str, digits: usize) -> Result<Secret<String>, VaultError> {
    let wanted = prefix.len().saturating_add(digits);
    // Reserved at once: a growing text would leave pieces of itself behind.
    let mut token = String::with_capacity(wanted);
    token.push_str(prefix);
    let mut drawn = Zeroizing::new([0; 64]);
    while token.len() < wanted {
        fill(drawn.as_mut())?;
        let even = drawn.iter().filter(|byte| **byte < EVEN_BELOW);
        let letters = even.filter_map(|byte| ALPHABET.get(usize::from(*byte % 62)));
        let missing = wanted.saturating_sub(token.len());
        token.extend(letters.take(missing).map(|letter| char::from(*letter)));
    }
    Ok(Secret::new(token))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::collections::{HashMap, HashSet};

    #[test]
    fn texts_have_their_form_and_never_repeat() {
        let mut seen = HashSet::new();
        for _ in 0..1_000 {
            let token = api_token().unwrap();
            let digits = token.open().strip_prefix("mlc_").unwrap();
            assert_eq!(digits.len(), 43);
            assert!(digits.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert!(seen.insert(token.open().clone()));
        }
        assert_eq!(hook_key().unwrap().open().len(), 22);
        assert_eq!(session_key().unwrap().open().len(), 43);
    }

    #[test]
    fn every_digit_is_equally_likely() {
        let mut counts: HashMap<char, u32> = HashMap::new();
        for letter in text("", 62_000).unwrap().open().chars() {
            *counts.entry(letter).or_default() += 1;
        }
        assert_eq!(counts.len(), 62);
        // 1,000 expected each, deviation about 32: a biased draw (byte % 62) gives some 1,250.
        for (letter, count) in counts {
            assert!((800..1_200).contains(&count), "{letter}: {count}");
        }
    }

    #[test]
    fn a_hash_knows_its_token_only() {
        let token = api_token().unwrap();
        let hash = TokenHash::of(token.open());
        assert!(hash.is_of(token.open()));
        assert!(!hash.is_of(&token.open()[..46]));
        assert!(is_same("a", "a") && !is_same("a", "b") && !is_same("a", ""));
    }
}
