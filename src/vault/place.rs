//! Where a sealed value belongs, and how that is authenticated.

use uuid::Uuid;

use crate::domain::ids::{DataKeyId, TenantId};

/// The one place where a sealed value opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    pub tenant: TenantId,
    pub table: &'a str,
    pub row: Uuid,
    pub field: &'a str,
}

impl Place<'_> {
    /// The associated data of one field under one key. Lengths stand before the texts, so that no two
    /// places read alike.
    pub(super) fn associated_data(&self, format: u8, key: DataKeyId) -> Vec<u8> {
        let mut data = b"mlc field".to_vec();
        data.push(format);
        data.extend(key.0.as_bytes());
        data.extend(self.tenant.0.as_bytes());
        data.extend(self.row.as_bytes());
        for text in [self.table, self.field] {
            data.extend(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            data.extend(text.as_bytes());
        }
        data
    }
}
