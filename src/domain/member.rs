//! People in a tenant, what they may do, and the scopes of tokens.

use serde::{Deserialize, Serialize};

use super::ids::{MemberId, TenantId};
use crate::closed_words;

closed_words! {
    /// What a person may do, from most to least.
    Role {
        Owner => "owner",
        Admin => "admin",
        Operator => "operator",
        Viewer => "viewer",
    }
}

closed_words! {
    /// What a request needs. A role grants several; a token carries its own.
    Scope {
        /// See records, runs and settings.
        Read => "read",
        /// Run, retry, map.
        Operate => "operate",
        /// Let money through.
        Approve => "approve",
        /// Connections, pairs, tokens.
        Admin => "admin",
    }
}

closed_words! {
    /// Who may make an account.
    SignUp {
        /// Everybody.
        Open => "open",
        /// Whoever was invited.
        Invite => "invite",
        /// Nobody but the operator, at the command line.
        Closed => "closed",
    }
}

impl Role {
    /// What the role may do. Approving money is not implied by operating.
    #[must_use]
    pub fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Owner | Self::Admin => {
                &[Scope::Read, Scope::Operate, Scope::Approve, Scope::Admin]
            }
            Self::Operator => &[Scope::Read, Scope::Operate],
            Self::Viewer => &[Scope::Read],
        }
    }
}

/// Who acts, as the audit trail names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// `member`, `token`, `worker`, `command`, `anonymous`.
    pub kind: String,
    pub id: String,
    pub name: String,
    /// The request that the act came with; none for what the product does by itself.
    #[serde(skip)]
    pub origin: Option<Origin>,
}

/// Where a request came from and under which number it is logged: every event it causes names both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The network address of who sent it.
    pub source: String,
    pub request_id: String,
}

impl Actor {
    /// The same actor, with this request.
    #[must_use]
    pub fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// The product itself, working a slice.
    #[must_use]
    pub fn worker() -> Self {
        Self {
            kind: "worker".to_owned(),
            id: "worker".to_owned(),
            name: "ml-connector".to_owned(),
            origin: None,
        }
    }

    /// The operator at the command line.
    #[must_use]
    pub fn command() -> Self {
        Self {
            kind: "command".to_owned(),
            id: "command".to_owned(),
            name: "command line".to_owned(),
            origin: None,
        }
    }

    /// Somebody who has not signed in.
    #[must_use]
    pub fn anonymous() -> Self {
        Self {
            kind: "anonymous".to_owned(),
            id: "anonymous".to_owned(),
            name: "not signed in".to_owned(),
            origin: None,
        }
    }
}

/// Who sent a request, once it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub tenant_id: TenantId,
    pub tenant_name: String,
    /// The person, or the person who made the token.
    pub member_id: MemberId,
    pub actor: Actor,
    pub role: Role,
    pub scopes: Vec<Scope>,
}

impl Caller {
    /// Whether the caller may do what needs `scope`.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}
