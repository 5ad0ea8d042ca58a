//! The way out for somebody who waits: a call that the pace holds back goes when its turn comes.

use std::sync::Arc;
use std::time::Duration;

use crate::contract::{Answer, Body, Request, Response, Wire};
use crate::domain::fault::Fault;

/// A person waits this long for turns, all of one call together: longer than a vendor's short window.
const WAITS: Duration = Duration::from_secs(15);

/// A wire that waits for its turn instead of giving up.
pub(super) struct Patient(pub Arc<dyn Wire>);

impl Wire for Patient {
    fn send(&self, request: Request) -> Answer<'_, Response> {
        Box::pin(async move {
            let mut left = WAITS;
            loop {
                match self.0.send(again(&request)).await {
                    // The wire says so before anything is sent, so this repeats nothing.
                    Err(Fault::RateLimited { retry_after, .. }) if retry_after <= left => {
                        // A wait of no length would turn on the spot.
                        let wait = retry_after.max(Duration::from_millis(50));
                        left = left.saturating_sub(wait);
                        tokio::time::sleep(wait).await;
                    }
                    answer => return answer,
                }
            }
        })
    }
}

fn again(request: &Request) -> Request {
    Request {
        method: request.method,
        url: request.url.clone(),
        headers: request.headers.clone(),
        bearer: request.bearer.as_ref().map(|token| token.again()),
        body: match &request.body {
            Body::None => Body::None,
            Body::Json(value) => Body::Json(value.clone()),
            Body::Form(fields) => Body::Form(fields.clone()),
        },
        call: request.call,
        timeout: request.timeout,
        operation: request.operation.clone(),
        private: request.private,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::contract::{Call, Method};
    use crate::domain::secret::Secret;

    /// Holds back the first calls.
    struct Busy {
        seen: AtomicU32,
        holds_back: u32,
        asks: Duration,
    }

    impl Wire for Busy {
        fn send(&self, request: Request) -> Answer<'_, Response> {
            Box::pin(async move {
                assert_eq!(request.bearer.unwrap().open(), "token");
                if self.seen.fetch_add(1, Ordering::SeqCst) < self.holds_back {
                    return Err(Fault::RateLimited {
                        retry_after: self.asks,
                        message: "wait".to_owned(),
                    });
                }
                Ok(Response {
                    status: 200,
                    headers: Vec::new(),
                    body: Vec::new(),
                })
            })
        }
    }

    async fn sent(holds_back: u32, asks: Duration) -> (bool, u32) {
        let busy = Arc::new(Busy {
            seen: AtomicU32::new(0),
            holds_back,
            asks,
        });
        let request = Request {
            method: Method::Get,
            url: "https://api.example".parse().unwrap(),
            headers: Vec::new(),
            bearer: Some(Secret::new("token".to_owned())),
            body: Body::None,
            call: Call::Read,
            timeout: Duration::from_secs(1),
            operation: "read".to_owned(),
            private: false,
        };
        let wire = Patient(busy.clone());
        let answer = wire.send(request).await;
        (answer.is_ok(), busy.seen.load(Ordering::SeqCst))
    }

    #[tokio::test]
    async fn a_call_waits_for_its_turn_but_not_for_ever() {
        assert_eq!(sent(2, Duration::from_millis(10)).await, (true, 3));
        assert_eq!(sent(1, WAITS + Duration::from_secs(1)).await, (false, 1));
    }
}
