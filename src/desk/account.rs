//! Accounts and sessions: signing up, in and out.

use std::time::Duration;

use super::guessing::Guess;
use super::token::{self, NewToken};
use super::{Desk, DeskError, hashing};
use crate::domain::audit::Happened;
use crate::domain::fault::Issue;
use crate::domain::ids::{MemberId, SessionId, TenantId};
use crate::domain::member::{Actor, Caller, Origin, Role, Scope};
use crate::domain::secret::Secret;
use crate::store::member::NewMember;
use crate::store::{self, StoreError, threshold};
use crate::vault::password::{self, Verdict};
use crate::vault::token::{TokenHash, session_key};

/// A session that is not used for so long is over.
pub const IDLE_MAX: Duration = Duration::from_secs(30 * 60);
/// A session is over after so long, used or not.
pub const AGE_MAX: Duration = Duration::from_secs(12 * 60 * 60);
/// How exactly the last use is noted; more would be a write for every click.
const TOUCH_EVERY: Duration = Duration::from_secs(60);
const NAME_MAX: usize = 200;
/// The longest address that mail can carry.
const EMAIL_MAX: usize = 254;

/// What somebody who signs up says.
#[derive(Debug)]
pub struct SignUp {
    pub company: String,
    pub name: String,
    pub email: String,
    pub password: Secret<String>,
}

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

/// Opens an account: a tenant with its owner, who is signed in.
///
/// # Errors
/// `Invalid` by field; `TooFast` when one address opens too many.
pub async fn sign_up(desk: &Desk, new: SignUp, origin: &Origin) -> Result<Opened, DeskError> {
    let mut issues = founding_issues(&new);
    issues.extend(password_issue(new.password.open()));
    if !issues.is_empty() {
        return Err(DeskError::Invalid(issues));
    }
    Guess::at_signing_up(origin).take(desk).await?;
    let founder = Founder::new(&new, hash(new.password.again()).await?);
    let actor = founder.actor().with_origin(origin.clone());
    let session = NewSession::make()?;
    let (tenant_id, member_id) = (founder.tenant_id, founder.member.id);
    let hash = session.hash;
    desk.store()
        .write(tenant_id, &actor, move |scope| {
            Box::pin(async move {
                found(scope, &founder).await?;
                begin(scope, founder.member.id, hash).await
            })
        })
        .await?;
    Ok(Opened {
        key: session.key,
        tenant_id,
        member_id,
    })
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
    Ok(find(desk, &session.key_hash).await?.is_some())
}

/// The session of a cookie, while it holds. Notes the use.
///
/// # Errors
/// `Store`.
pub async fn session(desk: &Desk, key: &str) -> Result<Option<Session>, DeskError> {
    let now = desk.store().clock().now();
    let key_hash = TokenHash::of(key);
    let Some(found) = find(desk, &key_hash).await? else {
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

async fn find(
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

/// An account made at the command line.
#[derive(Debug)]
pub struct NewAccount {
    /// The company's name.
    pub name: String,
    pub email: String,
    /// None: a random one is made.
    pub password: Option<Secret<String>>,
}

/// What was made, for printing once.
#[derive(Debug)]
pub struct Created {
    pub tenant_id: TenantId,
    pub member_id: MemberId,
    pub api_token: Secret<String>,
    /// The random password, when none was given.
    pub password: Option<Secret<String>>,
}

/// Makes a tenant, its owner and an API token with every scope.
///
/// # Errors
/// `Invalid` by field.
pub async fn create_account(desk: &Desk, new: NewAccount) -> Result<Created, DeskError> {
    let given = new.password.is_some();
    let password = match new.password {
        Some(password) => password,
        None => crate::vault::token::password()?,
    };
    let sign_up = SignUp {
        name: new.email.trim().to_owned(),
        company: new.name,
        email: new.email,
        password: password.again(),
    };
    let mut issues = founding_issues(&sign_up);
    if given {
        issues.extend(password_issue(password.open()));
    }
    if !issues.is_empty() {
        return Err(DeskError::Invalid(issues));
    }
    let founder = Founder::new(&sign_up, hash(sign_up.password.again()).await?);
    let (tenant_id, member_id) = (founder.tenant_id, founder.member.id);
    let made = token::make(
        desk,
        member_id,
        NewToken {
            name: "command line".to_owned(),
            scopes: Scope::ALL.to_vec(),
            expires_in_days: None,
        },
    )?;
    let (token, token_hash) = (made.token, TokenHash::of(made.key.open()));
    desk.store()
        .write(tenant_id, &Actor::command(), move |scope| {
            Box::pin(async move {
                found(scope, &founder).await?;
                token::keep(scope, &token, &token_hash).await
            })
        })
        .await?;
    Ok(Created {
        tenant_id,
        member_id,
        api_token: made.key,
        password: (!given).then_some(password),
    })
}

/// A tenant and its owner, not stored yet.
struct Founder {
    tenant_id: TenantId,
    company: String,
    member: NewMember,
}

impl Founder {
    fn new(said: &SignUp, password_hash: String) -> Self {
        Self {
            tenant_id: TenantId::generate(),
            company: said.company.trim().to_owned(),
            member: NewMember {
                id: MemberId::generate(),
                email: plain_email(&said.email),
                name: said.name.trim().to_owned(),
                role: Role::Owner,
                password_hash,
            },
        }
    }

    fn actor(&self) -> Actor {
        Actor {
            kind: "member".to_owned(),
            id: self.member.id.to_string(),
            name: self.member.name.clone(),
            origin: None,
        }
    }
}

async fn found(scope: &store::Scope, founder: &Founder) -> Result<(), DeskError> {
    store::member::add_tenant(scope, &founder.company).await?;
    match store::member::add(scope, &founder.member).await {
        Err(StoreError::Taken(_)) => {
            return Err(DeskError::invalid(
                "email",
                "taken",
                "This e-mail has an account already. Sign in instead.",
            ));
        }
        done => done?,
    }
    scope.tell(
        Happened::new("tenant.created", "tenant", founder.tenant_id)
            .with("name", &founder.company)
            .with("owner", &founder.member.email),
    );
    Ok(())
}

/// A session's key and what of it is stored.
struct NewSession {
    key: Secret<String>,
    hash: TokenHash,
}

impl NewSession {
    fn make() -> Result<Self, DeskError> {
        let key = session_key()?;
        let hash = TokenHash::of(key.open());
        Ok(Self { key, hash })
    }
}

async fn begin(scope: &store::Scope, member: MemberId, hash: TokenHash) -> Result<(), DeskError> {
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

async fn hash(password: Secret<String>) -> Result<String, DeskError> {
    hashing::run(move || password::hash(password.open())).await
}

/// An e-mail as it is stored and looked for.
fn plain_email(email: &str) -> String {
    email.trim().to_lowercase()
}

fn founding_issues(said: &SignUp) -> Vec<Issue> {
    let name_issue = |field: &str, value: &str, missing: &str| {
        let value = value.trim();
        if value.is_empty() {
            Some(Issue::new(field, "missing", missing))
        } else if value.chars().count() > NAME_MAX {
            let says = format!("Use at most {NAME_MAX} characters.");
            Some(Issue::new(field, "too_long", says))
        } else if value.chars().any(char::is_control) {
            Some(Issue::new(
                field,
                "malformed",
                "Use letters, digits and signs only.",
            ))
        } else {
            None
        }
    };
    [
        name_issue("company", &said.company, "Enter your company's name."),
        name_issue("name", &said.name, "Enter your name."),
        (!is_email(&said.email)).then(|| {
            let says = "Enter an e-mail address such as ada@example.com.";
            Issue::new("email", "malformed", says)
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn password_issue(password: &str) -> Option<Issue> {
    let refused = password::check(password).err()?;
    Some(Issue::new("password", "refused", refused.to_string()))
}

/// Whether mail could be sent there: one `@` with something on both sides, no blanks. The rest only
/// a mail that arrives can tell.
fn is_email(text: &str) -> bool {
    let text = text.trim();
    let plain = |part: &str| {
        !part.is_empty()
            && !part
                .chars()
                .any(|c| c.is_whitespace() || c.is_control() || "@,;<>()[]\\\"".contains(c))
    };
    let is_domain = |domain: &str| {
        plain(domain)
            && !domain.starts_with(['.', '-'])
            && !domain.ends_with(['.', '-'])
            && !domain.contains("..")
    };
    text.len() <= EMAIL_MAX
        && text
            .split_once('@')
            .is_some_and(|(local, domain)| plain(local) && is_domain(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_mail_could_reach() {
        for (text, good) in [
            ("ada@example.com", true),
            (" Ada.Lovelace+test@Example.co.uk ", true),
            ("root@localhost", true),
            ("jos\u{e9}@example.com", true),
            ("", false),
            ("ada", false),
            ("@example.com", false),
            ("ada@", false),
            ("ada@@example.com", false),
            ("ada b@example.com", false),
            ("ada@example..com", false),
            ("ada@.example.com", false),
            ("a,b@example.com", false),
            ("ada@exa\nmple.com", false),
        ] {
            assert_eq!(is_email(text), good, "{text:?}");
        }
        assert!(!is_email(&format!("{}@example.com", "a".repeat(250))));
    }
}
