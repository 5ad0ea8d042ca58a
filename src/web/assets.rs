//! Style, scripts and pictures. They are part of the program; in a development build they are read
//! from `static/` as they are.

use actix_web::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use data_encoding::HEXLOWER;
use rust_embed::RustEmbed;

use super::problem::Problem;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Assets;

/// Kept, but asked about every time: a new release shows at once, and an unchanged file costs a line.
const KEEP: &str = "public, no-cache";

/// `GET /static/{file}`.
///
/// # Errors
/// `missing`.
pub async fn file(request: HttpRequest, file: Path<String>) -> Result<HttpResponse, Problem> {
    send(&request, &file)
}

/// `GET /favicon.ico`, which browsers ask for by themselves.
///
/// # Errors
/// `missing`.
pub async fn favicon(request: HttpRequest) -> Result<HttpResponse, Problem> {
    send(&request, "img/favicon-32.png")
}

/// `GET /robots.txt`: nothing here is for search engines but the first page.
pub async fn robots() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("User-agent: *\nAllow: /$\nDisallow: /\n")
}

fn send(request: &HttpRequest, file: &str) -> Result<HttpResponse, Problem> {
    let found = Assets::get(file).ok_or_else(|| Problem::missing("file"))?;
    let tag = found.metadata.sha256_hash();
    let tag = format!("\"{}\"", HEXLOWER.encode(tag.get(..16).unwrap_or(&tag)));
    let known = request.headers().get(IF_NONE_MATCH);
    let is_known = known
        .and_then(|known| known.to_str().ok())
        .is_some_and(|known| {
            known
                .split(',')
                .any(|one| one.trim().trim_start_matches("W/") == tag)
        });
    let mut answer = if is_known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    answer
        .insert_header((ETAG, tag))
        .insert_header((CACHE_CONTROL, KEEP));
    if is_known {
        return Ok(answer.finish());
    }
    Ok(answer
        .content_type(media_type(file))
        .body(found.data.into_owned()))
}

fn media_type(file: &str) -> String {
    let guessed = mime_guess::from_path(file).first_or_octet_stream();
    match guessed.type_().as_str() {
        "text" => format!("{guessed}; charset=utf-8"),
        _ => guessed.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_the_type_that_browsers_ask_for() {
        for (file, kind) in [
            ("css/foundation.css", "text/css; charset=utf-8"),
            ("js/app.js", "text/javascript; charset=utf-8"),
            ("img/favicon.svg", "image/svg+xml"),
            ("img/favicon-32.png", "image/png"),
        ] {
            assert_eq!(media_type(file), kind);
        }
    }
}
