//! A value that must not be seen: it cannot be cloned, printed or serialised, and is zeroed when dropped.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

/// Something secret, opened for one use.
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value itself. Keep the borrow short.
    pub fn open(&self) -> &T {
        &self.0
    }
}

impl Secret<String> {
    /// A copy, for the few places that need to own one (a cached token handed to a request).
    #[must_use]
    pub fn again(&self) -> Self {
        Self::new(self.0.to_string())
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_shows_nothing() {
        let secret = Secret::new("canary".to_owned());
        assert_eq!(format!("{secret:?}"), "Secret(***)");
        assert_eq!(secret.open(), "canary");
    }
}
