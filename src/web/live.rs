//! Live pages: a stream that says only `changed`. The page is then fetched again by the same road as the
//! first time, so nothing is drawn twice and nothing is shown that a visit would not show.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Bytes;
use futures::stream::unfold;

use super::page::{Answer, Visit};
use super::problem::Problem;
use super::site::SharedSite;
use crate::desk::session::{self, Session};

/// How often a page of one thing is looked at.
pub const SOON: Duration = Duration::from_secs(1);
/// How often a page that sums up much is looked at: drawing it again costs more.
pub const SOMETIMES: Duration = Duration::from_secs(4);
/// A signed-out browser hears nothing more after so long.
const SESSION_EVERY: Duration = Duration::from_secs(30);
/// Then a browser connects anew: a proxy may have lost it.
const STREAM_MAX: Duration = Duration::from_secs(600);
/// A sign of life for proxies.
const BREATH_EVERY: Duration = Duration::from_secs(15);
/// Streams at once in this process.
const STREAMS_MAX: usize = 200;
static STREAMS: AtomicUsize = AtomicUsize::new(0);

/// What a stream watches, as one text that changes when the page would.
pub type Fingerprint = Pin<Box<dyn Future<Output = Result<String, Problem>>>>;

/// Watches with `look`, which is asked again and again, `every` so often.
///
/// # Errors
/// As the first look's; `unavailable` when too many watch.
pub async fn stream(
    visit: Visit,
    every: Duration,
    look: impl Fn(SharedSite, Session) -> Fingerprint + 'static,
) -> Answer {
    let place = Place::take().ok_or_else(|| {
        Problem::unavailable("Too many pages are watched at once. This one can be reloaded.")
    })?;
    let seen = look(visit.site.clone(), visit.session.clone()).await?;
    let watch = Watch {
        site: visit.site,
        session: visit.session,
        look: Box::new(look),
        seen,
        every,
        began: None,
        asked_at: Instant::now(),
        said_at: Instant::now(),
        _place: place,
    };
    let events = unfold(watch, |mut watch| async move {
        let said = watch.next().await?;
        Some((Ok::<_, actix_web::Error>(said), watch))
    });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // A proxy that collects answers would hold every event back.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(events))
}

struct Watch {
    site: SharedSite,
    session: Session,
    look: Box<dyn Fn(SharedSite, Session) -> Fingerprint>,
    seen: String,
    every: Duration,
    /// None before the first word.
    began: Option<Instant>,
    /// When the session was last asked about.
    asked_at: Instant,
    said_at: Instant,
    _place: Place,
}

impl Watch {
    /// The next thing to say; None ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        let Some(began) = self.began else {
            self.began = Some(Instant::now());
            return Some(Bytes::from_static(b": watching\n\n"));
        };
        loop {
            tokio::time::sleep(self.every).await;
            if began.elapsed() > STREAM_MAX || self.site.desk.engine.is_stopping() {
                return None;
            }
            let session_every = self.site.desk.engine.pace.wait(SESSION_EVERY);
            if self.asked_at.elapsed() >= session_every {
                self.asked_at = Instant::now();
                if !self.is_signed_in().await {
                    return None;
                }
            }
            let now = (self.look)(self.site.clone(), self.session.clone());
            let now = now.await.ok()?;
            if now != self.seen {
                self.seen = now;
                self.said_at = Instant::now();
                return Some(Bytes::from_static(b"event: changed\ndata: changed\n\n"));
            }
            if self.said_at.elapsed() >= BREATH_EVERY {
                self.said_at = Instant::now();
                return Some(Bytes::from_static(b": still here\n\n"));
            }
        }
    }

    /// Watching is no use of the session: it ends by itself all the same.
    async fn is_signed_in(&self) -> bool {
        let holds = session::holds(&self.site.desk, &self.session).await;
        holds.unwrap_or(false)
    }
}

/// One of the streams that may be open.
struct Place;

impl Place {
    fn take() -> Option<Self> {
        let before = STREAMS.fetch_add(1, Ordering::SeqCst);
        let place = Self;
        (before < STREAMS_MAX).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        STREAMS.fetch_sub(1, Ordering::SeqCst);
    }
}
