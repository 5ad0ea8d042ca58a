//! Starts the parts in their order, and ends them in the reverse one.

use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::signal::unix::{SignalKind, signal};

use super::config::{Config, Storage};
use super::heads::{self, Heads};
use super::{keys, nodes, private};
use crate::connectors::kit::HttpNetwork;
use crate::desk::Desk;
use crate::domain::clock::Clock;
use crate::domain::member::SignUp;
use crate::engine::{Engine, Setup};
use crate::store::{self, Store};
use crate::vault::{Vault, WrappedKey};
use crate::{connectors, jobs, pairs, web};

/// How long slices may take to finish their step when the program is told to stop.
const LAST_STEPS: Duration = Duration::from_secs(8);
/// Beside an embedded database, so that two processes never serve from it at once.
const LOCK_FILE: &str = "serving.lock";

/// Who may migrate and serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The server itself.
    Serving,
    /// A command beside it.
    Beside,
}

/// The desk over an opened, migrated database, with keys that fit it.
pub(super) struct Opened {
    pub desk: Desk,
    _lock: Option<File>,
}

/// Opens everything but the servers. `loopback_ports` are those of simulators that the program itself runs.
pub(super) async fn open(
    config: &Config,
    part: Part,
    loopback_ports: Vec<u16>,
) -> anyhow::Result<Opened> {
    let storage = &config.storage;
    let vault = Arc::new(Vault::new(keys::load(&config.keys, storage)?));
    private::folder(&storage.data_dir)
        .with_context(|| format!("the folder {} cannot be made", storage.data_dir.display()))?;
    let lock = match part {
        Part::Serving if storage.database_file.is_some() => Some(lock(&storage.data_dir)?),
        Part::Serving | Part::Beside => None,
    };
    let store = open_store(storage).await?;
    keys::cover(&vault, &store::key_rotation::counts(&store).await?)?;
    if let Some(some) = store::threshold::some_data_key(&store).await? {
        let wrapped = WrappedKey {
            id: some.id,
            bytes: some.wrapped,
            uses: 0,
        };
        keys::fit(&vault, some.tenant, &wrapped)?;
    }
    if part == Part::Serving {
        store::threshold::void_leases(&store).await?;
    }
    let clock = store.clock().clone();
    let rules = config.vendors.rules(loopback_ports);
    let network = HttpNetwork::new(rules, clock.clone(), config.work.pace)
        .context("the way out to the vendors cannot be set up")?;
    let engine = Engine::new(Setup {
        store,
        vault,
        network: Arc::new(network),
        connectors: connectors::ALL,
        pairs: pairs::PAIRS,
        clock,
        pace: config.work.pace,
    });
    Ok(Opened {
        desk: Desk { engine },
        _lock: lock,
    })
}

async fn open_store(storage: &Storage) -> anyhow::Result<Store> {
    store::migrate::up(storage.migration_url().open())
        .await
        .context("the database cannot be brought up to date")?;
    let options = store::Options {
        url: storage.database_url.open().clone(),
        clock: Clock::system(),
    };
    Store::open(options)
        .await
        .context("the database cannot be opened")
}

/// The embedded database has one server: a second one on the same folder ends here.
fn lock(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join(LOCK_FILE);
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    if file.try_lock().is_err() {
        bail!(
            "another ml-connector serves from {}; stop it first, or give this one a data folder of its own",
            folder.display()
        );
    }
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}

/// Serves until told to stop. `ready` is called once, with the address that people reach.
pub(super) async fn serve<F>(
    config: &Config,
    opened: &Opened,
    ready: impl FnOnce(String) -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    // Asked for before anything runs: a signal in between would end the process at once.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let heads = Heads::open(&opened.desk, &config.storage)?;
    let server_config = server_config(config)?;
    let mut server = web::server(opened.desk.clone(), server_config)
        .with_context(|| format!("{} cannot be listened on", config.server.listen))?;
    let workers = jobs::start(opened.desk.engine.clone(), config.work.concurrency)
        .await
        .context("the workers cannot start")?;
    let url = config.server.public_url(server.address());
    tracing::info!(%url, listen = %server.address(), "serving");
    let present = nodes::say(
        opened.desk.clone(),
        "serve",
        keys::file(&config.keys, &config.storage),
    );
    let keeping = heads::keep(opened.desk.clone(), heads, config.work.pace);
    let announced = async {
        ready(url).await?;
        std::future::pending::<anyhow::Result<()>>().await
    };
    let ended = tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        ended = server.ended() => ended.context("the web server ended by itself"),
        failed = announced => failed,
    };
    tracing::info!("stopping");
    let ((), ()) = tokio::join!(workers.stop(LAST_STEPS), server.stop());
    keeping.stop().await;
    present.stop().await;
    ended
}

fn server_config(config: &Config) -> anyhow::Result<web::Config> {
    let server = &config.server;
    let public_url = server
        .public_url(server.listen)
        .parse()
        .context("MLC_PUBLIC_URL is not a URL")?;
    Ok(web::Config {
        listen: server.listen,
        public_url,
        trusted_proxies: server
            .trusted_proxies
            .iter()
            .copied()
            .map(Into::into)
            .collect(),
        signup: match server.sign_up {
            SignUp::Open => web::Signup::Open,
            SignUp::Invite => web::Signup::Invite,
            SignUp::Closed => web::Signup::Closed,
        },
        heads_file: Some(heads::file(&config.storage)),
    })
}

/// Waits for SIGTERM or SIGINT.
pub(super) async fn until_told_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
