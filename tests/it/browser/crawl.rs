//! Hostile names on every page: no script of theirs runs, no policy is broken, nothing of the page is lost.

use std::collections::{BTreeSet, VecDeque};

use ml_connector::domain::pair::Approval;
use serde_json::{Value, json};

use super::tab::Tab;
use crate::support::browser::Scripts;
use crate::support::database::{Engine, TestDatabase};
use crate::web::records::Travelled;

/// Watches from before the page's first line.
const WATCH: &str = "
window.seen = [];
addEventListener('securitypolicyviolation', (event) => seen.push(event.violatedDirective + ' ' + event.blockedURI));
addEventListener('error', (event) => seen.push('error ' + event.message));
for (const name of ['alert', 'confirm', 'prompt']) window[name] = (text) => seen.push(name + ' ' + text);";

/// What the page must not hold, whatever the names say.
const CHECK: &str = "
const bad = [...window.seen];
if (document.querySelectorAll('script:not([src])').length) bad.push('an inline script');
if (document.querySelectorAll('main').length !== 1) bad.push('more or less than one main');
if (document.querySelectorAll('iframe, object, embed, base, marquee, [onerror], [onload], [onclick]').length) bad.push('a foreign element');
if (document.querySelectorAll('img, video, audio, math, [style]').length) bad.push('a foreign picture or style');
if (document.documentElement.scrollWidth > innerWidth) bad.push('wider than the window');
return bad;";

/// Links to pages; files that are saved are none.
const LINKS: &str = "
return [...document.querySelectorAll('a[href]')].map((link) => link.getAttribute('href'))
  .filter((href) => href.startsWith('/') && !href.startsWith('/static/') && !href.startsWith('/api/'))
  .filter((href) => !/\\/(file|export)([?]|$)|\\/changes[?]/.test(href));";

/// Beginnings, middles and ends that break out of one context or another.
fn payloads() -> Vec<String> {
    let breaks = [
        "",
        "\"",
        "'",
        "`",
        "\">",
        "'>",
        "</title>",
        "</textarea>",
        "</script>",
        "-->",
        "]]>",
        "{{",
        "{%",
    ];
    let acts = [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<iframe src=javascript:alert(1)>",
        "<base href=//evil.example>",
        "<style>*{display:none}</style>",
        " onmouseover=alert(1) x=",
        "javascript:alert(1)",
        "{{7*7}}{% raw %}",
    ];
    breaks
        .iter()
        .flat_map(|first| acts.iter().map(move |act| format!("{first}{act}")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_stay_text_on_every_page() {
    let database = TestDatabase::empty(Engine::Sqlite, "crawl").await;
    let road = Travelled::begin(database, Approval::Review).await;
    let payloads = payloads();
    assert!(payloads.len() >= 100);
    for name in &payloads {
        let body = json!({"name": name, "scopes": ["read"]});
        road.api().post("/api/v1/tokens", body, 201).await;
    }
    let rows: Vec<Value> = payloads
        .iter()
        .map(|text| json!({"procore": {"code": text}, "erp": {"code": text}, "note": text}))
        .collect();
    let path = format!("/api/v1/pairs/{}/mappings/units", road.road.pair);
    road.api().put(&path, json!(rows), 200).await;
    let pair = format!("/api/v1/pairs/{}", road.road.pair);
    let name = "\"><img src=x onerror=alert('pair')>";
    road.api().patch(&pair, json!({"name": name}), 200).await;
    for record in road.in_state("commitments", "held").await.iter().take(2) {
        let reason = json!({"reason": "</title><script>alert('reason')</script>"});
        road.act(record, "reject", reason, 200).await;
    }

    let tab = Tab::open(&road.app, Scripts::On).await;
    let command = "Page.addScriptToEvaluateOnNewDocument";
    tab.browser.command(command, json!({"source": WATCH})).await;
    tab.sign_in(&road.account).await;
    let offences = crawl(&tab).await;
    assert!(offences.is_empty(), "{}", offences.join("\n"));
    road.app.stop().await;
}

/// Follows links, a few of every kind of page, and gives what was wrong where.
async fn crawl(tab: &Tab) -> Vec<String> {
    let mut offences = Vec::new();
    let mut met: BTreeSet<String> = BTreeSet::new();
    let mut kinds: Vec<(String, u32)> = Vec::new();
    let mut open: VecDeque<String> = [
        "/dashboard",
        "/api",
        "/tokens?limit=200",
        "/records?q=%3Cscript%3E",
    ]
    .map(str::to_owned)
    .into();
    let mut pages = 0;
    while let Some(path) = open.pop_front() {
        if !met.insert(path.clone()) || !is_wanted(&mut kinds, &path) {
            continue;
        }
        tab.go(&path).await;
        pages += 1;
        let found = tab.ask(CHECK).await.expect("the page can be asked");
        for what in found.as_array().unwrap() {
            offences.push(format!("{path}: {what}"));
        }
        let links = tab.ask(LINKS).await.expect("the page can be asked");
        open.extend(
            links
                .as_array()
                .unwrap()
                .iter()
                .map(|link| link.as_str().unwrap().to_owned()),
        );
    }
    assert!(pages > 40, "only {pages} pages were met");
    offences
}

/// A few pages of each kind are enough: ids and filters are taken out to tell kinds apart.
fn is_wanted(kinds: &mut Vec<(String, u32)>, path: &str) -> bool {
    const OF_A_KIND: u32 = 4;
    let (place, query) = path.split_once('?').unwrap_or((path, ""));
    let is_id = |part: &str| part.len() == 36 && part.matches('-').count() == 4;
    let place: Vec<&str> = place
        .split('/')
        .map(|part| if is_id(part) { "{id}" } else { part })
        .collect();
    let names: Vec<&str> = query
        .split('&')
        .filter_map(|pair| pair.split('=').next())
        .collect();
    let kind = format!("{}?{}", place.join("/"), names.join("&"));
    match kinds.iter_mut().find(|(known, _)| *known == kind) {
        Some((_, met)) => {
            *met += 1;
            *met <= OF_A_KIND
        }
        None => {
            kinds.push((kind, 1));
            true
        }
    }
}
