//! Every page is drawn in both widths and both themes and kept as a picture; none is wider than its window.

use ml_connector::domain::pair::Approval;
use serde_json::json;

use super::tab::Tab;
use crate::support::browser::Scripts;
use crate::support::database::{Engine, TestDatabase};
use crate::web::records::{Travelled, text};

#[tokio::test(flavor = "multi_thread")]
async fn pages_fit_their_window() {
    let database = TestDatabase::empty(Engine::Sqlite, "look").await;
    let road = Travelled::begin(database, Approval::Review).await;
    let held = text(&road.in_state("commitments", "held").await[0]["id"]);
    let failed = road.in_state("vendors", "review").await;
    let review = text(&failed[0]["id"]);
    let run = text(&road.all("/api/v1/runs", 1).await[0]["id"]);
    let connection = text(&road.all("/api/v1/connections", 1).await[0]["id"]);
    let pair = road.road.pair;
    let full = [
        ("dashboard", "/dashboard".to_owned()),
        ("records", "/records".to_owned()),
        ("record", format!("/records/{review}")),
        ("approvals", "/approvals".to_owned()),
        ("approval", format!("/approvals/{held}")),
        ("runs", "/runs".to_owned()),
        ("run", format!("/runs/{run}")),
        ("connections", "/connections".to_owned()),
        ("connection", format!("/connections/{connection}")),
        ("connection_edit", format!("/connections/{connection}/edit")),
        ("pairs", "/pairs".to_owned()),
        ("pair", format!("/pairs/{pair}")),
        ("pair_edit", format!("/pairs/{pair}/edit")),
        ("mapping", format!("/pairs/{pair}/mappings/cost_codes")),
        ("audit", "/audit".to_owned()),
        ("cross_references", "/cross-references".to_owned()),
        ("tokens", "/tokens".to_owned()),
        ("missing", "/nothing".to_owned()),
    ];
    let empty = [
        "dashboard",
        "records",
        "approvals",
        "runs",
        "connections",
        "pairs",
        "audit",
    ];
    let tab = Tab::open(&road.app, Scripts::On).await;
    for (name, path) in [
        ("landing", "/"),
        ("sign_in", "/sign-in"),
        ("sign_up", "/sign-up"),
    ] {
        look(&tab, name, path).await;
    }
    tab.sign_in(&road.account).await;
    for (name, path) in &full {
        look(&tab, name, path).await;
    }
    // Paused and rehearsed: the report, and the pair with what activating it would do.
    road.api()
        .post(&format!("/api/v1/pairs/{pair}/pause"), json!({}), 200)
        .await;
    let dry = road.rehearse(json!({"dry_run": true, "full": true})).await;
    let report = format!("/runs/{}", text(&dry["id"]));
    look(&tab, "report", &report).await;
    look(&tab, "report_waits", &format!("{report}?action=wait")).await;
    look(&tab, "pair_paused", &format!("/pairs/{pair}")).await;
    tab.browser.driver.delete_all_cookies().await.unwrap();
    tab.sign_in(&road.other).await;
    for name in empty {
        look(&tab, &format!("{name}_empty"), &format!("/{name}")).await;
    }
    road.app.stop().await;
}

async fn look(tab: &Tab, name: &str, path: &str) {
    for (width, theme) in [
        (1440, "light"),
        (1440, "dark"),
        (390, "light"),
        (390, "dark"),
    ] {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": theme}]});
        let browser = &tab.browser;
        browser
            .command("Emulation.setDeviceMetricsOverride", size)
            .await;
        browser.command("Emulation.setEmulatedMedia", media).await;
        tab.go(path).await;
        let over = tab
            .ask("return document.documentElement.scrollWidth - innerWidth")
            .await;
        let over = over.unwrap().as_i64().unwrap();
        assert!(over <= 0, "{path} is {over} pixels wider than {width}");
        browser.picture(&format!("{name}_{width}_{theme}")).await;
    }
}
