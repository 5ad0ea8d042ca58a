//! Who a token belongs to.

use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Answer, Call, ok};

/// Who you are, and what you may do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    pub tenant: Party,
    /// The person who made the token.
    pub user: UserRef,
    pub token: Party,
    pub scopes: Vec<&'static str>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Party {
    pub id: String,
    pub name: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct UserRef {
    pub id: String,
    pub role: &'static str,
}

/// `GET /api/v1/me`.
///
/// # Errors
/// When the answer cannot be written.
pub async fn show(call: Call) -> Answer {
    let caller = call.caller;
    ok(&Me {
        tenant: Party {
            id: caller.tenant_id.to_string(),
            name: caller.tenant_name,
        },
        user: UserRef {
            id: caller.member_id.to_string(),
            role: caller.role.as_str(),
        },
        token: Party {
            id: caller.actor.id,
            name: caller.actor.name,
        },
        scopes: caller.scopes.iter().map(|scope| scope.as_str()).collect(),
    })
}
