//! What must hold afterwards, whatever happened in between: the source, the vendor's books and the
//! product's records agree, each thing once and to the cent.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::Value;

use super::plant::Plant;
use super::trail;

/// Everything that is compared.
pub struct Books {
    source: Value,
    erp: Value,
    ledger: Vec<Value>,
    records: Vec<Value>,
    trail: Vec<Value>,
}

impl Books {
    /// Takes all books, of a plant at rest.
    pub async fn of(plant: &Plant, records: Vec<Value>) -> Self {
        Books {
            source: plant.procore.state().await,
            erp: plant.m3.state().await,
            ledger: plant.m3.ledger().await,
            trail: plant.trail().await,
            records,
        }
    }

    /// Everything at once; `arrived` are the source ids that must have been written.
    pub async fn agree(&self, plant: &Plant, arrived: &[String]) {
        trail::is_unbroken(&self.trail);
        trail::holds(plant).await;
        trail::intents_come_first(&self.ledger, &self.trail);
        self.every_supplier_is_made_once();
        self.every_order_is_made_once();
        self.nothing_is_missing(arrived);
        self.every_source_record_is_known();
    }

    fn of_flow(&self, flow: &str) -> impl Iterator<Item = &Value> {
        self.records
            .iter()
            .filter(move |record| record["flow"] == flow)
    }

    fn keys_of(&self, operation: &str) -> Vec<&str> {
        let entries = self
            .ledger
            .iter()
            .filter(|entry| entry["operation"] == operation);
        entries
            .map(|entry| entry["key"].as_str().expect("a key"))
            .collect()
    }

    fn every_supplier_is_made_once(&self) {
        let made = self.keys_of("CRS620MI/CopyTemplate");
        let once: BTreeSet<&str> = made.iter().copied().collect();
        assert_eq!(
            made.len(),
            once.len(),
            "a supplier was copied twice: {made:?}"
        );
        let created: BTreeSet<&str> = self
            .of_flow("vendors")
            .filter(|record| record["state"] == "succeeded")
            .map(|record| text(&record["target"]["id"]))
            .collect();
        assert_eq!(once, created, "suppliers made, and vendors that say so");
        let suppliers = self.erp["suppliers"].as_array().expect("a list");
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        for supplier in suppliers {
            *names.entry(text(&supplier["fields"]["SUNM"])).or_default() += 1;
        }
        for number in created {
            let supplier = suppliers.iter().find(|s| s["fields"]["SUNO"] == number);
            let supplier = supplier.expect("a created supplier is there");
            let name = text(&supplier["fields"]["SUNM"]);
            assert_eq!(names[name], 1, "{name} stands in the books more than once");
            assert_eq!(list(&supplier["addresses"]).len(), 1, "{supplier}");
        }
    }

    fn every_order_is_made_once(&self) {
        let succeeded: BTreeMap<&str, &Value> = self
            .of_flow("commitments")
            .filter(|record| ["succeeded", "linked"].contains(&text(&record["state"])))
            .map(|record| (text(&record["target"]["id"]), record))
            .collect();
        let orders = list(&self.erp["orders"]);
        assert_eq!(
            orders.len(),
            succeeded.len(),
            "orders in the books, and contracts that say so"
        );
        let mut tags = BTreeSet::new();
        for order in orders {
            let number = text(&order["head"]["PUNO"]);
            let record = succeeded
                .get(number)
                .unwrap_or_else(|| panic!("nobody knows order {number}"));
            assert!(
                tags.insert(text(&order["head"]["YRE1"])),
                "two orders of one contract: {order}"
            );
            self.is_same(order, record);
        }
    }

    /// Line by line, and the total to the cent.
    fn is_same(&self, order: &Value, record: &Value) {
        let id = text(&record["source"]["id"]);
        let contract = list(&self.source["contracts"])
            .iter()
            .find(|c| c["id"].as_i64() == id.parse().ok());
        let contract = contract.expect("a written contract is in the source");
        let mut amounts: Vec<Decimal> = list(&contract["line_items"])
            .iter()
            .map(|line| decimal(&line["amount"]))
            .filter(|amount| !amount.is_zero())
            .collect();
        let mut written: Vec<Decimal> = list(&order["lines"])
            .iter()
            .map(|line| decimal(&line["fields"]["LNAM"]))
            .collect();
        amounts.sort();
        written.sort();
        assert_eq!(written, amounts, "lines of {order} and of contract {id}");
        let total: Decimal = amounts.iter().sum();
        assert_eq!(decimal(&order["head"]["NTAM"]), total, "contract {id}");
        assert_eq!(decimal(&record["amount"]), total, "{record}");
        for line in list(&order["lines"]) {
            assert!(
                line["coding"]["AIT1"].is_string(),
                "a line without its account: {line}"
            );
        }
    }

    fn nothing_is_missing(&self, arrived: &[String]) {
        for id in arrived {
            let record = self
                .records
                .iter()
                .find(|record| record["source"]["id"] == id.as_str());
            let record = record.unwrap_or_else(|| panic!("{id} was never seen"));
            assert_eq!(record["state"], "succeeded", "{record}");
            assert_eq!(record["fault"], Value::Null, "{record}");
        }
    }

    /// Every source record is in exactly one state, each with a sentence.
    fn every_source_record_is_known(&self) {
        let ids = |flow: &str| -> BTreeSet<String> {
            self.of_flow(flow)
                .map(|record| text(&record["source"]["id"]).to_owned())
                .collect()
        };
        let contracts: BTreeSet<String> = list(&self.source["contracts"])
            .iter()
            .map(|c| c["id"].to_string())
            .collect();
        assert_eq!(ids("commitments"), contracts);
        let active = list(&self.source["vendors"])
            .iter()
            .filter(|vendor| vendor["is_active"] == true);
        let active: BTreeSet<String> = active.map(|vendor| vendor["id"].to_string()).collect();
        let known = ids("vendors");
        assert!(
            known.is_superset(&active),
            "{:?}",
            active.difference(&known)
        );
        for record in &self.records {
            assert_ne!(record["explanation"], "", "{record}");
        }
    }
}

fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}

fn list(value: &Value) -> &[Value] {
    value
        .as_array()
        .unwrap_or_else(|| panic!("{value} is no list"))
}

fn decimal(value: &Value) -> Decimal {
    let spelled = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    spelled
        .parse()
        .unwrap_or_else(|_| panic!("{value} is no number"))
}
