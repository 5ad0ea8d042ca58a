//! `keys list` and `keys rotate`.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::json;

use super::boot::{self, Part};
use super::config::Config;
use super::heads::Heads;
use super::keys;
use crate::desk::Desk;
use crate::desk::keys::{self as act, Overview};
use crate::store::node::LiveNode;

/// Running processes read the key's file every two seconds; one that was killed is silent for fifteen before it
/// counts as gone.
const WAIT_FOR_NODES: Duration = Duration::from_secs(30);
/// A process that was heard of so lately and does not know a version will not learn it by itself.
const SURELY_THERE: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Prints what lies under which version and who knows which.
pub(super) async fn list(config: &Config, as_json: bool) -> anyhow::Result<()> {
    let opened = boot::open(config, Part::Beside, Vec::new()).await?;
    let (vault, seen) = (opened.desk.vault(), act::overview(&opened.desk).await?);
    let versions = vault.versions();
    let mut out = io::stdout().lock();
    if as_json {
        writeln!(out, "{}", as_line(&versions, &seen))?;
        return Ok(());
    }
    let place = match keys::file(&config.keys, &config.storage) {
        Some(path) => path.display().to_string(),
        None => "MLC_MASTER_KEY".to_owned(),
    };
    writeln!(out, "Versions in {place}; the last one seals")?;
    for version in &versions {
        let count = count(&seen, *version);
        writeln!(out, "  v{version:<5} {count} data keys")?;
    }
    if let Some(version) = seen.unfinished {
        writeln!(
            out,
            "A rotation to v{version} is not finished: run `ml-connector keys rotate`."
        )?;
    }
    writeln!(out, "Running processes")?;
    for node in &seen.nodes {
        let known = named(&node.versions);
        let (sealing, silent) = (node.sealing_version, node.silent_for.as_secs());
        writeln!(
            out,
            "  {}  {} on {}: knows {known}, seals with v{sealing}, heard of {silent} s ago",
            node.id, node.role, node.host
        )?;
    }
    if seen.nodes.is_empty() {
        writeln!(out, "  none")?;
    }
    Ok(())
}

fn count(seen: &Overview, version: u32) -> u64 {
    let found = seen.data_keys.iter().find(|(known, _)| *known == version);
    found.map_or(0, |(_, count)| *count)
}

fn named(versions: &[u32]) -> String {
    let names: Vec<String> = versions
        .iter()
        .map(|version| format!("v{version}"))
        .collect();
    names.join(", ")
}

fn as_line(versions: &[u32], seen: &Overview) -> serde_json::Value {
    let version = |version: &u32| json!({"version": version, "data_keys": count(seen, *version)});
    let node = |node: &LiveNode| {
        json!({"id": node.id, "role": node.role, "host": node.host, "versions": node.versions,
            "sealing_version": node.sealing_version, "started_at": node.started_at,
            "silent_ms": u64::try_from(node.silent_for.as_millis()).unwrap_or(u64::MAX)})
    };
    json!({
        "versions": versions.iter().map(version).collect::<Vec<_>>(),
        "sealing_version": versions.last(),
        "unfinished": seen.unfinished,
        "nodes": seen.nodes.iter().map(node).collect::<Vec<_>>(),
    })
}

/// Moves everything to the newest version, adding one first where the key is in a file.
pub(super) async fn rotate(config: &Config) -> anyhow::Result<()> {
    let opened = boot::open(config, Part::Beside, Vec::new()).await?;
    let desk = &opened.desk;
    let file = keys::file(&config.keys, &config.storage);
    // Two rotations at once would each add a version.
    let _alone = file.as_deref().map(alone).transpose()?;
    if let Some(path) = &file {
        let again = keys::read_again(path)?;
        desk.vault().learn(again)?;
    }
    let seen = act::overview(desk).await?;
    let newest = desk.vault().newest_version();
    let is_under_way = seen.unfinished == Some(newest) || seen.not_under(newest) > 0;
    let version = match (&file, is_under_way) {
        (_, true) => newest,
        (Some(path), false) => {
            desk.vault().learn(keys::append(path)?)?;
            tracing::info!(path = %path.display(), "a version was added to the master key's file");
            desk.vault().newest_version()
        }
        (None, false) => {
            say(&format!(
                "Everything lies under v{newest} already. To rotate, add another version to MLC_MASTER_KEY \
                 and restart every server."
            ))?;
            return Ok(());
        }
    };
    act::begin(desk, version).await?;
    desk.vault().seal_with_newest();
    let began = Instant::now();
    wait_for_nodes(desk, version, file.is_some(), began).await?;
    let rotated = act::rewrap_all(desk).await?;
    // Where servers run on other machines, each does it for its own file.
    let mut heads = Heads::open(desk, &config.storage)?;
    heads.sign_anew(desk)?;
    heads.add_moved(desk).await?;
    say(&format!(
        "Everything lies under v{version} now: {} data keys were wrapped again, {} heads of trails signed again.\n\
         When no backup made before is needed, take the older versions out of the list.",
        rotated.data_keys, rotated.heads
    ))
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{text}")?;
    Ok(())
}

/// Held as long as the file is open.
fn alone(key_file: &Path) -> anyhow::Result<File> {
    let path = key_file.with_extension("rotating");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| {
            format!(
                "{} cannot be written, and so no version can be added beside it; run this as the user that the \
                 key's file belongs to",
                path.display()
            )
        })?;
    if file.try_lock().is_err() {
        bail!("another rotation of this key is under way");
    }
    Ok(file)
}

/// Nothing is wrapped by a version that somebody who works on this database does not know.
async fn wait_for_nodes(
    desk: &Desk,
    version: u32,
    is_in_file: bool,
    began: Instant,
) -> anyhow::Result<()> {
    loop {
        let laggards = act::laggards(desk, version, Duration::MAX).await?;
        let Some(laggard) = laggards.first() else {
            return Ok(());
        };
        // One with its key in the environment learns nothing while it runs.
        let is_hopeless = !is_in_file
            && laggard.silent_for <= SURELY_THERE
            && !laggard.versions.contains(&version);
        if is_hopeless || began.elapsed() > WAIT_FOR_NODES {
            let names: Vec<String> = laggards.iter().map(in_words).collect();
            bail!(
                "not rotated: these running processes do not work with v{version} of the master key yet:\n  {}\n\
                 Give them the new list, restart them where it is in the environment, and run this again.",
                names.join("\n  ")
            );
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn in_words(node: &LiveNode) -> String {
    let known = named(&node.versions);
    format!(
        "{} ({} on {}), which knows {known}",
        node.id, node.role, node.host
    )
}
