//! Records, runs, the trail and cross-references over the API, of a tenant whose records have travelled.

mod acts;
mod failures;
mod look;
mod rehearsal;
mod runs;

use std::time::Duration;

use ml_connector::connectors;
use ml_connector::domain::clock::Pace;
use ml_connector::domain::pair::Approval;
use serde_json::Value;

use crate::road::setting::Setting;
use crate::support::app::{Account, TestApp, Wanted};
use crate::support::database::TestDatabase;
use crate::support::http::Api;

/// An id that nobody has.
pub const NOBODY: &str = "01980000-0000-7000-8000-00000000dead";

/// A tenant with both simulated systems, after its first run; and another one with nothing.
pub struct Travelled {
    pub app: TestApp,
    pub account: Account,
    pub other: Account,
    pub road: Setting,
}

impl Travelled {
    pub async fn begin(database: TestDatabase, orders: Approval) -> Self {
        let travelled = Self::still(database, orders).await;
        travelled.run().await;
        travelled
    }

    /// Before its first run.
    pub async fn still(database: TestDatabase, orders: Approval) -> Self {
        let wanted = Wanted {
            connectors: connectors::ALL,
            pace: Pace::new(60),
            ..Wanted::default()
        };
        let app = TestApp::start_on(database, wanted).await;
        let account = app.account("Acme").await;
        let other = app.account("Other").await;
        let road = Setting::on(app.desk.clone(), app.owner(&account), orders).await;
        Self {
            app,
            account,
            other,
            road,
        }
    }

    pub fn api(&self) -> &Api {
        &self.account.api
    }

    /// Starts a run over the API and works until nothing is in work. Gives its id.
    pub async fn run(&self) -> String {
        let path = format!("/api/v1/pairs/{}/runs", self.road.pair);
        let started = self.api().post(&path, serde_json::json!({}), 202).await;
        self.settle().await;
        text(&started["id"])
    }

    pub async fn settle(&self) {
        self.road.settle(Duration::from_secs(60)).await;
    }

    /// Every row of a list, page by page.
    pub async fn all(&self, path: &str, limit: u32) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor = String::new();
        loop {
            let mark = if path.contains('?') { '&' } else { '?' };
            let at = format!("{path}{mark}limit={limit}{cursor}");
            let page = self.api().get(&at, 200).await;
            let data = page["data"].as_array().unwrap();
            assert!(data.len() <= usize::try_from(limit).unwrap());
            rows.extend(data.iter().cloned());
            match page["next_cursor"].as_str() {
                None => return rows,
                Some(next) => cursor = format!("&cursor={next}"),
            }
        }
    }

    /// Records in a state of a flow.
    pub async fn in_state(&self, flow: &str, state: &str) -> Vec<Value> {
        self.all(&format!("/api/v1/records?flow={flow}&state={state}"), 200)
            .await
    }

    pub async fn whole(&self, record: &Value) -> Value {
        let path = format!("/api/v1/records/{}", text(&record["id"]));
        self.api().get(&path, 200).await
    }

    /// Does something with a record.
    pub async fn act(&self, record: &Value, act: &str, body: Value, expected: u16) -> Value {
        let path = format!("/api/v1/records/{}/{act}", text(&record["id"]));
        self.api().post(&path, body, expected).await
    }
}

pub fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

/// The value of one field of every row.
pub fn field<'a>(rows: &'a [Value], name: &str) -> Vec<&'a Value> {
    rows.iter().map(|row| &row[name]).collect()
}

/// The pointers of a refusal.
pub fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect()
}
