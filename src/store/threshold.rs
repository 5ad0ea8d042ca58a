//! The few look-ups that come before a tenant is known. Nothing else may cross tenants: on PostgreSQL
//! the tables read here admit it by a policy of their own, all others refuse.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, FromQueryResult, TransactionTrait};
use uuid::Uuid;

use super::scope::{all, one, run};
use super::{Store, StoreError, api_token};
use crate::audit::Head;
use crate::domain::clock::Timestamp;
use crate::domain::ids::{DataKeyId, MemberId, SessionId, TenantId, TokenId};
use crate::domain::member::{Actor, Caller, Role};

/// A transaction that sees the threshold's tables of every tenant.
pub(super) async fn begin(store: &Store) -> Result<DatabaseTransaction, StoreError> {
    let tx = store.reading().begin().await?;
    if tx.get_database_backend() == DbBackend::Postgres {
        run(&tx, "SELECT set_config('app.threshold', 'on', true)", []).await?;
    }
    Ok(tx)
}

#[derive(FromQueryResult)]
struct Tenant {
    tenant_id: Uuid,
}

const DUE: &str = "
SELECT tenant_id FROM tenant_work WHERE due_at <= $1 AND queued_at IS NULL ORDER BY due_at LIMIT 200";
const FORGOTTEN: &str = "
SELECT tenant_id FROM tenant_work WHERE queued_at <= $1 ORDER BY due_at LIMIT 50";

/// Due tenants whose slice is not queued yet.
///
/// # Errors
/// `Database`.
pub async fn due_tenants(store: &Store, now: Timestamp) -> Result<Vec<TenantId>, StoreError> {
    tenants(store, DUE, now).await
}

/// Tenants whose slice was queued before `before` and that nobody took since.
///
/// # Errors
/// `Database`.
pub async fn forgotten_tenants(
    store: &Store,
    before: Timestamp,
) -> Result<Vec<TenantId>, StoreError> {
    tenants(store, FORGOTTEN, before).await
}

async fn tenants(store: &Store, sql: &str, at: Timestamp) -> Result<Vec<TenantId>, StoreError> {
    let tx = begin(store).await?;
    let found: Vec<Tenant> = all(&tx, sql, [at.0.into()]).await?;
    Ok(found.into_iter().map(|row| row.tenant_id.into()).collect())
}

/// A start on SQLite: nobody else can be at work, so whatever was leased is free.
///
/// # Errors
/// `Database`.
pub async fn void_leases(store: &Store) -> Result<(), StoreError> {
    let tx = store.writing();
    if tx.get_database_backend() != DbBackend::Postgres {
        run(tx, "UPDATE tenant_lease SET until = 0", []).await?;
        run(tx, "UPDATE tenant_work SET queued_at = NULL", []).await?;
        run(tx, "UPDATE vendor_token SET refreshing_until = 0", []).await?;
    }
    Ok(())
}

const VOID: &str = "
WITH gone AS (
  UPDATE tenant_lease SET until = 0
  WHERE until >= (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
    AND pg_try_advisory_xact_lock_shared(hashtextextended(holder, 0))
  RETURNING tenant_id
)
UPDATE tenant_work SET queued_at = NULL WHERE tenant_id IN (SELECT tenant_id FROM gone)";

/// Leases of nodes that are gone are free, and what those nodes were working on is due. Gives how many
/// tenants that are. On PostgreSQL only: on SQLite a start does it ([`void_leases`]).
///
/// # Errors
/// `Database`.
pub async fn void_leases_of_the_gone(store: &Store) -> Result<u64, StoreError> {
    if !store.is_postgres() {
        return Ok(0);
    }
    let tx = begin(store).await?;
    let freed = run(&tx, VOID, []).await?;
    tx.commit().await?;
    Ok(freed)
}

/// Somebody who wants to sign in.
#[derive(Debug, Clone)]
pub struct Known {
    pub tenant_id: TenantId,
    pub member_id: MemberId,
    pub name: String,
    pub password_hash: String,
}

#[derive(FromQueryResult)]
struct MemberRow {
    tenant_id: Uuid,
    id: Uuid,
    name: String,
    password_hash: String,
}

const MEMBER: &str = "SELECT tenant_id, id, name, password_hash FROM member WHERE email = $1";

/// The member with this e-mail, in lower case.
///
/// # Errors
/// `Database`.
pub async fn member(store: &Store, email: &str) -> Result<Option<Known>, StoreError> {
    let tx = begin(store).await?;
    let row: Option<MemberRow> = one(&tx, MEMBER, [email.into()]).await?;
    Ok(row.map(|row| Known {
        tenant_id: row.tenant_id.into(),
        member_id: row.id.into(),
        name: row.name,
        password_hash: row.password_hash,
    }))
}

/// A session as stored, with who it belongs to. Whether it still holds is for the caller to say.
#[derive(Debug, Clone)]
pub struct FoundSession {
    pub id: SessionId,
    pub seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub caller: Caller,
}

#[derive(FromQueryResult)]
struct SessionRow {
    tenant_id: Uuid,
    tenant_name: String,
    session_id: Uuid,
    seen_at: i64,
    expires_at: i64,
    member_id: Uuid,
    member_name: String,
    role: String,
}

const SESSION: &str = "
SELECT s.tenant_id, t.name AS tenant_name, s.id AS session_id, s.seen_at, s.expires_at,
  m.id AS member_id, m.name AS member_name, m.role
FROM session s
JOIN member m ON m.tenant_id = s.tenant_id AND m.id = s.member_id
JOIN tenant t ON t.tenant_id = s.tenant_id
WHERE s.token_hash = $1";

/// The session with this cookie.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn session(
    store: &Store,
    token_hash: &[u8; 32],
) -> Result<Option<FoundSession>, StoreError> {
    let tx = begin(store).await?;
    let row: Option<SessionRow> = one(&tx, SESSION, [token_hash.to_vec().into()]).await?;
    let Some(row) = row else { return Ok(None) };
    let role = role(&row.role)?;
    Ok(Some(FoundSession {
        id: row.session_id.into(),
        seen_at: Timestamp(row.seen_at),
        expires_at: Timestamp(row.expires_at),
        caller: Caller {
            tenant_id: row.tenant_id.into(),
            tenant_name: row.tenant_name,
            member_id: row.member_id.into(),
            actor: Actor {
                kind: "member".to_owned(),
                id: MemberId::from(row.member_id).to_string(),
                name: row.member_name,
                origin: None,
            },
            role,
            scopes: role.scopes().to_vec(),
        },
    }))
}

/// An API token as stored, with what it may do. Whether it still holds is for the caller to say.
#[derive(Debug, Clone)]
pub struct FoundToken {
    pub id: TokenId,
    pub expires_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub is_revoked: bool,
    pub caller: Caller,
}

#[derive(FromQueryResult)]
struct TokenRow {
    tenant_id: Uuid,
    tenant_name: String,
    token_id: Uuid,
    token_name: String,
    scopes: String,
    expires_at: i64,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
    member_id: Uuid,
    role: String,
}

const TOKEN: &str = "
SELECT a.tenant_id, t.name AS tenant_name, a.id AS token_id, a.name AS token_name, a.scopes,
  a.expires_at, a.last_used_at, a.revoked_at, m.id AS member_id, m.role
FROM api_token a
JOIN member m ON m.tenant_id = a.tenant_id AND m.id = a.member_id
JOIN tenant t ON t.tenant_id = a.tenant_id
WHERE a.token_hash = $1";

/// The API token with this hash. It may do what both it and its maker's role allow today.
///
/// # Errors
/// `Database`, `Corrupt`.
pub async fn token(store: &Store, token_hash: &[u8; 32]) -> Result<Option<FoundToken>, StoreError> {
    let tx = begin(store).await?;
    let row: Option<TokenRow> = one(&tx, TOKEN, [token_hash.to_vec().into()]).await?;
    let Some(row) = row else { return Ok(None) };
    let role = role(&row.role)?;
    let mut scopes = api_token::scopes(&row.scopes)?;
    scopes.retain(|scope| role.scopes().contains(scope));
    Ok(Some(FoundToken {
        id: row.token_id.into(),
        expires_at: Timestamp(row.expires_at),
        last_used_at: row.last_used_at.map(Timestamp),
        is_revoked: row.revoked_at.is_some(),
        caller: Caller {
            tenant_id: row.tenant_id.into(),
            tenant_name: row.tenant_name,
            member_id: row.member_id.into(),
            actor: Actor {
                kind: "token".to_owned(),
                id: TokenId::from(row.token_id).to_string(),
                name: row.token_name,
                origin: None,
            },
            role,
            scopes,
        },
    }))
}

fn role(word: &str) -> Result<Role, StoreError> {
    word.parse().map_err(|_| StoreError::Corrupt {
        table: "member",
        column: "role",
    })
}
#[derive(FromQueryResult)]
struct AnyKey {
    tenant_id: Uuid,
    id: Uuid,
    wrapped: Vec<u8>,
}

/// A data key of some tenant, wrapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SomeKey {
    pub tenant: TenantId,
    pub id: DataKeyId,
    pub wrapped: Vec<u8>,
}

/// Some tenant's newest data key: whether the master keys open it tells whether they are this database's.
///
/// # Errors
/// `Database`.
pub async fn some_data_key(store: &Store) -> Result<Option<SomeKey>, StoreError> {
    let tx = begin(store).await?;
    let sql = "SELECT tenant_id, id, wrapped FROM data_key ORDER BY created_at DESC LIMIT 1";
    let found: Option<AnyKey> = one(&tx, sql, []).await?;
    Ok(found.map(|row| SomeKey {
        tenant: row.tenant_id.into(),
        id: row.id.into(),
        wrapped: row.wrapped,
    }))
}

#[derive(FromQueryResult)]
struct HeadRow {
    tenant_id: Uuid,
    seq: i64,
    hash: String,
}

/// The head of every chain, that of the events without a tenant too, to be kept outside the database.
///
/// # Errors
/// `Database`.
pub async fn heads(store: &Store) -> Result<Vec<(TenantId, Head)>, StoreError> {
    let tx = begin(store).await?;
    let sql = "SELECT tenant_id, seq, hash FROM audit_head";
    let rows: Vec<HeadRow> = all(&tx, sql, []).await?;
    let head = |row: HeadRow| {
        let (seq, hash) = (row.seq, row.hash);
        (row.tenant_id.into(), Head { seq, hash })
    };
    Ok(rows.into_iter().map(head).collect())
}

/// Every tenant there is.
///
/// # Errors
/// `Database`.
pub async fn all_tenants(store: &Store) -> Result<Vec<TenantId>, StoreError> {
    let tx = begin(store).await?;
    let found: Vec<Tenant> =
        all(&tx, "SELECT tenant_id FROM tenant ORDER BY tenant_id", []).await?;
    Ok(found.into_iter().map(|row| row.tenant_id.into()).collect())
}
