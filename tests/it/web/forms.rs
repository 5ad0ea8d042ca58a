//! Forms come from our own pages, in the session that opened them.

use crate::support::app::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_its_own_token_changes_nothing() {
    let app = TestApp::start().await;
    let (mine, theirs) = (app.account("Mine").await, app.account("Theirs").await);
    let mut me = app.signed_in(&mine).await;
    let mut other = app.signed_in(&theirs).await;
    let foreign = other.get("/tokens/new").await.hidden("csrf");
    let own = me.get("/tokens/new").await.hidden("csrf");
    assert_ne!(foreign, own);
    let fields = [("name", "x"), ("scopes", "read"), ("expires_in_days", "30")];
    for token in ["", "0", foreign.as_str()] {
        let mut all = vec![("csrf", token)];
        all.extend_from_slice(&fields);
        assert_eq!(me.post_bare("/tokens", &all).await.status, 403, "{token}");
    }
    assert_eq!(me.post_bare("/tokens", &fields).await.status, 403);
    assert_eq!(me.post_bare("/sign-out", &[]).await.status, 403);
    assert_eq!(
        mine.api.get("/api/v1/tokens", 200).await["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    let mut all = vec![("csrf", own.as_str())];
    all.extend_from_slice(&fields);
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
    ] {
        me.headers = vec![(name, value.to_owned())];
        assert_eq!(
            me.post_bare("/tokens", &all).await.status,
            403,
            "{name}: {value}"
        );
    }
    me.headers = vec![
        ("origin", app.url.clone()),
        ("sec-fetch-site", "same-origin".to_owned()),
    ];
    assert_eq!(me.post_bare("/tokens", &all).await.status, 200);
    assert_eq!(
        mine.api.get("/api/v1/tokens", 200).await["data"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_signed_in_by_a_foreign_form() {
    let app = TestApp::start().await;
    let account = app.account("Acme").await;
    let mut visitor = app.visitor();
    let fields = [
        ("email", account.email.as_str()),
        ("password", crate::support::app::PASSWORD),
    ];
    assert_eq!(visitor.post_bare("/sign-in", &fields).await.status, 403);
    assert!(!visitor.cookies.contains_key("mlc_session"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_are_shown_as_text() {
    let app = TestApp::start().await;
    let account = app.account("<script>alert('company')</script>").await;
    let mut visitor = app.signed_in(&account).await;
    let name = "\"><img src=x onerror=alert(1)>{{7*7}}'";
    let fields = [
        ("name", name),
        ("scopes", "read"),
        ("expires_in_days", "<b>"),
    ];
    let refused = visitor.submit("/tokens/new", "/tokens", &fields).await;
    assert_eq!(refused.status, 422);
    let made = visitor
        .submit(
            "/tokens/new",
            "/tokens",
            &[("name", name), ("scopes", "read")],
        )
        .await;
    assert_eq!(made.status, 200);
    let list = visitor.get("/tokens").await;
    for page in [&refused.text, &made.text, &list.text] {
        assert!(!page.contains("<img src=x"), "{page}");
        assert!(!page.contains("<script>alert"), "{page}");
        assert!(page.contains("onerror=alert(1)"), "the name is shown");
    }
    app.stop().await;
}
