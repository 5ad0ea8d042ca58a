//! The last runs as bars: what was written, what waits, what failed. Drawn on the server.

use crate::domain::clock::Timestamp;
use crate::domain::run::Counts;
use crate::store::run::OpenRun;
use crate::web::page::say;

/// Width of a bar with its gap, in the picture's own units.
pub const STEP: usize = 16;
/// Height of the picture above its base line.
const HEIGHT: u64 = 60;
/// Anything that is not nothing can be seen.
const SEEN_MIN: u64 = 2;

/// One run.
pub struct Bar {
    pub href: String,
    pub title: String,
    pub x: usize,
    pub parts: Vec<Part>,
}

/// One colour of a bar.
pub struct Part {
    pub class: &'static str,
    pub y: u64,
    pub height: u64,
}

/// Oldest first, as one reads.
#[must_use]
pub fn draw(runs: &[OpenRun], now: Timestamp) -> Vec<Bar> {
    let counted: Vec<[u64; 3]> = runs.iter().map(counts).collect();
    let most = counted.iter().map(|counts| counts.iter().sum()).max();
    let most: u64 = most.unwrap_or(0).max(1);
    let bars = runs.iter().zip(counted).rev().enumerate();
    bars.map(|(at, (open, counts))| {
        let began = open.run.started_at.unwrap_or(open.run.queued_at);
        let [written, waiting, failed] = counts;
        Bar {
            href: format!("/runs/{}", open.run.id),
            title: format!(
                "{}: {written} written, {waiting} waiting, {failed} failed",
                say::distance(began, now)
            ),
            x: at.saturating_mul(STEP),
            parts: stack(counts, most),
        }
    })
    .collect()
}

/// Written, waiting (for people or other records), failed.
fn counts(open: &OpenRun) -> [u64; 3] {
    let total = |count: fn(&Counts) -> u64| open.run.flows.values().map(count).sum::<u64>();
    [
        total(|counts| counts.created + counts.updated + counts.linked),
        total(|counts| counts.waiting + counts.held + counts.review + counts.retrying),
        total(|counts| counts.failed),
    ]
}

fn stack(counts: [u64; 3], most: u64) -> Vec<Part> {
    let mut y = HEIGHT;
    let mut parts = Vec::new();
    for (class, count) in ["good", "wait", "bad"].into_iter().zip(counts) {
        if count == 0 {
            continue;
        }
        let height = (count.saturating_mul(HEIGHT) / most).max(SEEN_MIN).min(y);
        y = y.saturating_sub(height);
        parts.push(Part { class, y, height });
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tallest_run_fills_the_picture_and_a_single_record_is_seen() {
        let heights = |counts, most| -> Vec<(&'static str, u64, u64)> {
            let parts = stack(counts, most).into_iter();
            parts
                .map(|part| (part.class, part.y, part.height))
                .collect()
        };
        assert_eq!(
            heights([50, 30, 20], 100),
            [("good", 30, 30), ("wait", 12, 18), ("bad", 0, 12)]
        );
        assert_eq!(heights([0, 0, 1], 1_000), [("bad", 58, 2)]);
        assert_eq!(heights([0, 0, 0], 1), []);
    }
}
