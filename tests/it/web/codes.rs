//! Mapping tables as files, proposals and coverage over the API and on their pages.

use std::time::{Duration, Instant};

use ml_connector::desk::suggestion;
use ml_connector::domain::pair::Approval;
use ml_connector::sandbox::procore::UNMAPPED_COST_CODE;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Value, json};

use super::records::Travelled;
use crate::support::database::{TestDatabase, both};
use crate::support::http;

both!(
    tables_go_out_and_come_in_as_files,
    proposals_are_accepted_by_people
);

struct Files<'a> {
    it: &'a Travelled,
    kind: &'static str,
}

impl Files<'_> {
    fn url(&self) -> String {
        let (base, pair) = (&self.it.app.url, self.it.road.pair);
        format!("{base}/api/v1/pairs/{pair}/mappings/{}", self.kind)
    }

    async fn get(&self) -> String {
        let token = self.it.account.created.api_token.open();
        let answer = http::client()
            .get(self.url())
            .bearer_auth(token)
            .header(ACCEPT, "text/csv")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let kind = answer.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
        assert!(kind.starts_with("text/csv"), "{kind}");
        answer.text().await.unwrap()
    }

    async fn put(&self, text: &str, expected: u16) -> Value {
        let token = self.it.account.created.api_token.open();
        let answer = http::client()
            .put(self.url())
            .bearer_auth(token)
            .header(CONTENT_TYPE, "text/csv; charset=utf-8")
            .body(text.to_owned())
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(status, expected, "{body}");
        body
    }
}

async fn tables_go_out_and_come_in_as_files(database: TestDatabase) {
    let it = Travelled::still(database, Approval::Automatic).await;
    let codes = Files {
        it: &it,
        kind: "cost_codes",
    };
    let before = codes.get().await;
    assert!(before.starts_with(
        "procore.cost_code,procore.cost_type,procore.sub_job,procore.project_id,erp.ait1,"
    ));
    let same = codes.put(&before, 200).await;
    assert_eq!((&same["added"], &same["removed"]), (&json!(0), &json!(0)));
    assert_eq!(codes.get().await, before);
    let odd = "\u{feff}erp.ait1,procore.cost_code,note\r\n0051,'=1+1,\"two\nlines, \"\"so\"\"\"\n-5,007 1,\n";
    assert_eq!(codes.put(odd, 200).await["rows"], 2);
    let at = format!("/api/v1/pairs/{}/mappings/cost_codes", it.road.pair);
    let rows = it.api().get(&at, 200).await;
    assert_eq!(rows["data"][0]["procore"]["cost_code"], "=1+1");
    assert_eq!(rows["data"][0]["erp"]["ait1"], "0051");
    assert_eq!(rows["data"][0]["note"], "two\nlines, \"so\"");
    assert_eq!(rows["data"][1]["erp"]["ait1"], "-5");
    let out = codes.get().await;
    assert!(out.contains("\r\n'=1+1,"), "{out}");
    assert_eq!(codes.put(&out, 200).await["kept"], 2);
    // Nothing of a bad file is taken.
    for (text, pointer) in [
        ("", None),
        ("procore.cost_code,erp.ait1\n", None),
        ("procore.cost_code,erp.colour\na,b\n", Some("/rows/0")),
        ("procore.cost_code,erp.ait1\na,1\nb,\n", Some("/rows/1")),
        ("procore.cost_code,erp.ait1\na,1\na,2\n", Some("/rows/1")),
    ] {
        let refused = codes.put(text, 422).await;
        if let Some(pointer) = pointer {
            assert_eq!(refused["errors"][0]["pointer"], pointer, "{text:?}");
        }
        assert_eq!(codes.get().await, out, "{text:?}");
    }
    // Every table has a file.
    for kind in [
        "projects",
        "items",
        "vendors",
        "units",
        "payment_terms",
        "currencies",
    ] {
        let table = Files { it: &it, kind };
        let text = table.get().await;
        assert!(text.ends_with("\r\n") && text.contains(",note"), "{text}");
    }
    // The same on the page, with a report of every row.
    let mut visitor = it.app.signed_in(&it.account).await;
    let page = format!("/pairs/{}/mappings/units", it.road.pair);
    let upload = format!("{page}/upload");
    let bad = [("text", "procore.code,erp.code\nea,EA\nls,\n")];
    let refused = visitor.submit(&upload, &upload, &bad).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("Row 2") && refused.text.contains("must be filled"));
    let good = [("text", "procore.code,erp.code\nea,EA\nls,LS\n")];
    assert_eq!(
        visitor.submit(&upload, &upload, &good).await.goes_to(),
        page
    );
    let file = visitor.get(&format!("{page}/file")).await;
    assert_eq!(
        file.text,
        "procore.code,erp.code,note\r\nea,EA,\r\nls,LS,\r\n"
    );
    it.app.stop().await;
}

/// Works until the codes of both sides are known.
async fn read_codes(it: &Travelled) {
    suggestion::load(&it.app.desk, &it.app.owner(&it.account), it.road.pair)
        .await
        .unwrap();
    let began = Instant::now();
    let coverage = format!("/api/v1/pairs/{}/coverage", it.road.pair);
    while it.api().get(&coverage, 200).await["data"]
        .as_array()
        .unwrap()
        .len()
        < 5
    {
        it.settle().await;
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "the codes are not read"
        );
    }
}

async fn proposals_are_accepted_by_people(database: TestDatabase) {
    let it = Travelled::still(database, Approval::Automatic).await;
    read_codes(&it).await;
    let pair = format!("/api/v1/pairs/{}", it.road.pair);
    let codes = it
        .all(&format!("{pair}/mappings/cost_codes/suggestions"), 200)
        .await;
    // Everything is mapped but one code, which no rule can place but the pattern of its type.
    assert!(
        codes
            .iter()
            .all(|found| found["procore"]["cost_code"] == UNMAPPED_COST_CODE),
        "{codes:?}"
    );
    let vendors = it
        .all(&format!("{pair}/mappings/vendors/suggestions"), 7)
        .await;
    assert!(vendors.len() > 20, "{vendors:?}");
    assert!(vendors.iter().all(|found| {
        let score = found["score"].as_u64().unwrap();
        score <= 100 && !found["reason"].as_str().unwrap().is_empty()
    }));
    let granite = vendors
        .iter()
        .find(|found| found["procore"]["vendor_id"] == "5511003")
        .unwrap();
    assert_eq!(granite["erp"]["supplier"], "20003");
    assert_eq!(granite["score"], 95);
    let units = it
        .all(&format!("{pair}/mappings/units/suggestions"), 200)
        .await;
    let each = units
        .iter()
        .find(|found| found["procore"]["code"] == "ea")
        .unwrap();
    assert_eq!(
        (&each["erp"]["code"], &each["score"]),
        (&json!("EA"), &json!(95))
    );
    for kind in ["projects", "items", "payment_terms", "currencies"] {
        it.all(&format!("{pair}/mappings/{kind}/suggestions"), 200)
            .await;
    }
    it.api()
        .get(&format!("{pair}/mappings/colours/suggestions"), 404)
        .await;
    // Nothing was applied by asking.
    let at = format!("{pair}/mappings/units");
    assert_eq!(it.api().get(&at, 200).await["data"], json!([]));
    // A person accepts one, then all that are sure.
    let mut visitor = it.app.signed_in(&it.account).await;
    let page = format!("/pairs/{}/mappings/units/suggestions", it.road.pair);
    let shown = visitor.get(&page).await;
    assert!(shown.text.contains("95 %") && shown.text.contains("both have the same code"));
    let word = shown.hidden("one");
    let one = visitor
        .submit(&page, &page, &[("one", word.as_str())])
        .await;
    assert_eq!(one.status, 303, "{}", one.text);
    assert_eq!(it.all(&at, 200).await.len(), 1);
    visitor.submit(&page, &page, &[("all", "sure")]).await;
    assert!(it.all(&at, 200).await.len() > 10);
    // Coverage is told on the pair's page, too.
    let coverage = it.api().get(&format!("{pair}/coverage"), 200).await;
    let first = &coverage["data"][0];
    assert_eq!(
        (&first["basis"], &first["view"]),
        (&json!("budget"), &json!("Standard budget"))
    );
    let percent = first["percent"].as_u64().unwrap();
    assert!((80..=100).contains(&percent), "{first}");
    assert_eq!(
        first["total"].as_u64().unwrap() - first["mapped"].as_u64().unwrap(),
        first["unmapped"].as_array().unwrap().len() as u64
    );
    let shown = visitor.get(&format!("/pairs/{}", it.road.pair)).await;
    assert!(shown.text.contains(&format!("{percent} %")));
    it.app.stop().await;
}
