//! The simulator over real HTTP, as a connector meets it.

use serde_json::{Value, json};

use super::{Options, TENANT, ionapi, start};
use crate::sandbox::kit::Running;

struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The records of an accepted single transaction.
    fn records(&self) -> &[Value] {
        assert_eq!(self.status, 200, "{}", self.body);
        assert_eq!(self.body["nrOfFailedTransactions"], 0, "{}", self.body);
        self.body["results"][0]["records"].as_array().unwrap()
    }

    fn text(&self, field: &str) -> &str {
        self.records()[0][field].as_str().unwrap()
    }

    fn column(&self, field: &str) -> Vec<&str> {
        let records = self.records().iter();
        records
            .map(|record| record[field].as_str().unwrap())
            .collect()
    }

    /// Code and field of a refused single transaction.
    fn refusal(&self) -> (&str, &str) {
        let result = &self.body["results"][0];
        assert_eq!(self.body["nrOfFailedTransactions"], 1, "{}", self.body);
        (
            result["errorCode"].as_str().unwrap(),
            result["errorField"].as_str().unwrap(),
        )
    }
}

struct Bed {
    running: Running,
    client: reqwest::Client,
    file: Value,
    token: String,
}

type Pairs<'a> = &'a [(&'a str, &'a str)];

impl Bed {
    // The product's guarded client belongs to another room.
    #[allow(clippy::disallowed_methods)]
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let running = start(Options::default()).unwrap();
        let mut bed = Self {
            file: serde_json::from_str(&ionapi(&running.url())).unwrap(),
            running,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            token: String::new(),
        };
        bed.sign_in().await;
        bed
    }

    fn part(&self, name: &str) -> &str {
        self.file[name].as_str().unwrap()
    }

    async fn sign_in(&mut self) {
        let answer = self.ask_token(self.part("sask")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.token = answer.body["access_token"].as_str().unwrap().to_owned();
    }

    async fn ask_token(&self, secret: &str) -> Answer {
        let form = [
            ("grant_type", "password"),
            ("username", self.part("saak")),
            ("password", secret),
            ("client_id", self.part("ci")),
            ("client_secret", self.part("cs")),
        ];
        self.post_form("ot", &form).await
    }

    async fn post_form(&self, path: &str, form: Pairs<'_>) -> Answer {
        let url = format!("{}{}", self.part("pu"), self.part(path));
        read(self.client.post(url).form(form)).await.unwrap()
    }

    fn base(&self) -> String {
        format!("{}/{TENANT}/M3/m3api-rest", self.running.url())
    }

    async fn get(&self, path: &str, query: Pairs<'_>) -> Answer {
        let url = format!("{}{path}", self.base());
        let request = self.client.get(url).query(query).bearer_auth(&self.token);
        read(request).await.unwrap()
    }

    async fn mi(&self, transaction: &str, fields: Pairs<'_>) -> Answer {
        let path = format!("/v2/execute/{transaction};maxrecs=0;cono=100");
        self.get(&path, fields).await
    }

    async fn old(&self, transaction: &str, fields: Pairs<'_>) -> Answer {
        self.get(&format!("/execute/{transaction}"), fields).await
    }

    async fn bulk(&self, body: &Value) -> Answer {
        let url = format!("{}/v2/execute?maxrecs=0&righttrim=true", self.base());
        let request = self.client.post(url).bearer_auth(&self.token);
        let request = request.header("Content-Type", "application/json");
        read(request.body(body.to_string())).await.unwrap()
    }

    /// One write the way a careful connector sends it.
    async fn write(&self, program: &str, transaction: &str, record: Value) -> Answer {
        let transactions = json!([{"transaction": transaction, "record": record}]);
        self.bulk(&json!({"program": program, "cono": 100, "transactions": transactions}))
            .await
    }

    async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/_sandbox/{path}", self.running.url());
        let request = self.client.post(url).body(body.to_string());
        let answer = read(request).await.unwrap();
        assert!(answer.status < 300, "{path}: {}", answer.body);
        answer.body
    }

    async fn look(&self, path: &str) -> Value {
        let url = format!("{}/_sandbox/{path}", self.running.url());
        read(self.client.get(url)).await.unwrap().body
    }

    /// A batch with one order of one line, not yet finished: its message and order numbers.
    async fn enter(&self, origin: &str, line: Value) -> (String, String) {
        let started = self
            .write("PPS370MI", "StartEntry", json!({"BAOR": origin}))
            .await;
        let message = started.text("MSGN").to_owned();
        let head = json!({"MSGN": message, "FACI": "A01", "WHLO": "100", "SUNO": "20003",
            "DWDT": "20270129", "ORTY": "200", "YRE1": "MLC-0123456789ABCDEF", "HREF": "MLC-0123456789ABCDEF",
            "PROJ": "P24101", "ELNO": "03300"});
        let head = self.write("PPS370MI", "AddHead", head).await;
        let order = head.text("PUNO").to_owned();
        let mut record = json!({"MSGN": message, "PUNO": order, "ITNO": "PCMATL", "ORQA": "1250.5",
            "PUPR": "31.4", "PUUN": "LF", "PITD": "#8 rebar"});
        let changes = line.as_object().unwrap().clone();
        record.as_object_mut().unwrap().extend(changes);
        let line = self.write("PPS370MI", "AddLine", record).await;
        assert_eq!(line.text("PUNO"), order);
        (message, order)
    }

    async fn finish(&self, message: &str) {
        let finished = self
            .write("PPS370MI", "FinishEntry", json!({"MSGN": message}))
            .await;
        assert_eq!(finished.records(), [json!({})]);
    }

    async fn batch(&self, message: &str) -> Value {
        let batches = self.look("infor_m3/batches").await;
        let mut all = batches["data"].as_array().unwrap().iter();
        all.find(|batch| batch["MSGN"] == message).unwrap().clone()
    }
}

async fn read(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let text = response.text().await?;
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Answer {
        status,
        headers,
        body,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doors_are_in_order() {
    let mut bed = Bed::start().await;
    let refused = bed.ask_token("wrong").await;
    assert_eq!(
        (refused.status, &refused.body["error"]),
        (400, &json!("invalid_grant"))
    );
    let stranger = bed.post_form("ot", &[("grant_type", "password")]).await;
    assert_eq!(
        (stranger.status, &stranger.body["error"]),
        (401, &json!("invalid_client"))
    );

    assert_eq!(
        bed.mi("GENERAL/GetUserInfo", &[]).await.text("ZDCONO"),
        "100"
    );
    let known = std::mem::take(&mut bed.token);
    let nobody = bed.mi("GENERAL/GetUserInfo", &[]).await;
    assert_eq!(
        (nobody.status, &nobody.body["error"]),
        (401, &json!("Unauthorized"))
    );
    assert!(nobody.header("www-authenticate").contains("error"));
    bed.token = known;

    for path in [
        "OTHER_TST/M3/m3api-rest",
        "DEMO_TST/M4/x",
        "DEMO_TST/M3/other",
    ] {
        let url = format!(
            "{}/{path}/v2/execute/GENERAL/GetUserInfo",
            bed.running.url()
        );
        let lost = read(bed.client.get(url).bearer_auth(&bed.token))
            .await
            .unwrap();
        assert_eq!(lost.status, 404, "{path}");
    }

    bed.control("clock", json!({"advance_seconds": 7201})).await;
    assert_eq!(bed.mi("GENERAL/GetUserInfo", &[]).await.status, 401);
    bed.sign_in().await;
    bed.control("faults", json!({"kind": "expire_token"})).await;
    assert_eq!(bed.mi("GENERAL/GetUserInfo", &[]).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_refreshed_revoked_and_rationed() {
    let mut bed = Bed::start().await;
    bed.control(
        "settings",
        json!({"refresh_tokens": true, "token_seconds": 60}),
    )
    .await;
    let first = bed.ask_token(bed.part("sask")).await;
    assert_eq!(first.body["expires_in"], 60);
    let refresh = first.body["refresh_token"].as_str().unwrap();
    let again = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let url = format!("{}{}", bed.part("pu"), bed.part("ot"));
    let asked = bed.client.post(&url).form(&again);
    let asked = asked.basic_auth(bed.part("ci"), Some(bed.part("cs")));
    let renewed = read(asked).await.unwrap();
    assert_eq!(renewed.status, 200);
    assert!(renewed.body["refresh_token"].is_null());

    let token = renewed.body["access_token"].as_str().unwrap().to_owned();
    bed.token.clone_from(&token);
    assert_eq!(bed.mi("GENERAL/GetUserInfo", &[]).await.status, 200);
    let client = [
        ("client_id", bed.part("ci")),
        ("client_secret", bed.part("cs")),
    ];
    let form = [&client[..], &[("token", token.as_str())]].concat();
    assert_eq!(bed.post_form("or", &form).await.status, 200);
    assert_eq!(bed.mi("GENERAL/GetUserInfo", &[]).await.status, 401);

    bed.control("clock", json!({"frozen": true})).await;
    bed.control(
        "settings",
        json!({"logins_per_minute": 3, "tokens_per_day": 6}),
    )
    .await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(bed.ask_token(bed.part("sask")).await.status);
    }
    // One of the minute was used at the start of the test, the rest of the day's six after it.
    assert_eq!(
        statuses.iter().filter(|status| **status == 429).count(),
        3,
        "{statuses:?}"
    );
    bed.control("clock", json!({"advance_seconds": 61})).await;
    assert_eq!(bed.ask_token(bed.part("sask")).await.status, 200);
    bed.control(
        "settings",
        json!({"calls_per_minute": 2, "retry_after_on_429": true}),
    )
    .await;
    bed.sign_in().await;
    assert_eq!(bed.mi("GENERAL/GetUserInfo", &[]).await.status, 200);
    assert_eq!(bed.mi("GENERAL/GetUserInfo", &[]).await.status, 200);
    let refused = bed.mi("GENERAL/GetUserInfo", &[]).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "60"));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_answer_in_their_own_shapes() {
    let bed = Bed::start().await;
    let supplier = [("SUNO", "20003")];
    let path = "/v2/execute/CRS620MI/GetBasicData;returncols=SUNO,SUNM,CFI1,CFI2";
    let new = bed.get(path, &supplier).await;
    assert_eq!(
        new.body,
        json!({
            "results": [{"transaction": "GetBasicData", "records":
                [{"SUNO": "20003", "SUNM": "Granite Ready-Mix LLC", "CFI1": "", "CFI2": "0"}]}],
            "wasTerminated": false,
            "nrOfSuccessfullTransactions": 1,
            "nrOfFailedTransactions": 0,
        })
    );
    let short = bed
        .get(&format!("{path};excludempty=true"), &supplier)
        .await;
    assert!(short.records()[0].get("CFI1").is_none());

    let old = bed
        .old("CRS620MI/GetBasicData;returncols=SUNO,STAT", &supplier)
        .await;
    assert_eq!(old.body["Program"], "CRS620MI");
    assert_eq!(old.body["Metadata"]["Field"][0]["@length"], "10");
    assert_eq!(
        old.body["MIRecord"],
        json!([{"RowIndex": 0, "NameValue":
            [{"Name": "SUNO", "Value": "20003"}, {"Name": "STAT", "Value": "20"}]}])
    );

    let refused = bed.mi("CRS620MI/GetBasicData", &[("SUNO", "nope")]).await;
    assert_eq!(
        (refused.status, refused.refusal()),
        (400, ("WSU0103", "SUNO"))
    );
    let result = &refused.body["results"][0];
    assert_eq!(result["errorType"], "ServerReturnedNOK");
    assert_eq!(
        result["errorMessage"],
        "Supplier number NOPE does not exist"
    );
    bed.control("settings", json!({"v2_errors_in_200": true}))
        .await;
    let refused = bed.mi("CRS620MI/GetBasicData", &[("SUNO", "nope")]).await;
    assert_eq!(
        (refused.status, refused.refusal()),
        (200, ("WSU0103", "SUNO"))
    );
    let refused = bed.old("CRS620MI/GetBasicData", &[("SUNO", "nope")]).await;
    assert_eq!(
        (refused.status, &refused.body["@code"]),
        (200, &json!("WSU0103"))
    );
    assert!(refused.body["Message"].as_str().unwrap().ends_with("   "));

    let unknown = bed.mi("PPS200MI/AddHead", &[]).await;
    assert_eq!(
        (unknown.status, &unknown.body["wasTerminated"]),
        (400, &json!(true))
    );
    assert_eq!(unknown.body["terminationErrorType"], "TransactionNotFound");
    let unknown = bed.old("PPS200MI/AddHead", &[]).await;
    assert_eq!(unknown.body["@type"], "TransactionNotFound");

    bed.control("settings", json!({"v2": false})).await;
    assert_eq!(bed.mi("GENERAL/GetUserInfo", &[]).await.status, 404);
    assert_eq!(bed.old("GENERAL/GetUserInfo", &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_call_keeps_its_order_and_does_not_roll_back() {
    let bed = Bed::start().await;
    let (message, order) = bed.enter("PROCORE", json!({})).await;
    let line = |item: &str| {
        json!({"transaction": "AddLine", "selectedColumns": ["PNLI"],
            "record": {"MSGN": message, "PUNO": order, "ITNO": item, "ORQA": 1}})
    };
    let body = json!({"program": "PPS370MI", "cono": 100, "divi": "AAA",
        "transactions": [line("PCMATL"), line("NOITEM"), {"transaction": "AddNothing"}, line("PCMATL")]});
    let answer = bed.bulk(&body).await;
    assert_eq!(
        (answer.status, &answer.body["wasTerminated"]),
        (400, &json!(true))
    );
    let results = answer.body["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    assert_eq!(results[0]["records"], json!([{"PNLI": "2"}]));
    assert_eq!(results[1]["errorCode"], "WIT0103");
    assert_eq!(answer.body["nrOfSuccessfullTransactions"], 1);
    assert_eq!(answer.body["nrOfFailedTransactions"], 2);
    let two = json!({"program": "PPS370MI", "transactions": [line("PCMATL"), line("NOITEM")]});
    let next = bed.bulk(&two).await;
    assert_eq!(
        (next.status, &next.body["results"][0]["records"][0]["PNLI"]),
        (200, &json!("3"))
    );
    let unreadable = bed.bulk(&json!({"program": 7})).await;
    assert_eq!(unreadable.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_and_companies_are_checked() {
    let bed = Bed::start().await;
    let kind = |answer: &Answer| {
        answer.body["results"][0]["errorType"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let bare = bed.mi("CRS620MI/GetBasicData", &[("SUNO", " ")]).await;
    assert_eq!(
        (kind(&bare).as_str(), bare.refusal().1),
        ("MandatoryInputFieldNotFound", "SUNO")
    );
    let long = bed
        .mi("CRS620MI/GetBasicData", &[("SUNO", "12345678901")])
        .await;
    assert_eq!(kind(&long), "InputFieldTooLong");
    let number = bed
        .mi("CRS620MI/LstSuppliers", &[("LMTS", "yesterday")])
        .await;
    assert_eq!(number.refusal(), ("XNU0000", "LMTS"));
    let path = "/v2/execute/CRS620MI/GetBasicData";
    let foreign = bed.get(path, &[("SUNO", "20003"), ("cono", "200")]).await;
    assert_eq!(foreign.refusal(), ("XAU0008", "CONO"));
    let without = bed
        .get(path, &[("SUNO", "20003"), ("_rid", "1"), ("XYZW", "1")])
        .await;
    assert_eq!(without.text("CONO"), "100");
}

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
async fn an_order_appears_after_its_batch_was_worked_on() {
    let bed = Bed::start().await;
    bed.control(
        "clock",
        json!({"now": "2026-11-24T12:00:00Z", "frozen": true}),
    )
    .await;
    let (message, order) = bed
        .enter("procore", json!({"PNLI": "5", "COCE": "4200"}))
        .await;
    assert_eq!(
        (message.as_str(), order.as_str()),
        ("PE0000000012345", "7000123")
    );
    let line = |number: &str| {
        json!({"MSGN": message, "PUNO": order, "ITNO": "PCSUBC", "ORQA": "100.00",
        "PUPR": "1", "PUUN": "LS", "PNLI": number})
    };
    let again = bed.write("PPS370MI", "AddLine", line("5")).await;
    assert_eq!(again.refusal(), ("XRE0104", "PNLI"));
    bed.write("PPS370MI", "AddLine", line("6")).await.records();
    let coding =
        json!({"MSGN": message, "PUNO": order, "PNLI": 5, "AIT1": "50320", "AIT2": "4200"});
    bed.write("PPS370MI", "AddAccString", coding)
        .await
        .records();
    let text = json!({"MSGN": message, "PUNO": order, "TX40": "PO-24101-001"});
    bed.write("PPS370MI", "AddText", text).await.records();
    bed.finish(&message).await;
    let again = bed
        .write("PPS370MI", "FinishEntry", json!({"MSGN": message}))
        .await;
    assert_eq!(again.refusal(), ("XST0020", "MSGN"));
    let delete = bed
        .write("PPS370MI", "DeleteEntry", json!({"MSGN": message}))
        .await;
    assert_eq!(delete.refusal().0, "XST0020");

    let head = |order: String| {
        let bed = &bed;
        async move { bed.mi("PPS200MI/GetHead", &[("PUNO", &order)]).await }
    };
    assert_eq!(head(order.clone()).await.refusal(), ("WPU0803", "PUNO"));
    bed.control("clock", json!({"advance_seconds": 2})).await;
    let made = head(order.clone()).await;
    assert_eq!(made.text("NTAM"), "39365.70");
    assert_eq!(
        (made.text("YRE1"), made.text("CUCD")),
        ("MLC-0123456789ABCDEF", "USD")
    );
    assert_eq!((made.text("TEPY"), made.text("PUDT")), ("30", "20261124"));
    let lines = bed.mi("PPS200MI/LstLine", &[("PUNO", &order)]).await;
    assert_eq!(lines.column("PNLI"), ["5", "6"]);
    assert_eq!(lines.column("LNAM"), ["39265.70", "100.00"]);
    assert_eq!(lines.column("ORQA"), ["1250.500000", "100.000000"]);
    assert_eq!(lines.column("PUSL"), ["15", "15"]);
    assert_eq!(bed.batch(&message).await["status"], "90");
    let state = bed.look("state").await;
    assert_eq!(state["state"]["counts"]["orders"], 1);
    let held = &state["state"]["orders"][0];
    assert_eq!(
        held["lines"][0]["coding"],
        json!({"AIT1": "50320", "AIT2": "4200"})
    );
    assert_eq!(held["texts"][0]["TX40"], "PO-24101-001");

    for (supplier, since, want) in [
        ("20003", "0", 1),
        ("20003", "1795521602000", 1),
        ("20003", "1795521602001", 0),
        ("20005", "0", 0),
    ] {
        let found = bed
            .mi(
                "PPSSPPMI/LstSupHead",
                &[("SUNO", supplier), ("LMTS", since)],
            )
            .await;
        assert_eq!(found.records().len(), want, "{supplier} {since}");
    }
    let by_purchaser = bed
        .mi("PPS001MI/ListHeadBasic", &[("PURC", "SVCPRC")])
        .await;
    assert_eq!(by_purchaser.column("PUNO"), [order.as_str()]);
    let search = [("SQRY", "YRE1:MLC-0123456789ABCDEF")];
    assert!(
        bed.mi("PPS200MI/SearchHead", &search)
            .await
            .records()
            .is_empty()
    );
    bed.control("clock", json!({"advance_seconds": 10})).await;
    assert_eq!(
        bed.mi("PPS200MI/SearchHead", &search).await.column("PUNO"),
        [order.as_str()]
    );
    let search = [("SQRY", "PITD:rebar")];
    assert_eq!(
        bed.mi("PPS200MI/SearchLine", &search).await.column("PNLI"),
        ["5"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn adds_are_not_idempotent_and_a_deleted_batch_burns_its_number() {
    let bed = Bed::start().await;
    bed.control("settings", json!({"batch_delay_seconds": 0}))
        .await;
    let (first, burnt) = bed.enter("PROCORE", json!({})).await;
    let head =
        json!({"MSGN": first, "FACI": "A01", "WHLO": "100", "SUNO": "20003", "DWDT": "20270129"});
    let second = bed.write("PPS370MI", "AddHead", head).await;
    assert_ne!(second.text("PUNO"), burnt);
    let unclear = json!({"MSGN": first, "ITNO": "PCMATL", "ORQA": "1"});
    let unclear = bed.write("PPS370MI", "AddLine", unclear).await;
    assert_eq!(unclear.refusal(), ("WPU0803", "PUNO"));
    let named =
        json!({"MSGN": first, "HREF": "MLC-0123456789ABCDEF", "ITNO": "PCMATL", "ORQA": "1"});
    let named = bed.write("PPS370MI", "AddLine", named).await;
    assert_eq!(named.text("PUNO"), burnt);
    bed.write("PPS370MI", "DeleteEntry", json!({"MSGN": first}))
        .await
        .records();
    let gone = bed
        .write("PPS370MI", "DeleteEntry", json!({"MSGN": first}))
        .await;
    assert_eq!(gone.refusal(), ("XRE0103", "MSGN"));

    let (message, order) = bed.enter("PROCORE", json!({})).await;
    assert!(order > burnt && message > first);
    bed.finish(&message).await;
    assert_eq!(bed.look("state").await["state"]["counts"]["orders"], 1);
    let unknown = bed
        .write("PPS370MI", "StartEntry", json!({"BAOR": "NOBODY"}))
        .await;
    assert_eq!(unknown.refusal(), ("XRE0103", "BAOR"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_may_wait_for_a_person_or_keep_its_errors_to_itself() {
    let bed = Bed::start().await;
    bed.control("settings", json!({"batch_delay_seconds": 0}))
        .await;
    let (waiting, order) = bed.enter("REVIEW", json!({})).await;
    bed.finish(&waiting).await;
    assert_eq!(bed.batch(&waiting).await["status"], "20");
    let released = bed
        .control(&format!("infor_m3/batches/{waiting}/release"), json!({}))
        .await;
    assert_eq!(released["released"], json!([waiting]));
    assert_eq!(
        bed.mi("PPS200MI/GetHead", &[("PUNO", &order)])
            .await
            .text("PUNO"),
        order
    );

    for (line, coding, code) in [
        (json!({"ELNO": "77777"}), json!({}), "XRE0103"),
        (
            json!({"ITNO": super::CLOSED_ITEM, "PUUN": "LS"}),
            json!({}),
            "XIT0107",
        ),
        (
            json!({}),
            json!({"AIT1": "51620", "AIT2": "4200"}),
            "CPF9898",
        ),
        (json!({}), json!({"AIT1": "50320"}), "XRE0103"),
    ] {
        let (faulty, order) = bed.enter("PROCORE", line).await;
        let mut record = json!({"MSGN": faulty, "PUNO": order, "PNLI": "1"});
        record
            .as_object_mut()
            .unwrap()
            .extend(coding.as_object().unwrap().clone());
        bed.write("PPS370MI", "AddAccString", record)
            .await
            .records();
        bed.finish(&faulty).await;
        let batch = bed.batch(&faulty).await;
        assert_eq!(batch["status"], "23", "{batch}");
        assert!(
            batch["messages"][0].as_str().unwrap().contains(code),
            "{batch}"
        );
        assert_eq!(
            bed.mi("PPS200MI/GetHead", &[("PUNO", &order)])
                .await
                .refusal()
                .0,
            "WPU0803"
        );
    }

    bed.control("infor_m3/suppliers/20003/block", json!({}))
        .await;
    let (faulty, order) = bed.enter("PROCORE", json!({})).await;
    bed.finish(&faulty).await;
    assert_eq!(bed.batch(&faulty).await["status"], "23");
    bed.control("infor_m3/suppliers/20003/unblock", json!({}))
        .await;
    bed.control(&format!("infor_m3/batches/{faulty}/release"), json!({}))
        .await;
    assert_eq!(
        bed.mi("PPS200MI/GetHead", &[("PUNO", &order)])
            .await
            .text("SUNO"),
        "20003"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn entry_looks_codes_up_unless_told_not_to() {
    let bed = Bed::start().await;
    let started = bed
        .write("PPS370MI", "StartEntry", json!({"BAOR": "PROCORE"}))
        .await;
    let message = started.text("MSGN").to_owned();
    let head = |field: &str, value: &str| {
        let mut head = json!({"MSGN": message, "FACI": "A01", "WHLO": "100", "SUNO": "20003", "DWDT": "20270129"});
        head[field] = json!(value);
        bed.write("PPS370MI", "AddHead", head)
    };
    for (field, value, want) in [
        ("SUNO", "99999", ("WSU0103", "SUNO")),
        ("FACI", "X01", ("WFAC303", "FACI")),
        ("WHLO", "200", ("WWH0103", "WHLO")),
        ("ORTY", "999", ("WTT0403", "ORTY")),
        ("TEPY", "99", ("XRE0103", "TEPY")),
        ("DWDT", "20270230", ("XDT0001", "DWDT")),
    ] {
        assert_eq!(head(field, value).await.refusal(), want, "{field}");
    }
    let order = head("OURR", "x").await.text("PUNO").to_owned();
    let line = |field: &str, value: &str| {
        let mut line =
            json!({"MSGN": message, "PUNO": order, "ITNO": "PCMATL", "ORQA": "1", "PUPR": "1"});
        line[field] = json!(value);
        bed.write("PPS370MI", "AddLine", line)
    };
    for (field, value, want) in [
        ("PUUN", "MO", ("XRE0103", "PUUN")),
        ("ITNO", "GHOST", ("WIT0103", "ITNO")),
        ("ORQA", "0", ("XNU0000", "ORQA")),
        ("PUPR", "-1", ("XNU0003", "PUPR")),
        ("PUPR", "0.0000001", ("XNU0000", "PUPR")),
    ] {
        assert_eq!(line(field, value).await.refusal(), want, "{field}");
    }
    bed.control(
        "settings",
        json!({"strict_entry": false, "batch_delay_seconds": 0}),
    )
    .await;
    line("ITNO", "GHOST").await.records();
    bed.finish(&message).await;
    assert_eq!(bed.batch(&message).await["status"], "23");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_changed_as_far_as_its_status_allows() {
    let bed = Bed::start().await;
    bed.control("settings", json!({"batch_delay_seconds": 0}))
        .await;
    let (message, order) = bed.enter("PROCORE", json!({})).await;
    bed.finish(&message).await;
    let on = |line: &str, more: Value| {
        let mut record = json!({"PUNO": order, "PNLI": line, "PNLS": "0"});
        record
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        record
    };
    let add = |line: &str| on(line, json!({"ITNO": "PCSUBC", "ORQA": "50", "PUPR": "2"}));
    bed.write("PPS200MI", "AddLine", add("2")).await.records();
    assert_eq!(
        bed.write("PPS200MI", "AddLine", add("2")).await.refusal().0,
        "XRE0104"
    );
    bed.write(
        "PPS200MI",
        "UpdLine",
        on("1", json!({"ORQA": "10", "PUPR": "3.333"})),
    )
    .await
    .records();
    bed.write(
        "PPS200MI",
        "UpdHead",
        json!({"PUNO": order, "DWDT": "20270301"}),
    )
    .await
    .records();
    let head = bed.mi("PPS001MI/GetHeadBasic", &[("PUNO", &order)]).await;
    assert_eq!(head.text("DWDT"), "20270301");
    let number = [("PUNO", order.as_str())];
    assert_eq!(
        bed.mi("PPS200MI/GetHead", &number).await.text("NTAM"),
        "133.33"
    );

    let path = format!("infor_m3/orders/{order}/lines/1");
    bed.control(&path, json!({"PUST": "50", "RVQA": "4"})).await;
    let low = bed
        .write("PPS200MI", "UpdLine", on("1", json!({"ORQA": "3"})))
        .await;
    assert_eq!(low.refusal(), ("XPO0002", "PUST"));
    assert_eq!(
        bed.write("PPS200MI", "DltLine", on("1", json!({})))
            .await
            .refusal()
            .0,
        "XPO0002"
    );
    bed.control(&path, json!({"PUST": "85"})).await;
    let late = bed
        .write("PPS200MI", "UpdLine", on("1", json!({"PITD": "x"})))
        .await;
    assert_eq!(late.refusal().0, "XPO0002");
    bed.write("PPS200MI", "DltLine", on("2", json!({})))
        .await
        .records();
    let line = bed
        .mi("PPS200MI/GetLine", &[("PUNO", &order), ("PNLI", "2")])
        .await;
    assert_eq!(line.refusal(), ("WPN0103", "PNLI"));
    let by_hand = json!({"SUNO": "20003", "OURR": "PO-1", "lines": [{"ITNO": "PCMATL", "ORQA": 2, "PUPR": "5.5"}]});
    let by_hand = bed.control("infor_m3/orders", by_hand).await;
    let number = by_hand["PUNO"].as_str().unwrap();
    assert_eq!(
        bed.mi("PPS200MI/GetHead", &[("PUNO", number)])
            .await
            .text("NTAM"),
        "11.00"
    );
}

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

#[tokio::test(flavor = "multi_thread")]
async fn bad_manners_are_told_by_program_and_transaction() {
    let bed = Bed::start().await;
    let (message, _) = bed.enter("PROCORE", json!({})).await;
    let on = json!({"program": "PPS370MI", "transaction": "FinishEntry"});
    bed.control(
        "faults",
        json!({"kind": "status", "status": 504, "applied": true, "match": on}),
    )
    .await;
    let lost = bed
        .write("PPS370MI", "FinishEntry", json!({"MSGN": message}))
        .await;
    assert_eq!(
        (lost.status, lost.header("content-type")),
        (504, "text/html")
    );
    assert_eq!(bed.batch(&message).await["status"], "20");
    let on = json!({"program": "GENERAL"});
    bed.control(
        "faults",
        json!({"kind": "throttle", "retry_after": 4, "match": on}),
    )
    .await;
    let refused = bed.mi("GENERAL/GetServerTime", &[]).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "4"));

    bed.control("settings", json!({"padded": true, "decimal_comma": true}))
        .await;
    let path = "/execute/CRS620MI/GetBasicData;returncols=SUNM";
    let padded = bed.get(path, &[("SUNO", "20003")]).await;
    let value = padded.body["MIRecord"][0]["NameValue"][0]["Value"]
        .as_str()
        .unwrap();
    assert_eq!(value.len(), 36);
    // One field comes alone instead of in a list.
    assert_eq!(padded.body["Metadata"]["Field"]["@name"], "SUNM");
    let trimmed = bed
        .get(
            "/v2/execute/CRS620MI/GetBasicData;righttrim=true",
            &[("SUNO", "20003")],
        )
        .await;
    assert_eq!(trimmed.text("SUNM"), "Granite Ready-Mix LLC");
    bed.control("reset", json!({})).await;
    assert_eq!(bed.mi("GENERAL/GetServerTime", &[]).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_tells_this_address() {
    let bed = Bed::start().await;
    assert_eq!(bed.look("infor_m3/ionapi").await, bed.file);
    assert_eq!(bed.part("iu"), bed.running.url());
    assert!(bed.part("saak").starts_with("DEMO_TST#"));
}
