//! Waits for the demo's first run, and decides for accounting: all orders but a few are approved, so that
//! every state can be seen.

use std::time::{Duration, Instant};

use crate::desk::record::{Act, act};
use crate::desk::{Desk, pair};
use crate::domain::ids::PairId;
use crate::domain::member::Caller;
use crate::domain::record::State;
use crate::store::search::{self, Filter};

/// Orders that are left for the visitor to approve.
const LEFT: usize = 3;
/// A slow machine gets its demo all the same, only with more still under way.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(250);
const HELD_MAX: u32 = 200;

/// Waits until the first run rests, approves, and waits until that rests too.
pub(super) async fn watch(desk: &Desk, caller: &Caller, id: PairId) -> anyhow::Result<()> {
    let until = Instant::now() + PATIENCE;
    rest(desk, caller, id, until).await?;
    let scope = desk.store().read(caller.tenant_id).await?;
    let filter = Filter {
        pair: Some(id),
        states: vec![State::Held],
        ..Filter::default()
    };
    let held = search::records(&scope, &filter, None, HELD_MAX).await?;
    drop(scope);
    for work in held.iter().skip(LEFT) {
        act(desk, caller, work.record.id, Act::Approve { digest: None }).await?;
    }
    rest(desk, caller, id, until).await
}

async fn rest(desk: &Desk, caller: &Caller, id: PairId, until: Instant) -> anyhow::Result<()> {
    while Instant::now() < until {
        let work = pair::find(desk, caller, id).await?.work;
        let total: u64 = work.iter().map(|(_, records)| records).sum();
        let busy: u64 = work
            .iter()
            .filter(|(state, _)| !state.is_at_rest())
            .map(|(_, records)| records)
            .sum();
        if total > 0 && busy == 0 {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}
