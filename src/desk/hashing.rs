//! Password hashing takes tens of milliseconds of a core: a few at once, a short queue, never on a
//! thread that answers requests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::DeskError;
use crate::vault::VaultError;

/// Hashes at once in this process, however many ask.
static AT_ONCE: Semaphore = Semaphore::const_new(2);
static WAITING: AtomicUsize = AtomicUsize::new(0);
/// More would wait longer than a person does.
const WAITING_MAX: usize = 32;
const COME_BACK_IN: Duration = Duration::from_secs(2);

/// Runs a hash or a comparison.
///
/// # Errors
/// `TooFast` when too many wait; the vault's own.
pub(super) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, DeskError> {
    let place = Place::take().ok_or(DeskError::TooFast {
        retry_after: COME_BACK_IN,
    })?;
    let _permit = AT_ONCE.acquire().await.map_err(|_| VaultError::Hashing)?;
    drop(place);
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| VaultError::Hashing)?.map_err(Into::into)
}

/// A place in the queue; left when dropped, also by a caller who went away.
struct Place;

impl Place {
    fn take() -> Option<Self> {
        let before = WAITING.fetch_add(1, Ordering::SeqCst);
        let place = Self;
        (before < WAITING_MAX).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::SeqCst);
    }
}
