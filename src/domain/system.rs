//! Names of vendors' products and of the kinds of record they hold. Open sets: nothing matches on a system.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Cow<'static, str>);

        impl $name {
            #[must_use]
            pub const fn new(word: &'static str) -> Self {
                Self(Cow::Borrowed(word))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                Self(Cow::Owned(word))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

words! {
    /// A vendor's product.
    SystemId,
    /// What joins two systems: names one file in `pairs/`.
    PairKind,
    /// One kind of record moving within a pair.
    FlowName,
    /// What a link joins: `vendor`, `commitment`, `order_line`, …
    Entity,
}
