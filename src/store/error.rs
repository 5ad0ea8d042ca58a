//! What can go wrong between a unit and the database.

use sea_orm::DbErr;

const LEASE: &str = "the lease";
const RECORD: &str = "the record";

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
    /// The unit was dropped before its commit: a defect, or a database that could not be had.
    #[error("nothing was done")]
    NotDone,
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
    /// The tenant's lease is somebody else's by now: everything under it stops.
    pub const TURN_LOST: Self = Self::Stale(LEASE);

    /// A record changed since it was read: what was concluded from it no longer holds.
    pub const RECORD_CHANGED: Self = Self::Stale(RECORD);

    /// Whether it is [`Self::RECORD_CHANGED`].
    #[must_use]
    pub fn is_record_changed(&self) -> bool {
        matches!(self, Self::Stale(what) if *what == RECORD)
    }

    /// Whether it is [`Self::TURN_LOST`], and not some other row that changed.
    #[must_use]
    pub fn is_turn_lost(&self) -> bool {
        matches!(self, Self::Stale(what) if *what == LEASE)
    }

    /// A unique index refused the row.
    #[must_use]
    pub fn is_taken(error: &DbErr) -> bool {
        matches!(
            error.sql_err(),
            Some(sea_orm::SqlErr::UniqueConstraintViolation(_))
        )
    }
}
