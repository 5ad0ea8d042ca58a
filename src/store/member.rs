//! Tenants and the people in them.

use sea_orm::FromQueryResult;

use super::{Scope, StoreError};
use crate::domain::ids::MemberId;
use crate::domain::member::Role;

/// A person to be added.
#[derive(Debug, Clone)]
pub struct NewMember {
    pub id: MemberId,
    /// In lower case; unique over all tenants.
    pub email: String,
    pub name: String,
    pub role: Role,
    pub password_hash: String,
}

#[derive(FromQueryResult)]
struct PasswordHash {
    password_hash: String,
}

const ADD_TENANT: &str = "INSERT INTO tenant (tenant_id, name, created_at) VALUES ($1, $2, $3)";
// Not due: the first connection or pair wakes it.
const ADD_WORK: &str = "
INSERT INTO tenant_work (tenant_id, due_at, wake_seq, queued_at) VALUES ($1, $2, 0, NULL)";
const ADD_MEMBER: &str = "
INSERT INTO member (tenant_id, id, email, name, role, password_hash, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7)";
const SET_PASSWORD: &str = "
UPDATE member SET password_hash = $3, updated_at = $4 WHERE tenant_id = $1 AND id = $2";
const PASSWORD: &str = "SELECT password_hash FROM member WHERE tenant_id = $1 AND id = $2";

/// Founds the scope's tenant.
///
/// # Errors
/// `Database`.
pub async fn add_tenant(scope: &Scope, name: &str) -> Result<(), StoreError> {
    let now = scope.now().0;
    let tenant = [scope.tenant_value(), name.into(), now.into()];
    scope.run(ADD_TENANT, tenant).await?;
    let work = [scope.tenant_value(), i64::MAX.into()];
    scope.run(ADD_WORK, work).await?;
    Ok(())
}

/// Adds a person.
///
/// # Errors
/// `Taken` when somebody, in whichever tenant, has this e-mail.
pub async fn add(scope: &Scope, new: &NewMember) -> Result<(), StoreError> {
    let values = [
        scope.tenant_value(),
        new.id.0.into(),
        new.email.as_str().into(),
        new.name.as_str().into(),
        new.role.as_str().into(),
        new.password_hash.as_str().into(),
        scope.now().0.into(),
    ];
    match scope.run(ADD_MEMBER, values).await {
        Err(StoreError::Database(error)) if StoreError::is_taken(&error) => {
            Err(StoreError::Taken("this e-mail"))
        }
        done => done.map(|_| ()),
    }
}

/// The stored hash of a member's password.
///
/// # Errors
/// `Missing`.
pub async fn password_hash(scope: &Scope, id: MemberId) -> Result<String, StoreError> {
    let found: Option<PasswordHash> = scope
        .one(PASSWORD, [scope.tenant_value(), id.0.into()])
        .await?;
    found
        .map(|row| row.password_hash)
        .ok_or(StoreError::Missing("member"))
}

/// Replaces the stored hash of a member's password.
///
/// # Errors
/// `Missing`.
pub async fn set_password_hash(scope: &Scope, id: MemberId, hash: &str) -> Result<(), StoreError> {
    let values = [
        scope.tenant_value(),
        id.0.into(),
        hash.into(),
        scope.now().0.into(),
    ];
    match scope.run(SET_PASSWORD, values).await? {
        0 => Err(StoreError::Missing("member")),
        _ => Ok(()),
    }
}
