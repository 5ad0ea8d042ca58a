//! How often a subject guessed. Belongs to no tenant: the account that is guessed at may not exist.

use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult};

use super::{Scope, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::throttle::Tally;

#[derive(FromQueryResult)]
struct Row {
    guesses: i64,
    last_guess_at: i64,
    day: i64,
    guesses_today: i64,
    blocked_until: i64,
}

const OPEN: &str = "
INSERT INTO throttle (subject, guesses, last_guess_at, day, guesses_today, blocked_until)
VALUES ($1, 0, 0, 0, 0, 0) ON CONFLICT (subject) DO NOTHING";
const FIND: &str = "
SELECT guesses, last_guess_at, day, guesses_today, blocked_until FROM throttle WHERE subject = $1";
const SAVE: &str = "
UPDATE throttle SET guesses = $2, last_guess_at = $3, day = $4, guesses_today = $5, blocked_until = $6
WHERE subject = $1";
const FORGET: &str = "DELETE FROM throttle WHERE last_guess_at < $1";

/// What is remembered about a subject, held for this unit: tries at the same moment count one by one.
///
/// # Errors
/// `Database`.
pub async fn hold(scope: &Scope, subject: &[u8; 32]) -> Result<Tally, StoreError> {
    scope.run(OPEN, [subject.to_vec().into()]).await?;
    let sql = match scope.tx().get_database_backend() {
        DbBackend::Postgres => format!("{FIND} FOR UPDATE"),
        _ => FIND.to_owned(),
    };
    let row: Option<Row> = scope.one(&sql, [subject.to_vec().into()]).await?;
    Ok(row.map_or_else(Tally::default, |row| Tally {
        guesses: count(row.guesses),
        last_guess_at: Timestamp(row.last_guess_at),
        day: row.day,
        guesses_today: count(row.guesses_today),
        blocked_until: Timestamp(row.blocked_until),
    }))
}

/// Remembers it.
///
/// # Errors
/// `Database`.
pub async fn save(scope: &Scope, subject: &[u8; 32], tally: Tally) -> Result<(), StoreError> {
    let values = [
        subject.to_vec().into(),
        i64::from(tally.guesses).into(),
        tally.last_guess_at.0.into(),
        tally.day.into(),
        i64::from(tally.guesses_today).into(),
        tally.blocked_until.0.into(),
    ];
    scope.run(SAVE, values).await?;
    Ok(())
}

/// Forgets subjects that have been silent since `before`.
///
/// # Errors
/// `Database`.
pub async fn forget_before(scope: &Scope, before: Timestamp) -> Result<(), StoreError> {
    scope.run(FORGET, [before.0.into()]).await?;
    Ok(())
}

fn count(stored: i64) -> u32 {
    u32::try_from(stored).unwrap_or(u32::MAX)
}
