//! The trail as a whole: whether it holds, its heads outside the database, and parts of it to take away.

use std::collections::BTreeMap;
use std::io::{self, BufReader};
use std::path::Path;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::{Desk, DeskError};
pub use crate::audit::export::Format;
use crate::audit::export::{End, Exported};
use crate::audit::heads::{HeadLine, KnownHeads};
use crate::audit::{Broken, Event, Head, Verifier, Why};
use crate::domain::audit::Happened;
use crate::domain::clock::Timestamp;
use crate::domain::ids::TenantId;
use crate::domain::member::{Actor, Caller};
use crate::store::audit::{Filter, Order, SignedHead};
use crate::store::{self, Store};
use crate::vault::{Purpose, Vault};

/// Events read at once: some hundred kilobytes.
const PAGE: u32 = 500;
/// Chains verified at the same time: each keeps a processor busy.
static VERIFYING: Semaphore = Semaphore::const_new(2);

/// What verifying a chain brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Events that hold, from the first one on.
    pub events: u64,
    /// Events of them whose details were erased.
    pub erased: u64,
    /// The last one that holds.
    pub head: Head,
    pub first_broken: Option<Broken>,
}

impl Verification {
    #[must_use]
    pub fn holds(&self) -> bool {
        self.first_broken.is_none()
    }
}

/// Verifies a tenant's whole chain: every event by itself, the end by its signature, and all of it against
/// the heads that were kept outside the database.
///
/// # Errors
/// `Store`. A chain that does not hold is no error.
pub async fn verify(
    desk: &Desk,
    tenant: TenantId,
    kept: &[Head],
) -> Result<Verification, DeskError> {
    // The semaphore is never closed.
    let _turn = VERIFYING.acquire().await.ok();
    let mut walk = Walk {
        verifier: Verifier::after(Head::start(), kept.iter().cloned()),
        broken: None,
    };
    walk.all_there_is(desk.store(), tenant).await?;
    // Read after the last event, so that it can only be further.
    let mut stored = stored_head(desk.store(), tenant).await?;
    loop {
        let reached = walk.reached();
        let further = stored.as_ref().is_some_and(|end| end.head.seq > reached);
        if walk.broken.is_some() || !further {
            break;
        }
        // Told meanwhile, or cut off.
        walk.all_there_is(desk.store(), tenant).await?;
        if walk.reached() == reached {
            break;
        }
        stored = stored_head(desk.store(), tenant).await?;
    }
    Ok(walk.judge(desk.vault(), tenant, stored.as_ref(), kept))
}

async fn stored_head(store: &Store, tenant: TenantId) -> Result<Option<SignedHead>, DeskError> {
    let scope = store.read(tenant).await?;
    Ok(store::audit::head(&scope).await?)
}

/// A chain on its way.
struct Walk {
    verifier: Verifier,
    broken: Option<Broken>,
}

impl Walk {
    fn reached(&self) -> i64 {
        self.verifier.reached().head.seq
    }

    /// Goes on to the last event that is there. Hashing keeps a processor busy, so it is not done where
    /// requests are answered.
    async fn all_there_is(&mut self, store: &Store, tenant: TenantId) -> Result<(), DeskError> {
        let mut after = Some(self.reached()).filter(|seq| *seq > 0);
        while self.broken.is_none() {
            let events = page(store, tenant, after, None).await?;
            let Some(last) = events.last() else { break };
            after = Some(last.seq);
            let verifier =
                std::mem::replace(&mut self.verifier, Verifier::after(Head::start(), []));
            let taken = tokio::task::spawn_blocking(move || take_all(verifier, &events)).await;
            // Hashing does not panic; were it to, the chain counts as not verified.
            let (verifier, broken) = taken.map_err(|error| DeskError::NotNow {
                code: "not_verified",
                message: error.to_string(),
            })?;
            self.verifier = verifier;
            self.broken = broken;
        }
        Ok(())
    }

    /// The end of the chain against the head in the database, its signature, and the heads outside.
    fn judge(
        self,
        vault: &Vault,
        tenant: TenantId,
        stored: Option<&SignedHead>,
        kept: &[Head],
    ) -> Verification {
        let reached = self.verifier.reached().clone();
        let broken = |seq: i64, why| Some(Broken { seq, why });
        let next = reached.head.seq.saturating_add(1);
        let is_kept_outside = !kept.is_empty();
        let end = match stored {
            None if reached.head.seq == 0 => None,
            // An event that no head knows, or a head that was taken away.
            None => broken(next, Why::Unsigned),
            Some(stored) if stored.head.seq > reached.head.seq => broken(next, Why::Missing),
            Some(stored) if stored.head.seq < reached.head.seq => {
                broken(stored.head.seq.saturating_add(1), Why::Extra)
            }
            Some(stored) if stored.head.hash != reached.head.hash => {
                broken(reached.head.seq, Why::Rewritten)
            }
            Some(stored) => match &stored.signature {
                Some(signature) if is_signed(vault, tenant, &stored.head, signature) => None,
                // From before heads were signed: nothing outside knows the chain either.
                None if !is_kept_outside => None,
                _ => broken(next, Why::Unsigned),
            },
        };
        let first_broken = self
            .broken
            .or(end.filter(|end| end.why != Why::Unsigned))
            .or_else(|| self.verifier.finish().err())
            .or(end);
        Verification {
            events: reached.events,
            erased: reached.erased,
            head: reached.head,
            first_broken,
        }
    }
}

fn take_all(mut verifier: Verifier, events: &[Event]) -> (Verifier, Option<Broken>) {
    for event in events {
        if let Err(broken) = verifier.take(event) {
            return (verifier, Some(broken));
        }
    }
    (verifier, None)
}

fn is_signed(vault: &Vault, tenant: TenantId, head: &Head, signature: &str) -> bool {
    let form = head.signed_form(tenant);
    vault.is_signed(Purpose::AuditHead, &[form.as_bytes()], signature)
}

/// The next events of a chain, oldest first.
async fn page(
    store: &Store,
    tenant: TenantId,
    after: Option<i64>,
    until: Option<i64>,
) -> Result<Vec<Event>, DeskError> {
    let scope = store.read(tenant).await?;
    let all = Filter::default();
    let mut events = store::audit::list(&scope, &all, Order::OldestFirst, after, PAGE).await?;
    events.retain(|event| until.is_none_or(|until| event.seq <= until));
    Ok(events)
}

/// What a file of heads says. A file that is not there says nothing.
///
/// # Errors
/// When it is there and cannot be read.
pub fn known_heads(vault: &Vault, file: &Path) -> io::Result<KnownHeads> {
    match std::fs::File::open(file) {
        Ok(file) => KnownHeads::read(BufReader::new(file), |form, signature| {
            vault.is_signed(Purpose::AuditHead, &[form.as_bytes()], signature)
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(KnownHeads::default()),
        Err(error) => Err(error),
    }
}

/// The same for one tenant, beside requests.
///
/// # Errors
/// `NotNow` when the file cannot be read.
pub async fn heads_kept_of(
    desk: &Desk,
    file: Option<&Path>,
    tenant: TenantId,
) -> Result<Vec<Head>, DeskError> {
    let Some(file) = file.map(Path::to_owned) else {
        return Ok(Vec::new());
    };
    let vault = Arc::clone(desk.vault());
    let read = tokio::task::spawn_blocking(move || known_heads(&vault, &file)).await;
    match read {
        Ok(Ok(known)) => Ok(known.of(tenant).to_vec()),
        Ok(Err(error)) => Err(unreadable(&error)),
        Err(error) => Err(unreadable(&error)),
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> DeskError {
    tracing::error!(%error, "the heads that are kept outside the database cannot be read");
    DeskError::not_now(
        "heads_unreadable",
        "The file of heads beside the database cannot be read, so a cut-off end could not be seen.",
    )
}

/// Heads that have moved since they were kept last, signed, ready to be kept. `kept` remembers them.
///
/// # Errors
/// `Store`.
pub async fn moved_heads(
    desk: &Desk,
    kept: &mut BTreeMap<TenantId, i64>,
) -> Result<Vec<HeadLine>, DeskError> {
    let at = desk.store().clock().now();
    let mut lines = Vec::new();
    for (tenant, head) in store::threshold::heads(desk.store()).await? {
        if kept.insert(tenant, head.seq) != Some(head.seq) {
            lines.push(head_line(desk.vault(), tenant, &head, at, false));
        }
    }
    Ok(lines)
}

/// A signed line of the file of heads.
#[must_use]
pub fn head_line(
    vault: &Vault,
    tenant: TenantId,
    head: &Head,
    at: Timestamp,
    restored: bool,
) -> HeadLine {
    let line = HeadLine {
        at,
        tenant_id: tenant,
        seq: head.seq,
        hash: head.hash.clone(),
        restored,
        signature: String::new(),
    };
    let form = line.signed_form();
    let signature = vault.sign(Purpose::AuditHead, &[form.as_bytes()]);
    HeadLine { signature, ..line }
}

/// Whether an exported file was signed by this installation.
#[must_use]
pub fn is_ours(vault: &Vault, file: &Exported) -> bool {
    let form = file.signed_form.as_bytes();
    vault.is_signed(Purpose::AuditHead, &[form], &file.end.signature)
}

/// An export under way: give it out piece by piece.
pub struct Export {
    store: Store,
    vault: Arc<Vault>,
    tenant: TenantId,
    format: Format,
    next_seq: i64,
    prev_hash: Option<String>,
    end: End,
    is_begun: bool,
}

/// Begins an export of one unbroken range, and tells it in the trail. The export ends before that event.
///
/// # Errors
/// `Invalid` where nothing happened in the range; `Store`.
pub async fn export(
    desk: &Desk,
    caller: &Caller,
    format: Format,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<Export, DeskError> {
    let tenant = caller.tenant_id;
    let range = {
        let scope = desk.store().read(tenant).await?;
        store::audit::range(&scope, from, to).await?
    };
    let Some((first_seq, last_seq)) = range else {
        let says = "Nothing happened in this time, so there is nothing to export.";
        return Err(DeskError::invalid("from", "empty", says));
    };
    tell_export(desk, caller, format, (first_seq, last_seq)).await?;
    Ok(Export {
        store: desk.store().clone(),
        vault: Arc::clone(desk.vault()),
        tenant,
        format,
        next_seq: first_seq,
        prev_hash: None,
        end: End {
            tenant_id: tenant,
            first_seq,
            last_seq,
            exported_at: desk.store().clock().now(),
            signature: String::new(),
        },
        is_begun: false,
    })
}

async fn tell_export(
    desk: &Desk,
    caller: &Caller,
    format: Format,
    (first, last): (i64, i64),
) -> Result<(), DeskError> {
    let tenant = caller.tenant_id;
    let told = Happened::new("audit.exported", "tenant", tenant)
        .with("first", first)
        .with("last", last)
        .with(
            "format",
            match format {
                Format::JsonLines => "jsonl",
                Format::Csv => "csv",
            },
        );
    desk.store()
        .write(tenant, &caller.actor, move |scope| {
            Box::pin(async move {
                scope.tell(told);
                Ok(())
            })
        })
        .await
}

impl Export {
    /// The numbers of the first and the last event.
    #[must_use]
    pub fn range(&self) -> (i64, i64) {
        (self.end.first_seq, self.end.last_seq)
    }

    /// The next piece; none after the last one. One page of events is in memory at a time.
    ///
    /// # Errors
    /// `Store`. What was given out before does not say that it is whole, so that nobody takes it for it.
    pub async fn piece(&mut self) -> Result<Option<String>, DeskError> {
        if self.next_seq > self.end.last_seq {
            return Ok(None);
        }
        let after = self.next_seq.saturating_sub(1);
        let events = page(
            &self.store,
            self.tenant,
            Some(after),
            Some(self.end.last_seq),
        )
        .await?;
        let Some(last) = events.last() else {
            // The chain is broken here; what is there was given out, and does not say that it is whole.
            self.next_seq = self.end.last_seq.saturating_add(1);
            return Ok(None);
        };
        self.next_seq = last.seq.saturating_add(1);
        if let Some(first) = events.first() {
            self.prev_hash
                .get_or_insert_with(|| first.prev_hash.clone());
        }
        let end = (last.seq == self.end.last_seq).then(|| self.signed_end(&last.hash));
        let mut text = String::new();
        if !self.is_begun {
            self.is_begun = true;
            text.push_str(&self.format.head());
        }
        for event in &events {
            let end = end.as_ref().filter(|end| end.last_seq == event.seq);
            text.push_str(&self.format.line(event, end));
        }
        Ok(Some(text))
    }

    fn signed_end(&self, last_hash: &str) -> End {
        let before = self.prev_hash.as_deref().unwrap_or_default();
        let form = self.end.signed_form(before, last_hash);
        End {
            signature: self.vault.sign(Purpose::AuditHead, &[form.as_bytes()]),
            ..self.end.clone()
        }
    }
}

/// Tells of something that the whole installation lived through, in the chain of nobody.
///
/// # Errors
/// `Store`.
pub async fn tell_of_installation(desk: &Desk, told: Happened) -> Result<(), DeskError> {
    desk.store()
        .write(TenantId::NIL, &Actor::command(), move |scope| {
            Box::pin(async move {
                scope.tell(told);
                Ok(())
            })
        })
        .await
}
