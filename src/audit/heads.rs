//! Heads of the chains as they are kept outside the database: one signed line each time a chain has grown.
//! Whoever can write to the database cannot write these, so that a chain that was cut off or written anew
//! disagrees with them.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use serde::{Deserialize, Serialize};

use super::event::Head;
use crate::domain::clock::Timestamp;
use crate::domain::ids::TenantId;

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadLine {
    pub at: Timestamp,
    pub tenant_id: TenantId,
    pub seq: i64,
    pub hash: String,
    /// The operator said that the database was restored from a backup: the chain goes on from here, and
    /// what was known beyond it counts no more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub restored: bool,
    pub signature: String,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // As serde calls it.
fn is_false(value: &bool) -> bool {
    !value
}

impl HeadLine {
    /// What its signature is over.
    #[must_use]
    pub fn signed_form(&self) -> String {
        let form = self.head().signed_form(self.tenant_id);
        if self.restored {
            format!("{form} restored")
        } else {
            form
        }
    }

    #[must_use]
    pub fn head(&self) -> Head {
        Head {
            seq: self.seq,
            hash: self.hash.clone(),
        }
    }

    /// As it stands in the file.
    #[must_use]
    pub fn text(&self) -> String {
        // Texts and numbers always have a JSON form.
        let text = serde_json::to_string(self).unwrap_or_default();
        format!("{text}\n")
    }
}

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownHeads {
    by_tenant: BTreeMap<TenantId, Vec<Head>>,
    /// Lines that count for nothing: torn by a crash, signed by a key that is gone, or by nobody.
    pub unproved: u64,
}

impl KnownHeads {
    /// Reads a file of heads. Only what `is_signed(form, signature)` says yes to counts.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(file: impl BufRead, is_signed: impl Fn(&str, &str) -> bool) -> io::Result<Self> {
        let mut known = Self::default();
        for line in file.lines() {
            let line = line?;
            if line.trim().is_empty() {
                continue;
            }
            match serde_json::from_str::<HeadLine>(&line) {
                Ok(line) if is_signed(&line.signed_form(), &line.signature) => known.take(&line),
                _ => known.unproved = known.unproved.saturating_add(1),
            }
        }
        Ok(known)
    }

    fn take(&mut self, line: &HeadLine) {
        let heads = self.by_tenant.entry(line.tenant_id).or_default();
        if line.restored {
            heads.retain(|head| head.seq < line.seq);
        }
        heads.push(line.head());
    }

    /// Every head of a tenant that still counts.
    #[must_use]
    pub fn of(&self, tenant: TenantId) -> &[Head] {
        self.by_tenant.get(&tenant).map_or(&[], Vec::as_slice)
    }

    /// The furthest head of a tenant.
    #[must_use]
    pub fn furthest(&self, tenant: TenantId) -> Option<&Head> {
        self.of(tenant).iter().max_by_key(|head| head.seq)
    }

    /// Every tenant that has a head here.
    pub fn tenants(&self) -> impl Iterator<Item = TenantId> {
        self.by_tenant.keys().copied()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn line(tenant: TenantId, seq: i64, restored: bool) -> HeadLine {
        let line = HeadLine {
            at: Timestamp(0),
            tenant_id: tenant,
            seq,
            hash: format!("hash of {seq}"),
            restored,
            signature: String::new(),
        };
        let signature = format!("signed {}", line.signed_form());
        HeadLine { signature, ..line }
    }

    fn is_signed(form: &str, signature: &str) -> bool {
        signature == format!("signed {form}")
    }

    #[test]
    fn only_what_is_signed_counts() {
        let (one, two) = (TenantId::generate(), TenantId::generate());
        let forged = HeadLine {
            seq: 9,
            ..line(one, 3, false)
        };
        let moved = HeadLine {
            tenant_id: two,
            ..line(one, 3, false)
        };
        let unsaid = HeadLine {
            restored: true,
            ..line(one, 1, false)
        };
        let torn = line(one, 4, false).text();
        let torn = torn.get(..30).unwrap();
        let lines = [
            line(one, 2, false),
            line(one, 3, false),
            forged,
            moved,
            unsaid,
        ];
        let text: String = lines.iter().map(HeadLine::text).collect();
        let known = KnownHeads::read(format!("{text}\n{torn}").as_bytes(), is_signed).unwrap();
        assert_eq!(known.furthest(one).unwrap().seq, 3);
        assert_eq!((known.of(one).len(), known.of(two).len()), (2, 0));
        assert_eq!(known.unproved, 4);
    }

    #[test]
    fn a_restore_that_was_told_takes_back_what_was_known_beyond_it() {
        let one = TenantId::generate();
        let lines = [
            line(one, 5, false),
            line(one, 20, false),
            line(one, 8, true),
            line(one, 11, false),
        ];
        let text: String = lines.iter().map(HeadLine::text).collect();
        let known = KnownHeads::read(text.as_bytes(), is_signed).unwrap();
        let seqs: Vec<i64> = known.of(one).iter().map(|head| head.seq).collect();
        assert_eq!(seqs, [5, 8, 11]);
    }
}
