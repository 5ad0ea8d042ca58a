//! From the command line to the command, and from its end to the exit code.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use super::boot::{self, Part};
use super::cli::{
    Account, AccountCreate, Audit, AuditVerify, Cli, Command, Demo, Keys, Migrate, Sandbox, Serve,
};
use super::config::{self, Config, Flags, Problems, Setup};
use super::keys::{self, NoKeys};
use super::sandboxes::Limits;
use super::{account, audit, demo, hardening, private, rotate, sandboxes, telemetry};
use crate::{store, web};

/// The command failed while it worked.
const FAILED: u8 = 1;

/// The command did not begin: the command line, a setting or a key does not work.
const REFUSED: u8 = 2;

/// A command that checks something found that it is not in order, and has said what.
#[derive(Debug, thiserror::Error)]
#[error("something is not in order")]
pub(super) struct Found;

/// Does what the command line says.
#[must_use]
pub fn run() -> ExitCode {
    match dispatch(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        // What it found was told in full already.
        Err(error) if error.is::<Found>() => ExitCode::from(FAILED),
        Err(error) => {
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(io::stderr(), "ml-connector: {error:#}");
            let refused = error.is::<Problems>() || error.is::<NoKeys>();
            ExitCode::from(if refused { REFUSED } else { FAILED })
        }
    }
}

/// Every command, once.
fn dispatch(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(command) => serve(&command),
        Command::Demo(command) => run_demo(&command),
        Command::Sandbox(command) => run_sandbox(&command),
        Command::Migrate(command) => migrate(&command),
        Command::Account(Account::Create(command)) => create_account(&command),
        Command::Audit(Audit::Verify(command)) => verify_audit(&command),
        Command::Keys(Keys::List(command)) => {
            let config = prepare(command.flags(), Setup::Normal)?;
            runtime()?.block_on(rotate::list(&config, command.json))
        }
        Command::Keys(Keys::Rotate(command)) => {
            let config = prepare(command.flags(), Setup::Normal)?;
            runtime()?.block_on(rotate::rotate(&config))
        }
        Command::Openapi => {
            writeln!(io::stdout(), "{}", web::openapi())?;
            Ok(())
        }
    }
}

fn serve(command: &Serve) -> anyhow::Result<()> {
    let config = prepare(command.flags(), Setup::Normal)?;
    runtime()?.block_on(async {
        let opened = boot::open(&config, Part::Serving, Vec::new()).await?;
        boot::serve(&config, &opened, |_| async { Ok(()) }).await
    })
}

fn run_demo(command: &Demo) -> anyhow::Result<()> {
    let config = prepare(command.flags(), Setup::Demo)?;
    runtime()?.block_on(demo::run(&config, command))
}

fn run_sandbox(command: &Sandbox) -> anyhow::Result<()> {
    prepare(command.flags(), Setup::Normal)?;
    let sandboxes = sandboxes::start(&command.ports, Limits::AsTheVendors)?;
    let mut out = io::stdout().lock();
    write!(out, "{}", sandboxes.addresses())?;
    out.flush()?;
    drop(out);
    runtime()?.block_on(boot::until_told_to_stop())
}

fn create_account(command: &AccountCreate) -> anyhow::Result<()> {
    let config = prepare(command.flags(), Setup::Normal)?;
    runtime()?.block_on(account::create(&config, command))
}

fn verify_audit(command: &AuditVerify) -> anyhow::Result<()> {
    let config = prepare(command.flags(), Setup::Normal)?;
    match &command.file {
        Some(file) => audit::verify_file(&config, file),
        None => runtime()?.block_on(audit::verify(&config, command.tenant.as_deref())),
    }
}

/// What every command does first: settings, the log, and a memory of its own. Nothing is written.
fn prepare(flags: Flags, setup: Setup) -> anyhow::Result<Config> {
    let config = config::read(flags, setup)?;
    telemetry::start(&config.log)?;
    hardening::keep_memory_private(config.work.is_dev);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    Ok(config)
}

fn migrate(command: &Migrate) -> anyhow::Result<()> {
    let config = prepare(command.flags(), Setup::Normal)?;
    let storage = &config.storage;
    if storage.database_file.is_some() {
        // An embedded database is never there without its key: a key that is missing later was lost.
        keys::load(&config.keys, storage)?;
        private::folder(&storage.data_dir)
            .with_context(|| format!("the folder {} cannot be made", storage.data_dir.display()))?;
    }
    runtime()?
        .block_on(store::migrate::up(storage.migration_url().open()))
        .context("the database cannot be brought up to date")?;
    tracing::info!("the database is up to date");
    Ok(())
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the operating system gives no threads")
}
