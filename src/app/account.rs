//! `account create`: a tenant with its owner and an API token.

use std::io::{self, BufRead, Write};

use anyhow::Context;
use serde_json::json;

use super::boot::{self, Part};
use super::cli::AccountCreate;
use super::config::Config;
use crate::desk::DeskError;
use crate::desk::account::{Created, NewAccount, create_account};
use crate::domain::secret::Secret;

/// Makes the account and prints what was made, once.
pub(super) async fn create(config: &Config, command: &AccountCreate) -> anyhow::Result<()> {
    let password = command.password_stdin.then(first_line).transpose()?;
    let opened = boot::open(config, Part::Beside, Vec::new()).await?;
    let new = NewAccount {
        name: command.name.clone(),
        email: command.email.clone(),
        password,
    };
    let created = create_account(&opened.desk, new).await.map_err(in_words)?;
    print(command, &created)
}

fn first_line() -> anyhow::Result<Secret<String>> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .context("no password can be read from standard input")?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    Ok(Secret::new(password))
}

/// Issues by field, one a line.
fn in_words(error: DeskError) -> anyhow::Error {
    match error {
        DeskError::Invalid(issues) => {
            let lines: Vec<String> = issues.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("no account was made:\n  {}", lines.join("\n  "))
        }
        other => anyhow::Error::new(other).context("no account was made"),
    }
}

fn print(command: &AccountCreate, created: &Created) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let token = created.api_token.open();
    if command.json {
        let made = json!({
            "tenant_id": created.tenant_id,
            "user_id": created.member_id,
            "api_token": token,
        });
        writeln!(out, "{made}")?;
        return Ok(());
    }
    writeln!(out, "Account     {}", created.tenant_id)?;
    writeln!(out, "E-mail      {}", command.email)?;
    if let Some(password) = &created.password {
        writeln!(out, "Password    {}", password.open())?;
    }
    writeln!(out, "API token   {token}")?;
    writeln!(out, "The password and the token are not shown again.")?;
    Ok(())
}
