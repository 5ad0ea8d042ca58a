//! Signing up, in and out; guesses; sessions.

use std::time::Duration;

use ml_connector::domain::clock::{Clock, Timestamp};

use crate::support::app::{PASSWORD, TestApp, Wanted};
use crate::support::database::{TestDatabase, both};

both!(a_stranger_signs_up_out_and_in);

async fn a_stranger_signs_up_out_and_in(database: TestDatabase) {
    let app = TestApp::start_on(database, Wanted::default()).await;
    let mut ada = app.visitor();
    let landing = ada.get("/").await;
    assert!(
        landing.text.contains("href=\"/sign-up\"") && landing.text.contains("href=\"/sign-in\"")
    );

    let fields = [
        ("company", "Acme Construction"),
        ("name", "Ada"),
        ("email", "Ada@Example.com"),
        ("password", PASSWORD),
    ];
    let done = ada.submit("/sign-up", "/sign-up", &fields).await;
    assert_eq!(done.status, 303, "{}", done.text);
    assert_eq!(done.goes_to(), "/dashboard");
    let dashboard = ada.get("/dashboard").await;
    assert_eq!(dashboard.status, 200);
    assert!(
        dashboard.text.contains("Acme Construction"),
        "{}",
        dashboard.text
    );

    let old = ada.cookies.clone();
    let out = ada.submit("/dashboard", "/sign-out", &[]).await;
    assert_eq!((out.status.as_u16(), out.goes_to()), (303, "/"));
    let asked = ada.get("/dashboard?x=1").await;
    assert_eq!(asked.goes_to(), "/sign-in?next=%2Fdashboard%3Fx%3D1");
    ada.cookies = old.clone();
    assert_eq!(ada.get("/dashboard").await.status, 401);

    ada.cookies.clear();
    ada.sign_in("ada@example.COM ", PASSWORD).await;
    assert_eq!(ada.get("/dashboard").await.status, 200);
    assert_ne!(ada.cookies["mlc_session"], old["mlc_session"]);
    app.stop().await;
}

both!(one_e_mail_opens_one_account);

async fn one_e_mail_opens_one_account(database: TestDatabase) {
    let app = TestApp::start_on(database, Wanted::default()).await;
    let first = app.account("First").await;
    let mut other = app.visitor();
    let fields = [
        ("company", "Second"),
        ("name", "Eve"),
        ("email", first.email.as_str()),
        ("password", PASSWORD),
    ];
    let refused = other.submit("/sign-up", "/sign-up", &fields).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.text.contains("has an account already"),
        "{}",
        refused.text
    );
    assert!(refused.text.contains("value=\"Second\""));
    assert!(!refused.text.contains(PASSWORD));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_field_of_a_sign_up_is_told_at_once() {
    let app = TestApp::start().await;
    let mut visitor = app.visitor();
    let fields = [
        ("company", " "),
        ("name", ""),
        ("email", "ada"),
        ("password", "Password1234"),
    ];
    let refused = visitor.submit("/sign-up", "/sign-up", &fields).await;
    assert_eq!(refused.status, 422);
    for field in ["company", "name", "email", "password"] {
        assert!(
            refused.text.contains(&format!("id=\"{field}-error\"")),
            "{field}"
        );
    }
    app.stop().await;
}

both!(a_thousand_guesses_are_ten);

async fn a_thousand_guesses_are_ten(database: TestDatabase) {
    let clock = Clock::by_hand(Timestamp(1_795_000_000 * Timestamp::SECOND));
    let wanted = Wanted {
        clock: clock.clone(),
        ..Wanted::default()
    };
    let app = TestApp::start_on(database, wanted).await;
    let account = app.account("Acme").await;
    let mut guesser = app.visitor();
    let token = guesser.get("/sign-in").await.hidden("csrf");
    let mut evaluated = 0;
    for guess in 0..100 {
        let password = format!("guess number {guess}");
        let fields = [
            ("csrf", token.as_str()),
            ("email", account.email.as_str()),
            ("password", password.as_str()),
        ];
        let answer = guesser.post_bare("/sign-in", &fields).await;
        match answer.status.as_u16() {
            422 => evaluated += 1,
            429 => assert!(answer.headers.contains_key("retry-after")),
            other => panic!("{other}: {}", answer.text),
        }
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(evaluated, 10);
    // Neither does the right password get in now, nor does the refusal last.
    let fields = [
        ("csrf", token.as_str()),
        ("email", account.email.as_str()),
        ("password", PASSWORD),
    ];
    assert_eq!(guesser.post_bare("/sign-in", &fields).await.status, 429);
    clock.advance(Duration::from_secs(15 * 60));
    assert_eq!(guesser.post_bare("/sign-in", &fields).await.status, 303);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_account_is_answered_like_a_wrong_password() {
    let app = TestApp::start().await;
    let account = app.account("Acme").await;
    let mut visitor = app.visitor();
    let mut pages = Vec::new();
    for email in [account.email.as_str(), "nobody-at-all@example.com"] {
        let fields = [("email", email), ("password", "not the password")];
        let page = visitor.submit("/sign-in", "/sign-in", &fields).await;
        pages.push((page.status, page.text.replace(email, "E-MAIL")));
    }
    assert_eq!(pages[0], pages[1]);
    assert_eq!(pages[0].0, 422);
    app.stop().await;
}

both!(a_session_ends_by_itself);

async fn a_session_ends_by_itself(database: TestDatabase) {
    let clock = Clock::by_hand(Timestamp(1_795_000_000 * Timestamp::SECOND));
    let wanted = Wanted {
        clock: clock.clone(),
        ..Wanted::default()
    };
    let app = TestApp::start_on(database, wanted).await;
    let account = app.account("Acme").await;

    let mut idle = app.signed_in(&account).await;
    clock.advance(Duration::from_secs(29 * 60));
    assert_eq!(idle.get("/dashboard").await.status, 200);
    clock.advance(Duration::from_secs(29 * 60));
    assert_eq!(idle.get("/dashboard").await.status, 200);
    clock.advance(Duration::from_secs(30 * 60));
    assert_eq!(idle.get("/dashboard").await.status, 401);

    let mut busy = app.signed_in(&account).await;
    for _ in 0..35 {
        assert_eq!(busy.get("/dashboard").await.status, 200);
        clock.advance(Duration::from_secs(20 * 60));
    }
    assert_eq!(busy.get("/dashboard").await.status, 200);
    clock.advance(Duration::from_secs(20 * 60));
    assert_eq!(busy.get("/dashboard").await.status, 401);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_house_takes_nobody_in() {
    let app = TestApp::start_as(Wanted {
        signup: ml_connector::web::Signup::Closed,
        ..Wanted::default()
    })
    .await;
    let mut visitor = app.visitor();
    assert_eq!(visitor.get("/sign-up").await.status, 403);
    let fields = [
        ("company", "A"),
        ("name", "B"),
        ("email", "c@example.com"),
        ("password", PASSWORD),
    ];
    let refused = visitor.submit("/sign-in", "/sign-up", &fields).await;
    assert_eq!(refused.status, 403);
    assert!(!visitor.get("/").await.text.contains("/sign-up"));
    app.stop().await;
}

both!(a_password_is_changed_and_other_browsers_are_signed_out);

async fn a_password_is_changed_and_other_browsers_are_signed_out(database: TestDatabase) {
    let app = TestApp::start_on(database, Wanted::default()).await;
    let account = app.account("Acme").await;
    let mut here = app.signed_in(&account).await;
    let mut there = app.signed_in(&account).await;
    let page = here.get("/account").await;
    assert_eq!(page.text.matches("Sign it out").count(), 1);

    let new = "eight herons under the bridge";
    for (current, wanted, field) in [
        ("", new, "current_password"),
        ("not my password", new, "current_password"),
        (PASSWORD, "short", "new_password"),
    ] {
        let fields = [("current_password", current), ("new_password", wanted)];
        let refused = here.submit("/account", "/account/password", &fields).await;
        assert_eq!(refused.status, 422);
        assert!(
            refused.text.contains(&format!("id=\"{field}-error\"")),
            "{field}"
        );
    }
    assert_eq!(there.get("/dashboard").await.status, 200);
    let fields = [("current_password", PASSWORD), ("new_password", new)];
    let changed = here.submit("/account", "/account/password", &fields).await;
    assert_eq!(changed.status, 303, "{}", changed.text);
    assert_eq!(there.get("/dashboard").await.status, 401);
    assert_eq!(here.get("/dashboard").await.status, 200);
    let mut again = app.visitor();
    again.sign_in(&account.email, new).await;

    // One is signed out from another browser, and not by a stranger.
    let other = app.account("Other").await;
    let mut stranger = app.signed_in(&other).await;
    let page = here.get("/account").await;
    let (_, rest) = page
        .text
        .split_once("/account/sessions/")
        .expect("another session");
    let end = format!("/account/sessions/{}/end", rest.split('/').next().unwrap());
    assert_eq!(stranger.submit("/account", &end, &[]).await.status, 404);
    assert_eq!(again.get("/dashboard").await.status, 200);
    assert_eq!(here.submit("/account", &end, &[]).await.status, 303);
    assert_eq!(again.get("/dashboard").await.status, 401);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_trusted_proxy_says_where_somebody_is() {
    for (trusted, expected) in [
        (&[][..], "127.0.0.1"),
        (&["127.0.0.0/8"][..], "198.51.100.7"),
    ] {
        let app = TestApp::start_as(Wanted {
            trusted_proxies: trusted,
            ..Wanted::default()
        })
        .await;
        let account = app.account("Acme").await;
        let mut visitor = app.visitor();
        visitor
            .headers
            .push(("x-forwarded-for", "6.6.6.6, 198.51.100.7".to_owned()));
        visitor
            .headers
            .push(("x-forwarded-host", "evil.example".to_owned()));
        visitor.sign_in(&account.email, PASSWORD).await;
        let trail = account
            .api
            .get("/api/v1/audit?action=member.signed_in", 200)
            .await;
        assert_eq!(trail["data"][0]["detail"]["from"], expected);
        assert!(
            !visitor
                .get("/dashboard")
                .await
                .text
                .contains("evil.example")
        );
        app.stop().await;
    }
}
