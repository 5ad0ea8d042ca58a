//! The demo: the simulated systems, an account, both sides connected, mapped and running, from nothing.

mod company;
mod first_run;

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use serde_json::json;

use super::boot::{self, Part};
use super::cli::Demo;
use super::config::Config;
use super::sandboxes::{self, Limits};
use crate::desk::account::{NewAccount, create_account};
use crate::desk::token;
use crate::domain::member::Caller;
use crate::sandbox::procore;
use crate::vault;

const EMAIL: &str = "demo@example.com";
/// The sign-in of a demo whose data is kept; readable by its owner only.
const SIGN_IN_FILE: &str = "sign-in.json";

/// Who signs in, and with what.
struct SignIn {
    password: String,
    api_token: String,
}

/// Runs until told to stop.
pub(super) async fn run(config: &Config, command: &Demo) -> anyhow::Result<()> {
    let folder = &config.storage.data_dir;
    if !command.keep {
        wipe(folder)?;
    }
    let sandboxes = sandboxes::start(&command.ports, Limits::Off)?;
    let opened = boot::open(config, Part::Serving, sandboxes.ports()).await?;
    let desk = &opened.desk;
    let kept = kept_sign_in(folder);
    let (sign_in, is_new) = match kept {
        Some(sign_in) => (sign_in, false),
        None => (found(desk, folder).await?, true),
    };
    let caller: Caller = token::caller(desk, &sign_in.api_token)
        .await?
        .context("the kept demo does not know its own account; run it without --keep")?;
    let pair = if is_new {
        company::set_up(desk, &caller, &sandboxes).await?
    } else {
        company::reconnect(desk, &caller, &sandboxes).await?
    };
    boot::serve(config, &opened, |url| async move {
        if is_new {
            first_run::watch(desk, &caller, pair).await?;
        }
        tell(command, &url, &sign_in)
    })
    .await
}

/// Removes what an earlier demo left. The folder is the demo's own.
fn wipe(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be made anew", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Makes the account and keeps its sign-in for a later start.
async fn found(desk: &crate::desk::Desk, folder: &Path) -> anyhow::Result<SignIn> {
    let password = vault::token::password()?;
    let created = create_account(
        desk,
        NewAccount {
            name: procore::COMPANY_NAME.to_owned(),
            email: EMAIL.to_owned(),
            password: Some(password.again()),
        },
    )
    .await
    .context("the demo's account cannot be made")?;
    let sign_in = SignIn {
        password: password.open().clone(),
        api_token: created.api_token.open().clone(),
    };
    let kept = json!({"password": sign_in.password, "api_token": sign_in.api_token});
    super::private::write_new(&folder.join(SIGN_IN_FILE), kept.to_string().as_bytes())
        .context("the demo's sign-in cannot be kept")?;
    Ok(sign_in)
}

fn kept_sign_in(folder: &Path) -> Option<SignIn> {
    let text = fs::read_to_string(folder.join(SIGN_IN_FILE)).ok()?;
    let kept: serde_json::Value = serde_json::from_str(&text).ok()?;
    let part = |name: &str| kept.get(name)?.as_str().map(str::to_owned);
    Some(SignIn {
        password: part("password")?,
        api_token: part("api_token")?,
    })
}

fn tell(command: &Demo, url: &str, sign_in: &SignIn) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if command.json {
        let line = json!({
            "url": url,
            "email": EMAIL,
            "password": sign_in.password,
            "api_token": sign_in.api_token,
        });
        writeln!(out, "{line}")?;
    } else {
        writeln!(out, "\n  The demo is ready.\n")?;
        writeln!(out, "  Open        {url}/sign-in")?;
        writeln!(out, "  E-mail      {EMAIL}")?;
        writeln!(out, "  Password    {}", sign_in.password)?;
        writeln!(out, "\n  Nothing leaves this machine. Ctrl-C ends it.\n")?;
    }
    out.flush()?;
    Ok(())
}
