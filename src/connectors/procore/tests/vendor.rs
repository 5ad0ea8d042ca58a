//! Vendors: translation by fixtures, windows, what a lost one means.

use super::fixture;
use super::script::{self, answer};
use crate::connectors::procore::vendor::{Vendors, translated};
use crate::contract::{ListScope, Lists, Reads, SourceKey};

#[test]
fn every_vendor_is_translated_or_explained() {
    fixture::check("vendor", translated);
}

#[tokio::test]
async fn a_vendor_costs_one_call_and_keeps_its_version() {
    let vendor = include_str!("../../../../tests/fixtures/procore/vendor/as_documented.json");
    let (session, script) = script::session([
        answer(200, &[("total", "1")], &format!("[{vendor}]")),
        answer(200, &[], vendor),
    ]);
    let page = Vendors.changed(&session, &ListScope::default(), None).await;
    let page = page.unwrap();
    let seen = page.rows.first().unwrap();
    assert!(page.next.is_none() && seen.project_key.is_none());
    let read = Vendors.read(&session, &seen.key).await.unwrap().unwrap();
    assert_eq!(read.version, seen.version);
    assert_eq!(read.record.name, "Granite Supply LLC");
    let wanted = [
        "/base/rest/v1.0/vendors?company_id=4280001&view=extended&page=1&per_page=500",
        "/base/rest/v1.0/vendors/5511001?company_id=4280001&view=extended",
    ];
    assert_eq!(script.paths(), wanted);
}

#[tokio::test]
async fn a_lost_vendor_is_gone_only_beside_others() {
    let key = SourceKey {
        id: "7".to_owned(),
        place: String::new(),
    };
    let lost = || answer(404, &[], "");
    let (session, _) = script::session([lost(), answer(200, &[], r#"[{"id":8}]"#)]);
    assert!(Vendors.read(&session, &key).await.unwrap().is_none());
    let (session, _) = script::session([lost(), answer(200, &[], "[]")]);
    let fault = Vendors.read(&session, &key).await.unwrap_err();
    assert_eq!((fault.class(), fault.code()), ("missing", "not_visible"));
}

#[tokio::test]
async fn a_row_without_an_id_is_not_left_out_in_silence() {
    let (session, _) = script::session([answer(200, &[], r#"[{"id":1},{"name":"?"}]"#)]);
    let page = Vendors.changed(&session, &ListScope::default(), None).await;
    assert_eq!(page.unwrap_err().code(), "row_without_id");
}
