//! Suppliers, written and found.

use serde_json::json;

use super::bed::Bed;

#[tokio::test(flavor = "multi_thread")]
async fn a_supplier_is_copied_and_filled_in() {
    let bed = Bed::start().await;
    let copy = json!({"STEM": "tmpl-us", "SUNO": "pc00001234"});
    let made = bed.write("CRS620MI", "CopyTemplate", copy.clone()).await;
    assert_eq!(
        made.records(),
        [json!({"SUNO": "PC00001234", "STAT": "20"})]
    );
    let twice = bed.write("CRS620MI", "CopyTemplate", copy).await;
    assert_eq!((twice.status, twice.refusal()), (200, ("XRE0104", "SUNO")));
    let fields = [("SUNO", "PC00001234")];
    let half = bed.mi("CRS620MI/GetBasicData", &fields).await;
    assert_eq!(
        (half.text("SUNM"), half.text("SUTY")),
        ("Template, US suppliers", "0")
    );

    let name = "Hackberry \"Tree\" & Söhne <b>";
    let update = json!({"SUNO": "PC00001234", "SUNM": name, "VRNO": "84-5550001", "CSCD": "CA", "CUCD": "CAD"});
    assert_eq!(
        bed.write("CRS620MI", "UpdSupplier", update).await.records(),
        [json!({})]
    );
    let full = bed.mi("CRS620MI/GetBasicData", &fields).await;
    assert_eq!(
        (full.text("SUNM"), full.text("CUCD"), full.text("TEPY")),
        (name, "CAD", "30")
    );
    let wrong = json!({"SUNO": "PC00001234", "CSCD": "XX"});
    let wrong = bed.write("CRS620MI", "UpdSupplier", wrong).await;
    assert_eq!(wrong.refusal(), ("XRE0103", "CSCD"));

    let address = json!({"SUNO": "PC00001234", "ADTE": 1, "ADID": "main", "CSCD": "CA", "PRIA": 1, "ADR1": "1 Elm"});
    assert_eq!(
        bed.write("CRS620MI", "AddAddress", address.clone())
            .await
            .records()
            .len(),
        1
    );
    let twice = bed.write("CRS620MI", "AddAddress", address).await;
    assert_eq!(twice.refusal().0, "XRE0104");
    let change =
        json!({"SUNO": "PC00001234", "ADTE": "1", "ADID": "MAIN", "STDT": "0", "TOWN": "Calgary"});
    bed.write("CRS620MI", "UpdAddress", change).await.records();
    let found = bed.mi("CRS620MI/GetAddress", &fields).await;
    assert_eq!(
        (found.text("ADR1"), found.text("TOWN")),
        ("1 Elm", "Calgary")
    );
    assert_eq!(
        bed.mi("CRS620MI/LstAddresses", &fields)
            .await
            .column("ADID"),
        ["MAIN"]
    );

    let mail = json!({"EMTP": "02", "EMKY": "PC00001234", "EMAL": "ar@hackberry.example"});
    bed.write("CRS111MI", "Add", mail.clone()).await.records();
    assert_eq!(
        bed.write("CRS111MI", "Add", mail).await.refusal().0,
        "XRE0104"
    );
    let mail = bed
        .mi("CRS111MI/Get", &[("EMTP", "02"), ("EMKY", "PC00001234")])
        .await;
    assert_eq!(mail.text("EMAL"), "ar@hackberry.example");

    let ledger = bed.look("ledger").await;
    let written: Vec<(&str, &str)> = ledger["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["operation"].as_str().unwrap(),
                entry["key"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        written,
        [
            ("CRS620MI/CopyTemplate", "PC00001234"),
            ("CRS620MI/UpdSupplier", "PC00001234"),
            ("CRS620MI/AddAddress", "PC00001234/1/MAIN"),
            ("CRS620MI/UpdAddress", "PC00001234/1/MAIN"),
            ("CRS111MI/Add", "02/PC00001234"),
        ]
    );
    assert_eq!(ledger["data"][1]["request"]["VRNO"], "84-5550001");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supplier_is_added_whole_and_the_list_of_mandatory_fields_is_long() {
    let bed = Bed::start().await;
    let few = json!({"SUNO": "NEW1", "SUNM": "New"});
    assert_eq!(
        bed.write("CRS620MI", "AddSupplier", few).await.refusal().1,
        "SUTY"
    );
    let whole = json!({"SUNO": "NEW1", "SUNM": "New", "SUTY": 0, "CSCD": "US", "ECAR": "CO", "LNCD": "GB",
        "DTFM": "MDY", "MEPF": "00", "SUCL": "100", "QUCL": "10", "ORTY": "200", "TEDL": "010", "MODL": "010",
        "TEAF": "010", "TEPA": "010", "DT4T": 0, "DTCD": 0, "CUCD": "USD", "CRTP": 1, "TEPY": "30",
        "PYME": "CHK", "ATPR": "1", "ACRF": "X"});
    bed.write("CRS620MI", "AddSupplier", whole).await.records();
    let made = bed.mi("CRS620MI/GetBasicData", &[("SUNO", "NEW1")]).await;
    assert_eq!((made.text("STAT"), made.text("ACRF")), ("10", "X"));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_begin_at_their_key_and_the_search_index_lags() {
    let bed = Bed::start().await;
    bed.control(
        "clock",
        json!({"now": "2026-11-24T12:00:00Z", "frozen": true}),
    )
    .await;
    let path = "/v2/execute/CRS620MI/LstByName;maxrecs=3";
    let names = bed.get(path, &[("SUNM", "acme s")]).await;
    assert_eq!(names.column("SUNM")[0], "Acme Steel Ltd");
    assert_eq!(names.records().len(), 3);
    let numbers = bed.mi("CRS620MI/LstByNumber", &[("SUNO", "90003")]).await;
    assert_eq!(numbers.column("SUNO")[..2], ["90003", "90004"]);
    assert_eq!(
        bed.get("/v2/execute/CRS620MI/LstSuppliers", &[])
            .await
            .records()
            .len(),
        43
    );
    let range = [("FRSU", "20005"), ("TOSU", "20007")];
    let range = bed.mi("CRS620MI/LstSuppliers", &range).await;
    assert_eq!(range.column("SUNO"), ["20005", "20006", "20007"]);

    let search = |query: &'static str| {
        let bed = &bed;
        async move {
            let query = [("SQRY", query)];
            let answer = bed.mi("CRS620MI/SearchSupplier", &query).await;
            answer.column("SUNO").join(" ")
        }
    };
    assert_eq!(search("VRNO:84-1029384").await, "10001");
    assert_eq!(search("SUNM:Sandstone*").await, "10017 10117");

    let cursor = bed.mi("GENERAL/GetServerTime", &[]).await;
    let cursor = cursor.text("LMTS").to_owned();
    assert_eq!(cursor, "1795521600000");
    bed.write(
        "CRS620MI",
        "CopyTemplate",
        json!({"STEM": "TMPL-US", "SUNO": "PC1"}),
    )
    .await;
    bed.write(
        "CRS620MI",
        "UpdSupplier",
        json!({"SUNO": "PC1", "SUNM": "Zebra Paving"}),
    )
    .await;
    let since = bed.mi("CRS620MI/LstSuppliers", &[("LMTS", &cursor)]).await;
    assert_eq!(since.column("SUNO"), ["PC1"]);
    assert!(since.records()[0].get("STAT").is_none());
    assert_eq!(search("SUNM:Zebra*").await, "");
    bed.control("clock", json!({"advance_seconds": 10})).await;
    assert_eq!(search("SUNM:Zebra*").await, "PC1");
    assert_eq!(search("SUNM:Template*").await, "TMPL-NEW TMPL-US");
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_fields_are_refused_until_they_are_set_up() {
    let bed = Bed::start().await;
    let add = json!({"FILE": "CIDMAS", "PK01": "20003", "A030": "MLC-1", "N096": "1"});
    let refused = bed.write("CUSEXTMI", "AddFieldValue", add.clone()).await;
    assert_eq!(refused.refusal(), ("CPF9898", "FILE"));
    bed.control("settings", json!({"custom_fields": ["CIDMAS"]}))
        .await;
    bed.write("CUSEXTMI", "AddFieldValue", add.clone())
        .await
        .records();
    assert_eq!(
        bed.write("CUSEXTMI", "AddFieldValue", add)
            .await
            .refusal()
            .0,
        "XRE0104"
    );
    let keys = [("FILE", "CIDMAS"), ("PK01", "20003")];
    let found = bed.mi("CUSEXTMI/GetFieldValue", &keys).await;
    assert_eq!(
        (found.text("A030"), found.text("N096")),
        ("MLC-1", "1.000000")
    );
    let lost = json!({"FILE": "CIDMAS", "PK01": "NOPE", "A030": "x"});
    assert_eq!(
        bed.write("CUSEXTMI", "AddFieldValue", lost).await.refusal(),
        ("XRE0103", "PK01")
    );
    let lost = json!({"FILE": "CIDMAS", "PK01": "NOPE", "A030": "x"});
    assert_eq!(
        bed.write("CUSEXTMI", "ChgFieldValue", lost)
            .await
            .refusal()
            .0,
        "XRE0103"
    );
}
