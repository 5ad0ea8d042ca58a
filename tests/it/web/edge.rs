//! What every answer carries, and what no request gets past.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::app::{TestApp, Wanted};

const ALWAYS: [&str; 8] = [
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "cache-control",
    "x-frame-options",
    "x-request-id",
    "content-type",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_security_headers() {
    let app = TestApp::start_as(Wanted {
        public_url: Some("https://connect.example.com"),
        ..Wanted::default()
    })
    .await;
    let mut visitor = app.visitor();
    for (path, status) in [
        ("/", 200),
        ("/sign-in", 200),
        ("/nothing/here", 404),
        ("/api/v1/me", 401),
        ("/api/v1/nothing", 404),
        ("/api/openapi.json", 200),
        ("/static/css/foundation.css", 200),
        ("/static/../Cargo.toml", 404),
        ("/static/%2e%2e/Cargo.toml", 404),
        ("/healthz", 200),
        ("/readyz", 200),
    ] {
        let page = visitor.get(path).await;
        assert_eq!(page.status, status, "{path}");
        for header in ALWAYS {
            assert!(page.headers.contains_key(header), "{path} has no {header}");
        }
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(!policy.contains("unsafe"), "{policy}");
        let lasting = page.headers["strict-transport-security"].to_str().unwrap();
        assert!(lasting.contains("includeSubDomains"));
        assert!(!page.headers.contains_key("server"));
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_https_the_cookie_is_bound_to_the_host() {
    let app = TestApp::start_as(Wanted {
        public_url: Some("https://connect.example.com"),
        ..Wanted::default()
    })
    .await;
    let account = app.account("Acme").await;
    let mut visitor = app.visitor();
    let fields = [
        ("email", account.email.as_str()),
        ("password", crate::support::app::PASSWORD),
    ];
    let page = visitor.submit("/sign-in", "/sign-in", &fields).await;
    let cookies: Vec<&str> = page
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap())
        .collect();
    let session = cookies
        .iter()
        .find(|cookie| cookie.starts_with("__Host-mlc_session="));
    let session = session.expect("a session cookie");
    for attribute in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
        assert!(session.contains(attribute), "{session}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn problems_are_drawn_for_who_asks() {
    let app = TestApp::start().await;
    let mut visitor = app.visitor();
    let page = visitor.get("/nothing").await;
    assert!(
        page.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    let id = page.headers["x-request-id"].to_str().unwrap();
    assert!(page.text.contains(id));
    let page = visitor.get("/api/v1/nothing").await;
    assert_eq!(page.headers["content-type"], "application/problem+json");
    let body: serde_json::Value = serde_json::from_str(&page.text).unwrap();
    assert_eq!(body["status"], 404);
    assert_eq!(
        body["request_id"],
        page.headers["x-request-id"].to_str().unwrap()
    );
    for member in ["type", "title", "detail", "errors"] {
        assert!(!body[member].is_null(), "{member}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn assets_are_asked_about_and_not_sent_twice() {
    let app = TestApp::start().await;
    let mut visitor = app.visitor();
    let first = visitor.get("/static/js/app.js").await;
    assert!(
        first.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/javascript")
    );
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    visitor.headers.push(("if-none-match", tag));
    let second = visitor.get("/static/js/app.js").await;
    assert_eq!((second.status.as_u16(), second.text.as_str()), (304, ""));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_is_a_get_without_its_body() {
    let app = TestApp::start().await;
    for path in ["/", "/healthz", "/static/css/foundation.css"] {
        let url = format!("{}{path}", app.url);
        let answer = crate::support::http::client()
            .head(url)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert!(answer.headers().contains_key("x-request-id"));
        assert!(answer.text().await.unwrap().is_empty());
    }
    app.stop().await;
}

/// Sends bytes as they are, and gives what came back until the connection closed.
async fn raw(app: &TestApp, bytes: &[u8]) -> String {
    let address = app.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(bytes).await.expect("it takes bytes");
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    tokio::time::timeout(Duration::from_secs(20), reading)
        .await
        .expect("the connection is closed")
        .ok();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn tricks_on_the_wire_are_refused() {
    let app = TestApp::start().await;
    let long = "x".repeat(9_000);
    for (what, request) in [
        ("an unknown method", "BREW / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned()),
        ("TRACE", "TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned()),
        ("a method that this page does not take", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()),
        ("two lengths", "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\na=b".to_owned()),
        ("a length beside chunks", "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n".to_owned()),
        ("a long address", format!("GET /?{long} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")),
        ("a huge head", format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", format!("A: {long}\r\n").repeat(20))),
        ("a path that climbs", "GET /static/../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned()),
    ] {
        let answer = raw(&app, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{what}: {answer}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_heads_and_large_bodies_are_given_up() {
    let app = TestApp::start().await;
    let began = Instant::now();
    raw(&app, b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );

    let head = "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1073741824\r\n\r\n";
    let answer = raw(&app, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    app.stop().await;
}

/// Sends a byte of the body a second, for as long as the server takes them. Gives how long that was, and what
/// was answered.
async fn dripped(app: &TestApp, path: &str, kind: &str) -> (Duration, String) {
    let address = app.url.strip_prefix("http://").unwrap();
    let began = Instant::now();
    let (mut from, mut to) = TcpStream::connect(address).await.unwrap().into_split();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: 1000\r\n\r\n"
    );
    to.write_all(head.as_bytes()).await.unwrap();
    let drip = async {
        while to.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let heard = async {
        let mut answer = Vec::new();
        // A connection that is reset has ended, too.
        let _ = from.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    let both = async { tokio::join!(drip, heard).1 };
    let answer = tokio::time::timeout(Duration::from_secs(25), both).await;
    let answer = answer.unwrap_or_else(|_| panic!("{path} is listened to for ever"));
    (began.elapsed(), answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_bodies_are_cut_and_others_are_served_meanwhile() {
    let app = TestApp::start().await;
    let form = "application/x-www-form-urlencoded";
    let all = futures::future::join_all([
        dripped(&app, "/sign-in", form),
        dripped(&app, "/sign-up", form),
        dripped(&app, "/nowhere", form),
        dripped(&app, "/api/v1/connections", "application/json"),
    ]);
    let others = async {
        for _ in 0..20 {
            let asked = Instant::now();
            let page = app.visitor().get("/sign-in").await;
            assert_eq!(page.status, 200);
            assert!(asked.elapsed() < Duration::from_secs(2));
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    let (all, ()) = futures::join!(all, others);
    for (took, answer) in all {
        assert!(took < Duration::from_secs(15), "{took:?}: {answer}");
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_stop_stops() {
    let app = TestApp::start().await;
    let url = app.url.clone();
    let began = Instant::now();
    app.stop().await;
    assert!(began.elapsed() < Duration::from_secs(6));
    let refused = crate::support::http::client().get(url).send().await;
    assert!(refused.is_err());
}
