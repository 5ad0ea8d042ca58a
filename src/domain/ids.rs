//! One type per kind of id, so that a swap does not compile. All are UUIDv7: ordered by birth.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh id.
            #[must_use]
            #[allow(clippy::disallowed_methods)] // The one place that makes ids.
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )+};
}

ids! {
    /// A customer account.
    TenantId,
    /// A person in a tenant.
    MemberId,
    /// A signed-in browser.
    SessionId,
    /// An API token.
    TokenId,
    /// A tenant's credentials and address for one system.
    ConnectionId,
    /// Two connections joined.
    PairId,
    /// One source record in one flow of one pair.
    RecordId,
    /// One pass over a pair.
    RunId,
    /// One intended write at a vendor.
    EffectId,
    /// Source record to target record.
    LinkId,
    /// One row of a mapping table.
    MappingId,
    /// One message of a vendor to us.
    DeliveryId,
    /// Something that a message said to look at.
    HintId,
    /// The key that seals a tenant's secrets, as it lies wrapped in the database.
    DataKeyId,
    /// One request, as its log lines, its events and its problem page name it.
    RequestId,
}

impl TenantId {
    /// The chain of events that belong to no tenant.
    pub const NIL: Self = Self(Uuid::nil());
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_written() {
        let id = PairId::generate();
        assert_eq!(id.to_string().parse::<PairId>().unwrap(), id);
        assert_eq!(id.0.get_version_num(), 7);
    }
}
