//! Whether the process is up, and whether it can work. Says nothing else.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpResponse, http::header::CONTENT_TYPE};

use super::site::SharedSite;
use crate::store::migrate;

/// `GET /healthz`.
pub async fn healthz() -> HttpResponse {
    plain(StatusCode::OK, "up\n".to_owned())
}

/// `GET /readyz`: the database answers and has the schema of this release. The keys are there, or the
/// program would not have started.
pub async fn readyz(site: Data<SharedSite>) -> HttpResponse {
    let store = site.desk.store();
    let mut reasons = Vec::new();
    if store.answers().await.is_err() {
        reasons.push("the database does not answer");
    } else if !matches!(migrate::is_current(store.connection()).await, Ok(true)) {
        reasons.push("the database is not migrated to this release");
    }
    if reasons.is_empty() {
        plain(StatusCode::OK, "ready\n".to_owned())
    } else {
        plain(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: {}\n", reasons.join(", ")),
        )
    }
}

fn plain(status: StatusCode, text: String) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
        .body(text)
}
