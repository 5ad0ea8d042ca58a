//! Accounts: opened by a stranger, or made at the command line.

use super::guessing::Guess;
use super::session::{NewSession, Opened, begin};
use super::token::{self, NewToken};
use super::{Desk, DeskError, hashing};
use crate::domain::audit::Happened;
use crate::domain::fault::Issue;
use crate::domain::ids::{MemberId, TenantId};
use crate::domain::member::{Actor, Origin, Role, Scope};
use crate::domain::secret::Secret;
use crate::store::member::NewMember;
use crate::store::{self, StoreError};
use crate::vault::password;
use crate::vault::token::TokenHash;

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

pub(super) async fn hash(password: Secret<String>) -> Result<String, DeskError> {
    hashing::run(move || password::hash(password.open())).await
}

/// An e-mail as it is stored and looked for.
pub(super) fn plain_email(email: &str) -> String {
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

pub(super) fn password_issue(password: &str) -> Option<Issue> {
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
