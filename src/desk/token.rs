//! API tokens: making, listing, revoking, and finding who sent one.

use std::time::Duration;

use super::{Desk, DeskError};
use crate::domain::audit::Happened;
use crate::domain::fault::Issue;
use crate::domain::ids::{MemberId, TokenId};
use crate::domain::member::{Caller, Scope};
use crate::domain::secret::Secret;
use crate::domain::token::ApiToken;
use crate::store::{self, api_token, threshold};
use crate::vault::token::{API_PREFIX, TokenHash, api_token as random_token};

/// Days until a token expires when nothing is said.
pub const DAYS_DEFAULT: u32 = 365;
pub const DAYS_MAX: u32 = 1_095;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const NAME_MAX: usize = 100;
/// Longer than any token of ours.
const LENGTH_MAX: usize = 128;
/// How exactly the last use is noted.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    pub name: String,
    pub scopes: Vec<Scope>,
    pub expires_in_days: Option<u32>,
}

/// A token just made. The key is shown once.
#[derive(Debug)]
pub struct Made {
    pub token: ApiToken,
    pub key: Secret<String>,
}

/// Makes a token. It can do no more than who makes it.
///
/// # Errors
/// `Invalid` by field.
pub async fn create(desk: &Desk, caller: &Caller, new: NewToken) -> Result<Made, DeskError> {
    let issues = issues(caller, &new);
    if !issues.is_empty() {
        return Err(DeskError::Invalid(issues));
    }
    let made = make(desk, caller.member_id, new)?;
    let (token, hash) = (made.token.clone(), TokenHash::of(made.key.open()));
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move { keep(scope, &token, &hash).await })
        })
        .await?;
    Ok(made)
}

/// Tokens that were not revoked, newest first.
///
/// # Errors
/// `Store`.
pub async fn list(
    desk: &Desk,
    caller: &Caller,
    before: Option<TokenId>,
    limit: u32,
) -> Result<Vec<ApiToken>, DeskError> {
    let scope = desk.store().read(caller.tenant_id).await?;
    Ok(api_token::page(&scope, before, limit).await?)
}

/// One token that was not revoked.
///
/// # Errors
/// `Missing`.
pub async fn find(desk: &Desk, caller: &Caller, id: TokenId) -> Result<ApiToken, DeskError> {
    let scope = desk.store().read(caller.tenant_id).await?;
    let token = api_token::find(&scope, id).await?;
    match token.revoked_at {
        Some(_) => Err(DeskError::Missing("token")),
        None => Ok(token),
    }
}

/// Revokes a token: the next request with it is refused.
///
/// # Errors
/// `Missing`.
pub async fn revoke(desk: &Desk, caller: &Caller, id: TokenId) -> Result<(), DeskError> {
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                let token = api_token::find(scope, id).await?;
                api_token::revoke(scope, id).await?;
                scope.tell(Happened::new("token.revoked", "token", id).with("name", token.name));
                Ok(())
            })
        })
        .await
}

/// Who sent this bearer token, while it holds. Notes the use.
///
/// # Errors
/// `Store`.
pub async fn caller(desk: &Desk, bearer: &str) -> Result<Option<Caller>, DeskError> {
    if !bearer.starts_with(API_PREFIX) || bearer.len() > LENGTH_MAX {
        return Ok(None);
    }
    let now = desk.store().clock().now();
    let found = threshold::token(desk.store(), &TokenHash::of(bearer).0).await?;
    let Some(found) = found.filter(|found| !found.is_revoked && now < found.expires_at) else {
        return Ok(None);
    };
    let is_fresh = |used| now.since(used) < TOUCH_EVERY;
    if !found.last_used_at.is_some_and(is_fresh) {
        let id = found.id;
        desk.store()
            .write(found.caller.tenant_id, &found.caller.actor, move |scope| {
                Box::pin(api_token::touch(scope, id))
            })
            .await?;
    }
    Ok(Some(found.caller))
}

/// A random token for a member, not stored yet.
pub(super) fn make(desk: &Desk, member: MemberId, new: NewToken) -> Result<Made, DeskError> {
    let now = desk.store().clock().now();
    let days = new.expires_in_days.unwrap_or(DAYS_DEFAULT);
    let mut scopes = new.scopes;
    scopes.sort_unstable();
    scopes.dedup();
    let token = ApiToken {
        id: TokenId::generate(),
        member_id: member,
        name: new.name.trim().to_owned(),
        scopes,
        created_at: now,
        expires_at: now.plus(DAY.saturating_mul(days)),
        last_used_at: None,
        revoked_at: None,
    };
    let key = random_token()?;
    Ok(Made { token, key })
}

/// Stores a token with its event.
pub(super) async fn keep(
    scope: &store::Scope,
    token: &ApiToken,
    hash: &TokenHash,
) -> Result<(), DeskError> {
    api_token::add(scope, token, &hash.0).await?;
    let words: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
    scope.tell(
        Happened::new("token.created", "token", token.id)
            .with("name", &token.name)
            .with("scopes", words.join(" "))
            .with("expires_at", token.expires_at),
    );
    Ok(())
}

fn issues(caller: &Caller, new: &NewToken) -> Vec<Issue> {
    let name = new.name.trim();
    let mut issues = Vec::new();
    if name.is_empty() {
        issues.push(Issue::new(
            "name",
            "missing",
            "Enter a name that says what the token is for.",
        ));
    } else if name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        let says = format!("Use at most {NAME_MAX} letters, digits and signs.");
        issues.push(Issue::new("name", "malformed", says));
    }
    if new.scopes.is_empty() {
        issues.push(Issue::new(
            "scopes",
            "missing",
            "Choose at least one scope.",
        ));
    }
    if let Some(scope) = new.scopes.iter().find(|scope| !caller.may(**scope)) {
        let says = format!("You cannot give the scope {scope}: you do not have it yourself.");
        issues.push(Issue::new("scopes", "not_yours", says));
    }
    if new
        .expires_in_days
        .is_some_and(|days| !(1..=DAYS_MAX).contains(&days))
    {
        let says = format!("Choose 1 to {DAYS_MAX} days.");
        issues.push(Issue::new("expires_in_days", "out_of_range", says));
    }
    issues
}
