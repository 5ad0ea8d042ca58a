//! A running simulator with a client that speaks as a connector does.

use serde_json::{Value, json};

use super::super::{Options, TENANT, ionapi, start};
use crate::sandbox::kit::Running;

pub(super) struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The records of an accepted single transaction.
    pub(super) fn records(&self) -> &[Value] {
        assert_eq!(self.status, 200, "{}", self.body);
        assert_eq!(self.body["nrOfFailedTransactions"], 0, "{}", self.body);
        self.body["results"][0]["records"].as_array().unwrap()
    }

    pub(super) fn text(&self, field: &str) -> &str {
        self.records()[0][field].as_str().unwrap()
    }

    pub(super) fn column(&self, field: &str) -> Vec<&str> {
        let records = self.records().iter();
        records
            .map(|record| record[field].as_str().unwrap())
            .collect()
    }

    /// Code and field of a refused single transaction.
    pub(super) fn refusal(&self) -> (&str, &str) {
        let result = &self.body["results"][0];
        assert_eq!(self.body["nrOfFailedTransactions"], 1, "{}", self.body);
        (
            result["errorCode"].as_str().unwrap(),
            result["errorField"].as_str().unwrap(),
        )
    }
}

pub(super) struct Bed {
    pub running: Running,
    pub client: reqwest::Client,
    pub file: Value,
    pub token: String,
}

pub(super) type Pairs<'a> = &'a [(&'a str, &'a str)];

impl Bed {
    // The product's guarded client belongs to another room.
    #[allow(clippy::disallowed_methods)]
    pub(super) async fn start() -> Self {
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

    pub(super) fn part(&self, name: &str) -> &str {
        self.file[name].as_str().unwrap()
    }

    pub(super) async fn sign_in(&mut self) {
        let answer = self.ask_token(self.part("sask")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.token = answer.body["access_token"].as_str().unwrap().to_owned();
    }

    pub(super) async fn ask_token(&self, secret: &str) -> Answer {
        let form = [
            ("grant_type", "password"),
            ("username", self.part("saak")),
            ("password", secret),
            ("client_id", self.part("ci")),
            ("client_secret", self.part("cs")),
        ];
        self.post_form("ot", &form).await
    }

    pub(super) async fn post_form(&self, path: &str, form: Pairs<'_>) -> Answer {
        let url = format!("{}{}", self.part("pu"), self.part(path));
        read(self.client.post(url).form(form)).await.unwrap()
    }

    pub(super) fn base(&self) -> String {
        format!("{}/{TENANT}/M3/m3api-rest", self.running.url())
    }

    pub(super) async fn get(&self, path: &str, query: Pairs<'_>) -> Answer {
        let url = format!("{}{path}", self.base());
        let request = self.client.get(url).query(query).bearer_auth(&self.token);
        read(request).await.unwrap()
    }

    pub(super) async fn mi(&self, transaction: &str, fields: Pairs<'_>) -> Answer {
        let path = format!("/v2/execute/{transaction};maxrecs=0;cono=100");
        self.get(&path, fields).await
    }

    pub(super) async fn old(&self, transaction: &str, fields: Pairs<'_>) -> Answer {
        self.get(&format!("/execute/{transaction}"), fields).await
    }

    pub(super) async fn bulk(&self, body: &Value) -> Answer {
        let url = format!("{}/v2/execute?maxrecs=0&righttrim=true", self.base());
        let request = self.client.post(url).bearer_auth(&self.token);
        let request = request.header("Content-Type", "application/json");
        read(request.body(body.to_string())).await.unwrap()
    }

    /// One write the way a careful connector sends it.
    pub(super) async fn write(&self, program: &str, transaction: &str, record: Value) -> Answer {
        let transactions = json!([{"transaction": transaction, "record": record}]);
        self.bulk(&json!({"program": program, "cono": 100, "transactions": transactions}))
            .await
    }

    pub(super) async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/_sandbox/{path}", self.running.url());
        let request = self.client.post(url).body(body.to_string());
        let answer = read(request).await.unwrap();
        assert!(answer.status < 300, "{path}: {}", answer.body);
        answer.body
    }

    pub(super) async fn look(&self, path: &str) -> Value {
        let url = format!("{}/_sandbox/{path}", self.running.url());
        read(self.client.get(url)).await.unwrap().body
    }

    /// A batch with one order of one line, not yet finished: its message and order numbers.
    pub(super) async fn enter(&self, origin: &str, line: Value) -> (String, String) {
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

    pub(super) async fn finish(&self, message: &str) {
        let finished = self
            .write("PPS370MI", "FinishEntry", json!({"MSGN": message}))
            .await;
        assert_eq!(finished.records(), [json!({})]);
    }

    pub(super) async fn batch(&self, message: &str) -> Value {
        let batches = self.look("infor_m3/batches").await;
        let mut all = batches["data"].as_array().unwrap().iter();
        all.find(|batch| batch["MSGN"] == message).unwrap().clone()
    }
}

pub(super) async fn read(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
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
