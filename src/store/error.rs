//! What can go wrong between a unit and the database.

use sea_orm::DbErr;

/// Why a unit was not committed or a row not found.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such row in this tenant.
    #[error("there is no such {0}")]
    Missing(&'static str),
    /// Somebody else holds the work now, or the row changed since it was read.
    #[error("{0} changed in the meantime")]
    Stale(&'static str),
    /// A unique value is in use.
    #[error("{0} is taken")]
    Taken(&'static str),
    /// A stored value cannot be read; the row needs an operator.
    #[error("{table}.{column} holds something unreadable")]
    Corrupt {
        table: &'static str,
        column: &'static str,
    },
    /// The database refused or did not answer.
    #[error("the database did not do it")]
    Database(#[source] DbErr),
    /// The program is stopping.
    #[error("the program is stopping")]
    Stopping,
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

impl StoreError {
    /// A unique index refused the row.
    #[must_use]
    pub fn is_taken(error: &DbErr) -> bool {
        matches!(
            error.sql_err(),
            Some(sea_orm::SqlErr::UniqueConstraintViolation(_))
        )
    }
}
