//! `audit verify`: whether the trails hold, in the database or in an exported file.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;

use anyhow::{Context, bail};

use super::boot::{self, Part};
use super::config::{Config, KeySource};
use super::dispatch::Found;
use super::{heads, keys};
use crate::audit::export::{self, Exported};
use crate::audit::heads::KnownHeads;
use crate::desk::Desk;
use crate::desk::trail::{self, Verification};
use crate::domain::ids::TenantId;
use crate::store;
use crate::vault::Vault;

/// Verifies an exported file by itself; its signature too, where the master key is here.
pub(super) fn verify_file(config: &Config, path: &Path) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut out = io::stdout().lock();
    let file = match export::verify(BufReader::new(file)) {
        Ok(file) => file,
        Err(error) => {
            writeln!(out, "{}: does not hold: {error}", path.display())?;
            return Err(Found.into());
        }
    };
    let (is_signed, says) = signature(config, &file);
    let verdict = if is_signed { "holds" } else { "does not hold" };
    writeln!(
        out,
        "{}: {verdict}: {}, events {} to {} of account {}; {says}",
        path.display(),
        counted(file.verified.events, file.verified.erased),
        file.end.first_seq,
        file.end.last_seq,
        file.end.tenant_id,
    )?;
    if is_signed { Ok(()) } else { Err(Found.into()) }
}

/// Whether the signature speaks against the file, and what it says.
fn signature(config: &Config, file: &Exported) -> (bool, &'static str) {
    let is_key_here = match &config.keys {
        KeySource::Given(_) | KeySource::File(_) => true,
        KeySource::Generated => keys::is_generated(&config.storage),
    };
    let loaded = is_key_here.then(|| keys::load(&config.keys, &config.storage));
    let Some(Ok(masters)) = loaded else {
        return (
            true,
            "its signature was not checked, for the master key is not here",
        );
    };
    if trail::is_ours(&Vault::new(masters), file) {
        (true, "signed by this installation")
    } else {
        let says = "its signature is not of this installation, or its key is gone";
        (false, says)
    }
}

/// Verifies the chains in the database.
pub(super) async fn verify(config: &Config, tenant: Option<&str>) -> anyhow::Result<()> {
    let only: Option<TenantId> = tenant
        .map(|id| id.parse().context("--tenant is no id"))
        .transpose()?;
    let opened = boot::open(config, Part::Beside, Vec::new()).await?;
    let desk = &opened.desk;
    let path = heads::file(&config.storage);
    let known = trail::known_heads(desk.vault(), &path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let mut tenants = everybody(desk, &known).await?;
    if let Some(only) = only {
        if !tenants.contains(&only) {
            bail!("there is no account {only}");
        }
        tenants = [only].into();
    }
    let mut out = io::stdout().lock();
    let mut holds = true;
    for tenant in tenants {
        let verified = trail::verify(desk, tenant, known.of(tenant)).await?;
        holds &= verified.holds();
        writeln!(out, "{}", line(tenant, &verified))?;
    }
    if known.unproved > 0 {
        writeln!(
            out,
            "{} lines of {} count for nothing: torn, or signed by a key that is not here",
            known.unproved,
            path.display()
        )?;
    }
    if holds { Ok(()) } else { Err(Found.into()) }
}

/// Whoever has a chain, or had one that is known outside.
async fn everybody(desk: &Desk, known: &KnownHeads) -> anyhow::Result<BTreeSet<TenantId>> {
    let store = desk.store();
    let with_heads = store::threshold::heads(store).await?;
    let heads = with_heads.into_iter().map(|(tenant, _)| tenant);
    let tenants = store::threshold::all_tenants(store).await?;
    Ok(heads.chain(tenants).chain(known.tenants()).collect())
}

fn line(tenant: TenantId, verified: &Verification) -> String {
    let counted = counted(verified.events, verified.erased);
    match &verified.first_broken {
        None => format!("{tenant}: holds: {counted}, head {}", verified.head.hash),
        Some(broken) => format!(
            "{tenant}: does not hold: {broken} (first broken: {}); before it {counted}",
            broken.seq
        ),
    }
}

fn counted(events: u64, erased: u64) -> String {
    match erased {
        0 => format!("{events} events"),
        erased => format!("{events} events, {erased} of them erased"),
    }
}
