//! Passwords of people: which are accepted, how they are kept, how they are compared.
//!
//! Kept as Argon2id in the PHC form, which holds its own parameters: when they are raised, a password
//! is hashed anew at the next sign-in. All functions but [`check`] take tens of milliseconds of one
//! core: call them off the async threads, a few at once.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::{VaultError, guess};

/// Fewest characters of a password.
pub const CHARACTERS_MIN: usize = 12;

/// Most characters of a password. More would only make hashing a way to keep us busy.
pub const CHARACTERS_MAX: usize = 128;

/// Memory of one hash, in KiB; with the passes, the least that S7 of SECURITY-RELIABILITY asks for.
const MEMORY_KIB: u32 = 19_456;

/// Passes over that memory.
const PASSES: u32 = 2;

/// Threads of one hash.
const LANES: u32 = 1;

/// Why a password is not accepted, said to the person who chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error(
        "Use at least {CHARACTERS_MIN} characters. A sentence of several words is easy to remember."
    )]
    TooShort,
    #[error("Use at most {CHARACTERS_MAX} characters.")]
    TooLong,
    #[error(
        "This password, or one much like it, is on every list of common passwords. Choose another."
    )]
    Common,
    #[error("This password can be guessed from the name of this product. Choose another.")]
    ProductWords,
}

/// What a comparison found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right,
    /// Right, but hashed with weaker parameters than today's: hash it anew and store that.
    RightButOld,
}

/// Whether a new password is good enough.
///
/// # Errors
/// The first rule that refuses it.
pub fn check(password: &str) -> Result<(), Refused> {
    let characters = password.chars().count();
    if characters < CHARACTERS_MIN {
        return Err(Refused::TooShort);
    }
    if characters > CHARACTERS_MAX {
        return Err(Refused::TooLong);
    }
    guess::check(&password.to_lowercase())
}

/// Hashes a password for storing, in the PHC form, under a salt of its own.
///
/// # Errors
/// `Hashing`, when there is no memory or no randomness for it.
pub fn hash(password: &str) -> Result<String, VaultError> {
    hasher()?
        .hash_password(plain_form(password).as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|_| VaultError::Hashing)
}

/// Compares a password with what is stored for an account. Without an account, pass None: it takes as
/// long, so that the time does not tell which accounts exist.
///
/// # Errors
/// `Hashing`, also where the stored text is no password hash.
pub fn verify(password: &str, stored: Option<&str>) -> Result<Verdict, VaultError> {
    // Nothing longer was ever accepted; hashing it would be work for whoever sends it.
    let is_possible = password.chars().count() <= CHARACTERS_MAX;
    let (Some(stored), true) = (stored, is_possible) else {
        return hash("").map(|_| Verdict::Wrong);
    };
    let parsed = PasswordHash::new(stored).map_err(|_| VaultError::Hashing)?;
    let compared = hasher()?.verify_password(plain_form(password).as_bytes(), &parsed);
    match compared {
        Ok(()) if is_current(&parsed) => Ok(Verdict::Right),
        Ok(()) => Ok(Verdict::RightButOld),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(Verdict::Wrong),
        Err(_) => Err(VaultError::Hashing),
    }
}

/// One form for what keyboards and phones type differently.
fn plain_form(password: &str) -> Zeroizing<String> {
    Zeroizing::new(password.nfkc().collect())
}

fn hasher() -> Result<Argon2<'static>, VaultError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| VaultError::Hashing)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn is_current(hash: &PasswordHash) -> bool {
    Params::try_from(hash).is_ok_and(|params| {
        hash.algorithm == Algorithm::Argon2id.ident()
            && params.m_cost() >= MEMORY_KIB
            && params.t_cost() >= PASSES
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_password_opens_its_own_hash_only() {
        let hash = hash("correct horse battery staple").unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let verdict = |password| verify(password, Some(&hash)).unwrap();
        assert_eq!(verdict("correct horse battery staple"), Verdict::Right);
        assert_eq!(verdict("correct horse battery stapl"), Verdict::Wrong);
        assert_eq!(verdict(""), Verdict::Wrong);
        assert_eq!(verify("anything", None).unwrap(), Verdict::Wrong);
        assert!(verify("anything", Some("plain text")).is_err());
    }

    #[test]
    fn nothing_is_cut_off() {
        let long = "0123456789abcdef".repeat(8);
        let hash = hash(&long).unwrap();
        assert_eq!(verify(&long, Some(&hash)).unwrap(), Verdict::Right);
        assert_eq!(verify(&long[..127], Some(&hash)).unwrap(), Verdict::Wrong);
        let longer = format!("{long}0");
        assert_eq!(verify(&longer, Some(&hash)).unwrap(), Verdict::Wrong);
    }

    #[test]
    fn keyboards_may_differ() {
        let hash = hash("Z\u{fc}rich im Winter").unwrap();
        let typed = "Zu\u{308}rich im Winter";
        assert_eq!(verify(typed, Some(&hash)).unwrap(), Verdict::Right);
    }

    #[test]
    fn weaker_hashes_are_noticed() {
        let weak = Argon2::from(Params::new(8_192, 1, 1, None).unwrap());
        let old = weak
            .hash_password(b"an older password")
            .unwrap()
            .to_string();
        assert_eq!(
            verify("an older password", Some(&old)).unwrap(),
            Verdict::RightButOld
        );
    }

    #[test]
    fn what_is_accepted() {
        for (password, verdict) in [
            ("elevenchars", Err(Refused::TooShort)),
            (
                "\u{e4}\u{f6}\u{fc}\u{e4}\u{f6}\u{fc}\u{e4}\u{f6}\u{fc}\u{e4}\u{f6}",
                Err(Refused::TooShort),
            ),
            (&"xkcd".repeat(33), Err(Refused::TooLong)),
            ("1q2w3e4r5t6y", Err(Refused::Common)),
            ("1Q2W3E4R5T6Y", Err(Refused::Common)),
            ("Password2026!", Err(Refused::Common)),
            ("P@ssw0rd12345", Err(Refused::Common)),
            ("passwordpassword", Err(Refused::Common)),
            ("abcabcabcabcabc", Err(Refused::Common)),
            ("aaaaaaaaaaaaaaaa", Err(Refused::Common)),
            ("123456789012", Err(Refused::Common)),
            ("abcdefghijklm", Err(Refused::Common)),
            ("kjhgfdsapoiuy", Err(Refused::Common)),
            ("ML-Connector-2026", Err(Refused::ProductWords)),
            ("Administrator", Err(Refused::ProductWords)),
            ("admin@connector", Err(Refused::ProductWords)),
            ("correct horse battery staple", Ok(())),
            ("Nine-dragons-over-Ghent", Ok(())),
            ("h7Gk29qLmW0z", Ok(())),
            ("7391-8462-0057-abc", Ok(())),
            (&"0123456789abcdef".repeat(8), Ok(())),
        ] {
            assert_eq!(check(password), verdict, "{password}");
        }
    }
}
