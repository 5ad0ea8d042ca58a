//! Tables, repositories and master lists.

use serde_json::json;

use super::bed::Bed;

#[tokio::test(flavor = "multi_thread")]
async fn exportmi_reads_tables_until_it_is_withheld() {
    let bed = Bed::start().await;
    bed.control("settings", json!({"batch_delay_seconds": 0}))
        .await;
    let (message, order) = bed.enter("PROCORE", json!({})).await;
    bed.finish(&message).await;
    let select = |query: &'static str| {
        let bed = &bed;
        async move {
            let fields = [("SEPC", "|"), ("HDRS", "1"), ("QERY", query)];
            bed.mi("EXPORTMI/Select", &fields).await
        }
    };
    let found =
        select("IAPUNO, IASUNO, IAYRE1 from MPHEAD where IAYRE1 = 'MLC-0123456789ABCDEF'").await;
    let want = format!("{order}|20003|MLC-0123456789ABCDEF");
    assert_eq!(
        found.column("REPL"),
        ["IAPUNO|IASUNO|IAYRE1", want.as_str()]
    );
    let found = select("IDSUNO from CIDMAS where IDVRNO = '84-1029384' and IDSTAT < 90").await;
    assert_eq!(found.column("REPL"), ["IDSUNO", "10001"]);
    let found = select("count(*) from CIDMAS where IDSTAT = '90'").await;
    assert_eq!(found.column("REPL")[1], "2");
    assert_eq!(select("IDSUNO from CIDVEN").await.refusal().0, "CPF9898");
    assert_eq!(select("IASUNO from CIDMAS").await.refusal().0, "CPF9898");

    bed.control(
        "settings",
        json!({"exportmi": false, "withheld": ["CRS111MI"], "missing": ["PPSSPPMI"]}),
    )
    .await;
    let withheld = select("IDSUNO from CIDMAS").await;
    assert_eq!(
        (withheld.status, &withheld.body["wasTerminated"]),
        (403, &json!(true))
    );
    assert_eq!(
        bed.old("CRS111MI/List", &[("EMTP", "02")]).await.status,
        403
    );
    let may = bed.mi("AUTCHKMI/ChkAuthority", &[("APGM", "CRS111")]).await;
    assert_eq!(may.text("ALPG"), "0");
    let missing = bed.mi("PPSSPPMI/LstSupHead", &[]).await;
    assert_eq!(missing.body["terminationErrorType"], "TransactionNotFound");
    let listed = bed
        .mi("MRS001MI/LstTransactions", &[("MINM", "PPSSPPMI")])
        .await;
    assert_eq!(listed.refusal(), ("XRE0103", "MINM"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_repository_and_the_master_lists_answer() {
    let bed = Bed::start().await;
    let listed = bed
        .mi("MRS001MI/LstTransactions", &[("MINM", "PPS370MI")])
        .await;
    assert!(listed.column("TRNM").contains(&"AddAccString"));
    let fields = [("MINM", "PPS370MI"), ("TRNM", "AddHead"), ("TRTP", "I")];
    let fields = bed.mi("MRS001MI/LstFields", &fields).await;
    assert_eq!(
        (fields.column("FLNM")[0], fields.column("MAND")[0]),
        ("MSGN", "1")
    );
    let divisions = bed.mi("MNS100MI/LstDivisions", &[("CONO", "100")]).await;
    assert_eq!(divisions.column("DIVI"), ["", "AAA"]);
    assert_eq!(
        bed.mi("CRS008MI/ListFacility", &[]).await.column("FACI"),
        ["A01", "C01"]
    );
    assert_eq!(
        bed.mi("MMS005MI/LstWarehouses", &[]).await.column("WHLO"),
        ["100", "200"]
    );
    assert_eq!(
        bed.mi("PPS095MI/LstOrderType", &[]).await.column("ORTY"),
        ["200", "210"]
    );
    let unit = bed
        .mi(
            "CRS175MI/GetGeneralCode",
            &[("STCO", "UNIT"), ("STKY", "ls")],
        )
        .await;
    assert_eq!(unit.text("TX40"), "Lump sum");
    let terms = bed.mi("CRS175MI/LstGeneralCode", &[("STCO", "TEPY")]).await;
    assert_eq!(terms.column("STKY"), ["00", "30", "45", "60"]);
    assert_eq!(
        bed.mi("CRS055MI/GetBasicData", &[("CUCD", "CAD")])
            .await
            .text("DCCD"),
        "2"
    );
    assert_eq!(
        bed.mi("MMS200MI/GetItmBasic", &[("ITNO", "pcmatl")])
            .await
            .text("PUUN"),
        "EA"
    );
    let item = bed.mi("MMS200MI/GetItmBasic", &[("ITNO", "NONE")]).await;
    assert_eq!(item.refusal(), ("WIT0103", "ITNO"));

    let account = |id: &'static str, division: &'static str| {
        let bed = &bed;
        async move {
            let fields = [("AITP", "3"), ("AITM", id)];
            let path = format!("/v2/execute/CRS630MI/GetAccountID;divi={division}");
            bed.get(&path, &fields).await
        }
    };
    assert_eq!(account("GROUP", "AAA").await.refusal(), ("XRE0103", "AITM"));
    assert_eq!(
        account("GROUP", "").await.text("TX40"),
        "Group-wide product"
    );
    let locked = bed
        .mi("CRS630MI/GetAccountID", &[("AITP", "1"), ("AITM", "51620")])
        .await;
    assert_eq!((locked.text("LCCD"), locked.text("ACR2")), ("1", "1"));
    let made = bed
        .mi("CRS630MI/GetAccountID", &[("AITP", "1"), ("AITM", "59950")])
        .await;
    assert_eq!(made.refusal().0, "XRE0103");
    bed.control(
        "infor_m3/accounts/1/59950",
        json!({"TX40": "Owner allowance"}),
    )
    .await;
    let made = bed
        .mi("CRS630MI/LstAccountID", &[("AITP", "1"), ("AITM", "59950")])
        .await;
    assert_eq!(made.column("AITM")[0], "59950");
}
