//! Reads a request's body: so much, so long, and no further.

use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Bytes, BytesMut};
use futures::StreamExt;

use super::problem::Problem;

/// A body that has not arrived whole by then is given up: with the five seconds that a head may take, a request
/// has fifteen.
const DEADLINE: Duration = Duration::from_secs(10);

/// The whole body.
///
/// # Errors
/// 413 over `limit`, 408 after the deadline, 400 when it breaks off.
pub async fn read(request: &mut ServiceRequest, limit: usize) -> Result<Bytes, Problem> {
    let announced = request.headers().get(CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|announced| announced > limit) {
        return Err(Problem::too_large(limit));
    }
    let payload = request.take_payload();
    match tokio::time::timeout(DEADLINE, collect(payload, limit)).await {
        Ok(collected) => collected,
        Err(_) => Err(Problem::too_slow()),
    }
}

async fn collect(mut payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::malformed("The body broke off."))?;
        if body.len().saturating_add(chunk.len()) > limit {
            return Err(Problem::too_large(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The media type without its parameters, in lower case; empty when none is given.
#[must_use]
pub fn media_type(request: &ServiceRequest) -> String {
    let given = request.headers().get(CONTENT_TYPE);
    let given = given.and_then(|value| value.to_str().ok()).unwrap_or("");
    let plain = given.split(';').next().unwrap_or("");
    plain.trim().to_ascii_lowercase()
}
