//! The write tag: our stable reference, put into a field of the target that can be searched.

use std::fmt;

use data_encoding::{Encoding, Specification};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ids::TenantId;

/// `MLC-` and 16 Crockford base-32 digits: 80 bits of a SHA-256, short enough for every reference field.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WriteTag(String);

impl WriteTag {
    /// The tag of one source record written to one place by one flow.
    #[must_use]
    pub fn of(tenant: TenantId, target: &str, flow: &str, source_key: &str) -> Self {
        let mut hash = Sha256::new();
        for part in [tenant.to_string().as_str(), target, flow, source_key] {
            // Lengths keep `ab`+`c` apart from `a`+`bc`.
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let digits = crockford().encode(hash.finalize().get(..10).unwrap_or_default());
        Self(format!("MLC-{digits}"))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WriteTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn crockford() -> Encoding {
    let mut spec = Specification::new();
    spec.symbols.push_str("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
    // The alphabet above is a constant of 32 distinct characters, which the library accepts.
    spec.encoding().unwrap_or(data_encoding::BASE32_NOPAD)
}

/// SHA-256 of bytes as lower-case hex: how bodies, drafts and snapshots are addressed.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_stable_short_and_particular() {
        let tag = WriteTag::of(TenantId::NIL, "host/100", "commitments", "42");
        assert_eq!(
            tag,
            WriteTag::of(TenantId::NIL, "host/100", "commitments", "42")
        );
        assert_eq!(tag.as_str().len(), 20);
        assert!(tag.as_str().starts_with("MLC-"));
        assert_ne!(
            tag,
            WriteTag::of(TenantId::NIL, "host/10", "0commitments", "42")
        );
        assert!(!tag.as_str().contains(['I', 'O', 'U']) || tag.as_str().starts_with("MLC-"));
    }
}
