//! Sessions of people: signing in and out, what is open, and the password that opens one.

use std::time::Duration;

use super::account::{hash, password_issue, plain_email};
use super::guessing::Guess;
use super::{Desk, DeskError, hashing};
use crate::domain::audit::Happened;
use crate::domain::fault::Issue;
use crate::domain::ids::{MemberId, SessionId, TenantId};
use crate::domain::member::{Actor, Caller, Origin};
use crate::domain::secret::Secret;
use crate::store::session::Open;
use crate::store::{self, threshold};
use crate::vault::password::{self, Verdict};
use crate::vault::token::{TokenHash, session_key};

/// A session that is not used for so long is over.
pub const IDLE_MAX: Duration = Duration::from_secs(30 * 60);
/// A session is over after so long, used or not.
pub const AGE_MAX: Duration = Duration::from_secs(12 * 60 * 60);
/// How exactly the last use is noted; more would be a write for every click.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// A session as a browser holds it.
#[derive(Debug)]
pub struct Opened {
    /// For the cookie; only its hash is stored.
    pub key: Secret<String>,
    pub tenant_id: TenantId,
    pub member_id: MemberId,
}

/// A session that holds.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: SessionId,
    pub caller: Caller,
    key_hash: TokenHash,
}

/// Signs a person in under a new session. Whether the account exists cannot be told from the answer.
///
/// # Errors
/// `Invalid` when e-mail and password do not belong together; `TooFast` after too many guesses.
pub async fn sign_in(
    desk: &Desk,
    email: &str,
    password: Secret<String>,
    origin: &Origin,
) -> Result<Opened, DeskError> {
    let email = plain_email(email);
    let guess = Guess::at_account(&email, origin);
    guess.take(desk).await?;
    let known = threshold::member(desk.store(), &email).await?;
    let stored = known.as_ref().map(|known| known.password_hash.clone());
    let (verdict, password) = hashing::run(move || {
        password::verify(password.open(), stored.as_deref()).map(|verdict| (verdict, password))
    })
    .await?;
    let Some(known) = known.as_ref().filter(|_| verdict != Verdict::Wrong) else {
        tell_refused(desk, known.as_ref(), origin).await?;
        return Err(DeskError::invalid(
            "password",
            "wrong",
            "This e-mail and this password do not belong together.",
        ));
    };
    guess.give_back(desk).await?;
    let new_hash = match verdict {
        Verdict::RightButOld => Some(hash(password).await?),
        _ => None,
    };
    enter(desk, known, new_hash, origin).await
}

/// Ends a session. Its cookie opens nothing from now on.
///
/// # Errors
/// `Store`.
pub async fn sign_out(desk: &Desk, session: &Session) -> Result<(), DeskError> {
    let id = session.id;
    let member = session.caller.member_id;
    desk.store()
        .write(
            session.caller.tenant_id,
            &session.caller.actor,
            move |scope| {
                Box::pin(async move {
                    if store::session::end(scope, id).await? {
                        scope.tell(Happened::new("member.signed_out", "member", member));
                    }
                    Ok(())
                })
            },
        )
        .await
}

/// Whether a session still holds. Asking is no use of it.
///
/// # Errors
/// `Store`.
pub async fn holds(desk: &Desk, session: &Session) -> Result<bool, DeskError> {
    Ok(holding(desk, &session.key_hash).await?.is_some())
}

/// The session of a cookie, while it holds. Notes the use.
///
/// # Errors
/// `Store`.
pub async fn find(desk: &Desk, key: &str) -> Result<Option<Session>, DeskError> {
    let now = desk.store().clock().now();
    let key_hash = TokenHash::of(key);
    let Some(found) = holding(desk, &key_hash).await? else {
        return Ok(None);
    };
    if now.since(found.seen_at) >= TOUCH_EVERY {
        let id = found.id;
        desk.store()
            .write(found.caller.tenant_id, &found.caller.actor, move |scope| {
                Box::pin(store::session::touch(scope, id))
            })
            .await?;
    }
    Ok(Some(Session {
        id: found.id,
        caller: found.caller,
        key_hash,
    }))
}

async fn holding(
    desk: &Desk,
    key_hash: &TokenHash,
) -> Result<Option<threshold::FoundSession>, DeskError> {
    let now = desk.store().clock().now();
    let found = threshold::session(desk.store(), &key_hash.0).await?;
    Ok(found.filter(|found| now < found.expires_at && now.since(found.seen_at) < IDLE_MAX))
}

/// A key that binds the forms of somebody who has not signed in.
///
/// # Errors
/// `Vault`, without randomness.
pub fn guest_key() -> Result<Secret<String>, DeskError> {
    Ok(session_key()?)
}

/// Sessions of a member that hold, the latest used first.
///
/// # Errors
/// `Store`.
pub async fn open(desk: &Desk, caller: &Caller) -> Result<Vec<Open>, DeskError> {
    let idle_since = desk.store().clock().now().minus(IDLE_MAX);
    let scope = desk.store().read(caller.tenant_id).await?;
    Ok(store::session::of_member(&scope, caller.member_id, idle_since).await?)
}

/// Ends one of the caller's own sessions, wherever its browser is.
///
/// # Errors
/// `Missing`.
pub async fn revoke(desk: &Desk, caller: &Caller, id: SessionId) -> Result<(), DeskError> {
    let member = caller.member_id;
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                if !store::session::end_of_member(scope, member, id).await? {
                    return Err(DeskError::Missing("session"));
                }
                scope.tell(Happened::new("session.revoked", "member", member));
                Ok(())
            })
        })
        .await
}

/// A password that somebody wants in the place of theirs.
#[derive(Debug)]
pub struct NewPassword {
    pub current: Secret<String>,
    pub new: Secret<String>,
}

/// Changes the caller's own password, and ends every session but this one.
///
/// # Errors
/// `Invalid` by field; `TooFast` after too many wrong guesses of the current one.
pub async fn change_password(
    desk: &Desk,
    session: &Session,
    wanted: NewPassword,
    origin: &Origin,
) -> Result<(), DeskError> {
    if let Some(issue) = password_issue(wanted.new.open()) {
        return Err(DeskError::Invalid(vec![Issue {
            field: "new_password".to_owned(),
            ..issue
        }]));
    }
    let caller = &session.caller;
    let guess = Guess::at_account(&caller.member_id.to_string(), origin);
    guess.take(desk).await?;
    let scope = desk.store().read(caller.tenant_id).await?;
    let stored = store::member::password_hash(&scope, caller.member_id).await?;
    drop(scope);
    let current = wanted.current;
    let verdict = hashing::run(move || password::verify(current.open(), Some(&stored))).await?;
    if verdict == Verdict::Wrong {
        let says = "This is not your current password.";
        return Err(DeskError::invalid("current_password", "wrong", says));
    }
    guess.give_back(desk).await?;
    let new_hash = hash(wanted.new).await?;
    let (member, this) = (caller.member_id, session.id);
    desk.store()
        .write(caller.tenant_id, &caller.actor, move |scope| {
            Box::pin(async move {
                store::member::set_password_hash(scope, member, &new_hash).await?;
                let ended = store::session::end_others(scope, member, this).await?;
                scope.tell(
                    Happened::new("member.password_changed", "member", member)
                        .with("sessions_ended", ended),
                );
                Ok(())
            })
        })
        .await
}

/// A session's key and what of it is stored.
pub(super) struct NewSession {
    pub key: Secret<String>,
    pub hash: TokenHash,
}

impl NewSession {
    pub fn make() -> Result<Self, DeskError> {
        let key = session_key()?;
        let hash = TokenHash::of(key.open());
        Ok(Self { key, hash })
    }
}

pub(super) async fn begin(
    scope: &store::Scope,
    member: MemberId,
    hash: TokenHash,
) -> Result<(), DeskError> {
    let now = scope.now();
    store::session::forget_old(scope, member, now.minus(IDLE_MAX)).await?;
    let id = SessionId::generate();
    store::session::add(scope, id, member, &hash.0, now.plus(AGE_MAX)).await?;
    scope.tell(Happened::new("member.signed_in", "member", member));
    Ok(())
}

/// Begins the session of somebody whose password was right.
async fn enter(
    desk: &Desk,
    known: &threshold::Known,
    new_hash: Option<String>,
    origin: &Origin,
) -> Result<Opened, DeskError> {
    let session = NewSession::make()?;
    let (member_id, hash) = (known.member_id, session.hash);
    let actor = member_actor(known).with_origin(origin.clone());
    desk.store()
        .write(known.tenant_id, &actor, move |scope| {
            Box::pin(async move {
                if let Some(new_hash) = new_hash {
                    store::member::set_password_hash(scope, member_id, &new_hash).await?;
                }
                begin(scope, member_id, hash).await
            })
        })
        .await?;
    Ok(Opened {
        key: session.key,
        tenant_id: known.tenant_id,
        member_id,
    })
}

/// A wrong guess is told in the chain of the account's tenant, or of nobody's.
async fn tell_refused(
    desk: &Desk,
    known: Option<&threshold::Known>,
    origin: &Origin,
) -> Result<(), DeskError> {
    let tenant = known.map_or(TenantId::NIL, |known| known.tenant_id);
    let subject = known.map_or_else(|| "unknown".to_owned(), |known| known.member_id.to_string());
    let actor = Actor::anonymous().with_origin(origin.clone());
    desk.store()
        .write(tenant, &actor, move |scope| {
            Box::pin(async move {
                scope.tell(Happened::new("sign_in.refused", "member", subject));
                Ok(())
            })
        })
        .await
}

fn member_actor(known: &threshold::Known) -> Actor {
    Actor {
        kind: "member".to_owned(),
        id: known.member_id.to_string(),
        name: known.name.clone(),
        origin: None,
    }
}
